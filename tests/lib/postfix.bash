# postfix.bash - a real Postfix inside the namespace (namespace.bash).
#
# 25 (TLS may), 587 (TLS must, AUTH by Dovecot), 465 (TLS from the first byte, AUTH), 2500 (a server that hides 8BITMIME,
# SMTPUTF8, DSN, CHUNKING and PIPELINING). It knows alice, bob and many1 ... many100 at example.test; everything else there
# is refused with 550 5.1.1 at RCPT. Mail lands in $RIG/mail/ADDRESS/new. The log is $RIG/postfix.log.
#
# POSTFIX_HOST=N before postfix_start puts it into the host N of hosts.bash, where it takes mail from everywhere;
# POSTFIX_DOMAIN is the domain it knows those users at, if that is not example.test.

: "${POSTFIX_DOMAIN:=example.test}"

postfix_configure() {
	local dir=$RIG/postfix number user

	mkdir -p "$dir/config" "$dir/queue" "$RIG/mail"
	install -d -o postfix -m 700 "$dir/data" "$dir/queue/private"
	chgrp postdrop /usr/sbin/postdrop /usr/sbin/postqueue && chmod 2755 /usr/sbin/postdrop /usr/sbin/postqueue
	chown vmail:vmail "$RIG/mail"
	{
		for user in alice bob; do
			echo "$user@$POSTFIX_DOMAIN $user@$POSTFIX_DOMAIN/"
		done
		for ((number = 1; number <= 100; number++)); do
			echo "many$number@$POSTFIX_DOMAIN many$number@$POSTFIX_DOMAIN/"
		done
	} >"$dir/config/mailboxes"
	postfix_main >"$dir/config/main.cf"
	postfix_master >"$dir/config/master.cf"
}

postfix_main() {
	cat <<-END
		compatibility_level = 3.6
		queue_directory = $RIG/postfix/queue
		data_directory = $RIG/postfix/data
		meta_directory = /etc/postfix
		maillog_file = $RIG/postfix.log
		myhostname = mx.example.test
		mydestination =
		mynetworks = 127.0.0.0/8 [::1]/128
		inet_interfaces = $([ -n "${POSTFIX_HOST:-}" ] && echo all || echo loopback-only)
		local_recipient_maps =
		alias_maps =
		alias_database =
		local_header_rewrite_clients =
		default_transport = discard:
		virtual_mailbox_domains = $POSTFIX_DOMAIN
		virtual_mailbox_base = $RIG/mail
		virtual_mailbox_maps = texthash:$RIG/postfix/config/mailboxes
		virtual_uid_maps = static:$(id -u vmail)
		virtual_gid_maps = static:$(id -g vmail)
		virtual_minimum_uid = 100
		virtual_mailbox_limit = 0
		message_size_limit = 20000000
		biff = no
		smtpd_client_connection_count_limit = 0
		smtpd_tls_security_level = may
		smtpd_tls_cert_file = $RIG/tls/cert.pem
		smtpd_tls_key_file = $RIG/tls/key.pem
		smtpd_tls_loglevel = 1
		smtpd_tls_auth_only = yes
		smtpd_sasl_type = dovecot
		smtpd_sasl_path = private/auth
		smtpd_forbid_bare_newline = no
		smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
	END
}

postfix_master() {
	cat <<-'END'
		smtp       inet  n - n - - smtpd
		587        inet  n - n - - smtpd
		  -o syslog_name=postfix/submission
		  -o smtpd_tls_security_level=encrypt
		  -o smtpd_sasl_auth_enable=yes
		  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
		465        inet  n - n - - smtpd
		  -o syslog_name=postfix/submissions
		  -o smtpd_tls_wrappermode=yes
		  -o smtpd_sasl_auth_enable=yes
		  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
		2500       inet  n - n - - smtpd
		  -o syslog_name=postfix/plain
		  -o smtpd_discard_ehlo_keywords=8bitmime,smtputf8,dsn,chunking,pipelining,starttls
		pickup     unix  n - n 60 1 pickup
		cleanup    unix  n - n - 0 cleanup
		qmgr       unix  n - n 300 1 qmgr
		tlsmgr     unix  - - n 1000? 1 tlsmgr
		rewrite    unix  - - n - - trivial-rewrite
		bounce     unix  - - n - 0 bounce
		defer      unix  - - n - 0 bounce
		trace      unix  - - n - 0 bounce
		verify     unix  - - n - 1 verify
		flush      unix  n - n 1000? 0 flush
		proxymap   unix  - - n - - proxymap
		proxywrite unix  - - n - 1 proxymap
		smtp       unix  - - n - - smtp
		relay      unix  - - n - - smtp
		showq      unix  n - n - - showq
		error      unix  - - n - - error
		retry      unix  - - n - - error
		discard    unix  - - n - - discard
		local      unix  - n n - - local
		virtual    unix  - n n - - virtual
		lmtp       unix  - - n - - lmtp
		anvil      unix  - - n - 1 anvil
		scache     unix  - - n - 1 scache
		postlog    unix-dgram n - n - 1 postlogd
	END
}

postfix_run() {
	if [ -n "${POSTFIX_HOST:-}" ]; then
		hosts_run "$POSTFIX_HOST" postfix -c "$RIG/postfix/config" "$@"
	else
		postfix -c "$RIG/postfix/config" "$@"
	fi
}

postfix_listens() {
	if [ -n "${POSTFIX_HOST:-}" ]; then
		hosts_run "$POSTFIX_HOST" bash -c '(: <>/dev/tcp/127.0.0.1/587) 2>/dev/null' 3>&-
	else
		(: <>/dev/tcp/127.0.0.1/587) 2>/dev/null 3>&-
	fi
}

# Start it and wait until it listens. Dovecot should run already: it answers for AUTH.
postfix_start() {
	[ -f "$RIG/tls/cert.pem" ] || certificate_make "$RIG/tls" || return 1
	postfix_configure || return 1
	if ! postfix_run start >"$RIG/postfix.start" 2>&1 3>&- 4>&- || ! wait_until 10 postfix_listens; then
		cat "$RIG/postfix.start" >&2
		postfix_show_log
		return 1
	fi
}

postfix_stop() {
	command -v postfix >/dev/null || return 0
	postfix_run stop >/dev/null 2>&1 3>&- || true
}

# Wait until nothing is left in Postfix' queue, at most 20 seconds.
postfix_wait_delivered() {
	local tries

	for ((tries = 0; tries < 200; tries++)); do
		[ "$(find "$RIG/postfix/queue/"{incoming,active,maildrop} -type f | wc -l)" -eq 0 ] && return 0
		sleep 0.1
	done
	postfix_show_log
	return 1
}

postfix_show_log() {
	echo "--- $RIG/postfix.log" >&2
	tail -n 40 "$RIG/postfix.log" >&2 || true
}
