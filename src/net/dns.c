/* dns.c - DNS by libunbound, which resolves and validates; waits in net/wait until a deadline.
 *
 * The library works in the background, and the choice is its own: in a thread, or in a process that it forks. It is a thread
 * here. A forked process would hold copies of all our descriptors, and with them the locks of queue entries and the
 * connections of a session, for as long as it lives; it would end by exit(), and write what stands in our buffers of stdio a
 * second time; and it would be found by those who wait for children of their own. The thread shares nothing with our code but
 * what is behind ub_fd(): callbacks run in ub_process(), so in our thread. It is started with all signals blocked, for
 * handlers belong to the main thread. It ends with dns_close(), which waits for it (it has no call that blocks, so that takes
 * no time), or with the process. A child that we fork has no such thread, and therefore must leave the struct alone.
 *
 * /etc/hosts is not read: the hosts of MX records come from the DNS, or not at all. */

#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/dns.h"

/* No caller has to know whether there are records of this form. */
bool
dns_next(struct str *rest, struct str *rdata)
{
	size_t size;

	if (rest->size < 2)
		return false;
	size = (size_t)((unsigned char)rest->data[0] << 8 | (unsigned char)rest->data[1]);
	*rdata = str_first(str_from(*rest, 2), size);
	*rest = str_from(*rest, 2 + size);
	return true;
}

void
dns_query_free(struct dns_query *query)
{
	buf_free(&query->records);
	query->n_records = 0;
}

#ifdef HAVE_LIBUNBOUND

#include <unbound.h>

#include "base/domain.h"
#include "base/file.h"
#include "base/library.h"
#include "net/lookup.h"
#include "net/wait.h"

enum {
	CLASS_IN = 1,
	RCODE_NO_NAME = 3,
	IN_A_THREAD = 1,
	ANCHOR_MOST = 256 * 1024 /* bytes of a file with trust anchors */
};

#define UNBOUND_NAMES(X) \
	X(cancel)            \
	X(ctx_add_ta_file)   \
	X(ctx_async)         \
	X(ctx_create)        \
	X(ctx_debugout)      \
	X(ctx_delete)        \
	X(ctx_resolvconf)    \
	X(ctx_set_fwd)       \
	X(ctx_zone_remove)   \
	X(fd)                \
	X(process)           \
	X(resolve_async)     \
	X(resolve_free)      \
	X(strerror)          \
	X(version)

#define UNBOUND_FIELD(name) __typeof__(ub_##name) *(name);
#define UNBOUND_TEXT(name) "ub_" #name,

struct unbound_table {
	UNBOUND_NAMES(UNBOUND_FIELD)
};

static const char *const unbound_names[] = {UNBOUND_NAMES(UNBOUND_TEXT)};

_Static_assert(sizeof(struct unbound_table) == sizeof(unbound_names), "one address per name");

struct dns {
	struct unbound_table unbound;
	struct ub_ctx *context;
	char *server; /* for people */
};

/* A query on its way. */
struct question {
	const struct dns *dns;
	struct dns_query *query;
	int id;       /* the library's */
	bool is_open; /* the answer is still to come */
};

/* Where systems keep the keys of the root. The library only reads them; the first that exists is taken. */
static const char *const anchor_files[] = {
	"/usr/share/dns/root.key",              /* Debian: dns-root-data */
	"/usr/share/dnssec-root/trusted-key.key", /* Alpine: dnssec-root */
	"/etc/trusted-key.key",                 /* Arch: dnssec-anchors */
	"/var/lib/unbound/root.key",            /* what a local unbound keeps up to date */
	"/etc/unbound/root.key",
	"/usr/local/etc/unbound/root.key",
};

enum { N_ANCHOR_FILES = sizeof(anchor_files) / sizeof(anchor_files[0]) };

static const char *const rcodes[] = {
	"no error", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
};

enum { N_RCODES = sizeof(rcodes) / sizeof(rcodes[0]) };

/* Opening. */

static bool
load_unbound(struct unbound_table *unbound, struct err *err)
{
	const struct library library = {
		.file = UNBOUND_SONAME,
		.user = "direct delivery",
		.package = "libunbound",
		.symbols = unbound_names,
		.n_symbols = sizeof(unbound_names) / sizeof(unbound_names[0]),
	};
	struct err reason = {0};

	if (library_load(&library, unbound, &reason))
		return true;
	err_set(err, EX_UNAVAILABLE, "%s", buf_text(&reason.text));
	err_clear(&reason);
	return err_hint(err, "install libunbound (libunbound8 on Debian), or set 'host' to a smart host, which works without");
}

static bool
refuse_server(const char *server, struct err *err)
{
	err_set(err, EX_CONFIG, "dns_server '%s' is no address", server);
	return err_hint(err, "write it as ADDRESS or ADDRESS@PORT: 192.0.2.1, 127.0.0.1@5353, 2001:db8::53");
}

static bool
check_server(const char *server, struct err *err)
{
	struct str text = str_of(server);
	size_t at = str_find(text, '@');
	char *address = mem_copy(text.data, at);
	struct endpoint endpoint;
	uint64_t port = 0;
	bool is_good = lookup_literal(address, 0, &endpoint);

	if (at < text.size)
		is_good = is_good && str_to_number(str_from(text, at + 1), UINT16_MAX, &port) && port > 0;
	free(address);
	return is_good || refuse_server(server, err);
}

/* Without a nameserver in resolv.conf(5), or without that file, it is the one of this host. */
static bool
set_server(struct dns *dns, const char *server, struct err *err)
{
	int code;

	if (server == NULL) {
		dns->server = mem_copy_string("the servers of /etc/resolv.conf");
		code = dns->unbound.ctx_resolvconf(dns->context, NULL);
		if (code == UB_READFILE)
			code = dns->unbound.ctx_set_fwd(dns->context, "127.0.0.1");
		if (code == UB_NOERROR)
			return true;
		err_set(err, EX_CONFIG, "/etc/resolv.conf: %s", dns->unbound.strerror(code));
		return err_hint(err, "mend that file, or set 'dns_server'");
	}
	dns->server = mem_copy_string(server);
	return check_server(server, err) &&
	       (dns->unbound.ctx_set_fwd(dns->context, server) == UB_NOERROR || refuse_server(server, err));
}

/* A file without a key would be taken for one that says that nothing is signed. */
static bool
check_anchor(const char *path, struct err *err)
{
	struct buf text = {0};
	struct str rest, line = {0}, word = {0};
	bool has_key = false;
	bool is_read = file_read_path(path, ANCHOR_MOST, &text, err);

	rest = buf_str(&text);
	while (is_read && !has_key && str_next_token(&rest, '\n', &line)) {
		line = str_first(line, str_find(line, ';'));
		while (str_next_word(&line, &word))
			has_key = has_key || str_equals_nocase(word, STR("DS")) || str_equals_nocase(word, STR("DNSKEY"));
	}
	buf_free(&text);
	if (!is_read) {
		err_prefix(err, "dns_trust_anchor");
		err->exit_code = EX_CONFIG;
	}
	return is_read && (has_key || err_set(err, EX_CONFIG, "dns_trust_anchor: %s holds neither a DS nor a DNSKEY record", path));
}

/* The file that counts; NULL: none. */
static const char *
choose_anchor(const char *trust_anchor)
{
	if (trust_anchor != NULL)
		return trust_anchor[0] != '\0' ? trust_anchor : NULL;
	for (size_t i = 0; i < N_ANCHOR_FILES; i++)
		if (access(anchor_files[i], R_OK) == 0)
			return anchor_files[i];
	return NULL;
}

/* The library reads everything when it is first asked for something that needs it all, such as the zones it has built in.
 * Among them is `test.`, whose names it denies; a server that was set on purpose may know better. Others (`invalid.`,
 * `localhost.`, `onion.`, addresses of private networks) have no mail in any network. */
static bool
finish(struct dns *dns, bool has_own_server, const char *anchor, struct err *err)
{
	int code = dns->unbound.ctx_zone_remove(dns->context, has_own_server ? "test." : "none.invalid.");

	if (code == UB_NOERROR)
		return true;
	if (anchor == NULL)
		return err_set(err, EX_UNAVAILABLE, "direct delivery needs libunbound, which says: %s", dns->unbound.strerror(code));
	err_set(err, EX_CONFIG, "dns_trust_anchor: libunbound cannot use %s (%s)", anchor, dns->unbound.strerror(code));
	return err_hint(err, "each line of it must be a DS or DNSKEY record as in a zone file");
}

static bool
set_up(struct dns *dns, const struct dns_settings *settings, struct err *err)
{
	const char *anchor = choose_anchor(settings->trust_anchor);

	dns->context = dns->unbound.ctx_create();
	if (dns->context == NULL)
		return err_set(err, EX_OSERR, "libunbound cannot begin: no memory or no descriptors");
	/* What it has to say is in its results. */
	dns->unbound.ctx_debugout(dns->context, NULL);
	if (dns->unbound.ctx_async(dns->context, IN_A_THREAD) != UB_NOERROR)
		return err_set(err, EX_UNAVAILABLE, "direct delivery needs a libunbound with threads");
	if (!set_server(dns, settings->server, err))
		return false;
	if (anchor != NULL && (!check_anchor(anchor, err) || dns->unbound.ctx_add_ta_file(dns->context, anchor) != UB_NOERROR))
		return err_set(err, EX_CONFIG, "dns_trust_anchor: libunbound does not take %s", anchor);
	return finish(dns, settings->server != NULL, anchor, err);
}

bool
dns_open(struct dns **dns, const struct dns_settings *settings, struct err *err)
{
	struct dns *opened = mem_alloc(1, sizeof(*opened));
	bool is_good = load_unbound(&opened->unbound, err) && set_up(opened, settings, err);

	if (is_good) {
		*dns = opened;
	} else {
		*dns = NULL;
		dns_close(opened);
	}
	return is_good;
}

/* Asking. */

/* Say why, cleaned and cut to what there is room for. */
static void __attribute__((format(printf, 2, 3)))
fail(struct dns_query *query, const char *format, ...)
{
	struct buf said = {0}, clean = {0};
	va_list arguments;
	size_t size;

	va_start(arguments, format);
	buf_vprintf(&said, format, arguments);
	va_end(arguments);
	err_add_clean(&clean, buf_str(&said));
	size = clean.size;
	if (size >= sizeof(query->why)) {
		size = sizeof(query->why) - 1;
		while (size > 0 && ((unsigned char)clean.data[size] & 0xc0) == 0x80)
			size--;
	}
	if (size > 0)
		memcpy(query->why, clean.data, size);
	query->why[size] = '\0';
	query->result = DNS_FAILED;
	buf_free(&said);
	buf_free(&clean);
}

/* In lower case, without the dot at the end. False: no name that could be asked for. */
static bool
set_canonical(struct dns_query *query, const char *text)
{
	struct str name = str_of(text);

	if (name.size > 0 && name.data[name.size - 1] == '.')
		name.size--;
	if (name.size >= sizeof(query->canonical) || !domain_is_ascii(name))
		return false;
	for (size_t i = 0; i < name.size; i++)
		query->canonical[i] = ascii_lower(name.data[i]);
	query->canonical[name.size] = '\0';
	return true;
}

static void
keep_records(struct dns_query *query, const struct ub_result *result)
{
	for (size_t i = 0; result->data[i] != NULL && query->n_records < DNS_RECORDS_MOST; i++) {
		int size = result->len[i];

		if (size < 0 || size > UINT16_MAX)
			continue;
		buf_add_char(&query->records, (char)(size >> 8));
		buf_add_char(&query->records, (char)(size & 0xff));
		buf_add(&query->records, result->data[i], (size_t)size);
		query->n_records++;
	}
}

static void
refuse_rcode(const struct dns *dns, struct dns_query *query, int rcode)
{
	if (rcode > 0 && rcode < N_RCODES)
		fail(query, "no answer that can be used from %s (%s)", dns->server, rcodes[rcode]);
	else
		fail(query, "no answer that can be used from %s (code %d)", dns->server, rcode);
}

/* Bogus comes first: such an answer is said to be found, and brings its data along. */
static void
judge(const struct dns *dns, struct dns_query *query, const struct ub_result *result)
{
	if (result->bogus) {
		query->is_bogus = true;
		fail(query, "the answer is bogus: %s", result->why_bogus != NULL ? result->why_bogus : "no reason given");
		return;
	}
	if (result->rcode != 0 && result->rcode != RCODE_NO_NAME) {
		refuse_rcode(dns, query, result->rcode);
		return;
	}
	if (result->canonname != NULL && !set_canonical(query, result->canonname)) {
		fail(query, "it is an alias for %s, which is no name of a host", result->canonname);
		return;
	}
	query->is_secure = result->secure != 0;
	query->result = result->nxdomain || result->rcode == RCODE_NO_NAME ? DNS_NO_NAME : DNS_NO_DATA;
	if (query->result == DNS_NO_DATA && result->havedata) {
		query->result = DNS_FOUND;
		keep_records(query, result);
	}
}

/* The library calls this from within ub_process(). */
static void
take_answer(void *argument, int code, struct ub_result *result)
{
	struct question *question = argument;
	const struct dns *dns = question->dns;

	question->is_open = false;
	if (code != UB_NOERROR || result == NULL)
		fail(question->query, "no answer from %s (libunbound: %s)", dns->server, dns->unbound.strerror(code));
	else
		judge(dns, question->query, result);
	dns->unbound.resolve_free(result);
}

/* A name that cannot be in the DNS is not there, and nobody needs to be asked. */
static void
begin(const struct dns *dns, struct dns_query *query, struct question *question)
{
	int code;

	*question = (struct question){.dns = dns, .query = query};
	if (!set_canonical(query, query->name)) {
		query->result = DNS_NO_NAME;
		return;
	}
	code = dns->unbound.resolve_async(dns->context, query->canonical, (int)query->type, CLASS_IN, question, take_answer,
	                                  &question->id);
	question->is_open = code == UB_NOERROR;
	if (!question->is_open)
		fail(query, "libunbound cannot ask: %s", dns->unbound.strerror(code));
}

/* The first question starts the thread, and a thread begins with the signals that are blocked in the one that starts it. */
static void
begin_all(const struct dns *dns, struct dns_query *queries, struct question *questions, size_t n)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (size_t i = 0; i < n; i++)
		begin(dns, &queries[i], &questions[i]);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static bool
is_any_open(const struct question *questions, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (questions[i].is_open)
			return true;
	return false;
}

void
dns_ask(struct dns *dns, struct dns_query *queries, size_t n, int64_t deadline)
{
	struct question *questions = mem_alloc(n, sizeof(*questions));
	int fd = dns->unbound.fd(dns->context);
	int code = UB_NOERROR;

	begin_all(dns, queries, questions, n);
	while (is_any_open(questions, n) && code == UB_NOERROR && wait_fd(fd, POLLIN, deadline))
		code = dns->unbound.process(dns->context);
	for (size_t i = 0; i < n; i++) {
		if (!questions[i].is_open)
			continue;
		dns->unbound.cancel(dns->context, questions[i].id);
		if (code == UB_NOERROR)
			fail(&queries[i], "no answer from %s", dns->server);
		else
			fail(&queries[i], "libunbound has failed: %s", dns->unbound.strerror(code));
	}
	free(questions);
}

void
dns_close(struct dns *dns)
{
	if (dns == NULL)
		return;
	if (dns->context != NULL)
		dns->unbound.ctx_delete(dns->context);
	free(dns->server);
	free(dns);
}

const char *
dns_library_version(void)
{
	struct unbound_table unbound = {0};
	struct err ignored = {0};
	bool is_loaded = load_unbound(&unbound, &ignored);

	err_clear(&ignored);
	return is_loaded ? unbound.version() : "(cannot be loaded)";
}

#else

bool
dns_open(struct dns **dns, const struct dns_settings *settings, struct err *err)
{
	(void)settings;
	*dns = NULL;
	err_set(err, EX_UNAVAILABLE, "direct delivery needs libunbound, and this mailcrane was built without it");
	return err_hint(err, "install a mailcrane with it, or set 'host' to a smart host, which works without");
}

/* Nobody has one to ask or to close. */
void
dns_ask(struct dns *dns, struct dns_query *queries, size_t n, int64_t deadline)
{
	(void)dns;
	(void)queries;
	(void)n;
	(void)deadline;
}

void
dns_close(struct dns *dns)
{
	(void)dns;
}

const char *
dns_library_version(void)
{
	return "(built without)";
}

#endif
