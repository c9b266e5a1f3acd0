# exim.bats - EXTERNAL with a real Exim: the client's certificate is the login.
# namespace: exim openssl ip
# unpacked: exim

load ../lib/common

# shellcheck disable=SC1091 # found at run time
setup_file() {
	. "$SRCDIR/tests/lib/namespace.bash"
	. "$SRCDIR/tests/lib/certificate.bash"
	. "$SRCDIR/tests/lib/exim.bash"
	namespace_require
	certificate_make "$RIG/tls"
	exim_client_certificate "$RIG/tls" joe joe@example.test
	exim_client_certificate "$RIG/tls" mallory mallory@example.test
	exim_client_certificate "$RIG/tls" stranger joe@example.test other-ca
	exim_start
}

setup() {
	# shellcheck disable=SC1091 # found at run time
	. "$SRCDIR/tests/lib/exim.bash"
	setup_home
	rm -rf "${RIG:?}/mail/"*
	EXIM_LOG_START=$(($(wc -l <"$RIG/exim/mainlog") + 1))
	printf 'From: joe@example.test\nTo: alice@example.test\nSubject: s\n\nhello, Exim\n' >"$HOME/message"
}

teardown() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] || exim_show_log
}

teardown_file() {
	# shellcheck disable=SC1091 # found at run time
	. "$SRCDIR/tests/lib/exim.bash"
	[ -z "${MAILCRANE_NAMESPACE:-}" ] || exim_stop
}

# The account at PORT with the certificate of NAME ("" for none); further lines come from the arguments.
external_account() {
	local port=$1 name=$2

	shift 2
	{
		printf 'host localhost\nport %s\nfrom joe@example.test\ntls on\ntls_trust_file %s\nauth external\n' "$port" "$RIG/tls/ca.pem"
		[ "$port" -ne 465 ] || echo tls_starttls off
		[ -z "$name" ] || printf 'tls_cert_file %s\ntls_key_file %s\n' "$RIG/tls/$name.pem" "$RIG/tls/$name-key.pem"
		printf '%s\n' "$@"
	} | write_config
}

exim_log() {
	tail -n "+$EXIM_LOG_START" "$RIG/exim/mainlog"
}

mailbox() {
	find "$RIG/mail/$1/new" -type f 2>/dev/null
}

is_in_mailbox() {
	[ "$(mailbox "$1" | wc -l)" -eq "$2" ]
}

assert_refused() {
	assert_exit "$1"
	[ -z "$(mailbox alice@example.test)" ] || fail_with "a message arrived"
	! exim_log | grep -q '<= ' || fail_with "Exim took a message"
}

@test "EXTERNAL with 'user': the message arrives at 587 and 465, and Exim knows who sent it" {
	local port n=0

	for port in 587 465; do
		external_account "$port" joe "user joe@example.test"
		run_mailcrane alice@example.test <"$HOME/message"
		assert_exit 0
		assert_silent
		n=$((n + 1))
		wait_until 10 is_in_mailbox alice@example.test "$n"
	done
	grep -q '^hello, Exim' "$(mailbox alice@example.test | head -n 1)"
	[ "$(exim_log | grep -c '<= joe@example.test .* A=external:joe@example.test')" -eq 2 ] || fail_with "nobody logged in" "$(exim_log)"
}

@test "EXTERNAL without 'user': the certificate alone tells who it is" {
	external_account 587 joe
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 0
	wait_until 10 is_in_mailbox alice@example.test 1
	exim_log | grep -q '<= joe@example.test .* A=external:joe@example.test' || fail_with "nobody logged in" "$(exim_log)"
}

@test "EXTERNAL satisfies 'auth_min scram-plus'" {
	external_account 587 joe "auth_min scram-plus"
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 0
	wait_until 10 is_in_mailbox alice@example.test 1
}

@test "EXTERNAL: a certificate of somebody else ends with 77" {
	external_account 587 mallory "user joe@example.test"
	run_mailcrane alice@example.test <"$HOME/message"
	assert_refused 77
	assert_stderr "AUTH was refused: 535"
}

@test "EXTERNAL: a certificate of an authority that Exim does not trust, or none, is offered no login" {
	local name

	for name in stranger ''; do
		external_account 587 "$name" "user joe@example.test"
		run_mailcrane alice@example.test <"$HOME/message"
		assert_refused 69
		assert_stderr AUTH
	done
}
