/* arg_run.h - records of an Avro schema, one after the other. */
#ifndef DATAGEN_ARG_RUN_H
#define DATAGEN_ARG_RUN_H

#include "arg.h"
#include "config.h"
#include "position.h"

struct arg_run;

/* Compiles the schema; from is where to go on. NULL with err set when the schema is not sound;
 * *key names the option that is to blame. */
struct arg_run *arg_run_new(const struct sluice_host *host, const struct datagen_config *config,
                            const struct datagen_position *from, int64_t task_id, const char **key,
                            struct sluice_err *err);
/* Appends the next record. */
void arg_run_next(struct arg_run *run, struct sluice_batch *batch, struct datagen_mem *mem,
                  uint32_t partition);
void arg_run_free(struct arg_run *run);

#endif
