/* status_log.c - see status_log.h.
 *
 * A row is one key of the topic. It has what was read last, what is under way to Kafka, and what
 * is to be sent after that: one record of a key at a time, so that none overtakes another, and only
 * the newest of those that wait. What the writer gives up is tried again, with growing pauses, by
 * a thread that is started when that happens first.
 *
 * Answers may come when the log is gone already: the log lives until the last one came.
 * Thread: any; one leaf mutex, not held over calls of the writer or of changed(). */
#include "store/status_log.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "data/json_text.h"
#include "store/status_rows.h"

#define KEY_MAX_BYTES ((size_t)64 << 10)
#define VALUE_MAX_BYTES ((size_t)16 << 20)
#define TRACE_MAX_BYTES ((size_t)256 << 10) /* a broker takes 1 MiB; escaping may double it */
#define TASKS_MAX 100000
#define COMPLAINTS_MAX 100
#define RETRY_FIRST_MS 500
#define RETRY_LAST_MS 30000

struct sluice_status_log {
    pthread_mutex_t mutex;
    struct sluice_log_writer *writer;
    char *topic;
    void (*changed)(void *arg, const char *connector, int task);
    void *arg;
    struct sluice_status_rows rows;
    int32_t generation;
    size_t refs; /* the owner, and each record under way */
    bool closed;
    int complaints; /* reader's thread */
    /* what failed and waits for its time */
    pthread_t thread;
    bool thread_runs;
    pthread_cond_t wake; /* monotonic */
    size_t failed;
};

struct ticket { /* of a record under way */
    struct sluice_status_log *log;
    char *connector, *topic;
    int task;
};

static void log_free(struct sluice_status_log *log)
{
    sluice_status_rows_fini(&log->rows);
    pthread_cond_destroy(&log->wake);
    pthread_mutex_destroy(&log->mutex);
    free(log->topic);
    free(log);
}

/* Takes the mutex, which is held, away. */
static void unlock_unref(struct sluice_status_log *log)
{
    assert(log->refs > 0);
    bool last = --log->refs == 0;
    sluice_unlock(&log->mutex);
    if (last) log_free(log);
}

/* ---- sending ---- */

static char *key_of(const char *connector, int task, const char *topic)
{
    if (topic) return sluice_xasprintf("status-topic-%s:connector-%s", topic, connector);
    if (task < 0) return sluice_xasprintf("status-connector-%s", connector);
    return sluice_xasprintf("status-task-%s-%d", connector, task);
}

/* Whether another worker, which knows more, wrote last. */
static bool outranked(const struct sluice_status_row *row, const struct sluice_status_write *write)
{
    return write->safe && row->there && !row->topic && row->status.generation > write->generation &&
           strcmp(row->status.worker_id, write->worker_id) != 0;
}

static void on_written(void *arg, const char *error);

/* Sends what the row has to send, when nothing of it is under way. The mutex is held, and given up
 * meanwhile; the row may be gone afterwards. */
static void send(struct sluice_status_log *log, const char *connector,
                 struct sluice_status_row *row)
{
    if (row->next.waiting && !row->sent.waiting) {
        row->sent = row->next;
        row->next = (struct sluice_status_write){0};
        row->failures = 0;
    }
    if (!row->sent.waiting || log->closed) return;
    struct ticket *ticket = sluice_xmalloc(sizeof *ticket);
    *ticket =
        (struct ticket){log, sluice_xstrdup(connector), sluice_xstrdup(row->topic), row->task};
    char *key = key_of(connector, row->task, row->topic);
    char *value = sluice_xstrdup(row->sent.value);
    log->refs++;
    sluice_unlock(&log->mutex);
    sluice_log_write(log->writer, log->topic, key, strlen(key), value, value ? strlen(value) : 0,
                     on_written, ticket);
    free(key);
    free(value);
    sluice_lock(&log->mutex);
}

/* With the mutex held. Sends all that is due; the ms until the next is, -1: none is. */
static int64_t send_due(struct sluice_status_log *log)
{
    int64_t now = sluice_now_ms(), next = -1;
    for (size_t i = 0; i < log->rows.n; i++)
        for (size_t k = 0; k < log->rows.connectors[i].n; k++) {
            struct sluice_status_row *row = log->rows.connectors[i].rows[k];
            if (row->retry_ms == 0) continue;
            if (row->retry_ms > now) {
                if (next < 0 || row->retry_ms - now < next) next = row->retry_ms - now;
                continue;
            }
            row->retry_ms = 0;
            log->failed--;
            char *connector = sluice_xstrdup(log->rows.connectors[i].name);
            send(log, connector, row); /* rows may have moved: begin again */
            free(connector);
            return 0;
        }
    return next;
}

static void *retry(void *arg)
{
    struct sluice_status_log *log = arg;
    sluice_lock(&log->mutex);
    while (!log->closed) {
        int64_t ms = log->failed ? send_due(log) : -1;
        if (ms == 0 || log->closed) continue;
        int64_t at = sluice_now_ms() + ms;
        struct timespec until = {.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000};
        if (ms < 0) pthread_cond_wait(&log->wake, &log->mutex);
        else pthread_cond_timedwait(&log->wake, &log->mutex, &until);
    }
    sluice_unlock(&log->mutex);
    return NULL;
}

/* With the mutex held. What was sent is to be sent again, unless there is something newer. */
static void on_failed(struct sluice_status_log *log, struct sluice_status_row *row,
                      const struct ticket *ticket, const char *error)
{
    int64_t pause = RETRY_FIRST_MS;
    struct sluice_err err;
    if (row->next.waiting || outranked(row, &row->sent)) {
        sluice_status_write_fini(&row->sent);
        if (row->next.waiting) { /* it has to wait just as well */
            row->sent = row->next;
            row->next = (struct sluice_status_write){0};
        }
    }
    if (!row->sent.waiting) return;
    for (int i = 0; i < row->failures && pause < RETRY_LAST_MS; i++) pause *= 2;
    if (row->failures++ == 0)
        sluice_log(SLUICE_ERROR, ticket->connector, ticket->topic ? -1 : ticket->task,
                   "writing the status to topic %s failed: %s; trying again until it is there",
                   log->topic, error);
    row->retry_ms = sluice_now_ms() + (pause < RETRY_LAST_MS ? pause : RETRY_LAST_MS);
    log->failed++;
    if (!log->thread_runs)
        log->thread_runs = sluice_thread_start(&log->thread, "status-retry", retry, log, &err);
    pthread_cond_signal(&log->wake);
}

static void on_written(void *arg, const char *error)
{
    struct ticket *ticket = arg;
    struct sluice_status_log *log = ticket->log;
    sluice_lock(&log->mutex);
    if (!log->closed) {
        struct sluice_status_row *row =
            sluice_status_rows_find(&log->rows, ticket->connector, ticket->task, ticket->topic);
        assert(row && row->sent.waiting); /* rows with something under way are not pruned */
        if (error) {
            on_failed(log, row, ticket, error);
        } else {
            row->failures = 0;
            sluice_status_write_fini(&row->sent);
            send(log, ticket->connector, row);
        }
        sluice_status_rows_prune(&log->rows, ticket->connector, ticket->task, ticket->topic);
    }
    unlock_unref(log);
    free(ticket->connector);
    free(ticket->topic);
    free(ticket);
}

/* Takes write->value over. */
static void put(struct sluice_status_log *log, const char *connector, int task, const char *topic,
                struct sluice_status_write *write)
{
    sluice_lock(&log->mutex);
    struct sluice_status_row *row = sluice_status_rows_add(&log->rows, connector, task, topic);
    write->waiting = true;
    if (!row) {
        sluice_log(SLUICE_ERROR, connector, task,
                   "its status is not written: topic %s holds too many already", log->topic);
        sluice_status_write_fini(write);
    } else if (outranked(row, write)) {
        sluice_status_write_fini(write);
        sluice_status_rows_prune(&log->rows, connector, task, topic);
    } else if (row->retry_ms != 0) { /* what failed is not under way now: this takes its turn */
        sluice_status_write_fini(&row->sent);
        row->sent = *write;
    } else {
        sluice_status_write_fini(&row->next);
        row->next = *write;
        if (!row->sent.waiting) send(log, connector, row);
    }
    sluice_unlock(&log->mutex);
}

/* ---- what is put ---- */

static void must(bool ok)
{
    assert(ok);
    (void)ok;
}

static void text(struct sluice_buf *buf, const char *name, const char *s, size_t len)
{
    must(sluice_buf_adds(buf, name));
    if (s) must(sluice_json_string(buf, s, len, NULL));
    else must(sluice_buf_adds(buf, "null"));
}

static char *render_status(const struct sluice_status *status)
{
    struct sluice_buf buf;
    size_t trace = status->trace ? strlen(status->trace) : 0;
    if (trace > TRACE_MAX_BYTES) trace = sluice_utf8_cut(status->trace, trace, TRACE_MAX_BYTES);
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    text(&buf, "{\"state\":", status->state, strlen(status->state));
    text(&buf, ",\"trace\":", status->trace, trace);
    text(&buf, ",\"worker_id\":", status->worker_id, strlen(status->worker_id));
    must(sluice_buf_addf(&buf, ",\"generation\":%d", status->generation));
    const char *version = *status->version ? status->version : NULL;
    text(&buf, ",\"version\":", version, version ? strlen(version) : 0);
    must(sluice_buf_adds(&buf, "}"));
    char *value = sluice_xstrdup(sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    return value;
}

static void put_status(struct sluice_status_log *log, const char *connector, int task,
                       const struct sluice_status *status, bool safe)
{
    struct sluice_status_write write = {.safe = safe, .generation = status->generation};
    assert(task >= SLUICE_STATUS_CONNECTOR && task < SLUICE_STATUS_TOPIC && *status->state);
    write.value = render_status(status);
    memcpy(write.worker_id, status->worker_id, sizeof write.worker_id);
    put(log, connector, task, NULL, &write);
}

void sluice_status_put(struct sluice_status_log *log, const char *connector, int task,
                       const struct sluice_status *status)
{
    put_status(log, connector, task, status, false);
}

void sluice_status_put_safe(struct sluice_status_log *log, const char *connector, int task,
                            const struct sluice_status *status)
{
    put_status(log, connector, task, status, true);
}

void sluice_status_delete(struct sluice_status_log *log, const char *connector, int task)
{
    struct sluice_status_write write = {0};
    assert(task >= SLUICE_STATUS_CONNECTOR && task < SLUICE_STATUS_TOPIC);
    put(log, connector, task, NULL, &write);
}

void sluice_status_put_topic(struct sluice_status_log *log, const char *connector, int task,
                             const char *topic)
{
    struct sluice_status_write write = {0};
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    text(&buf, "{\"topic\":{\"name\":", topic, strlen(topic));
    text(&buf, ",\"connector\":", connector, strlen(connector));
    must(sluice_buf_addf(&buf, ",\"task\":%d,\"discoverTimestamp\":%lld}}", task,
                         (long long)sluice_wall_ms()));
    write.value = sluice_xstrdup(sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    put(log, connector, SLUICE_STATUS_TOPIC, topic, &write);
}

void sluice_status_delete_topic(struct sluice_status_log *log, const char *connector,
                                const char *topic)
{
    struct sluice_status_write write = {0};
    put(log, connector, SLUICE_STATUS_TOPIC, topic, &write);
}

/* ---- what is read ---- */

/* A record's key taken apart; the texts are pieces of key. */
struct parsed {
    char *key, *connector, *topic;
    int task;
};

static const char *parse_task_key(struct parsed *p)
{
    char *end, *dash = strrchr(p->connector, '-');
    long id = dash ? strtol(dash + 1, &end, 10) : -1;
    if (!dash || dash == p->connector || dash[1] < '0' || dash[1] > '9' || *end || id > TASKS_MAX)
        return "its key does not end with -<number of a task>";
    *dash = '\0';
    p->task = (int)id;
    return NULL;
}

static const char *parse_topic_key(struct parsed *p)
{
    static const char middle[] = ":connector-";
    char *colon = strchr(p->topic, ':'); /* no topic's name has one */
    if (!colon || colon == p->topic || strncmp(colon, middle, sizeof middle - 1) != 0)
        return "its key is not status-topic-<topic>:connector-<connector>";
    *colon = '\0';
    p->connector = colon + sizeof middle - 1;
    p->task = SLUICE_STATUS_TOPIC;
    return NULL;
}

/* NULL: parsed; else why not. */
static const char *parse_key(const struct sluice_log_record *record, struct parsed *p)
{
    static const char connector[] = "status-connector-", task[] = "status-task-",
                      topic[] = "status-topic-";
    const char *why = NULL;
    if (!record->key) return "it has no key";
    if (record->key_len > KEY_MAX_BYTES) return "its key is longer than 64 KiB";
    if (!sluice_utf8_valid(record->key, record->key_len) ||
        memchr(record->key, '\0', record->key_len))
        return "its key is no text";
    p->key = sluice_xstrndup(record->key, record->key_len);
    p->task = SLUICE_STATUS_CONNECTOR;
    if (strncmp(p->key, connector, sizeof connector - 1) == 0) {
        p->connector = p->key + sizeof connector - 1;
    } else if (strncmp(p->key, task, sizeof task - 1) == 0) {
        p->connector = p->key + sizeof task - 1;
        why = parse_task_key(p);
    } else if (strncmp(p->key, topic, sizeof topic - 1) == 0) {
        p->topic = p->key + sizeof topic - 1;
        why = parse_topic_key(p);
    } else {
        why = "no record of a Connect cluster has such a key";
    }
    if (!why && !*p->connector) why = "its key names no connector";
    return why;
}

static bool copy(char *to, size_t size, const char *from)
{
    if (!from || strlen(from) >= size) return false;
    memcpy(to, from, strlen(from) + 1);
    return true;
}

static bool known_state(const char *state)
{
    static const char *const states[] = {"UNASSIGNED", "RUNNING",    "PAUSED", "FAILED",
                                         "DESTROYED",  "RESTARTING", "STOPPED"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i], state) == 0) return true;
    return false;
}

/* trace is owned by out. */
static const char *parse_status(const json_t *value, struct sluice_status *out)
{
    const json_t *generation = json_object_get(value, "generation");
    const char *trace = json_string_value(json_object_get(value, "trace"));
    const json_t *version = json_object_get(value, "version");
    if (!copy(out->state, sizeof out->state, json_string_value(json_object_get(value, "state"))) ||
        !known_state(out->state))
        return "its state is none of Connect's";
    if (!copy(out->worker_id, sizeof out->worker_id,
              json_string_value(json_object_get(value, "worker_id"))))
        return "its worker_id is no text of at most 279 bytes";
    if (!json_is_integer(generation) || json_integer_value(generation) > INT32_MAX ||
        json_integer_value(generation) < INT32_MIN)
        return "its generation is no 32-bit number";
    out->generation = (int32_t)json_integer_value(generation);
    copy(out->version, sizeof out->version, json_string_value(version)); /* too long: none */
    if (trace) {
        size_t len = sluice_utf8_cut(trace, strlen(trace), TRACE_MAX_BYTES);
        out->trace = sluice_xstrndup(trace, len);
    }
    return NULL;
}

static const char *parse_topic(const json_t *value)
{
    const json_t *topic = json_object_get(value, "topic");
    if (!json_is_string(json_object_get(topic, "name")) ||
        !json_is_string(json_object_get(topic, "connector")))
        return "its value names no topic and connector";
    return NULL;
}

/* NULL: parsed; *there false: tombstone. */
static const char *parse_value(const struct sluice_log_record *record, const struct parsed *p,
                               bool *there, struct sluice_status *status)
{
    json_error_t error;
    const char *why;
    *there = false;
    if (!record->value) return NULL;
    if (record->value_len > VALUE_MAX_BYTES) return "its value is longer than 16 MiB";
    json_t *value = json_loadb(record->value, record->value_len, JSON_DECODE_ANY, &error);
    if (!value) return "its value is no JSON";
    if (json_is_null(value)) return NULL;
    if (!json_is_object(value)) why = "its value is no JSON object";
    else why = p->topic ? parse_topic(value) : parse_status(value, status);
    json_decref(value);
    *there = !why;
    return why;
}

static void complain(struct sluice_status_log *log, const struct sluice_log_record *record,
                     const char *why)
{
    bool shown = record->key && sluice_utf8_valid(record->key, record->key_len);
    if (log->complaints > COMPLAINTS_MAX) return;
    if (log->complaints++ == COMPLAINTS_MAX) {
        sluice_log(SLUICE_WARN, NULL, -1,
                   "status topic %s: further records that are skipped are not logged",
                   record->topic);
        return;
    }
    sluice_log(SLUICE_WARN, NULL, -1,
               "status topic %s: the record at offset %lld of partition %d with the key %.*s is "
               "skipped: %s",
               record->topic, (long long)record->offset, record->partition,
               shown ? (int)sluice_utf8_cut(record->key, record->key_len, 200) : 1,
               shown ? record->key : "?", why);
}

/* A late goodbye of what is somebody else's by now, and of a task that runs again, as with
 * Connect's readers. */
static bool is_late(const struct sluice_status *now, const struct sluice_status *said, bool task)
{
    if (strcmp(said->state, "UNASSIGNED") != 0) return false;
    if (now->generation > said->generation && strcmp(now->worker_id, said->worker_id) != 0)
        return true;
    return task && strcmp(now->state, "RUNNING") == 0 && now->generation >= said->generation;
}

/* With the mutex held. True: it counts. Takes status->trace over. */
static bool apply(struct sluice_status_log *log, const struct parsed *p, bool there,
                  struct sluice_status *status)
{
    struct sluice_status_row *row =
        there ? sluice_status_rows_add(&log->rows, p->connector, p->task, p->topic)
              : sluice_status_rows_find(&log->rows, p->connector, p->task, p->topic);
    bool counts = row && (there || row->there);
    if (counts && there && !p->topic && row->there && is_late(&row->status, status, p->task >= 0))
        counts = false;
    if (!counts) {
        free(status->trace);
        return false;
    }
    if (there && status->generation > log->generation) log->generation = status->generation;
    free(row->status.trace);
    row->status = *status;
    row->there = there;
    sluice_status_rows_prune(&log->rows, p->connector, p->task, p->topic);
    return true;
}

void sluice_status_log_record(void *arg, const struct sluice_log_record *record)
{
    struct sluice_status_log *log = arg;
    struct sluice_status status = {0};
    struct parsed p = {0};
    bool there = false, counts = false;
    const char *why = parse_key(record, &p);
    if (!why) why = parse_value(record, &p, &there, &status);
    if (why) {
        complain(log, record, why);
        free(status.trace);
    } else {
        sluice_lock(&log->mutex);
        counts = apply(log, &p, there, &status);
        sluice_unlock(&log->mutex);
    }
    if (counts && !p.topic && log->changed) log->changed(log->arg, p.connector, p.task);
    free(p.key);
}

/* ---- what is asked ---- */

bool sluice_status_get(struct sluice_status_log *log, const char *connector, int task,
                       struct sluice_status *out)
{
    assert(task >= SLUICE_STATUS_CONNECTOR && task < SLUICE_STATUS_TOPIC);
    sluice_lock(&log->mutex);
    const struct sluice_status_row *row =
        sluice_status_rows_find(&log->rows, connector, task, NULL);
    bool there = row && row->there;
    if (there) {
        *out = row->status;
        out->trace = sluice_xstrdup(row->status.trace);
    }
    sluice_unlock(&log->mutex);
    return there;
}

int *sluice_status_tasks(struct sluice_status_log *log, const char *connector, size_t *n)
{
    *n = 0;
    sluice_lock(&log->mutex);
    const struct sluice_status_connector *found =
        sluice_status_rows_connector(&log->rows, connector);
    int *tasks = sluice_xcalloc((found ? found->n : 0) + 1, sizeof *tasks);
    for (size_t i = 0; found && i < found->n; i++) {
        const struct sluice_status_row *row = found->rows[i];
        if (row->there && !row->topic && row->task >= 0) tasks[(*n)++] = row->task;
    }
    sluice_unlock(&log->mutex);
    return tasks;
}

/* One block of the array and the texts that it points to. */
static char **one_block(const char *const *names, size_t n)
{
    size_t bytes = (n + 1) * sizeof(char *);
    for (size_t i = 0; i < n; i++) bytes += strlen(names[i]) + 1;
    char **block = sluice_xmalloc(bytes), *at = (char *)(block + n + 1);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(names[i]) + 1;
        memcpy(at, names[i], len);
        block[i] = at;
        at += len;
    }
    block[n] = NULL;
    return block;
}

char **sluice_status_connectors(struct sluice_status_log *log, size_t *n)
{
    *n = 0;
    sluice_lock(&log->mutex);
    const char **names = sluice_xcalloc(log->rows.n + 1, sizeof *names);
    for (size_t i = 0; i < log->rows.n; i++) {
        const struct sluice_status_connector *connector = &log->rows.connectors[i];
        bool any = false;
        for (size_t k = 0; !any && k < connector->n; k++)
            any = connector->rows[k]->there && !connector->rows[k]->topic;
        if (any) names[(*n)++] = connector->name;
    }
    char **block = one_block(names, *n);
    sluice_unlock(&log->mutex);
    free(names);
    return block;
}

char **sluice_status_topics(struct sluice_status_log *log, const char *connector, size_t *n)
{
    *n = 0;
    sluice_lock(&log->mutex);
    const struct sluice_status_connector *found =
        sluice_status_rows_connector(&log->rows, connector);
    const char **names = sluice_xcalloc((found ? found->n : 0) + 1, sizeof *names);
    for (size_t i = 0; found && i < found->n; i++)
        if (found->rows[i]->there && found->rows[i]->topic) names[(*n)++] = found->rows[i]->topic;
    char **block = one_block(names, *n);
    sluice_unlock(&log->mutex);
    free(names);
    return block;
}

int32_t sluice_status_generation(struct sluice_status_log *log)
{
    sluice_lock(&log->mutex);
    int32_t generation = log->generation;
    sluice_unlock(&log->mutex);
    return generation;
}

/* ---- life ---- */

struct sluice_status_log *sluice_status_log_new(struct sluice_log_writer *writer, const char *topic,
                                                void (*changed)(void *arg, const char *connector,
                                                                int task),
                                                void *arg)
{
    pthread_condattr_t attr;
    struct sluice_status_log *log = sluice_xcalloc(1, sizeof *log);
    pthread_mutex_init(&log->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&log->wake, &attr);
    pthread_condattr_destroy(&attr);
    log->writer = writer;
    log->topic = sluice_xstrdup(topic);
    log->changed = changed;
    log->arg = arg;
    log->refs = 1;
    return log;
}

void sluice_status_log_free(struct sluice_status_log *log)
{
    if (!log) return;
    sluice_lock(&log->mutex);
    log->closed = true;
    pthread_cond_signal(&log->wake);
    bool runs = log->thread_runs;
    sluice_unlock(&log->mutex);
    if (runs) pthread_join(log->thread, NULL);
    sluice_lock(&log->mutex);
    unlock_unref(log);
}
