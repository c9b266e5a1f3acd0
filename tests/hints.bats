# hints.bats - each text that users of such programs ask about: what is said, and the hint that names what to do next.

# shellcheck disable=SC2154,SC2034 # $stderr is set by run, CLEAN_ENVIRONMENT read by the library

load lib/common
load lib/user

setup() {
	setup_home
	CERTS=$BATS_TEST_TMPDIR/certs
	printf 'From: joe@example.test\nSubject: s\n\nhello\n' >"$HOME/message"
}

teardown() {
	stop_peer
}

# A server that says TEXT at WHERE to an account with these further lines: says WHERE TEXT LINE...
says() {
	local where=$1 text=$2

	shift 2
	start_peer --tls starttls --make-cert "$CERTS" --auth "PLAIN XOAUTH2" --password secret --fault "$where:reply=$text"
	{
		printf 'host localhost\nport %s\ntls on\ntls_trust_file %s\n' "$PORT" "$CERTS/ca.pem"
		printf 'from joe@example.test\nuser joe\npasswordeval echo secret\n'
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} | write_config
	send
}

send() {
	run_mailcrane "$@" alice@example.net <"$HOME/message"
}

# The only lines are the problem, with TEXT in it, and the hint that begins with HINT and has each MORE: explains TEXT HINT MORE...
explains() {
	local text=$1 hint more

	[ "$(grep -c '' <<<"$stderr")" -eq 2 ] || fail_with "a problem and a hint expected"
	[[ ${stderr%%$'\n'*} == *"$text"* ]] || fail_with "the first line lacks: $text"
	hint=${stderr##*$'\n'}
	[[ $hint == "mailcrane: hint: $2"* ]] || fail_with "the hint does not begin with: $2"
	shift 2
	for more; do
		[[ $hint == *"$more"* ]] || fail_with "the hint lacks: $more"
	done
}

### Logging in

@test "users 1.3: 535-5.7.8 Username and Password not accepted" {
	says auth '535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  https://support.example.com/mail/?p=BadCredentials a1-b2 - gsmtp' "auth plain"
	assert_exit 77
	explains "AUTH was refused: 535 5.7.8 Username and Password not accepted." "this provider wants an app password" "2-step verification" \
		"if 'password' is one already"
}

@test "users 1.3: 535-5.7.8 with an access token is about the token" {
	says auth '535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  https://support.example.com/mail/' "auth xoauth2"
	assert_exit 77
	explains "535 5.7.8 Username and Password not accepted" "access tokens live for an hour or so: run the passwordeval command by hand"
}

@test "users 1.3: 534-5.7.9 Application-specific password required" {
	says auth '534-5.7.9 Application-specific password required. Learn more at\r\n534 5.7.9  https://support.example.com/mail/?p=InvalidSecondFactor' "auth plain"
	assert_exit 77
	explains "534 5.7.9 Application-specific password required." "this provider wants an app password"
}

@test "users 1.3: 535 5.7.139 SmtpClientAuthentication is disabled for the Tenant, which no token mends" {
	local method

	for method in plain xoauth2; do
		says auth '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.example/smtp_auth_disabled for more information.' "auth $method"
		assert_exit 77
		explains "SmtpClientAuthentication is disabled for the Tenant" "SMTP AUTH is switched off" \
			"only the administrator can allow it, no other 'auth' method helps"
	done
}

@test "users 1.3: 550 5.7.30 Basic authentication is not supported for Client Submission" {
	says auth '550 5.7.30 Basic authentication is not supported for Client Submission.' "auth plain"
	assert_exit 77
	explains "550 5.7.30 Basic authentication is not supported for Client Submission" "this server takes no passwords here" "'auth xoauth2'" \
		"'passwordeval'"
}

@test "users 1.3: 454 4.7.0 Too many login attempts" {
	says auth '454 4.7.0 Too many login attempts, please try again later. a1-b2 - gsmtp' "auth plain"
	assert_exit 75
	explains "454 4.7.0 Too many login attempts" "wait before the next attempt" "'queue always'" "--flush"
}

@test "users 1.3: 432 4.3.2 Concurrent connections limit exceeded" {
	says auth '432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.example/concurrent_sending for more information.' "auth plain"
	assert_exit 75
	explains "432 4.3.2 Concurrent connections limit exceeded" "set 'max_connections 1'"
}

@test "users 1.3: 550 5.4.5 Daily user sending limit exceeded, and the setting of the hint does what it says" {
	local limit='550-5.4.5 Daily user sending limit exceeded. For more information on Gmail\r\n550 5.4.5 sending limits go to https://support.example.com a1-b2 - gsmtp'

	says dot "$limit"
	assert_exit 69
	explains "550 5.4.5 Daily user sending limit exceeded" "the provider's limit for a day is reached" "'treat_as_temporary 5.4.5'"
	says dot "$limit" "treat_as_temporary 5.4.5"
	assert_exit 75
	refute_stderr "hint: "
}

### Senders

@test "users 1.3: 553 5.7.1 Sender address rejected: not owned by auth user" {
	says mail '553 5.7.1 <joe@example.test>: Sender address rejected: not owned by auth user'
	assert_exit 69
	explains "553 5.7.1 <joe@example.test>: Sender address rejected: not owned by auth user" \
		"set 'from' to an address that belongs to 'user'" "if the sender is a local one such as root" "'identity ADDRESS'"
}

@test "users 1.3: 504 5.5.2 need fully-qualified address, for the sender, the recipient and EHLO" {
	says mail '504 5.5.2 <root>: Sender address rejected: need fully-qualified address'
	assert_exit 69
	explains "504 5.5.2 <root>: Sender address rejected: need fully-qualified address" "set 'from' to a full address" "'identity ADDRESS'" "'mailname'"
	says rcpt '504 5.5.2 <alice>: Recipient address rejected: need fully-qualified address'
	assert_exit 67
	explains "Recipient address rejected" "name the recipient with a domain" "'aliases'" "'mailname'"
	says rcpt '504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname'
	assert_exit 67
	explains "Helo command rejected" "set 'domain' to the full name of this machine"
}

### The form of the message

@test "users 1.3: 550-5.7.1 Messages missing a valid Message-ID header" {
	local refusal='550-5.7.1 [192.0.2.1] Messages missing a valid Message-ID header are not\r\n550-5.7.1 accepted. For more information, go to\r\n550 5.7.1  https://support.example.com a1-b2 - gsmtp'

	says dot "$refusal" "repair off"
	assert_exit 69
	explains "Messages missing a valid Message-ID header are not" "set 'set_msgid_header auto' and 'repair safe'"
	says dot "$refusal"
	explains "Messages missing a valid Message-ID header are not" "if the message came with a Message-ID, it is not one"
}

@test "users 1.3: 552 5.2.0 Message contains bare CR, and none is sent" {
	printf 'From: joe@example.test\nSubject: s\n\none\rtwo\n' >"$HOME/message"
	says dot '552 5.2.0 Message contains bare CR and is violating 822.bis section 2.3'
	assert_exit 69
	explains "552 5.2.0 Message contains bare CR" "no CR leaves this program but in line ends" "if a proxy, filter or tunnel"
	assert_no_violation
}

@test "users 1.3: message has lines too long for transport, 500 Line too long" {
	local refusal

	for refusal in '550 message has lines too long for transport' '500 Line too long' '550 maximum allowed line length is 998 octets, got 3001'; do
		says dot "$refusal" "repair off"
		assert_exit 69
		explains "${refusal#* }" "'repair off' sends lines as they are" "'repair safe'"
		says dot "$refusal"
		explains "${refusal#* }" "long lines of the body are re-encoded already" "if it is one of the header"
	done
}

### What this machine says

@test "users 1.3: no configuration file available: each place is named" {
	send
	assert_exit 78
	explains "account default not found: no configuration file available" "looked for " "$HOME/.mailcranerc" \
		"$HOME/.config/mailcrane/config" "write one, or name the server with --host"
}

@test "users 1.3: a file without an account, and an account that is not there" {
	echo '# nothing' | write_config
	send
	assert_exit 78
	explains "no account is defined in $HOME/.mailcranerc" "an account begins with a line 'account NAME'"
	printf 'account work\nhost 127.0.0.1\naccount home\nhost 127.0.0.1\n' | write_config
	send -a elsewhere
	assert_exit 78
	assert_stderr "account elsewhere not found in $HOME/.mailcranerc; the accounts there are: work, home"
	send
	assert_exit 78
	explains "account default not found in $HOME/.mailcranerc" "choose one with -a, or add the line 'account default : work'"
}

@test "users 1.3: a configuration file that may not be read is never one that is not there" {
	setup_ordinary_user
	printf 'host 127.0.0.1\n' >"$HOME/.mailcranerc"
	chmod 600 "$HOME/.mailcranerc"
	run_as_ordinary_user alice@example.net <"$HOME/message"
	assert_exit 78
	explains "cannot read configuration file $HOME/.mailcranerc: Permission denied: uid $ORDINARY_UID may not read it: owner 0, mode 0600" \
		"as root: setfacl -m u:$ORDINARY_UID:r $HOME/.mailcranerc"
	refute_stderr "No such file"
	refute_stderr "no configuration file"
}

@test "users 1.3: cannot locate host: a name that nobody has" {
	printf 'host nobody.invalid\nfrom joe@example.test\ntimeout 20\n' | write_config
	send
	case $stderr in
	*"there is no host of the name"*)
		assert_exit 68
		explains "there is no host of the name nobody.invalid" "check the setting 'host' for a typing error, and /etc/resolv.conf"
		;;
	*)
		# Where no name server can be asked, this is not known.
		assert_exit 75
		assert_stderr "nobody.invalid: "
		assert_stderr "hint: is this machine connected? If so, look at the name servers"
		;;
	esac
}

@test "users 1.3: contains secrets and therefore must have no more than user read/write permissions" {
	setup_ordinary_user
	printf 'host 127.0.0.1\nport 1\nauth on\nuser joe\npassword secret\n' | write_ordinary_file "$HOME/.mailcranerc" 644
	run_as_ordinary_user alice@example.net <"$HOME/message"
	assert_exit 78
	explains "contains secrets and therefore must have no more than user read/write permissions: mode 0644" "chmod 600 $HOME/.mailcranerc"
}

@test "users 1.3: a log file that cannot be made or written is a warning with the way out" {
	local log

	setup_ordinary_user
	start_peer
	mkdir "$BATS_TEST_TMPDIR/log"
	printf 'host 127.0.0.1\nport %s\nfrom joe@example.test\nlogfile %s\n' "$PORT" "$BATS_TEST_TMPDIR/log/mailcrane.log" |
		write_ordinary_file "$HOME/.mailcranerc" 600
	run_as_ordinary_user alice@example.net <"$HOME/message"
	assert_exit 0
	assert_stderr "warning: cannot append to $BATS_TEST_TMPDIR/log/mailcrane.log: Permission denied: uid $ORDINARY_UID may not write $BATS_TEST_TMPDIR/log: owner 0, mode 0755"
	assert_stderr "hint: name a file in a folder that uid $ORDINARY_UID may write to, or log by 'syslog on'"
	assert_stderr "AppArmor or SELinux"
	: >"$BATS_TEST_TMPDIR/log/mailcrane.log"
	run_as_ordinary_user alice@example.net <"$HOME/message"
	assert_stderr "may not write it: owner 0, mode 0644"
	assert_stderr "hint: as root: setfacl -m u:$ORDINARY_UID:w $BATS_TEST_TMPDIR/log/mailcrane.log, or log by 'syslog on'"
	ln -s "$BATS_TEST_TMPDIR/tmp/elsewhere" "$BATS_TEST_TMPDIR/tmp/log"
	sed -i "s,^logfile.*,logfile $BATS_TEST_TMPDIR/tmp/log," "$HOME/.mailcranerc"
	run_as_ordinary_user alice@example.net <"$HOME/message"
	assert_stderr "it is a symbolic link"
	assert_stderr "hint: set 'logfile' to a regular file of this user's, or log by 'syslog on'"
	assert_received 3
}

@test "users 1.3: a password command whose output cannot be had" {
	printf 'host 127.0.0.1\nport 1\nauth plain\nuser joe\npasswordeval exit 3\n' | write_config
	send
	assert_exit 78
	explains "account default: passwordeval: command 'exit ...' ended with exit status 3" \
		"run the passwordeval command of account 'default' by hand with </dev/null" "must print the password as its first line"
}

@test "users 1.3: gpg: decryption failed: No secret key" {
	command -v gpg >/dev/null || skip "gpg is not installed"
	mkdir -m 700 "$HOME/theirs" "$HOME/.gnupg"
	gpg --homedir "$HOME/theirs" --batch --quiet --passphrase '' --quick-gen-key joe@example.test default default never 2>/dev/null
	echo secret | gpg --homedir "$HOME/theirs" --batch --quiet --trust-model always -r joe@example.test -e -o "$HOME/password.gpg"
	gpgconf --homedir "$HOME/theirs" --kill all
	printf 'host 127.0.0.1\nport 1\nauth plain\nuser joe\npasswordeval gpg --batch --quiet --decrypt %s\n' "$HOME/password.gpg" | write_config
	send
	gpgconf --homedir "$HOME/.gnupg" --kill all
	assert_exit 78
	assert_stderr "No secret key"
	assert_stderr "passwordeval: command 'gpg ...' ended with exit status 2"
	assert_stderr "hint: run the passwordeval command of account 'default' by hand"
	assert_stderr "hint: if gpg says 'No secret key': it looks into the keyring of uid $(id -u)"
}

@test "users 1.3: TLS certificate verification failed: an authority nobody knows, another name" {
	start_peer --tls starttls --make-cert "$CERTS"
	printf 'host localhost\nport %s\ntls on\nfrom joe@example.test\n' "$PORT" | write_config
	send
	assert_exit 69
	explains "certificate was issued by an unknown authority" "set 'tls_trust_file' to the certificate of the authority, or, once" "tls_fingerprint"
	printf 'host localhost\nport %s\ntls on\ntls_trust_file %s\ntls_host_override mx.example.test\nfrom joe@example.test\n' "$PORT" "$CERTS/ca.pem" | write_config
	send
	assert_exit 69
	explains "certificate is for " "set 'tls_host_override " "if that is the right name"
}

@test "users 1.3: the certificate fingerprint does not match, nor does the pin" {
	start_peer --tls starttls --make-cert "$CERTS"
	printf 'host localhost\nport %s\ntls on\ntls_fingerprint %s\nfrom joe@example.test\n' "$PORT" "$(printf '%064d' 7)" | write_config
	send
	assert_exit 69
	explains "the certificate is not the one of tls_fingerprint: it has " "if the server's operator confirms the new certificate, set 'tls_fingerprint' to it"
	printf 'host localhost\nport %s\ntls on\ntls_trust_file %s\ntls_pin %s\nfrom joe@example.test\n' "$PORT" "$CERTS/ca.pem" "$(printf '%064d' 7)" | write_config
	send
	assert_exit 69
	explains "the key of the certificate is not among those of tls_pin: it is " "if the server's operator confirms the new key, add it to 'tls_pin'"
}

@test "users 1.3: unsupported operation mode, with what there is instead" {
	printf 'host 127.0.0.1\n' | write_config
	run_as sendmail -bd
	assert_exit 64
	assert_stderr "unsupported operation mode -bd"
	assert_stderr "hint: there is no daemon"
	run_as sendmail -bz
	assert_exit 64
	assert_stderr "unsupported operation mode -bz"
	assert_stderr "hint: -bm sends (and is not needed), -bs speaks SMTP"
}
