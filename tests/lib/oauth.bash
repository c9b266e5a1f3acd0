# oauth.bash - access tokens that Dovecot verifies by itself: JSON Web Tokens (RFC 7519) signed with a key that both know.

# For setup_file, before dovecot_start: Dovecot takes DIGEST-MD5, OAUTHBEARER and XOAUTH2 as well, and tokens signed with OAUTH_KEY.
oauth_prepare() {
	local dir=$RIG/oauth

	OAUTH_KEY=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
	export OAUTH_KEY
	mkdir -p "$dir/keys/default/HS256"
	oauth_bytes "$OAUTH_KEY" | base64 -w 0 >"$dir/keys/default/HS256/default"
	cat >"$dir/oauth2.conf" <<-END
		introspection_mode = local
		local_validation_key_dict = fs:posix:prefix=$dir/keys/
		username_attribute = sub
	END
	# Without the penalty: after a wrong password every login from the same address would wait for seconds.
	DOVECOT_SETTINGS="
		service anvil {
		  unix_listener anvil-auth-penalty {
		    mode = 0
		  }
		}
		auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 oauthbearer xoauth2
		passdb {
		  driver = oauth2
		  mechanisms = oauthbearer xoauth2
		  args = $dir/oauth2.conf
		}"
}

# The bytes of HEX.
oauth_bytes() {
	# shellcheck disable=SC2059 # made of \xNN
	printf "$(sed 's/../\\x&/g' <<<"$1")"
}

oauth_base64url() {
	base64 -w 0 | tr '+/' '-_' | tr -d '='
}

# A token for USER that is good for SECONDS, signed with KEY (in hex; OAUTH_KEY).
oauth_token() {
	local now=$EPOCHSECONDS head body

	head=$(printf '{"alg":"HS256","typ":"JWT","kid":"default"}' | oauth_base64url)
	body=$(printf '{"sub":"%s","iat":%d,"exp":%d}' "$1" "$((now - 600))" "$((now + $2))" | oauth_base64url)
	printf '%s.%s.' "$head" "$body"
	printf '%s.%s' "$head" "$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:${3:-$OAUTH_KEY}" -binary | oauth_base64url
}
