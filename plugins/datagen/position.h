/* position.h - where a task stands: what every record carries and what the offset is made of. It is
 * the state after the record, so that a restart takes it as it is. */
#ifndef DATAGEN_POSITION_H
#define DATAGEN_POSITION_H

#include "util.h"

struct datagen_position {
    int64_t generation; /* starts of this task that left an offset */
    int64_t iteration;  /* of the next record */
    int64_t seed;       /* of the random numbers from here on; _meta schemas: as first seeded */
    int64_t record;     /* _meta schemas: the next one within the iteration */
    int64_t draws;      /* _meta schemas: random numbers taken before the iteration */
};

/* The offset map, with memory of the scratch batch. */
struct sluice_value datagen_position_map(const struct sluice_host *host,
                                         struct sluice_batch *scratch,
                                         const struct datagen_position *position, bool meta);
/* Reads a stored map; false with err set when it is not one of ours. */
bool datagen_position_read(struct datagen_position *position, const struct sluice_value *map,
                           struct sluice_err *err);

#endif
