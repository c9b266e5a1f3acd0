# config.bats - configuration files found, refused and explained; accounts chosen; settings seen on the wire.

# shellcheck disable=SC2154,SC2034 # $stderr is set by run, CLEAN_ENVIRONMENT read by the library

load lib/common
load lib/user

setup() {
	setup_home
	printf 'From: joe@example.test\nTo: alice@example.net\nSubject: s\n\nhello\n' >"$HOME/message"
}

teardown() {
	stop_peer
}

# The account of joe at the peer; the arguments are further lines.
account() {
	printf '%s\n' "host 127.0.0.1" "port $PORT" 'from joe@example.test' 'mailname here.example' "$@" | write_config
}

send() {
	run_mailcrane "$@" <"$HOME/message"
}

# stdin is refused as a configuration because of TEXT, at LINE:COLUMN.
assert_refused_at() {
	cat >"$HOME/.mailcranerc"
	send alice@example.net
	assert_exit 78 && assert_stderr "mailcrane: $HOME/.mailcranerc:$1: " && assert_stderr "$2"
}

# --pretend with ARGS chooses the account.
assert_chosen() {
	local id=$1

	shift
	run_mailcrane --pretend "$@"
	assert_exit 0 && assert_stdout "using account $id"
}

three_accounts() {
	write_config <<-END
		account home
		host home.example
		from joe@home.example

		account work
		host work.example
		from joe@work.example

		account lists
		host lists.example
		from *@lists.example
	END
}

### Files that cannot be used

@test "a file with a PIN that others can read is refused" {
	setup_ordinary_user
	printf 'host 127.0.0.1\ntls_cert_file cert.pem\ntls_key_file pkcs11:object=key?pin-value=%s\n' "$JOES_PASSWORD" |
		write_ordinary_file "$HOME/.mailcranerc" 644
	run_as_ordinary_user alice@example.net <"$HOME/message"
	assert_exit 78
	assert_stderr "$HOME/.mailcranerc: contains secrets"
}

@test "protocol 86: a file with a password that others can read is refused, with the command that mends it" {
	setup_ordinary_user
	printf 'host 127.0.0.1\nport 1\nauth on\nuser joe\npassword %s\n' "$JOES_PASSWORD" | write_ordinary_file "$HOME/.mailcranerc" 644
	run_as_ordinary_user alice@example.net <"$HOME/message"
	assert_exit 78
	assert_stderr "$HOME/.mailcranerc: contains secrets"
	assert_stderr "mode 0644"
	assert_stderr "hint: chmod 600 $HOME/.mailcranerc"
	bash -c "${stderr##*hint: }"
	run_as_ordinary_user alice@example.net <"$HOME/message"
	assert_exit 75
}

@test "protocol 86: the password of a proxy is a password, too" {
	setup_ordinary_user
	printf 'host 127.0.0.1\nproxy_host 127.0.0.1\nproxy_user joe\nproxy_password %s\n' "$JOES_PASSWORD" |
		write_ordinary_file "$HOME/.mailcranerc" 640
	run_as_ordinary_user --pretend
	assert_exit 78
	assert_stderr "contains secrets"
	printf 'host 127.0.0.1\npassword\nproxy_password\n# password x\npassword_file /x\n' | write_ordinary_file "$HOME/.mailcranerc" 644
	run_as_ordinary_user --pretend
	assert_exit 0
}

@test "protocol 86: which rights are too many" {
	local mode

	setup_ordinary_user
	for mode in 640 604 660 700; do
		printf 'host 127.0.0.1\nport 1\nauth on\nuser joe\npassword %s\n' "$JOES_PASSWORD" |
			write_ordinary_file "$HOME/.mailcranerc" "$mode"
		run_as_ordinary_user --pretend
		assert_exit 78
		assert_stderr "mode 0$mode"
	done
	for mode in 600 400; do
		chmod "$mode" "$HOME/.mailcranerc"
		run_as_ordinary_user --pretend
		assert_exit 0
	done
}

@test "protocol 86: a file with a password that belongs to somebody else is refused" {
	setup_ordinary_user
	printf 'host 127.0.0.1\nauth on\nuser joe\npassword %s\n' "$JOES_PASSWORD" | write_ordinary_file "$HOME/.mailcranerc" 644
	chown 1234 "$HOME/.mailcranerc"
	run_as_ordinary_user --pretend
	assert_exit 78
	assert_stderr "owner is uid 1234"
}

@test "protocol 86: a file without a password may be read by everybody" {
	setup_ordinary_user
	printf 'host 127.0.0.1\nport 1\nauth on\nuser joe\npasswordeval echo x\n' | write_ordinary_file "$HOME/.mailcranerc" 644
	run_as_ordinary_user --pretend
	assert_exit 0
}

@test "users 0.5: a file that may not be read is told with path, uid, mode and the command that mends it" {
	setup_ordinary_user
	printf 'host 127.0.0.1\n' >"$HOME/.mailcranerc"
	chmod 600 "$HOME/.mailcranerc"
	run_as_ordinary_user alice@example.net <"$HOME/message"
	assert_exit 78
	assert_stderr "$HOME/.mailcranerc"
	assert_stderr "Permission denied"
	assert_stderr "uid $ORDINARY_UID"
	assert_stderr "owner 0, mode 0600"
	assert_stderr "hint: as root: setfacl -m u:$ORDINARY_UID:r $HOME/.mailcranerc"
	refute_stderr "no configuration file"
	refute_stderr "No such file"
}

@test "users 0.5: a folder that may not be entered is not the reason where -C names the file" {
	setup_ordinary_user
	chown 0 "$HOME" && chmod 700 "$HOME"
	printf 'account work\nhost 127.0.0.1\n' | write_ordinary_file "$BATS_TEST_TMPDIR/rc" 600
	run_as_ordinary_user -C "$BATS_TEST_TMPDIR/rc" --pretend -a wrok
	assert_exit 78
	assert_stderr "account wrok not found in $BATS_TEST_TMPDIR/rc (did you mean 'work'?)"
	refute_stderr "Permission denied"
}

@test "--pretend and --version tell files that are not needed from those that are not there or cannot be read" {
	setup_ordinary_user
	mkdir -p "$HOME/.config/mailcrane"
	printf 'host 127.0.0.1\n' | write_ordinary_file "$HOME/.mailcranerc" 600
	printf 'host 127.0.0.1\n' | write_ordinary_file "$HOME/.config/mailcrane/config" 600
	chown "$ORDINARY_UID" "$HOME/.config" "$HOME/.config/mailcrane"
	run_as_ordinary_user --pretend
	assert_exit 0
	assert_stdout "$HOME/.mailcranerc: read"
	assert_stdout "$HOME/.config/mailcrane/config: not needed"
	chown 0 "$HOME" && chmod 700 "$HOME"
	run_as_ordinary_user --version
	assert_exit 0
	assert_stdout "$HOME/.mailcranerc: Permission denied: uid $ORDINARY_UID may not enter $HOME"
}

@test "--version tells which files can be read, whatever is in them, and runs no command of theirs" {
	write_config <<<"eval touch $HOME/ran; echo host h"
	run_mailcrane --version
	assert_exit 0
	assert_stdout "$HOME/.mailcranerc: read"
	[[ $output$stderr != *eval* ]] || fail_with "the command was complained about"
	[ ! -e "$HOME/ran" ] || fail_with "the command was run"
}

@test "users 0.5: a file of one's own without the right to read it" {
	setup_ordinary_user
	printf 'host 127.0.0.1\n' | write_ordinary_file "$HOME/.mailcranerc" 200
	run_as_ordinary_user alice@example.net <"$HOME/message"
	assert_exit 78
	assert_stderr "hint: chmod u+r $HOME/.mailcranerc"
}

@test "users 0.5: a folder that may not be entered is named, not the file behind it" {
	setup_ordinary_user
	mkdir -p "$HOME/.config/mailcrane"
	printf 'host 127.0.0.1\n' >"$HOME/.config/mailcrane/config"
	chmod 700 "$HOME/.config"
	run_as_ordinary_user alice@example.net <"$HOME/message"
	assert_exit 78
	assert_stderr "may not enter $HOME/.config"
	assert_stderr "setfacl -m u:$ORDINARY_UID:x $HOME/.config"
}

@test "--version tells which files are there and which cannot be read" {
	setup_ordinary_user
	printf 'host 127.0.0.1\n' >"$HOME/.mailcranerc"
	chmod 600 "$HOME/.mailcranerc"
	run_as_ordinary_user --version
	assert_exit 0
	assert_stdout "$HOME/.mailcranerc: "
	assert_stdout "Permission denied"
	assert_stdout "$HOME/.config/mailcrane/config: not there"
	printf 'host 127.0.0.1\n' | write_ordinary_file "$HOME/.mailcranerc" 600
	run_as_ordinary_user --version
	assert_stdout "$HOME/.mailcranerc: read"
}

@test "-C with a file that is not there or is a folder" {
	send -C "$HOME/missing" alice@example.net
	assert_exit 74
	assert_stderr "$HOME/missing"
	assert_stderr "No such file or directory"
	send -C "$HOME" alice@example.net
	assert_exit 74
	assert_stderr "$HOME"
}

@test "without any file, all places that were looked at are told" {
	local place

	send alice@example.net
	assert_exit 78
	for place in .mailcranerc .config/mailcrane/config .msmtprc .config/msmtp/config; do
		assert_stderr "$HOME/$place"
	done
	assert_stderr "--host"
}

### Faults in files

@test "an unknown word is told with its place and the nearest known one" {
	assert_refused_at 2:1 "unknown command 'hots' (did you mean 'host'?)" <<-END
		account default
		hots 127.0.0.1
	END
	assert_refused_at 1:3 "did you mean 'tls_starttls'?" <<<'  tls_startls on'
}

@test "a wrong value is told with its place and what is expected" {
	assert_refused_at 2:5 "tls: 'maybe' is not one of: on off" <<<$'host x\ntls maybe'
	assert_refused_at 1:6 "port: '99999' is not a number from 1 to 65535" <<<'port 99999'
	assert_refused_at 1:7 "port: '2 5' is not a number" <<<$'port  2 5'
	assert_refused_at 1:9 "timeout: '-1'" <<<'timeout -1'
	assert_refused_at 2:17 "tls_fingerprint: '00:11' is not" <<<$'host x\ntls_fingerprint 00:11'
}

@test "a missing value is told with its place" {
	assert_refused_at 1:5 "host: an argument is missing" <<<'host'
}

@test "an account that is not defined is told with the nearest one" {
	assert_refused_at 3:18 "account hoem not (yet) defined (did you mean 'home'?)" <<<$'account home\nhost x\naccount default : hoem'
}

@test "an account that is defined twice is told with the line of the first" {
	assert_refused_at 3:9 "already defined in line 1" <<<$'account home\nhost x\naccount home\nhost y'
}

@test "control characters in a file are not shown as they are" {
	printf 'ho\033[31mst x\n' >"$HOME/.mailcranerc"
	send alice@example.net
	assert_exit 78
	refute_stderr $'\e'
	assert_stderr ".mailcranerc:1:1: "
}

@test "a line of any length, CRLF and a missing end of the last line are no fault" {
	start_peer
	{
		printf 'host 127.0.0.1\r\nport %s\r\n# ' "$PORT"
		head -c 100000 /dev/zero | tr '\0' x
		printf '\r\n  from\t "joe@example.test"  \r\nmailname here.example'
	} >"$HOME/.mailcranerc"
	send alice@example.net
	assert_exit 0
	[ "$(sender_of 1)" = joe@example.test ]
}

@test "a sender that is no address is a fault of the configuration" {
	start_peer
	account
	sed -i 's/^from.*/from joe@@example/' "$HOME/.mailcranerc"
	send alice@example.net
	assert_exit 78
	assert_stderr "'from'"
	refute_log_line connect
}

### Which file

@test "the file may be at any of its places" {
	local place

	for place in .mailcranerc .config/mailcrane/config .msmtprc .config/msmtp/config; do
		mkdir -p "$(dirname "$HOME/$place")"
		echo 'host 127.0.0.1' >"$HOME/$place"
		run_mailcrane --pretend
		assert_exit 0
		assert_stdout "    $HOME/$place: read"
		rm "$HOME/$place"
	done
	mkdir -p "$HOME/xdg/mailcrane"
	echo 'host 127.0.0.1' >"$HOME/xdg/mailcrane/config"
	CLEAN_ENVIRONMENT=("XDG_CONFIG_HOME=$HOME/xdg")
	run_mailcrane --pretend
	assert_exit 0
	assert_stdout "    $HOME/xdg/mailcrane/config: read"
}

@test "msmtp's file is read where there is none of mailcrane's, else it is left alone" {
	printf 'account old\nhost old.example\n' >"$HOME/.msmtprc"
	assert_chosen old
	printf 'account new\nhost new.example\n' >"$HOME/.mailcranerc"
	assert_chosen new
	[[ $output != *"host = old.example"* ]]
	echo 'nonsense' >"$HOME/.msmtprc"
	assert_chosen new
}

@test "-C reads the named file instead of the user's" {
	printf 'account user\nhost user.example\n' >"$HOME/.mailcranerc"
	printf 'account other\nhost other.example\n' >"$HOME/other"
	assert_chosen other -C "$HOME/other"
}

@test "--host reads no file" {
	start_peer
	echo 'this is nonsense' >"$HOME/.mailcranerc"
	send --host=127.0.0.1 --port="$PORT" -f joe@example.test alice@example.net
	assert_exit 0
	assert_silent
	assert_received 1
}

@test "SMTPSERVER and EMAIL stand in for a file" {
	start_peer
	CLEAN_ENVIRONMENT=(SMTPSERVER=127.0.0.1 EMAIL=me@example.test)
	send --port="$PORT" alice@example.net
	assert_exit 0
	[ "$(sender_of 1)" = me@example.test ]
	printf 'host other.example\n' >"$HOME/.mailcranerc"
	CLEAN_ENVIRONMENT=(SMTPSERVER=127.0.0.1)
	run_mailcrane --pretend
	assert_stdout "host = other.example"
}

### Which account

@test "an account is chosen by its name" {
	three_accounts
	assert_chosen work -a work
	assert_stdout "from $HOME/.mailcranerc:5"
	run_mailcrane --pretend -a wrok
	assert_exit 78
	assert_stderr "account wrok not found in $HOME/.mailcranerc (did you mean 'work'?)"
}

@test "an account is chosen by the sender, in any case of letters, with +detail, and by a pattern" {
	three_accounts
	assert_chosen home -f joe@home.example
	assert_chosen work -f JOE@Work.Example
	assert_chosen work -f joe+news@work.example
	assert_chosen lists -f bounce-1@lists.example
}

@test "an account is chosen by the From of the message" {
	start_peer
	write_config <<-END
		defaults
		host 127.0.0.1
		port $PORT
		account home
		from joe@home.example
		domain home.example
		account work
		from joe@work.example
		domain work.example
	END
	run_mailcrane --read-envelope-from -t <<<$'From: Joe <joe@work.example>\nTo: alice@example.net\n\nhello'
	assert_exit 0
	assert_wire "EHLO work.example" "MAIL FROM:<joe@work.example> SIZE=$(envelope_size)"
	run_mailcrane --read-envelope-from -t <<<$'From: Joe <joe@nowhere.example>\nTo: alice@example.net\n\nhello'
	assert_exit 78
}

@test "messages whose senders belong to different accounts do not leave by the account of the first" {
	start_peer
	write_config <<-END
		defaults
		host 127.0.0.1
		port $PORT
		account home
		from joe@home.example
		account work
		from *@work.example
	END
	printf 'From: joe@home.example\n\nhello\n' >"$HOME/one.eml"
	printf 'From: joe@work.example\n\nhello\n' >"$HOME/two.eml"
	printf 'From: ann@work.example\n\nhello\n' >"$HOME/three.eml"
	run_mailcrane --read-envelope-from --message "$HOME/one.eml" --message "$HOME/two.eml" alice@example.net
	assert_exit 64
	assert_stderr "two.eml: the sender in this message belongs to account work, and the messages before it to account home"
	assert_received 0
	run_mailcrane --read-envelope-from --message "$HOME/two.eml" --message "$HOME/three.eml" alice@example.net
	assert_exit 0
	assert_received 2
	run_mailcrane -a home --read-envelope-from --message "$HOME/one.eml" --message "$HOME/two.eml" alice@example.net
	assert_exit 0
	assert_received 4
}

# What the client said about the size of its first message.
envelope_size() {
	wire | sed -n 's/^MAIL .*SIZE=\([0-9]*\).*/\1/p' | head -n 1
}

@test "the account called default, and a single one, need no choosing" {
	three_accounts
	run_mailcrane --pretend
	assert_exit 78
	assert_stderr "the accounts there are: home, work, lists"
	assert_stderr "hint: "
	echo 'account default : work' >>"$HOME/.mailcranerc"
	assert_chosen default
	assert_stdout "host = work.example"
	printf 'account only\nhost only.example\n' >"$HOME/.mailcranerc"
	assert_chosen only
	assert_chosen only -f somebody@else.example
}

@test "options win over the file" {
	start_peer
	account "port 1" "domain file.example"
	sed -i 2d "$HOME/.mailcranerc"
	send --port="$PORT" --domain=option.example alice@example.net
	assert_exit 0
	assert_wire "EHLO option.example"
}

### Asking the program

@test "--print-config and --help fail when what they print cannot be written" {
	write_config <<<"host 127.0.0.1"
	run --separate-stderr clean_environment sh -c '"$0" --print-config >/dev/full' "$MAILCRANE"
	assert_exit 74 && assert_stderr "cannot write to standard output"
	run --separate-stderr clean_environment sh -c '"$0" --help >/dev/full' "$MAILCRANE"
	assert_exit 74 && assert_stderr "cannot write to standard output"
}

@test "--print-config tells where each setting comes from and can be read back" {
	write_config <<-END
		defaults
		port 587
		account work
		host work.example
		from " joe@work.example"
		user joe
		password $JOES_PASSWORD
		passwordeval printf '%s' "a b"
		tls_trust_file
		aliases ~/aliases
		logfile_time_format ""
	END
	run_mailcrane --print-config --timeout=7
	assert_exit 0
	assert_stdout "# $HOME/.mailcranerc:2"$'\n'"port 587"
	assert_stdout "# $HOME/.mailcranerc:4"$'\n'"host work.example"
	assert_stdout "# command line"$'\n'"timeout 7"
	assert_stdout "# default"$'\n'"protocol smtp"
	[[ $output != *"$JOES_PASSWORD"* ]]
	assert_stdout "# password *"
	printf '%s\n' "$output" | grep -v '^#' >"$HOME/first"
	printf '%s\n' "$output" >"$HOME/again"
	chmod 600 "$HOME/again"
	run_mailcrane --print-config -C "$HOME/again"
	assert_exit 0
	printf '%s\n' "$output" | grep -v '^#' >"$HOME/second"
	assert_same_bytes "$HOME/first" "$HOME/second"
}

@test "--pretend shows secrets as stars and does not wait for standard input" {
	printf 'host x.example\nuser joe\npassword %s\nauth on\n' "$JOES_PASSWORD" | write_config
	mkfifo "$HOME/fifo"
	exec 7<>"$HOME/fifo"
	MAILCRANE_TIMEOUT=10 run_mailcrane --pretend -t alice@example.net <&7
	exec 7>&-
	assert_exit 0
	assert_stdout "password = *"
	assert_stdout "recipient = alice@example.net"
	[[ $output != *"$JOES_PASSWORD"* ]]
}

@test "--pretend connects to nothing, with --serverinfo and --rmqs either" {
	local mode

	for mode in --serverinfo --rmqs=@example.net; do
		run_mailcrane --pretend "$mode" --host=127.0.0.1 --port=1
		assert_exit 0
		assert_stdout "host = 127.0.0.1"
	done
}

@test "--pretend does not guess the sender that stands in the message, and fails for a recipient that cannot be" {
	write_config <<<$'host 127.0.0.1\nfrom joe@example.test'
	run_mailcrane --pretend --read-envelope-from alice@example.net
	assert_exit 0
	assert_stdout "envelope from would be read from the message"
	[[ $output != *"envelope from = "* ]] || fail_with "a sender was guessed"
	run_mailcrane --pretend 'alice@@example.net'
	assert_exit 65
	assert_stderr "bad address"
}

@test "--pretend sends nothing and runs no password command" {
	start_peer
	account "auth on" "user joe" "passwordeval touch $HOME/ran"
	send --pretend alice@example.net
	assert_exit 0
	[ ! -e "$HOME/ran" ]
	refute_log_line connect
}

@test "an unknown option is told with the nearest known one" {
	send --pretned alice@example.net
	assert_exit 64
	assert_stderr "unknown option --pretned (did you mean --pretend?)"
	send --protocol=imap alice@example.net
	assert_exit 64
	assert_stderr "'imap' is not one of: smtp lmtp"
	send --port alice@example.net
	assert_exit 64
	send --set alice@example.net
	assert_exit 64
	assert_stderr "short for several: "
}

@test "a password is no option, and the ways to give one are told" {
	send --password="$JOES_PASSWORD" alice@example.net
	assert_exit 64
	assert_stderr "every user"
	assert_stderr "--passwordeval"
	refute_stderr "=secret"
}

@test "without recipients the ways to name them are told" {
	start_peer
	account
	send
	assert_exit 64
	assert_stderr "no recipients given"
	run_mailcrane -t <<<$'Subject: x\n\nhello'
	assert_exit 64
	assert_stderr "no recipients found in the message"
	assert_stderr "hint: -t looks into To, Cc and Bcc"
}

### Aliases

@test "local names are looked up in the aliases, also through others, and in other letters" {
	start_peer
	account "aliases $HOME/aliases"
	cat >"$HOME/aliases" <<-END
		# who is who
		root: admin@example.org
		team: bob@example.net, "Carol, C." <carol@example.net>,
		  root
		default: post@example.org
	END
	send team ROOT nobody bob@example.net remote@example.com
	assert_exit 0
	assert_recipients 1 admin@example.org bob@example.net carol@example.net post@example.org remote@example.com
}

@test "aliases count for the local names of localhost and of mailname too" {
	start_peer
	account "aliases $HOME/aliases"
	echo 'root: admin@example.org' >"$HOME/aliases"
	send root@localhost root@here.example
	assert_exit 0
	assert_recipients 1 admin@example.org
}

@test "a local name without an alias gets the mail domain of this host" {
	start_peer
	account "aliases $HOME/aliases"
	echo 'root: admin@example.org' >"$HOME/aliases"
	send daemon
	assert_exit 0
	assert_recipients 1 daemon@here.example
}

@test "aliases that lead back to themselves are a fault of the configuration" {
	start_peer
	account "aliases $HOME/aliases"
	printf 'a: b\nb: c\nc: a\n' >"$HOME/aliases"
	send a
	assert_exit 78
	assert_stderr "$HOME/aliases"
	refute_log_line connect
}

@test "commands, files and inclusions in the aliases are told and never used" {
	start_peer
	account "aliases $HOME/aliases"
	printf 'root: "|touch %s", %s, :include:%s, admin@example.org\n' "$HOME/ran" "$HOME/written" "$HOME/list" >"$HOME/aliases"
	send root
	assert_exit 0
	assert_recipients 1 admin@example.org
	assert_stderr "warning: $HOME/aliases:1: "
	[ "$(grep -c warning <<<"$stderr")" -eq 3 ]
	[ ! -e "$HOME/ran" ] && [ ! -e "$HOME/written" ]
}

@test "an aliases file that is missing counts only when it is needed" {
	start_peer
	account "aliases $HOME/missing"
	send alice@example.net
	assert_exit 0
	send root
	assert_exit 78
	assert_stderr "aliases: cannot open $HOME/missing"
}

### Settings on the wire

@test "dsn_notify and dsn_return are in MAIL and RCPT" {
	start_peer
	account "dsn_notify failure,delay" "dsn_return headers"
	send alice@example.net
	assert_exit 0
	assert_wire_like '^MAIL FROM:<joe@example.test> .*RET=HDRS'
	assert_wire_like '^RCPT TO:<alice@example.net> NOTIFY=(FAILURE,DELAY|DELAY,FAILURE)'
	send -N never -R full alice@example.net
	assert_exit 0
	assert_wire_like '^MAIL .*RET=FULL'
	assert_wire_like '^RCPT .*NOTIFY=NEVER'
}

@test "without dsn settings nothing about notifications is said" {
	start_peer
	account
	send alice@example.net
	assert_exit 0
	refute_wire_like 'RET=|NOTIFY='
}

@test "set_to_header names all recipients in one To" {
	start_peer
	account "set_to_header on"
	run_mailcrane alice@example.net bob@example.net <<<$'To: x@example.net\nCc: y@example.net\nBcc: z@example.net\nSubject: s\n\nhello'
	assert_exit 0
	assert_recipients 1 alice@example.net bob@example.net
	assert_header 1 To "alice@example.net, bob@example.net"
	assert_header 1 Cc ""
	assert_header 1 Bcc ""
}

@test "undisclosed_recipients names nobody" {
	start_peer
	account "undisclosed_recipients on"
	run_mailcrane -t <<<$'To: alice@example.net\nCc: bob@example.net\nSubject: s\n\nhello'
	assert_exit 0
	assert_recipients 1 alice@example.net bob@example.net
	assert_header 1 To "undisclosed-recipients:;"
	assert_header 1 Cc ""
}

@test "Bcc is removed, unless remove_bcc_headers off or msmtp's keepbcc says otherwise" {
	start_peer
	account
	run_mailcrane -t <<<$'To: alice@example.net\nBcc: bob@example.net\n\nhello'
	assert_exit 0
	assert_recipients 1 alice@example.net bob@example.net
	assert_header 1 Bcc ""
	account "keepbcc on"
	run_mailcrane -t <<<$'To: alice@example.net\nBcc: bob@example.net\n\nhello'
	assert_exit 0
	assert_header 2 Bcc bob@example.net
	account
	run_mailcrane -t --remove-bcc-headers=off <<<$'To: alice@example.net\nBcc: bob@example.net\n\nhello'
	assert_exit 0
	assert_header 3 Bcc bob@example.net
}

@test "%U, %H and %M in from and domain are this user, this host and its mail domain" {
	start_peer
	account "domain %H.example"
	sed -i 's/^from.*/from %U@%M/' "$HOME/.mailcranerc"
	CLEAN_ENVIRONMENT=(HOSTNAME=hosty)
	send alice@example.net
	assert_exit 0
	[ "$(sender_of 1)" = "$USER@here.example" ]
	assert_wire "EHLO hosty.example"
}

@test "root reads no configuration that somebody else owns, unless it is named" {
	[ "$(id -u)" -eq 0 ] || skip "only root can give files away"
	start_peer
	account "passwordeval touch '$BATS_TEST_TMPDIR/ran'"
	chown 65534 "$HOME/.mailcranerc"
	send alice@example.net
	assert_exit 78
	assert_stderr "uid 65534 owns it"
	assert_stderr "hint: '-C $HOME/.mailcranerc' reads it"
	[ ! -e "$BATS_TEST_TMPDIR/ran" ]
	assert_received 0
	send -C "$HOME/.mailcranerc" alice@example.net
	assert_exit 0
}

@test "allow_from_override off: what the caller says about the sender does not count" {
	start_peer
	account "allow_from_override off"
	send -f evil@example.net alice@example.net
	assert_exit 0
	[ "$(sender_of 1)" = joe@example.test ]
}

@test "-f '<>' and an empty from make an empty sender" {
	start_peer
	account
	send -f '<>' alice@example.net
	assert_exit 0
	assert_wire_like '^MAIL FROM:<> '
	sed -i 's/^from.*/from/' "$HOME/.mailcranerc"
	send alice@example.net
	assert_exit 0
	assert_wire_count 2 'MAIL FROM:<>'
}

@test "a line with a single dot ends the message with lone_dot end only" {
	start_peer
	account
	run_mailcrane alice@example.net <<<$'Subject: s\n\none\n.\ntwo'
	assert_exit 0
	[ "$(body <"$(received 1)" | tr -d '\r')" = $'one\n.\ntwo' ]
	account "lone_dot end"
	run_mailcrane alice@example.net <<<$'Subject: s\n\none\n.\ntwo'
	assert_exit 0
	[ "$(body <"$(received 2)" | tr -d '\r')" = one ]
	assert_stderr "warning: 4 bytes behind a line with a single dot were ignored"
}

@test "max_message_size refuses a larger message before connecting" {
	start_peer
	account "max_message_size 20000"
	run_mailcrane alice@example.net < <(make_message 30000)
	assert_exit 65
	assert_stderr "larger than 20000 bytes"
	refute_log_line connect
	run_mailcrane alice@example.net < <(make_message 10000)
	assert_exit 0
	assert_received 1
}

@test "pipelining off and chunking off send one command at a time, and DATA" {
	start_peer --rtt 10
	account "pipelining off" "chunking off"
	send alice@example.net bob@example.net
	assert_exit 0
	assert_wire "MAIL FROM:<joe@example.test> SIZE=$(envelope_size)" "RCPT TO:<alice@example.net>" "RCPT TO:<bob@example.net>" DATA
	refute_wire_like '^BDAT'
	wait_until 10 summary_is open 0
	[ "$(summary_of flights)" -ge 7 ]
}

summary_is() {
	[ "$(summary_of "$1")" = "$2" ]
}
