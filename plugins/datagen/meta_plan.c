/* meta_plan.c - datasets to a plan. */
#include "meta.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_DEPTH 32
#define NO_SLOT UINT32_MAX

struct planner {
    struct meta_plan *plan;
    const char *prefix;
    char path[200]; /* of the field being read, for messages */
    struct sluice_err *err;
};

static uint32_t find_topic(struct planner *p, const char *name)
{
    struct meta_plan *plan = p->plan;
    char full[512];
    (void)snprintf(full, sizeof(full), "%s%s%s", p->prefix, *p->prefix ? "_" : "", name);
    for (uint32_t i = 0; i < plan->topics_len; i++) {
        if (strcmp(plan->topics[i].name, full) == 0) return i;
    }
    struct meta_topic *topic = &plan->topics[plan->topics_len];
    topic->name = datagen_strdup(&plan->arena, full);
    topic->key_slot = NO_SLOT;
    topic->slots = datagen_alloc(&plan->arena, META_MAX_SLOTS * sizeof(*topic->slots));
    return plan->topics_len++;
}

/* The topic's slot for a field, a new one when there is none and add is set. */
static uint32_t find_slot(struct planner *p, uint32_t topic_at, const char *name, bool add)
{
    struct meta_topic *topic = &p->plan->topics[topic_at];
    for (uint32_t i = 0; i < topic->slots_len; i++) {
        if (strcmp(topic->slots[i], name) == 0) return i;
    }
    if (!add || topic->slots_len == META_MAX_SLOTS) return NO_SLOT;
    topic->slots[topic->slots_len] = name;
    return topic->slots_len++;
}

static bool bad_field(struct planner *p, const char *what)
{
    return datagen_fail(p->err, "field %s: %s", p->path, what);
}

static bool read_object(struct planner *p, const json_t *json, struct meta_object *object,
                        int depth);

/* Fields that relationships fill are never evaluated, so their text may be anything. */
static bool read_field(struct planner *p, const json_t *json, struct meta_field *field, bool filled,
                       int depth)
{
    struct datagen_arena *arena = &p->plan->arena;
    if (json_is_string(json)) {
        struct sluice_err inner;
        field->expr = expr_compile(arena, json_string_value(json), &inner);
        if (field->expr) return true;
        if (filled) {
            field->expr = NULL;
            field->nested = datagen_alloc(arena, sizeof(*field->nested));
            return true;
        }
        return datagen_fail(p->err, "field %s: could not parse the expression \"%.200s\": %.650s",
                            p->path, json_string_value(json), inner.msg);
    }
    field->nested = datagen_alloc(arena, sizeof(*field->nested));
    if (json_is_null(json)) return true;
    if (!json_is_object(json) && !json_is_array(json)) {
        return filled || bad_field(p, "numbers and booleans are written as expressions, in quotes");
    }
    if (depth >= MAX_DEPTH) return bad_field(p, "objects are nested too deep");
    return read_object(p, json, field->nested, depth + 1);
}

/* An array is read as an object with the keys 0, 1, ... */
static bool read_object(struct planner *p, const json_t *json, struct meta_object *object,
                        int depth)
{
    struct datagen_arena *arena = &p->plan->arena;
    bool list = json_is_array(json);
    size_t n = list ? json_array_size(json) : json_object_size(json), at = strlen(p->path);
    if (n > META_MAX_SLOTS) return bad_field(p, "too many fields");
    object->fields = datagen_alloc(arena, (n + 1) * sizeof(*object->fields));
    void *iter = list ? NULL : json_object_iter((json_t *)json);
    for (size_t i = 0; i < n; i++) {
        struct meta_field *field = &object->fields[object->len++];
        const json_t *item = list ? json_array_get(json, i) : json_object_iter_value(iter);
        char number[24];
        number[datagen_digits(number, (int64_t)i)] = '\0';
        field->name = datagen_strdup(arena, list ? number : json_object_iter_key(iter));
        (void)snprintf(p->path + at, sizeof(p->path) - at, "%s%.80s", at ? "." : "", field->name);
        if (!read_field(p, item, field, false, depth)) return false;
        p->path[at] = '\0';
        if (!list) iter = json_object_iter_next((json_t *)json, iter);
    }
    return true;
}

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Topics in the order of their first mention, keys, and who makes first records. */
static bool read_meta(struct planner *p, const json_t *json, struct meta_dataset *dataset)
{
    const json_t *meta = json_object_get(json, "_meta");
    const json_t *relations = json_object_get(meta, "relationships");
    const char *name = text_at(meta, "topic"), *key = text_at(meta, "key");
    if (!json_is_object(meta) || !name || !*name || strlen(name) > 249) {
        return datagen_fail(p->err, "each dataset needs \"_meta\": {\"topic\": \"...\"}");
    }
    uint32_t before = p->plan->topics_len;
    if (before >= META_MAX_DATASETS) {
        return datagen_fail(p->err, "more than %d topics", META_MAX_DATASETS);
    }
    dataset->topic = find_topic(p, name);
    dataset->first = p->plan->topics_len > before;
    p->plan->topics[dataset->topic].key = key;
    size_t n = json_array_size(relations);
    if (relations && !json_is_null(relations) && !json_is_array(relations)) {
        return datagen_fail(p->err, "topic %s: relationships must be a list", name);
    }
    if (n > META_MAX_DATASETS)
        return datagen_fail(p->err, "topic %s: too many relationships", name);
    dataset->relations = datagen_alloc(&p->plan->arena, (n + 1) * sizeof(*dataset->relations));
    for (size_t i = 0; i < n; i++) {
        const json_t *json_at = json_array_get(relations, i);
        const json_t *per = json_object_get(json_at, "records_per");
        const char *child = text_at(json_at, "topic");
        if (!child || !*child || strlen(child) > 249 || !text_at(json_at, "parent_field") ||
            !text_at(json_at, "child_field")) {
            return datagen_fail(p->err,
                                "topic %s: relationship %zu needs topic, parent_field and "
                                "child_field",
                                name, i + 1);
        }
        if (per && !json_is_null(per) &&
            (!json_is_integer(per) || json_integer_value(per) > META_MAX_RECORDS)) {
            return datagen_fail(p->err, "topic %s: records_per must be a number up to %d", name,
                                META_MAX_RECORDS);
        }
        if (p->plan->topics_len == META_MAX_DATASETS) {
            return datagen_fail(p->err, "more than %d topics", META_MAX_DATASETS);
        }
        uint32_t known = p->plan->topics_len;
        struct meta_relation *relation = &dataset->relations[dataset->relations_len++];
        relation->topic = find_topic(p, child);
        relation->records_per = json_integer_value(per);
        if (p->plan->topics_len > known) p->plan->topics[relation->topic].key = key;
        relation->child_slot = find_slot(p, relation->topic, text_at(json_at, "child_field"), true);
        if (relation->child_slot == NO_SLOT) return datagen_fail(p->err, "too many fields");
    }
    return true;
}

/* Every record of the dataset comes with this field: it is the child field of all relationships to
 * its topic, and no first record is made. */
static bool always_filled(const struct meta_plan *plan, const struct meta_dataset *dataset,
                          uint32_t slot)
{
    for (uint32_t d = 0; d < plan->datasets_len; d++) {
        for (uint32_t i = 0; i < plan->datasets[d].relations_len; i++) {
            const struct meta_relation *relation = &plan->datasets[d].relations[i];
            if (relation->topic == dataset->topic && relation->child_slot != slot) return false;
        }
    }
    return !dataset->first;
}

/* The fields of a dataset; those that relationships always fill may hold any text. */
static bool read_fields(struct planner *p, const json_t *json, struct meta_dataset *dataset)
{
    struct meta_plan *plan = p->plan;
    const char *key;
    json_t *item;
    size_t n = json_object_size(json);
    if (n > META_MAX_SLOTS) return datagen_fail(p->err, "a dataset of too many fields");
    dataset->object.fields = datagen_alloc(&plan->arena, n * sizeof(struct meta_field));
    json_object_foreach((json_t *)json, key, item)
    {
        if (strcmp(key, "_meta") == 0) continue;
        struct meta_field *field = &dataset->object.fields[dataset->object.len++];
        field->name = datagen_strdup(&plan->arena, key);
        field->slot = find_slot(p, dataset->topic, field->name, true);
        if (field->slot == NO_SLOT) return datagen_fail(p->err, "a topic of too many fields");
        (void)snprintf(p->path, sizeof(p->path), "%.90s.%.90s", plan->topics[dataset->topic].name,
                       key);
        bool filled = always_filled(plan, dataset, field->slot);
        if (!read_field(p, item, field, filled, 0)) return false;
        p->path[0] = '\0';
    }
    return true;
}

static void bind(struct planner *p, const json_t *json, struct meta_dataset *dataset)
{
    const json_t *relations = json_object_get(json_object_get(json, "_meta"), "relationships");
    for (uint32_t i = 0; i < dataset->relations_len; i++) {
        const char *parent = text_at(json_array_get(relations, i), "parent_field");
        dataset->relations[i].parent_slot = find_slot(p, dataset->topic, parent, false);
    }
}

static bool read_all(struct planner *p, const json_t *list)
{
    struct meta_plan *plan = p->plan;
    size_t n = json_is_array(list) ? json_array_size(list) : 1;
    if (!n || n > META_MAX_DATASETS) {
        return datagen_fail(p->err, "1 to %d datasets are needed", META_MAX_DATASETS);
    }
    plan->datasets = datagen_alloc(&plan->arena, n * sizeof(*plan->datasets));
    plan->datasets_len = (uint32_t)n;
    plan->topics = datagen_alloc(&plan->arena, META_MAX_DATASETS * sizeof(*plan->topics));
    for (int pass = 0; pass < 3; pass++) {
        for (size_t i = 0; i < n; i++) {
            const json_t *json = json_is_array(list) ? json_array_get(list, i) : list;
            struct meta_dataset *dataset = &plan->datasets[i];
            if (pass == 0 && !read_meta(p, json, dataset)) return false;
            if (pass == 1 && !read_fields(p, json, dataset)) return false;
            if (pass == 2) bind(p, json, dataset);
        }
    }
    for (uint32_t i = 0; i < plan->topics_len; i++) {
        struct meta_topic *topic = &plan->topics[i];
        if (topic->key) topic->key_slot = find_slot(p, i, topic->key, false);
    }
    return true;
}

bool meta_plan_init(struct meta_plan *plan, const struct datagen_config *config,
                    struct sluice_err *err)
{
    struct planner p = {.plan = plan, .prefix = config->prefix, .err = err};
    json_error_t at;
    if (strlen(config->prefix) > 200) return datagen_fail(err, "prefix: at most 200 characters");
    char *plain = datagen_strdup(&plan->arena, config->schema);
    avro_strip_comments(plain);
    plan->json = json_loads(plain, 0, &at);
    if (!plan->json)
        return datagen_fail(err, "line %d, column %d: %s", at.line, at.column, at.text);
    return read_all(&p, plan->json);
}

void meta_plan_fini(struct meta_plan *plan)
{
    json_decref(plan->json);
    datagen_arena_free(&plan->arena);
    *plan = (struct meta_plan){0};
}
