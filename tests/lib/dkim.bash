# dkim.bash - keys for DKIM, and dkimpy, a verifier that shares no code with the program: `load lib/dkim` after lib/common.

# dkimpy and what it needs are where the real servers are.
dkim_require() {
	DKIM_PYTHON=$MAILCRANE_PEERS/usr/lib/python3/dist-packages
	[ -d "$DKIM_PYTHON/dkim" ] || skip "python3-dkim is not unpacked"
	PYTHONPATH=$DKIM_PYTHON /usr/bin/python3 -c 'import dkim, nacl.signing' 2>/dev/null || skip "python3-dkim cannot be used"
	command -v openssl >/dev/null || skip "openssl is not installed"
}

# dkim_key FILE NAME.SELECTOR-DOMAIN ALGORITHM: a new key in FILE, and its record in the zone $DKIM_ZONE, at the name
# SELECTOR._domainkey.DOMAIN: dkim_key "$HOME/rsa.pem" mail example.org rsa
dkim_key() {
	local file=$1 name=$2._domainkey.$3 algorithm=$4 public

	(umask 077 && case $algorithm in
	rsa) openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out "$file" ;;
	ed25519) openssl genpkey -algorithm ed25519 -out "$file" ;;
	esac) 2>/dev/null || return 1
	public=$(openssl pkey -in "$file" -pubout -outform DER | if [ "$algorithm" = rsa ]; then cat; else tail -c 32; fi | base64 -w 0)
	printf '%s.\tv=DKIM1; k=%s; p=%s\n' "$name" "$algorithm" "$public" >>"$DKIM_ZONE"
}

# What dkimpy says of each signature of the message in FILE, from the top: "a=ALGORITHM d=DOMAIN pass" or "fail".
dkim_verdicts() {
	PYTHONPATH=$DKIM_PYTHON /usr/bin/python3 - "$1" "$DKIM_ZONE" <<-'END'
		import sys, dkim

		message = open(sys.argv[1], "rb").read()
		zone = dict(line.rstrip("\n").split("\t") for line in open(sys.argv[2]))
		n = sum(1 for name, _ in dkim.rfc822_parse(message)[0] if name.lower() == b"dkim-signature")
		for i in range(n):
		    verifier = dkim.DKIM(message, minkey=1024)
		    try:
		        is_good = verifier.verify(i, dnsfunc=lambda name, timeout=5: zone.get(name.decode()))
		    except dkim.DKIMException as why:
		        is_good = False
		        print(why, file=sys.stderr)
		    fields = verifier.signature_fields
		    print("a=%s d=%s %s" % (fields[b"a"].decode(), fields[b"d"].decode(), "pass" if is_good else "fail"))
	END
}

# Message N has exactly these verdicts, from the top.
assert_verdicts() {
	local number=$1 found expected

	shift
	expected=$([ $# -eq 0 ] || printf '%s\n' "$@")
	found=$(dkim_verdicts "$(received "$number")") || { fail_with "the verifier did not run"; return 1; }
	[ "$found" = "$expected" ] || fail_with "verdicts on message $number differ" "expected:" "$expected" "found:" "$found" \
		"$(head -n 40 "$(received "$number")")"
}
