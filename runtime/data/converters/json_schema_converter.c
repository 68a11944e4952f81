/* json_schema_converter.c - io.confluent.connect.json.JsonSchemaConverter.
 *
 * A record is a zero byte, the id of a JSON Schema in the registry, and JSON. Values are written
 * and read by JsonConverter's plans (json_plan.h) under this converter's own rules: members that
 * are null and required are left out, maps with other keys than texts are lists of objects, unions
 * are the value itself. Plans are kept per Connect schema for writing and per id for reading, both
 * bounded. Owner: one task's thread. */
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/builtins.h"
#include "data/converters/json_schema_text.h"
#include "data/converters/registry_ids.h"
#include "data/json_text.h"
#include "data/lru.h"
#include "data/schema.h"
#include "registry/options.h"
#include "registry/registry.h"

#define CACHE_BYTES_MAX ((size_t)64 << 20)
#define TEXT_MAX ((size_t)16 << 20)

struct converter {
    struct json_schema_config config;
    struct sluice_sr *registry;
    struct sluice_lru encoders, decoders;
};

struct plan_entry { /* key: the schema's address for writing, the head for reading */
    struct sluice_lru_node node;
    char head[SLUICE_SR_HEAD];
    const struct sluice_schema *schema; /* held */
    struct sluice_arena arena;
    const struct json_plan *plan;
    struct registry_ids ids; /* for writing */
};

static void entry_drop(struct sluice_lru_node *node)
{
    struct plan_entry *entry = (struct plan_entry *)node;
    registry_ids_fini(&entry->ids);
    sluice_arena_fini(&entry->arena);
    sluice_schema_free(entry->schema);
    free(entry);
}

/* Takes over the hold on schema, in any case. */
static struct plan_entry *entry_new(const struct json_config *config,
                                    const struct sluice_schema *schema, struct sluice_err *err)
{
    struct plan_entry *entry = sluice_xcalloc(1, sizeof *entry);
    assert(schema);
    entry->schema = schema;
    sluice_arena_init(&entry->arena, 4096);
    entry->plan = json_plan_new(&entry->arena, config, schema, err);
    entry->node.bytes = sizeof *entry + entry->arena.used;
    if (entry->plan) return entry;
    entry_drop(&entry->node);
    return NULL;
}

/* ---- encoding ---- */

static struct plan_entry *encoder_for(struct converter *self, const struct sluice_schema *schema,
                                      struct sluice_err *err)
{
    struct sluice_lru_node *node = self->encoders.newest;
    if (node && node->key == schema) return (struct plan_entry *)node;
    node = sluice_lru_get(&self->encoders, schema, 0);
    if (node) return (struct plan_entry *)node;
    struct plan_entry *entry = entry_new(&self->config.write, sluice_schema_hold(schema), err);
    if (!entry) return NULL;
    entry->node.key = schema;
    sluice_lru_put(&self->encoders, &entry->node);
    return entry;
}

static enum sluice_verdict ask_id(struct converter *self, struct plan_entry *entry,
                                  const char *topic, const struct registry_id **id,
                                  struct sluice_err *err)
{
    const struct sluice_sr_schema *found = NULL;
    struct sluice_buf buf;
    enum sluice_verdict verdict = SLUICE_FAIL;
    const char *subject = sluice_sr_subject(self->registry, topic, entry->schema->name, err);
    if (!subject) return SLUICE_FAIL;
    sluice_buf_init(&buf, TEXT_MAX);
    if (json_schema_text_write(&buf, &self->config, entry->schema, err)) {
        struct sluice_sr_text text = {buf.data, buf.len, NULL, 0};
        verdict = sluice_sr_for_writing(self->registry, subject, &text, &found, err);
    }
    if (verdict == SLUICE_OK) {
        char head[SLUICE_SR_HEAD];
        sluice_sr_head_write(head, found->id);
        *id = registry_ids_set(&entry->ids, topic, head, sizeof head,
                               sluice_sr_writing_ttl_ms(self->registry));
    }
    sluice_sr_schema_free(found);
    sluice_buf_fini(&buf);
    return verdict;
}

static enum sluice_verdict encode(void *self_, const char *topic, const char *header,
                                  const struct sluice_schema *schema, const struct sluice_value *v,
                                  struct sluice_buf *out, bool *null, struct sluice_err *err)
{
    struct converter *self = self_;
    (void)header;
    *null = v->type == SLUICE_NULL && !schema;
    if (*null) return SLUICE_OK;
    if (!schema) {
        return sluice_fail(err, "JsonSchemaConverter cannot write a value without a schema; use "
                                "JsonConverter for schemaless data");
    }
    struct plan_entry *entry = encoder_for(self, schema, err);
    if (!entry) return SLUICE_FAIL;
    *null = v->type == SLUICE_NULL && !entry->plan->null_text;
    if (*null) return SLUICE_OK;
    const struct registry_id *id = registry_ids_get(&entry->ids, topic);
    if (!id) {
        enum sluice_verdict verdict = ask_id(self, entry, topic, &id, err);
        if (verdict != SLUICE_OK) return verdict;
    }
    if (!sluice_json_raw(out, id->head, id->head_len, err)) return SLUICE_FAIL;
    return json_encode(out, entry->plan, v, err) ? SLUICE_OK : SLUICE_FAIL;
}

/* ---- decoding ---- */

/* The Connect schema of an id, held in *schema with OK. */
static enum sluice_verdict fetch(struct converter *self, const char *subject, int32_t id,
                                 const struct sluice_schema **schema, struct sluice_err *err)
{
    const struct sluice_sr_schema *found = NULL;
    struct sluice_sr_refs refs = {NULL, NULL, 0, 0};
    struct json_schema_text *texts = NULL;
    enum sluice_verdict verdict = sluice_sr_by_id(self->registry, id, subject, &found, err);
    if (verdict == SLUICE_OK) verdict = sluice_sr_refs(self->registry, found, &refs, err);
    if (verdict != SLUICE_OK) goto out;
    verdict = SLUICE_FAIL;
    if (found->type != SLUICE_SR_JSON) {
        sluice_err_set(err, "schema %d of the registry is no JSON schema", id);
        goto out;
    }
    texts = sluice_xcalloc(refs.n + 1, sizeof *texts);
    texts[0] = (struct json_schema_text){NULL, found->text, found->len};
    for (size_t i = 0; i < refs.n; i++) {
        texts[i + 1] =
            (struct json_schema_text){refs.names[i], refs.schemas[i]->text, refs.schemas[i]->len};
    }
    *schema = json_schema_text_read(&self->config, texts, refs.n + 1, found->version, err);
    if (*schema) verdict = SLUICE_OK;
    else sluice_err_wrap(err, "schema %d of the registry", id);
out:
    free(texts);
    sluice_sr_refs_free(&refs);
    sluice_sr_schema_free(found);
    return verdict;
}

static enum sluice_verdict decoder_for(struct converter *self, const char *topic, const void *data,
                                       size_t len, struct plan_entry **out, struct sluice_err *err)
{
    int32_t id;
    const char *subject = NULL;
    const struct sluice_schema *schema = NULL;
    if (!sluice_sr_head_read(data, len, &id, err)) return SLUICE_FAIL;
    struct sluice_lru_node *node = sluice_lru_get(&self->decoders, data, SLUICE_SR_HEAD);
    *out = (struct plan_entry *)node;
    if (node) return SLUICE_OK;
    if (!sluice_sr_subject_needs_name(self->registry)) {
        subject = sluice_sr_subject(self->registry, topic, NULL, err);
    }
    enum sluice_verdict verdict = fetch(self, subject, id, &schema, err);
    if (verdict != SLUICE_OK) return verdict;
    struct plan_entry *entry = entry_new(&self->config.read, schema, err);
    if (!entry) return SLUICE_FAIL;
    memcpy(entry->head, data, SLUICE_SR_HEAD);
    entry->node.key = entry->head;
    entry->node.key_len = SLUICE_SR_HEAD;
    sluice_lru_put(&self->decoders, &entry->node);
    *out = entry;
    return SLUICE_OK;
}

static enum sluice_verdict decode(void *self_, struct sluice_batch *batch, const char *topic,
                                  const char *header, const void *data, size_t len,
                                  const struct sluice_schema **schema, struct sluice_value *v,
                                  struct sluice_err *err)
{
    struct converter *self = self_;
    struct plan_entry *entry = (struct plan_entry *)self->decoders.newest;
    struct sluice_json_reader r;
    (void)header;
    *schema = NULL;
    *v = sluice_null();
    if (!data) return SLUICE_OK;
    if (len > UINT32_MAX) {
        return sluice_fail(err, "cannot read %zu bytes of JSON: at most 4 GiB", len);
    }
    if (!entry || len < SLUICE_SR_HEAD || memcmp(data, entry->head, SLUICE_SR_HEAD) != 0) {
        enum sluice_verdict verdict = decoder_for(self, topic, data, len, &entry, err);
        if (verdict != SLUICE_OK) return verdict;
    }
    sluice_json_reader_init(&r, batch, (const char *)data + SLUICE_SR_HEAD, len - SLUICE_SR_HEAD,
                            err);
    bool ok = json_decode(&r, entry->plan, v);
    if (ok && sluice_json_peek(&r) >= 0) ok = sluice_json_unexpected(&r, "the end");
    if (!ok) {
        *v = sluice_null();
        return SLUICE_FAIL;
    }
    *schema = entry->schema;
    sluice_batch_hold(batch, entry->schema);
    return SLUICE_OK;
}

/* ---- the plugin ---- */

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self_,
                                struct sluice_err *err)
{
    struct converter *self = sluice_xcalloc(1, sizeof *self);
    struct json_schema_config *config = &self->config;
    const char *format = host->str(conf, "decimal.format");
    *self_ = self;
    config->sum_types = host->flag(conf, "generalized.sum.type.support");
    config->closed = !host->flag(conf, "object.additional.properties");
    config->optional_nonrequired = host->flag(conf, "use.optional.for.nonrequired");
    config->flatten_singletons = host->flag(conf, "flatten.singleton.unions");
    config->write.loose = config->read.loose = true;
    config->write.numeric_decimals = format && (format[0] | 0x20) == 'n';
    config->write.replace_null = !host->flag(conf, "ignore.default.for.nullables");
    config->read.replace_null = true;
    int64_t n = host->num(conf, "schemas.cache.config");
    size_t max_n = n > 0 ? (size_t)n : 1;
    sluice_lru_init(&self->encoders, max_n, CACHE_BYTES_MAX, entry_drop);
    sluice_lru_init(&self->decoders, max_n, CACHE_BYTES_MAX, entry_drop);
    self->registry = sluice_sr_new(task, host, conf, SLUICE_SR_JSON, err);
    return self->registry ? SLUICE_OK : SLUICE_FAIL;
}

static void close(void *self_)
{
    struct converter *self = self_;
    if (!self) return;
    sluice_lru_fini(&self->encoders);
    sluice_lru_fini(&self->decoders);
    sluice_sr_free(self->registry);
    free(self);
}

static const struct sluice_option options[] = {
    SLUICE_SR_OPTIONS,
    {"schemas.cache.config", SLUICE_OPT_INT, SLUICE_LOW, 0, "1000", "1..", "Schemas",
     "How many schemas are kept with the plans for reading and writing them."},
    {"generalized.sum.type.support", SLUICE_OPT_BOOLEAN, SLUICE_MEDIUM, 0, "false", NULL, "Schemas",
     "Whether enums and unions carry the parameters that all of Confluent's converters share."},
    {"ignore.default.for.nullables", SLUICE_OPT_BOOLEAN, SLUICE_MEDIUM, 0, "false", NULL, "Schemas",
     "Whether a null in a field with a default value stays null when written instead of becoming "
     "it."},
    {"object.additional.properties", SLUICE_OPT_BOOLEAN, SLUICE_MEDIUM, 0, "true", NULL, "Schemas",
     "Whether the schemas that are written allow further members in objects."},
    {"use.optional.for.nonrequired", SLUICE_OPT_BOOLEAN, SLUICE_MEDIUM, 0, "false", NULL, "Schemas",
     "Whether properties that a schema does not require are read as optional."},
    {"flatten.singleton.unions", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "true", NULL, "Schemas",
     "Whether a union of one schema is read as that schema."},
    {"decimal.format", SLUICE_OPT_STRING, SLUICE_LOW, SLUICE_OPT_NOCASE, "BASE64", "BASE64|NUMERIC",
     "Serialization",
     "How Decimals are written: BASE64 (exact octets in base64) or NUMERIC (a JSON number). Both "
     "are read in any case."},
    {"ignore.modern.dialects", SLUICE_OPT_BOOLEAN, SLUICE_LOW, SLUICE_OPT_IGNORED, "false", NULL,
     "Schemas", "Schemas of all dialects are read by the keywords that they have in common."},
    {"json.fail.invalid.schema", SLUICE_OPT_BOOLEAN, SLUICE_LOW, SLUICE_OPT_IGNORED, "false", NULL,
     "Schemas", "Payloads are not validated beyond what their types need."},
    {0},
};

static const char *const aliases[] = {"io.confluent.connect.json.JsonSchemaConverter", NULL};

static const struct sluice_converter converter = {
    .size = sizeof converter,
    .encode = encode,
    .decode = decode,
};

const struct sluice_plugin sluice_json_schema_converter = {
    SLUICE_PLUGIN_HEAD,
    .kind = SLUICE_KIND_CONVERTER,
    .name = "json-schema",
    .version = SLUICE_VERSION,
    .aliases = aliases,
    .options = options,
    .open = open,
    .close = close,
    .converter = &converter,
};
