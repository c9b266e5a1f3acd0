/* crc.c - CRC-32C (RFC 9260 appendix A), eight bytes at a time. Pure.
 *
 * The CRC of a byte is the sum (exclusive or) of those of its bits, so the compiler makes the tables from the rows
 * of eight powers of two: row k belongs to a byte with k bytes behind it. */

#include "config.h"

#include "queue/format.h"

#define BIT(i, n, value) ((((i) >> (n)) & 1U) != 0 ? (value) : 0U)
#define ITEM(i, a, b, c, d, e, f, g, h)                                                                                \
	(BIT(i, 0, a) ^ BIT(i, 1, b) ^ BIT(i, 2, c) ^ BIT(i, 3, d) ^ BIT(i, 4, e) ^ BIT(i, 5, f) ^ BIT(i, 6, g) ^ BIT(i, 7, h))
#define ITEMS_4(i, ...) ITEM(i, __VA_ARGS__), ITEM(i + 1U, __VA_ARGS__), ITEM(i + 2U, __VA_ARGS__), ITEM(i + 3U, __VA_ARGS__)
#define ITEMS_16(i, ...)                                                                                               \
	ITEMS_4(i, __VA_ARGS__), ITEMS_4(i + 4U, __VA_ARGS__), ITEMS_4(i + 8U, __VA_ARGS__), ITEMS_4(i + 12U, __VA_ARGS__)
#define ITEMS_64(i, ...)                                                                                               \
	ITEMS_16(i, __VA_ARGS__), ITEMS_16(i + 16U, __VA_ARGS__), ITEMS_16(i + 32U, __VA_ARGS__), ITEMS_16(i + 48U, __VA_ARGS__)
#define TABLE(...)                                                                                                     \
	{                                                                                                              \
		ITEMS_64(0U, __VA_ARGS__), ITEMS_64(64U, __VA_ARGS__), ITEMS_64(128U, __VA_ARGS__), ITEMS_64(192U, __VA_ARGS__) \
	}

static const uint32_t tables[8][256] = {
	TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
	TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
	TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
	TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
	TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
	TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
	TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
	TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};

/* Four bytes as a number, the first one lowest, whatever the machine's order is. */
static uint32_t
four_bytes(const unsigned char *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* `value` is of four bytes with `behind` bytes behind the last of them. */
static uint32_t
sum_four(uint32_t value, size_t behind)
{
	return tables[behind + 3][value & 0xff] ^ tables[behind + 2][(value >> 8) & 0xff] ^
	       tables[behind + 1][(value >> 16) & 0xff] ^ tables[behind][value >> 24];
}

uint32_t
format_crc(uint32_t crc, struct str text)
{
	const unsigned char *b = (const unsigned char *)text.data;
	size_t n = text.size;

	crc = ~crc;
	for (; n >= 8; n -= 8, b += 8)
		crc = sum_four(crc ^ four_bytes(b), 4) ^ sum_four(four_bytes(b + 4), 0);
	for (; n > 0; n--, b++)
		crc = tables[0][(crc ^ *b) & 0xff] ^ (crc >> 8);
	return ~crc;
}
