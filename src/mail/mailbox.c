/* mailbox.c - what may stand in a mailbox, and domains in ASCII. Pure. */

#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/domain.h"
#include "mail/mailbox.h"

enum {
	LOCAL_MOST = 64,        /* RFC 5321 4.5.3.1.1 */
	DOMAIN_PART_MOST = 255, /* 4.5.3.1.2 */
	PATH_MOST = 256         /* 4.5.3.1.3, with < and > */
};

bool
mailbox_is_atom_char(char c)
{
	if ((unsigned char)c >= 0x80 || ascii_is_alpha(c) || ascii_is_digit(c))
		return true;
	return c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL;
}

size_t
mailbox_local_size(struct str mailbox)
{
	if (mailbox.size == 0 || mailbox.data[0] != '"')
		return str_find(mailbox, '@');
	for (size_t i = 1; i < mailbox.size; i++) {
		if (mailbox.data[i] == '"')
			return i + 1;
		if (mailbox.data[i] == '\\')
			i++;
	}
	return mailbox.size;
}

/* Is it atoms with single dots between them? */
static bool
is_dot_atom(struct str text)
{
	if (text.size == 0 || text.data[0] == '.' || text.data[text.size - 1] == '.')
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '.' && text.data[i - 1] == '.')
			return false;
		if (text.data[i] != '.' && !mailbox_is_atom_char(text.data[i]))
			return false;
	}
	return true;
}

void
mailbox_add_local(struct buf *b, struct str content)
{
	if (is_dot_atom(content)) {
		buf_add_str(b, content);
		return;
	}
	buf_add_char(b, '"');
	for (size_t i = 0; i < content.size; i++) {
		if (content.data[i] == '"' || content.data[i] == '\\')
			buf_add_char(b, '\\');
		buf_add_char(b, content.data[i]);
	}
	buf_add_char(b, '"');
}

/* A quoted string from its first to its last byte, and nothing behind? Controls were looked for before. */
static bool
is_quoted(struct str text)
{
	size_t i = 1;

	if (text.size < 3 || text.data[0] != '"')
		return false;
	for (; i < text.size && text.data[i] != '"'; i++)
		if (text.data[i] == '\\')
			i++;
	return i == text.size - 1;
}

/* C1 controls (U+0080 to U+009F) are control characters to many terminals, in well-formed UTF-8. */
static bool
has_control(struct str text)
{
	if (str_has_control(text))
		return true;
	for (size_t i = 0; i + 1 < text.size; i++)
		if ((unsigned char)text.data[i] == 0xc2 && (unsigned char)text.data[i + 1] < 0xa0)
			return true;
	return false;
}

static const char *
literal_fault(struct str literal)
{
	struct str content = str_from(literal, 1);
	char text[INET6_ADDRSTRLEN] = "";
	unsigned char address[sizeof(struct in6_addr)];
	int family = AF_INET;

	if (content.size == 0 || content.data[content.size - 1] != ']')
		return "']' is missing behind the address literal";
	content.size--;
	if (str_starts_with_nocase(content, STR("IPv6:"))) {
		content = str_from(content, 5);
		family = AF_INET6;
	}
	if (content.size < sizeof(text) && memchr(content.data, '\0', content.size) == NULL) {
		memcpy(text, content.data, content.size);
		if (inet_pton(family, text, address) == 1)
			return NULL;
	}
	return "an address literal is written [192.0.2.1] or [IPv6:2001:db8::1]";
}

const char *
mailbox_add_ascii_domain(struct buf *b, struct str domain)
{
	const char *reason;

	if (domain.size > DOMAIN_PART_MOST)
		return "the domain has more than 255 bytes";
	if (domain.size == 0 || domain.data[0] != '[')
		return domain_add_ascii(b, domain);
	reason = literal_fault(domain);
	if (reason == NULL)
		buf_add_str(b, domain);
	return reason;
}

static const char *
domain_fault(struct str domain)
{
	struct buf ascii = {0};
	const char *reason = mailbox_add_ascii_domain(&ascii, domain);

	buf_free(&ascii);
	if (reason == NULL && domain.data[domain.size - 1] == '.')
		reason = "a dot ends the domain";
	return reason;
}

const char *
mailbox_fault(struct str mailbox)
{
	size_t local_size = mailbox_local_size(mailbox);
	struct str local = str_first(mailbox, local_size);

	if (has_control(mailbox))
		return "a control character";
	if (!str_is_utf8(mailbox))
		return "it is not valid UTF-8";
	if (local_size == 0)
		return "nothing stands before the '@'";
	if (!is_dot_atom(local) && !is_quoted(local))
		return "the local part has characters that must be quoted";
	if (local_size > LOCAL_MOST)
		return "the local part (before the '@') has more than 64 bytes";
	if (local_size == mailbox.size)
		return NULL;
	if (mailbox.data[local_size] != '@')
		return "text between the closing quote and the '@'";
	if (mailbox.size - local_size - 1 > DOMAIN_PART_MOST)
		return "the domain has more than 255 bytes";
	if (mailbox.size > PATH_MOST - 2)
		return "it has more than 254 bytes";
	return domain_fault(str_from(mailbox, local_size + 1));
}
