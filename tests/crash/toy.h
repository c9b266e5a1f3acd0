/*
 * toy - a small queue writer and sender that keeps the same files as the program, right or, on demand, wrong in one way. The crash tests
 * test themselves on it: what is wrong must be seen.
 *
 * $CRASH_TOY is empty (right) or names what is wrong:
 *
 *     no-fsync        the file is not synced before it gets its name
 *     no-folder-sync  the name is not synced before success is reported
 *     no-tmp          written where it is sent from
 *     no-mark         the text goes out without a mark
 *     no-record       a delivery to some of the recipients is not recorded
 *     unlink-first    removed before it is sent
 *     no-check        errors of write and fsync are ignored
 *     no-bounce-sync  the notification is not synced
 *     bounce-late     the notification is written after the entry was moved
 */
#ifndef CRASH_TOY_H
#define CRASH_TOY_H

/* `-C CONFIG -odq ADDRESS...` or `-C CONFIG --flush ...`: exit status. */
int toy_run(int argc, char **argv);

#endif
