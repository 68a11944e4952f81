/* java_date.c - see java_date.h: patterns, and writing. Reading is java_date_parse.c. */
#include "data/java_date.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/java_date_pattern.h"

#define PATTERN_MAX 4096

const char *const sluice_java_months[12] = {"January",   "February", "March",    "April",
                                            "May",       "June",     "July",     "August",
                                            "September", "October",  "November", "December"};
const char *const sluice_java_weekdays[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                             "Thursday", "Friday", "Saturday"};

/* ---- the pattern ---- */

static struct sluice_date_part *add_part(struct sluice_java_date *date, size_t *cap)
{
    date->parts = sluice_xgrow(date->parts, date->n, cap, sizeof *date->parts);
    struct sluice_date_part *part = &date->parts[date->n++];
    *part = (struct sluice_date_part){0};
    return part;
}

/* One more character of literal text. */
static void add_literal(struct sluice_java_date *date, size_t *cap, char c)
{
    struct sluice_date_part *last = date->n ? &date->parts[date->n - 1] : NULL;
    if (!last || last->letter) {
        last = add_part(date, cap);
        last->text = date->texts + date->texts_len;
    }
    date->texts[date->texts_len++] = c;
    last->count++;
}

/* Within '...' from at on; its end, or NULL. */
static const char *add_quoted(struct sluice_java_date *date, size_t *cap, const char *at)
{
    for (; *at; at++) {
        if (*at == '\'' && *++at != '\'') return at;
        add_literal(date, cap, *at);
    }
    return NULL;
}

static bool read_pattern(struct sluice_java_date *date, const char *at, struct sluice_err *err)
{
    static const char letters[] = "GyYMLdkHmsSEDFwWahKzZXu";
    size_t cap = 0;
    while (*at) {
        bool letter = (*at | 32) >= 'a' && (*at | 32) <= 'z';
        if (*at == '\'' && at[1] == '\'') {
            add_literal(date, &cap, '\'');
            at += 2;
        } else if (*at == '\'') {
            at = add_quoted(date, &cap, at + 1);
            if (!at) return sluice_err_set(err, "Unterminated quote");
        } else if (!letter) {
            add_literal(date, &cap, *at++);
        } else if (!strchr(letters, *at)) {
            return sluice_err_set(err, "Illegal pattern character '%c'", *at);
        } else {
            struct sluice_date_part *part = add_part(date, &cap);
            part->letter = *at;
            while (*at == part->letter) {
                part->count++;
                at++;
            }
            if (part->letter == 'X' && part->count > 3) {
                return sluice_err_set(err, "invalid ISO 8601 format: length=%u", part->count);
            }
        }
    }
    return true;
}

struct sluice_java_date *sluice_java_date_new(const char *pattern, int64_t now_ms,
                                              struct sluice_err *err)
{
    assert(pattern);
    size_t len = strlen(pattern);
    if (len > PATTERN_MAX) {
        sluice_err_set(err, "the date pattern is longer than %d bytes", PATTERN_MAX);
        return NULL;
    }
    struct sluice_java_date *date = sluice_xcalloc(1, sizeof *date);
    date->texts = sluice_xmalloc(len + 1);
    if (!read_pattern(date, pattern, err)) {
        sluice_java_date_free(date);
        return NULL;
    }
    int64_t fields[CALENDAR_FIELDS];
    struct sluice_calendar start = {0};
    sluice_calendar_of(now_ms, fields);
    date->century_year = (int32_t)fields[CALENDAR_YEAR] - 80;
    for (int i = CALENDAR_MONTH; i < CALENDAR_FIELDS; i++) { /* the same day 80 years ago */
        static const char wanted[CALENDAR_FIELDS] = {
            [CALENDAR_MONTH] = 1,  [CALENDAR_DAY_OF_MONTH] = 1, [CALENDAR_HOUR_OF_DAY] = 1,
            [CALENDAR_MINUTE] = 1, [CALENDAR_SECOND] = 1,       [CALENDAR_MILLISECOND] = 1};
        if (wanted[i]) sluice_calendar_set(&start, (enum calendar_field)i, (int32_t)fields[i]);
    }
    sluice_calendar_set(&start, CALENDAR_YEAR, date->century_year);
    date->century_ms = sluice_calendar_time(&start);
    return date;
}

void sluice_java_date_free(struct sluice_java_date *date)
{
    if (!date) return;
    free(date->parts);
    free(date->texts);
    free(date);
}

/* ---- writing ---- */

static bool put(struct sluice_buf *out, const char *text, size_t len, struct sluice_err *err)
{
    if (!sluice_buf_reserve(out, len, err)) return false;
    if (len) memcpy(out->data + out->len, text, len);
    out->len += len;
    return true;
}

/* At least min digits. */
static bool put_number(struct sluice_buf *out, int64_t n, unsigned min, struct sluice_err *err)
{
    char digits[24];
    unsigned len = (unsigned)snprintf(digits, sizeof digits, "%lld", (long long)(n < 0 ? -n : n));
    if (n < 0 && !put(out, "-", 1, err)) return false;
    for (; min > len; min--) {
        if (!put(out, "0", 1, err)) return false;
    }
    return put(out, digits, len, err);
}

static bool put_name(struct sluice_buf *out, const char *name, bool whole, struct sluice_err *err)
{
    return put(out, name, whole ? strlen(name) : 3, err);
}

static bool put_part(const struct sluice_date_part *part, const int64_t *value,
                     struct sluice_buf *out, struct sluice_err *err)
{
    unsigned n = part->count;
    int64_t v;
    switch (part->letter) {
    case 0: return put(out, part->text, n, err);
    case 'G': return put(out, value[CALENDAR_ERA] ? "AD" : "BC", 2, err);
    case 'y':
    case 'Y':
        v = value[part->letter == 'y' ? CALENDAR_YEAR : CALENDAR_WEEK_YEAR];
        return put_number(out, n == 2 ? v % 100 : v, n, err);
    case 'M':
    case 'L':
        v = value[CALENDAR_MONTH];
        if (n >= 3) return put_name(out, sluice_java_months[v], n > 3, err);
        return put_number(out, v + 1, n, err);
    case 'E':
        return put_name(out, sluice_java_weekdays[value[CALENDAR_DAY_OF_WEEK] - 1], n > 3, err);
    case 'a': return put(out, value[CALENDAR_AM_PM] ? "PM" : "AM", 2, err);
    case 'k': v = value[CALENDAR_HOUR_OF_DAY]; return put_number(out, v ? v : 24, n, err);
    case 'h': return put_number(out, value[CALENDAR_HOUR] ? value[CALENDAR_HOUR] : 12, n, err);
    case 'u': v = value[CALENDAR_DAY_OF_WEEK]; return put_number(out, v == 1 ? 7 : v - 1, n, err);
    case 'z':
        return n > 3 ? put(out, "Coordinated Universal Time", 26, err) : put(out, "UTC", 3, err);
    case 'Z': return put(out, "+0000", 5, err);
    case 'X': return put(out, "Z", 1, err);
    default: return put_number(out, value[sluice_date_field(part->letter)], n, err);
    }
}

bool sluice_java_date_format(const struct sluice_java_date *date, int64_t unix_ms,
                             struct sluice_buf *out, struct sluice_err *err)
{
    int64_t value[CALENDAR_FIELDS];
    assert(date && out);
    sluice_calendar_of(unix_ms, value);
    for (size_t i = 0; i < date->n; i++) {
        if (!put_part(&date->parts[i], value, out, err)) return false;
    }
    return true;
}
