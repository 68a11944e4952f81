/* clock.c - time, in one place. Any thread. */
#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

static int64_t read_us(clockid_t clock)
{
    struct timespec now;
    int rc = clock_gettime(clock, &now);
    assert(rc == 0);
    (void)rc;
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t sluice_now_ms(void) { return read_us(CLOCK_MONOTONIC) / 1000; }
int64_t sluice_now_us(void) { return read_us(CLOCK_MONOTONIC); }
int64_t sluice_boot_ms(void) { return read_us(CLOCK_BOOTTIME) / 1000; }
int64_t sluice_wall_ms(void) { return read_us(CLOCK_REALTIME) / 1000; }
int64_t sluice_wall_us(void) { return read_us(CLOCK_REALTIME); }

void sluice_wall_text(int64_t wall_ms, char out[25])
{
    int64_t seconds = wall_ms / 1000, ms = wall_ms % 1000;
    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    time_t time = (time_t)seconds;
    struct tm tm;
    /* The form has four digits for the year. */
    if (!gmtime_r(&time, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099) {
        snprintf(out, 25, "0000-00-00T00:00:00.000Z");
        return;
    }
    char text[64];
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms);
    snprintf(out, 25, "%.24s", text);
}
