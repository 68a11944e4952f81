/* status_rows.h - the table of a status log; its mutex guards it. Private to runtime/store. */
#ifndef SLUICE_STORE_STATUS_ROWS_H
#define SLUICE_STORE_STATUS_ROWS_H

#include "store/status_log.h"

#define SLUICE_STATUS_TOPIC INT32_MAX /* a row's task when it is about a topic */

/* What is to be written under a row's key; value NULL: tombstone. */
struct sluice_status_write {
    char *value;
    bool waiting; /* it counts */
    bool safe;    /* not over another worker's status of a higher generation */
    int32_t generation;
    char worker_id[SLUICE_STATUS_WORKER_MAX];
};

/* One key of the topic: a connector's status, a task's, or a topic that a connector uses. */
struct sluice_status_row {
    int task;
    char *topic;                     /* NULL: it is a status */
    bool there;                      /* read last: not a tombstone */
    struct sluice_status status;     /* the last that counted; when there, and topic is NULL */
    struct sluice_status_write next; /* to be sent when what is under way has its answer */
    struct sluice_status_write sent; /* under way */
    int failures;                    /* of sent, in a row */
    int64_t retry_ms; /* monotonic: sent failed, and is due again then; 0: it did not */
};

struct sluice_status_connector {
    char *name;
    struct sluice_status_row **rows; /* by task, then topic */
    size_t n, cap;
};

struct sluice_status_rows {
    struct sluice_status_connector *connectors; /* by name */
    size_t n, cap;
};

void sluice_status_rows_fini(struct sluice_status_rows *rows);
/* NULL: there is none. */
const struct sluice_status_connector *sluice_status_rows_connector(
    const struct sluice_status_rows *rows, const char *connector);
struct sluice_status_row *sluice_status_rows_find(const struct sluice_status_rows *rows,
                                                  const char *connector, int task,
                                                  const char *topic);
/* The same, made when it is not there; NULL: there are too many rows. */
struct sluice_status_row *sluice_status_rows_add(struct sluice_status_rows *rows,
                                                 const char *connector, int task,
                                                 const char *topic);
/* Drops the row, and the connector behind its last one, when nothing was read and nothing is to be
 * written. */
void sluice_status_rows_prune(struct sluice_status_rows *rows, const char *connector, int task,
                              const char *topic);
void sluice_status_write_fini(struct sluice_status_write *write); /* leaves it zeroed */

#endif
