/* host.c - the part of struct sluice_host that needs no task. */
#include "plugin/host.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "data/batch.h"
#include "data/schema.h"
#include "plugin/options.h"

/* Without a task there is nobody to name: validate() logs so. */
static void log_plain(struct sluice_task *task, enum sluice_level level, const char *fmt, ...)
{
    (void)task;
    va_list ap;
    va_start(ap, fmt);
    sluice_vlog(level, NULL, -1, fmt, ap);
    va_end(ap);
}

static _Noreturn void no_task(const char *function)
{
    sluice_log(SLUICE_ERROR, NULL, -1,
               "host->%s() was called where there is no task; stopping: "
               "this is a bug in the plugin or in sluice",
               function);
    abort();
}

static const char *connector(const struct sluice_task *task)
{
    (void)task;
    no_task("connector");
}

static int task_id(const struct sluice_task *task)
{
    (void)task;
    no_task("task_id");
}

static int wake_fd(struct sluice_task *task)
{
    (void)task;
    no_task("wake_fd");
}

static void trouble(struct sluice_task *task, const char *what)
{
    (void)task;
    (void)what;
    no_task("trouble");
}

static uint32_t partition(struct sluice_task *task, const struct sluice_value *map)
{
    (void)task;
    (void)map;
    no_task("partition");
}

static const struct sluice_value *resume(struct sluice_task *task, uint32_t number)
{
    (void)task;
    (void)number;
    no_task("resume");
}

static void done(struct sluice_task *task, const uint64_t *seqs, size_t n)
{
    (void)task;
    (void)seqs;
    (void)n;
    no_task("done");
}

static enum sluice_verdict reject(struct sluice_task *task, uint64_t seq, const char *why,
                                  struct sluice_err *err)
{
    (void)task;
    (void)seq;
    (void)why;
    (void)err;
    no_task("reject");
}

static bool marks_boundaries(struct sluice_task *task)
{
    (void)task;
    no_task("marks_boundaries");
}

static void metrics(struct sluice_task *task, const struct sluice_metric *list, size_t n)
{
    (void)task, (void)list, (void)n;
    no_task("metrics");
}

static struct sluice_reader *reader_open(struct sluice_task *task, const char *topic,
                                         const struct sluice_label *settings, size_t n,
                                         struct sluice_err *err)
{
    (void)task, (void)topic, (void)settings, (void)n, (void)err;
    no_task("reader_open");
}

static enum sluice_verdict reader_next(struct sluice_reader *reader,
                                       struct sluice_read_message *out, struct sluice_err *err)
{
    (void)reader, (void)out, (void)err;
    no_task("reader_next");
}

static void reader_commit(struct sluice_reader *reader, int32_t partition, int64_t offset)
{
    (void)reader, (void)partition, (void)offset;
    no_task("reader_commit");
}

static void reader_close(struct sluice_reader *reader)
{
    if (reader) no_task("reader_close");
}

static void progress(struct sluice_task *task, const struct sluice_progress *list, size_t n)
{
    (void)task, (void)list, (void)n;
    no_task("progress");
}

struct sluice_host sluice_host_base(void)
{
    struct sluice_host host = {
        .size = sizeof(host),
        .abi_minor = SLUICE_ABI_MINOR,
        .log = log_plain,
        .str = sluice_conf_str,
        .num = sluice_conf_num,
        .real = sluice_conf_real,
        .flag = sluice_conf_flag,
        .list = sluice_conf_list,
        .entry = sluice_conf_entry,
        .schema = sluice_schema_intern,
        .schema_free = sluice_schema_free,
        .alloc = sluice_batch_alloc,
        .append = sluice_batch_append,
        .reserve = sluice_buf_reserve,
        .connector = connector,
        .task_id = task_id,
        .wake_fd = wake_fd,
        .trouble = trouble,
        .partition = partition,
        .resume = resume,
        .done = done,
        .reject = reject,
        .finding = sluice_report_add,
        .marks_boundaries = marks_boundaries,
        .metrics = metrics,
        .reader_open = reader_open,
        .reader_next = reader_next,
        .reader_commit = reader_commit,
        .reader_close = reader_close,
        .progress = progress,
    };
    assert(host.size >= 2 * sizeof(uint32_t));
    return host;
}
