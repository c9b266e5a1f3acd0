#!/usr/bin/env bats
# demo.bats - the demonstration shows what it claims, keeps the password to itself and notices when something is wrong.

load lib/common

setup() {
	setup_home
	BUILD=$BATS_TEST_TMPDIR/build
	mkdir -p "$BUILD" "$BATS_TEST_TMPDIR/tmp"
	stand_in peer 'printf "%s\n" "$@" >"$STATE/arguments"; "$REAL" "$@" | tee "$STATE/started"'
	stand_in mailcrane 'exec "$REAL" "$@"'
}

# A program NAME of the build folder that runs SCRIPT; $REAL is the true one, $STATE a folder for remarks.
stand_in() {
	local real=$MAILCRANE

	[ "$1" = peer ] && real=$PEER
	[ -x "$real" ] || skip "there is no $real"
	printf '#!/bin/sh\nREAL=%q\nSTATE=%q\n%s\n' "$real" "$BATS_TEST_TMPDIR" "$2" >"$BUILD/$1"
	chmod +x "$BUILD/$1"
}

run_demo() {
	run --separate-stderr clean_environment TMPDIR="$BATS_TEST_TMPDIR/tmp" timeout 60 sh "$SRCDIR/tests/demo.sh" "$BUILD" 3>&- 4>&-
}

# The password the demo made for its server.
password() {
	grep -A 1 -xe --password "$BATS_TEST_TMPDIR/arguments" | tail -n 1
}

assert_nothing_left() {
	local pid

	[ -z "$(ls -A "$BATS_TEST_TMPDIR/tmp")" ] || fail_with "files are left: $(ls -A "$BATS_TEST_TMPDIR/tmp")"
	pid=$(sed 's/.* //' "$BATS_TEST_TMPDIR/started")
	[ -n "$pid" ] || fail_with "the server said no process"
	wait_until 5 process_is_gone "$pid"
}

process_is_gone() {
	! kill -0 "$1" 2>/dev/null
}

@test "the demo shows the dialogue, the message and the envelope, and ends well" {
	run_demo
	assert_exit 0
	[ -z "$stderr" ] || fail_with "nothing on stderr expected"
	assert_stdout "S: 220 relay.example.net ESMTP ready"
	assert_stdout "C: STARTTLS"
	assert_stdout "C: RCPT TO:<you@example.net>"
	assert_stdout ".and the bag is on board"
	assert_stdout "to you@example.net"
	assert_stdout "The message arrived as it was sent."
}

@test "the demo fits into 80 columns" {
	run_demo
	assert_exit 0
	! grep -nE '.{81,}' <<<"$output" || fail_with "a line is too long"
}

@test "the demo leaves no file and no process behind" {
	run_demo
	assert_exit 0
	assert_nothing_left
}

@test "the password does not occur in what the demo shows, neither in clear nor in base64" {
	local secret

	run_demo
	assert_exit 0
	assert_stdout "C: AUTH PLAIN"
	secret=$(password)
	register_secret "$secret"
	[ "${#secret}" -ge 16 ] || fail_with "no password found: '$secret'"
	[[ $output$stderr != *"$secret"* ]] || fail_with "the password is shown"
	for secret in "$(printf '\0joe\0%s' "$secret" | base64 -w 0)" "$(printf %s "$secret" | base64 -w 0)" \
		"$(printf %s "joe$secret" | base64 -w 0)"; do
		[[ $output$stderr != *"${secret:4:16}"* ]] || fail_with "the password is shown in base64"
	done
}

@test "a server that refuses the message makes the demo fail" {
	stand_in peer 'exec "$REAL" "$@" --fault "dot:reply=554 5.6.0 not today"'
	run_demo
	assert_exit 1
	assert_stdout "not today"
	assert_stdout "The demo did not succeed"
	[[ $output != *"The message arrived as it was sent."* ]]
}

@test "a server that does not start makes the demo fail" {
	stand_in peer 'echo "peer: no port is free" >&2; exit 1'
	run_demo
	assert_exit 1
	assert_stdout "no port is free"
}

@test "a message that arrives with another text makes the demo fail" {
	stand_in mailcrane 'sed "s/^\\.and/and/" | "$REAL" "$@"'
	run_demo
	assert_exit 1
	assert_stdout "the text that arrived is another"
	assert_nothing_left
}

@test "a message that went to somebody else makes the demo fail" {
	stand_in mailcrane 'for last; do :; done; exec "$REAL" --file=mailcranerc --debug "not.$last"'
	run_demo
	assert_exit 1
	assert_stdout "the envelope has no line like 'to you@example.net'"
}

@test "without programs the demo says what to do" {
	rm "$BUILD/mailcrane"
	run_demo
	assert_exit 69
	assert_stderr "./bootstrap demo"
}
