# start.bats - what a call does not need it does not load, and what cannot be loaded is told.

# shellcheck disable=SC2154,SC2034 # $stderr is set by run, CLEAN_ENVIRONMENT read by the library

load lib/common

setup() {
	setup_home
	printf 'From: joe@example.test\nSubject: s\n\nhello\n' >"$HOME/message"
}

teardown() {
	stop_peer
}

account() {
	{
		printf 'host localhost\nport %s\nfrom joe@example.test\n' "$PORT"
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} | write_config
}

# What the dynamic linker says while mailcrane runs with ARGS, the message on stdin: in $MAPPED.
run_watched() {
	MAPPED=$BATS_TEST_TMPDIR/mapped
	CLEAN_ENVIRONMENT=(LD_DEBUG=files LD_DEBUG_OUTPUT="$MAPPED.of")
	run_mailcrane "$@" <"$HOME/message"
	CLEAN_ENVIRONMENT=()
	# One file for each program; timeout(1) is one.
	cat "$MAPPED".of.* >"$MAPPED" || skip "the dynamic linker does not tell what it loads"
	rm -f "$MAPPED".of.*
	grep -q "init: .*libc" "$MAPPED" || skip "the dynamic linker does not tell what it loads"
}

assert_mapped() {
	grep -q "init: .*/$1" "$MAPPED" || fail_with "$1 expected" "$(grep init: "$MAPPED")"
}

refute_mapped() {
	local library

	for library; do
		! grep -q "init: .*/$library" "$MAPPED" || fail_with "no $library expected" "$(grep init: "$MAPPED")"
	done
}

# The name of the library NAME as it is mapped by --version.
soname_of() {
	run_watched --version
	sed -n "s|.*init: .*/\($1\.so[.0-9]*\).*|\1|p" "$MAPPED" | sort -u | head -n 1
}

# --version has told a version of GnuTLS that is like REGEX, and those of the others.
assert_libraries() {
	grep -Eqx "Libraries: GnuTLS $1, GNU SASL [0-9.]+, Libidn2 [0-9.]+, libunbound ([0-9.]+|\(built without\)), libcurl ([0-9.]+|\(built without\)|\(cannot be loaded\))" <<<"$output" || fail_with "versions expected" "$output"
}

# A file that is no library in place of the library NAME.
break_library() {
	local soname

	soname=$(soname_of "$1")
	[ -n "$soname" ] || fail_with "--version does not load $1"
	mkdir -p "$BATS_TEST_TMPDIR/broken"
	echo "this is no library" >"$BATS_TEST_TMPDIR/broken/$soname"
	CLEAN_ENVIRONMENT=(LD_LIBRARY_PATH="$BATS_TEST_TMPDIR/broken")
}

@test "no TLS, no TLS library; no login, no login library; no name that is not ASCII, no library for it" {
	start_peer
	account 'tls off'
	run_watched alice@example.net
	assert_exit 0 && assert_received 1 && refute_mapped libgnutls libp11-kit libgsasl libidn2 libunistring libjansson libunbound libcurl
}

@test "calls that send nothing load none of them either" {
	account 'tls on'
	run_watched --help
	assert_exit 0 && refute_mapped libgnutls libgsasl libidn2
	PORT=1 account 'tls on'
	run_watched --pretend alice@example.net
	assert_exit 0 && refute_mapped libgnutls libgsasl libidn2
}

@test "a message that goes through TLS loads the TLS library and nothing for logins" {
	start_peer --tls starttls --make-cert "$BATS_TEST_TMPDIR/certs"
	account 'tls on' "tls_trust_file $BATS_TEST_TMPDIR/certs/ca.pem"
	run_watched alice@example.net
	assert_exit 0 && assert_received 1 && assert_mapped libgnutls && refute_mapped libgsasl
}

@test "a TLS library that cannot be loaded: 69, what to install, and nothing is sent" {
	start_peer --tls starttls --make-cert "$BATS_TEST_TMPDIR/certs"
	break_library libgnutls
	account 'tls on' "tls_trust_file $BATS_TEST_TMPDIR/certs/ca.pem"
	run_mailcrane alice@example.net <"$HOME/message"
	assert_exit 69 && assert_stderr "TLS needs GnuTLS" && assert_stderr "cannot be loaded" && assert_stderr "install GnuTLS"
	assert_received 0 && refute_wire_like '^(MAIL|RCPT|AUTH|DATA|BDAT)'
}

@test "without TLS a TLS library that cannot be loaded does no harm" {
	start_peer
	break_library libgnutls
	account 'tls off'
	run_mailcrane alice@example.net <"$HOME/message"
	assert_exit 0 && assert_received 1
}

@test "a login library that cannot be loaded: 69, what to install, and nothing is sent" {
	start_peer --auth PLAIN --auth-in-clear
	break_library libgsasl
	account 'tls off' 'auth plain' 'user joe' "password $JOES_PASSWORD"
	run_mailcrane alice@example.net <"$HOME/message"
	assert_exit 69 && assert_stderr "needs GNU SASL" && assert_stderr "install GNU SASL" && assert_received 0
	refute_wire_like '^(MAIL|RCPT|DATA|BDAT)'
}

@test "without the library of domain names only a domain that is not ASCII is refused" {
	start_peer
	break_library libidn2
	account 'tls off'
	run_mailcrane alice@example.net <"$HOME/message"
	assert_exit 0 && assert_received 1
	account 'tls off' 'domain bücher.example'
	run_mailcrane alice@example.net <"$HOME/message"
	[ "$status" -ne 0 ] && assert_stderr "Libidn2 cannot be loaded" && assert_received 1
}

@test "--version tells the versions of all libraries, and which cannot be loaded" {
	run_mailcrane --version
	assert_exit 0 && assert_libraries '[0-9.]+'
	break_library libgnutls
	run_mailcrane --version
	assert_exit 0 && assert_libraries '\(cannot be loaded\)'
}
