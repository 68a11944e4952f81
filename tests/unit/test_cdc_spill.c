/* Messages of a transaction that is not committed yet: kept, cut, read again. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness.h"
#include "spill.h"

static const char *directory(void) { return getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp"; }

/* The i-th message: its length and bytes follow from its number. */
static size_t fill(uint32_t i, char *out)
{
    size_t len = i % 97 == 0 ? CDC_SPILL_BUFFER + i : i % 1000;
    memset(out, (int)('a' + i % 26), len);
    return len;
}

static void add(struct cdc_spill *spill, uint32_t subxid, uint32_t i)
{
    static char bytes[CDC_SPILL_BUFFER + 100000];
    struct sluice_err err = {""};
    size_t len = fill(i, bytes);
    CHECK(cdc_spill_add(spill, directory(), subxid, i + 1, 'I', bytes, len, &err));
}

/* Reads all; the messages must be those of from <= i < to. */
static void expect(struct cdc_spill *spill, uint32_t from, uint32_t to)
{
    static char wanted[CDC_SPILL_BUFFER + 100000];
    struct sluice_err err = {""};
    for (uint32_t i = from; i <= to; i++) {
        char *message;
        size_t len = 0;
        uint64_t lsn = 0;
        CHECK(cdc_spill_next(spill, 3, &message, &len, &lsn, &err));
        if (i == to) {
            CHECK(message == NULL);
            return;
        }
        CHECK(message != NULL);
        size_t n = fill(i, wanted);
        CHECK_INT(len, n + 1);
        CHECK_INT(lsn, i + 1);
        CHECK_INT(message[3], 'I');
        CHECK(memcmp(message + 4, wanted, n) == 0);
        free(message);
    }
}

TEST(few_messages_stay_in_memory)
{
    struct cdc_spill *spill = cdc_spill_new(7, true);
    for (uint32_t i = 1; i < 20; i++) add(spill, 7, i);
    CHECK_INT(spill->fd, -1);
    expect(spill, 1, 20);
    cdc_spill_free(spill);
}

TEST(nothing_kept_is_nothing_read)
{
    struct cdc_spill *spill = cdc_spill_new(7, true);
    expect(spill, 0, 0);
    cdc_spill_free(spill);
    cdc_spill_free(NULL);
}

TEST(many_messages_go_to_a_file)
{
    struct cdc_spill *spill = cdc_spill_new(7, true);
    for (uint32_t i = 0; i < 2000; i++) add(spill, 7, i);
    CHECK(spill->fd >= 0);
    expect(spill, 0, 2000);
    cdc_spill_free(spill);
}

TEST(what_is_rolled_back_is_gone)
{
    struct sluice_err err = {""};
    struct cdc_spill *spill = cdc_spill_new(10, true);
    for (uint32_t i = 0; i < 500; i++) add(spill, 10, i);
    /* 11 within the transaction, 12 within 11, then 11 again. */
    for (uint32_t i = 500; i < 600; i++) add(spill, 11, i);
    for (uint32_t i = 600; i < 700; i++) add(spill, 12, i);
    for (uint32_t i = 700; i < 701; i++) add(spill, 11, i);
    CHECK_INT(spill->parts_n, 2);
    CHECK(cdc_spill_rollback(spill, 99, &err)); /* sent nothing */
    CHECK(cdc_spill_rollback(spill, 12, &err));
    for (uint32_t i = 600; i < 650; i++) add(spill, 13, i);
    CHECK(cdc_spill_rollback(spill, 13, &err));
    CHECK(cdc_spill_rollback(spill, 11, &err));
    CHECK_INT(spill->parts_n, 0);
    for (uint32_t i = 500; i < 510; i++) add(spill, 14, i); /* what came after is kept */
    expect(spill, 0, 510);
    cdc_spill_free(spill);
}

TEST(numbers_of_transactions_go_round)
{
    struct sluice_err err = {""};
    struct cdc_spill *spill = cdc_spill_new(UINT32_MAX - 5, true);
    for (uint32_t i = 0; i < 20; i++) add(spill, UINT32_MAX - 4 + i, i + 1); /* past 0 */
    CHECK_INT(spill->parts_n, 20);
    for (uint32_t i = 0; i < 20; i++) add(spill, UINT32_MAX - 4 + i, i + 21);
    CHECK_INT(spill->parts_n, 20);
    CHECK(cdc_spill_rollback(spill, UINT32_MAX - 4 + 10, &err));
    expect(spill, 1, 11);
    cdc_spill_free(spill);
}

TEST(a_directory_that_is_not_there_is_named)
{
    struct sluice_err err = {""};
    struct cdc_spill *spill = cdc_spill_new(7, true);
    static char large[CDC_SPILL_BUFFER * 2];
    CHECK(!cdc_spill_add(spill, "/no/such/place", 7, 1, 'I', large, sizeof(large), &err));
    CHECK(strstr(err.msg, "/no/such/place: No such file or directory") != NULL);
    CHECK(strstr(err.msg, "stream.spill.directory") != NULL);
    cdc_spill_free(spill);
}

TEST(each_table_is_told_once_as_it_looked_last)
{
    struct cdc_spill *spill = cdc_spill_new(7, true);
    cdc_spill_tell(spill, 1, "one", 3);
    cdc_spill_tell(spill, 2, "two", 3);
    cdc_spill_tell(spill, 1, "one, altered", 12);
    const struct cdc_told *told = spill->told;
    CHECK(told && told->next && !told->next->next);
    CHECK_INT(told->oid, 1);
    CHECK_MEM(told->message, told->len, "Rone, altered", 13);
    CHECK_INT(told->next->oid, 2);
    CHECK_MEM(told->next->message, told->next->len, "Rtwo", 4);
    cdc_spill_free(spill);
}

/* ---- any transaction ---- */

static uint32_t seed;

/* One of n. */
static uint32_t any(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)seed * n) >> 32);
}

struct savepoint {
    uint32_t subxid;
    size_t kept;  /* messages when it began */
    size_t inner; /* of the numbers given out: those behind are of subtransactions within */
};

/* Rolls back a savepoint and what was released within, in any order, as a server tells of them. */
static void roll_back(struct cdc_spill *spill, uint32_t *given, size_t *given_n, size_t from)
{
    struct sluice_err err = {""};
    while (*given_n > from) {
        size_t i = from + any((uint32_t)(*given_n - from));
        CHECK(cdc_spill_rollback(spill, given[i], &err));
        given[i] = given[--*given_n];
    }
}

/* A transaction with savepoints in savepoints, some released, some rolled back. */
static void one_transaction(uint32_t first_xid)
{
    static uint32_t kept[20000], given[20000];
    struct savepoint open[8];
    size_t kept_n = 0, given_n = 0, depth = 0;
    uint32_t next_xid = first_xid, number = 1;
    struct cdc_spill *spill = cdc_spill_new(first_xid, true);
    for (int step = 0; step < 400; step++) {
        uint32_t what = any(10);
        if (what < 6) {
            for (uint32_t n = any(12); n > 0; n--) {
                add(spill, depth ? open[depth - 1].subxid : first_xid, number);
                kept[kept_n++] = number++;
            }
        } else if (what < 8 && depth < 8) {
            open[depth++] = (struct savepoint){++next_xid, kept_n, given_n};
            given[given_n++] = next_xid;
        } else if (what == 8 && depth) {
            depth--; /* released: its messages are now of the one around it */
        } else if (depth) {
            struct savepoint gone = open[--depth];
            roll_back(spill, given, &given_n, gone.inner);
            kept_n = gone.kept;
        }
    }
    static char wanted[CDC_SPILL_BUFFER + 100000];
    struct sluice_err err = {""};
    char *message;
    size_t len = 0;
    uint64_t lsn = 0;
    for (size_t i = 0; i < kept_n; i++) {
        CHECK(cdc_spill_next(spill, 0, &message, &len, &lsn, &err));
        CHECK(message != NULL);
        CHECK_INT(lsn, kept[i] + 1);
        size_t n = fill(kept[i], wanted);
        CHECK_MEM(message + 1, len - 1, wanted, n);
        free(message);
    }
    CHECK(cdc_spill_next(spill, 0, &message, &len, &lsn, &err));
    CHECK(message == NULL);
    cdc_spill_free(spill);
}

TEST(any_transaction_is_read_as_it_was_without_what_was_rolled_back)
{
    for (uint32_t i = 0; i < 60; i++) {
        seed = i * 7919 + 1;
        one_transaction(i % 2 ? 1000 : UINT32_MAX - any(40)); /* numbers go round */
    }
}

/* ---- a disk that is full, a file that was cut ---- */

TEST(a_full_disk_is_told_with_the_way_out)
{
    struct rlimit before, small;
    struct sluice_err err = {""};
    static char bytes[CDC_SPILL_BUFFER];
    struct cdc_spill *spill = cdc_spill_new(7, true);
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*was)(int) = signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){CDC_SPILL_BUFFER + 1000, before.rlim_max};
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool ok = true;
    int n = 0;
    for (; ok && n < 10; n++)
        ok = cdc_spill_add(spill, directory(), 7, 1, 'I', bytes, sizeof(bytes) / 2, &err);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, was);
    CHECK(!ok && n > 2);
    CHECK_HAS(err.msg, "writing transaction 7");
    CHECK_HAS(err.msg, "File too large");
    CHECK_HAS(err.msg, "set stream.spill.directory to another directory");
    cdc_spill_free(spill);
}

TEST(a_file_that_was_cut_is_not_read_as_if_it_were_whole)
{
    struct sluice_err err = {""};
    char *message = NULL;
    size_t len = 0;
    uint64_t lsn = 0;
    struct cdc_spill *spill = cdc_spill_new(7, true);
    for (uint32_t i = 0; i < 2000; i++) add(spill, 7, i);
    CHECK_INT(ftruncate(spill->fd, CDC_SPILL_BUFFER / 3), 0);
    spill->filed = spill->size; /* or the rest of the buffer would be written behind the hole */
    bool ok = true;
    for (int i = 0; ok && i < 2000; i++) {
        free(message);
        ok = cdc_spill_next(spill, 3, &message, &len, &lsn, &err);
    }
    CHECK(!ok && message == NULL);
    CHECK_HAS(err.msg, "it is shorter than what was written");
    cdc_spill_free(spill);
}
