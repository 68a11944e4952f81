/* retry.c - see retry.h. */
#include "worker/retry.h"

#include <assert.h>

#include "base/clock.h"

void sluice_backoff_init(struct sluice_backoff *backoff, int64_t first_ms, int64_t max_ms)
{
    assert(first_ms > 0 && max_ms >= first_ms);
    backoff->first_ms = first_ms;
    backoff->max_ms = max_ms;
    backoff->tries = 0;
    backoff->random = (uint64_t)sluice_wall_us() ^ (uintptr_t)backoff;
}

void sluice_backoff_reset(struct sluice_backoff *backoff) { backoff->tries = 0; }

int64_t sluice_backoff_next(struct sluice_backoff *backoff)
{
    int64_t ms = backoff->first_ms;
    for (unsigned i = 0; i < backoff->tries && ms < backoff->max_ms; i++) ms *= 2;
    if (ms > backoff->max_ms) ms = backoff->max_ms;
    backoff->tries++;
    backoff->random = backoff->random * 6364136223846793005u + 1442695040888963407u;
    return ms - (int64_t)((backoff->random >> 33) % (uint64_t)(ms / 4 + 1)); /* 75 to 100 % */
}
