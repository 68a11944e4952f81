/* marking.c - a transform and a predicate in a shared object of their own, as somebody would write
 * them: the transform puts a mark before texts, the predicate holds for values that have one. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

#include "sluice/plugin.h"

struct mark {
    const struct sluice_host *host;
    char *text;
};

static enum sluice_verdict mark_open(struct sluice_task *task, const struct sluice_host *host,
                                     const struct sluice_conf *conf, void **self,
                                     struct sluice_err *err)
{
    (void)task;
    (void)err;
    struct mark *mark = calloc(1, sizeof *mark);
    *self = mark;
    if (!mark) return SLUICE_FAIL;
    mark->host = host;
    mark->text = strdup(host->str(conf, "mark"));
    return mark->text ? SLUICE_OK : SLUICE_FAIL;
}

static void mark_close(void *self)
{
    struct mark *mark = self;
    if (!mark) return;
    free(mark->text);
    free(mark);
}

static enum sluice_verdict mark_apply(void *self, struct sluice_batch *batch,
                                      struct sluice_record *rec, struct sluice_err *err)
{
    const struct mark *mark = self;
    (void)err;
    if (rec->value.type != SLUICE_STRING) return SLUICE_OK;
    size_t n = strlen(mark->text), len = rec->value.len;
    char *to = mark->host->alloc(batch, n + len);
    memcpy(to, mark->text, n);
    if (len) memcpy(to + n, rec->value.u.s, len);
    rec->value = sluice_string(to, n + len);
    return SLUICE_OK;
}

static enum sluice_verdict marked_test(void *self, const struct sluice_record *rec, bool *holds,
                                       struct sluice_err *err)
{
    const struct mark *mark = self;
    size_t n = strlen(mark->text);
    (void)err;
    *holds = rec->value.type == SLUICE_STRING && rec->value.len >= n &&
             memcmp(rec->value.u.s, mark->text, n) == 0;
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    {"mark", SLUICE_OPT_STRING, SLUICE_HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL, NULL,
     NULL, "The mark."},
    {0},
};

static const char *const mark_aliases[] = {"com.example.transforms.Mark", NULL};
static const char *const marked_aliases[] = {"com.example.predicates.IsMarked", NULL};
static const struct sluice_transform transform = {.size = sizeof transform, .apply = mark_apply};
static const struct sluice_predicate predicate = {.size = sizeof predicate, .test = marked_test};

static const struct sluice_plugin mark = {
    SLUICE_PLUGIN_HEAD, .kind = SLUICE_KIND_TRANSFORM, .name = "mark",
    .version = "2.1",   .aliases = mark_aliases,       .options = options,
    .open = mark_open,  .close = mark_close,           .transform = &transform,
};

static const struct sluice_plugin marked = {
    SLUICE_PLUGIN_HEAD, .kind = SLUICE_KIND_PREDICATE, .name = "is-marked",
    .version = "2.1",   .aliases = marked_aliases,     .options = options,
    .open = mark_open,  .close = mark_close,           .predicate = &predicate,
};

SLUICE_EXPORT const struct sluice_plugin *const *sluice_plugins_v1(void)
{
    static const struct sluice_plugin *const plugins[] = {&mark, &marked, NULL};
    return plugins;
}
