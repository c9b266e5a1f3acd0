/* allusers.h - --flush --all-users: root flushes everybody's queue, each as its owner. */

#ifndef CMD_ALLUSERS_H
#define CMD_ALLUSERS_H

#include "cmd/choose.h"

int allusers_flush(struct call *call);

#endif
