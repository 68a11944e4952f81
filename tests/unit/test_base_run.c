/* test_base_run.c - clock, log, thread. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/thread.h"
#include "harness.h"

TEST(clock_texts)
{
    char text[25];
    sluice_wall_text(0, text);
    CHECK_STR(text, "1970-01-01T00:00:00.000Z");
    sluice_wall_text(1795250408123, text);
    CHECK_STR(text, "2026-11-21T08:40:08.123Z");
    sluice_wall_text(-1, text);
    CHECK_STR(text, "1969-12-31T23:59:59.999Z");
    sluice_wall_text(INT64_MAX, text);
    CHECK_STR(text, "0000-00-00T00:00:00.000Z");
    int64_t a = sluice_now_ms(), wall = sluice_wall_ms();
    CHECK(sluice_now_ms() >= a);
    CHECK(sluice_wall_us() / 1000 >= wall && wall > 1700000000000);
}

static void log_plain(void *arg)
{
    (void)arg;
    sluice_log(SLUICE_WARN, "pg \"x\"", 3, "line\none\t\"q\" \\ caf\xC3\xA9 \x1b[31m \xff");
    sluice_log(SLUICE_INFO, "orders", -1, "started");
    sluice_log(SLUICE_DEBUG, NULL, -1, "not shown");
}

TEST(log_is_logfmt_on_one_line)
{
    char *text = harness_stderr(log_plain, NULL);
    CHECK_HAS(text,
              " level=warn connector=\"pg \\\"x\\\"\" task=3 msg=\"line\\none\\t\\\"q\\\" \\\\ "
              "caf\xC3\xA9 \\x1b[31m \\xff\"\n");
    CHECK_HAS(text, " level=info connector=orders msg=\"started\"\n");
    CHECK(strncmp(text, "ts=20", 5) == 0);
    CHECK(strstr(text, "not shown") == NULL);
    free(text);
}

static void log_long(void *arg)
{
    char *name = arg;
    char message[10000];
    memset(message, '\x01', sizeof(message));
    message[sizeof(message) - 1] = '\0';
    errno = EPIPE;
    sluice_log(SLUICE_ERROR, name, 1, "%s", message);
    CHECK_INT(errno, EPIPE);
}

TEST(log_cuts_a_long_line_but_ends_it)
{
    char name[8000];
    memset(name, '"', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    char *text = harness_stderr(log_long, name);
    size_t len = strlen(text);
    CHECK(len <= 4096 && len > 2000);
    CHECK_STR(text + len - 2, "\"\n");
    CHECK_HAS(text, "msg=\"\\x01");
    free(text);
}

static void log_debug(void *arg)
{
    (void)arg;
    sluice_log_level(SLUICE_DEBUG);
    sluice_log(SLUICE_DEBUG, NULL, -1, "shown");
    sluice_log_level(SLUICE_ERROR);
    sluice_log(SLUICE_WARN, NULL, -1, "hidden");
    sluice_log_level(SLUICE_INFO);
}

TEST(log_level_selects)
{
    char *text = harness_stderr(log_debug, NULL);
    CHECK_HAS(text, "level=debug msg=\"shown\"");
    CHECK(strstr(text, "hidden") == NULL);
    CHECK(sluice_log_enabled(SLUICE_INFO) && !sluice_log_enabled(SLUICE_DEBUG));
    free(text);
}

static void *log_many(void *arg)
{
    for (int i = 0; i < 500; i++) sluice_log(SLUICE_INFO, NULL, *(int *)arg, "a line of its own");
    return NULL;
}

static void log_from_threads(void *arg)
{
    (void)arg;
    pthread_t threads[4];
    int ids[4] = {0, 1, 2, 3};
    struct sluice_err err;
    for (int i = 0; i < 4; i++) {
        CHECK(sluice_thread_start(&threads[i], "a-name-longer-than-15", log_many, &ids[i], &err));
    }
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

TEST(log_lines_of_threads_do_not_mix)
{
    char *text = harness_stderr(log_from_threads, NULL);
    size_t lines = 0;
    for (char *line = text; *line; lines++) {
        char *end = strchr(line, '\n');
        CHECK(end != NULL);
        *end = '\0';
        CHECK(strncmp(line, "ts=", 3) == 0);
        CHECK_HAS(line, " msg=\"a line of its own\"");
        line = end + 1;
    }
    CHECK_INT(lines, 2000);
    free(text);
}

TEST(wake_is_seen_until_cleared)
{
    struct sluice_wake wake;
    sluice_wake_init(&wake);
    CHECK(!sluice_wake_wait(&wake, 0));
    sluice_wake_clear(&wake); /* nothing there: does not block */
    sluice_wake_up(&wake);
    sluice_wake_up(&wake);
    CHECK(sluice_wake_wait(&wake, -1));
    CHECK(sluice_wake_wait(&wake, 0));
    sluice_wake_clear(&wake);
    CHECK(!sluice_wake_wait(&wake, 1));
    sluice_wake_fini(&wake);
}

static void *wake_it(void *arg)
{
    sluice_wake_up(arg);
    return NULL;
}

TEST(wake_ends_a_wait_of_another_thread)
{
    struct sluice_wake wake;
    struct sluice_err err = {0};
    pthread_t thread;
    sluice_wake_init(&wake);
    CHECK(sluice_thread_start(&thread, "waker", wake_it, &wake, &err));
    CHECK(sluice_wake_wait(&wake, 60000));
    pthread_join(thread, NULL);
    sluice_wake_fini(&wake);
}

static void unlock_unlocked(void *arg)
{
    (void)arg;
    pthread_mutexattr_t attr;
    pthread_mutex_t mutex;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &attr);
    sluice_unlock(&mutex);
}

TEST(misuse_of_a_mutex_aborts)
{
    CHECK(harness_dies(unlock_unlocked, NULL, SIGABRT));
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    sluice_lock(&mutex);
    sluice_unlock(&mutex);
}
