/* debezium.h - what Debezium's transforms of change events share. Owner: the transform's task. */
#ifndef SLUICE_DATA_TRANSFORMS_DEBEZIUM_H
#define SLUICE_DATA_TRANSFORMS_DEBEZIUM_H

#include "base/buf.h"
#include "data/builtins.h"
#include "data/transforms/envelope.h"
#include "data/transforms/smt.h"

/* Whether the record has a value whose schema says that it is an envelope (SmtManager). */
static inline bool dbz_is_envelope(const struct sluice_record *rec)
{
    return rec->value.type != SLUICE_NULL && rec->value_schema && envelope_named(rec->value_schema);
}

static inline int dbz_field(const struct sluice_schema *schema, const char *name)
{
    if (schema->type != SLUICE_STRUCT) return -1;
    return sluice_schema_field(schema, name, strlen(name));
}

/* The letter in op; 0: there is none. */
char dbz_op(const struct sluice_record *rec, int index);
/* Struct.get(): the field's value, or its default in place of null. */
const struct sluice_value *dbz_get(const struct sluice_schema *schema,
                                   const struct sluice_value *of, int index);
/* More headers behind those of the record; returns where the first of them goes. */
struct sluice_header *dbz_more_headers(struct sluice_batch *batch, struct sluice_record *rec,
                                       size_t more);

/* Debezium's field.name.adjustment.mode and schema.name.adjustment.mode. */
enum dbz_adjust { DBZ_ADJUST_NONE, DBZ_ADJUST_AVRO, DBZ_ADJUST_UNICODE };

enum dbz_adjust dbz_adjust_of(const char *mode); /* none|avro|avro_unicode, in any case */
/* Appends the name with what Avro does not allow replaced; dots stay in schema names. */
bool dbz_adjust_name(struct sluice_buf *buf, enum dbz_adjust mode, bool field, const char *name,
                     size_t len);

/* A plugin of one Debezium class; the file has open(), close(), options[] and apply(). */
#define DBZ_PLUGIN(symbol, the_name, the_validate, java, simple)                                   \
    static const char *const aliases[] = {java, simple, NULL};                                     \
    static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};   \
    const struct sluice_plugin sluice_##symbol = {                                                 \
        SLUICE_PLUGIN_HEAD,       .kind = SLUICE_KIND_TRANSFORM,                                   \
        .name = the_name,         .version = SLUICE_VERSION,                                       \
        .aliases = aliases,       .options = options,                                              \
        .validate = the_validate, .open = open,                                                    \
        .close = close,           .transform = &transform,                                         \
    }

#endif
