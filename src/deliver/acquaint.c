/* acquaint.c - trust on first use, as far as accounts and the user's folders have to do with it. */

#include "config.h"

#include <string.h>

#include "deliver/acquaint.h"
#include "net/name.h"
#include "queue/spool.h"

bool
acquaint_add_host(struct buf *b, const char *name, struct err *err)
{
	struct name_address address = {0};
	size_t before = b->size;

	if (!name_to_address(name, &address)) {
		if (!name_to_ascii(name, b, err)) {
			err->exit_code = EX_CONFIG;
			return false;
		}
	} else {
		buf_printf(b, address.size == sizeof(address.octets) ? "[%s]" : "%s", name);
	}
	for (size_t i = before; i < b->size; i++)
		b->data[i] = ascii_lower(b->data[i]);
	return true;
}

/* "HOST:PORT". */
static bool
add_server(struct buf *b, const struct route_host *host, struct err *err)
{
	const char *name = host->tls_settings.host;

	if (name == NULL || name[0] == '\0')
		return err_set(err, EX_CONFIG, "there is no host name under which its key could be known");
	if (!acquaint_add_host(b, name, err))
		return false;
	buf_printf(b, ":%d", host->target.port);
	return true;
}

/* A word for the shell. */
static void
add_word(struct buf *b, const char *text)
{
	static const char plain[] = "/._-+,@:%";

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x80 && !ascii_is_alpha(*text) && !ascii_is_digit(*text) && strchr(plain, *text) == NULL)
			buf_add_char(b, '\\');
		buf_add_char(b, *text);
	}
}

void
acquaint_add_path(struct buf *b, const char *spool_path)
{
	buf_printf(b, "%s/known-keys", spool_path);
}

bool
acquaint_prepare(struct acquaint *acquaint, const struct account *account, const struct route_host *host,
                 struct tls_acquaintance *known, struct err *err)
{
	struct spool_place place;
	struct spool spool = {0};
	bool is_good;

	acquaint_free(acquaint);
	if (!account->tls_tofu)
		return true;
	place = spool_place_of_user(account->queue_dir);
	is_good = add_server(&acquaint->server, host, err) && spool_open(&spool, &place, err);
	if (is_good) {
		acquaint_add_path(&acquaint->file, spool.path);
		buf_add_text(&acquaint->command, PACKAGE_NAME " --queue-dir=");
		add_word(&acquaint->command, spool.path);
		buf_add_text(&acquaint->command, " --forget-key=");
		*known = (struct tls_acquaintance){
			.file = buf_text(&acquaint->file),
			.server = buf_text(&acquaint->server),
			.command = buf_text(&acquaint->command),
		};
	}
	spool_free(&spool);
	return is_good || err_prefix(err, "tls_tofu");
}

void
acquaint_add_notice(struct buf *b, const struct account *account, const struct acquaint *acquaint,
                    const struct tls_facts *facts)
{
	if (account->id != NULL) {
		buf_add_text(b, "account ");
		err_add_clean(b, str_of(account->id));
		buf_add_text(b, ": ");
	}
	buf_printf(b, "first contact with %s: its key %s is trusted from now on; if its operator does not confirm that, change "
	           "your password and run %s%s",
	           buf_text(&acquaint->server), buf_text(&facts->key), buf_text(&acquaint->command),
	           buf_text(&acquaint->server));
}

void
acquaint_free(struct acquaint *acquaint)
{
	buf_free(&acquaint->file);
	buf_free(&acquaint->server);
	buf_free(&acquaint->command);
}
