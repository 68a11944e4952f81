/* watch.h - connections that take too long: one byte at a time keeps a connection from being idle,
 * and enough of them keep everybody else out.
 *
 * A connection has a time to bring a whole request, and again to take its answer; while a handler
 * works for it the clock stands still. Whoever is late is cut off. When most places are taken, the
 * time is a tenth.
 * Thread: any; a leaf mutex. */
#ifndef SLUICE_REST_WATCH_H
#define SLUICE_REST_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sluice_watch;
struct sluice_watched;

/* places: how many connections there may be. */
struct sluice_watch *sluice_watch_new(size_t places, int64_t limit_ms);
void sluice_watch_free(struct sluice_watch *watch); /* no connection is left; takes NULL */
void sluice_watch_limit(struct sluice_watch *watch, int64_t limit_ms);

/* fd stays open until sluice_watch_closed(). *first: there was none before. */
struct sluice_watched *sluice_watch_opened(struct sluice_watch *watch, int fd, bool *first);
void sluice_watch_closed(struct sluice_watch *watch, struct sluice_watched *watched);
/* works: a handler works for it; else its time begins anew. */
void sluice_watch_note(struct sluice_watch *watch, struct sluice_watched *watched, bool works);
/* Cuts off who is late; in how many ms somebody may be next, -1: there are no connections. */
int64_t sluice_watch_cut(struct sluice_watch *watch);

#endif
