# leaks.bats - the search for secrets finds them, in every form; run-bats does it after each file.

# shellcheck disable=SC2154 # $output is set by run

load lib/common

WORD='L3aked-0n_Purpose+'

# Run a bats file with one case whose commands are stdin, in a run-bats of its own.
run_case() {
	mkdir -p "$BATS_TEST_TMPDIR/cases"
	{
		printf 'load %q\nWORD=%q\n@test "it passes" {\n\tsetup_home\n\tregister_secret "$WORD"\n' "$SRCDIR/tests/lib/common" "$WORD"
		cat
		printf '}\n'
	} >"$BATS_TEST_TMPDIR/cases/case.bats"
	# Neither bats' own variables nor the folder of its parts are for another one.
	run env -i PATH="$(sed 's|[^:]*/bats-core:||g' <<<"$PATH")" SRCDIR="$SRCDIR" BUILDDIR="$BUILDDIR" bash "$SRCDIR/tests/run-bats" "$BATS_TEST_TMPDIR/cases/case.bats" 3>&- 4>&-
}

assert_found() {
	[ "$status" -ne 0 ] || fail_with "the status says that all is well"
	[[ $output == *$'1..2\nok 1 it passes\nnot ok 2 no secret is in anything that was written\n# found in '*"$1"* ]] ||
		fail_with "it was not found in $1"
	[[ $output != *"$WORD"* ]] || fail_with "the search shows what it has found"
}

assert_clean() {
	[ "$status" -eq 0 ] && [[ $output == *$'1..2\nok 1 it passes\nok 2 no secret is in anything that was written'* ]] ||
		fail_with "something was found"
}

@test "a word in a file" {
	run_case <<<'echo "before $WORD after" >"$BATS_TEST_TMPDIR/log"'
	assert_found test/1/log
}

@test "a word in a file that is no text" {
	run_case <<<'printf "\0\1\2core%s\377" "$WORD" >"$BATS_TEST_TMPDIR/core.1"'
	assert_found core.1
}

@test "base64, whatever stands before and behind it" {
	local before behind

	for before in '' a ab abc; do
		for behind in '' z yz xyz; do
			run_case <<<"printf '%s' '$before' \"\$WORD\" '$behind' | base64 -w 0 >\"\$BATS_TEST_TMPDIR/transcript\""
			assert_found test/1/transcript
		done
	done
}

@test "what PLAIN sends" {
	run_case <<<'printf "user\0user\0%s" "$WORD" | base64 -w 0 >"$BATS_TEST_TMPDIR/transcript"'
	assert_found transcript
	run_case <<<'printf "\0joe\0%s" "$WORD" | base64 -w 0 >"$BATS_TEST_TMPDIR/transcript"'
	assert_found transcript
}

@test "hexadecimal digits, small and large" {
	run_case <<<'printf "%s" "$WORD" | od -An -v -tx1 | tr -d " \n" >"$BATS_TEST_TMPDIR/dump"'
	assert_found dump
	run_case <<<'printf "%s" "$WORD" | od -An -v -tx1 | tr -d " \n" | tr a-f A-F >"$BATS_TEST_TMPDIR/dump"'
	assert_found dump
}

@test "what a program said on stdout and on stderr" {
	run_case <<<'run echo "$WORD"'
	assert_found said
	run_case <<<'run --separate-stderr sh -c "echo $WORD >&2"'
	assert_found said
}

@test "a password in a configuration is looked for without being registered" {
	run_case <<-'END'
		WORD=4nother-0ne_here
		printf 'host h\npassword "%s"\n' "$WORD" | write_config
		echo "$WORD" >"$BATS_TEST_TMPDIR/log"
	END
	assert_found test/1/log
	run_case <<-'END'
		WORD=4nother-0ne_here
		printf 'host h\n  proxy_password %s\n' "$WORD" | write_config
		echo "$WORD" >"$BATS_TEST_TMPDIR/log"
	END
	assert_found test/1/log
}

@test "a configuration may hold it, and something like it is not it" {
	run_case <<-'END'
		printf 'host h\npassword %s\n' "$WORD" | write_config
		mkdir "$HOME/secret"
		echo "$WORD" >"$HOME/secret/word"
		echo "${WORD%?}" >"$BATS_TEST_TMPDIR/log"
		run cat "$BATS_TEST_TMPDIR/log"
	END
	assert_clean
}

@test "a word that would be found by chance cannot be registered" {
	run_case <<<'! register_secret short'
	assert_clean
}

@test "the program, with a password in its log on purpose, is caught" {
	run_case <<-'END'
		start_peer --auth PLAIN --auth-in-clear --password "$WORD"
		printf '%s\n' "host 127.0.0.1" "port $PORT" "auth plain" "auth_cleartext loopback" "user joe" "password $WORD" \
			"from $WORD@example.test" "logfile $HOME/log" | write_config
		run_mailcrane --debug a@example.net <<<$'Subject: s\n\nhello'
		stop_peer
	END
	[[ $output == *"not ok 2 no secret"* ]] || fail_with "it was not found"
	[[ $output == *"/home/log"* ]] || fail_with "not in the log"
	[[ $output == *"/peer/log"* ]] || fail_with "not in the log of the peer"
}
