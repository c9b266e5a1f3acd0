/* list.c - reads an address-list: a recursive-descent parser over the words of mail/token.h. Pure.
 *
 * The time is linear in the text: every token is read once. */

#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "mail/list.h"
#include "mail/mailbox.h"
#include "mail/token.h"

enum { SHOWN_MOST = 120 }; /* bytes of the text at fault in an error */

struct parser {
	struct str text;
	struct token token;  /* the next one, which nobody took */
	size_t element;      /* where the element being read begins */
	struct token *words; /* atoms, quoted strings and dots read, not knowing yet whether name or local part */
	size_t n_words;
	size_t words_capacity;
	bool is_operand;
	bool is_in_group;
	struct address_list *list;
	struct err *err;
};

/* One address while it is read. */
struct draft {
	struct buf local; /* meaning of the local part, without quotes */
	struct buf domain;
	struct buf name;
	size_t start;
	size_t end;
	bool has_domain;
};

static void
draft_free(struct draft *draft)
{
	buf_free(&draft->local);
	buf_free(&draft->domain);
	buf_free(&draft->name);
}

static void
advance(struct parser *p)
{
	p->token = token_next(p->text, p->token.end);
}

static bool
is_sign(const struct token *token, char sign)
{
	return token->kind == TOKEN_SIGN && token->sign == sign;
}

static bool
is_next(const struct parser *p, char sign)
{
	return is_sign(&p->token, sign);
}

/* Refuse the element being read, showing it up to the next comma, or the part around the next token. */
static bool
refuse(struct parser *p, const char *reason)
{
	struct buf shown = {0};
	struct str part = str_from(p->text, p->token.end);
	size_t end = p->token.end + str_find(part, ',');
	size_t start = p->element;

	if (p->token.end > start + SHOWN_MOST)
		start = p->token.end - SHOWN_MOST;
	if (end > start + SHOWN_MOST)
		end = start + SHOWN_MOST;
	if (end < p->token.end)
		end = p->token.end;
	err_add_clean(&shown, str_trim(str_from(str_first(p->text, end), start)));
	err_set(p->err, EX_DATAERR, "bad address '%s': %s", buf_text(&shown), reason);
	buf_free(&shown);
	return false;
}

/* Refuse because the next token cannot stand there. */
static bool
refuse_token(struct parser *p, const char *reason)
{
	return refuse(p, p->token.kind == TOKEN_FAULTY ? p->token.fault : reason);
}

static void
keep_word(struct parser *p)
{
	if (p->n_words == p->words_capacity) {
		p->words_capacity = p->words_capacity == 0 ? 16 : p->words_capacity * 2;
		p->words = mem_resize(p->words, p->words_capacity, sizeof(*p->words));
	}
	p->words[p->n_words++] = p->token;
	advance(p);
}

/* Read atoms, quoted strings and dots as long as they come. */
static void
read_words(struct parser *p)
{
	p->n_words = 0;
	while (p->token.kind == TOKEN_ATOM || p->token.kind == TOKEN_QUOTED || p->token.kind == TOKEN_ENCODED || is_next(p, '.'))
		keep_word(p);
}

/* The words as a display name. */
static void
take_name(const struct parser *p, struct buf *name)
{
	struct buf text = {0};

	for (size_t i = 0; i < p->n_words; i++) {
		if (i > 0 && p->words[i].follows_blank)
			buf_add_char(&text, ' ');
		token_add_meaning(&text, p->text, &p->words[i]);
	}
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i] == '\t' ? ' ' : text.data[i];

		if (!ascii_is_control(c))
			buf_add_char(name, c);
	}
	buf_free(&text);
}

/* Do the words i - 1 and i stand side by side, without a dot that joins them? */
static bool
is_boundary(const struct parser *p, size_t i)
{
	return !is_sign(&p->words[i - 1], '.') && !is_sign(&p->words[i], '.');
}

/* The words from `first` up to `end` as a local part. */
static bool
take_local(struct parser *p, size_t first, size_t end, struct draft *draft)
{
	bool has_word = false;

	for (size_t i = first; i < end; i++) {
		if (p->words[i].kind == TOKEN_ENCODED)
			return refuse(p, "the local part has characters that must be quoted");
		has_word = has_word || p->words[i].kind != TOKEN_SIGN;
		token_add_meaning(&draft->local, p->text, &p->words[i]);
	}
	if (!has_word || draft->local.size == 0)
		return refuse(p, "there is no local part");
	draft->start = p->words[first].start;
	draft->end = p->words[end - 1].end;
	return true;
}

/* A domain or an address literal, a dot at its end left out. */
static bool
read_domain(struct parser *p, struct buf *domain, size_t *end)
{
	if (p->token.kind == TOKEN_LITERAL) {
		token_add_meaning(domain, p->text, &p->token);
		*end = p->token.end;
		advance(p);
		return true;
	}
	if (p->token.kind != TOKEN_ATOM)
		return refuse_token(p, "a domain is expected behind the '@'");
	while (true) {
		token_add_meaning(domain, p->text, &p->token);
		*end = p->token.end;
		advance(p);
		if (!is_next(p, '.'))
			return true;
		*end = p->token.end;
		advance(p);
		if (p->token.kind != TOKEN_ATOM || (p->is_operand && p->token.follows_blank))
			return true;
		buf_add_char(domain, '.');
	}
}

/* The '@' comes next: read it and the domain. */
static bool
read_at_domain(struct parser *p, struct draft *draft)
{
	advance(p);
	draft->has_domain = true;
	return read_domain(p, &draft->domain, &draft->end);
}

/* Put the address into the list, if it is one. */
static bool
add_item(struct parser *p, struct draft *draft)
{
	struct address_list *list = p->list;
	struct address address = {0};
	struct buf mailbox = {0};
	const char *reason;

	mailbox_add_local(&mailbox, buf_str(&draft->local));
	address.local_size = mailbox.size;
	if (draft->has_domain) {
		buf_add_char(&mailbox, '@');
		buf_add_str(&mailbox, buf_str(&draft->domain));
	}
	reason = mailbox_fault(buf_str(&mailbox));
	if (reason == NULL && p->is_operand && str_equals(buf_str(&mailbox), STR("-")))
		reason = "a lone '-' is no name";
	if (reason != NULL) {
		buf_free(&mailbox);
		return refuse(p, reason);
	}
	address.mailbox = buf_take(&mailbox);
	address.display_name = draft->name.size > 0 ? buf_take(&draft->name) : NULL;
	address.offset = draft->start;
	address.length = draft->end - draft->start;
	/* Room grows when the number of items is a power of two. */
	if ((list->n_items & (list->n_items - 1)) == 0)
		list->items = mem_resize(list->items, list->n_items == 0 ? 1 : list->n_items * 2, sizeof(*list->items));
	list->items[list->n_items++] = address;
	return true;
}

/* obs-route (RFC 5322 4.4): domains that are read and forgotten. */
static bool
skip_route(struct parser *p)
{
	struct buf domain = {0};
	size_t end = 0;
	bool went_well = true;

	while (went_well && (is_next(p, '@') || is_next(p, ','))) {
		bool is_domain = is_next(p, '@');

		advance(p);
		if (is_domain)
			went_well = read_domain(p, &domain, &end);
		buf_clear(&domain);
	}
	buf_free(&domain);
	if (!went_well)
		return false;
	if (!is_next(p, ':'))
		return refuse_token(p, "nothing stands before the '@'");
	advance(p);
	return true;
}

/* The '<' comes next: [route] local-part [@ domain] '>'. The words before it are the name. */
static bool
read_angle(struct parser *p)
{
	struct draft draft = {0};
	bool went_well = false;

	take_name(p, &draft.name);
	advance(p);
	if ((is_next(p, '@') || is_next(p, ',')) && !skip_route(p))
		goto out;
	read_words(p);
	if (p->n_words == 0) {
		refuse_token(p, is_next(p, '>') ? "there is nothing between '<' and '>'" : "an address is expected behind the '<'");
		goto out;
	}
	for (size_t i = 1; i < p->n_words; i++) {
		if (is_boundary(p, i)) {
			refuse(p, "a blank between '<' and '>'");
			goto out;
		}
	}
	if (!take_local(p, 0, p->n_words, &draft) || (is_next(p, '@') && !read_at_domain(p, &draft)))
		goto out;
	if (!is_next(p, '>')) {
		refuse_token(p, "'>' is expected behind the address");
		goto out;
	}
	went_well = add_item(p, &draft);
	advance(p);
out:
	draft_free(&draft);
	return went_well;
}

/* The words from first up to end are a bare address; is_last: a domain may follow. */
static bool
read_bare(struct parser *p, size_t first, size_t end, bool is_last)
{
	struct draft draft = {0};
	bool went_well = take_local(p, first, end, &draft);

	if (went_well && is_last && is_next(p, '@'))
		went_well = read_at_domain(p, &draft);
	went_well = went_well && add_item(p, &draft);
	draft_free(&draft);
	return went_well;
}

/* The words are no name: one bare address, or in an operand several, of which only the last can have a domain. */
static bool
read_bare_words(struct parser *p)
{
	size_t first = 0;
	bool has_several = false;
	bool has_quotes = false;

	for (size_t i = 0; i < p->n_words; i++) {
		has_several = has_several || (i > 0 && is_boundary(p, i));
		has_quotes = has_quotes || p->words[i].kind == TOKEN_QUOTED;
	}
	if (has_several && (!p->is_operand || has_quotes))
		return refuse_token(p, "several words: '<' and '>' are expected around the address, or ',' between addresses");
	for (size_t i = 1; i < p->n_words; i++) {
		if (is_boundary(p, i)) {
			if (!read_bare(p, first, i, false))
				return false;
			first = i;
		}
	}
	return read_bare(p, first, p->n_words, true);
}

static bool read_elements(struct parser *p);

/* The ':' comes next; the words before it are the name of the group. */
static bool
read_group(struct parser *p)
{
	size_t n_before = p->list->n_items;
	size_t element = p->element;

	if (p->is_in_group)
		return refuse(p, "a group inside a group");
	if (p->n_words == 0)
		return refuse(p, "a name is expected before the ':'");
	p->is_in_group = true;
	advance(p);
	if (!read_elements(p))
		return false;
	p->is_in_group = false;
	p->element = element;
	if (is_next(p, ';'))
		advance(p);
	else if (p->list->n_items > n_before)
		return refuse_token(p, "';' is expected at the end of the group");
	return true;
}

/* One mailbox, group, or in an operand bare addresses with blanks between. */
static bool
read_element(struct parser *p)
{
	bool was_bare = false;

	do {
		p->element = p->token.start;
		read_words(p);
		if (is_next(p, '<') && !was_bare)
			return read_angle(p);
		if (is_next(p, ':') && !was_bare)
			return read_group(p);
		if (p->n_words == 0)
			return refuse_token(p, is_next(p, '@') ? "nothing stands before the '@'" : "an address is expected");
		if (!read_bare_words(p))
			return false;
		was_bare = true;
	} while (p->is_operand && p->token.follows_blank && (p->token.kind == TOKEN_ATOM || p->token.kind == TOKEN_QUOTED));
	return true;
}

/* Elements with commas between, empty ones among them, up to the end of the group or of the text. */
static bool
read_elements(struct parser *p)
{
	while (true) {
		while (is_next(p, ','))
			advance(p);
		if (p->token.kind == TOKEN_END || (p->is_in_group && is_next(p, ';')))
			return true;
		if (!read_element(p))
			return false;
		if (p->token.kind != TOKEN_END && !is_next(p, ',') && !(p->is_in_group && is_next(p, ';')))
			return refuse_token(p, is_next(p, '>') ? "a '>' without '<'" : "',' is expected between addresses");
	}
}

bool
list_parse(struct str text, bool is_operand, struct address_list *list, struct err *err)
{
	struct parser p = {.text = text, .is_operand = is_operand, .list = list, .err = err};
	bool went_well;

	/* No header's folding is in an operand: line ends there are an attempt to write commands or header lines. */
	for (size_t i = 0; is_operand && i < text.size; i++) {
		if (ascii_is_control(text.data[i]) && text.data[i] != '\t') {
			p.token.end = i + 1;
			return refuse(&p, "a control character");
		}
	}
	advance(&p);
	went_well = read_elements(&p);
	free(p.words);
	return went_well;
}
