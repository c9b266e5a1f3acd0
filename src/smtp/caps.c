/* caps.c - the keywords of an EHLO or LHLO reply. Pure. */

#include "config.h"

#include <stddef.h>

#include "smtp/caps.h"

static void
read_size(struct caps *caps, struct str words)
{
	struct str word;

	caps->size_most = 0;
	if (str_next_word(&words, &word) && !str_to_number(word, UINT64_MAX, &caps->size_most))
		caps->size_most = 0;
}

static void
read_mechanisms(struct caps *caps, struct str words)
{
	struct str word;

	while (str_next_word(&words, &word)) {
		if (caps->mechanisms.size > 0)
			buf_add_char(&caps->mechanisms, ' ');
		buf_add_str(&caps->mechanisms, word);
	}
}

/* LIMITS RCPTMAX=n MAILMAX=n; a value of 0 or nonsense is no limit. */
static void
read_limits(struct caps *caps, struct str words)
{
	struct str word;

	while (str_next_word(&words, &word)) {
		size_t end = str_find(word, '=');
		struct str name = str_first(word, end);
		uint64_t value;

		if (!str_to_number(str_from(word, end + 1), UINT64_MAX, &value))
			continue;
		if (str_equals_nocase(name, STR("RCPTMAX")))
			caps->rcpt_most = value;
		else if (str_equals_nocase(name, STR("MAILMAX")))
			caps->mail_most = value;
	}
}

static const struct {
	struct str keyword;
	size_t offset;                                      /* of the bool in struct caps */
	void (*read)(struct caps *caps, struct str words);  /* the words behind the keyword; NULL: they mean nothing */
} keywords[] = {
	{STR("PIPELINING"), offsetof(struct caps, has_pipelining), NULL},
	{STR("CHUNKING"), offsetof(struct caps, has_chunking), NULL},
	{STR("8BITMIME"), offsetof(struct caps, has_8bitmime), NULL},
	{STR("SMTPUTF8"), offsetof(struct caps, has_smtputf8), NULL},
	{STR("DSN"), offsetof(struct caps, has_dsn), NULL},
	{STR("SIZE"), offsetof(struct caps, has_size), read_size},
	{STR("STARTTLS"), offsetof(struct caps, has_starttls), NULL},
	{STR("AUTH"), offsetof(struct caps, has_auth), read_mechanisms},
	{STR("ETRN"), offsetof(struct caps, has_etrn), NULL},
	{STR("LIMITS"), offsetof(struct caps, has_limits), read_limits},
	{STR("REQUIRETLS"), offsetof(struct caps, has_requiretls), NULL},
};

/* Old servers write "AUTH=LOGIN"; both forms mean the same. */
static struct str
take_keyword(struct str *line)
{
	struct str keyword = {0};
	size_t end = 0;

	while (end < line->size && !ascii_is_blank(line->data[end]) && line->data[end] != '=')
		end++;
	keyword = str_first(*line, end);
	*line = str_from(*line, end + 1);
	return keyword;
}

static void
read_line(struct caps *caps, struct str line)
{
	struct str keyword = take_keyword(&line);

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (!str_equals_nocase(keyword, keywords[i].keyword))
			continue;
		*(bool *)((char *)caps + keywords[i].offset) = true;
		if (keywords[i].read != NULL)
			keywords[i].read(caps, line);
	}
}

void
caps_read(struct caps *caps, struct str reply_text)
{
	struct str line;

	caps_free(caps);
	if (!str_next_token(&reply_text, '\n', &line))
		return;
	buf_add_str(&caps->text, reply_text);
	while (str_next_token(&reply_text, '\n', &line))
		read_line(caps, line);
}

void
caps_free(struct caps *caps)
{
	buf_free(&caps->mechanisms);
	buf_free(&caps->text);
	*caps = (struct caps){0};
}
