/* cdc.h - one opened connector: everything that its files share.
 *
 * Phases: connect, look at the server, create publication and slot, snapshot, stream. Each is a
 * step (conn.h) that poll() calls again until it is done; when a connection breaks, everything
 * starts over from the position of the last record that was emitted. Owner: the task's thread. */
#ifndef CDC_CDC_H
#define CDC_CDC_H

#include "blocking.h"
#include "conn.h"
#include "incremental.h"
#include "meters.h"
#include "notify.h"
#include "pgoutput.h"
#include "position.h"
#include "readers.h"
#include "relation.h"
#include "reselect.h"
#include "settings.h"
#include "signals.h"
#include "streamed.h"
#include "transaction.h"
#include "types.h"

enum cdc_phase {
    CDC_BACKOFF,  /* until next_try_ms, then: */
    CDC_CONNECT,  /* the ordinary connection */
    CDC_INSPECT,  /* server, slot and publication; decides on a snapshot */
    CDC_CHECK,    /* whether the server offers what the config needs; once */
    CDC_TABLES,   /* which tables there are */
    CDC_PUBLISH,  /* publication */
    CDC_IDENTIFY, /* replica identities */
    CDC_CONNECT_REPLICATION,
    CDC_CREATE_SLOT,
    CDC_SNAPSHOT_DELAY,
    CDC_SNAPSHOT_BEGIN,
    CDC_SNAPSHOT_TABLE, /* columns of the next table */
    CDC_SNAPSHOT_OPEN,  /* COPY is being started */
    CDC_SNAPSHOT_COPY,  /* rows come */
    CDC_SNAPSHOT_END,
    CDC_STREAMING_DELAY,
    CDC_START, /* START_REPLICATION */
    CDC_STREAM,
    CDC_IDLE, /* initial_only: nothing more to do */
    CDC_PHASES
};

struct cdc_table { /* one that is captured */
    uint32_t oid;
    char *schema, *name;
    int rank;       /* first include pattern that matches */
    bool logged;    /* not UNLOGGED: its changes reach the stream */
    uint64_t bytes; /* of its heap, for the progress */
    double rows;    /* as the server estimates them; below 0: unknown */
    uint64_t scanned;
};

struct cdc_slot {         /* what pg_replication_slots says */
    bool exists, created; /* created: by this run, just now */
    uint64_t confirmed, restart;
    bool invalid;      /* it is there, but of no use any more */
    bool two_phase;    /* transactions come when they are prepared */
    char snapshot[64]; /* exported by its creation; "" none, or used up */
};

struct cdc {
    struct sluice_task *task;
    const struct sluice_host *host;
    struct cdc_settings settings;
    uint32_t partition;
    bool closed_well; /* streaming was reached: slot.drop.on.stop may act */

    enum cdc_phase phase;
    int64_t next_try_ms, delay_until_ms;
    int failures;                /* attempts in a row that failed */
    int64_t slot_since_ms;       /* when its creation began */
    int64_t slot_wait_since_ms;  /* when it was first found in use; 0: it is not */
    bool slot_vanished, checked; /* dropped before the stream began, once; CDC_CHECK has passed */
    bool hopeless; /* the last error was found by us, and trying again will not help */
    struct cdc_conn general, replication;
    int server_version;
    uint64_t server_lsn; /* where its WAL ended at the inspection; 0: unknown */
    int status_ms;       /* between status messages: the option, or less for a short timeout */
    bool standby;

    struct cdc_slot slot;
    bool publication_exists, publication_all;
    bool snapshot_due; /* of this start: see setup.c */
    bool first_start;  /* no snapshot was taken in this run yet */
    struct cdc_table *tables;
    size_t tables_n;
    bool tables_listed; /* CDC_TABLES: they are, but not measured */
    char *identity_sql; /* of CDC_IDENTIFY, when it is known; NULL: not yet */

    /* ---- the snapshot under way (snapshot.c) ---- */
    size_t table_at;
    struct cdc_relation *copying, *held_relation; /* held: the row below is of this one */
    char *held; /* last row, kept until it is known whether it is the last: PQ memory */
    int held_len;
    bool held_first, held_first_of_table, any_row, any_table;
    bool snapshot_told;                 /* that it has STARTED */
    bool blocking;                      /* it is one that a signal asked for */
    struct cdc_position snapshot_at;    /* what its rows show; they are stored with position */
    uint64_t snapshot_rows, table_rows; /* in all; of this table */
    int64_t snapshot_started_ms;
    uint64_t bytes_total, bytes_done, bytes_copied; /* of all tables; of those read; of this one */
    struct cdc_readers *readers;                    /* NULL: the ordinary connection reads */
    struct cdc_block *block;                        /* theirs, under way */

    /* ---- the stream (stream.c) ---- */
    struct cdc_types types;
    struct cdc_relations relations;
    struct cdc_position position; /* of the last message that was worked off */
    struct cdc_resume resume;
    bool has_position;            /* an offset was stored, or something was emitted */
    struct cdc_streamed streamed; /* transactions that are not committed yet */
    char *message;                /* one that waits for the catalog: PQ memory */
    int message_len;
    uint64_t received_lsn;   /* end of what the server has sent */
    uint64_t idle_lsn;       /* the server has nothing before it that was not sent */
    uint64_t emitted_commit; /* lsn_commit of the last position that was emitted */
    uint64_t confirmed_lsn;  /* what Postgres may forget */
    bool in_transaction, confirm_now, heartbeat_query_due;
    int64_t last_status_ms, last_idle_ms, last_heartbeat_ms, last_record_ms;
    int64_t unsent_since_ms; /* since when the server takes no confirmation; 0: it does */
    int64_t sent_us;         /* when the server sent the last message with data, by its clock */
    int64_t gather_ms;       /* how long records of a backlog gather */
    uint64_t emitted_before, gathered_at; /* records before this poll; when they last gathered */
    bool watch_due;                       /* the query of watch.c is under way */
    int64_t last_watch_ms;
    int wal_alarm;                       /* 0: none; the higher, the closer is the slot's end */
    uint64_t xmin;                       /* of the slot; 0: none, or not asked for */
    struct cdc_incremental *incremental; /* NULL: no signal table */
    struct cdc_transaction *transaction; /* NULL: no transaction metadata */
    struct cdc_reselect *reselect;       /* NULL: no post processor */
    bool reselected;                     /* it has found something for the change under way */
    bool ask_keepalive;                  /* the server shall tell how far it has sent */
    char *origin;                        /* of the transaction, NULL: none */
    uint64_t origin_lsn;

    /* ---- signals and notifications ---- */
    struct sluice_reader *reader; /* NULL: not open */
    int64_t reader_again_ms, signal_file_ms;
    bool signal_told, skip_told;
    struct cdc_signal_mark *signals;
    size_t signals_n;
    struct cdc_notice *notices, **notices_end;
    const struct sluice_schema *notice_key, *notice_value; /* NULL: none go to Kafka */
    struct cdc_meters meters;

    /* ---- of one poll() ---- */
    struct cdc_memory memory;
    const struct sluice_room *room;
    size_t emitted, emitted_bytes, copied_bytes;
    int64_t now_ns; /* wall clock at the last read from the socket */
    /* A message may make several records (envelope.c). Those that the room does not hold come with
     * the next poll(), from the same message: part counts its records, parts_done those that were
     * emitted before. */
    uint32_t part, parts_done;
    bool cut;
    struct sluice_record elsewhere; /* for records that are not emitted now */
    struct sluice_record *last;     /* emitted in this poll; NULL: none yet */
    bool marks;                     /* the host wants to know where transactions end (cdc_mark) */
    bool unmarked;                  /* records were emitted since the last mark */
    bool unfinished; /* among them those of a transaction whose end has not come, perhaps because
                        the connection broke */
    void **kept;     /* messages that records point to: PQ memory */
    size_t kept_n, kept_cap;

    /* ---- constants of all records ---- */
    const struct sluice_schema *source_schema, *transaction_schema;
    const struct sluice_schema *heartbeat_key, *heartbeat_value;
    const struct sluice_schema *message_key, *message_value;
    const struct sluice_schema *string_schema;
    const char *heartbeat_topic, *message_topic;
    struct sluice_value source[CDC_SOURCE_FIELDS]; /* without table */
    struct sluice_header headers[4];
    uint32_t headers_n;
    char run_id[40];

    struct cdc_cell *before_cells, *after_cells; /* CDC_COLUMNS_MAX each */
    struct cdc_relation_column *relation_columns;
};

/* ---- setup.c ---- */
/* Works on phases up to the snapshot, and START. */
enum cdc_step cdc_setup(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err);
/* Drops the slot on an ordinary stop, waiting at most wait_ms. */
void cdc_drop_slot(struct cdc *cdc, int wait_ms);
/* Whether the last CDC_ERROR of cdc_setup() and others cannot be cured by trying again. */
bool cdc_hopeless(const struct cdc *cdc);
void cdc_tables_free(struct cdc *cdc);
/* What validate() can find out by connecting: complaints with their keys. starts: the connector
 * starts when there are none; what may pass by itself, and advice, is then only logged. */
void cdc_probe(const struct cdc_settings *settings, const struct sluice_host *host, bool starts,
               cdc_complain *complain, void *arg);

/* ---- snapshot.c ---- */
enum cdc_step cdc_snapshot(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err);
void cdc_snapshot_abandon(struct cdc *cdc);
/* Splits a line of COPY's text format into cells, taking escapes back in place. */
bool cdc_copy_split(char *line, int len, struct cdc_tuple *out);

/* ---- stream.c ---- */
/* CDC_WAIT: the room is used up, the time is up, or the host calls. */
enum cdc_step cdc_stream(struct cdc *cdc, const struct cdc_wait *wait, struct sluice_err *err);
/* Tells the server what was received and what it may forget, if that is due. False: broken. */
bool cdc_stream_status(struct cdc *cdc, bool now, struct sluice_err *err);
void cdc_stream_abandon(struct cdc *cdc);

/* ---- envelope.c ---- */
/* Makes the schemas and headers that all records share. */
void cdc_envelope_init(struct cdc *cdc, const char *connector, int task_id);
void cdc_envelope_fini(struct cdc *cdc);
/* Schemas of a relation: fills envelope and source of one whose row schema is made. */
void cdc_envelope_relation(struct cdc *cdc, struct cdc_relation *relation);
/* Emits the records of one change. before: the position before it, for all but its last record. */
bool cdc_emit_change(struct cdc *cdc, struct cdc_relation *relation,
                     const struct cdc_change *change, const struct cdc_position *before,
                     struct sluice_err *err);
/* marker: "first", "true", ... */
bool cdc_emit_snapshot_row(struct cdc *cdc, struct cdc_relation *relation,
                           const struct cdc_tuple *row, const char *marker, struct sluice_err *err);
/* before: the position of all but the last record of a message. */
bool cdc_emit_incremental_row(struct cdc *cdc, struct cdc_relation *relation,
                              const struct cdc_tuple *row, const struct cdc_position *before,
                              struct sluice_err *err);
bool cdc_emit_truncate(struct cdc *cdc, struct cdc_relation *relation,
                       const struct cdc_position *position, struct sluice_err *err);
bool cdc_emit_logical(struct cdc *cdc, const struct cdc_logical_message *message,
                      struct sluice_err *err);
void cdc_emit_heartbeat(struct cdc *cdc);
/* Appends a record to be filled; it goes nowhere when it was emitted before or must wait. */
struct sluice_record *cdc_append(struct cdc *cdc, const char *topic,
                                 const struct cdc_position *position);
/* What was emitted so far may be shown to consumers: nothing of it is part of a transaction. */
void cdc_mark(struct cdc *cdc);
/* Where nothing was streamed yet, the slot's position becomes ours. */
void cdc_position_begins(struct cdc *cdc);
/* A position without a record. */
void cdc_emit_position(struct cdc *cdc, const struct cdc_position *position);
/* The message must outlive the batch's records. */
void cdc_keep(struct cdc *cdc, void *pq_memory);

static inline bool cdc_has_room(const struct cdc *cdc)
{
    return cdc->emitted < cdc->room->records && cdc->emitted_bytes < cdc->room->bytes;
}

#endif
