/* builtins.h - the converters and transforms that come with the runtime. They register through the
 * same descriptions as shared objects do; one line in builtins.c each. */
#ifndef SLUICE_DATA_BUILTINS_H
#define SLUICE_DATA_BUILTINS_H

#include "sluice/plugin.h"

extern const struct sluice_plugin sluice_json_converter;           /* converters/json.c */
extern const struct sluice_plugin sluice_string_converter;         /* converters/string.c */
extern const struct sluice_plugin sluice_bytes_converter;          /* converters/bytes.c */
extern const struct sluice_plugin sluice_simple_header_converter;  /* converters/simple_header.c */
extern const struct sluice_plugin sluice_extract_new_record_state; /* transforms/ */

/* All of them, NULL-ended; the same form as a shared object's entry. */
const struct sluice_plugin *const *sluice_builtins(void);

#endif
