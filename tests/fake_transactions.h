/* fake_transactions.h - the part of fake_kafka.h that stands for kafka/admin.c and
 * transactions.c. */
#ifndef SLUICE_TESTS_FAKE_TRANSACTIONS_H
#define SLUICE_TESTS_FAKE_TRANSACTIONS_H

#include "fake_kafka.h"

/* ---- kafka/admin.h, group_offsets.h need it ---- */

enum sluice_verdict sluice_admin_ensure_topic(struct sluice_producer *producer,
                                              const struct sluice_new_topic *topic, int ms,
                                              bool *made, struct sluice_err *err)
{
    (void)producer;
    (void)topic;
    (void)ms;
    (void)err;
    *made = false;
    return SLUICE_OK;
}
bool sluice_admin_passes(int code)
{
    (void)code;
    return false;
}

/* ---- kafka/transactions.h ---- */

struct sluice_transactions {
    bool open, doomed;
};

static void fake_settle(enum fake_fate fate)
{
    for (size_t i = 0; i < fake_kafka.n; i++)
        if (fake_kafka.sent[i].fate == FAKE_PENDING) {
            fake_kafka.sent[i].fate = fate;
            if (fate == FAKE_COMMITTED && strcmp(fake_kafka.sent[i].topic, FAKE_OFFSETS_TOPIC) == 0)
                fake_kafka.stored = fake_kafka.sent[i].number;
        }
}

struct sluice_transactions *sluice_transactions_new(const struct sluice_map *props, const char *id,
                                                    const char *who, sluice_delivered *delivered,
                                                    struct sluice_err *err)
{
    (void)props;
    (void)who;
    (void)err;
    fake_kafka.delivered = delivered;
    fake_call(id);
    return sluice_xcalloc(1, sizeof(struct sluice_transactions));
}
enum sluice_verdict sluice_transactions_init(struct sluice_transactions *txn, int64_t ms,
                                             struct sluice_err *err)
{
    (void)txn;
    (void)ms;
    fake_call("init");
    if (fake_kafka.init_retries-- > 0) {
        sluice_err_set(err, "no answer");
        return SLUICE_RETRY;
    }
    return SLUICE_OK;
}
struct sluice_producer *sluice_transactions_producer(struct sluice_transactions *txn)
{
    (void)txn;
    return &fake_producer;
}
enum sluice_verdict sluice_transactions_begin(struct sluice_transactions *txn,
                                              struct sluice_err *err)
{
    (void)err;
    if (txn->open) abort();
    txn->open = true;
    sluice_lock(&fake_kafka.lock);
    fake_kafka.txns++;
    sluice_unlock(&fake_kafka.lock);
    return SLUICE_OK;
}
enum sluice_verdict sluice_transactions_commit(struct sluice_transactions *txn, int64_t ms,
                                               struct sluice_err *err)
{
    enum sluice_verdict v = SLUICE_OK;
    (void)ms;
    if (!txn->open || txn->doomed) abort();
    sluice_lock(&fake_kafka.lock);
    if (fake_kafka.commit_retries != 0) {
        fake_kafka.commit_retries -= fake_kafka.commit_retries > 0;
        v = SLUICE_RETRY;
    } else if (fake_kafka.commit_fails) {
        sluice_err_set(err, "broken");
        v = SLUICE_FAIL;
    } else if (fake_kafka.commit_drops > 0 || fake_kafka.spoiled) {
        fake_kafka.commit_drops -= !fake_kafka.spoiled;
        fake_kafka.spoiled = false;
        sluice_err_set(err, "to be aborted");
        txn->doomed = true;
        v = SLUICE_DROP;
    } else {
        fake_settle(FAKE_COMMITTED);
        fake_kafka.commits++;
        txn->open = false;
    }
    sluice_unlock(&fake_kafka.lock);
    if (v == SLUICE_RETRY) usleep(1000);
    return v;
}
enum sluice_verdict sluice_transactions_abort(struct sluice_transactions *txn, int64_t ms,
                                              struct sluice_err *err)
{
    (void)ms;
    (void)err;
    if (!txn->open) abort();
    sluice_lock(&fake_kafka.lock);
    fake_settle(FAKE_ABORTED);
    fake_kafka.aborts++;
    fake_kafka.spoiled = false;
    txn->open = txn->doomed = false;
    sluice_unlock(&fake_kafka.lock);
    return SLUICE_OK;
}
bool sluice_transactions_fenced(const struct sluice_transactions *txn)
{
    (void)txn;
    return fake_kafka.fenced;
}
void sluice_transactions_free(struct sluice_transactions *txn) { free(txn); }

#endif
