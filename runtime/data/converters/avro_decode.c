/* avro_decode.c - Avro's binary to values, by a plan.
 *
 * Everything is checked against the end of the data before it is believed: counts of items,
 * lengths, numbers of union members. What takes no byte (empty records) is held by a budget of
 * values, so that few bytes cannot ask for much memory. Owner: the converter's thread. */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "data/converters/avro_plan.h"
#include "data/values.h"

#define FREE_VALUES 1000000u /* that a record may have beyond those that its bytes stand for */
#define DEPTH_MAX 1000u      /* of schemaless values; others are as deep as their schema */

void avro_reader_init(struct avro_reader *r, struct sluice_batch *batch, const void *data,
                      size_t len, struct sluice_err *err)
{
    r->at = data;
    r->end = r->at + len;
    r->batch = batch;
    r->err = err;
    r->budget = FREE_VALUES + 8 * (uint64_t)len;
    r->depth = 0;
}

static bool truncated(struct avro_reader *r, const char *what)
{
    return sluice_err_set(r->err, "the Avro data end within %s", what);
}

static bool long_slow(struct avro_reader *r, int64_t *i)
{
    uint64_t u = 0;
    assert(r->at <= r->end);
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (r->at >= r->end) return truncated(r, "a number");
        unsigned char c = (unsigned char)*r->at++;
        u |= (uint64_t)(c & 0x7F) << shift;
        if (c < 0x80) {
            *i = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
            return true;
        }
    }
    return sluice_err_set(r->err, "Invalid long encoding in the Avro data");
}

static inline bool read_long(struct avro_reader *r, int64_t *i)
{
    if (r->at < r->end && (unsigned char)*r->at < 0x80) {
        unsigned char c = (unsigned char)*r->at++;
        *i = (int64_t)(c >> 1) ^ -(int64_t)(c & 1);
        return true;
    }
    return long_slow(r, i);
}

bool avro_read_long(struct avro_reader *r, int64_t *i) { return read_long(r, i); }

struct sluice_value *avro_read_room(struct avro_reader *r, size_t n)
{
    if (n > r->budget) {
        sluice_err_set(r->err, "the Avro data unfold to too many values");
        return NULL;
    }
    r->budget -= n;
    return sluice_batch_alloc(r->batch, n * sizeof(struct sluice_value));
}

/* ---- texts ---- */

static inline bool is_ascii(const char *s, size_t n)
{
    uint64_t word, all = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        memcpy(&word, s + i, 8);
        all |= word;
    }
    for (; i < n; i++) all |= (unsigned char)s[i];
    return (all & UINT64_C(0x8080808080808080)) == 0;
}

static struct sluice_value mend_text(struct avro_reader *r, const char *s, size_t len)
{
    char *text = sluice_batch_alloc(r->batch, 3 * len), *to = text;
    for (size_t i = 0; i < len;) {
        size_t n = sluice_utf8_char(s + i, len - i);
        if (n) memcpy(to, s + i, n);
        to += n ? n : sluice_utf8_put(0xFFFD, to);
        i += n ? n : 1;
    }
    return sluice_string(text, (size_t)(to - text));
}

static inline bool read_bytes(struct avro_reader *r, enum sluice_type type, struct sluice_value *v)
{
    int64_t len;
    if (!read_long(r, &len)) return false;
    if (len < 0 || len > r->end - r->at)
        return sluice_err_set(r->err,
                              "the Avro data claim %lld bytes for a text or octets, but only %zu "
                              "follow",
                              (long long)len, (size_t)(r->end - r->at));
    const char *s = r->at;
    r->at += len;
    *v = type == SLUICE_STRING ? sluice_string(s, (size_t)len) : sluice_bytes(s, (size_t)len);
    if (type == SLUICE_STRING && !is_ascii(s, (size_t)len) && !sluice_utf8_valid(s, (size_t)len))
        *v = mend_text(r, s, (size_t)len);
    return true;
}

bool avro_read_bytes(struct avro_reader *r, enum sluice_type type, struct sluice_value *v)
{
    return read_bytes(r, type, v);
}

/* ---- lists ---- */

bool avro_read_block(struct avro_reader *r, uint32_t min_bytes, size_t *n)
{
    int64_t count, bytes;
    if (!read_long(r, &count)) return false;
    if (count < 0) { /* followed by the block's length, for those who skip */
        if (!read_long(r, &bytes)) return false;
        if (count == INT64_MIN || bytes < 0)
            return sluice_err_set(r->err, "the Avro data hold a broken block of items");
        count = -count;
    }
    uint64_t left = (uint64_t)(r->end - r->at);
    uint64_t most = min_bytes ? left / min_bytes : r->budget;
    if ((uint64_t)count > most || count > UINT32_MAX / 4)
        return sluice_err_set(r->err,
                              "the Avro data claim %lld items of a list, more than the %llu bytes "
                              "that follow can hold",
                              (long long)count, (unsigned long long)left);
    *n = (size_t)count;
    return true;
}

/* Room for more items behind the n of a list; one block has them all, as a rule. */
static struct sluice_value *grow(struct avro_reader *r, struct sluice_value *items, size_t n,
                                 size_t *cap, size_t more)
{
    if (n + more <= *cap) return items;
    size_t want = n + more > 2 * *cap ? n + more : 2 * *cap;
    struct sluice_value *room = avro_read_room(r, want);
    if (room && n) memcpy(room, items, n * sizeof *items);
    assert(want >= n + more);
    *cap = want;
    return room;
}

static bool read_fields(struct avro_reader *r, const struct avro_dec *dec,
                        struct sluice_value *fields);

static bool read_item(struct avro_reader *r, const struct avro_dec *dec, struct sluice_value *to)
{
    if (dec->op == AVRO_GET_ARRAY) return avro_decode(r, dec->elem, to);
    if (dec->op == AVRO_GET_MAP)
        return read_bytes(r, SLUICE_STRING, to) && avro_decode(r, dec->elem, to + 1);
    assert(dec->op == AVRO_GET_ENTRIES && dec->field <= 1);
    if (!read_fields(r, dec->elem, to)) return false;
    if (dec->field == 1) { /* the value was declared in front of the key */
        struct sluice_value value = to[0];
        to[0] = to[1];
        to[1] = value;
    }
    return true;
}

static bool read_list(struct avro_reader *r, const struct avro_dec *dec, struct sluice_value *v)
{
    size_t width = dec->op == AVRO_GET_ARRAY ? 1 : 2, n = 0, cap = 0, more;
    struct sluice_value *items = NULL;
    for (;;) {
        if (!avro_read_block(r, dec->elem_bytes, &more)) return false;
        if (!more) break;
        items = grow(r, items, n * width, &cap, more * width);
        if (!items) return false;
        for (; more; more--, n++) {
            if (!read_item(r, dec, &items[n * width])) return false;
        }
    }
    *v = sluice_nested((enum sluice_type)dec->type, items, n);
    return true;
}

/* ---- records ---- */

static inline bool read_scalar(struct avro_reader *r, const struct avro_dec *dec,
                               struct sluice_value *v)
{
    int64_t i;
    memset(v, 0, sizeof *v);
    v->type = dec->type;
    size_t size = dec->op == AVRO_GET_DOUBLE ? 8 : dec->op == AVRO_GET_FLOAT ? 4 : 1;
    if (dec->op == AVRO_GET_INT) {
        if (!read_long(r, &i)) return false;
        if (dec->type == SLUICE_FLOAT32) v->u.d = (double)(float)i;
        else if (dec->type == SLUICE_FLOAT64) v->u.d = (double)i;
        else {
            assert(dec->bits > 0 && dec->bits <= 64);
            v->u.i = (int64_t)((uint64_t)i << (64 - dec->bits)) >> (64 - dec->bits);
        }
        return true;
    }
    if ((size_t)(r->end - r->at) < size) return truncated(r, "a value");
    if (dec->op == AVRO_GET_DOUBLE) {
        memcpy(&v->u.d, r->at, 8);
    } else if (dec->op == AVRO_GET_FLOAT) {
        float f;
        memcpy(&f, r->at, 4);
        v->u.d = (double)f;
    } else {
        v->u.i = *r->at != 0;
    }
    r->at += size;
    return true;
}

static inline bool read_value(struct avro_reader *r, const struct avro_dec *dec,
                              struct sluice_value *v)
{
    if (dec->op == AVRO_GET_UNION) {
        int64_t branch;
        if (!read_long(r, &branch)) return false;
        if (branch < 0 || branch >= dec->n)
            return sluice_err_set(r->err, "the Avro data name member %lld of a union of %u",
                                  (long long)branch, dec->n);
        dec = dec->branches[branch];
    }
    if (dec->op >= AVRO_GET_BOOLEAN && dec->op <= AVRO_GET_DOUBLE) return read_scalar(r, dec, v);
    if (dec->op == AVRO_GET_STRING) return read_bytes(r, SLUICE_STRING, v);
    return avro_decode(r, dec, v);
}

static bool read_fields(struct avro_reader *r, const struct avro_dec *dec,
                        struct sluice_value *fields)
{
    const struct avro_dec_step *step = dec->steps, *end = step + dec->n;
    for (uint32_t i = 0; dec->filled && i < dec->fields; i++)
        fields[i] = sluice_value_copy(&r->batch->arena, &dec->filled[i]);
    for (; step < end; step++) {
        struct sluice_value unwanted;
        if (!read_value(r, step->dec, step->field < dec->fields ? &fields[step->field] : &unwanted))
            return false;
    }
    return true;
}

static bool read_wrapped(struct avro_reader *r, const struct avro_dec *dec, struct sluice_value *v)
{
    struct sluice_value *fields = avro_read_room(r, dec->fields);
    if (!fields) return false;
    assert(dec->field < dec->fields);
    memset(fields, 0, dec->fields * sizeof *fields);
    *v = sluice_nested(SLUICE_STRUCT, fields, dec->fields);
    return avro_decode(r, dec->elem, &fields[dec->field]);
}

static bool read_enum(struct avro_reader *r, const struct avro_dec *dec, struct sluice_value *v)
{
    int64_t i;
    if (!read_long(r, &i)) return false;
    if (i < 0 || i >= dec->n || dec->symbols[i].type == SLUICE_NULL)
        return sluice_err_set(r->err, "the Avro data name symbol %lld of the enum %s, which has %u",
                              (long long)i, dec->name, dec->n);
    *v = dec->symbols[i];
    return true;
}

/* Leading octets that only repeat the sign of a two's complement number go. */
void avro_shorten(struct sluice_value *v)
{
    while (v->len > 1) {
        unsigned char first = (unsigned char)v->u.s[0], next = (unsigned char)v->u.s[1];
        if (!(first == 0 && next < 0x80) && !(first == 0xFF && next >= 0x80)) return;
        v->u.s++;
        v->len--;
    }
}

bool avro_decode(struct avro_reader *r, const struct avro_dec *dec, struct sluice_value *v)
{
    struct sluice_value *fields;
    switch ((enum avro_dec_op)dec->op) {
    case AVRO_GET_NULL: *v = sluice_null(); return true;
    case AVRO_GET_BOOLEAN:
    case AVRO_GET_INT:
    case AVRO_GET_FLOAT:
    case AVRO_GET_DOUBLE: return read_scalar(r, dec, v);
    case AVRO_GET_BYTES:
    case AVRO_GET_STRING:
        if (!read_bytes(r, (enum sluice_type)dec->type, v)) return false;
        if (dec->decimal) avro_shorten(v);
        return true;
    case AVRO_GET_FIXED:
        if ((size_t)(r->end - r->at) < dec->n) return truncated(r, "a fixed");
        *v = sluice_bytes(r->at, dec->n);
        r->at += dec->n;
        if (dec->decimal) avro_shorten(v);
        return true;
    case AVRO_GET_ENUM: return read_enum(r, dec, v);
    case AVRO_GET_ARRAY:
    case AVRO_GET_MAP:
    case AVRO_GET_ENTRIES: return read_list(r, dec, v);
    case AVRO_GET_RECORD:
        fields = avro_read_room(r, dec->fields);
        if (!fields) return false;
        *v = sluice_nested(SLUICE_STRUCT, fields, dec->fields);
        return read_fields(r, dec, fields);
    case AVRO_GET_UNION: return read_value(r, dec, v);
    case AVRO_GET_WRAP: return read_wrapped(r, dec, v);
    case AVRO_GET_BAD: break;
    }
    return sluice_err_set(r->err, "a %s was written, for which the latest schema has no place",
                          dec->name);
}

/* ---- schemaless values ---- */

static bool read_anything_list(struct avro_reader *r, bool map, struct sluice_value *v)
{
    size_t width = map ? 2 : 1, n = 0, cap = 0, more;
    struct sluice_value *items = NULL;
    for (;;) {
        if (!avro_read_block(r, 9, &more)) return false; /* nine members say whether they are set */
        if (!more) break;
        items = grow(r, items, n * width, &cap, more * width);
        if (!items) return false;
        for (size_t i = n * width; i < (n + more) * width; i++) {
            if (!avro_decode_anything(r, &items[i])) return false;
        }
        n += more;
    }
    *v = sluice_nested(map ? SLUICE_MAP : SLUICE_ARRAY, items, n);
    return true;
}

bool avro_decode_anything(struct avro_reader *r, struct sluice_value *v)
{
    static const struct avro_dec scalars[] = {
        {.op = AVRO_GET_BOOLEAN, .type = SLUICE_BOOLEAN},
        {.op = AVRO_GET_BYTES, .type = SLUICE_BYTES},
        {.op = AVRO_GET_DOUBLE, .type = SLUICE_FLOAT64},
        {.op = AVRO_GET_FLOAT, .type = SLUICE_FLOAT32},
        {.op = AVRO_GET_INT, .type = SLUICE_INT32, .bits = 32},
        {.op = AVRO_GET_INT, .type = SLUICE_INT64, .bits = 64},
        {.op = AVRO_GET_STRING, .type = SLUICE_STRING},
    };
    bool found = false;
    *v = sluice_null();
    if (++r->depth > DEPTH_MAX)
        return sluice_err_set(r->err, "the Avro data are nested more than %u deep", DEPTH_MAX);
    for (int i = 0; i < 9; i++) {
        struct sluice_value member;
        int64_t branch;
        if (!read_long(r, &branch)) return false;
        if (branch == 0) continue;
        if (branch != 1)
            return sluice_err_set(r->err, "the Avro data name member %lld of a union of 2",
                                  (long long)branch);
        if (!(i < 7 ? avro_decode(r, &scalars[i], &member)
                    : read_anything_list(r, i == 8, &member)))
            return false;
        if (!found) *v = member; /* the first that is set counts, as in Java */
        found = true;
    }
    r->depth--;
    return true;
}
