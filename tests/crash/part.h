/*
 * part - the parts of the crash tests. Each writes TAP lines and returns how many cases were not ok.
 */
#ifndef CRASH_PART_H
#define CRASH_PART_H

#include "scenario.h"

unsigned part_kill(const struct world_setting *setting);
unsigned part_errno(const struct world_setting *setting);
unsigned part_powercut(const struct world_setting *setting);
unsigned part_faults(const struct world_setting *setting);
unsigned part_space(const struct world_setting *setting);
unsigned part_soak(const struct world_setting *setting);
unsigned part_self(const struct world_setting *setting);

/* One TAP line. `text` (may be "") is shown when it is not ok. Returns 0 or 1. */
unsigned part_case(bool is_good, const char *name, const char *text);

/* The plan, at the end. */
void part_end(void);

/* Is the scenario of this name to be run? */
bool part_wants(const struct world_setting *setting, const char *name);

#endif
