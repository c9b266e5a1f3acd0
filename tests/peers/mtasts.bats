# mtasts.bats - policies of MTA-STS from a real web server: nginx.
# namespace: nginx openssl ip

load ../lib/common
. "$SRCDIR/tests/lib/namespace.bash"
. "$SRCDIR/tests/lib/certificate.bash"
. "$SRCDIR/tests/lib/nginx.bash"

NOW=2000000000
RECORD='v=STSv1; id=1;'

# A policy of this mode, with further lines.
policy() {
	printf 'version: STSv1\nmode: %s\nmx: mx.example.test\nmx: *.example.net\nmax_age: %s\n' "$1" "${2:-604800}"
}

setup_file() {
	local name

	namespace_require
	nginx_begin
	for name in enforce testing none flip cache gone age0 age63 star crlf cr nul empty html; do
		nginx_site "$name"
	done
	policy enforce >"$RIG/policy"
	for name in enforce flip cache gone; do
		nginx_policy "$name" <"$RIG/policy"
	done
	policy testing | nginx_policy testing
	printf 'version: STSv1\nmode: none\nmax_age: 86400\n' | nginx_policy none
	policy enforce 0 | nginx_policy age0
	policy enforce 9223372036854775808 | nginx_policy age63
	printf 'version: STSv1\nmode: enforce\nmx: *\nmax_age: 604800\n' | nginx_policy star
	policy enforce | sed 's/$/\r/' | nginx_policy crlf
	policy enforce | tr '\n' '\r' | nginx_policy cr
	printf 'version: STSv1\nmode: enforce\0\nmx: mx.example.test\nmax_age: 1\n' | nginx_policy nul
	: | nginx_policy empty
	printf '<html><body>version: STSv1</body></html>\n' | nginx_policy html

	nginx_site type '' 'default_type text/html; types { }'
	policy enforce | nginx_policy type
	nginx_site charset '' 'charset utf-8;'
	policy enforce | nginx_policy charset
	nginx_site untyped '' 'default_type ""; types { }'
	policy enforce | nginx_policy untyped
	nginx_site redirect '' 'return 301 https://mta-sts.enforce.test$request_uri;'
	nginx_site moved '' 'return 302 http://mta-sts.enforce.test$request_uri;'
	nginx_site huge
	{ policy enforce; head -c 1048576 /dev/zero | tr '\0' '\n'; } | nginx_policy huge
	nginx_site missing
	nginx_site broken '' 'return 500 "version: STSv1";'
	nginx_site packed '' 'add_header Content-Encoding gzip;'
	policy enforce | gzip | nginx_policy packed
	nginx_site slow '' 'limit_rate 8; limit_rate_after 0; postpone_output 0; output_buffers 1 8;'
	policy enforce | nginx_policy slow

	nginx_certificate expired DNS:mta-sts.expired.test -days -1
	nginx_site expired
	nginx_certificate wronghost DNS:www.wronghost.test,DNS:wronghost.test
	nginx_site wronghost
	nginx_certificate commonname ''
	nginx_site commonname
	nginx_certificate wildcard 'DNS:*.wildcard.test'
	nginx_site wildcard
	for name in expired wronghost commonname wildcard; do
		nginx_policy "$name" <"$RIG/policy"
	done
	# Nothing but port 80.
	mkdir -p "$RIG/nginx/plain/.well-known"
	echo "server { listen 127.0.0.2:80; root $RIG/nginx/plain; }" >"$RIG/nginx/sites/plain.conf"
	nginx_policy plain <"$RIG/policy"
	echo '127.0.0.2 mta-sts.plain.test' >>/etc/hosts
	nginx_start
	chmod -R go+rX "$RIG/nginx"
}

setup() {
	grep -q '^#define HAVE_LIBCURL 1' "$BUILDDIR/config.h" || skip "built without libcurl"
	SPOOL=$BATS_TEST_TMPDIR/spool
	LOG_START=$(($(wc -l <"$RIG/nginx/access.log") + 1))
}

teardown() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n "+$LOG_START" "$RIG/nginx/access.log" "$RIG/nginx/error.log"
}

teardown_file() {
	[ -z "${MAILCRANE_NAMESPACE:-}" ] || nginx_stop
}

# ask NAME [RECORD...]: the policy of NAME.test. $SPOOL keeps policies, $NOW is the time, $PATIENCE seconds are enough.
ask() {
	local name=$1

	shift
	run env -u http_proxy -u https_proxy "$BUILDDIR/tests/unit/policy_ask" "$name.test" "${CONNECT:-}" "$RIG/nginx/tls/ca.pem" "$SPOOL" "$NOW" \
		"${PATIENCE:-20}" "$@"
	[ "$status" -eq 0 ] || fail_with "policy_ask ended with $status"
}

fail_with() {
	printf '%s\n' "$*" "$output" >&2
	return 1
}

assert_line() {
	grep -qxF -- "$1" <<<"$output" || fail_with "there is no line '$1'"
}

assert_why() {
	grep -q -- "^why .*$1" <<<"$output" || fail_with "the reason is not '$1'"
}

# How often the host was asked in this test.
assert_asked() {
	local n

	n=$(tail -n "+$LOG_START" "$RIG/nginx/access.log" | grep -c "^mta-sts\.$1\.test /.well-known/mta-sts.txt " || true)
	[ "$n" -eq "$2" ] || fail_with "mta-sts.$1.test was asked $n times instead of $2"
}

assert_policy() {
	assert_line "mode $1"
	assert_line "source $2"
	assert_line "fault ${3:-good}"
}

assert_none() {
	assert_policy none nowhere "$1"
	assert_why "$2"
}

@test "a policy is fetched from its host, by name, with a certificate of that name" {
	ask enforce "$RECORD"
	assert_policy enforce host
	assert_line "id 1"
	assert_line "max_age 604800"
	assert_line "mx mx.example.test"
	assert_line "mx *.example.net"
	assert_asked enforce 1
}

@test "without a record nobody is asked" {
	ask enforce
	assert_policy none nowhere
	ask enforce "v=spf1 -all"
	assert_policy none nowhere
	ask enforce "$RECORD" "v=STSv1; id=2"
	assert_policy none nowhere
	assert_asked enforce 0
}

@test "the modes testing and none are told apart from enforce" {
	ask testing "$RECORD"
	assert_policy testing host
	assert_line "mx mx.example.test"
	ask none "$RECORD"
	assert_policy none host
}

@test "mode none is kept as well, so that the host is not asked for each message" {
	ask none "$RECORD"
	assert_policy none host
	ask none "$RECORD"
	assert_policy none cache
	assert_asked none 1
}

@test "another place to connect to does not change the name that counts" {
	CONNECT=127.0.0.1:443
	ask enforce "$RECORD"
	assert_policy enforce host
	ask wronghost "$RECORD"
	assert_none sts-webpki-invalid 'not for mta-sts.wronghost.test'
	CONNECT=127.0.0.9:443
	ask testing "$RECORD"
	assert_none sts-policy-fetch-error 'cannot connect'
}

@test "lines that end with CRLF are good; bare CR, NUL, nothing and HTML are no policy" {
	ask crlf "$RECORD"
	assert_policy enforce host
	assert_line "mx *.example.net"
	ask cr "$RECORD"
	assert_none sts-policy-invalid 'the policy: line 1'
	ask nul "$RECORD"
	assert_none sts-policy-invalid "'enforce..00' is not text"
	ask empty "$RECORD"
	assert_none sts-policy-invalid "there is no field 'version'"
	ask html "$RECORD"
	assert_none sts-policy-invalid 'line 1'
}

@test "mx: * is no policy" {
	ask star "$RECORD"
	assert_none sts-policy-invalid "line 3: '\*' is not the name of a host"
}

@test "max_age 0 holds for this once; 2^63 is no policy" {
	ask age0 "$RECORD"
	assert_policy enforce host
	ask age0
	assert_policy none nowhere
	ask age0 "$RECORD"
	assert_policy enforce host
	assert_asked age0 2
	ask age63 "$RECORD"
	assert_none sts-policy-invalid "9223372036854775808' is not a max_age"
}

@test "a policy that is not text/plain is none; parameters of the type do not matter" {
	ask type "$RECORD"
	assert_none sts-policy-invalid "type 'text/html' instead of text/plain"
	ask untyped "$RECORD"
	assert_none sts-policy-invalid "type '' instead of text/plain"
	ask charset "$RECORD"
	assert_policy enforce host
}

@test "a redirect is not followed" {
	ask redirect "$RECORD"
	assert_none sts-policy-fetch-error 'the status is 301 instead of 200 (a redirect must not be followed)'
	ask moved "$RECORD"
	assert_none sts-policy-fetch-error 'the status is 302'
	assert_asked enforce 0
}

@test "404 and 500 are no policy" {
	ask missing "$RECORD"
	assert_none sts-policy-fetch-error 'the status is 404'
	ask broken "$RECORD"
	assert_none sts-policy-fetch-error 'the status is 500'
}

@test "a policy of 1 MiB is refused, and one that is packed" {
	ask huge "$RECORD"
	assert_none sts-policy-invalid 'more than 65536 bytes'
	ask packed "$RECORD"
	assert_none sts-policy-invalid 'the policy: line 1'
}

@test "an expired certificate, one of another host, and one with a common name only are refused" {
	ask expired "$RECORD"
	assert_none sts-webpki-invalid 'certificate has expired'
	ask wronghost "$RECORD"
	assert_none sts-webpki-invalid 'not for mta-sts.wronghost.test'
	ask commonname "$RECORD"
	assert_none sts-webpki-invalid 'not for mta-sts.commonname.test'
	assert_asked expired 0
	assert_asked wronghost 0
	assert_asked commonname 0
	ask wildcard "$RECORD"
	assert_policy enforce host
}

@test "a host that speaks HTTP only has no policy" {
	ask plain "$RECORD"
	assert_none sts-policy-fetch-error 'cannot connect'
}

@test "a host without an address has no policy" {
	ask nowhere "$RECORD"
	assert_none sts-policy-fetch-error 'mta-sts.nowhere.test'
}

@test "a policy that drips in is given up at the deadline" {
	PATIENCE=2
	ask slow "$RECORD"
	assert_none sts-policy-fetch-error 'no complete answer in time'
	took=$(sed -n 's/^took //p' <<<"$output")
	[ "$took" -ge 1900 ] && [ "$took" -lt 5000 ] || fail_with "it took $took ms"
}

@test "what was fetched is used until its record changes, and then the new policy" {
	ask flip "$RECORD"
	assert_policy enforce host
	policy testing | nginx_policy flip
	ask flip "$RECORD"
	assert_policy enforce cache
	assert_asked flip 1
	ask flip "v=STSv1; id=2;"
	assert_policy testing host
	assert_line "id 2"
	ask flip "v=STSv1; id=2;"
	assert_policy testing cache
	assert_asked flip 2
	policy enforce | nginx_policy flip
}

@test "what was fetched is renewed when half of its time is over" {
	ask cache "$RECORD"
	assert_policy enforce host
	NOW=$((NOW + 302400))
	ask cache "$RECORD"
	assert_policy enforce cache
	NOW=$((NOW + 1))
	ask cache "$RECORD"
	assert_policy enforce host
	NOW=$((NOW + 302401))
	ask cache
	assert_policy enforce host
	assert_line "id 1"
	assert_asked cache 3
}

@test "what was fetched stays in force when the policy is gone, the record is gone, or both" {
	ask gone "$RECORD"
	assert_policy enforce host
	mv "$RIG/nginx/gone/.well-known/mta-sts.txt" "$RIG/nginx/gone/away"
	ask gone "v=STSv1; id=2;"
	assert_policy enforce cache sts-policy-fetch-error
	assert_line "mx *.example.net"
	ask gone "v=STSv1; id=2;"
	assert_policy enforce cache sts-policy-fetch-error
	assert_asked gone 2
	NOW=$((NOW + 300))
	ask gone "v=STSv1; id=2;"
	assert_asked gone 3
	ask gone
	assert_policy enforce cache
	NOW=$((NOW + 604800))
	ask gone
	assert_policy none nowhere
	mv "$RIG/nginx/gone/away" "$RIG/nginx/gone/.well-known/mta-sts.txt"
}

@test "an attacker with a wrong certificate changes nothing of a policy that is kept" {
	ask enforce "$RECORD"
	assert_policy enforce host
	CONNECT=127.0.0.1:443
	mv "$RIG/nginx/tls/ca.pem" "$RIG/nginx/tls/real.pem"
	certificate_authority "$RIG/nginx/tls" fake "Other authority"
	cp "$RIG/nginx/tls/fake.pem" "$RIG/nginx/tls/ca.pem"
	ask enforce "v=STSv1; id=666;"
	mv "$RIG/nginx/tls/real.pem" "$RIG/nginx/tls/ca.pem"
	assert_policy enforce cache sts-webpki-invalid
	assert_why 'unknown authority'
}

@test "a kept policy is a file that only its owner may read, and one that was spoiled is fetched anew" {
	ask enforce "$RECORD"
	[ "$(stat -c %a "$SPOOL/policies" "$SPOOL/policies/enforce.test" | tr '\n' ' ')" = "700 600 " ] || fail_with "others may read it"
	echo >>"$SPOOL/policies/enforce.test"
	ask enforce "$RECORD"
	assert_policy enforce host
	ask enforce "$RECORD"
	assert_policy enforce cache
}

@test "several calls at once leave a policy that is whole" {
	local i

	for i in 1 2 3 4 5 6 7 8; do
		"$BUILDDIR/tests/unit/policy_ask" enforce.test "" "$RIG/nginx/tls/ca.pem" "$SPOOL" "$NOW" 20 "v=STSv1; id=$i;" \
			>"$BATS_TEST_TMPDIR/out$i" 3>&- &
	done
	wait
	[ "$(cat "$BATS_TEST_TMPDIR"/out* | grep -cx 'source host')" -eq 8 ] || fail_with "not all were fetched"
	ask enforce
	assert_policy enforce cache
	[ "$(find "$SPOOL/tmp" -type f | wc -l)" -eq 0 ] || fail_with "something is left in tmp/"
}
