/* serveparameter.c - reads what stands behind MAIL and RCPT. Pure. */

#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "mail/address.h"
#include "smtp/serveparameter.h"

enum {
	ENVID_MOST = 100,    /* octets (RFC 3461 4.4) */
	ORIGINAL_MOST = 500  /* RFC 3461 4.2 */
};

/* What the parameters fill; in the end it becomes the envelope's. */
struct wishes {
	struct serveparameter_mail mail;
	bool wants_full_return;
	bool wants_headers_return;
	struct buf envid;
	unsigned notify;
	struct buf original;
};

static const struct {
	struct str word;
	unsigned bit;
} notify_words[] = {
	{STR("SUCCESS"), NOTIFY_SUCCESS},
	{STR("FAILURE"), NOTIFY_FAILURE},
	{STR("DELAY"), NOTIFY_DELAY},
};

static bool
set_fault(struct serveparameter_fault *fault, int code, const char *enhanced, const char *text)
{
	fault->code = code;
	fault->enhanced = enhanced;
	buf_add_text(&fault->text, text);
	return false;
}

/* --- values -------------------------------------------------------------------------------------------------------- */

static int
hex_value(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Append what xtext (RFC 3461 section 4) stands for. False: it is none, or a control character is in it, or nothing. */
static bool
add_from_xtext(struct buf *b, struct str value)
{
	for (size_t i = 0; i < value.size; i++) {
		char c = value.data[i];

		if (c == '=' || c <= ' ' || c > '~')
			return false;
		if (c == '+') {
			int high = i + 2 < value.size ? hex_value(value.data[i + 1]) : -1;
			int low = i + 2 < value.size ? hex_value(value.data[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (ascii_is_control(c))
			return false;
		buf_add_char(b, c);
	}
	return b->size > 0;
}

static bool
take_size(struct wishes *wishes, struct str value)
{
	return str_to_number(value, UINT64_MAX, &wishes->mail.size);
}

/* What the body is like is seen when it is there. */
static bool
take_body(struct wishes *wishes, struct str value)
{
	(void)wishes;
	return str_equals_nocase(value, STR("7BIT")) || str_equals_nocase(value, STR("8BITMIME"));
}

static bool
take_nothing(struct wishes *wishes, struct str value)
{
	(void)wishes;
	return value.size == 0;
}

/* Who is behind the client does not matter to the relay, which knows us alone. */
static bool
take_auth(struct wishes *wishes, struct str value)
{
	struct buf ignored = {0};
	bool is_good = add_from_xtext(&ignored, value);

	(void)wishes;
	buf_free(&ignored);
	return is_good;
}

static bool
take_ret(struct wishes *wishes, struct str value)
{
	wishes->wants_full_return = str_equals_nocase(value, STR("FULL"));
	wishes->wants_headers_return = str_equals_nocase(value, STR("HDRS"));
	return wishes->wants_full_return || wishes->wants_headers_return;
}

static bool
take_envid(struct wishes *wishes, struct str value)
{
	return add_from_xtext(&wishes->envid, value) && wishes->envid.size <= ENVID_MOST &&
	       !str_has_8bit(buf_str(&wishes->envid));
}

static bool
take_notify(struct wishes *wishes, struct str value)
{
	struct str word;

	if (str_equals_nocase(value, STR("NEVER"))) {
		wishes->notify = NOTIFY_NEVER;
		return true;
	}
	if (value.size == 0 || value.data[value.size - 1] == ',')
		return false;
	while (str_next_token(&value, ',', &word)) {
		unsigned bit = 0;

		for (size_t i = 0; i < sizeof(notify_words) / sizeof(notify_words[0]); i++)
			if (str_equals_nocase(word, notify_words[i].word))
				bit = notify_words[i].bit;
		if (bit == 0)
			return false;
		wishes->notify |= bit;
	}
	return true;
}

/* Only addresses of the internet are handed on. */
static bool
take_orcpt(struct wishes *wishes, struct str value)
{
	size_t end = str_find(value, ';');
	bool is_mail = str_equals_nocase(str_first(value, end), STR("rfc822"));

	if (end == 0 || end == value.size || !add_from_xtext(&wishes->original, str_from(value, end + 1)))
		return false;
	if (!is_mail)
		buf_clear(&wishes->original);
	return wishes->original.size <= ORIGINAL_MOST;
}

struct parameter {
	struct str keyword;
	bool has_value;
	bool (*take)(struct wishes *wishes, struct str value); /* false: the value is bad */
};

static const struct parameter mail_parameters[] = {
	{STR("SIZE"), true, take_size},
	{STR("BODY"), true, take_body},
	{STR("SMTPUTF8"), false, take_nothing},
	{STR("AUTH"), true, take_auth},
	{STR("RET"), true, take_ret},
	{STR("ENVID"), true, take_envid},
	{{0}, false, NULL},
};

static const struct parameter rcpt_parameters[] = {
	{STR("NOTIFY"), true, take_notify},
	{STR("ORCPT"), true, take_orcpt},
	{{0}, false, NULL},
};

/* --- the line ------------------------------------------------------------------------------------------------------ */

static bool
take_parameter(struct wishes *wishes, const struct parameter *known, unsigned *seen, struct str word)
{
	size_t end = str_find(word, '=');
	bool has_value = end < word.size;

	for (unsigned i = 0; known[i].take != NULL; i++) {
		if (!str_equals_nocase(str_first(word, end), known[i].keyword))
			continue;
		if (has_value != known[i].has_value || (*seen & 1U << i) != 0)
			return false;
		*seen |= 1U << i;
		return known[i].take(wishes, str_from(word, end + 1));
	}
	return false;
}

static bool
is_known(const struct parameter *known, struct str word)
{
	for (; known->take != NULL; known++)
		if (str_equals_nocase(str_first(word, str_find(word, '=')), known->keyword))
			return true;
	return false;
}

static bool
take_parameters(struct wishes *wishes, const struct parameter *known, struct str words, struct serveparameter_fault *fault)
{
	unsigned seen = 0;
	struct str word;

	while (str_next_word(&words, &word)) {
		if (take_parameter(wishes, known, &seen, word))
			continue;
		buf_add_str(&fault->text, str_first(word, str_find(word, '=')));
		return is_known(known, word) ? set_fault(fault, 501, "5.5.4", ": bad parameter") :
		                               set_fault(fault, 555, "5.5.4", ": unknown parameter");
	}
	return true;
}

/* Where the path ends: behind its '>' that is not within quotes, else at a blank. */
static size_t
path_size(struct str text)
{
	bool is_bracketed = text.size > 0 && text.data[0] == '<';
	bool is_quoted = false;

	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (is_quoted && c == '\\')
			i++;
		else if (c == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && is_bracketed && c == '>')
			return i + 1;
		else if (!is_quoted && !is_bracketed && c == ' ')
			return i;
	}
	return is_bracketed ? 0 : text.size;
}

/* Split "FROM:<path> parameters". False: it is not of this form. */
static bool
split(struct str argument, struct str keyword, struct str *path, struct str *parameters)
{
	size_t size;

	if (!str_starts_with_nocase(argument, keyword))
		return false;
	argument = str_trim(str_from(argument, keyword.size));
	size = path_size(argument);
	*path = str_first(argument, size);
	*parameters = str_from(argument, size);
	return size > 0 && (parameters->size == 0 || parameters->data[0] == ' ');
}

/* The mailbox in a path, the caller's; NULL: fault. */
static char *
read_path(struct str path, const char *enhanced, struct serveparameter_fault *fault)
{
	struct address address = {0};
	struct err err = {0};

	if (address_parse_path(path, &address, &err)) {
		free(address.display_name);
		return address.mailbox;
	}
	set_fault(fault, 553, enhanced, buf_text(&err.text));
	err_clear(&err);
	return NULL;
}

static char *
take_text(struct buf *b)
{
	return b->size > 0 ? buf_take(b) : NULL;
}

bool
serveparameter_read_mail(struct str argument, struct envelope *envelope, struct serveparameter_mail *mail,
                         struct serveparameter_fault *fault)
{
	struct wishes wishes = {0};
	struct str path, parameters;
	char *mailbox = NULL;

	if (!split(argument, STR("FROM:"), &path, &parameters))
		set_fault(fault, 501, "5.5.4", "MAIL FROM:<address> is expected");
	else
		mailbox = read_path(path, "5.1.7", fault);
	if (mailbox != NULL && take_parameters(&wishes, mail_parameters, parameters, fault)) {
		*mail = wishes.mail;
		envelope->reverse_path = mailbox;
		envelope->wants_full_return = wishes.wants_full_return;
		envelope->wants_headers_return = wishes.wants_headers_return;
		envelope->envid = take_text(&wishes.envid);
	} else
		free(mailbox);
	buf_free(&wishes.envid);
	return fault->code == 0;
}

bool
serveparameter_read_rcpt(struct str argument, struct envelope *envelope, struct serveparameter_fault *fault)
{
	struct wishes wishes = {0};
	struct str path, parameters;
	char *mailbox = NULL;

	if (!split(argument, STR("TO:"), &path, &parameters))
		set_fault(fault, 501, "5.5.4", "RCPT TO:<address> is expected");
	else
		mailbox = read_path(path, "5.1.3", fault);
	if (mailbox != NULL && mailbox[0] == '\0')
		set_fault(fault, 553, "5.1.3", "bad address '<>': nobody can be there");
	if (fault->code == 0 && take_parameters(&wishes, rcpt_parameters, parameters, fault) &&
	    envelope_add(envelope, mailbox)) {
		struct recipient *recipient = &envelope->recipients[envelope->n_recipients - 1];

		recipient->notify = wishes.notify;
		recipient->original = take_text(&wishes.original);
	}
	free(mailbox);
	buf_free(&wishes.original);
	return fault->code == 0;
}
