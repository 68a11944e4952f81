/* json_io.h - the pieces of JSON writing and reading that converters put together: see json_text.h
 * for whole values.
 *
 * Every write_* appends to a buffer and says false when it is full (err). A reader goes over bytes
 * from outside with a bound and a depth cap; what it finds wrong it says with the place in bytes.
 * Owner: one thread. */
#ifndef SLUICE_DATA_JSON_IO_H
#define SLUICE_DATA_JSON_IO_H

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "data/batch.h"

#define SLUICE_JSON_DEPTH 1000  /* nested arrays and objects, as Jackson allows */
#define SLUICE_JSON_NUMBER 1000 /* bytes of one number, likewise */

/* ---- writing ---- */

static inline bool sluice_json_room(struct sluice_buf *buf, size_t n, struct sluice_err *err)
{
    if (buf->cap - buf->len >= n) return true;
    return sluice_buf_reserve(buf, n, err);
}

static inline bool sluice_json_raw(struct sluice_buf *buf, const char *s, size_t n,
                                   struct sluice_err *err)
{
    if (!sluice_json_room(buf, n + 1, err)) return false; /* an empty text is not a null one */
    if (n) memcpy(buf->data + buf->len, s, n);
    buf->len += n;
    return true;
}

bool sluice_json_int(struct sluice_buf *buf, int64_t i, struct sluice_err *err);
bool sluice_json_bool(struct sluice_buf *buf, bool b, struct sluice_err *err);
/* NaN and infinities in quotes. */
bool sluice_json_double(struct sluice_buf *buf, double d, struct sluice_err *err);
bool sluice_json_float(struct sluice_buf *buf, float f, struct sluice_err *err);
/* Base64 in quotes. */
bool sluice_json_base64(struct sluice_buf *buf, const char *data, size_t len,
                        struct sluice_err *err);

/* ---- reading ---- */

struct sluice_json_reader {
    const char *text, *at, *end;
    struct sluice_batch *batch; /* where values and unescaped strings go */
    struct sluice_err *err;
    unsigned depth;
    bool broken; /* the text is no JSON; err says where */
    bool strict; /* for the reader of values with schemas: inside of a struct */
    /* Children of the containers that are open: a container's own go to the batch when it closes,
     * exactly as many as there are. */
    struct sluice_value *stack;
    size_t stack_n, stack_cap;
    struct sluice_value first[32]; /* the stack until it is too small */
};

/* A number as it stands in the text. */
struct sluice_json_number {
    const char *text; /* len bytes, a number by JSON's grammar */
    uint32_t len;
    bool negative;
    bool integral;   /* no fraction, no exponent */
    bool exact;      /* digits holds all significant digits */
    uint64_t digits; /* all digits as an integer, modulo 2^64 */
    int32_t exp;     /* the value is digits * 10^exp; saturates */
};

/* The text may start with a UTF-8 byte order mark. */
void sluice_json_reader_init(struct sluice_json_reader *r, struct sluice_batch *batch,
                             const char *text, size_t len, struct sluice_err *err);
/* Past white space: the next byte without taking it, -1 at the end. */
int sluice_json_peek(struct sluice_json_reader *r);
/* Takes the byte that peek showed when it is this one. */
bool sluice_json_take(struct sluice_json_reader *r, char c);
/* Sets err: what was found in place of what was expected, and where. Always false. */
bool sluice_json_unexpected(struct sluice_json_reader *r, const char *expected);
bool sluice_json_enter(struct sluice_json_reader *r); /* one level deeper, or false (err) */
/* The next value must be of this kind (peek says which comes). A string without escapes borrows
 * from the text. */
bool sluice_json_read_string(struct sluice_json_reader *r, const char **s, uint32_t *len);
bool sluice_json_read_number(struct sluice_json_reader *r, struct sluice_json_number *number);
bool sluice_json_read_word(struct sluice_json_reader *r, const char *word); /* true, null ... */
/* Any value, as sluice_json_parse() reads it. */
bool sluice_json_read(struct sluice_json_reader *r, struct sluice_value *v);
bool sluice_json_skip(struct sluice_json_reader *r); /* checks the value and forgets it */
/* After "{" or an entry: the name of the next member with the colon taken; s NULL: the object
 * ended, "}" taken. first: no comma is due. */
bool sluice_json_member(struct sluice_json_reader *r, bool first, const char **s, uint32_t *len);
/* After "[" or an item: whether another item follows; false in more: "]" was taken. */
bool sluice_json_item(struct sluice_json_reader *r, bool first, bool *more);
/* A root number must be followed by white space or the end, as Jackson wants it. */
bool sluice_json_root_end(struct sluice_json_reader *r);
/* Stack of children. */
void sluice_json_push(struct sluice_json_reader *r, struct sluice_value v);
/* The children since mark as a container of len; they are taken off the stack. */
struct sluice_value sluice_json_pop(struct sluice_json_reader *r, enum sluice_type type,
                                    size_t mark, size_t len);
/* Of entries (key, value) since mark those whose STRING key comes again later go, the first keeps
 * its place and gets the last one's value; the number of entries that are left. */
size_t sluice_json_unique(struct sluice_json_reader *r, size_t mark, size_t len);

/* What Java's intValue, longValue, doubleValue, floatValue make of it. */
int64_t sluice_json_long(const struct sluice_json_number *number); /* integer part mod 2^64 */
double sluice_json_to_double(const struct sluice_json_number *number);
float sluice_json_to_float(const struct sluice_json_number *number);

#endif
