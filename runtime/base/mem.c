/* mem.c - the allocation handler: one line, then abort.
 *
 * What a worker has committed makes its restart safe, and no caller has a better answer to "out of
 * memory" than that, so nobody has to write an error path that never runs. Any thread. */
#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* jemalloc's, when the program is linked with it. */
extern int mallctl(const char *name, void *old, size_t *old_len, void *new, size_t new_len)
    __attribute__((weak));

/* No logger here: it might allocate. */
static _Noreturn void out_of_memory(size_t size)
{
    char line[128];
    int n = snprintf(line, sizeof(line),
                     "level=error msg=\"out of memory: cannot allocate %zu "
                     "bytes; stopping, a restart resumes safely\"\n",
                     size);
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0) abort();
    abort();
}

void *sluice_xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p) out_of_memory(size);
    return p;
}

void *sluice_xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p) out_of_memory(size && n > SIZE_MAX / size ? SIZE_MAX : n * size);
    return p;
}

void *sluice_xrealloc(void *p, size_t size)
{
    void *grown = realloc(p, size ? size : 1);
    if (!grown) out_of_memory(size);
    return grown;
}

char *sluice_xstrdup(const char *s) { return s ? sluice_xstrndup(s, strlen(s)) : NULL; }

char *sluice_xstrndup(const char *s, size_t n)
{
    if (n == SIZE_MAX) out_of_memory(n);
    char *copy = sluice_xmalloc(n + 1);
    memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *sluice_xasprintf(const char *fmt, ...)
{
    va_list ap;
    char *text = NULL;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) out_of_memory(0);
    return text;
}

void *sluice_xgrow(void *items, size_t n, size_t *cap, size_t size)
{
    assert(size > 0 && n <= *cap);
    if (n < *cap) return items;
    size_t grown = *cap ? *cap * 2 : 8;
    if (*cap > SIZE_MAX / 2 / size) out_of_memory(SIZE_MAX);
    items = sluice_xrealloc(items, grown * size);
    *cap = grown;
    return items;
}

void sluice_mem_rest(bool rest)
{
    bool cached = !rest;
    if (mallctl) mallctl("thread.tcache.enabled", NULL, NULL, &cached, sizeof cached);
}
