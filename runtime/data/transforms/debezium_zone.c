/* debezium_zone.c - see debezium_zone.h. A file has a list of transitions and, for all that comes
 * behind the last one, a rule in the form of POSIX' TZ variable. */
#include "data/transforms/debezium_zone.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/props.h"
#include "data/java_text.h"

#define ZONE_DIR "/usr/share/zoneinfo/"
#define FILE_MAX ((size_t)256 << 10)
#define TRANSITIONS_MAX 4000
#define HEAD_BYTES 44u
#define YEARS_MAX 1000000000 /* beyond that a rule is not asked */

struct change {
    int64_t at; /* Unix seconds */
    int32_t before, after;
};

struct day {   /* of a year */
    char form; /* 'M': day of a week of a month, 'J': 1 to 365 without 29 February, 'n': 0 to 365 */
    int month, week, day;
    int32_t time_s;
};

struct dbz_zone {
    struct change *changes;
    size_t n;
    int32_t first;            /* before all changes */
    int32_t standard, summer; /* of the rule */
    bool has_summer;
    struct day start, end; /* of summer */
};

/* ---- bytes ---- */

struct cursor {
    const unsigned char *at, *end;
};

static bool take(struct cursor *c, size_t n, const unsigned char **out)
{
    if ((size_t)(c->end - c->at) < n) return false;
    *out = c->at;
    c->at += n;
    return true;
}

static uint64_t big_endian(const unsigned char *at, size_t n)
{
    uint64_t x = 0;
    for (size_t i = 0; i < n; i++) x = x << 8 | at[i];
    return x;
}

/* ---- the rule ---- */

static bool digits(const char **at, int most, int *out)
{
    int n = 0;
    if (**at < '0' || **at > '9') return false;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        n = n * 10 + (**at - '0');
        if (n > most) return false;
    }
    *out = n;
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool clock_time(const char **at, int32_t *out)
{
    int sign = 1, h, m = 0, s = 0;
    if (**at == '+' || **at == '-') sign = *(*at)++ == '-' ? -1 : 1;
    if (!digits(at, 167, &h)) return false;
    if (**at == ':') {
        ++*at;
        if (!digits(at, 59, &m)) return false;
        if (**at == ':') {
            ++*at;
            if (!digits(at, 59, &s)) return false;
        }
    }
    *out = sign * (h * 3600 + m * 60 + s);
    return true;
}

static bool skip_name(const char **at)
{
    const char *start = *at;
    if (**at == '<') {
        const char *end = strchr(*at, '>');
        if (!end) return false;
        *at = end + 1;
        return true;
    }
    while ((**at >= 'a' && **at <= 'z') || (**at >= 'A' && **at <= 'Z')) ++*at;
    return *at - start >= 3;
}

static bool rule_day(const char **at, struct day *day)
{
    memset(day, 0, sizeof *day);
    day->time_s = 7200;
    if (*(*at)++ != ',') return false;
    day->form = **at == 'M' || **at == 'J' ? *(*at)++ : 'n';
    if (day->form == 'M') {
        if (!digits(at, 12, &day->month) || day->month == 0 || *(*at)++ != '.') return false;
        if (!digits(at, 5, &day->week) || day->week == 0 || *(*at)++ != '.') return false;
        if (!digits(at, 6, &day->day)) return false;
    } else if (!digits(at, 365, &day->day)) {
        return false;
    }
    if (**at != '/') return true;
    ++*at;
    return clock_time(at, &day->time_s);
}

static bool parse_rule(struct dbz_zone *zone, const char *at)
{
    int32_t west;
    if (!skip_name(&at) || !clock_time(&at, &west)) return false;
    zone->standard = zone->summer = -west;
    if (!*at) return true;
    zone->has_summer = true;
    zone->summer += 3600;
    if (!skip_name(&at)) return false;
    if (*at && *at != ',') {
        if (!clock_time(&at, &west)) return false;
        zone->summer = -west;
    }
    return rule_day(&at, &zone->start) && rule_day(&at, &zone->end) && !*at;
}

/* Seconds since 1970 on the clocks there, when the day's hour comes in the year. */
static int64_t day_in(const struct day *day, int64_t year)
{
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t days = sluice_days_of(year, 1, 1);
    if (day->form == 'n') {
        days += day->day;
    } else if (day->form == 'J') {
        days += day->day - 1 + (leap && day->day >= 60);
    } else {
        int64_t first = sluice_days_of(year, day->month, 1);
        int64_t next = sluice_days_of(year, day->month + 1, 1);
        int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
        days = first + (day->day - weekday + 7) % 7 + 7 * (int64_t)(day->week - 1);
        while (days >= next) days -= 7;
    }
    return days * 86400 + day->time_s;
}

/* The four changes around a year, oldest first. */
static void rule_changes(const struct dbz_zone *zone, int64_t year, struct change out[6])
{
    assert(zone->has_summer);
    for (int i = 0; i < 3; i++) {
        int64_t start = day_in(&zone->start, year + i - 1) - zone->standard;
        int64_t end = day_in(&zone->end, year + i - 1) - zone->summer;
        struct change on = {start, zone->standard, zone->summer};
        struct change off = {end, zone->summer, zone->standard};
        out[2 * i] = start < end ? on : off;
        out[2 * i + 1] = start < end ? off : on;
    }
}

/* ---- files ---- */

struct counts {
    size_t isut, isstd, leap, time, type, chars;
};

static bool read_head(struct cursor *c, char *version, struct counts *counts)
{
    const unsigned char *head;
    if (!take(c, HEAD_BYTES, &head) || memcmp(head, "TZif", 4) != 0) return false;
    *version = (char)head[4];
    counts->isut = big_endian(head + 20, 4);
    counts->isstd = big_endian(head + 24, 4);
    counts->leap = big_endian(head + 28, 4);
    counts->time = big_endian(head + 32, 4);
    counts->type = big_endian(head + 36, 4);
    counts->chars = big_endian(head + 40, 4);
    return counts->time <= TRANSITIONS_MAX && counts->type >= 1 && counts->type <= 256 &&
           counts->chars <= 4096 && counts->leap <= 1000 && counts->isut <= 256 &&
           counts->isstd <= 256;
}

static bool read_block(struct dbz_zone *zone, struct cursor *c, const struct counts *n,
                       size_t width)
{
    const unsigned char *times, *indices, *types, *rest;
    if (!take(c, n->time * width, &times) || !take(c, n->time, &indices) ||
        !take(c, n->type * 6, &types) ||
        !take(c, n->chars + n->leap * (width + 4) + n->isstd + n->isut, &rest)) {
        return false;
    }
    zone->changes = sluice_xcalloc(n->time + 1, sizeof *zone->changes);
    zone->first = zone->standard = zone->summer = (int32_t)(uint32_t)big_endian(types, 4);
    int32_t offset = zone->first;
    for (size_t i = 0; i < n->time; i++) {
        if (indices[i] >= n->type) return false;
        struct change *change = &zone->changes[i];
        change->at = (int64_t)big_endian(times + i * width, width);
        change->before = offset;
        change->after = offset = (int32_t)(uint32_t)big_endian(types + 6u * indices[i], 4);
        if (offset < -93600 || offset > 93600) return false;
        if (i && change->at <= change[-1].at) return false;
    }
    zone->n = n->time;
    zone->standard = zone->summer = offset; /* until a rule says otherwise */
    return true;
}

static bool read_file(struct dbz_zone *zone, struct cursor *c)
{
    char version, rule[128];
    struct counts n;
    const unsigned char *skipped;
    if (!read_head(c, &version, &n) || version < '2') return false; /* since 2005 all are 2 or 3 */
    size_t body = n.time * 5 + n.type * 6 + n.chars + n.leap * 8 + n.isstd + n.isut;
    if (!take(c, body, &skipped) || !read_head(c, &version, &n) || !read_block(zone, c, &n, 8)) {
        return false;
    }
    const unsigned char *end;
    if (!take(c, 1, &skipped) || *skipped != '\n') return false;
    end = memchr(c->at, '\n', (size_t)(c->end - c->at));
    size_t len = end ? (size_t)(end - c->at) : sizeof rule;
    if (len >= sizeof rule) return false;
    memcpy(rule, c->at, len);
    rule[len] = '\0';
    return len == 0 || parse_rule(zone, rule);
}

struct dbz_zone *dbz_zone_read(const char *name, const void *data, size_t len,
                               struct sluice_err *err)
{
    struct dbz_zone *zone = sluice_xcalloc(1, sizeof *zone);
    struct cursor c = {data, (const unsigned char *)data + len};
    if (read_file(zone, &c)) return zone;
    sluice_err_set(err, "the file of time zone %s is damaged", name);
    dbz_zone_free(zone);
    return NULL;
}

static bool safe_name(const char *name)
{
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/");
    return n && n < 64 && !name[n] && *name != '/' && name[n - 1] != '/' && !strstr(name, "//");
}

/* +hh:mm or +hh:mm:ss, up to 18 hours as in Java. */
static bool fixed_offset(const char *name, int32_t *out)
{
    size_t len = strlen(name);
    const char *at = name;
    if ((len != 6 && len != 9) || name[3] != ':' || (len == 9 && name[6] != ':')) return false;
    if (*at != '+' && *at != '-') return false;
    for (size_t i = 1; i < len; i++) {
        if (i % 3 && (name[i] < '0' || name[i] > '9')) return false;
    }
    return clock_time(&at, out) && !*at && *out >= -64800 && *out <= 64800;
}

struct dbz_zone *dbz_zone_new(const char *name, struct sluice_err *err)
{
    char path[128];
    struct sluice_err why;
    int32_t offset;
    if (fixed_offset(name, &offset)) {
        struct dbz_zone *zone = sluice_xcalloc(1, sizeof *zone);
        zone->first = zone->standard = zone->summer = offset;
        return zone;
    }
    char *data = NULL;
    size_t len;
    if (safe_name(name)) {
        snprintf(path, sizeof path, ZONE_DIR "%s", name);
        data = sluice_file_read(path, FILE_MAX, &len, &why);
    }
    if (!data) {
        sluice_err_set(err,
                       "Invalid timezone format. Please specify either a geographic timezone (e.g. "
                       "America/Los_Angeles) or a UTC offset in the format of +/-hh:mm, (e.g. "
                       "+08:00): %s is neither an offset nor a zone of " ZONE_DIR
                       " (package tzdata)",
                       name);
        return NULL;
    }
    struct dbz_zone *zone = dbz_zone_read(name, data, len, err);
    free(data);
    return zone;
}

void dbz_zone_free(struct dbz_zone *zone)
{
    if (!zone) return;
    free(zone->changes);
    free(zone);
}

/* ---- asking ---- */

/* When a change counts: at its instant, or, for local times, once both offsets have passed it. */
static int64_t counts_from(const struct change *change, bool local)
{
    int32_t offset = change->before > change->after ? change->before : change->after;
    return local ? change->at + offset : change->at;
}

static int32_t by_rule(const struct dbz_zone *zone, int64_t t, bool local)
{
    struct change changes[6];
    int64_t days = t / 86400 - (t % 86400 < 0);
    int64_t year = 1970 + days * 400 / 146097;
    if (!zone->has_summer || days > (int64_t)YEARS_MAX * 365) return zone->standard;
    while (sluice_days_of(year + 1, 1, 1) <= days) year++;
    while (sluice_days_of(year, 1, 1) > days) year--;
    rule_changes(zone, year, changes);
    int32_t offset = changes[0].before;
    for (int i = 0; i < 6 && t >= counts_from(&changes[i], local); i++) offset = changes[i].after;
    return offset;
}

static int32_t offset_at(const struct dbz_zone *zone, int64_t t, bool local)
{
    size_t low = 0, high = zone->n; /* the first change that does not count yet */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t >= counts_from(&zone->changes[middle], local)) low = middle + 1;
        else high = middle;
    }
    if (low < zone->n) return low ? zone->changes[low - 1].after : zone->first;
    if (zone->n == 0) return zone->has_summer ? by_rule(zone, t, local) : zone->standard;
    /* Behind the last change: what it set holds until the rule says something else. */
    return zone->has_summer ? by_rule(zone, t, local) : zone->changes[zone->n - 1].after;
}

int32_t dbz_zone_at(const struct dbz_zone *zone, int64_t unix_s)
{
    assert(zone);
    return offset_at(zone, unix_s, false);
}

int32_t dbz_zone_local(const struct dbz_zone *zone, int64_t local_s)
{
    assert(zone);
    return offset_at(zone, local_s, true);
}
