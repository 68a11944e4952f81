/* The window: prefixes per partition, bounds, failures, late reports from other threads. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "worker/inflight.h"
#include "worker/retry.h"

#include "../harness.h"

static struct sluice_slot *enter(struct sluice_window *w, uint32_t partition, int64_t offset)
{
    return sluice_window_enter(w, partition, 10, &offset, sizeof offset, offset, NULL);
}

static int64_t prefix(struct sluice_window *w, uint32_t partition)
{
    struct sluice_prefix p;
    sluice_window_prefix(w, partition, &p);
    if (p.offset >= 0) CHECK_MEM(p.position, p.position_len, &p.offset, sizeof p.offset);
    return p.offset;
}

TEST(window_prefix_stops_before_the_first_unfinished)
{
    struct sluice_window *w = sluice_window_new(16, 1000);
    struct sluice_slot *slots[4];
    for (int i = 0; i < 4; i++) slots[i] = enter(w, 0, i);
    CHECK_INT(prefix(w, 0), -1);
    sluice_slot_finish(slots[1], 0, false);
    sluice_slot_finish(slots[2], 0, false);
    sluice_window_advance(w, NULL, NULL);
    CHECK_INT(prefix(w, 0), -1); /* 0 is missing */
    sluice_slot_finish(slots[0], 0, false);
    sluice_window_advance(w, NULL, NULL);
    CHECK_INT(prefix(w, 0), 2);
    CHECK_INT(sluice_window_count(w), 1);
    sluice_window_detach(w);
}

TEST(window_partitions_do_not_hold_each_other)
{
    struct sluice_prefix p;
    struct sluice_window *w = sluice_window_new(16, 1000);
    enter(w, 0, 100); /* never finished */
    struct sluice_slot *a = enter(w, 1, 7), *b = enter(w, 1, 8);
    sluice_slot_finish(a, 0, false);
    sluice_slot_finish(b, 0, false);
    sluice_window_advance(w, NULL, NULL);
    CHECK_INT(prefix(w, 0), -1);
    CHECK_INT(prefix(w, 1), 8);
    sluice_window_prefix(w, 1, &p);
    CHECK(p.moved && p.pending == 0);
    sluice_window_committed(w, 1);
    sluice_window_prefix(w, 1, &p);
    CHECK(!p.moved);
    CHECK_INT(sluice_window_count(w), 3); /* their places are behind the unfinished one */
    sluice_window_detach(w);
}

TEST(window_is_bounded_in_records_and_bytes)
{
    struct sluice_window *w = sluice_window_new(16, 1 << 20);
    for (int i = 0; i < 16; i++) {
        CHECK_INT(sluice_window_room(w), 16 - i);
        enter(w, 0, i);
    }
    CHECK_INT(sluice_window_room(w), 0);
    sluice_window_detach(w);
    w = sluice_window_new(16, 100);
    sluice_window_enter(w, 0, 5000, NULL, 0, 0, NULL); /* one too large still fits an empty one */
    CHECK_INT(sluice_window_room(w), 0);
    CHECK_INT(sluice_window_room_bytes(w), 0);
    sluice_window_detach(w);
}

TEST(window_wraps_around_many_times)
{
    struct sluice_window *w = sluice_window_new(16, 1 << 20);
    for (int64_t i = 0; i < 1000; i++) {
        struct sluice_slot *slot = enter(w, (uint32_t)(i % 3), i);
        CHECK_INT(sluice_slot_seq(slot), i);
        sluice_slot_finish(slot, 0, false);
        sluice_window_advance(w, NULL, NULL);
        CHECK_INT(prefix(w, (uint32_t)(i % 3)), i);
    }
    CHECK_INT(sluice_window_count(w), 0);
    sluice_window_detach(w);
}

TEST(window_failure_holds_the_prefix_until_forgiven)
{
    uint64_t seq;
    struct sluice_window *w = sluice_window_new(16, 1000);
    struct sluice_slot *a = enter(w, 0, 1), *b = enter(w, 0, 2), *c = enter(w, 0, 3);
    sluice_slot_finish(a, 0, false);
    sluice_slot_finish(b, 42, false);
    sluice_slot_finish(c, 0, false);
    for (int i = 0; i < 3; i++) { /* looking at it changes nothing */
        sluice_window_advance(w, NULL, NULL);
        CHECK_INT(prefix(w, 0), 1);
        CHECK_INT(sluice_window_failed(w, &seq), 42);
        CHECK_INT(seq, 1);
    }
    sluice_window_forgive(w, seq);
    CHECK_INT(sluice_window_failed(w, &seq), 0);
    sluice_window_advance(w, NULL, NULL);
    CHECK_INT(prefix(w, 0), 3);
    sluice_window_detach(w);
}

TEST(window_prefix_whose_commit_failed_is_committed_again)
{
    struct sluice_prefix p;
    struct sluice_window *w = sluice_window_new(16, 1000);
    sluice_window_uncommitted(w, 7); /* one that it has never seen */
    struct sluice_slot *slot = enter(w, 0, 5);
    sluice_window_uncommitted(w, 0);
    sluice_window_prefix(w, 0, &p);
    CHECK(!p.moved); /* nothing of it is durable yet */
    sluice_slot_finish(slot, 0, false);
    sluice_window_advance(w, NULL, NULL);
    sluice_window_committed(w, 0);
    sluice_window_prefix(w, 0, &p);
    CHECK(!p.moved);
    sluice_window_uncommitted(w, 0);
    sluice_window_prefix(w, 0, &p);
    CHECK(p.moved);
    CHECK_INT(p.offset, 5);
    sluice_window_drop(w, 0);
    sluice_window_uncommitted(w, 0); /* another's by now */
    sluice_window_prefix(w, 0, &p);
    CHECK(!p.moved);
    sluice_window_detach(w);
}

TEST(window_gives_back_what_a_failed_record_was_entered_with)
{
    uint64_t seq;
    int thing = 0;
    struct sluice_window *w = sluice_window_new(16, 1000);
    enter(w, 0, 1);
    struct sluice_slot *slot = sluice_window_enter(w, 0, 1, "p", 1, 2, &thing);
    sluice_slot_finish(slot, 42, false);
    CHECK_INT(sluice_window_failed(w, &seq), 42);
    CHECK(sluice_window_item(w, seq) == &thing);
    sluice_window_detach(w);
}

TEST(window_lost_partition_is_not_committed_and_late_tickets_are_ignored)
{
    struct sluice_prefix p;
    struct sluice_window *w = sluice_window_new(16, 1000);
    uint64_t seq = sluice_slot_seq(enter(w, 0, 5));
    CHECK(sluice_window_find(w, seq));
    sluice_window_drop(w, 0);
    CHECK(!sluice_window_find(w, seq));
    sluice_window_advance(w, NULL, NULL);
    sluice_window_prefix(w, 0, &p);
    CHECK(!p.moved);
    CHECK_INT(p.offset, -1);
    CHECK_INT(sluice_window_count(w), 0);
    CHECK(!sluice_window_find(w, 99));
    sluice_window_detach(w);
}

TEST(window_shared_slot_waits_for_its_report)
{
    struct sluice_window *w = sluice_window_new(16, 1000);
    struct sluice_slot *slot = enter(w, 0, 5);
    sluice_slot_share(slot);
    CHECK(!sluice_window_find(w, sluice_slot_seq(slot))); /* done() cannot finish it */
    CHECK_INT(sluice_window_finish_before(w, 10), 0);
    sluice_window_drop(w, 0);
    sluice_window_advance(w, NULL, NULL);
    CHECK_INT(sluice_window_count(w), 1);
    sluice_slot_finish(slot, 0, true);
    CHECK_INT(sluice_window_advance(w, NULL, NULL), 1);
    CHECK_INT(sluice_window_count(w), 0);
    sluice_window_detach(w);
}

static size_t released;

static void release(void *arg, void *item)
{
    (void)arg;
    free(item);
    released++;
}

TEST(window_gives_items_back_once)
{
    struct sluice_window *w = sluice_window_new(16, 1000);
    released = 0;
    struct sluice_slot *a = sluice_window_enter(w, 0, 1, NULL, 0, 1, sluice_xmalloc(8));
    sluice_window_enter(w, 0, 1, NULL, 0, 2, sluice_xmalloc(8));
    sluice_slot_finish(a, 0, false);
    sluice_window_advance(w, release, NULL);
    CHECK_INT(released, 1);
    sluice_window_release(w, release, NULL);
    CHECK_INT(released, 2);
    sluice_window_detach(w);
}

static void take(void *arg, void *lent)
{
    CHECK(arg == &released);
    release(NULL, lent);
}

static _Atomic size_t dropped;

static void drop(void *lent)
{
    free(lent);
    dropped++;
}

static struct sluice_slot *enter_lending(struct sluice_window *w, int64_t offset)
{
    struct sluice_slot *slot = enter(w, 0, offset);
    sluice_slot_share(slot);
    sluice_slot_lend(slot, sluice_xmalloc(8));
    return slot;
}

TEST(window_gives_back_what_was_lent_once_its_slot_is_let_go)
{
    struct sluice_window *w = sluice_window_new(16, 1000);
    released = dropped = 0;
    sluice_window_lends(w, take, &released, drop);
    struct sluice_slot *a = enter_lending(w, 1), *b = enter_lending(w, 2);
    struct sluice_slot *c = enter_lending(w, 3);
    sluice_slot_finish(b, 0, true);
    sluice_window_advance(w, NULL, NULL);
    CHECK_INT(released, 0); /* a is before it */
    sluice_slot_finish(a, 0, true);
    sluice_window_advance(w, NULL, NULL);
    CHECK_INT(released, 2);
    sluice_window_lends(w, NULL, NULL, drop); /* nobody takes any more */
    sluice_slot_finish(c, 0, true);
    sluice_window_advance(w, NULL, NULL);
    CHECK_INT(released, 2);
    CHECK_INT(dropped, 1);
    struct sluice_slot *again = enter(w, 0, 4); /* of a place that had something */
    sluice_slot_finish(again, 0, false);
    sluice_window_advance(w, NULL, NULL);
    CHECK_INT(dropped, 1);
    sluice_window_detach(w);
}

/* ---- reports from another thread ---- */

#define MANY 20000

struct queue {
    pthread_mutex_t mutex;
    struct sluice_slot *slots[MANY];
    size_t n;
};

static void *report(void *arg)
{
    struct queue *q = arg;
    for (size_t i = 0; i < MANY;) {
        pthread_mutex_lock(&q->mutex);
        struct sluice_slot *slot = i < q->n ? q->slots[i] : NULL;
        pthread_mutex_unlock(&q->mutex);
        if (!slot) continue;
        sluice_slot_finish(slot, 0, true);
        i++;
    }
    return NULL;
}

TEST(window_reports_from_another_thread_wake_the_owner)
{
    static struct queue q = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread;
    struct sluice_window *w = sluice_window_new(64, 1 << 20);
    CHECK(pthread_create(&thread, NULL, report, &q) == 0);
    size_t reported = 0;
    for (int64_t i = 0; i < MANY;) {
        sluice_wake_clear(sluice_window_wake(w));
        reported += sluice_window_advance(w, NULL, NULL);
        if (sluice_window_room(w) == 0) {
            sluice_window_wait(w, 60000); /* would hang here if a report did not wake */
            continue;
        }
        struct sluice_slot *slot = enter(w, 0, i++);
        sluice_slot_share(slot);
        pthread_mutex_lock(&q.mutex);
        q.slots[q.n++] = slot;
        pthread_mutex_unlock(&q.mutex);
    }
    while (sluice_window_count(w) > 0) {
        sluice_wake_clear(sluice_window_wake(w));
        reported += sluice_window_advance(w, NULL, NULL);
        if (sluice_window_count(w) > 0) sluice_window_wait(w, 60000);
    }
    CHECK_INT(reported, MANY);
    CHECK_INT(prefix(w, 0), MANY - 1);
    pthread_join(thread, NULL);
    sluice_window_detach(w);
}

static void *report_late(void *arg)
{
    sluice_slot_finish(arg, 7, true);
    return NULL;
}

static bool rises(void *arg, uint32_t partition, const void *item, int32_t at, int64_t offset)
{
    int64_t *last = arg;
    CHECK_INT(partition, 3);
    CHECK(item);
    CHECK_INT(at, 9);
    if (offset <= *last) return false;
    *last = offset;
    return true;
}

/* The prefix stops before a record that went first in Kafka, until nobody asks any more. */
TEST(window_holds_back_what_overtook_others)
{
    static char item;
    static const int64_t landed[] = {20, -1, 10, 21};
    struct sluice_window *w = sluice_window_new(16, 1000);
    int64_t last = -1;
    uint64_t seq = 0;
    sluice_window_asks(w, rises, &last);
    for (int64_t i = 0; i < 4; i++) {
        struct sluice_slot *slot = sluice_window_enter(w, 3, 10, &i, sizeof i, i, &item);
        sluice_slot_share(slot);
        sluice_slot_landed(slot, 9, landed[i]); /* of the second it is not known */
        sluice_slot_finish(slot, 0, true);
    }
    sluice_window_advance(w, NULL, NULL);
    CHECK_INT(prefix(w, 3), 1);
    CHECK_INT(sluice_window_failed(w, &seq), SLUICE_OVERTAKEN);
    CHECK_INT(seq, 2);
    CHECK(sluice_window_item(w, seq) == &item);
    sluice_window_asks(w, NULL, NULL);
    sluice_window_forgive(w, seq);
    sluice_window_advance(w, NULL, NULL);
    CHECK_INT(prefix(w, 3), 3);
    CHECK_INT(sluice_window_failed(w, &seq), 0);
    sluice_window_detach(w);
}

/* AddressSanitizer tells when either side frees too early, the leak check when none does. */
TEST(window_outlives_its_owner_until_the_last_report)
{
    pthread_t thread;
    struct sluice_window *w = sluice_window_new(16, 1000);
    struct sluice_slot *slot = enter(w, 0, 1);
    sluice_slot_share(slot);
    sluice_window_detach(w);
    CHECK(pthread_create(&thread, NULL, report_late, slot) == 0);
    pthread_join(thread, NULL);
}

TEST(window_drops_what_is_lent_with_the_last_report)
{
    pthread_t thread;
    struct sluice_window *w = sluice_window_new(16, 1000);
    dropped = 0;
    sluice_window_lends(w, NULL, NULL, drop);
    struct sluice_slot *early = enter_lending(w, 1), *late = enter_lending(w, 2);
    sluice_slot_finish(early, 0, true);
    sluice_window_detach(w);
    CHECK_INT(dropped, 0);
    CHECK(pthread_create(&thread, NULL, report_late, late) == 0);
    pthread_join(thread, NULL);
    CHECK_INT(dropped, 2);
}

TEST(backoff_grows_to_its_limit_and_starts_again)
{
    struct sluice_backoff b;
    sluice_backoff_init(&b, 100, 1000);
    int64_t want = 100;
    for (int i = 0; i < 20; i++) {
        int64_t ms = sluice_backoff_next(&b);
        CHECK(ms <= want && ms >= want * 3 / 4);
        want = want * 2 > 1000 ? 1000 : want * 2;
    }
    sluice_backoff_reset(&b);
    CHECK(sluice_backoff_next(&b) <= 100);
}
