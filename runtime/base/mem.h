/* mem.h - allocation that never fails: out of memory aborts through one handler, because what is
 * committed makes a restart safe (design: errors and limits). Sizes from outside are capped before
 * they come here. */
#ifndef SLUICE_BASE_MEM_H
#define SLUICE_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

void *sluice_xmalloc(size_t size);
void *sluice_xcalloc(size_t n, size_t size); /* zeroed; aborts on overflow */
void *sluice_xrealloc(void *p, size_t size);
char *sluice_xstrdup(const char *s); /* NULL gives NULL */
char *sluice_xstrndup(const char *s, size_t n);
/* printf into a new string, owned by the caller. */
char *sluice_xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Room for one more item of size bytes in a growing array: doubles *cap when n has reached it. */
void *sluice_xgrow(void *items, size_t n, size_t *cap, size_t size);
/* The calling thread has nothing to do for a while (rest), or something again: while it rests, the
 * allocator keeps nothing for it alone, and allocating is slower. Costs some microseconds. */
void sluice_mem_rest(bool rest);

#endif
