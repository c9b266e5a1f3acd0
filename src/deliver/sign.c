/* sign.c - DKIM signatures of an account. */

#include "config.h"

#include <string.h>
#include <unistd.h>

#include "auth/secret.h"
#include "base/base64.h"
#include "base/file.h"
#include "deliver/sign.h"
#include "mail/dkim.h"
#include "mail/keep.h"
#include "net/digest.h"
#include "net/gnutls.h"

enum {
	KEY_FILE_MOST = 64 * 1024, /* bytes */
	RSA_BITS_LEAST = 2048,     /* RFC 8301 3.2: 1024 is what verifiers still take, not what signers should use */
	RSA_BITS_MOST = 4096,      /* nor need verifiers take more */
	BLOCK_SIZE = 64 * 1024
};

static const char rsa_sha256[] = "rsa-sha256";
static const char ed25519_sha256[] = "ed25519-sha256";

/* --- keys --------------------------------------------------------------------------------------------------------------- */

static bool
read_key_file(const char *path, struct buf *text, struct err *err)
{
	int fd = -1;
	bool is_read;

	/* Growing would leave copies of the key behind. */
	buf_reserve(text, KEY_FILE_MOST + 1);
	if (!file_open_read(path, &fd, err))
		return false;
	is_read = file_is_private(fd, path, err) && (file_read_all(fd, KEY_FILE_MOST, text, err) || err_prefix(err, "%s", path));
	close(fd);
	return is_read;
}

/* The algorithm for the key; NULL: there is none. */
static const char *
algorithm_of(gnutls_privkey_t key, unsigned *bits)
{
	switch (gnutls_privkey_get_pk_algorithm(key, bits)) {
	case GNUTLS_PK_RSA:
		return *bits >= RSA_BITS_LEAST && *bits <= RSA_BITS_MOST ? rsa_sha256 : NULL;
	case GNUTLS_PK_EDDSA_ED25519:
		return ed25519_sha256;
	default:
		return NULL;
	}
}

static bool
import_key(struct sign_key *key, const char *path, const struct buf *text, struct err *err)
{
	const gnutls_datum_t pem = {.data = (unsigned char *)text->data, .size = (unsigned)text->size};
	gnutls_privkey_t imported = NULL;
	unsigned bits = 0;
	int code = gnutls_privkey_init(&imported);

	if (code < 0)
		return err_set(err, EX_OSERR, "out of memory");
	key->key = imported;
	code = gnutls_privkey_import_x509_raw(imported, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (code < 0) {
		err_set(err, EX_CONFIG, "%s is no private key in PEM form: %s", path, gnutls_strerror(code));
		return err_hint(err, "'openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048' prints one; a passphrase cannot be given");
	}
	key->algorithm = algorithm_of(imported, &bits);
	if (key->algorithm != NULL)
		return true;
	err_set(err, EX_CONFIG, "%s holds a key of %u bits that DKIM has no use for", path, bits);
	return err_hint(err, "it takes RSA keys of %d to %d bits, and Ed25519 keys", RSA_BITS_LEAST, RSA_BITS_MOST);
}

static bool
add_key(struct signer *signer, const char *setting, const char *path, const char *selector, struct err *err)
{
	struct sign_key *key = &signer->keys[signer->n_keys];
	struct buf text = {0};
	bool is_good;

	if (path == NULL)
		return true;
	key->selector = selector;
	is_good = read_key_file(path, &text, err) && import_key(key, path, &text, err);
	signer->n_keys++;
	buf_wipe(&text);
	if (is_good)
		return true;
	err_hint(err, "mailcranerc(5) tells at dkim_domain how a key is made");
	return err_prefix(err, "%s", setting);
}

bool
sign_is_wanted(const struct account *account)
{
	return account->dkim_domain != NULL;
}

bool
sign_open(struct signer *signer, const struct account *account, struct err *err)
{
	*signer = (struct signer){.domain = account->dkim_domain};
	if (!sign_is_wanted(account))
		return true;
	secret_protect_process();
	if (gnutls_load(err) && add_key(signer, "dkim_key_file", account->dkim_key_file, account->dkim_selector, err) &&
	    add_key(signer, "dkim_key_file2", account->dkim_key_file2, account->dkim_selector2, err))
		return true;
	sign_close(signer);
	return false;
}

void
sign_close(struct signer *signer)
{
	for (size_t i = 0; i < signer->n_keys; i++)
		if (signer->keys[i].key != NULL)
			gnutls_privkey_deinit(signer->keys[i].key);
	*signer = (struct signer){0};
}

/* --- hashes ------------------------------------------------------------------------------------------------------------- */

static bool
fail(int code, struct err *err)
{
	return err_set(err, EX_SOFTWARE, "cannot make a DKIM signature: %s", gnutls_strerror(code));
}

static void
hash_piece(void *context, struct str bytes)
{
	gnutls_hash_hd_t *hash = context;

	gnutls_hash(*hash, bytes.data, bytes.size);
}

/* Give the kept bytes from offset on to `add`, block by block. */
static bool
for_each_block(const struct message *message, int64_t offset, bool (*add)(void *context, struct str block, struct err *err),
               void *context, struct err *err)
{
	struct buf block = {0};
	bool is_well = true;
	ssize_t n = 1;

	while (is_well && n > 0) {
		n = message_bytes(message, offset, buf_reserve(&block, BLOCK_SIZE), BLOCK_SIZE, err);
		if (n > 0)
			is_well = add(context, str_make(block.data, (size_t)n), err);
		offset += n;
	}
	buf_free(&block);
	return is_well && n == 0;
}

static bool
add_to_body(void *context, struct str block, struct err *err)
{
	(void)err;
	dkim_body_add(context, block);
	return true;
}

/* Append bh=. */
static bool
hash_body(const struct message *message, struct buf *b, struct err *err)
{
	unsigned char digest[DIGEST_SHA256_SIZE] = {0};
	gnutls_hash_hd_t hash = NULL;
	struct dkim_body body = {.add = hash_piece, .context = &hash};
	int code = gnutls_hash_init(&hash, GNUTLS_DIG_SHA256);
	bool is_well;

	if (code < 0)
		return fail(code, err);
	/* Behind the header section there is the empty line. */
	is_well = for_each_block(message, message->header_size + 1, add_to_body, &body, err);
	dkim_body_end(&body);
	gnutls_hash_deinit(hash, digest);
	if (is_well)
		base64_encode(b, str_make((const char *)digest, sizeof(digest)));
	return is_well;
}

/* Append b=, the signature of `text`. Ed25519 signs the digest (RFC 8463 3). */
static bool
sign_text(const struct sign_key *key, const struct buf *text, struct buf *b, struct err *err)
{
	bool is_rsa = key->algorithm == rsa_sha256;
	unsigned char digest[DIGEST_SHA256_SIZE] = {0};
	gnutls_datum_t data = {0}, signature = {0};
	int code = gnutls_hash_fast(GNUTLS_DIG_SHA256, text->data, text->size, digest);

	data.data = is_rsa ? (unsigned char *)text->data : digest;
	data.size = is_rsa ? (unsigned)text->size : (unsigned)sizeof(digest);
	if (code >= 0)
		code = gnutls_privkey_sign_data2(key->key, is_rsa ? GNUTLS_SIGN_RSA_SHA256 : GNUTLS_SIGN_EDDSA_ED25519, 0, &data,
		                                 &signature);
	if (code < 0)
		return fail(code, err);
	base64_encode(b, str_make((const char *)signature.data, signature.size));
	gnutls_free(signature.data);
	return true;
}

/* --- messages ------------------------------------------------------------------------------------------------------------- */

/* What all signatures of a message share. */
struct parts {
	struct str section; /* the header section */
	struct buf names;   /* h= */
	struct buf hash;    /* bh= */
};

/* Append the field for one key. */
static bool
add_field(const struct signer *signer, const struct sign_key *key, const struct parts *parts, struct buf *fields, struct err *err)
{
	const struct dkim_tags tags = {
		.algorithm = key->algorithm,
		.domain = signer->domain,
		.selector = key->selector,
		.names = buf_str(&parts->names),
		.body_hash = buf_str(&parts->hash),
	};
	struct buf field = {0}, text = {0}, signature = {0};
	size_t colon;
	bool is_well;

	dkim_add_tags(&field, &tags);
	dkim_add_named(&text, parts->section, tags.names);
	colon = str_find(buf_str(&field), ':');
	dkim_add_field(&text, str_first(buf_str(&field), colon), str_from(buf_str(&field), colon + 1));
	is_well = sign_text(key, &text, &signature, err);
	if (is_well) {
		dkim_add_signature(&field, buf_str(&signature));
		buf_add_str(fields, buf_str(&field));
	}
	buf_free(&field);
	buf_free(&text);
	buf_free(&signature);
	return is_well;
}

static bool
add_fields(const struct signer *signer, const struct message *message, struct str section, struct buf *fields, struct err *err)
{
	struct parts parts = {.section = section};
	bool is_well = hash_body(message, &parts.hash, err);

	dkim_add_names(&parts.names, section);
	for (size_t i = 0; is_well && i < signer->n_keys; i++)
		is_well = add_field(signer, &signer->keys[i], &parts, fields, err);
	buf_free(&parts.names);
	buf_free(&parts.hash);
	return is_well;
}

static bool
add_to_message(void *context, struct str block, struct err *err)
{
	struct keep *keep = context;
	struct buf *memory = &keep->message->memory;
	size_t from = memory->size;

	buf_add_str(memory, block);
	return keep_added(keep, from, err);
}

/* Keep the fields, the header section and the rest as a message. */
static bool
put_together(const struct message *in, struct str fields, struct str section, struct message *out, struct err *err)
{
	struct keep keep = {0};
	bool is_well;

	keep_open(&keep, out);
	buf_add_str(&out->memory, fields);
	buf_add_str(&out->memory, section);
	out->header_size = (int64_t)out->memory.size;
	buf_add_char(&out->memory, '\n');
	is_well = keep_added(&keep, 0, err);
	keep.has_header = true;
	is_well = is_well && for_each_block(in, in->header_size + 1, add_to_message, &keep, err) && keep_end(&keep, err);
	if (!is_well)
		message_free(out);
	return is_well;
}

static bool
read_section(const struct message *message, struct buf *section, struct err *err)
{
	size_t left = (size_t)message->header_size;
	ssize_t n = 1;

	while (left > 0 && n > 0) {
		n = message_bytes(message, (int64_t)section->size, buf_reserve(section, left), left, err);
		if (n > 0) {
			buf_grow(section, (size_t)n);
			left -= (size_t)n;
		}
	}
	return left == 0;
}

bool
sign_message(const struct signer *signer, const struct message *in, struct message *out, const char **why_not, struct err *err)
{
	struct buf section = {0}, fields = {0};
	bool is_well = read_section(in, &section, err);

	*out = (struct message){0};
	*why_not = NULL;
	if (signer->n_keys == 0)
		*why_not = "the account has no key";
	else if (is_well && !dkim_is_aligned(buf_str(&section), signer->domain))
		*why_not = "From is not at dkim_domain or below it";
	if (is_well && *why_not == NULL)
		is_well = add_fields(signer, in, buf_str(&section), &fields, err) &&
		          put_together(in, buf_str(&fields), buf_str(&section), out, err);
	buf_free(&section);
	buf_free(&fields);
	return is_well;
}
