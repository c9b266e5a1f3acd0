# directpolicy.bats - direct delivery to domains with an MTA-STS policy, and the report on TLS.
# namespace: nginx nsd unbound ldns-signzone drill openssl ip

# shellcheck disable=SC2154,SC2046 # run_mailcrane sets status, output and stderr; with_tls writes words

load ../lib/common
load ../lib/direct
load ../lib/nginx

NGINX_DOMAIN=mc
QUEUE=on

# policy MODE HOST...: of that mode, for these hosts.
policy() {
	printf 'version: STSv1\nmode: %s\nmax_age: 604800\n' "$1"
	shift
	printf 'mx: %s\n' "$@"
}

direct_records() {
	zone_add "enforce MX 10 mx1" "enforce MX 20 mx2" '_mta-sts.enforce TXT "v=STSv1; id=e1;"' \
		"other MX 10 mx3" '_mta-sts.other TXT "v=STSv1; id=o1;"' \
		"testing MX 10 mx1" '_mta-sts.testing TXT "v=STSv1; id=t1;"' \
		"broken MX 10 mx1" '_mta-sts.broken TXT "v=STSv1; id=b1;"' \
		'_mta-sts.ee TXT "v=STSv1; id=d1;"'
}

setup_file() {
	direct_start || return 1
	[ ! -s "$HOSTS_FOLDER/reason" ] || return 0
	direct_certificate wrongname www.elsewhere.mc
	nginx_begin
	for name in enforce other testing broken ee; do
		nginx_site "$name"
	done
	policy enforce mx1.mc | nginx_policy enforce
	policy enforce mx9.mc | nginx_policy other
	policy testing mx1.mc | nginx_policy testing
	echo 'no policy' | nginx_policy broken
	policy enforce mx9.mc | nginx_policy ee
	nginx_start
}

setup() {
	direct_setup
	grep -q '^#define HAVE_LIBCURL 1' "$BUILDDIR/config.h" || skip "built without libcurl"
	: >"$RIG/nginx/access.log"
	policy_config
}

# Lines on stdin are added.
policy_config() {
	{
		echo "mta_sts_trust_file $RIG/nginx/tls/ca.pem"
		echo "submit_timeout 30"
		[ -t 0 ] || cat
	} | direct_config
}

teardown() {
	direct_teardown
}

teardown_file() {
	[ -z "${MAILCRANE_NAMESPACE:-}" ] || { nginx_stop && direct_stop; }
}

send() {
	run_mailcrane "$@" <<<"$small"
}

asked() {
	grep -c "mta-sts.$1.mc" "$RIG/nginx/access.log" || true
}

assert_queued() {
	run_mailcrane --mailq
	grep -qF -- "$1" <<<"$output" || fail_with "not in the queue, or for another reason: $1" "$output"
}

@test "enforce: the host that the policy names gets it, by TLS with a certificate for its name; the other one is not tried" {
	host_up 1 $(with_tls)
	host_up 2 $(with_tls)
	run_mailcrane --debug bob@enforce.mc <<<"$small"
	assert_exit 0
	assert_calls 1 0
	grep -q 'verified by pkix' <<<"$stderr" || fail_with "not verified"
}

@test "enforce: a certificate for another name is not enough, and nothing is sent, least of all to the other host" {
	host_up 1 $(with_tls wrongname)
	host_up 2
	send bob@enforce.mc
	assert_exit 0
	assert_queued "certificate is for www.elsewhere.mc, not for mx1.mc"
	assert_calls 1 0
	at_host 1
	! grep -q 'C: MAIL' "$PEER_LOG" || fail_with "something was sent"
}

@test "enforce: without STARTTLS nothing is sent in the clear" {
	host_up 1
	send bob@enforce.mc
	assert_queued "does not offer STARTTLS"
	at_host 1
	! grep -q 'C: MAIL' "$PEER_LOG" || fail_with "something was sent"
}

@test "enforce: a host that the policy does not name is not even connected to" {
	host_up 3 $(with_tls)
	send bob@other.mc
	assert_queued "the MTA-STS policy of other.mc does not name it"
	assert_calls 0 0 0
}

@test "a policy is fetched once, and in force although its host is gone" {
	host_up 1 $(with_tls)
	send bob@enforce.mc
	assert_exit 0
	send bob@enforce.mc
	assert_exit 0
	[ "$(asked enforce)" -eq 1 ] || fail_with "fetched $(asked enforce) times"
	policy_config <<<"mta_sts_connect 127.0.0.1:1"
	zone_remove '^_mta-sts.enforce '
	stop_all
	host_up 1 $(with_tls wrongname)
	send bob@enforce.mc
	assert_queued "certificate is for www.elsewhere.mc"
	zone_add '_mta-sts.enforce TXT "v=STSv1; id=e1;"'
}

@test "a policy in its test changes nothing" {
	host_up 1 $(with_tls wrongname)
	send bob@testing.mc
	assert_exit 0
	at_host 1
	assert_recipients 1 bob@testing.mc
}

@test "a policy that is none changes nothing, and is mentioned" {
	host_up 1
	send bob@broken.mc
	assert_exit 0
	at_host 1
	assert_recipients 1 bob@broken.mc
	run_mailcrane --route=bob@broken.mc
	assert_exit 0
	grep -q 'the MTA-STS policy cannot be had: ' <<<"$output" || fail_with "not mentioned"
}

@test "where DANE is in force the policy is not asked for" {
	host_up 1 $(with_tls)
	send bob@ee.mc
	assert_exit 0
	[ "$(asked ee)" -eq 0 ] || fail_with "the policy was asked for"
}

@test "a message that waives TLS, and mta_sts off, go past the policy" {
	host_up 1
	run_mailcrane bob@enforce.mc <<<$'Subject: s\nTLS-Required: No\n\nhello'
	assert_exit 0
	at_host 1
	assert_recipients 1 bob@enforce.mc
	policy_config <<<"mta_sts off"
	send bob@enforce.mc
	assert_exit 0
	assert_recipients 2 bob@enforce.mc
	[ "$(asked enforce)" -eq 0 ] || fail_with "the policy was asked for"
}

@test "--route shows the demand of the policy, and whom it leaves out" {
	run_mailcrane --route=bob@enforce.mc
	assert_exit 0
	grep -q '^        MTA-STS: TLS with a certificate for this name, by the policy e1 of enforce.mc$' <<<"$output" ||
		fail_with "no policy"
	grep -q '^        not to be tried: the MTA-STS policy of enforce.mc does not name it$' <<<"$output" || fail_with "no refusal"
	run_mailcrane --route=bob@enforce.mc --json
	[ "$(jq_of '.routes[0].hosts[0].reason')" = mta-sts ] || fail_with "another reason"
}

# The value at a path, by python: jq is not everywhere.
jq_of() {
	python3 -c '
import json, re, sys
value = json.loads(sys.argv[1])
for part in re.findall(r"\.(\w[\w-]*)|\[(\d+)\]", sys.argv[2]):
    value = value[part[0]] if part[0] else value[int(part[1])]
print(value)' "$output" "$1"
}

# The report of today about a domain: "TYPE SUCCESSES FAILURES RESULT...".
report_of() {
	run_mailcrane --tls-report
	assert_exit 0
	python3 -c '
import json, sys
for policy in json.loads(sys.argv[1])["policies"]:
    about = policy["policy"]
    if about["policy-domain"] != sys.argv[2]:
        continue
    results = sorted(detail["result-type"] for detail in policy.get("failure-details", []))
    summary = policy["summary"]
    print(about["policy-type"], summary["total-successful-session-count"], summary["total-failure-session-count"], *results)' \
		"$output" "$1"
}

assert_report() {
	local got

	got=$(report_of "$1")
	[ "$got" = "$2" ] || fail_with "the report about $1 says '$got' instead of '$2'" "$output"
}

@test "the report has each session, with the policy that was in force and what was wrong" {
	policy_config <<<"tls_report on"
	host_up 1 $(with_tls)
	host_up 3 $(with_tls)
	send bob@enforce.mc bob@ee.mc bob@wrong.mc bob@testing.mc bob@own.mc bob@unusable.mc bob@tlsa-bogus.mc
	send bob@other.mc
	send bob@broken.mc
	assert_report enforce.mc "sts 1 0"
	assert_report ee.mc "tlsa 1 0"
	assert_report wrong.mc "tlsa 0 1 certificate-not-trusted"
	assert_report testing.mc "sts 1 0"
	assert_report own.mc "no-policy-found 1 0"
	assert_report unusable.mc "tlsa 0 1 tlsa-invalid"
	assert_report other.mc "sts 0 1 validation-failure"
	assert_report broken.mc "sts 1 1 sts-policy-invalid"
}

@test "the report tells what a policy in its test would have refused, and who offers no TLS" {
	policy_config <<<"tls_report on"
	host_up 1 $(with_tls wrongname)
	send bob@testing.mc
	assert_exit 0
	send bob@enforce.mc
	assert_report testing.mc "sts 0 1 certificate-host-mismatch"
	assert_report enforce.mc "sts 0 1 certificate-host-mismatch"
	stop_all
	host_up 1
	send bob@own.mc
	assert_exit 0
	assert_report own.mc "no-policy-found 0 1 starttls-not-supported"
}

@test "what a policy in its test could not verify is no success in the report" {
	policy_config <<<$'tls_report on\ntls_trust_file /nowhere'
	host_up 1 $(with_tls)
	send bob@testing.mc
	assert_exit 0
	assert_report testing.mc "sts 0 1 validation-failure"
}

@test "nothing is written down unless it is asked for" {
	host_up 1 $(with_tls)
	send bob@enforce.mc
	assert_exit 0
	run_mailcrane --tls-report
	assert_exit 66
}
