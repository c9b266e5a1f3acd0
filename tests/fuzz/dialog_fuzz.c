/* dialog_fuzz.c - any bytes as a dialogue file: every run ends, and the splitting of the server's bytes changes nothing. */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "player.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct player_result whole = {0}, pieces = {0};

	if (size > 64 * 1024)
		return 0;
	player_run((const char *)data, size, 0, &whole);
	player_run((const char *)data, size, 3, &pieces);
	/* Where the script was followed, it must have been followed the same way. */
	if (whole.is_as_scripted && pieces.is_as_scripted &&
	    !str_equals(buf_str(&whole.summary), buf_str(&pieces.summary)))
		abort();
	player_result_free(&whole);
	player_result_free(&pieces);
	return 0;
}
