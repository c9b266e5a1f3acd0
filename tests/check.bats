# check.bats - --check: what is right and wrong with a configuration, and with a server.

# shellcheck disable=SC2154,SC2034 # $stderr is set by run, CLEAN_ENVIRONMENT read by the library

load lib/common
load lib/user

PASSWORD='Ch3cked-And_Found+Good'

setup() {
	setup_home
	register_secret "$PASSWORD"
	CERTS=$BATS_TEST_TMPDIR/certs
	QUEUE=
}

teardown() {
	stop_peer
}

start_auth_peer() {
	start_peer --tls starttls --make-cert "$CERTS" --password "$PASSWORD" --auth PLAIN
}

# An account at the peer; the arguments are further lines.
account() {
	{
		printf 'account work\nhost localhost\nport %s\ntls on\ntls_trust_file %s\n' "$PORT" "$CERTS/ca.pem"
		printf 'from joe@example.test\nauth on\nuser joe\n'
		printf '%s\n' "$@"
	} | write_config
}

# The line of the report about CHECK has RESULT and TEXT: assert_check secret ok "22 bytes".
assert_check() {
	grep -Eq "^  $2 +$1 .*" <<<"$output" || fail_with "$1 is not '$2'"
	grep -E "^  $2 +$1 " <<<"$output" | grep -qF -- "$3" || fail_with "$1 is not: $3"
}

@test "all is right: 0, and a line about each thing" {
	start_auth_peer
	account "password $PASSWORD"
	run_mailcrane --check
	assert_exit 0
	[ -z "$stderr" ]
	assert_stdout "account work ($HOME/.mailcranerc:1)"
	assert_check file ok "$HOME/.mailcranerc: read, mode 0600"
	assert_check settings ok "localhost port $PORT, STARTTLS, login as joe"
	assert_check tls_trust_file ok "can be read"
	assert_check secret ok "${#PASSWORD} bytes, from password"
	[[ $output != *wrong* && $output != *server* ]]
	refute_log_line connect
}

@test "=server connects, starts TLS, logs in and sends nothing" {
	start_auth_peer
	account "password $PASSWORD"
	run_mailcrane --check=server
	assert_exit 0
	assert_check server ok "answers, with TLS1.3, and accepts the login of joe"
	assert_log_line '\* authenticated joe'
	refute_wire_like '^(MAIL|RCPT|DATA|BDAT)'
	assert_wire QUIT
	assert_no_violation
}

@test "=server tells what the server said, and the status is that of the fault" {
	start_peer --tls starttls --make-cert "$CERTS" --password another-password --auth PLAIN
	account "password $PASSWORD"
	run_mailcrane --check=server
	assert_exit 77
	assert_check server wrong "535 5.7.8"
	sed -i '/tls_trust_file/d' "$HOME/.mailcranerc"
	run_mailcrane --check=server
	assert_exit 69
	assert_check server wrong "certificate"
	stop_peer
	run_mailcrane --check=server
	assert_check server wrong "localhost: "
	[ "$status" -ne 0 ]
}

@test "each account is checked, or the one of -a; the status is the worst" {
	start_auth_peer
	account "passwordeval echo $PASSWORD" "account bad" "host h.example.test" "tls_cert_file /no/such/cert" \
		"account worse" "protocol lmtp" "host h.example.test"
	run_mailcrane --check
	[ "$status" -ne 0 ]
	assert_stdout "account work"
	assert_check secret ok "from passwordeval"
	assert_stdout "account bad"
	assert_check settings wrong "tls_cert_file requires tls_key_file"
	assert_stdout "account worse"
	assert_check settings wrong "port not set"
	assert_stdout "hint: "
	run_mailcrane --check -a work
	assert_exit 0
	[[ $output != *"account bad"* ]]
	run_mailcrane --check -a none
	assert_exit 78
	assert_stdout "account none"
}

@test "files that cannot be read, and a key that others can read" {
	start_auth_peer
	account "password $PASSWORD" "tls_cert_file $CERTS/client.pem" "tls_key_file $CERTS/client-key.pem" "aliases $HOME/none"
	make_certificates "$CERTS"
	chmod 644 "$CERTS/client-key.pem"
	run_mailcrane --check
	assert_exit 66
	assert_check tls_cert_file ok "can be read"
	assert_check tls_key_file note "mode 0644"
	assert_check aliases wrong "No such file"
}

@test "a secret that cannot be had is told, and nobody is asked" {
	start_auth_peer
	account "passwordeval echo $PASSWORD; exit 3"
	run_mailcrane --check=server
	assert_exit 78
	assert_check secret wrong "exit status 3"
	assert_check server note "not asked"
	account
	run_mailcrane --check
	assert_exit 69
	assert_check secret wrong "no password for joe at localhost"
	refute_log_line connect
}

@test "a configuration with a mistake, or that may not be read" {
	write_config <<-END
		host h
		hots x
	END
	run_mailcrane --check
	assert_exit 78
	assert_stdout ".mailcranerc:2:1: unknown command 'hots' (did you mean 'host'?)"
	setup_ordinary_user
	printf 'host h\nauth on\nuser joe\npassword %s\n' "$PASSWORD" | write_ordinary_file "$HOME/.mailcranerc" 644
	QUEUE='' run_as_ordinary_user --check
	assert_exit 78
	assert_stdout "hint: chmod 600 $HOME/.mailcranerc"
	chown 0 "$HOME/.mailcranerc"
	chmod 600 "$HOME/.mailcranerc"
	QUEUE='' run_as_ordinary_user --check
	assert_exit 78
	assert_check file wrong "Permission denied: uid $ORDINARY_UID may not read it: owner 0, mode 0600"
}

@test "--json says the same to programs" {
	start_auth_peer
	account "password $PASSWORD" "aliases $HOME/none"
	run_mailcrane --check=server --json
	assert_exit 66
	python3 - "$output" <<-'END'
		import json, sys
		report = json.loads(sys.argv[1])
		assert report["schema"] == "mailcrane.check/1" and report["exit_code"] == 66
		assert any(c["result"] == "ok" and ".mailcranerc" in c["text"] for c in report["configuration"])
		account, = report["accounts"]
		assert account["account"] == "work" and account["origin"].endswith(".mailcranerc:1")
		checks = {c["check"]: c for c in account["checks"]}
		assert checks["secret"]["result"] == "ok" and checks["server"]["result"] == "ok"
		assert checks["aliases"]["result"] == "wrong" and checks["aliases"]["hint"] is None
	END
}

@test "the account of a URL" {
	start_auth_peer
	CLEAN_ENVIRONMENT=("MAILCRANE_URL=smtp+tls://joe@localhost:$PORT" "MAILCRANE_PASSWORD=$PASSWORD" "MAILCRANE_TLS_TRUST_FILE=$CERTS/ca.pem")
	run_mailcrane --check=server
	assert_exit 0
	assert_stdout "account default (environment)"
	assert_check secret ok "${#PASSWORD} bytes, from password"
	assert_check server ok "accepts the login"
}

@test "under the sendmail names there is no --check" {
	run_as sendmail --check </dev/null
	assert_exit 64
}
