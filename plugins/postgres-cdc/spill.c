/* spill.c - the messages of a transaction that is not committed yet: see spill.h.
 *
 * A message: its length (4 bytes), its LSN (8), in the machine's order; its type, the rest. */
#include "spill.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD 12
#define MESSAGE_MAX (1u << 30) /* Postgres sends none that is larger */

struct cdc_spill *cdc_spill_new(uint32_t xid, bool streamed)
{
    struct cdc_spill *spill = cdc_alloc(sizeof(*spill));
    spill->xid = xid;
    spill->streamed = streamed;
    spill->fd = -1;
    return spill;
}

void cdc_spill_free(struct cdc_spill *spill)
{
    if (!spill) return;
    if (spill->fd >= 0) close(spill->fd);
    cdc_told_free(spill->told);
    free(spill->parts);
    free(spill->buffer);
    free(spill);
}

/* ---- tables ---- */

void cdc_told_free(struct cdc_told *told)
{
    while (told) {
        struct cdc_told *next = told->next;
        free(told);
        told = next;
    }
}

void cdc_spill_tell(struct cdc_spill *spill, uint32_t oid, const void *rest, size_t len)
{
    struct cdc_told **at = &spill->told;
    while (*at && (*at)->oid != oid) at = &(*at)->next;
    struct cdc_told *told = cdc_alloc(sizeof(*told) + len + 1);
    told->oid = oid;
    told->len = len + 1;
    told->message[0] = 'R';
    memcpy(told->message + 1, rest, len);
    if (*at) {
        told->next = (*at)->next;
        free(*at);
    }
    *at = told;
}

/* ---- writing ---- */

static bool failed(const struct cdc_spill *spill, const char *what, const char *directory,
                   struct sluice_err *err)
{
    return cdc_error(
        err,
        "%s transaction %u, which is not committed yet and holds %llu MB so far, in "
        "%s: %s; free space there, set stream.spill.directory to another directory, or "
        "set stream.in.progress=off",
        what, spill->xid, (unsigned long long)(spill->size >> 20), directory, strerror(errno));
}

static bool open_file(struct cdc_spill *spill, const char *directory, struct sluice_err *err)
{
    char *path = cdc_format("%s/sluice-cdc-XXXXXX", directory);
    spill->fd = mkostemp(path, O_CLOEXEC);
    bool ok = spill->fd >= 0 && unlink(path) == 0;
    if (!ok) failed(spill, "creating a file for", directory, err);
    free(path);
    return ok;
}

static bool write_all(struct cdc_spill *spill, const char *directory, const char *p, size_t n,
                      struct sluice_err *err)
{
    while (n) {
        ssize_t wrote = pwrite(spill->fd, p, n, (off_t)spill->filed);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return failed(spill, "writing", directory, err);
        p += wrote;
        n -= (size_t)wrote;
        spill->filed += (uint64_t)wrote;
    }
    return true;
}

/* Bytes of the buffer, when writing. */
static size_t buffered(const struct cdc_spill *spill)
{
    return (size_t)(spill->size - spill->filed);
}

static bool put(struct cdc_spill *spill, const char *directory, const void *bytes, size_t n,
                struct sluice_err *err)
{
    if (!spill->buffer) spill->buffer = cdc_alloc(CDC_SPILL_BUFFER);
    if (buffered(spill) + n > CDC_SPILL_BUFFER) {
        if (spill->fd < 0 && !open_file(spill, directory, err)) return false;
        if (!write_all(spill, directory, spill->buffer, buffered(spill), err)) return false;
        assert(spill->filed == spill->size);
    }
    if (n > CDC_SPILL_BUFFER) {
        if (!write_all(spill, directory, bytes, n, err)) return false;
    } else {
        memcpy(spill->buffer + buffered(spill), bytes, n);
    }
    spill->size += n;
    return true;
}

/* Whether a comes after b, as Postgres counts transactions: in a circle. */
static bool newer(uint32_t a, uint32_t b) { return (int32_t)(a - b) > 0; }

static void note_part(struct cdc_spill *spill, uint32_t subxid)
{
    size_t n = spill->parts_n;
    bool known = n && spill->parts[n - 1].xid == subxid;
    /* Numbers are given out in order, so most are seen to be new at once; a savepoint that is gone
     * back to is found by looking. */
    for (size_t i = n; !known && i && !newer(subxid, spill->newest); i--)
        known = spill->parts[i - 1].xid == subxid;
    if (known) return;
    if (n == spill->parts_cap) {
        spill->parts_cap = n ? n * 2 : 8;
        spill->parts = cdc_realloc(spill->parts, spill->parts_cap * sizeof(*spill->parts));
    }
    spill->parts[spill->parts_n++] = (struct cdc_spill_part){spill->size, subxid};
    if (!n || newer(subxid, spill->newest)) spill->newest = subxid;
}

bool cdc_spill_add(struct cdc_spill *spill, const char *directory, uint32_t subxid, uint64_t lsn,
                   char type, const void *rest, size_t len, struct sluice_err *err)
{
    assert(len < MESSAGE_MAX && !spill->read_at);
    if (subxid != spill->xid) note_part(spill, subxid);
    if (!spill->first) spill->first = lsn;
    char head[HEAD + 1];
    uint32_t n = (uint32_t)len + 1;
    memcpy(head, &n, sizeof(n));
    memcpy(head + sizeof(n), &lsn, sizeof(lsn));
    head[HEAD] = type;
    return put(spill, directory, head, sizeof(head), err) && put(spill, directory, rest, len, err);
}

bool cdc_spill_rollback(struct cdc_spill *spill, uint32_t subxid, struct sluice_err *err)
{
    size_t i = spill->parts_n;
    while (i && spill->parts[i - 1].xid != subxid) i--;
    if (!i) return true;
    /* All that came since is of this subtransaction, or of such within it. */
    uint64_t at = spill->parts[i - 1].at;
    spill->parts_n = i - 1;
    spill->size = at;
    if (at >= spill->filed) return true;
    spill->filed = at;
    if (ftruncate(spill->fd, (off_t)at) == 0) return true;
    return cdc_error(err, "cutting the file of transaction %u: %s", spill->xid, strerror(errno));
}

/* ---- reading ---- */

/* Reads a new piece of the file into the buffer, from read_at. What was never filed stands there
 * already; the file is read only after the buffer's tail has been written to it. */
static bool load(struct cdc_spill *spill, struct sluice_err *err)
{
    ssize_t n;
    do n = pread(spill->fd, spill->buffer, CDC_SPILL_BUFFER, (off_t)spill->read_at);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return cdc_error(err, "reading the file of transaction %u again: %s", spill->xid,
                         n < 0 ? strerror(errno) : "it is shorter than what was written");
    spill->piece_at = spill->read_at;
    spill->piece_len = (uint64_t)n;
    return true;
}

static bool take(struct cdc_spill *spill, void *out, size_t n, struct sluice_err *err)
{
    for (char *p = out; n;) {
        uint64_t at = spill->read_at - spill->piece_at, left = spill->piece_len;
        if (spill->read_at < spill->piece_at || at >= left) {
            if (!load(spill, err)) return false;
            continue;
        }
        size_t part = n < left - at ? n : (size_t)(left - at);
        memcpy(p, spill->buffer + at, part);
        p += part;
        n -= part;
        spill->read_at += part;
    }
    return true;
}

bool cdc_spill_next(struct cdc_spill *spill, size_t head, char **out, size_t *len, uint64_t *lsn,
                    struct sluice_err *err)
{
    *out = NULL;
    if (!spill->read_at && spill->filed && buffered(spill) && spill->size) {
        if (!write_all(spill, "its file", spill->buffer, buffered(spill), err)) return false;
        spill->piece_at = spill->piece_len = 0;
    } else if (!spill->read_at && !spill->filed) {
        spill->piece_len = spill->size; /* the buffer is all there is */
    }
    if (spill->read_at == spill->size) return true;
    char bytes[HEAD];
    uint32_t n;
    if (!take(spill, bytes, sizeof(bytes), err)) return false;
    memcpy(&n, bytes, sizeof(n));
    memcpy(lsn, bytes + sizeof(n), sizeof(*lsn));
    assert(n <= MESSAGE_MAX && n <= spill->size - spill->read_at);
    char *message = cdc_alloc(head + n);
    if (!take(spill, message + head, n, err)) {
        free(message);
        return false;
    }
    *out = message;
    *len = n;
    return true;
}
