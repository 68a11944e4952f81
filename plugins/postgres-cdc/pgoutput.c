/* pgoutput.c - reading the replication stream: see pgoutput.h. */
#include "pgoutput.h"

#include <assert.h>
#include <string.h>

const char *cdc_read_bytes(struct cdc_cursor *c, size_t len)
{
    if ((size_t)(c->end - c->p) < len) {
        c->bad = true;
        c->p = c->end;
        return NULL;
    }
    const char *p = (const char *)c->p;
    c->p += len;
    return p;
}

uint8_t cdc_read_u8(struct cdc_cursor *c)
{
    const char *p = cdc_read_bytes(c, 1);
    return p ? (uint8_t)*p : 0;
}

uint16_t cdc_read_u16(struct cdc_cursor *c)
{
    uint16_t v;
    const char *p = cdc_read_bytes(c, sizeof(v));
    if (!p) return 0;
    memcpy(&v, p, sizeof(v));
    return __builtin_bswap16(v);
}

uint32_t cdc_read_u32(struct cdc_cursor *c)
{
    uint32_t v;
    const char *p = cdc_read_bytes(c, sizeof(v));
    if (!p) return 0;
    memcpy(&v, p, sizeof(v));
    return __builtin_bswap32(v);
}

uint64_t cdc_read_u64(struct cdc_cursor *c)
{
    uint64_t v;
    const char *p = cdc_read_bytes(c, sizeof(v));
    if (!p) return 0;
    memcpy(&v, p, sizeof(v));
    return __builtin_bswap64(v);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "network numbers are swapped above");

const char *cdc_read_string(struct cdc_cursor *c)
{
    const unsigned char *nul = memchr(c->p, 0, (size_t)(c->end - c->p));
    if (!nul) {
        c->bad = true;
        c->p = c->end;
        return "";
    }
    const char *s = (const char *)c->p;
    c->p = nul + 1;
    return s;
}

bool cdc_read_tuple(struct cdc_cursor *c, struct cdc_tuple *tuple)
{
    tuple->n = cdc_read_u16(c);
    if (c->bad || tuple->n > CDC_COLUMNS_MAX) return false;
    for (uint32_t i = 0; i < tuple->n; i++) {
        struct cdc_cell *cell = &tuple->cells[i];
        cell->kind = (char)cdc_read_u8(c);
        cell->len = 0;
        cell->s = NULL;
        if (cell->kind == 't' || cell->kind == 'b') {
            cell->len = cdc_read_u32(c);
            cell->s = cdc_read_bytes(c, cell->len);
        } else if (cell->kind != 'n' && cell->kind != 'u') {
            return false;
        }
        if (c->bad) return false;
    }
    return true;
}

bool cdc_read_begin(struct cdc_cursor *c, struct cdc_begin *out)
{
    out->final_lsn = cdc_read_u64(c);
    out->commit_us = (int64_t)(cdc_read_u64(c) + (uint64_t)CDC_EPOCH_US);
    out->xid = cdc_read_u32(c);
    return !c->bad;
}

bool cdc_read_commit(struct cdc_cursor *c, struct cdc_commit *out)
{
    cdc_read_u8(c); /* flags, unused by Postgres */
    out->commit_lsn = cdc_read_u64(c);
    out->end_lsn = cdc_read_u64(c);
    out->commit_us = (int64_t)(cdc_read_u64(c) + (uint64_t)CDC_EPOCH_US);
    return !c->bad;
}

bool cdc_read_relation(struct cdc_cursor *c, struct cdc_relation_message *out)
{
    out->oid = cdc_read_u32(c);
    out->schema = cdc_read_string(c);
    out->table = cdc_read_string(c);
    if (!*out->schema) out->schema = "pg_catalog"; /* how pgoutput abbreviates it */
    out->identity = (char)cdc_read_u8(c);
    out->n = cdc_read_u16(c);
    if (c->bad || out->n > CDC_COLUMNS_MAX) return false;
    for (uint32_t i = 0; i < out->n; i++) {
        struct cdc_relation_column *column = &out->columns[i];
        column->key = cdc_read_u8(c) & 1;
        column->name = cdc_read_string(c);
        column->oid = cdc_read_u32(c);
        column->typmod = (int32_t)cdc_read_u32(c);
        if (c->bad) return false;
    }
    return true;
}

bool cdc_read_change(struct cdc_cursor *c, char op, struct cdc_change *out)
{
    assert(op == 'I' || op == 'U' || op == 'D');
    out->op = op;
    out->old = 0;
    out->relation = cdc_read_u32(c);
    char part = (char)cdc_read_u8(c);
    if (op != 'I' && (part == 'K' || part == 'O')) {
        out->old = part;
        if (!cdc_read_tuple(c, &out->before)) return false;
        if (op == 'D') return true;
        part = (char)cdc_read_u8(c);
    }
    return part == 'N' && op != 'D' && cdc_read_tuple(c, &out->after);
}

bool cdc_read_logical_message(struct cdc_cursor *c, struct cdc_logical_message *out)
{
    out->transactional = cdc_read_u8(c) & 1;
    out->lsn = cdc_read_u64(c);
    out->prefix = cdc_read_string(c);
    out->content_len = cdc_read_u32(c);
    out->content = cdc_read_bytes(c, out->content_len);
    return !c->bad;
}

bool cdc_read_ending(struct cdc_cursor *c, char type, struct cdc_ending *out)
{
    assert(strchr("bPpKc", type));
    memset(out, 0, sizeof(*out));
    if (type == 'c') out->xid = cdc_read_u32(c);
    if (type != 'b') cdc_read_u8(c); /* flags, unused by Postgres */
    out->lsn = cdc_read_u64(c);
    out->end_lsn = cdc_read_u64(c);
    out->clock = cdc_read_u64(c);
    if (type != 'c') out->xid = cdc_read_u32(c);
    return !c->bad;
}

bool cdc_read_rollback_prepared(struct cdc_cursor *c, uint32_t *xid)
{
    cdc_read_u8(c);
    cdc_read_bytes(c, 4 * sizeof(uint64_t)); /* positions and times of PREPARE and ROLLBACK */
    *xid = cdc_read_u32(c);
    return !c->bad;
}
