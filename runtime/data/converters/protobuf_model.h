/* protobuf_model.h - what .proto files say, as far as records need it.
 *
 * A set holds the files that belong to one schema: its text, what it refers to in the registry, and
 * the well-known files that come with the runtime. Everything lives in the set's arena. The same
 * structs are filled by the parser and by the way from a Connect schema. Owner: one thread. */
#ifndef SLUICE_DATA_CONVERTERS_PROTOBUF_MODEL_H
#define SLUICE_DATA_CONVERTERS_PROTOBUF_MODEL_H

#include <stdbool.h>

#include "base/arena.h"
#include "sluice/plugin.h"

#define PB_TEXT_MAX ((size_t)2 << 20) /* bytes of one .proto text */
#define PB_DEPTH 64u                  /* messages within messages */
#define PB_NUMBER_MAX 536870911u      /* of a field */

enum pb_type { /* numbered as in descriptor.proto */
               PB_UNKNOWN,
               PB_DOUBLE,
               PB_FLOAT,
               PB_INT64,
               PB_UINT64,
               PB_INT32,
               PB_FIXED64,
               PB_FIXED32,
               PB_BOOL,
               PB_STRING,
               PB_GROUP,
               PB_MESSAGE,
               PB_BYTES,
               PB_UINT32,
               PB_ENUM,
               PB_SFIXED32,
               PB_SFIXED64,
               PB_SINT32,
               PB_SINT64
};

enum pb_label { PB_NO_LABEL, PB_OPTIONAL, PB_REQUIRED, PB_REPEATED };

struct pb_pair {
    const char *key, *value;
};

struct pb_pairs {
    struct pb_pair *items;
    size_t n, cap;
};

struct pb_value {
    const char *name;
    int32_t number;
};

struct pb_enum {
    const char *name, *full_name;
    struct pb_value *values; /* in the order of the text: the first is the default */
    size_t n, cap;
};

struct pb_field {
    const char *name;
    const char *type_name; /* as written, until it is linked; what the text shows */
    uint32_t number;
    uint8_t type;     /* enum pb_type; PB_UNKNOWN until linked */
    uint8_t label;    /* enum pb_label */
    int32_t oneof;    /* index, -1: none */
    const char *dflt; /* the option default, as text; NULL: none */
    const struct pb_message *message;
    const struct pb_enum *enumeration;
    struct pb_pairs params; /* (confluent.field_meta).params */
};

struct pb_message {
    const char *name, *full_name;
    const struct pb_file *file;
    struct pb_field *fields;
    size_t fields_n, fields_cap;
    const char **oneofs;
    size_t oneofs_n, oneofs_cap;
    struct pb_message **messages;
    size_t messages_n, messages_cap;
    struct pb_enum **enums;
    size_t enums_n, enums_cap;
};

struct pb_file {
    const char *name;    /* as imported */
    const char *package; /* NULL: none */
    bool proto2;
    const char **imports;
    size_t imports_n, imports_cap;
    struct pb_message top; /* holds the file's messages and enums; has no fields */
};

/* A type under its full name. */
struct pb_named {
    const char *full_name;
    struct pb_message *message; /* one of the two */
    struct pb_enum *enumeration;
};

struct pb_set {
    struct sluice_arena arena;
    struct pb_file **files;
    size_t files_n, files_cap;
    struct pb_named *types; /* sorted once linked */
    size_t types_n, types_cap;
};

void pb_set_init(struct pb_set *set);
void pb_set_fini(struct pb_set *set); /* takes a zeroed one */
/* Room for one more in an array of the arena. */
void *pb_grow(struct sluice_arena *arena, void *items, size_t n, size_t *cap, size_t size);
#define PB_PUSH(arena, array, n, cap)                                                              \
    ((array) = pb_grow((arena), (array), (n), &(cap), sizeof *(array)), &(array)[(n)++])

/* Adds a file; name is what imports call it. The text need not be terminated. NULL: it is no .proto
 * text (err, with the line). */
struct pb_file *pb_parse(struct pb_set *set, const char *name, const char *text, size_t len,
                         struct sluice_err *err);
/* Adds the well-known files that are imported and not there, and finds all named types. */
bool pb_link(struct pb_set *set, struct sluice_err *err);
/* The message that an index path of the wire format means; NULL: err. */
const struct pb_message *pb_message_at(const struct pb_file *file, const int32_t *path, size_t n,
                                       struct sluice_err *err);
/* The path of a message by its full name; its length, 0: it is not in the file. */
size_t pb_path_of(const struct pb_file *file, const char *full_name, int32_t path[PB_DEPTH]);
/* Text of a well-known file by its import name, NULL: not known. */
const char *pb_well_known(const char *name);
const char *pb_type_name(enum pb_type type); /* "int32" ... */
enum pb_type pb_type_of(const char *name);   /* PB_UNKNOWN: not a scalar's name */
/* The value of a parameter, NULL: absent. */
const char *pb_param(const struct pb_pairs *params, const char *key);
bool pb_is_map(const struct pb_field *field);

/* Appends the file as .proto text, laid out as the registry's own client does it. */
bool pb_text(struct sluice_buf *buf, const struct pb_file *file, struct sluice_err *err);

#endif
