# auth.bats - logging in, where the password comes from, and that it goes nowhere else.

# shellcheck disable=SC2154,SC2034 # $stderr is set by run, CLEAN_ENVIRONMENT read by the library

load lib/common
load lib/user

PASSWORD='Corr3ct-H0rse_Battery'

setup() {
	setup_home
	register_secret "$PASSWORD"
	CERTS=$BATS_TEST_TMPDIR/certs
	printf 'From: joe@example.test\nSubject: s\n\nhello\n' >"$HOME/message"
}

teardown() {
	stop_peer
}

# A peer with TLS that knows joe and PASSWORD; ARGS are further ones (--auth ...).
start_auth_peer() {
	start_peer --tls starttls --make-cert "$CERTS" --password "$PASSWORD" "$@"
}

# joe's account at the peer; the arguments are further lines.
auth_account() {
	{
		printf 'host localhost\nport %s\ntls on\ntls_trust_file %s\n' "$PORT" "$CERTS/ca.pem"
		printf 'from joe@example.test\nuser joe\n'
		printf '%s\n' "$@"
	} | write_config
}

# The same without TLS.
clear_account() {
	printf '%s\n' "host ${CLEAR_HOST:-127.0.0.1}" "port $PORT" 'from joe@example.test' 'user joe' "$@" | write_config
}

send() {
	run_mailcrane "$@" alice@example.net <"$HOME/message"
}

assert_sent() {
	assert_exit 0 && assert_silent && assert_received 1 && assert_log_line '\* authenticated joe'
}

# No word of AUTH and nothing of the mail was said.
assert_said_nothing() {
	refute_wire_like '^(AUTH|MAIL|RCPT|DATA|BDAT)' && assert_received 0
}

assert_no_mail() {
	refute_wire_like '^(MAIL|RCPT|DATA|BDAT)' && assert_received 0
}

# Every form in which the password could be written.
secret_forms() {
	local shift

	printf '%s\n' "$PASSWORD"
	printf '%s' "$PASSWORD" | base64 -w 0
	echo
	printf '\0joe\0%s' "$PASSWORD" | base64 -w 0
	echo
	# Inside other base64 it begins at one of three places; the ends depend on what is around it.
	for shift in '' x xx; do
		printf '%s%s' "$shift" "$PASSWORD" | base64 -w 0 | cut -c 5-24
	done
}

# The password is in none of the files of this test but the configuration, and not in the output.
assert_hidden() {
	local form

	while read -r form; do
		assert_no_secret "$form" || return 1
	done < <(secret_forms)
}

# CPU time of the children that this shell has waited for, in ticks.
children_ticks() {
	local fields

	read -r -a fields <"/proc/$BASHPID/stat"
	echo $((fields[15] + fields[16]))
}

### Mechanisms

@test "PLAIN logs in" {
	start_auth_peer --auth PLAIN
	auth_account "auth plain" "password $PASSWORD"
	send
	assert_sent
	assert_wire_count 1 'AUTH PLAIN'
}

@test "LOGIN logs in" {
	start_auth_peer --auth LOGIN
	auth_account "auth login" "password $PASSWORD"
	send
	assert_sent
}

@test "CRAM-MD5 logs in" {
	start_auth_peer --auth CRAM-MD5
	auth_account "auth cram-md5" "password $PASSWORD"
	send
	assert_sent
}

@test "OAUTHBEARER logs in" {
	start_auth_peer --auth OAUTHBEARER
	auth_account "auth oauthbearer" "passwordeval echo $PASSWORD"
	send
	assert_sent
}

@test "XOAUTH2 logs in" {
	start_auth_peer --auth XOAUTH2
	auth_account "auth xoauth2" "passwordeval echo $PASSWORD"
	send
	assert_sent
}

@test "DIGEST-MD5 logs in" {
	start_auth_peer --auth DIGEST-MD5
	auth_account "auth digest-md5" "password $PASSWORD"
	send
	assert_sent
}

@test "SCRAM-SHA-1 and SCRAM-SHA-256 log in over TLS" {
	local method

	for method in scram-sha-1 scram-sha-256; do
		start_auth_peer --auth "SCRAM-SHA-1 SCRAM-SHA-256"
		auth_account "auth $method" "password $PASSWORD"
		send
		assert_sent
		assert_wire_like "^AUTH ${method^^} "
	done
}

@test "ANONYMOUS logs in when it is named, and tells no name" {
	start_auth_peer --auth "ANONYMOUS PLAIN" --log-secrets
	auth_account "auth anonymous"
	send
	assert_exit 0
	assert_received 1
	assert_wire "AUTH ANONYMOUS $(printf anonymous | base64)"
	start_auth_peer --auth ANONYMOUS
	auth_account "auth on" "password $PASSWORD"
	send
	assert_exit 69
	assert_stderr "the server offers ANONYMOUS"
	assert_said_nothing
}

@test "protocol 75: SCRAM with channel binding is chosen, by tls-exporter on TLS 1.3" {
	local method

	for method in on scram-sha-256-plus scram-sha-1-plus; do
		start_auth_peer --auth "PLAIN SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS"
		auth_account "auth $method" "password $PASSWORD"
		send
		assert_sent
		[ "$method" = on ] && method=scram-sha-256-plus
		assert_wire_like "^AUTH ${method^^} "
		assert_log_line '\* channel binding p=tls-exporter'
		assert_log_line '\* tls TLS1.3 '
	done
}

@test "protocol 75: SCRAM with channel binding is chosen, by tls-unique on TLS 1.2" {
	local method

	for method in on scram-sha-256-plus scram-sha-1-plus; do
		start_auth_peer --tls-max 1.2 --auth "PLAIN SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS"
		auth_account "auth $method" "password $PASSWORD"
		send
		assert_sent
		assert_log_line '\* channel binding p=tls-unique'
		assert_log_line '\* tls TLS1.2 '
	done
}

@test "protocol 75: on TLS 1.2 without the extended master secret there is no channel binding" {
	start_auth_peer --tls-max 1.2-no-ems --auth "SCRAM-SHA-256 SCRAM-SHA-256-PLUS"
	auth_account "auth on" "password $PASSWORD"
	send
	assert_sent
	assert_log_line '\* channel binding n$'
	auth_account "auth scram-sha-256-plus" "password $PASSWORD"
	send
	assert_exit 69
	assert_stderr "channel binding"
	assert_wire_count 1 AUTH
	auth_account "auth on" "auth_min scram-plus" "password $PASSWORD"
	send
	assert_exit 69
	assert_stderr "cannot use SCRAM-SHA-256: it is below 'auth_min scram-plus'; the server offers SCRAM-SHA-256 SCRAM-SHA-256-PLUS"
	assert_wire_count 1 AUTH
	assert_received 1
}

@test "every mechanism that knows a password refuses a wrong one with 77" {
	local method

	for method in plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 scram-sha-1-plus scram-sha-256-plus; do
		start_peer --tls starttls --make-cert "$CERTS" --password another --auth "${method^^}"
		auth_account "auth $method" "password $PASSWORD"
		send
		assert_exit 77
		assert_stderr "535 5.7.8 credentials are wrong"
		assert_no_mail
	done
}

@test "'auth on' takes the best that is offered" {
	start_auth_peer --auth "LOGIN CRAM-MD5 PLAIN"
	auth_account "auth on" "password $PASSWORD"
	send
	assert_sent
	assert_wire_count 1 'AUTH PLAIN'
}

@test "a method that is not offered is told, with those that are" {
	start_auth_peer --auth "PLAIN LOGIN"
	auth_account "auth scram-sha-256" "password $PASSWORD"
	send
	assert_exit 69
	assert_stderr "SCRAM-SHA-256"
	assert_stderr "the server offers PLAIN LOGIN"
	assert_stderr "hint: "
	assert_said_nothing
}

@test "a password of 255 strange characters is taken as it is" {
	local strange

	strange=$(printf '%0240d\\"'"'"'#%%$ &;<|>äö' 0)
	register_secret "$strange"
	start_peer --tls starttls --make-cert "$CERTS" --password "$strange" --auth PLAIN
	auth_account "auth plain" "password $strange"
	send
	assert_sent
}

@test "a response with which AUTH would be longer than 512 octets answers the server's empty challenge" {
	local size long

	for size in 320 500 9000; do
		long=$(printf "%0${size}d" 7)
		start_peer --tls starttls --make-cert "$CERTS" --password "$long" --auth PLAIN --strict --log-secrets
		# Not in the account, where it would be registered: the peer is to log it.
		mkdir -p "$HOME/secret"
		printf '%s\n' "$long" >"$HOME/secret/word"
		auth_account "auth plain" "password_file ~/secret/word"
		send
		assert_exit 0
		assert_received 1
		assert_wire_like '^AUTH PLAIN'
		[ "$(wire | grep '^AUTH' | awk '{ print length($0) + 2 }')" -le 512 ]
	done
	assert_wire "AUTH PLAIN" "$(printf '\0joe\0%s' "$long" | base64 -w 0)"
	# What came over the wire holds it.
	rm "$BATS_TEST_TMPDIR"/peer*/log
}

### The floor

@test "auth_min scram: a server that offers only PLAIN and LOGIN gets nothing" {
	start_auth_peer --auth "PLAIN LOGIN"
	auth_account "auth on" "auth_min scram" "password $PASSWORD"
	send
	assert_exit 69
	assert_stderr "cannot use PLAIN: it is below 'auth_min scram'; the server offers PLAIN LOGIN"
	assert_stderr "hint: "
	assert_said_nothing
}

@test "auth_min scram: a weaker method is refused although it is named and offered" {
	local method

	for method in plain login cram-md5 digest-md5 oauthbearer xoauth2 anonymous; do
		start_auth_peer --auth "PLAIN LOGIN CRAM-MD5 DIGEST-MD5 OAUTHBEARER XOAUTH2 ANONYMOUS SCRAM-SHA-256"
		auth_account "auth $method" "auth_min scram" "password $PASSWORD"
		send
		assert_exit 69
		assert_stderr "cannot use ${method^^}: it is below 'auth_min scram'; the server offers PLAIN LOGIN"
		assert_said_nothing
	done
}

@test "auth_min scram: SCRAM logs in" {
	start_auth_peer --auth "PLAIN SCRAM-SHA-256"
	auth_account "auth on" "auth_min scram" "password $PASSWORD"
	send
	assert_sent
	assert_wire_like '^AUTH SCRAM-SHA-256 '
}

# As send, with the queue on, in which nothing lies.
send_with_queue() {
	QUEUE='' run_mailcrane alice@example.net <"$HOME/message"
}

@test "a server that took SCRAM before and offers PLAIN only now is warned about, until auth_min is set" {
	local n less='raw=250-peer\r\n250 AUTH PLAIN\r\n' faults=()

	for n in 2 3 4 5; do
		faults+=(--fault "ehlo#2@conn=$n:$less")
	done
	start_auth_peer --auth "PLAIN SCRAM-SHA-256" "${faults[@]}"
	auth_account "auth on" "password $PASSWORD"
	# The queue's folder: here, by a message that is held back.
	QUEUE=always run_mailcrane bob@example.net <"$HOME/message"
	run_mailcrane --remove="$(clean_environment "$MAILCRANE" --mailq </dev/null | grep -Eo '^[0-9A-V]{19}')" </dev/null
	send_with_queue
	assert_sent
	assert_wire_like '^AUTH SCRAM-SHA-256 '
	send_with_queue
	assert_exit 0
	assert_stderr "warning: account default: localhost took logins of the kind 'scram' before, and now it had one by PLAIN"
	assert_stderr "'auth_min scram' refuses that"
	assert_received 2
	auth_account "auth on" "auth_min plain" "password $PASSWORD"
	send_with_queue
	assert_exit 0
	assert_silent
	auth_account "auth plain" "password $PASSWORD"
	send_with_queue
	assert_exit 0
	assert_silent
	auth_account "auth on" "password $PASSWORD"
	send_with_queue
	assert_stderr "warning: "
	assert_wire_count 4 "AUTH PLAIN"
}

### Without TLS

@test "protocol 45: the methods that were offered before TLS do not count" {
	start_auth_peer --auth "PLAIN" --fault 'ehlo#1:raw=250-peer\r\n250-AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS\r\n250 STARTTLS\r\n'
	auth_account "auth on" "password $PASSWORD"
	send
	assert_sent
	assert_wire_like '^AUTH PLAIN'
	start_auth_peer --auth "SCRAM-SHA-256" --fault 'ehlo#1:raw=250-peer\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n'
	auth_account "auth plain" "password $PASSWORD"
	send
	assert_exit 69
	assert_stderr "the server offers SCRAM-SHA-256"
	assert_said_nothing
}

@test "protocol 66: where only LOGIN is offered in the clear, nothing is said" {
	start_peer --auth LOGIN --auth-in-clear --password "$PASSWORD"
	clear_account "auth on" "password $PASSWORD"
	send
	assert_exit 69
	assert_stderr "no TLS"
	assert_stderr "hint: set 'tls on'"
	assert_said_nothing
}

@test "protocol 66: a method that shows the password is not used in the clear although it is named" {
	local method

	for method in plain login cram-md5 oauthbearer xoauth2; do
		start_peer --auth "PLAIN LOGIN CRAM-MD5 XOAUTH2 OAUTHBEARER" --auth-in-clear
		clear_account "auth $method" "password $PASSWORD"
		send
		assert_exit 69
		assert_stderr "no TLS"
		assert_said_nothing
	done
}

@test "auth_cleartext loopback shows the password to this machine" {
	start_peer --auth PLAIN --auth-in-clear --password "$PASSWORD"
	clear_account "auth on" "password $PASSWORD" "auth_cleartext loopback"
	send
	assert_sent
}

@test "auth_cleartext always shows the password to everybody" {
	start_peer --auth LOGIN --auth-in-clear --password "$PASSWORD"
	clear_account "auth login" "password $PASSWORD" "auth_cleartext always"
	send
	assert_sent
}

@test "EXTERNAL needs no password" {
	make_certificates "$CERTS"
	start_peer --tls starttls --cert "$CERTS/cert.pem" --key "$CERTS/key.pem" --client-ca "$CERTS/ca.pem" --auth EXTERNAL
	auth_account "auth external" "tls_cert_file $CERTS/client.pem" "tls_key_file $CERTS/client-key.pem"
	send
	assert_sent
}

### What servers answer

@test "protocol 67: authentication is wanted and not offered" {
	start_auth_peer
	auth_account "auth on" "password $PASSWORD"
	send
	assert_exit 69
	assert_stderr "does not offer AUTH"
	assert_stderr "hint: "
	assert_said_nothing
}

@test "protocol 68: a challenge that is not base64 ends it, and no other method is tried" {
	start_auth_peer --auth "CRAM-MD5 PLAIN LOGIN" --fault 'auth:reply=334 !!!not base64!!!'
	auth_account "auth cram-md5" "password $PASSWORD"
	send
	assert_exit 76
	assert_stderr "not base64"
	assert_wire_count 1 AUTH
	# The peer hides what answers a challenge; this is what it says to "*".
	assert_log_line 'S: 501 5.7.0 as you like'
	assert_no_mail
	assert_hidden
}

@test "protocol 68: no other method is tried in the next session of the same run either" {
	start_auth_peer --auth "SCRAM-SHA-256" --ehlo "LIMITS RCPTMAX=1 MAILMAX=1" --fault 'ehlo#2@conn=2:raw=250-peer\r\n250 AUTH PLAIN LOGIN\r\n'
	auth_account "auth on" "password $PASSWORD"
	send bob@example.net
	[ "$status" -ne 0 ]
	assert_stderr "cannot use PLAIN: it is weaker than SCRAM-SHA-256, which this run used before; the server offers PLAIN LOGIN"
	assert_received 1
	assert_wire_count 1 AUTH
}

@test "protocol 69: SCRAM with one iteration is refused" {
	start_auth_peer --auth "SCRAM-SHA-256 PLAIN" --scram-iterations 1
	auth_account "auth on" "password $PASSWORD"
	send
	assert_exit 76
	assert_stderr "SCRAM-SHA-256: the server's iteration count 1 is not within 4096 and 10000000"
	assert_log_line 'S: 501 5.7.0 as you like'
	assert_wire_count 1 AUTH
	assert_no_mail
}

@test "protocol 70: SCRAM with 2000000000 iterations is refused within a second of CPU" {
	local before after

	start_auth_peer --auth "SCRAM-SHA-256 PLAIN" --scram-iterations 2000000000
	auth_account "auth on" "password $PASSWORD"
	before=$(children_ticks)
	send
	after=$(children_ticks)
	assert_exit 76
	assert_stderr "SCRAM-SHA-256: the server's iteration count 2000000000 is not within 4096 and 10000000"
	assert_wire_count 1 AUTH
	assert_no_mail
	[ $((after - before)) -lt "$(getconf CLK_TCK)" ] || fail_with "it took $((after - before)) ticks of CPU"
}

@test "protocol 71: a SCRAM server that cannot prove that it knows the password gets no mail" {
	start_auth_peer --auth "SCRAM-SHA-256 PLAIN" --fault "auth2#1:reply=334 $(printf 'v=%s' "$(printf '%032d' 7 | base64)" | base64 -w 0)"
	auth_account "auth on" "password $PASSWORD"
	send
	assert_exit 76
	assert_stderr "SCRAM-SHA-256: the server could not prove that it knows the password"
	assert_wire_count 1 AUTH
	assert_no_mail
	assert_hidden
}

@test "protocol 72: 235 instead of the server's proof is no success" {
	start_auth_peer --auth "SCRAM-SHA-256 PLAIN" --fault 'auth2#1:reply=235 2.7.0 welcome'
	auth_account "auth on" "password $PASSWORD"
	send
	assert_exit 76
	assert_stderr "SCRAM-SHA-256: the server says that the login is complete, but has not proved that it knows the password"
	assert_wire_count 1 AUTH
	assert_no_mail
}

@test "protocol 72: nor is it at the first question" {
	local method

	for method in scram-sha-256 cram-md5 login; do
		start_auth_peer --auth "${method^^}" --fault 'auth#1:reply=235 2.7.0 welcome'
		auth_account "auth $method" "password $PASSWORD"
		send
		assert_exit 76
		assert_stderr "the server says that the login is complete, but has not"
		assert_wire_count 1 AUTH
		assert_no_mail
	done
}

@test "SCRAM: a challenge after the server's proof was accepted is answered by an asterisk" {
	start_auth_peer --auth SCRAM-SHA-256 --fault 'auth2#2:reply=334 '
	auth_account "auth on" "password $PASSWORD"
	send
	assert_exit 77
	assert_stderr "asks on after everything was said"
	assert_wire '*'
	assert_no_mail
}

@test "a challenge of 12288 octets is read, one of 12292 is not" {
	start_auth_peer --auth CRAM-MD5 --fault 'auth#1:reply=334 \*12288{Q}'
	auth_account "auth cram-md5" "password $PASSWORD"
	send
	assert_exit 77
	refute_stderr "octets"
	start_auth_peer --auth CRAM-MD5 --fault 'auth#1:reply=334 \*12292{Q}'
	auth_account "auth cram-md5" "password $PASSWORD"
	send
	assert_exit 76
	assert_stderr "more than 12288 octets"
	assert_no_mail
}

@test "protocol 73: another question after PLAIN is not answered" {
	start_auth_peer --auth PLAIN --fault 'auth:reply=334 cGFzc3dvcmQ='
	auth_account "auth plain" "password $PASSWORD"
	send
	assert_exit 77
	assert_wire '*'
	assert_wire_count 1 AUTH
	assert_no_mail
	assert_hidden
}

@test "protocol 76: the reason in an OAUTHBEARER refusal is told, the token is not" {
	start_peer --tls starttls --make-cert "$CERTS" --password another --auth OAUTHBEARER
	auth_account "auth oauthbearer" "passwordeval echo $PASSWORD" "logfile $HOME/log"
	send --debug
	assert_exit 77
	assert_stderr "535 5.7.8 credentials are wrong (status 401)"
	assert_stderr "hint: access tokens "
	assert_no_mail
	sed -i '/^passwordeval/d' "$HOME/.mailcranerc"
	assert_hidden
}

@test "protocol 77: 535 is a refusal, and the password is not tried again" {
	start_auth_peer --auth "PLAIN LOGIN CRAM-MD5" --fault 'auth:reply=535 5.7.8 credentials are wrong'
	auth_account "auth on" "password $PASSWORD"
	send
	assert_exit 77
	assert_stderr "account default: localhost: AUTH was refused: 535 5.7.8 credentials are wrong"
	assert_stderr "hint: check 'user' and the password"
	assert_wire_count 1 AUTH
	assert_no_mail
	use_peer "$PEER_DIR"
	assert_summary connections 1
}

@test "protocol 78: 454 is temporary" {
	start_auth_peer --auth PLAIN --fault 'auth:reply=454 4.7.0 the directory is away'
	auth_account "auth on" "password $PASSWORD"
	send
	assert_exit 75
	assert_stderr "454 4.7.0 the directory is away"
	assert_no_mail
}

@test "control characters in a refusal are escaped" {
	start_auth_peer --auth PLAIN --fault 'auth:reply=535 5.7.8 \x1b[31mred\x07'
	auth_account "auth on" "password $PASSWORD"
	send
	assert_exit 77
	refute_stderr $'\e'
	refute_stderr $'\a'
	assert_stderr "red"
}

@test "providers' refusals get the hint that helps" {
	start_auth_peer --auth PLAIN --fault 'auth:reply=535 5.7.8 Username and Password not accepted. Learn more'
	auth_account "auth on" "password $PASSWORD"
	send
	assert_exit 77
	assert_stderr "hint: this provider wants an app password"
}

### Where the password comes from

@test "a password command's first line counts, and its standard input is empty: the message stays whole" {
	start_auth_peer --auth PLAIN
	auth_account "auth on" "passwordeval cat >$HOME/stolen; printf '%s\\nsecond line\\n' $PASSWORD"
	send
	assert_sent
	[ ! -s "$HOME/stolen" ]
	[ "$(body <"$(received 1)" | tr -d '\r')" = hello ]
}

@test "a password command does not read the standard input that the program leaves alone" {
	start_auth_peer --auth PLAIN
	auth_account "auth on" "passwordeval cat >$HOME/stolen; echo $PASSWORD"
	mkfifo "$HOME/fifo"
	exec 7<>"$HOME/fifo"
	echo "not for the command" >&7
	MAILCRANE_TIMEOUT=20 run_mailcrane --message="$HOME/message" alice@example.net <&7
	exec 7>&-
	assert_sent
	[ ! -s "$HOME/stolen" ]
}

@test "a password command may take its time" {
	start_auth_peer --auth PLAIN
	auth_account "auth on" "passwordeval sleep 1; echo $PASSWORD"
	send
	assert_sent
}

@test "protocol 79: a password command that prints nothing" {
	start_auth_peer --auth PLAIN
	auth_account "auth on" "passwordeval true"
	send
	assert_exit 78
	assert_stderr "account default: passwordeval: "
	assert_stderr "hint: run the passwordeval command of account 'default' by hand"
	refute_log_line connect
}

@test "protocol 79: a password command that fails, whatever it printed" {
	start_auth_peer --auth PLAIN
	auth_account "auth on" "passwordeval echo $PASSWORD; exit 3"
	send
	assert_exit 78
	assert_stderr "ended with exit status 3"
	refute_log_line connect
	[[ $stderr != *"$PASSWORD"* ]]
}

@test "protocol 79: a password command that does not exist" {
	start_auth_peer --auth PLAIN
	auth_account "auth on" "passwordeval no-such-command-$$"
	send
	assert_exit 78
	assert_stderr "no-such-command-$$"
	assert_stderr "127"
	refute_log_line connect
}

@test "protocol 79: a password command that prints 1 MiB" {
	start_auth_peer --auth PLAIN
	auth_account "auth on" "passwordeval head -c 1048576 /dev/zero | tr '\\0' a"
	send
	assert_exit 78
	assert_stderr "wrote more than"
	refute_log_line connect
}

@test "a password command is ended together with the program" {
	start_auth_peer --auth PLAIN
	auth_account "auth on" "passwordeval echo \$PPID \$\$ >$HOME/pids.new; mv $HOME/pids.new $HOME/pids; exec sleep 300"
	clean_environment "$MAILCRANE" --queue=off alice@example.net <"$HOME/message" >/dev/null 2>&1 3>&- 4>&- &
	wait_until 10 test -s "$HOME/pids"
	read -r program command <"$HOME/pids"
	kill "$program"
	gone() { ! is_running "$command"; }
	wait_until 10 gone
}

@test "a password is found in ~/.netrc by host and user" {
	start_auth_peer --auth PLAIN
	auth_account "auth on"
	(umask 077 && printf '%s\n' "machine localhost login other password wrong" \
		"machine example.test login joe password wrong" "machine localhost" "	login joe" "	password $PASSWORD" >"$HOME/.netrc")
	send
	assert_sent
}

@test "'password' comes before 'passwordeval', and that before ~/.netrc" {
	start_auth_peer --auth PLAIN
	(umask 077 && echo "machine localhost login joe password wrong" >"$HOME/.netrc")
	auth_account "auth on" "passwordeval touch $HOME/asked; echo wrong" "password $PASSWORD"
	send
	assert_sent
	[ ! -e "$HOME/asked" ]
	auth_account "auth on" "passwordeval echo $PASSWORD"
	send
	assert_exit 0
	assert_received 2
}

@test "a password in a file of its own, which may be a link that everybody can read" {
	start_auth_peer --auth PLAIN
	mkdir "$HOME/secret"
	printf '%s\nsecond line\n' "$PASSWORD" >"$HOME/secret/word"
	chmod 644 "$HOME/secret/word"
	ln -s secret/word "$HOME/link"
	auth_account "auth on" "password_file ~/link"
	send
	assert_sent
}

@test "a command without a shell" {
	start_auth_peer --auth PLAIN
	mkdir "$HOME/secret"
	echo "$PASSWORD" >"$HOME/secret/my word;\$HOME"
	auth_account "auth on" "passwordexec cat \"$HOME/secret/my word;\$HOME\""
	send
	assert_sent
}

@test "a credential of the service, also under the sendmail names" {
	start_auth_peer --auth PLAIN
	mkdir "$HOME/secret"
	echo "$PASSWORD" >"$HOME/secret/mailcrane.default.password"
	echo wrong >"$HOME/secret/mailcrane.password"
	auth_account "auth on"
	CLEAN_ENVIRONMENT=("CREDENTIALS_DIRECTORY=$HOME/secret")
	send
	assert_sent
	run_as sendmail alice@example.net <"$HOME/message"
	assert_exit 0
	assert_received 2
}

@test "the keyring is asked by its program, with msmtp's attributes" {
	start_auth_peer --auth PLAIN
	mkdir "$HOME/secret" "$HOME/programs"
	printf '[/org/1]\nlabel = mail\nsecret = %s\ncreated = 2000\n' "$PASSWORD" >"$HOME/secret/found"
	printf '#!/bin/sh\necho "$*" >"$HOME/asked"\ncat "$HOME/secret/found"\n' >"$HOME/programs/secret-tool"
	chmod +x "$HOME/programs/secret-tool"
	auth_account "auth on" "keyring on"
	CLEAN_ENVIRONMENT=("PATH=$HOME/programs:$PATH" DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere)
	run_as sendmail alice@example.net <"$HOME/message"
	assert_sent
	[ "$(cat "$HOME/asked")" = "search host localhost service smtp user joe" ]
	CLEAN_ENVIRONMENT=("PATH=$HOME/programs:$PATH")
	send
	assert_exit 69
	assert_stderr "keyring: there is no D-Bus session"
	assert_stderr "hint: "
}

@test "a ~/.netrc that others can read is refused, with the command that mends it" {
	setup_ordinary_user
	start_auth_peer --auth PLAIN
	auth_account "auth on"
	chown "$ORDINARY_UID" "$HOME/.mailcranerc"
	echo "machine localhost login joe password $PASSWORD" | write_ordinary_file "$HOME/.netrc" 644
	run_as_ordinary_user alice@example.net <"$HOME/message"
	assert_exit 78
	assert_stderr "$HOME/.netrc"
	assert_stderr "0644"
	assert_stderr "hint: chmod 600 $HOME/.netrc"
	chmod 600 "$HOME/.netrc"
	run_as_ordinary_user alice@example.net <"$HOME/message"
	assert_exit 0
}

@test "without a terminal nobody is asked, and the ways to give a password are told" {
	start_auth_peer --auth PLAIN
	auth_account "auth on"
	run --separate-stderr clean_environment timeout 20 setsid -w "$MAILCRANE" --queue=off alice@example.net <"$HOME/message" 3>&- 4>&-
	assert_exit 69
	assert_stderr "no password for joe at localhost"
	assert_stderr "passwordeval"
	assert_stderr ".netrc"
	refute_log_line connect
}

@test "an account without a user name is a fault of the configuration" {
	start_auth_peer --auth PLAIN
	auth_account "auth on" "password $PASSWORD"
	sed -i '/^user/d' "$HOME/.mailcranerc"
	send
	assert_exit 78
	assert_stderr "'user' is not set"
	refute_log_line connect
}

### The terminal

# Run mailcrane on a terminal of its own. What is written to fd 8 is typed; HOME/screen is what the terminal shows. After it
# the terminal's settings are shown.
start_on_terminal() {
	command -v script >/dev/null || skip "script is not installed"
	mkfifo "$HOME/keys"
	cat >"$HOME/terminal" <<-END
		trap : INT
		'$MAILCRANE' --queue=off alice@example.net <'$HOME/message'
		echo "status \$?"
		stty -a
		echo done
	END
	clean_environment script -qefc "sh $HOME/terminal" "$HOME/screen" <>"$HOME/keys" >/dev/null 2>&1 3>&- 4>&- &
	TERMINAL_PID=$!
	exec 8<>"$HOME/keys"
	wait_until 10 grep -qs 'password for joe at localhost: ' "$HOME/screen"
}

finish_on_terminal() {
	wait_until 10 grep -q '^done' "$HOME/screen"
	exec 8>&-
	kill "$TERMINAL_PID" 2>/dev/null || true
	grep -Eq '[; ]echo[; ]' "$HOME/screen" || fail_with "the echo stayed off" "$(cat "$HOME/screen")"
	! grep -q -- '-echo[; ]' "$HOME/screen" || fail_with "the echo stayed off" "$(cat "$HOME/screen")"
}

@test "on a terminal the password is asked for, and not shown" {
	start_auth_peer --auth PLAIN
	auth_account "auth on"
	start_on_terminal
	printf '%s\n' "$PASSWORD" >&8
	finish_on_terminal
	grep -q '^status 0' "$HOME/screen" || fail_with "it was not sent" "$(cat "$HOME/screen")"
	assert_received 1
	assert_hidden
}

@test "Ctrl-C at the question ends the program and leaves the terminal as it was" {
	start_auth_peer --auth PLAIN
	auth_account "auth on"
	start_on_terminal
	printf 'half\003' >&8
	finish_on_terminal
	grep -q '^status 130' "$HOME/screen" || fail_with "not ended by the signal" "$(cat "$HOME/screen")"
	refute_log_line connect
	assert_received 0
}

@test "an empty answer at the question is no password" {
	start_auth_peer --auth PLAIN
	auth_account "auth on"
	start_on_terminal
	printf '\n' >&8
	finish_on_terminal
	grep -q '^status 69' "$HOME/screen" || fail_with "69 expected" "$(cat "$HOME/screen")"
	refute_log_line connect
}

# Commands on a terminal of their own: those of HOME/commands; HOME/screen is what it shows.
run_on_terminal() {
	command -v script >/dev/null || skip "script is not installed"
	cat >"$HOME/commands"
	clean_environment script -qefc "sh $HOME/commands" "$HOME/screen" </dev/null >/dev/null 2>&1 3>&- 4>&- || true
}

# A command that tells whether it has a terminal, and the name of one.
terminal_teller() {
	printf '%s' "passwordeval { (: </dev/tty) 2>/dev/null && echo terminal || echo none; echo \"tty=\$GPG_TTY\"; } >>$HOME/told; " \
		"cat $HOME/secret/word"
	mkdir -p "$HOME/secret"
	echo "$PASSWORD" >"$HOME/secret/word"
}

@test "a password command has the terminal where somebody may be asked, and its name for gpg" {
	start_auth_peer --auth PLAIN
	auth_account "auth on" "$(terminal_teller)"
	run_on_terminal <<-END
		'$MAILCRANE' --queue=off alice@example.net <'$HOME/message'
	END
	grep -q '^terminal' "$HOME/told" && grep -q '^tty=/dev/' "$HOME/told" || fail_with "no terminal" "$(cat "$HOME/told")"
}

@test "under the sendmail names, in a flush and with --check it has none, and nobody is asked" {
	start_auth_peer --auth PLAIN
	auth_account "auth on" "$(terminal_teller)"
	mkdir "$HOME/programs"
	ln -s "$MAILCRANE" "$HOME/programs/sendmail"
	run_on_terminal <<-END
		GPG_TTY=/dev/pts/99
		export GPG_TTY
		'$HOME/programs/sendmail' alice@example.net <'$HOME/message'
		'$MAILCRANE' --queue=always alice@example.net <'$HOME/message'
		'$MAILCRANE' --flush
		'$MAILCRANE' --check
	END
	assert_received 2
	[ "$(grep -c '^none' "$HOME/told")" -eq 3 ] && [ "$(grep -c '^tty=$' "$HOME/told")" -eq 3 ] ||
		fail_with "a terminal" "$(cat "$HOME/told")"
	sed -i '/^passwordeval/d' "$HOME/.mailcranerc"
	run_on_terminal <<-END
		'$HOME/programs/sendmail' alice@example.net <'$HOME/message'
		'$MAILCRANE' --flush --force
		'$MAILCRANE' --check
	END
	! grep -q 'password for joe at localhost: ' "$HOME/screen" || fail_with "somebody was asked" "$(cat "$HOME/screen")"
	grep -q 'no password for joe at localhost' "$HOME/screen"
}

@test "neither has a command of eval" {
	start_auth_peer --auth PLAIN
	auth_account "eval { (: </dev/tty) 2>/dev/null && echo terminal || echo none; } >>$HOME/told; echo maildomain example.test"
	mkdir "$HOME/programs"
	ln -s "$MAILCRANE" "$HOME/programs/sendmail"
	run_on_terminal <<-END
		'$MAILCRANE' --print-config
		'$HOME/programs/sendmail' alice@example.net <'$HOME/message'
		'$MAILCRANE' --flush
	END
	[ "$(cat "$HOME/told")" = $'terminal\nnone\nnone' ] || fail_with "it is not so" "$(cat "$HOME/told")"
}

@test "a job in the background of the terminal does not ask" {
	start_auth_peer --auth PLAIN
	auth_account "auth on"
	run_on_terminal <<-END
		set -m
		'$MAILCRANE' --queue=off alice@example.net <'$HOME/message' &
		wait
	END
	grep -q 'no password for joe at localhost' "$HOME/screen" || fail_with "it has waited" "$(cat "$HOME/screen")"
}

### Where the password must not be

@test "protocol 80: no form of the password is in the output, the dialogue or the logs" {
	local method

	for method in plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 scram-sha-256-plus oauthbearer xoauth2; do
		start_auth_peer --auth "PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-256-PLUS OAUTHBEARER XOAUTH2"
		auth_account "auth $method" "password $PASSWORD" "logfile $HOME/log"
		send --debug
		assert_exit 0
		assert_stderr "C: AUTH ${method^^}"
		assert_hidden
	done
	[ "$(wc -l <"$HOME/log")" -eq 9 ]
}

@test "protocol 80: nor when the server refuses it, cuts the connection or says nothing" {
	local fault

	for fault in 'auth:reply=535 5.7.8 no' auth:close auth:stall; do
		start_auth_peer --auth PLAIN --fault "$fault"
		auth_account "auth plain" "password $PASSWORD" "logfile $HOME/log" "log_format json" "timeout 1"
		send --debug
		[ "$status" -ne 0 ]
		assert_hidden
	done
}

# Log in by METHOD in a first session, with TLS on or off and ARGS for the peer, and hold the program up in a second one: $held is where the password stands then.
find_after_login() {
	local method=$1 tls=$2 pid

	shift 2
	start_peer "$@" --password "$PASSWORD" --auth "${method^^}" --ehlo "LIMITS MAILMAX=1 RCPTMAX=1" --fault greet@conn=2:stall
	# No function: its shell would be the process, which knows the password.
	env -i PATH="$PATH" HOME="$HOME" "$MAILCRANE" --queue=off "--tls=$tls" --host=localhost --port="$PORT" --auth="$method" --user=joe \
		"--passwordeval=cat $HOME/secret/word" "--tls-trust-file=$CERTS/ca.pem" --auth-cleartext=loopback --from=joe@example.test \
		alice@example.net bob@example.net <"$HOME/message" >/dev/null 2>&1 3>&- 4>&- &
	pid=$!
	wait_until 10 grep -q ' stall$' "$PEER_LOG"
	assert_log_line '\* authenticated joe'
	held=$(python3 "$SRCDIR/tests/lib/memory.py" "$pid" "$PASSWORD")
	kill "$pid"
	wait || true
}

@test "after a login the memory of the program has one copy of the password, and none in base64" {
	local method methods=(plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 oauthbearer xoauth2)

	[ "$(id -u)" -eq 0 ] || skip "only root can look into the program"
	command -v python3 >/dev/null || skip "python3 is not installed"
	! nm "$MAILCRANE" | grep -q ' __asan_init$' || skip "the sanitizer keeps what is freed"
	mkdir "$HOME/secret"
	echo "$PASSWORD" >"$HOME/secret/word"
	make_certificates "$CERTS"
	for method in "${methods[@]}"; do
		find_after_login "$method" off --auth-in-clear
		[[ $held =~ ^clear\ [^$'\n']*$ ]] || fail_with "after $method in the clear:" "$held"
	done
	for method in "${methods[@]}" scram-sha-256-plus; do
		find_after_login "$method" on --tls starttls --cert "$CERTS/cert.pem" --key "$CERTS/key.pem"
		[[ $held =~ ^clear\ [^$'\n']*$ ]] || fail_with "after $method under TLS:" "$held"
	done
}

@test "--pretend, --print-config, --version and --serverinfo do not show passwords" {
	local mode

	start_auth_peer --auth PLAIN
	auth_account "auth on" "password $PASSWORD" "proxy_password $PASSWORD"
	for mode in --pretend --print-config --version; do
		run_mailcrane "$mode" </dev/null
		assert_exit 0
		assert_hidden
	done
	sed -i '/^proxy/d' "$HOME/.mailcranerc"
	run_mailcrane --serverinfo --debug
	assert_exit 0
	assert_hidden
	refute_wire_like '^AUTH'
}

@test "a PIN in the URI of a key is a secret: it is not shown, and no argument" {
	local uri="pkcs11:token=mc;object=key?module-name=x&pin-value=$PASSWORD"

	start_auth_peer --auth PLAIN
	auth_account "tls_key_file $uri&x=y" "tls_cert_file $HOME/cert.pem"
	for mode in --pretend --print-config; do
		run_mailcrane "$mode" </dev/null
		assert_exit 0
		assert_hidden
		assert_stdout "pkcs11:token=mc;object=key?module-name=x&pin-value=*&x=y"
	done
	run_mailcrane --print-config --tls-key-file="$uri" </dev/null
	assert_exit 64
	assert_stderr "no PIN can stand in --tls-key-file"
	assert_stderr "hint: put 'tls_key_file' into the configuration file (mode 0600)"
	assert_hidden
}

@test "a fault in the line of a password does not show it" {
	start_auth_peer --auth PLAIN
	auth_account "passwort $PASSWORD"
	send
	assert_exit 78
	assert_stderr ".mailcranerc:7:"
	assert_stderr "password"
	assert_hidden
	auth_account "auth on" "password \"$PASSWORD"
	send
	assert_hidden
}

@test "the password of the account is not in the environment or command line of its children" {
	start_auth_peer --auth PLAIN
	auth_account "auth on" "proxy_password $PASSWORD" \
		"passwordeval env >$HOME/environment; tr '\\0' ' ' </proc/\$PPID/cmdline >$HOME/cmdline; ls -l /proc/self/fd >$HOME/fds; cat $HOME/secret/word"
	mkdir "$HOME/secret"
	echo "$PASSWORD" >"$HOME/secret/word"
	send
	assert_sent
	[ -s "$HOME/environment" ] && [ -s "$HOME/cmdline" ]
	assert_hidden
	# Nothing of ours is open in the child: its three, and the folder that ls reads.
	[ "$(grep -c -- '->' "$HOME/fds")" -eq 4 ] || fail_with "descriptors were inherited" "$(cat "$HOME/fds")"
}

@test "while it runs, the password is not in its command line or environment" {
	local pid

	start_auth_peer --auth PLAIN --fault mail:stall --ehlo ""
	auth_account "auth on" "passwordeval echo \$PPID >$HOME/pid; cat $HOME/secret/word" "timeout 20"
	mkdir "$HOME/secret"
	echo "$PASSWORD" >"$HOME/secret/word"
	clean_environment "$MAILCRANE" --queue=off alice@example.net <"$HOME/message" >/dev/null 2>&1 3>&- 4>&- &
	wait_until 10 grep -q 'C: MAIL' "$PEER_LOG"
	pid=$(cat "$HOME/pid")
	tr '\0' '\n' <"/proc/$pid/cmdline" >"$HOME/cmdline"
	# Who is not root may not read it: so much the better.
	(tr '\0' '\n' <"/proc/$pid/environ" >"$HOME/environment") 2>/dev/null || [ "$(id -u)" -ne 0 ]
	kill "$pid"
	wait || true
	grep -q alice "$HOME/cmdline"
	assert_hidden
}

@test "while it runs, other programs of the same user cannot look into it, and no core is written" {
	local pid

	setup_ordinary_user
	start_auth_peer --auth PLAIN --fault mail:stall --ehlo ""
	auth_account "auth on" "password $PASSWORD" "timeout 20"
	chown "$ORDINARY_UID" "$HOME/.mailcranerc"
	as_ordinary_user "$BATS_TEST_TMPDIR/bin/mailcrane" alice@example.net <"$HOME/message" >/dev/null 2>&1 3>&- 4>&- &
	wait_until 10 grep -q 'C: MAIL' "$PEER_LOG"
	pid=$(pgrep -u "$ORDINARY_UID" -f "^$BATS_TEST_TMPDIR/bin/mailcrane")
	run as_ordinary_user cat "/proc/$pid/environ"
	[ "$status" -ne 0 ] || fail_with "its environment can be read"
	run as_ordinary_user ls "/proc/$pid/fd"
	[ "$status" -ne 0 ] || fail_with "its descriptors can be seen"
	grep -Eq '^Max core file size +0 +0 ' "/proc/$pid/limits"
	kill -ABRT "$pid"
	wait || true
	[ -z "$(find "$BATS_TEST_TMPDIR" . -maxdepth 1 -name 'core*')" ]
}
