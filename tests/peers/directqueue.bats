# directqueue.bats - the queue of an account that delivers directly: an entry, a hint and connections for each destination.
# namespace: nsd unbound ldns-signzone drill openssl ip

# shellcheck disable=SC2154,SC2034,SC2016,SC2046 # run_mailcrane sets status, output and stderr; QUEUE is the library's; eval expands later;
# with_tls writes words

load ../lib/common
load ../lib/queue
load ../lib/direct
QUEUE=

setup_file() {
	direct_start
}

direct_records() {
	zone_add "second MX 10 mx2" "third MX 10 mx3" "gone MX 10 mx-gone" "mx-gone A 10.25.0.99"
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

# The entries whose recipients match the regular expression.
entries_for() {
	grep -lE "^[TUDF].*$1" "$spool"/queue/* 2>/dev/null || true
}

@test "recipients of two destinations are two entries, and each is delivered by itself" {
	submit bob@secure.mc eve@secure.mc ann@second.mc
	assert_count 2 queue
	host_up 1
	make_due
	forget_routes
	flush
	assert_mail 1 1
	assert_recipients 1 bob@secure.mc eve@secure.mc
	assert_count 1 queue
	host_up 2
	make_due
	forget_routes
	flush
	assert_mail 2 1
	assert_recipients 1 ann@second.mc
	assert_count 0 queue
}

@test "the log says of each entry whether TLS was used, not whether it was wanted" {
	submit bob@second.mc ann@third.mc
	host_up 2
	host_up 3 $(with_tls)
	: >"$HOME/log"
	make_due
	forget_routes
	flush
	assert_count 0 queue
	grep -q "tls=off .* recipients=bob@second.mc .*exitcode=EX_OK" "$HOME/log" || fail_with "second has no TLS" "$(cat "$HOME/log")"
	grep -q "tls=on .* recipients=ann@third.mc .*exitcode=EX_OK" "$HOME/log" || fail_with "third has TLS" "$(cat "$HOME/log")"
}

@test "a destination that is dead does not hold up another, and costs one attempt however much waits for it" {
	direct_config <<<"queue_lanes 1"
	fill_queue 5 ann@second.mc bob@secure.mc
	assert_count 10 queue
	host_up 1
	host_up 2 --fault 'greet:reply=421 4.3.2 busy'
	flush
	assert_mail 1 5
	assert_calls 1 1
	assert_count 5 queue
	make_due
	flush
	assert_calls 1 1
}

@test "-odq with several domains queues each, and --flush delivers them" {
	host_up 1
	host_up 2
	run_as sendmail -odq -f joe@a-only.mc -- bob@secure.mc ann@second.mc <<<"$small"
	assert_exit 0
	assert_count 2 queue
	assert_calls 0 0
	flush
	assert_count 0 queue
	assert_calls 1 1
}

@test "-odb delivers to several domains in another process" {
	host_up 1
	host_up 2
	run_as sendmail -odb -f joe@a-only.mc -- bob@secure.mc ann@second.mc <<<"$small"
	assert_exit 0
	assert_silent
	wait_until 10 is_queue_empty
	assert_mail 1 1
	assert_mail 2 1
}

@test "what could be delivered is, and only the rest is queued" {
	host_up 1
	submit bob@secure.mc ann@second.mc
	assert_mail 1 1
	assert_count 1 queue
	run_mailcrane --mailq
	assert_stdout "ann@second.mc"
	[[ $output != *bob@* ]] || fail_with "bob was delivered"
}

@test "a message that waits because of what one destination said does not make another wait" {
	host_up 1 --fault 'rcpt:reply=450 4.2.0 greylisted'
	submit bob@a-only.mc ann@second.mc
	host_up 2
	forget_routes
	flush
	assert_mail 2 1
	assert_count 1 queue
}

@test "mail that was queued for a relay is split and delivered when the account has become direct" {
	write_config <<-END
		host 10.25.0.14
		port 25
		from joe@a-only.mc
		timeout 5
	END
	submit bob@secure.mc eve@secure.mc ann@second.mc
	assert_count 1 queue
	host_up 1
	host_up 2
	direct_config </dev/null
	flush --force
	flush --force
	assert_count 0 queue
	assert_mail 1 1
	assert_recipients 1 bob@secure.mc eve@secure.mc
	assert_mail 2 1
	assert_recipients 1 ann@second.mc
}

@test "mail that was queued directly goes to a relay when the account has got one" {
	submit bob@secure.mc ann@second.mc
	assert_count 2 queue
	host_up 4
	write_config <<-END
		host 10.25.0.14
		port 25
		from joe@a-only.mc
		timeout 5
	END
	flush --force
	assert_count 0 queue
	assert_mail 4 2
}

@test "nothing is lost when the disk is full while an entry is split" {
	local folder=$BATS_TEST_TMPDIR/full

	mkdir -p "$folder"
	mount -t tmpfs -o size=128k,mode=700 none "$folder" || skip "no tmpfs"
	write_config <<-END
		host 10.25.0.14
		port 25
		from joe@a-only.mc
		timeout 5
		queue_dir $folder
	END
	spool=$folder
	message=$(make_message 40000)
	submit bob@secure.mc ann@second.mc eve@third.mc
	assert_count 1 queue
	direct_config <<<"queue_dir $folder"
	host_up 1
	host_up 2
	host_up 3
	run_mailcrane --flush --force </dev/null
	assert_stderr "No space left"
	assert_count 1 queue
	assert_calls 0 0 0
	mount -o remount,size=4m "$folder"
	flush --force
	flush --force
	assert_count 0 queue
	assert_mail 1 1
	assert_mail 2 1
	assert_mail 3 1
	umount "$folder"
}

@test "a destination that takes no mail any more is told about, and the message is kept" {
	submit bob@gone.mc
	assert_count 1 queue
	zone_remove "^gone MX"
	zone_add "gone MX 0 ."
	flush --force
	assert_count 0 queue
	assert_count 1 failed
	assert_count 1 bounces/new
	grep -q "5\.1\.10" "$spool"/bounces/new/* || fail_with "no 5.1.10" "$(cat "$spool"/bounces/new/*)"
	grep -q "bob@gone.mc" "$spool"/bounces/new/* || fail_with "no bob"
	zone_remove "^gone MX"
	zone_add "gone MX 10 mx-gone"
}

@test "mail expires when no host of its destination is reached though DNS names them" {
	submit bob@gone.mc
	age_entry $((6 * 86400)) "$(the_entry)"
	make_due
	forget_routes
	run_mailcrane --flush </dev/null
	assert_exit 0
	assert_count 0 queue
	assert_count 1 failed
	grep -q "bob@gone.mc" "$spool"/bounces/new/* || fail_with "no notification"
}

@test "mail does not expire while DNS does not answer" {
	submit bob@servfail.mc
	age_entry $((6 * 86400)) "$(the_entry)"
	make_due
	forget_routes
	run_mailcrane --flush </dev/null
	assert_exit 0
	assert_count 1 queue
	assert_count 0 failed
}

@test "a notification to the sender goes to the sender's own destination" {
	direct_config <<<"bounce_to sender"
	submit bob@gone.mc
	age_entry $((6 * 86400)) "$(the_entry)"
	make_due
	forget_routes
	host_up 1
	run_mailcrane --flush </dev/null
	assert_exit 0
	run_mailcrane --flush --force </dev/null
	wait_until 10 is_queue_empty
	assert_mail 1 1
	assert_recipients 1 joe@a-only.mc
	[ -z "$(sender_of 1)" ] || fail_with "the null sender expected"
}

@test "--show, --retry and --remove work on each entry" {
	local id

	submit bob@a-only.mc ann@second.mc
	id=$(id_of "$(entries_for ann@second.mc)")
	run_mailcrane --show="$id"
	assert_exit 0
	assert_stdout "hello"
	host_up 2
	forget_routes
	run_mailcrane --retry="$id" </dev/null
	assert_exit 0
	flush
	assert_mail 2 1
	assert_count 1 queue
	run_mailcrane --remove="$(id_of "$(the_entry)")" </dev/null
	assert_exit 0
	assert_count 0 queue
}

@test "a message that goes out takes what is due along, in another process" {
	run_as sendmail -odq -f joe@a-only.mc -- ann@second.mc <<<"$small"
	assert_count 1 queue
	host_up 1
	host_up 2
	submit bob@secure.mc
	wait_until 10 is_queue_empty
	assert_mail 1 1
	assert_mail 2 1
}

@test "submit_timeout holds for all destinations together, and the rest is delivered in another process" {
	local before=$SECONDS

	direct_config <<<$'submit_timeout 2\ntimeout 30'
	host_up 1 --fault greet:stall
	host_up 2
	submit bob@a-only.mc ann@second.mc
	[ $((SECONDS - before)) -le 8 ] || fail_with "it took too long"
	wait_until 10 eval '[ "$(count_names queue)" -eq 1 ]'
	assert_mail 2 1
	assert_recipients 1 ann@second.mc
	[ -n "$(entries_for bob@a-only.mc)" ] || fail_with "bob is not in the queue"
}

@test "a destination that fails is noted for itself: the next call for another one is not kept back" {
	submit bob@gone.mc
	host_up 1
	submit bob@secure.mc
	assert_mail 1 1
	assert_count 1 queue
}
