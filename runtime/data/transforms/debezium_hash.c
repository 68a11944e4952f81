/* debezium_hash.c - see debezium_hash.h. */
#include "data/transforms/debezium_hash.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "data/decimal.h"
#include "data/java_text.h"

/* ---- Java ---- */

static uint32_t fold(uint64_t bits) { return (uint32_t)(bits ^ bits >> 32); }

static uint32_t text_hash(const char *s, size_t len)
{
    uint32_t h = 0;
    for (size_t i = 0; i < len;) {
        unsigned char c = (unsigned char)s[i];
        size_t n = sluice_utf8_char(s + i, len - i);
        if (n <= 1) {
            h = 31 * h + (n ? c : 0xfffd);
            i++;
            continue;
        }
        uint32_t code = c & 0xffu >> (n + 1);
        for (size_t k = 1; k < n; k++) code = code << 6 | ((unsigned char)s[i + k] & 0x3f);
        if (code > 0xffff) {
            h = 31 * h + 0xd800 + ((code - 0x10000) >> 10);
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        h = 31 * h + code;
        i += n;
    }
    return h;
}

/* BigInteger.hashCode(): 32-bit words of the magnitude from the highest on, times the sign. */
static uint32_t integer_hash(const unsigned char *octets, size_t len)
{
    bool negative = len && octets[0] & 0x80;
    uint32_t h = 0;
    /* the magnitude is the complement plus one: find up to where the carry goes */
    size_t carried = len;
    while (negative && carried > 0 && octets[carried - 1] == 0) carried--;
    for (size_t at = 0; at < len;) {
        size_t n = (len - at) % 4 ? (len - at) % 4 : 4;
        uint32_t word = 0;
        for (size_t i = at; i < at + n; i++) {
            unsigned char c = octets[i];
            if (negative)
                c = (unsigned char)(i + 1 < carried ? 255u - c : i + 1 == carried ? 256u - c : 0);
            word = word << 8 | c;
        }
        h = 31 * h + word; /* leading zero words change nothing */
        at += n;
    }
    return negative ? 0u - h : h;
}

static uint32_t octets_hash(const struct sluice_value *v)
{
    uint32_t h = 1;
    for (uint32_t i = v->len; i > 0; i--)
        h = 31 * h + (uint32_t)(int32_t)(signed char)v->u.s[i - 1];
    return h;
}

static uint32_t float_hash(double d)
{
    float f = (float)d;
    uint32_t bits;
    if (f != f) return 0x7fc00000;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static uint32_t double_hash(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return fold(d == d ? bits : UINT64_C(0x7ff8000000000000));
}

uint32_t dbz_java_hash(const struct sluice_schema *schema, const struct sluice_value *v)
{
    uint32_t h = 1;
    int32_t scale;
    enum sluice_logical logical = sluice_logical_of(schema);
    switch ((enum sluice_type)v->type) {
    case SLUICE_NULL: return 0;
    case SLUICE_BOOLEAN: return v->u.i ? 1231 : 1237;
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
        if (logical == SLUICE_LOGICAL_DATE) return fold((uint64_t)(v->u.i * 86400000));
        return logical == SLUICE_LOGICAL_TIME ? fold((uint64_t)v->u.i) : (uint32_t)v->u.i;
    case SLUICE_INT64: return fold((uint64_t)v->u.i);
    case SLUICE_FLOAT32: return float_hash(v->u.d);
    case SLUICE_FLOAT64: return double_hash(v->u.d);
    case SLUICE_STRING: return text_hash(v->u.s, v->len);
    case SLUICE_BYTES:
        if (logical == SLUICE_LOGICAL_DECIMAL && sluice_decimal_scale(schema, &scale, NULL)) {
            return 31 * integer_hash((const unsigned char *)v->u.s, v->len) + (uint32_t)scale;
        }
        return octets_hash(v);
    case SLUICE_ARRAY:
        for (uint32_t i = 0; i < v->len; i++) {
            h = 31 * h + dbz_java_hash(schema ? schema->elem : NULL, &v->u.v[i]);
        }
        return h;
    case SLUICE_MAP:
        h = 0;
        for (size_t i = 0; i < v->len; i++) {
            h += dbz_java_hash(schema ? schema->key : NULL, &v->u.v[2 * i]) ^
                 dbz_java_hash(schema ? schema->elem : NULL, &v->u.v[2 * i + 1]);
        }
        return h;
    case SLUICE_STRUCT:
        for (uint32_t i = 0; i < v->len; i++) {
            h = 31 * h + dbz_java_hash(schema ? schema->fields[i].schema : NULL, &v->u.v[i]);
        }
        return h;
    }
    assert(!"a value has one of these types");
    return 0;
}

/* ---- MurmurHash3, x64, the first of two words, as an early version of it mixes ---- */

struct murmur {
    uint64_t h1, h2, k1, k2, c1, c2;
};

static uint64_t rotate(uint64_t x, int n) { return x << n | x >> (64 - n); }

static void mix(struct murmur *m)
{
    m->k1 = rotate(m->k1 * m->c1, 23) * m->c2;
    m->h1 = (m->h1 ^ m->k1) + m->h2;
    m->h2 = rotate(m->h2, 41);
    m->k2 = rotate(m->k2 * m->c2, 23) * m->c1;
    m->h2 = (m->h2 ^ m->k2) + m->h1;
    m->h1 = m->h1 * 3 + 0x52dce729;
    m->h2 = m->h2 * 3 + 0x38495ab5;
    m->c1 = m->c1 * 5 + 0x7b7d159c;
    m->c2 = m->c2 * 5 + 0x6bce6396;
}

static uint64_t finish(uint64_t k)
{
    k = (k ^ k >> 33) * UINT64_C(0xff51afd7ed558ccd);
    k = (k ^ k >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return k ^ k >> 33;
}

static uint64_t word_at(const unsigned char *at)
{
    uint64_t word = 0;
    for (int i = 7; i >= 0; i--) word = word << 8 | at[i];
    return word;
}

/* The octets of a last, short block are signed in Java. */
static uint64_t tail_at(const unsigned char *at, size_t n)
{
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++) word ^= (uint64_t)(int64_t)(signed char)at[i] << 8 * i;
    return word;
}

static uint32_t murmur(const unsigned char *data, size_t len)
{
    const uint64_t seed = 9001;
    struct murmur m = {.h1 = UINT64_C(0x9368e53c2f6af274) ^ seed,
                       .h2 = UINT64_C(0x586dcd208f7cd3fd) ^ seed,
                       .c1 = UINT64_C(0x87c37b91114253d5),
                       .c2 = UINT64_C(0x4cf5ad432745937f)};
    size_t at = 0;
    for (; len - at >= 16; at += 16) {
        m.k1 = word_at(data + at);
        m.k2 = word_at(data + at + 8);
        mix(&m);
    }
    if (at < len) {
        size_t rest = len - at;
        m.k1 = tail_at(data + at, rest < 8 ? rest : 8);
        m.k2 = rest > 8 ? tail_at(data + at + 8, rest - 8) : 0;
        mix(&m);
    }
    m.h2 ^= len;
    m.h1 += m.h2;
    m.h2 += m.h1;
    m.h1 = finish(m.h1);
    m.h2 = finish(m.h2);
    return (uint32_t)((m.h1 + m.h2) >> 32);
}

uint32_t dbz_murmur_hash(const struct sluice_schema *schema, const struct sluice_value *v)
{
    if (v->type == SLUICE_STRING) return murmur((const unsigned char *)v->u.s, v->len);
    uint32_t h = dbz_java_hash(schema, v);
    unsigned char octets[4] = {(unsigned char)h, (unsigned char)(h >> 8), (unsigned char)(h >> 16),
                               (unsigned char)(h >> 24)};
    return murmur(octets, sizeof octets);
}
