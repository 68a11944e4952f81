/* fake_registry.h - registry/registry.h without a registry: schemas live in a table, ids count from
 * 1, the same text in the same subject has the same id. A test that includes this links none of
 * runtime/registry. One thread.
 *
 *     fake_registry_add(7, SLUICE_SR_JSON, text)     what sluice_sr_by_id() finds
 *     fake_registry_ref(7, "other.proto", 8)         7 imports 8
 *     fake_registry_fails = SLUICE_RETRY             every question is answered so */
#ifndef SLUICE_TESTS_FAKE_REGISTRY_H
#define SLUICE_TESTS_FAKE_REGISTRY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "registry/registry.h"

struct sluice_sr {
    enum sluice_sr_type type;
    char subject[256];
    bool key;
};

static struct {
    struct sluice_sr_schema schema;
    char *text, *subject;
    struct sluice_sr_ref refs[4];
    int32_t ref_ids[4];
} fake_schemas[512];
static size_t fake_schemas_n, fake_asked;
static enum sluice_verdict fake_registry_fails = SLUICE_OK;
static bool fake_use_latest; /* the last schema of the subject, without registering */
static int64_t fake_ttl_ms = -1;

__attribute__((unused)) static void fake_registry_reset(void)
{
    for (size_t i = 0; i < fake_schemas_n; i++) {
        free(fake_schemas[i].text);
        free(fake_schemas[i].subject);
    }
    memset(fake_schemas, 0, sizeof fake_schemas);
    fake_schemas_n = fake_asked = 0;
    fake_registry_fails = SLUICE_OK;
    fake_use_latest = false;
    fake_ttl_ms = -1;
}

static size_t fake_registry_add(int32_t id, enum sluice_sr_type type, const char *text)
{
    size_t i = fake_schemas_n++;
    fake_schemas[i].text = strdup(text);
    fake_schemas[i].schema = (struct sluice_sr_schema){
        .id = id, .type = type, .text = fake_schemas[i].text, .len = strlen(text)};
    return i;
}

static size_t fake_find(int32_t id)
{
    for (size_t i = 0; i < fake_schemas_n; i++) {
        if (fake_schemas[i].schema.id == id) return i;
    }
    return SIZE_MAX;
}

__attribute__((unused)) static void fake_registry_ref(int32_t id, const char *name, int32_t to)
{
    size_t i = fake_find(id), n = fake_schemas[i].schema.refs_n++;
    fake_schemas[i].refs[n] = (struct sluice_sr_ref){name, name, 1};
    fake_schemas[i].ref_ids[n] = to;
    fake_schemas[i].schema.refs = fake_schemas[i].refs;
}

struct sluice_sr *sluice_sr_new(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, enum sluice_sr_type type,
                                struct sluice_err *err)
{
    (void)task;
    (void)err;
    struct sluice_sr *sr = calloc(1, sizeof *sr);
    const char *as = host->str(conf, "converter.type");
    sr->type = type;
    sr->key = as && strcmp(as, "key") == 0;
    return sr;
}

void sluice_sr_free(struct sluice_sr *sr) { free(sr); }

const char *sluice_sr_subject(struct sluice_sr *sr, const char *topic, const char *record_name,
                              struct sluice_err *err)
{
    (void)record_name;
    (void)err;
    snprintf(sr->subject, sizeof sr->subject, "%s-%s", topic, sr->key ? "key" : "value");
    return sr->subject;
}

bool sluice_sr_subject_needs_name(const struct sluice_sr *sr)
{
    (void)sr;
    return false;
}

static enum sluice_verdict fake_trouble(struct sluice_err *err)
{
    fake_asked++;
    if (fake_registry_fails != SLUICE_OK) sluice_err_set(err, "the fake registry is down");
    return fake_registry_fails;
}

enum sluice_verdict sluice_sr_for_writing(struct sluice_sr *sr, const char *subject,
                                          const struct sluice_sr_text *text,
                                          const struct sluice_sr_schema **out,
                                          struct sluice_err *err)
{
    if (fake_trouble(err) != SLUICE_OK) return fake_registry_fails;
    for (size_t k = fake_schemas_n; k-- > 0;) {
        const struct sluice_sr_schema *schema = &fake_schemas[k].schema;
        if (!fake_schemas[k].subject || strcmp(fake_schemas[k].subject, subject) != 0) continue;
        bool same = schema->len == text->len && memcmp(schema->text, text->text, text->len) == 0;
        if (!fake_use_latest && !same) continue;
        *out = schema;
        return SLUICE_OK;
    }
    char *copy = strndup(text->text, text->len);
    size_t i = fake_registry_add((int32_t)fake_schemas_n + 1, sr->type, copy);
    free(copy);
    fake_schemas[i].subject = strdup(subject);
    *out = &fake_schemas[i].schema;
    return SLUICE_OK;
}

enum sluice_verdict sluice_sr_by_id(struct sluice_sr *sr, int32_t id, const char *subject,
                                    const struct sluice_sr_schema **out, struct sluice_err *err)
{
    (void)sr;
    (void)subject;
    if (fake_trouble(err) != SLUICE_OK) return fake_registry_fails;
    size_t i = fake_find(id);
    if (i == SIZE_MAX) return sluice_fail(err, "Schema %d not found", id);
    *out = &fake_schemas[i].schema;
    return SLUICE_OK;
}

enum sluice_verdict sluice_sr_by_version(struct sluice_sr *sr, const char *subject, int32_t version,
                                         const struct sluice_sr_schema **out,
                                         struct sluice_err *err)
{
    (void)sr;
    (void)out;
    return sluice_fail(err, "no version %d of %s", version, subject);
}

enum sluice_verdict sluice_sr_register(struct sluice_sr *sr, const char *subject,
                                       const struct sluice_sr_text *text,
                                       const struct sluice_sr_schema **out, struct sluice_err *err)
{
    return sluice_sr_for_writing(sr, subject, text, out, err);
}

enum sluice_verdict sluice_sr_refs(struct sluice_sr *sr, const struct sluice_sr_schema *schema,
                                   struct sluice_sr_refs *out, struct sluice_err *err)
{
    (void)sr;
    (void)err;
    size_t i = fake_find(schema->id);
    out->n = out->cap = schema->refs_n;
    out->schemas = calloc(out->n + 1, sizeof *out->schemas);
    out->names = calloc(out->n + 1, sizeof *out->names);
    for (size_t k = 0; k < out->n; k++) {
        out->schemas[k] = &fake_schemas[fake_find(fake_schemas[i].ref_ids[k])].schema;
        out->names[k] = strdup(schema->refs[k].name);
    }
    return SLUICE_OK;
}

void sluice_sr_refs_free(struct sluice_sr_refs *refs)
{
    for (size_t i = 0; i < refs->n; i++) free(refs->names[i]);
    free(refs->names);
    free(refs->schemas);
}

const struct sluice_sr_schema *sluice_sr_schema_hold(const struct sluice_sr_schema *schema)
{
    return schema;
}

void sluice_sr_schema_free(const struct sluice_sr_schema *schema) { (void)schema; }

bool sluice_sr_auto_register(const struct sluice_sr *sr)
{
    (void)sr;
    return !fake_use_latest;
}

bool sluice_sr_use_latest(const struct sluice_sr *sr)
{
    (void)sr;
    return fake_use_latest;
}

int64_t sluice_sr_writing_ttl_ms(const struct sluice_sr *sr)
{
    (void)sr;
    return fake_ttl_ms;
}

bool sluice_sr_head_read(const void *data, size_t len, int32_t *id, struct sluice_err *err)
{
    const unsigned char *b = data;
    if (len < SLUICE_SR_HEAD || b[0] != 0) {
        return sluice_err_set(err, "Unknown magic byte! (%zu bytes)", len);
    }
    *id = (int32_t)((uint32_t)b[1] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 8 | b[4]);
    return true;
}

#endif
