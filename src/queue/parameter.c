/* parameter.c - what the sender wishes to be told, as it stands in a queue entry. Pure. */

#include "config.h"

#include "queue/escape.h"
#include "queue/parameter.h"

/* In the order in which they are written. */
static const struct {
	unsigned bit;
	struct str name;
} notify_words[] = {
	{NOTIFY_NEVER, STR("NEVER")},
	{NOTIFY_SUCCESS, STR("SUCCESS")},
	{NOTIFY_FAILURE, STR("FAILURE")},
	{NOTIFY_DELAY, STR("DELAY")},
};

enum { N_NOTIFY_WORDS = sizeof(notify_words) / sizeof(notify_words[0]) };

void
parameter_add(struct buf *b, const struct envelope *envelope)
{
	size_t start = b->size;

	if (envelope->requires_tls)
		buf_add_text(b, "REQUIRETLS");
	if (envelope->wants_full_return || envelope->wants_headers_return) {
		buf_add_text(b, b->size > start ? " " : "");
		buf_add_text(b, envelope->wants_full_return ? "RET=FULL" : "RET=HDRS");
	}
	if (envelope->envid == NULL)
		return;
	buf_add_text(b, b->size > start ? " ENVID=" : "ENVID=");
	escape_add(b, str_of(envelope->envid), ESCAPE_WORD);
}

bool
parameter_is_any(const struct envelope *envelope)
{
	return envelope->requires_tls || envelope->wants_full_return || envelope->wants_headers_return ||
	       envelope->envid != NULL;
}

/* Take `prefix` off *text. */
static bool
skip(struct str *text, struct str prefix)
{
	if (!str_starts_with(*text, prefix))
		return false;
	*text = str_from(*text, prefix.size);
	return true;
}

bool
parameter_read(struct str text, struct envelope *envelope)
{
	envelope->requires_tls = skip(&text, STR("REQUIRETLS"));
	if (envelope->requires_tls && (text.size == 0 || !skip(&text, STR(" "))))
		return text.size == 0;
	envelope->wants_full_return = skip(&text, STR("RET=FULL"));
	envelope->wants_headers_return = !envelope->wants_full_return && skip(&text, STR("RET=HDRS"));
	if ((envelope->wants_full_return || envelope->wants_headers_return) && (text.size == 0 || !skip(&text, STR(" "))))
		return text.size == 0;
	return skip(&text, STR("ENVID=")) && escape_read(text, ESCAPE_WORD, &envelope->envid);
}

void
parameter_add_notify(struct buf *b, unsigned notify)
{
	bool is_first = true;

	for (size_t i = 0; i < N_NOTIFY_WORDS; i++) {
		if ((notify & notify_words[i].bit) == 0)
			continue;
		buf_add_text(b, is_first ? "" : ",");
		buf_add_str(b, notify_words[i].name);
		is_first = false;
	}
}

bool
parameter_read_notify(struct str text, unsigned *notify)
{
	*notify = 0;
	for (size_t i = 0; i < N_NOTIFY_WORDS; i++) {
		if (!skip(&text, notify_words[i].name))
			continue;
		*notify |= notify_words[i].bit;
		if (text.size == 0)
			return true;
		if (!skip(&text, STR(",")))
			return false;
	}
	return false;
}
