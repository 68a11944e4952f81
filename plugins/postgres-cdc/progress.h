/* progress.h - how far snapshots are: rows read of those that the server's statistics promise, the
 * pace of the last minute, and from both an estimate of the rest; told to the log, to the runtime
 * (host->progress) and to the metrics. Owner: the task's thread. */
#ifndef CDC_PROGRESS_H
#define CDC_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cdc;
struct sluice_progress;

#define CDC_PACES 13 /* five seconds apart: a minute */

struct cdc_pace { /* of one snapshot: how far it was when, a ring */
    struct {
        int64_t at_ms;
        uint64_t rows;
        double part; /* of all, 0 to 1; below 0: unknown */
    } seen[CDC_PACES];
    uint32_t n, next;
    int64_t logged_ms;
};

struct cdc_progress {
    struct cdc_pace snapshot, incremental;
    /* Of the initial or blocking snapshot under way, beside what cdc.h has of it. */
    uint64_t rows_before; /* of the tables that were read */
    double rows_here;     /* of the table under way, by the statistics; below 0: unknown */
    double rows_after;    /* of those that are still to come; below 0: unknown */
    uint32_t chunks, chunks_done, chunk_readers; /* of the table under way; 0: it is in one piece */
    int64_t snapshot_began_ms, incremental_began_ms; /* wall clock */
    bool told;                                       /* that something is under way */
};

void cdc_pace_start(struct cdc_pace *pace, int64_t now_ms);
/* It is now so far; a value that makes no step forward (a pause) slows the pace down. */
void cdc_pace_note(struct cdc_pace *pace, int64_t now_ms, uint64_t rows, double part);
/* Rows a second, and seconds that the rest takes; below 0: unknown. */
double cdc_pace_rate(const struct cdc_pace *pace, int64_t now_ms, uint64_t rows);
double cdc_pace_rest(const struct cdc_pace *pace, int64_t now_ms, double part);

/* Rows that a table is expected to have, of reltuples and the bytes of its heap; below 0: unknown,
 * as it was never looked at. */
double cdc_expected_rows(double reltuples, uint64_t bytes);
/* All tables that are read are known; then each of them begins. */
void cdc_progress_begin(struct cdc *cdc, double rows);
/* chunks 0: a table begins; else it is divided into so many, for so many threads. */
void cdc_progress_table(struct cdc *cdc, uint32_t chunks, uint32_t readers);
void cdc_progress_table_done(struct cdc *cdc);
/* What is under way; false: nothing. out->part is owned by the caller. */
bool cdc_progress_snapshot(const struct cdc *cdc, struct sluice_progress *out, char **part);
bool cdc_progress_incremental(const struct cdc *cdc, struct sluice_progress *out, char **part);
/* Once a second: log and runtime. */
void cdc_progress_tell(struct cdc *cdc);

#endif
