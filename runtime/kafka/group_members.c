/* group_members.c - who is in the group: one question of the group's thread at a time. The answers
 * are what renewing the lease waits for (group.c), and the lists of sluice_group_members(). */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "kafka/group_impl.h"

#define ASK_MS 3600000 /* for an answer: the longest there is, see below */

void sluice_group_static_name(const char *client_id, const char *member_id,
                              char out[SLUICE_MEMBER_MAX])
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (const char *p = member_id; *p; p++) hash = (hash ^ (unsigned char)*p) * 0x100000001b3u;
    snprintf(out, SLUICE_MEMBER_MAX, "%.*s%016llx", SLUICE_MEMBER_MAX - 17, client_id,
             (unsigned long long)hash);
}

static bool is_static_id(const char *client_id)
{
    size_t len = strlen(client_id);
    return len > 2 && strcmp(client_id + len - 2, "#s") == 0;
}

/* ---- the question and its answer ---- */

/* One question at a time, and without a timeout of its own: librdkafka (2.0.2 to 2.8, its issue
 * 4605) fails an assertion when the coordinator comes back after a question for it timed out. It is
 * answered then, or goes with the client, whose lease ends without answers. */
void sluice_group_ask(struct sluice_group_client *c)
{
    char text[256];
    const char *id = c->group->group_id;
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(c->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    rd_kafka_resp_err_t code =
        rd_kafka_AdminOptions_set_request_timeout(options, ASK_MS, text, sizeof text);
    assert(code == RD_KAFKA_RESP_ERR_NO_ERROR);
    (void)code;
    rd_kafka_DescribeConsumerGroups(c->rk, &id, 1, options, c->answers);
    rd_kafka_AdminOptions_destroy(options);
    c->asking = true;
    c->asked_ms = sluice_boot_ms();
}

static const rd_kafka_ConsumerGroupDescription_t *description(rd_kafka_event_t *event)
{
    size_t n = 0;
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(event), &n);
    assert(n == 1);
    return groups[0];
}

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

/* Sorted; the caller frees. */
static void *take_names(const rd_kafka_ConsumerGroupDescription_t *group, size_t *n)
{
    *n = rd_kafka_ConsumerGroupDescription_member_count(group);
    char(*names)[SLUICE_MEMBER_MAX] = sluice_xmalloc(*n * sizeof *names + 1);
    for (size_t i = 0; i < *n; i++) {
        const rd_kafka_MemberDescription_t *m = rd_kafka_ConsumerGroupDescription_member(group, i);
        const char *id = rd_kafka_MemberDescription_client_id(m);
        if (is_static_id(id))
            sluice_group_static_name(id, rd_kafka_MemberDescription_consumer_id(m), names[i]);
        else snprintf(names[i], sizeof names[i], "%s", id);
    }
    qsort(names, *n, sizeof *names, by_name);
    return names;
}

/* For those who wait for a list. names is taken; NULL: error says why there are none. */
static void publish_list(struct sluice_group_client *c, void *names, size_t n, const char *error)
{
    struct sluice_group *g = c->group;
    bool listed = names && bsearch(c->name, names, n, SLUICE_MEMBER_MAX, by_name);
    if (names && !listed) error = "the coordinator does not list this worker";
    sluice_lock(&g->mutex);
    free(g->names);
    g->names = names;
    g->names_n = listed ? n : 0;
    snprintf(g->why, sizeof g->why, "%s", error ? error : "");
    g->lists++;
    pthread_cond_broadcast(&g->listed);
    sluice_unlock(&g->mutex);
}

/* True: the group is stable. */
bool sluice_group_answered(struct sluice_group_client *c, rd_kafka_event_t *event)
{
    const char *hint = "";
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        publish_list(c, NULL, 0, rd_kafka_event_error_string(event));
        return false;
    }
    const rd_kafka_ConsumerGroupDescription_t *group = description(event);
    const rd_kafka_error_t *error = rd_kafka_ConsumerGroupDescription_error(group);
    if (error) {
        char text[256];
        if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
            hint = " (ACL: Describe on Group)";
        snprintf(text, sizeof text, "%.200s%s", rd_kafka_error_string(error), hint);
        sluice_group_explain(c->group, rd_kafka_error_code(error));
        publish_list(c, NULL, 0, text);
        return false;
    }
    size_t n;
    void *names = take_names(group, &n);
    publish_list(c, names, n, NULL);
    return rd_kafka_ConsumerGroupDescription_state(group) == RD_KAFKA_CONSUMER_GROUP_STATE_STABLE;
}

/* ---- those who wait ---- */

bool sluice_group_wanted(struct sluice_group *g)
{
    sluice_lock(&g->mutex);
    bool wanted = g->waiting > 0;
    sluice_unlock(&g->mutex);
    return wanted;
}

/* One block: the pointers, then the strings. */
static void copy_names(const struct sluice_group *g, char ***names, size_t *n)
{
    *n = g->names_n;
    *names = sluice_xmalloc(*n * (sizeof **names + SLUICE_MEMBER_MAX));
    char *to = (char *)(*names + *n);
    memcpy(to, g->names, *n * SLUICE_MEMBER_MAX);
    for (size_t i = 0; i < *n; i++, to += SLUICE_MEMBER_MAX) (*names)[i] = to;
}

/* True: a list came. The mutex is held. */
static bool wait_for_list(struct sluice_group *g, int64_t ms)
{
    uint64_t before = g->lists;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms % 1000 * 1000000;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    g->waiting++;
    rd_kafka_queue_yield(g->client->queue);
    while (g->lists == before && pthread_cond_timedwait(&g->listed, &g->mutex, &until) == 0)
        continue;
    g->waiting--;
    return g->lists != before;
}

enum sluice_verdict sluice_group_members(struct sluice_group *g, int64_t ms, char ***names,
                                         size_t *n, struct sluice_err *err)
{
    assert(ms > 0 && ms < INT32_MAX);
    *names = NULL;
    *n = 0;
    sluice_lock(&g->mutex);
    bool member = *g->state.self && g->client, listed = member && wait_for_list(g, ms);
    if (listed && g->names_n > 0) copy_names(g, names, n);
    else if (listed)
        sluice_err_set(err, "asking for the members of group %s failed: %s", g->group_id, g->why);
    else if (member)
        sluice_err_set(err, "group %s: no list of members within %lld ms", g->group_id,
                       (long long)ms);
    else sluice_err_set(err, "this worker is not in group %s now", g->group_id);
    sluice_unlock(&g->mutex);
    return *n > 0 ? SLUICE_OK : SLUICE_RETRY;
}
