# namespace: softhsm2-util
# pkcs11.bats - a client certificate whose key is on a token (SoftHSM), in a private machine.

# shellcheck disable=SC2154,SC2034 # $stderr is set by run, CLEAN_ENVIRONMENT read by the library

load lib/common

setup_file() {
	# shellcheck disable=SC1091 # found at run time
	. "$SRCDIR/tests/lib/namespace.bash"
	namespace_require
}

setup() {
	setup_home
	CERTS=$BATS_TEST_TMPDIR/certs
	printf 'From: joe@example.test\nSubject: s\n\nhello\n' >"$HOME/message"
	for program in p11tool certtool; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
	make_certificates "$CERTS"
	make_token
	start_peer --tls starttls --cert "$CERTS/cert.pem" --key "$CERTS/key.pem" --client-ca "$CERTS/ca.pem" --auth EXTERNAL
}

teardown() {
	stop_peer
}

# From now on every call of the token's module is written to stderr.
log_calls() {
	printf 'module: /usr/lib/softhsm/libsofthsm2.so\nlog-calls: yes\n' >/etc/pkcs11/modules/softhsm2.module
}

# As send, with calls logged: they have NULs, which the shell cannot keep.
send_logged() {
	log_calls
	status=0
	output=
	clean_environment timeout 50 "$MAILCRANE" --queue=off alice@example.net <"$HOME/message" 2>"$HOME/stderr" 3>&- 4>&- || status=$?
	stderr=$(tr -d '\0' <"$HOME/stderr" | grep -a -e '^mailcrane' -e '^C_Login$' -e '^C_Initialize$')
}

# A token called mc with PIN 1234, which has the client's key and certificate.
make_token() {
	mkdir -p "$BATS_TEST_TMPDIR/tokens"
	cat >"$BATS_TEST_TMPDIR/softhsm2.conf" <<-END_OF_FILE
		directories.tokendir = $BATS_TEST_TMPDIR/tokens
		objectstore.backend = file
		log.level = ERROR
	END_OF_FILE
	export SOFTHSM2_CONF=$BATS_TEST_TMPDIR/softhsm2.conf
	CLEAN_ENVIRONMENT=(SOFTHSM2_CONF="$SOFTHSM2_CONF")
	mkdir -p /etc/pkcs11/modules
	printf 'module: /usr/lib/softhsm/libsofthsm2.so\n' >/etc/pkcs11/modules/softhsm2.module
	softhsm2-util --init-token --free --label mc --pin 1234 --so-pin 5678 >/dev/null
	GNUTLS_PIN=1234 p11tool --login --write --load-privkey "$CERTS/client-key.pem" --label clikey --id 01 'pkcs11:token=mc' \
		>"$BATS_TEST_TMPDIR/p11tool" 2>&1 &&
		GNUTLS_PIN=1234 p11tool --login --write --load-certificate "$CERTS/client.pem" --label clicert --id 01 'pkcs11:token=mc' \
			>>"$BATS_TEST_TMPDIR/p11tool" 2>&1 || fail_with "the token was not filled" "$(cat "$BATS_TEST_TMPDIR/p11tool")"
}

# joe's account, who logs in by the certificate of the token.
token_account() {
	{
		printf 'host localhost\nport %s\ntls on\ntls_trust_file %s\nfrom joe@example.test\nauth external\n' "$PORT" "$CERTS/ca.pem"
		printf 'tls_cert_file pkcs11:token=mc;object=clicert;type=cert\n'
		printf 'tls_key_file %s\n' "${KEY:-pkcs11:token=mc;object=clikey;type=private}"
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} | write_config
}

send() {
	run_mailcrane alice@example.net <"$HOME/message"
}

assert_nothing_said() {
	refute_wire_like '^(MAIL|RCPT|AUTH|DATA|BDAT)' && assert_received 0
}

@test "key and certificate on a token log in by EXTERNAL" {
	token_account "tls_key_password 1234"
	send
	assert_exit 0
	assert_silent
	assert_log_line '\* authenticated joe'
	assert_received 1
}

@test "the key may be on the token and the certificate in a file" {
	token_account "tls_key_password 1234" "tls_cert_file $CERTS/client.pem"
	send
	assert_exit 0
	assert_log_line '\* authenticated joe'
}

@test "the PIN may stand in the URI" {
	KEY='pkcs11:token=mc;object=clikey;type=private?pin-value=1234' token_account
	send
	assert_exit 0
	assert_silent
	assert_log_line '\* authenticated joe'
}

@test "a wrong PIN in the URI is given once only, and not shown" {
	KEY='pkcs11:token=mc;object=clikey;type=private?pin-value=9999' token_account
	send_logged
	assert_exit 78
	assert_stderr "tls_key_file pkcs11:token=mc;object=clikey;type=private: the PIN of its token was refused"
	[ "$(grep -c '^C_Login' <<<"$stderr")" -eq 1 ] || fail_with "it was given more or less than once"
	refute_stderr 9999
	assert_nothing_said
}

@test "a wrong PIN is given once only, and told" {
	token_account "tls_key_password 9999"
	send_logged
	assert_exit 78
	assert_stderr "the PIN of its token was refused"
	assert_stderr "hint: set 'tls_key_password' to the PIN of its token"
	[ "$(grep -c '^C_Login' <<<"$stderr")" -eq 1 ] || fail_with "it was given more or less than once"
	refute_stderr 9999
	assert_nothing_said
}

@test "with the queue on, a wrong PIN puts the account on hold, and a flush does not give it again" {
	token_account "tls_key_password 9999" "logfile $HOME/log"
	QUEUE=
	send
	assert_exit 0
	grep -q "is on hold.*the PIN of its token was refused" "$HOME/log" || fail_with "it is not on hold" "$(cat "$HOME/log")"
	run_mailcrane --flush
	assert_exit 0
	assert_wire_count 1 STARTTLS
	assert_nothing_said
}

@test "the password of the account is not the PIN" {
	token_account "user joe" "password 1234"
	send_logged
	assert_exit 78
	assert_stderr "wants the PIN of its token, and there is no tls_key_password"
	[[ $stderr == *C_Initialize* ]] || fail_with "no call was logged"
	refute_stderr C_Login
	assert_nothing_said
}

@test "a key that is not on the token is a fault of the configuration" {
	KEY='pkcs11:token=mc;object=nothing;type=private' token_account "tls_key_password 1234"
	send
	assert_exit 78
	assert_stderr "tls_key_file pkcs11:token=mc;object=nothing"
	assert_nothing_said
}

@test "a token that is not there is a fault of the configuration" {
	KEY='pkcs11:token=other;object=clikey;type=private' token_account "tls_key_password 1234"
	send
	assert_exit 78
	assert_stderr "tls_key_file pkcs11:token=other"
	assert_nothing_said
}

@test "without a client certificate no module is loaded" {
	log_calls
	write_config <<-END_OF_FILE
		host localhost
		port $PORT
		tls on
		tls_trust_file $CERTS/ca.pem
		from joe@example.test
	END_OF_FILE
	send
	assert_exit 0
	assert_silent
}
