/* measure.h - what benches of one function share: the clock, and memcpy of the same bytes, to which
 * each figure is held. Included by one file of a program. */
#ifndef SLUICE_BENCH_MEASURE_H
#define SLUICE_BENCH_MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static volatile char sink; /* what is written here was really read */

/* Nanoseconds a copy of these bytes takes. */
static inline double memcpy_ns(const char *data, size_t len, double budget_ns)
{
    char *copy = malloc(len);
    size_t n = 0;
    double start = now_ns();
    while (now_ns() - start < budget_ns) {
        for (int i = 0; i < 1000; i++) {
            memcpy(copy, data, len);
            sink = copy[len / 2];
            __asm__ volatile("" : : "r"(copy) : "memory");
        }
        n += 1000;
    }
    double ns = (now_ns() - start) / (double)n;
    free(copy);
    return ns;
}

static inline void report_record(const char *what, const char *way, size_t bytes, double ns,
                                 double copy_ns)
{
    printf("%-26s %-6s %6zu bytes %8.1f ns/record %8.1f MB/s   memcpy %6.1f ns, ratio %.1f\n", what,
           way, bytes, ns, (double)bytes * 1e3 / ns, copy_ns, ns / copy_ns);
}

#endif
