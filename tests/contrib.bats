#!/usr/bin/env bats
# The files in contrib: what runs the queue without a daemon.

# shellcheck disable=SC2154 # run sets status, output and stderr

load lib/common

contrib=$SRCDIR/contrib

setup() {
	setup_home
	mkdir "$BATS_TEST_TMPDIR/bin"
	calls=$BATS_TEST_TMPDIR/calls
	: >"$calls"
	# shellcheck disable=SC2016 # for the script that is made
	fake mailcrane 'echo "mailcrane $* as ${USER:-?} in $HOME" >>"$CALLS"'
}

# A program of this name, with the text as its script.
fake() {
	printf '#!/bin/sh\n%s\n' "$2" >"$BATS_TEST_TMPDIR/bin/$1"
	chmod 755 "$BATS_TEST_TMPDIR/bin/$1"
}

# The script for the network with ARGS, and in front of them variables: network [NAME=VALUE...] [--] ARGS.
network() {
	local variables=()

	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		variables+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	run --separate-stderr env -i PATH="$BATS_TEST_TMPDIR/bin:/usr/bin:/bin" HOME=/root USER=root CALLS="$calls" "${variables[@]}" \
		"$contrib/network/mailcrane" "$@" 3>&-
	assert_exit 0
	assert_silent
}

has_lines() {
	[ "$(wc -l <"$2")" -ge "$1" ]
}

# The script began these flushes, in this order.
assert_flushes() {
	local expected

	expected=$(printf '%s\n' "$@")
	wait_until 10 has_lines $# "$calls"
	[ "$(cat "$calls")" = "$expected" ] || fail_with "other flushes were begun" "$(cat "$calls")"
}

all_users="mailcrane --flush --network-up --all-users as root in /root"

@test "the script for the network is clean for shellcheck" {
	command -v shellcheck >/dev/null || skip "there is no shellcheck"
	run --separate-stderr shellcheck "$contrib/network/mailcrane"
	assert_exit 0
	[ -x "$contrib/network/mailcrane" ] || fail_with "it cannot be run"
}

@test "NetworkManager: an interface that comes up flushes everybody's queue" {
	network -- eth0 up
	assert_flushes "$all_users"
}

@test "NetworkManager: a tunnel that comes up does the same" {
	network -- tun0 vpn-up
	assert_flushes "$all_users"
}

@test "NetworkManager: full connectivity does the same, a portal does not" {
	network CONNECTIVITY_STATE=PORTAL -- "" connectivity-change
	network CONNECTIVITY_STATE=FULL -- "" connectivity-change
	assert_flushes "$all_users"
}

@test "ifupdown: an interface that comes up does the same, but not the loopback one, and not twice" {
	network MODE=start IFACE=lo
	network MODE=start IFACE=--all
	network MODE=stop IFACE=eth0
	network MODE=start IFACE=eth0
	assert_flushes "$all_users"
}

@test "NetworkManager: what goes down, and other news, do nothing" {
	for action in down pre-up hostname dhcp4-change vpn-down; do
		network -- eth0 "$action"
	done
	network -- eth0 up
	assert_flushes "$all_users"
}

@test "the script does not wait for a flush that takes long" {
	mkfifo "$BATS_TEST_TMPDIR/gate"
	# shellcheck disable=SC2016 # for the script that is made
	fake mailcrane 'read -r line <"$GATE"; echo "$line" >>"$CALLS"'
	network GATE="$BATS_TEST_TMPDIR/gate" -- eth0 up
	[ ! -s "$calls" ] || fail_with "it waited"
	echo open >"$BATS_TEST_TMPDIR/gate"
	assert_flushes open
}

@test "where mailcrane is not installed, the script does nothing" {
	rm "$BATS_TEST_TMPDIR/bin/mailcrane"
	run --separate-stderr env -i PATH="$BATS_TEST_TMPDIR/bin" CALLS="$calls" /bin/sh "$contrib/network/mailcrane" eth0 up 3>&-
	assert_exit 0
	assert_silent
}

# systemd-analyze looks whether the program of a unit is there; the installed one need not be.
verify_units() {
	local scope=$1 folder=$BATS_TEST_TMPDIR/units

	command -v systemd-analyze >/dev/null || skip "there is no systemd-analyze"
	mkdir "$folder"
	cp "$contrib/systemd/$scope"/mailcrane-flush.* "$folder"
	sed -i 's/^ExecStart=mailcrane /ExecStart=\/bin\/true /; /^Documentation=/d' "$folder"/mailcrane-flush.service
	sed -i '/^Documentation=/d' "$folder"/mailcrane-flush.timer
	run --separate-stderr env XDG_RUNTIME_DIR="$BATS_TEST_TMPDIR" systemd-analyze verify "--$scope" "$folder"/mailcrane-flush.timer \
		"$folder"/mailcrane-flush.service 3>&-
	[[ $stderr != *"Failed to "*"initialize manager"* ]] || skip "systemd-analyze cannot work here"
	assert_exit 0
	assert_silent
}

@test "the units for a user are well-formed" {
	verify_units user
}

@test "the units for the system are well-formed" {
	verify_units system
}

@test "queue 3.10: the timers go by the calendar, so that a suspend does not stop them" {
	for scope in user system; do
		grep -Fqx 'OnCalendar=*:0/5' "$contrib/systemd/$scope/mailcrane-flush.timer"
		grep -Fqx 'Persistent=true' "$contrib/systemd/$scope/mailcrane-flush.timer"
		grep -Fqx 'RandomizedDelaySec=30' "$contrib/systemd/$scope/mailcrane-flush.timer"
		! grep -Eq '^On(Unit|Boot|Startup|Active)' "$contrib/systemd/$scope/mailcrane-flush.timer"
		grep -Fqx 'Type=oneshot' "$contrib/systemd/$scope/mailcrane-flush.service"
	done
	# What is not needed is not started.
	grep -Eq '^ConditionDirectoryNotEmpty=' "$contrib/systemd/user/mailcrane-flush.service"
}

@test "what the files in contrib call are options of mailcrane" {
	[ -x "$MAILCRANE" ] || skip "there is no $MAILCRANE"
	run_mailcrane --help
	grep -rhoE 'mailcrane (--[a-z-]+ ?)+' "$contrib" | grep -oE -e '--[a-z-]+' | sort -u >"$BATS_TEST_TMPDIR/options"
	has_lines 3 "$BATS_TEST_TMPDIR/options"
	while read -r option; do
		assert_stdout "$option"
	done <"$BATS_TEST_TMPDIR/options"
}

@test "another mail program's names stop install-mta before it does anything" {
	local place=$BATS_TEST_TMPDIR/place file

	[ -f "$BUILDDIR/Makefile" ] || skip "there is no Makefile in $BUILDDIR"
	# A make around this one has its own options.
	check() {
		run --separate-stderr env -u MAKEFLAGS -u MAKELEVEL make -s -C "$BUILDDIR" check-mta DESTDIR="$place" \
			prefix=/usr bindir=/usr/bin sbindir=/usr/sbin 3>&-
	}

	check
	assert_exit 0
	for file in usr/sbin/sendmail usr/lib/sendmail usr/bin/mailq; do
		mkdir -p "$place/${file%/*}"
		echo other >"$place/$file"
		check
		[ "$status" -ne 0 ] || fail_with "$file would be replaced"
		assert_stderr "$place/$file belongs to another mail program"
		rm "$place/$file"
	done
	ln -s /usr/bin/mailcrane "$place/usr/bin/mailq"
	check
	assert_exit 0
}
