/* https.c - one GET by HTTPS, by libcurl.
 *
 * libcurl does HTTP and the TLS handshake. The verdict about the certificate is ours, given between the handshake and the
 * request: libcurl would take a common name for a host name, asks nobody what the key is meant for, and reads the whole
 * bundle of authorities. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/library.h"
#include "base/mem.h"
#include "net/https.h"
#include "net/lookup.h"

enum {
	PORT = 443,
	PORT_MOST = 65535,
	HEADER_MOST = 65536, /* bytes of all header lines */
	CONNECT_MOST = 64    /* bytes of an address with its port */
};

static bool
fail(struct https_response *response, enum https_fault fault)
{
	response->fault = fault;
	buf_free(&response->body);
	return false;
}

#ifdef HAVE_LIBCURL

#include <curl/curl.h>

#include "net/gnutls.h"
#include "net/verify.h"

/* What is used of libcurl. */
struct curl_table {
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_perform) *easy_perform;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
	__typeof__(curl_version_info) *version_info;
};

static const char *const curl_names[] = {
	"curl_easy_cleanup", "curl_easy_getinfo",  "curl_easy_init",    "curl_easy_perform",   "curl_easy_setopt",
	"curl_easy_strerror", "curl_global_init",  "curl_slist_append", "curl_slist_free_all", "curl_version_info"
};

_Static_assert(sizeof(struct curl_table) == sizeof(curl_names), "one address per name");

struct transfer {
	struct curl_table curl;
	CURL *easy;
	const struct https_request *request;
	struct https_response *response;
	struct tls_settings tls;
	struct verifier verifier;
	struct curl_slist *addresses;   /* of CURLOPT_RESOLVE or CURLOPT_CONNECT_TO */
	size_t header_size;
	bool has_header;                /* to its end */
	bool is_verified;               /* our verdict was asked for, and it was yes */
	bool is_untrusted;              /* it was no */
	bool is_too_large;
	char reason[CURL_ERROR_SIZE];   /* by libcurl */
	struct err *err;
};

static bool
load_curl(struct curl_table *curl, struct err *err)
{
	const struct library library = {
		.file = LIBCURL_SONAME,
		.user = "HTTPS",
		.package = "libcurl 7.80 or newer with GnuTLS",
		.symbols = curl_names,
		.n_symbols = sizeof(curl_names) / sizeof(curl_names[0]),
	};
	const curl_version_info_data *facts;

	if (!library_load(&library, curl, err))
		return false;
	facts = curl->version_info(CURLVERSION_NOW);
	if (facts->ssl_version == NULL || !str_starts_with(str_of(facts->ssl_version), STR("GnuTLS"))) {
		err_set(err, EX_UNAVAILABLE, "HTTPS needs a libcurl with GnuTLS, and %s has %s", library.file,
		        facts->ssl_version != NULL ? facts->ssl_version : "no TLS");
		return err_hint(err, "install %s", library.package);
	}
	/* Its second and further calls do nothing but count. */
	if (curl->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, EX_UNAVAILABLE, "libcurl cannot be initialised");
	return true;
}

/* --- callbacks ----------------------------------------------------------------------------------------------------- */

/* The keys of the chain are held to PROFILE_MEDIUM, as in our own sessions, which have it from their priorities; in a session
 * of libcurl verify_peer() cannot ask for more than that session did. */
static bool
check_strength(gnutls_session_t session, struct err *err)
{
	unsigned n = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &n);
	bool is_strong = true;

	for (unsigned i = 0; is_strong && i < n; i++) {
		gnutls_x509_crt_t certificate = NULL;
		unsigned bits = 0;
		int algorithm = -1;

		if (gnutls_x509_crt_init(&certificate) < 0)
			return err_set(err, EX_OSERR, "out of memory");
		if (gnutls_x509_crt_import(certificate, &list[i], GNUTLS_X509_FMT_DER) >= 0)
			algorithm = gnutls_x509_crt_get_pk_algorithm(certificate, &bits);
		is_strong = algorithm >= 0 && gnutls_pk_bits_to_sec_param((gnutls_pk_algorithm_t)algorithm, bits) >=
		                                      GNUTLS_SEC_PARAM_MEDIUM;
		gnutls_x509_crt_deinit(certificate);
	}
	return is_strong || err_set(err, EX_UNAVAILABLE, "certificate is too weak: a key of its chain is too short");
}

/* libcurl calls this when the connection with its TLS is there, and before it sends the request. */
static int
judge(void *context, char *peer, char *own, int peer_port, int own_port)
{
	struct transfer *transfer = context;
	struct curl_tlssessioninfo *info = NULL;
	void *credentials = NULL;
	gnutls_session_t session;

	(void)peer, (void)own, (void)peer_port, (void)own_port;
	transfer->is_untrusted = true;
	if (transfer->curl.easy_getinfo(transfer->easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || info == NULL ||
	    info->backend != CURLSSLBACKEND_GNUTLS || info->internals == NULL) {
		err_set(transfer->err, EX_UNAVAILABLE, "libcurl does not show the server's certificate");
		return CURL_PREREQFUNC_ABORT;
	}
	session = info->internals;
	if (gnutls_credentials_get(session, GNUTLS_CRD_CERTIFICATE, &credentials) < 0) {
		err_set(transfer->err, EX_UNAVAILABLE, "libcurl does not show its credentials");
		return CURL_PREREQFUNC_ABORT;
	}
	transfer->verifier.credentials = credentials;
	if (!verify_peer(&transfer->verifier, session, transfer->err) || !check_strength(session, transfer->err))
		return CURL_PREREQFUNC_ABORT;
	transfer->is_untrusted = false;
	transfer->is_verified = true;
	return CURL_PREREQFUNC_OK;
}

static size_t
take_header(char *data, size_t size, size_t n, void *context)
{
	struct transfer *transfer = context;

	/* libcurl takes an answer that ends amidst its header for one. */
	transfer->has_header = str_trim(str_make(data, size * n)).size == 0;
	transfer->header_size += size * n;
	if (transfer->header_size <= HEADER_MOST)
		return size * n;
	transfer->is_too_large = true;
	err_set(transfer->err, EX_DATAERR, "more than %d bytes of header", HEADER_MOST);
	return 0;
}

static size_t
take_body(char *data, size_t size, size_t n, void *context)
{
	struct transfer *transfer = context;
	struct buf *body = &transfer->response->body;

	if (size * n <= transfer->request->most - body->size) {
		buf_add(body, data, size * n);
		return size * n;
	}
	transfer->is_too_large = true;
	err_set(transfer->err, EX_DATAERR, "more than %zu bytes", transfer->request->most);
	return 0;
}

/* --- the request --------------------------------------------------------------------------------------------------- */

/* An entry for CURLOPT_RESOLVE: all addresses of the host, so that libcurl asks nobody. */
static bool
add_addresses(struct transfer *transfer, int64_t deadline, struct buf *entry, struct err *err)
{
	struct lookup found = {0};
	size_t n = 0;

	if (!lookup_host(transfer->request->host, PORT, deadline, &found, err))
		return false;
	buf_printf(entry, "%s:%d:", transfer->request->host, PORT);
	for (size_t i = 0; i < found.n; i++) {
		struct buf address = {0};

		lookup_add_text(&found.endpoints[i], &address);
		/* libcurl knows no zones here. */
		if (str_find(buf_str(&address), '%') == address.size)
			buf_printf(entry, "%s%s", n++ > 0 ? "," : "", buf_text(&address));
		buf_free(&address);
	}
	return n > 0 || err_set(err, EX_NOHOST, "the host name %s has no address", transfer->request->host);
}

static bool
set_addresses(struct transfer *transfer, int64_t deadline, struct err *err)
{
	const char *connect = transfer->request->connect;
	struct buf entry = {0};
	CURLcode code = CURLE_OK;

	if (connect != NULL && !https_is_connect(connect)) {
		err_set(err, EX_CONFIG, "'%s' is not an address with ':' and a port", connect);
		return err_hint(err, "such as 192.0.2.1:443 or [2001:db8::1]:443");
	}
	if (connect != NULL)
		buf_printf(&entry, "::%s", connect);
	else if (!add_addresses(transfer, deadline, &entry, err)) {
		buf_free(&entry);
		return false;
	}
	transfer->addresses = transfer->curl.slist_append(NULL, buf_text(&entry));
	code = transfer->curl.easy_setopt(transfer->easy, connect != NULL ? CURLOPT_CONNECT_TO : CURLOPT_RESOLVE,
	                                  transfer->addresses);
	buf_free(&entry);
	return (transfer->addresses != NULL && code == CURLE_OK) || err_set(err, EX_OSERR, "libcurl is out of memory");
}

/* By the proxy, which is given the name; its own address is looked up here. */
static bool
set_proxy(struct transfer *transfer, int64_t deadline, struct err *err)
{
	const struct https_request *request = transfer->request;
	const struct curl_table *curl = &transfer->curl;
	struct lookup found = {0};
	struct buf address = {0};
	bool is_set;

	if (!lookup_host(request->proxy_host, request->proxy_port, deadline, &found, err))
		return err_prefix(err, "proxy");
	lookup_add_text(&found.endpoints[0], &address);
	is_set = curl->easy_setopt(transfer->easy, CURLOPT_PROXYTYPE, (long)CURLPROXY_SOCKS5_HOSTNAME) == CURLE_OK &&
	         curl->easy_setopt(transfer->easy, CURLOPT_PROXY, buf_text(&address)) == CURLE_OK &&
	         curl->easy_setopt(transfer->easy, CURLOPT_PROXYPORT, (long)request->proxy_port) == CURLE_OK &&
	         (request->proxy_user == NULL ||
	          (curl->easy_setopt(transfer->easy, CURLOPT_PROXYUSERNAME, request->proxy_user) == CURLE_OK &&
	           curl->easy_setopt(transfer->easy, CURLOPT_PROXYPASSWORD,
	                             request->proxy_password != NULL ? request->proxy_password : "") == CURLE_OK));
	buf_free(&address);
	return is_set || err_set(err, EX_UNAVAILABLE, "libcurl cannot use the proxy");
}

static bool
set_numbers(const struct transfer *transfer)
{
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{CURLOPT_NOSIGNAL, 1},
		{CURLOPT_FOLLOWLOCATION, 0},
		{CURLOPT_FAILONERROR, 0},
		{CURLOPT_NETRC, CURL_NETRC_IGNORED},
		{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
		{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
		{CURLOPT_SSL_SESSIONID_CACHE, 0},
		/* judge() does that, and without its yes nothing is sent and nothing believed. */
		{CURLOPT_SSL_VERIFYPEER, 0},
		{CURLOPT_SSL_VERIFYHOST, 0},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (transfer->curl.easy_setopt(transfer->easy, numbers[i].option, numbers[i].value) != CURLE_OK)
			return false;
	return true;
}

static bool
set_rules(struct transfer *transfer)
{
	const struct curl_table *curl = &transfer->curl;
	CURL *easy = transfer->easy;
	struct buf url = {0};
	bool is_set;

	buf_printf(&url, "https://%s%s", transfer->request->host, transfer->request->path);
	is_set = set_numbers(transfer) && curl->easy_setopt(easy, CURLOPT_URL, buf_text(&url)) == CURLE_OK &&
#if LIBCURL_VERSION_NUM >= 0x075500
	         curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
#else
	         curl->easy_setopt(easy, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS) == CURLE_OK &&
#endif
	         curl->easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	         curl->easy_setopt(easy, CURLOPT_CAINFO, NULL) == CURLE_OK &&
	         curl->easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
	         curl->easy_setopt(easy, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION) == CURLE_OK &&
	         curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reason) == CURLE_OK &&
	         curl->easy_setopt(easy, CURLOPT_PREREQFUNCTION, judge) == CURLE_OK &&
	         curl->easy_setopt(easy, CURLOPT_PREREQDATA, transfer) == CURLE_OK &&
	         curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
	         curl->easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
	         curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	         curl->easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK;
	buf_free(&url);
	return is_set || err_set(transfer->err, EX_UNAVAILABLE, "libcurl does not know all that is asked of it");
}

static bool
prepare(struct transfer *transfer, int64_t deadline, struct err *err)
{
	int left;

	if (!load_curl(&transfer->curl, err) || !gnutls_load(err))
		return false;
	transfer->tls = (struct tls_settings){.host = transfer->request->host, .trust_file = transfer->request->trust_file};
	if (!verify_prepare(&transfer->verifier, &transfer->tls, NULL, err))
		return false;
	transfer->easy = transfer->curl.easy_init();
	if (transfer->easy == NULL)
		return err_set(err, EX_OSERR, "libcurl is out of memory");
	if (!set_rules(transfer))
		return false;
	if (transfer->request->proxy_host != NULL ? !set_proxy(transfer, deadline, err) : !set_addresses(transfer, deadline, err))
		return false;
	/* 0 would be no limit at all. */
	left = clock_poll_timeout(deadline);
	if (left == 0)
		return err_set(err, EX_TEMPFAIL, "no time is left");
	return transfer->curl.easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS, (long)left) == CURLE_OK &&
	       transfer->curl.easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)left) == CURLE_OK;
}

/* --- the answer ---------------------------------------------------------------------------------------------------- */

static const struct {
	CURLcode code;
	int exit_code;
	const char *text;
} failures[] = {
	{CURLE_OPERATION_TIMEDOUT, EX_TEMPFAIL, "no complete answer in time"},
	{CURLE_COULDNT_CONNECT, EX_TEMPFAIL, "cannot connect"},
	{CURLE_COULDNT_RESOLVE_HOST, EX_TEMPFAIL, "cannot look up the host name"},
	{CURLE_SEND_ERROR, EX_TEMPFAIL, "the connection was lost"},
	{CURLE_RECV_ERROR, EX_TEMPFAIL, "the connection was lost"},
	{CURLE_GOT_NOTHING, EX_TEMPFAIL, "the connection was closed without an answer"},
	{CURLE_PARTIAL_FILE, EX_TEMPFAIL, "the answer is not complete"},
	{CURLE_PROXY, EX_TEMPFAIL, "the proxy did not connect"},
	{CURLE_SSL_CONNECT_ERROR, EX_PROTOCOL, "the TLS handshake failed"},
};

/* What libcurl says, in our words first. */
static bool
explain(struct transfer *transfer, CURLcode code, struct err *err)
{
	const char *text = "the transfer failed";
	struct buf clean = {0};
	int exit_code = EX_PROTOCOL;

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].code == code) {
			text = failures[i].text;
			exit_code = failures[i].exit_code;
		}
	err_add_clean(&clean, str_of(transfer->reason[0] != '\0' ? transfer->reason : transfer->curl.easy_strerror(code)));
	err_set(err, exit_code, "%s (%s)", text, buf_text(&clean));
	buf_free(&clean);
	return false;
}

static bool
perform(struct transfer *transfer, struct err *err)
{
	CURLcode code = transfer->curl.easy_perform(transfer->easy);
	const char *content_type = NULL;
	long status = 0;

	transfer->curl.easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	transfer->curl.easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &content_type);
	transfer->response->status = (int)status;
	if (content_type != NULL)
		err_add_clean(&transfer->response->content_type, str_of(content_type));
	/* What a callback has said is the cause. A large page that comes with a refusal is a refusal. */
	if (transfer->is_untrusted)
		return fail(transfer->response, HTTPS_UNTRUSTED);
	if (code == CURLE_OK && !transfer->is_verified) {
		err_set(err, EX_UNAVAILABLE, "libcurl did not ask for a verdict about the certificate");
		return fail(transfer->response, HTTPS_UNTRUSTED);
	}
	if (code == CURLE_OK && !transfer->has_header)
		code = CURLE_PARTIAL_FILE;
	if ((code == CURLE_OK || transfer->is_too_large) && status != 200) {
		err_clear(err);
		err_set(err, EX_UNAVAILABLE, "the status is %ld instead of 200%s", status,
		        status >= 300 && status < 400 ? " (a redirect must not be followed)" : "");
		return fail(transfer->response, HTTPS_REFUSED);
	}
	if (transfer->is_too_large)
		return fail(transfer->response, HTTPS_REFUSED);
	if (code == CURLE_OK)
		return true;
	explain(transfer, code, err);
	return fail(transfer->response, HTTPS_UNREACHABLE);
}

bool
https_get(const struct https_request *request, int64_t deadline, struct https_response *response, struct err *err)
{
	struct transfer transfer = {.request = request, .response = response, .err = err};
	bool is_good = prepare(&transfer, deadline, err) ? perform(&transfer, err) : fail(response, HTTPS_UNREACHABLE);

	/* The credentials that own the list of authorities end with the handle. */
	if (transfer.easy != NULL)
		transfer.curl.easy_cleanup(transfer.easy);
	if (transfer.addresses != NULL)
		transfer.curl.slist_free_all(transfer.addresses);
	verify_free(&transfer.verifier);
	return is_good || err_prefix(err, "https://%s%s", request->host, request->path);
}

const char *
https_library_version(void)
{
	struct curl_table curl = {0};
	struct err err = {0};
	bool is_loaded = load_curl(&curl, &err);

	err_clear(&err);
	return is_loaded ? curl.version_info(CURLVERSION_NOW)->version : "(cannot be loaded)";
}

#else

bool
https_get(const struct https_request *request, int64_t deadline, struct https_response *response, struct err *err)
{
	(void)deadline;
	err_set(err, EX_UNAVAILABLE, "https://%s%s: HTTPS needs libcurl, and this program was built without it", request->host,
	        request->path);
	err_hint(err, "build it with libcurl (libcurl4-gnutls-dev)");
	return fail(response, HTTPS_UNREACHABLE);
}

const char *
https_library_version(void)
{
	return "(built without)";
}

#endif

bool
https_is_connect(const char *text)
{
	struct str whole = str_of(text);
	size_t colon = whole.size;
	uint64_t port = 0;
	struct endpoint endpoint = {0};
	struct str host;
	char *address;
	bool is_bracketed, is_good;

	while (colon > 0 && whole.data[colon - 1] != ':')
		colon--;
	if (colon == 0 || whole.size > CONNECT_MOST || !str_to_number(str_from(whole, colon), PORT_MOST, &port) || port == 0)
		return false;
	host = str_first(whole, colon - 1);
	is_bracketed = host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']';
	if (is_bracketed)
		host = str_make(host.data + 1, host.size - 2);
	address = mem_copy(host.data, host.size);
	is_good = lookup_literal(address, (int)port, &endpoint) && (endpoint.any.sa_family == AF_INET6) == is_bracketed;
	free(address);
	return is_good;
}

void
https_response_free(struct https_response *response)
{
	buf_free(&response->content_type);
	buf_free(&response->body);
	*response = (struct https_response){0};
}
