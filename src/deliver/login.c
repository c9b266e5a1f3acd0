/* login.c - AUTH in a session: the mechanism, and its answers. No I/O: the session carries the lines. */

#include "config.h"

#include "deliver/login.h"

static bool
may_show_secret(const struct session *s)
{
	if (s->dialog.is_protected || s->account->auth_cleartext == CLEARTEXT_ALWAYS)
		return true;
	return s->account->auth_cleartext == CLEARTEXT_LOOPBACK && s->connection.is_loopback;
}

static void
begin_mechanism(struct session *s, struct err *err)
{
	struct sasl_identity identity = {.account = s->account, .secret = s->secret, .host = s->host->target.host};
	struct mechanism_offer offer = {buf_str(&s->dialog.caps.mechanisms), may_show_secret(s), false};
	const char *mechanism = NULL;
	bool has_response = false, is_sent = false;

	if (s->host->target.socket != NULL)
		identity.host = s->account->host != NULL ? s->account->host : "localhost";
	identity.has_binding =
	    s->stream.tls != NULL && tls_channel_binding(s->stream.tls, &identity.is_exporter, &s->binding);
	identity.binding = buf_str(&s->binding);
	offer.has_binding = identity.has_binding;
	if (s->secret != NULL)
		dialog_hide(&s->dialog, buf_str(&s->secret->text));
	if (!sasl_choose(s->account, &offer, s->history, &mechanism, err) ||
	    !sasl_start(&s->sasl, mechanism, &identity, err) || !sasl_initial(s->sasl, &has_response, &s->initial, err))
		return;
	dialog_auth_begin(&s->dialog, mechanism, has_response ? buf_text(&s->initial) : NULL, &is_sent);
	if (is_sent)
		buf_wipe(&s->initial);
}

static bool
answer_challenge(struct session *s, struct err *err)
{
	struct buf line = {0};
	bool is_fine;

	/* An initial response that was too long for the AUTH command answers the server's empty challenge. */
	if (s->initial.size > 0) {
		dialog_auth_answer(&s->dialog, buf_str(&s->initial));
		buf_wipe(&s->initial);
		return true;
	}
	is_fine = sasl_step(s->sasl, buf_str(&s->dialog.challenge), &line, err);
	if (is_fine)
		dialog_auth_answer(&s->dialog, buf_str(&line));
	buf_wipe(&line);
	return is_fine;
}

void
login_serve(struct session *s)
{
	struct err err = {0};

	switch (s->dialog.auth) {
	case DIALOG_AUTH_CHALLENGED:
		if (!answer_challenge(s, &err))
			dialog_auth_cancel(&s->dialog, &err);
		return;
	case DIALOG_AUTH_ACCEPTED:
		if (s->initial.size > 0)
			err_set(&err, EX_PROTOCOL, "the server accepted a login that was not finished");
		else if (sasl_finish(s->sasl, &err)) {
			dialog_auth_done(&s->dialog);
			if (s->history != NULL)
				s->history->is_in = true;
			/* Its secrets have no further use, while a message may take its time. */
			sasl_free(s->sasl);
			s->sasl = NULL;
		}
		break;
	default:
		begin_mechanism(s, &err);
		break;
	}
	if (err_is_set(&err))
		dialog_give_up(&s->dialog, OUTCOME_AT_AUTH, &err);
}
