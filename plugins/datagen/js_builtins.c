/* js_builtins.c - Math, Date, String, Number and the methods of values (named ".slice", with the
 * value itself as first argument); and the search for functions by name. */
#include "js.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define UNUSED(js, args, n) ((void)(js), (void)(args), (void)(n))

static double arg(const struct sluice_value *args, size_t n, size_t i, double fallback)
{
    return i < n && args[i].flags != JS_UNDEFINED ? js_number(&args[i]) : fallback;
}

#define MATH(name, call)                                                                           \
    static struct sluice_value name(struct js *js, const struct sluice_value *args, size_t n)      \
    {                                                                                              \
        double v = arg(args, n, 0, NAN);                                                           \
        (void)js;                                                                                  \
        return sluice_float64(call);                                                               \
    }
MATH(math_floor, floor(v))
MATH(math_ceil, ceil(v))
MATH(math_round, floor(v + 0.5))
MATH(math_trunc, trunc(v))
MATH(math_abs, fabs(v))
MATH(math_sqrt, sqrt(v))
MATH(math_pow, pow(v, arg(args, n, 1, NAN)))

static struct sluice_value math_random(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(js, args, n);
    return sluice_float64(mersenne_next(&js->random));
}

static struct sluice_value extreme(const struct sluice_value *args, size_t n, bool most)
{
    double best = most ? -INFINITY : INFINITY;
    for (size_t i = 0; i < n; i++) {
        double v = js_number(&args[i]);
        if (isnan(v)) return sluice_float64(v);
        if (most ? v > best : v < best) best = v;
    }
    return sluice_float64(best);
}

static struct sluice_value math_min(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(js, args, n);
    return extreme(args, n, false);
}

static struct sluice_value math_max(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(js, args, n);
    return extreme(args, n, true);
}

static struct sluice_value date_now(struct js *js, const struct sluice_value *args, size_t n)
{
    UNUSED(js, args, n);
    return sluice_float64(js->now_ms);
}

static struct sluice_value new_date(struct js *js, const struct sluice_value *args, size_t n)
{
    return js_date(n ? js_date_ms(&args[0]) : js->now_ms);
}

static struct sluice_value to_string(struct js *js, const struct sluice_value *args, size_t n)
{
    return n ? js_string(js, args[0]) : sluice_string("", 0);
}

static struct sluice_value to_number(struct js *js, const struct sluice_value *args, size_t n)
{
    (void)js;
    return sluice_float64(arg(args, n, 0, 0));
}

static struct sluice_value to_bool(struct js *js, const struct sluice_value *args, size_t n)
{
    (void)js;
    return sluice_bool(n && js_truthy(&args[0]));
}

/* The number that the text begins with. */
static struct sluice_value parse_number(struct js *js, const struct sluice_value *args, size_t n,
                                        bool whole)
{
    char text[64], *end;
    struct sluice_value s = to_string(js, args, n);
    size_t len = s.len < sizeof(text) - 1 ? s.len : sizeof(text) - 1;
    memcpy(text, s.u.s, len);
    text[len] = '\0';
    double base = whole ? arg(args, n, 1, 10) : 10;
    double v = whole ? (double)strtoll(text, &end, base >= 2 && base <= 36 ? (int)base : 10)
                     : strtod(text, &end);
    return sluice_float64(end == text ? NAN : v);
}

static struct sluice_value parse_int(struct js *js, const struct sluice_value *args, size_t n)
{
    return parse_number(js, args, n, true);
}

static struct sluice_value parse_float(struct js *js, const struct sluice_value *args, size_t n)
{
    return parse_number(js, args, n, false);
}

/* ---- methods ---- */

static struct sluice_value to_iso(struct js *js, const struct sluice_value *args, size_t n)
{
    char text[40];
    (void)n;
    if (args[0].flags != JS_DATE || isnan(args[0].u.d)) return js_throw(js, "Invalid time value");
    text[js_iso_text(text, args[0].u.d)] = '\0';
    return js_text(js, text);
}

static struct sluice_value get_time(struct js *js, const struct sluice_value *args, size_t n)
{
    (void)n;
    if (args[0].flags != JS_DATE) return js_throw(js, "getTime() is a method of dates");
    return sluice_float64(args[0].u.d);
}

static struct sluice_value get_year(struct js *js, const struct sluice_value *args, size_t n)
{
    char text[40];
    (void)n;
    if (args[0].flags != JS_DATE) return js_throw(js, "getFullYear() is a method of dates");
    text[js_iso_text(text, args[0].u.d)] = '\0';
    return sluice_float64((double)strtol(text, NULL, 10));
}

/* A place in a string of len: negative ones count from the end when asked to. */
static size_t place(double v, size_t len, bool from_end)
{
    if (isnan(v)) return 0;
    v = trunc(v);
    if (v < 0) v = from_end && -v < (double)len ? (double)len + v : 0;
    return v > (double)len ? len : (size_t)v;
}

/* Bytes, not UTF-16 units: the same for ASCII. A cut inside a character moves to its start. */
static struct sluice_value cut(struct js *js, const struct sluice_value *args, size_t n,
                               bool from_end)
{
    size_t len = args[0].len;
    size_t from = place(arg(args, n, 1, 0), len, from_end);
    size_t to = place(arg(args, n, 2, (double)len), len, from_end);
    if (args[0].type == SLUICE_ARRAY) {
        return sluice_nested(SLUICE_ARRAY, args[0].u.v + from, from < to ? to - from : 0);
    }
    if (args[0].type != SLUICE_STRING) return js_throw(js, "slice() is a method of strings");
    if (!from_end && from > to) {
        size_t held = from;
        from = to;
        to = held;
    }
    while (from > 0 && from < len && (args[0].u.s[from] & 0xC0) == 0x80) from--;
    while (to > 0 && to < len && (args[0].u.s[to] & 0xC0) == 0x80) to--;
    return sluice_string(args[0].u.s + from, from < to ? to - from : 0);
}

static struct sluice_value slice(struct js *js, const struct sluice_value *args, size_t n)
{
    return cut(js, args, n, true);
}

static struct sluice_value substring(struct js *js, const struct sluice_value *args, size_t n)
{
    return cut(js, args, n, false);
}

static struct sluice_value recase(struct js *js, const struct sluice_value *args, bool upper)
{
    if (args[0].type != SLUICE_STRING) return js_throw(js, "a method of strings");
    char *s = datagen_mem_take(js->mem, args[0].len);
    for (uint32_t i = 0; i < args[0].len; i++) {
        char c = args[0].u.s[i];
        bool turn = upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';
        s[i] = turn ? (char)(c ^ 32) : c;
    }
    return sluice_string(s, args[0].len);
}

static struct sluice_value to_upper(struct js *js, const struct sluice_value *args, size_t n)
{
    (void)n;
    return recase(js, args, true);
}

static struct sluice_value to_lower(struct js *js, const struct sluice_value *args, size_t n)
{
    (void)n;
    return recase(js, args, false);
}

/* replace(text, text): the first one; replaceAll: every one. */
static struct sluice_value replace_text(struct js *js, const struct sluice_value *args, size_t n,
                                        bool all)
{
    bool strings = n == 3;
    for (size_t i = 0; i < 3 && strings; i++) strings = args[i].type == SLUICE_STRING;
    if (!strings) return js_throw(js, "replace() takes two strings here");
    struct sluice_value text = args[0];
    size_t from = 0;
    while (args[1].len && from + args[1].len <= text.len) {
        const char *hit = memmem(text.u.s + from, text.len - from, args[1].u.s, args[1].len);
        if (!hit) break;
        size_t before = (size_t)(hit - text.u.s);
        struct sluice_value parts[3] = {sluice_string(text.u.s, before), args[2]};
        parts[2] = sluice_string(hit + args[1].len, text.len - before - args[1].len);
        text = js_concat(js, parts, 3);
        from = before + args[2].len;
        if (!all || js->failed) break;
    }
    return text;
}

static struct sluice_value replace(struct js *js, const struct sluice_value *args, size_t n)
{
    return replace_text(js, args, n, false);
}

static struct sluice_value replace_all(struct js *js, const struct sluice_value *args, size_t n)
{
    return replace_text(js, args, n, true);
}

static struct sluice_value to_fixed(struct js *js, const struct sluice_value *args, size_t n)
{
    char text[400], longer[400];
    double digits = arg(args, n, 1, 0);
    if (!js_is_number(&args[0]) || !(digits >= 0 && digits <= 20) || fabs(args[0].u.d) >= 1e21) {
        return js_throw(js, "toFixed() takes 0 to 20 digits of a number");
    }
    double v = args[0].u.d;
    (void)snprintf(text, sizeof(text), "%.*f", (int)digits, v);
    /* C rounds a tie to the even digit, JavaScript up. */
    int len = snprintf(longer, sizeof(longer), "%.*f", (int)digits + 30, v);
    const char *tail = longer + len - 30;
    if (tail[0] == '5' && strspn(tail + 1, "0") == 29) {
        (void)snprintf(text, sizeof(text), "%.*f", (int)digits, nextafter(v, v * 2));
    }
    return js_text(js, text);
}

static struct sluice_value pad(struct js *js, const struct sluice_value *args, size_t n, bool start)
{
    struct sluice_value s = js_string(js, args[0]);
    struct sluice_value fill = n > 2 ? js_string(js, args[2]) : sluice_string(" ", 1);
    double wanted = arg(args, n, 1, 0);
    if (!(wanted <= JS_MAX_TEXT)) return js_throw(js, "padding to more than %u", JS_MAX_TEXT);
    if (!(wanted > s.len) || !fill.len) return s;
    size_t len = (size_t)wanted, add = len - s.len;
    char *to = datagen_mem_take(js->mem, len);
    memcpy(start ? to + add : to, s.u.s, s.len);
    for (size_t i = 0; i < add; i++) to[start ? i : s.len + i] = fill.u.s[i % fill.len];
    return sluice_string(to, len);
}

static struct sluice_value pad_start(struct js *js, const struct sluice_value *args, size_t n)
{
    return pad(js, args, n, true);
}

static struct sluice_value pad_end(struct js *js, const struct sluice_value *args, size_t n)
{
    return pad(js, args, n, false);
}

static struct sluice_value join(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value between = n > 1 ? js_string(js, args[1]) : sluice_string(",", 1);
    if (args[0].type != SLUICE_ARRAY) return js_throw(js, "join() is a method of arrays");
    size_t len = args[0].len;
    struct sluice_value *parts = datagen_mem_take(js->mem, (2 * len + 1) * sizeof(*parts));
    for (size_t i = 0; i < len; i++) {
        parts[2 * i] = i ? between : sluice_string("", 0);
        parts[2 * i + 1] = js_string(js, args[0].u.v[i]);
    }
    return js_concat(js, parts, 2 * len);
}

static struct sluice_value length(struct js *js, const struct sluice_value *args, size_t n)
{
    (void)n;
    if (args[0].type == SLUICE_ARRAY) return sluice_float64(args[0].len);
    if (args[0].type != SLUICE_STRING) return js_throw(js, "length is of strings and arrays");
    double units = 0;
    for (uint32_t i = 0; i < args[0].len; i++) {
        unsigned char c = (unsigned char)args[0].u.s[i];
        units += (c & 0xC0) != 0x80 ? (c >= 0xF0 ? 2 : 1) : 0;
    }
    return sluice_float64(units);
}

const struct js_function js_builtins[] = {
    {"Math.random", KIND_FLOAT, 0, 0, math_random, NULL},
    {"Math.floor", KIND_INT, 0, 1, math_floor, NULL},
    {"Math.ceil", KIND_INT, 0, 1, math_ceil, NULL},
    {"Math.round", KIND_INT, 0, 1, math_round, NULL},
    {"Math.trunc", KIND_INT, 0, 1, math_trunc, NULL},
    {"Math.abs", KIND_FLOAT, 0, 1, math_abs, NULL},
    {"Math.sqrt", KIND_FLOAT, 0, 1, math_sqrt, NULL},
    {"Math.pow", KIND_FLOAT, 0, 2, math_pow, NULL},
    {"Math.min", KIND_FLOAT, 0, 9, math_min, NULL},
    {"Math.max", KIND_FLOAT, 0, 9, math_max, NULL},
    {"Date.now", KIND_INT, 0, 0, date_now, NULL},
    {"new Date", KIND_DATE, 0, 1, new_date, NULL},
    {"String", KIND_STRING, 0, 1, to_string, NULL},
    {"Number", KIND_FLOAT, 0, 1, to_number, NULL},
    {"Boolean", KIND_BOOL, 0, 1, to_bool, NULL},
    {"parseInt", KIND_INT, 0, 2, parse_int, NULL},
    {"parseFloat", KIND_FLOAT, 0, 1, parse_float, NULL},
    {"Number.parseInt", KIND_INT, 0, 2, parse_int, NULL},
    {"Number.parseFloat", KIND_FLOAT, 0, 1, parse_float, NULL},
    {".toISOString", KIND_STRING, 0, 1, to_iso, NULL},
    {".toJSON", KIND_STRING, 0, 1, to_iso, NULL},
    {".getTime", KIND_INT, 0, 1, get_time, NULL},
    {".valueOf", KIND_INT, 0, 1, get_time, NULL},
    {".getFullYear", KIND_INT, 0, 1, get_year, NULL},
    {".getUTCFullYear", KIND_INT, 0, 1, get_year, NULL},
    {".slice", KIND_STRING, 0, 3, slice, NULL},
    {".substring", KIND_STRING, 0, 3, substring, NULL},
    {".toUpperCase", KIND_STRING, 0, 1, to_upper, NULL},
    {".toLowerCase", KIND_STRING, 0, 1, to_lower, NULL},
    {".replace", KIND_STRING, 0, 3, replace, NULL},
    {".replaceAll", KIND_STRING, 0, 3, replace_all, NULL},
    {".toFixed", KIND_STRING, 0, 2, to_fixed, NULL},
    {".toString", KIND_STRING, 0, 1, to_string, NULL},
    {".padStart", KIND_STRING, 0, 3, pad_start, NULL},
    {".padEnd", KIND_STRING, 0, 3, pad_end, NULL},
    {".join", KIND_STRING, 0, 2, join, NULL},
    {".length", KIND_INT, 0, 1, length, NULL},
    {0},
};

static const struct js_function *const tables[] = {js_builtins, faker_basics, faker_texts,
                                                   faker_dates, faker_helpers};

/* faker.address and faker.name are what location and person were called. */
static size_t canonical(const char *name, size_t len, char *out, size_t size)
{
    const char *module = NULL;
    size_t skip = 0;
    if (len > 14 && memcmp(name, "faker.address.", 14) == 0) module = "faker.location.", skip = 14;
    if (len > 11 && memcmp(name, "faker.name.", 11) == 0) module = "faker.person.", skip = 11;
    int n = snprintf(out, size, "%s%.*s", module ? module : "", (int)(len - skip), name + skip);
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

const struct js_function *js_function_find(const char *name, size_t len)
{
    char full[128];
    if (!canonical(name, len, full, sizeof(full))) return NULL;
    for (size_t t = 0; t < DATAGEN_COUNT(tables); t++) {
        for (const struct js_function *f = tables[t]; f->name; f++) {
            if (strcmp(f->name, full) == 0) return f;
        }
    }
    return NULL;
}

void js_function_known(const char *name, size_t len, char *text, size_t size)
{
    char full[128];
    size_t n = 0, at = canonical(name, len, full, sizeof(full));
    while (at && full[at - 1] != '.') at--;
    bool any = false;
    text[0] = '\0';
    for (int pass = 0; pass < 2 && !any; pass++) { /* of the module, else all modules */
        for (size_t t = 0; t < DATAGEN_COUNT(tables); t++) {
            for (const struct js_function *f = tables[t]; f->name && n + 2 < size; f++) {
                const char *end = pass ? strchr(f->name, '.') : NULL;
                if (pass ? !end || end == f->name : !at || strncmp(f->name, full, at) != 0)
                    continue;
                const char *from = f->name + (pass ? 0 : at);
                const char *dot = pass ? strrchr(f->name, '.') : NULL;
                size_t part = dot ? (size_t)(dot - from) : strlen(from);
                char word[80];
                (void)snprintf(word, sizeof(word), "%.*s,", (int)part, from);
                if (pass && strstr(text, word)) continue;
                n += (size_t)snprintf(text + n, size - n, "%s%s", any ? " " : "", word);
                any = true;
            }
        }
    }
    if (n >= size) n = size - 1;
    if (n) text[n - 1] = '\0'; /* the last comma */
}
