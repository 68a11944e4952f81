/* json_schema_text.h - Connect schemas as JSON Schema texts and back, as JsonSchemaConverter maps
 * them. Owner: one thread. */
#ifndef SLUICE_DATA_CONVERTERS_JSON_SCHEMA_TEXT_H
#define SLUICE_DATA_CONVERTERS_JSON_SCHEMA_TEXT_H

#include "data/converters/json_plan.h"

struct json_schema_config {
    struct json_config write, read; /* of values */
    bool sum_types;                 /* generalized.sum.type.support */
    bool closed;                    /* object.additional.properties=false */
    bool optional_nonrequired;      /* use.optional.for.nonrequired */
    bool flatten_singletons;        /* flatten.singleton.unions */
};

/* Appends the text of a schema. False: err. */
bool json_schema_text_write(struct sluice_buf *buf, const struct json_schema_config *config,
                            const struct sluice_schema *schema, struct sluice_err *err);

struct json_schema_text { /* a text that others refer to by its name */
    const char *name, *text;
    size_t len;
};

/* The Connect schema of texts[0], held; the others are what it refers to. version 0: none. NULL:
 * it has none (err). */
const struct sluice_schema *json_schema_text_read(const struct json_schema_config *config,
                                                  const struct json_schema_text *texts, size_t n,
                                                  int32_t version, struct sluice_err *err);

#endif
