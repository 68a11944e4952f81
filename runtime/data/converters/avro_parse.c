/* avro_parse.c - JSON to Avro schemas.
 *
 * Lenient where Avro's Java parser with old schemas is (invalid defaults and names are taken); what
 * cannot be understood is refused with the place by name. Named types are found by a list, since
 * schemas have some tens of them. Owner: the converter's thread. */
#include <assert.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/converters/avro_schema.h"
#include "data/json_text.h"
#include "data/values.h"

static const char *const type_names[] = {"null",   "boolean", "int",    "long",   "float",
                                         "double", "bytes",   "string", "record", "enum",
                                         "array",  "map",     "union",  "fixed"};

struct named {
    struct named *next;
    struct avro_schema *schema;
};

struct parser {
    struct sluice_batch *batch;
    struct named *named;
    struct sluice_err *err;
    uint32_t nodes;
};

/* ---- making schemas ---- */

const char *avro_type_name(enum avro_type type) { return type_names[type]; }

char *avro_strndup(struct sluice_batch *batch, const char *s, size_t len)
{
    return sluice_arena_strndup(&batch->arena, s, len);
}

struct avro_schema *avro_new(struct sluice_batch *batch, enum avro_type type)
{
    struct avro_schema *schema = sluice_batch_alloc(batch, sizeof *schema);
    memset(schema, 0, sizeof *schema);
    schema->type = (uint8_t)type;
    return schema;
}

void avro_name(struct sluice_batch *batch, struct avro_schema *schema, const char *space,
               const char *name)
{
    size_t len = strlen(name), before = space ? strlen(space) : 0;
    char *full = sluice_batch_alloc(batch, before + len + 2);
    if (before) {
        memcpy(full, space, before);
        full[before] = '.';
        memcpy(full + before + 1, name, len + 1);
        schema->space = avro_strndup(batch, space, before);
        schema->name = full + before + 1;
    } else {
        memcpy(full, name, len + 1);
        schema->name = full;
    }
    schema->full = full;
}

const struct sluice_value *avro_prop(const struct avro_schema *schema, const char *key)
{
    for (size_t i = 0; i < schema->props_n; i++) {
        if (strcmp(schema->props[i].key, key) == 0) return &schema->props[i].value;
    }
    return NULL;
}

const char *avro_prop_text(struct sluice_batch *batch, const struct avro_schema *schema,
                           const char *key)
{
    const struct sluice_value *v = avro_prop(schema, key);
    return v && v->type == SLUICE_STRING ? avro_strndup(batch, v->u.s, v->len) : NULL;
}

void avro_prop_set(struct sluice_batch *batch, struct avro_schema *schema, const char *key,
                   struct sluice_value value)
{
    struct sluice_value *there = (struct sluice_value *)avro_prop(schema, key);
    if (there) {
        *there = value;
        return;
    }
    if (schema->props_n == schema->props_cap) {
        size_t cap = schema->props_cap ? 2 * schema->props_cap : 8;
        struct avro_prop *props = sluice_batch_alloc(batch, cap * sizeof *props);
        if (schema->props_n) memcpy(props, schema->props, schema->props_n * sizeof *props);
        schema->props = props;
        schema->props_cap = cap;
    }
    schema->props[schema->props_n].key = key;
    schema->props[schema->props_n++].value = value;
}

/* ---- reading JSON ---- */

static bool is(const struct sluice_value *v, const char *word)
{
    return v->type == SLUICE_STRING && v->len == strlen(word) && memcmp(v->u.s, word, v->len) == 0;
}

static char *text_of(struct parser *p, const struct sluice_value *v)
{
    return avro_strndup(p->batch, v->u.s, v->len);
}

/* A member that must be a string when it is there; NULL: it is not. */
static const char *member_text(struct parser *p, const struct sluice_value *json, const char *key)
{
    const struct sluice_value *v = sluice_value_get(json, key);
    return v && v->type == SLUICE_STRING ? text_of(p, v) : NULL;
}

static struct avro_schema *find(const struct parser *p, const char *full)
{
    for (const struct named *at = p->named; at; at = at->next) {
        if (strcmp(at->schema->full, full) == 0) return at->schema;
    }
    return NULL;
}

static const char *join(struct parser *p, const char *space, const char *name)
{
    struct avro_schema both = {0};
    avro_name(p->batch, &both, space, name);
    return both.full;
}

static struct avro_schema *named_or_primitive(struct parser *p, const struct sluice_value *v,
                                              const char *space)
{
    for (int type = AVRO_NULL; type <= AVRO_STRING; type++) {
        if (is(v, type_names[type])) return avro_new(p->batch, (enum avro_type)type);
    }
    const char *name = text_of(p, v);
    struct avro_schema *found = NULL;
    if (!strchr(name, '.') && space) found = find(p, join(p, space, name));
    if (!found) found = find(p, name);
    if (!found)
        sluice_err_set(p->err, "the Avro schema uses the type \"%.200s\", which it does not define",
                       name);
    return found;
}

static struct avro_schema *parse(struct parser *p, const struct sluice_value *v, const char *space);

static struct avro_schema *parse_union(struct parser *p, const struct sluice_value *v,
                                       const char *space)
{
    struct avro_schema *schema = avro_new(p->batch, AVRO_UNION);
    schema->types = sluice_batch_alloc(p->batch, v->len * sizeof *schema->types);
    for (uint32_t i = 0; i < v->len; i++) {
        struct avro_schema *member = parse(p, &v->u.v[i], space);
        if (!member) return NULL;
        for (uint32_t j = 0; j < i; j++) {
            const struct avro_schema *other = schema->types[j];
            if (other->type != member->type) continue;
            if (member->full && strcmp(other->full, member->full) != 0) continue;
            sluice_err_set(p->err, "a union of the Avro schema holds %s twice",
                           member->full ? member->full : type_names[member->type]);
            return NULL;
        }
        if (member->type == AVRO_UNION) {
            sluice_err_set(p->err, "a union of the Avro schema directly holds another union");
            return NULL;
        }
        schema->types[i] = member;
    }
    schema->n = v->len;
    return schema;
}

static const char **parse_aliases(struct parser *p, const struct sluice_value *json,
                                  const char *space)
{
    const struct sluice_value *list = sluice_value_get(json, "aliases");
    if (!list || list->type != SLUICE_ARRAY || list->len == 0) return NULL;
    const char **out = sluice_batch_alloc(p->batch, (list->len + 1) * sizeof *out);
    size_t n = 0;
    for (uint32_t i = 0; i < list->len; i++) {
        if (list->u.v[i].type != SLUICE_STRING) continue;
        const char *alias = text_of(p, &list->u.v[i]);
        out[n++] = space && !strchr(alias, '.') ? join(p, space, alias) : alias;
    }
    out[n] = NULL;
    return out;
}

/* Members that Avro gives a meaning in a schema of this type are no properties. */
static bool reserved(enum avro_type type, const struct sluice_value *key)
{
    static const char *const all[] = {"type",  "name",   "namespace", "doc",     "fields",
                                      "items", "values", "size",      "symbols", "aliases"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (is(key, all[i])) return true;
    }
    return type == AVRO_ENUM && is(key, "default");
}

static void parse_props(struct parser *p, struct avro_schema *schema,
                        const struct sluice_value *json)
{
    for (uint32_t i = 0; i < json->len; i++) {
        const struct sluice_value *key = &json->u.v[2 * i];
        if (reserved((enum avro_type)schema->type, key)) continue;
        avro_prop_set(p->batch, schema, text_of(p, key), key[1]);
    }
}

/* Takes the name and makes the type known. */
static bool parse_name(struct parser *p, struct avro_schema *schema,
                       const struct sluice_value *json, const char *space)
{
    const char *name = member_text(p, json, "name"), *own = member_text(p, json, "namespace");
    if (!name || !*name)
        return sluice_err_set(p->err, "a %s of the Avro schema has no name",
                              type_names[schema->type]);
    const char *dot = strrchr(name, '.');
    if (dot) space = avro_strndup(p->batch, name, (size_t)(dot - name));
    else if (own) space = *own ? own : NULL;
    avro_name(p->batch, schema, space, dot ? dot + 1 : name);
    if (find(p, schema->full)) return sluice_err_set(p->err, "Can't redefine: %s", schema->full);
    struct named *at = sluice_batch_alloc(p->batch, sizeof *at);
    *at = (struct named){p->named, schema};
    p->named = at;
    schema->aliases = parse_aliases(p, json, schema->space);
    schema->doc = member_text(p, json, "doc");
    return true;
}

static bool parse_field(struct parser *p, struct avro_field *field, const struct sluice_value *json,
                        const struct avro_schema *record)
{
    const char *name = json->type == SLUICE_MAP ? member_text(p, json, "name") : NULL;
    const struct sluice_value *type = name ? sluice_value_get(json, "type") : NULL;
    const struct sluice_value *dflt = name ? sluice_value_get(json, "default") : NULL;
    memset(field, 0, sizeof *field);
    if (!type)
        return sluice_err_set(p->err, "a field of the Avro record %s has no name or no type",
                              record->full);
    field->name = name;
    field->doc = member_text(p, json, "doc");
    field->aliases = parse_aliases(p, json, NULL);
    field->schema = parse(p, type, record->space);
    field->has_dflt = dflt != NULL;
    if (dflt) field->dflt = *dflt;
    return field->schema || sluice_err_wrap(p->err, "field %s", name);
}

static bool parse_record(struct parser *p, struct avro_schema *schema,
                         const struct sluice_value *json)
{
    const struct sluice_value *fields = sluice_value_get(json, "fields");
    if (!fields || fields->type != SLUICE_ARRAY)
        return sluice_err_set(p->err, "the Avro record %s has no list of fields", schema->full);
    schema->fields = sluice_batch_alloc(p->batch, fields->len * sizeof *schema->fields);
    for (uint32_t i = 0; i < fields->len; i++) {
        if (!parse_field(p, &schema->fields[i], &fields->u.v[i], schema)) return false;
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(schema->fields[j].name, schema->fields[i].name) == 0)
                return sluice_err_set(p->err, "the Avro record %s has two fields %s", schema->full,
                                      schema->fields[i].name);
        }
    }
    schema->n = fields->len;
    return true;
}

static bool parse_enum(struct parser *p, struct avro_schema *schema,
                       const struct sluice_value *json)
{
    const struct sluice_value *symbols = sluice_value_get(json, "symbols");
    if (!symbols || symbols->type != SLUICE_ARRAY)
        return sluice_err_set(p->err, "the Avro enum %s has no symbols", schema->full);
    schema->symbols = sluice_batch_alloc(p->batch, symbols->len * sizeof *schema->symbols);
    for (uint32_t i = 0; i < symbols->len; i++) {
        if (symbols->u.v[i].type != SLUICE_STRING)
            return sluice_err_set(p->err, "the Avro enum %s has a symbol that is no string",
                                  schema->full);
        schema->symbols[i] = text_of(p, &symbols->u.v[i]);
    }
    schema->n = symbols->len;
    schema->enum_dflt = member_text(p, json, "default");
    return true;
}

static bool parse_fixed(struct parser *p, struct avro_schema *schema,
                        const struct sluice_value *json)
{
    const struct sluice_value *size = sluice_value_get(json, "size");
    if (!size || size->type != SLUICE_INT64 || size->u.i < 0 || size->u.i > INT32_MAX)
        return sluice_err_set(p->err, "the Avro fixed %s has no valid size", schema->full);
    schema->size = (uint32_t)size->u.i;
    return true;
}

static struct avro_schema *parse_object(struct parser *p, const struct sluice_value *json,
                                        const char *space)
{
    const struct sluice_value *type = sluice_value_get(json, "type");
    if (!type) {
        sluice_err_set(p->err, "a part of the Avro schema has no type");
        return NULL;
    }
    if (type->type != SLUICE_STRING) return parse(p, type, space);
    struct avro_schema *schema = NULL;
    bool error = is(type, "error"), ok = true;
    for (int t = AVRO_NULL; t <= AVRO_FIXED && !schema; t++) {
        if (t == AVRO_UNION) continue;
        if (is(type, type_names[t]) || (error && t == AVRO_RECORD))
            schema = avro_new(p->batch, (enum avro_type)t);
    }
    if (!schema) return named_or_primitive(p, type, space);
    bool named =
        schema->type == AVRO_RECORD || schema->type == AVRO_ENUM || schema->type == AVRO_FIXED;
    if (named) ok = parse_name(p, schema, json, space);
    parse_props(p, schema, json);
    if (ok && schema->type == AVRO_RECORD) ok = parse_record(p, schema, json);
    if (ok && schema->type == AVRO_ENUM) ok = parse_enum(p, schema, json);
    if (ok && schema->type == AVRO_FIXED) ok = parse_fixed(p, schema, json);
    if (ok && (schema->type == AVRO_ARRAY || schema->type == AVRO_MAP)) {
        const char *key = schema->type == AVRO_ARRAY ? "items" : "values";
        const struct sluice_value *elem = sluice_value_get(json, key);
        if (!elem)
            ok = sluice_err_set(p->err, "an %s of the Avro schema has no %s",
                                type_names[schema->type], key);
        else ok = (schema->elem = parse(p, elem, space)) != NULL;
    }
    return ok ? schema : NULL;
}

static struct avro_schema *parse(struct parser *p, const struct sluice_value *v, const char *space)
{
    if (++p->nodes > AVRO_NODES_MAX) {
        sluice_err_set(p->err, "the Avro schema has more than %u parts", AVRO_NODES_MAX);
        return NULL;
    }
    switch (v->type) {
    case SLUICE_STRING: return named_or_primitive(p, v, space);
    case SLUICE_ARRAY: return parse_union(p, v, space);
    case SLUICE_MAP: return parse_object(p, v, space);
    default: sluice_err_set(p->err, "a part of the Avro schema is neither name, list nor object");
    }
    return NULL;
}

static struct avro_schema *parse_text(struct parser *p, const char *text, size_t len)
{
    struct sluice_value json;
    size_t start = 0;
    while (start < len && strchr(" \t\r\n", text[start])) start++;
    if (start < len && text[start] != '{' && text[start] != '[' && text[start] != '"') {
        json = sluice_string(text + start, len - start); /* a bare name, as "int" */
        while (json.len && strchr(" \t\r\n", json.u.s[json.len - 1])) json.len--;
    } else if (!sluice_json_parse(p->batch, text, len, &json, NULL, p->err)) {
        sluice_err_wrap(p->err, "the Avro schema is no JSON");
        return NULL;
    }
    return parse(p, &json, NULL);
}

struct avro_schema *avro_parse(struct sluice_batch *batch, const struct avro_text *refs,
                               size_t refs_n, const char *text, size_t len, struct sluice_err *err)
{
    struct parser p = {.batch = batch, .err = err};
    assert(text || !len);
    for (size_t i = 0; i < refs_n; i++) {
        if (!parse_text(&p, refs[i].text, refs[i].len)) return NULL;
    }
    return parse_text(&p, text, len);
}
