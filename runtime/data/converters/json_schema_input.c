/* json_schema_input.c - JSON Schema to a Connect schema, as Confluent's JsonSchemaData reads it.
 *
 * The text is read into a tree of values; schemas are described in the same arena and interned at
 * the end. Connect schemas here are trees: a $ref back into a schema around it, and a schema that
 * says nothing, become STRING with the JSON text (json_plan.h's JSON_ANY_NAME).
 * Owner: one thread. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/converters/json_schema_text.h"
#include "data/json_text.h"
#include "data/schema.h"
#include "data/values.h"

#define DEPTH_MAX 64u
#define NODES_MAX 20000u /* schemas made, references followed each time */
#define ENUM_PARAM "io.confluent.connect.json.Enum"
#define SUM_ENUM_PARAM "org.apache.kafka.connect.data.Enum"
#define SUM_UNION_PARAM "org.apache.kafka.connect.data.Union"

struct node { /* a schema's object, and the document that its references are looked up in */
    const struct sluice_value *v, *doc;
};

struct reader {
    const struct json_schema_config *config;
    const struct json_schema_text *texts;
    struct sluice_value *docs; /* n trees */
    size_t n;
    struct sluice_batch batch;
    struct sluice_err *err;
    const struct sluice_value *path[DEPTH_MAX]; /* the schemas around */
    unsigned depth, nodes, unions;
};

static const struct sluice_value *member(const struct sluice_value *object, const char *name)
{
    return object->type == SLUICE_MAP ? sluice_value_get(object, name) : NULL;
}

static bool is_text(const struct sluice_value *v, const char *text)
{
    return v && v->type == SLUICE_STRING && v->len == strlen(text) &&
           memcmp(v->u.s, text, v->len) == 0;
}

/* A member's text, terminated; NULL when it is none or holds a NUL. */
static const char *text_of(struct reader *r, const struct sluice_value *v)
{
    if (!v || v->type != SLUICE_STRING || memchr(v->u.s, 0, v->len)) return NULL;
    return sluice_arena_strndup(&r->batch.arena, v->u.s, v->len);
}

static const char *text_member(struct reader *r, const struct sluice_value *object,
                               const char *name)
{
    return text_of(r, member(object, name));
}

static struct sluice_schema *new_schema(struct reader *r, enum sluice_type type)
{
    struct sluice_schema *schema = sluice_arena_alloc(&r->batch.arena, sizeof *schema);
    memset(schema, 0, sizeof *schema);
    schema->type = (uint8_t)type;
    return schema;
}

static struct sluice_schema *any_schema(struct reader *r)
{
    struct sluice_schema *schema = new_schema(r, SLUICE_STRING);
    schema->name = JSON_ANY_NAME;
    schema->optional = true; /* null is a value too */
    return schema;
}

static void add_param(struct reader *r, struct sluice_schema *schema, const char *key,
                      const char *value)
{
    struct sluice_param *params =
        sluice_arena_alloc(&r->batch.arena, (schema->params_len + 1) * sizeof *params);
    if (schema->params_len) memcpy(params, schema->params, schema->params_len * sizeof *params);
    params[schema->params_len++] = (struct sluice_param){key, value};
    schema->params = params;
}

static const char *join(struct reader *r, const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    char *text = sluice_arena_alloc(&r->batch.arena, n + m + 1);
    memcpy(text, a, n);
    memcpy(text + n, b, m + 1);
    return text;
}

static struct sluice_schema *read_schema(struct reader *r, struct node node, bool force_optional);

/* ---- references ---- */

/* One step of a JSON pointer. */
static const struct sluice_value *step(const struct sluice_value *at, const char *part, size_t len)
{
    char name[256];
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < len && n + 1 < sizeof name; i++) { /* it stands in a URI */
        unsigned x;
        name[n] = part[i];
        if (part[i] == '%' && i + 2 < len && sscanf(part + i + 1, "%2x", &x) == 1 && x) {
            name[n] = (char)x;
            i += 2;
        }
        n++;
    }
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        if (c == '~' && i + 1 < n) c = name[++i] == '1' ? '/' : '~';
        name[kept++] = c;
    }
    n = kept;
    name[n] = '\0';
    if (at->type == SLUICE_ARRAY) {
        char *end;
        unsigned long index = strtoul(name, &end, 10);
        return n && !*end && index < at->len ? &at->u.v[index] : NULL;
    }
    return member(at, name);
}

/* The schema whose $id, id or $anchor this is. */
static const struct sluice_value *find_id(const struct sluice_value *at, const char *id,
                                          unsigned depth)
{
    if (depth > DEPTH_MAX) return NULL;
    if (is_text(member(at, "$id"), id) || is_text(member(at, "id"), id)) return at;
    if (*id == '#' && is_text(member(at, "$anchor"), id + 1)) return at;
    uint32_t n = at->type == SLUICE_MAP ? at->len : at->type == SLUICE_ARRAY ? at->len : 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct sluice_value *below =
            at->type == SLUICE_MAP ? &at->u.v[2 * (size_t)i + 1] : &at->u.v[i];
        const struct sluice_value *found = find_id(below, id, depth + 1);
        if (found) return found;
    }
    return NULL;
}

static bool resolve(struct reader *r, const char *ref, struct node *node)
{
    assert(node->doc);
    const char *hash = strchr(ref, '#');
    size_t file_len = hash ? (size_t)(hash - ref) : strlen(ref);
    const struct sluice_value *at = file_len ? NULL : node->doc;
    for (size_t i = 0; i < r->n && !at; i++) {
        const char *name = r->texts[i].name;
        if (name && strlen(name) == file_len && memcmp(name, ref, file_len) == 0) at = &r->docs[i];
        if (at) node->doc = at;
    }
    if (at && hash && hash[1] == '/') {
        for (const char *part = hash + 1; at && *part == '/';) {
            size_t len = strcspn(++part, "/");
            at = step(at, part, len);
            part += len;
        }
    } else if (!at || (hash && hash[1])) {
        at = find_id(node->doc, at ? hash : ref, 0);
        for (size_t i = 0; i < r->n && !at; i++) at = find_id(&r->docs[i], ref, 0);
    }
    if (!at) {
        return sluice_err_set(r->err, "the JSON schema's reference %.200s leads nowhere", ref);
    }
    node->v = at;
    return true;
}

/* ---- kinds of schemas ---- */

static struct sluice_schema *read_enum(struct reader *r, const struct sluice_value *values,
                                       size_t n)
{
    struct sluice_schema *schema = new_schema(r, SLUICE_STRING);
    const char *prefix = r->config->sum_types ? SUM_ENUM_PARAM : ENUM_PARAM;
    add_param(r, schema, prefix, "");
    for (size_t i = 0; i < n && i < 5000; i++) {
        char number[24];
        struct sluice_buf buf;
        const char *symbol = text_of(r, &values[i]);
        if (values[i].type == SLUICE_NULL) symbol = "<NULL>";
        if (!symbol) {
            sluice_buf_init(&buf, SLUICE_BUF_MAX);
            if (sluice_json_value(&buf, &values[i], NULL)) {
                symbol = sluice_arena_strndup(&r->batch.arena, buf.data, buf.len);
            }
            sluice_buf_fini(&buf);
        }
        if (!symbol) continue;
        snprintf(number, sizeof number, "%zu", i);
        const char *key = join(r, join(r, prefix, "."), symbol);
        add_param(r, schema, key, r->config->sum_types ? join(r, number, "") : symbol);
    }
    return schema;
}

static struct sluice_schema *read_number(struct reader *r, const struct sluice_value *v,
                                         bool integer)
{
    static const struct {
        const char *word;
        enum sluice_type type;
    } words[] = {{"int8", SLUICE_INT8},   {"int16", SLUICE_INT16},     {"int32", SLUICE_INT32},
                 {"int64", SLUICE_INT64}, {"float32", SLUICE_FLOAT32}, {"float64", SLUICE_FLOAT64},
                 {"bytes", SLUICE_BYTES}};
    const struct sluice_value *type = member(v, "connect.type");
    if (!type) return new_schema(r, integer ? SLUICE_INT64 : SLUICE_FLOAT64);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (is_text(type, words[i].word)) return new_schema(r, words[i].type);
    }
    sluice_err_set(r->err, "the JSON schema's connect.type is none that a number can have");
    return NULL;
}

static struct sluice_schema *read_array(struct reader *r, struct node node)
{
    const struct sluice_value *items = member(node.v, "items");
    if (!items || items->type == SLUICE_ARRAY) {
        sluice_err_set(r->err, "an array of the JSON schema does not say what its items are");
        return NULL;
    }
    const struct sluice_value *properties = member(items, "properties");
    if (is_text(member(node.v, "connect.type"), "map") && properties) {
        const struct sluice_value *key = member(properties, "key");
        const struct sluice_value *value = member(properties, "value");
        if (key && value) {
            struct sluice_schema *map = new_schema(r, SLUICE_MAP);
            map->key = read_schema(r, (struct node){key, node.doc}, false);
            if (!map->key) return NULL;
            map->elem = read_schema(r, (struct node){value, node.doc}, false);
            return map->elem ? map : NULL;
        }
    }
    struct sluice_schema *array = new_schema(r, SLUICE_ARRAY);
    array->elem = read_schema(r, (struct node){items, node.doc}, false);
    return array->elem ? array : NULL;
}

static bool contains(const struct sluice_value *list, const struct sluice_value *name)
{
    for (uint32_t i = 0; list && list->type == SLUICE_ARRAY && i < list->len; i++) {
        const struct sluice_value *item = &list->u.v[i];
        if (item->type == SLUICE_STRING && item->len == name->len &&
            memcmp(item->u.s, name->u.s, name->len) == 0) {
            return true;
        }
    }
    return false;
}

struct place {
    int64_t index;
    uint32_t order;
    const struct sluice_value *name;
    struct node node;
    bool required;
};

struct places {
    struct place *items;
    size_t n, cap;
};

static int place_compare(const void *a_, const void *b_)
{
    const struct place *a = a_, *b = b_;
    if (a->index != b->index) return a->index < b->index ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

/* The properties of an object schema, those of allOf's parts and what they refer to. */
static bool collect(struct reader *r, struct node node, struct places *places, unsigned depth)
{
    const struct sluice_value *properties = member(node.v, "properties");
    const struct sluice_value *required = member(node.v, "required");
    const struct sluice_value *all = member(node.v, "allOf");
    const char *ref = text_member(r, node.v, "$ref");
    if (depth > DEPTH_MAX) return sluice_err_set(r->err, "the JSON schema refers to itself");
    if (ref && depth > 0) return resolve(r, ref, &node) && collect(r, node, places, depth + 1);
    if (properties && properties->type != SLUICE_MAP) properties = NULL;
    for (uint32_t i = 0; properties && i < properties->len; i++) {
        const struct sluice_value *name = &properties->u.v[2 * (size_t)i];
        const struct sluice_value *index = member(name + 1, "connect.index");
        size_t at = 0;
        while (at < places->n && !sluice_value_equal(places->items[at].name, name)) at++;
        struct place place = {.index = (int64_t)at, .order = (uint32_t)at, .name = name};
        if (index && index->type == SLUICE_INT64) place.index = index->u.i;
        place.node = (struct node){name + 1, node.doc};
        place.required = contains(required, name);
        if (at == places->n) {
            places->items =
                sluice_xgrow(places->items, places->n, &places->cap, sizeof *places->items);
            places->n++;
        }
        places->items[at] = place;
        if (places->n > 5000) {
            return sluice_err_set(r->err, "the JSON schema has an object of more than 5000 "
                                          "properties");
        }
    }
    for (uint32_t i = 0; all && all->type == SLUICE_ARRAY && i < all->len; i++) {
        if (!collect(r, (struct node){&all->u.v[i], node.doc}, places, depth + 1)) return false;
    }
    return true;
}

static struct sluice_schema *read_struct(struct reader *r, const struct places *places)
{
    struct sluice_schema *schema = new_schema(r, SLUICE_STRUCT);
    struct sluice_field *fields =
        sluice_arena_alloc(&r->batch.arena, (places->n + 1) * sizeof *fields);
    if (places->n) qsort(places->items, places->n, sizeof *places->items, place_compare);
    for (size_t i = 0; i < places->n; i++) {
        const struct place *place = &places->items[i];
        bool optional = r->config->optional_nonrequired && !place->required;
        fields[i].name = text_of(r, place->name);
        if (!fields[i].name) {
            sluice_err_set(r->err, "a property's name holds a NUL character");
            return NULL;
        }
        fields[i].schema = read_schema(r, place->node, optional);
        if (!fields[i].schema) {
            sluice_err_wrap(r->err, "property %.200s", fields[i].name);
            return NULL;
        }
    }
    schema->fields = fields;
    schema->fields_len = (uint32_t)places->n;
    return schema;
}

static struct sluice_schema *read_object(struct reader *r, struct node node)
{
    struct places places = {NULL, 0, 0};
    const struct sluice_value *values = member(node.v, "additionalProperties");
    if (is_text(member(node.v, "connect.type"), "map") && values &&
        (values->type == SLUICE_MAP || (values->type == SLUICE_BOOLEAN && values->u.i))) {
        struct sluice_schema *map = new_schema(r, SLUICE_MAP);
        map->key = new_schema(r, SLUICE_STRING);
        map->elem = read_schema(r, (struct node){values, node.doc}, false);
        return map->elem ? map : NULL;
    }
    struct sluice_schema *schema = collect(r, node, &places, 0) ? read_struct(r, &places) : NULL;
    free(places.items);
    return schema;
}

static bool is_null_schema(const struct sluice_value *v)
{
    return is_text(member(v, "type"), "null");
}

static struct sluice_schema *read_union(struct reader *r, const struct sluice_value *list,
                                        const struct sluice_value *doc, bool *force_optional,
                                        bool *done)
{
    const struct sluice_value *only = NULL;
    char name[96];
    size_t others = 0;
    for (uint32_t i = 0; i < list->len; i++) {
        if (is_null_schema(&list->u.v[i])) continue;
        only = &list->u.v[i];
        others++;
    }
    bool null = others < list->len;
    if (others == 1 && (null ? list->len == 2 : r->config->flatten_singletons)) {
        *done = true;
        return read_schema(r, (struct node){only, doc}, null || *force_optional);
    }
    struct sluice_schema *schema = new_schema(r, SLUICE_STRUCT);
    struct sluice_field *fields =
        sluice_arena_alloc(&r->batch.arena, (others + 1) * sizeof *fields);
    snprintf(name, sizeof name, "connect_union_%u", r->unions);
    schema->name = r->config->sum_types ? join(r, name, "") : JSON_ONE_OF_NAME;
    if (r->config->sum_types) {
        r->unions++;
        add_param(r, schema, SUM_UNION_PARAM, schema->name);
    }
    for (uint32_t i = 0; i < list->len; i++) {
        if (is_null_schema(&list->u.v[i])) continue;
        snprintf(name, sizeof name,
                 r->config->sum_types ? "connect_union_field_%u" : JSON_ONE_OF_NAME ".field.%u",
                 schema->fields_len);
        struct sluice_field *field = &fields[schema->fields_len++];
        field->name = join(r, name, "");
        field->schema = read_schema(r, (struct node){&list->u.v[i], doc}, true);
        if (!field->schema) return NULL;
    }
    assert(schema->fields_len == others);
    schema->fields = fields;
    schema->optional = null;
    return schema;
}

/* allOf: structs are put together; else a type that one part names, refined or not by others. */
static struct sluice_schema *read_all_of(struct reader *r, struct node node,
                                         const struct sluice_value *list, bool force_optional,
                                         bool *done)
{
    struct places places = {NULL, 0, 0};
    struct sluice_schema *schema = NULL;
    static const char *const orders[] = {"oneOf", "anyOf", "allOf", "enum", "type", "$ref"};
    if (!collect(r, node, &places, 0)) goto out;
    if (places.n) {
        schema = read_struct(r, &places);
        goto out;
    }
    *done = true;
    for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
        for (uint32_t i = 0; i < list->len; i++) {
            const struct sluice_value *part = &list->u.v[i];
            if (!member(part, orders[k])) continue;
            schema = read_schema(r, (struct node){part, node.doc}, force_optional);
            goto out;
        }
    }
    sluice_err_set(r->err, "the JSON schema has an allOf without a type");
out:
    free(places.items);
    return schema;
}

/* "type": ["null", "string", ...]: the same schema with each of them. */
static struct sluice_schema *read_types(struct reader *r, struct node node, bool *force_optional,
                                        bool *done)
{
    const struct sluice_value *types = member(node.v, "type");
    struct sluice_value *list =
        sluice_arena_alloc(&r->batch.arena, (types->len + 1) * sizeof *list);
    for (uint32_t i = 0; i < types->len; i++) {
        size_t n = 2 * (size_t)node.v->len;
        struct sluice_value *entries = sluice_arena_alloc(&r->batch.arena, n * sizeof *entries);
        memcpy(entries, node.v->u.v, n * sizeof *entries);
        for (size_t k = 0; k < n; k += 2) {
            if (is_text(&entries[k], "type")) entries[k + 1] = types->u.v[i];
        }
        list[i] = sluice_nested(SLUICE_MAP, entries, node.v->len);
    }
    struct sluice_value all = sluice_nested(SLUICE_ARRAY, list, types->len);
    return read_union(r, &all, node.doc, force_optional, done);
}

static bool list_member(const struct sluice_value *v, const char *name,
                        const struct sluice_value **out)
{
    *out = member(v, name);
    return *out && (*out)->type == SLUICE_ARRAY && (*out)->len > 0;
}

/* *done: the schema is another's, its title and so on are not looked for here. */
static struct sluice_schema *read_kind(struct reader *r, struct node node, bool *force_optional,
                                       bool *done)
{
    const struct sluice_value *v = node.v, *list, *type = member(v, "type");
    const char *ref = text_member(r, v, "$ref");
    if (ref) {
        *done = true;
        if (!resolve(r, ref, &node)) return NULL;
        return read_schema(r, node, *force_optional);
    }
    bool object = is_text(type, "object") || member(v, "properties");
    if (!object && (list_member(v, "oneOf", &list) || list_member(v, "anyOf", &list))) {
        return read_union(r, list, node.doc, force_optional, done);
    }
    if (list_member(v, "allOf", &list) && !member(v, "properties")) {
        return read_all_of(r, node, list, *force_optional, done);
    }
    bool number = is_text(type, "integer") || is_text(type, "number");
    if (!number && list_member(v, "enum", &list)) return read_enum(r, list->u.v, list->len);
    list = member(v, "const");
    if (list && !type) return read_enum(r, list, 1);
    if (type && type->type == SLUICE_ARRAY && type->len) {
        return read_types(r, node, force_optional, done);
    }
    if (object) return read_object(r, node);
    if (number) return read_number(r, v, is_text(type, "integer"));
    if (is_text(type, "boolean")) return new_schema(r, SLUICE_BOOLEAN);
    if (is_text(type, "array") || (!type && member(v, "items"))) return read_array(r, node);
    if (is_text(type, "string")) {
        bool bytes = is_text(member(v, "connect.type"), "bytes");
        return new_schema(r, bytes ? SLUICE_BYTES : SLUICE_STRING);
    }
    if (!type) return any_schema(r);
    sluice_err_set(r->err, "the JSON schema has the type %.*s, for which Connect has none",
                   type->type == SLUICE_STRING ? (int)(type->len < 60 ? type->len : 60) : 0,
                   type->type == SLUICE_STRING ? type->u.s : "");
    return NULL;
}

/* ---- what every schema can have ---- */

static bool read_default(struct reader *r, const struct sluice_value *v,
                         struct sluice_schema *schema)
{
    struct sluice_arena arena;
    struct sluice_buf text;
    struct sluice_json_reader json;
    bool ok = false;
    if (v->type == SLUICE_NULL) return true;
    sluice_arena_init(&arena, 4096);
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    const struct json_plan *plan = json_plan_new(&arena, &r->config->read, schema, r->err);
    if (plan && sluice_json_value(&text, v, r->err)) {
        sluice_json_reader_init(&json, &r->batch, text.data, text.len, r->err);
        ok = json_decode(&json, plan, &schema->dflt);
        if (ok) schema->dflt = sluice_value_copy(&r->batch.arena, &schema->dflt);
        schema->has_dflt = ok && schema->dflt.type != SLUICE_NULL;
    }
    if (!ok) sluice_err_wrap(r->err, "the JSON schema's default value");
    sluice_buf_fini(&text);
    sluice_arena_fini(&arena);
    return ok;
}

static bool read_params(struct reader *r, const struct sluice_value *params,
                        struct sluice_schema *schema)
{
    for (uint32_t i = 0; params->type == SLUICE_MAP && i < params->len && i < 1000; i++) {
        const char *key = text_of(r, &params->u.v[2 * (size_t)i]);
        const char *value = text_of(r, &params->u.v[2 * (size_t)i + 1]);
        if (!key || !value) {
            return sluice_err_set(r->err, "the JSON schema's connect.parameters must be texts");
        }
        add_param(r, schema, key, value);
    }
    return true;
}

static bool read_common(struct reader *r, const struct sluice_value *v,
                        struct sluice_schema *schema)
{
    const struct sluice_value *version = member(v, "connect.version");
    const struct sluice_value *params = member(v, "connect.parameters");
    const struct sluice_value *dflt = member(v, "default");
    if (!schema->name) schema->name = text_member(r, v, "title");
    schema->doc = text_member(r, v, "description");
    if (version && version->type == SLUICE_INT64) {
        schema->has_version = true;
        schema->version = (int32_t)version->u.i;
    }
    if (params && !read_params(r, params, schema)) return false;
    return !dflt || read_default(r, dflt, schema);
}

static struct sluice_schema *read_schema(struct reader *r, struct node node, bool force_optional)
{
    bool done = false;
    if (++r->nodes > NODES_MAX || r->depth == DEPTH_MAX) {
        sluice_err_set(r->err,
                       "the JSON schema is nested deeper than %u levels or becomes more "
                       "than %u schemas",
                       DEPTH_MAX, NODES_MAX);
        return NULL;
    }
    bool anything = node.v->type == SLUICE_BOOLEAN && node.v->u.i;
    for (unsigned i = 0; i < r->depth; i++) anything = anything || r->path[i] == node.v;
    if (!anything && node.v->type != SLUICE_MAP) {
        sluice_err_set(r->err, "a JSON schema must be an object");
        return NULL;
    }
    r->path[r->depth++] = node.v;
    struct sluice_schema *schema =
        anything ? any_schema(r) : read_kind(r, node, &force_optional, &done);
    assert(r->depth > 0 && r->path[r->depth - 1] == node.v);
    r->depth--;
    if (!schema) return NULL;
    if (!anything && !done && !read_common(r, node.v, schema)) return NULL;
    if (force_optional) schema->optional = true;
    return schema;
}

const struct sluice_schema *json_schema_text_read(const struct json_schema_config *config,
                                                  const struct json_schema_text *texts, size_t n,
                                                  int32_t version, struct sluice_err *err)
{
    struct reader r = {.config = config, .texts = texts, .n = n, .err = err};
    const struct sluice_schema *interned = NULL;
    bool ok = true;
    assert(n > 0);
    sluice_batch_init(&r.batch);
    r.docs = sluice_arena_alloc(&r.batch.arena, n * sizeof *r.docs);
    for (size_t i = 0; ok && i < n; i++) {
        ok = sluice_json_parse(&r.batch, texts[i].text, texts[i].len, &r.docs[i], NULL, err);
    }
    struct sluice_schema *schema =
        ok ? read_schema(&r, (struct node){&r.docs[0], &r.docs[0]}, false) : NULL;
    if (schema && version > 0 && !schema->has_version) {
        schema->has_version = true;
        schema->version = version;
    }
    if (schema) interned = sluice_schema_intern(schema);
    sluice_batch_fini(&r.batch);
    return interned;
}
