/* list.h - reads an address-list (RFC 5322 3.4 and 4.4). Pure. */

#ifndef MAIL_LIST_H
#define MAIL_LIST_H

#include "mail/address.h"

/* What address_parse_list() promises. */
bool list_parse(struct str text, bool is_operand, struct address_list *list, struct err *err);

#endif
