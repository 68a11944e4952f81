/* json_out.c - see json_out.h. Hot: called several times per record, so each function reserves once
 * and then writes through a pointer. */
#include "json_out.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void sluice_out_grow(struct sluice_out *out, size_t n)
{
    size_t cap = out->cap ? out->cap : 256;
    while (cap - out->len < n) {
        assert(cap < SIZE_MAX / 2);
        cap *= 2;
    }
    char *data = realloc(out->data, cap);
    if (!data) abort(); /* what is committed makes a restart safe */
    out->data = data;
    out->cap = cap;
}

void sluice_out_fini(struct sluice_out *out)
{
    if (!out) return;
    free(out->data);
    *out = (struct sluice_out){0};
}

void sluice_out_text(struct sluice_out *out, const char *text)
{
    sluice_out_put(out, text, strlen(text));
}

void sluice_out_terminate(struct sluice_out *out) { *sluice_out_room(out, 1) = '\0'; }

/* Length of the leading bytes that need no escape and are ASCII, eight at a time. */
static size_t plain_run(const unsigned char *s, size_t len)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t w;
        memcpy(&w, s + i, 8);
        uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');
        uint64_t hit =
            ((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | w;
        if (hit & high) break;
    }
    while (i < len && s[i] >= 0x20 && s[i] < 0x80 && s[i] != '"' && s[i] != '\\') i++;
    return i;
}

/* Bytes of the well-formed UTF-8 sequence at s, 0 when there is none. */
static size_t utf8_len(const unsigned char *s, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    if (n == 0 || n > len || s[0] >= 0xf5) return 0;
    uint32_t c = s[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return 0;
    return n;
}

static char *escape(char *p, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    *p++ = '\\';
    if (c >= 0x20) {
        *p++ = (char)c;
    } else if (letters[c]) {
        *p++ = letters[c];
    } else {
        memcpy(p, "u00", 3);
        p[3] = hex[c >> 4];
        p[4] = hex[c & 15];
        p += 5;
    }
    return p;
}

void sluice_out_escaped(struct sluice_out *out, const char *s, size_t len)
{
    const unsigned char *u = (const unsigned char *)s;
    char *p = sluice_out_room(out, len * 6); /* the worst case, \u00XX throughout */
    char *start = p;
    while (len > 0) {
        size_t n = plain_run(u, len);
        memcpy(p, u, n);
        p += n;
        u += n;
        len -= n;
        if (len == 0) break;
        n = 1;
        if (*u < 0x80) {
            p = escape(p, *u);
        } else if ((n = utf8_len(u, len)) > 0) {
            memcpy(p, u, n);
            p += n;
        } else {
            memcpy(p, "\xef\xbf\xbd", 3);
            p += 3;
            n = 1;
        }
        u += n;
        len -= n;
    }
    out->len += (size_t)(p - start);
}

void sluice_out_string(struct sluice_out *out, const char *s, size_t len)
{
    sluice_out_char(out, '"');
    if (len > 0) sluice_out_escaped(out, s, len);
    sluice_out_char(out, '"');
}

static char *digits(char *end, uint64_t u)
{
    do {
        *--end = (char)('0' + u % 10);
        u /= 10;
    } while (u > 0);
    return end;
}

void sluice_out_int(struct sluice_out *out, int64_t i)
{
    char text[24], *end = text + sizeof text;
    char *p = digits(end, i < 0 ? 0 - (uint64_t)i : (uint64_t)i);
    if (i < 0) *--p = '-';
    sluice_out_put(out, p, (size_t)(end - p));
}

static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

/* m / 10^k as decimal text. */
static void put_scaled(struct sluice_out *out, bool negative, uint64_t m, unsigned k)
{
    char text[40], *end = text + sizeof text, *p = end;
    if (k > 0) {
        for (unsigned i = 0; i < k; i++, m /= 10) *--p = (char)('0' + m % 10);
        *--p = '.';
    }
    p = digits(p, m);
    if (negative) *--p = '-';
    sluice_out_put(out, p, (size_t)(end - p));
}

/* Numbers with up to nine decimals, that is most that people store, need no printf: when the
 * integers m < 2^53 and 10^k divide to d, then reading "m / 10^k" gives d, as both are exact. */
void sluice_out_double(struct sluice_out *out, double d)
{
    assert(isfinite(d));
    double a = fabs(d);
    for (unsigned k = 0; k < sizeof powers / sizeof *powers; k++) {
        double scaled = a * powers[k];
        if (scaled >= 9007199254740992.0) break;
        uint64_t m = (uint64_t)(scaled + 0.5);
        if ((double)m / powers[k] == a) {
            put_scaled(out, signbit(d), m, k);
            return;
        }
    }
    out->len += (size_t)snprintf(sluice_out_room(out, 32), 32, "%.17g", d);
}

void sluice_out_float(struct sluice_out *out, float f)
{
    assert(isfinite(f));
    double a = fabs((double)f);
    for (unsigned k = 0; k < sizeof powers / sizeof *powers; k++) {
        double scaled = a * powers[k];
        if (scaled >= 9007199254740992.0) break;
        uint64_t m = (uint64_t)(scaled + 0.5);
        if ((float)((double)m / powers[k]) == fabsf(f)) {
            put_scaled(out, signbit(f), m, k);
            return;
        }
    }
    out->len += (size_t)snprintf(sluice_out_room(out, 32), 32, "%.9g", (double)f);
}

void sluice_out_base64(struct sluice_out *out, const void *data, size_t len, bool url)
{
    const char *set = url ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                          : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *s = data;
    char *start = sluice_out_room(out, len / 3 * 4 + 4), *p = start;
    size_t i = 0;
    for (; i + 3 <= len; i += 3) {
        uint32_t w = (uint32_t)s[i] << 16 | (uint32_t)s[i + 1] << 8 | s[i + 2];
        *p++ = set[w >> 18];
        *p++ = set[w >> 12 & 63];
        *p++ = set[w >> 6 & 63];
        *p++ = set[w & 63];
    }
    if (i < len) {
        uint32_t w = (uint32_t)s[i] << 16 | (i + 1 < len ? (uint32_t)s[i + 1] << 8 : 0);
        *p++ = set[w >> 18];
        *p++ = set[w >> 12 & 63];
        if (i + 1 < len) *p++ = set[w >> 6 & 63];
        else if (!url) *p++ = '=';
        if (!url) *p++ = '=';
    }
    out->len += (size_t)(p - start);
}
