/* reader.c - see reader.h: a consumer whose offsets are committed one by one. */
#include "kafka/reader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "kafka/client.h"
#include "kafka/consumer.h"

struct sluice_reader {
    struct sluice_consumer *consumer;
    char *topic, *who;
    struct rd_kafka_message_s *handed; /* to the plugin, until the next call */
};

static void ignore_assigned(void *arg, const struct sluice_topic_partition *list, size_t n)
{
    (void)arg, (void)list, (void)n;
}

static void ignore_revoked(void *arg, const struct sluice_topic_partition *list, size_t n,
                           bool lost)
{
    (void)arg, (void)list, (void)n, (void)lost;
}

struct sluice_reader *sluice_reader_open(const struct sluice_map *worker, const char *who,
                                         const char *topic, const struct sluice_label *settings,
                                         size_t n, int wake_fd, struct sluice_err *err)
{
    const struct sluice_rebalance rebalance = {NULL, ignore_assigned, ignore_revoked};
    struct sluice_map props = {0};
    const struct sluice_map none = {0};
    bool own = false;
    for (size_t i = 0; i < n; i++) own |= !strcmp(settings[i].key, "bootstrap.servers");
    if (!own) sluice_client_layers(SLUICE_CLIENT_CONSUMER, worker, &none, &props);
    sluice_map_set(&props, "auto.offset.reset", "earliest");
    for (size_t i = 0; i < n; i++) sluice_map_set(&props, settings[i].key, settings[i].value);
    sluice_map_set(&props, "enable.auto.commit", "false"); /* the plugin commits */
    sluice_map_set(&props, "allow.auto.create.topics", "false");
    struct sluice_reader *reader = sluice_xcalloc(1, sizeof *reader);
    reader->topic = sluice_xstrdup(topic);
    reader->who = sluice_xstrdup(who);
    reader->consumer = sluice_consumer_new(&props, who, topic, NULL, &rebalance, wake_fd, err);
    sluice_map_fini(&props);
    if (reader->consumer) return reader;
    sluice_reader_close(reader);
    return NULL;
}

enum sluice_verdict sluice_reader_next(struct sluice_reader *reader,
                                       struct sluice_read_message *out, struct sluice_err *err)
{
    struct sluice_consumed message;
    assert(reader && out);
    sluice_consumed_free(reader->handed);
    reader->handed = NULL;
    switch (sluice_consumer_next(reader->consumer, 0, &message, err)) {
    case SLUICE_NEXT_NONE: return SLUICE_RETRY;
    case SLUICE_NEXT_FAILED: return SLUICE_FAIL;
    case SLUICE_NEXT_MESSAGE: break;
    }
    reader->handed = message.handle;
    *out = (struct sluice_read_message){.size = sizeof *out,
                                        .partition = message.partition,
                                        .offset = message.offset,
                                        .key = message.key,
                                        .value = message.value,
                                        .key_len = message.key_len,
                                        .value_len = message.value_len};
    return SLUICE_OK;
}

void sluice_reader_commit(struct sluice_reader *reader, int32_t partition, int64_t offset)
{
    const struct sluice_topic_partition next = {reader->topic, partition, offset + 1};
    struct sluice_err err;
    assert(offset >= 0);
    if (!sluice_consumer_commit(reader->consumer, &next, 1, false, &err))
        sluice_log(SLUICE_WARN, reader->who, -1, "%s; the message may come again", err.msg);
}

void sluice_reader_close(struct sluice_reader *reader)
{
    if (!reader) return;
    sluice_consumed_free(reader->handed);
    sluice_consumer_close(reader->consumer);
    free(reader->topic);
    free(reader->who);
    free(reader);
}
