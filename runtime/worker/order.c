/* order.c - see order.h. A hash table of last offsets, open addressing; runs of records to one
 * partition find theirs without a look-up. */
#include "worker/order.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CAP_MIN 16 /* a power of two */

struct last {
    const void *topic; /* NULL: free */
    uint32_t source_partition;
    int32_t partition;
    int64_t offset;
};

struct sluice_order {
    struct last *table;
    size_t n, cap;
    struct last *recent; /* NULL: none */
};

struct sluice_order *sluice_order_new(void)
{
    return sluice_xcalloc(1, sizeof(struct sluice_order));
}

void sluice_order_forget(struct sluice_order *order)
{
    free(order->table);
    memset(order, 0, sizeof *order);
}

void sluice_order_free(struct sluice_order *order)
{
    if (!order) return;
    sluice_order_forget(order);
    free(order);
}

static bool is(const struct last *last, const struct last *key)
{
    return last->topic == key->topic && last->source_partition == key->source_partition &&
           last->partition == key->partition;
}

static struct last *place(const struct sluice_order *order, const struct last *key)
{
    uint64_t h = (uint64_t)(uintptr_t)key->topic ^ (uint64_t)key->source_partition << 40 ^
                 (uint64_t)(uint32_t)key->partition << 20;
    h *= 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio: spreads neighbours */
    size_t at = (size_t)(h >> 32) & (order->cap - 1);
    while (order->table[at].topic && !is(&order->table[at], key)) at = (at + 1) & (order->cap - 1);
    return &order->table[at];
}

static void grow(struct sluice_order *order)
{
    struct last *old = order->table;
    size_t n = order->cap;
    order->cap = n ? 2 * n : CAP_MIN;
    order->table = sluice_xcalloc(order->cap, sizeof *order->table);
    order->recent = NULL;
    for (size_t i = 0; i < n; i++)
        if (old[i].topic) *place(order, &old[i]) = old[i];
    free(old);
}

bool sluice_order_rises(struct sluice_order *order, uint32_t source_partition, const void *topic,
                        int32_t partition, int64_t offset)
{
    const struct last key = {topic, source_partition, partition, offset};
    assert(topic && offset >= 0);
    struct last *last = order->recent;
    if (!last || !is(last, &key)) {
        if (order->n * 2 >= order->cap) grow(order);
        last = place(order, &key);
        if (!last->topic) {
            *last = key;
            last->offset = -1;
            order->n++;
        }
        order->recent = last;
    }
    if (offset <= last->offset) return false;
    last->offset = offset;
    return true;
}
