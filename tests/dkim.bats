# dkim.bats - what is signed by DKIM, with dkimpy as the judge.

# shellcheck disable=SC2154 # $stderr is set by run

load lib/common
load lib/dkim
load lib/user

setup() {
	setup_home
	dkim_require
	DKIM_ZONE=$BATS_TEST_TMPDIR/zone
	dkim_key "$HOME/rsa.pem" mail example.test rsa
	dkim_key "$HOME/ed25519.pem" mail2 example.test ed25519
	difficult_message >"$HOME/message"
}

teardown() {
	stop_peer
}

RSA="a=rsa-sha256 d=example.test pass"
ED25519="a=ed25519-sha256 d=example.test pass"

# A peer with ARGS, and an account that signs by both keys; stdin is further lines.
serve_signed() {
	SERVE_LINES="dkim_domain example.test
dkim_selector mail
dkim_key_file ~/rsa.pem
dkim_selector2 mail2
dkim_key_file2 ~/ed25519.pem" serve "$@"
}

# A message with everything that canonicalisation and the wire change.
difficult_message() {
	printf 'From: "Joe  J" <joe@example.test>\nTo: alice@example.net,\n\t bob@example.net\nSubject:  two\n  lines \t \n'
	printf 'Received: from nowhere\nX-Other: x\nMIME-Version: 1.0\nList-Unsubscribe: <https://example.test/u>\n'
	printf 'List-Unsubscribe-Post: List-Unsubscribe=One-Click\n\n\n.\n..dots\n  a \t b \t \n\t\n\nend\n\n \n\n'
}

@test "a message is verified by both keys, sent by DATA and by BDAT" {
	local keyword

	for keyword in CHUNKING "SIZE 1000000"; do
		serve_signed --strict --ehlo PIPELINING --ehlo "$keyword" </dev/null
		run_mailcrane alice@example.net <"$HOME/message"
		assert_exit 0
		assert_silent
		assert_no_violation
		assert_verdicts 1 "$RSA" "$ED25519"
		stop_peer
		rm -rf "$PEER_DIR"
	done
}

@test "each key alone signs" {
	serve <<-END
		dkim_domain example.test
		dkim_selector mail2
		dkim_key_file $HOME/ed25519.pem
	END
	run_mailcrane alice@example.net <"$HOME/message"
	assert_exit 0
	assert_verdicts 1 "$ED25519"
	run_mailcrane --dkim-selector=mail --dkim-key-file="$HOME/rsa.pem" alice@example.net <<<$'From: joe@example.test\n\nx'
	assert_exit 0
	assert_verdicts 2 "$RSA"
}

@test "the judge is a judge: a changed text, a changed field, a second From, another key" {
	serve_signed </dev/null
	run_mailcrane alice@example.net <"$HOME/message"
	assert_exit 0
	cp "$(received 1)" "$BATS_TEST_TMPDIR/good"
	sed -i 's/^end/End/' "$(received 1)"
	assert_verdicts 1 "${RSA/pass/fail}" "${ED25519/pass/fail}"
	sed 's/^Subject:  two/Subject:  three/' "$BATS_TEST_TMPDIR/good" >"$(received 1)"
	assert_verdicts 1 "${RSA/pass/fail}" "${ED25519/pass/fail}"
	sed '0,/^From: /s//From: evil@example.test\r\n&/' "$BATS_TEST_TMPDIR/good" >"$(received 1)"
	assert_verdicts 1 "${RSA/pass/fail}" "${ED25519/pass/fail}"
	sed '0,/^Received: /s//Received: by a relay\r\nX-New: y\r\n&/' "$BATS_TEST_TMPDIR/good" >"$(received 1)"
	assert_verdicts 1 "$RSA" "$ED25519"
	cp "$BATS_TEST_TMPDIR/good" "$(received 1)"
	sed -i '/^mail\._/d' "$DKIM_ZONE"
	dkim_key "$HOME/other.pem" mail example.test rsa
	assert_verdicts 1 "${RSA/pass/fail}" "$ED25519"
}

@test "the field is folded, says what it must, and has no l=, t= and x=" {
	local field

	serve_signed </dev/null
	run_mailcrane alice@example.net <"$HOME/message"
	assert_exit 0
	[ "$(headers <"$(received 1)" | tr -d '\r' | sed -n '1,/^Date:/p' | wc -L)" -le 78 ] || fail_with "a line is too long"
	field=$(header_of 1 DKIM-Signature | head -n 1 | sed 's/: /:/g')
	[[ $field == "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.test; s=mail; h=from:from:subject:date:to:message-id:"* ]] ||
		fail_with "another field: $field"
	[[ $field == *"list-unsubscribe:list-unsubscribe-post; bh="*"; b="* ]] || fail_with "another field: $field"
	! grep -Eq ' [ltx]=' <<<"$field" || fail_with "a tag too many: $field"
}

@test "an 8-bit text is signed in a form that every server on the way takes" {
	serve_signed --ehlo 8BITMIME --ehlo SMTPUTF8 --ehlo PIPELINING </dev/null
	run_mailcrane alice@example.net <<<$'From: joe@example.test\nSubject: caf\xc3\xa9\n\ngr\xc3\xbc\xc3\x9fe\n'
	assert_exit 0
	assert_silent
	assert_header 1 Content-Transfer-Encoding quoted-printable
	assert_verdicts 1 "$RSA" "$ED25519"
	stop_peer
	rm -rf "$PEER_DIR"
	serve_signed --ehlo PIPELINING </dev/null
	run_mailcrane alice@example.net <<<$'From: joe@example.test\nSubject: caf\xc3\xa9\n\ngr\xc3\xbc\xc3\x9fe\n'
	assert_exit 0
	assert_header 1 Subject '=?UTF-8?B?Y2Fmw6k=?='
	assert_verdicts 1 "$RSA" "$ED25519"
}

@test "what cannot be re-encoded is signed as it is, and no server is blamed for it" {
	serve_signed --ehlo 8BITMIME </dev/null
	printf 'From: joe@example.test\nMIME-Version: 1.0\nContent-Type: multipart/signed; boundary=b; protocol=x; micalg=y\n\n--b\nContent-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\ngr\xc3\xbcn\n--b\nContent-Type: x/y\n\nz\n--b--\n' >"$HOME/message"
	run_mailcrane alice@example.net <"$HOME/message"
	assert_exit 0
	assert_silent
	assert_verdicts 1 "$RSA" "$ED25519"
}

@test "a line that is too long is re-encoded before it is signed; with repair off it is signed as it is" {
	serve_signed </dev/null
	{ printf 'From: joe@example.test\n\n'; printf '%03001d\n' 7; } >"$BATS_TEST_TMPDIR/long"
	run_mailcrane alice@example.net <"$BATS_TEST_TMPDIR/long"
	assert_exit 0
	assert_header 1 Content-Transfer-Encoding quoted-printable
	assert_verdicts 1 "$RSA" "$ED25519"
	run_mailcrane --repair=off alice@example.net <"$BATS_TEST_TMPDIR/long"
	assert_exit 0
	[ -z "$(header_of 2 Content-Transfer-Encoding)" ] || fail_with "something was encoded"
	assert_verdicts 2 "$RSA" "$ED25519"
}

@test "a message that does not fit into memory is signed" {
	serve_signed </dev/null
	{ printf 'From: joe@example.test\n\n'; yes 'a line  of a long text ' | head -c 2000000; printf '\n\n\n'; } >"$HOME/message"
	run_mailcrane alice@example.net <"$HOME/message"
	assert_exit 0
	assert_verdicts 1 "$RSA" "$ED25519"
}

@test "a message without text is signed" {
	serve_signed </dev/null
	run_mailcrane alice@example.net <<<'From: joe@example.test'
	assert_exit 0
	assert_verdicts 1 "$RSA" "$ED25519"
}

@test "several messages are signed each, over one connection" {
	serve_signed </dev/null
	printf 'From: joe@example.test\n\ntwo\n' >"$HOME/two"
	run_mailcrane --message="$HOME/message" --message="$HOME/two" alice@example.net
	assert_exit 0
	assert_received 2
	assert_verdicts 1 "$RSA" "$ED25519"
	assert_verdicts 2 "$RSA" "$ED25519"
	assert_wire_count 1 EHLO
}

@test "a domain below dkim_domain is signed for; others, and no From, are not, and --debug tells" {
	serve_signed <<<"set_from_header off"
	run_mailcrane --debug alice@example.net <<<$'From: joe@sub.Example.TEST\n\nx'
	assert_exit 0
	assert_verdicts 1 "$RSA" "$ED25519"
	assert_stderr "* signed for example.test"
	run_mailcrane --debug alice@example.net <<<$'From: joe@example.net\n\nx'
	assert_exit 0
	assert_verdicts 2
	assert_stderr "* not signed for example.test: From is not at dkim_domain or below it"
	run_mailcrane alice@example.net <<<$'Subject: s\n\nx'
	assert_exit 0
	assert_verdicts 3
}

@test "identity comes first: what cron writes is signed as what it becomes" {
	serve_signed <<<"identity ops@example.test"
	run_mailcrane -f root alice@example.net <<<$'From: root (Cron Daemon)\nTo: root\n\nout'
	assert_exit 0
	[[ $(header_of 1 From) == *"<ops@example.test>" ]] || fail_with "another From"
	assert_verdicts 1 "$RSA" "$ED25519"
}

@test "a domain with other letters than ASCII is one by its A-labels" {
	dkim_key "$HOME/idn.pem" mail xn--bcher-kva.test ed25519
	serve <<-END
		dkim_domain b"$(printf '\303\274')"cher.test
		dkim_selector mail
		dkim_key_file ~/idn.pem
	END
	sed -i 's/^dkim_domain.*/dkim_domain b\xc3\xbccher.test/' "$HOME/.mailcranerc"
	run_mailcrane alice@example.net <<<$'From: joe@xn--bcher-kva.test\n\nx'
	assert_exit 0
	assert_verdicts 1 "a=ed25519-sha256 d=xn--bcher-kva.test pass"
}

# The text that the client sent in connection N.
sent_text() {
	sed -n "s/^$1 [0-9]* //p" "$PEER_LOG" | awk '/^C: (DATA|QUIT)$/ { is_text = ($2 == "DATA"); next } is_text && /^C: /'
}

@test "an attempt from the queue sends the same bytes, signatures included" {
	QUEUE=
	serve_signed --log-body --ehlo PIPELINING --fault 'dot*1:close' </dev/null
	run_mailcrane alice@example.net <"$HOME/message"
	assert_exit 0
	assert_received 0
	run_mailcrane -qf
	assert_received 1
	assert_verdicts 1 "$RSA" "$ED25519"
	sent_text 1 >"$BATS_TEST_TMPDIR/first"
	sent_text 2 >"$BATS_TEST_TMPDIR/second"
	[ "$(grep -c '^C: DKIM-Signature' "$BATS_TEST_TMPDIR/first")" -eq 2 ] || fail_with "the log has no signed text"
	assert_same_bytes "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/second"
}

@test "without its key nothing is sent: 78, or the account is on hold and the mail waits" {
	serve_signed </dev/null
	mv "$HOME/rsa.pem" "$HOME/away.pem"
	run_mailcrane alice@example.net <"$HOME/message"
	assert_exit 78
	assert_stderr "account default: dkim_key_file: cannot open $HOME/rsa.pem: No such file or directory"
	assert_stderr "hint: mailcranerc(5) tells"
	refute_log_line connect
	QUEUE=
	run_mailcrane alice@example.net <"$HOME/message"
	assert_exit 0
	run_mailcrane --mailq
	assert_stdout "rsa.pem"
	run_mailcrane -qf
	run_mailcrane --mailq
	assert_stdout "alice@example.net"
	refute_log_line connect
	mv "$HOME/away.pem" "$HOME/rsa.pem"
	run_mailcrane -qf
	assert_received 1
	assert_verdicts 1 "$RSA" "$ED25519"
}

@test "a key that others may read is refused, with the command that mends it" {
	setup_ordinary_user
	start_peer
	printf 'host 127.0.0.1\nport %s\nfrom joe@example.test\ndkim_domain example.test\ndkim_selector mail\ndkim_key_file ~/rsa.pem\n' \
		"$PORT" | write_ordinary_file "$HOME/.mailcranerc" 600
	chown "$ORDINARY_UID:$ORDINARY_UID" "$HOME/rsa.pem"
	chmod 644 "$HOME/rsa.pem"
	run_as_ordinary_user alice@example.net <<<$'From: joe@example.test\n\nx'
	assert_exit 78
	assert_stderr "dkim_key_file: $HOME/rsa.pem: contains secrets and therefore must be closed to others, but its mode is 0644"
	assert_stderr "hint: chmod 600 $HOME/rsa.pem"
	bash -c "${stderr##*hint: }"
	run_as_ordinary_user alice@example.net <<<$'From: joe@example.test\n\nx'
	assert_exit 0
	assert_verdicts 1 "$RSA"
}

@test "a key that is none, is too short or of another kind is told with what would be right" {
	serve_signed </dev/null
	echo nothing >"$HOME/rsa.pem"
	run_mailcrane alice@example.net <<<'From: joe@example.test'
	assert_exit 78
	assert_stderr "dkim_key_file: $HOME/rsa.pem is no private key in PEM form"
	assert_stderr "hint: 'openssl genpkey -algorithm rsa"
	openssl genrsa 1024 >"$HOME/rsa.pem" 2>/dev/null
	run_mailcrane alice@example.net <<<'From: joe@example.test'
	assert_exit 78
	assert_stderr "a key of 1024 bits that DKIM has no use for"
	assert_stderr "hint: it takes RSA keys of 2048 to 4096 bits, and Ed25519 keys"
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 >"$HOME/rsa.pem" 2>/dev/null
	run_mailcrane alice@example.net <<<'From: joe@example.test'
	assert_exit 78
	assert_stderr "that DKIM has no use for"
	refute_log_line connect
}

@test "settings that are not enough, or not right, are refused" {
	local lines

	for lines in "dkim_domain example.test" "dkim_domain example.test|dkim_selector mail" "dkim_selector mail|dkim_key_file ~/rsa.pem" \
		"dkim_domain example.test|dkim_selector mail|dkim_key_file ~/rsa.pem|dkim_selector2 x" "dkim_domain a b" "dkim_selector a;b"; do
		{ printf 'host 127.0.0.1\nport 1\n'; tr '|' '\n' <<<"$lines"; } | write_config
		run_mailcrane --pretend
		assert_exit 78
		assert_stderr "dkim_"
	done
	printf 'host 127.0.0.1\nport 1\ndkim_domain example.test\ndkim_selector mail\ndkim_key_file ~/rsa.pem\n' | write_config
	run_mailcrane --pretend
	assert_exit 0
	assert_stdout "dkim_key_file = $HOME/rsa.pem"
}
