/* js_value.c - JavaScript's conversions, as far as expressions need them. */
#include "js.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct sluice_value js_throw(struct js *js, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (!js->failed) (void)vsnprintf(js->err.msg, sizeof(js->err.msg), fmt, args);
    va_end(args);
    js->failed = true;
    return js_undefined();
}

bool js_truthy(const struct sluice_value *v)
{
    switch (v->type) {
    case SLUICE_NULL: return v->flags == JS_FUNCTION;
    case SLUICE_BOOLEAN: return v->u.i != 0;
    case SLUICE_STRING: return v->len != 0;
    case SLUICE_INT64: return v->u.i != 0; /* a finished number */
    case SLUICE_FLOAT64: return v->flags == JS_DATE || (v->u.d != 0 && !isnan(v->u.d));
    default: return true;
    }
}

double js_number(const struct sluice_value *v)
{
    switch (v->type) {
    case SLUICE_FLOAT64: return v->u.d;
    case SLUICE_INT64:
    case SLUICE_BOOLEAN: return (double)v->u.i;
    case SLUICE_STRING: {
        char text[64], *end;
        if (v->len >= sizeof(text)) return NAN;
        memcpy(text, v->u.s, v->len);
        text[v->len] = '\0';
        double d = strtod(text, &end);
        while (*end == ' ') end++;
        return *end ? NAN : d;
    }
    case SLUICE_NULL: return v->flags == JS_PLAIN ? 0 : NAN;
    default: return NAN;
    }
}

/* The fewest digits that read back as v (digits, without point) and its decimal exponent. */
static int shortest(double v, char *digits)
{
    char text[40];
    for (int n = 1; n <= 17; n++) {
        (void)snprintf(text, sizeof(text), "%.*e", n - 1, v);
        if (strtod(text, NULL) == v) break;
    }
    char *e = strchr(text, 'e');
    size_t len = 0;
    for (const char *p = text; p < e; p++) {
        if (*p >= '0' && *p <= '9') digits[len++] = *p;
    }
    digits[len] = '\0';
    return (int)strtol(e + 1, NULL, 10);
}

size_t js_number_text(char *out, double v)
{
    char digits[24];
    size_t n = 0;
    if (isnan(v)) return (size_t)snprintf(out, 32, "NaN");
    if (isinf(v)) return (size_t)snprintf(out, 32, v < 0 ? "-Infinity" : "Infinity");
    if (fabs(v) < 1e15 && v == (double)(int64_t)v) return datagen_digits(out, (int64_t)v);
    int exponent = shortest(fabs(v), digits), len = (int)strlen(digits);
    if (v < 0) out[n++] = '-';
    if (exponent >= 21 || exponent < -6) {
        n += (size_t)snprintf(out + n, 28, "%c%s%se%+d", digits[0], len > 1 ? "." : "", digits + 1,
                              exponent);
    } else if (exponent < 0) {
        n += (size_t)snprintf(out + n, 28, "0.%.*s%s", -exponent - 1, "000000", digits);
    } else if (len <= exponent + 1) {
        n += (size_t)snprintf(out + n, 28, "%s%.*s", digits, exponent + 1 - len,
                              "000000000000000000000");
    } else {
        n += (size_t)snprintf(out + n, 28, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
    }
    return n;
}

size_t js_iso_text(char *out, double ms)
{
    if (!(fabs(ms) <= JS_MAX_DATE)) return (size_t)snprintf(out, 32, "Invalid Date");
    double s = floor(ms / 1000);
    time_t seconds = (time_t)s;
    struct tm t;
    (void)gmtime_r(&seconds, &t);
    int year = t.tm_year + 1900;
    const char *form = year >= 0 && year <= 9999 ? "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"
                                                 : "%+07d-%02d-%02dT%02d:%02d:%02d.%03dZ";
    char text[80];
    int n = snprintf(text, sizeof(text), form, year, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min,
                     t.tm_sec, (int)(ms - s * 1000));
    if (n > 31) n = 31;
    memcpy(out, text, (size_t)n);
    return (size_t)n;
}

/* ISO 8601 dates and times; without a zone: UTC. */
static double parse_date(const char *text)
{
    int year, month = 1, day = 1, hour = 0, minute = 0, used = 0;
    double second = 0;
    if (sscanf(text, "%d%n-%d%n-%d%n", &year, &used, &month, &used, &day, &used) < 1) return NAN;
    const char *p = text + used;
    if (*p == 'T' || *p == ' ') {
        p++;
        used = 0;
        if (sscanf(p, "%d:%d%n:%lf%n", &hour, &minute, &used, &second, &used) < 2) return NAN;
        p += used;
    }
    int zone = 0, zone_hour, zone_minute;
    if (*p == 'Z') p++;
    else if ((*p == '+' || *p == '-') &&
             sscanf(p + 1, "%2d:%2d%n", &zone_hour, &zone_minute, &used) == 2) {
        zone = (*p == '-' ? -1 : 1) * (zone_hour * 60 + zone_minute);
        p += 1 + used;
    }
    bool sane = year >= 0 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
                hour >= 0 && hour <= 24 && minute >= 0 && minute <= 59 && second >= 0 &&
                second < 60;
    if (*p || !sane) return NAN;
    struct tm t = {.tm_year = year - 1900,
                   .tm_mon = month - 1,
                   .tm_mday = day,
                   .tm_hour = hour,
                   .tm_min = minute - zone};
    return (double)timegm(&t) * 1000 + floor(second * 1000 + 0.5);
}

double js_date_ms(const struct sluice_value *v)
{
    char text[64];
    if (v->type == SLUICE_FLOAT64) return v->u.d;
    if (v->type != SLUICE_STRING || v->len >= sizeof(text)) return NAN;
    memcpy(text, v->u.s, v->len);
    text[v->len] = '\0';
    return parse_date(text);
}

struct sluice_value js_text(struct js *js, const char *s)
{
    size_t n = strlen(s);
    char *copy = datagen_mem_take(js->mem, n);
    memcpy(copy, s, n);
    return sluice_string(copy, n);
}

struct sluice_value js_concat(struct js *js, const struct sluice_value *parts, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) len += parts[i].len;
    if (len > JS_MAX_TEXT) return js_throw(js, "a string of more than %u bytes", JS_MAX_TEXT);
    char *s = datagen_mem_take(js->mem, len), *to = s;
    for (size_t i = 0; i < n; i++) {
        memcpy(to, parts[i].u.s, parts[i].len);
        to += parts[i].len;
    }
    return sluice_string(s, len);
}

static struct sluice_value join_items(struct js *js, const struct sluice_value *array)
{
    struct sluice_value text = sluice_string("", 0);
    if (++js->depth > 50) return js_throw(js, "values are nested too deep");
    for (uint32_t i = 0; i < array->len; i++) {
        struct sluice_value parts[3] = {text, sluice_string(",", i ? 1 : 0)};
        parts[2] =
            js_is_nothing(&array->u.v[i]) ? sluice_string("", 0) : js_string(js, array->u.v[i]);
        text = js_concat(js, parts, 3);
    }
    js->depth--;
    return text;
}

struct sluice_value js_string(struct js *js, struct sluice_value v)
{
    char text[40];
    switch (v.type) {
    case SLUICE_STRING: return v;
    case SLUICE_NULL:
        return v.flags == JS_PLAIN ? sluice_string("null", 4) : sluice_string("undefined", 9);
    case SLUICE_BOOLEAN: return v.u.i ? sluice_string("true", 4) : sluice_string("false", 5);
    case SLUICE_INT64: text[datagen_digits(text, v.u.i)] = '\0'; return js_text(js, text);
    case SLUICE_FLOAT64:
        text[v.flags == JS_DATE ? js_iso_text(text, v.u.d) : js_number_text(text, v.u.d)] = '\0';
        return js_text(js, text);
    case SLUICE_ARRAY: return join_items(js, &v);
    default: return sluice_string("[object Object]", 15);
    }
}

struct sluice_value js_get(const struct sluice_value *object, const char *key)
{
    size_t n = strlen(key);
    for (uint32_t i = 0; object->type == SLUICE_MAP && i < object->len; i++) {
        const struct sluice_value *name = &object->u.v[2 * i];
        if (name->len == n && memcmp(name->u.s, key, n) == 0) return name[1];
    }
    return js_undefined();
}

double js_option(const struct sluice_value *object, const char *key, double fallback)
{
    struct sluice_value v = js_get(object, key);
    return js_is_nothing(&v) ? fallback : js_number(&v);
}

double js_range(struct js *js, const struct sluice_value *v, double fallback)
{
    if (v->type == SLUICE_FLOAT64) return v->u.d;
    if (v->type != SLUICE_MAP) return fallback;
    double min = js_option(v, "min", 0), max = js_option(v, "max", JS_MAX_SAFE);
    if (!(max >= min)) {
        js_throw(js, "Max %g should be greater than min %g.", max, min);
        return fallback;
    }
    return js_int(js, ceil(min), floor(max));
}

static struct sluice_value finish_many(struct js *js, struct sluice_value v)
{
    size_t n = v.type == SLUICE_MAP ? 2 * (size_t)v.len : v.len, len = 0;
    struct sluice_value *out = datagen_mem_take(js->mem, n * sizeof(*out));
    if (++js->depth > 50) return js_throw(js, "values are nested too deep");
    for (size_t i = 0; i < n; i++) {
        struct sluice_value item = js_finish(js, v.u.v[i]);
        bool gone = item.type == SLUICE_NULL && item.flags == JS_UNDEFINED;
        if (gone && v.type == SLUICE_MAP) {
            len--; /* with its key */
        } else {
            item.flags = JS_PLAIN;
            out[len++] = item;
        }
    }
    js->depth--;
    v.u.v = out;
    v.len = (uint32_t)(v.type == SLUICE_MAP ? len / 2 : len);
    return v;
}

struct sluice_value js_finish(struct js *js, struct sluice_value v)
{
    switch (v.type) {
    case SLUICE_FLOAT64:
        if (v.flags == JS_DATE) {
            char *text = datagen_mem_room(js->mem, 32);
            if (isnan(v.u.d)) return sluice_null();
            size_t n = js_iso_text(text, v.u.d);
            datagen_mem_keep(js->mem, n);
            return sluice_string(text, n);
        }
        if (!(fabs(v.u.d) <= JS_MAX_SAFE)) return isfinite(v.u.d) ? v : sluice_null();
        return v.u.d == (double)(int64_t)v.u.d ? sluice_int64((int64_t)v.u.d) : v;
    case SLUICE_ARRAY:
    case SLUICE_MAP: return finish_many(js, v);
    case SLUICE_NULL: return v.flags == JS_FUNCTION ? js_undefined() : v;
    default: return v;
    }
}
