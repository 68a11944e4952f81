/* inflight.c - see inflight.h. A ring of slots in order of entry; the slots of one partition are
 * chained, so that its prefix moves even while another partition's records hold the ring's start.
 * */
#include "worker/inflight.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NO_SEQ UINT64_MAX

enum { FREE, WAITING, FINISHED, PASSED /* counted in its partition's prefix */ };

struct sluice_slot {
    struct sluice_window *window;
    uint64_t seq;
    uint64_t next; /* seq of the partition's next record, NO_SEQ: none yet */
    int64_t offset;
    void *item;
    void *lent; /* NULL: nothing */
    size_t bytes;
    uint32_t partition;
    uint32_t position_len;
    int64_t landed_offset; /* below 0: not known */
    int32_t landed_partition;
    bool shared; /* finished by a report, and by nothing else */
    _Atomic int32_t error;
    _Atomic uint32_t state;
};

struct part {
    uint64_t first, last; /* unpassed records, NO_SEQ: none */
    size_t pending;
    int64_t offset;
    uint32_t position_len;
    bool moved;
    char position[SLUICE_POSITION_MAX];
};

struct sluice_window {
    struct sluice_slot *slots; /* mask + 1 */
    char *positions;           /* stride bytes a slot */
    size_t stride;
    uint64_t mask, head, tail; /* seqs: head <= unfinished < tail */
    size_t bytes, max_bytes;
    struct part **parts; /* by partition number */
    size_t nparts, cap_parts;
    struct sluice_wake wake;
    _Atomic bool waiting;    /* the owner sleeps and wants to hear of finished records */
    _Atomic bool any_failed; /* some slot has an error */
    _Atomic size_t users;    /* owner + holds + shared unfinished slots */
    void (*take)(void *arg, void *lent);
    void *take_arg;
    void (*drop)(void *lent); /* NULL: nothing is lent */
    sluice_follows *follows;  /* NULL: any order will do */
    void *follows_arg;
};

struct sluice_window *sluice_window_new(size_t records, size_t bytes)
{
    size_t cap = 16;
    while (cap < records) cap *= 2;
    struct sluice_window *w = sluice_xcalloc(1, sizeof *w);
    w->slots = sluice_xcalloc(cap, sizeof *w->slots);
    w->mask = cap - 1;
    w->max_bytes = bytes;
    sluice_wake_init(&w->wake);
    atomic_store(&w->users, 1);
    return w;
}

struct sluice_wake *sluice_window_wake(struct sluice_window *window) { return &window->wake; }

static struct sluice_slot *slot_at(const struct sluice_window *w, uint64_t seq)
{
    return &w->slots[seq & w->mask];
}

static void let_go(struct sluice_window *w)
{
    if (atomic_fetch_sub_explicit(&w->users, 1, memory_order_acq_rel) != 1) return;
    for (uint64_t s = w->head; w->drop && s < w->tail; s++)
        if (slot_at(w, s)->lent) w->drop(slot_at(w, s)->lent);
    for (size_t i = 0; i < w->nparts; i++) free(w->parts[i]);
    free(w->parts);
    free(w->slots);
    free(w->positions);
    sluice_wake_fini(&w->wake);
    free(w);
}

void sluice_window_hold(struct sluice_window *window)
{
    atomic_fetch_add_explicit(&window->users, 1, memory_order_relaxed);
}

void sluice_window_detach(struct sluice_window *window)
{
    if (window) let_go(window);
}

size_t sluice_window_count(const struct sluice_window *window)
{
    return (size_t)(window->tail - window->head);
}

size_t sluice_window_room(const struct sluice_window *window)
{
    if (window->bytes >= window->max_bytes) return 0;
    return (size_t)(window->mask + 1) - sluice_window_count(window);
}

size_t sluice_window_room_bytes(const struct sluice_window *window)
{
    return window->bytes >= window->max_bytes ? 0 : window->max_bytes - window->bytes;
}

static struct part *part_at(struct sluice_window *w, uint32_t partition)
{
    while (w->nparts <= partition) {
        w->parts = sluice_xgrow(w->parts, w->nparts, &w->cap_parts, sizeof *w->parts);
        struct part *part = sluice_xcalloc(1, sizeof *part);
        part->first = part->last = NO_SEQ;
        part->offset = -1;
        w->parts[w->nparts++] = part;
    }
    return w->parts[partition];
}

/* Positions are short and of one kind a task: grow to the longest seen, rarely. */
static void grow_stride(struct sluice_window *w, size_t len)
{
    size_t stride = (len + 15) & ~(size_t)15, n = (size_t)w->mask + 1;
    char *positions = sluice_xcalloc(n, stride);
    for (size_t i = 0; w->stride > 0 && i < n; i++)
        memcpy(positions + i * stride, w->positions + i * w->stride, w->stride);
    free(w->positions);
    w->positions = positions;
    w->stride = stride;
}

struct sluice_slot *sluice_window_enter(struct sluice_window *window, uint32_t partition,
                                        size_t bytes, const void *position, size_t position_len,
                                        int64_t offset, void *item)
{
    assert(window->tail - window->head <= window->mask);
    assert(position_len <= SLUICE_POSITION_MAX);
    if (position_len > window->stride) grow_stride(window, position_len);
    uint64_t seq = window->tail++;
    struct sluice_slot *slot = slot_at(window, seq);
    assert(atomic_load_explicit(&slot->state, memory_order_relaxed) == FREE);
    slot->window = window;
    slot->seq = seq;
    slot->next = NO_SEQ;
    slot->offset = offset;
    slot->item = item;
    slot->bytes = bytes;
    slot->partition = partition;
    slot->position_len = (uint32_t)position_len;
    slot->shared = false;
    slot->landed_offset = -1;
    if (position_len > 0)
        memcpy(window->positions + (seq & window->mask) * window->stride, position, position_len);
    atomic_store_explicit(&slot->error, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->state, WAITING, memory_order_relaxed);
    window->bytes += bytes;
    struct part *part = part_at(window, partition);
    if (part->last != NO_SEQ) slot_at(window, part->last)->next = seq;
    if (part->first == NO_SEQ) part->first = seq;
    part->last = seq;
    part->pending++;
    return slot;
}

uint64_t sluice_slot_seq(const struct sluice_slot *slot) { return slot->seq; }

int64_t sluice_slot_offset(const struct sluice_slot *slot) { return slot->offset; }

uint32_t sluice_slot_partition(const struct sluice_slot *slot) { return slot->partition; }

void *sluice_slot_item(const struct sluice_slot *slot) { return slot->item; }

struct sluice_slot *sluice_window_find(struct sluice_window *window, uint64_t seq)
{
    if (seq < window->head || seq >= window->tail) return NULL;
    struct sluice_slot *slot = slot_at(window, seq);
    if (slot->shared) return NULL;
    return atomic_load_explicit(&slot->state, memory_order_acquire) == WAITING ? slot : NULL;
}

void sluice_slot_share(struct sluice_slot *slot)
{
    slot->shared = true;
    atomic_fetch_add_explicit(&slot->window->users, 1, memory_order_relaxed);
}

void sluice_slot_lend(struct sluice_slot *slot, void *lent)
{
    assert(slot->shared && slot->window->drop);
    slot->lent = lent;
}

void sluice_window_lends(struct sluice_window *window, void (*take)(void *arg, void *lent),
                         void *arg, void (*drop)(void *lent))
{
    window->take = take;
    window->take_arg = arg;
    window->drop = drop;
}

void sluice_slot_landed(struct sluice_slot *slot, int32_t partition, int64_t offset)
{
    assert(slot->shared);
    slot->landed_partition = partition;
    slot->landed_offset = offset;
}

void sluice_slot_finish(struct sluice_slot *slot, int error, bool shared)
{
    struct sluice_window *w = slot->window;
    if (error) {
        atomic_store_explicit(&slot->error, error, memory_order_relaxed);
        atomic_store_explicit(&w->any_failed, true, memory_order_release);
    }
    /* Sequentially consistent with the owner's look at the slot after it said that it waits. */
    atomic_store(&slot->state, FINISHED);
    if (!shared) return; /* the owner itself: it is not asleep */
    if (atomic_load(&w->waiting) && atomic_exchange(&w->waiting, false)) sluice_wake_up(&w->wake);
    let_go(w);
}

void sluice_window_asks(struct sluice_window *window, sluice_follows *follows, void *arg)
{
    window->follows = follows;
    window->follows_arg = arg;
}

/* Whether a finished record may join the prefix; else it has failed. */
static bool in_order(struct sluice_window *w, struct sluice_slot *slot)
{
    if (!w->follows || !slot->item || slot->landed_offset < 0) return true;
    if (w->follows(w->follows_arg, slot->partition, slot->item, slot->landed_partition,
                   slot->landed_offset))
        return true;
    atomic_store_explicit(&slot->error, SLUICE_OVERTAKEN, memory_order_relaxed);
    atomic_store_explicit(&w->any_failed, true, memory_order_release);
    return false;
}

/* The prefix of one partition over its finished records. */
static void pass(struct sluice_window *w, struct part *part)
{
    while (part->first != NO_SEQ) {
        struct sluice_slot *slot = slot_at(w, part->first);
        if (atomic_load_explicit(&slot->state, memory_order_acquire) != FINISHED) return;
        if (atomic_load_explicit(&slot->error, memory_order_relaxed) != 0) return;
        if (!in_order(w, slot)) return;
        part->offset = slot->offset;
        part->position_len = slot->position_len;
        if (slot->position_len > 0)
            memcpy(part->position, w->positions + (slot->seq & w->mask) * w->stride,
                   slot->position_len);
        part->moved = true;
        part->pending--;
        atomic_store_explicit(&slot->state, PASSED, memory_order_relaxed);
        part->first = slot->next;
        if (part->first == NO_SEQ) part->last = NO_SEQ;
    }
}

size_t sluice_window_advance(struct sluice_window *window, void (*release)(void *, void *),
                             void *arg)
{
    size_t reported = 0;
    if (window->head == window->tail) return 0;
    for (size_t i = 0; i < window->nparts; i++) pass(window, window->parts[i]);
    while (window->head < window->tail) {
        struct sluice_slot *slot = slot_at(window, window->head);
        if (atomic_load_explicit(&slot->state, memory_order_relaxed) != PASSED) break;
        if (slot->item && release) release(arg, slot->item);
        slot->item = NULL;
        if (slot->lent) {
            if (window->take) window->take(window->take_arg, slot->lent);
            else window->drop(slot->lent);
            slot->lent = NULL;
        }
        reported += slot->shared;
        window->bytes -= slot->bytes;
        atomic_store_explicit(&slot->state, FREE, memory_order_relaxed);
        window->head++;
    }
    return reported;
}

static int error_at(const struct sluice_window *w, uint64_t seq)
{
    struct sluice_slot *slot = slot_at(w, seq);
    return atomic_load(&slot->state) == FINISHED ? atomic_load(&slot->error) : 0;
}

int sluice_window_failed(struct sluice_window *window, uint64_t *seq)
{
    if (!atomic_load_explicit(&window->any_failed, memory_order_acquire)) return 0;
    /* Cleared before the look: a failure that comes in meanwhile sets it again. */
    atomic_store(&window->any_failed, false);
    for (uint64_t s = window->head; s < window->tail; s++) {
        int error = error_at(window, s);
        if (error == 0) continue;
        atomic_store(&window->any_failed, true);
        *seq = s;
        return error;
    }
    return 0;
}

void *sluice_window_item(const struct sluice_window *window, uint64_t seq)
{
    assert(seq >= window->head && seq < window->tail);
    return slot_at(window, seq)->item;
}

void sluice_window_forgive(struct sluice_window *window, uint64_t seq)
{
    assert(seq >= window->head && seq < window->tail);
    atomic_store(&slot_at(window, seq)->error, 0);
}

void sluice_window_prefix(const struct sluice_window *window, uint32_t partition,
                          struct sluice_prefix *out)
{
    static const struct sluice_prefix none = {.offset = -1};
    *out = none;
    if (partition >= window->nparts) return;
    const struct part *part = window->parts[partition];
    out->moved = part->moved;
    out->position = part->position;
    out->position_len = part->position_len;
    out->offset = part->offset;
    out->pending = part->pending;
}

void sluice_window_committed(struct sluice_window *window, uint32_t partition)
{
    assert(partition < window->nparts);
    window->parts[partition]->moved = false;
}

void sluice_window_uncommitted(struct sluice_window *window, uint32_t partition)
{
    if (partition >= window->nparts) return;
    struct part *part = window->parts[partition];
    if (part->offset >= 0) part->moved = true;
}

void sluice_window_drop(struct sluice_window *window, uint32_t partition)
{
    if (partition >= window->nparts) return;
    struct part *part = window->parts[partition];
    for (uint64_t s = part->first; s != NO_SEQ; s = slot_at(window, s)->next) {
        struct sluice_slot *slot = slot_at(window, s);
        if (slot->shared) continue;
        atomic_store(&slot->error, 0);
        atomic_store(&slot->state, FINISHED);
    }
    pass(window, part);
    part->moved = false;
    part->offset = -1;
}

size_t sluice_window_finish_before(struct sluice_window *window, uint64_t seq)
{
    size_t n = 0;
    for (uint64_t s = window->head; s < window->tail && s < seq; s++) {
        struct sluice_slot *slot = sluice_window_find(window, s);
        if (!slot) continue;
        sluice_slot_finish(slot, 0, false);
        n++;
    }
    return n;
}

void sluice_window_release(struct sluice_window *window, void (*release)(void *, void *), void *arg)
{
    for (uint64_t s = window->head; s < window->tail; s++) {
        struct sluice_slot *slot = slot_at(window, s);
        if (slot->item) release(arg, slot->item);
        slot->item = NULL;
    }
}

void sluice_window_wait(struct sluice_window *window, int ms)
{
    atomic_store(&window->waiting, true);
    /* A record may have been finished just before: then its thread did not see us waiting. */
    bool idle = window->head == window->tail ||
                atomic_load(&slot_at(window, window->head)->state) == WAITING;
    if (idle) sluice_wake_wait(&window->wake, ms);
    atomic_store(&window->waiting, false);
}
