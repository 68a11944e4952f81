/* java_text.h - values as Java's toString() shows them, and dates. */
#ifndef SLUICE_DATA_JAVA_TEXT_H
#define SLUICE_DATA_JAVA_TEXT_H

#include <stdbool.h>

#include "sluice/plugin.h"

/* Appends what String.valueOf() gives for the Java object of this value: {a=1, b=[x, null]},
 * Struct{f=v,g=w}; octets as base64 (Java shows an address). schema NULL: schemaless. */
bool sluice_java_text(struct sluice_buf *buf, const struct sluice_schema *schema,
                      const struct sluice_value *v, struct sluice_err *err);

enum sluice_logical {
    SLUICE_LOGICAL_NONE,
    SLUICE_LOGICAL_DECIMAL,
    SLUICE_LOGICAL_DATE,
    SLUICE_LOGICAL_TIME,
    SLUICE_LOGICAL_TIMESTAMP
};

/* Which of Connect's own logical types the schema is (by name and type); NULL: none. */
enum sluice_logical sluice_logical_of(const struct sluice_schema *schema);

/* A day and time of UTC. */
struct sluice_date {
    int64_t year;
    int month, day, weekday; /* 1.., 1.., 0 is Sunday */
    int hour, minute, second, ms;
};

struct sluice_date sluice_date_of(int64_t unix_ms);
/* Days since 1970-01-01 of a proleptic Gregorian date; month and day may lie outside. */
int64_t sluice_days_of(int64_t year, int month, int day);

#endif
