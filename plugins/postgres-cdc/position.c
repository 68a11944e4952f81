/* position.c - positions and what a resumed stream leaves out: see position.h. */
#include "position.h"

#include <string.h>

static const char *const message_names[] = {NULL,    "INSERT", "UPDATE",   "DELETE",
                                            "BEGIN", "COMMIT", "TRUNCATE", "MESSAGE"};

#define KEYS_MAX 8

static void put(struct sluice_value *pairs, uint32_t *n, const char *key, struct sluice_value value)
{
    pairs[2 * *n] = sluice_string(key, strlen(key));
    pairs[2 * *n + 1] = value;
    (*n)++;
}

/* Debezium's keys of a transaction under way. */
static void put_counts(struct sluice_value *pairs, uint32_t *n, uint64_t txid,
                       const struct cdc_position_count *counts, uint32_t counts_n,
                       struct cdc_memory *memory)
{
    static const char prefix[] = "transaction_data_collection_order_";
    char *id = cdc_take(memory, 24);
    put(pairs, n, "transaction_id", sluice_string(id, cdc_u64_text(txid, id)));
    for (uint32_t i = 0; i < counts_n; i++) {
        size_t schema = strlen(counts[i].schema), table = strlen(counts[i].table);
        char *key = cdc_take(memory, sizeof(prefix) + schema + table + 1), *p = key;
        memcpy(p, prefix, sizeof(prefix) - 1);
        p += sizeof(prefix) - 1;
        memcpy(p, counts[i].schema, schema);
        p[schema] = '.';
        memcpy(p + schema + 1, counts[i].table, table + 1);
        put(pairs, n, key, sluice_int64(counts[i].count));
    }
}

struct sluice_value cdc_position_store(const struct cdc_position *position, bool counted,
                                       const struct cdc_position_count *counts, uint32_t counts_n,
                                       struct cdc_memory *memory)
{
    struct sluice_value *pairs =
        cdc_take(memory, (size_t)2 * (KEYS_MAX + 3 + counts_n) * sizeof(*pairs));
    uint32_t n = 0;
    if (position->lsn_proc) put(pairs, &n, "lsn_proc", sluice_int64((int64_t)position->lsn_proc));
    if (position->message != CDC_MSG_NONE) {
        const char *name = message_names[position->message];
        put(pairs, &n, "messageType", sluice_string(name, strlen(name)));
    }
    if (position->lsn_commit)
        put(pairs, &n, "lsn_commit", sluice_int64((int64_t)position->lsn_commit));
    put(pairs, &n, "lsn", sluice_int64((int64_t)position->lsn));
    if (position->txid) put(pairs, &n, "txId", sluice_int64((int64_t)position->txid));
    put(pairs, &n, "ts_usec", sluice_int64(position->ts_us));
    /* Debezium 3.6 does not know this key and 3.7 means the same by it. */
    if (position->events && !position->snapshot)
        put(pairs, &n, "lsn_events_processed", sluice_int64(position->events));
    if (position->snapshot) {
        bool done = position->snapshot == CDC_SNAPSHOT_DONE;
        put(pairs, &n, "snapshot", sluice_string("INITIAL", 7));
        put(pairs, &n, "last_snapshot_record", sluice_bool(done));
        put(pairs, &n, "snapshot_completed", sluice_bool(done));
    } else if (counted && position->txid && position->message != CDC_MSG_COMMIT) {
        put_counts(pairs, &n, position->txid, counts, counts_n, memory);
    }
    return sluice_nested(SLUICE_MAP, pairs, n);
}

static const struct sluice_value *get(const struct sluice_value *map, const char *key)
{
    size_t len = strlen(key);
    for (uint32_t i = 0; i < map->len; i++) {
        const struct sluice_value *k = &map->u.v[2 * i];
        if (k->type == SLUICE_STRING && k->len == len && !memcmp(k->u.s, key, len))
            return k[1].type == SLUICE_NULL ? NULL : &k[1];
    }
    return NULL;
}

static bool integer(const struct sluice_value *map, const char *key, int64_t *out,
                    struct sluice_err *err)
{
    const struct sluice_value *v = get(map, key);
    *out = 0;
    if (!v) return true;
    if (v->type == SLUICE_FLOAT64 && v->u.d >= -9e15 && v->u.d <= 9e15) *out = (int64_t)v->u.d;
    else if (v->type >= SLUICE_INT8 && v->type <= SLUICE_INT64) *out = v->u.i;
    else return cdc_error(err, "the stored offset's %s is not a number", key);
    return true;
}

static bool truth(const struct sluice_value *map, const char *key)
{
    const struct sluice_value *v = get(map, key);
    return v && v->type == SLUICE_BOOLEAN && v->u.i;
}

static uint8_t message_type(const struct sluice_value *map)
{
    const struct sluice_value *v = get(map, "messageType");
    for (uint8_t i = 1; v && v->type == SLUICE_STRING && i <= CDC_MSG_MESSAGE; i++)
        if (v->len == strlen(message_names[i]) && !memcmp(v->u.s, message_names[i], v->len))
            return i;
    return CDC_MSG_NONE;
}

bool cdc_position_load(struct cdc_position *position, const struct sluice_value *map,
                       struct sluice_err *err)
{
    int64_t lsn, proc, commit, ts, txid, events;
    memset(position, 0, sizeof(*position));
    if (map->type != SLUICE_MAP) return cdc_error(err, "the stored offset is not an object");
    if (!integer(map, "lsn", &lsn, err) || !integer(map, "lsn_proc", &proc, err) ||
        !integer(map, "lsn_commit", &commit, err) || !integer(map, "ts_usec", &ts, err) ||
        !integer(map, "txId", &txid, err) || !integer(map, "lsn_events_processed", &events, err))
        return false;
    if (!lsn && !proc && !commit) return cdc_error(err, "the stored offset has no lsn");
    position->lsn = (uint64_t)(lsn ? lsn : proc ? proc : commit);
    position->lsn_proc = (uint64_t)proc;
    /* Before its second transaction, Debezium has stored no lsn_commit. What it has processed then
     * is all that came before, but for the rest of the transaction under way. */
    position->lsn_commit = position->last_commit = (uint64_t)(commit ? commit : proc);
    position->ts_us = ts;
    position->txid = (uint64_t)txid;
    position->message = message_type(map);
    /* Versions that do not count processed at least the one change whose lsn they stored. */
    position->events = events > 0 && events <= UINT32_MAX ? (uint32_t)events : 1;
    if (position->message == CDC_MSG_BEGIN) position->events = (uint32_t)(events > 0 ? events : 0);
    /* true in old versions; INITIAL, BLOCKING... today. */
    const struct sluice_value *snapshot = get(map, "snapshot");
    bool under_way = snapshot && (snapshot->type == SLUICE_STRING || truth(map, "snapshot"));
    if (under_way)
        position->snapshot = truth(map, "snapshot_completed") || truth(map, "last_snapshot_record")
                                 ? CDC_SNAPSHOT_DONE
                                 : CDC_IN_SNAPSHOT;
    return true;
}

uint64_t cdc_position_confirms(const struct cdc_position *position) { return position->lsn_commit; }

void cdc_resume_init(struct cdc_resume *resume, const struct cdc_position *position)
{
    memset(resume, 0, sizeof(*resume));
    resume->done_lsn = position->lsn_commit;
    if (position->snapshot || position->message == CDC_MSG_COMMIT) return;
    if (position->message == CDC_MSG_MESSAGE && !position->txid) { /* between transactions */
        if (resume->done_lsn <= position->lsn) resume->done_lsn = position->lsn + 1;
        return;
    }
    resume->lsn = position->lsn;
    resume->txid = position->txid;
    resume->events = position->events;
}

void cdc_resume_begin(struct cdc_resume *resume, uint64_t final_lsn, uint32_t xid)
{
    /* done_lsn is the end of a WAL record: what starts before it ends there at the latest. */
    resume->skipping = final_lsn < resume->done_lsn;
    resume->inside = !resume->skipping && resume->lsn && resume->txid == xid;
    /* Transactions come in the order of their commits: the one under way is the first, or done. */
    if (!resume->skipping && !resume->inside) resume->lsn = 0;
}

bool cdc_resume_skips(const struct cdc_resume *resume, uint64_t lsn, uint32_t events)
{
    if (resume->skipping) return true;
    return resume->inside &&
           (lsn < resume->lsn || (lsn == resume->lsn && events <= resume->events));
}
