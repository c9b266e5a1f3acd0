#!/usr/bin/env bats
# Programs that send mail through /usr/sbin/sendmail, each run for real: what of theirs arrives, what they make of a refusal,
# and that they need not know whether the relay is there.
# namespace: setpriv
# unpacked: callers

# shellcheck disable=SC2154,SC2034 # the library sets and reads what it says

load ../lib/common
load ../lib/sendmail

setup_file() {
	local service

	rig_machine
	printf 'bob:x:1001:1001:Bob:%s:/bin/sh\n' "$RIG/nobody" >>/etc/passwd
	# Whoever asks may enter: accounts of this machine have no passwords.
	for service in cron sudo; do
		printf '%s required pam_permit.so\n' auth account session >"/etc/pam.d/$service"
	done
}

setup() {
	rig_up
	WORK=$RIG/work
	rm -rf "$WORK"
	mkdir -p "$WORK"
	cron=
}

teardown() {
	[ -z "$cron" ] || kill "$cron"
	stop_peer
}

body=$'caf\303\251\n.\nFrom here\nend'

### Words

# The path of the first of these programs that a caller finds.
path_of() {
	# shellcheck disable=SC2016 # for the shell inside
	as_caller sh -c 'for program; do command -v "$program" && break; done; exit 0' sh "$@" </dev/null
}

# This program is there.
need() {
	[ -n "$(path_of "$1")" ] || skip "$1 is not there"
}

need_perl() {
	need perl
	as_caller perl "-M$1" -e 1 2>/dev/null || skip "Perl has no $1"
}

# The system's, whatever the one of who runs the tests may be.
need_python() {
	[ -x /usr/bin/python3 ] || skip "Python is not there"
}

# A file WORK/NAME that everybody can read, from stdin.
script() {
	cat >"$WORK/$1"
	chmod 644 "$WORK/$1"
}

# Exit status 0 and not a word.
happy() {
	X 0
	silent
}

# Message N: from SENDER to the further arguments, with a Message-ID, a Date, and no trace of Bcc.
arrived() {
	local MESSAGE=$1 MESSAGES

	MESSAGES=$(received_count)
	F "$2"
	T "${@:3}"
	assert_wire_bytes "$(received "$1")"
	[ -z "$(header_of "$1" Bcc)" ] || fail_with "there is a Bcc in message $1"
	[ "$(header_of "$1" Message-ID | grep -c .)" -eq 1 ] || fail_with "one Message-ID expected in message $1"
	[ "$(header_of "$1" Date | grep -c .)" -eq 1 ] || fail_with "one Date expected in message $1"
}

# What a reader makes of message N: the text, or the attachment NAME.
content() {
	/usr/bin/python3 -c '
import email, email.policy, sys
message = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
for part in message.walk():
    if not part.is_multipart() and (part.get_filename() or "") == sys.argv[2]:
        sys.stdout.buffer.write(part.get_payload(decode=True).replace(b"\r\n", b"\n"))
        break
' "$(received "$1")" "${2-}"
}

# The text of message N is this, and a line end.
assert_content() {
	need_python
	content "$1" >"$BATS_TEST_TMPDIR/content"
	printf '%s\n' "$2" | assert_same_bytes - "$BATS_TEST_TMPDIR/content"
}

# N messages have arrived.
have_arrived() {
	[ "$(received_count)" -eq "$1" ]
}

# The caller's queue has N requests.
waiting() {
	local found

	found=$(as_caller mailq </dev/null | sed -n 's/^-- .* in \([0-9]*\) Requests\{0,1\}\.$/\1/p')
	[ "${found:-0}" -eq "$1" ]
}

# N messages wait, and arrive with the relay.
assert_flushed() {
	waiting "$1" || fail_with "$1 messages in the queue expected" "$(as_caller mailq </dev/null)"
	relay_up
	call sendmail -qf
	happy
	assert_received "$1"
	waiting 0
}

### cron

# Run the jobs of @reboot, until COMMAND is true.
cron_until() {
	rm -f /run/crond.reboot
	mkdir -p /var/spool/cron/crontabs
	/usr/sbin/cron -f >"$BATS_TEST_TMPDIR/cron" 2>&1 3>&- 4>&- &
	cron=$!
	wait_until 20 "$@"
	kill "$cron"
	wait "$cron" || true
	cron=
}

# stdin becomes the table of alice, and there is no other.
crontab_of_alice() {
	mkdir -p /var/spool/cron/crontabs
	rm -f /etc/crontab /etc/cron.d/*
	cat >/var/spool/cron/crontabs/alice
	chmod 600 /var/spool/cron/crontabs/alice
	chown 1000:1000 /var/spool/cron/crontabs/alice
}

# stdin becomes the table of the system, and there is no other.
crontab_of_root() {
	mkdir -p /var/spool/cron/crontabs
	rm -f /var/spool/cron/crontabs/* /etc/cron.d/*
	cat >/etc/crontab
	chmod 644 /etc/crontab
}

@test "cron: what a job of root's says goes to root" {
	need cron
	crontab_of_root <<<$'@reboot root printf \'out\\n.\\nend\\n\''
	cron_until have_arrived 1
	arrived 1 root@mail.example.com admin@example.org
	assert_header 1 To root@mail.example.com
	assert_header 1 From 'root@mail.example.com (Cron Daemon)'
	assert_content 1 $'out\n.\nend'
}

@test "cron: what a job of a user's says goes to MAILTO" {
	need cron
	crontab_of_alice <<<$'MAILTO=bob@example.net\n@reboot printf \'caf\\303\\251\\n\''
	cron_until have_arrived 1
	arrived 1 alice@mail.example.com bob@example.net
	assert_header 1 To bob@example.net
	assert_content 1 $'caf\303\251'
}

@test "cron: what is said while the relay is down comes later" {
	need cron
	relay_down
	crontab_of_alice <<<'@reboot echo later'
	cron_until waiting 1
	assert_flushed 1
	arrived 1 alice@mail.example.com alice@mail.example.com
	assert_content 1 later
}

# Something of alice's was refused and is kept, with TEXT in it.
kept() {
	local found

	found=$(find "$RIG/alice" "$SYSTEM_SPOOL" -path '*/failed/*' -type f)
	[ -n "$found" ] && grep -q "$1" "$found"
}

@test "cron: what nobody takes is kept" {
	need cron
	crontab_of_alice <<<$'MAILTO=perm@example.org\n@reboot echo lost'
	cron_until kept lost
	grep -q '550 5.1.1' "$BATS_TEST_TMPDIR/cron" || fail_with "cron heard nothing of it"
}

### The system

@test "sudo: root hears of a user who may not" {
	need sudo
	printf 'root ALL=(ALL) ALL\n' >/etc/sudoers
	chmod 440 /etc/sudoers
	call sudo id
	[[ ! $stderr =~ 'effective uid is not'|'setuid bit'|'no new privileges' ]] || skip "sudo cannot become root here"
	X 1
	assert_stderr 'alice is not in the sudoers file'
	wait_until 20 have_arrived 1
	arrived 1 alice@mail.example.com admin@example.org
	assert_header 1 To root@mail.example.com
	assert_header 1 From alice@mail.example.com
	assert_header 1 Subject '*** SECURITY information for box.example.com ***'
	content 1 | grep -q 'alice : user NOT in sudoers' || fail_with "that is not what sudo says"
}

@test "mdadm: the message that tests the alarm" {
	need mdadm
	as root
	call mdadm --monitor --test --oneshot --mail=ops@example.net /dev/md77
	wait_until 20 have_arrived 1
	arrived 1 root@mail.example.com ops@example.net
	assert_header 1 To ops@example.net
	content 1 | grep -q 'TestMessage event' || fail_with "that is not what mdadm says"
}

### git

# Two patches of alice's, WORK/patches/0001* and 0002*.
patches() {
	need git
	[ -x "$(as_caller git --exec-path)/git-send-email" ] || skip "git send-email is not there"
	mkdir "$RIG/alice/tree" "$WORK/patches"
	chown 1000:1000 "$RIG/alice/tree" "$WORK/patches"
	cat >"$RIG/alice/.gitconfig" <<-'END'
		[user]
			name = Älice
			email = me@x.example
		[sendemail]
			confirm = never
			to = list@example.org
			cc = cc@example.org
			bcc = hid@example.org
	END
	script make-patches <<-'END'
		set -e
		cd "$HOME/tree"
		git init -q
		git commit -q --allow-empty -m start
		printf 'one\n.\n..\nFrom here\n' >file
		git add file
		git commit -q -m "one: dots"
		printf 'tw\303\266\n' >>file
		git commit -q -a -m "two: caf$(printf '\303\251')"
		git format-patch -q -o "$1" HEAD~2
	END
	as_caller sh "$WORK/make-patches" "$WORK/patches" </dev/null
}

# Message N is the patch of that number.
assert_patch() {
	sed '1,/^$/d' "$WORK/patches/000$1"-* >"$BATS_TEST_TMPDIR/patch"
	body <"$(received "$1")" | tr -d '\r' | assert_same_bytes "$BATS_TEST_TMPDIR/patch" -
}

send_patches() {
	call git -C "$RIG/alice/tree" send-email --quiet "$@" "$WORK/patches"
}

@test "git send-email: two patches arrive as they are" {
	local n

	patches
	send_patches
	X 0
	[ -z "$stderr" ]
	assert_received 2
	for n in 1 2; do
		arrived $n alice@mail.example.com list@example.org cc@example.org hid@example.org me@x.example
		assert_patch $n
	done
	assert_header 2 In-Reply-To "$(header_of 1 Message-ID)"
}

@test "git send-email: --sendmail-cmd and an envelope sender" {
	local n

	patches
	send_patches --sendmail-cmd='sendmail -oi' --envelope-sender=auto --suppress-cc=self
	X 0
	[ -z "$stderr" ]
	assert_received 2
	for n in 1 2; do
		arrived $n me@x.example list@example.org cc@example.org hid@example.org
		assert_patch $n
	done
}

@test "git send-email: a refused recipient is an error" {
	patches
	send_patches --to=perm@example.org
	[ "$status" -ne 0 ] || fail_with "git did not see it"
	assert_stderr '550 5.1.1'
}

@test "git send-email: with the relay down both patches come later" {
	patches
	relay_down
	send_patches
	X 0
	assert_flushed 2
}

### Mail programs, of which Emacs takes any word of sendmail's for a failure

# stdin becomes mutt's configuration, behind the lines of every case.
muttrc() {
	{
		printf '%s\n' 'set from="j@x.example"' 'set realname="Jos\303\251"' 'set copy=no' 'set charset=utf-8' \
			'set send_charset="us-ascii:utf-8"' "set tmpdir=$RIG/alice"
		cat
	} >"$RIG/alice/.muttrc"
	printf '%b' "$body\n" >"$FED"
}

@test "mutt: an attachment, Cc and Bcc" {
	need mutt
	muttrc <<<''
	printf 'one\r\n.\n\0\377three' | script data.bin
	call mutt -s 'café' -c cc@example.org -b hid@example.org -a "$WORK/data.bin" -- rcpt@example.org
	happy
	arrived 1 alice@mail.example.com rcpt@example.org cc@example.org hid@example.org
	assert_content 1 "$body"
	content 1 data.bin >"$BATS_TEST_TMPDIR/data"
	printf 'one\n.\n\0\377three' | assert_same_bytes - "$BATS_TEST_TMPDIR/data"
}

@test "mutt: what it asks for about notifications reaches the relay" {
	need mutt
	muttrc <<<$'set use_envelope_from=yes\nset dsn_notify="failure,delay"\nset dsn_return=hdrs'
	call mutt -s subject rcpt@example.org
	happy
	arrived 1 j@x.example rcpt@example.org
	assert_wire_like '^MAIL FROM:<j@x.example>.* RET=HDRS'
	assert_wire_like '^RCPT TO:<rcpt@example.org>.* NOTIFY=(FAILURE,DELAY|DELAY,FAILURE)'
}

@test "mutt: a refused recipient is an error, and mutt shows why" {
	need mutt
	muttrc <<<''
	call mutt -s subject perm@example.org
	X 1
	[[ $output$stderr == *'550 5.1.1'* ]] || fail_with "mutt does not show the reply"
}

@test "mutt: with the relay down the message comes later" {
	need mutt
	muttrc <<<''
	relay_down
	call mutt -s subject rcpt@example.org
	happy
	assert_flushed 1
	assert_content 1 "$body"
}

@test "s-nail: text, Cc and Bcc" {
	need s-nail
	feed "$body\n"
	call s-nail -:/ -S sendwait -S ttycharset=utf-8 -r from@x.example -s subject -c cc@example.org -b hid@example.org rcpt@example.org
	happy
	arrived 1 from@x.example rcpt@example.org cc@example.org hid@example.org
	assert_content 1 "$body"
}

@test "s-nail: a refused recipient is an error" {
	need s-nail
	feed 'x\n'
	call s-nail -:/ -S sendwait -s subject perm@example.org
	[ "$status" -ne 0 ] || fail_with "s-nail did not see it"
	assert_stderr '550 5.1.1'
}

@test "bsd-mailx: text, Cc and Bcc" {
	need bsd-mailx
	feed 'one\n\nFrom here\n.\nend\n'
	call bsd-mailx -n -s subject -c cc@example.org -b hid@example.org rcpt@example.org
	happy
	wait_until 20 have_arrived 1
	arrived 1 alice@mail.example.com rcpt@example.org cc@example.org hid@example.org
	assert_header 1 To rcpt@example.org
	assert_content 1 $'one\n\nFrom here\n.\nend'
}

@test "bsd-mailx: a refused recipient is told, and the text is kept" {
	need bsd-mailx
	feed 'lost\n'
	echo 'set sendwait' >"$RIG/alice/.mailrc"
	call bsd-mailx -n -s subject perm@example.org
	X 1
	assert_stderr '550 5.1.1'
	kept lost || fail_with "the text is not there"
}

@test "bsd-mailx: a local name, and a sender of one's own" {
	need bsd-mailx
	feed 'x\n'
	call bsd-mailx -n -s subject -r from@x.example root
	happy
	wait_until 20 have_arrived 1
	arrived 1 from@x.example admin@example.org
	assert_header 1 To root@mail.example.com
}

# Run Emacs with the file WORK/send.el, which has been written.
emacs_sends() {
	call "$emacs" --batch --no-site-file -Q -l "$WORK/send.el"
}

need_emacs() {
	emacs=$(path_of emacs-nox emacs)
	[ -n "$emacs" ] || skip "Emacs is not there"
}

mail_mode_to() {
	need_emacs
	script send.el <<-END
		(require 'sendmail)
		(setq user-mail-address "me@x.example" send-mail-function 'sendmail-send-it)
		(mail nil "$1" "subject" nil nil)
		(goto-char (point-max))
		(insert "caf\\u00e9\\n.\\nFrom here\\nend\\n")
		(mail-send)
	END
}

message_mode_to() {
	need_emacs
	script send.el <<-END
		(require 'message)
		(require 'sendmail)
		(setq user-mail-address "me@x.example" message-send-mail-function '${2:-sendmail-send-it}
			message-interactive t)
		(message-mail "$1" "subject" '((Bcc . "hid@example.org")))
		(message-goto-body)
		(insert "caf\\u00e9\\n.\\nFrom here\\nend\\n")
		(message-send-mail)
	END
}

@test "Emacs: sendmail-send-it from mail-mode" {
	mail_mode_to rcpt@example.org
	emacs_sends
	X 0
	arrived 1 alice@mail.example.com rcpt@example.org
	assert_header 1 From 'Alice Example <me@x.example>'
	assert_content 1 "$body"
}

@test "Emacs: message-mode by sendmail-send-it" {
	message_mode_to rcpt@example.org
	emacs_sends
	X 0
	arrived 1 alice@mail.example.com rcpt@example.org hid@example.org
	assert_content 1 "$body"
}

@test "Emacs: message-mode by message-send-mail-with-sendmail" {
	message_mode_to rcpt@example.org message-send-mail-with-sendmail
	emacs_sends
	X 0
	arrived 1 me@x.example rcpt@example.org hid@example.org
	assert_content 1 "$body"
}

@test "Emacs: a refused recipient is an error in both modes" {
	local way

	mail_mode_to perm@example.org
	emacs_sends
	[ "$status" -ne 0 ] || fail_with "mail-mode did not see it"
	assert_stderr 'failed with exit value 67'
	for way in sendmail-send-it message-send-mail-with-sendmail; do
		message_mode_to perm@example.org $way
		emacs_sends
		[ "$status" -ne 0 ] || fail_with "message-mode did not see it"
		assert_stderr 'failed with exit value 67'
	done
}

@test "Emacs: with the relay down the messages come later" {
	mail_mode_to rcpt@example.org
	relay_down
	emacs_sends
	X 0
	message_mode_to rcpt@example.org message-send-mail-with-sendmail
	emacs_sends
	X 0
	assert_flushed 2
	assert_content 1 "$body"
	assert_content 2 "$body"
}

### Languages

# PHP mail() to ADDRESS; prints what it returns.
php_sends() {
	local php

	php=$(path_of php php8.2)
	[ -n "$php" ] || skip "PHP is not there"
	script send.php <<-'END'
		<?php
		var_dump(mail($argv[1], "Subj", "caf\u{e9}\n.\nFrom here\nend",
			"From: a@x.example\r\nBcc: hid@example.org\r\nContent-Type: text/plain; charset=utf-8\r\n" .
			"Content-Transfer-Encoding: 8bit", "-fenv@x.example"));
	END
	call "$php" -n -f "$WORK/send.php" "$1"
}

@test "PHP: mail() with CRLF in its headers, a Bcc and a lone dot" {
	as www-data
	php_sends rcpt@example.org
	X 0
	[ "$output$stderr" = 'bool(true)' ]
	arrived 1 env@x.example rcpt@example.org hid@example.org
	assert_header 1 From a@x.example
	assert_content 1 "$body"
}

@test "PHP: mail() is false for a refused recipient" {
	php_sends perm@example.org
	[ "$output" = 'bool(false)' ]
}

@test "PHP: mail() is true with the relay down, and the message comes later" {
	relay_down
	php_sends rcpt@example.org
	[ "$output$stderr" = 'bool(true)' ]
	assert_flushed 1
	assert_content 1 "$body"
}

# The idiom of many programs in Python: a message of the library, to the command sendmail -t -oi.
python_sends() {
	need_python
	script send.py <<-'END'
		import subprocess, sys
		from email.message import EmailMessage
		message = EmailMessage()
		message["From"] = "Jos\u00e9 <a@x.example>"
		message["To"] = sys.argv[1]
		message["Bcc"] = "hid@example.org"
		message["Subject"] = "caf\u00e9"
		message.set_content("caf\u00e9\n.\nFrom here\nend\n")
		subprocess.run(["/usr/sbin/sendmail", "-t", "-oi"], input=message.as_bytes(), check=True)
	END
	call /usr/bin/python3 "$WORK/send.py" "$1"
}

@test "Python: a message of its library to sendmail -t -oi" {
	python_sends rcpt@example.org
	happy
	arrived 1 alice@mail.example.com rcpt@example.org hid@example.org
	assert_content 1 "$body"
}

@test "Python: a refused recipient raises an error" {
	python_sends perm@example.org
	X 1
	assert_stderr '550 5.1.1'
	assert_stderr 'returned non-zero exit status 67'
}

email_sender_sends() {
	need_perl Email::Sender::Simple
	need_perl Email::Simple
	script send.pl <<-'END'
		use Email::Sender::Simple qw(sendmail);
		use Email::Simple;
		sendmail(Email::Simple->create(
			header => [To => $ARGV[0], From => 'a@x.example', Bcc => 'hid@example.org', Subject => 's',
				'MIME-Version' => '1.0', 'Content-Type' => 'text/plain; charset=utf-8',
				'Content-Transfer-Encoding' => '8bit'],
			body => "caf\303\251\n.\nFrom here\nend\n"));
	END
	call perl "$WORK/send.pl" "$1"
}

@test "Perl: Email::Sender::Simple" {
	email_sender_sends rcpt@example.org
	happy
	arrived 1 a@x.example rcpt@example.org
	assert_content 1 "$body"
}

@test "Perl: Email::Sender::Simple dies of a refused recipient" {
	email_sender_sends perm@example.org
	[ "$status" -ne 0 ] || fail_with "Email::Sender did not see it"
}

mime_lite_sends() {
	need_perl MIME::Lite
	script send.pl <<-'END'
		use MIME::Lite;
		my $message = MIME::Lite->new(From => 'a@x.example', To => $ARGV[0], Bcc => 'hid@example.org',
			Subject => 's', Type => 'text/plain; charset=utf-8', Encoding => '8bit',
			Data => "caf\303\251\n.\nFrom here\nend\n");
		exit($message->send ? 0 : 1);
	END
	call perl "$WORK/send.pl" "$1"
}

@test "Perl: MIME::Lite" {
	mime_lite_sends rcpt@example.org
	happy
	arrived 1 a@x.example rcpt@example.org hid@example.org
	[ -z "$(header_of 1 Content-Length)" ] || fail_with "there is a Content-Length"
	assert_content 1 "$body"
}

@test "Perl: MIME::Lite sees a refused recipient" {
	mime_lite_sends perm@example.org
	[ "$status" -ne 0 ] || fail_with "MIME::Lite did not see it"
}

nodemailer_sends() {
	need node
	[ -d /usr/share/nodejs/nodemailer ] || skip "nodemailer is not there"
	script send.js <<-'END'
		const mailer = require('/usr/share/nodejs/nodemailer');
		mailer.createTransport({ sendmail: true, path: '/usr/sbin/sendmail' }).sendMail({
			from: 'Joe <a@x.example>', to: process.argv[2], cc: 'cc@example.org', bcc: 'hid@example.org',
			subject: 'caf\u00e9', text: 'caf\u00e9\n.\nFrom here\nend\n',
		}).catch((error) => { console.error(error.message); process.exit(1); });
	END
	call node "$WORK/send.js" "$1"
}

@test "nodemailer: its sendmail transport" {
	nodemailer_sends rcpt@example.org
	happy
	arrived 1 a@x.example rcpt@example.org cc@example.org hid@example.org
	assert_content 1 "$body"
}

@test "nodemailer: a refused recipient is an error" {
	nodemailer_sends perm@example.org
	X 1
	assert_stderr 'code 67'
}
