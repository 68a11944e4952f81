/* protobuf.c - io.confluent.connect.protobuf.ProtobufConverter.
 *
 * A record is a zero byte, the schema's id in the registry, the path of the message within the
 * schema's file, and the message. Encoding keeps one plan per Connect schema, under its address,
 * with the ids per topic. Decoding keeps one per distinct head of a record: a steady topic's
 * records begin with the same bytes. Both are bounded (schemas.cache.config, and bytes).
 * Owner: one task's thread. */
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/builtins.h"
#include "data/converters/protobuf_plan.h"
#include "data/converters/registry_ids.h"
#include "data/lru.h"
#include "data/schema.h"
#include "registry/options.h"
#include "registry/registry.h"

#define CACHE_BYTES_MAX ((size_t)64 << 20)

struct converter {
    struct pb_config config;
    struct sluice_sr *registry;
    struct sluice_lru encoders, decoders;
};

struct encoder {
    struct sluice_lru_node node;        /* key: the schema's address */
    const struct sluice_schema *schema; /* held */
    struct pb_output output;
    struct registry_ids ids;
};

struct decoder {
    struct sluice_lru_node node; /* key: the head */
    size_t head_len;
    char head[REGISTRY_HEAD_MAX];
    const struct sluice_schema *schema; /* held */
    struct pb_set set;
    const struct pb_reader *reader;
};

static void encoder_drop(struct sluice_lru_node *node)
{
    struct encoder *encoder = (struct encoder *)node;
    registry_ids_fini(&encoder->ids);
    pb_output_fini(&encoder->output);
    sluice_schema_free(encoder->schema);
    free(encoder);
}

static void decoder_drop(struct sluice_lru_node *node)
{
    struct decoder *decoder = (struct decoder *)node;
    pb_set_fini(&decoder->set);
    sluice_schema_free(decoder->schema);
    free(decoder);
}

/* ---- encoding ---- */

static struct encoder *encoder_for(struct converter *self, const struct sluice_schema *schema,
                                   struct sluice_err *err)
{
    struct sluice_lru_node *node = self->encoders.newest;
    if (node && node->key == schema) return (struct encoder *)node;
    node = sluice_lru_get(&self->encoders, schema, 0);
    if (node) return (struct encoder *)node;
    struct encoder *encoder = sluice_xcalloc(1, sizeof *encoder);
    encoder->schema = sluice_schema_hold(schema);
    if (!pb_output_init(&encoder->output, &self->config, schema, err)) {
        encoder_drop(&encoder->node);
        return NULL;
    }
    encoder->node.key = schema;
    encoder->node.bytes = sizeof *encoder + encoder->output.set.arena.used;
    sluice_lru_put(&self->encoders, &encoder->node);
    return encoder;
}

static char *put_zigzag(char *to, int32_t i)
{
    uint32_t x = (uint32_t)i << 1 ^ (i < 0 ? ~UINT32_C(0) : 0);
    for (; x >= 0x80; x >>= 7) *to++ = (char)(x | 0x80);
    *to++ = (char)x;
    return to;
}

/* Id and path of the message in the file that the registry answered with. */
static bool make_head(const struct encoder *encoder, const struct sluice_sr_schema *found,
                      bool own_text, char head[REGISTRY_HEAD_MAX], size_t *len,
                      struct sluice_err *err)
{
    int32_t path[PB_DEPTH];
    const struct pb_output *output = &encoder->output;
    size_t n = 0;
    if (own_text) {
        n = pb_path_of(output->file, output->name, path);
    } else { /* use.latest.version: its messages may stand in another order */
        struct pb_set set;
        pb_set_init(&set);
        struct pb_file *file = pb_parse(&set, "latest.proto", found->text, found->len, err);
        if (file) n = pb_path_of(file, output->name, path);
        pb_set_fini(&set);
        if (!file) return false;
    }
    if (n == 0) {
        return sluice_err_set(err,
                              "schema %d of the registry has no message %s; the schema that "
                              "records are written by must hold the message of the record",
                              found->id, output->name);
    }
    char *to = head + SLUICE_SR_HEAD;
    sluice_sr_head_write(head, found->id);
    if (n == 1 && path[0] == 0) {
        *to++ = 0;
    } else {
        to = put_zigzag(to, (int32_t)n);
        for (size_t i = 0; i < n; i++) to = put_zigzag(to, path[i]);
    }
    *len = (size_t)(to - head);
    assert(*len <= REGISTRY_HEAD_MAX);
    return true;
}

/* Asks the registry; *id is set with OK. */
static enum sluice_verdict ask_id(struct converter *self, struct encoder *encoder,
                                  const char *topic, const struct registry_id **id,
                                  struct sluice_err *err)
{
    const struct sluice_sr_schema *found = NULL;
    char head[REGISTRY_HEAD_MAX];
    size_t head_len = 0;
    struct sluice_buf buf;
    enum sluice_verdict verdict = SLUICE_FAIL;
    const char *subject = sluice_sr_subject(self->registry, topic, encoder->output.name, err);
    if (!subject) return SLUICE_FAIL;
    sluice_buf_init(&buf, PB_TEXT_MAX);
    if (pb_text(&buf, encoder->output.file, err)) {
        struct sluice_sr_text text = {buf.data, buf.len, NULL, 0};
        verdict = sluice_sr_for_writing(self->registry, subject, &text, &found, err);
    }
    if (verdict == SLUICE_OK) {
        bool own = sluice_sr_auto_register(self->registry) ||
                   (found->len == buf.len && memcmp(found->text, buf.data, buf.len) == 0);
        if (make_head(encoder, found, own, head, &head_len, err)) {
            *id = registry_ids_set(&encoder->ids, topic, head, head_len,
                                   sluice_sr_writing_ttl_ms(self->registry));
        } else {
            verdict = SLUICE_FAIL;
        }
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
    *null = v->type == SLUICE_NULL;
    if (*null) return SLUICE_OK;
    if (!schema) {
        return sluice_fail(err, "ProtobufConverter cannot write a value without a schema; use "
                                "JsonConverter for schemaless data");
    }
    struct encoder *encoder = encoder_for(self, schema, err);
    if (!encoder) return SLUICE_FAIL;
    const struct registry_id *id = registry_ids_get(&encoder->ids, topic);
    if (!id) {
        enum sluice_verdict verdict = ask_id(self, encoder, topic, &id, err);
        if (verdict != SLUICE_OK) return verdict;
    }
    if (!sluice_buf_reserve(out, id->head_len + 64, err)) return SLUICE_FAIL;
    memcpy(out->data + out->len, id->head, id->head_len);
    out->len += id->head_len;
    return pb_encode(out, &encoder->output.root, v, err) ? SLUICE_OK : SLUICE_FAIL;
}

/* ---- decoding ---- */

static bool read_zigzag(const unsigned char **at, const unsigned char *end, int32_t *out)
{
    uint32_t x = 0;
    for (unsigned shift = 0; shift < 35 && *at < end; shift += 7) {
        unsigned char b = *(*at)++;
        x |= (uint32_t)(b & 0x7F) << shift;
        if (b < 0x80) {
            *out = (int32_t)(x >> 1 ^ (0 - (x & 1)));
            return true;
        }
    }
    return false;
}

/* The path behind the id; head_len: where the message begins. */
static bool read_path(const char *data, size_t len, int32_t path[PB_DEPTH], size_t *n,
                      size_t *head_len, struct sluice_err *err)
{
    const unsigned char *start = (const unsigned char *)data, *end = start + len;
    const unsigned char *at = start + SLUICE_SR_HEAD;
    int32_t count;
    bool ok = read_zigzag(&at, end, &count) && count >= 0 && count <= (int32_t)PB_DEPTH;
    *n = ok && count ? (size_t)count : 1;
    path[0] = 0;
    for (int32_t i = 0; ok && i < count; i++) ok = read_zigzag(&at, end, &path[i]);
    *head_len = (size_t)(at - start);
    if (ok) return true;
    return sluice_err_set(err,
                          "the record's path of message indexes is truncated or deeper than "
                          "%u levels",
                          PB_DEPTH);
}

static enum sluice_verdict fetch(struct converter *self, struct decoder *decoder,
                                 const char *subject, int32_t id, const int32_t *path, size_t n,
                                 struct sluice_err *err)
{
    const struct sluice_sr_schema *found = NULL;
    struct sluice_sr_refs refs = {NULL, NULL, 0, 0};
    enum sluice_verdict verdict = sluice_sr_by_id(self->registry, id, subject, &found, err);
    if (verdict == SLUICE_OK) verdict = sluice_sr_refs(self->registry, found, &refs, err);
    if (verdict != SLUICE_OK) goto out;
    verdict = SLUICE_FAIL;
    if (found->type != SLUICE_SR_PROTOBUF) {
        sluice_err_set(err, "schema %d of the registry is no Protobuf schema", id);
        goto out;
    }
    struct pb_file *file = pb_parse(&decoder->set, "", found->text, found->len, err);
    bool ok = file != NULL;
    for (size_t i = 0; ok && i < refs.n; i++) {
        ok = pb_parse(&decoder->set, refs.names[i], refs.schemas[i]->text, refs.schemas[i]->len,
                      err) != NULL;
    }
    const struct pb_message *message = NULL;
    ok = ok && pb_link(&decoder->set, err) && (message = pb_message_at(file, path, n, err)) &&
         pb_input(&decoder->set.arena, &self->config, message, found->version, &decoder->schema,
                  &decoder->reader, err);
    if (ok) verdict = SLUICE_OK;
    else sluice_err_wrap(err, "schema %d of the registry", id);
out:
    sluice_sr_refs_free(&refs);
    sluice_sr_schema_free(found);
    return verdict;
}

static enum sluice_verdict decoder_for(struct converter *self, const char *topic, const char *data,
                                       size_t len, struct decoder **out, struct sluice_err *err)
{
    int32_t id, path[PB_DEPTH];
    size_t n, head_len;
    if (!sluice_sr_head_read(data, len, &id, err)) return SLUICE_FAIL;
    if (!read_path(data, len, path, &n, &head_len, err)) return SLUICE_FAIL;
    struct sluice_lru_node *node = sluice_lru_get(&self->decoders, data, head_len);
    *out = (struct decoder *)node;
    if (node) return SLUICE_OK;
    const char *subject = NULL;
    if (!sluice_sr_subject_needs_name(self->registry)) {
        subject = sluice_sr_subject(self->registry, topic, NULL, err);
    }
    struct decoder *decoder = sluice_xcalloc(1, sizeof *decoder);
    pb_set_init(&decoder->set);
    enum sluice_verdict verdict = fetch(self, decoder, subject, id, path, n, err);
    if (verdict != SLUICE_OK) {
        decoder_drop(&decoder->node);
        return verdict;
    }
    assert(head_len <= sizeof decoder->head);
    memcpy(decoder->head, data, head_len);
    decoder->head_len = head_len;
    decoder->node.key = decoder->head;
    decoder->node.key_len = head_len;
    decoder->node.bytes = sizeof *decoder + decoder->set.arena.used;
    sluice_lru_put(&self->decoders, &decoder->node);
    *out = decoder;
    return SLUICE_OK;
}

static enum sluice_verdict decode(void *self_, struct sluice_batch *batch, const char *topic,
                                  const char *header, const void *data, size_t len,
                                  const struct sluice_schema **schema, struct sluice_value *v,
                                  struct sluice_err *err)
{
    struct converter *self = self_;
    struct decoder *decoder = (struct decoder *)self->decoders.newest;
    (void)header;
    *schema = NULL;
    *v = sluice_null();
    if (!data) return SLUICE_OK;
    if (!decoder || len < decoder->head_len ||
        memcmp(data, decoder->head, decoder->head_len) != 0) {
        enum sluice_verdict verdict = decoder_for(self, topic, data, len, &decoder, err);
        if (verdict != SLUICE_OK) return verdict;
    }
    const char *message = (const char *)data + decoder->head_len;
    if (!pb_decode(batch, decoder->reader, message, len - decoder->head_len, v, err)) {
        *v = sluice_null();
        return SLUICE_FAIL;
    }
    *schema = decoder->schema;
    sluice_batch_hold(batch, decoder->schema);
    return SLUICE_OK;
}

/* ---- the plugin ---- */

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self_,
                                struct sluice_err *err)
{
    struct converter *self = sluice_xcalloc(1, sizeof *self);
    *self_ = self;
    self->config = (struct pb_config){
        .sum_types = host->flag(conf, "generalized.sum.type.support"),
        .keep_null = host->flag(conf, "ignore.default.for.nullables"),
        .enhanced = host->flag(conf, "enhanced.protobuf.schema.support"),
        .scrub = host->flag(conf, "scrub.invalid.names"),
        .int_enums = host->flag(conf, "int.for.enums"),
        .optional_nullables = host->flag(conf, "optional.for.nullables"),
        .optional_proto2 = host->flag(conf, "optional.for.proto2"),
        .wrap_nullables = host->flag(conf, "wrapper.for.nullables"),
        .wrap_raw = host->flag(conf, "wrapper.for.raw.primitives"),
        .struct_nulls = host->flag(conf, "generate.struct.for.nulls"),
        .index_unions = host->flag(conf, "generate.index.for.unions"),
        .flatten_unions = host->flag(conf, "flatten.unions"),
    };
    int64_t n = host->num(conf, "schemas.cache.config");
    size_t max_n = n > 0 ? (size_t)n : 1;
    sluice_lru_init(&self->encoders, max_n, CACHE_BYTES_MAX, encoder_drop);
    sluice_lru_init(&self->decoders, max_n, CACHE_BYTES_MAX, decoder_drop);
    self->registry = sluice_sr_new(task, host, conf, SLUICE_SR_PROTOBUF, err);
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

#define FLAG(key, fallback, doc)                                                                   \
    {                                                                                              \
        key, SLUICE_OPT_BOOLEAN, SLUICE_MEDIUM, 0, fallback, NULL, "Schemas", doc                  \
    }

static const struct sluice_option options[] = {
    SLUICE_SR_OPTIONS,
    {"schemas.cache.config", SLUICE_OPT_INT, SLUICE_LOW, 0, "1000", "1..", "Schemas",
     "How many schemas are kept with the plans for reading and writing them."},
    FLAG("generalized.sum.type.support", "false",
         "Whether enums and oneofs carry the parameters that all of Confluent's converters share."),
    FLAG("ignore.default.for.nullables", "false",
         "Whether a null in a field with a default value stays null instead of becoming it."),
    FLAG("enhanced.protobuf.schema.support", "false",
         "Whether the names of schemas that are read keep package and outer messages."),
    FLAG("scrub.invalid.names", "false",
         "Whether characters that Protobuf's names cannot have are replaced when writing."),
    FLAG("int.for.enums", "false", "Whether enums are read as INT32 instead of STRING."),
    FLAG("optional.for.nullables", "false",
         "Whether nullable fields get the label optional, which keeps null apart from zero."),
    FLAG("optional.for.proto2", "true",
         "Whether an absent optional field of a proto2 schema is null instead of its default."),
    FLAG("wrapper.for.nullables", "false",
         "Whether nullable primitives stand in Google's wrapper messages."),
    FLAG("wrapper.for.raw.primitives", "true",
         "Whether a wrapper message at the root is read as the primitive that it holds."),
    FLAG("generate.struct.for.nulls", "false",
         "Whether an absent message is read as a struct of defaults instead of null."),
    FLAG("generate.index.for.unions", "true",
         "Whether a oneof's field is named with its index: name_0."),
    FLAG("flatten.unions", "false",
         "Whether the members of a oneof are read as fields of the struct around it."),
    {"skip.known.types", SLUICE_OPT_BOOLEAN, SLUICE_LOW, SLUICE_OPT_IGNORED, "true", NULL,
     "Schemas", "Well-known imports are never registered; every registry knows them."},
    {"reference.subject.name.strategy", SLUICE_OPT_CLASS, SLUICE_LOW, SLUICE_OPT_IGNORED, NULL,
     NULL, "Schemas", "Schemas made of Connect's schemas refer to well-known files only."},
    {0},
};

static const char *const aliases[] = {"io.confluent.connect.protobuf.ProtobufConverter", NULL};

static const struct sluice_converter converter = {
    .size = sizeof converter,
    .encode = encode,
    .decode = decode,
};

const struct sluice_plugin sluice_protobuf_converter = {
    SLUICE_PLUGIN_HEAD,
    .kind = SLUICE_KIND_CONVERTER,
    .name = "protobuf",
    .version = SLUICE_VERSION,
    .aliases = aliases,
    .options = options,
    .open = open,
    .close = close,
    .converter = &converter,
};
