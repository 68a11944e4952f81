/* base64.c - see base64.h. */
#include "data/base64.h"

#include <assert.h>
#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *sluice_base64_write(char *to, const void *data, size_t len)
{
    const unsigned char *at = data;
    for (; len >= 3; len -= 3, at += 3) {
        uint32_t x = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
        *to++ = alphabet[x >> 18];
        *to++ = alphabet[x >> 12 & 63];
        *to++ = alphabet[x >> 6 & 63];
        *to++ = alphabet[x & 63];
    }
    if (len) {
        uint32_t x = (uint32_t)at[0] << 16 | (len == 2 ? (uint32_t)at[1] << 8 : 0);
        *to++ = alphabet[x >> 18];
        *to++ = alphabet[x >> 12 & 63];
        *to++ = len == 2 ? alphabet[x >> 6 & 63] : '=';
        *to++ = '=';
    }
    return to;
}

static int digit(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : -1;
}

bool sluice_base64_read(char *to, const char *text, size_t len, size_t *n)
{
    char *start = to;
    const unsigned char *at = (const unsigned char *)text, *end = at + len;
    while (at < end) {
        if (*at <= ' ') {
            at++;
            continue;
        }
        if (end - at < 4) return false;
        int a = digit(at[0]), b = digit(at[1]), c = digit(at[2]), d = digit(at[3]);
        if (a < 0 || b < 0 || (c < 0 && (at[2] != '=' || at[3] != '=')) ||
            (d < 0 && at[3] != '=')) {
            return false;
        }
        assert(c >= 0 || d < 0); /* == is the end of both */
        *to++ = (char)(a << 2 | b >> 4);
        if (c >= 0) *to++ = (char)(b << 4 | c >> 2);
        if (d >= 0) *to++ = (char)(c << 6 | d);
        at += 4;
        if (d < 0) break; /* padding ends it */
    }
    while (at < end && *at <= ' ') at++;
    *n = (size_t)(to - start);
    return at == end;
}
