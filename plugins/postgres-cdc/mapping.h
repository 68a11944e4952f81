/* mapping.h - what is done to single columns: masks, hashes, cuts, and the description of their
 * source types.
 *
 * The rules are column.mask.*, column.truncate.* and *.propagate.source.type; of those that match a
 * column the first one counts, in Debezium's order. Values are changed behind the column's own
 * converter, by a binding put in front of it: a column without a rule pays nothing. Keys are left
 * as they are. */
#ifndef CDC_MAPPING_H
#define CDC_MAPPING_H

#include "types.h"

enum cdc_mapping_kind {
    CDC_MAP_TRUNCATE,
    CDC_MAP_MASK,
    CDC_MAP_SOURCE_TYPE,         /* by column */
    CDC_MAP_SOURCE_TYPE_BY_TYPE, /* by schema.table.TYPE */
    CDC_MAP_HASH,
    CDC_MAP_HASH_V2,
    CDC_MAPPINGS
};

struct cdc_mapping {
    enum cdc_mapping_kind kind;
    struct cdc_patterns names;
    uint32_t length;            /* characters that are left, or of the mask */
    const char *mask;           /* so many asterisks */
    const char *salt;           /* hashes: */
    const struct evp_md_st *md; /* owned */
    struct evp_md_ctx_st *hash; /* owned */
};

struct cdc_mappings {
    struct cdc_mapping *items; /* in the order in which they are asked */
    size_t n;
};

/* Whether this option's key is of a rule that carries a number or a salt: "column.mask.", ... */
bool cdc_mapping_key(const char *key);
/* Appends the rule of one option. False: err says what is wrong with key or list. */
bool cdc_mappings_add(struct cdc_mappings *mappings, struct cdc_pool *pool, const char *key,
                      const char *list, struct sluice_err *err);
/* To be called once all are there. */
void cdc_mappings_sort(struct cdc_mappings *mappings);
void cdc_mappings_free(struct cdc_mappings *mappings);

/* What Debezium calls a column's type, length and scale. */
struct cdc_source_type {
    char name[160];
    int32_t length, scale;
    bool has_length, has_scale;
    bool text; /* of a character type or enum: what masks apply to */
};
/* typmod: the column's; auto_increment: the default is a sequence's next value; snapshot: the
 * column was read from the catalog, and not announced by the stream, which tells less. */
void cdc_source_type(const struct cdc_types *types, uint32_t oid, int32_t typmod,
                     bool auto_increment, bool snapshot, struct cdc_source_type *out);

/* The rule for a column, NULL: none. */
const struct cdc_mapping *cdc_mappings_find(const struct cdc_mappings *mappings, const char *schema,
                                            const char *table, const char *column,
                                            const struct cdc_source_type *type);
/* Adds what the rule says in the schema, and makes of the binding one that changes values, when it
 * does. True: values are changed, and plain holds the binding as it was. */
bool cdc_mapping_apply(const struct cdc_mapping *mapping, const char *column,
                       const struct cdc_source_type *type, struct cdc_pool *pool,
                       struct cdc_binding *binding, struct cdc_binding **plain);
/* The value after the rule of this binding, made by cdc_mapping_apply(). */
void cdc_mapping_value(const struct cdc_binding *binding, struct cdc_memory *memory,
                       struct sluice_value *value);

/* ---- names that Avro allows ---- */

/* The name of a schema (points allowed) or field, in the pool; name itself when it may stay. */
const char *cdc_adjusted(enum cdc_adjustment mode, bool field, struct cdc_pool *pool,
                         const char *name);

#endif
