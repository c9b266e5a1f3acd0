/* player.h - plays a dialogue file (tests/dialogues/README) against the engine, in memory.
 *
 * The server's bytes are handed over in pieces of `piece` bytes (0: all at once), so that any splitting can be tried. */

#ifndef TESTS_UNIT_PLAYER_H
#define TESTS_UNIT_PLAYER_H

#include <stddef.h>

#include "base/buf.h"

struct player_result {
	bool is_as_scripted; /* every command and every expectation agreed */
	struct buf complaint; /* what did not; empty otherwise */
	struct buf summary;   /* outcomes, exit code and failure: equal for equal behaviour */
};

void player_run(const char *script, size_t size, size_t piece, struct player_result *result);
void player_result_free(struct player_result *result);

#endif
