/* insert_header.c - org.apache.kafka.connect.transforms.InsertHeader: one more header for each
 * record; its value is read from text as SimpleHeaderConverter reads it. Owner: the transform's
 * task. */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/converters/header_text.h"
#include "data/transforms/smt_plugin.h"
#include "data/values.h"

struct insert {
    char *name;
    size_t name_len;
    char *literal;
    struct sluice_batch batch;          /* holds the value */
    const struct sluice_schema *schema; /* held; NULL: none */
    struct sluice_value value;
};

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    const struct insert *insert = self;
    size_t n = rec->headers_len;
    struct sluice_header *headers = sluice_batch_alloc(batch, (n + 1) * sizeof *headers);
    (void)err;
    if (n) memcpy(headers, rec->headers, n * sizeof *headers);
    sluice_batch_hold(batch, insert->schema);
    headers[n] =
        (struct sluice_header){smt_text(batch, insert->name, insert->name_len), insert->schema,
                               sluice_value_copy(&batch->arena, &insert->value)};
    rec->headers = headers;
    rec->headers_len = (uint32_t)n + 1;
    return SLUICE_OK;
}

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    (void)form;
    (void)err;
    const struct sluice_schema *guess = NULL;
    struct insert *insert = sluice_xcalloc(1, sizeof *insert);
    *self = insert;
    sluice_batch_init(&insert->batch);
    insert->name = sluice_xstrdup(host->str(conf, "header"));
    insert->name_len = strlen(insert->name);
    insert->literal = sluice_xstrdup(host->str(conf, "value.literal"));
    insert->value =
        sluice_header_read(&insert->batch, insert->literal, strlen(insert->literal), &guess);
    assert(insert->value.type != SLUICE_NULL || !guess);
    if (guess) insert->schema = sluice_schema_intern(guess);
    return SLUICE_OK;
}

static void close(void *self)
{
    struct insert *insert = self;
    if (!insert) return;
    sluice_schema_free(insert->schema);
    sluice_batch_fini(&insert->batch);
    free(insert->name);
    free(insert->literal);
    free(insert);
}

static const struct sluice_option options[] = {
    {"header", SLUICE_OPT_STRING, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL, NULL, NULL,
     "The header's name."},
    {"value.literal", SLUICE_OPT_STRING, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL, NULL, NULL,
     "The header's value; numbers, booleans, dates, lists and maps are recognised."},
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN(insert_header, "insert-header", "InsertHeader", NULL);
