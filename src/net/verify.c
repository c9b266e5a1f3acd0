/* verify.c - the certificate decision: trust (RFC 5280), name (RFC 9525: subjectAltName only), fingerprint, pin, TLSA records. */

#include "config.h"

#include <unistd.h>

#include "base/mem.h"
#include "net/dane.h"
#include "net/describe.h"
#include "net/digest.h"
#include "net/gnutls.h"
#include "net/reason.h"
#include "net/trust.h"
#include "net/verify.h"

enum { CHAIN_MOST = 32 };

static bool
prepare_host(struct verifier *verifier, struct err *err)
{
	const char *host = verifier->settings->host;
	bool is_name_needed = !verifier->settings->is_unchecked && verifier->settings->dane == NULL &&
	                      verifier->fingerprint.size == 0;
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

	if (settings->crl_file != NULL || !settings->is_unchecked) {
		if (gnutls_x509_trust_list_init(&verifier->list, 0) < 0)
			return err_set(err, EX_OSERR, "out of memory");
		if (settings->crl_file != NULL && !trust_add_crl(verifier->list, settings->crl_file, err))
			return false;
	}
	if (settings->is_unchecked || verifier->fingerprint.size > 0)
		return true;
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

bool
verify_prepare(struct verifier *verifier, const struct tls_settings *settings,
               gnutls_certificate_credentials_t credentials, struct err *err)
{
	*verifier = (struct verifier){.settings = settings, .credentials = credentials, .means = "none"};
	/* TLSA records stand for themselves: what else there is to verify with is not looked at (RFC 7672 2.2). */
	if (settings->dane != NULL)
		return prepare_host(verifier, err);
	if (settings->fingerprint != NULL &&
	    !digest_parse_fingerprint(str_of(settings->fingerprint), &verifier->fingerprint, err))
		return false;
	if (settings->pin != NULL && !digest_parse_pins(str_of(settings->pin), &verifier->pins, err))
		return false;
	return prepare_host(verifier, err) && prepare_trust(verifier, err);
}

void
verify_free(struct verifier *verifier)
{
	if (verifier->has_trust_file)
		close(verifier->trust_fd);
	if (verifier->list != NULL)
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
check_fingerprint(const struct verifier *verifier, gnutls_x509_crt_t certificate, struct err *err)
{
	gnutls_digest_algorithm_t digest = digest_of_size(verifier->fingerprint.size);
	unsigned char octets[DIGEST_SHA256_SIZE] = {0};
	size_t size = sizeof(octets);
	struct buf presented = {0};

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
check_pins(const struct verifier *verifier, gnutls_x509_crt_t certificate, struct err *err)
{
	unsigned char octets[DIGEST_SHA256_SIZE] = {0};
	struct buf presented = {0};

	if (!digest_of_key(certificate, octets))
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

/* Trust, purpose, strength, revocation, dates and name. */
static bool
check_trust(struct verifier *verifier, gnutls_session_t session, const struct chain *chain, struct err *err)
{
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
	                                 .data = (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER};
	struct reason reason = {.chain = chain, .host = verifier->settings->host};
	unsigned status = 0;
	int code;

	if (!trust_collect(verifier->trust_fd, verifier->trust_path, chain, verifier->list, err))
		return false;
	gnutls_certificate_set_trust_list(verifier->credentials, verifier->list, 0);
	verifier->list = NULL;
	code = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
	if (code < 0)
		return err_set(err, EX_UNAVAILABLE, "the certificate cannot be verified: %s",
		               gnutls_strerror(code));
	reason.status = status;
	reason.is_name_wrong = !describe_has_name(
		chain->certificates[0], buf_str(&verifier->host), &verifier->address);
	reason.is_ocsp_missing =
		verifier->settings->wants_ocsp && gnutls_ocsp_status_request_is_checked(session, 0) == 0;
	return reason_check(&reason, err);
}

/* With records none of which can be used the connection is encrypted, and the peer may be anybody (RFC 7672 2.2). */
static bool
check_dane(struct verifier *verifier, const struct chain *chain, struct err *err)
{
	const struct dane *dane = verifier->settings->dane;

	if (dane->n == 0 && dane->n_seen > 0)
		return true;
	verifier->means = "dane";
	return dane_verify(dane, chain, err);
}

/* What decides but for the pins. */
static bool
check_chain(struct verifier *verifier, gnutls_session_t session, const struct chain *chain, struct err *err)
{
	if (verifier->settings->dane != NULL)
		return check_dane(verifier, chain, err);
	if (verifier->settings->is_unchecked)
		return true;
	if (verifier->fingerprint.size > 0) {
		verifier->means = "fingerprint";
		return check_fingerprint(verifier, chain->certificates[0], err);
	}
	verifier->means = "pkix";
	return check_trust(verifier, session, chain, err);
}

bool
verify_peer(struct verifier *verifier, gnutls_session_t session, struct err *err)
{
	struct chain chain = {0};
	bool is_good = import_chain(session, &chain, err) && check_chain(verifier, session, &chain, err);

	if (is_good && verifier->pins.size > 0) {
		is_good = check_pins(verifier, chain.certificates[0], err);
		if (verifier->settings->is_unchecked)
			verifier->means = "pin";
	}
	chain_free(&chain);
	verifier->is_decided = is_good;
	return is_good;
}
