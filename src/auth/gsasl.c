/* gsasl.c - libgsasl, loaded when it is needed. */

#include "config.h"

#include "auth/gsasl.h"
#include "base/library.h"

#define GSASL_TEXT(name) "gsasl_" #name,

static const char *const names[] = {GSASL_NAMES(GSASL_TEXT)};

_Static_assert(sizeof(struct gsasl_table) == sizeof(names) / sizeof(names[0]) * sizeof(void *), "one address per name");

static const struct library library = {
	.file = GSASL_SONAME,
	.user = "this login",
	.package = "GNU SASL 2.1 or newer",
	.symbols = names,
	.n_symbols = sizeof(names) / sizeof(names[0]),
};

/* A variable that outlives its function, for the reason given in net/gnutls.c. */
static struct gsasl_table loaded_gsasl;

const struct gsasl_table *const gsasl = &loaded_gsasl;

bool
gsasl_load(struct err *err)
{
	return loaded_gsasl.init != NULL || library_load(&library, &loaded_gsasl, err);
}
