/* decimal.h - Connect's Decimal: an unscaled integer as big-endian two's complement, and a scale
 * that stands in the schema. */
#ifndef SLUICE_DATA_DECIMAL_H
#define SLUICE_DATA_DECIMAL_H

#include <stdbool.h>

#include "base/arena.h"
#include "sluice/plugin.h"

#define SLUICE_DECIMAL_NAME "org.apache.kafka.connect.data.Decimal"

/* Scale of a Decimal schema: its parameter "scale". False: absent or no number (err). */
bool sluice_decimal_scale(const struct sluice_schema *schema, int32_t *scale,
                          struct sluice_err *err);
/* Appends what Java's BigDecimal.toString() gives: "1.56", "1E+3", "0E-10". False: the buffer is
 * full, or more than 64 KiB of octets. */
bool sluice_decimal_text(struct sluice_buf *buf, const void *octets, size_t len, int32_t scale,
                         struct sluice_err *err);
/* A number's text ("-1.5e3") as BYTES of the scale, from the arena; as few octets as possible.
 * False: it has more decimals than the scale, or is too long. */
bool sluice_decimal_parse(struct sluice_arena *arena, const char *text, size_t len, int32_t scale,
                          struct sluice_value *v, struct sluice_err *err);

#endif
