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

static bool known(double value) { return value >= 0 && value < 1e15; }

static json_t *whole(double value)
{
    return known(value) ? json_integer((json_int_t)llround(value)) : json_null();
}

/* In quarters, which have few digits in binary and in decimal. */
static json_t *quarters(double value)
{
    return known(value) ? json_real(round(value * 4) / 4) : json_null();
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
    json_object_set_new(json, "percent", quarters(progress->percent));
    json_object_set_new(json, "remaining_seconds", whole(progress->remaining_s));
    json_object_set_new(json, "paused", json_boolean(progress->paused));
    json_object_set_new(json, "unit", text(progress->unit));
    json_object_set_new(json, "done", json_integer((json_int_t)progress->done));
    json_object_set_new(json, "expected", whole(progress->expected));
    json_object_set_new(json, "per_second", quarters(progress->rate));
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
