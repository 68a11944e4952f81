/* protobuf_input.c - a message type as a Connect schema, with the plan by which its bytes are read.
 *
 * The schema is Confluent's ProtobufData's: oneofs first, then fields in the order of the text,
 * each with its number as a parameter. Schemas here are trees: where a message holds itself, the
 * inner one stands as the bytes that it has on the wire. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "data/converters/protobuf_plan.h"
#include "data/decimal.h"
#include "data/schema.h"

struct planner {
    const struct pb_config *config;
    struct sluice_arena *arena;   /* of the plan */
    struct sluice_arena *scratch; /* of schema descriptions */
    struct sluice_err *err;
    const struct pb_message *path[PB_DEPTH]; /* the messages around */
    unsigned depth;
    uint32_t fields_left; /* so that types which use each other cannot explode */
};

struct params {
    struct sluice_param *items;
    size_t n, cap;
};

static char *copy(struct planner *p, const char *s)
{
    return sluice_arena_strndup(p->scratch, s, strlen(s));
}

static void add_param(struct planner *p, struct params *params, const char *key, const char *value)
{
    *PB_PUSH(p->scratch, params->items, params->n, params->cap) =
        (struct sluice_param){copy(p, key), copy(p, value)};
}

static void add_number(struct planner *p, struct params *params, const char *key, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    add_param(p, params, key, text);
}

static void set_params(struct sluice_schema *schema, const struct params *params)
{
    schema->params = params->items;
    schema->params_len = (uint32_t)params->n;
}

static const char *shown_name(const struct planner *p, const char *name, const char *full_name)
{
    return p->config->enhanced ? full_name : name;
}

/* TagsEntry, the message of a map's entries, gives the map the name tags. */
static const char *map_name(struct planner *p, const char *name)
{
    assert(strlen(name) >= strlen("Entry"));
    size_t n = strlen(name) - strlen("Entry"), len = 0;
    const char *dot = strrchr(name, '.');
    size_t start = dot ? (size_t)(dot + 1 - name) : 0;
    char *out = sluice_arena_alloc(p->scratch, 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        bool upper = i >= start && name[i] >= 'A' && name[i] <= 'Z';
        if (upper && i > start) out[len++] = '_';
        out[len++] = upper ? (char)(name[i] + 32) : name[i];
    }
    out[len] = '\0';
    return out;
}

/* ---- one field's type ---- */

static enum sluice_type number_type(const struct pb_field *field)
{
    const char *connect = pb_param(&field->params, "connect.type");
    switch ((enum pb_type)field->type) {
    case PB_INT32:
    case PB_SINT32:
    case PB_SFIXED32:
        if (connect && strcmp(connect, "int8") == 0) return SLUICE_INT8;
        if (connect && strcmp(connect, "int16") == 0) return SLUICE_INT16;
        return SLUICE_INT32;
    case PB_FLOAT: return SLUICE_FLOAT32;
    case PB_DOUBLE: return SLUICE_FLOAT64;
    case PB_BOOL: return SLUICE_BOOLEAN;
    case PB_STRING: return SLUICE_STRING;
    case PB_BYTES: return SLUICE_BYTES;
    default: return SLUICE_INT64;
    }
}

static void plan_enum(struct planner *p, const struct pb_field *field, struct sluice_schema *schema,
                      struct params *params, struct pb_reader_field *how)
{
    const struct pb_enum *e = field->enumeration;
    assert(e && e->n > 0);
    const char *prefix = p->config->sum_types ? PB_SUM_ENUM_PARAM : PB_ENUM_PARAM;
    schema->type = p->config->int_enums ? SLUICE_INT32 : SLUICE_STRING;
    schema->name = copy(p, shown_name(p, e->name, e->full_name));
    schema->optional = true;
    add_param(p, params, prefix, e->name);
    for (size_t i = 0; i < e->n; i++) {
        size_t n = strlen(prefix) + strlen(e->values[i].name) + 2;
        char *key = sluice_arena_alloc(p->scratch, n);
        snprintf(key, n, "%s.%s", prefix, e->values[i].name);
        add_number(p, params, key, e->values[i].number);
    }
    how->kind = p->config->int_enums ? PB_SCALAR : PB_ENUM_TEXT;
    how->enumeration = e;
}

static const struct {
    const char *full_name;
    enum pb_kind kind;
    enum sluice_type type;
    const char *logical;
} logicals[] = {
    {"confluent.type.Decimal", PB_DECIMAL, SLUICE_BYTES, SLUICE_DECIMAL_NAME},
    {"google.type.Date", PB_DATE, SLUICE_INT32, "org.apache.kafka.connect.data.Date"},
    {"google.type.TimeOfDay", PB_TIME, SLUICE_INT32, "org.apache.kafka.connect.data.Time"},
    {"google.protobuf.Timestamp", PB_TIMESTAMP, SLUICE_INT64,
     "org.apache.kafka.connect.data.Timestamp"},
};

static bool plan_logical(struct planner *p, const struct pb_field *field,
                         struct sluice_schema *schema, struct params *params,
                         struct pb_reader_field *how)
{
    for (size_t i = 0; i < sizeof logicals / sizeof *logicals; i++) {
        if (strcmp(field->message->full_name, logicals[i].full_name) != 0) continue;
        how->kind = (uint8_t)logicals[i].kind;
        schema->type = (uint8_t)logicals[i].type;
        schema->name = logicals[i].logical;
        schema->has_version = true;
        schema->version = 1;
        if (logicals[i].kind != PB_DECIMAL) return true;
        const char *scale = pb_param(&field->params, "scale");
        const char *precision = pb_param(&field->params, "precision");
        how->scale = scale ? (int32_t)strtol(scale, NULL, 10) : 0;
        if (how->scale < -10000 || how->scale > 10000) how->scale = 0;
        add_number(p, params, "scale", how->scale);
        if (precision) {
            add_number(p, params, "connect.decimal.precision", strtol(precision, NULL, 10));
        }
        return true;
    }
    return false;
}

/* google.protobuf.StringValue and its kind: their one field. */
static const struct pb_field *wrapped_field(const struct pb_message *message)
{
    static const char prefix[] = "google.protobuf.";
    const char *name = message->full_name;
    size_t n = strlen(name);
    if (strncmp(name, prefix, sizeof prefix - 1) != 0 || n < 5) return NULL;
    if (strcmp(name + n - 5, "Value") != 0 || message->fields_n != 1) return NULL;
    const struct pb_field *field = &message->fields[0];
    bool scalar = field->type != PB_MESSAGE && field->type != PB_ENUM && field->type != PB_GROUP;
    return scalar && field->label == PB_NO_LABEL && field->number == 1 ? field : NULL;
}

static bool plan_message(struct planner *p, const struct pb_message *message,
                         struct sluice_schema *schema, const struct pb_reader **out);
static bool plan_field(struct planner *p, const struct pb_field *field, bool in_oneof,
                       struct sluice_schema **out, struct pb_reader_field *how);
static const struct pb_reader *finish(struct planner *p, struct pb_reader_field *fields, size_t n,
                                      const struct sluice_value *initial, size_t values_n);
static struct sluice_value initial_of(struct planner *p, const struct pb_field *field,
                                      const struct sluice_schema *schema,
                                      const struct pb_reader_field *how, bool always);

/* A reader for a message of one scalar, whose value it is. */
static const struct pb_reader *plan_wrapper(struct planner *p, const struct pb_field *inner)
{
    static const struct sluice_value none;
    struct pb_reader_field *how = sluice_arena_alloc(p->arena, sizeof *how);
    struct sluice_value *zero = sluice_arena_alloc(p->arena, sizeof *zero);
    *how = (struct pb_reader_field){.number = 1, .type = inner->type, .member = -1};
    how->connect = (uint8_t)number_type(inner);
    how->name = inner->name;
    *zero = none;
    zero->type = how->connect;
    if (how->connect >= SLUICE_STRING) zero->u.s = "";
    return finish(p, how, 1, zero, 1);
}

static bool plan_map(struct planner *p, const struct pb_field *field, struct sluice_schema *schema,
                     struct pb_reader_field *how)
{
    const struct pb_message *entry = field->message;
    struct sluice_schema *parts[2];
    struct pb_reader_field *fields = sluice_arena_alloc(p->arena, 2 * sizeof *fields);
    struct sluice_value *initial = sluice_arena_alloc(p->arena, 2 * sizeof *initial);
    schema->type = SLUICE_MAP;
    schema->name = map_name(p, shown_name(p, entry->name, entry->full_name));
    for (uint32_t i = 0; i < 2; i++) {
        const struct pb_field *part = &entry->fields[i];
        if (!plan_field(p, part, false, &parts[i], &fields[i])) return false;
        fields[i].slot = i;
        initial[i] = initial_of(p, part, parts[i], &fields[i], true);
    }
    schema->key = parts[0];
    schema->elem = parts[1];
    how->kind = PB_MAP;
    how->message = finish(p, fields, 2, initial, 2);
    return true;
}

static bool plan_type(struct planner *p, const struct pb_field *field, struct sluice_schema *schema,
                      struct params *params, struct pb_reader_field *how)
{
    if (field->type == PB_ENUM) {
        plan_enum(p, field, schema, params, how);
        return true;
    }
    if (field->type != PB_MESSAGE && field->type != PB_GROUP) {
        schema->type = (uint8_t)number_type(field);
        bool plain = schema->type != SLUICE_INT32 && schema->type != SLUICE_INT64 &&
                     schema->type != SLUICE_INT8 && schema->type != SLUICE_INT16;
        plain = plain || field->type == PB_INT64 || field->type == PB_INT32;
        plain = plain || schema->type == SLUICE_INT8 || schema->type == SLUICE_INT16;
        if (!plain) add_param(p, params, PB_TYPE_PARAM, pb_type_name((enum pb_type)field->type));
        return true;
    }
    schema->optional = true;
    if (pb_is_map(field)) return plan_map(p, field, schema, how);
    if (plan_logical(p, field, schema, params, how)) return true;
    const struct pb_field *inner = p->config->wrap_nullables ? wrapped_field(field->message) : NULL;
    if (inner) {
        schema->type = (uint8_t)number_type(inner);
        how->kind = PB_WRAPPED;
        how->message = plan_wrapper(p, inner);
        return true;
    }
    for (unsigned i = 0; i < p->depth; i++) {
        if (p->path[i] != field->message) continue;
        schema->type = SLUICE_BYTES;
        schema->name = copy(p, shown_name(p, field->message->name, field->message->full_name));
        how->kind = PB_RAW;
        return true;
    }
    how->kind = PB_STRUCT;
    return plan_message(p, field->message, schema, &how->message);
}

/* Whether the label makes it nullable. */
static bool has_optional(const struct pb_field *field) { return field->label == PB_OPTIONAL; }

static bool plan_field(struct planner *p, const struct pb_field *field, bool in_oneof,
                       struct sluice_schema **out, struct pb_reader_field *how)
{
    struct sluice_schema *schema = sluice_arena_alloc(p->scratch, sizeof *schema);
    struct params params = {NULL, 0, 0};
    memset(schema, 0, sizeof *schema);
    *how = (struct pb_reader_field){.number = field->number, .type = field->type, .member = -1};
    how->name = sluice_arena_strndup(p->arena, field->name, strlen(field->name));
    if (p->fields_left-- == 0) {
        p->fields_left = 0;
        return sluice_err_set(p->err, "the message type has more than 20000 fields with all that "
                                      "it holds");
    }
    if (!plan_type(p, field, schema, &params, how)) return false;
    how->connect = schema->type;
    if (field->label == PB_REPEATED && how->kind != PB_MAP) {
        struct sluice_schema *array = sluice_arena_alloc(p->scratch, sizeof *array);
        schema->optional = true;
        set_params(schema, &params);
        memset(array, 0, sizeof *array);
        memset(&params, 0, sizeof params);
        array->type = SLUICE_ARRAY;
        array->elem = schema;
        array->optional = true;
        schema = array;
    }
    how->repeated = field->label == PB_REPEATED;
    if (in_oneof) {
        schema->optional = true;
        if (how->kind == PB_WRAPPED) add_param(p, &params, PB_WRAPPER_PARAM, "true");
    } else if (p->config->optional_nullables) {
        schema->optional = schema->optional || has_optional(field);
    } else if (!p->config->wrap_nullables) {
        schema->optional = true;
    }
    add_number(p, &params, PB_TAG_PARAM, field->number);
    set_params(schema, &params);
    *out = schema;
    return true;
}

/* ---- values that stand where nothing was read ---- */

/* always: as for a default instance, in which messages and optional fields are there too. */
static struct sluice_value initial_of(struct planner *p, const struct pb_field *field,
                                      const struct sluice_schema *schema,
                                      const struct pb_reader_field *how, bool always)
{
    struct sluice_value v = sluice_null();
    bool message = field->type == PB_MESSAGE || field->type == PB_GROUP;
    bool proto2 = p->depth && p->path[p->depth - 1]->file->proto2;
    bool optional = has_optional(field) && (!proto2 || p->config->optional_proto2);
    if (how->repeated) {
        v.type = schema->type;
        v.u.v = NULL;
        return v;
    }
    if ((message || optional) && !always) return v;
    if (how->kind == PB_DATE || how->kind == PB_RAW) return v; /* there is no zero of these */
    v.type = how->connect;
    if (how->kind == PB_STRUCT) {
        return sluice_nested(SLUICE_STRUCT, how->message->initial, how->message->values_n);
    }
    if (how->connect == SLUICE_STRING || how->connect == SLUICE_BYTES) v.u.s = "";
    if (how->kind == PB_DECIMAL) v = sluice_bytes("", 1); /* one zero octet */
    if (field->enumeration) {
        const struct pb_value *first = &field->enumeration->values[0];
        if (how->kind == PB_ENUM_TEXT) {
            const char *name = sluice_arena_strndup(p->arena, first->name, strlen(first->name));
            v = sluice_string(name, strlen(name));
        } else {
            v.u.i = first->number;
        }
    }
    if (!field->dflt) return v;
    if (how->kind == PB_ENUM_TEXT || how->connect == SLUICE_STRING) {
        const char *text = sluice_arena_strndup(p->arena, field->dflt, strlen(field->dflt));
        return sluice_string(text, strlen(text));
    }
    if (how->connect == SLUICE_BOOLEAN) v.u.i = strcmp(field->dflt, "true") == 0;
    else if (how->connect == SLUICE_FLOAT32) v.u.d = (double)strtof(field->dflt, NULL);
    else if (how->connect == SLUICE_FLOAT64) v.u.d = strtod(field->dflt, NULL);
    else if (how->connect <= SLUICE_INT64 && !field->enumeration) {
        v.u.i = field->dflt[0] == '-' ? strtoll(field->dflt, NULL, 0)
                                      : (int64_t)strtoull(field->dflt, NULL, 0);
    }
    return v;
}

/* ---- messages ---- */

static int by_number(const void *a_, const void *b_)
{
    const struct pb_reader_field *a = a_, *b = b_;
    return a->number < b->number ? -1 : a->number > b->number;
}

#define DENSE_MAX 256u

static const struct pb_reader *finish(struct planner *p, struct pb_reader_field *fields, size_t n,
                                      const struct sluice_value *initial, size_t values_n)
{
    struct pb_reader *reader = sluice_arena_alloc(p->arena, sizeof *reader);
    memset(reader, 0, sizeof *reader);
    assert(n < UINT16_MAX);
    if (n) qsort(fields, n, sizeof *fields, by_number);
    reader->fields = fields;
    reader->fields_n = (uint32_t)n;
    reader->initial = initial;
    reader->values_n = (uint32_t)values_n;
    uint32_t top = n ? fields[n - 1].number : 0;
    reader->dense_n = top < DENSE_MAX ? top + 1 : DENSE_MAX;
    uint16_t *dense = sluice_arena_alloc(p->arena, reader->dense_n * sizeof *dense);
    memset(dense, 0, reader->dense_n * sizeof *dense);
    for (size_t i = 0; i < n; i++) {
        if (fields[i].number < reader->dense_n) dense[fields[i].number] = (uint16_t)(i + 1);
        reader->maps = reader->maps || fields[i].kind == PB_MAP;
    }
    for (size_t i = 0; i < values_n; i++) reader->deep = reader->deep || initial[i].len > 0;
    reader->dense = dense;
    return reader;
}

struct building {
    struct sluice_field *fields; /* of the struct */
    size_t n, cap;
    struct pb_reader_field *hows;
    size_t hows_n, hows_cap;
    struct sluice_value *initial;
    size_t initial_n, initial_cap;
};

static bool add_field(struct planner *p, struct building *b, const struct pb_field *field,
                      bool in_oneof)
{
    struct pb_reader_field how;
    struct sluice_schema *schema;
    if (!plan_field(p, field, in_oneof, &schema, &how)) return false;
    how.slot = (uint32_t)b->n;
    *PB_PUSH(p->scratch, b->fields, b->n, b->cap) =
        (struct sluice_field){copy(p, field->name), schema};
    *PB_PUSH(p->arena, b->initial, b->initial_n, b->initial_cap) =
        in_oneof ? sluice_null() : initial_of(p, field, schema, &how, p->config->struct_nulls);
    *PB_PUSH(p->arena, b->hows, b->hows_n, b->hows_cap) = how;
    return true;
}

static bool add_union(struct planner *p, struct building *b, const struct pb_message *message,
                      int32_t oneof)
{
    struct sluice_schema *schema = sluice_arena_alloc(p->scratch, sizeof *schema);
    struct building members = {NULL, 0, 0, NULL, 0, 0, NULL, 0, 0};
    struct params params = {NULL, 0, 0};
    const char *name = message->oneofs[oneof];
    size_t n = strlen(name) + strlen(message->full_name) + 64;
    char *text = sluice_arena_alloc(p->scratch, n);
    memset(schema, 0, sizeof *schema);
    schema->type = SLUICE_STRUCT;
    schema->optional = true;
    for (size_t i = 0; i < message->fields_n; i++) {
        if (message->fields[i].oneof != oneof) continue;
        if (!add_field(p, &members, &message->fields[i], true)) return false;
    }
    if (members.n == 0) return true;
    schema->fields = members.fields;
    schema->fields_len = (uint32_t)members.n;
    if (p->config->sum_types) {
        schema->name = copy(p, name);
        add_param(p, &params, PB_SUM_UNION_PARAM, name);
        set_params(schema, &params);
    } else {
        snprintf(text, n, PB_UNION_NAME ".%s%s%s", p->config->enhanced ? message->full_name : "",
                 p->config->enhanced ? "." : "", name);
        schema->name = copy(p, text);
    }
    snprintf(text, n, p->config->index_unions ? "%s_%d" : "%s", name, (int)oneof);
    for (size_t i = 0; i < members.hows_n; i++) {
        struct pb_reader_field how = members.hows[i];
        how.member = (int32_t)how.slot;
        how.members_n = (uint32_t)members.n;
        how.slot = (uint32_t)b->n;
        *PB_PUSH(p->arena, b->hows, b->hows_n, b->hows_cap) = how;
    }
    *PB_PUSH(p->scratch, b->fields, b->n, b->cap) = (struct sluice_field){text, schema};
    *PB_PUSH(p->arena, b->initial, b->initial_n, b->initial_cap) = sluice_null();
    return true;
}

static bool plan_message(struct planner *p, const struct pb_message *message,
                         struct sluice_schema *schema, const struct pb_reader **out)
{
    struct building b = {NULL, 0, 0, NULL, 0, 0, NULL, 0, 0};
    if (p->depth == PB_DEPTH) {
        return sluice_err_set(p->err, "the message type is nested deeper than %u levels", PB_DEPTH);
    }
    assert(message->full_name && message->file);
    p->path[p->depth++] = message;
    for (size_t i = 0; i < message->oneofs_n; i++) {
        if (!p->config->flatten_unions) {
            if (!add_union(p, &b, message, (int32_t)i)) return false;
            continue;
        }
        for (size_t k = 0; k < message->fields_n; k++) {
            if (message->fields[k].oneof != (int32_t)i) continue;
            if (!add_field(p, &b, &message->fields[k], true)) return false;
        }
    }
    for (size_t i = 0; i < message->fields_n; i++) {
        if (message->fields[i].oneof >= 0) continue;
        if (!add_field(p, &b, &message->fields[i], false)) return false;
    }
    assert(b.n == b.initial_n);
    for (size_t i = 0; i < b.n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(b.fields[i].name, b.fields[k].name) != 0) continue;
            return sluice_err_set(p->err, "the message %s gives two fields the name %s",
                                  message->full_name, b.fields[i].name);
        }
    }
    schema->type = SLUICE_STRUCT;
    schema->name = copy(p, shown_name(p, message->name, message->full_name));
    schema->fields = b.fields;
    schema->fields_len = (uint32_t)b.n;
    *out = finish(p, b.hows, b.hows_n, b.initial, b.initial_n);
    p->depth--;
    return true;
}

bool pb_input(struct sluice_arena *arena, const struct pb_config *config,
              const struct pb_message *message, int32_t version,
              const struct sluice_schema **schema, const struct pb_reader **reader,
              struct sluice_err *err)
{
    struct sluice_arena scratch;
    struct sluice_schema root;
    struct planner p = {.config = config, .arena = arena, .scratch = &scratch, .err = err};
    p.fields_left = 20000;
    memset(&root, 0, sizeof root);
    sluice_arena_init(&scratch, 16384);
    const struct pb_field *inner = config->wrap_raw ? wrapped_field(message) : NULL;
    bool ok = true;
    if (inner) {
        root.type = (uint8_t)number_type(inner);
        struct pb_reader *unwrap = sluice_arena_alloc(arena, sizeof *unwrap);
        *unwrap = *plan_wrapper(&p, inner);
        unwrap->unwrap = true;
        *reader = unwrap;
    } else {
        ok = plan_message(&p, message, &root, reader);
    }
    root.has_version = version > 0;
    root.version = version;
    *schema = ok ? sluice_schema_intern(&root) : NULL;
    sluice_arena_fini(&scratch);
    return ok;
}
