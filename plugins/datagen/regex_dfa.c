/* regex_dfa.c - tree to nondeterministic automaton (Thompson), to deterministic (subsets), to the
 * minimal one (Moore's refinement). Units are handled as classes: the stretches between the cuts
 * where any range of the pattern begins or ends. */
#include "regex.h"

#include <stdlib.h>

#define MAX_NFA 20000u
#define MAX_DFA 4096u
#define MAX_CLASSES 512u
#define NONE UINT32_MAX

struct nfa_state { /* either two empty moves or one move on a set */
    uint32_t to, also;
    const struct regex_set *set; /* NULL: empty moves */
};

struct builder {
    struct datagen_arena *arena; /* scratch */
    struct nfa_state *nfa;
    uint32_t nfa_len;
    uint32_t cuts[MAX_CLASSES + 1];
    uint32_t classes;
    uint32_t words;  /* of a set of NFA states */
    uint64_t **sets; /* of each DFA state */
    uint32_t *delta; /* [state * classes + class] */
    bool *accept;
    uint32_t len;
    uint32_t end; /* the NFA's accepting state */
    struct sluice_err *err;
};

static uint32_t nfa_add(struct builder *b, uint32_t to, uint32_t also, const struct regex_set *set)
{
    if (b->nfa_len >= MAX_NFA) return NONE;
    b->nfa[b->nfa_len] = (struct nfa_state){to, also, set};
    return b->nfa_len++;
}

/* Builds the node so that it goes on at `next`; returns its first state, NONE when too big. */
static uint32_t nfa_build(struct builder *b, const struct regex_node *node, uint32_t next)
{
    if (next == NONE) return NONE;
    switch (node->kind) {
    case REGEX_EMPTY: return next;
    case REGEX_SET: return nfa_add(b, next, NONE, &node->set);
    case REGEX_CONCAT: return nfa_build(b, node->a, nfa_build(b, node->b, next));
    case REGEX_ALT: {
        uint32_t one = nfa_build(b, node->a, next), two = nfa_build(b, node->b, next);
        return one == NONE || two == NONE ? NONE : nfa_add(b, one, two, NULL);
    }
    case REGEX_REPEAT: break;
    }
    uint32_t at = next;
    if (node->max < 0) {
        uint32_t loop = nfa_add(b, NONE, next, NULL);
        if (loop == NONE) return NONE;
        uint32_t body = nfa_build(b, node->a, loop);
        if (body == NONE) return NONE;
        b->nfa[loop].to = body;
        at = loop;
    }
    for (int i = node->min; i < node->max; i++) {
        uint32_t body = nfa_build(b, node->a, at);
        if (body == NONE) return NONE;
        at = nfa_add(b, body, next, NULL);
        if (at == NONE) return NONE;
    }
    for (int i = 0; i < node->min; i++) at = nfa_build(b, node->a, at);
    return at;
}

static bool add_cut(struct builder *b, uint32_t cut)
{
    uint32_t i = 0;
    while (i < b->classes && b->cuts[i] < cut) i++;
    if (i < b->classes && b->cuts[i] == cut) return true;
    if (b->classes == MAX_CLASSES) return false;
    memmove(b->cuts + i + 1, b->cuts + i, (b->classes - i) * sizeof(*b->cuts));
    b->cuts[i] = cut;
    b->classes++;
    return true;
}

static bool find_classes(struct builder *b)
{
    bool ok = add_cut(b, 0);
    for (uint32_t i = 0; ok && i < b->nfa_len; i++) {
        const struct regex_set *set = b->nfa[i].set;
        for (uint32_t k = 0; ok && set && k < set->len; k++) {
            ok = add_cut(b, set->spans[k].lo);
            if (ok && set->spans[k].hi + 1 < REGEX_UNITS) ok = add_cut(b, set->spans[k].hi + 1);
        }
    }
    return ok;
}

/* Adds a state and all that empty moves reach from it. */
static void close_over(const struct builder *b, uint64_t *set, uint32_t *stack, uint32_t from)
{
    uint32_t depth = 0;
    stack[depth++] = from;
    while (depth) {
        uint32_t s = stack[--depth];
        if (s == NONE || set[s / 64] >> (s % 64) & 1) continue;
        set[s / 64] |= 1ULL << (s % 64);
        if (s == b->end || b->nfa[s].set) continue;
        stack[depth++] = b->nfa[s].to;
        stack[depth++] = b->nfa[s].also;
    }
}

static bool holds(const struct regex_set *set, uint32_t unit)
{
    for (uint32_t i = 0; i < set->len; i++) {
        if (unit >= set->spans[i].lo && unit <= set->spans[i].hi) return true;
    }
    return false;
}

/* The number of the DFA state for this set; NONE when the set is empty or there are too many. */
static uint32_t dfa_state(struct builder *b, const uint64_t *set)
{
    bool any = false;
    for (uint32_t w = 0; w < b->words; w++) any = any || set[w];
    if (!any) return NONE;
    for (uint32_t i = 0; i < b->len; i++) {
        if (memcmp(b->sets[i], set, b->words * sizeof(*set)) == 0) return i;
    }
    if (b->len == MAX_DFA) return NONE;
    b->sets[b->len] = datagen_alloc(b->arena, b->words * sizeof(*set));
    memcpy(b->sets[b->len], set, b->words * sizeof(*set));
    b->accept[b->len] = set[b->end / 64] >> (b->end % 64) & 1;
    return b->len++;
}

static bool determinise(struct builder *b, uint32_t start)
{
    b->words = b->nfa_len / 64 + 1;
    uint64_t *set = datagen_alloc(b->arena, b->words * sizeof(*set));
    uint32_t *stack = datagen_alloc(b->arena, (2 * (size_t)b->nfa_len + 4) * sizeof(*stack));
    b->sets = datagen_alloc(b->arena, MAX_DFA * sizeof(*b->sets));
    b->accept = datagen_alloc(b->arena, MAX_DFA * sizeof(*b->accept));
    b->delta = datagen_alloc(b->arena, (size_t)MAX_DFA * b->classes * sizeof(*b->delta));
    close_over(b, set, stack, start);
    (void)dfa_state(b, set);
    for (uint32_t i = 0; i < b->len; i++) {
        for (uint32_t c = 0; c < b->classes; c++) {
            memset(set, 0, b->words * sizeof(*set));
            for (uint32_t s = 0; s < b->nfa_len; s++) {
                if (!(b->sets[i][s / 64] >> (s % 64) & 1) || !b->nfa[s].set) continue;
                if (holds(b->nfa[s].set, b->cuts[c])) close_over(b, set, stack, b->nfa[s].to);
            }
            b->delta[i * b->classes + c] = dfa_state(b, set);
            if (b->len == MAX_DFA) return false;
        }
    }
    return true;
}

/* Groups of equal states: first by accept, then split while transitions differ. */
static uint32_t refine(struct builder *b, uint32_t *group)
{
    uint32_t *next = datagen_alloc(b->arena, b->len * sizeof(*next));
    uint32_t *first = datagen_alloc(b->arena, b->len * sizeof(*first)); /* of each new group */
    uint32_t groups = 1;
    for (uint32_t i = 0; i < b->len; i++) group[i] = b->accept[i];
    for (;;) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < b->len; i++) {
            uint32_t g = 0;
            for (; g < n; g++) {
                uint32_t k = first[g], c = 0;
                if (group[k] != group[i]) continue;
                for (; c < b->classes; c++) {
                    uint32_t x = b->delta[i * b->classes + c], y = b->delta[k * b->classes + c];
                    if ((x == NONE) != (y == NONE) || (x != NONE && group[x] != group[y])) break;
                }
                if (c == b->classes) break;
            }
            if (g == n) first[n++] = i;
            next[i] = g;
        }
        memcpy(group, next, b->len * sizeof(*group));
        if (n == groups) return n;
        groups = n;
    }
}

/* Distance to an accepting state, for each state; NONE: dead. */
static void find_exits(const struct builder *b, uint32_t *exit)
{
    for (uint32_t i = 0; i < b->len; i++) exit[i] = b->accept[i] ? 0 : NONE;
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = b->len; i-- > 0;) {
            for (uint32_t c = 0; c < b->classes; c++) {
                uint32_t to = b->delta[i * b->classes + c];
                if (to == NONE || exit[to] == NONE || exit[to] + 1 >= exit[i]) continue;
                exit[i] = exit[to] + 1;
                moved = true;
            }
        }
    }
}

static void emit_edges(const struct builder *b, uint32_t state, const uint32_t *group,
                       const uint32_t *exit, struct regex *regex, uint32_t *edges_len)
{
    struct regex_state *s = &regex->states[group[state]];
    s->first = *edges_len;
    s->accept = b->accept[state];
    s->exit = exit[state];
    for (uint32_t c = 0; c < b->classes; c++) {
        uint32_t to = b->delta[state * b->classes + c];
        if (to == NONE || exit[to] == NONE) continue;
        uint32_t lo = b->cuts[c];
        uint32_t hi = c + 1 < b->classes ? b->cuts[c + 1] - 1 : REGEX_UNITS - 1;
        struct regex_edge *last = s->len ? &regex->edges[*edges_len - 1] : NULL;
        if (last && last->to == group[to] && (uint32_t)last->hi + 1 == lo) {
            last->hi = (uint16_t)hi;
        } else {
            regex->edges[(*edges_len)++] =
                (struct regex_edge){(uint16_t)lo, (uint16_t)hi, group[to]};
            s->len++;
        }
    }
}

static bool build(struct builder *b, struct datagen_arena *arena, const struct regex_node *root,
                  struct regex *regex)
{
    b->nfa = datagen_alloc(b->arena, MAX_NFA * sizeof(*b->nfa));
    b->end = nfa_add(b, NONE, NONE, NULL);
    uint32_t start = nfa_build(b, root, b->end);
    if (start == NONE || !find_classes(b) || !determinise(b, start)) {
        return datagen_fail(b->err, "regex: too large (at most %u automaton states)", MAX_DFA);
    }
    uint32_t *group = datagen_alloc(b->arena, b->len * sizeof(*group));
    uint32_t *exit = datagen_alloc(b->arena, b->len * sizeof(*exit));
    find_exits(b, exit);
    if (exit[0] == NONE) return datagen_fail(b->err, "regex: nothing matches it");
    regex->len = refine(b, group);
    regex->start = group[0];
    regex->states = datagen_alloc(arena, regex->len * sizeof(*regex->states));
    regex->edges = datagen_alloc(arena, (size_t)regex->len * b->classes * sizeof(*regex->edges));
    bool *done = datagen_alloc(b->arena, regex->len * sizeof(*done));
    uint32_t edges_len = 0;
    for (uint32_t i = 0; i < b->len; i++) {
        if (!done[group[i]]) emit_edges(b, i, group, exit, regex, &edges_len);
        done[group[i]] = true;
    }
    return true;
}

bool regex_automaton(struct datagen_arena *arena, const struct regex_node *root,
                     struct regex *regex, struct sluice_err *err)
{
    struct datagen_arena scratch = {0};
    struct builder b = {.arena = &scratch, .err = err};
    bool ok = build(&b, arena, root, regex);
    datagen_arena_free(&scratch);
    return ok;
}
