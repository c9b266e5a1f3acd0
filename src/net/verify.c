/* verify.c - the certificate decision: trust (RFC 5280), name (RFC 9525: subjectAltName only), fingerprint, pin, TLSA records. */

#include "config.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/dane.h"
#include "net/describe.h"
#include "net/digest.h"
#include "net/gnutls.h"
#include "net/known.h"
#include "net/reason.h"
#include "net/staple.h"
#include "net/trust.h"
#include "net/verify.h"

enum { CHAIN_MOST = 32 };

/* What may be demanded. */
enum {
	DEMAND_NOTHING = 1, /* any certificate will do */
	DEMAND_CERTIFICATE = 2,
	DEMAND_KEY = 4,
	DEMAND_TRUST = 8,
	DEMAND_ACQUAINTANCE = 16, /* the key it had when it was first met */
	DEMAND_RECORDS = 32       /* what TLSA records say */
};

/* The demands of the settings: the ground to believe the peer on first, then what comes in addition. */
static bool
prepare_demands(struct verifier *verifier, struct err *err)
{
	const struct tls_settings *settings = verifier->settings;
	struct str fingerprint = str_of(settings->fingerprint), pin = str_of(settings->pin);
	bool is_also = digest_take_word(&fingerprint, STR("also"));
	bool is_only = digest_take_word(&pin, STR("only"));

	/* TLSA records stand for themselves: what else there is to verify with is not looked at (RFC 7672 2.2). Where none of
	 * them can be used the connection is encrypted, and the peer may be anybody. */
	if (settings->dane != NULL) {
		verifier->demands = settings->dane->n == 0 && settings->dane->n_seen > 0 ? DEMAND_NOTHING : DEMAND_RECORDS;
		return true;
	}
	if (settings->is_unchecked)
		verifier->demands = DEMAND_NOTHING;
	else if (settings->fingerprint != NULL && !is_also)
		verifier->demands = DEMAND_CERTIFICATE;
	else if (settings->pin != NULL && is_only)
		verifier->demands = DEMAND_KEY;
	else if (settings->acquaintance.file != NULL)
		verifier->demands = DEMAND_ACQUAINTANCE;
	else
		verifier->demands = DEMAND_TRUST;
	if (settings->fingerprint != NULL && is_also)
		verifier->demands |= DEMAND_CERTIFICATE;
	if (settings->pin != NULL)
		verifier->demands |= DEMAND_KEY;
	if (settings->fingerprint != NULL && !digest_parse_fingerprint(fingerprint, &verifier->fingerprint, err))
		return false;
	return settings->pin == NULL || digest_parse_pins(pin, &verifier->pins, err);
}

static bool
demands_trust(const struct verifier *verifier)
{
	return (verifier->demands & DEMAND_TRUST) != 0;
}

static bool
prepare_host(struct verifier *verifier, struct err *err)
{
	const char *host = verifier->settings->host;
	bool is_name_needed = demands_trust(verifier);
	struct err reason = {0};

	if (host == NULL || host[0] == '\0')
		return !is_name_needed ||
		       err_set(err, EX_CONFIG, "there is no host name to compare the certificate with");
	if (name_to_address(host, &verifier->address) || name_to_ascii(host, &verifier->host, &reason))
		return true;
	/* A name that no certificate can have does not matter where none is compared. */
	if (is_name_needed)
		err_set(err, EX_CONFIG, "%s", buf_text(&reason.text));
	err_clear(&reason);
	return !is_name_needed;
}

static bool
prepare_trust(struct verifier *verifier, struct err *err)
{
	const struct tls_settings *settings = verifier->settings;

	if (settings->dane != NULL)
		return true;
	if (settings->crl_file != NULL || demands_trust(verifier)) {
		if (gnutls_x509_trust_list_init(&verifier->list, 0) < 0)
			return err_set(err, EX_OSERR, "out of memory");
		if (settings->crl_file != NULL && !trust_add_crl(verifier->list, settings->crl_file, err))
			return false;
	}
	if (!demands_trust(verifier))
		return settings->ocsp != TLS_OCSP_REQUIRE ||
		       err_set(err, EX_CONFIG,
		               "tls_ocsp require needs the authorities of tls_trust_file, and other settings make the "
		               "certificate do without");
	if (settings->trust_file != NULL && settings->trust_file[0] == '\0') {
		err_set(err, EX_CONFIG,
		        "nothing to verify the certificate with: tls_trust_file is empty and there is no "
		        "tls_fingerprint");
		return err_hint(err, "set 'tls_trust_file system'");
	}
	verifier->has_trust_file =
		trust_open(settings->trust_file, &verifier->trust_fd, &verifier->trust_path, err);
	return verifier->has_trust_file;
}

/* An advisory verdict has no consequences. */
static bool
forgive(struct verifier *verifier, struct err *err)
{
	if (!verifier->settings->is_advisory)
		return false;
	err_clear(err);
	verifier->demands = DEMAND_NOTHING;
	return true;
}

bool
verify_prepare(struct verifier *verifier, const struct tls_settings *settings,
               gnutls_certificate_credentials_t credentials, struct err *err)
{
	*verifier = (struct verifier){.settings = settings, .credentials = credentials};
	if (prepare_demands(verifier, err) && prepare_host(verifier, err) && prepare_trust(verifier, err))
		return true;
	verifier->fault = TLS_FAULT_OTHER;
	return forgive(verifier, err);
}

void
verify_free(struct verifier *verifier)
{
	if (verifier->has_trust_file)
		close(verifier->trust_fd);
	if (verifier->list != NULL && !verifier->is_list_given)
		gnutls_x509_trust_list_deinit(verifier->list, 1);
	buf_free(&verifier->host);
	buf_free(&verifier->fingerprint);
	buf_free(&verifier->pins);
	*verifier = (struct verifier){0};
}

/* The peer's certificates, parsed. */
static bool
import_chain(gnutls_session_t session, struct chain *chain, struct err *err)
{
	unsigned n = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &n);

	if (gnutls_certificate_type_get2(session, GNUTLS_CTYPE_PEERS) != GNUTLS_CRT_X509 || list == NULL || n == 0)
		return err_set(err, EX_UNAVAILABLE, "the server showed no certificate");
	if (n > CHAIN_MOST)
		return err_set(err, EX_UNAVAILABLE, "the server sent %u certificates", n);
	chain->certificates = mem_alloc(n, sizeof(*chain->certificates));
	for (; chain->n < n; chain->n++) {
		int code = gnutls_x509_crt_init(&chain->certificates[chain->n]);

		if (code >= 0) {
			code = gnutls_x509_crt_import(chain->certificates[chain->n], &list[chain->n],
			                              GNUTLS_X509_FMT_DER);
			if (code < 0)
				gnutls_x509_crt_deinit(chain->certificates[chain->n]);
		}
		if (code < 0)
			return err_set(err, EX_UNAVAILABLE, "the server's certificate cannot be read: %s",
			               gnutls_strerror(code));
	}
	return true;
}

static bool
accept_any(struct verifier *verifier, gnutls_session_t session, const struct chain *chain, struct err *err)
{
	(void)verifier;
	(void)session;
	(void)chain;
	(void)err;
	return true;
}

static bool
check_certificate(struct verifier *verifier, gnutls_session_t session, const struct chain *chain, struct err *err)
{
	gnutls_x509_crt_t certificate = chain->certificates[0];
	gnutls_digest_algorithm_t digest = digest_of_size(verifier->fingerprint.size);
	unsigned char octets[DIGEST_SHA256_SIZE] = {0};
	size_t size = sizeof(octets);
	struct buf presented = {0};

	(void)session;
	if (gnutls_x509_crt_get_fingerprint(certificate, digest, octets, &size) >= 0 &&
	    size == verifier->fingerprint.size && gnutls_memcmp(octets, verifier->fingerprint.data, size) == 0)
		return true;
	describe_fingerprint(certificate, digest, &presented);
	err_set(err, EX_UNAVAILABLE, "the certificate is not the one of tls_fingerprint: it has %s",
	        buf_text(&presented));
	err_hint(err, "if the server's operator confirms the new certificate, set 'tls_fingerprint' to it");
	buf_free(&presented);
	return false;
}

static bool
check_key(struct verifier *verifier, gnutls_session_t session, const struct chain *chain, struct err *err)
{
	unsigned char octets[DIGEST_SHA256_SIZE] = {0};
	struct buf presented = {0};

	(void)session;
	if (!digest_of_key(chain->certificates[0], octets))
		return err_set(err, EX_UNAVAILABLE, "the key of the certificate cannot be read");
	for (size_t at = 0; at < verifier->pins.size; at += sizeof(octets))
		if (gnutls_memcmp(octets, verifier->pins.data + at, sizeof(octets)) == 0)
			return true;
	digest_add_pin(octets, &presented);
	err_set(err, EX_UNAVAILABLE, "the key of the certificate is not among those of tls_pin: it is %s",
	        buf_text(&presented));
	err_hint(err, "if the server's operator confirms the new key, add it to 'tls_pin'");
	buf_free(&presented);
	return false;
}

/* The library's verdict without one of its reasons. */
static unsigned
without(unsigned status, unsigned reason)
{
	status &= ~reason;
	return status == GNUTLS_CERT_INVALID ? 0 : status;
}

/* OCSP. GnuTLS 3.7 lets a response pass that is out of date, and finds no signer who names himself by his key and is not in
 * the chain: a good one is good whatever it says. */
static void
check_staple(struct verifier *verifier, gnutls_session_t session, struct reason *reason, struct buf *fault)
{
	enum tls_ocsp ocsp = verifier->settings->ocsp;

	/* Who does not ask for a response cannot be sent one. */
	if (ocsp == TLS_OCSP_OFF) {
		reason->status = without(reason->status, GNUTLS_CERT_MISSING_OCSP_STATUS);
		return;
	}
	reason->staple = staple_check(session, reason->chain, verifier->list, fault);
	reason->staple_fault = buf_text(fault);
	if (reason->staple == STAPLE_GOOD)
		reason->status = without(reason->status, GNUTLS_CERT_INVALID_OCSP_STATUS);
	reason->is_staple_missing = ocsp == TLS_OCSP_REQUIRE && reason->staple == STAPLE_NONE;
}

/* Trust, purpose, strength, revocation, dates and name. */
static bool
check_trust(struct verifier *verifier, gnutls_session_t session, const struct chain *chain, struct err *err)
{
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
	                                 .data = (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER};
	struct reason reason = {
		.chain = chain,
		.host = verifier->settings->host,
		.is_of_others = verifier->settings->is_of_others,
	};
	struct buf fault = {0};
	bool is_good;
	int code;

	if (!trust_collect(verifier->trust_fd, verifier->trust_path, chain, verifier->list, err))
		return false;
	gnutls_certificate_set_trust_list(verifier->credentials, verifier->list, 0);
	verifier->is_list_given = true;
	code = gnutls_certificate_verify_peers(session, &purpose, 1, &reason.status);
	if (code < 0)
		return err_set(err, EX_UNAVAILABLE, "the certificate cannot be verified: %s",
		               gnutls_strerror(code));
	reason.is_name_wrong = !describe_has_name(
		chain->certificates[0], buf_str(&verifier->host), &verifier->address);
	check_staple(verifier, session, &reason, &fault);
	is_good = reason_check(&reason, err);
	if (!is_good)
		verifier->fault = reason_fault(&reason);
	buf_free(&fault);
	return is_good;
}

/* Dates and strength of a certificate that is not judged by its authorities. */
static unsigned
own_faults(const struct verifier *verifier, gnutls_x509_crt_t certificate)
{
	time_t now = time(NULL);
	unsigned status = 0;
	unsigned bits = 0;
	int algorithm = gnutls_x509_crt_get_pk_algorithm(certificate, &bits);

	if (gnutls_x509_crt_get_expiration_time(certificate) < now)
		status |= GNUTLS_CERT_EXPIRED;
	if (gnutls_x509_crt_get_activation_time(certificate) > now)
		status |= GNUTLS_CERT_NOT_ACTIVATED;
	/* As everywhere, another priority string is another idea of strength. */
	if (verifier->settings->priorities == NULL &&
	    (algorithm < 0 ||
	     gnutls_pk_bits_to_sec_param((gnutls_pk_algorithm_t)algorithm, bits) < GNUTLS_SEC_PARAM_MEDIUM))
		status |= GNUTLS_CERT_INSECURE_ALGORITHM;
	return status;
}

static bool
refuse_change(const struct verifier *verifier, const unsigned char key[DIGEST_SHA256_SIZE], const struct buf *before,
              struct err *err)
{
	const struct tls_acquaintance *known = &verifier->settings->acquaintance;
	struct buf presented = {0};

	digest_add_pin(key, &presented);
	err_set(err, EX_UNAVAILABLE, "the server has another key than before: %s has %s, known is %s", known->server,
	        buf_text(&presented), buf_text(before));
	err_hint(err,
	         "somebody may be in between; if the server's operator confirms the new key, accept it by '%s%s' and send "
	         "again",
	         known->command, known->server);
	buf_free(&presented);
	return false;
}

static bool
check_acquaintance(struct verifier *verifier, gnutls_session_t session, const struct chain *chain, struct err *err)
{
	const struct tls_acquaintance *known = &verifier->settings->acquaintance;
	struct reason reason = {.chain = chain, .host = verifier->settings->host};
	struct buf before = {0};
	enum known_result result = KNOWN_ERROR;

	(void)session;
	reason.status = own_faults(verifier, chain->certificates[0]);
	if (!reason_check(&reason, err))
		return false;
	if (!digest_of_key(chain->certificates[0], verifier->key))
		err_set(err, EX_UNAVAILABLE, "the key of the certificate cannot be read");
	else
		result = known_find(known->file, known->server, verifier->key, &before, err);
	if (result == KNOWN_CHANGED)
		refuse_change(verifier, verifier->key, &before, err);
	verifier->is_new = result == KNOWN_NOT;
	buf_free(&before);
	return result == KNOWN_NOT || result == KNOWN_SAME;
}

static bool
check_records(struct verifier *verifier, gnutls_session_t session, const struct chain *chain, struct err *err)
{
	(void)session;
	if (dane_verify(verifier->settings->dane, chain, err))
		return true;
	verifier->fault = TLS_FAULT_UNTRUSTED;
	return false;
}

/* Every demand that was made must be met. A further one is a row, its bit, and a line in prepare_demands(). What says most
 * about who the peer is stands first. */
static const struct {
	unsigned demand;
	const char *means; /* as tls_facts.verified_by */
	bool (*is_met)(struct verifier *verifier, gnutls_session_t session, const struct chain *chain, struct err *err);
} demands[] = {
	{DEMAND_RECORDS, "dane", check_records},
	{DEMAND_TRUST, "pkix", check_trust},
	{DEMAND_CERTIFICATE, "fingerprint", check_certificate},
	{DEMAND_ACQUAINTANCE, "tofu", check_acquaintance},
	{DEMAND_KEY, "pin", check_key},
	{DEMAND_NOTHING, "none", accept_any},
};

static bool
meet_demands(struct verifier *verifier, gnutls_session_t session, const struct chain *chain, struct err *err)
{
	unsigned met = 0;

	for (size_t i = 0; i < sizeof(demands) / sizeof(demands[0]); i++) {
		if ((verifier->demands & demands[i].demand) == 0)
			continue;
		if (!demands[i].is_met(verifier, session, chain, err))
			return false;
		met |= demands[i].demand;
	}
	if (met != 0 && met == verifier->demands)
		return true;
	return err_set(err, EX_SOFTWARE, "nobody has judged the certificate");
}

bool
verify_peer(struct verifier *verifier, gnutls_session_t session, struct err *err)
{
	const struct tls_settings *settings = verifier->settings;
	struct chain chain = {0};

	if (import_chain(session, &chain, err)) {
		verifier->is_decided = meet_demands(verifier, session, &chain, err);
		if (!verifier->is_decided && verifier->fault == TLS_FAULT_NONE)
			verifier->fault = TLS_FAULT_OTHER;
		verifier->is_decided = verifier->is_decided || forgive(verifier, err);
	}
	if (settings->fault != NULL)
		*settings->fault = verifier->fault;
	chain_free(&chain);
	return verifier->is_decided;
}

bool
verify_remember(struct verifier *verifier, struct err *err)
{
	const struct tls_acquaintance *known = &verifier->settings->acquaintance;

	return !verifier->is_new || known_add(known->file, known->server, verifier->key, err);
}

const char *
verify_means(const struct verifier *verifier)
{
	size_t i = 0;

	while (verifier->is_decided && (verifier->demands & demands[i].demand) == 0)
		i++;
	return verifier->is_decided ? demands[i].means : "none";
}
