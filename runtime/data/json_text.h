/* json_text.h - records' JSON: one writer and one reader that know the value model.
 *
 * Written as Jackson and Java do: no spaces, BMP characters raw, others as escaped surrogate
 * pairs, Double.toString's number texts, NaN and infinities as strings. */
#ifndef SLUICE_DATA_JSON_TEXT_H
#define SLUICE_DATA_JSON_TEXT_H

#include <stdbool.h>

#include "data/batch.h"
#include "sluice/plugin.h"

/* Appends the string in quotes, escaped. False: buf is full (err). */
bool sluice_json_string(struct sluice_buf *buf, const char *s, size_t len, struct sluice_err *err);
/* Java's Double.toString / Float.toString (JDK 17 and later, shortest), at most 32 bytes; the
 * number of bytes. NaN and infinities come as Java's words, without quotes. */
size_t sluice_double_text(double d, char out[32]);
size_t sluice_float_text(float f, char out[32]);
/* Appends a schemaless value as JSON (offsets, headers, map values). */
bool sluice_json_value(struct sluice_buf *buf, const struct sluice_value *v,
                       struct sluice_err *err);
/* Parses one JSON value as Connect reads schemaless JSON: integers INT64 (wrapping beyond), others
 * FLOAT64, objects MAP. Depth at most 1000. Strings without escapes borrow from text. rest: where
 * reading ended (NULL: the text must end there but for white space). */
bool sluice_json_parse(struct sluice_batch *batch, const char *text, size_t len,
                       struct sluice_value *v, size_t *rest, struct sluice_err *err);

#endif
