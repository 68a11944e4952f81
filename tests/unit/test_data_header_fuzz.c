/* The fuzz corpus of SimpleHeaderConverter, replayed, and each file again with bytes changed at
 * random, from a fixed seed. */
#include "fuzz/corpus.h"
#include "fuzz/fuzz_header.h"

static const char likely[] = "\"\\{}[]:,0123456789eE+-.tfnTZ \xff\xc3";
static struct corpus corpus = {"header", likely, sizeof likely - 1, 600, 3000, 0, 2463534242u};

static void replay(const char *path)
{
    if (!fuzz_header_file(path)) FAIL("cannot read %s", path);
}

TEST(header_corpus) { CHECK(corpus_each(&corpus, replay) >= 50); }

static void mutate(const char *path) { corpus_mutate(&corpus, path, fuzz_header); }

TEST(header_corpus_changed_at_random) { corpus_each(&corpus, mutate); }
