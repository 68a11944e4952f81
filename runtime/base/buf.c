/* buf.c - a growing byte buffer with a cap. Doubles; never past max. Owner: one thread. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

#define FIRST_BYTES ((size_t)256)

void sluice_buf_init(struct sluice_buf *buf, size_t max)
{
    memset(buf, 0, sizeof(*buf));
    buf->max = max;
}

void sluice_buf_fini(struct sluice_buf *buf)
{
    free(buf->data);
    buf->data = NULL;
    buf->len = buf->cap = 0;
}

bool sluice_buf_reserve(struct sluice_buf *buf, size_t n, struct sluice_err *err)
{
    assert(buf->len <= buf->cap || buf->cap == 0);
    if (buf->len > buf->max || n > buf->max - buf->len) {
        return sluice_err_set(err, "%zu more bytes after %zu pass the limit of %zu bytes", n,
                              buf->len, buf->max);
    }
    if (n <= buf->cap - buf->len) return true;
    size_t need = buf->len + n;
    size_t cap = buf->cap ? buf->cap : FIRST_BYTES;
    while (cap < need) cap = cap > buf->max / 2 ? buf->max : cap * 2;
    if (cap > buf->max) cap = buf->max;
    buf->data = sluice_xrealloc(buf->data, cap);
    buf->cap = cap;
    return true;
}

bool sluice_buf_add(struct sluice_buf *buf, const void *data, size_t n)
{
    if (!n) return true;
    if (!sluice_buf_reserve(buf, n, NULL)) return false;
    memcpy(buf->data + buf->len, data, n);
    buf->len += n;
    return true;
}

bool sluice_buf_adds(struct sluice_buf *buf, const char *s)
{
    return sluice_buf_add(buf, s, strlen(s));
}

bool sluice_buf_addf(struct sluice_buf *buf, const char *fmt, ...)
{
    char small[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    if (n < 0) return false;
    if ((size_t)n < sizeof(small)) return sluice_buf_add(buf, small, (size_t)n);
    /* vsnprintf wants a place for the NUL, which need not fit under max. */
    char *large = sluice_xmalloc((size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(large, (size_t)n + 1, fmt, ap);
    va_end(ap);
    bool ok = sluice_buf_add(buf, large, (size_t)n);
    free(large);
    return ok;
}

const char *sluice_buf_str(struct sluice_buf *buf)
{
    if (buf->len == buf->cap) {
        /* The NUL is ours, not content: it may stand beyond max. */
        buf->data = sluice_xrealloc(buf->data, buf->cap + 1);
        buf->cap++;
    }
    buf->data[buf->len] = '\0';
    return buf->data;
}
