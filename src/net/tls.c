/* tls.c - TLS by GnuTLS for one connection: session, handshake, reading, writing.
 *
 * The decision about the certificate is taken in the handshake by verify.c; when it says no, nothing was sent
 * inside TLS. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "net/clientkey.h"
#include "net/describe.h"
#include "net/digest.h"
#include "net/gnutls.h"
#include "net/name.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/verify.h"
#include "net/wait.h"

/* Raw bytes that may arrive without any data among them: far more than tickets and a record in pieces need. */
enum { IDLE_BYTES_MOST = 131072 };

enum { CCS_RECORD_TYPE = 20, CCS_RECORD_SIZE = 6 };

/* What is taken from, and given back to, the library's default priorities (RFC 9325). */
static const char versions_12[] = "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
static const char versions_13[] = "-VERS-ALL:+VERS-TLS1.3";
static const char strength[] = "%PROFILE_MEDIUM:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:-RSA:-CIPHER-ALL:+AES-256-GCM:"
			       "+CHACHA20-POLY1305:+AES-128-GCM:%SAFE_RENEGOTIATION";

struct tls {
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
	int fd;
	struct verifier verifier;
	struct err *err;          /* of the handshake under way */
	struct clientkey key;
	size_t idle_bytes;        /* raw bytes read since the last data */
	struct buf held;          /* raw bytes of the handshake that leave with what comes next */
	bool is_shaking_hands;
	bool is_sending;          /* a record was begun and must be finished first */
	bool is_broken;           /* no close_notify any more */
	const char *verified_by;  /* as in struct tls_facts */
	bool is_first_contact;
};

/* Send what is held back. False: errno says why. */
static bool
send_held(struct tls *tls)
{
	while (tls->held.size > 0) {
		ssize_t n = send(tls->fd, tls->held.data, tls->held.size, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		buf_consume(&tls->held, (size_t)n);
	}
	return true;
}

/* The change_cipher_spec of TLS 1.3 means nothing; it belongs right before the client's last records (RFC 8446 D.4), and
 * nobody waits for it. */
static bool
holds_what_can_wait(const struct tls *tls)
{
	return tls->is_shaking_hands && tls->held.size == CCS_RECORD_SIZE && tls->held.data[0] == CCS_RECORD_TYPE;
}

static ssize_t
pull(gnutls_transport_ptr_t pointer, void *data, size_t size)
{
	struct tls *tls = pointer;
	ssize_t n;

	n = recv(tls->fd, data, size, 0);
	if (n > 0)
		tls->idle_bytes += (size_t)n;
	/* Before a wait everything must have left. */
	if (n < 0 && errno == EAGAIN && !holds_what_can_wait(tls) && send_held(tls))
		errno = EAGAIN;
	return n;
}

/* The records of a handshake are gathered until something is waited for: its last ones leave in one segment with the first
 * command. Everything else is sent at once, behind what is held. */
static ssize_t
push(gnutls_transport_ptr_t pointer, const giovec_t *parts, int n_parts)
{
	struct tls *tls = pointer;
	struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)n_parts};
	size_t before = tls->held.size;
	ssize_t n;

	if (!tls->is_shaking_hands && before == 0)
		return sendmsg(tls->fd, &message, MSG_NOSIGNAL);
	for (int i = 0; i < n_parts; i++)
		buf_add(&tls->held, parts[i].iov_base, parts[i].iov_len);
	if (tls->is_shaking_hands)
		return (ssize_t)(tls->held.size - before);
	n = send(tls->fd, tls->held.data, tls->held.size, MSG_NOSIGNAL);
	if (n > (ssize_t)before) {
		buf_clear(&tls->held);
		return n - (ssize_t)before;
	}
	/* Nothing of the parts has left: the library keeps them and comes again. */
	buf_truncate(&tls->held, before);
	if (n < 0)
		return -1;
	buf_consume(&tls->held, (size_t)n);
	errno = EAGAIN;
	return -1;
}

static int
decide(gnutls_session_t session)
{
	struct tls *tls = gnutls_session_get_ptr(session);

	return verify_peer(&tls->verifier, session, tls->err) ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

/* Can the priorities say that no OCSP response is asked for? Before GnuTLS 3.8 only a flag can, which takes the extended
 * master secret of TLS 1.2 with it, and so the channel binding. */
static bool
has_ocsp_modifier(void)
{
	return gnutls_check_version("3.8.0") != NULL;
}

static bool
set_priorities(struct tls *tls, const struct tls_settings *settings, struct err *err)
{
	const char *at = "";
	struct buf text = {0};
	int code;

	if (settings->priorities != NULL)
		buf_add_text(&text, settings->priorities);
	else
		buf_printf(&text, "%s:%s", settings->min_version == 13 ? versions_13 : versions_12, strength);
	if (settings->ocsp == TLS_OCSP_OFF && has_ocsp_modifier())
		buf_add_text(&text, ":%NO_STATUS_REQUEST");
	if (settings->priorities != NULL)
		code = gnutls_priority_set_direct(tls->session, buf_text(&text), &at);
	else
		code = gnutls_set_default_priority_append(tls->session, buf_text(&text), &at, 0);
	if (code < 0)
		err_set(err, EX_CONFIG, "tls_priorities: %s at '%s'", gnutls_strerror(code), at != NULL ? at : "");
	buf_free(&text);
	return code >= 0;
}

static bool
prepare(struct tls *tls, const struct tls_settings *settings, struct err *err)
{
	const struct buf *host = &tls->verifier.host;

	unsigned flags = GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS;

	if (settings->ocsp == TLS_OCSP_OFF && !has_ocsp_modifier())
		flags |= GNUTLS_NO_EXTENSIONS;
	if (gnutls_certificate_allocate_credentials(&tls->credentials) < 0 || gnutls_init(&tls->session, flags) < 0)
		return err_set(err, EX_OSERR, "cannot start TLS");
	if (!verify_prepare(&tls->verifier, settings, tls->credentials, err) ||
	    !clientkey_load(&tls->key, tls->credentials, settings, err) || !set_priorities(tls, settings, err))
		return false;
	if (settings->min_dh_prime_bits > 0)
		gnutls_dh_set_prime_bits(tls->session, (unsigned)settings->min_dh_prime_bits);
	/* RFC 6066 section 3: the name of the server is never an address. */
	if (host->size > 0 && gnutls_server_name_set(tls->session, GNUTLS_NAME_DNS, host->data, host->size) < 0)
		return err_set(err, EX_CONFIG, "the host name %s cannot be sent in TLS", buf_text(host));
	if (gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, tls->credentials) < 0)
		return err_set(err, EX_OSERR, "cannot start TLS");
	gnutls_session_set_ptr(tls->session, tls);
	gnutls_session_set_verify_function(tls->session, decide);
	gnutls_transport_set_ptr(tls->session, tls);
	gnutls_transport_set_pull_function(tls->session, pull);
	gnutls_transport_set_vec_push_function(tls->session, push);
	return true;
}

static bool
fail_alert(gnutls_alert_description_t alert, const char *what, struct err *err)
{
	const char *name = gnutls_alert_get_name(alert);

	err_set(err, EX_PROTOCOL, "%s: the server sent the alert '%s'", what, name != NULL ? name : "unknown");
	if (alert == GNUTLS_A_HANDSHAKE_FAILURE || alert == GNUTLS_A_PROTOCOL_VERSION ||
	    alert == GNUTLS_A_INSUFFICIENT_SECURITY)
		err_hint(err, "the server may know only TLS versions and ciphers that are no longer safe; "
		              "'tls_priorities' can allow them");
	return false;
}

/* The library's code as our error. Returns false. */
static bool
fail(struct tls *tls, int code, const char *what, struct err *err)
{
	tls->is_broken = true;
	switch (code) {
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PUSH_ERROR:
		return err_set_errno(err, EX_TEMPFAIL, "%s: connection lost", what);
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_SESSION_EOF:
		return err_set(err, EX_TEMPFAIL, "%s: the server closed the connection", what);
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
		return fail_alert(gnutls_alert_get(tls->session), what, err);
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
		err_set(err, EX_PROTOCOL, "%s: the server offers no TLS version that is new enough", what);
		return err_hint(err, "if the server speaks no TLS at all on this port, see 'tls_starttls'; TLS "
		                     "before 1.2 needs 'tls_priorities'");
	case GNUTLS_E_UNEXPECTED_PACKET:
	case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
	case GNUTLS_E_RECORD_OVERFLOW:
		err_set(err, EX_PROTOCOL, "%s: what the server sent is not TLS (%s)", what, gnutls_strerror(code));
		return err_hint(err, "'tls_starttls off' is for port 465, 'tls_starttls on' for ports 587 and 25");
	case GNUTLS_E_REHANDSHAKE:
		return err_set(err, EX_PROTOCOL, "%s: the server asked for another handshake, which is not safe",
		               what);
	default:
		return err_set(err, EX_PROTOCOL, "%s: %s", what, gnutls_strerror(code));
	}
}

static short
wanted_events(const struct tls *tls)
{
	if (tls->held.size > 0 && !holds_what_can_wait(tls))
		return POLLOUT;
	return gnutls_record_get_direction(tls->session) == 0 ? POLLIN : POLLOUT;
}

static bool
shake_hands(struct tls *tls, int64_t deadline, struct err *err)
{
	static const char what[] = "TLS handshake";

	for (;;) {
		int code = gnutls_handshake(tls->session);

		if (code == 0)
			break;
		if (code == GNUTLS_E_AGAIN) {
			if (wait_fd(tls->fd, wanted_events(tls), deadline))
				continue;
			tls->is_broken = true;
			if (errno == ETIMEDOUT)
				return err_set(err, EX_TEMPFAIL, "%s: timed out", what);
			return err_set_errno(err, EX_TEMPFAIL, "%s", what);
		}
		if (gnutls_error_is_fatal(code) == 0)
			continue;
		fail(tls, code, what, err);
		/* Tell the peer why; it costs no wait. */
		(void)gnutls_alert_send_appropriate(tls->session, code);
		(void)send_held(tls);
		return false;
	}
	/* Ciphers without certificates must not get past the decision. */
	if (!tls->verifier.is_decided)
		return err_set(err, EX_UNAVAILABLE, "the server showed no certificate");
	return verify_remember(&tls->verifier, err);
}

bool
tls_handshake(struct tls **tls, int fd, const struct tls_settings *settings, int64_t deadline, struct err *err)
{
	struct tls *made = mem_alloc(1, sizeof(*made));

	*tls = NULL;
	made->fd = fd;
	made->err = err;
	made->is_shaking_hands = true;
	if (!gnutls_load(err) || !prepare(made, settings, err) || !shake_hands(made, deadline, err)) {
		made->is_broken = true;
		tls_close(made);
		return false;
	}
	made->is_shaking_hands = false;
	made->verified_by = verify_means(&made->verifier);
	made->is_first_contact = made->verifier.is_new;
	made->err = NULL;
	made->key.password = NULL;
	made->idle_bytes = 0;
	/* Files, lists and settings are not needed, nor valid, after the handshake. */
	verify_free(&made->verifier);
	*tls = made;
	return true;
}

ssize_t
tls_read(struct tls *tls, char *data, size_t size, bool *is_truncated, struct err *err)
{
	for (;;) {
		ssize_t n = gnutls_record_recv(tls->session, data, size);

		if (n > 0)
			tls->idle_bytes = 0;
		if (n >= 0)
			return n;
		if (tls->idle_bytes > IDLE_BYTES_MOST) {
			tls->is_broken = true;
			err_set(err, EX_PROTOCOL, "TLS: the server sends records without data");
			return STREAM_FAILED;
		}
		if (n == GNUTLS_E_AGAIN)
			return wanted_events(tls) == POLLIN ? STREAM_WANTS_READ : STREAM_WANTS_WRITE;
		if (n == GNUTLS_E_PREMATURE_TERMINATION) {
			tls->is_broken = true;
			*is_truncated = true;
			return 0;
		}
		if (n == GNUTLS_E_REHANDSHAKE || gnutls_error_is_fatal((int)n) != 0) {
			fail(tls, (int)n, "TLS", err);
			return STREAM_FAILED;
		}
	}
}

ssize_t
tls_write(struct tls *tls, const char *data, size_t size, struct err *err)
{
	for (;;) {
		ssize_t n = tls->is_sending ? gnutls_record_send(tls->session, NULL, 0)
		                            : gnutls_record_send(tls->session, data, size);

		tls->is_sending = n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED;
		if (n > (ssize_t)size) {
			err_set(err, EX_SOFTWARE, "bytes under way inside TLS were taken back");
			return STREAM_FAILED;
		}
		if (n >= 0)
			return n;
		if (n == GNUTLS_E_AGAIN)
			return wanted_events(tls) == POLLIN ? STREAM_WANTS_READ : STREAM_WANTS_WRITE;
		if (gnutls_error_is_fatal((int)n) != 0) {
			fail(tls, (int)n, "TLS", err);
			return STREAM_FAILED;
		}
	}
}

bool
tls_has_input(const struct tls *tls)
{
	return gnutls_record_check_pending(tls->session) > 0;
}

static void
describe_peer(gnutls_x509_crt_t certificate, struct tls_facts *facts)
{
	unsigned char octets[DIGEST_SHA256_SIZE] = {0};

	describe_certificate(certificate, &facts->certificate);
	if (digest_of_key(certificate, octets))
		digest_add_pin(octets, &facts->key);
}

void
tls_describe(const struct tls *tls, struct tls_facts *facts)
{
	const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(tls->session));
	char *description = gnutls_session_get_desc(tls->session);
	unsigned n = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(tls->session, &n);
	gnutls_x509_crt_t certificate = NULL;

	*facts = (struct tls_facts){.version = version != NULL ? version : "",
	                            .is_verified = strcmp(tls->verified_by, "none") != 0,
	                            .verified_by = tls->verified_by,
	                            .is_first_contact = tls->is_first_contact};
	snprintf(facts->cipher, sizeof(facts->cipher), "%s", description != NULL ? description : "");
	gnutls_free(description);
	if (list == NULL || n == 0 || gnutls_x509_crt_init(&certificate) < 0)
		return;
	if (gnutls_x509_crt_import(certificate, &list[0], GNUTLS_X509_FMT_DER) >= 0)
		describe_peer(certificate, facts);
	gnutls_x509_crt_deinit(certificate);
}

void
tls_facts_free(struct tls_facts *facts)
{
	buf_free(&facts->certificate);
	buf_free(&facts->key);
}

bool
tls_channel_binding(const struct tls *tls, bool *is_exporter, struct buf *data)
{
	gnutls_datum_t binding = {0};

	*is_exporter = gnutls_protocol_get_version(tls->session) == GNUTLS_TLS1_3;
	/* RFC 7627: without the extended master secret a man in the middle can make both ends agree. */
	if (!*is_exporter && gnutls_session_ext_master_secret_status(tls->session) == 0)
		return false;
	if (gnutls_session_channel_binding(
		    tls->session, *is_exporter ? GNUTLS_CB_TLS_EXPORTER : GNUTLS_CB_TLS_UNIQUE, &binding) < 0)
		return false;
	buf_add(data, binding.data, binding.size);
	gnutls_free(binding.data);
	return true;
}

void
tls_close(struct tls *tls)
{
	if (tls == NULL)
		return;
	if (!tls->is_broken && !tls->is_sending)
		(void)gnutls_bye(tls->session, GNUTLS_SHUT_WR);
	tls_forget(tls);
}

void
tls_forget(struct tls *tls)
{
	if (tls == NULL)
		return;
	if (tls->session != NULL)
		gnutls_deinit(tls->session);
	if (tls->credentials != NULL)
		gnutls_certificate_free_credentials(tls->credentials);
	verify_free(&tls->verifier);
	buf_free(&tls->held);
	free(tls);
}

const char *
tls_library_version(void)
{
	const char *version = NULL;
	struct err err = {0};

	if (gnutls_load(&err))
		version = gnutls_check_version(NULL);
	err_clear(&err);
	return version == NULL ? "(cannot be loaded)" : version;
}
