/* java_calendar.h - java.util.GregorianCalendar in UTC, lenient, with weeks from Sunday whose first
 * is the one with 1 January: fields of a time, and the time of fields. */
#ifndef SLUICE_DATA_JAVA_CALENDAR_H
#define SLUICE_DATA_JAVA_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

enum calendar_field {
    CALENDAR_ERA, /* 0 BC, 1 AD */
    CALENDAR_YEAR,
    CALENDAR_MONTH, /* 0 is January */
    CALENDAR_WEEK_OF_YEAR,
    CALENDAR_WEEK_OF_MONTH,
    CALENDAR_DAY_OF_MONTH,
    CALENDAR_DAY_OF_YEAR,
    CALENDAR_DAY_OF_WEEK, /* 1 is Sunday */
    CALENDAR_DAY_OF_WEEK_IN_MONTH,
    CALENDAR_AM_PM,
    CALENDAR_HOUR, /* 0 to 11 */
    CALENDAR_HOUR_OF_DAY,
    CALENDAR_MINUTE,
    CALENDAR_SECOND,
    CALENDAR_MILLISECOND,
    CALENDAR_ZONE_OFFSET, /* ms */
    CALENDAR_WEEK_YEAR,
    CALENDAR_FIELDS
};

struct sluice_calendar {
    int32_t value[CALENDAR_FIELDS];
    int stamp[CALENDAR_FIELDS]; /* when it was set, from 1; 0: unset */
    int stamps;
};

void sluice_calendar_of(int64_t unix_ms, int64_t value[CALENDAR_FIELDS]);
void sluice_calendar_set(struct sluice_calendar *calendar, enum calendar_field field,
                         int32_t value);
/* Unix milliseconds, by Java's choice among the fields that were set; wraps as Java's long does. */
int64_t sluice_calendar_time(const struct sluice_calendar *calendar);

#endif
