/* string.c - org.apache.kafka.connect.storage.StringConverter: Java's toString() one way, an
 * optional string the other way. Octets at the top go as they are (Java shows an address there).
 * Owner: one task's thread. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "data/builtins.h"
#include "data/java_text.h"
#include "data/json_io.h"
#include "data/schema.h"

struct converter {
    const struct sluice_schema *schema; /* optional string, held */
    uint32_t limit; /* the first code point that the encoding does not have; UTF-8: 0 */
};

/* What stands in buf since start, from UTF-8 to one byte a character, '?' for those that the
 * encoding lacks. */
static void narrow(struct sluice_buf *buf, size_t start, uint32_t limit)
{
    const char *at = buf->data + start, *end = buf->data + buf->len;
    char *to = buf->data + start;
    while (at < end) {
        size_t n = sluice_utf8_char(at, (size_t)(end - at));
        uint32_t code = (unsigned char)*at;
        if (n == 2) code = (code & 0x1F) << 6 | ((unsigned char)at[1] & 0x3F);
        else if (n != 1) code = limit;
        *to++ = code < limit ? (char)code : '?';
        at += n ? n : 1;
    }
    buf->len = (size_t)(to - buf->data);
}

static enum sluice_verdict encode(void *self_, const char *topic, const char *header,
                                  const struct sluice_schema *schema, const struct sluice_value *v,
                                  struct sluice_buf *out, bool *null, struct sluice_err *err)
{
    const struct converter *self = self_;
    (void)topic;
    (void)header;
    *null = v->type == SLUICE_NULL;
    if (*null) return SLUICE_OK;
    if (v->type == SLUICE_BYTES && sluice_logical_of(schema) == SLUICE_LOGICAL_NONE) {
        return sluice_json_raw(out, v->u.s, v->len, err) ? SLUICE_OK : SLUICE_FAIL;
    }
    size_t start = out->len;
    if (!sluice_java_text(out, schema, v, err)) return SLUICE_FAIL;
    if (self->limit) narrow(out, start, self->limit);
    return SLUICE_OK;
}

/* The text as valid UTF-8: where it is not, U+FFFD. */
static struct sluice_value widen(struct sluice_batch *batch, const char *data, size_t len,
                                 uint32_t limit)
{
    char *text = sluice_batch_alloc(batch, 3 * len), *to = text;
    for (const char *at = data, *end = data + len; at < end;) {
        size_t n = limit ? 0 : sluice_utf8_char(at, (size_t)(end - at));
        if (n) {
            memcpy(to, at, n);
            to += n;
            at += n;
        } else {
            unsigned char c = (unsigned char)*at++;
            to += sluice_utf8_put(c < limit ? c : 0xFFFD, to);
        }
    }
    return sluice_string(text, (size_t)(to - text));
}

static enum sluice_verdict decode(void *self_, struct sluice_batch *batch, const char *topic,
                                  const char *header, const void *data, size_t len,
                                  const struct sluice_schema **schema, struct sluice_value *v,
                                  struct sluice_err *err)
{
    const struct converter *self = self_;
    (void)topic;
    (void)header;
    if (len > UINT32_MAX / 4) return sluice_fail(err, "cannot read a string of %zu bytes", len);
    *schema = self->schema;
    sluice_batch_hold(batch, self->schema);
    *v = sluice_null();
    if (!data) return SLUICE_OK;
    if (!self->limit && sluice_utf8_valid(data, len)) *v = sluice_string(data, len);
    else *v = widen(batch, data, len, self->limit);
    return SLUICE_OK;
}

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self_,
                                struct sluice_err *err)
{
    (void)task;
    (void)err;
    struct converter *self = sluice_xcalloc(1, sizeof *self);
    *self_ = self;
    struct sluice_schema text = {.type = SLUICE_STRING, .optional = true};
    self->schema = sluice_schema_intern(&text);
    const char *encoding = host->str(conf, "converter.encoding");
    if (encoding && strcasecmp(encoding, "ISO-8859-1") == 0) self->limit = 0x100;
    if (encoding && strcasecmp(encoding, "US-ASCII") == 0) self->limit = 0x80;
    return SLUICE_OK;
}

static void close(void *self_)
{
    struct converter *self = self_;
    if (!self) return;
    sluice_schema_free(self->schema);
    free(self);
}

static const struct sluice_option options[] = {
    {"converter.type", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, "key|value|header", NULL,
     "How this converter will be used; the runtime fills it in."},
    {"converter.encoding", SLUICE_OPT_STRING, SLUICE_HIGH, SLUICE_OPT_NOCASE, "UTF-8",
     "UTF-8|UTF8|ISO-8859-1|US-ASCII", NULL,
     "The character set that strings are written and read in."},
    {0},
};

static const char *const aliases[] = {"org.apache.kafka.connect.storage.StringConverter", NULL};

static const struct sluice_converter converter = {
    .size = sizeof converter,
    .encode = encode,
    .decode = decode,
};

const struct sluice_plugin sluice_string_converter = {
    SLUICE_PLUGIN_HEAD,
    .kind = SLUICE_KIND_CONVERTER,
    .name = "string",
    .version = SLUICE_VERSION,
    .aliases = aliases,
    .options = options,
    .open = open,
    .close = close,
    .converter = &converter,
};
