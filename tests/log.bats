#!/usr/bin/env bats
# The log file: msmtp's line, JSON, and files that cannot or must not be written.

# shellcheck disable=SC2154 # run_mailcrane sets status, output and stderr

load lib/common

setup() {
	setup_home
}

teardown() {
	stop_peer
}

# The log has one line, and it is like the extended regular expression in the arguments put together.
assert_logged() {
	local pattern

	printf -v pattern %s "$@"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/log")" -eq 1 ] || fail_with "one line expected in the log"
	grep -Eq -- "$pattern" "$BATS_TEST_TMPDIR/log" || fail_with "the line is another" "$(cat "$BATS_TEST_TMPDIR/log")"
}

small=$'Subject: s\n\nhello'

@test "msmtp 26: the log line of a success" {
	serve <<<"logfile $BATS_TEST_TMPDIR/log"
	run_mailcrane a@example.net b@example.net <<<"$small"
	assert_exit 0
	assert_logged "^[A-Z][a-z]{2} [0-3][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} host=127\.0\.0\.1 tls=off auth=off from=joe@example\.test" \
		" recipients=a@example\.net,b@example\.net mailsize=[0-9]+ smtpstatus=250 smtpmsg='250 [^']*' exitcode=EX_OK\$"
}

@test "standard output that is full is a warning after a message was sent, and no reason to send it again" {
	serve <<<"logfile -"
	run --separate-stderr clean_environment sh -c '"$0" --queue=off a@example.net >/dev/full' "$MAILCRANE" <<<"$small" 3>&- 4>&-
	assert_exit 0
	assert_stderr "warning: cannot write to standard output"
	assert_received 1
}

@test "msmtp 26: the log line of a success with a login has the user" {
	serve --auth PLAIN --auth-in-clear --password "$JOES_PASSWORD" <<-END
		auth plain
		auth_cleartext loopback
		user joe
		password $JOES_PASSWORD
		logfile_time_format none
		logfile -
	END
	run_mailcrane b@example.net <<<"$small"
	assert_exit 0
	[[ $output == "host=127.0.0.1 tls=off auth=on user=joe from=joe@example.test recipients=b@example.net mailsize="* ]] ||
		fail_with "the line is another"
}

@test "msmtp 26: the log line of a partial failure" {
	serve <<<"logfile $BATS_TEST_TMPDIR/log"
	run_mailcrane a@example.net perm@example.net <<<"$small"
	assert_exit 67
	assert_logged " recipients=a@example\.net,perm@example\.net smtpstatus=550 smtpmsg='550 [^']*'" \
		" errormsg='[^']*perm@example\.net[^']*' exitcode=EX_NOUSER\$"
}

@test "msmtp 26: the log line of a server nobody listens at" {
	serve <<<"logfile $BATS_TEST_TMPDIR/log"
	stop_peer
	run_mailcrane b@example.net <<<"$small"
	assert_exit 75
	assert_logged " host=127\.0\.0\.1 tls=off auth=off from=joe@example\.test recipients=b@example\.net" \
		" errormsg='[^']*refused[^']*' exitcode=EX_TEMPFAIL\$"
}

@test "a log that cannot be written is a warning, and the mail is sent" {
	serve <<<"logfile $BATS_TEST_TMPDIR/none/log"
	run_mailcrane b@example.net <<<"$small"
	assert_exit 0
	assert_received 1
	assert_stderr 'mailcrane: warning: '
	assert_stderr "$BATS_TEST_TMPDIR/none/log"
}

@test "protocol 87: a log that is a symbolic link or a FIFO is not followed, and the mail is sent" {
	serve <<<"logfile $BATS_TEST_TMPDIR/log"
	: >"$BATS_TEST_TMPDIR/elsewhere"
	ln -s elsewhere "$BATS_TEST_TMPDIR/log"
	run_mailcrane b@example.net <<<"$small"
	assert_exit 0
	assert_stderr 'mailcrane: warning: '
	[ ! -s "$BATS_TEST_TMPDIR/elsewhere" ] || fail_with "the link was followed"
	rm "$BATS_TEST_TMPDIR/log"
	mkfifo "$BATS_TEST_TMPDIR/log"
	run_mailcrane b@example.net <<<"$small"
	assert_exit 0
	assert_stderr 'mailcrane: warning: '
	assert_received 2
}

@test "log_format json: one object a line for success, partial failure and no server" {
	local parser

	parser=$(command -v python3) || skip "there is no python3"
	serve <<<$'log_format json\nlogfile '"$BATS_TEST_TMPDIR/log"
	run_mailcrane a@example.net <<<"$small"
	run_mailcrane a@example.net perm@example.net <<<$'Subject: "s\\\n\nhello'
	stop_peer
	run_mailcrane a@example.net <<<"$small"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/log")" -eq 3 ] || fail_with "three lines expected"
	"$parser" - "$BATS_TEST_TMPDIR/log" <<-'END' || fail_with "not as expected" "$(cat "$BATS_TEST_TMPDIR/log")"
		import json, sys
		lines = [json.loads(line) for line in open(sys.argv[1])]
		assert [line["exit_code"] for line in lines] == [0, 67, 75]
		assert [[r["state"] for r in line["recipients"]] for line in lines] == [
		    ["delivered"], ["delivered", "failed"], ["deferred"]]
		assert lines[1]["recipients"][1]["address"] == "perm@example.net" and lines[1]["recipients"][1]["code"] == 550
		assert all(line["account"] == "default" and line["host"] == "127.0.0.1" for line in lines)
	END
}
