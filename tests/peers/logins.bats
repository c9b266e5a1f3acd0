# logins.bats - every login that Postfix (587, 465) and Dovecot (1587, 1465) take: with the right secret the message
# arrives, with a wrong one it does not and 77 says so.
# namespace: postfix dovecot openssl ip

load ../lib/common
load ../lib/relay
load_relay
load ../lib/oauth

WRONG=a-password-that-is-wrong

setup_file() {
	namespace_require
	oauth_prepare
	dovecot_start
	postfix_start
}

setup() {
	relay_reset
}

teardown() {
	relay_show_logs
}

teardown_file() {
	[ -z "${MAILCRANE_NAMESPACE:-}" ] || { postfix_stop && dovecot_stop; }
}

# The account at PORT; 465 and 1465 speak TLS from the first byte.
account_at() {
	local port=$1 method=$2

	shift 2
	case $port in
	465 | 1465) relay_account "$port" "$method" "tls_starttls off" "$@" ;;
	*) relay_account "$port" "$method" "$@" ;;
	esac
}

# Who asked for the password has logged that joe came in by METHOD.
assert_logged_in() {
	case $1 in
	587 | 465) assert_postfix_log "sasl_method=${2^^}, sasl_username=joe" ;;
	*) wait_until 10 eval 'dovecot_log | grep -q "Login: user=<joe>, method='"${2^^}"'"' ;;
	esac
}

# METHOD at all four ports, with the secret as it is and with a wrong one.
logs_in_everywhere() {
	local method=$1 port

	for port in 587 465 1587 1465; do
		relay_reset
		account_at "$port" "$method"
		relay_message <<<"by $method at $port" >"$HOME/message"
		assert_sends "$HOME/message"
		assert_logged_in "$port" "$method"

		relay_reset
		RELAY_PASSWORD=$WRONG account_at "$port" "$method" "logfile $HOME/log"
		run_mailcrane --debug alice@example.test <"$HOME/message"
		assert_exit 77
		assert_stderr "AUTH was refused: 535"
		assert_mailbox alice@example.test 0
		assert_no_secret "$WRONG"
		assert_no_secret "$(printf '%s' "$WRONG" | base64)"
		assert_no_secret "$(printf '\0joe\0%s' "$WRONG" | base64)"
	done
}

@test "PLAIN" {
	logs_in_everywhere plain
}

@test "LOGIN" {
	logs_in_everywhere login
}

@test "CRAM-MD5" {
	logs_in_everywhere cram-md5
}

@test "DIGEST-MD5" {
	logs_in_everywhere digest-md5
}

@test "SCRAM-SHA-1" {
	logs_in_everywhere scram-sha-1
}

@test "protocol 74: SCRAM-SHA-256 over TLS, without channel binding" {
	logs_in_everywhere scram-sha-256
}

@test "protocol 74: 'auth on' chooses SCRAM-SHA-256, also with the floor 'auth_min scram'" {
	local port

	for port in 587 1587; do
		relay_reset
		account_at "$port" on "auth_min scram"
		relay_message <<<"hello" >"$HOME/message"
		assert_sends "$HOME/message"
		assert_logged_in "$port" scram-sha-256
	done
}

@test "'auth_min scram-plus': neither of them offers channel binding, and nothing is said" {
	local port

	for port in 587 1587; do
		relay_reset
		account_at "$port" on "auth_min scram-plus"
		relay_message <<<"hello" >"$HOME/message"
		run_mailcrane alice@example.test <"$HOME/message"
		assert_exit 69
		assert_stderr "cannot use SCRAM-SHA-256: it is below 'auth_min scram-plus'; the server offers "
		assert_mailbox alice@example.test 0
	done
}

# METHOD with a token, at all four ports: a good one, one that is signed by somebody else, one that is too old.
token_logs_in_everywhere() {
	local method=$1 port token

	for port in 587 465 1587 1465; do
		relay_reset
		RELAY_PASSWORD=$(oauth_token joe 3600) account_at "$port" "$method"
		relay_message <<<"by $method at $port" >"$HOME/message"
		assert_sends "$HOME/message"
		assert_logged_in "$port" "$method"

		for token in "$(oauth_token joe 3600 00112233)" "$(oauth_token joe -300)" "$(oauth_token alice@example.test 3600)"; do
			relay_reset
			RELAY_PASSWORD=$token account_at "$port" "$method" "logfile $HOME/log"
			run_mailcrane --debug alice@example.test <"$HOME/message"
			assert_exit 77
			assert_stderr "AUTH was refused: 535"
			assert_stderr "(status "
			assert_stderr "hint: access tokens "
			assert_mailbox alice@example.test 0
			assert_no_secret "$token"
			assert_no_secret "$(printf '%s' "$token" | base64 -w 0 | cut -c 5-60)"
		done
	done
}

@test "protocol 76: OAUTHBEARER; the status in a refusal is told, the token nowhere" {
	token_logs_in_everywhere oauthbearer
}

@test "protocol 76: XOAUTH2; the status in a refusal is told, the token nowhere" {
	token_logs_in_everywhere xoauth2
}
