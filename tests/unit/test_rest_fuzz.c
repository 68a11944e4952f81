/* The fuzz corpus of REST's parsers, replayed, and each file again with bytes changed at random,
 * from a fixed seed. */
#include "fuzz/corpus.h"

#include "rest/rest.h"

#include "fuzz/fuzz_rest.h"

static const char likely[] = "\"\\{}[]:,;=&?%/+-. \n\r\t01239afFzZ*<>'#\xff\xc3";
static struct corpus corpus = {"rest", likely, sizeof likely - 1, 300, 6000, 1, 2463534242u};

static void replay(const char *path)
{
    if (!fuzz_rest_file(path)) FAIL("cannot read %s", path);
}

TEST(rest_corpus) { CHECK(corpus_each(&corpus, replay) >= 40); }

static void mutate(const char *path) { corpus_mutate(&corpus, path, fuzz_rest); }

TEST(rest_corpus_changed_at_random) { corpus_each(&corpus, mutate); }
