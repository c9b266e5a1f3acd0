/* route.h - the hosts to try, in order, each with its addresses where they are known already, its port, and its demand for TLS.
 *
 * For a relay that is what the account says: one host, several to fail over to, or those of SRV records. For direct delivery it
 * is what DNS says about one destination (deliver/direct.h). */

#ifndef DELIVER_ROUTE_H
#define DELIVER_ROUTE_H

#include <stdbool.h>

#include "deliver/destination.h"
#include "deliver/finder.h"
#include "deliver/policy.h"
#include "mail/outcome.h"
#include "net/connect.h"
#include "net/dane.h"
#include "net/lookup.h"
#include "net/tls.h"

enum {
	ROUTE_HOSTS_MOST = 20,
	ROUTE_ADDRESSES_MOST = 40,
	ROUTE_SECONDS = 60        /* the usual patience for all questions of DNS and about policies together */
};

enum route_tls {
	ROUTE_TLS_NONE,
	ROUTE_TLS_STARTTLS, /* in the dialogue, or no mail */
	ROUTE_TLS_IMPLICIT, /* from the first byte on */
	ROUTE_TLS_MAY       /* in the dialogue where it is offered, else in the clear */
};

/* Where a host's demand for TLS comes from. */
enum route_reason {
	ROUTE_BY_ACCOUNT, /* settings alone */
	ROUTE_BY_DANE,
	ROUTE_BY_POLICY,  /* MTA-STS */
	ROUTE_BY_NOTHING  /* nothing is published, and the settings ask for nothing */
};

struct route_host {
	char *name;                    /* for people, logs and AUTH: the host, or the path of the socket; owned */
	int preference;                /* of the MX record, or the place in the list */
	struct connect_target target;  /* host borrowed from name */
	enum route_tls tls;
	struct tls_settings tls_settings;
	enum route_reason reason;
	struct buf explanation;        /* of the demand, for people: "DANE: 2 of 2 TLSA records of _25._tcp.mx.example count" */
	struct buf refusal;            /* why it must not be tried; empty: it may */
	bool is_bogus;                 /* because DNSSEC says that somebody has forged something */
	bool is_trouble_temporary;     /* a wrong certificate is what somebody published or does, not a mistake in our settings */
	bool has_addresses;            /* `addresses` holds them: nobody looks for others */
	struct lookup addresses;
	bool is_secure;                /* they are validated, and so is what led to the name */
	bool is_certain;               /* nobody on the way to DNS can have put this name in the place of another */
	char canonical[DNS_NAME_SIZE]; /* the name behind CNAMEs; "": not asked */
	struct dane dane;
	char *reference;               /* name that the certificate must have, where it is not `name`; owned */
};

/* In order of trying. Settings of TLS, socket and proxy are borrowed from the account, which must outlive the route. */
struct route {
	struct route_host *hosts;      /* owned */
	size_t n_hosts;
	bool is_direct;
	struct policy policy;          /* MTA-STS, where it was asked for */
	bool is_answered;              /* DNS told which hosts there are: that none is reached is not our network's fault */
	/* When there is no host to try: what becomes of the recipients, and the same as an error. PENDING: there are hosts. */
	struct outcome refusal;
	struct err failure;
};

struct route_query {
	const struct account *account; /* completed */
	const char *destination;       /* as deliver/destination.h writes it; NULL: for a relay */
	struct tls_wish wish;          /* of the messages */
	struct finder *finder;         /* NULL: DNS is not asked, and a route that needs it fails */
	int64_t deadline;              /* for all questions together */
};

/* Find the hosts. False: there is none to try; refusal and failure say why. Free it either way. */
bool route_find(struct route *route, const struct route_query *query);

/* The first host that may be tried; NULL: there is none. */
const struct route_host *route_first(const struct route *route);

/* Twice is harmless. */
void route_free(struct route *route);

/* --- for those who fill a route --- */

/* A further host with what the account says of every host; NULL when there are enough. name is copied. Pointers to hosts are good
 * until the next call. */
struct route_host *route_add(struct route *route, const struct account *account, struct str name, int port);

/* While hosts are sorted out: host i stays, at place n <= i; or goes. The caller sets n_hosts. */
void route_keep(struct route *route, size_t i, size_t n);
void route_drop(struct route *route, size_t i);

/* There is no host to try. enhanced: its first number 5 makes it final. Returns false. */
bool route_refuse(struct route *route, const unsigned short enhanced[3], int exit_code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
