/* protobuf_decode.c - Protobuf bytes with a plan to values.
 *
 * Fields come in any order and any number of times: what comes later wins, messages are merged and
 * lists grow, as the format wants it. Numbers that the type does not know, and known ones with
 * another wire type, are passed over. Depth and memory of one record are capped. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "data/converters/protobuf_plan.h"
#include "data/decimal.h"
#include "data/java_text.h"
#include "data/values.h"

#define DEPTH_MAX 100u                 /* messages in messages, as protobuf-java reads them */
#define MEMORY_MAX ((size_t)256 << 20) /* bytes of values that one record may become */

struct run {
    struct sluice_batch *batch;
    struct sluice_err *err;
    size_t budget;
    unsigned depth;
};

struct cursor {
    const unsigned char *at, *end;
};

static bool truncated(struct run *r)
{
    return sluice_err_set(r->err, "the Protobuf message is truncated");
}

static void *take_memory(struct run *r, size_t size)
{
    if (size > r->budget) {
        sluice_err_set(r->err, "the Protobuf message becomes more than %zu MiB of values",
                       MEMORY_MAX >> 20);
        return NULL;
    }
    r->budget -= size;
    return sluice_arena_alloc(&r->batch->arena, size);
}

/* ---- the wire ---- */

static bool read_varint_slow(struct run *r, struct cursor *c, uint64_t *out)
{
    uint64_t x = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (c->at == c->end) return truncated(r);
        unsigned char b = *c->at++;
        if (shift < 64) x |= (uint64_t)(b & 0x7F) << shift;
        if (b < 0x80) {
            *out = x;
            return true;
        }
    }
    return sluice_err_set(r->err, "the Protobuf message holds a number of more than 10 bytes");
}

static inline bool read_varint(struct run *r, struct cursor *c, uint64_t *out)
{
    if (c->at < c->end && *c->at < 0x80) {
        *out = *c->at++;
        return true;
    }
    return read_varint_slow(r, c, out);
}

/* The next len bytes as a cursor of their own. */
static inline bool read_span(struct run *r, struct cursor *c, struct cursor *span)
{
    uint64_t len;
    if (!read_varint(r, c, &len)) return false;
    if (len > (uint64_t)(c->end - c->at)) return truncated(r);
    span->at = c->at;
    span->end = c->at += len;
    assert(span->end <= c->end);
    return true;
}

static bool read_tag(struct run *r, struct cursor *c, uint32_t *number, unsigned *wire)
{
    uint64_t tag;
    if (!read_varint(r, c, &tag)) return false;
    if (tag > UINT32_MAX || tag >> 3 == 0) {
        return sluice_err_set(r->err, "the Protobuf message holds an invalid tag (%llu)",
                              (unsigned long long)tag);
    }
    *number = (uint32_t)(tag >> 3);
    *wire = (unsigned)tag & 7;
    return true;
}

static bool skip(struct run *r, struct cursor *c, uint32_t number, unsigned wire);

/* To behind the end of a group; its content in span. */
static bool skip_group(struct run *r, struct cursor *c, uint32_t number, struct cursor *span)
{
    span->at = c->at;
    if (++r->depth > DEPTH_MAX) {
        return sluice_err_set(r->err, "the Protobuf message is nested deeper than %u levels",
                              DEPTH_MAX);
    }
    for (;;) {
        uint32_t inner;
        unsigned wire;
        span->end = c->at;
        if (c->at == c->end) return truncated(r);
        if (!read_tag(r, c, &inner, &wire)) return false;
        if (wire == 4) {
            r->depth--;
            if (inner == number) return true;
            return sluice_err_set(r->err, "the Protobuf message ends the group %u by %u", number,
                                  inner);
        }
        if (!skip(r, c, inner, wire)) return false;
    }
}

static bool skip(struct run *r, struct cursor *c, uint32_t number, unsigned wire)
{
    struct cursor span;
    uint64_t x;
    size_t n = wire == 1 ? 8 : 4;
    switch (wire) {
    case 0: return read_varint(r, c, &x);
    case 1:
    case 5:
        if ((size_t)(c->end - c->at) < n) return truncated(r);
        c->at += n;
        return true;
    case 2: return read_span(r, c, &span);
    case 3: return skip_group(r, c, number, &span);
    default:
        return sluice_err_set(r->err, "the Protobuf message holds a field %u of wire type %u",
                              number, wire);
    }
}

static unsigned wire_of(const struct pb_reader_field *field)
{
    switch ((enum pb_type)field->type) {
    case PB_DOUBLE:
    case PB_FIXED64:
    case PB_SFIXED64: return 1;
    case PB_FLOAT:
    case PB_FIXED32:
    case PB_SFIXED32: return 5;
    case PB_STRING:
    case PB_BYTES:
    case PB_MESSAGE: return 2;
    case PB_GROUP: return 3;
    default: return 0;
    }
}

/* ---- scalars ---- */

static bool read_number(struct run *r, struct cursor *c, const struct pb_reader_field *field,
                        struct sluice_value *v)
{
    uint64_t x = 0;
    uint32_t x32;
    float f;
    double d;
    unsigned wire = wire_of(field);
    if (wire == 0) {
        if (!read_varint(r, c, &x)) return false;
    } else {
        size_t n = wire == 1 ? 8 : 4;
        if ((size_t)(c->end - c->at) < n) return truncated(r);
        memcpy(&x, c->at, n); /* little-endian, as all our targets are */
        c->at += n;
    }
    x32 = (uint32_t)x;
    *v = sluice_int(field->connect, (int64_t)x);
    switch ((enum pb_type)field->type) {
    case PB_DOUBLE:
        memcpy(&d, &x, 8);
        v->u.d = d;
        return true;
    case PB_FLOAT:
        memcpy(&f, &x32, 4);
        v->u.d = (double)f;
        return true;
    case PB_BOOL: v->u.i = x != 0; return true;
    case PB_SINT32: v->u.i = (int32_t)(x32 >> 1 ^ (0 - (x32 & 1))); break;
    case PB_SINT64: v->u.i = (int64_t)(x >> 1 ^ (0 - (x & 1))); break;
    case PB_UINT32:
    case PB_FIXED32: v->u.i = (int64_t)x32; break;
    case PB_INT32:
    case PB_ENUM:
    case PB_SFIXED32: v->u.i = (int32_t)x32; break;
    default: break;
    }
    if (field->connect == SLUICE_INT8) v->u.i = (int8_t)v->u.i;
    else if (field->connect == SLUICE_INT16) v->u.i = (int16_t)v->u.i;
    return true;
}

/* A number of an enum as its name; the text is the batch's, the plan may be gone before it. */
static bool name_enum(struct run *r, const struct pb_reader_field *field, struct sluice_value *v)
{
    const struct pb_enum *e = field->enumeration;
    const char *name = NULL;
    char unknown[160];
    int64_t number = v->u.i;
    if (number >= 0 && (uint64_t)number < e->n && e->values[number].number == number) {
        name = e->values[number].name;
    }
    for (size_t i = 0; !name && i < e->n; i++) {
        if (e->values[i].number == number) name = e->values[i].name;
    }
    if (!name) { /* what protobuf-java calls it */
        snprintf(unknown, sizeof unknown, "UNKNOWN_ENUM_VALUE_%.100s_%lld", e->name,
                 (long long)number);
        name = unknown;
    }
    size_t n = strlen(name);
    char *text = take_memory(r, n + 1);
    if (!text) return false;
    memcpy(text, name, n + 1);
    *v = sluice_string(text, n);
    return true;
}

static bool read_scalar(struct run *r, struct cursor *c, const struct pb_reader_field *field,
                        struct sluice_value *v)
{
    struct cursor span = {0};
    if (field->type != PB_STRING && field->type != PB_BYTES) {
        if (!read_number(r, c, field, v)) return false;
        return field->kind != PB_ENUM_TEXT || name_enum(r, field, v);
    }
    if (!read_span(r, c, &span)) return false;
    size_t len = (size_t)(span.end - span.at);
    if (field->type == PB_BYTES) {
        *v = sluice_bytes(span.at, len);
        return true;
    }
    *v = sluice_string((const char *)span.at, len);
    if (sluice_utf8_valid(v->u.s, len)) return true;
    return sluice_err_set(r->err, "the text is not valid UTF-8");
}

/* ---- messages with a meaning of their own ---- */

/* Numbers 1 to 4 of a small message, and the bytes of number 1. */
static bool read_small(struct run *r, struct cursor span, int64_t numbers[5], struct cursor *bytes)
{
    memset(numbers, 0, 5 * sizeof *numbers);
    bytes->at = bytes->end = span.at;
    while (span.at < span.end) {
        uint32_t number;
        unsigned wire;
        uint64_t x;
        if (!read_tag(r, &span, &number, &wire)) return false;
        if (wire == 0 && number <= 4) {
            if (!read_varint(r, &span, &x)) return false;
            numbers[number] = (int64_t)x;
        } else if (wire == 2 && number == 1) {
            if (!read_span(r, &span, bytes)) return false;
        } else if (!skip(r, &span, number, wire)) {
            return false;
        }
    }
    return true;
}

/* confluent.type.Decimal brings its own scale; the schema's counts. */
static bool read_decimal(struct run *r, const struct pb_reader_field *field, int64_t scale_,
                         struct cursor bytes, struct sluice_value *v)
{
    int32_t scale = (int32_t)scale_;
    size_t len = (size_t)(bytes.end - bytes.at);
    if (len == 0) {
        *v = sluice_bytes("", 1);
        return true;
    }
    *v = sluice_bytes(bytes.at, len);
    if (scale == field->scale) return true;
    struct sluice_buf text;
    sluice_buf_init(&text, (size_t)1 << 20);
    bool ok = sluice_decimal_text(&text, bytes.at, len, scale, r->err) &&
              sluice_decimal_parse(&r->batch->arena, text.data, text.len, field->scale, v, r->err);
    sluice_buf_fini(&text);
    return ok;
}

static bool read_logical(struct run *r, const struct pb_reader_field *field, struct cursor span,
                         struct sluice_value *v)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t n[5], x;
    struct cursor bytes;
    if (!read_small(r, span, n, &bytes)) return false;
    switch ((enum pb_kind)field->kind) {
    case PB_DECIMAL: return read_decimal(r, field, n[3], bytes, v);
    case PB_DATE:
        if (n[1] < 1 || n[1] > 9999999 || n[2] < 1 || n[2] > 12 || n[3] < 1 ||
            n[3] > days[n[2] - 1]) {
            return sluice_err_set(r->err, "year %lld, month %lld, day %lld is no full date",
                                  (long long)n[1], (long long)n[2], (long long)n[3]);
        }
        x = sluice_days_of(n[1], (int)n[2], (int)n[3]);
        if (sluice_date_of(x * 86400000).day != n[3]) {
            return sluice_err_set(r->err, "year %lld has no February 29", (long long)n[1]);
        }
        *v = sluice_int32((int32_t)x);
        return true;
    case PB_TIME:
        if (n[1] < 0 || n[1] > 23 || n[2] < 0 || n[2] > 59 || n[3] < 0 || n[3] > 59 || n[4] < 0 ||
            n[4] > 999999999) {
            return sluice_err_set(r->err, "%lld:%lld:%lld and %lld ns is no time of day",
                                  (long long)n[1], (long long)n[2], (long long)n[3],
                                  (long long)n[4]);
        }
        *v = sluice_int32((int32_t)(n[1] * 3600000 + n[2] * 60000 + n[3] * 1000 + n[4] / 1000000));
        return true;
    default:
        assert(field->kind == PB_TIMESTAMP);
        if (n[1] < -62135596800 || n[1] > 253402300799 || n[2] < 0 || n[2] > 999999999) {
            return sluice_err_set(r->err,
                                  "%lld s and %lld ns is no timestamp of the years 1 to 9999",
                                  (long long)n[1], (long long)n[2]);
        }
        *v = sluice_int64(n[1] * 1000 + n[2] / 1000000);
        return true;
    }
}

/* ---- messages ---- */

static bool read_message(struct run *r, const struct pb_reader *plan, struct cursor c,
                         struct sluice_value *values);

/* Into the struct that is there, or a new one. */
static bool read_struct(struct run *r, const struct pb_reader *plan, struct cursor span,
                        struct sluice_value *v)
{
    struct sluice_value *values;
    if (v->type == SLUICE_STRUCT && v->u.v != plan->initial) {
        values = (struct sluice_value *)(uintptr_t)v->u.v; /* ours, of this record */
    } else {
        values = take_memory(r, (plan->values_n + 1) * sizeof *values);
        if (!values) return false;
        if (plan->values_n) memcpy(values, plan->initial, plan->values_n * sizeof *values);
        *v = sluice_nested(SLUICE_STRUCT, values, plan->values_n);
    }
    return read_message(r, plan, span, values);
}

static bool read_value(struct run *r, struct cursor *c, const struct pb_reader_field *field,
                       struct sluice_value *v)
{
    struct cursor span;
    struct sluice_value inner[1];
    if (field->kind == PB_SCALAR || field->kind == PB_ENUM_TEXT) {
        return read_scalar(r, c, field, v);
    }
    bool group = field->type == PB_GROUP;
    if (!(group ? skip_group(r, c, field->number, &span) : read_span(r, c, &span))) return false;
    switch ((enum pb_kind)field->kind) {
    case PB_STRUCT: return read_struct(r, field->message, span, v);
    case PB_RAW: *v = sluice_bytes(span.at, (size_t)(span.end - span.at)); return true;
    case PB_WRAPPED:
        inner[0] = field->message->initial[0];
        if (!read_message(r, field->message, span, inner)) return false;
        *v = inner[0];
        return true;
    default: return read_logical(r, field, span, v);
    }
}

/* Room for one more in a list or map that grows by doubling. */
static struct sluice_value *grow(struct run *r, struct sluice_value *list, uint32_t per)
{
    uint32_t n = list->len;
    struct sluice_value *items = (struct sluice_value *)(uintptr_t)list->u.v;
    if (n == 0 || (n >= 4 && (n & (n - 1)) == 0)) {
        struct sluice_value *grown = take_memory(r, (n ? 2 * (size_t)n : 4) * per * sizeof *grown);
        if (!grown) return NULL;
        if (n) memcpy(grown, items, (size_t)n * per * sizeof *grown);
        list->u.v = items = grown;
    }
    return items + (size_t)n * per;
}

static bool read_item(struct run *r, struct cursor *c, const struct pb_reader_field *field,
                      struct sluice_value *list)
{
    struct sluice_value *item = grow(r, list, 1);
    if (!item) return false;
    *item = sluice_null();
    if (!read_value(r, c, field, item)) return false;
    list->len++;
    return true;
}

static bool read_entry(struct run *r, struct cursor *c, const struct pb_reader_field *field,
                       struct sluice_value *map)
{
    struct cursor span;
    if (!read_span(r, c, &span)) return false;
    struct sluice_value *entry = grow(r, map, 2);
    if (!entry) return false;
    memcpy(entry, field->message->initial, 2 * sizeof *entry);
    if (!read_message(r, field->message, span, entry)) return false;
    map->len++;
    return true;
}

/* The values of a union struct, with all others but this member null. */
static struct sluice_value *open_union(struct run *r, const struct pb_reader_field *field,
                                       struct sluice_value *v)
{
    struct sluice_value *members = (struct sluice_value *)(uintptr_t)v->u.v;
    if (v->type != SLUICE_STRUCT) {
        members = take_memory(r, field->members_n * sizeof *members);
        if (!members) return NULL;
        for (uint32_t i = 0; i < field->members_n; i++) members[i] = sluice_null();
        *v = sluice_nested(SLUICE_STRUCT, members, field->members_n);
    }
    for (uint32_t i = 0; i < field->members_n; i++) {
        if (i != (uint32_t)field->member) members[i] = sluice_null();
    }
    return &members[field->member];
}

static bool read_field(struct run *r, struct cursor *c, const struct pb_reader_field *field,
                       unsigned wire, struct sluice_value *values)
{
    struct sluice_value *v = &values[field->slot];
    assert(field->member < (int32_t)field->members_n || field->member < 0);
    unsigned own = wire_of(field);
    if (field->repeated && wire == 2 && own != 2 && own != 3) { /* packed */
        struct cursor span;
        if (!read_span(r, c, &span)) return false;
        while (span.at < span.end) {
            if (!read_item(r, &span, field, v)) return false;
        }
        return true;
    }
    if (wire != own) return skip(r, c, field->number, wire);
    if (field->kind == PB_MAP) return read_entry(r, c, field, v);
    if (field->repeated) return read_item(r, c, field, v);
    if (field->member >= 0 && !(v = open_union(r, field, v))) return false;
    return read_value(r, c, field, v);
}

static const struct pb_reader_field *find(const struct pb_reader *plan, uint32_t number)
{
    if (number < plan->dense_n) {
        uint16_t at = plan->dense[number];
        assert(at <= plan->fields_n);
        return at ? &plan->fields[at - 1] : NULL;
    }
    uint32_t low = 0, high = plan->fields_n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (plan->fields[mid].number < number) low = mid + 1;
        else high = mid;
    }
    return low < plan->fields_n && plan->fields[low].number == number ? &plan->fields[low] : NULL;
}

/* ---- maps hold each key once ---- */

static uint32_t key_hash(const struct sluice_value *key)
{
    uint64_t h = (uint64_t)key->u.i * UINT64_C(0x9E3779B97F4A7C15);
    if (key->type == SLUICE_STRING) {
        h = 14695981039346656037u;
        for (uint32_t i = 0; i < key->len; i++) {
            h = (h ^ (unsigned char)key->u.s[i]) * 1099511628211u;
        }
    }
    return (uint32_t)(h >> 32 ^ h);
}

static bool same_key(const struct sluice_value *a, const struct sluice_value *b)
{
    if (a->type != SLUICE_STRING) return a->u.i == b->u.i;
    return a->len == b->len && (a->len == 0 || memcmp(a->u.s, b->u.s, a->len) == 0);
}

/* The last value of a key counts, at the place of its first. */
static bool unique(struct run *r, struct sluice_value *map)
{
    struct sluice_value *entries = (struct sluice_value *)(uintptr_t)map->u.v;
    uint32_t mask = 4, kept = 0;
    if (map->len < 2) return true;
    assert(entries);
    while (mask < 2 * (uint64_t)map->len) mask *= 2;
    uint32_t *slots = take_memory(r, mask * sizeof *slots);
    if (!slots) return false;
    memset(slots, 0, mask * sizeof *slots);
    for (uint32_t i = 0; i < map->len; i++) {
        struct sluice_value *entry = &entries[2 * (size_t)i];
        uint32_t at = key_hash(entry) & (mask - 1);
        while (slots[at] && !same_key(&entries[2 * (size_t)(slots[at] - 1)], entry)) {
            at = (at + 1) & (mask - 1);
        }
        if (slots[at]) {
            entries[2 * (size_t)(slots[at] - 1) + 1] = entry[1];
            continue;
        }
        memmove(&entries[2 * (size_t)kept], entry, 2 * sizeof *entry);
        slots[at] = ++kept;
    }
    map->len = kept;
    return true;
}

static bool finish(struct run *r, const struct pb_reader *plan, struct sluice_value *values)
{
    for (uint32_t i = 0; plan->maps && i < plan->values_n; i++) {
        if (values[i].type == SLUICE_MAP && !unique(r, &values[i])) return false;
    }
    for (uint32_t i = 0; plan->deep && i < plan->values_n; i++) {
        const struct sluice_value *initial = &plan->initial[i];
        if (initial->len == 0 || values[i].u.v != initial->u.v) continue;
        values[i] = sluice_value_copy(&r->batch->arena, initial); /* the plan may go first */
    }
    return true;
}

static bool read_message(struct run *r, const struct pb_reader *plan, struct cursor c,
                         struct sluice_value *values)
{
    if (++r->depth > DEPTH_MAX) {
        return sluice_err_set(r->err, "the Protobuf message is nested deeper than %u levels",
                              DEPTH_MAX);
    }
    while (c.at < c.end) {
        uint32_t number;
        unsigned wire;
        if (!read_tag(r, &c, &number, &wire)) return false;
        const struct pb_reader_field *field = find(plan, number);
        if (!field) {
            if (!skip(r, &c, number, wire)) return false;
        } else if (!read_field(r, &c, field, wire, values)) {
            return sluice_err_wrap(r->err, "field %s", field->name);
        }
    }
    assert(r->depth > 0 && c.at == c.end);
    r->depth--;
    return finish(r, plan, values);
}

bool pb_decode(struct sluice_batch *batch, const struct pb_reader *reader, const void *data,
               size_t len, struct sluice_value *v, struct sluice_err *err)
{
    struct run r = {.batch = batch, .err = err, .budget = MEMORY_MAX};
    struct cursor c = {data, (const unsigned char *)data + len};
    if (len > UINT32_MAX) {
        return sluice_err_set(err, "cannot read %zu bytes of Protobuf: at most 4 GiB", len);
    }
    *v = sluice_null();
    if (!reader->unwrap) return read_struct(&r, reader, c, v);
    *v = reader->initial[0];
    return read_message(&r, reader, c, v);
}
