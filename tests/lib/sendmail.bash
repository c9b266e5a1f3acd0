# sendmail.bash - the machine on which programs find their /usr/sbin/sendmail, and short words for what must come of a
# call: `load lib/sendmail` after lib/common, in a file with "# namespace: setpriv".
#
#     @test "sendmail 1: cron's message arrives with whole addresses" {
#             as root
#             feed 'From: root (Cron Daemon)\nTo: root\n\nout\n'
#             call sendmail -FCronDaemon -i root
#             X 0
#             silent
#             F root@mail.example.com
#             T admin@example.org
#             WIRE +D +M 'From: root@mail.example.com (Cron Daemon)⏎To: root@mail.example.com⏎⏎out⏎'
#     }
#
# The host is box.example.com, its mail domain mail.example.com; root and alice have a home, www-data has none, 4242 has
# not even an account. The relay listens on RELAY_PORT while it is up, which it is unless relay_down says otherwise.

# shellcheck disable=SC2154,SC2034 # run sets status, output and stderr; tests and common.bash read the rest
# shellcheck disable=SC2119,SC2120,SC2094 # relay_up may have arguments; a file that is read twice is not written

RELAY_PORT=2525
QUEUE=

# The machine: accounts, names, aliases, the program's links and the system's configuration. For setup_file.
rig_machine() {
	# shellcheck disable=SC1091 # found at run time
	. "$SRCDIR/tests/lib/namespace.bash"
	namespace_require || return 1
	ETC=$("$MAILCRANE" --version | sed -n 's/^System configuration folder: //p')
	SYSTEM_SPOOL=${ETC%/etc*}/var/spool/mailcrane
	[ "$ETC" != /etc ] || SYSTEM_SPOOL=/var/spool/mailcrane
	export ETC SYSTEM_SPOOL
	hostname box.example.com
	printf '127.0.0.1 localhost\n127.0.1.1 box.example.com box\n' >/etc/hosts
	echo mail.example.com >/etc/mailname
	printf 'root: admin@example.org\nteam: bob@example.net, "Carol C" <carol@example.net>\n' >/etc/aliases
	cat >/etc/passwd <<-END
		root:x:0:0:root:$RIG/root:/bin/bash
		www-data:x:33:33:www-data:/nonexistent:/usr/sbin/nologin
		alice:x:1000:1000:Alice Example,,,:$RIG/alice:/bin/bash
	END
	printf 'root:x:0:\nwww-data:x:33:\nalice:x:1000:\n' >/etc/group
	rig_program
	mkdir -p "$ETC"
	rm -f "$ETC/mailcranerc" "$ETC/msmtprc"
	printf 'host 127.0.0.1\nport %s\ntimeout 20\n' "$RELAY_PORT" >"$ETC/mailcranerc"
}

# The program where every user can reach it, and its links.
rig_program() {
	local link

	mkdir -p /usr/lib /usr/sbin /usr/bin
	rm -f /usr/bin/mailcrane
	install -m 755 "$MAILCRANE" /usr/bin/mailcrane
	for link in /usr/sbin/sendmail /usr/lib/sendmail /usr/bin/mailq /usr/bin/newaliases /usr/bin/runq; do
		ln -sfn /usr/bin/mailcrane "$link"
	done
}

# Empty homes, no queue, an empty place for what an attacker would write ($LOOT), and the relay. For setup.
rig_up() {
	HOME=$BATS_TEST_TMPDIR
	LOOT=$RIG/loot
	CALLER=alice
	FED=$BATS_TEST_TMPDIR/fed
	rm -rf "$RIG/root" "$RIG/alice" "$LOOT" "$SYSTEM_SPOOL"
	mkdir -p "$SYSTEM_SPOOL"
	chmod 1733 "$SYSTEM_SPOOL"
	mkdir -m 700 "$RIG/root" "$RIG/alice"
	mkdir -m 1777 "$LOOT"
	chown 1000:1000 "$RIG/alice"
	: >"$FED"
	relay_up
}

# The relay of the cases, with ARGS; what an earlier one wrote is gone.
relay_up() {
	local keyword keywords=()

	for keyword in 8BITMIME "SIZE 35882577" PIPELINING DSN ENHANCEDSTATUSCODES; do
		keywords+=(--ehlo "$keyword")
	done
	rm -rf "$BATS_TEST_TMPDIR/peer"
	start_peer --listen "127.0.0.1:$RELAY_PORT" --strict "${keywords[@]}" "$@"
}

relay_down() {
	stop_peer
	rm -rf "$BATS_TEST_TMPDIR/peer"
}

### The call

# Who calls from now on: root, alice, www-data, or 4242 that has no account.
as() {
	CALLER=$1
}

# TEXT, a string of C, will be the standard input.
feed() {
	printf '%b' "$1" >"$FED"
}

# COMMAND as the caller, from /, with nothing but the caller's usual environment.
as_caller() {
	local number environment=()

	case $CALLER in
	root) number=0 environment=(HOME="$RIG/root" LOGNAME=root USER=root) ;;
	alice) number=1000 environment=(HOME="$RIG/alice" LOGNAME=alice USER=alice) ;;
	www-data) number=33 ;;
	*) number=$CALLER ;;
	esac
	env -C / -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C "${environment[@]}" \
		${ASAN_OPTIONS+ASAN_OPTIONS="$ASAN_OPTIONS"} ${LSAN_OPTIONS+LSAN_OPTIONS="$LSAN_OPTIONS"} ${UBSAN_OPTIONS+UBSAN_OPTIONS="$UBSAN_OPTIONS"} \
		setpriv --reuid="$number" --regid="$number" --clear-groups \
		timeout --kill-after=5 "${MAILCRANE_TIMEOUT:-60}" "$@" 3>&- 4>&-
}

through_pipe() {
	# shellcheck disable=SC2002 # a pipe is wanted
	cat "$FED" | as_caller "$@"
}

from_file() {
	as_caller "$@" <"$FED"
}

# COMMAND as the caller with what was fed on a pipe. Sets $status, $output, $stderr and, in milliseconds, $took.
call() {
	local start=${EPOCHREALTIME/./}

	run --separate-stderr through_pipe "$@"
	took=$(((${EPOCHREALTIME/./} - start) / 1000))
}

# The same with the file itself as standard input, which can be read from its beginning again.
call_from_file() {
	run --separate-stderr from_file "$@"
}

### What came of it

# The exit status.
X() {
	assert_exit "$1"
}

silent() {
	assert_silent
}

# One line on stderr, with every TEXT in it, and nothing on stdout.
one_line() {
	local text

	[ -z "$output" ] || fail_with "nothing expected on stdout"
	[ -n "$stderr" ] || fail_with "one line expected on stderr"
	[ "$(grep -c '' <<<"$stderr")" -eq 1 ] || fail_with "one line expected on stderr"
	for text; do
		assert_stderr "$text"
	done
}

# One problem is told on stderr: a line with every TEXT in it, and perhaps a hint behind it. Nothing on stdout.
one_problem() {
	local text first=${stderr%%$'\n'*}

	[ -z "$output" ] || fail_with "nothing expected on stdout"
	[[ $first == *": "* && $first != *": hint: "* ]] || fail_with "a problem expected on stderr"
	[ "$(sed 1d <<<"$stderr" | grep -cv '^[a-z-]*: hint: ' || true)" -eq 0 ] || fail_with "one problem expected on stderr"
	[ "$(sed 1d <<<"$stderr" | grep -c '' || true)" -le 1 ] || fail_with "no more than one hint expected"
	for text; do
		[[ $first == *"$text"* ]] || fail_with "the first line lacks: $text"
	done
}

# The one message (with MESSAGE and MESSAGES set: that one of so many) has this reverse-path; '' is the null one.
F() {
	assert_received "${MESSAGES:-1}"
	[ "$(sender_of "${MESSAGE:-1}")" = "$1" ] || fail_with "sender <$1> expected, found <$(sender_of "${MESSAGE:-1}")>"
	assert_no_violation
}

# It went to exactly these, each of them named once.
T() {
	assert_received "${MESSAGES:-1}"
	assert_recipients "${MESSAGE:-1}" "$@"
}

# Nothing reached the relay, and nothing waits in a queue.
nothing_sent() {
	assert_received 0
	refute_wire_like '^(MAIL|RCPT|DATA)'
	nothing_queued
}

nothing_queued() {
	local found

	found=$(find "$RIG/root" "$RIG/alice" "$SYSTEM_SPOOL" -path '*/queue/*' -type f)
	[ -z "$found" ] || fail_with "something was put into the queue" "$found"
}

# The caller's mailq, with its last line LAST.
mailq_ends() {
	run --separate-stderr as_caller mailq </dev/null
	X 0
	[ -z "$stderr" ] || fail_with "silence expected on stderr"
	[ "$(tail -n 1 <<<"$output")" = "$1" ] || fail_with "mailq does not end with: $1"
}

# Message 1 (or MESSAGE) is, byte for byte, the generated fields and then TEXT, in which ⏎ is CRLF:
#     WIRE +D +M '+F=Alice Example <alice@mail.example.com>' 'Subject: s⏎⏎hello⏎'
# +D is a Date of now, +M a Message-ID of this machine's, +RD and +RM their Resent- twins, +F=TEXT the field From,
# +H=LINE some other field; each there once, in any order.
WIRE() {
	local wanted=("${@:1:$#-1}") text=${!#} file line i

	assert_received "${MESSAGES:-1}"
	file=$(received "${MESSAGE:-1}")
	assert_wire_bytes "$file"
	for ((i = 1; i < $#; i++)); do
		IFS= read -r line
		is_generated "${line%$'\r'}" && continue
		fail_with "not one of the generated fields ${wanted[*]}: $line" "$(cat -A "$file")"
		return 1
	done <"$file"
	printf '%s' "${text//⏎/$'\r\n'}" >"$BATS_TEST_TMPDIR/expected"
	tail -n +"$#" "$file" >"$BATS_TEST_TMPDIR/rest"
	assert_same_bytes "$BATS_TEST_TMPDIR/expected" "$BATS_TEST_TMPDIR/rest"
}

# Every line of FILE ends with CRLF and is short enough; there is no other CR or LF, and no NUL.
assert_wire_bytes() {
	tr -d '\0' <"$1" | cmp -s - "$1" || fail_with "there is a NUL in $1"
	! grep -qv $'\r$' "$1" || fail_with "there is a bare LF in $1" "$(cat -A "$1" | head -n 40)"
	[ -z "$(tail -c 1 "$1")" ] || fail_with "the last line of $1 does not end"
	! sed 's/\r$//' "$1" | grep -q $'\r' || fail_with "there is a bare CR in $1" "$(cat -A "$1" | head -n 40)"
	! sed 's/\r$//' "$1" | grep -Eq '.{999}' || fail_with "there is a line of more than 998 bytes in $1"
}

# LINE is one of the fields in wanted, which is taken out.
is_generated() {
	local i

	for i in "${!wanted[@]}"; do
		case ${wanted[i]} in
		+D) is_date_of_now "$1" 'Date: ' || continue ;;
		+RD) is_date_of_now "$1" 'Resent-Date: ' || continue ;;
		+M) [[ $1 =~ ^'Message-ID: <'[^@\<\>\ ]+'@mail.example.com>'$ ]] || continue ;;
		+RM) [[ $1 =~ ^'Resent-Message-ID: <'[^@\<\>\ ]+'@mail.example.com>'$ ]] || continue ;;
		+F=*) [ "$1" = "From: ${wanted[i]#+F=}" ] || continue ;;
		+H=*) [ "$1" = "${wanted[i]#+H=}" ] || continue ;;
		*) continue ;;
		esac
		wanted[i]=
		return 0
	done
	return 1
}

# LINE is NAME and a date of RFC 5322 that is now, give or take five minutes.
is_date_of_now() {
	local value=${1#"$2"} moment

	[ "$value" != "$1" ] || return 1
	[[ $value =~ ^(Mon|Tue|Wed|Thu|Fri|Sat|Sun),\ [0-9]{1,2}\ [A-Z][a-z]{2}\ [0-9]{4}\ [0-9]{2}:[0-9]{2}:[0-9]{2}\ [-+][0-9]{4}$ ]] ||
		return 1
	moment=$(date -d "$value" +%s) || return 1
	[ "$moment" -ge $((EPOCHSECONDS - 300)) ] && [ "$moment" -le $((EPOCHSECONDS + 300)) ]
}

### SMTP on standard input

# COMMAND is spoken to line by line; each line of standard input goes out with the line end $LINE_END (CRLF) when the reply to
# the one before has come, the lines of a message at once. Sets $replies (every line of them), $status and $stderr.
converse() {
	local line server from to in out is_text=

	coproc SERVER { as_caller "$@" 2>"$BATS_TEST_TMPDIR/said"; }
	server=$SERVER_PID in=${SERVER[0]} out=${SERVER[1]}
	# Copies, since the shell closes its own ones as soon as the program has ended.
	exec {from}<&"$in" {to}>&"$out"
	exec {in}<&- {out}>&-
	replies=
	hear
	while IFS= read -r line; do
		printf '%s%s' "$line" "${LINE_END-$'\r\n'}" >&"$to"
		if [ -n "$is_text" ]; then
			[ "$line" = . ] || continue
			is_text=
		fi
		hear
		[ "$line" != DATA ] || [[ $reply != 354* ]] || is_text=1
	done
	exec {to}>&-
	replies+=$(timeout 20 cat <&"$from")
	exec {from}<&-
	status=0
	wait "$server" || status=$?
	output=$replies
	stderr=$(cat "$BATS_TEST_TMPDIR/said")
}

# One whole reply, all its lines: $reply is the last one.
hear() {
	reply=
	while IFS= read -r -t 30 reply <&"$from"; do
		reply=${reply%$'\r'}
		replies+=$reply$'\n'
		[[ $reply == [0-9][0-9][0-9]-* ]] || return 0
	done
	replies+="(no reply)"$'\n'
	return 0
}

# The last lines of the replies begin with these codes, in this order.
assert_codes() {
	local found

	found=$(grep -v '^[0-9][0-9][0-9]-' <<<"${replies%$'\n'}" | cut -c 1-3 | tr '\n' ' ')
	[ "${found% }" = "$*" ] || fail_with "replies $* expected, found $found" "$replies"
}
