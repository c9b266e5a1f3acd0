#!/usr/bin/env bats
# SMTP on standard input and output (-bs): the dialogues of the programs that use it, and what becomes of their messages.

# shellcheck disable=SC2154,SC2034 # run_as sets status, output and stderr; QUEUE is read there

load lib/common
QUEUE=

setup() {
	setup_home
	spool=$HOME/.local/state/mailcrane
}

teardown() {
	stop_peer
}

# A peer behind a usual configuration, and further lines on stdin.
relay() {
	local more

	more=$(</dev/stdin)
	start_peer --ehlo 8BITMIME --ehlo "SIZE 35882577" --ehlo PIPELINING --ehlo DSN --ehlo ENHANCEDSTATUSCODES
	write_config <<-END
		host 127.0.0.1
		port $PORT
		mailname mail.example.com
		timeout 20
		$more
	END
}

# A configuration whose relay nobody listens at, and further lines on stdin.
dead_relay() {
	write_config <<-END
		host 127.0.0.1
		port 9
		mailname mail.example.com
		$(</dev/stdin)
	END
}

### A client that waits

# Begin a session with sendmail ARGS: ask and say speak with it, hang_up ends it.
call_up() {
	[ -x "$MAILCRANE" ] || skip "there is no $MAILCRANE"
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	ln -sf "$MAILCRANE" "$BATS_TEST_TMPDIR/bin/sendmail"
	mkfifo "$BATS_TEST_TMPDIR/to" "$BATS_TEST_TMPDIR/from"
	clean_environment timeout --kill-after=5 60 "$BATS_TEST_TMPDIR/bin/sendmail" "$@" \
		<"$BATS_TEST_TMPDIR/to" >"$BATS_TEST_TMPDIR/from" 2>"$BATS_TEST_TMPDIR/errors" 3>&- 4>&- &
	session=$!
	exec {to}>"$BATS_TEST_TMPDIR/to" {from}<"$BATS_TEST_TMPDIR/from"
	end_of_line=$'\r\n'
}

# Read a reply into $reply, its lines joined by "|"; its last line matches the extended regular expression.
expect() {
	local line

	reply=
	while IFS= read -r -t 20 -u "$from" line; do
		line=${line%$'\r'}
		reply+=${reply:+|}$line
		[[ $line == ???-* ]] || break
	done
	[[ $line =~ ^$1$ ]] || fail_with "the reply '$1' was expected" "$reply" "$(cat "$BATS_TEST_TMPDIR/errors")"
}

# Send lines, without waiting.
say() {
	local line

	for line; do
		printf '%s%s' "$line" "$end_of_line" >&"$to"
	done
}

# Send a line and read the reply to it: ask LINE EXPRESSION.
ask() {
	say "$1"
	expect "$2"
}

# The session is over with this exit status, and nothing was said on stderr.
hang_up() {
	local found=0

	exec {to}>&- {from}<&-
	wait "$session" || found=$?
	[ "$found" -eq "$1" ] || fail_with "exit status $1 expected, not $found"
	[ ! -s "$BATS_TEST_TMPDIR/errors" ] || fail_with "silence expected" "$(cat "$BATS_TEST_TMPDIR/errors")"
}

queued='250 2\.0\.0 Ok: queued as [A-Z0-9]+'

# One whole transaction for RECIPIENT, as lines.
transaction() {
	printf 'MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\nSubject: %s\r\n\r\nhello\r\n.\r\n' "${3:-a@x.example}" "$1" "${2:-s}"
}

# The codes of all replies, joined by blanks.
codes() {
	sed -n 's/^\([0-9]*\) .*/\1/p' <<<"$output" | tr '\n' ' '
}

assert_codes() {
	[ "$(codes)" = "$1 " ] || fail_with "replies $1 expected"
}

# sendmail -bs ARGS with stdin as the whole input; exit status 0 and nothing on stderr.
feed() {
	run_as sendmail -bs "$@"
	assert_exit 0
	[ -z "$stderr" ] || fail_with "nothing on stderr expected"
}

### The dialogues of callers

@test "sendmail 35: Symfony's dialogue" {
	relay </dev/null
	call_up -bs
	expect '220 .*'
	ask "HELO [127.0.0.1]" '250 .*'
	ask "MAIL FROM:<a@x.example>" '250 .*'
	ask "RCPT TO:<r@example.org>" '250 .*'
	ask DATA '354 .*'
	say "From: Joe <a@x.example>" "To: r@example.org" "Bcc: hid@example.org" "Subject: s" \
		"Message-ID: <u@x.example>" "Date: Sat, 21 Nov 2026 17:37:08 +0000" "" hi "..dot"
	ask . "$queued"
	ask QUIT '221 .*'
	hang_up 0
	assert_received 1
	assert_recipients 1 r@example.org
	[ "$(sender_of 1)" = a@x.example ]
	printf '%s\n' "From: Joe <a@x.example>" "To: r@example.org" "Subject: s" "Message-ID: <u@x.example>" \
		"Date: Sat, 21 Nov 2026 17:37:08 +0000" "" hi ".dot" >"$BATS_TEST_TMPDIR/expected"
	assert_message 1 "$BATS_TEST_TMPDIR/expected"
	refute_wire_like '^[Bb]cc'
}

@test "sendmail 36: after a refused recipient RSET and a good transaction" {
	relay </dev/null
	call_up -bs
	expect '220 .*'
	ask "HELO [127.0.0.1]" '250 .*'
	ask NOOP '250 .*'
	ask "MAIL FROM:<a@x.example>" '250 .*'
	ask "RCPT TO:<perm1@example.org>" '250 .*'
	ask DATA '354 .*'
	say "Subject: s" "" x
	ask . '550 5\.1\.1 <perm1@example\.org>: .*'
	ask RSET '250 .*'
	ask "MAIL FROM:<a@x.example>" '250 .*'
	ask "RCPT TO:<r@example.org>" '250 .*'
	ask DATA '354 .*'
	say "Subject: s" "" x
	ask . "$queued"
	ask QUIT '221 .*'
	hang_up 0
	assert_received 1
	assert_recipients 1 r@example.org
}

@test "sendmail 37: Laravel's -bs -i, by LF alone" {
	relay </dev/null
	call_up -bs -i
	end_of_line=$'\n'
	expect '220 .*'
	ask "EHLO [127.0.0.1]" '250 .*'
	[[ "|$reply|" == *"|250-8BITMIME|"* && "|$reply|" == *"|250-PIPELINING|"* ]]
	ask "MAIL FROM:<a@x.example>" '250 .*'
	ask "RCPT TO:<r@example.org>" '250 .*'
	ask DATA '354 .*'
	say "Subject: s" "" "..x"
	ask . "$queued"
	ask QUIT '221 .*'
	hang_up 0
	assert_received 1
	[ "$(body <"$(received 1)")" = $'.x\r' ]
}

@test "sendmail 38: alpine's -bs -odb -oem, two messages in one session" {
	local number

	relay </dev/null
	call_up -bs -odb -oem
	expect '220 .*'
	ask "EHLO localhost" '250 .*'
	for number in 1 2; do
		ask "MAIL FROM:<a@x.example>" '250 .*'
		ask "RCPT TO:<r$number@example.org>" '250 .*'
		ask DATA '354 .*'
		say "Subject: $number" "" x
		ask . "$queued"
	done
	ask QUIT '221 .*'
	hang_up 0
	both_arrived() { [ "$(received_count)" -eq 2 ]; }
	wait_until 20 both_arrived
	[ "$(cat "$PEER_MAIL"/*.env | grep -c '^to r[12]@example.org')" -eq 2 ]
}

@test "the id in the answer is that of the queue" {
	dead_relay </dev/null
	call_up -bs
	expect '220 .*'
	ask "EHLO x" '250 .*'
	ask "MAIL FROM:<a@x.example>" '250 .*'
	ask "RCPT TO:<r@example.org>" '250 .*'
	ask DATA '354 .*'
	ask . "$queued"
	ls "$spool/queue/${reply##* }".*
	ask QUIT '221 .*'
	hang_up 0
}

### All at once

@test "a whole session in one write, with CRLF and with LF alone" {
	relay </dev/null
	feed < <(echo "EHLO x"$'\r'; transaction r@example.org "a subject that is longer than the next one"
		transaction s@example.org; printf 'QUIT\r\n')
	assert_codes "220 250 250 250 354 250 250 250 354 250 221"
	feed < <({ echo "EHLO x"; transaction t@example.org; echo QUIT; } | tr -d '\r')
	assert_codes "220 250 250 250 354 250 221"
	assert_received 3
	assert_recipients 1 r@example.org
	assert_recipients 2 s@example.org
	assert_recipients 3 t@example.org
	[ "$(body <"$(received 2)")" = $'hello\r' ] || fail_with "the second message has more than it should"
}

@test "100 transactions in one session" {
	local number

	relay </dev/null
	feed < <(echo "EHLO x"; for ((number = 1; number <= 100; number++)); do transaction "r$number@example.org"; done; echo QUIT)
	[ "$(grep -c 'queued as' <<<"$output")" -eq 100 ]
	assert_received 100
	[ "$(cat "$PEER_MAIL"/*.env | sed -n 's/^to //p' | sort -u | wc -l)" -eq 100 ]
}

@test "without QUIT the session ends well, too" {
	relay </dev/null
	feed < <(transaction r@example.org)
	assert_codes "220 250 250 354 250"
	assert_received 1
	feed </dev/null
	assert_codes 220
}

@test "an end of the input within a message sends nothing" {
	relay </dev/null
	feed < <(transaction r@example.org | head -c -3)
	assert_codes "220 250 250 354"
	feed < <(printf 'MAIL FROM:<a@x.example>\r\nRCPT TO:<r@example.org>\r\nDATA\r\nSubject: s\r\n\r\nhalf')
	assert_received 0
	[ ! -s "$PEER_LOG" ] || fail_with "no connection expected"
	[ -z "$(ls "$spool/queue" 2>/dev/null)" ] || fail_with "nothing is expected in the queue"
}

@test "a client that has gone gets nothing sent on its behalf" {
	relay </dev/null
	transaction r@example.org >"$BATS_TEST_TMPDIR/input"
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	ln -sf "$MAILCRANE" "$BATS_TEST_TMPDIR/bin/sendmail"
	run --separate-stderr clean_environment bash -c \
		"exec 5> >(:); wait \$!; exec '$BATS_TEST_TMPDIR/bin/sendmail' -bs <'$BATS_TEST_TMPDIR/input' >&5" 3>&- 4>&-
	assert_exit 0
	assert_received 0
}

@test "protocol M3: a text cannot end itself" {
	relay </dev/null
	feed < <(printf 'MAIL FROM:<a@x.example>\r\nRCPT TO:<r@example.org>\r\nDATA\r\nSubject: s\r\n\r\n'
		printf 'a\n.\nMAIL FROM:<evil@x.example>\nRCPT TO:<v@example.org>\nDATA\nb\r.\rc\n.\r\nd\r\n.\ne\r\n.\r\nQUIT\r\n')
	assert_codes "220 250 250 354 250 221"
	assert_received 1
	assert_recipients 1 r@example.org
	assert_no_violation
}

### The message

@test "what is missing is added, and Bcc is taken away" {
	relay </dev/null
	feed < <(printf 'MAIL FROM:<a@x.example>\r\nRCPT TO:<r@example.org>\r\nDATA\r\nBcc: h@example.org\r\nSubject: s\r\n\r\nx\r\n.\r\n')
	assert_recipients 1 r@example.org
	assert_header 1 From a@x.example
	assert_header 1 Bcc ""
	[[ $(header_of 1 Message-ID) == "<"*"@mail.example.com>" && -n $(header_of 1 Date) ]]
}

@test "8-bit text, DSN and the null sender are handed on" {
	relay </dev/null
	feed < <(printf 'MAIL FROM:<> SIZE=10 BODY=8BITMIME RET=HDRS ENVID=a+2Bb\r\n'
		printf 'RCPT TO:<r@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;o@example.org\r\nDATA\r\nSubject: s\r\n\r\ncaf\303\251\r\n.\r\n')
	assert_codes "220 250 250 354 250"
	assert_wire_like '^MAIL FROM:<> .*BODY=8BITMIME.* RET=HDRS ENVID=a\+2Bb'
	assert_wire_like '^RCPT TO:<r@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;o@example.org'
	[ "$(body <"$(received 1)")" = $'caf\303\251\r' ]
}

@test "the DSN wishes of the account hold where the client has none" {
	relay <<-END
		dsn_notify failure
		dsn_return headers
	END
	feed < <(printf 'MAIL FROM:<a@x.example> RET=FULL\r\nRCPT TO:<r@example.org> NOTIFY=NEVER\r\nRCPT TO:<s@example.org>\r\nDATA\r\n.\r\n')
	assert_wire_like '^MAIL FROM:<a@x.example>.* RET=FULL'
	assert_wire_like '^RCPT TO:<r@example.org> NOTIFY=NEVER'
	assert_wire_like '^RCPT TO:<s@example.org> NOTIFY=FAILURE'
}

@test "aliases are expanded, local names qualified" {
	printf 'root: admin@example.org\n' >"$BATS_TEST_TMPDIR/aliases"
	relay <<<"aliases $BATS_TEST_TMPDIR/aliases"
	feed < <(printf 'MAIL FROM:<joe>\r\nRCPT TO:<root>\r\nRCPT TO:<alice>\r\nDATA\r\nSubject: s\r\n\r\nx\r\n.\r\n')
	assert_recipients 1 admin@example.org alice@mail.example.com
	[ "$(sender_of 1)" = joe@mail.example.com ]
}

@test "options that are about one message have no say" {
	relay </dev/null
	feed -f other@x.example -F Name -oi < <(transaction r@example.org)
	[ "$(sender_of 1)" = a@x.example ]
}

@test "each sender has its account" {
	relay </dev/null
	local first=$PORT

	start_peer
	write_config <<-END
		defaults
		host 127.0.0.1
		account one
		port $first
		from one@x.example
		account two
		port $PORT
		from two@x.example
		account default : one
	END
	feed < <(transaction r@example.org 1 one@x.example; transaction r@example.org 2 two@x.example
		transaction r@example.org 3 one@x.example)
	assert_codes "220 250 250 354 250 250 250 354 250 250 250 354 250"
	assert_received 1
	assert_header 1 Subject 2
	use_peer "$BATS_TEST_TMPDIR/peer"
	assert_received 2
}

@test "8 MiB arrive byte for byte, with dots in front of lines" {
	start_peer --discard
	write_config <<<"host 127.0.0.1"$'\n'"port $PORT"
	make_message 8388608 | sed 's/^0*1*3$/.&/' >"$BATS_TEST_TMPDIR/message"
	feed < <(printf 'MAIL FROM:<a@x.example>\r\nRCPT TO:<r@example.org>\r\nDATA\r\n'
		sed 's/^\./../; s/$/\r/' "$BATS_TEST_TMPDIR/message"; printf '.\r\nQUIT\r\n')
	assert_codes "220 250 250 354 250 221"
	[ "$(envelope_of 1 sha256)" = "$(sed 's/$/\r/' "$BATS_TEST_TMPDIR/message" | sha256sum | cut -d ' ' -f 1)" ] ||
		fail_with "other bytes arrived"
}

@test "the size of messages is limited by the account" {
	relay <<<"max_message_size 1000"
	feed < <(printf 'EHLO x\r\nMAIL FROM:<a@x.example> SIZE=1001\r\n'; transaction r@example.org | sed 's/^hello/&&&&&&/'
		printf 'MAIL FROM:<a@x.example>\r\nRCPT TO:<r@example.org>\r\nDATA\r\n%1200s\r\n.\r\n' x; transaction s@example.org)
	assert_stdout "250 SIZE 1000"
	assert_codes "220 250 552 250 250 354 250 250 250 354 552 250 250 354 250"
	assert_received 2
}

@test "accounts with other limits: what the sender's one takes is taken" {
	start_peer
	write_config <<-END
		defaults
		host 127.0.0.1
		port $PORT
		account small
		from small@x.example
		max_message_size 1000
		account large
		from large@x.example
		max_message_size 5000
		account default : small
	END
	text() {
		printf 'MAIL FROM:<%s@x.example> SIZE=1300\r\nRCPT TO:<r@example.org>\r\nDATA\r\n%1200s\r\n.\r\n' "$1" x
	}
	feed < <(echo "EHLO x"; text large; text small)
	assert_stdout "250 SIZE 5000"
	assert_codes "220 250 250 250 354 250 250 250 354 554"
	assert_received 1
	run_mailcrane --account=small -bs < <(echo "EHLO x"; echo QUIT)
	assert_stdout "250 SIZE 1000"
}

@test "no room on the disk is held between messages" {
	local pid child

	relay </dev/null
	call_up -bs
	expect '220 .*'
	say 'MAIL FROM:<a@x.example>' 'RCPT TO:<r@example.org>' DATA
	expect '250.*' && expect '250.*' && expect '354.*'
	printf '%5000s\r\n' x >&"$to"
	ask . "$queued"
	# The session's process is the innermost: timeout is around it.
	pid=$session
	# There is no line end in the file.
	while read -r child _ <"/proc/$pid/task/$pid/children" || [ -n "$child" ]; do
		pid=$child
	done
	[ "$(readlink "/proc/$pid/exe")" -ef "$MAILCRANE" ] || fail_with "not the session"
	ls -l "/proc/$pid/fd" >"$BATS_TEST_TMPDIR/open"
	! grep -F '(deleted)' "$BATS_TEST_TMPDIR/open" || fail_with "a file without a name is open"
	ask QUIT '221 .*'
	hang_up 0
}

@test "standard input that does not block is waited for" {
	command -v python3 >/dev/null || skip "there is no python3"
	relay </dev/null
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	ln -sf "$MAILCRANE" "$BATS_TEST_TMPDIR/bin/sendmail"
	run --separate-stderr clean_environment python3 - "$BATS_TEST_TMPDIR/bin/sendmail" 3>&- 4>&- <<-'END'
		import os, subprocess, sys
		there, here = os.pipe()
		os.set_blocking(there, False)
		session = subprocess.Popen([sys.argv[1], "-bs"], stdin=there, stdout=subprocess.PIPE)
		print(session.stdout.readline().decode().strip())
		# It has looked for input, and sleeps or has ended.
		while open("/proc/%d/stat" % session.pid).read().rsplit(")", 1)[1].split()[0] not in "SZ":
		    pass
		os.write(here, b"HELO x\r\nQUIT\r\n")
		os.close(here)
		print(session.communicate(timeout=20)[0].decode().replace("\r", ""))
	END
	assert_codes "220 250 221"
}

### What became of it

@test "a relay that is down: queued, and sent later" {
	dead_relay </dev/null
	feed < <(transaction r@example.org; transaction s@example.org)
	assert_codes "220 250 250 354 250 250 250 354 250"
	run_as mailq
	assert_stdout "in 2 Requests."
	assert_stdout r@example.org
	assert_stdout s@example.org
}

@test "a recipient who is put off is queued" {
	relay </dev/null
	feed < <(transaction temp1@example.org)
	assert_codes "220 250 250 354 250"
	run_as mailq
	assert_stdout temp1@example.org
}

@test "-odq queues without a connection" {
	relay </dev/null
	feed -odq < <(transaction r@example.org)
	assert_codes "220 250 250 354 250"
	[ ! -s "$PEER_LOG" ] || fail_with "no connection expected"
	[ "$(find "$spool/queue" -type f | wc -l)" -eq 1 ]
}

@test "the relay's refusals are the client's" {
	relay </dev/null
	feed < <(transaction perm1@example.org; transaction r@example.org s badfrom@x.example; transaction r@example.org '[data5]'
		transaction r@example.org; printf 'QUIT\r\n')
	assert_codes "220 250 250 354 550 250 250 354 550 250 250 354 554 250 250 354 250 221"
	assert_stdout "550 5.1.1 <perm1@example.org>: "
	assert_stdout "550 5.7.1 <r@example.org>: "
	assert_received 1
	[ -z "$(ls "$spool/failed" 2>/dev/null)" ] || fail_with "the client was told, so nothing is kept"
}

@test "refused for some: the others have it, and a notification tells of them" {
	relay </dev/null
	feed < <(printf 'MAIL FROM:<a@x.example>\r\nRCPT TO:<r@example.org>\r\nRCPT TO:<perm1@example.org>\r\nDATA\r\nSubject: s\r\n\r\nx\r\n.\r\n')
	assert_codes "220 250 250 250 354 250"
	assert_recipients 1 r@example.org
	grep -q 'perm1@example.org' "$spool"/bounces/new/*
	[ "$(find "$spool/failed" -type f | wc -l)" -eq 1 ]
}

@test "refused for some, to be told to the sender by mail" {
	relay <<<"bounce_to sender"
	feed < <(printf 'MAIL FROM:<a@x.example>\r\nRCPT TO:<r@example.org>\r\nRCPT TO:<perm1@example.org>\r\nDATA\r\nSubject: s\r\n\r\nx\r\n.\r\n')
	assert_codes "220 250 250 250 354 250"
	run_mailcrane -q
	assert_received 2
	assert_recipients 2 a@x.example
	[ -z "$(sender_of 2)" ]
}

@test "refused for some without a sender to tell: the client hears of it" {
	relay </dev/null
	feed < <(printf 'MAIL FROM:<>\r\nRCPT TO:<r@example.org>\r\nRCPT TO:<perm1@example.org>\r\nDATA\r\nSubject: s\r\n\r\nx\r\n.\r\n')
	assert_codes "220 250 250 250 354 550"
	assert_stdout "1 of 2 recipients have it, but not <perm1@example.org>"
}

@test "without a queue the client hears all of it" {
	dead_relay <<<"queue off"
	feed < <(transaction r@example.org)
	assert_codes "220 250 250 354 451"
	relay <<<"queue off"
	feed < <(transaction temp1@example.org; transaction perm1@example.org; transaction r@example.org)
	assert_codes "220 250 250 354 450 250 250 354 550 250 250 354 250"
	[ ! -e "$spool" ] || fail_with "there is a spool"
}

@test "a relay that closes its session does not close the client's" {
	start_peer --fault 'dot:reply=421 4.3.2 going down'
	write_config <<<"host 127.0.0.1"$'\n'"port $PORT"$'\n'"queue off"
	feed < <(transaction r@example.org; printf 'QUIT\r\n')
	assert_codes "220 250 250 354 451 221"
}

@test "--read-envelope-from has no say either" {
	relay </dev/null
	run_mailcrane --read-envelope-from -bs < <(transaction r@example.org)
	assert_exit 0
	[ "$(sender_of 1)" = a@x.example ]
}

@test "a queue that cannot be written: 451, and what is wrong" {
	printf x >"$BATS_TEST_TMPDIR/file"
	dead_relay <<<"queue_dir $BATS_TEST_TMPDIR/file"
	feed < <(transaction r@example.org)
	assert_codes "220 250 250 354 451"
	assert_stdout "$BATS_TEST_TMPDIR/file"
}

@test "a password that cannot be had: queued" {
	relay <<-END
		auth plain
		user joe
		tls off
		passwordeval false
	END
	feed < <(transaction r@example.org)
	assert_codes "220 250 250 354 250"
	[ "$(find "$spool/queue" -type f | wc -l)" -eq 1 ]
}

@test "what is due in the queue goes out behind a message, and the session goes on" {
	relay </dev/null
	feed -odq < <(transaction q1@example.org; transaction q2@example.org)
	feed < <(transaction r1@example.org; transaction r2@example.org; transaction r3@example.org)
	assert_codes "220 250 250 354 250 250 250 354 250 250 250 354 250"
	all_arrived() { [ "$(received_count)" -eq 5 ]; }
	wait_until 20 all_arrived
	[ "$(cat "$PEER_MAIL"/*.env | sed -n 's/^to //p' | sort -u | wc -l)" -eq 5 ]
}

@test "accounts without a default one: each sender by itself" {
	start_peer
	write_config <<-END
		defaults
		host 127.0.0.1
		port $PORT
		account one
		from one@x.example
		account two
		from two@x.example
	END
	feed < <(transaction r@example.org 1 two@x.example; transaction r@example.org 2 three@x.example; transaction r@example.org 3 one@x.example)
	assert_codes "220 250 250 354 250 250 250 354 554 250 250 354 250"
	assert_received 2
}

### The session

@test "an address that is none is refused at once" {
	relay </dev/null
	feed < <(printf 'MAIL FROM:<a@@b>\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<bad@@example.org>\r\nDATA\r\nRSET\r\nBLA\r\nDATA\r\n')
	assert_codes "220 553 250 553 554 250 500 503"
	[ ! -s "$PEER_LOG" ] || fail_with "no connection expected"
}

@test "without a configuration: 554, 78, and a word on stderr" {
	run_as sendmail -bs < <(transaction r@example.org)
	assert_exit 78
	[[ $output == "554 5.3.5 "* ]]
	[ -n "$stderr" ]
}

@test "operands do not go with -bs" {
	relay </dev/null
	run_as sendmail -bs r@example.org </dev/null
	assert_exit 64
	[ -z "$output" ]
}

@test "a client whose call is refused is not kept waiting" {
	local line found=0

	relay </dev/null
	call_up -bs r@example.org
	IFS= read -r -t 5 -u "$from" line || found=$?
	[ "$found" -eq 1 ] || fail_with "the end of the output was expected within 5 seconds"
	exec {to}>&- {from}<&-
	found=0
	wait "$session" || found=$?
	[ "$found" -eq 64 ] || fail_with "exit status 64 expected, not $found"
}

@test "it is there under the name mailcrane, too" {
	relay </dev/null
	run_mailcrane -bs < <(transaction r@example.org; printf 'QUIT\r\n')
	assert_exit 0
	assert_codes "220 250 250 354 250 221"
	[ -z "$stderr" ]
	assert_received 1
}

@test "--pretend does not go with -bs" {
	relay </dev/null
	run_mailcrane --pretend -bs < <(transaction r@example.org)
	assert_exit 64
	assert_received 0
}

@test "-v shows the dialogue with the relay on stderr" {
	relay </dev/null
	run_as sendmail -bs -v < <(transaction r@example.org)
	assert_exit 0
	assert_codes "220 250 250 354 250"
	assert_stderr "RCPT TO:<r@example.org>"
}
