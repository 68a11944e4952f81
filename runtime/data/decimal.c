/* decimal.c - see decimal.h. Up to 18 digits go through 64 bits; longer ones through an array of
 * base 10^9 digits, quadratic, which is why sizes are capped. */
#include "data/decimal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/number_text.h"

#define OCTETS_MAX ((size_t)64 * 1024)
#define DIGITS_MAX 150000 /* as many as Postgres' numeric can have */

bool sluice_decimal_scale(const struct sluice_schema *schema, int32_t *scale,
                          struct sluice_err *err)
{
    const char *text = NULL;
    for (uint32_t i = 0; i < schema->params_len; i++) {
        if (strcmp(schema->params[i].key, "scale") == 0) text = schema->params[i].value;
    }
    if (!text) {
        return sluice_err_set(err, "Invalid Decimal schema: scale parameter not found.");
    }
    char *end;
    long x = strtol(text, &end, 10);
    if (end == text || *end || x < -DIGITS_MAX || x > DIGITS_MAX) {
        return sluice_err_set(err,
                              "Invalid scale parameter found in Decimal schema: '%.40s' is no "
                              "integer between -%d and %d",
                              text, DIGITS_MAX, DIGITS_MAX);
    }
    *scale = (int32_t)x;
    return true;
}

/* ---- octets to text ---- */

/* Decimal digits of |octets|, in a new string of *n characters. */
static char *digits_of(const unsigned char *octets, size_t len, size_t *n)
{
    size_t words_n = (len + 3) / 4, groups_n = 0;
    bool negative = len && octets[0] >= 0x80;
    uint32_t *words = sluice_xcalloc(words_n + 1, sizeof *words); /* least first */
    uint32_t *groups = sluice_xcalloc(words_n * 32 / 29 + 2, sizeof *groups);
    unsigned carry = 1;
    for (size_t i = 0; i < len; i++) {
        unsigned octet = octets[len - 1 - i];
        if (negative) {
            octet = (octet ^ 0xFFu) + carry;
            carry = octet >> 8;
            octet &= 0xFF;
        }
        words[i / 4] |= octet << i % 4 * 8;
    }
    while (words_n && words[words_n - 1] == 0) words_n--;
    while (words_n) {
        uint64_t rest = 0;
        for (size_t i = words_n; i-- > 0;) {
            rest = rest << 32 | words[i];
            words[i] = (uint32_t)(rest / 1000000000);
            rest %= 1000000000;
        }
        groups[groups_n++] = (uint32_t)rest;
        if (words[words_n - 1] == 0) words_n--;
    }
    char *text = sluice_xmalloc(groups_n * 9 + SLUICE_INT_TEXT);
    char *at = sluice_uint_text(text, groups_n ? groups[groups_n - 1] : 0);
    for (size_t i = groups_n ? groups_n - 1 : 0; i-- > 0;) {
        uint32_t x = groups[i];
        for (int k = 8; k >= 0; k--, x /= 10) at[k] = (char)('0' + x % 10);
        at += 9;
    }
    free(words);
    free(groups);
    *n = (size_t)(at - text);
    return text;
}

/* BigDecimal.toString(): plain as long as the scale is not negative and at most 6 zeros stand
 * behind the point. */
static bool layout(struct sluice_buf *buf, bool negative, const char *digits, size_t n,
                   int32_t scale, struct sluice_err *err)
{
    int64_t adjusted = (int64_t)n - 1 - scale;
    if (!sluice_buf_reserve(buf, n + 32, err)) return false;
    char *at = buf->data + buf->len;
    if (negative) *at++ = '-';
    if (scale >= 0 && adjusted >= -6) {
        size_t fraction = (size_t)scale;
        if (fraction >= n) {
            *at++ = '0';
            *at++ = '.';
            for (size_t i = n; i < fraction; i++) *at++ = '0';
            memcpy(at, digits, n);
            at += n;
        } else {
            memcpy(at, digits, n - fraction);
            at += n - fraction;
            if (fraction) {
                *at++ = '.';
                memcpy(at, digits + n - fraction, fraction);
                at += fraction;
            }
        }
    } else {
        *at++ = digits[0];
        if (n > 1) {
            *at++ = '.';
            memcpy(at, digits + 1, n - 1);
            at += n - 1;
        }
        if (adjusted != 0) {
            *at++ = 'E';
            if (adjusted > 0) *at++ = '+';
            at = sluice_int_text(at, adjusted);
        }
    }
    buf->len = (size_t)(at - buf->data);
    assert(buf->len <= buf->cap);
    return true;
}

bool sluice_decimal_text(struct sluice_buf *buf, const void *octets, size_t len, int32_t scale,
                         struct sluice_err *err)
{
    const unsigned char *at = octets;
    bool negative = len && at[0] >= 0x80;
    if (len <= 8) {
        uint64_t x = negative ? ~UINT64_C(0) : 0;
        for (size_t i = 0; i < len; i++) x = x << 8 | at[i];
        char digits[SLUICE_INT_TEXT] = "";
        size_t n = (size_t)(sluice_uint_text(digits, negative ? 0 - x : x) - digits);
        return layout(buf, negative, digits, n, scale, err);
    }
    if (len > OCTETS_MAX) {
        return sluice_err_set(err, "cannot write a Decimal of %zu octets: at most %zu", len,
                              OCTETS_MAX);
    }
    size_t n;
    char *digits = digits_of(at, len, &n);
    bool ok = layout(buf, negative, digits, n, scale, err);
    free(digits);
    return ok;
}

/* ---- text to octets ---- */

/* digits * 10^zeros as two's complement. */
static struct sluice_value octets_of(struct sluice_arena *arena, const char *digits, size_t n,
                                     size_t zeros, bool negative)
{
    size_t words_cap = (n + zeros) / 9 + 2, words_n = 0;
    uint32_t *words = sluice_xcalloc(words_cap, sizeof *words);
    for (size_t i = 0; i < n + zeros;) {
        size_t group = (n + zeros - i) % 9 ? (n + zeros - i) % 9 : 9;
        uint32_t x = 0;
        for (size_t k = 0; k < group; k++, i++)
            x = x * 10 + (i < n ? (uint32_t)(digits[i] - '0') : 0);
        uint64_t carry = x;
        for (size_t k = 0; k < words_n; k++) {
            carry += (uint64_t)words[k] * 1000000000;
            words[k] = (uint32_t)carry;
            carry >>= 32;
        }
        if (carry) {
            assert(words_n < words_cap);
            words[words_n++] = (uint32_t)carry;
        }
    }
    size_t len = words_n * 4 + 1; /* one for the sign */
    unsigned char *octets = sluice_arena_alloc(arena, len);
    unsigned carry = 1;
    for (size_t i = 0; i < len; i++) {
        unsigned octet = i < words_n * 4 ? words[i / 4] >> i % 4 * 8 & 0xFF : 0;
        if (negative) {
            octet = (octet ^ 0xFFu) + carry;
            carry = octet >> 8;
            octet &= 0xFF;
        }
        octets[len - 1 - i] = (unsigned char)octet;
    }
    free(words);
    while (len > 1 &&
           ((octets[0] == 0 && octets[1] < 0x80) || (octets[0] == 0xFF && octets[1] >= 0x80))) {
        octets++;
        len--;
    }
    return sluice_bytes(octets, len);
}

bool sluice_decimal_parse(struct sluice_arena *arena, const char *text, size_t len, int32_t scale,
                          struct sluice_value *v, struct sluice_err *err)
{
    const char *at = text, *end = text + len;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    char *digits = sluice_arena_alloc(arena, len);
    size_t n = 0;
    int64_t decimals = 0;
    bool point = false;
    for (; at < end && (*at == '.' || (unsigned char)(*at - '0') <= 9); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        if (n || *at != '0') digits[n++] = *at; /* no leading zeros */
        decimals += point;
    }
    if (at < end) { /* exponent */
        int64_t exp = 0;
        bool down = false;
        at++;
        if (at < end && (*at == '-' || *at == '+')) down = *at++ == '-';
        for (; at < end && exp < INT32_MAX; at++) exp = exp * 10 + (*at - '0');
        decimals += down ? exp : -exp;
    }
    while (n && decimals > scale && digits[n - 1] == '0') {
        n--;
        decimals--;
    }
    if (n && decimals > scale) {
        return sluice_err_set(err,
                              "Decimal value has mismatching scale for given Decimal schema: "
                              "%.*s has more than %d decimals",
                              (int)(len < 60 ? len : 60), text, (int)scale);
    }
    int64_t zeros = n ? scale - decimals : 0;
    if (zeros + (int64_t)n > DIGITS_MAX) {
        return sluice_err_set(err, "the number %.*s is too long for a Decimal: at most %d digits",
                              (int)(len < 60 ? len : 60), text, DIGITS_MAX);
    }
    *v = octets_of(arena, digits, n, (size_t)zeros, negative);
    return true;
}
