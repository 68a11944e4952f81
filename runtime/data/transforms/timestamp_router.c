/* timestamp_router.c - org.apache.kafka.connect.transforms.TimestampRouter: the topic becomes a
 * function of the topic and the record's time. Owner: the transform's task. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/java_date.h"
#include "data/transforms/smt_plugin.h"

#define TOPIC_MAX ((size_t)64 << 10) /* bytes; Kafka takes 249 */

struct router {
    char *format;
    struct sluice_java_date *date;
    struct sluice_buf time, half, topic;
};

/* Appends text with every what replaced. */
static bool replace(struct sluice_buf *out, const char *text, const char *what, const char *by)
{
    for (const char *at; (at = strstr(text, what)) != NULL; text = at + strlen(what)) {
        if (!sluice_buf_add(out, text, (size_t)(at - text)) || !sluice_buf_adds(out, by)) {
            return false;
        }
    }
    return sluice_buf_adds(out, text);
}

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct router *router = self;
    if (!rec->topic) return SLUICE_OK;
    if (rec->timestamp_ms == SLUICE_NO_TIMESTAMP) {
        return sluice_fail(err, "Timestamp missing on record: topic %s, partition %d, offset %lld",
                           rec->topic, (int)rec->partition, (long long)rec->offset);
    }
    sluice_buf_clear(&router->time);
    sluice_buf_clear(&router->half);
    sluice_buf_clear(&router->topic);
    if (!sluice_java_date_format(router->date, rec->timestamp_ms, &router->time, err)) {
        return SLUICE_FAIL;
    }
    /* the topic first: a ${timestamp} in it is replaced too, as in Java */
    if (!replace(&router->half, router->format, "${topic}", rec->topic) ||
        !replace(&router->topic, sluice_buf_str(&router->half), "${timestamp}",
                 sluice_buf_str(&router->time))) {
        return sluice_fail(err, "the topic made of %s for topic %s is longer than %zu bytes",
                           router->format, rec->topic, TOPIC_MAX);
    }
    rec->topic =
        sluice_arena_strndup(&batch->arena, sluice_buf_str(&router->topic), router->topic.len);
    return SLUICE_OK;
}

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    struct router *router = sluice_xcalloc(1, sizeof *router);
    (void)form;
    *self = router;
    sluice_buf_init(&router->time, TOPIC_MAX);
    sluice_buf_init(&router->half, TOPIC_MAX);
    sluice_buf_init(&router->topic, TOPIC_MAX);
    router->format = sluice_xstrdup(host->str(conf, "topic.format"));
    router->date = sluice_java_date_new(host->str(conf, "timestamp.format"), sluice_wall_ms(), err);
    if (router->date) return SLUICE_OK;
    sluice_err_wrap(err, "Invalid value %s for configuration timestamp.format",
                    host->str(conf, "timestamp.format"));
    return SLUICE_FAIL;
}

static void close(void *self)
{
    struct router *router = self;
    if (!router) return;
    sluice_java_date_free(router->date);
    sluice_buf_fini(&router->time);
    sluice_buf_fini(&router->half);
    sluice_buf_fini(&router->topic);
    free(router->format);
    free(router);
}

static const struct sluice_option options[] = {
    {"topic.format", SLUICE_OPT_STRING, SLUICE_HIGH, 0, "${topic}-${timestamp}", NULL, NULL,
     "The new topic, where ${topic} and ${timestamp} stand for the old one and the record's time."},
    {"timestamp.format", SLUICE_OPT_STRING, SLUICE_HIGH, 0, "yyyyMMdd", NULL, NULL,
     "How the time is written, in UTC: a pattern as java.text.SimpleDateFormat has them."},
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN(timestamp_router, "timestamp-router", "TimestampRouter", NULL);
