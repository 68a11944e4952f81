/* harness.c - runs the tests that registered themselves; see harness.h. One thread runs tests. */
#include "harness.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <ftw.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHOWN_BYTES 2000
#define FDS_MAX 1024
#define UNTIL_S 60

static struct harness_test *tests; /* in order of registration */
static jmp_buf test_end;
static pthread_t tests_thread;
static const struct harness_test *under_way;
static bool failed;
static char dir[256];

/* Tests of the out-of-memory handler want NULL from malloc, as without a sanitizer. */
#ifdef __SANITIZE_ADDRESS__
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }
#endif
#ifdef __SANITIZE_THREAD__
__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "allocator_may_return_null=1"; }
#endif

void harness_register(struct harness_test *test)
{
    struct harness_test **at = &tests;
    while (*at) at = &(*at)->next;
    *at = test;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

_Noreturn static void end_test(void)
{
    if (!pthread_equal(pthread_self(), tests_thread)) { /* has no test_end to go to */
        printf("     in %s (%s), on a thread of its own\n", under_way->name,
               file_name(under_way->file));
        printf("0 passed, 1 failed: the program ends here\n");
        fflush(stdout);
        _exit(1);
    }
    failed = true;
    longjmp(test_end, 1);
}

_Noreturn void harness_fail(const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    printf("FAIL %s:%d: ", file_name(file), line);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    end_test();
}

void harness_check(const char *file, int line, bool ok, const char *condition)
{
    if (!ok) harness_fail(file, line, "not true: %s", condition);
}

void harness_check_int(const char *file, int line, const char *what, long long got, long long want)
{
    if (got != want) harness_fail(file, line, "%s is %lld, not %lld", what, got, want);
}

void harness_check_double(const char *file, int line, const char *what, double got, double want)
{
    if (isnan(got) && isnan(want)) return;
    if (got != want) harness_fail(file, line, "%s is %.17g, not %.17g", what, got, want);
}

void harness_check_str(const char *file, int line, const char *what, const char *got,
                       const char *want)
{
    if (got && want ? strcmp(got, want) == 0 : got == want) return;
    harness_fail(file, line, "%s differs\n  got:  %s\n  want: %s", what, got ? got : "(null)",
                 want ? want : "(null)");
}

void harness_check_has(const char *file, int line, const char *what, const char *text,
                       const char *piece)
{
    if (text && strstr(text, piece)) return;
    harness_fail(file, line, "%s lacks a piece\n  got:   %s\n  piece: %s", what,
                 text ? text : "(null)", piece);
}

/* Printable ASCII as it is, the rest as \xHH. */
static void print_bytes(const char *label, const void *data, size_t len)
{
    const unsigned char *p = data;
    printf("  %s (%zu bytes) ", label, len);
    for (size_t i = 0; i < len && i < SHOWN_BYTES; i++) {
        if (p[i] >= 0x20 && p[i] < 0x7F) putchar(p[i]);
        else printf("\\x%02x", p[i]);
    }
    printf("%s\n", len > SHOWN_BYTES ? "..." : "");
}

void harness_check_mem(const char *file, int line, const char *what, const void *got,
                       size_t got_len, const void *want, size_t want_len)
{
    if (got_len == want_len && (!got_len || memcmp(got, want, got_len) == 0)) return;
    printf("FAIL %s:%d: %s differs\n", file_name(file), line, what);
    print_bytes("got: ", got, got_len);
    print_bytes("want:", want, want_len);
    end_test();
}

char *harness_file(const char *name, size_t *len)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", SLUICE_TEST_DIR, name);
    FILE *file = fopen(path, "rb");
    if (!file) FAIL("cannot open tests/%s: %s", name, strerror(errno));
    size_t n = 0, cap = 4096;
    char *text = malloc(cap + 1);
    for (;;) {
        assert(text);
        size_t got = fread(text + n, 1, cap - n, file);
        n += got;
        if (n < cap) break;
        cap *= 2;
        text = realloc(text, cap + 1);
    }
    fclose(file);
    text[n] = '\0';
    if (len) *len = n;
    return text;
}

const char *harness_dir(void)
{
    if (dir[0]) return dir;
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof(dir), "%s/sluice-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(dir)) FAIL("cannot make a directory %s: %s", dir, strerror(errno));
    return dir;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void remove_dir(void)
{
    if (dir[0]) nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    dir[0] = '\0';
}

bool harness_dies(void (*fn)(void *arg), void *arg, int by_signal)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) FAIL("cannot fork: %s", strerror(errno));
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(by_signal, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr)) _exit(1);
        fn(arg);
        _exit(0);
    }
    int status;
    if (waitpid(pid, &status, 0) != pid) FAIL("cannot wait: %s", strerror(errno));
    return WIFSIGNALED(status) && WTERMSIG(status) == by_signal;
}

bool harness_until(bool (*holds)(void *arg), void *arg)
{
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += UNTIL_S;
    for (;;) {
        if (holds(arg)) return true;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec >= end.tv_sec) return false;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

char *harness_stderr(void (*fn)(void *arg), void *arg)
{
    fflush(NULL);
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    if (!file || saved < 0) FAIL("cannot redirect stderr: %s", strerror(errno));
    dup2(fileno(file), STDERR_FILENO);
    fn(arg);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    long n = (fseek(file, 0, SEEK_END), ftell(file));
    rewind(file);
    char *text = calloc((size_t)n + 1, 1);
    assert(text);
    if (fread(text, 1, (size_t)n, file) != (size_t)n) FAIL("cannot read back stderr");
    fclose(file);
    return text;
}

/* Open descriptors as a set of flags. */
static void list_fds(bool open_fds[FDS_MAX])
{
    memset(open_fds, 0, FDS_MAX * sizeof(bool));
    DIR *fds = opendir("/proc/self/fd");
    if (!fds) return;
    for (struct dirent *entry; (entry = readdir(fds));) {
        if (entry->d_name[0] == '.') continue;
        long fd = strtol(entry->d_name, NULL, 10);
        if (fd >= 0 && fd < FDS_MAX && fd != dirfd(fds)) open_fds[fd] = true;
    }
    closedir(fds);
}

static void check_fds(const bool before[FDS_MAX], const char *name)
{
    bool after[FDS_MAX];
    list_fds(after);
    for (int fd = 0; fd < FDS_MAX; fd++) {
        if (!after[fd] || before[fd]) continue;
        char link[64], target[256] = "";
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, target, sizeof(target) - 1);
        printf("FAIL %s leaves descriptor %d open: %.*s\n", name, fd, n > 0 ? (int)n : 0, target);
        failed = true;
        close(fd);
    }
}

static bool run_test(const struct harness_test *test)
{
    bool before[FDS_MAX];
    struct timespec start, end;
    list_fds(before);
    clock_gettime(CLOCK_MONOTONIC, &start);
    failed = false;
    under_way = test;
    if (setjmp(test_end) == 0) test->run();
    remove_dir();
    if (!failed) check_fds(before, test->name);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds =
        (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    if (failed) printf("     in %s (%s)\n", test->name, file_name(test->file));
    else if (seconds > 1) printf("slow %s: %.1f s\n", test->name, seconds);
    fflush(stdout);
    return !failed;
}

static bool wanted(const char *name, int argc, char **argv)
{
    if (argc < 2) return true;
    for (int i = 1; i < argc; i++) {
        if (fnmatch(argv[i], name, 0) == 0) return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    size_t passed = 0, lost = 0;
    bool list = argc == 2 && strcmp(argv[1], "-l") == 0;
    signal(SIGPIPE, SIG_IGN);
    tests_thread = pthread_self();
    for (const struct harness_test *test = tests; test; test = test->next) {
        if (list) {
            printf("%s\n", test->name);
        } else if (wanted(test->name, argc, argv)) {
            if (run_test(test)) passed++;
            else lost++;
        }
    }
    if (list) return 0;
    printf("%zu passed, %zu failed\n", passed, lost);
    if (passed + lost == 0) printf("no test of that name\n");
    fflush(stdout);
    if (lost) _exit(1); /* what a failed test left behind would hide why it failed */
    return passed == 0;
}
