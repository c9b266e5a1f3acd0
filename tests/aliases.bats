# aliases.bats - local recipients and what stands for them: the file of `aliases`.

load lib/common

setup() {
	setup_home
	start_peer --ehlo DSN --ehlo PIPELINING
}

teardown() {
	stop_peer
}

# stdin becomes the aliases file; a configuration with it, and with the lines of ARGS.
use_aliases() {
	cat >"$HOME/aliases"
	printf '%s\n' 'host 127.0.0.1' "port $PORT" 'from joe@example.test' 'mailname mail.example.com' "aliases $HOME/aliases" "$@" |
		write_config
}

# The message that is sent: with local names in its header.
send() {
	run_mailcrane "$@" <<<$'From: joe@example.test\nTo: team@localhost\nSubject: s\n\nhello'
}

@test "sendmail 45: names and a mailbox at localhost are replaced, nobody else gets the message" {
	use_aliases <<-'END'
		root: admin@example.org
		team: bob@example.net, "Carol C" <carol@example.net>
	END
	send -i team root@localhost
	assert_exit 0
	assert_silent
	assert_received 1
	assert_recipients 1 bob@example.net carol@example.net admin@example.org
	run_as sendmail -i team root@localhost <<<$'Subject: s\n\nhello'
	assert_exit 0
	assert_silent
	assert_recipients 2 bob@example.net carol@example.net admin@example.org
}

@test "a mailbox at the mailname, and at the name of this host, is replaced too" {
	local host

	host=$(uname -n)
	use_aliases <<<'root: admin@example.org'
	send root@mail.example.com
	assert_recipients 1 admin@example.org
	send "root@$host"
	assert_recipients 2 admin@example.org
	send "root@${host%%.*}"
	assert_recipients 3 admin@example.org
	send root@sub.mail.example.com
	assert_recipients 4 root@sub.mail.example.com
}

@test "continuation lines, quotes, comments and names in names, with any number of targets" {
	{
		printf '# comment\nteam: "Last, First" <a@example.net>, # x\n\n   more,\n\t(z, y) b@example.net\n'
		printf '"odd name": c@example.net\nmore: d@example.net\n'
		printf 'all: team, "odd name"'
		printf ',\n u%d@example.net' {1..100}
	} | use_aliases
	send all
	assert_exit 0
	assert_recipients 1 {a,b,c,d}@example.net u{1..100}@example.net
}

@test "'default' stands for names that are not there, '*' too, for mailboxes with a domain neither" {
	use_aliases <<<$'root: a@example.net\ndefault: b@example.net'
	send root nobody-knows joe@localhost
	assert_recipients 1 a@example.net b@example.net joe@localhost
	use_aliases <<<$'root: a@example.net\n*: c@example.net'
	send nobody-knows
	assert_recipients 2 c@example.net
}

@test "-t: names in the header are replaced in the envelope, never in the header" {
	use_aliases <<<'team: bob@example.net'
	send -t
	assert_exit 0
	assert_recipients 1 bob@example.net
	assert_header 1 To team@localhost
	! grep -q 'bob@example' "$(received 1)" || fail_with "the header names who stands for the alias"
}

@test "ORCPT has the recipient before it was replaced" {
	use_aliases 'dsn_notify failure' <<<$'root: admin@example.org'
	send root bob@example.net
	assert_exit 0
	assert_wire_like '^RCPT TO:<admin@example.org> .*ORCPT=rfc822;root@mail.example.com$'
	refute_wire_like '^RCPT TO:<bob@example.net> .*root'
}

@test "a name that is reached twice gets the message once" {
	use_aliases <<<$'a: x@example.net, b\nb: x@EXAMPLE.net, y@example.net'
	send a b x@example.net
	assert_exit 0
	assert_wire_count 2 RCPT
	assert_recipients 1 x@example.net y@example.net
}

@test "a loop is 78 with its line, and nobody gets the message" {
	use_aliases <<<$'\nroot: joe\njoe: root'
	send root bob@example.net
	assert_exit 78
	assert_stderr "$HOME/aliases:2: alias 'root' leads back to itself"
	assert_stderr "hint: write \\root for the mailbox itself"
	assert_received 0
}

@test "sendmail 6: commands, files and inclusions are told, and nothing is run, written or read" {
	printf 'secret@example.net\n' >"$HOME/list"
	use_aliases <<-END
		a: "|touch $HOME/ran", $HOME/written, :include:$HOME/list, |touch\${IFS}$HOME/ran, bob@example.net
	END
	touch -d 2001-01-01 "$HOME/list"
	send a
	assert_exit 0
	assert_stderr "$HOME/aliases:1: '\"|touch $HOME/ran\"' is left out: commands are never run"
	assert_stderr "'$HOME/written' is left out: files are never written to"
	assert_stderr "':include:$HOME/list' is left out: files are never included"
	assert_recipients 1 bob@example.net
	[ ! -e "$HOME/ran" ] || fail_with "a command was run"
	[ ! -e "$HOME/written" ] || fail_with "a file was written"
}

@test "sendmail 6: under the name sendmail refused targets are told to the log, not to the caller" {
	use_aliases "logfile $HOME/log" <<<'a: |prog, bob@example.net'
	run_as sendmail -i a <<<$'Subject: s\n\nhello'
	assert_exit 0
	assert_silent
	assert_recipients 1 bob@example.net
	grep -q "aliases:1: .*prog.* is left out: commands are never run" "$HOME/log" ||
		fail_with "the log does not tell" "$(cat "$HOME/log")"
}

@test "sendmail 6: shell characters in an address are nothing but characters" {
	use_aliases <<<'b: x`id`y@example.net, "$(touch ran);z"@example.net'
	cd "$HOME"
	send b
	assert_exit 0
	assert_wire_like '^RCPT TO:<x`id`y@example\.net> '
	assert_wire_like '^RCPT TO:<"\$\(touch ran\);z"@example\.net> '
	[ ! -e "$HOME/ran" ] || fail_with "a command was run"
}

@test "a name with nothing but refused targets is not lost: the server is asked" {
	use_aliases <<<'nobody: /dev/null'
	send nobody
	assert_exit 0
	assert_recipients 1 nobody@mail.example.com
}

@test "msmtp 28: without a local recipient the file is not read; with one, a file that is not there is 78" {
	use_aliases <<<''
	rm "$HOME/aliases"
	send bob@example.net
	assert_exit 0
	send root
	assert_exit 78
	assert_stderr "aliases: "
	assert_received 1
}

@test "a fault in the file is 78 with its line" {
	use_aliases <<<$'root: a@example.net,\n bad@@example.net'
	send root
	assert_exit 78
	assert_stderr "$HOME/aliases:2: alias 'root': bad address 'bad@@example.net'"
	assert_received 0
}
