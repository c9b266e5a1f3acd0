# postfix.bats - sending through a real Postfix, which asks a real Dovecot for passwords.
# namespace: postfix dovecot openssl ip

load ../lib/common
load ../lib/relay
load_relay

setup_file() {
	namespace_require
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

@test "a message goes through port 587 with STARTTLS and PLAIN and arrives byte for byte" {
	relay_account 587 plain
	relay_message <<<"hello" >"$HOME/message"
	assert_sends "$HOME/message"
	assert_conversation 'ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 (data|bdat)=1 quit=1'
	assert_postfix_log 'sasl_method=PLAIN, sasl_username=joe'
}

@test "a message goes through port 587 with STARTTLS and LOGIN" {
	relay_account 587 login
	relay_message <<<"hello" >"$HOME/message"
	assert_sends "$HOME/message"
	assert_postfix_log 'sasl_method=LOGIN, sasl_username=joe'
}

@test "a message goes through port 465 with implicit TLS and PLAIN" {
	relay_account 465 plain "tls_starttls off"
	relay_message <<<"hello" >"$HOME/message"
	assert_sends "$HOME/message"
	assert_conversation 'ehlo=1 auth=1 mail=1 rcpt=1 (data|bdat)=1 quit=1'
}

@test "with 'auth on' a mechanism is chosen that works" {
	relay_account 587 on
	relay_message <<<"hello" >"$HOME/message"
	assert_sends "$HOME/message"
	assert_postfix_log 'sasl_username=joe'
}

@test "a message from a pipe needs nothing but an address" {
	relay_account 587 plain
	run_mailcrane alice@example.test < <(printf 'Subject: x\n\nhi\n')
	assert_exit 0
	assert_silent
	assert_mailbox alice@example.test 1
	without_trace "$(mailbox alice@example.test)" | grep -qx 'Subject: x'
	[ "$(body <"$(mailbox alice@example.test)")" = hi ]
}

@test "as sendmail it sends a message from a pipe" {
	relay_account 587 plain
	run_as sendmail -i -f joe@example.test alice@example.test < <(printf 'Subject: x\n\n.\nhi\n')
	assert_exit 0
	assert_silent
	assert_mailbox alice@example.test 1
	[ "$(body <"$(mailbox alice@example.test)")" = $'.\nhi' ]
}

@test "lines that begin with a dot arrive as they are" {
	relay_account 587 plain
	printf '.\n..\n...\n.a\n\n.\nend\n.\n' | relay_message >"$HOME/message"
	assert_sends "$HOME/message"
}

@test "8-bit text arrives as it is" {
	relay_account 587 plain
	printf 'Gr\303\274\303\237e \342\202\254\n' | relay_message >"$HOME/message"
	assert_sends "$HOME/message"
}

@test "a message of 1 MiB arrives as it is" {
	relay_account 587 plain
	awk 'BEGIN { for (n = 0; n < 13618; n++) printf "%s%075d\n", n % 7 ? "x" : ".", n }' | relay_message >"$HOME/message"
	assert_sends "$HOME/message"
}

@test "a hundred recipients get the message in one transaction" {
	local number addresses=()

	relay_account 587 plain
	for ((number = 1; number <= 100; number++)); do
		addresses+=("many$number@example.test")
	done
	relay_message <<<"hello" >"$HOME/message"
	run_mailcrane "${addresses[@]}" <"$HOME/message"
	assert_exit 0
	assert_silent
	assert_conversation 'mail=1 rcpt=100 '
	postfix_wait_delivered
	[ "$(find "$RIG/mail" -path '*/new/*' -type f | wc -l)" -eq 100 ]
	assert_delivered many100@example.test "$HOME/message"
}

@test "protocol 77: a wrong password ends with 77, is told once and appears nowhere" {
	RELAY_PASSWORD=wrong-password relay_account 587 plain "logfile $HOME/log"
	relay_message <<<"hello" >"$HOME/message"
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 77
	assert_stderr 535
	assert_conversation 'auth=0/1'
	refute_conversation 'mail='
	assert_mailbox alice@example.test 0
	assert_no_secret wrong-password
	assert_no_secret "$(printf '\0joe\0wrong-password' | base64)"
}

@test "protocol 19: a recipient refused at RCPT ends with 67, and the other one gets the message" {
	relay_account 587 plain
	relay_message <<<"hello" >"$HOME/message"
	run_mailcrane alice@example.test nobody@example.test <"$HOME/message"
	assert_exit 67
	assert_stderr nobody@example.test
	assert_stderr 550
	refute_stderr alice@example.test
	assert_delivered alice@example.test "$HOME/message"
}

@test "protocol 20: when all recipients are refused nothing is delivered" {
	relay_account 587 plain
	relay_message <<<"hello" >"$HOME/message"
	run_mailcrane nobody@example.test noone@example.test <"$HOME/message"
	assert_exit 67
	assert_stderr nobody@example.test
	assert_stderr noone@example.test
	postfix_wait_delivered
	refute_postfix_log 'status=sent'
}

@test "protocol 50: a certificate of an unknown authority ends with 69 before AUTH" {
	RELAY_TRUST=$RIG/tls/other-ca.pem relay_account 587 plain
	relay_message <<<"hello" >"$HOME/message"
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 69
	refute_conversation '(auth|mail)='
	assert_mailbox alice@example.test 0

	relay_reset
	RELAY_TRUST=$RIG/tls/other-ca.pem relay_account 465 plain "tls_starttls off"
	relay_message <<<"hello" >"$HOME/message"
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 69
	refute_conversation '(auth|mail)='
}

@test "protocol 48: a certificate for another name ends with 69 and names the name" {
	relay_account 587 plain "tls_host_override mail.example.test"
	relay_message <<<"hello" >"$HOME/message"
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 69
	assert_stderr mail.example.test
	refute_conversation '(auth|mail)='
}

@test "a missing AUTH where the server insists on it ends with 67 and nothing is delivered" {
	relay_config 587 "tls on" "tls_trust_file $RIG/tls/ca.pem"
	relay_message <<<"hello" >"$HOME/message"
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 67
	assert_stderr 554
	assert_mailbox alice@example.test 0
}

@test "protocol 83: no sequence of line ends and dots smuggles a second message" {
	local sequence evil='MAIL FROM:<evil@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\nSubject: evil\r\n\r\nevil\r\n.\r\n'
	local sequences=('\n.\n' '\r\n.\r\n' '\r.\r' '\n.\r\n' '\r\n.\n' '\r\n.\r' '\r.\n' '\r.\r\n' '\n.\r' '\n\n.\r\r\n' '\r\n\0.\r\n' '\r\n.\0\r\n')

	relay_account 587 plain
	for sequence in "${sequences[@]}"; do
		relay_reset
		relay_account 587 plain
		# shellcheck disable=SC2059 # the sequences are formats
		printf "hello$sequence$evil" | relay_message "$sequence" >"$HOME/message"
		run_mailcrane alice@example.test <"$HOME/message"
		assert_exit 0
		assert_mailbox alice@example.test 1
		assert_mailbox bob@example.test 0
		refute_conversation 'mail=[2-9]'
		[ "$(grep -ac '^Subject: evil' "$(mailbox alice@example.test)")" -eq 1 ]
	done
}

@test "port 2500: a server that hides its extensions is served one command at a time" {
	relay_config 2500
	printf '.dot\nplain text\n' | relay_message | sed -e '/^MIME/d' -e '/^Content-/d' >"$HOME/message"
	assert_sends "$HOME/message"
	assert_conversation 'ehlo=1 mail=1 rcpt=1 data=1 quit=1'
	refute_postfix_log 'improper command'
}

@test "protocol 40: port 2500 gets 8-bit text as quoted-printable that decodes to the same text" {
	relay_config 2500
	printf 'Gr\303\274\303\237e = \342\202\254\n' | relay_message >"$HOME/message"
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 0
	assert_mailbox alice@example.test 1
	run ! grep -q '[^ -~	]' "$(mailbox alice@example.test)"
	grep -qi '^Content-Transfer-Encoding: quoted-printable' "$(mailbox alice@example.test)"
	grep -q '^Gr=C3=BC=C3=9Fe =3D =E2=82=AC$' "$(mailbox alice@example.test)"
}

@test "opportunism is not assumed: without 'tls on' port 25 is used in the clear" {
	relay_config 25
	relay_message <<<"hello" >"$HOME/message"
	assert_sends "$HOME/message"
	refute_conversation 'starttls='
}

@test "port 25 with 'tls on' uses STARTTLS" {
	relay_config 25 "tls on" "tls_trust_file $RIG/tls/ca.pem"
	relay_message <<<"hello" >"$HOME/message"
	assert_sends "$HOME/message"
	assert_conversation 'ehlo=2 starttls=1 mail=1 rcpt=1 (data|bdat)=1 quit=1'
}

@test "port 2500 has no STARTTLS: 'tls on' ends with 69 and nothing is sent" {
	relay_config 2500 "tls on" "tls_trust_file $RIG/tls/ca.pem"
	relay_message <<<"hello" >"$HOME/message"
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 69
	assert_stderr STARTTLS
	refute_conversation 'mail='
}

@test "protocol 31: a message larger than the server's SIZE ends with 69 before MAIL" {
	relay_account 587 plain
	awk 'BEGIN { for (n = 0; n < 280000; n++) printf "%075d\n", n }' | relay_message >"$HOME/message"
	run_mailcrane alice@example.test <"$HOME/message"
	assert_exit 69
	refute_conversation 'mail='
	assert_mailbox alice@example.test 0
}

@test "a notification of success that was asked for comes back to the sender" {
	relay_account 587 plain "dsn_notify success" "dsn_return headers"
	relay_message <<<"the body" >"$HOME/message"
	run_mailcrane -f alice@example.test bob@example.test <"$HOME/message"
	assert_exit 0
	assert_delivered bob@example.test "$HOME/message"
	wait_until 10 eval 'mailbox alice@example.test | grep -q .'
	grep -q '^Action: delivered' "$(mailbox alice@example.test)"
	grep -q '^Content-Type: text/rfc822-headers' "$(mailbox alice@example.test)"
	run ! grep -q '^the body' "$(mailbox alice@example.test)"
}

@test "--serverinfo lists what the server offers" {
	run_mailcrane --serverinfo --host=localhost --port=587 --tls=on "--tls-trust-file=$RIG/tls/ca.pem" </dev/null
	assert_exit 0
	assert_stdout SIZE
	assert_stdout PIPELINING
	assert_stdout PLAIN
	refute_conversation '(auth|mail)='
}
