/* util.c - see util.h. */
#include "util.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_BYTES (64u << 10)
#define CHUNK_BYTES (32u << 10)

bool datagen_fail(struct sluice_err *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(err->msg, sizeof(err->msg), fmt, args);
    va_end(args);
    return false;
}

_Noreturn static void out_of_memory(size_t size)
{
    (void)fprintf(stderr, "datagen: out of memory (%zu bytes)\n", size);
    abort();
}

struct datagen_block {
    struct datagen_block *older;
    size_t pad; /* keeps data 16-byte aligned */
    char data[];
};

void *datagen_alloc(struct datagen_arena *arena, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (!arena->blocks || arena->cap - arena->used < size) {
        size_t cap = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        struct datagen_block *block = calloc(1, sizeof(*block) + cap);
        if (!block) out_of_memory(cap);
        block->older = arena->blocks;
        arena->blocks = block;
        arena->used = 0;
        arena->cap = cap;
    }
    void *p = arena->blocks->data + arena->used;
    arena->used += size;
    return p;
}

char *datagen_strndup(struct datagen_arena *arena, const char *s, size_t n)
{
    char *copy = datagen_alloc(arena, n + 1);
    memcpy(copy, s, n);
    return copy;
}

char *datagen_strdup(struct datagen_arena *arena, const char *s)
{
    return datagen_strndup(arena, s, strlen(s));
}

void datagen_arena_free(struct datagen_arena *arena)
{
    for (struct datagen_block *block = arena->blocks, *older; block; block = older) {
        older = block->older;
        free(block);
    }
    *arena = (struct datagen_arena){0};
}

struct datagen_chunk {
    struct datagen_chunk *next;
    size_t size;
    char data[];
};

void *datagen_pool_take(struct datagen_pool *pool, size_t size)
{
    struct datagen_chunk *chunk = pool->spare;
    if (chunk && chunk->size >= size) {
        pool->spare = chunk->next;
    } else {
        chunk = malloc(sizeof(*chunk) + size);
        if (!chunk) out_of_memory(size);
        chunk->size = size;
    }
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    return chunk->data;
}

/* Odd sizes are given back, so that one large record does not hold its memory for good. */
void datagen_pool_reset(struct datagen_pool *pool)
{
    for (struct datagen_chunk *chunk = pool->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        if (chunk->size == CHUNK_BYTES) {
            chunk->next = pool->spare;
            pool->spare = chunk;
        } else {
            free(chunk);
        }
    }
    pool->chunks = NULL;
}

void datagen_pool_free(struct datagen_pool *pool)
{
    datagen_pool_reset(pool);
    for (struct datagen_chunk *chunk = pool->spare, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    pool->spare = NULL;
}

void datagen_mem_begin_pool(struct datagen_mem *mem, struct datagen_pool *pool)
{
    *mem = (struct datagen_mem){.pool = pool};
}

void datagen_mem_begin(struct datagen_mem *mem, const struct sluice_host *host,
                       struct sluice_batch *batch)
{
    *mem = (struct datagen_mem){.host = host, .batch = batch};
}

void datagen_mem_grow(struct datagen_mem *mem, size_t n)
{
    size_t size = n > CHUNK_BYTES ? n : CHUNK_BYTES;
    mem->at = mem->pool ? datagen_pool_take(mem->pool, size) : mem->host->alloc(mem->batch, size);
    mem->end = mem->at + size;
    assert((size_t)(mem->end - mem->at) >= n);
}

size_t datagen_digits(char *p, int64_t v)
{
    char back[20];
    size_t n = 0, len = 0;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        back[n++] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0) p[len++] = '-';
    while (n) p[len++] = back[--n];
    return len;
}
