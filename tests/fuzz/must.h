/* must.h - what a fuzz target asserts: it ends by abort(), which libFuzzer keeps the input of. */

#ifndef FUZZ_MUST_H
#define FUZZ_MUST_H

#include <stdbool.h>
#include <stdlib.h>

static inline void
must(bool holds)
{
	if (!holds)
		abort();
}

#endif
