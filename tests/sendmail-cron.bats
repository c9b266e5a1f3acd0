#!/usr/bin/env bats
# What cron, at, anacron and sudo call as /usr/sbin/sendmail: their command lines and messages, and what must arrive.
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

cron='From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@box> /x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n'
cron+='Content-Transfer-Encoding: 8bit\nX-Cron-Env: <SHELL=/bin/sh>\n\n'
cron_wire='From: root@mail.example.com (Cron Daemon)⏎To: root@mail.example.com⏎Subject: Cron <root@box> /x⏎MIME-Version: 1.0⏎'
cron_wire+='Content-Type: text/plain; charset=UTF-8⏎Content-Transfer-Encoding: 8bit⏎X-Cron-Env: <SHELL=/bin/sh>⏎⏎'
cronie='From: root (Cron Daemon)\nTo: ops@example.org\nSubject: s\nAuto-Submitted: auto-generated\n\n.\nx\n'
cronie_wire='From: root@mail.example.com (Cron Daemon)⏎To: ops@example.org⏎Subject: s⏎Auto-Submitted: auto-generated⏎⏎.⏎x⏎'

@test "sendmail 1: Debian's cron: addresses are qualified, an alias is followed, and no 8-bit is spoken of" {
	as root
	feed "${cron}out\n"
	call sendmail -FCronDaemon -i -B8BITMIME -oem root
	X 0
	silent
	F root@mail.example.com
	T admin@example.org
	refute_wire_like '^MAIL .*BODY='
	WIRE +D +M "${cron_wire}out⏎"
}

@test "sendmail 2: Debian's cron with 8-bit output: BODY=8BITMIME, and the bytes as they are" {
	as root
	feed "${cron}caf\xc3\xa9\n"
	call sendmail -FCronDaemon -i -B8BITMIME -oem root
	X 0
	silent
	F root@mail.example.com
	T admin@example.org
	assert_wire_like '^MAIL FROM:<root@mail\.example\.com>.* BODY=8BITMIME( |$)'
	WIRE +D +M "${cron_wire}"$'caf\xc3\xa9⏎'
}

@test "sendmail 3: cronie 1.5: the sender by login, and a lone dot is text with -i" {
	as root
	feed "$cronie"
	call sendmail -FCronDaemon -i -odi -oem -oi -t -f root
	X 0
	silent
	F root@mail.example.com
	T ops@example.org
	WIRE +D +M "$cronie_wire"
}

@test "sendmail 4: cronie 1.7: the null reverse-path" {
	as root
	feed "$cronie"
	call sendmail -FCronDaemon -i -odi -oem -oi -t -f '<>'
	X 0
	silent
	F ''
	assert_wire_like '^MAIL FROM:<>( |$)'
	T ops@example.org
	WIRE +D +M "$cronie_wire"
}

@test "sendmail 5: vixie cron: -or0s means nothing here, From gets the name of -F" {
	feed 'Subject: s\n\nb\n'
	call sendmail -FCronDaemon -odi -oem -or0s alice
	X 0
	silent
	F alice@mail.example.com
	T alice@mail.example.com
	WIRE +D +M '+F=CronDaemon <alice@mail.example.com>' 'Subject: s⏎⏎b⏎'
}

@test "sendmail 6: atd: a file on stdin, nowhere to speak to, From at the start of a line is text" {
	feed 'Subject: Output from your job 3\nTo: alice\n\nFrom here\n.\nend\n'
	as_caller sh -c 'cd / && exec sendmail -i alice >/dev/null 2>&1' <"$FED"
	F alice@mail.example.com
	T alice@mail.example.com
	WIRE +D +M '+F=Alice Example <alice@mail.example.com>' \
		'Subject: Output from your job 3⏎To: alice@mail.example.com⏎⏎From here⏎.⏎end⏎'
}

anacron="From: Anacron <root>\nTo: root\nSubject: Anacron job 'j' on box\nContent-Type: text/plain; charset=US-ASCII\n\n"
anacron_wire="From: Anacron <root@mail.example.com>⏎To: root@mail.example.com⏎Subject: Anacron job 'j' on box⏎"
anacron_wire+="Content-Type: text/plain; charset=US-ASCII⏎⏎"

@test "sendmail 7: anacron, from a file and without -i: two dots stay two" {
	as root
	feed "$anacron..\n.x\nend\n"
	call_from_file sendmail -FAnacron -odi root
	X 0
	silent
	F root@mail.example.com
	T admin@example.org
	WIRE +D +M "$anacron_wire..⏎.x⏎end⏎"
}

@test "sendmail 8: anacron with a lone dot: the message ends there" {
	as root
	feed "${anacron}a\n.\nb\n"
	call_from_file sendmail -FAnacron -odi root
	X 0
	silent
	F root@mail.example.com
	T admin@example.org
	WIRE +D +M "${anacron_wire}a⏎"
}

@test "sendmail 9: systemd-cron: the Date that is there is the only one" {
	local head='Content-Type: text/plain; charset="utf-8"\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64\n'
	local wire='Content-Type: text/plain; charset="utf-8"⏎MIME-Version: 1.0⏎Content-Transfer-Encoding: base64⏎'

	as root
	feed "${head}Date: Sat, 01 Jan 2022 00:00:00 -0000\nFrom: root (systemd-cron)\nTo: root\nSubject: [h] job x failed\n\naGkK\n"
	call sendmail -i -B8BITMIME root
	X 0
	silent
	F root@mail.example.com
	T admin@example.org
	wire+='Date: Sat, 01 Jan 2022 00:00:00 -0000⏎From: root@mail.example.com (systemd-cron)⏎To: root@mail.example.com⏎'
	WIRE +M "${wire}Subject: [h] job x failed⏎⏎aGkK⏎"
}

@test "sendmail 10: sudo, as a user without a home who hears nothing" {
	as www-data
	feed 'To: root\nFrom: www-data\nAuto-Submitted: auto-generated\nSubject: *** SECURITY information for box ***\n\nbox : x\n\n'
	# shellcheck disable=SC2002 # a pipe is wanted
	cat "$FED" | as_caller sh -c 'cd / && exec sendmail -t >/dev/null 2>&1'
	F www-data@mail.example.com
	T admin@example.org
	WIRE +D +M "To: root@mail.example.com⏎From: www-data@mail.example.com⏎Auto-Submitted: auto-generated⏎$(
	)Subject: *** SECURITY information for box ***⏎⏎box : x⏎⏎"
}

@test "sudo's message waits in the system's folder when the relay is down, and is delivered from there" {
	relay_down
	as www-data
	feed 'To: root\nFrom: www-data\nSubject: s\n\nx\n'
	call sendmail -t
	X 0
	silent
	[ -n "$(find "$SYSTEM_SPOOL/33/queue" -type f)" ]
	mailq_ends '-- 0 Kbytes in 1 Request.'
	relay_up
	call sendmail -qf
	X 0
	silent
	F www-data@mail.example.com
	T admin@example.org
	mailq_ends 'Mail queue is empty'
}

@test "a uid without an account writes as uid and its number" {
	as 4242
	feed 'Subject: s\n\nx\n'
	call sendmail -i r@example.org
	X 0
	silent
	F uid4242@mail.example.com
	T r@example.org
	WIRE +D +M '+F=uid4242@mail.example.com' 'Subject: s⏎⏎x⏎'
}
