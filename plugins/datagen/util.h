/* util.h - small things that every file of datagen uses: errors, the memory of plans, and the
 * memory of records.
 *
 * A plan (what a schema was compiled into) lives in one datagen_arena from open() to close().
 * Records live in the batch: datagen_mem takes that in chunks and hands out slices inline, so that
 * a record costs no call and no allocation. */
#ifndef DATAGEN_UTIL_H
#define DATAGEN_UTIL_H

#include "sluice/plugin.h"

#include <stdarg.h>
#include <string.h>

#define DATAGEN_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Writes the message and returns false, so that a failing function ends in one line. */
bool datagen_fail(struct sluice_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

struct datagen_block;

/* Memory that is given back all at once. Zeroed by its owner before first use. */
struct datagen_arena {
    struct datagen_block *blocks;
    size_t used; /* bytes of the newest block that are taken */
    size_t cap;
};

/* Zeroed, 16-byte aligned, never NULL (aborts when memory is out); lives until arena_free. */
void *datagen_alloc(struct datagen_arena *arena, size_t size);
/* A terminated copy of n bytes in the arena. */
char *datagen_strndup(struct datagen_arena *arena, const char *s, size_t n);
char *datagen_strdup(struct datagen_arena *arena, const char *s);
void datagen_arena_free(struct datagen_arena *arena);

/* Memory that is used again after datagen_pool_reset(): what records of a source may point to when
 * they outlive a batch. Zeroed by its owner before first use. */
struct datagen_pool {
    struct datagen_chunk *chunks, *spare;
};

void *datagen_pool_take(struct datagen_pool *pool, size_t size);
void datagen_pool_reset(struct datagen_pool *pool);
void datagen_pool_free(struct datagen_pool *pool);

/* Slices of the batch that poll() is filling, or of a pool. */
struct datagen_mem {
    const struct sluice_host *host;
    struct sluice_batch *batch;
    struct datagen_pool *pool; /* NULL: the batch */
    char *at, *end;
    size_t taken; /* bytes handed out since it began: the measure for room->bytes */
};

void datagen_mem_begin(struct datagen_mem *mem, const struct sluice_host *host,
                       struct sluice_batch *batch);
void datagen_mem_begin_pool(struct datagen_mem *mem, struct datagen_pool *pool);
/* Makes sure that n bytes are free at mem->at. */
void datagen_mem_grow(struct datagen_mem *mem, size_t n);

/* Room for n bytes to write at; datagen_mem_keep() takes what was really written. */
static inline char *datagen_mem_room(struct datagen_mem *mem, size_t n)
{
    if ((size_t)(mem->end - mem->at) < n) datagen_mem_grow(mem, n);
    return mem->at;
}

static inline void datagen_mem_keep(struct datagen_mem *mem, size_t n)
{
    size_t rounded = (n + 7) & ~(size_t)7;
    size_t left = (size_t)(mem->end - mem->at);
    mem->at += rounded < left ? rounded : left;
    mem->taken += n;
}

/* 8-byte aligned, not zeroed. */
static inline void *datagen_mem_take(struct datagen_mem *mem, size_t n)
{
    char *p = datagen_mem_room(mem, n);
    datagen_mem_keep(mem, n);
    return p;
}

/* Writes the decimal digits of v at p (at most 20 bytes) and returns how many. */
size_t datagen_digits(char *p, int64_t v);

#endif
