/* envelope.c - reverse-path and recipients of one message. Pure. */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "mail/mailbox.h"

enum { FEWEST_SLOTS = 16 };

/* FNV-1a without ASCII case, so that mailboxes address_equals() calls equal share a slot. */
static size_t
hash(const char *mailbox)
{
	uint64_t sum = 0xcbf29ce484222325U;

	for (; *mailbox != '\0'; mailbox++) {
		sum ^= (unsigned char)ascii_lower(*mailbox);
		sum *= 0x100000001b3U;
	}
	return (size_t)(sum ^ (sum >> 32));
}

/* The slot where the mailbox is, or the free one where it belongs. There always is a free one. */
static size_t *
find_slot(const struct envelope *envelope, const char *mailbox)
{
	size_t mask = envelope->n_slots - 1;
	size_t i = hash(mailbox) & mask;

	while (envelope->slots[i] != 0 &&
	       !address_equals(envelope->recipients[envelope->slots[i] - 1].mailbox, mailbox))
		i = (i + 1) & mask;
	return &envelope->slots[i];
}

/* Make the table anew with at least twice as many slots as recipients. */
static void
index_recipients(struct envelope *envelope)
{
	size_t n_slots = FEWEST_SLOTS;

	while (n_slots / 4 < envelope->n_recipients)
		n_slots *= 2;
	free(envelope->slots);
	envelope->slots = mem_alloc(n_slots, sizeof(*envelope->slots));
	envelope->n_slots = n_slots;
	for (size_t i = 0; i < envelope->n_recipients; i++)
		*find_slot(envelope, envelope->recipients[i].mailbox) = i + 1;
	envelope->n_indexed = envelope->n_recipients;
}

bool
envelope_add(struct envelope *envelope, const char *mailbox)
{
	size_t n = envelope->n_recipients;
	size_t *slot;

	if (envelope->n_indexed != n || envelope->n_slots / 2 <= n)
		index_recipients(envelope);
	slot = find_slot(envelope, mailbox);
	if (*slot != 0)
		return false;
	/* Room grows at each power of two, so that many recipients are not copied over and over. */
	if ((n & (n - 1)) == 0)
		envelope->recipients = mem_resize(envelope->recipients, n > 0 ? 2 * n : 1, sizeof(*envelope->recipients));
	envelope->recipients[n] = (struct recipient){.mailbox = mem_copy_string(mailbox)};
	envelope->n_recipients = n + 1;
	envelope->n_indexed = n + 1;
	*slot = n + 1;
	return true;
}

size_t
envelope_count(const struct envelope *envelope, enum outcome_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < envelope->n_recipients; i++)
		n += envelope->recipients[i].outcome.state == state;
	return n;
}

void
envelope_settle(struct envelope *envelope, const struct outcome *outcome)
{
	for (size_t i = 0; i < envelope->n_recipients; i++)
		if (envelope->recipients[i].outcome.state == OUTCOME_PENDING)
			envelope->recipients[i].outcome = *outcome;
}

int
envelope_refusal_code(const struct envelope *envelope)
{
	int code = EX_OK;

	for (size_t i = 0; i < envelope->n_recipients; i++)
		if (envelope->recipients[i].outcome.state == OUTCOME_FAILED)
			code = outcome_worse_exit(code, outcome_exit_code(&envelope->recipients[i].outcome));
	/* The message itself was good enough for somebody (LMTP answers for each recipient after the text). */
	if (code == EX_UNAVAILABLE && envelope_count(envelope, OUTCOME_DELIVERED) > 0)
		code = EX_NOUSER;
	return code;
}

int
envelope_exit_code(const struct envelope *envelope)
{
	size_t n_settled = envelope_count(envelope, OUTCOME_DELIVERED) + envelope_count(envelope, OUTCOME_FAILED);
	int code = envelope_refusal_code(envelope);

	return n_settled < envelope->n_recipients ? outcome_worse_exit(code, EX_TEMPFAIL) : code;
}

static bool
is_local_8bit(const char *mailbox)
{
	struct str text = str_of(mailbox);

	return str_has_8bit(str_first(text, mailbox_local_size(text)));
}

bool
envelope_needs_smtputf8(const struct envelope *envelope)
{
	if (is_local_8bit(envelope->reverse_path))
		return true;
	for (size_t i = 0; i < envelope->n_recipients; i++)
		if (is_local_8bit(envelope->recipients[i].mailbox))
			return true;
	return false;
}

void
envelope_free(struct envelope *envelope)
{
	for (size_t i = 0; i < envelope->n_recipients; i++) {
		free(envelope->recipients[i].mailbox);
		free(envelope->recipients[i].original);
	}
	free(envelope->recipients);
	free(envelope->reverse_path);
	free(envelope->envid);
	free(envelope->slots);
	*envelope = (struct envelope){0};
}
