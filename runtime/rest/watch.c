/* watch.c - see watch.h. */
#include "rest/watch.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

#define LOOK_MS 1000 /* at least so often, because a full house shortens the time */

struct sluice_watched {
    int fd;
    int64_t since_ms; /* -1: a handler works */
    struct sluice_watched *prev, *next;
};

struct sluice_watch {
    pthread_mutex_t lock;
    struct sluice_watched *all;
    size_t n, places;
    int64_t limit_ms;
};

struct sluice_watch *sluice_watch_new(size_t places, int64_t limit_ms)
{
    struct sluice_watch *watch = sluice_xcalloc(1, sizeof *watch);
    pthread_mutex_init(&watch->lock, NULL);
    watch->places = places;
    watch->limit_ms = limit_ms;
    return watch;
}

void sluice_watch_free(struct sluice_watch *watch)
{
    if (!watch) return;
    assert(!watch->all);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

void sluice_watch_limit(struct sluice_watch *watch, int64_t limit_ms)
{
    sluice_lock(&watch->lock);
    watch->limit_ms = limit_ms;
    sluice_unlock(&watch->lock);
}

struct sluice_watched *sluice_watch_opened(struct sluice_watch *watch, int fd, bool *first)
{
    assert(fd >= 0);
    struct sluice_watched *watched = sluice_xcalloc(1, sizeof *watched);
    watched->fd = fd;
    watched->since_ms = sluice_now_ms();
    sluice_lock(&watch->lock);
    *first = !watch->all;
    watched->next = watch->all;
    if (watch->all) watch->all->prev = watched;
    watch->all = watched;
    watch->n++;
    sluice_unlock(&watch->lock);
    return watched;
}

void sluice_watch_closed(struct sluice_watch *watch, struct sluice_watched *watched)
{
    sluice_lock(&watch->lock);
    assert(watch->n > 0);
    if (watched->prev) watched->prev->next = watched->next;
    else watch->all = watched->next;
    if (watched->next) watched->next->prev = watched->prev;
    watch->n--;
    sluice_unlock(&watch->lock);
    free(watched);
}

void sluice_watch_note(struct sluice_watch *watch, struct sluice_watched *watched, bool works)
{
    sluice_lock(&watch->lock);
    watched->since_ms = works ? -1 : sluice_now_ms();
    sluice_unlock(&watch->lock);
}

int64_t sluice_watch_cut(struct sluice_watch *watch)
{
    int64_t now = sluice_now_ms();
    sluice_lock(&watch->lock);
    bool crowded = watch->n > watch->places / 4 * 3;
    int64_t limit = crowded ? watch->limit_ms / 10 : watch->limit_ms;
    int64_t next = watch->all ? LOOK_MS : -1;
    for (struct sluice_watched *one = watch->all; one; one = one->next) {
        if (one->since_ms < 0) continue;
        int64_t left = one->since_ms + limit - now;
        /* the descriptor is closed by its owner, who sees the end of the stream */
        if (left <= 0) shutdown(one->fd, SHUT_RDWR);
        else if (left < next) next = left;
    }
    sluice_unlock(&watch->lock);
    return next;
}
