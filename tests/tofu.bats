# tofu.bats - trust on first use: the first key of a server is told and kept, another one is refused.

# shellcheck disable=SC2154,SC2034 # $stderr is set by run, QUEUE read by the library

load lib/common

setup() {
	setup_home
	CERTS=$BATS_TEST_TMPDIR/certs
	KNOWN=$HOME/.local/state/mailcrane/known-keys
	printf 'From: joe@example.test\nSubject: s\n\nhello\n' >"$HOME/message"
	command -v openssl >/dev/null || skip "openssl is not installed"
}

teardown() {
	stop_peer
}

# An account at localhost that trusts on first use; further lines are arguments.
tofu_account() {
	{
		printf 'host localhost\nport %s\ntls on\ntls_tofu on\nfrom joe@example.test\nlogfile %s\n' "$PORT" "$HOME/log"
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} | write_config
}

send() {
	run_mailcrane alice@example.net <"$HOME/message"
}

# A peer with a certificate of its own making in DIR, on the port of the first one if there was one.
start_tls_peer() {
	start_peer --tls starttls --make-cert "$CERTS" --cert-fault self-signed --cert-name nas.invalid "$@"
}

# End the peer; the next one begins with an empty log. Its PORT stays known.
end_peer() {
	stop_peer
	rm -rf "$PEER_DIR"
}

# The peer is replaced by one with another key at the same address.
replace_peer() {
	end_peer
	start_tls_peer --listen "127.0.0.1:$PORT"
}

pin_of() {
	printf 'sha256/'
	openssl x509 -in "$CERTS/cert.pem" -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64
}

assert_not_trusted() {
	assert_wire_count 1 STARTTLS && refute_wire_like '^(MAIL|RCPT|AUTH|DATA|BDAT)' && assert_received 0
}

@test "the first key is trusted, told on stderr and in the log, and kept in a file that is closed to others" {
	start_tls_peer
	tofu_account
	send
	assert_exit 0
	assert_stderr "account default: first contact with localhost:$PORT: its key $(pin_of) is trusted from now on"
	assert_received 1
	grep -q "first contact with localhost:$PORT: its key $(pin_of)" "$HOME/log" || fail_with "nothing in the log"
	[ "$(stat -c %a "$KNOWN")" = 600 ]
	[ "$(cut -d ' ' -f 1,2 "$KNOWN")" = "localhost:$PORT $(pin_of)" ]
}

@test "the second contact is silent" {
	start_tls_peer
	tofu_account
	send
	assert_exit 0
	send
	assert_exit 0
	assert_silent
	assert_received 2
	[ "$(wc -l <"$KNOWN")" -eq 1 ]
}

@test "another key is refused with both keys, and the hint is a command that accepts it" {
	local old new

	start_tls_peer
	tofu_account
	send
	assert_exit 0
	old=$(pin_of)
	replace_peer
	new=$(pin_of)
	send
	assert_exit 69
	assert_stderr "account default: localhost: the server has another key than before: localhost:$PORT has $new, known is $old since 20"
	assert_stderr "hint: "
	assert_not_trusted

	hint=$(sed -n "s/.*accept it by 'mailcrane \(.*\)' and send again$/\1/p" <<<"$stderr")
	[ -n "$hint" ] || fail_with "there is no command"
	eval "run_mailcrane $hint"
	assert_exit 0
	assert_silent
	send
	assert_exit 0
	assert_stderr "first contact with localhost:$PORT: its key $new"
	send
	assert_silent
}

@test "--forget-key forgets one server, in small letters, and says when there is none" {
	start_tls_peer
	tofu_account
	send
	assert_exit 0
	echo "other.test:25 sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= 2026-01-01T00:00:00Z" >>"$KNOWN"
	QUEUE=
	run_mailcrane --forget-key="LOCALHOST:$PORT"
	assert_exit 0
	assert_silent
	[ "$(cut -d ' ' -f 1 "$KNOWN")" = other.test:25 ]
	echo "xn--bcher-kva.test:25 sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= 2026-01-01T00:00:00Z" >>"$KNOWN"
	run_mailcrane --forget-key="Bücher.test:25"
	assert_exit 0
	[ "$(cut -d ' ' -f 1 "$KNOWN")" = other.test:25 ]
	echo "[2001:db8::a]:25 sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= 2026-01-01T00:00:00Z" >>"$KNOWN"
	run_mailcrane --forget-key="[2001:DB8::A]:25"
	assert_exit 0
	[ "$(cut -d ' ' -f 1 "$KNOWN")" = other.test:25 ]
	run_mailcrane --forget-key="localhost:$PORT"
	assert_exit 66
	assert_stderr "no key of 'localhost:$PORT' is known"
	run_mailcrane --forget-key=other.test:25 third.test:25
	assert_exit 66
	assert_stderr "third.test:25"
	[ ! -s "$KNOWN" ]
}

@test "another port is another server" {
	start_tls_peer
	tofu_account
	send
	assert_exit 0
	start_tls_peer
	tofu_account
	send
	assert_exit 0
	assert_stderr "first contact with localhost:$PORT"
	[ "$(wc -l <"$KNOWN")" -eq 2 ]
}

@test "neither name nor authority matter, and a good authority does not make up for another key" {
	start_peer --tls starttls --make-cert "$CERTS"
	tofu_account "tls_trust_file $CERTS/ca.pem"
	send
	assert_exit 0
	assert_stderr "first contact"
	end_peer
	start_peer --tls starttls --make-cert "$CERTS" --listen "127.0.0.1:$PORT"
	tofu_account "tls_trust_file $CERTS/ca.pem"
	send
	assert_exit 69
	assert_stderr "the server has another key than before"
	assert_not_trusted
}

@test "an empty tls_trust_file goes with it" {
	start_tls_peer
	tofu_account "tls_trust_file"
	send
	assert_exit 0
	assert_received 1
}

@test "a new certificate with the same key is the same server" {
	start_tls_peer
	tofu_account
	send
	assert_exit 0
	openssl req -x509 -key "$CERTS/key.pem" -days 9 -subj "/CN=renewed" -out "$BATS_TEST_TMPDIR/renewed.pem"
	cp "$CERTS/key.pem" "$BATS_TEST_TMPDIR/key.pem"
	end_peer
	start_peer --tls starttls --listen "127.0.0.1:$PORT" --cert "$BATS_TEST_TMPDIR/renewed.pem" --key "$BATS_TEST_TMPDIR/key.pem"
	send
	assert_exit 0
	assert_silent
	assert_received 1
}

@test "a certificate that has expired is refused at the first contact, and the key not kept" {
	start_peer --tls starttls --make-cert "$CERTS" --cert-fault expired
	tofu_account
	send
	assert_exit 69
	assert_stderr "certificate has expired on 20"
	assert_not_trusted
	[ ! -e "$KNOWN" ]
}

@test "it is refused as well when the key is known" {
	start_peer --tls starttls --make-cert "$CERTS" --cert-fault expired
	tofu_account
	mkdir -p "${KNOWN%/*}" && chmod 700 "${KNOWN%/*}"
	(umask 077 && echo "localhost:$PORT $(pin_of) 2026-01-01T00:00:00Z" >"$KNOWN")
	send
	assert_exit 69
	assert_stderr "certificate has expired on 20"
	assert_not_trusted
}

@test "a certificate of tomorrow, and a key that is too weak, are refused" {
	start_peer --tls starttls --make-cert "$CERTS" --cert-fault not-yet
	tofu_account
	send
	assert_exit 69
	assert_stderr "not yet valid before 20"
	assert_not_trusted

	start_peer --tls starttls --make-cert "$CERTS" --cert-fault rsa1024
	tofu_account
	send
	assert_exit 69
	assert_stderr "too weak: RSA with 1024 bits"
	assert_not_trusted
	[ ! -e "$KNOWN" ]
}

@test "many calls at once meet the server together, and each message arrives" {
	local n pids=() failures=0

	start_tls_peer
	tofu_account
	for n in 1 2 3 4 5 6 7 8; do
		clean_environment timeout 50 "$MAILCRANE" --queue=off alice@example.net <"$HOME/message" 2>"$HOME/stderr$n" 3>&- 4>&- &
		pids+=($!)
	done
	for n in "${pids[@]}"; do
		wait "$n" || failures=$((failures + 1))
	done
	[ "$failures" -eq 0 ] || fail_with "$failures calls failed" "$(cat "$HOME"/stderr*)"
	assert_received 8
	[ "$(wc -l <"$KNOWN")" -eq 1 ]
	grep -q "first contact" "$HOME"/stderr* || fail_with "nobody was told"
}

@test "a file of known keys that is a link, or open to others, is not used" {
	start_tls_peer
	tofu_account
	send
	assert_exit 0
	chmod 644 "$KNOWN"
	send
	assert_exit 78
	assert_stderr "is open to other users: mode 0644"
	assert_stderr "hint: "
	mv "$KNOWN" "$HOME/elsewhere"
	chmod 600 "$HOME/elsewhere"
	ln -s "$HOME/elsewhere" "$KNOWN"
	send
	assert_exit 78
	assert_stderr "cannot open the file of known keys $KNOWN"
	assert_received 1
}

@test "a key that cannot be kept is not trusted" {
	start_tls_peer
	tofu_account
	mkdir -p "$KNOWN.new" "$KNOWN.lock" && chmod 700 "${KNOWN%/*}"
	send
	assert_exit 73
	assert_stderr "cannot lock the file of known keys"
	assert_not_trusted
}

@test "the file is where queue_dir is, and the hint leads there" {
	start_tls_peer
	tofu_account "queue_dir $HOME/a queue"
	send
	assert_exit 0
	[ -s "$HOME/a queue/known-keys" ] && [ ! -e "$KNOWN" ]
	replace_peer
	send
	assert_exit 69
	hint=$(sed -n "s/.*accept it by 'mailcrane \(.*\)' and send again$/\1/p" <<<"$stderr")
	eval "run_mailcrane $hint"
	assert_exit 0
	[ ! -s "$HOME/a queue/known-keys" ]
}

@test "with the queue on, another key puts the message and the account on hold, with the hint" {
	start_tls_peer
	tofu_account
	QUEUE=
	send
	assert_exit 0
	replace_peer
	send
	assert_exit 0
	assert_not_trusted
	run_mailcrane --mailq
	assert_stdout "another key than before"
	grep -q -e "another key than before.*--forget-key=localhost:$PORT" "$HOME/log" || fail_with "nothing in the log" "$(cat "$HOME/log")"
}

@test "a first contact in a flush is told" {
	start_tls_peer
	tofu_account
	QUEUE=always
	send
	assert_exit 0
	assert_silent
	QUEUE=
	run_mailcrane --flush
	assert_exit 0
	assert_stderr "first contact with localhost:$PORT"
	grep -q "first contact" "$HOME/log" || fail_with "nothing in the log"
	assert_received 1
}

@test "under the name sendmail a first contact is told in the log alone" {
	start_tls_peer
	tofu_account
	run_as sendmail alice@example.net <"$HOME/message"
	assert_exit 0
	assert_silent
	grep -q "first contact with localhost:$PORT" "$HOME/log" || fail_with "nothing in the log"
	assert_received 1
}

@test "--serverinfo is a contact like any other" {
	start_tls_peer
	tofu_account
	run_mailcrane --serverinfo
	assert_exit 0
	assert_stderr "first contact with localhost:$PORT"
	run_mailcrane --serverinfo
	assert_exit 0
	[ -z "$stderr" ]
}

@test "tls_fingerprint, tls_pin only and tls_certcheck off leave nothing to first use" {
	local line

	start_tls_peer
	for line in "tls_pin only $(pin_of)" "tls_certcheck off" \
		"tls_fingerprint $(openssl x509 -in "$CERTS/cert.pem" -noout -fingerprint -sha256 | sed 's/.*=//')"; do
		tofu_account "$line"
		send
		assert_exit 0
		assert_silent
	done
	[ ! -e "$KNOWN" ]
}

@test "tls_pin counts beside it, and a key that it refuses is not kept" {
	start_tls_peer
	tofu_account "tls_pin sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	send
	assert_exit 69
	assert_stderr "not among those of tls_pin"
	assert_not_trusted
	[ ! -e "$KNOWN" ]
	tofu_account "tls_pin $(pin_of)"
	send
	assert_exit 0
	assert_stderr "first contact"
}

@test "it works with TLS from the first byte, with TLS 1.2, and with addresses" {
	start_peer --listen "[::1]:0" --tls implicit --tls-max 1.2 --make-cert "$CERTS" --cert-fault self-signed
	tofu_account "tls_starttls off" "host ::1"
	send
	assert_exit 0
	assert_stderr "first contact with [::1]:$PORT: its key $(pin_of)"
	send
	assert_exit 0
	assert_silent
}

@test "a handshake that breaks off leaves no key behind" {
	start_tls_peer --fault handshake:close
	tofu_account
	send
	assert_exit 75
	[ ! -e "$KNOWN" ]
}
