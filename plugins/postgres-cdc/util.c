/* util.c - memory, error texts, time: see util.h. */
#include "util.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POOL_BLOCK_BYTES 4000
#define TAKE_BLOCK_BYTES ((size_t)64 << 10)

static void *checked(void *p)
{
    if (!p) {
        fputs("postgres-cdc: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *cdc_alloc(size_t size) { return checked(calloc(1, size ? size : 1)); }

void *cdc_realloc(void *p, size_t size) { return checked(realloc(p, size ? size : 1)); }

char *cdc_strdup(const char *s) { return s ? checked(strdup(s)) : NULL; }

char *cdc_strndup(const char *s, size_t n)
{
    char *copy = cdc_alloc(n + 1);
    if (n) memcpy(copy, s, n);
    return copy;
}

static char *vformat(const char *fmt, va_list ap)
{
    char *s = NULL;
    int n = vasprintf(&s, fmt, ap);
    return checked(n < 0 ? NULL : s);
}

char *cdc_format(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = vformat(fmt, ap);
    va_end(ap);
    return s;
}

struct cdc_pool_block {
    struct cdc_pool_block *older;
    size_t used, cap;
    _Alignas(16) char bytes[];
};

void *cdc_pool_alloc(struct cdc_pool *pool, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    struct cdc_pool_block *block = pool->blocks;
    if (!block || block->cap - block->used < size) {
        size_t cap = size > POOL_BLOCK_BYTES ? size : POOL_BLOCK_BYTES;
        block = cdc_alloc(sizeof(*block) + cap);
        block->cap = cap;
        block->older = pool->blocks;
        pool->blocks = block;
    }
    void *p = block->bytes + block->used;
    block->used += size;
    return p;
}

char *cdc_pool_strndup(struct cdc_pool *pool, const char *s, size_t n)
{
    char *copy = cdc_pool_alloc(pool, n + 1);
    if (n) memcpy(copy, s, n);
    return copy;
}

char *cdc_pool_strdup(struct cdc_pool *pool, const char *s)
{
    return s ? cdc_pool_strndup(pool, s, strlen(s)) : NULL;
}

char *cdc_pool_format(struct cdc_pool *pool, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = vformat(fmt, ap);
    va_end(ap);
    char *copy = cdc_pool_strdup(pool, s);
    free(s);
    return copy;
}

void cdc_pool_free(struct cdc_pool *pool)
{
    while (pool->blocks) {
        struct cdc_pool_block *block = pool->blocks;
        pool->blocks = block->older;
        free(block);
    }
}

void cdc_text_add(struct cdc_text *text, const char *s, size_t n)
{
    if (text->cap - text->len < n + 1) {
        text->cap = (text->len + n + 1) * 2 + 32;
        text->s = cdc_realloc(text->s, text->cap);
    }
    if (n) memcpy(text->s + text->len, s, n);
    text->len += n;
    text->s[text->len] = 0;
}

void cdc_text_adds(struct cdc_text *text, const char *s) { cdc_text_add(text, s, strlen(s)); }

void cdc_text_addf(struct cdc_text *text, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = vformat(fmt, ap);
    va_end(ap);
    cdc_text_adds(text, s);
    free(s);
}

static void quoted(struct cdc_text *text, const char *s, char quote)
{
    cdc_text_add(text, &quote, 1);
    for (; *s; s++) {
        if (*s == quote) cdc_text_add(text, &quote, 1);
        cdc_text_add(text, s, 1);
    }
    cdc_text_add(text, &quote, 1);
}

void cdc_text_ident(struct cdc_text *text, const char *name) { quoted(text, name, '"'); }

void cdc_text_literal(struct cdc_text *text, const char *s)
{
    /* With a backslash the E'' form is right whatever standard_conforming_strings says. */
    if (!strchr(s, '\\')) {
        quoted(text, s, '\'');
        return;
    }
    cdc_text_adds(text, " E'");
    for (; *s; s++) {
        if (*s == '\'' || *s == '\\') cdc_text_add(text, s, 1);
        cdc_text_add(text, s, 1);
    }
    cdc_text_adds(text, "'");
}

void cdc_text_free(struct cdc_text *text)
{
    free(text->s);
    memset(text, 0, sizeof(*text));
}

void *cdc_take_slow(struct cdc_memory *memory, size_t size)
{
    if (size > TAKE_BLOCK_BYTES / 4) return memory->host->alloc(memory->batch, size);
    memory->next = memory->host->alloc(memory->batch, TAKE_BLOCK_BYTES);
    memory->end = memory->next + TAKE_BLOCK_BYTES;
    void *p = memory->next;
    memory->next += size;
    return p;
}

static void verror(struct sluice_err *err, const char *fmt, va_list ap)
{
    if (err) vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
}

bool cdc_error(struct sluice_err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    verror(err, fmt, ap);
    va_end(ap);
    return false;
}

enum sluice_verdict cdc_fail(struct sluice_err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    verror(err, fmt, ap);
    va_end(ap);
    return SLUICE_FAIL;
}

int64_t cdc_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t cdc_wall_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

size_t cdc_u64_text(uint64_t v, char *out)
{
    char digits[20];
    size_t at = sizeof(digits);
    for (; v >= 100; v /= 100) { /* two at a time: each record has several */
        digits[--at] = (char)('0' + v % 10);
        digits[--at] = (char)('0' + v / 10 % 10);
    }
    digits[--at] = (char)('0' + v % 10);
    if (v >= 10) digits[--at] = (char)('0' + v / 10);
    memcpy(out, digits + at, sizeof(digits) - at);
    return sizeof(digits) - at;
}

const char *cdc_lsn_text(uint64_t lsn, char out[24])
{
    snprintf(out, 24, "%X/%X", (unsigned)(lsn >> 32), (unsigned)lsn);
    return out;
}

bool cdc_lsn_parse(const char *s, uint64_t *lsn)
{
    unsigned hi, lo;
    int used = 0;
    if (!s || sscanf(s, "%8X/%8X%n", &hi, &lo, &used) != 2 || s[used]) return false;
    *lsn = (uint64_t)hi << 32 | lo;
    return true;
}
