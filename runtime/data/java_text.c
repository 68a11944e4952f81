/* java_text.c - see java_text.h. */
#include "data/java_text.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "data/base64.h"
#include "data/decimal.h"
#include "data/json_io.h"
#include "data/json_text.h"
#include "data/schema.h"

#define MS_PER_DAY INT64_C(86400000)

enum sluice_logical sluice_logical_of(const struct sluice_schema *schema)
{
    static const char package[] = "org.apache.kafka.connect.data.";
    static const struct {
        const char *name;
        uint8_t type, logical;
    } all[] = {{"Decimal", SLUICE_BYTES, SLUICE_LOGICAL_DECIMAL},
               {"Date", SLUICE_INT32, SLUICE_LOGICAL_DATE},
               {"Time", SLUICE_INT32, SLUICE_LOGICAL_TIME},
               {"Timestamp", SLUICE_INT64, SLUICE_LOGICAL_TIMESTAMP}};
    if (!schema || !schema->name) return SLUICE_LOGICAL_NONE;
    if (strncmp(schema->name, package, sizeof package - 1) != 0) return SLUICE_LOGICAL_NONE;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].type == schema->type &&
            strcmp(schema->name + sizeof package - 1, all[i].name) == 0) {
            return all[i].logical;
        }
    }
    return SLUICE_LOGICAL_NONE;
}

/* ---- the calendar: years that begin in March, in eras of 400 years ---- */

int64_t sluice_days_of(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct sluice_date sluice_date_of(int64_t unix_ms)
{
    int64_t days = unix_ms / MS_PER_DAY, ms = unix_ms % MS_PER_DAY;
    if (ms < 0) {
        ms += MS_PER_DAY;
        days--;
    }
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t march = (5 * of_year + 2) / 153;
    struct sluice_date date = {
        .month = (int)(march < 10 ? march + 3 : march - 9),
        .day = (int)(of_year - (153 * march + 2) / 5 + 1),
        .weekday = (int)(((days % 7) + 11) % 7),
        .hour = (int)(ms / 3600000),
        .minute = (int)(ms / 60000 % 60),
        .second = (int)(ms / 1000 % 60),
        .ms = (int)(ms % 1000),
    };
    date.year = year + era * 400 + (date.month <= 2);
    return date;
}

/* java.util.Date.toString() in UTC. */
static bool write_date(struct sluice_buf *buf, int64_t ms)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct sluice_date d = sluice_date_of(ms);
    return sluice_buf_addf(buf, "%.3s %.3s %02d %02d:%02d:%02d UTC %04lld", days + 3 * d.weekday,
                           months + 3 * (d.month - 1), d.day, d.hour, d.minute, d.second,
                           (long long)d.year);
}

/* ---- values ---- */

static bool write_children(struct sluice_buf *buf, const struct sluice_schema *schema,
                           const struct sluice_value *v, struct sluice_err *err)
{
    bool map = v->type == SLUICE_MAP;
    const struct sluice_schema *elem = schema ? schema->elem : NULL;
    if (!sluice_json_raw(buf, map ? "{" : "[", 1, err)) return false;
    for (size_t i = 0; i < v->len; i++) {
        const struct sluice_value *item = &v->u.v[map ? 2 * i : i];
        if (i && !sluice_json_raw(buf, ", ", 2, err)) return false;
        if (map) {
            if (!sluice_java_text(buf, schema ? schema->key : NULL, item, err)) return false;
            if (!sluice_json_raw(buf, "=", 1, err)) return false;
            item++;
        }
        if (!sluice_java_text(buf, elem, item, err)) return false;
    }
    return sluice_json_raw(buf, map ? "}" : "]", 1, err);
}

static bool write_struct(struct sluice_buf *buf, const struct sluice_schema *schema,
                         const struct sluice_value *v, struct sluice_err *err)
{
    bool first = true;
    if (!schema || schema->type != SLUICE_STRUCT || schema->fields_len != v->len) {
        return sluice_err_set(err, "cannot write a struct that does not fit its schema");
    }
    if (!sluice_json_raw(buf, "Struct{", 7, err)) return false;
    for (uint32_t i = 0; i < v->len; i++) {
        if (v->u.v[i].type == SLUICE_NULL) continue;
        const struct sluice_field *field = &schema->fields[i];
        if (!first && !sluice_json_raw(buf, ",", 1, err)) return false;
        first = false;
        if (!sluice_json_raw(buf, field->name, strlen(field->name), err)) return false;
        if (!sluice_json_raw(buf, "=", 1, err)) return false;
        if (!sluice_java_text(buf, field->schema, &v->u.v[i], err)) return false;
    }
    return sluice_json_raw(buf, "}", 1, err);
}

static bool write_octets(struct sluice_buf *buf, const struct sluice_schema *schema,
                         const struct sluice_value *v, struct sluice_err *err)
{
    if (sluice_logical_of(schema) == SLUICE_LOGICAL_DECIMAL) {
        int32_t scale;
        return sluice_decimal_scale(schema, &scale, err) &&
               sluice_decimal_text(buf, v->u.s, v->len, scale, err);
    }
    if (!sluice_json_room(buf, ((size_t)v->len + 2) / 3 * 4, err)) return false;
    char *end = sluice_base64_write(buf->data + buf->len, v->u.s, v->len);
    buf->len = (size_t)(end - buf->data);
    return true;
}

static bool write_real(struct sluice_buf *buf, const struct sluice_value *v, struct sluice_err *err)
{
    char text[32];
    size_t n = v->type == SLUICE_FLOAT32 ? sluice_float_text((float)v->u.d, text)
                                         : sluice_double_text(v->u.d, text);
    return sluice_json_raw(buf, text, n, err);
}

bool sluice_java_text(struct sluice_buf *buf, const struct sluice_schema *schema,
                      const struct sluice_value *v, struct sluice_err *err)
{
    switch ((enum sluice_type)v->type) {
    case SLUICE_NULL: return sluice_json_raw(buf, "null", 4, err);
    case SLUICE_INT32:
    case SLUICE_INT64:
        switch (sluice_logical_of(schema)) {
        case SLUICE_LOGICAL_DATE: return write_date(buf, v->u.i * MS_PER_DAY);
        case SLUICE_LOGICAL_TIME:
        case SLUICE_LOGICAL_TIMESTAMP: return write_date(buf, v->u.i);
        default: return sluice_json_int(buf, v->u.i, err);
        }
    case SLUICE_INT8:
    case SLUICE_INT16: return sluice_json_int(buf, v->u.i, err);
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64: return write_real(buf, v, err);
    case SLUICE_BOOLEAN: return sluice_json_bool(buf, v->u.i != 0, err);
    case SLUICE_STRING: return sluice_json_raw(buf, v->u.s, v->len, err);
    case SLUICE_BYTES: return write_octets(buf, schema, v, err);
    case SLUICE_ARRAY:
    case SLUICE_MAP: return write_children(buf, schema, v, err);
    case SLUICE_STRUCT: return write_struct(buf, schema, v, err);
    }
    return sluice_err_set(err, "cannot write a value of unknown type");
}
