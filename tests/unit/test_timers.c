/* The heap of timers against looking through all of them. */
#include "harness.h"

#include <stdlib.h>

#include "herder/timers.h"

#define N 200

static void fired(void *owner) { ++*(int *)owner; }

static const struct sluice_timer *earliest(const struct sluice_timer *all)
{
    const struct sluice_timer *best = NULL;
    for (size_t i = 0; i < N; i++)
        if (all[i].at && (!best || all[i].due_ms < best->due_ms)) best = &all[i];
    return best;
}

TEST(the_next_timer_is_the_earliest_whatever_is_set_moved_and_cancelled)
{
    struct sluice_timers timers = {0};
    struct sluice_timer all[N] = {0};
    int owners[N] = {0};
    uint32_t random = 1;
    CHECK(sluice_timers_first(&timers) == NULL);
    for (size_t i = 0; i < N; i++) all[i] = (struct sluice_timer){fired, &owners[i], 0, 0};
    for (int round = 0; round < 20000; round++) {
        random = random * 1664525 + 1013904223;
        struct sluice_timer *timer = &all[(random >> 8) % N];
        if (random >> 30 == 0) sluice_timers_cancel(&timers, timer);
        else sluice_timers_set(&timers, timer, (int64_t)(random % 1000) - 500);
        const struct sluice_timer *want = earliest(all), *got = sluice_timers_first(&timers);
        CHECK((want == NULL) == (got == NULL));
        if (want) CHECK_INT(got->due_ms, want->due_ms);
    }
    size_t set = 0, taken = 0;
    for (size_t i = 0; i < N; i++) set += all[i].at != 0;
    CHECK_INT(timers.n, set);
    int64_t last = INT64_MIN;
    for (struct sluice_timer *first; (first = sluice_timers_first(&timers)); taken++) {
        CHECK(first->due_ms >= last);
        last = first->due_ms;
        sluice_timers_cancel(&timers, first);
        CHECK_INT(first->at, 0);
        sluice_timers_cancel(&timers, first); /* is not set: nothing happens */
        first->fired(first->owner);
    }
    CHECK_INT(taken, set);
    for (size_t i = 0; i < N; i++) CHECK(owners[i] <= 1);
    sluice_timers_fini(&timers);
}
