/* text.h - dates, times and decimals as the text that BigQuery reads. Pure functions. */
#ifndef BQ_TEXT_H
#define BQ_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/json_out.h"

/* "YYYY-MM-DD", days since 1970-01-01 in the Gregorian calendar throughout. False: not within the
 * years 1 to 9999, which is all that BigQuery has; nothing is written then. */
bool bq_text_date(struct sluice_out *out, int64_t days);
/* "HH:MM:SS.fff" or with six digits; whatever the day, as the Java sinks read it. */
void bq_text_time_ms(struct sluice_out *out, int64_t ms);
void bq_text_time_us(struct sluice_out *out, int64_t us);
/* "YYYY-MM-DD HH:MM:SS.fff" in UTC, or with six digits. False: as bq_text_date(). */
bool bq_text_timestamp_ms(struct sluice_out *out, int64_t ms);
bool bq_text_timestamp_us(struct sluice_out *out, int64_t us);
/* "YYYYMMDD" of the day that a time is in; false as above. */
bool bq_text_day(struct sluice_out *out, int64_t days);
/* A big-endian two's complement number / 10^scale, without exponent. False: longer than
 * BQ_DECIMAL_MAX_BYTES, or the scale beyond +-BQ_SCALE_MAX. */
#define BQ_DECIMAL_MAX_BYTES 1024
#define BQ_SCALE_MAX 4096
bool bq_text_decimal(struct sluice_out *out, const void *unscaled, size_t len, int32_t scale);

int64_t bq_floor_div(int64_t a, int64_t b); /* rounds down; b > 0 */

#endif
