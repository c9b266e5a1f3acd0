/* known.c - the file of keys of servers that were met before. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "net/gnutls.h"
#include "net/known.h"

enum {
	FILE_MOST = 4 << 20, /* bytes; some 50,000 servers */
	LOCK_SECONDS = 10,
	LOCK_PAUSE_MS = 20,
	OTHERS = S_IRWXG | S_IRWXO
};

/* The file and its folder. */
struct book {
	const char *path;
	const char *name; /* of path, without the folder */
	int folder;
	int lock;         /* -1: not locked */
	struct buf text;  /* what the file holds */
};

static bool
book_open(struct book *book, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *folder = mem_copy_string(path);
	int cause;

	*book = (struct book){.path = path, .name = slash == NULL ? path : slash + 1, .folder = -1, .lock = -1};
	folder[slash == NULL || slash == path ? 1 : (size_t)(slash - path)] = '\0';
	book->folder = open(slash == NULL ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cause = errno;
	free(folder);
	errno = cause;
	return book->folder >= 0 || err_set_errno(err, EX_CANTCREAT, "the folder of known keys %s", path);
}

static void
book_close(struct book *book)
{
	if (book->lock >= 0)
		close(book->lock);
	if (book->folder >= 0)
		close(book->folder);
	buf_free(&book->text);
}

/* Nobody else may have had a say in what the file holds. */
static bool
check_file(const struct book *book, int fd, struct err *err)
{
	struct stat facts = {0};

	if (fstat(fd, &facts) != 0)
		return err_set_errno(err, EX_IOERR, "the file of known keys %s", book->path);
	if (!S_ISREG(facts.st_mode) || facts.st_nlink > 1)
		return err_set(err, EX_CONFIG, "the file of known keys %s is no regular file of one name", book->path);
	if (facts.st_uid != geteuid())
		return err_set(err, EX_CONFIG, "the file of known keys %s belongs to uid %u, and this is uid %u", book->path,
		               (unsigned)facts.st_uid, (unsigned)geteuid());
	if ((facts.st_mode & OTHERS) == 0)
		return true;
	err_set(err, EX_CONFIG, "the file of known keys %s is open to other users: mode %04o", book->path,
	        (unsigned)facts.st_mode & 07777U);
	return err_hint(err, "look whether its contents are right, then: chmod 600 %s", book->path);
}

/* Read the file. One that is not there is empty. */
static bool
book_read(struct book *book, struct err *err)
{
	int fd = openat(book->folder, book->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool is_good;

	buf_clear(&book->text);
	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0)
		return err_set_errno(err, EX_CONFIG, "cannot open the file of known keys %s", book->path);
	is_good = check_file(book, fd, err);
	if (is_good && !file_read_all(fd, FILE_MOST, &book->text, err))
		is_good = err_prefix(err, "the file of known keys %s", book->path);
	close(fd);
	return is_good;
}

static bool
book_lock(struct book *book, struct err *err)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
	int64_t deadline = clock_deadline(LOCK_SECONDS);
	struct buf name = {0};

	buf_printf(&name, "%s.lock", book->name);
	book->lock = openat(book->folder, buf_text(&name),
	                    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, S_IRUSR | S_IWUSR);
	buf_free(&name);
	if (book->lock < 0)
		return err_set_errno(err, EX_CANTCREAT, "cannot lock the file of known keys %s", book->path);
	while (flock(book->lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set_errno(err, EX_CANTCREAT, "cannot lock the file of known keys %s", book->path);
		if (clock_now() >= deadline)
			return err_set(err, EX_TEMPFAIL, "another process keeps the file of known keys %s locked", book->path);
		nanosleep(&pause, NULL);
	}
	return true;
}

/* Replace the file by the text; the lock is held. Dying at any point leaves the old file or the new one. */
static bool
book_write(struct book *book, struct err *err)
{
	struct buf name = {0};
	bool is_good;
	int fd;

	buf_printf(&name, "%s.new", book->name);
	(void)unlinkat(book->folder, buf_text(&name), 0);
	fd = openat(book->folder, buf_text(&name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0) {
		err_set_errno(err, EX_CANTCREAT, "cannot write the file of known keys %s", book->path);
		buf_free(&name);
		return false;
	}
	is_good = file_write_all(fd, buf_text(&book->text), book->text.size, book->path, err);
	if (is_good && fsync(fd) != 0)
		is_good = err_set_errno(err, EX_IOERR, "cannot write %s", book->path);
	if (close(fd) != 0 && is_good)
		is_good = err_set_errno(err, EX_IOERR, "cannot write %s", book->path);
	if (is_good && renameat(book->folder, buf_text(&name), book->folder, book->name) != 0)
		is_good = err_set_errno(err, EX_IOERR, "cannot write %s", book->path);
	if (!is_good)
		(void)unlinkat(book->folder, buf_text(&name), 0);
	/* A folder that cannot be synced is as good as it gets. */
	else if (fsync(book->folder) != 0 && errno != EINVAL && errno != ENOTSUP)
		is_good = err_set_errno(err, EX_IOERR, "cannot write %s", book->path);
	buf_free(&name);
	return is_good;
}

/* Take the next line with this server off *rest: what stands behind the name. */
static bool
next_of_server(struct str *rest, struct str server, struct str *what)
{
	struct str line = {0}, name = {0};

	while (str_next_token(rest, '\n', &line)) {
		*what = line;
		if (str_next_word(what, &name) && str_equals(name, server))
			return true;
	}
	return false;
}

/* Every line about the server must be one that can be read, lest damage makes it a stranger again. */
static enum known_result
look_up(const struct book *book, const char *server, const unsigned char key[DIGEST_SHA256_SIZE], struct buf *before,
        struct err *err)
{
	enum known_result result = KNOWN_NOT;
	struct str rest = buf_str(&book->text), what = {0};

	while (result != KNOWN_SAME && result != KNOWN_ERROR && next_of_server(&rest, str_of(server), &what)) {
		struct buf octets = {0};
		struct str pin = {0};
		struct err ignored = {0};

		if (!str_next_word(&what, &pin) || !digest_parse_pins(pin, &octets, &ignored) ||
		    octets.size != DIGEST_SHA256_SIZE) {
			err_set(err, EX_CONFIG, "the file of known keys %s has a damaged line about %s", book->path, server);
			result = KNOWN_ERROR;
		} else if (gnutls_memcmp(octets.data, key, DIGEST_SHA256_SIZE) == 0) {
			result = KNOWN_SAME;
		} else {
			buf_clear(before);
			digest_add_pin((const unsigned char *)octets.data, before);
			buf_add_text(before, " since ");
			err_add_clean(before, str_trim(what));
			result = KNOWN_CHANGED;
		}
		buf_free(&octets);
		err_clear(&ignored);
	}
	return result;
}

enum known_result
known_find(const char *path, const char *server, const unsigned char key[DIGEST_SHA256_SIZE], struct buf *before,
           struct err *err)
{
	struct book book;
	enum known_result result = KNOWN_ERROR;

	if (book_open(&book, path, err) && book_read(&book, err))
		result = look_up(&book, server, key, before, err);
	book_close(&book);
	return result;
}

static void
end_last_line(struct buf *text)
{
	if (text->size > 0 && text->data[text->size - 1] != '\n')
		buf_add_char(text, '\n');
}

/* Add the line, unless another process did so while the handshake went on. */
static bool
add_line(struct book *book, const char *server, const unsigned char key[DIGEST_SHA256_SIZE], struct err *err)
{
	struct buf before = {0};
	enum known_result result = look_up(book, server, key, &before, err);

	if (result == KNOWN_CHANGED)
		err_set(err, EX_UNAVAILABLE, "another process has just met %s with another key, %s", server, buf_text(&before));
	buf_free(&before);
	if (result != KNOWN_NOT)
		return result == KNOWN_SAME;
	end_last_line(&book->text);
	buf_printf(&book->text, "%s ", server);
	digest_add_pin(key, &book->text);
	buf_add_char(&book->text, ' ');
	clock_add_timestamp(&book->text, time(NULL));
	buf_add_char(&book->text, '\n');
	return book_write(book, err);
}

bool
known_add(const char *path, const char *server, const unsigned char key[DIGEST_SHA256_SIZE], struct err *err)
{
	struct book book;
	bool is_good = book_open(&book, path, err) && book_lock(&book, err) && book_read(&book, err) &&
	               add_line(&book, server, key, err);

	book_close(&book);
	return is_good;
}

/* Drop the lines about the server. True: there were some. */
static bool
drop_lines(struct book *book, const char *server)
{
	struct str rest = buf_str(&book->text), line = {0};
	struct buf kept = {0};
	bool is_found = false;

	while (str_next_token(&rest, '\n', &line)) {
		struct str what = line, name = {0};

		if (str_next_word(&what, &name) && str_equals(name, str_of(server))) {
			is_found = true;
			continue;
		}
		buf_add_str(&kept, line);
		buf_add_char(&kept, '\n');
	}
	buf_free(&book->text);
	book->text = kept;
	return is_found;
}

bool
known_forget(const char *path, const char *server, bool *is_found, struct err *err)
{
	struct book book;
	bool is_good = book_open(&book, path, err) && book_lock(&book, err) && book_read(&book, err);

	*is_found = is_good && drop_lines(&book, server);
	if (*is_found)
		is_good = book_write(&book, err);
	book_close(&book);
	return is_good;
}
