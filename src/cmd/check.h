/* check.h - is the configuration right? A report for people, or with --json for programs (--check). */

#ifndef CMD_CHECK_H
#define CMD_CHECK_H

#include "cmd/choose.h"

/* Say about the configuration files, and about each account (or the one of -a, --host or MAILCRANE_URL), what is right and what
 * is wrong: is it complete, is there a secret (its length and where it was found, never itself), can the files it names be read;
 * with --check=server also: is the server there, does TLS come about, is the login accepted. Nothing is sent, nobody is asked,
 * nothing is changed. On stdout. The exit status: EX_OK, or that of the worst fault. */
int check_run(struct call *call);

#endif
