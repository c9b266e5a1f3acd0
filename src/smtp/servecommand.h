/* servecommand.h - what a server does about each command (RFC 5321 4.1). Pure. */

#ifndef SMTP_SERVECOMMAND_H
#define SMTP_SERVECOMMAND_H

#include "smtp/serve.h"

/* Do what the line, without its end, says: the reply is added to s->out, s->envelope and s->stage follow. */
void servecommand_run(struct serve *s, struct str line);

#endif
