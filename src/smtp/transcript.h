/* transcript.h - the dialogue as lines for people: "C: ..." what we sent, "S: ..." what came back, secrets hidden. Pure. */

#ifndef SMTP_TRANSCRIPT_H
#define SMTP_TRANSCRIPT_H

#include "smtp/dialog.h"

/* Add each line of text, cleaned, behind `who` ("C: "). Nothing happens when nobody wants a transcript. */
void transcript_add(struct dialog *d, const char *who, struct str text);

/* Replace each of the `hidden` texts (ended by LF each) in text by "(hidden)": a server may repeat what it was told. */
void transcript_hide(struct buf *text, struct str hidden);

/* Add d->reply; of a challenge (334) only that there was one. */
void transcript_add_reply(struct dialog *d);

#endif
