/* publication.c - the publication: made when it is missing, and kept at the captured tables where
 * publication.autocreate.mode is filtered. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"
#include "watch.h"

/* As publications name them, in the order of their columns in pg_publication. */
static const struct {
    unsigned skip;
    const char *name;
} operations[] = {{CDC_SKIP_C, "insert"},
                  {CDC_SKIP_U, "update"},
                  {CDC_SKIP_D, "delete"},
                  {CDC_SKIP_T, "truncate"}};
#define ALL_SKIPS (CDC_SKIP_C | CDC_SKIP_U | CDC_SKIP_D | CDC_SKIP_T)

void cdc_publication_seen(struct cdc *cdc, const char *flags)
{
    const struct cdc_settings *s = &cdc->settings;
    cdc->publication_exists = *flags != 0;
    cdc->publication_all = *flags == 't';
    for (size_t i = 0; cdc->publication_exists && i < 4; i++)
        if (flags[1 + i] != 't' && !(s->skipped & operations[i].skip))
            cdc->host->log(cdc->task, SLUICE_WARN,
                           "publication %s leaves %s out, which skipped.operations does not; if "
                           "it is to be captured, run: ALTER PUBLICATION %s SET (publish = "
                           "'insert, update, delete, truncate');",
                           s->publication, operations[i].name, s->publication);
}

static void publication_name(const struct cdc_settings *s, struct cdc_text *sql)
{
    const char *p = s->publication;
    size_t plain = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (p[plain] || isdigit((unsigned char)*p)) cdc_text_ident(sql, p);
    else cdc_text_adds(sql, p);
}

/* "s"."a", "s"."b" of the captured tables that are logged; false: there are none. */
static bool table_list(const struct cdc *cdc, struct cdc_text *sql)
{
    bool any = false;
    for (size_t i = 0; i < cdc->tables_n; i++) {
        if (!cdc->tables[i].logged) continue;
        if (any) cdc_text_adds(sql, ", ");
        cdc_text_ident(sql, cdc->tables[i].schema);
        cdc_text_adds(sql, ".");
        cdc_text_ident(sql, cdc->tables[i].name);
        any = true;
    }
    return any;
}

/* Brings a publication of single tables to the captured ones, when they differ. */
static char *alter_sql(const struct cdc *cdc)
{
    struct cdc_text list = {0}, body = {0}, sql = {0};
    table_list(cdc, &list);
    cdc_text_adds(&body, "BEGIN IF (SELECT array_agg(r.prrelid ORDER BY r.prrelid) FROM "
                         "pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON "
                         "p.oid = r.prpubid WHERE p.pubname = ");
    cdc_text_literal(&body, cdc->settings.publication);
    cdc_text_adds(&body, ") IS DISTINCT FROM (SELECT array_agg(o ORDER BY o) FROM unnest(ARRAY[");
    bool any = false;
    for (size_t i = 0; i < cdc->tables_n; i++) {
        if (!cdc->tables[i].logged) continue;
        cdc_text_addf(&body, "%s%u", any ? "," : "", cdc->tables[i].oid);
        any = true;
    }
    cdc_text_adds(&body, "]::oid[]) o) THEN ALTER PUBLICATION ");
    publication_name(&cdc->settings, &body);
    cdc_text_addf(&body, " SET TABLE %s; END IF; END", list.s);
    /* No dollar quotes: whoever may create tables could end them by a table's name. */
    cdc_text_adds(&sql, "DO ");
    cdc_text_literal(&sql, body.s);
    cdc_text_free(&list);
    cdc_text_free(&body);
    return sql.s;
}

static char *create_sql(const struct cdc *cdc)
{
    const struct cdc_settings *s = &cdc->settings;
    struct cdc_text sql = {0};
    cdc_text_adds(&sql, "CREATE PUBLICATION ");
    publication_name(s, &sql);
    if (s->autocreate == CDC_ALL_TABLES) cdc_text_adds(&sql, " FOR ALL TABLES");
    if (s->autocreate == CDC_FILTERED) {
        cdc_text_adds(&sql, " FOR TABLE ");
        table_list(cdc, &sql);
    }
    bool published = s->skipped_given && (s->skipped & ALL_SKIPS);
    if (s->via_root || published) cdc_text_adds(&sql, " WITH (");
    if (s->via_root) cdc_text_adds(&sql, "publish_via_partition_root = true");
    if (published) {
        cdc_text_adds(&sql, s->via_root ? ", publish = '" : "publish = '");
        const char *comma = "";
        for (size_t i = 0; i < 4; i++) {
            if (s->skipped & operations[i].skip) continue;
            cdc_text_addf(&sql, "%s%s", comma, operations[i].name);
            comma = ",";
        }
        cdc_text_adds(&sql, "'");
    }
    cdc_text_adds(&sql, s->via_root || published ? ");" : ";");
    return sql.s;
}

enum cdc_step cdc_publish(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    const struct cdc_settings *s = &cdc->settings;
    char *sql = NULL;
    bool filtered = s->autocreate == CDC_FILTERED;
    struct cdc_text list = {0};
    bool any = filtered && table_list(cdc, &list);
    cdc_text_free(&list);
    if (cdc->standby) filtered = false;
    else if (filtered && cdc->publication_exists && cdc->publication_all)
        return cdc_refuse(cdc, err,
                          "publication %s is FOR ALL TABLES, but publication.autocreate.mode is "
                          "filtered; use another publication.name, or run: DROP PUBLICATION %s;",
                          s->publication, s->publication);
    else if (filtered && !any)
        return cdc_refuse(cdc, err,
                          "no table passes the filters, so publication %s cannot be made of the "
                          "captured tables; check schema.include.list and table.include.list",
                          s->publication);
    else if (filtered && cdc->publication_exists) sql = alter_sql(cdc);
    else if (!cdc->publication_exists && s->autocreate == CDC_DISABLED)
        return cdc_refuse(cdc, err,
                          "publication %s is missing. Publication autocreation is disabled, please "
                          "create one and restart the connector. Run: CREATE PUBLICATION %s FOR "
                          "TABLE <tables>;",
                          s->publication, s->publication);
    else if (!cdc->publication_exists) sql = create_sql(cdc);
    enum cdc_step step = CDC_DONE;
    if (sql) {
        char *what = cdc_format("creating or altering publication %s", s->publication);
        step = cdc_conn_query(&cdc->general, s, sql, what, wait, err);
        free(what);
    }
    if (step == CDC_DONE && sql && !cdc->publication_exists)
        cdc->host->log(cdc->task, SLUICE_INFO, "created the publication: %s", sql);
    free(sql);
    /* Made by somebody else since we looked. */
    if (step == CDC_ERROR && !strcmp(cdc->general.sqlstate, "42710")) {
        cdc->general.fatal = false;
        step = CDC_DONE;
    }
    if (step == CDC_DONE) {
        cdc->publication_exists = true;
        cdc->phase = CDC_IDENTIFY;
    }
    return step;
}
