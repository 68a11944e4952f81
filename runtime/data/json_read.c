/* json_read.c - JSON text to values as Connect's JsonDeserializer (Jackson) reads it: leading zeros
 * are allowed, depth and number length are capped as there, duplicate members keep the last value.
 * One pass, no tokens in between; a string without escapes is not copied. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/utf8.h"
#include "data/json_io.h"
#include "data/json_scan.h"
#include "data/json_text.h"

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
        return sluice_err_set(r->err, "nested deeper than %d levels at byte %zu",
                              SLUICE_JSON_DEPTH, (size_t)(r->at - r->text));
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
    uint32_t code;
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

/* ---- numbers ---- */

static const char *read_digits(const char *at, const char *end, uint64_t *digits)
{
    uint64_t x = *digits;
    while (at < end && (unsigned char)(*at - '0') <= 9) x = x * 10 + (unsigned char)(*at++ - '0');
    *digits = x;
    return at;
}

static bool read_fraction(struct sluice_json_reader *r, struct sluice_json_number *number)
{
    const char *at = r->at;
    number->integral = false;
    if (*at == '.') {
        const char *start = ++at;
        at = read_digits(at, r->end, &number->digits);
        number->exp = (int32_t)(start - at);
        r->at = at;
        if (at == start) return sluice_json_unexpected(r, "a digit");
    }
    if (at < r->end && (*at | 0x20) == 'e') {
        bool negative = false;
        at++;
        if (at < r->end && (*at == '+' || *at == '-')) negative = *at++ == '-';
        const char *start = at;
        int32_t exp = 0;
        for (; at < r->end && (unsigned char)(*at - '0') <= 9; at++) {
            if (exp < 100000000) exp = exp * 10 + (*at - '0');
        }
        r->at = at;
        if (at == start) return sluice_json_unexpected(r, "a digit");
        number->exp += negative ? -exp : exp;
    }
    return true;
}

bool sluice_json_read_number(struct sluice_json_reader *r, struct sluice_json_number *number)
{
    sluice_json_peek(r);
    const char *start = r->at;
    number->negative = r->at < r->end && *r->at == '-';
    if (number->negative) r->at++;
    const char *first = r->at;
    number->digits = 0;
    number->exp = 0;
    number->integral = true;
    r->at = read_digits(r->at, r->end, &number->digits);
    if (r->at == first) return sluice_json_unexpected(r, "a value");
    number->exact = r->at - first <= 19;
    if (r->at < r->end && (*r->at == '.' || (*r->at | 0x20) == 'e')) {
        if (!read_fraction(r, number)) return false;
        number->exact = r->at - first <= 20; /* with the point: 19 digits */
    }
    if (r->at - start > SLUICE_JSON_NUMBER) {
        r->at = start;
        r->broken = true;
        return sluice_err_set(r->err, "number at byte %zu is longer than %d characters",
                              (size_t)(start - r->text), SLUICE_JSON_NUMBER);
    }
    number->text = start;
    number->len = (uint32_t)(r->at - start);
    return true;
}

int64_t sluice_json_long(const struct sluice_json_number *number)
{
    uint64_t x = number->digits;
    if (!number->integral) {
        /* Again, digit by digit: the fraction does not count. */
        const char *at = number->text + number->negative, *end = number->text + number->len;
        const char *stop = at;
        bool point = false;
        for (; stop < end && (*stop | 0x20) != 'e'; stop++) point |= *stop == '.';
        int64_t whole = (stop - at) - point + number->exp; /* digits before the moved point */
        x = 0;
        for (; at < stop && whole > 0; at++) {
            if (*at == '.') continue;
            x = x * 10 + (unsigned char)(*at - '0');
            whole--;
        }
        for (; whole > 0 && x != 0; whole--) x *= 10; /* 10^64 is 0 modulo 2^64 */
    }
    return (int64_t)(number->negative ? 0 - x : x);
}

/* Exact when digits and power of ten both are: one rounding. */
static const double pow10_double[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static void copy_number(const struct sluice_json_number *number, char text[SLUICE_JSON_NUMBER + 1])
{
    assert(number->len <= SLUICE_JSON_NUMBER);
    memcpy(text, number->text, number->len);
    text[number->len] = '\0';
}

double sluice_json_to_double(const struct sluice_json_number *number)
{
    if (number->exact && number->digits <= (UINT64_C(1) << 53) && number->exp >= -22 &&
        number->exp <= 22) {
        double d = (double)number->digits;
        d = number->exp < 0 ? d / pow10_double[-number->exp] : d * pow10_double[number->exp];
        return number->negative ? -d : d;
    }
    char text[SLUICE_JSON_NUMBER + 1];
    copy_number(number, text);
    return strtod(text, NULL);
}

float sluice_json_to_float(const struct sluice_json_number *number)
{
    if (number->exact && number->digits <= (UINT64_C(1) << 24) && number->exp >= -10 &&
        number->exp <= 10) {
        float f = (float)number->digits;
        float pow = (float)pow10_double[number->exp < 0 ? -number->exp : number->exp];
        f = number->exp < 0 ? f / pow : f * pow;
        return number->negative ? -f : f;
    }
    char text[SLUICE_JSON_NUMBER + 1];
    copy_number(number, text);
    return strtof(text, NULL);
}

/* ---- containers ---- */

void sluice_json_push(struct sluice_json_reader *r, struct sluice_value v)
{
    if (r->stack_n == r->stack_cap) {
        size_t cap = r->stack_cap * 2;
        struct sluice_value *stack = sluice_arena_alloc(&r->batch->arena, cap * sizeof *stack);
        memcpy(stack, r->stack, r->stack_n * sizeof *stack);
        r->stack = stack;
        r->stack_cap = cap;
    }
    r->stack[r->stack_n++] = v;
}

struct sluice_value sluice_json_pop(struct sluice_json_reader *r, enum sluice_type type,
                                    size_t mark, size_t len)
{
    size_t n = type == SLUICE_MAP ? 2 * len : len;
    assert(mark + n <= r->stack_n);
    struct sluice_value *children = sluice_arena_alloc(&r->batch->arena, n * sizeof *children);
    memcpy(children, r->stack + mark, n * sizeof *children);
    r->stack_n = mark;
    return sluice_nested(type, children, len);
}

bool sluice_json_member(struct sluice_json_reader *r, bool first, const char **s, uint32_t *len)
{
    int c = sluice_json_peek(r);
    if (c == '}') {
        r->at++;
        r->depth--;
        *s = NULL;
        return true;
    }
    if (!first) {
        if (c != ',') return sluice_json_unexpected(r, "',' or '}'");
        r->at++;
    }
    if (sluice_json_peek(r) != '"') return sluice_json_unexpected(r, "a member's name");
    if (!sluice_json_read_string(r, s, len)) return false;
    if (!sluice_json_take(r, ':')) return sluice_json_unexpected(r, "':'");
    return true;
}

bool sluice_json_item(struct sluice_json_reader *r, bool first, bool *more)
{
    int c = sluice_json_peek(r);
    *more = c != ']';
    if (!*more) {
        r->at++;
        r->depth--;
        return true;
    }
    if (first) return true;
    if (c != ',') return sluice_json_unexpected(r, "',' or ']'");
    r->at++;
    if (sluice_json_peek(r) == ']') return sluice_json_unexpected(r, "a value");
    return true;
}

static bool same_key(const struct sluice_value *a, const struct sluice_value *b)
{
    return a->type == SLUICE_STRING && b->type == SLUICE_STRING && a->len == b->len &&
           memcmp(a->u.s, b->u.s, a->len) == 0;
}

static uint32_t key_hash(const struct sluice_value *key)
{
    uint32_t h = 2166136261u;
    for (uint32_t i = 0; i < key->len; i++) h = (h ^ (unsigned char)key->u.s[i]) * 16777619u;
    return h ^ h >> 15;
}

#define FEW_KEYS 12u /* so many are compared pair by pair */

size_t sluice_json_unique(struct sluice_json_reader *r, size_t mark, size_t len)
{
    struct sluice_value *entries = r->stack + mark;
    uint32_t *slots = NULL; /* open addressing: number of an entry + 1 */
    size_t mask = 0, kept = 0;
    if (len > FEW_KEYS) {
        for (mask = 32; mask < 2 * len; mask *= 2) {
        }
        slots = sluice_arena_alloc(&r->batch->arena, mask * sizeof *slots);
        memset(slots, 0, mask * sizeof *slots);
        mask--;
    }
    for (size_t i = 0; i < len; i++) {
        const struct sluice_value *key = &entries[2 * i];
        size_t at = 0, slot = 0;
        if (slots) {
            for (slot = key_hash(key) & mask; slots[slot]; slot = (slot + 1) & mask) {
                if (same_key(&entries[2 * (slots[slot] - 1)], key)) break;
            }
            at = slots[slot] ? slots[slot] - 1 : kept;
        } else {
            while (at < kept && !same_key(&entries[2 * at], key)) at++;
        }
        if (at < kept) {
            entries[2 * at + 1] = entries[2 * i + 1];
            continue;
        }
        if (slots) slots[slot] = (uint32_t)kept + 1;
        if (kept != i) memcpy(&entries[2 * kept], &entries[2 * i], 2 * sizeof *entries);
        kept++;
    }
    return kept;
}

static bool read_object(struct sluice_json_reader *r, struct sluice_value *v)
{
    size_t mark = r->stack_n, len = 0;
    r->at++;
    if (!sluice_json_enter(r)) return false;
    for (;; len++) {
        const char *s;
        uint32_t n;
        struct sluice_value value;
        if (!sluice_json_member(r, len == 0, &s, &n)) return false;
        if (!s) break;
        sluice_json_push(r, sluice_string(s, n));
        if (!sluice_json_read(r, &value)) return false;
        sluice_json_push(r, value);
    }
    len = sluice_json_unique(r, mark, len);
    *v = sluice_json_pop(r, SLUICE_MAP, mark, len);
    return true;
}

static bool read_array(struct sluice_json_reader *r, struct sluice_value *v)
{
    size_t mark = r->stack_n, len = 0;
    r->at++;
    if (!sluice_json_enter(r)) return false;
    for (;; len++) {
        bool more;
        struct sluice_value value;
        if (!sluice_json_item(r, len == 0, &more)) return false;
        if (!more) break;
        if (!sluice_json_read(r, &value)) return false;
        sluice_json_push(r, value);
    }
    *v = sluice_json_pop(r, SLUICE_ARRAY, mark, len);
    return true;
}

bool sluice_json_read(struct sluice_json_reader *r, struct sluice_value *v)
{
    struct sluice_json_number number;
    const char *s;
    uint32_t len;
    switch (sluice_json_peek(r)) {
    case '{':
        return read_object(r, v);
    case '[':
        return read_array(r, v);
    case '"':
        if (!sluice_json_read_string(r, &s, &len)) return false;
        *v = sluice_string(s, len);
        return true;
    case 't':
        *v = sluice_bool(true);
        return sluice_json_read_word(r, "true");
    case 'f':
        *v = sluice_bool(false);
        return sluice_json_read_word(r, "false");
    case 'n':
        *v = sluice_null();
        return sluice_json_read_word(r, "null");
    default:
        if (!sluice_json_read_number(r, &number)) return false;
        *v = number.integral ? sluice_int64(sluice_json_long(&number))
                             : sluice_float64(sluice_json_to_double(&number));
        return true;
    }
}

bool sluice_json_skip(struct sluice_json_reader *r)
{
    struct sluice_json_number number;
    const char *s;
    uint32_t len;
    bool more;
    switch (sluice_json_peek(r)) {
    case '{':
        r->at++;
        if (!sluice_json_enter(r)) return false;
        for (bool first = true;; first = false) {
            if (!sluice_json_member(r, first, &s, &len)) return false;
            if (!s) return true;
            if (!sluice_json_skip(r)) return false;
        }
    case '[':
        r->at++;
        if (!sluice_json_enter(r)) return false;
        for (bool first = true;; first = false) {
            if (!sluice_json_item(r, first, &more)) return false;
            if (!more) return true;
            if (!sluice_json_skip(r)) return false;
        }
    case '"':
        return sluice_json_read_string(r, &s, &len);
    case 't':
        return sluice_json_read_word(r, "true");
    case 'f':
        return sluice_json_read_word(r, "false");
    case 'n':
        return sluice_json_read_word(r, "null");
    default:
        return sluice_json_read_number(r, &number);
    }
}

bool sluice_json_root_end(struct sluice_json_reader *r)
{
    if (r->at == r->end || (unsigned char)*r->at <= ' ') return true;
    char last = r->at[-1];
    if (last < '0' || last > '9') return true;
    return sluice_json_unexpected(r, "white space behind a number");
}

bool sluice_json_parse(struct sluice_batch *batch, const char *text, size_t len,
                       struct sluice_value *v, size_t *rest, struct sluice_err *err)
{
    if (len > UINT32_MAX) {
        return sluice_err_set(err, "cannot read %zu bytes of JSON: at most 4 GiB", len);
    }
    struct sluice_json_reader r;
    sluice_json_reader_init(&r, batch, text, len, err);
    if (!sluice_json_read(&r, v)) return false;
    if (rest) {
        if (!sluice_json_root_end(&r)) return false;
        *rest = (size_t)(r.at - text);
        return true;
    }
    if (sluice_json_peek(&r) >= 0) return sluice_json_unexpected(&r, "the end");
    return true;
}
