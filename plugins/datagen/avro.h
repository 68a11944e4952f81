/* avro.h - Avro schemas as the Avro Random Generator reads them: JSON with // comments, named
 * types, and an "arg.properties" object on any type. */
#ifndef DATAGEN_AVRO_H
#define DATAGEN_AVRO_H

#include "util.h"

#include <jansson.h>

#define AVRO_MAX_BYTES (1u << 20) /* of schema text */
#define AVRO_MAX_DEPTH 32
#define AVRO_MAX_FIELDS 4096

enum avro_kind {
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
    AVRO_FIXED,
    AVRO_ARRAY,
    AVRO_MAP,
    AVRO_UNION
};

struct avro_type;
struct arg_node;

struct avro_field {
    const char *name, *doc;
    const json_t *dflt; /* NULL: none */
    struct avro_type *type;
};

struct avro_type {
    enum avro_kind kind;
    const char *fullname, *name; /* RECORD, ENUM, FIXED; else NULL */
    const char *doc, *logical;
    int64_t precision, scale;    /* logical "decimal" */
    const json_t *props;         /* arg.properties; NULL: none */
    size_t len;                  /* fields, branches or symbols; bytes of a FIXED */
    struct avro_field *fields;   /* RECORD */
    struct avro_type **branches; /* UNION */
    const char **symbols;        /* ENUM */
    struct avro_type *elem;      /* ARRAY; MAP: values */
    struct arg_node *node;       /* its plan, once compiled: one for each schema object */
    bool open;                   /* still being read: a use of it now is a recursion */
};

struct avro_schema {
    struct datagen_arena arena;
    json_t *json;
    struct avro_type *root;
    struct avro_type **named;
    size_t named_len, named_cap;
};

/* Removes comments in place (// to the end of the line and slash-star ones, outside strings). */
void avro_strip_comments(char *text);
/* Reads the text (len bytes) into *schema, which is zeroed by the caller and freed by
 * avro_schema_free() in either case; false with err set when it is no Avro schema. */
bool avro_schema_parse(struct avro_schema *schema, const char *text, size_t len,
                       struct sluice_err *err);
void avro_schema_free(struct avro_schema *schema);
const char *avro_kind_name(enum avro_kind kind);
/* The record's field of this name, NULL when there is none. */
const struct avro_field *avro_field_find(const struct avro_type *record, const char *name);

/* The Connect schema that Confluent's AvroData makes of this type; the caller frees it with
 * host->schema_free(). */
const struct sluice_schema *avro_connect_schema(const struct sluice_host *host,
                                                const struct avro_type *type);

/* ["null", T] and [T, "null"]: T, which Connect shows as an optional T. Else NULL. */
struct avro_type *avro_nullable(const struct avro_type *type);

#endif
