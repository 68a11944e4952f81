/* pgoutput.h - reading the replication stream: CopyData messages and pgoutput (protocols 1 to 4).
 *
 * All bytes go through a bounds-checked cursor; names and values borrow from the message. A message
 * that does not add up is an error, never a crash. Nothing here knows tables or sluice. */
#ifndef CDC_PGOUTPUT_H
#define CDC_PGOUTPUT_H

#include "util.h"

#define CDC_COLUMNS_MAX 1664 /* MaxTupleAttributeNumber of Postgres */

struct cdc_cursor {
    const unsigned char *p, *end;
    bool bad; /* read past the end; everything read since is 0 */
};

static inline void cdc_cursor_init(struct cdc_cursor *c, const void *data, size_t len)
{
    c->p = data;
    c->end = c->p + len;
    c->bad = false;
}
uint8_t cdc_read_u8(struct cdc_cursor *c);
uint16_t cdc_read_u16(struct cdc_cursor *c);
uint32_t cdc_read_u32(struct cdc_cursor *c);
uint64_t cdc_read_u64(struct cdc_cursor *c);
const char *cdc_read_string(struct cdc_cursor *c);            /* terminated; "" when bad */
const char *cdc_read_bytes(struct cdc_cursor *c, size_t len); /* NULL when bad */

/* One column of a tuple. */
struct cdc_cell {
    const char *s;
    uint32_t len;
    char kind; /* 't' text, 'n' null, 'u' unchanged TOAST value, 'b' binary */
};

struct cdc_tuple {
    uint32_t n;
    struct cdc_cell *cells; /* of CDC_COLUMNS_MAX */
};
bool cdc_read_tuple(struct cdc_cursor *c, struct cdc_tuple *tuple);

/* Postgres counts microseconds since 2000-01-01; Unix since 1970-01-01. */
#define CDC_EPOCH_US INT64_C(946684800000000)

struct cdc_begin {
    uint64_t final_lsn; /* of the commit record */
    int64_t commit_us;  /* Unix */
    uint32_t xid;
};
struct cdc_commit {
    uint64_t commit_lsn, end_lsn;
    int64_t commit_us;
};
struct cdc_relation_column {
    bool key;
    const char *name;
    uint32_t oid;
    int32_t typmod;
};
struct cdc_relation_message {
    uint32_t oid;
    const char *schema, *table;
    char identity; /* d, n, f, i */
    uint32_t n;
    struct cdc_relation_column *columns; /* of CDC_COLUMNS_MAX */
};
struct cdc_change {
    uint32_t relation;
    char op;  /* I, U, D */
    char old; /* 'K', 'O', or 0: no old tuple */
    struct cdc_tuple before, after;
};
struct cdc_ending { /* of a transaction that came before its end was known */
    uint32_t xid;
    uint64_t lsn, end_lsn; /* of the record that ends it: its start and its end */
    uint64_t clock;        /* as it came: microseconds since 2000 */
};
struct cdc_logical_message {
    bool transactional;
    uint64_t lsn;
    const char *prefix, *content;
    uint32_t content_len;
};

/* The message type has been read from the cursor; false: the message is broken. */
bool cdc_read_begin(struct cdc_cursor *c, struct cdc_begin *out);
bool cdc_read_commit(struct cdc_cursor *c, struct cdc_commit *out);
bool cdc_read_relation(struct cdc_cursor *c, struct cdc_relation_message *out);
bool cdc_read_change(struct cdc_cursor *c, char op, struct cdc_change *out);
bool cdc_read_logical_message(struct cdc_cursor *c, struct cdc_logical_message *out);

/* PREPARE TRANSACTION ('P', 'p', and 'b' where it begins), COMMIT PREPARED ('K'), the commit of a
 * streamed transaction ('c'). */
bool cdc_read_ending(struct cdc_cursor *c, char type, struct cdc_ending *out);
/* ROLLBACK PREPARED ('r'). */
bool cdc_read_rollback_prepared(struct cdc_cursor *c, uint32_t *xid);

#endif
