/* layout.h - the spool's folders made for the first time, so that a crash at any point leaves what the next call
 * completes. */

#ifndef QUEUE_LAYOUT_H
#define QUEUE_LAYOUT_H

#include "queue/spool.h"

/* Make the folders of an absolute path, mode 0700, each made durable in its parent. What the first `given` bytes
 * name must be there. False: errno, and *at (bytes of path) is the folder in question. */
bool layout_make_path(const char *path, size_t given, size_t *at);

/* Make what is missing in the spool root, and VERSION last. False: errno. */
bool layout_complete(int root);

/* Make one folder that is missing, durable; VERSION is not touched. False: errno. */
bool layout_make_folder(int root, enum spool_folder folder);

enum layout_version { LAYOUT_CURRENT, LAYOUT_INCOMPLETE, LAYOUT_FOREIGN, LAYOUT_ERROR };

/* What VERSION says; `text` gets it for people. LAYOUT_ERROR: errno. */
enum layout_version layout_read_version(int root, char *text, size_t size);

/* The folder's path below the root ("bounces/new"). Constant. */
const char *layout_folder_path(enum spool_folder folder);

#endif
