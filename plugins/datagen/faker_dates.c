/* faker_dates.c - faker.date and datatype.datetime. Dates without a refDate hang on the clock, as
 * FakerJS's do: only those with one are the same for the same seed. */
#include "js.h"

#include <math.h>
#include <time.h>

#define DAY_MS 86400000.0

static double to_ms(const struct js *js, const struct sluice_value *v)
{
    double ms = js_is_nothing(v) ? NAN : js_date_ms(v);
    return isnan(ms) ? js->now_ms : ms;
}

static bool is_options(const struct sluice_value *args, size_t n)
{
    return n && args[0].type == SLUICE_MAP;
}

/* past, future, recent, soon: some time before or after refDate, at most count units away. */
static struct sluice_value around(struct js *js, const struct sluice_value *args, size_t n,
                                  const char *unit, double unit_ms, int sign)
{
    struct sluice_value ref = n > 1 ? args[1] : js_undefined();
    double count = 1;
    if (is_options(args, n)) {
        struct sluice_value own = js_get(args, "refDate");
        if (own.flags != JS_UNDEFINED) ref = own;
        count = js_option(args, unit, 1);
    } else if (n && !js_is_nothing(&args[0])) {
        count = js_number(&args[0]);
    }
    if (!(count > 0) || count * unit_ms < 1000) {
        return js_throw(js, "%s must be greater than 0.", unit);
    }
    double away = js_int(js, 1000, floor(count * unit_ms));
    return js_date(to_ms(js, &ref) + sign * away);
}

static struct sluice_value past(struct js *js, const struct sluice_value *args, size_t n)
{
    return around(js, args, n, "years", 365 * DAY_MS, -1);
}

static struct sluice_value future(struct js *js, const struct sluice_value *args, size_t n)
{
    return around(js, args, n, "years", 365 * DAY_MS, 1);
}

static struct sluice_value recent(struct js *js, const struct sluice_value *args, size_t n)
{
    return around(js, args, n, "days", DAY_MS, -1);
}

static struct sluice_value soon(struct js *js, const struct sluice_value *args, size_t n)
{
    return around(js, args, n, "days", DAY_MS, 1);
}

static struct sluice_value draw_between(struct js *js, double from, double to)
{
    if (!(to >= from)) return js_throw(js, "Max %g should be greater than min 0.", to - from);
    return js_date(from + js_int(js, 0, to - from));
}

static struct sluice_value between(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value from = n ? args[0] : js_undefined(), to = n > 1 ? args[1] : from;
    if (is_options(args, n)) {
        from = js_get(args, "from");
        to = js_get(args, "to");
    }
    return draw_between(js, to_ms(js, &from), to_ms(js, &to));
}

static struct sluice_value anytime(struct js *js, const struct sluice_value *args, size_t n)
{
    struct sluice_value ref = is_options(args, n) ? js_get(args, "refDate") : js_undefined();
    double now = to_ms(js, &ref);
    return draw_between(js, now - 365 * DAY_MS, now + 365 * DAY_MS);
}

static double utc_ms(int year, int month, int day)
{
    struct tm t = {.tm_year = year - 1900, .tm_mon = month, .tm_mday = day};
    return (double)timegm(&t) * 1000;
}

static double limit(const struct sluice_value *args, size_t n, const char *key, double most)
{
    double v = NAN;
    if (is_options(args, n)) v = js_option(args, key, NAN);
    else if (n) v = js_number(&args[0]); /* datetime(max) */
    bool own = is_options(args, n) || key[1] == 'a';
    return own && fabs(v) <= 8.64e15 ? v : most;
}

static struct sluice_value datetime(struct js *js, const struct sluice_value *args, size_t n)
{
    double from = limit(args, n, "min", utc_ms(1990, 0, 1));
    return draw_between(js, from, limit(args, n, "max", utc_ms(2100, 0, 1)));
}

/* The same day and time in another year. */
static double with_year(double ms, int year)
{
    double seconds = floor(ms / 1000);
    time_t at = (time_t)seconds;
    struct tm t;
    (void)gmtime_r(&at, &t);
    t.tm_year = year - 1900;
    return (double)timegm(&t) * 1000 + (ms - seconds * 1000);
}

/* A number of years, within what dates can have. */
static int years(const struct sluice_value *options, const char *key, int fallback)
{
    double v = js_option(options, key, fallback);
    return v >= -9999 && v <= 9999 ? (int)v : v > 0 ? 9999 : -9999;
}

static struct sluice_value birthdate(struct js *js, const struct sluice_value *args, size_t n)
{
    static const struct sluice_value none = {.type = SLUICE_MAP};
    const struct sluice_value *options = is_options(args, n) ? args : &none;
    struct sluice_value ref = js_get(options, "refDate"), mode = js_get(options, "mode");
    double now = to_ms(js, &ref), from, to;
    if (!(fabs(now) <= JS_MAX_DATE)) return js_throw(js, "refDate is no date");
    time_t seconds = (time_t)floor(now / 1000);
    struct tm t;
    (void)gmtime_r(&seconds, &t);
    int year = t.tm_year + 1900;
    if (mode.type == SLUICE_STRING && mode.len == 3 && memcmp(mode.u.s, "age", 3) == 0) {
        from = with_year(now, year - years(options, "max", 80) - 1);
        to = with_year(now, year - years(options, "min", 18));
    } else {
        from = utc_ms(years(options, "min", year - 80), 0, 2);
        to = utc_ms(years(options, "max", year - 19), 11, 30);
    }
    if (!(to >= from)) return js_throw(js, "birthdate: max should be larger than or equal to min");
    return js_date(js_int(js, from, to));
}

static bool abbreviated(const struct sluice_value *args, size_t n)
{
    struct sluice_value v = is_options(args, n) ? js_get(args, "abbreviated") : js_undefined();
    struct sluice_value old = is_options(args, n) ? js_get(args, "abbr") : js_undefined();
    return js_truthy(js_is_nothing(&v) ? &old : &v);
}

static struct sluice_value month(struct js *js, const struct sluice_value *args, size_t n)
{
    return js_pick_list(js, abbreviated(args, n) ? LIST_MONTH_ABBR : LIST_MONTH);
}

static struct sluice_value weekday(struct js *js, const struct sluice_value *args, size_t n)
{
    return js_pick_list(js, abbreviated(args, n) ? LIST_WEEKDAY_ABBR : LIST_WEEKDAY);
}

const struct js_function faker_dates[] = {
    {"faker.date.past", KIND_DATE, 0, 2, past, NULL},
    {"faker.date.future", KIND_DATE, 0, 2, future, NULL},
    {"faker.date.recent", KIND_DATE, 0, 2, recent, NULL},
    {"faker.date.soon", KIND_DATE, 0, 2, soon, NULL},
    {"faker.date.between", KIND_DATE, 0, 2, between, NULL},
    {"faker.date.anytime", KIND_DATE, 0, 1, anytime, NULL},
    {"faker.date.birthdate", KIND_DATE, 0, 1, birthdate, NULL},
    {"faker.date.month", KIND_STRING, 0, 1, month, NULL},
    {"faker.date.weekday", KIND_STRING, 0, 1, weekday, NULL},
    {"faker.datatype.datetime", KIND_DATE, 0, 1, datetime, NULL},
    {0},
};
