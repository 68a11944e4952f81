/* avro.c - io.confluent.connect.avro.AvroConverter.
 *
 * A record is a zero, the id of its writer's schema and Avro's binary. Writing keeps one entry per
 * Connect schema and topic: the id that the registry gave and the plan bound to it. Reading keeps
 * one per id and topic: the Connect schema and the plan. A steady topic finds its entry by two
 * compares; both caches are bounded (schemas.cache.config, and bytes). Owner: one task's thread. */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/builtins.h"
#include "data/converters/avro_plan.h"
#include "data/json_io.h"
#include "data/lru.h"
#include "data/schema.h"
#include "registry/options.h"
#include "registry/registry.h"

#define CACHE_BYTES_MAX ((size_t)64 << 20)

struct entry { /* of either cache; key: the schema's address or the id, then the topic */
    struct sluice_lru_node node;
    const struct sluice_schema *schema; /* held; NULL: schemaless */
    int32_t id;
    bool raw;          /* octets at the top stand without their length, as in Java */
    int64_t ends_ms;   /* when the latest schema is to be asked for again; -1: never */
    const char *topic; /* within key */
    char *key;
    struct sluice_batch batch; /* schemas and plans */
    const struct avro_enc *enc;
    const struct avro_dec *dec;
};

struct converter {
    struct avro_config config;
    struct sluice_sr *sr;
    struct sluice_task *task;
    const struct sluice_host *host;
    struct sluice_lru writers, readers;
};

static void entry_drop(struct sluice_lru_node *node)
{
    struct entry *entry = (struct entry *)node;
    sluice_batch_fini(&entry->batch);
    sluice_schema_free(entry->schema);
    free(entry->key);
    free(entry);
}

static struct entry *entry_new(const void *id, size_t id_len, const char *topic, int64_t ttl_ms)
{
    struct entry *entry = sluice_xcalloc(1, sizeof *entry);
    size_t len = strlen(topic) + 1;
    entry->key = sluice_xmalloc(id_len + len);
    memcpy(entry->key, id, id_len);
    memcpy(entry->key + id_len, topic, len);
    entry->topic = entry->key + id_len;
    entry->node.key = entry->key;
    entry->node.key_len = id_len + len;
    entry->ends_ms = ttl_ms < 0 ? -1 : sluice_now_ms() + ttl_ms;
    sluice_batch_init(&entry->batch);
    return entry;
}

static void entry_keep(struct sluice_lru *lru, struct entry *entry)
{
    assert(!entry->schema || entry->enc || entry->dec);
    entry->node.bytes = sizeof *entry + entry->node.key_len + entry->batch.arena.used;
    sluice_lru_put(lru, &entry->node);
}

/* What stands under the key and is not too old. An old one is renewed in place by its caller. */
static struct entry *entry_find(struct sluice_lru *lru, const void *id, size_t id_len,
                                const char *topic)
{
    char key[300];
    size_t len = strlen(topic) + 1;
    if (id_len + len > sizeof key) return NULL; /* Kafka's names have at most 249 bytes */
    memcpy(key, id, id_len);
    memcpy(key + id_len, topic, len);
    return (struct entry *)sluice_lru_get(lru, key, id_len + len);
}

static bool fresh(const struct entry *entry)
{
    return entry->ends_ms < 0 || sluice_now_ms() < entry->ends_ms;
}

/* ---- schemas of the registry ---- */

static const char *record_name(const struct avro_schema *avro)
{
    return avro->full; /* NULL: no named type */
}

/* Parses what the registry knows, with all that it refers to. */
static enum sluice_verdict parse(struct converter *self, struct sluice_batch *batch,
                                 const struct sluice_sr_schema *schema, struct avro_schema **out,
                                 struct sluice_err *err)
{
    struct sluice_sr_refs refs = {0};
    enum sluice_verdict v = SLUICE_OK;
    if (schema->refs_n) v = sluice_sr_refs(self->sr, schema, &refs, err);
    if (v != SLUICE_OK) return v;
    struct avro_text *texts = sluice_xcalloc(refs.n + 1, sizeof *texts);
    for (size_t i = 0; i < refs.n; i++) {
        texts[i] = (struct avro_text){refs.schemas[i]->text, refs.schemas[i]->len};
    }
    /* The graph borrows from texts; they must live as long as the batch. */
    const char *text = avro_strndup(batch, schema->text, schema->len);
    for (size_t i = 0; i < refs.n; i++)
        texts[i].text = avro_strndup(batch, texts[i].text, texts[i].len);
    *out = avro_parse(batch, texts, refs.n, text, schema->len, err);
    if (!*out) sluice_err_wrap(err, "the schema of id %d", (int)schema->id);
    free(texts);
    sluice_sr_refs_free(&refs);
    return *out ? SLUICE_OK : SLUICE_FAIL;
}

/* ---- writing ---- */

static bool same_text(const struct sluice_sr_schema *schema, const struct sluice_sr_text *text)
{
    return schema->len == text->len && memcmp(schema->text, text->text, text->len) == 0;
}

/* The plan by which entry->schema is written, when the registry chose another schema. */
static enum sluice_verdict bind_other(struct converter *self, struct entry *entry,
                                      const struct sluice_sr_schema *found,
                                      struct avro_schema **avro, const char *subject,
                                      struct sluice_err *err)
{
    struct avro_schema *own = *avro;
    enum sluice_verdict v = parse(self, &entry->batch, found, avro, err);
    if (v != SLUICE_OK) return v;
    if (sluice_sr_must_check(self->sr) && !avro_resolves(own, *avro, err)) {
        sluice_err_wrap(err,
                        "Incompatible schema: version %d (id %d) of subject %s cannot read what "
                        "the record's schema writes; Set latest.compatibility.strict=false to "
                        "disable this check",
                        (int)found->version, (int)found->id, subject);
        return SLUICE_FAIL;
    }
    return SLUICE_OK;
}

static enum sluice_verdict writer_fill(struct converter *self, struct entry *entry,
                                       const char *topic, struct sluice_err *err)
{
    struct sluice_buf text;
    const struct sluice_sr_schema *found = NULL;
    enum sluice_verdict v = SLUICE_FAIL;
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    struct avro_schema *avro = avro_from_connect(&entry->batch, &self->config, entry->schema, err);
    if (!avro || !avro_print(&text, avro, err)) goto out;
    const char *subject = sluice_sr_subject(self->sr, topic, record_name(avro), err);
    if (!subject) goto out;
    struct sluice_sr_text own = {text.data, text.len, NULL, 0};
    v = sluice_sr_for_writing(self->sr, subject, &own, &found, err);
    if (v != SLUICE_OK) goto out;
    if (!same_text(found, &own)) v = bind_other(self, entry, found, &avro, subject, err);
    if (v != SLUICE_OK) goto out;
    entry->id = found->id;
    entry->raw = avro->type == AVRO_BYTES;
    if (entry->schema) {
        entry->enc = avro_enc_plan(&entry->batch, &self->config, entry->schema, avro, err);
        if (!entry->enc) v = SLUICE_FAIL;
    }
out:
    sluice_sr_schema_free(found);
    sluice_buf_fini(&text);
    return v;
}

static struct entry *writer_for(struct converter *self, const char *topic,
                                const struct sluice_schema *schema, enum sluice_verdict *v,
                                struct sluice_err *err)
{
    struct entry *entry = (struct entry *)self->writers.newest;
    if (!entry || entry->schema != schema || strcmp(entry->topic, topic) != 0)
        entry = entry_find(&self->writers, &schema, sizeof schema, topic);
    if (entry && fresh(entry)) return entry;
    int64_t ttl_ms = sluice_sr_writing_ttl_ms(self->sr);
    struct entry *made = entry_new(&schema, sizeof schema, topic, ttl_ms);
    made->schema = sluice_schema_hold(schema);
    *v = writer_fill(self, made, topic, err);
    if (*v != SLUICE_OK) {
        entry_drop(&made->node);
        return NULL;
    }
    if (entry) sluice_lru_remove(&self->writers, &entry->node);
    entry_keep(&self->writers, made);
    return made;
}

static enum sluice_verdict encode(void *self_, const char *topic, const char *header,
                                  const struct sluice_schema *schema, const struct sluice_value *v,
                                  struct sluice_buf *out, bool *null, struct sluice_err *err)
{
    struct converter *self = self_;
    enum sluice_verdict verdict = SLUICE_OK;
    (void)header;
    *null = v->type == SLUICE_NULL && (!schema || schema->optional);
    if (*null) return SLUICE_OK;
    struct entry *entry = writer_for(self, topic, schema, &verdict, err);
    if (!entry) goto failed;
    verdict = SLUICE_FAIL;
    if (!sluice_json_room(out, SLUICE_SR_HEAD, err)) goto failed;
    sluice_sr_head_write(out->data + out->len, entry->id);
    out->len += SLUICE_SR_HEAD;
    bool ok;
    if (!schema) ok = avro_encode_anything(out, v, err);
    else if (entry->raw && v->type == SLUICE_BYTES) ok = sluice_json_raw(out, v->u.s, v->len, err);
    else ok = avro_encode(out, entry->enc, v, err);
    if (ok) return SLUICE_OK;
failed:
    sluice_err_wrap(err, "Failed to serialize Avro data from topic %s", topic);
    return verdict;
}

/* ---- reading ---- */

/* The version that the registry gives this schema in the topic's subject, 0: none. */
static enum sluice_verdict version_of(struct converter *self, const char *subject,
                                      const struct sluice_sr_schema *found, int32_t *version,
                                      struct sluice_err *err)
{
    const struct sluice_sr_schema *there = NULL;
    struct sluice_sr_text text = {found->text, found->len, found->refs, found->refs_n};
    enum sluice_verdict v = sluice_sr_lookup(self->sr, subject, &text, &there, err);
    *version = there ? there->version : 0;
    sluice_sr_schema_free(there);
    if (v != SLUICE_FAIL) return v;
    self->host->log(self->task, SLUICE_WARN, "records have no schema version: %s", err->msg);
    return SLUICE_OK;
}

/* The schema to read as: the writer's, or the subject's latest with use.latest.version. */
static enum sluice_verdict reader_fill(struct converter *self, struct entry *entry,
                                       const char *topic, struct sluice_err *err)
{
    const struct sluice_sr_schema *found = NULL, *latest = NULL;
    struct avro_schema *writer = NULL, *reader = NULL;
    const struct sluice_schema *own = NULL;
    int32_t version = 0;
    bool by_topic = !sluice_sr_subject_needs_name(self->sr);
    const char *subject = by_topic ? sluice_sr_subject(self->sr, topic, NULL, err) : NULL;
    enum sluice_verdict v = sluice_sr_by_id(self->sr, entry->id, subject, &found, err);
    if (v == SLUICE_OK) v = parse(self, &entry->batch, found, &writer, err);
    if (v != SLUICE_OK) goto out;
    reader = writer;
    if (!by_topic && record_name(writer))
        subject = sluice_sr_subject(self->sr, topic, record_name(writer), err);
    if (subject && sluice_sr_use_latest(self->sr)) {
        v = sluice_sr_by_version(self->sr, subject, 0, &latest, err);
        if (v == SLUICE_OK && latest->id != found->id)
            v = parse(self, &entry->batch, latest, &reader, err);
        version = v == SLUICE_OK ? latest->version : 0;
    } else if (subject) {
        v = version_of(self, subject, found, &version, err);
    }
    if (v != SLUICE_OK) goto out;
    v = SLUICE_FAIL;
    if (reader != writer && /* also refuses a writer's schema that holds itself */
        (!avro_resolves(writer, reader, err) ||
         !avro_to_connect(&entry->batch, &self->config, writer, 0, &own, err)))
        goto out;
    if (!avro_to_connect(&entry->batch, &self->config, reader, version, &entry->schema, err))
        goto out;
    entry->raw = writer->type == AVRO_BYTES;
    if (entry->schema) {
        entry->dec = avro_dec_plan(&entry->batch, writer, reader, entry->schema, err);
        if (!entry->dec) goto out;
    }
    v = SLUICE_OK;
out:
    sluice_schema_free(own);
    sluice_sr_schema_free(found);
    sluice_sr_schema_free(latest);
    return v;
}

static struct entry *reader_for(struct converter *self, const char *topic, int32_t id,
                                enum sluice_verdict *v, struct sluice_err *err)
{
    struct entry *entry = (struct entry *)self->readers.newest;
    if (!entry || entry->id != id || strcmp(entry->topic, topic) != 0)
        entry = entry_find(&self->readers, &id, sizeof id, topic);
    if (entry && fresh(entry)) return entry;
    int64_t ttl_ms = sluice_sr_writing_ttl_ms(self->sr);
    struct entry *made = entry_new(&id, sizeof id, topic, ttl_ms);
    made->id = id;
    *v = reader_fill(self, made, topic, err);
    if (*v != SLUICE_OK) {
        entry_drop(&made->node);
        return NULL;
    }
    if (entry) sluice_lru_remove(&self->readers, &entry->node);
    entry_keep(&self->readers, made);
    return made;
}

static enum sluice_verdict decode(void *self_, struct sluice_batch *batch, const char *topic,
                                  const char *header, const void *data, size_t len,
                                  const struct sluice_schema **schema, struct sluice_value *v,
                                  struct sluice_err *err)
{
    struct converter *self = self_;
    struct avro_reader r;
    enum sluice_verdict verdict = SLUICE_FAIL;
    int32_t id = 0;
    (void)header;
    *schema = NULL;
    *v = sluice_null();
    if (!data) return SLUICE_OK;
    if (len > UINT32_MAX) {
        sluice_err_set(err, "%zu bytes are too long for a record", len);
        goto failed;
    }
    if (!sluice_sr_head_read(data, len, &id, err)) goto failed;
    struct entry *entry = reader_for(self, topic, id, &verdict, err);
    if (!entry) goto failed;
    verdict = SLUICE_FAIL;
    const char *body = (const char *)data + SLUICE_SR_HEAD;
    len -= SLUICE_SR_HEAD;
    avro_reader_init(&r, batch, body, len, err);
    if (entry->schema) sluice_batch_hold(batch, entry->schema);
    *schema = entry->schema;
    bool ok = true;
    if (!entry->schema) {
        ok = avro_decode_anything(&r, v);
    } else if (entry->raw && entry->schema->type == SLUICE_BYTES) {
        *v = sluice_bytes(body, len);
        if (entry->dec->decimal) avro_shorten(v);
    } else {
        ok = avro_decode(&r, entry->dec, v);
    }
    if (ok) return SLUICE_OK;
failed:
    sluice_err_wrap(err, "Failed to deserialize data for topic %s to Avro%s%.*d", topic,
                    id ? ", schema id " : "", id ? 1 : 0, (int)id);
    return verdict;
}

/* ---- the plugin ---- */

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self_,
                                struct sluice_err *err)
{
    struct converter *self = sluice_xcalloc(1, sizeof *self);
    *self_ = self;
    self->task = task;
    self->host = host;
    self->config = (struct avro_config){
        .metadata = host->flag(conf, "connect.meta.data"),
        .enhanced = host->flag(conf, "enhanced.avro.schema.support"),
        .scrub = host->flag(conf, "scrub.invalid.names"),
        .discard = host->flag(conf, "discard.type.doc.default"),
        .optional_keys = host->flag(conf, "allow.optional.map.keys"),
        .flatten = host->flag(conf, "flatten.singleton.unions"),
        .sums = host->flag(conf, "generalized.sum.type.support"),
        .keep_nulls = host->flag(conf, "ignore.default.for.nullables"),
    };
    int64_t n = host->num(conf, "schemas.cache.config");
    size_t max_n = n > 0 ? (size_t)n : 1;
    sluice_lru_init(&self->writers, max_n, CACHE_BYTES_MAX, entry_drop);
    sluice_lru_init(&self->readers, max_n, CACHE_BYTES_MAX, entry_drop);
    self->sr = sluice_sr_new(task, host, conf, SLUICE_SR_AVRO, err);
    return self->sr ? SLUICE_OK : SLUICE_FAIL;
}

static void close(void *self_)
{
    struct converter *self = self_;
    if (!self) return;
    sluice_lru_fini(&self->writers);
    sluice_lru_fini(&self->readers);
    sluice_sr_free(self->sr);
    free(self);
}

static const struct sluice_option options[] = {
    SLUICE_SR_OPTIONS,
    {"schemas.cache.config", SLUICE_OPT_INT, SLUICE_LOW, 0, "1000", NULL, "Schemas",
     "How many schemas this converter keeps in memory for each direction."},
    {"connect.meta.data", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "true", NULL, "Schemas",
     "Whether what Avro has no words for (versions, parameters, defaults, documentation) stands in "
     "properties of the Avro schema."},
    {"enhanced.avro.schema.support", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "false", NULL, "Schemas",
     "Whether Avro's enums are written as enums again and members of unions go by their full "
     "name."},
    {"scrub.invalid.names", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "false", NULL, "Schemas",
     "Whether characters that Avro's names may not have become underscores."},
    {"discard.type.doc.default", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "false", NULL, "Schemas",
     "Whether documentation and defaults of Avro's types give way to those of Connect's schemas."},
    {"allow.optional.map.keys", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "false", NULL, "Schemas",
     "Whether a map whose keys are optional strings becomes an Avro map, too."},
    {"flatten.singleton.unions", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "true", NULL, "Schemas",
     "Whether a union of one type is read as that type."},
    {"generalized.sum.type.support", SLUICE_OPT_BOOLEAN, SLUICE_MEDIUM, 0, "false", NULL, "Schemas",
     "Whether enums and unions are described in the way that Confluent's three converters share."},
    {"ignore.default.for.nullables", SLUICE_OPT_BOOLEAN, SLUICE_MEDIUM, 0, "false", NULL, "Schemas",
     "Whether a null in a field that has a default is written as null."},
    {0},
};

static const char *const aliases[] = {"io.confluent.connect.avro.AvroConverter", NULL};

static const struct sluice_converter converter = {
    .size = sizeof converter,
    .encode = encode,
    .decode = decode,
};

const struct sluice_plugin sluice_avro_converter = {
    SLUICE_PLUGIN_HEAD,
    .kind = SLUICE_KIND_CONVERTER,
    .name = "avro",
    .version = SLUICE_VERSION,
    .aliases = aliases,
    .options = options,
    .open = open,
    .close = close,
    .converter = &converter,
};
