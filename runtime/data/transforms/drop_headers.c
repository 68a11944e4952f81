/* drop_headers.c - org.apache.kafka.connect.transforms.DropHeaders: headers of some names are taken
 * off. Owner: the transform's task. */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/transforms/smt_plugin.h"

struct drop {
    char **names; /* NULL-ended */
};

static bool is_listed(const struct drop *drop, const char *key)
{
    for (char **name = drop->names; *name; name++) {
        if (strcmp(*name, key) == 0) return true;
    }
    return false;
}

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    const struct drop *drop = self;
    struct sluice_header *kept = NULL; /* a copy from the first listed header on */
    uint32_t n = 0;
    (void)err;
    for (uint32_t i = 0; i < rec->headers_len; i++) {
        bool listed = is_listed(drop, rec->headers[i].key);
        if (listed && !kept) {
            kept = sluice_batch_alloc(batch, rec->headers_len * sizeof *kept);
            if (i) memcpy(kept, rec->headers, i * sizeof *kept);
        }
        if (listed) continue;
        if (kept) kept[n] = rec->headers[i];
        n++;
    }
    assert(n <= rec->headers_len && (kept || n == rec->headers_len));
    if (kept) rec->headers = kept;
    rec->headers_len = n;
    return SLUICE_OK;
}

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    (void)form;
    (void)err;
    const char *const *list = host->list(conf, "headers");
    struct drop *drop = sluice_xcalloc(1, sizeof *drop);
    size_t n = 0;
    *self = drop;
    while (list[n]) n++;
    drop->names = sluice_xcalloc(n + 1, sizeof *drop->names);
    for (size_t i = 0; i < n; i++) drop->names[i] = sluice_xstrdup(list[i]);
    return SLUICE_OK;
}

static void close(void *self)
{
    struct drop *drop = self;
    if (!drop) return;
    for (char **name = drop->names; *name; name++) free(*name);
    free(drop->names);
    free(drop);
}

static const struct sluice_option options[] = {
    {"headers", SLUICE_OPT_LIST, SLUICE_HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL, NULL,
     NULL, "Names of the headers to take off."},
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN(drop_headers, "drop-headers", "DropHeaders", NULL);
