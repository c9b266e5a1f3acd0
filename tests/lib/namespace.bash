# namespace.bash - a private machine for one test file.
#
# namespace_exec runs a command in private mount, network, host name and process namespaces whose /usr, /etc and /var are the
# host's with the extracted Debian packages of $MAILCRANE_PEERS laid over them: Postfix, Dovecot and the like find
# themselves installed, ports 25, 465 and 587 are free, and the host sees nothing of it. All writes go to a tmpfs.
# Works as root, and for a user with subordinate ids (newuidmap, /etc/subuid).
#
# A test file asks for it with a line "# namespace: COMMAND..." (the programs it needs); tests/run-bats does the rest.

# The flags of unshare for who we are now, in NAMESPACE_FLAGS. False: NAMESPACE_REASON says why there is none.
namespace_flags() {
	NAMESPACE_FLAGS=(--mount --net --uts --pid --fork --kill-child --mount-proc)
	if [ "$(id -u)" -ne 0 ]; then
		if ! command -v newuidmap >/dev/null || ! grep -qs "^$(id -un):" /etc/subuid; then
			NAMESPACE_REASON="not root, and no subordinate user ids (newuidmap, /etc/subuid)"
			return 1
		fi
		NAMESPACE_FLAGS+=(--map-root-user --map-auto)
	fi
	if ! NAMESPACE_REASON=$(unshare "${NAMESPACE_FLAGS[@]}" true 2>&1); then
		case $NAMESPACE_REASON in
		*propagation*) NAMESPACE_REASON="in a chroot whose / is not a mount point" ;;
		*) NAMESPACE_REASON="no namespaces here: ${NAMESPACE_REASON##*$'\n'}" ;;
		esac
		return 1
	fi
}

# Replace this process by COMMAND in a namespace. namespace_flags must have said yes.
namespace_exec() {
	local self=${BASH_SOURCE[0]}

	# shellcheck disable=SC2016 # expanded by the shell inside
	exec unshare "${NAMESPACE_FLAGS[@]}" bash -c '. "$0" && namespace_build || exit 70; "$@"; exit $?' "$self" "$@"
}

# One directory DIR of the host with the one of the extracted packages over it and a tmpfs for what is written.
namespace_overlay() {
	local dir=$1 name=${1//\//_} lower=$1 options

	mkdir -p "$NAMESPACE_TOP/upper$name" "$NAMESPACE_TOP/work$name"
	[ -d "$NAMESPACE_TOP/peers$dir" ] && lower="$NAMESPACE_TOP/peers$dir:$dir"
	options="lowerdir=$lower,upperdir=$NAMESPACE_TOP/upper$name,workdir=$NAMESPACE_TOP/work$name"
	mount -t overlay overlay -o "$options" "$dir" 2>/dev/null ||
		mount -t overlay overlay -o "$options,userxattr" "$dir" 2>/dev/null ||
		namespace_copy "$dir"
}

# The same without overlayfs: the extracted files are bound one by one over a writable copy of /etc and /var's empty
# places, and /usr becomes a tmpfs of links to the host's files.
namespace_copy() {
	local dir=$1 host=$NAMESPACE_TOP/host$1 copy=$NAMESPACE_TOP/copy$1

	mkdir -p "$host" "$copy"
	mount --rbind "$dir" "$host" || return 1
	case $dir in
	/etc) cp -a "$host/." "$copy/" 2>/dev/null ;;
	/var) mkdir -p "$copy/lib" "$copy/spool" "$copy/log" "$copy/tmp" && chmod 1777 "$copy/tmp" ;;
	*) cp -as "$host/." "$copy/" ;;
	esac
	[ -d "$NAMESPACE_TOP/peers$dir" ] && cp -a --remove-destination "$NAMESPACE_TOP/peers$dir/." "$copy/"
	mount --rbind "$copy" "$dir"
}

# Directories that must stay the host's own although they lie below one that is covered.
namespace_keep() {
	local dir number=0

	NAMESPACE_KEPT=()
	for dir in "$SRCDIR" "$BUILDDIR" "$TMPDIR"; do
		[ -d "$dir" ] || continue
		case $dir in
		/usr/* | /var/* | /etc/* | /run/*)
			number=$((number + 1))
			mkdir -p "$NAMESPACE_TOP/keep$number"
			mount --rbind "$dir" "$NAMESPACE_TOP/keep$number" || return 1
			NAMESPACE_KEPT+=("$dir") ;;
		esac
	done
}

namespace_restore() {
	local dir number=0

	for dir in "${NAMESPACE_KEPT[@]}"; do
		number=$((number + 1))
		mkdir -p "$dir" && mount --rbind "$NAMESPACE_TOP/keep$number" "$dir" || return 1
	done
}

# Replace FILE by stdin. Anew: a file that root of the host owns may not be written by a user who is root only in here.
namespace_write() {
	cat >"$NAMESPACE_TOP/new" && rm -f "$1" && cat "$NAMESPACE_TOP/new" >"$1" && chmod 644 "$1"
}

# The accounts of the servers, where the host does not have them: "NAME NUMBER" lines on stdin.
namespace_accounts() {
	local accounts

	accounts=$(cat)
	printf '%s\n' "$accounts" | awk 'NR == FNR { if (split($0, field, ":") > 1) has[field[1]] = 1; print; next }
		!($1 in has) { print $1 ":x:" $2 ":" }' /etc/group - | namespace_write /etc/group
	printf '%s\n' "$accounts" | awk -F'[: ]' -v groups=/etc/group '
		BEGIN { while ((getline line <groups) > 0) { split(line, field, ":"); number[field[1]] = field[3] } }
		NR == FNR { has[$1] = 1; print; next }
		!($1 in has) { print $1 ":x:" $2 ":" number[$1] ":" $1 ":/nonexistent:/usr/sbin/nologin" }' /etc/passwd - |
		namespace_write /etc/passwd
}

# Inside: lay out the private machine. Ends the process with the reason when that cannot be done.
namespace_build() {
	local dir

	umask 022
	NAMESPACE_TOP=$TMPDIR/namespace
	mkdir -p "$NAMESPACE_TOP"
	mount -t tmpfs -o mode=755 namespace "$NAMESPACE_TOP" && mkdir "$NAMESPACE_TOP/peers" || return 1
	if [ -d "${MAILCRANE_PEERS:-}" ]; then
		mount --bind "$MAILCRANE_PEERS" "$NAMESPACE_TOP/peers" || return 1
	fi
	namespace_keep || return 1
	for dir in /usr /etc /var; do
		namespace_overlay "$dir" || return 1
	done
	mount -t tmpfs -o mode=755 run /run && mkdir -m 1777 /run/lock || return 1
	namespace_restore || return 1

	ip link set lo up || return 1
	printf '127.0.0.1 localhost mx.example.test\n::1 localhost\n' | namespace_write /etc/hosts
	namespace_write /etc/resolv.conf </dev/null
	printf 'hosts: files\npasswd: files\ngroup: files\nservices: files\n' | namespace_write /etc/nsswitch.conf
	# A minimal system has no netbase.
	[ -f /etc/services ] ||
		printf '%s\n' 'smtp 25/tcp' 'submissions 465/tcp' 'submission 587/tcp' 'domain 53/udp' | namespace_write /etc/services
	printf '%s\n' 'postfix 901' 'postdrop 902' 'dovecot 903' 'dovenull 904' 'vmail 905' 'alice 906' | namespace_accounts
	mkdir -p /var/rig && chmod 755 /var/rig
	export MAILCRANE_NAMESPACE=1 RIG=/var/rig
}

# Outside: are these programs here, or among the unpacked mail servers? Else NAMESPACE_REASON says what is missing.
namespace_has() {
	local program folder found

	for program; do
		found=$(command -v "$program")
		for folder in usr/sbin usr/bin; do
			[ ! -x "${MAILCRANE_PEERS:-/nonexistent}/$folder/$program" ] || found=yes
		done
		NAMESPACE_REASON="$program is not there (./bootstrap check fetches it)"
		[ -n "$found" ] || return 1
	done
}

# In setup_file: is this the private machine? (bats 1.8 cannot skip a whole file from there.)
namespace_require() {
	[ -n "${MAILCRANE_NAMESPACE:-}" ] && return
	echo "this file needs a private machine: run it with tests/run-bats" >&2
	return 1
}
