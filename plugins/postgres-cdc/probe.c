/* probe.c - what validate() finds out by connecting: wrong host, password, privilege, wal_level,
 * slot, publication; each with the SQL that repairs it. Runs on no task's thread and may take some
 * seconds. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cdc.h"

struct probe {
    const struct cdc_settings *settings;
    struct cdc_conn conn;
    struct cdc_wait wait;
    cdc_complain *complain;
    void *arg;
};

__attribute__((format(printf, 3, 4))) static void say(struct probe *p, const char *key,
                                                      const char *fmt, ...)
{
    va_list ap;
    struct sluice_err err;
    va_start(ap, fmt);
    vsnprintf(err.msg, sizeof(err.msg), fmt, ap);
    va_end(ap);
    p->complain(p->arg, key, err.msg);
}

/* Debezium puts every connection error on database.hostname; a key that fits helps more. */
static const char *key_of(const char *sqlstate)
{
    if (!strcmp(sqlstate, "28P01")) return "database.password";
    if (!strncmp(sqlstate, "28", 2)) return "database.user";
    return !strcmp(sqlstate, "3D000") ? "database.dbname" : "database.hostname";
}

static bool ask(struct probe *p, const char *sql, const char *what)
{
    struct sluice_err err;
    enum cdc_step step = cdc_conn_query(&p->conn, p->settings, sql, what, &p->wait, &err);
    if (step == CDC_DONE) return true;
    say(p, "database.hostname", "%s", step == CDC_WAIT ? "the server does not answer" : err.msg);
    return false;
}

static void check_server(struct probe *p)
{
    const struct cdc_conn *c = &p->conn;
    const struct cdc_settings *s = p->settings;
    if (strcmp(cdc_conn_field(c, 0, 0, 0), "logical") != 0)
        say(p, "database.hostname",
            "the server has wal_level = %s, and must have logical; run: ALTER SYSTEM SET wal_level "
            "= logical; and restart the server",
            cdc_conn_field(c, 0, 0, 0));
    if (*cdc_conn_field(c, 0, 0, 1) != 't')
        say(p, "database.user",
            "role \"%s\" may not replicate; run as superuser: ALTER ROLE \"%s\" REPLICATION;",
            s->user, s->user);
}

static void check_slot(struct probe *p)
{
    const struct cdc_conn *c = &p->conn;
    const struct cdc_settings *s = p->settings;
    if (!PQntuples(c->results[1])) {
        bool full = *cdc_conn_field(c, 0, 0, 2) == 't';
        if (full && s->snapshot_mode != CDC_INITIAL_ONLY)
            say(p, "slot.name",
                "slot \"%s\" is missing and no more can be created; raise max_replication_slots, "
                "or drop one: SELECT pg_drop_replication_slot('<name>');",
                s->slot);
        return;
    }
    if (strcmp(cdc_conn_field(c, 1, 0, 0), "pgoutput") != 0 ||
        strcmp(cdc_conn_field(c, 1, 0, 1), s->dbname) != 0)
        say(p, "slot.name",
            "slot \"%s\" belongs to plugin '%s' and database '%s'; choose another name, or run: "
            "SELECT pg_drop_replication_slot('%s');",
            s->slot, cdc_conn_field(c, 1, 0, 0), cdc_conn_field(c, 1, 0, 1), s->slot);
    if (!strcmp(cdc_conn_field(c, 1, 0, 2), "lost") && s->snapshot_mode != CDC_WHEN_NEEDED)
        say(p, "slot.name",
            "slot \"%s\" was invalidated, as the server removed WAL that it needed; run: SELECT "
            "pg_drop_replication_slot('%s'); and take a new snapshot",
            s->slot, s->slot);
}

static void check_publication(struct probe *p)
{
    const struct cdc_conn *c = &p->conn;
    const struct cdc_settings *s = p->settings;
    bool exists = PQntuples(c->results[2]) > 0;
    bool super = *cdc_conn_field(c, 0, 0, 3) == 't', creates = *cdc_conn_field(c, 0, 0, 4) == 't';
    if (exists || s->snapshot_mode == CDC_INITIAL_ONLY) return;
    if (s->autocreate == CDC_DISABLED)
        say(p, "publication.name",
            "publication %s is missing. Publication autocreation is disabled, please create one "
            "and restart the connector. Run: CREATE PUBLICATION %s FOR TABLE <tables>;",
            s->publication, s->publication);
    else if (s->autocreate == CDC_ALL_TABLES && !super)
        say(p, "publication.autocreate.mode",
            "publication %s is missing, and only a superuser can create it for all tables; run as "
            "superuser: CREATE PUBLICATION %s FOR ALL TABLES; or use filtered",
            s->publication, s->publication);
    else if (!creates)
        say(p, "publication.autocreate.mode",
            "publication %s is missing, and role \"%s\" may not create it; run: GRANT CREATE ON "
            "DATABASE \"%s\" TO \"%s\";",
            s->publication, s->user, s->dbname, s->user);
}

/* Result 3: captured tables are found by our filters, as the server knows no PCRE. */
static void check_select(struct probe *p)
{
    const struct cdc_conn *c = &p->conn;
    const struct cdc_settings *s = p->settings;
    for (int i = 0; i < PQntuples(c->results[3]); i++) {
        const char *schema = cdc_conn_field(c, 3, i, 0), *table = cdc_conn_field(c, 3, i, 1);
        if (!cdc_captures_table(s, schema, table)) continue;
        say(p, "database.user",
            "role \"%s\" may not read %s.%s; run: GRANT USAGE ON SCHEMA \"%s\" TO \"%s\"; GRANT "
            "SELECT ON \"%s\".\"%s\" TO \"%s\";",
            s->user, schema, table, schema, s->user, schema, table, s->user);
        return; /* one example is enough */
    }
}

static void run(struct probe *p)
{
    const struct cdc_settings *s = p->settings;
    struct cdc_text sql = {0};
    cdc_text_adds(
        &sql,
        "SELECT current_setting('wal_level'), (SELECT rolsuper OR rolreplication OR EXISTS (SELECT "
        "1 FROM pg_catalog.pg_roles m WHERE m.rolname IN ('rds_superuser', 'rds_replication', "
        "'azure_pg_admin', 'cloudsqlsuperuser', 'alloydbsuperuser') AND pg_has_role(current_user, "
        "m.oid, 'member')) FROM pg_catalog.pg_roles WHERE rolname = current_user), (SELECT "
        "count(*) FROM pg_catalog.pg_replication_slots) >= "
        "current_setting('max_replication_slots')::int, (SELECT rolsuper OR EXISTS (SELECT 1 FROM "
        "pg_catalog.pg_roles m WHERE m.rolname IN ('rds_superuser', 'azure_pg_admin', "
        "'cloudsqlsuperuser', 'alloydbsuperuser') AND pg_has_role(current_user, m.oid, 'member')) "
        "FROM pg_catalog.pg_roles WHERE rolname = current_user), "
        "has_database_privilege(current_database(), 'CREATE'); SELECT plugin, database, wal_status "
        "FROM pg_catalog.pg_replication_slots WHERE slot_name = ");
    cdc_text_literal(&sql, s->slot);
    cdc_text_adds(&sql, "; SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = ");
    cdc_text_literal(&sql, s->publication);
    cdc_text_adds(&sql,
                  "; SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN "
                  "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', "
                  "'p') AND c.relpersistence <> 't' AND NOT (has_schema_privilege(n.oid, 'USAGE') "
                  "AND has_table_privilege(c.oid, 'SELECT'))");
    if (ask(p, sql.s, "reading the server's settings")) {
        check_server(p);
        check_slot(p);
        check_publication(p);
        if (s->snapshot_mode != CDC_NO_DATA) check_select(p);
    }
    cdc_text_free(&sql);
}

/* A server that is down or starting may be up in a moment, and the task tries again without end: no
 * reason to refuse a config. A name that does not exist is one. */
static bool passing(const struct cdc_conn *conn, const char *message)
{
    static const char *const states[] = {"57P01", "57P02", "57P03", "53300", "08006", "08001"};
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
        if (!strcmp(conn->sqlstate, states[i])) return true;
    return !*conn->sqlstate && !strstr(message, "could not translate host name") &&
           !strstr(message, "certificate") && !strstr(message, "SSL");
}

void cdc_probe(const struct cdc_settings *settings, const struct sluice_host *host, int wait_ms,
               cdc_complain *complain, void *arg)
{
    struct probe p = {.settings = settings,
                      .wait = {-1, cdc_now_ms() + wait_ms},
                      .complain = complain,
                      .arg = arg};
    struct sluice_err err;
    enum cdc_step step =
        cdc_conn_open(&p.conn, settings, "Debezium Validate Connection", false, &p.wait, &err);
    if (step == CDC_WAIT)
        cdc_error(&err, "connecting to postgres at %s:%d: no answer within %d ms", settings->host,
                  settings->port, wait_ms);
    if (step == CDC_DONE) run(&p);
    else if (step == CDC_WAIT || passing(&p.conn, err.msg))
        host->log(NULL, SLUICE_WARN,
                  "%s; what the server says of this config is not checked, and the connector will "
                  "go on trying",
                  err.msg);
    else say(&p, key_of(p.conn.sqlstate), "%s", err.msg);
    cdc_conn_close(&p.conn);
}
