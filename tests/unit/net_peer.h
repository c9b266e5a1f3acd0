/* net_peer.h - a peer in a forked child, plain or TLS, and the certificates it shows: for the tests of src/net. */

#ifndef TESTS_UNIT_NET_PEER_H
#define TESTS_UNIT_NET_PEER_H

#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A child that serves the other end of a socket pair. */
struct net_peer {
	pid_t pid;
	int fd; /* ours, non-blocking */
};

static inline void
net_sleep_ms(int ms)
{
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&pause, NULL);
}

/* The exit status of the child is what serve returns. */
static inline struct net_peer
net_peer_start(int (*serve)(int fd, const void *argument), const void *argument)
{
	struct net_peer peer = {.fd = -1};
	int ends[2] = {-1, -1};

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		abort();
	fflush(stdout);
	peer.pid = fork();
	if (peer.pid == 0) {
		close(ends[0]);
		signal(SIGPIPE, SIG_IGN);
		alarm(60);
		_exit(serve(ends[1], argument));
	}
	close(ends[1]);
	fcntl(ends[0], F_SETFL, fcntl(ends[0], F_GETFL) | O_NONBLOCK);
	peer.fd = ends[0];
	return peer;
}

/* Wait for the child by itself; its exit status, -1 when a signal ended it. */
static inline int
net_peer_wait(struct net_peer *peer)
{
	int status = 0;

	if (peer->pid <= 0 || waitpid(peer->pid, &status, 0) < 0)
		return -1;
	peer->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* End it, whatever it does. */
static inline void
net_peer_end(struct net_peer *peer)
{
	if (peer->pid > 0) {
		kill(peer->pid, SIGKILL);
		(void)net_peer_wait(peer);
	}
}

/* A certificate with its key. */
struct issued {
	gnutls_x509_crt_t certificate;
	gnutls_x509_privkey_t key;
};

/* What is to be made; zero fields give a good server certificate without names. */
struct recipe {
	const char *common_name;
	const char *names[8]; /* dNSNames */
	const char *raw_name; /* the only dNSName, with any octets; instead of all the others */
	size_t raw_name_size;
	unsigned char address[16]; /* iPAddress */
	size_t address_size;
	const char *email;
	long from_seconds; /* validity, relative to now; both 0: a day around now */
	long until_seconds;
	const char *purpose; /* NULL: serverAuth */
	bool is_authority;
	bool is_must_staple;
	unsigned rsa_bits;                /* 0: ECDSA P-256 */
	gnutls_digest_algorithm_t digest; /* 0: SHA-256 */
	const struct issued *issuer;      /* NULL: self-signed */
	const struct issued *key_of;      /* whose key it is; NULL: a new one */
};

static inline void
issue_names(gnutls_x509_crt_t certificate, const struct recipe *recipe)
{
	const unsigned append = GNUTLS_FSAN_APPEND;
	unsigned char der[128] = {0x30, 0, 0x82, 0};

	/* The library would tidy the name. */
	if (recipe->raw_name != NULL) {
		der[1] = (unsigned char)(recipe->raw_name_size + 2);
		der[3] = (unsigned char)recipe->raw_name_size;
		memcpy(der + 4, recipe->raw_name, recipe->raw_name_size);
		gnutls_x509_crt_set_extension_by_oid(certificate, "2.5.29.17", der, recipe->raw_name_size + 4, 0);
		return;
	}
	for (size_t i = 0; i < 8 && recipe->names[i] != NULL; i++)
		gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, recipe->names[i],
		                                     (unsigned)strlen(recipe->names[i]), append);
	if (recipe->address_size > 0)
		gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, recipe->address,
		                                     (unsigned)recipe->address_size, append);
	if (recipe->email != NULL)
		gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_RFC822NAME, recipe->email,
		                                     (unsigned)strlen(recipe->email), append);
}

/* The library sees some things only in a certificate that was parsed. */
static inline gnutls_x509_crt_t
parse_again(gnutls_x509_crt_t certificate)
{
	gnutls_x509_crt_t parsed = NULL;
	gnutls_datum_t der = {0};

	if (gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der) < 0 ||
	    gnutls_x509_crt_init(&parsed) < 0 || gnutls_x509_crt_import(parsed, &der, GNUTLS_X509_FMT_DER) < 0)
		abort();
	gnutls_free(der.data);
	gnutls_x509_crt_deinit(certificate);
	return parsed;
}

static inline struct issued
issue(const struct recipe *recipe)
{
	static unsigned n_issued;
	static const unsigned char must_staple[] = {0x30, 0x03, 0x02, 0x01, 0x05};
	unsigned char serial[3] = {1, 0, 0};
	struct issued made = {0};
	const char *name = recipe->common_name != NULL ? recipe->common_name : "peer";
	const char *purpose = recipe->purpose != NULL ? recipe->purpose : GNUTLS_KP_TLS_WWW_SERVER;
	bool has_dates = recipe->from_seconds != 0 || recipe->until_seconds != 0;
	time_t now = time(NULL);

	gnutls_x509_privkey_init(&made.key);
	if (recipe->key_of != NULL)
		gnutls_x509_privkey_cpy(made.key, recipe->key_of->key);
	else if (recipe->rsa_bits > 0)
		gnutls_x509_privkey_generate(made.key, GNUTLS_PK_RSA, recipe->rsa_bits, 0);
	else
		gnutls_x509_privkey_generate(made.key, GNUTLS_PK_ECDSA,
		                             GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_init(&made.certificate);
	gnutls_x509_crt_set_version(made.certificate, 3);
	n_issued++;
	serial[1] = (unsigned char)(n_issued >> 8);
	serial[2] = (unsigned char)n_issued;
	gnutls_x509_crt_set_serial(made.certificate, serial, sizeof(serial));
	gnutls_x509_crt_set_dn_by_oid(made.certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
	                              (unsigned)strlen(name));
	gnutls_x509_crt_set_activation_time(made.certificate, now + (has_dates ? recipe->from_seconds : -86400));
	gnutls_x509_crt_set_expiration_time(made.certificate, now + (has_dates ? recipe->until_seconds : 86400));
	gnutls_x509_crt_set_key(made.certificate, made.key);
	gnutls_x509_crt_set_basic_constraints(made.certificate, recipe->is_authority, -1);
	if (recipe->is_authority) {
		gnutls_x509_crt_set_key_usage(made.certificate, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
	} else {
		gnutls_x509_crt_set_key_usage(made.certificate, GNUTLS_KEY_DIGITAL_SIGNATURE);
		gnutls_x509_crt_set_key_purpose_oid(made.certificate, purpose, 0);
	}
	issue_names(made.certificate, recipe);
	if (recipe->is_must_staple)
		gnutls_x509_crt_set_extension_by_oid(made.certificate, GNUTLS_X509EXT_OID_TLSFEATURES, must_staple,
		                                     sizeof(must_staple), 0);
	if (gnutls_x509_crt_sign2(made.certificate,
	                          recipe->issuer != NULL ? recipe->issuer->certificate : made.certificate,
	                          recipe->issuer != NULL ? recipe->issuer->key : made.key,
	                          recipe->digest != 0 ? recipe->digest : GNUTLS_DIG_SHA256, 0) < 0)
		abort();
	made.certificate = parse_again(made.certificate);
	return made;
}

static inline void
issued_free(struct issued *issued)
{
	if (issued->certificate != NULL)
		gnutls_x509_crt_deinit(issued->certificate);
	if (issued->key != NULL)
		gnutls_x509_privkey_deinit(issued->key);
	*issued = (struct issued){0};
}

/* A directory for the files of one test program. */
static inline const char *
scratch_directory(void)
{
	static char path[64];

	if (path[0] == '\0') {
		snprintf(path, sizeof(path), "/tmp/net-test-XXXXXX");
		if (mkdtemp(path) == NULL)
			abort();
	}
	return path;
}

static inline char *
scratch_path(const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", scratch_directory(), name) < 0)
		abort();
	return path;
}

static inline void
write_file(const char *path, const char *mode, const void *data, size_t size)
{
	FILE *file = fopen(path, mode);

	if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		abort();
}

/* Append the certificate in PEM to the file. */
static inline void
write_certificate(const char *path, gnutls_x509_crt_t certificate)
{
	gnutls_datum_t pem = {0};

	if (gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem) < 0)
		abort();
	write_file(path, "a", pem.data, pem.size);
	gnutls_free(pem.data);
}

static inline void
write_key(const char *path, gnutls_x509_privkey_t key)
{
	gnutls_datum_t pem = {0};

	if (gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem) < 0)
		abort();
	write_file(path, "w", pem.data, pem.size);
	gnutls_free(pem.data);
}

/* Remove the directory and the files in it that the names list. */
static inline void
scratch_remove(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf -- '%s'", scratch_directory());
	if (system(command) != 0)
		fprintf(stderr, "%s is left\n", scratch_directory());
}

/* How a TLS server behaves. Exit status: 0 all went well, 1 the handshake failed, 2 what `after` says. */
struct tls_server {
	const struct issued *chain[3]; /* its own first */
	const char *priorities;        /* NULL: NORMAL */
	unsigned flags;                /* of gnutls_init, besides GNUTLS_SERVER */
	bool forbids_sni;              /* a server name ends the session with status 3 */
	bool has_tickets;
	const struct issued *client_authority;
	int (*after)(gnutls_session_t session, int fd);
};

static inline int
tls_server_run(int fd, const void *argument)
{
	const struct tls_server *server = argument;
	gnutls_certificate_credentials_t credentials = NULL;
	gnutls_x509_crt_t list[3] = {NULL};
	gnutls_session_t session = NULL;
	gnutls_datum_t ticket_key = {0};
	int n = 0;
	int code;

	while (n < 3 && server->chain[n] != NULL) {
		list[n] = server->chain[n]->certificate;
		n++;
	}
	gnutls_certificate_allocate_credentials(&credentials);
	if (gnutls_certificate_set_x509_key(credentials, list, n, server->chain[0]->key) < 0)
		return 9;
	gnutls_init(&session, GNUTLS_SERVER | server->flags | (server->has_tickets ? 0 : GNUTLS_NO_TICKETS));
	if (gnutls_priority_set_direct(session, server->priorities != NULL ? server->priorities : "NORMAL", NULL) <
	    0)
		return 8;
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	if (server->client_authority != NULL) {
		gnutls_x509_crt_t authority = server->client_authority->certificate;

		gnutls_certificate_set_x509_trust(credentials, &authority, 1);
		gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
	}
	if (server->has_tickets) {
		gnutls_session_ticket_key_generate(&ticket_key);
		gnutls_session_ticket_enable_server(session, &ticket_key);
	}
	gnutls_transport_set_int(session, fd);
	gnutls_handshake_set_timeout(session, 20000);
	do
		code = gnutls_handshake(session);
	while (code < 0 && gnutls_error_is_fatal(code) == 0);
	if (code < 0) {
		gnutls_alert_send_appropriate(session, code);
		return 1;
	}
	if (server->forbids_sni) {
		char name[256];
		size_t size = sizeof(name);
		unsigned type = 0;

		if (gnutls_server_name_get(session, name, &size, &type, 0) == 0)
			return 3;
	}
	return server->after != NULL ? server->after(session, fd) : 0;
}

#endif
