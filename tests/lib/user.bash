# user.bash - the program run as an ordinary user: only root can, so the cases that need it are skipped for others.

ORDINARY_UID=65534

# A home directory of the ordinary user's own, and a copy of the program that this user can reach.
setup_ordinary_user() {
	local folder

	[ "$(id -u)" -eq 0 ] || skip "only root can run something as another user"
	command -v setpriv >/dev/null || skip "setpriv is not installed"
	[ -x "$MAILCRANE" ] || skip "there is no $MAILCRANE"
	setup_home
	for folder in "$BATS_TEST_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")" "$BATS_RUN_TMPDIR" "$(dirname "$BATS_RUN_TMPDIR")"; do
		case $folder in
		/tmp | /) ;;
		*) chmod o+x "$folder" ;;
		esac
	done
	mkdir -p "$BATS_TEST_TMPDIR/bin" "$BATS_TEST_TMPDIR/tmp"
	cp "$MAILCRANE" "$BATS_TEST_TMPDIR/bin/mailcrane"
	chmod 755 "$BATS_TEST_TMPDIR/bin" "$BATS_TEST_TMPDIR/bin/mailcrane"
	chmod 1777 "$BATS_TEST_TMPDIR/tmp"
	chown "$ORDINARY_UID:$ORDINARY_UID" "$HOME"
}

# COMMAND as the ordinary user, in the clean environment.
as_ordinary_user() {
	USER=nobody LOGNAME=nobody clean_environment \
		setpriv --reuid="$ORDINARY_UID" --regid="$ORDINARY_UID" --clear-groups --inh-caps=-all \
		env TMPDIR="$BATS_TEST_TMPDIR/tmp" "$@"
}

# As run_mailcrane.
run_as_ordinary_user() {
	run --separate-stderr as_ordinary_user timeout --kill-after=5 "${MAILCRANE_TIMEOUT:-60}" \
		"$BATS_TEST_TMPDIR/bin/mailcrane" ${QUEUE:+"--queue=$QUEUE"} "$@" 3>&- 4>&-
}

# stdin becomes FILE of the ordinary user with MODE.
write_ordinary_file() {
	(umask 077 && cat >"$1")
	chown "$ORDINARY_UID:$ORDINARY_UID" "$1"
	chmod "$2" "$1"
}
