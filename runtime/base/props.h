/* props.h - reading files of Java properties (java.util.Properties.load: comments with # and !,
 * '=', ':' or blank as separator, continuation lines, \uXXXX and the other escapes), as UTF-8. */
#ifndef SLUICE_BASE_PROPS_H
#define SLUICE_BASE_PROPS_H

#include <stdbool.h>

#include "base/map.h"
#include "sluice/plugin.h"

/* Adds to map; the last of equal keys wins. The error names line and reason. */
bool sluice_props_parse(struct sluice_map *map, const char *text, size_t len,
                        struct sluice_err *err);
/* At most 1 MiB; the error names the file. */
bool sluice_props_load(struct sluice_map *map, const char *path, struct sluice_err *err);
/* Whole file into a new terminated string (len may be NULL), at most max bytes. */
char *sluice_file_read(const char *path, size_t max, size_t *len, struct sluice_err *err);

#endif
