/* bytes.c - org.apache.kafka.connect.converters.ByteArrayConverter: octets as they are, both ways.
 * Owner: one task's thread. */
#include "base/err.h"
#include "data/builtins.h"
#include "data/json_io.h"
#include "data/schema.h"

static enum sluice_verdict encode(void *self, const char *topic, const char *header,
                                  const struct sluice_schema *schema, const struct sluice_value *v,
                                  struct sluice_buf *out, bool *null, struct sluice_err *err)
{
    (void)self;
    (void)topic;
    (void)header;
    if (schema && schema->type != SLUICE_BYTES) {
        return sluice_fail(err, "Invalid schema type for ByteArrayConverter: %s",
                           sluice_type_name(schema->type));
    }
    *null = v->type == SLUICE_NULL;
    if (*null) return SLUICE_OK;
    if (v->type != SLUICE_BYTES) {
        return sluice_fail(err, "ByteArrayConverter is not compatible with objects of type %s",
                           sluice_type_name(v->type));
    }
    return sluice_json_raw(out, v->u.s, v->len, err) ? SLUICE_OK : SLUICE_FAIL;
}

static enum sluice_verdict decode(void *self, struct sluice_batch *batch, const char *topic,
                                  const char *header, const void *data, size_t len,
                                  const struct sluice_schema **schema, struct sluice_value *v,
                                  struct sluice_err *err)
{
    (void)topic;
    (void)header;
    if (len > UINT32_MAX) return sluice_fail(err, "cannot read %zu bytes as one value", len);
    *schema = self;
    sluice_batch_hold(batch, *schema);
    *v = data ? sluice_bytes(data, len) : sluice_null();
    return SLUICE_OK;
}

/* The whole state is the schema of what is read. */
static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    (void)task;
    (void)host;
    (void)conf;
    (void)err;
    struct sluice_schema bytes = {.type = SLUICE_BYTES, .optional = true};
    *self = (void *)(uintptr_t)sluice_schema_intern(&bytes);
    return SLUICE_OK;
}

static void close(void *self) { sluice_schema_free(self); }

static const struct sluice_option options[] = {
    {"converter.type", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, "key|value|header", NULL,
     "How this converter will be used; the runtime fills it in."},
    {0},
};

static const char *const aliases[] = {"org.apache.kafka.connect.converters.ByteArrayConverter",
                                      NULL};

static const struct sluice_converter converter = {
    .size = sizeof converter,
    .encode = encode,
    .decode = decode,
};

const struct sluice_plugin sluice_bytes_converter = {
    SLUICE_PLUGIN_HEAD,
    .kind = SLUICE_KIND_CONVERTER,
    .name = "bytes",
    .version = SLUICE_VERSION,
    .aliases = aliases,
    .options = options,
    .open = open,
    .close = close,
    .converter = &converter,
};
