/* reselect.h - post.processors: columns of streamed rows that came without their value are read
 * again from the table.
 *
 * The one processor there is, Debezium's ReselectColumnsPostProcessor, looks at what a row holds
 * after an insert or update. Columns that are null, and large values that Postgres did not send
 * because they are unchanged, are asked for by the row's key, all of them in one SELECT over a
 * connection of its own, which is opened for the first such row. What the table holds by then is
 * newer than the change. Keys, old rows, deletes, rows of snapshots and the signal table are left
 * alone.
 *
 * Without a processor struct cdc.reselect is NULL and nothing here is called. Owner: the task's
 * thread. */
#ifndef CDC_RESELECT_H
#define CDC_RESELECT_H

#include "conn.h"
#include "pgoutput.h"

#define CDC_RESELECTORS_MAX 8 /* bits of a column in struct cdc_relation.reselect */

enum cdc_reselect_failure { CDC_RESELECT_WARN, CDC_RESELECT_FAIL, CDC_RESELECT_SKIP };

struct cdc_reselector { /* one processor of the config */
    const char *name;
    struct cdc_filter columns; /* on schema.table:column */
    bool unavailable, nulls;   /* which values are read again */
    bool event_key;            /* by the record's key instead of the table's */
    enum cdc_reselect_failure failure;
};

struct cdc;
struct cdc_relation;

/* Fills settings->reselectors; what is wrong goes to complain, and false is returned. */
bool cdc_reselectors_read(struct cdc_settings *settings, const struct sluice_host *host,
                          const struct sluice_conf *conf, cdc_complain *complain, void *arg);
void cdc_reselectors_free(struct cdc_settings *settings);

void cdc_reselect_init(struct cdc *cdc);
void cdc_reselect_fini(struct cdc *cdc);
/* Closes the connection and forgets the row that was being worked on. */
void cdc_reselect_abandon(struct cdc *cdc);
/* Notes which columns of a streamed table the processors may ask for. */
void cdc_reselect_plan(struct cdc *cdc, struct cdc_relation *relation);
/* Asks for what the change lacks. CDC_WAIT: call again with the same change. CDC_ERROR: the
 * connection could not be made, or a processor whose failure is to fail has failed
 * (cdc->hopeless). */
enum cdc_step cdc_reselect(struct cdc *cdc, const struct cdc_relation *relation,
                           const struct cdc_change *change, const struct cdc_wait *wait,
                           struct sluice_err *err);
/* Puts what was found into the values after the change; only while cdc->reselected. */
void cdc_reselect_apply(struct cdc *cdc, struct cdc_relation *relation, struct sluice_value *after);

#endif
