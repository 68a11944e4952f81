/* incremental.c - signals, marks and offsets of incremental snapshots: see incremental.h. */
#include "incremental.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "incremental_parts.h"

/* ---- states ---- */

static char *dumped(const json_t *json) { return json_dumps(json, JSON_COMPACT); }

void cdc_incremental_note(struct cdc *cdc, const json_t *last)
{
    struct cdc_incremental *inc = cdc->incremental;
    struct state *state = cdc_alloc(sizeof(*state));
    if (++inc->number == 0) inc->number = 1;
    state->number = inc->number;
    if (json_array_size(inc->tables)) {
        json_t *list = json_array();
        size_t i;
        json_t *table;
        json_array_foreach(inc->tables, i, table)
        {
            json_t *condition = json_object_get(table, "condition");
            json_t *surrogate = json_object_get(table, "surrogate");
            json_array_append_new(
                list, json_pack("{sO?sO?sO?}", "incremental_snapshot_collections_id",
                                json_object_get(table, "id"),
                                "incremental_snapshot_collections_additional_condition", condition,
                                "incremental_snapshot_collections_surrogate_key", surrogate));
        }
        json_t *position = json_pack("{sb}", "paused", inc->paused);
        if (last) json_object_set(position, "last", (json_t *)last);
        if (last && inc->maximum) json_object_set(position, "maximum", inc->maximum);
        state->collections = dumped(list);
        state->position = dumped(position);
        state->correlation = cdc_strdup(inc->correlation);
        json_decref(list);
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
    if (!s || !s->collections) return 0;
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

static json_t *stored(const struct sluice_value *offset, const char *key)
{
    for (uint32_t i = 0; offset && i < offset->len; i++) {
        const struct sluice_value *k = &offset->u.v[2 * i];
        if (k->type == SLUICE_STRING && k->len == strlen(key) && !memcmp(k->u.s, key, k->len) &&
            k[1].type == SLUICE_STRING)
            return json_loadb(k[1].u.s, k[1].len, JSON_DECODE_ANY, NULL);
    }
    return NULL;
}

static void restore(struct cdc *cdc, const struct sluice_value *offset)
{
    struct cdc_incremental *inc = cdc->incremental;
    json_t *list = stored(offset, "incremental_snapshot_collections"), *table;
    json_t *position = stored(offset, "sluice_incremental_position");
    size_t i;
    json_array_foreach(list, i, table)
    {
        json_t *id = json_object_get(table, "incremental_snapshot_collections_id");
        if (!json_is_string(id)) continue;
        json_array_append_new(
            inc->tables,
            json_pack(
                "{sOsO?sO?}", "id", id, "condition",
                json_object_get(table, "incremental_snapshot_collections_additional_condition"),
                "surrogate",
                json_object_get(table, "incremental_snapshot_collections_surrogate_key")));
    }
    inc->paused = json_is_true(json_object_get(position, "paused"));
    inc->last = json_incref(json_object_get(position, "last"));
    inc->maximum = json_incref(json_object_get(position, "maximum"));
    if (!json_is_array(inc->last) || !json_is_array(inc->maximum)) {
        json_decref(inc->last);
        json_decref(inc->maximum);
        inc->last = inc->maximum = NULL;
    }
    json_decref(list);
    json_decref(position);
    if (!json_array_size(inc->tables)) return;
    cdc->host->log(cdc->task, SLUICE_INFO, "incremental snapshot goes on: %zu tables are left",
                   json_array_size(inc->tables));
    inc->stage = inc->paused ? IDLE : OPEN;
    cdc_incremental_note(cdc, inc->last);
}

void cdc_incremental_init(struct cdc *cdc, const struct sluice_value *offset)
{
    if (!cdc->settings.signal_table) return;
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
    inc->rows_n = 0;
    inc->open = false;
}

static void forget_signal(struct cdc_incremental *inc)
{
    json_decref(inc->signal);
    free(inc->signal_id);
    free(inc->signal_type);
    json_decref(inc->last_of_chunk);
    inc->signal = inc->last_of_chunk = NULL;
    inc->signal_id = inc->signal_type = NULL;
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
    bool more = json_array_size(inc->tables) && !inc->paused;
    inc->stage = inc->requests ? LIST : more ? OPEN : IDLE;
}

void cdc_incremental_fini(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    if (!inc) return;
    cdc_incremental_abandon(cdc);
    while (inc->states) drop_first_state(inc);
    while (inc->requests) {
        struct request *request = inc->requests;
        inc->requests = request->next;
        json_decref(request->data);
        free(request->id);
        free(request);
    }
    json_decref(inc->tables);
    json_decref(inc->last);
    json_decref(inc->maximum);
    free(inc->correlation);
    free(inc->rows);
    free(inc->cells);
    free(inc);
    cdc->incremental = NULL;
}

static json_t *key_texts(const struct cdc_incremental *inc, const struct cdc_cell *cells)
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
            same = a->kind == b->kind && a->len == b->len && !memcmp(a->s, b->s, a->len);
        }
        inc->rows[i].newer |= same;
    }
}

static bool emit_window(struct cdc *cdc, const struct cdc_position *before, struct sluice_err *err)
{
    struct cdc_incremental *inc = cdc->incremental;
    for (size_t i = 0; i < inc->rows_n; i++) {
        const struct cdc_tuple tuple = {.cells = inc->rows[i].cells, .n = inc->relation->columns_n};
        if (!inc->rows[i].newer && !(cdc->settings.skipped & CDC_SKIP_R) &&
            !cdc_emit_incremental_row(cdc, inc->relation, &tuple, before, err))
            return false;
    }
    if (inc->rows_n) inc->last_of_chunk = key_texts(inc, inc->rows[inc->rows_n - 1].cells);
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
    if (!closes) {
        inc->open |= !gone;
        return true;
    }
    if (inc->stage != WINDOW) return true;
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
    if (relation->oid == (inc->relation ? inc->relation->oid : 0) && inc->open && inc->rows_n) {
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
    char *data = cell_text(tuple, 2);
    forget_signal(inc); /* of a message that was cut */
    inc->signal = json_loads(*data ? data : "{}", 0, NULL);
    if (!json_is_object(inc->signal)) {
        json_decref(inc->signal);
        inc->signal = NULL;
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "signal '%s' of type '%s' is ignored: its data is no JSON object", id, type);
        free(id);
        free(type);
    } else {
        inc->signal_id = id;
        inc->signal_type = type;
    }
    free(data);
    return true;
}

static void say(struct cdc *cdc, const json_t *data)
{
    const char *text = json_string_value(json_object_get(data, "message"));
    if (!text) return;
    char lsn[24];
    const char *hole = strstr(text, "{}");
    cdc_lsn_text(cdc->position.lsn, lsn);
    size_t n = hole ? (size_t)(hole - text) : strlen(text);
    cdc->host->log(cdc->task, SLUICE_INFO, "%.*s%s%s", (int)n, text, hole ? lsn : "",
                   hole ? hole + 2 : "");
}

void cdc_incremental_next_table(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    json_array_remove(inc->tables, 0);
    json_decref(inc->last);
    json_decref(inc->maximum);
    inc->last = inc->maximum = NULL;
    if (json_array_size(inc->tables)) return;
    cdc->host->log(cdc->task, SLUICE_INFO, "incremental snapshot is complete");
    free(inc->correlation);
    inc->correlation = NULL;
}

static void stop(struct cdc *cdc, const json_t *names)
{
    struct cdc_incremental *inc = cdc->incremental;
    bool current = false;
    for (size_t i = json_array_size(inc->tables); i-- > 0;) {
        const char *id = json_string_value(json_object_get(json_array_get(inc->tables, i), "id"));
        bool match = !json_array_size(names);
        for (size_t k = 0; !match && k < json_array_size(names); k++) {
            struct cdc_patterns pattern = {0};
            const char *regex = json_string_value(json_array_get(names, k));
            struct sluice_err err;
            match = regex && cdc_patterns_add(&pattern, regex, strlen(regex), &err) &&
                    cdc_patterns_match(&pattern, id) >= 0;
            cdc_patterns_free(&pattern);
        }
        if (!match) continue;
        cdc->host->log(cdc->task, SLUICE_INFO, "incremental snapshot of %s is stopped", id);
        if (i) json_array_remove(inc->tables, i);
        else cdc_incremental_next_table(cdc);
        current |= !i;
    }
    if (current && !inc->loading) cdc_incremental_abandon(cdc);
    cdc_incremental_note(cdc, inc->last);
}

static void ask(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    const char *type = json_string_value(json_object_get(inc->signal, "type"));
    if (type && strcasecmp(type, "INCREMENTAL") != 0) {
        cdc->host->log(cdc->task, SLUICE_WARN,
                       "signal '%s' is ignored: snapshots of type %s are not supported, only "
                       "INCREMENTAL",
                       inc->signal_id, type);
        return;
    }
    struct request **at = &inc->requests, *request = cdc_alloc(sizeof(*request));
    while (*at) at = &(*at)->next;
    *at = request;
    request->data = json_incref(inc->signal);
    request->id = cdc_strdup(inc->signal_id);
    if (inc->stage == IDLE) inc->stage = LIST;
}

static void obey(struct cdc *cdc)
{
    struct cdc_incremental *inc = cdc->incremental;
    const char *type = inc->signal_type;
    bool running = json_array_size(inc->tables) > 0;
    if (!strcmp(type, "execute-snapshot")) ask(cdc);
    else if (!strcmp(type, "log")) say(cdc, inc->signal);
    else if (!strcmp(type, "stop-snapshot") && running)
        stop(cdc, json_object_get(inc->signal, "data-collections"));
    else if ((!strcmp(type, "pause-snapshot") || !strcmp(type, "resume-snapshot")) && running) {
        inc->paused = *type == 'p';
        cdc_incremental_note(cdc, inc->last);
        if (!inc->paused && inc->stage == IDLE) inc->stage = OPEN;
        cdc->host->log(cdc->task, SLUICE_INFO, "incremental snapshot %s",
                       inc->paused ? "is paused" : "goes on");
    } else if (strcmp(type, "stop-snapshot") != 0 && strcmp(type, "pause-snapshot") != 0 &&
               strcmp(type, "resume-snapshot") != 0)
        cdc->host->log(cdc->task, SLUICE_WARN, "signal '%s' is ignored: its type '%s' is not known",
                       inc->signal_id, type);
}

void cdc_incremental_settle(struct cdc *cdc, bool cut)
{
    struct cdc_incremental *inc = cdc->incremental;
    if (!cut && inc->signal) obey(cdc);
    if (!cut && inc->closes) {
        if (inc->last_of_chunk) {
            json_decref(inc->last);
            inc->last = json_incref(inc->last_of_chunk);
        }
        clear_window(cdc);
        cdc_incremental_drop_relation(cdc);
        bool more = json_array_size(inc->tables) > 0;
        inc->chunk[0] = 0;
        inc->stage = inc->requests ? LIST : more && !inc->paused ? OPEN : IDLE;
    }
    if (inc->signal || inc->closes) forget_signal(inc);
}
