/* debezium_iso.h - ISO_OFFSET_DATE_TIME and ISO_OFFSET_TIME, as java.time reads and writes them. */
#ifndef SLUICE_DATA_TRANSFORMS_DEBEZIUM_ISO_H
#define SLUICE_DATA_TRANSFORMS_DEBEZIUM_ISO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DBZ_ISO_BYTES 64 /* that a text takes at most */

struct dbz_iso {
    int64_t local_s; /* since 1970-01-01T00:00, or since midnight */
    int32_t nanos, offset_s;
};

/* date: with a date before the time. False: it is no such text. */
bool dbz_iso_read(const char *text, size_t len, bool date, struct dbz_iso *iso);
/* Times count within their day. The number of bytes. */
size_t dbz_iso_write(const struct dbz_iso *iso, bool date, char to[DBZ_ISO_BYTES]);

#endif
