/* record_is_tombstone.c - org.apache.kafka.connect.transforms.predicates.RecordIsTombstone: whether
 * a record's value is null. Owner: the task that asks. */
#include "data/builtins.h"

static enum sluice_verdict test(void *self, const struct sluice_record *rec, bool *holds,
                                struct sluice_err *err)
{
    (void)self;
    (void)err;
    *holds = rec->value.type == SLUICE_NULL;
    return SLUICE_OK;
}

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    (void)task;
    (void)host;
    (void)conf;
    (void)err;
    *self = NULL; /* no state */
    return SLUICE_OK;
}

static void close(void *self) { (void)self; }

static const struct sluice_option options[] = {{0}};

static const char *const aliases[] = {
    "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone", NULL};

static const struct sluice_predicate predicate = {.size = sizeof predicate, .test = test};

const struct sluice_plugin sluice_record_is_tombstone = {
    SLUICE_PLUGIN_HEAD,
    .kind = SLUICE_KIND_PREDICATE,
    .name = "record-is-tombstone",
    .version = SLUICE_VERSION,
    .aliases = aliases,
    .options = options,
    .open = open,
    .close = close,
    .predicate = &predicate,
};
