/* json_tree.c - whole values of JSON text: objects and arrays (json_io.h), and sluice_json_parse().
 * Children wait on the reader's stack until their container closes. */
#include <assert.h>

#include "base/err.h"
#include "data/json_io.h"
#include "data/json_text.h"

void sluice_json_push(struct sluice_json_reader *r, struct sluice_value v)
{
    if (r->stack_n == r->stack_cap) {
        size_t cap = r->stack_cap * 2;
        struct sluice_value *stack = sluice_arena_alloc(&r->batch->arena, cap * sizeof *stack);
        memcpy(stack, r->stack, r->stack_n * sizeof *stack);
        r->stack = stack;
        r->stack_cap = cap;
    }
    r->stack[r->stack_n++] = v;
}

struct sluice_value sluice_json_pop(struct sluice_json_reader *r, enum sluice_type type,
                                    size_t mark, size_t len)
{
    size_t n = type == SLUICE_MAP ? 2 * len : len;
    assert(mark + n <= r->stack_n);
    struct sluice_value *children = sluice_arena_alloc(&r->batch->arena, n * sizeof *children);
    memcpy(children, r->stack + mark, n * sizeof *children);
    r->stack_n = mark;
    return sluice_nested(type, children, len);
}

bool sluice_json_member(struct sluice_json_reader *r, bool first, const char **s, uint32_t *len)
{
    int c = sluice_json_peek(r);
    if (c == '}') {
        r->at++;
        r->depth--;
        *s = NULL;
        return true;
    }
    if (!first) {
        if (c != ',') return sluice_json_unexpected(r, "',' or '}'");
        r->at++;
    }
    if (sluice_json_peek(r) != '"') return sluice_json_unexpected(r, "a member's name");
    if (!sluice_json_read_string(r, s, len)) return false;
    if (!sluice_json_take(r, ':')) return sluice_json_unexpected(r, "':'");
    return true;
}

bool sluice_json_item(struct sluice_json_reader *r, bool first, bool *more)
{
    int c = sluice_json_peek(r);
    *more = c != ']';
    if (!*more) {
        r->at++;
        r->depth--;
        return true;
    }
    if (first) return true;
    if (c != ',') return sluice_json_unexpected(r, "',' or ']'");
    r->at++;
    if (sluice_json_peek(r) == ']') return sluice_json_unexpected(r, "a value");
    return true;
}

static bool same_key(const struct sluice_value *a, const struct sluice_value *b)
{
    return a->type == SLUICE_STRING && b->type == SLUICE_STRING && a->len == b->len &&
           memcmp(a->u.s, b->u.s, a->len) == 0;
}

static uint32_t key_hash(const struct sluice_value *key)
{
    uint32_t h = 2166136261u;
    for (uint32_t i = 0; i < key->len; i++) h = (h ^ (unsigned char)key->u.s[i]) * 16777619u;
    return h ^ h >> 15;
}

#define FEW_KEYS 12u /* so many are compared pair by pair */

size_t sluice_json_unique(struct sluice_json_reader *r, size_t mark, size_t len)
{
    struct sluice_value *entries = r->stack + mark;
    uint32_t *slots = NULL; /* open addressing: number of an entry + 1 */
    size_t mask = 0, kept = 0;
    if (len > FEW_KEYS) {
        for (mask = 32; mask < 2 * len; mask *= 2) {
        }
        slots = sluice_arena_alloc(&r->batch->arena, mask * sizeof *slots);
        memset(slots, 0, mask * sizeof *slots);
        mask--;
    }
    for (size_t i = 0; i < len; i++) {
        const struct sluice_value *key = &entries[2 * i];
        size_t at = 0, slot = 0;
        if (slots) {
            for (slot = key_hash(key) & mask; slots[slot]; slot = (slot + 1) & mask) {
                if (same_key(&entries[2 * (slots[slot] - 1)], key)) break;
            }
            at = slots[slot] ? slots[slot] - 1 : kept;
        } else {
            while (at < kept && !same_key(&entries[2 * at], key)) at++;
        }
        if (at < kept) {
            entries[2 * at + 1] = entries[2 * i + 1];
            continue;
        }
        if (slots) slots[slot] = (uint32_t)kept + 1;
        if (kept != i) memcpy(&entries[2 * kept], &entries[2 * i], 2 * sizeof *entries);
        kept++;
    }
    return kept;
}

static bool read_object(struct sluice_json_reader *r, struct sluice_value *v)
{
    size_t mark = r->stack_n, len = 0;
    r->at++;
    if (!sluice_json_enter(r)) return false;
    for (;; len++) {
        const char *s;
        uint32_t n;
        struct sluice_value value;
        if (!sluice_json_member(r, len == 0, &s, &n)) return false;
        if (!s) break;
        sluice_json_push(r, sluice_string(s, n));
        if (!sluice_json_read(r, &value)) return false;
        sluice_json_push(r, value);
    }
    len = sluice_json_unique(r, mark, len);
    *v = sluice_json_pop(r, SLUICE_MAP, mark, len);
    return true;
}

static bool read_array(struct sluice_json_reader *r, struct sluice_value *v)
{
    size_t mark = r->stack_n, len = 0;
    r->at++;
    if (!sluice_json_enter(r)) return false;
    for (;; len++) {
        bool more;
        struct sluice_value value;
        if (!sluice_json_item(r, len == 0, &more)) return false;
        if (!more) break;
        if (!sluice_json_read(r, &value)) return false;
        sluice_json_push(r, value);
    }
    *v = sluice_json_pop(r, SLUICE_ARRAY, mark, len);
    return true;
}

bool sluice_json_read(struct sluice_json_reader *r, struct sluice_value *v)
{
    struct sluice_json_number number;
    const char *s;
    uint32_t len;
    switch (sluice_json_peek(r)) {
    case '{': return read_object(r, v);
    case '[': return read_array(r, v);
    case '"':
        if (!sluice_json_read_string(r, &s, &len)) return false;
        *v = sluice_string(s, len);
        return true;
    case 't': *v = sluice_bool(true); return sluice_json_read_word(r, "true");
    case 'f': *v = sluice_bool(false); return sluice_json_read_word(r, "false");
    case 'n': *v = sluice_null(); return sluice_json_read_word(r, "null");
    default:
        if (!sluice_json_read_number(r, &number)) return false;
        *v = number.integral ? sluice_int64(sluice_json_long(&number))
                             : sluice_float64(sluice_json_to_double(&number));
        return true;
    }
}

bool sluice_json_skip(struct sluice_json_reader *r)
{
    struct sluice_json_number number;
    const char *s;
    uint32_t len;
    bool more;
    switch (sluice_json_peek(r)) {
    case '{':
        r->at++;
        if (!sluice_json_enter(r)) return false;
        for (bool first = true;; first = false) {
            if (!sluice_json_member(r, first, &s, &len)) return false;
            if (!s) return true;
            if (!sluice_json_skip(r)) return false;
        }
    case '[':
        r->at++;
        if (!sluice_json_enter(r)) return false;
        for (bool first = true;; first = false) {
            if (!sluice_json_item(r, first, &more)) return false;
            if (!more) return true;
            if (!sluice_json_skip(r)) return false;
        }
    case '"': return sluice_json_read_string(r, &s, &len);
    case 't': return sluice_json_read_word(r, "true");
    case 'f': return sluice_json_read_word(r, "false");
    case 'n': return sluice_json_read_word(r, "null");
    default: return sluice_json_read_number(r, &number);
    }
}

bool sluice_json_root_end(struct sluice_json_reader *r)
{
    if (r->at == r->end || (unsigned char)*r->at <= ' ') return true;
    char last = r->at[-1];
    if (last < '0' || last > '9') return true;
    return sluice_json_unexpected(r, "white space behind a number");
}

bool sluice_json_parse(struct sluice_batch *batch, const char *text, size_t len,
                       struct sluice_value *v, size_t *rest, struct sluice_err *err)
{
    if (len > UINT32_MAX) {
        return sluice_err_set(err, "cannot read %zu bytes of JSON: at most 4 GiB", len);
    }
    struct sluice_json_reader r;
    sluice_json_reader_init(&r, batch, text, len, err);
    if (!sluice_json_read(&r, v)) return false;
    if (rest) {
        if (!sluice_json_root_end(&r)) return false;
        *rest = (size_t)(r.at - text);
        return true;
    }
    if (sluice_json_peek(&r) >= 0) return sluice_json_unexpected(&r, "the end");
    return true;
}
