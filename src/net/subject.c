/* subject.c - the subject of a certificate in its DER, and OpenSSL's hash of it. Pure. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/gnutls.h"
#include "net/subject.h"

enum {
	TAG_INTEGER = 0x02,
	TAG_OID = 0x06,
	TAG_UTF8 = 0x0c,
	TAG_PRINTABLE = 0x13,
	TAG_T61 = 0x14,
	TAG_IA5 = 0x16,
	TAG_VISIBLE = 0x1a,
	TAG_UNIVERSAL = 0x1c,
	TAG_BMP = 0x1e,
	TAG_SEQUENCE = 0x30,
	TAG_SET = 0x31,
	TAG_VERSION = 0xa0
};

enum {
	ATTRIBUTES_MOST = 16, /* of one relative distinguished name */
	SHA1_SIZE = 20
};

/* One element of DER (X.690 8.1). */
struct element {
	unsigned tag;
	size_t header_size;
	size_t whole_size; /* may reach beyond what is there */
};

/* The element at the start of s. False: s is too short for its header, or the length is absurd. */
static bool
parse_element(struct str s, struct element *element)
{
	const unsigned char *octets = (const unsigned char *)s.data;
	size_t length;
	size_t n_more;

	if (s.size < 2)
		return false;
	*element = (struct element){.tag = octets[0], .header_size = 2};
	length = octets[1];
	if (length >= 0x80) {
		n_more = length & 0x7f;
		if (n_more == 0 || n_more > 3 || s.size < 2 + n_more)
			return false;
		length = 0;
		for (size_t i = 0; i < n_more; i++)
			length = length << 8 | octets[2 + i];
		element->header_size += n_more;
	}
	element->whole_size = element->header_size + length;
	return true;
}

/* Step into the element at the start of *s (is_entered), or over it. */
static bool
pass_element(struct str *s, unsigned wanted_tag, bool is_entered)
{
	struct element element;

	if (!parse_element(*s, &element) || element.tag != wanted_tag)
		return false;
	if (!is_entered && element.whole_size > s->size)
		return false;
	*s = str_from(*s, is_entered ? element.header_size : element.whole_size);
	return true;
}

bool
subject_find(struct str der, struct str *subject)
{
	struct element element;

	if (!pass_element(&der, TAG_SEQUENCE, true) || !pass_element(&der, TAG_SEQUENCE, true))
		return false;
	if (der.size > 0 && (unsigned char)der.data[0] == TAG_VERSION && !pass_element(&der, TAG_VERSION, false))
		return false;
	/* Serial number, signature algorithm, issuer, validity. */
	if (!pass_element(&der, TAG_INTEGER, false) || !pass_element(&der, TAG_SEQUENCE, false) ||
	    !pass_element(&der, TAG_SEQUENCE, false) || !pass_element(&der, TAG_SEQUENCE, false))
		return false;
	if (!parse_element(der, &element) || element.tag != TAG_SEQUENCE || element.whole_size > der.size)
		return false;
	*subject = str_first(der, element.whole_size);
	return true;
}

/* Take the element at the start of *s off it. False: it is not all there. */
static bool
take_element(struct str *s, struct element *element, struct str *whole, struct str *content)
{
	if (!parse_element(*s, element) || element->whole_size > s->size)
		return false;
	*whole = str_first(*s, element->whole_size);
	*content = str_from(*whole, element->header_size);
	*s = str_from(*s, element->whole_size);
	return true;
}

static void
add_element(struct buf *b, unsigned tag, struct str content)
{
	buf_add_char(b, (char)tag);
	if (content.size >= 0x80) {
		size_t n_more = content.size > 0xffff ? 3 : content.size > 0xff ? 2 : 1;

		buf_add_char(b, (char)(0x80 | n_more));
		for (size_t i = n_more; i > 1; i--)
			buf_add_char(b, (char)(content.size >> 8 * (i - 1) & 0xff));
	}
	buf_add_char(b, (char)(content.size & 0xff));
	buf_add_str(b, content);
}

static void
add_utf8(struct buf *b, uint32_t code)
{
	enum { CONTINUATION = 0x80, SIX_BITS = 0x3f };
	unsigned n_more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};

	buf_add_char(b, (char)(leads[n_more] | (code >> 6 * n_more & 0xff)));
	while (n_more > 0) {
		n_more--;
		buf_add_char(b, (char)(CONTINUATION | (code >> 6 * n_more & SIX_BITS)));
	}
}

/* The octets of a character in a text of this kind; 0: it is no text, or its characters are not of one size. */
static size_t
width_of(unsigned tag)
{
	switch (tag) {
	case TAG_PRINTABLE:
	case TAG_T61:
	case TAG_IA5:
	case TAG_VISIBLE:
		return 1;
	case TAG_BMP:
		return 2;
	case TAG_UNIVERSAL:
		return 4;
	default:
		return 0;
	}
}

/* A text as UTF-8. */
static bool
decode_text(struct buf *b, unsigned tag, struct str text)
{
	size_t width = width_of(tag);

	if (width == 0) {
		buf_add_str(b, text);
		return true;
	}
	if (text.size % width != 0)
		return false;
	for (size_t i = 0; i < text.size; i += width) {
		uint32_t code = 0;

		for (size_t k = 0; k < width; k++)
			code = code << 8 | (unsigned char)text.data[i + k];
		if (code > 0x10ffff)
			return false;
		add_utf8(b, code);
	}
	return true;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Without blanks at both ends, runs of them as one, ASCII letters small. */
static void
add_plain(struct buf *b, struct str text)
{
	while (text.size > 0 && is_space(text.data[0]))
		text = str_from(text, 1);
	while (text.size > 0 && is_space(text.data[text.size - 1]))
		text.size--;
	for (size_t i = 0; i < text.size; i++) {
		if (!is_space(text.data[i]))
			buf_add_char(b, ascii_lower(text.data[i]));
		else if (!is_space(text.data[i - 1]))
			buf_add_char(b, ' ');
	}
}

/* The canonical form of one attribute: its type as it is, its value as plain UTF-8 if it is a text. */
static bool
canonize_attribute(struct str attribute, struct buf *canonical)
{
	struct element element;
	struct str oid = {0}, value = {0}, whole = {0}, content = {0};
	struct buf text = {0}, plain = {0}, pair = {0};
	bool is_good;

	is_good = take_element(&attribute, &element, &oid, &content) && element.tag == TAG_OID &&
	          take_element(&attribute, &element, &whole, &value);
	if (!is_good)
		return false;
	buf_add_str(&pair, oid);
	if (element.tag != TAG_UTF8 && width_of(element.tag) == 0) {
		buf_add_str(&pair, whole);
	} else {
		is_good = decode_text(&text, element.tag, value);
		add_plain(&plain, buf_str(&text));
		add_element(&pair, TAG_UTF8, buf_str(&plain));
	}
	add_element(canonical, TAG_SEQUENCE, buf_str(&pair));
	buf_free(&text);
	buf_free(&plain);
	buf_free(&pair);
	return is_good;
}

/* The order that DER demands of the members of a set (X.690 11.6). */
static int
compare_members(const void *a, const void *b)
{
	const struct buf *left = a, *right = b;
	size_t least = left->size < right->size ? left->size : right->size;
	int difference = least > 0 ? memcmp(left->data, right->data, least) : 0;

	return difference != 0 ? difference : (left->size > right->size) - (left->size < right->size);
}

static bool
canonize_set(struct str set, struct buf *canonical)
{
	struct buf members[ATTRIBUTES_MOST] = {0}, joined = {0};
	size_t n = 0;
	bool is_good = true;

	while (is_good && set.size > 0) {
		struct element element;
		struct str whole = {0}, attribute = {0};

		is_good = n < ATTRIBUTES_MOST && take_element(&set, &element, &whole, &attribute) &&
		          element.tag == TAG_SEQUENCE && canonize_attribute(attribute, &members[n]);
		n += is_good;
	}
	qsort(members, n, sizeof(members[0]), compare_members);
	for (size_t i = 0; i < n; i++)
		buf_add_str(&joined, buf_str(&members[i]));
	add_element(canonical, TAG_SET, buf_str(&joined));
	for (size_t i = 0; i < ATTRIBUTES_MOST; i++)
		buf_free(&members[i]);
	buf_free(&joined);
	return is_good;
}

bool
subject_hash(struct str name, uint32_t *hash)
{
	unsigned char octets[SHA1_SIZE] = {0};
	struct buf canonical = {0};
	struct element element;
	struct str whole = {0}, sets = {0};
	bool is_good = take_element(&name, &element, &whole, &sets) && element.tag == TAG_SEQUENCE;

	while (is_good && sets.size > 0) {
		struct str set = {0};

		is_good = take_element(&sets, &element, &whole, &set) && element.tag == TAG_SET &&
		          canonize_set(set, &canonical);
	}
	if (is_good)
		is_good = gnutls_hash_fast(GNUTLS_DIG_SHA1, buf_text(&canonical), canonical.size, octets) >= 0;
	buf_free(&canonical);
	*hash = (uint32_t)octets[3] << 24 | (uint32_t)octets[2] << 16 | (uint32_t)octets[1] << 8 | octets[0];
	return is_good;
}
