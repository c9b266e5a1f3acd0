# directdane.bats - DANE from the record to the wire: delivered by verified TLS or put off with the reason, never in the clear.
# namespace: nsd unbound ldns-signzone drill openssl ip

# shellcheck disable=SC2154,SC2046 # run_mailcrane sets status, output and stderr; with_tls writes words

load ../lib/common
load ../lib/direct

setup_file() {
	direct_start
}

# The certificate of another authority, with ours behind it.
direct_records() {
	certificate_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=mx.foreign.mc" \
		-keyout "$RIG/tls/foreign.key" -out "$RIG/tls/foreign.request" || return 1
	printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:mx.foreign.mc\n' >"$RIG/tls/foreign.extensions"
	certificate_openssl x509 -req -in "$RIG/tls/foreign.request" -CA "$RIG/tls/other-ca.pem" -CAkey "$RIG/tls/other-ca.key" \
		-set_serial 77 -days 30 -sha256 -extfile "$RIG/tls/foreign.extensions" -out "$RIG/tls/foreign.leaf" || return 1
	cat "$RIG/tls/foreign.leaf" "$CA" >"$RIG/tls/foreign.pem"
}

setup() {
	direct_setup
}

teardown() {
	direct_teardown
}

teardown_file() {
	direct_stop
}

send() {
	run_mailcrane "$@" <<<"${message:-$small}"
}

# To bob@DOMAIN by TLS, in silence.
assert_protected() {
	send "bob@$1"
	assert_exit 0
	assert_silent
	assert_mail 1 1
	[ -n "$(envelope_of 1 tls)" ] || fail_with "not by TLS"
	stop_all
}

# Put off with each of TEXT; nothing of the message was said in the clear or otherwise.
assert_put_off() {
	local domain=$1 text

	shift
	send "bob@$domain"
	assert_exit 75
	assert_stderr "bob@$domain not delivered now"
	for text; do
		assert_stderr "$text"
	done
	at_host 1
	assert_received 0
	refute_wire_like '^MAIL'
	stop_all
}

@test "TLSA records for the leaf, the authority's key, and one of two: delivered by TLS" {
	local domain

	for domain in ee.mc ta.mc rollover.mc ee-alias.mc; do
		host_up 1 $(with_tls)
		assert_protected "$domain"
	done
}

@test "a TLSA record for the authority's certificate, which the server sends: delivered by TLS" {
	host_up 1 $(with_tls)
	assert_protected ta-cert.mc
}

@test "a certificate that no TLSA record fits is refused, and the message waits" {
	host_up 1 $(with_tls)
	assert_put_off wrong.mc "TLSA"
}

@test "a server that presents the authority behind somebody else's leaf is refused" {
	host_up 1 $(with_tls foreign)
	assert_put_off foreign.mc "TLSA"
}

@test "TLSA records that cannot be used demand TLS, with any certificate" {
	host_up 1 --tls starttls
	assert_protected unusable.mc
	host_up 1
	assert_put_off unusable.mc "STARTTLS"
}

@test "TLSA records that cannot be known keep the host from being tried" {
	host_up 1 $(with_tls)
	assert_put_off tlsa-bogus.mc "mx.tlsa-bogus.mc: cannot look up its TLSA records"
	host_up 1 $(with_tls)
	assert_put_off tlsa-servfail.mc "mx.tlsa-servfail.mc: cannot look up its TLSA records"
}

@test "a host with TLSA records that offers no STARTTLS, refuses it or breaks the handshake gets nothing" {
	host_up 1
	assert_put_off ee.mc "STARTTLS"
	host_up 1 --tls starttls --fault 'starttls:reply=454 4.7.0 not now'
	assert_put_off ee.mc "454 4.7.0 not now"
	host_up 1 --tls starttls --fault handshake:close
	assert_put_off ee.mc "TLS"
}

@test "where nothing is signed, or the host is elsewhere, TLS is as it is offered" {
	local domain

	for domain in mixed.mc insecure.mc insecure-alias.mc secure.mc; do
		host_up 1 --tls starttls
		assert_protected "$domain"
		host_up 1
		send "bob@$domain"
		assert_exit 0
		assert_mail 1 1
		stop_all
	done
}

@test "a message that says TLS-Required: No is delivered in spite of a wrong TLSA record" {
	message=$'Subject: s\nTLS-Required: No\n\nhello'
	host_up 1 $(with_tls)
	assert_protected wrong.mc
	host_up 1
	send bob@ee.mc
	assert_exit 0
	assert_mail 1 1
}

@test "TLS-Required: No does not loosen the account's settings" {
	message=$'Subject: s\nTLS-Required: No\n\nhello'
	direct_config <<<"tls_policy encrypt"
	host_up 1
	assert_put_off ee.mc "STARTTLS"
	direct_config <<<"tls_policy dane-only"
	host_up 1 $(with_tls)
	assert_put_off wrong.mc "TLSA"
}

# REQUIRETLS is offered, and the peer has ARGS.
requiretls_up() {
	host_up 1 --ehlo PIPELINING --ehlo ENHANCEDSTATUSCODES --ehlo REQUIRETLS "$@"
}

@test "require_tls asks a host that is verified by DANE or by its name, and says so" {
	direct_config <<<"require_tls on"
	requiretls_up $(with_tls)
	send bob@ee.mc
	assert_exit 0
	assert_mail 1 1
	assert_wire_like '^MAIL FROM:.* REQUIRETLS'
	stop_all
	requiretls_up $(with_tls)
	send bob@secure.mc
	assert_exit 0
	assert_mail 1 1
}

@test "require_tls gives nothing to a host that is not verified or does not offer it" {
	direct_config <<<"require_tls on"
	requiretls_up --tls starttls
	assert_put_off secure.mc "certificate"
	requiretls_up --tls starttls
	assert_put_off unusable.mc "REQUIRETLS"
	host_up 1 $(with_tls)
	send bob@ee.mc
	[ "$status" -ne 0 ] || fail_with "a failure expected"
	assert_stderr "REQUIRETLS"
	assert_mail 1 0
	refute_wire_like '^MAIL'
}

@test "tls_policy dane heeds TLSA records, dane-only demands them" {
	local policy

	for policy in dane dane-only; do
		direct_config <<<"tls_policy $policy"
		host_up 1 $(with_tls)
		assert_protected ee.mc
		host_up 1 $(with_tls)
		assert_put_off wrong.mc "TLSA"
	done
	host_up 1 $(with_tls)
	assert_put_off secure.mc "dane-only"
	host_up 1 $(with_tls)
	assert_put_off unusable.mc "dane-only"
	direct_config <<<"tls_policy dane"
	host_up 1
	send bob@secure.mc
	assert_exit 0
	assert_mail 1 1
}

# A relay's account, tls_policy POLICY, with the host NAME and no authority to trust but a strange one.
relay_config() {
	write_config <<-END
		host $2
		port 25
		tls on
		tls_starttls on
		tls_policy $1
		tls_trust_file $RIG/tls/other-ca.pem
		dns_server $ZONE_SERVER
		dns_trust_anchor $ZONE_ANCHOR
		from joe@a-only.mc
		timeout 5
	END
}

@test "a relay with TLSA records is trusted by them alone" {
	local policy

	for policy in dane dane-only; do
		relay_config "$policy" mx.ee.mc
		host_up 1 $(with_tls)
		assert_protected example.net
		relay_config "$policy" mx.wrong.mc
		host_up 1 $(with_tls)
		send bob@example.net
		[ "$status" -ne 0 ] || fail_with "a failure expected"
		assert_mail 1 0
		refute_wire_like '^MAIL'
		stop_all
	done
}

@test "a relay without TLSA records is checked as ever, and dane-only does not go there" {
	relay_config dane mx1.mc
	host_up 1 $(with_tls)
	send bob@example.net
	assert_exit 69
	assert_mail 1 0
	stop_all
	sed -i "s|^tls_trust_file.*|tls_trust_file $CA|" "$HOME/.mailcranerc"
	host_up 1 $(with_tls)
	assert_protected example.net
	relay_config dane-only mx1.mc
	host_up 1 $(with_tls)
	send bob@example.net
	assert_exit 75
	assert_stderr "dane-only"
	assert_calls 0
}

@test "a relay that is an address can be used with tls_policy dane" {
	relay_config dane 10.25.0.11
	sed -i "s|^tls_trust_file.*|tls_trust_file $CA|; \$a tls_host_override mx1.mc" "$HOME/.mailcranerc"
	host_up 1 $(with_tls)
	assert_protected example.net
}

@test "where none of a relay's TLSA records can be used, its certificate must be the one of the settings" {
	relay_config dane mx.unusable.mc
	host_up 1 $(with_tls)
	send bob@example.net
	assert_exit 69
	refute_wire_like '^MAIL'
	stop_all
	sed -i "s|^tls_trust_file.*|tls_trust_file $CA|" "$HOME/.mailcranerc"
	host_up 1 $(with_tls)
	assert_protected example.net
}

@test "a host that may not be used is not asked by --serverinfo or --rmqs, but the next one" {
	relay_config dane mx.tlsa-bogus.mc,mx.ee.mc
	host_up 1 $(with_tls)
	run_mailcrane --serverinfo
	assert_exit 0
	assert_stdout "mx.ee.mc"
	run_mailcrane --rmqs=@example.net --debug
	assert_stderr "connected to mx.ee.mc"
	[[ $stderr != *"connected to mx.tlsa-bogus.mc"* ]] || fail_with "it is asked"
}
