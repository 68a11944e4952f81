/* plugin.c - the one exported symbol. */
#include <stdarg.h>
#include <stdio.h>

#include "file.h"

enum sluice_verdict file_fail(struct sluice_err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    return SLUICE_FAIL;
}

const struct sluice_plugin *const *sluice_plugins_v1(void)
{
    static const struct sluice_plugin *const plugins[] = {&file_source_plugin, &file_sink_plugin,
                                                          NULL};
    return plugins;
}
