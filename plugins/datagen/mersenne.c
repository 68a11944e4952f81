/* mersenne.c - see mersenne.h; the recurrence of Matsumoto and Nishimura. */
#include "mersenne.h"

#define N 624
#define M 397

static void seed_word(struct mersenne *m, uint32_t seed)
{
    m->words[0] = seed;
    for (uint32_t i = 1; i < N; i++) {
        uint32_t before = m->words[i - 1];
        m->words[i] = 1812433253u * (before ^ before >> 30) + i;
    }
    m->at = N;
    m->draws = 0;
}

static void seed_words(struct mersenne *m, const uint32_t *key, uint32_t len)
{
    uint32_t i = 1, j = 0;
    seed_word(m, 19650218u);
    for (int k = 0; k < N; k++) {
        uint32_t before = m->words[i - 1];
        m->words[i] = (m->words[i] ^ (before ^ before >> 30) * 1664525u) + key[j] + j;
        if (++i == N) {
            m->words[0] = m->words[N - 1];
            i = 1;
        }
        if (++j == len) j = 0;
    }
    for (int k = 0; k < N - 1; k++) {
        uint32_t before = m->words[i - 1];
        m->words[i] = (m->words[i] ^ (before ^ before >> 30) * 1566083941u) - i;
        if (++i == N) {
            m->words[0] = m->words[N - 1];
            i = 1;
        }
    }
    m->words[0] = 0x80000000u;
}

void mersenne_seed(struct mersenne *m, int64_t seed)
{
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)((uint64_t)seed >> 32)};
    if (seed >= INT32_MIN && seed <= UINT32_MAX) seed_word(m, (uint32_t)seed);
    else seed_words(m, key, 2);
}

static uint32_t twist(uint32_t a, uint32_t b)
{
    uint32_t y = (a & 0x80000000u) | (b & 0x7FFFFFFFu);
    return y >> 1 ^ ((y & 1) ? 0x9908B0DFu : 0);
}

void mersenne_turn(struct mersenne *m)
{
    uint32_t *w = m->words;
    for (int i = 0; i < N - M; i++) w[i] = w[i + M] ^ twist(w[i], w[i + 1]);
    for (int i = N - M; i < N - 1; i++) w[i] = w[i + M - N] ^ twist(w[i], w[i + 1]);
    w[N - 1] = w[M - 1] ^ twist(w[N - 1], w[0]);
    m->at = 0;
}

void mersenne_skip(struct mersenne *m, int64_t n)
{
    m->draws += n;
    while (n > 0) {
        if (m->at >= N) mersenne_turn(m);
        int64_t left = N - m->at, step = n < left ? n : left;
        m->at += (uint32_t)step;
        n -= step;
    }
}
