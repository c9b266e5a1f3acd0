#!/usr/bin/env bats
# headers.bats - what becomes of header fields and of the shape of a message, from stdin to the wire.

load lib/common

F='From: Alice Example <alice@mail.example.com>\n'

setup() {
	setup_home
}

teardown() {
	stop_peer
}

# An account for a server that offers KEYWORDS, by default all of the usual but SMTPUTF8 and CHUNKING; stdin: more settings.
open_account() {
	local keyword keywords=()

	[ $# -gt 0 ] || set -- 8BITMIME "SIZE 35882577" PIPELINING DSN ENHANCEDSTATUSCODES
	for keyword; do
		keywords+=(--ehlo "$keyword")
	done
	start_peer --strict "${keywords[@]}"
	write_config <<-END
		host 127.0.0.1
		port $PORT
		mailname mail.example.com
		from alice@mail.example.com
		from_full_name "Alice Example"
		$(</dev/stdin)
	END
}

# send TEXT ARGS: with backslashes as printf knows them.
send() {
	local text=$1

	shift
	run_mailcrane "$@" < <(printf '%b' "$text")
}

# The last message is, line ends apart, TEXT, in which +D and +M stand for the lines of a generated Date and Message-ID, and
# Resent-+D and Resent-+M for theirs.
assert_text() {
	local found=$BATS_TEST_TMPDIR/found expected=$BATS_TEST_TMPDIR/expected
	local date='Date: [A-Z][a-z]*, [ 0-9][0-9] [A-Z][a-z]* 20[0-9]* [0-9:]* [-+][0-9]*'
	local id='Message-ID: <[^ @]*@mail\.example\.com>'

	printf '%b' "$1" >"$expected"
	tr -d '\r' <"$(received "$(received_count)")" >"$found"
	if grep -q '^\(Resent-\)*+D' "$expected"; then sed -i "0,/^\(Resent-\)*$date\$/s//\1+D/" "$found"; fi
	if grep -q '^\(Resent-\)*+M' "$expected"; then sed -i "0,/^\(Resent-\)*$id\$/s//\1+M/" "$found"; fi
	assert_same_bytes "$expected" "$found"
}

# becomes TEXT EXPECTED ARGS: sent without a word, and arrived like that.
becomes() {
	local text=$1 expected=$2

	shift 2
	send "$text" "$@"
	assert_exit 0
	assert_silent
	assert_text "$expected"
}

### Callers

@test "sendmail 1: cron's bare addresses get the domain, its comment stays" {
	open_account </dev/null
	becomes 'From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@box> /x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nX-Cron-Env: <SHELL=/bin/sh>\n\nout\n' \
		'+D\n+M\nFrom: root@mail.example.com (Cron Daemon)\nTo: root@mail.example.com\nSubject: Cron <root@box> /x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nX-Cron-Env: <SHELL=/bin/sh>\n\nout\n' \
		-FCronDaemon -i -B8BITMIME -oem admin@example.org
	refute_wire_like BODY=
}

@test "sendmail 2: an 8-bit body is announced and arrives as it is" {
	open_account </dev/null
	becomes 'From: root (Cron Daemon)\nTo: root\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\ncaf\xc3\xa9\n' \
		'+D\n+M\nFrom: root@mail.example.com (Cron Daemon)\nTo: root@mail.example.com\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\ncaf\xc3\xa9\n' -i admin@example.org
	assert_wire_like '^MAIL .* BODY=8BITMIME'
}

@test "sendmail 3: with -i a lone dot is text" {
	open_account </dev/null
	becomes 'From: root (Cron Daemon)\nTo: ops@example.org\nSubject: s\nAuto-Submitted: auto-generated\n\n.\nx\n' \
		'+D\n+M\nFrom: root@mail.example.com (Cron Daemon)\nTo: ops@example.org\nSubject: s\nAuto-Submitted: auto-generated\n\n.\nx\n' -i -t
	assert_recipients 1 ops@example.org
}

@test "sendmail 5: From is made of name and sender, in front of the rest" {
	open_account </dev/null
	becomes 'Subject: s\n\nb\n' 'From: CronDaemon <alice@mail.example.com>\n+D\n+M\nSubject: s\n\nb\n' -FCronDaemon alice
	assert_recipients 1 alice@mail.example.com
}

@test "sendmail 6: From at the start of a line of the body is text" {
	open_account </dev/null
	becomes 'Subject: Output from your job 3\nTo: alice\n\nFrom here\n.\nend\n' \
		"$F"'+D\n+M\nSubject: Output from your job 3\nTo: alice@mail.example.com\n\nFrom here\n.\nend\n' -i alice
}

@test "sendmail 7: two dots stay two, in a body that is sent by DATA and by BDAT" {
	local keyword

	for keyword in "" CHUNKING; do
		open_account "$keyword" </dev/null
		becomes 'From: Anacron <root>\nTo: root\nSubject: j\n\n..\n.x\nend\n' \
			'+D\n+M\nFrom: Anacron <root@mail.example.com>\nTo: root@mail.example.com\nSubject: j\n\n..\n.x\nend\n' root
		assert_no_violation
	done
}

@test "sendmail 8: with lone_dot end a lone dot ends the message" {
	open_account <<<"lone_dot end"
	send 'Subject: s\n\na\n.\nb\n' root
	assert_exit 0
	assert_text "$F"'+D\n+M\nSubject: s\n\na\n'
	send 'Subject: s\n\na\n.' root
	assert_text "$F"'+D\n+M\nSubject: s\n\na\n'
	send 'Subject: s\n.\nTo: x\n' root
	assert_text "$F"'+D\n+M\nSubject: s\n\n'
	send 'Subject: s\n\n..x\n' root
	assert_text "$F"'+D\n+M\nSubject: s\n\n..x\n'
}

@test "sendmail 9: a Date that is there is the only one" {
	open_account </dev/null
	becomes 'Date: Sat, 01 Jan 2022 00:00:00 -0000\nFrom: root (systemd-cron)\nTo: root\nSubject: [h] job x failed\n\naGkK\n' \
		'+M\nDate: Sat, 01 Jan 2022 00:00:00 -0000\nFrom: root@mail.example.com (systemd-cron)\nTo: root@mail.example.com\nSubject: [h] job x failed\n\naGkK\n' -i root
}

@test "sendmail 11: a domain without a dot is a domain" {
	open_account </dev/null
	becomes 'From: mdadm monitoring <root@box>\nTo: a@example.org, b@example.org\nSubject: x\n\nhello\n' \
		'+D\n+M\nFrom: mdadm monitoring <root@box>\nTo: a@example.org, b@example.org\nSubject: x\n\nhello\n' -t
	assert_recipients 1 a@example.org b@example.org
}

@test "sendmail 17: PHP's CRLF, LF, dot and Bcc" {
	open_account </dev/null
	becomes 'To: rcpt@example.org\r\nSubject: Subj\r\nFrom: a@x.example\r\nBcc: hid@example.org\r\n\r\nline1\nline2\n.\nline3\r\n' \
		'+D\n+M\nTo: rcpt@example.org\nSubject: Subj\nFrom: a@x.example\n\nline1\nline2\n.\nline3\n' -t -i -fenv@x.example
	assert_recipients 1 rcpt@example.org hid@example.org
	assert_no_violation
}

@test "sendmail 18: recipients in Bcc alone, an empty group in To" {
	open_account </dev/null
	becomes 'To: undisclosed-recipients:;\nFrom: S <s@x.example>\nBcc: h1@example.org, "H, Two" <h2@example.org>\nSubject: s\n\nx\n' \
		'+D\n+M\nTo: undisclosed-recipients:;\nFrom: S <s@x.example>\nSubject: s\n\nx\n' -oi -fs@x.example -t
	assert_recipients 1 h1@example.org h2@example.org
}

@test "sendmail 19: a complete message with CRLF in the header and without a last line end" {
	open_account </dev/null
	becomes 'From: Joe <a@x.example>\r\nTo: r1@example.org\r\nCc: c@example.org\r\nBcc: hid@example.org\r\nSubject: s\r\nMessage-ID: <u@x.example>\r\nDate: Sat, 21 Nov 2026 17:37:08 +0000\r\n\r\nhi\n.\nx' \
		'From: Joe <a@x.example>\nTo: r1@example.org\nCc: c@example.org\nSubject: s\nMessage-ID: <u@x.example>\nDate: Sat, 21 Nov 2026 17:37:08 +0000\n\nhi\n.\nx\n' \
		-i -f a@x.example r1@example.org c@example.org hid@example.org
}

@test "sendmail 21: Content-Length, Return-Path and Bcc go" {
	open_account </dev/null
	becomes 'Return-Path: <forged@x.example>\nFrom: a@x.example\nTo: r@example.org\nContent-Length: 7\nBcc: hid@example.org\nSubject: s\n\nx\n' \
		'+D\n+M\nFrom: a@x.example\nTo: r@example.org\nSubject: s\n\nx\n' -t -oi -oem -fa@x.example
}

@test "sendmail 27: the name stays a name, the address gets the domain" {
	open_account </dev/null
	becomes 'Subject: [Fail2Ban] sshd: banned 1.2.3.4\nDate: Sat, 21 Nov 2026 17:00:00 +0000\nFrom: Fail2Ban <fail2ban>\nTo: root\n\nHi,\n' \
		'+M\nSubject: [Fail2Ban] sshd: banned 1.2.3.4\nDate: Sat, 21 Nov 2026 17:00:00 +0000\nFrom: Fail2Ban <fail2ban@mail.example.com>\nTo: root@mail.example.com\n\nHi,\n' -f fail2ban root
	[ "$(sender_of 1)" = fail2ban@mail.example.com ] || fail_with "sender is $(sender_of 1)"
}

@test "sendmail 28: two To, and a From of one word" {
	open_account </dev/null
	becomes 'To: a@example.org\nTo: b@example.org\nFrom: Logwatch\nSubject: s\n\nx\n' \
		'+D\n+M\nTo: a@example.org\nTo: b@example.org\nFrom: Logwatch@mail.example.com\nSubject: s\n\nx\n' -t
	assert_recipients 1 a@example.org b@example.org
}

@test "sendmail 29: names of fields in capitals" {
	open_account </dev/null
	becomes 'Content-Type: text/plain\nMIME-Version: 1.0\nFROM: vzdump <root>\nTO: a@example.org, b@example.org\nSUBJECT: s\n\nx\n' \
		'+D\n+M\nContent-Type: text/plain\nMIME-Version: 1.0\nFROM: vzdump <root@mail.example.com>\nTO: a@example.org, b@example.org\nSUBJECT: s\n\nx\n' \
		-f root a@example.org b@example.org
}

@test "sendmail 31: arpwatch's comment" {
	open_account </dev/null
	becomes 'From: arpwatch (Arpwatch box)\nTo: root\nSubject: new station\n\nx\n' \
		'+D\n+M\nFrom: arpwatch@mail.example.com (Arpwatch box)\nTo: root@mail.example.com\nSubject: new station\n\nx\n' -odi root
}

@test "sendmail 40: groups, comments, folding and empty elements are understood and stay" {
	open_account </dev/null
	becomes 'To: Group: g1@example.org, "Last, First" <g2@example.org>;\nCc: (c, d@e) g3@example.org (x),\n\tg4@example.org\n ,g5@example.org\nBcc: =?utf-8?q?J=C3=BC?= <g6@example.org>,,\nSubject: s\n\nx\n' \
		"$F"'+D\n+M\nTo: Group: g1@example.org, "Last, First" <g2@example.org>;\nCc: (c, d@e) g3@example.org (x),\n\tg4@example.org\n ,g5@example.org\nSubject: s\n\nx\n' -t -i
	assert_recipients 1 g{1,2,3,4,5,6}@example.org
}

@test "sendmail 43: blanks before the colon" {
	open_account </dev/null
	becomes 'To : r@example.org\nBcc : h@example.org\nSubject: s\n\nx\n' "$F"'+D\n+M\nTo : r@example.org\nSubject: s\n\nx\n' -t -i
	assert_recipients 1 r@example.org h@example.org
}

@test "sendmail 44: of a resent message the Resent- recipients, and what its first block lacks" {
	open_account </dev/null
	becomes 'Resent-From: me@x.example\nResent-To: q\nResent-Bcc: rb@example.org\nFrom: a\nTo: o@example.org\nBcc: bb@example.org\nDate: Sat, 01 Jan 2022 00:00:00 +0000\nMessage-ID: <1@x>\nSubject: s\n\nx\n' \
		'Resent-+D\nResent-+M\nResent-From: me@x.example\nResent-To: q@mail.example.com\nFrom: a@mail.example.com\nTo: o@example.org\nDate: Sat, 01 Jan 2022 00:00:00 +0000\nMessage-ID: <1@x>\nSubject: s\n\nx\n' -t -i
	assert_recipients 1 q@mail.example.com rb@example.org
}

### Shape

@test "sendmail 47, 48, 50, 51, 52: no header, an empty line, no empty line, nothing else, nothing at all" {
	open_account </dev/null
	becomes 'hi\n' "$F"'+D\n+M\n\nhi\n' -i r@example.org
	becomes '\nhi\n' "$F"'+D\n+M\n\nhi\n' -i r@example.org
	becomes 'Subject: s\nnot a header\nTo: o@example.org\n\nx\n' "$F"'+D\n+M\nSubject: s\n\nnot a header\nTo: o@example.org\n\nx\n' r@example.org
	becomes 'Subject: s\nTo: o@example.org' "$F"'+D\n+M\nSubject: s\nTo: o@example.org\n\n' r@example.org
	becomes '' "$F"'+D\n+M\n\n' r@example.org
	becomes 'Subject: s\n \t\nx: y\n' "$F"'+D\n+M\nSubject: s\n\nx: y\n' r@example.org
}

@test "sendmail 49: lines of an mbox in front go, and name no sender" {
	open_account </dev/null
	becomes 'From joe Sat Jan  1 00:00:00 2022\n>From x\nSubject: s\n\nFrom y\n>From z\n' \
		"$F"'+D\n+M\nSubject: s\n\nFrom y\n>From z\n' r@example.org
	[ "$(sender_of 1)" = alice@mail.example.com ] || fail_with "sender is $(sender_of 1)"
}

@test "sendmail 53, 54: long lines and NUL become quoted-printable" {
	open_account </dev/null
	send "Subject: s\n\n$(printf 'x%.0s' {1..2000})\nend\n" r@example.org
	assert_exit 0
	assert_header 1 Content-Transfer-Encoding quoted-printable
	[ "$(body <"$(received 1)" | tr -d '\r' | sed ':a;/=$/{N;s/=\n//;ba}' | md5sum)" = "$(printf '%s\nend\n' "$(printf 'x%.0s' {1..2000})" | md5sum)" ] ||
		fail_with "the body is another"
	becomes 'Subject: s\0t\n\na\0b\n' 'MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: quoted-printable\n'"$F"'+D\n+M\nSubject: st\n\na=00b\n' r@example.org
}

@test "sendmail 55, 56: CR is a line end in the body, a blank in the header; CR CR LF is one line end" {
	open_account </dev/null
	becomes 'Subject: a\rBcc: b\n\n10%\r50%\r100%\ndone\r\n' "$F"'+D\n+M\nSubject: a Bcc: b\n\n10%\n50%\n100%\ndone\n' r@example.org
	becomes 'Subject: s\r\r\n\r\r\nx\r\r\n' "$F"'+D\n+M\nSubject: s\n\nx\n' r@example.org
	assert_no_violation
}

@test "protocol 83: dots at the end of input smuggle nothing, by DATA and by BDAT" {
	local keyword text sent

	for keyword in "" CHUNKING; do
		open_account "$keyword" </dev/null
		sent=0
		for text in 'Subject: s\n\nx\n.' 'Subject: s\n\nx\r.' 'Subject: s\n\n.\nMAIL FROM:<v@y>\n' 'Subject: s\n\nx' '.' '.\r' '.\r\n.\r\n' \
			'Subject: s\n\nx\0\r\n.\r\nMAIL FROM:<v@y>\r\n'; do
			send "$text" r@example.org
			assert_exit 0
			sent=$((sent + 1))
			assert_received "$sent"
			assert_recipients "$sent" r@example.org
		done
		assert_wire_count "$sent" MAIL
		assert_no_violation
	done
}

### Qualification and settings

@test "fields that need no domain, or cannot be read, stay byte for byte" {
	local section='From:  a@x.example ,\n\t"B"  <b@y.example> \nTo: bad@@x, root\nX-To: root\nResent: root\n'

	open_account </dev/null
	becomes "$section"'\nx\n' '+D\n+M\n'"$section"'\nx\n' r@example.org
}

@test "repair off: nothing but Bcc goes, and nothing is added or encoded" {
	open_account PIPELINING <<<"repair off"
	becomes 'Return-Path: <a@x>\nContent-Length: 7\nFrom: root\nSubject: caf\xc3\xa9\nBcc: b\n\ncaf\xc3\xa9\r\n.\n' \
		'Return-Path: <a@x>\nContent-Length: 7\nFrom: root\nSubject: caf\xc3\xa9\n\ncaf\xc3\xa9\n.\n' r@example.org
}

@test "repair full: a To is added where there is neither To nor Cc" {
	open_account <<<"repair full"
	becomes 'From: a@x.example\nBcc: b\n\nx\n' 'To: undisclosed-recipients:;\n+D\n+M\nFrom: a@x.example\n\nx\n' r@example.org
	becomes 'From: a@x.example\nCc: b\n\nx\n' '+D\n+M\nFrom: a@x.example\nCc: b@mail.example.com\n\nx\n' r@example.org
}

### Raw 8-bit text in headers

@test "raw UTF-8 in headers is encoded for a server without SMTPUTF8, other fields and other charsets stay" {
	open_account </dev/null
	becomes 'From: J\xc3\xb6rg <a@x.example>\nTo: b@x.example (J\xc3\xb6rg), root\nSubject: Re: caf\xc3\xa9 x\nComments: \xe9\nX: \xc3\xa9\n\nx\n' \
		'+D\n+M\nFrom: =?UTF-8?B?SsO2cmc=?= <a@x.example>\nTo: b@x.example (=?UTF-8?B?SsO2cmc=?=), root@mail.example.com\nSubject: Re: =?UTF-8?B?Y2Fmw6k=?= x\nComments: \xe9\nX: \xc3\xa9\n\nx\n' r@example.org
	refute_wire_like SMTPUTF8
}

@test "raw UTF-8 in headers goes as it is to a server with SMTPUTF8" {
	open_account 8BITMIME SMTPUTF8 </dev/null
	becomes 'From: J\xc3\xb6rg <a@x.example>\nSubject: caf\xc3\xa9\n\nx\n' '+D\n+M\nFrom: J\xc3\xb6rg <a@x.example>\nSubject: caf\xc3\xa9\n\nx\n' r@example.org
	assert_wire_like '^MAIL .* SMTPUTF8'
}

@test "the announced size is that of the encoded header" {
	open_account </dev/null
	send 'Subject: caf\xc3\xa9\n\nx\n' r@example.org
	assert_exit 0
	assert_header 1 Subject '=?UTF-8?B?Y2Fmw6k=?='
	[ "$(wire | sed -n 's/^MAIL .* SIZE=\([0-9]*\).*/\1/p')" = "$(wc -c <"$(received 1)")" ] || fail_with "SIZE is another"
}

@test "utf8_headers reject: 65 without MAIL where SMTPUTF8 is not offered, and the message goes where it is" {
	open_account <<<"utf8_headers reject"
	send 'Subject: caf\xc3\xa9\n\nx\n' r@example.org
	assert_exit 65
	assert_stderr "utf8_headers reject"
	assert_wire_count 0 MAIL
	send 'Subject: s\n\ncaf\xc3\xa9\n' r@example.org
	assert_exit 0
	stop_peer
	open_account 8BITMIME SMTPUTF8 <<<"utf8_headers reject"
	becomes 'From: a@x.example\nSubject: caf\xc3\xa9\n\nx\n' '+D\n+M\nFrom: a@x.example\nSubject: caf\xc3\xa9\n\nx\n' r@example.org
}

@test "protocol 85: a domain in UTF-8 becomes A-labels, a local part that is not ASCII is 65 before MAIL" {
	open_account </dev/null
	send 'Subject: s\n\nx\n' $'r@b\xc3\xbccher.example'
	assert_exit 0
	assert_recipients 1 r@xn--bcher-kva.example
	send 'Subject: s\n\nx\n' $'j\xc3\xb6rg@example.org'
	assert_exit 65
	assert_stderr 5.6.7
	assert_wire_count 1 MAIL
}
