/* store_tool.c - reader, writer and checks of internal topics for tests/e2e/test_topic_store.py: a
 * command a line, its words between tabs; one line comes back.
 *
 *   ensure KIND NAME PARTITIONS REPLICATION single|many [SETTING VALUE]...
 *   open TOPIC...          catch_up TOPIC|* MS    get TOPIC KEY     count TOPIC
 *   write TOPIC KEY VALUE  flush MS               txn commit|abort|leave TOPIC PREFIX N
 *
 * txn leave: the transaction stays open until the next txn, or for ten minutes.
 *
 * usage: store_tool BOOTSTRAP */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/thread.h"
#include "kafka/internal_topics.h"
#include "kafka/topic_log.h"
#include "kafka/transactions.h"

#define WORDS_MAX 16

struct seen { /* of one topic */
    char *name;
    pthread_mutex_t mutex;
    struct sluice_map last; /* by key */
    long count;
};

static struct seen seen[8];
static size_t seen_n;
static struct sluice_map props;
static struct sluice_log_reader *reader;
static struct sluice_log_writer *writer;
static struct sluice_transactions *txn;
static bool txn_open;
static struct sluice_err err;
static _Atomic long failed_writes;

static long long number(const char *text) { return strtoll(text, NULL, 10); }

static const char *verdict(enum sluice_verdict v)
{
    static char text[1200];
    static const char *const names[] = {[SLUICE_OK] = "OK",
                                        [SLUICE_RETRY] = "RETRY",
                                        [SLUICE_DROP] = "DROP",
                                        [SLUICE_FAIL] = "FAIL"};
    snprintf(text, sizeof text, "%s%s%s", names[v], v == SLUICE_OK ? "" : " ",
             v == SLUICE_OK ? "" : err.msg);
    return text;
}

static void on_record(void *arg, const struct sluice_log_record *record)
{
    struct seen *to = arg;
    char *key = sluice_xstrndup(record->key ? record->key : "", record->key_len);
    char *value = record->value ? sluice_xstrndup(record->value, record->value_len) : NULL;
    sluice_lock(&to->mutex);
    sluice_map_set(&to->last, key, value);
    to->count++;
    sluice_unlock(&to->mutex);
    free(key);
    free(value);
}

static struct seen *find(const char *name)
{
    for (size_t i = 0; i < seen_n; i++)
        if (strcmp(seen[i].name, name) == 0) return &seen[i];
    fprintf(stderr, "store_tool: topic %s is not open\n", name);
    exit(2);
}

static const char *do_ensure(char **w, size_t n)
{
    struct sluice_map config = {0};
    for (size_t i = 6; i + 1 < n; i += 2) sluice_map_set(&config, w[i], w[i + 1]);
    struct sluice_internal_topic topic = {
        w[2], w[1], (int)number(w[3]), (int)number(w[4]), strcmp(w[5], "single") == 0, &config};
    enum sluice_verdict v = sluice_internal_topics_ensure(&props, "test", &topic, 1, 5000, &err);
    sluice_map_fini(&config);
    return verdict(v);
}

static const char *do_open(char **w, size_t n)
{
    struct sluice_log_topic topics[8];
    for (size_t i = 1; i < n; i++) {
        struct seen *to = &seen[seen_n++];
        to->name = sluice_xstrdup(w[i]);
        pthread_mutex_init(&to->mutex, NULL);
        topics[i - 1] = (struct sluice_log_topic){to->name, on_record, to};
    }
    reader = sluice_log_reader_new(&props, "reader", topics, n - 1, &err);
    return reader ? "OK" : verdict(SLUICE_FAIL);
}

static const char *do_get(const char *topic, const char *key)
{
    static char text[4096];
    struct seen *to = find(topic);
    sluice_lock(&to->mutex);
    const char *value = sluice_map_get(&to->last, key);
    snprintf(text, sizeof text, "%s",
             value                            ? value
             : sluice_map_has(&to->last, key) ? "(null)"
                                              : "(none)");
    sluice_unlock(&to->mutex);
    return text;
}

static const char *do_count(const char *topic)
{
    static char text[32];
    struct seen *to = find(topic);
    sluice_lock(&to->mutex);
    snprintf(text, sizeof text, "%ld", to->count);
    sluice_unlock(&to->mutex);
    return text;
}

static void on_written(void *arg, const char *error)
{
    (void)arg;
    if (error) failed_writes++;
}

static const char *do_flush(int64_t ms)
{
    static char text[64];
    bool done = sluice_log_writer_flush(writer, ms);
    snprintf(text, sizeof text, "%s %ld failed", done ? "OK" : "RETRY", (long)failed_writes);
    return text;
}

static _Atomic long delivered;

static void on_delivered(void *opaque, int error, int32_t partition, int64_t offset)
{
    (void)opaque, (void)partition, (void)offset;
    if (!error) delivered++;
}

static enum sluice_verdict begin_txn(void)
{
    enum sluice_verdict v = SLUICE_OK;
    if (!txn) {
        sluice_map_set(&props, "transaction.timeout.ms", "600000");
        txn = sluice_transactions_new(&props, "store-tool", "txn", on_delivered, &err);
        if (!txn) return SLUICE_FAIL;
        while ((v = sluice_transactions_init(txn, 5000, &err)) == SLUICE_RETRY) {
        }
    }
    if (v == SLUICE_OK && !txn_open) v = sluice_transactions_begin(txn, &err);
    txn_open = v == SLUICE_OK;
    return v;
}

static enum sluice_verdict run_txn(const char *how, const char *topic, const char *prefix, int n)
{
    bool commit = strcmp(how, "commit") == 0;
    int code;
    long sent_before = delivered;
    enum sluice_verdict v = begin_txn();
    if (v != SLUICE_OK) return v;
    struct sluice_producer *producer = sluice_transactions_producer(txn);
    struct rd_kafka_topic_s *to = sluice_producer_topic(producer, topic);
    for (int i = 0; i < n; i++) {
        char key[64];
        snprintf(key, sizeof key, "%s%d", prefix, i);
        struct sluice_message message = {.topic = to,
                                         .partition = -1,
                                         .timestamp_ms = SLUICE_NO_TIMESTAMP,
                                         .key = key,
                                         .key_len = strlen(key),
                                         .value = "v",
                                         .value_len = 1,
                                         .opaque = &delivered};
        if (sluice_producer_send(producer, &message, &code, &err) != SLUICE_SENT)
            return SLUICE_FAIL;
    }
    /* What is aborted shall be in the log. */
    for (long until = sent_before + n, i = 0; delivered < until && i < 30000; i++) usleep(1000);
    if (strcmp(how, "leave") == 0) {
        sluice_producer_topic_free(to);
        return delivered == sent_before + n ? SLUICE_OK : SLUICE_RETRY;
    }
    do {
        v = commit ? sluice_transactions_commit(txn, 5000, &err)
                   : sluice_transactions_abort(txn, 5000, &err);
    } while (v == SLUICE_RETRY);
    txn_open = false;
    sluice_producer_topic_free(to);
    return v;
}

static const char *run(char **w, size_t n)
{
    if (strcmp(w[0], "ensure") == 0) return do_ensure(w, n);
    if (strcmp(w[0], "open") == 0) return do_open(w, n);
    if (strcmp(w[0], "get") == 0) return do_get(w[1], w[2]);
    if (strcmp(w[0], "count") == 0) return do_count(w[1]);
    if (strcmp(w[0], "flush") == 0) return do_flush(number(w[1]));
    if (strcmp(w[0], "txn") == 0) return verdict(run_txn(w[1], w[2], w[3], (int)number(w[4])));
    if (strcmp(w[0], "catch_up") == 0) {
        const char *topic = strcmp(w[1], "*") == 0 ? NULL : w[1];
        return verdict(sluice_log_reader_catch_up(reader, topic, number(w[2]), &err));
    }
    if (strcmp(w[0], "write") != 0) return "what?";
    if (!writer && !(writer = sluice_log_writer_new(&props, "writer", &err)))
        return verdict(SLUICE_FAIL);
    sluice_log_write(writer, w[1], w[2], strlen(w[2]), n > 3 ? w[3] : NULL,
                     n > 3 ? strlen(w[3]) : 0, on_written, NULL);
    return "OK";
}

int main(int argc, char **argv)
{
    static char line[65536];
    if (argc != 2) return 2;
    sluice_map_set(&props, "bootstrap.servers", argv[1]);
    sluice_map_set(&props, "reconnect.backoff.max.ms", "1000");
    while (fgets(line, sizeof line, stdin)) {
        char *words[WORDS_MAX], *save;
        size_t n = 0;
        line[strcspn(line, "\n")] = '\0';
        for (char *w = strtok_r(line, "\t", &save); w && n < WORDS_MAX;
             w = strtok_r(NULL, "\t", &save))
            words[n++] = w;
        if (n == 0) continue;
        puts(run(words, n));
        fflush(stdout);
    }
    sluice_transactions_free(txn);
    sluice_log_reader_free(reader);
    sluice_log_writer_free(writer);
    for (size_t i = 0; i < seen_n; i++) {
        pthread_mutex_destroy(&seen[i].mutex);
        sluice_map_fini(&seen[i].last);
        free(seen[i].name);
    }
    sluice_map_fini(&props);
    return 0;
}
