/* stage.c - the protocol as a table. Pure. */

#include "config.h"

#include "smtp/stage.h"

static const struct stage stages[] = {
	[STAGE_GREETING] = {"greeting", 2, 300, false, OUTCOME_AT_GREETING},
	[STAGE_EHLO] = {"EHLO", 2, 300, false, OUTCOME_AT_HELLO},
	[STAGE_HELO] = {"HELO", 2, 300, false, OUTCOME_AT_HELLO},
	[STAGE_LHLO] = {"LHLO", 2, 300, false, OUTCOME_AT_HELLO},
	[STAGE_STARTTLS] = {"STARTTLS", 2, 300, false, OUTCOME_AT_TLS},
	[STAGE_AUTH] = {"AUTH", 2, 300, false, OUTCOME_AT_AUTH},
	[STAGE_ETRN] = {"ETRN", 2, 300, false, OUTCOME_AT_HELLO},
	[STAGE_RSET] = {"RSET", 2, 300, true, OUTCOME_AT_MAIL},
	[STAGE_MAIL] = {"MAIL", 2, 300, true, OUTCOME_AT_MAIL},
	[STAGE_RCPT] = {"RCPT", 2, 300, true, OUTCOME_AT_RCPT},
	[STAGE_DATA] = {"DATA", 3, 120, false, OUTCOME_AT_DATA},
	[STAGE_CHUNK] = {"BDAT", 2, 180, true, OUTCOME_AT_DATA},
	[STAGE_END] = {"end of message", 2, 600, true, OUTCOME_AT_END},
	[STAGE_QUIT] = {"QUIT", 2, 300, false, OUTCOME_AT_END},
	[STAGE_TEXT] = {"message text", 0, 180, false, OUTCOME_AT_DATA},
	[STAGE_ORDER] = {"next message", 0, 300, false, OUTCOME_AT_MAIL},
};

const struct stage *
stage_row(enum dialog_stage stage)
{
	return &stages[stage];
}
