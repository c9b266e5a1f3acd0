#!/usr/bin/env bats
# The sendmail names: what they take, what they refuse, what nobody gets out of them, and what a refused message leads to.

# shellcheck disable=SC2154,SC2034,SC2016 # run_as sets status, output and stderr, QUEUE is read by the library; shells inside expand

load lib/common
load lib/queue
QUEUE=

setup() {
	setup_home
	spool=$HOME/.local/state/mailcrane
	printf 'root: admin@example.org\nteam: bob@example.net, carol@example.net\n' >"$HOME/aliases"
	start_peer
	RELAY=$PORT
	configure </dev/null
}

teardown() {
	stop_peer
}

configure() {
	write_config <<-END
		host 127.0.0.1
		port $RELAY
		mailname mail.example.com
		aliases $HOME/aliases
		timeout 20
		logfile $HOME/log
		$(</dev/stdin)
	END
}

sendmail() {
	run_as sendmail "$@" <<<"${message:-$small}"
}

# Nobody was talked to, and nothing is in the queue.
assert_nothing_happened() {
	assert_connections 0
	assert_count 0 queue
	assert_count 0 failed
}

# sendmail ARGS is refused with STATUS, a line with TEXT, and nothing happens: assert_refused STATUS TEXT ARGS...
assert_refused() {
	local code=$1 text=$2

	shift 2
	sendmail "$@"
	assert_exit "$code"
	assert_stderr "$text"
	[ -z "$output" ] || fail_with "stdout has something"
	assert_nothing_happened
}

### Names

@test "sendmail and send-mail send, whatever folder or '-' stands before the name" {
	sendmail -i a@example.org
	assert_exit 0
	assert_silent
	run_as send-mail a@example.org <<<"$small"
	assert_exit 0
	assert_silent
	run --separate-stderr clean_environment bash -c 'exec -a -sendmail "$1" -oi a@example.org' - "$MAILCRANE" <<<"$small"
	assert_exit 0
	assert_silent
	assert_received 3
}

@test "sendmail 65: mailq, newaliases, runq and their letters say nothing about an empty queue, or just that" {
	local word

	run_as mailq </dev/null
	assert_exit 0
	[ "$output" = "Mail queue is empty" ] || fail_with "mailq"
	for word in -q -bi -bh -bH -q15m -qf -I; do
		run_as sendmail "$word" </dev/null
		assert_exit 0
		assert_silent
	done
	run_as newaliases </dev/null
	assert_exit 0
	assert_silent
	run_as runq </dev/null
	assert_exit 0
	assert_silent
	run_as sendmail -bpc </dev/null
	[ "$status:$output" = 0:0 ] || fail_with "-bpc"
	assert_nothing_happened
}

@test "sendmail 65: what is not there is refused with 64, and a daemon's place is named" {
	local word

	for word in -bt -Z -ba -bS -bz -s; do
		run_as sendmail "$word" </dev/null
		assert_exit 64
	done
	run_as sendmail -bd </dev/null
	assert_exit 64
	assert_stderr "mailcrane-flush.timer"
	run_as mailq operand </dev/null
	assert_exit 64
	run_as runq operand </dev/null
	assert_exit 64
}

@test "the name mailcrane goes on to take options behind operands, and long ones" {
	run_mailcrane a@example.org -f joe@example.org --queue=off <<<"$small"
	assert_exit 0
	assert_recipients 1 a@example.org
}

@test "--help and --version alone are answered under every name" {
	run_as mailq --version </dev/null
	assert_exit 0
	assert_stdout "mailcrane"
	run_as sendmail --help </dev/null
	assert_exit 0
	assert_stdout "Usage: sendmail"
	[[ $output != *" --host"* ]] || fail_with "there are long options in it"
	run_as sendmail -d0.1 -bh </dev/null
	assert_exit 0
	assert_stdout "Version mailcrane "
}

### What becomes of addresses

@test "sendmail 65: -bv tells what becomes of addresses, does not read stdin and sends nothing" {
	mkfifo "$HOME/never"
	exec 7<>"$HOME/never"
	MAILCRANE_TIMEOUT=10 run_as sendmail -bv root 'Joe <joe@example.net>' team <&7
	exec 7>&-
	assert_exit 0
	[ "$output" = "admin@example.org... deliverable: mailer relay, host 127.0.0.1, user admin@example.org
joe@example.net... deliverable: mailer relay, host 127.0.0.1, user joe@example.net
bob@example.net... deliverable: mailer relay, host 127.0.0.1, user bob@example.net
carol@example.net... deliverable: mailer relay, host 127.0.0.1, user carol@example.net" ] || fail_with "-bv"
	run_as sendmail -bv bad@@example.org a@example.net </dev/null
	assert_exit 65
	assert_stdout "bad@@example.org... Invalid address"
	assert_stdout "a@example.net... deliverable"
	assert_nothing_happened
}

@test "-n leaves local names as they are" {
	sendmail -n root
	assert_exit 0
	assert_recipients 1 root@mail.example.com
	sendmail root
	assert_recipients 2 admin@example.org
}

@test "newaliases tells what is wrong in the file of aliases, and a file that is not there is fine" {
	printf 'a: b\nb: a\n' >"$HOME/aliases"
	run_as newaliases </dev/null
	assert_exit 78
	assert_stderr "$HOME/aliases:"
	printf 'a: |/bin/false\n' >"$HOME/aliases"
	run_as newaliases </dev/null
	assert_exit 78
	assert_stderr "$HOME/aliases:1"
	printf 'a b c\n' >"$HOME/aliases"
	run_as sendmail -bi </dev/null
	assert_exit 78
	rm "$HOME/aliases"
	run_as newaliases </dev/null
	assert_exit 0
	assert_silent
	rm "$HOME/.mailcranerc"
	run_as newaliases </dev/null
	assert_exit 0
	assert_silent
}

@test "a target that is not supported is a line in the log and not one on standard error, where callers take it for a failure" {
	printf 'a: |/bin/false, joe@example.org\n' >"$HOME/aliases"
	sendmail a
	assert_exit 0
	assert_silent
	assert_recipients 1 joe@example.org
	grep -q "aliases:1" "$HOME/log" || fail_with "the log does not have it" "$(cat "$HOME/log")"
}

@test "the sender is -f, whatever form it has, and the user's own address without it, whatever the environment says" {
	sendmail -f 'Joe <joe@example.org>' a@example.org
	sendmail -f '<>' a@example.org
	sendmail -f '' a@example.org
	sendmail -f first@example.org -r second@example.org a@example.org
	CLEAN_ENVIRONMENT=(USER=mallory LOGNAME=mallory EMAIL=m@example.net) sendmail a@example.org
	assert_exit 0
	assert_silent
	[ "$(sender_of 1)" = joe@example.org ] || fail_with "the first"
	[ -z "$(sender_of 2)$(sender_of 3)" ] || fail_with "the null ones"
	[ "$(sender_of 4)" = second@example.org ] || fail_with "the fourth"
	[ "$(sender_of 5)" = "$(id -un)@mail.example.com" ] || fail_with "the last"
}

### What nobody gets out of it

@test "sendmail 63: control characters in an argument that gets to the wire are refused with 65" {
	assert_refused 65 "control character" -i -f $'a@b>\r\nRCPT TO:<v@y' r@example.org
	assert_refused 65 "control character" -i $'a@b>\r\nRCPT TO:<v@y'
	assert_refused 65 "control character" -i -F $'x\nBcc: v@y' r@example.org
	assert_refused 65 "control character" -i -V $'x\rRCPT' r@example.org
}

@test "sendmail 64: no file that an argument names is read, written or run" {
	assert_refused 64 "no long options" --passwordeval="touch $HOME/p" -t
	assert_refused 64 "no long options" -t -i --logfile="$HOME/l"
	assert_refused 64 "no long options" -t -i --message="$HOME/.mailcranerc" --file="$HOME/evil"
	printf 'host 127.0.0.1\nport %s\nlogfile %s\n' "$RELAY" "$HOME/evil-log" >"$HOME/evil"
	chmod 600 "$HOME/evil"
	assert_refused 64 "option -C" -C"$HOME/evil" -t
	# shellcheck disable=SC2016 # it is not for the shell
	assert_refused 64 "operation mode" -be '${run{/usr/bin/touch '"$HOME"'/p}}'
	message=$'To: a@example.org\n\n<?php' sendmail -t -i -fx@y.example -OQueueDirectory="$HOME/q" -X"$HOME/shell.php" \
		-D"$HOME/debug" -oA"$HOME/evil" -oQ"$HOME/q2"
	assert_exit 0
	assert_received 1
	[ -z "$(ls -d "$HOME"/{q,q2,shell.php,debug,p,l,evil-log} 2>/dev/null)" ] || fail_with "there is a file" "$(ls "$HOME")"
}

@test "sendmail 46: a recipient that begins with '-' needs --, and options end at the first recipient" {
	assert_refused 64 "option after recipient" -i r@example.org -t
	assert_refused 64 "option after recipient" r@example.org -X/tmp/x
	assert_refused 65 "looks like an option" -f -odd@example.org r@example.org
	assert_refused 65 "'-' is no address" -i -
	sendmail -i -- -odd@example.org
	assert_exit 0
	assert_recipients 1 -odd@example.org
}

@test "sendmail 57: the writer of the message sees the status and no SIGPIPE, whatever is wrong with the call" {
	local arguments

	for arguments in -i "-Z a@example.org" "--host=x a@example.org" "-i a@example.org -t" "-i -f -x a@example.org"; do
		# shellcheck disable=SC2016,SC2086 # expanded by the shell inside; several arguments
		run --separate-stderr clean_environment bash -o pipefail -c \
			'name=$1; shift; head -c 3000000 /dev/zero | tr "\0" a | (exec -a sendmail "$name" "$@"); echo "${PIPESTATUS[*]}"' \
			- "$MAILCRANE" $arguments
		[[ $output =~ ^0\ 0\ 6[45]$ ]] || fail_with "sendmail $arguments"
		[ "$(grep -vc 'hint: ' <<<"$stderr")" -eq 1 ] || fail_with "one line on stderr expected"
	done
	assert_nothing_happened
}

@test "sendmail 58: -t without a recipient in the message is 64" {
	assert_refused 64 "no recipients" -t
}

@test "sendmail 59: a bad address among the recipients is named, and nobody gets the message" {
	assert_refused 65 "bad@@example.org" -i bad@@example.org
	message=$'To: good@example.org, bad@@example.org\nSubject: s\n\nx' assert_refused 65 "bad@@example.org" -t
	assert_refused 65 "a@x.example b@y.example" -f 'a@x.example b@y.example' r@example.org
}

@test "standard input that is closed is 74, the other streams may be" {
	run --separate-stderr clean_environment bash -c 'exec -a sendmail "$1" a@example.org <&-' - "$MAILCRANE"
	assert_exit 74
	assert_nothing_happened
	run clean_environment bash -c 'exec -a sendmail "$1" a@example.org <<<hello >&- 2>&-' - "$MAILCRANE"
	assert_exit 0
	assert_received 1
}

@test "descriptors that a caller left open are closed, under the sendmail names only" {
	configure <<-'END'
		auth plain
		user joe
		passwordeval ls -l /proc/$PPID/fd >~/descriptors; echo N4mes-Pass_Word
	END
	register_secret N4mes-Pass_Word
	: >"$HOME/left-open"
	clean_environment bash -c 'exec 9<>"$HOME/left-open" 23<&9; exec -a sendmail "$1" a@example.org' - "$MAILCRANE" <<<"$small"
	grep -q pipe "$HOME/descriptors" || fail_with "nothing was seen" "$(cat "$HOME/descriptors")"
	! grep -q left-open "$HOME/descriptors" || fail_with "it is open" "$(cat "$HOME/descriptors")"
	forget_routes
	clean_environment bash -c 'exec 9<>"$HOME/left-open"; exec -a mailcrane "$1" a@example.org' - "$MAILCRANE" <<<"$small"
	grep -q left-open "$HOME/descriptors" || fail_with "it is closed" "$(cat "$HOME/descriptors")"
}

### The message

@test "sendmail 8: a lone dot ends the message, and what stands behind it is told in the log" {
	message=$'Subject: s\n\na\n.\nb' sendmail a@example.org
	assert_exit 0
	assert_silent
	[ "$(body <"$(received 1)" | tr -d '\r')" = a ] || fail_with "body" "$(cat "$(received 1)")"
	grep -q "2 bytes behind a line with a single dot were ignored" "$HOME/log" || fail_with "log" "$(cat "$HOME/log")"
}

@test "sendmail 3: with -i, -oi and lone_dot keep a lone dot is part of the message" {
	local option

	export message=$'Subject: s\n\na\n.\nb'
	for option in -i -oi -oitrue -OIgnoreDots=True; do
		sendmail "$option" a@example.org
		assert_exit 0
		assert_silent
	done
	configure <<<"lone_dot keep"
	sendmail a@example.org
	configure <<<"lone_dot end"
	sendmail -i a@example.org
	assert_received 6
	for option in 1 2 3 4 5 6; do
		[ "$(body <"$(received $option)" | tr -d '\r')" = $'a\n.\nb' ] || fail_with "body of $option"
	done
	run_mailcrane --lone-dot=default a@example.org <<<"$message"
	[ "$(body <"$(received 7)" | tr -d '\r')" = $'a\n.\nb' ] || fail_with "body under the name mailcrane"
}

@test "sendmail 15: -N, -R and -V get to the server" {
	sendmail -oem -oi -f j@x.example -N failure,delay -R hdrs -V 'a+b' -- rcpt@example.org
	assert_exit 0
	assert_silent
	assert_wire_like '^MAIL FROM:<j@x.example>.* RET=HDRS ENVID=a\+2Bb'
	assert_wire_like '^RCPT TO:<rcpt@example.org> NOTIFY=FAILURE,DELAY'
}

@test "-v shows the dialogue on standard error" {
	sendmail -v a@example.org
	assert_exit 0
	assert_stderr "RCPT TO:<a@example.org>"
	[ -z "$output" ] || fail_with "stdout"
}

@test "options that are about the message do not make another route of it" {
	sendmail -odq -FCronDaemon a@example.org
	sendmail -odq -N failure -R full b@example.org
	sendmail -odq c@example.org
	[ "$(names queue | cut -d. -f2 | sort -u | wc -l)" -eq 1 ] || fail_with "several routes" "$(names queue)"
}

### Refused messages

@test "sendmail 16: one line on standard error says who was refused and why, and the message is kept" {
	sendmail -oem -oi -- perm1@example.org
	assert_exit 67
	[ "$(wc -l <<<"$stderr")" -eq 1 ] || fail_with "one line expected"
	assert_stderr "perm1@example.org"
	assert_stderr "550 5.1.1"
	[ -z "$output" ] || fail_with "stdout"
	assert_count 1 failed
}

@test "-oep: a message that was refused for everybody is kept in failed/, and nobody is told" {
	sendmail perm1@example.org perm2@example.org
	assert_exit 67
	assert_count 1 failed
	assert_count 0 queue
	run_as mailq </dev/null
	assert_stdout "perm1@example.org"
	run_mailcrane --show="$(id_of "$(the_entry failed)")" </dev/null
	assert_stdout "hello"
	sendmail -oep ok@example.org perm2@example.org
	assert_exit 67
	assert_count 1 failed
}

@test "a message that was kept can be sent again" {
	sendmail perm1@example.org
	relay_down
	relay_up --refuse-rule off
	run_mailcrane --retry="$(id_of "$(the_entry failed)")" </dev/null
	assert_exit 0
	flush
	assert_received 1
	assert_count 0 failed
	assert_count 0 queue
}

@test "sendmail 62: a sender that is refused is 69, and the message is kept" {
	sendmail -i -fbadfrom@x.example r@example.org
	assert_exit 69
	assert_stderr "refused (sender): 550 5.7.1"
	assert_count 1 failed
}

@test "sendmail 60: a refused recipient does not stop the others, and the status is 67" {
	sendmail -i ok@example.org perm2@example.org
	assert_exit 67
	assert_recipients 1 ok@example.org
	assert_count 0 failed
}

@test "-oem and -oew: the sender gets a notification, beside standard error and the status" {
	sendmail -oem -f joe@example.net perm1@example.org
	assert_exit 67
	assert_stderr "550 5.1.1"
	assert_count 1 failed
	assert_count 1 queue
	# The connection of the second one takes the first notification with it.
	sendmail -oew -f joe@example.net perm1@example.org
	assert_exit 67
	assert_stderr "550 5.1.1"
	assert_count 2 failed
	assert_count 0 bounces/new
	flush
	wait_until 10 is_queue_empty
	assert_received 2
	[ -z "$(sender_of 1)$(sender_of 2)" ] || fail_with "a notification has no sender"
	assert_recipients 1 joe@example.net
	assert_recipients 2 joe@example.net
	grep -q 'perm1@example.org' "$(received 1)" || fail_with "it does not name the recipient"
}

@test "-oem: so does one about some of the recipients" {
	sendmail -oem -f joe@example.net ok@example.org perm1@example.org
	assert_exit 67
	assert_received 1
	assert_count 1 failed
	[ "$(states_of "$(the_entry failed)")" = F ] || fail_with "only the refused one is in it" "$(states_of "$(the_entry failed)")"
	assert_count 1 queue
}

@test "-oem: nobody is told about a message without a sender, but it is kept" {
	sendmail -oem -f '' perm1@example.org
	assert_exit 67
	assert_count 1 failed
	assert_count 0 queue
	assert_count 0 bounces/new
}

@test "-oee: silence, and status 0 exactly when the notification is queued" {
	sendmail -oee -f joe@example.net perm1@example.org
	assert_exit 0
	assert_silent
	assert_count 1 queue
	assert_count 1 failed
	flush
	sendmail -oee -f '' perm1@example.org
	assert_exit 67
	assert_silent
	assert_count 0 queue
	assert_count 2 failed
	sendmail -oee -i bad@@example.org
	assert_exit 65
	assert_silent
	configure <<<"queue off"
	sendmail -oee -f joe@example.net perm1@example.org
	assert_exit 67
	assert_silent
	sendmail -oee a@example.org
	assert_exit 0
}

@test "-oee: no notification about some makes up for others who are neither delivered to nor queued" {
	command -v strace >/dev/null || skip "there is no strace"
	strace -o /dev/null true 2>/dev/null || skip "ptrace is not permitted"
	ln -s "$MAILCRANE" "$BATS_TEST_TMPDIR/sendmail"
	# LeakSanitizer does not work under strace. The first rename is the one of who was put off.
	CLEAN_ENVIRONMENT=(ASAN_OPTIONS=detect_leaks=0)
	run --separate-stderr clean_environment strace -qq -o "$BATS_TEST_TMPDIR/calls" -e trace=renameat2 \
		-e inject=renameat2:error=ENOSPC:when=1 \
		"$BATS_TEST_TMPDIR/sendmail" -oee -f joe@example.net perm1@example.org temp1@example.org <<<"$small" 3>&- 4>&-
	grep -q INJECTED "$BATS_TEST_TMPDIR/calls" || fail_with "nothing was injected" "$(cat "$BATS_TEST_TMPDIR/calls")"
	[ "$status" -ne 0 ] || fail_with "temp1 is lost, and the status is 0"
	assert_silent
}

@test "-oeq: the status, and nothing else" {
	sendmail -oeq -f joe@example.net perm1@example.org
	assert_exit 67
	assert_silent
	assert_count 0 queue
	assert_count 1 failed
	sendmail -oeq
	assert_exit 64
	assert_silent
	sendmail -oeq -Z
	assert_exit 64
	assert_silent
}

@test "a message is not kept under the name mailcrane, where -oem has no effect" {
	run_mailcrane -oem -f joe@example.net perm1@example.org <<<"$small"
	assert_exit 67
	assert_count 0 failed
	assert_count 0 queue
}
