# kerberos.bash - a Kerberos realm of its own inside the namespace (namespace.bash): MIT's KDC on 127.0.0.1:8888.
#
# Realm EXAMPLE.TEST with the users joe (password $KERBEROS_PASSWORD) and mallory (the same), and the service
# smtp/localhost, whose key is in $RIG/kerberos/keytab. KRB5_CONFIG is exported; tickets are in FILE:$RIG/kerberos/ticket.

KERBEROS_PASSWORD='a "Kerberos" password'

kerberos_configure() {
	local dir=$RIG/kerberos

	mkdir -p "$dir"
	cat >"$dir/krb5.conf" <<-END
		[libdefaults]
		default_realm = EXAMPLE.TEST
		dns_lookup_kdc = false
		dns_lookup_realm = false
		dns_canonicalize_hostname = false
		rdns = false
		default_ccache_name = FILE:$dir/ticket
		[realms]
		EXAMPLE.TEST = {
		  kdc = 127.0.0.1:8888
		}
		[domain_realm]
		localhost = EXAMPLE.TEST
	END
	cat >"$dir/kdc.conf" <<-END
		[kdcdefaults]
		kdc_listen = 127.0.0.1:8888
		kdc_tcp_listen = 127.0.0.1:8888
		[realms]
		EXAMPLE.TEST = {
		  database_name = $dir/principal
		  key_stash_file = $dir/stash
		  acl_file = $dir/acl
		}
		[logging]
		kdc = FILE:$RIG/kdc.log
	END
	export KRB5_CONFIG=$dir/krb5.conf KRB5_KDC_PROFILE=$dir/kdc.conf
}

# The realm, its users and its one service. The passwords come on standard input.
kerberos_fill() {
	local dir=$RIG/kerberos user

	kdb5_util create -s -r EXAMPLE.TEST -P master &&
		for user in joe mallory; do
			printf '%s\n%s\n' "$KERBEROS_PASSWORD" "$KERBEROS_PASSWORD" | kadmin.local -q "addprinc $user" || return 1
		done &&
		kadmin.local -q "addprinc -randkey smtp/localhost" && kadmin.local -q "ktadd -k $dir/keytab smtp/localhost" &&
		chmod 644 "$dir/keytab"
}

# Start the KDC. It is ended with the namespace, or by kerberos_stop.
kerberos_start() {
	kerberos_configure
	if ! kerberos_fill >"$RIG/kerberos/said" 2>&1 </dev/null || ! krb5kdc -P "$RIG/kerberos/pid" >>"$RIG/kerberos/said" 2>&1 3>&- 4>&-; then
		cat "$RIG/kerberos/said" >&2
		return 1
	fi
	wait_for_port 8888
}

kerberos_stop() {
	[ ! -s "$RIG/kerberos/pid" ] || kill "$(cat "$RIG/kerberos/pid")"
}

# A ticket for USER, in place of any other.
kerberos_ticket() {
	kinit "$1" <<<"$KERBEROS_PASSWORD" >/dev/null
}

# No ticket at all.
kerberos_forget() {
	rm -f "$RIG/kerberos/ticket"
}
