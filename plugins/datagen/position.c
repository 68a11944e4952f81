/* position.c - kafka-connect-datagen's offset keys; _meta schemas have two more. */
#include "position.h"

static const char *const names[] = {"task.generation", "current.iteration", "random.seed",
                                    "iteration.record", "random.draws"};

struct sluice_value datagen_position_map(const struct sluice_host *host,
                                         struct sluice_batch *scratch,
                                         const struct datagen_position *position, bool meta)
{
    const int64_t numbers[] = {position->generation, position->iteration, position->seed,
                               position->record, position->draws};
    size_t n = meta ? 5 : 3;
    struct sluice_value *entries = host->alloc(scratch, 2 * n * sizeof(*entries));
    for (size_t i = 0; i < n; i++) {
        entries[2 * i] = sluice_string(names[i], strlen(names[i]));
        entries[2 * i + 1] = sluice_int64(numbers[i]);
    }
    return sluice_nested(SLUICE_MAP, entries, n);
}

bool datagen_position_read(struct datagen_position *position, const struct sluice_value *map,
                           struct sluice_err *err)
{
    int64_t numbers[5] = {0};
    for (size_t i = 0; i < 5; i++) {
        bool found = i > 2; /* the last two are of _meta schemas only */
        for (uint32_t k = 0; map->type == SLUICE_MAP && k < map->len; k++) {
            const struct sluice_value *key = &map->u.v[2 * k], *value = key + 1;
            if (key->type != SLUICE_STRING || key->len != strlen(names[i]) ||
                memcmp(key->u.s, names[i], key->len) != 0) {
                continue;
            }
            found = value->type >= SLUICE_INT8 && value->type <= SLUICE_INT64 &&
                    (i == 2 || value->u.i >= 0);
            numbers[i] = value->u.i;
        }
        if (!found) {
            return datagen_fail(err,
                                "the stored offset has no usable %s; delete the connector's "
                                "offsets to start anew",
                                names[i]);
        }
    }
    *position =
        (struct datagen_position){numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]};
    return true;
}
