/* tls.h - TLS by GnuTLS for one connection, and the decision whether the peer is who it should be.
 *
 * Nothing is sent inside TLS before that decision. Names come from the subjectAltName only (RFC 9525), the extended
 * key usage must allow a server, chains are held to PROFILE_MEDIUM, TLS 1.2 is the least. */

#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct dane;
struct tls;

/* What is made of stapled OCSP responses (RFC 6066 8). */
enum tls_ocsp {
	TLS_OCSP_ON,     /* one that is there must be good; a certificate that demands one must have one (RFC 7633) */
	TLS_OCSP_OFF,    /* they are not asked for */
	TLS_OCSP_REQUIRE /* a good one must be there */
};

/* Trust on first use: the key that the server showed at the first contact must be the same ever after. */
struct tls_acquaintance {
	const char *file;    /* of known.h. NULL: there is no such trust */
	const char *server;  /* "HOST:PORT": the name in it */
	const char *command; /* for the hint: what, with the server's name behind, forgets its key */
};

/* What is wrong with a certificate, for statistics; the errors say it in words. */
enum tls_fault {
	TLS_FAULT_NONE,
	TLS_FAULT_NAME,
	TLS_FAULT_EXPIRED,
	TLS_FAULT_UNTRUSTED, /* an authority that is not known, TLSA records that do not fit */
	TLS_FAULT_OTHER
};

struct tls_settings {
	const char *host;        /* reference identity and SNI (no SNI when it is an address literal) */
	const char *trust_file;  /* "system", a path of PEM certificates or of a folder of them, or "" for none */
	const char *crl_file;    /* NULL: none; one that cannot be read is an error (EX_CONFIG) */
	const char *fingerprint; /* SHA-256, SHA-1 or MD5 of the certificate, by length, hex with ':' or blanks;
	                            instead of trust and name, or with the word "also" in front in addition to whatever
	                            else decides. NULL: none */
	const char *pin;         /* SPKI SHA-256 digests ("sha256/BASE64" or hex), separated by commas or blanks; in
	                            addition to whatever else decides, or with the word "only" in front instead of trust
	                            and name. NULL: none */
	const char *key_file;    /* client certificate: PEM file or pkcs11: URI. NULL: none */
	const char *cert_file;
	const char *key_password; /* passphrase of key_file, PIN of its token; borrowed until the handshake is over.
	                             NULL: none */
	const char *priorities;   /* replaces our whole priority string. NULL: ours */
	int min_version;          /* 12 or 13 */
	int min_dh_prime_bits;    /* 0: the library's */
	bool is_unchecked;        /* tls_certcheck off: accept any certificate that what is asked "in addition" accepts */
	enum tls_ocsp ocsp;
	struct tls_acquaintance acquaintance; /* instead of trust and name; the dates and the strength of the key count */
	const struct dane *dane;  /* TLSA records of the server, which decide alone: nothing above counts, and host is the TLSA
	                             base domain. If none of those there were can be used, any certificate is accepted.
	                             NULL: none */
	bool is_of_others;        /* no hint may suggest to accept the certificate by other settings */
	bool is_advisory;         /* find out what is wrong with the certificate, and go on all the same */
	enum tls_fault *fault;    /* where to put that; NULL: nobody wants to know */
};

/* What is known about the peer after the handshake, for --serverinfo, logs and debug. Text is cleaned. */
struct tls_facts {
	const char *version; /* "TLS1.3"; constant */
	char cipher[96];     /* version, key exchange and cipher as GnuTLS describes them */
	bool is_verified;
	const char *verified_by; /* "dane", "pkix", "fingerprint", "pin" (and nothing else), "tofu", "none"; constant */
	bool is_first_contact;  /* the server's key was remembered just now: say so */
	struct buf key;         /* its pin, "sha256/BASE64" */
	struct buf certificate; /* several lines: owner, issuer, validity, fingerprints, as msmtp's --serverinfo
	                           prints */
};

/* Prepare and run the handshake on fd (non-blocking) before the deadline. False: EX_CONFIG (trust file, CRL, key,
 * priorities or file of known keys unusable), EX_CANTCREAT or EX_IOERR (the key of a first contact cannot be remembered),
 * EX_UNAVAILABLE (the certificate: err says what is wrong with it, what was expected and what was presented, and a hint; or
 * GnuTLS cannot be loaded), EX_PROTOCOL (handshake broken, version too old), EX_TEMPFAIL (timeout, connection lost).
 * *tls is NULL then. */
bool tls_handshake(struct tls **tls, int fd, const struct tls_settings *settings, int64_t deadline,
                   struct err *err);

/* As stream.h demands of its layer: bytes, 0 at a clean end, STREAM_FAILED, STREAM_WANTS_READ, STREAM_WANTS_WRITE.
 * *is_truncated: the end came without close_notify. After STREAM_WANTS_... tls_write must be given the same bytes
 * again (more may follow them). */
ssize_t tls_read(struct tls *tls, char *data, size_t size, bool *is_truncated, struct err *err);
ssize_t tls_write(struct tls *tls, const char *data, size_t size, struct err *err);

/* Can tls_read return bytes without a read from the socket? */
bool tls_has_input(const struct tls *tls);

void tls_describe(const struct tls *tls, struct tls_facts *facts);
void tls_facts_free(struct tls_facts *facts);

/* Channel binding data (RFC 9266 tls-exporter for TLS 1.3, RFC 5929 tls-unique for 1.2 with the extended master
 * secret only). False: there is none. */
bool tls_channel_binding(const struct tls *tls, bool *is_exporter, struct buf *data);

/* Send close_notify if that needs no wait, free. NULL is harmless. */
void tls_close(struct tls *tls);

/* Free without a word to the peer: another process goes on with the connection. NULL is harmless. */
void tls_forget(struct tls *tls);

/* Version text of the library for --version, or that it cannot be loaded. Constant. */
const char *tls_library_version(void);

#endif
