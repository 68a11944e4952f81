/* registry_ids.c - see registry_ids.h. The topic asked last is tried first. */
#include "data/converters/registry_ids.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define TOPICS_MAX 64u

static void id_fini(struct registry_id *id)
{
    free(id->topic);
    free(id->head);
}

void registry_ids_fini(struct registry_ids *ids)
{
    for (size_t i = 0; i < ids->n; i++) id_fini(&ids->items[i]);
    free(ids->items);
}

const struct registry_id *registry_ids_get(struct registry_ids *ids, const char *topic)
{
    for (size_t i = 0; i < ids->n; i++) {
        struct registry_id *id = &ids->items[i];
        if (strcmp(id->topic, topic) != 0) continue;
        if (id->until_ms >= 0 && sluice_now_ms() >= id->until_ms) return NULL;
        if (i > 0) { /* to the front */
            struct registry_id found = *id;
            *id = ids->items[0];
            ids->items[0] = found;
        }
        return &ids->items[0];
    }
    return NULL;
}

const struct registry_id *registry_ids_set(struct registry_ids *ids, const char *topic,
                                           const void *head, size_t head_len, int64_t ttl_ms)
{
    struct registry_id *id = NULL;
    assert(head_len <= REGISTRY_HEAD_MAX);
    for (size_t i = 0; i < ids->n && !id; i++) {
        if (strcmp(ids->items[i].topic, topic) == 0) id = &ids->items[i];
    }
    if (!id && ids->n == TOPICS_MAX) {
        id = &ids->items[1 + ids->next++ % (TOPICS_MAX - 1)];
    } else if (!id) {
        ids->items = sluice_xrealloc(ids->items, (ids->n + 1) * sizeof *ids->items);
        id = &ids->items[ids->n++];
        memset(id, 0, sizeof *id);
    }
    id_fini(id);
    id->topic = sluice_xstrdup(topic);
    id->head = sluice_xmalloc(head_len);
    memcpy(id->head, head, head_len);
    id->head_len = head_len;
    id->until_ms = ttl_ms < 0 ? -1 : sluice_now_ms() + ttl_ms;
    return id;
}
