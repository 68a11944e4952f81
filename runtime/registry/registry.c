/* registry.c - the questions that converters ask a registry, and what is remembered of the answers.
 * See registry.h. Owner: the converter's thread. */
#include "registry/registry.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "registry/internal.h"

static const char *const type_words[] = {"AVRO", "PROTOBUF", "JSON"};

/* ---- opening ---- */

static bool strategy_read(struct sluice_sr *sr, struct sluice_err *err)
{
    static const char *const words[] = {"TopicNameStrategy", "RecordNameStrategy",
                                        "TopicRecordNameStrategy"};
    const char *key = sr->key ? "key.subject.name.strategy" : "value.subject.name.strategy";
    const char *given = sr->host->str(sr->conf, key);
    const char *word = given ? strrchr(given, '.') : NULL;
    word = word ? word + 1 : given;
    for (int i = 0; word && i < 3; i++) {
        if (strcmp(word, words[i]) != 0) continue;
        sr->strategy = (enum sr_strategy)i;
        return true;
    }
    return sluice_err_set(err,
                          "%s is %s; known are TopicNameStrategy, RecordNameStrategy and "
                          "TopicRecordNameStrategy (io.confluent.kafka.serializers.subject.*)",
                          key, given ? given : "null");
}

static bool headers_read(struct sluice_sr *sr)
{
    static const char prefix[] = "request.header.";
    const char *key, *value;
    sr->headers = curl_slist_append(NULL, "Content-Type: application/vnd.schemaregistry.v1+json");
    sr->headers =
        curl_slist_append(sr->headers, "Accept: application/vnd.schemaregistry.v1+json, "
                                       "application/vnd.schemaregistry+json, application/json");
    for (size_t i = 0; sr->host->entry(sr->conf, i, &key, &value); i++) {
        if (strncmp(key, prefix, sizeof prefix - 1) != 0 || !value) continue;
        char *line = sluice_xasprintf("%s: %s", key + sizeof prefix - 1, value);
        sr->headers = curl_slist_append(sr->headers, line);
        free(line);
    }
    return true;
}

struct sluice_sr *sluice_sr_new(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, enum sluice_sr_type type,
                                struct sluice_err *err)
{
    struct sluice_sr *sr = sluice_xcalloc(1, sizeof *sr);
    const char *as = host->str(conf, "converter.type");
    sr->host = host;
    sr->task = task;
    sr->conf = conf;
    sr->type = type;
    sr->key = as && strcmp(as, "key") == 0;
    sr->auto_register = host->flag(conf, "auto.register.schemas");
    sr->use_latest = host->flag(conf, "use.latest.version");
    sr->latest_strict = host->flag(conf, "latest.compatibility.strict");
    sr->id_strict = host->flag(conf, "id.compatibility.strict");
    sr->normalize = host->flag(conf, "normalize.schemas");
    sr->use_id = (int32_t)host->num(conf, "use.schema.id");
    int64_t ttl_s = host->num(conf, "latest.cache.ttl.sec");
    sr->latest_ttl_ms = ttl_s < 0 ? -1 : ttl_s * 1000;
    sluice_buf_init(&sr->answer, SR_ANSWER_MAX);
    sluice_buf_init(&sr->path, SLUICE_BUF_MAX);
    sluice_buf_init(&sr->subject, SLUICE_BUF_MAX);
    if (strategy_read(sr, err) && headers_read(sr) && sr_auth_read(sr, err) &&
        sr_tls_check(sr, err))
        return sr;
    sluice_sr_free(sr);
    return NULL;
}

void sluice_sr_free(struct sluice_sr *sr)
{
    if (!sr) return;
    sr_http_close(sr);
    for (size_t i = 0; i < sr->urls_n; i++) {
        free(sr->urls[i].base);
        free(sr->urls[i].userpwd);
    }
    free(sr->urls);
    free(sr->bearer);
    free(sr->oauth.header);
    curl_slist_free_all(sr->headers);
    sluice_buf_fini(&sr->answer);
    sluice_buf_fini(&sr->path);
    sluice_buf_fini(&sr->subject);
    free(sr);
}

bool sluice_sr_auto_register(const struct sluice_sr *sr) { return sr->auto_register; }

bool sluice_sr_use_latest(const struct sluice_sr *sr)
{
    return !sr->auto_register && sr->use_id < 0 && sr->use_latest;
}

bool sluice_sr_must_check(const struct sluice_sr *sr)
{
    if (sr->auto_register) return false;
    return sr->use_id >= 0 ? sr->id_strict : sr->use_latest && sr->latest_strict;
}

int64_t sluice_sr_writing_ttl_ms(const struct sluice_sr *sr)
{
    return sluice_sr_use_latest(sr) ? sr->latest_ttl_ms : -1;
}

/* ---- subjects ---- */

bool sluice_sr_subject_needs_name(const struct sluice_sr *sr)
{
    return sr->strategy != SR_TOPIC_NAME;
}

const char *sluice_sr_subject(struct sluice_sr *sr, const char *topic, const char *record_name,
                              struct sluice_err *err)
{
    const char *end = sr->key ? "key" : "value";
    sluice_buf_clear(&sr->subject);
    if (sr->strategy == SR_TOPIC_NAME) {
        sluice_buf_addf(&sr->subject, "%s-%s", topic, end);
    } else if (!record_name) {
        sluice_err_set(err,
                       "%s.subject.name.strategy names subjects after records, but the message %s "
                       "of topic %s is no record; use TopicNameStrategy",
                       end, end, topic);
        return NULL;
    } else if (sr->strategy == SR_RECORD_NAME) {
        sluice_buf_adds(&sr->subject, record_name);
    } else {
        sluice_buf_addf(&sr->subject, "%s-%s", topic, record_name);
    }
    return sluice_buf_str(&sr->subject);
}

/* ---- requests and answers ---- */

static void path_add(struct sluice_sr *sr, const char *text)
{
    char *escaped = curl_easy_escape(NULL, text, 0);
    sluice_buf_adds(&sr->path, escaped ? escaped : "");
    curl_free(escaped);
}

/* Bytes of a subject that errors show. */
static int shown(const char *subject)
{
    return (int)sluice_utf8_cut(subject, strlen(subject), 300);
}

/* "/subjects/S" and what follows. */
static const char *path_subject(struct sluice_sr *sr, const char *subject, const char *rest)
{
    sluice_buf_clear(&sr->path);
    sluice_buf_adds(&sr->path, "/subjects/");
    path_add(sr, subject);
    sluice_buf_adds(&sr->path, rest);
    return sluice_buf_str(&sr->path);
}

/* The request that names a schema; NULL: its text is no UTF-8 (err). The caller's. */
static char *body_new(const struct sluice_sr *sr, const struct sluice_sr_text *text,
                      struct sluice_err *err)
{
    json_t *schema = json_stringn(text->text, text->len);
    if (!schema) {
        sluice_err_set(err, "a schema's text of %zu bytes is not valid UTF-8", text->len);
        return NULL;
    }
    json_t *body = json_object();
    json_object_set_new(body, "schema", schema);
    if (sr->type != SLUICE_SR_AVRO)
        json_object_set_new(body, "schemaType", json_string(type_words[sr->type]));
    if (text->refs_n) {
        json_t *refs = json_array();
        for (size_t i = 0; i < text->refs_n; i++) {
            const struct sluice_sr_ref *ref = &text->refs[i];
            json_t *item = json_object();
            json_object_set_new(item, "name", json_string(ref->name));
            json_object_set_new(item, "subject", json_string(ref->subject));
            json_object_set_new(item, "version", json_integer(ref->version));
            json_array_append_new(refs, item);
        }
        json_object_set_new(body, "references", refs);
    }
    char *out = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    assert(out);
    return out;
}

static int32_t number(const json_t *json, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(json, key));
    return n > 0 && n <= INT32_MAX ? (int32_t)n : 0;
}

/* References of an answer into refs (of max); false: they are broken. */
static bool refs_read(const json_t *list, struct sluice_sr_ref *refs, size_t *n)
{
    *n = json_array_size(list);
    if (*n > SR_REFS_MAX) return false;
    for (size_t i = 0; i < *n; i++) {
        const json_t *item = json_array_get(list, i);
        refs[i].name = json_string_value(json_object_get(item, "name"));
        refs[i].subject = json_string_value(json_object_get(item, "subject"));
        refs[i].version = number(item, "version");
        if (!refs[i].name || !refs[i].subject) return false;
    }
    return true;
}

/* A schema as an answer shows it; id and subject where it does not name them. NULL: err. */
static const struct sluice_sr_schema *schema_read(struct sluice_sr *sr, const char *what,
                                                  const json_t *json, int32_t id,
                                                  const char *subject, struct sluice_err *err)
{
    const json_t *text = json_object_get(json, "schema");
    const char *word = json_string_value(json_object_get(json, "schemaType"));
    int32_t own = number(json, "id");
    if (!word) word = "AVRO";
    if (own) id = own;
    if (!json_is_string(text) || id <= 0) {
        sluice_err_set(err, "%s: the registry's answer holds no schema", what);
        return NULL;
    }
    if (strcmp(word, type_words[sr->type]) != 0) {
        sluice_err_set(err, "%s: it is of type %s, this converter reads and writes %s", what, word,
                       type_words[sr->type]);
        return NULL;
    }
    struct sluice_sr_ref *refs = NULL;
    const json_t *list = json_object_get(json, "references");
    struct sluice_sr_text found = {json_string_value(text), json_string_length(text), NULL, 0};
    refs = sluice_xcalloc(SR_REFS_MAX, sizeof *refs);
    const struct sluice_sr_schema *schema = NULL;
    if (refs_read(list, refs, &found.refs_n)) {
        found.refs = refs;
        schema = sr_schema_new(sr->type, id, number(json, "version"), subject, &found);
    } else {
        sluice_err_set(err, "%s: the registry's answer has broken references", what);
    }
    free(refs);
    return schema;
}

/* ---- cache keys ---- */

static void key_text(struct sluice_buf *key, char kind, const char *subject,
                     const struct sluice_sr_text *text)
{
    sluice_buf_init(key, SLUICE_BUF_MAX);
    sluice_buf_addf(key, "%c%s\n", kind, subject);
    for (size_t i = 0; i < text->refs_n; i++) {
        sluice_buf_addf(key, "%s\n%s\n%d\n", text->refs[i].name, text->refs[i].subject,
                        (int)text->refs[i].version);
    }
    sluice_buf_add(key, text->text, text->len);
}

/* ---- the questions ---- */

enum sluice_verdict sluice_sr_by_id(struct sluice_sr *sr, int32_t id, const char *subject,
                                    const struct sluice_sr_schema **out, struct sluice_err *err)
{
    char key[512], what[512];
    /* Ids mean another schema in another context only. */
    bool context = subject && subject[0] == ':';
    int len =
        snprintf(key, sizeof key, "i%d%s%s", (int)id, context ? ":" : "", context ? subject : "");
    if ((size_t)len >= sizeof key) len = (int)sizeof key - 1;
    *out = sr_cache_get(sr, key, (size_t)len, -1);
    if (*out) return SLUICE_OK;
    snprintf(what, sizeof what, "cannot get the %s schema of id %d%s%.*s", type_words[sr->type],
             (int)id, subject ? " for subject " : "", shown(subject ? subject : ""),
             subject ? subject : "");
    sluice_buf_clear(&sr->path);
    sluice_buf_addf(&sr->path, "/schemas/ids/%d", (int)id);
    if (subject) {
        sluice_buf_adds(&sr->path, "?subject=");
        path_add(sr, subject);
    }
    json_t *answer;
    int code;
    enum sluice_verdict v = sr_call(sr, what, sluice_buf_str(&sr->path), NULL, &answer, &code, err);
    if (v != SLUICE_OK) return v;
    json_object_del(answer, "id"); /* the one that was asked for counts */
    *out = schema_read(sr, what, answer, id, NULL, err);
    json_decref(answer);
    if (!*out) return SLUICE_FAIL;
    sr_cache_put(sr, key, (size_t)len, *out);
    return SLUICE_OK;
}

enum sluice_verdict sluice_sr_by_version(struct sluice_sr *sr, const char *subject, int32_t version,
                                         const struct sluice_sr_schema **out,
                                         struct sluice_err *err)
{
    struct sluice_buf key;
    char what[512], rest[64];
    sluice_buf_init(&key, SLUICE_BUF_MAX);
    sluice_buf_addf(&key, "v%d:%s", (int)version, subject);
    *out = sr_cache_get(sr, key.data, key.len, version > 0 ? -1 : sr->latest_ttl_ms);
    enum sluice_verdict v = SLUICE_OK;
    if (*out) goto out;
    if (version > 0) snprintf(rest, sizeof rest, "/versions/%d", (int)version);
    else snprintf(rest, sizeof rest, "/versions/latest");
    snprintf(what, sizeof what, "cannot get %s%.*d of subject %.*s",
             version > 0 ? "version " : "the latest version", version > 0 ? 1 : 0,
             version > 0 ? (int)version : 0, shown(subject), subject);
    json_t *answer;
    int code;
    v = sr_call(sr, what, path_subject(sr, subject, rest), NULL, &answer, &code, err);
    if (v != SLUICE_OK) goto out;
    *out = schema_read(sr, what, answer, 0, subject, err);
    json_decref(answer);
    if (*out) sr_cache_put(sr, key.data, key.len, *out);
    else v = SLUICE_FAIL;
out:
    sluice_buf_fini(&key);
    return v;
}

/* POST of a text to a subject: registers or looks up. missing_ok: not found is *out NULL. */
static enum sluice_verdict post(struct sluice_sr *sr, const char *subject, bool registers,
                                bool missing_ok, const struct sluice_sr_text *text,
                                const struct sluice_sr_schema **out, struct sluice_err *err)
{
    struct sluice_buf key;
    char what[512];
    enum sluice_verdict v = SLUICE_OK;
    char *body = NULL;
    key_text(&key, registers ? 'r' : 'l', subject, text);
    *out = sr_cache_get(sr, key.data, key.len, -1);
    if (*out) goto out;
    body = body_new(sr, text, err);
    v = SLUICE_FAIL;
    if (!body) goto out;
    snprintf(what, sizeof what, "cannot %s the %s schema %s subject %.*s",
             registers ? "register" : "find", type_words[sr->type], registers ? "of" : "in",
             shown(subject), subject);
    const char *rest = registers ? (sr->normalize ? "/versions?normalize=true" : "/versions")
                                 : (sr->normalize ? "?normalize=true" : "");
    json_t *answer;
    int code;
    v = sr_call(sr, what, path_subject(sr, subject, rest), body, &answer, &code, err);
    if (v == SLUICE_FAIL && missing_ok && (code == 404 || code / 100 == 404)) {
        v = SLUICE_OK;
        goto out;
    }
    if (v != SLUICE_OK) goto out;
    int32_t id = number(answer, "id"), version = number(answer, "version");
    json_decref(answer);
    if (id) {
        *out = sr_schema_new(sr->type, id, version, subject, text);
        sr_cache_put(sr, key.data, key.len, *out);
    } else {
        v = sluice_fail(err, "%s: the registry's answer holds no id", what);
    }
out:
    free(body);
    sluice_buf_fini(&key);
    return v;
}

enum sluice_verdict sluice_sr_for_writing(struct sluice_sr *sr, const char *subject,
                                          const struct sluice_sr_text *text,
                                          const struct sluice_sr_schema **out,
                                          struct sluice_err *err)
{
    if (sr->auto_register) return post(sr, subject, true, false, text, out, err);
    if (sr->use_id >= 0) return sluice_sr_by_id(sr, sr->use_id, subject, out, err);
    if (sr->use_latest) return sluice_sr_by_version(sr, subject, 0, out, err);
    return post(sr, subject, false, false, text, out, err);
}

enum sluice_verdict sluice_sr_lookup(struct sluice_sr *sr, const char *subject,
                                     const struct sluice_sr_text *text,
                                     const struct sluice_sr_schema **out, struct sluice_err *err)
{
    return post(sr, subject, false, true, text, out, err);
}

enum sluice_verdict sluice_sr_register(struct sluice_sr *sr, const char *subject,
                                       const struct sluice_sr_text *text,
                                       const struct sluice_sr_schema **out, struct sluice_err *err)
{
    enum sluice_verdict v = post(sr, subject, true, false, text, out, err);
    if (v != SLUICE_OK || (*out)->version > 0) return v;
    /* Older registries answer with the id alone. */
    sluice_sr_schema_free(*out);
    return post(sr, subject, false, false, text, out, err);
}

/* ---- references ---- */

/* budget: how many imports may still be followed; also ends what imports itself. */
static enum sluice_verdict refs_add(struct sluice_sr *sr, const struct sluice_sr_schema *schema,
                                    size_t *budget, struct sluice_sr_refs *out,
                                    struct sluice_err *err)
{
    for (size_t i = 0; i < schema->refs_n; i++) {
        const struct sluice_sr_ref *ref = &schema->refs[i];
        bool known = false;
        for (size_t j = 0; j < out->n && !known; j++) known = strcmp(out->names[j], ref->name) == 0;
        if (known) continue;
        if (*budget == 0)
            return sluice_fail(err, "a schema imports itself, or more than %d others", SR_REFS_MAX);
        --*budget;
        const struct sluice_sr_schema *found;
        enum sluice_verdict v = sluice_sr_by_version(sr, ref->subject, ref->version, &found, err);
        if (v == SLUICE_OK) v = refs_add(sr, found, budget, out, err);
        if (v != SLUICE_OK) {
            sluice_sr_schema_free(found);
            return v;
        }
        if (out->n >= out->cap) {
            out->cap = out->cap ? 2 * out->cap : 8;
            out->schemas = sluice_xrealloc(out->schemas, out->cap * sizeof *out->schemas);
            out->names = sluice_xrealloc(out->names, out->cap * sizeof *out->names);
        }
        out->names[out->n] = sluice_xstrdup(ref->name);
        out->schemas[out->n++] = found;
    }
    return SLUICE_OK;
}

enum sluice_verdict sluice_sr_refs(struct sluice_sr *sr, const struct sluice_sr_schema *schema,
                                   struct sluice_sr_refs *out, struct sluice_err *err)
{
    size_t budget = SR_REFS_MAX;
    memset(out, 0, sizeof *out);
    enum sluice_verdict v = refs_add(sr, schema, &budget, out, err);
    if (v != SLUICE_OK) sluice_sr_refs_free(out);
    return v;
}

void sluice_sr_refs_free(struct sluice_sr_refs *refs)
{
    for (size_t i = 0; i < refs->n; i++) {
        sluice_sr_schema_free(refs->schemas[i]);
        free(refs->names[i]);
    }
    free(refs->schemas);
    free(refs->names);
    memset(refs, 0, sizeof *refs);
}

/* ---- the frame ---- */

bool sluice_sr_head_read(const void *data, size_t len, int32_t *id, struct sluice_err *err)
{
    const unsigned char *at = data;
    if (len < SLUICE_SR_HEAD)
        return sluice_err_set(err,
                              "Unknown magic byte! %zu bytes are too short for a schema's id: the "
                              "record was not written through a schema registry",
                              len);
    if (at[0] != 0)
        return sluice_err_set(err,
                              "Unknown magic byte! The record begins with 0x%02x: it was not "
                              "written through a schema registry",
                              at[0]);
    *id = (int32_t)((uint32_t)at[1] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 8 | at[4]);
    return true;
}
