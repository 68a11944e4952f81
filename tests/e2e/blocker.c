/* blocker.c - a source and a sink that misbehave on request: they block for good in the callback
 * that block.in names, and ignore their wake fd; a line of stderr tells when they do.
 * test_blocking.py and test_lifecycle.py compile it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sluice/plugin.h"

struct blocker {
    const struct sluice_host *host;
    const char *where;
};

static void block(const char *where, const char *here)
{
    if (strcmp(where, here) != 0) return;
    dprintf(STDERR_FILENO, "blocked in %s\n", here);
    for (;;) pause();
}

static void validate(const struct sluice_host *host, const struct sluice_conf *conf,
                     struct sluice_report *report)
{
    (void)report;
    block(host->str(conf, "block.in"), "validate");
}

static enum sluice_verdict open_blocker(struct sluice_task *task, const struct sluice_host *host,
                                        const struct sluice_conf *conf, void **self,
                                        struct sluice_err *err)
{
    (void)task;
    (void)err;
    struct blocker *b = *self = malloc(sizeof *b);
    if (!b) return SLUICE_FAIL;
    b->host = host;
    b->where = host->str(conf, "block.in");
    block(b->where, "open");
    return SLUICE_OK;
}

static void close_blocker(void *self)
{
    struct blocker *b = self;
    if (b) block(b->where, "close");
    free(b);
}

static enum sluice_verdict poll_blocker(void *self, struct sluice_batch *batch,
                                        const struct sluice_room *room, struct sluice_err *err)
{
    struct blocker *b = self;
    (void)batch;
    (void)room;
    (void)err;
    block(b->where, "poll");
    usleep(10000);
    return SLUICE_OK;
}

static enum sluice_verdict offset(void *self, const void *position, size_t len,
                                  struct sluice_batch *scratch, struct sluice_value *out,
                                  struct sluice_err *err)
{
    (void)self;
    (void)position;
    (void)len;
    (void)scratch;
    (void)out;
    (void)err;
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    {"block.in", SLUICE_OPT_STRING, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL,
     "validate|open|poll|put|close|nothing", NULL, "The callback that does not return."},
    {0},
};

static const struct sluice_source source = {
    .size = sizeof source, .poll = poll_blocker, .offset = offset};

static const struct sluice_plugin plugin = {
    SLUICE_PLUGIN_HEAD,     .kind = SLUICE_KIND_SOURCE, .max_tasks = 1,       .name = "blocker",
    .version = "1.0.0",     .options = options,         .validate = validate, .open = open_blocker,
    .close = close_blocker, .source = &source};

static enum sluice_verdict put_blocker(void *self, const struct sluice_record *records, size_t n,
                                       struct sluice_err *err)
{
    struct blocker *b = self;
    (void)records;
    (void)n;
    (void)err;
    block(b->where, "put");
    return SLUICE_OK;
}

static enum sluice_verdict flush_blocker(void *self, struct sluice_err *err)
{
    (void)self;
    (void)err;
    return SLUICE_OK;
}

static const struct sluice_sink sink = {
    .size = sizeof sink, .put = put_blocker, .flush = flush_blocker};

static const struct sluice_plugin sink_plugin = {SLUICE_PLUGIN_HEAD,     .kind = SLUICE_KIND_SINK,
                                                 .max_tasks = 1,         .name = "blocker-sink",
                                                 .version = "1.0.0",     .options = options,
                                                 .validate = validate,   .open = open_blocker,
                                                 .close = close_blocker, .sink = &sink};

static const struct sluice_plugin *const plugins[] = {&plugin, &sink_plugin, NULL};

const struct sluice_plugin *const *sluice_plugins_v1(void) { return plugins; }
