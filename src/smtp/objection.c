/* objection.c - why a message need not be sent to this server at all. Pure. */

#include "config.h"

#include "smtp/objection.h"

static const unsigned short too_large[3] = {5, 3, 4};
static const unsigned short needs_utf8[3] = {5, 6, 7};
static const unsigned short needs_requiretls[3] = {5, 7, 30};

/* Why a message that must go by verified TLS all the way cannot go here (RFC 8689 4.2.1); NULL: it can. A notification about
 * one goes nevertheless (section 5). */
static const char *
requiretls_obstacle(const struct dialog *d, const struct envelope *envelope)
{
	if (!envelope->requires_tls || envelope->reverse_path[0] == '\0')
		return NULL;
	if (!d->is_protected)
		return "the message requires TLS, which is not in use";
	if (!d->demand->is_verified)
		return "the message requires TLS with a server whose certificate is verified, and it is not";
	return d->caps.has_requiretls ? NULL : "the message requires TLS on its whole way (REQUIRETLS), which the server does not offer";
}

bool
objection_settles(const struct dialog *d, struct order *order)
{
	uint64_t size = (uint64_t)order->message->wire_size;
	const char *obstacle = requiretls_obstacle(d, order->envelope);

	if (obstacle != NULL) {
		order_refuse(order, OUTCOME_AT_MAIL, needs_requiretls, obstacle);
		return true;
	}
	if (d->caps.size_most > 0 && size > d->caps.size_most) {
		order_refuse(order, OUTCOME_AT_MAIL, too_large, "the message is larger than the server accepts");
		return true;
	}
	if (!d->caps.has_smtputf8 && envelope_needs_smtputf8(order->envelope)) {
		order_refuse(order, OUTCOME_LOCALLY, needs_utf8, "an address needs SMTPUTF8, which the server does not offer");
		return true;
	}
	return false;
}
