/* reply.h - what BigQuery's answers mean. Pure functions of status and body; never trust either. */
#ifndef BQ_REPLY_H
#define BQ_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum bq_kind {
    BQ_OK,         /* done; for insertAll: every row is in */
    BQ_ROW_ERRORS, /* insertAll: see errors */
    BQ_BACKEND,    /* 429, 500, 502, 503, 504: may pass */
    BQ_QUOTA,      /* quotaExceeded, rateLimitExceeded */
    BQ_TOO_LARGE,  /* request too large, or too many rows */
    BQ_NO_TABLE,
    BQ_NO_DATASET,
    BQ_NO_SCHEMA, /* the table has no columns yet */
    BQ_AUTH,      /* 401 */
    BQ_DENIED,    /* 403, not for quota */
    BQ_DUPLICATE, /* 409: is there already */
    BQ_CHANGED,   /* 412: somebody else was faster */
    BQ_REFUSED    /* anything else: trying again is of no use */
};

struct bq_reply {
    enum bq_kind kind;
    long status;
    char reason[64];
    char message[512]; /* never empty unless BQ_OK */
    json_t *root;      /* the body, an object; NULL when it is none */
};

/* root is the caller's until bq_reply_fini(). */
void bq_reply_parse(long status, const char *body, size_t len, struct bq_reply *reply);
void bq_reply_fini(struct bq_reply *reply);

enum bq_row_kind {
    BQ_ROW_STOPPED, /* fine itself: resend as it is */
    BQ_ROW_INVALID, /* will never be taken */
    BQ_ROW_SCHEMA,  /* invalid, but would be taken after a schema update */
    BQ_ROW_PASSING, /* may be taken next time */
    BQ_ROW_UNKNOWN
};

struct bq_row_error {
    size_t index; /* row in the request */
    enum bq_row_kind kind;
    const json_t *errors; /* borrowed from the reply */
};

/* The i-th of insertErrors; false: there is none. One that makes no sense gives index SIZE_MAX. */
bool bq_reply_row(const json_t *root, size_t i, struct bq_row_error *row);
/* "(location f, reason: invalid): no such field: f." for all errors of a row. */
void bq_row_error_text(const struct bq_row_error *row, char *text, size_t size);

#endif
