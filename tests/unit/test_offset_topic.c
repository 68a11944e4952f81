/* Offsets in a topic: what is read, and under which bytes it is written, on a writer and a reader
 * that do what the test says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/json_text.h"
#include "store/offset_store.h"

#include "../harness.h"

/* ---- in place of kafka/log_writer.c and kafka/topic_log.c ---- */

struct sent {
    char *key, *value;
    sluice_log_written *written;
    void *arg;
};

struct sluice_log_writer {
    struct sent sent[64];
    size_t n, answered;
    bool at_once;
};

struct sluice_log_reader {
    int catch_ups;
    int64_t timeout_ms;
    struct sluice_offset_store *store; /* gets what was sent */
    struct sluice_log_writer *writer;
    enum sluice_verdict verdict;
};

static void feed(struct sluice_offset_store *store, int64_t ms, const char *key, const char *value)
{
    static int64_t offset;
    size_t key_len = strlen(key), value_len = value ? strlen(value) : 0;
    char *k = sluice_xmalloc(key_len ? key_len : 1), *v = sluice_xmalloc(value_len ? value_len : 1);
    memcpy(k, key, key_len);
    if (value) memcpy(v, value, value_len);
    struct sluice_log_record record = {"offsets",        3,       offset++, ms, k,
                                       value ? v : NULL, key_len, value_len};
    sluice_offset_topic_record(store, &record);
    free(k);
    free(v);
}

void sluice_log_write(struct sluice_log_writer *w, const char *topic, const char *key,
                      size_t key_len, const char *value, size_t value_len,
                      sluice_log_written *written, void *arg)
{
    CHECK_STR(topic, "offsets");
    CHECK(w->n < sizeof w->sent / sizeof *w->sent);
    w->sent[w->n++] = (struct sent){sluice_xstrndup(key, key_len),
                                    value ? sluice_xstrndup(value, value_len) : NULL, written, arg};
    if (!w->at_once) return;
    w->answered = w->n;
    written(arg, NULL);
}

enum sluice_verdict sluice_log_reader_catch_up(struct sluice_log_reader *reader, const char *topic,
                                               int64_t timeout_ms, struct sluice_err *err)
{
    CHECK_STR(topic, "offsets");
    reader->catch_ups++;
    reader->timeout_ms = timeout_ms;
    if (reader->verdict != SLUICE_OK) sluice_err_set(err, "too late");
    for (size_t i = 0; reader->writer && i < reader->writer->n; i++)
        feed(reader->store, 9, reader->writer->sent[i].key, reader->writer->sent[i].value);
    return reader->verdict;
}

static void answer(struct sluice_log_writer *w, const char *error)
{
    CHECK(w->answered < w->n);
    struct sent *s = &w->sent[w->answered++];
    s->written(s->arg, error);
}

static void writer_fini(struct sluice_log_writer *w)
{
    while (w->answered < w->n) answer(w, NULL);
    for (size_t i = 0; i < w->n; i++) {
        free(w->sent[i].key);
        free(w->sent[i].value);
    }
}

/* ---- the store ---- */

static struct sluice_value parse(struct sluice_batch *batch, const char *json)
{
    struct sluice_value v;
    struct sluice_err err;
    CHECK(sluice_json_parse(batch, json, strlen(json), &v, NULL, &err));
    return v;
}

static const char *json_of(const struct sluice_value *v)
{
    static char text[1024];
    struct sluice_buf buf = {.max = 1000};
    struct sluice_err err;
    CHECK(sluice_json_value(&buf, v, &err));
    snprintf(text, sizeof text, "%.*s", (int)buf.len, buf.data);
    free(buf.data);
    return text;
}

static const char *get(struct sluice_offset_store *store, const char *connector,
                       const char *partition)
{
    struct sluice_batch batch;
    struct sluice_value offset;
    struct sluice_err err;
    bool found;
    sluice_batch_init(&batch);
    struct sluice_value p = parse(&batch, partition);
    CHECK(sluice_offset_get(store, connector, &p, &batch, &offset, &found, &err));
    const char *text = found ? json_of(&offset) : "none";
    sluice_batch_fini(&batch);
    return text;
}

struct outcome {
    int calls;
    char error[64];
};

static void on_done(void *arg, const char *error)
{
    struct outcome *outcome = arg;
    outcome->calls++;
    snprintf(outcome->error, sizeof outcome->error, "%s", error ? error : "");
}

/* offsets: pairs of partition and offset (NULL: tombstone), ended by NULL. */
static void put_start(struct sluice_offset_store *store, const char *connector,
                      const char *const *pairs, size_t n, struct outcome *outcome)
{
    struct sluice_batch batch;
    struct sluice_err err;
    struct sluice_value values[16];
    struct sluice_offset_entry entries[8];
    sluice_batch_init(&batch);
    CHECK(n <= 8);
    for (size_t i = 0; i < n; i++) {
        values[2 * i] = parse(&batch, pairs[2 * i]);
        if (pairs[2 * i + 1]) values[2 * i + 1] = parse(&batch, pairs[2 * i + 1]);
        entries[i] = (struct sluice_offset_entry){&values[2 * i],
                                                  pairs[2 * i + 1] ? &values[2 * i + 1] : NULL};
    }
    CHECK(sluice_offset_put_start(store, connector, entries, n, on_done, outcome, &err));
    sluice_batch_fini(&batch);
}

#define CHECK_SENT(w, i, want_key, want_value)                                                     \
    do {                                                                                           \
        CHECK((w).n > (size_t)(i));                                                                \
        CHECK_STR((w).sent[i].key, want_key);                                                      \
        CHECK_STR((w).sent[i].value, want_value);                                                  \
    } while (0)

TEST(offset_topic_is_read_and_written_under_the_same_bytes)
{
    struct sluice_log_writer w = {0};
    struct outcome outcome = {0};
    struct sluice_offset_store *store = sluice_offset_topic_new(&w, "offsets");
    CHECK_STR(sluice_offset_topic_name(store), "offsets");
    feed(store, 1, "[\"a\",{\"b\":\"x\",\"a\":1}]", "{\"pos\":8}");
    feed(store, 2, "[\"b\",{\"b\":\"x\",\"a\":1}]", "{\"pos\":9}");
    CHECK_STR(get(store, "a", "{\"a\":1,\"b\":\"x\"}"), "{\"pos\":8}");
    CHECK_STR(get(store, "b", "{\"a\":1,\"b\":\"x\"}"), "{\"pos\":9}");
    CHECK_STR(get(store, "c", "{\"a\":1,\"b\":\"x\"}"), "none");
    CHECK_STR(get(store, "a", "{\"a\":2,\"b\":\"x\"}"), "none");
    put_start(store, "a",
              (const char *const[]){"{\"a\":1,\"b\":\"x\"}", "{\"pos\":10}", "{\"new\":true}",
                                    "{\"pos\":1.5}"},
              2, &outcome);
    CHECK_SENT(w, 0, "[\"a\",{\"b\":\"x\",\"a\":1}]", "{\"pos\":10}");
    CHECK_SENT(w, 1, "[\"a\",{\"new\":true}]", "{\"pos\":1.5}");
    /* What was sent counts when it was read. */
    CHECK_STR(get(store, "a", "{\"a\":1,\"b\":\"x\"}"), "{\"pos\":8}");
    CHECK_INT(outcome.calls, 0);
    answer(&w, NULL);
    CHECK_INT(outcome.calls, 0);
    answer(&w, NULL);
    CHECK_INT(outcome.calls, 1);
    CHECK_STR(outcome.error, "");
    sluice_offset_store_free(store);
    writer_fini(&w);
}

TEST(offset_put_start_tells_the_first_error)
{
    struct sluice_log_writer w = {0};
    struct outcome outcome = {0};
    struct sluice_offset_store *store = sluice_offset_topic_new(&w, "offsets");
    put_start(store, "a", (const char *const[]){"{\"a\":1}", "{}", "{\"a\":2}", "{}"}, 2, &outcome);
    answer(&w, "first");
    answer(&w, "second");
    CHECK_INT(outcome.calls, 1);
    CHECK_STR(outcome.error, "first");
    put_start(store, "a", NULL, 0, &outcome);
    CHECK_INT(outcome.calls, 2);
    CHECK_STR(outcome.error, "");
    /* The store may go before the answer. */
    put_start(store, "a", (const char *const[]){"{\"a\":1}", "{}"}, 1, &outcome);
    sluice_offset_store_free(store);
    answer(&w, NULL);
    CHECK_INT(outcome.calls, 3);
    writer_fini(&w);
}

TEST(offset_keys_that_say_the_same_the_newest_counts)
{
    struct sluice_log_writer w = {0};
    struct outcome outcome = {0};
    struct sluice_batch batch;
    struct sluice_offset_entry *entries;
    struct sluice_err err;
    size_t n;
    struct sluice_offset_store *store = sluice_offset_topic_new(&w, "offsets");
    feed(store, 20, "[\"a\",{\"b\":\"x\",\"a\":1}]", "{\"pos\":20}");
    feed(store, 10, "[\"a\",{\"a\":1,\"b\":\"x\"}]", "{\"pos\":10}");
    CHECK_STR(get(store, "a", "{\"a\":1,\"b\":\"x\"}"), "{\"pos\":20}");
    sluice_batch_init(&batch);
    CHECK(sluice_offset_list(store, "a", &batch, &entries, &n, &err));
    CHECK_INT(n, 1);
    CHECK_STR(json_of(entries[0].offset), "{\"pos\":20}");
    sluice_batch_fini(&batch);
    feed(store, 30, "[\"a\",{\"a\":1,\"b\":\"x\"}]", "{\"pos\":30}");
    CHECK_STR(get(store, "a", "{\"a\":1,\"b\":\"x\"}"), "{\"pos\":30}");
    /* A reset takes both, so that the older one does not come up. */
    put_start(store, "a", (const char *const[]){"{\"b\":\"x\",\"a\":1}", NULL}, 1, &outcome);
    CHECK_INT(w.n, 2);
    CHECK_SENT(w, 0, "[\"a\",{\"a\":1,\"b\":\"x\"}]", NULL);
    CHECK_SENT(w, 1, "[\"a\",{\"b\":\"x\",\"a\":1}]", NULL);
    feed(store, 40, w.sent[0].key, NULL);
    feed(store, 40, w.sent[1].key, NULL);
    CHECK_STR(get(store, "a", "{\"a\":1,\"b\":\"x\"}"), "none");
    writer_fini(&w);
    sluice_offset_store_free(store);
}

TEST(offset_put_waits_for_the_answer_and_reads_back)
{
    struct sluice_log_writer w = {.at_once = true};
    struct sluice_log_reader reader = {.writer = &w};
    struct sluice_err err;
    struct sluice_batch batch;
    struct sluice_offset_store *store = sluice_offset_topic_new(&w, "offsets");
    reader.store = store;
    sluice_offset_topic_reader(store, &reader);
    sluice_batch_init(&batch);
    struct sluice_value p = parse(&batch, "{\"a\":1}"), o = parse(&batch, "{\"pos\":1}");
    struct sluice_offset_entry entry = {&p, &o};
    CHECK(sluice_offset_put(store, "a", &entry, 1, &err));
    CHECK_STR(get(store, "a", "{\"a\":1}"), "{\"pos\":1}");
    CHECK_INT(reader.catch_ups, 1);
    CHECK_INT(sluice_offset_refresh(store, 77, &err), SLUICE_OK);
    CHECK_INT(reader.timeout_ms, 77);
    reader.verdict = SLUICE_RETRY;
    CHECK_INT(sluice_offset_refresh(store, 77, &err), SLUICE_RETRY);
    CHECK_STR(err.msg, "too late");
    /* Durable, even when it cannot be read back now. */
    CHECK(sluice_offset_put(store, "a", &entry, 1, &err));
    sluice_batch_fini(&batch);
    sluice_offset_store_free(store);
    writer_fini(&w);
}

#define CHECK_RECORD(r, i, want_key, want_value)                                                   \
    do {                                                                                           \
        CHECK((r).n > (size_t)(i));                                                                \
        CHECK_STR((r).items[i].key, want_key);                                                     \
        CHECK_STR((r).items[i].value, want_value);                                                 \
        CHECK_INT((r).items[i].key_len, strlen(want_key));                                         \
    } while (0)

/* Written by a worker whose clock is behind: whichever form looks newest, none is older. */
TEST(offset_forms_of_a_key_never_disagree)
{
    struct sluice_log_writer w = {0};
    struct sluice_err err;
    struct sluice_batch batch;
    struct sluice_offset_records records = {0};
    struct sluice_offset_store *store = sluice_offset_topic_new(&w, "offsets");
    static const char ab[] = "[\"a\",{\"a\":1,\"b\":2}]", ba[] = "[\"a\",{\"b\":2,\"a\":1}]";
    feed(store, 1000, ab, "{\"pos\":1}");
    feed(store, 2000, ba, "{\"pos\":2}");
    sluice_batch_init(&batch);
    struct sluice_value p = parse(&batch, "{\"a\":1,\"b\":2}"), o = parse(&batch, "{\"pos\":3}");
    struct sluice_offset_entry entry = {&p, &o};
    CHECK(sluice_offset_encode(store, "a", &entry, &records, &err));
    CHECK_INT(records.n, 2);
    CHECK_RECORD(records, 0, ba, "{\"pos\":3}");
    CHECK_RECORD(records, 1, ab, "{\"pos\":3}");
    for (size_t i = 0; i < records.n; i++)
        feed(store, 500 - (int64_t)i, records.items[i].key, records.items[i].value);
    CHECK_STR(get(store, "a", "{\"a\":1,\"b\":2}"), "{\"pos\":3}");
    sluice_offset_records_fini(&records);
    /* and so does a reset, and what is written after it */
    entry.offset = NULL;
    CHECK(sluice_offset_encode(store, "a", &entry, &records, &err));
    CHECK_INT(records.n, 2);
    for (size_t i = 0; i < records.n; i++) feed(store, 400, records.items[i].key, NULL);
    CHECK_STR(get(store, "a", "{\"a\":1,\"b\":2}"), "none");
    sluice_offset_records_fini(&records);
    entry.offset = &o;
    CHECK(sluice_offset_encode(store, "a", &entry, &records, &err));
    for (size_t i = 0; i < records.n; i++)
        feed(store, 300, records.items[i].key, records.items[i].value);
    CHECK_STR(get(store, "a", "{\"a\":1,\"b\":2}"), "{\"pos\":3}");
    sluice_offset_records_fini(&records);
    sluice_batch_fini(&batch);
    sluice_offset_store_free(store);
    writer_fini(&w);
}

TEST(offset_encode_gives_the_topics_bytes)
{
    struct sluice_log_writer w = {0};
    struct sluice_err err;
    struct sluice_batch batch;
    struct sluice_offset_records records = {0};
    struct sluice_offset_store *store = sluice_offset_topic_new(&w, "offsets");
    feed(store, 1, "[ \"a\", {\"b\":\"x\" , \"a\":1}]", "{\"pos\":8}");
    sluice_batch_init(&batch);
    /* An INT32, as a plugin may have it, is found under the JSON number. */
    struct sluice_value pairs[4] = {sluice_string("a", 1), sluice_int32(1), sluice_string("b", 1),
                                    sluice_string("x", 1)};
    struct sluice_value p = sluice_nested(SLUICE_MAP, pairs, 2), o = parse(&batch, "{\"pos\":9}");
    struct sluice_offset_entry entry = {&p, &o};
    CHECK(sluice_offset_encode(store, "a", &entry, &records, &err));
    CHECK_INT(records.n, 1);
    CHECK_RECORD(records, 0, "[ \"a\", {\"b\":\"x\" , \"a\":1}]", "{\"pos\":9}");
    entry.offset = NULL;
    CHECK(sluice_offset_encode(store, "quo\"te", &entry, &records, &err));
    CHECK_INT(records.n, 2);
    CHECK_RECORD(records, 1, "[\"quo\\\"te\",{\"a\":1,\"b\":\"x\"}]", NULL);
    sluice_offset_records_fini(&records);
    sluice_batch_fini(&batch);
    sluice_offset_store_free(store);
}

static void feed_broken(void *arg)
{
    feed(arg, 1, "", "{}");
    feed(arg, 1, "nonsense", "{}");
    feed(arg, 1, "[\"a\"]", "{}");
    feed(arg, 1, "[\"a\",7]", "{}");
    feed(arg, 1, "[7,{}]", "{}");
    feed(arg, 1, "[\"a\\u0000b\",{}]", "{}");
    feed(arg, 1, "[\"a\",{\"p\":1}]", "{");
    feed(arg, 1, "[\"a\",{\"p\":1}]", "7");
    struct sluice_log_record record = {"offsets", 0, 0, 0, NULL, "{}", 0, 2};
    sluice_offset_topic_record(arg, &record);
}

TEST(offset_records_that_are_broken_are_skipped_and_named)
{
    struct sluice_log_writer w = {0};
    size_t lines = 0;
    struct sluice_offset_store *store = sluice_offset_topic_new(&w, "offsets");
    feed(store, 1, "[\"a\",{\"p\":1}]", "{\"pos\":1}");
    char *log = harness_stderr(feed_broken, store);
    for (const char *s = log; (s = strchr(s, '\n')); s++) lines++;
    CHECK_INT(lines, 9);
    CHECK_HAS(log, "with the key nonsense is skipped");
    free(log);
    CHECK_STR(get(store, "a", "{\"p\":1}"), "{\"pos\":1}");
    feed(store, 2, "[\"a\",{\"p\":1}]", "null");
    CHECK_STR(get(store, "a", "{\"p\":1}"), "none");
    sluice_offset_store_free(store);
}

/* As many that comparing each with each would take minutes. */
TEST(offset_topic_of_many_connectors)
{
    struct sluice_log_writer w = {0};
    char key[64], value[64], connector[16], partition[32];
    struct sluice_offset_store *store = sluice_offset_topic_new(&w, "offsets");
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 20000; i++) {
            snprintf(key, sizeof key, "[\"c%d\",{\"p\":%d}]", i % 1000, i / 1000);
            snprintf(value, sizeof value, "{\"pos\":%d}", i + round);
            feed(store, round, key, value);
        }
    for (int i = 0; i < 20000; i++) {
        snprintf(connector, sizeof connector, "c%d", i % 1000);
        snprintf(partition, sizeof partition, "{\"p\":%d}", i / 1000);
        snprintf(value, sizeof value, "{\"pos\":%d}", i + 1);
        CHECK_STR(get(store, connector, partition), value);
    }
    sluice_offset_store_free(store);
}

TEST(offset_memory_store_is_done_at_once)
{
    struct outcome outcome = {0};
    struct sluice_err err;
    struct sluice_offset_store *store = sluice_offset_memory_new();
    CHECK(!sluice_offset_topic_name(store));
    put_start(store, "a", (const char *const[]){"{\"a\":1}", "{\"pos\":1}"}, 1, &outcome);
    CHECK(outcome.calls == 1 && !*outcome.error);
    CHECK_STR(get(store, "a", "{\"a\":1}"), "{\"pos\":1}");
    CHECK_INT(sluice_offset_refresh(store, 0, &err), SLUICE_OK);
    sluice_offset_store_free(store);
}
