/* journal.c - what servers said about the recipients of a queue entry, a line for each answer. Pure. */

#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "queue/escape.h"
#include "queue/format.h"

#define TIME_MOST ((uint64_t)1 << 40)

enum { CODE_LEAST = 100, CODE_MOST = 999 };

static const struct str stage_words[] = {
	[OUTCOME_AT_ROUTE] = STR("route"),
	[OUTCOME_AT_CONNECT] = STR("connect"),
	[OUTCOME_AT_GREETING] = STR("greeting"),
	[OUTCOME_AT_HELLO] = STR("hello"),
	[OUTCOME_AT_TLS] = STR("tls"),
	[OUTCOME_AT_AUTH] = STR("auth"),
	[OUTCOME_AT_MAIL] = STR("mail"),
	[OUTCOME_AT_RCPT] = STR("rcpt"),
	[OUTCOME_AT_DATA] = STR("data"),
	[OUTCOME_AT_END] = STR("end"),
	[OUTCOME_LOCALLY] = STR("local"),
};

enum { N_STAGE_WORDS = sizeof(stage_words) / sizeof(stage_words[0]) };

/* A line as it is being read. */
struct journal_line {
	uint64_t time;
	uint64_t recipient;
	struct outcome outcome;
};

static bool
has_enhanced(const struct outcome *outcome)
{
	return outcome->enhanced[0] != 0 || outcome->enhanced[1] != 0 || outcome->enhanced[2] != 0;
}

void
format_add_journal(struct buf *b, time_t now, size_t recipient, const struct outcome *outcome)
{
	buf_printf(b, "J %" PRId64 " %zu %c ", now > 0 ? (int64_t)now : 0, recipient, format_state(outcome));
	buf_add_str(b, stage_words[outcome->stage]);
	if (outcome->reply_code != 0)
		buf_printf(b, " %d", outcome->reply_code);
	else
		buf_add_text(b, " -");
	if (has_enhanced(outcome))
		buf_printf(b, " %u.%u.%u ", outcome->enhanced[0], outcome->enhanced[1], outcome->enhanced[2]);
	else
		buf_add_text(b, " - ");
	if (outcome->host[0] != '\0')
		escape_add(b, str_of(outcome->host), ESCAPE_WORD);
	else
		buf_add_char(b, '-');
	buf_add_char(b, ' ');
	err_add_clean(b, str_of(outcome->text));
	buf_add_char(b, '\n');
}

static bool
read_stage(struct str word, enum outcome_stage *stage)
{
	for (int i = 0; i < N_STAGE_WORDS; i++)
		if (str_equals(word, stage_words[i])) {
			*stage = (enum outcome_stage)i;
			return true;
		}
	return false;
}

static bool
read_code(struct str word, int *code)
{
	uint64_t number = 0;

	if (str_equals(word, STR("-")))
		return true;
	if (!str_to_number(word, CODE_MOST, &number) || number < CODE_LEAST)
		return false;
	*code = (int)number;
	return true;
}

static bool
read_enhanced(struct str word, unsigned short enhanced[3])
{
	uint64_t number = 0;
	struct str part;

	if (str_equals(word, STR("-")))
		return true;
	for (int i = 0; i < 3; i++) {
		if (!str_next_token(&word, '.', &part) || !str_to_number(part, UINT16_MAX, &number))
			return false;
		enhanced[i] = (unsigned short)number;
	}
	return word.size == 0;
}

static bool
read_host(struct str word, struct outcome *outcome)
{
	char *host = NULL;

	if (str_equals(word, STR("-")))
		return true;
	if (!escape_read(word, ESCAPE_WORD, &host))
		return false;
	outcome_set_host(outcome, host);
	free(host);
	return true;
}

/* The fields in front of the text, each with the blank behind it; the text is what is left of *line. */
static bool
read_line(struct str line, struct journal_line *read)
{
	struct str words[8] = {{0}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_find(line, ' ') == line.size)
			return false;
		str_next_token(&line, ' ', &words[i]);
	}
	if (!str_equals(words[0], STR("J")) || !str_to_number(words[1], TIME_MOST, &read->time) ||
	    !str_to_number(words[2], SIZE_MAX, &read->recipient) || words[3].size != 1 ||
	    str_find(STR("TUDF"), words[3].data[0]) == strlen("TUDF"))
		return false;
	outcome_set_text(&read->outcome, line);
	return read_stage(words[4], &read->outcome.stage) && read_code(words[5], &read->outcome.reply_code) &&
	       read_enhanced(words[6], read->outcome.enhanced) && read_host(words[7], &read->outcome);
}

void
format_read_journal(struct entry *entry, struct str journal)
{
	while (str_find(journal, '\n') < journal.size) {
		struct journal_line read = {0};
		struct outcome *outcome;
		struct str line;

		str_next_token(&journal, '\n', &line);
		if (!read_line(line, &read) || read.recipient >= entry->envelope.n_recipients)
			continue;
		/* The state byte alone tells the state: it is what was synced. */
		outcome = &entry->envelope.recipients[read.recipient].outcome;
		read.outcome.state = outcome->state;
		read.outcome.may_be_duplicate = outcome->may_be_duplicate;
		*outcome = read.outcome;
		if (entry->n_attempts == 0 || (time_t)read.time != entry->tried)
			entry->n_attempts++;
		entry->tried = (time_t)read.time;
	}
}
