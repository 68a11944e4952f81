/* header_write.c - see header_text.h. Dates are written in UTC (Java: the JVM's default zone). */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "data/converters/header_text.h"
#include "data/java_text.h"
#include "data/json_io.h"

#define MS_PER_DAY INT64_C(86400000)

static bool quoted(struct sluice_buf *buf, const char *s, size_t len, struct sluice_err *err)
{
    if (!sluice_json_room(buf, 2 * len + 2, err)) return false;
    char *to = buf->data + buf->len;
    *to++ = '"';
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '"' || s[i] == '\\') *to++ = '\\';
        *to++ = s[i];
    }
    *to++ = '"';
    buf->len = (size_t)(to - buf->data);
    return true;
}

static bool write_time(struct sluice_buf *buf, int64_t ms)
{
    struct sluice_date d = sluice_date_of(ms);
    if (ms < MS_PER_DAY) {
        return sluice_buf_addf(buf, "%02d:%02d:%02d.%03dZ", d.hour, d.minute, d.second, d.ms);
    }
    if (!sluice_buf_addf(buf, "%04lld-%02d-%02d", (long long)d.year, d.month, d.day)) return false;
    if (ms % MS_PER_DAY == 0) return true;
    return sluice_buf_addf(buf, "T%02d:%02d:%02d.%03dZ", d.hour, d.minute, d.second, d.ms);
}

static bool write_inner(struct sluice_buf *buf, const struct sluice_schema *schema,
                        const struct sluice_value *v, struct sluice_err *err);

static bool write_struct(struct sluice_buf *buf, const struct sluice_schema *schema,
                         const struct sluice_value *v, struct sluice_err *err)
{
    if (!schema || schema->type != SLUICE_STRUCT || schema->fields_len != v->len) {
        return sluice_err_set(err, "cannot write a struct that does not fit its schema");
    }
    if (!sluice_json_raw(buf, "{", 1, err)) return false;
    for (uint32_t i = 0; i < v->len; i++) {
        const struct sluice_field *field = &schema->fields[i];
        const struct sluice_value *value = &v->u.v[i];
        if (value->type == SLUICE_NULL && field->schema->has_dflt) value = &field->schema->dflt;
        if (i && !sluice_json_raw(buf, ",", 1, err)) return false;
        if (!quoted(buf, field->name, strlen(field->name), err)) return false;
        if (!sluice_json_raw(buf, ":", 1, err)) return false;
        if (!write_inner(buf, field->schema, value, err)) return false;
    }
    return sluice_json_raw(buf, "}", 1, err);
}

static bool write_children(struct sluice_buf *buf, const struct sluice_schema *schema,
                           const struct sluice_value *v, struct sluice_err *err)
{
    bool map = v->type == SLUICE_MAP;
    if (!sluice_json_raw(buf, map ? "{" : "[", 1, err)) return false;
    for (size_t i = 0; i < v->len; i++) {
        const struct sluice_value *item = &v->u.v[map ? 2 * i : i];
        if (i && !sluice_json_raw(buf, ",", 1, err)) return false;
        if (map) {
            if (!write_inner(buf, schema ? schema->key : NULL, item, err)) return false;
            if (!sluice_json_raw(buf, ":", 1, err)) return false;
            item++;
        }
        if (!write_inner(buf, schema ? schema->elem : NULL, item, err)) return false;
    }
    return sluice_json_raw(buf, map ? "}" : "]", 1, err);
}

bool sluice_header_write(struct sluice_buf *buf, const struct sluice_schema *schema,
                         const struct sluice_value *v, struct sluice_err *err)
{
    switch (sluice_logical_of(schema)) {
    case SLUICE_LOGICAL_DATE:
        if (v->type == SLUICE_INT32) return write_time(buf, v->u.i * MS_PER_DAY);
        break;
    case SLUICE_LOGICAL_TIME:
    case SLUICE_LOGICAL_TIMESTAMP:
        if (v->type == SLUICE_INT32 || v->type == SLUICE_INT64) return write_time(buf, v->u.i);
        break;
    default: break;
    }
    if (v->type == SLUICE_STRUCT) return write_struct(buf, schema, v, err);
    if (v->type == SLUICE_ARRAY || v->type == SLUICE_MAP) {
        return write_children(buf, schema, v, err);
    }
    return sluice_java_text(buf, schema, v, err); /* octets come as base64 there */
}

static bool write_inner(struct sluice_buf *buf, const struct sluice_schema *schema,
                        const struct sluice_value *v, struct sluice_err *err)
{
    if (v->type == SLUICE_STRING) return quoted(buf, v->u.s, v->len, err);
    bool octets = v->type == SLUICE_BYTES && sluice_logical_of(schema) != SLUICE_LOGICAL_DECIMAL;
    if (octets && !sluice_json_raw(buf, "\"", 1, err)) return false;
    if (!sluice_header_write(buf, schema, v, err)) return false;
    return !octets || sluice_json_raw(buf, "\"", 1, err);
}
