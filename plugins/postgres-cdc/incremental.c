/* incremental.c - signals, marks and offsets of incremental snapshots: see incremental.h. */
#include "incremental.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "incremental_parts.h"

/* ---- states ---- */

static char *dumped(const json_t *json) { return json_dumps(json, JSON_COMPACT); }

static json_t *collections_json(const struct cdc_incremental *inc)
{
    json_t *list = json_array(), *table;
    size_t i;
    json_array_foreach(inc->tables, i, table) json_array_append_new(
        list, json_pack("{sO?sO?sO?ss?}", "incremental_snapshot_collections_id",
                        json_object_get(table, "id"),
                        "incremental_snapshot_collections_additional_condition",
                        json_object_get(table, "condition"),
                        "incremental_snapshot_collections_surrogate_key",
                        json_object_get(table, "surrogate"),
                        "incremental_snapshot_collections_correlation_id", inc->correlation));
    return list;
}

static json_t *requests_json(const struct request *first)
{
    json_t *list = json_array();
    for (; first; first = first->next)
        json_array_append_new(list, json_pack("{sssO}", "id", first->id, "data", first->data));
    return list;
}

void cdc_incremental_note(struct cdc *cdc, const json_t *last)
{
    struct cdc_incremental *inc = cdc->incremental;
    struct state *state = cdc_alloc(sizeof(*state));
    if (++inc->number == 0) inc->number = 1;
    state->number = inc->number;
    bool tables = json_array_size(inc->tables) > 0;
    if (tables) {
        json_t *list = collections_json(inc);
        state->collections = dumped(list);
        json_decref(list);
        state->correlation = cdc_strdup(inc->correlation);
    }
    if (tables || inc->requests || inc->blocking || inc->signal_type) {
        json_t *position = json_pack("{sb}", "paused", inc->paused);
        if (last) json_object_set(position, "last", (json_t *)last);
        if (last && inc->maximum) json_object_set(position, "maximum", inc->maximum);
        if (inc->requests) json_object_set_new(position, "requests", requests_json(inc->requests));
        if (inc->blocking) json_object_set_new(position, "blocking", requests_json(inc->blocking));
        if (inc->signal_type)
            json_object_set_new(position, "signal",
                                json_pack("{ssssss}", "id", inc->signal_id, "type",
                                          inc->signal_type, "data", inc->signal_data));
        state->position = dumped(position);
        json_decref(position);
    }
    *inc->states_end = state;
    inc->states_end = &state->next;
    cdc->position.state = state->number;
}

static void drop_first_state(struct cdc_incremental *inc)
{
    struct state *state = inc->states;
    inc->states = state->next;
    if (!inc->states) inc->states_end = &inc->states;
    free(state->collections);
    free(state->position);
    free(state->correlation);
    free(state);
}

void cdc_incremental_acked(struct cdc *cdc, uint16_t state)
{
    struct cdc_incremental *inc = cdc->incremental;
    bool known = false;
    for (const struct state *s = inc ? inc->states : NULL; s && !known; s = s->next)
        known = s->number == state;
    while (known && inc->states->number != state) drop_first_state(inc);
}

uint32_t cdc_incremental_store(const struct cdc *cdc, uint16_t state, struct cdc_memory *memory,
                               struct sluice_value *pairs)
{
    const struct state *s = cdc->incremental && state ? cdc->incremental->states : NULL;
    while (s && s->number != state) s = s->next;
    if (!s) return 0;
    const char *keys[] = {"incremental_snapshot_collections", "sluice_incremental_position",
                          "incremental_snapshot_correlation_id"};
    const char *values[] = {s->collections, s->position, s->correlation};
    uint32_t n = 0;
    for (size_t i = 0; i < CDC_INCREMENTAL_KEYS; i++) {
        if (!values[i]) continue;
        size_t len = strlen(values[i]);
        char *copy = cdc_take(memory, len + 1);
        memcpy(copy, values[i], len);
        pairs[2 * n] = sluice_string(keys[i], strlen(keys[i]));
        pairs[2 * n++ + 1] = sluice_string(copy, len);
    }
    return n;
}

static const struct sluice_value *stored(const struct sluice_value *offset, const char *key)
{
    for (uint32_t i = 0; offset && i < offset->len; i++) {
        const struct sluice_value *k = &offset->u.v[2 * i];
        if (k->type == SLUICE_STRING && k->len == strlen(key) && !memcmp(k->u.s, key, k->len) &&
            k[1].type == SLUICE_STRING)
            return &k[1];
    }
    return NULL;
}

/* A text that is set, and not empty: Debezium writes "" for what there is not. */
static void keep_text(json_t *to, const char *as, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);
    if (json_string_length(value)) json_object_set(to, as, value);
}

static void restore_tables(struct cdc_incremental *inc, const struct sluice_value *offset)
{
    const struct sluice_value *text = stored(offset, "incremental_snapshot_collections");
    if (!text) return;
    json_t *list = json_loadb(text->u.s, text->len, 0, NULL), *table;
    size_t i;
    json_array_foreach(list, i, table)
    {
        json_t *id = json_object_get(table, "incremental_snapshot_collections_id");
        if (!json_is_string(id) || !strchr(json_string_value(id), '.')) continue;
        json_t *one = json_pack("{sO}", "id", id);
        keep_text(one, "condition", table, "incremental_snapshot_collections_additional_condition");
        keep_text(one, "surrogate", table, "incremental_snapshot_collections_surrogate_key");
        json_array_append_new(inc->tables, one);
    }
    /* Debezium before 2.0: s.a,s.b */
    for (size_t at = 0; !list && at < text->len;) {
        const char *name = text->u.s + at, *comma = memchr(name, ',', text->len - at);
        size_t n = comma ? (size_t)(comma - name) : text->len - at;
        if (memchr(name, '.', n))
            json_array_append_new(inc->tables, json_pack("{ss%}", "id", name, n));
        at += n + 1;
    }
    json_decref(list);
    const struct sluice_value *id = stored(offset, "incremental_snapshot_correlation_id");
    if (id && json_array_size(inc->tables)) inc->correlation = cdc_strndup(id->u.s, id->len);
}

static void add_request(struct request **at, const char *id, const json_t *data)
{
    struct request *request = cdc_alloc(sizeof(*request));
    while (*at) at = &(*at)->next;
    *at = request;
    request->data = json_deep_copy(data);
    request->id = cdc_strdup(id);
}

static void restore_requests(struct request **to, const json_t *list)
{
    const json_t *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        const char *id = json_string_value(json_object_get(one, "id"));
        const json_t *data = json_object_get(one, "data");
        if (id && json_is_object(data)) add_request(to, id, data);
    }
}

static void forget_keys(struct cdc_incremental *inc)
{
    json_t **keys[] = {&inc->chunk_first, &inc->chunk_last, &inc->table_first};
    for (size_t i = 0; i < 3; i++) {
        json_decref(*keys[i]);
        *keys[i] = NULL;
    }
}

void cdc_incremental_begin(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    struct cdc_progress *p = &cdc->meters.progress;
    inc->scanned_before = inc->tables_done = 0;
    inc->rows_expected = inc->rows_after = -1;
    inc->estimated = false;
    forget_keys(inc);
    cdc_pace_start(&p->incremental, cdc_now_ms());
    p->incremental_began_ms = cdc_wall_ns() / 1000000;
}

static void restore(struct cdc *cdc, const struct sluice_value *offset)
{
    struct cdc_incremental *inc = cdc->incremental;
    const struct sluice_value *text = stored(offset, "sluice_incremental_position");
    json_t *position = text ? json_loadb(text->u.s, text->len, 0, NULL) : NULL;
    restore_tables(inc, offset);
    restore_requests(&inc->requests, json_object_get(position, "requests"));
    restore_requests(&inc->blocking, json_object_get(position, "blocking"));
    inc->paused = json_is_true(json_object_get(position, "paused"));
    inc->last = json_incref(json_object_get(position, "last"));
    inc->maximum = json_incref(json_object_get(position, "maximum"));
    if (!json_is_array(inc->last) || !json_is_array(inc->maximum)) {
        json_decref(inc->last);
        json_decref(inc->maximum);
        inc->last = inc->maximum = NULL;
    }
    const json_t *signal = json_object_get(position, "signal");
    const char *type = json_string_value(json_object_get(signal, "type"));
    const char *id = json_string_value(json_object_get(signal, "id"));
    if (type && id) cdc_signal(cdc, id, type, json_string_value(json_object_get(signal, "data")));
    json_decref(position);
    if (json_array_size(inc->tables) && !cdc->settings.signal_table && !cdc->settings.read_only) {
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "the incremental snapshot under way is given up: there is no "
                       "signal.data.collection any more, and read.only is false");
        json_array_clear(inc->tables);
    }
    size_t tables = json_array_size(inc->tables);
    if (!tables && !inc->requests && !inc->blocking) return;
    if (tables)
        cdc->host->log(cdc->task, SLUICE_INFO, "incremental snapshot goes on: %zu tables are left",
                       tables);
    cdc_incremental_begin(cdc);
    inc->stage = inc->requests ? LIST : tables && !inc->paused ? OPEN : IDLE;
    if (inc->paused) cdc->meters.paused_since_ms = cdc_now_ms();
    cdc_incremental_note(cdc, inc->last);
}

void cdc_incremental_init(struct cdc *cdc, const struct sluice_value *offset)
{
    const struct cdc_settings *s = &cdc->settings;
    if (!s->signal_table && !s->signal_file && !s->signal_topic) return;
    struct cdc_incremental *inc = cdc->incremental = cdc_alloc(sizeof(*inc));
    inc->states_end = &inc->states;
    inc->tables = json_array();
    inc->cells = cdc_alloc(CDC_COLUMNS_MAX * sizeof(*inc->cells));
    if (offset && offset->type == SLUICE_MAP) restore(cdc, offset);
}

/* ---- the window ---- */

static void clear_window(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    for (size_t i = 0; i < inc->rows_n; i++) {
        cdc_keep(cdc, inc->rows[i].line); /* records may point into it */
        free(inc->rows[i].cells);
    }
    inc->rows_n = inc->emit_at = 0;
}

void cdc_incremental_clear(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    clear_window(cdc);
    cdc_incremental_drop_relation(cdc);
    bool more = json_array_size(inc->tables) > 0;
    inc->chunk[0] = 0;
    inc->stage = inc->requests ? LIST : more && !inc->paused ? OPEN : IDLE;
}

static void forget_signal(struct cdc_incremental *inc)
{
    free(inc->signal_id);
    free(inc->signal_type);
    free(inc->signal_data);
    json_decref(inc->last_of_chunk);
    inc->last_of_chunk = NULL;
    inc->signal_id = inc->signal_type = inc->signal_data = NULL;
    inc->closes = false;
}

void cdc_incremental_drop_relation(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    if (inc->relation) cdc_relation_retire(&cdc->relations, inc->relation);
    inc->relation = NULL;
}

void cdc_incremental_abandon(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    if (!inc) return;
    cdc_conn_close(&inc->conn);
    clear_window(cdc);
    forget_signal(inc);
    cdc_incremental_drop_relation(cdc);
    inc->oid = 0;
    inc->loading = inc->copying = false;
    inc->limbo = 0;
    bool more = json_array_size(inc->tables) && !inc->paused;
    inc->stage = inc->requests ? LIST : more ? OPEN : IDLE;
}

void cdc_incremental_request_free(struct request *request)
{
    json_decref(request->data);
    free(request->id);
    free(request);
}

void cdc_incremental_fini(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    if (!inc) return;
    cdc_incremental_abandon(cdc);
    while (inc->states) drop_first_state(inc);
    struct request **lists[] = {&inc->requests, &inc->blocking};
    for (size_t i = 0; i < 2; i++)
        while (*lists[i]) {
            struct request *request = *lists[i];
            *lists[i] = request->next;
            cdc_incremental_request_free(request);
        }
    json_decref(inc->tables);
    json_decref(inc->last);
    json_decref(inc->maximum);
    forget_keys(inc);
    free(inc->correlation);
    free(inc->rows);
    free(inc->cells);
    free(inc);
    cdc->incremental = NULL;
}

json_t *cdc_incremental_key(const struct cdc_incremental *inc, const struct cdc_cell *cells)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < inc->keys_n; i++) {
        const struct cdc_cell *cell = &cells[inc->keys[i]];
        json_array_append_new(list,
                              cell->kind == 't' ? json_stringn(cell->s, cell->len) : json_null());
    }
    return list;
}

/* Leaves out the row of the chunk that has the key of this tuple, which is of another shape of the
 * same table: columns are found by name. */
static void leave_out(struct cdc_incremental *inc, const struct cdc_relation *from,
                      const struct cdc_tuple *tuple)
{
    const struct cdc_relation *to = inc->relation;
    uint32_t theirs[KEY_COLUMNS_MAX];
    if (!to->key_n || to->key_n > KEY_COLUMNS_MAX || tuple->n != from->columns_n) return;
    for (uint32_t k = 0; k < to->key_n; k++) {
        const char *name = to->columns[to->key[k].column].name;
        for (theirs[k] = 0; theirs[k] < from->columns_n; theirs[k]++)
            if (!strcmp(from->columns[theirs[k]].name, name)) break;
        if (theirs[k] == from->columns_n) return;
    }
    for (size_t i = 0; i < inc->rows_n; i++) {
        bool same = true;
        for (uint32_t k = 0; same && k < to->key_n; k++) {
            const struct cdc_cell *a = &inc->rows[i].cells[to->key[k].column];
            const struct cdc_cell *b = &tuple->cells[theirs[k]];
            same =
                a->kind == b->kind && a->len == b->len && (!a->len || !memcmp(a->s, b->s, a->len));
        }
        inc->rows[i].newer |= same;
    }
}

static bool emit_window(struct cdc *cdc, const struct cdc_position *before, struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    for (size_t i = 0; i < inc->rows_n; i++) {
        const struct cdc_tuple tuple = {.cells = inc->rows[i].cells, .n = inc->relation->columns_n};
        if (!inc->rows[i].newer &&
            !cdc_emit_incremental_row(cdc, inc->relation, &tuple, before, err))
            return false;
    }
    if (inc->rows_n)
        inc->last_of_chunk = cdc_incremental_key(inc, inc->rows[inc->rows_n - 1].cells);
    return true;
}

/* ---- signals ---- */

static char *cell_text(const struct cdc_tuple *tuple, uint32_t at)
{
    bool there = at < tuple->n && tuple->cells[at].kind == 't';
    return there ? cdc_strndup(tuple->cells[at].s, tuple->cells[at].len) : cdc_strdup("");
}

static bool ends(const char *s, const char *with)
{
    size_t n = strlen(s), m = strlen(with);
    return n >= m && !strcmp(s + n - m, with);
}

/* A mark of the chunk under way. */
static bool mark(struct cdc *cdc, const char *id, bool gone, const struct cdc_position *before,
                 struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    size_t n = strlen(inc->chunk);
    if (!n || inc->stage == IDLE || strncmp(id, inc->chunk, n) != 0) return true;
    bool closes = gone ? ends(id, "-open") : ends(id, "-close");
    if (!closes || inc->stage != WINDOW) return true;
    inc->closes = true;
    if (!emit_window(cdc, before, err)) return false;
    cdc_incremental_note(cdc, inc->last_of_chunk ? inc->last_of_chunk : inc->last);
    return true;
}

bool cdc_incremental_change(struct cdc *cdc, struct cdc_relation *relation,
                            const struct cdc_change *change, const struct cdc_position *before,
                            struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    /* Before the opening mark comes by as well: what was committed before it may have become
     * visible to others after the chunk was read. */
    if (inc->rows_n && relation->oid == (inc->relation ? inc->relation->oid : 0)) {
        if (change->old) leave_out(inc, relation, &change->before);
        if (change->op != 'D') leave_out(inc, relation, &change->after);
    }
    bool gone = change->op == 'D';
    if (!relation->signals || (change->op != 'I' && !(gone && cdc->settings.watermark_delete)))
        return true;
    const struct cdc_tuple *tuple = gone ? &change->before : &change->after;
    char *id = cell_text(tuple, 0), *type = cell_text(tuple, 1);
    bool ok = true;
    if (gone || !strncmp(type, "snapshot-window-", 16)) {
        ok = mark(cdc, id, gone, before, err);
        free(id);
        free(type);
        return ok;
    }
    forget_signal(inc); /* of a message that was cut */
    if (cdc->settings.signal_source) {
        inc->signal_id = id;
        inc->signal_type = type;
        inc->signal_data = cell_text(tuple, 2);
        cdc_incremental_note(cdc, inc->last); /* its record's offset holds it */
    } else {
        free(id);
        free(type);
    }
    return true;
}

/* ---- what signals ask for ---- */

static char *table_names(const struct cdc_incremental *inc)
{
    struct cdc_text text = {0};
    json_t *table;
    size_t i;
    cdc_text_adds(&text, "");
    json_array_foreach(inc->tables, i, table)
        cdc_text_addf(&text, "%s%s", i ? "," : "", json_string_value(json_object_get(table, "id")));
    return text.s;
}

void cdc_incremental_tell(struct cdc *cdc, const char *type)
{
    struct cdc_incremental *inc = cdc->incremental;
    char *names = table_names(inc);
    cdc_notify(cdc, CDC_INCREMENTAL_SNAPSHOT, inc->correlation, type, "data_collections", names,
               NULL);
    free(names);
}

static char *key_text(const json_t *key)
{
    struct cdc_text text = {0};
    cdc_text_adds(&text, "");
    for (size_t i = 0; i < json_array_size(key); i++) {
        const char *part = json_string_value(json_array_get(key, i));
        cdc_text_addf(&text, "%s%s", i ? "," : "", part ? part : "<null>");
    }
    return text.s;
}

void cdc_incremental_tell_chunk(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    if (!cdc->settings.notify_topic && !cdc->settings.notify_log) return;
    json_t *last = cdc_incremental_key(inc, inc->rows[inc->rows_n - 1].cells);
    char *names = table_names(inc), *to = key_text(inc->maximum), *at = key_text(last);
    cdc_notify(cdc, CDC_INCREMENTAL_SNAPSHOT, inc->correlation, "IN_PROGRESS", "data_collections",
               names, "current_collection_in_progress",
               json_string_value(json_object_get(json_array_get(inc->tables, 0), "id")),
               "maximum_key", to, "last_processed_key", at, NULL);
    json_decref(last);
    free(names);
    free(to);
    free(at);
}

static void next_table(struct cdc *cdc, bool stopped)
{
    struct cdc_incremental *inc = cdc->incremental;
    json_array_remove(inc->tables, 0);
    json_decref(inc->last);
    json_decref(inc->maximum);
    inc->last = inc->maximum = NULL;
    inc->scanned_before += inc->scanned;
    inc->scanned = 0;
    inc->tables_done++;
    inc->estimated = false;
    forget_keys(inc);
    if (json_array_size(inc->tables)) return;
    if (!stopped) {
        cdc->host->log(cdc->task, SLUICE_INFO, "incremental snapshot is complete");
        cdc_notify(cdc, CDC_INCREMENTAL_SNAPSHOT, inc->correlation, "COMPLETED", NULL);
    }
    cdc->meters.completed = !stopped;
    cdc->meters.aborted = stopped;
    if (stopped) return;
    free(inc->correlation);
    inc->correlation = NULL;
}

void cdc_incremental_next_table(struct cdc *cdc, const char *status)
{
    struct cdc_incremental *inc = cdc->incremental;
    char *names = table_names(inc), *rows = cdc_format("%llu", (unsigned long long)inc->scanned);
    cdc_notify(cdc, CDC_INCREMENTAL_SNAPSHOT, inc->correlation, "TABLE_SCAN_COMPLETED",
               "data_collections", names, "scanned_collection",
               json_string_value(json_object_get(json_array_get(inc->tables, 0), "id")),
               "total_rows_scanned", rows, "status", status, NULL);
    free(names);
    free(rows);
    next_table(cdc, false);
}

static bool named(const json_t *names, const char *id)
{
    bool match = !json_array_size(names);
    for (size_t k = 0; !match && k < json_array_size(names); k++) {
        struct cdc_patterns pattern = {0};
        const char *regex = json_string_value(json_array_get(names, k));
        struct sluice_err err;
        match = regex && cdc_patterns_add(&pattern, regex, strlen(regex), &err) &&
                cdc_patterns_match(&pattern, id) >= 0;
        cdc_patterns_free(&pattern);
    }
    return match;
}

void cdc_incremental_stop(struct cdc *cdc, const json_t *names)
{
    struct cdc_incremental *inc = cdc->incremental;
    bool current = false;
    struct cdc_text stopped = {0};
    if (!json_array_size(inc->tables)) return;
    for (size_t i = json_array_size(inc->tables); i-- > 0;) {
        const char *id = json_string_value(json_object_get(json_array_get(inc->tables, i), "id"));
        if (!named(names, id)) continue;
        cdc->host->log(cdc->task, SLUICE_INFO, "incremental snapshot of %s is stopped", id);
        cdc_text_addf(&stopped, "%s%s", stopped.len ? "," : "", id);
        if (i) json_array_remove(inc->tables, i);
        else next_table(cdc, true);
        current |= !i;
    }
    cdc_notify(cdc, CDC_INCREMENTAL_SNAPSHOT, inc->correlation, "ABORTED", "data_collections",
               stopped.s ? stopped.s : "", NULL);
    cdc_text_free(&stopped);
    if (!json_array_size(inc->tables)) {
        free(inc->correlation);
        inc->correlation = NULL;
    }
    if (current && !inc->loading) cdc_incremental_abandon(cdc);
    cdc_incremental_note(cdc, inc->last);
}

void cdc_incremental_request(struct cdc *cdc, const char *id, const json_t *data, bool blocking)
{
    struct cdc_incremental *inc = cdc->incremental;
    add_request(blocking ? &inc->blocking : &inc->requests, id, data);
    if (!blocking && inc->stage == IDLE) inc->stage = LIST;
    cdc_incremental_note(cdc, inc->last);
}

void cdc_incremental_pause(struct cdc *cdc, bool pause)
{
    struct cdc_incremental *inc = cdc->incremental;
    struct cdc_meters *m = &cdc->meters;
    if (!json_array_size(inc->tables) || inc->paused == pause) return;
    inc->paused = pause;
    if (!pause && m->paused_since_ms) m->paused_ms += cdc_now_ms() - m->paused_since_ms;
    m->paused_since_ms = pause ? cdc_now_ms() : 0;
    cdc_incremental_note(cdc, inc->last);
    if (!pause && inc->stage == IDLE) inc->stage = OPEN;
    cdc->host->log(cdc->task, SLUICE_INFO, "incremental snapshot %s",
                   pause ? "is paused" : "goes on");
    cdc_incremental_tell(cdc, pause ? "PAUSED" : "RESUMED");
}

bool cdc_incremental_runs(const struct cdc *cdc)
{
    return cdc->incremental && json_array_size(cdc->incremental->tables);
}

/* "[1, a]", as Java writes its lists; NULL: there is no key. */
static char *key_list(const json_t *key)
{
    struct cdc_text text = {0};
    if (!key) return NULL;
    cdc_text_adds(&text, "[");
    for (size_t i = 0; i < json_array_size(key); i++) {
        const char *part = json_string_value(json_array_get(key, i));
        cdc_text_addf(&text, "%s%s", i ? ", " : "", part ? part : "null");
    }
    cdc_text_adds(&text, "]");
    return text.s;
}

bool cdc_incremental_view(const struct cdc *cdc, struct cdc_chunk_view *out)
{
    const struct cdc_incremental *inc = cdc->incremental;
    if (!cdc_incremental_runs(cdc)) return false;
    double here = inc->rows_expected;
    if (inc->estimated && here >= 0 && here < (double)inc->scanned) here = (double)inc->scanned;
    bool known = inc->estimated && here >= 0 && inc->rows_after >= 0;
    *out = (struct cdc_chunk_view){
        .tables = json_array_size(inc->tables),
        .tables_done = inc->tables_done,
        .all_rows = inc->scanned_before + inc->scanned,
        .expected = known ? (double)inc->scanned_before + here + inc->rows_after : -1,
        .paused = inc->paused,
        .table = json_string_value(json_object_get(json_array_get(inc->tables, 0), "id")),
        .chunk = inc->chunk,
        .from = key_list(inc->chunk_first),
        .to = key_list(inc->chunk_last),
        .table_from = key_list(inc->table_first),
        .table_to = key_list(inc->maximum)};
    return true;
}

void cdc_chunk_view_free(struct cdc_chunk_view *view)
{
    free(view->from);
    free(view->to);
    free(view->table_from);
    free(view->table_to);
}

void cdc_incremental_begins(struct cdc *cdc, uint32_t xid)
{
    struct cdc_incremental *inc = cdc->incremental;
    inc->recent[inc->recent_at] = xid;
    inc->recent_at = (inc->recent_at + 1) % RECENT_MAX;
    if (inc->recent_n < RECENT_MAX) inc->recent_n++;
}

void cdc_incremental_settle(struct cdc *cdc, bool cut)
{
    struct cdc_incremental *inc = cdc->incremental;
    if (!cut && inc->closes) {
        if (inc->last_of_chunk) {
            json_decref(inc->last);
            inc->last = json_incref(inc->last_of_chunk);
        }
        cdc_incremental_clear(cdc);
    }
    if (!cut && inc->signal_type) {
        char *id = inc->signal_id, *type = inc->signal_type, *data = inc->signal_data;
        inc->signal_id = inc->signal_type = inc->signal_data = NULL;
        cdc_signal(cdc, id, type, data);
        cdc_incremental_note(cdc, inc->last);
        free(id);
        free(type);
        free(data);
    }
    if (inc->signal_type || inc->closes) forget_signal(inc);
}
