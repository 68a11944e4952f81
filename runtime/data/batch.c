/* batch.c - see batch.h. */
#include "data/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/schema.h"

void sluice_batch_init(struct sluice_batch *batch)
{
    memset(batch, 0, sizeof *batch);
    sluice_arena_init(&batch->arena, 0);
}

static void let_go(struct sluice_batch *batch)
{
    while (batch->held_n) sluice_schema_free(batch->held[--batch->held_n]);
}

void sluice_batch_fini(struct sluice_batch *batch)
{
    let_go(batch);
    sluice_arena_fini(&batch->arena);
    free(batch->records);
    free(batch->held);
    memset(batch, 0, sizeof *batch);
}

void sluice_batch_reset(struct sluice_batch *batch)
{
    let_go(batch);
    batch->n = 0;
    sluice_arena_reset(&batch->arena);
}

struct sluice_record *sluice_batch_append(struct sluice_batch *batch)
{
    if (batch->n == batch->cap) {
        batch->records =
            sluice_xgrow(batch->records, batch->n, &batch->cap, sizeof *batch->records);
    }
    assert(batch->n < batch->cap);
    struct sluice_record *rec = &batch->records[batch->n++];
    memset(rec, 0, sizeof *rec);
    rec->partition = SLUICE_ANY_PARTITION;
    rec->timestamp_ms = SLUICE_NO_TIMESTAMP;
    return rec;
}

void *sluice_batch_alloc(struct sluice_batch *batch, size_t size)
{
    return sluice_arena_alloc(&batch->arena, size);
}

void sluice_batch_hold(struct sluice_batch *batch, const struct sluice_schema *schema)
{
    if (!schema) return;
    /* A record alternates between few schemas (key, value): look at the last ones only. A batch of
     * n records holds at most n of them twice, and reset lets go of all. */
    size_t look = batch->held_n < 4 ? batch->held_n : 4;
    for (size_t i = 1; i <= look; i++) {
        if (batch->held[batch->held_n - i] == schema) return;
    }
    if (batch->held_n == batch->held_cap) {
        batch->held =
            sluice_xgrow(batch->held, batch->held_n, &batch->held_cap, sizeof *batch->held);
    }
    batch->held[batch->held_n++] = sluice_schema_hold(schema);
}
