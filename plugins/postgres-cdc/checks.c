/* checks.c - whether a server offers what a config needs: see checks.h. */
#include "checks.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watch.h"

#define NAMED_MAX 5 /* tables that one finding names */

enum { SERVER, SLOT, PUBLICATION, SIGNALS, TABLES, RESULTS }; /* results of cdc_checks_sql() */
_Static_assert(RESULTS <= CDC_RESULTS_MAX, "all results are kept");

/* Columns of SERVER. */
enum { WAL_LEVEL, VERSION, STANDBY, REPLICATES, SLOTS_FULL, ALL_TABLES, MAY_CREATE };
/* Columns of TABLES. */
enum {
    SCHEMA,
    TABLE,
    USAGE,
    SELECT,
    INSERT,
    DELETE,
    OWNER,
    IDENTITY,
    KEYED,
    PLAIN,
    PUBLISHED,
    LOGGED,
    LISTED
};

__attribute__((format(printf, 3, 4))) static void say(const struct cdc_checks *c, const char *key,
                                                      const char *fmt, ...)
{
    struct sluice_err err;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err.msg, sizeof(err.msg), fmt, ap);
    va_end(ap);
    c->complain(c->arg, key, err.msg);
}

static const char *field(const struct cdc_checks *c, int result, int row, int column)
{
    return cdc_conn_field(c->conn, (size_t)result, row, column);
}

static bool yes(const struct cdc_checks *c, int result, int row, int column)
{
    return *field(c, result, row, column) == 't';
}

static int rows(const struct cdc_checks *c, int result)
{
    return PQntuples(c->conn->results[result]);
}

/* ---- files ---- */

static void check_file(const struct cdc_checks *c, const char *key, const char *path)
{
    if (path && access(path, R_OK) != 0)
        say(c, key, "%s cannot be read: %s; give the path of a file on the worker's machine", path,
            strerror(errno));
}

void cdc_checks_files(const struct cdc_checks *c)
{
    const struct cdc_settings *s = c->settings;
    if (strcasecmp(s->sslmode, "disable") != 0) {
        if (s->sslrootcert && strcmp(s->sslrootcert, "system") != 0)
            check_file(c, "database.sslrootcert", s->sslrootcert);
        check_file(c, "database.sslcert", s->sslcert);
        check_file(c, "database.sslkey", s->sslkey);
    }
    if (s->in_progress && access(s->spill_directory, W_OK | X_OK) != 0)
        say(c, "stream.spill.directory",
            "no files can be made in %s: %s; create the directory, or give the worker's user the "
            "right to write there",
            s->spill_directory, strerror(errno));
}

/* ---- server, slot, publication ---- */

static void check_server(const struct cdc_checks *c)
{
    const struct cdc_settings *s = c->settings;
    if (s->streams && strcmp(field(c, SERVER, 0, WAL_LEVEL), "logical") != 0)
        say(c, "database.hostname",
            "the postgres server at %s:%d has wal_level = %s, and must have logical; run: ALTER "
            "SYSTEM SET wal_level = logical; and restart the server",
            s->host, s->port, field(c, SERVER, 0, WAL_LEVEL));
    int version = (int)strtol(field(c, SERVER, 0, VERSION), NULL, 10);
    if (s->streams && yes(c, SERVER, 0, STANDBY) && version < 160000)
        say(c, "database.hostname",
            "the postgres server at %s:%d is a standby of version %d, and logical decoding on a "
            "standby needs version 16; set database.hostname to the primary",
            s->host, s->port, version / 10000);
    if (!s->streams || yes(c, SERVER, 0, REPLICATES)) return;
    char *why = cdc_format(
        "role \"%s\" may not replicate; run as superuser: ALTER ROLE \"%s\" REPLICATION;", s->user,
        s->user);
    /* A cloud may have other ways to allow it: trying tells. */
    (c->starting ? c->advise : c->complain)(c->arg, "database.user", why);
    free(why);
}

static void check_lost(const struct cdc_checks *c)
{
    const struct cdc_settings *s = c->settings;
    const char *reason = field(c, SLOT, 0, 4);
    bool made = *field(c, SLOT, 0, 3) || *field(c, SLOT, 0, 5); /* else it is being made */
    bool lost = !strcmp(field(c, SLOT, 0, 2), "lost") || *reason || !made;
    if (lost && !s->mends_offset)
        say(c, "slot.name",
            "replication slot \"%s\" was invalidated: %s, and changes are lost; drop it (SELECT "
            "pg_drop_replication_slot('%s');), delete the connector's offsets, and start with "
            "snapshot.mode=initial, or use snapshot.mode=when_needed",
            s->slot, cdc_invalidation(reason), s->slot);
}

static void check_slot(const struct cdc_checks *c)
{
    const struct cdc_settings *s = c->settings;
    if (!rows(c, SLOT)) {
        if (yes(c, SERVER, 0, SLOTS_FULL))
            say(c, "slot.name",
                "replication slot \"%s\" is missing, and the server has as many as it may; raise "
                "max_replication_slots and restart the server, or drop one that is not needed: "
                "SELECT pg_drop_replication_slot('<name>');",
                s->slot);
        return;
    }
    const char *plugin = field(c, SLOT, 0, 0), *db = field(c, SLOT, 0, 1);
    if (strcmp(plugin, "pgoutput") != 0 || strcmp(db, s->dbname) != 0) {
        say(c, "slot.name",
            "replication slot \"%s\" belongs to plugin '%s' and database '%s', not to pgoutput and "
            "'%s'; choose another slot.name, or drop the slot: SELECT "
            "pg_drop_replication_slot('%s');",
            s->slot, plugin, db, s->dbname, s->slot);
        return;
    }
    check_lost(c);
    /* A connector that streams is this one's former task, most often; starting waits for it. */
    const char *pid = field(c, SLOT, 0, 5), *user = field(c, SLOT, 0, 6);
    if (!c->starting && *pid && *user && strcmp(user, "Debezium Streaming") != 0)
        say(c, "slot.name",
            "replication slot \"%s\" is in use by '%s' (process %s); stop that, or run: SELECT "
            "pg_terminate_backend(%s); or choose another slot.name",
            s->slot, user, pid, pid);
}

static void check_missing_publication(const struct cdc_checks *c)
{
    const struct cdc_settings *s = c->settings;
    const char *p = s->publication;
    if (yes(c, SERVER, 0, STANDBY))
        say(c, "publication.name",
            "publication %s is missing, and cannot be created on a standby; run on the primary: "
            "CREATE PUBLICATION %s FOR ALL TABLES;",
            p, p);
    else if (s->autocreate == CDC_DISABLED)
        say(c, "publication.name",
            "publication %s is missing. Publication autocreation is disabled, please create one "
            "and restart the connector. Run: CREATE PUBLICATION %s FOR TABLE <tables>;",
            p, p);
    else if (s->autocreate == CDC_ALL_TABLES && !yes(c, SERVER, 0, ALL_TABLES))
        say(c, "publication.autocreate.mode",
            "publication %s is missing, and only a superuser can create it for all tables; run as "
            "superuser: CREATE PUBLICATION %s FOR ALL TABLES; or set "
            "publication.autocreate.mode=filtered",
            p, p);
    else if (!yes(c, SERVER, 0, MAY_CREATE))
        say(c, "publication.autocreate.mode",
            "publication %s is missing, and role \"%s\" may not create it; run: GRANT CREATE ON "
            "DATABASE \"%s\" TO \"%s\";",
            p, s->user, s->dbname, s->user);
}

/* ---- tables ---- */

struct named { /* tables of one finding: how many, and the first of them */
    int n;
    struct cdc_text list, sql;
};

static void name_table(struct named *named, const char *schema, const char *table)
{
    if (named->n++ >= NAMED_MAX) return;
    if (named->list.len) cdc_text_adds(&named->list, ", ");
    cdc_text_addf(&named->list, "%s.%s", schema, table);
    if (named->sql.len) cdc_text_adds(&named->sql, ", ");
    cdc_text_ident(&named->sql, schema);
    cdc_text_adds(&named->sql, ".");
    cdc_text_ident(&named->sql, table);
}

/* "a, b and 7 more" */
static const char *names(struct named *named)
{
    if (named->n > NAMED_MAX) cdc_text_addf(&named->list, " and %d more", named->n - NAMED_MAX);
    return named->list.s;
}

static void forget(struct named *named)
{
    cdc_text_free(&named->list);
    cdc_text_free(&named->sql);
    named->n = 0;
}

static bool captured(const struct cdc_checks *c, int row)
{
    return cdc_captures_table(c->settings, field(c, TABLES, row, SCHEMA),
                              field(c, TABLES, row, TABLE));
}

/* What cannot be read: one example is enough, as the SQL is the same for the others. */
static void check_select(const struct cdc_checks *c)
{
    const struct cdc_settings *s = c->settings;
    for (int i = 0; i < rows(c, TABLES); i++) {
        bool usage = yes(c, TABLES, i, USAGE), select = yes(c, TABLES, i, SELECT);
        if ((usage && select) || !captured(c, i)) continue;
        const char *schema = field(c, TABLES, i, SCHEMA), *table = field(c, TABLES, i, TABLE);
        struct cdc_text sql = {0};
        if (!usage) {
            cdc_text_adds(&sql, "GRANT USAGE ON SCHEMA ");
            cdc_text_ident(&sql, schema);
            cdc_text_addf(&sql, " TO \"%s\"; ", s->user);
        }
        if (!select) {
            cdc_text_adds(&sql, "GRANT SELECT ON ");
            cdc_text_ident(&sql, schema);
            cdc_text_adds(&sql, ".");
            cdc_text_ident(&sql, table);
            cdc_text_addf(&sql, " TO \"%s\";", s->user);
        }
        say(c, "database.user", "role \"%s\" may not read %s.%s; run: %s", s->user, schema, table,
            sql.s);
        cdc_text_free(&sql);
        return;
    }
}

/* Only who owns a table, or is a member of the role that does, may publish it. */
static void check_owner(const struct cdc_checks *c)
{
    const struct cdc_settings *s = c->settings;
    bool exists = rows(c, PUBLICATION) > 0;
    struct named foreign = {0}, all = {0};
    bool differs = !exists;
    for (int i = 0; i < rows(c, TABLES); i++) {
        bool wanted = yes(c, TABLES, i, LOGGED) && captured(c, i);
        const char *schema = field(c, TABLES, i, SCHEMA), *table = field(c, TABLES, i, TABLE);
        differs |= wanted != yes(c, TABLES, i, LISTED);
        if (wanted) name_table(&all, schema, table);
        if (wanted && !yes(c, TABLES, i, OWNER)) name_table(&foreign, schema, table);
    }
    if (!all.n)
        say(c, "table.include.list",
            "no table passes the filters, so publication %s cannot be made of the captured tables; "
            "check schema.include.list and table.include.list",
            s->publication);
    else if (foreign.n && differs)
        say(c, "publication.autocreate.mode",
            "role \"%s\" does not own %s, and cannot put what it does not own into publication %s; "
            "run for each: ALTER TABLE <table> OWNER TO \"%s\"; or create the publication yourself "
            "(CREATE PUBLICATION %s FOR TABLE %s%s;) and set publication.autocreate.mode=disabled",
            s->user, names(&foreign), s->publication, s->user, s->publication, all.sql.s,
            all.n > NAMED_MAX ? ", ..." : "");
    else if (exists && differs && !yes(c, PUBLICATION, 0, 1))
        say(c, "publication.autocreate.mode",
            "publication %s does not hold the captured tables, and role \"%s\" does not own it; "
            "run: ALTER PUBLICATION %s OWNER TO \"%s\";",
            s->publication, s->user, s->publication, s->user);
    forget(&foreign);
    forget(&all);
}

/* Captured tables that the publication leaves out. That none is in it is a mistake; that some are
 * not is one where they are listed. */
static void check_coverage(const struct cdc_checks *c)
{
    const struct cdc_settings *s = c->settings;
    struct named missing = {0};
    bool any = false;
    for (int i = 0; i < rows(c, TABLES); i++) {
        const char *schema = field(c, TABLES, i, SCHEMA), *table = field(c, TABLES, i, TABLE);
        if (!yes(c, TABLES, i, PLAIN) || !captured(c, i)) continue;
        if (cdc_signal_table(s, schema, table)) continue; /* see check_signals() */
        any |= yes(c, TABLES, i, PUBLISHED);
        if (!yes(c, TABLES, i, PUBLISHED)) name_table(&missing, schema, table);
    }
    bool none = missing.n && !any && s->autocreate != CDC_NO_TABLES;
    if (none || (missing.n && s->tables.include.n)) {
        char *why = cdc_format("publication %s leaves out %s, whose changes will not come; run: "
                               "ALTER PUBLICATION %s ADD TABLE %s%s;",
                               s->publication, names(&missing), s->publication, missing.sql.s,
                               missing.n > NAMED_MAX ? ", ..." : "");
        (none ? c->complain : c->advise)(c->arg, "publication.name", why);
        free(why);
    }
    forget(&missing);
}

/* Tables whose updates and deletes the server refuses once they are published. */
static void check_identity(const struct cdc_checks *c)
{
    const struct cdc_settings *s = c->settings;
    struct named bare = {0};
    bool will = !rows(c, PUBLICATION) || s->autocreate == CDC_FILTERED;
    for (int i = 0; i < rows(c, TABLES); i++) {
        char kind = *field(c, TABLES, i, IDENTITY);
        bool has = kind == 'f' || kind == 'i' || (kind == 'd' && yes(c, TABLES, i, KEYED));
        if (has || !yes(c, TABLES, i, PLAIN) || !captured(c, i)) continue;
        const char *schema = field(c, TABLES, i, SCHEMA), *table = field(c, TABLES, i, TABLE);
        if (cdc_signal_table(s, schema, table)) continue; /* nobody changes signals */
        char *name = cdc_format("%s.%s", schema, table);
        bool set = cdc_key_rules_find(&s->identities, name) != NULL;
        free(name);
        if (!set && (will || yes(c, TABLES, i, PUBLISHED))) name_table(&bare, schema, table);
    }
    /* Without updates and deletes there is nothing to identify. */
    const char *flags = rows(c, PUBLICATION) ? field(c, PUBLICATION, 0, 2) : "tt";
    if (bare.n && strchr(flags, 't')) {
        char *why = cdc_format("%s: without a primary key or replica identity, updates and deletes "
                               "of a published table are refused by the server; run for each: "
                               "ALTER TABLE <table> REPLICA IDENTITY FULL; or set "
                               "replica.identity.autoset.values=<regex of schema.table>:FULL",
                               names(&bare));
        c->advise(c->arg, "replica.identity.autoset.values", why);
        free(why);
    }
    forget(&bare);
}

static void check_number(const struct cdc_checks *c)
{
    const struct cdc_settings *s = c->settings;
    int n = 0;
    for (int i = 0; s->tables_max && i < rows(c, TABLES); i++) n += captured(c, i);
    if (n <= s->tables_max) return;
    char *why =
        cdc_format("Guardrail limit exceeded: %d tables/collections configured for capture, "
                   "but maximum allowed is %d. Narrow table.include.list, or raise "
                   "guardrail.collections.max",
                   n, s->tables_max);
    (s->tables_max_fails ? c->complain : c->advise)(c->arg, "guardrail.collections.max", why);
    free(why);
}

/* ---- signals ---- */

static bool signal_columns(const struct cdc_checks *c)
{
    if (rows(c, SIGNALS) < 3) return false;
    for (int i = 0; i < 3; i++)
        if (*field(c, SIGNALS, i, 1) != 'S') return false; /* strings */
    return true;
}

static void check_signals(const struct cdc_checks *c)
{
    const struct cdc_settings *s = c->settings;
    static const char key[] = "signal.data.collection";
    static const char shape[] =
        "(id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048) NULL)";
    if (!s->signal_table) return;
    int row = 0;
    while (row < rows(c, TABLES) &&
           !cdc_signal_table(s, field(c, TABLES, row, SCHEMA), field(c, TABLES, row, TABLE)))
        row++;
    if (row == rows(c, TABLES)) {
        say(c, key, "the signal table %s is missing; run: CREATE TABLE %s %s;", s->signal_table,
            s->signal_table, shape);
        return;
    }
    if (!signal_columns(c)) {
        say(c, key,
            "the signal table %s must begin with three columns of text: id, type and data; make it "
            "anew: CREATE TABLE %s %s;",
            s->signal_table, s->signal_table, shape);
        return;
    }
    bool removes = s->watermark_delete && !yes(c, TABLES, row, DELETE);
    char *why = NULL;
    if (!s->read_only && (removes || !yes(c, TABLES, row, INSERT)))
        why = cdc_format("role \"%s\" may not write into the signal table, which incremental "
                         "snapshots need; run: GRANT INSERT%s ON %s TO \"%s\"; or set "
                         "read.only=true",
                         s->user, s->watermark_delete ? ", DELETE" : "", s->signal_table, s->user);
    else if (rows(c, PUBLICATION) && s->autocreate != CDC_FILTERED && s->streams &&
             yes(c, TABLES, row, PLAIN) && !yes(c, TABLES, row, PUBLISHED))
        why = cdc_format("the signal table is not in publication %s, so no signal will be seen; "
                         "run: ALTER PUBLICATION %s ADD TABLE %s;",
                         s->publication, s->publication, s->signal_table);
    if (why) c->advise(c->arg, key, why);
    free(why);
}

/* ---- all of it ---- */

static void server_sql(struct cdc_text *sql, const struct cdc_settings *s)
{
    /* Roles of clouds stand for attributes that a customer cannot have there. */
    cdc_text_adds(
        sql, "SELECT current_setting('wal_level'), current_setting('server_version_num'), "
             "pg_is_in_recovery(), rolsuper OR rolreplication OR EXISTS (SELECT 1 FROM "
             "pg_catalog.pg_roles m WHERE m.rolname IN ('rds_superuser', 'rds_replication', "
             "'azure_pg_admin', 'cloudsqlsuperuser', 'alloydbsuperuser') AND "
             "pg_has_role(current_user, m.oid, 'member')), (SELECT count(*) FROM "
             "pg_catalog.pg_replication_slots) >= current_setting('max_replication_slots')::int, "
             "rolsuper OR EXISTS (SELECT 1 FROM pg_catalog.pg_roles m WHERE m.rolname IN "
             "('rds_superuser', 'azure_pg_admin', 'cloudsqlsuperuser', 'alloydbsuperuser') AND "
             "pg_has_role(current_user, m.oid, 'member')), "
             "has_database_privilege(current_database(), 'CREATE') FROM pg_catalog.pg_roles WHERE "
             "rolname = current_user; ");
    /* Columns that older servers lack are looked for in the row as a whole. */
    cdc_text_adds(sql,
                  "SELECT s.plugin, s.database, s.wal_status, s.restart_lsn, "
                  "coalesce(to_jsonb(s) ->> 'invalidation_reason', CASE WHEN to_jsonb(s) ->> "
                  "'conflicting' = 'true' THEN 'conflict' END), s.active_pid, "
                  "a.application_name FROM pg_catalog.pg_replication_slots s LEFT JOIN "
                  "pg_catalog.pg_stat_activity a ON a.pid = s.active_pid WHERE s.slot_name = ");
    cdc_text_literal(sql, s->slot);
    cdc_text_adds(sql, "; SELECT puballtables, pg_has_role(pubowner, 'USAGE'), concat(pubupdate, "
                       "pubdelete) FROM pg_catalog.pg_publication WHERE pubname = ");
    cdc_text_literal(sql, s->publication);
}

char *cdc_checks_sql(const struct cdc_settings *s)
{
    struct cdc_text sql = {0};
    server_sql(&sql, s);
    cdc_text_adds(&sql, "; SELECT a.attname, t.typcategory FROM pg_catalog.pg_attribute a JOIN "
                        "pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_class c ON "
                        "c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = "
                        "c.relnamespace WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname || "
                        "'.' || c.relname = ");
    cdc_text_literal(&sql, s->signal_table ? s->signal_table : "");
    cdc_text_adds(&sql, " ORDER BY a.attnum; WITH p AS MATERIALIZED (SELECT schemaname, tablename "
                        "FROM pg_catalog.pg_publication_tables WHERE pubname = ");
    cdc_text_literal(&sql, s->publication);
    cdc_text_adds(&sql,
                  ") SELECT n.nspname, c.relname, has_schema_privilege(n.oid, 'USAGE'), "
                  "has_any_column_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, "
                  "'INSERT'), has_table_privilege(c.oid, 'DELETE'), pg_has_role(c.relowner, "
                  "'USAGE'), c.relreplident, EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE "
                  "i.indrelid = c.oid AND i.indisprimary), c.relkind = 'r' AND NOT "
                  "c.relispartition AND c.relpersistence = 'p', p.tablename IS NOT NULL, "
                  "c.relpersistence = 'p', EXISTS (SELECT 1 FROM pg_catalog.pg_publication_rel r "
                  "JOIN pg_catalog.pg_publication o ON o.oid = r.prpubid WHERE r.prrelid = c.oid "
                  "AND o.pubname = ");
    cdc_text_literal(&sql, s->publication);
    cdc_text_adds(&sql,
                  ") FROM "
                  "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                  "LEFT JOIN p ON p.schemaname = n.nspname AND p.tablename = c.relname WHERE "
                  "c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ "
                  "'^pg_(toast|temp)' ORDER BY 1, 2");
    return sql.s;
}

void cdc_checks_run(const struct cdc_checks *c)
{
    const struct cdc_settings *s = c->settings;
    if (!rows(c, SERVER)) return; /* the role was dropped just now: the next query says so */
    bool published = rows(c, PUBLICATION) > 0, standby = yes(c, SERVER, 0, STANDBY);
    bool filtered = s->autocreate == CDC_FILTERED && !standby;
    check_server(c);
    if (c->reads) check_select(c);
    check_signals(c);
    check_number(c);
    if (!s->streams) return;
    check_slot(c);
    if (!published) check_missing_publication(c);
    else if (filtered && yes(c, PUBLICATION, 0, 0))
        say(c, "publication.autocreate.mode",
            "publication %s is FOR ALL TABLES, but publication.autocreate.mode is filtered; use "
            "another publication.name, or run: DROP PUBLICATION %s;",
            s->publication, s->publication);
    else if (!filtered) check_coverage(c);
    if (filtered && !(published && yes(c, PUBLICATION, 0, 0))) check_owner(c);
    check_identity(c);
}
