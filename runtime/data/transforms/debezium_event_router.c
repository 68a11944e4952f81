/* debezium_event_router.c - io.debezium.transforms.outbox.EventRouter: rows that a service inserts
 * into its outbox table become events of topics that the rows name, as Debezium 3.6 does it.
 *
 * Only inserts count; deletes (the table is cleaned up) and tombstones are dropped, updates are
 * reported. Owner: one task's thread. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/transforms/debezium_outbox.h"

/* Said at the 1st, 10th, 100th ... time. */
static bool worth_saying(uint64_t *count)
{
    uint64_t n = ++*count;
    while (n % 10 == 0) n /= 10;
    return n == 1;
}

static const char *topic_of(const struct sluice_record *rec)
{
    return rec->topic ? rec->topic : "";
}

static enum sluice_verdict unexpected(struct outbox *outbox, const struct sluice_record *rec,
                                      char op, struct sluice_err *err)
{
    const char *what = op == 'u' ? "update" : "truncate";
    if (outbox->invalid == OUTBOX_FATAL) {
        return sluice_fail(err,
                           "Unexpected %s message received in topic %s, fail: rows of an outbox "
                           "table are only inserted and deleted (table.op.invalid.behavior)",
                           what, topic_of(rec));
    }
    if (worth_saying(&outbox->warned)) {
        outbox->host->log(outbox->task, outbox->invalid == OUTBOX_WARN ? SLUICE_WARN : SLUICE_ERROR,
                          "Unexpected %s message received in topic %s and ignored; so far %" PRIu64
                          " of them",
                          what, topic_of(rec), outbox->warned);
    }
    return SLUICE_DROP;
}

/* ---- the parts of an event ---- */

struct event {
    const struct outbox_plan *plan;
    struct sluice_value envelope, row;
    const struct sluice_schema *payload_schema;
    struct sluice_value payload;
};

static const struct sluice_value *column(const struct event *event, int index)
{
    return dbz_get(event->plan->row, &event->row, index);
}

static bool set_timestamp(const struct outbox *outbox, const struct event *event,
                          struct sluice_record *rec, struct sluice_err *err)
{
    const struct outbox_plan *plan = event->plan;
    if (plan->timestamp >= 0) {
        const struct sluice_value *at = column(event, plan->timestamp);
        const struct sluice_schema *schema = plan->row->fields[plan->timestamp].schema;
        if (at->type != SLUICE_NULL && plan->timestamp_unit) {
            rec->timestamp_ms = at->u.i / plan->timestamp_unit;
            return true;
        }
        if (at->type != SLUICE_NULL) {
            return sluice_err_set(err,
                                  "Unsupported field type %s for event timestamp (column %s): "
                                  "io.debezium.time.Timestamp, MicroTimestamp and NanoTimestamp "
                                  "are known",
                                  schema->name ? schema->name : "without logical schema name",
                                  outbox->timestamp);
        }
    }
    const struct sluice_value *now = plan->ts_ms >= 0 ? &event->envelope.u.v[plan->ts_ms] : NULL;
    rec->timestamp_ms = now && now->type == SLUICE_INT64 ? now->u.i : SLUICE_NO_TIMESTAMP;
    return true;
}

static void expand_payload(struct outbox *outbox, struct sluice_batch *batch, struct event *event,
                           const struct sluice_record *rec)
{
    struct sluice_err why = {""};
    if (event->payload.type == SLUICE_NULL) return;
    if (event->payload.type != SLUICE_STRING) {
        sluice_err_set(&why, "the payload is no text");
    } else if (outbox_json_expand(&outbox->json, batch, outbox->payload, &event->payload,
                                  &event->payload_schema, &event->payload, &why)) {
        return;
    }
    if (worth_saying(&outbox->unexpanded)) {
        outbox->host->log(outbox->task, SLUICE_WARN,
                          "JSON expansion failed for a payload of topic %s, which is passed on as "
                          "it is: %s; so far %" PRIu64 " of them",
                          topic_of(rec), why.msg, outbox->unexpanded);
    }
}

/* Java's String.trim() leaves nothing of it. */
static bool is_blank(const struct sluice_value *payload)
{
    if (payload->type == SLUICE_NULL) return true;
    if (payload->type != SLUICE_STRING) return false;
    for (uint32_t i = 0; i < payload->len; i++) {
        if ((unsigned char)payload->u.s[i] > ' ') return false;
    }
    return true;
}

/* The payload beside the extras, in a struct of its own. */
static bool make_envelope(struct outbox *outbox, struct sluice_batch *batch,
                          const struct event *event, struct sluice_record *rec,
                          struct sluice_err *err)
{
    const struct outbox_plan *plan = event->plan;
    const struct sluice_value *version = plan->version >= 0 ? column(event, plan->version) : NULL;
    const struct sluice_schema *schema = outbox_value_schema(
        outbox, plan, event->payload_schema, column(event, plan->route), version, err);
    if (!schema) return false;
    struct sluice_value *values =
        sluice_batch_alloc(batch, (outbox->extras_n + 1) * sizeof *values);
    size_t n = 0;
    if (!smt_put(&values[n++], &event->payload, event->payload_schema, &schema->fields[0], false,
                 err)) {
        return false;
    }
    for (size_t i = 0; i < outbox->extras_n; i++) {
        if (outbox->extras[i].place != OUTBOX_ENVELOPE || plan->extras[i] < 0) continue;
        values[n++] = *column(event, plan->extras[i]);
    }
    assert(n == schema->fields_len);
    smt_set(batch, smt_side(&outbox->smt, rec), schema, sluice_nested(SLUICE_STRUCT, values, n));
    return true;
}

static void add_headers(struct outbox *outbox, struct sluice_batch *batch,
                        const struct event *event, struct sluice_record *rec)
{
    const struct outbox_plan *plan = event->plan;
    struct sluice_header *to = dbz_more_headers(batch, rec, outbox->headers_n);
    *to++ =
        (struct sluice_header){"id", plan->row->fields[plan->id].schema, *column(event, plan->id)};
    for (size_t i = 0; i < outbox->extras_n; i++) {
        const struct outbox_extra *extra = &outbox->extras[i];
        if (plan->extras[i] < 0 || extra->place != OUTBOX_HEADER) continue;
        *to++ = (struct sluice_header){extra->alias, plan->row->fields[plan->extras[i]].schema,
                                       *column(event, plan->extras[i])};
    }
    assert(to <= rec->headers + rec->headers_len + outbox->headers_n);
    rec->headers_len = (uint32_t)(to - rec->headers);
}

static void set_partition(const struct outbox *outbox, const struct event *event,
                          struct sluice_record *rec)
{
    rec->partition = SLUICE_ANY_PARTITION;
    for (size_t i = 0; i < outbox->extras_n; i++) {
        int at = event->plan->extras[i];
        if (at < 0 || outbox->extras[i].place != OUTBOX_PARTITION) continue;
        const struct sluice_value *v = column(event, at);
        rec->partition = v->type == SLUICE_NULL ? SLUICE_ANY_PARTITION : (int32_t)v->u.i;
    }
}

static bool set_topic(struct outbox *outbox, struct sluice_batch *batch, const struct event *event,
                      struct sluice_record *rec, struct sluice_err *err)
{
    const struct sluice_value *route = column(event, event->plan->route);
    if (route->type == SLUICE_NULL) {
        return sluice_err_set(err,
                              "cannot route an outbox event of topic %s: its column %s is null "
                              "(route.by.field)",
                              topic_of(rec), outbox->route);
    }
    struct sluice_buf *topic = &outbox->topic;
    sluice_buf_clear(topic);
    enum sluice_match match = sluice_java_regex_matches(outbox->regex, route->u.s, route->len, err);
    if (match == SLUICE_MATCH_YES) {
        match = sluice_java_regex_replace(outbox->regex, route->u.s, route->len,
                                          outbox->replacement, false, topic, err);
    } else if (match == SLUICE_MATCH_NO && !sluice_buf_add(topic, route->u.s, route->len)) {
        match = SLUICE_MATCH_FAILED;
        sluice_err_set(err, "the topic is too long");
    }
    if (match == SLUICE_MATCH_FAILED) {
        return sluice_err_wrap(err, "cannot route an outbox event of topic %s", topic_of(rec));
    }
    rec->topic = sluice_arena_strndup(&batch->arena, topic->data ? topic->data : "", topic->len);
    return true;
}

/* ---- records ---- */

static enum sluice_verdict route(struct outbox *outbox, struct sluice_batch *batch,
                                 struct event *event, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    const struct outbox_plan *plan = event->plan;
    sluice_batch_hold(batch, rec->value_schema); /* columns and their defaults are used below */
    if (!set_timestamp(outbox, event, rec, err)) return SLUICE_FAIL;
    if (outbox->expand) expand_payload(outbox, batch, event, rec);
    add_headers(outbox, batch, event, rec);
    bool empty = is_blank(&event->payload);
    if (outbox->envelope) {
        if (!make_envelope(outbox, batch, event, rec, err)) return SLUICE_FAIL;
    } else {
        smt_set(batch, smt_side(&outbox->smt, rec), event->payload_schema, event->payload);
    }
    if (empty && outbox->tombstones) {
        rec->value_schema = NULL;
        rec->value = sluice_null();
    }
    rec->key_schema = plan->row->fields[plan->key].schema;
    rec->key = *column(event, plan->key);
    set_partition(outbox, event, rec);
    return set_topic(outbox, batch, event, rec, err) ? SLUICE_OK : SLUICE_FAIL;
}

static enum sluice_verdict apply(void *state, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct outbox *outbox = state;
    if (rec->value.type == SLUICE_NULL) return SLUICE_DROP;
    if (!dbz_is_envelope(rec)) return SLUICE_OK;
    if (!smt_require_struct(rec->value_schema, &rec->value, "Detect Debezium Operation", err)) {
        return SLUICE_FAIL;
    }
    char op = dbz_op(rec, dbz_field(rec->value_schema, "op"));
    if (op == 'd') return SLUICE_DROP;
    assert(outbox->regex);
    if (op == 'u' || op == 't') return unexpected(outbox, rec, op, err);
    struct event event = {.plan = outbox_plan_of(outbox, rec->value_schema, err)};
    if (!event.plan) {
        sluice_err_wrap(err, "cannot route an outbox event of topic %s", topic_of(rec));
        return SLUICE_FAIL;
    }
    event.envelope = rec->value;
    event.row = rec->value.u.v[event.plan->after];
    if (!smt_require_struct(event.plan->row, &event.row, "Read Outbox Event", err)) {
        return SLUICE_FAIL;
    }
    event.payload_schema = event.plan->row->fields[event.plan->payload].schema;
    event.payload = *column(&event, event.plan->payload);
    return route(outbox, batch, &event, rec, err);
}

/* ---- the plugin ---- */

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **state,
                                struct sluice_err *err)
{
    struct outbox *outbox = sluice_xcalloc(1, sizeof *outbox);
    *state = outbox;
    outbox->task = task;
    return outbox_init(outbox, host, conf, err) ? SLUICE_OK : SLUICE_FAIL;
}

static void close(void *state)
{
    if (!state) return;
    outbox_fini(state);
    free(state);
}

#define COLUMN(key, importance, fallback, doc)                                                     \
    {                                                                                              \
        key, SLUICE_OPT_STRING, importance, 0, fallback, NULL, "Table", doc                        \
    }
#define TRACING "Accepted for Debezium's sake: there is no tracing here."

static const struct sluice_option options[] = {
    COLUMN("table.field.event.id", SLUICE_LOW, "id", "The column that becomes the header id."),
    COLUMN("table.field.event.key", SLUICE_LOW, "aggregateid",
           "The column that becomes the record's key."),
    COLUMN("table.field.event.type", SLUICE_LOW, "type",
           "The column with the event's type; place it by table.fields.additional.placement."),
    COLUMN("table.field.event.payload", SLUICE_LOW, "payload",
           "The column that becomes the record's value."),
    COLUMN("table.field.event.timestamp", SLUICE_MEDIUM, NULL,
           "The column that becomes the record's timestamp, in place of the change event's."),
    {"table.fields.additional.placement", SLUICE_OPT_LIST, SLUICE_HIGH, 0, "", NULL, "Table",
     "More columns and where they go: type:header, type:envelope:eventType, part:partition."},
    {"table.field.additional.missing", SLUICE_OPT_STRING, SLUICE_MEDIUM, SLUICE_OPT_NOCASE, "error",
     "error|ignore", "Table", "What a missing additional column is: an error, or left out."},
    COLUMN("table.field.event.schema.version", SLUICE_LOW, NULL,
           "The INT32 column with the version of the value's schema (with envelope placement)."),
    {"table.op.invalid.behavior", SLUICE_OPT_STRING, SLUICE_MEDIUM, SLUICE_OPT_NOCASE, "warn",
     "warn|error|fatal", "Table",
     "What an update of the table is: dropped with a warning, dropped with an error in the log, or "
     "the task's end."},
    {"table.expand.json.payload", SLUICE_OPT_BOOLEAN, SLUICE_MEDIUM, 0, "false", NULL, "Table",
     "Whether a payload of JSON text becomes a value with a schema inferred from it."},
    {"table.json.payload.null.behavior", SLUICE_OPT_STRING, SLUICE_MEDIUM, SLUICE_OPT_NOCASE,
     "ignore", "ignore|optional_bytes", "Table",
     "What becomes of null members of such JSON: left out, or null as optional bytes."},
    {"table.json.payload.empty.array.behavior", SLUICE_OPT_STRING, SLUICE_MEDIUM, SLUICE_OPT_NOCASE,
     "ignore", "ignore|optional_string", "Table",
     "What becomes of empty arrays of such JSON: left out, or kept as arrays of optional strings."},
    {"field.name.adjustment.mode", SLUICE_OPT_STRING, SLUICE_LOW, SLUICE_OPT_NOCASE, "none",
     "none|avro|avro_unicode", "Table",
     "How names of such JSON's members are changed to be valid in Avro."},
    {"route.by.field", SLUICE_OPT_STRING, SLUICE_HIGH, 0, "aggregatetype", NULL, "Router",
     "The column whose value the topic is made of."},
    {"route.topic.regex", SLUICE_OPT_STRING, SLUICE_LOW, 0, "(?<routedByValue>.*)", NULL, "Router",
     "What that value must match as a whole to be replaced; else it is the topic itself."},
    {"route.topic.replacement", SLUICE_OPT_STRING, SLUICE_HIGH, 0, "outbox.event.${routedByValue}",
     NULL, "Router", "The topic, with groups of the regular expression as $1 or ${name}."},
    {"route.tombstone.on.empty.payload", SLUICE_OPT_BOOLEAN, SLUICE_HIGH, 0, "false", NULL,
     "Router", "Whether an empty payload becomes a record without value."},
    {"tracing.span.context.field", SLUICE_OPT_STRING, SLUICE_LOW, SLUICE_OPT_IGNORED,
     "tracingspancontext", NULL, "Tracing", TRACING},
    {"tracing.operation.name", SLUICE_OPT_STRING, SLUICE_LOW, SLUICE_OPT_IGNORED, "debezium-read",
     NULL, "Tracing", TRACING},
    {"tracing.with.context.field.only", SLUICE_OPT_BOOLEAN, SLUICE_LOW, SLUICE_OPT_IGNORED, "false",
     NULL, "Tracing", TRACING},
    {0},
};

DBZ_PLUGIN(debezium_event_router, "event-router", NULL, "io.debezium.transforms.outbox.EventRouter",
           "EventRouter");
