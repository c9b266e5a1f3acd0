# zone.bash - a signed top-level domain, mc., inside the namespace (namespace.bash), with everything that direct delivery can meet.
#
#     # namespace: nsd unbound ldns-signzone drill openssl
#     load ../lib/zone                       (or: . "$SRCDIR/tests/lib/zone.bash")
#     setup_file() { namespace_require && zone_start; }
#     teardown_file() { [ -z "${MAILCRANE_NAMESPACE:-}" ] || zone_stop; }
#
# zone_start            make keys, sign, start nsd and unbound; /etc/resolv.conf names unbound from then on
# zone_stop             end both
# zone_add RECORD...    add records in the form of a zone file ("new A 127.0.0.11": relative to mc.; absolute ones go into the zone
#                       they belong to), sign again, and start the servers again: nothing old is remembered
# zone_remove REGEX...  take out the lines of mc. that are like one of the extended regular expressions, and the same
# zone_tlsa SELECTOR MATCHING FILE    the data of a TLSA record for the certificate (PEM), in hexadecimal digits
#
# nsd answers at $ZONE_AUTHORITY (127.0.0.1@5300), for these zones only, without validation. unbound resolves and validates at
# $ZONE_SERVER (127.0.0.1, port 53). The key of mc. is in $ZONE_ANCHOR. Files and logs are in $RIG/zone.
#
# What a test file may say before zone_start:
#     ZONE_ADDRESSES=(A B C D)   of mx1.mc to mx4.mc (127.0.0.11 to 127.0.0.14)
#     ZONE_ADDRESS6=A            of mx6.mc, which has no other (::1)
#     ZONE_HOST[ee]=A            of mx.ee.mc, and so for every domain of the table below with a host of its own (the first of
#                                ZONE_ADDRESSES); "mx.insecure", "mx.bogus" and "here" are keys as well
#     ZONE_LEAF, ZONE_CA         PEM files: the server's certificate, and the authority's. Without them the TLSA records hold
#                                digests of nothing
#
#     secure      MX 10 mx1, 20 mx2, 20 mx3, 30 mx4; _mta-sts and _smtp._tls TXT; _submissions._tcp SRV: priority 10 with weights
#                 10 (mx1) and 30 (mx2), priority 20 (mx3); _submission._tcp SRV mx1, port 587
#     equal       MX 10 mx1 to mx4           a-only      A alone                    aaaa-only   AAAA alone
#     none        null MX; _submissions._tcp SRV "."     nothing     TXT alone      missing     no such name
#     alias       CNAME secure               cnamed      MX 10 cnamed-host, a CNAME of mx1
#     loop        MX 10 loop1, and loop1 and loop2 are aliases of each other        loop1
#     local       MX 10 localhost            dead        MX 10 nowhere, which is not there
#     own         MX 5 mx1, 10 here (127.0.0.1), 20 mx2, 10 mx3                     many        1000 MX, all with an address
#     literal     MX 10 127.0.0.1, the name  mixed       MX 10 mx.insecure          to-bogus    MX 10 mx.bogus, 20 mx1
#     child       signed zone of its own, MX 10 mx1      optout      the same with NSEC3 opt-out
#     insecure    zone without signatures, MX 10 mx.insecure, _mta-sts TXT
#     bogus       signed zone, MX 10 mx.bogus; both and its address changed after signing
#     expired     signed zone, MX 10 mx1, whose signatures are out of date
#     servfail    a zone the server does not have: SERVFAIL                         to-servfail MX 10 mx.servfail
#   MX 10 mx.NAME, with TLSA records of _25._tcp:
#     ee          3 1 1 leaf                 ta          2 1 1 authority            ta-cert     2 0 1 authority
#     wrong       3 1 1 of another           rollover    3 1 1 of another, and 3 1 1 leaf
#     unusable    1 1 1 leaf, 0 0 1, 3 1 1 and 3 1 2 with data of a wrong length, matching type 9
#     foreign     2 0 1 authority, for a server that presents this authority behind a leaf of another
#     tlsa-bogus  changed after signing      tlsa-servfail  SERVFAIL
#     ee-alias    MX 10 ee-alias-host, a CNAME of mx.ee  insecure-alias  MX 10 insecure-alias-host, a CNAME of mx.insecure

ZONE_SERVER=127.0.0.1
ZONE_AUTHORITY=127.0.0.1@5300
ZONE_ANCHOR=/var/rig/zone/anchor
[ -n "${ZONE_ADDRESSES[*]-}" ] || ZONE_ADDRESSES=(127.0.0.11 127.0.0.12 127.0.0.13 127.0.0.14)
declare -gA ZONE_HOST
ZONE_FOLDER=/var/rig/zone
# Each behind its parent.
ZONE_CHILDREN=(child.mc optout.mc insecure.mc bogus.mc expired.mc)
ZONE_NOTHING=0000000000000000000000000000000000000000000000000000000000000000

zone_tlsa() {
	local selector=$1 matching=$2 file=$3 digest=(cat)

	case $matching in
	1) digest=(openssl dgst -sha256 -binary) ;;
	2) digest=(openssl dgst -sha512 -binary) ;;
	esac
	if [ "$selector" -eq 1 ]; then
		openssl x509 -in "$file" -noout -pubkey | openssl pkey -pubin -outform DER
	else
		openssl x509 -in "$file" -outform DER
	fi | "${digest[@]}" | od -An -v -tx1 | tr -d ' \n'
}

# The data for the certificate in $3, or digits that fit no certificate.
zone_digest() {
	if [ -n "$3" ]; then
		zone_tlsa "$1" "$2" "$3"
	else
		printf '%s' "${ZONE_NOTHING//0/a}"
	fi
}

zone_host() {
	printf '%s' "${ZONE_HOST[$1]:-${2:-${ZONE_ADDRESSES[0]}}}"
}

# The records of mc. but for its SOA.
zone_records() {
	local number name leaf ca

	leaf=$(zone_digest 1 1 "${ZONE_LEAF:-}") || return 1
	for number in 1 2 3 4; do
		printf 'mx%s A %s\n' "$number" "${ZONE_ADDRESSES[number - 1]}"
	done
	for name in ee ta ta-cert wrong rollover unusable foreign tlsa-bogus tlsa-servfail; do
		printf '%s MX 10 mx.%s\nmx.%s A %s\n' "$name" "$name" "$name" "$(zone_host "$name")"
	done
	cat <<-END
		@ NS ns
		ns A 127.0.0.1
		mx6 AAAA ${ZONE_ADDRESS6:-::1}
		here A $(zone_host here 127.0.0.1)
		secure MX 10 mx1
		secure MX 20 mx2
		secure MX 20 mx3
		secure MX 30 mx4
		_mta-sts.secure TXT "v=STSv1; " "id=20260101T000000;"
		mta-sts.secure A ${ZONE_ADDRESSES[0]}
		_smtp._tls.secure TXT "v=TLSRPTv1; rua=mailto:tls@secure.mc"
		_submissions._tcp.secure SRV 10 10 465 mx1
		_submissions._tcp.secure SRV 10 30 465 mx2
		_submissions._tcp.secure SRV 20 0 465 mx3
		_submission._tcp.secure SRV 0 0 587 mx1
		equal MX 10 mx1
		equal MX 10 mx2
		equal MX 10 mx3
		equal MX 10 mx4
		a-only A ${ZONE_ADDRESSES[0]}
		aaaa-only AAAA ${ZONE_ADDRESS6:-::1}
		none MX 0 .
		_submissions._tcp.none SRV 0 0 0 .
		nothing TXT "no mail"
		alias CNAME secure
		cnamed MX 10 cnamed-host
		cnamed-host CNAME mx1
		loop MX 10 loop1
		loop1 CNAME loop2
		loop2 CNAME loop1
		local MX 10 localhost.
		dead MX 10 nowhere
		own MX 5 mx1
		own MX 10 here
		own MX 10 mx3
		own MX 20 mx2
		literal MX 10 127.0.0.1.
		mixed MX 10 mx.insecure
		to-bogus MX 10 mx.bogus
		to-bogus MX 20 mx1
		to-servfail MX 10 mx.servfail
		servfail NS ns
		_tcp.mx.tlsa-servfail NS ns
		ee-alias MX 10 ee-alias-host
		ee-alias-host CNAME mx.ee
		insecure-alias MX 10 insecure-alias-host
		insecure-alias-host CNAME mx.insecure
		_25._tcp.mx.ee TLSA 3 1 1 $leaf
		_25._tcp.mx.ta TLSA 2 1 1 $(zone_digest 1 1 "${ZONE_CA:-}")
		_25._tcp.mx.ta-cert TLSA 2 0 1 $(zone_digest 0 1 "${ZONE_CA:-}")
		_25._tcp.mx.foreign TLSA 2 0 1 $(zone_digest 0 1 "${ZONE_CA:-}")
		_25._tcp.mx.wrong TLSA 3 1 1 $ZONE_NOTHING
		_25._tcp.mx.rollover TLSA 3 1 1 $ZONE_NOTHING
		_25._tcp.mx.rollover TLSA 3 1 1 $leaf
		_25._tcp.mx.unusable TLSA 1 1 1 $leaf
		_25._tcp.mx.unusable TLSA 0 0 1 $leaf
		_25._tcp.mx.unusable TLSA 3 1 1 ${leaf%??}
		_25._tcp.mx.unusable TLSA 3 1 2 $leaf
		_25._tcp.mx.unusable TLSA 3 1 9 $leaf
		_25._tcp.mx.tlsa-bogus TLSA 3 1 1 ${ZONE_NOTHING//0/b}
	END
	for name in "${ZONE_CHILDREN[@]}"; do
		printf '%s NS ns\n' "${name%.mc}"
	done
	for number in {1..1000}; do
		printf 'many MX %s host%s.many.child\n' "$number" "$number"
	done
}

# The same for the zone $1 below mc.
zone_child_records() {
	echo '@ NS ns.mc.'
	case $1 in
	insecure.mc)
		printf '@ MX 10 mx\nmx A %s\n' "$(zone_host mx.insecure)"
		printf '_mta-sts TXT "v=STSv1; id=20260101T000000;"\nmta-sts A %s\n' "${ZONE_ADDRESSES[0]}"
		;;
	# This address and this preference are changed afterwards.
	bogus.mc) printf '@ MX 10 mx\nmx A 192.0.2.66\n' ;;
	*) printf '@ MX 10 mx1.mc.\n*.many A %s\n' "${ZONE_ADDRESSES[0]}" ;;
	esac
}

# The base name of the key of zone $1.
zone_key() {
	local key

	for key in "$ZONE_FOLDER/keys/K$1.+"*.key; do
		printf '%s' "${key%.key}"
	done
}

# Changes behind the back of the signatures, in the signed file of zone $1.
zone_corrupt() {
	case $1 in
	mc) sed -i -E "s/^(_25\._tcp\.mx\.tlsa-bogus\..*TLSA.*)${ZONE_NOTHING//0/b}/\1${ZONE_NOTHING//0/c}/" "$2" ;;
	bogus.mc) sed -i -E "s/^(.*[[:space:]]A[[:space:]])192\.0\.2\.66/\1$(zone_host mx.bogus)/; s/^(bogus.*MX[[:space:]])10/\111/" "$2" ;;
	esac
}

# Sign zone $1, or copy it, to where nsd reads it.
zone_sign_one() {
	local zone=$1 options=(-n) served=$ZONE_FOLDER/served/$1 text=$ZONE_FOLDER/unsigned

	{
		printf '$ORIGIN %s.\n$TTL 60\n@ SOA ns.mc. hostmaster.mc. %s 3600 600 86400 60\n' "$zone" "$ZONE_SERIAL"
		cat "$ZONE_FOLDER/$zone.zone"
		[ "$zone" != mc ] || cat "$ZONE_FOLDER/keys/"*.ds
	} >"$text"
	case $zone in
	insecure.mc)
		cp "$text" "$served"
		return
		;;
	optout.mc) options+=(-p) ;;
	expired.mc) options+=(-i 20200101 -e 20200201) ;;
	esac
	ldns-signzone "${options[@]}" -o "$zone" -f "$served" "$text" "$(zone_key "$zone")" && zone_corrupt "$zone" "$served"
}

zone_sign() {
	local zone

	ZONE_SERIAL=$(($(cat "$ZONE_FOLDER/serial") + 1))
	echo "$ZONE_SERIAL" >"$ZONE_FOLDER/serial"
	for zone in "${ZONE_CHILDREN[@]}" mc; do
		zone_sign_one "$zone" || return 1
	done
}

# Keys, and the DS records of the children, of which keys/*.ds are those for mc. (its own is not among them).
zone_make_keys() {
	local zone

	mkdir -p "$ZONE_FOLDER/keys" "$ZONE_FOLDER/served"
	cd "$ZONE_FOLDER/keys" || return 1
	for zone in mc "${ZONE_CHILDREN[@]}"; do
		[ "$zone" != insecure.mc ] || continue
		ldns-keygen -k -a ECDSAP256SHA256 "$zone" >/dev/null || return 1
	done
	cat Kmc.+*.key >"$ZONE_ANCHOR" && rm Kmc.+*.ds
	cd "$OLDPWD" || return 1
}

zone_configure() {
	local zone server=$ZONE_AUTHORITY interface

	{
		cat <<-END
			server:
			  ip-address: $server
			  username: ""
			  zonesdir: "$ZONE_FOLDER/served"
			  database: ""
			  pidfile: "$ZONE_FOLDER/nsd.pid"
			  logfile: "$ZONE_FOLDER/nsd.log"
			  xfrdfile: "$ZONE_FOLDER/xfrd.state"
			  zonelistfile: "$ZONE_FOLDER/zone.list"
			  server-count: 1
			remote-control:
			  control-enable: no
		END
		for zone in mc "${ZONE_CHILDREN[@]}" servfail.mc _tcp.mx.tlsa-servfail.mc; do
			printf 'zone:\n  name: "%s"\n  zonefile: "%s"\n' "$zone" "$zone"
		done
	} >"$ZONE_FOLDER/nsd.conf"
	{
		printf 'server:\n'
		for interface in 127.0.0.1 ::1; do
			[ "$interface" != ::1 ] || grep -qs . /proc/net/if_inet6 || continue
			printf '  interface: %s\n' "$interface"
		done
		cat <<-END
			  username: ""
			  chroot: ""
			  directory: "$ZONE_FOLDER"
			  pidfile: ""
			  use-syslog: no
			  logfile: "$ZONE_FOLDER/unbound.log"
			  val-log-level: 2
			  module-config: "validator iterator"
			  trust-anchor-file: "$ZONE_ANCHOR"
			  do-not-query-localhost: no
			  num-threads: 1
			remote-control:
			  control-enable: no
			forward-zone:
			  name: "."
			  forward-addr: $server
		END
	} >"$ZONE_FOLDER/unbound.conf"
}

# Does the server $1 (port $2) answer for mc.? By TCP, where nobody waits for one that does not listen yet.
zone_answers() {
	drill -t -p "$2" "@$1" mc SOA 2>/dev/null | grep -q "hostmaster.mc. $(cat "$ZONE_FOLDER/serial") "
}

# Both servers in the background; the number of each process in a file.
zone_start_servers() {
	local tries

	nsd -d -c "$ZONE_FOLDER/nsd.conf" >>"$ZONE_FOLDER/nsd.out" 2>&1 3>&- 4>&- &
	echo $! >"$ZONE_FOLDER/nsd.number"
	unbound -d -c "$ZONE_FOLDER/unbound.conf" >>"$ZONE_FOLDER/unbound.out" 2>&1 3>&- 4>&- &
	echo $! >"$ZONE_FOLDER/unbound.number"
	for ((tries = 0; tries < 100; tries++)); do
		zone_answers 127.0.0.1 5300 && zone_answers 127.0.0.1 53 && return 0
		sleep 0.1
	done
	echo "nsd or unbound does not answer" >&2
	tail -n 40 "$ZONE_FOLDER"/*.out "$ZONE_FOLDER"/*.log >&2
	return 1
}

zone_start() {
	local zone

	rm -rf "$ZONE_FOLDER"
	mkdir -p "$ZONE_FOLDER"
	echo 0 >"$ZONE_FOLDER/serial"
	zone_make_keys || return 1
	zone_records >"$ZONE_FOLDER/mc.zone" || return 1
	for zone in "${ZONE_CHILDREN[@]}"; do
		zone_child_records "$zone" >"$ZONE_FOLDER/$zone.zone"
	done
	printf 'nameserver 127.0.0.1\n' >/etc/resolv.conf
	zone_sign && zone_configure && zone_start_servers
}

zone_stop() {
	local server number tries

	for server in unbound nsd; do
		[ -s "$ZONE_FOLDER/$server.number" ] || continue
		number=$(cat "$ZONE_FOLDER/$server.number")
		rm "$ZONE_FOLDER/$server.number"
		kill "$number" 2>/dev/null || continue
		for ((tries = 0; tries < 100; tries++)); do
			kill -0 "$number" 2>/dev/null && ! grep -qs '^State:[[:space:]]*Z' "/proc/$number/status" || break
			sleep 0.05
		done
	done
}

zone_again() {
	zone_stop
	zone_sign && zone_start_servers
}

zone_add() {
	local record owner zone target

	for record; do
		owner=${record%%[[:space:]]*}
		target=mc
		for zone in "${ZONE_CHILDREN[@]}"; do
			case $owner in
			"$zone." | *".$zone.") target=$zone ;;
			esac
		done
		printf '%s\n' "$record" >>"$ZONE_FOLDER/$target.zone"
	done
	zone_again
}

zone_remove() {
	local regex

	for regex; do
		sed -i -E "\\|$regex|d" "$ZONE_FOLDER/mc.zone"
	done
	zone_again
}
