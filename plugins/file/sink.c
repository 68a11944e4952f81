/* sink.c - file-sink: the text of every record's value and a newline, appended to a file, as
 * Kafka's FileStreamSink does. put() collects, flush() writes and syncs: only then are offsets
 * committed, so that a crash repeats lines but never loses one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "text.h"

#define WRITE_BYTES ((size_t)256 * 1024)            /* collected before put() writes by itself */
#define PENDING_MAX_BYTES ((size_t)8 * 1024 * 1024) /* more is not taken while the disk is full */

struct file_sink {
    struct sluice_task *task;
    const struct sluice_host *host;
    const char *path; /* NULL: standard output; the conf's */
    int fd;
    struct text pending; /* taken, not yet written */
};

static const struct sluice_option options[] = {
    {.key = "file",
     .type = SLUICE_OPT_STRING,
     .importance = SLUICE_HIGH,
     .doc = "File to append to; standard output when not given."},
    {.key = NULL},
};

static enum sluice_verdict open_sink(struct sluice_task *task, const struct sluice_host *host,
                                     const struct sluice_conf *conf, void **self,
                                     struct sluice_err *err)
{
    struct file_sink *sink = calloc(1, sizeof(*sink));
    if (!sink) return file_fail(err, "out of memory while opening file-sink");
    *self = sink;
    sink->task = task;
    sink->host = host;
    sink->path = host->str(conf, "file");
    if (sink->path && !*sink->path) sink->path = NULL;
    sink->fd = sink->path ? open(sink->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666)
                          : STDOUT_FILENO;
    if (sink->fd < 0) {
        return file_fail(err,
                         "cannot open %s for appending: %s; correct the option file or the "
                         "permissions of its directory",
                         sink->path, strerror(errno));
    }
    return SLUICE_OK;
}

static void close_sink(void *self)
{
    struct file_sink *sink = self;
    if (!sink) return;
    /* What is pending was not committed: it comes again. */
    if (sink->path && sink->fd >= 0) close(sink->fd);
    text_fini(&sink->pending);
    free(sink);
}

/* A full disk is waited for; anything else is for an operator. */
static enum sluice_verdict write_failed(struct file_sink *sink, const char *what,
                                        struct sluice_err *err)
{
    int error = errno;
    const char *path = sink->path ? sink->path : "standard output";
    if (error != ENOSPC && error != EDQUOT && error != EAGAIN) {
        return file_fail(err, "cannot %s %s: %s", what, path, strerror(error));
    }
    char text[512];
    snprintf(text, sizeof(text), "cannot %s %s: %s; free some space, it is tried again", what, path,
             strerror(error));
    sink->host->trouble(sink->task, text);
    return SLUICE_RETRY;
}

static enum sluice_verdict write_pending(struct file_sink *sink, struct sluice_err *err)
{
    size_t done = 0;
    enum sluice_verdict verdict = SLUICE_OK;
    while (done < sink->pending.len) {
        ssize_t n = write(sink->fd, sink->pending.data + done, sink->pending.len - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            verdict = write_failed(sink, "write to", err);
            break;
        }
    }
    if (done) memmove(sink->pending.data, sink->pending.data + done, sink->pending.len - done);
    sink->pending.len -= done;
    if (verdict == SLUICE_OK) sink->host->trouble(sink->task, NULL);
    return verdict;
}

static enum sluice_verdict put_sink(void *self, const struct sluice_record *records, size_t n,
                                    struct sluice_err *err)
{
    struct file_sink *sink = self;
    if (sink->pending.len > PENDING_MAX_BYTES) {
        enum sluice_verdict verdict = write_pending(sink, err);
        if (verdict != SLUICE_OK) return verdict;
    }
    for (size_t i = 0; i < n; i++) {
        if (!text_add_value(&sink->pending, records[i].value_schema, &records[i].value) ||
            !text_add(&sink->pending, "\n", 1)) {
            return file_fail(err, "out of memory with %zu bytes to write", sink->pending.len);
        }
    }
    if (sink->pending.len < WRITE_BYTES) return SLUICE_OK;
    /* All are taken already: what does not fit onto the disk is flush()'s concern. */
    return write_pending(sink, err) == SLUICE_FAIL ? SLUICE_FAIL : SLUICE_OK;
}

static enum sluice_verdict flush_sink(void *self, struct sluice_err *err)
{
    struct file_sink *sink = self;
    enum sluice_verdict verdict = write_pending(sink, err);
    if (verdict != SLUICE_OK) return verdict;
    /* Pipes and terminals cannot be synced. */
    if (fsync(sink->fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS)
        return SLUICE_OK;
    return write_failed(sink, "sync", err);
}

/* The consumer group's offsets are all there is. */
static enum sluice_verdict alter_offsets(const struct sluice_host *host,
                                         const struct sluice_conf *conf,
                                         const struct sluice_offset_change *changes, size_t n,
                                         struct sluice_err *err)
{
    (void)host;
    (void)conf;
    (void)changes;
    (void)n;
    (void)err;
    return SLUICE_OK;
}

static const struct sluice_sink callbacks = {
    .size = sizeof(callbacks),
    .put = put_sink,
    .flush = flush_sink,
};

static const char *const aliases[] = {"org.apache.kafka.connect.file.FileStreamSinkConnector",
                                      NULL};

const struct sluice_plugin file_sink_plugin = {
    SLUICE_PLUGIN_HEAD,  .kind = SLUICE_KIND_SINK,
    .name = "file-sink", .version = SLUICE_VERSION,
    .aliases = aliases,  .options = options,
    .open = open_sink,   .close = close_sink,
    .sink = &callbacks,  .alter_offsets = alter_offsets,
};
