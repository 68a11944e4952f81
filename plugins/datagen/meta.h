/* meta.h - Materialize datagen's schemas: datasets with _meta (topic, key, relationships) whose
 * fields are FakerJS expressions. One iteration makes a "mega record": for each dataset in the
 * file's order its first record, the fields that its records still lack, and a child for each
 * relationship; then a second sweep for circular ones.
 *
 * Everything but the values is known beforehand: which topics there are, in which order, which
 * fields a topic's records can have (slots), which dataset makes a first record. */
#ifndef DATAGEN_META_H
#define DATAGEN_META_H

#include "config.h"
#include "expr.h"
#include "position.h"

#define META_MAX_DATASETS 256
#define META_MAX_SLOTS 1024
#define META_MAX_RECORDS 1000000    /* of one iteration */
#define META_MAX_BYTES (256u << 20) /* of one iteration */

struct meta_object;

struct meta_field {
    const char *name;
    uint32_t slot;     /* in the topic's records; unused in nested objects */
    struct expr *expr; /* NULL: nested */
    struct meta_object *nested;
};

struct meta_object {
    struct meta_field *fields;
    uint32_t len;
};

struct meta_relation {
    uint32_t topic;
    uint32_t parent_slot; /* UINT32_MAX: a field that the parent never has */
    uint32_t child_slot;
    int64_t records_per; /* 0 when not given */
};

struct meta_dataset {
    uint32_t topic;
    bool first; /* makes the topic's first record */
    struct meta_object object;
    struct meta_relation *relations;
    uint32_t relations_len;
};

struct meta_topic {
    const char *name;
    const char *key;   /* NULL: none */
    uint32_t key_slot; /* UINT32_MAX: none */
    const char **slots;
    uint32_t slots_len;
};

struct meta_plan {
    struct datagen_arena arena;
    json_t *json;
    struct meta_dataset *datasets;
    uint32_t datasets_len;
    struct meta_topic *topics;
    uint32_t topics_len;
};

/* Compiles the config's schema into the zeroed plan; freed by meta_plan_fini() in either case. */
bool meta_plan_init(struct meta_plan *plan, const struct datagen_config *config,
                    struct sluice_err *err);
void meta_plan_fini(struct meta_plan *plan);

/* A Connect schema for the values of each topic, from the kinds of the expressions: schemas[i],
 * held, for the topics that there are. False with err naming the field that has no clear type. */
bool meta_schemas(const struct meta_plan *plan, const struct sluice_host *host, bool payload,
                  const struct sluice_schema **schemas, struct sluice_err *err);
/* The value in the form of the schema; what does not fit becomes null. */
struct sluice_value meta_conform(struct js *js, const struct sluice_schema *schema,
                                 struct sluice_value v);

/* ---- running ---- */

struct meta_run;

struct meta_run *meta_run_new(const struct sluice_host *host, const struct datagen_config *config,
                              const struct datagen_position *from, const char **key,
                              struct sluice_err *err);
void meta_run_free(struct meta_run *run);
/* At the begin of a poll: memory of records that were sent is used again. */
void meta_run_begin(struct meta_run *run);
/* Records of the iteration under way that are not sent yet. */
size_t meta_run_left(const struct meta_run *run);
/* Makes the next iteration's records; false with err set when an expression fails. */
bool meta_run_iterate(struct meta_run *run, struct sluice_err *err);
/* Appends the next record; returns its size, roughly. */
size_t meta_run_emit(struct meta_run *run, struct sluice_batch *batch, uint32_t partition);

#endif
