/* envelope.h - what extract_new_record_state.c precomputes: names from the config, and a plan for
 * each envelope schema. Owner: the transform's task. */
#ifndef SLUICE_DATA_TRANSFORMS_ENVELOPE_H
#define SLUICE_DATA_TRANSFORMS_ENVELOPE_H

#include <stdbool.h>

#include "data/batch.h"
#include "data/lru.h"

enum envelope_deletes {
    DELETES_DROP,
    DELETES_TOMBSTONE,    /* null value, the row's schema stays */
    DELETES_TO_TOMBSTONE, /* null value, no schema */
    DELETES_REWRITE       /* the old row with __deleted */
};

struct envelope_name { /* one item of add.fields or add.headers */
    char *parent;      /* member of the envelope that has the field, NULL: the envelope itself */
    char *field;
    char *added; /* name that it gets, with the prefix */
};

struct envelope_config {
    enum envelope_deletes deletes;
    bool rewrite; /* rows get __deleted */
    bool drop_tombstones, replace_null;
    bool drop_from_key, drop_optional_only;
    char *route, *drop_header; /* NULL: off */
    struct envelope_name *fields, *headers;
    size_t fields_n, headers_n;
    const struct sluice_schema *text;          /* string, held */
    const struct sluice_schema *optional_text; /* optional string, held */
    struct sluice_lru plans;
    struct sluice_lru drops;    /* schemas without the fields that a header lists */
    struct sluice_buf drop_key; /* scratch */
};

struct envelope_ref {                   /* a name, found in an envelope schema */
    int parent, field;                  /* parent -1: in the envelope itself */
    const struct sluice_schema *schema; /* of what is added, held; NULL: there is no such field */
};

struct envelope_row {
    const struct sluice_schema *in, *out; /* out is held */
};

struct envelope_plan {
    struct sluice_lru_node node;
    const struct sluice_schema *schema; /* held */
    int before, after;
    struct envelope_row old, new;
    struct envelope_ref *fields, *headers; /* as many as there are names */
    size_t fields_n, headers_n;
};

void envelope_init(struct envelope_config *config); /* zeroed */
void envelope_fini(struct envelope_config *config);
/* Parses add.fields or add.headers into a new array. False: a name is wrong (err names key). */
bool envelope_names(const char *const *list, const char *prefix, const char *key,
                    struct envelope_name **names, size_t *n, struct sluice_err *err);
/* Whether the schema's name says that it is an envelope. */
bool envelope_named(const struct sluice_schema *schema);
/* Owned by the config, valid until the next call. NULL: no before or after in it (err). */
const struct envelope_plan *envelope_plan_of(struct envelope_config *config,
                                             const struct sluice_schema *schema,
                                             struct sluice_err *err);
/* Takes the fields that the drop header lists out of value and key. */
bool envelope_drop_fields(struct envelope_config *config, struct sluice_batch *batch,
                          struct sluice_record *rec, struct sluice_err *err);

#endif
