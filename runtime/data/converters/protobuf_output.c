/* protobuf_output.c - a Connect schema as a .proto file, with the plan by which values are written.
 *
 * Names, numbers, labels and wrappers are chosen as Confluent's ProtobufData chooses them: structs
 * are nested messages, a map is a repeated message ...Entry, a union struct is a oneof of the
 * message that holds it. Where that would give two types of one name, the later gets a number. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "data/converters/protobuf_plan.h"
#include "data/decimal.h"
#include "data/java_text.h"
#include "data/schema.h"

struct planner {
    const struct pb_config *config;
    struct sluice_arena *arena;
    struct pb_file *file;
    struct sluice_err *err;
    unsigned names; /* ConnectDefault<n> */
    unsigned depth;
};

/* A struct that was made a nested message of its parent already. */
struct made {
    const struct sluice_schema *schema;
    struct pb_slot *slots;
    uint32_t slots_n;
};

struct scope {
    struct pb_message *message;
    struct made *made; /* beside message->messages */
    size_t made_n, made_cap;
};

static const char *param(const struct sluice_schema *schema, const char *key)
{
    for (uint32_t i = 0; i < schema->params_len; i++) {
        if (strcmp(schema->params[i].key, key) == 0) return schema->params[i].value;
    }
    return NULL;
}

static const char *join2(struct planner *p, const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    char *text = sluice_arena_alloc(p->arena, n + m + 1);
    memcpy(text, a, n);
    memcpy(text + n, b, m + 1);
    return text;
}

/* ---- names ---- */

/* What scrub.invalid.names does to one part of a name: URL encoding, then "_" for what is still no
 * letter or digit, and an "x" before a first character that cannot be one. */
static const char *scrub(struct planner *p, const char *name)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t n = strlen(name), len = 0;
    if (!p->config->scrub || n == 0) return name;
    char *out = sluice_arena_alloc(p->arena, n * 3 + 2);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name[i];
        bool word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (i == 0 && ((c >= '0' && c <= '9') || c == '_')) out[len++] = 'x';
        if (word) {
            out[len++] = (char)c;
        } else if (c == '_' || c == ' ' || c == '.' || c == '-' || c == '*') {
            out[len++] = '_'; /* URL encoding gives one character */
        } else {
            out[len++] = '_';
            out[len++] = hex[c >> 4];
            out[len++] = hex[c & 15];
        }
    }
    out[len] = '\0';
    return out;
}

static const char *name_or_default(struct planner *p, const char *name)
{
    char text[32];
    if (name && *name) return name;
    int n = snprintf(text, sizeof text, "ConnectDefault%u", ++p->names);
    return sluice_arena_strndup(p->arena, text, (size_t)n);
}

/* Behind the last dot. */
static const char *short_name(struct planner *p, const char *name)
{
    name = name_or_default(p, name);
    const char *dot = strrchr(name, '.');
    return scrub(p, dot ? dot + 1 : name);
}

/* The entry's name of a map: some_map, SomeMapEntry. */
static const char *entry_name(struct planner *p, const char *name)
{
    if (strchr(name, '_')) {
        char *out = sluice_arena_alloc(p->arena, strlen(name) + 1), *to = out;
        bool upper = true;
        for (; *name; name++) {
            if (*name == '_') {
                upper = true;
                continue;
            }
            char c = *name;
            if (upper && c >= 'a' && c <= 'z') c = (char)(c - 32);
            else if (!upper && c >= 'A' && c <= 'Z') c = (char)(c + 32);
            *to++ = c;
            upper = false;
        }
        *to = '\0';
        name = out;
    }
    return join2(p, name, "Entry");
}

/* ---- types ---- */

static void import(struct planner *p, const char *name)
{
    struct pb_file *file = p->file;
    for (size_t i = 0; i < file->imports_n; i++) {
        if (strcmp(file->imports[i], name) == 0) return;
    }
    *PB_PUSH(p->arena, file->imports, file->imports_n, file->imports_cap) = name;
}

static void add_param(struct planner *p, struct pb_field *field, const char *key, const char *value)
{
    *PB_PUSH(p->arena, field->params.items, field->params.n, field->params.cap) =
        (struct pb_pair){key, value};
}

/* Wire type and length-delimited or not. */
static unsigned wire_of(const struct pb_writer *how)
{
    if (how->kind != PB_SCALAR && how->kind != PB_ENUM_TEXT) return 2;
    switch (how->type) {
    case PB_DOUBLE:
    case PB_FIXED64:
    case PB_SFIXED64: return 1;
    case PB_FLOAT:
    case PB_FIXED32:
    case PB_SFIXED32: return 5;
    case PB_STRING:
    case PB_BYTES: return 2;
    default: return 0;
    }
}

static void set_tag(struct pb_writer *how, uint32_t number, unsigned wire)
{
    uint64_t tag = (uint64_t)number << 3 | wire;
    how->tag_len = 0;
    for (; tag >= 0x80; tag >>= 7) how->tag[how->tag_len++] = (char)(tag | 0x80);
    how->tag[how->tag_len++] = (char)tag;
    assert(how->tag_len <= sizeof how->tag);
    how->len_hint = 1;
}

static enum pb_type default_type(enum sluice_type type)
{
    switch (type) {
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32: return PB_INT32;
    case SLUICE_INT64: return PB_INT64;
    case SLUICE_FLOAT32: return PB_FLOAT;
    case SLUICE_FLOAT64: return PB_DOUBLE;
    case SLUICE_BOOLEAN: return PB_BOOL;
    case SLUICE_STRING: return PB_STRING;
    default: return PB_BYTES;
    }
}

static const char *wrapper_of(enum pb_type type)
{
    switch (type) {
    case PB_DOUBLE: return "google.protobuf.DoubleValue";
    case PB_FLOAT: return "google.protobuf.FloatValue";
    case PB_UINT64:
    case PB_FIXED64: return "google.protobuf.UInt64Value";
    case PB_INT64:
    case PB_SINT64:
    case PB_SFIXED64: return "google.protobuf.Int64Value";
    case PB_UINT32:
    case PB_FIXED32: return "google.protobuf.UInt32Value";
    case PB_BOOL: return "google.protobuf.BoolValue";
    case PB_STRING: return "google.protobuf.StringValue";
    case PB_BYTES: return "google.protobuf.BytesValue";
    default: return "google.protobuf.Int32Value";
    }
}

/* Inside of a wrapper a number stands as a plain varint. */
static enum pb_type wrapped_type(enum pb_type type)
{
    switch (type) {
    case PB_FIXED64: return PB_UINT64;
    case PB_SINT64:
    case PB_SFIXED64: return PB_INT64;
    case PB_FIXED32: return PB_UINT32;
    case PB_SINT32:
    case PB_SFIXED32: return PB_INT32;
    default: return type;
    }
}

static bool plan_logical(struct planner *p, const struct sluice_schema *schema,
                         struct pb_field *field, struct pb_writer *how, bool *done)
{
    const char *text;
    *done = true;
    switch (sluice_logical_of(schema)) {
    case SLUICE_LOGICAL_DECIMAL:
        how->kind = PB_DECIMAL;
        field->type_name = "confluent.type.Decimal";
        import(p, "confluent/type/decimal.proto");
        text = param(schema, "connect.decimal.precision");
        if (text) add_param(p, field, "precision", text);
        text = param(schema, "scale");
        if (text) add_param(p, field, "scale", text);
        return sluice_decimal_scale(schema, &how->scale, p->err);
    case SLUICE_LOGICAL_DATE:
        how->kind = PB_DATE;
        field->type_name = "google.type.Date";
        import(p, "google/type/date.proto");
        return true;
    case SLUICE_LOGICAL_TIME:
        how->kind = PB_TIME;
        field->type_name = "google.type.TimeOfDay";
        import(p, "google/type/timeofday.proto");
        return true;
    case SLUICE_LOGICAL_TIMESTAMP:
        how->kind = PB_TIMESTAMP;
        field->type_name = "google.protobuf.Timestamp";
        import(p, "google/protobuf/timestamp.proto");
        return true;
    case SLUICE_LOGICAL_NONE: break;
    }
    *done = false;
    return true;
}

/* The enum of a field's parameters, defined in its message once. */
static bool plan_enum(struct planner *p, struct scope *scope, const struct sluice_schema *schema,
                      const char *type_name, struct pb_field *field, struct pb_writer *how)
{
    struct pb_message *message = scope->message;
    const char *prefix = p->config->sum_types && param(schema, PB_SUM_ENUM_PARAM)
                             ? PB_SUM_ENUM_PARAM
                             : (param(schema, PB_ENUM_PARAM) ? PB_ENUM_PARAM : PB_SUM_ENUM_PARAM);
    const char *name = *type_name ? scrub(p, type_name) : short_name(p, schema->name);
    size_t n = strlen(prefix);
    struct pb_enum *e = sluice_arena_alloc(p->arena, sizeof *e);
    memset(e, 0, sizeof *e);
    e->name = e->full_name = name;
    for (uint32_t i = 0; i < schema->params_len; i++) {
        const char *key = schema->params[i].key;
        if (strncmp(key, prefix, n) != 0 || key[n] != '.') continue;
        char *end;
        long number = strtol(schema->params[i].value, &end, 10);
        if (*end || number < INT32_MIN || number > INT32_MAX) {
            return sluice_err_set(p->err, "the enum %s gives %s the number '%.40s'", name,
                                  key + n + 1, schema->params[i].value);
        }
        *PB_PUSH(p->arena, e->values, e->n, e->cap) =
            (struct pb_value){key + n + 1, (int32_t)number};
    }
    if (e->n == 0) return sluice_err_set(p->err, "the enum %s has no values", name);
    bool defined = false;
    for (size_t i = 0; i < message->enums_n; i++) {
        defined = defined || strcmp(message->enums[i]->name, name) == 0;
    }
    if (!defined) {
        *PB_PUSH(p->arena, message->enums, message->enums_n, message->enums_cap) = e;
    }
    field->type_name = name;
    how->type = PB_ENUM;
    how->enumeration = e;
    if (schema->type == SLUICE_STRING) how->kind = PB_ENUM_TEXT;
    return true;
}

static bool plan_scalar(struct planner *p, struct scope *scope, const struct sluice_schema *schema,
                        bool in_oneof, struct pb_field *field, struct pb_writer *how)
{
    const char *named = NULL;
    if (schema->type == SLUICE_STRING) named = param(schema, PB_SUM_ENUM_PARAM);
    if (!named && (schema->type == SLUICE_STRING || schema->type == SLUICE_INT32)) {
        named = param(schema, PB_ENUM_PARAM);
    }
    if (named) return plan_enum(p, scope, schema, named, field, how);
    enum pb_type type = default_type((enum sluice_type)schema->type);
    if (schema->type == SLUICE_INT32 || schema->type == SLUICE_INT64) {
        const char *word = param(schema, PB_TYPE_PARAM);
        enum pb_type wanted = word ? pb_type_of(word) : PB_UNKNOWN;
        if (wanted != PB_UNKNOWN && wanted != PB_STRING && wanted != PB_BYTES &&
            wanted > PB_FLOAT && wanted != PB_BOOL) {
            type = wanted;
        }
    }
    if (schema->type == SLUICE_INT8) add_param(p, field, "connect.type", "int8");
    if (schema->type == SLUICE_INT16) add_param(p, field, "connect.type", "int16");
    how->type = (uint8_t)type;
    const char *mark = param(schema, PB_WRAPPER_PARAM);
    if (p->config->wrap_nullables && schema->optional &&
        (!in_oneof || (mark && strcmp(mark, "true") == 0))) {
        how->kind = PB_WRAPPED;
        field->type_name = wrapper_of(type);
        how->type = (uint8_t)wrapped_type(type);
        import(p, "google/protobuf/wrappers.proto");
    } else {
        field->type_name = pb_type_name(type);
        field->type = (uint8_t)type;
    }
    return true;
}

/* ---- messages ---- */

static bool plan_message(struct planner *p, struct pb_message *message,
                         const struct sluice_schema *schema, struct pb_slot **slots,
                         uint32_t *slots_n);
static bool plan_field(struct planner *p, struct scope *scope, const struct sluice_schema *schema,
                       struct pb_field *field, struct pb_writer *how, bool in_oneof);

static struct pb_message *nested(struct planner *p, struct scope *scope, const char *name)
{
    struct pb_message *parent = scope->message;
    char text[16];
    const char *unique = name;
    for (unsigned n = 2;; n++) { /* another struct of this name: the next number */
        bool taken = false;
        for (size_t i = 0; i < parent->messages_n; i++) {
            taken = taken || strcmp(parent->messages[i]->name, unique) == 0;
        }
        if (!taken) break;
        snprintf(text, sizeof text, "%u", n);
        unique = join2(p, name, text);
    }
    struct pb_message *message = sluice_arena_alloc(p->arena, sizeof *message);
    memset(message, 0, sizeof *message);
    message->name = unique;
    message->full_name = join2(p, join2(p, parent->full_name, "."), unique);
    message->file = p->file;
    *PB_PUSH(p->arena, parent->messages, parent->messages_n, parent->messages_cap) = message;
    return message;
}

/* Whether two schemas give the same message: the same but for what the field around adds. */
static bool same_message(const struct sluice_schema *a, const struct sluice_schema *b)
{
    if (!a->name || !b->name) return false;
    if (a == b) return true;
    if (a->fields_len != b->fields_len || strcmp(a->name, b->name) != 0) {
        return false;
    }
    for (uint32_t i = 0; i < a->fields_len; i++) {
        if (a->fields[i].schema != b->fields[i].schema) return false;
        if (strcmp(a->fields[i].name, b->fields[i].name) != 0) return false;
    }
    return true;
}

static bool plan_struct(struct planner *p, struct scope *scope, const struct sluice_schema *schema,
                        struct pb_field *field, struct pb_writer *how)
{
    const char *name = short_name(p, schema->name);
    how->kind = PB_STRUCT;
    if (strcmp(name, field->name) == 0) name = join2(p, name, "Message");
    for (size_t i = 0; i < scope->made_n; i++) {
        if (!same_message(scope->made[i].schema, schema)) continue;
        how->slots = scope->made[i].slots;
        how->slots_n = scope->made[i].slots_n;
        field->type_name = scope->message->messages[i]->name;
        return true;
    }
    struct pb_message *message = nested(p, scope, name);
    /* messages and made go side by side */
    struct made *made = PB_PUSH(p->arena, scope->made, scope->made_n, scope->made_cap);
    size_t at = scope->made_n - 1;
    assert(scope->made_n == scope->message->messages_n);
    made->schema = schema;
    field->type_name = message->name;
    if (!plan_message(p, message, schema, &how->slots, &how->slots_n)) return false;
    scope->made[at].slots = how->slots;
    scope->made[at].slots_n = how->slots_n;
    return true;
}

static bool plan_map(struct planner *p, struct scope *scope, const struct sluice_schema *schema,
                     struct pb_field *field, struct pb_writer *how)
{
    static const struct sluice_schema no_schema;
    struct pb_message *entry = nested(p, scope, entry_name(p, short_name(p, schema->name)));
    *PB_PUSH(p->arena, scope->made, scope->made_n, scope->made_cap) =
        (struct made){&no_schema, NULL, 0};
    assert(scope->made_n == scope->message->messages_n);
    struct scope inner = {.message = entry};
    struct pb_slot *slots = sluice_arena_alloc(p->arena, 2 * sizeof *slots);
    memset(slots, 0, 2 * sizeof *slots);
    how->kind = PB_MAP;
    how->slots = slots;
    how->slots_n = 2;
    field->type_name = entry->name;
    for (uint32_t i = 0; i < 2; i++) {
        struct pb_field part = {.name = i ? "value" : "key", .number = i + 1, .oneof = -1};
        slots[i] = (struct pb_slot){.index = i, .member = -1, .name = part.name};
        if (!plan_field(p, &inner, i ? schema->elem : schema->key, &part, &slots[i].how, false)) {
            return false;
        }
        *PB_PUSH(p->arena, entry->fields, entry->fields_n, entry->fields_cap) = part;
    }
    return true;
}

static bool is_union(const struct sluice_schema *schema)
{
    size_t n = strlen(PB_UNION_NAME);
    return schema->type == SLUICE_STRUCT &&
           ((schema->name && strncmp(schema->name, PB_UNION_NAME, n) == 0) ||
            param(schema, PB_SUM_UNION_PARAM));
}

static const char *default_text(struct planner *p, const struct sluice_schema *schema)
{
    struct sluice_buf buf;
    const char *text = NULL;
    if (!schema->has_dflt || schema->type >= SLUICE_BYTES || schema->dflt.type == SLUICE_NULL) {
        return NULL;
    }
    memset(&buf, 0, sizeof buf);
    buf.max = (size_t)1 << 20;
    if (sluice_java_text(&buf, NULL, &schema->dflt, p->err)) {
        text = sluice_arena_strndup(p->arena, buf.data ? buf.data : "", buf.len);
    }
    free(buf.data);
    return text;
}

/* Type, label and the way of writing of a field whose name and number are set. */
static bool plan_field(struct planner *p, struct scope *scope, const struct sluice_schema *schema,
                       struct pb_field *field, struct pb_writer *how, bool in_oneof)
{
    const struct sluice_schema *item = schema->type == SLUICE_ARRAY ? schema->elem : schema;
    bool done, repeated = schema->type == SLUICE_ARRAY || schema->type == SLUICE_MAP;
    memset(how, 0, sizeof *how);
    how->schema = item;
    how->connect = item->type;
    assert(field->name && field->number > 0);
    if (item != schema && (item->type == SLUICE_ARRAY || item->type == SLUICE_MAP)) {
        return sluice_err_set(p->err,
                              "field %s: an array of %ss has no Protobuf form; put a struct in "
                              "between",
                              field->name, sluice_type_json((enum sluice_type)item->type));
    }
    if (repeated) field->label = PB_REPEATED;
    else if (p->config->optional_nullables && schema->optional && !in_oneof) {
        field->label = PB_OPTIONAL;
    }
    if (!plan_logical(p, item, field, how, &done)) return false;
    bool ok = done                          ? true
              : item->type == SLUICE_STRUCT ? plan_struct(p, scope, item, field, how)
              : item->type == SLUICE_MAP    ? plan_map(p, scope, item, field, how)
                                            : plan_scalar(p, scope, item, in_oneof, field, how);
    if (!ok) return sluice_err_wrap(p->err, "field %s", field->name);
    if (how->kind == PB_SCALAR && !how->enumeration) field->dflt = default_text(p, item);
    how->always = in_oneof || repeated || field->label == PB_OPTIONAL || item->has_dflt ||
                  (how->kind != PB_SCALAR && how->kind != PB_ENUM_TEXT);
    set_tag(how, field->number, wire_of(how));
    if (schema->type != SLUICE_ARRAY) return true;
    struct pb_writer *elem = sluice_arena_alloc(p->arena, sizeof *elem);
    *elem = *how;
    how->kind = PB_ARRAY;
    how->schema = schema;
    how->connect = SLUICE_ARRAY;
    how->elem = elem;
    how->packed = wire_of(elem) != 2;
    if (how->packed) set_tag(how, field->number, 2);
    return true;
}

static bool number_of(struct planner *p, const struct sluice_schema *schema, uint32_t *next,
                      uint32_t *number)
{
    const char *tag = param(schema, PB_TAG_PARAM);
    if (!tag) {
        *number = (*next)++;
        return true;
    }
    char *end;
    unsigned long x = strtoul(tag, &end, 10);
    if (*end || x == 0 || x > PB_NUMBER_MAX) {
        return sluice_err_set(p->err,
                              "the parameter " PB_TAG_PARAM " is '%.40s', no number of a "
                              "field",
                              tag);
    }
    *number = (uint32_t)x;
    return true;
}

struct slots {
    struct pb_slot *items;
    size_t n, cap;
};

static bool add_slot(struct planner *p, struct scope *scope, const struct sluice_schema *schema,
                     struct pb_field *field, struct pb_slot slot, struct slots *slots)
{
    struct pb_message *message = scope->message;
    assert(slot.member < 0 || field->oneof >= 0);
    if (!plan_field(p, scope, schema, field, &slot.how, field->oneof >= 0)) return false;
    for (size_t i = 0; i < message->fields_n; i++) {
        if (message->fields[i].number != field->number) continue;
        return sluice_err_set(p->err, "the fields %s and %s of %s both have the number %u",
                              message->fields[i].name, field->name, message->full_name,
                              field->number);
    }
    *PB_PUSH(p->arena, message->fields, message->fields_n, message->fields_cap) = *field;
    slot.name = field->name;
    if (schema->has_dflt && !p->config->keep_null && schema->dflt.type != SLUICE_NULL) {
        slot.dflt = &schema->dflt;
    }
    *PB_PUSH(p->arena, slots->items, slots->n, slots->cap) = slot;
    return true;
}

/* A union struct is a oneof of the message around it. */
static bool plan_union(struct planner *p, struct scope *scope, const struct sluice_schema *schema,
                       uint32_t index, uint32_t *next, struct slots *slots)
{
    struct pb_message *message = scope->message;
    const char *name = param(schema, PB_SUM_UNION_PARAM);
    size_t prefix = strlen(PB_UNION_NAME ".");
    if (!name || !p->config->sum_types) {
        name = schema->name && strlen(schema->name) > prefix ? schema->name + prefix : schema->name;
        name = short_name(p, name);
    }
    int32_t oneof = (int32_t)message->oneofs_n;
    *PB_PUSH(p->arena, message->oneofs, message->oneofs_n, message->oneofs_cap) = name;
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        const struct sluice_field *member = &schema->fields[i];
        struct pb_field field = {.name = scrub(p, member->name), .oneof = oneof};
        struct pb_slot slot = {.index = index, .member = (int32_t)i};
        if (member->schema->type == SLUICE_ARRAY || member->schema->type == SLUICE_MAP ||
            is_union(member->schema)) {
            return sluice_err_set(p->err, "a oneof cannot hold the %s %s",
                                  sluice_type_json((enum sluice_type)member->schema->type),
                                  member->name);
        }
        if (!number_of(p, member->schema, next, &field.number)) return false;
        if (!add_slot(p, scope, member->schema, &field, slot, slots)) return false;
        slots->items[slots->n - 1].dflt = NULL; /* one member at most is there */
    }
    return true;
}

static int slot_compare(const void *a_, const void *b_)
{
    const struct pb_slot *a = a_, *b = b_;
    uint64_t x[2] = {0, 0};
    for (int k = 0; k < 2; k++) { /* the number, out of the tag */
        const struct pb_writer *how = k ? &b->how : &a->how;
        for (unsigned i = how->tag_len; i-- > 0;) x[k] = x[k] << 7 | ((uint8_t)how->tag[i] & 0x7F);
    }
    return x[0] < x[1] ? -1 : x[0] > x[1];
}

static bool plan_message(struct planner *p, struct pb_message *message,
                         const struct sluice_schema *schema, struct pb_slot **out, uint32_t *out_n)
{
    struct scope scope = {.message = message};
    struct slots slots = {NULL, 0, 0};
    uint32_t next = 1;
    if (++p->depth > PB_DEPTH) {
        return sluice_err_set(p->err, "the schema is nested deeper than %u structs", PB_DEPTH);
    }
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        const struct sluice_field *field = &schema->fields[i];
        struct pb_field made = {.name = scrub(p, field->name), .oneof = -1};
        if (is_union(field->schema)) {
            if (!plan_union(p, &scope, field->schema, i, &next, &slots)) return false;
            continue;
        }
        struct pb_slot slot = {.index = i, .member = -1};
        if (!number_of(p, field->schema, &next, &made.number)) return false;
        if (!add_slot(p, &scope, field->schema, &made, slot, &slots)) return false;
    }
    if (slots.n) qsort(slots.items, slots.n, sizeof *slots.items, slot_compare);
    assert(slots.n == message->fields_n);
    *out = slots.items;
    *out_n = (uint32_t)slots.n;
    p->depth--;
    return true;
}

/* ---- the root ---- */

static bool plan_raw(struct planner *p, struct pb_output *out, const struct sluice_schema *schema)
{
    static const char file[] = "google/protobuf/wrappers.proto";
    enum pb_type type = default_type((enum sluice_type)schema->type);
    if (schema->type >= SLUICE_ARRAY) {
        return sluice_err_set(p->err,
                              "a record's schema must be a struct or a primitive to have a "
                              "Protobuf form, this one is %s; wrap it by HoistField",
                              sluice_type_name((enum sluice_type)schema->type));
    }
    out->root = (struct pb_writer){.kind = PB_WRAPPED, .connect = schema->type, .schema = schema};
    out->root.type = (uint8_t)type;
    out->name = wrapper_of(type);
    const char *text = pb_well_known(file);
    out->file = pb_parse(&out->set, file, text, strlen(text), p->err);
    return out->file != NULL;
}

static bool plan_root(struct planner *p, struct pb_output *out, const struct sluice_schema *schema)
{
    const char *name = name_or_default(p, schema->name);
    const char *package = NULL, *dot;
    for (; (dot = strchr(name, '.')); name = dot + 1) {
        const char *part = scrub(p, sluice_arena_strndup(p->arena, name, (size_t)(dot - name)));
        package = package ? join2(p, join2(p, package, "."), part) : part;
    }
    name = scrub(p, name);
    p->file->package = package;
    p->file->name = "default.proto";
    struct pb_message *message = sluice_arena_alloc(p->arena, sizeof *message);
    struct pb_message *top = &p->file->top;
    memset(message, 0, sizeof *message);
    message->name = name;
    message->full_name = package ? join2(p, join2(p, package, "."), name) : name;
    message->file = p->file;
    *PB_PUSH(p->arena, top->messages, top->messages_n, top->messages_cap) = message;
    out->file = p->file;
    out->name = message->full_name;
    out->root = (struct pb_writer){.kind = PB_STRUCT, .connect = SLUICE_STRUCT, .schema = schema};
    return plan_message(p, message, schema, &out->root.slots, &out->root.slots_n);
}

bool pb_output_init(struct pb_output *out, const struct pb_config *config,
                    const struct sluice_schema *schema, struct sluice_err *err)
{
    memset(out, 0, sizeof *out);
    pb_set_init(&out->set);
    struct planner p = {.config = config, .arena = &out->set.arena, .err = err};
    p.file = sluice_arena_alloc(p.arena, sizeof *p.file);
    memset(p.file, 0, sizeof *p.file);
    p.file->top.full_name = "";
    if (schema->type == SLUICE_STRUCT) return plan_root(&p, out, schema);
    return plan_raw(&p, out, schema);
}

void pb_output_fini(struct pb_output *out) { pb_set_fini(&out->set); }
