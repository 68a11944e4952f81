/* The fuzz corpus of a schema registry's answers, replayed, and each file again with bytes changed
 * at random, from a fixed seed. */
#include <dirent.h>
#include <stdio.h>

#include "fuzz/fuzz_registry.h"
#include "harness.h"
#include "registry/registry.h"

static uint32_t state = 2463534242u;

static uint32_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* Calls run() with each file of the corpus. */
static int for_corpus(void (*run)(const char *path))
{
    char folder[512], path[1024];
    int n = 0;
    snprintf(folder, sizeof folder, "%s/fuzz/corpus/registry", SLUICE_TEST_DIR);
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

static void replay(const char *path)
{
    if (!fuzz_registry_file(path)) FAIL("cannot read %s", path);
}

TEST(registry_corpus) { CHECK(for_corpus(replay) >= 50); }

static void mutate(const char *path)
{
    static const char likely[] = "\"\\{}[]:,0123456789eE+-.tfn \xff\xc3";
    size_t len;
    char *data = sluice_file_read(path, 1 << 20, &len, NULL);
    if (!data) FAIL("cannot read %s", path);
    for (int round = 0; round < 12 && len > 0 && len < 3000; round++) {
        char *copy = malloc(len);
        memcpy(copy, data, len);
        for (uint32_t k = 0; k <= round % 4u; k++) {
            size_t at = next_random() % len;
            copy[at] = next_random() % 2 ? likely[next_random() % (sizeof likely - 1)]
                                         : (char)next_random();
        }
        fuzz_registry(copy, round % 5 == 0 ? next_random() % len : len);
        free(copy);
    }
    free(data);
}

TEST(registry_corpus_changed_at_random) { for_corpus(mutate); }
