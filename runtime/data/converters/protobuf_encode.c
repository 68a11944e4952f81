/* protobuf_encode.c - a value with its plan to Protobuf bytes, in one pass.
 *
 * The length of a message stands before it: so many bytes are left free as the last length of this
 * field took, and the content moves only when that was the wrong guess. Fields go out by number and
 * without the zeros of their types, as protobuf-java writes them. */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "data/converters/protobuf_plan.h"
#include "data/decimal.h"
#include "data/java_text.h"
#include "data/number_text.h"
#include "data/schema.h"

static inline bool room(struct sluice_buf *buf, size_t n, struct sluice_err *err)
{
    if (buf->cap - buf->len >= n) return true;
    return sluice_buf_reserve(buf, n, err);
}

static inline char *put_varint(char *to, uint64_t x)
{
    for (; x >= 0x80; x >>= 7) *to++ = (char)(x | 0x80);
    *to++ = (char)x;
    return to;
}

static inline unsigned varint_len(uint64_t x)
{
    return (70u - (unsigned)__builtin_clzll(x | 1)) / 7u;
}

static inline char *put_tag(char *to, const struct pb_writer *how)
{
    assert(how->tag_len > 0 && how->tag_len <= sizeof how->tag);
    memcpy(to, how->tag, sizeof how->tag); /* room for all of it is there */
    return to + how->tag_len;
}

/* ---- scalars ---- */

static bool wrong_type(const struct pb_writer *how, const struct sluice_value *v,
                       struct sluice_err *err)
{
    if (v->type == SLUICE_NULL) {
        return sluice_err_set(err, "null stands where Protobuf has no null: an array's item");
    }
    return sluice_err_set(err, "a value of type %s was expected, this one is %s",
                          sluice_type_name((enum sluice_type)how->connect),
                          v->type <= SLUICE_STRUCT ? sluice_type_name((enum sluice_type)v->type)
                                                   : "broken");
}

static char *put_fixed64(char *to, uint64_t x)
{
    memcpy(to, &x, 8); /* little-endian, as all our targets are */
    return to + 8;
}

static char *put_fixed32(char *to, uint32_t x)
{
    memcpy(to, &x, 4);
    return to + 4;
}

/* A number that is no text; at most 10 bytes, for which there is room. */
static char *put_number(char *to, uint8_t type, const struct sluice_value *v)
{
    uint64_t u = (uint64_t)v->u.i;
    float f;
    uint32_t bits32;
    switch ((enum pb_type)type) {
    case PB_DOUBLE: memcpy(&u, &v->u.d, 8); return put_fixed64(to, u);
    case PB_FLOAT:
        f = (float)v->u.d;
        memcpy(&bits32, &f, 4);
        return put_fixed32(to, bits32);
    case PB_FIXED64:
    case PB_SFIXED64: return put_fixed64(to, u);
    case PB_FIXED32:
    case PB_SFIXED32: return put_fixed32(to, (uint32_t)u);
    case PB_UINT32: return put_varint(to, (uint32_t)u);
    case PB_SINT32:
    case PB_SINT64: return put_varint(to, u << 1 ^ (v->u.i < 0 ? ~UINT64_C(0) : 0));
    default: return put_varint(to, u);
    }
}

static bool is_text(uint8_t type) { return type == PB_STRING || type == PB_BYTES; }

static bool is_zero(const struct pb_writer *how, const struct sluice_value *v)
{
    if (is_text(how->type)) return v->len == 0;
    return v->u.i == 0; /* of a double the bits: -0.0 is none */
}

static bool put_bytes(struct sluice_buf *buf, const char *s, uint32_t len, struct sluice_err *err)
{
    if (!room(buf, (size_t)len + 10, err)) return false;
    char *to = put_varint(buf->data + buf->len, len);
    if (len) memcpy(to, s, len);
    buf->len = (size_t)(to - buf->data) + len;
    return true;
}

static bool enum_number(const struct pb_writer *how, const struct sluice_value *v,
                        struct sluice_value *number, struct sluice_err *err)
{
    const struct pb_enum *e = how->enumeration;
    if (v->type != SLUICE_STRING) return wrong_type(how, v, err);
    for (size_t i = 0; i < e->n; i++) {
        if (strlen(e->values[i].name) != v->len) continue;
        if (memcmp(e->values[i].name, v->u.s, v->len) != 0) continue;
        *number = sluice_int32(e->values[i].number);
        return true;
    }
    return sluice_err_set(err, "'%.*s' is none of the %zu values of the enum %s",
                          (int)(v->len < 60 ? v->len : 60), v->u.s, e->n, e->name);
}

/* ---- messages of a length ---- */

static bool open_length(struct sluice_buf *buf, const struct pb_writer *how, size_t *mark,
                        struct sluice_err *err)
{
    if (!room(buf, 16, err)) return false;
    *mark = buf->len;
    buf->len += how->len_hint;
    return true;
}

static bool close_length(struct sluice_buf *buf, struct pb_writer *how, size_t mark,
                         struct sluice_err *err)
{
    size_t len = buf->len - mark - how->len_hint;
    unsigned need = varint_len(len);
    assert(buf->len >= mark + how->len_hint);
    if (need != how->len_hint) {
        if (!room(buf, 16, err)) return false;
        memmove(buf->data + mark + need, buf->data + mark + how->len_hint, len);
        buf->len = mark + need + len;
        how->len_hint = (uint8_t)need;
    }
    put_varint(buf->data + mark, len);
    return true;
}

/* A small message of numbers 1, 2, ...: zeros are left out. */
static bool put_small(struct sluice_buf *buf, const int64_t *numbers, unsigned n,
                      struct sluice_err *err)
{
    char text[64], *to = text;
    assert(n <= 4);
    for (unsigned i = 0; i < n; i++) {
        if (numbers[i] == 0) continue;
        *to++ = (char)((i + 1) << 3);
        to = put_varint(to, (uint64_t)numbers[i]);
    }
    return put_bytes(buf, text, (uint32_t)(to - text), err);
}

static bool put_date(struct sluice_buf *buf, const struct sluice_value *v, struct sluice_err *err)
{
    struct sluice_date date = sluice_date_of(v->u.i * 86400000);
    int64_t numbers[3] = {date.year, date.month, date.day};
    return put_small(buf, numbers, 3, err);
}

static bool put_time(struct sluice_buf *buf, const struct sluice_value *v, struct sluice_err *err)
{
    int64_t ms = v->u.i;
    if (ms < 0 || ms >= 86400000) {
        return sluice_err_set(err, "a Time lies within one day, this one is %lld ms",
                              (long long)ms);
    }
    int64_t numbers[4] = {ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000 * 1000000};
    return put_small(buf, numbers, 4, err);
}

static bool put_timestamp(struct sluice_buf *buf, const struct sluice_value *v,
                          struct sluice_err *err)
{
    int64_t seconds = v->u.i / 1000, ms = v->u.i % 1000;
    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    int64_t numbers[2] = {seconds, ms * 1000000};
    return put_small(buf, numbers, 2, err);
}

/* Decimal digits of the octets' absolute value: BigDecimal.precision(). */
static bool precision_of(const unsigned char *octets, uint32_t len, int64_t *digits,
                         struct sluice_err *err)
{
    if (len <= 8) {
        uint64_t x = octets[0] >= 0x80 ? ~UINT64_C(0) : 0;
        for (uint32_t i = 0; i < len; i++) x = x << 8 | octets[i];
        *digits = sluice_digits(octets[0] >= 0x80 ? 0 - x : x);
        return true;
    }
    struct sluice_buf text;
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    bool ok = sluice_decimal_text(&text, octets, len, 0, err);
    *digits = (int64_t)text.len - (octets[0] >= 0x80);
    sluice_buf_fini(&text);
    return ok;
}

/* confluent.type.Decimal: octets as few as possible, precision, scale. */
static bool put_decimal(struct sluice_buf *buf, struct pb_writer *how, const struct sluice_value *v,
                        struct sluice_err *err)
{
    static const unsigned char zero[1];
    const unsigned char *octets = v->len ? (const unsigned char *)v->u.s : zero;
    uint32_t len = v->len ? v->len : 1;
    int64_t precision;
    size_t mark;
    for (; len > 1 &&
           ((octets[0] == 0 && octets[1] < 0x80) || (octets[0] == 0xFF && octets[1] >= 0x80));
         len--) {
        octets++;
    }
    if (!precision_of(octets, len, &precision, err)) return false;
    if (!open_length(buf, how, &mark, err) || !room(buf, 1, err)) return false;
    buf->data[buf->len++] = 1 << 3 | 2;
    if (!put_bytes(buf, (const char *)octets, len, err) || !room(buf, 24, err)) return false;
    char *to = buf->data + buf->len;
    *to++ = 2 << 3;
    to = put_varint(to, (uint64_t)precision);
    if (how->scale) {
        *to++ = 3 << 3;
        to = put_varint(to, (uint64_t)(int64_t)how->scale);
    }
    buf->len = (size_t)(to - buf->data);
    return close_length(buf, how, mark, err);
}

/* ---- values ---- */

static bool put_value(struct sluice_buf *buf, struct pb_writer *how, const struct sluice_value *v,
                      struct sluice_err *err);

/* The union's members before this one are null. */
static bool is_member(const struct sluice_value *v, int32_t member)
{
    for (int32_t i = 0; i < member; i++) {
        if (v->u.v[i].type != SLUICE_NULL) return false;
    }
    return true;
}

static bool put_slots(struct sluice_buf *buf, const struct pb_writer *how,
                      const struct sluice_value *values, struct sluice_err *err)
{
    for (uint32_t i = 0; i < how->slots_n; i++) {
        struct pb_slot *slot = &how->slots[i];
        const struct sluice_value *v = &values[slot->index];
        if (slot->member >= 0) {
            if (v->type != SLUICE_STRUCT || v->len <= (uint32_t)slot->member) {
                if (v->type == SLUICE_NULL) continue;
                return sluice_err_set(err, "the union of %s is no struct of its schema",
                                      slot->name);
            }
            if (!is_member(v, slot->member)) continue;
            v = &v->u.v[slot->member];
        }
        if (v->type == SLUICE_NULL && slot->dflt) v = slot->dflt;
        if (v->type == SLUICE_NULL) continue;
        if (!put_value(buf, &slot->how, v, err))
            return sluice_err_wrap(err, "field %s", slot->name);
    }
    return true;
}

static bool put_struct(struct sluice_buf *buf, const struct pb_writer *how,
                       const struct sluice_value *v, struct sluice_err *err)
{
    const struct sluice_schema *schema = how->schema;
    if (v->len != schema->fields_len) {
        return sluice_err_set(err,
                              "the struct has %u values, its schema %s "
                              "has %u fields",
                              v->len, schema->name ? schema->name : "without name",
                              schema->fields_len);
    }
    return put_slots(buf, how, v->u.v, err);
}

static bool put_message(struct sluice_buf *buf, struct pb_writer *how, const struct sluice_value *v,
                        struct sluice_err *err)
{
    size_t mark;
    bool ok = open_length(buf, how, &mark, err);
    return ok && put_struct(buf, how, v, err) && close_length(buf, how, mark, err);
}

static bool put_map(struct sluice_buf *buf, struct pb_writer *how, const struct sluice_value *v,
                    struct sluice_err *err)
{
    for (uint32_t i = 0; i < v->len; i++) {
        size_t mark;
        if (!room(buf, 16, err)) return false;
        buf->len = (size_t)(put_tag(buf->data + buf->len, how) - buf->data);
        if (!open_length(buf, how, &mark, err) ||
            !put_slots(buf, how, &v->u.v[2 * (size_t)i], err) ||
            !close_length(buf, how, mark, err)) {
            return false;
        }
    }
    return true;
}

static bool put_packed(struct sluice_buf *buf, struct pb_writer *how, const struct sluice_value *v,
                       struct sluice_err *err)
{
    struct pb_writer *elem = how->elem;
    size_t mark;
    assert(elem && elem->kind != PB_ARRAY);
    if (!room(buf, 16, err)) return false;
    buf->len = (size_t)(put_tag(buf->data + buf->len, how) - buf->data);
    if (!open_length(buf, how, &mark, err)) return false;
    for (uint32_t i = 0; i < v->len; i++) {
        struct sluice_value number = v->u.v[i];
        if (elem->kind == PB_ENUM_TEXT) {
            if (!enum_number(elem, &v->u.v[i], &number, err)) return false;
        } else if (number.type != elem->connect) {
            return wrong_type(elem, &number, err);
        }
        if (!room(buf, 10, err)) return false;
        buf->len = (size_t)(put_number(buf->data + buf->len, elem->type, &number) - buf->data);
    }
    return close_length(buf, how, mark, err);
}

static bool put_array(struct sluice_buf *buf, struct pb_writer *how, const struct sluice_value *v,
                      struct sluice_err *err)
{
    if (v->len == 0) return true;
    if (how->packed) return put_packed(buf, how, v, err);
    for (uint32_t i = 0; i < v->len; i++) {
        if (!put_value(buf, how->elem, &v->u.v[i], err)) return false;
    }
    return true;
}

static bool put_wrapped(struct sluice_buf *buf, const struct pb_writer *how,
                        const struct sluice_value *v, struct sluice_err *err)
{
    if (is_zero(how, v)) return true;
    unsigned wire = is_text(how->type)       ? 2
                    : how->type == PB_DOUBLE ? 1
                    : how->type == PB_FLOAT  ? 5
                                             : 0;
    if (!room(buf, 16, err)) return false;
    buf->data[buf->len++] = (char)(1 << 3 | wire);
    if (wire == 2) return put_bytes(buf, v->u.s, v->len, err);
    buf->len = (size_t)(put_number(buf->data + buf->len, how->type, v) - buf->data);
    return true;
}

/* With its tag; nothing for a zero that need not be said. */
static bool put_value(struct sluice_buf *buf, struct pb_writer *how, const struct sluice_value *v,
                      struct sluice_err *err)
{
    struct sluice_value number;
    size_t mark;
    if (how->kind == PB_ENUM_TEXT) {
        if (!enum_number(how, v, &number, err)) return false;
        v = &number;
    } else if (v->type != how->connect) {
        return wrong_type(how, v, err);
    }
    if (how->kind == PB_ARRAY) return put_array(buf, how, v, err);
    if (how->kind == PB_MAP) return put_map(buf, how, v, err);
    if (!how->always && is_zero(how, v)) return true;
    if (!room(buf, 32, err)) return false;
    char *to = put_tag(buf->data + buf->len, how);
    if ((how->kind == PB_SCALAR || how->kind == PB_ENUM_TEXT) && !is_text(how->type)) {
        buf->len = (size_t)(put_number(to, how->type, v) - buf->data);
        return true;
    }
    buf->len = (size_t)(to - buf->data);
    switch ((enum pb_kind)how->kind) {
    case PB_SCALAR: return put_bytes(buf, v->u.s, v->len, err);
    case PB_STRUCT: return put_message(buf, how, v, err);
    case PB_DECIMAL: return put_decimal(buf, how, v, err);
    case PB_DATE: return put_date(buf, v, err);
    case PB_TIME: return put_time(buf, v, err);
    case PB_TIMESTAMP: return put_timestamp(buf, v, err);
    case PB_WRAPPED:
        return open_length(buf, how, &mark, err) && put_wrapped(buf, how, v, err) &&
               close_length(buf, how, mark, err);
    default: break;
    }
    assert(!"a plan for reading");
    return false;
}

bool pb_encode(struct sluice_buf *buf, struct pb_writer *root, const struct sluice_value *v,
               struct sluice_err *err)
{
    if (v->type != root->connect) return wrong_type(root, v, err);
    if (root->kind == PB_WRAPPED) return put_wrapped(buf, root, v, err);
    assert(root->kind == PB_STRUCT);
    return put_struct(buf, root, v, err);
}
