#!/usr/bin/env bats
# The queue where it depends on the machine: disks that are full or read-only, queues of several users. In a machine of its own.
# namespace: setpriv mount

# shellcheck disable=SC2154,SC2034 # run_mailcrane sets status, output and stderr

load lib/common
load lib/queue
QUEUE=

setup_file() {
	# shellcheck disable=SC1091 # found at run time
	. "$SRCDIR/tests/lib/namespace.bash"
	namespace_require
	ETC=$("$MAILCRANE" --version | sed -n 's/^System configuration folder: //p')
	SYSTEM_SPOOL=${ETC%/etc*}/var/spool/mailcrane
	[ "$ETC" != /etc ] || SYSTEM_SPOOL=/var/spool/mailcrane
	export ETC SYSTEM_SPOOL
}

setup() {
	setup_queue
}

teardown() {
	stop_peer
	[ -z "${DISK:-}" ] || umount "$DISK"
	rm -rf "$ETC/mailcranerc" "$SYSTEM_SPOOL"
	[ -z "${PASSWD:-}" ] || printf '%s\n' "$PASSWD" >/etc/passwd
}

### Disks

# A small file system of SIZE under the queue: $DISK, the queue is $spool.
use_disk() {
	DISK=$BATS_TEST_TMPDIR/disk
	mkdir "$DISK"
	mount -t tmpfs -o "size=$1,mode=700" tmpfs "$DISK"
	spool=$DISK/mailcrane
	configure_queue <<<"queue_dir $spool"
}

# Nothing fits any more.
fill_disk() {
	dd if=/dev/zero of="$DISK/filler" bs=4096 status=none 2>/dev/null || true
	dd if=/dev/zero of="$DISK/filler" bs=1 oflag=append conv=notrunc status=none 2>/dev/null || true
}

# The status of a program that writes two megabytes to -odq: 0 means that it could write them all.
write_much() {
	local writer

	rm -f "$BATS_TEST_TMPDIR/pipe"
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	(make_message 2000000 >"$BATS_TEST_TMPDIR/pipe") 3>&- 4>&- &
	writer=$!
	run_mailcrane -odq a@example.net <"$BATS_TEST_TMPDIR/pipe"
	wait "$writer"
}

@test "with a full disk -odq is 75 with advice, and whoever writes the message is not killed" {
	use_disk 1m
	run_mailcrane -odq a@example.net <<<"$small"
	assert_exit 0
	fill_disk
	write_much || fail_with "the writer was killed: $?"
	assert_exit 75
	[[ $stderr == *disk* || $stderr == *space* || $stderr == *room* || $stderr == *free* ]] || fail_with "it does not say why"
	assert_count 1 queue
	assert_count 0 tmp
}

@test "with a full disk a message is delivered all the same, and 75 if that cannot be" {
	use_disk 1m
	run_mailcrane -odq a@example.net <<<"$small"
	fill_disk
	run_mailcrane b@example.net <<<"$small"
	assert_exit 75
	[ -n "$stderr" ] || fail_with "it says nothing"
	assert_count 1 queue
	assert_count 0 tmp
	relay_up
	run_mailcrane c@example.net <<<"$small"
	assert_exit 0
	wait_until 10 is_queue_empty
	assert_received 2
}

@test "with a full disk a flush records what it has delivered, and delivers it once" {
	use_disk 1m
	fill_queue 5 ok@example.net temp@example.net
	fill_disk
	relay_up
	run_mailcrane --flush </dev/null
	assert_exit 0
	assert_received 5
	make_due
	run_mailcrane --flush </dev/null
	assert_received 5
	relay_down
	relay_up --refuse-rule off
	make_due
	run_mailcrane --flush </dev/null
	assert_received 5
	[ "$(recipients_of 1)" = temp@example.net ] || fail_with "somebody got it twice"
	assert_count 0 queue
}

@test "a queue that is read-only: 75 with the relay down, delivered with the relay up" {
	use_disk 1m
	run_mailcrane -odq a@example.net <<<"$small"
	mount -o remount,ro "$DISK"
	run_mailcrane b@example.net <<<"$small"
	assert_exit 75
	assert_stderr "ead-only"
	write_much || fail_with "the writer was killed: $?"
	assert_exit 75
	assert_stderr "ead-only"
	relay_up
	run_mailcrane c@example.net <<<"$small"
	assert_exit 0
	[ "$(received_count)" -ge 1 ] || fail_with "it was not delivered"
	mount -o remount,rw "$DISK"
	assert_count 1 queue
}

@test "that a queue is kept in memory is told in the log, and on a terminal" {
	use_disk 32m
	printf 'logfile %s\n' "$HOME/log" >>"$HOME/.mailcranerc"
	submit -odq a@example.net
	grep -q 'kept in memory only' "$HOME/log" || fail_with "not in the log" "$(cat "$HOME/log")"
	command -v script >/dev/null || skip "there is no script(1)"
	printf '%s\n' "$small" >"$BATS_TEST_TMPDIR/message"
	run --separate-stderr clean_environment script -qec "'$MAILCRANE' -odq a@example.net <'$BATS_TEST_TMPDIR/message'" /dev/null </dev/null 3>&- 4>&-
	assert_exit 0
	assert_stdout "warning: the queue in $spool is kept in memory only"
}

### Users

# A user of this machine with uid UID and a queue in HOME; with "none" there is no entry in passwd.
as_user() {
	local uid=$1 home=$2

	shift 2
	env -i PATH="$PATH" LC_ALL=C ${home:+HOME="$home"} setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all -- "$@" 3>&- 4>&-
}

# Two users with a message each: uid 4001 with a home, uid 4002 without one and without an entry in passwd.
setup_users() {
	PASSWD=$(cat /etc/passwd)
	users=$(mktemp -d /var/tmp/users.XXXXXX)
	chmod 755 "$users"
	mkdir "$users/first"
	chown 4001:4001 "$users/first"
	printf 'first:x:4001:4001::%s:/bin/sh\n' "$users/first" >>/etc/passwd
	mkdir -p "$ETC" "$SYSTEM_SPOOL"
	chmod 1733 "$SYSTEM_SPOOL"
	printf 'host 127.0.0.1\nport %s\nfrom %%U@example.test\n' "$RELAY" >"$ETC/mailcranerc"
	cp "$MAILCRANE" "$users/mailcrane"
	as_user 4001 "$users/first" "$users/mailcrane" -odq first@example.net <<<"$small"
	as_user 4002 "" "$users/mailcrane" -odq -f second@example.test second@example.net <<<"$small"
	[ -d "$users/first/.local/state/mailcrane/queue" ] || fail_with "no queue in the home"
	[ -d "$SYSTEM_SPOOL/4002/queue" ] || fail_with "no queue of uid 4002" "$(ls -lR "$SYSTEM_SPOOL")"
}

@test "--flush --all-users delivers everybody's mail, each as its owner" {
	setup_users
	relay_up
	rm -f "$HOME/.mailcranerc"
	run_mailcrane --flush --all-users </dev/null
	assert_exit 0
	assert_silent
	assert_received 2
	[ -z "$(find "$users/first" "$SYSTEM_SPOOL/4002" ! -user 4001 ! -user 4002)" ] || fail_with "root left something" "$(find "$users/first" "$SYSTEM_SPOOL/4002" -user 0)"
	[ -z "$(ls "$SYSTEM_SPOOL/4002/queue")$(ls "$users/first/.local/state/mailcrane/queue")" ] || fail_with "a queue is not empty"
	run --separate-stderr clean_environment env --ignore-signal=CHLD "$MAILCRANE" --flush --all-users </dev/null 3>&- 4>&-
	assert_exit 0
	assert_silent
	assert_received 2
}

@test "mail that was queued while the home could not be used is not left behind" {
	setup_users
	as_user 4001 /nonexistent "$users/mailcrane" -odq -f first@example.test again@example.net <<<"$small"
	[ -d "$SYSTEM_SPOOL/4001/queue" ] || fail_with "no queue of uid 4001 besides its home" "$(ls -lR "$SYSTEM_SPOOL")"
	relay_up
	run --separate-stderr as_user 4001 "$users/first" "$users/mailcrane" --flush
	assert_exit 0
	assert_silent
	assert_received 2
}

@test "--flush --all-users of a user with a trap in place of a queue does no harm, and the others' mail is delivered" {
	setup_users
	rm -rf "$users/first/.local"
	mkdir -p "$users/first/.local/state" "$users/secret"
	chmod 700 "$users/secret"
	ln -s "$users/secret" "$users/first/.local/state/mailcrane"
	mkdir "$users/secret/queue"
	chown -h 4001:4001 "$users/first/.local" "$users/first/.local/state" "$users/first/.local/state/mailcrane"
	mkdir -m 700 "$SYSTEM_SPOOL/4003"
	ln -s "$users/secret" "$SYSTEM_SPOOL/4004"
	relay_up
	run_mailcrane --flush --all-users </dev/null
	assert_received 1
	[ "$(find "$users/secret" | wc -l)" -eq 2 ] || fail_with "something was made there" "$(ls -laR "$users/secret")"
	[ -z "$(ls -A "$SYSTEM_SPOOL/4003")" ] || fail_with "something was made in a folder of root's"
}

@test "--flush --all-users does not go after a folder that somebody made for another user" {
	setup_users
	mkdir -m 700 "$SYSTEM_SPOOL/0"
	chown 4002:4002 "$SYSTEM_SPOOL/0"
	relay_up
	rm -f "$HOME/.mailcranerc"
	run_mailcrane --flush --all-users </dev/null
	assert_exit 0
	assert_silent
	assert_received 2
}

@test "--flush --all-users gives commands of a user neither root's terminal nor what root types" {
	command -v script >/dev/null || skip "there is no script(1)"
	setup_users
	cat >"$users/first/look" <<-'END'
		exec 5>"$HOME/seen"
		: </dev/tty && echo "a terminal of its own"
		for fd in 0 1 2; do
			[ -t $fd ] && [ $((8#$(sed -n 's/^flags:[[:space:]]*//p' /proc/$PPID/fdinfo/$fd) & 3)) -ne 1 ] && echo "$fd can be read"
		done
		echo done >&5
	END
	sed -i 's/echo "\(.*\)"$/echo "\1" >\&5/' "$users/first/look"
	printf 'host 127.0.0.1\nport %s\nauth plain\nuser joe\nauth_cleartext always\npasswordeval bash %s\n' "$RELAY" "$users/first/look" >"$users/first/.mailcranerc"
	chown 4001:4001 "$users/first/.mailcranerc" "$users/first/look"
	chmod 600 "$users/first/.mailcranerc"
	as_user 4001 "$users/first" "$users/mailcrane" -odq first@example.net <<<"$small"
	run clean_environment script -qec "'$MAILCRANE' --flush --all-users" /dev/null </dev/null 3>&- 4>&-
	[ "$(cat "$users/first/seen")" = "done" ] || fail_with "it has the terminal" "$(cat "$users/first/seen")"
}

@test "--flush --all-users by somebody who is not root is 77" {
	setup_users
	run --separate-stderr as_user 4001 "$users/first" "$users/mailcrane" --flush --all-users
	assert_exit 77
	assert_stderr "root"
}

@test "a user without any place for a queue gets 75 with the relay down, and the mail is delivered with the relay up" {
	setup_users
	run --separate-stderr as_user 4005 /nonexistent "$users/mailcrane" -f third@example.test a@example.net <<<"$small"
	assert_exit 0
	rm -rf "$SYSTEM_SPOOL"
	run --separate-stderr as_user 4006 /nonexistent "$users/mailcrane" -f third@example.test a@example.net <<<"$small"
	assert_exit 75
	assert_stderr "queue"
	relay_up
	run --separate-stderr as_user 4006 /nonexistent "$users/mailcrane" -f third@example.test a@example.net <<<"$small"
	assert_exit 0
	assert_silent
	assert_received 1
}
