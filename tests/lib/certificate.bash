# certificate.bash - a certification authority and a server certificate for the real servers, made with openssl(1).

# Make DIR/ca.pem, DIR/cert.pem, DIR/key.pem for mx.example.test, localhost, 127.0.0.1 and ::1,
# and DIR/other-ca.pem, an authority that signed nothing. EXTENSIONS, as x509v3_config(5) has them, come in addition to, or
# instead of, the usual ones.
certificate_make() {
	local dir=$1

	shift
	mkdir -p "$dir"
	certificate_authority "$dir" ca "Test authority" || return 1
	certificate_authority "$dir" other-ca "Other authority" || return 1
	cat >"$dir/extensions" <<-'END'
		basicConstraints = critical, CA:FALSE
		keyUsage = critical, digitalSignature
		extendedKeyUsage = serverAuth
		subjectAltName = DNS:mx.example.test, DNS:localhost, IP:127.0.0.1, IP:::1
	END
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$dir/extensions"
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

# An OCSP response of DIR/ca about the certificate with serial number 2: DIR/staple. FROM and UNTIL are as date(1) reads them,
# STATUS is good, revoked or unknown. openssl ocsp makes none of other times than now.
certificate_staple() {
	local dir=$1 status=$2 from=$3 until=$4 key name said

	case $status in
	good) status=IMPLICIT:0,NULL ;;
	revoked) status=IMPLICIT:1,SEQUENCE:revoked ;;
	unknown) status=IMPLICIT:2,NULL ;;
	esac
	said=$(openssl ocsp -issuer "$dir/ca.pem" -serial 2 -req_text -no_nonce) || return 1
	name=$(sed -n 's/ *Issuer Name Hash: //p' <<<"$said")
	key=$(sed -n 's/ *Issuer Key Hash: //p' <<<"$said")
	cat >"$dir/staple.conf" <<-END
		[response]
		status = ENUMERATED:0
		bytes = EXPLICIT:0,SEQUENCE:bytes
		[bytes]
		type = OBJECT:1.3.6.1.5.5.7.48.1.1
		response = OCTWRAP,SEQUENCE:basic
		[basic]
		data = SEQUENCE:data
		algorithm = SEQUENCE:signature
		[signature]
		type = OBJECT:ecdsa-with-SHA256
		[data]
		responder = EXPLICIT:2,FORMAT:HEX,OCTETSTRING:$key
		produced = GENERALIZEDTIME:$(certificate_time "$from")
		responses = SEQUENCE:responses
		[responses]
		one = SEQUENCE:single
		[single]
		id = SEQUENCE:id
		status = $status
		from = GENERALIZEDTIME:$(certificate_time "$from")
		until = EXPLICIT:0,GENERALIZEDTIME:$(certificate_time "$until")
		[revoked]
		time = GENERALIZEDTIME:$(certificate_time "$from")
		[id]
		hash = SEQUENCE:hash
		name = FORMAT:HEX,OCTETSTRING:$name
		key = FORMAT:HEX,OCTETSTRING:$key
		number = INTEGER:2
		[hash]
		type = OBJECT:sha1
		none = NULL
	END
	certificate_openssl asn1parse -genstr SEQUENCE:data -genconf "$dir/staple.conf" -out "$dir/staple.data" &&
		certificate_openssl dgst -sha256 -sign "$dir/ca.key" -out "$dir/staple.signature" "$dir/staple.data" &&
		sed -i "/^\[signature\]/i value = FORMAT:HEX,BITSTRING:$(od -An -v -tx1 "$dir/staple.signature" | tr -d ' \n')" \
			"$dir/staple.conf" &&
		certificate_openssl asn1parse -genstr SEQUENCE:response -genconf "$dir/staple.conf" -out "$dir/staple"
}

certificate_time() {
	date -u -d "$1" +%Y%m%d%H%M%SZ
}
