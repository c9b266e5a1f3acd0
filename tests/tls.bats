# tls.bats - certificates right and wrong, STARTTLS and implicit TLS, and that nothing is said to a server that is not proved.

# shellcheck disable=SC2154,SC2034 # $stderr is set by run, CLEAN_ENVIRONMENT read by the library

load lib/common

setup() {
	setup_home
	CERTS=$BATS_TEST_TMPDIR/certs
	printf 'From: joe@example.test\nSubject: s\n\nhello\n' >"$HOME/message"
}

teardown() {
	stop_peer
	[ -z "${OPENSSL_PID:-}" ] || kill "$OPENSSL_PID" 2>/dev/null || true
}

# joe's account at HOST with TLS; further lines are arguments. PORT is the peer's.
account_at() {
	local host=$1

	shift
	{
		printf 'host %s\nport %s\ntls on\nfrom joe@example.test\n' "$host" "$PORT"
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} | write_config
}

# The same, trusting the peer's own authority.
trusting_account() {
	account_at "${1:-localhost}" "tls_trust_file $CERTS/ca.pem" "${@:2}"
}

send() {
	run_mailcrane alice@example.net <"$HOME/message"
}

# A peer with STARTTLS and a certificate with ARGS (--cert-fault ...).
start_tls_peer() {
	start_peer --tls starttls --make-cert "$CERTS" "$@"
}

# Nothing was said inside TLS, no address and no password anywhere.
assert_not_trusted() {
	assert_wire_count 1 EHLO && assert_wire_count 1 STARTTLS && assert_said_nothing && assert_received 0
}

assert_said_nothing() {
	refute_wire_like '^(MAIL|RCPT|AUTH|DATA|BDAT)'
}

# One line for the reason, perhaps one for the hint.
assert_short() {
	[ "$(wc -l <<<"$stderr")" -le 2 ] || fail_with "one reason and one hint expected"
	[[ $stderr == "mailcrane: account default: "* ]] || fail_with "account and host expected first"
}

# The peer's certificate with FAULT is refused with 69 because of TEXT.
assert_certificate_refused() {
	start_tls_peer --cert-fault "$1"
	trusting_account
	send
	assert_exit 69 && assert_stderr "account default: localhost: " && assert_stderr "$2" && assert_short && assert_not_trusted
}

need_openssl() {
	command -v openssl >/dev/null || skip "openssl is not installed"
}

fingerprint_of() {
	openssl x509 -in "$CERTS/cert.pem" -noout -fingerprint "-$1" | sed 's/.*=//'
}

pin_of() {
	openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64
}

# An authority of openssl's in CERTS with a certificate for localhost, which has EXTENSIONS; its lists are made by
# authority_says.
make_authority() {
	need_openssl
	# shellcheck disable=SC1091 # found at run time
	. "$SRCDIR/tests/lib/certificate.bash"
	certificate_make "$CERTS" "$@"
	: >"$CERTS/index"
	echo 01 >"$CERTS/crlnumber"
	cat >"$CERTS/authority.conf" <<-END
		[ca]
		default_ca = authority
		[authority]
		database = $CERTS/index
		crlnumber = $CERTS/crlnumber
		certificate = $CERTS/ca.pem
		private_key = $CERTS/ca.key
		default_md = sha256
		default_crl_days = 7
	END
}

authority_says() {
	[ "$1" = good ] || certificate_openssl ca -config "$CERTS/authority.conf" -revoke "$CERTS/cert.pem"
	certificate_openssl ca -config "$CERTS/authority.conf" -gencrl -out "$CERTS/crl.pem"
}

# An OCSP response of that authority about its certificate, or about serial number N: by openssl's responder, working on files.
answer_ocsp() {
	certificate_openssl ocsp -issuer "$CERTS/ca.pem" -serial "${1:-2}" -reqout "$CERTS/question" -no_nonce
	certificate_openssl ocsp -index "$CERTS/index" -CA "$CERTS/ca.pem" -rsigner "$CERTS/ca.pem" -rkey "$CERTS/ca.key" \
		-reqin "$CERTS/question" -respout "$CERTS/staple" -ndays 7
}

# Let the authority's responder know the certificate as good: it goes by what it has issued.
list_as_good() {
	printf 'V\t%s\t\t02\tunknown\t/CN=mx.example.test\n' "$(date -u -d '+30 days' +%y%m%d%H%M%SZ)" >"$CERTS/index"
}

# A peer with the authority's certificate and the OCSP response that was made.
start_stapling_peer() {
	start_peer --tls starttls --cert "$CERTS/cert.pem" --key "$CERTS/key.pem" --staple "$CERTS/staple" "$@"
}

# The response that the peer sends is the reason not to send.
assert_staple_refused() {
	send
	assert_exit 69 && assert_stderr "account default: localhost: the OCSP response that the server sent $1" && assert_short &&
		assert_not_trusted
}

# openssl as the server on a free port, TLS from the first byte; ARGS are its own. Its stdin is the fifo CERTS/keys.
start_openssl() {
	mkfifo "$CERTS/keys"
	openssl s_server -accept 127.0.0.1:0 -cert "$CERTS/cert.pem" -key "$CERTS/key.pem" "$@" \
		<>"$CERTS/keys" >"$CERTS/server" 2>&1 3>&- 4>&- &
	OPENSSL_PID=$!
	wait_until 10 grep -q '^ACCEPT .*:[0-9]' "$CERTS/server"
	PORT=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$CERTS/server" | head -n 1)
}

### It works

@test "a message goes through STARTTLS, and what was offered before TLS is asked for again" {
	start_tls_peer
	trusting_account
	send
	assert_exit 0
	assert_silent
	assert_wire_count 2 EHLO
	assert_received 1
	grep -q '^tls ' "$PEER_MAIL/0001.env"
	assert_no_violation
}

@test "a message goes through implicit TLS" {
	start_peer --tls implicit --make-cert "$CERTS"
	trusting_account localhost "tls_starttls off"
	send
	assert_exit 0
	assert_silent
	assert_wire_count 1 EHLO
	assert_wire_count 0 STARTTLS
	assert_received 1
}

@test "the server's name is sent in TLS, in ASCII and without a final dot" {
	start_tls_peer --cert-name xn--bcher-kva.example
	trusting_account 127.0.0.1 "tls_host_override bücher.example."
	send
	assert_exit 0
	assert_log_line '\* tls .* sni xn--bcher-kva\.example$'
}

### STARTTLS

@test "protocol 41: a server that does not offer STARTTLS gets nothing" {
	start_peer
	account_at localhost
	send
	assert_exit 69
	assert_stderr "does not offer STARTTLS"
	assert_stderr "hint: "
	assert_said_nothing
	assert_received 0
}

@test "protocol 42: STARTTLS refused with 454 is temporary, and nothing is sent" {
	start_tls_peer --fault 'starttls:reply=454 4.7.0 TLS not available just now'
	trusting_account
	send
	assert_exit 75
	assert_stderr "454 4.7.0 TLS not available just now"
	assert_said_nothing
}

@test "protocol 42: STARTTLS refused with 501 is permanent, and nothing is sent" {
	start_tls_peer --fault 'starttls:reply=501 5.5.1 never'
	trusting_account
	send
	assert_exit 69
	assert_stderr "501 5.5.1 never"
	assert_said_nothing
}

@test "protocol 43: bytes behind the answer to STARTTLS are an attack" {
	start_tls_peer --fault 'starttls:inject=250 x\r\n'
	trusting_account
	send
	assert_exit 76
	assert_stderr "tampering"
	wait_until 10 grep -q '\* tls failed: .*terminated' "$PEER_LOG"
	assert_said_nothing
}

@test "a connection that is closed in the handshake is temporary" {
	start_tls_peer --fault handshake:close
	trusting_account
	send
	assert_exit 75
	assert_stderr "TLS handshake: the server closed the connection"
	assert_said_nothing
}

@test "protocol 44: bytes injected before the handshake make it fail" {
	start_tls_peer --fault 'starttls:inject-late=250 x\r\n'
	trusting_account
	send
	assert_exit 76
	assert_stderr "localhost: "
	assert_said_nothing
	assert_received 0
}

@test "protocol 45: AUTH that was offered in the clear only does not count" {
	start_tls_peer --fault 'ehlo#1:raw=250-peer.example.test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n'
	trusting_account localhost "auth on" "user joe" "password $JOES_PASSWORD"
	send
	assert_exit 69
	assert_stderr "does not offer AUTH"
	assert_wire_count 2 EHLO
	assert_said_nothing
}

@test "STARTTLS that is never answered ends at the time limit" {
	start_tls_peer --fault starttls:stall
	trusting_account localhost "timeout 1"
	send
	assert_exit 75
	assert_stderr "no answer within 1 second"
	assert_said_nothing
}

@test "a handshake that never comes ends at the time limit" {
	start_tls_peer --fault handshake:stall
	trusting_account localhost "timeout 1"
	send
	assert_exit 75
	assert_stderr "TLS handshake: timed out"
	assert_said_nothing
}

### Certificates

@test "protocol 46: an expired certificate is refused, with its date" {
	assert_certificate_refused expired "certificate has expired on 20"
	assert_stderr "hint: the clock of this machine says 20"
}

@test "protocol 47: a certificate that is not yet valid is refused, with its date" {
	assert_certificate_refused not-yet "certificate is not yet valid before 20"
	assert_stderr "hint: the clock of this machine says 20"
}

@test "protocol 48: a wrong name is refused; both names are told, and what to do" {
	assert_certificate_refused wrong-name "certificate is for wrong.example.invalid, not for localhost"
	assert_stderr "hint: set 'tls_host_override wrong.example.invalid' if that is the right name"
}

@test "protocol 48: control characters in a presented name are escaped" {
	start_tls_peer --cert-name $'a\e[31mb.example'
	trusting_account
	send
	assert_exit 69
	assert_stderr "not for localhost"
	refute_stderr $'\e'
	assert_not_trusted
}

@test "protocol 49: a self-signed certificate is refused, and its fingerprint told" {
	assert_certificate_refused self-signed "certificate is self-signed"
	assert_stderr "SHA256 fingerprint "
	assert_stderr "tls_fingerprint "
}

@test "protocol 50: an unknown authority is refused, and named" {
	assert_certificate_refused unknown-ca "certificate was issued by an unknown authority, CN=peer test issuer"
	assert_stderr "hint: set 'tls_trust_file'"
}

@test "protocol 51: the common name alone does not count" {
	assert_certificate_refused cn-only "not for localhost"
}

@test "protocol 52: a certificate for clients is refused" {
	assert_certificate_refused client-eku "not meant for a server"
}

@test "a certificate of an issuer that is no authority is refused" {
	assert_certificate_refused ca-false "issued by something that is no certification authority"
}

@test "a name outside of what its authority may speak for is refused" {
	make_authority
	certificate_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=Narrow authority" \
		-addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign" \
		-addext "nameConstraints=critical,permitted;DNS:example.test" -keyout "$CERTS/ca.key" -out "$CERTS/ca.pem"
	certificate_openssl x509 -req -in "$CERTS/request.pem" -CA "$CERTS/ca.pem" -CAkey "$CERTS/ca.key" -set_serial 2 -days 30 \
		-sha256 -extfile "$CERTS/extensions" -out "$CERTS/cert.pem"
	start_peer --tls starttls --cert "$CERTS/cert.pem" --key "$CERTS/key.pem"
	trusting_account
	send
	assert_exit 69
	assert_stderr "violates the constraints of its issuer"
	assert_short
	assert_not_trusted

	printf 'subjectAltName = DNS:localhost.example.test\n' >"$CERTS/inside"
	certificate_openssl x509 -req -in "$CERTS/request.pem" -CA "$CERTS/ca.pem" -CAkey "$CERTS/ca.key" -set_serial 3 -days 30 \
		-sha256 -extfile "$CERTS/inside" -out "$CERTS/cert.pem"
	start_peer --tls starttls --cert "$CERTS/cert.pem" --key "$CERTS/key.pem"
	trusting_account 127.0.0.1 "tls_host_override localhost.example.test"
	send
	assert_exit 0
}

@test "protocol 53: RSA with 1024 bits is refused" {
	assert_certificate_refused rsa1024 "too weak"
	assert_stderr "1024"
}

@test "protocol 54: a certificate signed with SHA-1 is refused" {
	assert_certificate_refused sha1 "too weak"
	assert_stderr "SHA1"
}

@test "protocol 55: a name with a NUL in it is refused" {
	assert_certificate_refused nul-san "not for localhost"
}

@test "protocol 56: a wildcard stands for one label" {
	start_tls_peer --cert-fault wildcard
	trusting_account 127.0.0.1 "tls_host_override mx.example.test"
	send
	assert_exit 0
	assert_received 1
}

@test "protocol 56: a wildcard does not stand for two labels, nor for none" {
	local name

	for name in a.mx.example.test example.test; do
		start_tls_peer --cert-fault wildcard
		trusting_account 127.0.0.1 "tls_host_override $name"
		send
		assert_exit 69
		assert_stderr "certificate is for *.example.test, not for $name"
		assert_not_trusted
	done
}

@test "protocol 57: an address is matched with the addresses of the certificate, and no name is sent" {
	start_tls_peer --cert-name 127.0.0.1
	trusting_account 127.0.0.1
	send
	assert_exit 0
	assert_received 1
	assert_log_line '\* tls '
	refute_log_line '\* tls .* sni 127'
}

@test "protocol 57: an address written as a name is refused" {
	start_tls_peer --cert-fault ip-as-dns
	trusting_account 127.0.0.1
	send
	assert_exit 69
	assert_stderr "not for 127.0.0.1"
	assert_not_trusted
}

@test "protocol 58: a certificate that must be stapled and is not is refused" {
	assert_certificate_refused must-staple "must-staple"
}

@test "protocol 58: a staple that says revoked is refused" {
	make_authority
	authority_says revoked
	certificate_openssl ocsp -issuer "$CERTS/ca.pem" -cert "$CERTS/cert.pem" -reqout "$CERTS/question" -no_nonce
	certificate_openssl ocsp -index "$CERTS/index" -CA "$CERTS/ca.pem" -rsigner "$CERTS/ca.pem" -rkey "$CERTS/ca.key" \
		-reqin "$CERTS/question" -respout "$CERTS/staple" -ndays 7
	start_openssl -status_file "$CERTS/staple"
	trusting_account 127.0.0.1 "tls_starttls off"
	send
	assert_exit 69
	assert_stderr "revoked"
	assert_stderr "hint: do not send"
}

@test "protocol 58: a staple that says revoked is refused before anything is said, in TLS 1.3 and in TLS 1.2" {
	local version

	make_authority
	authority_says revoked
	answer_ocsp
	for version in 1.3 1.2; do
		start_stapling_peer --tls-max "$version"
		trusting_account
		assert_staple_refused "says that the certificate was revoked"
		assert_stderr "hint: do not send"
	done
}

@test "protocol 58: a certificate that must be stapled is taken with a good staple" {
	make_authority "tlsfeature = status_request"
	list_as_good
	answer_ocsp
	start_stapling_peer
	trusting_account
	send
	assert_exit 0
	assert_silent
	assert_received 1
}

@test "protocol 58: a certificate that must be stapled is not taken with a staple that is out of date" {
	make_authority "tlsfeature = status_request"
	certificate_staple "$CERTS" good "-9 days" "-2 days"
	start_stapling_peer
	trusting_account
	assert_staple_refused "is out of date since 20"
	assert_stderr "hint: the clock of this machine says 20"
}

@test "tls_ocsp require takes a good staple, and nothing without one" {
	make_authority
	list_as_good
	answer_ocsp
	start_stapling_peer
	trusting_account localhost "tls_ocsp require"
	send
	assert_exit 0
	assert_silent
	assert_received 1

	start_peer --tls starttls --cert "$CERTS/cert.pem" --key "$CERTS/key.pem"
	trusting_account localhost "tls_ocsp require"
	send
	assert_exit 69
	assert_stderr "the server sent no OCSP response, which tls_ocsp demands"
	assert_stderr "hint: 'tls_ocsp on'"
	assert_not_trusted
	trusting_account localhost "tls_ocsp on"
	send
	assert_exit 0
}

@test "tls_ocsp require cannot be had together with a certificate that is taken by other means" {
	local line

	start_tls_peer
	for line in "tls_certcheck off" "tls_pin only sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" \
		"tls_fingerprint 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33"; do
		trusting_account localhost "tls_ocsp require" "$line"
		send
		assert_exit 78
		assert_stderr "tls_ocsp require"
	done
	assert_received 0
}

@test "a staple out of date, from the future, about another certificate, unknown, or damaged is refused" {
	make_authority
	list_as_good

	certificate_staple "$CERTS" good "-9 days" "-2 days"
	start_stapling_peer
	trusting_account
	assert_staple_refused "is out of date since 20"

	certificate_staple "$CERTS" good "+2 days" "+9 days"
	start_stapling_peer
	trusting_account
	assert_staple_refused "is not yet valid before 20"

	certificate_staple "$CERTS" unknown "-1 hour" "+1 day"
	start_stapling_peer
	trusting_account
	assert_staple_refused "says that its issuer does not know the certificate"

	answer_ocsp 77
	start_stapling_peer
	trusting_account
	assert_staple_refused "is about another certificate"
	assert_stderr "hint: do not send"

	certificate_staple "$CERTS" good "-1 hour" "+1 day"
	printf 'x' | dd of="$CERTS/staple" bs=1 seek="$(($(stat -c %s "$CERTS/staple") - 5))" conv=notrunc status=none
	start_stapling_peer
	trusting_account
	assert_staple_refused "is not signed for the certificate's issuer"

	echo nonsense >"$CERTS/staple"
	start_stapling_peer
	trusting_account
	assert_staple_refused "cannot be read"
}

@test "a staple that another authority has signed is refused" {
	make_authority
	certificate_staple "$CERTS" good "-1 hour" "+1 day"
	openssl dgst -sha256 -sign "$CERTS/other-ca.key" -out "$CERTS/staple.signature" "$CERTS/staple.data"
	sed -i "s/^value = .*/value = FORMAT:HEX,BITSTRING:$(od -An -v -tx1 "$CERTS/staple.signature" | tr -d ' \n')/" "$CERTS/staple.conf"
	certificate_openssl asn1parse -genstr SEQUENCE:response -genconf "$CERTS/staple.conf" -out "$CERTS/staple"
	start_stapling_peer
	trusting_account
	assert_staple_refused "is not signed for the certificate's issuer"
}

@test "a responder that the issuer has named may sign the staple, another certificate of the issuer may not" {
	local purpose

	make_authority
	list_as_good
	certificate_openssl ocsp -issuer "$CERTS/ca.pem" -serial 2 -reqout "$CERTS/question" -no_nonce
	for purpose in OCSPSigning serverAuth; do
		printf 'extendedKeyUsage = %s\n' "$purpose" >"$CERTS/purpose"
		certificate_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=responder" \
			-keyout "$CERTS/responder.key" -out "$CERTS/responder.csr"
		certificate_openssl x509 -req -in "$CERTS/responder.csr" -CA "$CERTS/ca.pem" -CAkey "$CERTS/ca.key" -set_serial 9 \
			-days 30 -sha256 -extfile "$CERTS/purpose" -out "$CERTS/responder.pem"
		certificate_openssl ocsp -index "$CERTS/index" -CA "$CERTS/ca.pem" -rsigner "$CERTS/responder.pem" \
			-rkey "$CERTS/responder.key" -reqin "$CERTS/question" -respout "$CERTS/staple" -ndays 7
		start_stapling_peer
		trusting_account localhost "tls_ocsp require"
		if [ "$purpose" = OCSPSigning ]; then
			send
			assert_exit 0
			assert_received 1
		else
			assert_staple_refused "is not signed for the certificate's issuer"
		fi
	done
}

@test "the staple of a date of one's own is a good one" {
	make_authority
	certificate_staple "$CERTS" good "-1 hour" "+1 day"
	start_stapling_peer
	trusting_account localhost "tls_ocsp require"
	send
	assert_exit 0
	assert_received 1
}

@test "tls_ocsp off does not ask for a staple, in TLS 1.3 and in TLS 1.2" {
	local version

	make_authority "tlsfeature = status_request"
	certificate_staple "$CERTS" revoked "-1 hour" "+1 day"
	for version in 1.3 1.2; do
		start_stapling_peer --tls-max "$version"
		trusting_account
		assert_staple_refused "says that the certificate was revoked"
		trusting_account localhost "tls_ocsp off"
		send
		assert_exit 0
		assert_received 1
		assert_log_line '\* tls .* sni localhost$'
	done
}

@test "the request for a staple is on the wire unless tls_ocsp off" {
	make_authority
	start_openssl -tlsextdebug
	trusting_account 127.0.0.1 "tls_starttls off" "timeout 1" "tls_ocsp off"
	send
	assert_exit 75
	grep -q '"supported versions"' "$CERTS/server" || fail_with "no extension was seen" "$(cat "$CERTS/server")"
	! grep -q '"status request"' "$CERTS/server" || fail_with "it was asked for"
	trusting_account 127.0.0.1 "tls_starttls off" "timeout 1"
	send
	assert_exit 75
	grep -q '"status request"' "$CERTS/server" || fail_with "it was not asked for"
}

@test "protocol 59: a certificate on the revocation list is refused" {
	make_authority
	authority_says revoked
	start_peer --tls starttls --cert "$CERTS/cert.pem" --key "$CERTS/key.pem"
	trusting_account localhost "tls_crl_file $CERTS/crl.pem"
	send
	assert_exit 69
	assert_stderr "certificate was revoked"
	assert_not_trusted
}

@test "a certificate that is not on the revocation list is taken" {
	make_authority
	authority_says good
	start_peer --tls starttls --cert "$CERTS/cert.pem" --key "$CERTS/key.pem"
	trusting_account localhost "tls_crl_file $CERTS/crl.pem"
	send
	assert_exit 0
	assert_received 1
}

@test "protocol 59: a revocation list that cannot be read is a fault of the configuration" {
	start_tls_peer
	trusting_account localhost "tls_crl_file $HOME/missing.pem"
	send
	assert_exit 78
	assert_stderr "tls_crl_file"
	assert_stderr "$HOME/missing.pem"
	assert_said_nothing

	echo nonsense >"$HOME/bad.pem"
	trusting_account localhost "tls_crl_file $HOME/bad.pem"
	send
	assert_exit 78
	assert_stderr "$HOME/bad.pem"
	assert_said_nothing
}

@test "a mistake in the settings for TLS is not repeated with the next host: it would be the third wrong PIN of a token some day" {
	start_tls_peer
	write_config <<-END
		host localhost:$PORT,127.0.0.1:$PORT,localhost:$PORT
		tls on
		tls_trust_file $CERTS/ca.pem
		tls_cert_file $CERTS/cert.pem
		tls_key_file $HOME/missing.pem
		from joe@example.test
	END
	send
	assert_exit 78
	assert_stderr "tls_key_file $HOME/missing.pem"
	assert_wire_count 1 STARTTLS
}

@test "protocol 59: a revocation list that is out of date is a fault of the configuration" {
	make_authority
	certificate_openssl ca -config "$CERTS/authority.conf" -gencrl -crl_lastupdate 20200101000000Z \
		-crl_nextupdate 20200201000000Z -out "$CERTS/crl.pem"
	start_peer --tls starttls --cert "$CERTS/cert.pem" --key "$CERTS/key.pem"
	trusting_account localhost "tls_crl_file $CERTS/crl.pem"
	send
	assert_exit 78
	assert_stderr "tls_crl_file $CERTS/crl.pem is out of date since 2020-02-01T00:00:00Z"
	assert_said_nothing
}

### What is trusted

@test "an authority of one's own is not trusted without tls_trust_file" {
	start_tls_peer
	account_at localhost
	send
	assert_exit 69
	assert_stderr "unknown authority, CN=peer test CA"
	assert_not_trusted
}

@test "the bundle of the system with one's own authority behind it works as tls_trust_file" {
	local bundle=/etc/ssl/certs/ca-certificates.crt

	[ -s "$bundle" ] || skip "there is no $bundle"
	start_tls_peer
	cat "$bundle" "$CERTS/ca.pem" >"$HOME/bundle.pem"
	account_at localhost "tls_trust_file $HOME/bundle.pem"
	send
	assert_exit 0
	assert_received 1
}

@test "a folder works as tls_trust_file, with the names that openssl gives and with others" {
	need_openssl
	start_tls_peer
	mkdir "$HOME/authorities"
	cp "$CERTS/ca.pem" "$HOME/authorities/ours.pem"
	account_at localhost "tls_trust_file ~/authorities"
	send
	assert_exit 0
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj "/CN=Other authority" \
		-keyout /dev/null -out "$HOME/authorities/other.pem" 2>/dev/null
	openssl rehash "$HOME/authorities"
	[ "$(find "$HOME/authorities" -type l | wc -l)" -eq 2 ]
	send
	assert_exit 0
	assert_silent
	assert_received 2
	rm "$HOME/authorities/ours.pem"
	send
	assert_exit 69
	assert_stderr "unknown authority, CN=peer test CA"
	rm "$HOME"/authorities/*
	send
	assert_exit 78
	assert_stderr "tls_trust_file $HOME/authorities holds no certificate"
	assert_received 2
}

@test "the system's own folder, with one's own authority in it, works as tls_trust_file" {
	[ -d /etc/ssl/certs ] || skip "there is no /etc/ssl/certs"
	start_tls_peer
	account_at localhost "tls_trust_file /etc/ssl/certs"
	send
	assert_exit 69
	assert_stderr "unknown authority"
	assert_not_trusted
	mkdir "$HOME/authorities"
	cp -a /etc/ssl/certs/. "$HOME/authorities" 2>/dev/null || true
	cp "$CERTS/ca.pem" "$HOME/authorities/zz-ours.crt"
	account_at localhost "tls_trust_file $HOME/authorities"
	send
	assert_exit 0
	assert_received 1
}

@test "a missing tls_trust_file is a fault of the configuration" {
	start_tls_peer
	account_at localhost "tls_trust_file $HOME/missing.pem"
	send
	assert_exit 78
	assert_stderr "tls_trust_file: cannot open $HOME/missing.pem: No such file or directory"
	assert_said_nothing
}

@test "an empty tls_trust_file trusts nobody" {
	start_tls_peer
	: >"$HOME/empty.pem"
	account_at localhost "tls_trust_file $HOME/empty.pem"
	send
	[ "$status" -eq 69 ] || assert_exit 78
	assert_said_nothing
	assert_received 0
}

@test "an empty argument of tls_trust_file needs something else to trust" {
	start_tls_peer
	account_at localhost "tls_trust_file"
	send
	assert_exit 78
	assert_stderr "tls_fingerprint"
	assert_stderr "hint: 'tls_trust_file system'"
	assert_received 0
}

@test "tls_host_override is the name that is checked" {
	start_tls_peer --cert-name mail.example.test
	trusting_account
	send
	assert_exit 69
	assert_stderr "certificate is for mail.example.test, not for localhost"
	trusting_account localhost "tls_host_override mail.example.test"
	send
	assert_exit 0
	assert_received 1
	assert_log_line '\* tls .* sni mail\.example\.test$'
}

@test "tls_fingerprint in SHA256, SHA1 or MD5 stands for any other trust" {
	local digest

	need_openssl
	start_tls_peer --cert-fault self-signed --cert-name other.example.test
	for digest in sha256 sha1 md5; do
		account_at localhost "tls_fingerprint $(fingerprint_of $digest)"
		send
		assert_exit 0
		assert_silent
	done
	assert_received 3
}

@test "the fingerprint that is told is the right one" {
	need_openssl
	start_tls_peer --cert-fault self-signed
	account_at localhost
	send
	assert_exit 69
	assert_stderr "tls_fingerprint $(fingerprint_of sha256)'"
}

@test "another tls_fingerprint is refused, and the presented one told" {
	need_openssl
	start_tls_peer
	account_at localhost "tls_fingerprint 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33"
	send
	assert_exit 69
	assert_stderr "not the one of tls_fingerprint"
	assert_stderr "$(fingerprint_of sha1)"
	assert_not_trusted
}

@test "protocol 60: another key than that of tls_pin is refused in spite of a good authority" {
	need_openssl
	start_tls_peer
	trusting_account localhost "tls_pin sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	send
	assert_exit 69
	assert_stderr "tls_pin"
	assert_stderr "sha256/$(pin_of "$CERTS/cert.pem")"
	assert_not_trusted
}

@test "the key of tls_pin is taken, also as one of several" {
	need_openssl
	start_tls_peer
	trusting_account localhost \
		"tls_pin sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,sha256/$(pin_of "$CERTS/cert.pem")"
	send
	assert_exit 0
	assert_received 1
}

@test "protocol 60: tls_pin only takes its key, whoever has signed it, for whatever name and time, and no other key" {
	need_openssl
	start_tls_peer --cert-fault expired --cert-name other.example.test
	account_at localhost "tls_pin only sha256/$(pin_of "$CERTS/cert.pem")"
	send
	assert_exit 0
	assert_silent
	assert_received 1

	start_tls_peer
	trusting_account localhost "tls_pin only sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	send
	assert_exit 69
	assert_stderr "not among those of tls_pin: it is sha256/$(pin_of "$CERTS/cert.pem")"
	assert_stderr "hint: "
	assert_not_trusted
}

@test "tls_pin only needs no tls_trust_file, tls_pin alone does" {
	need_openssl
	start_tls_peer
	account_at localhost "tls_trust_file" "tls_pin only sha256/$(pin_of "$CERTS/cert.pem")"
	send
	assert_exit 0
	account_at localhost "tls_trust_file" "tls_pin sha256/$(pin_of "$CERTS/cert.pem")"
	send
	assert_exit 78
	account_at localhost "tls_trust_file" "tls_fingerprint also $(fingerprint_of sha256)"
	send
	assert_exit 78
	assert_received 1
}

@test "protocol 60: tls_fingerprint also takes its certificate only if authority, name and date are right, too" {
	need_openssl
	start_tls_peer
	trusting_account localhost "tls_fingerprint also $(fingerprint_of sha256)"
	send
	assert_exit 0
	assert_received 1
	account_at localhost "tls_fingerprint also $(fingerprint_of sha256)"
	send
	assert_exit 69
	assert_stderr "unknown authority"
	trusting_account localhost "tls_fingerprint also 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33"
	send
	assert_exit 69
	assert_stderr "not the one of tls_fingerprint"
	trusting_account localhost "tls_fingerprint perhaps $(fingerprint_of sha256)"
	send
	assert_exit 78
	assert_stderr "tls_fingerprint"
	assert_received 1
}

@test "tls_pin does not make up for an unknown authority" {
	need_openssl
	start_tls_peer
	account_at localhost "tls_pin sha256/$(pin_of "$CERTS/cert.pem")"
	send
	assert_exit 69
	assert_stderr "unknown authority"
	assert_not_trusted
}

@test "tls_certcheck off takes any certificate" {
	start_tls_peer --cert-fault expired --cert-name other.example.test
	account_at localhost "tls_certcheck off"
	send
	assert_exit 0
	assert_received 1
}

### The rest of msmtp's settings

@test "msmtp: tls_certcheck off overrides tls_trust_file and tls_fingerprint, and tls_nocertcheck is the same" {
	local line

	start_tls_peer --cert-fault self-signed
	for line in "tls_certcheck off" tls_nocertcheck; do
		trusting_account localhost "tls_fingerprint 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33" "$line"
		send
		assert_exit 0
	done
	assert_received 2
}

@test "msmtp: tls_fingerprint overrides tls_trust_file, the name and the date, with colons, blanks or nothing between" {
	local digest

	need_openssl
	start_tls_peer --cert-fault expired --cert-name other.example.test
	digest=$(fingerprint_of sha256)
	for digest in "$digest" "${digest//:/ }" "${digest//:/}"; do
		account_at localhost "tls_trust_file" "tls_fingerprint $digest"
		send
		assert_exit 0
	done
	assert_received 3
}

@test "msmtp: tls_nostarttls is tls_starttls off, and tls_force_sslv3 does nothing" {
	start_peer --tls implicit --make-cert "$CERTS"
	trusting_account localhost tls_nostarttls tls_force_sslv3
	send
	assert_exit 0
	assert_silent
	assert_received 1
}

@test "msmtp: tls_trust_file and the other files of TLS know ~" {
	make_certificates "$HOME/certs"
	start_peer --tls starttls --cert "$HOME/certs/cert.pem" --key "$HOME/certs/key.pem" --client-ca "$HOME/certs/ca.pem" --auth EXTERNAL
	account_at localhost "tls_trust_file ~/certs/ca.pem" "tls_cert_file ~/certs/client.pem" "tls_key_file ~/certs/client-key.pem" \
		"auth external"
	send
	assert_exit 0
	account_at localhost "tls_trust_file ~/certs/ca.pem" "tls_crl_file ~/missing.pem"
	send
	assert_exit 78
	assert_stderr "$HOME/missing.pem"
}

@test "msmtp: tls_crl_file needs tls_trust_file, and key and certificate need each other" {
	start_tls_peer
	account_at localhost "tls_trust_file" "tls_certcheck off" "tls_crl_file $CERTS/ca.pem"
	send
	assert_exit 78
	assert_stderr "tls_crl_file requires tls_trust_file"
	trusting_account localhost "tls_key_file $CERTS/client-key.pem"
	send
	assert_exit 78
	assert_stderr "tls_key_file requires tls_cert_file"
	assert_received 0
}

@test "msmtp: tls_priorities replaces our priorities as a whole" {
	start_tls_peer --tls-max 1.1
	trusting_account localhost "tls_priorities NORMAL:-VERS-ALL:+VERS-TLS1.1:+SIGN-RSA-SHA1:+SIGN-ECDSA-SHA1"
	send
	assert_exit 0
	assert_received 1
	assert_log_line '\* tls TLS1\.1'
}

@test "msmtp: tls_min_dh_prime_bits refuses a smaller prime" {
	make_authority
	openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=x -addext "subjectAltName=IP:127.0.0.1" \
		-addext "extendedKeyUsage=serverAuth" -keyout "$CERTS/key.pem" -out "$CERTS/cert.pem" 2>/dev/null
	start_openssl -tls1_2 -cipher DHE-RSA-AES256-GCM-SHA384
	account_at 127.0.0.1 "tls_starttls off" "tls_trust_file $CERTS/cert.pem" "tls_min_dh_prime_bits 16384" "timeout 10"
	send
	assert_exit 76
	assert_stderr "prime"
	account_at 127.0.0.1 "tls_starttls off" "tls_trust_file $CERTS/cert.pem" "tls_min_dh_prime_bits 1024" "timeout 2"
	send
	assert_exit 75
	assert_stderr "no answer within 2 seconds"
}

### Versions

@test "protocol 61: a server that knows TLS 1.1 at most is refused" {
	start_tls_peer --tls-max 1.1
	trusting_account
	send
	assert_exit 76
	assert_stderr "TLS"
	assert_stderr "hint: "
	assert_said_nothing
}

@test "tls_min 1.3 refuses a server that knows TLS 1.2 at most" {
	start_tls_peer --tls-max 1.2
	trusting_account localhost "tls_min 1.3"
	send
	assert_exit 76
	assert_said_nothing
	trusting_account
	send
	assert_exit 0
	assert_log_line '\* tls TLS1\.2'
}

@test "tls_priorities that nobody knows are a fault of the configuration" {
	start_tls_peer
	trusting_account localhost "tls_priorities NORMAL:-NONSENSE"
	send
	assert_exit 78
	assert_stderr "tls_priorities"
	assert_said_nothing
}

### The wire under TLS

@test "protocol 62: a server that is silent after the handshake ends at the time limit" {
	start_peer --tls implicit --make-cert "$CERTS" --fault greet:stall
	trusting_account localhost "tls_starttls off" "timeout 1"
	SECONDS=0
	send
	assert_exit 75
	assert_stderr "no answer within 1 second"
	[ "$SECONDS" -le 4 ]
}

@test "protocol 62: silence at any later step under TLS ends at the time limit" {
	start_tls_peer --fault mail:stall --ehlo ""
	trusting_account localhost "timeout 1"
	send
	assert_exit 75
	assert_stderr "no answer within 1 second"
}

@test "protocol 63: a server that asks for a new handshake is left" {
	make_authority
	start_openssl -tls1_2
	trusting_account 127.0.0.1 "tls_starttls off" "timeout 20"
	(wait_until 15 grep -q 'CIPHER is' "$CERTS/server" && echo r >"$CERTS/keys") 3>&- 4>&- &
	send
	assert_exit 76
	assert_stderr "another handshake"
}

@test "protocol 64: a connection that is cut in the middle of the session is temporary" {
	start_tls_peer --ehlo "" --fault mail:close
	trusting_account
	send
	assert_exit 75
	assert_received 0
}

@test "protocol 64: an answer that is cut in the middle, without the end of TLS, is temporary" {
	make_authority
	start_openssl
	trusting_account 127.0.0.1 "tls_starttls off" "timeout 20"
	(
		printf '220 peer.example.test\n' >"$CERTS/keys"
		wait_until 15 grep -q '^EHLO' "$CERTS/server"
		printf '250-peer.example.test\n250-SI' >"$CERTS/keys"
		sleep 0.5
		kill -KILL "$OPENSSL_PID"
	) 3>&- 4>&- &
	send
	assert_exit 75
	assert_stderr "the server closed the connection"
}

@test "protocol 64: a connection that is cut after the final answer is no fault" {
	start_tls_peer --fault quit:close
	trusting_account
	send
	assert_exit 0
	assert_silent
	assert_received 1
}

@test "protocol 64: a connection that is cut instead of the final answer may deliver twice" {
	start_tls_peer --fault dot:close
	trusting_account
	send
	assert_exit 75
	assert_stderr "twice"
}

@test "protocol 65: session tickets of TLS 1.3 are not in the way" {
	start_peer --tls implicit --make-cert "$CERTS" --tls-tickets on
	trusting_account localhost "tls_starttls off" "timeout 10"
	send
	assert_exit 0
	assert_received 1
	assert_log_line '\* tls TLS1\.3'
}

@test "implicit TLS with a server that begins in the clear is told as such" {
	start_peer
	account_at localhost "tls_starttls off" "timeout 5"
	send
	[ "$status" -eq 76 ] || assert_exit 75
	assert_stderr "tls_starttls on"
	assert_received 0
}

@test "STARTTLS with a server that waits for TLS ends at the time limit" {
	start_peer --tls implicit --make-cert "$CERTS"
	trusting_account localhost "timeout 1"
	send
	assert_exit 75
	assert_stderr "no answer within 1 second"
	assert_stderr "tls_starttls off"
}

### Client certificates

@test "a client certificate and auth external need no password" {
	make_certificates "$CERTS"
	start_peer --tls starttls --cert "$CERTS/cert.pem" --key "$CERTS/key.pem" --client-ca "$CERTS/ca.pem" --auth EXTERNAL
	trusting_account localhost "tls_cert_file $CERTS/client.pem" "tls_key_file $CERTS/client-key.pem" "auth external"
	send
	assert_exit 0
	assert_silent
	assert_log_line '\* authenticated joe'
	assert_received 1
}

@test "a key with a passphrase takes the one of tls_key_password, and no other" {
	need_openssl
	make_certificates "$CERTS"
	openssl pkcs8 -topk8 -in "$CERTS/client-key.pem" -passout pass:opensesame -out "$CERTS/locked.pem"
	start_peer --tls starttls --cert "$CERTS/cert.pem" --key "$CERTS/key.pem" --client-ca "$CERTS/ca.pem" --auth EXTERNAL
	trusting_account localhost "tls_cert_file $CERTS/client.pem" "tls_key_file $CERTS/locked.pem" "auth external" \
		"tls_key_password opensesame"
	send
	assert_exit 0
	assert_silent
	assert_log_line '\* authenticated joe'

	trusting_account localhost "tls_cert_file $CERTS/client.pem" "tls_key_file $CERTS/locked.pem" "auth external" \
		"tls_key_password wrong-one"
	send
	assert_exit 78
	assert_stderr "tls_key_file $CERTS/locked.pem: the passphrase was refused"
	refute_stderr wrong-one

	trusting_account localhost "tls_cert_file $CERTS/client.pem" "tls_key_file $CERTS/locked.pem" "auth external" \
		"user joe" "password opensesame"
	send
	assert_exit 78
	assert_stderr "tls_key_file $CERTS/locked.pem wants the passphrase, and there is no tls_key_password"
	assert_received 1
}

@test "tls_key_password is a secret" {
	need_openssl
	start_tls_peer
	trusting_account localhost "tls_key_password opensesame"
	run_mailcrane --print-config
	assert_exit 0
	[[ $output != *opensesame* ]] || fail_with "it is printed"
	assert_stdout "tls_key_password *"
	run_mailcrane --tls-key-password=opensesame alice@example.net <"$HOME/message"
	assert_exit 64
	assert_received 0
}

@test "a client certificate without its key is a fault of the configuration" {
	start_tls_peer
	trusting_account localhost "tls_cert_file $CERTS/client.pem"
	send
	assert_exit 78
	assert_stderr "tls_cert_file requires tls_key_file"
	trusting_account localhost "tls_cert_file $CERTS/client.pem" "tls_key_file $HOME/missing.pem"
	send
	assert_exit 78
	assert_stderr "$HOME/missing.pem"
	assert_said_nothing
}

@test "the key of another certificate is a fault of the configuration" {
	start_tls_peer
	trusting_account localhost "tls_cert_file $CERTS/client.pem" "tls_key_file $CERTS/key.pem"
	send
	assert_exit 78
	assert_stderr "tls_key_file"
	assert_said_nothing
}

### Messages that require TLS

@test "require_tls: the demand stays with a queued message, whatever the account says later" {
	QUEUE=
	start_tls_peer --ehlo PIPELINING --ehlo REQUIRETLS
	trusting_account localhost "require_tls on"
	run_mailcrane -odq alice@example.net <"$HOME/message"
	assert_exit 0
	trusting_account
	run_mailcrane --flush
	assert_exit 0
	assert_wire_like '^MAIL FROM:<joe@example\.test> REQUIRETLS$'
	assert_received 1
}

@test "require_tls: a server without REQUIRETLS gets nothing of the message, and the refusal says why" {
	start_tls_peer
	trusting_account localhost "require_tls on"
	send
	assert_exit 69
	assert_stderr "5.7.30"
	assert_stderr "REQUIRETLS"
	assert_stderr "hint: 'require_tls off'"
	assert_said_nothing
	run_mailcrane --require-tls=off alice@example.net <"$HOME/message"
	assert_exit 0
	assert_received 1
}

@test "--serverinfo tells by what the certificate was verified" {
	start_tls_peer --ehlo REQUIRETLS
	trusting_account
	run_mailcrane --serverinfo
	assert_exit 0
	assert_stdout "Certificate verified by: pkix"
	assert_stdout "Support for messages that require TLS on their whole way"
	trusting_account localhost "tls_certcheck off"
	run_mailcrane --serverinfo
	assert_exit 0
	assert_stdout "Certificate verified by: none"
}
