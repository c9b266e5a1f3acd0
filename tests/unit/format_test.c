/* format_test - the bytes of a queue entry: head, end and journal. */

#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "queue/format.h"
#include "tap.h"

static const char id[] = "1K5DBR4VO0V0123ABCD";
static const struct entry_origin plain = {.account = (char *)"work"};

/* What an entry holds after reading; as entry_free() would. */
static void
free_entry(struct entry *entry)
{
	free(entry->origin.account);
	free(entry->origin.config_file);
	free(entry->origin.settings);
	free(entry->message_id);
	envelope_free(&entry->envelope);
	free(entry->states);
	free(entry->state_offsets);
	*entry = (struct entry){0};
}

static struct message
small_message(void)
{
	return (struct message){.size = 300, .header_size = 120, .wire_size = 310, .longest_line = 60};
}

static void
add(struct envelope *envelope, const char *mailbox, enum outcome_state state)
{
	envelope_add(envelope, mailbox);
	envelope->recipients[envelope->n_recipients - 1].outcome.state = state;
}

/* A head with one recipient. */
static struct buf
plain_head(void)
{
	struct message message = small_message();
	struct envelope envelope = {0};
	struct entry_content content = {
		.origin = &plain, .envelope = &envelope, .message = &message, .created = 1795302972, .folder = SPOOL_QUEUE};
	struct buf head = {0};
	size_t n = 0;

	envelope.reverse_path = mem_copy_string("me@example.org");
	add(&envelope, "r@example.com", OUTCOME_PENDING);
	format_add_head(&head, &content, id, &n);
	envelope_free(&envelope);
	return head;
}

static bool
reads(struct str head)
{
	struct entry entry = {0};
	const char *why = NULL;
	bool is_good = format_read_head(&entry, head, &why);

	is_good = is_good == (why == NULL) && is_good;
	free_entry(&entry);
	return is_good;
}

static void
test_picture(void)
{
	struct buf head = plain_head();
	size_t head_size = 0;
	size_t n = 0;
	int64_t size = 0;

	tap_is(buf_text(&head),
	       "MCQ1 0000008e 00000001 000000000000012c 000000006b02263c -- e18d3d6e\n"
	       "Awork\nI1K5DBR4VO0V0123ABCD\nSme@example.org\nF120 310 60 -\nTr@example.com\n\n",
	       "queue 3.2: the head of a simple message");
	tap_ok(format_first_line(buf_str(&head), &head_size, &n, &size), "its first line can be read alone");
	tap_ok(head_size == head.size && n == 1 && size == 300, "and tells the sizes");
	tap_ok(!format_first_line(str_first(buf_str(&head), FORMAT_FIRST_LINE - 1), &head_size, &n, &size),
	       "not without its newline");
	tap_ok(head.data[FORMAT_FLAGS_AT] == '-' && head.data[FORMAT_FLAGS_AT + 1] == '-' && head.data[FORMAT_FLAGS_AT + 2] == ' ',
	       "the flags are where the header says");
	tap_ok(reads(buf_str(&head)), "the whole can be read");
	buf_free(&head);
}

/* --- what survives ------------------------------------------------------------------------------------------------- */

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Is the recipient `a`, as it was written, `b`? */
static bool
is_same_recipient(const struct recipient *a, const struct recipient *b)
{
	return is_same(a->mailbox, b->mailbox) && is_same(a->original, b->original) && a->notify == b->notify;
}

/* Write, read, compare. */
static bool
survives(const struct entry_content *content)
{
	struct entry entry = {0};
	const char *why = NULL;
	struct buf head = {0};
	size_t n = 0;
	size_t j = 0;
	bool holds;

	buf_add_text(&head, "in front");
	format_add_head(&head, content, id, &n);
	buf_consume(&head, strlen("in front"));
	holds = format_read_head(&entry, buf_str(&head), &why);
	if (!holds)
		tap_note("%s", why);
	holds = holds && n == entry.envelope.n_recipients && is_same(entry.id, id) && entry.created == content->created &&
	        entry.flags == content->flags && is_same(entry.origin.account, content->origin->account) &&
	        is_same(entry.origin.config_file, content->origin->config_file) &&
	        is_same(entry.origin.settings, content->origin->settings) && is_same(entry.message_id, content->message_id) &&
	        is_same(entry.envelope.reverse_path, content->envelope->reverse_path) &&
	        is_same(entry.envelope.envid, content->envelope->envid) &&
	        entry.envelope.wants_full_return == content->envelope->wants_full_return &&
	        entry.envelope.wants_headers_return == content->envelope->wants_headers_return &&
	        entry.envelope.requires_tls == content->envelope->requires_tls &&
	        entry.message.size == content->message->size && entry.message.header_size == content->message->header_size &&
	        entry.message.wire_size == content->message->wire_size &&
	        entry.message.longest_line == content->message->longest_line &&
	        entry.message.has_8bit_body == content->message->has_8bit_body &&
	        entry.message.has_8bit_header == content->message->has_8bit_header &&
	        entry.message.has_utf8_header == content->message->has_utf8_header &&
	        entry.message.has_nul == content->message->has_nul &&
	        entry.message.waives_tls == content->message->waives_tls;
	for (size_t i = 0; holds && i < content->envelope->n_recipients; i++) {
		const struct recipient *recipient = &content->envelope->recipients[i];

		if (recipient->outcome.state == OUTCOME_DELIVERED)
			continue;
		if (recipient->outcome.state == OUTCOME_FAILED && content->folder != SPOOL_FAILED)
			continue;
		holds = j < n && is_same_recipient(&entry.envelope.recipients[j], recipient) &&
		        head.data[entry.state_offsets[j]] == (char)entry.states[j] &&
		        head.data[entry.state_offsets[j] - 1] == '\n';
		j++;
	}
	holds = holds && j == n;
	free_entry(&entry);
	buf_free(&head);
	return holds;
}

static const struct {
	const char *name;
	const char *value;
} values[] = {
	{"plain words", "words"},
	{"nothing", ""},
	{"a newline", "a\nb"},
	{"newlines only", "\n\n"},
	{"a tab", "a\tb"},
	{"a backslash", "a\\b"},
	{"a backslash at the end", "a\\"},
	{"what looks like an escape", "\\n\\t\\\\\\s"},
	{"blanks", " a  b "},
	{"a carriage return and other controls", "a\r\x01\x1b\x7f"},
	{"UTF-8 and other octets", "\xc3\xbc\xff\xfe"},
	{"what looks like another line", "x\nT\nFF1 2 3 -\n\nMCEND 3 00000000\n"},
	{"what looks like a parameter", "x\tNOTIFY=NEVER\tORCPT=y"},
	{"what looks like another word", "x ENVID=y RET=FULL"},
};

/* Each value in each place where a text may stand. */
static bool
survives_everywhere(const char *value)
{
	struct message message = small_message();
	struct envelope envelope = {0};
	struct entry_origin origin = {.account = mem_copy_string(value), .config_file = mem_copy_string(value)};
	struct entry_content content = {.origin = &origin, .envelope = &envelope, .message = &message, .message_id = value};
	struct buf settings = {0};
	bool holds;

	/* A setting is one line. */
	buf_add_text(&settings, "name ");
	for (const char *c = value; *c != '\0'; c++)
		buf_add_char(&settings, *c == '\n' ? '.' : *c);
	buf_add_text(&settings, "\nother value\n");
	origin.settings = buf_take(&settings);
	envelope.reverse_path = mem_copy_string(value);
	envelope.envid = mem_copy_string(value);
	add(&envelope, value, OUTCOME_PENDING);
	envelope.recipients[0].original = mem_copy_string(value);
	add(&envelope, "r@example.com", OUTCOME_PENDING);
	holds = survives(&content);
	envelope.wants_full_return = true;
	envelope.recipients[0].notify = NOTIFY_NEVER;
	holds = survives(&content) && holds;
	envelope_free(&envelope);
	free(origin.account);
	free(origin.config_file);
	free(origin.settings);
	return holds;
}

static void
test_wishes(void)
{
	struct message message = small_message();
	struct envelope envelope = {.reverse_path = mem_copy_string("")};
	struct entry_content content = {.origin = &plain, .envelope = &envelope, .message = &message};
	char envid[] = "REQUIRETLS a";
	bool holds = true;

	add(&envelope, "r@example.com", OUTCOME_PENDING);
	for (unsigned notify = 0; notify < 16; notify++) {
		envelope.recipients[0].notify = notify;
		holds = survives(&content) && holds;
	}
	tap_ok(holds, "every set of NOTIFY words survives");
	envelope.wants_headers_return = true;
	tap_ok(survives(&content), "RET=HDRS survives");
	envelope.wants_headers_return = false;
	envelope.wants_full_return = true;
	tap_ok(survives(&content), "RET=FULL survives");
	for (unsigned bits = 0; bits < 12; bits++) {
		envelope.requires_tls = bits % 2 != 0;
		envelope.envid = bits / 2 % 2 != 0 ? envid : NULL;
		envelope.wants_headers_return = bits / 4 == 1;
		envelope.wants_full_return = bits / 4 == 2;
		holds = survives(&content) && holds;
	}
	tap_ok(holds, "REQUIRETLS survives beside all others, and without them");
	envelope.envid = NULL;
	for (unsigned bits = 0; bits < 32; bits++) {
		message.has_8bit_body = (bits & 1) != 0;
		message.has_8bit_header = (bits & 2) != 0;
		message.has_utf8_header = (bits & 4) != 0;
		message.has_nul = (bits & 8) != 0;
		message.waives_tls = (bits & 16) != 0;
		content.flags = bits % 4;
		holds = survives(&content) && holds;
	}
	tap_ok(holds, "every fact of the message survives, and the flags");
	message = (struct message){.size = (int64_t)1 << 60, .header_size = (int64_t)1 << 60, .wire_size = (int64_t)1 << 61};
	content.created = (time_t)1 << 40;
	tap_ok(survives(&content), "the largest numbers survive");
	message.size++;
	tap_ok(!survives(&content), "a size that is too large is not read");
	envelope_free(&envelope);
}

static void
test_times(void)
{
	struct message message = small_message();
	struct envelope envelope = {.reverse_path = mem_copy_string("")};
	struct entry_content content = {.origin = &plain, .envelope = &envelope, .message = &message, .created = -1};
	struct entry entry = {0};
	struct buf head = {0};
	const char *why = NULL;
	size_t n = 0;

	add(&envelope, "r@example.com", OUTCOME_PENDING);
	format_add_head(&head, &content, id, &n);
	tap_ok(format_read_head(&entry, buf_str(&head), &why) && entry.created == 0, "a time before 1970 becomes 1970");
	free_entry(&entry);
	buf_clear(&head);
	content.created = INT64_MAX;
	format_add_head(&head, &content, id, &n);
	tap_ok(format_read_head(&entry, buf_str(&head), &why) && entry.created == (time_t)1 << 40,
	       "a time that no clock shows becomes one that can be reckoned with");
	free_entry(&entry);
	buf_free(&head);
	envelope_free(&envelope);
}

/* --- states -------------------------------------------------------------------------------------------------------- */

/* The state bytes of the head of these recipients, in `folder`. */
static const char *
states_of(struct entry_content *content, enum spool_folder folder, char letters[8], struct entry *entry)
{
	struct buf head = {0};
	const char *why = NULL;
	size_t n = 0;

	content->folder = folder;
	format_add_head(&head, content, id, &n);
	memset(letters, 0, 8);
	if (format_read_head(entry, buf_str(&head), &why))
		for (size_t i = 0; i < n && i < 7; i++)
			letters[i] = (char)entry->states[i];
	buf_free(&head);
	return why == NULL ? letters : "unreadable";
}

static void
test_states(void)
{
	struct message message = small_message();
	struct envelope envelope = {.reverse_path = mem_copy_string("me@example.org")};
	struct entry_content content = {.origin = &plain, .envelope = &envelope, .message = &message};
	struct entry entry = {0};
	const struct recipient *recipients;
	char letters[8] = "";

	add(&envelope, "pending@example.com", OUTCOME_PENDING);
	add(&envelope, "delivered@example.com", OUTCOME_DELIVERED);
	add(&envelope, "failed@example.com", OUTCOME_FAILED);
	add(&envelope, "deferred@example.com", OUTCOME_DEFERRED);
	add(&envelope, "perhaps@example.com", OUTCOME_DEFERRED);
	envelope.recipients[4].outcome.may_be_duplicate = true;
	tap_is(states_of(&content, SPOOL_QUEUE, letters, &entry), "TTU", "who is delivered or failed is not queued");
	tap_is(entry.envelope.recipients[1].mailbox, "deferred@example.com", "the others are");
	free_entry(&entry);
	tap_is(states_of(&content, SPOOL_FAILED, letters, &entry), "TFTU", "failed/ keeps those that failed");
	recipients = entry.envelope.recipients;
	tap_ok(recipients[0].outcome.state == OUTCOME_PENDING && !recipients[0].outcome.may_be_duplicate, "T is pending");
	tap_ok(recipients[1].outcome.state == OUTCOME_FAILED, "F is failed");
	tap_ok(recipients[3].outcome.state == OUTCOME_PENDING && recipients[3].outcome.may_be_duplicate,
	       "U is pending, and may be delivered twice");
	free_entry(&entry);
	for (size_t i = 0; i < 5; i++)
		envelope.recipients[i].outcome = (struct outcome){.state = OUTCOME_DELIVERED};
	tap_is(states_of(&content, SPOOL_QUEUE, letters, &entry), "unreadable", "an entry without recipients is none");
	free_entry(&entry);
	envelope_free(&envelope);
}

/* State bytes and flags are outside the checksum, whatever they become. */
static void
test_any_state(void)
{
	struct buf head = plain_head();
	size_t at = head.size - strlen("Tr@example.com\n\n");
	bool is_pending = true;
	bool is_harmless = true;

	for (int c = 0; c < 256; c++) {
		struct entry entry = {0};
		const char *why = NULL;

		head.data[at] = (char)c;
		is_pending = format_read_head(&entry, buf_str(&head), &why) && is_pending && entry.states[0] == c &&
		             (c == 'D' || c == 'F' || entry.envelope.recipients[0].outcome.state == OUTCOME_PENDING) &&
		             entry.envelope.recipients[0].outcome.may_be_duplicate == (c == 'U') &&
		             (c != 'D' || entry.envelope.recipients[0].outcome.state == OUTCOME_DELIVERED) &&
		             strcmp(entry.envelope.recipients[0].mailbox, "r@example.com") == 0;
		free_entry(&entry);
	}
	head.data[at] = 'T';
	for (int c = 0; c < 256; c++) {
		struct entry entry = {0};
		const char *why = NULL;

		head.data[FORMAT_FLAGS_AT] = (char)c;
		is_harmless = format_read_head(&entry, buf_str(&head), &why) && is_harmless &&
		              entry.flags == (c == 'B' ? ENTRY_BOUNCED : 0);
		free_entry(&entry);
	}
	tap_ok(is_pending, "queue 3.2: any state byte but D, F and U means T, also a newline and NUL");
	tap_ok(is_harmless, "any flag but B and W is none");
	buf_free(&head);
}

/* --- what is refused ----------------------------------------------------------------------------------------------- */

/* Does a byte that changed show? States and flags are outside. */
static void
test_changed_bytes(void)
{
	struct buf head = plain_head();
	size_t at = head.size - strlen("Tr@example.com\n\n");
	struct entry entry = {0};
	const char *why = NULL;
	size_t n_taken = 0;

	for (size_t i = 0; i < head.size; i++) {
		if (i == at || i == FORMAT_FLAGS_AT || i == FORMAT_FLAGS_AT + 1)
			continue;
		for (int bit = 0; bit < 8; bit++) {
			head.data[i] ^= (char)(1 << bit);
			n_taken += reads(buf_str(&head));
			head.data[i] ^= (char)(1 << bit);
		}
	}
	tap_is_number((long long)n_taken, 0, "any other bit that changed makes the head unreadable");
	n_taken = 0;
	for (size_t size = 0; size < head.size; size++)
		n_taken += reads(str_first(buf_str(&head), size));
	tap_is_number((long long)n_taken, 0, "a head that is cut anywhere is unreadable");
	buf_add_char(&head, '\n');
	tap_ok(!format_read_head(&entry, buf_str(&head), &why), "a head that is longer than it says is unreadable");
	tap_is(why, "its head has another size than its first line says", "and the reason is told");
	free_entry(&entry);
	buf_free(&head);
}

/* A head of these lines whose sizes and checksum are right; all states are T. */
static struct buf
make_head(const char *lines, size_t n)
{
	struct buf head = {0};
	size_t size = FORMAT_FIRST_LINE + strlen(lines);
	uint32_t crc;

	buf_printf(&head, "MCQ1 %08zx %08zx %016x %016x 00 00000000\n%s", size, n, 300, 1795302972, lines);
	crc = format_crc(0, buf_str(&head));
	snprintf(head.data + FORMAT_FIRST_LINE - 9, 9, "%08" PRIx32, crc);
	head.data[FORMAT_FIRST_LINE - 1] = '\n';
	memcpy(head.data + FORMAT_FLAGS_AT, "BW", 2);
	return head;
}

#define I_LINE "I1K5DBR4VO0V0123ABCD\n"
#define TAIL "F120 310 60 -\nTr\n\n"

static const struct {
	const char *name;
	const char *lines;
	size_t n;
	bool is_good;
} heads[] = {
	{"everything that may stand there", "Aw\nCfile\nOa b\nOc d\n" I_LINE "Ss\nMm\nPRET=FULL ENVID=e\n" TAIL, 1, true},
	{"the least", "A\n" I_LINE "S\n" TAIL, 1, true},
	{"all flags", "A\n" I_LINE "S\nF0 0 0 8hunt\nTr\n\n", 1, true},
	{"all flags of an older release", "A\n" I_LINE "S\nF0 0 0 8hun\nTr\n\n", 1, true},
	{"flags in another order", "A\n" I_LINE "S\nF0 0 0 tn\nTr\n\n", 1, false},
	{"all wishes", "A\n" I_LINE "S\nPREQUIRETLS RET=FULL ENVID=e\n" TAIL, 1, true},
	{"REQUIRETLS alone", "A\n" I_LINE "S\nPREQUIRETLS\n" TAIL, 1, true},
	{"REQUIRETLS twice", "A\n" I_LINE "S\nPREQUIRETLS REQUIRETLS\n" TAIL, 1, false},
	{"REQUIRETLS with a blank behind", "A\n" I_LINE "S\nPREQUIRETLS \n" TAIL, 1, false},
	{"REQUIRETLS with more behind", "A\n" I_LINE "S\nPREQUIRETLSRET=FULL\n" TAIL, 1, false},
	{"RET before REQUIRETLS", "A\n" I_LINE "S\nPRET=FULL REQUIRETLS\n" TAIL, 1, false},
	{"two recipients", "A\n" I_LINE "S\nF0 0 0 -\nTr\nTs\n\n", 2, true},
	{"a recipient with everything", "A\n" I_LINE "S\nF0 0 0 -\nTr\tNOTIFY=SUCCESS,DELAY\tORCPT=o\n\n", 1, true},
	{"one recipient more than it says", "A\n" I_LINE "S\nF0 0 0 -\nTr\nTs\n\n", 1, false},
	{"one recipient less than it says", "A\n" I_LINE "S\nF0 0 0 -\nTr\n\n", 2, false},
	{"no recipient", "A\n" I_LINE "S\nF0 0 0 -\n\n", 0, false},
	{"no recipient where one was announced", "A\n" I_LINE "S\nF0 0 0 -\n\n", 1, false},
	{"more recipients than there are bytes", "A\n" I_LINE "S\n" TAIL, 0xffffffff, false},
	{"no empty line", "A\n" I_LINE "S\nF0 0 0 -\nTr\n", 1, false},
	{"two empty lines", "A\n" I_LINE "S\n" TAIL "\n", 1, false},
	{"no account", I_LINE "S\n" TAIL, 1, false},
	{"two accounts", "Aa\nAb\n" I_LINE "S\n" TAIL, 1, false},
	{"no id", "A\nS\n" TAIL, 1, false},
	{"an id that is none", "A\nI1K5DBR4VO0V0123ABCW\nS\n" TAIL, 1, false},
	{"an id that is too short", "A\nI1K5DBR4VO0V0123ABC\nS\n" TAIL, 1, false},
	{"no sender", "A\n" I_LINE TAIL, 1, false},
	{"no facts", "A\n" I_LINE "S\nTr\n\n", 1, false},
	{"nothing", "", 1, false},
	{"another order", "A\nS\n" I_LINE TAIL, 1, false},
	{"C before A", "Cc\nAa\n" I_LINE "S\n" TAIL, 1, false},
	{"O before C", "A\nOa b\nCc\n" I_LINE "S\n" TAIL, 1, false},
	{"P before M", "A\n" I_LINE "S\nPRET=FULL\nMm\n" TAIL, 1, false},
	{"a letter that nobody knows", "A\n" I_LINE "S\nXx\n" TAIL, 1, false},
	{"an empty line in between", "A\n\n" I_LINE "S\n" TAIL, 1, false},
	{"an unknown escape", "A\\x\n" I_LINE "S\n" TAIL, 1, false},
	{"a blank that is escaped where it need not be", "A\\s\n" I_LINE "S\n" TAIL, 1, false},
	{"a letter that is escaped", "A\\a\n" I_LINE "S\n" TAIL, 1, false},
	{"an escape that ends too early", "Aa\\\n" I_LINE "S\n" TAIL, 1, false},
	{"a tab that is not escaped", "A\t\n" I_LINE "S\n" TAIL, 1, false},
	{"two settings in a line", "A\nOa b\\nc d\n" I_LINE "S\n" TAIL, 1, false},
	{"RET with an unknown word", "A\n" I_LINE "S\nPRET=SOME\n" TAIL, 1, false},
	{"RET twice", "A\n" I_LINE "S\nPRET=FULL RET=HDRS\n" TAIL, 1, false},
	{"RET with a blank behind", "A\n" I_LINE "S\nPRET=FULL \n" TAIL, 1, false},
	{"ENVID before RET", "A\n" I_LINE "S\nPENVID=e RET=FULL\n" TAIL, 1, false},
	{"ENVID with a blank", "A\n" I_LINE "S\nPENVID=a b\n" TAIL, 1, false},
	{"parameters that are none", "A\n" I_LINE "S\nP\n" TAIL, 1, false},
	{"a fact less", "A\n" I_LINE "S\nF1 2 -\nTr\n\n", 1, false},
	{"a fact more", "A\n" I_LINE "S\nF1 2 3 4 -\nTr\n\n", 1, false},
	{"no flags", "A\n" I_LINE "S\nF1 2 3\nTr\n\n", 1, false},
	{"no flags behind a blank", "A\n" I_LINE "S\nF1 2 3 \nTr\n\n", 1, false},
	{"flags in another order", "A\n" I_LINE "S\nF1 2 3 h8\nTr\n\n", 1, false},
	{"a flag twice", "A\n" I_LINE "S\nF1 2 3 88\nTr\n\n", 1, false},
	{"a flag that nobody knows", "A\n" I_LINE "S\nF1 2 3 x\nTr\n\n", 1, false},
	{"a negative number", "A\n" I_LINE "S\nF-1 2 3 -\nTr\n\n", 1, false},
	{"a number with a sign", "A\n" I_LINE "S\nF+1 2 3 -\nTr\n\n", 1, false},
	{"a number with a zero in front", "A\n" I_LINE "S\nF01 2 3 -\nTr\n\n", 1, false},
	{"a number that is not there", "A\n" I_LINE "S\nF 2 3 -\nTr\n\n", 1, false},
	{"a number beyond all", "A\n" I_LINE "S\nF1 99999999999999999999 3 -\nTr\n\n", 1, false},
	{"a size on the wire beyond the limit", "A\n" I_LINE "S\nF1 2305843009213693953 3 -\nTr\n\n", 1, false},
	{"a header larger than the message", "A\n" I_LINE "S\nF301 2 3 -\nTr\n\n", 1, false},
	{"a line longer than the message", "A\n" I_LINE "S\nF1 2 301 -\nTr\n\n", 1, false},
	{"NOTIFY without words", "A\n" I_LINE "S\nF0 0 0 -\nTr\tNOTIFY=\n\n", 1, false},
	{"NOTIFY with an unknown word", "A\n" I_LINE "S\nF0 0 0 -\nTr\tNOTIFY=ALWAYS\n\n", 1, false},
	{"NOTIFY in another order", "A\n" I_LINE "S\nF0 0 0 -\nTr\tNOTIFY=DELAY,SUCCESS\n\n", 1, false},
	{"NOTIFY with a comma at the end", "A\n" I_LINE "S\nF0 0 0 -\nTr\tNOTIFY=DELAY,\n\n", 1, false},
	{"NOTIFY twice", "A\n" I_LINE "S\nF0 0 0 -\nTr\tNOTIFY=DELAY\tNOTIFY=DELAY\n\n", 1, false},
	{"ORCPT before NOTIFY", "A\n" I_LINE "S\nF0 0 0 -\nTr\tORCPT=o\tNOTIFY=DELAY\n\n", 1, false},
	{"an unknown parameter of a recipient", "A\n" I_LINE "S\nF0 0 0 -\nTr\tX=y\n\n", 1, false},
	{"a tab at the end of a recipient", "A\n" I_LINE "S\nF0 0 0 -\nTr\t\n\n", 1, false},
	{"an unknown escape in a recipient", "A\n" I_LINE "S\nF0 0 0 -\nT\\q\n\n", 1, false},
};

static void
test_lines(void)
{
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct buf head = make_head(heads[i].lines, heads[i].n);

		tap_ok(reads(buf_str(&head)) == heads[i].is_good, "a head with %s is %s", heads[i].name,
		       heads[i].is_good ? "taken" : "refused");
		buf_free(&head);
	}
}

static const struct {
	const char *name;
	struct str line;
	bool is_good;
} first_lines[] = {
	{"as it should be", STR("MCQ1 00000100 00000001 000000000000012c 000000006b0230bc B- 12345678\n"), true},
	{"another magic word", STR("MCQ2 00000100 00000001 000000000000012c 000000006b0230bc B- 12345678\n"), false},
	{"capital digits", STR("MCQ1 00000100 00000001 000000000000012C 000000006b0230bc B- 12345678\n"), false},
	{"a sign", STR("MCQ1 -0000100 00000001 000000000000012c 000000006b0230bc B- 12345678\n"), false},
	{"a head of more than 64 MiB", STR("MCQ1 04000001 00000001 000000000000012c 000000006b0230bc B- 12345678\n"), false},
	{"a head of 64 MiB", STR("MCQ1 04000000 00000001 000000000000012c 000000006b0230bc B- 12345678\n"), true},
	{"a head smaller than this line", STR("MCQ1 00000044 00000001 000000000000012c 000000006b0230bc B- 12345678\n"), false},
	{"no recipients", STR("MCQ1 00000100 00000000 000000000000012c 000000006b0230bc B- 12345678\n"), false},
	{"too many recipients for the head", STR("MCQ1 00000100 0000005d 000000000000012c 000000006b0230bc B- 12345678\n"), false},
	{"a negative size", STR("MCQ1 00000100 00000001 ffffffffffffffff 000000006b0230bc B- 12345678\n"), false},
	{"a size beyond the limit", STR("MCQ1 00000100 00000001 1000000000000001 000000006b0230bc B- 12345678\n"), false},
	{"a time beyond the limit", STR("MCQ1 00000100 00000001 000000000000012c 0000010000000001 B- 12345678\n"), false},
	{"a checksum that is none", STR("MCQ1 00000100 00000001 000000000000012c 000000006b0230bc B- 1234567g\n"), false},
	{"a tab for a blank", STR("MCQ1 00000100\t00000001 000000000000012c 000000006b0230bc B- 12345678\n"), false},
	{"no newline", STR("MCQ1 00000100 00000001 000000000000012c 000000006b0230bc B- 12345678 "), false},
	{"a NUL", STR("MCQ1 0000010\0 00000001 000000000000012c 000000006b0230bc B- 12345678\n"), false},
};

static void
test_first_lines(void)
{
	for (size_t i = 0; i < sizeof(first_lines) / sizeof(first_lines[0]); i++) {
		size_t head_size = 0;
		size_t n = 0;
		int64_t size = 0;

		tap_ok(format_first_line(first_lines[i].line, &head_size, &n, &size) == first_lines[i].is_good,
		       "a first line with %s is %s", first_lines[i].name, first_lines[i].is_good ? "taken" : "refused");
	}
}

static void
test_nul(void)
{
	struct buf head = make_head("Aworm\n" I_LINE "S\n" TAIL, 1);
	uint32_t crc;

	*strchr(head.data + FORMAT_FIRST_LINE, 'm') = '\0';
	memcpy(head.data + FORMAT_FLAGS_AT, "00 00000000", 11);
	crc = format_crc(0, buf_str(&head));
	snprintf(head.data + FORMAT_FIRST_LINE - 9, 9, "%08" PRIx32, crc);
	head.data[FORMAT_FIRST_LINE - 1] = '\n';
	tap_ok(!reads(buf_str(&head)), "a head with a NUL in a value is refused");
	buf_free(&head);
}

/* --- the end, and the checksum ------------------------------------------------------------------------------------- */

static void
test_end(void)
{
	struct buf b = {0};
	uint32_t crc = 0;

	format_add_end(&b, 1234, 0x00abcdef);
	tap_is(buf_text(&b), "\nMCEND 1234 00abcdef\n", "the line behind the message");
	tap_ok(format_read_end(buf_str(&b), 1234, &crc) && crc == 0x00abcdef, "can be read");
	tap_ok(!format_read_end(buf_str(&b), 1235, &crc), "not for another size");
	tap_ok(!format_read_end(buf_str(&b), 123, &crc), "nor for one that is its beginning");
	tap_ok(!format_read_end(str_first(buf_str(&b), b.size - 1), 1234, &crc), "nor without its newline");
	tap_ok(!format_read_end(str_from(buf_str(&b), 1), 1234, &crc), "nor without the newline in front");
	tap_ok(!format_read_end((struct str){0}, 1234, &crc), "nor where there is nothing");
	buf_add_text(&b, "J 1 0 T");
	tap_ok(format_read_end(buf_str(&b), 1234, &crc), "the journal may follow");
	tap_ok(!format_read_end(STR("\nMCEND 1234 00ABCDEF\n"), 1234, &crc), "capital digits are refused");
	tap_ok(!format_read_end(STR("\nMCEND 01234 00abcdef\n"), 1234, &crc), "a zero in front is refused");
	tap_ok(!format_read_end(STR("\nMCEND 1234 00abcdef0\n"), 1234, &crc), "a digit too many is refused");
	buf_clear(&b);
	format_add_end(&b, INT64_MAX, UINT32_MAX);
	tap_ok(b.size <= FORMAT_END_MOST, "the longest such line is as short as the header says");
	buf_free(&b);
}

static void
test_crc(void)
{
	char bytes[32] = {0};
	char text[257] = "";
	bool is_split_right = true;
	struct timespec before = {0};
	struct timespec after = {0};
	char *large = mem_alloc(1, 16 << 20);
	uint32_t crc = 0;
	double seconds;

	tap_is_number(format_crc(0, STR("123456789")), 0xe3069283, "the CRC-32C of the nine digits");
	tap_is_number(format_crc(0, str_make(bytes, 32)), 0x8a9136aa, "RFC 7143 A.4: of 32 zeros");
	memset(bytes, 0xff, 32);
	tap_is_number(format_crc(0, str_make(bytes, 32)), 0x62a8ab43, "RFC 7143 A.4: of 32 ones");
	for (int i = 0; i < 32; i++)
		bytes[i] = (char)i;
	tap_is_number(format_crc(0, str_make(bytes, 32)), 0x46dd794e, "RFC 7143 A.4: of 32 bytes counting up");
	for (int i = 0; i < 32; i++)
		bytes[i] = (char)(31 - i);
	tap_is_number(format_crc(0, str_make(bytes, 32)), 0x113fdb5c, "RFC 7143 A.4: of 32 bytes counting down");
	tap_is_number(format_crc(0, (struct str){0}), 0, "of nothing it is 0");
	for (int i = 0; i < 256; i++)
		text[i] = (char)(i * 7 + 1);
	for (size_t i = 0; i <= 256; i++)
		is_split_right = is_split_right && format_crc(format_crc(0, str_make(text, i)), str_make(text + i, 256 - i)) ==
		                                           format_crc(0, str_make(text, 256));
	tap_ok(is_split_right, "in two steps it is the same as in one");
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < 4; i++)
		crc = format_crc(crc, str_make(large, 16 << 20));
	clock_gettime(CLOCK_MONOTONIC, &after);
	seconds = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
	tap_note("checksum of %08" PRIx32 ": %.0f MB/s", crc, 64 * 1.048576 / seconds);
	free(large);
}

/* --- many recipients ----------------------------------------------------------------------------------------------- */

static void
test_many(void)
{
	enum { N = 100000 };
	struct message message = small_message();
	struct envelope envelope = {.reverse_path = mem_copy_string("me@example.org")};
	struct entry_content content = {.origin = &plain, .envelope = &envelope, .message = &message};
	struct entry entry = {0};
	struct buf head = {0};
	struct buf journal = {0};
	struct outcome outcome = {.state = OUTCOME_DEFERRED, .stage = OUTCOME_AT_RCPT, .reply_code = 450};
	const char *why = NULL;
	char mailbox[64] = "";
	size_t n = 0;
	struct timespec before = {0};
	struct timespec after = {0};

	for (int i = 0; i < N; i++) {
		snprintf(mailbox, sizeof(mailbox), "user%d@example.org", i);
		envelope_add(&envelope, mailbox);
	}
	clock_gettime(CLOCK_MONOTONIC, &before);
	format_add_head(&head, &content, id, &n);
	tap_ok(n == N && format_read_head(&entry, buf_str(&head), &why), "100000 recipients are written and read");
	for (size_t i = 0; i < n; i++)
		format_add_journal(&journal, 1795302972, i, &outcome);
	format_read_journal(&entry, buf_str(&journal));
	clock_gettime(CLOCK_MONOTONIC, &after);
	tap_ok(entry.envelope.n_recipients == N && entry.envelope.recipients[N - 1].outcome.reply_code == 450,
	       "with a line of the journal for each");
	tap_ok(after.tv_sec - before.tv_sec < 5, "in a time that does not grow with the square");
	tap_is_number((long long)entry.n_attempts, 1, "which is one attempt");
	free_entry(&entry);
	envelope_free(&envelope);
	buf_free(&head);
	buf_free(&journal);
}

/* --- journal ------------------------------------------------------------------------------------------------------- */

static void
fill_outcome(struct outcome *outcome)
{
	*outcome = (struct outcome){.state = OUTCOME_FAILED, .stage = OUTCOME_AT_RCPT, .reply_code = 550, .enhanced = {5, 1, 1}};
	outcome_set_text(outcome, STR("no such user here"));
	outcome_set_host(outcome, "mx.example.com");
}

/* An entry of three recipients, with these states. */
static void
make_entry(struct entry *entry, const char *states)
{
	struct buf head = make_head("A\n" I_LINE "S\nF0 0 0 -\nTa\nTb\nTc\n\n", 3);
	const char *why = NULL;

	for (size_t i = 0; i < 3; i++)
		head.data[head.size - 10 + 3 * i] = states[i];
	tap_ok(format_read_head(entry, buf_str(&head), &why), "an entry in the states %s is read", states);
	buf_free(&head);
}

static bool
is_same_outcome(const struct outcome *a, const struct outcome *b)
{
	return a->stage == b->stage && a->reply_code == b->reply_code && memcmp(a->enhanced, b->enhanced, sizeof(a->enhanced)) == 0 &&
	       strcmp(a->text, b->text) == 0 && strcmp(a->host, b->host) == 0;
}

static void
test_journal_lines(void)
{
	struct outcome outcome = {0};
	struct buf b = {0};
	bool holds = true;

	fill_outcome(&outcome);
	format_add_journal(&b, 1795302972, 7, &outcome);
	tap_is(buf_text(&b), "J 1795302972 7 F rcpt 550 5.1.1 mx.example.com no such user here\n", "a line of the journal");
	buf_clear(&b);
	outcome = (struct outcome){.state = OUTCOME_DEFERRED, .stage = OUTCOME_AT_END, .may_be_duplicate = true};
	format_add_journal(&b, -3, 0, &outcome);
	tap_is(buf_text(&b), "J 0 0 U end - - - \n", "a line of the journal where little is known");
	buf_clear(&b);
	outcome = (struct outcome){.state = OUTCOME_DELIVERED, .stage = OUTCOME_AT_CONNECT};
	memcpy(outcome.text, "a\nb", 4);
	memcpy(outcome.host, "/run/my socket\n", 16);
	format_add_journal(&b, 5, 1, &outcome);
	tap_is(buf_text(&b), "J 5 1 D connect - - /run/my\\ssocket\\n a\\nb\n", "nothing breaks a line of the journal");
	for (int stage = OUTCOME_AT_CONNECT; stage <= OUTCOME_LOCALLY; stage++) {
		struct entry entry = {0};

		fill_outcome(&outcome);
		outcome.stage = (enum outcome_stage)stage;
		outcome_set_host(&outcome, "/run/my socket");
		entry.envelope.recipients = mem_alloc(1, sizeof(struct recipient));
		entry.envelope.n_recipients = 1;
		buf_clear(&b);
		format_add_journal(&b, 5, 0, &outcome);
		format_read_journal(&entry, buf_str(&b));
		holds = is_same_outcome(&entry.envelope.recipients[0].outcome, &outcome) && entry.tried == 5 && holds;
		free_entry(&entry);
	}
	tap_ok(holds, "every stage survives the journal, and a host with a blank");
	buf_free(&b);
}

static void
test_journal(void)
{
	struct outcome outcome = {0};
	struct entry entry = {0};
	const struct recipient *r;
	struct buf b = {0};

	make_entry(&entry, "TUD");
	fill_outcome(&outcome);
	format_add_journal(&b, 100, 0, &outcome);
	format_add_journal(&b, 100, 1, &outcome);
	outcome_set_text(&outcome, STR("later"));
	outcome.reply_code = 0;
	memset(outcome.enhanced, 0, sizeof(outcome.enhanced));
	outcome_set_host(&outcome, NULL);
	format_add_journal(&b, 200, 1, &outcome);
	format_add_journal(&b, 90, 2, &outcome);
	format_read_journal(&entry, buf_str(&b));
	r = entry.envelope.recipients;
	tap_ok(r[0].outcome.reply_code == 550 && r[0].outcome.enhanced[2] == 1, "a recipient gets code and enhanced code");
	tap_is(r[0].outcome.text, "no such user here", "and text");
	tap_is(r[0].outcome.host, "mx.example.com", "and host");
	tap_ok(r[0].outcome.stage == OUTCOME_AT_RCPT, "and stage");
	tap_ok(r[0].outcome.state == OUTCOME_PENDING && !r[0].outcome.may_be_duplicate, "but its state is that of the byte: T");
	tap_ok(r[1].outcome.state == OUTCOME_PENDING && r[1].outcome.may_be_duplicate, "or U");
	tap_ok(r[2].outcome.state == OUTCOME_DELIVERED, "or D");
	tap_is(r[1].outcome.text, "later", "the last line about a recipient counts");
	tap_ok(r[1].outcome.reply_code == 0 && r[1].outcome.host[0] == '\0', "also what it does not say");
	tap_is_number(entry.tried, 90, "tried is the time of the last line, also when the clock ran backwards");
	tap_is_number((long long)entry.n_attempts, 3, "three times are three attempts");
	free_entry(&entry);
	buf_free(&b);
}

static const char *const bad_lines[] = {
	"",
	"J",
	"J 5 0 T rcpt 450 4.1.1 host",
	"K 5 0 T rcpt 450 4.1.1 host text",
	"JJ 5 0 T rcpt 450 4.1.1 host text",
	"J -5 0 T rcpt 450 4.1.1 host text",
	"J 99999999999999 0 T rcpt 450 4.1.1 host text",
	"J 5 3 T rcpt 450 4.1.1 host text",
	"J 5 -1 T rcpt 450 4.1.1 host text",
	"J 5 18446744073709551616 T rcpt 450 4.1.1 host text",
	"J 5 0 X rcpt 450 4.1.1 host text",
	"J 5 0 TT rcpt 450 4.1.1 host text",
	"J 5 0 T nowhere 450 4.1.1 host text",
	"J 5 0 T rcpt 45 4.1.1 host text",
	"J 5 0 T rcpt 1450 4.1.1 host text",
	"J 5 0 T rcpt 4x0 4.1.1 host text",
	"J 5 0 T rcpt 450 4.1 host text",
	"J 5 0 T rcpt 450 4.1.1.1 host text",
	"J 5 0 T rcpt 450 4.1.65536 host text",
	"J 5 0 T rcpt 450 4..1 host text",
	"J 5 0 T rcpt 450 4.1.1 ho\\qst text",
	"J  5 0 T rcpt 450 4.1.1 host text",
};

static void
test_bad_journals(void)
{
	struct entry entry = {0};
	struct buf b = {0};
	bool is_untouched;

	make_entry(&entry, "TTF");
	format_read_journal(&entry, STR("J 0 1 T rcpt - - - x\n"));
	tap_is_number((long long)entry.n_attempts, 1, "an attempt in 1970 is one, too");
	free_entry(&entry);
	make_entry(&entry, "TTF");
	for (size_t i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
		buf_clear(&b);
		buf_add_text(&b, bad_lines[i]);
		buf_add_char(&b, '\n');
		format_read_journal(&entry, buf_str(&b));
		is_untouched = entry.n_attempts == 0 && entry.tried == 0;
		for (size_t j = 0; j < 3; j++)
			is_untouched = is_untouched && entry.envelope.recipients[j].outcome.reply_code == 0;
		tap_ok(is_untouched, "a senseless line of the journal is passed over: %s", bad_lines[i]);
	}
	format_read_journal(&entry, STR("J 5 0 T rcpt 450 4.1.1 host text"));
	tap_is_number((long long)entry.n_attempts, 0, "a line that is torn at the end is passed over");
	format_read_journal(&entry, STR("rubbish\0\0\n\nJ 5 0 T rcpt 450 4.1.1 host one\x1b[2J \xff two\nJ 6 1 T rcp"));
	tap_is_number((long long)entry.n_attempts, 1, "lines between torn ones are read");
	tap_is(entry.envelope.recipients[0].outcome.text, "one\\x1b[2J \\xff two", "a text is cleaned when it is read");
	format_read_journal(&entry, STR("J 6 2 F rcpt 550 - - \n"));
	tap_is(entry.envelope.recipients[2].outcome.text, "", "a text may be empty");
	tap_is_number(entry.envelope.recipients[2].outcome.reply_code, 550, "and the rest be there");
	tap_ok(entry.envelope.recipients[2].outcome.state == OUTCOME_FAILED, "of a recipient that failed");
	tap_is_number((long long)entry.n_attempts, 2, "a journal may be read in pieces");
	free_entry(&entry);
	buf_free(&b);
}

int
main(void)
{
	test_picture();
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		tap_ok(survives_everywhere(values[i].value), "%s survives wherever a text may stand", values[i].name);
	test_wishes();
	test_times();
	test_states();
	test_any_state();
	test_changed_bytes();
	test_lines();
	test_first_lines();
	test_nul();
	test_end();
	test_crc();
	test_many();
	test_journal_lines();
	test_journal();
	test_bad_journals();
	return tap_end();
}
