/* destination_test.c - the domains of an envelope's recipients. */

#include "config.h"

#include <stdlib.h>

#include "deliver/destination.h"
#include "tap.h"

enum { N = 6 };

static void
destination_is(const char *mailbox, const char *expected, const char *sentence)
{
	struct buf text = {0};

	destination_add(&text, mailbox);
	tap_is(buf_text(&text), expected, sentence);
	buf_free(&text);
}

static void
test_names(void)
{
	destination_is("bob@Example.ORG", "example.org", "a domain is written in lower case");
	destination_is("bob@B\xc3\xbc" "cher.example", "xn--bcher-kva.example", "and in A-labels");
	destination_is("\"a@b\"@example.org", "example.org", "an @ in quotes is none");
	destination_is("bob@[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]", "an address literal keeps its brackets");
	destination_is("bob", "", "who has no domain has no destination");
}

static void
fill(struct envelope *envelope)
{
	static const char *const mailboxes[N] = {"a@one.example", "b@two.example", "c@ONE.example", "d@one.example", "e@three.example", "f@-bad-.example"};

	for (size_t i = 0; i < N; i++)
		envelope_add(envelope, mailboxes[i]);
	envelope->recipients[0].outcome.state = OUTCOME_DELIVERED;
	envelope->recipients[3].outcome.state = OUTCOME_DEFERRED;
}

static void
test_marks(void)
{
	struct envelope envelope = {0};
	bool wanted[N];
	char *first;

	fill(&envelope);
	tap_ok(destination_mark(&envelope, "one.example", DESTINATION_PENDING, wanted) == 1 && wanted[2],
	       "who waits for a destination is marked, however it is written");
	tap_ok(destination_mark(&envelope, "one.example", DESTINATION_PENDING | DESTINATION_DEFERRED, wanted) == 2 && wanted[2] && wanted[3],
	       "with those who were put off, if they are asked for");
	tap_ok(destination_mark(&envelope, NULL, DESTINATION_PENDING, wanted) == 4, "no destination means all");
	tap_ok(destination_mark(&envelope, "", DESTINATION_PENDING, wanted) == 1 && wanted[5], "those whose domain cannot be are found by it");
	first = destination_first(&envelope, DESTINATION_PENDING);
	tap_is(first, "two.example", "the first one is that of the first who waits");
	free(first);
	envelope_free(&envelope);
}

static void
test_parts(void)
{
	struct envelope envelope = {0}, part;
	bool wanted[N];

	fill(&envelope);
	destination_mark(&envelope, "one.example", DESTINATION_PENDING | DESTINATION_DEFERRED, wanted);
	destination_split(&envelope, wanted, &part);
	tap_ok(part.n_recipients == 2 && strcmp(part.recipients[0].mailbox, "c@ONE.example") == 0, "a part has those who are marked");
	part.recipients[1].outcome.state = OUTCOME_FAILED;
	destination_join(&envelope, wanted, &part);
	tap_ok(envelope.recipients[3].outcome.state == OUTCOME_FAILED && envelope.recipients[0].outcome.state == OUTCOME_DELIVERED &&
	           envelope.recipients[1].outcome.state == OUTCOME_PENDING,
	       "and its outcomes come back to them alone");
	destination_end(&part);
	envelope_free(&envelope);
}

static void
test_wishes(void)
{
	struct envelope envelope = {0};
	struct message message = {.waives_tls = true};
	struct buf a = {0}, b = {0};

	tap_ok(destination_wish(&envelope, &message).is_waived, "TLS-Required: No is a wish");
	destination_add_route(&a, "one.example", destination_wish(&envelope, &message));
	envelope.requires_tls = true;
	tap_ok(destination_wish(&envelope, &message).is_required && !destination_wish(&envelope, &message).is_waived,
	       "REQUIRETLS is stronger");
	destination_add_route(&b, "one.example", destination_wish(&envelope, &message));
	tap_ok(!str_equals(buf_str(&a), buf_str(&b)), "other wishes are another route");
	buf_free(&a);
	buf_free(&b);
}

int
main(void)
{
	test_names();
	test_marks();
	test_parts();
	test_wishes();
	return tap_end();
}
