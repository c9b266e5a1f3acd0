# hosts.bash - several machines inside the namespace (namespace.bash), each with its own network and so its own port 25.
#
#     # namespace: ip ...
#     setup_file() { namespace_require && hosts_start 3; }
#     setup() { hosts_require; }
#     teardown_file() { [ -z "${MAILCRANE_NAMESPACE:-}" ] || hosts_stop; }
#     @test ... { PEER=$(hosts_program 1 "$PEER") start_peer --listen "$(hosts_address 1):25"; }
#
# hosts_start N         make the hosts 1 to N, and a bridge between them and the namespace itself, which is host 0. Where that cannot
#                       be done it says so by hosts_require, and is no error
# hosts_stop            take them away, with what still runs in them
# hosts_require         skip this test where there are no hosts
# hosts_address I       10.25.0.(10 + I); hosts_address6 I: fd00:25::(10 + I), where this machine has IPv6 (hosts_have_ipv6)
# hosts_run I COMMAND   run the command in host I
# hosts_program I FILE  the path of a program that is FILE, run in host I
# hosts_silence A...    addresses (10.25.0.200 to .250) at which packets vanish: nobody refuses, nobody answers
#
# A host in which nothing listens refuses connections. A slow one is one with a slow server (peer --fault ...:delay=MS).

HOSTS_FOLDER=/var/rig/hosts

hosts_have_ipv6() {
	grep -qs . /proc/net/if_inet6 && [ "$(cat /proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null)" = 0 ]
}

hosts_address() {
	printf '10.25.0.%s' $((10 + $1))
}

hosts_address6() {
	printf 'fd00:25::%s' $((10 + $1))
}

# The addresses of host I for the device DEVICE; further words go between "ip" and the rest ("-n NAME").
hosts_address_device() {
	local number=$1 device=$2

	shift 2
	ip "$@" address add "$(hosts_address "$number")/24" dev "$device" || return 1
	! hosts_have_ipv6 || ip "$@" address add "$(hosts_address6 "$number")/64" dev "$device" nodad || return 1
	ip "$@" link set "$device" up
}

hosts_make_one() {
	local name=host$1

	ip netns add "$name" &&
		ip link add "$name" type veth peer name eth0 netns "$name" &&
		ip link set "$name" master hosts up &&
		ip -n "$name" link set lo up &&
		hosts_address_device "$1" eth0 -n "$name" &&
		ip netns exec "$name" true
}

hosts_make() {
	local number

	ip link add hosts type bridge && hosts_address_device 0 hosts || return 1
	for ((number = 1; number <= $1; number++)); do
		hosts_make_one "$number" || return 1
	done
}

hosts_start() {
	mkdir -p "$HOSTS_FOLDER"
	rm -f "$HOSTS_FOLDER/reason"
	hosts_make "$1" 2>"$HOSTS_FOLDER/errors" && return
	printf 'no network namespaces within the namespace: %s\n' "$(tail -n 1 "$HOSTS_FOLDER/errors")" >"$HOSTS_FOLDER/reason"
}

hosts_require() {
	[ ! -s "$HOSTS_FOLDER/reason" ] || skip "$(cat "$HOSTS_FOLDER/reason")"
}

hosts_stop() {
	local name number

	for name in $(ip netns list | sed -n 's/^\(host[0-9]*\).*/\1/p'); do
		for number in $(ip netns pids "$name"); do
			kill "$number" 2>/dev/null || true
		done
		ip netns delete "$name"
	done
	! ip link show hosts >/dev/null 2>&1 || ip link delete hosts
}

hosts_run() {
	local number=$1

	shift
	if [ "$number" -eq 0 ]; then
		"$@"
	else
		ip netns exec "host$number" "$@"
	fi
}

hosts_program() {
	local path=$HOSTS_FOLDER/${2##*/}.$1

	[ "$1" -gt 0 ] || { printf '%s' "$2"; return; }
	printf '#!/bin/sh\nexec ip netns exec host%s "%s" "$@"\n' "$1" "$2" >"$path" && chmod +x "$path" && printf '%s' "$path"
}

# A neighbour whose hardware address nobody has.
hosts_silence() {
	local address number=1

	for address; do
		ip neighbour replace "$address" lladdr "02:00:00:00:25:$(printf '%02x' "$number")" dev hosts nud permanent || return 1
		number=$((number + 1))
	done
}
