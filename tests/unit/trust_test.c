/* trust_test.c - a lazily read bundle gives the verdict of one that is read whole. */

#include "config.h"

#include "base/clock.h"
#include <sys/stat.h>

#include "net/gnutls.h"
#include "net/subject.h"
#include "net/trust.h"
#include "net_peer.h"
#include "tap.h"

static const char system_bundle[] = "/etc/ssl/certs/ca-certificates.crt";

/* The verdict about the chain, by the list. */
static unsigned
judge(gnutls_x509_trust_list_t list, const struct chain *chain)
{
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
	                                 .data = (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER};
	unsigned status = 0;

	if (gnutls_x509_trust_list_verify_crt2(list, chain->certificates, chain->n, &purpose, 1,
	                                       GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM), &status, NULL) < 0)
		abort();
	return status;
}

static unsigned
judge_lazily(const char *path, const struct chain *chain, bool *is_read)
{
	gnutls_x509_trust_list_t list = NULL;
	struct err err = {0};
	const char *opened = NULL;
	int fd = -1;
	unsigned verdict;

	gnutls_x509_trust_list_init(&list, 0);
	*is_read = trust_open(path, &fd, &opened, &err) && trust_collect(fd, opened, chain, list, &err);
	if (fd >= 0)
		close(fd);
	if (!*is_read)
		tap_note("%s", buf_text(&err.text));
	err_clear(&err);
	verdict = judge(list, chain);
	gnutls_x509_trust_list_deinit(list, 1);
	return verdict;
}

static gnutls_x509_trust_list_t
whole_list(const char *path)
{
	gnutls_x509_trust_list_t list = NULL;

	gnutls_x509_trust_list_init(&list, 0);
	if (gnutls_x509_trust_list_add_trust_file(list, path, NULL, GNUTLS_X509_FMT_PEM, 0, 0) < 0)
		abort();
	return list;
}

/* Both verdicts about a chain: by the file read lazily and by the list of all that is in it. */
static bool
is_same(const char *path, gnutls_x509_trust_list_t whole, const struct chain *chain, unsigned *verdict)
{
	bool is_read = false;
	unsigned lazy = judge_lazily(path, chain, &is_read);

	*verdict = judge(whole, chain);
	if (lazy != *verdict)
		tap_note("lazy 0x%x, whole 0x%x", lazy, *verdict);
	return is_read && lazy == *verdict;
}

static gnutls_x509_crt_t *
read_bundle(unsigned *n)
{
	gnutls_datum_t pem = {0};
	gnutls_x509_crt_t *list = NULL;

	*n = 0;
	if (gnutls_load_file(system_bundle, &pem) < 0)
		return NULL;
	if (gnutls_x509_crt_list_import2(&list, n, &pem, GNUTLS_X509_FMT_PEM, 0) < 0)
		list = NULL;
	gnutls_free(pem.data);
	return list;
}

/* A folder with a file for each certificate of the list: under the hash of its subject, or under another name. */
static char *
make_folder(const char *name, const gnutls_x509_crt_t *list, unsigned n, bool is_hashed)
{
	char *folder = scratch_path(name);

	if (mkdir(folder, 0700) != 0)
		abort();
	for (unsigned i = 0; i < n; i++) {
		struct buf path = {0};
		gnutls_datum_t subject = {0};
		uint32_t hash = 0;

		if (gnutls_x509_crt_get_raw_dn(list[i], &subject) < 0 ||
		    !subject_hash(str_make((const char *)subject.data, subject.size), &hash))
			abort();
		if (is_hashed) {
			unsigned number = 0;

			do {
				buf_clear(&path);
				buf_printf(&path, "%s/%08x.%u", folder, (unsigned)hash, number++);
			} while (access(buf_text(&path), F_OK) == 0);
		} else {
			buf_printf(&path, "%s/authority %u.pem", folder, i);
		}
		write_certificate(buf_text(&path), list[i]);
		gnutls_free(subject.data);
		buf_free(&path);
	}
	return folder;
}

/* The ways to give the same authorities: one file, a folder with hashes, one without. */
enum { N_WAYS = 3 };

struct ways {
	char *paths[N_WAYS];
	gnutls_x509_trust_list_t whole; /* the file, read whole by the library */
};

static struct ways
make_ways(const char *name, char *file, const gnutls_x509_crt_t *list, unsigned n)
{
	struct ways ways = {.paths = {file}, .whole = whole_list(file)};
	struct buf folder = {0};

	buf_printf(&folder, "%s hashed", name);
	ways.paths[1] = make_folder(buf_text(&folder), list, n, true);
	buf_add_text(&folder, " not");
	ways.paths[2] = make_folder(buf_text(&folder), list, n, false);
	buf_free(&folder);
	return ways;
}

static void
ways_free(struct ways *ways)
{
	for (size_t i = 0; i < N_WAYS; i++)
		free(ways->paths[i]);
	gnutls_x509_trust_list_deinit(ways->whole, 1);
}

/* One verdict in every way. */
static bool
is_same_in_all(const struct ways *ways, gnutls_x509_crt_t *members, unsigned n, unsigned *verdict)
{
	struct chain chain = {.certificates = members, .n = n};
	bool is_good = true;

	for (size_t i = 0; i < N_WAYS; i++)
		if (!is_same(ways->paths[i], ways->whole, &chain, verdict)) {
			tap_note("by %s", ways->paths[i]);
			is_good = false;
		}
	return is_good;
}

/* How many certificates were judged alike, and how many were trusted. */
struct tally {
	unsigned n_same, n_trusted;
};

static void
count(struct tally *tally, const struct ways *ways, gnutls_x509_crt_t *members, unsigned n)
{
	unsigned verdict = 0;

	tally->n_same += is_same_in_all(ways, members, n, &verdict);
	tally->n_trusted += verdict == 0;
}

/* The same certificate, but for the key and what was signed with it: what somebody makes who wants to be taken for it. */
static struct issued
copy_with_own_key(gnutls_x509_crt_t original)
{
	struct issued made = issue(&(struct recipe){.common_name = "x", .is_authority = true});
	gnutls_datum_t der = {0};

	gnutls_x509_crt_deinit(made.certificate);
	made.certificate = NULL;
	if (gnutls_x509_crt_export2(original, GNUTLS_X509_FMT_DER, &der) < 0 || gnutls_x509_crt_init(&made.certificate) < 0 ||
	    gnutls_x509_crt_import(made.certificate, &der, GNUTLS_X509_FMT_DER) < 0 ||
	    gnutls_x509_crt_set_key(made.certificate, made.key) < 0 ||
	    gnutls_x509_crt_sign2(made.certificate, made.certificate, made.key, GNUTLS_DIG_SHA256, 0) < 0)
		abort();
	gnutls_free(der.data);
	made.certificate = parse_again(made.certificate);
	return made;
}

/* Each authority of the system's bundle in every place that it can have in a chain of somebody's who does not have its key. */
static void
test_system_bundle(void)
{
	unsigned n = 0;
	gnutls_x509_crt_t *list = read_bundle(&n);
	struct issued stranger = issue(&(struct recipe){.common_name = "Stranger", .is_authority = true});
	struct issued rsa_stranger =
		issue(&(struct recipe){.common_name = "Stranger", .is_authority = true, .rsa_bits = 2048});
	struct tally itself = {0}, alone = {0}, below = {0}, copied = {0}, beside = {0};
	struct ways ways = {0};

	if (n == 0) {
		tap_ok(true, "the system's bundle is trusted alike # SKIP there is none");
		goto out;
	}
	ways = make_ways("system", strdup(system_bundle), list, n);
	for (unsigned i = 0; i < n; i++) {
		bool is_rsa = gnutls_x509_crt_get_pk_algorithm(list[i], NULL) == GNUTLS_PK_RSA;
		struct issued pretended = {.certificate = list[i], .key = is_rsa ? rsa_stranger.key : stranger.key};
		struct issued leaf = issue(&(struct recipe){.names = {"mx.example.test"}, .issuer = &pretended});
		struct issued copy = copy_with_own_key(list[i]);
		struct issued copied_leaf = issue(&(struct recipe){.names = {"mx.example.test"}, .issuer = &copy});
		gnutls_x509_crt_t with_root[2] = {leaf.certificate, list[i]};
		gnutls_x509_crt_t with_copy[2] = {copied_leaf.certificate, copy.certificate};
		gnutls_x509_crt_t neighbours[2] = {list[i], list[(i + 1) % n]};

		count(&itself, &ways, &list[i], 1);
		count(&beside, &ways, neighbours, 2);
		count(&alone, &ways, with_root, 1);
		count(&below, &ways, with_root, 2);
		count(&copied, &ways, with_copy, 2);
		issued_free(&leaf);
		issued_free(&copied_leaf);
		issued_free(&copy);
	}
	tap_note("%u authorities, %u of them trusted by themselves", n, itself.n_trusted);
	tap_ok(itself.n_same == n && itself.n_trusted > 0,
	       "each authority of the system's bundle is judged as by the whole bundle");
	tap_ok(beside.n_same == n, "so is each with another authority behind it");
	tap_ok(alone.n_same == n && alone.n_trusted == 0, "a forged certificate of each is judged alike, and not trusted");
	tap_ok(below.n_same == n && below.n_trusted == 0, "so is one that comes with the real authority");
	tap_ok(copied.n_same == n && copied.n_trusted == 0, "so is one of an authority of the same name with another key");
	ways_free(&ways);
out:
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	issued_free(&stranger);
	issued_free(&rsa_stranger);
}

/* A chain judged by a few authorities; and by the same behind the whole bundle of the system, if there is one. */
static void
check_chain(const gnutls_x509_crt_t *trusted, unsigned n_trusted, gnutls_x509_crt_t *members, unsigned n, bool is_trusted,
            const char *name)
{
	static unsigned n_checked;
	unsigned n_system = 0;
	gnutls_x509_crt_t *system = read_bundle(&n_system);
	unsigned verdict = 0, crowded_verdict = 0;
	struct buf label = {0};
	char *file, *crowded;
	struct ways ways;
	struct chain chain = {.certificates = members, .n = n};
	gnutls_x509_trust_list_t whole;
	bool is_good;

	buf_printf(&label, "case %u", n_checked++);
	file = scratch_path(buf_text(&label));
	write_file(file, "w", "# authorities\r\n", 15);
	for (unsigned i = 0; i < n_trusted; i++)
		write_certificate(file, trusted[i]);
	buf_add_text(&label, " crowded");
	crowded = scratch_path(buf_text(&label));
	for (unsigned i = 0; i < n_system; i++) {
		write_certificate(crowded, system[i]);
		gnutls_x509_crt_deinit(system[i]);
	}
	for (unsigned i = 0; i < n_trusted; i++)
		write_certificate(crowded, trusted[i]);
	ways = make_ways(buf_text(&label), file, trusted, n_trusted);
	whole = whole_list(crowded);
	is_good = is_same_in_all(&ways, members, n, &verdict) && is_same(crowded, whole, &chain, &crowded_verdict);
	if (!tap_ok(is_good && crowded_verdict == verdict && (verdict == 0) == is_trusted, "%s", name))
		tap_note("verdict 0x%x, in the crowd 0x%x", verdict, crowded_verdict);
	gnutls_x509_trust_list_deinit(whole, 1);
	ways_free(&ways);
	gnutls_free(system);
	buf_free(&label);
	free(crowded);
}

/* The arguments for check_chain: some of the certificates. */
#define SET(...) (gnutls_x509_crt_t[]){__VA_ARGS__}, sizeof((gnutls_x509_crt_t[]){__VA_ARGS__}) / sizeof(gnutls_x509_crt_t)

static void
test_hierarchy(void)
{
	struct issued root = issue(&(struct recipe){.common_name = "Root", .is_authority = true});
	struct issued twin = issue(&(struct recipe){.common_name = "Root", .is_authority = true});
	struct issued middle =
		issue(&(struct recipe){.common_name = "Middle", .is_authority = true, .issuer = &root});
	struct issued old = issue(&(struct recipe){
		.common_name = "Old", .is_authority = true, .from_seconds = -7200, .until_seconds = -60});
	struct issued leaf = issue(&(struct recipe){.names = {"a.test"}, .issuer = &middle});
	struct issued direct = issue(&(struct recipe){.names = {"b.test"}, .issuer = &root});
	struct issued late = issue(&(struct recipe){.names = {"c.test"}, .issuer = &old});
	gnutls_x509_crt_t r = root.certificate, t = twin.certificate, m = middle.certificate, l = leaf.certificate;

	check_chain(SET(t, old.certificate, r, r), SET(l, m), true, "a chain without its root is trusted by the root in the file");
	check_chain(SET(t, old.certificate, r, r), SET(l, m, r), true, "a chain with its root is trusted");
	check_chain(SET(t, old.certificate, r, r), SET(l, r, m), true, "a chain in the wrong order is trusted");
	check_chain(SET(t, r), SET(l, m, t, r), true, "a chain with a stranger in it is trusted");
	check_chain(SET(t, r), SET(l), false, "a chain without the issuer in the middle is not trusted");
	check_chain(SET(m), SET(l), true, "an authority that is no root is trusted if the file has it");
	check_chain(SET(m), SET(l, m, r), true, "such an authority is trusted inside a longer chain");
	check_chain(SET(l), SET(l), true, "so is a certificate that the file has itself");
	check_chain(SET(l), SET(l, m, r), false, "but not with its issuers, as the library has it");
	check_chain(SET(t), SET(l, m, r), false, "another authority of the same name is not enough");
	check_chain(SET(t, r), SET(direct.certificate), true, "two authorities of the same name are both looked at");
	check_chain(SET(old.certificate), SET(late.certificate), false, "an expired authority is judged alike");
	issued_free(&root);
	issued_free(&twin);
	issued_free(&middle);
	issued_free(&old);
	issued_free(&leaf);
	issued_free(&direct);
	issued_free(&late);
}

/* An authority that signed itself and was signed by another one, too, as when a new one is introduced. */
static void
test_cross_signed(void)
{
	struct issued first = issue(&(struct recipe){.common_name = "First", .is_authority = true});
	struct issued expired = issue(&(struct recipe){
		.common_name = "Expired", .is_authority = true, .from_seconds = -7200, .until_seconds = -60});
	struct issued second = issue(&(struct recipe){.common_name = "Second", .is_authority = true});
	struct issued bridge = issue(
		&(struct recipe){.common_name = "Second", .is_authority = true, .issuer = &first, .key_of = &second});
	struct issued old_bridge = issue(
		&(struct recipe){.common_name = "Second", .is_authority = true, .issuer = &expired, .key_of = &second});
	struct issued renewed = issue(&(struct recipe){.common_name = "First", .is_authority = true, .key_of = &first});
	struct issued false_bridge =
		issue(&(struct recipe){.common_name = "Second", .is_authority = true, .issuer = &first});
	struct issued leaf = issue(&(struct recipe){.names = {"a.test"}, .issuer = &second});
	struct issued other = issue(&(struct recipe){.names = {"b.test"}, .issuer = &first});
	gnutls_x509_crt_t f = first.certificate, s = second.certificate, b = bridge.certificate, l = leaf.certificate;
	gnutls_x509_crt_t e = expired.certificate, o = old_bridge.certificate;

	check_chain(SET(f), SET(l, b), true, "a cross-signed authority leads to the one that signed it");
	check_chain(SET(s), SET(l, b), true, "or is trusted by itself, whatever the chain says");
	check_chain(SET(f, s), SET(l, b, f), true, "or both");
	check_chain(SET(f), SET(l, s), false, "by itself it is unknown where only the other one is trusted");
	check_chain(SET(s), SET(l, o, e), true, "an expired root behind it does not matter where it is trusted itself");
	check_chain(SET(s), SET(l, o), true, "nor if it is not sent");
	check_chain(SET(e), SET(l, o), false, "an expired root alone is not enough");
	check_chain(SET(e, s), SET(l, o), true, "nor does it harm beside the good one");
	check_chain(SET(s, e), SET(l, o, e), true, "in whatever order");
	check_chain(SET(renewed.certificate), SET(other.certificate, f), true, "a renewed authority with the same key is the same");
	check_chain(SET(f), SET(l, false_bridge.certificate), false, "a bridge with another key leads nowhere");
	check_chain(SET(f, s), SET(l, false_bridge.certificate, f), false, "and spoils the chain where there is a true one");
	issued_free(&first);
	issued_free(&expired);
	issued_free(&second);
	issued_free(&bridge);
	issued_free(&old_bridge);
	issued_free(&renewed);
	issued_free(&false_bridge);
	issued_free(&leaf);
	issued_free(&other);
}

static void
make_link(const char *target, const char *folder, const char *name)
{
	struct buf path = {0};

	buf_printf(&path, "%s/%s", folder, name);
	if (symlink(target, buf_text(&path)) != 0)
		abort();
	buf_free(&path);
}

/* Folders as they are met. */
static void
test_folders(void)
{
	struct issued root = issue(&(struct recipe){.common_name = "Root", .is_authority = true});
	struct issued other = issue(&(struct recipe){.common_name = "Other", .is_authority = true});
	struct issued leaf = issue(&(struct recipe){.names = {"a.test"}, .issuer = &root});
	char *folder = make_folder("mixed", &other.certificate, 1, true);
	struct chain chain = {.certificates = &leaf.certificate, .n = 1};
	struct buf path = {0};
	bool is_read = false;
	unsigned verdict = judge_lazily(folder, &chain, &is_read);

	tap_ok(is_read && verdict != 0, "a folder without the authority does not trust it");
	make_link("nowhere", folder, "00000000.0");
	make_link("nowhere", folder, "gone.pem");
	make_link("loop", folder, "loop");
	buf_printf(&path, "%s/pipe", folder);
	if (mkfifo(buf_text(&path), 0600) != 0)
		abort();
	buf_clear(&path);
	buf_printf(&path, "%s/below", folder);
	if (mkdir(buf_text(&path), 0700) != 0)
		abort();
	verdict = judge_lazily(folder, &chain, &is_read);
	tap_ok(is_read && verdict != 0, "links to nowhere, pipes and folders in it do not matter");
	buf_clear(&path);
	buf_printf(&path, "%s/added.crt", folder);
	write_certificate(buf_text(&path), root.certificate);
	verdict = judge_lazily(folder, &chain, &is_read);
	tap_ok(is_read && verdict == 0, "a file that was put there without a hash is found all the same");
	make_link("added.crt", folder, "12345678.0");
	verdict = judge_lazily(folder, &chain, &is_read);
	tap_ok(is_read && verdict != 0, "one whose hash speaks of another subject is not read");
	free(folder);
	folder = make_folder("empty", NULL, 0, true);
	judge_lazily(folder, &chain, &is_read);
	tap_ok(!is_read, "a folder without certificates is a fault of the configuration");
	free(folder);
	buf_free(&path);
	issued_free(&root);
	issued_free(&other);
	issued_free(&leaf);
}

/* The certificate as PEM with CRLF and lines of an odd width. */
static void
write_wrapped(const char *path, gnutls_x509_crt_t certificate, size_t width)
{
	gnutls_datum_t der = {0};
	gnutls_datum_t base64 = {0};
	struct buf text = {0};

	if (gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der) < 0 ||
	    gnutls_base64_encode2(&der, &base64) < 0)
		abort();
	buf_add_text(&text, "-----BEGIN X509 CERTIFICATE-----\r\n");
	for (size_t at = 0; at < base64.size; at += width) {
		buf_add_str(&text, str_first(str_make((const char *)base64.data + at, base64.size - at), width));
		buf_add_text(&text, " \r\n");
	}
	buf_add_text(&text, "-----END X509 CERTIFICATE-----");
	write_file(path, "w", text.data, text.size);
	buf_free(&text);
	gnutls_free(der.data);
	gnutls_free(base64.data);
}

/* One authority among much else, at every place where a read may end. */
static void
test_layout(void)
{
	struct issued root = issue(&(struct recipe){.common_name = "Root", .is_authority = true});
	struct issued leaf = issue(&(struct recipe){.names = {"a.test"}, .issuer = &root});
	char *path = scratch_path("layout.pem");
	struct buf padding = {0};
	struct chain chain = {.certificates = &leaf.certificate, .n = 1};
	bool is_read = false;
	bool is_good = true;

	for (size_t i = 0; i < 40; i++)
		buf_add_text(&padding, "# a comment of some length, as bundles have them, perhaps a name\n");
	while (padding.size < 32768 - 800)
		buf_add_char(&padding, '#');
	for (size_t n = 0; n < 70 && is_good; n++) {
		write_file(path, "w", padding.data, padding.size);
		write_certificate(path, root.certificate);
		is_good = judge_lazily(path, &chain, &is_read) == 0 && is_read;
		buf_add_text(&padding, "#############");
	}
	tap_ok(is_good, "a certificate is found wherever the reads split it");
	is_good = true;
	for (size_t width = 1; width < 80 && is_good; width++) {
		write_wrapped(path, root.certificate, width);
		is_good = judge_lazily(path, &chain, &is_read) == 0 && is_read;
	}
	tap_ok(is_good, "lines may have any width, end in CRLF and in blanks");
	write_file(path, "w", "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIB\n-----END CERTIFICATE-----\n", 75);
	write_certificate(path, root.certificate);
	tap_ok(judge_lazily(path, &chain, &is_read) == 0 && is_read,
	       "a broken certificate in the file is passed over");
	buf_free(&padding);
	free(path);
	issued_free(&root);
	issued_free(&leaf);
}

static void
test_cost(void)
{
	struct issued leaf = issue(&(struct recipe){.names = {"a.test"}});
	struct chain chain = {.certificates = &leaf.certificate, .n = 1};
	bool is_read = false;
	clock_t start;
	clock_t lazy;
	clock_t whole;
	gnutls_x509_trust_list_t list;

	if (access(system_bundle, R_OK) == 0) {
		start = clock();
		judge_lazily(system_bundle, &chain, &is_read);
		lazy = clock() - start;
		start = clock();
		list = whole_list(system_bundle);
		judge(list, &chain);
		whole = clock() - start;
		gnutls_x509_trust_list_deinit(list, 1);
		tap_note("lazy %ld us, whole %ld us", (long)lazy, (long)whole);
		tap_ok(is_read, "the system's bundle can be read lazily");
	}
	issued_free(&leaf);
}

int
main(void)
{
	struct err err = {0};

	/* Certificates are made here before anything of src asks for the library. */
	if (!gnutls_load(&err))
		return 1;
	test_hierarchy();
	test_cross_signed();
	test_folders();
	test_layout();
	test_cost();
	test_system_bundle();
	scratch_remove();
	return tap_end();
}
