/* base64.h - base64 of RFC 4648 section 4, strict both ways. Pure. */

#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>

#include "base/buf.h"

/* Append data as base64 on one line. All room is reserved first, so that buf_wipe(b) leaves no copy if b was empty. */
void base64_encode(struct buf *b, struct str data);

/* Append what text stands for. False: text is not base64 to the letter (a foreign character, a blank, missing or
 * misplaced padding, bits that stand for nothing); b is then as it was. */
bool base64_decode(struct buf *b, struct str text);

#endif
