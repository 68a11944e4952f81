/* The fuzz corpus of the JSON and header readers, replayed, and each file again with bytes changed
 * at random, from a fixed seed. */
#include "fuzz/corpus.h"
#include "fuzz/fuzz_json.h"

static const char likely[] = "\"\\{}[]:,0123456789eE+-.tfn \xff\xc3";
static struct corpus corpus = {"json", likely, sizeof likely - 1, 60, 3000, 0, 2463534242u};

static void replay(const char *path)
{
    if (!fuzz_json_file(path)) FAIL("cannot read %s", path);
}

TEST(json_corpus) { CHECK(corpus_each(&corpus, replay) >= 30); }

static void mutate(const char *path) { corpus_mutate(&corpus, path, fuzz_json); }

TEST(json_corpus_changed_at_random) { corpus_each(&corpus, mutate); }
