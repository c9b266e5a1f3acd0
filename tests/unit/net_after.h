/* net_after.h - what the TLS server of net_peer.h may do after the handshake. Each returns the exit status of the
 * child. */

#ifndef TESTS_UNIT_NET_AFTER_H
#define TESTS_UNIT_NET_AFTER_H

#include <time.h>

#include "net_peer.h"

static inline bool
send_text(gnutls_session_t session, const char *text)
{
	return gnutls_record_send(session, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Answer each record with its size. */
static inline int
echo_sizes(gnutls_session_t session, int fd)
{
	static char data[20000];
	ssize_t n;

	(void)fd;
	while ((n = gnutls_record_recv(session, data, sizeof(data))) > 0 || n == GNUTLS_E_AGAIN) {
		char text[32];

		snprintf(text, sizeof(text), "%zd\n", n);
		if (!send_text(session, text))
			return 4;
	}
	return n == 0 ? 0 : 5;
}

enum { BULK = 4000037 };

/* The byte at a place of the bulk: no two neighbours of a record's size are alike. */
static inline char
bulk_byte(size_t at)
{
	return (char)('a' + (at / 7 + at / 16384) % 26);
}

/* Let the client's output pile up, then check all of it. */
static inline int
check_bulk(gnutls_session_t session, int fd)
{
	static char data[20000];
	size_t n_received = 0;

	(void)fd;
	net_sleep_ms(200);
	while (n_received < BULK) {
		ssize_t n = gnutls_record_recv(session, data, sizeof(data));

		if (n <= 0)
			return 4;
		for (ssize_t i = 0; i < n; i++)
			if (data[i] != bulk_byte(n_received + (size_t)i))
				return 5;
		n_received += (size_t)n;
	}
	return 0;
}

/* The same, with an answer at the end. */
static inline int
answer_bulk(gnutls_session_t session, int fd)
{
	int status = check_bulk(session, fd);

	return status == 0 && !send_text(session, "250 ok\n") ? 6 : status;
}

static inline int
greet_and_close(gnutls_session_t session, int fd)
{
	(void)fd;
	send_text(session, "220 hello\n");
	gnutls_bye(session, GNUTLS_SHUT_WR);
	return 0;
}

static inline int
truncate_reply(gnutls_session_t session, int fd)
{
	send_text(session, "250-par");
	shutdown(fd, SHUT_RDWR);
	return 0;
}

static inline int
stay_silent(gnutls_session_t session, int fd)
{
	char data[16];

	(void)fd;
	while (gnutls_record_recv(session, data, sizeof(data)) > 0)
		;
	return 0;
}

static inline int
ask_again(gnutls_session_t session, int fd)
{
	char data[16];

	gnutls_rehandshake(session);
	(void)!read(fd, data, sizeof(data));
	return 0;
}

static inline int
flood_empty_records(gnutls_session_t session, int fd)
{
	static const char nothing[] = "";

	(void)fd;
	for (int i = 0; i < 100000; i++)
		if (gnutls_record_send2(session, nothing, 0, 200, 0) < 0)
			return 0;
	return 7;
}

/* Ask for new keys for ever (TLS 1.3). */
static inline int
flood_key_updates(gnutls_session_t session, int fd)
{
	(void)fd;
	for (int i = 0; i < 100000; i++)
		if (gnutls_session_key_update(session, 0) < 0)
			return 0;
	return 7;
}

/* Warn for ever (TLS 1.2). */
static inline int
flood_alerts(gnutls_session_t session, int fd)
{
	(void)fd;
	for (int i = 0; i < 100000; i++)
		if (gnutls_alert_send(session, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED) < 0)
			return 0;
	return 7;
}

static inline ssize_t
push_slowly(gnutls_transport_ptr_t pointer, const void *data, size_t size)
{
	const char *bytes = data;

	for (size_t i = 0; i < size; i++) {
		struct timespec pause = {.tv_nsec = 100000};

		if (send((int)(intptr_t)pointer, bytes + i, 1, MSG_NOSIGNAL) != 1)
			return -1;
		nanosleep(&pause, NULL);
	}
	return (ssize_t)size;
}

static inline int
send_in_pieces(gnutls_session_t session, int fd)
{
	gnutls_transport_set_ptr(session, (gnutls_transport_ptr_t)(intptr_t)fd);
	gnutls_transport_set_push_function(session, push_slowly);
	return greet_and_close(session, fd);
}

static inline int
send_binding(gnutls_session_t session, int fd)
{
	gnutls_datum_t binding = {0};
	bool is_13 = gnutls_protocol_get_version(session) == GNUTLS_TLS1_3;

	(void)fd;
	if (gnutls_session_channel_binding(session, is_13 ? GNUTLS_CB_TLS_EXPORTER : GNUTLS_CB_TLS_UNIQUE,
	                                   &binding) < 0)
		return 8;
	gnutls_record_send(session, binding.data, binding.size);
	gnutls_bye(session, GNUTLS_SHUT_WR);
	return 0;
}

static inline int
stop_reading(gnutls_session_t session, int fd)
{
	(void)session;
	(void)fd;
	pause();
	return 0;
}

#endif
