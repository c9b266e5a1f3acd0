#!/usr/bin/env bats
# From standard input or files to the server: every byte, one message, the right exit status, and silence on success.

# shellcheck disable=SC2154 # run_mailcrane sets status, output and stderr

load lib/common

setup() {
	setup_home
}

teardown() {
	stop_peer
}

# Nobody has connected to the peer.
assert_no_connection() {
	[ ! -s "$PEER_LOG" ] || fail_with "no connection expected"
}

# The SHA-256 of the file with CRLF line ends, as the peer tells it of what it discards.
wire_digest() {
	sed 's/$/\r/' "$1" | sha256sum | cut -d ' ' -f 1
}

# The most memory in KiB that sending FILE took, in $memory.
measure_memory() {
	[ -x /usr/bin/time ] || skip "there is no /usr/bin/time"
	! grep -aq __asan_init "$MAILCRANE" || skip "a sanitizer's memory would be measured"
	run --separate-stderr clean_environment /usr/bin/time -f %M -o "$BATS_TEST_TMPDIR/memory" \
		"$MAILCRANE" --queue=off b@example.net <"$1" 3>&- 4>&-
	memory=$(tail -n 1 "$BATS_TEST_TMPDIR/memory")
}

small=$'Subject: s\n\nhello'

### Every byte

@test "8 MiB through a pipe arrive byte for byte, by DATA and by BDAT" {
	local keyword

	make_message 8388608 >"$BATS_TEST_TMPDIR/message"
	for keyword in "" CHUNKING; do
		serve --ehlo "$keyword" --discard </dev/null
		run_mailcrane b@example.net < <(cat "$BATS_TEST_TMPDIR/message")
		assert_exit 0
		assert_silent
		[ "$(envelope_of 1 sha256)" = "$(wire_digest "$BATS_TEST_TMPDIR/message")" ] || fail_with "other bytes arrived"
	done
}

# bats test_tags=slow
@test "100 MiB through a pipe arrive byte for byte" {
	make_message 104857600 >"$BATS_TEST_TMPDIR/message"
	serve --ehlo PIPELINING --ehlo CHUNKING --discard </dev/null
	run_mailcrane b@example.net < <(cat "$BATS_TEST_TMPDIR/message")
	assert_exit 0
	[ "$(envelope_of 1 sha256)" = "$(wire_digest "$BATS_TEST_TMPDIR/message")" ] || fail_with "other bytes arrived"
}

# bats test_tags=slow
@test "100 MiB take less than 8 MiB of memory more than 1 KiB" {
	local keyword usual

	make_message 1024 >"$BATS_TEST_TMPDIR/small"
	make_message 104857600 >"$BATS_TEST_TMPDIR/large"
	for keyword in PIPELINING CHUNKING; do
		serve --ehlo "$keyword" --discard </dev/null
		measure_memory "$BATS_TEST_TMPDIR/small"
		assert_exit 0
		usual=$memory
		measure_memory "$BATS_TEST_TMPDIR/large"
		assert_exit 0
		[ "$((memory - usual))" -lt 8192 ] || fail_with "$memory KiB instead of $usual"
	done
}

@test "one line of 8 MiB arrives in lines that every server takes, and decodes to the same" {
	command -v python3 >/dev/null || skip "there is no python3"
	head -c 8388608 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/line"
	echo >>"$BATS_TEST_TMPDIR/line"
	serve --ehlo CHUNKING --strict </dev/null
	run_mailcrane b@example.net < <(printf 'Subject: long\n\n'; cat "$BATS_TEST_TMPDIR/line")
	assert_exit 0
	assert_silent
	assert_no_violation
	assert_header 1 Content-Transfer-Encoding quoted-printable
	body <"$(received 1)" | tr -d '\r' | python3 -m quopri -d >"$BATS_TEST_TMPDIR/decoded"
	cmp "$BATS_TEST_TMPDIR/line" "$BATS_TEST_TMPDIR/decoded" || fail_with "other bytes arrived"
}

@test "success is silent" {
	serve </dev/null
	run_mailcrane a@example.net b@example.net <<<"$small"
	assert_exit 0
	assert_silent
	assert_received 1
	assert_recipients 1 a@example.net b@example.net
	[ "$(body <"$(received 1)")" = $'hello\r' ] || fail_with "the body is another"
}

@test "an empty standard input is a message with generated headers and an empty body" {
	serve </dev/null
	run_mailcrane b@example.net </dev/null
	assert_exit 0
	assert_received 1
	[[ $(header_of 1 From) == *joe@example.test* ]] || fail_with "From is missing"
	[ -n "$(header_of 1 Date)" ] && [ -n "$(header_of 1 Message-ID)" ] || fail_with "Date or Message-ID is missing"
	[ -z "$(body <"$(received 1)")" ] || fail_with "the body is not empty"
}

@test "a message without final newline gets one" {
	serve --strict </dev/null
	run_mailcrane b@example.net < <(printf 'Subject: s\n\nhello')
	assert_exit 0
	[ "$(body <"$(received 1)" | od -An -tx1)" = "$(printf 'hello\r\n' | od -An -tx1)" ] || fail_with "the body is another"
}

@test "a producer that dies ends the message where it died" {
	serve </dev/null
	run_mailcrane b@example.net < <(printf 'Subject: s\n\nfirst line\nsecond li'; kill -KILL "$BASHPID")
	assert_exit 0
	[ "$(body <"$(received 1)" | tr -d '\r')" = $'first line\nsecond li' ] || fail_with "the body is another"
}

### Where the message comes from

@test "nothing is said about a terminal unless standard input is one" {
	command -v script >/dev/null || skip "there is no script(1)"
	serve </dev/null
	printf 'Subject: s\n\nhello\n\004' >"$BATS_TEST_TMPDIR/typed"
	clean_environment timeout 20 script -qec "'$MAILCRANE' b@example.net" "$BATS_TEST_TMPDIR/terminal" \
		<"$BATS_TEST_TMPDIR/typed" >/dev/null 3>&- 4>&-
	grep -q 'hint: reading the message from the terminal' "$BATS_TEST_TMPDIR/terminal" ||
		fail_with "no hint" "$(cat "$BATS_TEST_TMPDIR/terminal")"
	assert_received 1
	[ "$(body <"$(received 1)")" = $'hello\r' ] || fail_with "the body is another"
}

@test "a closed standard input is 74 and nothing is connected" {
	serve </dev/null
	# shellcheck disable=SC2016 # for the shell inside, since bats itself opens files
	run --separate-stderr clean_environment bash -c 'timeout 20 "$0" --queue=off b@example.net <&-' "$MAILCRANE" 3>&- 4>&-
	assert_exit 74
	assert_stderr 'standard input is closed'
	assert_no_connection
}

@test "protocol 89: a standard input that cannot be read is 74 and nothing is connected" {
	serve </dev/null
	run_mailcrane b@example.net <"$BATS_TEST_TMPDIR"
	assert_exit 74
	assert_stderr 'directory'
	assert_no_connection
}

@test "several files go over one connection, with a report for each" {
	local number

	serve </dev/null
	for number in 1 2 3; do
		printf 'Subject: %s\n\ntext %s\n' "$number" "$number" >"$BATS_TEST_TMPDIR/$number"
	done
	run_mailcrane --message="$BATS_TEST_TMPDIR/1" --message="$BATS_TEST_TMPDIR/2" --message="$BATS_TEST_TMPDIR/3" b@example.net
	assert_exit 0
	[ -z "$stderr" ] || fail_with "nothing expected on stderr"
	[ "${#lines[@]}" -eq 3 ] || fail_with "three lines expected on stdout"
	for number in 1 2 3; do
		[[ ${lines[number - 1]} == "$BATS_TEST_TMPDIR/$number: 1 recipient: 250 "* ]] || fail_with "no report about $number"
		assert_header "$number" Subject "$number"
	done
	wait_until 5 grep -q '"open": 0' "$PEER_SUMMARY"
	assert_summary connections 1
}

@test "of several files one is refused: the others go, and it is named" {
	serve </dev/null
	printf 'Subject: 1\n\none\n' >"$BATS_TEST_TMPDIR/1"
	printf 'Subject: [data5]\n\ntwo\n' >"$BATS_TEST_TMPDIR/2"
	printf 'Subject: 3\n\nthree\n' >"$BATS_TEST_TMPDIR/3"
	run_mailcrane --message="$BATS_TEST_TMPDIR/1" --message="$BATS_TEST_TMPDIR/2" --message="$BATS_TEST_TMPDIR/3" b@example.net
	assert_exit 69
	assert_received 2
	[ "${#lines[@]}" -eq 2 ] || fail_with "two lines expected on stdout"
	[[ $stderr == "mailcrane: $BATS_TEST_TMPDIR/2: account default: 127.0.0.1: "*554* ]] || fail_with "the file is not named"
}

@test "of several files one cannot be read: nothing is sent" {
	serve </dev/null
	printf '%s\n' "$small" >"$BATS_TEST_TMPDIR/1"
	run_mailcrane --message="$BATS_TEST_TMPDIR/1" --message="$BATS_TEST_TMPDIR/none" b@example.net
	assert_exit 66
	assert_stderr "$BATS_TEST_TMPDIR/none"
	assert_no_connection
}

@test "--message=- is standard input, once" {
	serve </dev/null
	run_mailcrane --message=- b@example.net <<<"$small"
	assert_exit 0
	assert_received 1
	run_mailcrane --message=- --message=- b@example.net <<<"$small"
	assert_exit 64
	assert_received 1
}

### Injection

@test "protocol 81: an address with more than an address in it is 65 and nothing is connected" {
	serve </dev/null
	run_mailcrane -f $'a@b>\r\nRCPT TO:<evil@y' b@example.net <<<"$small"
	assert_exit 65
	assert_no_connection
	run_mailcrane $'a@b>\r\nRCPT TO:<evil@y' <<<"$small"
	assert_exit 65
	assert_no_connection
	run_mailcrane -t <<<$'To: a@b>\x01<evil@y\nSubject: s\n\nhello'
	assert_exit 65
	assert_no_connection
	! tr -d '\n' <<<"$stderr" | grep -q '[[:cntrl:]]' || fail_with "a control byte on stderr"
}

@test "protocol 82: every kind of Bcc is served and absent on the wire" {
	serve --log-body </dev/null
	run_mailcrane -t < <(printf '%b\n' 'To: to@example.net' 'Bcc : 1@example.net' 'BCC: 2@example.net,\n\t3@example.net' \
		'bcc:4@example.net' 'Subject: s' '' 'Bcc: body@example.net')
	assert_exit 0
	assert_recipients 1 to@example.net 1@example.net 2@example.net 3@example.net 4@example.net
	! headers <"$(received 1)" | grep -qiE '^(resent-)?bcc|[1-4]@example\.net' || fail_with "a Bcc was sent"
	[ "$(body <"$(received 1)" | tr -d '\r')" = 'Bcc: body@example.net' ] || fail_with "the body is another"
}

@test "protocol 82: Resent-Bcc is served and absent on the wire" {
	serve </dev/null
	run_mailcrane -t < <(printf '%s\n' 'Resent-From: joe@example.test' 'Resent-To: to@example.net' \
		'Resent-Bcc: 1@example.net' 'To: x@example.net' 'Bcc: 2@example.net' 'Subject: s' '' 'hello')
	assert_exit 0
	assert_recipients 1 to@example.net 1@example.net
	! grep -qiE '^(resent-)?bcc|[12]@example\.net' "$(received 1)" || fail_with "a Bcc was sent"
}

@test "protocol 82: a header line that begins with NUL hides no Bcc" {
	serve </dev/null
	run_mailcrane -t < <(printf 'To: to@example.net\n\0X: y\nBcc: 1@example.net\nSubject: s\n\nhello\n')
	if [ "$status" -eq 0 ]; then
		! headers <"$(received 1)" | grep -aqi '^bcc' || fail_with "a Bcc was sent"
		! grep -aqi '^bcc' "$(received 1)" || fail_with "a Bcc was sent"
	else
		assert_exit 65
		assert_no_connection
	fi
}

# Send to the peer what would be two messages for a server that takes SEQUENCE for the end of the first one.
smuggle() {
	local inner='MAIL FROM:<evil@example.test>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\nSubject: evil\r\n\r\nevil'
	local text="From: joe@example.test\nSubject: s\n\nbefore$1$inner$1after\n"

	run_mailcrane b@example.net < <(printf '%b' "$text")
}

@test "protocol 83: no sequence of line ends and dots smuggles a second message, by DATA or BDAT, at strict or lenient servers" {
	local keyword option sequence sent

	for keyword in "" CHUNKING; do for option in --strict --lenient-dot; do
		serve --ehlo "$keyword" "$option" </dev/null
		sent=0
		for sequence in '\n.\n' '\r.\r' '\r\n.\r' '\n.\r\n' '\r.\r\n' '\r\r\n.\r\r\n' '\0000\r\n.\r\n' '\r\n.\r\n' '\n.\r' \
			'\n\0000.\n' '\r\n\0000.\r\n' '\r\n.\0000\r\n' '\n.\n.\n' '\v.\n' '\n..\n'; do
			smuggle "$sequence"
			if [ "$status" -ne 0 ]; then
				# A NUL may be refused, but not sent.
				assert_exit 65
				[[ $sequence == *0000* ]] || fail_with "$sequence was refused"
				continue
			fi
			sent=$((sent + 1))
			assert_received "$sent"
			assert_wire_count "$sent" MAIL
			assert_recipients "$sent" b@example.net
			[ "$(sender_of "$sent")" = joe@example.test ] || fail_with "another sender"
			grep -aq after "$(received "$sent")" || fail_with "the message ends too early after $sequence"
		done
		[ "$sent" -ge 10 ] || fail_with "only $sent messages were sent"
		assert_no_violation
	done; done
}

@test "protocol 83: a message whose first line is a dot is one message" {
	serve --ehlo "" --strict </dev/null
	run_mailcrane b@example.net < <(printf '.\nMAIL FROM:<evil@example.test>\n.\n')
	assert_exit 0
	assert_received 1
	[ "$(body <"$(received 1)" | tr -d '\r')" = $'.\nMAIL FROM:<evil@example.test>\n.' ] || fail_with "the body is another"
}

### Recipients

@test "-t takes To, Cc and Bcc, removes Bcc, and adds the operands" {
	serve </dev/null
	run_mailcrane -t extra@example.net <<<$'To: "A, B" <a@example.net>\nCc: c@example.net\nBcc: hidden@example.net\nSubject: s\n\nhello'
	assert_exit 0
	assert_recipients 1 a@example.net c@example.net hidden@example.net extra@example.net
	! grep -qi '^bcc\|hidden' "$(received 1)" || fail_with "Bcc was sent"
	assert_header 1 To '"A, B" <a@example.net>'
}

# Pipe 3 MB into mailcrane ARGS: the statuses of writer and reader in $output.
flood() {
	# shellcheck disable=SC2016 # for the shell inside
	run --separate-stderr clean_environment bash -c \
		'head -c 3000000 /dev/zero | timeout 20 "$0" --queue=off "$@"; echo "${PIPESTATUS[*]}"' "$MAILCRANE" "$@" 3>&- 4>&-
	[ "$(grep -vc '^mailcrane: hint: ' <<<"$stderr")" -eq 1 ] || fail_with "one line and hints expected on stderr"
}

@test "without recipients it is 64, nothing is sent, and the writer of 3 MB does not die of SIGPIPE" {
	serve </dev/null
	flood
	[ "$output" = "0 64" ] || fail_with "the writer's status and ours: $output"
	assert_no_connection
}

@test "no error before the message is read lets its writer die of SIGPIPE" {
	serve </dev/null
	flood --no-such-option b@example.net
	[ "$output" = "0 64" ] || fail_with "the writer's status and ours: $output"
	flood -a nobody b@example.net
	[ "$output" = "0 78" ] || fail_with "the writer's status and ours: $output"
	flood -f bad@@example.test b@example.net
	[ "$output" = "0 65" ] || fail_with "the writer's status and ours: $output"
	write_config <<<no_such_setting
	flood b@example.net
	[ "$output" = "0 78" ] || fail_with "the writer's status and ours: $output"
	assert_no_connection
}

@test "-t with nobody in the header is 64 and nothing is sent" {
	serve </dev/null
	run_mailcrane -t <<<"$small"
	assert_exit 64
	assert_no_connection
}

### Signals

# Has the peer got a piece of the message?
has_text_arrived() {
	[ -n "$(find "$PEER_MAIL" -name '.*.eml' -size +0)" ]
}

@test "protocol 90: SIGTERM in the text drops the connection without the dot" {
	local code=0

	make_message 52428800 >"$BATS_TEST_TMPDIR/message"
	serve --ehlo "" --fault body@100000:delay=2000 </dev/null
	# shellcheck disable=SC2016 # for the shell inside, which becomes the program
	clean_environment bash -c 'echo $$ >"$1"; exec "$0" --queue=off b@example.net' "$MAILCRANE" "$BATS_TEST_TMPDIR/pid" \
		<"$BATS_TEST_TMPDIR/message" >/dev/null 2>&1 3>&- 4>&- &
	wait_until 10 has_text_arrived
	kill -TERM "$(cat "$BATS_TEST_TMPDIR/pid")"
	wait $! || code=$?
	[ "$code" -ne 0 ] || fail_with "failure expected"
	wait_until 10 grep -q '"connections": 1, "open": 0' "$PEER_SUMMARY"
	assert_received 0
}

### Exit status

@test "64: an option that does not exist, and nothing is connected" {
	serve </dev/null
	run_mailcrane --no-such-option b@example.net <<<"$small"
	assert_exit 64
	assert_stderr no-such-option
	assert_no_connection
}

@test "a quoted local name with an @ in it gets the domain, as every local name does" {
	serve <<<'mailname example.test'
	run_mailcrane '"a@b"' '"a@b"@example.test' <<<"$small"
	assert_exit 0
	assert_recipients 1 '"a@b"@example.test'
}

@test "65: a recipient that is no address is named, and nothing is connected" {
	serve </dev/null
	run_mailcrane a@example.net bad@@example.net <<<"$small"
	assert_exit 65
	assert_stderr bad@@example.net
	assert_no_connection
}

@test "67: a recipient is refused" {
	serve </dev/null
	run_mailcrane perm@example.net <<<"$small"
	assert_exit 67
	assert_stderr perm@example.net
}

@test "69: the sender or the text is refused" {
	serve </dev/null
	run_mailcrane -f badfrom@example.test b@example.net <<<"$small"
	assert_exit 69
	run_mailcrane b@example.net <<<$'Subject: [data5]\n\nhello'
	assert_exit 69
	assert_received 0
}

@test "75: nobody listens, or the answer is 'later'" {
	serve </dev/null
	run_mailcrane b@example.net <<<$'Subject: [data4]\n\nhello'
	assert_exit 75
	run_mailcrane temp@example.net <<<"$small"
	assert_exit 75
	stop_peer
	run_mailcrane b@example.net <<<"$small"
	assert_exit 75
	assert_stderr 'account default: 127.0.0.1: '
	assert_stderr refused
}

@test "76: what answers is no mail server" {
	serve --fault 'greet:raw=HTTP/1.1 400 Bad Request\r\n' </dev/null
	run_mailcrane b@example.net <<<"$small"
	assert_exit 76
	assert_stderr 'account default: 127.0.0.1: '
}

@test "77: the login is refused, and the password is told nowhere" {
	serve --auth PLAIN --auth-in-clear --password other <<<$'auth plain\nauth_cleartext loopback\nuser joe\npassword hunter22'
	run_mailcrane b@example.net <<<"$small"
	assert_exit 77
	assert_stderr 535
	assert_no_secret hunter22
	assert_wire_count 1 AUTH
	refute_wire_like ^MAIL
}

@test "78: there is no configuration, or a setting in it does not exist" {
	run_mailcrane b@example.net <<<"$small"
	assert_exit 78
	write_config <<<"no_such_setting on"
	run_mailcrane b@example.net <<<"$small"
	assert_exit 78
	assert_stderr no_such_setting
}

@test "a limit on the size of files is an error with a text, and the writer lives" {
	serve </dev/null
	run --separate-stderr bash -c 'set -o pipefail; head -c 5000000 /dev/zero | tr "\\0" x | fold -w 70 |
		(ulimit -f 200; exec "$@")' bash env -i HOME="$HOME" PATH="$PATH" ${ASAN_OPTIONS+ASAN_OPTIONS="$ASAN_OPTIONS"} ${LSAN_OPTIONS+LSAN_OPTIONS="$LSAN_OPTIONS"} "$MAILCRANE" --queue=off a@example.net 3>&- 4>&-
	assert_exit 74
	assert_stderr "File too large"
	assert_received 0
}
