/* dane.c - TLSA records (RFC 6698, 7671, 7672) against the chain of a server. Reads the clock, through the library; no other
 * I/O. */

#include "config.h"

#include <string.h>

#include "net/anchor.h"
#include "net/dane.h"
#include "net/describe.h"
#include "net/digest.h"
#include "net/gnutls.h"
#include "net/name.h"
#include "net/reason.h"

enum {
	USAGE_TA = 2,
	USAGE_EE = 3,
	SELECTOR_CERTIFICATE = 0,
	SELECTOR_KEY = 1,
	MATCHING_FULL = 0,
	MATCHING_SHA256 = 1,
	MATCHING_SHA512 = 2,
	DIGEST_MOST = 64,
	CHAIN_MOST = 16, /* certificates of a chain that the library looks at */
	SHOWN_MOST = 3   /* records, and certificates for each, in an error */
};

/* By matching type; no size: the whole data. */
static const struct {
	gnutls_digest_algorithm_t algorithm;
	size_t size;
} matchings[] = {
	[MATCHING_FULL] = {GNUTLS_DIG_UNKNOWN, 0},
	[MATCHING_SHA256] = {GNUTLS_DIG_SHA256, 32},
	[MATCHING_SHA512] = {GNUTLS_DIG_SHA512, DIGEST_MOST},
};

static gnutls_datum_t
datum_of(struct str s)
{
	return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)s.data, .size = (unsigned)s.size};
}

/* The certificate in a record "x 0 0"; the caller's. */
static bool
import_certificate(const struct record_tlsa *record, gnutls_x509_crt_t *certificate)
{
	gnutls_datum_t der = datum_of(record->data);

	if (gnutls_x509_crt_init(certificate) < 0)
		return false;
	if (gnutls_x509_crt_import(*certificate, &der, GNUTLS_X509_FMT_DER) >= 0)
		return true;
	gnutls_x509_crt_deinit(*certificate);
	return false;
}

static bool
is_key(struct str data)
{
	gnutls_datum_t der = datum_of(data);
	gnutls_pubkey_t key = NULL;
	bool is_good;

	if (gnutls_pubkey_init(&key) < 0)
		return false;
	is_good = gnutls_pubkey_import(key, &der, GNUTLS_X509_FMT_DER) >= 0;
	gnutls_pubkey_deinit(key);
	return is_good;
}

/* Is the full data of the record what its selector says? */
static bool
is_readable(const struct record_tlsa *record)
{
	gnutls_x509_crt_t certificate = NULL;
	struct err err = {0};

	/* Without the library there will be no TLS, and nothing to compare. */
	if (!gnutls_load(&err)) {
		err_clear(&err);
		return true;
	}
	if (record->selector == SELECTOR_KEY)
		return is_key(record->data);
	if (!import_certificate(record, &certificate))
		return false;
	gnutls_x509_crt_deinit(certificate);
	return true;
}

static bool
is_usable(const struct record_tlsa *record)
{
	if (record->usage != USAGE_TA && record->usage != USAGE_EE)
		return false;
	if (record->selector > SELECTOR_KEY || record->matching > MATCHING_SHA512)
		return false;
	return record->matching == MATCHING_FULL ? is_readable(record)
	                                         : record->data.size == matchings[record->matching].size;
}

/* Digest agility (RFC 7671 section 9): beside SHA-512, SHA-256 of the same usage and selector does not count. */
static void
drop_weaker(struct dane *dane)
{
	bool has_stronger[USAGE_EE + 1][SELECTOR_KEY + 1] = {{false}};
	size_t n = 0;

	for (size_t i = 0; i < dane->n; i++)
		if (dane->records[i].matching == MATCHING_SHA512)
			has_stronger[dane->records[i].usage][dane->records[i].selector] = true;
	for (size_t i = 0; i < dane->n; i++)
		if (dane->records[i].matching != MATCHING_SHA256 ||
		    !has_stronger[dane->records[i].usage][dane->records[i].selector])
			dane->records[n++] = dane->records[i];
	dane->n = n;
}

void
dane_read(struct dane *dane, struct str records)
{
	struct str rest;
	struct str rdata = {0};

	buf_add_str(&dane->text, records);
	rest = buf_str(&dane->text);
	while (dns_next(&rest, &rdata)) {
		struct record_tlsa record = {0};

		dane->n_seen++;
		if (dane->n < DANE_RECORDS_MOST && record_read_tlsa(rdata, &record) && is_usable(&record))
			dane->records[dane->n++] = record;
	}
	drop_weaker(dane);
}

/* Append what a record with the selector and matching type of this one would hold for the certificate. */
static bool
add_association(gnutls_x509_crt_t certificate, const struct record_tlsa *record, struct buf *b)
{
	unsigned char digest[DIGEST_MOST] = {0};
	gnutls_datum_t der = {0};
	bool is_good = record->selector == SELECTOR_KEY
	                       ? digest_export_key(certificate, &der)
	                       : gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der) >= 0;

	if (is_good && record->matching == MATCHING_FULL) {
		buf_add(b, der.data, der.size);
	} else if (is_good) {
		is_good = gnutls_hash_fast(matchings[record->matching].algorithm, der.data, der.size, digest) >= 0;
		buf_add(b, digest, matchings[record->matching].size);
	}
	gnutls_free(der.data);
	return is_good;
}

static bool
matches(const struct record_tlsa *record, gnutls_x509_crt_t certificate)
{
	struct buf association = {0};
	bool is_equal = add_association(certificate, record, &association) &&
	                str_equals(buf_str(&association), record->data);

	buf_free(&association);
	return is_equal;
}

/* Is the server's certificate for one of the names? An address has no TLSA records, and none is compared. */
static bool
has_name(const struct dane *dane, gnutls_x509_crt_t certificate)
{
	const char *const names[] = {dane->base, dane->names[0], dane->names[1]};
	const struct name_address no_address = {0};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i][0] != '\0' && describe_has_name(certificate, str_of(names[i]), &no_address))
			return true;
	return false;
}

static void
add_names(const struct dane *dane, struct buf *b)
{
	buf_add_text(b, dane->base);
	for (size_t i = 0; i < sizeof(dane->names) / sizeof(dane->names[0]); i++)
		if (dane->names[i][0] != '\0' && strcmp(dane->names[i], dane->base) != 0)
			buf_printf(b, " or %s", dane->names[i]);
}

static void
add_kind(const struct record_tlsa *record, struct buf *b)
{
	buf_printf(b, "%u %u %u", record->usage, record->selector, record->matching);
}

/* Does a valid chain lead from the server's certificate to this anchor? */
static bool
check_chain(const struct dane *dane, const struct chain *chain, gnutls_x509_trust_list_t list, struct err *err)
{
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
	                                 .data = (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER};
	struct reason reason = {.chain = chain, .is_name_wrong = !has_name(dane, chain->certificates[0])};
	struct buf names = {0};
	bool is_good;
	int code = gnutls_x509_trust_list_verify_crt2(list, chain->certificates,
	                                              chain->n < CHAIN_MOST ? chain->n : CHAIN_MOST, &purpose, 1,
	                                              GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM),
	                                              &reason.status, NULL);

	if (code < 0)
		return err_set(err, EX_UNAVAILABLE, "the certificate cannot be verified: %s", gnutls_strerror(code));
	/* The anchor is there, and yet it has nothing to do with the server. */
	if ((reason.status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNATURE_FAILURE)) != 0)
		return err_set(err, EX_UNAVAILABLE, "the certificate was not issued by the trust anchor of the record");
	add_names(dane, &names);
	reason.host = buf_text(&names);
	is_good = reason_check(&reason, err);
	buf_free(&names);
	return is_good;
}

/* The same with the anchor (borrowed) as the only one, for this record. */
static bool
check_anchor(const struct dane *dane, const struct record_tlsa *record, const struct chain *chain, gnutls_x509_crt_t anchor,
             struct err *err)
{
	gnutls_x509_trust_list_t list = NULL;
	struct err fault = {0};
	bool is_good = gnutls_x509_trust_list_init(&list, 0) >= 0;

	if (!is_good)
		return err_set(err, EX_OSERR, "out of memory");
	is_good = gnutls_x509_trust_list_add_cas(list, &anchor, 1, 0) == 1
	                  ? check_chain(dane, chain, list, &fault)
	                  : err_set(&fault, EX_UNAVAILABLE, "the trust anchor of the record cannot be used");
	gnutls_x509_trust_list_deinit(list, 0);
	if (!is_good) {
		struct buf kind = {0};

		add_kind(record, &kind);
		err_prefix(&fault, "TLSA record %s of %s", buf_text(&kind), dane->base);
		err_move(err, &fault);
		buf_free(&kind);
	}
	err_clear(&fault);
	return is_good;
}

/* A digest: the anchors are the certificates above the server's own that have it. */
static bool
verify_presented(const struct dane *dane, const struct record_tlsa *record, const struct chain *chain, struct err *err)
{
	bool is_good = false;

	for (unsigned i = 1; !is_good && i < chain->n; i++)
		is_good = gnutls_x509_crt_equals(chain->certificates[i], chain->certificates[0]) == 0 &&
		          matches(record, chain->certificates[i]) &&
		          check_anchor(dane, record, chain, chain->certificates[i], err);
	return is_good;
}

/* "2 0 0": the certificate is in the record, and the server need not send it. */
static bool
verify_given_certificate(const struct dane *dane, const struct record_tlsa *record, const struct chain *chain,
                         struct err *err)
{
	gnutls_x509_crt_t anchor = NULL;
	bool is_good;

	if (!import_certificate(record, &anchor))
		return false;
	is_good = check_anchor(dane, record, chain, anchor, err);
	gnutls_x509_crt_deinit(anchor);
	return is_good;
}

/* "2 1 0": the key is in the record; its name is that of an issuer in the chain. */
static bool
verify_given_key(const struct dane *dane, const struct record_tlsa *record, const struct chain *chain, struct err *err)
{
	bool is_good = false;

	for (unsigned i = 0; !is_good && i < chain->n; i++) {
		gnutls_x509_crt_t anchor = NULL;
		gnutls_datum_t name = {0};

		if (gnutls_x509_crt_get_raw_issuer_dn(chain->certificates[i], &name) < 0)
			continue;
		if (anchor_of_key(record->data, str_make((const char *)name.data, name.size), &anchor)) {
			is_good = check_anchor(dane, record, chain, anchor, err);
			gnutls_x509_crt_deinit(anchor);
		}
		gnutls_free(name.data);
	}
	return is_good;
}

/* A DANE-TA record. False: err is set if a trust anchor is there and its chain will not do, and only then. The server's own
 * certificate is no anchor. */
static bool
verify_anchored(const struct dane *dane, const struct record_tlsa *record, const struct chain *chain, struct err *err)
{
	if (record->matching != MATCHING_FULL)
		return verify_presented(dane, record, chain, err);
	if (matches(record, chain->certificates[0]))
		return false;
	return record->selector == SELECTOR_KEY ? verify_given_key(dane, record, chain, err)
	                                        : verify_given_certificate(dane, record, chain, err);
}

/* Append a digest, or that of the full data, in hex. */
static void
add_value(struct str value, const struct record_tlsa *record, struct buf *b)
{
	unsigned char digest[DIGEST_MOST] = {0};

	if (record->matching == MATCHING_FULL) {
		buf_add_text(b, "data with SHA-256 ");
		if (gnutls_hash_fast(GNUTLS_DIG_SHA256, value.data, value.size, digest) >= 0)
			value = str_make((const char *)digest, DIGEST_SHA256_SIZE);
	}
	for (size_t i = 0; i < value.size; i++)
		buf_printf(b, "%02x", (unsigned char)value.data[i]);
}

/* What the server has to show for the record: its own certificate, or those above it. */
static void
add_presented_values(const struct chain *chain, const struct record_tlsa *record, struct buf *b)
{
	unsigned from = record->usage == USAGE_EE ? 0 : 1;
	unsigned until = record->usage == USAGE_EE ? 1 : chain->n;

	if (from >= until)
		buf_add_text(b, "nothing above the server's own certificate");
	for (unsigned i = from; i < until && i < from + SHOWN_MOST; i++) {
		struct buf association = {0};

		buf_add_text(b, i > from ? ", " : "");
		if (add_association(chain->certificates[i], record, &association))
			add_value(buf_str(&association), record, b);
		buf_free(&association);
	}
}

/* Nothing matched. Returns false. */
static bool
fail_mismatch(const struct dane *dane, const struct chain *chain, struct err *err)
{
	struct buf text = {0};

	for (size_t i = 0; i < dane->n && i < SHOWN_MOST; i++) {
		const struct record_tlsa *record = &dane->records[i];

		buf_add_text(&text, i > 0 ? "; " : "");
		add_kind(record, &text);
		buf_add_text(&text, " demands ");
		add_value(record->data, record, &text);
		buf_add_text(&text, ", presented is ");
		add_presented_values(chain, record, &text);
	}
	if (dane->n > SHOWN_MOST)
		buf_printf(&text, "; and %zu more", dane->n - SHOWN_MOST);
	err_set(err, EX_UNAVAILABLE, "the certificate matches none of the TLSA records of %s: %s", dane->base,
	        dane->n > 0 ? buf_text(&text) : "none of them can be used");
	buf_free(&text);
	return false;
}

bool
dane_verify(const struct dane *dane, const struct chain *chain, struct err *err)
{
	struct err fault = {0}; /* of the first trust anchor that was there and would not do */
	bool is_good = false;

	for (size_t i = 0; !is_good && i < dane->n; i++) {
		const struct record_tlsa *record = &dane->records[i];

		is_good = record->usage == USAGE_EE ? matches(record, chain->certificates[0])
		                                    : verify_anchored(dane, record, chain, &fault);
	}
	if (is_good) {
		err_clear(&fault);
		return true;
	}
	/* What else is suggested for such a certificate does not help here. */
	buf_clear(&fault.hint);
	if (err_is_set(&fault))
		err_move(err, &fault);
	else
		fail_mismatch(dane, chain, err);
	return err_hint(err, "tell the operator of %s that its certificate and its TLSA records must agree", dane->base);
}

void
dane_free(struct dane *dane)
{
	buf_free(&dane->text);
	*dane = (struct dane){0};
}
