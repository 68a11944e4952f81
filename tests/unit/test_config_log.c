/* The config topic: its reader's rules on records that no broker sent, and the bytes of writes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/config_log.h"

#include "../harness.h"

#define STARTED_MS 1000

struct feed {
    struct sluice_config_log *log;
    int64_t offset, timestamp_ms;
    int changes;
};

static void on_change(void *arg) { ++*(int *)arg; }

static struct feed *feed_new(void)
{
    struct feed *f = sluice_xcalloc(1, sizeof *f);
    f->timestamp_ms = STARTED_MS + 1;
    f->log = sluice_config_log_new(STARTED_MS, on_change, &f->changes);
    return f;
}

static void feed_free(struct feed *f)
{
    sluice_config_log_free(f->log);
    free(f);
}

/* Buffers of exactly the size, so that reading behind them shows. */
static void feed_bytes(struct feed *f, const char *key, size_t key_len, const char *value,
                       size_t value_len)
{
    char *k = sluice_xmalloc(key_len ? key_len : 1), *v = sluice_xmalloc(value_len ? value_len : 1);
    memcpy(k, key, key_len);
    if (value) memcpy(v, value, value_len);
    struct sluice_log_record record = {"configs",        0,       f->offset++, f->timestamp_ms, k,
                                       value ? v : NULL, key_len, value_len};
    sluice_config_log_record(f->log, &record);
    free(k);
    free(v);
}

static void feed(struct feed *f, const char *key, const char *value)
{
    feed_bytes(f, key, strlen(key), value, value ? strlen(value) : 0);
}

/* The table in one line, as what these tests are about shows. */
static char *show(struct feed *f)
{
    char text[4096] = "";
    size_t at = 0;
    const struct sluice_cluster *cluster = sluice_config_log_lock(f->log);
    for (size_t i = 0; i < cluster->n; i++) {
        const struct sluice_cluster_connector *c = cluster->connectors[i];
        static const char *const targets[] = {"", " paused", " stopped"};
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s%s%s%s[", at ? " " : "", c->name,
                               c->exists ? "" : " gone", targets[c->target],
                               c->inconsistent ? " inconsistent" : "");
        for (int t = 0; t < c->tasks_n; t++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", t ? "," : "",
                                   sluice_map_get(&c->tasks[t], "v"));
        at += (size_t)snprintf(text + at, sizeof text - at, "]");
    }
    sluice_config_log_unlock(f->log);
    return sluice_xstrdup(text);
}

#define CHECK_TABLE(f, want)                                                                       \
    do {                                                                                           \
        char *got_ = show(f);                                                                      \
        CHECK_STR(got_, want);                                                                     \
        free(got_);                                                                                \
    } while (0)

#define CONFIG "{\"properties\":{\"name\":\"x\",\"v\":\"c\"}}"
#define TASK(v) "{\"properties\":{\"v\":\"" v "\"}}"

TEST(config_tasks_apply_with_their_commit_only)
{
    struct feed *f = feed_new();
    feed(f, "connector-a", CONFIG);
    CHECK_INT(f->changes, 1);
    feed(f, "task-a-0", TASK("0"));
    feed(f, "task-a-1", TASK("1"));
    CHECK_TABLE(f, "a[]");
    CHECK_INT(f->changes, 1);
    feed(f, "commit-a", "{\"tasks\":2}");
    CHECK_TABLE(f, "a[0,1]");
    CHECK_INT(f->changes, 2);
    feed(f, "task-a-0", TASK("new"));
    CHECK_TABLE(f, "a[0,1]");
    feed(f, "commit-a", "{\"tasks\":1}");
    CHECK_TABLE(f, "a[new]");
    const struct sluice_cluster *cluster = sluice_config_log_lock(f->log);
    const struct sluice_cluster_connector *c = sluice_cluster_find(cluster, "a");
    CHECK(c && c->config_offset == 0 && c->tasks_offset == 5 && cluster->offset == 6);
    CHECK_STR(sluice_map_get(&c->config, "v"), "c");
    CHECK(!sluice_cluster_find(cluster, "b"));
    sluice_config_log_unlock(f->log);
    feed(f, "commit-a", "{\"tasks\":0}");
    CHECK_TABLE(f, "a[]");
    feed_free(f);
}

TEST(config_tasks_that_are_not_all_there_are_none)
{
    struct feed *f = feed_new();
    feed(f, "connector-a", CONFIG);
    feed(f, "task-a-1", TASK("1"));
    feed(f, "commit-a", "{\"tasks\":2}");
    CHECK_TABLE(f, "a inconsistent[]");
    /* What came before that commit does not count for a later one. */
    feed(f, "task-a-0", TASK("0"));
    feed(f, "commit-a", "{\"tasks\":2}");
    CHECK_TABLE(f, "a inconsistent[]");
    feed(f, "task-a-1", TASK("1"));
    feed(f, "task-a-0", TASK("0"));
    feed(f, "commit-a", "{\"tasks\":2}");
    CHECK_TABLE(f, "a[0,1]");
    /* Compaction leaves the last task of a larger set: it is no part of this one. */
    feed(f, "task-a-2", TASK("old"));
    feed(f, "task-a-0", TASK("n0"));
    feed(f, "task-a-1", TASK("n1"));
    feed(f, "commit-a", "{\"tasks\":2}");
    CHECK_TABLE(f, "a[n0,n1]");
    feed_free(f);
}

TEST(config_of_a_deleted_connector_never_comes_back)
{
    struct feed *f = feed_new();
    /* KAFKA-16838: the tombstone of connector-a was compacted away, its tasks were not. */
    feed(f, "task-a-0", TASK("old"));
    feed(f, "commit-a", "{\"tasks\":1}");
    CHECK_TABLE(f, "");
    feed(f, "connector-a", CONFIG);
    CHECK_TABLE(f, "a[]");
    feed(f, "commit-a", "{\"tasks\":1}");
    CHECK_TABLE(f, "a inconsistent[]");
    feed(f, "task-a-0", TASK("0"));
    feed(f, "commit-a", "{\"tasks\":1}");
    feed(f, "task-a-0", TASK("uncommitted"));
    feed(f, "connector-a", NULL);
    CHECK_TABLE(f, "");
    feed(f, "connector-a", CONFIG);
    feed(f, "commit-a", "{\"tasks\":1}");
    CHECK_TABLE(f, "a inconsistent[]");
    /* JSON null is a tombstone too, and a second one does nothing. */
    feed(f, "connector-a", "null");
    CHECK_TABLE(f, "");
    int changes = f->changes;
    feed(f, "connector-a", NULL);
    CHECK_INT(f->changes, changes);
    feed_free(f);
}

TEST(config_target_state_may_come_first)
{
    struct feed *f = feed_new();
    feed(f, "target-state-a", "{\"state\":\"PAUSED\",\"state.v2\":\"STOPPED\"}");
    CHECK_TABLE(f, "a gone stopped[]");
    feed(f, "connector-a", CONFIG);
    CHECK_TABLE(f, "a stopped[]");
    feed(f, "target-state-a", "{\"state\":\"PAUSED\"}"); /* of a worker before 3.5 */
    CHECK_TABLE(f, "a paused[]");
    feed(f, "target-state-a", "{\"state\":\"STARTED\",\"state.v2\":\"STARTED\"}");
    CHECK_TABLE(f, "a[]");
    feed(f, "target-state-a", "{\"state\":\"PAUSED\",\"state.v2\":\"PAUSED\"}");
    feed(f, "target-state-a", "{\"state\":\"HAPPY\"}");
    feed(f, "target-state-a", "{}");
    feed(f, "target-state-a", "{\"state\":7}");
    CHECK_TABLE(f, "a paused[]");
    feed(f, "connector-a", NULL);
    CHECK_TABLE(f, "a gone paused[]");
    feed(f, "target-state-a", NULL);
    CHECK_TABLE(f, "");
    feed_free(f);
}

TEST(config_names_may_hold_dashes_and_anything)
{
    struct feed *f = feed_new();
    feed(f, "connector-a-1", CONFIG);
    feed(f, "connector-gr\xc3\xbc\xc3\x9f-\"e\"", CONFIG);
    feed(f, "connector-connector-", CONFIG);
    feed(f, "task-a-1-0", TASK("0"));
    feed(f, "commit-a-1", "{\"tasks\":1}");
    feed(f, "task-gr\xc3\xbc\xc3\x9f-\"e\"-0", TASK("1"));
    feed(f, "commit-gr\xc3\xbc\xc3\x9f-\"e\"", "{\"tasks\":1}");
    feed(f, "task-connector--0", TASK("2"));
    feed(f, "commit-connector-", "{\"tasks\":1}");
    CHECK_TABLE(f, "a-1[0] connector-[2] gr\xc3\xbc\xc3\x9f-\"e\"[1]");
    feed_free(f);
}

TEST(config_requests_older_than_the_worker_are_not_heard)
{
    struct feed *f = feed_new();
    feed(f, "connector-a", CONFIG);
    f->timestamp_ms = STARTED_MS;
    feed(f, "restart-connector-a", "{\"include-tasks\":true,\"only-failed\":false}");
    feed(f, "logger-cluster-x.y", "{\"level\":\"DEBUG\"}");
    const struct sluice_cluster *cluster = sluice_config_log_lock(f->log);
    CHECK_INT(sluice_cluster_find(cluster, "a")->restart_offset, -1);
    CHECK_INT(cluster->logger_levels.n, 0);
    sluice_config_log_unlock(f->log);
    f->timestamp_ms = STARTED_MS + 1;
    feed(f, "restart-connector-a", "{\"include-tasks\":true,\"only-failed\":false}");
    feed(f, "logger-cluster-x.y", "{\"level\":\"dEbUg\"}");
    feed(f, "restart-connector-nobody", "{\"include-tasks\":true,\"only-failed\":false}");
    cluster = sluice_config_log_lock(f->log);
    const struct sluice_cluster_connector *c = sluice_cluster_find(cluster, "a");
    CHECK(c->restart_offset == 3 && c->restart_tasks && !c->restart_only_failed);
    CHECK_STR(sluice_map_get(&cluster->logger_levels, "x.y"), "dEbUg");
    CHECK_INT(cluster->logger_offset, 4);
    sluice_config_log_unlock(f->log);
    feed_free(f);
}

TEST(config_fencing_and_session_key)
{
    struct feed *f = feed_new();
    feed(f, "tasks-fencing-a", "{\"task-count\":3}");
    feed(
        f, "session-key",
        "{\"key\":\"c2VjcmV0\",\"algorithm\":\"HmacSHA256\",\"creation-timestamp\":1795241310469}");
    feed(f, "session-key", "{\"key\":\"x\",\"algorithm\":\"HmacSHA256\"}");
    feed(f, "session-key", NULL);
    feed(f, "connector-a", CONFIG);
    feed(f, "connector-a", NULL);
    const struct sluice_cluster *cluster = sluice_config_log_lock(f->log);
    CHECK_STR(cluster->session_key, "c2VjcmV0");
    CHECK_STR(cluster->session_algorithm, "HmacSHA256");
    CHECK_INT(cluster->session_created_ms, 1795241310469);
    /* Fencing outlives the connector: whoever takes its name must fence its tasks. */
    CHECK_INT(cluster->n, 1);
    CHECK(cluster->connectors[0]->fenced_tasks == 3 && cluster->connectors[0]->fenced_offset == 0);
    sluice_config_log_unlock(f->log);
    feed(f, "tasks-fencing-a", NULL);
    CHECK_TABLE(f, "");
    feed_free(f);
}

TEST(config_assignments_and_leader)
{
    struct feed *f = feed_new();
    feed(f, "sluice-leader", "{\"member\":\"http://a/#1\",\"generation\":6}");
    feed(f, "sluice-assignment-a",
         "{\"generation\":7,\"connector\":\"http://a/#1\",\"tasks\":[null,\"http://b/#2\","
         "{\"leaving\":\"http://c/#3\"}]}");
    const struct sluice_cluster *cluster = sluice_config_log_lock(f->log);
    const struct sluice_cluster_connector *c = cluster->connectors[0];
    CHECK(!c->exists && c->generation == 7 && cluster->generation == 7 && c->owners_n == 3);
    CHECK_STR(cluster->leader, "http://a/#1");
    CHECK_STR(c->owner.member, "http://a/#1");
    CHECK(!c->owner.leaving && !c->task_owners[0].member && !c->task_owners[1].leaving);
    CHECK_STR(c->task_owners[1].member, "http://b/#2");
    CHECK(c->task_owners[2].leaving && c->assignment_offset == 1);
    CHECK_STR(c->task_owners[2].member, "http://c/#3");
    sluice_config_log_unlock(f->log);
    static const char *const bad[] = {
        "{\"generation\":8,\"tasks\":[]}",
        "{\"generation\":8,\"connector\":null}",
        "{\"generation\":-1,\"connector\":null,\"tasks\":[]}",
        "{\"generation\":4294967296,\"connector\":null,\"tasks\":[]}",
        "{\"generation\":\"8\",\"connector\":null,\"tasks\":[]}",
        "{\"generation\":8,\"connector\":7,\"tasks\":[]}",
        "{\"generation\":8,\"connector\":null,\"tasks\":[\"a\",{\"leaving\":null}]}",
        "{\"generation\":8,\"connector\":null,\"tasks\":[\"a\",[]]}",
        "[8]",
        "8",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) feed(f, "sluice-assignment-a", bad[i]);
    cluster = sluice_config_log_lock(f->log);
    CHECK(cluster->connectors[0]->generation == 7 && cluster->connectors[0]->owners_n == 3);
    sluice_config_log_unlock(f->log);
    feed(f, "sluice-assignment-a",
         "{\"generation\":9,\"connector\":{\"leaving\":\"http://a/#1\"},\"tasks\":[\"http://b/#2\","
         "\"http://c/#2\",{\"leaving\":\"http://c/#3\"},null]}");
    feed(f, "sluice-assignment-a",
         "{\"generation\":11,\"connector\":{\"leaving\":\"http://a/#1\"},\"tasks\":["
         "\"http://b/#2\",\"http://b/#2\",\"http://c/#3\",\"http://c/#3\",null]}");
    cluster = sluice_config_log_lock(f->log);
    c = cluster->connectors[0]; /* since when each is named as it is */
    CHECK_INT(c->owner.since, 9);
    static const int32_t since[] = {9, 11, 11, 11, 11};
    for (int i = 0; i < 5; i++) CHECK_INT(c->task_owners[i].since, since[i]);
    sluice_config_log_unlock(f->log);
    feed(f, "sluice-assignment-a", NULL);
    CHECK_TABLE(f, "");
    feed_free(f);
}

static void feed_broken(void *arg)
{
    struct feed *f = arg;
    char *deep = sluice_xmalloc(100000);
    memset(deep, '[', 100000);
    feed_bytes(f, "connector-a", 11, deep, 100000);
    free(deep);
    feed(f, "connector-a", "{\"properties\":{\"v\":\"secret\"");
    feed(f, "connector-a", "{\"properties\":7}");
    feed(f, "connector-a", "{\"properties\":{\"v\":{}}}");
    feed(f, "connector-a", "{}");
    feed(f, "connector-a", "");
    feed_bytes(f, "connector-\0b", 12, CONFIG, strlen(CONFIG));
    feed_bytes(f, "connector-\xff", 11, CONFIG, strlen(CONFIG));
    feed(f, "task-a", TASK("0"));
    feed(f, "task-a-", TASK("0"));
    feed(f, "task--0", TASK("0"));
    feed(f, "task-a-99999999999999999999", TASK("0"));
    feed(f, "task-a--1", TASK("0")); /* a task of connector "a-" */
    feed(f, "commit-a", "{\"tasks\":-1}");
    feed(f, "commit-a", "{\"tasks\":1000000}");
    feed(f, "commit-a", "{\"tasks\":1.5}");
    feed(f, "nonsense", "{}");
    feed(f, "nonsense", "{}");
    feed(f, "", "{}");
    feed(f, "connector-", CONFIG);
    struct sluice_log_record record = {"configs", 0, f->offset++, 0, NULL, "{}", 0, 2};
    sluice_config_log_record(f->log, &record);
}

TEST(config_records_that_are_broken_are_skipped_and_named)
{
    struct feed *f = feed_new();
    feed(f, "connector-a", CONFIG);
    char *log = harness_stderr(feed_broken, f);
    CHECK_HAS(log, "the record at offset 1 with the key connector-a is skipped");
    CHECK_HAS(log, "the record at offset 17 with the key nonsense is skipped");
    CHECK(!strstr(log, "offset 18 ") && !strstr(log, "secret"));
    CHECK_HAS(log, "it has no key");
    free(log);
    CHECK_INT(f->changes, 1);
    const struct sluice_cluster *cluster = sluice_config_log_lock(f->log);
    CHECK_INT(cluster->offset, f->offset);
    const struct sluice_cluster_connector *c = sluice_cluster_find(cluster, "a");
    CHECK_STR(sluice_map_get(&c->config, "v"), "c");
    CHECK(c->tasks_n == 0 && !c->inconsistent && c->tasks_offset == -1);
    sluice_config_log_unlock(f->log);
    feed_free(f);
}

static void feed_nonsense(void *arg)
{
    char key[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "nonsense-%d", i);
        feed(arg, key, "{}");
        feed(arg, "connector-a", "broken");
    }
}

TEST(config_log_does_not_flood_the_log)
{
    struct feed *f = feed_new();
    size_t lines = 0;
    char *log = harness_stderr(feed_nonsense, f);
    for (const char *s = log; (s = strchr(s, '\n')); s++) lines++;
    CHECK_INT(lines, 101);
    CHECK_HAS(log, "further records that are skipped are not logged");
    free(log);
    feed_free(f);
}

TEST(config_value_of_more_than_16_mib_is_not_read)
{
    struct feed *f = feed_new();
    size_t len = ((size_t)16 << 20) + 1;
    char *value = sluice_xmalloc(len);
    memset(value, ' ', len);
    memcpy(value, CONFIG, strlen(CONFIG));
    feed_bytes(f, "connector-a", 11, value, len);
    CHECK_TABLE(f, "");
    feed_bytes(f, "connector-a", 11, value, len - 1);
    CHECK_TABLE(f, "a[]");
    free(value);
    feed_free(f);
}

/* ---- writing ---- */

/* Writes and reads its own writes. */
static void feed_writes(struct feed *f, struct sluice_writes *w)
{
    for (size_t i = 0; i < w->n; i++) feed(f, w->items[i].key, w->items[i].value);
}

#define CHECK_WRITE(w, i, want_key, want_value)                                                    \
    do {                                                                                           \
        CHECK_STR((w).items[i].key, want_key);                                                     \
        CHECK_STR((w).items[i].value, want_value);                                                 \
    } while (0)

TEST(config_writes_are_connects)
{
    struct sluice_writes w = {0};
    struct sluice_map config = {0};
    sluice_map_set(&config, "name", "gr\xc3\xbc\xc3\x9f \"e\"\n\xf0\x9d\x84\x9e");
    sluice_map_set(&config, "none", NULL);
    sluice_write_target(&w, "a", SLUICE_TARGET_STOPPED);
    sluice_write_connector(&w, "a", &config);
    sluice_write_tasks(&w, "a", &config, 1);
    sluice_write_session_key(&w, "c2VjcmV0", "HmacSHA256", 1795241310469);
    sluice_write_restart(&w, "a", true, false);
    sluice_write_fencing(&w, "a", 3);
    sluice_write_logger(&w, "x.y", "info");
    sluice_write_target(&w, "a", SLUICE_TARGET_PAUSED);
    sluice_write_no_target(&w, "a");
    sluice_write_connector(&w, "a", NULL);
#define PROPERTIES                                                                                 \
    "{\"properties\":{\"name\":\"gr\xc3\xbc\xc3\x9f \\\"e\\\"\\n\\uD834\\uDD1E\",\"none\":null}}"
    CHECK_WRITE(w, 0, "target-state-a", "{\"state\":\"PAUSED\",\"state.v2\":\"STOPPED\"}");
    CHECK_WRITE(w, 1, "connector-a", PROPERTIES);
    CHECK_WRITE(w, 2, "task-a-0", PROPERTIES);
    CHECK_WRITE(w, 3, "commit-a", "{\"tasks\":1}");
    CHECK_WRITE(w, 4, "session-key",
                "{\"key\":\"c2VjcmV0\",\"algorithm\":\"HmacSHA256\","
                "\"creation-timestamp\":1795241310469}");
    CHECK_WRITE(w, 5, "restart-connector-a", "{\"include-tasks\":true,\"only-failed\":false}");
    CHECK_WRITE(w, 6, "tasks-fencing-a", "{\"task-count\":3}");
    CHECK_WRITE(w, 7, "logger-cluster-x.y", "{\"level\":\"info\"}");
    CHECK_WRITE(w, 8, "target-state-a", "{\"state\":\"PAUSED\",\"state.v2\":\"PAUSED\"}");
    CHECK_WRITE(w, 9, "target-state-a", NULL);
    CHECK_WRITE(w, 10, "connector-a", NULL);
    CHECK_INT(w.n, 11);
    sluice_writes_fini(&w);
    sluice_map_fini(&config);
}

TEST(config_writes_of_ours_are_read_back)
{
    char a[] = "http://a/#1", b[] = "http://b/\"#2";
    struct feed *f = feed_new();
    struct sluice_writes w = {0};
    struct sluice_owner owner = {.member = a},
                        tasks[] = {{0}, {.member = a}, {.member = b, .leaving = true}};
    sluice_write_leader(&w, b, 4);
    sluice_write_assignment(&w, "c", 5, &owner, tasks, 3);
    CHECK_WRITE(w, 0, "sluice-leader", "{\"member\":\"http://b/\\\"#2\",\"generation\":4}");
    CHECK_WRITE(w, 1, "sluice-assignment-c",
                "{\"generation\":5,\"connector\":\"http://a/#1\",\"tasks\":[null,\"http://a/#1\","
                "{\"leaving\":\"http://b/\\\"#2\"}]}");
    feed_writes(f, &w);
    const struct sluice_cluster *cluster = sluice_config_log_lock(f->log);
    const struct sluice_cluster_connector *c = cluster->connectors[0];
    CHECK(c->owners_n == 3 && c->task_owners[2].leaving && !c->task_owners[0].member);
    CHECK_STR(c->task_owners[2].member, b);
    sluice_config_log_unlock(f->log);
    sluice_writes_fini(&w);
    sluice_write_assignment(&w, "c", 6, NULL, NULL, 0);
    CHECK_WRITE(w, 0, "sluice-assignment-c", NULL);
    feed_writes(f, &w);
    CHECK_TABLE(f, "");
    sluice_writes_fini(&w);
    feed_free(f);
}
