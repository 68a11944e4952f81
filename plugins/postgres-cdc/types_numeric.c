/* types_numeric.c - numeric and money: see types.h.
 *
 * A Decimal is its unscaled value in big-endian two's complement, as few bytes as it needs, and at
 * least one. Up to 18 digits go through a 64-bit number, longer ones through limbs of 32 bits. */
#include "types.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 150000 /* numeric has at most 131072 + 16383 */

struct decimal { /* digits[0..n), without sign and point */
    bool negative;
    const char *digits;
    uint32_t n;
    int32_t scale;
};

static bool bad(struct cdc_memory *memory, const char *why)
{
    memory->why = why;
    return false;
}

/* The digits are taken into the batch's memory only when a point stands between them. */
static bool parse(struct cdc_memory *memory, const char *text, uint32_t len, struct decimal *out)
{
    memset(out, 0, sizeof(*out));
    if (len && *text == '-') {
        out->negative = true;
        text++, len--;
    }
    if (!len || len > DIGITS_MAX) return bad(memory, "not a number");
    if (*text == 'N' || *text == 'I')
        return bad(memory, "NaN and infinity have no Decimal form; decimal.handling.mode string "
                           "and double know them");
    const char *point = memchr(text, '.', len);
    if (point) {
        char *digits = cdc_take(memory, len);
        size_t whole = (size_t)(point - text);
        memcpy(digits, text, whole);
        memcpy(digits + whole, point + 1, len - whole - 1);
        out->scale = (int32_t)(len - whole - 1);
        text = digits;
        len--;
    }
    for (uint32_t i = 0; i < len; i++)
        if (text[i] < '0' || text[i] > '9') return bad(memory, "not a number");
    out->digits = text;
    out->n = len;
    return true;
}

/* Brings the number to this scale: appends zeros, or cuts digits that must be zeros. */
static bool rescale(struct cdc_memory *memory, struct decimal *d, int32_t scale)
{
    if (scale > d->scale) {
        uint32_t zeros = (uint32_t)(scale - d->scale);
        char *digits = cdc_take(memory, d->n + zeros);
        memcpy(digits, d->digits, d->n);
        memset(digits + d->n, '0', zeros);
        d->digits = digits;
        d->n += zeros;
    } else {
        uint32_t cut = (uint32_t)(d->scale - scale);
        for (uint32_t i = 0; i < cut && i < d->n; i++)
            if (d->digits[d->n - 1 - i] != '0')
                return bad(memory, "more digits than the column's scale");
        d->n = d->n > cut ? d->n - cut : 0;
    }
    d->scale = scale;
    return true;
}

static struct sluice_value small_bytes(struct cdc_memory *memory, int64_t v)
{
    unsigned char *p = cdc_take(memory, 8);
    int n = 1;
    while (n < 8 && (v < -(INT64_C(1) << (8 * n - 1)) || v >= INT64_C(1) << (8 * n - 1))) n++;
    for (int i = 0; i < n; i++) p[i] = (unsigned char)((uint64_t)v >> (8 * (n - 1 - i)));
    return sluice_bytes(p, (size_t)n);
}

static struct sluice_value big_bytes(struct cdc_memory *memory, const struct decimal *d)
{
    size_t limbs_max = d->n / 9 + 2, limbs = 0;
    uint32_t *limb = cdc_take(memory, limbs_max * sizeof(*limb)); /* little-endian */
    for (uint32_t i = 0; i < d->n;) {
        uint32_t chunk = 0, factor = 1;
        for (; i < d->n && factor < 1000000000; i++, factor *= 10)
            chunk = chunk * 10 + (uint32_t)(d->digits[i] - '0');
        uint64_t carry = chunk;
        for (size_t l = 0; l < limbs; l++) {
            carry += (uint64_t)limb[l] * factor;
            limb[l] = (uint32_t)carry;
            carry >>= 32;
        }
        if (carry) limb[limbs++] = (uint32_t)carry;
    }
    size_t n = limbs * 4 + 1; /* one more byte for the sign */
    unsigned char *p = cdc_take(memory, n);
    p[0] = 0;
    for (size_t i = 0; i + 1 < n; i++) p[n - 1 - i] = (unsigned char)(limb[i / 4] >> (8 * (i % 4)));
    for (size_t i = n, carry = 1; d->negative && i-- > 0;) {
        unsigned v = (unsigned)(unsigned char)~p[i] + (unsigned)carry;
        p[i] = (unsigned char)v;
        carry = v >> 8;
    }
    /* A leading byte that only repeats the sign is not needed. */
    while (n > 1 && ((p[0] == 0 && p[1] < 0x80) || (p[0] == 0xff && p[1] >= 0x80))) p++, n--;
    return sluice_bytes(p, n);
}

static struct sluice_value unscaled(struct cdc_memory *memory, const struct decimal *d)
{
    if (d->n > 18) return big_bytes(memory, d);
    int64_t v = 0;
    for (uint32_t i = 0; i < d->n; i++) v = v * 10 + (d->digits[i] - '0');
    return small_bytes(memory, d->negative ? -v : v);
}

bool cdc_to_decimal(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                    uint32_t len, struct sluice_value *out)
{
    struct decimal d;
    if (!parse(memory, text, len, &d)) return false;
    if (d.scale != binding->scale && !rescale(memory, &d, binding->scale)) return false;
    *out = unscaled(memory, &d);
    return true;
}

bool cdc_to_variable_decimal(const struct cdc_binding *binding, struct cdc_memory *memory,
                             const char *text, uint32_t len, struct sluice_value *out)
{
    (void)binding;
    struct decimal d;
    if (!parse(memory, text, len, &d)) return false;
    while (d.scale > 0 && d.n && d.digits[d.n - 1] == '0') d.n--, d.scale--;
    struct sluice_value *fields = cdc_take(memory, 2 * sizeof(*fields));
    fields[0] = sluice_int32(d.scale);
    fields[1] = unscaled(memory, &d);
    *out = sluice_nested(SLUICE_STRUCT, fields, 2);
    return true;
}

bool cdc_to_decimal_text(const struct cdc_binding *binding, struct cdc_memory *memory,
                         const char *text, uint32_t len, struct sluice_value *out)
{
    (void)binding;
    (void)memory;
    *out = sluice_string(text, len);
    if (len == 3 && !memcmp(text, "NaN", 3)) *out = sluice_string("NAN", 3);
    else if (len == 8 && !memcmp(text, "Infinity", 8))
        *out = sluice_string("POSITIVE_INFINITY", 17);
    else if (len == 9 && !memcmp(text, "-Infinity", 9))
        *out = sluice_string("NEGATIVE_INFINITY", 17);
    return true;
}

bool cdc_to_decimal_double(const struct cdc_binding *binding, struct cdc_memory *memory,
                           const char *text, uint32_t len, struct sluice_value *out)
{
    (void)binding;
    if (!len || len > DIGITS_MAX) return bad(memory, "not a number");
    char *copy = cdc_take(memory, len + 1), *end;
    memcpy(copy, text, len);
    copy[len] = 0;
    *out = sluice_float64(strtod(copy, &end));
    return end == copy + len ? true : bad(memory, "not a number");
}

/* Money comes as the server's locale writes it: "$1,234.11", "-1.234,11 €", "($1.00)". What follows
 * the last point or comma is the fraction when it has the digits that a fraction should have. */
bool cdc_to_money(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                  uint32_t len, struct sluice_value *out)
{
    uint32_t n = 0, fraction = 0;
    bool negative = false, separator = false;
    char *plain = cdc_take(memory, (size_t)len + 3), *p = plain + 1;
    for (uint32_t i = 0; i < len; i++) {
        if (text[i] == '-' || text[i] == '(') negative = true;
        else if (text[i] >= '0' && text[i] <= '9') p[n++] = text[i], fraction++;
        else if (text[i] == '.' || text[i] == ',') separator = true, fraction = 0;
    }
    if (!n) return bad(memory, "not an amount of money");
    if (separator && (fraction == 3 ? binding->scale == 3 : fraction > 0)) {
        memmove(p + n - fraction + 1, p + n - fraction, fraction);
        p[n - fraction] = '.';
        n++;
    }
    if (negative) {
        *--p = '-';
        n++;
    }
    if (binding->schema.type == SLUICE_STRING)
        return cdc_to_decimal_text(binding, memory, p, n, out);
    if (binding->schema.type == SLUICE_FLOAT64)
        return cdc_to_decimal_double(binding, memory, p, n, out);
    return cdc_to_decimal(binding, memory, p, n, out);
}
