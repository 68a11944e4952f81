/* sink.h - the state of one task, and what its parts call of each other.
 *
 *   put() -> sink.c   a record becomes a row in the open batch of its lane (batch.c)
 *   work() -> send.c  closed batches become requests, their answers done() and reject()
 *             table.c tables that are missing or lack columns are created and patched
 *             token.c access tokens are fetched ahead of need
 *
 * A lane is a topic partition and the table (and day) that its rows go to: its batches are sent in
 * order; lanes go in parallel. Thread: the task's, for everything. */
#ifndef BQ_SINK_H
#define BQ_SINK_H

#include "config.h"
#include "lib/http.h"
#include "plan.h"
#include "reply.h"

#define BQ_NO_DAY INT64_MIN
#define BQ_LANE_BUCKETS 256

struct bq_lane;
struct bq_token;
struct bq_sink;

struct bq_batch {          /* rows of one lane that go out in one request */
    struct bq_batch *next; /* in the lane, oldest first */
    struct bq_lane *lane;
    struct sluice_out body; /* the request's, but for its end; rows as ,{"insertId":...} */
    uint64_t *seqs;
    size_t *starts; /* of each row in body */
    size_t len, cap;
    struct bq_shape **shapes; /* of its rows, each once, by last use */
    size_t shapes_len;
    int64_t opened_ms, due_ms; /* due: not sent before */
    int64_t failing_since_ms;  /* 0: no failure yet */
    int64_t attempts;          /* failed ones that may pass */
    bool closed, flying, troubled, token_renewed;
    json_t *held; /* answer with the row errors that a schema update may cure */
};

struct bq_lane {
    struct bq_lane *chain; /* in the bucket */
    struct bq_sink *sink;
    struct bq_table *table;
    char *topic, *origin;                  /* origin: the topic as consumed */
    int32_t partition;                     /* as consumed */
    int64_t day;                           /* BQ_NO_DAY: no decorator */
    char *url;                             /* of insertAll */
    struct sluice_out row_head, data_head; /* up to the offset, both times */
    struct bq_batch *head, *tail;
    unsigned flying;
    bool dead; /* dropped: freed with its last answer */
};

enum bq_table_state {
    BQ_TABLE_READY,
    BQ_TABLE_CHECK, /* ask how it is partitioned */
    BQ_TABLE_CREATE,
    BQ_TABLE_READ, /* get its schema */
    BQ_TABLE_PATCH,
    BQ_TABLE_SETTLE /* changed: wait until_ms for the change to reach the streaming backend */
};

struct bq_table {
    struct bq_table *next;
    struct bq_sink *sink;
    char *dataset, *name, *url; /* url: of the table resource */
    enum bq_table_state state;
    bool flying, checked, troubled, token_renewed;
    int64_t until_ms;   /* nothing is sent for it before */
    int64_t changed_ms; /* created or patched then; 0: not since rows went in */
    unsigned settles;   /* waits since then */
    int64_t failing_since_ms;
    unsigned attempts;
    char *body, *etag;      /* of the request under way or to be repeated */
    struct bq_batch *cause; /* whose rows asked for it; NULL: gone meanwhile */
};

struct bq_sink {
    struct sluice_task *task;
    const struct sluice_host *host;
    struct bq_config config;
    struct sluice_http *http;
    struct bq_token *token; /* NULL: requests carry no credentials */
    char *endpoint_name;    /* for messages: scheme and host */
    struct bq_lane *buckets[BQ_LANE_BUCKETS];
    struct bq_lane **lanes, *last_lane;
    size_t lanes_len, lanes_cap, next_lane;
    struct bq_table *tables;
    struct bq_shape *shapes, *last_shape;
    struct bq_batch *spare; /* emptied, for reuse */
    size_t spare_len, shapes_len;
    size_t bytes;       /* of rows held */
    size_t batches;     /* with rows */
    unsigned in_flight; /* insertAll requests */
    unsigned troubles;  /* batches, tables and token that are being retried */
    int64_t trouble_said_ms;
    unsigned outage; /* answers in a row that did not come at all */
    int64_t outage_until_ms;
    int64_t now_ms; /* monotonic, as of the callback's start */
    uint64_t random;
    bool gzip, throttled, failed;
    struct sluice_err err; /* when failed */
    char now_text[32];     /* insertTime's value, of this put() */
    int64_t today;
};

/* sink.c: the plugin's callbacks, see plugin.h, and what the other parts need of it */
enum sluice_verdict bq_open(struct sluice_task *task, const struct sluice_host *host,
                            const struct sluice_conf *conf, void **self, struct sluice_err *err);
void bq_close(void *self);
enum sluice_verdict bq_put(void *self, const struct sluice_record *recs, size_t n,
                           struct sluice_err *err);
enum sluice_verdict bq_work(void *self, int wait_ms, struct sluice_err *err);
enum sluice_verdict bq_flush(void *self, struct sluice_err *err);
void bq_drop(void *self, const char *topic, int32_t partition);
__attribute__((format(printf, 2, 3))) void bq_fail(struct bq_sink *sink, const char *fmt, ...);
/* Says what is being retried; flag: the batch's, table's or token's own. */
__attribute__((format(printf, 3, 4))) void bq_trouble(struct bq_sink *sink, bool *flag,
                                                      const char *fmt, ...);
void bq_well(struct bq_sink *sink, bool *flag); /* what was in trouble is over it, or gone */
int64_t bq_clock_ms(void);                      /* monotonic */
/* base, doubled attempt times up to cap (at least base), with chance up to a second added. */
int64_t bq_backoff_ms(struct bq_sink *sink, int64_t base_ms, unsigned attempt, int64_t cap_ms);

/* batch.c */
struct bq_lane *bq_lane_get(struct bq_sink *sink, const struct sluice_record *rec, int64_t day,
                            struct sluice_err *err); /* NULL: err */
void bq_lane_drop(struct bq_lane *lane);   /* forgets its rows; the lane is gone, or soon */
void bq_lanes_free(struct bq_sink *sink);  /* all of them, and the spare batches */
void bq_lanes_prune(struct bq_sink *sink); /* frees empty ones when there are many */
struct bq_batch *bq_batch_open(
    struct bq_lane *lane); /* the tail when it takes rows, else a new one */
void bq_batch_add(struct bq_batch *batch, uint64_t seq, size_t start, struct bq_shape *shape);
/* Moves the last row to a new batch behind it. */
void bq_batch_move_last(struct bq_batch *batch);
/* Drops the rows whose keep is false, without a word to the host. */
void bq_batch_keep(struct bq_batch *batch, const bool *keep);
void bq_batch_halve(struct bq_batch *batch); /* the later half goes to a new batch behind it */
void bq_batch_free(struct bq_batch *batch);  /* takes it out of its lane */
/* "topic-partition-offset" of a row; not terminated. */
const char *bq_batch_id(const struct bq_batch *batch, size_t row, int *len);

/* send.c */
void bq_send_all(struct bq_sink *sink);    /* starts what can be started */
int64_t bq_send_due(struct bq_sink *sink); /* when to look again, monotonic; INT64_MAX: no need */
void bq_batch_reject(struct bq_batch *batch, size_t row, const char *why); /* and forget the row */
/* Rejects the rows of the held answer that cannot be cured, and sends the others again. */
void bq_batch_deny(struct bq_batch *batch, const char *why);
void bq_io_failed(struct bq_sink *sink, const char *error, bool *flag);
void bq_io_works(struct bq_sink *sink);

/* table.c */
struct bq_table *bq_table_get(struct bq_sink *sink, char *dataset, char *name); /* takes both */
void bq_tables_free(struct bq_sink *sink);
bool bq_table_open(
    struct bq_table *table); /* rows may be sent; else starts or waits for what is due */
void bq_table_missing(struct bq_table *table, struct bq_batch *cause, const char *said);
void bq_table_lacks(struct bq_table *table, struct bq_batch *cause); /* columns, or a schema */
void bq_table_wrote(struct bq_table *table);                         /* rows went in */
int64_t bq_table_due(const struct bq_table *table);

/* fields.c */
/* Folds the columns of the batch's shapes, as a new table gets them; NULL: err. New reference. */
json_t *bq_fields_new(const struct bq_batch *batch, struct sluice_err *err);
/* What the table's columns must become for the batch's rows; NULL: not allowed or possible, err.
 * changed: whether that differs from existing. New reference. */
json_t *bq_fields_update(const struct bq_batch *batch, const json_t *existing, bool *changed,
                         struct sluice_err *err);

/* token.c */
struct bq_token *bq_token_new(struct bq_sink *sink, struct sluice_err *err); /* NULL: err */
void bq_token_free(struct bq_token *token);
/* The Authorization header, NULL when it must be waited for; fetches and refreshes as needed. */
const char *bq_token_header(struct bq_token *token);
bool bq_token_ready(const struct bq_token *token); /* a header is there */
void bq_token_expire(struct bq_token *token);      /* the API refused it */
int64_t bq_token_due(const struct bq_token *token);

#endif
