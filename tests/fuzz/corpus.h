/* corpus.h - a fuzz corpus in a unit test: each file replayed, and again with bytes changed at
 * random from a fixed seed. Included by one test file each. */
#ifndef SLUICE_TESTS_FUZZ_CORPUS_H
#define SLUICE_TESTS_FUZZ_CORPUS_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/props.h"
#include "harness.h"

struct corpus {
    const char *name;   /* folder below tests/fuzz/corpus */
    const char *likely; /* bytes that matter to the format, likely_len of them */
    size_t likely_len;
    int rounds;     /* changed copies of each file */
    size_t max_len; /* files of at least so many bytes are only replayed */
    size_t keep;    /* first bytes that stay, such as one that names the format */
    uint32_t state; /* of the random numbers; starts as the seed */
};

static uint32_t corpus_random(struct corpus *corpus)
{
    corpus->state ^= corpus->state << 13;
    corpus->state ^= corpus->state >> 17;
    corpus->state ^= corpus->state << 5;
    return corpus->state;
}

/* Calls run() with each file; how many there are. */
static int corpus_each(struct corpus *corpus, void (*run)(const char *path))
{
    char folder[512], path[1024];
    int n = 0;
    snprintf(folder, sizeof folder, "%s/fuzz/corpus/%s", SLUICE_TEST_DIR, corpus->name);
    DIR *dir = opendir(folder);
    if (!dir) FAIL("no %s", folder);
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        run(path);
        n++;
    }
    closedir(dir);
    return n;
}

/* A changed copy of data, *len bytes; *len is then what is left of it. NULL: too short or long. */
static char *corpus_changed(struct corpus *corpus, const char *data, int round, size_t *len)
{
    size_t n = *len, keep = corpus->keep;
    if (n <= keep || n >= corpus->max_len) return NULL;
    char *copy = malloc(n);
    memcpy(copy, data, n);
    for (uint32_t k = 0; k <= round % 4u; k++) {
        size_t at = keep + corpus_random(corpus) % (n - keep);
        copy[at] = corpus_random(corpus) % 2
                       ? corpus->likely[corpus_random(corpus) % corpus->likely_len]
                       : (char)corpus_random(corpus);
    }
    if (round % 5 != 0) return copy;
    *len = corpus_random(corpus) % n;
    char *exact = malloc(*len ? *len : 1);
    memcpy(exact, copy, *len);
    free(copy);
    return exact;
}

/* Calls run() with changed copies of the file, one in five cut short. A copy is as large as what is
 * given, so that AddressSanitizer sees a byte too many read. */
static void corpus_mutate(struct corpus *corpus, const char *path,
                          void (*run)(const void *data, size_t len))
{
    size_t len;
    char *data = sluice_file_read(path, 1 << 20, &len, NULL);
    if (!data) FAIL("cannot read %s", path);
    for (int round = 0; round < corpus->rounds; round++) {
        size_t left = len;
        char *copy = corpus_changed(corpus, data, round, &left);
        if (!copy) break;
        run(copy, left);
        free(copy);
    }
    free(data);
}

#endif
