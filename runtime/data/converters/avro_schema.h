/* avro_schema.h - Avro schemas as AvroConverter sees them: parsed, made from Connect's, printed.
 *
 * A schema is a graph (names may refer upwards) that lives in a batch, with JSON kept as schemaless
 * values. Property and member order is kept: a schema that Java's converter registered must come
 * out with the same text, or it would become another version. Owner: the converter's thread. */
#ifndef SLUICE_DATA_CONVERTERS_AVRO_SCHEMA_H
#define SLUICE_DATA_CONVERTERS_AVRO_SCHEMA_H

#include <string.h>

#include "data/batch.h"

enum avro_type {
    AVRO_NULL,
    AVRO_BOOLEAN,
    AVRO_INT,
    AVRO_LONG,
    AVRO_FLOAT,
    AVRO_DOUBLE,
    AVRO_BYTES,
    AVRO_STRING,
    AVRO_RECORD,
    AVRO_ENUM,
    AVRO_ARRAY,
    AVRO_MAP,
    AVRO_UNION,
    AVRO_FIXED
};

#define AVRO_NODES_MAX 32768u /* of one schema, with named types counted where they are used */

/* Names that Confluent's converter gives things. */
#define AVRO_SPACE "io.confluent.connect.avro"
#define AVRO_DEFAULT_NAME AVRO_SPACE ".ConnectDefault"
#define AVRO_ANYTHING AVRO_SPACE ".Anything"
#define AVRO_UNION_NAME AVRO_SPACE ".Union"
#define AVRO_ENUM_PARAM AVRO_SPACE ".Enum"
#define AVRO_RECORD_DOC AVRO_SPACE ".record.doc"
#define AVRO_FIELD_DOC AVRO_SPACE ".field.doc."
#define AVRO_ENUM_DOC AVRO_SPACE ".enum.doc."
#define AVRO_ENUM_DEFAULT AVRO_SPACE ".enum.default."
#define AVRO_FIELD_DEFAULT AVRO_SPACE ".field.default"
#define AVRO_SUM_ENUM "org.apache.kafka.connect.data.Enum" /* generalized.sum.type.support */
#define AVRO_SUM_UNION "org.apache.kafka.connect.data.Union"
#define AVRO_FIXED_SIZE "connect.fixed.size"
#define AVRO_PRECISION "connect.decimal.precision"
#define AVRO_ENTRY_TYPE "connect.internal.type"

struct avro_schema;

struct avro_field {
    const char *name, *doc; /* doc NULL: none */
    struct avro_schema *schema;
    bool has_dflt;
    struct sluice_value dflt; /* JSON */
    const char **aliases;     /* NULL-ended; NULL: none */
};

struct avro_prop {
    const char *key;
    struct sluice_value value; /* JSON */
};

struct avro_schema {
    uint8_t type;            /* enum avro_type */
    const char *name, *full; /* RECORD, ENUM, FIXED: without and with namespace; else NULL */
    const char *space;       /* NULL: none */
    const char *doc;
    struct avro_field *fields;  /* RECORD */
    struct avro_schema **types; /* UNION */
    const char **symbols;       /* ENUM */
    uint32_t n;                 /* of fields, types or symbols */
    uint32_t size;              /* FIXED: bytes */
    const char *enum_dflt;
    struct avro_schema *elem; /* ARRAY: items; MAP: values */
    const char **aliases;     /* full names, NULL-ended; NULL: none */
    struct avro_prop *props;  /* all members that are not of Avro's own */
    size_t props_n, props_cap;
    bool open; /* being walked, to see cycles */
};

struct avro_config {    /* what the converter's options say of schemas and values */
    bool metadata;      /* connect.meta.data */
    bool enhanced;      /* enhanced.avro.schema.support */
    bool scrub;         /* scrub.invalid.names */
    bool discard;       /* discard.type.doc.default */
    bool optional_keys; /* allow.optional.map.keys */
    bool flatten;       /* flatten.singleton.unions */
    bool sums;          /* generalized.sum.type.support */
    bool keep_nulls;    /* ignore.default.for.nullables */
};

/* ---- avro_parse.c ---- */
struct avro_text {
    const char *text;
    size_t len;
};
/* The schema that a text describes; refs are texts whose named types it may use, parsed first. In
 * the batch. NULL: err. */
struct avro_schema *avro_parse(struct sluice_batch *batch, const struct avro_text *refs,
                               size_t refs_n, const char *text, size_t len, struct sluice_err *err);
/* A property, NULL: absent; as a terminated string in the batch, NULL: absent or no string. */
const struct sluice_value *avro_prop(const struct avro_schema *schema, const char *key);
const char *avro_prop_text(struct sluice_batch *batch, const struct avro_schema *schema,
                           const char *key);
void avro_prop_set(struct sluice_batch *batch, struct avro_schema *schema, const char *key,
                   struct sluice_value value); /* adds at the end, or replaces; key is borrowed */
struct avro_schema *avro_new(struct sluice_batch *batch, enum avro_type type);
/* Sets name, space and full from a namespace (NULL or "": none) and a simple name. */
void avro_name(struct sluice_batch *batch, struct avro_schema *schema, const char *space,
               const char *name);
/* "null", "record" ... */
const char *avro_type_name(enum avro_type type);
char *avro_strndup(struct sluice_batch *batch, const char *s, size_t len);

/* ---- avro_print.c ---- */
/* Appends the schema's JSON as Avro's Schema.toString() writes it. False: a name means two
 * different things ("Can't redefine: NAME"), or buf is full. */
bool avro_print(struct sluice_buf *buf, const struct avro_schema *schema, struct sluice_err *err);

/* ---- avro_from_connect.c ---- */
/* The Avro schema of a Connect schema (NULL: the one for schemaless data), in the batch. */
struct avro_schema *avro_from_connect(struct sluice_batch *batch, const struct avro_config *config,
                                      const struct sluice_schema *schema, struct sluice_err *err);
/* A name made valid for Avro as scrub.invalid.names asks; else as it is. */
const char *avro_scrub(struct sluice_batch *batch, const struct avro_config *config,
                       const char *name);
const char *avro_scrub_full(struct sluice_batch *batch, const struct avro_config *config,
                            const char *name);
/* The text of Avro's schema for schemaless data. */
extern const char avro_anything_text[];

/* ---- avro_to_connect.c ---- */
/* The Connect schema of an Avro schema, held; version: the registry's, 0: none. *out NULL for
 * schemaless data. False: err. */
bool avro_to_connect(struct sluice_batch *batch, const struct avro_config *config,
                     const struct avro_schema *schema, int32_t version,
                     const struct sluice_schema **out, struct sluice_err *err);
/* Whether a Connect struct stands for an Avro union; whether elements of an array stand for
 * entries of a map. */
bool avro_is_union(const struct sluice_schema *schema);
bool avro_is_entry(const struct avro_schema *elem);
/* Whether a Connect map becomes an Avro map; otherwise it is a list of entries. */
bool avro_string_keys(const struct avro_config *config, const struct sluice_schema *map);
const char *avro_param(const struct sluice_schema *schema, const char *key); /* NULL: none */
/* The parameter that lists symbols of an enum: its key's length; 0: the schema is none. */
size_t avro_enum_param(const struct sluice_schema *schema, const char **key);

/* ---- avro_default.c ---- */
/* A default as JSON for a Connect schema and value. False: the value does not fit the schema. */
bool avro_default_write(struct sluice_batch *batch, const struct avro_config *config,
                        const struct sluice_schema *schema, const struct sluice_value *v,
                        struct sluice_value *json, struct sluice_err *err);
/* Whether Avro takes this JSON as a default of the schema. */
bool avro_default_valid(const struct avro_schema *schema, const struct sluice_value *json);
/* The Connect value that JSON means. False: it does not fit. */
bool avro_default_read(struct sluice_batch *batch, const struct avro_schema *avro,
                       const struct sluice_schema *schema, const struct sluice_value *json,
                       struct sluice_value *v);
/* The same as Avro's binary. False: it does not fit (err). */
bool avro_default_encode(struct sluice_buf *buf, const struct avro_schema *avro,
                         const struct sluice_value *json, struct sluice_err *err);

/* ---- avro_resolve.c ---- */
/* Whether data of the writer's schema can be read as the reader's, by Avro's rules. False: why. */
bool avro_resolves(const struct avro_schema *writer, const struct avro_schema *reader,
                   struct sluice_err *err);
/* How well the type at the top fits, whatever is below: 0: not at all; 1: by promotion; 2: by type,
 * under another name; 3: the same. */
int avro_fits(const struct avro_schema *writer, const struct avro_schema *reader);
/* The reader's field that stands for a writer's, -1: none. */
int avro_field_of(const struct avro_schema *reader, const char *name);

#endif
