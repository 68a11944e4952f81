/* reselect.c - reading columns again that a change came without: see reselect.h. */
#include "reselect.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cdc.h"

#define ROLE "Debezium Reselect"
#define IN_HAND_MS 10       /* records that were made meanwhile wait no longer for an answer */
#define INVISIBLE_MS 1000   /* at most until other sessions see a transaction that was streamed */
#define TELL_AGAIN_MS 10000 /* between warnings */
#define KEY_SHOWN 200       /* characters of a key in messages */

/* ---- the config ---- */

struct reader {
    struct cdc_settings *settings;
    const struct sluice_host *host;
    const struct sluice_conf *conf;
    cdc_complain *complain;
    void *arg;
    bool ok;
};

static const char *given(const struct reader *r, const char *key)
{
    const char *k, *v;
    for (size_t i = 0; r->host->entry(r->conf, i, &k, &v); i++)
        if (!strcmp(k, key)) return v;
    return NULL;
}

static bool begins(const struct reader *r, const char *prefix)
{
    const char *k, *v;
    for (size_t i = 0; r->host->entry(r->conf, i, &k, &v); i++)
        if (!strncmp(k, prefix, strlen(prefix))) return true;
    return false;
}

static void wrong(struct reader *r, const char *key, char *why)
{
    r->complain(r->arg, key, why);
    r->ok = false;
    free(why);
}

static void read_columns(struct reader *r, const char *prefix, const char *which,
                         struct cdc_patterns *out)
{
    struct sluice_err err;
    char *key = cdc_format("%s.reselect.columns.%s.list", prefix, which);
    if (!cdc_patterns_parse(out, given(r, key), &err)) wrong(r, key, cdc_strdup(err.msg));
    free(key);
}

/* The option table has checked the words of these. */
static bool read_flag(const struct reader *r, const char *prefix, const char *name, bool fallback)
{
    char *key = cdc_format("%s.reselect.%s", prefix, name);
    const char *value = given(r, key);
    free(key);
    return value && *value ? !strcasecmp(value, "true") : fallback;
}

static enum cdc_reselect_failure read_failure(const struct reader *r, const char *prefix)
{
    char *key = cdc_format("%s.reselect.error.handling.mode", prefix);
    const char *value = given(r, key);
    free(key);
    if (value && !strcasecmp(value, "fail")) return CDC_RESELECT_FAIL;
    return value && !strcasecmp(value, "skip") ? CDC_RESELECT_SKIP : CDC_RESELECT_WARN;
}

/* The options stand under post.processors.<name>, or under the name alone, as they did of old. */
static void read_processor(struct reader *r, const char *name)
{
    static const char list[] = "post.processors";
    struct cdc_settings *s = r->settings;
    char *prefix = cdc_format("%s.%s.", list, name);
    bool nested = begins(r, prefix);
    free(prefix);
    prefix = nested ? cdc_format("%s.%s", list, name) : cdc_strdup(name);
    char *key = cdc_format("%s.type", prefix);
    const char *class = given(r, key), *point = class ? strrchr(class, '.') : NULL;
    if (!class || !*class) {
        wrong(r, list,
              cdc_format("Post processor '%s' is missing '%s.type' and/or '%s.<option>' "
                         "configurations: give %s.%s.type, or leave it out of %s",
                         name, name, name, list, name, list));
    } else if (strcmp(point ? point + 1 : class, "ReselectColumnsPostProcessor") != 0) {
        wrong(
            r, nested ? key : list,
            cdc_format("%s, the class of post processor '%s', is not known here: records would go "
                       "unprocessed. The one that is built in is "
                       "io.debezium.processors.reselect.ReselectColumnsPostProcessor; leave '%s' "
                       "out of %s",
                       class, name, name, list));
    } else if (s->reselectors_n == CDC_RESELECTORS_MAX) {
        wrong(r, list, cdc_format("more than %d post processors", CDC_RESELECTORS_MAX));
    } else {
        struct cdc_reselector *out = &s->reselectors[s->reselectors_n++];
        out->name = cdc_pool_strdup(&s->pool, name);
        read_columns(r, prefix, "include", &out->columns.include);
        read_columns(r, prefix, "exclude", &out->columns.exclude);
        out->unavailable = read_flag(r, prefix, "unavailable.values", true);
        out->nulls = read_flag(r, prefix, "null.values", true);
        out->event_key = read_flag(r, prefix, "use.event.key", false);
        out->failure = read_failure(r, prefix);
    }
    free(key);
    free(prefix);
}

bool cdc_reselectors_read(struct cdc_settings *settings, const struct sluice_host *host,
                          const struct sluice_conf *conf, cdc_complain *complain, void *arg)
{
    struct reader r = {settings, host, conf, complain, arg, true};
    const char *list = host->str(conf, "post.processors");
    if (!list || !*list) return true;
    settings->reselectors = cdc_alloc(CDC_RESELECTORS_MAX * sizeof(*settings->reselectors));
    while (*list) {
        list += strspn(list, ", \t\r\n");
        size_t n = strcspn(list, ","), end = n;
        while (n && strchr(" \t\r\n", list[n - 1])) n--;
        char *name = cdc_strndup(list, n);
        if (n) read_processor(&r, name);
        free(name);
        list += end;
    }
    return r.ok;
}

void cdc_reselectors_free(struct cdc_settings *settings)
{
    for (size_t i = 0; i < settings->reselectors_n; i++)
        cdc_filter_free(&settings->reselectors[i].columns);
    free(settings->reselectors);
    settings->reselectors = NULL;
    settings->reselectors_n = 0;
}

/* ---- a table's plan ---- */

void cdc_reselect_plan(struct cdc *cdc, struct cdc_relation *relation)
{
    const struct cdc_settings *s = &cdc->settings;
    if (!cdc->reselect || relation->signals || !relation->key_n) return;
    uint8_t *plan = cdc_pool_alloc(&relation->pool, relation->columns_n);
    for (uint32_t i = 0; i < relation->columns_n; i++) {
        if (relation->columns[i].field < 0) continue;
        char *name =
            cdc_format("%s.%s:%s", relation->schema, relation->table, relation->columns[i].name);
        for (size_t k = 0; k < s->reselectors_n; k++) {
            const struct cdc_filter *filter = &s->reselectors[k].columns;
            if (!cdc_filter_passes(filter, name)) continue;
            plan[i] |= (uint8_t)(1u << k);
            relation->reselect = plan;
        }
        free(name);
    }
}

/* ---- a row ---- */

struct found { /* what was read of one column of the row */
    uint32_t column, len;
    const char *text; /* NULL: null; else in one of the results */
};

struct cdc_reselect {
    struct cdc_conn conn;
    bool proven;                       /* it has answered: when it breaks, a new one is made */
    bool waiting;                      /* in the middle of a row: */
    size_t at;                         /* whose turn it is */
    char *sql;                         /* the query under way; NULL: none */
    char *key;                         /* its condition, for messages */
    int64_t invisible_ms;              /* since when it is asked again; 0: it is not */
    uint32_t columns[CDC_COLUMNS_MAX]; /* those that it asks for */
    uint32_t columns_n;
    struct found found[CDC_COLUMNS_MAX];
    uint32_t found_n;
    PGresult *results[CDC_RESELECTORS_MAX]; /* of this row */
    size_t results_n;
    int64_t told_ms; /* the last warning; 0: none yet */
    uint64_t untold; /* since then */
};

void cdc_reselect_init(struct cdc *cdc)
{
    if (cdc->settings.reselectors_n) cdc->reselect = cdc_alloc(sizeof(*cdc->reselect));
}

static void forget_query(struct cdc_reselect *r)
{
    free(r->sql);
    free(r->key);
    r->sql = r->key = NULL;
    r->invisible_ms = 0;
}

static void forget_row(struct cdc *cdc)
{
    struct cdc_reselect *r = cdc->reselect;
    for (size_t i = 0; i < r->results_n; i++) PQclear(r->results[i]);
    r->results_n = 0;
    r->found_n = 0;
    r->at = 0;
    cdc->reselected = false;
}

void cdc_reselect_abandon(struct cdc *cdc)
{
    struct cdc_reselect *r = cdc->reselect;
    if (!r) return;
    forget_query(r);
    forget_row(cdc);
    r->waiting = r->proven = false;
    cdc_conn_close(&r->conn);
}

void cdc_reselect_fini(struct cdc *cdc)
{
    cdc_reselect_abandon(cdc);
    free(cdc->reselect);
    cdc->reselect = NULL;
}

/* A table that loses many rows must not fill the log. */
static void warn(struct cdc *cdc, const char *what)
{
    struct cdc_reselect *r = cdc->reselect;
    int64_t now_ms = cdc_now_ms();
    if (r->told_ms && now_ms - r->told_ms < TELL_AGAIN_MS) {
        r->untold++;
        return;
    }
    if (r->untold)
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "%s (and %llu more such warnings since the last one)", what,
                       (unsigned long long)r->untold);
    else cdc->host->log(cdc->task, SLUICE_WARN, "%s", what);
    r->told_ms = now_ms;
    r->untold = 0;
}

/* The record goes out as the change came, or the task fails. */
static enum cdc_step failed(struct cdc *cdc, const struct cdc_reselector *processor,
                            const struct cdc_relation *rel, const char *why, struct sluice_err *err)
{
    const char *key = cdc->reselect->key;
    struct cdc_text text = {0};
    cdc_text_addf(&text, "post processor %s cannot read columns of %s.%s again", processor->name,
                  rel->schema, rel->table);
    if (key) cdc_text_addf(&text, " where %.*s", KEY_SHOWN, key);
    cdc_text_addf(&text, ": %s", why);
    enum cdc_step step = CDC_DONE;
    if (processor->failure == CDC_RESELECT_WARN) {
        cdc_text_adds(&text, "; its record stays as it came");
        warn(cdc, text.s);
    } else if (processor->failure == CDC_RESELECT_FAIL) {
        cdc_error(err,
                  "%s; set reselect.error.handling.mode=warn to let such records pass as they "
                  "came",
                  text.s);
        cdc->hopeless = true;
        step = CDC_ERROR;
    }
    cdc_text_free(&text);
    return step;
}

/* The column of the row after the change, with what only the old row tells. */
static const struct cdc_cell *cell_of(const struct cdc_change *change, uint32_t column)
{
    const struct cdc_cell *cell = &change->after.cells[column];
    if (cell->kind != 'u' || !change->old || column >= change->before.n) return cell;
    const struct cdc_cell *old = &change->before.cells[column];
    return old->kind == 't' ? old : cell;
}

/* A null in a column with a default reads as that default, and is none; a type that has no
 * placeholder for a value that was not sent has null in its place. */
static bool lacks(struct cdc *cdc, const struct cdc_reselector *processor,
                  const struct cdc_column *column, const struct cdc_cell *cell)
{
    struct sluice_value placeholder;
    if (cell->kind == 'u')
        return processor->unavailable ||
               (processor->nulls && !cdc_unavailable(&column->binding, &cdc->memory, &placeholder));
    return cell->kind == 'n' && processor->nulls && !column->required && !column->schema->has_dflt;
}

static bool found_before(const struct cdc_reselect *r, uint32_t column)
{
    for (uint32_t i = 0; i < r->found_n; i++)
        if (r->found[i].column == column) return true;
    return false;
}

/* "a" = 'x' AND ...; false: a column of the key has no value that could be looked for. */
static bool key_sql(struct cdc_text *sql, const struct cdc_reselector *processor,
                    const struct cdc_relation *rel, const struct cdc_change *change)
{
    bool own = !processor->event_key && rel->primary;
    const struct cdc_key_part *key = own ? rel->primary : rel->key;
    uint32_t n = own ? rel->primary_n : rel->key_n;
    bool complete = n > 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct cdc_cell *cell = cell_of(change, key[i].column);
        cdc_text_adds(sql, i ? " AND " : "");
        cdc_text_ident(sql, rel->columns[key[i].column].name);
        if (cell->kind != 't') {
            cdc_text_adds(sql, cell->kind == 'n' ? " = NULL" : " = (not sent)");
            complete = false;
            continue;
        }
        char *text = cdc_strndup(cell->s, cell->len);
        cdc_text_adds(sql, " = ");
        cdc_text_literal(sql, text);
        free(text);
    }
    return complete;
}

/* Makes the query of this processor. False: there is nothing to ask, or nothing to ask by. */
static bool make_query(struct cdc *cdc, const struct cdc_reselector *processor,
                       const struct cdc_relation *rel, const struct cdc_change *change,
                       bool *complete)
{
    struct cdc_reselect *r = cdc->reselect;
    uint8_t bit = (uint8_t)(1u << r->at);
    r->columns_n = 0;
    *complete = true;
    for (uint32_t i = 0; i < rel->columns_n && i < change->after.n; i++)
        if ((rel->reselect[i] & bit) &&
            lacks(cdc, processor, &rel->columns[i], cell_of(change, i)) && !found_before(r, i))
            r->columns[r->columns_n++] = i;
    if (!r->columns_n) return false;
    struct cdc_text key = {0}, sql = {0};
    *complete = key_sql(&key, processor, rel, change);
    r->key = key.s;
    if (!*complete) return false;
    cdc_behind_sql(&sql, cdc->position.txid);
    for (uint32_t i = 0; i < r->columns_n; i++) {
        cdc_text_adds(&sql, i ? ", " : "SELECT ");
        cdc_text_ident(&sql, rel->columns[r->columns[i]].name);
    }
    cdc_text_adds(&sql, " FROM ");
    cdc_text_ident(&sql, rel->schema);
    cdc_text_adds(&sql, ".");
    cdc_text_ident(&sql, rel->table);
    cdc_text_addf(&sql, " WHERE %s LIMIT 1", r->key);
    r->sql = sql.s;
    return true;
}

/* Whether the connection is of no use any more, and not only the query. */
static bool is_lost(const struct cdc_conn *conn)
{
    return !conn->up || PQstatus(conn->pg) == CONNECTION_BAD || !*conn->sqlstate ||
           !strncmp(conn->sqlstate, "57P", 3) || !strncmp(conn->sqlstate, "08", 2);
}

/* CDC_ERROR: the server refused the query, or (*lost) there is no connection. */
static enum cdc_step run(struct cdc *cdc, const struct cdc_wait *wait, bool *lost,
                         struct sluice_err *err)
{
    struct cdc_reselect *r = cdc->reselect;
    const struct cdc_settings *s = &cdc->settings;
    for (;;) {
        bool proven = r->proven;
        enum cdc_step step = cdc_conn_open(&r->conn, s, ROLE, false, wait, err);
        if (step == CDC_DONE)
            step = cdc_conn_query(&r->conn, s, r->sql, "reselecting columns", wait, err);
        if (step == CDC_DONE) r->proven = true;
        if (step != CDC_ERROR) return step;
        if (!is_lost(&r->conn)) return CDC_ERROR;
        r->proven = false;
        cdc_conn_close(&r->conn);
        *lost = !proven; /* a new one as well */
        if (*lost) return CDC_ERROR;
    }
}

/* The change's transaction may be streamed before other sessions see it: the table would still
 * show what was before it. */
static bool is_invisible(struct cdc_reselect *r, const struct cdc_wait *wait)
{
    int64_t now_ms = cdc_now_ms();
    if (!r->conn.results_n || *cdc_conn_field(&r->conn, 0, 0, 0) != 't') return false;
    if (!r->invisible_ms) r->invisible_ms = now_ms;
    if (now_ms - r->invisible_ms > INVISIBLE_MS) return false;
    cdc_sleep(wait->wake_fd, now_ms + 1);
    return true;
}

static void take(struct cdc_reselect *r)
{
    PGresult *row = r->conn.results[--r->conn.results_n];
    r->results[r->results_n++] = row;
    for (uint32_t i = 0; i < r->columns_n; i++) {
        struct found *found = &r->found[r->found_n++];
        bool null = PQgetisnull(row, 0, (int)i);
        found->column = r->columns[i];
        found->text = null ? NULL : PQgetvalue(row, 0, (int)i);
        found->len = null ? 0 : (uint32_t)PQgetlength(row, 0, (int)i);
    }
}

/* One processor's turn. */
static enum cdc_step ask(struct cdc *cdc, const struct cdc_relation *rel,
                         const struct cdc_change *change, const struct cdc_wait *wait,
                         struct sluice_err *err)
{
    struct cdc_reselect *r = cdc->reselect;
    const struct cdc_reselector *processor = &cdc->settings.reselectors[r->at];
    bool complete, lost = false;
    if (!r->sql && !make_query(cdc, processor, rel, change, &complete)) {
        if (complete) return CDC_DONE;
        return failed(cdc, processor, rel,
                      r->key ? "the change tells no value of this key"
                             : "the table has neither primary key nor unique index; set "
                               "reselect.use.event.key=true",
                      err);
    }
    enum cdc_step step = run(cdc, wait, &lost, err);
    if (step == CDC_WAIT || lost) return step;
    if (is_invisible(r, wait)) return CDC_WAIT;
    if (step == CDC_ERROR) {
        struct sluice_err why = *err;
        return failed(cdc, processor, rel, why.msg, err);
    }
    assert(r->conn.results_n == 2);
    if (PQntuples(r->conn.results[1]) == 0)
        return failed(cdc, processor, rel, "there is no such row any more", err);
    take(r);
    return CDC_DONE;
}

enum cdc_step cdc_reselect(struct cdc *cdc, const struct cdc_relation *relation,
                           const struct cdc_change *change, const struct cdc_wait *wait,
                           struct sluice_err *err)
{
    struct cdc_reselect *r = cdc->reselect;
    unsigned skipped = change->op == 'I' ? CDC_SKIP_C : CDC_SKIP_U;
    if (!r->waiting) forget_row(cdc);
    if (!relation->reselect || change->op == 'D' || (cdc->settings.skipped & skipped))
        return CDC_DONE;
    struct cdc_wait short_wait = *wait;
    int64_t soon_ms = cdc_now_ms() + IN_HAND_MS;
    if (cdc->emitted && soon_ms < wait->until_ms) short_wait.until_ms = soon_ms;
    enum cdc_step step = CDC_DONE;
    r->waiting = true;
    for (; r->at < cdc->settings.reselectors_n; r->at++) {
        step = ask(cdc, relation, change, &short_wait, err);
        if (step == CDC_WAIT) return CDC_WAIT;
        forget_query(r);
        if (step == CDC_ERROR) break;
    }
    r->waiting = false;
    cdc->reselected = step == CDC_DONE && r->found_n > 0;
    return step;
}

void cdc_reselect_apply(struct cdc *cdc, struct cdc_relation *relation, struct sluice_value *after)
{
    struct cdc_reselect *r = cdc->reselect;
    assert(r && cdc->reselected);
    for (uint32_t i = 0; i < r->found_n; i++) {
        const struct found *found = &r->found[i];
        struct cdc_column *column = &relation->columns[found->column];
        assert(column->field >= 0 && (uint32_t)column->field < relation->fields_n);
        struct sluice_value value = column->absent;
        if (found->text) {
            char *text = cdc_take(&cdc->memory, found->len + 1);
            memcpy(text, found->text, found->len);
            cdc->emitted_bytes += found->len;
            if (!column->binding.convert(&column->binding, &cdc->memory, text, found->len,
                                         &value)) {
                char *what = cdc_format("column %s of %s.%s, read again, cannot be converted: %s; "
                                        "it stays as it came",
                                        column->name, relation->schema, relation->table,
                                        cdc->memory.why ? cdc->memory.why : "unknown form");
                warn(cdc, what);
                free(what);
                continue;
            }
        }
        after[column->field] = value;
    }
}
