/* json_number.c - numbers of JSON text (json_io.h): found in one pass, then made what Java's
 * intValue, longValue, doubleValue or floatValue would make of them. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "data/json_io.h"

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
