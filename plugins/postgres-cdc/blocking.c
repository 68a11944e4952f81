/* blocking.c - see blocking.h. */
#include "blocking.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cdc.h"
#include "incremental_parts.h"

bool cdc_blocking_begin(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    if (!inc || !inc->blocking || cdc->in_transaction || cdc->message || inc->loading ||
        cdc->heartbeat_query_due || cdc->general.under_way)
        return false;
    cdc_position_begins(cdc);
    cdc_incremental_abandon(cdc);
    cdc_stream_abandon(cdc);
    cdc_conn_close(&cdc->replication); /* it comes again, from the position */
    cdc->slot.snapshot[0] = 0;         /* what the slot began with is long gone */
    cdc->blocking = true;
    cdc->phase = CDC_TABLES;
    cdc->host->log(cdc->task, SLUICE_INFO,
                   "blocking snapshot '%s': streaming stops until it is complete",
                   inc->blocking->id);
    return true;
}

static bool matches(const char *regex, const char *name)
{
    struct cdc_patterns pattern = {0};
    struct sluice_err err;
    bool match = regex && cdc_patterns_add(&pattern, regex, strlen(regex), &err) &&
                 cdc_patterns_match(&pattern, name) >= 0;
    cdc_patterns_free(&pattern);
    return match;
}

void cdc_blocking_tables(struct cdc *cdc)
{
    const json_t *names = json_object_get(cdc->incremental->blocking->data, "data-collections");
    const json_t *name;
    size_t kept = 0, k;
    assert(cdc->blocking);
    for (size_t i = 0; i < cdc->tables_n; i++) {
        struct cdc_table *table = &cdc->tables[i];
        char *full = cdc_format("%s.%s", table->schema, table->name);
        bool match = false;
        json_array_foreach(names, k, name) match |= matches(json_string_value(name), full);
        free(full);
        if (match) {
            cdc->tables[kept++] = *table;
        } else {
            free(table->schema);
            free(table->name);
        }
    }
    cdc->tables_n = kept;
    if (!kept)
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "blocking snapshot '%s': none of the captured tables matches its "
                       "data-collections",
                       cdc->incremental->blocking->id);
}

/* Debezium takes a whole statement here, and a condition for incremental snapshots; both do. */
char *cdc_blocking_select(const struct cdc *cdc, const struct cdc_table *table)
{
    const json_t *list = json_object_get(cdc->incremental->blocking->data, "additional-conditions");
    const json_t *one;
    size_t i;
    char *full = cdc_format("%s.%s", table->schema, table->name), *sql = NULL;
    json_array_foreach(list, i, one)
    {
        const char *filter = json_string_value(json_object_get(one, "filter"));
        const char *whose = json_string_value(json_object_get(one, "data-collection"));
        if (sql || !filter || !*filter || !matches(whose, full)) continue;
        while (isspace((unsigned char)*filter)) filter++;
        if (!strncasecmp(filter, "select", 6) || !strncasecmp(filter, "with", 4)) {
            sql = cdc_strdup(filter);
            continue;
        }
        struct cdc_text text = {0};
        cdc_text_adds(&text, "SELECT * FROM ");
        cdc_text_ident(&text, table->schema);
        cdc_text_adds(&text, ".");
        cdc_text_ident(&text, table->name);
        cdc_text_addf(&text, " WHERE %s", filter);
        sql = text.s;
    }
    free(full);
    return sql;
}

void cdc_blocking_done(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    struct request *request = inc->blocking;
    assert(cdc->blocking && request);
    inc->blocking = request->next;
    cdc_incremental_request_free(request);
    cdc_incremental_note(cdc, inc->last);
}
