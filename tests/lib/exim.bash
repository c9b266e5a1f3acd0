# exim.bash - a real Exim inside the namespace (namespace.bash), of the files with "# unpacked: exim".
#
# 587 (STARTTLS) and 465 (TLS from the first byte), certificates of certificate.bash; AUTH EXTERNAL for clients whose
# certificate is signed by $RIG/tls/ca.pem and has the address that they ask for, or any when they ask for none. Only who
# is authenticated may send. Mail lands in $RIG/mail/ADDRESS/new. The log is $RIG/exim/mainlog.

exim_configure() {
	mkdir -p "$RIG/exim/spool" "$RIG/mail" /etc/exim4
	grep -q '^Debian-exim:' /etc/group || echo 'Debian-exim:x:907:' >>/etc/group
	grep -q '^Debian-exim:' /etc/passwd ||
		echo 'Debian-exim:x:907:907::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
	chown -R Debian-exim:Debian-exim "$RIG/exim"
	chown vmail:vmail "$RIG/mail"
	install -o Debian-exim -m 600 "$RIG/tls/key.pem" "$RIG/exim/key.pem"
	exim_settings >/etc/exim4/exim4.conf
	chmod 644 /etc/exim4/exim4.conf
}

exim_settings() {
	cat <<-END
		primary_hostname = mx.example.test
		domainlist local_domains = example.test
		spool_directory = $RIG/exim/spool
		log_file_path = $RIG/exim/%slog
		pid_file_path = $RIG/exim/pid
		daemon_smtp_ports = 587 : 465
		tls_on_connect_ports = 465
		local_interfaces = 127.0.0.1
		tls_advertise_hosts = *
		tls_certificate = $RIG/tls/cert.pem
		tls_privatekey = $RIG/exim/key.pem
		tls_verify_certificates = $RIG/tls/ca.pem
		tls_try_verify_hosts = *
		auth_advertise_hosts = \${if eq {\$tls_in_cipher}{}{}{*}}
		log_selector = +received_recipients +smtp_confirmation +tls_peerdn
		never_users =
		acl_smtp_rcpt = check_rcpt
		begin acl
		check_rcpt:
		  accept authenticated = *
		         domains = +local_domains
		  deny message = log in first
		begin routers
		mailbox:
		  driver = accept
		  domains = +local_domains
		  local_parts = alice : bob
		  transport = maildir
		begin transports
		maildir:
		  driver = appendfile
		  maildir_format
		  directory = $RIG/mail/\$local_part_data@example.test
		  create_directory
		  user = vmail
		  group = vmail
		begin authenticators
		external:
		  driver = external
		  public_name = EXTERNAL
		  server_advertise_condition = \$tls_in_certificate_verified
		  server_param2 = \${certextract {subj_altname,mail,>:} {\$tls_in_peercert}}
		  server_condition = \${if or {{eq {\$auth1}{}} {inlist {\$auth1}{\$auth2}}}}
		  server_set_id = \${if eq {\$auth1}{}{\$auth2}{\$auth1}}
	END
}

exim_start() {
	[ -f "$RIG/tls/cert.pem" ] || certificate_make "$RIG/tls" || return 1
	exim_configure || return 1
	if ! exim -bd -q1m >"$RIG/exim/said" 2>&1 3>&- 4>&- || ! wait_for_port 587; then
		cat "$RIG/exim/said" >&2
		return 1
	fi
}

exim_stop() {
	[ ! -s "$RIG/exim/pid" ] || kill "$(cat "$RIG/exim/pid")"
}

# DIR/NAME.pem and DIR/NAME-key.pem: a certificate for a client with ADDRESS, signed by AUTHORITY of certificate.bash.
exim_client_certificate() {
	local dir=$1 name=$2 address=$3 authority=${4:-ca}

	printf 'basicConstraints = critical, CA:FALSE\nextendedKeyUsage = clientAuth\nsubjectAltName = email:%s\n' "$address" >"$dir/extensions"
	certificate_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
		-keyout "$dir/$name-key.pem" -out "$dir/request.pem" &&
		certificate_openssl x509 -req -in "$dir/request.pem" -CA "$dir/$authority.pem" -CAkey "$dir/$authority.key" \
			-set_serial 7 -days 30 -sha256 -extfile "$dir/extensions" -out "$dir/$name.pem"
}

exim_show_log() {
	echo "--- $RIG/exim/mainlog" >&2
	tail -n 40 "$RIG/exim/mainlog" >&2 || true
}
