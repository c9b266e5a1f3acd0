/* complain.c - what is wrong with the argument of a setting. Pure. */

#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/domain.h"
#include "base/mem.h"
#include "conf/complain.h"
#include "conf/keyword.h"
#include "mail/identity.h"
#include "mail/mailbox.h"

/* Hexadecimal digits. */
enum { FINGERPRINT_MD5 = 32, FINGERPRINT_SHA1 = 40, FINGERPRINT_SHA256 = 64 };

static bool
is_hex(char c)
{
	return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

const char *
complain_fingerprint(struct str argument)
{
	struct str rest = argument, word = {0};
	size_t n_digits = 0;

	if (str_next_word(&rest, &word) && str_equals_nocase(word, STR("also")))
		argument = rest;
	for (size_t i = 0; i < argument.size; i++) {
		char c = argument.data[i];

		if (is_hex(c))
			n_digits++;
		else if (c != ':' && c != ' ')
			return "a SHA256, SHA1 or MD5 fingerprint in hexadecimal digits with ':' between bytes";
	}
	if (n_digits == FINGERPRINT_SHA256 || n_digits == FINGERPRINT_SHA1 || n_digits == FINGERPRINT_MD5)
		return NULL;
	return "a fingerprint of 32 bytes (SHA256), 20 (SHA1) or 16 (MD5)";
}

const char *
complain_dns_server(struct str argument)
{
	size_t at = str_find(argument, '@');
	size_t end = str_find(str_first(argument, at), '%');
	char text[INET6_ADDRSTRLEN] = "";
	unsigned char address[sizeof(struct in6_addr)];
	uint64_t port = 1;
	bool is_good = end < sizeof(text) && memchr(argument.data, '\0', end) == NULL;

	if (at < argument.size)
		is_good = is_good && str_to_number(str_from(argument, at + 1), UINT16_MAX, &port) && port > 0;
	if (is_good) {
		memcpy(text, argument.data, end);
		/* A zone (fe80::1%eth0) is one of IPv6. */
		is_good = inet_pton(AF_INET6, text, address) == 1 || (end == at && inet_pton(AF_INET, text, address) == 1);
	}
	return is_good ? NULL : "an address, perhaps with a port behind: 192.0.2.1, 127.0.0.1@5353, 2001:db8::53";
}

const char *
complain_dsn_notify(struct str argument)
{
	static const struct str conditions[] = {STR("failure"), STR("delay"), STR("success")};
	enum { N_CONDITIONS = sizeof(conditions) / sizeof(conditions[0]) };
	bool is_seen[N_CONDITIONS] = {0};
	struct str rest = argument, word = {0};

	if (str_equals(argument, STR("never")))
		return NULL;
	while (str_next_token(&rest, ',', &word)) {
		size_t i = 0;

		while (i < N_CONDITIONS && !str_equals(word, conditions[i]))
			i++;
		if (i == N_CONDITIONS || is_seen[i])
			return "off, never, or a list of failure, delay and success with commas and without blanks";
		is_seen[i] = true;
	}
	if (argument.size > 0 && argument.data[argument.size - 1] == ',')
		return "a list without a comma at its end";
	return NULL;
}

/* A queue that depends on where one stands would lose mail. */
const char *
complain_queue_dir(struct str argument)
{
	if (str_starts_with(argument, STR("/")) || str_starts_with(argument, STR("~/")))
		return NULL;
	return "an absolute path";
}

/* Is text an address of IPv4, or of IPv6 in brackets? */
static bool
is_address(struct str text)
{
	bool is_bracketed = text.size > 2 && text.data[0] == '[' && text.data[text.size - 1] == ']';
	struct in6_addr address;
	char *copy;
	bool is_good;

	if (is_bracketed)
		text = str_make(text.data + 1, text.size - 2);
	copy = mem_copy(text.data, text.size);
	is_good = inet_pton(is_bracketed ? AF_INET6 : AF_INET, copy, &address) == 1;
	free(copy);
	return is_good;
}

const char *
complain_mta_sts_connect(struct str argument)
{
	size_t colon = argument.size;
	uint64_t port = 0;

	while (colon > 0 && argument.data[colon - 1] != ':')
		colon--;
	if (colon > 0 && str_to_number(str_from(argument, colon), UINT16_MAX, &port) && port > 0 &&
	    is_address(str_first(argument, colon - 1)))
		return NULL;
	return "an address and a port, such as 192.0.2.1:443 or [2001:db8::1]:443";
}

const char *
complain_bounce_to(struct str argument)
{
	if (str_equals(argument, STR("local")) || str_equals(argument, STR("sender")))
		return NULL;
	if (str_find(argument, '@') == argument.size || mailbox_fault(argument) != NULL)
		return "local, sender, or an address with a domain";
	return NULL;
}

const char *
complain_dkim_name(struct str argument)
{
	struct buf ascii = {0};
	bool is_good = domain_add_ascii(&ascii, argument) == NULL;

	buf_free(&ascii);
	return is_good ? NULL : "a domain name, or a part of one";
}

const char *
complain_identity(struct str argument)
{
	struct identity identity = {0};
	struct err ignored = {0};
	bool is_good = str_equals(argument, STR("off")) || identity_parse(&identity, argument, &ignored);

	identity_free(&identity);
	err_clear(&ignored);
	return is_good ? NULL : "off, an address with a domain, or NAME=ADDRESS and *=ADDRESS, each name once";
}

/* A number of one to three digits, without zeros in front, off the front of *rest. */
static bool
skip_code_number(struct str *rest)
{
	enum { DIGITS_MOST = 3 };
	bool has_zero_in_front = rest->size > 1 && rest->data[0] == '0' && ascii_is_digit(rest->data[1]);
	size_t n = 0;

	while (n < rest->size && ascii_is_digit(rest->data[n]))
		n++;
	*rest = str_from(*rest, n);
	return n > 0 && n <= DIGITS_MOST && !has_zero_in_front;
}

static bool
skip_char(struct str *rest, char c)
{
	if (rest->size == 0 || rest->data[0] != c)
		return false;
	*rest = str_from(*rest, 1);
	return true;
}

const char *
complain_treat_as_temporary(struct str argument)
{
	struct str code = {0};

	while (keyword_next_code(&argument, &code)) {
		if (!skip_char(&code, '5') || !skip_char(&code, '.') || !skip_code_number(&code) || !skip_char(&code, '.') ||
		    !skip_code_number(&code) || code.size > 0)
			return "a list of enhanced codes that begin with 5, such as 5.4.5 5.7.1";
	}
	return NULL;
}
