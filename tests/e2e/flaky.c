/* flaky.c - a transform that says RETRY for as long as the file of its option down.file is there,
 * as
 * one does whose registry is away. test_policy.py compiles it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sluice/plugin.h"

struct flaky {
    const struct sluice_host *host;
    const char *file;
};

static enum sluice_verdict flaky_open(struct sluice_task *task, const struct sluice_host *host,
                                      const struct sluice_conf *conf, void **self,
                                      struct sluice_err *err)
{
    (void)task;
    (void)err;
    struct flaky *flaky = *self = malloc(sizeof *flaky);
    if (!flaky) return SLUICE_FAIL;
    flaky->host = host;
    flaky->file = host->str(conf, "down.file");
    return SLUICE_OK;
}

static enum sluice_verdict flaky_apply(void *self, struct sluice_batch *batch,
                                       struct sluice_record *rec, struct sluice_err *err)
{
    struct flaky *flaky = self;
    (void)batch;
    (void)rec;
    if (access(flaky->file, F_OK) != 0) return SLUICE_OK;
    snprintf(err->msg, sizeof err->msg, "the registry is away");
    return SLUICE_RETRY;
}

static const struct sluice_option options[] = {
    {"down.file", SLUICE_OPT_STRING, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL, NULL, NULL,
     "While this file exists, nothing works."},
    {0},
};
static const char *const aliases[] = {"org.example.Flaky", NULL};
static const struct sluice_transform transform = {sizeof transform, flaky_apply};
static const struct sluice_plugin flaky = {SLUICE_PLUGIN_HEAD,     .kind = SLUICE_KIND_TRANSFORM,
                                           .name = "flaky",        .version = "1",
                                           .aliases = aliases,     .options = options,
                                           .open = flaky_open,     .close = free,
                                           .transform = &transform};
static const struct sluice_plugin *const plugins[] = {&flaky, NULL};

const struct sluice_plugin *const *sluice_plugins_v1(void) { return plugins; }
