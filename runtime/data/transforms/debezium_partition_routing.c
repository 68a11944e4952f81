/* debezium_partition_routing.c - io.debezium.transforms.partitions.PartitionRouting: the record's
 * partition from fields of the change event.
 *
 * A path names fields from the envelope on; "change" in it is "before" for a delete, "after" for
 * the rest. The plan of an envelope schema says where every path leads, for both. Owner: one task's
 * thread. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/transforms/debezium.h"
#include "data/transforms/debezium_hash.h"

#define STEPS_MAX 64

struct path {
    char *steps[STEPS_MAX];
    size_t n;
};

struct routing {
    struct smt smt;
    struct path *paths;
    size_t n;
    uint32_t partitions;
    uint32_t (*hash)(const struct sluice_schema *schema, const struct sluice_value *v);
};

struct place { /* n 0: there is no such field */
    int at[STEPS_MAX];
    size_t n;
};

struct plan {
    struct smt_plan head;
    int op;
    struct place *places; /* 2 of each path: for a delete, for the rest */
};

/* ---- plans ---- */

static void plan_drop(struct sluice_lru_node *node)
{
    struct plan *plan = (struct plan *)node;
    smt_plan_fini(&plan->head);
    free(plan->places);
    free(plan);
}

static void find_place(const struct path *path, const struct sluice_schema *schema, bool deleted,
                       bool has_op, struct place *place)
{
    place->n = 0;
    for (size_t i = 0; i < path->n; i++) {
        const char *step = path->steps[i];
        if (i + 1 < path->n && strcmp(step, "change") == 0) {
            if (!has_op) return;
            step = deleted ? "before" : "after";
        }
        place->at[i] = dbz_field(schema, step);
        if (place->at[i] < 0) return;
        schema = schema->fields[place->at[i]].schema;
    }
    place->n = path->n;
}

static struct plan *plan_new(struct routing *self, const struct sluice_schema *schema)
{
    struct plan *plan = sluice_xcalloc(1, sizeof *plan);
    plan->op = dbz_field(schema, "op");
    plan->places = sluice_xcalloc(2 * self->n, sizeof *plan->places);
    for (size_t i = 0; i < self->n; i++) {
        for (int rest = 0; rest < 2; rest++) {
            find_place(&self->paths[i], schema, !rest, plan->op >= 0,
                       &plan->places[2 * i + (size_t)rest]);
        }
    }
    smt_plan_put(&self->smt, &plan->head, schema, NULL);
    return plan;
}

/* ---- records ---- */

/* Adds the field's hash. False: a struct on the way is null (err). */
static bool add_hash(const struct routing *self, const struct place *place, const struct path *path,
                     const struct sluice_record *rec, uint32_t *sum, bool *any,
                     struct sluice_err *err)
{
    const struct sluice_schema *schema = rec->value_schema;
    const struct sluice_value *v = &rec->value;
    for (size_t i = 0; i < place->n; i++) {
        assert(schema->type == SLUICE_STRUCT);
        if (v->type != SLUICE_STRUCT || (uint32_t)place->at[i] >= v->len) {
            return sluice_err_set(err,
                                  "Unprocessable message of topic %s: %s is null, so that it has "
                                  "no field %s (partition.payload.fields); use change.<field> for "
                                  "the row that an event has",
                                  rec->topic ? rec->topic : "", path->steps[i - 1], path->steps[i]);
        }
        v = dbz_get(schema, v, place->at[i]);
        schema = schema->fields[place->at[i]].schema;
    }
    if (place->n == 0 || v->type == SLUICE_NULL) return true;
    *sum += self->hash(schema, v);
    *any = true;
    return true;
}

static enum sluice_verdict apply(void *state, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    (void)batch;
    struct routing *self = state;
    if (!dbz_is_envelope(rec)) return SLUICE_OK;
    if (!smt_require_struct(rec->value_schema, &rec->value, "partition routing", err)) {
        return SLUICE_FAIL;
    }
    struct plan *plan = (struct plan *)smt_plan_find(&self->smt, rec->value_schema);
    if (!plan) plan = plan_new(self, rec->value_schema);
    char op = dbz_op(rec, plan->op);
    if (op == 't' || op == 'm') return SLUICE_OK;
    uint32_t sum = 0;
    bool any = false;
    for (size_t i = 0; i < self->n; i++) {
        const struct place *place = &plan->places[2 * i + (op != 'd')];
        if (!add_hash(self, place, &self->paths[i], rec, &sum, &any, err)) return SLUICE_FAIL;
    }
    if (!any) return SLUICE_OK;
    sum &= INT32_MAX;
    rec->partition = sum == INT32_MAX ? 0 : (int32_t)(sum % self->partitions);
    return SLUICE_OK;
}

/* ---- configuration ---- */

/* As String.split("\\.") does: empty names at the end do not count; each is trimmed. */
static bool path_parse(struct path *path, const char *text, struct sluice_err *err)
{
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "."), from = 0, to = n;
        if (path->n == STEPS_MAX) {
            return sluice_err_set(err, "partition.payload.fields: %s has more than %d names", text,
                                  STEPS_MAX);
        }
        while (from < to && at[from] == ' ') from++;
        while (to > from && at[to - 1] == ' ') to--;
        path->steps[path->n++] = sluice_xstrndup(at + from, to - from);
        at += n + (at[n] == '.');
    }
    while (path->n && !*path->steps[path->n - 1]) free(path->steps[--path->n]);
    if (path->n) return true;
    return sluice_err_set(err, "partition.payload.fields has an empty name: write paths such as "
                               "after.name, change.id, source.table");
}

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **state,
                                struct sluice_err *err)
{
    (void)task;
    struct routing *self = sluice_xcalloc(1, sizeof *self);
    *state = self;
    smt_init(&self->smt, SMT_VALUE, plan_drop);
    self->partitions = (uint32_t)host->num(conf, "partition.topic.num");
    const char *hash = host->str(conf, "partition.hash.function");
    self->hash = hash && (*hash | 0x20) == 'm' ? dbz_murmur_hash : dbz_java_hash;
    const char *const *list = host->list(conf, "partition.payload.fields");
    size_t cap = 0;
    for (; *list; list++) {
        self->paths = sluice_xgrow(self->paths, self->n, &cap, sizeof *self->paths);
        struct path *path = &self->paths[self->n++];
        memset(path, 0, sizeof *path);
        if (!path_parse(path, *list, err)) return SLUICE_FAIL;
    }
    assert(self->partitions > 0);
    return SLUICE_OK;
}

static void close(void *state)
{
    struct routing *self = state;
    if (!self) return;
    smt_fini(&self->smt);
    for (size_t i = 0; i < self->n; i++) {
        for (size_t k = 0; k < self->paths[i].n; k++) free(self->paths[i].steps[k]);
    }
    free(self->paths);
    free(self);
}

static const struct sluice_option options[] = {
    {"partition.payload.fields", SLUICE_OPT_LIST, SLUICE_HIGH,
     SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL, NULL, NULL,
     "Fields of the envelope whose values decide on the partition: after.name, source.table; "
     "change.name is before.name for deletes and after.name for the rest. A field that a record "
     "does not have does not count."},
    {"partition.topic.num", SLUICE_OPT_INT, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL, "1..2147483647",
     NULL, "How many partitions the topic has."},
    {"partition.hash.function", SLUICE_OPT_STRING, SLUICE_LOW, SLUICE_OPT_NOCASE, "java",
     "java|murmur", NULL, "How values are hashed: by Java's hashCode(), or by MurmurHash3."},
    {0},
};

DBZ_PLUGIN(debezium_partition_routing, "partition-routing", NULL,
           "io.debezium.transforms.partitions.PartitionRouting", "PartitionRouting");
