/* avro_from_connect.c - Connect schemas to Avro's, as Confluent's AvroData makes them.
 *
 * What Avro cannot say stands in properties (connect.name, connect.version ...), added in the order
 * in which Java's converter adds them. A struct that is used twice is one Avro record: schemas are
 * interned, so that the same struct has the same address. Owner: the converter's thread. */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "data/converters/avro_schema.h"
#include "data/decimal.h"
#include "data/java_text.h"
#include "data/schema.h"

#define PRECISION_DEFAULT 64

const char avro_anything_text[] =
    "{\"type\":\"record\",\"name\":\"Anything\",\"namespace\":\"io.confluent.connect.avro\","
    "\"fields\":[{\"name\":\"boolean\",\"type\":[\"null\",\"boolean\"],\"default\":null},"
    "{\"name\":\"bytes\",\"type\":[\"null\",\"bytes\"],\"default\":null},"
    "{\"name\":\"double\",\"type\":[\"null\",\"double\"],\"default\":null},"
    "{\"name\":\"float\",\"type\":[\"null\",\"float\"],\"default\":null},"
    "{\"name\":\"int\",\"type\":[\"null\",\"int\"],\"default\":null},"
    "{\"name\":\"long\",\"type\":[\"null\",\"long\"],\"default\":null},"
    "{\"name\":\"string\",\"type\":[\"null\",\"string\"],\"default\":null},"
    "{\"name\":\"array\",\"type\":[\"null\",{\"type\":\"array\",\"items\":\"Anything\"}],"
    "\"default\":null},{\"name\":\"map\",\"type\":[\"null\",{\"type\":\"array\",\"items\":"
    "{\"type\":\"record\",\"name\":\"MapEntry\",\"fields\":[{\"name\":\"key\",\"type\":"
    "\"Anything\"},{\"name\":\"value\",\"type\":\"Anything\"}]}}],\"default\":null}]}";

struct made { /* a struct that has its record already */
    struct made *next;
    const struct sluice_schema *schema;
    struct avro_schema *avro;
};

struct maker {
    struct sluice_batch *batch;
    const struct avro_config *config;
    struct made *made;
    struct sluice_err *err;
    unsigned unnamed; /* records that got a name of ours */
    unsigned entries; /* records of map entries that got one */
};

/* ---- names ---- */

static bool plain(unsigned char c) { return c < 0x80 && (isalnum(c) || c == '_'); }

/* As Java's URLEncoder and then '_' for what is not allowed: " " becomes "_", "-" "_", others
 * "_XX" for each octet. */
const char *avro_scrub(struct sluice_batch *batch, const struct avro_config *config,
                       const char *name)
{
    bool fine = !isdigit((unsigned char)name[0]);
    for (const char *at = name; *at && fine; at++) fine = plain((unsigned char)*at);
    if (fine || !*name || !config->scrub) return name;
    char *out = sluice_batch_alloc(batch, 3 * strlen(name) + 2), *to = out;
    if (isdigit((unsigned char)name[0])) *to++ = 'x';
    for (const char *at = name; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (plain(c)) *to++ = (char)c;
        else if (strchr("-.* ", c)) *to++ = '_';
        else to += snprintf(to, 4, "_%02X", c); /* room: three a character, and the end */
    }
    *to = '\0';
    return out;
}

/* Namespace (NULL: none) and simple name, scrubbed. */
static void split(struct sluice_batch *batch, const struct avro_config *config, const char *full,
                  const char **space, const char **name)
{
    struct sluice_buf buf;
    const char *end = full + strlen(full), *last;
    while (end > full && end[-1] == '.') end--; /* as Java's split() drops them */
    for (last = end; last > full && last[-1] != '.'; last--) continue;
    *name = avro_scrub(batch, config, avro_strndup(batch, last, (size_t)(end - last)));
    *space = NULL;
    if (last == full) return;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    for (const char *at = full; at < last;) {
        size_t len = strcspn(at, ".");
        if (at > full) sluice_buf_adds(&buf, ".");
        sluice_buf_adds(&buf, avro_scrub(batch, config, avro_strndup(batch, at, len)));
        at += len + 1;
    }
    *space = avro_strndup(batch, buf.data ? buf.data : "", buf.len);
    sluice_buf_fini(&buf);
}

const char *avro_scrub_full(struct sluice_batch *batch, const struct avro_config *config,
                            const char *name)
{
    struct avro_schema both = {0};
    const char *space, *simple;
    if (!config->scrub) return name;
    split(batch, config, name, &space, &simple);
    avro_name(batch, &both, space, simple);
    return both.full;
}

static bool name_valid(struct maker *m, const char *name)
{
    bool ok = *name && !isdigit((unsigned char)*name);
    for (const char *at = name; *at && ok; at++)
        ok = plain((unsigned char)*at) || (unsigned char)*at >= 0x80;
    return ok || sluice_err_set(m->err,
                                "Illegal character in: %s: Avro's names are of letters, digits and "
                                "_; rename it, or set scrub.invalid.names=true",
                                name);
}

/* The name of a schema, or a new one of ours. */
static bool name_it(struct maker *m, struct avro_schema *avro, const char *full)
{
    const char *space = AVRO_SPACE, *name;
    char own[40];
    if (full) {
        split(m->batch, m->config, full, &space, &name);
    } else {
        unsigned n = ++m->unnamed;
        snprintf(own, sizeof own, n > 1 ? "ConnectDefault%u" : "ConnectDefault", n);
        name = own;
    }
    if (!name_valid(m, name)) return false;
    avro_name(m->batch, avro, space, name);
    return true;
}

/* ---- properties ---- */

static struct sluice_value text(const char *s) { return sluice_string(s, strlen(s)); }

static void params_prop(struct maker *m, struct avro_schema *avro,
                        const struct sluice_schema *schema)
{
    struct sluice_value *pairs =
        sluice_batch_alloc(m->batch, 2 * (size_t)schema->params_len * sizeof *pairs);
    size_t n = 0;
    for (uint32_t i = 0; i < schema->params_len; i++) {
        const struct sluice_param *param = &schema->params[i];
        if (!m->config->discard && strcmp(param->key, AVRO_FIELD_DEFAULT) == 0) continue;
        pairs[2 * n] = text(param->key);
        pairs[2 * n++ + 1] = text(param->value);
    }
    if (n) avro_prop_set(m->batch, avro, "connect.parameters", sluice_nested(SLUICE_MAP, pairs, n));
}

static bool metadata_props(struct maker *m, struct avro_schema *avro,
                           const struct sluice_schema *schema)
{
    if (schema->doc) avro_prop_set(m->batch, avro, "connect.doc", text(schema->doc));
    if (schema->has_version)
        avro_prop_set(m->batch, avro, "connect.version", sluice_int64(schema->version));
    if (schema->params_len) params_prop(m, avro, schema);
    if (schema->has_dflt && schema->dflt.type != SLUICE_NULL &&
        (m->config->discard || !avro_param(schema, AVRO_FIELD_DEFAULT))) {
        struct sluice_value json;
        if (!avro_default_write(m->batch, m->config, schema, &schema->dflt, &json, m->err))
            return false;
        avro_prop_set(m->batch, avro, "connect.default", json);
    }
    if (schema->name) avro_prop_set(m->batch, avro, "connect.name", text(schema->name));
    if (schema->type == SLUICE_INT8 || schema->type == SLUICE_INT16)
        avro_prop_set(m->batch, avro, "connect.type",
                      text(schema->type == SLUICE_INT8 ? "int8" : "int16"));
    return true;
}

static bool decimal_numbers(const struct sluice_schema *schema, int32_t *scale, int32_t *precision,
                            struct sluice_err *err)
{
    const char *given = avro_param(schema, AVRO_PRECISION);
    char *end = NULL;
    long n = given ? strtol(given, &end, 10) : PRECISION_DEFAULT;
    if (!sluice_decimal_scale(schema, scale, err)) return false;
    if (given && (end == given || *end || n > INT32_MAX || n < INT32_MIN))
        return sluice_err_set(err, "a Decimal's parameter " AVRO_PRECISION " is no number");
    *precision = (int32_t)n;
    return true;
}

/* Names of logical types count in any case, as in Java. */
static bool named(const struct sluice_schema *schema, const char *simple)
{
    static const char space[] = "org.apache.kafka.connect.data.";
    return schema->name && strncasecmp(schema->name, space, sizeof space - 1) == 0 &&
           strcasecmp(schema->name + sizeof space - 1, simple) == 0;
}

static bool logical_props(struct maker *m, struct avro_schema *avro,
                          const struct sluice_schema *schema)
{
    const char *logical = NULL;
    if (named(schema, "Time")) logical = "time-millis";
    else if (named(schema, "Timestamp")) logical = "timestamp-millis";
    else if (named(schema, "Date")) logical = "date";
    else if (schema->type == SLUICE_BYTES && named(schema, "Decimal")) logical = "decimal";
    if (logical) avro_prop_set(m->batch, avro, "logicalType", text(logical));
    for (uint32_t i = 0; i < schema->params_len; i++) {
        const struct sluice_param *param = &schema->params[i];
        if (strncmp(param->key, "avro", 4) == 0)
            avro_prop_set(m->batch, avro, param->key, text(param->value));
    }
    return true;
}

/* ---- types ---- */

static struct avro_schema *make(struct maker *m, const struct sluice_schema *schema,
                                bool ignore_optional);

static struct avro_schema *make_enum(struct maker *m, const struct sluice_schema *schema)
{
    const char *key = m->config->sums ? AVRO_SUM_ENUM : AVRO_ENUM_PARAM;
    const char *full = avro_param(schema, key), *dot = full ? strrchr(full, '.') : NULL;
    size_t skip = strlen(key);
    struct avro_schema *avro = avro_new(m->batch, AVRO_ENUM);
    if (!full) {
        sluice_err_set(m->err, "an enum's schema has no parameter %s", key);
        return NULL;
    }
    avro_name(m->batch, avro, dot ? avro_strndup(m->batch, full, (size_t)(dot - full)) : NULL,
              dot ? dot + 1 : full);
    if (!name_valid(m, avro->name)) return NULL;
    avro->symbols = sluice_batch_alloc(m->batch, schema->params_len * sizeof *avro->symbols);
    for (uint32_t i = 0; i < schema->params_len; i++) {
        const char *k = schema->params[i].key;
        if (strncmp(k, key, skip) == 0 && k[skip] == '.') avro->symbols[avro->n++] = k + skip + 1;
    }
    const char *own = schema->name ? strrchr(schema->name, '.') : NULL;
    own = own ? own + 1 : schema->name ? schema->name : "ConnectDefault";
    char param[512];
    snprintf(param, sizeof param, AVRO_ENUM_DOC "%s", own);
    avro->doc = avro_param(schema, m->config->discard ? "connect.enum.doc" : param);
    snprintf(param, sizeof param, AVRO_ENUM_DEFAULT "%s", own);
    if (!m->config->discard) avro->enum_dflt = avro_param(schema, param);
    return avro;
}

static struct avro_schema *make_bytes(struct maker *m, const struct sluice_schema *schema)
{
    const char *size = schema->name ? avro_param(schema, AVRO_FIXED_SIZE) : NULL;
    struct avro_schema *avro = avro_new(m->batch, size ? AVRO_FIXED : AVRO_BYTES);
    if (size) {
        char *end;
        unsigned long n = strtoul(size, &end, 10);
        if (!*size || *end || n > INT32_MAX) {
            sluice_err_set(m->err, "parameter " AVRO_FIXED_SIZE " is no size: %s", size);
            return NULL;
        }
        avro->size = (uint32_t)n;
        if (!name_it(m, avro, schema->name)) return NULL;
    }
    if (named(schema, "Decimal")) {
        int32_t scale = 0, precision = 0;
        if (!decimal_numbers(schema, &scale, &precision, m->err)) return NULL;
        avro_prop_set(m->batch, avro, "scale", sluice_int64(scale));
        avro_prop_set(m->batch, avro, "precision", sluice_int64(precision));
    }
    return avro;
}

static bool make_field(struct maker *m, struct avro_field *field, const char *name, const char *doc,
                       const struct sluice_schema *schema)
{
    memset(field, 0, sizeof *field);
    field->name = name;
    field->doc = m->config->discard ? schema->doc : doc;
    if (!name_valid(m, name)) return false;
    if (schema->has_dflt && schema->dflt.type != SLUICE_NULL) {
        if (!avro_default_write(m->batch, m->config, schema, &schema->dflt, &field->dflt, m->err))
            return false;
        field->has_dflt = true;
    } else if (schema->optional) {
        field->has_dflt = true;
    }
    field->schema = make(m, schema, false);
    if (!field->schema) return false;
    /* What Avro does not take as a default still stands in connect.default. */
    if (field->has_dflt && !avro_default_valid(field->schema, &field->dflt))
        field->has_dflt = false;
    return true;
}

static struct avro_schema *make_map(struct maker *m, const struct sluice_schema *schema)
{
    struct avro_schema *avro;
    if (avro_string_keys(m->config, schema)) {
        avro = avro_new(m->batch, AVRO_MAP);
        avro->elem = make(m, schema->elem, false);
        return avro->elem ? avro : NULL;
    }
    struct avro_schema *entry = avro_new(m->batch, AVRO_RECORD);
    entry->fields = sluice_batch_alloc(m->batch, 2 * sizeof *entry->fields);
    entry->n = 2;
    unsigned n = schema->name ? 0 : ++m->entries;
    if (schema->name) {
        if (!name_it(m, entry, schema->name)) return NULL;
    } else if (n == 1) {
        avro_name(m->batch, entry, AVRO_SPACE, "MapEntry");
    } else { /* Java's would be refused: "Can't redefine" */
        char name[32];
        snprintf(name, sizeof name, "MapEntry%u", n);
        avro_name(m->batch, entry, AVRO_SPACE, name);
    }
    if (schema->name || n > 1) avro_prop_set(m->batch, entry, AVRO_ENTRY_TYPE, text("MapEntry"));
    if (!make_field(m, &entry->fields[0], "key", NULL, schema->key) ||
        !make_field(m, &entry->fields[1], "value", NULL, schema->elem))
        return NULL;
    avro = avro_new(m->batch, AVRO_ARRAY);
    avro->elem = entry;
    return avro;
}

static struct avro_schema *make_record(struct maker *m, const struct sluice_schema *schema)
{
    struct avro_schema *avro = avro_new(m->batch, AVRO_RECORD);
    if (!name_it(m, avro, schema->name)) return NULL;
    avro->doc = avro_param(schema, m->config->discard ? "connect.record.doc" : AVRO_RECORD_DOC);
    avro->fields = sluice_batch_alloc(m->batch, schema->fields_len * sizeof *avro->fields);
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        const struct sluice_field *field = &schema->fields[i];
        char key[512];
        const char *doc = NULL;
        if (!m->config->discard && schema->params_len) {
            snprintf(key, sizeof key, AVRO_FIELD_DOC "%s", field->name);
            doc = avro_param(schema, key);
        }
        if (!make_field(m, &avro->fields[i], avro_scrub(m->batch, m->config, field->name), doc,
                        field->schema))
            return NULL;
        avro->n = i + 1;
    }
    return avro;
}

static struct avro_schema *make_union(struct maker *m, const struct sluice_schema *schema)
{
    struct avro_schema *avro = avro_new(m->batch, AVRO_UNION);
    avro->types = sluice_batch_alloc(m->batch, (schema->fields_len + 1) * sizeof *avro->types);
    if (schema->optional) avro->types[avro->n++] = avro_new(m->batch, AVRO_NULL);
    for (uint32_t i = 0; i < schema->fields_len; i++) {
        struct avro_schema *member = make(m, schema->fields[i].schema, true);
        if (!member) return NULL;
        avro->types[avro->n++] = member;
    }
    return avro;
}

static struct avro_schema *make_type(struct maker *m, const struct sluice_schema *schema)
{
    struct avro_schema *avro;
    const char *key;
    switch ((enum sluice_type)schema->type) {
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32: return avro_new(m->batch, AVRO_INT);
    case SLUICE_INT64: return avro_new(m->batch, AVRO_LONG);
    case SLUICE_FLOAT32: return avro_new(m->batch, AVRO_FLOAT);
    case SLUICE_FLOAT64: return avro_new(m->batch, AVRO_DOUBLE);
    case SLUICE_BOOLEAN: return avro_new(m->batch, AVRO_BOOLEAN);
    case SLUICE_STRING:
        if ((m->config->sums || m->config->enhanced) && avro_enum_param(schema, &key))
            return make_enum(m, schema);
        return avro_new(m->batch, AVRO_STRING);
    case SLUICE_BYTES: return make_bytes(m, schema);
    case SLUICE_ARRAY:
        avro = avro_new(m->batch, AVRO_ARRAY);
        avro->elem = make(m, schema->elem, false);
        return avro->elem ? avro : NULL;
    case SLUICE_MAP: return make_map(m, schema);
    case SLUICE_STRUCT: return make_record(m, schema);
    case SLUICE_NULL: break;
    }
    assert(!"a schema has no such type");
    return NULL;
}

/* The Avro schema without the union that says optional. */
static struct avro_schema *make_base(struct maker *m, const struct sluice_schema *schema)
{
    /* What is optional here may be required elsewhere: the same record. */
    struct sluice_schema required = *schema;
    required.optional = false;
    const struct sluice_schema *same = sluice_schema_intern(&required);
    sluice_batch_hold(m->batch, same);
    sluice_schema_free(same);
    for (const struct made *at = m->made; at; at = at->next) {
        if (at->schema == same) return at->avro;
    }
    struct avro_schema *avro = make_type(m, same);
    if (!avro) return NULL;
    if (m->config->metadata && !metadata_props(m, avro, same)) return NULL;
    if (!logical_props(m, avro, same)) return NULL;
    struct made *at = sluice_batch_alloc(m->batch, sizeof *at);
    *at = (struct made){m->made, same, avro};
    m->made = at;
    return avro;
}

static struct avro_schema *make(struct maker *m, const struct sluice_schema *schema,
                                bool ignore_optional)
{
    if (avro_is_union(schema)) return make_union(m, schema);
    struct avro_schema *base = make_base(m, schema);
    if (!base || !schema->optional || ignore_optional) return base;
    struct avro_schema *both = avro_new(m->batch, AVRO_UNION);
    /* A default must be of the union's first type; Java does not do so for structs. */
    bool first =
        schema->has_dflt && schema->dflt.type != SLUICE_NULL && schema->type != SLUICE_STRUCT;
    both->types = sluice_batch_alloc(m->batch, 2 * sizeof *both->types);
    both->types[first ? 0 : 1] = base;
    both->types[first ? 1 : 0] = avro_new(m->batch, AVRO_NULL);
    both->n = 2;
    return both;
}

struct avro_schema *avro_from_connect(struct sluice_batch *batch, const struct avro_config *config,
                                      const struct sluice_schema *schema, struct sluice_err *err)
{
    if (!schema)
        return avro_parse(batch, NULL, 0, avro_anything_text, strlen(avro_anything_text), err);
    struct maker m = {.batch = batch, .config = config, .err = err};
    return make(&m, schema, false);
}
