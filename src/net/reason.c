/* reason.c - why a certificate is refused, in words. Reads the clock for the hint; no other I/O. */

#include "config.h"

#include <time.h>

#include "base/clock.h"
#include "net/describe.h"
#include "net/gnutls.h"
#include "net/reason.h"

/* Faults that one phrase describes. The dates, the unknown issuer and the weak algorithms get their own words
 * below. */
static const struct {
	unsigned bit;
	const char *text;
} phrases[] = {
	{GNUTLS_CERT_REVOKED, "certificate was revoked"},
	{GNUTLS_CERT_SIGNER_NOT_CA, "certificate was issued by something that is no certification authority"},
	{GNUTLS_CERT_SIGNATURE_FAILURE, "the signature of the certificate is wrong"},
	{GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED, "the revocation data is out of date"},
	{GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE, "the revocation data is from the future"},
	{GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, "certificate violates the constraints of its issuer"},
	{GNUTLS_CERT_PURPOSE_MISMATCH, "certificate is not meant for a server (extended key usage)"},
	{GNUTLS_CERT_MISSING_OCSP_STATUS,
         "certificate demands an OCSP response (must-staple) and the server sent none"},
	{GNUTLS_CERT_INVALID_OCSP_STATUS, "the OCSP response is not valid"},
	{GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS, "certificate has a critical extension nobody knows"},
};

/* Faults after which nobody should be told how to accept the certificate. */
#define HOSTILE (GNUTLS_CERT_REVOKED | GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_INVALID_OCSP_STATUS)

static void
begin(struct buf *text)
{
	if (text->size > 0)
		buf_add_text(text, "; ");
}

/* Whose certificate member i of the chain is, as the subject of a sentence. */
static void
add_member(const struct chain *chain, unsigned i, struct buf *text)
{
	buf_add_text(text, "certificate");
	if (i > 0) {
		buf_add_text(text, " of the issuer ");
		describe_subject(chain->certificates[i], text);
	}
}

static void
add_dates(const struct reason *reason, struct buf *text)
{
	time_t now = time(NULL);
	bool is_found = false;

	for (unsigned i = 0; i < reason->chain->n; i++) {
		time_t from = gnutls_x509_crt_get_activation_time(reason->chain->certificates[i]);
		time_t until = gnutls_x509_crt_get_expiration_time(reason->chain->certificates[i]);

		if (from <= now && until >= now)
			continue;
		begin(text);
		add_member(reason->chain, i, text);
		buf_add_text(text, until < now ? " has expired on " : " is not yet valid before ");
		clock_add_timestamp(text, until < now ? until : from);
		is_found = true;
	}
	if (is_found)
		return;
	begin(text);
	buf_add_text(text, (reason->status & GNUTLS_CERT_EXPIRED) != 0 ? "a certificate above it has expired"
	                                                               : "a certificate above it is not yet valid");
}

static void
add_issuer(const struct reason *reason, struct buf *text)
{
	gnutls_x509_crt_t last = reason->chain->certificates[reason->chain->n - 1];
	gnutls_datum_t issuer = {0};

	begin(text);
	if (gnutls_x509_crt_check_issuer(reason->chain->certificates[0], reason->chain->certificates[0]) != 0) {
		buf_add_text(text, "certificate is self-signed");
		return;
	}
	buf_add_text(text, "certificate was issued by an unknown authority");
	if (gnutls_x509_crt_get_issuer_dn3(last, &issuer, 0) < 0)
		return;
	buf_add_text(text, ", ");
	err_add_clean(text, str_make((const char *)issuer.data, issuer.size));
	gnutls_free(issuer.data);
}

static void
add_weakness(const struct reason *reason, struct buf *text)
{
	begin(text);
	buf_add_text(text, "certificate is too weak: ");
	for (unsigned i = 0; i < reason->chain->n; i++) {
		buf_add_text(text, i > 0 ? ", issuer " : "");
		describe_strength(reason->chain->certificates[i], text);
	}
}

static bool
is_staple_bad(const struct reason *reason)
{
	return reason->staple == STAPLE_LATE || reason->staple == STAPLE_BAD;
}

/* The library's faults, but for those that our own look at the OCSP response tells better. */
static unsigned
faults_of(const struct reason *reason)
{
	unsigned of_staple = GNUTLS_CERT_REVOKED | GNUTLS_CERT_INVALID_OCSP_STATUS;

	return is_staple_bad(reason) ? reason->status & ~of_staple : reason->status;
}

/* The reason in words; the parts that need the certificates first. */
static void
add_faults(const struct reason *reason, struct buf *text)
{
	unsigned status = faults_of(reason);

	if ((status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) != 0)
		add_dates(reason, text);
	if ((status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0)
		add_issuer(reason, text);
	if ((status & GNUTLS_CERT_INSECURE_ALGORITHM) != 0)
		add_weakness(reason, text);
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if ((status & phrases[i].bit) != 0) {
			begin(text);
			buf_add_text(text, phrases[i].text);
		}
	if (is_staple_bad(reason)) {
		begin(text);
		buf_printf(text, "the OCSP response that the server sent %s", reason->staple_fault);
	} else if (reason->is_staple_missing && (status & GNUTLS_CERT_MISSING_OCSP_STATUS) == 0) {
		begin(text);
		buf_add_text(text, "the server sent no OCSP response, which tls_ocsp demands");
	}
	if (reason->is_name_wrong) {
		begin(text);
		buf_add_text(text, "certificate is for ");
		describe_names(reason->chain->certificates[0], text);
		buf_printf(text, ", not for %s", reason->host);
	}
	if (text->size == 0)
		buf_add_text(text, "certificate is not valid");
}

/* The dates are the trouble, and perhaps the clock their cause. */
static void
hint_clock(struct err *err)
{
	struct buf now = {0};

	clock_add_timestamp(&now, time(NULL));
	err_hint(err, "the clock of this machine says %s; if it is right, the server needs a new certificate",
	         buf_text(&now));
	buf_free(&now);
}

static void
hint_late_staple(struct err *err)
{
	struct buf now = {0};

	clock_add_timestamp(&now, time(NULL));
	err_hint(err,
	         "the clock of this machine says %s; if it is right, tell the server's operator ('tls_ocsp off' does not "
	         "ask for responses)",
	         buf_text(&now));
	buf_free(&now);
}

static void
add_hint(const struct reason *reason, const char *fingerprint, struct err *err)
{
	struct buf name = {0};
	unsigned status = faults_of(reason);
	unsigned others = status & ~(unsigned)(GNUTLS_CERT_INVALID | GNUTLS_CERT_SIGNER_NOT_FOUND);

	if ((status & HOSTILE) != 0 || reason->staple == STAPLE_BAD)
		err_hint(err, "do not send; tell the server's operator");
	else if (reason->staple == STAPLE_LATE)
		hint_late_staple(err);
	else if (reason->is_staple_missing && status == 0 && !reason->is_name_wrong)
		err_hint(err, "'tls_ocsp on' does without, where the certificate does not demand a response");
	else if ((status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) != 0)
		hint_clock(err);
	else if (reason->is_of_others)
		err_hint(err, "tell the server's operator%s",
		         status != 0 && others == 0 ? "; if the authority is yours, 'tls_trust_file' must hold its certificate" : "");
	else if ((status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0 && others == 0)
		err_hint(err,
		         "set 'tls_trust_file' to the certificate of the authority, or, once the server's operator "
		         "has confirmed it, "
		         "'tls_fingerprint %s'",
		         fingerprint);
	else if (status == 0 && reason->is_name_wrong &&
	         describe_first_name(reason->chain->certificates[0], &name))
		err_hint(err, "set 'tls_host_override %s' if that is the right name", buf_text(&name));
	else
		err_hint(err, "tell the server's operator; 'tls_fingerprint %s' accepts this certificate as it is",
		         fingerprint);
	buf_free(&name);
}

bool
reason_check(const struct reason *reason, struct err *err)
{
	struct buf text = {0};
	struct buf fingerprint = {0};

	if (reason->status == 0 && !reason->is_name_wrong && !reason->is_staple_missing && !is_staple_bad(reason))
		return true;
	add_faults(reason, &text);
	describe_fingerprint(reason->chain->certificates[0], GNUTLS_DIG_SHA256, &fingerprint);
	err_set(err, EX_UNAVAILABLE, "%s (SHA256 fingerprint %s)", buf_text(&text), buf_text(&fingerprint));
	add_hint(reason, buf_text(&fingerprint), err);
	buf_free(&text);
	buf_free(&fingerprint);
	return false;
}

enum tls_fault
reason_fault(const struct reason *reason)
{
	const unsigned dates = GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED;
	const unsigned trust = GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA | GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE |
	                       GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_REVOKED;

	if ((reason->status & dates) != 0)
		return TLS_FAULT_EXPIRED;
	if ((reason->status & trust) != 0)
		return TLS_FAULT_UNTRUSTED;
	if (reason->status == 0 && reason->is_name_wrong)
		return TLS_FAULT_NAME;
	return TLS_FAULT_OTHER;
}
