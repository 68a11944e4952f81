/* spill.h - the messages of a transaction that is not committed yet, outside of memory.
 *
 * The first CDC_SPILL_BUFFER bytes stay in memory; more goes to a file that has no name (unlinked
 * at once), so that closing, a crash and kill -9 all remove it. Written to its end, cut when a
 * savepoint is rolled back, then read once. Owner: the task's thread. */
#ifndef CDC_SPILL_H
#define CDC_SPILL_H

#include "util.h"

#define CDC_SPILL_BUFFER (128u << 10)

struct cdc_spill_part { /* a subtransaction */
    uint64_t at;        /* where its first message stands */
    uint32_t xid;
};

struct cdc_told { /* how a table looks, as a transaction told it */
    struct cdc_told *next;
    uint32_t oid;
    size_t len;
    char message[]; /* from its type on */
};

struct cdc_spill {
    uint32_t xid;   /* of the whole transaction */
    bool streamed;  /* its messages name the subtransaction that they are of */
    bool prepared;  /* PREPARE TRANSACTION has come */
    uint64_t first; /* LSN of its first change */
    uint64_t held;  /* LSN of its PREPARE */
    struct cdc_spill_part *parts;
    size_t parts_n, parts_cap;
    uint32_t newest;              /* highest xid among them; 0: none */
    int fd;                       /* -1: all is in memory */
    uint64_t size;                /* of all messages, with their heads */
    uint64_t filed;               /* so much of them is in the file, the rest in the buffer */
    char *buffer;                 /* the tail; when reading: a piece of the file */
    uint64_t read_at;             /* where the next message stands */
    uint64_t piece_at, piece_len; /* what of the file the buffer holds, when reading */
    struct cdc_told *told;        /* by a streamed one, each table once */
    struct cdc_spill *next;
};

struct cdc_spill *cdc_spill_new(uint32_t xid, bool streamed);
void cdc_spill_free(struct cdc_spill *spill); /* takes NULL */
/* Appends a message: its LSN, its type, and what follows. subxid: the (sub)transaction that it is
 * of. False: the disk is full or broken, and err says so with the directory. */
bool cdc_spill_add(struct cdc_spill *spill, const char *directory, uint32_t subxid, uint64_t lsn,
                   char type, const void *rest, size_t len, struct sluice_err *err);
/* Notes how a table looks: the rest of the message, without its type. */
void cdc_spill_tell(struct cdc_spill *spill, uint32_t oid, const void *rest, size_t len);
void cdc_told_free(struct cdc_told *told); /* all of the list; takes NULL */
/* Cuts off what the subtransaction and those after it have done; one without messages is none. */
bool cdc_spill_rollback(struct cdc_spill *spill, uint32_t subxid, struct sluice_err *err);
/* The next message in malloc'ed memory, after room for head bytes; *out NULL: there is none. */
bool cdc_spill_next(struct cdc_spill *spill, size_t head, char **out, size_t *len, uint64_t *lsn,
                    struct sluice_err *err);

#endif
