/* credential.c - passwords in files of their own. Reads them. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/credential.h"
#include "base/file.h"
#include "base/mem.h"

enum { SECRET_MOST = 65536 }; /* bytes */

/* Closes fd. */
static bool
read_regular(int fd, const char *name, struct buf *text, struct err *err)
{
	struct stat facts = {0};
	bool is_good = false;

	if (fstat(fd, &facts) != 0) {
		err_set_errno(err, EX_CONFIG, "%s", name);
	} else if (!S_ISREG(facts.st_mode)) {
		err_set(err, EX_CONFIG, "%s: is no regular file", name);
	} else {
		buf_reserve(text, SECRET_MOST + 1);
		is_good = file_read_all(fd, SECRET_MOST, text, err) || err_prefix(err, "%s", name);
	}
	if (!is_good)
		err->exit_code = EX_CONFIG;
	close(fd);
	return is_good;
}

bool
credential_read_file(struct buf *text, const char *path, struct err *err)
{
	struct stat facts = {0};
	int fd = -1;

	/* A pipe would make us wait, before it is open, for somebody who writes. */
	if (stat(path, &facts) == 0 && S_ISFIFO(facts.st_mode))
		return err_set(err, EX_CONFIG, "%s: is no regular file", path);
	if (!file_open_read(path, &fd, err)) {
		err->exit_code = EX_CONFIG;
		return false;
	}
	return read_regular(fd, path, text, err);
}

static char *
name_for(const struct account *account)
{
	struct buf name = {0};

	buf_printf(&name, "mailcrane.%s.password", account->id);
	return buf_take(&name);
}

/* A file of that name in the folder. *name is kept if it was read, else freed and NULL. */
static bool
read_in(int folder, char **name, struct buf *text, struct buf *remark, struct err *err)
{
	/* A pipe must not make us wait for somebody who writes. */
	int fd = openat(folder, *name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0)
		return read_regular(fd, *name, text, err) || err_prefix(err, "credential");
	if (errno != ENOENT) {
		buf_add_text(remark, "; credential ");
		err_add_clean(remark, str_of(*name));
		buf_printf(remark, ": %s", errno == ELOOP ? "is a link" : strerror(errno));
	}
	free(*name);
	*name = NULL;
	return true;
}

bool
credential_find(struct buf *text, const struct account *account, char **name, struct buf *remark, struct err *err)
{
	const char *path = secure_getenv("CREDENTIALS_DIRECTORY");
	bool is_good = true;
	int folder;

	*name = NULL;
	if (path == NULL || path[0] != '/')
		return true;
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) {
		buf_printf(remark, "; CREDENTIALS_DIRECTORY: %s", strerror(errno));
		return true;
	}
	if (account->id != NULL && strchr(account->id, '/') == NULL) {
		*name = name_for(account);
		is_good = read_in(folder, name, text, remark, err);
	}
	if (is_good && *name == NULL) {
		*name = mem_copy_string("mailcrane.password");
		is_good = read_in(folder, name, text, remark, err);
	}
	close(folder);
	return is_good;
}
