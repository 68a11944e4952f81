/* incremental_parts.h - what incremental.c (signals, marks, offsets) and incremental_read.c
 * (tables, chunks) share, and nobody else. */
#ifndef CDC_INCREMENTAL_PARTS_H
#define CDC_INCREMENTAL_PARTS_H

#include <jansson.h>

#include "cdc.h"

#define KEY_COLUMNS_MAX 32

enum stage {
    IDLE,
    LIST,    /* which tables a signal means */
    OPEN,    /* the opening mark is being written */
    LOAD,    /* the table's columns are looked up */
    MAXIMUM, /* its greatest key */
    CHUNK,   /* rows come */
    CLOSE,   /* the closing mark is being written */
    WINDOW   /* until it comes by in the stream */
};

struct request { /* an execute-snapshot that is still to be looked at */
    struct request *next;
    json_t *data;
    char *id;
};

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
    struct request *requests;
    json_t *tables; /* [{"id": "s.t", "condition": ..., "surrogate": ...}]; the first is read */
    char *correlation;
    json_t *last, *maximum; /* arrays of key texts; NULL: not known yet */
    bool paused;
    char chunk[40], opened[40]; /* its name; when its window was opened */
    uint32_t oid;               /* of the table that is being looked up; 0: not known yet */
    bool loading;               /* the ordinary connection answers us */
    bool copying;               /* rows of the chunk come */
    int64_t retry_ms;           /* not before, after an error; 0: at once */
    bool open;                  /* the opening mark came by */
    struct cdc_relation *relation;
    uint32_t keys[KEY_COLUMNS_MAX], keys_n; /* columns that the chunks go by */
    struct cdc_cell *cells;                 /* CDC_COLUMNS_MAX */
    struct row *rows;
    size_t rows_n, rows_cap;
    /* Of the message that is being worked on: */
    bool closes;
    json_t *last_of_chunk;
    json_t *signal; /* one that takes effect when the message is done */
    char *signal_id, *signal_type;
    struct state *states, **states_end;
    uint16_t number;
};

/* Notes the state under a new number: the position's, from now on. last: the key reached. */
void cdc_incremental_note(struct cdc *cdc, const json_t *last);
/* The table under way is done with. */
void cdc_incremental_next_table(struct cdc *cdc);
void cdc_incremental_drop_relation(struct cdc *cdc);

#endif
