/* task.c - a task's life and what the host lends it; the loops are source_task.c and sink_task.c.
 * */
#include "worker/task.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/gauges.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/secret.h"
#include "kafka/reader.h"
#include "plugin/host.h"
#include "worker/class_metrics.h"
#include "worker/task_impl.h"

#define OPEN_BACKOFF_FIRST_MS 500
#define OPEN_BACKOFF_MAX_MS 10000

const char *sluice_state_name(enum sluice_state state)
{
    static const char *const names[] = {"UNASSIGNED", "RUNNING", "PAUSED",
                                        "STOPPED",    "FAILED",  "RESTARTING"};
    assert(state <= SLUICE_RESTARTING);
    return names[state];
}

/* ---- status: the one thing that others read ---- */

static void set_status(struct sluice_task *task, enum sluice_state state, const char *trace)
{
    char shown[sizeof task->status.trace];
    snprintf(shown, sizeof shown, "%s", trace);
    sluice_secret_hide(shown, sizeof shown);
    sluice_lock(&task->mutex);
    bool same = task->status.state == state && strcmp(task->status.trace, shown) == 0;
    int64_t now = sluice_now_ms();
    task->state_ms[task->status.state] += now - task->state_since_ms;
    task->state_since_ms = now;
    task->status.state = state;
    memcpy(task->status.trace, shown, sizeof shown);
    sluice_unlock(&task->mutex);
    if (!same && task->changed) task->changed(task->changed_arg, task);
}

void sluice_task_state(struct sluice_task *task, enum sluice_state state)
{
    char trace[sizeof task->status.trace];
    if (task->status.state == state) return; /* only this thread writes it */
    memcpy(trace, task->status.trace, sizeof trace);
    sluice_log(SLUICE_INFO, task->connector, task->id, "task is %s", sluice_state_name(state));
    set_status(task, state, trace);
}

/* "<what> (since <time>)" of all, one line each. */
static void show_troubles(struct sluice_task *task)
{
    const struct sluice_trouble *all[] = {&task->kafka_trouble, &task->trouble,
                                          &task->retry_trouble};
    char trace[sizeof task->status.trace] = "", when[25];
    size_t len = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i]->text[0]) continue;
        sluice_wall_text(all[i]->since_ms, when);
        int n = snprintf(trace + len, sizeof trace - len, "%s%s (since %s)", len ? "\n" : "",
                         all[i]->text, when);
        assert(n > 0);
        len += (size_t)n < sizeof trace - len ? (size_t)n : sizeof trace - len - 1;
    }
    set_status(task, task->status.state, trace);
}

static void change_trouble(struct sluice_task *task, struct sluice_trouble *trouble,
                           const char *what)
{
    char text[sizeof trouble->text];
    snprintf(text, sizeof text, "%s", what ? what : "");
    if (strcmp(trouble->text, text) == 0) return;
    if (text[0]) sluice_log(SLUICE_WARN, task->connector, task->id, "%s", text);
    else sluice_log(SLUICE_INFO, task->connector, task->id, "recovered from: %s", trouble->text);
    if (!trouble->text[0]) trouble->since_ms = sluice_wall_ms();
    memcpy(trouble->text, text, sizeof text);
    show_troubles(task);
}

void sluice_task_trouble(struct sluice_task *task, const char *what)
{
    change_trouble(task, &task->trouble, what);
}

void sluice_task_retrying(struct sluice_task *task, const char *what)
{
    change_trouble(task, &task->retry_trouble, what);
}

void sluice_task_kafka(struct sluice_task *task, bool down, const char *what)
{
    if (down == (task->kafka_trouble.text[0] != '\0')) return; /* its first words stay */
    change_trouble(task, &task->kafka_trouble, down ? what : NULL);
}

void sluice_task_pause_ms(struct sluice_task *task, int64_t ms)
{
    for (int64_t until = sluice_now_ms() + ms; !sluice_task_stopping(task);) {
        int64_t left = until - sluice_now_ms();
        if (left <= 0) break;
        if (sluice_wake_wait(task->wake, left)) sluice_wake_clear(task->wake);
    }
}

void sluice_task_status(struct sluice_task *task, struct sluice_task_status *out)
{
    sluice_lock(&task->mutex);
    *out = task->status;
    sluice_unlock(&task->mutex);
}

void sluice_task_counters(struct sluice_task *task, struct sluice_task_counters *out)
{
    struct sluice_counters *c = &task->count;
    out->polled = atomic_load(&c->polled);
    out->written = atomic_load(&c->written);
    out->bytes = atomic_load(&c->bytes);
    out->filtered = atomic_load(&c->filtered);
    out->skipped = atomic_load(&c->skipped);
    out->failed = atomic_load(&c->failed);
    out->errors = atomic_load(&c->errors);
    out->logged = atomic_load(&c->logged);
    out->dead_letter_failures = atomic_load(&c->dead_letter_failures);
    out->last_error_ms = atomic_load(&c->last_error_ms);
    out->retries = atomic_load(&c->retries);
    out->in_flight = atomic_load(&c->in_flight);
    out->lag = atomic_load(&c->lag);
    out->commits = atomic_load(&c->commits);
    out->dead_lettered = atomic_load(&c->dead_lettered);
    out->batches = atomic_load(&c->batches);
    out->batch_us = atomic_load(&c->batch_us);
    out->batch_max_us = atomic_load(&c->batch_max_us);
    out->batch_max_records = atomic_load(&c->batch_max_records);
    out->commit_failures = atomic_load(&c->commit_failures);
    out->commit_skips = atomic_load(&c->commit_skips);
    out->commit_us = atomic_load(&c->commit_us);
    out->commit_max_us = atomic_load(&c->commit_max_us);
    out->partitions = atomic_load(&c->partitions);
    out->in_flight_sum = atomic_load(&c->in_flight_sum);
    out->in_flight_max = atomic_load(&c->in_flight_max);
    out->txns = atomic_load(&c->txns);
    out->txn_records = atomic_load(&c->txn_records);
    out->txn_min_records = atomic_load(&c->txn_min_records);
    out->txn_max_records = atomic_load(&c->txn_max_records);
    sluice_lock(&task->mutex);
    int64_t now = sluice_now_ms(), here = now - task->state_since_ms;
    enum sluice_state state = task->status.state;
    out->age_ms = (uint64_t)(now - task->made_ms);
    out->running_ms = (uint64_t)(task->state_ms[SLUICE_RUNNING] + (state == SLUICE_RUNNING) * here);
    out->paused_ms = (uint64_t)(task->state_ms[SLUICE_PAUSED] + (state == SLUICE_PAUSED) * here);
    sluice_unlock(&task->mutex);
}

/* Only the task's thread raises them. */
static void raise_to(_Atomic uint64_t *most, uint64_t value)
{
    if (value > atomic_load_explicit(most, memory_order_relaxed))
        atomic_store_explicit(most, value, memory_order_relaxed);
}

void sluice_task_batch(struct sluice_task *task, int64_t begun_us, size_t n)
{
    if (n == 0) return;
    uint64_t us = (uint64_t)(sluice_now_us() - begun_us);
    sluice_count(&task->count.batches, 1);
    sluice_count(&task->count.batch_us, us);
    raise_to(&task->count.batch_max_us, us);
    raise_to(&task->count.batch_max_records, n);
    uint64_t in_flight = atomic_load_explicit(&task->count.in_flight, memory_order_relaxed);
    sluice_count(&task->count.in_flight_sum, in_flight);
    raise_to(&task->count.in_flight_max, in_flight);
}

void sluice_task_commit(struct sluice_task *task, int64_t begun_us, bool ok)
{
    uint64_t us = (uint64_t)(sluice_now_us() - begun_us);
    assert(begun_us > 0);
    sluice_count(ok ? &task->count.commits : &task->count.commit_failures, 1);
    sluice_count(&task->count.commit_us, us);
    raise_to(&task->count.commit_max_us, us);
}

void sluice_task_transaction(struct sluice_task *task, uint64_t n)
{
    uint64_t least = atomic_load_explicit(&task->count.txn_min_records, memory_order_relaxed);
    if (n == 0) return; /* offsets alone */
    sluice_count(&task->count.txns, 1);
    sluice_count(&task->count.txn_records, n);
    if (least == 0 || n < least) atomic_store(&task->count.txn_min_records, n);
    raise_to(&task->count.txn_max_records, n);
}

/* ---- host functions that need a task ---- */

static void host_log(struct sluice_task *task, enum sluice_level level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    sluice_vlog(level, task ? task->connector : NULL, task ? task->id : -1, fmt, ap);
    va_end(ap);
}

static const char *host_connector(const struct sluice_task *task) { return task->connector; }

static int host_task_id(const struct sluice_task *task) { return task->id; }

static int host_wake_fd(struct sluice_task *task) { return task->wake->fd; }

static void host_metrics(struct sluice_task *task, const struct sluice_metric *list, size_t n)
{
    sluice_gauges_set(task, task->connector, task->id, list, n);
}

static void host_progress(struct sluice_task *task, const struct sluice_progress *list, size_t n)
{
    sluice_progress_set(task, task->connector, task->id, list, n);
}

static struct sluice_reader *host_reader_open(struct sluice_task *task, const char *topic,
                                              const struct sluice_label *settings, size_t n,
                                              struct sluice_err *err)
{
    return sluice_reader_open(sluice_worker_props(task->worker), task->connector, topic, settings,
                              n, task->wake->fd, err);
}

static const struct sluice_host *task_host(void)
{
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    static struct sluice_host host;
    static bool ready;
    sluice_lock(&once);
    if (!ready) {
        host = sluice_host_base();
        host.log = host_log;
        host.connector = host_connector;
        host.task_id = host_task_id;
        host.wake_fd = host_wake_fd;
        host.trouble = sluice_task_trouble;
        host.partition = sluice_source_partition;
        host.resume = sluice_source_resume;
        host.done = sluice_sink_done;
        host.reject = sluice_sink_reject;
        host.marks_boundaries = sluice_source_marks;
        host.metrics = host_metrics;
        host.reader_open = host_reader_open;
        host.reader_next = sluice_reader_next;
        host.reader_commit = sluice_reader_commit;
        host.reader_close = sluice_reader_close;
        host.progress = host_progress;
        ready = true;
    }
    sluice_unlock(&once);
    return &host;
}

/* ---- opening and closing, on the task's thread ---- */

static bool read_framework(struct sluice_task *task, struct sluice_err *err)
{
    struct sluice_plugin common = {.size = sizeof common,
                                   .option_size = sizeof(struct sluice_option),
                                   .name = task->connector,
                                   .options = sluice_connector_options(task->plugin->kind)};
    task->framework = sluice_conf_new(&common, &task->config, "", err);
    if (!task->framework) return false;
    struct sluice_errors *e = &task->errors;
    const struct sluice_conf *conf = task->framework;
    e->tolerate = strcmp(sluice_conf_str(conf, "errors.tolerance"), "all") == 0;
    e->log = sluice_conf_flag(conf, "errors.log.enable");
    e->log_messages = sluice_conf_flag(conf, "errors.log.include.messages");
    e->retry_timeout_ms = sluice_conf_num(conf, "errors.retry.timeout");
    e->retry_delay_max_ms = sluice_conf_num(conf, "errors.retry.delay.max.ms");
    e->random = (uint64_t)sluice_wall_us() ^ (uintptr_t)task;
    if (task->plugin->kind != SLUICE_KIND_SINK) return true;
    const char *topic = sluice_conf_str(conf, "errors.deadletterqueue.topic.name");
    e->dead_letter_topic = topic && *topic ? topic : NULL;
    e->dead_letter_replication =
        (int)sluice_conf_num(conf, "errors.deadletterqueue.topic.replication.factor");
    e->context_headers = sluice_conf_flag(conf, "errors.deadletterqueue.context.headers.enable");
    return true;
}

/* The config as it counts: with the values of config providers, which never leave the task. */
static bool resolve(struct sluice_task *task, struct sluice_err *err)
{
    struct sluice_map resolved = {0};
    struct sluice_report report = {0};
    bool ok = sluice_variables_resolve(sluice_worker_variables(task->worker), &task->config,
                                       &resolved, NULL, &report);
    if (!ok) sluice_err_set(err, "%s", report.items[0].message);
    sluice_map_fini(&task->config);
    task->config = resolved;
    sluice_report_fini(&report);
    return ok;
}

static bool open_parts(struct sluice_task *task, struct sluice_err *err)
{
    if (!resolve(task, err)) return false;
    if (!read_framework(task, err)) return false;
    task->conf = sluice_conf_new(task->plugin, &task->config, "", err);
    if (!task->conf) return false;
    sluice_conf_warn(task->conf, task->connector, sluice_connector_key);
    if (!sluice_pipeline_open(&task->pipe, sluice_worker_registry(task->worker), task->host, task,
                              sluice_worker_props(task->worker), &task->config, err))
        return false;
    sluice_class_metrics_set(task);
    return true;
}

/* Opens the plugin, again and again while it says RETRY. */
enum sluice_verdict sluice_task_open(struct sluice_task *task, struct sluice_err *err)
{
    struct sluice_backoff backoff;
    sluice_backoff_init(&backoff, OPEN_BACKOFF_FIRST_MS, OPEN_BACKOFF_MAX_MS);
    while (!sluice_task_stopping(task)) {
        err->msg[0] = '\0';
        enum sluice_verdict v = task->plugin->open(task, task->host, task->conf, &task->self, err);
        if (v != SLUICE_RETRY) return v;
        task->plugin->close(task->self);
        task->self = NULL;
        sluice_count(&task->count.retries, 1);
        int64_t wait = sluice_backoff_next(&backoff);
        char text[sizeof err->msg + 64];
        snprintf(text, sizeof text, "%s; trying again", err->msg);
        sluice_task_trouble(task, text);
        sluice_task_pause_ms(task, wait);
    }
    return SLUICE_RETRY; /* stopped before it was open */
}

void sluice_task_close(struct sluice_task *task)
{
    assert(!task->self); /* the loops close the plugin, while what it was lent still lives */
    sluice_gauges_drop(task);
    sluice_class_metrics_drop(task);
    sluice_progress_drop(task);
    sluice_pipeline_close(&task->pipe);
    sluice_conf_free(task->conf);
    sluice_conf_free(task->framework);
    task->conf = task->framework = NULL;
}

static void *run(void *arg)
{
    struct sluice_task *task = arg;
    struct sluice_err err = {{0}};
    enum sluice_verdict v = SLUICE_FAIL;
    sluice_log_plugin(sluice_plugin_class(task->plugin)); /* a logger of its lines */
    if (open_parts(task, &err))
        v = task->plugin->kind == SLUICE_KIND_SOURCE ? sluice_source_run(task, &err)
                                                     : sluice_sink_run(task, &err);
    sluice_task_close(task);
    if (v == SLUICE_FAIL) {
        sluice_log(SLUICE_ERROR, task->connector, task->id,
                   "task FAILED and stays down until it is restarted: %s", err.msg);
        set_status(task, SLUICE_FAILED, err.msg);
    } else {
        sluice_task_state(task, SLUICE_UNASSIGNED);
    }
    atomic_store(&task->ended, true);
    if (task->changed) task->changed(task->changed_arg, task);
    return NULL;
}

/* ---- for everybody ---- */

static int64_t config_num(const struct sluice_task *task, const char *key, int64_t fallback)
{
    const char *text = sluice_map_get(&task->config, key);
    if (!text || !*text) return fallback;
    int64_t n = strtoll(text, NULL, 10);
    return n > 0 ? n : fallback;
}

struct sluice_task *sluice_task_start(struct sluice_worker *worker,
                                      const struct sluice_plugin *plugin, const char *connector,
                                      int id, const struct sluice_map *config, bool paused,
                                      sluice_task_changed *changed, void *arg,
                                      struct sluice_err *err)
{
    struct sluice_task *task = sluice_xcalloc(1, sizeof *task);
    assert(plugin->kind == SLUICE_KIND_SOURCE || plugin->kind == SLUICE_KIND_SINK);
    task->worker = worker;
    task->plugin = plugin;
    task->host = task_host();
    task->connector = sluice_xstrdup(connector);
    task->id = id;
    sluice_map_copy(&task->config, config);
    task->changed = changed;
    task->changed_arg = arg;
    atomic_store(&task->pausing, paused);
    pthread_mutex_init(&task->mutex, NULL);
    task->made_ms = task->state_since_ms = sluice_now_ms();
    size_t records = (size_t)config_num(task, "inflight.max.records",
                                        sluice_worker_num(worker, "inflight.max.records"));
    size_t bytes = (size_t)config_num(task, "inflight.max.bytes",
                                      sluice_worker_num(worker, "inflight.max.bytes"));
    task->window = sluice_window_new(records, bytes);
    task->wake = sluice_window_wake(task->window);
    char name[32];
    snprintf(name, sizeof name, "%.11s-%d", connector, id % 1000);
    if (sluice_thread_start(&task->thread, name, run, task, err)) return task;
    atomic_store(&task->ended, true);
    task->thread = pthread_self();
    sluice_task_free(task);
    return NULL;
}

void sluice_task_pause(struct sluice_task *task, bool paused)
{
    atomic_store(&task->pausing, paused);
    sluice_wake_up(task->wake);
}

void sluice_task_stop(struct sluice_task *task)
{
    atomic_store(&task->stopping, true);
    sluice_wake_up(task->wake);
}

void sluice_task_abandon(struct sluice_task *task)
{
    atomic_store(&task->abandoned, true); /* before the loop can see that it is to end */
    sluice_task_stop(task);
}

bool sluice_task_ended(const struct sluice_task *task) { return atomic_load(&task->ended); }

void sluice_task_free(struct sluice_task *task)
{
    if (!task) return;
    if (!pthread_equal(task->thread, pthread_self())) pthread_join(task->thread, NULL);
    sluice_window_detach(task->window);
    sluice_map_fini(&task->config);
    pthread_mutex_destroy(&task->mutex);
    free(task->connector);
    free(task);
}

const char *sluice_task_connector(const struct sluice_task *task) { return task->connector; }

int sluice_task_id(const struct sluice_task *task) { return task->id; }

bool sluice_task_stopping(const struct sluice_task *task)
{
    return atomic_load_explicit(&task->stopping, memory_order_relaxed);
}

bool sluice_task_pausing(const struct sluice_task *task)
{
    return atomic_load_explicit(&task->pausing, memory_order_relaxed);
}

bool sluice_task_may_work(const struct sluice_task *task)
{
    return !atomic_load(&task->abandoned) && sluice_worker_holds_lease(task->worker);
}

int64_t sluice_task_stop_ms(const struct sluice_task *task)
{
    return sluice_worker_num(task->worker, "task.shutdown.graceful.timeout.ms");
}
