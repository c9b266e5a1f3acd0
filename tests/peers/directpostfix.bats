# directpostfix.bats - mail straight to a real Postfix that is the MX host of signed domains.
# namespace: postfix nsd unbound ldns-signzone drill openssl ip

# shellcheck disable=SC2154 # run_mailcrane sets status, output and stderr

load ../lib/common
load ../lib/certificate
load ../lib/hosts
load ../lib/namespace
load ../lib/postfix
load ../lib/zone

POSTFIX_HOST=1
POSTFIX_DOMAIN=ee.mc

setup_file() {
	namespace_require
	certificate_make "$RIG/tls"
	hosts_start 1
	ZONE_ADDRESSES=("$(hosts_address 1)" "$(hosts_address 1)" "$(hosts_address 1)" "$(hosts_address 1)")
	ZONE_LEAF=$RIG/tls/cert.pem ZONE_CA=$RIG/tls/ca.pem
	zone_start
	[ ! -s "$HOSTS_FOLDER/reason" ] || return 0
	postfix_start
	# The same users at a domain with a wrong record.
	postconf -c "$RIG/postfix/config" -e "virtual_mailbox_domains=ee.mc wrong.mc"
	printf 'alice@wrong.mc alice@wrong.mc/\n' >>"$RIG/postfix/config/mailboxes"
	postfix_run reload 3>&- 4>&-
}

setup() {
	hosts_require
	rm -rf "$RIG/mail/"*
	: >"$RIG/postfix.log"
	write_config <<-END
		account direct
		delivery direct
		from joe@a-only.mc
		domain client.mc
		dns_server $ZONE_SERVER
		dns_trust_anchor $ZONE_ANCHOR
		timeout 20
	END
	printf 'Subject: s\n\nhello\n' >"$HOME/message"
}

teardown() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] || postfix_show_log
}

teardown_file() {
	[ -z "${MAILCRANE_NAMESPACE:-}" ] || { postfix_stop && zone_stop && hosts_stop; }
}

mails_of() {
	find "$RIG/mail/$1/new" -type f 2>/dev/null | wc -l
}

@test "Postfix at the MX takes mail for a domain with DANE, by verified TLS, for both recipients at once" {
	run_mailcrane --debug alice@ee.mc bob@ee.mc <"$HOME/message"
	assert_exit 0
	postfix_wait_delivered
	[ "$(mails_of alice@ee.mc)" -eq 1 ] && [ "$(mails_of bob@ee.mc)" -eq 1 ] || fail_with "not delivered"
	grep -q 'verified by dane' <<<"$stderr" || fail_with "not verified by DANE"
	grep -q 'TLS connection established from' "$RIG/postfix.log" || fail_with "Postfix saw no TLS"
	grep -Eq 'ehlo=2 starttls=1 mail=1 rcpt=2 (data|bdat)=1 quit=1' "$RIG/postfix.log" || fail_with "another conversation"
}

@test "with a wrong TLSA record it is deferred with a text that says so, and nothing is sent" {
	run_mailcrane alice@wrong.mc <"$HOME/message"
	assert_exit 75
	grep -q 'the certificate matches none of the TLSA records of mx.wrong.mc' <<<"$stderr" || fail_with "it is not said why"
	grep -q 'hint: ' <<<"$stderr" || fail_with "there is no hint"
	[ "$(mails_of alice@wrong.mc)" -eq 0 ] || fail_with "it was delivered"
	! grep -Eq 'mail=1|rcpt=' "$RIG/postfix.log" || fail_with "something was sent"
}

@test "it goes out of the queue once the record is right" {
	QUEUE=
	run_mailcrane alice@wrong.mc <"$HOME/message"
	assert_exit 0
	assert_silent
	zone_remove '^_25._tcp.mx.wrong '
	zone_add "_25._tcp.mx.wrong TLSA 3 1 1 $(zone_tlsa 1 1 "$RIG/tls/cert.pem")"
	run_mailcrane --flush --force
	assert_exit 0
	postfix_wait_delivered
	[ "$(mails_of alice@wrong.mc)" -eq 1 ] || fail_with "not delivered"
	run_mailcrane --mailq
	grep -q 'Mail queue is empty' <<<"$output" || fail_with "something is left"
}

@test "a recipient whom Postfix does not know is refused, the other one served" {
	run_mailcrane alice@ee.mc nobody@ee.mc <"$HOME/message"
	assert_exit 67
	grep -q 'nobody@ee.mc refused (recipient): 550 5.1.1' <<<"$stderr" || fail_with "another text"
	postfix_wait_delivered
	[ "$(mails_of alice@ee.mc)" -eq 1 ] || fail_with "not delivered"
}
