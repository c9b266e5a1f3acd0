#!/bin/sh
# demo.sh - shows mailcrane at work: one message through a pipe to a server made for it, by STARTTLS and AUTH.
#
#     tests/demo.sh BUILDDIR
#
# Everything happens on the loopback interface and in a folder that is removed in the end; nobody's mail or configuration is
# touched. Exit status: 0 when the message arrived as it was sent, 1 when not, 64 for a wrong call, 69 without programs.

set -u

usage() {
	echo "usage: demo.sh BUILDDIR (where mailcrane and peer have been built)" >&2
	exit 64
}

# A heading, bold for a person who watches.
step() {
	printf '\n%s%s%s\n\n' "$bold" "$1" "$plain"
}

# stdin, set off from what the demo says itself, folded to the width of a terminal.
quote() {
	tr -d '\r' | fold -s -w 76 | sed 's/^/    /; s/ *$//'
}

sorry() {
	printf '\n%sThe demo did not succeed: %s%s\n' "$bold" "$1" "$plain"
	shift
	for text; do
		printf '%s\n' "$text" | quote
	done
	exit 1
}

leave() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	server=
	[ -z "$folder" ] || rm -rf "$folder"
	folder=
}

# The same command for everybody: nothing of the caller's environment decides what is shown.
clean() {
	env -i PATH="$PATH" HOME="$folder" USER=joe LOGNAME=joe LANG=C ${ASAN_OPTIONS+ASAN_OPTIONS="$ASAN_OPTIONS"} ${LSAN_OPTIONS+LSAN_OPTIONS="$LSAN_OPTIONS"} "$@"
}

# Start the server with a certificate and a password made now; sets port and server.
start_server() {
	umask 077
	od -An -N12 -tx1 /dev/urandom | tr -d ' \n' >password
	started=$(clean "$build/peer" --daemon --tls starttls --make-cert certs --auth "PLAIN LOGIN" --user joe \
		--password "$(cat password)" --name relay.example.net --strict --mail-dir mail --log log 2>errors) ||
		sorry "the server did not start" "$(cat errors)"
	port=${started% *}
	server=${started##* }
}

write_configuration() {
	cat >mailcranerc <<-END
		account         demo
		host            localhost
		port            $port
		from            joe@example.net
		from_full_name  Joe Demo
		tls             on
		tls_trust_file  $folder/certs/ca.pem
		auth            plain
		user            joe
		passwordeval    cat $folder/password
		account         default : demo
	END
}

# What is sent: no From, no Date, and a line that begins with a dot, on which careless mailers come to grief.
write_message() {
	cat >message <<-'END'
		Subject: the bag for the night train
		To: you@example.net

		The train does not stop here. The crane swings out,
		.and the bag is on board, with every dot in it.
	END
}

# The lines of a message in file $1 behind its header.
body_of() {
	tr -d '\r' <"$1" | sed '1,/^$/d'
}

# Did the message arrive as it was sent, once, and for whom it was meant?
compare() {
	[ "$(find mail -name '*.eml')" = mail/0001.eml ] || sorry "the server should have one message" "$(ls mail)"
	body_of message >expected
	body_of mail/0001.eml | cmp -s - expected || sorry "the text that arrived is another" "$(cat mail/0001.eml)"
	for field in 'Subject: the bag for the night train' 'To: you@example.net' 'From: .*joe@example.net' 'Date: ' 'Message-ID: <'; do
		tr -d '\r' <mail/0001.eml | sed '/^$/q' | grep -q "^$field" || sorry "no header is like '$field'" "$(cat mail/0001.eml)"
	done
	for line in 'from joe@example.net' 'to you@example.net' 'tls TLS1' 'user joe'; do
		grep -q "^$line" mail/0001.env || sorry "the envelope has no line like '$line'" "$(cat mail/0001.env)"
	done
	! grep -q '^[0-9]* [0-9]* !' log || sorry "the server complained" "$(grep '^[0-9]* [0-9]* !' log)"
}

[ $# -eq 1 ] || usage
build=$(cd "$1" 2>/dev/null && pwd) || usage
for program in mailcrane peer; do
	[ -x "$build/$program" ] || {
		echo "demo.sh: there is no $build/$program: run ./bootstrap demo" >&2
		exit 69
	}
done
bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi
server='' folder=''
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
folder=$(mktemp -d "${TMPDIR:-/tmp}/mailcrane-demo.XXXXXX") || exit 1
cd "$folder" || exit 1

echo "mailcrane hands a message to a mail server and says what became of it."
echo "Here is one message on its way, from a pipe to the server's mailbox."

start_server
step "1. A server to talk to"
cat <<END
It was started for this demo only, on port $port of this machine's loopback
interface. It wants TLS (STARTTLS) and a password (AUTH); its certificate and
the password were made a moment ago.
END

write_configuration
step "2. The configuration, as it would stand in ~/.mailcranerc"
quote <mailcranerc
printf '\n%s\n%s\n' "The password is not in it: a command prints it. Usually that is a password" \
	"manager, here it is cat."

write_message
step "3. The command: a message from a pipe"
{
	echo "\$ cat message"
	cat message
	echo "\$ cat message | mailcrane --debug you@example.net"
} | quote
printf '\n%s\n%s\n\n' "--debug shows the dialogue: S: is the server, C: is mailcrane. What is secret" \
	"stays hidden. Without --debug there is no output at all when all goes well."
# shellcheck disable=SC2002 # a pipe is what is to be shown
cat message | clean "$build/mailcrane" --file=mailcranerc --debug you@example.net >dialogue 2>&1
status=$?
quote <dialogue
printf '\n    $ echo $?\n    %d\n' "$status"
[ "$status" -eq 0 ] || sorry "mailcrane ended with status $status"
printf '\n%s\n%s\n' "0 means: the server has taken the message for every recipient. MAIL, RCPT, the" \
	"message and QUIT went in one group, so that they cost one round trip."

compare
step "4. What arrived"
quote <mail/0001.eml
printf '\n%s\n' "From, Date and Message-ID were missing, so they were added; the rest is as sent."
step "5. The envelope the server saw"
quote <mail/0001.env

leave
step "The message arrived as it was sent. Server and files are gone again."
cat <<END
Read next, in the folder of the sources:
    README                    how to install it and to set up your own account
    doc/mailcranerc.example   a configuration to begin with
    man doc/mailcrane.1       the command and its options
    man doc/mailcranerc.5     all settings
    doc/design.md             how it is made
END
