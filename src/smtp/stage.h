/* stage.h - the protocol as a table: one row for each kind of command. Pure. */

#ifndef SMTP_STAGE_H
#define SMTP_STAGE_H

#include <stdbool.h>

#include "mail/outcome.h"
#include "smtp/dialog.h"

struct stage {
	const char *name;            /* for texts: "MAIL was refused: 550 ..." */
	int yes;                     /* first digit of the reply that means yes */
	int patience;                /* seconds (RFC 5321 4.5.3.2) */
	bool may_be_followed;        /* may other commands be sent before its answer (RFC 2920 3.1)? */
	enum outcome_stage about;    /* what a failure here is about */
};

const struct stage *stage_row(enum dialog_stage stage);

#endif
