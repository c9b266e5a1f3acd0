/* downgrade.c - a server that used to offer a strong login and takes a weak one now. */

#include "config.h"

#include "cmd/downgrade.h"
#include "cmd/log.h"
#include "conf/keyword.h"
#include "queue/login.h"

static bool
has_decided(const struct account *account)
{
	size_t row = 0;

	return account->auth != AUTH_ON || (keyword_find(STR("auth_min"), &row) != NULL && account->is_set[row]);
}

/* The best kind that is remembered; AUTH_MIN_PLAIN: none. */
static enum account_auth_min
best_known(struct spool *spool, struct str key)
{
	if (login_is_known(spool, key, mechanism_class_name(AUTH_MIN_SCRAM_PLUS)))
		return AUTH_MIN_SCRAM_PLUS;
	if (login_is_known(spool, key, mechanism_class_name(AUTH_MIN_SCRAM)))
		return AUTH_MIN_SCRAM;
	return AUTH_MIN_PLAIN;
}

static void
warn(const struct call *call, const struct mechanism *used, enum account_auth_min known)
{
	const struct account *account = &call->account;
	struct buf text = {0};

	buf_printf(&text,
	           "account %s: %s took logins of the kind '%s' before, and now it had one by %s: somebody may be between it "
	           "and you. 'auth_min %s' refuses that; if the server has changed, 'auth_min %s' says so",
	           account->id != NULL ? account->id : "", account->host != NULL ? account->host : "",
	           mechanism_class_name(known), used->name, mechanism_class_name(known),
	           mechanism_class_name(used->class));
	log_warning(call, buf_text(&text));
	buf_free(&text);
}

void
downgrade_look(const struct call *call, struct spool *spool)
{
	const struct sasl_history *history = &call->history;
	const struct account *account = &call->account;
	enum account_auth_min known;
	struct buf key = {0};

	if (history->strongest == NULL || has_decided(account))
		return;
	login_add_key(&key, account->host, account->port, account->user);
	known = best_known(spool, buf_str(&key));
	if (history->strongest->class < known)
		warn(call, history->strongest, known);
	else if (history->is_in && history->strongest->class >= AUTH_MIN_SCRAM)
		login_note(spool, buf_str(&key), mechanism_class_name(history->strongest->class));
	buf_free(&key);
}
