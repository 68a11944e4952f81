/* watch.h - what is done about tables before the stream, and about the slot beside it. */
#ifndef CDC_WATCH_H
#define CDC_WATCH_H

#include "cdc.h"

/* ---- identity.c ---- */
/* Gives the captured tables the replica identities of replica.identity.autoset.values. */
enum cdc_step cdc_identify(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err);

/* ---- watch.c ---- */
/* Why pg_replication_slots says that a slot is of no use; reason: "" when it does not. */
const char *cdc_invalidation(const char *reason);
/* Warns of a slot that the server may soon invalidate, once per change for the worse. left: bytes
 * of WAL until then, as text; "" unknown. */
void cdc_watch_wal(struct cdc *cdc, const char *status, const char *left);
/* Looks at the slot from time to time: its WAL, and its xmin for the records. CDC_WAIT: the
 * ordinary connection is occupied. */
enum cdc_step cdc_watch(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err);

#endif
