/* meters.h - Debezium's metrics (its MBeans connector-metrics of the contexts snapshot and
 * streaming), told to the runtime under the names that Debezium's own JMX exporter rules give:
 * debezium_metrics_<Attribute>{plugin="postgres",name="<topic.prefix>",context="..."}.
 * Owner: the task's thread. */
#ifndef CDC_METERS_H
#define CDC_METERS_H

#include <stdbool.h>
#include <stdint.h>

struct cdc;

#define CDC_LAGS 512

struct cdc_meters {
    int64_t next_ms;
    uint64_t creates, updates, deletes, others, reads; /* emitted */
    uint64_t commits, filtered, unchanged, erroneous;
    int64_t streamed_ms, read_ms; /* when the last event came, wall clock; 0: none did */
    uint64_t transaction;         /* the last one's xid */
    int32_t lags[CDC_LAGS];       /* ms behind the source of the last commits, a ring */
    uint32_t lags_n, lags_at;
    uint64_t room_records, room_bytes; /* the largest that a poll had */
    bool completed, aborted, skipped;  /* the last snapshot */
    int64_t duration_ms, paused_ms;
    int64_t paused_since_ms;    /* 0: it is not */
    uint64_t tables, remaining; /* kept after a snapshot is over */
};

/* An event was emitted. marker: of a snapshot's row, NULL: of the stream. */
void cdc_meter_event(struct cdc *cdc, char op, bool snapshot);
/* A transaction is complete, at cdc->position. */
void cdc_meter_commit(struct cdc *cdc);
/* Tells the runtime, when it is time to. */
void cdc_meters_tell(struct cdc *cdc);

#endif
