# keyring.bats - passwords in a desktop's keyring: secret-tool, gnome-keyring-daemon and a session bus of the test's own.
# namespace: secret-tool gnome-keyring-daemon dbus-daemon

# shellcheck disable=SC2034 # CLEAN_ENVIRONMENT is read by the library

load ../lib/common
load ../lib/namespace

setup_file() {
	namespace_require
}

setup() {
	setup_home
	register_secret "$JOES_PASSWORD"
	CERTS=$BATS_TEST_TMPDIR/certs
	printf 'From: joe@example.test\nSubject: s\n\nhello\n' >"$HOME/message"
	export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run XDG_DATA_HOME=$BATS_TEST_TMPDIR/data
	mkdir -m 700 "$XDG_RUNTIME_DIR" "$XDG_DATA_HOME"
	{
		read -r DBUS_SESSION_BUS_ADDRESS
		read -r BUS
	} < <(dbus-daemon --session --fork --print-address=1 --print-pid=1 2>"$BATS_TEST_TMPDIR/bus" 3>&- 4>&-)
	export DBUS_SESSION_BUS_ADDRESS
	CLEAN_ENVIRONMENT=(DBUS_SESSION_BUS_ADDRESS="$DBUS_SESSION_BUS_ADDRESS")
	start_peer --tls starttls --make-cert "$CERTS" --password "$JOES_PASSWORD" --auth PLAIN
	write_config <<-END
		host localhost
		port $PORT
		tls on
		tls_trust_file $CERTS/ca.pem
		from joe@example.test
		auth on
		user joe
		keyring on
		queue off
	END
}

teardown() {
	stop_peer
	[ -z "${BUS:-}" ] || kill "$BUS"
}

# A keyring that is open, its password being what is on stdin. It ends with the bus.
open_keyring() {
	gnome-keyring-daemon --unlock --components=secrets >"$BATS_TEST_TMPDIR/keyring" 2>&1 3>&- 4>&-
}

# As the hint says it.
store() {
	secret-tool store --label=mail host "$1" service smtp user joe
}

lock_keyring() {
	dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
		org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login >/dev/null
}

# By this name of the program: "mailcrane" may have the keyring opened by the user, "sendmail" asks nobody.
send_as() {
	run_as "$1" alice@example.net <"$HOME/message"
}

@test "a password that secret-tool put into the keyring logs in, by either name" {
	open_keyring <<<"of the keyring"
	printf '%s' "$JOES_PASSWORD" | store localhost
	for name in mailcrane sendmail; do
		send_as "$name"
		assert_exit 0
		assert_silent
		assert_log_line '\* authenticated joe'
	done
	assert_received 2
}

@test "a password with blanks and '=' is taken as it is" {
	stop_peer
	start_peer --tls starttls --make-cert "$CERTS" --password " $JOES_PASSWORD = ü " --auth PLAIN
	sed -i "s/^port .*/port $PORT/" "$HOME/.mailcranerc"
	open_keyring <<<"of the keyring"
	printf '%s' " $JOES_PASSWORD = ü " | store localhost
	for name in mailcrane sendmail; do
		send_as "$name"
		assert_exit 0
	done
	assert_received 2
}

@test "a password for another host is not taken, and nothing is said to the server" {
	open_keyring <<<"of the keyring"
	printf '%s' "$JOES_PASSWORD" | store other.example
	for name in mailcrane sendmail; do
		send_as "$name"
		assert_exit 69
		assert_stderr "no password for joe at localhost"
		refute_stderr "locked"
	done
	refute_wire_like '^(AUTH|MAIL)'
}

@test "a keyring that is locked is told, and nobody is asked to open it" {
	open_keyring <<<"of the keyring"
	printf '%s' "$JOES_PASSWORD" | store localhost
	lock_keyring
	send_as sendmail
	assert_exit 69
	assert_stderr "keyring: it is locked"
	assert_stderr "hint: unlock the keyring"
	refute_wire_like '^(AUTH|MAIL)'
}

@test "a session without a keyring is told" {
	send_as mailcrane
	assert_exit 69
	assert_stderr "keyring: command '/usr/bin/secret-tool' ended with exit status 1"
	assert_stderr "hint: run 'secret-tool search host HOST"
	send_as sendmail # its "search" prints and complains of nothing
	assert_exit 69
	assert_stderr "no password for joe at localhost"
	assert_stderr "hint: "
}
