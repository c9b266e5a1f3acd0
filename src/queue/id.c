/* id.c - names of queue entries. Pure but for id_make(), which asks for the time and for random bytes. */

#include "config.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "queue/id.h"

enum {
	TIME_LENGTH = 11,
	RANDOM_LENGTH = ID_LENGTH - TIME_LENGTH,
	BITS = 5,           /* of a character */
	RANDOM_TRIES = 100  /* of getrandom(2), when signals interrupt it again and again */
};

/* In the order of ASCII, so that names sort as the numbers do (RFC 4648 section 7). */
static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

/* The lowest bits of value as `length` characters. */
static void
encode(char *text, size_t length, uint64_t value)
{
	while (length-- > 0) {
		text[length] = alphabet[value & 0x1f];
		value >>= BITS;
	}
}

/* The value of a character; -1: it is none of ours. */
static int
digit_of(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	return c >= 'A' && c <= 'V' ? c - 'A' + 10 : -1;
}

static bool
is_encoded(struct str text)
{
	for (size_t i = 0; i < text.size; i++)
		if (digit_of(text.data[i]) < 0)
			return false;
	return true;
}

/* Neighbouring values become very different ones, all bits depending on all (the finalizer of MurmurHash3). */
static uint64_t
mix(uint64_t value)
{
	value = (value ^ (value >> 33)) * 0xff51afd7ed558ccdU;
	value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53U;
	return value ^ (value >> 33);
}

/* Names need to differ, not to be secret: where the kernel has no random bytes, process and time will do. */
static uint64_t
draw_bits(const struct timespec *now)
{
	uint64_t bits = 0;

	for (int i = 0; i < RANDOM_TRIES; i++) {
		if (getrandom(&bits, sizeof(bits), 0) == (ssize_t)sizeof(bits))
			return bits;
		if (errno != EINTR)
			break;
	}
	return mix(((uint64_t)getpid() << 32) ^ (uint64_t)now->tv_nsec ^ mix((uint64_t)now->tv_sec));
}

void
id_make(char text[ID_LENGTH + 1])
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	id_format(text, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, draw_bits(&now));
}

void
id_format(char text[ID_LENGTH + 1], int64_t microseconds, uint64_t random_bits)
{
	encode(text, TIME_LENGTH, microseconds > 0 ? (uint64_t)microseconds : 0);
	encode(text + TIME_LENGTH, RANDOM_LENGTH, random_bits);
	text[ID_LENGTH] = '\0';
}

bool
id_is_valid(struct str text)
{
	return text.size == ID_LENGTH && is_encoded(text);
}

int64_t
id_time(struct str text)
{
	uint64_t value = 0;

	if (!id_is_valid(text))
		return -1;
	for (size_t i = 0; i < TIME_LENGTH; i++)
		value = (value << BITS) | (uint64_t)digit_of(text.data[i]);
	return (int64_t)value;
}

/* The low bits of the hash alone are weak. */
void
id_tag(char tag[TAG_LENGTH + 1], struct str text)
{
	encode(tag, TAG_LENGTH, mix(str_hash(STR_HASH_START, text)));
	tag[TAG_LENGTH] = '\0';
}

bool
id_split(struct str name, struct str *id, struct str *tag)
{
	if (name.size != ID_LENGTH + 1 + TAG_LENGTH || name.data[ID_LENGTH] != '.')
		return false;
	*id = str_first(name, ID_LENGTH);
	*tag = str_from(name, ID_LENGTH + 1);
	return id_is_valid(*id) && is_encoded(*tag);
}
