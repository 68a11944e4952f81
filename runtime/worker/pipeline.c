/* pipeline.c - see pipeline.h. */
#include "worker/pipeline.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#define RECORD_MAX_BYTES ((size_t)256 << 20) /* one key or value, encoded */
#define RETRIABLE_EXCEPTION "org.apache.kafka.connect.errors.RetriableException"
#define DATA_EXCEPTION "org.apache.kafka.connect.errors.DataException"

/* ---- opening ---- */

struct opening {
    const struct sluice_registry *registry;
    const struct sluice_host *host;
    struct sluice_task *task;
    struct sluice_err *err;
};

/* extra: a key and value added to the config (converter.type), or NULL. */
static bool open_part(const struct opening *o, struct sluice_part *part, enum sluice_kind kind,
                      const char *name, const struct sluice_map *config, const char *prefix,
                      const char *extra)
{
    /* Every converter can serve for headers; header converters come first for their own names. */
    unsigned kinds = 1u << kind;
    if (kind == SLUICE_KIND_HEADER_CONVERTER) kinds |= 1u << SLUICE_KIND_CONVERTER;
    assert(!part->plugin && !part->conf);
    part->plugin = sluice_registry_find(o->registry, kinds, name, o->err);
    if (!part->plugin) return false;
    struct sluice_map own = {0};
    size_t n = strlen(prefix);
    for (size_t i = 0; i < config->n; i++)
        if (strncmp(config->items[i].key, prefix, n) == 0)
            sluice_map_set(&own, config->items[i].key + n, config->items[i].value);
    if (extra) sluice_map_set(&own, "converter.type", extra);
    part->conf = sluice_conf_new(part->plugin, &own, "", o->err);
    sluice_map_fini(&own);
    if (!part->conf) return false;
    return part->plugin->open(o->task, o->host, part->conf, &part->self, o->err) == SLUICE_OK;
}

static void close_part(struct sluice_part *part)
{
    if (part->plugin && part->conf) part->plugin->close(part->self);
    sluice_conf_free(part->conf);
    memset(part, 0, sizeof *part);
}

const char *sluice_converter_name(const struct sluice_map *worker,
                                  const struct sluice_map *connector, const char *which,
                                  const struct sluice_map **from)
{
    const char *name = sluice_map_get(connector, which);
    *from = connector;
    if (name && *name) return name;
    *from = worker;
    name = sluice_map_get(worker, which);
    if (name && *name) return name;
    return strcmp(which, "header.converter") == 0
               ? "org.apache.kafka.connect.storage.SimpleHeaderConverter"
               : NULL;
}

static bool open_converter(const struct opening *o, struct sluice_part *part, const char *which,
                           const char *type, const struct sluice_map *worker,
                           const struct sluice_map *connector)
{
    const struct sluice_map *from;
    const char *name = sluice_converter_name(worker, connector, which, &from);
    if (!name) return sluice_err_set(o->err, "neither the worker nor the connector sets %s", which);
    enum sluice_kind kind =
        strcmp(type, "header") == 0 ? SLUICE_KIND_HEADER_CONVERTER : SLUICE_KIND_CONVERTER;
    char *prefix = sluice_xasprintf("%s.", which);
    bool ok = open_part(o, part, kind, name, from, prefix, type) ||
              sluice_err_wrap(o->err, "%s %s", which, name);
    free(prefix);
    return ok;
}

/* Value of the key <prefix><name>. */
static const char *get_under(const struct sluice_map *config, const char *prefix, const char *name)
{
    size_t n = strlen(prefix);
    for (size_t i = 0; i < config->n; i++)
        if (strncmp(config->items[i].key, prefix, n) == 0 &&
            strcmp(config->items[i].key + n, name) == 0)
            return config->items[i].value;
    return NULL;
}

static bool open_predicate(const struct opening *o, struct sluice_stage *stage, const char *prefix,
                           const struct sluice_map *connector)
{
    const char *alias = get_under(connector, prefix, "predicate");
    if (!alias || !*alias) return true;
    const char *negate = get_under(connector, prefix, "negate");
    stage->negate = negate && strcasecmp(negate, "true") == 0;
    char *inner = sluice_xasprintf("predicates.%s.", alias);
    const char *type = get_under(connector, inner, "type");
    bool ok =
        type ? open_part(o, &stage->predicate, SLUICE_KIND_PREDICATE, type, connector, inner, NULL)
             : sluice_err_set(o->err, "predicate %s has no %stype", alias, inner);
    free(inner);
    return ok;
}

static bool open_stage(const struct opening *o, struct sluice_pipeline *pipe, const char *alias,
                       const struct sluice_map *connector)
{
    pipe->stages = sluice_xrealloc(pipe->stages, (pipe->n + 1) * sizeof *pipe->stages);
    struct sluice_stage *stage = &pipe->stages[pipe->n++];
    memset(stage, 0, sizeof *stage);
    char *prefix = sluice_xasprintf("transforms.%s.", alias);
    const char *type = get_under(connector, prefix, "type");
    bool ok = type ? open_part(o, &stage->transform, SLUICE_KIND_TRANSFORM, type, connector, prefix,
                               NULL) &&
                         open_predicate(o, stage, prefix, connector)
                   : sluice_err_set(o->err, "transform %s has no %stype", alias, prefix);
    free(prefix);
    return ok;
}

static bool open_stages(const struct opening *o, struct sluice_pipeline *pipe,
                        const struct sluice_map *connector)
{
    const char *list = sluice_map_get(connector, "transforms");
    while (list && *list) {
        size_t lead = strspn(list, " \t\n,"), n = strcspn(list + lead, " \t\n,");
        if (n == 0) break;
        char *alias = sluice_xstrndup(list + lead, n);
        bool ok = open_stage(o, pipe, alias, connector);
        if (!ok) sluice_err_wrap(o->err, "transforms.%s", alias);
        free(alias);
        if (!ok) return false;
        list += lead + n;
    }
    return true;
}

bool sluice_pipeline_open(struct sluice_pipeline *pipe, const struct sluice_registry *registry,
                          const struct sluice_host *host, struct sluice_task *task,
                          const struct sluice_map *worker, const struct sluice_map *connector,
                          struct sluice_err *err)
{
    struct opening o = {registry, host, task, err};
    sluice_buf_init(&pipe->key_bytes, RECORD_MAX_BYTES);
    sluice_buf_init(&pipe->value_bytes, RECORD_MAX_BYTES);
    sluice_buf_init(&pipe->header_bytes, RECORD_MAX_BYTES);
    return open_converter(&o, &pipe->key, "key.converter", "key", worker, connector) &&
           open_converter(&o, &pipe->value, "value.converter", "value", worker, connector) &&
           open_converter(&o, &pipe->header, "header.converter", "header", worker, connector) &&
           open_stages(&o, pipe, connector);
}

void sluice_pipeline_close(struct sluice_pipeline *pipe)
{
    close_part(&pipe->key);
    close_part(&pipe->value);
    close_part(&pipe->header);
    for (size_t i = 0; i < pipe->n; i++) {
        close_part(&pipe->stages[i].transform);
        close_part(&pipe->stages[i].predicate);
    }
    free(pipe->stages);
    sluice_buf_fini(&pipe->key_bytes);
    sluice_buf_fini(&pipe->value_bytes);
    sluice_buf_fini(&pipe->header_bytes);
    memset(pipe, 0, sizeof *pipe);
}

/* ---- records ---- */

static enum sluice_verdict fail_at(struct sluice_failure *failure, const char *stage,
                                   const struct sluice_part *part)
{
    failure->stage = stage;
    failure->class = sluice_plugin_class(part->plugin);
    failure->exception = DATA_EXCEPTION;
    failure->retriable = false;
    return SLUICE_FAIL;
}

/* How one operation on a record is tried. */
struct attempt {
    const struct sluice_pipeline *pipe;
    const struct sluice_part *part;
    const char *stage;
    struct sluice_failure *failure;
    unsigned tries;
    int64_t began_ms;
};

#define ATTEMPT(pipe, part, stage, failure)                                                        \
    {                                                                                              \
        pipe, part, stage, failure, 0, 0                                                           \
    }

/* Whether the operation that gave *v is to be tried again; when not, RETRY has become FAIL, and a
 * failure is filled in. */
static bool again(struct attempt *a, enum sluice_verdict *v)
{
    if (*v == SLUICE_OK || *v == SLUICE_DROP) return false;
    assert(*v == SLUICE_RETRY || *v == SLUICE_FAIL);
    fail_at(a->failure, a->stage, a->part);
    if (*v == SLUICE_RETRY) {
        const struct sluice_again *how = &a->pipe->again;
        a->failure->exception = RETRIABLE_EXCEPTION;
        a->failure->retriable = true;
        if (a->tries++ == 0) a->began_ms = sluice_now_ms();
        if (how->wait && how->wait(how->arg, a->failure, a->tries, a->began_ms)) return true;
    }
    *v = SLUICE_FAIL;
    return false;
}

static bool test_predicate(const struct sluice_pipeline *pipe, const struct sluice_part *part,
                           const struct sluice_record *rec, bool *holds,
                           struct sluice_failure *failure)
{
    struct attempt attempt = ATTEMPT(pipe, part, "TRANSFORMATION", failure);
    enum sluice_verdict v;
    do v = part->plugin->predicate->test(part->self, rec, holds, &failure->err);
    while (again(&attempt, &v));
    return v == SLUICE_OK;
}

enum sluice_verdict sluice_pipeline_transform(struct sluice_pipeline *pipe,
                                              struct sluice_batch *batch, struct sluice_record *rec,
                                              struct sluice_failure *failure)
{
    for (size_t i = 0; i < pipe->n; i++) {
        struct sluice_stage *stage = &pipe->stages[i];
        const struct sluice_part *p = &stage->predicate, *t = &stage->transform;
        bool holds = true;
        if (p->plugin) {
            if (!test_predicate(pipe, p, rec, &holds, failure)) return SLUICE_FAIL;
            if (holds == stage->negate) continue;
        }
        struct attempt attempt = ATTEMPT(pipe, t, "TRANSFORMATION", failure);
        enum sluice_verdict v;
        do v = t->plugin->transform->apply(t->self, batch, rec, &failure->err);
        while (again(&attempt, &v));
        if (v != SLUICE_OK) return v;
    }
    return SLUICE_OK;
}

static bool encode(const struct sluice_pipeline *pipe, const struct sluice_part *part,
                   const char *stage, const char *topic, const struct sluice_header *header,
                   struct sluice_buf *out, bool *null, struct sluice_failure *failure)
{
    struct attempt attempt = ATTEMPT(pipe, part, stage, failure);
    enum sluice_verdict v;
    do {
        sluice_buf_clear(out);
        *null = false;
        v = part->plugin->converter->encode(part->self, topic, header->key, header->schema,
                                            &header->value, out, null, &failure->err);
    } while (again(&attempt, &v));
    return v == SLUICE_OK;
}

bool sluice_pipeline_encode(struct sluice_pipeline *pipe, const struct sluice_record *rec,
                            bool *key_null, bool *value_null, struct sluice_failure *failure)
{
    /* A key or value is to a converter what a header without a name is. */
    const struct sluice_header key = {.schema = rec->key_schema, .value = rec->key};
    const struct sluice_header value = {.schema = rec->value_schema, .value = rec->value};
    return encode(pipe, &pipe->key, "KEY_CONVERTER", rec->topic, &key, &pipe->key_bytes, key_null,
                  failure) &&
           encode(pipe, &pipe->value, "VALUE_CONVERTER", rec->topic, &value, &pipe->value_bytes,
                  value_null, failure);
}

bool sluice_pipeline_encode_header(struct sluice_pipeline *pipe, const char *topic,
                                   const struct sluice_header *header, bool *null,
                                   struct sluice_failure *failure)
{
    return encode(pipe, &pipe->header, "HEADER_CONVERTER", topic, header, &pipe->header_bytes, null,
                  failure);
}

/* One key, value or header; into its schema and value. */
static bool decode(const struct sluice_pipeline *pipe, const struct sluice_part *part,
                   const char *stage, struct sluice_batch *batch, const char *topic,
                   const void *data, size_t len, struct sluice_header *out,
                   struct sluice_failure *failure)
{
    struct attempt attempt = ATTEMPT(pipe, part, stage, failure);
    enum sluice_verdict v;
    do
        v = part->plugin->converter->decode(part->self, batch, topic, out->key, data, len,
                                            &out->schema, &out->value, &failure->err);
    while (again(&attempt, &v));
    return v == SLUICE_OK;
}

static bool decode_headers(struct sluice_pipeline *pipe, struct sluice_batch *batch,
                           const struct sluice_consumed *message, struct sluice_record *rec,
                           struct sluice_failure *failure)
{
    const char *key;
    const void *data;
    size_t len, n = 0;
    while (sluice_consumed_header(message->handle, n, &key, &data, &len)) n++;
    if (n == 0) return true;
    struct sluice_header *headers = sluice_batch_alloc(batch, n * sizeof *headers);
    memset(headers, 0, n * sizeof *headers);
    for (size_t i = 0; i < n; i++) {
        sluice_consumed_header(message->handle, i, &key, &data, &len);
        headers[i].key = key;
        if (!decode(pipe, &pipe->header, "HEADER_CONVERTER", batch, message->topic, data, len,
                    &headers[i], failure))
            return false;
    }
    rec->headers = headers;
    rec->headers_len = (uint32_t)n;
    return true;
}

bool sluice_pipeline_decode(struct sluice_pipeline *pipe, struct sluice_batch *batch,
                            const struct sluice_consumed *message, struct sluice_record *rec,
                            struct sluice_failure *failure)
{
    rec->topic = rec->origin_topic = message->topic;
    rec->partition = rec->origin_partition = message->partition;
    rec->offset = message->offset;
    rec->timestamp_ms = message->timestamp_ms;
    struct sluice_header key = {0}, value = {0};
    if (!decode(pipe, &pipe->key, "KEY_CONVERTER", batch, message->topic, message->key,
                message->key_len, &key, failure) ||
        !decode(pipe, &pipe->value, "VALUE_CONVERTER", batch, message->topic, message->value,
                message->value_len, &value, failure))
        return false;
    rec->key_schema = key.schema;
    rec->key = key.value;
    rec->value_schema = value.schema;
    rec->value = value.value;
    return decode_headers(pipe, batch, message, rec, failure);
}
