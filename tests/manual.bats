#!/usr/bin/env bats
# manual.bats - what README and the manual pages show works as they show it.

load lib/common

setup() {
	setup_home
}

teardown() {
	stop_peer
}

# The configuration at the beginning of README, with the peer in the place of the server.
use_readme_configuration() {
	make_certificates "$BATS_TEST_TMPDIR/certs"
	start_peer --tls starttls --cert "$BATS_TEST_TMPDIR/certs/cert.pem" --key "$BATS_TEST_TMPDIR/certs/key.pem" --auth PLAIN \
		--password "$JOES_PASSWORD"
	register_secret "$JOES_PASSWORD"
	mkdir -p "$BATS_TEST_TMPDIR/secret"
	# shellcheck disable=SC2016
	printf '#!/bin/sh\n[ "$*" = "show mail/work" ] && echo %s\n' "$JOES_PASSWORD" >"$BATS_TEST_TMPDIR/secret/pass"
	chmod +x "$BATS_TEST_TMPDIR/secret/pass"
	PATH=$BATS_TEST_TMPDIR/secret:$PATH
	sed -n '/^    defaults$/,/^    account default/s/^    //p; /^For port 465/q' "$SRCDIR/README" |
		sed "s/smtp.example.org/localhost/; s/^port 587/port $PORT/; s|^tls on|&\ntls_trust_file $BATS_TEST_TMPDIR/certs/ca.pem|" |
		write_config
	printf 'From: joe@example.org\nTo: alice@example.net\nBcc: bob@example.net\nSubject: s\n\nhello\n' >"$BATS_TEST_TMPDIR/letter.eml"
}

@test "README: the configuration of ten lines sends a message from a pipe, in silence" {
	use_readme_configuration
	run_mailcrane alice@example.net <<<$'Subject: hello\n\nIt works.'
	assert_exit 0
	assert_silent
	assert_recipients 1 alice@example.net
	[ "$(sender_of 1)" = joe@example.org ] || fail_with "sender is $(sender_of 1)"
	assert_no_secret "$JOES_PASSWORD"
}

@test "README: a file goes to the recipients in its header, and Bcc is removed" {
	use_readme_configuration
	run_mailcrane -t <"$BATS_TEST_TMPDIR/letter.eml"
	assert_exit 0
	assert_recipients 1 alice@example.net bob@example.net
	assert_header 1 Bcc ""
}

@test "README: several files go over one connection, with a line about each" {
	use_readme_configuration
	cd "$BATS_TEST_TMPDIR"
	cp letter.eml one.eml
	cp letter.eml two.eml
	run_mailcrane --message one.eml --message two.eml alice@example.net bob@example.net
	assert_exit 0
	assert_stdout "one.eml: 2 recipients: 250 2.0.0"
	assert_stdout "two.eml: 2 recipients: 250 2.0.0"
	assert_received 2
	stop_peer
	assert_summary connections 1
}

@test "README: PHP, mutt, git and cron call it as they call sendmail" {
	use_readme_configuration
	run_mailcrane -t -i <"$BATS_TEST_TMPDIR/letter.eml"
	assert_exit 0
	run_mailcrane -oem -oi -f joe@example.org -- alice@example.net <"$BATS_TEST_TMPDIR/letter.eml"
	assert_exit 0
	run_mailcrane -i alice@example.net <"$BATS_TEST_TMPDIR/letter.eml"
	assert_exit 0
	run_as sendmail -FCronDaemon -i -B8BITMIME -oem root@example.net <"$BATS_TEST_TMPDIR/letter.eml"
	assert_exit 0
	assert_silent
	assert_received 4
}

@test "README: operations of sendmail that are not there are refused with 64" {
	local option

	for option in -bd -bt; do
		run_as sendmail $option </dev/null
		assert_exit 64
		assert_stderr "hint: "
	done
}

@test "README: a refused recipient does not stop the others, unless --atomic is given" {
	use_readme_configuration
	run_mailcrane alice@example.net perm@example.net <"$BATS_TEST_TMPDIR/letter.eml"
	assert_exit 67
	assert_received 1
	assert_stderr "perm@example.net refused (recipient): 550"
	run_mailcrane --atomic alice@example.net perm@example.net <"$BATS_TEST_TMPDIR/letter.eml"
	assert_exit 67
	assert_received 1
}

@test "mailcrane(1): --pretend and --print-config tell what would be used, without a message" {
	use_readme_configuration
	run_mailcrane --pretend -f joe@example.org alice@example.net
	assert_exit 0
	assert_stdout "account chosen by envelope from address joe@example.org: work"
	assert_stdout "recipient = alice@example.net"
	run_mailcrane --print-config -f joe@example.org
	assert_exit 0
	assert_stdout "# $HOME/.mailcranerc:"
}

@test "mailcrane(1): --serverinfo with --host needs no configuration" {
	use_readme_configuration
	rm "$HOME/.mailcranerc"
	run_mailcrane --serverinfo --host=localhost --port="$PORT" --tls --tls-trust-file="$BATS_TEST_TMPDIR/certs/ca.pem"
	assert_exit 0
	assert_stdout "SMTP server at localhost"
	assert_stdout "SHA256: "
	refute_wire_like '^AUTH'
}

@test "the log line has the form that mailcrane(1) describes" {
	local line

	use_readme_configuration
	run_mailcrane -X "$HOME/log" alice@example.net perm@example.net temp@example.net <"$BATS_TEST_TMPDIR/letter.eml"
	assert_exit 67
	run_mailcrane -X "$HOME/log" alice@example.net <"$BATS_TEST_TMPDIR/letter.eml"
	line='^[A-Z][a-z]{2} [0-9 ]{2} [0-9:]{8} host=localhost tls=on auth=on user=joe from=joe@example.org recipients=[^ ]* '
	grep -Eq "${line}smtpstatus=550 smtpmsg='550 5[^']*' errormsg='[^']*\\\\n[^']*' exitcode=EX_NOUSER\$" "$HOME/log" ||
		fail_with "no such line" "$(cat "$HOME/log")"
	grep -Eq "${line}mailsize=[0-9]+ smtpstatus=250 smtpmsg='250 2[^']*' exitcode=EX_OK\$" "$HOME/log" ||
		fail_with "no such line" "$(cat "$HOME/log")"
	[ "$(stat -c %a "$HOME/log")" = 600 ] || fail_with "mode of the log file"
}

@test "every account of doc/mailcranerc.example can be read" {
	local account

	cp "$SRCDIR/doc/mailcranerc.example" "$HOME/.mailcranerc"
	chmod 600 "$HOME/.mailcranerc"
	for account in work home list token nas store default; do
		run_mailcrane -a $account --pretend
		assert_exit 0
		assert_stdout "using account $account from"
	done
}

@test "every example of a configuration in mailcranerc(5) can be read" {
	local number count

	# The blocks with an account line, one file each.
	awk -v folder="$BATS_TEST_TMPDIR" '/^\.Bd -literal/ { text = ""; inside = 1; next }
		/^\.Ed/ { if (inside && text ~ /\naccount |^account /) printf "%s", text > (folder "/example" ++n); inside = 0 }
		inside { if (sub(/\\e$/, "")) text = text $0; else text = text $0 "\n" }' "$SRCDIR/doc/mailcranerc.5"
	count=$(find "$BATS_TEST_TMPDIR" -name 'example*' | wc -l)
	[ "$count" -ge 4 ] || fail_with "only $count examples found"
	for ((number = 1; number <= count; number++)); do
		chmod 600 "$BATS_TEST_TMPDIR/example$number"
		run_mailcrane -C "$BATS_TEST_TMPDIR/example$number" --pretend
		assert_exit 0
	done
}

# The lines of the entry of SETTING in mailcranerc(5).
entry_of() {
	awk -v name="$1" '/^\.It / { inside = $3 == name } inside' "$SRCDIR/doc/mailcranerc.5"
}

@test "mailcranerc(5): what cron, PHP and smartd write becomes what the page shows" {
	local rules number=0 line written shown=()

	rules=$(entry_of identity | sed -n '/^identity .*=/p')
	mapfile -t shown < <(entry_of identity | grep '^From: ' | sed "s/@box\\b/@$(uname -n)/g")
	[ "${#shown[@]}" -ge 6 ] || fail_with "only ${#shown[@]} lines are shown"
	start_peer
	printf 'host 127.0.0.1\nport %s\n%s\n' "$PORT" "$rules" | write_config
	for ((line = 0; line < ${#shown[@]}; line += 2)); do
		number=$((number + 1))
		written=${shown[line]}
		run_mailcrane --read-envelope-from alice@example.net <<<"$written"$'\nSubject: s\n\nx'
		assert_exit 0
		assert_header "$number" From "${shown[line + 1]#From: }"
		[[ ${shown[line + 1]} == *"<$(sender_of "$number")>" ]] || fail_with "sender is $(sender_of "$number")"
	done
}

@test "a lone dot ends the message with --lone-dot=end, also when the sender is read from the message" {
	use_readme_configuration
	run_mailcrane --lone-dot=end --read-envelope-from -t < <(cat "$BATS_TEST_TMPDIR/letter.eml"; printf '.\nmore\n')
	assert_exit 0
	! grep -q more "$(received 1)" || fail_with "the message goes on behind the dot"
	run_mailcrane --read-envelope-from -t < <(cat "$BATS_TEST_TMPDIR/letter.eml"; printf '.\nmore\n')
	assert_exit 0
	grep -q more "$(received 2)" || fail_with "the message ends at the dot"
}
