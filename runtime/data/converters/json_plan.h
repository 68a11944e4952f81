/* json_plan.h - what JsonConverter precomputes for a schema: one tree of plans serves both ways.
 *
 * A plan lives in one arena and is kept under its schema's address as long as the schema is held.
 * Owner: the converter's task. */
#ifndef SLUICE_DATA_CONVERTERS_JSON_PLAN_H
#define SLUICE_DATA_CONVERTERS_JSON_PLAN_H

#include "base/arena.h"
#include "data/json_io.h"
#include "data/lru.h"

struct json_config {
    bool schemas;          /* schemas.enable */
    bool numeric_decimals; /* decimal.format=NUMERIC */
    bool replace_null;     /* replace.null.with.default */
    bool loose;            /* the rules of JsonSchemaConverter, see enum json_kind */
};

enum json_kind { /* how a plan's value stands in JSON, where its type alone does not say it */
                 JSON_PLAIN,
                 JSON_DECIMAL, /* BYTES as base64 or number, at scale */
                 JSON_DATE,    /* INT32 or INT64 that must be an integer when read */
                 JSON_TIME,
                 JSON_TIMESTAMP,
                 /* JsonSchemaConverter: */
                 JSON_ENTRIES, /* MAP as a list of {"key":k,"value":v} */
                 JSON_UNION,   /* STRUCT as the value of its one member that is not null */
                 JSON_ANY      /* STRING: the JSON text of whatever stands there; reading only */
};

#define JSON_ONE_OF_NAME "io.confluent.connect.json.OneOf"
#define JSON_ANY_NAME "io.confluent.connect.json.Any"

struct json_child {
    const char *prefix; /* {"name": for the first, ,"name": for others; readable up to pad bytes */
    uint32_t prefix_len;
    uint32_t name_len;
    const char *name;
    const struct json_plan *plan;
};

#define JSON_PREFIX_PAD 16u

struct json_plan {
    const struct sluice_schema *schema; /* held by the root's owner */
    uint8_t type;                       /* the schema's */
    uint8_t kind;                       /* enum json_kind */
    bool numeric;                       /* JSON_DECIMAL: written as a number */
    bool loose;                         /* null in a required field leaves the member out, and an
                                           absent member is null */
    int32_t scale;                      /* JSON_DECIMAL */
    const char *null_text;              /* what a null becomes, NULL: it is refused */
    uint32_t null_len;
    const char *dflt_text; /* the default as JSON, NULL: none */
    uint32_t dflt_len;
    const struct sluice_value *null_value; /* what a null is read as, NULL: it is refused */
    const struct json_plan *key, *elem;
    const struct json_child *children; /* STRUCT */
    uint32_t children_n;
    uint32_t slots_mask; /* names hashed with open addressing: child + 1, 0 is free */
    const uint32_t *slots;
};

/* The plan of a schema, in the arena. NULL: a default value or a Decimal's scale is wrong (err). */
const struct json_plan *json_plan_new(struct sluice_arena *arena, const struct json_config *config,
                                      const struct sluice_schema *schema, struct sluice_err *err);
/* Index of the child with that name, -1: none. */
int json_plan_child(const struct json_plan *plan, const char *name, uint32_t len);

/* ---- json_encode.c ---- */
/* Appends the value as payload. */
bool json_encode(struct sluice_buf *buf, const struct json_plan *plan, const struct sluice_value *v,
                 struct sluice_err *err);

/* ---- json_decode.c ---- */
/* Reads the value that comes next. */
bool json_decode(struct sluice_json_reader *r, const struct json_plan *plan,
                 struct sluice_value *v);

/* ---- json_union.c ---- */
/* The value that comes next, which is not null, as the member of the union that fits it best. */
bool json_decode_union(struct sluice_json_reader *r, const struct json_plan *plan,
                       struct sluice_value *v);

/* ---- json_schema.c ---- */
/* Appends the schema as JsonConverter writes it. */
bool json_schema_write(struct sluice_buf *buf, const struct json_plan *plan,
                       struct sluice_err *err);
/* The schema that a JSON text describes, held; *schema NULL for "null". */
bool json_schema_read(const struct json_config *config, const char *text, size_t len,
                      const struct sluice_schema **schema, struct sluice_err *err);

#endif
