/*
 * parameters - the arguments of MAIL and RCPT.
 */
#include "config.h"

#include <string.h>

#include "ehlo.h"
#include "parameters.h"

static const struct {
	const char *name;
	const char *keyword; /* which offers it */
	bool is_mail;
	bool has_value;
} known[] = {
	{"SIZE", "SIZE", true, true},
	{"BODY", "8BITMIME", true, true},
	{"SMTPUTF8", "SMTPUTF8", true, false},
	{"RET", "DSN", true, true},
	{"ENVID", "DSN", true, true},
	{"AUTH", "AUTH", true, true},
	{"BY", "DELIVERBY", true, true},
	{"MT-PRIORITY", "MT-PRIORITY", true, true},
	{"HOLDFOR", "FUTURERELEASE", true, true},
	{"HOLDUNTIL", "FUTURERELEASE", true, true},
	{"REQUIRETLS", "REQUIRETLS", true, false},
	{"PRDR", "PRDR", true, false},
	{"NOTIFY", "DSN", false, true},
	{"ORCPT", "DSN", false, true},
	{"RRVS", "RRVS", false, true},
};

#define N_KNOWN (sizeof(known) / sizeof(known[0]))

static const char unknown_parameter[] = "555 5.5.4 parameter was not offered or is unknown";
static const char wrong_value[] = "501 5.5.4 parameter has a wrong value";

static const char *
check_value(struct connection *connection, const char *name, const char *value, size_t size)
{
	unsigned long long number = 0;
	unsigned long long limit = ehlo_size_limit(connection);

	if (text_is(name, strlen(name), "SIZE")) {
		if (!text_number(value, size, 1ULL << 62, &number))
			return wrong_value;
		return limit != 0 && number > limit ? "552 5.3.4 message is larger than I take" : NULL;
	}
	if (text_is(name, strlen(name), "BODY")) {
		connection->transaction.is_binary = text_is(value, size, "BINARYMIME");
		if (connection->transaction.is_binary)
			return ehlo_offers(connection, "BINARYMIME") ? NULL : unknown_parameter;
		return text_is(value, size, "7BIT") || text_is(value, size, "8BITMIME") ? NULL : wrong_value;
	}
	if (text_is(name, strlen(name), "RET"))
		return text_is(value, size, "FULL") || text_is(value, size, "HDRS") ? NULL : wrong_value;
	if (text_is(name, strlen(name), "SMTPUTF8"))
		connection->transaction.wants_utf8 = true;
	return NULL;
}

static const char *
check_parameter(struct connection *connection, const char *parameter, size_t size, bool is_mail)
{
	const char *equals = memchr(parameter, '=', size);
	size_t name = equals == NULL ? size : (size_t)(equals - parameter);
	size_t row = 0;

	while (row < N_KNOWN && !(known[row].is_mail == is_mail && text_is(parameter, name, known[row].name)))
		row++;
	if (row == N_KNOWN || !ehlo_offers(connection, known[row].keyword))
		return unknown_parameter;
	if ((equals != NULL) != known[row].has_value || (equals != NULL && name + 1 == size))
		return wrong_value;
	return check_value(connection, known[row].name, equals == NULL ? "" : equals + 1,
			   equals == NULL ? 0 : size - name - 1);
}

static bool
has_high_byte(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)bytes[i] >= 0x80)
			return true;
	return false;
}

bool
parameters_split(const char *arguments, size_t size, const char *word, struct path *path)
{
	size_t at = strlen(word);
	bool is_quoted = false;

	*path = (struct path){0};
	if (!text_begins(arguments, size, word) || at == size || arguments[at] != '<')
		return false;
	path->address = arguments + ++at;
	for (; at < size && (is_quoted || arguments[at] != '>'); at++) {
		if (arguments[at] == '"')
			is_quoted = !is_quoted;
		else if (arguments[at] == '\\' && is_quoted)
			at++;
		else if (!is_quoted && (arguments[at] == ' ' || arguments[at] == '<'))
			return false;
	}
	if (at >= size)
		return false;
	path->address_size = (size_t)(arguments + at - path->address);
	at++;
	if (at < size && arguments[at] != ' ')
		return false;
	at += at < size;
	path->parameters = arguments + at;
	path->parameters_size = size - at;
	return true;
}

const char *
parameters_check(struct connection *connection, const struct path *path, bool is_mail)
{
	size_t at = 0;

	while (at < path->parameters_size) {
		const char *parameter = path->parameters + at;
		const char *space = memchr(parameter, ' ', path->parameters_size - at);
		size_t size = space == NULL ? path->parameters_size - at : (size_t)(space - parameter);
		const char *problem = NULL;

		if (size == 0 || (space != NULL && at + size + 1 == path->parameters_size))
			return "501 5.5.4 parameters are separated by one space";
		problem = check_parameter(connection, parameter, size, is_mail);
		if (problem != NULL)
			return problem;
		at += size + 1;
	}
	if (has_high_byte(path->address, path->address_size) && !connection->transaction.wants_utf8)
		return "553 5.6.7 this address needs SMTPUTF8";
	return NULL;
}
