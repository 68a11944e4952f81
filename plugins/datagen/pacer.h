/* pacer.h - when the next record (or iteration) may go: a random pause below max.interval, or an
 * even rate. Time is CLOCK_MONOTONIC in nanoseconds. */
#ifndef DATAGEN_PACER_H
#define DATAGEN_PACER_H

#include <stdbool.h>
#include <stdint.h>

struct pacer {
    int64_t max_interval_ms; /* <= 0: no pauses */
    double rate;             /* a second; 0: no limit */
    double due_ns;           /* of the next one */
    int64_t now_ns;          /* as last looked up */
    uint64_t random;
};

void pacer_init(struct pacer *pacer, int64_t max_interval_ms, double rate);
/* The next one may go now. Looks at the clock only when the time known is not enough. */
bool pacer_due(struct pacer *pacer);
/* One went: n records of rate, or one pause, are taken off. */
void pacer_spend(struct pacer *pacer, uint32_t n);
/* Waits until the next is due, at most wait_ms, and not once wake_fd is readable. */
void pacer_wait(struct pacer *pacer, int wait_ms, int wake_fd);

#endif
