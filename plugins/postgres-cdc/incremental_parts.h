/* incremental_parts.h - what incremental.c (signals, marks, offsets) and incremental_read.c
 * (tables, chunks) share, and nobody else. */
#ifndef CDC_INCREMENTAL_PARTS_H
#define CDC_INCREMENTAL_PARTS_H

#include <jansson.h>

#include "cdc.h"

#define KEY_COLUMNS_MAX 32

enum stage {
    IDLE,
    LIST,     /* which tables a signal means */
    OPEN,     /* the opening mark is being written */
    LOAD,     /* the table's columns are looked up */
    MAXIMUM,  /* its greatest key */
    ESTIMATE, /* rows that are left, where the statistics of the table do not say it */
    LOW,      /* until what was streamed is visible to the chunk */
    CHUNK,    /* rows come */
    CLOSE,    /* the closing mark is being written */
    WINDOW,   /* until it comes by in the stream */
    EMIT      /* read.only: the stream has passed the chunk, its rows are emitted */
};

struct request { /* an execute-snapshot that is still to be looked at */
    struct request *next;
    json_t *data;
    char *id;
};

#define RECENT_MAX 1024

struct row {
    char *line; /* PQ memory; the cells point into it */
    struct cdc_cell *cells;
    bool newer; /* the stream has said something newer */
};

struct state { /* what an offset says, as JSON; numbered */
    struct state *next;
    uint16_t number;
    char *collections, *position, *correlation;
};

struct cdc_incremental {
    struct cdc_conn conn;
    enum stage stage;
    struct request *requests, *blocking; /* incremental ones; the first of blocking is under way
                                            when cdc->blocking */
    json_t *tables; /* [{"id": "s.t", "condition": ..., "surrogate": ...}]; the first is read */
    char *correlation;
    json_t *last, *maximum; /* arrays of key texts; NULL: not known yet */
    bool paused;
    char chunk[40], opened[40]; /* its name; when its window was opened */
    uint32_t oid;               /* of the table that is being looked up; 0: not known yet */
    bool loading;               /* the ordinary connection answers us */
    bool copying;               /* rows of the chunk come */
    int64_t retry_ms;           /* not before, after an error; 0: at once */
    struct cdc_relation *relation;
    uint32_t keys[KEY_COLUMNS_MAX], keys_n; /* columns that the chunks go by */
    struct cdc_cell *cells;                 /* CDC_COLUMNS_MAX */
    struct row *rows;
    size_t rows_n, rows_cap;
    /* Of the message that is being worked on: */
    bool closes;
    json_t *last_of_chunk;
    char *signal_id, *signal_type, *signal_data; /* takes effect when the message is done */
    uint64_t scanned, scanned_before;            /* rows of the table under way; of those before */
    double rows_expected; /* of it, as the server estimates them; below 0: unknown */
    double rows_after;    /* of the tables behind it; below 0: unknown */
    size_t tables_done;
    bool estimated; /* rows_expected and rows_after are of this table */
    json_t *chunk_first, *chunk_last, *table_first; /* keys, for the metrics; NULL: none yet */
    uint32_t limbo; /* so many of recent are not visible yet; the stream goes on meanwhile */
    uint32_t recent[RECENT_MAX]; /* transactions streamed since the last look, a ring */
    uint32_t recent_n, recent_at;
    uint64_t high_lsn; /* read.only: what the stream must pass */
    int64_t asked_ms;  /* read.only: when the server was asked how far it is */
    size_t emit_at;    /* read.only: rows up to here are emitted */
    struct state *states, **states_end;
    uint16_t number;
};

/* Notes the state under a new number: the position's, from now on. last: the key reached. */
void cdc_incremental_note(struct cdc *cdc, const json_t *last);
/* The table under way is done with, and so it ended (a word of Debezium's). */
void cdc_incremental_next_table(struct cdc *cdc, const char *status);
/* Notifications of the snapshot as a whole, with its tables. */
void cdc_incremental_tell(struct cdc *cdc, const char *type);
/* A snapshot begins, or is taken up after a restart: what is told of it begins anew. */
void cdc_incremental_begin(struct cdc *cdc);
/* And of a chunk that was read. */
void cdc_incremental_tell_chunk(struct cdc *cdc);
void cdc_incremental_request_free(struct request *request);
json_t *cdc_incremental_key(const struct cdc_incremental *inc, const struct cdc_cell *cells);
/* The chunk was emitted. */
void cdc_incremental_clear(struct cdc *cdc);
void cdc_incremental_drop_relation(struct cdc *cdc);

#endif
