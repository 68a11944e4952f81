/* transaction.c - the transaction topic and the counts: see transaction.h. */
#include "transaction.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"

static const struct sluice_schema string_desc = {.type = SLUICE_STRING};
static const struct sluice_schema int64_desc = {.type = SLUICE_INT64};
static const struct sluice_schema opt_int64 = {.type = SLUICE_INT64, .optional = true};
static const struct sluice_field collection_fields[] = {{"data_collection", &string_desc},
                                                        {"event_count", &int64_desc}};
static const struct sluice_schema collection_desc = {.type = SLUICE_STRUCT,
                                                     .optional = true,
                                                     .name = "event.collection",
                                                     .has_version = true,
                                                     .version = 1,
                                                     .fields = collection_fields,
                                                     .fields_len = 2};
static const struct sluice_schema collections_desc = {
    .type = SLUICE_ARRAY, .optional = true, .elem = &collection_desc};
static const struct sluice_field key_fields[] = {{"id", &string_desc}};
static const struct sluice_field value_fields[] = {{"status", &string_desc},
                                                   {"id", &string_desc},
                                                   {"event_count", &opt_int64},
                                                   {"data_collections", &collections_desc},
                                                   {"ts_ms", &int64_desc}};
enum { VALUE_FIELDS = 5 };

void cdc_transaction_init(struct cdc *cdc)
{
    if (!cdc->settings.transaction_topic) return;
    const struct sluice_schema key = {.type = SLUICE_STRUCT,
                                      .name = "io.debezium.connector.common.TransactionMetadataKey",
                                      .has_version = true,
                                      .version = 1,
                                      .fields = key_fields,
                                      .fields_len = 1};
    const struct sluice_schema value = {.type = SLUICE_STRUCT,
                                        .name =
                                            "io.debezium.connector.common.TransactionMetadataValue",
                                        .has_version = true,
                                        .version = 1,
                                        .fields = value_fields,
                                        .fields_len = VALUE_FIELDS};
    struct cdc_transaction *t = cdc->transaction = cdc_alloc(sizeof(*t));
    t->key = cdc->host->schema(&key);
    t->value = cdc->host->schema(&value);
    t->topic = cdc_topic(&cdc->settings, &cdc->settings.pool, cdc->settings.transaction_topic);
}

static void forget(struct cdc_transaction *t)
{
    for (size_t i = 0; i < t->n; i++) free(t->counts[i].name);
    t->n = t->pending_n = 0;
    t->events = 0;
    t->number++;
}

void cdc_transaction_fini(struct cdc *cdc)
{
    struct cdc_transaction *t = cdc->transaction;
    if (!t) return;
    forget(t);
    cdc->host->schema_free(t->key);
    cdc->host->schema_free(t->value);
    free(t->counts);
    free(t->pending);
    free(t);
    cdc->transaction = NULL;
}

/* "<txid>:<lsn>", with the lsn of this very record. */
static struct sluice_value id_of(struct cdc *cdc)
{
    char *start = cdc_take(&cdc->memory, 48), *p = start;
    p += cdc_u64_text(cdc->position.txid, p);
    *p++ = ':';
    p += cdc_u64_text(cdc->position.lsn, p);
    return sluice_string(start, (size_t)(p - start));
}

/* One record on the transaction topic. */
static void emit(struct cdc *cdc, const char *status, struct sluice_value count,
                 struct sluice_value collections)
{
    const struct cdc_transaction *t = cdc->transaction;
    struct sluice_value *v = cdc_take(&cdc->memory, (VALUE_FIELDS + 1) * sizeof(*v));
    v[0] = sluice_string(status, strlen(status));
    v[1] = v[VALUE_FIELDS] = id_of(cdc);
    v[2] = count;
    v[3] = collections;
    v[4] = sluice_int64(cdc->position.ts_us / 1000);
    struct sluice_record *record = cdc_append(cdc, t->topic, &cdc->position);
    record->key_schema = t->key;
    record->key = sluice_nested(SLUICE_STRUCT, v + VALUE_FIELDS, 1);
    record->value_schema = t->value;
    record->value = sluice_nested(SLUICE_STRUCT, v, VALUE_FIELDS);
}

void cdc_transaction_begin(struct cdc *cdc, bool again)
{
    forget(cdc->transaction);
    if (!again) emit(cdc, "BEGIN", sluice_null(), sluice_null());
}

void cdc_transaction_end(struct cdc *cdc)
{
    struct cdc_transaction *t = cdc->transaction;
    assert(!t->pending_n);
    struct sluice_value *list = cdc_take(&cdc->memory, (t->n * 3 + 1) * sizeof(*list));
    for (size_t i = 0; i < t->n; i++) {
        struct sluice_value *fields = list + t->n + 2 * i;
        size_t len = strlen(t->counts[i].name);
        char *name = cdc_take(&cdc->memory, len + 1);
        memcpy(name, t->counts[i].name, len);
        fields[0] = sluice_string(name, len);
        fields[1] = sluice_int64((int64_t)t->counts[i].events);
        list[i] = sluice_nested(SLUICE_STRUCT, fields, 2);
    }
    emit(cdc, "END", sluice_int64((int64_t)t->events), sluice_nested(SLUICE_ARRAY, list, t->n));
    forget(t);
}

/* ---- counting ---- */

static uint32_t slot_of(struct cdc_transaction *t, const char *schema, const char *table,
                        uint32_t oid)
{
    char *name = *schema ? cdc_format("%s.%s", schema, table) : cdc_strdup(table);
    for (size_t i = 0; i < t->n; i++)
        if (!strcmp(t->counts[i].name, name)) {
            free(name);
            return (uint32_t)i;
        }
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 16;
        t->counts = cdc_realloc(t->counts, t->cap * sizeof(*t->counts));
    }
    t->counts[t->n] = (struct cdc_count){.name = name, .oid = oid};
    return (uint32_t)t->n++;
}

static uint32_t slot(struct cdc_transaction *t, struct cdc_relation *rel)
{
    if (!rel) return slot_of(t, "", CDC_MESSAGE_COLLECTION, 0);
    if (rel->count_number != t->number) {
        rel->count_number = t->number;
        rel->count_slot = slot_of(t, rel->schema, rel->table, rel->oid);
    }
    return rel->count_slot;
}

struct sluice_value cdc_transaction_block(struct cdc *cdc, struct cdc_relation *relation)
{
    struct cdc_transaction *t = cdc->transaction;
    uint32_t at = slot(t, relation);
    if (t->pending_n == t->pending_cap) {
        t->pending_cap = t->pending_cap ? t->pending_cap * 2 : 16;
        t->pending = cdc_realloc(t->pending, t->pending_cap * sizeof(*t->pending));
    }
    t->pending[t->pending_n++] = at;
    uint64_t order = t->counts[at].events;
    for (size_t i = 0; i < t->pending_n; i++) order += t->pending[i] == at;
    struct sluice_value *fields = cdc_take(&cdc->memory, 3 * sizeof(*fields));
    fields[0] = id_of(cdc);
    fields[1] = sluice_int64((int64_t)(t->events + t->pending_n));
    fields[2] = sluice_int64((int64_t)order);
    return sluice_nested(SLUICE_STRUCT, fields, 3);
}

void cdc_transaction_settle(struct cdc *cdc, bool cut)
{
    struct cdc_transaction *t = cdc->transaction;
    for (size_t i = 0; i < t->pending_n && !cut; i++) t->counts[t->pending[i]].events++;
    t->events += cut ? 0 : t->pending_n;
    t->pending_n = 0;
}

const void *cdc_transaction_position(struct cdc *cdc, const struct cdc_position *position,
                                     uint32_t *len)
{
    const struct cdc_transaction *t = cdc->transaction;
    struct cdc_counted_position *p = cdc_take(&cdc->memory, sizeof(*p));
    _Static_assert(sizeof(*p) <= 256, "the ABI's limit for positions");
    p->at = *position;
    p->n = 0;
    bool inside = !position->snapshot && position->message != CDC_MSG_COMMIT;
    for (size_t i = 0; inside && i < t->n && p->n < CDC_COUNTS_MAX; i++) {
        uint64_t events = t->counts[i].events;
        for (size_t k = 0; k < t->pending_n; k++) events += t->pending[k] == i;
        if (!t->counts[i].oid || events > UINT32_MAX) continue;
        p->counts[p->n].oid = t->counts[i].oid;
        p->counts[p->n++].count = (uint32_t)events;
    }
    *len = (uint32_t)sizeof(*p);
    return p;
}
