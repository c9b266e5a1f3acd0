/*
 * ehlo - what the peer offers at this point of a session.
 */
#include "config.h"

#include <string.h>

#include "ehlo.h"

static const char *const default_keywords[] = {
	"PIPELINING", "SIZE 35882577", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN", "CHUNKING", "SMTPUTF8",
};

#define N_DEFAULT (sizeof(default_keywords) / sizeof(default_keywords[0]))

/* The i-th configured keyword line; NULL: no more. Empty ones only say that the default is not wanted. */
static const char *
configured_line(const struct connection *connection, size_t i)
{
	const struct list *keywords = &connection->options->keywords;

	if (keywords->n == 0)
		return i < N_DEFAULT ? default_keywords[i] : NULL;
	return i < keywords->n ? keywords->items[i] : NULL;
}

/* The configured line of the keyword; NULL: none. */
static const char *
find_line(const struct connection *connection, const char *keyword)
{
	const char *line = NULL;

	for (size_t i = 0; (line = configured_line(connection, i)) != NULL; i++)
		if (text_is(line, strcspn(line, " ="), keyword))
			return line;
	return NULL;
}

static bool
offers_starttls(const struct connection *connection)
{
	return connection->options->tls == TLS_STARTTLS && connection->wire.session == NULL;
}

static bool
offers_auth(const struct connection *connection)
{
	return connection->options->mechanisms != NULL &&
	       (connection->wire.session != NULL || connection->options->auth_in_clear);
}

static void
append_line(struct text *reply, const char *first, const char *second)
{
	text_format(reply, "\r\n250-%s%s", first, second);
}

void
ehlo_lines(const struct connection *connection, struct text *reply)
{
	const char *line = NULL;
	size_t last = 0;

	text_format(reply, "250-%s greets %s", connection->options->name, text_string(&connection->helo));
	for (size_t i = 0; (line = configured_line(connection, i)) != NULL; i++)
		if (line[0] != '\0')
			append_line(reply, line, "");
	if (offers_starttls(connection) && find_line(connection, "STARTTLS") == NULL)
		append_line(reply, "STARTTLS", "");
	if (offers_auth(connection) && find_line(connection, "AUTH") == NULL)
		append_line(reply, "AUTH ", connection->options->mechanisms);
	for (size_t i = 0; i + 4 < reply->size; i++)
		if (reply->bytes[i] == '\n')
			last = i + 1;
	reply->bytes[last + 3] = ' ';
}

bool
ehlo_offers(const struct connection *connection, const char *keyword)
{
	if (find_line(connection, keyword) != NULL)
		return true;
	if (text_is(keyword, strlen(keyword), "STARTTLS"))
		return offers_starttls(connection);
	return text_is(keyword, strlen(keyword), "AUTH") && offers_auth(connection);
}

unsigned long long
ehlo_size_limit(const struct connection *connection)
{
	const char *line = find_line(connection, "SIZE");
	unsigned long long limit = 0;

	if (line != NULL && line[4] == ' ' && text_number(line + 5, strlen(line + 5), 1ULL << 60, &limit))
		return limit;
	return 0;
}

bool
ehlo_offers_mechanism(const struct connection *connection, const char *name, size_t size)
{
	const char *at = connection->options->mechanisms;

	if (!offers_auth(connection))
		return false;
	while (*at != '\0') {
		size_t word = strcspn(at, " ");

		if (word == size && word != 0 && strncmp(at, name, size) == 0)
			return true;
		at += word;
		at += *at == ' ';
	}
	return false;
}
