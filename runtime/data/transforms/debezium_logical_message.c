/* debezium_logical_message.c - DecodeLogicalDecodingMessageContent: the JSON object in a message of
 * pg_logical_emit_message() becomes the row of an insert, so that EventRouter, say, can take it for
 * a row of an outbox table.
 *
 * What a content's schema is, follows from the content (debezium_outbox_json.h); the value's schema
 * is worked out once for each that comes together with the schema of messages. Owner: one task's
 * thread. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/transforms/debezium.h"
#include "data/transforms/debezium_outbox_json.h"

#define MESSAGE_VALUE "io.debezium.connector.postgresql.MessageValue"
#define PLANS_MAX 1000

struct decoder {
    struct outbox_json json;
    struct sluice_lru plans;
};

struct key { /* of a plan; both are held */
    const struct sluice_schema *value, *content;
};

struct plan {
    struct sluice_lru_node node;
    struct key key;
    const struct sluice_schema *out; /* the fields of value but for message, then after */
    int message, op;                 /* their places in value; op -1: it has none */
};

/* ---- plans ---- */

static void plan_drop(struct sluice_lru_node *node)
{
    struct plan *plan = (struct plan *)node;
    sluice_schema_free(plan->key.value);
    sluice_schema_free(plan->key.content);
    sluice_schema_free(plan->out);
    free(plan);
}

/* Debezium gives it neither a version nor parameters. */
static const struct sluice_schema *make_schema(const struct key *key, int message,
                                               struct sluice_err *err)
{
    static const struct sluice_schema basics = {.type = SLUICE_STRUCT,
                                                .name = MESSAGE_VALUE ".Envelope"};
    struct smt_builder builder;
    const struct sluice_schema *out = NULL;
    bool ok = true;
    smt_build(&builder, &basics);
    for (uint32_t i = 0; ok && i < key->value->fields_len; i++) {
        const struct sluice_field *field = &key->value->fields[i];
        if ((int)i != message) ok = smt_build_field(&builder, field->name, field->schema, err);
    }
    if (ok && smt_build_field(&builder, "after", key->content, err)) out = smt_build_done(&builder);
    smt_build_fini(&builder);
    return out;
}

static const struct plan *plan_of(struct decoder *self, const struct sluice_schema *value,
                                  const struct sluice_schema *content, int message,
                                  struct sluice_err *err)
{
    struct key key = {value, content};
    struct sluice_lru_node *node = sluice_lru_get(&self->plans, &key, sizeof key);
    if (node) return (struct plan *)node;
    const struct sluice_schema *out = make_schema(&key, message, err);
    if (!out) return NULL;
    struct plan *plan = sluice_xcalloc(1, sizeof *plan);
    plan->key = key;
    plan->out = out;
    plan->message = message;
    plan->op = dbz_field(value, "op");
    sluice_schema_hold(value);
    sluice_schema_hold(content);
    plan->node.key = &plan->key;
    plan->node.key_len = sizeof plan->key;
    plan->node.bytes = sizeof *plan;
    sluice_lru_put(&self->plans, &plan->node);
    return plan;
}

/* ---- records ---- */

static const char *topic_of(const struct sluice_record *rec)
{
    return rec->topic ? rec->topic : "";
}

/* The octets of the message; message: where it is in the value. */
static bool content_of(const struct sluice_record *rec, int message, struct sluice_value *text,
                       struct sluice_err *err)
{
    if (message < 0) {
        return sluice_err_set(err, "a logical message of topic %s has no field message",
                              topic_of(rec));
    }
    const struct sluice_schema *schema = rec->value_schema->fields[message].schema;
    const struct sluice_value *block = dbz_get(rec->value_schema, &rec->value, message);
    if (!smt_require_struct(schema, block, "Retrieve content of a logical decoding message", err)) {
        return false;
    }
    int at = dbz_field(schema, "content");
    if (at < 0 || schema->fields[at].schema->type != SLUICE_BYTES) {
        return sluice_err_set(err,
                              "The content of a logical decoding message is non-binary: topic %s; "
                              "set the connector's binary.handling.mode=bytes",
                              topic_of(rec));
    }
    const struct sluice_value *content = dbz_get(schema, block, at);
    if (content->type == SLUICE_NULL) {
        return sluice_err_set(err, "a logical message of topic %s has no content", topic_of(rec));
    }
    *text = sluice_string(content->u.s, content->len);
    return true;
}

/* The content as a struct; what is wrong with it is said without it: values are not for logs. */
static bool decode(struct decoder *self, struct sluice_batch *batch,
                   const struct sluice_record *rec, const struct sluice_value *text,
                   const struct sluice_schema **schema, struct sluice_value *v,
                   struct sluice_err *err)
{
    struct sluice_err why = {""};
    if (text->len && *text->u.s != '{') {
        sluice_err_set(&why, "it does not start with {");
    } else if (outbox_json_expand(&self->json, batch, NULL, text, schema, v, &why)) {
        assert((*schema)->type == SLUICE_STRUCT);
        return true;
    }
    return sluice_err_set(err,
                          "the content of a logical message of topic %s is no JSON object that can "
                          "be decoded: %s; a predicate or message.prefix.include.list keeps other "
                          "messages away from this transform",
                          topic_of(rec), why.msg);
}

static bool fill(const struct plan *plan, struct sluice_batch *batch,
                 const struct sluice_record *rec, const struct sluice_value *after,
                 struct sluice_value *out, struct sluice_err *err)
{
    const struct sluice_schema *in = plan->key.value;
    uint32_t n = plan->out->fields_len, at = 0;
    assert(n == in->fields_len && plan->message >= 0); /* after in place of message */
    struct sluice_value *values = sluice_batch_alloc(batch, n * sizeof *values);
    for (uint32_t i = 0; i < in->fields_len; i++) {
        const struct sluice_field *field = &in->fields[i];
        if ((int)i == plan->message) continue;
        if ((int)i == plan->op) values[at++] = sluice_string("c", 1);
        else if (smt_put(&values[at], &rec->value.u.v[i], field->schema, field, true, err)) at++;
        else return false;
    }
    assert(at == n - 1);
    values[at] = *after;
    *out = sluice_nested(SLUICE_STRUCT, values, n);
    return true;
}

static enum sluice_verdict apply(void *state, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct decoder *self = state;
    const struct sluice_schema *in = rec->value_schema, *content;
    struct sluice_value text, after, value;
    if (!in || !in->name || strcmp(in->name, MESSAGE_VALUE) != 0) return SLUICE_OK;
    if (!smt_require_struct(in, &rec->value, "Retrieve a record value", err)) return SLUICE_FAIL;
    int message = dbz_field(in, "message");
    if (!content_of(rec, message, &text, err) ||
        !decode(self, batch, rec, &text, &content, &after, err)) {
        return SLUICE_FAIL;
    }
    const struct plan *plan = plan_of(self, in, content, message, err);
    if (!plan || !fill(plan, batch, rec, &after, &value, err)) return SLUICE_FAIL;
    sluice_batch_hold(batch, in); /* defaults may be its */
    sluice_batch_hold(batch, plan->out);
    rec->key_schema = NULL; /* it was the message's prefix */
    rec->key = sluice_null();
    rec->value_schema = plan->out;
    rec->value = value;
    return SLUICE_OK;
}

/* ---- the plugin ---- */

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **state,
                                struct sluice_err *err)
{
    (void)task;
    (void)err;
    struct decoder *self = sluice_xcalloc(1, sizeof *self);
    *state = self;
    outbox_json_init(&self->json);
    self->json.keep_nulls = host->flag(conf, "fields.null.include");
    sluice_lru_init(&self->plans, PLANS_MAX, SIZE_MAX, plan_drop);
    return SLUICE_OK;
}

static void close(void *state)
{
    struct decoder *self = state;
    if (!self) return;
    sluice_lru_fini(&self->plans);
    outbox_json_fini(&self->json);
    free(self);
}

static const struct sluice_option options[] = {
    {"fields.null.include", SLUICE_OPT_BOOLEAN, SLUICE_MEDIUM, 0, "false", NULL, NULL,
     "Whether members that are null become fields, as octets; otherwise they are left out."},
    {0},
};

DBZ_PLUGIN(debezium_logical_message, "decode-logical-message", NULL,
           "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent",
           "DecodeLogicalDecodingMessageContent");
