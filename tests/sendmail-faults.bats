#!/usr/bin/env bats
# What goes wrong under the name sendmail: wrong command lines and addresses, relays that refuse or put off, attacks by way of
# arguments; and the modes that send nothing.
# namespace: setpriv

# shellcheck disable=SC2154,SC2030,SC2031 # the library sets what it says

load lib/common
load lib/sendmail

setup_file() {
	rig_machine
}

setup() {
	rig_up
}

teardown() {
	stop_peer
}

message='Subject: s\n\nx\n'

# COMMAND at the end of a pipe from a program that writes 3 MB.
through_writer() {
	{
		head -c 3000000 /dev/zero | tr '\0' x
		echo "${PIPESTATUS[*]}" >"$BATS_TEST_TMPDIR/writer"
	} | as_caller "$@"
}

@test "sendmail 57: no recipients: 64 and one line (with a hint), and whoever writes 3 MB can write them all" {
	run --separate-stderr through_writer sendmail -i
	X 64
	one_problem
	[ "$(cat "$BATS_TEST_TMPDIR/writer")" = "0 0" ] || fail_with "the writer ended with $(cat "$BATS_TEST_TMPDIR/writer")"
	nothing_sent
}

@test "sendmail 57: an option that is none: 64 and one line (with a hint), and whoever writes 3 MB can write them all" {
	run --separate-stderr through_writer sendmail -Z r@example.org
	X 64
	one_problem
	[ "$(cat "$BATS_TEST_TMPDIR/writer")" = "0 0" ] || fail_with "the writer ended with $(cat "$BATS_TEST_TMPDIR/writer")"
	nothing_sent
}

@test "sendmail 58: -t, and nobody in the header: 64" {
	feed "$message"
	call sendmail -t
	X 64
	one_problem
	nothing_sent
}

@test "sendmail 59: an address that is none: 65, it is named, and nothing is sent" {
	feed "$message"
	call sendmail -i bad@@example.org
	X 65
	one_problem bad@@example.org
	nothing_sent
}

@test "sendmail 59: one good and one bad address in the header: 65, and nothing is sent" {
	feed 'To: good@example.org, bad@@example.org\nSubject: s\n\nx\n'
	call sendmail -t
	X 65
	one_problem bad@@example.org
	nothing_sent
}

@test "sendmail 60: one of two refused: the other gets it, and 67" {
	feed "$message"
	call sendmail -i ok@example.org perm2@example.org
	X 67
	one_line perm2@example.org
	F alice@mail.example.com
	T ok@example.org
	WIRE +D +M '+F=Alice Example <alice@mail.example.com>' 'Subject: s⏎⏎x⏎'
	nothing_queued
}

# The fields NAME of the message in the only entry of alice's queue.
queued_field() {
	find "$RIG/alice" -path '*/queue/*' -type f -exec grep -aih "^$1: " {} + | tr -d '\r'
}

# One message is put off with 450 and waits: $id and $date are its fields.
put_off() {
	feed "$message"
	call sendmail -i temp1@example.org
	X 0
	silent
	assert_received 0
	mailq_ends '-- 0 Kbytes in 1 Request.'
	grep -Eq '^ +\(.*450 4\.2\.1.*\)$' <<<"$output" || fail_with "mailq does not say why"
	grep -Eqx ' {41}temp1@example\.org' <<<"$output" || fail_with "mailq does not say for whom"
	id=$(queued_field Message-ID)
	date=$(queued_field Date)
	[ -n "$id" ] || fail_with "no Message-ID in the queue"
	[ -n "$date" ] || fail_with "no Date in the queue"
}

# The message that was put off has arrived, the same one, and nothing waits.
assert_put_off_arrived() {
	F alice@mail.example.com
	T temp1@example.org
	WIRE +D +M '+F=Alice Example <alice@mail.example.com>' 'Subject: s⏎⏎x⏎'
	assert_header 1 Message-ID "${id#*: }"
	assert_header 1 Date "${date#*: }"
	mailq_ends 'Mail queue is empty'
}

@test "sendmail 61: put off: silence and 0, mailq says why, and sendmail -q delivers the same message once the relay is ready" {
	put_off
	stop_peer
	relay_up --refuse-rule off
	call sendmail -q
	X 0
	silent
	assert_put_off_arrived
}

@test "sendmail 61: mailcrane --flush leaves what was put off for its time" {
	put_off
	stop_peer
	relay_up --refuse-rule off
	call mailcrane --flush
	X 0
	silent
	assert_received 0
}

@test "sendmail 61: -qf delivers what was put off as soon as the relay is ready" {
	put_off
	stop_peer
	relay_up --refuse-rule off
	call sendmail -qf
	X 0
	silent
	assert_put_off_arrived
}

@test "sendmail 62: a sender whom the relay refuses: 69" {
	feed "$message"
	call sendmail -i -fbadfrom@x.example r@example.org
	X 69
	one_line '550 5.7.1'
	assert_received 0
}

@test "sendmail 62: a message whose content the relay refuses: 69" {
	feed 'Subject: [data5]\n\nx\n'
	call sendmail -i r@example.org
	X 69
	one_line 554
	assert_received 0
}

@test "sendmail 63: commands cannot be brought in by -f or by an operand" {
	local argument=$'a@b>\r\nRCPT TO:<v@y'

	feed "$message"
	call sendmail -i -f "$argument" r@example.org
	X 65
	nothing_sent
	call sendmail -i -r "$argument" r@example.org
	X 65
	nothing_sent
	call sendmail -i "$argument"
	X 65
	nothing_sent
	call sendmail -i r@example.org "$argument"
	X 65
	nothing_sent
	refute_log_line 'v@y'
}

# What callers could write by themselves, so that it means something when nothing is there.
assert_no_loot() {
	[ -z "$(ls -A "$LOOT")" ] || fail_with "made: $(ls -A "$LOOT")"
	as_caller sh -c "echo >'$LOOT/p' && rm '$LOOT/p'"
}

@test "sendmail 64: no file named by an argument is made" {
	# shellcheck disable=SC2016 # it is PHP
	feed 'To: r@example.org\nSubject: <?php system($_GET["c"]); ?>\n\nx\n'
	call sendmail -t -i -fx@y.example -OQueueDirectory="$LOOT/q" -X"$LOOT/shell.php"
	[ "$status" -eq 64 ] || X 0
	[ "$status" -eq 64 ] || F x@y.example
	assert_no_loot
	call sendmail -t -i "-oQ$LOOT/q" -X "$LOOT/shell.php" -D "$LOOT/d" "-d0-99.1" -L "$LOOT/l"
	[ "$status" -eq 64 ] || X 0
	assert_no_loot
}

@test "sendmail 64: under every one of the names, in whichever folder, there are no long options" {
	local name

	mkdir -p "$RIG/bin"
	feed 'To: r@example.org\nSubject: s\n\nx\n'
	for name in sendmail send-mail mailq newaliases runq; do
		ln -sfn /usr/bin/mailcrane "$RIG/bin/$name"
		call "$RIG/bin/$name" --passwordeval="touch $LOOT/p" r@example.org
		X 64
		one_problem
	done
	call /usr/lib/sendmail --passwordeval="touch $LOOT/p" r@example.org
	X 64
	one_problem
	assert_no_loot
	nothing_sent
}

@test "sendmail 64: no program is run" {
	feed 'To: r@example.org\nSubject: s\n\nx\n'
	call sendmail --passwordeval="touch $LOOT/p" -t
	X 64
	one_problem
	assert_no_loot
	nothing_sent
}

@test "sendmail 64: no configuration is chosen" {
	printf 'host 127.0.0.1\nport %s\nauth on\nuser u\npasswordeval touch %s/p\n' "$RELAY_PORT" "$LOOT" >"$RIG/evil.conf"
	feed 'To: r@example.org\nSubject: s\n\nx\n'
	call sendmail "-C$RIG/evil.conf" -t
	X 64
	one_problem
	assert_no_loot
	nothing_sent
	call sendmail -C "$RIG/evil.conf" -t
	X 64
	one_problem
	assert_no_loot
	nothing_sent
}

@test "sendmail 65: an empty queue" {
	run --separate-stderr as_caller mailq </dev/null
	X 0
	[ "$stderr" = "" ] || fail_with "silence expected on stderr"
	[ "$output" = 'Mail queue is empty' ] || fail_with "another answer expected"
	as_caller mailq </dev/null >"$BATS_TEST_TMPDIR/mailq"
	printf 'Mail queue is empty\n' | assert_same_bytes - "$BATS_TEST_TMPDIR/mailq"
	run --separate-stderr as_caller sendmail -bp </dev/null
	X 0
	[ "$output" = 'Mail queue is empty' ]
	nothing_sent
}

@test "sendmail 65: newaliases, -bi, -bh and -q with nothing to do are silent" {
	local command

	for command in newaliases 'sendmail -bi' 'sendmail -bh' 'sendmail -q' runq; do
		# shellcheck disable=SC2086 # words are wanted
		run --separate-stderr as_caller $command </dev/null
		X 0
		silent
	done
	nothing_sent
}

@test "sendmail 65: -bd, -bt and -Z: 64" {
	local option

	for option in -bd -bt -Z; do
		run --separate-stderr as_caller sendmail "$option" </dev/null
		X 64
		one_problem
	done
	nothing_sent
}

@test "sendmail 65: -bv says what becomes of an address, and sends nothing" {
	feed "$message"
	call sendmail -bv root
	X 0
	assert_stdout admin@example.org
	[ -z "$stderr" ]
	nothing_sent
}
