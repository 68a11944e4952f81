/* identity.c - replica.identity.autoset.values: what the server tells of old rows, table by table.
 *
 * The tables are matched here, as the server knows no PCRE; one statement then changes those whose
 * identity differs. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cdc.h"
#include "watch.h"

/* What ALTER TABLE needs for the table of this row; false: it has that already. */
static bool differs(const struct cdc_conn *conn, int row, const char *wanted, struct cdc_text *sql)
{
    char now = *cdc_conn_field(conn, 0, row, 2);
    if (strncasecmp(wanted, "INDEX ", 6) != 0) {
        char letter = !strcasecmp(wanted, "FULL")      ? 'f'
                      : !strcasecmp(wanted, "DEFAULT") ? 'd'
                                                       : 'n';
        cdc_text_adds(sql, wanted);
        return now != letter;
    }
    const char *index = wanted + 6 + strspn(wanted + 6, " ");
    cdc_text_adds(sql, "USING INDEX ");
    cdc_text_ident(sql, index);
    return now != 'i' || strcmp(cdc_conn_field(conn, 0, row, 3), index) != 0;
}

static char *alter_sql(const struct cdc *cdc)
{
    const struct cdc_conn *conn = &cdc->general;
    struct cdc_text sql = {0};
    cdc_text_adds(&sql, "");
    for (int i = 0; i < PQntuples(conn->results[0]); i++) {
        const char *schema = cdc_conn_field(conn, 0, i, 0), *table = cdc_conn_field(conn, 0, i, 1);
        char *name = cdc_format("%s.%s", schema, table);
        const struct cdc_key_rule *rule = cdc_key_rules_find(&cdc->settings.identities, name);
        free(name);
        if (!rule || !cdc_captures_table(&cdc->settings, schema, table)) continue;
        struct cdc_text what = {0};
        if (differs(conn, i, rule->columns[0], &what)) {
            cdc_text_adds(&sql, "ALTER TABLE ");
            cdc_text_ident(&sql, schema);
            cdc_text_adds(&sql, ".");
            cdc_text_ident(&sql, table);
            cdc_text_addf(&sql, " REPLICA IDENTITY %s; ", what.s);
        }
        cdc_text_free(&what);
    }
    return sql.s ? sql.s : cdc_strdup("");
}

enum cdc_step cdc_identify(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    if (!cdc->settings.identities.n) return CDC_DONE;
    enum cdc_step step;
    if (!cdc->identity_sql) {
        step = cdc_conn_query(
            &cdc->general, &cdc->settings,
            "SELECT n.nspname, c.relname, c.relreplident, (SELECT x.relname FROM "
            "pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE "
            "i.indrelid = c.oid AND i.indisreplident LIMIT 1) FROM pg_catalog.pg_class c JOIN "
            "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND "
            "c.relpersistence = 'p'",
            "reading the replica identities", wait, err);
        if (step != CDC_DONE) return step;
        cdc->identity_sql = alter_sql(cdc);
    }
    step = CDC_DONE;
    if (*cdc->identity_sql)
        step = cdc_conn_query(&cdc->general, &cdc->settings, cdc->identity_sql,
                              "setting replica identities (replica.identity.autoset.values)", wait,
                              err);
    if (step == CDC_WAIT) return step;
    if (step == CDC_DONE && *cdc->identity_sql)
        cdc->host->log(cdc->task, SLUICE_INFO, "set replica identities: %s", cdc->identity_sql);
    free(cdc->identity_sql);
    cdc->identity_sql = NULL;
    return step;
}
