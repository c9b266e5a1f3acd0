# direct.bash - four mail hosts with a port 25 each and the zone mc., for the tests of direct delivery: behind common.bash.
#
#     # namespace: nsd unbound ldns-signzone drill openssl ip
#     load ../lib/common
#     load ../lib/direct
#     setup_file() { direct_start; }
#     setup() { direct_setup; }
#     teardown() { direct_teardown; }
#     teardown_file() { direct_stop; }
#
# direct_config         ~/.mailcranerc for direct delivery, with the lines on stdin
# host_up N ARGS...     a peer with ARGS at port 25 of host N
# with_tls [NAME]       ARGS for that: STARTTLS with the certificate NAME.pem of $RIG/tls ("mx", for every name in the zone)
# stop_all              end the peers, and forget what they heard
# at_host N             the assertions of common.bash speak of host N from now on
# calls N               how often somebody connected to host N
# assert_calls A B C D  so often each

# shellcheck disable=SC2034,SC2154 # the variables are those of common.bash and of the tests

load ../lib/certificate
load ../lib/hosts
load ../lib/namespace
load ../lib/zone

CA=/var/rig/tls/ca.pem
SILENT=10.25.0.200
small=$'Subject: s\n\nhello'

# The certificate NAME.pem with NAME.key in $RIG/tls, for the names behind; by the authority, which is sent behind it.
direct_certificate() {
	local file=$RIG/tls/$1 names=

	shift
	names=$(printf ',DNS:%s' "$@")
	certificate_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$file.key" \
		-out "$file.request" &&
		printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=%s\n' "${names#,}" >"$file.extensions" &&
		certificate_openssl x509 -req -in "$file.request" -CA "$RIG/tls/ca.pem" -CAkey "$RIG/tls/ca.key" -set_serial "$RANDOM" \
			-days 30 -sha256 -extfile "$file.extensions" -out "$file.leaf" &&
		cat "$file.leaf" "$RIG/tls/ca.pem" >"$file.pem"
}

direct_start() {
	local number

	namespace_require
	certificate_make "$RIG/tls" &&
		direct_certificate mx mx.ee.mc mx.ta.mc mx.ta-cert.mc mx.rollover.mc mx.wrong.mc mx.unusable.mc mx.tlsa-bogus.mc \
			mx.tlsa-servfail.mc mx.insecure.mc mx1.mc mx2.mc mx3.mc mx4.mc &&
		hosts_start 4 || return 1
	ZONE_ADDRESSES=()
	for number in 1 2 3 4; do
		ZONE_ADDRESSES+=("$(hosts_address "$number")")
	done
	! hosts_have_ipv6 || ZONE_ADDRESS6=$(hosts_address6 1)
	[ -s "$HOSTS_FOLDER/reason" ] || hosts_silence "$SILENT"
	ZONE_LEAF=$RIG/tls/mx.leaf ZONE_CA=$CA zone_start || return 1
	printf '127.0.0.1 localhost\n' >/etc/hosts
	direct_records
}

# What a test file needs besides: zone_add.
direct_records() {
	:
}

direct_setup() {
	hosts_require
	"$MAILCRANE" --version | grep -q 'libunbound [0-9]' || skip "built without libunbound"
	setup_home
	declare -gA HOST_FOLDER=()
	direct_config </dev/null
}

direct_teardown() {
	stop_peer
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 5 "$ZONE_FOLDER"/*.log "$ZONE_FOLDER"/*.out
}

direct_stop() {
	[ -z "${MAILCRANE_NAMESPACE:-}" ] || { zone_stop && hosts_stop; }
}

direct_config() {
	write_config <<-END
		delivery direct
		dns_server $ZONE_SERVER
		dns_trust_anchor $ZONE_ANCHOR
		tls_trust_file $CA
		from joe@a-only.mc
		timeout 5
		logfile $HOME/log
		$(</dev/stdin)
	END
}

host_up() {
	local number=$1

	shift
	PEER=$(hosts_program "$number" "$PEER") start_peer --listen "$(hosts_address "$number"):25" --name "mx$number.mc" "$@"
	HOST_FOLDER[$number]=$PEER_DIR
}

# ARGS for host_up: STARTTLS with the certificate of that name, "mx" unless given.
with_tls() {
	printf '%s\n' --tls starttls --cert "$RIG/tls/${1:-mx}.pem" --key "$RIG/tls/${1:-mx}.key"
}

at_host() {
	use_peer "${HOST_FOLDER[$1]}"
}

# End every peer, and forget what was said to them.
stop_all() {
	stop_peer
	rm -rf "$BATS_TEST_TMPDIR"/peer*
}

calls() {
	[ -n "${HOST_FOLDER[$1]:-}" ] || { echo 0; return; }
	grep -c '\* connect from' "${HOST_FOLDER[$1]}/log" 2>/dev/null || true
}

assert_calls() {
	local number=0 expected found=()

	for expected; do
		number=$((number + 1))
		found+=("$(calls "$number")")
	done
	[ "${found[*]}" = "$*" ] || fail_with "connections to the hosts: ${found[*]}, expected: $*" "$(tail -n 20 "$BATS_TEST_TMPDIR"/peer*/log)"
}

# Host N got so many messages.
assert_mail() {
	at_host "$1"
	assert_received "$2"
}
