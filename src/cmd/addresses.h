/* addresses.h - -bv: what becomes of addresses, one line for each that mail would go to; nothing is sent, stdin is not read. */

#ifndef CMD_ADDRESSES_H
#define CMD_ADDRESSES_H

#include "cmd/choose.h"

/* The exit status: EX_DATAERR when one of the operands is no address. */
int addresses_run(struct call *call);

#endif
