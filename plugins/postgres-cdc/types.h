/* types.h - from Postgres types to Connect schemas and from value texts to values.
 *
 * A binding is made once per column: a schema description and a function that turns the server's
 * text (the same in COPY and in pgoutput) into a value. Strings borrow from the text; what must be
 * made (decimals, times as text, arrays) is taken from the batch's memory. */
#ifndef CDC_TYPES_H
#define CDC_TYPES_H

#include "settings.h"
#include "util.h"

struct cdc_binding;
struct cdc_mapping; /* mapping.h */

/* text is not terminated. False: it cannot be converted, memory->why says why. */
typedef bool cdc_convert(const struct cdc_binding *binding, struct cdc_memory *memory,
                         const char *text, uint32_t len, struct sluice_value *out);

enum cdc_unit { CDC_MILLIS, CDC_MICROS, CDC_NANOS, CDC_ISO };

struct cdc_binding {
    cdc_convert *convert;
    struct sluice_schema schema;    /* description: required, without default */
    struct sluice_value zero;       /* what stands for an absent value of a required column */
    const struct cdc_binding *elem; /* arrays: of elements; with a mapping: what comes before it */
    const struct cdc_mapping *mapping; /* changes what elem makes; NULL: none */
    const struct cdc_settings *settings;
    int32_t scale; /* numeric: digits after the point; timestamptz: of seconds; mapping: length */
    uint8_t unit;  /* enum cdc_unit of times */
    bool scaled;   /* numeric: scale was given */
    char delim;    /* arrays: between elements */
    bool placeholder;      /* arrays: something stands for an unchanged value */
    bool defaults;         /* literal defaults of this type stand in the schema */
    const char *generated; /* what a default that calls a function stands as; NULL: none */
};

/* ---- converters ---- */
cdc_convert cdc_to_int;    /* INT16, INT32, INT64 by the schema */
cdc_convert cdc_to_bool;   /* t, f */
cdc_convert cdc_to_bit;    /* bit(1): BOOLEAN */
cdc_convert cdc_to_bits;   /* bit(n): Bits */
cdc_convert cdc_to_string; /* as it stands */
cdc_convert cdc_to_float;  /* FLOAT32, FLOAT64 by the schema */
cdc_convert cdc_to_binary; /* bytea by binary.handling.mode */
cdc_convert cdc_to_raw;    /* text's bytes by binary.handling.mode (unknown types) */

cdc_convert cdc_to_decimal;          /* Decimal of binding->scale */
cdc_convert cdc_to_variable_decimal; /* VariableScaleDecimal */
cdc_convert cdc_to_decimal_text;
cdc_convert cdc_to_decimal_double;
cdc_convert cdc_to_money; /* by the schema's type */

cdc_convert cdc_to_date;
cdc_convert cdc_to_time;
cdc_convert cdc_to_timetz;
cdc_convert cdc_to_timestamp;
cdc_convert cdc_to_timestamptz;
cdc_convert cdc_to_interval; /* INT64 or STRING by the schema */

cdc_convert cdc_to_array;  /* of one dimension */
cdc_convert cdc_to_hstore; /* STRING (JSON) or MAP by the schema */
cdc_convert cdc_to_point;
cdc_convert cdc_to_geometry;
cdc_convert cdc_to_vector;        /* [1,2,3]: ARRAY by the schema's element */
cdc_convert cdc_to_sparse_vector; /* {1:1.5,3:2}/5 */

/* What Debezium makes of an array of several dimensions, which the schema has no place for: a null
 * for each part of the first one. False: it is no such array. */
bool cdc_array_outline(const struct cdc_binding *binding, struct cdc_memory *memory,
                       const char *text, uint32_t len, struct sluice_value *out);

/* Bytes in the form that binary.handling.mode asks for. */
struct sluice_value cdc_binary_value(const struct cdc_settings *settings, struct cdc_memory *memory,
                                     const char *bytes, size_t len);

/* ---- the catalog's types ---- */

struct cdc_type {             /* one row of pg_type */
    uint32_t oid, elem, base; /* elem: 0 unless it is a true array; base: of a domain */
    int32_t typmod;           /* a domain's */
    char kind;                /* typtype: b, d, e, c, r, m, p */
    char delim;               /* between the elements of its arrays; 0: a comma */
    char *schema, *name;
    char *labels; /* of an enum, joined by commas in their order; NULL otherwise */
};

struct cdc_types { /* by oid, filled as tables come; old rows are replaced */
    struct cdc_type *items;
    size_t n, cap;
};

void cdc_types_put(struct cdc_types *types, const struct cdc_type *type); /* copies */
const struct cdc_type *cdc_types_find(const struct cdc_types *types, uint32_t oid);
void cdc_types_free(struct cdc_types *types);

/* Binds a column's type; memory from the pool. False: the type has no mapping, and the column is
 * left out. */
bool cdc_bind(const struct cdc_types *types, const struct cdc_settings *settings, uint32_t oid,
              int32_t typmod, struct cdc_pool *pool, struct cdc_binding *out);

/* Adds a parameter to a schema description. */
void cdc_schema_param(struct cdc_pool *pool, struct sluice_schema *schema, const char *key,
                      const char *value);

/* A column's default (pg_get_expr) as a value of the schema; false: none that stands there. */
bool cdc_default(const struct cdc_binding *binding, struct cdc_memory *memory, const char *expr,
                 struct sluice_value *out);

/* Value that stands for an unchanged TOAST value that was not sent. False: none fits. */
bool cdc_unavailable(const struct cdc_binding *binding, struct cdc_memory *memory,
                     struct sluice_value *out);

#endif
