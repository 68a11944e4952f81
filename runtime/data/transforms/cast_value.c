/* cast_value.c - see cast_value.h. */
#include "data/transforms/cast_value.h"
#include <assert.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "data/base64.h"
#include "data/converters/header_text.h"
#include "data/decimal.h"
#include "data/java_text.h"
#include "data/number_text.h"
#include "data/schema.h"

/* A number on its way: an integer, or a real; a Decimal is both, each made from its digits. */
struct number {
    bool real; /* d is the number, i what Java's longValue() gives */
    bool decimal;
    int64_t i;
    double d;
    float f; /* decimal: rounded once */
};

static bool unexpected(const char *class, struct sluice_err *err)
{
    return sluice_err_set(err, "Unexpected type in Cast transformation: class %s", class);
}

static bool out_of_range(const struct sluice_value *v, struct sluice_err *err)
{
    return sluice_err_set(err, "Value (%.*s) was out of range for requested data type",
                          (int)(v->len < 200 ? v->len : 200), v->u.s);
}

/* ---- Java's narrowing: NaN is 0, what is too large the largest ---- */

static int64_t java_long(double d)
{
    if (d != d) return 0;
    if (d >= 0x1p63) return INT64_MAX;
    if (d < -0x1p63) return INT64_MIN;
    return (int64_t)d;
}

static int32_t java_int(double d)
{
    if (d != d) return 0;
    if (d >= 0x1p31) return INT32_MAX;
    if (d <= -0x1p31) return INT32_MIN;
    return (int32_t)d;
}

static int64_t wrap(int64_t i, enum sluice_type type)
{
    switch (type) {
    case SLUICE_INT8: return (int8_t)(uint8_t)(uint64_t)i;
    case SLUICE_INT16: return (int16_t)(uint16_t)(uint64_t)i;
    case SLUICE_INT32: return (int32_t)(uint32_t)(uint64_t)i;
    default: return i;
    }
}

/* ---- numbers from text ---- */

static bool parse_int(const struct sluice_value *v, enum sluice_type type, int64_t *out)
{
    const char *s = v->u.s, *end = s + v->len;
    bool minus = v->len && *s == '-';
    uint64_t u = 0, max = (uint64_t)INT64_MAX + minus;
    if (v->len && (*s == '-' || *s == '+')) s++;
    if (s == end) return false;
    for (; s < end; s++) {
        unsigned digit = (unsigned)(*s - '0');
        if (digit > 9 || u > (max - digit) / 10) return false;
        u = u * 10 + digit;
    }
    *out = (int64_t)(minus ? 0 - u : u);
    return wrap(*out, type) == *out;
}

static const char *skip_digits(const char *s, bool hex, size_t *n)
{
    size_t have = hex ? strspn(s, "0123456789abcdefABCDEF") : strspn(s, "0123456789");
    *n += have;
    return s + have;
}

/* Whether Double.parseDouble() takes the text, trimmed and terminated; a last f or d is cut off. */
static bool is_java_real(char *s)
{
    char *start = s;
    size_t digits = 0, exponent = 0;
    if (*s == '-' || *s == '+') s++;
    if (strcmp(s, "NaN") == 0 || strcmp(s, "Infinity") == 0) return true;
    bool hex = s[0] == '0' && (s[1] | 32) == 'x';
    if (hex) s += 2;
    const char *at = skip_digits(s, hex, &digits);
    if (*at == '.') at = skip_digits(at + 1, hex, &digits);
    if (digits == 0) return false;
    if ((*at | 32) == (hex ? 'p' : 'e')) {
        at++;
        if (*at == '-' || *at == '+') at++;
        at = skip_digits(at, false, &exponent);
        if (exponent == 0) return false;
    } else if (hex) {
        return false;
    }
    if (*at && strchr("fFdD", *at)) start[at++ - start] = '\0';
    return *at == '\0';
}

/* Only the C locale is ever set, so that strtod reads what Java writes; it rounds correctly too. */
static bool parse_real(struct sluice_buf *text, const struct sluice_value *v, struct number *n)
{
    const char *s = v->u.s;
    size_t len = v->len;
    while (len && (unsigned char)*s <= ' ') s++, len--;
    while (len && (unsigned char)s[len - 1] <= ' ') len--;
    if (len == 0 || memchr(s, '\0', len)) return false;
    sluice_buf_clear(text);
    sluice_buf_add(text, s, len);
    sluice_buf_add(text, "", 1);
    if (!is_java_real(text->data)) return false;
    n->d = strtod(text->data, NULL);
    n->f = strtof(text->data, NULL);
    return true;
}

/* The integer part of a BigDecimal's text, modulo 2^64. */
static int64_t decimal_long(const char *s)
{
    const char *e = strchr(s, 'E'), *dot = strchr(s, '.');
    bool minus = *s == '-';
    long shift = e ? strtol(e + 1, NULL, 10) : 0;
    uint64_t u = 0;
    long whole = (long)((dot ? dot : e ? e : s + strlen(s)) - s) - minus + shift;
    for (s += minus; whole > 0 && *s && *s != 'E'; s++) {
        if (*s == '.') continue;
        u = u * 10 + (uint64_t)(*s - '0');
        whole--;
    }
    if (whole >= 64) return 0; /* a multiple of 2^64 */
    for (; whole > 0; whole--) u *= 10;
    return (int64_t)(minus ? 0 - u : u);
}

static bool read_decimal(struct sluice_buf *text, const struct sluice_schema *schema,
                         const struct sluice_value *v, struct number *n, struct sluice_err *err)
{
    int32_t scale;
    sluice_buf_clear(text);
    if (!sluice_decimal_scale(schema, &scale, err)) return false;
    if (!sluice_decimal_text(text, v->u.s, v->len, scale, err)) return false;
    const char *s = sluice_buf_str(text);
    n->decimal = true;
    n->i = decimal_long(s);
    n->d = strtod(s, NULL);
    n->f = strtof(s, NULL);
    return true;
}

/* ---- casting ---- */

static bool cast_to_text(struct sluice_batch *batch, struct sluice_buf *text,
                         const struct sluice_schema *schema, const struct sluice_value *v,
                         struct sluice_value *out, struct sluice_err *err)
{
    enum sluice_logical logical = sluice_logical_of(schema);
    if (v->type == SLUICE_STRING) {
        *out = *v;
        return true;
    }
    if (v->type <= SLUICE_INT64 && logical == SLUICE_LOGICAL_NONE) {
        char *to = sluice_batch_alloc(batch, SLUICE_INT_TEXT);
        *out = sluice_string(to, (size_t)(sluice_int_text(to, v->u.i) - to));
        return true;
    }
    if (v->type == SLUICE_BYTES && logical != SLUICE_LOGICAL_DECIMAL) {
        if (v->len > UINT32_MAX / 4 * 3 - 2) {
            return sluice_err_set(err, "cannot cast %u octets to a text", v->len);
        }
        char *to = sluice_batch_alloc(batch, ((size_t)v->len + 2) / 3 * 4);
        *out = sluice_string(to, (size_t)(sluice_base64_write(to, v->u.s, v->len) - to));
        return true;
    }
    sluice_buf_clear(text);
    bool date = logical != SLUICE_LOGICAL_NONE && logical != SLUICE_LOGICAL_DECIMAL;
    if (!(date ? sluice_header_write : sluice_java_text)(text, schema, v, err)) return false;
    char *to = sluice_batch_alloc(batch, text->len);
    memcpy(to, text->data, text->len);
    *out = sluice_string(to, text->len);
    return true;
}

static void number_to(const struct number *n, enum sluice_type type, struct sluice_value *out)
{
    int64_t i = n->real ? java_long(n->d) : n->i;
    assert(!n->real || !n->decimal);
    switch (type) {
    case SLUICE_FLOAT32:
        *out = sluice_float64(n->decimal ? (double)n->f
                              : n->real  ? (double)(float)n->d
                                         : (double)(float)n->i);
        out->type = SLUICE_FLOAT32;
        return;
    case SLUICE_FLOAT64: *out = sluice_float64(n->real || n->decimal ? n->d : (double)n->i); return;
    case SLUICE_BOOLEAN: *out = sluice_bool(i != 0); return;
    default:
        if (n->real && type != SLUICE_INT64) i = java_int(n->d);
        *out = sluice_int(type, wrap(i, type));
    }
}

static bool text_to(struct sluice_buf *text, const struct sluice_value *v, enum sluice_type type,
                    struct sluice_value *out, struct sluice_err *err)
{
    struct number n = {0};
    int64_t i;
    switch (type) {
    case SLUICE_BOOLEAN:
        *out = sluice_bool(v->len == 4 && strncasecmp(v->u.s, "true", 4) == 0);
        return true;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        if (!parse_real(text, v, &n)) return out_of_range(v, err);
        *out = sluice_float64(type == SLUICE_FLOAT32 ? (double)n.f : n.d);
        out->type = (uint8_t)type;
        return true;
    default:
        if (!parse_int(v, type, &i)) return out_of_range(v, err);
        *out = sluice_int(type, i);
        return true;
    }
}

bool cast_value(struct sluice_batch *batch, struct sluice_buf *text,
                const struct sluice_schema *schema, const struct sluice_value *v,
                enum sluice_type type, struct sluice_value *out, struct sluice_err *err)
{
    struct number n = {.i = v->u.i, .d = v->u.d};
    assert(type >= SLUICE_INT8 && (type <= SLUICE_STRING || v->type >= SLUICE_ARRAY));
    if (v->type == SLUICE_NULL) {
        *out = *v;
        return true;
    }
    if (v->type >= SLUICE_ARRAY) {
        return sluice_err_set(err,
                              "Cast transformation does not support casting from %s; supported "
                              "types are [INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, "
                              "STRING, BYTES]",
                              sluice_type_name(v->type));
    }
    if (type == SLUICE_STRING) return cast_to_text(batch, text, schema, v, out, err);
    switch ((enum sluice_type)v->type) {
    case SLUICE_STRING: return text_to(text, v, type, out, err);
    case SLUICE_BYTES:
        if (sluice_logical_of(schema) != SLUICE_LOGICAL_DECIMAL) return unexpected("[B", err);
        if (!read_decimal(text, schema, v, &n, err)) return false;
        break;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64: n.real = true; break;
    default: break;
    }
    number_to(&n, type, out);
    return true;
}
