/* java_date_pattern.h - a compiled date pattern, between java_date.c and java_date_parse.c. */
#ifndef SLUICE_DATA_JAVA_DATE_PATTERN_H
#define SLUICE_DATA_JAVA_DATE_PATTERN_H

#include <assert.h>
#include <stddef.h>

#include "data/java_calendar.h"

struct sluice_date_part {
    char letter;      /* 0: literal text */
    unsigned count;   /* letters, or bytes of text */
    const char *text; /* in texts */
};

struct sluice_java_date {
    struct sluice_date_part *parts;
    size_t n;
    char *texts;
    size_t texts_len;
    int32_t century_year; /* the earliest that "yy" means, and when in it */
    int64_t century_ms;
};

extern const char *const sluice_java_months[12];
extern const char *const sluice_java_weekdays[7]; /* from Sunday */

/* Of the letters that are plain numbers. */
static inline enum calendar_field sluice_date_field(char letter)
{
    switch (letter) {
    case 'd': return CALENDAR_DAY_OF_MONTH;
    case 'H':
    case 'k': return CALENDAR_HOUR_OF_DAY;
    case 'm': return CALENDAR_MINUTE;
    case 's': return CALENDAR_SECOND;
    case 'S': return CALENDAR_MILLISECOND;
    case 'D': return CALENDAR_DAY_OF_YEAR;
    case 'F': return CALENDAR_DAY_OF_WEEK_IN_MONTH;
    case 'w': return CALENDAR_WEEK_OF_YEAR;
    case 'W': return CALENDAR_WEEK_OF_MONTH;
    case 'h':
    case 'K': return CALENDAR_HOUR;
    default: assert(letter == 'u'); return CALENDAR_DAY_OF_WEEK;
    }
}

#endif
