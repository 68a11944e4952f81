/* simple_header.c - org.apache.kafka.connect.storage.SimpleHeaderConverter: values as readable text
 * without a schema; reading guesses the type. Owner: one task's thread. */
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "data/builtins.h"
#include "data/converters/header_text.h"
#include "data/schema.h"

static enum sluice_verdict encode(void *self, const char *topic, const char *header,
                                  const struct sluice_schema *schema, const struct sluice_value *v,
                                  struct sluice_buf *out, bool *null, struct sluice_err *err)
{
    (void)self;
    (void)topic;
    (void)header;
    *null = v->type == SLUICE_NULL;
    if (*null) return SLUICE_OK;
    return sluice_header_write(out, schema, v, err) ? SLUICE_OK : SLUICE_FAIL;
}

/* What is no UTF-8 stays octets. */
static enum sluice_verdict decode(void *self, struct sluice_batch *batch, const char *topic,
                                  const char *header, const void *data, size_t len,
                                  const struct sluice_schema **schema, struct sluice_value *v,
                                  struct sluice_err *err)
{
    static const struct sluice_schema bytes = {.type = SLUICE_BYTES};
    const struct sluice_schema *guess = &bytes;
    (void)self;
    (void)topic;
    *schema = NULL;
    *v = sluice_null();
    if (!data) return SLUICE_OK;
    if (len > UINT32_MAX) {
        return sluice_fail(err, "cannot read header %s of %zu bytes", header ? header : "", len);
    }
    *v = sluice_bytes(data, len);
    if (sluice_utf8_valid(data, len)) *v = sluice_header_read(batch, data, len, &guess);
    if (!guess) return SLUICE_OK;
    *schema = sluice_schema_intern(guess);
    sluice_batch_hold(batch, *schema);
    sluice_schema_free(*schema);
    return SLUICE_OK;
}

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    (void)task;
    (void)host;
    (void)conf;
    (void)err;
    *self = NULL; /* no state */
    return SLUICE_OK;
}

static void close(void *self) { (void)self; }

static const struct sluice_option options[] = {
    {"converter.type", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, "key|value|header", NULL,
     "How this converter will be used; the runtime fills it in."},
    {0},
};

static const char *const aliases[] = {"org.apache.kafka.connect.storage.SimpleHeaderConverter",
                                      NULL};

static const struct sluice_converter converter = {
    .size = sizeof converter,
    .encode = encode,
    .decode = decode,
};

const struct sluice_plugin sluice_simple_header_converter = {
    SLUICE_PLUGIN_HEAD,
    .kind = SLUICE_KIND_HEADER_CONVERTER,
    .name = "simple-header",
    .version = SLUICE_VERSION,
    .aliases = aliases,
    .options = options,
    .open = open,
    .close = close,
    .converter = &converter,
};
