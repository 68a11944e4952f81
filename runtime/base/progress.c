/* progress.c - see progress.h. Texts are made when they are told, on the task's thread. */
#include "base/progress.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/thread.h"

struct owner {
    struct owner *next;
    const void *who;
    char *connector;
    int task;
    json_t *list;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a leaf */
static struct owner *owners;                             /* who told last comes first */

static void free_owner(struct owner *owner)
{
    if (!owner) return;
    json_decref(owner->list);
    free(owner->connector);
    free(owner);
}

/* Takes the owner's out; NULL: it has none. */
static struct owner *take(const void *who)
{
    struct owner **at = &owners;
    while (*at && (*at)->who != who) at = &(*at)->next;
    struct owner *owner = *at;
    if (owner) *at = owner->next;
    return owner;
}

/* Null where it is unknown; else with so many digits behind the point. */
static json_t *number(double value, double digits)
{
    double scale = pow(10, digits);
    if (!isfinite(value) || value < 0 || value > 1e15) return json_null();
    return digits > 0 ? json_real(round(value * scale) / scale)
                      : json_integer((json_int_t)llround(value));
}

static json_t *text(const char *from)
{
    json_t *json = from ? json_string(from) : NULL;
    return json ? json : json_null(); /* null also what is not UTF-8 */
}

static json_t *clock_text(int64_t ms)
{
    char out[40];
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return json_string(out);
}

static json_t *one(const struct sluice_progress *progress)
{
    json_t *json = json_object();
    json_object_set_new(json, "what", text(progress->what));
    json_object_set_new(json, "started_at", clock_text(progress->started_ms));
    json_object_set_new(json, "percent", number(progress->percent, 1));
    json_object_set_new(json, "remaining_seconds", number(progress->remaining_s, 0));
    json_object_set_new(json, "paused", json_boolean(progress->paused));
    json_object_set_new(json, "unit", text(progress->unit));
    json_object_set_new(json, "done", json_integer((json_int_t)progress->done));
    json_object_set_new(json, "expected", number(progress->expected, 0));
    json_object_set_new(json, "per_second", number(progress->rate, 1));
    json_object_set_new(json, "part", text(progress->part));
    json_object_set_new(json, "parts_done", json_integer((json_int_t)progress->parts_done));
    json_object_set_new(json, "parts", json_integer((json_int_t)progress->parts));
    return json;
}

void sluice_progress_set(const void *owner, const char *connector, int task,
                         const struct sluice_progress *list, size_t n)
{
    struct owner *made = NULL;
    assert(owner && connector && (list || !n));
    if (n) {
        made = sluice_xcalloc(1, sizeof *made);
        made->who = owner;
        made->connector = sluice_xstrdup(connector);
        made->task = task;
        made->list = json_array();
        for (size_t i = 0; i < n && i < SLUICE_PROGRESS_MAX; i++)
            json_array_append_new(made->list, one(&list[i]));
    }
    sluice_lock(&lock);
    struct owner *former = take(owner);
    if (made) {
        made->next = owners;
        owners = made;
    }
    sluice_unlock(&lock);
    free_owner(former);
}

void sluice_progress_drop(const void *owner)
{
    sluice_lock(&lock);
    struct owner *former = take(owner);
    sluice_unlock(&lock);
    free_owner(former);
}

json_t *sluice_progress_json(const char *connector, int task)
{
    json_t *list = NULL;
    sluice_lock(&lock);
    for (const struct owner *o = owners; o && !list; o = o->next)
        if (o->task == task && !strcmp(o->connector, connector)) list = json_deep_copy(o->list);
    sluice_unlock(&lock);
    return list ? list : json_array();
}
