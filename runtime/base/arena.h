/* arena.h - bump allocation that is given back all at once.
 * Owner: one thread at a time. Out of memory aborts (mem.h). */
#ifndef SLUICE_BASE_ARENA_H
#define SLUICE_BASE_ARENA_H

#include <stddef.h>

struct sluice_arena_block;

struct sluice_arena {
    struct sluice_arena_block *blocks; /* newest first */
    char *next, *end;                  /* free space of the newest block */
    size_t block_bytes;                /* size of an ordinary block, 0: 64 KiB */
    size_t now_bytes;                  /* the same, grown to what resets have seen lately */
    size_t used;                       /* bytes given out since the last reset */
    unsigned quiet;                    /* resets in a row that needed much less than now_bytes */
};

/* No memory is taken before the first alloc. block_bytes 0: 64 KiB. */
void sluice_arena_init(struct sluice_arena *arena, size_t block_bytes);
/* Takes a zeroed arena too. */
void sluice_arena_fini(struct sluice_arena *arena);
/* All memory given out is void; keeps at most one block, of up to 1 MiB, so that a steady state
 * allocates nothing and a burst is given back. */
void sluice_arena_reset(struct sluice_arena *arena);
/* 16-byte aligned, not zeroed; size 0 gives a valid address. Never NULL. */
void *sluice_arena_alloc(struct sluice_arena *arena, size_t size);
/* Copy of n bytes with a terminating NUL behind them. */
char *sluice_arena_strndup(struct sluice_arena *arena, const char *s, size_t n);

#endif
