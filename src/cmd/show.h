/* show.h - tells about the configuration and the program itself: --pretend, --print-config, --version, --help. All on stdout. */

#ifndef CMD_SHOW_H
#define CMD_SHOW_H

#include "cmd/choose.h"

/* The exit status. --pretend never waits for stdin. */
int show_pretend(struct call *call);
int show_config(struct call *call);
int show_version(const struct call *call);
int show_help(const struct call *call);

#endif
