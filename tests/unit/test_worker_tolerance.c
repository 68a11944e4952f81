/* Waits between tries: Connect's numbers. */
#include "worker/tolerance.h"

#include "../harness.h"

static int64_t delay(int64_t timeout_ms, int64_t max_ms, unsigned tries, int64_t passed_ms)
{
    uint64_t random = 1;
    return sluice_retry_delay(timeout_ms, max_ms, tries, passed_ms, &random);
}

TEST(tolerance_doubles_from_300_ms)
{
    CHECK_INT(delay(-1, 60000, 1, 0), 300);
    CHECK_INT(delay(-1, 60000, 2, 300), 600);
    CHECK_INT(delay(-1, 60000, 8, 40000), 38400);
    CHECK_INT(delay(100000, 300, 1, 0), 300); /* not above the limit */
}

TEST(tolerance_waits_a_random_time_above_the_limit)
{
    uint64_t random = 42;
    int64_t least = 1000, most = 0;
    for (unsigned tries = 3; tries < 2000; tries++) { /* shifts that would overflow, too */
        int64_t ms = sluice_retry_delay(-1, 1000, tries, 0, &random);
        CHECK(ms >= 0 && ms < 1000);
        if (ms < least) least = ms;
        if (ms > most) most = ms;
    }
    CHECK(least < 50 && most > 950);
}

TEST(tolerance_ends_at_the_timeout)
{
    CHECK_INT(delay(0, 60000, 1, 0), -1);
    CHECK_INT(delay(1000, 60000, 1, 900), 100);
    CHECK_INT(delay(1000, 60000, 3, 1000), -1);
    CHECK_INT(delay(-1, 60000, 3, INT64_MAX / 2), 1200);
}
