#!/usr/bin/env bats
# What a call leaves to the queue and to processes of its own: modes, time limits, the queue over the same connection.

# shellcheck disable=SC2154,SC2034,SC2016 # run_mailcrane sets status, output and stderr; the library reads others; eval expands later

load lib/common
load lib/queue
QUEUE=

setup() {
	setup_queue
}

teardown() {
	stop_peer
}

### Modes

@test "with queue off nothing is queued, whatever an option says: 75" {
	configure_queue <<<"queue off"
	for option in -odi -odq -odb -oi; do
		run_mailcrane $option a@example.net <<<"$small"
		assert_exit 75
		[ -n "$stderr" ] || fail_with "it says nothing"
	done
	[ ! -e "$spool" ] || fail_with "a queue was made"
}

# A submission with ARGS makes no connection, and loads nothing of TLS.
only_queues() {
	CLEAN_ENVIRONMENT=(LD_DEBUG=libs LD_DEBUG_OUTPUT="$BATS_TEST_TMPDIR/libraries")
	submit "$@" a@example.net
	CLEAN_ENVIRONMENT=()
	[ "$(connections)" -eq 0 ] || fail_with "it made a connection"
	if [ -z "${ASAN_OPTIONS:-}" ]; then
		grep -rq 'libc\.so' "$BATS_TEST_TMPDIR"/libraries* || fail_with "no libraries are told"
		! grep -r 'find library.*gnutls' "$BATS_TEST_TMPDIR"/libraries* || fail_with "the TLS library was loaded"
	fi
	assert_count 1 queue
	run_mailcrane --remove=all
	rm -f "$BATS_TEST_TMPDIR"/libraries*
}

@test "queue always, -odq, -odd and DeliveryMode=q queue without a connection, and without the TLS library" {
	relay_up
	for option in -odq -odd -ODeliveryMode=q -ODeliveryMode=d; do
		only_queues $option
	done
	configure_queue <<<"queue always"
	only_queues
	submit -odi a@example.net
	assert_received 1
}

@test "sendmail 26, 33: -odb returns before the server has greeted, and the message is delivered without another command" {
	relay_up --fault greet:delay=1000
	for option in -odb -ODeliveryMode=b; do
		rm -rf "$spool"
		run_mailcrane $option a@example.net <<<"$small"
		assert_exit 0
		assert_silent
		refute_log_line ' C: MAIL'
		assert_count 1 queue
		wait_until 20 is_queue_empty
		[ "$(received_count)" -ge 1 ] || fail_with "it did not arrive"
		assert_each_once "$(received_count)"
		: >"$PEER_LOG"
	done
	assert_received 2
}

@test "whoever waits for the end of the caller's pipes is not held up by -odb" {
	relay_up --fault greet:delay=2000
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	(
		exec 7>"$BATS_TEST_TMPDIR/fifo" 3>&- 4>&-
		clean_environment "$MAILCRANE" -odb a@example.net <<<"$small" 1>&7 2>&7 8>&7 30>&7
		printf 'status %s\n' $? >&7
	) &
	# Both ends of the pipe that the program had are closed when cat comes to the end.
	cat <"$BATS_TEST_TMPDIR/fifo" >"$BATS_TEST_TMPDIR/said"
	refute_log_line ' C: EHLO'
	wait $!
	[ "$(cat "$BATS_TEST_TMPDIR/said")" = "status 0" ] || fail_with "it said: $(cat "$BATS_TEST_TMPDIR/said")"
	wait_until 20 is_queue_empty
	assert_received 1
}

@test "-odb with several messages delivers all over one connection" {
	relay_up
	for i in 1 2 3; do
		numbered_message $i >"$BATS_TEST_TMPDIR/$i"
	done
	run_mailcrane -odb --message="$BATS_TEST_TMPDIR/1" --message="$BATS_TEST_TMPDIR/2" --message="$BATS_TEST_TMPDIR/3" a@example.net
	assert_exit 0
	wait_until 20 is_queue_empty
	assert_each_once 3
	assert_connections 1
}

### Time

@test "a server that does not answer holds the caller up no longer than submit_timeout" {
	configure_queue <<<"submit_timeout 1"
	relay_up --fault greet:stall
	SECONDS=0
	submit a@example.net
	[ "$SECONDS" -le 4 ] || fail_with "it took $SECONDS seconds"
	assert_count 1 queue
	[ "$(states_of "$(the_entry)")" = T ] || fail_with "another state"
	[ "$(count_names routes)" -eq 1 ] || fail_with "the route is not noted"
}

@test "a final answer that takes longer than submit_timeout is awaited by another process, and nothing is sent twice" {
	configure_queue <<<"submit_timeout 1"
	relay_up --fault dot:delay=3500
	SECONDS=0
	submit a@example.net
	[ "$SECONDS" -le 3 ] || fail_with "it took $SECONDS seconds"
	assert_count 1 queue
	[ "$(states_of "$(the_entry)")" = U ] || fail_with "another state"
	run_mailcrane --mailq
	[[ ${lines[1]} == *\** ]] || fail_with "mailq does not say that it is being delivered"
	run_mailcrane --mailq --json
	assert_stdout '"state":"uncertain"'
	flush --force
	wait_until 20 is_queue_empty
	assert_each_once 1
	assert_connections 1
}

@test "a refusal that comes after submit_timeout is told by a notification" {
	configure_queue <<<"submit_timeout 1"
	relay_up --fault 'dot:delay=2500' --fault 'dot:reply=554 5.7.1 no'
	submit a@example.net
	wait_until 20 is_queue_empty
	assert_count 1 bounces/new
	assert_count 1 failed
}

### Over the same connection

@test "what waits for the same account goes over the connection of a message that was sent, and the caller does not wait" {
	fill_queue 3
	relay_up --fault 'mail#3:delay=2000'
	numbered_message 4 >"$BATS_TEST_TMPDIR/4"
	run_mailcrane last@example.net <"$BATS_TEST_TMPDIR/4"
	assert_exit 0
	assert_silent
	[ "$(received_count)" -le 2 ] || fail_with "the caller waited for the queue"
	wait_until 20 is_queue_empty
	assert_each_once 4
	assert_connections 1
	[ "$(recipients_of 1)" = last@example.net ] || fail_with "the caller's message was not the first"
}

# A relay with TLS and a login, and an account that knows both, with the lines on stdin.
relay_up_securely() {
	relay_up --tls starttls --make-cert "$BATS_TEST_TMPDIR/certificates" --auth PLAIN --password "$JOES_PASSWORD" "$@"
	configure_queue <<-END
		tls on
		tls_trust_file $BATS_TEST_TMPDIR/certificates/ca.pem
		auth on
		user joe
		password $JOES_PASSWORD
		$(</dev/stdin)
	END
}

@test "with TLS and a login another process goes on with the connection, too" {
	fill_queue 3
	run_mailcrane --remove=all
	relay_up_securely </dev/null
	fill_queue 3
	submit a4@example.net
	wait_until 20 is_queue_empty
	assert_received 4
	assert_connections 1
	assert_wire_count 1 AUTH
	assert_no_violation
}

@test "with TLS another process awaits the answer, too, and those to messages that follow" {
	relay_up_securely --fault 'dot:delay=1500' <<<"submit_timeout 1"
	for i in 1 2 3; do
		numbered_message $i >"$BATS_TEST_TMPDIR/$i"
	done
	SECONDS=0
	run_mailcrane --message="$BATS_TEST_TMPDIR/1" --message="$BATS_TEST_TMPDIR/2" --message="$BATS_TEST_TMPDIR/3" a@example.net
	assert_exit 0
	[ "$SECONDS" -le 3 ] || fail_with "it took $SECONDS seconds"
	[ "$(count_names queue)" -ge 1 ] || fail_with "nothing is queued"
	wait_until 20 is_queue_empty
	assert_each_once 3
	assert_count 0 failed
}

@test "a message that is sent does not wake what another account has queued" {
	configure_queue <<-END
		account other
		host 127.0.0.1
		port $RELAY
		from other@example.test
	END
	relay_up
	fill_queue 1 -a other b@example.net
	submit -a default a@example.net
	assert_received 1
	assert_count 1 queue
}

@test "the time for a submission does not end what goes on after it" {
	configure_queue <<<"submit_timeout 2"
	fill_queue 5
	relay_up --fault 'mail:delay=600'
	numbered_message 6 >"$BATS_TEST_TMPDIR/6"
	SECONDS=0
	run_mailcrane a6@example.net <"$BATS_TEST_TMPDIR/6"
	assert_exit 0
	wait_until 20 is_queue_empty
	assert_each_once 6
	assert_connections 1
}

@test "an account on hold is not tried by -odb, nor by a submission" {
	relay_up --auth PLAIN --auth-in-clear
	configure_queue <<-END
		auth plain
		auth_cleartext always
		user joe
		password wr0ng-Pass_Word
	END
	submit a@example.net
	assert_connections 1
	for option in -odb -odi -odb; do
		submit $option a@example.net
	done
	flush
	assert_connections 1
	assert_count 4 queue
}

@test "of many -odb at the same time those that wait for a connection do not try a login that others saw refused" {
	relay_up --auth PLAIN --auth-in-clear --fault greet:delay=500
	configure_queue <<-END
		auth plain
		auth_cleartext always
		user joe
		password wr0ng-Pass_Word
	END
	for i in 1 2 3 4 5 6; do
		numbered_message $i | clean_environment "$MAILCRANE" -odb a@example.net 3>&- 4>&-
	done
	for entry in "$spool"/queue/*; do
		wait_until 20 flock -n "$entry" true
	done
	assert_count 6 queue
	[ "$(connections)" -le 2 ] || fail_with "$(connections) logins were tried"
}

@test "a message that gets through at a terminal takes along what waited for an account on hold" {
	command -v script >/dev/null || skip "there is no script(1)"
	for password in wr0ng-Pass_Word "$JOES_PASSWORD"; do
		configure_queue <<-END
			auth plain
			auth_cleartext always
			user joe
			password $password
		END
		if [ "$password" != "$JOES_PASSWORD" ]; then
			relay_up --auth PLAIN --auth-in-clear --password "$JOES_PASSWORD"
			submit a@example.net
			assert_count 1 queue
		fi
	done
	printf '%s\n' "$small" >"$BATS_TEST_TMPDIR/message"
	run clean_environment script -qec "'$MAILCRANE' b@example.net <'$BATS_TEST_TMPDIR/message'" /dev/null </dev/null 3>&- 4>&-
	assert_exit 0
	wait_until 10 is_queue_empty
	assert_received 2
	assert_count 0 routes
}

@test "a terminal that is closed at once does not take along the process that goes on" {
	command -v script >/dev/null || skip "there is no script(1)"
	strace -DDD -qq -o /dev/null -e trace=none true 2>/dev/null || skip "there is no strace(1) that can trace here"
	relay_up
	# LeakSanitizer does not work under strace.
	ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
	printf '%s\n' "$small" >"$BATS_TEST_TMPDIR/message"
	run clean_environment script -qec "exec strace -DDD -f -qq -o /dev/null -e trace=setsid -e inject=setsid:delay_enter=500000 \
		'$MAILCRANE' -odb b@example.net <'$BATS_TEST_TMPDIR/message'" /dev/null </dev/null 3>&- 4>&-
	assert_exit 0
	wait_until 10 is_queue_empty
	assert_received 1
}

@test "-odb with the relay down leaves the message in the queue, without a process of its own" {
	submit -odb a@example.net
	wait_until 10 eval '[ "$(count_names routes)" -eq 1 ]'
	relay_up
	flush --network-up
	assert_received 1
}

@test "-odb refused by the server is told by a notification" {
	relay_up
	submit -odb perm@example.net
	wait_until 10 is_queue_empty
	assert_count 1 failed
	assert_count 1 bounces/new
}

@test "many -odb at the same time are all delivered without another command, over two connections at a time" {
	relay_up --fault greet:delay=300
	for i in 1 2 3 4 5 6 7 8; do
		numbered_message $i | clean_environment "$MAILCRANE" -odb a@example.net 3>&- 4>&-
	done
	wait_until 20 is_queue_empty
	assert_each_once 8
	assert_open_at_once 2
}
