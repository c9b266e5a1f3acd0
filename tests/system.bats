# system.bats - what depends on the machine: files in /etc, name look-up, addresses that are not loopback. In a machine of its own.
# namespace: ip

# shellcheck disable=SC2154,SC2034 # $stderr is set by run, CLEAN_ENVIRONMENT read by the library

load lib/common

# Several times the time a good run takes; far below the limits that are to be kept.
SOON=8

setup_file() {
	# shellcheck disable=SC1091 # found at run time
	. "$SRCDIR/tests/lib/namespace.bash"
	namespace_require
	ip address add 192.0.2.1/32 dev lo
	ip address add 192.0.2.2/32 dev lo
	ip -6 address add 2001:db8::1/128 dev lo nodad
	# Nobody answers there, and nothing says so.
	ip route add 192.0.2.77/32 dev lo
	ip -6 route add 2001:db8::77/128 dev lo
	ETC=$("$MAILCRANE" --version | sed -n 's/^System configuration folder: //p')
	export ETC
	mkdir -p "$ETC"
}

setup() {
	setup_home
	printf 'From: joe@example.test\nTo: alice@example.net\nSubject: s\n\nhello\n' >"$HOME/message"
	printf '127.0.0.1 localhost\n::1 localhost\n' >/etc/hosts
	: >/etc/resolv.conf
	echo 'hosts: files dns' >/etc/nsswitch.conf
}

teardown() {
	stop_peer
	rm -f "$ETC/mailcranerc" "$ETC/msmtprc" /etc/mailname /etc/gai.conf /etc/aliases
}

account() {
	printf '%s\n' 'from joe@example.test' 'mailname here.example' "$@" | write_config
}

send() {
	SECONDS=0
	run_mailcrane "${@:-alice@example.net}" <"$HOME/message"
}

### /etc

@test "accounts of the system's file are there for everybody, and the user's win" {
	printf 'account shared\nhost shared.example\naccount work\nhost etc.example\n' >"$ETC/mailcranerc"
	run_mailcrane --pretend -a shared
	assert_exit 0
	assert_stdout "using account shared from $ETC/mailcranerc:1"
	printf 'account work\nhost home.example\n' | write_config
	run_mailcrane --pretend -a work
	assert_stdout "host = home.example"
	run_mailcrane --pretend -a shared
	assert_stdout "host = shared.example"
}

@test "msmtp's system file is read where there is no file of mailcrane's" {
	printf 'account old\nhost old.example\n' >"$ETC/msmtprc"
	run_mailcrane --pretend
	assert_exit 0
	assert_stdout "using account old from $ETC/msmtprc:1"
	printf 'account new\nhost new.example\n' >"$ETC/mailcranerc"
	run_mailcrane --pretend
	assert_stdout "using account new from $ETC/mailcranerc:1"
}

@test "users 0.5: a system file that may not be read is told with path, uid, mode and the command that mends it" {
	# shellcheck disable=SC1091 # found at run time
	. "$SRCDIR/tests/lib/user.bash"
	setup_ordinary_user
	printf 'host 127.0.0.1\npassword %s\n' "$JOES_PASSWORD" >"$ETC/mailcranerc"
	chmod 600 "$ETC/mailcranerc"
	run_as_ordinary_user alice@example.net <"$HOME/message"
	assert_exit 78
	assert_stderr "cannot read configuration file $ETC/mailcranerc: Permission denied: uid $ORDINARY_UID may not read it"
	assert_stderr "owner 0, mode 0600"
	assert_stderr "hint: as root: setfacl -m u:$ORDINARY_UID:r $ETC/mailcranerc"
	refute_stderr "no configuration file"
}

@test "a system file with a password may be read by others: that is the administrator's business" {
	# shellcheck disable=SC1091 # found at run time
	. "$SRCDIR/tests/lib/user.bash"
	setup_ordinary_user
	printf 'host 127.0.0.1\nauth on\nuser joe\npassword %s\n' "$JOES_PASSWORD" >"$ETC/mailcranerc"
	chmod 644 "$ETC/mailcranerc"
	run_as_ordinary_user --pretend
	assert_exit 0
}

@test "/etc/mailname is the domain of bare addresses and of the sender" {
	start_peer
	echo mail.example.test >/etc/mailname
	printf 'host 127.0.0.1\nport %s\n' "$PORT" | write_config
	send bob
	assert_exit 0
	[ "$(sender_of 1)" = "$(id -un)@mail.example.test" ]
	assert_recipients 1 bob@mail.example.test
}

@test "a password in the system's netrc is found" {
	register_secret "$JOES_PASSWORD"
	start_peer --auth PLAIN --auth-in-clear --password "$JOES_PASSWORD"
	echo "machine 127.0.0.1 login joe password $JOES_PASSWORD" >"$ETC/netrc"
	account "host 127.0.0.1" "port $PORT" "auth on" "user joe" "auth_cleartext loopback"
	send
	rm "$ETC/netrc"
	assert_exit 0
	assert_log_line '\* authenticated joe'
}

### Names

@test "protocol 2: a greeting of 421 at one address sends us to the host's next address" {
	local busy

	printf '127.0.0.1 mx.test\n127.0.0.2 mx.test\n' >/etc/hosts
	start_peer --listen 127.0.0.1:2525 --fault "greet:reply=421 4.3.2 busy"
	busy=$PEER_PID
	account "host mx.test" "port 2525"
	send
	assert_exit 75
	assert_stderr "greeting was refused: 421 4.3.2 busy; at the next address: cannot connect to port 2525: 127.0.0.2: connection refused"
	start_peer --listen 127.0.0.2:2525
	send
	kill "$busy"
	assert_exit 0
	assert_received 1
}

@test "a name with two addresses, the first of them dead, does not make anybody wait" {
	start_peer --listen 127.0.0.1:0
	printf '192.0.2.77 mx.test\n127.0.0.1 mx.test\n' >/etc/hosts
	# Without this the look-up puts the nearer address first.
	printf 'precedence ::ffff:192.0.2.77/128 100\nprecedence ::/0 40\nscopev4 ::ffff:0.0.0.0/96 2\n' >/etc/gai.conf
	[[ $(getent ahosts mx.test | head -n 1) == 192.0.2.77* ]] || skip "the order of look-ups cannot be chosen here"
	account "host mx.test" "port $PORT"
	send
	assert_exit 0
	[ "$SECONDS" -le "$SOON" ]
	assert_received 1
}

@test "a name with an address of IPv6 that leads nowhere does not make anybody wait" {
	start_peer --listen 127.0.0.1:0
	printf '2001:db8::77 mx.test\n127.0.0.1 mx.test\n' >/etc/hosts
	account "host mx.test" "port $PORT"
	send
	assert_exit 0
	[ "$SECONDS" -le "$SOON" ]
	assert_received 1
}

@test "a name whose first address refuses is reached at the next one" {
	start_peer --listen 127.0.0.1:0
	printf '::1 mx.test\n192.0.2.1 mx.test\n127.0.0.1 mx.test\n' >/etc/hosts
	account "host mx.test" "port $PORT"
	send
	assert_exit 0
	assert_received 1
}

@test "when no address answers, each is told with its reason, at the time limit" {
	printf '192.0.2.77 mx.test\n127.0.0.1 mx.test\n' >/etc/hosts
	account "host mx.test" "port 9" "timeout 1"
	send
	assert_exit 75
	assert_stderr "127.0.0.1: connection refused"
	assert_stderr "192.0.2.77: "
	[ "$SECONDS" -le "$SOON" ]
}

@test "a name that does not exist is told as such" {
	echo 'hosts: files' >/etc/nsswitch.conf
	account "host nowhere.test"
	send
	assert_exit 68
	assert_stderr "there is no host of the name nowhere.test"
	assert_stderr "hint: "
}

@test "a look-up that nobody answers ends at the time limit, and is temporary" {
	echo 'nameserver 192.0.2.77' >/etc/resolv.conf
	account "host mx.nowhere.test" "timeout 1"
	send
	assert_exit 75
	assert_stderr "looking up the host name mx.nowhere.test"
	[ "$SECONDS" -le "$SOON" ]
}

@test "a look-up that nobody answers can be interrupted" {
	local program

	echo 'nameserver 192.0.2.77' >/etc/resolv.conf
	account "host mx.nowhere.test" "auth on" "user joe" "passwordeval echo \$PPID >$HOME/pid; echo $JOES_PASSWORD"
	register_secret "$JOES_PASSWORD"
	clean_environment "$MAILCRANE" --queue=off alice@example.net <"$HOME/message" >/dev/null 2>&1 3>&- 4>&- &
	wait_until 10 test -s "$HOME/pid"
	program=$(cat "$HOME/pid")
	has_child() { [ -n "$(cat "/proc/$program/task/$program/children")" ]; }
	wait_until 10 has_child
	kill "$program"
	gone() { ! kill -0 "$program" 2>/dev/null || grep -q '^State:.Z' "/proc/$program/status"; }
	wait_until "$SOON" gone
}

### Addresses that are not loopback

@test "auth_cleartext loopback does not show the password to another address" {
	start_peer --listen 192.0.2.1:0 --auth PLAIN --auth-in-clear --password "$JOES_PASSWORD"
	account "host 192.0.2.1" "port $PORT" "auth on" "user joe" "password $JOES_PASSWORD" "auth_cleartext loopback"
	send
	assert_exit 69
	assert_stderr "no TLS"
	refute_wire_like '^(AUTH|MAIL)'
	account "host 192.0.2.1" "port $PORT" "auth on" "user joe" "password $JOES_PASSWORD" "auth_cleartext always"
	send
	assert_exit 0
	assert_log_line '\* authenticated joe'
}

@test "source_ip chooses among the addresses of this machine" {
	start_peer --listen 192.0.2.1:0
	account "host 192.0.2.1" "port $PORT" "source_ip 192.0.2.2"
	send
	assert_exit 0
	assert_log_line 'connect from 192\.0\.2\.2'
}

@test "source_ip of one family leaves out the addresses of the other" {
	start_peer --listen '[2001:db8::1]:0'
	printf '192.0.2.77 mx.test\n2001:db8::1 mx.test\n' >/etc/hosts
	account "host mx.test" "port $PORT" "source_ip 2001:db8::1"
	send
	assert_exit 0
	[ "$SECONDS" -le "$SOON" ]
	assert_log_line 'connect from 2001:db8::1'
}

### The sendmail names

@test "sendmail 2.3: /etc/aliases is read under the sendmail names, and 'aliases' says otherwise" {
	start_peer
	account "host 127.0.0.1" "port $PORT" "queue off"
	printf 'root: admin@example.org\nloop: loop2\nloop2: loop\n' >/etc/aliases
	run_as sendmail root <"$HOME/message"
	assert_exit 0
	assert_silent
	run_as sendmail -n root <"$HOME/message"
	run_mailcrane root <"$HOME/message"
	echo 'root: other@example.org' >"$HOME/aliases"
	account "host 127.0.0.1" "port $PORT" "queue off" "aliases $HOME/aliases"
	run_as sendmail root <"$HOME/message"
	account "host 127.0.0.1" "port $PORT" "queue off" "aliases"
	run_as sendmail root <"$HOME/message"
	[ "$(for n in 1 2 3 4 5; do recipients_of $n; done | tr '\n' ' ')" = \
		"admin@example.org root@here.example root@here.example other@example.org root@here.example " ] || fail_with "recipients"
}

@test "sendmail 65: newaliases looks at /etc/aliases where there is no configuration" {
	rm -f "$HOME/.mailcranerc" /etc/aliases
	run_as newaliases </dev/null
	assert_exit 0
	assert_silent
	printf 'a: b\nb: a\n' >/etc/aliases
	run_as newaliases </dev/null
	assert_exit 78
	assert_stderr "/etc/aliases:"
}

@test "a user without an entry in passwd sends as uid and number" {
	command -v setpriv >/dev/null || skip "there is no setpriv"
	[ "$(id -u)" -eq 0 ] || skip "only root can be somebody else"
	start_peer
	printf 'host 127.0.0.1\nport %s\nmailname here.example\nqueue off\n' "$PORT" >"$ETC/mailcranerc"
	mkdir -p /usr/local/sbin
	cp "$MAILCRANE" /usr/local/sbin/sendmail
	chmod 755 /usr/local/sbin/sendmail
	run --separate-stderr env -i USER=root LOGNAME=root setpriv --reuid=54321 --regid=54321 --clear-groups \
		/usr/local/sbin/sendmail -i a@example.org <"$HOME/message"
	rm /usr/local/sbin/sendmail
	assert_exit 0
	assert_silent
	[ "$(sender_of 1)" = uid54321@here.example ] || fail_with "sender"
}

### syslog

# A /dev of its own with a syslog that writes what it hears to the file "heard", then run the program with ARGS.
with_syslog() {
	cat >"$HOME/listen" <<-'END'
		import socket
		listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		listener.bind('/dev/log')
		listener.settimeout(10)
		open('ready', 'w').close()
		open('heard', 'wb').write(listener.recv(9999))
	END
	cat >"$HOME/run" <<-'END'
		mkdir dev && mount -t tmpfs -o mode=755 dev dev || exit 99
		for node in null zero random urandom; do cp -a "/dev/$node" dev || exit 99; done
		ln -s /proc/self/fd dev/fd && mount --bind dev /dev || exit 99
		python3 listen 3>&- 4>&- & listener=$!
		until [ -e ready ]; do kill -0 "$listener" || exit 99; sleep 0.05; done
		"$@" <message
		status=$?
		wait "$listener"
		exit "$status"
	END
	cd "$HOME" || return
	run --separate-stderr clean_environment unshare -m sh "$HOME/run" "$MAILCRANE" "$@"
}

@test "msmtp 27: syslog gets the line without time, as LOG_INFO or LOG_ERR of the facility" {
	command -v python3 >/dev/null || skip "there is no python3"
	start_peer
	account "host 127.0.0.1" "port $PORT" "syslog LOG_MAIL"
	with_syslog alice@example.net
	assert_exit 0
	grep -Eq '^<22>.* mailcrane: host=127\.0\.0\.1 tls=off auth=off from=joe@example\.test recipients=alice@example\.net .*exitcode=EX_OK' \
		"$HOME/heard" || fail_with "syslog heard something else" "$(cat "$HOME/heard")"
	rm -rf "${HOME:?}/dev" "$HOME/heard" "$HOME/ready"
	with_syslog --syslog=on perm@example.net
	assert_exit 67
	grep -Eq '^<11>.* mailcrane: .*smtpstatus=550 .*exitcode=EX_NOUSER' "$HOME/heard" ||
		fail_with "syslog heard something else" "$(cat "$HOME/heard")"
}

@test "-L names the line in syslog, under the sendmail names" {
	command -v python3 >/dev/null || skip "there is no python3"
	start_peer
	account "host 127.0.0.1" "port $PORT" "syslog LOG_MAIL" "queue off"
	ln -s "$MAILCRANE" "$HOME/sendmail"
	MAILCRANE=$HOME/sendmail with_syslog -L $'cron\n[1]' alice@example.net
	assert_exit 0
	grep -Eq '^<22>.* cron\[1\]: host=' "$HOME/heard" || fail_with "syslog heard something else" "$(cat "$HOME/heard")"
}

@test "variables count under the sendmail names where root's file allows it, and only there" {
	start_peer
	printf 'environment on\nhost 192.0.2.1\nport 9\n' >"$ETC/mailcranerc"
	chmod 644 "$ETC/mailcranerc"
	CLEAN_ENVIRONMENT=("MAILCRANE_URL=smtp://127.0.0.1:$PORT" MAILCRANE_FROM=box@example.test "MAILCRANE_LOGFILE=$HOME/log")
	run_as sendmail alice@example.net <"$HOME/message"
	assert_exit 0
	assert_received 1
	[ "$(sender_of 1)" = box@example.test ]
	chmod 664 "$ETC/mailcranerc"
	CLEAN_ENVIRONMENT+=(MAILCRANE_QUEUE=off)
	printf 'environment on\nhost 127.0.0.1\nport %s\nfrom file@example.test\nqueue off\n' "$PORT" >"$ETC/mailcranerc"
	run_as sendmail alice@example.net <"$HOME/message"
	assert_exit 0
	[ "$(sender_of 2)" = file@example.test ] || fail_with "others can write the file, and it counts"
	chmod 644 "$ETC/mailcranerc"
	sed -i 's/^environment on/environment off/' "$ETC/mailcranerc"
	run_as sendmail alice@example.net <"$HOME/message"
	assert_exit 0
	[ "$(sender_of 3)" = file@example.test ] || fail_with "'off' allows it"
}
