/* cast_value.h - one value to another primitive type, as Java's boxed numbers and parsers do it. */
#ifndef SLUICE_DATA_TRANSFORMS_CAST_VALUE_H
#define SLUICE_DATA_TRANSFORMS_CAST_VALUE_H

#include <stdbool.h>

#include "data/batch.h"

/* Casts *v (schema NULL: schemaless) to the type: INT8 to STRING. Null stays null. Integers wrap,
 * reals saturate, texts are parsed; a Date, Time, Timestamp or Decimal counts as its number, and
 * octets become base64. text is scratch; a new text is taken from the batch. */
bool cast_value(struct sluice_batch *batch, struct sluice_buf *text,
                const struct sluice_schema *schema, const struct sluice_value *v,
                enum sluice_type type, struct sluice_value *out, struct sluice_err *err);

#endif
