/* filter.c - org.apache.kafka.connect.transforms.Filter: leaves every record out; a predicate says
 * which ones come here. Owner: the transform's task. */
#include "data/transforms/smt_plugin.h"

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    (void)self;
    (void)batch;
    (void)rec;
    (void)err;
    return SLUICE_DROP;
}

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    (void)form;
    (void)host;
    (void)conf;
    (void)err;
    *self = NULL; /* no state */
    return SLUICE_OK;
}

static void close(void *self) { (void)self; }

static const struct sluice_option options[] = {{0}};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN(filter, "filter", "Filter", NULL);
