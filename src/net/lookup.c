/* lookup.c - the addresses of a host: literals and localhost at once, names by getaddrinfo(3) in a child with a deadline. */

#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"
#include "net/lookup.h"
#include "net/name.h"

/* What the child reports. Both ends are the same program, so the bytes of the struct will do. */
struct answer {
	int code;         /* 0 or one of getaddrinfo's EAI_... */
	int system_error; /* errno, for EAI_SYSTEM */
	struct lookup found;
};

static void
set_port(struct endpoint *endpoint, int port)
{
	if (endpoint->any.sa_family == AF_INET)
		endpoint->v4.sin_port = htons((uint16_t)port);
	else
		endpoint->v6.sin6_port = htons((uint16_t)port);
}

/* Runs in the child. */
static void
look_up(const void *argument, int fd)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	struct answer answer = {0};
	struct lookup *found = &answer.found;
	const char *bytes = (const char *)&answer;

	answer.code = getaddrinfo(argument, NULL, &hints, &list);
	answer.system_error = errno;
	for (const struct addrinfo *item = list; item != NULL && found->n < LOOKUP_MOST; item = item->ai_next) {
		if (item->ai_family != AF_INET && item->ai_family != AF_INET6)
			continue;
		if (item->ai_addrlen > sizeof(struct sockaddr_in6))
			continue;
		memcpy(&found->endpoints[found->n].v6, item->ai_addr, item->ai_addrlen);
		found->endpoints[found->n++].size = item->ai_addrlen;
	}
	if (list != NULL)
		freeaddrinfo(list);
	for (size_t sent = 0; sent < sizeof(answer);) {
		ssize_t n = write(fd, bytes + sent, sizeof(answer) - sent);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0)
			sent += (size_t)n;
	}
}

/* No name server answered. */
static bool
hint_at_network(struct err *err)
{
	return err_hint(err, "is this machine connected? If so, look at the name servers in /etc/resolv.conf; 'queue on' "
	                     "keeps mail until they answer");
}

static bool
refuse(const char *name, const struct answer *answer, struct err *err)
{
	switch (answer->code) {
	case 0:
	case EAI_NODATA:
		err_set(err, EX_NOHOST, "the host name %s has no address", name);
		return err_hint(err, "set 'host' to the name of the mail server; a domain of mail addresses is not always one");
	case EAI_NONAME:
		err_set(err, EX_NOHOST, "there is no host of the name %s", name);
		return err_hint(err, "check the setting 'host' for a typing error, and /etc/resolv.conf");
	case EAI_SYSTEM:
		errno = answer->system_error;
		err_set_errno(err, EX_TEMPFAIL, "cannot look up the host name %s", name);
		break;
	default:
		err_set(err, EX_TEMPFAIL, "cannot look up the host name %s: %s", name, gai_strerror(answer->code));
		break;
	}
	return hint_at_network(err);
}

static bool
ask_child(const char *name, int64_t deadline, struct answer *answer, struct err *err)
{
	struct buf output = {0};
	bool is_good = proc_collect(look_up, name, sizeof(*answer), deadline, &output, err);

	if (!is_good) {
		err_prefix(err, "looking up the host name %s", name);
		hint_at_network(err);
	} else if (output.size != sizeof(*answer))
		is_good = err_set(err, EX_TEMPFAIL, "looking up the host name %s ended without an answer", name);
	else
		memcpy(answer, output.data, sizeof(*answer));
	buf_free(&output);
	return is_good;
}

/* RFC 6761 6.3: this name is the loopback address whatever a server says, so nobody is asked. */
static bool
find_localhost(const char *name, struct lookup *found)
{
	struct str text = str_of(name);

	if (text.size > 0 && text.data[text.size - 1] == '.')
		text = str_first(text, text.size - 1);
	if (!str_equals_nocase(text, STR("localhost")))
		return false;
	found->n = 2;
	return lookup_literal("127.0.0.1", 0, &found->endpoints[0]) && lookup_literal("::1", 0, &found->endpoints[1]);
}

bool
lookup_host(const char *host, int port, int64_t deadline, struct lookup *found, struct err *err)
{
	struct answer answer = {0};
	struct buf name = {0};
	bool is_good;

	*found = (struct lookup){0};
	if (lookup_literal(host, port, &found->endpoints[0])) {
		found->n = 1;
		return true;
	}
	is_good = name_to_ascii(host, &name, err) &&
	          (find_localhost(buf_text(&name), &answer.found) || ask_child(buf_text(&name), deadline, &answer, err));
	if (is_good && (answer.code != 0 || answer.found.n == 0))
		is_good = refuse(buf_text(&name), &answer, err);
	buf_free(&name);
	if (!is_good)
		return false;
	*found = answer.found;
	for (size_t i = 0; i < found->n; i++)
		set_port(&found->endpoints[i], port);
	return true;
}

bool
lookup_literal(const char *text, int port, struct endpoint *endpoint)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;

	*endpoint = (struct endpoint){0};
	if (inet_pton(AF_INET, text, &endpoint->v4.sin_addr) == 1) {
		endpoint->v4.sin_family = AF_INET;
		endpoint->size = sizeof(endpoint->v4);
	} else if (inet_pton(AF_INET6, text, &endpoint->v6.sin6_addr) == 1) {
		endpoint->v6.sin6_family = AF_INET6;
		endpoint->size = sizeof(endpoint->v6);
	} else if (strchr(text, ':') != NULL && strchr(text, '%') != NULL &&
	           getaddrinfo(text, NULL, &hints, &list) == 0 && list->ai_family == AF_INET6) {
		memcpy(&endpoint->v6, list->ai_addr, sizeof(endpoint->v6));
		endpoint->size = sizeof(endpoint->v6);
	}
	if (list != NULL)
		freeaddrinfo(list);
	if (endpoint->size == 0)
		return false;
	set_port(endpoint, port);
	return true;
}

void
lookup_add_text(const struct endpoint *endpoint, struct buf *b)
{
	char text[64] = "";

	if (getnameinfo(&endpoint->any, endpoint->size, text, sizeof(text), NULL, 0, NI_NUMERICHOST) == 0)
		buf_add_text(b, text);
}

bool
lookup_is_loopback(const struct endpoint *endpoint)
{
	const unsigned char *octets = endpoint->v6.sin6_addr.s6_addr;

	if (endpoint->any.sa_family == AF_INET)
		return ntohl(endpoint->v4.sin_addr.s_addr) >> 24 == 127;
	if (endpoint->any.sa_family != AF_INET6)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&endpoint->v6.sin6_addr))
		return octets[12] == 127;
	return IN6_IS_ADDR_LOOPBACK(&endpoint->v6.sin6_addr);
}
