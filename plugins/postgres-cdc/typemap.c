/* typemap.c - which schema and converter a Postgres type gets: see types.h. */
#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "mapping.h"

/* ---- the catalog's types ---- */

void cdc_types_put(struct cdc_types *types, const struct cdc_type *type)
{
    struct cdc_type *row = (struct cdc_type *)cdc_types_find(types, type->oid);
    if (row) {
        free(row->schema);
        free(row->name);
        free(row->labels);
    } else {
        if (types->n == types->cap) {
            types->cap = types->cap ? types->cap * 2 : 64;
            types->items = cdc_realloc(types->items, types->cap * sizeof(*types->items));
        }
        row = &types->items[types->n++];
    }
    *row = *type;
    row->schema = cdc_strdup(type->schema);
    row->name = cdc_strdup(type->name);
    row->labels = cdc_strdup(type->labels);
}

const struct cdc_type *cdc_types_find(const struct cdc_types *types, uint32_t oid)
{
    for (size_t i = 0; i < types->n; i++)
        if (types->items[i].oid == oid) return &types->items[i];
    return NULL;
}

void cdc_types_free(struct cdc_types *types)
{
    for (size_t i = 0; i < types->n; i++) {
        free(types->items[i].schema);
        free(types->items[i].name);
        free(types->items[i].labels);
    }
    free(types->items);
    memset(types, 0, sizeof(*types));
}

/* ---- schema descriptions ---- */

static const struct sluice_schema optional_string = {.type = SLUICE_STRING, .optional = true};
static const struct sluice_schema required_string = {.type = SLUICE_STRING};
static const struct sluice_schema required_int16 = {.type = SLUICE_INT16};
static const struct sluice_schema required_int32 = {.type = SLUICE_INT32};
static const struct sluice_schema optional_int32 = {.type = SLUICE_INT32, .optional = true};
static const struct sluice_schema required_bytes = {.type = SLUICE_BYTES};
static const struct sluice_schema optional_bytes = {.type = SLUICE_BYTES, .optional = true};
static const struct sluice_schema required_float64 = {.type = SLUICE_FLOAT64};
static const struct sluice_schema required_float32 = {.type = SLUICE_FLOAT32};
static const struct sluice_schema sparse_map = {
    .type = SLUICE_MAP, .key = &required_int16, .elem = &required_float64};

static const struct sluice_field variable_decimal_fields[] = {{"scale", &required_int32},
                                                              {"value", &required_bytes}};
static const struct sluice_field point_fields[] = {{"x", &required_float64},
                                                   {"y", &required_float64},
                                                   {"wkb", &optional_bytes},
                                                   {"srid", &optional_int32}};
static const struct sluice_field geometry_fields[] = {{"wkb", &required_bytes},
                                                      {"srid", &optional_int32}};
static const struct sluice_field sparse_fields[] = {{"dimensions", &required_int16},
                                                    {"vector", &sparse_map}};

/* What a type without further questions is. */
struct plain {
    const char *name; /* of pg_type */
    bool extension;   /* may live in any schema */
    enum sluice_type type;
    const char *logical;
    cdc_convert *convert;
    bool defaults;
    const char *generated;
};

static const struct plain plains[] = {
    {"bool", false, SLUICE_BOOLEAN, NULL, cdc_to_bool, true, "f"},
    {"int2", false, SLUICE_INT16, NULL, cdc_to_int, true, "0"},
    {"int4", false, SLUICE_INT32, NULL, cdc_to_int, true, "0"},
    {"int8", false, SLUICE_INT64, NULL, cdc_to_int, true, "0"},
    {"oid", false, SLUICE_INT64, NULL, cdc_to_int, false, NULL},
    {"float4", false, SLUICE_FLOAT32, NULL, cdc_to_float, true, "0"},
    {"float8", false, SLUICE_FLOAT64, NULL, cdc_to_float, true, "0"},
    {"text", false, SLUICE_STRING, NULL, cdc_to_string, true, ""},
    {"varchar", false, SLUICE_STRING, NULL, cdc_to_string, true, ""},
    {"bpchar", false, SLUICE_STRING, NULL, cdc_to_string, true, ""},
    {"char", false, SLUICE_STRING, NULL, cdc_to_string, false, NULL},
    {"name", false, SLUICE_STRING, NULL, cdc_to_string, false, NULL},
    {"inet", false, SLUICE_STRING, NULL, cdc_to_string, false, NULL},
    {"cidr", false, SLUICE_STRING, NULL, cdc_to_string, false, NULL},
    {"macaddr", false, SLUICE_STRING, NULL, cdc_to_string, false, NULL},
    {"macaddr8", false, SLUICE_STRING, NULL, cdc_to_string, false, NULL},
    {"int4range", false, SLUICE_STRING, NULL, cdc_to_string, false, NULL},
    {"int8range", false, SLUICE_STRING, NULL, cdc_to_string, false, NULL},
    {"numrange", false, SLUICE_STRING, NULL, cdc_to_string, false, NULL},
    {"tsrange", false, SLUICE_STRING, NULL, cdc_to_string, false, NULL},
    {"tstzrange", false, SLUICE_STRING, NULL, cdc_to_string, false, NULL},
    {"daterange", false, SLUICE_STRING, NULL, cdc_to_string, false, NULL},
    {"uuid", false, SLUICE_STRING, "io.debezium.data.Uuid", cdc_to_string, true,
     "00000000-0000-0000-0000-000000000000"},
    {"json", false, SLUICE_STRING, "io.debezium.data.Json", cdc_to_string, true, "{}"},
    {"jsonb", false, SLUICE_STRING, "io.debezium.data.Json", cdc_to_string, true, "{}"},
    {"xml", false, SLUICE_STRING, "io.debezium.data.Xml", cdc_to_string, true, ""},
    {"tsvector", false, SLUICE_STRING, "io.debezium.data.Tsvector", cdc_to_string, false, NULL},
    {"citext", true, SLUICE_STRING, NULL, cdc_to_string, false, NULL},
    {"isbn", true, SLUICE_STRING, NULL, cdc_to_string, false, NULL},
    {"ltree", true, SLUICE_STRING, "io.debezium.data.Ltree", cdc_to_string, false, NULL},
    {"timetz", false, SLUICE_STRING, "io.debezium.time.ZonedTime", cdc_to_timetz, false, NULL},
};

static void named(struct sluice_schema *schema, enum sluice_type type, const char *name)
{
    memset(schema, 0, sizeof(*schema));
    schema->type = (uint8_t)type;
    schema->name = name;
    schema->has_version = name != NULL;
    schema->version = 1;
}

static void fields(struct sluice_schema *schema, const char *name, const struct sluice_field *list,
                   uint32_t n)
{
    named(schema, SLUICE_STRUCT, name);
    schema->fields = list;
    schema->fields_len = n;
}

void cdc_schema_param(struct cdc_pool *pool, struct sluice_schema *schema, const char *key,
                      const char *value)
{
    struct sluice_param *list =
        cdc_pool_alloc(pool, (schema->params_len + 1) * sizeof(*schema->params));
    for (uint32_t i = 0; i < schema->params_len; i++) list[i] = schema->params[i];
    list[schema->params_len].key = key;
    list[schema->params_len++].value = value;
    schema->params = list;
}

/* The zero of what is written as text. */
static const char *zero_text(const struct cdc_binding *binding, struct cdc_pool *pool)
{
    const struct {
        cdc_convert *convert;
        const char *zero;
    } zeros[] = {{cdc_to_hstore, "{}"},
                 {cdc_to_date, "1970-01-01Z"},
                 {cdc_to_time, "00:00:00Z"},
                 {cdc_to_timetz, "00:00:00Z"},
                 {cdc_to_timestamp, "1970-01-01T00:00:00Z"},
                 {cdc_to_timestamptz, "1970-01-01T00:00:00Z"},
                 {cdc_to_interval, "P0Y0M0DT0H0M0S"}};
    for (size_t i = 0; i < sizeof(zeros) / sizeof(*zeros); i++)
        if (binding->convert == zeros[i].convert) return zeros[i].zero;
    if (binding->convert == cdc_to_decimal_text || binding->convert == cdc_to_money)
        return binding->scale > 0 ? cdc_pool_format(pool, "0.%0*d", binding->scale, 0) : "0";
    return "";
}

static void zero_of(struct cdc_binding *out, struct cdc_pool *pool)
{
    static const struct sluice_value two_zeros[2] = {{.type = SLUICE_INT32},
                                                     {.type = SLUICE_BYTES, .len = 1, .u.s = "\0"}};
    static const struct sluice_value origin[4] = {
        {.type = SLUICE_FLOAT64},
        {.type = SLUICE_FLOAT64},
        {.type = SLUICE_BYTES, .len = 21, .u.s = "\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"},
        {.type = SLUICE_NULL}};
    static const struct sluice_value empty_geometry[2] = {
        {.type = SLUICE_BYTES, .len = 9, .u.s = "\1\7\0\0\0\0\0\0\0"}, {.type = SLUICE_NULL}};
    static const struct sluice_value no_dimensions[2] = {{.type = SLUICE_INT16},
                                                         {.type = SLUICE_MAP}};
    const struct sluice_schema *s = &out->schema;
    out->zero.type = s->type;
    if (s->type == SLUICE_STRING) {
        const char *text = zero_text(out, pool);
        out->zero = sluice_string(text, strlen(text));
    }
    if (s->type == SLUICE_BYTES) out->zero.u.s = "";
    if (out->convert == cdc_to_decimal || (out->convert == cdc_to_money && s->type == SLUICE_BYTES))
        out->zero = sluice_bytes("\0", 1);
    else if (out->convert == cdc_to_variable_decimal)
        out->zero = sluice_nested(SLUICE_STRUCT, two_zeros, 2);
    else if (out->convert == cdc_to_point) out->zero = sluice_nested(SLUICE_STRUCT, origin, 4);
    else if (out->convert == cdc_to_geometry)
        out->zero = sluice_nested(SLUICE_STRUCT, empty_geometry, 2);
    else if (out->convert == cdc_to_sparse_vector)
        out->zero = sluice_nested(SLUICE_STRUCT, no_dimensions, 2);
}

/* ---- families that depend on settings or on the type modifier ---- */

static void bind_numeric(struct cdc_binding *out, int32_t typmod, struct cdc_pool *pool)
{
    out->defaults = true;
    out->generated = "0.0";
    /* Postgres 15 made the scale a signed number of 11 bits. */
    out->scaled = typmod >= 4;
    if (out->scaled) out->scale = (((typmod - 4) & 0x7ff) ^ 1024) - 1024;
    if (out->settings->decimal == CDC_DECIMAL_STRING) {
        named(&out->schema, SLUICE_STRING, NULL);
        out->convert = cdc_to_decimal_text;
        if (out->scaled) out->generated = zero_text(out, pool);
    } else if (out->settings->decimal == CDC_DECIMAL_DOUBLE) {
        named(&out->schema, SLUICE_FLOAT64, NULL);
        out->convert = cdc_to_decimal_double;
    } else if (typmod < 4) {
        fields(&out->schema, "io.debezium.data.VariableScaleDecimal", variable_decimal_fields, 2);
        out->schema.doc = "Variable scaled decimal";
        out->convert = cdc_to_variable_decimal;
        out->defaults = false; /* structs are no defaults in Kafka Connect */
    } else {
        int32_t precision = (typmod - 4) >> 16 & 0xffff;
        named(&out->schema, SLUICE_BYTES, "org.apache.kafka.connect.data.Decimal");
        cdc_schema_param(pool, &out->schema, "scale", cdc_pool_format(pool, "%d", out->scale));
        cdc_schema_param(pool, &out->schema, "connect.decimal.precision",
                         cdc_pool_format(pool, "%d", precision));
        out->convert = cdc_to_decimal;
    }
}

static void bind_money(struct cdc_binding *out, struct cdc_pool *pool)
{
    out->scale = out->settings->money_digits;
    out->convert = cdc_to_money;
    if (out->settings->decimal == CDC_DECIMAL_STRING) {
        named(&out->schema, SLUICE_STRING, NULL);
    } else if (out->settings->decimal == CDC_DECIMAL_DOUBLE) {
        named(&out->schema, SLUICE_FLOAT64, NULL);
    } else {
        named(&out->schema, SLUICE_BYTES, "org.apache.kafka.connect.data.Decimal");
        cdc_schema_param(pool, &out->schema, "scale", cdc_pool_format(pool, "%d", out->scale));
    }
}

static void bind_bits(struct cdc_binding *out, bool varying, int32_t typmod, struct cdc_pool *pool)
{
    int32_t length = typmod > 0 ? typmod : INT32_MAX;
    out->defaults = true;
    out->generated = length == 1 || varying ? "0" : "00";
    if (length == 1) {
        named(&out->schema, SLUICE_BOOLEAN, NULL);
        out->convert = cdc_to_bit;
        return;
    }
    named(&out->schema, SLUICE_BYTES, "io.debezium.data.Bits");
    cdc_schema_param(pool, &out->schema, "length", cdc_pool_format(pool, "%d", length));
    out->convert = cdc_to_bits;
}

static void bind_date(struct cdc_binding *out)
{
    static const char *const names[] = {[CDC_TIME_CONNECT] = "org.apache.kafka.connect.data.Date",
                                        [CDC_TIME_ISO] = "io.debezium.time.IsoDate",
                                        [CDC_TIME_NANOS] = NULL};
    enum cdc_time_mode mode = out->settings->time;
    const char *name = names[mode] ? names[mode] : "io.debezium.time.Date";
    named(&out->schema, mode == CDC_TIME_ISO ? SLUICE_STRING : SLUICE_INT32, name);
    out->unit = mode == CDC_TIME_ISO ? CDC_ISO : CDC_MILLIS;
    out->convert = cdc_to_date;
    out->defaults = true;
    out->generated = "1970-01-01";
}

/* The unit of a time or timestamp of this precision (-1: none given, which is 6). */
static enum cdc_unit unit_of(enum cdc_time_mode mode, int32_t precision, bool timestamp)
{
    bool coarse = precision >= 0 && precision <= 3;
    switch (mode) {
    case CDC_TIME_ADAPTIVE: return coarse ? CDC_MILLIS : CDC_MICROS;
    case CDC_TIME_ADAPTIVE_TIME_MICROS: return coarse && timestamp ? CDC_MILLIS : CDC_MICROS;
    case CDC_TIME_CONNECT: return CDC_MILLIS;
    case CDC_TIME_ISO: return CDC_ISO;
    case CDC_TIME_MICROS: return CDC_MICROS;
    case CDC_TIME_NANOS: return CDC_NANOS;
    }
    return CDC_MICROS;
}

static void bind_time(struct cdc_binding *out, bool timestamp, int32_t precision)
{
    static const char *const names[2][4] = {
        {"io.debezium.time.Time", "io.debezium.time.MicroTime", "io.debezium.time.NanoTime",
         "io.debezium.time.IsoTime"},
        {"io.debezium.time.Timestamp", "io.debezium.time.MicroTimestamp",
         "io.debezium.time.NanoTimestamp", "io.debezium.time.IsoTimestamp"}};
    static const char *const connect[2] = {"org.apache.kafka.connect.data.Time",
                                           "org.apache.kafka.connect.data.Timestamp"};
    enum cdc_unit unit = unit_of(out->settings->time, precision, timestamp);
    const char *name =
        out->settings->time == CDC_TIME_CONNECT ? connect[timestamp] : names[timestamp][unit];
    enum sluice_type type = unit == CDC_ISO                    ? SLUICE_STRING
                            : unit == CDC_MILLIS && !timestamp ? SLUICE_INT32
                                                               : SLUICE_INT64;
    named(&out->schema, type, name);
    out->unit = unit;
    out->convert = timestamp ? cdc_to_timestamp : cdc_to_time;
    out->defaults = true;
    out->generated = timestamp ? "1970-01-01 00:00:00" : "00:00:00";
}

static void bind_interval(struct cdc_binding *out)
{
    bool string = out->settings->interval_string;
    named(&out->schema, string ? SLUICE_STRING : SLUICE_INT64,
          string ? "io.debezium.time.Interval" : "io.debezium.time.MicroDuration");
    out->convert = cdc_to_interval;
    out->defaults = true;
    out->generated = "00:00:00";
}

static void bind_binary(struct cdc_binding *out, cdc_convert *convert)
{
    named(&out->schema, out->settings->binary == CDC_BINARY_BYTES ? SLUICE_BYTES : SLUICE_STRING,
          NULL);
    out->convert = convert;
}

static void bind_hstore(struct cdc_binding *out)
{
    if (out->settings->hstore_map) {
        named(&out->schema, SLUICE_MAP, NULL);
        out->schema.key = &required_string;
        out->schema.elem = &optional_string;
    } else {
        named(&out->schema, SLUICE_STRING, "io.debezium.data.Json");
    }
    out->convert = cdc_to_hstore;
}

static void bind_vector(struct cdc_binding *out, bool half)
{
    named(&out->schema, SLUICE_ARRAY,
          half ? "io.debezium.data.FloatVector" : "io.debezium.data.DoubleVector");
    out->schema.elem = half ? &required_float32 : &required_float64;
    out->convert = cdc_to_vector;
}

static bool bind_settings_type(struct cdc_binding *out, const char *name, int32_t typmod,
                               struct cdc_pool *pool)
{
    if (!strcmp(name, "numeric")) bind_numeric(out, typmod, pool);
    else if (!strcmp(name, "money")) bind_money(out, pool);
    else if (!strcmp(name, "bit") || !strcmp(name, "varbit"))
        bind_bits(out, *name == 'v', typmod, pool);
    else if (!strcmp(name, "bytea")) bind_binary(out, cdc_to_binary);
    else if (!strcmp(name, "date")) bind_date(out);
    else if (!strcmp(name, "time")) bind_time(out, false, typmod);
    else if (!strcmp(name, "timestamp")) bind_time(out, true, typmod);
    else if (!strcmp(name, "timestamptz")) {
        named(&out->schema, SLUICE_STRING, "io.debezium.time.ZonedTimestamp");
        out->scale = typmod >= 0 ? typmod : 6;
        out->convert = cdc_to_timestamptz;
        out->defaults = true;
        out->generated = "1970-01-01 00:00:00+00";
    } else if (!strcmp(name, "interval")) bind_interval(out);
    else if (!strcmp(name, "point")) {
        fields(&out->schema, "io.debezium.data.geometry.Point", point_fields, 4);
        out->schema.doc = "Geometry (POINT)";
        out->convert = cdc_to_point;
    } else return false;
    return true;
}

static bool bind_extension_type(struct cdc_binding *out, const char *name)
{
    if (!strcmp(name, "hstore")) bind_hstore(out);
    else if (!strcmp(name, "geometry") || !strcmp(name, "geography")) {
        bool geography = name[3] == 'g';
        fields(&out->schema,
               geography ? "io.debezium.data.geometry.Geography"
                         : "io.debezium.data.geometry.Geometry",
               geometry_fields, 2);
        out->schema.doc = geography ? "Geography" : "Geometry";
        out->schema.optional = !geography; /* Debezium's is, even where the column is NOT NULL */
        out->convert = cdc_to_geometry;
    } else if (!strcmp(name, "vector") || !strcmp(name, "halfvec")) bind_vector(out, *name == 'h');
    else if (!strcmp(name, "sparsevec")) {
        fields(&out->schema, "io.debezium.data.SparseDoubleVector", sparse_fields, 2);
        out->schema.doc = "Sparse double vector";
        out->convert = cdc_to_sparse_vector;
    } else return false;
    return true;
}

/* Arrays that Debezium has no schema for, not even with include.unknown.datatypes. */
static bool omitted_element(const struct cdc_type *elem)
{
    static const char *const names[] = {"money", "name",  "interval", "varbit",
                                        "xml",   "point", "refcursor"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (!strcmp(elem->name, names[i])) return !strcmp(elem->schema, "pg_catalog");
    return false;
}

/* Types whose arrays have something that stands for an unchanged value. */
static bool has_placeholder(const struct cdc_type *elem)
{
    static const char *const names[] = {"int4",   "int8", "date",  "text", "varchar",
                                        "bpchar", "json", "jsonb", "uuid", "bytea"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (!strcmp(elem->name, names[i])) return !strcmp(elem->schema, "pg_catalog");
    return false;
}

/* Of domains, arrays are unknown types: their elements are what these are. */
static bool bind_element(const struct cdc_types *types, const struct cdc_settings *settings,
                         const struct cdc_type *type, int32_t typmod, struct cdc_pool *pool,
                         struct cdc_binding *out)
{
    if (type->kind != 'd') return cdc_bind(types, settings, type->oid, typmod, pool, out);
    if (!settings->unknown_types) return false;
    out->settings = settings;
    bind_binary(out, cdc_to_raw);
    return true;
}

static bool bind_array(const struct cdc_types *types, const struct cdc_settings *settings,
                       const struct cdc_type *type, int32_t typmod, struct cdc_pool *pool,
                       struct cdc_binding *out)
{
    const struct cdc_type *elem_type = cdc_types_find(types, type->elem);
    struct cdc_binding *elem = cdc_pool_alloc(pool, sizeof(*elem));
    if (!elem_type || omitted_element(elem_type) ||
        !bind_element(types, settings, elem_type, typmod, pool, elem))
        return false;
    elem->schema.optional = true;
    named(&out->schema, SLUICE_ARRAY, NULL);
    out->schema.elem = &elem->schema;
    out->elem = elem;
    out->placeholder = has_placeholder(elem_type);
    out->delim = elem_type->delim ? elem_type->delim : ',';
    out->convert = cdc_to_array;
    return true;
}

static bool bind_plain(const struct cdc_type *type, bool catalog, struct cdc_binding *out)
{
    for (size_t i = 0; i < sizeof(plains) / sizeof(*plains); i++) {
        const struct plain *p = &plains[i];
        if (strcmp(p->name, type->name) != 0 || !(catalog || p->extension)) continue;
        named(&out->schema, p->type, p->logical);
        out->convert = p->convert;
        out->defaults = p->defaults;
        out->generated = p->generated;
        return true;
    }
    return false;
}

static bool bind_type(const struct cdc_types *types, const struct cdc_settings *settings,
                      const struct cdc_type *type, int32_t typmod, struct cdc_pool *pool,
                      struct cdc_binding *out)
{
    bool catalog = !strcmp(type->schema, "pg_catalog");
    if (type->kind == 'e') {
        named(&out->schema, SLUICE_STRING, "io.debezium.data.Enum");
        cdc_schema_param(pool, &out->schema, "allowed",
                         cdc_pool_strdup(pool, type->labels ? type->labels : ""));
        out->convert = cdc_to_string;
        out->defaults = true;
        return true;
    }
    if (type->elem) return bind_array(types, settings, type, typmod, pool, out);
    if (bind_plain(type, catalog, out)) return true;
    return catalog ? bind_settings_type(out, type->name, typmod, pool)
                   : bind_extension_type(out, type->name);
}

bool cdc_bind(const struct cdc_types *types, const struct cdc_settings *settings, uint32_t oid,
              int32_t typmod, struct cdc_pool *pool, struct cdc_binding *out)
{
    memset(out, 0, sizeof(*out));
    out->settings = settings;
    const struct cdc_type *type = cdc_types_find(types, oid);
    bool domain = type && type->kind == 'd';
    /* A domain is its base type; the modifier nearest to the base that is given counts. */
    for (int depth = 0; type && type->kind == 'd' && depth < 32; depth++) {
        if (type->typmod >= 0) typmod = type->typmod;
        type = cdc_types_find(types, type->base);
    }
    if (!type || !bind_type(types, settings, type, typmod, pool, out)) {
        const struct cdc_type *elem = type && type->elem ? cdc_types_find(types, type->elem) : NULL;
        if (!settings->unknown_types || (elem && omitted_element(elem))) return false;
        bind_binary(out, cdc_to_raw);
    }
    if (domain) out->defaults = false; /* Debezium reads none of domains */
    assert(out->convert);
    zero_of(out, pool);
    return true;
}

/* ---- defaults ---- */

/* "name(...)" with an optional parenthesis before it, as pg_get_expr writes calls. */
static bool calls(const char *expr)
{
    static const char *const words[] = {"CURRENT_TIMESTAMP", "CURRENT_TIME", "CURRENT_DATE",
                                        "LOCALTIME", "LOCALTIMESTAMP"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (!strcasecmp(expr, words[i])) return true;
    expr += *expr == '(';
    size_t n = strspn(expr, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    return n && expr[n] == '(' && strchr(expr + n, ')');
}

/* The text of a literal: 'it''s'::text, B'1'::"bit", -1, true; NULL when expr is something else. */
static char *literal(struct cdc_memory *memory, const char *expr, uint32_t *len)
{
    size_t n = strlen(expr);
    char *copy = cdc_take(memory, n + 1);
    bool wrapped = *expr == '(' && expr[1] == '\''; /* cast twice: ('5'::text)::integer */
    const char *p = expr + (wrapped || (*expr == 'B' && expr[1] == '\''));
    uint32_t used = 0;
    if (*p != '\'') {
        if (!strncmp(expr, "NULL::", 6) || expr[strcspn(expr, "( ")]) return NULL;
        memcpy(copy, expr, n);
        *len = (uint32_t)n;
        return copy;
    }
    for (p++; *p && (*p != '\'' || p[1] == '\''); p++) {
        p += *p == '\'';
        copy[used++] = *p;
    }
    *len = used;
    if (!*p) return NULL;
    if (wrapped) p += strcspn(p + 1, "()'|+-*/<>=") + 1;
    if (wrapped && (*p != ')' || !p[1])) return NULL;
    return !p[1] || !strncmp(p + 1, "::", 2) ? copy : NULL;
}

/* Brings a number's text to the column's scale; false: it has more digits. */
static bool add_zeros(const struct cdc_binding *binding, struct cdc_memory *memory, char **text,
                      uint32_t *len)
{
    const char *point = memchr(*text, '.', *len);
    uint32_t digits = point ? (uint32_t)(*text + *len - point - 1) : 0;
    if ((int64_t)digits >= binding->scale) return digits == 0 || (int64_t)digits == binding->scale;
    uint32_t zeros = (uint32_t)binding->scale - digits;
    char *full = cdc_take(memory, (size_t)*len + zeros + 1);
    memcpy(full, *text, *len);
    if (!point) full[(*len)++] = '.';
    memset(full + *len, '0', zeros);
    *len += zeros;
    *text = full;
    return true;
}

/* What pg_get_expr shows is not always what the server would send. */
static bool server_form(const struct cdc_binding *binding, struct cdc_memory *memory, char **text,
                        uint32_t *len)
{
    if (binding->convert == cdc_to_decimal_text && binding->scaled)
        return add_zeros(binding, memory, text, len);
    if (binding->convert == cdc_to_bool) *len = 1; /* true, false */
    if (binding->convert != cdc_to_timestamp && binding->convert != cdc_to_timestamptz) return true;
    if (*len != 10) return true;
    char *full = cdc_take(memory, 24); /* a date alone is midnight */
    memcpy(full, *text, 10);
    memcpy(full + 10, " 00:00:00", 9);
    *text = full;
    *len = 19;
    return true;
}

bool cdc_default(const struct cdc_binding *binding, struct cdc_memory *memory, const char *expr,
                 struct sluice_value *out)
{
    if (!binding->defaults) return false;
    if (calls(expr)) {
        const char *zero = binding->generated;
        return zero && binding->convert(binding, memory, zero, (uint32_t)strlen(zero), out);
    }
    uint32_t len;
    char *text = literal(memory, expr, &len);
    return text && server_form(binding, memory, &text, &len) &&
           binding->convert(binding, memory, text, len, out);
}

/* ---- unchanged TOAST values ---- */

static struct sluice_value *items(struct cdc_memory *memory, size_t n)
{
    return cdc_take(memory, (n ? n : 1) * sizeof(struct sluice_value));
}

static bool does_not_fit(struct cdc_memory *memory)
{
    memory->why = "its unchanged value was not sent, and the placeholder does not fit its type";
    return false;
}

/* java.util.UUID.nameUUIDFromBytes() of the placeholder: RFC 4122's version 3. */
static bool placeholder_uuid(const struct cdc_settings *s, struct cdc_memory *memory,
                             struct sluice_value *out)
{
    unsigned char md5[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!EVP_Digest(s->placeholder, s->placeholder_len, md5, &len, EVP_md5(), NULL) || len != 16)
        return false;
    md5[6] = (md5[6] & 0x0f) | 0x30;
    md5[8] = (md5[8] & 0x3f) | 0x80;
    char *text = cdc_take(memory, 37), *p = text;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *p++ = '-';
        *p++ = "0123456789abcdef"[md5[i] >> 4];
        *p++ = "0123456789abcdef"[md5[i] & 15];
    }
    *out = sluice_string(text, 36);
    return true;
}

static bool unavailable_array(const struct cdc_binding *binding, struct cdc_memory *memory,
                              struct sluice_value *out)
{
    const struct cdc_settings *s = binding->settings;
    const struct sluice_schema *elem = &binding->elem->schema;
    bool iso_date = binding->elem->convert == cdc_to_date && elem->type == SLUICE_STRING;
    if (!binding->placeholder || iso_date) return does_not_fit(memory);
    if (elem->type == SLUICE_INT32 || elem->type == SLUICE_INT64) {
        struct sluice_value *list = items(memory, s->placeholder_len);
        for (size_t i = 0; i < s->placeholder_len; i++)
            list[i] = sluice_int((enum sluice_type)elem->type, (signed char)s->placeholder[i]);
        *out = sluice_nested(SLUICE_ARRAY, list, s->placeholder_len);
        return true;
    }
    struct sluice_value *one = items(memory, 1);
    *out = sluice_nested(SLUICE_ARRAY, one, 1);
    if (elem->name && !strcmp(elem->name, "io.debezium.data.Uuid"))
        return placeholder_uuid(s, memory, one) || does_not_fit(memory);
    return cdc_unavailable(binding->elem, memory, one);
}

bool cdc_unavailable(const struct cdc_binding *binding, struct cdc_memory *memory,
                     struct sluice_value *out)
{
    const struct cdc_settings *s = binding->settings;
    if (binding->mapping) {
        if (!cdc_unavailable(binding->elem, memory, out)) return false;
        cdc_mapping_value(binding, memory, out);
        return true;
    }
    if (binding->convert == cdc_to_array) return unavailable_array(binding, memory, out);
    if (binding->convert == cdc_to_hstore) {
        struct sluice_value *pair = items(memory, 2);
        pair[0] = pair[1] = sluice_string(s->placeholder, s->placeholder_len);
        if (binding->schema.type == SLUICE_MAP) {
            *out = sluice_nested(SLUICE_MAP, pair, 1);
            return true;
        }
        size_t n = s->placeholder_len;
        char *json = cdc_take(memory, 2 * n + 8), *p = json;
        memcpy(p, "{\"", 2);
        memcpy(p + 2, s->placeholder, n);
        memcpy(p + 2 + n, "\":\"", 3);
        memcpy(p + 5 + n, s->placeholder, n);
        memcpy(p + 5 + 2 * n, "\"}", 2);
        *out = sluice_string(json, 2 * n + 7);
        return true;
    }
    if (binding->schema.type == SLUICE_STRING) {
        *out = sluice_string(s->placeholder, s->placeholder_len);
        return true;
    }
    if (binding->convert == cdc_to_binary || binding->convert == cdc_to_raw) {
        *out = sluice_bytes(s->placeholder, s->placeholder_len);
        return true;
    }
    return does_not_fit(memory);
}
