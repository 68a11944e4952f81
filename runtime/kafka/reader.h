/* reader.h - what host->reader_open() lends: a topic that a task reads beside its work, in a
 * consumer group of its own choice. Owner: the task's thread. The contracts stand in
 * sluice/plugin.h. */
#ifndef SLUICE_KAFKA_READER_H
#define SLUICE_KAFKA_READER_H

#include "base/map.h"
#include "sluice/plugin.h"

/* worker: the worker's properties; who names the reader in errors. */
struct sluice_reader *sluice_reader_open(const struct sluice_map *worker, const char *who,
                                         const char *topic, const struct sluice_label *settings,
                                         size_t n, int wake_fd, struct sluice_err *err);
enum sluice_verdict sluice_reader_next(struct sluice_reader *reader,
                                       struct sluice_read_message *out, struct sluice_err *err);
void sluice_reader_commit(struct sluice_reader *reader, int32_t partition, int64_t offset);
void sluice_reader_close(struct sluice_reader *reader); /* takes NULL */

#endif
