/* fencing.c - requests between workers, signed with the session key (KIP-507): task configs, and
 * the fencing of exactly-once tasks (KIP-618).
 *
 * Before a task of a new set of configs starts, every producer of the former set must be fenced:
 * the leader takes their transactional ids over, one after the other or several at once, and writes
 * how many tasks the new set has. All tasks of a connector ask at about the same time: the first
 * one's request does the work.
 * Thread: requests', and tasks' for the hooks. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "herder/distributed_impl.h"
#include "herder/leader.h"
#include "herder/session_key.h"
#include "kafka/client.h"
#include "worker/connector_offsets.h"
#include "worker/offsets_admin.h"

#define FENCE_MS 30000 /* for one producer; Connect's own budget */
#define AT_ONCE 8
#define CURRENT_MS 2000

/* ---- signatures ---- */

/* Whether the comma-separated list names the word. */
static bool names(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',') {
        at += strspn(at, " ");
        size_t n = strcspn(at, ", ");
        if (n == len && strncasecmp(at, word, n) == 0) return true;
    }
    return false;
}

static bool is_signed(struct distributed *herder, const struct sluice_signed *request,
                      struct sluice_answer *answer)
{
    if (!request->signature || !request->algorithm) {
        sluice_answer_error(answer, 400, "Internal request missing required signature");
        return false;
    }
    const char *accepted =
        sluice_worker_prop(herder->worker, "inter.worker.verification.algorithms");
    if (!names(accepted, request->algorithm) || !sluice_mac_known(request->algorithm)) {
        sluice_answer_error(answer, 400,
                            "This worker does not support the '%s' key signing algorithm used by "
                            "other workers. This worker is currently configured to use: %s. Check "
                            "that all workers' configuration files permit the same set of "
                            "signature algorithms, and correct any misconfigured worker and "
                            "restart it.",
                            request->algorithm, accepted);
        return false;
    }
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    char *key = sluice_xstrdup(cluster->session_key);
    sluice_config_log_unlock(herder->configs);
    bool valid = key && sluice_signature_valid(key, request->algorithm, request->body,
                                               request->body_len, request->signature);
    if (!key) {
        sluice_answer_error(answer, 503,
                            "This worker is still starting up and has not been able to read a "
                            "session key from the config topic yet");
    } else if (!valid) {
        sluice_answer_error(answer, 403, "Internal request contained invalid signature.");
    }
    free(key);
    return valid;
}

/* ---- task configs ---- */

static bool read_configs(const json_t *configs, struct sluice_map *maps,
                         struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    size_t i;
    json_t *config;
    json_array_foreach(configs, i, config)
    {
        if (json_is_object(config) && sluice_json_to_map(config, &maps[i], &err)) continue;
        sluice_answer_error(answer, 400, "task config %zu is no flat object of strings%s%s", i,
                            err.msg[0] ? ": " : "", err.msg);
        return false;
    }
    return true;
}

void distributed_put_tasks(struct sluice_herder *base, const char *name, const json_t *configs,
                           const struct sluice_signed *request, struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    if (!is_signed(herder, request, answer)) return;
    size_t n = json_array_size(configs);
    struct sluice_map *maps = sluice_xcalloc(n + 1, sizeof *maps);
    if (read_configs(configs, maps, answer) &&
        leader_enter(herder->leader, name, answer) == LEADER_ENTERED) {
        const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
        bool found = sluice_cluster_find(cluster, name) != NULL;
        sluice_config_log_unlock(herder->configs);
        struct leader_change change = {.name = name, .tasks = maps, .tasks_n = (int)n};
        if (!found) sluice_answer_error(answer, 404, "Connector %s not found", name);
        else if (leader_apply(herder->leader, &change, answer))
            sluice_answer_json(answer, 204, NULL);
        leader_leave(herder->leader);
    }
    for (size_t i = 0; i < n; i++) sluice_map_fini(&maps[i]);
    free(maps);
}

/* ---- fencing ---- */

/* Producers to fence, by several threads. */
struct fences {
    struct distributed *herder;
    const char *connector;
    struct sluice_map props;
    int n;
    _Atomic int next;
    pthread_mutex_t lock;
    enum sluice_verdict verdict; /* the worst; lock */
    struct sluice_err err;
};

static void fence_one(struct fences *fences, int id)
{
    struct sluice_err err = {{0}};
    char *name = sluice_xasprintf("%s-%s-%d", fences->herder->group_id, fences->connector, id);
    struct sluice_transactions *txn =
        sluice_transactions_new(&fences->props, name, name, NULL, &err);
    enum sluice_verdict verdict = txn ? sluice_transactions_init(txn, FENCE_MS, &err) : SLUICE_FAIL;
    sluice_transactions_free(txn);
    if (verdict != SLUICE_OK) {
        sluice_err_wrap(&err, "fencing the producer of transactional id %s", name);
        sluice_lock(&fences->lock);
        if (fences->verdict == SLUICE_OK || verdict == SLUICE_FAIL) {
            fences->verdict = verdict;
            fences->err = err;
        }
        sluice_unlock(&fences->lock);
    }
    free(name);
}

static void *run_fences(void *arg)
{
    struct fences *fences = arg;
    for (;;) {
        int id = atomic_fetch_add(&fences->next, 1);
        if (id >= fences->n) return NULL;
        fence_one(fences, id);
    }
}

/* Takes over the ids of n tasks. config: variables replaced. */
static enum sluice_verdict fence_all(struct distributed *herder, const char *connector,
                                     const struct sluice_map *config, int n, struct sluice_err *err)
{
    assert(n >= 0);
    struct fences fences = {.herder = herder, .connector = connector, .n = n};
    pthread_t threads[AT_ONCE];
    int started = 0;
    fences.verdict = SLUICE_OK;
    pthread_mutex_init(&fences.lock, NULL);
    sluice_client_layers(SLUICE_CLIENT_PRODUCER, herder->given.props, config, &fences.props);
    while (started < AT_ONCE && started < n - 1 &&
           sluice_thread_start(&threads[started], "fence", run_fences, &fences, NULL))
        started++;
    run_fences(&fences); /* this thread too */
    for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
    *err = fences.err;
    sluice_map_fini(&fences.props);
    pthread_mutex_destroy(&fences.lock);
    return fences.verdict;
}

/* What there is to fence. */
struct round {
    struct sluice_map config; /* variables replaced */
    bool found, due;
    int old_n, new_n;
    int64_t tasks_offset;
};

static bool look(struct distributed *herder, const char *name, struct round *round,
                 struct sluice_answer *answer)
{
    struct sluice_map raw = {0};
    struct sluice_err err = {{0}};
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    const struct sluice_cluster_connector *conn = sluice_cluster_find(cluster, name);
    if (conn) {
        round->due = conn->tasks_offset > conn->fenced_offset;
        round->old_n = conn->fenced_tasks;
        round->new_n = conn->tasks_n;
        round->tasks_offset = conn->tasks_offset;
        sluice_map_copy(&raw, &conn->config);
    }
    sluice_config_log_unlock(herder->configs);
    bool ok = conn != NULL;
    if (!ok) sluice_answer_error(answer, 404, "Connector %s not found", name);
    sluice_map_fini(&round->config);
    if (ok && !sluice_worker_resolve(herder->worker, &raw, &round->config, &err)) {
        sluice_answer_error(answer, 500, "%s", err.msg);
        ok = false;
    }
    sluice_map_fini(&raw);
    return ok;
}

/* Entered: this set of tasks may start. */
static void write_round(struct distributed *herder, const char *name, const struct round *round,
                        struct sluice_answer *answer)
{
    int64_t now = -1;
    struct sluice_writes writes = {0};
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    const struct sluice_cluster_connector *conn = sluice_cluster_find(cluster, name);
    if (conn) now = conn->tasks_offset;
    sluice_config_log_unlock(herder->configs);
    if (now != round->tasks_offset) {
        sluice_answer_error(answer, 409,
                            "Failed to complete zombie fencing because a new set of task configs "
                            "was generated");
        return;
    }
    assert(round->due && round->new_n >= 0);
    sluice_write_fencing(&writes, name, round->new_n);
    if (leader_write(herder->leader, &writes, answer)) sluice_answer_json(answer, 204, NULL);
    sluice_writes_fini(&writes);
}

static bool answer_fenced(enum sluice_verdict verdict, const struct sluice_err *err,
                          struct sluice_answer *answer)
{
    if (verdict == SLUICE_OK) return true;
    /* 503 is asked again, 500 fails the task */
    sluice_answer_error(answer, verdict == SLUICE_RETRY ? 503 : 500, "%s", err->msg);
    return false;
}

/* Fences as the leader; one request at a time. */
static void fence(struct distributed *herder, const char *name, struct sluice_answer *answer)
{
    struct leader *leader = herder->leader;
    struct sluice_err err = {{0}};
    struct round round = {0};
    if (!leader_is_here(leader, answer)) return;
    sluice_lock(&herder->fencing);
    if (leader_enter(leader, NULL, answer) != LEADER_ENTERED) goto out;
    bool ok = leader_catch_up(leader, answer);
    leader_leave(leader);
    if (!ok || !look(herder, name, &round, answer)) goto out;
    if (!round.due) {
        sluice_answer_json(answer, 204, NULL);
        goto out;
    }
    /* none before, or the only one follows itself: its own producer's start is enough */
    bool skip = round.old_n < 0 || (round.old_n == 1 && round.new_n == 1);
    if (!skip) {
        enum sluice_verdict verdict = fence_all(herder, name, &round.config, round.old_n, &err);
        if (!answer_fenced(verdict, &err, answer)) goto out;
        sluice_log(SLUICE_INFO, name, -1, "fenced the producers of %d former tasks", round.old_n);
    }
    if (leader_enter(leader, NULL, answer) != LEADER_ENTERED) goto out;
    write_round(herder, name, &round, answer);
    leader_leave(leader);
out:
    sluice_unlock(&herder->fencing);
    sluice_map_fini(&round.config);
}

void distributed_fence(struct sluice_herder *base, const char *name,
                       const struct sluice_signed *request, struct sluice_answer *answer)
{
    struct distributed *herder = distributed_of(base);
    if (is_signed(herder, request, answer)) fence(herder, name, answer);
}

bool distributed_fence_now(struct distributed *herder, const char *name,
                           const struct sluice_plugin *plugin, struct sluice_answer *answer)
{
    struct sluice_err err = {{0}};
    struct round round = {0};
    if (plugin->kind != SLUICE_KIND_SOURCE || !sluice_worker_exactly_once(herder->worker))
        return true;
    bool ok = look(herder, name, &round, answer);
    if (ok && round.old_n > 0)
        ok = answer_fenced(fence_all(herder, name, &round.config, round.old_n, &err), &err, answer);
    sluice_map_fini(&round.config);
    return ok;
}

/* ---- the worker's hooks ---- */

static char *fence_url(const char *base, const char *connector)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    sluice_buf_addf(&buf, "%sconnectors/", base);
    for (const unsigned char *c = (const unsigned char *)connector; *c; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= '0' && *c <= '9') || strchr("-._~", *c);
        sluice_buf_addf(&buf, plain ? "%c" : "%%%02X", *c);
    }
    sluice_buf_adds(&buf, "/fence");
    char *url = sluice_xstrdup(sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    return url;
}

/* What the leader at this URL answers; true: anything. */
static bool ask_leader(struct distributed *herder, const char *base, const char *connector,
                       struct sluice_http_response *response, struct sluice_err *err)
{
    const char *algorithm = sluice_worker_prop(herder->worker, "inter.worker.signature.algorithm");
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    char *key = sluice_xstrdup(cluster->session_key);
    sluice_config_log_unlock(herder->configs);
    if (!key) return sluice_err_set(err, "there is no session key yet");
    char *signature = sluice_sign(key, algorithm, "", 0, err), *url = fence_url(base, connector);
    bool ok = false;
    if (signature) {
        char *own = sluice_xasprintf("X-Connect-Authorization: %s", signature);
        char *kind = sluice_xasprintf("X-Connect-Request-Signature-Algorithm: %s", algorithm);
        const char *headers[] = {own, kind, NULL};
        struct sluice_http_request request = {.method = "PUT", .url = url, .headers = headers};
        ok = sluice_http_do(herder->given.http, &request, response, NULL, err);
        free(own);
        free(kind);
    }
    free(signature);
    free(url);
    free(key);
    return ok;
}

/* A status as a verdict. 500 and other refusals that another try does not change fail the task. */
static enum sluice_verdict fence_verdict(int status, const char *text, struct sluice_err *err)
{
    if (status < 300) return SLUICE_OK;
    sluice_err_set(err, "fencing former tasks: the leader answered %d%s%s", status,
                   text ? ": " : "", text ? text : "");
    bool again = status == 409 || status == 403 || status == 503 || status == 404;
    return again ? SLUICE_RETRY : SLUICE_FAIL;
}

enum sluice_verdict distributed_hook_fence(void *arg, const char *connector, struct sluice_err *err)
{
    struct distributed *herder = arg;
    struct sluice_answer answer = {0};
    enum sluice_verdict verdict;
    fence(herder, connector, &answer);
    if (!answer.forward) {
        const char *text = json_string_value(json_object_get(answer.body, "message"));
        verdict = fence_verdict(answer.status, text, err);
    } else {
        struct sluice_http_response response = {0};
        verdict = SLUICE_RETRY;
        if (ask_leader(herder, answer.forward, connector, &response, err)) {
            json_t *body = json_loads(response.body, 0, NULL);
            const char *text = json_string_value(json_object_get(body, "message"));
            verdict = fence_verdict(response.status, text, err);
            json_decref(body);
        }
        sluice_http_response_fini(&response);
    }
    sluice_answer_fini(&answer);
    return verdict;
}

/* RETRY when it is not wanted any more: the herder's thread is about to end it. */
enum sluice_verdict distributed_hook_current(void *arg, const char *connector, int id,
                                             struct sluice_err *err)
{
    struct distributed *herder = arg;
    struct sluice_group_state state;
    enum sluice_verdict verdict =
        sluice_log_reader_catch_up(herder->reader, herder->config_topic, CURRENT_MS, err);
    if (verdict != SLUICE_OK) return verdict;
    sluice_group_state(herder->group, &state);
    const struct sluice_cluster *cluster = sluice_config_log_lock(herder->configs);
    const struct sluice_cluster_connector *conn = sluice_cluster_find(cluster, connector);
    bool mine = conn && id < conn->owners_n && conn->task_owners[id].member &&
                !conn->task_owners[id].leaving &&
                strcmp(conn->task_owners[id].member, state.self) == 0;
    bool current = mine && distributed_runs(herder, connector, id, conn->tasks_offset);
    sluice_config_log_unlock(herder->configs);
    if (current) return SLUICE_OK;
    sluice_err_set(err, "task %s-%d is not this worker's any more, or has a new config", connector,
                   id);
    return SLUICE_RETRY;
}
