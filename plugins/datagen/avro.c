/* avro.c - JSON to avro_type. Names resolve as in the Avro specification: a name without a dot
 * takes the namespace of the type around it. Recursive types are refused: Connect has none. */
#include "avro.h"

#include <stdlib.h>

static const char *const kind_names[] = {"null",   "boolean", "int",    "long",   "float",
                                         "double", "bytes",   "string", "record", "enum",
                                         "fixed",  "array",   "map",    "union"};

struct reader {
    struct avro_schema *schema;
    struct sluice_err *err;
};

static struct avro_type *read_type(struct reader *r, const json_t *json, const char *space,
                                   int depth);

const char *avro_kind_name(enum avro_kind kind) { return kind_names[kind]; }

void avro_strip_comments(char *text)
{
    char *to = text;
    bool quoted = false;
    for (const char *p = text; *p; p++) {
        if (quoted) {
            if (*p == '\\' && p[1]) *to++ = *p++;
            else if (*p == '"') quoted = false;
        } else if (*p == '"') {
            quoted = true;
        } else if (*p == '/' && p[1] == '/') {
            while (p[1] && p[1] != '\n') p++;
            continue;
        } else if (*p == '/' && p[1] == '*') {
            const char *end = strstr(p + 2, "*/");
            if (!end) break;
            for (; p < end; p++) {
                if (*p == '\n') *to++ = '\n'; /* keeps the line numbers of messages right */
            }
            p = end + 1;
            continue;
        }
        *to++ = *p;
    }
    *to = '\0';
}

static struct avro_type *type_new(struct reader *r, enum avro_kind kind)
{
    struct avro_type *type = datagen_alloc(&r->schema->arena, sizeof(*type));
    type->kind = kind;
    return type;
}

static const char *string_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* The full name of a name in a namespace, in the arena. */
static const char *full_name(struct reader *r, const char *name, const char *space)
{
    if (strchr(name, '.') || !space || !*space) return datagen_strdup(&r->schema->arena, name);
    size_t a = strlen(space), b = strlen(name);
    char *full = datagen_alloc(&r->schema->arena, a + b + 2);
    memcpy(full, space, a);
    full[a] = '.';
    memcpy(full + a + 1, name, b);
    return full;
}

static struct avro_type *find_named(const struct avro_schema *schema, const char *fullname)
{
    for (size_t i = 0; i < schema->named_len; i++) {
        if (strcmp(schema->named[i]->fullname, fullname) == 0) return schema->named[i];
    }
    return NULL;
}

static struct avro_type *read_name(struct reader *r, const char *name, const char *space)
{
    for (enum avro_kind kind = AVRO_NULL; kind <= AVRO_STRING; kind++) {
        if (strcmp(name, kind_names[kind]) == 0) return type_new(r, kind);
    }
    struct avro_type *type = find_named(r->schema, full_name(r, name, space));
    if (!type) type = find_named(r->schema, name);
    if (!type) {
        datagen_fail(r->err,
                     "\"%.200s\" is not a defined name. The type of a field must be a "
                     "defined name or a {\"type\": ...} expression.",
                     name);
        return NULL;
    }
    if (type->open) {
        datagen_fail(r->err, "type %.200s contains itself; recursive types cannot be generated",
                     type->fullname);
        return NULL;
    }
    return type;
}

/* Gives a record, enum or fixed its name; false when there is none or it is taken. */
static bool name_type(struct reader *r, struct avro_type *type, const json_t *json,
                      const char *outer, const char **space)
{
    struct avro_schema *schema = r->schema;
    const char *name = string_of(json, "name"), *own = string_of(json, "namespace");
    if (!name || !*name) {
        return datagen_fail(r->err, "No name in schema: a %s needs one", kind_names[type->kind]);
    }
    type->fullname = full_name(r, name, own ? own : outer);
    const char *dot = strrchr(type->fullname, '.');
    type->name = dot ? dot + 1 : type->fullname;
    *space = dot ? datagen_strndup(&schema->arena, type->fullname, (size_t)(dot - type->fullname))
                 : NULL;
    if (find_named(schema, type->fullname)) {
        return datagen_fail(r->err, "Can't redefine: %.200s", type->fullname);
    }
    if (schema->named_len == schema->named_cap) {
        size_t cap = schema->named_cap ? 2 * schema->named_cap : 16;
        struct avro_type **grown = datagen_alloc(&schema->arena, cap * sizeof(*grown));
        if (schema->named_len) memcpy(grown, schema->named, schema->named_len * sizeof(*grown));
        schema->named = grown;
        schema->named_cap = cap;
    }
    schema->named[schema->named_len++] = type;
    return true;
}

static bool read_fields(struct reader *r, struct avro_type *type, const json_t *json,
                        const char *space, int depth)
{
    const json_t *list = json_object_get(json, "fields");
    if (!json_is_array(list)) {
        return datagen_fail(r->err, "Record %.200s has no fields", type->fullname);
    }
    type->len = json_array_size(list);
    if (type->len > AVRO_MAX_FIELDS) {
        return datagen_fail(r->err, "record %.200s has %zu fields; at most %d are supported",
                            type->fullname, type->len, AVRO_MAX_FIELDS);
    }
    type->fields = datagen_alloc(&r->schema->arena, (type->len + 1) * sizeof(*type->fields));
    for (size_t i = 0; i < type->len; i++) {
        const json_t *item = json_array_get(list, i), *of = json_object_get(item, "type");
        struct avro_field *field = &type->fields[i];
        field->name = string_of(item, "name");
        if (!field->name || !*field->name) {
            return datagen_fail(r->err, "record %.200s: field %zu has no name", type->fullname,
                                i + 1);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(type->fields[k].name, field->name) == 0) {
                return datagen_fail(r->err, "Duplicate field %.200s in record %.200s", field->name,
                                    type->fullname);
            }
        }
        if (!of) return datagen_fail(r->err, "No field type for field: %.200s", field->name);
        field->doc = string_of(item, "doc");
        field->dflt = json_object_get(item, "default");
        field->type = read_type(r, of, space, depth + 1);
        if (!field->type) return false;
    }
    return true;
}

static bool read_symbols(struct reader *r, struct avro_type *type, const json_t *json)
{
    const json_t *list = json_object_get(json, "symbols");
    type->len = json_array_size(list);
    if (!type->len) return datagen_fail(r->err, "Enum %.200s has no symbols", type->fullname);
    type->symbols = datagen_alloc(&r->schema->arena, type->len * sizeof(*type->symbols));
    for (size_t i = 0; i < type->len; i++) {
        type->symbols[i] = json_string_value(json_array_get(list, i));
        if (!type->symbols[i]) {
            return datagen_fail(r->err, "enum %.200s: symbol %zu is not a string", type->fullname,
                                i + 1);
        }
    }
    return true;
}

static bool read_named(struct reader *r, struct avro_type *type, const json_t *json,
                       const char *outer, int depth)
{
    const char *space = NULL;
    if (!name_type(r, type, json, outer, &space)) return false;
    if (type->kind == AVRO_ENUM) return read_symbols(r, type, json);
    if (type->kind == AVRO_FIXED) {
        json_int_t size = json_integer_value(json_object_get(json, "size"));
        if (size < 1 || size > (1 << 20)) {
            return datagen_fail(r->err, "Invalid or no size in fixed %.200s: 1 to 1048576 bytes",
                                type->fullname);
        }
        type->len = (size_t)size;
        return true;
    }
    type->open = true;
    bool ok = read_fields(r, type, json, space, depth);
    type->open = false;
    return ok;
}

static bool read_logical(struct reader *r, struct avro_type *type, const json_t *json)
{
    type->logical = string_of(json, "logicalType");
    if (!type->logical || strcmp(type->logical, "decimal") != 0) return true;
    if (type->kind != AVRO_BYTES && type->kind != AVRO_FIXED) {
        type->logical = NULL; /* Avro ignores a logical type that does not fit */
        return true;
    }
    type->precision = json_integer_value(json_object_get(json, "precision"));
    type->scale = json_integer_value(json_object_get(json, "scale"));
    if (type->precision < 1 || type->precision > 10000 || type->scale < 0 ||
        type->scale > type->precision) {
        return datagen_fail(r->err, "Invalid decimal: precision %lld, scale %lld",
                            (long long)type->precision, (long long)type->scale);
    }
    return true;
}

static struct avro_type *read_union(struct reader *r, const json_t *json, const char *space,
                                    int depth)
{
    struct avro_type *type = type_new(r, AVRO_UNION);
    type->len = json_array_size(json);
    if (!type->len || type->len > AVRO_MAX_FIELDS) {
        datagen_fail(r->err, "a union needs at least one branch");
        return NULL;
    }
    type->branches = datagen_alloc(&r->schema->arena, type->len * sizeof(*type->branches));
    for (size_t i = 0; i < type->len; i++) {
        type->branches[i] = read_type(r, json_array_get(json, i), space, depth + 1);
        if (!type->branches[i]) return NULL;
        if (type->branches[i]->kind == AVRO_UNION) {
            datagen_fail(r->err, "Nested union: a union may not contain another union");
            return NULL;
        }
    }
    return type;
}

/* {"type": name, ...}: a type with attributes. */
static struct avro_type *read_object(struct reader *r, const json_t *json, const char *space,
                                     int depth)
{
    const json_t *of = json_object_get(json, "type");
    const char *name = json_string_value(of);
    if (!of) {
        datagen_fail(r->err, "No type: a schema object needs a \"type\"");
        return NULL;
    }
    if (!name) return read_type(r, of, space, depth + 1); /* {"type": {...}} is the inner one */
    struct avro_type *type = NULL;
    for (enum avro_kind kind = AVRO_NULL; kind <= AVRO_MAP; kind++) {
        if (strcmp(name, kind_names[kind]) == 0) type = type_new(r, kind);
    }
    if (!type) return read_name(r, name, space);
    type->doc = string_of(json, "doc");
    const json_t *props = json_object_get(json, "arg.properties");
    if (props && !json_is_object(props)) {
        datagen_fail(r->err, "arg.properties property must be given as object");
        return NULL;
    }
    type->props = props;
    bool ok = true;
    if (type->kind == AVRO_ARRAY || type->kind == AVRO_MAP) {
        const char *key = type->kind == AVRO_ARRAY ? "items" : "values";
        const json_t *inner = json_object_get(json, key);
        type->elem = inner ? read_type(r, inner, space, depth + 1) : NULL;
        if (!inner) datagen_fail(r->err, "No %s type for %s", key, name);
        ok = type->elem != NULL;
    } else if (type->kind >= AVRO_RECORD && type->kind <= AVRO_FIXED) {
        ok = read_named(r, type, json, space, depth);
    }
    return ok && read_logical(r, type, json) ? type : NULL;
}

static struct avro_type *read_type(struct reader *r, const json_t *json, const char *space,
                                   int depth)
{
    if (depth > AVRO_MAX_DEPTH) {
        datagen_fail(r->err, "types are nested deeper than %d", AVRO_MAX_DEPTH);
        return NULL;
    }
    if (json_is_string(json)) return read_name(r, json_string_value(json), space);
    if (json_is_array(json)) return read_union(r, json, space, depth);
    if (json_is_object(json)) return read_object(r, json, space, depth);
    datagen_fail(r->err, "Schema not yet supported: a type is a name, an object or a list");
    return NULL;
}

bool avro_schema_parse(struct avro_schema *schema, const char *text, size_t len,
                       struct sluice_err *err)
{
    if (len > AVRO_MAX_BYTES) {
        return datagen_fail(err, "the schema has %zu bytes; at most %u are supported", len,
                            AVRO_MAX_BYTES);
    }
    json_error_t at;
    char *plain = datagen_strndup(&schema->arena, text, len);
    avro_strip_comments(plain);
    schema->json = json_loads(plain, JSON_DECODE_ANY, &at);
    if (!schema->json) {
        return datagen_fail(err, "line %d, column %d: %s", at.line, at.column, at.text);
    }
    struct reader r = {.schema = schema, .err = err};
    schema->root = read_type(&r, schema->json, NULL, 0);
    return schema->root != NULL;
}

void avro_schema_free(struct avro_schema *schema)
{
    json_decref(schema->json);
    datagen_arena_free(&schema->arena);
    *schema = (struct avro_schema){0};
}

const struct avro_field *avro_field_find(const struct avro_type *record, const char *name)
{
    if (record->kind != AVRO_RECORD) return NULL;
    for (size_t i = 0; i < record->len; i++) {
        if (strcmp(record->fields[i].name, name) == 0) return &record->fields[i];
    }
    return NULL;
}

struct avro_type *avro_nullable(const struct avro_type *type)
{
    if (type->kind != AVRO_UNION || type->len != 2) return NULL;
    if (type->branches[0]->kind == AVRO_NULL) return type->branches[1];
    return type->branches[1]->kind == AVRO_NULL ? type->branches[0] : NULL;
}
