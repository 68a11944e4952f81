/* debezium_outbox_json.h - JSON text to a value with a schema that is inferred from it, as
 * EventRouter's table.expand.json.payload and DecodeLogicalDecodingMessageContent want it.
 *
 * Objects become structs, whose schema is named by the path to them; numbers INT32, INT64 or
 * FLOAT64; an array has the schema of its first item that is not null, and one of objects the
 * fields of all of them. Schemas are interned once for each shape that a payload had, found again
 * by the shape's description. Owner: the transform's task. */
#ifndef SLUICE_DATA_TRANSFORMS_DEBEZIUM_OUTBOX_JSON_H
#define SLUICE_DATA_TRANSFORMS_DEBEZIUM_OUTBOX_JSON_H

#include "data/transforms/debezium.h"

struct outbox_json {
    bool keep_nulls;        /* null.behavior=optional_bytes: a null member is kept, as bytes */
    bool keep_empty_arrays; /* empty.array.behavior=optional_string */
    enum dbz_adjust adjust; /* of members' names */
    struct sluice_lru shapes;
    struct sluice_buf shape, name; /* scratch */
};

void outbox_json_init(struct outbox_json *json); /* zeroed but for the settings */
void outbox_json_fini(struct outbox_json *json); /* takes a zeroed one */
/* False: no JSON, or nothing that a schema can describe (err). The schema is held by the batch; the
 * value lives in it, or in the text. name: of the outermost struct;
 * NULL: none. */
bool outbox_json_expand(struct outbox_json *json, struct sluice_batch *batch, const char *name,
                        const struct sluice_value *text, const struct sluice_schema **schema,
                        struct sluice_value *v, struct sluice_err *err);

#endif
