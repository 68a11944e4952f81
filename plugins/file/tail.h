/* tail.h - a text file read line by line while others append to it. */
#ifndef SLUICE_PLUGINS_FILE_TAIL_H
#define SLUICE_PLUGINS_FILE_TAIL_H

#include "text.h"

enum tail_state {
    TAIL_LINE,    /* *line, *len: without its end; valid until the next call */
    TAIL_END,     /* no complete line for now */
    TAIL_MISSING, /* the file is not there (yet) */
    TAIL_NEW,     /* it was truncated or replaced: reading goes on at its start */
    TAIL_ERROR    /* err */
};

struct tail {
    const char *path; /* NULL: standard input; borrowed */
    int fd;           /* -1: not open */
    struct text text; /* read, from start on not yet given out */
    size_t start;
    size_t scanned;     /* of text: no line end before it */
    int64_t read_bytes; /* of the file so far */
    int64_t skip;       /* units still to be skipped after resuming */
    int64_t position;   /* behind the last line that was given out, in UTF-16 units as in Kafka */
};

/* Begins behind position units; opens on the first tail_next(). */
void tail_init(struct tail *tail, const char *path, int64_t position);
void tail_fini(struct tail *tail);
/* The next line, which ends with \n, \r\n or \r, as Kafka's FileStreamSource has it. */
enum tail_state tail_next(struct tail *tail, const char **line, size_t *len,
                          struct sluice_err *err);

#endif
