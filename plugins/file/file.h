/* file.h - what the files of this folder share. Two plugins, file-source and file-sink, live in one
 * shared object: lines of a text file to Kafka and back, drop-ins for Kafka's FileStreamSource and
 * FileStreamSink. They are meant to be read as examples: nothing here is needed but
 * include/sluice. Thread: each opened plugin belongs to its task's thread. */
#ifndef SLUICE_PLUGINS_FILE_H
#define SLUICE_PLUGINS_FILE_H

#include "sluice/plugin.h"

extern const struct sluice_plugin file_source_plugin; /* source.c */
extern const struct sluice_plugin file_sink_plugin;   /* sink.c */

/* Fills err printf-like; always SLUICE_FAIL. */
enum sluice_verdict file_fail(struct sluice_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
