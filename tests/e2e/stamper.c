/* stamper.c - a source whose records tell who made them and when; test_chaos.py compiles it.
 *
 * A record is {"task","run","seq","at"}: run is one opened task (process, and when it was opened),
 * seq goes on from the stored offset, at is CLOCK_MONOTONIC in microseconds, which all processes
 * of a machine share. The worker looks at its lease before it polls and again before it sends, so
 * the stamps that reach Kafka were made under a lease. */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sluice/plugin.h"

struct stamper {
    struct sluice_task *task;
    const struct sluice_host *host;
    const char *topic;
    int64_t every_us, due_us, seq; /* seq: of the next record */
    int id;
    uint32_t partition;
    char run[48];
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static enum sluice_verdict stamper_open(struct sluice_task *task, const struct sluice_host *host,
                                        const struct sluice_conf *conf, void **self,
                                        struct sluice_err *err)
{
    (void)err;
    struct stamper *s = *self = calloc(1, sizeof *s);
    if (!s) return SLUICE_FAIL;
    s->task = task;
    s->host = host;
    s->topic = host->str(conf, "topic");
    s->every_us = host->num(conf, "every.ms") * 1000;
    s->id = host->task_id(task);
    s->due_us = now_us();
    snprintf(s->run, sizeof s->run, "%ld-%lld", (long)getpid(), (long long)s->due_us);
    const char *name = host->connector(task);
    const struct sluice_value partition[4] = {sluice_string("connector", 9),
                                              sluice_string(name, strlen(name)),
                                              sluice_string("task", 4), sluice_int64(s->id)};
    const struct sluice_value map = sluice_nested(SLUICE_MAP, partition, 2);
    s->partition = host->partition(task, &map);
    const struct sluice_value *stored = host->resume(task, s->partition);
    if (stored && stored->len == 1) s->seq = stored->u.v[1].u.i + 1;
    return SLUICE_OK;
}

static enum sluice_verdict stamper_poll(void *self, struct sluice_batch *batch,
                                        const struct sluice_room *room, struct sluice_err *err)
{
    struct stamper *s = self;
    struct pollfd pfd = {.fd = s->host->wake_fd(s->task), .events = POLLIN};
    int64_t left_ms = (s->due_us - now_us()) / 1000;
    (void)err;
    if (left_ms > 0) poll(&pfd, 1, left_ms < room->wait_ms ? (int)left_ms : room->wait_ms);
    int64_t at = now_us();
    if (at < s->due_us || room->records == 0) return SLUICE_OK;
    s->due_us = at + s->every_us;
    char *text = s->host->alloc(batch, 160), *key = s->host->alloc(batch, 16);
    int64_t *position = s->host->alloc(batch, sizeof *position);
    int n = snprintf(text, 160, "{\"task\":%d,\"run\":\"%s\",\"seq\":%lld,\"at\":%lld}", s->id,
                     s->run, (long long)s->seq, (long long)at);
    int key_n = snprintf(key, 16, "%d", s->id);
    *position = s->seq++;
    struct sluice_record *rec = s->host->append(batch);
    rec->topic = s->topic;
    rec->key = sluice_string(key, (size_t)key_n);
    rec->value = sluice_string(text, (size_t)n);
    rec->source_partition = s->partition;
    rec->position = position;
    rec->position_len = sizeof *position;
    return SLUICE_OK;
}

static enum sluice_verdict stamper_offset(void *self, const void *position, size_t len,
                                          struct sluice_batch *scratch, struct sluice_value *out,
                                          struct sluice_err *err)
{
    struct stamper *s = self;
    int64_t seq;
    (void)err;
    if (len != sizeof seq) return SLUICE_FAIL;
    memcpy(&seq, position, sizeof seq);
    struct sluice_value *entry = s->host->alloc(scratch, 2 * sizeof *entry);
    entry[0] = sluice_string("seq", 3);
    entry[1] = sluice_int64(seq);
    *out = sluice_nested(SLUICE_MAP, entry, 1);
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    {.key = "topic",
     .type = SLUICE_OPT_STRING,
     .importance = SLUICE_HIGH,
     .flags = SLUICE_OPT_REQUIRED,
     .doc = "Topic to write to."},
    {.key = "every.ms",
     .type = SLUICE_OPT_INT,
     .importance = SLUICE_LOW,
     .fallback = "100",
     .valid = "1..",
     .doc = "Between two records of a task."},
    {.key = NULL},
};

static const struct sluice_source source = {
    .size = sizeof source, .poll = stamper_poll, .offset = stamper_offset};

static const struct sluice_plugin stamper = {
    SLUICE_PLUGIN_HEAD, .kind = SLUICE_KIND_SOURCE, .name = "stamper", .version = "1.0.0",
    .options = options, .open = stamper_open,       .close = free,     .source = &source};
static const struct sluice_plugin *const plugins[] = {&stamper, NULL};

const struct sluice_plugin *const *sluice_plugins_v1(void) { return plugins; }
