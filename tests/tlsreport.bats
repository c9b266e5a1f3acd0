# tlsreport.bats - --tls-report: what was written down about TLS on a day, as a report.

load lib/common

setup() {
	setup_home
	write_config <<-END
		host 127.0.0.1
		mailname mail.example.org
	END
	REPORTS=$HOME/.local/state/mailcrane/reports
}

# The spool is there, and lines of stdin were written down on a day.
recorded() {
	"$MAILCRANE" --queue=always --from=a@example.org b@example.net <<<"hello" >/dev/null
	(umask 077 && mkdir -p "$REPORTS" && cat >"$REPORTS/$1")
}

# The value of a Python expression over the report r.
assert_report() {
	python3 -c 'import json, sys; r = json.loads(sys.argv[1]); assert '"$1"', r' "$output"
}

LINES_OF_A_DAY='{"type":"sts","domain":"a.example","result":"success","mx":"mx.a.example","policy":["version: STSv1"],"patterns":["mx.a.example"]}
{"type":"sts","domain":"a.example","result":"success","mx":"mx.a.example","policy":["version: STSv1"],"patterns":["mx.a.example"]}
{"type":"sts","domain":"a.example","result":"certificate-expired","mx":"mx.a.example","ip":"192.0.2.1","policy":["version: STSv1"],"patterns":["mx.a.example"]}
{"type":"no-policy-found","domain":"b.example","result":"starttls-not-supported","mx":"mx.b.example"}'

@test "the report of a day is one JSON document of RFC 8460" {
	recorded 2026-11-28 <<<"$LINES_OF_A_DAY"
	run_mailcrane --tls-report=2026-11-28
	assert_exit 0
	[ -z "$stderr" ]
	assert_report 'r["organization-name"] == "mail.example.org" and r["contact-info"] == "postmaster@mail.example.org"'
	assert_report 'r["date-range"] == {"start-datetime": "2026-11-28T00:00:00Z", "end-datetime": "2026-11-28T23:59:59Z"}'
	assert_report '[p["policy"]["policy-type"] for p in r["policies"]] == ["sts", "no-policy-found"]'
	assert_report 'r["policies"][0]["summary"] == {"total-successful-session-count": 2, "total-failure-session-count": 1}'
	assert_report 'r["policies"][0]["failure-details"] == [{"result-type": "certificate-expired", "receiving-mx-hostname": "mx.a.example", "receiving-ip": "192.0.2.1", "failed-session-count": 1}]'
	assert_report 'r["policies"][0]["policy"] == {"policy-type": "sts", "policy-string": ["version: STSv1"], "policy-domain": "a.example", "mx-host": ["mx.a.example"]}'
	assert_report 'set(r) == {"organization-name", "date-range", "contact-info", "report-id", "policies"}'
}

@test "today and yesterday are days, and today is the one that is meant" {
	today=$(date -u +%F)
	recorded "$today" <<<"$LINES_OF_A_DAY"
	run_mailcrane --tls-report
	[ "$today" = "$(date -u +%F)" ] || skip "midnight has passed"
	assert_exit 0
	assert_report "r['date-range']['start-datetime'] == '${today}T00:00:00Z'"
	run_mailcrane --tls-report=today
	assert_exit 0
	run_mailcrane --tls-report=yesterday
	assert_exit 66
}

@test "the account's address is whom to ask" {
	write_config <<-END
		host 127.0.0.1
		mailname mail.example.org
		from tls@example.org
	END
	recorded 2026-11-28 <<<"$LINES_OF_A_DAY"
	run_mailcrane --tls-report=2026-11-28
	assert_report 'r["contact-info"] == "tls@example.org"'
}

@test "where nothing was written down there is no report, and a hint" {
	run_mailcrane --tls-report=2026-11-28
	assert_exit 66
	[ -z "$output" ]
	assert_stderr "nothing was written down about TLS on 2026-11-28"
	assert_stderr "hint: 'tls_report on' in the configuration file"
	[ ! -e "$HOME/.local" ]
}

@test "what is no day is refused" {
	for day in 2026-13-01 tomorrow ../queue ''; do
		run_mailcrane "--tls-report=$day"
		assert_exit 64
		assert_stderr "'$day' is not a day"
		assert_stderr "hint: such as 2026-11-28, today or yesterday"
	done
}

@test "lines that make no sense are told" {
	recorded 2026-11-28 <<<"$LINES_OF_A_DAY"$'\nnonsense'
	run_mailcrane --tls-report=2026-11-28
	assert_exit 0
	assert_report 'len(r["policies"]) == 2'
	assert_stderr "1 lines of $REPORTS/2026-11-28 make no sense"
}

@test "it needs no account, but one that is asked for by name must be there" {
	recorded 2026-11-28 <<<"$LINES_OF_A_DAY"
	: >"$HOME/.mailcranerc"
	run_mailcrane --tls-report=2026-11-28
	assert_exit 0
	assert_report 'len(r["policies"]) == 2'
	run_mailcrane --tls-report=2026-11-28 -a nobody
	assert_exit 78
}

@test "tls_report is a setting for files, not an option" {
	write_config <<-END
		host 127.0.0.1
		tls_report on
	END
	run_mailcrane --print-config
	assert_exit 0
	grep -qx 'tls_report on' <<<"$output"
	run_mailcrane --tls-report=on
	assert_exit 64
}
