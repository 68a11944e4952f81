/* err.c - one sentence for people. One that is too long is cut after a whole character, as it goes
 * into JSON. Any thread. */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* One byte more than a message may have tells whether it was cut. */
#define TEXT_BYTES (sizeof(((struct sluice_err *)NULL)->msg) + 4)

static void set(struct sluice_err *err, const char *fmt, va_list ap)
{
    /* The arguments may point into err itself. */
    char text[TEXT_BYTES];
    if (vsnprintf(text, sizeof(text), fmt, ap) < 0) text[0] = '\0';
    size_t len = sluice_utf8_cut(text, strlen(text), sizeof(err->msg) - 1);
    assert(len < sizeof(err->msg));
    memcpy(err->msg, text, len);
    err->msg[len] = '\0';
}

bool sluice_err_set(struct sluice_err *err, const char *fmt, ...)
{
    if (!err) return false;
    va_list ap;
    va_start(ap, fmt);
    set(err, fmt, ap);
    va_end(ap);
    return false;
}

bool sluice_err_wrap(struct sluice_err *err, const char *fmt, ...)
{
    if (!err) return false;
    struct sluice_err outer = {0};
    va_list ap;
    va_start(ap, fmt);
    set(&outer, fmt, ap);
    va_end(ap);
    return err->msg[0] ? sluice_err_set(err, "%s: %s", outer.msg, err->msg)
                       : sluice_err_set(err, "%s", outer.msg);
}

enum sluice_verdict sluice_fail(struct sluice_err *err, const char *fmt, ...)
{
    if (!err) return SLUICE_FAIL;
    va_list ap;
    va_start(ap, fmt);
    set(err, fmt, ap);
    va_end(ap);
    return SLUICE_FAIL;
}
