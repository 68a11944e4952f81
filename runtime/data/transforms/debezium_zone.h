/* debezium_zone.h - a time zone's offsets as java.time.zone.ZoneRules gives them, from the system's
 * compiled zones (TZif, RFC 9636) without the process's own time zone. Constant after new. */
#ifndef SLUICE_DATA_TRANSFORMS_DEBEZIUM_ZONE_H
#define SLUICE_DATA_TRANSFORMS_DEBEZIUM_ZONE_H

#include <stdbool.h>

#include "sluice/plugin.h"

struct dbz_zone;

/* name: +08:00, -03:30:10, or a zone such as America/Los_Angeles. NULL: there is none (err). */
struct dbz_zone *dbz_zone_new(const char *name, struct sluice_err *err);
/* A zone from the content of its file, for tests. */
struct dbz_zone *dbz_zone_read(const char *name, const void *data, size_t len,
                               struct sluice_err *err);
void dbz_zone_free(struct dbz_zone *zone); /* takes NULL */
/* Seconds east of UTC at this instant (Unix seconds). */
int32_t dbz_zone_at(const struct dbz_zone *zone, int64_t unix_s);
/* The same for a local date and time, as seconds since 1970-01-01T00:00 there. Where clocks are set
 * forward or back over it: the offset before. */
int32_t dbz_zone_local(const struct dbz_zone *zone, int64_t local_s);

#endif
