/* batch.h - records and everything they point to, in one arena.
 * Owner: one task's thread. reset() keeps memory, so that the steady state allocates nothing. */
#ifndef SLUICE_DATA_BATCH_H
#define SLUICE_DATA_BATCH_H

#include "base/arena.h"
#include "sluice/plugin.h"

struct sluice_batch {
    struct sluice_arena arena;
    struct sluice_record *records; /* n of cap; moves when it grows */
    size_t n, cap;
    const struct sluice_schema **held; /* schemas that live as long as the batch's content */
    size_t held_n, held_cap;
};

void sluice_batch_init(struct sluice_batch *batch);
void sluice_batch_fini(struct sluice_batch *batch);
void sluice_batch_reset(struct sluice_batch *batch); /* no records, arena empty, schemas let go */
struct sluice_record *sluice_batch_append(struct sluice_batch *batch); /* host->append */
void *sluice_batch_alloc(struct sluice_batch *batch, size_t size);     /* host->alloc */
/* The schema stays alive until reset: takes its own hold; cheap for the one held last. */
void sluice_batch_hold(struct sluice_batch *batch, const struct sluice_schema *schema);

#endif
