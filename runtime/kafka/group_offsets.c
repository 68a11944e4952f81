/* group_offsets.c - see group_offsets.h. Each request goes to the group's coordinator; while that
 * is being found or loads, the request is made again.
 *
 * Requests have no timeout of their own, and the deadline is kept here: librdkafka (2.0.2 to 2.8,
 * its issue 4605) fails an assertion when the coordinator comes back after a question for it timed
 * out. What was not answered ends with the client. */
#include "kafka/group_offsets.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "kafka/admin.h"

#define AGAIN_MS 200
#define TRY_MS 15000       /* then it is asked again: the coordinator may have moved */
#define REQUEST_MS 3600000 /* the longest that librdkafka has */

/* One request and what is to be seen of its answer. */
struct asking {
    rd_kafka_t *rk;
    const char *group, *what; /* "reading the offsets of" */
    rd_kafka_admin_op_t op;
    rd_kafka_topic_partition_list_t *partitions; /* NULL: of the whole group */
    void (*send)(const struct asking *, const rd_kafka_AdminOptions_t *, rd_kafka_queue_t *);
    /* The group's result; NULL: the answer has none. */
    const rd_kafka_group_result_t *(*result)(rd_kafka_event_t *event);
};

static void send_list(const struct asking *a, const rd_kafka_AdminOptions_t *options,
                      rd_kafka_queue_t *queue)
{
    rd_kafka_ListConsumerGroupOffsets_t *request =
        rd_kafka_ListConsumerGroupOffsets_new(a->group, NULL);
    rd_kafka_ListConsumerGroupOffsets(a->rk, &request, 1, options, queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
}

static const rd_kafka_group_result_t *result_list(rd_kafka_event_t *event)
{
    size_t n = 0;
    const rd_kafka_ListConsumerGroupOffsets_result_t *r =
        rd_kafka_event_ListConsumerGroupOffsets_result(event);
    const rd_kafka_group_result_t **groups =
        r ? rd_kafka_ListConsumerGroupOffsets_result_groups(r, &n) : NULL;
    return n == 1 ? groups[0] : NULL;
}

static void send_alter(const struct asking *a, const rd_kafka_AdminOptions_t *options,
                       rd_kafka_queue_t *queue)
{
    rd_kafka_AlterConsumerGroupOffsets_t *request =
        rd_kafka_AlterConsumerGroupOffsets_new(a->group, a->partitions);
    rd_kafka_AlterConsumerGroupOffsets(a->rk, &request, 1, options, queue);
    rd_kafka_AlterConsumerGroupOffsets_destroy(request);
}

static const rd_kafka_group_result_t *result_alter(rd_kafka_event_t *event)
{
    size_t n = 0;
    const rd_kafka_AlterConsumerGroupOffsets_result_t *r =
        rd_kafka_event_AlterConsumerGroupOffsets_result(event);
    const rd_kafka_group_result_t **groups =
        r ? rd_kafka_AlterConsumerGroupOffsets_result_groups(r, &n) : NULL;
    return n == 1 ? groups[0] : NULL;
}

static void send_forget(const struct asking *a, const rd_kafka_AdminOptions_t *options,
                        rd_kafka_queue_t *queue)
{
    rd_kafka_DeleteConsumerGroupOffsets_t *request =
        rd_kafka_DeleteConsumerGroupOffsets_new(a->group, a->partitions);
    rd_kafka_DeleteConsumerGroupOffsets(a->rk, &request, 1, options, queue);
    rd_kafka_DeleteConsumerGroupOffsets_destroy(request);
}

static const rd_kafka_group_result_t *result_forget(rd_kafka_event_t *event)
{
    size_t n = 0;
    const rd_kafka_DeleteConsumerGroupOffsets_result_t *r =
        rd_kafka_event_DeleteConsumerGroupOffsets_result(event);
    const rd_kafka_group_result_t **groups =
        r ? rd_kafka_DeleteConsumerGroupOffsets_result_groups(r, &n) : NULL;
    return n == 1 ? groups[0] : NULL;
}

static void send_delete(const struct asking *a, const rd_kafka_AdminOptions_t *options,
                        rd_kafka_queue_t *queue)
{
    rd_kafka_DeleteGroup_t *request = rd_kafka_DeleteGroup_new(a->group);
    rd_kafka_DeleteGroups(a->rk, &request, 1, options, queue);
    rd_kafka_DeleteGroup_destroy(request);
}

static const rd_kafka_group_result_t *result_delete(rd_kafka_event_t *event)
{
    size_t n = 0;
    const rd_kafka_DeleteGroups_result_t *r = rd_kafka_event_DeleteGroups_result(event);
    const rd_kafka_group_result_t **groups = r ? rd_kafka_DeleteGroups_result_groups(r, &n) : NULL;
    return n == 1 ? groups[0] : NULL;
}

/* The first error of a result: the group's, or of one of its partitions, which it names. */
static rd_kafka_resp_err_t first_error(const rd_kafka_group_result_t *group,
                                       const rd_kafka_topic_partition_t **at)
{
    const rd_kafka_error_t *error = rd_kafka_group_result_error(group);
    *at = NULL;
    if (error) return rd_kafka_error_code(error);
    const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(group);
    for (int i = 0; list && i < list->cnt; i++) {
        if (list->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
        *at = &list->elems[i];
        return list->elems[i].err;
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t answered(const struct asking *a, rd_kafka_event_t *event,
                                    struct sluice_err *err)
{
    const rd_kafka_topic_partition_t *at = NULL;
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    const rd_kafka_group_result_t *group = code ? NULL : a->result(event);
    if (!code) code = group ? first_error(group, &at) : RD_KAFKA_RESP_ERR__BAD_MSG;
    if (at)
        sluice_err_set(err, "%s consumer group %s failed for partition %d of topic %s: %s", a->what,
                       a->group, at->partition, at->topic, rd_kafka_err2str(code));
    else if (code)
        sluice_err_set(err, "%s consumer group %s failed: %s", a->what, a->group,
                       rd_kafka_err2str(code));
    return code;
}

static void request(const struct asking *a, rd_kafka_queue_t *answers)
{
    char text[256];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(a->rk, a->op);
    rd_kafka_resp_err_t code =
        rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_MS, text, sizeof text);
    assert(code == RD_KAFKA_RESP_ERR_NO_ERROR);
    (void)code;
    a->send(a, options, answers);
    rd_kafka_AdminOptions_destroy(options);
}

/* Asks until there is an answer that is not "for now"; that of an earlier try is as good. *event:
 * that, owned by the caller, when *code is no error. */
static enum sluice_verdict ask(const struct asking *a, int64_t ms, rd_kafka_event_t **event,
                               rd_kafka_resp_err_t *code, struct sluice_err *err)
{
    int64_t left, until = sluice_now_ms() + ms;
    enum sluice_verdict v = SLUICE_RETRY; /* err is that of the last try */
    rd_kafka_queue_t *answers = rd_kafka_queue_new(a->rk);
    assert(a->group && *a->group && ms > 0);
    while (v == SLUICE_RETRY && (left = until - sluice_now_ms()) > 0) {
        int try_ms = left < TRY_MS ? (int)left : TRY_MS;
        request(a, answers);
        *event = rd_kafka_queue_poll(answers, try_ms);
        *code = *event ? answered(a, *event, err) : RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (!*event)
            sluice_err_set(err, "%s consumer group %s failed: no answer within %d ms", a->what,
                           a->group, try_ms);
        if (!*code) v = SLUICE_OK;
        else if (!sluice_admin_passes(*code)) v = SLUICE_FAIL;
        if (v != SLUICE_OK && *event) rd_kafka_event_destroy(*event);
        if (v != SLUICE_OK) *event = NULL;
        if (v == SLUICE_RETRY) usleep(AGAIN_MS * 1000);
    }
    rd_kafka_queue_destroy(answers);
    return v;
}

/* ---- reading ---- */

static int by_topic(const void *left, const void *right)
{
    const struct sluice_group_offset *a = left, *b = right;
    int order = strcmp(a->topic, b->topic);
    return order ? order : (a->partition > b->partition) - (a->partition < b->partition);
}

static struct sluice_group_offset *copy_list(const rd_kafka_topic_partition_list_t *list, size_t *n)
{
    struct sluice_group_offset *out =
        sluice_xcalloc(list && list->cnt ? (size_t)list->cnt : 1, sizeof *out);
    for (int i = 0; list && i < list->cnt; i++) {
        if (list->elems[i].offset < 0) continue; /* nothing was committed */
        out[(*n)++] = (struct sluice_group_offset){sluice_xstrdup(list->elems[i].topic),
                                                   list->elems[i].partition, list->elems[i].offset};
    }
    qsort(out, *n, sizeof *out, by_topic);
    return out;
}

enum sluice_verdict sluice_group_offsets_list(struct sluice_producer *producer, const char *group,
                                              int64_t ms, struct sluice_group_offset **list,
                                              size_t *n, struct sluice_err *err)
{
    const struct asking a = {.rk = sluice_producer_client(producer),
                             .group = group,
                             .what = "reading the offsets of",
                             .op = RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
                             .send = send_list,
                             .result = result_list};
    rd_kafka_event_t *event;
    rd_kafka_resp_err_t code;
    *list = NULL;
    *n = 0;
    enum sluice_verdict v = ask(&a, ms, &event, &code, err);
    if (v != SLUICE_OK) return v;
    *list = copy_list(rd_kafka_group_result_partitions(result_list(event)), n);
    rd_kafka_event_destroy(event);
    return SLUICE_OK;
}

void sluice_group_offsets_free(struct sluice_group_offset *list, size_t n)
{
    for (size_t i = 0; i < n; i++) free(list[i].topic);
    free(list);
}

/* ---- writing ---- */

/* A request whose answer says no more than that it was done. */
static enum sluice_verdict change(const struct asking *a, int64_t ms, bool *busy,
                                  struct sluice_err *err)
{
    rd_kafka_event_t *event;
    rd_kafka_resp_err_t code;
    enum sluice_verdict v = ask(a, ms, &event, &code, err);
    if (v == SLUICE_OK) rd_kafka_event_destroy(event);
    *busy = code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
            code == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP ||
            code == RD_KAFKA_RESP_ERR_GROUP_SUBSCRIBED_TO_TOPIC;
    /* nothing to forget is as good as forgotten */
    if (v == SLUICE_FAIL && code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return SLUICE_OK;
    return v;
}

/* The changes that write (or else those that forget) as librdkafka's list; NULL: there are none. */
static rd_kafka_topic_partition_list_t *pick(const struct sluice_group_offset *changes, size_t n,
                                             bool writes)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    for (size_t i = 0; i < n; i++) {
        if ((changes[i].offset >= 0) != writes) continue;
        if (!list) list = rd_kafka_topic_partition_list_new((int)n);
        rd_kafka_topic_partition_list_add(list, changes[i].topic, changes[i].partition)->offset =
            changes[i].offset;
    }
    return list;
}

enum sluice_verdict sluice_group_offsets_alter(struct sluice_producer *producer, const char *group,
                                               const struct sluice_group_offset *changes, size_t n,
                                               int64_t ms, bool *busy, struct sluice_err *err)
{
    struct asking a = {.rk = sluice_producer_client(producer),
                       .group = group,
                       .what = "writing the offsets of",
                       .op = RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS,
                       .partitions = pick(changes, n, true),
                       .send = send_alter,
                       .result = result_alter};
    enum sluice_verdict v = SLUICE_OK;
    *busy = false;
    if (a.partitions) {
        v = change(&a, ms, busy, err);
        rd_kafka_topic_partition_list_destroy(a.partitions);
    }
    a.partitions = v == SLUICE_OK ? pick(changes, n, false) : NULL;
    if (a.partitions) {
        a.what = "forgetting offsets of";
        a.op = RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS;
        a.send = send_forget;
        a.result = result_forget;
        v = change(&a, ms, busy, err);
        rd_kafka_topic_partition_list_destroy(a.partitions);
    }
    return v;
}

enum sluice_verdict sluice_group_offsets_delete(struct sluice_producer *producer, const char *group,
                                                int64_t ms, bool *busy, struct sluice_err *err)
{
    const struct asking a = {.rk = sluice_producer_client(producer),
                             .group = group,
                             .what = "deleting",
                             .op = RD_KAFKA_ADMIN_OP_DELETEGROUPS,
                             .send = send_delete,
                             .result = result_delete};
    return change(&a, ms, busy, err);
}
