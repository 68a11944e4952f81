/* types_time.c - dates, times, intervals: see types.h.
 *
 * The server writes them in ISO style and UTC (conn.c sees to that): fixed positions, but for years
 * beyond four digits and " BC" at the end. Everything is proleptic Gregorian, as in Java. */
#include "types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US INT64_C(86400000000)
/* Debezium's stand-ins for infinity. */
#define PLUS_INFINITY_US INT64_C(9223372036825200000)
#define MINUS_INFINITY_US (-INT64_C(9223372036832400000))
#define PLUS_INFINITY_DAYS (-2147472692)
#define MINUS_INFINITY_DAYS (-2147472691)

struct moment {
    int64_t year; /* astronomical: 1 BC is 0 */
    int month, day;
    int64_t day_us; /* since midnight; 24:00:00 is 86400000000 */
    int offset_s;   /* of the zone, east positive */
    int infinite;   /* 1, -1, or 0 */
};

static bool bad(struct cdc_memory *memory, const char *why)
{
    memory->why = why;
    return false;
}

static int64_t days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void civil_from_days(int64_t z, int64_t *y, int *m, int *d)
{
    z += 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *d = (int)(doy - (153 * mp + 2) / 5 + 1);
    *m = (int)(mp < 10 ? mp + 3 : mp - 9);
    *y = yoe + era * 400 + (*m <= 2);
}

/* ---- reading ---- */

static bool number(const char **p, const char *end, int min, int max, int64_t *out)
{
    int64_t v = 0;
    int n = 0;
    while (*p < end && **p >= '0' && **p <= '9' && n < max) {
        v = v * 10 + (**p - '0');
        (*p)++;
        n++;
    }
    *out = v;
    return n >= min;
}

static bool literal(const char **p, const char *end, char c)
{
    if (*p == end || **p != c) return false;
    (*p)++;
    return true;
}

static bool read_date(const char **p, const char *end, struct moment *out)
{
    int64_t month, day;
    if (!number(p, end, 4, 7, &out->year) || !literal(p, end, '-') ||
        !number(p, end, 2, 2, &month) || !literal(p, end, '-') || !number(p, end, 2, 2, &day))
        return false;
    out->month = (int)month;
    out->day = (int)day;
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool read_time(const char **p, const char *end, struct moment *out)
{
    int64_t h, m, s, fraction = 0;
    if (!number(p, end, 2, 2, &h) || !literal(p, end, ':') || !number(p, end, 2, 2, &m) ||
        !literal(p, end, ':') || !number(p, end, 2, 2, &s))
        return false;
    if (literal(p, end, '.')) {
        const char *start = *p;
        if (!number(p, end, 1, 6, &fraction)) return false;
        for (int i = (int)(*p - start); i < 6; i++) fraction *= 10;
    }
    out->day_us = ((h * 60 + m) * 60 + s) * 1000000 + fraction;
    return h <= 24 && m < 60 && s <= 60;
}

static bool read_zone(const char **p, const char *end, struct moment *out)
{
    if (*p == end || (**p != '+' && **p != '-')) return true;
    int sign = *(*p)++ == '-' ? -1 : 1;
    int64_t h, m = 0, s = 0;
    if (!number(p, end, 2, 2, &h) || (literal(p, end, ':') && !number(p, end, 2, 2, &m)) ||
        (literal(p, end, ':') && !number(p, end, 2, 2, &s)))
        return false;
    out->offset_s = sign * (int)(h * 3600 + m * 60 + s);
    return true;
}

static bool read_moment(const char *text, uint32_t len, bool has_date, bool has_time,
                        struct moment *out)
{
    const char *p = text, *end = text + len;
    memset(out, 0, sizeof(*out));
    if (len == 8 && !memcmp(text, "infinity", 8)) {
        out->infinite = 1;
        return true;
    }
    if (len == 9 && !memcmp(text, "-infinity", 9)) {
        out->infinite = -1;
        return true;
    }
    if (has_date && !read_date(&p, end, out)) return false;
    if (has_date && has_time && !literal(&p, end, ' ')) return false;
    if (has_time && (!read_time(&p, end, out) || !read_zone(&p, end, out))) return false;
    if (end - p == 3 && !memcmp(p, " BC", 3)) {
        out->year = 1 - out->year;
        p = end;
    }
    return p == end;
}

/* ---- writing ---- */

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* Appends ".123456": digits of it, or with digits < 0 as few as needed, none for 0. */
static char *write_fraction(char *p, int64_t micros, int digits)
{
    char all[6];
    for (int64_t left = micros % 1000000, i = 5; i >= 0; i--, left /= 10)
        all[i] = (char)('0' + left % 10);
    if (digits < 0)
        for (digits = 6; digits && all[digits - 1] == '0';) digits--;
    if (digits) {
        *p++ = '.';
        memcpy(p, all, (size_t)digits);
    }
    return p + digits;
}

static char *two(char *p, int64_t v)
{
    p[0] = (char)('0' + v / 10 % 10);
    p[1] = (char)('0' + v % 10);
    return p + 2;
}

static char *write_time(char *p, int64_t day_us, int digits)
{
    int64_t s = day_us / 1000000;
    p = two(p, s / 3600);
    *p++ = ':';
    p = two(p, s / 60 % 60);
    *p++ = ':';
    p = two(p, s % 60);
    return write_fraction(p, day_us, digits);
}

/* Years as java.time writes them: at least four digits, a plus sign beyond 9999. */
static char *write_date(char *p, int64_t days)
{
    int64_t year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    if (year >= 0 && year <= 9999) {
        p = two(p, year / 100);
        p = two(p, year);
    } else {
        p += snprintf(p, 16, "%s%04lld", year < 0 ? "-" : "+", llabs((long long)year));
    }
    *p++ = '-';
    p = two(p, month);
    *p++ = '-';
    return two(p, day);
}

static struct sluice_value iso(struct cdc_memory *memory, bool date, bool time, int64_t days,
                               int64_t day_us, int digits)
{
    char *start = cdc_take(memory, 64), *p = start;
    if (date) p = write_date(p, days);
    if (date && time) *p++ = 'T';
    if (time) p = write_time(p, day_us, digits);
    *p++ = 'Z';
    return sluice_string(start, (size_t)(p - start));
}

/* ---- converters ---- */

bool cdc_to_date(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                 uint32_t len, struct sluice_value *out)
{
    struct moment m;
    if (!read_moment(text, len, true, false, &m)) return bad(memory, "not a date");
    int64_t days = m.infinite > 0   ? PLUS_INFINITY_DAYS
                   : m.infinite < 0 ? MINUS_INFINITY_DAYS
                                    : days_from_civil(m.year, m.month, m.day);
    *out = binding->unit == CDC_ISO ? iso(memory, true, false, days, 0, 0)
                                    : sluice_int32((int32_t)days);
    return true;
}

bool cdc_to_time(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                 uint32_t len, struct sluice_value *out)
{
    struct moment m;
    if (!read_moment(text, len, false, true, &m) || m.infinite) return bad(memory, "not a time");
    switch ((enum cdc_unit)binding->unit) {
    case CDC_ISO:
        *out = iso(memory, false, true, 0, m.day_us % DAY_US, -1); /* 24:00 is not ISO's */
        break;
    case CDC_MILLIS: *out = sluice_int32((int32_t)(m.day_us / 1000)); break;
    case CDC_MICROS: *out = sluice_int64(m.day_us); break;
    case CDC_NANOS: *out = sluice_int64(m.day_us * 1000); break;
    }
    return true;
}

bool cdc_to_timetz(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                   uint32_t len, struct sluice_value *out)
{
    (void)binding;
    struct moment m;
    if (!read_moment(text, len, false, true, &m) || m.infinite)
        return bad(memory, "not a time with time zone");
    int64_t us = (m.day_us - (int64_t)m.offset_s * 1000000) % DAY_US;
    *out = iso(memory, false, true, 0, us < 0 ? us + DAY_US : us, -1);
    return true;
}

/* Days and microseconds of the day in UTC; infinity as Debezium's stand-in, whose day starts before
 * the microseconds that 64 bits can count. */
static bool moment_us(struct cdc_memory *memory, const char *text, uint32_t len, int64_t *days,
                      int64_t *day_us, int *infinite)
{
    struct moment m;
    if (!read_moment(text, len, true, true, &m)) return bad(memory, "not a timestamp");
    *infinite = m.infinite;
    if (m.infinite) {
        int64_t us = m.infinite > 0 ? PLUS_INFINITY_US : MINUS_INFINITY_US;
        *days = floor_div(us, DAY_US);
        *day_us = us % DAY_US + (us < 0 ? DAY_US : 0);
        return true;
    }
    *days = days_from_civil(m.year, m.month, m.day);
    *day_us = m.day_us - (int64_t)m.offset_s * 1000000;
    int64_t carry = floor_div(*day_us, DAY_US);
    *days += carry;
    *day_us -= carry * DAY_US;
    return true;
}

bool cdc_to_timestamp(const struct cdc_binding *binding, struct cdc_memory *memory,
                      const char *text, uint32_t len, struct sluice_value *out)
{
    int64_t days, day_us, us, ns;
    int infinite;
    if (!moment_us(memory, text, len, &days, &day_us, &infinite)) return false;
    if (binding->unit == CDC_ISO) {
        *out = iso(memory, true, true, days, day_us, -1);
        return true;
    }
    if (infinite) {
        us = infinite > 0 ? PLUS_INFINITY_US : MINUS_INFINITY_US;
    } else if (binding->unit == CDC_MILLIS) {
        *out = sluice_int64(days * (DAY_US / 1000) + day_us / 1000);
        return true;
    } else if (__builtin_mul_overflow(days, DAY_US, &us) ||
               __builtin_add_overflow(us, day_us, &us)) { /* Postgres goes on to 294276 */
        return bad(memory, "microseconds hold only the years up to 294246");
    }
    if (binding->unit != CDC_NANOS) {
        *out = sluice_int64(binding->unit == CDC_MILLIS ? floor_div(us, 1000) : us);
        return true;
    }
    if (infinite) ns = infinite > 0 ? INT64_MAX : INT64_MIN;
    else if (__builtin_mul_overflow(us, 1000, &ns))
        return bad(memory, "nanoseconds hold only the years 1677 to 2262");
    *out = sluice_int64(ns);
    return true;
}

/* Two digits of which each is one; else more than 99. */
static unsigned pair(const char *text)
{
    unsigned tens = (unsigned char)(text[0] - '0'), ones = (unsigned char)(text[1] - '0');
    return tens > 9 || ones > 9 ? 100 : tens * 10 + ones;
}

/* What the server nearly always writes, "2026-11-21 08:40:08.1234+00", is ISO's text already, but
 * for the blank, the zone, and zeros at the end. False: it is something else. */
static bool copy_moment(struct cdc_memory *memory, const char *text, uint32_t len, int digits,
                        struct sluice_value *out)
{
    enum { SECONDS = sizeof("2026-11-21 08:40:08") - 1, ZONE = 3 };
    if (len < SECONDS + ZONE || memcmp(text + len - ZONE, "+00", ZONE) != 0) return false;
    uint32_t end = len - ZONE, fraction = end - SECONDS; /* with its point */
    unsigned month = pair(text + 5), day = pair(text + 8);
    if (text[4] != '-' || text[7] != '-' || text[10] != ' ' || text[13] != ':' || text[16] != ':' ||
        pair(text) > 99 || pair(text + 2) > 99 || month - 1 > 11 || day - 1 > 30 ||
        pair(text + 11) > 23 || pair(text + 14) > 59 || pair(text + 17) > 59)
        return false;
    if (fraction && (text[SECONDS] != '.' || fraction == 1 || fraction - 1 > (uint32_t)digits))
        return false;
    for (uint32_t i = SECONDS + 1; i < end; i++)
        if ((unsigned char)(text[i] - '0') > 9) return false;
    char *copy = cdc_take(memory, SECONDS + 1 + (size_t)digits + 1);
    memset(copy + SECONDS, '0', (size_t)digits + 1);
    memcpy(copy, text, end);
    copy[10] = 'T';
    size_t n = SECONDS;
    if (digits) copy[n] = '.', n += 1 + (size_t)digits;
    copy[n++] = 'Z';
    *out = sluice_string(copy, n);
    return true;
}

bool cdc_to_timestamptz(const struct cdc_binding *binding, struct cdc_memory *memory,
                        const char *text, uint32_t len, struct sluice_value *out)
{
    int64_t days, day_us;
    int infinite;
    if (binding->scale >= 0 && binding->scale <= 6 &&
        copy_moment(memory, text, len, binding->scale, out))
        return true;
    if (!moment_us(memory, text, len, &days, &day_us, &infinite)) return false;
    *out =
        infinite ? sluice_string(text, len) : iso(memory, true, true, days, day_us, binding->scale);
    return true;
}

/* ---- intervals: "1 year 2 mons -3 days +04:05:06.78" ---- */

__extension__ typedef __int128 wide;

struct interval {
    int64_t years, months, days, time_us;
};

static bool read_clock(const char **p, const char *end, int sign, int64_t hours, int64_t *us)
{
    int64_t m, s, fraction = 0;
    if (!literal(p, end, ':') || !number(p, end, 2, 2, &m) || !literal(p, end, ':') ||
        !number(p, end, 2, 2, &s))
        return false;
    if (literal(p, end, '.')) {
        const char *start = *p;
        if (!number(p, end, 1, 6, &fraction)) return false;
        for (int i = (int)(*p - start); i < 6; i++) fraction *= 10;
    }
    /* Postgres has as many microseconds as 64 bits hold. */
    return !__builtin_mul_overflow(sign * hours, INT64_C(3600000000), us) &&
           !__builtin_add_overflow(*us, sign * ((m * 60 + s) * 1000000 + fraction), us);
}

static bool read_interval(const char *text, uint32_t len, struct interval *out)
{
    const char *p = text, *end = text + len;
    memset(out, 0, sizeof(*out));
    while (p < end) {
        int64_t v;
        int sign = 1;
        if (*p == '-' || *p == '+') sign = *p++ == '-' ? -1 : 1;
        if (!number(&p, end, 1, 12, &v) || p == end) return false;
        if (*p == ':') {
            if (!read_clock(&p, end, sign, v, &out->time_us) || p != end) return false;
            break;
        }
        if (!literal(&p, end, ' ') || p == end) return false;
        int64_t *field = *p == 'y' ? &out->years : *p == 'm' ? &out->months : &out->days;
        if (!strchr("ymd", *p)) return false;
        *field = sign * v;
        while (p < end && *p != ' ') p++;
        if (p < end) p++;
    }
    return true;
}

/* What 64 bits do not hold is the nearest that they do, as in Debezium; Postgres' intervals go to
 * 178 million years. A month is 30.4375 days: 2629800 seconds exactly. */
static int64_t interval_us(const struct interval *v)
{
    wide us = (wide)(v->years * 12 + v->months) * INT64_C(2629800000000) + (wide)v->days * DAY_US +
              v->time_us;
    return us > INT64_MAX ? INT64_MAX : us < INT64_MIN ? INT64_MIN : (int64_t)us;
}

bool cdc_to_interval(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                     uint32_t len, struct sluice_value *out)
{
    struct interval v;
    if (!read_interval(text, len, &v)) return bad(memory, "not an interval");
    if (binding->schema.type == SLUICE_INT64) {
        *out = sluice_int64(interval_us(&v));
        return true;
    }
    char *start = cdc_take(memory, 128);
    int64_t us = v.time_us, s = us / 1000000;
    int n = snprintf(start, 96, "P%lldY%lldM%lldDT%lldH%lldM%s%lld", (long long)v.years,
                     (long long)v.months, (long long)v.days, (long long)(s / 3600),
                     (long long)(s / 60 % 60), us < 0 && s % 60 == 0 && us % 1000000 ? "-" : "",
                     (long long)(s % 60));
    char *p = write_fraction(start + n, llabs((long long)(us % 1000000)), -1);
    *p++ = 'S';
    *out = sluice_string(start, (size_t)(p - start));
    return true;
}
