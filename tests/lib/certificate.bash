# certificate.bash - a certification authority and a server certificate for the real servers, made with openssl(1).

# Make DIR/ca.pem, DIR/cert.pem, DIR/key.pem for mx.example.test, localhost, 127.0.0.1 and ::1,
# and DIR/other-ca.pem, an authority that signed nothing.
certificate_make() {
	local dir=$1

	mkdir -p "$dir"
	certificate_authority "$dir" ca "Test authority" || return 1
	certificate_authority "$dir" other-ca "Other authority" || return 1
	cat >"$dir/extensions" <<-'END'
		basicConstraints = critical, CA:FALSE
		keyUsage = critical, digitalSignature
		extendedKeyUsage = serverAuth
		subjectAltName = DNS:mx.example.test, DNS:localhost, IP:127.0.0.1, IP:::1
	END
	certificate_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=mx.example.test" \
		-keyout "$dir/key.pem" -out "$dir/request.pem" &&
		certificate_openssl x509 -req -in "$dir/request.pem" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -set_serial 2 \
			-days 30 -sha256 -extfile "$dir/extensions" -out "$dir/cert.pem" &&
		chmod 600 "$dir/key.pem"
}

# DIR/NAME.pem and DIR/NAME.key: an authority called TITLE.
certificate_authority() {
	certificate_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$3" \
		-addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" \
		-keyout "$1/$2.key" -out "$1/$2.pem"
}

# openssl, silent unless it fails.
certificate_openssl() {
	local said

	said=$(openssl "$@" 2>&1) || {
		printf 'openssl %s: %s\n' "$1" "$said" >&2
		return 1
	}
}
