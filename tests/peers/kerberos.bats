# kerberos.bats - GSSAPI with MIT's KDC, Dovecot and Postfix: no password anywhere, a ticket is enough, and needed.
# namespace: postfix dovecot openssl ip krb5kdc kinit

load ../lib/common
load ../lib/relay
load_relay
load ../lib/kerberos

setup_file() {
	namespace_require
	kerberos_start
	DOVECOT_SETTINGS="
		auth_mechanisms = plain gssapi
		auth_username_format = %Ln
		auth_krb5_keytab = $RIG/kerberos/keytab
		auth_gssapi_hostname = \"\$ALL\"
		import_environment = KRB5_CONFIG=$RIG/kerberos/krb5.conf"
	dovecot_start
	postfix_start
}

setup() {
	relay_reset
	kerberos_forget
	CLEAN_ENVIRONMENT=(KRB5_CONFIG="$KRB5_CONFIG")
	relay_message <<<"hello" >"$HOME/message"
}

teardown() {
	relay_show_logs
}

teardown_file() {
	[ -z "${MAILCRANE_NAMESPACE:-}" ] || { postfix_stop && dovecot_stop && kerberos_stop; }
}

# The account at PORT, by GSSAPI and without a password.
gssapi_account() {
	local port=$1

	shift
	relay_config "$port" "tls on" "tls_trust_file $RIG/tls/ca.pem" "auth gssapi" "$@"
}

@test "GSSAPI: with a ticket the message goes through Dovecot and Postfix" {
	local port

	for port in 587 1587; do
		relay_reset
		kerberos_ticket joe
		gssapi_account "$port"
		relay_message <<<"at $port" >"$HOME/message"
		assert_sends "$HOME/message"
		klist | grep -q smtp/localhost@EXAMPLE.TEST
		if [ "$port" -eq 587 ]; then
			assert_postfix_log 'sasl_method=GSSAPI, sasl_username=joe'
		else
			wait_until 10 eval 'dovecot_log | grep -q "Login: user=<joe>, method=GSSAPI"'
		fi
	done
}

@test "GSSAPI is as good as 'auth_min scram', and not as 'auth_min scram-plus'" {
	kerberos_ticket joe
	gssapi_account 587 "auth_min scram"
	assert_sends "$HOME/message"
	gssapi_account 587 "auth_min scram-plus"
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 69
	assert_stderr "cannot use GSSAPI: it is below 'auth_min scram-plus'; the server offers "
	assert_mailbox alice@example.test 1
}

@test "GSSAPI: without a ticket nothing is sent, and the hint names klist and kinit" {
	local port

	for port in 587 1587; do
		relay_reset
		gssapi_account "$port"
		run_mailcrane alice@example.test <"$HOME/message"
		assert_exit 69
		assert_stderr "GSSAPI: there is no usable ticket for smtp at localhost"
		assert_stderr "hint: check with klist"
		assert_stderr kinit
		assert_mailbox alice@example.test 0
	done
}

@test "GSSAPI: an outdated ticket is none" {
	kinit -l 1s joe <<<"$KERBEROS_PASSWORD" >/dev/null
	sleep 2
	gssapi_account 587
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 69
	assert_stderr "GSSAPI: there is no usable ticket for smtp at localhost"
	assert_mailbox alice@example.test 0
}

@test "GSSAPI: the ticket of somebody who has no mail there does not get in" {
	kerberos_ticket mallory
	gssapi_account 1587
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 75
	assert_stderr "the server closed the connection (AUTH)"
	assert_mailbox alice@example.test 0
}

@test "GSSAPI: a server that has not got the key of its service is refused by 77" {
	kerberos_ticket joe
	kvno smtp/localhost >/dev/null
	kadmin.local -q "cpw -randkey smtp/localhost" >/dev/null 2>&1
	rm -f "$RIG/kerberos/ticket"
	kerberos_ticket joe
	gssapi_account 587
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 77
	assert_stderr "AUTH was refused: 535"
	assert_mailbox alice@example.test 0
}
