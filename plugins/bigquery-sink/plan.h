/* plan.h - what becomes of records of one pair of schemas: columns, and how each value is written.
 *
 * A shape is made once per (value schema, key schema), kept under their addresses and holds them;
 * records then cost a walk over its nodes: names are escaped, types decided. Records without a
 * schema have no shape and are written as they are (encode.c). */
#ifndef BQ_PLAN_H
#define BQ_PLAN_H

#include <jansson.h>

#include "config.h"
#include "lib/json_out.h"

struct bq_node;

struct bq_encoder { /* what writing a value needs; err says why it failed, with the field's path */
    struct sluice_out *out;
    const struct bq_config *config;
    struct sluice_err *err;
};

/* Appends the value, which is not null; false: err. */
typedef bool bq_encode(struct bq_encoder *enc, const struct bq_node *node,
                       const struct sluice_value *v);

struct bq_node {
    bq_encode *encode;
    const char *type; /* "INTEGER", ... as the API names it */
    bool repeated, optional;
    char *name; /* the column; NULL: an element */
    char *key;  /* ,"name": */
    size_t key_len;
    const struct sluice_schema *schema; /* held by the shape's */
    int32_t scale, precision;           /* decimals; precision 0: unknown */
    uint32_t index, span;               /* place in its struct; fields of its own struct */
    struct bq_node *children;           /* STRUCT: fields; ARRAY: item; MAP: key, value */
    size_t children_len;
};

struct bq_shape {
    struct bq_shape *next;
    const struct sluice_schema *value_schema, *key_schema; /* held; key: only when written */
    struct bq_node value, key;
    char *error;   /* NULL, or why no record of this shape can be written */
    bool lossy;    /* has decimals that a FLOAT column cuts */
    unsigned refs; /* batches with rows of it */
};

/* Never NULL: a schema that cannot be written gives a shape with its error set. */
struct bq_shape *bq_shape_new(const struct bq_config *config, const struct sluice_host *host,
                              const struct sluice_schema *value, const struct sluice_schema *key);
void bq_shape_free(struct bq_shape *shape, const struct sluice_host *host);
/* The columns of its rows, in the API's form; new reference. */
json_t *bq_shape_fields(const struct bq_shape *shape, const struct bq_config *config);

/* Encoders, encode.c. */
bq_encode bq_encode_struct, bq_encode_array, bq_encode_map, bq_encode_int, bq_encode_int64,
    bq_encode_bool, bq_encode_float32, bq_encode_float64, bq_encode_string, bq_encode_bytes,
    bq_encode_date, bq_encode_time_ms, bq_encode_time_us, bq_encode_timestamp_ms,
    bq_encode_timestamp_us, bq_encode_zoned, bq_encode_decimal, bq_encode_decimal_record,
    bq_encode_variable_decimal;
/* A value without schema; depth at most 15. */
bool bq_encode_any(struct bq_encoder *enc, const struct sluice_value *v, unsigned depth);
/* The columns of a struct (node) or map (node NULL): no braces, and a comma before each. */
bool bq_encode_columns(struct bq_encoder *enc, const struct bq_node *node,
                       const struct sluice_value *v);
/* Braces around the columns appended since start. */
void bq_close_record(struct sluice_out *out, size_t start);

#endif
