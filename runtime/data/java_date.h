/* java_date.h - dates as java.text.SimpleDateFormat writes and reads them, in UTC and English.
 *
 * A pattern is compiled once; formatting and parsing allocate nothing. Parsing is lenient, as it is
 * in Java by default: month 13 is next January, the text may go on behind the pattern. Behind it is
 * GregorianCalendar's calendar, with Julian dates before 15 October 1582 and weeks from Sunday.
 * Owner: constant after new; any thread. */
#ifndef SLUICE_DATA_JAVA_DATE_H
#define SLUICE_DATA_JAVA_DATE_H

#include <stdbool.h>

#include "sluice/plugin.h"

struct sluice_java_date;

/* now_ms decides what century "yy" means: the 80 years before and the 20 after it. NULL: no
 * SimpleDateFormat pattern; err is Java's sentence. */
struct sluice_java_date *sluice_java_date_new(const char *pattern, int64_t now_ms,
                                              struct sluice_err *err);
void sluice_java_date_free(struct sluice_java_date *date); /* takes NULL */
/* Appends; false: the buffer is full. */
bool sluice_java_date_format(const struct sluice_java_date *date, int64_t unix_ms,
                             struct sluice_buf *out, struct sluice_err *err);
/* False: the text does not begin with such a date. */
bool sluice_java_date_parse(const struct sluice_java_date *date, const char *text, size_t len,
                            int64_t *unix_ms);

#endif
