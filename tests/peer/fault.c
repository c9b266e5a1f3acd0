/*
 * fault - what the peer is told to do wrong, where, how often and on which connection.
 */
#include "config.h"

#include <string.h>

#include "fault.h"

static const char *const place_names[N_PLACES] = {
	"connect", "greet", "ehlo", "helo", "starttls", "handshake", "auth", "auth2", "mail",
	"rcpt",    "data",  "body", "dot",  "bdat",     "rset",      "noop", "quit",  "any",
};

enum argument {
	ARGUMENT_NONE,
	ARGUMENT_TEXT,
	ARGUMENT_MS,
};

static const struct {
	const char *name;
	enum argument argument;
} kinds[N_KINDS] = {
	[FAULT_NONE] = {"", ARGUMENT_NONE},
	[FAULT_REPLY] = {"reply", ARGUMENT_TEXT},
	[FAULT_CLOSE] = {"close", ARGUMENT_NONE},
	[FAULT_RESET] = {"reset", ARGUMENT_NONE},
	[FAULT_STALL] = {"stall", ARGUMENT_NONE},
	[FAULT_DELAY] = {"delay", ARGUMENT_MS},
	[FAULT_DRIP] = {"drip", ARGUMENT_MS},
	[FAULT_RAW] = {"raw", ARGUMENT_TEXT},
	[FAULT_SPLIT] = {"split", ARGUMENT_NONE},
	[FAULT_STOP_READING] = {"stop-reading", ARGUMENT_NONE},
	[FAULT_INJECT] = {"inject", ARGUMENT_TEXT},
	[FAULT_INJECT_LATE] = {"inject-late", ARGUMENT_TEXT},
};

static bool
parse_place(struct fault *fault, const char *word, size_t size)
{
	for (size_t i = 0; i < N_PLACES; i++) {
		if (text_is(word, size, place_names[i])) {
			fault->place = (enum fault_place)i;
			return true;
		}
	}
	return false;
}

/* Read one #N, *COUNT, @conn=N or @BYTES: size bytes that begin with the mark. */
static bool
parse_limit(struct fault *fault, const char *limit, size_t size)
{
	static const char connection[] = "@conn=";
	unsigned long long number = 0;
	size_t prefix = text_begins(limit, size, connection) ? sizeof(connection) - 1 : 1;

	if (!text_number(limit + prefix, size - prefix, limit[0] == '@' ? 1ULL << 50 : 1000000, &number))
		return false;
	if (limit[0] == '#')
		fault->nth = (unsigned)number;
	else if (limit[0] == '*')
		fault->count = (unsigned)number;
	else if (prefix > 1)
		fault->connection = (unsigned)number;
	else
		fault->bytes = number;
	return limit[0] == '@' || number != 0;
}

static const char *
parse_where(struct fault *fault, const char *where, size_t size)
{
	size_t at = 0;

	while (at < size && strchr("#*@", where[at]) == NULL)
		at++;
	if (!parse_place(fault, where, at))
		return "unknown place (connect greet ehlo helo starttls handshake auth auth2 mail rcpt data body dot "
		       "bdat rset noop quit any)";
	while (at < size) {
		size_t end = at + 1;

		while (end < size && strchr("#*@", where[end]) == NULL)
			end++;
		if (!parse_limit(fault, where + at, end - at))
			return "behind the place come only #N, *COUNT, @BYTES and @conn=N";
		at = end;
	}
	return NULL;
}

static const char *
parse_what(struct fault *fault, const char *what)
{
	size_t word = strcspn(what, "=");
	const char *argument = what[word] == '=' ? what + word + 1 : NULL;
	unsigned long long number = 0;
	size_t kind = 1;

	while (kind < N_KINDS && !text_is(what, word, kinds[kind].name))
		kind++;
	if (kind == N_KINDS)
		return "unknown fault (reply= close reset stall delay= drip= raw= split stop-reading inject= "
		       "inject-late=)";
	fault->kind = (enum fault_kind)kind;
	if ((argument == NULL) != (kinds[kind].argument == ARGUMENT_NONE))
		return argument == NULL ? "this fault needs =ARGUMENT" : "this fault has no argument";
	if (argument != NULL && kinds[kind].argument == ARGUMENT_TEXT &&
	    !text_unescape(&fault->text, argument, strlen(argument)))
		return "wrong escape in the text";
	if (argument != NULL && kinds[kind].argument == ARGUMENT_MS) {
		if (!text_number(argument, strlen(argument), 3600000, &number))
			return "milliseconds expected";
		fault->wait_ms = (unsigned)number;
	}
	if ((fault->kind == FAULT_INJECT || fault->kind == FAULT_INJECT_LATE) && fault->place != AT_STARTTLS)
		return "only starttls can be injected into";
	return NULL;
}

bool
fault_parse(struct faults *faults, const char *specification, const char **problem)
{
	const char *colon = strchr(specification, ':');
	struct fault fault = {0};

	*problem = NULL;
	if (colon == NULL)
		*problem = "a fault is WHERE:WHAT";
	else if (faults->n == FAULTS_MAX)
		*problem = "too many faults";
	else
		*problem = parse_where(&fault, specification, (size_t)(colon - specification));
	if (*problem == NULL && colon != NULL)
		*problem = parse_what(&fault, colon + 1);
	if (*problem != NULL) {
		text_free(&fault.text);
		return false;
	}
	faults->items[faults->n++] = fault;
	return true;
}

bool
fault_applies(const struct fault *fault, enum fault_place place, unsigned nth, unsigned connection)
{
	bool is_reply = place != AT_CONNECT && place != AT_HANDSHAKE && place != AT_BODY;

	if (fault->place != place && !(fault->place == AT_ANY && is_reply))
		return false;
	if (fault->connection != 0 && fault->connection != connection)
		return false;
	return fault->nth == 0 || fault->nth == nth;
}

void
fault_free(struct faults *faults)
{
	for (size_t i = 0; i < faults->n; i++)
		text_free(&faults->items[i].text);
	*faults = (struct faults){0};
}
