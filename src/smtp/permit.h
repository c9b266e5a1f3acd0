/* permit.h - what may be sent behind what is unanswered: the rules of PIPELINING (RFC 2920) and of chunks (RFC 3030), and the
 * bounds that keep two full buffers from waiting for each other. Pure. */

#ifndef SMTP_PERMIT_H
#define SMTP_PERMIT_H

#include "smtp/dialog.h"

/* May the command of this stage, the next one there is, be sent now? False: a reply comes first. */
bool permit_stage(struct dialog *d, enum dialog_stage stage);

#endif
