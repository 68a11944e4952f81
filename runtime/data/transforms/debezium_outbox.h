/* debezium_outbox.h - what debezium_event_router.c precomputes: the settings, where a table's
 * columns stand in a change event, and the schemas of envelopes. Owner: the transform's task. */
#ifndef SLUICE_DATA_TRANSFORMS_DEBEZIUM_OUTBOX_H
#define SLUICE_DATA_TRANSFORMS_DEBEZIUM_OUTBOX_H

#include "data/java_regex.h"
#include "data/transforms/debezium_outbox_json.h"

enum outbox_place { OUTBOX_HEADER, OUTBOX_ENVELOPE, OUTBOX_PARTITION };

struct outbox_extra { /* one of table.fields.additional.placement */
    char *field, *alias;
    enum outbox_place place;
};

enum outbox_invalid { OUTBOX_WARN, OUTBOX_ERROR, OUTBOX_FATAL };

struct outbox {
    struct smt smt; /* plans of envelope schemas */
    struct sluice_task *task;
    const struct sluice_host *host;
    char *id, *key, *payload, *timestamp, *version,
        *route; /* columns; timestamp, version: or NULL */
    struct outbox_extra *extras;
    size_t extras_n, headers_n; /* headers_n: extras that become headers, and the id */
    bool envelope;              /* some extra goes into the value */
    bool ignore_missing, tombstones, expand;
    enum outbox_invalid invalid;
    struct sluice_java_regex *regex;
    char *replacement;
    struct outbox_json json;
    struct sluice_lru values; /* schemas of values that have extras */
    struct sluice_buf name, values_key, topic;
    const struct sluice_schema *text; /* string, held */
    uint64_t warned, unexpanded;
};

struct outbox_plan {
    struct smt_plan head; /* of the envelope */
    int op, after, ts_ms;
    int id, key, payload, timestamp, version, route; /* in the row; -1: absent */
    int64_t timestamp_unit;                          /* per millisecond; 0: of no such type */
    const struct sluice_schema *row;
    int extras[]; /* in the row; -1: absent */
};

/* Fills a zeroed outbox. False: a setting is wrong (err). */
bool outbox_init(struct outbox *outbox, const struct sluice_host *host,
                 const struct sluice_conf *conf, struct sluice_err *err);
void outbox_fini(struct outbox *outbox);
/* NULL: the envelope lacks a row or a column (err). */
const struct outbox_plan *outbox_plan_of(struct outbox *outbox, const struct sluice_schema *schema,
                                         struct sluice_err *err);
/* Schema of a value with payload and extras, named after the row's schema and what it is routed by;
 * valid until the next call. NULL: err. */
const struct sluice_schema *outbox_value_schema(
    struct outbox *outbox, const struct outbox_plan *plan, const struct sluice_schema *payload,
    const struct sluice_value *route, const struct sluice_value *version, struct sluice_err *err);

#endif
