/* What a Java worker wrote to its internal topics (tests/golden/internal_topics): it is read to the
 * state that the worker had, and written again with the same bytes. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/json_text.h"
#include "store/config_log.h"
#include "store/offset_store.h"
#include "store/status_log.h"

#include "../harness.h"

#define STRANGE                                                                                    \
    "gr\xc3\xbc\xc3\x9f"                                                                           \
    "e-\"quoted\"-\xe6\x97\xa5\xe6\x9c\xac-\xf0\x9d\x84\x9e"

/* ---- the writer: keeps the last record ---- */

struct sluice_log_writer {
    char *key, *value;
    int n;
};

void sluice_log_write(struct sluice_log_writer *w, const char *topic, const char *key,
                      size_t key_len, const char *value, size_t value_len,
                      sluice_log_written *written, void *arg)
{
    (void)topic;
    free(w->key);
    free(w->value);
    w->key = sluice_xstrndup(key, key_len);
    w->value = value ? sluice_xstrndup(value, value_len) : NULL;
    w->n++;
    written(arg, NULL);
}

enum sluice_verdict sluice_log_reader_catch_up(struct sluice_log_reader *reader, const char *topic,
                                               int64_t timeout_ms, struct sluice_err *err)
{
    (void)reader, (void)topic, (void)timeout_ms, (void)err;
    FAIL("nobody catches up here");
}

/* ---- the golden files ---- */

struct golden {
    char *text, *next;
    struct sluice_log_record record;
};

static struct golden golden_open(const char *name)
{
    struct golden g = {0};
    g.text = g.next = harness_file(name, NULL);
    return g;
}

static const char *cell(struct golden *g, const char *end)
{
    char *from = g->next, *to = strpbrk(from, end);
    CHECK(to != NULL);
    *to = '\0';
    g->next = to + 1;
    return from;
}

static long long number(const char *text) { return strtoll(text, NULL, 10); }

/* False: that was the last one. */
static bool golden_next(struct golden *g)
{
    if (!*g->next) {
        free(g->text);
        return false;
    }
    g->record.partition = (int)number(cell(g, "\t"));
    g->record.offset = number(cell(g, "\t"));
    g->record.timestamp_ms = number(cell(g, "\t"));
    g->record.topic = "golden";
    g->record.key = cell(g, "\t");
    g->record.key_len = strlen(g->record.key);
    g->record.value = cell(g, "\n");
    if (strcmp(g->record.value, "\\N") == 0) g->record.value = NULL;
    g->record.value_len = g->record.value ? strlen(g->record.value) : 0;
    return true;
}

TEST(golden_configs_are_read)
{
    struct golden g = golden_open("golden/internal_topics/configs.tsv");
    struct sluice_config_log *log = sluice_config_log_new(0, NULL, NULL);
    int sink_tasks_most = 0;
    while (golden_next(&g)) {
        sluice_config_log_record(log, &g.record);
        const struct sluice_cluster *now = sluice_config_log_lock(log);
        const struct sluice_cluster_connector *sink = sluice_cluster_find(now, "sink");
        if (sink && sink->tasks_n > sink_tasks_most) sink_tasks_most = sink->tasks_n;
        sluice_config_log_unlock(log);
    }
    CHECK_INT(sink_tasks_most, 2);
    const struct sluice_cluster *cluster = sluice_config_log_lock(log);
    static const struct {
        const char *name;
        enum sluice_target target;
        int tasks, fenced;
    } want[] = {
        {"fails", SLUICE_TARGET_STARTED, 1, -1},
        {"file-source-1", SLUICE_TARGET_STARTED, 1, 1},
        {STRANGE, SLUICE_TARGET_STOPPED, 0, 0},
        {"sink", SLUICE_TARGET_STARTED, 1, -1},
        {"starts-stopped", SLUICE_TARGET_STOPPED, 0, -1},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const struct sluice_cluster_connector *c = sluice_cluster_find(cluster, want[i].name);
        CHECK(c && !c->inconsistent);
        CHECK_STR(sluice_map_get(&c->config, "name"), want[i].name);
        CHECK_INT(c->target, want[i].target);
        CHECK_INT(c->tasks_n, want[i].tasks);
        CHECK_INT(c->fenced_tasks, want[i].fenced);
    }
    CHECK(!sluice_cluster_find(cluster, "goes"));
    const struct sluice_cluster_connector *c = sluice_cluster_find(cluster, STRANGE);
    CHECK_STR(sluice_map_get(&c->config, "note\xc3\xa9"), "a\"b\\c\td\xe2\x82\xac\xf0\x9f\x98\x80");
    CHECK_STR(sluice_map_get(&c->config, "empty"), "");
    c = sluice_cluster_find(cluster, "file-source-1");
    CHECK(c->restart_offset > c->tasks_offset && c->restart_tasks && !c->restart_only_failed);
    CHECK_STR(sluice_map_get(&c->tasks[0], "task.class"),
              "org.apache.kafka.connect.file.FileStreamSourceTask");
    CHECK_STR(sluice_map_get(&cluster->logger_levels, "org.apache.kafka.connect.file"), "DEBUG");
    CHECK_STR(cluster->session_algorithm, "HmacSHA256");
    CHECK(cluster->session_key && cluster->session_created_ms > 1700000000000);
    sluice_config_log_unlock(log);
    sluice_config_log_free(log);
}

/* ---- configs written again ---- */

static const char *after(const char *key, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(key, prefix, n) == 0 ? key + n : NULL;
}

static struct sluice_map properties(const json_t *value)
{
    struct sluice_map map = {0};
    struct sluice_err err;
    CHECK(sluice_json_to_map(json_object_get(value, "properties"), &map, &err));
    return map;
}

static void write_maps(struct sluice_writes *w, const char *key, const json_t *v)
{
    struct sluice_map map = properties(v);
    const char *name = after(key, "connector-");
    if (name) {
        sluice_write_connector(w, name, &map);
    } else { /* the last task of as many */
        name = after(key, "task-");
        int i = (int)number(strrchr(name, '-') + 1);
        struct sluice_map *all = sluice_xcalloc((size_t)i + 1, sizeof *all);
        char *connector = sluice_xstrndup(name, (size_t)(strrchr(name, '-') - name));
        all[i] = map;
        sluice_write_tasks(w, connector, all, i + 1);
        CHECK_INT(w->n, i + 2);
        struct sluice_write last = w->items[0];
        w->items[0] = w->items[i];
        w->items[i] = last;
        free(connector);
        free(all);
    }
    sluice_map_fini(&map);
}

static enum sluice_target target_of(const json_t *v)
{
    const char *state = json_string_value(json_object_get(v, "state.v2"));
    return strcmp(state, "STOPPED") == 0  ? SLUICE_TARGET_STOPPED
           : strcmp(state, "PAUSED") == 0 ? SLUICE_TARGET_PAUSED
                                          : SLUICE_TARGET_STARTED;
}

static void write_fact(struct sluice_writes *w, const char *key, const json_t *v)
{
    const char *name;
    if (after(key, "connector-") || after(key, "task-")) {
        if (v) write_maps(w, key, v);
        else sluice_write_connector(w, after(key, "connector-"), NULL);
    } else if ((name = after(key, "commit-"))) {
        int n = (int)json_integer_value(json_object_get(v, "tasks"));
        struct sluice_map *none = sluice_xcalloc((size_t)n + 1, sizeof *none);
        sluice_write_tasks(w, name, none, n);
        struct sluice_write first = w->items[0];
        w->items[0] = w->items[n];
        w->items[n] = first;
        free(none);
    } else if ((name = after(key, "target-state-"))) {
        if (v) sluice_write_target(w, name, target_of(v));
        else sluice_write_no_target(w, name);
    } else if ((name = after(key, "restart-connector-"))) {
        sluice_write_restart(w, name, json_is_true(json_object_get(v, "include-tasks")),
                             json_is_true(json_object_get(v, "only-failed")));
    } else if ((name = after(key, "tasks-fencing-"))) {
        sluice_write_fencing(w, name, (int)json_integer_value(json_object_get(v, "task-count")));
    } else if ((name = after(key, "logger-cluster-"))) {
        sluice_write_logger(w, name, json_string_value(json_object_get(v, "level")));
    } else {
        CHECK_STR(key, "session-key");
        sluice_write_session_key(w, json_string_value(json_object_get(v, "key")),
                                 json_string_value(json_object_get(v, "algorithm")),
                                 json_integer_value(json_object_get(v, "creation-timestamp")));
    }
}

TEST(golden_configs_are_written_with_the_same_bytes)
{
    struct golden g = golden_open("golden/internal_topics/configs.tsv");
    size_t n = 0;
    for (; golden_next(&g); n++) {
        struct sluice_writes w = {0};
        json_error_t error;
        json_t *v =
            g.record.value ? json_loadb(g.record.value, g.record.value_len, 0, &error) : NULL;
        write_fact(&w, g.record.key, v);
        CHECK(w.n > 0);
        CHECK_STR(w.items[0].key, g.record.key);
        CHECK_STR(w.items[0].value, g.record.value);
        sluice_writes_fini(&w);
        json_decref(v);
    }
    CHECK(n > 30);
}

/* ---- statuses ---- */

static struct {
    char connector[256];
    int task;
} changed;

static void on_change(void *arg, const char *connector, int task)
{
    (void)arg;
    snprintf(changed.connector, sizeof changed.connector, "%s", connector);
    changed.task = task;
}

TEST(golden_statuses_are_read_and_written_with_the_same_bytes)
{
    struct golden g = golden_open("golden/internal_topics/status.tsv");
    struct sluice_log_writer w = {0};
    struct sluice_status_log *log = sluice_status_log_new(&w, "golden", on_change, NULL);
    struct sluice_status status;
    size_t rows = 0, n;
    for (; golden_next(&g); rows++) {
        changed.connector[0] = '\0';
        sluice_status_log_record(log, &g.record);
        if (!*changed.connector) continue; /* a topic, or a late goodbye */
        if (!g.record.value) {
            sluice_status_delete(log, changed.connector, changed.task);
        } else {
            CHECK(sluice_status_get(log, changed.connector, changed.task, &status));
            sluice_status_put(log, changed.connector, changed.task, &status);
            free(status.trace);
        }
        CHECK_STR(w.key, g.record.key);
        CHECK_STR(w.value, g.record.value);
    }
    CHECK(rows > 50 && w.n > 40);
    CHECK(sluice_status_get(log, "fails", 0, &status));
    CHECK_STR(status.state, "FAILED");
    CHECK_HAS(status.trace, "FileStreamSinkTask\n\tat org.apache.kafka.connect.file");
    CHECK_STR(status.version, "4.1.0");
    free(status.trace);
    CHECK(!sluice_status_get(log, "goes", SLUICE_STATUS_CONNECTOR, &status));
    CHECK(sluice_status_generation(log) > 10);
    char **topics = sluice_status_topics(log, STRANGE, &n);
    CHECK(n == 1);
    CHECK_STR(topics[0], "lines2");
    free(topics);
    topics = sluice_status_topics(log, "goes", &n);
    CHECK_INT(n, 0);
    free(topics);
    sluice_status_put_topic(log, STRANGE, 0, "lines2");
    CHECK_STR(w.key, "status-topic-lines2:connector-" STRANGE);
    CHECK_HAS(w.value, "{\"topic\":{\"name\":\"lines2\",\"connector\":\"gr\xc3\xbc\xc3\x9f"
                       "e-"
                       "\\\"quoted\\\"-\xe6\x97\xa5\xe6\x9c\xac-\\uD834\\uDD1E\",\"task\":0,"
                       "\"discoverTimestamp\":1");
    sluice_status_log_free(log);
    free(w.key);
    free(w.value);
}

/* ---- offsets ---- */

static void on_done(void *arg, const char *error)
{
    CHECK(!error);
    ++*(int *)arg;
}

TEST(golden_offsets_are_read_and_written_with_the_same_bytes)
{
    struct golden g = golden_open("golden/internal_topics/offsets.tsv");
    struct sluice_log_writer w = {0};
    struct sluice_offset_store *store = sluice_offset_topic_new(&w, "golden");
    struct sluice_err err;
    int done = 0, rows = 0;
    for (; golden_next(&g); rows++) {
        /* Before it is read: the key is made anew. */
        struct sluice_batch batch;
        struct sluice_value key, value;
        sluice_batch_init(&batch);
        CHECK(sluice_json_parse(&batch, g.record.key, g.record.key_len, &key, NULL, &err));
        if (g.record.value)
            CHECK(
                sluice_json_parse(&batch, g.record.value, g.record.value_len, &value, NULL, &err));
        char *connector = sluice_xstrndup(key.u.v[0].u.s, key.u.v[0].len);
        struct sluice_offset_entry entry = {&key.u.v[1], g.record.value ? &value : NULL};
        CHECK(sluice_offset_put_start(store, connector, &entry, 1, on_done, &done, &err));
        CHECK_STR(w.key, g.record.key);
        CHECK_STR(w.value, g.record.value);
        free(connector);
        sluice_batch_fini(&batch);
        sluice_offset_topic_record(store, &g.record);
    }
    CHECK(rows >= 5 && done == rows);
    struct sluice_batch batch;
    struct sluice_offset_entry *entries;
    size_t n;
    sluice_batch_init(&batch);
    CHECK(sluice_offset_list(store, STRANGE, &batch, &entries, &n, &err));
    CHECK(n == 1 && entries[0].offset->u.v[1].u.i == 4);
    CHECK(sluice_offset_list(store, "goes", &batch, &entries, &n, &err) && n == 0);
    sluice_batch_fini(&batch);
    sluice_offset_store_free(store);
    free(w.key);
    free(w.value);
}
