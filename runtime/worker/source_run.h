/* source_run.h - the state of one source loop. Private to runtime/worker. */
#ifndef SLUICE_WORKER_SOURCE_RUN_H
#define SLUICE_WORKER_SOURCE_RUN_H

#include "data/batch.h"
#include "kafka/topics.h"
#include "store/offset_store.h"
#include "worker/connector_offsets.h"
#include "worker/order.h"
#include "worker/task_impl.h"
#include "worker/topic_creation.h"

struct source_partition {
    struct sluice_value map, offset;
    bool has_offset;
    bool again; /* writing its offset failed: it is written with the next */
};

struct sluice_source_commit;  /* source_commit.c */
struct sluice_source_headers; /* source_headers.c */
struct sluice_source_txn;     /* source_txn.c */

struct sluice_source_run {
    struct sluice_task *task;
    struct sluice_batch batch, scratch;
    struct sluice_batch known; /* partitions and their offsets; lives as long as the run */
    struct source_partition *partitions;
    size_t n, cap;
    struct sluice_connector_offsets *offsets;
    struct sluice_source_commit *commit; /* under way; NULL: none */
    struct sluice_source_txn *txn;       /* NULL: not exactly-once */
    struct sluice_source_headers *headers;
    struct sluice_producer *producer; /* the transactions' own, or a shared one */
    struct sluice_topics topics;
    struct sluice_order *order; /* of topics; NULL: exactly-once, where nothing is overtaken */
    struct sluice_topic_creation *creation; /* NULL: brokers make topics, or nobody */
    struct sluice_backoff backoff;
    struct sluice_batch idle;         /* for polls with room for none, while a record is in hand */
    struct {                          /* the record that handle() works on */
        struct sluice_record *record; /* of batch; NULL: none */
        bool owned;                   /* it and those behind it need the plugin's memory no more */
        enum sluice_verdict served;
        struct sluice_err *err; /* of what went wrong while waiting to try again */
    } hand;
    unsigned rewinds; /* in a row */
    struct sluice_backoff rewind_backoff;
    int64_t commit_due_ms, commit_every_ms, service_due_ms;
    int64_t now_ms;    /* wall clock as of the last poll: the time of records that bring none */
    int64_t active_ms; /* when records last came or went */
    bool rested;       /* since then: it has given back memory */
};

/* ---- source_commit.c: at-least-once, and what exactly-once has in common with it ---- */

struct sluice_source_at { /* up to where a partition's offset says */
    uint32_t partition, len;
    char position[SLUICE_POSITION_MAX];
};
/* The plugin's offset map for that position, as an entry with memory of the scratch batch. False:
 * logged. */
bool sluice_source_entry(struct sluice_source_run *run, const struct sluice_source_at *at,
                         struct sluice_offset_entry *entry);
/* The offsets up to these positions are durable: the plugin hears of it. OK or FAIL. */
enum sluice_verdict sluice_source_acked(struct sluice_source_run *run,
                                        const struct sluice_source_at *at, size_t n,
                                        struct sluice_err *err);
/* Starts to write the prefixes that moved, unless a write is under way. It waits for no broker. */
enum sluice_verdict sluice_source_commit(struct sluice_source_run *run, struct sluice_err *err);
/* What became of the write under way. Once it is durable, and only then, the plugin hears of it;
 * one that failed is written with the next. */
enum sluice_verdict sluice_source_settle(struct sluice_source_run *run, struct sluice_err *err);
void sluice_source_commit_free(struct sluice_source_run *run); /* the task ends */

/* ---- source_headers.c: headers that are the same in most records are made once and lent ---- */

struct sluice_lent_headers;
struct sluice_source_headers *sluice_source_headers_new(struct sluice_task *task);
void sluice_source_headers_free(struct sluice_source_headers *own); /* what is lent comes later */
/* Makes the message's headers; lent: to be given to the slot, NULL: nothing. False: failure. */
bool sluice_source_headers_make(struct sluice_source_headers *own, const struct sluice_record *rec,
                                struct sluice_message *message, struct sluice_lent_headers **lent,
                                struct sluice_failure *failure);
/* The message was not sent. */
void sluice_source_headers_unsent(struct sluice_source_headers *own, struct sluice_message *message,
                                  struct sluice_lent_headers *lent);
/* A task without records keeps none. */
void sluice_source_headers_rest(struct sluice_source_headers *own);

/* ---- source_task.c, for source_txn.c ---- */

/* The plugin is polled with room for none, if that is due, so that it serves its connection. */
enum sluice_verdict sluice_source_serve(struct sluice_source_run *run, struct sluice_err *err);
/* Tries until it is done, the task is to stop (RETRY), or it failed. */
enum sluice_verdict sluice_source_insist(struct sluice_source_run *run,
                                         enum sluice_verdict (*attempt)(struct sluice_source_run *,
                                                                        struct sluice_err *),
                                         struct sluice_err *err);
/* Reads offsets up to their end; then the plugin can be opened. For insist(). */
enum sluice_verdict sluice_source_refresh(struct sluice_source_run *run, struct sluice_err *err);

/* Whether records that overtook others in Kafka count as failed; begins anew. */
void sluice_source_ask_order(struct sluice_source_run *run, bool ask);

/* ---- source_rewind.c: back to the last commit, when records could not be delivered and it is not
 * their fault ---- */

/* What was sent since the last commit is forgotten, once Kafka has reported all of it, so that
 * nothing old comes after what is sent again; the plugin is closed and opened anew with the
 * committed offsets, after a backoff. err: why; empty: as a pause asked for it. OK, RETRY: the task
 * stops, FAIL: it came to this ten times in a row. */
enum sluice_verdict sluice_source_rewind(struct sluice_source_run *run, struct sluice_err *err);
/* Records were committed: the row of rewinds ends. */
void sluice_source_through(struct sluice_source_run *run);

/* ---- source_failure.c ---- */

/* From now on the batch's records, from the one in hand on, point to memory of the batch alone, so
 * that the plugin can be called before they are through. */
void sluice_source_own(struct sluice_source_run *run);
/* One record that cannot be sent: counted, logged, and errors.tolerance's word: DROP or FAIL, err
 * with topic, source partition and offset. rec NULL: it came back from Kafka, only the topic is
 * known. */
enum sluice_verdict sluice_source_tolerate(struct sluice_source_run *run,
                                           const struct sluice_failure *failure, const char *topic,
                                           const struct sluice_record *rec, struct sluice_err *err);
/* What Kafka refused. bytes: of the record; 0: they are gone, its place is the window's. */
enum sluice_verdict sluice_source_refused(struct sluice_source_run *run, int code,
                                          const char *topic, const struct sluice_record *rec,
                                          size_t bytes, struct sluice_err *err);

#endif
