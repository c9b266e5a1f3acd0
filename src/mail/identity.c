/* identity.c - replaces senders that only this host knows. Pure. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mail/address.h"
#include "mail/identity.h"
#include "mail/mailbox.h"
#include "mail/phrase.h"
#include "mail/token.h"
#include "mail/word.h"

/* Domains that nobody outside can look up: RFC 6761, RFC 6762 (appendix G too), RFC 8375. */
static const struct str private_domains[] = {
	STR("localhost"), STR("localdomain"), STR("local"), STR("lan"), STR("home"), STR("home.arpa"),
	STR("internal"), STR("intranet"), STR("private"), STR("corp"), STR("invalid"),
};

/* One mailbox of a list with all that belongs to it, without blanks at its ends. */
struct element {
	struct str text;
	struct str phrase;   /* the display name as it is written; empty: none */
	struct buf comments; /* as they are written, with a blank between */
	size_t n_comments;
};

static bool
is_below(struct str domain, struct str parent)
{
	struct str end = str_from(domain, domain.size > parent.size ? domain.size - parent.size : 0);

	return str_equals_nocase(end, parent) && (end.size == domain.size || domain.data[domain.size - end.size - 1] == '.');
}

/* Is it one of the names of this host? */
static bool
is_own(const struct identity *identity, struct str domain)
{
	for (size_t i = 0; identity->local_domains != NULL && identity->local_domains[i] != NULL; i++)
		if (str_equals_nocase(domain, str_of(identity->local_domains[i])))
			return true;
	return false;
}

/* An empty one is, too. */
static bool
is_local(const struct identity *identity, struct str domain)
{
	if (is_own(identity, domain))
		return true;
	if (str_starts_with(domain, STR("[")))
		return false;
	for (size_t i = 0; i < sizeof(private_domains) / sizeof(private_domains[0]); i++)
		if (is_below(domain, private_domains[i]))
			return true;
	return str_find(domain, '.') == domain.size;
}

static struct str
domain_of(struct str mailbox)
{
	return str_from(mailbox, mailbox_local_size(mailbox) + 1);
}

static bool
refuse(struct err *err, struct str word, const char *reason)
{
	err_set(err, EX_CONFIG, "identity: '");
	err_add_clean(&err->text, word);
	buf_printf(&err->text, "': %s", reason);
	return false;
}

/* The rule for this name, or with a size of 0 the one for all others; NULL: none. */
static const struct identity_rule *
find_rule(const struct identity *identity, struct str name)
{
	for (size_t i = 0; i < identity->n_rules; i++) {
		const struct identity_rule *rule = &identity->rules[i];

		if (rule->name == NULL ? name.size == 0 : str_equals_nocase(str_of(rule->name), name))
			return rule;
	}
	return NULL;
}

static bool
read_rule(struct identity *identity, struct str word, struct err *err)
{
	size_t sign = str_find(word, '=');
	struct str name = str_first(word, sign);
	struct str mailbox = str_from(word, sign + 1);
	const char *fault;

	if (sign == word.size) {
		mailbox = word;
		name = STR("*");
	}
	if (name.size == 0)
		return refuse(err, word, "a name is expected before the '='");
	fault = mailbox_fault(mailbox);
	if (fault == NULL && domain_of(mailbox).size == 0)
		fault = "an address with its domain is expected";
	if (fault == NULL && !str_equals(name, STR("*")))
		fault = str_find(name, '@') < name.size ? "a local name without '@' is expected before the '='" : mailbox_fault(name);
	if (fault != NULL)
		return refuse(err, word, fault);
	if (str_equals(name, STR("*")))
		name = (struct str){0};
	if (find_rule(identity, name) != NULL)
		return refuse(err, word, "there is a rule for this already");
	identity->rules = mem_resize(identity->rules, identity->n_rules + 1, sizeof(*identity->rules));
	identity->rules[identity->n_rules++] = (struct identity_rule){
		.name = name.size > 0 ? mem_copy(name.data, name.size) : NULL, .mailbox = mem_copy(mailbox.data, mailbox.size)};
	return true;
}

bool
identity_parse(struct identity *identity, struct str text, struct err *err)
{
	struct str word = {0};

	while (str_next_word(&text, &word))
		if (!read_rule(identity, word, err))
			return false;
	return identity->n_rules > 0 || refuse(err, text, "an address, or NAME=ADDRESS, is expected");
}

const char *
identity_find(const struct identity *identity, const char *mailbox)
{
	struct str text = str_of(mailbox);
	const struct identity_rule *rule;

	if (text.size == 0 || !is_local(identity, domain_of(text)))
		return NULL;
	for (size_t i = 0; i < identity->n_rules; i++)
		if (address_equals(mailbox, identity->rules[i].mailbox))
			return NULL;
	rule = find_rule(identity, str_first(text, mailbox_local_size(text)));
	if (rule == NULL)
		rule = find_rule(identity, (struct str){0});
	return rule != NULL ? rule->mailbox : NULL;
}

/* Append the mailbox as people know it. */
static void
add_original(struct buf *b, const struct identity *identity, struct str mailbox)
{
	struct str domain = domain_of(mailbox);

	if (identity->host == NULL || (domain.size > 0 && !is_own(identity, domain))) {
		buf_add_str(b, mailbox);
		return;
	}
	buf_add_str(b, str_first(mailbox, mailbox_local_size(mailbox)));
	buf_printf(b, "@%s", identity->host);
}

void
identity_add_visible(struct buf *b, const struct identity *identity, const char *name, const char *mailbox)
{
	bool has_name = name != NULL && name[0] != '\0';

	if (has_name)
		buf_printf(b, "%s (", name);
	add_original(b, identity, str_of(mailbox));
	if (has_name)
		buf_add_char(b, ')');
}

/* Keep what comments there are in a text that has nothing else but blanks. */
static void
add_comments(struct element *element, struct str gap)
{
	size_t depth = 0;

	for (size_t i = 0; i < gap.size; i++) {
		if (depth == 0 && gap.data[i] != '(')
			continue;
		if (depth == 0 && element->n_comments++ > 0)
			buf_add_char(&element->comments, ' ');
		buf_add_char(&element->comments, gap.data[i]);
		if (gap.data[i] == '\\' && i + 1 < gap.size)
			buf_add_char(&element->comments, gap.data[++i]);
		else if (gap.data[i] == '(')
			depth++;
		else if (gap.data[i] == ')')
			depth--;
	}
}

/* Read the element that begins at byte `at` and ends before a sign outside < and >. Returns where that sign is. */
static size_t
read_element(struct element *element, struct str body, size_t at)
{
	size_t start = at, words_start = 0, words_end = 0;
	bool is_inside = false;

	while (true) {
		const struct token token = token_next(body, at);

		add_comments(element, str_from(str_first(body, token.start), at));
		if (token.kind == TOKEN_END || token.kind == TOKEN_FAULTY ||
		    (token.kind == TOKEN_SIGN && !is_inside && strchr(",:;", token.sign) != NULL)) {
			size_t end = token.kind == TOKEN_SIGN ? token.start : body.size;

			element->text = str_trim(str_from(str_first(body, end), start));
			return end;
		}
		if (token.kind == TOKEN_SIGN && token.sign == '<') {
			is_inside = true;
			if (words_end > words_start)
				element->phrase = str_from(str_first(body, words_end), words_start);
		} else if (token.kind == TOKEN_SIGN && token.sign == '>') {
			is_inside = false;
		}
		if (words_end == 0)
			words_start = token.start;
		words_end = token.end;
		at = token.end;
	}
}

static bool
has_encoded_word(struct str text)
{
	for (; text.size > 1; text = str_from(text, 1))
		if (text.data[0] == '=' && text.data[1] == '?')
			return true;
	return false;
}

/* Append the text of the only comment without its parentheses and backslashes. */
static void
add_comment_text(struct buf *b, struct str comment)
{
	for (size_t i = 1; i + 1 < comment.size; i++) {
		if (comment.data[i] == '\\' && i + 2 < comment.size)
			i++;
		buf_add_char(b, comment.data[i]);
	}
}

/* Append what stands for an element. */
static void
add_replaced(struct buf *b, const struct identity *identity, const struct address *address, const struct element *element)
{
	struct str comments = buf_str(&element->comments);
	bool takes_comment = element->phrase.size == 0 && element->n_comments == 1 && !has_encoded_word(comments);
	struct buf visible = {0};

	if (has_encoded_word(element->phrase)) {
		/* It would not be decoded inside a quoted string. */
		buf_add_str(b, element->phrase);
		buf_add_text(b, "\n ");
		buf_add_char(&visible, '(');
		add_original(&visible, identity, str_of(address->mailbox));
		buf_add_char(&visible, ')');
	} else {
		identity_add_visible(&visible, identity, address->display_name, address->mailbox);
	}
	if (takes_comment) {
		buf_add_text(&visible, " (");
		add_comment_text(&visible, comments);
		buf_add_char(&visible, ')');
	}
	address_add_header(b, buf_text(&visible), identity_find(identity, address->mailbox));
	if (!takes_comment && comments.size > 0) {
		buf_add_text(b, "\n ");
		buf_add_str(b, comments);
	}
	buf_free(&visible);
}

/* An encoded-word in the place of an address is a name whose address was forgotten. */
static bool
is_replaced(const struct identity *identity, const struct address *address, struct str body)
{
	return identity_find(identity, address->mailbox) != NULL &&
	       !word_is_encoded(str_first(str_from(body, address->offset), address->length));
}

/* Append the body with what stands for the addresses in it. */
static bool
add_body(struct buf *b, const struct identity *identity, struct str body, const struct address_list *list)
{
	bool is_changed = false;
	size_t written = 0, at = 0, end;

	for (size_t i = 0; at < body.size; at = end + 1) {
		struct element element = {0};

		end = read_element(&element, body, at);
		if (i < list->n_items && list->items[i].offset < end) {
			if (is_replaced(identity, &list->items[i], body)) {
				size_t start = (size_t)(element.text.data - body.data);

				buf_add_str(b, str_from(str_first(body, start), written));
				add_replaced(b, identity, &list->items[i], &element);
				written = start + element.text.size;
				is_changed = true;
			}
			i++;
		}
		buf_free(&element.comments);
	}
	buf_add_str(b, str_from(body, written));
	return is_changed;
}

bool
identity_rewrite(const struct identity *identity, const struct header_field *field, struct buf *b)
{
	struct address_list list = {0};
	struct err ignored = {0};
	size_t before = b->size, start = (size_t)(field->body.data - field->whole.data);
	bool is_changed = address_parse_list(field->body, false, &list, &ignored);

	if (is_changed) {
		buf_add_str(b, str_first(field->whole, start));
		is_changed = add_body(b, identity, field->body, &list);
		buf_add_str(b, str_from(field->whole, start + field->body.size));
	}
	if (!is_changed)
		buf_truncate(b, before);
	address_list_free(&list);
	err_clear(&ignored);
	return is_changed;
}

void
identity_free(struct identity *identity)
{
	for (size_t i = 0; i < identity->n_rules; i++) {
		free(identity->rules[i].name);
		free(identity->rules[i].mailbox);
	}
	free(identity->rules);
	*identity = (struct identity){0};
}
