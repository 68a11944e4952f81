/* number_text.c - the shortest decimal text that reads back as the same double or float, laid out
 * by the rules of Java's Double.toString (JDK 19 and later, Float.toString likewise).
 *
 * The digits come from the method of Raffaello Giulietti's "The Schubfach way to render doubles":
 * scale the value and the bounds of its rounding interval by one power of ten, given to 128 bits,
 * with a multiplication that rounds to odd; then at most two candidates of two lengths are left.
 * Java asks for at least two digits, so a one-digit result gives way to a closer two-digit one
 * (4.9E-324). The powers are computed exactly, with a small big integer, on first use.
 *
 * Thread: any. */
#include "data/number_text.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>

#include "data/json_text.h"

__extension__ typedef unsigned __int128 u128;

/* 10^e for the e that doubles need, as 128 bits with the top bit set, rounded up. */
#define POW10_MIN (-292)
#define POW10_MAX 324
static u128 pow10_bits[POW10_MAX - POW10_MIN + 1];
static pthread_once_t pow10_once = PTHREAD_ONCE_INIT;

const char sluice_two_digits[200] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546"
    "4748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293"
    "949596979899";

const uint64_t sluice_pow10_u64[20] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};

/* ---- the table ---- */

#define LIMBS 36 /* little-endian, 32 bits each: 1152 bits, more than 5^324 and 2^1088 need */

/* The top 128 bits of the number, rounded up when exact is false or bits are left below. */
static u128 top_bits(const uint32_t limbs[LIMBS], bool exact)
{
    int high = LIMBS - 1;
    while (limbs[high] == 0) high--;
    u128 top = 0;
    for (int i = high; i > high - 4; i--) top = top << 32 | (i >= 0 ? limbs[i] : 0);
    int shift = __builtin_clz(limbs[high]);
    uint32_t next = high >= 4 ? limbs[high - 4] : 0;
    if (shift) {
        top = top << shift | next >> (32 - shift);
        next <<= shift;
    }
    bool rest = !exact || next != 0;
    for (int i = high - 5; i >= 0 && !rest; i--) rest = limbs[i] != 0;
    return top + (rest ? 1 : 0);
}

static void pow10_fill(void)
{
    uint32_t limbs[LIMBS] = {1};
    for (int e = 0; e <= POW10_MAX; e++) { /* 5^e: the 2^e is a shift */
        pow10_bits[e - POW10_MIN] = top_bits(limbs, true);
        uint64_t carry = 0;
        for (int i = 0; i < LIMBS; i++) {
            carry += (uint64_t)limbs[i] * 5;
            limbs[i] = (uint32_t)carry;
            carry >>= 32;
        }
        assert(carry == 0);
    }
    memset(limbs, 0, sizeof limbs);
    limbs[LIMBS - 2] = 1;
    for (int e = -1; e >= POW10_MIN; e--) { /* 2^1088 / 5^-e */
        uint64_t rest = 0;
        for (int i = LIMBS - 1; i >= 0; i--) {
            rest = rest << 32 | limbs[i];
            limbs[i] = (uint32_t)(rest / 5);
            rest %= 5;
        }
        pow10_bits[e - POW10_MIN] = top_bits(limbs, false);
    }
}

/* ---- the shortest digits ---- */

struct decimal { /* digits * 10^exp */
    uint64_t digits;
    int exp;
};

/* floor(log10(2^e)), floor(log10(2^e * 3/4)), floor(log2(10^e)) for |e| <= 1233 */
static int log10_pow2(int e) { return (e * 1262611) >> 22; }
static int log10_pow2_3_4(int e) { return (e * 1262611 - 524031) >> 22; }
static int log2_pow10(int e) { return (e * 1741647) >> 19; }

/* The high 64 bits of pow * x / 2^64, with the lowest bit set when anything was lost. */
static uint64_t scale_to_odd(u128 pow, uint64_t x)
{
    u128 low = (u128)(uint64_t)pow * x;
    u128 high = (u128)(uint64_t)(pow >> 64) * x + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* The decimal of 2 digits or of the fewest that lies in the rounding interval of c * 2^q, the one
 * closest to it. uneven: the lower neighbour is nearer than the upper one. */
static struct decimal shortest(uint64_t c, int q, bool uneven)
{
    int k = uneven ? log10_pow2_3_4(q) : log10_pow2(q);
    int h = q + log2_pow10(-k) + 1;
    assert(h >= 1 && h <= 4);
    assert(-k >= POW10_MIN && -k <= POW10_MAX);
    u128 pow = pow10_bits[-k - POW10_MIN];
    uint64_t out = c & 1; /* the bounds round to even: they belong to even values only */
    uint64_t lower = scale_to_odd(pow, (4 * c - (uneven ? 1 : 2)) << h) + out;
    uint64_t value = scale_to_odd(pow, (4 * c) << h);
    uint64_t upper = scale_to_odd(pow, (4 * c + 2) << h) - out;
    uint64_t s = value / 4;
    if (s >= 100) {
        uint64_t short_s = s / 10 * 10;
        bool down = lower <= 4 * short_s, up = 4 * (short_s + 10) <= upper;
        if (down != up) return (struct decimal){up ? short_s + 10 : short_s, k};
    }
    bool down = lower <= 4 * s, up = 4 * (s + 1) <= upper;
    if (down == up) up = value > 4 * s + 2 || (value == 4 * s + 2 && (s & 1));
    return (struct decimal){s + (up ? 1 : 0), k};
}

/* ---- Java's layout ---- */

static size_t layout(struct decimal d, bool negative, char out[32])
{
    char digits[SLUICE_INT_TEXT] = "";
    if (d.digits % 100000000 == 0) { /* 1234.5 comes as 12345 and many zeros */
        d.digits /= 100000000;
        d.exp += 8;
    }
    while (d.digits % 10 == 0) {
        d.digits /= 10;
        d.exp++;
    }
    int n = (int)(sluice_uint_text(digits, d.digits) - digits);
    int point = n + d.exp; /* the value is 0.digits * 10^point */
    char *at = out;
    if (negative) *at++ = '-';
    if (point > 0 && point <= 7) {
        for (int i = 0; i < point; i++) *at++ = i < n ? digits[i] : '0';
        *at++ = '.';
        for (int i = point; i < n; i++) *at++ = digits[i];
        if (n <= point) *at++ = '0';
    } else if (point <= 0 && point > -3) {
        *at++ = '0';
        *at++ = '.';
        for (int i = point; i < 0; i++) *at++ = '0';
        memcpy(at, digits, (size_t)n);
        at += n;
    } else {
        *at++ = digits[0];
        *at++ = '.';
        if (n > 1) memcpy(at, digits + 1, (size_t)n - 1);
        else *at = '0';
        at += n > 1 ? n - 1 : 1;
        *at++ = 'E';
        at = sluice_int_text(at, point - 1);
    }
    assert(at <= out + 32);
    return (size_t)(at - out);
}

static size_t word(char out[32], const char *text)
{
    size_t n = strlen(text);
    memcpy(out, text, n);
    return n;
}

/* NaN, infinities, and integers below 10^7, which need no digits search. 0: none of these. */
static size_t easy(double d, char out[32])
{
    if (isnan(d)) return word(out, "NaN");
    if (isinf(d)) return word(out, d < 0 ? "-Infinity" : "Infinity");
    if (fabs(d) < 1e7) {
        int32_t i = (int32_t)d;
        if ((double)i == d) {
            char *at = out;
            if (signbit(d)) *at++ = '-';
            at = sluice_uint_text(at, (uint64_t)(i < 0 ? -i : i));
            memcpy(at, ".0", 2);
            return (size_t)(at + 2 - out);
        }
    }
    return 0;
}

/* bits: the fraction of width bits below the exponent; min_q: exponent of the smallest ones. */
static struct decimal digits_of(uint64_t fraction, unsigned exponent, int width, int min_q,
                                uint64_t tiny)
{
    pthread_once(&pow10_once, pow10_fill);
    if (exponent) {
        bool uneven = fraction == 0 && exponent > 1;
        return shortest(fraction | UINT64_C(1) << width, (int)exponent - 1 + min_q, uneven);
    }
    if (fraction >= tiny) return shortest(fraction, min_q, false);
    /* So small that two digits do not fit between k and the value: look at its tenfold. */
    struct decimal d = shortest(fraction * 10, min_q, false);
    d.exp--;
    return d;
}

size_t sluice_double_text(double d, char out[32])
{
    size_t n = easy(d, out);
    if (n) return n;
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    return layout(digits_of(fraction, (unsigned)(bits >> 52 & 0x7FF), 52, -1074, 3), bits >> 63,
                  out);
}

size_t sluice_float_text(float f, char out[32])
{
    size_t n = easy(f, out);
    if (n) return n;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    uint32_t fraction = bits & ((1u << 23) - 1);
    return layout(digits_of(fraction, bits >> 23 & 0xFF, 23, -149, 8), bits >> 31, out);
}
