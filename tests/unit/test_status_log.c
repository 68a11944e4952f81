/* The status topic: what counts when it is read, and which puts go out, on a writer that answers
 * when the test says so. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/status_log.h"

#include "../harness.h"

/* ---- the writer: in place of kafka/log_writer.c ---- */

struct sent {
    char *key, *value;
    sluice_log_written *written;
    void *arg;
};

struct sluice_log_writer {
    pthread_mutex_t mutex;
    struct sent sent[64];
    size_t n, answered;
    bool at_once; /* answers before sluice_log_write() returns */
};

static struct sluice_log_writer writer = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void sluice_log_write(struct sluice_log_writer *w, const char *topic, const char *key,
                      size_t key_len, const char *value, size_t value_len,
                      sluice_log_written *written, void *arg)
{
    CHECK_STR(topic, "status");
    pthread_mutex_lock(&w->mutex);
    CHECK(w->n < sizeof w->sent / sizeof *w->sent);
    w->sent[w->n++] = (struct sent){sluice_xstrndup(key, key_len),
                                    value ? sluice_xstrndup(value, value_len) : NULL, written, arg};
    bool at_once = w->at_once;
    if (at_once) w->answered = w->n;
    pthread_mutex_unlock(&w->mutex);
    if (at_once) written(arg, NULL);
}

static size_t sent_n(void)
{
    pthread_mutex_lock(&writer.mutex);
    size_t n = writer.n;
    pthread_mutex_unlock(&writer.mutex);
    return n;
}

/* Answers the oldest that has no answer. */
static void answer(const char *error)
{
    pthread_mutex_lock(&writer.mutex);
    CHECK(writer.answered < writer.n);
    struct sent *s = &writer.sent[writer.answered++];
    pthread_mutex_unlock(&writer.mutex);
    s->written(s->arg, error);
}

static void writer_reset(void)
{
    while (writer.answered < writer.n) answer(NULL);
    for (size_t i = 0; i < writer.n; i++) {
        free(writer.sent[i].key);
        free(writer.sent[i].value);
    }
    writer.n = writer.answered = 0;
    writer.at_once = false;
}

#define CHECK_SENT(i, want_key, want_value)                                                        \
    do {                                                                                           \
        CHECK(sent_n() > (size_t)(i));                                                             \
        CHECK_STR(writer.sent[i].key, want_key);                                                   \
        CHECK_STR(writer.sent[i].value, want_value);                                               \
    } while (0)

/* ---- the reader's side ---- */

static char changes[4096];
static int64_t offset;

static void on_change(void *arg, const char *connector, int task)
{
    size_t at = strlen(changes);
    (void)arg;
    snprintf(changes + at, sizeof changes - at, "%s%s/%d", at ? " " : "", connector, task);
}

static struct sluice_status_log *log_new(void)
{
    changes[0] = '\0';
    offset = 0;
    return sluice_status_log_new(&writer, "status", on_change, NULL);
}

static void log_free(struct sluice_status_log *log)
{
    sluice_status_log_free(log);
    writer_reset();
}

static void feed(struct sluice_status_log *log, const char *key, const char *value)
{
    size_t key_len = strlen(key), value_len = value ? strlen(value) : 0;
    char *k = sluice_xmalloc(key_len + 1), *v = sluice_xmalloc(value_len + 1);
    memcpy(k, key, key_len);
    if (value) memcpy(v, value, value_len);
    k = sluice_xrealloc(k, key_len ? key_len : 1);
    v = sluice_xrealloc(v, value_len ? value_len : 1);
    struct sluice_log_record record = {"status",         0,       offset++, 5, k,
                                       value ? v : NULL, key_len, value_len};
    sluice_status_log_record(log, &record);
    free(k);
    free(v);
}

static struct sluice_status status_of(const char *state, const char *worker, int generation)
{
    struct sluice_status status = {.generation = generation};
    snprintf(status.state, sizeof status.state, "%s", state);
    snprintf(status.worker_id, sizeof status.worker_id, "%s", worker);
    return status;
}

#define STATUS(state, worker, generation)                                                          \
    "{\"state\":\"" state "\",\"trace\":null,\"worker_id\":\"" worker                              \
    "\",\"generation\":" generation ",\"version\":null}"

/* "RUNNING w 3" of what is known; "none" */
static const char *known(struct sluice_status_log *log, const char *connector, int task)
{
    static char text[512];
    struct sluice_status status;
    if (!sluice_status_get(log, connector, task, &status)) return "none";
    snprintf(text, sizeof text, "%s %s %d%s%s", status.state, status.worker_id, status.generation,
             status.trace ? " " : "", status.trace ? status.trace : "");
    free(status.trace);
    return text;
}

static const char *names(char **block, size_t n)
{
    static char text[512];
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        size_t at = strlen(text);
        snprintf(text + at, sizeof text - at, "%s%s", i ? "," : "", block[i]);
    }
    free(block);
    return text;
}

TEST(status_is_read_and_asked_for)
{
    struct sluice_status_log *log = log_new();
    size_t n;
    feed(log, "status-connector-a-b", STATUS("RUNNING", "w:1", "2"));
    feed(log, "status-task-a-b-10", STATUS("RUNNING", "w:1", "3"));
    feed(log, "status-task-a-b-2",
         "{\"state\":\"FAILED\",\"trace\":\"java.lang.Exc\\n\\tat x\",\"worker_id\":\"w:2\","
         "\"generation\":2,\"version\":\"4.1.0\"}");
    feed(log, "status-connector-0", STATUS("PAUSED", "w:1", "1"));
    CHECK_STR(changes, "a-b/-1 a-b/10 a-b/2 0/-1");
    CHECK_STR(known(log, "a-b", SLUICE_STATUS_CONNECTOR), "RUNNING w:1 2");
    CHECK_STR(known(log, "a-b", 2), "FAILED w:2 2 java.lang.Exc\n\tat x");
    CHECK_STR(known(log, "a-b", 3), "none");
    CHECK_STR(known(log, "x", 3), "none");
    CHECK_INT(sluice_status_generation(log), 3);
    int *tasks = sluice_status_tasks(log, "a-b", &n);
    CHECK(n == 2 && tasks[0] == 2 && tasks[1] == 10);
    free(tasks);
    char **block = sluice_status_connectors(log, &n);
    CHECK_STR(names(block, n), "0,a-b");
    feed(log, "status-task-a-b-2", NULL);
    feed(log, "status-task-a-b-10", "null");
    CHECK_STR(known(log, "a-b", 2), "none");
    feed(log, "status-connector-a-b", NULL);
    block = sluice_status_connectors(log, &n);
    CHECK_STR(names(block, n), "0");
    CHECK_STR(changes, "a-b/-1 a-b/10 a-b/2 0/-1 a-b/2 a-b/10 a-b/-1");
    feed(log, "status-connector-a-b", NULL);
    CHECK_STR(changes, "a-b/-1 a-b/10 a-b/2 0/-1 a-b/2 a-b/10 a-b/-1");
    log_free(log);
}

TEST(status_late_goodbye_does_not_hide_a_running_task)
{
    struct sluice_status_log *log = log_new();
    feed(log, "status-task-a-0", STATUS("RUNNING", "new", "5"));
    feed(log, "status-task-a-0", STATUS("UNASSIGNED", "old", "5"));
    CHECK_STR(known(log, "a", 0), "RUNNING new 5");
    feed(log, "status-task-a-0", STATUS("UNASSIGNED", "old", "4"));
    CHECK_STR(known(log, "a", 0), "RUNNING new 5");
    CHECK_STR(changes, "a/0");
    feed(log, "status-task-a-0", STATUS("UNASSIGNED", "new", "6"));
    CHECK_STR(known(log, "a", 0), "UNASSIGNED new 6");
    feed(log, "status-task-a-0", STATUS("PAUSED", "new", "6"));
    feed(log, "status-task-a-0", STATUS("UNASSIGNED", "new", "1"));
    CHECK_STR(known(log, "a", 0), "UNASSIGNED new 1");
    /* Of a connector it is shown, as Java does. */
    feed(log, "status-connector-a", STATUS("RUNNING", "w", "5"));
    feed(log, "status-connector-a", STATUS("UNASSIGNED", "w", "5"));
    CHECK_STR(known(log, "a", SLUICE_STATUS_CONNECTOR), "UNASSIGNED w 5");
    log_free(log);
}

TEST(status_late_goodbye_does_not_hide_what_is_anothers)
{
    struct sluice_status_log *log = log_new();
    feed(log, "status-connector-a", STATUS("RUNNING", "new", "5"));
    feed(log, "status-connector-a", STATUS("UNASSIGNED", "old", "4"));
    CHECK_STR(known(log, "a", SLUICE_STATUS_CONNECTOR), "RUNNING new 5");
    feed(log, "status-task-a-0", STATUS("PAUSED", "new", "5"));
    feed(log, "status-task-a-0", STATUS("UNASSIGNED", "old", "4"));
    CHECK_STR(known(log, "a", 0), "PAUSED new 5");
    feed(log, "status-task-a-0", STATUS("UNASSIGNED", "old", "5"));
    CHECK_STR(known(log, "a", 0), "UNASSIGNED old 5");
    log_free(log);
}

TEST(status_put_is_connects_bytes)
{
    struct sluice_status_log *log = log_new();
    struct sluice_status status = status_of("FAILED", "127.0.0.1:8083", 2);
    char trace[] = "gr\xc3\xbc\xc3\x9f \"e\"\n\xf0\x9d\x84\x9e";
    writer.at_once = true;
    status.trace = trace;
    sluice_status_put(log, "a", 3, &status);
    CHECK_SENT(0, "status-task-a-3",
               "{\"state\":\"FAILED\",\"trace\":\"gr\xc3\xbc\xc3\x9f \\\"e\\\"\\n\\uD834\\uDD1E\","
               "\"worker_id\":\"127.0.0.1:8083\",\"generation\":2,\"version\":null}");
    status.trace = NULL;
    snprintf(status.version, sizeof status.version, "4.1.0");
    sluice_status_put(log, "a", SLUICE_STATUS_CONNECTOR, &status);
    CHECK_SENT(1, "status-connector-a",
               "{\"state\":\"FAILED\",\"trace\":null,\"worker_id\":\"127.0.0.1:8083\","
               "\"generation\":2,\"version\":\"4.1.0\"}");
    sluice_status_delete(log, "a", 3);
    CHECK_SENT(2, "status-task-a-3", NULL);
    sluice_status_put_topic(log, "a", 0, "T");
    CHECK_STR(writer.sent[3].key, "status-topic-T:connector-a");
    CHECK_HAS(writer.sent[3].value,
              "{\"topic\":{\"name\":\"T\",\"connector\":\"a\",\"task\":0,\"discoverTimestamp\":");
    sluice_status_delete_topic(log, "a", "T");
    CHECK_SENT(4, "status-topic-T:connector-a", NULL);
    /* Nothing of it counts before it was read. */
    CHECK_STR(known(log, "a", 3), "none");
    log_free(log);
}

TEST(status_of_several_puts_only_the_newest_waits)
{
    struct sluice_status_log *log = log_new();
    struct sluice_status one = status_of("UNASSIGNED", "w", 1), two = status_of("PAUSED", "w", 1),
                         three = status_of("RUNNING", "w", 1);
    sluice_status_put(log, "a", 0, &one);
    sluice_status_put(log, "a", 0, &two);
    sluice_status_put(log, "a", 0, &three);
    sluice_status_put(log, "a", 1, &one);
    CHECK_INT(sent_n(), 2); /* one of each key is under way */
    answer(NULL);
    CHECK_SENT(2, "status-task-a-0", STATUS("RUNNING", "w", "1"));
    answer(NULL);
    answer(NULL);
    CHECK_INT(sent_n(), 3);
    log_free(log);
}

TEST(status_safe_put_yields_to_a_later_generation)
{
    struct sluice_status_log *log = log_new();
    struct sluice_status status = status_of("UNASSIGNED", "old", 4);
    feed(log, "status-task-a-0", STATUS("RUNNING", "new", "5"));
    sluice_status_put_safe(log, "a", 0, &status);
    CHECK_INT(sent_n(), 0);
    status.generation = 5; /* not a higher one */
    sluice_status_put_safe(log, "a", 0, &status);
    CHECK_INT(sent_n(), 1);
    status = status_of("FAILED", "new", 3); /* its own */
    sluice_status_put_safe(log, "a", 0, &status);
    answer(NULL);
    CHECK_SENT(1, "status-task-a-0", STATUS("FAILED", "new", "3"));
    answer(NULL);
    status = status_of("RUNNING", "old", 1); /* no safe put */
    sluice_status_put(log, "a", 0, &status);
    CHECK_INT(sent_n(), 3);
    answer(NULL);
    /* Another's left alone does not take back what waits. */
    status = status_of("UNASSIGNED", "x", 9);
    sluice_status_put(log, "a", 1, &status);
    feed(log, "status-task-a-1", STATUS("RUNNING", "new", "8"));
    sluice_status_put(log, "a", 1, &status);
    status.generation = 7;
    sluice_status_put_safe(log, "a", 1, &status);
    answer(NULL);
    CHECK_SENT(4, "status-task-a-1", STATUS("UNASSIGNED", "x", "9"));
    log_free(log);
}

static bool sent_are(void *n) { return sent_n() >= *(size_t *)n; }

static void await_sent(size_t n) { CHECK(harness_until(sent_are, &n)); }

TEST(status_put_that_fails_is_tried_again)
{
    struct sluice_status_log *log = log_new();
    struct sluice_status one = status_of("UNASSIGNED", "w", 1), two = status_of("RUNNING", "w", 2);
    sluice_status_put(log, "a", 0, &one);
    answer("no");
    await_sent(2);
    CHECK_SENT(1, "status-task-a-0", STATUS("UNASSIGNED", "w", "1"));
    size_t at = 2;
    int64_t start = sluice_now_ms();
    answer("no");
    sluice_status_put(log, "a", 0, &two); /* takes the place of what is to be tried again */
    if (sluice_now_ms() - start >= 500) { /* unless this thread slept and that was already */
        await_sent(3);
        at += strstr(writer.sent[2].value, "UNASSIGNED") != NULL;
        if (at == 3) answer(NULL);
    }
    await_sent(at + 1);
    CHECK_SENT(at, "status-task-a-0", STATUS("RUNNING", "w", "2"));
    sluice_status_put(log, "a", 0, &one);
    answer("no");
    await_sent(at + 2);
    CHECK_SENT(at + 1, "status-task-a-0", STATUS("UNASSIGNED", "w", "1"));
    answer(NULL);
    CHECK_INT(sent_n(), at + 2);
    log_free(log);
}

TEST(status_safe_put_that_failed_yields_meanwhile)
{
    struct sluice_status_log *log = log_new();
    struct sluice_status status = status_of("UNASSIGNED", "old", 4);
    sluice_status_put_safe(log, "a", 0, &status);
    feed(log, "status-task-a-0", STATUS("RUNNING", "new", "5"));
    answer("no");
    sluice_status_put(log, "b", 0, &status);
    answer("no");
    await_sent(3);
    CHECK_SENT(2, "status-task-b-0", STATUS("UNASSIGNED", "old", "4"));
    answer(NULL);
    CHECK_INT(sent_n(), 3);
    log_free(log);
}

TEST(status_log_may_go_before_its_answers)
{
    struct sluice_status_log *log = log_new();
    struct sluice_status status = status_of("RUNNING", "w", 1);
    sluice_status_put(log, "a", 0, &status);
    sluice_status_put(log, "a", 0, &status);
    sluice_status_put(log, "b", 0, &status);
    sluice_status_log_free(log);
    answer(NULL);
    answer("no");
    CHECK_INT(sent_n(), 2);
    writer_reset();
}

TEST(status_topics_of_a_connector)
{
    struct sluice_status_log *log = log_new();
    size_t n;
#define TOPIC(name, connector)                                                                     \
    "{\"topic\":{\"name\":\"" name "\",\"connector\":\"" connector                                 \
    "\",\"task\":0,\"discoverTimestamp\":1795241380306}}"
    feed(log, "status-topic-b:connector-c-1", TOPIC("b", "c-1"));
    feed(log, "status-topic-a-x:connector-c-1", TOPIC("a-x", "c-1"));
    feed(log, "status-topic-b:connector-d:connector-e", TOPIC("b", "d:connector-e"));
    char **block = sluice_status_topics(log, "c-1", &n);
    CHECK_STR(names(block, n), "a-x,b");
    block = sluice_status_topics(log, "d:connector-e", &n);
    CHECK_STR(names(block, n), "b");
    block = sluice_status_topics(log, "x", &n);
    CHECK_STR(names(block, n), "");
    block = sluice_status_connectors(log, &n);
    CHECK_STR(names(block, n), "");
    CHECK_STR(changes, "");
    feed(log, "status-topic-b:connector-c-1", NULL);
    block = sluice_status_topics(log, "c-1", &n);
    CHECK_STR(names(block, n), "a-x");
    log_free(log);
}

static void feed_broken(void *arg)
{
    static const char *const values[] = {
        "",
        "{",
        "7",
        "{}",
        STATUS("HAPPY", "w", "1"),
        STATUS("RUNNING", "w", "1.5"),
        STATUS("RUNNING", "w", "4294967296"),
        "{\"state\":\"RUNNING\",\"worker_id\":null,\"generation\":1}",
        "{\"state\":\"RUNNING\",\"generation\":1}",
        "{\"state\":7,\"worker_id\":\"w\",\"generation\":1}",
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        feed(arg, "status-task-a-0", values[i]);
    static const char *const keys[] = {"",
                                       "nonsense",
                                       "status-connector-",
                                       "status-task-a",
                                       "status-task--0",
                                       "status-task-a-x",
                                       "status-task-a-",
                                       "status-task-a-99999999999999999999",
                                       "status-topic-a",
                                       "status-topic-:connector-a",
                                       "status-topic-a:connector-",
                                       "status-topic-a:c",
                                       "status-task-\xff-0"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        feed(arg, keys[i], STATUS("RUNNING", "w", "1"));
    feed(arg, "status-topic-a:connector-b", STATUS("RUNNING", "w", "1"));
}

TEST(status_records_that_are_broken_are_skipped_and_named)
{
    struct sluice_status_log *log = log_new();
    size_t lines = 0, n;
    feed(log, "status-task-a-0", STATUS("RUNNING", "w", "1"));
    char *text = harness_stderr(feed_broken, log);
    for (const char *s = text; (s = strchr(s, '\n')); s++) lines++;
    CHECK_INT(lines, offset - 1);
    CHECK_HAS(text,
              "the record at offset 1 of partition 0 with the key status-task-a-0 is skipped");
    free(text);
    CHECK_STR(known(log, "a", 0), "RUNNING w 1");
    CHECK_STR(changes, "a/0");
    char **block = sluice_status_connectors(log, &n);
    CHECK_STR(names(block, n), "a");
    log_free(log);
}

TEST(status_trace_is_cut)
{
    struct sluice_status_log *log = log_new();
    struct sluice_status status = status_of("FAILED", "w", 1);
    size_t len = (size_t)1 << 20;
    writer.at_once = true;
    status.trace = sluice_xmalloc(len + 1);
    memset(status.trace, 'x', len);
    status.trace[len] = '\0';
    sluice_status_put(log, "a", 0, &status);
    free(status.trace);
    CHECK(strlen(writer.sent[0].value) < ((size_t)256 << 10) + 100);
    feed(log, writer.sent[0].key, writer.sent[0].value);
    CHECK(sluice_status_get(log, "a", 0, &status));
    CHECK_INT(strlen(status.trace), 256 << 10);
    free(status.trace);
    log_free(log);
}
