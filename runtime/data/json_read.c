/* json_read.c - the steps of reading JSON (json_io.h) as Connect's JsonDeserializer (Jackson) does:
 * leading zeros are allowed, depth and number length are capped as there, duplicate members keep
 * the last value. One pass, no tokens in between; a string without escapes is not copied.
 * json_number.c and json_tree.c have the rest. */
#include <assert.h>

#include "base/err.h"
#include "base/utf8.h"
#include "data/json_io.h"
#include "data/json_scan.h"

void sluice_json_reader_init(struct sluice_json_reader *r, struct sluice_batch *batch,
                             const char *text, size_t len, struct sluice_err *err)
{
    r->text = r->at = text;
    r->end = text + len;
    r->batch = batch;
    r->err = err;
    r->depth = 0;
    r->strict = r->broken = false;
    r->stack = r->first;
    r->stack_n = 0;
    r->stack_cap = sizeof r->first / sizeof *r->first;
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) r->at += 3;
}

/* ---- small steps ---- */

int sluice_json_peek(struct sluice_json_reader *r)
{
    while (r->at < r->end) {
        unsigned char c = (unsigned char)*r->at;
        if (c > ' ') return c;
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return c;
        r->at++;
    }
    return -1;
}

bool sluice_json_take(struct sluice_json_reader *r, char c)
{
    if (sluice_json_peek(r) != (unsigned char)c) return false;
    r->at++;
    return true;
}

bool sluice_json_unexpected(struct sluice_json_reader *r, const char *expected)
{
    size_t place = (size_t)(r->at - r->text);
    r->broken = true;
    if (r->at >= r->end) {
        return sluice_err_set(r->err, "the text ends at byte %zu where %s was expected", place,
                              expected);
    }
    unsigned char c = (unsigned char)*r->at;
    if (c > ' ' && c < 0x7F) {
        return sluice_err_set(r->err, "unexpected '%c' at byte %zu where %s was expected", c, place,
                              expected);
    }
    return sluice_err_set(r->err, "unexpected byte 0x%02x at byte %zu where %s was expected", c,
                          place, expected);
}

bool sluice_json_enter(struct sluice_json_reader *r)
{
    if (r->depth >= SLUICE_JSON_DEPTH) {
        r->broken = true;
        return sluice_err_set(r->err, "nested deeper than %d levels at byte %zu", SLUICE_JSON_DEPTH,
                              (size_t)(r->at - r->text));
    }
    r->depth++;
    return true;
}

bool sluice_json_read_word(struct sluice_json_reader *r, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0) {
        return sluice_json_unexpected(r, word);
    }
    const char *behind = r->at + n;
    if (behind < r->end) { /* "nullx" is no null */
        unsigned char c = (unsigned char)*behind;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '_' || c >= 0x80) {
            return sluice_json_unexpected(r, word);
        }
    }
    r->at = behind;
    return true;
}

/* ---- strings ---- */

/* Moves at to the closing quote or the first escape; checks UTF-8. */
static bool scan_plain(struct sluice_json_reader *r)
{
    const char *at = r->at, *end = r->end;
    for (;;) {
        while (end - at >= 8) {
            uint64_t word;
            memcpy(&word, at, 8);
            uint64_t special = sluice_special_bytes(word);
            if (special) {
                at += (unsigned)__builtin_ctzll(special) >> 3;
                break;
            }
            at += 8;
        }
        while (at < end && sluice_is_plain((unsigned char)*at)) at++;
        r->at = at;
        if (at == end) return sluice_json_unexpected(r, "the end of a string");
        unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\') return true;
        if (c < 0x20) return sluice_json_unexpected(r, "an escape for a control character");
        do {
            size_t n = sluice_utf8_char(at, (size_t)(end - at));
            if (n == 0) {
                r->at = at;
                return sluice_json_unexpected(r, "UTF-8");
            }
            at += n;
        } while (at < end && (unsigned char)*at >= 0x80);
    }
}

static bool read_hex4(struct sluice_json_reader *r, uint32_t *code)
{
    uint32_t x = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        unsigned char c = r->at < r->end ? (unsigned char)*r->at : 0;
        unsigned char lower = c | 0x20;
        if (c >= '0' && c <= '9') {
            x = x << 4 | (unsigned)(c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            x = x << 4 | (unsigned)(lower - 'a' + 10);
        } else {
            return sluice_json_unexpected(r, "a hex digit");
        }
    }
    *code = x;
    return true;
}

/* The escape at at ('\\' not yet taken) as UTF-8; a lone surrogate becomes U+FFFD. */
static bool read_escape(struct sluice_json_reader *r, char **to)
{
    r->at++;
    if (r->at >= r->end) return sluice_json_unexpected(r, "an escaped character");
    char c = *r->at;
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    const char *found = c ? memchr(from, c, sizeof from - 1) : NULL;
    if (found) {
        *(*to)++ = into[found - from];
        r->at++;
        return true;
    }
    if (c != 'u') return sluice_json_unexpected(r, "an escaped character");
    uint32_t code = 0;
    r->at++;
    if (!read_hex4(r, &code)) return false;
    if (code >= 0xD800 && code <= 0xDFFF) {
        uint32_t low = 0;
        const char *before = r->at;
        if (code < 0xDC00 && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u') {
            r->at += 2;
            if (!read_hex4(r, &low)) return false;
        }
        if (low >= 0xDC00 && low <= 0xDFFF) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        } else {
            code = 0xFFFD;
            r->at = before;
        }
    }
    *to += sluice_utf8_put(code, *to);
    return true;
}

/* start: behind the opening quote; at: the first escape. The text can only shrink. */
static bool read_escaped(struct sluice_json_reader *r, const char *start, const char **s,
                         uint32_t *len)
{
    const char *close = r->at;
    while (close < r->end && *close != '"') close += *close == '\\' ? 2 : 1;
    size_t most = (size_t)(close - start);
    char *copy = sluice_arena_alloc(&r->batch->arena, most), *to = copy;
    for (;;) {
        memcpy(to, start, (size_t)(r->at - start));
        to += r->at - start;
        if (*r->at == '"') break;
        if (!read_escape(r, &to)) return false;
        start = r->at;
        if (!scan_plain(r)) return false;
    }
    assert((size_t)(to - copy) <= most);
    r->at++;
    *s = copy;
    *len = (uint32_t)(to - copy);
    return true;
}

bool sluice_json_read_string(struct sluice_json_reader *r, const char **s, uint32_t *len)
{
    if (!sluice_json_take(r, '"')) return sluice_json_unexpected(r, "a string");
    const char *start = r->at;
    if (!scan_plain(r)) return false;
    if (*r->at == '\\') return read_escaped(r, start, s, len);
    *s = start;
    *len = (uint32_t)(r->at - start);
    r->at++;
    return true;
}
