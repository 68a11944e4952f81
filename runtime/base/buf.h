/* buf.h - a growing byte buffer with a cap (struct sluice_buf of the ABI).
 * data is not terminated unless sluice_buf_str() is asked. Owner: one thread. */
#ifndef SLUICE_BASE_BUF_H
#define SLUICE_BASE_BUF_H

#include <stdbool.h>
#include <string.h>

#include "sluice/plugin.h"

#define SLUICE_BUF_MAX ((size_t)1 << 30) /* for buffers whose content is our own */

/* Allocates nothing yet; growing past max fails with an error. */
void sluice_buf_init(struct sluice_buf *buf, size_t max);
void sluice_buf_fini(struct sluice_buf *buf); /* takes a zeroed one */
/* Room for n bytes at data + len. False: would pass max, err says so (err may be NULL). */
bool sluice_buf_reserve(struct sluice_buf *buf, size_t n, struct sluice_err *err);
bool sluice_buf_add(struct sluice_buf *buf, const void *data, size_t n);
bool sluice_buf_adds(struct sluice_buf *buf, const char *s);
bool sluice_buf_addf(struct sluice_buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The content as a terminated string, owned by the buffer. */
const char *sluice_buf_str(struct sluice_buf *buf);

static inline void sluice_buf_clear(struct sluice_buf *buf) { buf->len = 0; }

#endif
