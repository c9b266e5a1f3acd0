/* clientkey.c - loads the client's certificate and key. Reads files, talks to tokens. */

#include "config.h"

#include <string.h>

#include "net/clientkey.h"
#include "net/gnutls.h"

/* A second question means that the first answer was wrong. Who gives a wrong one in every run locks the token in the end, so
 * that the last try is left to people. */
int
clientkey_give_pin(void *user, int attempt, const char *url, const char *label, unsigned flags, char *pin, size_t most)
{
	struct clientkey *key = user;
	size_t size;

	(void)url;
	(void)label;
	key->is_pin_refused = key->is_pin_refused || attempt > 0 || (flags & GNUTLS_PIN_WRONG) != 0;
	key->is_pin_wanted = true;
	key->is_last_try = !key->is_pin_refused && key->password != NULL && (flags & GNUTLS_PIN_FINAL_TRY) != 0;
	if (key->is_pin_refused || key->is_last_try || key->password == NULL)
		return -1;
	size = strlen(key->password);
	if (size >= most)
		return -1;
	memcpy(pin, key->password, size + 1);
	return 0;
}

/* The name of a file, or a URI without its query, which may hold a PIN. */
static struct str
shown(const char *name)
{
	struct str whole = str_of(name);

	return gnutls_url_is_supported(name) != 0 ? str_first(whole, str_find(whole, '?')) : whole;
}

/* The library's code for a key that cannot be used. Returns false. */
static bool
fail_key(const struct clientkey *key, const struct tls_settings *settings, int code, bool has_token, struct err *err)
{
	const char *secret = has_token ? "PIN of its token" : "passphrase";
	bool is_locked = key->is_pin_wanted || code == GNUTLS_E_DECRYPTION_FAILED;
	/* A PIN that stands in the URI is refused without a word to us. */
	bool is_refused = key->is_pin_refused || (!key->is_pin_wanted && code == GNUTLS_E_PKCS11_PIN_ERROR);
	struct str certificate_name = shown(settings->cert_file), key_name = shown(settings->key_file);

	if (!is_refused && !is_locked)
		return err_set(err, EX_CONFIG, "cannot use tls_cert_file %.*s with tls_key_file %.*s: %s",
		               STR_ARG(certificate_name), STR_ARG(key_name), gnutls_strerror(code));
	if (key->is_last_try) {
		err_set(err, EX_CONFIG, "tls_key_file %.*s: the PIN of its token was not given, since the token has one try left",
		        STR_ARG(key_name));
		return err_hint(err, "check 'tls_key_password', and log in to the token once with another program, such as p11tool");
	}
	if (settings->key_password == NULL && !is_refused)
		err_set(err, EX_CONFIG, "tls_key_file %.*s wants the %s, and there is no tls_key_password", STR_ARG(key_name),
		        secret);
	else
		err_set(err, EX_CONFIG, "tls_key_file %.*s: the %s was refused (it was given once, and not again)",
		        STR_ARG(key_name), secret);
	return err_hint(err, "set 'tls_key_password' to the %s; it is another one than 'password'", secret);
}

bool
clientkey_load(struct clientkey *key, gnutls_certificate_credentials_t credentials,
               const struct tls_settings *settings, struct err *err)
{
	bool has_token;
	int code;

	if (settings->key_file == NULL && settings->cert_file == NULL)
		return true;
	if (settings->key_file == NULL || settings->cert_file == NULL)
		return err_set(err, EX_CONFIG, "tls_key_file and tls_cert_file must be set together");
	has_token = gnutls_url_is_supported(settings->key_file) != 0 ||
	            gnutls_url_is_supported(settings->cert_file) != 0;
	/* Without this the library loads every module the system has as soon as it thinks of tokens. */
	(void)gnutls_pkcs11_init(has_token ? GNUTLS_PKCS11_FLAG_AUTO : GNUTLS_PKCS11_FLAG_MANUAL, NULL);
	key->password = settings->key_password;
	gnutls_certificate_set_pin_function(credentials, clientkey_give_pin, key);
	code = gnutls_certificate_set_x509_key_file2(credentials, settings->cert_file, settings->key_file,
	                                             GNUTLS_X509_FMT_PEM, has_token ? NULL : settings->key_password,
	                                             0);
	return code >= 0 || fail_key(key, settings, code, has_token, err);
}
