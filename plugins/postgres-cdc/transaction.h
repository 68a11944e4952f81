/* transaction.h - provide.transaction.metadata: the transaction topic, and each record's place in
 * its transaction.
 *
 * Nothing is stored to go on after a restart: the server sends a transaction that was cut from its
 * beginning, and what was emitted before is counted again without being emitted. The counts are
 * written into the offset all the same, so that Debezium can take over. */
#ifndef CDC_TRANSACTION_H
#define CDC_TRANSACTION_H

#include "position.h"

#define CDC_COUNTS_MAX 20 /* tables whose counts an offset holds */
/* What logical messages are counted as. Debezium means this too, but writes a Java address. */
#define CDC_MESSAGE_COLLECTION "LOGICAL_DECODING_MESSAGE"

/* What a record's position is with transaction metadata. */
struct cdc_counted_position {
    struct cdc_position at; /* first, as cdc_position_load() and others know it */
    uint32_t n;
    struct {
        uint32_t oid, count;
    } counts[CDC_COUNTS_MAX];
};

struct cdc_count {
    char *name; /* schema.table */
    uint32_t oid;
    uint64_t events;
};

struct cdc_transaction {
    const struct sluice_schema *key, *value;
    const char *topic;
    uint64_t number; /* counts transactions, so that relations know whether their slot holds */
    uint64_t events;
    struct cdc_count *counts;
    size_t n, cap;
    /* Records of the message that is being worked on: they count when all of them were emitted. */
    uint32_t *pending; /* indexes of counts */
    size_t pending_n, pending_cap;
};

struct cdc;
struct cdc_relation;

void cdc_transaction_init(struct cdc *cdc);
void cdc_transaction_fini(struct cdc *cdc);
/* A transaction begins at cdc->position, or goes on after a restart (again): emits BEGIN, or
 * nothing. */
void cdc_transaction_begin(struct cdc *cdc, bool again);
/* It ends at cdc->position: emits END. */
void cdc_transaction_end(struct cdc *cdc);
/* The transaction block of the next record; relation NULL: a logical message. */
struct sluice_value cdc_transaction_block(struct cdc *cdc, struct cdc_relation *relation);
/* The message was worked off, or (cut) it will come once more. */
void cdc_transaction_settle(struct cdc *cdc, bool cut);
/* The position with the counts, memory from the batch. */
const void *cdc_transaction_position(struct cdc *cdc, const struct cdc_position *position,
                                     uint32_t *len);

#endif
