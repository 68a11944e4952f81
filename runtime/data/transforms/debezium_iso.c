/* debezium_iso.c - see debezium_iso.h. */
#include "data/transforms/debezium_iso.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "data/java_text.h"

struct reader {
    const char *at, *end;
};

static bool take(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

/* From least to most digits; false: fewer. */
static bool number(struct reader *r, int least, int most, int64_t *out)
{
    int n = 0;
    *out = 0;
    for (; n < most && r->at < r->end && *r->at >= '0' && *r->at <= '9'; n++) {
        *out = *out * 10 + (*r->at++ - '0');
    }
    return n >= least;
}

static bool two(struct reader *r, int64_t most, int64_t *out)
{
    return number(r, 2, 2, out) && *out <= most;
}

/* Years of more than four digits have a sign. */
static bool read_date(struct reader *r, int64_t *days)
{
    int64_t year, month, day;
    bool minus = take(r, '-'), plus = !minus && take(r, '+');
    if (!number(r, 4, minus || plus ? 9 : 4, &year) || !take(r, '-')) return false;
    if (minus) year = -year;
    if (!two(r, 12, &month) || month == 0 || !take(r, '-')) return false;
    if (!two(r, 31, &day) || day == 0) return false;
    *days = sluice_days_of(year, (int)month, (int)day);
    return *days < sluice_days_of(year, (int)month + 1, 1);
}

/* hh:mm[:ss[.fraction]] */
static bool read_time(struct reader *r, struct dbz_iso *iso)
{
    int64_t h, m, s = 0, fraction = 0;
    if (!two(r, 23, &h) || !take(r, ':') || !two(r, 59, &m)) return false;
    if (take(r, ':')) {
        if (!two(r, 59, &s)) return false;
        if (take(r, '.')) {
            const char *start = r->at;
            number(r, 0, 9, &fraction);
            for (size_t n = (size_t)(r->at - start); n < 9; n++) fraction *= 10;
        }
    }
    iso->local_s += h * 3600 + m * 60 + s;
    iso->nanos = (int32_t)fraction;
    return true;
}

static bool read_offset(struct reader *r, int32_t *offset)
{
    int64_t h, m, s = 0;
    *offset = 0;
    if (take(r, 'Z') || take(r, 'z')) return r->at == r->end;
    bool minus = take(r, '-');
    if (!minus && !take(r, '+')) return false;
    if (!two(r, 18, &h) || !take(r, ':') || !two(r, 59, &m)) return false;
    if (take(r, ':') && !two(r, 59, &s)) return false;
    *offset = (int32_t)(h * 3600 + m * 60 + s) * (minus ? -1 : 1);
    return r->at == r->end;
}

bool dbz_iso_read(const char *text, size_t len, bool date, struct dbz_iso *iso)
{
    struct reader r = {text, text + len};
    int64_t days = 0;
    *iso = (struct dbz_iso){0};
    if (date && (!read_date(&r, &days) || !(take(&r, 'T') || take(&r, 't')))) return false;
    if (!read_time(&r, iso) || !read_offset(&r, &iso->offset_s)) return false;
    iso->local_s += days * 86400;
    return true;
}

size_t dbz_iso_write(const struct dbz_iso *iso, bool date, char to[DBZ_ISO_BYTES])
{
    assert(iso->nanos >= 0 && iso->nanos < 1000000000);
    int64_t days = iso->local_s / 86400 - (iso->local_s % 86400 < 0);
    int second = (int)(iso->local_s - days * 86400), n = 0;
    if (date) {
        /* sluice_date_of() takes milliseconds: days alone are far from overflowing there */
        struct sluice_date day = sluice_date_of(days * 86400000);
        const char *sign = day.year > 9999 ? "+" : day.year < 0 ? "-" : "";
        n = snprintf(to, DBZ_ISO_BYTES, "%s%04" PRId64 "-%02d-%02dT", sign,
                     day.year < 0 ? -day.year : day.year, day.month, day.day);
    }
    n += snprintf(to + n, (size_t)(DBZ_ISO_BYTES - n), "%02d:%02d:%02d", second / 3600,
                  second / 60 % 60, second % 60);
    if (iso->nanos) {
        n += snprintf(to + n, (size_t)(DBZ_ISO_BYTES - n), ".%09d", iso->nanos);
        while (to[n - 1] == '0') n--;
    }
    int32_t offset = iso->offset_s < 0 ? -iso->offset_s : iso->offset_s;
    if (offset == 0) {
        to[n++] = 'Z';
        return (size_t)n;
    }
    n += snprintf(to + n, (size_t)(DBZ_ISO_BYTES - n), "%c%02d:%02d", iso->offset_s < 0 ? '-' : '+',
                  offset / 3600, offset / 60 % 60);
    if (offset % 60) n += snprintf(to + n, (size_t)(DBZ_ISO_BYTES - n), ":%02d", offset % 60);
    assert(n < DBZ_ISO_BYTES);
    return (size_t)n;
}
