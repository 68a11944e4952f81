/* stream.c - the replication stream: messages in, records out, confirmations back.
 *
 * All messages that libpq has buffered are worked off before anything else is done: no system call,
 * no clock, no feedback per message. A message whose table is not known yet waits until the catalog
 * has answered.
 *
 * What Postgres may forget is what acked() said, nothing else. When nothing more is to be sent, the
 * server's own position (keepalive) is emitted as a position without a record, so that it comes
 * back through acked() once it is durable, and an idle table holds no WAL back. */
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"
#include "watch.h"

/* The server wakes its reader for every few messages. While records follow each other this closely,
 * a short pause lets them gather, and costs a fraction of the system calls. */
#define BUSY_MS 3
#define GATHER_MS 1
/* With a backlog to work off, nobody waits for single records: they gather until there are some.
 * Each message is a packet of its own, and a wakeup of each thread behind it, while the server is
 * the slower one; those that the socket does not hold, it packs together. Not for longer: a server
 * whose own buffer is full, too, would wait. */
#define BEHIND_MS 200
#define GATHER_MAX_MS 40
#define GATHER_FEW 1024
#define GATHER_MANY 4096
/* Small messages are copied into the batch's memory, up to so many bytes a poll: theirs can go to
 * the next one at once. */
#define COPY_MAX 2048
#define COPIES_MAX ((size_t)1 << 20)
#define CALLED_MS 50     /* between looks at whether the host wants the thread back */
#define LOOKS_EVERY 1024 /* messages between looks at the clock, when they give no records */

static enum cdc_step broken_stream(struct cdc *cdc, struct sluice_err *err, const char *what)
{
    cdc->hopeless = true;
    cdc_error(err,
              "the replication stream of slot \"%s\" holds a %s that cannot be read; this is a bug "
              "or a proxy that changes bytes",
              cdc->settings.slot, what);
    return CDC_ERROR;
}

/* ---- to the server ---- */

static void put_u64(unsigned char *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, sizeof(v));
}

static const char confirming[] = "sending the confirmed position";

/* Sends what was left over. A server that is alive always takes it in the end. */
static bool flushed(struct cdc *cdc, int64_t now_ms, struct sluice_err *err)
{
    const struct cdc_settings *s = &cdc->settings;
    int left = PQflush(cdc->replication.pg);
    if (left < 0) {
        cdc_conn_broken(&cdc->replication, s, confirming, err);
        return false;
    }
    if (!left) cdc->unsent_since_ms = 0;
    else if (!cdc->unsent_since_ms) cdc->unsent_since_ms = now_ms;
    if (!left || now_ms - cdc->unsent_since_ms < s->flush_timeout_ms) return true;
    cdc->unsent_since_ms = now_ms;
    char text[200];
    snprintf(text, sizeof(text),
             "%s: the server has taken nothing for %d ms (lsn.flush.timeout.ms); see whether it "
             "hangs",
             confirming, s->flush_timeout_ms);
    if (s->flush_action == CDC_FLUSH_FAIL) return cdc_error(err, "%s", text);
    if (s->flush_action == CDC_FLUSH_WARN) cdc->host->log(cdc->task, SLUICE_WARN, "%s", text);
    return true;
}

bool cdc_stream_status(struct cdc *cdc, bool now, struct sluice_err *err)
{
    if (cdc->phase != CDC_STREAM) return true;
    int64_t now_ms = cdc_now_ms();
    if (!now && now_ms - cdc->last_status_ms < cdc->status_ms) return flushed(cdc, now_ms, err);
    unsigned char m[34] = {'r'};
    bool manual = cdc->settings.flush_mode == CDC_FLUSH_MANUAL;
    uint64_t lsn = manual ? cdc->slot.confirmed : cdc->confirmed_lsn;
    put_u64(m + 1, lsn > cdc->received_lsn ? lsn : cdc->received_lsn);
    put_u64(m + 9, lsn);
    put_u64(m + 17, lsn);
    put_u64(m + 25, (uint64_t)(cdc_wall_ns() / 1000 - CDC_EPOCH_US));
    m[33] = cdc->ask_keepalive;
    cdc->ask_keepalive = false;
    PGconn *pg = cdc->replication.pg;
    cdc->last_status_ms = now_ms;
    cdc->confirm_now = false;
    if (PQputCopyData(pg, (const char *)m, sizeof(m)) >= 0) return flushed(cdc, now_ms, err);
    cdc_conn_broken(&cdc->replication, &cdc->settings, confirming, err);
    return false;
}

/* ---- single messages ---- */

static void moved(struct cdc *cdc, uint64_t lsn, enum cdc_message_type type)
{
    struct cdc_position *p = &cdc->position;
    p->events =
        p->lsn == lsn && p->message != CDC_MSG_BEGIN && p->message != CDC_MSG_COMMIT && !p->snapshot
            ? p->events + 1
            : 1;
    p->lsn = p->lsn_proc = lsn;
    p->message = (uint8_t)type;
    p->snapshot = CDC_NO_SNAPSHOT;
    cdc->has_position = true;
}

static enum cdc_step on_begin(struct cdc *cdc, struct cdc_cursor *c, uint64_t lsn,
                              struct sluice_err *err)
{
    struct cdc_begin begin;
    if (!cdc_read_begin(c, &begin) || cdc->in_transaction) return broken_stream(cdc, err, "begin");
    cdc_resume_begin(&cdc->resume, begin.final_lsn, begin.xid);
    cdc->in_transaction = true;
    free(cdc->origin);
    cdc->origin = NULL;
    if (cdc->incremental) cdc_incremental_begins(cdc, begin.xid);
    if (cdc->resume.skipping) return CDC_DONE;
    cdc->unfinished = true;
    struct cdc_position *p = &cdc->position;
    p->txid = begin.xid;
    p->ts_us = begin.commit_us;
    p->lsn = p->lsn_proc = lsn;
    p->events = 0;
    p->message = CDC_MSG_BEGIN;
    if (cdc->transaction) cdc_transaction_begin(cdc, cdc->resume.inside);
    return CDC_DONE;
}

static enum cdc_step on_commit(struct cdc *cdc, struct cdc_cursor *c, struct sluice_err *err)
{
    struct cdc_commit commit;
    if (!cdc_read_commit(c, &commit) || !cdc->in_transaction)
        return broken_stream(cdc, err, "commit");
    cdc->in_transaction = false;
    if (cdc->resume.skipping) {
        cdc->resume.skipping = false;
        return CDC_DONE;
    }
    cdc->resume.inside = false;
    cdc->resume.lsn = 0;
    struct cdc_position *p = &cdc->position;
    p->lsn = p->lsn_proc = p->lsn_commit = p->last_commit = commit.end_lsn;
    p->message = CDC_MSG_COMMIT;
    p->events = 0;
    p->snapshot = CDC_NO_SNAPSHOT;
    cdc->has_position = true;
    if (cdc->transaction) cdc_transaction_end(cdc);
    cdc->unfinished = false;
    cdc_meter_commit(cdc);
    cdc_mark(cdc);
    return CDC_DONE;
}

static enum cdc_step on_relation(struct cdc *cdc, struct cdc_cursor *c, const struct cdc_wait *wait,
                                 struct sluice_err *err)
{
    struct cdc_relation_message message = {.columns = cdc->relation_columns};
    if (!cdc_read_relation(c, &message)) return broken_stream(cdc, err, "relation");
    struct cdc_relation *relation;
    if (!cdc_captures_table(&cdc->settings, message.schema, message.table)) {
        relation = cdc_relation_ignored(message.oid, message.schema, message.table);
    } else {
        enum cdc_step step = cdc_relation_load(cdc, message.oid, message.schema, message.table,
                                               &message, wait, &relation, err);
        if (step != CDC_DONE) return step;
    }
    cdc_relations_put(&cdc->relations, relation);
    return CDC_DONE;
}

/* Whether what comes at cdc->position was emitted before the restart. Its records are counted all
 * the same when transactions are. */
static bool was_emitted(struct cdc *cdc, uint64_t lsn)
{
    if (!cdc_resume_skips(&cdc->resume, lsn, cdc->position.events)) return false;
    if (!cdc->transaction) return true;
    cdc->parts_done = UINT32_MAX;
    return false;
}

/* A change that gives no record: event.processing.failure.handling.mode. */
static enum cdc_step left_out(struct cdc *cdc, const struct cdc_relation *relation,
                              const struct sluice_err *err)
{
    cdc->hopeless = cdc->settings.processing_failure == CDC_FAILURE_FAIL;
    if (cdc->hopeless) return CDC_ERROR;
    cdc->meters.erroneous++;
    char lsn[24];
    if (cdc->settings.processing_failure == CDC_FAILURE_WARN)
        cdc->host->log(cdc->task, SLUICE_WARN, "the change of %s.%s at %s is left out: %s",
                       relation->schema, relation->table, cdc_lsn_text(cdc->position.lsn, lsn),
                       err->msg);
    return CDC_DONE;
}

/* What is still to be read now stands in the batch's memory, if it is small. */
static void copy_rest(struct cdc *cdc, struct cdc_cursor *c)
{
    size_t n = (size_t)(c->end - c->p);
    if (n > COPY_MAX || cdc->copied_bytes > COPIES_MAX) return;
    unsigned char *copy = cdc_take(&cdc->memory, n);
    memcpy(copy, c->p, n);
    c->p = copy;
    c->end = copy + n;
    cdc->copied_bytes += n;
}

static enum cdc_step on_change(struct cdc *cdc, struct cdc_cursor *c, char op, uint64_t lsn,
                               const struct cdc_wait *wait, struct sluice_err *err)
{
    if (cdc->resume.skipping) return CDC_DONE;
    struct cdc_change change = {.before = {.cells = cdc->before_cells},
                                .after = {.cells = cdc->after_cells}};
    struct cdc_cursor peek = *c;
    struct cdc_relation *relation = cdc_relations_find(&cdc->relations, cdc_read_u32(&peek));
    if (cdc->incremental && relation && cdc_incremental_holds(cdc, relation)) return CDC_WAIT;
    const struct cdc_position before = cdc->position;
    moved(cdc, lsn, op == 'I' ? CDC_MSG_INSERT : op == 'U' ? CDC_MSG_UPDATE : CDC_MSG_DELETE);
    if (was_emitted(cdc, lsn)) return CDC_DONE;
    if (relation && !relation->captured) {
        cdc->meters.filtered++;
        return CDC_DONE;
    }
    copy_rest(cdc, c);
    if (!relation || !cdc_read_change(c, op, &change))
        return broken_stream(cdc, err, relation ? "change" : "change of an unknown table");
    bool again = cdc->parts_done == UINT32_MAX; /* only counted */
    if (cdc->reselect && !again) {
        enum cdc_step step = cdc_reselect(cdc, relation, &change, wait, err);
        if (step != CDC_DONE) {
            cdc->position = before;
            return step;
        }
    }
    if (cdc->incremental && !again &&
        !cdc_incremental_change(cdc, relation, &change, &before, err)) {
        cdc->hopeless = true;
        return CDC_ERROR;
    }
    if (cdc_emit_change(cdc, relation, &change, &before, err)) return CDC_DONE;
    return left_out(cdc, relation, err);
}

static enum cdc_step on_truncate(struct cdc *cdc, struct cdc_cursor *c, uint64_t lsn,
                                 struct sluice_err *err)
{
    if (cdc->resume.skipping) return CDC_DONE;
    const struct cdc_position before = cdc->position;
    moved(cdc, lsn, CDC_MSG_TRUNCATE);
    uint32_t n = cdc_read_u32(c);
    cdc_read_u8(c); /* CASCADE, RESTART IDENTITY */
    if (c->bad || (size_t)(c->end - c->p) / 4 < n) return broken_stream(cdc, err, "truncate");
    if (was_emitted(cdc, lsn) || (cdc->settings.skipped & CDC_SKIP_T)) return CDC_DONE;
    /* Only the last record of the statement moves the position past it. */
    struct cdc_relation *pending = NULL;
    for (uint32_t i = 0; i < n; i++) {
        struct cdc_relation *relation = cdc_relations_find(&cdc->relations, cdc_read_u32(c));
        if (!relation || !relation->captured) continue;
        if (pending) cdc_emit_truncate(cdc, pending, &before, err);
        pending = relation;
    }
    if (pending) cdc_emit_truncate(cdc, pending, &cdc->position, err);
    return CDC_DONE;
}

static enum cdc_step on_logical(struct cdc *cdc, struct cdc_cursor *c, uint64_t lsn,
                                struct sluice_err *err)
{
    struct cdc_logical_message message;
    if (!cdc_read_logical_message(c, &message)) return broken_stream(cdc, err, "logical message");
    if (message.transactional) {
        if (cdc->resume.skipping) return CDC_DONE;
        moved(cdc, lsn, CDC_MSG_MESSAGE);
        if (was_emitted(cdc, lsn)) return CDC_DONE;
    } else if (lsn < cdc->resume.done_lsn || lsn < cdc->resume.lsn) {
        return CDC_DONE; /* stands outside transactions: its own position decides */
    }
    if (!cdc_filter_passes(&cdc->settings.message_prefixes, message.prefix)) return CDC_DONE;
    if (!message.transactional && !cdc->resume.lsn) {
        cdc->position.txid = 0;
        moved(cdc, lsn, CDC_MSG_MESSAGE);
    }
    cdc_emit_logical(cdc, &message, err);
    return CDC_DONE;
}

static enum cdc_step on_origin(struct cdc *cdc, struct cdc_cursor *c, struct sluice_err *err)
{
    uint64_t lsn = cdc_read_u64(c);
    const char *name = cdc_read_string(c);
    if (c->bad) return broken_stream(cdc, err, "origin");
    free(cdc->origin);
    cdc->origin = NULL;
    if (cdc->resume.skipping) return CDC_DONE;
    cdc->origin = cdc_strdup(name);
    cdc->origin_lsn = lsn;
    return CDC_DONE;
}

/* One pgoutput message. */
static enum cdc_step on_data(struct cdc *cdc, const char *data, int len,
                             const struct cdc_wait *wait, struct sluice_err *err)
{
    struct cdc_cursor c;
    cdc_cursor_init(&c, data + 1, (size_t)len - 1);
    uint64_t start = cdc_read_u64(&c);
    uint64_t end = cdc_read_u64(&c);
    cdc->sent_us = (int64_t)cdc_read_u64(&c) + CDC_EPOCH_US;
    char type = (char)cdc_read_u8(&c);
    if (c.bad) return broken_stream(cdc, err, "message");
    if (end > cdc->received_lsn) cdc->received_lsn = end;
    if (start > cdc->received_lsn) cdc->received_lsn = start;
    bool taken;
    if (!cdc_streamed_take(cdc, type, start, &c, &taken, err)) return CDC_ERROR;
    if (taken) return CDC_DONE;
    switch (type) {
    case 'I':
    case 'U':
    case 'D': return on_change(cdc, &c, type, start, wait, err);
    case 'B': return on_begin(cdc, &c, start, err);
    case 'C': return on_commit(cdc, &c, err);
    case 'R': return on_relation(cdc, &c, wait, err);
    case 'T': return on_truncate(cdc, &c, start, err);
    case 'M': return on_logical(cdc, &c, start, err);
    case 'O': return on_origin(cdc, &c, err);
    case 'Y': /* names of types, which the catalog tells too */ return CDC_DONE;
    default: return broken_stream(cdc, err, "message of unknown type");
    }
}

static enum cdc_step on_keepalive(struct cdc *cdc, const char *data, int len,
                                  struct sluice_err *err)
{
    struct cdc_cursor c;
    cdc_cursor_init(&c, data + 1, (size_t)len - 1);
    uint64_t end = cdc_read_u64(&c);
    cdc_read_u64(&c);
    bool reply = cdc_read_u8(&c);
    if (c.bad) return broken_stream(cdc, err, "keepalive");
    if (end > cdc->received_lsn) cdc->received_lsn = end;
    /* Outside a transaction all that ends before it has been sent. */
    if (!cdc->in_transaction && !cdc->streamed.block && end > cdc->idle_lsn) cdc->idle_lsn = end;
    cdc->confirm_now |= reply;
    return CDC_DONE;
}

/* A message is kept when a record may point into it, else freed; CDC_WAIT: it is asked again. */
static enum cdc_step work(struct cdc *cdc, char *data, int len, const struct cdc_wait *wait,
                          struct sluice_err *err)
{
    size_t emitted = cdc->emitted, copied = cdc->copied_bytes;
    const struct cdc_position before = cdc->position;
    enum cdc_step step;
    cdc->part = 0;
    cdc->cut = false;
    if (*data == 'w') step = on_data(cdc, data, len, wait, err);
    else if (*data == 'k') step = on_keepalive(cdc, data, len, err);
    else step = broken_stream(cdc, err, "message of unknown kind");
    if (cdc->incremental && step != CDC_ERROR)
        cdc_incremental_settle(cdc, cdc->cut || step == CDC_WAIT);
    if (cdc->transaction && step != CDC_ERROR)
        cdc_transaction_settle(cdc, cdc->cut || step == CDC_WAIT);
    if (cdc->cut && step == CDC_DONE) {
        cdc->position = before; /* the same message, once more, for the rest of its records */
        cdc->parts_done += (uint32_t)(cdc->emitted - emitted);
        step = CDC_WAIT;
    } else if (step != CDC_WAIT) {
        cdc->parts_done = 0;
    }
    if (step == CDC_WAIT) {
        cdc->message = data;
        cdc->message_len = len;
    } else if (cdc->emitted != emitted) {
        cdc->emitted_bytes += (size_t)len;
        if (cdc->copied_bytes == copied) cdc_keep(cdc, data);
        else PQfreemem(data);
    } else {
        PQfreemem(data);
    }
    return step;
}

/* ---- positions without records ---- */

/* Outside transactions: what is complete, and what the server has passed, becomes a position of its
 * own. Not for each keepalive: offsets would be written all the time. */
static void settle(struct cdc *cdc)
{
    if (cdc->in_transaction || cdc->streamed.replay || cdc->message || !cdc_has_room(cdc)) return;
    struct cdc_position *p = &cdc->position;
    /* Not while a transaction that was cut by a crash is still to come again. */
    if (!cdc->resume.lsn && cdc->idle_lsn > p->lsn_commit && cdc->idle_lsn > p->lsn_proc) {
        int64_t now_ms = cdc_now_ms();
        bool due = cdc->confirm_now || now_ms - cdc->last_idle_ms >= cdc->status_ms;
        if (due && (!p->snapshot || p->snapshot == CDC_SNAPSHOT_DONE)) {
            p->lsn = p->lsn_proc = p->lsn_commit = cdc->idle_lsn;
            p->message = CDC_MSG_COMMIT;
            p->events = 0;
            p->snapshot = CDC_NO_SNAPSHOT;
            if (!p->ts_us) p->ts_us = cdc->now_ns / 1000;
            cdc->last_idle_ms = now_ms;
        }
    }
    if (p->lsn_commit > cdc->emitted_commit && p->message == CDC_MSG_COMMIT) {
        cdc->emitted_commit = p->lsn_commit;
        cdc->has_position = true;
        cdc_emit_position(cdc, p);
    }
}

static enum cdc_step heartbeat(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    const struct cdc_settings *s = &cdc->settings;
    if (!s->heartbeat_ms || cdc->message) return CDC_DONE;
    int64_t now_ms = cdc_now_ms();
    if (!cdc->heartbeat_query_due && now_ms - cdc->last_heartbeat_ms >= s->heartbeat_ms &&
        cdc_has_room(cdc) && cdc->has_position) {
        cdc->last_heartbeat_ms = now_ms;
        cdc->heartbeat_query_due = s->heartbeat_query != NULL;
        cdc_emit_heartbeat(cdc);
    }
    if (!cdc->heartbeat_query_due) return CDC_DONE;
    enum cdc_step step = cdc_conn_query(&cdc->general, s, s->heartbeat_query,
                                        "running heartbeat.action.query", wait, err);
    if (step == CDC_WAIT) return CDC_WAIT;
    cdc->heartbeat_query_due = false;
    const char *state = cdc->general.sqlstate;
    if (step == CDC_ERROR && *state && strcmp(state, "57P01") != 0 && strcmp(state, "42P01") != 0) {
        cdc->host->log(cdc->task, SLUICE_WARN, "%s", err->msg);
        cdc->general.fatal = false;
        return CDC_DONE;
    }
    return step;
}

/* ---- the loop ---- */

static enum cdc_step end_of_stream(struct cdc *cdc, struct sluice_err *err)
{
    PGresult *result = PQgetResult(cdc->replication.pg);
    enum cdc_step step = CDC_ERROR;
    char *what = cdc_format("streaming from slot \"%s\"", cdc->settings.slot);
    if (result && PQresultStatus(result) == PGRES_FATAL_ERROR)
        step = cdc_conn_refused(&cdc->replication, &cdc->settings, result, what, err);
    else cdc_error(err, "%s: the server ended the stream; it may be shutting down", what);
    PQclear(result);
    free(what);
    return step;
}

/* Works off what was kept of a transaction that is now committed, and what libpq holds; CDC_DONE:
 * nothing more is there. */
static enum cdc_step drain(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    PGconn *pg = cdc->replication.pg;
    for (unsigned n_th = 1; cdc_has_room(cdc); n_th++) {
        bool ok = true;
        /* A transaction of which nothing is captured may be replayed for long. */
        if (n_th % LOOKS_EVERY == 0 && cdc_now_ms() >= wait->until_ms) return CDC_WAIT;
        if (cdc->incremental && !cdc_incremental_passed(cdc, err, &ok))
            return ok ? CDC_WAIT : CDC_ERROR;
        char *data = cdc->message;
        int n = cdc->message_len;
        cdc->message = NULL;
        if (!data && !cdc_streamed_next(cdc, &data, &n, err)) return CDC_ERROR;
        if (!data) n = PQgetCopyData(pg, &data, 1);
        if (n == 0) return CDC_DONE;
        if (n < 0) return end_of_stream(cdc, err);
        enum cdc_step step = work(cdc, data, n, wait, err);
        if (step != CDC_DONE) return step;
    }
    return CDC_WAIT;
}

/* Whether to go on reading: changes of tables that are not captured may come for hours without a
 * record that would fill the room. */
static bool may_stay(const struct cdc_wait *wait, int64_t *checked_ms)
{
    int64_t now_ms = cdc_now_ms();
    if (now_ms >= wait->until_ms) return false;
    if (now_ms - *checked_ms < CALLED_MS) return true;
    *checked_ms = now_ms;
    return !cdc_called(wait->wake_fd);
}

/* Whether the server sends what was committed a while ago; both times are by its own clock. */
static bool is_behind(const struct cdc *cdc)
{
    return cdc->sent_us - cdc->position.ts_us > BEHIND_MS * 1000;
}

/* How long the next records of a backlog may gather, by how many came since they last did. */
static void adapt_gathering(struct cdc *cdc)
{
    uint64_t all = cdc->emitted_before + cdc->emitted, came = all - cdc->gathered_at;
    cdc->gathered_at = all;
    if (came < GATHER_FEW) cdc->gather_ms *= 2;
    else if (came > GATHER_MANY) cdc->gather_ms /= 2;
    if (cdc->gather_ms < GATHER_MS) cdc->gather_ms = GATHER_MS;
    if (cdc->gather_ms > GATHER_MAX_MS) cdc->gather_ms = GATHER_MAX_MS;
}

struct reading {           /* of one poll */
    bool busy;             /* the last records came just before */
    bool waited, gathered; /* that is done once */
};

/* Lets records gather, once, with some in hand. */
static bool gathers(struct cdc *cdc, const struct cdc_wait *wait, struct reading *r)
{
    bool behind = is_behind(cdc);
    if (!cdc->emitted || r->gathered || !(r->busy || behind)) return false;
    if (behind) adapt_gathering(cdc);
    r->gathered = true;
    cdc_sleep(wait->wake_fd, cdc_now_ms() + (behind ? cdc->gather_ms : GATHER_MS));
    return true;
}

/* Reads what has come. With records in hand nothing is waited for, but under load a moment, once;
 * without, for the first message. False: enough, or broken (step). */
static bool receive(struct cdc *cdc, const struct cdc_wait *wait, struct reading *r,
                    enum cdc_step *step, struct sluice_err *err)
{
    struct cdc_wait now = {-1, 0};
    bool in_hand = cdc->emitted || r->waited;
    if (!cdc_conn_wait(&cdc->replication, POLLIN, in_hand ? &now : wait)) {
        if (gathers(cdc, wait, r)) return true;
        if (in_hand) return false;
        r->waited = true;
    } else if (!PQconsumeInput(cdc->replication.pg)) {
        *step = cdc_conn_broken(&cdc->replication, &cdc->settings, "streaming", err);
        return false;
    }
    cdc->now_ns = cdc_wall_ns();
    return true;
}

/* The incremental snapshot goes on. False: it needs the ordinary connection for itself, or it broke
 * (step). */
static bool read_chunks(struct cdc *cdc, const struct cdc_wait *wait, enum cdc_step *step,
                        struct sluice_err *err)
{
    if (!cdc_incremental_busy(cdc)) return true;
    *step = cdc_incremental_step(cdc, err);
    if (*step == CDC_ERROR) return false;
    if (!cdc_incremental_loads(cdc)) return true;
    struct cdc_wait now = {-1, 0};
    cdc_conn_wait(&cdc->general, POLLIN, cdc->emitted ? &now : wait);
    *step = CDC_WAIT;
    return false;
}

/* Postgres, when it shuts down, ends ordinary connections first, and then waits until all that it
 * streams is confirmed: for as long as Kafka takes nothing, if the stream stayed. Who looks at the
 * slot or at a table finds that out by itself; a message that waits for room keeps all that off. */
static bool left_alone(struct cdc *cdc)
{
    return (cdc->message || !cdc_has_room(cdc)) && !PQconsumeInput(cdc->general.pg);
}

enum cdc_step cdc_stream(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err)
{
    if (!cdc_stream_status(cdc, false, err)) return CDC_ERROR;
    if (left_alone(cdc))
        return cdc_conn_broken(&cdc->general, &cdc->settings, "streaming, beside the stream,", err);
    enum cdc_step step;
    int64_t checked_ms = cdc_now_ms();
    struct reading reading = {.busy = checked_ms - cdc->last_record_ms <= BUSY_MS};
    cdc_signals_poll(cdc);
    cdc_notify_flush(cdc);
    if (cdc_blocking_begin(cdc)) return CDC_DONE;
    /* The query occupies the connection that tables are looked up with. */
    if (cdc->heartbeat_query_due && (step = heartbeat(cdc, wait, err)) != CDC_DONE) return step;
    if ((step = cdc_watch(cdc, wait, err)) != CDC_DONE) return step;
    if (!read_chunks(cdc, wait, &step, err)) return step;
    while ((step = drain(cdc, wait, err)) == CDC_DONE) {
        if (cdc->confirm_now || !cdc->emitted) settle(cdc);
        if (cdc->confirm_now && !cdc_stream_status(cdc, true, err)) return CDC_ERROR;
        if (!read_chunks(cdc, wait, &step, err)) break;
        step = heartbeat(cdc, wait, err);
        if (step != CDC_DONE || !receive(cdc, wait, &reading, &step, err) ||
            !may_stay(wait, &checked_ms))
            break;
    }
    if (step == CDC_ERROR) return step;
    if (cdc->emitted) cdc->last_record_ms = cdc_now_ms();
    cdc->emitted_before += cdc->emitted;
    settle(cdc);
    return CDC_WAIT;
}

void cdc_stream_abandon(struct cdc *cdc)
{
    if (cdc->message) PQfreemem(cdc->message);
    cdc->message = NULL;
    cdc->parts_done = 0;
    cdc_streamed_abandon(&cdc->streamed);
    cdc->in_transaction = false;
    cdc->heartbeat_query_due = cdc->watch_due = false;
    free(cdc->origin);
    cdc->origin = NULL;
}
