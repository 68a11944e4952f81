/* json_write.c - values to JSON text as Jackson writes it (json_text.h, json_io.h).
 * Strings are scanned 8 bytes at a time; only what needs an escape leaves the loop. */
#include <assert.h>
#include <math.h>

#include "base/err.h"
#include "base/utf8.h"
#include "data/base64.h"
#include "data/json_io.h"
#include "data/json_scan.h"
#include "data/json_text.h"
#include "data/number_text.h"

/* ---- strings ---- */

/* What one character that cannot stand as it is takes at most: a surrogate pair. */
#define ESCAPE_MAX 12u

static const char hex[] = "0123456789ABCDEF";

static char *write_u(char *to, uint32_t code)
{
    *to++ = '\\';
    *to++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4) *to++ = hex[code >> shift & 15];
    return to;
}

/* Writes the character at s, which is no plain ASCII, and moves s behind it. */
static char *write_special(char *to, const unsigned char **s, const unsigned char *end)
{
    unsigned char c = **s;
    if (c >= 0x80) {
        size_t n = sluice_utf8_char((const char *)*s, (size_t)(end - *s));
        if (n == 0) { /* not UTF-8 */
            memcpy(to, "\xEF\xBF\xBD", 3);
            *s += 1;
            return to + 3;
        }
        if (n == 4) {
            const unsigned char *b = *s;
            uint32_t code =
                (b[0] & 7u) << 18 | (b[1] & 63u) << 12 | (b[2] & 63u) << 6 | (b[3] & 63u);
            code -= 0x10000;
            to = write_u(to, 0xD800 | code >> 10);
            to = write_u(to, 0xDC00 | (code & 0x3FF));
        } else {
            memcpy(to, *s, n);
            to += n;
        }
        *s += n;
        return to;
    }
    *s += 1;
    char letter = 0;
    switch (c) {
    case '"':
    case '\\': letter = (char)c; break;
    case '\b': letter = 'b'; break;
    case '\t': letter = 't'; break;
    case '\n': letter = 'n'; break;
    case '\f': letter = 'f'; break;
    case '\r': letter = 'r'; break;
    default: return write_u(to, c);
    }
    *to++ = '\\';
    *to++ = letter;
    return to;
}

bool sluice_json_string(struct sluice_buf *buf, const char *s, size_t len, struct sluice_err *err)
{
    const unsigned char *at = (const unsigned char *)s, *end = at + len;
    size_t slack = 2 + 8 + ESCAPE_MAX; /* quotes, the last whole word, the next escape */
    if (!sluice_json_room(buf, len + slack, err)) return false;
    char *to = buf->data + buf->len;
    *to++ = '"';
    for (;;) {
        while (end - at >= 8) {
            uint64_t word;
            memcpy(&word, at, 8);
            uint64_t special = sluice_special_bytes(word);
            memcpy(to, &word, 8);
            if (special) {
                unsigned plain = (unsigned)__builtin_ctzll(special) >> 3;
                at += plain;
                to += plain;
                break;
            }
            at += 8;
            to += 8;
        }
        while (at < end && sluice_is_plain(*at)) *to++ = (char)*at++;
        if (at == end) break;
        do {
            to = write_special(to, &at, end);
            buf->len = (size_t)(to - buf->data);
            if (!sluice_json_room(buf, (size_t)(end - at) + slack, err)) return false;
            to = buf->data + buf->len;
        } while (at < end && !sluice_is_plain(*at));
    }
    *to++ = '"';
    buf->len = (size_t)(to - buf->data);
    assert(buf->len <= buf->cap);
    return true;
}

bool sluice_json_base64(struct sluice_buf *buf, const char *data, size_t len,
                        struct sluice_err *err)
{
    if (!sluice_json_room(buf, (len + 2) / 3 * 4 + 2, err)) return false;
    char *to = buf->data + buf->len;
    *to++ = '"';
    to = sluice_base64_write(to, data, len);
    *to++ = '"';
    buf->len = (size_t)(to - buf->data);
    return true;
}

/* ---- numbers ---- */

bool sluice_json_int(struct sluice_buf *buf, int64_t i, struct sluice_err *err)
{
    if (!sluice_json_room(buf, SLUICE_INT_TEXT + 1, err)) return false;
    buf->len = (size_t)(sluice_int_text(buf->data + buf->len, i) - buf->data);
    return true;
}

bool sluice_json_bool(struct sluice_buf *buf, bool b, struct sluice_err *err)
{
    return b ? sluice_json_raw(buf, "true", 4, err) : sluice_json_raw(buf, "false", 5, err);
}

static bool write_real(struct sluice_buf *buf, bool finite, const char *text, size_t n,
                       struct sluice_err *err)
{
    if (!sluice_json_room(buf, n + 2, err)) return false;
    char *to = buf->data + buf->len;
    if (!finite) *to++ = '"';
    memcpy(to, text, n);
    to += n;
    if (!finite) *to++ = '"';
    buf->len = (size_t)(to - buf->data);
    return true;
}

bool sluice_json_double(struct sluice_buf *buf, double d, struct sluice_err *err)
{
    char text[32];
    size_t n = sluice_double_text(d, text);
    return write_real(buf, isfinite(d), text, n, err);
}

bool sluice_json_float(struct sluice_buf *buf, float f, struct sluice_err *err)
{
    char text[32];
    size_t n = sluice_float_text(f, text);
    return write_real(buf, isfinite(f), text, n, err);
}

/* ---- whole values without a schema ---- */

/* An object when all keys are strings, else a list of pairs. */
static bool write_map(struct sluice_buf *buf, const struct sluice_value *v, struct sluice_err *err)
{
    bool object = true;
    for (size_t i = 0; i < v->len && object; i++) object = v->u.v[2 * i].type == SLUICE_STRING;
    if (!sluice_json_raw(buf, object ? "{" : "[", 1, err)) return false;
    for (size_t i = 0; i < v->len; i++) {
        if (i && !sluice_json_raw(buf, ",", 1, err)) return false;
        if (!object && !sluice_json_raw(buf, "[", 1, err)) return false;
        if (!sluice_json_value(buf, &v->u.v[2 * i], err)) return false;
        if (!sluice_json_raw(buf, object ? ":" : ",", 1, err)) return false;
        if (!sluice_json_value(buf, &v->u.v[2 * i + 1], err)) return false;
        if (!object && !sluice_json_raw(buf, "]", 1, err)) return false;
    }
    return sluice_json_raw(buf, object ? "}" : "]", 1, err);
}

bool sluice_json_value(struct sluice_buf *buf, const struct sluice_value *v, struct sluice_err *err)
{
    switch ((enum sluice_type)v->type) {
    case SLUICE_NULL: return sluice_json_raw(buf, "null", 4, err);
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64: return sluice_json_int(buf, v->u.i, err);
    case SLUICE_FLOAT32: return sluice_json_float(buf, (float)v->u.d, err);
    case SLUICE_FLOAT64: return sluice_json_double(buf, v->u.d, err);
    case SLUICE_BOOLEAN: return sluice_json_bool(buf, v->u.i != 0, err);
    case SLUICE_STRING: return sluice_json_string(buf, v->u.s, v->len, err);
    case SLUICE_BYTES: return sluice_json_base64(buf, v->u.s, v->len, err);
    case SLUICE_ARRAY:
        if (!sluice_json_raw(buf, "[", 1, err)) return false;
        for (uint32_t i = 0; i < v->len; i++) {
            if (i && !sluice_json_raw(buf, ",", 1, err)) return false;
            if (!sluice_json_value(buf, &v->u.v[i], err)) return false;
        }
        return sluice_json_raw(buf, "]", 1, err);
    case SLUICE_MAP: return write_map(buf, v, err);
    case SLUICE_STRUCT: break;
    }
    return sluice_err_set(err, "cannot write a %s without its schema as JSON",
                          v->type == SLUICE_STRUCT ? "struct" : "value of unknown type");
}
