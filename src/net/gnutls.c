/* gnutls.c - GnuTLS, loaded when it is needed. */

#include "config.h"

#include "base/library.h"
#include "net/gnutls.h"

#define GNUTLS_TEXT(name) "gnutls_" #name,

static const char *const names[] = {GNUTLS_NAMES(GNUTLS_TEXT)};

_Static_assert(sizeof(struct gnutls_table) == sizeof(names) / sizeof(names[0]) * sizeof(void *),
               "one address per name");

static const struct library library = {
	.file = GNUTLS_SONAME,
	.user = "TLS",
	.package = "GnuTLS 3.7.2 or newer",
	.symbols = names,
	.n_symbols = sizeof(names) / sizeof(names[0]),
};

/* A variable that outlives its function: a library is loaded once for the whole process, and where its functions are is as
 * constant from then on as the addresses that the dynamic linker would have filled in. Written here only, and once. */
static struct gnutls_table loaded_gnutls;

const struct gnutls_table *const gnutls = &loaded_gnutls;

bool
gnutls_load(struct err *err)
{
	return loaded_gnutls.init != NULL || library_load(&library, &loaded_gnutls, err);
}
