/* defaults.c - completes a chosen account from the system: names of this host and this user. Reads the passwd database,
 * /etc/mailname and /etc/hosts; no network. */

#include "config.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/domain.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/conflict.h"
#include "conf/defaults.h"
#include "conf/hostlist.h"
#include "conf/rcfile.h"
#include "conf/tlspolicy.h"

enum {
	PORT_SMTP = 25,
	PORT_SUBMISSIONS = 465,
	PORT_SOCKS = 1080,
	FILE_SIZE_MOST = 4 * 1024 * 1024
};

static const char mailname_path[] = "/etc/mailname";
static const char hosts_path[] = "/etc/hosts";

char *
defaults_login_name(void)
{
	const struct passwd *entry = getpwuid(getuid());
	struct buf name = {0};

	if (entry != NULL && entry->pw_name != NULL && entry->pw_name[0] != '\0')
		buf_add_text(&name, entry->pw_name);
	else
		buf_printf(&name, "uid%u", (unsigned)getuid());
	return buf_take(&name);
}

/* "&" in the gecos field stands for the login name with a capital. */
char *
defaults_full_name(void)
{
	const struct passwd *entry = getpwuid(getuid());
	struct buf name = {0};
	struct str gecos = {0};

	if (entry == NULL || entry->pw_gecos == NULL)
		return NULL;
	gecos = str_of(entry->pw_gecos);
	gecos = str_trim(str_first(gecos, str_find(gecos, ',')));
	if (gecos.size == 0)
		return NULL;
	for (size_t i = 0; i < gecos.size; i++) {
		size_t start = name.size;

		if (gecos.data[i] != '&') {
			buf_add_char(&name, gecos.data[i]);
			continue;
		}
		buf_add_text(&name, entry->pw_name);
		if (name.size > start && name.data[start] >= 'a' && name.data[start] <= 'z')
			name.data[start] = (char)(name.data[start] - 'a' + 'A');
	}
	return buf_take(&name);
}

static char *
node_name(void)
{
	struct utsname names = {0};

	return mem_copy_string(uname(&names) == 0 && names.nodename[0] != '\0' ? names.nodename : "localhost");
}

/* A file that need not be there, whole; false when it is not. */
static bool
read_optional(const char *path, struct buf *text)
{
	struct err err = {0};
	bool is_read = path != NULL && file_read_path(path, FILE_SIZE_MOST, text, &err);

	err_clear(&err);
	return is_read;
}

/* The name on the first line of /etc/mailname; NULL when it has none that may stand in a header. */
static char *
read_mailname(const char *path)
{
	struct buf text = {0};
	struct str name = {0};
	char *copy = NULL;

	if (read_optional(path, &text))
		name = str_trim(str_first(buf_str(&text), str_find(buf_str(&text), '\n')));
	if (name.size > 0 && !str_has_control(name) && str_find(name, ' ') == name.size)
		copy = mem_copy(name.data, name.size);
	buf_free(&text);
	return copy;
}

/* The first name with a dot on a line of hosts(5) that names `node`; empty when there is none on it. */
static struct str
find_full_name(struct str line, struct str node)
{
	struct str word = {0}, full = {0};
	bool is_named = false;

	line = str_trim(str_first(line, str_find(line, '#')));
	if (!str_next_word(&line, &word)) /* the address */
		return full;
	while (str_next_word(&line, &word)) {
		is_named = is_named || str_equals_nocase(word, node);
		if (full.size == 0 && str_find(word, '.') < word.size)
			full = word;
	}
	return is_named ? full : (struct str){0};
}

static char *
read_hosts(const char *path, const char *node)
{
	struct buf text = {0};
	struct str rest = {0}, line = {0}, full = {0};
	char *copy = NULL;

	if (read_optional(path, &text))
		rest = buf_str(&text);
	while (full.size == 0 && str_next_token(&rest, '\n', &line))
		full = find_full_name(line, str_of(node));
	/* Every machine is localhost.localdomain; that names none. */
	if (full.size > 0 && !str_starts_with_nocase(full, STR("localhost")) && !str_has_control(full))
		copy = mem_copy(full.data, full.size);
	buf_free(&text);
	return copy;
}

char *
defaults_host_name(const char *mailname, const char *hosts, const char *node)
{
	char *name = read_mailname(mailname);

	if (name == NULL && strchr(node, '.') == NULL)
		name = read_hosts(hosts, node);
	return name != NULL ? name : mem_copy_string(node);
}

void
defaults_find_names(struct defaults_names *names, const char *mailname)
{
	names->node = node_name();
	names->short_name = mem_copy(names->node, str_find(str_of(names->node), '.'));
	names->full_name = defaults_host_name(NULL, hosts_path, names->node);
	names->domains[0] = "localhost";
	names->domains[1] = names->node;
	names->domains[2] = names->short_name;
	names->domains[3] = names->full_name;
	names->domains[4] = mailname;
	names->domains[5] = NULL;
}

void
defaults_names_free(struct defaults_names *names)
{
	free(names->node);
	free(names->short_name);
	free(names->full_name);
	*names = (struct defaults_names){0};
}

/* What the letters behind % stand for. */
struct names {
	char *user;
	char *host;
	char *canonical;
	const char *mailname;
};

static char *
from_environment(const char *variable)
{
	const char *value = secure_getenv(variable);

	return value != NULL && value[0] != '\0' && !str_has_control(str_of(value)) ? mem_copy_string(value) : NULL;
}

static void
find_names(struct names *names, const char *mailname)
{
	names->user = from_environment("USER");
	if (names->user == NULL)
		names->user = from_environment("LOGNAME");
	if (names->user == NULL)
		names->user = defaults_login_name();
	names->host = from_environment("HOSTNAME");
	if (names->host == NULL)
		names->host = node_name();
	names->canonical = defaults_host_name(NULL, hosts_path, names->host);
	names->mailname = mailname;
}

static void
free_names(struct names *names)
{
	free(names->user);
	free(names->host);
	free(names->canonical);
}

/* Replace %X in *text for the letters in `letters`; another % stays as it is. */
static void
expand(char **text, const char *letters, const struct names *names)
{
	struct buf expanded = {0};

	for (const char *p = *text; *p != '\0'; p++) {
		if (*p != '%' || p[1] == '\0' || strchr(letters, p[1]) == NULL) {
			buf_add_char(&expanded, *p);
			continue;
		}
		p++;
		buf_add_text(&expanded, *p == 'U' ? names->user :
		                        *p == 'H' ? names->host :
		                        *p == 'C' ? names->canonical : names->mailname);
	}
	free(*text);
	*text = buf_take(&expanded);
}

static bool
has_percent(const char *text)
{
	return text != NULL && strchr(text, '%') != NULL;
}

static void
expand_account(struct account *account)
{
	struct names names = {0};

	if (!has_percent(account->from) && !has_percent(account->domain))
		return;
	find_names(&names, account->mailname);
	if (account->from != NULL)
		expand(&account->from, "UHCM", &names);
	if (account->domain != NULL)
		expand(&account->domain, "HCM", &names);
	free_names(&names);
}

/* `host mx` and `delivery direct` are two ways to say the same. */
static void
settle_delivery(struct account *account)
{
	if (account->host != NULL && hostlist_is_direct(str_of(account->host)))
		account->delivery = DELIVER_DIRECT;
	else if (account->delivery == DELIVER_DIRECT && account->host == NULL)
		account->host = mem_copy_string("mx");
}

static void
fill_in(struct account *account)
{
	settle_delivery(account);
	if (account->port == 0 && account->delivery == DELIVER_DIRECT)
		account->port = PORT_SMTP;
	else if (account->port == 0 && account->protocol == PROTOCOL_SMTP)
		account->port = account->tls && !account->tls_starttls ? PORT_SUBMISSIONS : PORT_SMTP;
	if (account->proxy_host != NULL && account->proxy_port == 0)
		account->proxy_port = PORT_SOCKS;
	if (account->mailname == NULL) {
		char *node = node_name();

		account->mailname = defaults_host_name(mailname_path, hosts_path, node);
		free(node);
	}
	if (account->domain == NULL)
		account->domain = mem_copy_string("localhost");
	if (account->logfile_time_format == NULL)
		account->logfile_time_format = mem_copy_string("%b %d %H:%M:%S");
	expand_account(account);
}

static bool
is_given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* The argument of EHLO is a domain in ASCII, or an address literal (RFC 5321 4.1.1.1). */
static bool
settle_domain(struct account *account, struct err *err)
{
	struct str domain = str_of(account->domain);
	struct buf ascii = {0};
	const char *reason;

	if (account->domain[0] != '[')
		reason = domain_add_ascii(&ascii, domain);
	else if (str_find(domain, ' ') < domain.size)
		reason = "a blank in an address literal";
	else
		reason = str_find(domain, ']') + 1 == domain.size ? NULL : "an address literal ends with ']'";
	if (reason != NULL) {
		err_set(err, EX_CONFIG, "domain: ");
		err_add_clean(&err->text, domain);
		buf_printf(&err->text, ": %s", reason);
		return err_hint(err, "'domain' is the name by which this host calls itself to the server");
	}
	if (ascii.size > 0) {
		free(account->domain);
		account->domain = buf_take(&ascii);
	}
	buf_free(&ascii);
	return true;
}

static void
make_ascii(char **name)
{
	struct buf ascii = {0};

	if (*name == NULL)
		return;
	/* It was tried when it was read. */
	(void)domain_add_ascii(&ascii, str_of(*name));
	free(*name);
	*name = buf_take(&ascii);
}

/* DKIM: a domain, and a selector and a key for it, or two. */
static bool
settle_dkim(struct account *account, struct err *err)
{
	bool has_key = account->dkim_selector != NULL && account->dkim_key_file != NULL;
	bool has_any = account->dkim_selector != NULL || account->dkim_key_file != NULL || account->dkim_selector2 != NULL ||
	               account->dkim_key_file2 != NULL;

	make_ascii(&account->dkim_domain);
	make_ascii(&account->dkim_selector);
	make_ascii(&account->dkim_selector2);
	if (account->dkim_domain == NULL && has_any)
		return err_set(err, EX_CONFIG, "dkim_selector and dkim_key_file require dkim_domain");
	if (account->dkim_domain != NULL && !has_key)
		return err_set(err, EX_CONFIG, "dkim_domain requires dkim_selector and dkim_key_file");
	if ((account->dkim_selector2 == NULL) != (account->dkim_key_file2 == NULL))
		return err_set(err, EX_CONFIG, "dkim_selector2 and dkim_key_file2 must be set together");
	return true;
}

bool
defaults_complete(struct account *account, struct err *err)
{
	fill_in(account);
	if (!is_given(account->host) && account->socket == NULL) {
		err_set(err, EX_CONFIG, "host not set");
		return err_hint(err, "set 'host' to the name of the mail server");
	}
	if (account->port == 0 && account->socket == NULL) {
		err_set(err, EX_CONFIG, "port not set");
		return err_hint(err, "LMTP has no port of its own; set 'port', or 'socket'");
	}
	return settle_domain(account, err) && conflict_check(account, err) && settle_dkim(account, err);
}

static char *
make_address(const char *user, const char *domain)
{
	struct buf b = {0};

	buf_printf(&b, "%s@%s", user, domain);
	return buf_take(&b);
}

/* auto_from takes the user's name from the environment, as %U does. */
static char *
automatic_sender(const struct account *account)
{
	struct names names = {0};
	char *sender;

	find_names(&names, account->mailname);
	sender = make_address(names.user, is_given(account->maildomain) ? account->maildomain : account->mailname);
	free_names(&names);
	return sender;
}

bool
defaults_sender(const struct account *account, const char *wanted, char **sender, struct err *err)
{
	char *user = NULL;

	*sender = NULL;
	if (account->auto_from) {
		*sender = automatic_sender(account);
		return true;
	}
	if (wanted != NULL && (account->allow_from_override || account->from == NULL)) {
		*sender = mem_copy_string(strcmp(wanted, "<>") == 0 ? "" : wanted);
		return true;
	}
	if (config_is_pattern(account->from)) {
		err_set(err, EX_CONFIG, "'from %s' is a pattern and no address to send from", account->from);
		return err_hint(err, account->allow_from_override ? "give the sender with -f, or set 'from' to one address"
		                                                  : "with 'allow_from_override off' 'from' must be one address");
	}
	if (account->from != NULL) {
		*sender = mem_copy_string(account->from);
		return true;
	}
	user = defaults_login_name();
	*sender = make_address(user, account->mailname);
	free(user);
	return true;
}
