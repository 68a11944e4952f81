/* The fuzz corpus of .proto texts, Protobuf messages and JSON Schemas, replayed, and each
 * file again with bytes changed at random, from a fixed seed. */
#include "fuzz/corpus.h"
#include "fuzz/fuzz_schemas.h"

static const char likely[] = "\"\\{}[]:,;=<>()019.-/* \n\x80\xff\x0a\x12\x1a";
static struct corpus corpus = {"schemas", likely, sizeof likely - 1, 150, 6000, 1, 88675123u};

static void replay(const char *path)
{
    if (!fuzz_schemas_file(path)) FAIL("cannot read %s", path);
}

TEST(schemas_corpus) { CHECK(corpus_each(&corpus, replay) >= 30); }

static void mutate(const char *path) { corpus_mutate(&corpus, path, fuzz_schemas); }

TEST(schemas_corpus_changed_at_random) { corpus_each(&corpus, mutate); }

/* Whole messages of random bytes that look like tags and lengths. */
TEST(random_messages)
{
    for (int round = 0; round < 4000; round++) {
        size_t len = 1 + corpus_random(&corpus) % 80;
        char *data = malloc(len);
        data[0] = 'M';
        for (size_t i = 1; i < len; i++) {
            data[i] = (char)(corpus_random(&corpus) % 3 ? corpus_random(&corpus) % 160
                                                        : corpus_random(&corpus) % 12);
        }
        fuzz_schemas(data, len);
        free(data);
    }
}
