/* has_header_key.c - org.apache.kafka.connect.transforms.predicates.HasHeaderKey: whether a record
 * has a header of this name. Owner: the task that asks. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/builtins.h"

static enum sluice_verdict test(void *self, const struct sluice_record *rec, bool *holds,
                                struct sluice_err *err)
{
    const char *name = self;
    (void)err;
    *holds = false;
    for (uint32_t i = 0; i < rec->headers_len && !*holds; i++) {
        *holds = strcmp(rec->headers[i].key, name) == 0;
    }
    return SLUICE_OK;
}

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    (void)task;
    (void)err;
    *self = sluice_xstrdup(host->str(conf, "name"));
    return SLUICE_OK;
}

static void close(void *self) { free(self); }

static const struct sluice_option options[] = {
    {"name", SLUICE_OPT_STRING, SLUICE_MEDIUM, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL,
     NULL, NULL, "The header's name."},
    {0},
};

static const char *const aliases[] = {"org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
                                      NULL};

static const struct sluice_predicate predicate = {.size = sizeof predicate, .test = test};

const struct sluice_plugin sluice_has_header_key = {
    SLUICE_PLUGIN_HEAD,
    .kind = SLUICE_KIND_PREDICATE,
    .name = "has-header-key",
    .version = SLUICE_VERSION,
    .aliases = aliases,
    .options = options,
    .open = open,
    .close = close,
    .predicate = &predicate,
};
