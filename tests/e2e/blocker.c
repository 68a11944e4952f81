/* blocker.c - a source that misbehaves on request: it blocks for good in the callback that
 * block.in names, and ignores its wake fd. test_blocking.py compiles it. */
#include <string.h>
#include <unistd.h>

#include "sluice/plugin.h"

struct blocker {
    const struct sluice_host *host;
    const char *where;
};

static void block(const char *where, const char *here)
{
    while (strcmp(where, here) == 0) pause();
}

static void validate(const struct sluice_host *host, const struct sluice_conf *conf,
                     struct sluice_report *report)
{
    (void)report;
    block(host->str(conf, "block.in"), "validate");
}

static struct blocker blocker; /* one task at a time is enough for a test */

static enum sluice_verdict open_blocker(struct sluice_task *task, const struct sluice_host *host,
                                        const struct sluice_conf *conf, void **self,
                                        struct sluice_err *err)
{
    (void)task;
    (void)err;
    blocker.host = host;
    blocker.where = host->str(conf, "block.in");
    *self = &blocker;
    block(blocker.where, "open");
    return SLUICE_OK;
}

static void close_blocker(void *self)
{
    struct blocker *b = self;
    if (b) block(b->where, "close");
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
     "validate|open|poll|close|nothing", NULL, "The callback that does not return."},
    {0},
};

static const struct sluice_source source = {
    .size = sizeof source, .poll = poll_blocker, .offset = offset};

static const struct sluice_plugin plugin = {
    SLUICE_PLUGIN_HEAD,     .kind = SLUICE_KIND_SOURCE, .max_tasks = 1,       .name = "blocker",
    .version = "1.0.0",     .options = options,         .validate = validate, .open = open_blocker,
    .close = close_blocker, .source = &source};

static const struct sluice_plugin *const plugins[] = {&plugin, NULL};

const struct sluice_plugin *const *sluice_plugins_v1(void) { return plugins; }
