/* fake_host.c - see fake_host.h. */
#include "fake_host.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/json_text.h"
#include "data/schema.h"
#include "data/values.h"
#include "plugin/host.h"

#define TEXT_MAX_BYTES ((size_t)64 * 1024 * 1024)

/* To a plugin the task is opaque: here it is the fake itself. */
static struct fake_host *fake_of(const struct sluice_task *task)
{
    assert(task);
    return (struct fake_host *)task;
}

static struct sluice_task *task_of(struct fake_host *fake) { return (struct sluice_task *)fake; }

/* ---- host functions ---- */

static void host_log(struct sluice_task *task, enum sluice_level level, const char *fmt, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    if (!task) return; /* validate() has no task */
    struct fake_host *fake = fake_of(task);
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    assert(n >= 0 && level <= SLUICE_DEBUG);
    sluice_lock(&fake->mutex);
    fake->logs = sluice_xgrow(fake->logs, fake->logs_n, &fake->logs_cap, sizeof(*fake->logs));
    fake->logs[fake->logs_n++] = sluice_xasprintf("%s: %s", names[level], text);
    sluice_unlock(&fake->mutex);
    free(text);
}

static const char *host_connector(const struct sluice_task *task)
{
    return fake_of(task)->connector;
}

static int host_task_id(const struct sluice_task *task) { return fake_of(task)->task_id; }
static int host_wake_fd(struct sluice_task *task) { return fake_of(task)->wake.fd; }

static void host_trouble(struct sluice_task *task, const char *what)
{
    struct fake_host *fake = fake_of(task);
    if (what && !(fake->trouble && strcmp(fake->trouble, what) == 0)) fake->troubles++;
    char *copy = sluice_xstrdup(what);
    free(fake->trouble);
    fake->trouble = copy;
}

static uint32_t host_partition(struct sluice_task *task, const struct sluice_value *map)
{
    struct fake_host *fake = fake_of(task);
    assert(map->type == SLUICE_MAP);
    for (size_t i = 0; i < fake->partitions_n; i++) {
        if (sluice_value_equal(&fake->partitions[i].map, map)) return (uint32_t)i;
    }
    fake->partitions = sluice_xgrow(fake->partitions, fake->partitions_n, &fake->partitions_cap,
                                    sizeof(*fake->partitions));
    struct fake_partition *partition = &fake->partitions[fake->partitions_n];
    memset(partition, 0, sizeof(*partition));
    partition->map = sluice_value_copy(&fake->arena, map);
    return (uint32_t)fake->partitions_n++;
}

static const struct sluice_value *host_resume(struct sluice_task *task, uint32_t partition)
{
    struct fake_host *fake = fake_of(task);
    assert(partition < fake->partitions_n);
    if (!fake->partitions[partition].has_offset) return NULL;
    struct sluice_value *offset = sluice_arena_alloc(&fake->arena, sizeof(*offset));
    *offset = fake->partitions[partition].offset;
    return offset;
}

static void host_done(struct sluice_task *task, const uint64_t *seqs, size_t n)
{
    struct fake_host *fake = fake_of(task);
    for (size_t i = 0; i < n; i++) {
        fake->done = sluice_xgrow(fake->done, fake->done_n, &fake->done_cap, sizeof(*fake->done));
        fake->done[fake->done_n++] = seqs[i];
    }
}

static enum sluice_verdict host_reject(struct sluice_task *task, uint64_t seq, const char *why,
                                       struct sluice_err *err)
{
    struct fake_host *fake = fake_of(task);
    fake->rejects =
        sluice_xgrow(fake->rejects, fake->rejects_n, &fake->rejects_cap, sizeof(*fake->rejects));
    fake->rejects[fake->rejects_n].seq = seq;
    fake->rejects[fake->rejects_n].why = sluice_xstrdup(why);
    fake->rejects_n++;
    return fake->reject_fails ? sluice_fail(err, "%s", why) : SLUICE_OK;
}

static bool host_marks(struct sluice_task *task) { return fake_of(task)->marks; }

static void host_metrics(struct sluice_task *task, const struct sluice_metric *list, size_t n)
{
    struct fake_host *fake = fake_of(task);
    fake->metrics_n = 0;
    for (size_t i = 0; i < n; i++) {
        struct sluice_buf text;
        sluice_buf_init(&text, 4096);
        sluice_buf_addf(&text, "%s", list[i].name);
        for (size_t k = 0; k < list[i].labels_n; k++)
            sluice_buf_addf(&text, "%s%s=%s", k ? "," : "{", list[i].labels[k].key,
                            list[i].labels[k].value);
        if (list[i].labels_n) sluice_buf_addf(&text, "}");
        if (fake->metrics_n == sizeof(fake->metrics) / sizeof(*fake->metrics)) abort();
        struct fake_metric *metric = &fake->metrics[fake->metrics_n++];
        snprintf(metric->name, sizeof(metric->name), "%s", sluice_buf_str(&text));
        metric->value = list[i].value;
        sluice_buf_fini(&text);
    }
}

static void host_progress(struct sluice_task *task, const struct sluice_progress *list, size_t n)
{
    struct fake_host *fake = fake_of(task);
    if (n > sizeof(fake->progress) / sizeof(*fake->progress)) abort();
    fake->progress_n = n;
    for (size_t i = 0; i < n; i++) {
        fake->progress[i] = list[i];
        fake->progress[i].part = fake->progress[i].unit = NULL;
    }
}

static struct sluice_reader *host_reader_open(struct sluice_task *task, const char *topic,
                                              const struct sluice_label *settings, size_t n,
                                              struct sluice_err *err)
{
    struct fake_host *fake = fake_of(task);
    (void)err;
    fake->read_topic = sluice_arena_strndup(&fake->arena, topic, strlen(topic));
    for (size_t i = 0; i < n; i++)
        sluice_map_set(&fake->read_with, settings[i].key, settings[i].value);
    fake->messages_at = fake->messages_committed;
    return (struct sluice_reader *)fake;
}

static enum sluice_verdict host_reader_next(struct sluice_reader *reader,
                                            struct sluice_read_message *out, struct sluice_err *err)
{
    struct fake_host *fake = (struct fake_host *)reader;
    (void)err;
    if (fake->messages_at == fake->messages_n) return SLUICE_RETRY;
    const struct fake_message *m = &fake->messages[fake->messages_at];
    *out = (struct sluice_read_message){.size = sizeof(*out),
                                        .offset = (int64_t)fake->messages_at++,
                                        .key = m->key,
                                        .key_len = m->key ? strlen(m->key) : 0,
                                        .value = m->value,
                                        .value_len = m->value ? strlen(m->value) : 0};
    return SLUICE_OK;
}

static void host_reader_commit(struct sluice_reader *reader, int32_t partition, int64_t offset)
{
    struct fake_host *fake = (struct fake_host *)reader;
    (void)partition;
    fake->messages_committed = (size_t)offset + 1;
}

static void host_reader_close(struct sluice_reader *reader) { (void)reader; }

void fake_message(struct fake_host *fake, const char *key, const char *value)
{
    if (fake->messages_n == sizeof(fake->messages) / sizeof(*fake->messages)) abort();
    struct fake_message *m = &fake->messages[fake->messages_n++];
    m->key = key ? sluice_arena_strndup(&fake->arena, key, strlen(key)) : NULL;
    m->value = value ? sluice_arena_strndup(&fake->arena, value, strlen(value)) : NULL;
}

double fake_metric(const struct fake_host *fake, const char *name)
{
    for (size_t i = 0; i < fake->metrics_n; i++)
        if (!strcmp(fake->metrics[i].name, name)) return fake->metrics[i].value;
    return -1;
}

/* ---- life ---- */

void fake_init(struct fake_host *fake, const struct sluice_plugin *plugin, ...)
{
    memset(fake, 0, sizeof(*fake));
    fake->host = sluice_host_base();
    fake->host.log = host_log;
    fake->host.connector = host_connector;
    fake->host.task_id = host_task_id;
    fake->host.wake_fd = host_wake_fd;
    fake->host.trouble = host_trouble;
    fake->host.partition = host_partition;
    fake->host.resume = host_resume;
    fake->host.done = host_done;
    fake->host.reject = host_reject;
    fake->host.marks_boundaries = host_marks;
    fake->host.metrics = host_metrics;
    fake->host.reader_open = host_reader_open;
    fake->host.reader_next = host_reader_next;
    fake->host.reader_commit = host_reader_commit;
    fake->host.reader_close = host_reader_close;
    fake->host.progress = host_progress;
    fake->plugin = plugin;
    fake->connector = "fake";
    fake->room_records = 10000;
    fake->room_bytes = (size_t)16 * 1024 * 1024;
    fake->next_seq = 1;
    pthread_mutex_init(&fake->mutex, NULL);
    sluice_wake_init(&fake->wake);
    sluice_batch_init(&fake->batch);
    sluice_batch_init(&fake->input);
    sluice_arena_init(&fake->arena, 0);
    va_list ap;
    va_start(ap, plugin);
    for (const char *key; (key = va_arg(ap, const char *));) {
        sluice_map_set(&fake->config, key, va_arg(ap, const char *));
    }
    va_end(ap);
}

void fake_fini(struct fake_host *fake)
{
    fake_close(fake);
    fake_clear(fake);
    for (size_t i = 0; i < fake->held_n; i++) sluice_schema_free(fake->held[i]);
    for (size_t i = 0; i < fake->logs_n; i++) free(fake->logs[i]);
    for (size_t i = 0; i < fake->rejects_n; i++) free(fake->rejects[i].why);
    free(fake->held);
    free(fake->logs);
    free(fake->rejects);
    free(fake->records);
    free(fake->done);
    free(fake->partitions);
    free(fake->trouble);
    sluice_batch_fini(&fake->batch);
    sluice_batch_fini(&fake->input);
    sluice_arena_fini(&fake->arena);
    sluice_map_fini(&fake->config);
    sluice_map_fini(&fake->read_with);
    sluice_wake_fini(&fake->wake);
    pthread_mutex_destroy(&fake->mutex);
}

void fake_set(struct fake_host *fake, const char *key, const char *value)
{
    sluice_map_set(&fake->config, key, value);
}

void fake_configure(struct fake_host *fake, const char *text)
{
    if (strcmp(text, "-") == 0) return;
    char *copy = sluice_xstrdup(text);
    for (char *at = copy; at && *at;) {
        char *next = strchr(at, ';'), *value = strchr(at, '=');
        if (next) *next++ = '\0';
        assert(value); /* else a pair without = */
        *value++ = '\0';
        fake_set(fake, at, value);
        at = next;
    }
    free(copy);
}

static struct sluice_value parse(struct fake_host *fake, const char *json)
{
    struct sluice_batch batch;
    struct sluice_value value = sluice_null();
    struct sluice_err err = {0};
    sluice_batch_init(&batch);
    bool ok = sluice_json_parse(&batch, json, strlen(json), &value, NULL, &err);
    if (!ok) fprintf(stderr, "fake_resume: %s: %s\n", json, err.msg);
    assert(ok && value.type == SLUICE_MAP);
    value = sluice_value_copy(&fake->arena, &value);
    sluice_batch_fini(&batch);
    return value;
}

void fake_resume(struct fake_host *fake, const char *partition, const char *offset)
{
    struct sluice_value map = parse(fake, partition);
    uint32_t number = host_partition(task_of(fake), &map); /* may move the table */
    struct fake_partition *entry = &fake->partitions[number];
    entry->has_offset = offset != NULL;
    if (offset) entry->offset = parse(fake, offset);
}

enum sluice_verdict fake_open(struct fake_host *fake)
{
    assert(!fake->conf);
    fake->err.msg[0] = '\0';
    fake->conf = sluice_conf_new(fake->plugin, &fake->config, "", &fake->err);
    if (!fake->conf) return SLUICE_FAIL;
    return fake->plugin->open(task_of(fake), &fake->host, fake->conf, &fake->self, &fake->err);
}

void fake_close(struct fake_host *fake)
{
    if (!fake->conf) return;
    fake->plugin->close(fake->self);
    fake->self = NULL;
    sluice_conf_free(fake->conf);
    fake->conf = NULL;
}

/* ---- source ---- */

static void hold(struct fake_host *fake, const struct sluice_schema *schema)
{
    if (!schema) return;
    fake->held = sluice_xgrow(fake->held, fake->held_n, &fake->held_cap, sizeof(*fake->held));
    fake->held[fake->held_n++] = sluice_schema_hold(schema);
}

static void keep_record(struct fake_host *fake, const struct sluice_record *from)
{
    fake->records = sluice_xgrow(fake->records, fake->n, &fake->cap, sizeof(*fake->records));
    struct sluice_record *rec = &fake->records[fake->n++];
    *rec = *from;
    if (from->topic)
        rec->topic = sluice_arena_strndup(&fake->arena, from->topic, strlen(from->topic));
    hold(fake, from->key_schema);
    hold(fake, from->value_schema);
    rec->key = sluice_value_copy(&fake->arena, &from->key);
    rec->value = sluice_value_copy(&fake->arena, &from->value);
    assert(from->position_len <= 256);
    if (from->position_len) {
        rec->position = sluice_arena_strndup(&fake->arena, from->position, from->position_len);
    }
    struct sluice_header *headers =
        sluice_arena_alloc(&fake->arena, from->headers_len * sizeof(*headers));
    for (uint32_t i = 0; i < from->headers_len; i++) {
        const struct sluice_header *header = &from->headers[i];
        headers[i].key = sluice_arena_strndup(&fake->arena, header->key, strlen(header->key));
        headers[i].schema = header->schema;
        headers[i].value = sluice_value_copy(&fake->arena, &header->value);
        hold(fake, header->schema);
    }
    rec->headers = headers;
}

enum sluice_verdict fake_poll(struct fake_host *fake, int wait_ms)
{
    assert(fake->conf && fake->plugin->source);
    struct sluice_room room = {.size = sizeof(room),
                               .wait_ms = wait_ms,
                               .records = fake->room_records,
                               .bytes = fake->room_bytes};
    enum sluice_verdict verdict =
        fake->plugin->source->poll(fake->self, &fake->batch, &room, &fake->err);
    assert(fake->batch.n <= room.records); /* else the plugin ignores its room */
    for (size_t i = 0; i < fake->batch.n; i++) keep_record(fake, &fake->batch.records[i]);
    sluice_batch_reset(&fake->batch);
    return verdict;
}

bool fake_poll_until(struct fake_host *fake, size_t n, int timeout_ms)
{
    int64_t deadline = sluice_now_ms() + timeout_ms;
    while (fake->n < n) {
        int64_t left = deadline - sluice_now_ms();
        if (left <= 0) return false;
        enum sluice_verdict verdict = fake_poll(fake, left > 100 ? 100 : (int)left);
        if (verdict == SLUICE_FAIL) return false;
        if (verdict == SLUICE_RETRY) {
            nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
        }
    }
    return true;
}

void fake_clear(struct fake_host *fake) { fake->n = 0; }

/* The offset map for the position, copied; false: failed (err). */
static bool get_offset(struct fake_host *fake, const struct sluice_record *rec,
                       struct sluice_value *offset)
{
    struct sluice_batch scratch;
    sluice_batch_init(&scratch);
    *offset = sluice_null();
    enum sluice_verdict verdict = fake->plugin->source->offset(
        fake->self, rec->position, rec->position_len, &scratch, offset, &fake->err);
    *offset = sluice_value_copy(&fake->arena, offset);
    sluice_batch_fini(&scratch);
    return verdict == SLUICE_OK && offset->type == SLUICE_MAP;
}

const char *fake_offset(struct fake_host *fake, const struct sluice_record *rec)
{
    struct sluice_value offset;
    return get_offset(fake, rec, &offset) ? fake_text(fake, NULL, &offset) : NULL;
}

enum sluice_verdict fake_ack(struct fake_host *fake, const struct sluice_record *rec)
{
    struct sluice_value offset;
    if (!get_offset(fake, rec, &offset)) return SLUICE_FAIL;
    assert(rec->source_partition < fake->partitions_n);
    fake->partitions[rec->source_partition].offset = offset;
    fake->partitions[rec->source_partition].has_offset = true;
    if (!fake->plugin->source->acked) return SLUICE_OK;
    return fake->plugin->source->acked(fake->self, rec->source_partition, rec->position,
                                       rec->position_len, &fake->err);
}

/* ---- sink ---- */

struct sluice_record *fake_give(struct fake_host *fake, const char *topic, int32_t partition,
                                int64_t offset)
{
    struct sluice_record *rec = sluice_batch_append(&fake->input);
    rec->topic = sluice_arena_strndup(&fake->input.arena, topic, strlen(topic));
    rec->partition = partition;
    rec->offset = offset;
    rec->timestamp_ms = 0;
    rec->seq = fake->next_seq++;
    return rec;
}

enum sluice_verdict fake_put(struct fake_host *fake)
{
    assert(fake->conf && fake->plugin->sink);
    enum sluice_verdict verdict =
        fake->plugin->sink->put(fake->self, fake->input.records, fake->input.n, &fake->err);
    if (verdict != SLUICE_RETRY) sluice_batch_reset(&fake->input);
    return verdict;
}

enum sluice_verdict fake_work(struct fake_host *fake, int wait_ms)
{
    assert(fake->conf && fake->plugin->sink);
    if (!fake->plugin->sink->work) return SLUICE_OK;
    return fake->plugin->sink->work(fake->self, wait_ms, &fake->err);
}

enum sluice_verdict fake_flush(struct fake_host *fake, int timeout_ms)
{
    int64_t deadline = sluice_now_ms() + timeout_ms;
    for (;;) {
        enum sluice_verdict verdict = fake->plugin->sink->flush(fake->self, &fake->err);
        if (verdict == SLUICE_OK) {
            for (uint64_t seq = 1; seq < fake->next_seq; seq++) {
                if (!fake_is_done(fake, seq) && !fake_rejected(fake, seq)) {
                    host_done(task_of(fake), &seq, 1);
                }
            }
        }
        if (verdict != SLUICE_RETRY || sluice_now_ms() >= deadline) return verdict;
        if (!fake->plugin->sink->work) {
            nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
        } else if ((verdict = fake_work(fake, 50)) == SLUICE_FAIL) {
            return verdict;
        }
    }
}

bool fake_is_done(const struct fake_host *fake, uint64_t seq)
{
    for (size_t i = 0; i < fake->done_n; i++) {
        if (fake->done[i] == seq) return true;
    }
    return false;
}

const char *fake_rejected(const struct fake_host *fake, uint64_t seq)
{
    for (size_t i = 0; i < fake->rejects_n; i++) {
        if (fake->rejects[i].seq == seq) return fake->rejects[i].why;
    }
    return NULL;
}

/* ---- looking ---- */

bool fake_logged(struct fake_host *fake, const char *piece)
{
    bool found = false;
    sluice_lock(&fake->mutex);
    for (size_t i = 0; i < fake->logs_n && !found; i++) {
        found = strstr(fake->logs[i], piece) != NULL;
    }
    sluice_unlock(&fake->mutex);
    return found;
}

static void write_value(struct sluice_buf *buf, const struct sluice_schema *schema,
                        const struct sluice_value *value);

static void write_double(struct sluice_buf *buf, double d)
{
    char text[64];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, d);
        if (strtod(text, NULL) == d) break;
    }
    sluice_buf_adds(buf, text);
}

static void write_children(struct sluice_buf *buf, const struct sluice_schema *schema,
                           const struct sluice_value *value)
{
    bool array = value->type == SLUICE_ARRAY;
    sluice_buf_adds(buf, array ? "[" : "{");
    for (uint32_t i = 0; i < value->len; i++) {
        if (i) sluice_buf_adds(buf, ",");
        if (array) {
            write_value(buf, schema ? schema->elem : NULL, &value->u.v[i]);
        } else if (value->type == SLUICE_MAP) {
            write_value(buf, schema ? schema->key : NULL, &value->u.v[2 * i]);
            sluice_buf_adds(buf, ":");
            write_value(buf, schema ? schema->elem : NULL, &value->u.v[2 * i + 1]);
        } else {
            assert(schema && schema->type == SLUICE_STRUCT && schema->fields_len == value->len);
            sluice_buf_addf(buf, "%s:", schema->fields[i].name);
            write_value(buf, schema->fields[i].schema, &value->u.v[i]);
        }
    }
    sluice_buf_adds(buf, array ? "]" : "}");
}

static void write_value(struct sluice_buf *buf, const struct sluice_schema *schema,
                        const struct sluice_value *value)
{
    /* A value that does not fit its schema is a bug of who made it. */
    assert(!schema || value->type == schema->type ||
           (value->type == SLUICE_NULL && schema->optional));
    switch (value->type) {
    case SLUICE_NULL: sluice_buf_adds(buf, "null"); break;
    case SLUICE_BOOLEAN: sluice_buf_adds(buf, value->u.i ? "true" : "false"); break;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64: write_double(buf, value->u.d); break;
    case SLUICE_STRING: sluice_buf_addf(buf, "\"%.*s\"", (int)value->len, value->u.s); break;
    case SLUICE_BYTES:
        sluice_buf_adds(buf, "x'");
        for (uint32_t i = 0; i < value->len; i++) {
            sluice_buf_addf(buf, "%02x", (unsigned char)value->u.s[i]);
        }
        sluice_buf_adds(buf, "'");
        break;
    case SLUICE_ARRAY:
    case SLUICE_MAP:
    case SLUICE_STRUCT: write_children(buf, schema, value); break;
    default: sluice_buf_addf(buf, "%lld", (long long)value->u.i); break;
    }
}

const char *fake_text(struct fake_host *fake, const struct sluice_schema *schema,
                      const struct sluice_value *value)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, TEXT_MAX_BYTES);
    write_value(&buf, schema, value);
    char *text = sluice_arena_strndup(&fake->arena, sluice_buf_str(&buf), buf.len);
    sluice_buf_fini(&buf);
    return text;
}

/* ---- waking ---- */

struct waker {
    struct fake_host *fake;
    int ms;
};

static void *wake_later(void *arg)
{
    struct waker *waker = arg;
    nanosleep(&(struct timespec){.tv_sec = waker->ms / 1000,
                                 .tv_nsec = (long)(waker->ms % 1000) * 1000000},
              NULL);
    sluice_wake_up(&waker->fake->wake);
    free(waker);
    return NULL;
}

void fake_wake_after(struct fake_host *fake, int ms, pthread_t *thread)
{
    struct waker *waker = sluice_xmalloc(sizeof(*waker));
    *waker = (struct waker){fake, ms};
    int rc = pthread_create(thread, NULL, wake_later, waker);
    assert(rc == 0);
    (void)rc;
}

void fake_wake_join(struct fake_host *fake, pthread_t thread)
{
    pthread_join(thread, NULL);
    sluice_wake_clear(&fake->wake);
}
