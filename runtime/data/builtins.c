/* builtins.c - one line for each converter and transform that comes with the runtime. */
#include "data/builtins.h"

/* clang-format off */
static const struct sluice_plugin *const builtins[] = {
    &sluice_json_converter,
    &sluice_string_converter,
    &sluice_bytes_converter,
    &sluice_simple_header_converter,

    &sluice_extract_new_record_state,

    NULL,
};
/* clang-format on */

const struct sluice_plugin *const *sluice_builtins(void) { return builtins; }
