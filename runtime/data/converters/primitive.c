/* primitive.c - org.apache.kafka.connect.converters.{Short,Integer,Long,Float,Double,Boolean}
 * Converter: one number or boolean as Kafka's serializers write it, big-endian. They serve for
 * headers too. Owner: one task's thread. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/builtins.h"
#include "data/java_text.h"
#include "data/json_io.h"
#include "data/schema.h"
#include "data/transforms/smt.h"

struct primitive {
    enum sluice_type type;
    size_t size;      /* bytes */
    const char *word; /* NumberConverter's */
    const char *serializer;
    const struct sluice_schema *schema; /* of what is read, held */
};

static uint64_t bits_of(const struct primitive *self, const struct sluice_value *v)
{
    uint64_t bits = (uint64_t)v->u.i;
    if (self->type == SLUICE_FLOAT64) {
        memcpy(&bits, &v->u.d, 8);
    } else if (self->type == SLUICE_FLOAT32) {
        float f = (float)v->u.d;
        uint32_t bits32;
        memcpy(&bits32, &f, 4);
        bits = bits32;
    }
    return bits;
}

static enum sluice_verdict encode(void *self_, const char *topic, const char *header,
                                  const struct sluice_schema *schema, const struct sluice_value *v,
                                  struct sluice_buf *out, bool *null, struct sluice_err *err)
{
    const struct primitive *self = self_;
    char octets[8];
    (void)topic;
    (void)header;
    if (self->type == SLUICE_BOOLEAN && schema && schema->type != SLUICE_BOOLEAN) {
        return sluice_fail(err, "Invalid schema type for BooleanConverter: %s",
                           sluice_type_name(schema->type));
    }
    *null = v->type == SLUICE_NULL;
    if (*null) return SLUICE_OK;
    if (v->type != self->type || sluice_logical_of(schema) != SLUICE_LOGICAL_NONE) {
        const char *class = smt_class(schema, v);
        if (self->type == SLUICE_BOOLEAN) {
            return sluice_fail(err,
                               "BooleanConverter is not compatible with objects of type class "
                               "%s",
                               class);
        }
        return sluice_fail(err, "Failed to serialize to %s (was class %s): ", self->word, class);
    }
    uint64_t bits = bits_of(self, v);
    for (size_t i = self->size; i > 0; i--, bits >>= 8) octets[i - 1] = (char)(bits & 0xFF);
    return sluice_json_raw(out, octets, self->size, err) ? SLUICE_OK : SLUICE_FAIL;
}

static struct sluice_value value_of(const struct primitive *self, uint64_t bits)
{
    struct sluice_value v = sluice_float64(0);
    uint32_t bits32 = (uint32_t)bits;
    float f;
    v.type = (uint8_t)self->type;
    switch (self->type) {
    case SLUICE_INT16: v.u.i = (int16_t)bits; break;
    case SLUICE_INT32: v.u.i = (int32_t)bits; break;
    case SLUICE_FLOAT32:
        memcpy(&f, &bits32, 4);
        v.u.d = (double)f;
        break;
    case SLUICE_FLOAT64: memcpy(&v.u.d, &bits, 8); break;
    default: v.u.i = (int64_t)bits; break;
    }
    return v;
}

static enum sluice_verdict bad_size(const struct primitive *self, size_t len,
                                    struct sluice_err *err)
{
    if (self->type == SLUICE_BOOLEAN) {
        return sluice_fail(err,
                           "Failed to deserialize boolean: Size of data received by "
                           "BooleanDeserializer is not 1: it has %zu bytes",
                           len);
    }
    return sluice_fail(err,
                       "Failed to deserialize %s: Size of data received by %sDeserializer is not "
                       "%zu: it has %zu bytes",
                       self->word, self->serializer, self->size, len);
}

static enum sluice_verdict decode(void *self_, struct sluice_batch *batch, const char *topic,
                                  const char *header, const void *data, size_t len,
                                  const struct sluice_schema **schema, struct sluice_value *v,
                                  struct sluice_err *err)
{
    const struct primitive *self = self_;
    const unsigned char *octets = data;
    uint64_t bits = 0;
    (void)topic;
    (void)header;
    *schema = self->schema;
    sluice_batch_hold(batch, self->schema);
    *v = sluice_null();
    if (!data) return SLUICE_OK;
    if (len != self->size) return bad_size(self, len, err);
    assert(len <= sizeof bits);
    for (size_t i = 0; i < len; i++) bits = bits << 8 | octets[i];
    if (self->type == SLUICE_BOOLEAN && bits > 1) {
        return sluice_fail(err,
                           "Failed to deserialize boolean: Unexpected byte received by "
                           "BooleanDeserializer: %u",
                           (unsigned)bits);
    }
    *v = value_of(self, bits);
    return SLUICE_OK;
}

static enum sluice_verdict open_as(enum sluice_type type, size_t size, const char *word,
                                   const char *serializer, void **self_)
{
    struct primitive *self = sluice_xcalloc(1, sizeof *self);
    struct sluice_schema schema = {.type = (uint8_t)type, .optional = true};
    assert(size <= 8);
    *self = (struct primitive){type, size, word, serializer, sluice_schema_intern(&schema)};
    *self_ = self;
    return SLUICE_OK;
}

static void close(void *self_)
{
    struct primitive *self = self_;
    if (!self) return;
    sluice_schema_free(self->schema);
    free(self);
}

static const struct sluice_option options[] = {
    {"converter.type", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, "key|value|header", NULL,
     "How this converter will be used; the runtime fills it in."},
    {0},
};

static const struct sluice_converter converter = {
    .size = sizeof converter,
    .encode = encode,
    .decode = decode,
};

#define PRIMITIVE(symbol, the_type, the_size, word, class)                                         \
    static enum sluice_verdict symbol##_open(                                                      \
        struct sluice_task *task, const struct sluice_host *host, const struct sluice_conf *conf,  \
        void **self, struct sluice_err *err)                                                       \
    {                                                                                              \
        (void)task;                                                                                \
        (void)host;                                                                                \
        (void)conf;                                                                                \
        (void)err;                                                                                 \
        return open_as(the_type, the_size, word, class, self);                                     \
    }                                                                                              \
    static const char *const symbol##_aliases[] = {                                                \
        "org.apache.kafka.connect.converters." class "Converter", NULL};                           \
    const struct sluice_plugin sluice_##symbol##_converter = {                                     \
        SLUICE_PLUGIN_HEAD,                                                                        \
        .kind = SLUICE_KIND_CONVERTER,                                                             \
        .name = word,                                                                              \
        .version = SLUICE_VERSION,                                                                 \
        .aliases = symbol##_aliases,                                                               \
        .options = options,                                                                        \
        .open = symbol##_open,                                                                     \
        .close = close,                                                                            \
        .converter = &converter,                                                                   \
    }

PRIMITIVE(short, SLUICE_INT16, 2, "short", "Short");
PRIMITIVE(integer, SLUICE_INT32, 4, "integer", "Integer");
PRIMITIVE(long, SLUICE_INT64, 8, "long", "Long");
PRIMITIVE(float, SLUICE_FLOAT32, 4, "float", "Float");
PRIMITIVE(double, SLUICE_FLOAT64, 8, "double", "Double");
PRIMITIVE(boolean, SLUICE_BOOLEAN, 1, "boolean", "Boolean");
