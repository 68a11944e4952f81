/* regex.h - random strings that match a regular expression, as the Avro Random Generator's Generex
 * makes them: a walk over the minimal automaton that at each accepting state stops with a
 * probability of 0.35, and at any other state takes one of its ranges, each as likely.
 *
 * Generex backtracks out of walks whose length does not fit, which takes exponential time for
 * fixed lengths above 15. Here a table of what is still reachable keeps a walk from going there;
 * walks that never backtrack draw the same numbers as Generex does.
 *
 * Syntax (dk.brics.automaton's): | () [] [^] . ? * + {n} {n,} {n,m} \c "quoted" @ (any string)
 * # (nothing), \d \w \s \D \W \S, \Q..\E. No anchors, groups or look-around. */
#ifndef DATAGEN_REGEX_H
#define DATAGEN_REGEX_H

#include "java_random.h"
#include "util.h"

#define REGEX_MAX_BYTES 4096
#define REGEX_MAX_LENGTH 65536 /* of a generated string, in UTF-16 units */
#define REGEX_UNITS 0x10000u

enum regex_kind { REGEX_SET, REGEX_CONCAT, REGEX_ALT, REGEX_REPEAT, REGEX_EMPTY };

struct regex_set { /* of UTF-16 units: ranges, sorted and apart once normalised */
    uint32_t len, cap;
    struct regex_span {
        uint32_t lo, hi;
    } * spans;
};

struct regex_node {
    enum regex_kind kind;
    struct regex_node *a, *b;
    int min, max; /* REPEAT; max -1: no end */
    struct regex_set set;
};

/* Reads a pattern (UTF-8, terminated) into a tree in the arena; NULL with err set. */
struct regex_node *regex_parse(struct datagen_arena *arena, const char *pattern,
                               struct sluice_err *err);
void regex_set_add(struct datagen_arena *arena, struct regex_set *set, uint32_t lo, uint32_t hi);

struct regex_edge {
    uint16_t lo, hi;
    uint32_t to;
};

struct regex_state {
    uint32_t first, len; /* edges */
    bool accept;
    uint32_t exit; /* edges of the shortest way to an accepting state */
    /* A run of states with one edge of one unit each takes two draws a unit: skipped at once. */
    const char *run; /* NULL: none */
    uint32_t run_len, run_to;
    uint64_t run_mult, run_add;
};

struct regex {
    struct regex_state *states;
    struct regex_edge *edges;
    uint32_t len, start;
    int min, max;          /* of the string's length */
    bool relaxed;          /* no match has such a length: walk without bounds */
    uint32_t span;         /* lengths that the table covers */
    const uint8_t *within; /* [state * span + length]: a fitting end can be reached */
};

/* The minimal automaton of the tree, without walks' tables. */
bool regex_automaton(struct datagen_arena *arena, const struct regex_node *root,
                     struct regex *regex, struct sluice_err *err);
/* Compiles a pattern for lengths of min to max (inclusive). All of it lives in the arena. */
bool regex_compile(struct datagen_arena *arena, const char *pattern, int min, int max,
                   struct regex *regex, struct sluice_err *err);
/* One random match in UTF-8, written at mem->at: its bytes are not yet kept. Returns its length. */
size_t regex_walk(const struct regex *regex, struct java_random *random, struct datagen_mem *mem);

#endif
