# dns.bats - what net/dns says about the names of a signed zone, by way of unbound and straight from nsd.
# namespace: nsd unbound ldns-signzone ldns-dane drill openssl ip

load ../lib/common
load ../lib/certificate
load ../lib/hosts
load ../lib/namespace
load ../lib/zone

ASK=$BUILDDIR/tests/unit/dns_ask
SILENT=10.25.0.200

setup_file() {
	namespace_require
	certificate_make "$RIG/tls"
	ZONE_LEAF=$RIG/tls/cert.pem ZONE_CA=$RIG/tls/ca.pem zone_start
	hosts_start 2
}

setup() {
	[ -x "$ASK" ] || skip "there is no $ASK"
	"$MAILCRANE" --version | grep -q 'libunbound [0-9]' || skip "built without libunbound"
	setup_home
}

teardown() {
	stop_peer
	if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
		tail -n 20 "$ZONE_FOLDER"/*.log "$ZONE_FOLDER"/*.out
	fi
}

teardown_file() {
	[ -z "${MAILCRANE_NAMESPACE:-}" ] || { zone_stop && hosts_stop; }
}

# Ask what ARGS say, with the key of mc. unless they say otherwise.
ask() {
	run --separate-stderr timeout 60 "$ASK" -a "$ZONE_ANCHOR" "$@"
	[ "$status" -eq 0 ] || fail_with "dns_ask $*"
}

# The answer has this line.
assert_line() {
	grep -Fqx -- "$1" <<<"$output" || fail_with "no such line: $1"
}

# A line that begins so.
assert_line_like() {
	grep -Eq -- "^$1" <<<"$output" || fail_with "no line is like: $1"
}

# What is indented, in the order of a dictionary.
assert_records() {
	local expected

	expected=$(printf '    %s\n' "$@" | sort)
	[ "$(grep '^    ' <<<"$output" | sort)" = "$expected" ] || fail_with "other records expected:" "$expected"
}

refute_records() {
	! grep -q '^    ' <<<"$output" || fail_with "no record expected"
}

# The same by both ways: ask_both EXPECTED NAME TYPE [RECORD...]. EXPECTED is a regular expression for all that comes behind the
# question; RECORDs, if any, are all there are.
ask_both() {
	local expected=$1 name=$2 type=$3 server

	shift 3
	for server in "$ZONE_SERVER" "$ZONE_AUTHORITY"; do
		ask -s "$server" "$name" "$type"
		assert_line_like "$name $type $expected$"
		[ $# -eq 0 ] || assert_records "$@"
	done
}

@test "what is signed is found, and secure" {
	ask_both 'found secure secure\.mc: ' secure.mc MX '10 mx1.mc' '20 mx2.mc' '20 mx3.mc' '30 mx4.mc'
	ask_both 'found secure mx1\.mc: ' mx1.mc A 127.0.0.11
	ask_both 'found secure child\.mc: ' child.mc MX '10 mx1.mc'
	ask_both 'found secure aaaa-only\.mc: ' aaaa-only.mc AAAA ::1
}

@test "what is not signed is found, and not secure" {
	ask_both 'found insecure insecure\.mc: ' insecure.mc MX '10 mx.insecure.mc'
	ask_both 'found insecure _mta-sts\.insecure\.mc: ' _mta-sts.insecure.mc TXT 'v=STSv1; id=20260101T000000;'
}

@test "protocol S17: what was changed behind its signature is a failure, though there is data" {
	ask_both 'failed bogus bogus\.mc: the answer is bogus: .*signature.*' bogus.mc MX
	refute_records
	ask_both 'failed bogus mx\.bogus\.mc: the answer is bogus: .*' mx.bogus.mc A
	ask_both 'failed bogus _25\._tcp\.mx\.tlsa-bogus\.mc: the answer is bogus: .*' _25._tcp.mx.tlsa-bogus.mc TLSA
}

@test "signatures that are out of date make an answer bogus" {
	ask_both 'failed bogus expired\.mc: the answer is bogus: .*expired.*' expired.mc MX
}

@test "that there is nothing of the type, or no such name, is secure as well where it is proven" {
	ask_both 'no-data secure nothing\.mc: ' nothing.mc MX
	ask_both 'no-name secure missing\.mc: ' missing.mc MX
	ask_both 'no-name insecure missing\.insecure\.mc: ' missing.insecure.mc MX
	refute_records
}

@test "under opt-out no name is proven not to be there" {
	ask_both 'found secure optout\.mc: ' optout.mc MX '10 mx1.mc'
	ask_both 'no-name insecure missing\.optout\.mc: ' missing.optout.mc MX
}

@test "a null MX is one record without a host" {
	ask_both 'found secure none\.mc: ' none.mc MX '0 .'
}

@test "the records belong to the name behind the last alias" {
	ask_both 'found secure secure\.mc: ' alias.mc MX '10 mx1.mc' '20 mx2.mc' '20 mx3.mc' '30 mx4.mc'
	ask_both 'found secure mx1\.mc: ' cnamed-host.mc A 127.0.0.11
	ask_both 'found insecure mx\.insecure\.mc: ' insecure-alias-host.mc A 127.0.0.11
}

@test "protocol S17: aliases that go round in a circle are a failure, at once" {
	ask_both 'failed insecure loop1\.mc: no answer that can be used from .*' loop1.mc A
	[ "$(sed -n 's/^took \([0-9]*\) ms.*/\1/p' <<<"$output")" -lt 5000 ] || fail_with "less than 5 seconds expected"
}

@test "SERVFAIL is a failure, and no statement about the name" {
	ask_both 'failed insecure servfail\.mc: no answer that can be used from 127\.0\.0\.1(@5300)? \(SERVFAIL\)' servfail.mc MX
	ask_both 'failed insecure _25\._tcp\.mx\.tlsa-servfail\.mc: .*SERVFAIL.*' _25._tcp.mx.tlsa-servfail.mc TLSA
}

@test "protocol S17: 1000 MX can be read" {
	ask_both 'found secure many\.mc: ' many.mc MX
	[ "$(grep -c '^    [0-9]* host[0-9]*.many.child.mc$' <<<"$output")" -eq 1000 ] || fail_with "1000 records expected"
}

@test "protocol S17: an address in the place of the name of an MX is no record" {
	ask_both 'found secure literal\.mc: ' literal.mc MX 'unreadable 000a0331323701300130013100'
}

@test "SRV, TXT and TLSA records are read" {
	ask_both 'found secure .*' _submissions._tcp.secure.mc SRV '10 10 465 mx1.mc' '10 30 465 mx2.mc' '20 0 465 mx3.mc'
	ask_both 'found secure .*' _submissions._tcp.none.mc SRV '0 0 0 .'
	ask_both 'found secure .*' _mta-sts.secure.mc TXT 'v=STSv1; id=20260101T000000;'
	ask_both 'found secure .*' _smtp._tls.secure.mc TXT 'v=TLSRPTv1; rua=mailto:tls@secure.mc'
	[ "$(zone_tlsa 1 1 "$RIG/tls/cert.pem" | wc -c)" -eq 64 ]
	ask_both 'found secure .*' _25._tcp.mx.ee.mc TLSA "3 1 1 $(zone_tlsa 1 1 "$RIG/tls/cert.pem")"
	ask_both 'found secure .*' _25._tcp.mx.ta-cert.mc TLSA "2 0 1 $(zone_tlsa 0 1 "$RIG/tls/ca.pem")"
}

@test "the TLSA data of the zone is what ldns-dane makes of the certificate" {
	local selector matching made

	for selector in 0 1; do
		for matching in 0 1 2; do
			made=$(ldns-dane -c "$RIG/tls/cert.pem" -n create mx.ee.mc 25 3 "$selector" "$matching")
			made=${made##*[[:space:]]}
			[ "${made,,}" = "$(zone_tlsa "$selector" "$matching" "$RIG/tls/cert.pem")" ] || fail_with "$selector $matching: $made"
		done
	done
}

@test "20 questions at once have their answers" {
	local number questions=()

	for number in {1..18}; do
		questions+=("host$number.many.child.mc" A)
	done
	ask "${questions[@]}" bogus.mc MX missing.mc MX
	for number in {1..18}; do
		assert_line "host$number.many.child.mc A found secure host$number.many.child.mc: "
	done
	assert_line_like 'bogus.mc MX failed bogus '
	assert_line 'missing.mc MX no-name secure missing.mc: '
	assert_line 'left: 0 descriptors, 0 threads, no process'
}

@test "many questions one after the other leave nothing behind" {
	local number questions=()

	for number in {1..40}; do
		questions+=("host$number.many.child.mc" A)
	done
	ask -o "${questions[@]}"
	[ "$(grep -c ' found secure ' <<<"$output")" -eq 40 ] || fail_with "40 answers expected"
	assert_line 'left: 0 descriptors, 0 threads, no process'
}

@test "a server that does not answer: a failure at the deadline that names it" {
	hosts_require
	hosts_silence "$SILENT"
	ask -s "$SILENT" -t 3 secure.mc MX secure.mc A
	assert_line "secure.mc MX failed insecure secure.mc: no answer from $SILENT"
	assert_line "secure.mc A failed insecure secure.mc: no answer from $SILENT"
	[[ $output =~ took\ ([0-9]+)\ ms,\ closing\ ([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -ge 3000 ] && [ "${BASH_REMATCH[1]}" -le 4000 ] || fail_with "3 to 4 seconds expected"
	[ "${BASH_REMATCH[2]}" -lt 1000 ] || fail_with "less than a second to close expected"
	assert_line 'left: 0 descriptors, 0 threads, no process'
}

@test "the servers of /etc/resolv.conf are asked unless one is set, and the first that answers will do" {
	hosts_require
	hosts_silence "$SILENT"
	ask secure.mc MX
	assert_line 'secure.mc MX found secure secure.mc: '
	printf 'search example.test\nnameserver %s\nnameserver 127.0.0.1\n' "$SILENT" >"$BATS_TEST_TMPDIR/resolv.conf"
	ask_with "$BATS_TEST_TMPDIR/resolv.conf" secure.mc MX
	assert_line 'secure.mc MX found secure secure.mc: '
	: >"$BATS_TEST_TMPDIR/resolv.conf"
	ask_with "$BATS_TEST_TMPDIR/resolv.conf" secure.mc MX
	assert_line 'secure.mc MX found secure secure.mc: '
}

# Ask with FILE as /etc/resolv.conf.
ask_with() {
	local kept

	kept=$(cat /etc/resolv.conf)
	cp "$1" /etc/resolv.conf
	shift
	ask "$@" || { printf '%s\n' "$kept" >/etc/resolv.conf; return 1; }
	printf '%s\n' "$kept" >/etc/resolv.conf
}

@test "a server with an IPv6 address is asked" {
	hosts_have_ipv6 || skip "this machine has no IPv6"
	ask -s ::1 secure.mc MX
	assert_line 'secure.mc MX found secure secure.mc: '
	ask -s ::1@53 secure.mc MX
	assert_line 'secure.mc MX found secure secure.mc: '
}

@test "without a trust anchor nothing is secure, and nothing bogus" {
	run --separate-stderr "$ASK" -s "$ZONE_AUTHORITY" -a '' secure.mc MX bogus.mc MX missing.mc MX
	assert_exit 0
	assert_line 'secure.mc MX found insecure secure.mc: '
	assert_line 'bogus.mc MX found insecure bogus.mc: '
	assert_line 'missing.mc MX no-name insecure missing.mc: '
}

@test "without a setting the first of the system's keys counts" {
	local file=/usr/share/dns/root.key

	rm -f "$file" /var/lib/unbound/root.key
	run --separate-stderr "$ASK" secure.mc MX
	assert_exit 0 && assert_line 'secure.mc MX found insecure secure.mc: '
	mkdir -p /usr/share/dns /var/lib/unbound
	cp "$ZONE_ANCHOR" /var/lib/unbound/root.key
	run --separate-stderr "$ASK" secure.mc MX
	assert_exit 0 && assert_line 'secure.mc MX found secure secure.mc: '
	cat "$ZONE_FOLDER/keys/"Kchild.mc.+*.ds >"$file"
	run --separate-stderr "$ASK" secure.mc MX child.mc MX
	assert_exit 0 && assert_line 'secure.mc MX found insecure secure.mc: ' && assert_line 'child.mc MX found secure child.mc: '
	rm -f "$file" /var/lib/unbound/root.key
}

@test "a key that is not the zone's makes everything bogus" {
	sed 's/^child\.mc\./mc./' "$ZONE_FOLDER/keys/"Kchild.mc.+*.key >"$BATS_TEST_TMPDIR/anchor"
	run --separate-stderr "$ASK" -a "$BATS_TEST_TMPDIR/anchor" secure.mc MX
	assert_exit 0 && assert_line_like 'secure.mc MX failed bogus secure.mc: the answer is bogus: '
}

@test "hosts files have no say" {
	cp /etc/hosts "$BATS_TEST_TMPDIR/hosts"
	echo '192.0.2.99 mx1.mc' >>/etc/hosts
	ask mx1.mc A
	cat "$BATS_TEST_TMPDIR/hosts" >/etc/hosts
	assert_line 'mx1.mc A found secure mx1.mc: '
	assert_records 127.0.0.11
}

@test "a library that cannot be loaded: 69, what to install, and that a smart host does without" {
	local soname

	soname=$(sed -n 's/^#define UNBOUND_SONAME "\(.*\)"/\1/p' "$BUILDDIR/config.h")
	mkdir "$BATS_TEST_TMPDIR/broken"
	echo "this is no library" >"$BATS_TEST_TMPDIR/broken/$soname"
	run --separate-stderr env LD_LIBRARY_PATH="$BATS_TEST_TMPDIR/broken" "$ASK" secure.mc MX
	assert_exit 69 && assert_stderr "direct delivery needs libunbound, which cannot be loaded"
	assert_stderr "hint: install libunbound" && assert_stderr "smart host"
	run --separate-stderr env LD_LIBRARY_PATH="$BATS_TEST_TMPDIR/broken" "$MAILCRANE" --version
	assert_exit 0 && assert_stdout "libunbound (cannot be loaded)"
}

@test "no process is started for the library: it works in a thread" {
	strace -o /dev/null true 2>/dev/null || skip "strace does not work here"
	ask secure.mc MX
	run --separate-stderr strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=clone,clone3,fork,vfork \
		env ASAN_OPTIONS=detect_leaks=0 "$ASK" -a "$ZONE_ANCHOR" secure.mc MX
	assert_exit 0 && assert_line 'secure.mc MX found secure secure.mc: '
	[ "$(grep -Ec '(clone3?|v?fork)\(' "$BATS_TEST_TMPDIR/trace")" -eq 1 ] || fail_with "one thread expected" "$(cat "$BATS_TEST_TMPDIR/trace")"
	grep -Eq 'clone.*CLONE_THREAD' "$BATS_TEST_TMPDIR/trace" || fail_with "a thread expected" "$(cat "$BATS_TEST_TMPDIR/trace")"
}

# The signals that the threads of process $1 block, but those of its first.
blocked_by_thread() {
	local task

	for task in "/proc/$1/task/"*; do
		[ "${task##*/}" = "$1" ] || sed -n 's/^SigBlk:[[:space:]]*//p' "$task/status"
	done
}

@test "the thread blocks all signals, and one ends the process that waits for an answer, of which nothing stays" {
	local number

	hosts_require
	hosts_silence "$SILENT"
	"$ASK" -s "$SILENT" -a '' -t 30 secure.mc MX >/dev/null 2>&1 3>&- 4>&- &
	number=$!
	wait_until 5 test -e "/proc/$number/task"
	wait_until 5 eval '[ "$(blocked_by_thread '"$number"' | wc -l)" -eq 1 ]'
	# All but SIGKILL, SIGSTOP and the two that the libc keeps for itself.
	[ "$(blocked_by_thread "$number")" = fffffffe7ffbfeff ] || fail_with "the thread blocks $(blocked_by_thread "$number")"
	grep -q '^SigBlk:[[:space:]]*0*$' "/proc/$number/status" || fail_with "the process itself blocks signals"
	kill -TERM "$number"
	wait_until 5 eval "! is_running $number"
	[ -z "$(pgrep -f "$ASK" || true)" ] || fail_with "a process is left"
}

@test "records can be added and taken away, and nothing old is remembered" {
	zone_add 'added A 127.0.0.21' 'added.insecure.mc. A 127.0.0.22'
	ask_both 'found secure added\.mc: ' added.mc A 127.0.0.21
	ask_both 'found insecure added\.insecure\.mc: ' added.insecure.mc A 127.0.0.22
	zone_remove '^added '
	ask_both 'no-name secure added\.mc: ' added.mc A
}

@test "each host has a port 25 of its own, which refuses where nobody listens" {
	local address

	hosts_require
	address=$(hosts_address 1)
	PEER=$(hosts_program 1 "$PEER") start_peer --listen "$address:25"
	write_config <<<$'host '"$address"$'\nport 25\nfrom joe@example.test\ntimeout 10'
	run_mailcrane alice@example.test <<<$'Subject: s\n\nhello'
	assert_exit 0 && assert_received 1
	write_config <<<$'host '"$(hosts_address 2)"$'\nport 25\nfrom joe@example.test\ntimeout 10'
	run_mailcrane alice@example.test <<<$'Subject: s\n\nhello'
	assert_exit 75 && assert_stderr "connection refused"
	hosts_silence "$SILENT"
	write_config <<<$'host '"$SILENT"$'\nport 25\nfrom joe@example.test\ntimeout 2'
	run_mailcrane alice@example.test <<<$'Subject: s\n\nhello'
	assert_exit 75 && refute_stderr "connection refused"
}

@test "hosts reach each other by IPv6" {
	hosts_require
	hosts_have_ipv6 || skip "this machine has no IPv6"
	PEER=$(hosts_program 1 "$PEER") start_peer --listen "[$(hosts_address6 1)]:25"
	write_config <<<$'host '"$(hosts_address6 1)"$'\nport 25\nfrom joe@example.test\ntimeout 10'
	run_mailcrane alice@example.test <<<$'Subject: s\n\nhello'
	assert_exit 0 && assert_received 1
}
