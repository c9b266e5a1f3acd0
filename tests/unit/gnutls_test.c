/* gnutls_test.c - GnuTLS is loaded when it is asked for, and not before. This program is not linked with it. */

#include "config.h"

#include "net/gnutls.h"
#include "net/tls.h"
#include "tap.h"

/* Does a line of the map of our memory name the library? */
static bool
is_mapped(const char *library)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[4096];
	bool is_found = false;

	while (maps != NULL && !is_found && fgets(line, sizeof(line), maps) != NULL)
		is_found = strstr(line, library) != NULL;
	if (maps != NULL)
		fclose(maps);
	return is_found;
}

int
main(void)
{
	struct err err = {0};
	struct gnutls_table before;

	tap_ok(is_mapped("libc"), "the map of the memory can be read");
	tap_ok(!is_mapped("libgnutls"), "the library is not there before it is asked for");
	tap_ok(gnutls->init == NULL, "and nobody could call it");
	tap_ok(gnutls_load(&err) && !err_is_set(&err), "it can be loaded");
	tap_ok(is_mapped(GNUTLS_SONAME), "it is there then");
	tap_ok(gnutls_check_version(GNUTLS_VERSION) != NULL, "and no older than what this was compiled with");
	before = *gnutls;
	tap_ok(gnutls_load(&err) && memcmp(&before, gnutls, sizeof(before)) == 0, "loading it again changes nothing");
	gnutls_free(NULL);
	tap_ok(true, "the function in its variable gnutls_free can be called");
	tap_is(tls_library_version(), gnutls_check_version(NULL), "its version is told");
	err_clear(&err);
	return tap_end();
}
