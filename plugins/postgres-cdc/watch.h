/* watch.h - what is done about tables before the stream, and about the slot beside it. */
#ifndef CDC_WATCH_H
#define CDC_WATCH_H

#include "cdc.h"

/* ---- setup.c ---- */
/* Fills err with what trying again will not help against; always CDC_ERROR. */
enum cdc_step cdc_refuse(struct cdc *cdc, struct sluice_err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- publication.c ---- */
/* Notes whether the publication exists, and warns of what it leaves out. flags: of pg_publication,
 * "t" or "f" for all tables, insert, update, delete, truncate; "": it is missing. */
void cdc_publication_seen(struct cdc *cdc, const char *flags);
/* Makes or alters it, as publication.autocreate.mode says. */
enum cdc_step cdc_publish(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err);

/* ---- identity.c ---- */
/* Gives the captured tables the replica identities of replica.identity.autoset.values. */
enum cdc_step cdc_identify(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err);

/* ---- watch.c ---- */
/* Why pg_replication_slots says that a slot is of no use; reason: "" when it does not. */
const char *cdc_invalidation(const char *reason);
struct cdc_slot_look {  /* what pg_replication_slots says of its WAL */
    const char *status; /* reserved, extended, unreserved, lost */
    uint64_t retained;  /* bytes of WAL since restart_lsn */
    uint64_t behind;    /* since confirmed_flush_lsn */
    int64_t safe;       /* bytes that may still be written before it is in danger; -1: any */
    const char *limit;  /* max_slot_wal_keep_size, as the server shows it */
    const char *holder; /* the oldest transaction, in words; "": there is none */
};

/* Before the stream: warns of a status that is no good. left: bytes, as text; "" unknown. */
void cdc_watch_wal(struct cdc *cdc, const char *status, const char *left);
/* Keeps the figures for the metrics, and warns: when the status becomes worse, when more than
 * slot.wal.warn.bytes are held back in two looks in a row, and each time that they have doubled
 * or another cause is found. */
void cdc_watch_look(struct cdc *cdc, const struct cdc_slot_look *look);
/* "17 MB"; gives back out. */
const char *cdc_bytes_text(uint64_t bytes, char out[24]);
/* Looks at the slot from time to time: its WAL, and its xmin for the records. CDC_WAIT: the
 * ordinary connection is occupied. */
enum cdc_step cdc_watch(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err);
/* The same while a snapshot occupies the ordinary connection, over the one that made the slot,
 * where there is one. begin false: no new look. False: one is under way, and the connection is not
 * free. Never waits. */
bool cdc_watch_beside(struct cdc *cdc, bool begin);

#endif
