/* java_random.h - java.util.Random: the 48-bit linear congruential generator of the Java platform,
 * draw for draw, so that a seed gives the values that kafka-connect-datagen gives for it. */
#ifndef DATAGEN_JAVA_RANDOM_H
#define DATAGEN_JAVA_RANDOM_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct java_random {
    uint64_t state; /* 48 bits */
};

#define JAVA_RANDOM_MULT 0x5DEECE66DULL
#define JAVA_RANDOM_MASK ((1ULL << 48) - 1)

static inline void java_random_seed(struct java_random *r, int64_t seed)
{
    r->state = ((uint64_t)seed ^ JAVA_RANDOM_MULT) & JAVA_RANDOM_MASK;
}

/* The top bits of the next state, sign-extended from 32 as Java's next(bits). */
static inline int32_t java_random_next(struct java_random *r, int bits)
{
    r->state = (r->state * JAVA_RANDOM_MULT + 0xB) & JAVA_RANDOM_MASK;
    return (int32_t)(uint32_t)(r->state >> (48 - bits));
}

static inline int32_t java_random_int(struct java_random *r) { return java_random_next(r, 32); }

/* Uniform in [0, bound); bound > 0. */
static inline int32_t java_random_below(struct java_random *r, int32_t bound)
{
    assert(bound > 0);
    int32_t bits = java_random_next(r, 31), m = bound - 1;
    if ((bound & m) == 0) return (int32_t)(((int64_t)bound * bits) >> 31);
    int32_t val = bits % bound;
    while ((int64_t)bits - val + m > INT32_MAX) { /* Java tests the overflow of 32 bits */
        bits = java_random_next(r, 31);
        val = bits % bound;
    }
    return val;
}

static inline int64_t java_random_long(struct java_random *r)
{
    uint64_t high = (uint64_t)(int64_t)java_random_next(r, 32) << 32;
    return (int64_t)(high + (uint64_t)(int64_t)java_random_next(r, 32));
}

static inline double java_random_double(struct java_random *r)
{
    int64_t high = (int64_t)java_random_next(r, 26) << 27;
    return (double)(high + java_random_next(r, 27)) * 0x1.0p-53;
}

static inline float java_random_float(struct java_random *r)
{
    return (float)java_random_next(r, 24) / (float)(1 << 24);
}

static inline bool java_random_bool(struct java_random *r) { return java_random_next(r, 1) != 0; }

static inline void java_random_bytes(struct java_random *r, unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t word = (uint32_t)java_random_int(r);
        for (int k = 0; k < 4 && i < n; k++, word >>= 8) p[i++] = (unsigned char)word;
    }
}

#endif
