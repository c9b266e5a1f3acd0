#!/usr/bin/env bats
# The queue as its owner sees it: mailq, --show, --hold, --release, --retry, --remove, --queue-check.

# shellcheck disable=SC2154,SC2034 # run_mailcrane sets status, output and stderr, and reads QUEUE

load lib/common
QUEUE=

setup() {
	setup_home
	spool=$HOME/.local/state/mailcrane
	# Nobody listens there.
	write_config <<-END
		host 127.0.0.1
		port 9
		from joe@example.test
	END
}

teardown() {
	stop_peer
}

small=$'Subject: s\n\nhello'

# Put a message for RECIPIENTS into the queue and leave it there; $file is the entry's name, $id its id. Options may come first.
queue() {
	local before

	before=$(names queue)
	run_mailcrane -odq "$@" <<<"${message:-$small}"
	assert_exit 0
	assert_silent
	file=$(comm -13 <(echo "$before") <(names queue))
	[[ $file =~ ^[0-9A-V.]+$ ]] || fail_with "one new entry expected in the queue" "$file"
	id=${file%%.*}
}

# The names in a folder of the spool.
names() {
	LC_ALL=C ls "$spool/$1" 2>/dev/null || true
}

assert_names() {
	local found

	found=$(names "$1" | tr '\n' ' ')
	shift
	[ "$found" = "$(printf '%s ' "$@" | sed 's/^ $//')" ] || fail_with "other entries are there: $found"
}

# Overwrite the state of recipient MAILBOX in the entry PATH: the one byte that changes.
set_state() {
	local at

	at=$(grep -abo "^[TUDF]<\?$2" "$1" | head -n 1 | cut -d: -f1)
	[ -n "$at" ] || fail_with "there is no recipient $2 in $1"
	printf %s "$3" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

# A line of the journal of the entry PATH: add_journal PATH RECIPIENT 'CODE X.Y.Z HOST TEXT' [STATE].
add_journal() {
	printf 'J 1795000000 %s %s rcpt %s\n' "$2" "${4:-T}" "$3" >>"$1"
}

# The entry is put into failed/, all its recipients refused.
make_failed() {
	set_state "$spool/queue/$file" "$1" F
	add_journal "$spool/queue/$file" 0 "550 5.1.1 mx.example.net no such user" F
	mv "$spool/queue/$file" "$spool/failed/$file"
}

# The next attempt of entry PATH is at TIME (as touch -d understands it).
set_next() {
	touch -m -d "$2" "$1"
}

# The next attempt of entry PATH is not later than now.
assert_due() {
	[ "$(stat -c %Y "$1")" -le "$(date +%s)" ] || fail_with "$1 is not due"
}

# Everything there is to know of the spool's files.
snapshot() {
	find "$spool" -printf '%p %i %s %m %n %T@ %C@\n' | LC_ALL=C sort
}

# Hold the lock of FILE until the function release_lock; whoever is started meanwhile does not have it.
hold_lock() {
	exec {lock}<>"$1"
	flock -n "$lock"
}

release_lock() {
	exec {lock}>&-
}

### mailq

@test "sendmail 65: mailq of somebody without a queue says so and makes none" {
	run_mailcrane -bp
	assert_exit 0
	[ "$output" = "Mail queue is empty" ] || fail_with "another text"
	[ -z "$stderr" ]
	[ ! -e "$HOME/.local" ] || fail_with "it made a queue"
	run_mailcrane --mailq
	assert_exit 0
	[ "$output" = "Mail queue is empty" ] || fail_with "another text"
}

@test "mailq of a queue that is there and empty says so" {
	queue a@example.net
	run_mailcrane --remove="$id"
	assert_exit 0
	run_mailcrane -bp
	assert_exit 0
	[ "$output" = "Mail queue is empty" ] || fail_with "another text"
}

@test "mailq shows an entry in the columns of Postfix" {
	queue a@example.net b@example.net
	run_mailcrane -bp
	assert_exit 0
	[ -z "$stderr" ]
	[ "${lines[0]}" = "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------" ] || fail_with "another first line"
	[[ ${lines[1]} =~ ^$id\ +[0-9]+\ [A-Z][a-z]{2}\ [A-Z][a-z]{2}\ [\ 0-9][0-9]\ [0-9:]{8}\ \ joe@example\.test$ ]] || fail_with "another line of the entry"
	[ "${lines[2]}" = "                                         a@example.net" ] || fail_with "another line of a recipient"
	[ "${lines[3]}" = "                                         b@example.net" ] || fail_with "another line of a recipient"
	[ "$(sed -n 5p <<<"$output")" = "" ] || fail_with "no empty line behind the entry"
	[ "${lines[-1]}" = "-- 0 Kbytes in 1 Request." ] || fail_with "another last line"
}

@test "mailq: the size is the message's, and the last line has the sum in kilobytes" {
	message=$(make_message 3000)
	queue a@example.net
	message=$(make_message 5000)
	queue a@example.net
	size=$(run_mailcrane --mailq --json && python3 -c 'import json,sys; print(sum(e["size"] for e in json.load(sys.stdin)["entries"]))' <<<"$output")
	run_mailcrane -bp
	[ "${lines[-1]}" = "-- $((size / 1024)) Kbytes in 2 Requests." ] || fail_with "another sum"
	[ "$(awk '/@example.test$/ { n += $2 } END { print n }' <<<"$output")" = "$size" ] || fail_with "other sizes"
}

@test "sendmail 61: mailq shows why a recipient waits, right-aligned above all those with the same reason" {
	queue a@example.net b@example.net c@example.net d@example.net
	add_journal "$spool/queue/$file" 1 "450 4.2.1 mx.example.net try later"
	add_journal "$spool/queue/$file" 2 "450 4.2.1 mx.example.net try later"
	add_journal "$spool/queue/$file" 3 "- - - no answer"
	run_mailcrane -bp
	assert_exit 0
	expected=$(
		printf '%41s%s\n' '' a@example.net
		printf '%77s)\n' '(host mx.example.net said: 450 4.2.1 try later'
		printf '%41s%s\n' '' b@example.net '' c@example.net
		printf '%77s)\n' '(no answer'
		printf '%41s%s\n' '' d@example.net
	)
	[ "$(sed -n 3,8p <<<"$output")" = "$expected" ] || fail_with "another list" "$expected"
}

@test "mailq: a reason that is wider than the columns begins at the first one" {
	queue a@example.net
	add_journal "$spool/queue/$file" 0 "450 4.2.1 mx.example.net $(printf 'x%.0s' {1..80})"
	run_mailcrane -bp
	[[ ${lines[2]} == "(host mx.example.net said: 450 4.2.1 xxxxx"*"xx)" ]] || fail_with "another reason"
}

@test "mailq shows those who are still to do, and none who have the message" {
	queue a@example.net b@example.net c@example.net d@example.net
	set_state "$spool/queue/$file" a@ D
	set_state "$spool/queue/$file" b@ F
	set_state "$spool/queue/$file" c@ U
	run_mailcrane -bp
	assert_exit 0
	[ "$(grep -Eo '[a-d]@example.net$' <<<"$output" | tr '\n' ' ')" = "c@example.net d@example.net " ] || fail_with "other recipients"
}

@test "mailq shows of a failed entry those who were refused" {
	queue a@example.net b@example.net
	set_state "$spool/queue/$file" b@ D
	make_failed a@
	run_mailcrane -bp
	assert_exit 0
	assert_stdout "a@example.net"
	[[ $output != *b@example.net* ]] || fail_with "somebody who has it is shown"
}

@test "mailq: '!' is on hold or failed, '*' is worked on, and the oldest comes first, wherever it lies" {
	queue a@example.net
	failed=$id
	make_failed a@
	queue b@example.net
	held=$id
	run_mailcrane --hold="$id"
	assert_exit 0
	queue c@example.net
	active=$id
	hold_lock "$spool/queue/$file"
	queue d@example.net
	run_mailcrane -bp
	assert_exit 0
	[ "$(grep -Eo '^[0-9A-V]{19}[*!]?' <<<"$output" | tr '\n' ' ')" = "$failed! $held! $active* $id " ] || fail_with "other marks, or another order"
	assert_stdout "(host mx.example.net said: 550 5.1.1 no such user)"
	[ "${lines[-1]}" = "-- 0 Kbytes in 4 Requests." ] || fail_with "another last line"
}

@test "mailq: the null reverse-path is MAILER-DAEMON" {
	queue -f '<>' a@example.net
	run_mailcrane -bp
	[[ ${lines[1]} == "$id "*"  MAILER-DAEMON" ]] || fail_with "another sender"
}

@test "mailq: -bpc prints the number alone, -bP a line that sendmail prints" {
	run_mailcrane -bpc
	assert_exit 0
	[ "$output" = 0 ] || fail_with "another number"
	queue a@example.net
	queue b@example.net
	run_mailcrane --hold="$id"
	run_mailcrane -bpc
	assert_exit 0
	[ "$output" = 2 ] || fail_with "another number"
	run_mailcrane -bP
	assert_exit 0
	[ "$output" = "Total requests: 2" ] || fail_with "another line"
}

@test "mailq: an entry that cannot be read is a warning, and the others are listed" {
	queue a@example.net
	truncate -s 40 "$spool/queue/$file"
	bad=$file
	queue b@example.net
	before=$(snapshot)
	run_mailcrane -bp
	assert_exit 0
	assert_stderr "/queue/$bad: "
	[[ ${lines[1]} == "$id "* ]] || fail_with "the other one is missing"
	[ "${lines[-1]}" = "-- 0 Kbytes in 1 Request." ] || fail_with "another last line"
	[ "$(snapshot)" = "$before" ] || fail_with "something was changed" "$(diff <(echo "$before") <(snapshot))"
}

@test "mailq, --show and --queue-check change nothing" {
	queue a@example.net
	queue b@example.net
	run_mailcrane --hold="$id"
	queue c@example.net
	make_failed c@
	before=$(snapshot)
	run_mailcrane -bp
	assert_exit 0
	run_mailcrane --mailq --json
	assert_exit 0
	run_mailcrane --show="$id"
	assert_exit 0
	run_mailcrane --queue-check
	assert_exit 0
	[ "$(snapshot)" = "$before" ] || fail_with "something was changed" "$(diff <(echo "$before") <(snapshot))"
}

@test "mailq: what servers and senders say cannot hurt a terminal" {
	queue a@example.net
	add_journal "$spool/queue/$file" 0 "450 4.2.1 mx.example.net"$' \e[2Jgone\r'
	run_mailcrane -bp
	assert_exit 0
	[[ $output != *$'\e'* && $output != *$'\r'* ]] || fail_with "control characters were shown"
	assert_stdout '\x1b[2Jgone'
}

@test "mailq --json is one document that a parser takes" {
	command -v python3 >/dev/null || skip "there is no python3"
	queue -f '<>' a@example.net b@example.net
	set_state "$spool/queue/$file" a@ D
	set_state "$spool/queue/$file" b@ U
	add_journal "$spool/queue/$file" 0 "250 2.0.0 mx.example.net ok"
	add_journal "$spool/queue/$file" 1 '451 4.3.0 mx.example.net say "later"' U
	queue c@example.net
	make_failed c@
	run_mailcrane --mailq --json
	assert_exit 0
	[ -z "$stderr" ]
	printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/json"
	run --separate-stderr python3 - "$BATS_TEST_TMPDIR/json" <<-'END'
		import json, sys
		d = json.load(open(sys.argv[1]))
		assert d["schema"] == "mailcrane.queue/1", d["schema"]
		assert d["failed"] == 1 and d["bounces"] == 0 and d["corrupt"] == 0 and d["routes"] == []
		first, second = d["entries"]
		assert first["folder"] == "queue" and second["folder"] == "failed"
		assert first["sender"] == "" and first["size"] > 10 and first["is_active"] is False
		assert first["account"] == "default" and first["message_id"].startswith("<")
		assert len(first["created"]) == 20 and len(first["next"]) == 20 and second["next"] is None
		a, b = first["recipients"]
		assert a["address"] == "a@example.net" and a["state"] == "delivered" and a["code"] == 250
		assert b == {"address": "b@example.net", "state": "uncertain", "code": 451, "enhanced": "4.3.0",
			"text": 'say "later"', "host": "mx.example.net"}, b
		assert second["recipients"][0]["state"] == "failed"
	END
	assert_exit 0
}

@test "mailq --json of somebody without a queue is a document, too" {
	run_mailcrane --mailq --json
	assert_exit 0
	[ "$output" = '{"schema":"mailcrane.queue/1","entries":[],"routes":[],"failed":0,"bounces":0,"corrupt":0}' ] || fail_with "another document"
}

# A route of ACCOUNT that has failed, on hold.
hold_account() {
	printf 'failures 3\nnot_before 1895000000\nheld 1\nsince 1795000000\naccount %s\ntext login refused: 535 5.7.8\nend\n' "$1" \
		>"$spool/routes/${2:-00000001}"
	chmod 600 "$spool/routes/${2:-00000001}"
}

@test "an account on hold is in the JSON, and not in the list that programs read" {
	queue a@example.net
	hold_account work
	run_mailcrane -bp
	assert_exit 0
	[[ $output$stderr != *"login refused"* ]] || fail_with "it is in the list"
	run_mailcrane --mailq --json
	assert_stdout '"routes":[{"route":"00000001","account":"work","on_hold":true,"failures":3,"not_before":"2030-01-18T20:53:20Z","text":"login refused: 535 5.7.8"}]'
}

@test "on a terminal, mailq begins with the accounts on hold, and Postfix's line stays the last" {
	command -v script >/dev/null || skip "there is no script(1)"
	queue a@example.net
	hold_account work
	run --separate-stderr clean_environment script -qec "'$MAILCRANE' --mailq" /dev/null </dev/null 3>&- 4>&-
	output=${output//$'\r'/}
	[[ $output == "account work is on hold: login refused: 535 5.7.8; next attempt "* ]] || fail_with "another beginning"
	[[ $output == *$'\n-- 0 Kbytes in 1 Request.' ]] || fail_with "another end"
}

@test "queue_dir says which queue is meant" {
	queue a@example.net
	run_mailcrane --mailq --queue-dir="$BATS_TEST_TMPDIR/other"
	assert_exit 0
	[ "$output" = "Mail queue is empty" ] || fail_with "another queue"
	[ ! -e "$BATS_TEST_TMPDIR/other" ] || fail_with "it was made"
	run_mailcrane --mailq --queue-dir="$spool"
	assert_stdout "$id"
}

@test "mailq needs no account that could send" {
	queue a@example.net
	: >"$HOME/.mailcranerc"
	run_mailcrane -bp
	assert_exit 0
	assert_stdout "$id"
	run_mailcrane --mailq --queue-dir="$BATS_TEST_TMPDIR/other"
	assert_exit 0
	[ "$output" = "Mail queue is empty" ] || fail_with "another queue"
	# But one that is asked for must be there.
	run_mailcrane --mailq -a work
	assert_exit 78
}

@test "a configuration with a mistake is 78, for then nobody knows where the queue is" {
	queue a@example.net
	echo nonsense >>"$HOME/.mailcranerc"
	run_mailcrane --mailq
	assert_exit 78
	assert_stderr nonsense
}

@test "mailq of a queue that belongs to somebody else is 77" {
	[ "$(id -u)" -eq 0 ] || skip "only root can make one"
	queue a@example.net
	chown -R 65534 "$spool"
	run_mailcrane -bp
	assert_exit 77
	run_mailcrane --remove="$id"
	assert_exit 77
	[ -e "$spool/queue/$file" ] || fail_with "it was removed"
}

@test "sendmail 20: with the server down, mailq shows one request with both recipients" {
	run_mailcrane -i -f a@x.example -- rcpt@example.org hid@example.org <<<"$small"
	assert_exit 0
	run_mailcrane -bp
	assert_exit 0
	assert_stdout $'                                         rcpt@example.org\n                                         hid@example.org\n'
	[ "${lines[-1]}" = "-- 0 Kbytes in 1 Request." ] || fail_with "another last line"
}

@test "sendmail 61: mailq shows the words of a server that wants the message later" {
	serve </dev/null
	run_mailcrane -i temp1@example.org <<<"$small"
	assert_exit 0
	run_mailcrane -bp
	assert_exit 0
	grep -Eq '^ *\(host 127\.0\.0\.1[^ ]* said: 450 4\.2\.1 .*\)$' <<<"$output" || fail_with "another reason"
	assert_stdout "                                         temp1@example.org"
	run_mailcrane --mailq --json
	assert_stdout '"address":"temp1@example.org","state":"pending","code":450,"enhanced":"4.2.1"'
}

### --show

@test "--show tells the facts, the recipients with their last replies, the journal, and the message as it is" {
	message=$'Subject: s\nFrom: joe@example.test\nDate: Sat, 1 Jan 2000 00:00:00 +0000\nMessage-ID: <1@example.test>\nTo: a@example.net\n\n..two dots\n\tcaf\xc3\xa9'
	queue a@example.net b@example.net
	add_journal "$spool/queue/$file" 1 "450 4.2.1 mx.example.net try later"
	set_state "$spool/queue/$file" a@ U
	run_mailcrane --show="$id"
	assert_exit 0
	[ -z "$stderr" ]
	[ "${lines[0]}" = "Entry:         $id" ] || fail_with "another first line"
	assert_stdout "State:         waiting"
	assert_stdout "Account:       default"
	assert_stdout "Sender:        <joe@example.test>"
	assert_stdout "Message-ID:    <1@example.test>"
	assert_stdout "    uncertain  a@example.net"
	assert_stdout $'    pending    b@example.net\n               host mx.example.net said: 450 4.2.1 try later'
	assert_stdout "    J 1795000000 1 T rcpt 450 4.2.1 mx.example.net try later"
	grep -q '^Next attempt: ' <<<"$output"
	[ "$(body <<<"$output")" = "$message" ] || fail_with "another message" "$(body <<<"$output")"
}

@test "--show --json has the journal" {
	queue a@example.net
	add_journal "$spool/queue/$file" 0 "450 4.2.1 mx.example.net try later"
	run_mailcrane --show="$id" --json
	assert_exit 0
	assert_stdout "{\"schema\":\"mailcrane.entry/1\",\"id\":\"$id\",\"folder\":\"queue\""
	assert_stdout '"journal":["J 1795000000 0 T rcpt 450 4.2.1 mx.example.net try later"]}'
}

@test "--show finds an entry that is on hold, failed, or worked on" {
	queue a@example.net
	hold_lock "$spool/queue/$file"
	run_mailcrane --show="$id"
	assert_exit 0
	assert_stdout "being delivered just now"
	release_lock
	run_mailcrane --hold="$id"
	run_mailcrane --show="$id"
	assert_stdout "State:         on hold"
	run_mailcrane --release="$id"
	make_failed a@
	run_mailcrane --show="$id"
	assert_stdout "State:         failed"
	assert_stdout "    failed     a@example.net"
}

### Ids

@test "an id may be cut, in small letters, and with mailq's mark" {
	queue a@example.net
	for target in "${id:0:12}" "${id,,}" "$id*" "$id!" "${id:0:4}"; do
		run_mailcrane --show="$target"
		assert_exit 0
		assert_stdout "Entry:         $id"
	done
}

@test "the beginning of two ids means neither" {
	queue a@example.net
	queue b@example.net
	run_mailcrane --remove="${id:0:4}"
	assert_exit 64
	assert_stderr "${id:0:4} is how several ids begin"
	[ "$(names queue | wc -l)" -eq 2 ] || fail_with "one was removed"
}

@test "what is no id is 64, an id that is not there is 66, and others are not touched" {
	queue a@example.net
	for bad in "" abc xyzw "${id}0" ../queue "$file" "${id:0:4}/" 'a b c d'; do
		for action in show hold release retry remove; do
			run_mailcrane "--$action=$bad"
			assert_exit 64
		done
	done
	for action in show hold release retry remove; do
		run_mailcrane "--$action=0000000000000000000"
		assert_exit 66
		assert_stderr "no entry 0000000000000000000 in the queue"
		run_mailcrane "--$action=00000"
		assert_exit 66
	done
	assert_names queue "$file"
}

@test "without a queue there is nothing to find, and nothing to do for all" {
	for action in show hold release retry remove; do
		run_mailcrane "--$action=0000000000000000000"
		assert_exit 66
	done
	for action in hold release retry remove; do
		run_mailcrane "--$action=all"
		assert_exit 0
		assert_silent
	done
	[ ! -e "$HOME/.local" ] || fail_with "it made a queue"
}

### --hold, --release, --retry, --remove

@test "queue 3.8: --hold puts an entry aside, --release brings it back at once, both silently and twice" {
	queue a@example.net
	set_next "$spool/queue/$file" "+3 hours"
	for _ in 1 2; do
		run_mailcrane --hold="$id"
		assert_exit 0
		assert_silent
		assert_names queue
		assert_names hold "$file"
	done
	for _ in 1 2; do
		run_mailcrane --release="$id"
		assert_exit 0
		assert_silent
		assert_names hold
		assert_names queue "$file"
		assert_due "$spool/queue/$file"
	done
}

@test "queue 3.8: --retry makes an entry due" {
	queue a@example.net
	set_next "$spool/queue/$file" "+3 hours"
	run_mailcrane --retry="$id"
	assert_exit 0
	assert_silent
	assert_due "$spool/queue/$file"
}

@test "queue 3.8: --retry of a failed entry tries everybody who was refused, and nobody who has it" {
	queue a@example.net b@example.net
	set_state "$spool/queue/$file" b@ D
	make_failed a@
	run_mailcrane --retry="$id"
	assert_exit 0
	assert_silent
	assert_names failed
	assert_names queue "$file"
	assert_due "$spool/queue/$file"
	run_mailcrane --mailq --json
	assert_stdout '"address":"a@example.net","state":"pending"'
	assert_stdout '"address":"b@example.net","state":"delivered"'
}

@test "queue 3.8: --remove removes an entry, wherever it lies" {
	queue a@example.net
	run_mailcrane --remove="$id"
	assert_exit 0
	assert_silent
	queue b@example.net
	run_mailcrane --hold="$id"
	run_mailcrane --remove="$id"
	assert_exit 0
	queue c@example.net
	make_failed c@
	run_mailcrane --remove="$id"
	assert_exit 0
	assert_silent
	for folder in queue hold failed tmp corrupt; do
		assert_names $folder
	done
}

@test "queue 3.8: what was done lasts: the folder is synced behind each rename and unlink" {
	command -v strace >/dev/null || skip "there is no strace"
	strace -o /dev/null true 2>/dev/null || skip "ptrace is not permitted"
	queue a@example.net
	# LeakSanitizer does not work under strace.
	CLEAN_ENVIRONMENT=(ASAN_OPTIONS=detect_leaks=0)
	for action in hold release remove; do
		run --separate-stderr clean_environment strace -qq -e trace=rename,renameat,renameat2,unlink,unlinkat,fsync \
			-o "$BATS_TEST_TMPDIR/calls" "$MAILCRANE" "--$action=$id" 3>&- 4>&-
		assert_exit 0
		grep -Eq '^(rename|unlink)' "$BATS_TEST_TMPDIR/calls" || fail_with "nothing was done" "$(cat "$BATS_TEST_TMPDIR/calls")"
		[[ $(tail -n 1 "$BATS_TEST_TMPDIR/calls") == fsync* ]] || fail_with "the last is no sync" "$(cat "$BATS_TEST_TMPDIR/calls")"
	done
}

@test "queue 3.8: --remove of an entry that may have been delivered says so" {
	queue a@example.net b@example.net
	set_state "$spool/queue/$file" a@ U
	run_mailcrane --remove="$id"
	assert_exit 0
	assert_stderr "warning: $id may have been delivered to 1 recipient"
	assert_names queue
}

@test "what makes no sense with an entry's state is 64 and changes nothing" {
	queue a@example.net
	run_mailcrane --hold="$id"
	run_mailcrane --retry="$id"
	assert_exit 64
	assert_stderr "--release=$id"
	assert_names hold "$file"
	run_mailcrane --release="$id"
	make_failed a@
	run_mailcrane --hold="$id"
	assert_exit 64
	run_mailcrane --release="$id"
	assert_exit 64
	assert_stderr "--retry=$id"
	assert_names failed "$file"
}

@test "all means everything that the action is for" {
	queue a@example.net
	first=$file
	queue b@example.net
	make_failed b@
	failed=$file
	queue c@example.net
	run_mailcrane --hold=all
	assert_exit 0
	assert_silent
	assert_names hold "$first" "$file"
	assert_names failed "$failed"
	run_mailcrane --release=all
	assert_exit 0
	assert_names queue "$first" "$file"
	assert_names hold
	run_mailcrane --retry=all
	assert_exit 0
	assert_names queue "$first" "$failed" "$file"
	run_mailcrane --hold="$first"
	run_mailcrane --remove=all
	assert_exit 0
	assert_silent
	for folder in queue hold failed; do
		assert_names $folder
	done
}

@test "several entries in one call: the exit status is the worst, and the good ones are done" {
	queue a@example.net
	first=$file
	queue b@example.net
	run_mailcrane --remove="${first%%.*}" 0000000000000000000 "$id"
	assert_exit 66
	assert_names queue
}

@test "queue 3.8: an entry that stays locked is 75 after two seconds, and as it was" {
	queue a@example.net
	hold_lock "$spool/queue/$file"
	for action in hold retry remove; do
		SECONDS=0
		run_mailcrane "--$action=$id"
		assert_exit 75
		assert_stderr "$id is being delivered just now, try again"
		[ "$SECONDS" -le 10 ] || fail_with "it waited for $SECONDS seconds"
		assert_names queue "$file"
	done
}

@test "queue 3.8: an entry that is locked for a moment is waited for" {
	queue a@example.net
	mkfifo "$BATS_TEST_TMPDIR/locked"
	# shellcheck disable=SC2016 # for the shell that is started
	flock "$spool/queue/$file" sh -c 'echo >"$0"; exec sleep 0.4' "$BATS_TEST_TMPDIR/locked" 3>&- &
	read -r _ <"$BATS_TEST_TMPDIR/locked"
	run_mailcrane --hold="$id"
	assert_exit 0
	assert_silent
	assert_names hold "$file"
	wait
}

@test "an entry that cannot be trusted is put into corrupt/ instead, with 65" {
	queue a@example.net
	truncate -s 60 "$spool/queue/$file"
	run_mailcrane --retry="$id"
	assert_exit 65
	assert_stderr "corrupt/"
	assert_names queue
	assert_names corrupt "$file"
}

@test "--release=ACCOUNT lets its routes be tried at once, and no other's" {
	queue a@example.net
	hold_account work 00000001
	hold_account work 00000002
	hold_account home 00000003
	run_mailcrane --release=work
	assert_exit 0
	assert_silent
	assert_names routes 00000003
	run_mailcrane --release=all
	assert_exit 0
	assert_names routes
}

@test "--release of an account that is well does nothing" {
	write_config <<-END
		account work
		host 127.0.0.1
		port 9
		from joe@example.test
		account default : work
	END
	queue a@example.net
	run_mailcrane --release=work
	assert_exit 0
	assert_silent
	run_mailcrane --release=wurk
	assert_exit 64
}

### --queue-check

@test "--queue-check is silent when all is well, also without a queue" {
	run_mailcrane --queue-check
	assert_exit 0
	assert_silent
	queue a@example.net
	message=$(make_message 300000)
	queue b@example.net
	run_mailcrane --hold="$id"
	run_mailcrane --queue-check
	assert_exit 0
	assert_silent
}

@test "--queue-check finds a message that was changed, a head that was changed, and one that is cut" {
	local bad

	for damage in message large head end; do
		message=$small
		[ $damage != large ] || message=$(make_message 300000)
		queue a@example.net
		case $damage in
		message) sed -i 's/^hello$/jello/' "$spool/queue/$file" ;;
		large) sed -i 's/07700$/07701/' "$spool/queue/$file" ;;
		head) sed -i '2s/default/defeult/' "$spool/queue/$file" ;;
		end) truncate -s -5 "$spool/queue/$file" ;;
		esac
		bad=$file
		run_mailcrane --queue-check
		assert_exit 65
		[ "${#lines[@]}" -eq 1 ] || fail_with "one finding expected"
		assert_stdout "queue/$bad: "
		run_mailcrane --queue-check=repair
		assert_exit 65
		assert_stdout "queue/$bad: "
		[ -e "$spool/corrupt/$bad" ] || fail_with "it was not put aside"
		run_mailcrane --queue-check
		assert_exit 0
		assert_silent
	done
}

@test "--queue-check finds links, other names, and files that are not entries" {
	queue a@example.net
	ln "$spool/queue/$file" "$BATS_TEST_TMPDIR/link"
	run_mailcrane --queue-check
	assert_exit 65
	assert_stdout "queue/$file: it has more than one name"
	rm "$BATS_TEST_TMPDIR/link"
	mv "$spool/queue/$file" "$BATS_TEST_TMPDIR/entry"
	ln -s "$BATS_TEST_TMPDIR/entry" "$spool/queue/$file"
	: >"$spool/hold/note.txt"
	run_mailcrane --queue-check
	assert_exit 65
	assert_stdout "queue/$file: "
	assert_stdout "hold/note.txt: is not the name of an entry"
	run_mailcrane --queue-check=repair
	assert_exit 65
	run_mailcrane --queue-check
	assert_exit 0
	assert_silent
	assert_names corrupt "$file" note.txt
	[ -e "$BATS_TEST_TMPDIR/entry" ] || fail_with "what the link points to was touched"
}

@test "--queue-check=repair puts aside a second stray of the same name, whatever it is called" {
	local stray=$'it\e[31m'

	queue a@example.net
	for _ in 1 2; do
		: >"$spool/queue/$stray"
		run_mailcrane --queue-check=repair
		assert_exit 65
		[ -z "$stderr" ] || fail_with "it was not put aside"
		assert_names queue "$file"
	done
	[ "$(names corrupt | wc -l)" -eq 2 ] || fail_with "two files expected in corrupt/"
	run_mailcrane --queue-check
	assert_exit 0
}

@test "--queue-check finds what a crash has left, and repair removes it, but not what may be being written" {
	queue a@example.net
	cp -p "$spool/queue/$file" "$spool/tmp/$file"
	run_mailcrane --queue-check=repair
	assert_exit 0
	assert_silent
	assert_names tmp "$file"
	touch -d '-37 hours' "$spool/tmp/$file"
	run_mailcrane --queue-check
	assert_exit 65
	assert_stdout "tmp/$file: "
	run_mailcrane --queue-check=repair
	assert_exit 65
	assert_names tmp
	run_mailcrane --queue-check
	assert_exit 0
}

@test "--queue-check leaves an entry alone that somebody works on" {
	queue a@example.net
	hold_lock "$spool/queue/$file"
	run_mailcrane --queue-check
	assert_exit 0
	run_mailcrane --queue-check=repair
	assert_exit 0
	assert_names queue "$file"
}

@test "--queue-check of a queue of another version refuses to look" {
	queue a@example.net
	echo 2 >"$spool/VERSION"
	run_mailcrane --queue-check
	assert_exit 78
}

@test "--queue-check --json has the findings" {
	queue a@example.net
	run_mailcrane --queue-check --json
	assert_exit 0
	[ "$output" = '{"schema":"mailcrane.queue-check/1","findings":[]}' ] || fail_with "another document"
	truncate -s 60 "$spool/queue/$file"
	run_mailcrane --queue-check --json
	assert_exit 65
	assert_stdout "\"findings\":[{\"path\":\"queue/$file\",\"text\":\""
}

### Many

# bats test_tags=slow
@test "mailq and the actions go through 20000 entries" {
	queue a@example.net
	# The same message under other names is bad; so one line each on stderr, and the good one is found between them.
	mkdir "$BATS_TEST_TMPDIR/many"
	printf "$BATS_TEST_TMPDIR/many/%019d.${file##*.}\n" {1..20000} | xargs touch
	find "$BATS_TEST_TMPDIR/many" -type f -exec mv -t "$spool/queue" {} +
	run_mailcrane -bp
	assert_exit 0
	[ "${lines[-1]}" = "-- 0 Kbytes in 1 Request." ] || fail_with "another last line"
	[ "$(grep -c '/queue/' <<<"$stderr")" -eq 20000 ] || fail_with "20000 warnings expected"
	run_mailcrane --queue-check=repair
	assert_exit 65
	assert_names queue "$file"
	[ "$(names corrupt | wc -l)" -eq 20000 ] || fail_with "20000 files expected in corrupt/"
}
