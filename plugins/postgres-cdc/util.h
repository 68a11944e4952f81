/* util.h - what every file here needs: memory, error texts, time.
 *
 * A plugin links nothing of the runtime, so the few helpers stand here. Out of memory aborts, as
 * everywhere in sluice: sizes from outside are capped before they come here. */
#ifndef CDC_UTIL_H
#define CDC_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/plugin.h"

/* ---- plain memory ---- */
void *cdc_alloc(size_t size); /* zeroed */
void *cdc_realloc(void *p, size_t size);
char *cdc_strdup(const char *s); /* NULL gives NULL */
char *cdc_strndup(const char *s, size_t n);
char *cdc_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- a pool: everything of one relation or config, freed at once ---- */
struct cdc_pool {
    struct cdc_pool_block *blocks;
};
void *cdc_pool_alloc(struct cdc_pool *pool, size_t size); /* zeroed, 16-byte aligned */
char *cdc_pool_strndup(struct cdc_pool *pool, const char *s, size_t n);
char *cdc_pool_strdup(struct cdc_pool *pool, const char *s); /* NULL gives NULL */
char *cdc_pool_format(struct cdc_pool *pool, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void cdc_pool_free(struct cdc_pool *pool);

/* ---- a growing terminated string ---- */
struct cdc_text {
    char *s;
    size_t len, cap;
};
void cdc_text_add(struct cdc_text *text, const char *s, size_t n);
void cdc_text_adds(struct cdc_text *text, const char *s);
void cdc_text_addf(struct cdc_text *text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Appends "name" as SQL quotes identifiers, resp. 'text' as it quotes literals. */
void cdc_text_ident(struct cdc_text *text, const char *name);
void cdc_text_literal(struct cdc_text *text, const char *s);
void cdc_text_free(struct cdc_text *text);

/* ---- the batch's memory, taken in large pieces, so that a record costs no call ---- */
struct cdc_memory {
    const struct sluice_host *host;
    struct sluice_batch *batch;
    char *next, *end;
    const char *why; /* set by a converter that returns false: static text */
};
void *cdc_take_slow(struct cdc_memory *memory, size_t size);

/* 16-byte aligned memory of the batch, not zeroed. */
static inline void *cdc_take(struct cdc_memory *memory, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if ((size_t)(memory->end - memory->next) < size) return cdc_take_slow(memory, size);
    char *p = memory->next;
    memory->next += size;
    return p;
}

/* ---- errors ---- */
/* Fills err (NULL: nothing) and is always false, or SLUICE_FAIL. */
bool cdc_error(struct sluice_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
enum sluice_verdict cdc_fail(struct sluice_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Where it goes what is wrong with an option: once per wrong key. */
typedef void cdc_complain(void *arg, const char *key, const char *why);

/* ---- time ---- */
int64_t cdc_now_ms(void);  /* monotonic */
int64_t cdc_wall_ns(void); /* Unix nanoseconds */

/* ---- text ---- */
/* Decimal digits of v at out (20 bytes are enough); the number of them. */
size_t cdc_u64_text(uint64_t v, char *out);
/* "0/16B3748", the form in which Postgres shows an LSN, into 24 bytes. */
const char *cdc_lsn_text(uint64_t lsn, char out[24]);
bool cdc_lsn_parse(const char *s, uint64_t *lsn);

#endif
