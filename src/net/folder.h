/* folder.h - a folder of PEM certificates: which of its files have to be read for a few subjects.
 *
 * In a folder that `openssl rehash` (or c_rehash) has looked after, each certificate has a name of the form HHHHHHHH.N, the
 * hash of its subject. Such names are believed: a file is passed over if all its names of that kind speak of other subjects.
 * Every other file has to be read. */

#ifndef NET_FOLDER_H
#define NET_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A zeroed struct may be freed. */
struct folder {
	char **names; /* of files to read, owned, sorted: of two authorities of one name the order may matter to the library;
	               * some may be gone, or no files at all */
	size_t n_names;
	size_t n_passed_over; /* names of certificates that need not be read */
};

/* Choose among the files of the folder that is open as fd. False: EX_CONFIG, it cannot be read. */
bool folder_choose(struct folder *folder, int fd, const uint32_t *hashes, size_t n_hashes, struct err *err);

void folder_free(struct folder *folder);

#endif
