/* config_log.c - the table that the config topic's records make; see config_log.h. What is written
 * to the topic is made in config_writes.c.
 *
 * Task configs wait in a connector's deferred list until commit-N says how many there should be;
 * when some are missing (compaction took them, or a writer died), the connector has no tasks until
 * it gets new ones. A record about a connector that is not there is kept only where the order of
 * records allows it: a target state may come before connector-N, and so may fencing and
 * assignment. Everything here comes from outside: sizes and counts are capped. */
#include "store/config_log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/utf8.h"

#define KEY_MAX_BYTES ((size_t)64 << 10)
#define VALUE_MAX_BYTES ((size_t)16 << 20)
#define CONNECTORS_MAX ((size_t)100000)
#define TASKS_MAX 100000
#define COMPLAINTS_MAX 100
#define MEMBER_MAX_BYTES 1024 /* far above what kafka/group.h allows */
#define LOGGERS_MAX 10000

struct deferred {
    int id;
    struct sluice_map config;
};

struct entry { /* begins with what others see of it */
    struct sluice_cluster_connector c;
    struct deferred *deferred; /* by id */
    size_t n, cap;
    bool target_set;
};

struct sluice_config_log {
    pthread_mutex_t mutex;
    struct sluice_cluster cluster;
    size_t cap;
    int64_t started_ms;
    void (*changed)(void *arg);
    void *arg;
    struct sluice_map unknown; /* keys that were complained of; reader's thread */
    int complaints;
};

/* One record being applied: name is what follows the key's prefix. */
struct applied {
    struct sluice_config_log *log;
    const struct sluice_log_record *record;
    const char *name;
    const json_t *value; /* NULL: tombstone; else an object */
    struct sluice_err err;
};

/* ---- the table ---- */

static void owner_fini(struct sluice_owner *owner)
{
    free(owner->member);
    *owner = (struct sluice_owner){0};
}

static void drop_owners(struct sluice_cluster_connector *c)
{
    owner_fini(&c->owner);
    for (int i = 0; i < c->owners_n; i++) owner_fini(&c->task_owners[i]);
    free(c->task_owners);
    c->task_owners = NULL;
    c->owners_n = 0;
    c->assignment_offset = -1;
}

static void drop_tasks(struct sluice_cluster_connector *c)
{
    for (int i = 0; i < c->tasks_n; i++) sluice_map_fini(&c->tasks[i]);
    free(c->tasks);
    c->tasks = NULL;
    c->tasks_n = 0;
}

static void drop_deferred(struct entry *entry)
{
    for (size_t i = 0; i < entry->n; i++) sluice_map_fini(&entry->deferred[i].config);
    free(entry->deferred);
    entry->deferred = NULL;
    entry->n = entry->cap = 0;
}

static void entry_free(struct entry *entry)
{
    drop_owners(&entry->c);
    drop_tasks(&entry->c);
    drop_deferred(entry);
    sluice_map_fini(&entry->c.config);
    free(entry->c.name);
    free(entry);
}

/* Where the name stands, or would stand. */
static size_t place_of(const struct sluice_cluster *cluster, const char *name, bool *there)
{
    size_t low = 0, high = cluster->n;
    *there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(cluster->connectors[middle]->name, name);
        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static struct entry *find(const struct sluice_cluster *cluster, const char *name)
{
    bool there;
    size_t i = place_of(cluster, name, &there);
    return there ? (struct entry *)cluster->connectors[i] : NULL;
}

/* NULL: there are too many (err). */
static struct entry *find_or_add(struct applied *a)
{
    bool there;
    struct sluice_config_log *log = a->log;
    struct sluice_cluster *cluster = &log->cluster;
    size_t i = place_of(cluster, a->name, &there);
    if (there) return (struct entry *)cluster->connectors[i];
    if (cluster->n >= CONNECTORS_MAX) {
        sluice_err_set(&a->err, "there are more than %zu connectors already", CONNECTORS_MAX);
        return NULL;
    }
    struct entry *entry = sluice_xcalloc(1, sizeof *entry);
    entry->c.name = sluice_xstrdup(a->name);
    entry->c.config_offset = entry->c.tasks_offset = entry->c.fenced_offset = -1;
    entry->c.restart_offset = entry->c.assignment_offset = -1;
    entry->c.fenced_tasks = -1;
    cluster->connectors =
        sluice_xgrow(cluster->connectors, cluster->n, &log->cap, sizeof *cluster->connectors);
    memmove(&cluster->connectors[i + 1], &cluster->connectors[i],
            (cluster->n - i) * sizeof *cluster->connectors);
    cluster->connectors[i] = &entry->c;
    cluster->n++;
    assert(i == 0 || strcmp(cluster->connectors[i - 1]->name, a->name) < 0);
    return entry;
}

/* Of a connector that is gone, nothing stays but what still says something. */
static void forget_if_empty(struct sluice_cluster *cluster, struct entry *entry)
{
    const struct sluice_cluster_connector *c = &entry->c;
    if (c->exists || entry->target_set || entry->n > 0 || c->fenced_tasks >= 0 ||
        c->assignment_offset >= 0)
        return;
    bool there;
    size_t i = place_of(cluster, c->name, &there);
    assert(there && cluster->connectors[i] == c);
    cluster->n--;
    memmove(&cluster->connectors[i], &cluster->connectors[i + 1],
            (cluster->n - i) * sizeof *cluster->connectors);
    entry_free(entry);
}

/* ---- fields of a value ---- */

static bool want(struct applied *a, const char *field, json_type type, const json_t **out)
{
    static const char *const words[] = {"an object", "an array", "a string", "a whole number"};
    const json_t *item = json_object_get(a->value, field);
    assert((size_t)type < sizeof words / sizeof *words);
    if (!item) return sluice_err_set(&a->err, "there is no field %s", field);
    if (json_typeof(item) != type)
        return sluice_err_set(&a->err, "the field %s is not %s", field, words[type]);
    *out = item;
    return true;
}

static bool want_count(struct applied *a, const char *field, int *out)
{
    const json_t *item = NULL; /* gcc -O2 does not see that want() sets it */
    if (!want(a, field, JSON_INTEGER, &item)) return false;
    json_int_t n = json_integer_value(item);
    if (n < 0 || n > TASKS_MAX)
        return sluice_err_set(&a->err, "the field %s is %lld; it must be between 0 and %d", field,
                              (long long)n, TASKS_MAX);
    *out = (int)n;
    return true;
}

static bool want_properties(struct applied *a, struct sluice_map *out)
{
    const json_t *item = NULL; /* gcc -O2 does not see that want() sets it */
    return want(a, "properties", JSON_OBJECT, &item) && sluice_json_to_map(item, out, &a->err);
}

/* ---- records; each with the mutex held. False: skipped, with a reason in err, or none ---- */

static bool on_connector(struct applied *a)
{
    struct sluice_map config = {0};
    if (!a->value) {
        struct entry *gone = find(&a->log->cluster, a->name);
        if (!gone) return false;
        gone->c.exists = gone->c.inconsistent = false;
        gone->c.config_offset = gone->c.tasks_offset = gone->c.restart_offset = -1;
        sluice_map_fini(&gone->c.config);
        drop_tasks(&gone->c);
        drop_deferred(gone);
        forget_if_empty(&a->log->cluster, gone);
        return true;
    }
    if (!want_properties(a, &config)) goto bad;
    struct entry *entry = find_or_add(a);
    if (!entry) goto bad;
    sluice_map_fini(&entry->c.config);
    entry->c.config = config;
    entry->c.exists = true;
    entry->c.config_offset = a->record->offset;
    return true;
bad:
    sluice_map_fini(&config);
    return false;
}

static bool on_task(struct applied *a)
{
    char *end, *dash = strrchr(a->name, '-');
    struct sluice_map config = {0};
    long id = dash ? strtol(dash + 1, &end, 10) : -1;
    if (!dash || dash == a->name || dash[1] < '0' || dash[1] > '9' || *end || id > TASKS_MAX)
        return sluice_err_set(&a->err, "the key does not end with -<number of a task>");
    if (!a->value) return false; /* nobody writes these */
    if (!want_properties(a, &config)) goto bad;
    char *name = sluice_xstrndup(a->name, (size_t)(dash - a->name));
    a->name = name;
    struct entry *entry = find_or_add(a);
    free(name);
    if (!entry) goto bad;
    size_t i = 0;
    while (i < entry->n && entry->deferred[i].id < id) i++;
    if (i < entry->n && entry->deferred[i].id == id) {
        sluice_map_fini(&entry->deferred[i].config);
    } else {
        entry->deferred =
            sluice_xgrow(entry->deferred, entry->n, &entry->cap, sizeof *entry->deferred);
        memmove(&entry->deferred[i + 1], &entry->deferred[i],
                (entry->n - i) * sizeof *entry->deferred);
        entry->n++;
    }
    entry->deferred[i] = (struct deferred){(int)id, config};
    assert(i + 1 >= entry->n || entry->deferred[i + 1].id > id);
    return false; /* it means something with commit-N only */
bad:
    sluice_map_fini(&config);
    return false;
}

static bool on_commit(struct applied *a)
{
    int n;
    struct entry *entry = find(&a->log->cluster, a->name);
    if (!entry) return false;
    if (!entry->c.exists) { /* left over from a connector that was deleted (KAFKA-16838) */
        drop_deferred(entry);
        forget_if_empty(&a->log->cluster, entry);
        return false;
    }
    if (!a->value || !want_count(a, "tasks", &n)) return false;
    bool complete = entry->n >= (size_t)n;
    for (int i = 0; complete && i < n; i++) complete = entry->deferred[i].id == i;
    drop_tasks(&entry->c);
    entry->c.tasks_offset = a->record->offset;
    entry->c.inconsistent = !complete;
    if (complete) { /* more than n may be there: compaction leaves those of a larger set */
        entry->c.tasks = sluice_xcalloc((size_t)n + 1, sizeof *entry->c.tasks);
        for (int i = 0; i < n; i++) {
            entry->c.tasks[i] = entry->deferred[i].config;
            entry->deferred[i].config = (struct sluice_map){0};
        }
        entry->c.tasks_n = n;
    } else {
        sluice_log(SLUICE_WARN, a->name, -1,
                   "the config topic commits %d task configs at offset %lld, but holds not all of "
                   "them: the connector has no tasks until it is configured again",
                   n, (long long)a->record->offset);
    }
    drop_deferred(entry);
    return true;
}

static bool parse_target(struct applied *a, enum sluice_target *out)
{
    const json_t *item = json_object_get(a->value, "state.v2");
    const char *word = json_string_value(item);
    if (!word && !want(a, "state", JSON_STRING, &item)) return false;
    if (!word) word = json_string_value(item);
    if (strcmp(word, "STARTED") == 0) *out = SLUICE_TARGET_STARTED;
    else if (strcmp(word, "PAUSED") == 0) *out = SLUICE_TARGET_PAUSED;
    else if (strcmp(word, "STOPPED") == 0) *out = SLUICE_TARGET_STOPPED;
    else return sluice_err_set(&a->err, "its state is none of STARTED, PAUSED and STOPPED");
    return true;
}

static bool on_target(struct applied *a)
{
    enum sluice_target target = SLUICE_TARGET_STARTED;
    struct entry *entry;
    if (a->value && !parse_target(a, &target)) return false;
    entry = a->value ? find_or_add(a) : find(&a->log->cluster, a->name);
    if (!entry) return false;
    entry->c.target = target;
    entry->target_set = a->value != NULL;
    forget_if_empty(&a->log->cluster, entry);
    return true;
}

static bool on_restart(struct applied *a)
{
    struct entry *entry = find(&a->log->cluster, a->name);
    if (!a->value || a->record->timestamp_ms <= a->log->started_ms) return false;
    const json_t *tasks = json_object_get(a->value, "include-tasks");
    const json_t *failed = json_object_get(a->value, "only-failed");
    if (!json_is_boolean(tasks) || !json_is_boolean(failed))
        return sluice_err_set(&a->err, "include-tasks or only-failed is not a boolean");
    if (!entry || !entry->c.exists) return false;
    entry->c.restart_offset = a->record->offset;
    entry->c.restart_tasks = json_is_true(tasks);
    entry->c.restart_only_failed = json_is_true(failed);
    return true;
}

static bool on_fencing(struct applied *a)
{
    int n = -1;
    if (a->value && !want_count(a, "task-count", &n)) return false;
    struct entry *entry = a->value ? find_or_add(a) : find(&a->log->cluster, a->name);
    if (!entry) return false;
    entry->c.fenced_tasks = n;
    entry->c.fenced_offset = a->value ? a->record->offset : -1;
    forget_if_empty(&a->log->cluster, entry);
    return true;
}

static bool on_session_key(struct applied *a)
{
    const json_t *key, *algorithm, *created;
    struct sluice_cluster *cluster = &a->log->cluster;
    if (!a->value) return false;
    if (!want(a, "key", JSON_STRING, &key) || !want(a, "algorithm", JSON_STRING, &algorithm) ||
        !want(a, "creation-timestamp", JSON_INTEGER, &created))
        return false;
    free(cluster->session_key);
    free(cluster->session_algorithm);
    cluster->session_key = sluice_xstrdup(json_string_value(key));
    cluster->session_algorithm = sluice_xstrdup(json_string_value(algorithm));
    cluster->session_created_ms = json_integer_value(created);
    return true;
}

static bool on_logger(struct applied *a)
{
    const json_t *level;
    struct sluice_map *levels = &a->log->cluster.logger_levels;
    if (!a->value || a->record->timestamp_ms <= a->log->started_ms) return false;
    if (!want(a, "level", JSON_STRING, &level)) return false;
    if (levels->n >= LOGGERS_MAX && !sluice_map_has(levels, a->name))
        return sluice_err_set(&a->err, "there are more than %d logger levels already", LOGGERS_MAX);
    sluice_map_set(levels, a->name, json_string_value(level));
    a->log->cluster.logger_offset = a->record->offset;
    return true;
}

/* null, "name" or {"leaving":"name"} */
static bool parse_owner(struct applied *a, const json_t *item, struct sluice_owner *out)
{
    bool leaving = json_is_object(item);
    if (json_is_null(item)) return true;
    const char *member = json_string_value(leaving ? json_object_get(item, "leaving") : item);
    if (!member || strlen(member) > MEMBER_MAX_BYTES)
        return sluice_err_set(&a->err, "an owner is no member's name");
    *out = (struct sluice_owner){.member = sluice_xstrdup(member), .leaving = leaving};
    return true;
}

static bool want_generation(struct applied *a, int32_t *out)
{
    const json_t *item = NULL; /* gcc -O2 does not see that want() sets it */
    if (!want(a, "generation", JSON_INTEGER, &item)) return false;
    json_int_t g = json_integer_value(item);
    if (g < 0 || g > INT32_MAX) return sluice_err_set(&a->err, "generation is %lld", (long long)g);
    *out = (int32_t)g;
    return true;
}

static void keep_since(struct sluice_owner *now, const struct sluice_owner *was, int32_t generation)
{
    bool same = was && was->member && now->member && was->leaving == now->leaving &&
                strcmp(was->member, now->member) == 0;
    now->since = same ? was->since : generation;
}

static bool on_assignment(struct applied *a)
{
    const json_t *tasks, *owner = json_object_get(a->value, "connector");
    struct sluice_cluster_connector found = {0};
    struct entry *entry = find(&a->log->cluster, a->name);
    if (!a->value) {
        if (!entry) return false;
        drop_owners(&entry->c);
        forget_if_empty(&a->log->cluster, entry);
        return true;
    }
    if (!owner) return sluice_err_set(&a->err, "there is no field connector");
    if (!want_generation(a, &found.generation) || !want(a, "tasks", JSON_ARRAY, &tasks))
        return false;
    size_t n = json_array_size(tasks);
    if (n > TASKS_MAX) return sluice_err_set(&a->err, "it names more than %d tasks", TASKS_MAX);
    found.task_owners = sluice_xcalloc(n + 1, sizeof *found.task_owners);
    found.owners_n = (int)n;
    bool ok = parse_owner(a, owner, &found.owner);
    for (size_t i = 0; ok && i < n; i++)
        ok = parse_owner(a, json_array_get(tasks, i), &found.task_owners[i]);
    if (!ok || !(entry = find_or_add(a))) {
        drop_owners(&found);
        return false;
    }
    keep_since(&found.owner, &entry->c.owner, found.generation);
    for (int i = 0; i < found.owners_n; i++)
        keep_since(&found.task_owners[i], i < entry->c.owners_n ? &entry->c.task_owners[i] : NULL,
                   found.generation);
    drop_owners(&entry->c);
    assert(!entry->c.task_owners && entry->c.owners_n == 0);
    entry->c.owner = found.owner;
    entry->c.task_owners = found.task_owners;
    entry->c.owners_n = found.owners_n;
    entry->c.generation = found.generation;
    entry->c.assignment_offset = a->record->offset;
    if (found.generation > a->log->cluster.generation)
        a->log->cluster.generation = found.generation;
    return true;
}

static bool on_leader(struct applied *a)
{
    const json_t *member;
    int32_t generation;
    struct sluice_cluster *cluster = &a->log->cluster;
    if (!a->value) return false;
    if (!want(a, "member", JSON_STRING, &member) || !want_generation(a, &generation)) return false;
    if (json_string_length(member) > MEMBER_MAX_BYTES)
        return sluice_err_set(&a->err, "the leader is no member's name");
    free(cluster->leader);
    cluster->leader = sluice_xstrdup(json_string_value(member));
    if (generation > cluster->generation) cluster->generation = generation;
    return true;
}

/* ---- from record to row ---- */

static const struct kind {
    const char *prefix; /* the whole key where exact */
    bool exact;
    bool (*apply)(struct applied *a);
} kinds[] = {
    {"connector-", false, on_connector},
    {"task-", false, on_task},
    {"commit-", false, on_commit},
    {"target-state-", false, on_target},
    {"restart-connector-", false, on_restart},
    {"tasks-fencing-", false, on_fencing},
    {"logger-cluster-", false, on_logger},
    {"session-key", true, on_session_key},
    {"sluice-assignment-", false, on_assignment},
    {"sluice-leader", true, on_leader},
};

static const struct kind *kind_of(const char *key, size_t len)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].prefix);
        if (len < n || memcmp(key, kinds[i].prefix, n) != 0) continue;
        if (kinds[i].exact ? len == n : len > n) return &kinds[i];
    }
    return NULL;
}

static void complain(struct sluice_config_log *log, const struct sluice_log_record *record,
                     const char *why)
{
    size_t shown = record->key_len < 200 ? record->key_len : 200;
    bool text = record->key && sluice_utf8_valid(record->key, record->key_len);
    if (log->complaints > COMPLAINTS_MAX) return;
    if (text) shown = sluice_utf8_cut(record->key, record->key_len, 200);
    if (log->complaints++ == COMPLAINTS_MAX) {
        sluice_log(SLUICE_WARN, NULL, -1,
                   "config topic %s: further records that are skipped are "
                   "not logged",
                   record->topic);
        return;
    }
    sluice_log(SLUICE_WARN, NULL, -1,
               "config topic %s: the record at offset %lld with the key %.*s is skipped: %s",
               record->topic, (long long)record->offset, text ? (int)shown : 1,
               text ? record->key : "?", why);
}

static const char *refuse(const struct sluice_log_record *record)
{
    if (!record->key) return "it has no key";
    if (record->key_len > KEY_MAX_BYTES) return "its key is longer than 64 KiB";
    if (!sluice_utf8_valid(record->key, record->key_len) ||
        memchr(record->key, '\0', record->key_len))
        return "its key is no text";
    if (record->value && record->value_len > VALUE_MAX_BYTES)
        return "its value is longer than 16 MiB";
    return NULL;
}

static void on_unknown(struct sluice_config_log *log, const struct sluice_log_record *record)
{
    char *key = sluice_xstrndup(record->key, record->key_len);
    if (!sluice_map_has(&log->unknown, key) && log->unknown.n < COMPLAINTS_MAX) {
        sluice_map_set(&log->unknown, key, NULL);
        complain(log, record, "no record of a Connect cluster has such a key");
    }
    free(key);
}

/* A value that is JSON null counts as none, as it does for Connect's converter. */
static bool parse_value(struct applied *a, json_t **value)
{
    json_error_t error;
    *value = NULL;
    if (!a->record->value) return true;
    *value = json_loadb(a->record->value, a->record->value_len, JSON_DECODE_ANY, &error);
    if (!*value)
        return sluice_err_set(&a->err, "its value is no JSON: at byte %d: %s", error.position,
                              error.text);
    if (json_is_null(*value)) *value = NULL; /* a singleton: nothing to free */
    if (*value && !json_is_object(*value))
        return sluice_err_set(&a->err, "its value is no JSON object");
    return true;
}

static bool apply(struct sluice_config_log *log, const struct sluice_log_record *record,
                  const struct kind *kind)
{
    struct applied a = {.log = log, .record = record};
    char *key = sluice_xstrndup(record->key, record->key_len);
    json_t *value = NULL;
    bool applied = false;
    a.name = key + strlen(kind->prefix);
    if (parse_value(&a, &value)) {
        a.value = value;
        sluice_lock(&log->mutex);
        applied = kind->apply(&a);
        sluice_unlock(&log->mutex);
    }
    if (!applied && a.err.msg[0]) complain(log, record, a.err.msg);
    json_decref(value);
    free(key);
    return applied;
}

void sluice_config_log_record(void *arg, const struct sluice_log_record *record)
{
    struct sluice_config_log *log = arg;
    const char *why = refuse(record);
    const struct kind *kind = why ? NULL : kind_of(record->key, record->key_len);
    bool applied = kind && apply(log, record, kind);
    if (why) complain(log, record, why);
    else if (!kind) on_unknown(log, record);
    sluice_lock(&log->mutex);
    log->cluster.offset = record->offset + 1;
    sluice_unlock(&log->mutex);
    if (applied && log->changed) log->changed(log->arg);
}

/* ---- life ---- */

struct sluice_config_log *sluice_config_log_new(int64_t started_ms, void (*changed)(void *arg),
                                                void *arg)
{
    struct sluice_config_log *log = sluice_xcalloc(1, sizeof *log);
    pthread_mutex_init(&log->mutex, NULL);
    log->started_ms = started_ms;
    log->changed = changed;
    log->arg = arg;
    log->cluster.logger_offset = -1;
    return log;
}

void sluice_config_log_free(struct sluice_config_log *log)
{
    if (!log) return;
    struct sluice_cluster *cluster = &log->cluster;
    for (size_t i = 0; i < cluster->n; i++) entry_free((struct entry *)cluster->connectors[i]);
    free(cluster->connectors);
    free(cluster->leader);
    free(cluster->session_key);
    free(cluster->session_algorithm);
    sluice_map_fini(&cluster->logger_levels);
    sluice_map_fini(&log->unknown);
    pthread_mutex_destroy(&log->mutex);
    free(log);
}

const struct sluice_cluster *sluice_config_log_lock(struct sluice_config_log *log)
{
    sluice_lock(&log->mutex);
    return &log->cluster;
}

void sluice_config_log_unlock(struct sluice_config_log *log) { sluice_unlock(&log->mutex); }

const struct sluice_cluster_connector *sluice_cluster_find(const struct sluice_cluster *cluster,
                                                           const char *name)
{
    const struct entry *entry = find(cluster, name);
    return entry && entry->c.exists ? &entry->c : NULL;
}
