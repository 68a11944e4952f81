/* debezium_changed_state.c - io.debezium.transforms.ExtractChangedRecordState: which columns an
 * update changed and which not, as headers. Other events get empty lists. Owner: one task's thread.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/transforms/debezium.h"
#include "data/values.h"

struct list {
    char *header;                       /* NULL: not wanted */
    const struct sluice_schema *schema; /* held */
};

struct changed {
    struct list changed, unchanged;
};

/* Names of the after row's fields whose value differs (or does not) from the before row's. */
static bool compare(struct sluice_batch *batch, const struct sluice_record *rec,
                    struct sluice_value lists[2], struct sluice_err *err)
{
    const struct sluice_schema *envelope = rec->value_schema;
    int before_at = dbz_field(envelope, "before"), after_at = dbz_field(envelope, "after");
    lists[0] = lists[1] = sluice_nested(SLUICE_ARRAY, NULL, 0);
    if (before_at < 0 || after_at < 0) {
        return sluice_err_set(err, "%s is not a valid field name in the change event %s",
                              after_at < 0 ? "after" : "before", envelope->name);
    }
    const struct sluice_value *before = &rec->value.u.v[before_at];
    const struct sluice_value *after = &rec->value.u.v[after_at];
    const struct sluice_schema *old = envelope->fields[before_at].schema;
    const struct sluice_schema *new = envelope->fields[after_at].schema;
    if (before->type == SLUICE_NULL || after->type == SLUICE_NULL) return true;
    if (!smt_require_struct(old, before, "Before value should be struct.", err) ||
        !smt_require_struct(new, after, "After value should be struct.", err)) {
        return false;
    }
    struct sluice_value *names = sluice_batch_alloc(batch, 2 * (size_t)after->len * sizeof *names);
    uint32_t n[2] = {0, 0};
    assert(before->len == old->fields_len && after->len == new->fields_len);
    for (uint32_t i = 0; i < after->len; i++) {
        const char *name = new->fields[i].name;
        int at = old == new ? (int)i : dbz_field(old, name);
        if (at < 0) return sluice_err_set(err, "%s is not a valid field name", name);
        int same = sluice_value_equal(&before->u.v[at], &after->u.v[i]);
        names[(size_t)same * after->len + n[same]++] = sluice_string(name, strlen(name));
    }
    lists[0] = sluice_nested(SLUICE_ARRAY, names, n[0]);
    lists[1] = sluice_nested(SLUICE_ARRAY, names + after->len, n[1]);
    sluice_batch_hold(batch, new); /* the names are its */
    return true;
}

static enum sluice_verdict apply(void *state, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct changed *self = state;
    struct sluice_value lists[2];
    if (!dbz_is_envelope(rec)) return SLUICE_OK;
    if (!smt_require_struct(rec->value_schema, &rec->value, "Record value should be struct.",
                            err) ||
        !compare(batch, rec, lists, err)) {
        return SLUICE_FAIL;
    }
    struct sluice_header *to = dbz_more_headers(batch, rec, 2);
    const struct list *const wanted[2] = {&self->changed, &self->unchanged};
    for (int i = 0; i < 2; i++) {
        if (!wanted[i]->header) continue;
        sluice_batch_hold(batch, wanted[i]->schema);
        *to++ = (struct sluice_header){wanted[i]->header, wanted[i]->schema, lists[i]};
    }
    rec->headers_len = (uint32_t)(to - rec->headers);
    return SLUICE_OK;
}

static void list_init(struct list *list, const char *header)
{
    if (!header || !header[strspn(header, " \t")]) return;
    struct sluice_schema text = {.type = SLUICE_STRING, .optional = true};
    struct sluice_schema names = {
        .type = SLUICE_ARRAY, .optional = true, .name = header, .elem = &text};
    list->header = sluice_xstrdup(header);
    list->schema = sluice_schema_intern(&names);
}

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **state,
                                struct sluice_err *err)
{
    (void)task;
    (void)err;
    struct changed *self = sluice_xcalloc(1, sizeof *self);
    *state = self;
    list_init(&self->changed, host->str(conf, "header.changed.name"));
    list_init(&self->unchanged, host->str(conf, "header.unchanged.name"));
    return SLUICE_OK;
}

static void close(void *state)
{
    struct changed *self = state;
    if (!self) return;
    struct list *lists[2] = {&self->changed, &self->unchanged};
    for (int i = 0; i < 2; i++) {
        free(lists[i]->header);
        sluice_schema_free(lists[i]->schema);
    }
    free(self);
}

static const struct sluice_option options[] = {
    {"header.changed.name", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, NULL, NULL,
     "The header that lists the columns that an update changed; none when not given."},
    {"header.unchanged.name", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, NULL, NULL,
     "The header that lists the columns that it left as they were; none when not given."},
    {0},
};

DBZ_PLUGIN(debezium_changed_state, "extract-changed-record-state", NULL,
           "io.debezium.transforms.ExtractChangedRecordState", "ExtractChangedRecordState");
