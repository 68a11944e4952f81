/* timers.h - what is due when: a binary heap of timers that live in their owners.
 * Setting, moving and cancelling cost O(log n), the next one O(1). Owner: whoever locks. */
#ifndef SLUICE_HERDER_TIMERS_H
#define SLUICE_HERDER_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct sluice_timer {
    void (*fired)(void *owner); /* both set by the owner */
    void *owner;
    int64_t due_ms; /* sluice_now_ms() */
    size_t at;      /* place in the heap, from 1; 0: not set */
};

struct sluice_timers {
    struct sluice_timer **heap;
    size_t n, cap;
};

void sluice_timers_fini(struct sluice_timers *timers);
void sluice_timers_set(struct sluice_timers *timers, struct sluice_timer *timer, int64_t due_ms);
void sluice_timers_cancel(struct sluice_timers *timers, struct sluice_timer *timer); /* if set */
struct sluice_timer *sluice_timers_first(const struct sluice_timers *timers); /* NULL: none */

#endif
