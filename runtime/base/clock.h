/* clock.h - time, in one place. */
#ifndef SLUICE_BASE_CLOCK_H
#define SLUICE_BASE_CLOCK_H

#include <stdint.h>

int64_t sluice_now_ms(void); /* monotonic; for waits and deadlines */
int64_t sluice_now_us(void); /* the same clock, for short times */
/* Monotonic, and goes on while the machine sleeps: for leases, which end for others meanwhile. */
int64_t sluice_boot_ms(void);
int64_t sluice_wall_ms(void); /* Unix milliseconds */
int64_t sluice_wall_us(void); /* Unix microseconds */
/* "2026-11-21T08:40:08.123Z" into 25 bytes. */
void sluice_wall_text(int64_t wall_ms, char out[25]);

#endif
