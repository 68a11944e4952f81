/* streamed.c - transactions that come before they are committed: see streamed.h. */
#include "streamed.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"

#define HEAD 25 /* of an XLogData message: 'w', two positions, a clock */

static bool broken(struct cdc *cdc, char type, const char *why, struct sluice_err *err)
{
    cdc->hopeless = true;
    return cdc_error(
        err,
        "the replication stream of slot \"%s\" holds a message '%c' of a transaction in "
        "progress that %s; this is a bug or a proxy that changes bytes",
        cdc->settings.slot, type, why);
}

static struct cdc_spill *take_out(struct cdc_streamed *s, uint32_t xid)
{
    struct cdc_spill **at = &s->open;
    while (*at && (*at)->xid != xid) at = &(*at)->next;
    struct cdc_spill *found = *at;
    if (found) *at = found->next;
    return found;
}

static struct cdc_spill *open_one(struct cdc_streamed *s, uint32_t xid, bool streamed)
{
    struct cdc_spill *spill = take_out(s, xid);
    if (!spill) spill = cdc_spill_new(xid, streamed);
    spill->next = s->open;
    return s->open = spill;
}

/* ---- blocks ---- */

static bool begin_block(struct cdc *cdc, char type, struct cdc_cursor *c, struct sluice_err *err)
{
    struct cdc_streamed *s = &cdc->streamed;
    uint32_t xid;
    struct cdc_ending prepare;
    if (type == 'S') {
        xid = cdc_read_u32(c);
        if (cdc_read_u8(c) == 1) cdc_spill_free(take_out(s, xid)); /* from the beginning */
    } else {
        if (!cdc_read_ending(c, type, &prepare)) return broken(cdc, type, "is too short", err);
        xid = prepare.xid;
        cdc_spill_free(take_out(s, xid));
    }
    if (c->bad || s->block || cdc->in_transaction)
        return broken(cdc, type, "begins within another", err);
    s->block = open_one(s, xid, type == 'S');
    return true;
}

/* A message within a block: kept without the number of its subtransaction. */
static bool keep(struct cdc *cdc, char type, uint64_t lsn, struct cdc_cursor *c,
                 struct sluice_err *err)
{
    struct cdc_spill *block = cdc->streamed.block;
    uint32_t subxid = block->xid;
    if (type == 'Y') return true;
    if (block->streamed && type != 'O') subxid = cdc_read_u32(c);
    if (c->bad || !strchr("RIUDTMO", type)) return broken(cdc, type, "has no place there", err);
    if (type == 'R') {
        struct cdc_cursor table = *c;
        uint32_t oid = cdc_read_u32(&table);
        if (table.bad) return broken(cdc, type, "is too short", err);
        cdc_spill_tell(block, oid, c->p, (size_t)(c->end - c->p));
    }
    return cdc_spill_add(block, cdc->settings.spill_directory, subxid, lsn, type, c->p,
                         (size_t)(c->end - c->p), err);
}

/* ---- ends ---- */

static void hold(struct cdc_streamed *s, uint32_t xid, uint64_t lsn)
{
    if (s->prepared_n == s->prepared_cap) {
        s->prepared_cap = s->prepared_cap ? s->prepared_cap * 2 : 8;
        s->prepared = cdc_realloc(s->prepared, s->prepared_cap * sizeof(*s->prepared));
    }
    s->prepared[s->prepared_n++] = (struct cdc_prepared){.lsn = lsn, .xid = xid};
}

/* done: what must be confirmed until it may be forgotten; 0: at once. */
static void release(struct cdc_streamed *s, uint32_t xid, uint64_t done)
{
    for (size_t i = s->prepared_n; i--;) {
        if (s->prepared[i].xid != xid || s->prepared[i].done) continue;
        if (done) s->prepared[i].done = done;
        else s->prepared[i] = s->prepared[--s->prepared_n];
    }
}

static bool on_prepare(struct cdc *cdc, char type, struct cdc_cursor *c, struct sluice_err *err)
{
    struct cdc_streamed *s = &cdc->streamed;
    struct cdc_ending prepare;
    if (!cdc_read_ending(c, type, &prepare)) return broken(cdc, type, "is too short", err);
    struct cdc_spill *spill = s->open;
    while (spill && spill->xid != prepare.xid) spill = spill->next;
    if (!spill || (type == 'P' ? s->block != spill : s->block != NULL))
        return broken(cdc, type, "is of another transaction", err);
    if (type == 'P') s->block = NULL;
    spill->prepared = true;
    while (spill->told) { /* its commit may be far: others that follow are not told them again */
        struct cdc_told *told = spill->told;
        spill->told = told->next;
        told->next = s->told;
        s->told = told;
    }
    release(s, prepare.xid, 0);
    hold(s, prepare.xid, prepare.lsn);
    return true;
}

static bool on_commit(struct cdc *cdc, char type, struct cdc_cursor *c, struct sluice_err *err)
{
    struct cdc_streamed *s = &cdc->streamed;
    struct cdc_ending ending;
    if (!cdc_read_ending(c, type, &ending) || s->block || s->replay)
        return broken(cdc, type, "stands within another", err);
    struct cdc_spill *spill = take_out(s, ending.xid);
    release(s, ending.xid, ending.end_lsn);
    if (!spill && ending.lsn < cdc->resume.done_lsn) return true; /* emitted before */
    if (!spill && type == 'K') {
        cdc->hopeless = true;
        return cdc_error(err,
                         "transaction %u is committed, but slot \"%s\" has let go of what was "
                         "prepared: another consumer of the slot has confirmed it, and its changes "
                         "are lost; take a new snapshot (snapshot.mode=when_needed, or delete the "
                         "connector's offsets)",
                         ending.xid, cdc->settings.slot);
    }
    if (!spill) return broken(cdc, type, "was never begun", err);
    s->replay = spill;
    s->replay_at = CDC_REPLAY_BEGIN;
    s->ending = ending;
    return true;
}

static bool on_rollback(struct cdc *cdc, char type, struct cdc_cursor *c, struct sluice_err *err)
{
    struct cdc_streamed *s = &cdc->streamed;
    uint32_t xid, subxid;
    if (type == 'r') {
        if (!cdc_read_rollback_prepared(c, &xid)) return broken(cdc, type, "is too short", err);
        release(s, xid, 0);
        subxid = xid;
    } else {
        xid = cdc_read_u32(c);
        subxid = cdc_read_u32(c);
        if (c->bad || s->block) return broken(cdc, type, "stands within another", err);
    }
    if (subxid == xid) {
        cdc_spill_free(take_out(s, xid));
        return true;
    }
    struct cdc_spill *spill = s->open;
    while (spill && spill->xid != xid) spill = spill->next;
    return !spill || cdc_spill_rollback(spill, subxid, err);
}

bool cdc_streamed_take(struct cdc *cdc, char type, uint64_t lsn, const struct cdc_cursor *message,
                       bool *taken, struct sluice_err *err)
{
    struct cdc_streamed *s = &cdc->streamed;
    struct cdc_cursor c = *message;
    *taken = true;
    switch (type) {
    case 'S':
    case 'b': return begin_block(cdc, type, &c, err);
    case 'E':
        if (!s->block || !s->block->streamed) return broken(cdc, type, "ends nothing", err);
        s->block = NULL;
        return true;
    case 'P':
    case 'p': return on_prepare(cdc, type, &c, err);
    case 'c':
    case 'K': return on_commit(cdc, type, &c, err);
    case 'A':
    case 'r': return on_rollback(cdc, type, &c, err);
    default:
        /* What a streamed transaction tells of tables is known to others from its end on, commit
         * or PREPARE; in one that comes at its PREPARE it is told for all that follows. */
        *taken = s->block && (s->block->streamed || type != 'R');
        return !*taken || keep(cdc, type, lsn, &c, err);
    }
}

/* ---- working off ---- */

static void put_u64(char *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, sizeof(v));
}

/* The head of a message as the server writes it, with what is read of it. */
static char *head(char *message, uint64_t lsn)
{
    memset(message, 0, HEAD);
    message[0] = 'w';
    put_u64(message + 1, lsn);
    return message + HEAD;
}

static void make_begin(const struct cdc_streamed *s, char **data, int *len)
{
    *len = HEAD + 21;
    *data = cdc_alloc((size_t)*len);
    char *p = head(*data, s->replay->first);
    uint32_t xid = __builtin_bswap32(s->ending.xid);
    *p = 'B';
    put_u64(p + 1, s->ending.lsn);
    put_u64(p + 9, s->ending.clock);
    memcpy(p + 17, &xid, sizeof(xid));
}

static void make_commit(const struct cdc_streamed *s, char **data, int *len)
{
    *len = HEAD + 26;
    *data = cdc_alloc((size_t)*len);
    char *p = head(*data, s->ending.end_lsn);
    *p = 'C'; /* flags follow, 0 */
    put_u64(p + 2, s->ending.lsn);
    put_u64(p + 10, s->ending.end_lsn);
    put_u64(p + 18, s->ending.clock);
}

static void make_told(struct cdc_streamed *s, char **data, int *len)
{
    struct cdc_told *told = s->told;
    assert(told->len <= INT_MAX - HEAD);
    *len = HEAD + (int)told->len;
    *data = cdc_alloc((size_t)*len);
    memcpy(head(*data, 0), told->message, told->len);
    s->told = told->next;
    free(told);
}

bool cdc_streamed_next(struct cdc *cdc, char **data, int *len, struct sluice_err *err)
{
    struct cdc_streamed *s = &cdc->streamed;
    *data = NULL;
    if (s->told) {
        make_told(s, data, len);
        return true;
    }
    if (!s->replay) return true;
    if (s->replay_at == CDC_REPLAY_BEGIN) {
        make_begin(s, data, len);
        s->replay_at = CDC_REPLAY_CHANGES;
        return true;
    }
    size_t n;
    uint64_t lsn;
    if (!cdc_spill_next(s->replay, HEAD, data, &n, &lsn, err)) return false;
    if (*data) {
        assert(n <= INT_MAX - HEAD);
        head(*data, lsn);
        *len = (int)(HEAD + n);
        return true;
    }
    make_commit(s, data, len);
    cdc_spill_free(s->replay);
    s->replay = NULL;
    return true;
}

/* ---- what may be confirmed ---- */

uint64_t cdc_streamed_holds(struct cdc_streamed *streamed, uint64_t lsn)
{
    for (size_t i = 0; i < streamed->prepared_n;) {
        struct cdc_prepared *p = &streamed->prepared[i];
        if (p->done && p->done <= lsn) *p = streamed->prepared[--streamed->prepared_n];
        else i++;
    }
    for (size_t i = 0; i < streamed->prepared_n; i++)
        if (streamed->prepared[i].lsn < lsn) lsn = streamed->prepared[i].lsn;
    return lsn;
}

void cdc_streamed_abandon(struct cdc_streamed *streamed)
{
    while (streamed->open) {
        struct cdc_spill *spill = streamed->open;
        streamed->open = spill->next;
        cdc_spill_free(spill);
    }
    cdc_spill_free(streamed->replay);
    cdc_told_free(streamed->told);
    streamed->told = NULL;
    streamed->block = streamed->replay = NULL;
    /* What is prepared is held until it has come again: the server sends it once more. */
}

void cdc_streamed_fini(struct cdc_streamed *streamed)
{
    cdc_streamed_abandon(streamed);
    free(streamed->prepared);
    memset(streamed, 0, sizeof(*streamed));
}
