/* login.c - which kinds of login have worked with a server, in names of empty files. */

#include "config.h"

#include <fcntl.h>
#include <unistd.h>

#include "queue/disk.h"
#include "queue/login.h"

enum { NAME_MOST = TAG_LENGTH + 32 };

/* The folder, -1 without a word where there is none; and the file's name in it. */
static int
find_place(struct spool *spool, struct str key, const char *word, struct buf *name)
{
	char tag[TAG_LENGTH + 1];
	struct err err = {0};
	int folder = spool->is_open ? spool_folder(spool, SPOOL_ROUTES, &err) : -1;

	err_clear(&err);
	id_tag(tag, key);
	buf_printf(name, "%s.%s", tag, word);
	return name->size <= NAME_MOST ? folder : -1;
}

bool
login_is_known(struct spool *spool, struct str key, const char *word)
{
	struct buf name = {0};
	int folder = find_place(spool, key, word, &name);
	bool is_known = folder >= 0 && faccessat(folder, buf_text(&name), F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	buf_free(&name);
	return is_known;
}

void
login_note(struct spool *spool, struct str key, const char *word)
{
	struct buf name = {0};
	int folder = find_place(spool, key, word, &name);
	int fd = folder >= 0 ? disk_open(folder, buf_text(&name), O_WRONLY | O_CREAT | O_NONBLOCK) : -1;

	/* What was there already is young again. */
	if (fd >= 0) {
		futimens(fd, NULL);
		close(fd);
	}
	buf_free(&name);
}

void
login_add_key(struct buf *b, const char *host, int port, const char *user)
{
	buf_printf(b, "login\n%s\n%d\n%s", host != NULL ? host : "", port, user != NULL ? user : "");
}
