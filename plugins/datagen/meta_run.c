/* meta_run.c - iterations of a plan.
 *
 * Records of an iteration are made at once and sent as polls have room, so they live in pools of
 * ours: one holds the iteration that a poll left unfinished, the other what a poll began; a pool is
 * used again once nothing of it is to be sent any more.
 *
 * A position is: the iteration, how many of its records were sent, the seed, and how many random
 * numbers were drawn before the iteration. A restart draws so many, makes the iteration again and
 * leaves out what was sent. */
#include "meta.h"

#include "java_random.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#define RESEED_AFTER (1LL << 30) /* draws: what a restart has to skip at most */

struct meta_record {
    struct sluice_value *entries; /* key, value, key, value, ... */
    uint64_t *present;            /* slots that have a value, undefined ones too */
    uint32_t len;                 /* entries, without undefined ones */
    struct sluice_value *slots;   /* values by slot, for keys and children */
};

struct meta_rows { /* a topic's records of this iteration */
    struct meta_record *records;
    uint32_t len, cap;
};

struct meta_run {
    const struct sluice_host *host;
    struct meta_plan plan;
    struct js js;
    struct datagen_pool pools[2];
    struct datagen_mem mem;
    int pool;   /* of the newest iteration */
    bool fresh; /* this poll has begun a pool */
    struct meta_rows *rows;
    uint32_t topic, row; /* the next record to send */
    size_t left;
    size_t made; /* records of this iteration */
    int64_t record_bytes;
    struct datagen_position at; /* of the next record */
    int64_t draws_after;
    const struct sluice_schema **schemas; /* schema.infer; else NULL */
    const struct sluice_schema *key_schema;
};

static void set_up(struct meta_run *run, const struct datagen_position *from)
{
    run->at = *from;
    run->js.arena = &run->plan.arena;
    run->js.mem = &run->mem;
    mersenne_seed(&run->js.random, from->seed);
    mersenne_skip(&run->js.random, from->draws);
    run->draws_after = from->draws;
    run->fresh = true;
    datagen_mem_begin_pool(&run->mem, &run->pools[0]);
}

struct meta_run *meta_run_new(const struct sluice_host *host, const struct datagen_config *config,
                              const struct datagen_position *from, const char **key,
                              struct sluice_err *err)
{
    struct meta_run *run = calloc(1, sizeof(*run));
    if (!run) abort();
    run->host = host;
    run->record_bytes = config->record_bytes;
    *key = config->schema_key;
    bool ok = meta_plan_init(&run->plan, config, err);
    if (ok) {
        struct datagen_arena *arena = &run->plan.arena;
        const struct sluice_schema text = {.type = SLUICE_STRING, .optional = true};
        run->rows = datagen_alloc(arena, run->plan.topics_len * sizeof(*run->rows));
        run->key_schema = host->schema(&text);
        set_up(run, from);
        if (config->schemas_inferred) {
            run->schemas = datagen_alloc(arena, run->plan.topics_len * sizeof(*run->schemas));
            *key = "schema.infer";
            ok = meta_schemas(&run->plan, host, config->record_bytes > 0, run->schemas, err);
        }
    }
    if (ok) return run;
    meta_run_free(run);
    return NULL;
}

void meta_run_free(struct meta_run *run)
{
    if (!run) return;
    for (uint32_t i = 0; i < run->plan.topics_len; i++) {
        if (run->schemas) run->host->schema_free(run->schemas[i]);
        if (run->rows) free(run->rows[i].records);
    }
    run->host->schema_free(run->key_schema);
    for (int i = 0; i < 2; i++) datagen_pool_free(&run->pools[i]);
    meta_plan_fini(&run->plan);
    free(run);
}

void meta_run_begin(struct meta_run *run)
{
    run->fresh = false;
    datagen_pool_reset(&run->pools[1 - run->pool]);
    if (!run->left) datagen_pool_reset(&run->pools[run->pool]);
}

size_t meta_run_left(const struct meta_run *run) { return run->left; }

/* ---- one iteration ---- */

static struct meta_record *add_record(struct meta_run *run, uint32_t topic)
{
    struct meta_rows *rows = &run->rows[topic];
    uint32_t slots = run->plan.topics[topic].slots_len;
    if (++run->made > META_MAX_RECORDS) {
        js_throw(&run->js, "an iteration of more than %d records", META_MAX_RECORDS);
        run->made--;
    }
    if (rows->len == rows->cap) {
        uint32_t cap = rows->cap ? 2 * rows->cap : 16;
        rows->records = realloc(rows->records, cap * sizeof(*rows->records));
        if (!rows->records) abort();
        rows->cap = cap;
    }
    struct meta_record *record = &rows->records[rows->len++];
    size_t words = slots / 64 + 1;
    record->entries =
        datagen_mem_take(&run->mem, 2 * ((size_t)slots + 1) * sizeof(*record->entries));
    record->slots = datagen_mem_take(&run->mem, ((size_t)slots + 1) * sizeof(*record->slots));
    record->present = datagen_mem_take(&run->mem, words * sizeof(*record->present));
    memset(record->present, 0, words * sizeof(*record->present));
    record->len = 0;
    return record;
}

static bool has(const struct meta_record *record, uint32_t slot)
{
    return record->present[slot / 64] >> (slot % 64) & 1;
}

static void set(struct meta_record *record, uint32_t slot, const char *name, struct sluice_value v)
{
    record->present[slot / 64] |= 1ULL << (slot % 64);
    record->slots[slot] = v;
    if (v.type == SLUICE_NULL && v.flags == JS_UNDEFINED) return;
    v.flags = JS_PLAIN;
    record->entries[2 * record->len] = sluice_string(name, strlen(name));
    record->entries[2 * record->len + 1] = v;
    record->len++;
}

static struct sluice_value make_nested(struct meta_run *run, const struct meta_object *object);

static struct sluice_value make_value(struct meta_run *run, const struct meta_field *field)
{
    if (!field->expr) return make_nested(run, field->nested);
    struct sluice_value v = js_finish(&run->js, expr_eval(&run->js, field->expr));
    if (run->js.failed && !run->js.err.msg[0]) js_throw(&run->js, "failed");
    return v;
}

static struct sluice_value make_nested(struct meta_run *run, const struct meta_object *object)
{
    struct sluice_value *entries = datagen_mem_take(&run->mem, 2 * object->len * sizeof(*entries));
    uint32_t n = 0;
    for (uint32_t i = 0; i < object->len; i++) {
        struct sluice_value v = make_value(run, &object->fields[i]);
        if (v.type == SLUICE_NULL && v.flags == JS_UNDEFINED) continue;
        entries[2 * n] = sluice_string(object->fields[i].name, strlen(object->fields[i].name));
        entries[2 * n++ + 1] = v;
    }
    return sluice_nested(SLUICE_MAP, entries, n);
}

static void fill(struct meta_run *run, const struct meta_dataset *dataset,
                 struct meta_record *record)
{
    for (uint32_t i = 0; i < dataset->object.len && !run->js.failed; i++) {
        const struct meta_field *field = &dataset->object.fields[i];
        if (has(record, field->slot)) continue;
        struct sluice_value v = make_value(run, field);
        if (run->js.failed) {
            struct sluice_err why = run->js.err;
            datagen_fail(&run->js.err, "field %.90s of topic %.200s: %.600s", field->name,
                         run->plan.topics[dataset->topic].name, why.msg);
        }
        set(record, field->slot, field->name, v);
    }
}

static void fill_all(struct meta_run *run, const struct meta_dataset *dataset)
{
    struct meta_rows *rows = &run->rows[dataset->topic];
    for (uint32_t i = 0; i < rows->len && !run->js.failed; i++)
        fill(run, dataset, &rows->records[i]);
}

/* The children that one parent has by one relationship. */
static void add_children(struct meta_run *run, const struct meta_relation *relation,
                         struct sluice_value v)
{
    const char *name = run->plan.topics[relation->topic].slots[relation->child_slot];
    bool list = v.type == SLUICE_ARRAY;
    int64_t n = list ? (int64_t)v.len : relation->records_per;
    for (int64_t i = 0; i < n && !run->js.failed; i++) {
        struct meta_record *child = add_record(run, relation->topic);
        set(child, relation->child_slot, name, list ? v.u.v[i] : v);
        if (run->mem.taken > META_MAX_BYTES) {
            js_throw(&run->js, "an iteration of more than %u bytes", META_MAX_BYTES);
        }
    }
}

static void relate(struct meta_run *run, const struct meta_dataset *dataset)
{
    for (uint32_t r = 0; r < dataset->relations_len; r++) {
        const struct meta_relation *relation = &dataset->relations[r];
        uint32_t n = run->rows[dataset->topic].len; /* children of its own topic have none */
        for (uint32_t i = 0; i < n && !run->js.failed; i++) {
            const struct meta_record *parent = &run->rows[dataset->topic].records[i];
            bool known = relation->parent_slot != UINT32_MAX && has(parent, relation->parent_slot);
            add_children(run, relation,
                         known ? parent->slots[relation->parent_slot] : js_undefined());
        }
    }
}

/* Of its own generator, so that the size of records does not change what is in them. */
static void add_payloads(struct meta_run *run)
{
    static const char set64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (uint32_t t = 0; t < run->plan.topics_len; t++) {
        struct java_random random;
        java_random_seed(&random, run->at.seed ^ (run->at.iteration * 257 + t));
        char *text = datagen_mem_take(&run->mem, (size_t)run->record_bytes);
        for (int64_t i = 0; i < run->record_bytes; i++) {
            text[i] = set64[java_random_below(&random, 64)];
        }
        for (uint32_t i = 0; i < run->rows[t].len; i++) {
            struct meta_record *record = &run->rows[t].records[i];
            record->entries[2 * record->len] = sluice_string("recordSizePayload", 17);
            record->entries[2 * record->len + 1] = sluice_string(text, (size_t)run->record_bytes);
            record->len++;
        }
    }
}

static void make_records(struct meta_run *run)
{
    const struct meta_plan *plan = &run->plan;
    for (uint32_t d = 0; d < plan->datasets_len && !run->js.failed; d++) {
        const struct meta_dataset *dataset = &plan->datasets[d];
        if (dataset->first) (void)add_record(run, dataset->topic);
        fill_all(run, dataset);
        relate(run, dataset);
    }
    for (uint32_t d = 0; d < plan->datasets_len && !run->js.failed; d++) {
        fill_all(run, &plan->datasets[d]);
    }
    if (run->record_bytes > 0) add_payloads(run);
}

/* The next record to send, past the ends of topics. */
static void settle(struct meta_run *run)
{
    while (run->topic < run->plan.topics_len && run->row >= run->rows[run->topic].len) {
        run->topic++;
        run->row = 0;
    }
}

static void begin_iteration(struct meta_run *run)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    run->js.now_ms = (double)now.tv_sec * 1000 + (double)(now.tv_nsec / 1000000);
    if (run->draws_after > RESEED_AFTER) {
        run->at.seed = (int64_t)(mersenne_next(&run->js.random) * 4294967296.0);
        mersenne_seed(&run->js.random, run->at.seed);
    }
    run->at.draws = run->js.random.draws;
    run->js.iteration = (double)run->at.iteration + 1;
    if (!run->fresh) {
        run->pool = 1 - run->pool;
        datagen_mem_begin_pool(&run->mem, &run->pools[run->pool]);
        run->fresh = true;
    }
    run->mem.taken = 0;
    run->made = 0;
    for (uint32_t t = 0; t < run->plan.topics_len; t++) run->rows[t].len = 0;
}

bool meta_run_iterate(struct meta_run *run, struct sluice_err *err)
{
    assert(!run->left);
    begin_iteration(run);
    make_records(run);
    if (run->js.failed) {
        *err = run->js.err;
        return false;
    }
    run->draws_after = run->js.random.draws;
    run->topic = run->row = 0;
    settle(run);
    run->left = run->made;
    /* A restart in the middle: what was sent before is left out. */
    int64_t sent = run->at.record;
    if (sent > (int64_t)run->made) sent = (int64_t)run->made;
    for (; sent > 0; sent--) {
        run->row++;
        run->left--;
        settle(run);
    }
    if (!run->left) { /* nothing (more) to send: on to the next */
        run->at.iteration++;
        run->at.record = 0;
    }
    return true;
}

static void set_value(struct meta_run *run, const struct meta_record *from,
                      struct sluice_record *record)
{
    const struct meta_topic *topic = &run->plan.topics[run->topic];
    record->value = sluice_nested(SLUICE_MAP, from->entries, from->len);
    if (run->schemas) {
        record->value_schema = run->schemas[run->topic];
        record->value = meta_conform(&run->js, record->value_schema, record->value);
    }
    record->key_schema = run->key_schema;
    if (topic->key_slot == UINT32_MAX || !has(from, topic->key_slot)) return;
    const struct sluice_value *key = &from->slots[topic->key_slot];
    if (js_truthy(key)) record->key = js_string(&run->js, *key);
}

size_t meta_run_emit(struct meta_run *run, struct sluice_batch *batch, uint32_t partition)
{
    assert(run->left > 0);
    struct sluice_record *record = run->host->append(batch);
    struct datagen_position *next = datagen_mem_take(&run->mem, sizeof(*next));
    size_t before = run->mem.taken, mean = run->mem.taken / run->made;
    record->topic = run->plan.topics[run->topic].name;
    set_value(run, &run->rows[run->topic].records[run->row], record);
    run->row++;
    run->left--;
    settle(run);
    run->at.record++;
    if (!run->left) {
        run->at.iteration++;
        run->at.record = 0;
        run->at.draws = run->draws_after;
    }
    *next = run->at;
    next->generation++;
    record->source_partition = partition;
    record->position = next;
    record->position_len = sizeof(*next);
    return mean + run->mem.taken - before;
}
