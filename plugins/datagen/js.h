/* js.h - the values and functions of the small part of JavaScript that dataset expressions are
 * written in, and what a native function needs: random numbers, word lists, memory, errors.
 *
 * A value is a sluice_value: numbers are FLOAT64, objects MAPs with STRING keys; what Connect does
 * not have is told by flags. js_finish() makes plain data of it, as JSON.stringify would. */
#ifndef DATAGEN_JS_H
#define DATAGEN_JS_H

#include "mersenne.h"
#include "util.h"

#include <math.h>

#define JS_MAX_ITEMS 10000     /* of an array */
#define JS_MAX_TEXT (1u << 20) /* bytes of a string */
#define JS_MAX_SAFE 9007199254740991.0
#define JS_MAX_DATE 8.64e15 /* milliseconds around 1970 */

enum js_flag {
    JS_PLAIN,
    JS_UNDEFINED, /* type NULL */
    JS_FUNCTION,  /* type NULL, u.s: its struct expr */
    JS_DATE       /* type FLOAT64: milliseconds since 1970 */
};

/* What is known of a value before it is there: decides inferred schemas. */
enum js_kind {
    KIND_ANY,
    KIND_INT,
    KIND_FLOAT,
    KIND_STRING,
    KIND_BOOL,
    KIND_DATE,
    KIND_ARRAY,
    KIND_OBJECT,
    KIND_NULL,
    KIND_UNDEFINED,
    KIND_FUNCTION
};

/* Word lists that native functions name; others are found by their name. */
enum faker_list_id {
    LIST_FIRST_NAME,
    LIST_FEMALE_FIRST_NAME,
    LIST_MALE_FIRST_NAME,
    LIST_MIDDLE_NAME,
    LIST_FEMALE_MIDDLE_NAME,
    LIST_MALE_MIDDLE_NAME,
    LIST_LAST_NAME,
    LIST_PREFIX,
    LIST_FEMALE_PREFIX,
    LIST_MALE_PREFIX,
    LIST_NAME_SUFFIX,
    LIST_JOB_DESCRIPTOR,
    LIST_JOB_AREA,
    LIST_JOB_TYPE,
    LIST_COMPANY_SUFFIX,
    LIST_CATCH_ADJECTIVE,
    LIST_CATCH_DESCRIPTOR,
    LIST_CATCH_NOUN,
    LIST_BUZZ_VERB,
    LIST_BUZZ_ADJECTIVE,
    LIST_BUZZ_NOUN,
    LIST_CITY_PREFIX,
    LIST_CITY_SUFFIX,
    LIST_CITY_NAME,
    LIST_STREET_SUFFIX,
    LIST_STREET_NAME,
    LIST_STATE,
    LIST_STATE_ABBR,
    LIST_COUNTRY_ALPHA2,
    LIST_COUNTRY_ALPHA3,
    LIST_COUNTRY_NUMERIC,
    LIST_DIRECTION,
    LIST_DIRECTION_ABBR,
    LIST_ADJECTIVE,
    LIST_MATERIAL,
    LIST_PRODUCT,
    LIST_EXAMPLE_EMAIL,
    LIST_FREE_EMAIL,
    LIST_DOMAIN_SUFFIX,
    LIST_WORD_ADJECTIVE,
    LIST_WORD_NOUN,
    LIST_LOREM,
    LIST_PHONE,
    LIST_MONTH,
    LIST_MONTH_ABBR,
    LIST_WEEKDAY,
    LIST_WEEKDAY_ABBR,
    LIST_ACCOUNT_TYPE,
    LIST_CURRENCY_SYMBOL,
    LIST_MANUFACTURER,
    LIST_MODEL,
    LIST_COUNT
};

struct faker_list {
    const struct sluice_value *items; /* STRINGs; NULL: not opened yet */
    uint32_t len;
};

struct js {
    struct mersenne random;
    struct datagen_arena *arena; /* of the plan: opened word lists */
    struct faker_list lists[LIST_COUNT];
    struct datagen_mem *mem; /* of the record under way */
    double iteration;        /* 1-based */
    double now_ms;
    int depth;   /* of calls */
    bool failed; /* something was thrown: err says what */
    struct sluice_err err;
};

typedef struct sluice_value (*js_native)(struct js *js, const struct sluice_value *args, size_t n);

struct js_function {
    const char *name; /* "faker.commerce.price" */
    uint8_t kind;     /* of the result: enum js_kind */
    uint8_t elem;     /* KIND_ARRAY: of the items */
    uint8_t max_args;
    js_native native; /* NULL: one of the list */
    const char *list;
};

/* A native function by its name, aliases (address, name) included; NULL when there is none. */
const struct js_function *js_function_find(const char *name, size_t len);
/* Names like this one, for messages: "faker.commerce: price, product, ..." in text. */
void js_function_known(const char *name, size_t len, char *text, size_t size);
extern const struct js_function js_builtins[], faker_basics[], faker_texts[], faker_dates[],
    faker_helpers[]; /* each ended by one without a name */

/* A list by name, opened in the arena; false when there is none. */
bool faker_list_open(struct datagen_arena *arena, const char *name, struct faker_list *list);
const struct faker_list *faker_list(struct js *js, enum faker_list_id id);

/* Notes an error and returns undefined. */
struct sluice_value js_throw(struct js *js, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct sluice_value js_call(struct js *js, struct sluice_value function);

/* ---- values ---- */
static inline struct sluice_value js_undefined(void)
{
    struct sluice_value v = sluice_null();
    v.flags = JS_UNDEFINED;
    return v;
}
static inline struct sluice_value js_date(double ms)
{
    bool valid = ms >= -JS_MAX_DATE && ms <= JS_MAX_DATE;
    struct sluice_value v = sluice_float64(valid ? ms : (double)NAN);
    v.flags = JS_DATE;
    return v;
}
static inline bool js_is_number(const struct sluice_value *v)
{
    return v->type == SLUICE_FLOAT64 && v->flags == JS_PLAIN;
}
static inline bool js_is_function(const struct sluice_value *v)
{
    return v->type == SLUICE_NULL && v->flags == JS_FUNCTION;
}
/* null or undefined */
static inline bool js_is_nothing(const struct sluice_value *v)
{
    return v->type == SLUICE_NULL && v->flags != JS_FUNCTION;
}

bool js_truthy(const struct sluice_value *v);
double js_number(const struct sluice_value *v);
/* As String(v) makes it. */
struct sluice_value js_string(struct js *js, struct sluice_value v);
struct sluice_value js_text(struct js *js, const char *s); /* a copy of a C string */
/* The strings in a row; each is a STRING. */
struct sluice_value js_concat(struct js *js, const struct sluice_value *parts, size_t n);
/* An object's field, undefined when there is none. */
struct sluice_value js_get(const struct sluice_value *object, const char *key);
/* The number at key of an object, or the fallback. */
double js_option(const struct sluice_value *object, const char *key, double fallback);
/* "2026-01-02T03:04:05.678Z" (or "Invalid Date") at out, at least 32 bytes; length. */
size_t js_iso_text(char *out, double ms);
/* A date of what new Date(v) takes; NaN when it is none. */
double js_date_ms(const struct sluice_value *v);
/* Digits as JavaScript writes a number at out (at least 32 bytes); length. */
size_t js_number_text(char *out, double v);
/* Plain data as JSON.stringify would write it: whole numbers as INT64, dates as text, NaN as null.
 * Undefined stays undefined. */
struct sluice_value js_finish(struct js *js, struct sluice_value v);

/* ---- random numbers, as FakerJS draws them ---- */
/* A whole number in [min, max]: faker.number.int; no draw when there is only one. */
static inline double js_int(struct js *js, double min, double max)
{
    if (min == max) return min;
    double d = mersenne_next(&js->random) * (max + 1 - min) + min;
    if (!(d > -JS_MAX_SAFE && d < JS_MAX_SAFE)) return d; /* has no parts */
    return (double)(int64_t)(d < 0 && d != (double)(int64_t)d ? d - 1 : d);
}
static inline struct sluice_value js_pick(struct js *js, const struct sluice_value *items,
                                          uint32_t n)
{
    return items[n > 1 ? (uint32_t)(mersenne_next(&js->random) * n) : 0];
}
static inline struct sluice_value js_pick_list(struct js *js, enum faker_list_id id)
{
    const struct faker_list *list = faker_list(js, id);
    return js_pick(js, list->items, list->len);
}
static inline bool js_coin(struct js *js) { return mersenne_next(&js->random) < 0.5; }
/* A count: a number, or {min, max} drawn. */
double js_range(struct js *js, const struct sluice_value *v, double fallback);

#endif
