/* protobuf_plan.h - what ProtobufConverter precomputes: for a Connect schema how its values are
 * written, for a message type how its bytes are read. Plans live in one arena and are bound once;
 * the schema is held by the plan's owner. Owner: the converter's task. */
#ifndef SLUICE_DATA_CONVERTERS_PROTOBUF_PLAN_H
#define SLUICE_DATA_CONVERTERS_PROTOBUF_PLAN_H

#include "data/batch.h"
#include "data/converters/protobuf_model.h"

#define PB_TAG_PARAM "io.confluent.connect.protobuf.Tag"
#define PB_TYPE_PARAM "io.confluent.connect.protobuf.Type"
#define PB_ENUM_PARAM "io.confluent.connect.protobuf.Enum"
#define PB_WRAPPER_PARAM "io.confluent.connect.protobuf.Wrapper"
#define PB_UNION_NAME "io.confluent.connect.protobuf.Union"
#define PB_SUM_ENUM_PARAM "org.apache.kafka.connect.data.Enum"
#define PB_SUM_UNION_PARAM "org.apache.kafka.connect.data.Union"

struct pb_config {           /* by Confluent's names of options */
    bool sum_types;          /* generalized.sum.type.support */
    bool keep_null;          /* ignore.default.for.nullables */
    bool enhanced;           /* enhanced.protobuf.schema.support */
    bool scrub;              /* scrub.invalid.names */
    bool int_enums;          /* int.for.enums */
    bool optional_nullables; /* optional.for.nullables */
    bool optional_proto2;    /* optional.for.proto2 */
    bool wrap_nullables;     /* wrapper.for.nullables */
    bool wrap_raw;           /* wrapper.for.raw.primitives */
    bool struct_nulls;       /* generate.struct.for.nulls */
    bool index_unions;       /* generate.index.for.unions */
    bool flatten_unions;     /* flatten.unions */
};

enum pb_kind { /* how a value stands on the wire, where its type alone does not say it */
               PB_SCALAR,
               PB_ENUM_TEXT, /* STRING by the enum's names */
               PB_WRAPPED,   /* a scalar in a message of its own, at number 1 */
               PB_STRUCT,
               PB_ARRAY, /* writing only: elem says how items stand */
               PB_MAP,
               PB_DECIMAL,
               PB_DATE,
               PB_TIME,
               PB_TIMESTAMP,
               PB_RAW /* reading only: a message within itself, as its bytes */
};

/* ---- writing ---- */

struct pb_writer {
    uint8_t kind;    /* enum pb_kind */
    uint8_t type;    /* enum pb_type, of scalars */
    uint8_t connect; /* enum sluice_type of the value */
    bool always;     /* written even when it is the type's zero */
    uint8_t tag_len; /* of the field that holds it; of a packed array: with wire type 2 */
    char tag[5];
    uint8_t len_hint; /* bytes that the length took last time */
    bool packed;
    int32_t scale; /* PB_DECIMAL */
    const struct sluice_schema *schema;
    const struct pb_enum *enumeration; /* PB_ENUM_TEXT */
    struct pb_writer *elem;            /* PB_ARRAY: items */
    struct pb_slot *slots;             /* PB_STRUCT, by number; PB_MAP: key, value */
    uint32_t slots_n;
};

struct pb_slot { /* where in a struct a field's value is found */
    uint32_t index;
    int32_t member; /* within the union struct there, -1: it is none */
    const char *name;
    const struct sluice_value *dflt; /* in place of null, NULL: none */
    struct pb_writer how;
};

/* A root schema as a file of one message, and how to write it. name: full name of the message. The
 * wrappers' file for a root that is no struct. False: it has no Protobuf form (err). */
struct pb_output {
    struct pb_set set;
    struct pb_file *file;
    const char *name;
    struct pb_writer root;
};
bool pb_output_init(struct pb_output *out, const struct pb_config *config,
                    const struct sluice_schema *schema, struct sluice_err *err);
void pb_output_fini(struct pb_output *out);
/* Appends the message of a root value. */
bool pb_encode(struct sluice_buf *buf, struct pb_writer *root, const struct sluice_value *v,
               struct sluice_err *err);

/* ---- reading ---- */

struct pb_reader {                        /* how a message is read */
    const struct pb_reader_field *fields; /* by number */
    uint32_t fields_n;
    uint32_t dense_n; /* fields[dense[number] - 1] for numbers below; 0: none */
    const uint16_t *dense;
    uint32_t values_n;                  /* of the struct */
    const struct sluice_value *initial; /* what stands where nothing is read */
    bool maps;                          /* some value is a map */
    bool deep;                          /* some initial value points to the plan's memory */
    bool unwrap;                        /* a wrapper at the root: its one field is the value */
};

struct pb_reader_field {
    uint32_t number;
    uint8_t kind, type, connect;
    bool repeated;
    uint32_t slot;  /* in the struct */
    int32_t member; /* in the union struct there, -1: none */
    uint32_t members_n;
    int32_t scale;
    const char *name;
    const struct pb_enum *enumeration;
    const struct pb_reader *message; /* PB_STRUCT; PB_MAP: of the entry; PB_WRAPPED */
};

/* How the message type is read, in the arena, and its Connect schema, held. */
bool pb_input(struct sluice_arena *arena, const struct pb_config *config,
              const struct pb_message *message, int32_t version,
              const struct sluice_schema **schema, const struct pb_reader **reader,
              struct sluice_err *err);
/* Values live in the batch or borrow from data. */
bool pb_decode(struct sluice_batch *batch, const struct pb_reader *reader, const void *data,
               size_t len, struct sluice_value *v, struct sluice_err *err);

#endif
