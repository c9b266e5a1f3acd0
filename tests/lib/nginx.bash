# nginx.bash - a real nginx inside the namespace (namespace.bash) that serves MTA-STS policies.
#
# nginx_site NAME [CERTIFICATE [DIRECTIVE...]] makes https://mta-sts.NAME.$NGINX_DOMAIN (test) on 127.0.0.1:443, known by that name in /etc/hosts;
# its policy is the file $RIG/nginx/NAME/.well-known/mta-sts.txt, written by nginx_policy. CERTIFICATE is one of nginx_certificate,
# "" is its own. What was asked for stands in $RIG/nginx/access.log: "HOST REQUEST STATUS".

: "${NGINX_DOMAIN:=test}"

nginx_begin() {
	mkdir -p "$RIG/nginx/sites" "$RIG/nginx/tls" "$RIG/nginx/tmp"
	certificate_authority "$RIG/nginx/tls" ca "Test authority"
}

# A certificate called NAME for the comma list NAMES of subjectAltName; further arguments are for openssl x509.
nginx_certificate() {
	local dir=$RIG/nginx/tls name=$1 names=$2

	shift 2
	{
		printf '%s\n' 'basicConstraints = critical, CA:FALSE' 'keyUsage = critical, digitalSignature' 'extendedKeyUsage = serverAuth'
		[ -z "$names" ] || printf 'subjectAltName = %s\n' "$names"
	} >"$dir/$name.extensions"
	certificate_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=mta-sts.$name.$NGINX_DOMAIN" \
		-keyout "$dir/$name.key" -out "$dir/$name.request" &&
		certificate_openssl x509 -req -in "$dir/$name.request" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -set_serial "$RANDOM" \
			-days 30 -sha256 -extfile "$dir/$name.extensions" "$@" -out "$dir/$name.pem"
}

nginx_site() {
	local name=$1 certificate=${2:-$1} directive

	shift $(($# > 2 ? 2 : $#))
	mkdir -p "$RIG/nginx/$name/.well-known"
	[ -f "$RIG/nginx/tls/$certificate.pem" ] || nginx_certificate "$certificate" "DNS:mta-sts.$name.$NGINX_DOMAIN" || return 1
	{
		echo "server {"
		echo "listen 127.0.0.1:443 ssl; server_name mta-sts.$name.$NGINX_DOMAIN; root $RIG/nginx/$name;"
		echo "ssl_certificate $RIG/nginx/tls/$certificate.pem; ssl_certificate_key $RIG/nginx/tls/$certificate.key;"
		for directive; do
			echo "$directive"
		done
		echo "}"
	} >"$RIG/nginx/sites/$name.conf"
	echo "127.0.0.1 mta-sts.$name.$NGINX_DOMAIN" >>/etc/hosts
}

# stdin becomes the policy of a site, byte for byte.
nginx_policy() {
	cat >"$RIG/nginx/$1/.well-known/mta-sts.txt"
}

nginx_start() {
	cat >"$RIG/nginx/nginx.conf" <<-END
		daemon off;
		master_process off;
		pid $RIG/nginx/pid;
		error_log $RIG/nginx/error.log;
		events { worker_connections 64; }
		http {
			log_format asked '\$host \$request_uri \$status';
			access_log $RIG/nginx/access.log asked;
			default_type text/plain;
			client_body_temp_path $RIG/nginx/tmp;
			proxy_temp_path $RIG/nginx/tmp;
			fastcgi_temp_path $RIG/nginx/tmp;
			uwsgi_temp_path $RIG/nginx/tmp;
			scgi_temp_path $RIG/nginx/tmp;
			ssl_protocols TLSv1.2 TLSv1.3;
			include $RIG/nginx/sites/*.conf;
		}
	END
	nginx -c "$RIG/nginx/nginx.conf" -e "$RIG/nginx/error.log" >"$RIG/nginx/start" 2>&1 3>&- 4>&- &
	NGINX_PID=$!
	if ! wait_for_port 443; then
		cat "$RIG/nginx/start" "$RIG/nginx/error.log" >&2
		return 1
	fi
}

nginx_stop() {
	local pid

	pid=$(cat "$RIG/nginx/pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null || true
	wait_until 10 nginx_is_gone "$pid"
}

nginx_is_gone() {
	! kill -0 "$1" 2>/dev/null
}
