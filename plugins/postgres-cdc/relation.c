/* relation.c - from catalog rows to the plan for a table's records: see relation.h. */
#include "relation.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"
#include "mapping.h"

/* ---- the catalog ---- */

enum { BEHIND, KEYS, COLUMNS, TYPES }; /* results of catalog_sql() */

#define BEHIND_MS 1000 /* at most until the catalog has to show a transaction that was streamed */

/* Transaction numbers have 64 bits there, of which the stream tells 32. */
void cdc_behind_sql(struct cdc_text *sql, uint64_t txid)
{
    if (!txid) {
        cdc_text_adds(sql, "SELECT false;");
        return;
    }
    cdc_text_addf(
        sql,
        "SELECT ((%u - m) & 4294967295) < 2147483648 OR m - ((m - %u) & 4294967295) IN (SELECT "
        "pg_catalog.txid_snapshot_xip(s)) FROM (SELECT s, pg_catalog.txid_snapshot_xmax(s) AS m "
        "FROM pg_catalog.txid_current_snapshot() AS s) AS q;",
        (uint32_t)txid, (uint32_t)txid);
}

/* Besides BEHIND: key columns (primary key, else a unique index that covers all rows); columns; the
 * types that occur, with elements and bases. Each statement sees what is committed by then: a table
 * that is dropped meanwhile must not look like one without a key, so its columns come later. txid:
 * of the change, 0: there is none. */
static char *catalog_sql(uint32_t oid, const struct cdc_relation_message *message, uint64_t txid)
{
    struct cdc_text sql = {0};
    cdc_behind_sql(&sql, txid);
    cdc_text_addf(
        &sql,
        "SELECT a.attname, i.indexrelid FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON "
        "c.oid = i.indexrelid CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS "
        "k(attnum, ord) JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = "
        "k.attnum WHERE i.indrelid = %u AND i.indisunique AND i.indisvalid AND i.indpred IS NULL "
        "AND i.indexprs IS NULL AND k.ord <= i.indnkeyatts ORDER BY i.indisprimary DESC, "
        "c.relname, k.ord;",
        oid);
    cdc_text_addf(
        &sql,
        "SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull, CASE WHEN %s THEN "
        "pg_catalog.pg_get_expr(d.adbin, d.adrelid) END FROM pg_catalog.pg_attribute a LEFT JOIN "
        "pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE "
        "a.attrelid = %u AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;",
        "a.attgenerated = ''", oid);
    cdc_text_addf(&sql,
                  "WITH RECURSIVE t AS (SELECT p.* FROM pg_catalog.pg_type p WHERE p.oid IN "
                  "(SELECT atttypid FROM pg_catalog.pg_attribute WHERE attrelid = %u AND attnum > "
                  "0 UNION SELECT unnest(ARRAY[0",
                  oid);
    for (uint32_t i = 0; message && i < message->n; i++)
        cdc_text_addf(&sql, ",%u", message->columns[i].oid);
    cdc_text_adds(
        &sql,
        "]::oid[])) UNION SELECT p.* FROM pg_catalog.pg_type p JOIN t ON p.oid = t.typbasetype OR "
        "(p.oid = t.typelem AND t.typcategory = 'A')) SELECT t.oid, n.nspname, t.typname, "
        "t.typtype, CASE WHEN t.typcategory = 'A' AND t.typlen = -1 AND t.typname NOT IN "
        "('int2vector', 'oidvector') THEN t.typelem ELSE 0 END, t.typbasetype, t.typtypmod, "
        "(SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e "
        "WHERE e.enumtypid = t.oid), t.typdelim FROM t JOIN pg_catalog.pg_namespace n ON n.oid = "
        "t.typnamespace");
    return sql.s;
}

static uint32_t field_u32(const struct cdc_conn *conn, size_t result, int row, int column)
{
    return (uint32_t)strtoul(cdc_conn_field(conn, result, row, column), NULL, 10);
}

static void take_types(struct cdc *cdc)
{
    const struct cdc_conn *conn = &cdc->general;
    for (int i = 0; i < PQntuples(conn->results[TYPES]); i++) {
        struct cdc_type type = {
            .oid = field_u32(conn, TYPES, i, 0),
            .schema = (char *)cdc_conn_field(conn, TYPES, i, 1),
            .name = (char *)cdc_conn_field(conn, TYPES, i, 2),
            .kind = *cdc_conn_field(conn, TYPES, i, 3),
            .elem = field_u32(conn, TYPES, i, 4),
            .base = field_u32(conn, TYPES, i, 5),
            .typmod = (int32_t)strtol(cdc_conn_field(conn, TYPES, i, 6), NULL, 10),
            .labels = PQgetisnull(conn->results[TYPES], i, 7)
                          ? NULL
                          : (char *)cdc_conn_field(conn, TYPES, i, 7),
            .delim = *cdc_conn_field(conn, TYPES, i, 8),
        };
        cdc_types_put(&cdc->types, &type);
    }
}

/* ---- columns ---- */

static int catalog_row(const struct cdc_conn *conn, const char *name)
{
    for (int i = 0; i < PQntuples(conn->results[COLUMNS]); i++)
        if (!strcmp(cdc_conn_field(conn, COLUMNS, i, 0), name)) return i;
    return -1;
}

/* Makes the column's schema of its binding. expr: its default, NULL for none. */
static void make_column(struct cdc *cdc, struct cdc_column *column, const char *expr)
{
    const struct cdc_binding *binding = &column->binding;
    const struct cdc_binding *own = binding->mapping ? binding->elem : binding;
    struct sluice_schema schema = binding->schema;
    schema.optional = !column->required || binding->schema.optional;
    if (expr) schema.has_dflt = cdc_default(own, &cdc->memory, expr, &schema.dflt);
    column->schema = cdc->host->schema(&schema);
    if (column->required) column->absent = schema.has_dflt ? column->schema->dflt : own->zero;
}

/* What an absent value becomes is made once, in memory that lasts. */
static void map_absent(struct cdc *cdc, struct cdc_relation *rel, struct cdc_column *column)
{
    struct sluice_value *v = &column->absent;
    cdc_mapping_value(&column->binding, &cdc->memory, v);
    if (v->type == SLUICE_STRING) v->u.s = cdc_pool_strndup(&rel->pool, v->u.s, v->len);
}

/* The rule of the options for this column, if there is one. */
static void map_column(struct cdc *cdc, struct cdc_relation *rel, struct cdc_column *column,
                       const char *expr, bool snapshot)
{
    struct cdc_source_type type;
    struct cdc_binding *plain = NULL;
    bool serial = expr && !strncmp(expr, "nextval(", 8);
    cdc_source_type(&cdc->types, column->oid, column->typmod, serial, snapshot, &type);
    const struct cdc_mapping *mapping =
        cdc_mappings_find(cdc->settings.mappings, rel->schema, rel->table, column->name, &type);
    if (!mapping) return;
    column->unmapped = cdc_pool_alloc(&rel->pool, sizeof(*column));
    *column->unmapped = *column;
    column->unmapped->unmapped = NULL;
    make_column(cdc, column->unmapped, expr);
    cdc_mapping_apply(mapping, column->name, &type, &rel->pool, &column->binding, &plain);
}

/* The column's schema, with nullability and default as the catalog has them now. */
static void bind_column(struct cdc *cdc, struct cdc_relation *rel, struct cdc_column *column,
                        bool snapshot)
{
    const struct cdc_conn *conn = &cdc->general;
    int row = catalog_row(conn, column->name);
    column->required = row >= 0 && *cdc_conn_field(conn, COLUMNS, row, 3) == 't';
    column->field = -1;
    if (!cdc_bind(&cdc->types, &cdc->settings, column->oid, column->typmod, &rel->pool,
                  &column->binding))
        return;
    bool has_default = row >= 0 && !PQgetisnull(conn->results[COLUMNS], row, 4);
    const char *expr = has_default ? cdc_conn_field(conn, COLUMNS, row, 4) : NULL;
    map_column(cdc, rel, column, expr, snapshot);
    make_column(cdc, column, expr);
    if (column->binding.mapping) map_absent(cdc, rel, column);
    if (cdc_captures_column(&cdc->settings, rel->schema, rel->table, column->name))
        column->field = (int)rel->fields_n++;
}

static void take_columns(struct cdc *cdc, struct cdc_relation *rel,
                         const struct cdc_relation_message *message)
{
    const struct cdc_conn *conn = &cdc->general;
    rel->columns_n = message ? message->n : (uint32_t)PQntuples(conn->results[COLUMNS]);
    rel->columns = cdc_pool_alloc(&rel->pool, (rel->columns_n + 1) * sizeof(*rel->columns));
    for (uint32_t i = 0; i < rel->columns_n; i++) {
        struct cdc_column *column = &rel->columns[i];
        if (message) {
            column->name = cdc_pool_strdup(&rel->pool, message->columns[i].name);
            column->oid = message->columns[i].oid;
            column->typmod = message->columns[i].typmod;
            column->identity = message->columns[i].key;
        } else {
            column->name = cdc_pool_strdup(&rel->pool, cdc_conn_field(conn, COLUMNS, (int)i, 0));
            column->oid = field_u32(conn, COLUMNS, (int)i, 1);
            column->typmod = (int32_t)strtol(cdc_conn_field(conn, COLUMNS, (int)i, 2), NULL, 10);
        }
        bind_column(cdc, rel, column, !message);
    }
}

/* ---- the key ---- */

static void add_key(struct cdc_relation *rel, const char *name)
{
    for (uint32_t i = 0; i < rel->columns_n; i++) {
        if (strcmp(rel->columns[i].name, name) != 0 || !rel->columns[i].schema) continue;
        for (uint32_t k = 0; k < rel->key_n; k++)
            if (rel->key[k].column == i) return;
        struct cdc_column *column = &rel->columns[i];
        struct cdc_key_part *part = &rel->key[rel->key_n++];
        part->column = i;
        part->field = column->unmapped ? -1 : column->field;
        part->as = column->unmapped ? column->unmapped : column;
        return;
    }
}

static struct cdc_known_key *known_key(const struct cdc_relations *relations, uint32_t oid)
{
    struct cdc_known_key *known = relations->keys[oid & 255];
    while (known && known->oid != oid) known = known->next;
    return known;
}

static void forget_key(struct cdc_known_key *known)
{
    for (uint32_t i = 0; i < known->n; i++) free(known->names[i]);
    free(known->names);
    known->names = NULL;
    known->n = 0;
}

static void remember_key(struct cdc_relations *relations, const struct cdc_relation *rel)
{
    struct cdc_known_key *known = known_key(relations, rel->oid);
    if (known) {
        forget_key(known);
    } else {
        known = cdc_alloc(sizeof(*known));
        known->oid = rel->oid;
        known->next = relations->keys[rel->oid & 255];
        relations->keys[rel->oid & 255] = known;
    }
    known->names = cdc_alloc((rel->key_n + 1) * sizeof(*known->names));
    known->n = rel->key_n;
    for (uint32_t i = 0; i < rel->key_n; i++)
        known->names[i] = cdc_strdup(rel->columns[rel->key[i].column].name);
}

/* Whether the key holds all columns of the replica identity, and no others. */
static bool key_is_identity(const struct cdc_relation *rel)
{
    uint32_t marked = 0, n = 0;
    for (uint32_t i = 0; i < rel->columns_n; i++)
        n += rel->columns[i].identity && rel->columns[i].schema;
    for (uint32_t k = 0; k < rel->key_n; k++) marked += rel->columns[rel->key[k].column].identity;
    return marked == rel->key_n && marked == n;
}

static void take_known_key(struct cdc_relation *rel, const struct cdc_known_key *known)
{
    rel->key_n = 0;
    for (uint32_t i = 0; known && i < known->n; i++) add_key(rel, known->names[i]);
}

/* The catalog is ahead of the stream: it has another key than the table had at the change, or the
 * table no more. An identity of kind default is the primary key of then, though not in its order;
 * of others nothing is known but what the catalog had before. */
static void take_former_key(struct cdc *cdc, struct cdc_relation *rel, bool gone)
{
    const struct cdc_known_key *known = known_key(&cdc->relations, rel->oid);
    take_known_key(rel, known);
    bool whole = known && rel->key_n == known->n;
    if (rel->identity == 'f' || (rel->identity != 'd' && !gone)) {
        if (!whole) rel->key_n = 0;
        return;
    }
    if (whole && key_is_identity(rel)) return;
    rel->key_n = 0;
    for (uint32_t i = 0; i < rel->columns_n; i++)
        if (rel->columns[i].identity) add_key(rel, rel->columns[i].name);
}

/* Of the first index that is fit for it; how many columns that has. */
static uint32_t take_catalog_key(struct cdc *cdc, struct cdc_relation *rel)
{
    const struct cdc_conn *conn = &cdc->general;
    uint32_t n = 0;
    for (int i = 0; i < PQntuples(conn->results[KEYS]); i++) {
        if (strcmp(cdc_conn_field(conn, KEYS, i, 1), cdc_conn_field(conn, KEYS, 0, 1)) != 0)
            continue;
        add_key(rel, cdc_conn_field(conn, KEYS, i, 0));
        n++;
    }
    return n;
}

/* Beside the key that message.key.columns gives. */
static void take_primary(struct cdc *cdc, struct cdc_relation *rel)
{
    struct cdc_key_part *given = rel->key;
    uint32_t given_n = rel->key_n;
    rel->key = cdc_pool_alloc(&rel->pool, (rel->columns_n + 1) * sizeof(*rel->key));
    rel->key_n = 0;
    take_catalog_key(cdc, rel);
    rel->primary = rel->key;
    rel->primary_n = rel->key_n;
    rel->key = given;
    rel->key_n = given_n;
}

static void take_key(struct cdc *cdc, struct cdc_relation *rel, bool streamed)
{
    const struct cdc_conn *conn = &cdc->general;
    rel->key = cdc_pool_alloc(&rel->pool, (rel->columns_n + 1) * sizeof(*rel->key));
    char *name = cdc_format("%s.%s", rel->schema, rel->table);
    const struct cdc_key_rule *rule = cdc_key_rules_find(&cdc->settings.keys, name);
    free(name);
    for (size_t i = 0; rule && i < rule->columns_n; i++) add_key(rel, rule->columns[i]);
    if (rule) {
        if (streamed && cdc->reselect) take_primary(cdc, rel);
        return;
    }
    uint32_t wanted = take_catalog_key(cdc, rel);
    bool gone = !PQntuples(conn->results[COLUMNS]);
    bool marked = false;
    for (uint32_t i = 0; i < rel->columns_n; i++) marked |= rel->columns[i].identity;
    bool other = rel->identity == 'd' ? marked && !key_is_identity(rel) : rel->key_n < wanted;
    if (streamed && (gone || other)) {
        uint32_t found = rel->key_n;
        take_former_key(cdc, rel, gone);
        if (!rel->key_n && found) take_catalog_key(cdc, rel);
    } else {
        remember_key(&cdc->relations, rel);
    }
}

/* ---- schemas ---- */

static const struct sluice_schema *make_struct(struct cdc *cdc, struct cdc_relation *rel,
                                               const char *suffix, bool key)
{
    uint32_t n = key ? rel->key_fields : rel->fields_n, at = 0;
    struct sluice_field *fields = cdc_alloc((n + 1) * sizeof(*fields));
    for (uint32_t i = 0; i < (key ? rel->key_n : rel->columns_n); i++) {
        const struct cdc_column *column = key ? rel->key[i].as : &rel->columns[i];
        if (!key && column->field < 0) continue;
        fields[at].name = cdc_adjusted(cdc->settings.field_names, true, &rel->pool, column->name);
        fields[at++].schema = column->schema;
    }
    if (key && rel->key_tag) {
        fields[at].name = cdc->settings.naming.key_field;
        fields[at++].schema = cdc->string_schema;
    }
    assert(at == n);
    const char *name = cdc_pool_format(&rel->pool, "%s.%s", rel->topic, suffix);
    struct sluice_schema schema = {
        .type = SLUICE_STRUCT,
        .optional = !key,
        .name = cdc_adjusted(cdc->settings.schema_names, false, &rel->pool, name),
        .fields = fields,
        .fields_len = n};
    const struct sluice_schema *made = cdc->host->schema(&schema);
    free(fields);
    return made;
}

static bool in_key(const struct cdc_relation *rel, uint32_t column)
{
    for (uint32_t k = 0; k < rel->key_n; k++)
        if (rel->key[k].column == column) return true;
    return false;
}

bool cdc_relation_reads(const struct cdc_relation *relation, uint32_t column)
{
    assert(column < relation->columns_n);
    return relation->columns[column].field >= 0 || in_key(relation, column);
}

static void make_schemas(struct cdc *cdc, struct cdc_relation *rel)
{
    rel->row_schema = make_struct(cdc, rel, "Value", false);
    rel->key_fields = rel->key_n + (rel->key_tag != NULL);
    if (rel->key_fields) rel->key_schema = make_struct(cdc, rel, "Key", true);
    bool whole = true, safe = true; /* the key is of the identity; the identity is of the key */
    for (uint32_t k = 0; k < rel->key_n; k++) whole &= rel->columns[rel->key[k].column].identity;
    for (uint32_t i = 0; i < rel->columns_n; i++)
        safe &= !rel->columns[i].identity || in_key(rel, i);
    rel->old_key = rel->key_n > 0 && (rel->identity == 'f' || whole || safe);
    cdc_envelope_relation(cdc, rel);
}

/* Whether to ask again: what the catalog has told is from before the change. */
static bool is_behind(struct cdc *cdc, const struct cdc_wait *wait)
{
    struct cdc_relations *relations = &cdc->relations;
    int64_t now_ms = cdc_now_ms();
    if (*cdc_conn_field(&cdc->general, BEHIND, 0, 0) != 't') relations->behind_since_ms = 0;
    else if (!relations->behind_since_ms) relations->behind_since_ms = now_ms;
    if (!relations->behind_since_ms || now_ms - relations->behind_since_ms > BEHIND_MS)
        return false;
    cdc_sleep(wait->wake_fd, now_ms + 1);
    return true;
}

enum cdc_step cdc_relation_load(struct cdc *cdc, uint32_t oid, const char *schema,
                                const char *table, const struct cdc_relation_message *message,
                                const struct cdc_wait *wait, struct cdc_relation **out,
                                struct sluice_err *err)
{
    char *sql = catalog_sql(oid, message, message ? cdc->position.txid : 0);
    char *what = cdc_format("reading the columns of %s.%s", schema, table);
    enum cdc_step step = cdc_conn_query(&cdc->general, &cdc->settings, sql, what, wait, err);
    free(sql);
    free(what);
    if (step != CDC_DONE) return step;
    assert(cdc->general.results_n == 4);
    if (is_behind(cdc, wait)) return CDC_WAIT;
    take_types(cdc);
    struct cdc_relation *rel = cdc_alloc(sizeof(*rel));
    rel->oid = oid;
    rel->captured = true;
    rel->signals = cdc_signal_table(&cdc->settings, schema, table);
    rel->identity = message ? message->identity : 'd';
    rel->schema = cdc_pool_strdup(&rel->pool, schema);
    rel->table = cdc_pool_strdup(&rel->pool, table);
    rel->topic = cdc_topic_of_table(&cdc->settings, &rel->pool, schema, table);
    rel->key_tag = cdc_key_of_table(&cdc->settings, &rel->pool, schema, table);
    take_columns(cdc, rel, message);
    take_key(cdc, rel, message != NULL);
    make_schemas(cdc, rel);
    if (message) cdc_reselect_plan(cdc, rel);
    *out = rel;
    return CDC_DONE;
}

/* ---- the table of relations ---- */

struct cdc_relation *cdc_relation_ignored(uint32_t oid, const char *schema, const char *table)
{
    struct cdc_relation *rel = cdc_alloc(sizeof(*rel));
    rel->oid = oid;
    rel->schema = cdc_pool_strdup(&rel->pool, schema);
    rel->table = cdc_pool_strdup(&rel->pool, table);
    return rel;
}

void cdc_relation_retire(struct cdc_relations *relations, struct cdc_relation *relation)
{
    relation->next = relations->retired;
    relations->retired = relation;
}

void cdc_relations_put(struct cdc_relations *relations, struct cdc_relation *relation)
{
    struct cdc_relation **at = &relations->buckets[relation->oid & 255];
    while (*at && (*at)->oid != relation->oid) at = &(*at)->next;
    struct cdc_relation *old = *at;
    relation->next = old ? old->next : NULL;
    *at = relation;
    if (old) cdc_relation_retire(relations, old);
}

void cdc_relation_free(struct cdc_relation *relation, const struct sluice_host *host)
{
    if (!relation) return;
    for (uint32_t i = 0; i < relation->columns_n; i++) {
        host->schema_free(relation->columns[i].schema);
        if (relation->columns[i].unmapped) host->schema_free(relation->columns[i].unmapped->schema);
    }
    host->schema_free(relation->key_schema);
    host->schema_free(relation->row_schema);
    host->schema_free(relation->envelope);
    cdc_pool_free(&relation->pool);
    free(relation);
}

void cdc_relations_sweep(struct cdc_relations *relations, const struct sluice_host *host)
{
    while (relations->retired) {
        struct cdc_relation *relation = relations->retired;
        relations->retired = relation->next;
        cdc_relation_free(relation, host);
    }
}

void cdc_relations_free(struct cdc_relations *relations, const struct sluice_host *host)
{
    for (size_t i = 0; i < 256; i++) {
        while (relations->buckets[i]) {
            struct cdc_relation *relation = relations->buckets[i];
            relations->buckets[i] = relation->next;
            cdc_relation_free(relation, host);
        }
        while (relations->keys[i]) {
            struct cdc_known_key *known = relations->keys[i];
            relations->keys[i] = known->next;
            forget_key(known);
            free(known);
        }
    }
    cdc_relations_sweep(relations, host);
}
