/* json_out.h - JSON text written straight into one growing buffer.
 *
 * No tree, no escape pass of its own: each function appends a finished piece of JSON. Running out
 * of memory aborts; what callers append is bounded by the records they were given. Thread: the
 * buffer's owner. */
#ifndef SLUICE_PLUGINS_JSON_OUT_H
#define SLUICE_PLUGINS_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sluice_out { /* zeroed is empty */
    char *data;
    size_t len, cap;
};

void sluice_out_grow(struct sluice_out *out, size_t n); /* slow half of sluice_out_room */
void sluice_out_fini(struct sluice_out *out);

/* At least n writable bytes behind the text; the caller adds to out->len what it wrote. */
static inline char *sluice_out_room(struct sluice_out *out, size_t n)
{
    if (out->cap - out->len < n) sluice_out_grow(out, n);
    return out->data + out->len;
}

static inline void sluice_out_put(struct sluice_out *out, const void *text, size_t len)
{
    if (len == 0) return;
    memcpy(sluice_out_room(out, len), text, len);
    out->len += len;
}

static inline void sluice_out_char(struct sluice_out *out, char c)
{
    *sluice_out_room(out, 1) = c;
    out->len++;
}

#define sluice_out_lit(out, literal) sluice_out_put(out, literal, sizeof(literal) - 1)

void sluice_out_text(struct sluice_out *out, const char *text); /* a terminated string, as it is */
void sluice_out_terminate(struct sluice_out *out); /* NUL behind the text, not counted */

/* In quotes and escaped; bytes that are no UTF-8 become U+FFFD, as Java reads them. */
void sluice_out_string(struct sluice_out *out, const char *s, size_t len);
/* The same without the quotes. */
void sluice_out_escaped(struct sluice_out *out, const char *s, size_t len);
void sluice_out_int(struct sluice_out *out, int64_t i);
/* Finite numbers only; text that reads back as the same double, or float. */
void sluice_out_double(struct sluice_out *out, double d);
void sluice_out_float(struct sluice_out *out, float f);
/* Base64 with padding, without quotes. url: the URL-safe alphabet without padding (JWT). */
void sluice_out_base64(struct sluice_out *out, const void *data, size_t len, bool url);

#endif
