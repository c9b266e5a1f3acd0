# common.bash - what every bats file loads: `load lib/common` (from tests/peers: `load ../lib/common`).
#
#     @test "protocol 19: a refused recipient does not stop the others" {
#             setup_home
#             start_peer
#             write_config <<-END
#                     host 127.0.0.1
#                     port $PORT
#             END
#             run_mailcrane a@example.net perm@example.net <<<$'Subject: s\n\nhello'
#             assert_exit 67
#             assert_recipients 1 a@example.net
#     }
#
# run-bats exports SRCDIR, BUILDDIR, MAILCRANE and PEER; called by plain bats they are guessed.
# stop_peer belongs into teardown.
#
# Starting a process costs more than all the rest of a case, on some machines 10 ms; that is why what every case calls is
# written in the shell's own words where "$(sed ...)" would be shorter.

bats_require_minimum_version 1.5.0

: "${SRCDIR:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${BUILDDIR:=$SRCDIR/_build}"
: "${MAILCRANE:=$BUILDDIR/mailcrane}"
: "${PEER:=$BUILDDIR/tests/peer/peer}"
export SRCDIR BUILDDIR MAILCRANE PEER

# What joe logs in with, unless a file has its own: passwords are words that are found nowhere by chance (register_secret).
# A peer has to be told: --password "$JOES_PASSWORD".
# shellcheck disable=SC2034 # for the tests
JOES_PASSWORD='J0es-Pass_Word'

PORT=
PEER_LOG=
PEER_PIDS=()

### The user

# A private home directory and nothing else of the caller's environment: $HOME.
setup_home() {
	local number

	HOME=$BATS_TEST_TMPDIR/home
	while IFS=: read -r USER _ number _; do
		[ "$number" != "$EUID" ] || break
	done </etc/passwd
	[ -n "$USER" ] || USER=$(id -un)
	LOGNAME=$USER
	[ -d "$HOME" ] || mkdir -m 700 "$HOME"
	export HOME USER LOGNAME
}

# stdin becomes ~/.mailcranerc, readable by the owner only. The passwords in it are registered as secrets.
write_config() {
	local line lines text

	[ "$HOME" = "$BATS_TEST_TMPDIR/home" ] || setup_home
	text=$(</dev/stdin)
	(umask 077 && printf '%s\n' "$text" >"$HOME/.mailcranerc")
	[[ $text == *password* ]] || return 0
	mapfile -t lines <<<"$text"
	for line in "${lines[@]}"; do
		[[ ! $line =~ ^[[:blank:]]*(proxy_)?password[[:blank:]]+\"?([^\"]{8,})\"?$ ]] || register_secret "${BASH_REMATCH[2]}"
	done
}

# From now on none of these WORDs may be found, in clear, base64 or hexadecimal digits, in anything that this bats file leaves behind:
# run-bats looks for them (tests/lib/leaks.bash, which says where they may stand). One of fewer than 8 characters would be found
# by chance.
register_secret() {
	local word

	[ -n "${MAILCRANE_SECRETS:-}" ] || return 0
	for word; do
		[ "${#word}" -ge 8 ] || { fail_with "'$word' is too short for a secret that is looked for"; return 1; }
		printf '%s\n' "$word" >>"$MAILCRANE_SECRETS"
	done
}

# bats' run, which keeps what was said for those who look for secrets.
declare -F original_run >/dev/null || eval "original_$(declare -f run)"

run() {
	local code=0

	original_run "$@" || code=$?
	keep_said
	return "$code"
}

keep_said() {
	[ -z "${MAILCRANE_SECRETS:-}" ] || printf '%s\n' "$output" "${stderr:-}" >>"${MAILCRANE_SECRETS%/*}/said"
}

# The words that run a command in the clean environment, in the array clean.
clean_words() {
	clean=(env -i PATH="$PATH" HOME="$HOME" LANG=C USER="${USER:-root}" LOGNAME="${LOGNAME:-root}" TMPDIR="$BATS_TEST_TMPDIR"
		${ASAN_OPTIONS+ASAN_OPTIONS="$ASAN_OPTIONS"} ${LSAN_OPTIONS+LSAN_OPTIONS="$LSAN_OPTIONS"} ${UBSAN_OPTIONS+UBSAN_OPTIONS="$UBSAN_OPTIONS"}
		"${CLEAN_ENVIRONMENT[@]}")
}

# COMMAND in the clean environment. Extra variables: CLEAN_ENVIRONMENT=(NAME=VALUE...).
clean_environment() {
	local clean

	clean_words
	"${clean[@]}" "$@"
}

# Most tests are about one attempt, and want to see how it ended. Those about the queue set QUEUE= (the default) or a word.
QUEUE=off

# PROGRAM ARGS in the clean environment, stdin is the message: what bats' run --separate-stderr does, with fewer processes.
# Sets $status, $output (stdout), $stderr and the array of lines. No more than 60 seconds: 124 then.
run_clean() {
	local clean flags=$-

	[ -x "$1" ] || skip "there is no $1"
	clean_words
	set +eET
	output=$(exec "${clean[@]}" timeout --kill-after=5 "${MAILCRANE_TIMEOUT:-60}" "$@" 2>"$BATS_TEST_TMPDIR/stderr" 3>&- 4>&-)
	status=$?
	set "-$flags"
	stderr=$(<"$BATS_TEST_TMPDIR/stderr")
	IFS=$'\n' read -rd '' -a lines <<<"$output" || :
	keep_said
}

# Run mailcrane with ARGS.
run_mailcrane() {
	run_clean "$MAILCRANE" ${QUEUE:+"--queue=$QUEUE"} "$@"
}

# The same under another name (sendmail, mailq ...): run_as NAME ARGS. Under a sendmail name there are no long options, so QUEUE is
# left to the configuration.
run_as() {
	local name=$1 queue=$QUEUE

	shift
	case $name in
	sendmail | send-mail | mailq | newaliases | runq) queue= ;;
	esac
	[ -d "$BATS_TEST_TMPDIR/bin" ] || mkdir "$BATS_TEST_TMPDIR/bin"
	[ -h "$BATS_TEST_TMPDIR/bin/$name" ] || ln -s "$MAILCRANE" "$BATS_TEST_TMPDIR/bin/$name"
	run_clean "$BATS_TEST_TMPDIR/bin/$name" ${queue:+"--queue=$queue"} "$@"
}

# A message of SIZE bytes (about), lines of 76 characters, on stdout.
make_message() {
	printf 'From: joe@example.test\nTo: alice@example.test\nDate: Sat, 1 Jan 2000 00:00:00 +0000\n'
	printf 'Message-ID: <%s@example.test>\nSubject: %s\n\n' "${BATS_TEST_NUMBER:-0}" "${2:-size $1}"
	awk -v size="$1" 'BEGIN { for (n = 0; n < size; n += 77) printf "%076d\n", n }'
}

### The peer

# Start the scriptable server with ARGS in the background. Sets PORT, PEER_PID and the directory of its files PEER_DIR
# (PEER_LOG, PEER_SUMMARY, PEER_MAIL in it). May be called several times; the variables speak of the last one.
start_peer() {
	local said number=${#PEER_PIDS[@]}

	[ -x "$PEER" ] || skip "there is no $PEER"
	PEER_DIR=$BATS_TEST_TMPDIR/peer
	[ "$number" -gt 0 ] && PEER_DIR+=$((number + 1))
	mkdir -p "$PEER_DIR/mail"
	use_peer "$PEER_DIR"
	# Looking for its leaks at the end of every connection would take longer than the connection.
	said=$(ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 "$PEER" --daemon --port-file "$PEER_DIR/port" \
		--log "$PEER_LOG" --mail-dir "$PEER_MAIL" --summary "$PEER_SUMMARY" "$@" 2>"$PEER_DIR/errors" 3>&- 4>&-) || {
		fail_with "the peer did not start: $PEER $*" "$(cat "$PEER_DIR/errors")"
		return 1
	}
	read -r PORT PEER_PID <<<"$said"
	[ -n "$PEER_PID" ] || { fail_with "the peer said no port and process: '$said'"; return 1; }
	PEER_PIDS+=("$PEER_PID")
}

# Let the assertions below speak about the peer whose PEER_DIR is DIR.
use_peer() {
	PEER_DIR=$1
	PEER_LOG=$1/log
	PEER_MAIL=$1/mail
	PEER_SUMMARY=$1/summary
	# shellcheck disable=SC2034 # for the tests
	[ ! -s "$1/port" ] || read -r PORT <"$1/port"
}

# A process that has ended and that nobody has waited for (its parent is not always quick) does not run.
is_running() {
	local facts

	# The name is in parentheses, and may have blanks in it.
	{ read -r facts <"/proc/$1/stat"; } 2>/dev/null && [[ ${facts##*) } != Z* ]]
}

# End every peer of this test and wait until it has written its summary.
stop_peer() {
	local pid tries

	for pid in "${PEER_PIDS[@]}"; do
		kill "$pid" 2>/dev/null || continue
		for ((tries = 0; tries < 250; tries++)); do
			is_running "$pid" || break
			sleep 0.02
		done
		kill -KILL "$pid" 2>/dev/null || true
	done
	PEER_PIDS=()
	return 0
}

# Certificates by the peer's own maker in DIR, with ARGS (--cert-fault ...).
make_certificates() {
	local dir=$1

	shift
	"$PEER" --make-cert "$dir" --make-cert-only "$@" 3>&- || fail_with "the peer made no certificate"
}

# Wait until something listens on 127.0.0.1:PORT, at most 10 seconds.
wait_for_port() {
	local tries

	for ((tries = 0; tries < 100; tries++)); do
		(: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null 3>&- && return 0
		sleep 0.1
	done
	echo "nothing listens on port $1" >&2
	return 1
}

# Wait until COMMAND succeeds, at most SECONDS: wait_until SECONDS COMMAND...
wait_until() {
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { fail_with "waited in vain for: $*"; return 1; }
		sleep 0.1
	done
}

### Failing

# Say TEXT and the blocks of further arguments, then everything known about the last run; returns 1.
fail_with() {
	local text

	{
		echo "FAILED: $1"
		shift
		for text; do
			printf '%s\n' "$text"
		done
		[ -n "${status+set}" ] && echo "exit status: $status"
		[ -n "${output:-}" ] && printf 'stdout:\n%s\n' "$(head -c 4000 <<<"$output")"
		[ -n "${stderr:-}" ] && printf 'stderr:\n%s\n' "$(head -c 4000 <<<"$stderr")"
		if [ -s "$PEER_LOG" ]; then
			echo "peer's log:"
			tail -n 60 "$PEER_LOG"
		fi
	} >&2
	return 1
}

### About the last run

assert_exit() {
	[ "$status" -eq "$1" ] || fail_with "exit status $1 expected"
}

# Nothing on stdout and stderr.
assert_silent() {
	[ -z "$output$stderr" ] || fail_with "silence expected"
}

assert_stdout() {
	[[ $output == *"$1"* ]] || fail_with "stdout lacks: $1"
}

assert_stderr() {
	[[ $stderr == *"$1"* ]] || fail_with "stderr lacks: $1"
}

refute_stderr() {
	[[ $stderr != *"$1"* ]] || fail_with "stderr has: $1"
}

### About the conversation

# What the client sent, one line each, without the peer's time stamps.
wire() {
	sed -n 's/^[0-9]* [0-9]* C: //p' "$PEER_LOG" 2>/dev/null
}

# What the peer answered, the same way.
answers() {
	sed -n 's/^[0-9]* [0-9]* S: //p' "$PEER_LOG" 2>/dev/null
}

# The client sent these lines, in this order (others may be between).
assert_wire() {
	local expected line lines number=0

	mapfile -t lines < <(wire)
	for expected; do
		while :; do
			[ "$number" -lt "${#lines[@]}" ] || { fail_with "not sent (in this order): $expected"; return 1; }
			line=${lines[number]}
			number=$((number + 1))
			[ "$line" = "$expected" ] && break
		done
	done
}

# Some line the client sent matches the extended regular expression.
assert_wire_like() {
	wire | grep -Eq -- "$1" || fail_with "no line sent is like: $1"
}

refute_wire_like() {
	! wire | grep -Eq -- "$1" || fail_with "a line sent is like: $1"
}

# The verb was sent N times: assert_wire_count 3 RCPT.
assert_wire_count() {
	local found

	found=$(wire | grep -Ec -- "^$2( |:|\$)" || true)
	[ "$found" -eq "$1" ] || fail_with "$2 sent $found times, $1 expected"
}

# Some line of the peer's log (events "*", violations "!" too) matches the extended regular expression.
assert_log_line() {
	grep -Eq -- "$1" "$PEER_LOG" || fail_with "no line of the log is like: $1"
}

refute_log_line() {
	! grep -Eq -- "$1" "$PEER_LOG" || fail_with "a line of the log is like: $1"
}

# The peer saw no violation of the protocol.
assert_no_violation() {
	! grep -Eq '^[0-9]+ [0-9]+ !' "$PEER_LOG" || fail_with "the peer saw a violation"
}

# The whole run's number FIELD (connections, messages, recipients, flights ...): its first one in the summary.
summary_of() {
	tr '\n' ' ' <"$PEER_SUMMARY" | grep -Eo "\"$1\" *: *[0-9]+" | head -n 1 | grep -Eo '[0-9]+$' || true
}

# assert_summary flights 4
assert_summary() {
	local found

	found=$(summary_of "$1")
	[ "${found:-none}" = "$2" ] || fail_with "$1 is ${found:-missing} in the summary, $2 expected" "$(cat "$PEER_SUMMARY")"
}

### About the messages the peer accepted

# The path of message N, N counted from 1.
received() {
	printf '%s/%04d.eml' "$PEER_MAIL" "$1"
}

# The files of all messages, in the array messages.
find_received() {
	messages=("$PEER_MAIL"/[0-9]*.eml)
	[ -e "${messages[0]}" ] || messages=()
}

received_count() {
	local messages

	find_received
	echo "${#messages[@]}"
}

assert_received() {
	local messages

	find_received
	[ "${#messages[@]}" -eq "$1" ] || fail_with "${#messages[@]} messages arrived, $1 expected"
}

# Start a peer with SERVE_ARGUMENTS and ARGS behind a usual configuration, SERVE_LINES and the lines on stdin.
serve() {
	local more

	more=$(</dev/stdin)
	start_peer "${SERVE_ARGUMENTS[@]}" "$@"
	write_config <<-END
		host 127.0.0.1
		port $PORT
		from joe@example.test
		timeout 20
		${SERVE_LINES:-}
		$more
	END
}

# What stands behind the first word of the lines of the envelope of message N whose first word is WORD, in the array found:
# find_in_envelope 1 to.
find_in_envelope() {
	local file line lines

	found=()
	printf -v file '%s/%04d.env' "$PEER_MAIL" "$1"
	[ -f "$file" ] || return 0
	mapfile -t lines <"$file"
	for line in "${lines[@]}"; do
		[[ $line != "$2 "* ]] || found+=("${line#* }")
	done
}

# The same for the addresses, without angle brackets and parameters.
find_addresses() {
	local i

	find_in_envelope "$@"
	for i in "${!found[@]}"; do
		case ${found[i]} in
		'<'*) found[i]=${found[i]#<} found[i]=${found[i]%%>*} ;;
		*) found[i]=${found[i]%% *} ;;
		esac
	done
}

print_found() {
	[ "${#found[@]}" -eq 0 ] || printf '%s\n' "${found[@]}"
}

envelope_of() {
	local found

	find_in_envelope "$1" "$2"
	print_found
}

# One a line.
recipients_of() {
	local found

	find_addresses "$1" to
	print_found
}

sender_of() {
	local found

	find_addresses "$1" from
	print_found
}

# Message N went to exactly these, in any order.
assert_recipients() {
	local number=$1 found sorted expected

	shift
	find_addresses "$number" to
	[ "${found[*]}" != "$*" ] || return 0
	sorted=$(print_found | sort)
	expected=$([ $# -eq 0 ] || printf '%s\n' "$@" | sort)
	[ "$sorted" = "$expected" ] || fail_with "recipients of message $number differ" "expected:" "$expected" "found:" "$sorted"
}

# The header block and the body of the message on stdin (CRLF or LF).
headers() {
	sed -E '/^\r?$/,$d'
}

body() {
	sed -E '1,/^\r?$/d'
}

# The values of the fields NAME of message N, unfolded: header_of 1 Subject.
header_of() {
	headers <"$(received "$1")" | tr -d '\r' | awk -v name="$2" '
		/^[ \t]/ { if (wanted) value = value $0; next }
		{ if (wanted) print value; wanted = tolower(substr($0, 1, length(name) + 1)) == tolower(name ":") }
		wanted { value = substr($0, length(name) + 2); sub(/^[ \t]+/, "", value) }
		END { if (wanted) print value }'
}

# Message N has the field NAME exactly once, with this value.
assert_header() {
	local found

	found=$(header_of "$1" "$2")
	[ "$found" = "$3" ] || fail_with "header $2 of message $1 is '$found'" "expected '$3'"
}

# Two files are the same, byte for byte; "-" is stdin.
assert_same_bytes() {
	local difference

	difference=$(cmp -- "$1" "$2" 2>&1) || fail_with "$difference" "$(diff -u <(cat -A "$1" | head -n 500) <(cat -A "$2" | head -n 500) | head -n 30)"
}

# Message N is, line ends apart, the file FILE.
assert_message() {
	tr -d '\r' <"$(received "$1")" >"$BATS_TEST_TMPDIR/found"
	assert_same_bytes "$2" "$BATS_TEST_TMPDIR/found"
}

# TEXT is neither in the output nor in any file of this test but the configuration (and files below a folder "secret").
assert_no_secret() {
	local found

	found=$(grep -rlF --exclude=.mailcranerc --exclude-dir=secret -e "$1" "$BATS_TEST_TMPDIR" 2>/dev/null || true)
	[[ $output$stderr != *"$1"* ]] || found+=" the output"
	[ -z "$found" ] || fail_with "the secret is in: $found"
}
