/* json_union.c - a value of JSON as the member of a union that fits it, as JsonSchemaConverter
 * chooses: the first simple member of the value's kind, else the struct that shares most member
 * names with it, counted through all levels. */
#include "base/err.h"
#include "data/converters/json_plan.h"
#include "data/values.h"

/* Whether a value beginning with c can be read as a member that is no struct. */
static bool fits(const struct json_plan *plan, int c, bool integral)
{
    bool number = c == '-' || (c >= '0' && c <= '9');
    switch ((enum sluice_type)plan->type) {
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64: return number && integral;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64: return number;
    case SLUICE_BOOLEAN: return c == 't' || c == 'f';
    case SLUICE_STRING: return c == '"' || plan->kind == JSON_ANY;
    case SLUICE_BYTES: return number && !integral;
    case SLUICE_ARRAY: return c == '[';
    case SLUICE_MAP: return c == '{' || c == '[';
    default: return false;
    }
}

/* How many member names struct and object share, with those below. */
static size_t shared(const struct json_plan *plan, const struct sluice_value *object)
{
    size_t n = 0;
    if (plan->type != SLUICE_STRUCT || object->type != SLUICE_MAP) return 0;
    for (uint32_t i = 0; i < object->len; i++) {
        const struct sluice_value *name = &object->u.v[2 * (size_t)i];
        int child = json_plan_child(plan, name->u.s, name->len);
        if (child >= 0) n += 1 + shared(plan->children[child].plan, name + 1);
    }
    return n;
}

/* Index of the member for what comes next, -1: none; -2: it is no JSON (err). */
static int choose(struct sluice_json_reader *r, const struct json_plan *plan)
{
    struct sluice_json_number number = {.integral = false};
    struct sluice_value object = sluice_null();
    size_t best_n = 0;
    int c = sluice_json_peek(r), best = -1;
    const char *start = r->at;
    if (c == '-' || (c >= '0' && c <= '9')) {
        if (!sluice_json_read_number(r, &number)) return -2;
    } else if (c == '{') {
        if (!sluice_json_read(r, &object)) return -2;
    }
    r->at = start;
    for (uint32_t i = 0; i < plan->children_n; i++) {
        const struct json_plan *member = plan->children[i].plan;
        if (fits(member, c, number.integral)) return (int)i;
        size_t n = shared(member, &object);
        if (n > best_n) {
            best_n = n;
            best = (int)i;
        }
    }
    return best;
}

bool json_decode_union(struct sluice_json_reader *r, const struct json_plan *plan,
                       struct sluice_value *v)
{
    int chosen = choose(r, plan);
    if (chosen == -1) sluice_err_set(r->err, "the value fits none of the union's members");
    if (chosen < 0) return false;
    struct sluice_value *members =
        sluice_arena_alloc(&r->batch->arena, plan->children_n * sizeof *members);
    for (uint32_t i = 0; i < plan->children_n; i++) members[i] = sluice_null();
    if (!json_decode(r, plan->children[chosen].plan, &members[chosen])) {
        return sluice_err_wrap(r->err, "field %s", plan->children[chosen].name);
    }
    *v = sluice_nested(SLUICE_STRUCT, members, plan->children_n);
    return true;
}
