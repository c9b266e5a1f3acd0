# direct.bats - mail straight to the recipients' own servers: which hosts, in which order, and what becomes of whom.
# namespace: nsd unbound ldns-signzone drill openssl ip

# shellcheck disable=SC2154,SC2046 # run_mailcrane sets status, output and stderr; with_tls writes words

load ../lib/common
load ../lib/direct

setup_file() {
	direct_start
}

direct_records() {
	zone_add "silent MX 10 mx-silent" "silent MX 20 mx2" "mx-silent A $SILENT" \
		"pair MX 10 mx1" "pair MX 20 mx2" \
		"gone MX 10 mx-gone" "mx-gone A 10.25.0.99" \
		"xn--bcher-kva MX 10 mx1" \
		"two A $(hosts_address 3)" "two A $(hosts_address 4)"
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

assert_sent() {
	send "$@"
	assert_exit 0
	assert_silent
}

### Which hosts

@test "the host of the best preference gets the message, and nobody else is asked" {
	host_up 1
	host_up 2
	host_up 3
	assert_sent bob@secure.mc
	assert_calls 1 0 0
	assert_mail 1 1
	assert_recipients 1 bob@secure.mc
	[ "$(sender_of 1)" = joe@a-only.mc ] || fail_with "another sender"
	assert_no_violation
}

@test "hosts of equal preference share the load" {
	local number

	for number in 1 2 3 4; do
		host_up "$number"
	done
	for number in {1..16}; do
		assert_sent bob@equal.mc
	done
	[ "$(calls 1)" -lt 16 ] && [ $(($(calls 1) + $(calls 2) + $(calls 3) + $(calls 4))) -eq 16 ] ||
		fail_with "not shared: $(calls 1) $(calls 2) $(calls 3) $(calls 4)"
}

@test "both recipients of a domain share one transaction, however they write it" {
	host_up 1
	assert_sent bob@secure.mc eve@SECURE.mc
	assert_calls 1
	at_host 1
	assert_received 1
	assert_recipients 1 bob@secure.mc eve@SECURE.mc
}

@test "each domain has a transaction of its own, at its own host" {
	host_up 1
	host_up 2
	zone_add "second MX 10 mx2"
	assert_sent bob@secure.mc eve@second.mc
	assert_mail 1 1
	assert_recipients 1 bob@secure.mc
	assert_mail 2 1
	assert_recipients 1 eve@second.mc
}

@test "several messages for one domain go over one connection" {
	host_up 1
	printf 'Subject: 1\n\none\n' >"$BATS_TEST_TMPDIR/1"
	printf 'Subject: 2\n\ntwo\n' >"$BATS_TEST_TMPDIR/2"
	send --message="$BATS_TEST_TMPDIR/1" --message="$BATS_TEST_TMPDIR/2" bob@pair.mc eve@a-only.mc
	assert_exit 0
	assert_calls 2
	assert_mail 1 4
}

@test "a domain without MX records is its own host" {
	host_up 1
	assert_sent bob@a-only.mc
	assert_mail 1 1
}

@test "a domain with an IPv6 address alone is its own host" {
	hosts_have_ipv6 || skip "there is no IPv6"
	host_up 1 --listen "[$(hosts_address6 1)]:25"
	assert_sent bob@aaaa-only.mc
	assert_mail 1 1
	assert_log_line "connect from .*fd00:25::"
}

@test "a domain that is an alias has the hosts of the other" {
	host_up 1
	assert_sent bob@alias.mc
	assert_mail 1 1
	assert_recipients 1 bob@alias.mc
}

@test "an MX host that is an alias is found" {
	host_up 1
	assert_sent bob@cnamed.mc
	assert_mail 1 1
}

@test "an address literal needs no DNS" {
	host_up 1
	assert_sent "bob@[10.25.0.11]"
	assert_mail 1 1
	assert_recipients 1 "bob@[10.25.0.11]"
}

@test "an IPv6 address literal" {
	hosts_have_ipv6 || skip "there is no IPv6"
	host_up 1 --listen "[$(hosts_address6 1)]:25"
	assert_sent "bob@[IPv6:fd00:25::11]"
	assert_mail 1 1
}

@test "a domain in Unicode is asked for by its A-labels" {
	host_up 1
	assert_sent "bob@Bücher.mc"
	assert_mail 1 1
	assert_recipients 1 "bob@xn--bcher-kva.mc"
}

@test "protocol S17: of 1000 MX at most 20 are tried, and that does not take long" {
	send bob@many.mc
	assert_exit 75
	[ "$(grep -o '10\.25\.0\.11' <<<"$stderr" | wc -l)" -le 20 ] || fail_with "too many hosts"
	host_up 1
	assert_sent bob@many.mc
	assert_calls 1
}

### The next host

# The first of two hosts does ARGS; the message is to arrive at the second, in the same run and in silence.
assert_second_takes() {
	[ $# -eq 0 ] || host_up 1 "$@"
	host_up 2
	assert_sent bob@pair.mc
	assert_mail 2 1
	assert_recipients 1 bob@pair.mc
}

@test "the next host is asked when the first refuses the connection" {
	assert_second_takes
}

@test "the next host is asked when packets to the first one vanish" {
	host_up 2
	assert_sent bob@silent.mc
	assert_mail 2 1
}

@test "protocol S13: the next host is asked when the first accepts the connection and says nothing" {
	assert_second_takes --fault greet:stall
}

@test "protocol S13: the next host is asked when the first closes, at whatever step before the text" {
	local where

	host_up 2
	for where in greet ehlo mail rcpt data; do
		host_up 1 --fault "$where:close"
		assert_sent --chunking=off bob@pair.mc
		[ "$(calls 1)" -ge 1 ] || fail_with "$where: the first was not asked"
		stop_peer
		[ "$(find "$BATS_TEST_TMPDIR" -name '*.eml' | wc -l)" -eq 1 ] || fail_with "$where: it did not arrive once"
		rm -rf "$BATS_TEST_TMPDIR"/peer*
		host_up 2
	done
}

@test "the next host is asked when the first greets with 554 or 421" {
	host_up 1 --fault 'greet@conn=1:reply=554 5.7.1 no' --fault 'greet@conn=2:reply=421 4.3.2 later'
	host_up 2
	assert_sent bob@pair.mc
	assert_sent bob@pair.mc
	assert_calls 2 2
	assert_mail 2 2
}

@test "the next host is asked when the first is closing" {
	assert_second_takes --fault 'mail:reply=421 4.3.2 closing'
}

@test "whom the first host puts off is asked of the next" {
	assert_second_takes --fault 'rcpt:reply=450 4.2.0 greylisted'
}

@test "whom the first host refuses is asked of nobody else" {
	host_up 1 --fault 'rcpt:reply=550 5.1.1 nobody'
	host_up 2
	send bob@pair.mc
	assert_exit 67
	assert_calls 1 0
	assert_stderr "mx1.mc: bob@pair.mc refused"
	assert_stderr "550 5.1.1 nobody"
}

@test "where no other host has a better answer, the first one's stands" {
	host_up 1 --fault 'rcpt:reply=450 4.2.0 greylisted'
	send bob@pair.mc
	assert_exit 75
	assert_stderr "mx1.mc: bob@pair.mc not delivered now"
	assert_stderr "450 4.2.0 greylisted"
}

@test "what may have arrived is not sent to the next host" {
	host_up 1 --fault dot:close
	host_up 2
	send bob@pair.mc
	assert_exit 75
	assert_calls 1 0
	assert_stderr "twice"
}

@test "when no host answers, each is named with its reason" {
	send bob@pair.mc
	assert_exit 75
	assert_stderr "mx1.mc: bob@pair.mc not delivered now"
	assert_stderr "10.25.0.11"
	assert_stderr "10.25.0.12"
}

@test "an address that refuses does not keep the other address of a host from being tried" {
	host_up 4
	assert_sent bob@two.mc
	assert_mail 4 1
}

@test "an address that greets with 421 does not keep the other address of a host from being tried" {
	host_up 3 --fault 'greet:reply=421 4.3.2 busy'
	host_up 4
	assert_sent bob@two.mc
	assert_sent bob@two.mc
	assert_mail 4 2
}

### Nobody to deliver to

# One recipient, and what is to be said of them.
assert_refused() {
	local code=$1 recipient=$2 text

	shift 2
	send "$recipient"
	assert_exit "$code"
	assert_stderr "$recipient"
	for text; do
		assert_stderr "$text"
	done
}

@test "a null MX is final" {
	assert_refused 68 bob@none.mc "refused" "5.1.10 none.mc takes no mail (null MX)"
}

@test "a domain that does not exist is final" {
	assert_refused 68 bob@missing.mc "refused" "5.1.2 there is no domain missing.mc"
}

@test "a domain with neither MX nor address is final" {
	assert_refused 68 bob@nothing.mc "5.4.4 no mail host of nothing.mc has an address"
	assert_refused 68 bob@dead.mc "5.4.4 no mail host of dead.mc has an address"
}

@test "protocol S17: what DNS cannot answer for sure is put off" {
	assert_refused 75 bob@bogus.mc "not delivered now" "4.4.3 cannot look up the MX records of bogus.mc" "bogus"
	assert_refused 75 bob@servfail.mc "not delivered now" "4.4.3 cannot look up the MX records of servfail.mc"
	assert_refused 75 bob@expired.mc "not delivered now" "4.4.3"
	assert_refused 75 bob@to-servfail.mc "mx.servfail.mc: cannot look up its address"
}

@test "a host whose address is bogus is passed over" {
	host_up 1
	assert_sent bob@to-bogus.mc
	assert_mail 1 1
}

@test "protocol S17: aliases in a circle do not keep anybody" {
	assert_refused 75 bob@loop.mc "loop1.mc: cannot look up its address"
}

@test "protocol S17: an MX that is an address in the place of a name" {
	assert_refused 75 bob@literal.mc "4.4.3 the MX records of literal.mc name no host"
}

@test "protocol S17: mail that would come back to this machine is refused" {
	assert_refused 68 bob@local.mc "5.4.6 mail for local.mc would come back to this machine"
	zone_add "loopback MX 10 here"
	assert_refused 68 bob@loopback.mc "5.4.6 mail for loopback.mc would come back to this machine"
	zone_add "self A $(hosts_address 0)"
	assert_refused 68 bob@self.mc "5.4.6 mail for self.mc would come back to this machine"
}

@test "where this machine is one of the hosts, it and whoever is no better are left out" {
	host_up 1 --fault 'greet:reply=421 4.3.2 busy'
	host_up 2
	host_up 3
	send bob@own.mc
	assert_exit 75
	assert_calls 1 0 0
}

@test "each recipient has a fate of their own, and the exit code is the worst" {
	host_up 1 --fault 'rcpt#2:reply=550 5.1.1 nobody'
	send bob@secure.mc eve@secure.mc ann@none.mc dan@gone.mc
	assert_exit 68
	at_host 1
	assert_received 1
	assert_recipients 1 bob@secure.mc
	assert_stderr "mx1.mc: eve@secure.mc refused"
	assert_stderr "ann@none.mc refused"
	assert_stderr "dan@gone.mc not delivered now"
	refute_stderr "bob@"
	send bob@secure.mc dan@gone.mc
	assert_exit 75
}

@test "the log in JSON has every recipient with the fate and the host" {
	direct_config <<<"log_format json"
	host_up 1
	send bob@secure.mc ann@none.mc
	assert_exit 68
	grep -q '"address": *"bob@secure.mc", *"state": *"delivered"' "$HOME/log" || fail_with "no bob" "$(cat "$HOME/log")"
	grep -q '"address": *"ann@none.mc", *"state": *"failed", *"code": *0, *"enhanced": *"5.1.10"' "$HOME/log" || fail_with "no ann" "$(cat "$HOME/log")"
	grep -q '"exit_code": *68' "$HOME/log" || fail_with "no exit code" "$(cat "$HOME/log")"
}

@test "an address without a domain is qualified, and has a server then" {
	direct_config <<<"mailname a-only.mc"
	host_up 1
	assert_sent bob
	assert_mail 1 1
	assert_recipients 1 bob@a-only.mc
}

### TLS

@test "TLS is used where it is offered, with any certificate" {
	host_up 1 --tls starttls
	assert_sent bob@pair.mc
	assert_mail 1 1
	assert_wire_count 1 STARTTLS
	[ -n "$(envelope_of 1 tls)" ] || fail_with "not by TLS"
}

@test "where STARTTLS is refused it goes on in the clear" {
	host_up 1 --tls starttls --fault 'starttls:reply=454 4.7.0 not now'
	assert_sent bob@pair.mc
	assert_calls 1
	assert_mail 1 1
	assert_wire_count 1 STARTTLS
}

@test "where the handshake breaks there is one more connection, in the clear" {
	local what

	for what in close reset 'raw=garbage'; do
		host_up 1 --tls starttls --fault "handshake:$what"
		assert_sent bob@pair.mc
		assert_calls 2
		assert_mail 1 1
		assert_wire_count 1 STARTTLS
		stop_all
	done
}

@test "a mistake in the settings for TLS is told, and is no reason to send in the clear" {
	direct_config <<<"tls_crl_file /nonexistent"
	host_up 1 --tls starttls
	send bob@a-only.mc
	assert_exit 78
	assert_stderr "tls_crl_file"
	assert_never_told
	stop_all
	direct_config <<<"tls_priorities NORMAL:+NONSENSE"
	host_up 1 --tls starttls
	send bob@a-only.mc
	assert_exit 78
	assert_stderr "tls_priorities"
	assert_never_told
}

@test "tls_ocsp require says nothing about certificates that need not be valid" {
	direct_config <<<"tls_ocsp require"
	host_up 1 --tls starttls
	assert_sent bob@a-only.mc
	assert_mail 1 1
	[ -n "$(envelope_of 1 tls)" ] || fail_with "not by TLS"
}

# Nothing of the message was said to host 1.
assert_never_told() {
	at_host 1
	assert_received 0
	refute_wire_like '^MAIL'
}

@test "protocol S6: tls_policy encrypt sends nothing in the clear" {
	direct_config <<<"tls_policy encrypt"
	host_up 1
	send bob@a-only.mc
	assert_exit 75
	assert_stderr "STARTTLS"
	assert_never_told
	stop_all
	host_up 1 --tls starttls --fault 'starttls:reply=454 4.7.0 not now'
	send bob@a-only.mc
	assert_exit 75
	assert_never_told
	stop_all
	host_up 1 --tls starttls --fault handshake:close
	send bob@a-only.mc
	assert_exit 75
	assert_never_told
	stop_all
	host_up 1 --tls starttls
	assert_sent bob@a-only.mc
	assert_mail 1 1
}

@test "tls_policy verify demands a certificate for the host's name" {
	direct_config <<<"tls_policy verify"
	host_up 1 $(with_tls)
	assert_sent bob@pair.mc
	assert_mail 1 1
	send bob@a-only.mc
	assert_exit 75
	assert_stderr "a-only.mc"
	assert_stderr "certificate"
	at_host 1
	assert_received 1
	stop_all
	host_up 1 --tls starttls
	send bob@pair.mc
	assert_exit 75
	assert_never_told
}

@test "tls on is tls_policy encrypt, at port 25" {
	direct_config <<<"tls on"
	host_up 1 --tls starttls
	assert_sent bob@a-only.mc
	assert_mail 1 1
	stop_all
	host_up 1
	send bob@a-only.mc
	assert_exit 75
	assert_never_told
}

@test "what the account says of a certificate does not hold for other people's hosts" {
	direct_config <<-END
		tls_policy encrypt
		tls_fingerprint 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F
	END
	host_up 1 --tls starttls
	assert_sent bob@a-only.mc
	assert_mail 1 1
}

### Settings

@test "auth with direct delivery is a mistake in the configuration" {
	direct_config <<<$'auth on\nuser joe\npassword secret'
	send bob@a-only.mc
	assert_exit 78
	assert_stderr "direct delivery has no authentication"
	assert_stderr "hint:"
}

@test "a host and direct delivery contradict each other" {
	direct_config <<<"host mail.example.test"
	send bob@a-only.mc
	assert_exit 78
	assert_stderr "contradict"
	assert_stderr "hint:"
}

@test "host mx is direct delivery as well" {
	sed -i 's/^delivery direct/host mx/' "$HOME/.mailcranerc"
	host_up 1
	assert_sent bob@a-only.mc
	assert_mail 1 1
}

@test "another port holds for MX hosts too" {
	direct_config <<<"port 2525"
	host_up 1 --listen "$(hosts_address 1):2525"
	assert_sent bob@pair.mc
	assert_mail 1 1
}

# A library that is none, found before the real one.
without_libunbound() {
	mkdir -p "$BATS_TEST_TMPDIR/lib"
	: >"$BATS_TEST_TMPDIR/lib/libunbound.so.8"
	CLEAN_ENVIRONMENT=("LD_LIBRARY_PATH=$BATS_TEST_TMPDIR/lib")
}

@test "without libunbound it is said what to install, and a relay does not need it" {
	without_libunbound
	host_up 1
	send bob@a-only.mc
	assert_exit 69
	assert_stderr "libunbound"
	assert_stderr "hint:"
	assert_calls 0
	run_mailcrane --host=10.25.0.11 --port=25 --from=joe@a-only.mc bob@a-only.mc <<<"$small"
	assert_exit 0
	assert_mail 1 1
}

@test "without libunbound the message waits in the queue" {
	without_libunbound
	QUEUE=
	host_up 1
	send bob@a-only.mc
	assert_exit 0
	assert_calls 0
	run_mailcrane --mailq
	assert_stdout "bob@a-only.mc"
	assert_stdout "libunbound"
	CLEAN_ENVIRONMENT=()
	run_mailcrane --flush --force
	assert_exit 0
	assert_mail 1 1
}
