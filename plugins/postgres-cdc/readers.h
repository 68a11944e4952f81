/* readers.h - helper threads that read a table through several connections on one snapshot.
 *
 * Each has a connection of its own, takes the next statement (COPY of a range of pages), and hands
 * over its rows in blocks through one bounded queue. They touch nothing of the host and nothing of
 * the task but the settings, which are constant; values are made on the task's thread. All
 * functions here are the task's. */
#ifndef CDC_READERS_H
#define CDC_READERS_H

#include "conn.h"

#define CDC_BLOCK_ROWS 512

struct cdc_block { /* rows, each a line of COPY's text format in PQ memory */
    struct cdc_block *next;
    uint32_t n, at;     /* at: the first one that was not taken out yet */
    uint32_t statement; /* they are of this one; its last block may be without rows */
    bool begins, ends;  /* it is the statement's first, its last one */
    size_t bytes;
    struct {
        char *s;
        int len;
    } rows[CDC_BLOCK_ROWS];
};

enum cdc_taken {
    CDC_TAKEN,
    CDC_NONE_YET,
    CDC_TABLE_READ, /* all statements were read to their ends */
    CDC_READ_FAILED /* err says why */
};

struct cdc_readers;

/* Starts so many threads; snapshot: an exported one. NULL: err says why. */
struct cdc_readers *cdc_readers_start(const struct cdc_settings *settings, const char *snapshot,
                                      int threads, struct sluice_err *err);
/* The statements of the next table, after CDC_TABLE_READ; takes them over. what: for errors. */
void cdc_readers_table(struct cdc_readers *readers, char **statements, size_t n, char *what);
/* The next block, to be given to cdc_block_free(). fatal: trying again will not help. */
enum cdc_taken cdc_readers_take(struct cdc_readers *readers, struct cdc_block **out, bool *fatal,
                                struct sluice_err *err);
/* Waits for more; false: the time is up, or the host calls. */
bool cdc_readers_wait(struct cdc_readers *readers, const struct cdc_wait *wait);
/* Stops the threads and frees everything; takes NULL. */
void cdc_readers_stop(struct cdc_readers *readers);
/* With the rows that are left; takes NULL. */
void cdc_block_free(struct cdc_block *block);

#endif
