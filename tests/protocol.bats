#!/usr/bin/env bats
# How mailcrane behaves with servers that misbehave: exit status, time, memory, and what people and logs are told.
# The exact dialogues are in tests/dialogues, played by tests/play-dialogues.

# shellcheck disable=SC2154 # run_mailcrane sets status, output and stderr

load lib/common

setup() {
	setup_home
	SERVE_LINES=$'timeout 10\nlogfile '$BATS_TEST_TMPDIR/log
}

teardown() {
	stop_peer
}

# The whole output is one line of reason with TEXT in it, apart from hints, and names account and server; the log has one
# line; nowhere is a control byte.
assert_reason() {
	local lines

	lines=$(grep -vc '^mailcrane: hint: ' <<<"$stderr" || true)
	[ "$lines" -eq 1 ] || fail_with "one line expected on stderr"
	[[ $stderr == "mailcrane: account default: 127.0.0.1: "* ]] || fail_with "account and server are not named"
	[[ $stderr == *"$1"* ]] || fail_with "stderr lacks: $1"
	[ -z "$output" ] || fail_with "nothing expected on stdout"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/log")" -eq 1 ] || fail_with "one line expected in the log"
	assert_no_control "$stderr" "$(cat "$BATS_TEST_TMPDIR/log")"
}

# None of the texts has a control byte but newline.
assert_no_control() {
	! printf '%s\n' "$@" | tr -d '\n' | grep -aq '[[:cntrl:]]' || fail_with "a control byte in the output"
}

# A server that asks for the text, reads none of it, and says a line of half a minute: its port in the file `port`.
start_dripping_server() {
	python3 - "$BATS_TEST_TMPDIR/port" <<-'END' 3>&- 4>&- &
		import os, socket, sys, time
		listener = socket.create_server(("127.0.0.1", 0))
		with open(sys.argv[1] + ".new", "w") as port:
		    port.write(str(listener.getsockname()[1]))
		os.rename(sys.argv[1] + ".new", sys.argv[1])
		peer = listener.accept()[0]
		lines = peer.makefile("rb")
		peer.sendall(b"220 mx.example ESMTP\r\n")
		for line in lines:
		    peer.sendall(b"354 go\r\n" if line.startswith(b"DATA") else b"250 ok\r\n")
		    if line.startswith(b"DATA"):
		        break
		for byte in b"554-" + b"x" * 56:
		    peer.sendall(bytes([byte]))
		    time.sleep(0.5)
	END
	DRIPPING_PID=$!
	wait_until 10 test -s "$BATS_TEST_TMPDIR/port"
}

# Neither sender nor credentials were said.
assert_discreet() {
	refute_wire_like '^(MAIL|AUTH|RCPT|DATA|BDAT)'
}

# Milliseconds that COMMAND takes, in $elapsed.
clocked() {
	local begin=${EPOCHREALTIME/./}

	"$@"
	elapsed=$(((${EPOCHREALTIME/./} - begin) / 1000))
}

assert_took() {
	((elapsed >= $1 && elapsed <= $2)) || fail_with "$elapsed ms, $1 to $2 expected"
}

# The most memory in KiB that sending stdin to b@example.net took, in $memory; sets $status.
measure_memory() {
	[ -x /usr/bin/time ] || skip "there is no /usr/bin/time"
	! grep -aq __asan_init "$MAILCRANE" || skip "a sanitizer's memory would be measured"
	run --separate-stderr clean_environment /usr/bin/time -f %M -o "$BATS_TEST_TMPDIR/memory" \
		"$MAILCRANE" --queue=off b@example.net 3>&- 4>&-
	memory=$(tail -n 1 "$BATS_TEST_TMPDIR/memory")
}

certified() {
	make_certificates "$BATS_TEST_TMPDIR/certificates"
	certificate=(--cert "$BATS_TEST_TMPDIR/certificates/cert.pem" --key "$BATS_TEST_TMPDIR/certificates/key.pem")
	trust="tls_trust_file $BATS_TEST_TMPDIR/certificates/ca.pem"
}

many_recipients() {
	seq -f 'r%g@example.net' "$1"
}

small=$'Subject: s\n\nhello'

### Greeting and EHLO

@test "protocol 1: a greeting of 554 ends the session with 69, QUIT and no EHLO" {
	serve --fault 'greet:reply=554 no service for you' </dev/null
	run_mailcrane b@example.net <<<"$small"
	assert_exit 69
	assert_reason '554 no service for you'
	assert_wire_count 1 QUIT
	assert_wire_count 0 EHLO
}

@test "protocol 2: a greeting of 421 is temporary" {
	serve --fault 'greet:reply=421 4.3.2 busy' </dev/null
	run_mailcrane b@example.net <<<"$small"
	assert_exit 75
	assert_reason '421 4.3.2 busy'
	assert_discreet
}

@test "protocol 4: a server that never greets is left at the timeout" {
	serve --fault greet:stall <<<"timeout 1"
	clocked run_mailcrane b@example.net <<<"$small"
	assert_exit 75
	assert_reason 'no answer within 1 second'
	assert_took 900 2500
}

@test "protocol 4: a server that never greets under implicit TLS is left at the timeout" {
	certified
	serve --tls implicit "${certificate[@]}" --fault greet:stall <<<$'timeout 1\ntls on\ntls_starttls off\n'"$trust"
	clocked run_mailcrane b@example.net <<<"$small"
	assert_exit 75
	assert_reason 'no answer within 1 second'
	assert_took 900 2500
}

@test "protocol 4: a TLS handshake that never ends is left at the timeout" {
	certified
	serve --tls implicit "${certificate[@]}" --fault handshake:stall <<<$'timeout 1\ntls on\ntls_starttls off\n'"$trust"
	clocked run_mailcrane b@example.net <<<"$small"
	assert_exit 75
	assert_reason ''
	assert_took 900 2500
}

@test "protocol 5: bytes that drip in do not move the deadline" {
	serve --fault greet:drip=300 <<<"timeout 2"
	clocked run_mailcrane b@example.net <<<"$small"
	assert_exit 75
	assert_reason 'no answer within 2 seconds'
	assert_took 1900 3500
}

@test "protocol 7: no HELO, no sender and no credentials where TLS is demanded and EHLO refused" {
	certified
	serve --fault 'ehlo:reply=502 what' <<<$'tls on\n'"$trust"
	run_mailcrane b@example.net <<<"$small"
	assert_exit 69
	assert_reason '502 what'
	assert_discreet
	refute_wire_like '^HELO'
}

@test "protocol 7: no HELO, no sender and no credentials where a login is demanded and EHLO refused" {
	serve --fault 'ehlo:reply=502 what' <<<$'auth plain\nauth_cleartext loopback\nuser joe\npassword '$JOES_PASSWORD
	run_mailcrane b@example.net <<<"$small"
	assert_exit 69
	assert_reason '502 what'
	assert_discreet
	refute_wire_like '^HELO'
	assert_no_secret "$JOES_PASSWORD"
}

@test "protocol 8: an EHLO reply of 300 lines is refused" {
	serve --fault 'ehlo:raw=\*300{250-X-KEYWORD\r\n}250 END\r\n' </dev/null
	run_mailcrane b@example.net <<<"$small"
	assert_exit 76
	assert_reason 'too long'
	assert_discreet
}

@test "protocol 9: an EHLO line of 5000 octets does no harm" {
	serve --fault 'ehlo:raw=250-peer\r\n250-X\*5000{a}\r\n250 SIZE 100000\r\n' </dev/null
	run_mailcrane b@example.net <<<"$small"
	assert_exit 0
	assert_silent
	assert_received 1
	assert_wire_like '^MAIL FROM:<joe@example.test> SIZE='
}

@test "protocol 10: an EHLO line of a mebibyte is refused and takes no memory" {
	local usual

	serve </dev/null
	measure_memory <<<"$small"
	assert_exit 0
	usual=$memory
	rm "$BATS_TEST_TMPDIR/log"
	serve --fault 'ehlo:raw=250-X\*1048576{a}\r\n250 END\r\n' </dev/null
	measure_memory <<<"$small"
	assert_exit 76
	assert_reason ''
	[ "$((memory - usual))" -lt 2048 ] || fail_with "$memory KiB instead of $usual"
}

### Replies

@test "protocol 12: a final reply that breaks off leaves the outcome unknown, and says so" {
	serve --ehlo PIPELINING --fault 'dot:raw=250-partial\r\n' <<<"timeout 1"
	run_mailcrane b@example.net <<<"$small"
	assert_exit 75
	assert_reason 'may be delivered twice'
	assert_stderr b@example.net
}

@test "protocol 15: what could hurt a terminal is made harmless on stderr, in the log and in the dialogue shown" {
	local text='550 5.1.1 \x1b[31mred\x07\x9b0m \xe2\x80\xaeevil \xff' shape

	for shape in msmtp json; do
		rm -f "$BATS_TEST_TMPDIR/log"
		serve --fault "rcpt:reply=$text" <<<"log_format $shape"
		run_mailcrane b@example.net <<<"$small"
		assert_exit 67
		assert_reason '\x1b[31mred\x07\x9b0m \xe2\x80\xaeevil \xff'
		! grep -aqP '\x9b|\xff|\xe2\x80\xae' "$BATS_TEST_TMPDIR/log" || fail_with "raw bytes in the log"
		[[ $stderr != *$'\x9b'* && $stderr != *$'\xff'* && $stderr != *$'\xe2\x80\xae'* ]] || fail_with "raw bytes"
	done
	run_mailcrane -d b@example.net <<<"$small"
	assert_exit 67
	assert_no_control "$output" "$stderr"
	[[ $stderr != *$'\x9b'* && $stderr != *$'\xff'* && $stderr != *$'\xe2\x80\xae'* ]] || fail_with "raw bytes"
}

@test "protocol 18: MAIL refused for now is 75, for good 69" {
	serve --fault 'mail*1:reply=451 4.3.0 later' --fault 'mail:reply=550 5.7.1 never' </dev/null
	run_mailcrane b@example.net <<<"$small"
	assert_exit 75
	assert_reason '451 4.3.0 later'
	rm "$BATS_TEST_TMPDIR/log"
	run_mailcrane b@example.net <<<"$small"
	assert_exit 69
	assert_reason '550 5.7.1 never'
	assert_received 0
}

### Recipients

@test "protocol 19: a refused recipient does not stop the others and is named" {
	serve </dev/null
	run_mailcrane a@example.net perm@example.net c@example.net <<<"$small"
	assert_exit 67
	assert_reason 'perm@example.net refused (recipient): 550'
	assert_received 1
	assert_recipients 1 a@example.net c@example.net
}

@test "protocol 19: with 'atomic on' a refused recipient means that nobody gets it, and no text is sent" {
	serve </dev/null
	run_mailcrane --atomic a@example.net perm@example.net c@example.net <<<"$small"
	assert_exit 67
	assert_stderr 'perm@example.net refused (recipient): 550'
	assert_received 0
	refute_wire_like '^(DATA|BDAT)'
}

@test "protocol 20: nobody accepted and yet 354: a lone dot and no text" {
	serve --ehlo PIPELINING --log-body --fault 'data:raw=354 go\r\n' \
		--fault 'dot:reply=554 5.5.1 no valid recipients' </dev/null
	run_mailcrane perm1@example.net perm2@example.net <<<"$small"
	assert_exit 67
	assert_stderr perm1@example.net
	assert_stderr perm2@example.net
	refute_wire_like hello
	assert_received 0
}

@test "protocol 21: recipients over the server's most are served in further transactions" {
	local recipients

	mapfile -t recipients < <(many_recipients 250)
	serve --max-rcpt 100 --strict </dev/null
	run_mailcrane "${recipients[@]}" <<<"$small"
	assert_exit 0
	assert_silent
	assert_received 3
	[ "$(recipients_of 1; recipients_of 2; recipients_of 3)" = "$(many_recipients 250)" ] || fail_with "recipients differ"
	assert_summary connections 1
	assert_no_violation
}

@test "protocol 22: 552 to RCPT is temporary" {
	serve --fault 'rcpt:reply=552 5.2.2 mailbox full' </dev/null
	run_mailcrane b@example.net <<<"$small"
	assert_exit 75
	assert_reason '552 5.2.2 mailbox full'
}

@test "protocol 23: the address in the text of 251 and 551 is never used" {
	serve --fault 'rcpt#1:reply=251 will go to <x@elsewhere.test>' --fault 'rcpt#2:reply=551 try <y@elsewhere.test>' </dev/null
	run_mailcrane b@example.net c@example.net <<<"$small"
	assert_exit 67
	assert_reason 'c@example.net refused (recipient): 551'
	assert_received 1
	refute_wire_like elsewhere
}

@test "protocol 29: 421 to the second recipient defers them all" {
	serve --fault 'rcpt#2:reply=421 4.7.0 too much' </dev/null
	run_mailcrane b@example.net c@example.net d@example.net <<<"$small"
	assert_exit 75
	assert_stderr '421 4.7.0 too much'
	assert_received 0
}

# So many recipients that nobody's buffers hold them all, in $many: ten thousand, fewer where a sanitizer makes it slow.
choose_many() {
	many=10000
	! grep -aq __asan_init "$MAILCRANE" || many=2000
}

# bats test_tags=slow
@test "protocol 33: ten thousand recipients at a server that answers late do not lock up" {
	local recipients

	choose_many
	mapfile -t recipients < <(many_recipients "$many")
	serve --rtt 5 --fault "rcpt#$((many / 2)):delay=500" </dev/null
	run_mailcrane "${recipients[@]}" <<<"$small"
	assert_exit 0
	assert_silent
	assert_received 1
	[ "$(recipients_of 1)" = "$(many_recipients "$many")" ] || fail_with "recipients differ"
}

# bats test_tags=slow
@test "protocol 33: ten thousand refused recipients with long texts do not lock up" {
	local recipients

	choose_many
	mapfile -t recipients < <(many_recipients "$many")
	serve --fault 'rcpt:reply=550 5.1.1 \*900{x}' </dev/null
	run_mailcrane "${recipients[@]}" <<<"$small"
	assert_exit 67
	[ "$(grep -c 'refused (recipient): 550' <<<"$stderr")" -eq "$many" ] || fail_with "not everybody is told about"
}

@test "protocol 34: a server without PIPELINING gets one command at a time" {
	serve --ehlo "" --strict </dev/null
	run_mailcrane a@example.net perm@example.net c@example.net <<<"$small"
	assert_exit 67
	assert_recipients 1 a@example.net c@example.net
	assert_no_violation
}

@test "protocol 35: LIMITS RCPTMAX=2 with five recipients takes three transactions" {
	serve --ehlo PIPELINING --ehlo 'LIMITS RCPTMAX=2' --ehlo CHUNKING </dev/null
	run_mailcrane 1@example.net 2@example.net 3@example.net 4@example.net 5@example.net <<<"$small"
	assert_exit 0
	assert_received 3
	assert_recipients 1 1@example.net 2@example.net
	assert_recipients 2 3@example.net 4@example.net
	assert_recipients 3 5@example.net
}

@test "protocol 35: LIMITS MAILMAX=1 with two messages takes two connections" {
	printf 'Subject: 1\n\none\n' >"$BATS_TEST_TMPDIR/1"
	printf 'Subject: 2\n\ntwo\n' >"$BATS_TEST_TMPDIR/2"
	serve --ehlo PIPELINING --ehlo 'LIMITS MAILMAX=1' </dev/null
	run_mailcrane --message="$BATS_TEST_TMPDIR/1" --message="$BATS_TEST_TMPDIR/2" b@example.net
	assert_exit 0
	assert_received 2
	assert_header 1 Subject 1
	assert_header 2 Subject 2
	wait_until 5 grep -q '"open": 0' "$PEER_SUMMARY"
	assert_summary connections 2
}

### LMTP

@test "protocol 36: LMTP answers only for those who were accepted" {
	serve --lmtp <<<$'protocol lmtp'
	run_mailcrane a@example.net perm@example.net c@example.net <<<"$small"
	assert_exit 67
	assert_reason 'perm@example.net refused (recipient): 550'
	assert_wire_count 1 LHLO
}

@test "protocol 37: LMTP takes it for one and defers it for another: 75, and only the other is named" {
	serve --lmtp <<<$'protocol lmtp'
	run_mailcrane a@example.net latetemp@example.net <<<"$small"
	assert_exit 75
	assert_reason 'latetemp@example.net not delivered now (end of message): 450'
	refute_stderr a@example.net
	assert_received 1
}

@test "protocol 37: LMTP refuses it for one after the text: 67" {
	serve --lmtp <<<$'protocol lmtp'
	run_mailcrane a@example.net lateperm@example.net <<<"$small"
	assert_exit 67
	assert_stderr 'lateperm@example.net refused (end of message): 550'
}

### The text

@test "protocol 26: a refusal while 50 MiB are being sent by DATA ends it at once" {
	make_message 52428800 >"$BATS_TEST_TMPDIR/message"
	serve --ehlo PIPELINING --discard --fault 'body@1048576:reply=552 5.3.4 too much' <<<"timeout 30"
	clocked run_mailcrane b@example.net <"$BATS_TEST_TMPDIR/message"
	assert_exit 69
	assert_reason '552 5.3.4 too much'
	assert_received 0
	assert_took 0 8000
	wait_until 10 grep -q '"open": 0' "$PEER_SUMMARY"
	(($(summary_of bytes_in) < 40000000)) || fail_with "the rest of the message was sent"
}

@test "protocol 26: a refusal while 50 MiB are being sent by BDAT ends it at once" {
	make_message 52428800 >"$BATS_TEST_TMPDIR/message"
	serve --ehlo PIPELINING --ehlo CHUNKING --discard --fault 'body@1500000:reply=552 5.3.4 too much' <<<"timeout 30"
	clocked run_mailcrane b@example.net <"$BATS_TEST_TMPDIR/message"
	assert_exit 69
	assert_reason '552 5.3.4 too much'
	assert_received 0
	assert_took 0 8000
	wait_until 10 grep -q '"open": 0' "$PEER_SUMMARY"
	(($(summary_of bytes_in) < 40000000)) || fail_with "the rest of the message was sent"
}

@test "protocol 27: a server that stops reading in the text is left at the timeout" {
	make_message 52428800 >"$BATS_TEST_TMPDIR/message"
	serve --ehlo PIPELINING --discard --fault body@1048576:stop-reading <<<"timeout 2"
	clocked run_mailcrane b@example.net <"$BATS_TEST_TMPDIR/message"
	assert_exit 75
	assert_reason 'within 2 seconds'
	refute_stderr twice
	assert_took 1900 9000
}

@test "protocol 27: bytes of an early reply, one by one, do not keep a server alive that stopped reading" {
	command -v python3 >/dev/null || skip "there is no python3"
	make_message 52428800 >"$BATS_TEST_TMPDIR/message"
	start_dripping_server
	write_config <<-END
		host 127.0.0.1
		port $(cat "$BATS_TEST_TMPDIR/port")
		from joe@example.test
		timeout 2
		logfile $BATS_TEST_TMPDIR/log
	END
	clocked run_mailcrane b@example.net <"$BATS_TEST_TMPDIR/message"
	kill "$DRIPPING_PID" 2>/dev/null || true
	assert_exit 75
	assert_reason 'within 2 seconds'
	assert_took 1900 9000
}

@test "protocol 28: a connection that ends after the dot says 'may be delivered twice', with the Message-ID kept" {
	serve --ehlo PIPELINING --fault 'dot*1:close' </dev/null
	run_mailcrane b@example.net <<<$'Subject: s\nMessage-ID: <one@example.test>\n\nhello'
	assert_exit 75
	assert_reason 'may be delivered twice'
	run_mailcrane b@example.net <<<$'Subject: s\nMessage-ID: <one@example.test>\n\nhello'
	assert_exit 0
	assert_header 1 Message-ID '<one@example.test>'
}

@test "protocol 30: a server that does not answer QUIT does not hold up success" {
	serve --ehlo "" --fault quit:stall <<<"timeout 30"
	clocked run_mailcrane b@example.net <<<"$small"
	assert_exit 0
	assert_silent
	assert_took 0 2000
}

@test "protocol 30: whatever answers QUIT, success stays success" {
	local what

	for what in close reset 'raw=\x00\xff\r\n' 'reply=550 no way out' 'reply=250-\r\n'; do
		serve --fault "quit:$what" </dev/null
		run_mailcrane b@example.net <<<"$small"
		assert_exit 0
		assert_silent
		assert_received 1
	done
}

@test "protocol 31: a message over the server's SIZE is refused before MAIL" {
	make_message 3000 >"$BATS_TEST_TMPDIR/message"
	serve --ehlo 'SIZE 1000' </dev/null
	run_mailcrane b@example.net <"$BATS_TEST_TMPDIR/message"
	assert_exit 69
	assert_reason '5.3.4'
	assert_discreet
}

@test "protocol 38: the first of many chunks refused: no further chunk, and the next message still goes" {
	make_message 5000000 >"$BATS_TEST_TMPDIR/1"
	printf 'Subject: 2\n\ntwo\n' >"$BATS_TEST_TMPDIR/2"
	serve --ehlo CHUNKING --fault 'bdat*1:reply=550 5.7.1 no' </dev/null
	run_mailcrane --message="$BATS_TEST_TMPDIR/1" --message="$BATS_TEST_TMPDIR/2" b@example.net
	assert_exit 69
	assert_stderr '550 5.7.1 no'
	assert_received 1
	assert_header 1 Subject 2
	assert_wire_like '^RSET'
	[ "$(wire | grep -c '^BDAT')" -le 2 ] || fail_with "chunks after the refusal"
}

@test "protocol 39: CHUNKING offered and BDAT not understood: DATA, once" {
	serve --fault 'bdat:reply=503 5.5.1 what is BDAT' </dev/null
	run_mailcrane a@example.net b@example.net <<<"$small"
	assert_exit 0
	assert_silent
	assert_received 1
	assert_recipients 1 a@example.net b@example.net
	assert_wire_count 1 BDAT
	assert_wire_count 1 DATA
}

@test "protocol 39: the same for a message of many chunks" {
	make_message 3000000 >"$BATS_TEST_TMPDIR/message"
	serve --fault 'bdat:reply=503 5.5.1 what is BDAT' </dev/null
	run_mailcrane b@example.net <"$BATS_TEST_TMPDIR/message"
	assert_exit 0
	assert_received 1
	assert_wire_count 1 DATA
	assert_message 1 "$BATS_TEST_TMPDIR/message"
}
