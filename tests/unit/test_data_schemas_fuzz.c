/* The fuzz corpus of .proto texts, Protobuf messages and JSON Schemas, replayed, and each file
 * again
 * with bytes changed at random, from a fixed seed. */
#include <dirent.h>
#include <stdio.h>

#include "fuzz/fuzz_schemas.h"
#include "harness.h"

static uint32_t state = 88675123u;

static uint32_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static int for_corpus(void (*run)(const char *path))
{
    char folder[512], path[1024];
    int n = 0;
    snprintf(folder, sizeof folder, "%s/fuzz/corpus/schemas", SLUICE_TEST_DIR);
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
    if (!fuzz_schemas_file(path)) FAIL("cannot read %s", path);
}

TEST(schemas_corpus) { CHECK(for_corpus(replay) >= 30); }

static void mutate(const char *path)
{
    static const char likely[] = "\"\\{}[]:,;=<>()019.-/* \n\x80\xff\x0a\x12\x1a";
    size_t len;
    char *data = sluice_file_read(path, 1 << 20, &len, NULL);
    if (!data) FAIL("cannot read %s", path);
    for (int round = 0; round < 150 && len > 1 && len < 6000; round++) {
        char *copy = malloc(len);
        memcpy(copy, data, len);
        for (uint32_t k = 0; k <= round % 4u; k++) {
            size_t at = 1 + next_random() % (len - 1);
            copy[at] = next_random() % 2 ? likely[next_random() % (sizeof likely - 1)]
                                         : (char)next_random();
        }
        size_t cut = round % 5 == 0 ? next_random() % len : len;
        char *exact = malloc(cut ? cut : 1);
        memcpy(exact, copy, cut);
        fuzz_schemas(exact, cut);
        free(exact);
        free(copy);
    }
    free(data);
}

TEST(schemas_corpus_changed_at_random) { for_corpus(mutate); }

/* Whole messages of random bytes that look like tags and lengths. */
TEST(random_messages)
{
    for (int round = 0; round < 4000; round++) {
        size_t len = 1 + next_random() % 80;
        char *data = malloc(len);
        data[0] = 'M';
        for (size_t i = 1; i < len; i++) {
            data[i] = (char)(next_random() % 3 ? next_random() % 160 : next_random() % 12);
        }
        fuzz_schemas(data, len);
        free(data);
    }
}
