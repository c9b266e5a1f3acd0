/* staple.c - judges stapled OCSP responses. The library does so too, but lets one pass that is out of date, and one that
 * says "unknown". */

#include "config.h"

#include <time.h>

#include "base/clock.h"
#include "net/describe.h"
#include "net/gnutls.h"
#include "net/staple.h"

enum {
	SINGLES_MOST = 32,         /* answers looked through in one response */
	EARLY_SECONDS = 300,       /* that the responder's clock may be ahead */
	AGE_MOST = 15 * 86400      /* seconds that a response without an end is good for, as the library has it */
};

/* What is known when one response is judged. */
struct staple {
	const struct chain *chain;
	gnutls_x509_trust_list_t list;
	gnutls_ocsp_resp_t response;
	gnutls_x509_crt_t certificate; /* borrowed from the chain */
	unsigned single;               /* which answer is about it */
	struct buf *fault;
};

static enum staple_state
say(struct staple *staple, enum staple_state state, const char *text)
{
	buf_add_text(staple->fault, text);
	return state;
}

static bool
is_signed_by(const struct staple *staple, gnutls_x509_crt_t issuer)
{
	unsigned status = 0;

	return gnutls_ocsp_resp_verify_direct(staple->response, issuer, &status, 0) >= 0 && status == 0;
}

/* Is it the word of the certificate's issuer, one that is trusted, or another member of the chain that has signed the
 * certificate? */
static bool
is_of_issuer(const struct staple *staple)
{
	const struct chain *chain = staple->chain;
	gnutls_x509_crt_t issuer = NULL;
	unsigned status = 0;

	if (gnutls_x509_trust_list_get_issuer(staple->list, staple->certificate, &issuer, 0) >= 0 &&
	    is_signed_by(staple, issuer))
		return true;
	for (unsigned i = 0; i < chain->n; i++)
		if (gnutls_x509_crt_check_issuer(staple->certificate, chain->certificates[i]) != 0 &&
		    gnutls_x509_crt_verify(staple->certificate, &chain->certificates[i], 1,
		                           GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status) >= 0 &&
		    status == 0 && is_signed_by(staple, chain->certificates[i]))
			return true;
	return false;
}

/* Is there an answer about the certificate, by somebody who may give it? */
static enum staple_state
check_source(struct staple *staple)
{
	if (gnutls_ocsp_resp_get_status(staple->response) != GNUTLS_OCSP_RESP_SUCCESSFUL)
		return say(staple, STAPLE_BAD, "says that the responder had no answer");
	while (gnutls_ocsp_resp_check_crt(staple->response, staple->single, staple->certificate) < 0)
		if (++staple->single == SINGLES_MOST)
			return say(staple, STAPLE_BAD, "is about another certificate");
	if (!is_of_issuer(staple))
		return say(staple, STAPLE_BAD, "is not signed for the certificate's issuer");
	return STAPLE_GOOD;
}

static enum staple_state
check_dates(struct staple *staple, time_t from, time_t until)
{
	time_t now = time(NULL);

	if (until == (time_t)-1)
		until = from + AGE_MOST;
	if (from != (time_t)-1 && from <= now + EARLY_SECONDS && until >= now)
		return STAPLE_GOOD;
	buf_add_text(staple->fault, until < now ? "is out of date since " : "is not yet valid before ");
	clock_add_timestamp(staple->fault, until < now ? until : from);
	return STAPLE_LATE;
}

static enum staple_state
check_response(struct staple *staple)
{
	time_t from = 0, until = 0, revoked = 0;
	unsigned status = 0, reason = 0;
	enum staple_state state = check_source(staple);

	if (state != STAPLE_GOOD)
		return state;
	if (gnutls_ocsp_resp_get_single(staple->response, staple->single, NULL, NULL, NULL, NULL, &status, &from, &until,
	                                &revoked, &reason) < 0)
		return say(staple, STAPLE_BAD, "cannot be read");
	if (status == GNUTLS_OCSP_CERT_REVOKED)
		return say(staple, STAPLE_BAD, "says that the certificate was revoked");
	if (status != GNUTLS_OCSP_CERT_GOOD)
		return say(staple, STAPLE_BAD, "says that its issuer does not know the certificate");
	return check_dates(staple, from, until);
}

static enum staple_state
check_member(const struct chain *chain, unsigned i, const gnutls_datum_t *der, gnutls_x509_trust_list_t list,
             struct buf *fault)
{
	struct staple staple = {
		.chain = chain, .list = list, .certificate = chain->certificates[i], .fault = fault};
	enum staple_state state;

	if (gnutls_ocsp_resp_init(&staple.response) < 0)
		return say(&staple, STAPLE_BAD, "cannot be read");
	if (gnutls_ocsp_resp_import(staple.response, der) < 0)
		state = say(&staple, STAPLE_BAD, "cannot be read");
	else
		state = check_response(&staple);
	gnutls_ocsp_resp_deinit(staple.response);
	return state;
}

enum staple_state
staple_check(gnutls_session_t session, const struct chain *chain, gnutls_x509_trust_list_t list, struct buf *fault)
{
	enum staple_state state = STAPLE_NONE;

	for (unsigned i = 0; i < chain->n && state <= STAPLE_GOOD; i++) {
		gnutls_datum_t der = {0};
		enum staple_state of_member;

		if (gnutls_ocsp_status_request_get2(session, i, &der) < 0 || der.size == 0)
			continue;
		of_member = check_member(chain, i, &der, list, fault);
		/* What its issuers have does not make up for what it has not. */
		if (i == 0 || of_member > STAPLE_GOOD)
			state = of_member;
		if (i > 0 && of_member > STAPLE_GOOD) {
			buf_add_text(fault, " (it is about the issuer ");
			describe_subject(chain->certificates[i], fault);
			buf_add_char(fault, ')');
		}
	}
	return state;
}
