# dane.bats - what net/dane makes of TLSA records and certificates, beside what Postfix's posttls-finger makes of them.
# namespace: nsd unbound ldns-signzone drill openssl python3 posttls-finger

# shellcheck disable=SC2154 # ZONE_FOLDER and the like come from the library

load ../lib/common
load ../lib/certificate
load ../lib/namespace
load ../lib/zone

CONNECT=$BUILDDIR/tests/unit/dane_connect

# One domain below dane.mc. in a line: its name, the chain of its server, the verdict, and its TLSA records: usage, selector and matching type, and
# the certificate they are of, or digits.
CASES='
ee            old       verified   3 1 1 old
ee-cert       good      verified   3 0 1 leaf
ee-sha512     good      verified   3 1 2 leaf
ee-full       good      verified   3 0 0 leaf
ee-key        good      verified   3 1 0 leaf
ee-self       self      verified   3 1 1 self
ee-other      good      refused    3 1 1 old
ee-issuer     good      refused    3 0 1 ca
two           good      verified   3 1 1 old, 3 1 1 leaf
anchor        good      verified   2 0 1 ca
anchor-key    good      verified   2 1 1 ca
anchor-sha512 good      verified   2 0 2 ca
anchor-full   alone     verified   2 0 0 ca
anchor-bare   alone     verified   2 1 0 ca
anchor-absent alone     refused    2 0 1 ca
anchor-other  good      refused    2 0 1 other-ca
anchor-given  good      refused    2 0 0 other-ca
anchor-wrong  good      refused    2 1 0 other-ca
middle        deep      verified   2 1 1 middle
middle-root   deep      verified   2 0 1 ca
middle-bare   deep      verified   2 1 0 middle
middle-full   deep-leaf verified   2 0 0 middle
self          self      refused    2 0 1 self
leaf          good      refused    2 0 1 leaf
leaf-twice    twice     refused    2 1 1 leaf
name          name      refused    2 0 1 ca
domain        domain    verified   2 0 1 ca
wild          wild      verified   2 1 1 ca
expired       expired   refused    2 0 1 ca
client        client    refused    2 1 1 ca
client-bare   client    refused    2 1 0 ca
rescue        client    verified   2 1 1 ca, 3 1 1 client
agility-wrong good      refused    3 1 2 old, 3 1 1 leaf
agility-right good      verified   3 1 1 old, 3 1 2 leaf
agility-cert  good      verified   3 0 2 old, 3 1 1 leaf
agility-usage good      verified   2 1 2 other-ca, 3 1 1 leaf
agility-full  good      verified   3 1 2 old, 3 1 0 leaf
agility-short good      verified   3 1 2 abcd, 3 1 1 leaf
mixed         good      verified   1 1 1 old, 3 1 1 leaf
mixed-wrong   good      refused    1 1 1 leaf, 0 0 1 ca, 3 1 1 old
short         good      encrypted  3 1 1 abcd, 3 1 2 abcd
strange       good      encrypted  3 2 1 leaf, 4 1 1 leaf
no-cert       good      encrypted  3 0 0 abcd, 3 1 0 abcd
foreign       foreign   refused    2 0 1 ca
foreign-key   foreign   refused    2 1 1 ca
foreign-full  foreign   refused    2 0 0 ca
foreign-bare  foreign   refused    2 1 0 ca
self-bare     self      differs    2 1 0 self
pkix          good      differs    1 1 1 leaf, 0 0 1 ca
common        common    refused    2 0 1 ca
'

certificate() {
	local name=$1 issuer=$2 names=$3 use=${4:-serverAuth} days=${5:-30} dir=$RIG/tls

	printf '%s\n' "basicConstraints = critical, CA:${6:-FALSE}" "extendedKeyUsage = $use" ${names:+"subjectAltName = $names"} \
		>"$dir/extensions"
	[ "${6:-FALSE}" = FALSE ] || sed -i 's/^extendedKeyUsage.*/keyUsage = critical, keyCertSign/' "$dir/extensions"
	certificate_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$dir/$name.key" \
		-out "$dir/request.pem" &&
		certificate_openssl x509 -req -in "$dir/request.pem" -CA "$dir/$issuer.pem" -CAkey "$dir/$issuer.key" \
			-set_serial "$RANDOM$RANDOM" -days "$days" -sha256 -extfile "$dir/extensions" -out "$dir/$name.pem"
}

# The names of the hosts whose server shows chain $1, as a subjectAltName.
hosts_of() {
	awk -v chain="$1" '$2 == chain { printf "%sDNS:mx.%s.dane.mc", n++ ? "," : "", $1 }' <<<"$CASES"
}

make_certificates() {
	local dir=$RIG/tls

	mkdir -p "$dir"
	certificate_authority "$dir" ca "Test authority" && certificate_authority "$dir" other-ca "Other authority" &&
		certificate middle ca '' '' '' TRUE &&
		certificate leaf ca "$(hosts_of good),$(hosts_of alone),$(hosts_of twice)" &&
		certificate deep middle "$(hosts_of deep),$(hosts_of deep-leaf)" &&
		certificate old other-ca DNS:elsewhere.mc clientAuth -1 &&
		certificate name ca DNS:elsewhere.mc && certificate domain ca DNS:domain.dane.mc && certificate wild ca 'DNS:*.wild.dane.mc' &&
		certificate expired ca DNS:mx.expired.dane.mc '' -1 && certificate client ca "$(hosts_of client)" clientAuth &&
		certificate common ca '' && certificate foreign other-ca "$(hosts_of foreign)" || return 1
	certificate_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=self" \
		-addext "basicConstraints=critical,CA:TRUE" -addext "subjectAltName=$(hosts_of self)" \
		-keyout "$dir/self.key" -out "$dir/self.pem"
}

# The address of the server that shows chain $1.
address_of() {
	local number

	for number in "${!CHAINS[@]}"; do
		[ "${CHAINS[number]%% *}" != "$1" ] || printf '127.0.0.%s' $((20 + number))
	done
}

# Each with the certificates that are sent, the server's own first.
CHAINS=('good leaf ca' 'alone leaf' 'deep deep middle ca' 'deep-leaf deep' 'old old' 'self self' 'twice leaf leaf' 'name name ca'
	'domain domain ca' 'wild wild ca' 'expired expired ca' 'client client ca' 'common common ca' 'foreign foreign ca')

# All servers in one process: EHLO, STARTTLS, QUIT. OpenSSL below sends the certificates of a file as they stand there, of
# whomever they are. Its arguments: ADDRESS FILE...
SERVERS='
import socket, ssl, sys, threading
def serve(client, context):
    stream = client.makefile("rb")
    client.sendall(b"220 mx ESMTP\r\n")
    while True:
        word = stream.readline()[:4].upper()
        if word == b"STAR":
            client.sendall(b"220 go ahead\r\n")
            client = context.wrap_socket(client, server_side=True)
            stream = client.makefile("rb")
        elif word in (b"", b"QUIT"):
            break
        else:
            client.sendall(b"250-mx\r\n250 STARTTLS\r\n" if word == b"EHLO" else b"250 ok\r\n")
    client.close()
def listen(address, file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = socket.create_server((address, 25))
    while True:
        threading.Thread(target=serve, args=(server.accept()[0], context), daemon=True).start()
threads = [threading.Thread(target=listen, args=pair) for pair in zip(sys.argv[1::2], sys.argv[2::2])]
for thread in threads:
    thread.start()
'

start_servers() {
	local number words file arguments=()

	for number in "${!CHAINS[@]}"; do
		read -r -a words <<<"${CHAINS[number]}"
		for file in "${words[@]:1}"; do
			cat "$RIG/tls/$file.pem"
		done | cat "$RIG/tls/${words[1]}.key" - >"$RIG/tls/${words[0]}.chain"
		arguments+=("127.0.0.$((20 + number))" "$RIG/tls/${words[0]}.chain")
	done
	python3 -c "$SERVERS" "${arguments[@]}" >"$RIG/servers" 2>&1 3>&- 4>&- &
	echo $! >"$RIG/servers.number"
}

# The records of the domains of CASES, and some more.
records() {
	local name chain verdict records record words data

	while read -r name chain verdict records; do
		[ -n "$name" ] || continue
		printf '%s.dane MX 10 mx.%s.dane\nmx.%s.dane A %s\n' "$name" "$name" "$name" "$(address_of "$chain")"
		while IFS= read -r record; do
			read -r -a words <<<"$record"
			data=${words[3]}
			[ ! -f "$RIG/tls/$data.pem" ] || data=$(zone_tlsa "${words[1]/[2-9]/1}" "${words[2]}" "$RIG/tls/$data.pem")
			printf '_25._tcp.mx.%s.dane TLSA %s %s %s %s\n' "$name" "${words[@]:0:3}" "$data"
		done <<<"${records//, /$'\n'}"
	done <<<"$CASES"
}

setup_file() {
	local lines

	namespace_require
	make_certificates
	ZONE_HOST[mx.insecure]=$(address_of good)
	zone_start
	start_servers
	mapfile -t lines < <(records)
	zone_add "${lines[@]}" "alias.dane MX 10 alias-host.dane" "alias-host.dane CNAME mx.ee.dane" \
		"none.dane MX 10 mx.none.dane" "mx.none.dane A $(address_of good)"
	echo 'options edns0 trust-ad' >>/etc/resolv.conf
	mkdir -p "$RIG/finger"
	echo 'compatibility_level = 3.6' >"$RIG/finger/main.cf"
}

teardown_file() {
	[ -z "${MAILCRANE_NAMESPACE:-}" ] || { zone_stop && kill "$(cat "$RIG/servers.number")"; }
}

setup() {
	[ -x "$CONNECT" ] || skip "there is no $CONNECT"
	"$MAILCRANE" --version | grep -q 'libunbound [0-9]' || skip "built without libunbound"
}

# The verdict of posttls-finger about DOMAIN, in the words of dane_connect; what it said is in $finger.
finger() {
	finger=$(MAIL_CONFIG=$RIG/finger posttls-finger -t 5 -T 5 -c -L routine,verbose,certmatch -l dane "$1" 2>&1) || true
	case $finger in
	*"TLSA lookup error"*) verdict=failed ;;
	*"Verified TLS connection established"*) verdict=verified ;;
	*"all TLSA records unusable"*) verdict=encrypted ;;
	*"DNSSEC-signed TLSA record"*"TLS connection established"*) verdict=refused ;;
	*"TLS connection established"*) verdict=none ;;
	*) verdict="unknown: $finger" ;;
	esac
}

# Ours, about DOMAIN and its HOST. LeakSanitizer takes a thread's memory that lies just behind a page for that of another libc, and
# stumbles; without a look there it finds leaks as well.
connect() {
	run --separate-stderr env LSAN_OPTIONS=use_tls=0:print_suppressions=0 timeout 30 "$CONNECT" -a "$ZONE_ANCHOR" "$1" "$2"
	[ "$status" -eq 0 ] || fail_with "dane_connect $1 $2"
}

# Both say VERDICT about each domain of CASES with this verdict, of which there are N.
agree() {
	local name chain expected records verdict finger n=0

	while read -r name chain expected records; do
		[ "$expected" = "$1" ] || continue
		n=$((n + 1))
		finger "$name.dane.mc"
		[ "$verdict" = "$1" ] || fail_with "posttls-finger about $name ($records): $verdict" "$finger"
		connect "$name.dane.mc" "mx.$name.dane.mc"
		[ "${output%%:*}" = "$1" ] || fail_with "$name ($records): $1 expected"
	done <<<"$CASES"
	[ "$n" -eq "$2" ] || fail_with "$2 domains expected, not $n"
}

@test "protocol 0.1: what a TLSA record vouches for is verified, for us and for posttls-finger" {
	agree verified 25
}

@test "protocol 0.1: what none vouches for is refused, for us and for posttls-finger: foreign chains, names, dates, purposes" {
	agree refused 20
}

@test "protocol 3.6: where no record can be used the connection is encrypted, for us and for posttls-finger" {
	agree encrypted 3
}

@test "protocol 3.6: DNS decides whether there are records: none, an alias, bogus, SERVFAIL, a zone without signatures" {
	local domain host expected verdict finger

	while read -r domain host expected; do
		finger "$domain"
		[ "$verdict" = "$expected" ] || fail_with "posttls-finger about $domain: $verdict" "$finger"
		connect "$domain" "$host"
		[ "${output%%:*}" = "$expected" ] || fail_with "$domain: $expected expected"
	done <<-END
		none.dane.mc mx.none.dane.mc none
		insecure.mc mx.insecure.mc none
		alias.dane.mc alias-host.dane.mc verified
		tlsa-bogus.mc mx.tlsa-bogus.mc failed
		tlsa-servfail.mc mx.tlsa-servfail.mc failed
	END
}

@test "a self-signed certificate is not its own trust anchor, although posttls-finger takes its key in a record 2 1 0 for one" {
	local verdict finger

	finger self-bare.dane.mc
	[ "$verdict" = verified ] || fail_with "$finger"
	connect self-bare.dane.mc mx.self-bare.dane.mc
	[[ $output == refused:* ]] || fail_with "refused expected"
}

@test "records of the usages 0 and 1 alone demand TLS, although posttls-finger sees none" {
	local verdict finger

	finger pkix.dane.mc
	[ "$verdict" = none ] || fail_with "$finger"
	connect pkix.dane.mc mx.pkix.dane.mc
	[ "$output" = encrypted ] || fail_with "encrypted expected"
}

@test "a refusal says what is demanded and what was presented" {
	local other leaf

	other=$(zone_tlsa 1 1 "$RIG/tls/old.pem") leaf=$(zone_tlsa 1 1 "$RIG/tls/leaf.pem")
	connect ee-other.dane.mc mx.ee-other.dane.mc
	[ "$output" = "refused: the certificate matches none of the TLSA records of mx.ee-other.dane.mc: 3 1 1 demands $other, presented is $leaf" ] ||
		fail_with "another reason expected"
	connect name.dane.mc mx.name.dane.mc
	[[ $output == *"certificate is for elsewhere.mc, not for mx.name.dane.mc or name.dane.mc "* ]] || fail_with "both names expected"
}
