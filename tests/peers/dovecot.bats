# dovecot.bats - sending through Dovecot's submission service (which relays to Postfix) and delivering to its LMTP service.
# namespace: postfix dovecot openssl ip

load ../lib/common
load ../lib/relay
load_relay

setup_file() {
	namespace_require
	dovecot_start
	postfix_start
}

setup() {
	relay_reset
}

teardown() {
	relay_show_logs
}

teardown_file() {
	[ -z "${MAILCRANE_NAMESPACE:-}" ] || { postfix_stop && dovecot_stop; }
}

# Submission on 1587 with MECHANISM.
submit_with() {
	relay_account 1587 "$1"
	relay_message <<<"hello" >"$HOME/message"
	assert_sends "$HOME/message"
	wait_until 10 eval 'dovecot_log | grep -q "Login: user=<joe>, method='"${1^^}"'"'
}

@test "submission with STARTTLS and PLAIN, with odd characters in the password" {
	submit_with plain
}

@test "submission with LOGIN" {
	submit_with login
}

@test "submission with CRAM-MD5" {
	submit_with cram-md5
}

@test "submission with SCRAM-SHA-1" {
	submit_with scram-sha-1
}

@test "protocol 74: submission with SCRAM-SHA-256 over TLS without channel binding" {
	submit_with scram-sha-256
}

@test "submission with implicit TLS on 1465" {
	relay_account 1465 plain "tls_starttls off"
	relay_message <<<"hello" >"$HOME/message"
	assert_sends "$HOME/message"
}

@test "submission of 1 MiB, dots and 8-bit text arrives byte for byte" {
	relay_account 1587 plain
	awk 'BEGIN { for (n = 0; n < 13618; n++) printf "%s%075d\n", n % 7 ? "\303\274" : ".", n }' | relay_message >"$HOME/message"
	assert_sends "$HOME/message"
}

@test "protocol 77: a wrong password ends with 77 and nothing is delivered" {
	RELAY_PASSWORD=wrong-password relay_account 1587 scram-sha-256
	relay_message <<<"hello" >"$HOME/message"
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 77
	assert_stderr 535
	assert_mailbox alice@example.test 0
	assert_no_secret wrong-password
}

@test "LMTP over TCP delivers" {
	relay_config 2003 "protocol lmtp"
	printf '.dot\n\nGr\303\274\303\237e\n' | relay_message >"$HOME/message"
	assert_sends "$HOME/message"
}

@test "LMTP over a unix socket delivers" {
	write_config <<-END
		protocol lmtp
		socket $DOVECOT_LMTP_SOCKET
		from joe@example.test
	END
	printf '.dot\n\nhello\n' | relay_message >"$HOME/message"
	assert_sends "$HOME/message"
}

@test "LMTP: an unknown recipient ends with 67 and the known one gets the message" {
	relay_config 2003 "protocol lmtp"
	relay_message <<<"hello" >"$HOME/message"
	run_mailcrane alice@example.test nobody@example.test <"$HOME/message"
	assert_exit 67
	assert_stderr nobody@example.test
	assert_stderr 550
	refute_stderr alice@example.test
	assert_delivered alice@example.test "$HOME/message"
}

@test "LMTP over a unix socket: the same, with both sides of the bad one" {
	write_config <<-END
		protocol lmtp
		socket $DOVECOT_LMTP_SOCKET
		from joe@example.test
	END
	relay_message <<<"hello" >"$HOME/message"
	run_mailcrane alice@example.test nobody@example.test bob@example.test <"$HOME/message"
	assert_exit 67
	assert_stderr nobody@example.test
	assert_delivered alice@example.test "$HOME/message"
	assert_delivered bob@example.test "$HOME/message"
}

@test "--serverinfo lists what the submission service offers" {
	run_mailcrane --serverinfo --host=localhost --port=1587 --tls=on "--tls-trust-file=$RIG/tls/ca.pem" </dev/null
	assert_exit 0
	assert_stdout SCRAM-SHA-256
	assert_stdout CHUNKING
}
