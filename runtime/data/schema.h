/* schema.h - building and interning schemas.
 * Thread: any (one leaf mutex around the intern table; counts are atomic). */
#ifndef SLUICE_DATA_SCHEMA_H
#define SLUICE_DATA_SCHEMA_H

#include "sluice/value.h"

/* See host->schema: deep copy, equal descriptions give the same address, held +1. */
const struct sluice_schema *sluice_schema_intern(const struct sluice_schema *description);
const struct sluice_schema *sluice_schema_hold(
    const struct sluice_schema *schema);                     /* +1; NULL ok */
void sluice_schema_free(const struct sluice_schema *schema); /* -1; NULL ok */
/* Index of a struct's field, -1 when absent. */
int sluice_schema_field(const struct sluice_schema *schema, const char *name, size_t len);
/* Whether the schema's name is this one (NULL safe). */
bool sluice_schema_named(const struct sluice_schema *schema, const char *name);
/* Schemas alive, for leak checks. */
size_t sluice_schema_count(void);
/* "int8", "float", "struct" ...: JsonConverter's words; "INT8", "FLOAT32": Connect's own. */
const char *sluice_type_json(enum sluice_type type);
const char *sluice_type_name(enum sluice_type type);

#endif
