/* note.h - small files in the spool that are replaced as a whole and may be lost: what is remembered for the next time.
 *
 * Readers see the old file or the new one. They are not synced, so after a power cut one may be torn: whoever reads must see
 * from the contents that they are whole. */

#ifndef QUEUE_NOTE_H
#define QUEUE_NOTE_H

#include "queue/spool.h"

/* Append the file to b. False, without a word: there is none, it has more than `most` bytes, it is not a regular file of this
 * user's alone (another name, a link, another owner, others may write to it). b is then as it was. */
bool note_read(struct spool *spool, enum spool_folder folder, const char *name, size_t most, struct buf *b);

/* Make or replace it. Trouble is not worth an error: false, and the caller goes on. */
bool note_write(struct spool *spool, enum spool_folder folder, const char *name, struct str text);

#endif
