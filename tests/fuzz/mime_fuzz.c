/* mime_fuzz.c - whatever a message is, what a server cannot take is re-encoded and decodes to what it was, or it stays.
 *
 * The first byte chooses what the server takes. */

#include "config.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../unit/decode_kit.h"
#include "mail/content.h"
#include "mail/header.h"
#include "mail/mime.h"
#include "mail/part.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
read_text(struct str text, struct message *message)
{
	struct message_rules rules = {.never_adds_date = true, .never_adds_from = true, .never_adds_message_id = true};
	struct message_source source = {.fd = memfd_create("message", 0)};
	struct message_found found = {0};
	struct err err = {0};
	bool is_well;

	must(source.fd >= 0 && write(source.fd, text.data, text.size) == (ssize_t)text.size);
	must(lseek(source.fd, 0, SEEK_SET) == 0);
	is_well = message_read(message, &source, &rules, &found, &err);
	message_found_free(&found);
	err_clear(&err);
	close(source.fd);
	return is_well;
}

static struct buf
read_back(const struct message *message)
{
	struct buf text = {0};
	struct err err = {0};
	ssize_t n;

	while ((n = message_bytes(message, (int64_t)text.size, buf_reserve(&text, 65536), 65536, &err)) > 0)
		buf_grow(&text, (size_t)n);
	must(n == 0);
	return text;
}

static bool
has_encoding(struct str section, const char *name)
{
	struct header_field field = {0};
	bool holds = false;

	while (header_next(&section, &field))
		if (header_is(&field, "Content-Transfer-Encoding"))
			holds = str_equals_nocase(str_trim(field.body), str_of(name));
	return holds;
}

/* A message that is one part: its body must decode to what it was. */
static void
check_single(const struct message *in, const struct message *out)
{
	struct buf before = read_back(in);
	struct buf after = read_back(out);
	struct str section = str_first(buf_str(&after), (size_t)out->header_size);
	struct str body = str_from(buf_str(&after), section.size + 1);
	struct buf decoded = {0};

	if (has_encoding(section, "base64"))
		must(!out->has_8bit_body && decode_base64(body, &decoded));
	else if (has_encoding(section, "quoted-printable"))
		must(!out->has_8bit_body && decode_quoted(body, &decoded));
	else
		/* Only the header section was changed. */
		buf_add_str(&decoded, body);
	must(str_equals(buf_str(&decoded), str_from(buf_str(&before), (size_t)in->header_size + 1)));
	must(!out->has_nul && (in->has_8bit_header || !out->has_8bit_header));
	buf_free(&before);
	buf_free(&after);
	buf_free(&decoded);
}

/* What is kept, read again, is the same message: the facts were right. */
static void
check_facts(const struct message *message)
{
	struct buf text = read_back(message);
	struct message again = {0};

	must(read_text(buf_str(&text), &again));
	must(again.size == message->size && again.header_size == message->header_size &&
	     again.wire_size == message->wire_size);
	must(again.longest_line == message->longest_line && again.has_8bit_body == message->has_8bit_body);
	must(again.has_nul == message->has_nul);
	message_free(&again);
	buf_free(&text);
}

/* Nothing is left to do with the new message. */
static void
check_done(const struct message *message, struct mime_server server, const struct mime_result *first)
{
	struct mime_result result = {0};
	struct message out = {0};
	struct err err = {0};

	must(mime_encode(message, server, &out, &result, &err) && !result.is_changed && !out.is_open);
	must(result.keeps_8bit == first->keeps_8bit && result.keeps_long_lines == first->keeps_long_lines);
	must(result.keeps_8bit_header == first->keeps_8bit_header);
	must(result.keeps_8bit || result.keeps_8bit_header || result.keeps_long_lines ||
	     !mime_is_needed(message, server));
}

static void
check(const struct message *in, struct mime_server server)
{
	struct mime_result result = {0};
	struct content content = {0};
	struct message out = {0};
	struct err err = {0};
	struct buf text = read_back(in);

	content_read(&content, str_first(buf_str(&text), (size_t)in->header_size), false);
	must(mime_encode(in, server, &out, &result, &err));
	must(mime_is_needed(in, server) || !result.is_changed);
	if (content.kind == CONTENT_TEXT || content.kind == CONTENT_DATA) {
		must(result.keeps_8bit_header || mime_is_needed(in, server) == result.is_changed);
		must(mime_warning(&result) == NULL);
		if (result.is_changed)
			check_single(in, &out);
	}
	if (result.is_changed) {
		must(!out.has_nul);
		check_facts(&out);
	}
	/* A line may become a boundary line when NUL is dropped from it. */
	if (!in->has_nul)
		check_done(result.is_changed ? &out : in, server, &result);
	message_free(&out);
	content_free(&content);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message message = {0};

	if (size < 1)
		return 0;
	if (read_text(str_make((const char *)data + 1, size - 1), &message))
		check(&message,
		      (struct mime_server){.takes_8bit = (data[0] & 1) != 0, .takes_utf8 = (data[0] & 2) != 0});
	message_free(&message);
	return 0;
}
