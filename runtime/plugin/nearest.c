/* nearest.c - "did you mean": edit distance with transpositions, case left aside. Any thread. */
#include <assert.h>
#include <string.h>

#include "plugin/options.h"

#define WORD_MAX 128 /* longer words are not typing errors */

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Optimal string alignment distance; both at most WORD_MAX bytes. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    assert(a_len <= WORD_MAX && b_len <= WORD_MAX);
    for (size_t j = 0; j <= b_len; j++) above[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t differs = lower(a[i - 1]) != lower(b[j - 1]);
            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + differs);
            bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                           lower(a[i - 2]) == lower(b[j - 1]);
            if (swapped && before[j - 2] + 1 < row[j]) row[j] = before[j - 2] + 1;
        }
        size_t *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[b_len];
}

const char *sluice_nearest(const char *word, const char *const *candidates, size_t n)
{
    size_t len = strlen(word);
    if (len == 0 || len > WORD_MAX) return NULL;
    /* A third of the letters may be wrong, but a short word must not turn into any other. */
    size_t best = len / 3 + 1;
    if (best > 5) best = 5;
    const char *nearest = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t other = candidates[i] ? strlen(candidates[i]) : 0;
        if (other == 0 || other > WORD_MAX) continue;
        size_t d = distance(word, len, candidates[i], other);
        if (d < best && d < other) {
            best = d;
            nearest = candidates[i];
        }
    }
    return nearest;
}
