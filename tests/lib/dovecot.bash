# dovecot.bash - a real Dovecot inside the namespace (namespace.bash).
#
# Submission on 1587 (STARTTLS) and 1465 (TLS), relaying to 127.0.0.1:$DOVECOT_RELAY_PORT; LMTP on TCP 2003 and on the
# socket $DOVECOT_LMTP_SOCKET; authentication for Postfix on $RIG/postfix/queue/private/auth.
# User joe, password $DOVECOT_PASSWORD; LMTP knows alice@example.test and bob@example.test, no one else.
# Mail lands in $RIG/mail/ADDRESS/new. The log is $RIG/dovecot.log. DOVECOT_SETTINGS are further lines of its configuration.

# shellcheck disable=SC1003 # the backslash is meant
DOVECOT_PASSWORD='pass "word" #1\'
# shellcheck disable=SC2034 # for the tests
DOVECOT_LMTP_SOCKET=/run/dovecot/lmtp

dovecot_configure() {
	local dir=$RIG/dovecot

	mkdir -p "$dir" "$RIG/mail" "$RIG/postfix/queue" /run/dovecot
	install -d -o postfix -m 700 "$RIG/postfix/queue/private"
	chown vmail:vmail "$RIG/mail"
	printf '%s:{PLAIN}%s::::::\n' joe "$DOVECOT_PASSWORD" alice@example.test x bob@example.test x >"$dir/users"
	cat >"$dir/dovecot.conf" <<-END
		protocols = submission lmtp
		log_path = $RIG/dovecot.log
		auth_verbose = yes
		hostname = mx.example.test
		postmaster_address = postmaster@example.test
		listen = 127.0.0.1, ::1
		ssl = required
		ssl_cert = <$RIG/tls/cert.pem
		ssl_key = <$RIG/tls/key.pem
		disable_plaintext_auth = yes
		auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
		auth_failure_delay = 0
		mail_location = maildir:$RIG/mail/%u
		mail_uid = vmail
		mail_gid = vmail
		first_valid_uid = 100
		submission_relay_host = 127.0.0.1
		submission_relay_port = ${DOVECOT_RELAY_PORT:-25}
		submission_relay_trusted = no
		passdb {
		  driver = passwd-file
		  args = $dir/users
		}
		userdb {
		  driver = passwd-file
		  args = $dir/users
		  default_fields = uid=vmail gid=vmail home=$RIG/mail/%u
		}
		service auth {
		  unix_listener $RIG/postfix/queue/private/auth {
		    mode = 0666
		  }
		}
		service submission-login {
		  inet_listener submission {
		    port = 1587
		  }
		  inet_listener submissions {
		    port = 1465
		    ssl = yes
		  }
		}
		service lmtp {
		  inet_listener lmtp {
		    port = 2003
		  }
		  unix_listener lmtp {
		    mode = 0666
		  }
		}
		protocol lmtp {
		  ssl = no
		}
		${DOVECOT_SETTINGS:-}
	END
}

# Start it and wait until it listens. The log is shown when it does not.
dovecot_start() {
	[ -f "$RIG/tls/cert.pem" ] || certificate_make "$RIG/tls" || return 1
	dovecot_configure || return 1
	dovecot -c "$RIG/dovecot/dovecot.conf" 3>&- 4>&- || {
		dovecot_show_log
		return 1
	}
	if ! wait_for_port 1587 || ! wait_for_port 2003; then
		dovecot_show_log
		return 1
	fi
}

dovecot_stop() {
	command -v doveadm >/dev/null || return 0
	doveadm -c "$RIG/dovecot/dovecot.conf" stop 3>&- || true
}

dovecot_show_log() {
	echo "--- $RIG/dovecot.log" >&2
	tail -n 40 "$RIG/dovecot.log" >&2 || true
}
