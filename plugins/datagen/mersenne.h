/* mersenne.h - MT19937 as FakerJS seeds and reads it: one 32-bit draw for each number. Draws are
 * counted, so that a task can be brought back to where it was. */
#ifndef DATAGEN_MERSENNE_H
#define DATAGEN_MERSENNE_H

#include <stdint.h>

struct mersenne {
    uint32_t words[624];
    uint32_t at;
    int64_t draws; /* since it was seeded */
};

/* faker.seed(seed) for a seed of 32 bits, faker.seed([low, high]) for a longer one. */
void mersenne_seed(struct mersenne *m, int64_t seed);
/* The next 624 words. */
void mersenne_turn(struct mersenne *m);
/* As if n numbers had been drawn. */
void mersenne_skip(struct mersenne *m, int64_t n);

/* Uniform in [0, 1), in steps of 2^-32. */
static inline double mersenne_next(struct mersenne *m)
{
    if (m->at >= 624) mersenne_turn(m);
    uint32_t y = m->words[m->at++];
    m->draws++;
    y ^= y >> 11;
    y ^= y << 7 & 0x9D2C5680u;
    y ^= y << 15 & 0xEFC60000u;
    y ^= y >> 18;
    return (double)y * (1.0 / 4294967296.0);
}

#endif
