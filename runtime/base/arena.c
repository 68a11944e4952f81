/* arena.c - bump allocation in blocks, newest first.
 *
 * A request larger than a quarter of a block gets one of its own behind the newest, so that a big
 * value does not waste what is left of the current block. The block that a reset keeps follows what
 * was used lately, so that one batch fits into one block and the steady state calls no malloc.
 * Under AddressSanitizer memory that was given back is poisoned. Owner: one thread at a time. */
#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define ALIGNMENT ((size_t)16)
#define DEFAULT_BYTES ((size_t)64 * 1024)
#define KEEP_MAX_BYTES ((size_t)1024 * 1024)
#define QUIET_RESETS 32u

struct sluice_arena_block {
    struct sluice_arena_block *older;
    size_t bytes; /* of data */
    char data[];
};

_Static_assert(sizeof(struct sluice_arena_block) % 16 == 0, "data starts aligned");

void sluice_arena_init(struct sluice_arena *arena, size_t block_bytes)
{
    memset(arena, 0, sizeof(*arena));
    arena->block_bytes = block_bytes;
}

static void block_free(struct sluice_arena_block *block)
{
    UNPOISON(block->data, block->bytes);
    free(block);
}

static struct sluice_arena_block *block_new(size_t bytes)
{
    assert(bytes > 0 && bytes <= SIZE_MAX - sizeof(struct sluice_arena_block));
    struct sluice_arena_block *block = sluice_xmalloc(sizeof(*block) + bytes);
    block->older = NULL;
    block->bytes = bytes;
    POISON(block->data, bytes);
    return block;
}

void sluice_arena_fini(struct sluice_arena *arena)
{
    for (struct sluice_arena_block *block = arena->blocks; block;) {
        struct sluice_arena_block *older = block->older;
        block_free(block);
        block = older;
    }
    sluice_arena_init(arena, arena->block_bytes);
}

static size_t least_bytes(const struct sluice_arena *arena)
{
    return arena->block_bytes ? arena->block_bytes : DEFAULT_BYTES;
}

/* What an ordinary block should hold from now on: grows at once, shrinks after a while. */
static size_t next_bytes(struct sluice_arena *arena)
{
    size_t now = arena->now_bytes ? arena->now_bytes : least_bytes(arena);
    size_t want = now;
    while (want < arena->used && want < KEEP_MAX_BYTES) want *= 2;
    if (arena->used >= now / 4) {
        arena->quiet = 0;
    } else if (now > least_bytes(arena) && ++arena->quiet >= QUIET_RESETS) {
        arena->quiet = 0;
        want = now / 2;
    }
    return want;
}

void sluice_arena_reset(struct sluice_arena *arena)
{
    size_t bytes = next_bytes(arena);
    struct sluice_arena_block *kept = NULL;
    for (struct sluice_arena_block *block = arena->blocks; block;) {
        struct sluice_arena_block *older = block->older;
        if (!kept && block->bytes == bytes) kept = block;
        else block_free(block);
        block = older;
    }
    arena->now_bytes = bytes;
    arena->used = 0;
    arena->blocks = kept;
    arena->next = arena->end = NULL;
    if (!kept) return;
    kept->older = NULL;
    arena->next = kept->data;
    arena->end = kept->data + kept->bytes;
    POISON(kept->data, kept->bytes);
}

/* A place for a size that does not fit into the current block. */
static void *alloc_slow(struct sluice_arena *arena, size_t size)
{
    if (!arena->now_bytes) arena->now_bytes = least_bytes(arena);
    if (size > arena->now_bytes / 4) {
        struct sluice_arena_block *block = block_new(size);
        if (arena->blocks) {
            block->older = arena->blocks->older;
            arena->blocks->older = block;
        } else {
            arena->blocks = block;
        }
        return block->data;
    }
    struct sluice_arena_block *block = block_new(arena->now_bytes);
    block->older = arena->blocks;
    arena->blocks = block;
    arena->next = block->data + size;
    arena->end = block->data + block->bytes;
    return block->data;
}

void *sluice_arena_alloc(struct sluice_arena *arena, size_t size)
{
    assert(size <= SIZE_MAX / 2);
    size_t rounded = size ? (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1) : ALIGNMENT;
    void *p;
    if (rounded <= (size_t)(arena->end - arena->next)) {
        p = arena->next;
        arena->next += rounded;
    } else {
        p = alloc_slow(arena, rounded);
    }
    arena->used += rounded;
    UNPOISON(p, size);
    return p;
}

char *sluice_arena_strndup(struct sluice_arena *arena, const char *s, size_t n)
{
    assert(n < SIZE_MAX / 2);
    char *copy = sluice_arena_alloc(arena, n + 1);
    if (n) memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}
