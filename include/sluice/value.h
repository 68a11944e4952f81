/* value.h - schemas, values and records as plugins see them.
 *
 * The data model is Kafka Connect's (org.apache.kafka.connect.data): a value is read with its
 * schema; without one (schema NULL) it describes itself, as decoded JSON does. A logical type is
 * its base type plus a schema name: a Decimal is BYTES (big-endian two's complement, unscaled), a
 * Date INT32 days, and so on, never a type of its own.
 *
 * Memory: schemas are immutable, interned and counted (host->schema, host->schema_free). Values
 * borrow: strings, bytes and children point into memory that somebody else owns, as a rule the
 * batch's arena (host->alloc). Structs here are only ever appended to. */
#ifndef SLUICE_VALUE_H
#define SLUICE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum sluice_type {
    SLUICE_NULL = 0, /* a value only, never a schema */
    SLUICE_INT8,
    SLUICE_INT16,
    SLUICE_INT32,
    SLUICE_INT64,
    SLUICE_FLOAT32,
    SLUICE_FLOAT64,
    SLUICE_BOOLEAN,
    SLUICE_STRING,
    SLUICE_BYTES,
    SLUICE_ARRAY,
    SLUICE_MAP,
    SLUICE_STRUCT
};

/* 16 bytes; passed by value. */
struct sluice_value {
    uint8_t type;      /* enum sluice_type */
    uint8_t flags;     /* 0; reserved */
    uint16_t reserved; /* 0 */
    uint32_t len;      /* STRING, BYTES: bytes; ARRAY, STRUCT: children; MAP: entries */
    union {
        int64_t i;                    /* BOOLEAN (0, 1), INT8 to INT64 */
        double d;                     /* FLOAT32 (exactly representable as float), FLOAT64 */
        const char *s;                /* STRING: UTF-8, not terminated; BYTES: octets */
        const struct sluice_value *v; /* ARRAY: len items; STRUCT: len fields in schema order;
                                         MAP: 2*len values: key, value, key, value, ... */
    } u;
};

struct sluice_schema;

struct sluice_field {
    const char *name;
    const struct sluice_schema *schema;
};

struct sluice_param {
    const char *key, *value;
};

/* Filled in by hand as a description for host->schema(), which answers with the interned copy;
 * read freely everywhere. All of it is constant for the life of the schema, so that a plan made
 * for a schema may be kept under its address as long as the schema is held. */
struct sluice_schema {
    uint8_t type;     /* enum sluice_type */
    bool optional;    /* null allowed */
    bool has_version; /* version counts */
    bool has_dflt;    /* dflt counts */
    int32_t version;
    const char *name; /* NULL: none; the logical or struct name */
    const char *doc;  /* NULL: none */
    struct sluice_value dflt;
    const struct sluice_param *params; /* in the order in which they were given */
    uint32_t params_len;
    uint32_t fields_len;               /* STRUCT */
    const struct sluice_field *fields; /* STRUCT */
    const struct sluice_schema *key;   /* MAP */
    const struct sluice_schema *elem;  /* ARRAY: items; MAP: values */
};

struct sluice_header {
    const char *key;
    const struct sluice_schema *schema; /* NULL: schemaless */
    struct sluice_value value;
};

#define SLUICE_NO_TIMESTAMP INT64_MIN
#define SLUICE_ANY_PARTITION (-1)
/* A transaction of the source ends with this record, which may have no topic (minor 1). */
#define SLUICE_RECORD_COMMIT 1u

/* One record on its way. A source fills one that host->append() gave it (zeroed, but for partition
 * and timestamp_ms, which say "unset"); a sink reads them in put(); a transform changes one. */
struct sluice_record {
    const char *topic;    /* terminated. Source: NULL sends nothing and only moves the position */
    int32_t partition;    /* Kafka partition; source: SLUICE_ANY_PARTITION lets the partitioner */
    uint32_t flags;       /* source: SLUICE_RECORD_*; others: 0 */
    int64_t timestamp_ms; /* Unix milliseconds or SLUICE_NO_TIMESTAMP */
    int64_t offset;       /* sink: Kafka offset */
    uint64_t seq;         /* sink: the ticket to give back with host->done() or host->reject() */
    const struct sluice_schema *key_schema, *value_schema; /* NULL: schemaless, or null */
    struct sluice_value key, value;
    const struct sluice_header *headers;
    uint32_t headers_len;
    uint32_t source_partition; /* source: a number from host->partition() */
    const void *position;      /* source: where to resume after it; in the plugin's own form */
    uint32_t position_len;     /* bytes, at most 256 */
    /* sink: topic and partition as consumed, before transforms renamed them; with the offset they
     * name the record for good. drop() speaks of these. NULL: same as topic and partition. */
    int32_t origin_partition;
    const char *origin_topic;
};

/* Makers, so that call sites stay one line each. */
static inline struct sluice_value sluice_null(void)
{
    struct sluice_value v = {0};
    return v;
}

static inline struct sluice_value sluice_int(enum sluice_type type, int64_t i)
{
    struct sluice_value v = {0};
    v.type = (uint8_t)type;
    v.u.i = i;
    return v;
}

static inline struct sluice_value sluice_int64(int64_t i) { return sluice_int(SLUICE_INT64, i); }
static inline struct sluice_value sluice_int32(int32_t i) { return sluice_int(SLUICE_INT32, i); }
static inline struct sluice_value sluice_bool(bool b) { return sluice_int(SLUICE_BOOLEAN, b); }

static inline struct sluice_value sluice_float64(double d)
{
    struct sluice_value v = {0};
    v.type = SLUICE_FLOAT64;
    v.u.d = d;
    return v;
}

static inline struct sluice_value sluice_string(const char *s, size_t len)
{
    struct sluice_value v = {0};
    v.type = SLUICE_STRING;
    v.len = (uint32_t)len;
    v.u.s = s;
    return v;
}

static inline struct sluice_value sluice_bytes(const void *data, size_t len)
{
    struct sluice_value v = {0};
    v.type = SLUICE_BYTES;
    v.len = (uint32_t)len;
    v.u.s = (const char *)data;
    return v;
}

/* type: ARRAY (len items), STRUCT (len fields) or MAP (len entries, 2*len values). */
static inline struct sluice_value sluice_nested(enum sluice_type type,
                                                const struct sluice_value *children, size_t len)
{
    struct sluice_value v = {0};
    v.type = (uint8_t)type;
    v.len = (uint32_t)len;
    v.u.v = children;
    return v;
}

#ifdef __cplusplus
}
#endif

#endif
