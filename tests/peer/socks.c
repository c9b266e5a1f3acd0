/*
 * socks - the server side of SOCKS5, in front of the session.
 */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "socks.h"

enum {
	VERSION = 5,
	PASSWORD_VERSION = 1,
	METHOD_NONE = 0,
	METHOD_PASSWORD = 2,
	METHOD_REFUSED = 0xff,
	COMMAND_CONNECT = 1,
	ADDRESS_V4 = 1,
	ADDRESS_NAME = 3,
	ADDRESS_V6 = 4
};

static bool
violate(struct connection *connection, const char *what)
{
	log_event(connection->log, connection->number, '!', "socks: %s", what);
	return false;
}

/* Wait until size bytes are there. */
static bool
need(struct connection *connection, size_t size)
{
	while (wire_size(&connection->wire) < size)
		if (wire_fill(&connection->wire, -1) == WIRE_END)
			return violate(connection, "the client went away");
	return true;
}

static unsigned
octet(const struct connection *connection, size_t at)
{
	return (unsigned char)wire_bytes(&connection->wire)[at];
}

static bool
say(struct connection *connection, const void *bytes, size_t size)
{
	wire_queue(&connection->wire, bytes, size);
	return wire_flush(&connection->wire);
}

static bool
choose_method(struct connection *connection, bool *wants_password)
{
	bool is_open = strcmp(connection->options->socks, "open") == 0;
	unsigned wanted = is_open ? METHOD_NONE : METHOD_PASSWORD;
	unsigned char answer[2] = {VERSION, METHOD_REFUSED};
	size_t n = 0;

	if (!need(connection, 2))
		return false;
	n = octet(connection, 1);
	if (octet(connection, 0) != VERSION || !need(connection, 2 + n))
		return violate(connection, "no greeting of version 5");
	if (memchr(wire_bytes(&connection->wire) + 2, (int)wanted, n) != NULL)
		answer[1] = (unsigned char)wanted;
	wire_take(&connection->wire, 2 + n);
	*wants_password = !is_open;
	return say(connection, answer, sizeof(answer)) && answer[1] != METHOD_REFUSED;
}

/* RFC 1929 */
static bool
check_password(struct connection *connection)
{
	unsigned char answer[2] = {PASSWORD_VERSION, 1};
	struct text given = {0};
	size_t n_user = 0;
	size_t n_password = 0;
	bool ok = false;

	if (!need(connection, 2) || !need(connection, 3 + octet(connection, 1)))
		return false;
	n_user = octet(connection, 1);
	n_password = octet(connection, 2 + n_user);
	if (octet(connection, 0) != PASSWORD_VERSION || !need(connection, 3 + n_user + n_password))
		return violate(connection, "no user and password");
	text_append(&given, wire_bytes(&connection->wire) + 2, n_user);
	log_event(connection->log, connection->number, '*', "socks user %s", text_string(&given));
	text_add(&given, ":");
	text_append(&given, wire_bytes(&connection->wire) + 3 + n_user, n_password);
	ok = strcmp(text_string(&given), connection->options->socks) == 0;
	text_free(&given);
	wire_take(&connection->wire, 3 + n_user + n_password);
	answer[1] = ok ? 0 : 1;
	return say(connection, answer, sizeof(answer)) && ok;
}

/* The address behind the head of the request, as text; 0: it is not complete or of no known type. */
static size_t
read_address(struct connection *connection, struct text *text)
{
	unsigned type = octet(connection, 3);
	size_t size = type == ADDRESS_V4 ? 4 : 16;
	size_t begin = 4;
	char literal[INET6_ADDRSTRLEN] = "";

	if (type == ADDRESS_NAME) {
		if (!need(connection, 5))
			return 0;
		size = octet(connection, 4);
		begin = 5;
	} else if (type != ADDRESS_V4 && type != ADDRESS_V6)
		return 0;
	if (!need(connection, begin + size + 2))
		return 0;
	text_add(text, type == ADDRESS_NAME ? "name " : "address ");
	if (type == ADDRESS_NAME)
		text_append(text, wire_bytes(&connection->wire) + begin, size);
	else
		text_add(text, inet_ntop(type == ADDRESS_V4 ? AF_INET : AF_INET6, wire_bytes(&connection->wire) + begin,
					 literal, sizeof(literal)));
	return begin + size;
}

static bool
take_request(struct connection *connection)
{
	unsigned char answer[] = {VERSION, (unsigned char)connection->options->socks_reply, 0, ADDRESS_V4, 127, 0, 0, 1, 0, 25};
	struct text target = {0};
	size_t end = 0;

	if (!need(connection, 4))
		return false;
	if (octet(connection, 0) != VERSION || octet(connection, 1) != COMMAND_CONNECT)
		return violate(connection, "no CONNECT of version 5");
	end = read_address(connection, &target);
	if (end != 0)
		log_event(connection->log, connection->number, '*', "socks connect %s port %u", text_string(&target),
			  octet(connection, end) << 8 | octet(connection, end + 1));
	text_free(&target);
	if (end == 0)
		return violate(connection, "an address of unknown type");
	wire_take(&connection->wire, end + 2);
	return say(connection, answer, sizeof(answer)) && answer[1] == 0;
}

bool
socks_serve(struct connection *connection)
{
	bool wants_password = false;

	if (choose_method(connection, &wants_password) && (!wants_password || check_password(connection)) &&
	    take_request(connection))
		return true;
	connection->is_over = true;
	return false;
}
