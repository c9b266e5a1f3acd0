# queue.bash - a queue and a relay that comes and goes, for tests of the whole way: `load lib/queue` after lib/common.
#
# setup_queue in setup(), and QUEUE= so that no option changes what the configuration says. A relay that is down is a
# port on which nobody listens.

# shellcheck disable=SC2154 # run_mailcrane sets status, output and stderr

small=$'Subject: s\n\nhello'

# A home with a configuration (and the lines on stdin), and a port for a relay that is not there yet: $RELAY.
setup_queue() {
	setup_home
	spool=$HOME/.local/state/mailcrane
	start_peer
	RELAY=$PORT
	relay_down
	configure_queue </dev/null
}

# The usual configuration and the lines on stdin.
configure_queue() {
	write_config <<-END
		host 127.0.0.1
		port $RELAY
		from joe@example.test
		timeout 20
		logfile $HOME/log
		$(</dev/stdin)
	END
}

# The relay serves from now on, with ARGS; what an earlier one wrote is gone.
relay_up() {
	rm -rf "$BATS_TEST_TMPDIR/peer"
	start_peer --listen "127.0.0.1:$RELAY" "$@"
}

relay_down() {
	stop_peer
}

# A message of its own for every NUMBER.
numbered_message() {
	printf 'Subject: number %d\nMessage-ID: <%d@example.test>\n\nbody %d\n' "$1" "$1" "$1"
}

# Submit $small (or $message) for RECIPIENTS; the caller is to see nothing but status 0. Options may come first.
submit() {
	run_mailcrane "$@" <<<"${message:-$small}"
	assert_exit 0
	assert_silent
}

# N messages, numbered, put into the queue by one call without an attempt. Options and recipients may follow.
fill_queue() {
	local n=$1 number messages=()

	shift
	mkdir -p "$BATS_TEST_TMPDIR/messages"
	for ((number = 1; number <= n; number++)); do
		numbered_message "$number" >"$BATS_TEST_TMPDIR/messages/$number"
		messages+=(--message="$BATS_TEST_TMPDIR/messages/$number")
	done
	clean_environment "$MAILCRANE" -odq "${messages[@]}" "${@:-a@example.net}" >"$BATS_TEST_TMPDIR/queued" 3>&- 4>&-
}

# --flush and ARGS; it is to be silent.
flush() {
	run_mailcrane --flush "$@" </dev/null
	assert_exit 0
	assert_silent
}

# The names in a folder of the spool, sorted, in the array found.
find_names() {
	found=("$spool/$1"/*)
	[ -e "${found[0]}" ] || [ -h "${found[0]}" ] || found=()
	found=("${found[@]##*/}")
}

names() {
	local found

	find_names "$1"
	print_found
}

count_names() {
	local found

	find_names "$1"
	echo "${#found[@]}"
}

# There are N files in FOLDER of the spool.
assert_count() {
	local found

	find_names "$2"
	[ "${#found[@]}" -eq "$1" ] || fail_with "${#found[@]} entries in $2/, $1 expected" "${found[*]}"
}

# queue/ has none left; for wait_until.
is_queue_empty() {
	local found

	find_names queue
	[ "${#found[@]}" -eq 0 ]
}

# The path of the only entry in FOLDER (queue).
the_entry() {
	local found

	find_names "${1:-queue}"
	printf '%s' "$spool/${1:-queue}/${found[0]:-}"
}

# Everything in queue/ is due from now on.
make_due() {
	find "$spool/queue" -type f -exec touch -m -d '-1 second' {} +
}

# No message waits because of its route any more, and none is on hold.
forget_routes() {
	rm -f "$spool"/routes/*
}

# The id of the entry PATH.
id_of() {
	local name=${1##*/}

	printf '%s' "${name%%.*}"
}

# The state bytes of the recipients of the entry PATH, in order.
states_of() {
	sed -n '2,/^$/p' "$1" | sed -n '/^F[0-9]/,/^$/p' | sed '1d;$d' | cut -c1 | tr -d '\n'
}

# Let the entries PATH be SECONDS older than they are, by id, name and head: age_entry SECONDS PATH...
age_entry() {
	python3 - "$@" <<-'END'
		import os, sys
		digits = "0123456789ABCDEFGHIJKLMNOPQRSTUV"

		def checksum(head):
		    crc = 0xffffffff
		    for byte in head:
		        crc ^= byte
		        for _ in range(8):
		            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
		    return crc ^ 0xffffffff

		def age(path, seconds):
		    data = open(path, "rb").read()
		    folder, name = os.path.split(path)
		    number = int(name[:11], 32) - seconds * 1000000
		    first = "".join(digits[number >> 5 * i & 31] for i in range(10, -1, -1))
		    head = bytearray(data[:int(data[5:13], 16)])
		    head[40:56] = b"%016x" % (int(head[40:56], 16) - seconds)
		    at = head.index(b"\nI") + 2
		    head[at:at + 11] = first.encode()
		    plain = bytearray(head)
		    plain[57:59], plain[60:68] = b"00", b"00000000"
		    at = plain.index(b"\n", plain.index(b"\nF") + 1) + 1
		    while plain[at:at + 1] != b"\n":
		        plain[at:at + 1] = b"T"
		        at = plain.index(b"\n", at) + 1
		    head[60:68] = b"%08x" % checksum(plain)
		    times = os.stat(path)
		    new = os.path.join(folder, first + name[11:])
		    with open(path, "r+b") as file:
		        file.write(head)
		    os.rename(path, new)
		    os.utime(new, ns=(times.st_atime_ns, times.st_mtime_ns))

		for path in sys.argv[2:]:
		    age(path, int(sys.argv[1]))
	END
}

# The messages that arrived are exactly N, no Message-ID twice.
assert_each_once() {
	local ids twice messages

	find_received
	ids=$(grep -him1 '^message-id:' "${messages[@]}" /dev/null | LC_ALL=C sort)
	twice=$(uniq -d <<<"$ids")
	[ -z "$twice" ] || fail_with "delivered twice:" "$twice"
	[ "$(grep -c . <<<"$ids")" -eq "$1" ] || fail_with "$(grep -c . <<<"$ids") of ${#messages[@]} messages have an id, $1 expected"
	[ "${#messages[@]}" -eq "$1" ] || fail_with "${#messages[@]} messages arrived, $1 expected"
}

# Connections that the peer has seen.
connections() {
	[ -f "$PEER_LOG" ] || { echo 0; return; }
	awk '!($1 in seen) { seen[$1]; n++ } END { print n + 0 }' "$PEER_LOG"
}

assert_connections() {
	local seen

	seen=$(connections)
	[ "$seen" -eq "$1" ] || fail_with "$seen connections, $1 expected"
}

# There were never more than N connections at the same time.
assert_open_at_once() {
	awk -v limit="$1" '/\* connect from/ { if (++n > limit) bad = 1 } /\* close|S: 221 / { if (!ended[$1]++) n-- } END { exit bad }' "$PEER_LOG" ||
		fail_with "more than $1 connections at the same time" "$(grep -E '\* (connect|close)' "$PEER_LOG")"
}
