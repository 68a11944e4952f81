/* blocking.h - blocking snapshots: a signal stops the stream, matching tables are read as an
 * initial snapshot reads them, then the stream goes on from where it stopped.
 *
 * Until the last row was emitted, rows carry the position at which the stream stopped and the
 * request itself (incremental.c keeps it among its states): what was cut by a crash or a broken
 * connection begins anew once the stream runs again. Owner: the task's thread. */
#ifndef CDC_BLOCKING_H
#define CDC_BLOCKING_H

#include <stdbool.h>

struct cdc;
struct cdc_table;

/* Ends the stream for the first request that waits, if there is one and nothing is under way.
 * True: the phase is another one. */
bool cdc_blocking_begin(struct cdc *cdc);
/* Leaves the requested ones of all captured tables. */
void cdc_blocking_tables(struct cdc *cdc);
/* The request's own statement or condition for a table, as a SELECT; owned, NULL: none. */
char *cdc_blocking_select(const struct cdc *cdc, const struct cdc_table *table);
/* All rows but the last were emitted: the request is done with. */
void cdc_blocking_done(struct cdc *cdc);

#endif
