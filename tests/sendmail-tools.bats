#!/usr/bin/env bats
# What mail programs, web applications and watchmen call as sendmail: their command lines and messages, SMTP on standard
# input as well, and what must arrive.
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

complete='From: J <from@x.example>\nTo: rcpt@example.org\nDate: Sat, 21 Nov 2026 17:36:12 +0000\nMessage-ID: <1@x.example>\n'
complete+='Subject: s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\nhello\n'

@test "sendmail 11: mdadm: both recipients of To, and a From that is whole stays" {
	as root
	feed 'From: mdadm monitoring <root@box>\nTo: a@example.org, b@example.org\nSubject: Fail event on /dev/md0:box\n\nhello\n'
	call sendmail -t
	X 0
	silent
	F root@mail.example.com
	T a@example.org b@example.org
	WIRE +D +M \
		'From: mdadm monitoring <root@box>⏎To: a@example.org, b@example.org⏎Subject: Fail event on /dev/md0:box⏎⏎hello⏎'
}

@test "sendmail 12: mail(1) of mailutils: From is the bare address of -f" {
	feed "Subject: Subj here\nTo: <rcpt@example.org>,<two@example.org>\nUser-Agent: mail (GNU Mailutils 3.15)\n$(
	)Date: Sat, 21 Nov 2026 17:36:12 +0000\n\nhello\n"
	call sendmail -oi -f from@x.example -t
	X 0
	silent
	F from@x.example
	T rcpt@example.org two@example.org
	WIRE +M +F=from@x.example "Subject: Subj here⏎To: <rcpt@example.org>,<two@example.org>⏎$(
	)User-Agent: mail (GNU Mailutils 3.15)⏎Date: Sat, 21 Nov 2026 17:36:12 +0000⏎⏎hello⏎"
}

@test "sendmail 13: bsd-mailx: who is in Bcc gets it, and nobody sees that" {
	feed 'From: from@x.example\nTo: rcpt@example.org\nSubject: s\nBcc: bcc@example.org\n\nhello\n'
	call sendmail -i -t -f from@x.example
	X 0
	silent
	F from@x.example
	T rcpt@example.org bcc@example.org
	WIRE +D +M 'From: from@x.example⏎To: rcpt@example.org⏎Subject: s⏎⏎hello⏎'
}

@test "sendmail 14: s-nail: a complete message passes as it is" {
	feed "$complete"
	call sendmail -i -f from@x.example -- rcpt@example.org bcc@example.org
	X 0
	silent
	F from@x.example
	T rcpt@example.org bcc@example.org
	WIRE "${complete//'\n'/⏎}"
}

@test "sendmail 15: mutt: wishes about reports go to the relay" {
	feed "$complete"
	call sendmail -oem -oi -f j@x.example -N failure,delay -R hdrs -- rcpt@example.org
	X 0
	silent
	F j@x.example
	T rcpt@example.org
	assert_wire_like '^MAIL FROM:<j@x\.example>.* RET=HDRS( |$)'
	assert_wire_like '^RCPT TO:<rcpt@example\.org>.* NOTIFY=FAILURE,DELAY( |$)'
	WIRE "${complete//'\n'/⏎}"
}

@test "sendmail 16: mutt and a user who is not there: 67, and one line that says who and why" {
	feed "$complete"
	call sendmail -oem -oi -- perm1@example.org
	X 67
	one_line perm1@example.org '550 5.1.1'
	assert_received 0
}

@test "sendmail 17: PHP mail(): header lines with CRLF, body lines without, a lone dot, Bcc" {
	feed 'To: rcpt@example.org\r\nSubject: Subj\r\nFrom: a@x.example\r\nBcc: hid@example.org\r\n\r\nline1\nline2\n.\nline3\r\n'
	call sendmail -t -i -fenv@x.example
	X 0
	silent
	F env@x.example
	T rcpt@example.org hid@example.org
	WIRE +D +M 'To: rcpt@example.org⏎Subject: Subj⏎From: a@x.example⏎⏎line1⏎line2⏎.⏎line3⏎'
}

@test "sendmail 18: PHPMailer: recipients in Bcc only, an empty group in To" {
	feed "To: undisclosed-recipients:;\nFrom: S <s@x.example>\nBcc: h1@example.org, \"H, Two\" <h2@example.org>\nSubject: s\n\nx\n"
	call sendmail -oi -fs@x.example -t
	X 0
	silent
	F s@x.example
	T h1@example.org h2@example.org
	WIRE +D +M 'To: undisclosed-recipients:;⏎From: S <s@x.example>⏎Subject: s⏎⏎x⏎'
}

@test "sendmail 19: nodemailer: operands, a Bcc that must go, no line end at the end" {
	feed "From: Joe <a@x.example>\r\nTo: r1@example.org\r\nCc: c@example.org\r\nBcc: hid@example.org\r\nSubject: s\r\n$(
	)Message-ID: <u@x.example>\r\nDate: Sat, 21 Nov 2026 17:37:08 +0000\r\n\r\nhi\n.\nx"
	call sendmail -i -f a@x.example r1@example.org c@example.org hid@example.org
	X 0
	silent
	F a@x.example
	T r1@example.org c@example.org hid@example.org
	WIRE "From: Joe <a@x.example>⏎To: r1@example.org⏎Cc: c@example.org⏎Subject: s⏎$(
	)Message-ID: <u@x.example>⏎Date: Sat, 21 Nov 2026 17:37:08 +0000⏎⏎hi⏎.⏎x⏎"
}

@test "sendmail 20: Rails while the relay is down: silence, and mailq shows one message for both" {
	relay_down
	feed "$complete"
	call sendmail -i -f a@x.example -- rcpt@example.org hid@example.org
	X 0
	silent
	mailq_ends "-- 0 Kbytes in 1 Request."
	assert_stdout " a@x.example"
	[ "$(grep -Ecx ' {41}(rcpt|hid)@example\.org' <<<"$output")" -eq 2 ] || fail_with "both recipients expected"
}

@test "sendmail 21: MIME::Lite by /usr/lib/sendmail: Content-Length and Bcc go" {
	feed "Content-Disposition: inline\nContent-Length: 7\nContent-Transfer-Encoding: binary\nContent-Type: text/plain\n$(
	)MIME-Version: 1.0\nFrom: a@x.example\nTo: rcpt@example.org\nBcc: hid@example.org\nSubject: s\n\nhello\n\n"
	call /usr/lib/sendmail -t -oi -oem -fa@x.example
	X 0
	silent
	F a@x.example
	T rcpt@example.org hid@example.org
	WIRE +D +M "Content-Disposition: inline⏎Content-Transfer-Encoding: binary⏎Content-Type: text/plain⏎$(
	)MIME-Version: 1.0⏎From: a@x.example⏎To: rcpt@example.org⏎Subject: s⏎⏎hello⏎⏎"
}

@test "sendmail 22: Email::Sender: the operands alone are the recipients, and the Bcc field goes all the same" {
	feed 'To: rcpt@example.org\nFrom: a@x.example\nBcc: hid@example.org\nSubject: s\n\nhi\n'
	call sendmail -i -f a@x.example -- rcpt@example.org
	X 0
	silent
	F a@x.example
	T rcpt@example.org
	WIRE +D +M 'To: rcpt@example.org⏎From: a@x.example⏎Subject: s⏎⏎hi⏎'
}

@test "sendmail 23: git send-email: a patch arrives intact, lone dots and trailing blanks too" {
	local patch

	patch="From: Me <me@x.example>\nTo: list@example.org\nCc: cc@example.org\nSubject: [PATCH] x\n$(
	)Date: Sat, 21 Nov 2026 17:37:08 +0000\nMessage-Id: <20261121173708.1-1-me@x.example>\nX-Mailer: git-send-email 2.39.2\n$(
	)MIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n\n---\n a | 2 +-\n 1 file changed\n\n-x\n+..\n.\n \n-- \n2.39.2\n\n"
	feed "$patch"
	call sendmail -i list@example.org cc@example.org me@x.example
	X 0
	silent
	F alice@mail.example.com
	T list@example.org cc@example.org me@x.example
	WIRE "${patch//'\n'/⏎}"
}

@test "sendmail 24: git with a command line of its own: options may be repeated" {
	feed "$complete"
	# shellcheck disable=SC2016 # for the other shell
	call sh -c 'sendmail -oi "$@"' - -f me@x.example -i list@example.org
	X 0
	silent
	F me@x.example
	T list@example.org
	WIRE "${complete//'\n'/⏎}"
}

emacs='From: Me <me@x.example>\nTo: rcpt@example.org\nSubject: s\n\nhello\n'
emacs_wire='From: Me <me@x.example>⏎To: rcpt@example.org⏎Subject: s⏎⏎hello⏎'

@test "sendmail 25: Emacs: silence, with the relay up and with the relay down" {
	feed "$emacs"
	call sendmail -oi -oep -odi -t
	X 0
	silent
	F alice@mail.example.com
	T rcpt@example.org
	WIRE +D +M "$emacs_wire"
	relay_down
	call sendmail -oi -oep -odi -t
	X 0
	silent
	mailq_ends "-- 0 Kbytes in 1 Request."
}

# COMMAND returns in less than a second although the relay takes its time, and the message for rcpt@example.org arrives with
# the reverse-path SENDER by itself.
assert_background() {
	local sender=$1

	shift
	stop_peer
	relay_up --fault dot:delay=5000
	feed "$emacs"
	call "$@"
	X 0
	silent
	[ "$took" -lt 1000 ] || fail_with "it took $took ms"
	assert_received 0
	wait_until 20 test -e "$(received 1)"
	F "$sender"
	T rcpt@example.org
	WIRE +D +M "$emacs_wire"
	wait_until 10 nothing_queued 2>/dev/null
	mailq_ends 'Mail queue is empty'
}

@test "sendmail 26: Emacs in the background: back at once, delivered without another command" {
	assert_background me@x.example sendmail -oi -f me@x.example -oem -odb -t
}

@test "sendmail 27: fail2ban, without -i: the bare name in angle brackets is qualified" {
	as root
	feed "Subject: [Fail2Ban] sshd: banned 1.2.3.4\nDate: Sat, 21 Nov 2026 17:00:00 +0000\n$(
	)From: Fail2Ban <fail2ban>\nTo: root\n\nHi,\n"
	call sendmail -f fail2ban root
	X 0
	silent
	F fail2ban@mail.example.com
	T admin@example.org
	WIRE +M "Subject: [Fail2Ban] sshd: banned 1.2.3.4⏎Date: Sat, 21 Nov 2026 17:00:00 +0000⏎$(
	)From: Fail2Ban <fail2ban@mail.example.com>⏎To: root@mail.example.com⏎⏎Hi,⏎"
}

@test "sendmail 28: logwatch: several fields To, a From without a domain" {
	as root
	feed 'To: a@example.org\nTo: b@example.org\nFrom: Logwatch\nSubject: s\n\nx\n'
	call sendmail -t
	X 0
	silent
	F root@mail.example.com
	T a@example.org b@example.org
	WIRE +D +M 'To: a@example.org⏎To: b@example.org⏎From: Logwatch@mail.example.com⏎Subject: s⏎⏎x⏎'
}

@test "sendmail 29: Proxmox: fields in capitals are those fields" {
	as root
	feed 'Content-Type: text/plain\nMIME-Version: 1.0\nFROM: vzdump <root>\nTO: a@example.org, b@example.org\nSUBJECT: s\n\nx\n'
	call sendmail -B 8BITMIME -f root a@example.org b@example.org
	X 0
	silent
	F root@mail.example.com
	T a@example.org b@example.org
	WIRE +D +M "Content-Type: text/plain⏎MIME-Version: 1.0⏎FROM: vzdump <root@mail.example.com>⏎$(
	)TO: a@example.org, b@example.org⏎SUBJECT: s⏎⏎x⏎"
}

@test "sendmail 30: rkhunter: two operands and no option" {
	as root
	feed 'Subject: r\nTo: a@example.org\n\nx\n'
	call sendmail a@example.org b@example.org
	X 0
	silent
	F root@mail.example.com
	T a@example.org b@example.org
	WIRE +D +M '+F=root <root@mail.example.com>' 'Subject: r⏎To: a@example.org⏎⏎x⏎'
}

@test "sendmail 31: arpwatch: a name with a comment is qualified before the comment" {
	feed 'From: arpwatch (Arpwatch box)\nTo: root\nSubject: new station\n\nx\n'
	call /usr/lib/sendmail -odi root
	X 0
	silent
	F alice@mail.example.com
	T admin@example.org
	WIRE +D +M 'From: arpwatch@mail.example.com (Arpwatch box)⏎To: root@mail.example.com⏎Subject: new station⏎⏎x⏎'
}

@test "sendmail 32: Dovecot: the null reverse-path, a message with CRLF" {
	feed 'From: a@x.example\r\nTo: rcpt@example.org\r\nSubject: s\r\n\r\nx\r\n'
	call sendmail -i -f '<>' -- rcpt@example.org
	X 0
	silent
	F ''
	assert_wire_like '^MAIL FROM:<>( |$)'
	T rcpt@example.org
	WIRE +D +M 'From: a@x.example⏎To: rcpt@example.org⏎Subject: s⏎⏎x⏎'
}

@test "sendmail 33: RT: DeliveryMode=b is the background too" {
	assert_background alice@mail.example.com sendmail -oi -ODeliveryMode=b -OErrorMode=m -t
}

@test "sendmail 34: vacation: no From, so the sender's address is it" {
	feed 'To: joe@example.org\nSubject: away\n\naway\n'
	call sendmail -f alice -- joe@example.org
	X 0
	silent
	F alice@mail.example.com
	T joe@example.org
	WIRE +D +M +F=alice@mail.example.com 'To: joe@example.org⏎Subject: away⏎⏎away⏎'
}

### SMTP on standard input

@test "sendmail 35: Symfony: each reply is waited for, dots are unstuffed, Bcc goes" {
	converse sendmail -bs <<-'END'
		HELO [127.0.0.1]
		MAIL FROM:<a@x.example>
		RCPT TO:<r@example.org>
		DATA
		From: a@x.example
		To: r@example.org
		Bcc: hid@example.org
		Subject: s

		..dot
		.
		QUIT
	END
	X 0
	[ -z "$stderr" ] || fail_with "silence expected on stderr"
	assert_codes 220 250 250 250 354 250 221
	grep -Eqx '250 2\.0\.0 Ok: queued as [A-Z0-9]+' <<<"$replies" || fail_with "it does not say what was queued"
	F a@x.example
	T r@example.org
	WIRE +D +M 'From: a@x.example⏎To: r@example.org⏎Subject: s⏎⏎.dot⏎'
}

@test "sendmail 36: Symfony: a recipient who is refused, RSET, and a message that is not" {
	converse sendmail -bs <<-'END'
		HELO [127.0.0.1]
		MAIL FROM:<a@x.example>
		RCPT TO:<perm1@example.org>
		DATA
		From: a@x.example
		Subject: first

		x
		.
		RSET
		MAIL FROM:<a@x.example>
		RCPT TO:<r@example.org>
		DATA
		From: a@x.example
		Subject: second

		x
		.
		QUIT
	END
	X 0
	[ -z "$stderr" ] || fail_with "silence expected on stderr"
	assert_codes 220 250 250 250 354 550 250 250 250 354 250 221
	F a@x.example
	T r@example.org
	WIRE +D +M 'From: a@x.example⏎Subject: second⏎⏎x⏎'
}

@test "sendmail 37: Laravel: EHLO tells what is offered, lines may end without CR" {
	LINE_END=$'\n' converse sendmail -bs -i <<-'END'
		EHLO [127.0.0.1]
		MAIL FROM:<a@x.example>
		RCPT TO:<r@example.org>
		DATA
		From: a@x.example
		Subject: s

		..dot
		x
		.
		QUIT
	END
	X 0
	[ -z "$stderr" ] || fail_with "silence expected on stderr"
	assert_codes 220 250 250 250 354 250 221
	grep -Eqx '250[- ]8BITMIME' <<<"$replies" || fail_with "no 8BITMIME"
	grep -Eqx '250[- ]PIPELINING' <<<"$replies" || fail_with "no PIPELINING"
	F a@x.example
	T r@example.org
	WIRE +D +M 'From: a@x.example⏎Subject: s⏎⏎.dot⏎x⏎'
}

@test "sendmail 38: alpine: two messages in one session" {
	local number

	converse sendmail -bs -odb -oem <<-'END'
		EHLO box.example.com
		MAIL FROM:<a@x.example>
		RCPT TO:<r1@example.org>
		DATA
		From: a@x.example
		Subject: 1

		x
		.
		MAIL FROM:<a@x.example>
		RCPT TO:<r2@example.org>
		DATA
		From: a@x.example
		Subject: 2

		x
		.
		QUIT
	END
	X 0
	[ -z "$stderr" ] || fail_with "silence expected on stderr"
	assert_codes 220 250 250 250 354 250 250 250 354 250 221
	wait_until 20 test -e "$(received 2)"
	for number in 1 2; do
		MESSAGES=2 MESSAGE=$number F a@x.example
		MESSAGES=2 MESSAGE=$number T "r$(header_of "$number" Subject)@example.org"
		MESSAGES=2 MESSAGE=$number WIRE +D +M "From: a@x.example⏎Subject: $(header_of "$number" Subject)⏎⏎x⏎"
	done
	[ "$(cat "$PEER_MAIL"/*.eml | grep -c '^Subject: [12]')" -eq 2 ]
	[ "$(header_of 1 Subject)" != "$(header_of 2 Subject)" ] || fail_with "one message came twice"
}
