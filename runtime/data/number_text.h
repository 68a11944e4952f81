/* number_text.h - numbers to text, for everything that writes records. */
#ifndef SLUICE_DATA_NUMBER_TEXT_H
#define SLUICE_DATA_NUMBER_TEXT_H

#include <stdint.h>
#include <string.h>

extern const char sluice_two_digits[200]; /* "00010203..99" */
extern const uint64_t sluice_pow10_u64[20];

#define SLUICE_INT_TEXT 20 /* bytes that an integer takes at most */

/* Decimal digits of u, at least 1. */
static inline unsigned sluice_digits(uint64_t u)
{
    unsigned bits = 64u - (unsigned)__builtin_clzll(u | 1);
    unsigned guess = bits * 1233 >> 12; /* log10(2) */
    return guess + (u >= sluice_pow10_u64[guess]) + (u == 0);
}

/* Writes the decimal text at to; returns its end. */
static inline char *sluice_uint_text(char *to, uint64_t u)
{
    char *end = to + sluice_digits(u), *at = end;
    while (u >= 100) {
        memcpy(at -= 2, &sluice_two_digits[u % 100 * 2], 2);
        u /= 100;
    }
    if (u >= 10) {
        memcpy(at - 2, &sluice_two_digits[u * 2], 2);
    } else {
        at[-1] = (char)('0' + u);
    }
    return end;
}

static inline char *sluice_int_text(char *to, int64_t i)
{
    uint64_t u = (uint64_t)i;
    if (i < 0) {
        *to++ = '-';
        u = 0 - u;
    }
    return sluice_uint_text(to, u);
}

#endif
