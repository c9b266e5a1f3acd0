/* sendmail.h - what the letters behind sendmail's options -b, -o, -O and -q mean here. */

#ifndef CONF_SENDMAIL_H
#define CONF_SENDMAIL_H

#include "conf/option.h"

/* -bX: the mode, MODE_SEND for -bm, and for a list what of it is wanted. False: EX_USAGE, this program cannot do it. *mode is
 * as before then. */
bool sendmail_mode(const char *argument, enum request_mode *mode, enum request_count *counts_only, struct err *err);

/* -oX and -O NAME=VALUE: how a message is handed over (d, DeliveryMode), what is told (e, ErrorMode), and whether a dot ends the
 * message (i, IgnoreDots). All others have no effect. */
void sendmail_option(struct request *request, const char *argument);

/* What stands behind -q, without a blank: NULL or "" (what is due), "f" (everything), a filter as "IText", "!SText", or what is
 * about a daemon or a queue that we do not have (a time, p, G, L, Q) and means the same as nothing. False: EX_USAGE. */
bool sendmail_queue_run(struct request_flush *flush, const char *argument, struct err *err);

#endif
