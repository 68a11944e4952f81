/* incremental.h - signals of the signal table, and the snapshots that they ask for while the stream
 * goes on.
 *
 * A table is read in chunks, in the order of its key, over a connection of its own. Each stands
 * between two marks that are written into the signal table; what the stream says between the marks
 * about a row of the chunk is newer, and the row is left out. When the closing mark comes, the rest
 * is emitted. Owner: the task's thread; nothing here blocks. */
#ifndef CDC_INCREMENTAL_H
#define CDC_INCREMENTAL_H

#include "conn.h"
#include "pgoutput.h"
#include "position.h"

struct cdc;
struct cdc_relation;
struct json_t;

/* A new one, with what the stored offset says of a snapshot under way; NULL when no signal can
 * come: then the functions below must not be called, unless they say so. */
void cdc_incremental_init(struct cdc *cdc, const struct sluice_value *offset);
void cdc_incremental_fini(struct cdc *cdc);
/* The connections broke: the chunk under way is read again. */
void cdc_incremental_abandon(struct cdc *cdc);

/* A change of any captured table comes by: signals are taken, rows of the chunk left out. Before
 * the change itself is emitted; may emit a chunk. */
bool cdc_incremental_change(struct cdc *cdc, struct cdc_relation *relation,
                            const struct cdc_change *change, const struct cdc_position *before,
                            struct sluice_err *err);
/* The message was worked off, or (cut) it will come once more. */
void cdc_incremental_settle(struct cdc *cdc, bool cut);
/* What a signal (signals.h) asks for; data: its object. */
void cdc_incremental_request(struct cdc *cdc, const char *id, const struct json_t *data,
                             bool blocking);
void cdc_incremental_stop(struct cdc *cdc, const struct json_t *names);
void cdc_incremental_pause(struct cdc *cdc, bool pause);

/* A transaction, which is committed, begins to be streamed: a chunk must not be read before the
 * server's snapshots show it. */
void cdc_incremental_begins(struct cdc *cdc, uint32_t xid);
/* read.only: the chunk is emitted when the stream has passed it; between messages. False: the room
 * is used up. */
bool cdc_incremental_passed(struct cdc *cdc, struct sluice_err *err, bool *ok);
/* Goes on with reading; CDC_WAIT: not done yet. Errors of SQL end the table's snapshot only. */
enum cdc_step cdc_incremental_step(struct cdc *cdc, struct sluice_err *err);
/* Whether there is something to go on with; whether it occupies the ordinary connection. */
bool cdc_incremental_busy(const struct cdc *cdc);
bool cdc_incremental_loads(const struct cdc *cdc);
/* Whether a change must wait: the chunk that it may belong to is not in yet, or (signal table) the
 * closing mark comes by before its statement is answered. */
bool cdc_incremental_holds(const struct cdc *cdc, const struct cdc_relation *relation);

struct cdc_chunk_view {         /* of an incremental snapshot under way */
    size_t tables, tables_done; /* tables: still to be read, the one under way included */
    uint64_t all_rows;          /* read, of all its tables */
    double expected;            /* of all its tables; below 0: unknown */
    bool paused;
    const char *table, *chunk;
    char *from, *to, *table_from, *table_to; /* keys: [1, a]; owned, NULL: none yet */
};
/* False: there is none; takes any cdc. */
bool cdc_incremental_view(const struct cdc *cdc, struct cdc_chunk_view *out);
void cdc_chunk_view_free(struct cdc_chunk_view *view);
bool cdc_incremental_runs(const struct cdc *cdc);

/* Offset keys of the state that a position names. */
#define CDC_INCREMENTAL_KEYS 3
uint32_t cdc_incremental_store(const struct cdc *cdc, uint16_t state, struct cdc_memory *memory,
                               struct sluice_value *pairs);
/* States before this one are not asked for any more. */
void cdc_incremental_acked(struct cdc *cdc, uint16_t state);

#endif
