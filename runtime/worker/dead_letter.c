/* dead_letter.c - see dead_letter.h; headers and their order: spec connect.md section 5 (KIP-298). */
#include "worker/dead_letter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "kafka/client.h"
#include "kafka/topics.h"

#define CREATE_MS 30000
#define FULL_WAIT_MS 50

struct sluice_dead_letter {
    struct sluice_task *task;
    struct sluice_producer *producer;
    struct rd_kafka_topic_s *topic;
};

struct sluice_dead_letter *sluice_dead_letter_new(struct sluice_task *task, struct sluice_err *err)
{
    struct sluice_dead_letter *letter = sluice_xcalloc(1, sizeof *letter);
    struct sluice_map props = {0};
    letter->task = task;
    sluice_client_layers(SLUICE_CLIENT_PRODUCER, sluice_worker_props(task->worker), &task->config,
                         &props);
    letter->producer =
        sluice_producer_get(sluice_worker_producers(task->worker), &props, task->connector, err);
    sluice_map_fini(&props);
    if (letter->producer &&
        sluice_producer_create_topic(letter->producer, task->errors.dead_letter_topic, 1,
                                     task->errors.dead_letter_replication, CREATE_MS, err)) {
        letter->topic = sluice_producer_topic(letter->producer, task->errors.dead_letter_topic);
        return letter;
    }
    sluice_err_wrap(err, "dead-letter topic %s (see errors.deadletterqueue.*)",
                    task->errors.dead_letter_topic);
    sluice_dead_letter_free(letter);
    return NULL;
}

void sluice_dead_letter_free(struct sluice_dead_letter *letter)
{
    if (!letter) return;
    sluice_producer_topic_free(letter->topic);
    sluice_producer_put(letter->producer);
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
    add(headers, "exception.message", failure->err.msg);
    /* One line where Java has a stack. */
    snprintf(trace, sizeof trace, "%s: %s", failure->exception, failure->err.msg);
    add(headers, "exception.stacktrace", trace);
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

bool sluice_dead_letter_send(struct sluice_dead_letter *letter,
                             const struct sluice_consumed *message,
                             const struct sluice_failure *failure, struct sluice_slot *slot,
                             struct sluice_err *err)
{
    struct sluice_task *task = letter->task;
    int code = 0;
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
        return true;
    }
    sluice_headers_free(out.headers);
    sluice_slot_finish(slot, -1, true);
    if (sent == SLUICE_SEND_FULL) sluice_err_set(err, "the producer's queue is full");
    return sluice_err_wrap(err, "writing to dead-letter topic %s failed",
                           task->errors.dead_letter_topic);
}
