# relays.bats - several relays to fail over to, and those of SRV records; and --route, which says where mail would go.
# namespace: nsd unbound ldns-signzone drill openssl ip

# shellcheck disable=SC2154,SC2034,SC2046 # run_mailcrane sets status, output and stderr; with_tls writes words

load ../lib/common
load ../lib/queue
load ../lib/direct
QUEUE=off

setup_file() {
	direct_start
}

direct_records() {
	zone_add "_submissions._tcp.insecure.mc. SRV 0 0 465 mx1.mc." "_submissions._tcp.outside SRV 0 0 465 mx.insecure" \
		"_submission._tcp.plain SRV 0 0 25 mx2" "_submissions._tcp.twice SRV 10 0 465 mx1" "_submission._tcp.twice SRV 0 0 25 mx2"
	direct_certificate domain insecure.mc
}

setup() {
	direct_setup
	spool=$HOME/.local/state/mailcrane
}

teardown() {
	direct_teardown
}

teardown_file() {
	direct_stop
}

# An account with the relays HOSTS, and the lines on stdin.
relays() {
	write_config <<-END
		account work
		host $1
		port ${2:-25}
		from joe@a-only.mc
		timeout 5
		dns_server $ZONE_SERVER
		dns_trust_anchor $ZONE_ANCHOR
		tls_trust_file $CA
		$(</dev/stdin)
		account default : work
	END
}

send() {
	run_mailcrane "$@" <<<"${message:-$small}"
}

assert_sent() {
	send "$@"
	assert_exit 0
	assert_silent
}

PAIR=10.25.0.11,10.25.0.12

### Lists

@test "the first relay of a list gets the message" {
	relays "$PAIR" </dev/null
	host_up 1
	host_up 2
	assert_sent bob@example.net
	assert_calls 1 0
}

@test "the next relay is asked when the first refuses, greets with 421, is closing, or puts off" {
	local fault

	relays "$PAIR" </dev/null
	host_up 2
	assert_sent bob@example.net
	assert_mail 2 1
	for fault in 'greet:reply=421 4.3.2 busy' 'mail:reply=421 4.3.2 closing' 'rcpt:reply=450 4.2.0 later' 'greet:stall'; do
		stop_all
		host_up 1 --fault "$fault"
		host_up 2
		assert_sent bob@example.net
		assert_mail 2 1
		assert_recipients 1 bob@example.net
		[ "$(calls 1)" -ge 1 ] || fail_with "$fault: the first was not asked"
	done
}

@test "a list may have ports, and IPv6 addresses in brackets" {
	relays "10.25.0.11:2525, [::ffff:10.25.0.13]:2526, 10.25.0.12:2527" 587 </dev/null
	host_up 2 --listen "$(hosts_address 2):2527"
	assert_sent bob@example.net
	assert_mail 2 1
	hosts_have_ipv6 || return 0
	relays "10.25.0.11:2525,[$(hosts_address6 3)]:2526" </dev/null
	host_up 3 --listen "[$(hosts_address6 3)]:2526"
	assert_sent bob@example.net
	assert_mail 3 1
}

@test "a login that one relay refuses is not tried at the next" {
	relays "$PAIR" <<<$'auth plain\nauth_cleartext always\nuser joe\npassword wrong'
	host_up 1 --auth PLAIN --auth-in-clear
	host_up 2 --auth PLAIN --auth-in-clear --password wrong
	send bob@example.net
	assert_exit 77
	assert_calls 1 0
}

@test "the password of netrc is that of the first relay of a list, without its port" {
	relays "10.25.0.11:25,10.25.0.12" <<<$'auth plain\nauth_cleartext always\nuser joe'
	printf 'machine 10.25.0.11 login joe password secret\n' >"$HOME/.netrc"
	chmod 600 "$HOME/.netrc"
	host_up 1 --auth PLAIN --auth-in-clear
	assert_sent bob@example.net
	assert_mail 1 1
}

@test "what no relay takes is queued, and a flush fails over as well" {
	QUEUE=
	relays "$PAIR" </dev/null
	submit bob@example.net
	assert_count 1 queue
	host_up 2
	make_due
	forget_routes
	flush
	assert_count 0 queue
	assert_mail 2 1
}

@test "in a flush as well the next relay is asked about those whom the first puts off, and about nobody else" {
	QUEUE=
	relays "$PAIR" </dev/null
	submit bob@example.net carl@example.net
	submit dave@example.net
	assert_count 2 queue
	host_up 1 --fault 'rcpt#1:reply=450 4.2.0 later'
	host_up 2
	make_due
	forget_routes
	flush
	assert_count 0 queue
	assert_mail 2 2
	grep -q 'RCPT TO:<bob@' "$PEER_DIR/log" && grep -q 'RCPT TO:<dave@' "$PEER_DIR/log" || fail_with "somebody was not asked about"
	! grep -q carl@ "$PEER_DIR/log" || fail_with "carl had it already"
	assert_mail 1 1
	assert_recipients 1 carl@example.net
}

@test "what no relay takes in a flush waits, with the word of the first" {
	QUEUE=
	relays "$PAIR" </dev/null
	submit bob@example.net
	host_up 1 --fault 'rcpt:reply=450 4.2.0 later here'
	make_due
	forget_routes
	run_mailcrane --flush </dev/null
	assert_count 1 queue
	run_mailcrane --mailq
	assert_stdout "450 4.2.0 later here"
	stop_all
	host_up 1 --fault 'rcpt:reply=450 4.2.0 later here'
	host_up 2 --fault 'rcpt:reply=451 4.3.0 later there'
	make_due
	forget_routes
	run_mailcrane --flush </dev/null
	assert_count 1 queue
	assert_mail 2 0
	run_mailcrane --mailq
	assert_stdout "451 4.3.0 later there"
}

### SRV

# Host N with implicit TLS at 465.
srv_up() {
	host_up "$1" --listen "$(hosts_address "$1"):465" --tls implicit --cert "$RIG/tls/${2:-mx}.pem" --key "$RIG/tls/${2:-mx}.key"
}

@test "srv: shares the load of one priority, and does not touch the next" {
	local n

	relays srv:secure.mc <<<"tls on"
	srv_up 1
	srv_up 2
	srv_up 3
	for n in {1..16}; do
		assert_sent bob@example.net
	done
	[ "$(calls 2)" -gt 0 ] && [ "$(calls 3)" -eq 0 ] && [ $(($(calls 1) + $(calls 2))) -eq 16 ] ||
		fail_with "not by weight: $(calls 1) $(calls 2) $(calls 3)"
}

@test "srv: goes on to the next priority, and from _submissions to _submission" {
	relays srv:secure.mc <<<"tls on"
	srv_up 3
	assert_sent bob@example.net
	assert_mail 3 1
	relays srv:twice.mc <<<"tls on"
	host_up 2 $(with_tls)
	assert_sent bob@example.net
	assert_mail 2 1
	assert_wire_count 1 STARTTLS
}

@test "srv: signed, the certificate is that of the host" {
	relays srv:twice.mc <<<"tls on"
	srv_up 1 domain
	send bob@example.net
	[ "$status" -ne 0 ] || fail_with "a failure expected"
	assert_mail 1 0
}

@test "protocol S19: srv: not signed, a host outside must have a certificate for the domain itself" {
	zone_has_insecure_srv || skip "the unsigned zone has no SRV records"
	relays srv:insecure.mc <<<"tls on"
	srv_up 1
	send bob@example.net
	[ "$status" -ne 0 ] || fail_with "a failure expected"
	assert_stderr "certificate"
	assert_mail 1 0
	stop_all
	srv_up 1 domain
	assert_sent bob@example.net
	assert_mail 1 1
}

zone_has_insecure_srv() {
	drill @127.0.0.1 _submissions._tcp.insecure.mc SRV | grep -q '465 mx1'
}

@test "srv: of a domain without such a service says so" {
	relays srv:none.mc <<<"tls on"
	send bob@example.net
	assert_exit 68
	assert_stderr "none.mc announces no server for the submission of mail"
	assert_stderr "hint:"
	relays srv:servfail.mc <<<"tls on"
	send bob@example.net
	assert_exit 75
	assert_stderr "cannot look up the mail service of servfail.mc"
}

### --route

assert_nobody_called() {
	assert_calls 0 0 0 0
}

all_up() {
	host_up 1
	host_up 2
	host_up 3
	host_up 4
}

@test "--route shows the hosts of a domain in their order, with addresses and demands, and connects to none" {
	all_up
	direct_config </dev/null
	run_mailcrane --route=bob@secure.mc
	assert_exit 0
	assert_stdout "bob@secure.mc by account default, direct"
	assert_stdout "10 mx1.mc, port 25"
	assert_stdout "10.25.0.11"
	assert_stdout "30 mx4.mc, port 25"
	run_mailcrane --route=bob@ee.mc bob@wrong.mc
	assert_exit 0
	assert_stdout "DANE: a certificate by the TLSA records of _25._tcp.mx.ee.mc (1 of 1 count)"
	assert_stdout "bob@wrong.mc by account"
	run_mailcrane --route=bob@tlsa-bogus.mc
	assert_exit 75
	assert_stdout "not to be tried: cannot look up its TLSA records"
	assert_nobody_called
}

@test "--route says why there is no host, and the worst of several is the exit code" {
	direct_config </dev/null
	run_mailcrane --route=bob@none.mc bob@secure.mc
	assert_exit 68
	assert_stdout "cannot be delivered: none.mc takes no mail"
	assert_stdout "10 mx1.mc"
	run_mailcrane --route=bob@servfail.mc
	assert_exit 75
	assert_stdout "cannot be delivered now"
	run_mailcrane --route='bob@@x'
	assert_exit 65
}

@test "--route --json is a document" {
	direct_config </dev/null
	run_mailcrane --route=bob@ee.mc --json
	assert_exit 0
	python3 - "$output" <<-'END' || fail_with "another document"
		import json, sys
		d = json.loads(sys.argv[1])
		assert d["schema"] == "mailcrane.route/1"
		r, = d["routes"]
		h, = r["hosts"]
		assert r["address"] == "bob@ee.mc" and r["delivery"] == "direct" and r["error"] is None
		assert h["host"] == "mx.ee.mc" and h["port"] == 25 and h["addresses"] == ["10.25.0.11"]
		assert h["dnssec"] and h["tls"] == "starttls" and h["reason"] == "dane" and h["refusal"] is None
	END
	run_mailcrane --route=bob@none.mc --json
	assert_exit 68
	python3 -c 'import json,sys; r=json.loads(sys.argv[1])["routes"][0]; assert r["hosts"]==[] and r["is_final"] and r["error"]' "$output" ||
		fail_with "another document"
}

@test "--route expands aliases" {
	printf 'staff: bob@ee.mc, ann@secure.mc\n' >"$HOME/aliases"
	direct_config <<<"aliases $HOME/aliases"
	run_mailcrane --route=staff
	assert_exit 0
	assert_stdout "bob@ee.mc by account"
	assert_stdout "ann@secure.mc by account"
}

@test "--route shows a list, SRV records and a socket" {
	all_up
	relays "10.25.0.11,10.25.0.12:587" </dev/null
	run_mailcrane --route=bob@example.net
	assert_exit 0
	assert_stdout "by account default, relay"
	assert_stdout "10.25.0.11, port 25"
	assert_stdout "10.25.0.12, port 587"
	assert_stdout "tls off: no TLS"
	relays srv:twice.mc <<<"tls on"
	run_mailcrane --route=bob@example.net
	assert_exit 0
	assert_stdout "mx1.mc, port 465"
	assert_stdout "TLS from the first byte on"
	assert_stdout "mx2.mc, port 25"
	relays localhost <<<"socket /run/lmtp"
	run_mailcrane --route=bob@example.net
	assert_exit 0
	assert_stdout "/run/lmtp"
	assert_nobody_called
}
