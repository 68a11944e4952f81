/* inflight.h - the window of records under way: bounded, and the only judge of what is durable.
 *
 * A source's record enters before it is produced and is finished by its delivery report; a sink's
 * enters before put() and is finished by host->done() or reject(). Per partition (a source
 * partition or a Kafka topic partition) the acked prefix is all records before the first unfinished
 * one; only that may be committed.
 *
 * Thread: the task's, but for sluice_slot_finish(), which any thread may call: it does one atomic
 * store and wakes the owner only when it waits. A delivery report may come after the task is gone:
 * the window is counted and the last one frees it. */
#ifndef SLUICE_WORKER_INFLIGHT_H
#define SLUICE_WORKER_INFLIGHT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/thread.h"

struct sluice_window;
struct sluice_slot;

/* records is rounded up to a power of two; memory is touched only as it is used. */
struct sluice_window *sluice_window_new(size_t records, size_t bytes);
/* The owner's wake fd; it lives in the window, because a late report may still fire it. */
struct sluice_wake *sluice_window_wake(struct sluice_window *window);
/* Keeps the window, and so its wake fd, until another detach. Any thread that may use it. */
void sluice_window_hold(struct sluice_window *window);
/* The owner goes: unfinished records may still be finished by others, then it is freed. */
void sluice_window_detach(struct sluice_window *window);

/* Room left; both zero when full. A record larger than all bytes still fits an empty window. */
size_t sluice_window_room(const struct sluice_window *window);
size_t sluice_window_room_bytes(const struct sluice_window *window);
size_t sluice_window_count(const struct sluice_window *window); /* records entered, not let go */

/* Enters a record. position: copied (at most SLUICE_POSITION_MAX bytes). item: what the owner wants
 * back when the slot is let go (a retained message), or NULL. The window must have room. */
#define SLUICE_POSITION_MAX 256
struct sluice_slot *sluice_window_enter(struct sluice_window *window, uint32_t partition,
                                        size_t bytes, const void *position, size_t position_len,
                                        int64_t offset, void *item);
uint64_t sluice_slot_seq(const struct sluice_slot *slot);
int64_t sluice_slot_offset(const struct sluice_slot *slot);
uint32_t sluice_slot_partition(const struct sluice_slot *slot);
void *sluice_slot_item(const struct sluice_slot *slot);
/* The slot of a seq while the window holds it unfinished and unshared, else NULL. */
struct sluice_slot *sluice_window_find(struct sluice_window *window, uint64_t seq);

/* A report that will come from another thread: keeps the window alive until slot_finish(). Call
 * before handing the slot out. */
void sluice_slot_share(struct sluice_slot *slot);
/* What a shared slot's record was given along, and whoever finishes it uses no more. It goes back
 * to the window's take() when the slot is let go. */
void sluice_slot_lend(struct sluice_slot *slot, void *lent);
/* take: called by advance(), on the owner's thread; NULL: drop does it. drop: frees what the window
 * still has when it ends, on any thread. */
void sluice_window_lends(struct sluice_window *window, void (*take)(void *arg, void *lent),
                         void *arg, void (*drop)(void *lent));
/* Where Kafka put a shared slot's record, as its report says; offset below 0: not known. Before it
 * is finished, on the same thread. */
void sluice_slot_landed(struct sluice_slot *slot, int32_t partition, int64_t offset);
/* error 0: durable. Else an error code of Kafka's that the owner finds by failed(). shared: pairs
 * with share(). */
void sluice_slot_finish(struct sluice_slot *slot, int error, bool shared);

/* Each record with an item that landed is asked about, once its prefix reaches it, in the order of
 * entry of its partition. False: it counts as failed with SLUICE_OVERTAKEN. follows NULL: nothing
 * is asked, which is so at first. */
#define SLUICE_OVERTAKEN (INT_MIN + 1)
typedef bool sluice_follows(void *arg, uint32_t partition, const void *item,
                            int32_t landed_partition, int64_t landed_offset);
void sluice_window_asks(struct sluice_window *window, sluice_follows *follows, void *arg);

/* Moves every partition's prefix over finished records and lets go of slots at the window's start;
 * for each let go with an item, release(arg, item). How many of them a report had finished. */
size_t sluice_window_advance(struct sluice_window *window, void (*release)(void *arg, void *item),
                             void *arg);
/* Error of the first record that finished with one, 0: none. Nothing from there on is let go, or
 * in its partition's prefix, until it is forgiven. */
int sluice_window_failed(struct sluice_window *window, uint64_t *seq);
/* What the record of this seq, which the window holds, was entered with. */
void *sluice_window_item(const struct sluice_window *window, uint64_t seq);
/* That record's failure is tolerated: it counts as finished. */
void sluice_window_forgive(struct sluice_window *window, uint64_t seq);

/* The prefix of one partition. moved: since the last sluice_window_committed(). */
struct sluice_prefix {
    bool moved;
    const void *position; /* of the last record of the prefix; until the next advance */
    size_t position_len;
    int64_t offset; /* likewise; -1: none yet */
    size_t pending; /* entered, not yet in the prefix */
};
void sluice_window_prefix(const struct sluice_window *window, uint32_t partition,
                          struct sluice_prefix *out);
/* The prefix as it is now was committed. */
void sluice_window_committed(struct sluice_window *window, uint32_t partition);
/* That commit failed: the prefix is to be committed again. */
void sluice_window_uncommitted(struct sluice_window *window, uint32_t partition);
/* Forgets what is unfinished of this partition (it was lost): counts as finished, prefix unset.
 * Shared slots stay until their report comes. */
void sluice_window_drop(struct sluice_window *window, uint32_t partition);
/* Everything unshared that entered before seq is finished; how many that were. */
size_t sluice_window_finish_before(struct sluice_window *window, uint64_t seq);
/* Gives all items back, whatever becomes of their slots. */
void sluice_window_release(struct sluice_window *window, void (*release)(void *arg, void *item),
                           void *arg);

/* Waits until a record is finished, the wake fd is readable, or ms have passed. */
void sluice_window_wait(struct sluice_window *window, int ms);

#endif
