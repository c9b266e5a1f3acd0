/* trust.c - scans a PEM bundle, or those files of a folder that matter, for the few authorities that a chain needs. Reads
 * in steps; memory does not grow with a file. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "net/folder.h"
#include "net/gnutls.h"
#include "net/subject.h"
#include "net/trust.h"

enum {
	READ_STEP = 32768,
	BLOCK_MOST = 1 << 20, /* bytes of one PEM block */
	PREFIX_SIZE = 512,    /* bytes of a certificate that nearly always reach beyond its subject */
	CRL_MOST = 64 << 20
};

/* Where systems keep their bundle: Debian, Fedora, openSUSE, Alpine and the BSDs. */
static const char *const system_bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
	"/usr/local/share/certs/ca-root-nss.crt",
};

/* Base64 (RFC 4648): the value plus one, END for the padding, BLANK for what may stand between, 0 for all that must
 * not. */
enum { END = 65, BLANK = 66 };
static const unsigned char base64_values[256] = {
	['A'] = 1,  ['B'] = 2,   ['C'] = 3,      ['D'] = 4,      ['E'] = 5,     ['F'] = 6,      ['G'] = 7,
	['H'] = 8,  ['I'] = 9,   ['J'] = 10,     ['K'] = 11,     ['L'] = 12,    ['M'] = 13,     ['N'] = 14,
	['O'] = 15, ['P'] = 16,  ['Q'] = 17,     ['R'] = 18,     ['S'] = 19,    ['T'] = 20,     ['U'] = 21,
	['V'] = 22, ['W'] = 23,  ['X'] = 24,     ['Y'] = 25,     ['Z'] = 26,    ['a'] = 27,     ['b'] = 28,
	['c'] = 29, ['d'] = 30,  ['e'] = 31,     ['f'] = 32,     ['g'] = 33,    ['h'] = 34,     ['i'] = 35,
	['j'] = 36, ['k'] = 37,  ['l'] = 38,     ['m'] = 39,     ['n'] = 40,    ['o'] = 41,     ['p'] = 42,
	['q'] = 43, ['r'] = 44,  ['s'] = 45,     ['t'] = 46,     ['u'] = 47,    ['v'] = 48,     ['w'] = 49,
	['x'] = 50, ['y'] = 51,  ['z'] = 52,     ['0'] = 53,     ['1'] = 54,    ['2'] = 55,     ['3'] = 56,
	['4'] = 57, ['5'] = 58,  ['6'] = 59,     ['7'] = 60,     ['8'] = 61,    ['9'] = 62,     ['+'] = 63,
	['/'] = 64, ['='] = END, ['\n'] = BLANK, ['\r'] = BLANK, [' '] = BLANK, ['\t'] = BLANK,
};

/* The scan of one file, or of several. */
struct scan {
	gnutls_datum_t *names; /* DER names that make a certificate matter */
	size_t n_names;
	size_t n_seen; /* certificates in the files */
	gnutls_x509_trust_list_t list;
	struct buf der; /* the block at hand, decoded */
};

void
chain_free(struct chain *chain)
{
	for (unsigned i = 0; i < chain->n; i++)
		gnutls_x509_crt_deinit(chain->certificates[i]);
	free(chain->certificates);
	*chain = (struct chain){0};
}

bool
trust_open(const char *trust_file, int *fd, const char **path, struct err *err)
{
	bool is_system = trust_file == NULL || strcmp(trust_file, "system") == 0;

	*fd = -1;
	*path = trust_file;
	for (size_t i = 0; is_system && i < sizeof(system_bundles) / sizeof(system_bundles[0]); i++)
		if (access(system_bundles[i], F_OK) == 0) {
			*path = system_bundles[i];
			is_system = false;
		}
	if (is_system) {
		err_set(err, EX_CONFIG, "this system has no bundle of certification authorities");
		return err_hint(
			err, "install the package ca-certificates, or set 'tls_trust_file' or 'tls_fingerprint'");
	}
	if (file_open_read(*path, fd, err))
		return true;
	err->exit_code = EX_CONFIG;
	return err_prefix(err, "tls_trust_file");
}

/* Four characters at once: three octets at out. False when one of them is not of the alphabet. */
static bool
decode_quad(const char *text, char *out)
{
	const unsigned char *octets = (const unsigned char *)text;
	unsigned a = base64_values[octets[0]] - 1U;
	unsigned b = base64_values[octets[1]] - 1U;
	unsigned c = base64_values[octets[2]] - 1U;
	unsigned d = base64_values[octets[3]] - 1U;
	unsigned bits = a << 18 | b << 12 | c << 6 | d;

	if ((a | b | c | d) > 63)
		return false;
	out[0] = (char)(bits >> 16 & 0xff);
	out[1] = (char)(bits >> 8 & 0xff);
	out[2] = (char)(bits & 0xff);
	return true;
}

/* Decode the text, but not more than `most` bytes, into der. False: it is not base64. */
static bool
decode_base64(struct str text, size_t most, struct buf *der)
{
	unsigned bits = 0;
	unsigned n_bits = 0;
	size_t size = 0;
	char *out;

	buf_clear(der);
	if (most > text.size)
		most = text.size;
	out = buf_reserve(der, most);
	for (size_t i = 0; i < text.size && size < most; i++) {
		unsigned value;

		while (n_bits == 0 && i + 4 <= text.size && size + 3 <= most &&
		       decode_quad(text.data + i, out + size)) {
			i += 4;
			size += 3;
		}
		if (i == text.size || size == most)
			break;
		value = base64_values[(unsigned char)text.data[i]];
		if (value == END)
			break;
		if (value == 0)
			return false;
		if (value == BLANK)
			continue;
		bits = bits << 6 | (value - 1);
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			out[size++] = (char)(bits >> n_bits & 0xff);
		}
	}
	buf_grow(der, size);
	return true;
}

static bool
is_needed(const struct scan *scan, struct str subject)
{
	for (size_t i = 0; i < scan->n_names; i++)
		if (scan->names[i].size == subject.size &&
		    memcmp(scan->names[i].data, subject.data, subject.size) == 0)
			return true;
	return false;
}

/* One certificate of the file, as base64. One that is broken cannot vouch for anybody and is passed over. */
static void
take_certificate(struct scan *scan, struct str base64)
{
	struct str subject = {0};
	gnutls_x509_crt_t certificate = NULL;
	gnutls_datum_t whole = {0};

	if (!decode_base64(base64, PREFIX_SIZE, &scan->der))
		return;
	if (!subject_find(buf_str(&scan->der), &subject) &&
	    (!decode_base64(base64, BLOCK_MOST, &scan->der) || !subject_find(buf_str(&scan->der), &subject)))
		return;
	scan->n_seen++;
	if (!is_needed(scan, subject) || !decode_base64(base64, BLOCK_MOST, &scan->der))
		return;
	whole.data = (unsigned char *)scan->der.data;
	whole.size = (unsigned)scan->der.size;
	if (gnutls_x509_crt_init(&certificate) < 0)
		return;
	if (gnutls_x509_crt_import(certificate, &whole, GNUTLS_X509_FMT_DER) < 0 ||
	    gnutls_x509_trust_list_add_cas(scan->list, &certificate, 1, 0) != 1)
		gnutls_x509_crt_deinit(certificate);
}

/* Take all whole PEM blocks off the front of b. False: nothing more can come of it (a block without end). */
static bool
take_blocks(struct scan *scan, struct buf *b)
{
	const struct str begin = STR("-----BEGIN ");

	for (;;) {
		const char *start = b->size > 0 ? memmem(b->data, b->size, begin.data, begin.size) : NULL;
		const char *stop;
		struct str block;
		struct str base64;

		if (start == NULL) {
			if (b->size >= begin.size)
				buf_consume(b, b->size - (begin.size - 1));
			return true;
		}
		buf_consume(b, (size_t)(start - b->data));
		block = str_from(buf_str(b), begin.size);
		base64 = str_from(block, str_find(block, '\n'));
		/* The alphabet of base64 has no hyphen: the next one begins the end of the block. */
		stop = base64.size > 0 ? memchr(base64.data, '-', base64.size) : NULL;
		if (stop == NULL)
			return b->size < BLOCK_MOST;
		base64 = str_first(base64, (size_t)(stop - base64.data));
		if (str_starts_with(block, STR("CERTIFICATE-----")) ||
		    str_starts_with(block, STR("X509 CERTIFICATE-----")))
			take_certificate(scan, base64);
		buf_consume(b, (size_t)(stop - b->data));
	}
}

/* The names of which a certificate may matter. */
static bool
collect_names(struct scan *scan, const struct chain *chain, struct err *err)
{
	scan->names = mem_alloc(2 * (size_t)chain->n, sizeof(*scan->names));
	for (unsigned i = 0; i < chain->n; i++) {
		if (gnutls_x509_crt_get_raw_dn(chain->certificates[i], &scan->names[scan->n_names]) < 0)
			return err_set(err, EX_UNAVAILABLE, "certificate without a readable subject");
		scan->n_names++;
		if (gnutls_x509_crt_get_raw_issuer_dn(chain->certificates[i], &scan->names[scan->n_names]) < 0)
			return err_set(err, EX_UNAVAILABLE, "certificate without a readable issuer");
		scan->n_names++;
	}
	return true;
}

static bool
read_blocks(struct scan *scan, int fd, const char *path, struct err *err)
{
	struct buf b = {0};
	ssize_t n;

	do {
		n = read(fd, buf_reserve(&b, READ_STEP), READ_STEP);
		if (n > 0)
			buf_grow(&b, (size_t)n);
		if (n < 0 && errno != EINTR)
			err_set_errno(err, EX_CONFIG, "reading tls_trust_file %s", path);
	} while (!err_is_set(err) && n != 0 && take_blocks(scan, &b));
	buf_free(&b);
	return !err_is_set(err);
}

/* One file of a folder. A link that leads nowhere, and what is no file, is not there. */
static bool
read_member(struct scan *scan, int folder, const char *folder_path, const char *name, struct err *err)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat facts = {0};
	struct buf path = {0};
	bool is_good = true;

	buf_printf(&path, "%s/%s", folder_path, name);
	if (fd < 0)
		is_good = errno == ENOENT || errno == ELOOP || errno == ENXIO ||
		          err_set_errno(err, EX_CONFIG, "cannot open %s of tls_trust_file", buf_text(&path));
	else if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode))
		is_good = read_blocks(scan, fd, buf_text(&path), err);
	if (fd >= 0)
		close(fd);
	buf_free(&path);
	return is_good;
}

static bool
read_folder(struct scan *scan, int fd, const char *path, struct err *err)
{
	uint32_t *hashes = mem_alloc(scan->n_names, sizeof(*hashes));
	struct folder folder = {0};
	size_t n_hashes = 0;
	bool is_good;

	/* A name without a hash cannot be filed under one. */
	for (size_t i = 0; i < scan->n_names; i++)
		n_hashes += subject_hash(str_make((const char *)scan->names[i].data, scan->names[i].size),
		                         &hashes[n_hashes]);
	is_good = folder_choose(&folder, fd, hashes, n_hashes, err) || err_prefix(err, "tls_trust_file %s", path);
	for (size_t i = 0; is_good && i < folder.n_names; i++)
		is_good = read_member(scan, fd, path, folder.names[i], err);
	scan->n_seen += folder.n_passed_over;
	folder_free(&folder);
	free(hashes);
	return is_good;
}

static bool
is_folder(int fd)
{
	struct stat facts = {0};

	return fstat(fd, &facts) == 0 && S_ISDIR(facts.st_mode);
}

bool
trust_collect(int fd, const char *path, const struct chain *chain, gnutls_x509_trust_list_t list, struct err *err)
{
	struct scan scan = {.list = list};
	bool is_good = collect_names(&scan, chain, err) &&
	               (is_folder(fd) ? read_folder : read_blocks)(&scan, fd, path, err);

	if (is_good && scan.n_seen == 0)
		is_good = err_set(err, EX_CONFIG, "tls_trust_file %s holds no certificate", path);
	for (size_t i = 0; i < scan.n_names; i++)
		gnutls_free(scan.names[i].data);
	free(scan.names);
	buf_free(&scan.der);
	return is_good;
}

/* None of the lists may have had a successor for long: what was revoked since is not in it. */
static bool
check_dates(const gnutls_x509_crl_t *crls, unsigned n, const char *path, struct err *err)
{
	struct buf date = {0};

	for (unsigned i = 0; i < n && !err_is_set(err); i++) {
		time_t next = gnutls_x509_crl_get_next_update(crls[i]);

		if (next == (time_t)-1 || next >= time(NULL))
			continue;
		clock_add_timestamp(&date, next);
		err_set(err, EX_CONFIG, "tls_crl_file %s is out of date since %s", path, buf_text(&date));
	}
	buf_free(&date);
	return !err_is_set(err);
}

bool
trust_add_crl(gnutls_x509_trust_list_t list, const char *path, struct err *err)
{
	gnutls_x509_crl_t *crls = NULL;
	unsigned n = 0;
	struct buf text = {0};
	gnutls_datum_t pem = {0};
	int code;

	if (!file_read_path(path, CRL_MOST, &text, err)) {
		err->exit_code = EX_CONFIG;
		return err_prefix(err, "tls_crl_file");
	}
	pem.data = (unsigned char *)text.data;
	pem.size = (unsigned)text.size;
	code = text.size == 0 ? GNUTLS_E_NO_CERTIFICATE_FOUND
	                      : gnutls_x509_crl_list_import2(&crls, &n, &pem, GNUTLS_X509_FMT_PEM, 0);
	buf_free(&text);
	if (code < 0)
		return err_set(err, EX_CONFIG, "tls_crl_file %s holds no revocation list: %s", path,
		               gnutls_strerror(code));
	if (!check_dates(crls, n, path, err)) {
		for (unsigned i = 0; i < n; i++)
			gnutls_x509_crl_deinit(crls[i]);
		gnutls_free(crls);
		return false;
	}
	/* The list takes over each of them, but not the array. */
	code = gnutls_x509_trust_list_add_crls(list, crls, n, 0, 0);
	gnutls_free(crls);
	return code >= 0 || err_set(err, EX_CONFIG, "tls_crl_file %s: %s", path, gnutls_strerror(code));
}
