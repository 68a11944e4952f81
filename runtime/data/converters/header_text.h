/* header_text.h - values as SimpleHeaderConverter's text, and what such a text is read as. */
#ifndef SLUICE_DATA_CONVERTERS_HEADER_TEXT_H
#define SLUICE_DATA_CONVERTERS_HEADER_TEXT_H

#include <stdbool.h>

#include "data/batch.h"

/* Appends the text of a value: strings raw at the top, quoted inside of lists and maps. */
bool sluice_header_write(struct sluice_buf *buf, const struct sluice_schema *schema,
                         const struct sluice_value *v, struct sluice_err *err);
/* The value that a text (valid UTF-8) most probably was; never fails, a string is always possible.
 * *schema is a description in the batch, not interned; NULL: null, or a list or map of mixed
 * content. Values live in the batch or borrow from the text. */
struct sluice_value sluice_header_read(struct sluice_batch *batch, const char *text, size_t len,
                                       const struct sluice_schema **schema);

#endif
