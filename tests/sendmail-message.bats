#!/usr/bin/env bats
# Addresses in every notation and messages in every shape, through /usr/sbin/sendmail: who gets them, and which bytes.
# namespace: setpriv

# shellcheck disable=SC2154 # the library sets what it says

load lib/common
load lib/sendmail

setup_file() {
	rig_machine
}

setup() {
	rig_up
}

teardown() {
	stop_peer
}

alice='+F=Alice Example <alice@mail.example.com>'

### Addresses

@test "sendmail 39: operands: two behind a comma, with a name, with a comment" {
	feed 'Subject: s\n\nx\n'
	call sendmail -i a@example.org,b@example.org 'Joe B <c@example.org>' 'd@example.org (Dee)'
	X 0
	silent
	F alice@mail.example.com
	T a@example.org b@example.org c@example.org d@example.org
	WIRE +D +M "$alice" 'Subject: s⏎⏎x⏎'
}

@test "sendmail 40: -t understands groups, comments, folding and encoded words, and changes none" {
	local fields='To: Group: g1@example.org, "Last, First" <g2@example.org>;\nCc: (c, d@e) g3@example.org (x),\n\tg4@example.org\n ,g5@example.org\n'
	local wire='To: Group: g1@example.org, "Last, First" <g2@example.org>;⏎Cc: (c, d@e) g3@example.org (x),⏎'

	feed "${fields}Bcc: =?utf-8?q?J=C3=BC?= <g6@example.org>,,\nSubject: s\n\nx\n"
	call sendmail -t -i
	X 0
	silent
	F alice@mail.example.com
	T g1@example.org g2@example.org g3@example.org g4@example.org g5@example.org g6@example.org
	WIRE +D +M "$alice" "$wire"$'\tg4@example.org⏎ ,g5@example.org⏎Subject: s⏎⏎x⏎'
}

@test "sendmail 41: one who is named four times in two spellings of the domain gets it once, another local part is another" {
	feed 'To: r@example.org\nCc: r@EXAMPLE.org\nSubject: s\n\nx\n'
	call sendmail -t -i r@example.org R@Example.ORG
	X 0
	silent
	F alice@mail.example.com
	assert_wire_count 2 RCPT
	[ "$(recipients_of 1 | sed 's/@.*/@/' | sort | tr -d '\n')" = "R@r@" ] || fail_with "r and R expected" "$(recipients_of 1)"
	[ "$(recipients_of 1 | grep -Eic '^r@example\.org$')" -eq 2 ] || fail_with "other domains" "$(recipients_of 1)"
	WIRE +D +M "$alice" 'To: r@example.org⏎Cc: r@EXAMPLE.org⏎Subject: s⏎⏎x⏎'
}

@test "sendmail 42: -t and operands: both" {
	feed 'To: r@example.org\nSubject: s\n\nx\n'
	call sendmail -t -i extra@example.org
	X 0
	silent
	F alice@mail.example.com
	T r@example.org extra@example.org
	WIRE +D +M "$alice" 'To: r@example.org⏎Subject: s⏎⏎x⏎'
}

@test "sendmail 43: a space before the colon: -t finds To, and Bcc goes" {
	feed 'To : r@example.org\nBcc : h@example.org\nSubject: s\n\nx\n'
	call sendmail -t -i
	X 0
	silent
	F alice@mail.example.com
	T r@example.org h@example.org
	! grep -iq '^bcc' "$(received 1)" || fail_with "Bcc was sent"
	WIRE +D +M "$alice" 'To : r@example.org⏎Subject: s⏎⏎x⏎'
}

@test "sendmail 44: Resent-To and Resent-Bcc alone are the recipients, and the missing Resent fields are added" {
	feed "Resent-From: me@x.example\nResent-To: q@example.org\nResent-Bcc: rb@example.org\nFrom: a@x.example\nTo: o@example.org\n$(
	)Bcc: bb@example.org\nDate: Sat, 01 Jan 2022 00:00:00 +0000\nMessage-ID: <1@x>\nSubject: s\n\nx\n"
	call sendmail -t -i
	X 0
	silent
	F alice@mail.example.com
	T q@example.org rb@example.org
	WIRE +RD +RM "Resent-From: me@x.example⏎Resent-To: q@example.org⏎From: a@x.example⏎To: o@example.org⏎$(
	)Date: Sat, 01 Jan 2022 00:00:00 +0000⏎Message-ID: <1@x>⏎Subject: s⏎⏎x⏎"
}

@test "sendmail 45: an alias of two, and root at localhost is the alias root" {
	feed 'Subject: s\n\nx\n'
	call sendmail -i team root@localhost
	X 0
	silent
	F alice@mail.example.com
	T bob@example.net carol@example.net admin@example.org
	WIRE +D +M "$alice" 'Subject: s⏎⏎x⏎'
}

@test "sendmail 46: a recipient who looks like an option, behind --" {
	feed 'Subject: s\n\nx\n'
	call sendmail -i -- -odd@example.org
	X 0
	silent
	F alice@mail.example.com
	T -odd@example.org
}

@test "sendmail 46: an option behind a recipient is an error, and nothing is sent" {
	feed 'To: o@example.org\nSubject: s\n\nx\n'
	call sendmail -i r@example.org -t
	X 64
	one_problem
	nothing_sent
}

### Message shape

@test "sendmail 47: a body alone" {
	feed 'hi\n'
	call sendmail -i r@example.org
	X 0
	silent
	F alice@mail.example.com
	T r@example.org
	WIRE +D +M "$alice" '⏎hi⏎'
}

@test "sendmail 48: an empty line and a body" {
	feed '\nhi\n'
	call sendmail -i r@example.org
	X 0
	silent
	F alice@mail.example.com
	T r@example.org
	WIRE +D +M "$alice" '⏎hi⏎'
}

@test "sendmail 49: the From lines of a mailbox go, those in the body stay, and say nothing about the sender" {
	feed 'From joe Sat Jan  1 00:00:00 2022\n>From x\nSubject: s\n\nFrom y\n>From z\n'
	call sendmail -i r@example.org
	X 0
	silent
	F alice@mail.example.com
	T r@example.org
	WIRE +D +M "$alice" 'Subject: s⏎⏎From y⏎>From z⏎'
}

@test "sendmail 50: the first line that is no field begins the body" {
	feed 'Subject: s\nnot a header\nTo: o@example.org\n\nx\n'
	call sendmail -i r@example.org
	X 0
	silent
	F alice@mail.example.com
	T r@example.org
	WIRE +D +M "$alice" 'Subject: s⏎⏎not a header⏎To: o@example.org⏎⏎x⏎'
}

@test "sendmail 51: fields without a body, the last one without a line end" {
	feed 'Subject: s\nTo: o@example.org'
	call sendmail -i r@example.org
	X 0
	silent
	F alice@mail.example.com
	T r@example.org
	WIRE +D +M "$alice" 'Subject: s⏎To: o@example.org⏎⏎'
}

@test "sendmail 52: nothing at all" {
	run --separate-stderr as_caller sendmail r@example.org </dev/null
	X 0
	silent
	F alice@mail.example.com
	T r@example.org
	WIRE +D +M "$alice" '⏎'
}

# Quoted-printable on stdin, decoded, with LF.
decode() {
	perl -0777 -pe 's/\r\n/\n/g; s/[ \t]+\n/\n/g; s/=\n//g; s/=([0-9A-F]{2})/chr(hex($1))/ge'
}

# Message 1 is in quoted-printable, and its body says what the file EXPECTED does.
assert_quoted_printable() {
	assert_header 1 Content-Transfer-Encoding quoted-printable
	assert_header 1 MIME-Version 1.0
	[ "$(header_of 1 Content-Type | wc -l)" -eq 1 ] || fail_with "Content-Type is not there once"
	! body <"$(received 1)" | tr -d '\r' | grep -Eq '.{77}' || fail_with "a line of the body has more than 76 characters"
	body <"$(received 1)" | decode >"$BATS_TEST_TMPDIR/decoded"
	assert_same_bytes "$1" "$BATS_TEST_TMPDIR/decoded"
}

@test "sendmail 53: a line of 2000 characters is told in quoted-printable" {
	as root
	printf '%02000d\nend\n' 0 | tr 0 x >"$BATS_TEST_TMPDIR/text"
	{
		printf 'From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@box> /x\n\n'
		cat "$BATS_TEST_TMPDIR/text"
	} >"$FED"
	call sendmail -FCronDaemon -i -B8BITMIME -oem root
	X 0
	silent
	F root@mail.example.com
	T admin@example.org
	assert_wire_bytes "$(received 1)"
	assert_quoted_printable "$BATS_TEST_TMPDIR/text"
	assert_header 1 From 'root@mail.example.com (Cron Daemon)'
	assert_header 1 To root@mail.example.com
	assert_header 1 Subject 'Cron <root@box> /x'
}

@test "sendmail 54: NUL goes from the header and is told in quoted-printable in the body" {
	printf 'a\0b\n' >"$BATS_TEST_TMPDIR/text"
	feed 'Subject: s\0t\n\na\0b\n'
	call sendmail -i r@example.org
	X 0
	silent
	F alice@mail.example.com
	T r@example.org
	assert_wire_bytes "$(received 1)"
	assert_header 1 Subject st
	assert_quoted_printable "$BATS_TEST_TMPDIR/text"
	grep -Fq 'a=00b' "$(received 1)" || fail_with "no =00"
}

@test "sendmail 55: each step of a progress bar is a line" {
	feed 'Subject: s\n\n10%\r50%\r100%\ndone\r\n'
	call sendmail -i r@example.org
	X 0
	silent
	F alice@mail.example.com
	T r@example.org
	WIRE +D +M "$alice" 'Subject: s⏎⏎10%⏎50%⏎100%⏎done⏎'
}

@test "sendmail 56: lines that end with CR CR LF" {
	feed 'Subject: s\r\r\n\r\r\nx\r\r\n'
	call sendmail -i r@example.org
	X 0
	silent
	F alice@mail.example.com
	T r@example.org
	WIRE +D +M "$alice" 'Subject: s⏎⏎x⏎'
}
