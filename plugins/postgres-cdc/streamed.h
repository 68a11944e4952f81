/* streamed.h - transactions that come before they are committed (pgoutput protocols 2 to 4).
 *
 * With stream.in.progress the server sends a large transaction in blocks while it runs; a slot made
 * for two-phase commit sends one at its PREPARE. Either is kept (spill.h) until its commit comes,
 * and then worked off as protocol 1 would have sent it there: BEGIN, changes, COMMIT. So records,
 * their order and their offsets are the same.
 *
 * After a restart the server sends what is still open from its beginning, so nothing kept has to
 * survive. For a prepared transaction that holds as long as its PREPARE is not confirmed:
 * cdc_streamed_holds(). Owner: the task's thread. */
#ifndef CDC_STREAMED_H
#define CDC_STREAMED_H

#include "pgoutput.h"
#include "spill.h"

struct cdc_prepared { /* a transaction whose PREPARE must not be confirmed */
    uint64_t lsn;     /* of that */
    uint64_t done;    /* end of its COMMIT PREPARED; 0: not come yet */
    uint32_t xid;
};

struct cdc_streamed {
    struct cdc_spill *open;   /* not ended yet */
    struct cdc_spill *block;  /* of these, the one whose messages come now; NULL: none */
    struct cdc_spill *replay; /* committed, is being worked off; not among open */
    struct cdc_ending ending; /* its commit */
    enum { CDC_REPLAY_BEGIN, CDC_REPLAY_CHANGES } replay_at;
    struct cdc_told *told; /* tables of what was prepared: as the server takes them for known */
    struct cdc_prepared *prepared;
    size_t prepared_n, prepared_cap;
};

struct cdc;

/* Takes a pgoutput message that belongs to this; *taken false: it is an ordinary one. type has been
 * read from the cursor. */
bool cdc_streamed_take(struct cdc *cdc, char type, uint64_t lsn, const struct cdc_cursor *message,
                       bool *taken, struct sluice_err *err);
/* The next message of a committed one, or about a table that is to be known from now on, as if it
 * came from the socket, in malloc'ed memory (what PQfreemem() frees); *data NULL: there is none,
 * read the socket. */
bool cdc_streamed_next(struct cdc *cdc, char **data, int *len, struct sluice_err *err);
/* What of lsn may be confirmed, so that pending prepared transactions come again. */
uint64_t cdc_streamed_holds(struct cdc_streamed *streamed, uint64_t lsn);
void cdc_streamed_abandon(struct cdc_streamed *streamed); /* the connection is gone */
void cdc_streamed_fini(struct cdc_streamed *streamed);

#endif
