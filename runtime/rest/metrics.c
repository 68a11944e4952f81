/* metrics.c - GET /metrics: Connect's metrics in Prometheus' text form.
 *
 * Names are Connect's (group, attribute) with underscores, as its JMX metrics are usually mapped:
 * kafka_connect_source_task_metrics_source_record_write_total{connector="c",task="0"}. Counters
 * begin anew when a task is restarted, as they do there. */
#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/gauges.h"
#include "base/mem.h"
#include "rest/rest.h"
#include "rest/windows.h"

/* One counter of every task. */
struct task_metric {
    const char *group, *name, *type, *help;
    size_t offset; /* of the uint64_t in struct sluice_task_counters */
    int kind;      /* enum sluice_kind, or -1: both */
};

#define OF(field) offsetof(struct sluice_task_counters, field)

static const struct task_metric task_metrics[] = {
    {"source_task_metrics", "source_record_poll_total", "counter",
     "Records that the connector gave.", OF(polled), SLUICE_KIND_SOURCE},
    {"source_task_metrics", "source_record_write_total", "counter",
     "Records that Kafka acknowledged.", OF(written), SLUICE_KIND_SOURCE},
    {"source_task_metrics", "source_record_active_count", "gauge", "Records on their way to Kafka.",
     OF(in_flight), SLUICE_KIND_SOURCE},
    {"source_task_metrics", "source_record_write_bytes_total", "counter",
     "Bytes of keys and values produced.", OF(bytes), SLUICE_KIND_SOURCE},
    {"sink_task_metrics", "sink_record_read_total", "counter", "Records read from Kafka.",
     OF(polled), SLUICE_KIND_SINK},
    {"sink_task_metrics", "sink_record_send_total", "counter",
     "Records that the connector made durable.", OF(written), SLUICE_KIND_SINK},
    {"sink_task_metrics", "sink_record_active_count", "gauge", "Records read and not yet durable.",
     OF(in_flight), SLUICE_KIND_SINK},
    {"sink_task_metrics", "sink_record_read_bytes_total", "counter",
     "Bytes of keys and values read.", OF(bytes), SLUICE_KIND_SINK},
    {"sink_task_metrics", "sink_record_lag_max", "gauge",
     "Records behind the end of the partitions.", OF(lag), SLUICE_KIND_SINK},
    {"sink_task_metrics", "offset_commit_completion_total", "counter",
     "Offset commits that succeeded.", OF(commits), SLUICE_KIND_SINK},
    {"sink_task_metrics", "offset_commit_skip_total", "counter",
     "Offset commits left out, as the worker's membership was over.", OF(commit_skips),
     SLUICE_KIND_SINK},
    {"sink_task_metrics", "partition_count", "gauge", "Partitions that the task reads.",
     OF(partitions), SLUICE_KIND_SINK},
    {"sink_task_metrics", "sink_record_active_count_max", "gauge",
     "The most records read and not yet durable, since the task started.", OF(in_flight_max),
     SLUICE_KIND_SINK},
    {"source_task_metrics", "source_record_active_count_max", "gauge",
     "The most records on their way to Kafka, since the task started.", OF(in_flight_max),
     SLUICE_KIND_SOURCE},
    {"source_task_metrics", "transaction_size_min", "gauge",
     "The fewest records of a transaction; 0: there was none.", OF(txn_min_records),
     SLUICE_KIND_SOURCE},
    {"source_task_metrics", "transaction_size_max", "gauge", "The most records of a transaction.",
     OF(txn_max_records), SLUICE_KIND_SOURCE},
    {"connector_task_metrics", "offset_commit_success_total", "counter",
     "Offset commits that succeeded.", OF(commits), -1},
    {"connector_task_metrics", "records_filtered_total", "counter",
     "Records that a transform left out.", OF(filtered), -1},
    {"task_error_metrics", "total_record_failures", "counter",
     "Operations on records that failed, each try counted.", OF(failed), -1},
    {"task_error_metrics", "total_record_errors", "counter", "Records that failed for good.",
     OF(errors), -1},
    {"task_error_metrics", "total_records_skipped", "counter",
     "Records left out because their errors are tolerated.", OF(skipped), -1},
    {"task_error_metrics", "total_retries", "counter", "Operations tried again.", OF(retries), -1},
    {"task_error_metrics", "total_errors_logged", "counter", "Failed records that were logged.",
     OF(logged), -1},
    {"task_error_metrics", "last_error_timestamp", "gauge",
     "When a record failed last, in ms since 1970; 0: none did.", OF(last_error_ms), -1},
    {"task_error_metrics", "deadletterqueue_produce_failures", "counter",
     "Records that the dead-letter topic did not take.", OF(dead_letter_failures), -1},
    {"task_error_metrics", "deadletterqueue_produce_requests", "counter",
     "Records sent to the dead-letter topic.", OF(dead_lettered), -1},
};

/* A label's value, with what Prometheus wants escaped. Owned. */
static char *label(const char *text)
{
    char *out = sluice_xmalloc(2 * strlen(text) + 1), *to = out;
    for (const char *c = text; *c; c++) {
        if (*c == '\\' || *c == '"' || *c == '\n') *to++ = '\\';
        *to++ = *c == '\n' ? 'n' : *c;
    }
    *to = '\0';
    return out;
}

static void head(struct sluice_buf *buf, const char *group, const char *name, const char *type,
                 const char *help)
{
    sluice_buf_addf(buf, "# HELP kafka_connect_%s_%s %s\n# TYPE kafka_connect_%s_%s %s\n", group,
                    name, help, group, name, type);
}

static void write_task_metric(struct sluice_buf *buf, const struct task_metric *metric,
                              const struct sluice_herder_view *view)
{
    bool headed = false;
    for (size_t c = 0; c < view->n; c++) {
        const struct sluice_connector_view *conn = &view->connectors[c];
        if (metric->kind >= 0 && conn->kind != (enum sluice_kind)metric->kind) continue;
        char *name = label(conn->name);
        for (size_t t = 0; t < conn->tasks_n; t++) {
            if (!headed) head(buf, metric->group, metric->name, metric->type, metric->help);
            headed = true;
            uint64_t value;
            memcpy(&value, (const char *)&conn->tasks[t].counters + metric->offset, sizeof value);
            sluice_buf_addf(buf, "kafka_connect_%s_%s{connector=\"%s\",task=\"%d\"} %llu\n",
                            metric->group, metric->name, name, conn->tasks[t].id,
                            (unsigned long long)value);
        }
        free(name);
    }
}

/* ---- what tasks did lately ---- */

/* One number made of counters and rates. */
struct lately_metric {
    const char *group, *name, *help;
    int kind; /* enum sluice_kind, or -1: both */
    double (*value)(const struct sluice_task_counters *, const struct sluice_task_rates *);
};

#define VALUE(name, expression)                                                                    \
    static double name(const struct sluice_task_counters *c, const struct sluice_task_rates *r)    \
    {                                                                                              \
        (void)c;                                                                                   \
        (void)r;                                                                                   \
        return expression;                                                                         \
    }
VALUE(polled_rate, r->polled)
VALUE(written_rate, r->written)
VALUE(commit_rate, r->commits)
VALUE(batch_avg_ms, r->batch_avg_ms)
VALUE(batch_max_ms, (double)c->batch_max_us / 1000)
VALUE(batch_avg_n, r->batch_avg_n)
VALUE(batch_max_n, (double)c->batch_max_records)
VALUE(commit_seq_no, (double)(c->commits + c->commit_failures))
VALUE(skip_rate, r->skips)
VALUE(active_avg, r->active_avg)
VALUE(commit_avg_ms, r->commit_avg_ms)
VALUE(commit_max_ms, (double)c->commit_max_us / 1000)
VALUE(commit_success, r->commit_success)
VALUE(commit_failure, r->commit_failure)
VALUE(txn_avg, c->txns ? (double)c->txn_records / (double)c->txns : 0)
VALUE(running_ratio, c->age_ms ? (double)c->running_ms / (double)c->age_ms : 0)
VALUE(pause_ratio, c->age_ms ? (double)c->paused_ms / (double)c->age_ms : 0)

static const struct lately_metric lately_metrics[] = {
    {"source_task_metrics", "source_record_poll_rate", "Records a second that the connector gave.",
     SLUICE_KIND_SOURCE, polled_rate},
    {"source_task_metrics", "source_record_write_rate", "Records a second that Kafka acknowledged.",
     SLUICE_KIND_SOURCE, written_rate},
    {"source_task_metrics", "poll_batch_avg_time_ms", "Time of a poll that gave records.",
     SLUICE_KIND_SOURCE, batch_avg_ms},
    {"source_task_metrics", "poll_batch_max_time_ms", "The longest since the task started.",
     SLUICE_KIND_SOURCE, batch_max_ms},
    {"sink_task_metrics", "sink_record_read_rate", "Records a second read from Kafka.",
     SLUICE_KIND_SINK, polled_rate},
    {"sink_task_metrics", "sink_record_send_rate",
     "Records a second that the connector made durable.", SLUICE_KIND_SINK, written_rate},
    {"sink_task_metrics", "offset_commit_completion_rate", "Offset commits a second.",
     SLUICE_KIND_SINK, commit_rate},
    {"sink_task_metrics", "put_batch_avg_time_ms", "Time of a put.", SLUICE_KIND_SINK,
     batch_avg_ms},
    {"sink_task_metrics", "put_batch_max_time_ms", "The longest since the task started.",
     SLUICE_KIND_SINK, batch_max_ms},
    {"source_task_metrics", "source_record_active_count_avg",
     "Records on their way to Kafka, at the end of each batch.", SLUICE_KIND_SOURCE, active_avg},
    {"source_task_metrics", "transaction_size_avg", "Records of a transaction.", SLUICE_KIND_SOURCE,
     txn_avg},
    {"sink_task_metrics", "sink_record_active_count_avg",
     "Records read and not yet durable, at the end of each batch.", SLUICE_KIND_SINK, active_avg},
    {"sink_task_metrics", "offset_commit_seq_no", "Offset commits that were answered.",
     SLUICE_KIND_SINK, commit_seq_no},
    {"sink_task_metrics", "offset_commit_skip_rate", "Offset commits left out, a second.",
     SLUICE_KIND_SINK, skip_rate},
    {"connector_task_metrics", "offset_commit_avg_time_ms", "Time of an offset commit.", -1,
     commit_avg_ms},
    {"connector_task_metrics", "offset_commit_max_time_ms", "The longest since the task started.",
     -1, commit_max_ms},
    {"connector_task_metrics", "offset_commit_success_percentage",
     "Part of the offset commits that succeeded, 0 to 1.", -1, commit_success},
    {"connector_task_metrics", "offset_commit_failure_percentage",
     "Part of the offset commits that failed, 0 to 1.", -1, commit_failure},
    {"connector_task_metrics", "batch_size_avg", "Records in a batch.", -1, batch_avg_n},
    {"connector_task_metrics", "batch_size_max", "The most since the task started.", -1,
     batch_max_n},
    {"connector_task_metrics", "running_ratio", "Part of its time that the task was RUNNING.", -1,
     running_ratio},
    {"connector_task_metrics", "pause_ratio", "Part of its time that the task was PAUSED.", -1,
     pause_ratio},
};

/* Rates of all tasks, in the order of the view. Owned. */
static struct sluice_task_rates *all_rates(struct sluice_windows *windows,
                                           const struct sluice_herder_view *view)
{
    size_t n = 0, at = 0;
    int64_t now = sluice_now_ms();
    for (size_t c = 0; c < view->n; c++) n += view->connectors[c].tasks_n;
    struct sluice_task_rates *rates = sluice_xcalloc(n + 1, sizeof *rates);
    for (size_t c = 0; c < view->n; c++) {
        const struct sluice_connector_view *conn = &view->connectors[c];
        for (size_t t = 0; t < conn->tasks_n; t++) {
            sluice_windows_rates(windows, conn->name, conn->tasks[t].id, &conn->tasks[t].counters,
                                 now, &rates[at++]);
        }
    }
    sluice_windows_trim(windows, now);
    return rates;
}

static void write_lately_metric(struct sluice_buf *buf, const struct lately_metric *metric,
                                const struct sluice_herder_view *view,
                                const struct sluice_task_rates *rates)
{
    bool headed = false;
    for (size_t c = 0; c < view->n; c++) {
        const struct sluice_connector_view *conn = &view->connectors[c];
        bool wanted = metric->kind < 0 || conn->kind == (enum sluice_kind)metric->kind;
        char *name = label(conn->name);
        for (size_t t = 0; t < conn->tasks_n; t++, rates++) {
            if (!wanted) continue;
            if (!headed) head(buf, metric->group, metric->name, "gauge", metric->help);
            headed = true;
            sluice_buf_addf(buf, "kafka_connect_%s_%s{connector=\"%s\",task=\"%d\"} %.6g\n",
                            metric->group, metric->name, name, conn->tasks[t].id,
                            metric->value(&conn->tasks[t].counters, rates));
        }
        free(name);
    }
}

static void write_lately(struct sluice_buf *buf, struct sluice_windows *windows,
                         const struct sluice_herder_view *view)
{
    struct sluice_task_rates *rates = all_rates(windows, view);
    for (size_t i = 0; i < sizeof lately_metrics / sizeof *lately_metrics; i++)
        write_lately_metric(buf, &lately_metrics[i], view, rates);
    free(rates);
}

/* What Connect tells in strings stands in labels, the value is 1. */
static void write_infos(struct sluice_buf *buf, const struct sluice_herder_view *view)
{
    if (view->n) head(buf, "connector_metrics", "status", "gauge", "State of the connector.");
    for (size_t c = 0; c < view->n; c++) {
        const struct sluice_connector_view *conn = &view->connectors[c];
        char *name = label(conn->name), *class_name = label(conn->class_name);
        char *version = label(conn->version);
        sluice_buf_addf(buf,
                        "kafka_connect_connector_metrics_status{connector=\"%s\",status=\"%s\","
                        "connector_type=\"%s\",connector_class=\"%s\",connector_version=\"%s\"} "
                        "1\n",
                        name, sluice_state_name(conn->state),
                        conn->kind == SLUICE_KIND_SOURCE ? "source" : "sink", class_name, version);
        free(name);
        free(class_name);
        free(version);
    }
    bool headed = false;
    for (size_t c = 0; c < view->n; c++) {
        char *name = label(view->connectors[c].name);
        for (size_t t = 0; t < view->connectors[c].tasks_n; t++) {
            const struct sluice_task_view *task = &view->connectors[c].tasks[t];
            if (!headed)
                head(buf, "connector_task_metrics", "status", "gauge", "State of the task.");
            headed = true;
            sluice_buf_addf(buf,
                            "kafka_connect_connector_task_metrics_status{connector=\"%s\","
                            "task=\"%d\",status=\"%s\"} 1\n",
                            name, task->id, sluice_state_name(task->state));
        }
        free(name);
    }
}

/* connector-<word>-task-count of each connector. A task that is destroyed is told of by nobody: in
 * Connect too, the count is there and stays 0. */
static void write_task_counts(struct sluice_buf *buf, const struct sluice_herder_view *view)
{
    enum { ALL = -1, NONE = -2 };
    static const struct {
        const char *word;
        int state; /* ALL, NONE */
    } rows[] = {{"total", ALL},
                {"running", SLUICE_RUNNING},
                {"paused", SLUICE_PAUSED},
                {"failed", SLUICE_FAILED},
                {"unassigned", SLUICE_UNASSIGNED},
                {"restarting", SLUICE_RESTARTING},
                {"destroyed", NONE}};
    for (size_t r = 0; view->n && r < sizeof rows / sizeof *rows; r++) {
        char metric[64];
        snprintf(metric, sizeof metric, "connector_%s_task_count", rows[r].word);
        head(buf, "worker_metrics", metric, "gauge", "Tasks of the connector.");
        for (size_t c = 0; c < view->n; c++) {
            const struct sluice_connector_view *conn = &view->connectors[c];
            size_t n = 0;
            for (size_t t = 0; t < conn->tasks_n; t++)
                n += rows[r].state == ALL || (int)conn->tasks[t].state == rows[r].state;
            char *name = label(conn->name);
            sluice_buf_addf(buf, "kafka_connect_worker_metrics_%s{connector=\"%s\"} %zu\n", metric,
                            name, n);
            free(name);
        }
    }
}

static void number(struct sluice_buf *buf, const char *name, const char *type, const char *help,
                   uint64_t value)
{
    head(buf, "worker_metrics", name, type, help);
    sluice_buf_addf(buf, "kafka_connect_worker_metrics_%s %llu\n", name, (unsigned long long)value);
}

static void gauge(struct sluice_buf *buf, const char *group, const char *name, const char *help,
                  double value)
{
    head(buf, group, name, "gauge", help);
    sluice_buf_addf(buf, "kafka_connect_%s_%s %.10g\n", group, name, value);
}

/* <what>-startup-{success,failure}-percentage, which Connect gives from 0 to 1. */
static void startup_parts(struct sluice_buf *buf, const char *what, uint64_t starts,
                          uint64_t failures)
{
    char name[64];
    assert(failures <= starts);
    double failed = starts ? (double)failures / (double)starts : 0;
    snprintf(name, sizeof name, "%s_startup_success_percentage", what);
    gauge(buf, "worker_metrics", name, "Part of the starts that succeeded, 0 to 1.",
          starts ? 1 - failed : 0);
    snprintf(name, sizeof name, "%s_startup_failure_percentage", what);
    gauge(buf, "worker_metrics", name, "Part of the starts that failed, 0 to 1.", failed);
}

static void write_group(struct sluice_buf *buf, const struct sluice_herder_view *view)
{
    static const char rebalance[] = "worker_rebalance_metrics", members[] = "coordinator_metrics";
    const struct sluice_group_view *group = &view->group;
    size_t tasks = 0;
    if (!group->there) return;
    for (size_t c = 0; c < view->n; c++) tasks += view->connectors[c].tasks_n;
    head(buf, rebalance, "leader_name", "gauge", "The worker that leads.");
    char *leader = label(group->leader ? group->leader : "");
    sluice_buf_addf(buf, "kafka_connect_%s_leader_name{leader_name=\"%s\"} 1\n", rebalance, leader);
    free(leader);
    head(buf, rebalance, "connect_protocol", "gauge", "How work is assigned.");
    sluice_buf_addf(buf, "kafka_connect_%s_connect_protocol{connect_protocol=\"sluice\"} 1\n",
                    rebalance);
    gauge(buf, rebalance, "epoch", "Generation of the assignment.", (double)group->epoch);
    head(buf, rebalance, "completed_rebalances_total", "counter", "Rebalances of the group.");
    sluice_buf_addf(buf, "kafka_connect_%s_completed_rebalances_total %llu\n", rebalance,
                    (unsigned long long)group->rebalances);
    gauge(buf, rebalance, "rebalancing", "1: this worker is not in the group now.",
          group->rebalancing);
    gauge(buf, rebalance, "rebalance_avg_time_ms", "Time that joining the group took.",
          group->join_avg_ms);
    gauge(buf, rebalance, "rebalance_max_time_ms", "The longest.", group->join_max_ms);
    gauge(buf, rebalance, "time_since_last_rebalance_ms", "-1: there was none.",
          (double)group->since_ms);
    gauge(buf, members, "assigned_connectors", "Connectors of this worker.", (double)view->n);
    gauge(buf, members, "assigned_tasks", "Tasks of this worker.", (double)tasks);
}

static void write_app_info(struct sluice_buf *buf, int64_t started_ms)
{
    head(buf, "app_info", "version", "gauge", "The worker's version.");
    sluice_buf_addf(buf, "kafka_connect_app_info_version{version=\"%s\",commit_id=\"%s\"} 1\n",
                    SLUICE_VERSION, SLUICE_COMMIT);
    head(buf, "app_info", "start_time_ms", "gauge", "When it started, in ms since 1970.");
    sluice_buf_addf(buf, "kafka_connect_app_info_start_time_ms %lld\n", (long long)started_ms);
}

static void write_worker(struct sluice_buf *buf, const struct sluice_herder_view *view)
{
    size_t tasks = 0;
    for (size_t c = 0; c < view->n; c++) tasks += view->connectors[c].tasks_n;
    number(buf, "connector_count", "gauge", "Connectors of this worker.", view->n);
    number(buf, "task_count", "gauge", "Tasks of this worker.", tasks);
    number(buf, "connector_startup_attempts_total", "counter", "Configs put into force or refused.",
           view->connector_starts);
    number(buf, "connector_startup_success_total", "counter", "Configs put into force.",
           view->connector_starts - view->connector_failures);
    number(buf, "connector_startup_failure_total", "counter", "Configs refused.",
           view->connector_failures);
    number(buf, "task_startup_attempts_total", "counter", "Tasks started.", view->task_starts);
    number(buf, "task_startup_success_total", "counter", "Tasks started that did not fail.",
           view->task_starts - view->task_failures);
    number(buf, "task_startup_failure_total", "counter",
           "Tasks that could not be started or FAILED.", view->task_failures);
    startup_parts(buf, "connector", view->connector_starts, view->connector_failures);
    startup_parts(buf, "task", view->task_starts, view->task_failures);
    number(buf, "task_auto_restarts_total", "counter",
           "FAILED tasks that were started again by themselves (auto.restart.*).",
           view->task_auto_restarts);
}

/* The metrics that every Prometheus client library gives of its process. */
static void write_process(struct sluice_buf *buf, int64_t started_ms)
{
    struct timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    long pages = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm) {
        if (fscanf(statm, "%ld %ld", &pages, &resident) != 2) resident = 0;
        fclose(statm);
    }
    sluice_buf_addf(
        buf,
        "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %lld.%02ld\n"
        "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes "
        "%lld\n"
        "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds "
        "%lld.%03d\n",
        (long long)cpu.tv_sec, cpu.tv_nsec / 10000000, (long long)resident * sysconf(_SC_PAGESIZE),
        (long long)(started_ms / 1000), (int)(started_ms % 1000));
}

static void get_metrics(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    (void)req;
    struct sluice_rest *rest = arg;
    struct sluice_herder_view view;
    rest->herder->ops->view(rest->herder, &view);
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    write_worker(&buf, &view);
    write_group(&buf, &view);
    write_app_info(&buf, rest->started_ms);
    write_infos(&buf, &view);
    write_task_counts(&buf, &view);
    for (size_t i = 0; i < sizeof task_metrics / sizeof *task_metrics; i++)
        write_task_metric(&buf, &task_metrics[i], &view);
    if (rest->windows) write_lately(&buf, rest->windows, &view);
    sluice_gauges_write(&buf); /* what connectors tell of themselves */
    write_process(&buf, rest->started_ms);
    sluice_answer_text(answer, 200, "text/plain; version=0.0.4; charset=utf-8",
                       sluice_xstrdup(sluice_buf_str(&buf)));
    sluice_buf_fini(&buf);
    sluice_herder_view_fini(&view);
}

const struct sluice_route sluice_metrics_routes[] = {
    {"GET", "/metrics", SLUICE_ROUTE_TEXT, get_metrics},
    {0},
};
