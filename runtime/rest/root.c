/* root.c - who answers here, and whether it is well. */
#include <pthread.h>
#include <string.h>

#include "base/log.h"
#include "rest/rest.h"

#define CLUSTER_WAIT_MS 2000

/* The id never changes: asked until it is known. Thread: any. */
static bool cluster_id(struct sluice_worker *worker, char out[64])
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char known[64];
    pthread_mutex_lock(&lock);
    memcpy(out, known, sizeof known);
    pthread_mutex_unlock(&lock);
    if (out[0]) return true;
    struct sluice_err err = {{0}};
    if (!sluice_worker_cluster_id(worker, CLUSTER_WAIT_MS, out, &err)) {
        sluice_log(SLUICE_WARN, NULL, -1, "asking for the id of the Kafka cluster failed: %s",
                   err.msg);
        return false;
    }
    pthread_mutex_lock(&lock);
    memcpy(known, out, sizeof known);
    pthread_mutex_unlock(&lock);
    return true;
}

static void get_root(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    (void)req;
    struct sluice_rest *rest = arg;
    char id[64] = "";
    bool known = cluster_id(rest->worker, id);
    json_t *body = json_object();
    json_object_set_new(body, "version", json_string(SLUICE_VERSION));
    json_object_set_new(body, "commit", json_string(SLUICE_COMMIT));
    json_object_set_new(body, "kafka_cluster_id", known ? sluice_json_safe(id) : json_null());
    sluice_answer_json(answer, 200, body);
}

static void get_health(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    (void)req;
    struct sluice_rest *rest = arg;
    rest->herder->ops->health(rest->herder, answer);
}

const struct sluice_route sluice_root_routes[] = {
    {"GET", "/", SLUICE_ROUTE_WAITS, get_root},
    {"GET", "/health", 0, get_health},
    {0},
};
