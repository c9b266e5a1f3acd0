# relay.bash - what the tests with real servers share: the account, the messages and what arrived.

load_relay() {
	local part

	for part in namespace certificate dovecot postfix; do
		# shellcheck disable=SC1090 # four files of this folder
		. "$SRCDIR/tests/lib/$part.bash"
	done
}

# No mail in any mailbox; the logs are read from here on.
relay_reset() {
	setup_home
	rm -rf "${RIG:?}/mail/"*
	POSTFIX_LOG_START=$(($(wc -l <"$RIG/postfix.log") + 1))
	DOVECOT_LOG_START=$(($(wc -l <"$RIG/dovecot.log") + 1))
}

# The servers' logs since relay_reset.
postfix_log() {
	tail -n "+$POSTFIX_LOG_START" "$RIG/postfix.log"
}

dovecot_log() {
	tail -n "+$DOVECOT_LOG_START" "$RIG/dovecot.log"
}

# On a failed test, what the servers thought of it (bats shows it with the failure).
relay_show_logs() {
	if [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -n "${POSTFIX_LOG_START:-}" ]; then
		echo "--- postfix.log" && postfix_log
		echo "--- dovecot.log" && dovecot_log
	fi
}

# The account of joe at localhost:PORT; further lines come from the arguments.
relay_config() {
	local line

	{
		printf 'host localhost\nport %s\n' "$1"
		printf 'from joe@example.test\n'
		shift
		for line; do
			printf '%s\n' "$line"
		done
	} | write_config
}

# The account of joe at localhost:PORT, who authenticates by MECHANISM over TLS; further lines come from the arguments.
# RELAY_PASSWORD and RELAY_TRUST replace the right password and the right authority.
relay_account() {
	local port=$1 mechanism=$2

	shift 2
	register_secret "${RELAY_PASSWORD:-$DOVECOT_PASSWORD}"
	relay_config "$port" "tls on" "tls_trust_file ${RELAY_TRUST:-$RIG/tls/ca.pem}" \
		"auth $mechanism" "user joe" "password ${RELAY_PASSWORD:-$DOVECOT_PASSWORD}" "$@"
}

# A complete message on stdout, so that nothing needs to be added; its body is stdin.
relay_message() {
	cat <<-END
		From: Joe <joe@example.test>
		To: Alice <alice@example.test>
		Subject: ${1:-a subject}
		Date: Sat, 01 Jan 2000 00:00:00 +0000
		Message-ID: <$BATS_TEST_NUMBER.relay@example.test>
		MIME-Version: 1.0
		Content-Type: text/plain; charset=utf-8
		Content-Transfer-Encoding: 8bit

	END
	cat
}

# FILE for alice, with the configuration as it is: silence, exit 0, and the mailbox has it byte for byte.
assert_sends() {
	run_mailcrane alice@example.test <"$1"
	assert_exit 0 && assert_silent && assert_delivered alice@example.test "$1"
}

# The files in the mailbox of ADDRESS.
mailbox() {
	find "$RIG/mail/$1/new" -type f 2>/dev/null | sort
}

# ADDRESS has got N messages.
assert_mailbox() {
	local found

	postfix_wait_delivered || return 1
	found=$(mailbox "$1" | wc -l)
	[ "$found" -eq "$2" ] || fail_with "$found messages for $1, $2 expected" "$(find "$RIG/mail" -type f)"
}

# A delivered message without what the servers put before it.
without_trace() {
	awk '
		passed { print; next }
		/^(Return-Path|X-Original-To|Delivered-To|Received):/ { skipping = 1; next }
		skipping && /^[ \t]/ { next }
		{ passed = 1; print }' "$1"
}

# The only message for ADDRESS is FILE, byte for byte.
assert_delivered() {
	assert_mailbox "$1" 1 || return 1
	without_trace "$(mailbox "$1")" >"$BATS_TEST_TMPDIR/delivered"
	assert_same_bytes "$2" "$BATS_TEST_TMPDIR/delivered"
}

# A line of Postfix' log matches the extended regular expression.
assert_postfix_log() {
	postfix_log | grep -Eq -- "$1" || fail_with "Postfix logged nothing like: $1"
}

refute_postfix_log() {
	! postfix_log | grep -E -- "$1" || fail_with "Postfix logged something like: $1"
}

# Postfix' one line about the conversation ("ehlo=2 starttls=1 auth=1 ...") matches the extended regular expression.
assert_conversation() {
	wait_until 10 eval 'postfix_log | grep -q ": disconnect from "' || return 1
	postfix_log | grep ': disconnect from ' | grep -Eq -- "$1" || fail_with "Postfix saw no conversation like: $1"
}

refute_conversation() {
	wait_until 10 eval 'postfix_log | grep -q ": disconnect from "' || return 1
	! postfix_log | grep ': disconnect from ' | grep -Eq -- "$1" || fail_with "Postfix saw a conversation like: $1"
}
