/* regex_walk.c - lengths that can still be met, runs that are skipped at once, and the walk. */
#include "regex.h"

#define STOP_ABOVE 644245094 /* an int above this stops: probability 0.35 */
#define MAX_TABLE (8u << 20) /* bytes of the table of lengths */

/* Two draws of java.util.Random for each unit of a run, as one affine step of its state. */
static void find_runs(struct datagen_arena *arena, struct regex *regex)
{
    for (uint32_t i = 0; i < regex->len; i++) {
        struct regex_state *s = &regex->states[i];
        char text[256];
        uint64_t mult = 1, add = 0;
        uint32_t n = 0, at = i;
        while (n < sizeof(text)) {
            const struct regex_state *t = &regex->states[at];
            const struct regex_edge *e = &regex->edges[t->first];
            if (t->accept || t->len != 1 || e->lo != e->hi || e->lo >= 0x80) break;
            text[n++] = (char)e->lo;
            for (int k = 0; k < 2; k++) {
                mult = mult * JAVA_RANDOM_MULT & JAVA_RANDOM_MASK;
                add = (add * JAVA_RANDOM_MULT + 0xB) & JAVA_RANDOM_MASK;
            }
            at = e->to;
        }
        if (!n) continue;
        s->run = datagen_strndup(arena, text, n);
        s->run_len = n;
        s->run_to = at;
        s->run_mult = mult;
        s->run_add = add;
    }
}

/* within[state][length]: from here an end of min to max units can be met. Lengths past the table
 * are all good: a table ends where a string of any greater length fits. */
static bool find_lengths(struct datagen_arena *arena, struct regex *regex, struct sluice_err *err)
{
    uint32_t top = (uint32_t)regex->max, enough = (uint32_t)regex->min + regex->len;
    if (top > enough) top = enough;
    regex->span = top + 1;
    if ((uint64_t)regex->span * regex->len > MAX_TABLE) {
        return datagen_fail(err, "regex: too large for strings of up to %u characters", top);
    }
    uint8_t *within = datagen_alloc(arena, (size_t)regex->span * regex->len);
    for (uint32_t length = regex->span; length-- > 0;) {
        for (uint32_t i = 0; i < regex->len; i++) {
            const struct regex_state *s = &regex->states[i];
            bool fits = s->accept && length >= (uint32_t)regex->min;
            for (uint32_t k = 0; !fits && length + 1 < regex->span && k < s->len; k++) {
                uint32_t to = regex->edges[s->first + k].to;
                fits = within[(size_t)to * regex->span + length + 1];
            }
            within[(size_t)i * regex->span + length] = fits;
        }
    }
    regex->within = within;
    regex->relaxed = !within[(size_t)regex->start * regex->span];
    return true;
}

bool regex_compile(struct datagen_arena *arena, const char *pattern, int min, int max,
                   struct regex *regex, struct sluice_err *err)
{
    *regex = (struct regex){.min = min, .max = max};
    if (min > REGEX_MAX_LENGTH) {
        return datagen_fail(err, "length: strings of a regex have at most %d characters, not %d",
                            REGEX_MAX_LENGTH, min);
    }
    struct regex_node *root = regex_parse(arena, pattern, err);
    if (!root || !regex_automaton(arena, root, regex, err)) return false;
    find_runs(arena, regex);
    return find_lengths(arena, regex, err);
}

static bool fits(const struct regex *regex, uint32_t state, uint32_t length)
{
    if (regex->relaxed) return true;
    if (length >= regex->span) return length <= (uint32_t)regex->max;
    return regex->within[(size_t)state * regex->span + length];
}

/* Takes an edge that can lead to a fitting end; false: stop here. */
static bool step(const struct regex *regex, const struct regex_state *s, uint32_t length,
                 struct java_random *random, uint32_t *unit, uint32_t *to)
{
    uint64_t tried[4] = {0}; /* edges found not to fit, as far as they have room here */
    uint32_t tried_len = 0;
    while (tried_len < s->len) {
        if (s->accept) {
            if (length == (uint32_t)regex->max) return false;
            bool stop = java_random_int(random) > STOP_ABOVE;
            if (stop && length >= (uint32_t)regex->min) return false;
        }
        uint32_t pick = (uint32_t)java_random_below(random, (int32_t)s->len);
        if (pick < 256 && tried[pick / 64] >> (pick % 64) & 1) continue;
        const struct regex_edge *e = &regex->edges[s->first + pick];
        int32_t width = (int32_t)e->hi - (int32_t)e->lo + 1;
        *unit = e->lo + (uint32_t)java_random_below(random, width);
        *to = e->to;
        if (fits(regex, e->to, length + 1)) return true;
        if (pick < 256) {
            tried[pick / 64] |= 1ULL << (pick % 64);
            tried_len++;
        }
    }
    return false;
}

/* Past the cap on lengths only the shortest way out is taken. */
static bool step_out(const struct regex *regex, const struct regex_state *s, uint32_t *unit,
                     uint32_t *to)
{
    for (uint32_t k = 0; k < s->len && s->exit; k++) {
        const struct regex_edge *e = &regex->edges[s->first + k];
        if (regex->states[e->to].exit >= s->exit) continue;
        *unit = e->lo;
        *to = e->to;
        return true;
    }
    return false;
}

/* One unit as UTF-8. Halves of surrogate pairs are joined; a lone one becomes '?', as in Java. */
static size_t put_unit(char *out, size_t n, uint32_t unit, uint32_t *high)
{
    uint32_t point = unit, had = *high;
    *high = unit >= 0xD800 && unit < 0xDC00 ? unit : 0;
    if (unit >= 0xDC00 && unit < 0xE000 && had) {
        point = 0x10000 + ((had - 0xD800) << 10) + (unit - 0xDC00);
        n--; /* over the '?' that stood for the first half */
    } else if (unit >= 0xD800 && unit < 0xE000) {
        point = '?';
    }
    if (point < 0x80) {
        out[n++] = (char)point;
    } else if (point < 0x800) {
        out[n++] = (char)(0xC0 | point >> 6);
        out[n++] = (char)(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        out[n++] = (char)(0xE0 | point >> 12);
        out[n++] = (char)(0x80 | (point >> 6 & 0x3F));
        out[n++] = (char)(0x80 | (point & 0x3F));
    } else {
        out[n++] = (char)(0xF0 | point >> 18);
        out[n++] = (char)(0x80 | (point >> 12 & 0x3F));
        out[n++] = (char)(0x80 | (point >> 6 & 0x3F));
        out[n++] = (char)(0x80 | (point & 0x3F));
    }
    return n;
}

size_t regex_walk(const struct regex *regex, struct java_random *random, struct datagen_mem *mem)
{
    size_t n = 0, room = 1024;
    uint32_t length = 0, at = regex->start, high = 0, unit = 0;
    char *out = datagen_mem_room(mem, room);
    for (;;) {
        const struct regex_state *s = &regex->states[at];
        if (n + 260 > room) { /* the longest run, or one unit */
            char *bigger = datagen_mem_room(mem, 2 * room + 260);
            if (bigger != out) memcpy(bigger, out, n);
            out = bigger;
            room = 2 * room + 260;
        }
        if (s->run) {
            memcpy(out + n, s->run, s->run_len);
            n += s->run_len;
            length += s->run_len;
            random->state = (random->state * s->run_mult + s->run_add) & JAVA_RANDOM_MASK;
            at = s->run_to;
            high = 0;
            continue;
        }
        bool more = length < REGEX_MAX_LENGTH ? step(regex, s, length, random, &unit, &at)
                                              : step_out(regex, s, &unit, &at);
        if (!more) return n;
        n = put_unit(out, n, unit, &high);
        length++;
    }
}
