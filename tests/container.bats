# container.bats - settings by variables: MAILCRANE_URL, MAILCRANE_SETTING, and where they do not count.

# shellcheck disable=SC2154,SC2034 # $stderr is set by run, CLEAN_ENVIRONMENT read by the library

load lib/common
load lib/user

PASSWORD='V4riable&Swan/Lake'
# The same in a URL.
ENCODED='V4riable%26Swan%2FLake'

setup() {
	setup_home
	register_secret "$PASSWORD" "$ENCODED"
	CERTS=$BATS_TEST_TMPDIR/certs
	QUEUE=
	printf 'From: joe@example.test\nSubject: s\n\nhello\n' >"$HOME/message"
	mkdir "$HOME/secret"
}

teardown() {
	stop_peer
}

start_auth_peer() {
	start_peer --make-cert "$CERTS" --password "$PASSWORD" --auth PLAIN "$@"
}

# The variables for one run, beside those that every one needs here.
variables() {
	CLEAN_ENVIRONMENT=("MAILCRANE_TLS_TRUST_FILE=$CERTS/ca.pem" "$@")
}

send() {
	run_mailcrane "$@" alice@example.net <"$HOME/message"
}

### The URL

@test "smtps:// with user and password is all that a message needs" {
	start_auth_peer --tls implicit
	variables "MAILCRANE_URL=smtps://joe:$ENCODED@localhost:$PORT"
	send
	assert_exit 0
	assert_received 1
	assert_log_line '\* authenticated joe'
}

@test "smtp+tls:// is STARTTLS" {
	start_auth_peer --tls starttls
	variables "MAILCRANE_URL=smtp+tls://joe:$ENCODED@localhost:$PORT"
	send
	assert_exit 0
	assert_wire STARTTLS
	assert_log_line '\* authenticated joe'
}

@test "smtp:// does not show the password to whoever listens" {
	start_auth_peer --auth-in-clear
	variables "MAILCRANE_URL=smtp://joe:$ENCODED@127.0.0.1:$PORT" MAILCRANE_QUEUE=off
	send
	assert_exit 69
	refute_wire_like '^(AUTH|MAIL)'
}

@test "the password comes from MAILCRANE_PASSWORD, or from a file that anybody can read, by a link" {
	start_auth_peer --tls implicit
	variables "MAILCRANE_URL=smtps://joe@localhost:$PORT" "MAILCRANE_PASSWORD=$PASSWORD"
	send
	assert_exit 0
	printf '%s\n' "$PASSWORD" >"$HOME/secret/..data"
	chmod 644 "$HOME/secret/..data"
	ln -s ..data "$HOME/secret/smtp"
	variables "MAILCRANE_URL=smtps://joe@localhost:$PORT" "MAILCRANE_PASSWORD_FILE=$HOME/secret/smtp"
	send
	assert_exit 0
	assert_received 2
}

@test "the log goes to standard error, also as JSON, unless there is a log file" {
	start_peer
	variables "MAILCRANE_URL=smtp://127.0.0.1:$PORT"
	send
	assert_exit 0
	[ -z "$output" ]
	assert_stderr 'host=127.0.0.1 tls=off auth=off'
	assert_stderr 'exitcode=EX_OK'
	variables "MAILCRANE_URL=smtp://127.0.0.1:$PORT" MAILCRANE_LOG_FORMAT=json
	send
	assert_exit 0
	python3 -c 'import json, sys; assert json.loads(sys.argv[1])["exit_code"] == 0' "$stderr"
	variables "MAILCRANE_URL=smtp://127.0.0.1:$PORT" "MAILCRANE_LOGFILE=$HOME/log"
	send
	assert_exit 0
	assert_silent
	grep -q exitcode=EX_OK "$HOME/log"
}

@test "with a URL no file is read, and the account is called default" {
	write_config <<-END
		this is no configuration
	END
	variables MAILCRANE_URL=smtps://joe@smtp.example.test MAILCRANE_FROM=joe@example.test
	run_mailcrane --print-config
	assert_exit 0
	assert_stdout $'# environment\naccount default\n'
	assert_stdout $'# environment\nhost smtp.example.test\n'
	assert_stdout $'# environment\nfrom joe@example.test\n'
	assert_stdout $'# default\nport 465\n'
	run_mailcrane --print-config -a work
	assert_exit 78
	assert_stderr "account work not found: MAILCRANE_URL is set"
	run_mailcrane --print-config -a default
	assert_exit 0
}

@test "a PIN stands in a variable of its own" {
	variables MAILCRANE_URL=smtps://h "MAILCRANE_TLS_KEY_FILE=pkcs11:object=key?pin-value=$PASSWORD" MAILCRANE_TLS_CERT_FILE=c MAILCRANE_QUEUE=off
	send
	assert_exit 78
	assert_stderr "MAILCRANE_TLS_KEY_FILE: no PIN can stand here; it goes into MAILCRANE_TLS_KEY_PASSWORD"
	refute_stderr "$PASSWORD"
}

@test "a URL that cannot be used is refused without a word of it" {
	local url

	for url in "smtps://joe:$PASSWORD@h" "http://joe:$ENCODED@h" "smtps://joe:$ENCODED@h?tls=off" "smtps://h:$ENCODED"; do
		variables "MAILCRANE_URL=$url" MAILCRANE_QUEUE=off
		send
		assert_exit 78
		assert_stderr "MAILCRANE_URL: "
		assert_stderr "hint: "
	done
}

@test "a value that cannot be used is told with its variable" {
	variables MAILCRANE_URL=smtp://h MAILCRANE_PORT=0
	send
	assert_exit 78
	assert_stderr "MAILCRANE_PORT: port: '0' is not a number from 1 to 65535"
}

@test "a variable of no setting is told with the nearest one; those of the build are not" {
	start_peer
	variables "MAILCRANE_URL=smtp://127.0.0.1:$PORT" MAILCRANE_FORM=x "MAILCRANE_LOGFILE=$HOME/log" MAILCRANE_PEERS=/x
	send
	assert_exit 0
	[ "$stderr" = "mailcrane: warning: MAILCRANE_FORM is the variable of no setting (did you mean MAILCRANE_FROM?)" ] ||
		fail_with "another warning"
}

### Beside files and options

@test "options come before variables, and variables before files" {
	write_config <<-END
		host file.example.test
		port 1025
		domain file.example.test
		maildomain file.example.test
	END
	variables MAILCRANE_DOMAIN=variable.example.test MAILCRANE_MAILDOMAIN=variable.example.test
	run_mailcrane --print-config --domain=option.example.test
	assert_exit 0
	assert_stdout $'# command line\ndomain option.example.test\n'
	assert_stdout $'# environment\nmaildomain variable.example.test\n'
	assert_stdout $'.mailcranerc:1\nhost file.example.test\n'
}

@test "a host by variable is enough where there is no file" {
	start_peer
	variables MAILCRANE_HOST=127.0.0.1 "MAILCRANE_PORT=$PORT"
	send
	assert_exit 0
	assert_received 1
}

@test "a password by variable comes before one in a file, a command by option before both" {
	start_auth_peer --tls implicit
	write_config <<-END
		host localhost
		port $PORT
		tls on
		tls_starttls off
		auth on
		user joe
		password in-the-file-it-is-wrong
	END
	variables "MAILCRANE_PASSWORD=$PASSWORD"
	send
	assert_exit 0
	printf '%s\n' "$PASSWORD" >"$HOME/secret/word"
	variables "MAILCRANE_PASSWORDEVAL=cat $HOME/secret/word"
	send
	assert_exit 0
	variables MAILCRANE_PASSWORD=by-variable-it-is-wrong
	register_secret by-variable-it-is-wrong
	send "--passwordeval=cat $HOME/secret/word"
	assert_exit 0
	assert_received 3
}

@test "with --host, and with -C against a URL, no variable counts: the password is another server's" {
	start_auth_peer --tls implicit
	variables "MAILCRANE_URL=smtps://joe:$ENCODED@other.example.test" "MAILCRANE_PASSWORD=$PASSWORD"
	send --queue=off --host=localhost --port="$PORT" --tls --tls-starttls=off --tls-trust-file="$CERTS/ca.pem" --auth=on --user=joe
	assert_exit 69
	assert_stderr "no password for joe at localhost"
	printf 'host localhost\nport %s\ntls on\ntls_starttls off\ntls_trust_file %s\nauth on\nuser joe\nqueue off\n' "$PORT" "$CERTS/ca.pem" \
		>"$HOME/file"
	send -C "$HOME/file"
	assert_exit 69
	assert_stderr "no password for joe at localhost"
	refute_log_line connect
}

### Where variables do not count

@test "under the sendmail names variables do not count" {
	start_peer
	write_config <<-END
		host 127.0.0.1
		port $PORT
		from joe@example.test
	END
	variables MAILCRANE_URL=smtp://192.0.2.1:9 MAILCRANE_FROM=eve@example.test MAILCRANE_NONSENSE=x
	run_as sendmail alice@example.net <"$HOME/message"
	assert_exit 0
	assert_silent
	assert_received 1
	[ "$(sender_of 1)" = joe@example.test ]
}

@test "a user's own file cannot allow them" {
	write_config <<-END
		environment on
		host 127.0.0.1
	END
	send
	assert_exit 78
	assert_stderr ".mailcranerc:1:1: environment: counts in the system's configuration file only"
}

@test "in a process that runs set-id variables do not count" {
	setup_ordinary_user
	printf 'host 127.0.0.1\n' | write_ordinary_file "$HOME/.mailcranerc" 600
	chmod u+s "$BATS_TEST_TMPDIR/bin/mailcrane"
	CLEAN_ENVIRONMENT=(MAILCRANE_DOMAIN=evil.example.test)
	run_as_ordinary_user --print-config -C "$HOME/.mailcranerc"
	assert_exit 0
	[[ $output != *evil* ]] || fail_with "they count"
	chmod u-s "$BATS_TEST_TMPDIR/bin/mailcrane"
	run_as_ordinary_user --print-config -C "$HOME/.mailcranerc"
	assert_stdout evil.example.test
}

### Children

@test "no child finds a password, or the way to one, in its environment" {
	start_auth_peer --tls implicit
	printf '%s\n' "$PASSWORD" >"$HOME/secret/word"
	variables "MAILCRANE_URL=smtps://joe@localhost:$PORT" "MAILCRANE_PROXY_PASSWORD=$PASSWORD" MAILCRANE_DOMAIN=kept.example.test \
		"MAILCRANE_PASSWORDEVAL=env >$HOME/environment; tr '\\0' '\\n' </proc/\$PPID/environ >$HOME/ours; cat $HOME/secret/word"
	send
	assert_exit 0
	grep -q '^MAILCRANE_DOMAIN=kept' "$HOME/environment"
	grep -q '^MAILCRANE_DOMAIN=kept' "$HOME/ours" || [ "$(id -u)" -ne 0 ]
	! grep -Eq '^MAILCRANE_(URL|.*PASSWORD)' "$HOME/environment" || fail_with "it does" "$(cat "$HOME/environment")"
	assert_no_secret "$PASSWORD"
}

### The queue

# Send into the queue.
send_later() {
	start_auth_peer --tls implicit
	variables MAILCRANE_QUEUE=always "MAILCRANE_URL=smtps://joe@localhost:$PORT" "MAILCRANE_PASSWORD=$PASSWORD"
	send
	assert_exit 0
	[ "$(find "$HOME/.local/state/mailcrane/queue" -type f | wc -l)" -eq 1 ]
	! grep -raF -- "$PASSWORD" "$HOME/.local/state" || fail_with "the password is in the queue"
}

@test "what is queued goes out by a flush with the same variables" {
	send_later
	run_mailcrane --flush
	assert_exit 0
	assert_received 1
	assert_log_line '\* authenticated joe'
	assert_stderr exitcode=EX_OK
}

@test "a flush with the password alone is enough: the rest is in the entry" {
	send_later
	variables "MAILCRANE_PASSWORD=$PASSWORD"
	run_mailcrane --flush
	assert_exit 0
	assert_received 1
}

@test "a flush without the password, or with that of another server, shows nothing to this one" {
	send_later
	CLEAN_ENVIRONMENT=()
	run_mailcrane --flush
	variables MAILCRANE_URL="smtps://joe:$ENCODED@other.example.test"
	run_mailcrane --flush --force
	assert_received 0
	refute_wire_like '^AUTH'
}

@test "a credential of the service is found by the account's name in a flush, too" {
	start_auth_peer --tls implicit
	printf '%s\n' "$PASSWORD" >"$HOME/secret/mailcrane.default.password"
	variables MAILCRANE_QUEUE=always "MAILCRANE_URL=smtps://joe@localhost:$PORT" "CREDENTIALS_DIRECTORY=$HOME/secret"
	send
	assert_exit 0
	run_mailcrane --flush
	assert_exit 0
	assert_received 1
}

@test "an entry of an account from a file does not get the variables of a flush" {
	start_auth_peer --tls implicit
	write_config <<-END
		host localhost
		port $PORT
		tls on
		tls_starttls off
		tls_trust_file $CERTS/ca.pem
		auth on
		user joe
	END
	CLEAN_ENVIRONMENT=()
	send --queue=always
	assert_exit 0
	variables "MAILCRANE_PASSWORD=$PASSWORD" MAILCRANE_DOMAIN=other.example.test
	run_mailcrane --flush
	assert_received 0
	refute_wire_like '^(EHLO other|AUTH)'
}

@test "variables over an account from a file are kept with the entry, the rest is read again" {
	start_auth_peer --tls implicit
	write_config <<-END
		host 192.0.2.1
		port $PORT
		tls on
		tls_starttls off
		tls_trust_file $CERTS/ca.pem
		auth on
		user joe
		passwordeval cat $HOME/secret/word
	END
	CLEAN_ENVIRONMENT=(MAILCRANE_HOST=localhost MAILCRANE_DOMAIN=kept.example.test)
	send --queue=always
	assert_exit 0
	printf '%s\n' "$PASSWORD" >"$HOME/secret/word"
	CLEAN_ENVIRONMENT=()
	run_mailcrane --flush
	assert_exit 0
	assert_received 1
	assert_wire_like '^EHLO kept.example.test'
}
