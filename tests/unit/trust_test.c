/* trust_test.c - a lazily read bundle gives the verdict of one that is read whole. */

#include "config.h"

#include "base/clock.h"
#include "net/gnutls.h"
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

/* Every authority of the system's bundle, once as the chain itself, once as the pretended issuer of a forged
 * certificate. */
static void
test_system_bundle(void)
{
	unsigned n = 0;
	gnutls_x509_crt_t *list = read_bundle(&n);
	struct issued stranger = issue(&(struct recipe){.common_name = "Stranger", .is_authority = true});
	struct issued rsa_stranger =
		issue(&(struct recipe){.common_name = "Stranger", .is_authority = true, .rsa_bits = 2048});
	gnutls_x509_trust_list_t whole = n > 0 ? whole_list(system_bundle) : NULL;
	unsigned n_same = 0;
	unsigned n_forged_same = 0;
	unsigned n_trusted = 0;
	unsigned n_forged_trusted = 0;

	for (unsigned i = 0; i < n; i++) {
		bool is_rsa = gnutls_x509_crt_get_pk_algorithm(list[i], NULL) == GNUTLS_PK_RSA;
		struct issued pretended = {.certificate = list[i], .key = is_rsa ? rsa_stranger.key : stranger.key};
		struct issued leaf = issue(&(struct recipe){.names = {"mx.example.test"}, .issuer = &pretended});
		gnutls_x509_crt_t members[2] = {leaf.certificate, list[i]};
		struct chain itself = {.certificates = &list[i], .n = 1};
		struct chain forged = {.certificates = members, .n = 1 + i % 2};
		unsigned verdict = 0;

		n_same += is_same(system_bundle, whole, &itself, &verdict);
		n_trusted += verdict == 0;
		n_forged_same += is_same(system_bundle, whole, &forged, &verdict);
		n_forged_trusted += verdict == 0;
		issued_free(&leaf);
	}
	if (n == 0) {
		tap_ok(true, "the system's bundle is trusted alike # SKIP there is none");
	} else {
		tap_note("%u authorities, %u of them trusted by themselves", n, n_trusted);
		tap_ok(n_same == n && n_trusted > 0,
		       "each authority of the system's bundle is judged as by the whole bundle");
		tap_ok(n_forged_same == n && n_forged_trusted == 0, "each forged certificate of theirs, too");
	}
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	if (whole != NULL)
		gnutls_x509_trust_list_deinit(whole, 1);
	issued_free(&stranger);
	issued_free(&rsa_stranger);
}

static void
check_chain(const char *path, gnutls_x509_crt_t *members, unsigned n, bool is_trusted, const char *name)
{
	struct chain chain = {.certificates = members, .n = n};
	gnutls_x509_trust_list_t whole = whole_list(path);
	unsigned verdict = 0;
	bool same = is_same(path, whole, &chain, &verdict);

	if (!tap_ok(same && (verdict == 0) == is_trusted, "%s", name))
		tap_note("verdict 0x%x", verdict);
	gnutls_x509_trust_list_deinit(whole, 1);
}

/* Our own hierarchy in the middle of the system's bundle. */
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
	gnutls_x509_crt_t chain[3] = {leaf.certificate, middle.certificate, root.certificate};
	gnutls_x509_crt_t shuffled[3] = {leaf.certificate, root.certificate, middle.certificate};
	char *both = scratch_path("both.pem");
	char *middle_only = scratch_path("middle.pem");
	char *other = scratch_path("other.pem");

	write_file(both, "w", "# authorities\r\n", 15);
	write_certificate(both, twin.certificate);
	write_certificate(both, old.certificate);
	write_certificate(both, root.certificate);
	write_certificate(both, root.certificate);
	write_certificate(middle_only, middle.certificate);
	write_certificate(other, twin.certificate);
	check_chain(both, chain, 2, true, "a chain without its root is trusted by the root in the file");
	check_chain(both, chain, 3, true, "a chain with its root is trusted");
	check_chain(both, shuffled, 3, true, "a chain in the wrong order is trusted");
	check_chain(both, chain, 1, false, "a chain without the issuer in the middle is not trusted");
	check_chain(middle_only, chain, 1, true, "an authority that is no root is trusted if the file has it");
	check_chain(middle_only, chain, 3, true, "such an authority is trusted inside a longer chain");
	check_chain(other, chain, 3, false, "another authority of the same name is not enough");
	check_chain(both, &direct.certificate, 1, true, "two authorities of the same name are both looked at");
	check_chain(both, &late.certificate, 1, false, "an expired authority is judged alike");
	free(both);
	free(middle_only);
	free(other);
	issued_free(&root);
	issued_free(&twin);
	issued_free(&middle);
	issued_free(&old);
	issued_free(&leaf);
	issued_free(&direct);
	issued_free(&late);
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
	test_layout();
	test_cost();
	test_system_bundle();
	scratch_remove();
	return tap_end();
}
