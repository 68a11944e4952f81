/* retry.h - waits that grow: first_ms doubling to max_ms, with jitter so that many tasks do not
 * knock at once. Owner: one thread. */
#ifndef SLUICE_WORKER_RETRY_H
#define SLUICE_WORKER_RETRY_H

#include <stdint.h>

struct sluice_backoff {
    int64_t first_ms, max_ms;
    unsigned tries;
    uint64_t random;
};

void sluice_backoff_init(struct sluice_backoff *backoff, int64_t first_ms, int64_t max_ms);
void sluice_backoff_reset(struct sluice_backoff *backoff);   /* it worked */
int64_t sluice_backoff_next(struct sluice_backoff *backoff); /* how long to wait now, in ms */

#endif
