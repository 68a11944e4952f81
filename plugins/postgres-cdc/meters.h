/* meters.h - Debezium's metrics (its MBeans connector-metrics of the contexts snapshot and
 * streaming), told to the runtime under the names that Debezium's own JMX exporter rules give:
 * debezium_metrics_<Attribute>{plugin="postgres",name="<topic.prefix>",context="..."}, with table
 * where the attribute is a map of tables. tests/golden/cdc/mbeans.json has the attributes.
 * Owner: the task's thread. */
#ifndef CDC_METERS_H
#define CDC_METERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "progress.h"

struct cdc;
struct cdc_relation;

#define CDC_LAGS 512
#define CDC_METER_TABLES 100 /* that have figures of their own; further ones have none */
#define CDC_METER_CACHE 64
#define CDC_NOTICE_KINDS 24

struct cdc_meter_table {
    char *name;             /* schema.table; NULL: all that have no place of their own */
    bool captured, scanned; /* scanned: by the last snapshot, so many rows: */
    uint64_t rows;
    uint32_t chunks, chunks_done;                  /* that threads read; 0: it was in one piece */
    uint64_t creates, updates, deletes, truncates; /* streamed */
};

struct cdc_wal { /* what the slot holds back, when it was looked at last (watch.c) */
    bool known;
    uint64_t retained, behind; /* bytes: from restart_lsn, from confirmed_flush_lsn */
    int64_t safe;              /* bytes until it is lost; -1: without limit */
    unsigned cause, looks;     /* so many looks in a row found too much, by this cause */
    uint64_t warned;           /* bytes of the last warning; 0: none, or it is over */
    unsigned told;             /* causes that were warned of since, bits */
    bool gave_up;              /* looking while a snapshot runs */
};

struct cdc_meters {
    int64_t next_ms;
    uint64_t creates, updates, deletes, others, reads; /* emitted */
    uint64_t commits, filtered, unchanged, erroneous;
    int64_t streamed_ms, read_ms;        /* when the last event came, wall clock; 0: none did */
    uint32_t streamed_table, read_table; /* of the last event, in tables */
    char streamed_op;
    uint64_t transaction;   /* the last one's xid */
    int32_t lags[CDC_LAGS]; /* ms behind the source of the last commits, a ring */
    uint32_t lags_n, lags_at;
    uint64_t room_records, room_bytes; /* the largest that a poll had */
    bool completed, aborted, skipped;  /* the last snapshot */
    int64_t duration_ms, paused_ms;
    int64_t paused_since_ms;           /* 0: it is not */
    uint64_t tables, remaining;        /* of the last snapshot; kept after it is over */
    struct cdc_meter_table *per_table; /* CDC_METER_TABLES, and one for all others at the end */
    uint32_t per_table_n, reading;     /* reading: by a snapshot */
    struct {
        const struct cdc_relation *relation; /* never followed; NULL: none */
        uint32_t oid, table;
    } cache[CDC_METER_CACHE];
    struct {
        const char *aggregate, *type; /* constants */
        uint64_t n;
    } notices[CDC_NOTICE_KINDS];
    struct cdc_progress progress;
    struct cdc_wal wal;
};

void cdc_meters_fini(struct cdc *cdc);
/* These tables are captured: all of cdc->tables. */
void cdc_meter_captured(struct cdc *cdc);
/* An event was emitted. snapshot: a row that was read, else of the stream. */
void cdc_meter_event(struct cdc *cdc, const struct cdc_relation *relation, char op, bool snapshot);
/* A transaction is complete, at cdc->position. */
void cdc_meter_commit(struct cdc *cdc);
/* A notification was made; both are constants. */
void cdc_meter_notice(struct cdc *cdc, const char *aggregate, const char *type);
/* A snapshot begins: what was told of tables' rows and chunks before is over. */
void cdc_meter_snapshot(struct cdc *cdc);
/* It begins with this table. */
void cdc_meter_reads(struct cdc *cdc, const char *schema, const char *table);
/* So many rows of it were read; of so many chunks, 0: it has none. */
void cdc_meter_scanned(struct cdc *cdc, uint64_t rows, uint32_t chunks, uint32_t chunks_done);
/* An incremental snapshot has read so many rows of the table "schema.table". */
void cdc_meter_incremental(struct cdc *cdc, const char *full, uint64_t rows);
/* Tells the runtime, when it is time to. */
void cdc_meters_tell(struct cdc *cdc);

#endif
