/* dead_letter.c - see dead_letter.h; headers and their order: spec connect.md section 5 (KIP-298).
 * */
#include "worker/dead_letter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"
#include "kafka/admin.h"
#include "kafka/client.h"
#include "kafka/topics.h"

#define CREATE_MS 2000 /* the brokers' time to answer; then the task looks around and asks again */
#define FULL_WAIT_MS 50

struct sluice_dead_letter {
    struct sluice_task *task;
    struct sluice_producer *producer;
    struct rd_kafka_topic_s *topic;
    struct sluice_window
        *last; /* for a letter that no slot of the task waits for; NULL: none yet */
};

static enum sluice_verdict make_topic(struct sluice_dead_letter *letter, struct sluice_err *err)
{
    struct sluice_task *task = letter->task;
    struct sluice_new_topic topic = {task->errors.dead_letter_topic, 1,
                                     task->errors.dead_letter_replication, NULL};
    struct sluice_backoff backoff;
    enum sluice_verdict v = SLUICE_RETRY;
    bool made;
    sluice_backoff_init(&backoff, 500, 5000);
    while (v == SLUICE_RETRY && !sluice_task_stopping(task)) {
        v = sluice_admin_ensure_topic(letter->producer, &topic, CREATE_MS, &made, err);
        sluice_task_kafka(task, v == SLUICE_RETRY, err->msg);
        if (v == SLUICE_RETRY) sluice_task_pause_ms(task, sluice_backoff_next(&backoff));
    }
    return v;
}

enum sluice_verdict sluice_dead_letter_new(struct sluice_task *task,
                                           struct sluice_dead_letter **out, struct sluice_err *err)
{
    struct sluice_dead_letter *letter = sluice_xcalloc(1, sizeof *letter);
    enum sluice_verdict v = SLUICE_FAIL;
    struct sluice_map props = {0};
    letter->task = task;
    sluice_client_layers(SLUICE_CLIENT_PRODUCER, sluice_worker_props(task->worker), &task->config,
                         &props);
    letter->producer =
        sluice_producer_get(sluice_worker_producers(task->worker), &props, task->connector, err);
    sluice_map_fini(&props);
    if (letter->producer) v = make_topic(letter, err);
    if (v == SLUICE_OK) {
        letter->topic = sluice_producer_topic(letter->producer, task->errors.dead_letter_topic);
        *out = letter;
        return v;
    }
    sluice_err_wrap(err, "dead-letter topic %s (see errors.deadletterqueue.*)",
                    task->errors.dead_letter_topic);
    sluice_dead_letter_free(letter);
    return v;
}

void sluice_dead_letter_free(struct sluice_dead_letter *letter)
{
    if (!letter) return;
    sluice_producer_topic_free(letter->topic);
    sluice_producer_put(letter->producer);
    sluice_window_detach(letter->last);
    free(letter);
}

static void add(struct rd_kafka_headers_s *headers, const char *name, const char *value)
{
    char key[64];
    snprintf(key, sizeof key, "__connect.errors.%s", name);
    sluice_headers_add(headers, key, value, strlen(value));
}

static void add_context(struct rd_kafka_headers_s *headers, const struct sluice_task *task,
                        const struct sluice_consumed *message, const struct sluice_failure *failure)
{
    char number[32], trace[sizeof failure->err.msg + 128];
    add(headers, "topic", message->topic);
    snprintf(number, sizeof number, "%d", message->partition);
    add(headers, "partition", number);
    snprintf(number, sizeof number, "%lld", (long long)message->offset);
    add(headers, "offset", number);
    add(headers, "connector.name", task->connector);
    snprintf(number, sizeof number, "%d", task->id);
    add(headers, "task.id", number);
    add(headers, "stage", failure->stage);
    add(headers, "class.name", failure->class);
    add(headers, "exception.class.name", failure->exception);
    char *why = sluice_secret_hidden(failure->err.msg);
    add(headers, "exception.message", why);
    /* One line where Java has a stack. */
    snprintf(trace, sizeof trace, "%s: %s", failure->exception, why);
    add(headers, "exception.stacktrace", trace);
    free(why);
}

static struct rd_kafka_headers_s *make_headers(const struct sluice_task *task,
                                               const struct sluice_consumed *message,
                                               const struct sluice_failure *failure)
{
    const char *key;
    const void *data;
    size_t len;
    struct rd_kafka_headers_s *headers = sluice_headers_new(12);
    for (size_t i = 0; sluice_consumed_header(message->handle, i, &key, &data, &len); i++)
        sluice_headers_add(headers, key, data, len);
    if (task->errors.context_headers) add_context(headers, task, message, failure);
    return headers;
}

static struct sluice_slot *last_slot(struct sluice_dead_letter *letter)
{
    sluice_window_detach(letter->last);
    letter->last = sluice_window_new(1, SIZE_MAX);
    return sluice_window_enter(letter->last, 0, 0, NULL, 0, 0, NULL);
}

/* Until the letter is delivered. */
static bool wait_last(struct sluice_dead_letter *letter, struct sluice_err *err)
{
    uint64_t seq;
    int code = 0;
    int64_t until = sluice_now_ms() + sluice_task_stop_ms(letter->task) * 4 / 5;
    while (sluice_window_advance(letter->last, NULL, NULL) == 0 &&
           (code = sluice_window_failed(letter->last, &seq)) == 0 && sluice_now_ms() < until)
        sluice_window_wait(letter->last, FULL_WAIT_MS);
    if (sluice_window_count(letter->last) == 0) return true;
    return sluice_err_set(err, "writing to dead-letter topic %s failed: %s",
                          letter->task->errors.dead_letter_topic,
                          code ? sluice_kafka_error(code) : "no answer from the brokers in time");
}

bool sluice_dead_letter_send(struct sluice_dead_letter *letter,
                             const struct sluice_consumed *message,
                             const struct sluice_failure *failure, struct sluice_slot *slot,
                             struct sluice_err *err)
{
    struct sluice_task *task = letter->task;
    int code = 0;
    bool wait = !slot;
    if (wait) slot = last_slot(letter);
    struct sluice_message out = {.topic = letter->topic,
                                 .partition = -1,
                                 .timestamp_ms = message->timestamp_ms,
                                 .key = message->key,
                                 .key_len = message->key_len,
                                 .value = message->value,
                                 .value_len = message->value_len,
                                 .headers = make_headers(task, message, failure),
                                 .opaque = slot};
    sluice_slot_share(slot);
    enum sluice_sent sent;
    while ((sent = sluice_producer_send(letter->producer, &out, &code, err)) == SLUICE_SEND_FULL &&
           !sluice_task_stopping(task))
        sluice_window_wait(task->window, FULL_WAIT_MS);
    if (sent == SLUICE_SENT) {
        sluice_count(&task->count.dead_lettered, 1);
        return !wait || wait_last(letter, err);
    }
    sluice_headers_free(out.headers);
    sluice_slot_finish(slot, -1, true);
    if (sent == SLUICE_SEND_FULL) sluice_err_set(err, "the producer's queue is full");
    return sluice_err_wrap(err, "writing to dead-letter topic %s failed",
                           task->errors.dead_letter_topic);
}
