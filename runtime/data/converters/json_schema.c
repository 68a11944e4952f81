/* json_schema.c - schemas to JsonConverter's schema objects and back.
 *
 * Reading goes over the text twice a level: members come in any order, and what one means depends
 * on "type". That is paid once per distinct text, because the converter keeps the result. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "data/converters/json_plan.h"
#include "data/json_text.h"
#include "data/schema.h"
#include "data/values.h"

#define SCHEMA_DEPTH 100u /* nested schemas */

/* ---- writing ---- */

struct writer {
    struct sluice_buf *buf;
    struct sluice_err *err;
    bool ok;
};

static void put(struct writer *w, const char *text)
{
    w->ok = w->ok && sluice_json_raw(w->buf, text, strlen(text), w->err);
}

static void put_text(struct writer *w, const char *text)
{
    w->ok = w->ok && sluice_json_string(w->buf, text, strlen(text), w->err);
}

/* Members in JsonConverter's order; field NULL: not a field of a struct. */
static void put_schema(struct writer *w, const struct json_plan *plan, const char *field)
{
    const struct sluice_schema *schema = plan->schema;
    put(w, "{\"type\":");
    put_text(w, sluice_type_json(schema->type));
    if (schema->type == SLUICE_STRUCT) {
        put(w, ",\"fields\":[");
        for (uint32_t i = 0; i < plan->children_n; i++) {
            if (i) put(w, ",");
            put_schema(w, plan->children[i].plan, plan->children[i].name);
        }
        put(w, "]");
    } else if (schema->type == SLUICE_ARRAY) {
        put(w, ",\"items\":");
        put_schema(w, plan->elem, NULL);
    } else if (schema->type == SLUICE_MAP) {
        put(w, ",\"keys\":");
        put_schema(w, plan->key, NULL);
        put(w, ",\"values\":");
        put_schema(w, plan->elem, NULL);
    }
    put(w, schema->optional ? ",\"optional\":true" : ",\"optional\":false");
    if (schema->name) {
        put(w, ",\"name\":");
        put_text(w, schema->name);
    }
    if (schema->has_version) {
        put(w, ",\"version\":");
        w->ok = w->ok && sluice_json_int(w->buf, schema->version, w->err);
    }
    if (schema->doc) {
        put(w, ",\"doc\":");
        put_text(w, schema->doc);
    }
    if (schema->params_len) {
        for (uint32_t i = 0; i < schema->params_len; i++) {
            put(w, i ? "," : ",\"parameters\":{");
            put_text(w, schema->params[i].key);
            put(w, ":");
            put_text(w, schema->params[i].value);
        }
        put(w, "}");
    }
    if (plan->dflt_text) {
        put(w, ",\"default\":");
        w->ok = w->ok && sluice_json_raw(w->buf, plan->dflt_text, plan->dflt_len, w->err);
    }
    if (field) {
        put(w, ",\"field\":");
        put_text(w, field);
    }
    put(w, "}");
}

bool json_schema_write(struct sluice_buf *buf, const struct json_plan *plan, struct sluice_err *err)
{
    struct writer w = {buf, err, true};
    put_schema(&w, plan, NULL);
    return w.ok;
}

/* ---- reading ---- */

struct parser {
    struct sluice_batch batch; /* descriptions and what they point to */
    const struct json_config *config;
    struct sluice_err *err;
    unsigned depth;
};

struct span { /* text NULL: the member is absent */
    const char *text;
    size_t len;
};

struct members {
    struct span type, fields, items, keys, values, optional, name, version, doc, parameters, dflt,
        field;
};

static struct span *member_of(struct members *m, const char *s, uint32_t len)
{
    const struct {
        const char *name;
        struct span *span;
    } all[] = {{"type", &m->type},     {"fields", &m->fields},
               {"items", &m->items},   {"keys", &m->keys},
               {"values", &m->values}, {"optional", &m->optional},
               {"name", &m->name},     {"version", &m->version},
               {"doc", &m->doc},       {"parameters", &m->parameters},
               {"default", &m->dflt},  {"field", &m->field}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strlen(all[i].name) == len && memcmp(all[i].name, s, len) == 0) return all[i].span;
    }
    return NULL;
}

/* Where the members of an object stand; an object without any when it is none. */
static bool find_members(struct parser *p, struct span text, struct members *m)
{
    struct sluice_json_reader r;
    memset(m, 0, sizeof *m);
    sluice_json_reader_init(&r, &p->batch, text.text, text.len, p->err);
    if (!sluice_json_take(&r, '{')) return true;
    if (!sluice_json_enter(&r)) return false;
    for (bool first = true;; first = false) {
        const char *s;
        uint32_t len;
        if (!sluice_json_member(&r, first, &s, &len)) return false;
        if (!s) return true;
        struct span *span = member_of(m, s, len);
        sluice_json_peek(&r);
        const char *start = r.at;
        if (!sluice_json_skip(&r)) return false;
        if (span) *span = (struct span){start, (size_t)(r.at - start)};
    }
}

/* The span's text when it is a JSON string, terminated; NULL otherwise, and when it holds a NUL,
 * which our names cannot. */
static const char *text_of(struct parser *p, struct span span)
{
    struct sluice_json_reader r;
    const char *s;
    uint32_t len;
    if (!span.text || *span.text != '"') return NULL;
    sluice_json_reader_init(&r, &p->batch, span.text, span.len, NULL);
    if (!sluice_json_read_string(&r, &s, &len) || memchr(s, 0, len)) return NULL;
    return sluice_arena_strndup(&p->batch.arena, s, len);
}

static bool is_null(struct span span) { return span.len == 4 && memcmp(span.text, "null", 4) == 0; }

static struct sluice_schema *read_schema(struct parser *p, struct span text,
                                         const char **field_name);

static bool read_fields(struct parser *p, struct span text, struct sluice_schema *schema)
{
    struct sluice_json_reader r;
    size_t n = 0, cap = 16;
    if (!text.text || *text.text != '[') {
        return sluice_err_set(p->err, "Struct schema's \"fields\" argument is not an array.");
    }
    struct sluice_field *fields = sluice_arena_alloc(&p->batch.arena, cap * sizeof *fields);
    sluice_json_reader_init(&r, &p->batch, text.text, text.len, p->err);
    r.at++;
    if (!sluice_json_enter(&r)) return false;
    for (;; n++) {
        bool more;
        if (!sluice_json_item(&r, n == 0, &more)) return false;
        if (!more) break;
        if (n == cap) {
            struct sluice_field *grown =
                sluice_arena_alloc(&p->batch.arena, 2 * cap * sizeof *grown);
            memcpy(grown, fields, n * sizeof *grown);
            fields = grown;
            cap *= 2;
        }
        sluice_json_peek(&r);
        const char *start = r.at;
        if (!sluice_json_skip(&r)) return false;
        fields[n].name = NULL;
        struct span span = {start, (size_t)(r.at - start)};
        fields[n].schema = read_schema(p, span, &fields[n].name);
        if (!fields[n].schema) return false;
    }
    schema->fields = fields;
    schema->fields_len = (uint32_t)n;
    return true;
}

static bool read_children(struct parser *p, const struct members *m, struct sluice_schema *schema)
{
    if (schema->type == SLUICE_STRUCT) return read_fields(p, m->fields, schema);
    if (schema->type == SLUICE_ARRAY) {
        if (!m->items.text || is_null(m->items)) {
            return sluice_err_set(p->err, "Array schema did not specify the element type");
        }
        schema->elem = read_schema(p, m->items, NULL);
        return schema->elem != NULL;
    }
    if (!m->keys.text) return sluice_err_set(p->err, "Map schema did not specify the key type");
    if (!m->values.text) {
        return sluice_err_set(p->err, "Map schema did not specify the value type");
    }
    schema->key = read_schema(p, m->keys, NULL);
    if (!schema->key) return false;
    schema->elem = read_schema(p, m->values, NULL);
    return schema->elem != NULL;
}

static bool read_params(struct parser *p, struct span text, struct sluice_schema *schema)
{
    struct sluice_value map;
    if (!text.text || *text.text != '{') return true;
    if (!sluice_json_parse(&p->batch, text.text, text.len, &map, NULL, p->err)) return false;
    struct sluice_param *params = sluice_arena_alloc(&p->batch.arena, map.len * sizeof *params);
    for (size_t i = 0; i < map.len; i++) {
        const struct sluice_value *key = &map.u.v[2 * i], *value = key + 1;
        if (value->type != SLUICE_STRING) {
            return sluice_err_set(p->err, "Schema parameters must have string values.");
        }
        if (memchr(key->u.s, 0, key->len) || memchr(value->u.s, 0, value->len)) {
            return sluice_err_set(p->err, "a schema parameter holds a NUL character");
        }
        params[i].key = sluice_arena_strndup(&p->batch.arena, key->u.s, key->len);
        params[i].value = sluice_arena_strndup(&p->batch.arena, value->u.s, value->len);
    }
    schema->params = params;
    schema->params_len = map.len;
    return true;
}

/* The default is a value of the schema that is being read: read it with a plan for the rest. */
static bool read_default(struct parser *p, struct span text, struct sluice_schema *schema)
{
    if (!text.text) return true;
    struct sluice_json_reader r;
    struct sluice_arena arena;
    sluice_arena_init(&arena, 4096);
    bool ok = false;
    const struct json_plan *plan = json_plan_new(&arena, p->config, schema, p->err);
    if (plan) {
        sluice_json_reader_init(&r, &p->batch, text.text, text.len, p->err);
        r.strict = true;
        ok = json_decode(&r, plan, &schema->dflt);
    }
    if (ok) {
        schema->dflt = sluice_value_copy(&p->batch.arena, &schema->dflt);
        schema->has_dflt = schema->dflt.type != SLUICE_NULL;
    } else {
        sluice_err_wrap(p->err, "default value of a schema of type %s",
                        sluice_type_json(schema->type));
    }
    sluice_arena_fini(&arena);
    return ok;
}

static bool read_type(struct parser *p, struct span text, struct sluice_schema *schema)
{
    const char *name = text_of(p, text);
    if (!name) return sluice_err_set(p->err, "Schema must contain 'type' field");
    for (enum sluice_type type = SLUICE_INT8; type <= SLUICE_STRUCT; type++) {
        if (strcmp(sluice_type_json(type), name) == 0) {
            schema->type = (uint8_t)type;
            return true;
        }
    }
    return sluice_err_set(p->err, "Unknown schema type: %.100s", name);
}

/* A description in the parser's batch; NULL: err. field_name: where to put the name, for fields. */
static struct sluice_schema *read_schema(struct parser *p, struct span text,
                                         const char **field_name)
{
    struct members m;
    struct sluice_value version;
    struct sluice_schema *schema = sluice_arena_alloc(&p->batch.arena, sizeof *schema);
    memset(schema, 0, sizeof *schema);
    if (++p->depth > SCHEMA_DEPTH) {
        sluice_err_set(p->err, "the schema is nested deeper than %u levels", SCHEMA_DEPTH);
        return NULL;
    }
    if (!find_members(p, text, &m)) return NULL;
    if (field_name && !(*field_name = text_of(p, m.field))) {
        sluice_err_set(p->err, "Struct schema's field name not specified properly");
        return NULL;
    }
    if (!read_type(p, m.type, schema)) return NULL;
    if (schema->type >= SLUICE_ARRAY && !read_children(p, &m, schema)) return NULL;
    schema->optional = m.optional.len == 4 && memcmp(m.optional.text, "true", 4) == 0;
    schema->name = text_of(p, m.name);
    schema->doc = text_of(p, m.doc);
    if (m.version.text &&
        sluice_json_parse(&p->batch, m.version.text, m.version.len, &version, NULL, NULL) &&
        version.type == SLUICE_INT64) {
        schema->has_version = true;
        schema->version = (int32_t)version.u.i;
    }
    if (!read_params(p, m.parameters, schema) || !read_default(p, m.dflt, schema)) return NULL;
    assert(p->depth > 0);
    p->depth--;
    return schema;
}

bool json_schema_read(const struct json_config *config, const char *text, size_t len,
                      const struct sluice_schema **schema, struct sluice_err *err)
{
    struct parser p = {.config = config, .err = err};
    *schema = NULL;
    struct span span = {text, len};
    if (is_null(span)) return true;
    sluice_batch_init(&p.batch);
    const struct sluice_schema *description = read_schema(&p, span, NULL);
    if (description) *schema = sluice_schema_intern(description);
    sluice_batch_fini(&p.batch);
    return *schema != NULL;
}
