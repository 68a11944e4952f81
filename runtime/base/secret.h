/* secret.h - the one place that keeps secrets out of what people read: logs, traces, answers.
 * Whoever resolves a secret tells it here; whoever writes text for people passes it through. */
#ifndef SLUICE_BASE_SECRET_H
#define SLUICE_BASE_SECRET_H

#include <stddef.h>

/* Remembers the value, with and without the blanks around it. Values that say nothing (shorter than
 * 4 bytes, true, false, small numbers) are not: hiding them would make texts unreadable. Any
 * thread. */
void sluice_secret_add(const char *value);
/* Puts [hidden] for every secret, and for the beginning of a long one that was cut. In place; what
 * grows beyond size is cut. Any thread; quick while there are no secrets. */
void sluice_secret_hide(char *text, size_t size);
/* Likewise as a new string, owned by the caller. */
char *sluice_secret_hidden(const char *text);

#endif
