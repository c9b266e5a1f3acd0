/* domain.h - domain names as DNS and commands want them: letters, digits, hyphens, and A-labels for the rest (RFC 5890,
 * 5891). Pure. */

#ifndef BASE_DOMAIN_H
#define BASE_DOMAIN_H

#include <stdbool.h>

#include "base/buf.h"

enum {
	DOMAIN_LABEL_MOST = 63, /* octets of a label (RFC 1035 2.3.4) */
	DOMAIN_MOST = 253       /* octets of a name in ASCII, without a dot at the end */
};

/* Append the name in ASCII: U-labels become A-labels (IDNA2008, non-transitional), one dot at the end is dropped.
 * Labels hold letters, digits, '-' and '_'. NULL when that went well, else the reason why there can be no such name, as
 * constant text; then nothing is added. */
const char *domain_add_ascii(struct buf *b, struct str domain);

/* The same check alone for a name that is in ASCII already, without a dot at the end. */
bool domain_is_ascii(struct str domain);

/* Version text of Libidn2 for --version, or that it cannot be loaded. Constant. */
const char *domain_library_version(void);

#endif
