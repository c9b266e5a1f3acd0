/* destination_test.c - the destinations of an envelope's recipients, and envelopes for one of them. */

#include "config.h"

#include "deliver/destination.h"
#include "tap.h"

static void
is_destination(const char *mailbox, const char *expected, const char *sentence)
{
	struct buf b = {0};

	destination_add(&b, mailbox);
	tap_is(buf_text(&b), expected, sentence);
	buf_free(&b);
}

static void
test_names(void)
{
	is_destination("a@Example.ORG", "example.org", "a destination is in lower case");
	is_destination("a@b\xc3\xbc""cher.example", "xn--bcher-kva.example", "and in A-labels");
	is_destination("\"a@b\"@example.org", "example.org", "an @ within quotes does not count");
	is_destination("a@[192.0.2.1]", "[192.0.2.1]", "a literal keeps its brackets");
	is_destination("alice", "", "without a domain there is none");
}

/* What is said by an envelope from `sender` for a message: R must be protected, W may go in the clear, - neither. */
static char
wish_of(const char *sender, bool requires_tls, bool waives_tls)
{
	char *reverse_path = (char *)(void *)(unsigned long)sender;
	const struct envelope envelope = {.reverse_path = reverse_path, .requires_tls = requires_tls};
	const struct message message = {.waives_tls = waives_tls};
	struct tls_wish wish = destination_wish(&envelope, &message);

	return wish.is_required ? wish.is_waived ? '!' : 'R' : wish.is_waived ? 'W' : '-';
}

static void
test_wishes(void)
{
	tap_ok(wish_of("a@example.org", false, false) == '-', "most messages say nothing about TLS");
	tap_ok(wish_of("a@example.org", true, false) == 'R', "REQUIRETLS is a demand");
	tap_ok(wish_of("a@example.org", false, true) == 'W', "TLS-Required: No waives");
	tap_ok(wish_of("a@example.org", true, true) == 'R', "REQUIRETLS counts more than the field (RFC 8689 section 4.1)");
	tap_ok(wish_of("", true, false) == '-', "a notification about a message with REQUIRETLS is not to get lost by it");
}

static void
test_parts(void)
{
	struct envelope whole = {0}, part;
	bool wanted[4];

	envelope_add(&whole, "a@one.example");
	envelope_add(&whole, "b@two.example");
	envelope_add(&whole, "c@ONE.example");
	envelope_add(&whole, "d@one.example");
	whole.recipients[3].outcome.state = OUTCOME_DELIVERED;
	tap_ok(destination_mark(&whole, "one.example", DESTINATION_PENDING, wanted) == 2 && wanted[0] && !wanted[1] && wanted[2] && !wanted[3],
	       "those of one destination who wait, however it is written");
	destination_split(&whole, wanted, &part);
	tap_ok(part.n_recipients == 2, "a part has them alone");
	tap_is(part.recipients[1].mailbox, "c@ONE.example", "in their order");
	part.recipients[1].outcome.state = OUTCOME_FAILED;
	destination_join(&whole, wanted, &part);
	tap_ok(whole.recipients[2].outcome.state == OUTCOME_FAILED && whole.recipients[1].outcome.state == OUTCOME_PENDING &&
	               whole.recipients[3].outcome.state == OUTCOME_DELIVERED,
	       "what became of them becomes of the whole's, and of nobody else");
	envelope_free(&whole);
}

int
main(void)
{
	test_names();
	test_wishes();
	test_parts();
	return tap_end();
}
