/* str.h - a borrowed piece of text: pointer and length, no terminator, no ownership.
 *
 * ASCII only, never the locale: 'I' is the capital of 'i' everywhere. Bytes above 0x7f are equal only to themselves. */

#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	const char *data; /* may be NULL when size is 0 */
	size_t size;      /* bytes */
};

/* A string literal as a struct str. */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})

/* For printf: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) ((int)(s).size), ((s).data != NULL ? (s).data : "")

/* A view of a NUL-terminated string; NULL gives the empty one. */
struct str str_of(const char *text);
struct str str_make(const char *data, size_t size);

bool str_equals(struct str a, struct str b);
bool str_equals_nocase(struct str a, struct str b);
bool str_starts_with(struct str s, struct str prefix);
bool str_starts_with_nocase(struct str s, struct str prefix);

/* Position of the first c, or s.size when there is none. */
size_t str_find(struct str s, char c);

/* Position of the first part, letters of either case being equal, or s.size when it is nowhere. */
size_t str_search_nocase(struct str s, struct str part);
bool str_contains_nocase(struct str s, struct str part);

/* From byte `from` to the end, or the first n bytes; both stay inside s. */
struct str str_from(struct str s, size_t from);
struct str str_first(struct str s, size_t n);

/* Without blanks (space, tab, CR, LF) at both ends. */
struct str str_trim(struct str s);

/* Take everything up to the first `separator` off *rest (the separator is dropped). False when *rest is empty. */
bool str_next_token(struct str *rest, char separator, struct str *token);

/* Take the next word, words being separated by runs of spaces and tabs. False when there is none. */
bool str_next_word(struct str *rest, struct str *word);

/* A whole decimal number without sign, at most `most`. False: not a number, empty, or larger. */
bool str_to_number(struct str s, uint64_t most, uint64_t *number);

/* Is s well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates)? Plain ASCII is. */
bool str_is_utf8(struct str s);
bool str_has_8bit(struct str s);

/* FNV-1a, going on from sum (STR_HASH_START to begin). For tables and comparisons, not against an enemy. */
#define STR_HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t str_hash(uint64_t sum, struct str s);

/* Does s hold an octet below 0x20 or 0x7f? Such a text never reaches a command or a header. */
bool str_has_control(struct str s);

/* ASCII classification without <ctype.h>, whose answers depend on the locale. */
char ascii_lower(char c);
bool ascii_is_digit(char c);
bool ascii_is_alpha(char c);
bool ascii_is_blank(char c); /* space or tab */
bool ascii_is_control(char c);

/* How many single-character edits (insert, delete, replace, swap neighbours) lie between a and b; words above 63 bytes count
 * as far away. For "the nearest known word" in messages. */
size_t str_distance(struct str a, struct str b);

#endif
