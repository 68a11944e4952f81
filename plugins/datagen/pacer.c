/* pacer.c - see pacer.h. The due time advances by what was spent, not from "now", so that the mean
 * is kept when polls are late; after a standstill (pause, full window) nothing is caught up. */
#include "pacer.h"

#include <poll.h>
#include <stddef.h>
#include <time.h>

#define CATCH_UP_NS 250000000 /* at most so much is made up for */

static int64_t clock_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* [0, max) whole milliseconds, as Math.random() times max: its own generator, so that pauses do
 * not disturb what a seed gives. */
static int64_t pause_ms(struct pacer *pacer)
{
    pacer->random ^= pacer->random << 13;
    pacer->random ^= pacer->random >> 7;
    pacer->random ^= pacer->random << 17;
    double part = (double)(pacer->random >> 11) * 0x1.0p-53;
    return (int64_t)(part * (double)pacer->max_interval_ms);
}

void pacer_init(struct pacer *pacer, int64_t max_interval_ms, double rate)
{
    pacer->now_ns = clock_ns();
    pacer->max_interval_ms = max_interval_ms;
    pacer->rate = rate;
    pacer->random = (uint64_t)pacer->now_ns | 1;
    pacer->due_ns = (double)pacer->now_ns;
    if (rate <= 0 && max_interval_ms > 0) pacer->due_ns += (double)pause_ms(pacer) * 1e6;
}

bool pacer_due(struct pacer *pacer)
{
    if (pacer->rate <= 0 && pacer->max_interval_ms <= 0) return true;
    if ((double)pacer->now_ns >= pacer->due_ns) return true;
    pacer->now_ns = clock_ns();
    return (double)pacer->now_ns >= pacer->due_ns;
}

void pacer_spend(struct pacer *pacer, uint32_t n)
{
    if (pacer->rate > 0) pacer->due_ns += n * 1e9 / pacer->rate;
    else if (pacer->max_interval_ms > 0) pacer->due_ns += (double)pause_ms(pacer) * 1e6;
    double oldest = (double)(pacer->now_ns - CATCH_UP_NS);
    if (pacer->due_ns < oldest) pacer->due_ns = oldest;
}

void pacer_wait(struct pacer *pacer, int wait_ms, int wake_fd)
{
    pacer->now_ns = clock_ns();
    double left_ms = (pacer->due_ns - (double)pacer->now_ns) / 1e6;
    int ms = left_ms >= (double)wait_ms ? wait_ms : left_ms <= 0 ? 0 : (int)left_ms + 1;
    struct pollfd wake = {.fd = wake_fd, .events = POLLIN};
    if (ms > 0) (void)poll(&wake, 1, ms);
    pacer->now_ns = clock_ns();
}
