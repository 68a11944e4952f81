/* Rates and averages over the last half minute to minute. */
#include "rest_test.h"

#include "rest/windows.h"

static struct sluice_task_counters counters(uint64_t age_s, uint64_t records, uint64_t batches)
{
    return (struct sluice_task_counters){.age_ms = age_s * 1000,
                                         .polled = records,
                                         .written = records / 2,
                                         .commits = age_s / 10,
                                         .batches = batches,
                                         .batch_us = batches * 2000};
}

static struct sluice_task_rates ask(struct sluice_windows *windows, uint64_t at_s, int task,
                                    struct sluice_task_counters now)
{
    struct sluice_task_rates rates;
    sluice_windows_rates(windows, "c", task, &now, (int64_t)at_s * 1000, &rates);
    return rates;
}

#define CHECK_ABOUT(a, b) CHECK((a) - (b) < 1e-9 && (b) - (a) < 1e-9)

TEST(rates_begin_at_the_start_and_forget)
{
    struct sluice_windows *windows = sluice_windows_new();
    struct sluice_task_rates rates = ask(windows, 1000, 0, counters(10, 1000, 10));
    CHECK_ABOUT(rates.polled, 100);
    CHECK_ABOUT(rates.written, 50);
    CHECK_ABOUT(rates.commits, 0.1);
    CHECK_ABOUT(rates.batch_avg_ms, 2);
    CHECK_ABOUT(rates.batch_avg_n, 100);
    rates = ask(windows, 1010, 0, counters(20, 1000, 10)); /* still from the start on */
    CHECK_ABOUT(rates.polled, 50);
    rates = ask(windows, 1030, 0, counters(40, 1000, 10)); /* the window moved on */
    CHECK_ABOUT(rates.polled, 0);
    CHECK_ABOUT(rates.batch_avg_ms, 0);
    rates = ask(windows, 1060, 0, counters(70, 1300, 40));
    CHECK_ABOUT(rates.polled, 10);
    CHECK_ABOUT(rates.batch_avg_n, 10);
    rates = ask(windows, 1061, 1, counters(1, 7, 1)); /* another task */
    CHECK_ABOUT(rates.polled, 7);
    rates = ask(windows, 1070, 0, counters(2, 20, 1)); /* started again */
    CHECK_ABOUT(rates.polled, 10);
    sluice_windows_free(windows);
}

TEST(tasks_that_are_gone_are_forgotten)
{
    struct sluice_windows *windows = sluice_windows_new();
    for (int i = 0; i < 100; i++) ask(windows, 1000, i, counters(10, 1000, 10));
    ask(windows, 2000, 5, counters(1010, 1000, 10));
    sluice_windows_trim(windows, 2000 * 1000);
    struct sluice_task_rates rates = ask(windows, 2000, 7, counters(1010, 10100, 10));
    CHECK_ABOUT(rates.polled, 10); /* as if never seen: from its start on */
    rates = ask(windows, 2040, 5, counters(1050, 2000, 11)); /* kept: since it was asked about */
    CHECK_ABOUT(rates.polled, 25);
    sluice_windows_trim(windows, 9000 * 1000);
    sluice_windows_free(windows);
}

TEST(commits_are_rated_in_parts)
{
    struct sluice_windows *windows = sluice_windows_new();
    struct sluice_task_counters now = counters(10, 100, 10);
    now.commits = 3;
    now.commit_failures = 1;
    now.commit_us = 8000;
    now.commit_skips = 5;
    now.in_flight_sum = 40;
    struct sluice_task_rates rates = ask(windows, 1000, 0, now);
    CHECK_ABOUT(rates.commit_success, 0.75);
    CHECK_ABOUT(rates.commit_failure, 0.25);
    CHECK_ABOUT(rates.commit_avg_ms, 2);
    CHECK_ABOUT(rates.skips, 0.5);
    CHECK_ABOUT(rates.active_avg, 4);
    now.age_ms += 40000;
    rates = ask(windows, 1040, 0, now); /* the window moves on */
    now.age_ms += 10000;
    rates = ask(windows, 1050, 0, now); /* nothing in it */
    CHECK_ABOUT(rates.commit_success, 0);
    CHECK_ABOUT(rates.commit_failure, 0);
    CHECK_ABOUT(rates.commit_avg_ms, 0);
    sluice_windows_free(windows);
}
