/* position.h - where in the stream a record stands, and how that is stored.
 *
 * A position is a small plain struct that each record carries; Debezium's offset map is made of it
 * only when offsets are written, and read back leniently, so that a Debezium offset is carried on
 * and can be taken back. */
#ifndef CDC_POSITION_H
#define CDC_POSITION_H

#include "util.h"

enum cdc_message_type { /* Debezium's messageType */
                        CDC_MSG_NONE,
                        CDC_MSG_INSERT,
                        CDC_MSG_UPDATE,
                        CDC_MSG_DELETE,
                        CDC_MSG_BEGIN,
                        CDC_MSG_COMMIT,
                        CDC_MSG_TRUNCATE,
                        CDC_MSG_MESSAGE
};

enum cdc_snapshot_state { CDC_NO_SNAPSHOT, CDC_IN_SNAPSHOT, CDC_SNAPSHOT_DONE };

struct cdc_position {
    uint64_t lsn;         /* of the last message; 0: none */
    uint64_t lsn_proc;    /* the last one completely processed; 0: none */
    uint64_t lsn_commit;  /* everything before is complete: the end of a transaction, or what an
                          * idle server has passed; 0: none */
    uint64_t last_commit; /* end of the last transaction, for source.sequence; 0: none */
    int64_t ts_us;        /* its commit time, Unix */
    uint64_t txid;        /* 0: none */
    uint32_t events;      /* changes of this transaction that share lsn, this one included */
    uint8_t message;      /* enum cdc_message_type */
    uint8_t snapshot;     /* enum cdc_snapshot_state */
    uint16_t state;       /* of the incremental snapshot (incremental.c); 0: none */
    uint16_t age; /* rises when an offset is given up: what is older confirms nothing any more */
};

struct cdc_position_count { /* events of a table in the transaction under way */
    const char *schema, *table;
    uint32_t count;
};

/* The offset map; memory from the batch. counted: with transaction metadata, and so many counts. */
struct sluice_value cdc_position_store(const struct cdc_position *position, bool counted,
                                       const struct cdc_position_count *counts, uint32_t counts_n,
                                       struct cdc_memory *memory);
/* False: the map is no offset of this connector; err says which key is wrong. */
bool cdc_position_load(struct cdc_position *position, const struct sluice_value *map,
                       struct sluice_err *err);

/* Everything up to here is not needed any more once the position is durable; 0: nothing is known
 * to be. */
uint64_t cdc_position_confirms(const struct cdc_position *position);

/* What a stream that starts again leaves out: see cdc_resume_*. */
struct cdc_resume {
    uint64_t done_lsn; /* what begins before it is complete: transactions' ends, messages */
    uint64_t lsn;      /* in transaction txid: rows up to (lsn, events) are done; 0: none */
    uint64_t txid;
    uint32_t events;
    bool skipping; /* within a transaction that is left out as a whole */
    bool inside;   /* within the transaction that was under way */
};

void cdc_resume_init(struct cdc_resume *resume, const struct cdc_position *position);
/* A transaction begins, whose commit record starts at final_lsn. */
void cdc_resume_begin(struct cdc_resume *resume, uint64_t final_lsn, uint32_t xid);
/* Whether a change at lsn, the events-th of its transaction there, was processed before. */
bool cdc_resume_skips(const struct cdc_resume *resume, uint64_t lsn, uint32_t events);

#endif
