/* harness.h - unit tests: TEST(name) { CHECK(...); } in any file, main() is in harness.c.
 *
 *     TEST(map_keeps_order)
 *     {
 *         CHECK_INT(map.n, 2);
 *         CHECK_STR(sluice_map_get(&map, "a"), "1");
 *     }
 *
 * A failed check prints file, line and both values and ends its test (with a longjmp: what the
 * test had allocated leaks then, and only then); on another thread than the test's it ends the
 * program. A test that leaves a file descriptor open fails.
 * The program takes patterns (fnmatch) of test names, -l lists them. */
#ifndef SLUICE_TESTS_HARNESS_H
#define SLUICE_TESTS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct harness_test {
    const char *name, *file;
    void (*run)(void);
    struct harness_test *next;
};

void harness_register(struct harness_test *test);

#define TEST(test_name)                                                                            \
    static void test_name(void);                                                                   \
    static struct harness_test harness_##test_name = {#test_name, __FILE__, test_name, NULL};      \
    __attribute__((constructor)) static void harness_add_##test_name(void)                         \
    {                                                                                              \
        harness_register(&harness_##test_name);                                                    \
    }                                                                                              \
    static void test_name(void)

#define CHECK(condition) harness_check(__FILE__, __LINE__, (condition), #condition)
#define CHECK_INT(got, want)                                                                       \
    harness_check_int(__FILE__, __LINE__, #got, (long long)(got), (long long)(want))
#define CHECK_STR(got, want) harness_check_str(__FILE__, __LINE__, #got, (got), (want))
/* The text holds this piece. */
#define CHECK_HAS(text, piece) harness_check_has(__FILE__, __LINE__, #text, (text), (piece))
#define CHECK_MEM(got, got_len, want, want_len)                                                    \
    harness_check_mem(__FILE__, __LINE__, #got, (got), (got_len), (want), (want_len))
/* Exact, NaN equals NaN. */
#define CHECK_DOUBLE(got, want) harness_check_double(__FILE__, __LINE__, #got, (got), (want))
#define FAIL(...) harness_fail(__FILE__, __LINE__, __VA_ARGS__)

void harness_check(const char *file, int line, bool ok, const char *condition);
void harness_check_int(const char *file, int line, const char *what, long long got, long long want);
void harness_check_str(const char *file, int line, const char *what, const char *got,
                       const char *want);
void harness_check_has(const char *file, int line, const char *what, const char *text,
                       const char *piece);
void harness_check_mem(const char *file, int line, const char *what, const void *got,
                       size_t got_len, const void *want, size_t want_len);
void harness_check_double(const char *file, int line, const char *what, double got, double want);
_Noreturn void harness_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A file of tests/ as a terminated string (caller frees); fails the test when it is not there.
 * name: below tests/, such as "golden/cdc_types.json". len may be NULL. */
char *harness_file(const char *name, size_t *len);
/* A fresh directory for this test, removed with its files afterwards; the harness owns the text. */
const char *harness_dir(void);
/* Runs fn(arg) in a child; true when it ended by the signal. For asserts and abort handlers. */
bool harness_dies(void (*fn)(void *arg), void *arg, int by_signal);
/* Waits until holds(arg), on the calling thread; false: not within a time that no machine needs. */
bool harness_until(bool (*holds)(void *arg), void *arg);
/* What fn(arg) writes to stderr, a terminated string (caller frees). */
char *harness_stderr(void (*fn)(void *arg), void *arg);

#endif
