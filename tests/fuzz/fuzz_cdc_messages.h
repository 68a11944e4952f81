/* fuzz_cdc_messages.h - one input as every message of pgoutput; see fuzz_cdc.c. What is read lies
 * within it. */
#ifndef SLUICE_TESTS_FUZZ_CDC_MESSAGES_H
#define SLUICE_TESTS_FUZZ_CDC_MESSAGES_H

#include <assert.h>
#include <string.h>

#include "pgoutput.h"

static void fuzz_cdc_messages(const void *data, size_t len)
{
    static struct cdc_cell before[CDC_COLUMNS_MAX], after[CDC_COLUMNS_MAX];
    static struct cdc_relation_column columns[CDC_COLUMNS_MAX];
    struct cdc_cursor c;
    for (const char *op = "IUD"; *op; op++) {
        struct cdc_change change = {.before.cells = before, .after.cells = after};
        cdc_cursor_init(&c, data, len);
        bool ok = cdc_read_change(&c, *op, &change);
        for (uint32_t i = 0; ok && i < change.after.n; i++) {
            const struct cdc_cell *cell = &after[i];
            assert(strchr("tnub", cell->kind));
            if (cell->kind == 't')
                assert(cell->s >= (const char *)data &&
                       cell->s + cell->len <= (const char *)data + len);
        }
    }
    struct cdc_relation_message relation = {.columns = columns};
    cdc_cursor_init(&c, data, len);
    if (cdc_read_relation(&c, &relation)) assert(relation.n <= CDC_COLUMNS_MAX);
    struct cdc_logical_message logical;
    cdc_cursor_init(&c, data, len);
    if (cdc_read_logical_message(&c, &logical)) assert(logical.content_len <= len);
    struct cdc_begin begin;
    struct cdc_commit commit;
    cdc_cursor_init(&c, data, len);
    cdc_read_begin(&c, &begin);
    cdc_cursor_init(&c, data, len);
    cdc_read_commit(&c, &commit);
    struct cdc_ending ending;
    uint32_t xid;
    for (const char *type = "PpbKc"; *type; type++) {
        cdc_cursor_init(&c, data, len);
        cdc_read_ending(&c, *type, &ending);
    }
    cdc_cursor_init(&c, data, len);
    cdc_read_rollback_prepared(&c, &xid);
}

#endif
