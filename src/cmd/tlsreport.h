/* tlsreport.h - --tls-report: what was written down about TLS on one day, as the report of RFC 8460, on standard output. */

#ifndef CMD_TLSREPORT_H
#define CMD_TLSREPORT_H

#include "cmd/choose.h"

/* Do what the request asks for. Returns an exit code; an error was printed. */
int tlsreport_run(struct call *call);

#endif
