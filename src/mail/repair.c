/* repair.c - reads, removes and adds header fields of a message. Pure, but for getrandom(2). RFC 5322 3.6, RFC 5321 6.3. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "mail/identity.h"
#include "mail/qualify.h"
#include "mail/repair.h"

enum {
	RECEIVED_MOST = 100,
	LINE_WIDTH = 78,  /* RFC 5322 2.1.1 */
	RANDOM_SIZE = 12  /* bytes, in a Message-ID */
};

/* The fields that make a message a resent one; other names with this prefix mean nothing by themselves. */
static const struct {
	const char *name;
	bool is_single;    /* at most one in a block: the second one begins the next block */
	bool is_recipient;
} resent_fields[] = {
	{"Resent-Date", true, false},
	{"Resent-From", true, false},
	{"Resent-Sender", true, false},
	{"Resent-Message-ID", true, false},
	{"Resent-To", false, true},
	{"Resent-Cc", false, true},
	{"Resent-Bcc", false, true},
};

enum { N_RESENT_FIELDS = sizeof(resent_fields) / sizeof(resent_fields[0]) };

/* The row of a field, or N_RESENT_FIELDS. */
static size_t
find_resent(const struct header_field *field)
{
	size_t row = 0;

	while (row < N_RESENT_FIELDS && !header_is(field, resent_fields[row].name))
		row++;
	return row;
}

/* The next block of Resent- fields at or behind field `at`. False: there is none. */
static bool
find_resent_block(const struct repair *repair, size_t at, size_t *begin, size_t *end)
{
	bool was_seen[N_RESENT_FIELDS] = {0};
	size_t row;

	while (at < repair->n_fields && find_resent(&repair->fields[at].field) == N_RESENT_FIELDS)
		at++;
	if (at == repair->n_fields)
		return false;
	*begin = at;
	for (; at < repair->n_fields; at++) {
		row = find_resent(&repair->fields[at].field);
		if (!str_starts_with_nocase(repair->fields[at].field.name, STR("Resent-")))
			break;
		if (row == N_RESENT_FIELDS)
			continue;
		if (was_seen[row] && resent_fields[row].is_single)
			break;
		was_seen[row] = true;
	}
	*end = at;
	return true;
}

static bool
is_resent(const struct repair *repair)
{
	return repair->resent_end > 0;
}

/* RFC 8689 section 3: the field has one meaning, and other values none. */
static bool
is_waiver(const struct header_field *field)
{
	return header_is(field, "TLS-Required") && str_equals_nocase(str_trim(field->body), STR("No"));
}

bool
repair_open(struct repair *repair, struct str section, struct err *err)
{
	struct header_field field = {0};
	size_t n_received = 0;
	size_t room = 0;

	while (header_next(&section, &field)) {
		if (header_is(&field, "Received") && ++n_received > RECEIVED_MOST)
			return err_set(err, EX_DATAERR, "more than %d Received fields in the header: the message is in a loop",
			               RECEIVED_MOST);
		repair->waives_tls = repair->waives_tls || is_waiver(&field);
		if (repair->n_fields == room) {
			room = room > 0 ? 2 * room : 32;
			repair->fields = mem_resize(repair->fields, room, sizeof(*repair->fields));
		}
		repair->fields[repair->n_fields++] = (struct repair_field){field, field.whole, NULL};
	}
	find_resent_block(repair, 0, &repair->resent_begin, &repair->resent_end);
	return true;
}

/* The first field of this name from field `begin` up to, not including, `end`, or NULL. */
static const struct repair_field *
find_field(const struct repair *repair, const char *name, size_t begin, size_t end)
{
	for (size_t i = begin; i < end; i++) {
		if (header_is(&repair->fields[i].field, name))
			return &repair->fields[i];
	}
	return NULL;
}

static bool
has_field(const struct repair *repair, const char *name)
{
	return find_field(repair, name, 0, repair->n_fields) != NULL;
}

static bool
has_resent_field(const struct repair *repair, const char *name)
{
	return find_field(repair, name, repair->resent_begin, repair->resent_end) != NULL;
}

static bool
is_empty(const struct header_field *field)
{
	return str_trim(field->body).size == 0;
}

static bool
parse_addresses(const struct header_field *field, struct address_list *list, struct err *err)
{
	if (address_parse_list(field->body, false, list, err))
		return true;
	return err_prefix(err, "header field %.*s", STR_ARG(field->name));
}

static bool
is_recipient_field(const struct header_field *field, bool wants_resent)
{
	size_t row = find_resent(field);

	if (wants_resent)
		return row < N_RESENT_FIELDS && resent_fields[row].is_recipient;
	return header_is(field, "To") || header_is(field, "Cc") || header_is(field, "Bcc");
}

/* To, Cc and Bcc count only where no Resent- block has recipients; else those of the first one that has any. */
static bool
collect_recipients(const struct repair *repair, struct address_list *list, struct err *err)
{
	bool wants_resent = false;
	size_t begin = 0;
	size_t end = 0;

	while (!wants_resent && find_resent_block(repair, end, &begin, &end)) {
		for (size_t i = begin; i < end; i++)
			wants_resent = wants_resent || is_recipient_field(&repair->fields[i].field, true);
	}
	if (!wants_resent) {
		begin = 0;
		end = repair->n_fields;
	}
	for (size_t i = begin; i < end; i++) {
		if (is_recipient_field(&repair->fields[i].field, wants_resent) &&
		    !parse_addresses(&repair->fields[i].field, list, err))
			return false;
	}
	return true;
}

static bool
collect_sender(const struct repair *repair, char **sender, struct err *err)
{
	const struct repair_field *from = find_field(repair, "From", 0, repair->n_fields);
	struct address_list list = {0};
	bool is_well = from == NULL || parse_addresses(&from->field, &list, err);

	if (is_well && list.n_items > 0)
		*sender = mem_copy_string(list.items[0].mailbox);
	address_list_free(&list);
	return is_well;
}

/* The <...> of a Message-ID field, or NULL; the caller's. */
static char *
copy_message_id(const struct header_field *field)
{
	struct buf unfolded = {0};
	struct str id;
	char *copy = NULL;
	size_t size;

	header_add_unfolded(&unfolded, field->body);
	id = str_from(buf_str(&unfolded), str_find(buf_str(&unfolded), '<'));
	size = str_find(id, '>');
	if (size < id.size)
		copy = mem_copy(id.data, size + 1);
	buf_free(&unfolded);
	return copy;
}

/* Has one of these fields that name and something in it? */
static bool
has_author(const struct repair *repair, const char *name, size_t begin, size_t end)
{
	for (size_t i = begin; i < end; i++)
		if (header_is(&repair->fields[i].field, name) && !is_empty(&repair->fields[i].field))
			return true;
	return false;
}

bool
repair_collect(const struct repair *repair, const struct message_rules *rules, struct message_found *found,
               struct err *err)
{
	const struct repair_field *message_id = find_field(repair, "Message-ID", 0, repair->n_fields);

	if (message_id != NULL)
		found->message_id = copy_message_id(&message_id->field);
	found->has_author = is_resent(repair) ? has_author(repair, "Resent-From", repair->resent_begin, repair->resent_end)
	                                      : has_author(repair, "From", 0, repair->n_fields);
	if (rules->reads_recipients && !collect_recipients(repair, &found->recipients, err))
		return false;
	return !rules->reads_sender || collect_sender(repair, &found->sender, err);
}

static void
remove_fields(struct repair *repair, const char *name)
{
	for (size_t i = 0; i < repair->n_fields; i++) {
		if (header_is(&repair->fields[i].field, name))
			repair->fields[i].written = (struct str){0};
	}
}

static void
apply_removal(struct repair *repair, const struct message_rules *rules)
{
	if (!rules->repairs_nothing) {
		remove_fields(repair, "Return-Path");
		/* Counts the bytes of the caller's form, not of ours. */
		remove_fields(repair, "Content-Length");
	}
	if (rules->keeps_bcc)
		return;
	remove_fields(repair, "Bcc");
	remove_fields(repair, "Resent-Bcc");
}

/* The field is now this text, which is taken. */
static void
replace_field(struct repair_field *field, struct buf *text)
{
	struct str rest = {.size = text->size};
	char *before = field->made;

	rest.data = field->made = buf_take(text);
	field->written = rest;
	header_next(&rest, &field->field);
	free(before);
}

/* Senders that only this host knows. Bare addresses that are left are still to be qualified. */
static void
apply_identity(struct repair *repair, const struct message_rules *rules)
{
	static const char *const names[] = {"From", "Sender", "Resent-From", "Resent-Sender"};

	for (size_t i = 0; rules->identity != NULL && i < repair->n_fields; i++) {
		struct repair_field *field = &repair->fields[i];
		struct buf text = {0};
		bool has_sender = false;

		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
			has_sender = has_sender || header_is(&field->field, names[j]);
		if (has_sender && identity_rewrite(rules->identity, &field->field, &text))
			replace_field(field, &text);
		buf_free(&text);
	}
}

/* Write the field with this domain at its bare addresses, if it has any. */
static void
qualify_field(struct repair_field *field, const char *domain)
{
	struct buf text = {0};

	buf_add(&text, field->field.whole.data, (size_t)(field->field.body.data - field->field.whole.data));
	if (!qualify_add(&text, field->field.body, domain)) {
		buf_free(&text);
		return;
	}
	buf_add_char(&text, '\n');
	replace_field(field, &text);
}

static void
apply_qualification(struct repair *repair, const struct message_rules *rules)
{
	struct buf domain = {0};
	struct err ignored = {0};

	if (rules->repairs_nothing || rules->qualify_domain == NULL || rules->qualify_domain[0] == '\0')
		return;
	if (address_add_ascii_domain(&domain, rules->qualify_domain, &ignored)) {
		for (size_t i = 0; i < repair->n_fields; i++) {
			if (header_has_addresses(&repair->fields[i].field))
				qualify_field(&repair->fields[i], buf_text(&domain));
		}
	}
	buf_free(&domain);
	err_clear(&ignored);
}

static void
add_from(struct repair *repair, const char *name, const struct message_rules *rules)
{
	buf_printf(&repair->in_front, "%s: ", name);
	address_add_header(&repair->in_front, rules->from_name, rules->from_mailbox);
	buf_add_char(&repair->in_front, '\n');
}

/* Add From, or Resent-From to a resent message, when there is none in these fields; an empty one is no From. */
static void
add_missing_from(struct repair *repair, const char *name, size_t begin, size_t end, const struct message_rules *rules)
{
	if (has_author(repair, name, begin, end))
		return;
	for (size_t i = begin; i < end; i++) {
		if (header_is(&repair->fields[i].field, name))
			repair->fields[i].written = (struct str){0};
	}
	add_from(repair, name, rules);
}

static void
apply_from(struct repair *repair, const struct message_rules *rules)
{
	if (rules->from_mailbox == NULL || rules->from_mailbox[0] == '\0')
		return;
	if (rules->replaces_from) {
		remove_fields(repair, "From");
		add_from(repair, "From", rules);
	}
	if (rules->never_adds_from || rules->repairs_nothing)
		return;
	if (is_resent(repair))
		add_missing_from(repair, "Resent-From", repair->resent_begin, repair->resent_end, rules);
	else if (!rules->replaces_from)
		add_missing_from(repair, "From", 0, repair->n_fields, rules);
}

/* To: with one mailbox after the other, folded. */
static void
add_to(struct buf *b, const struct envelope *envelope)
{
	struct buf mailbox = {0};
	size_t line_size = sizeof("To:") - 1;
	size_t item_size;

	buf_add_text(b, "To:");
	for (size_t i = 0; i < envelope->n_recipients; i++) {
		buf_clear(&mailbox);
		address_add_header(&mailbox, NULL, envelope->recipients[i].mailbox);
		item_size = mailbox.size + sizeof(" ,") - 1;
		if (i > 0)
			buf_add_char(b, ',');
		if (i > 0 && line_size + item_size > LINE_WIDTH) {
			buf_add_char(b, '\n');
			line_size = 0;
		}
		buf_add_char(b, ' ');
		buf_add_str(b, buf_str(&mailbox));
		line_size += item_size;
	}
	buf_add_char(b, '\n');
	buf_free(&mailbox);
}

static void
apply_to(struct repair *repair, const struct message_rules *rules, const struct envelope *envelope)
{
	if (!rules->replaces_to && !rules->hides_recipients) {
		if (rules->adds_to && !has_field(repair, "To") && !has_field(repair, "Cc"))
			buf_add_text(&repair->in_front, "To: undisclosed-recipients:;\n");
		return;
	}
	remove_fields(repair, "To");
	remove_fields(repair, "Cc");
	remove_fields(repair, "Bcc");
	if (rules->hides_recipients || envelope == NULL || envelope->n_recipients == 0)
		buf_add_text(&repair->in_front, "To: undisclosed-recipients:;\n");
	else
		add_to(&repair->in_front, envelope);
}

static void
apply_date(struct repair *repair, const struct message_rules *rules)
{
	const char *name = is_resent(repair) ? "Resent-Date" : "Date";

	if (rules->never_adds_date || rules->repairs_nothing ||
	    (is_resent(repair) ? has_resent_field(repair, name) : has_field(repair, name)))
		return;
	buf_printf(&repair->in_front, "%s: ", name);
	clock_add_date(&repair->in_front, rules->now);
	buf_add_char(&repair->in_front, '\n');
}

static void
add_random(struct buf *b)
{
	unsigned char random[RANDOM_SIZE] = {0};
	struct timespec now = {0};
	int64_t stamp;

	/* So few bytes come whole (getrandom(2)); where the call is missing or forbidden, time and process will do. */
	while (getrandom(random, sizeof(random), 0) < 0) {
		if (errno == EINTR)
			continue;
		clock_gettime(CLOCK_REALTIME, &now);
		stamp = (int64_t)now.tv_nsec << 32 | (int64_t)getpid();
		memcpy(random, &stamp, sizeof(stamp));
		break;
	}
	for (size_t i = 0; i < sizeof(random); i++)
		buf_printf(b, "%02x", random[i]);
}

static void
apply_message_id(struct repair *repair, const struct message_rules *rules)
{
	const char *name = is_resent(repair) ? "Resent-Message-ID" : "Message-ID";
	struct buf id = {0};
	struct buf domain = {0};
	struct err ignored = {0};

	if (rules->never_adds_message_id || rules->repairs_nothing ||
	    (is_resent(repair) ? has_resent_field(repair, name) : has_field(repair, name)))
		return;
	if (rules->message_id_domain == NULL || rules->message_id_domain[0] == '\0' ||
	    !address_add_ascii_domain(&domain, rules->message_id_domain, &ignored)) {
		buf_clear(&domain);
		buf_add_text(&domain, "localhost");
	}
	buf_add_char(&id, '<');
	add_random(&id);
	buf_printf(&id, ".%lld@%s>", (long long)rules->now, buf_text(&domain));
	buf_printf(&repair->in_front, "%s: %s\n", name, buf_text(&id));
	free(repair->message_id);
	repair->message_id = buf_take(&id);
	buf_free(&domain);
	err_clear(&ignored);
}

void
repair_apply(struct repair *repair, const struct message_rules *rules, const struct envelope *envelope)
{
	apply_identity(repair, rules);
	apply_qualification(repair, rules);
	apply_removal(repair, rules);
	/* What these add stands in front in this order. */
	apply_from(repair, rules);
	apply_to(repair, rules, envelope);
	apply_date(repair, rules);
	apply_message_id(repair, rules);
}

void
repair_write(const struct repair *repair, struct buf *section)
{
	buf_add_str(section, buf_str(&repair->in_front));
	for (size_t i = 0; i < repair->n_fields; i++)
		buf_add_str(section, repair->fields[i].written);
}

void
repair_free(struct repair *repair)
{
	for (size_t i = 0; i < repair->n_fields; i++)
		free(repair->fields[i].made);
	free(repair->fields);
	buf_free(&repair->in_front);
	free(repair->message_id);
	*repair = (struct repair){0};
}
