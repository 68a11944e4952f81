/* option_rows.h - walking option tables; inside runtime/plugin only. */
#ifndef SLUICE_PLUGIN_OPTION_ROWS_H
#define SLUICE_PLUGIN_OPTION_ROWS_H

#include "plugin/options.h"

/* The row behind this one in a table whose rows take stride bytes. */
const struct sluice_option *sluice_option_next(const struct sluice_option *option, size_t stride);
/* Whether the row's key, which may hold one '*' (one character or more), is this key. */
bool sluice_option_matches(const char *pattern, const char *key);
/* sluice_options_check() with findings that name prefix + key. */
void sluice_options_check_named(const struct sluice_option *options, size_t stride,
                                const struct sluice_map *config, const char *prefix,
                                struct sluice_report *report);

#endif
