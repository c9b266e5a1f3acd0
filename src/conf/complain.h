/* complain.h - what is wrong with the argument of a setting: for the rows of conf/keyword.c. Pure.
 *
 * Each returns what would be right, the end of a sentence; NULL when the argument is. Constant. */

#ifndef CONF_COMPLAIN_H
#define CONF_COMPLAIN_H

#include "base/str.h"

const char *complain_fingerprint(struct str argument);
const char *complain_dns_server(struct str argument);
const char *complain_dsn_notify(struct str argument);
const char *complain_queue_dir(struct str argument);
const char *complain_mta_sts_connect(struct str argument);
const char *complain_bounce_to(struct str argument);
const char *complain_dkim_name(struct str argument);
const char *complain_identity(struct str argument);
const char *complain_treat_as_temporary(struct str argument);

#endif
