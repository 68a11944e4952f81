/* group.c - see group.h and group_impl.h. One thread polls the consumer of the present incarnation:
 * joining, renewing the lease and noticing that it is lost all happen there. A consumer whose
 * membership is over is closed by a thread of its own (librdkafka can take seconds), which free
 * joins. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "kafka/client.h"
#include "kafka/down.h"
#include "kafka/group_impl.h"

#define POLL_MS 100
#define SESSION_LEAST_MS 6000 /* the brokers' group.min.session.timeout.ms, as a rule */
#define RENEW_MOST_MS 1000
#define RENEW_RETRY_MS 100  /* after a commit that failed for reasons that pass */
#define MARGIN_LEAST_MS 200 /* of the lease: what a task may still be in the middle of */
#define AGAIN_MS 500        /* between two incarnations, at least */
#define ID_MS 1000          /* how long a client that is closed waits for a member id */
#define ID_STEP_MS 20
#define GUARD_MS 20 /* a lease that ends this soon is not renewed any more */

/* ---- the state ---- */

static void publish(struct sluice_group *g)
{
    struct sluice_group_state *draft = &g->draft;
    bool held = atomic_load(&g->lease) != 0;
    snprintf(draft->self, sizeof draft->self, "%s", held ? g->client->name : "");
    draft->leader = held && g->client->owner;
    struct sluice_group_state before = g->state; /* only this thread writes it */
    if (strcmp(before.self, draft->self) == 0 && before.leader == draft->leader &&
        before.rebalances == draft->rebalances && before.fatal == draft->fatal &&
        strcmp(before.trouble, draft->trouble) == 0)
        return;
    if (held && strcmp(before.self, draft->self) != 0)
        sluice_log(SLUICE_INFO, NULL, -1, "group %s: joined as %s", g->group_id, draft->self);
    if (draft->leader != before.leader)
        sluice_log(SLUICE_INFO, NULL, -1, "group %s: this worker %s", g->group_id,
                   draft->leader ? "leads now" : "leads no longer");
    if (*draft->trouble && strcmp(before.trouble, draft->trouble) != 0)
        sluice_log(draft->fatal ? SLUICE_ERROR : SLUICE_WARN, NULL, -1, "%s", draft->trouble);
    sluice_lock(&g->mutex);
    g->state = *draft;
    sluice_unlock(&g->mutex);
    g->changed(g->arg);
}

static void trouble(struct sluice_group *g, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void trouble(struct sluice_group *g, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(g->draft.trouble, sizeof g->draft.trouble, fmt, ap);
    va_end(ap);
}

bool sluice_group_explain(struct sluice_group *g, rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
        trouble(g,
                "another worker joined group %s with this one's group.instance.id %s and its URL; "
                "every worker needs its own",
                g->group_id, g->instance_id ? g->instance_id : "?");
        break;
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        trouble(g, "the brokers do not allow this worker to join group %s (ACL: Read on Group)",
                g->group_id);
        break;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        trouble(g, "the brokers do not allow this worker to read topic %s (ACL: Read on Topic)",
                g->topic);
        break;
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
        trouble(g,
                "the brokers refuse a session of %lld ms in group %s: session.timeout.ms has to "
                "fit their group.min.session.timeout.ms and group.max.session.timeout.ms",
                (long long)g->session_ms, g->group_id);
        break;
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
        trouble(g,
                "group %s has members that are no sluice workers: stop them first (Java Connect "
                "workers and sluice cannot share a group.id at the same time); trying again",
                g->group_id);
        return true;
    default: return false;
    }
    g->draft.fatal = true;
    return true;
}

/* ---- callbacks of the client, by rd_kafka_consumer_poll() on the group's thread ---- */

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct sluice_group_client *c = opaque;
    struct sluice_group *g = c->group;
    bool retired = atomic_load(&c->retired);
    bool taken = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    bool lost = !taken && rd_kafka_assignment_lost(rk);
    bool first = rd_kafka_topic_partition_list_find(list, g->topic, 0) != NULL;
    rd_kafka_error_t *error;
    if (taken) {
        /* Nothing is ever read by way of it. */
        for (int i = 0; i < list->cnt; i++) list->elems[i].offset = RD_KAFKA_OFFSET_END;
        error = rd_kafka_incremental_assign(rk, list);
        rd_kafka_pause_partitions(rk, list);
    } else {
        error = rd_kafka_incremental_unassign(rk, list);
    }
    if (retired) {
        if (error) rd_kafka_error_destroy(error);
        return;
    }
    if (error) {
        c->lost = "taking or giving back the config topic's partition failed";
        rd_kafka_error_destroy(error);
    }
    if (first) c->owner = taken;
    if (lost) c->lost = "the coordinator let it go";
    g->draft.rebalances++;
    g->draft.rebalanced_ms = sluice_boot_ms();
    c->next_renewal = 0; /* commits of the generation before were in vain */
    if (taken && !c->member_id) {
        int64_t took = sluice_boot_ms() - g->made_ms;
        g->draft.joins++;
        g->draft.join_ms += took;
        if (took > g->draft.join_max_ms) g->draft.join_max_ms = took;
        c->member_id = rd_kafka_memberid(rk);
        char client_id[SLUICE_MEMBER_MAX];
        memcpy(client_id, c->name, sizeof client_id);
        if (g->instance_id && c->member_id)
            sluice_group_static_name(client_id, c->member_id, c->name);
    }
    rd_kafka_queue_yield(c->queue); /* the poll returns: the state is to be told */
}

/* What the client gave itself up for, if it did. */
static void check_fatal(struct sluice_group_client *c)
{
    struct sluice_group *g = c->group;
    char text[256];
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(c->rk, text, sizeof text);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || g->draft.fatal) return;
    if (!sluice_group_explain(g, code)) trouble(g, "group %s: %s", g->group_id, text);
    g->draft.fatal = true;
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct sluice_group_client *c = opaque;
    struct sluice_group *g = c->group;
    (void)rk;
    if (atomic_load(&c->retired)) return;
    rd_kafka_queue_yield(c->queue);
    if (code == RD_KAFKA_RESP_ERR__FATAL) check_fatal(c);
    else
        sluice_brokers_down(code, reason, g->brokers,
                            strncmp(g->draft.trouble, "kafka brokers", 13) == 0, g->draft.trouble,
                            sizeof g->draft.trouble);
}

static void on_event(struct sluice_group_client *c, const rd_kafka_message_t *message)
{
    struct sluice_group *g = c->group;
    rd_kafka_resp_err_t code = message->err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || g->draft.fatal) return; /* why stays said */
    if (code == RD_KAFKA_RESP_ERR__FATAL) check_fatal(c);
    else if (sluice_group_explain(g, code)) return;
    else if (code == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED) c->lost = "it stood still for too long";
    else
        trouble(g, "group %s: %.400s; trying again", g->group_id, rd_kafka_message_errstr(message));
}

/* Whether the coordinator knows this client by the id that it had at first: librdkafka joins anew
 * by itself after a loss, and of a member without partitions it does not even tell. */
static bool same_member(struct sluice_group_client *c)
{
    char *id = rd_kafka_memberid(c->rk);
    bool same = id && c->member_id && strcmp(id, c->member_id) == 0;
    if (id) rd_kafka_mem_free(c->rk, id);
    return same;
}

static void on_renewed(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                       rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct sluice_group_client *c = opaque;
    struct sluice_group *g = c->group;
    (void)rk;
    if (atomic_load(&c->retired)) return;
    rd_kafka_queue_yield(c->queue);
    int64_t sent = c->sent_ms, now = sluice_boot_ms(), lease = atomic_load(&g->lease);
    assert(sent > 0 && sent <= now);
    c->sent_ms = 0;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && list && list->cnt == 1) code = list->elems[0].err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID)
            c->lost = "the coordinator does not know it any more";
        else if (!sluice_group_explain(g, code))
            sluice_log(SLUICE_DEBUG, NULL, -1, "group %s: renewing the lease failed: %s",
                       g->group_id, rd_kafka_err2str(code));
        c->next_renewal = now + RENEW_RETRY_MS;
        return;
    }
    c->next_renewal = sent + g->renew_ms;
    if (!same_member(c)) {
        c->lost = "the coordinator took it for a new member";
    } else if (lease == 0 || now + GUARD_MS < lease) { /* a lease that was over stays over */
        if (sent + g->lease_ms > lease) atomic_store(&g->lease, sent + g->lease_ms);
        *g->draft.trouble = '\0';
    }
}

/* ---- a client's life ---- */

static void random_name(struct sluice_group *g, char out[SLUICE_MEMBER_MAX])
{
    uint64_t incarnation = 0;
    ssize_t n = getrandom(&incarnation, sizeof incarnation, 0);
    assert(n == sizeof incarnation); /* never less below 256 bytes */
    (void)n;
    if (g->instance_id) snprintf(out, SLUICE_MEMBER_MAX, "%s#s", g->url);
    else snprintf(out, SLUICE_MEMBER_MAX, "%s#%016llx", g->url, (unsigned long long)incarnation);
}

/* librdkafka 2.0's close() sends no LeaveGroup for a member without partitions (it is skipped with
 * the rejoin of a consumer that terminates); unsubscribing does, and close() waits for the answer.
 * Static members do not leave. */
static void leave_without_partitions(struct sluice_group_client *c)
{
    rd_kafka_topic_partition_list_t *held = NULL;
    if (c->group->instance_id || rd_kafka_assignment(c->rk, &held) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    if (held->cnt == 0) rd_kafka_unsubscribe(c->rk);
    rd_kafka_topic_partition_list_destroy(held);
}

/* A client that lost its membership joins again at once, by itself. Closed before it got its new id
 * it never leaves, and the group waits a session for it: so it gets the id. */
static void await_member_id(struct sluice_group_client *c)
{
    if (!c->lost || c->group->instance_id) return;
    for (int i = 0; c->member_id && i < ID_MS; i += ID_STEP_MS) {
        char *id = rd_kafka_memberid(c->rk);
        bool another = id && *id && strcmp(id, c->member_id) != 0;
        if (id) rd_kafka_mem_free(c->rk, id);
        if (another) return;
        rd_kafka_message_t *message = rd_kafka_consumer_poll(c->rk, ID_STEP_MS);
        if (message) rd_kafka_message_destroy(message);
    }
}

static void client_close(struct sluice_group_client *c)
{
    if (!c->rk) return;
    await_member_id(c);
    if (c->answers) {
        rd_kafka_queue_cb_event_enable(c->answers, NULL, NULL);
        rd_kafka_queue_destroy(c->answers);
    }
    if (c->queue) rd_kafka_queue_destroy(c->queue);
    leave_without_partitions(c);
    rd_kafka_consumer_close(c->rk);
    if (c->member_id) rd_kafka_mem_free(c->rk, c->member_id);
    rd_kafka_destroy(c->rk);
}

static bool subscribe(struct sluice_group_client *c, struct sluice_err *err)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, c->group->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(c->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    return sluice_err_set(err, "group %s: subscribing to %s failed: %s", c->group->group_id,
                          c->group->topic, rd_kafka_err2str(code));
}

/* Any thread of librdkafka. */
static void on_queued(rd_kafka_t *rk, void *opaque)
{
    (void)rk;
    rd_kafka_queue_yield(opaque); /* the poll returns */
}

static struct sluice_group_client *client_new(struct sluice_group *g, struct sluice_err *err)
{
    char text[512];
    struct sluice_group_client *c = sluice_xcalloc(1, sizeof *c);
    c->group = g;
    random_name(g, c->name);
    sluice_map_set(&g->props, "client.id", c->name);
    rd_kafka_conf_t *conf = sluice_client_conf(SLUICE_CLIENT_CONSUMER, &g->props, "group", err);
    if (!conf) goto fail;
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_error_cb(conf, on_error);
    c->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!c->rk) {
        rd_kafka_conf_destroy(conf);
        sluice_err_set(err, "group %s: making the consumer failed: %s", g->group_id, text);
        goto fail;
    }
    rd_kafka_poll_set_consumer(c->rk);
    c->queue = rd_kafka_queue_get_consumer(c->rk);
    c->answers = rd_kafka_queue_new(c->rk);
    rd_kafka_queue_cb_event_enable(c->answers, on_queued, c->queue);
    if (subscribe(c, err)) return c;
fail:
    client_close(c);
    free(c);
    return NULL;
}

static void *close_client(void *arg)
{
    struct sluice_group_client *c = arg;
    struct sluice_group *g = c->group;
    client_close(c);
    sluice_lock(&g->mutex);
    c->closed = true;
    sluice_unlock(&g->mutex);
    return NULL;
}

/* Joins closers: those that have ended, or all. */
static void reap(struct sluice_group *g, bool all)
{
    struct sluice_group_client **at = &g->closing, *c;
    while ((c = *at)) { /* only this thread changes the list */
        sluice_lock(&g->mutex);
        bool closed = c->closed;
        sluice_unlock(&g->mutex);
        if (!closed && !all) {
            at = &c->next;
            continue;
        }
        pthread_join(c->closer, NULL);
        *at = c->next;
        free(c);
    }
}

/* The lease ends before anything else. */
static void retire(struct sluice_group *g)
{
    struct sluice_err err;
    struct sluice_group_client *c = g->client;
    atomic_store(&g->lease, 0);
    atomic_store(&c->retired, true);
    sluice_lock(&g->mutex);
    g->client = NULL;
    sluice_unlock(&g->mutex);
    c->next = g->closing;
    g->closing = c;
    /* Without a thread it is done here, late but right. */
    if (sluice_thread_start(&c->closer, "group-close", close_client, c, &err)) return;
    sluice_log(SLUICE_WARN, NULL, -1, "group %s: %s", g->group_id, err.msg);
    close_client(c);
    g->closing = c->next;
    free(c);
}

/* The commit that renews the lease. */
static void renew(struct sluice_group_client *c)
{
    struct sluice_group *g = c->group;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, g->topic, 0)->offset = 0;
    c->sent_ms = sluice_boot_ms(); /* before it is really sent */
    rd_kafka_resp_err_t code = rd_kafka_commit_queue(c->rk, list, c->queue, on_renewed, c);
    rd_kafka_topic_partition_list_destroy(list);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    c->sent_ms = 0;
    c->next_renewal = sluice_boot_ms() + RENEW_RETRY_MS;
}

/* A commit that waits behind the member's own JoinGroup fails in the end with an illegal
 * generation, on which librdkafka throws its membership away. So commits are sent only when the
 * coordinator has just said, by another connection, that the group is stable. */
static void on_answer(struct sluice_group_client *c, rd_kafka_event_t *event)
{
    c->asking = false;
    bool stable = sluice_group_answered(c, event);
    int64_t now = sluice_boot_ms();
    if (c->sent_ms != 0 || now < c->next_renewal) return; /* somebody else wanted to know */
    if (stable) renew(c);
    else c->next_renewal = now + RENEW_RETRY_MS;
}

/* ---- the thread ---- */

static void poll_client(struct sluice_group_client *c)
{
    bool idle = c->member_id && !c->asking && c->sent_ms == 0;
    int64_t now = sluice_boot_ms(), wait = POLL_MS;
    if (idle && c->next_renewal - now < wait)
        wait = c->next_renewal > now ? c->next_renewal - now : 0;
    rd_kafka_message_t *message = rd_kafka_consumer_poll(c->rk, (int)wait);
    if (message) {
        on_event(c, message);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_event_t *event = c->asking ? rd_kafka_queue_poll(c->answers, 0) : NULL;
    if (event) {
        on_answer(c, event);
        rd_kafka_event_destroy(event);
    }
}

static void serve(struct sluice_group *g)
{
    struct sluice_group_client *c = g->client;
    poll_client(c);
    int64_t now = sluice_boot_ms(), lease = atomic_load(&g->lease);
    if (!c->lost && lease != 0 && now + GUARD_MS >= lease) c->lost = "its lease ran out";
    if (!c->lost && c->asking && now - c->asked_ms > g->session_ms + g->grace_ms)
        c->lost = "the coordinator does not say who is in the group";
    bool due = c->sent_ms == 0 && now >= c->next_renewal;
    if (!c->lost && !g->draft.fatal && c->member_id && !c->asking &&
        (due || sluice_group_wanted(g)))
        sluice_group_ask(c);
    check_fatal(c); /* a loss may be told before its reason */
    if (c->lost && !g->draft.fatal)
        sluice_log(SLUICE_WARN, NULL, -1, "group %s: %s is out of the group: %s; joining again",
                   g->group_id, c->name, c->lost);
    if (c->lost || g->draft.fatal) retire(g);
    publish(g);
}

static void join_again(struct sluice_group *g)
{
    struct sluice_err err = {{0}};
    int64_t wait = g->made_ms + AGAIN_MS - sluice_boot_ms();
    if (wait > 0) {
        sluice_wake_wait(&g->wake, wait);
        return;
    }
    reap(g, false);
    g->made_ms = sluice_boot_ms();
    struct sluice_group_client *c = client_new(g, &err);
    if (!c) trouble(g, "%s; trying again", err.msg);
    sluice_lock(&g->mutex);
    g->client = c;
    sluice_unlock(&g->mutex);
    publish(g);
}

static void *run(void *arg)
{
    struct sluice_group *g = arg;
    while (!atomic_load(&g->stopping)) {
        if (g->client) serve(g);
        else if (g->draft.fatal) sluice_wake_wait(&g->wake, -1);
        else join_again(g);
    }
    return NULL;
}

/* ---- the interface ---- */

/* Sessions at the coordinator shorter than what leases have, for the grace (group.h). */
static void set_times(struct sluice_group *g, const struct sluice_group_config *config)
{
    int64_t whole = config->session_timeout_ms, heartbeat = config->heartbeat_interval_ms;
    int64_t rebalance = config->rebalance_timeout_ms;
    char text[24];
    assert(whole > 0 && heartbeat > 0 && rebalance > 0);
    g->session_ms = whole * 6 / 10;
    if (g->session_ms < SESSION_LEAST_MS)
        g->session_ms = whole < SESSION_LEAST_MS ? whole : SESSION_LEAST_MS;
    g->grace_ms = whole - g->session_ms;
    if (g->grace_ms < g->session_ms / 2) g->grace_ms = g->session_ms / 2;
    whole = g->session_ms + g->grace_ms;
    int64_t margin = whole / 20 > MARGIN_LEAST_MS ? whole / 20 : MARGIN_LEAST_MS;
    g->lease_ms = whole > 2 * margin ? whole - margin : whole / 2;
    g->renew_ms = g->session_ms / 10 < RENEW_MOST_MS ? g->session_ms / 10 + 1 : RENEW_MOST_MS;
    /* Members hear of a rebalance by a heartbeat; until all have, nobody renews. */
    if (heartbeat > g->session_ms / 10) heartbeat = g->session_ms / 10 + 1;
    if (rebalance < g->session_ms) rebalance = g->session_ms;
    snprintf(text, sizeof text, "%lld", (long long)g->session_ms);
    sluice_map_set(&g->props, "session.timeout.ms", text);
    snprintf(text, sizeof text, "%lld", (long long)heartbeat);
    sluice_map_set(&g->props, "heartbeat.interval.ms", text);
    snprintf(text, sizeof text, "%lld", (long long)rebalance);
    sluice_map_set(&g->props, "max.poll.interval.ms", text);
}

/* The id that the coordinator sees has the URL in it, as its members' client.ids outlive them
 * there: a worker of another URL is another member. Letters, digits, '.', '_', '-' are allowed;
 * 249. */
static void set_instance(struct sluice_group *g)
{
    uint32_t hash = 0x811c9dc5u;
    for (const char *p = g->url; *p; p++) hash = (hash ^ (unsigned char)*p) * 0x01000193u;
    char *id = sluice_xasprintf("%.200s-%08x", g->instance_id, hash);
    sluice_map_set(&g->props, "group.instance.id", id);
    free(id);
}

struct sluice_group *sluice_group_new(const struct sluice_group_config *config,
                                      struct sluice_err *err)
{
    const char *brokers = sluice_map_get(config->props, "bootstrap.servers");
    if (strlen(config->url) + 24 > SLUICE_MEMBER_MAX || strchr(config->url, '#')) {
        sluice_err_set(err, "advertised URL %.200s: longer than %d bytes, or has a #", config->url,
                       SLUICE_MEMBER_MAX - 24);
        return NULL;
    }
    struct sluice_group *g = sluice_xcalloc(1, sizeof *g);
    sluice_map_copy(&g->props, config->props);
    sluice_map_set(&g->props, "group.id", config->group_id);
    sluice_map_del(&g->props, "group.instance.id");
    sluice_map_set(&g->props, "partition.assignment.strategy", "cooperative-sticky");
    sluice_map_set(&g->props, "allow.auto.create.topics", "false");
    set_times(g, config);
    g->group_id = sluice_xstrdup(config->group_id);
    g->topic = sluice_xstrdup(config->topic);
    g->url = sluice_xstrdup(config->url);
    g->instance_id = sluice_xstrdup(config->instance_id);
    g->brokers = sluice_xstrdup(brokers ? brokers : "");
    if (config->instance_id) set_instance(g);
    g->changed = config->changed;
    g->arg = config->arg;
    pthread_mutex_init(&g->mutex, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&g->listed, &attr);
    pthread_condattr_destroy(&attr);
    sluice_wake_init(&g->wake);
    g->made_ms = sluice_boot_ms();
    g->client = client_new(g, err); /* here, so that bad properties are told at once */
    if (g->client && sluice_thread_start(&g->thread, "group", run, g, err)) return g;
    atomic_store(&g->stopping, true);
    sluice_group_free(g);
    return NULL;
}

void sluice_group_free(struct sluice_group *g)
{
    if (!g) return;
    if (!atomic_exchange(&g->stopping, true)) {
        sluice_wake_up(&g->wake);
        sluice_lock(&g->mutex);
        if (g->client) rd_kafka_queue_yield(g->client->queue);
        sluice_unlock(&g->mutex);
        pthread_join(g->thread, NULL);
    }
    if (g->client) retire(g);
    reap(g, true);
    sluice_wake_fini(&g->wake);
    pthread_cond_destroy(&g->listed);
    pthread_mutex_destroy(&g->mutex);
    sluice_map_fini(&g->props);
    free(g->group_id);
    free(g->topic);
    free(g->url);
    free(g->instance_id);
    free(g->brokers);
    free(g->names);
    free(g);
}

void sluice_group_state(struct sluice_group *g, struct sluice_group_state *out)
{
    sluice_lock(&g->mutex);
    *out = g->state;
    sluice_unlock(&g->mutex);
    /* The group's thread may have stood still as long as all others. */
    if (*out->self == '\0' || sluice_boot_ms() < atomic_load(&g->lease)) return;
    *out->self = '\0';
    out->leader = false;
}

const _Atomic int64_t *sluice_group_lease(const struct sluice_group *g) { return &g->lease; }

int64_t sluice_group_grace_ms(const struct sluice_group *g) { return g->grace_ms; }
