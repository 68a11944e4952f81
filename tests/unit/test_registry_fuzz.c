/* The fuzz corpus of a schema registry's answers, replayed, and each file again with bytes changed
 * at random, from a fixed seed. */
#include "fuzz/corpus.h"
#include "fuzz/fuzz_registry.h"
#include "registry/registry.h"

static const char likely[] = "\"\\{}[]:,0123456789eE+-.tfn \xff\xc3";
static struct corpus corpus = {"registry", likely, sizeof likely - 1, 12, 3000, 0, 2463534242u};

static void replay(const char *path)
{
    if (!fuzz_registry_file(path)) FAIL("cannot read %s", path);
}

TEST(registry_corpus) { CHECK(corpus_each(&corpus, replay) >= 50); }

static void mutate(const char *path) { corpus_mutate(&corpus, path, fuzz_registry); }

TEST(registry_corpus_changed_at_random) { corpus_each(&corpus, mutate); }
