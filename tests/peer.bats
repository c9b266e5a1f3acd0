#!/usr/bin/env bats
# The scriptable server of the tests does what its README says.

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert

: "${PEER:=${abs_builddir:-${BUILDDIR:-.}}/tests/peer/peer}"

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	if [ -n "${pid:-}" ]; then
		kill "$pid" 2>/dev/null || true
	fi
}

# Start the server in the background; sets port and pid.
start() {
	local started
	started=$("$PEER" --daemon --lifetime 60 --log log --summary summary --mail-dir mail "$@") || return
	port=${started% *}
	pid=${started##* }
}

# A plain connection on descriptor 7.
connect() {
	exec 7<>"/dev/tcp/127.0.0.1/$port"
}

# In one write; the builtin would write line by line.
say() {
	env printf "$@" >&7
}

# Read N replies (1 if not told); the last line of each is appended to $replies.
hear() {
	local n line
	replies=
	for ((n = 0; n < ${1:-1}; n++)); do
		while IFS= read -r -t 5 line <&7; do
			line=${line%$'\r'}
			[ "${line:3:1}" = - ] || break
		done
		replies+="$line"$'\n'
	done
}

bye() {
	exec 7>&-
}

# Wait until the summary says N sessions are over.
settle() {
	local n
	for ((n = 0; n < 100; n++)); do
		if grep -q "\"connections\": ${1:-1}, \"open\": 0" summary 2>/dev/null; then
			return 0
		fi
		sleep 0.05
	done
	cat summary log
	return 1
}

# Wait until the log has a line that matches.
logged() {
	local n
	for ((n = 0; n < 100; n++)); do
		if grep -q -e "$1" log 2>/dev/null; then
			return 0
		fi
		sleep 0.05
	done
	cat log
	return 1
}

# TLS with openssl on descriptors 7 (both ways); arguments go to s_client.
connect_tls() {
	mkfifo to_client
	: >from_client # it must be there when tail looks
	openssl s_client -quiet -ign_eof -connect "127.0.0.1:$port" -CAfile certs/ca.pem "$@" \
		<to_client >>from_client 2>errors_of_client &
	exec 8>to_client
	# a file that grows is read as a pipe is, by tail
	exec 7< <(tail -f -n +1 --pid=$! from_client)
}

say_tls() {
	env printf "$@" >&8
}

@test "the port file holds one port per listener" {
	start --port-file ports --listen 127.0.0.1:0 --listen '[::1]:0'
	assert_equal "$(wc -l <ports)" 2
	assert_equal "$(tr '\n' , <ports)" "$port,"
}

@test "a port that another server still has is waited for" {
	local first
	start
	first=$pid
	(sleep 0.5 && kill "$first") &
	start --listen "127.0.0.1:$port"
	[ "$pid" != "$first" ]
	connect
	hear
	assert_equal "${replies:0:3}" 220
}

@test "a unix socket is served and removed" {
	start --listen "unix:$PWD/socket"
	[ -S socket ]
	kill "$pid"
	for n in {1..100}; do
		[ -S socket ] || break
		sleep 0.1
	done
	[ ! -e socket ]
}

@test "a grouped plain session takes four flights" {
	start
	connect
	hear
	say 'EHLO me\r\n'
	hear
	say 'MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nBDAT 4 LAST\r\na\r\n\nQUIT\r\n'
	hear 4
	bye
	settle
	assert_equal "$(cut -c1-3 <<<"$replies" | tr '\n' ' ')" "250 250 250 221  "
	run grep -o '"flights": 4, "reads": 2' summary
	assert_success
	run grep -o '"quit": true' summary
	assert_success
}

@test "a chunk that comes in two pieces is still one flight" {
	start
	connect
	hear
	say 'EHLO me\r\n'
	hear
	say 'MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nBDAT 4 LAST\r\na'
	sleep 0.03
	say '\r\n\nQUIT\r\n'
	hear 4
	bye
	settle
	run grep -o '"flights": 4, "reads": 3' summary
	assert_success
}

@test "each command alone is a flight" {
	start
	connect
	hear
	for command in 'EHLO me' 'NOOP' 'NOOP' 'QUIT'; do
		say '%s\r\n' "$command"
		hear
	done
	bye
	settle
	run grep -o '"flights": 6' summary
	assert_success
}

@test "a message by DATA is kept without its stuffing, and as it came" {
	start
	connect
	hear
	say 'EHLO me\r\n'
	hear
	say 'MAIL FROM:<a@example.org> SIZE=20\r\nRCPT TO:<b@example.net> NOTIFY=NEVER\r\nDATA\r\n'
	hear 3
	say 'Subject: s\r\n\r\n..x\r\n.y\r\n\r\n.\r\n'
	hear
	assert_equal "${replies:0:3}" 250
	assert_equal "$(od -An -c mail/0001.eml | tr -d ' \n')" 'Subject:s\r\n\r\n.x\r\ny\r\n\r\n'
	assert_equal "$(od -An -c mail/0001.raw | tr -d ' \n')" 'Subject:s\r\n\r\n..x\r\n.y\r\n\r\n.\r\n'
	run cat mail/0001.env
	assert_line --index 0 'from a@example.org SIZE=20'
	assert_line --index 1 'to b@example.net NOTIFY=NEVER'
	assert_line 'helo me'
	assert_line 'mode data'
}

@test "chunks are joined, and BDAT without recipients is refused after its chunk was read" {
	start
	connect
	hear
	say 'EHLO me\r\n'
	hear
	say 'BDAT 3\r\nabcMAIL FROM:<>\r\nBDAT 2 LAST\r\nx\nRSET\r\n'
	hear 4
	assert_equal "$(cut -c1-3 <<<"$replies" | tr '\n' ' ')" "503 250 554 250  "
	say 'MAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nBDAT 3\r\nabcBDAT 2\r\nd\nBDAT 0 LAST\r\n'
	hear 5
	assert_equal "$(cut -c1-3 <<<"$replies" | tr '\n' ' ')" "250 250 250 250 250  "
	assert_equal "$(od -An -c mail/0001.eml | tr -d ' \n')" 'abcd\n'
	run cat mail/0001.env
	assert_line --index 0 'from <>'
	assert_line 'mode bdat'
}

@test "STARTTLS with AUTH PLAIN takes eight flights, and the password is not in the log" {
	start --tls starttls --make-cert certs --auth 'PLAIN LOGIN'
	connect_tls -starttls smtp -verify_return_error
	say_tls 'EHLO me\r\n'
	hear 2
	say_tls 'AUTH PLAIN %s\r\n' "$(printf '\0joe\0secret' | base64)"
	hear
	assert_equal "${replies:0:3}" 235
	say_tls 'MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nBDAT 4 LAST\r\na\r\n\nQUIT\r\n'
	hear 4
	exec 8>&-
	settle
	run grep -o '"flights": 8' summary
	assert_success
	run grep -c -e "$(printf '\0joe\0secret' | base64)" log
	assert_output 0
	run grep '^user joe$' mail/0001.env
	assert_success
}

@test "implicit TLS with AUTH PLAIN takes six flights" {
	start --tls implicit --make-cert certs --auth PLAIN
	connect_tls -verify_return_error
	hear
	say_tls 'EHLO me\r\n'
	hear
	say_tls 'AUTH PLAIN %s\r\n' "$(printf '\0joe\0secret' | base64)"
	hear
	say_tls 'MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nBDAT 4 LAST\r\na\r\n\nQUIT\r\n'
	hear 4
	exec 8>&-
	settle
	run grep -o '"flights": 6' summary
	assert_success
}

@test "TLS ends at the version asked for" {
	start --tls implicit --make-cert certs --tls-max 1.1
	run gnutls-cli --x509cafile certs/ca.pem --priority NORMAL:-VERS-ALL:+VERS-TLS1.1:+SIGN-ECDSA-SHA1 \
		--port "$port" localhost </dev/null
	assert_success
	assert_output --partial '(TLS1.1-'
	run gnutls-cli --x509cafile certs/ca.pem --priority NORMAL:-VERS-ALL:+VERS-TLS1.2 \
		--port "$port" localhost </dev/null
	assert_failure
}

@test "each certificate fault is one a careful client notices" {
	local fault
	for fault in expired not-yet wrong-name self-signed client-eku unknown-ca ca-false; do
		start --tls implicit --make-cert "certs-$fault" --cert-fault "$fault"
		run gnutls-cli --x509cafile "certs-$fault/ca.pem" --port "$port" localhost </dev/null
		assert_failure
		assert_output --partial 'The certificate is NOT trusted'
		kill "$pid"
	done
	run "$PEER" --make-cert certs --make-cert-only --cert-fault nul-san
	assert_success
	run openssl x509 -in certs/cert.pem -noout -ext subjectAltName
	assert_output --partial 'localhost..evil.example'
	run grep -c 'PRIVATE KEY' certs/key.pem
	assert_output 2
}

@test "AUTH EXTERNAL takes the name from a verified client certificate" {
	"$PEER" --make-cert certs --make-cert-only
	start --tls implicit --cert certs/cert.pem --key certs/key.pem --client-ca certs/ca.pem --auth EXTERNAL
	connect_tls -cert certs/client.pem -key certs/client-key.pem
	hear
	say_tls 'EHLO me\r\nAUTH EXTERNAL =\r\nQUIT\r\n'
	hear 3
	exec 8>&-
	assert_equal "$(cut -c1-3 <<<"$replies" | tr '\n' ' ')" "250 235 221  "
	logged 'authenticated joe'
}

@test "a client certificate of another authority is not believed" {
	"$PEER" --make-cert certs --make-cert-only
	"$PEER" --make-cert others --make-cert-only
	start --tls implicit --cert certs/cert.pem --key certs/key.pem --client-ca certs/ca.pem --auth EXTERNAL
	connect_tls -cert others/client.pem -key others/client-key.pem
	hear
	say_tls 'EHLO me\r\nAUTH EXTERNAL =\r\nQUIT\r\n'
	hear 3
	exec 8>&-
	assert_equal "$(cut -c1-3 <<<"$replies" | tr '\n' ' ')" "250 535 221  "
}

@test "passwords are logged only on demand" {
	local secret
	secret=$(printf '\0joe\0secret' | base64)
	for option in '' --log-secrets; do
		start --auth PLAIN --auth-in-clear $option
		connect
		hear
		say 'EHLO me\r\n'
		hear
		say 'AUTH PLAIN %s\r\n' "$secret"
		hear
		bye
		kill "$pid"
		run grep -c -e "AUTH PLAIN $secret" log
		assert_output "$([ -n "$option" ] && echo 1 || echo 0)"
		rm log
	done
}

@test "swaks authenticates with CRAM-MD5 and LOGIN" {
	command -v swaks >/dev/null || skip 'no swaks'
	start --auth 'CRAM-MD5 LOGIN' --auth-in-clear
	for mechanism in CRAM-MD5 LOGIN; do
		run swaks --server 127.0.0.1 --port "$port" --from a@example.org --to b@example.net \
			--auth "$mechanism" --auth-user joe --auth-password secret
		assert_success
		run swaks --server 127.0.0.1 --port "$port" --from a@example.org --to b@example.net \
			--auth "$mechanism" --auth-user joe --auth-password wrong
		assert_failure
	done
}

@test "LMTP answers for each accepted recipient" {
	start --lmtp
	connect
	hear
	say 'LHLO me\r\n'
	hear
	say 'MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<perm@y>\r\nRCPT TO:<lateperm@y>\r\nDATA\r\n'
	hear 5
	say 'Subject: s\r\n\r\n.\r\nQUIT\r\n'
	hear 3
	assert_equal "$(cut -c1-3 <<<"$replies" | tr '\n' ' ')" "250 550 221  "
}

@test "the refuse rule refuses by sender, recipient and subject" {
	start
	connect
	hear
	say 'EHLO me\r\nMAIL FROM:<badfrom@x>\r\nMAIL FROM:<a@x>\r\n'
	say 'RCPT TO:<perm@y>\r\nRCPT TO:<temp@y>\r\nRCPT TO:<b@y>\r\n'
	hear 6
	assert_equal "$(cut -c1-3 <<<"$replies" | tr '\n' ' ')" "250 550 250 550 450 250  "
	say 'DATA\r\n'
	hear
	say 'From: a\r\nSubject: x\r\n [data4]\r\n\r\n.\r\n'
	hear
	assert_equal "${replies:0:9}" "451 4.3.0"
	[ ! -e mail/0001.eml ]
	assert_equal "$(ls -A mail)" ''
}

@test "a parameter that was not offered gets 555, also when the keyword list was replaced" {
	start --ehlo PIPELINING --ehlo 'SIZE 1000'
	connect
	hear
	say 'EHLO me\r\nMAIL FROM:<a@x> BODY=8BITMIME\r\nMAIL FROM:<a@x> SIZE=1001\r\nMAIL FROM:<a@x> SIZE=1000\r\n'
	hear 4
	assert_equal "$(cut -c1-3 <<<"$replies" | tr '\n' ' ')" "250 555 552 250  "
}

@test "faults reply, close and count as told" {
	start --fault 'rcpt#2:reply=450 4.2.1 later\r\nmore' --fault 'greet*1:reply=421 busy'
	connect
	hear
	assert_equal "$replies" $'421 busy\n'
	run ! read -r -t 5 <&7
	bye
	connect
	hear
	assert_equal "${replies:0:3}" 220
	say 'EHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\n'
	hear 5
	assert_equal "$(cut -c1-3 <<<"$replies" | tr '\n' ' ')" "250 250 250 450 mor  "
}

@test "a dripped reply takes its time, a delayed one comes late, an answer has the round trip told" {
	local from
	start --fault greet:drip=20 --fault noop:delay=300 --rtt 100
	from=$(date +%s%3N)
	connect
	hear
	[ $(($(date +%s%3N) - from)) -ge 600 ]
	from=$(date +%s%3N)
	say 'EHLO me\r\n'
	hear
	[ $(($(date +%s%3N) - from)) -ge 90 ]
	from=$(date +%s%3N)
	say 'NOOP\r\n'
	hear
	[ $(($(date +%s%3N) - from)) -ge 390 ]
	assert_equal "${replies:0:3}" 250
}

@test "a peer that stalls is silent until the client leaves, and its session ends then" {
	start --fault mail:stall
	connect
	hear
	say 'EHLO me\r\nMAIL FROM:<a@x>\r\n'
	hear
	assert_equal "${replies:0:3}" 250
	run ! read -r -t 1 <&7
	bye
	settle
	logged 'end of stall'
}

@test "a peer that stops reading stops the client" {
	start --fault data:stop-reading
	connect
	hear
	say 'EHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n'
	hear 3
	run timeout 1 bash -c 'head -c 30000000 /dev/zero >&7'
	assert_failure 124
}

@test "connections that come at the same time have numbers of their own" {
	local i
	start
	for ((i = 0; i < 20; i++)); do
		exec {fd}<>"/dev/tcp/127.0.0.1/$port"
	done
	for ((i = 0; i < 100; i++)); do
		[ "$(grep -c 'connect from' log)" -lt 20 ] || break
		sleep 0.05
	done
	assert_equal "$(sed -n 's/ .*connect from.*//p' log | sort -n | tr '\n' ' ')" "$(seq -s ' ' 20) "
}

@test "a client that was invited to speak early needs two flights" {
	start --ehlo PIPECONNECT --ehlo PIPELINING --ehlo CHUNKING
	connect
	say 'EHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 2 LAST\r\n\r\nQUIT\r\n'
	hear 6
	bye
	settle
	run grep -o '"flights": 2, "reads": 1' summary
	assert_success
	run grep early-talk log
	assert_failure
}

@test "messages already in the directory are left alone" {
	mkdir mail
	touch mail/0001.env
	start
	connect
	hear
	say 'EHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 2 LAST\r\n\r\n'
	hear 4
	[ ! -s mail/0001.env ]
	[ -s mail/0002.env ]
}

@test "text injected behind the 220 of STARTTLS comes in clear" {
	start --tls starttls --fault 'starttls:inject=250 evil\r\n'
	connect
	hear
	say 'EHLO me\r\nSTARTTLS\r\n'
	hear 3
	assert_equal "$(tail -n 2 <<<"${replies%$'\n'}")" $'220 2.0.0 go on\n250 evil'
}

@test "a fault in the middle of data resets the connection" {
	start --fault 'body@1000:reset'
	connect
	hear
	say 'EHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n'
	hear 4
	say '%02000d\r\n' 0
	run ! read -r -t 5 <&7
	logged 'reset'
}

@test "early talk, bare CR and LF and long lines are logged, and refused when strict" {
	start --strict
	connect
	hear
	say 'EHLO me\r\nMAIL FROM:<a@x>\r\n'
	hear
	assert_equal "${replies:0:3}" 554
	logged '! early-talk'
	bye
	connect
	hear
	say 'EHLO me\r\n'
	hear
	say 'MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n'
	hear 3
	say 'a\rb\r\nc\nd\r\n%0999d\r\n.\r\n' 0
	hear
	assert_equal "${replies:0:3}" 554
	logged '! bare-cr'
	logged '! bare-lf'
	logged '! long-line'
}

@test "a lenient receiver is smuggled into, a right one is not" {
	start --lenient-dot
	connect
	hear
	say 'EHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n'
	hear 4
	say 'one\n.\nMAIL FROM:<evil@x>\r\n'
	hear 2
	assert_equal "$(cut -c1-3 <<<"$replies" | tr '\n' ' ')" "250 250  "
	kill "$pid"
	bye
	start
	connect
	hear
	say 'EHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n'
	hear 4
	say 'one\n.\nMAIL FROM:<evil@x>\r\n.\r\n'
	hear
	assert_equal "$(grep -c evil mail/0002.eml)" 1
}

@test "discard keeps the sum of a large message and no file of it" {
	start --discard --ehlo CHUNKING
	connect
	hear
	say 'EHLO me\r\n'
	hear
	say 'MAIL FROM:<a@x>\r\n'
	hear
	say 'RCPT TO:<b@y>\r\n'
	hear
	say 'BDAT 20000000 LAST\r\n'
	head -c 20000000 /dev/zero >&7
	hear
	assert_equal "${replies:0:3}" 250
	run cat mail/0001.env
	assert_line 'size 20000000'
	assert_line "sha256 $(head -c 20000000 /dev/zero | sha256sum | cut -c1-64)"
	[ ! -e mail/0001.eml ]
}

write_script() {
	cat >script <<-'END'
		# one round
		= tls off
		S: 220 \*3{ab}\x21
		C: EHLO me
		S: 250-one
		S: 250 two
		C: MAIL FROM:<a@x>
		C: DATA
		S: 250 ok
		S: 354 half\-
		* wait 20
		S:  go on
		* body
		S: 250 kept
		* close
	END
}

@test "a script is played, and a client that follows it makes the exit status 0" {
	write_script
	"$PEER" --script script --once --port-file ports --log log --lifetime 20 &
	peer=$!
	until [ -s ports ]; do sleep 0.05; done
	port=$(cat ports)
	connect
	hear
	assert_equal "$replies" $'220 ababab!\n'
	say 'EHLO me\r\n'
	hear
	say 'MAIL FROM:<a@x>\r\nDATA\r\n'
	hear 2
	assert_equal "$replies" $'250 ok\n354 half go on\n'
	say 'anything\r\n.\r\n'
	hear
	assert_equal "$replies" $'250 kept\n'
	bye
	wait "$peer"
}

@test "a client that departs from the script makes the exit status 1" {
	write_script
	"$PEER" --script script --once --port-file ports --log log --lifetime 20 2>errors &
	peer=$!
	until [ -s ports ]; do sleep 0.05; done
	port=$(cat ports)
	connect
	hear
	say 'EHLO you\r\n'
	run ! read -r -t 5 <&7
	bye
	run wait "$peer"
	status=0
	wait "$peer" || status=$?
	assert_equal "$status" 1
	logged '! expected "EHLO me\\x0d\\x0a" got "EHLO you\\x0d\\x0a"'
	run grep -c 'expected "EHLO me' errors
	assert_output 1
}

@test "the n-th connection plays the n-th script, the last one repeats" {
	printf 'S: 220 one\n* close\n' >one
	printf 'S: 220 two\n* close\n' >two
	start --scripts one,two
	for expected in one two two; do
		connect
		hear
		assert_equal "$replies" "220 $expected"$'\n'
		bye
	done
	settle 3
}

@test "a script with TLS from the first byte, and one with a chunk that is not looked at" {
	printf '%s\n' '* tls' 'S: 220 hi' 'C: EHLO me' 'S: 250 CHUNKING' 'C: BDAT 5 LAST' '* body' 'C: QUIT' \
		'S: 250 kept' 'S: 221 bye' '* close' >script
	start --script script --make-cert certs
	connect_tls -verify_return_error
	hear
	say_tls 'EHLO me\r\n'
	hear
	say_tls 'BDAT 5 LAST\r\nabcdeQUIT\r\n'
	hear 2
	assert_equal "$replies" $'250 kept\n221 bye\n'
	exec 8>&-
	settle
	run grep -c '"mismatches": 0,$' summary
	assert_output 1
}

@test "the lifetime ends a peer nobody visits, with failure if a session was wanted" {
	run "$PEER" --lifetime 1
	assert_success
	run "$PEER" --lifetime 1 --once
	assert_failure 1
	assert_output --partial '0 of 1 sessions'
}

@test "usage errors say what was expected" {
	run "$PEER" --tls maybe
	assert_failure 64
	assert_output --partial 'off|starttls|implicit expected'
	run "$PEER" --fault nowhere:close
	assert_failure 64
	assert_output --partial 'unknown place'
	run "$PEER" --help
	assert_success
	assert_output --partial '--lenient-dot'
}
