/* java_date_parse.c - SimpleDateFormat.parse(): see java_date.h. Each part takes what it can from
 * the text and sets a calendar field; the calendar then makes sense of them. */
#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/java_date.h"
#include "data/java_date_pattern.h"

struct reading {
    const char *text;
    size_t len, at;
    struct sluice_calendar fields;
    bool ambiguous; /* a two-digit year that may be of either century */
};

static bool digit(char c) { return c >= '0' && c <= '9'; }

/* ---- numbers ---- */

/* DecimalFormat for integers, intValue() of it: "-12", "1E2"; not behind end. */
static bool take_number(struct reading *r, size_t end, int32_t *value)
{
    size_t at = r->at;
    bool minus = at < end && r->text[at] == '-';
    uint64_t whole = 0;
    double big = 0;
    at += minus;
    size_t first = at;
    for (; at < end && digit(r->text[at]); at++) {
        whole = whole * 10 + (uint64_t)(r->text[at] - '0');
        big = big * 10 + (r->text[at] - '0');
    }
    if (at == first) return false;
    if (end - at >= 2 && r->text[at] == 'E') {
        size_t from = at + 1 + (r->text[at + 1] == '-');
        int exponent = 0;
        size_t e = from;
        for (; e < end && digit(r->text[e]) && e - from < 5; e++) {
            exponent = exponent * 10 + (r->text[e] - '0');
        }
        if (e > from) {
            big *= pow(10, from > at + 1 ? -exponent : exponent);
            big = trunc(big);
            whole = big < 9e18 ? (uint64_t)big : 0;
            at = e;
        }
    }
    if (big < 9.2e18) {
        *value = (int32_t)(uint32_t)(minus ? 0 - whole : whole);
    } else {
        *value = minus ? INT32_MIN : INT32_MAX;
    }
    r->at = at;
    return true;
}

/* ---- names ---- */

static bool starts_with(const struct reading *r, size_t at, const char *name, size_t len)
{
    return r->len - at >= len && strncasecmp(r->text + at, name, len) == 0;
}

/* The longest of n names, whole or by their first three letters. */
static bool take_name(struct reading *r, const char *const *names, int n, size_t shortened,
                      enum calendar_field field, int32_t base)
{
    size_t best = 0;
    for (int i = 0; i < n; i++) {
        size_t len = strlen(names[i]);
        if (starts_with(r, r->at, names[i], len) && len > best) {
            best = len;
        } else if (shortened && starts_with(r, r->at, names[i], shortened) && shortened > best) {
            best = shortened;
        } else {
            continue;
        }
        sluice_calendar_set(&r->fields, field, base + i);
    }
    r->at += best;
    return best > 0;
}

/* ---- zones ---- */

static void set_offset(struct reading *r, int minutes)
{
    sluice_calendar_set(&r->fields, CALENDAR_ZONE_OFFSET, minutes * 60000);
}

/* hh[:]mm behind a sign; letters: how many X, 0 for others. */
static bool take_offset(struct reading *r, int sign, unsigned letters, bool colon)
{
    size_t at = r->at;
    if (at >= r->len || !digit(r->text[at])) return false;
    int hours = r->text[at++] - '0', minutes = 0;
    if (at < r->len && digit(r->text[at])) hours = hours * 10 + (r->text[at++] - '0');
    else if (at >= r->len || letters > 0 || !colon) return false;
    if (hours > 23) return false;
    if (letters != 1) {
        if (colon && (at >= r->len || r->text[at++] != ':')) return false;
        if (r->len - at < 2 || !digit(r->text[at]) || !digit(r->text[at + 1])) return false;
        minutes = (r->text[at] - '0') * 10 + (r->text[at + 1] - '0');
        at += 2;
        if (minutes > 59) return false;
    }
    set_offset(r, sign * (hours * 60 + minutes));
    r->at = at;
    return true;
}

struct zone {
    const char *name;
    int minutes;
};

/* Java knows some hundred more; none of them is told apart by an abbreviation for sure. */
static const struct zone zones[] = {
    {"Coordinated Universal Time", 0},
    {"UTC", 0},
    {"Eastern Standard Time", -300},
    {"Eastern Daylight Time", -240},
    {"Central Standard Time", -360},
    {"Central Daylight Time", -300},
    {"Mountain Standard Time", -420},
    {"Mountain Daylight Time", -360},
    {"Pacific Standard Time", -480},
    {"Pacific Daylight Time", -420},
    {"Central European Standard Time", 60},
    {"Central European Summer Time", 120},
    {"Japan Standard Time", 540},
    {"EST", -300},
    {"EDT", -240},
    {"CST", -360},
    {"CDT", -300},
    {"MST", -420},
    {"MDT", -360},
    {"PST", -480},
    {"PDT", -420},
    {"AKST", -540},
    {"AKDT", -480},
    {"HST", -600},
    {"CET", 60},
    {"CEST", 120},
    {"EET", 120},
    {"EEST", 180},
    {"JST", 540},
    {"MSK", 180},
};

static bool take_zone(struct reading *r)
{
    char c = r->text[r->at];
    if (c == '+' || c == '-') {
        r->at++;
        return take_offset(r, c == '+' ? 1 : -1, 0, false);
    }
    if (starts_with(r, r->at, "GMT", 3)) {
        r->at += 3;
        c = r->at < r->len ? r->text[r->at] : '\0';
        if (c == '+' || c == '-') {
            r->at++;
            return take_offset(r, c == '+' ? 1 : -1, 0, true);
        }
        set_offset(r, 0);
        return true;
    }
    const struct zone *best = NULL;
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        size_t len = strlen(zones[i].name);
        if (!starts_with(r, r->at, zones[i].name, len)) continue;
        if (!best || len > strlen(best->name)) best = &zones[i];
    }
    if (!best) return false;
    set_offset(r, best->minutes);
    r->at += strlen(best->name);
    return true;
}

static bool take_iso_zone(struct reading *r, unsigned letters)
{
    char c = r->text[r->at++];
    if (c == 'Z') {
        set_offset(r, 0);
        return true;
    }
    return (c == '+' || c == '-') && take_offset(r, c == '+' ? 1 : -1, letters, letters == 3);
}

/* ---- parts ---- */

/* Whether the number before this part ends where its letters do. */
static bool is_number(const struct sluice_date_part *part)
{
    if (part->letter == 'M' || part->letter == 'L') return part->count <= 2;
    return part->letter && strchr("yYdkHmsSDFwWhKu", part->letter) != NULL;
}

static void set_year(const struct sluice_java_date *date, const struct sluice_date_part *part,
                     struct reading *r, size_t start, int32_t year)
{
    if (part->count <= 2 && r->at - start == 2 && digit(r->text[start]) &&
        digit(r->text[start + 1])) { /* of the century around now */
        int32_t first = date->century_year % 100;
        r->ambiguous = year == first;
        year += date->century_year / 100 * 100 + (year < first ? 100 : 0);
    }
    sluice_calendar_set(&r->fields, part->letter == 'Y' ? CALENDAR_WEEK_YEAR : CALENDAR_YEAR, year);
}

static void set_number(const struct sluice_java_date *date, const struct sluice_date_part *part,
                       struct reading *r, size_t start, int32_t v)
{
    switch (part->letter) {
    case 'y':
    case 'Y': set_year(date, part, r, start, v); return;
    case 'M':
    case 'L': sluice_calendar_set(&r->fields, CALENDAR_MONTH, (int32_t)((uint32_t)v - 1)); return;
    case 'k': sluice_calendar_set(&r->fields, CALENDAR_HOUR_OF_DAY, v == 24 ? 0 : v); return;
    case 'h': sluice_calendar_set(&r->fields, CALENDAR_HOUR, v == 12 ? 0 : v); return;
    case 'u': /* 1 is Monday; others are put right when the week date is made */
        if (v >= 1 && v <= 7) v = v == 7 ? 1 : v + 1;
        sluice_calendar_set(&r->fields, CALENDAR_DAY_OF_WEEK, v);
        return;
    default: sluice_calendar_set(&r->fields, sluice_date_field(part->letter), v);
    }
}

static bool take_part(const struct sluice_java_date *date, const struct sluice_date_part *part,
                      bool obey, struct reading *r)
{
    static const char *const eras[] = {"BC", "AD"}, *const long_eras[] = {"Before Christ",
                                                                          "Anno Domini"};
    static const char *const halves[] = {"AM", "PM"};
    size_t begin = r->at; /* names begin here, even on a blank */
    while (r->at < r->len && (r->text[r->at] == ' ' || r->text[r->at] == '\t')) r->at++;
    if (r->at == r->len) return false;
    size_t start = r->at;
    if (is_number(part)) {
        int32_t v;
        if (obey && part->count > r->len - begin) return false;
        if (!take_number(r, obey ? begin + part->count : r->len, &v)) return false;
        set_number(date, part, r, start, v);
        return true;
    }
    if (part->letter == 'z' || part->letter == 'Z') return take_zone(r);
    if (part->letter == 'X') return take_iso_zone(r, part->count);
    r->at = begin;
    switch (part->letter) {
    case 'G':
        return take_name(r, long_eras, 2, 0, CALENDAR_ERA, 0) ||
               take_name(r, eras, 2, 0, CALENDAR_ERA, 0);
    case 'E': return take_name(r, sluice_java_weekdays, 7, 3, CALENDAR_DAY_OF_WEEK, 1);
    case 'a': return take_name(r, halves, 2, 0, CALENDAR_AM_PM, 0);
    default: return take_name(r, sluice_java_months, 12, 3, CALENDAR_MONTH, 0);
    }
}

bool sluice_java_date_parse(const struct sluice_java_date *date, const char *text, size_t len,
                            int64_t *unix_ms)
{
    struct reading r = {.text = text, .len = len};
    assert(date && (text || len == 0) && unix_ms);
    for (size_t i = 0; i < date->n; i++) {
        const struct sluice_date_part *part = &date->parts[i];
        if (!part->letter) {
            if (len - r.at < part->count || memcmp(text + r.at, part->text, part->count) != 0) {
                return false;
            }
            r.at += part->count;
            continue;
        }
        bool obey = i + 1 < date->n && is_number(part + 1);
        if (!take_part(date, part, obey, &r)) return false;
    }
    if (r.at == 0) return false;
    assert(r.at <= len);
    *unix_ms = sluice_calendar_time(&r.fields);
    if (r.ambiguous && *unix_ms < date->century_ms) {
        enum calendar_field year =
            r.fields.stamp[CALENDAR_WEEK_YEAR] ? CALENDAR_WEEK_YEAR : CALENDAR_YEAR;
        r.fields.value[year] += 100;
        *unix_ms = sluice_calendar_time(&r.fields);
    }
    return true;
}
