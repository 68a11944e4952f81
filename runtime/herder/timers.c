/* timers.c - see timers.h. */
#include "herder/timers.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

void sluice_timers_fini(struct sluice_timers *timers)
{
    free(timers->heap);
    *timers = (struct sluice_timers){0};
}

/* Places count from 1, so that the children of a place are at 2n and 2n + 1. */
static struct sluice_timer *timer_at(const struct sluice_timers *timers, size_t at)
{
    assert(at >= 1 && at <= timers->n);
    return timers->heap[at - 1];
}

static void place(struct sluice_timers *timers, struct sluice_timer *timer, size_t at)
{
    assert(at >= 1 && at <= timers->n);
    timers->heap[at - 1] = timer;
    timer->at = at;
}

static void sift_up(struct sluice_timers *timers, struct sluice_timer *timer, size_t at)
{
    for (; at > 1 && timer_at(timers, at / 2)->due_ms > timer->due_ms; at /= 2)
        place(timers, timer_at(timers, at / 2), at);
    place(timers, timer, at);
}

static void sift_down(struct sluice_timers *timers, struct sluice_timer *timer, size_t at)
{
    for (size_t child; (child = at * 2) <= timers->n; at = child) {
        if (child < timers->n &&
            timer_at(timers, child + 1)->due_ms < timer_at(timers, child)->due_ms)
            child++;
        if (timer_at(timers, child)->due_ms >= timer->due_ms) break;
        place(timers, timer_at(timers, child), at);
    }
    place(timers, timer, at);
}

void sluice_timers_set(struct sluice_timers *timers, struct sluice_timer *timer, int64_t due_ms)
{
    assert(timer->fired && timer->owner);
    sluice_timers_cancel(timers, timer);
    timer->due_ms = due_ms;
    timers->heap = sluice_xgrow(timers->heap, timers->n, &timers->cap, sizeof *timers->heap);
    timers->n++;
    sift_up(timers, timer, timers->n);
}

void sluice_timers_cancel(struct sluice_timers *timers, struct sluice_timer *timer)
{
    size_t at = timer->at;
    if (at == 0) return;
    assert(timer_at(timers, at) == timer);
    struct sluice_timer *last = timer_at(timers, timers->n);
    timers->n--;
    timer->at = 0;
    if (last == timer) return;
    if (at > 1 && timer_at(timers, at / 2)->due_ms > last->due_ms) sift_up(timers, last, at);
    else sift_down(timers, last, at);
}

struct sluice_timer *sluice_timers_first(const struct sluice_timers *timers)
{
    return timers->n ? timer_at(timers, 1) : NULL;
}
