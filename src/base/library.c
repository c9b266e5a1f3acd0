/* library.c - shared libraries loaded when they are needed. */

#include "config.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/library.h"
#include "base/mem.h"

static bool
find_symbols(void *handle, const struct library *library, void **addresses, struct err *err)
{
	for (size_t i = 0; i < library->n_symbols; i++) {
		addresses[i] = dlsym(handle, library->symbols[i]);
		if (addresses[i] == NULL)
			return err_set(err, EX_UNAVAILABLE, "%s needs %s, and %s has no %s", library->user,
			               library->package, library->file, library->symbols[i]);
	}
	return true;
}

bool
library_load(const struct library *library, void *table, struct err *err)
{
	void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
	void **addresses;

	if (handle == NULL) {
		const char *reason = dlerror();

		err_set(err, EX_UNAVAILABLE, "%s needs %s, which cannot be loaded: %s", library->user, library->package,
		        reason != NULL ? reason : library->file);
		return err_hint(err, "install %s, or repair its installation", library->package);
	}
	addresses = mem_alloc(library->n_symbols, sizeof(*addresses));
	if (find_symbols(handle, library, addresses, err)) {
		memcpy(table, addresses, library->n_symbols * sizeof(*addresses));
	} else {
		err_hint(err, "install %s", library->package);
		dlclose(handle);
	}
	free(addresses);
	return !err_is_set(err);
}
