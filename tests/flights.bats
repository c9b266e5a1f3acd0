#!/usr/bin/env bats
# Round trips and system calls of a submission, counted at the peer and by strace(1): numbers, not times.

# shellcheck disable=SC2154 # run_mailcrane sets status, output and stderr

load lib/common

setup() {
	setup_home
	make_certificates "$BATS_TEST_TMPDIR/certificates"
	SERVE_ARGUMENTS=(--cert "$BATS_TEST_TMPDIR/certificates/cert.pem" --key "$BATS_TEST_TMPDIR/certificates/key.pem")
	SERVE_LINES="tls_trust_file $BATS_TEST_TMPDIR/certificates/ca.pem"
}

teardown() {
	stop_peer
}

# The peer counted so many flights in its only connection.
assert_flights() {
	wait_until 5 grep -q '"connections": 1, "open": 0' "$PEER_SUMMARY"
	assert_no_violation
	assert_summary flights "$1"
}

# The server's lines of the three ways to submit; the rest of the peer's options in $way, of the configuration in $lines.
choose_way() {
	case $1 in
	plain) way=() lines='' ;;
	starttls) way=(--tls starttls --auth PLAIN --password "$JOES_PASSWORD") lines=$'tls on\nauth plain\nuser joe\npassword '$JOES_PASSWORD ;;
	implicit) way=(--tls implicit --auth PLAIN --password "$JOES_PASSWORD") lines=$'tls on\ntls_starttls off\nauth plain\nuser joe\npassword '$JOES_PASSWORD ;;
	esac
}

# One message to COUNT recipients the WAY, with CHUNKING or another KEYWORD, takes FLIGHTS: check_flights WAY COUNT KEYWORD FLIGHTS.
check_flights() {
	local way lines recipients

	choose_way "$1"
	mapfile -t recipients < <(seq -f 'r%g@example.net' "$2")
	serve --ehlo PIPELINING --ehlo "$3" "${way[@]}" <<<"$lines"
	run_mailcrane "${recipients[@]}" <<<$'Subject: s\n\nhello'
	assert_exit 0
	assert_silent
	assert_received 1
	assert_flights "$4"
}

### Round trips

@test "in the clear, 1 and 50 recipients: 4 flights by BDAT, 5 by DATA" {
	check_flights plain 1 CHUNKING 4
	check_flights plain 50 CHUNKING 4
	check_flights plain 1 8BITMIME 5
	check_flights plain 50 8BITMIME 5
}

@test "STARTTLS and AUTH, 1 and 50 recipients: 8 flights by BDAT, 9 by DATA" {
	check_flights starttls 1 CHUNKING 8
	check_flights starttls 50 CHUNKING 8
	check_flights starttls 1 8BITMIME 9
	check_flights starttls 50 8BITMIME 9
}

@test "implicit TLS and AUTH, 1 and 50 recipients: 6 flights by BDAT, 7 by DATA" {
	check_flights implicit 1 CHUNKING 6
	check_flights implicit 50 CHUNKING 6
	check_flights implicit 1 8BITMIME 7
	check_flights implicit 50 8BITMIME 7
}

@test "each further message over a session costs one flight" {
	local number keyword flights arguments

	for number in 1 2 3 4 5; do
		printf 'Subject: %s\n\ntext %s\n' "$number" "$number" >"$BATS_TEST_TMPDIR/$number"
	done
	for keyword in CHUNKING 8BITMIME; do
		flights=4
		[ "$keyword" = CHUNKING ] || flights=5
		arguments=("--message=$BATS_TEST_TMPDIR/1")
		for number in 2 3 4 5; do
			arguments+=("--message=$BATS_TEST_TMPDIR/$number")
			flights=$((flights + 1))
			serve --ehlo PIPELINING --ehlo "$keyword" </dev/null
			run_mailcrane "${arguments[@]}" b@example.net
			assert_exit 0
			assert_received "$number"
			assert_flights "$flights"
		done
	done
}

@test "a message of 60 KiB still rides in the recipients' group: 4 flights" {
	make_message 60000 >"$BATS_TEST_TMPDIR/message"
	serve --ehlo PIPELINING --ehlo CHUNKING </dev/null
	run_mailcrane b@example.net <"$BATS_TEST_TMPDIR/message"
	assert_exit 0
	assert_message 1 "$BATS_TEST_TMPDIR/message"
	assert_flights 4
}

### System calls

# Send the small message to a@example.net and b@example.net under strace; the trace of the process and its children is in
# $trace, only what it does with the connection to the server.
trace_calls() {
	command -v strace >/dev/null || skip "there is no strace"
	strace -o /dev/null true 2>/dev/null || skip "ptrace is not permitted"
	trace=$BATS_TEST_TMPDIR/trace
	# shellcheck disable=SC2034 # for clean_environment; LeakSanitizer does not work under strace
	CLEAN_ENVIRONMENT=("ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0")
	run --separate-stderr clean_environment strace -f -yy -o "$trace" \
		-e trace=connect,setsockopt,sendto,sendmsg,sendmmsg,write,writev,pwrite64 \
		"$MAILCRANE" --queue=off a@example.net b@example.net 3>&- 4>&- <<<$'Subject: s\n\nhello'
	grep -E "<TCP:\[.*$PORT\]>|setsockopt|connect\(.*htons\($PORT\)" "$trace" >"$trace.connection"
	trace=$trace.connection
}

# No more calls that send than N, whatever they send.
assert_sends() {
	local sends

	sends=$(grep -E '(sendto|sendmsg|sendmmsg|write|writev)\(' "$trace" | grep -c . || true)
	((sends >= 1 && sends <= $1)) || fail_with "$sends calls that send, $1 at most expected" "$(cat "$trace")"
}

@test "no more calls that send than flights, in the clear" {
	serve --ehlo PIPELINING --ehlo CHUNKING </dev/null
	trace_calls
	assert_exit 0
	assert_sends 2
	serve --ehlo PIPELINING </dev/null
	trace_calls
	assert_exit 0
	assert_sends 3
}

@test "no more calls that send than flights, with STARTTLS and AUTH" {
	local way lines

	choose_way starttls
	serve --ehlo PIPELINING --ehlo CHUNKING "${way[@]}" <<<"$lines"
	trace_calls
	assert_exit 0
	# EHLO, STARTTLS, ClientHello, the end of the handshake with EHLO, AUTH, the group, and the good-bye of TLS.
	assert_sends 7
}

@test "no more calls that send than flights, with implicit TLS and AUTH" {
	local way lines

	choose_way implicit
	serve --ehlo PIPELINING --ehlo CHUNKING "${way[@]}" <<<"$lines"
	trace_calls
	assert_exit 0
	# ClientHello, Finished, EHLO, AUTH, the group, and the good-bye of TLS.
	assert_sends 6
}

@test "TCP_NODELAY is set before the connection is made" {
	serve </dev/null
	trace_calls
	assert_exit 0
	grep -qE 'setsockopt\(.*TCP_NODELAY, \[1\]' "$trace" || fail_with "TCP_NODELAY is not set" "$(cat "$trace")"
}
