/* gsasl.h - libgsasl, loaded by the first login that needs it. As net/gnutls.h: include this, write the calls as ever, and
 * none of them before gsasl_load() has succeeded. */

#ifndef AUTH_GSASL_H
#define AUTH_GSASL_H

#include <gsasl.h>

#include "base/err.h"

/* All that is used. A new name goes here and below. */
/* clang-format off */
#define GSASL_NAMES(X) \
	X(callback_set) \
	X(check_version) \
	X(client_start) \
	X(done) \
	X(finish) \
	X(free) \
	X(init) \
	X(property_fast) \
	X(property_set) \
	X(session_hook_get) \
	X(session_hook_set) \
	X(step) \
	X(strerror)
/* clang-format on */

#define GSASL_MEMBER(name) __typeof__(gsasl_##name) *(name);
struct gsasl_table {
	GSASL_NAMES(GSASL_MEMBER)
};
#undef GSASL_MEMBER

/* All NULL until gsasl_load() has succeeded. */
extern const struct gsasl_table *const gsasl;

/* Load the library for the rest of the process; again is harmless. False: EX_UNAVAILABLE with a hint what to install. */
bool gsasl_load(struct err *err);

#define gsasl_callback_set (*gsasl->callback_set)
#define gsasl_check_version (*gsasl->check_version)
#define gsasl_client_start (*gsasl->client_start)
#define gsasl_done (*gsasl->done)
#define gsasl_finish (*gsasl->finish)
#define gsasl_free (*gsasl->free)
#define gsasl_init (*gsasl->init)
#define gsasl_property_fast (*gsasl->property_fast)
#define gsasl_property_set (*gsasl->property_set)
#define gsasl_session_hook_get (*gsasl->session_hook_get)
#define gsasl_session_hook_set (*gsasl->session_hook_set)
#define gsasl_step (*gsasl->step)
#define gsasl_strerror (*gsasl->strerror)

#endif
