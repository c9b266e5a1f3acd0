/* tlspolicy.h - does the setting tls_policy fit with the others? Pure. */

#ifndef CONF_TLSPOLICY_H
#define CONF_TLSPOLICY_H

#include "base/err.h"
#include "conf/account.h"

/* is_direct: mail goes to the recipients' own servers, where the policy is all there is; else to one host, for which `tls` says
 * whether there is TLS. False: EX_CONFIG. What would be weaker than it reads is refused. */
bool tlspolicy_check(const struct account *account, bool is_direct, struct err *err);

#endif
