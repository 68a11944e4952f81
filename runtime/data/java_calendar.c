/* java_calendar.c - see java_calendar.h. Days are counted as Java's calendar systems do: day 1 is
 * Monday, 1 January of year 1 (Gregorian). */
#include "data/java_calendar.h"

#include <assert.h>

#define DAY_MS INT64_C(86400000)
#define EPOCH INT64_C(719163)   /* day of 1970-01-01 */
#define CUTOVER INT64_C(577736) /* day of 1582-10-15, the first Gregorian one */
#define CUTOVER_YEAR 1582
#define SUNDAY 1

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a ^ b) < 0); }
static int64_t floor_mod(int64_t a, int64_t b) { return a - floor_div(a, b) * b; }

static bool leap(int64_t year, bool julian)
{
    if (floor_mod(year, 4) != 0) return false;
    return julian || floor_mod(year, 100) != 0 || floor_mod(year, 400) == 0;
}

static const int month_days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

static int days_before(int month, bool is_leap)
{
    assert(month >= 0 && month <= 12);
    return month_days[month] + (is_leap && month > 1);
}

/* Day of the first of a month, 0 to 11. */
static int64_t first_of(int64_t year, int month, bool julian)
{
    int64_t y = year - 1;
    int64_t days = 365 * y + floor_div(y, 4);
    if (julian) days -= 2; /* 1 January 1 is two days earlier there */
    else days += floor_div(y, 400) - floor_div(y, 100);
    return days + days_before(month, leap(year, julian)) + 1;
}

/* The last such weekday that is no later than the day. */
static int64_t weekday_before(int64_t day, int weekday)
{
    return day - floor_mod(day - (weekday - 1), 7);
}

/* The Sunday that begins the week of the first. */
static int64_t week_begin(int64_t first)
{
    int64_t begin = weekday_before(first + 6, SUNDAY);
    return begin > first ? begin - 7 : begin;
}

static int64_t year_of(int64_t day, bool julian)
{
    int64_t year =
        julian ? floor_div(4 * (day + 1) + 1464, 1461) : floor_div(400 * (day - 1), 146097) + 1;
    while (first_of(year, 0, julian) > day) year--;
    while (first_of(year + 1, 0, julian) <= day) year++;
    return year;
}

void sluice_calendar_of(int64_t unix_ms, int64_t value[CALENDAR_FIELDS])
{
    int64_t day = floor_div(unix_ms, DAY_MS) + EPOCH, ms = floor_mod(unix_ms, DAY_MS);
    bool julian = day < CUTOVER;
    int64_t year = year_of(day, julian), first = first_of(year, 0, julian);
    int64_t of_year = day - first; /* from 0 */
    assert(of_year >= 0 && of_year < 366);
    bool is_leap = leap(year, julian);
    int month = 0;
    while (days_before(month + 1, is_leap) <= of_year) month++;
    int64_t of_month = of_year - days_before(month, is_leap);
    if (year == CUTOVER_YEAR && !julian) of_year -= 10; /* as many days were left out */
    int64_t jan1 = day - of_year, month1 = day - of_month;
    if (year == CUTOVER_YEAR && !julian && month == 9) month1 += 10;

    value[CALENDAR_ERA] = year > 0;
    value[CALENDAR_YEAR] = year > 0 ? year : 1 - year;
    value[CALENDAR_MONTH] = month;
    value[CALENDAR_DAY_OF_MONTH] = of_month + 1;
    value[CALENDAR_DAY_OF_YEAR] = of_year + 1;
    value[CALENDAR_DAY_OF_WEEK] = floor_mod(day, 7) + 1;
    value[CALENDAR_DAY_OF_WEEK_IN_MONTH] = of_month / 7 + 1;
    value[CALENDAR_WEEK_OF_MONTH] = (day - week_begin(month1)) / 7 + 1;
    int64_t week = (day - week_begin(jan1)) / 7 + 1;
    int64_t next = week_begin(first_of(year + 1, 0, julian));
    bool of_next = week >= 52 && day >= next;
    value[CALENDAR_WEEK_OF_YEAR] = of_next ? 1 : week;
    value[CALENDAR_WEEK_YEAR] = of_next ? year + 1 : year;
    value[CALENDAR_HOUR_OF_DAY] = ms / 3600000;
    value[CALENDAR_AM_PM] = value[CALENDAR_HOUR_OF_DAY] / 12;
    value[CALENDAR_HOUR] = value[CALENDAR_HOUR_OF_DAY] % 12;
    value[CALENDAR_MINUTE] = ms / 60000 % 60;
    value[CALENDAR_SECOND] = ms / 1000 % 60;
    value[CALENDAR_MILLISECOND] = ms % 1000;
    value[CALENDAR_ZONE_OFFSET] = 0;
}

void sluice_calendar_set(struct sluice_calendar *calendar, enum calendar_field field, int32_t value)
{
    assert(field < CALENDAR_FIELDS);
    calendar->value[field] = value;
    calendar->stamp[field] = ++calendar->stamps;
}

/* ---- from fields ---- */

enum day_by { /* which fields say the day */
              BY_DAY_OF_MONTH,
              BY_WEEK_OF_MONTH,
              BY_DAY_OF_WEEK_IN_MONTH,
              BY_DAY_OF_YEAR,
              BY_WEEK_OF_YEAR
};

static int max2(int a, int b) { return a > b ? a : b; }
static int both(int a, int b) { return a && b ? max2(a, b) : 0; }

/* The group of fields that was set last. */
static enum day_by select_day(const int *stamp)
{
    int weekday = stamp[CALENDAR_DAY_OF_WEEK], dom = stamp[CALENDAR_DAY_OF_MONTH];
    int wom = both(stamp[CALENDAR_WEEK_OF_MONTH], weekday);
    int dowim = both(stamp[CALENDAR_DAY_OF_WEEK_IN_MONTH], weekday);
    int doy = stamp[CALENDAR_DAY_OF_YEAR];
    int woy = both(stamp[CALENDAR_WEEK_OF_YEAR], weekday);
    int best = max2(max2(max2(dom, wom), max2(dowim, doy)), woy);
    if (!best) { /* no whole group: weeks alone; a weekday alone is one of the month's first */
        wom = stamp[CALENDAR_WEEK_OF_MONTH];
        dowim = max2(stamp[CALENDAR_DAY_OF_WEEK_IN_MONTH], weekday);
        woy = stamp[CALENDAR_WEEK_OF_YEAR];
        best = max2(max2(wom, dowim), woy);
        if (!best) best = dom = stamp[CALENDAR_MONTH];
    }
    if (best == dom) return BY_DAY_OF_MONTH;
    int week_of_year = stamp[CALENDAR_WEEK_OF_YEAR];
    if ((best == wom && stamp[CALENDAR_WEEK_OF_MONTH] >= week_of_year) ||
        (best == dowim && stamp[CALENDAR_DAY_OF_WEEK_IN_MONTH] >= week_of_year)) {
        if (wom == dowim) {
            return stamp[CALENDAR_WEEK_OF_MONTH] >= stamp[CALENDAR_DAY_OF_WEEK_IN_MONTH]
                       ? BY_WEEK_OF_MONTH
                       : BY_DAY_OF_WEEK_IN_MONTH;
        }
        return best == wom ? BY_WEEK_OF_MONTH : BY_DAY_OF_WEEK_IN_MONTH;
    }
    return best == doy ? BY_DAY_OF_YEAR : BY_WEEK_OF_YEAR;
}

static int64_t month_day(const struct sluice_calendar *c, enum day_by by, int64_t year, int month,
                         bool julian)
{
    int64_t day = first_of(year, month, julian);
    bool has_weekday = c->stamp[CALENDAR_DAY_OF_WEEK];
    if (by == BY_DAY_OF_MONTH) {
        return c->stamp[CALENDAR_DAY_OF_MONTH] ? day + c->value[CALENDAR_DAY_OF_MONTH] - 1 : day;
    }
    if (by == BY_WEEK_OF_MONTH) {
        int64_t begin = week_begin(day);
        if (has_weekday) begin = weekday_before(begin + 6, c->value[CALENDAR_DAY_OF_WEEK]);
        return begin + 7 * ((int64_t)c->value[CALENDAR_WEEK_OF_MONTH] - 1);
    }
    int weekday = has_weekday ? c->value[CALENDAR_DAY_OF_WEEK] : SUNDAY;
    int64_t nth =
        c->stamp[CALENDAR_DAY_OF_WEEK_IN_MONTH] ? c->value[CALENDAR_DAY_OF_WEEK_IN_MONTH] : 1;
    if (nth >= 0) return weekday_before(day + 7 * nth - 1, weekday);
    bool is_leap = leap(year, julian);
    int length = days_before(month + 1, is_leap) - days_before(month, is_leap);
    return weekday_before(day + length + 7 * (nth + 1) - 1, weekday);
}

static int64_t day_of(const struct sluice_calendar *c, enum day_by by, int64_t year, bool julian)
{
    if (by <= BY_DAY_OF_WEEK_IN_MONTH) {
        int64_t month = c->stamp[CALENDAR_MONTH] ? c->value[CALENDAR_MONTH] : 0;
        return month_day(c, by, year + floor_div(month, 12), (int)floor_mod(month, 12), julian);
    }
    int64_t day = first_of(year, 0, julian);
    if (by == BY_DAY_OF_YEAR) return day + c->value[CALENDAR_DAY_OF_YEAR] - 1;
    int64_t begin = week_begin(day);
    if (c->stamp[CALENDAR_DAY_OF_WEEK] && c->value[CALENDAR_DAY_OF_WEEK] != SUNDAY) {
        begin = weekday_before(begin + 6, c->value[CALENDAR_DAY_OF_WEEK]);
    }
    return begin + 7 * ((int64_t)c->value[CALENDAR_WEEK_OF_YEAR] - 1);
}

static int64_t day_in_either(const struct sluice_calendar *c, int64_t year, int64_t extra)
{
    enum day_by by = select_day(c->stamp);
    int64_t gregorian = extra + day_of(c, by, year, false);
    int64_t julian = extra + day_of(c, by, year, true);
    if (year > CUTOVER_YEAR && gregorian >= CUTOVER) return gregorian;
    if (year < CUTOVER_YEAR && julian < CUTOVER) return julian;
    if (year < CUTOVER_YEAR) gregorian = julian;
    if (by >= BY_DAY_OF_YEAR) return julian; /* counted from a January that was Julian */
    return gregorian >= CUTOVER && julian >= CUTOVER ? gregorian : julian;
}

/* The day that a week year, week and weekday mean. */
static int64_t week_date(const struct sluice_calendar *c, int64_t extra)
{
    int64_t week = c->stamp[CALENDAR_WEEK_OF_YEAR] ? c->value[CALENDAR_WEEK_OF_YEAR] : 1;
    int64_t weekday = c->stamp[CALENDAR_DAY_OF_WEEK] ? c->value[CALENDAR_DAY_OF_WEEK] : SUNDAY;
    if (weekday >= 8) { /* what a lenient ISO weekday came as */
        weekday--;
        week += weekday / 7;
        weekday = weekday % 7 + 1;
        weekday = weekday == 7 ? SUNDAY : weekday + 1;
    } else if (weekday <= 0) {
        week += floor_div(weekday - 1, 7);
        weekday = floor_mod(weekday - 1, 7) + 1;
        weekday = weekday == 7 ? SUNDAY : weekday + 1;
    }
    int64_t year = c->value[CALENDAR_WEEK_YEAR];
    return week_begin(first_of(year, 0, year < CUTOVER_YEAR)) + weekday - SUNDAY + 7 * (week - 1) +
           extra;
}

static int64_t hours(const struct sluice_calendar *c)
{
    const int *stamp = c->stamp;
    int hour = both(stamp[CALENDAR_HOUR], stamp[CALENDAR_AM_PM]);
    int of_day = stamp[CALENDAR_HOUR_OF_DAY];
    int best = max2(of_day, hour);
    if (!best) best = max2(stamp[CALENDAR_HOUR], stamp[CALENDAR_AM_PM]);
    if (best && best == of_day) return c->value[CALENDAR_HOUR_OF_DAY];
    int64_t half = stamp[CALENDAR_AM_PM] ? c->value[CALENDAR_AM_PM] : 0;
    return (stamp[CALENDAR_HOUR] ? c->value[CALENDAR_HOUR] : 0) + 12 * half;
}

int64_t sluice_calendar_time(const struct sluice_calendar *c)
{
    int64_t year = c->stamp[CALENDAR_YEAR] ? c->value[CALENDAR_YEAR] : 1970;
    int64_t ms =
        ((hours(c) * 60 + c->value[CALENDAR_MINUTE]) * 60 + c->value[CALENDAR_SECOND]) * 1000 +
        c->value[CALENDAR_MILLISECOND];
    int64_t extra = floor_div(ms, DAY_MS), day;
    ms = floor_mod(ms, DAY_MS);
    if (c->stamp[CALENDAR_ERA] && c->value[CALENDAR_ERA] == 0) year = 1 - year;
    if (c->stamp[CALENDAR_WEEK_YEAR] > c->stamp[CALENDAR_YEAR]) day = week_date(c, extra);
    else day = day_in_either(c, year, extra);
    uint64_t total = (uint64_t)(day - EPOCH) * (uint64_t)DAY_MS + (uint64_t)ms;
    return (int64_t)(total - (uint64_t)(int64_t)c->value[CALENDAR_ZONE_OFFSET]);
}
