/* destination.c - the domains of an envelope's recipients. Pure. */

#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "deliver/destination.h"
#include "mail/mailbox.h"

struct tls_wish
destination_wish(const struct envelope *envelope, const struct message *message)
{
	/* A notification about a message that must go by TLS goes all the same (RFC 8689 section 5): it has its header alone. */
	bool is_notification = envelope->reverse_path != NULL && envelope->reverse_path[0] == '\0';

	return (struct tls_wish){
		.is_required = envelope->requires_tls && !is_notification,
		.is_waived = message->waives_tls && !envelope->requires_tls,
	};
}

void
destination_add(struct buf *b, const char *mailbox)
{
	struct str text = str_of(mailbox);
	size_t local_size = mailbox_local_size(text), start = b->size;

	if (local_size >= text.size || mailbox_add_ascii_domain(b, str_from(text, local_size + 1)) != NULL)
		return;
	for (size_t i = start; i < b->size; i++)
		b->data[i] = ascii_lower(b->data[i]);
}

void
destination_add_route(struct buf *route, const char *destination, struct tls_wish wish)
{
	buf_printf(route, "\nmx %s%s", destination, wish.is_required ? "\nREQUIRETLS" : wish.is_waived ? "\nTLS-Required: No" : "");
}

static bool
is_in_state(const struct recipient *recipient, unsigned states)
{
	return (recipient->outcome.state == OUTCOME_PENDING && (states & DESTINATION_PENDING) != 0) ||
	       (recipient->outcome.state == OUTCOME_DEFERRED && (states & DESTINATION_DEFERRED) != 0);
}

static bool
is_for(const struct recipient *recipient, const char *destination)
{
	struct str text = str_of(recipient->mailbox);
	struct buf own = {0};
	bool is_same;

	/* Mostly the domain is written as it goes into DNS: thousands of recipients are compared with thousands of domains. For
	 * one that cannot be (destination "") only the long way tells. */
	if (destination[0] != '\0' && !str_has_8bit(text) && text.size > 0 && text.data[text.size - 1] != '.')
		return str_equals_nocase(str_from(text, mailbox_local_size(text) + 1), str_of(destination));
	destination_add(&own, recipient->mailbox);
	is_same = str_equals(buf_str(&own), str_of(destination));
	buf_free(&own);
	return is_same;
}

size_t
destination_mark(const struct envelope *envelope, const char *destination, unsigned states, bool *wanted)
{
	size_t n = 0;

	for (size_t i = 0; i < envelope->n_recipients; i++) {
		const struct recipient *recipient = &envelope->recipients[i];

		wanted[i] = is_in_state(recipient, states) && (destination == NULL || is_for(recipient, destination));
		n += wanted[i];
	}
	return n;
}

char *
destination_first(const struct envelope *envelope, unsigned states)
{
	struct buf text = {0};

	for (size_t i = 0; i < envelope->n_recipients; i++) {
		if (!is_in_state(&envelope->recipients[i], states))
			continue;
		destination_add(&text, envelope->recipients[i].mailbox);
		return buf_take(&text);
	}
	return NULL;
}

void
destination_split(const struct envelope *whole, const bool *wanted, struct envelope *part)
{
	*part = *whole;
	part->recipients = mem_alloc(whole->n_recipients, sizeof(*part->recipients));
	part->n_recipients = 0;
	part->slots = NULL;
	part->n_slots = 0;
	part->n_indexed = 0;
	for (size_t i = 0; i < whole->n_recipients; i++)
		if (wanted[i])
			part->recipients[part->n_recipients++] = whole->recipients[i];
}

void
destination_join(struct envelope *whole, const bool *wanted, struct envelope *part)
{
	size_t n = 0;

	for (size_t i = 0; i < whole->n_recipients; i++)
		if (wanted[i])
			whole->recipients[i].outcome = part->recipients[n++].outcome;
	destination_end(part);
}

void
destination_end(struct envelope *part)
{
	free(part->recipients);
	*part = (struct envelope){0};
}
