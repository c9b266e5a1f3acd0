# leaks.bash - looks for secrets, in clear and in the forms in which programs write them. For run-bats.

# Where secrets may stand: files that hold them because that is what they are for. Everything else that a test leaves behind is
# searched: what was said on stdout and stderr, logs, transcripts, queue entries, cores.
LEAKS_ALLOWED=(
	--exclude=secrets-known        # the list itself
	--exclude='*.bats' --exclude='bats.*.src' # the cases, as bats prepares them
	--exclude=.mailcranerc --exclude=mailcranerc --exclude=.msmtprc --exclude=msmtprc --exclude='*.rc' # configurations
	--exclude=.netrc --exclude=netrc
	--exclude=arguments            # how the demonstration starts its server
	--exclude-dir=secret           # what a password command prints
)

# The forms of WORD, one a line: in clear; in base64, where it begins at one of three places and only the characters that depend on
# nothing but WORD are the same whatever stands before and behind it (as in user NUL user NUL WORD); in hexadecimal digits.
leaks_forms() {
	local word=$1 pad encoded hex first=(0 2 3) LC_ALL=C

	printf '%s\n' "$word"
	for pad in '' x xx; do
		encoded=$(printf '%s%s' "$pad" "$word" | base64 -w 0)
		encoded=${encoded:0:(${#pad} + ${#word}) * 8 / 6}
		printf '%s\n' "${encoded:first[${#pad}]}"
	done
	hex=$(printf '%s' "$word" | od -An -v -tx1 | tr -d ' \n')
	printf '%s\n' "$hex" "${hex^^}"
}

# The files below FOLDER that have one of the words of the file SECRETS: leaks_find FOLDER SECRETS.
leaks_find() {
	local word forms

	forms=$(sort -u "$2" | while IFS= read -r word; do leaks_forms "$word"; done)
	grep -rlaF -D skip "${LEAKS_ALLOWED[@]}" -e "$forms" "$1" 2>/dev/null | sed "s|^$1/||" | sort
}
