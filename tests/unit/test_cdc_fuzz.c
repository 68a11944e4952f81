/* The fuzz corpus of postgres-cdc's values and messages, replayed, and each file again with bytes
 * changed at random, from a fixed seed. */
#include "fuzz/corpus.h"
#include "fuzz/fuzz_cdc.h"

static const char likely[] = "\"\\{}[](),:;=>'/-+.0129 eEBCNULnatfy\0\1\xff\xc3";
static struct corpus corpus = {"cdc", likely, sizeof likely - 1, 40, 3000, 0, 88172645u};

static void replay(const char *path)
{
    if (!fuzz_cdc_file(path)) FAIL("cannot read %s", path);
}

TEST(cdc_corpus)
{
    CHECK(corpus_each(&corpus, replay) >= 80);
    fuzz_cdc_end();
}

static void mutate(const char *path) { corpus_mutate(&corpus, path, fuzz_cdc); }

TEST(cdc_corpus_changed_at_random)
{
    corpus_each(&corpus, mutate);
    fuzz_cdc_end();
}
