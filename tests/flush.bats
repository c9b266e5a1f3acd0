#!/usr/bin/env bats
# From submission to delivery through the queue: what is queued, when it is tried, and what becomes of it.

# shellcheck disable=SC2154,SC2034,SC2016 # run_mailcrane sets status, output and stderr; QUEUE is the library's; eval expands later

load lib/common
load lib/queue
QUEUE=

setup() {
	setup_queue
}

teardown() {
	stop_peer
}

# There is one notification, for ADDRESS, with TEXT.
assert_notification() {
	local file

	file=$spool/bounces/new/$(names bounces/new | head -n 1)
	assert_count 1 bounces/new
	grep -Eqi '^Content-Type: multipart/report;' "$file" || fail_with "it is no report" "$(cat "$file")"
	grep -qF "$1" "$file" || fail_with "it does not name $1" "$(cat "$file")"
	grep -qF -- "$2" "$file" || fail_with "it lacks $2" "$(cat "$file")"
}

### Put off and delivered later

@test "sendmail 20: with the relay down a message is queued silently for all its recipients" {
	run_as sendmail -i -f a@x.example -- rcpt@example.org hid@example.org <<<"$small"
	assert_exit 0
	assert_silent
	run_as mailq
	assert_exit 0
	assert_stdout "a@x.example"
	assert_stdout "rcpt@example.org"
	assert_stdout "hid@example.org"
	[ "${lines[-1]}" = "-- 0 Kbytes in 1 Request." ] || fail_with "another last line"
}

@test "what is delivered later is byte for byte what --show shows, and the queue is empty" {
	submit rcpt@example.org hid@example.org
	run_mailcrane --show="$(id_of "$(the_entry)")"
	assert_exit 0
	body <<<"$output" >"$BATS_TEST_TMPDIR/shown"
	grep -q '^Date: ' "$BATS_TEST_TMPDIR/shown"
	grep -q '^Message-ID: ' "$BATS_TEST_TMPDIR/shown"
	relay_up
	flush --network-up
	assert_received 1
	assert_message 1 "$BATS_TEST_TMPDIR/shown"
	assert_recipients 1 rcpt@example.org hid@example.org
	[ "$(sender_of 1)" = joe@example.test ] || fail_with "another sender"
	assert_no_violation
	run_as mailq
	[ "$output" = "Mail queue is empty" ] || fail_with "another text"
}

@test "sendmail 61: what the server puts off is queued silently, listed with its reply, and delivered by sendmail -q" {
	relay_up
	run_as sendmail -i temp1@example.org <<<"$small"
	assert_exit 0
	assert_silent
	run_as mailq
	[[ $output =~ \(.*450\ 4\.[0-9]\.[0-9]\ .*\) ]] || fail_with "mailq lacks the reply"
	relay_down
	relay_up --refuse-rule off
	run_mailcrane --flush </dev/null
	assert_exit 0
	assert_silent
	assert_received 0
	run_as sendmail -q </dev/null
	assert_exit 0
	assert_silent
	assert_each_once 1
	run_as mailq
	[ "$output" = "Mail queue is empty" ] || fail_with "another text"
}

@test "of three recipients one is delivered, one is queued, one is told and makes 67" {
	relay_up
	run_mailcrane ok@example.net temp@example.net perm@example.net <<<"$small"
	assert_exit 67
	assert_stderr "perm@example.net"
	refute_stderr "temp@example.net"
	assert_received 1
	assert_recipients 1 ok@example.net
	assert_count 1 queue
	run_mailcrane --mailq
	assert_stdout "temp@example.net"
	[[ $output != *ok@* && $output != *perm@* ]] || fail_with "others are queued"
	relay_down
	relay_up --refuse-rule off
	make_due
	flush
	assert_received 1
	assert_recipients 1 temp@example.net
	assert_count 0 queue
}

@test "the same bytes of 300000 lines, of 8 bits, with dots, come through the queue" {
	{
		printf 'Subject: =?utf-8?q?=E2=82=AC?=\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n'
		printf '.\n..\n.x\n\n\xe2\x82\xac\nFrom here\n'
		make_message 3000000 | body
	} >"$BATS_TEST_TMPDIR/message"
	run_mailcrane --lone-dot=keep a@example.net <"$BATS_TEST_TMPDIR/message"
	assert_exit 0
	relay_up
	flush --network-up
	assert_received 1
	body <"$BATS_TEST_TMPDIR/message" >"$BATS_TEST_TMPDIR/expected"
	body <"$(received 1)" | tr -d '\r' >"$BATS_TEST_TMPDIR/found"
	assert_same_bytes "$BATS_TEST_TMPDIR/expected" "$BATS_TEST_TMPDIR/found"
}

@test "DSN parameters and the envelope come through the queue as they were given" {
	submit -f env@x.example -N failure,delay -R hdrs a@example.net
	relay_up --ehlo PIPELINING --ehlo DSN
	flush --network-up
	assert_wire_like '^MAIL FROM:<env@x\.example> .*RET=HDRS'
	assert_wire_like '^RCPT TO:<a@example\.net> .*NOTIFY=FAILURE,DELAY'
}

@test "the null sender comes through the queue" {
	submit -f '<>' a@example.net
	relay_up
	flush --network-up
	assert_wire_like '^MAIL FROM:<>'
	assert_received 1
}

### Lanes and routes

@test "four lanes with two connections deliver 300 messages once each, over two connections at a time" {
	configure_queue <<-END
		queue_lanes 4
		max_connections 2
	END
	fill_queue 300 a@example.net
	relay_up --rtt 2
	flush
	assert_each_once 300
	assert_count 0 queue
	assert_open_at_once 2
	assert_no_violation
}

@test "a route whose server does not answer holds up neither another route's mail nor the next flush" {
	start_peer --fault greet:stall
	dead=$PORT
	configure_queue <<-END
		account slow
		host 127.0.0.1
		port $dead
		timeout 4
		from joe@example.test
		account alive
		host 127.0.0.1
		port $RELAY
		from joe@example.test
	END
	for name in slow alive; do
		fill_queue 3 -a $name a@example.net
	done
	start_peer --listen "127.0.0.1:$RELAY"
	clean_environment "$MAILCRANE" --flush </dev/null 3>&- 4>&- &
	pid=$!
	wait_until 3 eval '[ "$(received_count)" -eq 3 ]'
	is_running "$pid" || fail_with "nobody waits for the other server"
	wait "$pid"
	assert_each_once 3
	assert_count 3 queue
	assert_count 1 routes
	SECONDS=0
	flush
	[ "$SECONDS" -le 2 ] || fail_with "it waited again"
}

@test "a dead route costs one connection for 50 messages, none until its time, and all go when it is well" {
	fill_queue 50 a@example.net
	relay_up --fault greet:close
	flush
	assert_connections 1
	assert_count 50 queue
	flush
	assert_connections 1
	flush --network-up
	assert_connections 2
	run_as sendmail -qf </dev/null
	assert_exit 0
	assert_connections 3
	relay_down
	relay_up
	flush
	assert_connections 0
	flush --network-up
	assert_each_once 50
	assert_count 0 queue
	assert_count 0 routes
}

@test "a route that is well again delivers at once what waited because of it" {
	fill_queue 5 a@example.net
	for file in "$spool"/queue/*; do
		touch -m -d '+1 hour' "$file"
	done
	relay_up --fault greet:close
	touch -m -d '-1 second' "$(the_entry)"
	flush
	assert_connections 1
	relay_down
	relay_up
	flush --network-up
	assert_each_once 5
	assert_count 0 queue
}

@test "a route that was put off with a wrong clock, years ahead, is tried as if it were well" {
	fill_queue 1 a@example.net
	flush
	assert_count 1 routes
	sed -i 's/^not_before .*/not_before 4102444800/' "$spool"/routes/*
	touch -m -d '-1 second' "$(the_entry)"
	relay_up
	flush
	assert_each_once 1
	assert_count 0 queue
	assert_count 0 routes
}

@test "what is delivered and cannot be removed from the folder is not sent again" {
	command -v strace >/dev/null || skip "there is no strace"
	strace -o /dev/null true 2>/dev/null || skip "ptrace is not permitted"
	fill_queue 1 a@example.net
	relay_up
	# LeakSanitizer does not work under strace.
	CLEAN_ENVIRONMENT=(ASAN_OPTIONS=detect_leaks=0)
	for _ in 1 2; do
		run --separate-stderr clean_environment strace -f -qq -o /dev/null -e trace=unlinkat -e inject=unlinkat:error=EIO \
			"$MAILCRANE" --flush </dev/null 3>&- 4>&-
		assert_stderr "cannot remove"
		assert_count 1 queue
	done
	assert_each_once 1
	flush
	assert_each_once 1
	assert_count 0 queue
}

### What a flush looks at

@test "sendmail 65: -q on an empty queue, and where there is none, is silent and makes nothing" {
	for option in -q -qf -qIx; do
		run_as sendmail $option </dev/null
		assert_exit 0
		assert_silent
	done
	flush
	flush --network-up
	[ ! -e "$HOME/.local" ] || fail_with "a queue was made"
	fill_queue 1 a@example.net
	run_mailcrane --remove=all
	run_as sendmail -q </dev/null
	assert_exit 0
	assert_silent
}

@test "-qI, -qR and -qS flush what has the text in its id, a recipient, the sender, and -q! what has not" {
	relay_up
	for filter in 'Rb@' 'SJOE2' '!Ra@' '!SJOE1' I; do
		fill_queue 1 -f joe1@example.test a@example.net
		first=$(id_of "$(the_entry)")
		fill_queue 1 -f joe2@example.test c@example.net B@example.net
		second=$(names queue | grep -v "$first")
		[ "$filter" != I ] || filter=I${second:8:11}
		touch -m -d '+2 hours' "$spool/queue/$second"
		run_as sendmail "-q$filter" </dev/null
		assert_exit 0
		assert_silent
		[ "$(id_of "$(the_entry)")" = "$first" ] || fail_with "-q$filter delivered another one" "$(names queue)"
		assert_count 1 queue
		run_mailcrane --remove=all
	done
	assert_received 5
}

@test "an entry on hold is not flushed, whatever the option" {
	relay_up
	fill_queue 1 a@example.net
	run_mailcrane --hold=all
	for option in -q -qf -qRa@; do
		run_as sendmail $option </dev/null
		assert_exit 0
		assert_silent
	done
	assert_received 0
	assert_count 1 hold
}

### An account on hold

# The peer wants a login; the account has PASSWORD.
configure_login() {
	configure_queue <<-END
		auth plain
		auth_cleartext always
		user joe
		password $1
	END
}

# The only account is on hold.
assert_on_hold() {
	run_mailcrane --mailq --json
	assert_stdout '"account":"default","on_hold":true'
}

@test "a login that is refused puts the account on hold: queued, told once in the log, not tried again, released" {
	relay_up --auth PLAIN --auth-in-clear --password "$JOES_PASSWORD"
	configure_login wr0ng-Pass_Word
	submit a@example.net
	assert_connections 1
	assert_on_hold
	submit a@example.net
	assert_connections 1
	flush
	flush --network-up
	assert_connections 1
	assert_count 2 queue
	[ "$(grep -c 'on hold' "$HOME/log")" -eq 1 ] || fail_with "not told once in the log" "$(cat "$HOME/log")"
	grep -q -e '535' "$HOME/log" || fail_with "the log lacks the reply" "$(cat "$HOME/log")"
	grep -q -e '--release=default' "$HOME/log" || fail_with "the log lacks advice" "$(cat "$HOME/log")"
	configure_login "$JOES_PASSWORD"
	run_mailcrane --release=default
	assert_exit 0
	flush
	assert_received 2
	assert_count 0 queue
	assert_count 0 routes
}

@test "a login that fails all day fails no message and bounces none" {
	relay_up --auth PLAIN --auth-in-clear --password "$JOES_PASSWORD"
	configure_login wr0ng-Pass_Word
	echo 'queue_lifetime 1h' >>"$HOME/.mailcranerc"
	fill_queue 20 a@example.net
	age_entry 86400 "$spool"/queue/*
	for attempt in 1 2 3 4 5 6; do
		make_due
		[ "$(count_names routes)" -eq 0 ] || sed -i 's/^not_before .*/not_before 1000000000/' "$spool"/routes/*
		flush
		assert_connections "$attempt"
	done
	assert_count 20 queue
	assert_count 0 failed
	assert_count 0 bounces/new
	[ "$(grep -c 'on hold' "$HOME/log")" -eq 1 ] || fail_with "not told once in the log" "$(cat "$HOME/log")"
	configure_login "$JOES_PASSWORD"
	run_mailcrane --release=default
	flush
	assert_received 20
	assert_count 0 queue
}

@test "a certificate that is not trusted puts the account on hold" {
	make_certificates "$BATS_TEST_TMPDIR/other"
	relay_up --tls starttls --make-cert "$BATS_TEST_TMPDIR/certificates"
	configure_queue <<-END
		tls on
		tls_trust_file $BATS_TEST_TMPDIR/other/ca.pem
	END
	submit a@example.net
	assert_on_hold
	submit a@example.net
	flush
	assert_connections 1
	assert_count 2 queue
	configure_queue <<-END
		tls on
		tls_trust_file $BATS_TEST_TMPDIR/certificates/ca.pem
	END
	run_mailcrane --release=default
	flush
	assert_received 2
	assert_count 0 routes
}

@test "a password that cannot be had puts the account on hold, and no connection is made" {
	relay_up --auth PLAIN --auth-in-clear --password "$JOES_PASSWORD"
	configure_queue <<-END
		auth plain
		auth_cleartext always
		user joe
		passwordeval echo x >>$HOME/asked; exit 1
	END
	submit a@example.net
	assert_on_hold
	submit a@example.net
	flush
	assert_connections 0
	assert_count 2 queue
	[ "$(wc -l <"$HOME/asked")" -eq 1 ] || fail_with "it was asked for more than once"
	grep -q 'on hold' "$HOME/log" || fail_with "not told in the log" "$(cat "$HOME/log")"
	configure_login "$JOES_PASSWORD"
	run_mailcrane --release=default
	flush
	assert_received 2
	assert_count 0 routes
}

### Servers that misbehave

@test "a message that makes the server drop the connection waits alone, the others are delivered in the same flush" {
	for where in 'mail#3@conn=1' 'data#3@conn=1' 'body#3@10@conn=1' 'dot*1'; do
		fill_queue 5 a@example.net
		relay_up --ehlo PIPELINING --fault "$where:close"
		flush
		assert_count 1 queue
		assert_received 4
		assert_connections 2
		[ "$(stat -c %Y "$(the_entry)")" -gt "$(date +%s)" ] || fail_with "$where: it is due already"
		relay_down
		relay_up
		make_due
		forget_routes
		flush
		assert_each_once 1
		assert_count 0 queue
		relay_down
	done
}

@test "a server that drops every message is left alone after two of them, and nothing is lost" {
	for where in mail rcpt data body@10 dot; do
		fill_queue 10
		relay_up --ehlo PIPELINING --fault "$where:close"
		flush
		[ "$(connections)" -le 2 ] || fail_with "$where: $(connections) connections"
		assert_received 0
		assert_count 10 queue
		flush
		[ "$(connections)" -le 2 ] || fail_with "$where: $(connections) connections"
		relay_down
		relay_up
		make_due
		flush --network-up
		assert_each_once 10
		assert_count 0 queue
		relay_down
	done
}

@test "a server that never answers a message is left alone after two of them" {
	configure_queue <<<"timeout 1"
	fill_queue 10
	relay_up --fault dot:stall
	SECONDS=0
	flush
	[ "$SECONDS" -le 4 ] || fail_with "it took $SECONDS seconds"
	[ "$(connections)" -le 2 ] || fail_with "$(connections) connections"
	assert_count 10 queue
	assert_count 1 routes
}

@test "with pipeline_depth 10 a connection that is lost in the middle loses nothing, and the rest goes in the same flush" {
	configure_queue <<<"pipeline_depth 10"
	fill_queue 30
	relay_up --fault 'mail#14@conn=1:close'
	flush
	[ "$(connections)" -le 3 ] || fail_with "$(connections) connections"
	[ "$(received_count)" -ge 20 ] || fail_with "only $(received_count) arrived"
	n=$(count_names queue)
	assert_each_once $((30 - n))
	make_due
	forget_routes
	flush
	assert_each_once 30
	assert_count 0 queue
}

@test "421 anywhere loses nothing, doubles nothing, and makes a handful of connections" {
	for where in greet ehlo mail rcpt dot 'mail#3' 'dot*1'; do
		fill_queue 6 a@example.net
		relay_up --fault "$where:reply=421 4.3.2 going down"
		flush
		[ "$(connections)" -le 8 ] || fail_with "$where: $(connections) connections"
		assert_count 0 failed
		assert_each_once $((6 - $(count_names queue)))
		mkdir -p "$BATS_TEST_TMPDIR/all" && find "$PEER_MAIL" -name '*.eml' -exec cp {} "$BATS_TEST_TMPDIR/all" \;
		n=$(count_names queue)
		relay_down
		relay_up
		make_due
		forget_routes
		flush
		assert_each_once "$n"
		assert_count 0 queue
		relay_down
	done
}

@test "a server that takes three messages in a session and then says 421 gets all of them, a connection for every three" {
	fill_queue 9 a@example.net
	relay_up --fault 'mail#4:reply=421 4.7.0 enough for one session'
	flush
	assert_each_once 9
	assert_count 0 queue
	[ "$(connections)" -le 4 ] || fail_with "$(connections) connections"
}

@test "a server that takes two recipients at a time gets all five of them from the queue, in one flush" {
	for fault in 'greet:delay=0' 'rcpt#3:reply=552 5.5.3 too many'; do
		fill_queue 1 r1@example.net r2@example.net r3@example.net r4@example.net r5@example.net
		if [[ $fault == greet* ]]; then relay_up --max-rcpt 2; else relay_up --fault "$fault"; fi
		flush
		assert_count 0 queue
		assert_count 0 failed
		[ "$(cat "$PEER_MAIL"/*.env | grep -c '^to ')" -eq 5 ] || fail_with "not everybody has it, or twice" "$(cat "$PEER_MAIL"/*.env)"
		[ "$(cat "$PEER_MAIL"/*.env | grep '^to ' | sort -u | wc -l)" -eq 5 ] || fail_with "somebody got it twice"
		relay_down
	done
}

@test "what a server without 8BITMIME and SMTPUTF8 refuses to take is told, and what can be encoded is" {
	printf 'Subject: s\n\n\xe2\x82\xac\n' >"$BATS_TEST_TMPDIR/message"
	run_mailcrane -odq a@example.net <"$BATS_TEST_TMPDIR/message"
	assert_exit 0
	relay_up --ehlo PIPELINING
	flush
	assert_count 0 queue
	assert_received 1
	[ "$(header_of 1 Content-Transfer-Encoding)" != "" ] || fail_with "it is not encoded"
}

@test "LMTP: each recipient has an answer of its own, and only who was put off is tried again" {
	configure_queue <<<"protocol lmtp"
	fill_queue 1 ok@example.net latetemp@example.net lateperm@example.net
	relay_up --lmtp
	flush
	[ "$(states_of "$(the_entry)")" = DTF ] || fail_with "other states: $(states_of "$(the_entry)")"
	relay_down
	relay_up --lmtp --refuse-rule off
	make_due
	flush
	assert_recipients 1 latetemp@example.net
	assert_count 0 queue
	assert_count 1 failed
	assert_notification lateperm@example.net "550"
}

@test "what is larger than the server takes fails without being sent, and the next message is delivered" {
	make_message 5000 >"$BATS_TEST_TMPDIR/message"
	message=$(cat "$BATS_TEST_TMPDIR/message") submit -odq big@example.net
	fill_queue 1
	relay_up --ehlo "SIZE 1000"
	flush
	assert_count 0 queue
	assert_count 1 failed
	[ "$(cat "$PEER_MAIL"/*.env | grep -c '^to ')" -eq 1 ] || fail_with "others did not arrive"
	assert_notification big@example.net "5.3.4"
}

@test "--force tries an account on hold, and success ends that" {
	relay_up --auth PLAIN --auth-in-clear --password "$JOES_PASSWORD"
	configure_login wr0ng-Pass_Word
	submit a@example.net
	assert_on_hold
	configure_login "$JOES_PASSWORD"
	flush
	assert_received 0
	flush --force
	assert_received 1
	assert_count 0 routes
}

@test "a submission that gets through ends the waiting of its route, and all of its mail goes" {
	for i in 1 2 3; do
		submit a@example.net
	done
	assert_count 1 routes
	relay_up
	flush
	assert_received 0
	submit b@example.net
	wait_until 10 is_queue_empty
	assert_received 4
	assert_connections 1
	wait_until 5 eval '[ "$(count_names routes)" -eq 0 ]'
}

@test "a queue of another version is left alone: delivered with the relay up, 75 without, 78 for a flush" {
	fill_queue 1
	echo 2 >"$spool/VERSION"
	run_mailcrane b@example.net <<<"$small"
	assert_exit 75
	assert_stderr "version"
	run_mailcrane --flush </dev/null
	assert_exit 78
	assert_stderr "version"
	relay_up
	run_mailcrane b@example.net <<<"$small"
	assert_exit 0
	assert_recipients 1 b@example.net
	assert_count 1 queue
}

### Refused for good

@test "a message that is refused from the queue is told by one notification, and kept in failed/" {
	fill_queue 1 perm@example.net ok@example.net
	relay_up
	flush
	assert_count 0 queue
	assert_count 1 failed
	assert_notification perm@example.net "550 5.1.1"
	grep -q '^Final-Recipient: rfc822; *perm@example.net' "$spool"/bounces/new/* || fail_with "no Final-Recipient"
	! grep -q '^Final-Recipient: .*ok@' "$spool"/bounces/new/* || fail_with "it names somebody who has it"
	assert_recipients 1 ok@example.net
	flush --force
	assert_count 1 bounces/new
	relay_down
	relay_up --refuse-rule off
	run_mailcrane --retry=all
	assert_exit 0
	flush
	assert_received 1
	assert_recipients 1 perm@example.net
	assert_count 0 failed
	assert_count 0 queue
}

@test "with bounce_to sender the notification comes by mail, from the null sender" {
	configure_queue <<<"bounce_to sender"
	fill_queue 1 perm@example.net
	relay_up
	flush
	assert_count 1 failed
	is_queue_empty || flush
	assert_count 0 queue
	assert_received 1
	assert_recipients 1 joe@example.test
	[ "$(sender_of 1)" = "" ] || fail_with "its sender is $(sender_of 1)"
	assert_count 0 bounces/new
}

@test "with bounce_to ADDRESS the notification goes there" {
	configure_queue <<<"bounce_to postmaster@example.test"
	fill_queue 1 perm@example.net
	relay_up
	flush
	is_queue_empty || flush
	assert_received 1
	assert_recipients 1 postmaster@example.test
}

@test "a notification that is refused ends in bounces/, and there is none about it" {
	configure_queue <<<"bounce_to perm-me@example.test"
	fill_queue 1 perm@example.net
	relay_up
	flush
	is_queue_empty || flush
	assert_count 0 queue
	assert_received 0
	assert_count 1 bounces/new
}

@test "nobody is told of a message from the null sender, which is kept in failed/" {
	configure_queue <<<"bounce_to sender"
	fill_queue 1 -f '<>' perm@example.net
	relay_up
	flush
	assert_count 0 queue
	assert_count 1 failed
	assert_count 0 bounces/new
	assert_received 0
}

@test "NOTIFY=NEVER is kept" {
	fill_queue 1 -N never perm@example.net
	relay_up
	flush
	assert_count 1 failed
	assert_count 0 bounces/new
}

@test "an old message is given up after an attempt that reached the server, and not before" {
	configure_queue <<<"queue_lifetime 1h"
	fill_queue 1 temp@example.net
	age_entry 7200 "$(the_entry)"
	flush
	assert_count 1 queue
	relay_up
	make_due
	flush --network-up
	assert_count 0 queue
	assert_count 1 failed
	assert_notification temp@example.net "5.4.7"
}

@test "an old message of which somebody has a copy already is not given up while no server answers" {
	configure_queue <<<"queue_lifetime 1h"
	fill_queue 1 ok@example.net temp@example.net
	relay_up
	flush
	[ "$(states_of "$(the_entry)")" = DT ] || fail_with "other states: $(states_of "$(the_entry)")"
	relay_down
	age_entry 7200 "$(the_entry)"
	make_due
	flush
	assert_count 1 queue
	assert_count 0 failed
	assert_count 0 bounces/new
}

@test "the only message of a route is given up as well, when the server never comes to it" {
	fill_queue 1 a@example.net
	age_entry 15000 "$(the_entry)"
	relay_up --fault "greet:reply=554 5.3.2 no service"
	flush
	assert_count 1 queue
	assert_notification a@example.net "Action: delayed"
	rm -f "$spool"/bounces/new/*
	age_entry 432000 "$(the_entry)"
	make_due
	forget_routes
	flush
	assert_count 0 queue
	assert_count 1 failed
	assert_notification a@example.net "5.4.7"
}

@test "an old message that is delivered at last is delivered" {
	configure_queue <<<"queue_lifetime 1h"
	fill_queue 1 a@example.net
	age_entry 7200 "$(the_entry)"
	relay_up
	flush
	assert_received 1
	assert_count 0 failed
	assert_count 0 queue
}

@test "after four hours the sender is told once that it takes long" {
	fill_queue 1 temp@example.net
	age_entry 15000 "$(the_entry)"
	relay_up
	flush
	assert_count 1 queue
	assert_notification temp@example.net "Action: delayed"
	make_due
	flush
	assert_count 1 queue
	assert_count 1 bounces/new
}

### Many at the same time

@test "four flushes at the same time deliver each of 100 messages once" {
	fill_queue 100 a@example.net
	relay_up --rtt 2
	for i in 1 2 3 4; do
		clean_environment "$MAILCRANE" -qf </dev/null >"$BATS_TEST_TMPDIR/said$i" 2>&1 3>&- 4>&- &
		pids[i]=$!
	done
	for i in 1 2 3 4; do
		wait "${pids[i]}" || fail_with "a flush ended with $?" "$(cat "$BATS_TEST_TMPDIR/said$i")"
	done
	[ -z "$(cat "$BATS_TEST_TMPDIR"/said*)" ] || fail_with "it said something" "$(cat "$BATS_TEST_TMPDIR"/said*)"
	flush
	assert_each_once 100
	assert_count 0 queue
}

@test "a flush that finds another one at work ends at once, and what was queued meanwhile is delivered by the first" {
	fill_queue 1 a@example.net
	relay_up --fault 'dot@conn=1:delay=1500'
	clean_environment "$MAILCRANE" --flush </dev/null 3>&- 4>&- &
	pid=$!
	wait_until 10 grep -q 'C: MAIL' "$PEER_LOG"
	numbered_message 2 | clean_environment "$MAILCRANE" -odq b@example.net
	flush
	is_running "$pid" || fail_with "the second waited for the first"
	wait "$pid"
	assert_each_once 2
	assert_count 0 queue
}

### Bad entries

@test "a bad entry that is the only one of its route is put aside and told as well" {
	local name

	submit -odq a@example.net
	name=$(names queue)
	truncate -s 100 "$spool/queue/$name"
	run_mailcrane --flush </dev/null
	assert_exit 0
	assert_stderr "$name"
	assert_count 0 queue
	[ -f "$spool/corrupt/$name" ] || fail_with "$name is not in corrupt/"
	flush
}

@test "what is no good entry is put aside and told with its name, and the others are delivered" {
	local bad=()

	fill_queue 9 a@example.net
	mapfile -t all < <(names queue)
	cd "$spool/queue"
	truncate -s 100 "${all[0]}"
	sed -i '2s/default/defeult/' "${all[1]}"
	sed -i 's/^body /bodx /' "${all[2]}"
	mv "${all[3]}" "$BATS_TEST_TMPDIR/entry" && ln -s "$BATS_TEST_TMPDIR/entry" "${all[3]}"
	ln "${all[4]}" "$BATS_TEST_TMPDIR/link"
	rm "${all[5]}" && mkdir "${all[5]}"
	rm "${all[6]}" && mkfifo "${all[6]}"
	bad=("${all[@]:0:7}")
	if [ "$(id -u)" -eq 0 ]; then
		chown 65534 "${all[7]}"
		bad+=("${all[7]}")
	fi
	relay_up
	run_mailcrane --flush </dev/null
	assert_exit 0
	for name in "${bad[@]}"; do
		assert_stderr "$name"
		grep -qF "$name" "$HOME/log" || fail_with "the log lacks $name" "$(cat "$HOME/log")"
	done
	assert_each_once $((9 - ${#bad[@]}))
	for name in "${all[@]:0:3}"; do
		[ -f "$spool/corrupt/$name" ] || fail_with "$name is not in corrupt/" "$(ls -l "$spool/queue" "$spool/corrupt")"
	done
	[ -e "$BATS_TEST_TMPDIR/entry" ] && [ -e "$BATS_TEST_TMPDIR/link" ] || fail_with "what is outside was touched"
}

@test "a name in the queue that is no entry's, and an id of another form, do no harm" {
	fill_queue 1 a@example.net
	echo x >"$spool/queue/README"
	echo x >"$spool/queue/.hidden"
	relay_up
	run_mailcrane --flush </dev/null
	assert_exit 0
	assert_received 1
	[ -f "$spool/queue/README" ] || [ -f "$spool/corrupt/README" ] || fail_with "a file that is not ours was removed"
}

### What is said of it

@test "the log has a line with queueid for the submission and for every attempt" {
	submit temp@example.net
	id=$(id_of "$(the_entry)")
	relay_up
	make_due
	flush --network-up
	relay_down
	relay_up --refuse-rule off
	make_due
	flush
	[ "$(grep -c "queueid=$id" "$HOME/log")" -eq 3 ] || fail_with "three lines expected" "$(cat "$HOME/log")"
	tail -n 1 "$HOME/log" | grep -q 'exitcode=EX_OK' || fail_with "the last line" "$(cat "$HOME/log")"
	sed -n 2p "$HOME/log" | grep -q '450' || fail_with "the second line" "$(cat "$HOME/log")"
}

@test "--flush --debug shows the dialogue" {
	fill_queue 2 a@example.net
	relay_up
	run_mailcrane --flush --debug </dev/null
	assert_exit 0
	[[ $output$stderr == *"MAIL FROM:<joe@example.test>"*"QUIT"* ]] || fail_with "no dialogue"
	assert_received 2
}

@test "on a terminal a flush shows how far it is" {
	command -v script >/dev/null || skip "there is no script(1)"
	fill_queue 3 a@example.net
	fill_queue 1 perm@example.net
	relay_up
	run --separate-stderr clean_environment script -qec "'$MAILCRANE' --flush" /dev/null </dev/null 3>&- 4>&-
	assert_stdout "3 of 4 delivered, 0 put off, 1 failed"
}

@test "on a terminal a submission says that it was queued, and why" {
	command -v script >/dev/null || skip "there is no script(1)"
	printf '%s\n' "$small" >"$BATS_TEST_TMPDIR/message"
	run --separate-stderr clean_environment script -qec "'$MAILCRANE' a@example.net <'$BATS_TEST_TMPDIR/message'" /dev/null </dev/null 3>&- 4>&-
	assert_exit 0
	assert_stdout "queued as $(id_of "$(the_entry)")"
	assert_stdout "connection refused"
}

### Interrupted

@test "a submission that is killed while it waits for the server has queued nothing, and says so by its status" {
	relay_up --fault greet:stall
	clean_environment "$MAILCRANE" a@example.net <<<"$small" 3>&- 4>&- &
	pid=$!
	wait_until 10 grep -q 'connect from' "$PEER_LOG"
	kill -KILL "$pid"
	status=0
	wait "$pid" || status=$?
	assert_exit 137
	[ ! -e "$spool/queue" ] || assert_count 0 queue
}

@test "a flush that is ended in the middle leaves everything to the next one" {
	for signal in TERM INT KILL; do
		fill_queue 5 a@example.net
		relay_up --fault 'data#3:stall' --ehlo PIPELINING
		env --default-signal=INT HOME="$HOME" "$MAILCRANE" --flush </dev/null 3>&- 4>&- &
		pid=$!
		wait_until 10 test -e "$PEER_MAIL/0002.eml"
		wait_until 10 eval "[ \"\$(grep -c 'C: DATA' '$PEER_LOG')\" -ge 3 ]"
		kill -"$signal" "$pid"
		wait "$pid" || true
		assert_received 2
		assert_count 3 queue
		relay_down
		relay_up
		flush
		assert_each_once 3
		assert_count 0 queue
		relay_down
	done
}

@test "--force ignores the times of messages and of routes" {
	submit a@example.net
	touch -m -d '+3 hours' "$(the_entry)"
	relay_up
	flush
	assert_received 0
	flush --force
	assert_received 1
}

### The same settings later

@test "a configuration file by a relative path, and options, are good for a flush from another folder" {
	mkdir "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
	(umask 077 && printf 'account x\nhost 127.0.0.1\nport %s\nfrom joe@example.test\ndomain from-file.example\n' "$RELAY" >"$BATS_TEST_TMPDIR/a/rc")
	cd "$BATS_TEST_TMPDIR/a"
	submit -C rc -a x --domain=from-option.example a@example.net
	rm "$HOME/.mailcranerc"
	submit --host=127.0.0.1 --port="$RELAY" --domain=all-options.example --from=k@example.test b@example.net
	cd "$BATS_TEST_TMPDIR/b"
	relay_up
	flush --network-up
	assert_received 2
	assert_wire_like '^EHLO from-option\.example'
	assert_wire_like '^EHLO all-options\.example'
	assert_count 0 queue
}

@test "mail of an account that is gone stays, is told with a hint, and does not hold up others" {
	configure_queue <<-END
		account gone
		host 127.0.0.1
		port $RELAY
		from joe@example.test
	END
	fill_queue 2 -a gone a@example.net
	fill_queue 1 -a default b@example.net
	configure_queue </dev/null
	relay_up
	run_mailcrane --flush </dev/null
	assert_stderr "gone"
	assert_stderr "hint: its mail stays in the queue"
	assert_each_once 1
	assert_count 2 queue
	assert_count 0 failed
}

@test "a mistake in the account is mended while mail waits" {
	configure_queue <<<"host 127.0.0.1
	port 1"
	submit a@example.net
	configure_queue </dev/null
	relay_up
	flush --network-up
	assert_received 1
}

@test "a password on the command line is not in the queue" {
	relay_up --auth PLAIN --auth-in-clear --password "$JOES_PASSWORD"
	configure_queue <<-END
		auth plain
		auth_cleartext always
		user joe
		passwordeval echo $JOES_PASSWORD
	END
	register_secret "$JOES_PASSWORD"
	relay_down
	submit a@example.net
	! grep -r "passwordeval\|$JOES_PASSWORD" "$spool" || fail_with "the entry has it"
	relay_up --auth PLAIN --auth-in-clear --password "$JOES_PASSWORD"
	flush --network-up
	assert_received 1
}
