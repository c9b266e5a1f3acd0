/*
 * scenario - the table of scenarios.
 */
#include "config.h"

#include "scenario.h"

#define AT "@example.test"
#define OK_1 "ok.1.0" AT
#define OK_2 "ok.2.0" AT
#define OK_3 "ok.3.0" AT

const struct scenario scenarios[] = {
	{.name = "enqueue", .words = "-odq ok.9.0" AT},
	{.name = "enqueue-3", .words = "-odq ok.9.0" AT " temp.9.1" AT " perm.9.2" AT, .size = 1 << 20},
	{.name = "first-run", .words = "-odq ok.9.0" AT, .has_no_spool = true},
	{.name = "background", .words = "-odb ok.9.0" AT " ok.9.1" AT},
	{.name = "background-4xx", .words = "-odb ok.9.0" AT " temp.9.1" AT},
	{.name = "background-5xx", .words = "-odb ok.9.0" AT " perm.9.1" AT},
	{.name = "first-run-5xx", .words = "-odb ok.9.0" AT " perm.9.1" AT, .has_no_spool = true},
	{.name = "fallback", .words = "ok.9.0" AT, .has_no_peer = true},
	{.name = "fallback-4xx", .words = "ok.9.0" AT " temp.9.1" AT},
	{.name = "direct", .words = "ok.9.0" AT, .kept = {OK_1, OK_2}},
	{.name = "flush", .words = "--flush -qf", .kept = {OK_1 " ok.1.1" AT, OK_2, OK_3}},
	{.name = "flush-4xx", .words = "--flush -qf", .kept = {OK_1 " temp.1.1" AT, "temp.2.0" AT, OK_3}},
	{.name = "flush-5xx", .words = "--flush -qf", .kept = {"perm.1.0" AT, "perm.2.0" AT " perm.2.1" AT, OK_3}},
	{.name = "flush-mixed",
	 .words = "--flush -qf",
	 .kept = {OK_1 " perm.1.1" AT " temp.1.2" AT, "temp.2.0" AT " perm.2.1" AT, OK_3 " perm.3.1" AT}},
	{.name = "flush-452", .words = "--flush -qf", .kept = {OK_1 " ok.1.1" AT " ok.1.2" AT " ok.1.3" AT " ok.1.4" AT}, .peer = {"--max-rcpt", "2"}},
	{.name = "flush-dropped", .words = "--flush -qf", .kept = {OK_1, OK_2, OK_3}, .peer = {"--fault", "dot*1:close"}, .has_fresh_peer = true},
	{.name = "flush-421", .words = "--flush -qf", .kept = {OK_1, OK_2}, .peer = {"--fault", "mail*1:reply=421 4.3.2 going down"}, .has_fresh_peer = true},
	{.name = "flush-large", .words = "--flush -qf", .kept = {OK_1, OK_2}, .size = 1 << 20, .is_minor = true},
	{.name = "flush-tls",
	 .words = "--flush -qf",
	 .kept = {OK_1, OK_2 " perm.2.1" AT},
	 .settings = "tls on\ntls_starttls on\ntls_trust_file FOLDER/certificates/ca.pem\n",
	 .peer = {"--tls", "starttls", "--make-cert", "FOLDER/certificates"},
	 .is_minor = true},
	{.name = "flush-data", .words = "--flush -qf", .kept = {OK_1, OK_2}, .peer = {"--ehlo", "PIPELINING"}, .is_minor = true},
	{.name = "flush-turned", .words = "--flush -qf", .kept = {OK_1 " ok.1.1" AT, OK_2}, .changes = "host mx\ndns_server 127.0.0.1@9\n"},
	{.name = "bounce-relay", .words = "--flush -qf", .kept = {"perm.1.0" AT, OK_2}, .settings = "bounce_to sender\n"},
	{.name = "hold", .words = "--hold=ID1", .kept = {OK_1, OK_2}, .promise = PROMISE_HELD},
	{.name = "release", .words = "--release=ID1", .kept = {OK_1, OK_2}, .before = "--hold=ID1", .promise = PROMISE_SENT},
	{.name = "retry",
	 .words = "--retry=ID1",
	 .kept = {OK_1, "temp.2.0" AT},
	 .before = "--flush -qf",
	 .before_peer = {"--fault", "rcpt*1:reply=550 5.1.1 not yet"},
	 .promise = PROMISE_SENT},
	{.name = "remove", .words = "--remove=ID1", .kept = {OK_1, OK_2}, .optional = 1, .promise = PROMISE_GONE},
	{.name = "janitor", .words = "--flush", .kept = {OK_1}, .has_old_files = true},
	{.name = "mailq", .words = "--mailq", .kept = {OK_1, OK_2}, .is_minor = true},
	{.name = "check", .words = "--queue-check=repair", .kept = {OK_1, OK_2}, .has_old_files = true, .status = 65},
};

const size_t n_scenarios = sizeof(scenarios) / sizeof(scenarios[0]);
