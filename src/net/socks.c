/* socks.c - the client side of SOCKS5 (RFC 1928) with user and password (RFC 1929).
 *
 * Reads exactly the bytes of each reply and none of what the server behind the proxy says; every wait ends at the
 * deadline. */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "net/name.h"
#include "net/socks.h"
#include "net/wait.h"

enum {
	VERSION = 5,
	PASSWORD_VERSION = 1,
	METHOD_NONE = 0,
	METHOD_PASSWORD = 2,
	METHOD_REFUSED = 0xff,
	COMMAND_CONNECT = 1,
	ADDRESS_V4 = 1,
	ADDRESS_NAME = 3,
	ADDRESS_V6 = 4,
	TEXT_MOST = 255, /* names, users and passwords have one byte for their length */
	MESSAGE_MOST = 3 + 2 * TEXT_MOST
};

struct message {
	unsigned char octets[MESSAGE_MOST];
	size_t size;
};

/* Reply codes of RFC 1928 section 6. */
static const struct {
	const char *text;
	int exit_code;
} replies[] = {
	[1] = {"general failure of the proxy", EX_TEMPFAIL},
	[2] = {"the proxy's rules do not allow this connection", EX_CONFIG},
	[3] = {"network unreachable", EX_TEMPFAIL},
	[4] = {"host unreachable", EX_TEMPFAIL},
	[5] = {"connection refused", EX_TEMPFAIL},
	[6] = {"time to live exceeded", EX_TEMPFAIL},
	[7] = {"the proxy does not know the command CONNECT", EX_CONFIG},
	[8] = {"the proxy does not know this type of address", EX_CONFIG},
};

static void
add_octet(struct message *message, int octet)
{
	message->octets[message->size++] = (unsigned char)octet;
}

/* A length in one byte and the text; false when it does not fit. */
static bool
add_text(struct message *message, struct str text)
{
	if (text.size > TEXT_MOST)
		return false;
	add_octet(message, (int)text.size);
	if (text.size > 0)
		memcpy(message->octets + message->size, text.data, text.size);
	message->size += text.size;
	return true;
}

static bool
fail_wait(struct err *err)
{
	if (errno == ETIMEDOUT)
		return err_set(err, EX_TEMPFAIL, "no answer from the proxy in time");
	return err_set_errno(err, EX_TEMPFAIL, "waiting for the proxy");
}

static bool
is_interrupted(void)
{
	return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
}

static bool
send_message(int fd, const struct message *message, int64_t deadline, struct err *err)
{
	size_t sent = 0;

	while (sent < message->size) {
		ssize_t n;

		if (!wait_fd(fd, POLLOUT, deadline))
			return fail_wait(err);
		n = send(fd, message->octets + sent, message->size - sent, MSG_NOSIGNAL);
		if (n < 0 && !is_interrupted())
			return err_set_errno(err, EX_TEMPFAIL, "sending to the proxy");
		if (n > 0)
			sent += (size_t)n;
	}
	return true;
}

static bool
receive(int fd, unsigned char *octets, size_t size, int64_t deadline, struct err *err)
{
	size_t received = 0;

	while (received < size) {
		ssize_t n;

		if (!wait_fd(fd, POLLIN, deadline))
			return fail_wait(err);
		n = recv(fd, octets + received, size - received, 0);
		if (n == 0)
			return err_set(err, EX_TEMPFAIL, "the proxy closed the connection");
		if (n < 0 && !is_interrupted())
			return err_set_errno(err, EX_TEMPFAIL, "reading from the proxy");
		if (n > 0)
			received += (size_t)n;
	}
	return true;
}

static bool
refuse_version(int version, struct err *err)
{
	err_set(err, EX_PROTOCOL, "this is no SOCKS5 proxy: it answered with version %d", version);
	return err_hint(err, "check 'proxy_host' and 'proxy_port'; SOCKS4 and HTTP proxies are not supported");
}

static bool
authenticate(int fd, const struct connect_target *target, int64_t deadline, struct err *err)
{
	struct message message = {0};
	unsigned char reply[2] = {0};
	struct str user = str_of(target->proxy_user);
	bool is_good;

	add_octet(&message, PASSWORD_VERSION);
	is_good = user.size > 0 && add_text(&message, user) && add_text(&message, str_of(target->proxy_password));
	if (!is_good)
		err_set(err, EX_CONFIG, "proxy_user must have 1 to 255 bytes and proxy_password at most 255");
	is_good = is_good && send_message(fd, &message, deadline, err) &&
	          receive(fd, reply, sizeof(reply), deadline, err);
	mem_wipe(&message, sizeof(message));
	if (!is_good)
		return false;
	if (reply[0] != PASSWORD_VERSION)
		return err_set(err, EX_PROTOCOL, "the proxy answered the password with version %d", reply[0]);
	if (reply[1] == 0)
		return true;
	err_set(err, EX_CONFIG, "the proxy refused the user name or password (status %d)", reply[1]);
	return err_hint(err, "check 'proxy_user' and 'proxy_password'");
}

/* Agree on a method, and do what it demands. */
static bool
greet(int fd, const struct connect_target *target, int64_t deadline, struct err *err)
{
	struct message message = {0};
	unsigned char reply[2] = {0};
	bool has_user = target->proxy_user != NULL;

	add_octet(&message, VERSION);
	add_octet(&message, has_user ? 2 : 1);
	add_octet(&message, METHOD_NONE);
	if (has_user)
		add_octet(&message, METHOD_PASSWORD);
	if (!send_message(fd, &message, deadline, err) || !receive(fd, reply, sizeof(reply), deadline, err))
		return false;
	if (reply[0] != VERSION)
		return refuse_version(reply[0], err);
	if (reply[1] == METHOD_NONE)
		return true;
	if (reply[1] == METHOD_PASSWORD && has_user)
		return authenticate(fd, target, deadline, err);
	if (reply[1] != METHOD_REFUSED)
		return err_set(err, EX_PROTOCOL, "the proxy chose method %d, which was not offered", reply[1]);
	err_set(err, EX_CONFIG, "the proxy accepts none of the methods offered");
	if (has_user)
		return false;
	return err_hint(err, "set 'proxy_user' and 'proxy_password' if the proxy wants a password");
}

static bool
ask(int fd, const struct connect_target *target, int64_t deadline, struct err *err)
{
	struct message message = {0};
	struct name_address address = {0};
	struct buf name = {0};
	bool is_good = true;

	add_octet(&message, VERSION);
	add_octet(&message, COMMAND_CONNECT);
	add_octet(&message, 0);
	if (name_to_address(target->host, &address)) {
		add_octet(&message, address.size == 4 ? ADDRESS_V4 : ADDRESS_V6);
		memcpy(message.octets + message.size, address.octets, address.size);
		message.size += address.size;
	} else {
		add_octet(&message, ADDRESS_NAME);
		is_good = name_to_ascii(target->host, &name, err) && add_text(&message, buf_str(&name));
	}
	add_octet(&message, target->port >> 8);
	add_octet(&message, target->port & 0xff);
	buf_free(&name);
	return is_good && send_message(fd, &message, deadline, err);
}

/* The address the proxy uses is of no interest, but its bytes must be taken off the stream. */
static bool
skip_address(int fd, int type, int64_t deadline, struct err *err)
{
	unsigned char octets[TEXT_MOST + 2] = {0};
	size_t size = 0;

	if (type == ADDRESS_V4)
		size = 4;
	else if (type == ADDRESS_V6)
		size = 16;
	else if (type != ADDRESS_NAME)
		return err_set(err, EX_PROTOCOL, "the proxy's reply has an unknown type of address, %d", type);
	else if (receive(fd, octets, 1, deadline, err))
		size = octets[0];
	else
		return false;
	return receive(fd, octets, size + 2, deadline, err);
}

static bool
read_answer(int fd, int64_t deadline, struct err *err)
{
	unsigned char reply[4] = {0};
	size_t code;

	if (!receive(fd, reply, sizeof(reply), deadline, err))
		return false;
	if (reply[0] != VERSION)
		return refuse_version(reply[0], err);
	code = reply[1];
	if (code == 0)
		return skip_address(fd, reply[3], deadline, err);
	if (code >= sizeof(replies) / sizeof(replies[0]))
		return err_set(err, EX_PROTOCOL, "the proxy answered with the unknown code %zu", code);
	return err_set(err, replies[code].exit_code, "%s (SOCKS reply %zu)", replies[code].text, code);
}

bool
socks_connect(int fd, const struct connect_target *target, int64_t deadline, struct err *err)
{
	return greet(fd, target, deadline, err) && ask(fd, target, deadline, err) && read_answer(fd, deadline, err);
}
