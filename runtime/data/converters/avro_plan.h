/* avro_plan.h - what AvroConverter precomputes to write and to read values.
 *
 * A plan binds a Connect schema to an Avro schema once: which field stands where, which member of a
 * union is meant, what fills in. It lives in a batch beside its schemas. Owner: the converter's
 * thread. */
#ifndef SLUICE_DATA_CONVERTERS_AVRO_PLAN_H
#define SLUICE_DATA_CONVERTERS_AVRO_PLAN_H

#include "base/buf.h"
#include "data/converters/avro_schema.h"

/* ---- writing: avro_encode_plan.c, avro_encode.c ---- */

enum avro_enc_op {
    AVRO_PUT_NULL,    /* nothing but null fits */
    AVRO_PUT_BOOLEAN, /* from here to DOUBLE: at most 10 bytes */
    AVRO_PUT_LONG,    /* an INT8 to INT64 as int or long */
    AVRO_PUT_INT_FLOAT,
    AVRO_PUT_INT_DOUBLE,
    AVRO_PUT_FLOAT,
    AVRO_PUT_DOUBLE,
    AVRO_PUT_BYTES, /* a STRING or BYTES */
    AVRO_PUT_FIXED,
    AVRO_PUT_ENUM,
    AVRO_PUT_ARRAY,
    AVRO_PUT_MAP,
    AVRO_PUT_ENTRIES,
    AVRO_PUT_RECORD,
    AVRO_PUT_UNION /* a struct of which one field is set */
};

#define AVRO_BRANCH_MAX 5 /* bytes of a union member's number */

struct avro_enc {
    uint8_t op;
    uint8_t type;        /* of the value: enum sluice_type */
    bool nullable;       /* null_branch counts */
    uint8_t branch_len;  /* 0: not in a union */
    uint8_t null_len;    /* 0: null takes no byte */
    char branch[8];      /* the member's number, in front of a value */
    char null_branch[8]; /* in front of a null */
    const struct sluice_schema *schema;
    const struct avro_schema *avro; /* without the union around it */
    uint32_t n;                     /* RECORD: steps; UNION: members */
    const struct avro_enc_step *steps;
    const struct avro_enc *key, *elem;
};

struct avro_enc_step {               /* one Avro field in turn; UNION: one field of the struct */
    const struct avro_enc *enc;      /* NULL: constant */
    uint32_t field;                  /* of the struct */
    const struct sluice_value *dflt; /* in place of null; NULL: none */
    const char *constant;            /* what the Connect schema lacks, as binary */
    uint32_t constant_len;
};

/* NULL: the Connect schema cannot be written by this Avro schema (err). */
const struct avro_enc *avro_enc_plan(struct sluice_batch *batch, const struct avro_config *config,
                                     const struct sluice_schema *schema,
                                     const struct avro_schema *avro, struct sluice_err *err);
/* Appends the value. */
bool avro_encode(struct sluice_buf *buf, const struct avro_enc *enc, const struct sluice_value *v,
                 struct sluice_err *err);
/* Appends a schemaless value by avro_anything_text. */
bool avro_encode_anything(struct sluice_buf *buf, const struct sluice_value *v,
                          struct sluice_err *err);

/* ---- reading: avro_decode_plan.c, avro_decode.c ---- */

enum avro_dec_op {
    AVRO_GET_NULL,
    AVRO_GET_BOOLEAN,
    AVRO_GET_INT, /* int or long, into the type given; from here to DOUBLE_TO_FLOAT: a number */
    AVRO_GET_FLOAT,
    AVRO_GET_DOUBLE,
    AVRO_GET_BYTES,
    AVRO_GET_STRING,
    AVRO_GET_FIXED,
    AVRO_GET_ENUM,
    AVRO_GET_ARRAY,
    AVRO_GET_MAP,
    AVRO_GET_ENTRIES, /* an array of records of key and value, as a map */
    AVRO_GET_RECORD,
    AVRO_GET_UNION, /* one of the branches */
    AVRO_GET_WRAP,  /* what elem reads, in one field of a union's struct */
    AVRO_GET_BAD    /* the reader's schema has no place for it */
};

struct avro_dec_step {
    const struct avro_dec *dec;
    uint32_t field; /* of the struct; its number of fields and more: read and forgotten */
};

struct avro_dec {
    uint8_t op;
    uint8_t type;        /* of the value */
    bool decimal;        /* BYTES, FIXED: without octets that only repeat the sign, as in Java */
    uint8_t bits;        /* GET_INT: what the Connect type keeps: 8, 16, 32, 64 */
    uint32_t n;          /* RECORD: steps; UNION: branches; ENUM: symbols; FIXED: bytes */
    uint32_t fields;     /* RECORD, WRAP: of the struct */
    uint32_t field;      /* WRAP: the one that is set */
    uint32_t elem_bytes; /* ARRAY, MAP, ENTRIES: an item takes at least so many */
    const struct avro_dec_step *steps;
    const struct avro_dec *const *branches;
    const struct sluice_value *symbols; /* ENUM */
    const struct sluice_value *filled;  /* RECORD: what the writer did not know; NULL: nothing */
    const struct avro_dec *elem;
    const char *name; /* for errors */
};

/* How data of the writer's schema become values of a Connect schema, which was made from the
 * reader's (the same one, or another version). NULL: they do not fit (err). */
const struct avro_dec *avro_dec_plan(struct sluice_batch *batch, const struct avro_schema *writer,
                                     const struct avro_schema *reader,
                                     const struct sluice_schema *schema, struct sluice_err *err);

struct avro_reader { /* a bounded cursor over what came from outside */
    const char *at, *end;
    struct sluice_batch *batch; /* where values go; octets and texts borrow from the data */
    struct sluice_err *err;
    uint64_t budget; /* values that may still be made */
    unsigned depth;
};

void avro_reader_init(struct avro_reader *r, struct sluice_batch *batch, const void *data,
                      size_t len, struct sluice_err *err);
/* False: truncated or broken (err says what). */
bool avro_decode(struct avro_reader *r, const struct avro_dec *dec, struct sluice_value *v);
bool avro_decode_anything(struct avro_reader *r, struct sluice_value *v);
/* A text or octets of len bytes; texts that are no UTF-8 get U+FFFD, as in Java. */
bool avro_read_bytes(struct avro_reader *r, enum sluice_type type, struct sluice_value *v);
/* Octets of a Decimal without those that only repeat the sign. */
void avro_shorten(struct sluice_value *v);
bool avro_read_long(struct avro_reader *r, int64_t *i);
/* The next block of an array or map: how many items, 0: the end. min_bytes: of an item. */
bool avro_read_block(struct avro_reader *r, uint32_t min_bytes, size_t *n);
/* Room for n values; counts against the budget. NULL: err. */
struct sluice_value *avro_read_room(struct avro_reader *r, size_t n);

#endif
