/* test_base_memory.c - mem, arena, buf. */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "harness.h"

static void ask_too_much(void *arg)
{
    volatile size_t size = SIZE_MAX / 4;
    free(sluice_xcalloc(size, *(size_t *)arg));
}

static void overflow_growth(void *arg)
{
    size_t cap = SIZE_MAX / 2;
    free(sluice_xgrow(arg, cap, &cap, 16));
}

TEST(mem_exhaustion_aborts)
{
    size_t item = 1024;
    CHECK(harness_dies(ask_too_much, &item, SIGABRT));
    CHECK(harness_dies(overflow_growth, NULL, SIGABRT));
}

TEST(mem_copies)
{
    char *s = sluice_xstrdup("abc");
    CHECK_STR(s, "abc");
    free(s);
    CHECK(sluice_xstrdup(NULL) == NULL);
    s = sluice_xstrndup("abcdef", 2);
    CHECK_STR(s, "ab");
    free(s);
    s = sluice_xasprintf("%d-%s", 7, "x");
    CHECK_STR(s, "7-x");
    free(s);
}

TEST(mem_grow_keeps_items)
{
    int *items = NULL;
    size_t cap = 0;
    for (size_t n = 0; n < 1000; n++) {
        items = sluice_xgrow(items, n, &cap, sizeof(*items));
        CHECK(cap > n);
        items[n] = (int)n;
    }
    for (int i = 0; i < 1000; i++) CHECK_INT(items[i], i);
    free(items);
}

TEST(arena_gives_aligned_memory_that_does_not_overlap)
{
    struct sluice_arena arena;
    sluice_arena_init(&arena, 1024);
    char *given[200];
    for (size_t i = 0; i < 200; i++) {
        given[i] = sluice_arena_alloc(&arena, i * 7);
        CHECK_INT((uintptr_t)given[i] % 16, 0);
        memset(given[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < 200; i++) {
        for (size_t j = 0; j < i * 7; j++) CHECK_INT((unsigned char)given[i][j], i);
    }
    sluice_arena_fini(&arena);
}

TEST(arena_keeps_one_block_and_gives_a_burst_back)
{
    struct sluice_arena arena = {0};
    char *first = sluice_arena_alloc(&arena, 100);
    sluice_arena_reset(&arena);
    CHECK_INT(arena.used, 0);
    CHECK(sluice_arena_alloc(&arena, 100) == first); /* the same block again */

    /* A batch of 300 KB fits into one block from the second time on. */
    char *kept = NULL;
    for (int round = 0; round < 3; round++) {
        sluice_arena_reset(&arena);
        char *start = sluice_arena_alloc(&arena, 1000);
        for (int i = 0; i < 299; i++) sluice_arena_alloc(&arena, 1000);
        if (round == 2) CHECK(start == kept);
        kept = start;
    }
    CHECK_INT(arena.now_bytes, 512 * 1024);
    for (int i = 0; i < 1000; i++) {
        sluice_arena_reset(&arena);
        sluice_arena_alloc(&arena, 100);
    }
    CHECK_INT(arena.now_bytes, 64 * 1024);
    sluice_arena_fini(&arena);
    sluice_arena_fini(&arena); /* an empty one may be ended again */
}

TEST(arena_large_value_does_not_end_the_block)
{
    struct sluice_arena arena;
    sluice_arena_init(&arena, 1024);
    char *a = sluice_arena_alloc(&arena, 16);
    char *large = sluice_arena_alloc(&arena, 100000);
    char *b = sluice_arena_alloc(&arena, 16);
    CHECK(b == a + 16);
    memset(large, 1, 100000);
    CHECK_STR(sluice_arena_strndup(&arena, "hello", 4), "hell");
    sluice_arena_fini(&arena);
}

TEST(arena_large_value_first)
{
    struct sluice_arena arena;
    sluice_arena_init(&arena, 1024);
    memset(sluice_arena_alloc(&arena, 5000), 1, 5000);
    memset(sluice_arena_alloc(&arena, 5000), 2, 5000);
    memset(sluice_arena_alloc(&arena, 10), 3, 10);
    sluice_arena_reset(&arena);
    memset(sluice_arena_alloc(&arena, 7000), 3, 7000);
    sluice_arena_fini(&arena);
}

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>

TEST(arena_memory_is_void_after_reset)
{
    struct sluice_arena arena = {0};
    char *p = sluice_arena_alloc(&arena, 100);
    sluice_arena_reset(&arena);
    CHECK(__asan_address_is_poisoned(p));
    sluice_arena_fini(&arena);
}
#endif

TEST(buf_grows_to_its_limit_and_says_so)
{
    struct sluice_buf buf;
    struct sluice_err err = {0};
    sluice_buf_init(&buf, 1000);
    for (int i = 0; i < 100; i++) CHECK(sluice_buf_adds(&buf, "0123456789"));
    CHECK_INT(buf.len, 1000);
    CHECK(buf.cap <= 1000);
    CHECK(!sluice_buf_add(&buf, "x", 1));
    CHECK(!sluice_buf_reserve(&buf, SIZE_MAX, &err));
    CHECK_HAS(err.msg, "limit of 1000 bytes");
    CHECK_INT(strlen(sluice_buf_str(&buf)), 1000);
    CHECK_INT(buf.len, 1000);
    sluice_buf_clear(&buf);
    CHECK(sluice_buf_addf(&buf, "%0600d", 5)); /* longer than the small buffer */
    CHECK_INT(buf.len, 600);
    CHECK(!sluice_buf_addf(&buf, "%0600d", 5));
    CHECK_INT(buf.len, 600);
    sluice_buf_fini(&buf);
}

TEST(buf_text_of_an_empty_one)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, 10);
    CHECK_STR(sluice_buf_str(&buf), "");
    CHECK(sluice_buf_add(&buf, NULL, 0));
    CHECK(sluice_buf_adds(&buf, "0123456789"));
    CHECK_STR(sluice_buf_str(&buf), "0123456789");
    CHECK(!sluice_buf_adds(&buf, "x")); /* the NUL's place is not content */
    sluice_buf_fini(&buf);
}

TEST(err_sets_wraps_and_cuts)
{
    struct sluice_err err = {0};
    CHECK(!sluice_err_set(&err, "no route to %s", "host"));
    CHECK(!sluice_err_wrap(&err, "cannot connect to %d", 5));
    CHECK_STR(err.msg, "cannot connect to 5: no route to host");
    CHECK(!sluice_err_set(&err, "again: %s", err.msg)); /* argument inside err */
    CHECK_STR(err.msg, "again: cannot connect to 5: no route to host");
    CHECK_INT(sluice_fail(&err, "%s", ""), SLUICE_FAIL);
    CHECK(!sluice_err_wrap(&err, "alone"));
    CHECK_STR(err.msg, "alone");
    CHECK(!sluice_err_set(NULL, "x"));
    CHECK(!sluice_err_wrap(NULL, "x"));
    CHECK_INT(sluice_fail(NULL, "x"), SLUICE_FAIL);
}

TEST(err_cut_ends_on_a_whole_character)
{
    struct sluice_err err = {0};
    char text[2000];
    for (size_t i = 0; i + 3 < sizeof(text); i += 3) memcpy(text + i, "\xE2\x82\xAC", 3);
    text[1998] = '\0';
    sluice_err_set(&err, "%s", text);
    CHECK_INT(strlen(err.msg), 1023 / 3 * 3);
    sluice_err_set(&err, "a%s", text);
    CHECK_INT(strlen(err.msg), 1 + 1022 / 3 * 3);
}
