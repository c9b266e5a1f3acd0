/*
 * world - what a test needs around the program: a folder of its own with a spool, a configuration, messages and a server.
 *
 * Every recipient of a test has an address of its own, KIND.M.R@example.test: of message M, the R-th; the peer refuses temp.. for now
 * and perm.. for good. So an address alone tells which message it is about.
 */
#ifndef CRASH_WORLD_H
#define CRASH_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { WORLD_PATH = 512, WORLD_ARGUMENTS = 48 };

struct world {
	char folder[WORLD_PATH];   /* removed in the end */
	char spool[WORLD_PATH];    /* queue_dir */
	char kept[WORLD_PATH];     /* a copy of the spool, to begin each time with the same */
	char crashed[WORLD_PATH];  /* room for what a crash left */
	char mail[WORLD_PATH];     /* what the peer was given */
	char config[WORLD_PATH];
	char output[WORLD_PATH];   /* stdout and stderr of the last run */
	const char *mailcrane;
	const char *peer_program;
	pid_t peer;                /* 0: none */
	int port;
};

/* What is common to all: where the programs are, how thorough to be, and what is counted. */
struct world_setting {
	char mailcrane[WORLD_PATH];
	char peer[WORLD_PATH];
	char self[WORLD_PATH];     /* this program */
	const char *only;          /* name of the one scenario to run; NULL: all */
	bool is_quick;
	bool is_chatty;
	unsigned seed;
};

/* A new world below $CRASH_DIR, $TMPDIR or /tmp. */
void world_make(struct world *world, const struct world_setting *setting);

/* End the peer, remove the folder. */
void world_free(struct world *world);

/* Start the peer with further options (ends with NULL), on the same port when it had one before. FOLDER in an option or a
 * setting stands for the world's. */
void world_start_peer(struct world *world, const char *const *options);
void world_stop_peer(struct world *world);

/* Write the configuration: the usual settings, then these lines. */
void world_configure(struct world *world, const char *lines);

/* Write message M of about so many bytes to FOLDER/mM. The name of the file is put into path. */
void world_write_message(struct world *world, unsigned m, size_t size, char path[WORLD_PATH]);

/* The line i of every message's body, and how many there are for a size. */
void world_body_line(unsigned m, size_t i, char line[80]);
size_t world_body_lines(size_t size);

/* Run a program to its end and that of all it left behind. Its exit status; 128 + signal; -1: it took longer than limit_ms. */
int world_run(struct world *world, char *const *argv, const char *input, int limit_ms);

/* Wait until nothing but the peer runs, and nobody is connected to it. */
bool world_settle(struct world *world, int limit_ms);

/* The command line "MAILCRANE -C CONFIG words...", words separated by blanks. Freed by nobody: the words are kept in room. */
struct world_command {
	char room[4096];
	char *argv[WORLD_ARGUMENTS];
};
void world_command(struct world_command *command, const struct world *world, const char *words);

/* Make `to` a copy of `from`, with times; of what is there, nothing stays. */
void world_copy(const char *from, const char *to);

/* The same into a folder that is there and empty. */
void world_copy_into(const char *from, const char *to);
void world_remove(const char *path);

int64_t world_now_ms(void);

/* Say what went wrong and end: for trouble with the harness itself. */
void world_die(const char *what, const char *name) __attribute__((noreturn));

/* Room for a path. */
void world_path(char path[WORLD_PATH], const char *folder, const char *name);

#endif
