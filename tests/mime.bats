# mime.bats - what the server cannot take arrives re-encoded and decodes to the same bytes; what must not be touched is not.

load lib/common

setup() {
	setup_home
	E=$'\xc3\xa9'
}

teardown() {
	stop_peer
}

# A server that offers what the arguments name, and an account for it.
start_server() {
	local keyword keywords=()

	for keyword; do
		keywords+=(--ehlo "$keyword")
	done
	start_peer "${keywords[@]}" --log-body
	write_config <<-END
		host 127.0.0.1
		port $PORT
		from joe@example.test
	END
}

# A server without 8BITMIME.
start_old_server() {
	start_server PIPELINING "SIZE 35882577"
}

# stdin, quoted-printable with any line ends, decoded.
decode_quoted() {
	tr -d '\r' | awk '
		{
			gsub(/\\/, "\\\\")
			is_soft = sub(/=$/, "")
			gsub(/=[0-9A-F][0-9A-F]/, "\\x&")
			gsub(/\\x=/, "\\x")
			printf "%s%s", $0, is_soft ? "" : "\\n"
		}' >"$BATS_TEST_TMPDIR/escaped"
	printf '%b' "$(cat "$BATS_TEST_TMPDIR/escaped")"
}

# The body of message N decodes to the file FILE.
assert_decodes_to() {
	body <"$(received "$1")" | decode_quoted >"$BATS_TEST_TMPDIR/decoded"
	assert_same_bytes "$2" "$BATS_TEST_TMPDIR/decoded"
}

# No line of the message as it came is longer than SIZE octets, line end apart, and no octet is 8-bit.
assert_narrow() {
	local found

	found=$(LC_ALL=C awk -v most="$2" '{ sub(/\r$/, "") } length($0) > most' "$(received "$1")")
	[ -z "$found" ] || fail_with "lines of more than $2 octets:" "$found"
}

assert_7bit() {
	! LC_ALL=C grep -q '[^[:print:][:space:]]' "$(received "$1")" || fail_with "an octet that is not 7-bit text arrived"
}

# MAIL announced as many bytes as came.
assert_size_right() {
	local announced size

	announced=$(wire | sed -n 's/^MAIL .* SIZE=\([0-9]*\).*/\1/p')
	size=$(wc -c <"$(received 1)")
	[ "$announced" = "$size" ] || fail_with "SIZE=$announced, but $size bytes came"
}

@test "protocol 40: an 8-bit body arrives quoted-printable at a server without 8BITMIME" {
	start_old_server
	printf 'caf%s = 1 \n.\n\tx\n' "$E" >"$BATS_TEST_TMPDIR/body"
	{ printf 'Subject: s\nX-Other:  as  it is\n\n' && cat "$BATS_TEST_TMPDIR/body"; } >"$BATS_TEST_TMPDIR/message"
	run_mailcrane -i a@example.net <"$BATS_TEST_TMPDIR/message"
	assert_exit 0
	assert_silent
	assert_header 1 MIME-Version 1.0
	assert_header 1 Content-Type 'text/plain; charset=utf-8'
	assert_header 1 Content-Transfer-Encoding quoted-printable
	assert_header 1 X-Other 'as  it is'
	refute_wire_like 'BODY='
	assert_7bit 1
	assert_decodes_to 1 "$BATS_TEST_TMPDIR/body"
	assert_size_right
}

@test "protocol 40: Content-Transfer-Encoding 8bit becomes quoted-printable, the type stays" {
	start_old_server
	printf '%s\n' "$E" >"$BATS_TEST_TMPDIR/body"
	run_mailcrane a@example.net < <(
		printf 'MIME-Version: 1.0\nContent-Type: text/html; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n'
		cat "$BATS_TEST_TMPDIR/body"
	)
	assert_exit 0
	assert_header 1 Content-Type 'text/html; charset=UTF-8'
	assert_header 1 Content-Transfer-Encoding quoted-printable
	assert_header 1 MIME-Version 1.0
	assert_decodes_to 1 "$BATS_TEST_TMPDIR/body"
}

@test "an 8-bit body arrives as it is where there is 8BITMIME" {
	start_server 8BITMIME
	run_mailcrane a@example.net <<<$'Subject: s\n\n'"$E"
	assert_exit 0
	assert_wire_like 'BODY=8BITMIME'
	assert_header 1 Content-Transfer-Encoding ''
	[ "$(body <"$(received 1)")" = "$E"$'\r' ]
}

@test "a server that knows only HELO gets 7-bit text" {
	start_peer --fault 'ehlo:reply=502 5.5.1 what' --log-body
	write_config <<-END
		host 127.0.0.1
		port $PORT
		from joe@example.test
	END
	run_mailcrane a@example.net <<<$'Subject: s\n\n'"$E"
	assert_exit 0
	assert_header 1 Content-Transfer-Encoding quoted-printable
	assert_7bit 1
}

@test "protocol 84: a line of 5000 octets arrives in lines of at most 998 and decodes to the same" {
	start_server 8BITMIME CHUNKING
	printf '%05000d\n' 7 >"$BATS_TEST_TMPDIR/body"
	run_mailcrane a@example.net < <(printf 'Subject: s\n\n' && cat "$BATS_TEST_TMPDIR/body")
	assert_exit 0
	assert_narrow 1 998
	assert_decodes_to 1 "$BATS_TEST_TMPDIR/body"
}

@test "sendmail 53: cron's long line arrives quoted-printable in lines of at most 76" {
	start_server 8BITMIME
	{ printf '%02000d\n' 0 | tr 0 x && echo end; } >"$BATS_TEST_TMPDIR/body"
	run_mailcrane a@example.net < <(
		printf 'From: root (Cron Daemon)\nTo: a@example.net\nSubject: Cron\nMIME-Version: 1.0\n'
		printf 'Content-Type: text/plain; charset=UTF-8\n\n'
		cat "$BATS_TEST_TMPDIR/body"
	)
	assert_exit 0
	assert_header 1 MIME-Version 1.0
	assert_header 1 Content-Type 'text/plain; charset=UTF-8'
	assert_header 1 Content-Transfer-Encoding quoted-printable
	body <"$(received 1)" >"$BATS_TEST_TMPDIR/sent"
	! grep -Eq '^.{78}' "$BATS_TEST_TMPDIR/sent" || fail_with "a line is longer than 76"
	assert_decodes_to 1 "$BATS_TEST_TMPDIR/body"
}

@test "sendmail 54: NUL in the body arrives as =00, in the header section not at all" {
	start_server 8BITMIME
	printf 'a\0b\n' >"$BATS_TEST_TMPDIR/body"
	run_mailcrane a@example.net < <(printf 'Subject: s\0t\n\na\0b\n')
	assert_exit 0
	assert_header 1 Subject st
	[ "$(tr -d -c '\000' <"$(received 1)" | wc -c)" -eq 0 ]
	[ "$(body <"$(received 1)")" = $'a=00b\r' ]
}

@test "of multipart/mixed only the 8-bit part is re-encoded" {
	start_old_server
	run_mailcrane a@example.net <<-END
		Subject: s
		MIME-Version: 1.0
		Content-Type: multipart/mixed; boundary=b

		--b
		Content-Type: text/plain; charset=utf-8
		Content-Transfer-Encoding: 8bit

		caf$E
		--b
		Content-Type: text/plain

		plain = text
		--b--
	END
	assert_exit 0
	assert_silent
	assert_7bit 1
	body <"$(received 1)" | tr -d '\r' >"$BATS_TEST_TMPDIR/found"
	cat >"$BATS_TEST_TMPDIR/expected" <<-END
		--b
		Content-Type: text/plain; charset=utf-8
		Content-Transfer-Encoding: quoted-printable

		caf=C3=A9
		--b
		Content-Type: text/plain

		plain = text
		--b--
	END
	assert_same_bytes "$BATS_TEST_TMPDIR/expected" "$BATS_TEST_TMPDIR/found"
}

@test "multipart/signed arrives untouched, with a warning" {
	start_old_server
	cat >"$BATS_TEST_TMPDIR/message" <<-END
		From: joe@example.test
		Date: Sat, 1 Jan 2000 00:00:00 +0000
		Message-ID: <1@example.test>
		MIME-Version: 1.0
		Content-Type: multipart/signed; boundary=b

		--b
		Content-Type: text/plain; charset=utf-8
		Content-Transfer-Encoding: 8bit

		caf$E
		--b
		Content-Type: application/pgp-signature

		x
		--b--
	END
	run_mailcrane a@example.net <"$BATS_TEST_TMPDIR/message"
	assert_exit 0
	assert_stderr 'warning: sent 8-bit text to a server without 8BITMIME'
	assert_message 1 "$BATS_TEST_TMPDIR/message"
}

@test "a large message is re-encoded from and to spool files" {
	start_old_server
	awk 'BEGIN { for (n = 0; n < 40000; n++) printf "%076d caf\303\251\n", n }' >"$BATS_TEST_TMPDIR/body"
	run_mailcrane a@example.net < <(printf 'Subject: s\n\n' && cat "$BATS_TEST_TMPDIR/body")
	assert_exit 0
	assert_7bit 1
	assert_size_right
	[ "$(body <"$(received 1)" | grep -c 'caf=C3=A9.$')" -eq 40000 ] || assert_decodes_to 1 "$BATS_TEST_TMPDIR/body"
}

@test "a second session whose server takes less gets the message re-encoded anew" {
	start_peer --fault 'bdat*1:reply=503 5.5.1 what' --fault 'ehlo@conn=2:reply=502 5.5.1 what' --log-body
	write_config <<-END
		host 127.0.0.1
		port $PORT
		from joe@example.test
	END
	run_mailcrane a@example.net <<-END
		Subject: s
		MIME-Version: 1.0
		Content-Type: multipart/mixed; boundary=b

		--b

		$(printf '%01000d' 0)
		--b

		$E
		--b--
	END
	assert_exit 0
	assert_wire_like '^MAIL .* BODY=8BITMIME'
	assert_wire 'HELO localhost' 'MAIL FROM:<joe@example.test>'
	assert_received 1
	assert_narrow 1 998
	assert_7bit 1
	[ "$(body <"$(received 1)" | grep -c '^Content-Transfer-Encoding: quoted-printable')" -eq 2 ]
}

@test "another reader of MIME finds the parts decoded" {
	command -v python3 >/dev/null || skip "there is no python3"
	start_old_server
	run_mailcrane a@example.net <<-END
		Subject: s
		MIME-Version: 1.0
		Content-Type: multipart/mixed; boundary="a b"
		Content-Transfer-Encoding: 8bit

		--a b

		caf$E
		--a b
		Content-Type: message/rfc822

		Subject: inner
		Content-Type: multipart/alternative; boundary=c

		--c
		Content-Type: text/html; charset=utf-8

		<p>$E
		--c--
		--a b
		Content-Type: application/x-data
		Content-Transfer-Encoding: binary

		$E$E$E$E
		--a b--
	END
	assert_exit 0
	assert_7bit 1
	run python3 - "$(received 1)" <<-'END'
		import email, sys
		message = email.message_from_binary_file(open(sys.argv[1], "rb"))
		for part in message.walk():
		    if not part.is_multipart():
		        print(part.get_content_type(), part.get("Content-Transfer-Encoding"), part.get_payload(decode=True))
	END
	[ "${lines[0]}" = "text/plain quoted-printable b'caf\\xc3\\xa9'" ] || fail_with "first part differs"
	[ "${lines[1]}" = "text/html quoted-printable b'<p>\\xc3\\xa9'" ] || fail_with "second part differs"
	[ "${lines[2]}" = "application/x-data base64 b'\\xc3\\xa9\\xc3\\xa9\\xc3\\xa9\\xc3\\xa9'" ] || fail_with "third part differs"
}
