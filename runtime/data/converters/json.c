/* json.c - org.apache.kafka.connect.json.JsonConverter.
 *
 * Encoding keeps one plan per schema, under its address; its envelope up to the payload is text.
 * Decoding keeps one entry per distinct text of a schema. A steady topic's records begin with the
 * same bytes: comparing them with those of the last few entries finds schema and plan without
 * parsing or hashing anything. Both caches are bounded (schemas.cache.size, and bytes).
 * Owner: one task's thread. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/builtins.h"
#include "data/converters/json_plan.h"
#include "data/json_text.h"
#include "data/schema.h"

#define CACHE_BYTES_MAX ((size_t)64 << 20)
#define RECENT 8 /* entries whose text is tried before anything is parsed */

static const char before_schema[] = "{\"schema\":", before_payload[] = ",\"payload\":";

/* One schema's plan; for decoding its key is a text, for encoding its address. */
struct entry {
    struct sluice_lru_node node;
    const struct sluice_schema *schema; /* held; NULL: the text was null */
    struct sluice_arena arena;
    const struct json_plan *plan; /* NULL for a NULL schema */
    char *prefix;                 /* {"schema":S,"payload": */
    size_t prefix_len;
};

struct converter {
    struct json_config config;
    struct sluice_lru encoders, decoders;
};

static void entry_drop(struct sluice_lru_node *node)
{
    struct entry *entry = (struct entry *)node;
    sluice_arena_fini(&entry->arena);
    sluice_schema_free(entry->schema);
    free(entry->prefix);
    free(entry);
}

/* Takes over the hold on schema, in any case. */
static struct entry *entry_new(struct converter *self, const struct sluice_schema *schema,
                               struct sluice_err *err)
{
    struct entry *entry = sluice_xcalloc(1, sizeof *entry);
    entry->schema = schema;
    sluice_arena_init(&entry->arena, 4096);
    if (schema) {
        entry->plan = json_plan_new(&entry->arena, &self->config, schema, err);
        if (!entry->plan) {
            entry_drop(&entry->node);
            return NULL;
        }
    }
    return entry;
}

static void entry_weigh(struct entry *entry)
{
    assert(!entry->schema == !entry->plan);
    entry->node.bytes = sizeof *entry + entry->prefix_len + entry->arena.used;
}

/* ---- encoding ---- */

/* The envelope up to the payload. */
static bool entry_prefix(struct entry *entry, struct sluice_err *err)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    bool ok = sluice_json_raw(&buf, before_schema, sizeof before_schema - 1, err) &&
              json_schema_write(&buf, entry->plan, err) &&
              sluice_json_raw(&buf, before_payload, sizeof before_payload - 1, err);
    if (ok) {
        entry->prefix = sluice_xmalloc(buf.len);
        memcpy(entry->prefix, buf.data, buf.len);
        entry->prefix_len = buf.len;
    }
    sluice_buf_fini(&buf);
    return ok;
}

static struct entry *encoder_for(struct converter *self, const struct sluice_schema *schema,
                                 struct sluice_err *err)
{
    struct sluice_lru_node *node = self->encoders.newest;
    if (node && node->key == schema) return (struct entry *)node;
    node = sluice_lru_get(&self->encoders, schema, 0);
    if (node) return (struct entry *)node;
    struct entry *entry = entry_new(self, sluice_schema_hold(schema), err);
    if (!entry) return NULL;
    if (self->config.schemas && !entry_prefix(entry, err)) {
        entry_drop(&entry->node);
        return NULL;
    }
    entry->node.key = schema;
    entry_weigh(entry);
    sluice_lru_put(&self->encoders, &entry->node);
    return entry;
}

static enum sluice_verdict encode(void *self_, const char *topic, const char *header,
                                  const struct sluice_schema *schema, const struct sluice_value *v,
                                  struct sluice_buf *out, bool *null, struct sluice_err *err)
{
    struct converter *self = self_;
    bool ok, envelope = self->config.schemas;
    (void)topic;
    (void)header;
    *null = !schema && v->type == SLUICE_NULL;
    if (*null) return SLUICE_OK;
    if (!schema) {
        static const char prefix[] = "{\"schema\":null,\"payload\":";
        ok = !envelope || sluice_json_raw(out, prefix, sizeof prefix - 1, err);
        ok = ok && sluice_json_value(out, v, err);
    } else {
        struct entry *entry = encoder_for(self, schema, err);
        if (!entry) return SLUICE_FAIL;
        assert(entry->schema == schema && entry->plan && (entry->prefix || !envelope));
        ok = !envelope || sluice_json_raw(out, entry->prefix, entry->prefix_len, err);
        ok = ok && json_encode(out, entry->plan, v, err);
    }
    if (ok && envelope) ok = sluice_json_raw(out, "}", 1, err);
    return ok ? SLUICE_OK : SLUICE_FAIL;
}

/* ---- decoding ---- */

/* One of the last entries whose whole prefix the text begins with. */
static struct entry *decoder_recent(struct converter *self, const char *data, size_t len)
{
    struct sluice_lru_node *node = self->decoders.newest;
    for (int i = 0; node && i < RECENT; i++, node = node->older) {
        struct entry *entry = (struct entry *)node;
        if (len > entry->prefix_len && memcmp(data, entry->prefix, entry->prefix_len) == 0) {
            sluice_lru_touch(&self->decoders, node);
            return entry;
        }
    }
    return NULL;
}

static struct entry *decoder_for(struct converter *self, const char *text, size_t len,
                                 struct sluice_err *err)
{
    struct sluice_lru_node *node = sluice_lru_get(&self->decoders, text, len);
    if (node) return (struct entry *)node;
    const struct sluice_schema *schema;
    if (!json_schema_read(&self->config, text, len, &schema, err)) return NULL;
    struct entry *entry = entry_new(self, schema, err);
    if (!entry) return NULL;
    size_t before = sizeof before_schema - 1, behind = sizeof before_payload - 1;
    entry->prefix_len = before + len + behind;
    entry->prefix = sluice_xmalloc(entry->prefix_len);
    memcpy(entry->prefix, before_schema, before);
    memcpy(entry->prefix + before, text, len);
    memcpy(entry->prefix + before + len, before_payload, behind);
    entry->node.key = entry->prefix + before;
    entry->node.key_len = len;
    entry_weigh(entry);
    sluice_lru_put(&self->decoders, &entry->node);
    return entry;
}

static bool decode_payload(struct sluice_json_reader *r, const struct entry *entry,
                           struct sluice_value *v)
{
    return entry->plan ? json_decode(r, entry->plan, v) : sluice_json_read(r, v);
}

static bool no_envelope(struct sluice_err *err)
{
    return sluice_err_set(
        err, "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may "
             "not contain additional fields. If you are trying to deserialize plain JSON data, set "
             "schemas.enable=false in your converter configuration.");
}

static enum sluice_verdict failed(const struct sluice_json_reader *r)
{
    if (r->broken) {
        sluice_err_wrap(r->err, "Converting byte[] to Kafka Connect data failed due to "
                                "serialization error");
    }
    return SLUICE_FAIL;
}

/* Any spelling of the envelope: finds both members, then reads the payload by the schema. */
static struct entry *decode_slow(struct converter *self, struct sluice_json_reader *r,
                                 struct sluice_value *v)
{
    const char *start[2] = {NULL, NULL}, *end[2] = {NULL, NULL};
    int c = sluice_json_peek(r);
    if (c != '{') {
        if (c < 0 || (sluice_json_skip(r) && sluice_json_root_end(r))) no_envelope(r->err);
        return NULL;
    }
    r->at++;
    if (!sluice_json_enter(r)) return NULL;
    bool others = false;
    for (bool first = true;; first = false) {
        const char *s;
        uint32_t len;
        bool ok = sluice_json_member(r, first, &s, &len);
        if (ok && !s) break;
        int which = -1;
        if (ok && len == 6 && memcmp(s, "schema", 6) == 0) which = 0;
        if (ok && len == 7 && memcmp(s, "payload", 7) == 0) which = 1;
        if (ok) {
            others = others || which < 0;
            sluice_json_peek(r);
            if (which >= 0) start[which] = r->at;
            ok = sluice_json_skip(r);
            if (which >= 0) end[which] = r->at;
        }
        if (!ok) return NULL;
    }
    if (others || !start[0] || !start[1]) {
        no_envelope(r->err);
        return NULL;
    }
    assert(start[0] < end[0] && end[0] <= r->end && end[1] <= r->end);
    struct entry *entry = decoder_for(self, start[0], (size_t)(end[0] - start[0]), r->err);
    if (!entry) return NULL;
    r->at = start[1];
    return decode_payload(r, entry, v) ? entry : NULL;
}

static enum sluice_verdict decode(void *self_, struct sluice_batch *batch, const char *topic,
                                  const char *header, const void *data, size_t len,
                                  const struct sluice_schema **schema, struct sluice_value *v,
                                  struct sluice_err *err)
{
    struct converter *self = self_;
    struct sluice_json_reader r;
    (void)topic;
    (void)header;
    *schema = NULL;
    *v = sluice_null();
    if (!data) return SLUICE_OK;
    if (len > UINT32_MAX)
        return sluice_fail(err, "cannot read %zu bytes of JSON: at most 4 GiB", len);
    sluice_json_reader_init(&r, batch, data, len, err);
    if (!self->config.schemas) {
        if (sluice_json_peek(&r) < 0) return SLUICE_OK; /* nothing: Jackson's missing node */
        if (sluice_json_read(&r, v) && sluice_json_root_end(&r)) return SLUICE_OK;
        return failed(&r);
    }
    struct entry *entry = decoder_recent(self, r.at, (size_t)(r.end - r.at));
    if (entry) {
        r.at += entry->prefix_len;
        r.depth = 1; /* inside of the envelope */
        if (!decode_payload(&r, entry, v)) return failed(&r);
        if (!sluice_json_take(&r, '}')) { /* more members, or broken: with care */
            sluice_json_reader_init(&r, batch, data, len, err);
            entry = NULL;
        }
    }
    if (!entry) entry = decode_slow(self, &r, v);
    if (!entry) return failed(&r);
    *schema = entry->schema;
    sluice_batch_hold(batch, entry->schema);
    return SLUICE_OK;
}

/* ---- the plugin ---- */

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self_,
                                struct sluice_err *err)
{
    (void)task;
    (void)err;
    struct converter *self = sluice_xcalloc(1, sizeof *self);
    *self_ = self;
    self->config.schemas = host->flag(conf, "schemas.enable");
    self->config.replace_null = host->flag(conf, "replace.null.with.default");
    const char *format = host->str(conf, "decimal.format");
    self->config.numeric_decimals = format && (format[0] | 0x20) == 'n';
    int64_t n = host->num(conf, "schemas.cache.size");
    size_t max_n = n > 0 ? (size_t)n : 1;
    sluice_lru_init(&self->encoders, max_n, CACHE_BYTES_MAX, entry_drop);
    sluice_lru_init(&self->decoders, max_n, CACHE_BYTES_MAX, entry_drop);
    return SLUICE_OK;
}

static void close(void *self_)
{
    struct converter *self = self_;
    if (!self) return;
    sluice_lru_fini(&self->encoders);
    sluice_lru_fini(&self->decoders);
    free(self);
}

static const struct sluice_option options[] = {
    {"converter.type", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, "key|value|header", NULL,
     "How this converter will be used; the runtime fills it in."},
    {"schemas.enable", SLUICE_OPT_BOOLEAN, SLUICE_HIGH, 0, "true", NULL, "Schemas",
     "Include schemas within each of the serialized values and keys."},
    {"schemas.cache.size", SLUICE_OPT_INT, SLUICE_HIGH, 0, "1000", NULL, "Schemas",
     "The maximum number of schemas that can be cached in this converter instance."},
    {"decimal.format", SLUICE_OPT_STRING, SLUICE_LOW, SLUICE_OPT_NOCASE, "BASE64", "BASE64|NUMERIC",
     "Serialization",
     "How Decimals are written: BASE64 (exact octets in base64) or NUMERIC (a JSON number). Both "
     "are read in any case."},
    {"replace.null.with.default", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "true", NULL, "Schemas",
     "Whether a null in a field that has a default value becomes that default; false keeps the "
     "null when the field is optional."},
    {0},
};

static const char *const aliases[] = {"org.apache.kafka.connect.json.JsonConverter", NULL};

static const struct sluice_converter converter = {
    .size = sizeof converter,
    .encode = encode,
    .decode = decode,
};

const struct sluice_plugin sluice_json_converter = {
    SLUICE_PLUGIN_HEAD,
    .kind = SLUICE_KIND_CONVERTER,
    .name = "json",
    .version = SLUICE_VERSION,
    .aliases = aliases,
    .options = options,
    .open = open,
    .close = close,
    .converter = &converter,
};
