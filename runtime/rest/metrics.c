/* metrics.c - GET /metrics: Connect's metrics in Prometheus' text form.
 *
 * Names are Connect's (group, attribute) with underscores, as its JMX metrics are usually mapped:
 * kafka_connect_source_task_metrics_source_record_write_total{connector="c",task="0"}. Counters
 * begin anew when a task is restarted, as they do there. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "rest/rest.h"

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

/* connector-{total,running,paused,failed,unassigned,restarting}-task-count of each connector. */
static void write_task_counts(struct sluice_buf *buf, const struct sluice_herder_view *view)
{
    static const struct {
        const char *word;
        int state; /* -1: all */
    } rows[] = {{"total", -1},
                {"running", SLUICE_RUNNING},
                {"paused", SLUICE_PAUSED},
                {"failed", SLUICE_FAILED},
                {"unassigned", SLUICE_UNASSIGNED},
                {"restarting", SLUICE_RESTARTING}};
    for (size_t r = 0; view->n && r < sizeof rows / sizeof *rows; r++) {
        char metric[64];
        snprintf(metric, sizeof metric, "connector_%s_task_count", rows[r].word);
        head(buf, "worker_metrics", metric, "gauge", "Tasks of the connector.");
        for (size_t c = 0; c < view->n; c++) {
            const struct sluice_connector_view *conn = &view->connectors[c];
            size_t n = 0;
            for (size_t t = 0; t < conn->tasks_n; t++)
                n += rows[r].state < 0 || (int)conn->tasks[t].state == rows[r].state;
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
    number(buf, "task_startup_failure_total", "counter",
           "Tasks that could not be started or FAILED.", view->task_failures);
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
    write_infos(&buf, &view);
    write_task_counts(&buf, &view);
    for (size_t i = 0; i < sizeof task_metrics / sizeof *task_metrics; i++)
        write_task_metric(&buf, &task_metrics[i], &view);
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
