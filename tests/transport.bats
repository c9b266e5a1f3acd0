# transport.bats - ways to the server: TCP, unix sockets, SOCKS5; LMTP; questions without a message.

# shellcheck disable=SC2154,SC2034 # $stderr is set by run, CLEAN_ENVIRONMENT read by the library

load lib/common

setup() {
	setup_home
	printf 'From: joe@example.test\nTo: alice@example.net\nSubject: s\n\nhello\n' >"$HOME/message"
}

teardown() {
	stop_peer
}

# The account of joe; its way to the server is in the arguments.
account() {
	printf '%s\n' 'from joe@example.test' 'mailname here.example' "$@" | write_config
}

send() {
	run_mailcrane "${@:-alice@example.net}" <"$HOME/message"
}

assert_sent() {
	assert_exit 0 && assert_silent && assert_received 1 && assert_no_violation
}

# A port on which nobody listens.
closed_port() {
	start_peer
	stop_peer
}

summary_is() {
	[ "$(summary_of "$1")" = "$2" ]
}

### TCP

@test "an address of IPv4" {
	start_peer
	account "host 127.0.0.1" "port $PORT"
	send
	assert_sent
}

@test "an address of IPv6" {
	grep -q '^0*1 ' <(grep -h '' /proc/net/if_inet6 2>/dev/null) || skip "there is no ::1 here"
	start_peer --listen '[::1]:0'
	account "host ::1" "port $PORT"
	send
	assert_sent
	assert_log_line 'connect from ::1'
}

@test "a name" {
	start_peer
	account "host localhost" "port $PORT"
	send
	assert_sent
}

@test "where nobody listens, address and port are told, and it is temporary" {
	closed_port
	account "host 127.0.0.1" "port $PORT"
	send
	assert_exit 75
	assert_stderr "mailcrane: account default: 127.0.0.1: cannot connect to port $PORT: 127.0.0.1: connection refused"
}

@test "source_ip is where the connection comes from" {
	start_peer
	account "host 127.0.0.1" "port $PORT" "source_ip 127.0.0.9"
	send
	assert_sent
	assert_log_line 'connect from 127\.0\.0\.9'
}

@test "a source_ip that is not this machine's is told" {
	start_peer
	account "host 127.0.0.1" "port $PORT" "source_ip 192.0.2.99"
	send
	assert_exit 75
	assert_stderr "cannot assign requested address"
	assert_stderr "hint: is source_ip 192.0.2.99 an address of this machine?"
	refute_log_line connect
}

@test "a source_ip of the other family is told" {
	start_peer
	account "host 127.0.0.1" "port $PORT" "source_ip ::1"
	send
	assert_exit 75
	assert_stderr "source_ip ::1"
	refute_log_line connect
}

@test "a source_ip that is no address is a fault of the configuration" {
	start_peer
	account "host 127.0.0.1" "port $PORT" "source_ip nonsense"
	send
	assert_exit 78
	assert_stderr "source_ip 'nonsense' is no address"
	refute_log_line connect
}

@test "a host that is no name is told as such" {
	account "host no such.example" "port 25"
	send
	assert_exit 68
	assert_stderr "'no such.example' is no host name"
}

### Unix sockets

@test "SMTP over a unix socket" {
	start_peer --listen "unix:$BATS_TEST_TMPDIR/s"
	account "socket $BATS_TEST_TMPDIR/s"
	send
	assert_sent
	assert_log_line 'connect from unix socket'
}

@test "LMTP over a unix socket" {
	start_peer --lmtp --listen "unix:$BATS_TEST_TMPDIR/s"
	account "protocol lmtp" "socket $BATS_TEST_TMPDIR/s"
	send alice@example.net bob@example.net
	assert_sent
	assert_wire "LHLO localhost"
	assert_recipients 1 alice@example.net bob@example.net
}

@test "TLS over a unix socket, with the name of the server" {
	start_peer --tls starttls --make-cert "$BATS_TEST_TMPDIR/certs" --listen "unix:$BATS_TEST_TMPDIR/s"
	account "socket $BATS_TEST_TMPDIR/s" "tls on" "tls_trust_file $BATS_TEST_TMPDIR/certs/ca.pem" "tls_host_override localhost"
	send
	assert_sent
}

@test "a unix socket that is not there is temporary, and told" {
	account "socket $BATS_TEST_TMPDIR/missing"
	send
	assert_exit 75
	assert_stderr "cannot connect to the socket $BATS_TEST_TMPDIR/missing: No such file or directory"
}

@test "a unix socket with a path that is too long is a fault of the configuration" {
	account "socket /$(printf '%0200d' 0)"
	send
	assert_exit 78
	assert_stderr "longer than 107 bytes"
}

### LMTP

@test "LMTP over TCP" {
	start_peer --lmtp
	account "host 127.0.0.1" "port $PORT" "protocol lmtp"
	send
	assert_sent
	assert_wire_count 0 EHLO
}

@test "LMTP: a recipient refused after the message is told, the others have it" {
	start_peer --lmtp
	account "host 127.0.0.1" "port $PORT" "protocol lmtp"
	send alice@example.net lateperm@example.net bob@example.net
	[ "$status" -eq 67 ] || assert_exit 69
	assert_stderr "lateperm@example.net refused"
	refute_stderr "alice@example.net"
	refute_stderr "bob@example.net"
	assert_received 1
}

@test "LMTP without a port is a fault of the configuration" {
	account "host 127.0.0.1" "protocol lmtp"
	send
	assert_exit 78
	assert_stderr "port not set"
	assert_stderr "hint: "
}

### SOCKS5

@test "through a SOCKS5 proxy the name goes to the proxy as it is, and is not looked up here" {
	start_peer --socks open
	account "host mx.nowhere.invalid" "port 2525" "proxy_host 127.0.0.1" "proxy_port $PORT"
	send
	assert_sent
	assert_log_line '\* socks connect name mx\.nowhere\.invalid port 2525'
}

@test "through a SOCKS5 proxy to an address" {
	start_peer --socks open
	account "host 192.0.2.1" "port 25" "proxy_host localhost" "proxy_port $PORT"
	send
	assert_sent
	assert_log_line '\* socks connect address 192\.0\.2\.1 port 25'
	start_peer --socks open
	account "host 2001:db8::1" "port 25" "proxy_host localhost" "proxy_port $PORT"
	send
	assert_sent
	assert_log_line '\* socks connect address 2001:db8::1 port 25'
}

@test "through a SOCKS5 proxy with user and password" {
	start_peer --socks "anna:pa ss:word"
	account "host mx.example.test" "proxy_host 127.0.0.1" "proxy_port $PORT" "proxy_user anna" "proxy_password pa ss:word"
	send
	assert_sent
	assert_log_line '\* socks user anna'
	assert_log_line '\* socks connect name mx\.example\.test port 25'
	assert_no_secret "pa ss:word"
}

@test "through a SOCKS5 proxy with TLS for the server behind it" {
	start_peer --socks open --tls implicit --make-cert "$BATS_TEST_TMPDIR/certs" --cert-name mx.example.test
	account "host mx.example.test" "proxy_host 127.0.0.1" "proxy_port $PORT" "tls on" "tls_starttls off" \
		"tls_trust_file $BATS_TEST_TMPDIR/certs/ca.pem"
	send
	assert_sent
	assert_log_line '\* socks connect name mx\.example\.test port 465'
	assert_log_line '\* tls .* sni mx\.example\.test'
}

@test "a SOCKS5 proxy that refuses the password is told" {
	start_peer --socks "anna:right"
	account "host mx.example.test" "proxy_host 127.0.0.1" "proxy_port $PORT" "proxy_user anna" "proxy_password wr0ng-Pass_Word"
	send
	[ "$status" -eq 77 ] || assert_exit 78
	assert_stderr "proxy 127.0.0.1: "
	refute_stderr wr0ng
	assert_received 0
}

@test "a SOCKS5 proxy that wants a password where none is set is told" {
	start_peer --socks "anna:right"
	account "host mx.example.test" "proxy_host 127.0.0.1" "proxy_port $PORT"
	send
	[ "$status" -eq 77 ] || assert_exit 78
	assert_stderr "proxy 127.0.0.1: "
	assert_stderr "proxy_user"
}

@test "what a SOCKS5 proxy answers is told in words" {
	start_peer --socks open --socks-reply 2
	account "host mx.example.test" "proxy_host 127.0.0.1" "proxy_port $PORT"
	send
	assert_exit 78
	assert_stderr "proxy 127.0.0.1: the proxy's rules do not allow this connection (SOCKS reply 2)"
	start_peer --socks open --socks-reply 5
	account "host mx.example.test" "proxy_host 127.0.0.1" "proxy_port $PORT"
	send
	assert_exit 75
	assert_stderr "connection refused (SOCKS reply 5)"
	assert_received 0
}

@test "something that is no SOCKS5 proxy is told" {
	start_peer
	account "host mx.example.test" "proxy_host 127.0.0.1" "proxy_port $PORT" "timeout 5"
	send
	assert_exit 76
	assert_stderr "proxy 127.0.0.1: "
	assert_received 0
}

@test "a SOCKS5 proxy that nobody runs is told, with its port" {
	closed_port
	account "host mx.example.test" "proxy_host 127.0.0.1" "proxy_port $PORT"
	send
	assert_exit 75
	assert_stderr "proxy 127.0.0.1: cannot connect to port $PORT"
}

@test "a SOCKS5 proxy on this machine does not make the way to the server safe for passwords" {
	start_peer --socks open --auth PLAIN --auth-in-clear
	account "host mx.example.test" "proxy_host 127.0.0.1" "proxy_port $PORT" \
		"auth on" "user joe" "password $JOES_PASSWORD" "auth_cleartext loopback"
	send
	assert_exit 69
	assert_stderr "no TLS"
	refute_wire_like '^AUTH'
}

### Questions

@test "--serverinfo tells greeting, keywords and TLS, and sends nothing" {
	start_peer --tls starttls --make-cert "$BATS_TEST_TMPDIR/certs" --auth "PLAIN LOGIN" --name mx.example.test
	account "host localhost" "port $PORT" "tls on" "tls_trust_file $BATS_TEST_TMPDIR/certs/ca.pem" "auth on" "user joe"
	run_mailcrane --serverinfo
	assert_exit 0
	assert_stdout "SMTP server at localhost (127.0.0.1), port $PORT:"
	assert_stdout "mx.example.test ESMTP ready"
	assert_stdout "TLS session parameters:"
	assert_stdout "(TLS1.3)"
	assert_stdout "TLS certificate information:"
	assert_stdout "    SIZE 35882577:"
	assert_stdout "PLAIN LOGIN"
	refute_wire_like '^(AUTH|MAIL)'
	assert_wire QUIT
}

@test "--serverinfo without TLS says that there may be more with it" {
	start_peer --tls starttls --make-cert "$BATS_TEST_TMPDIR/certs"
	account "host 127.0.0.1" "port $PORT"
	run_mailcrane --serverinfo
	assert_exit 0
	assert_stdout "STARTTLS"
	assert_stdout "when TLS is active"
}

@test "--serverinfo needs no file" {
	start_peer --lmtp
	run_mailcrane --serverinfo --protocol=lmtp --host=127.0.0.1 --port="$PORT"
	assert_exit 0
	assert_stdout "LMTP server at 127.0.0.1"
}

@test "--serverinfo escapes what a hostile server says" {
	start_peer --greet-text $'\e[31mred\a' --ehlo $'X-\e[0m'
	run_mailcrane --serverinfo --host=127.0.0.1 --port="$PORT"
	assert_exit 0
	[[ $output != *$'\e'* && $output != *$'\a'* ]]
}

@test "--serverinfo with a certificate that is not trusted says why" {
	start_peer --tls starttls --make-cert "$BATS_TEST_TMPDIR/certs"
	account "host localhost" "port $PORT" "tls on"
	run_mailcrane --serverinfo
	assert_exit 69
	assert_stderr "unknown authority"
}

@test "--rmqs asks for what the server holds, and tells a refusal" {
	cat >"$HOME/script" <<-'END'
		S: 220 mx.example.test ESMTP
		C: EHLO localhost
		S: 250-mx.example.test
		S: 250 ETRN
		C: ETRN #queue
		S: 253 2.0.0 3 pending messages for node #queue started
		C: QUIT
		S: 221 2.0.0 bye
	END
	sed 's/253 .*/458 4.0.0 unable to queue messages for node/' "$HOME/script" >"$HOME/refusal"
	start_peer --scripts "$HOME/script,$HOME/refusal" --strict
	account "host 127.0.0.1" "port $PORT"
	run_mailcrane '--rmqs=#queue'
	assert_exit 0
	run_mailcrane '--rmqs=#queue'
	assert_exit 75
	assert_stderr "458 4.0.0 unable to queue messages"
	wait_until 10 summary_is open 0
	assert_summary mismatches 0
}

@test "--rmqs with a server that has no ETRN says so" {
	start_peer
	account "host 127.0.0.1" "port $PORT"
	run_mailcrane --rmqs=@example.net
	assert_exit 69
	assert_stderr "does not offer ETRN"
	refute_wire_like '^ETRN'
}
