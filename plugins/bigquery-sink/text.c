/* text.c - see text.h. */
#include "text.h"

#include <assert.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define DAY_US INT64_C(86400000000)
#define FIRST_DAY INT64_C(-719162) /* 0001-01-01 */
#define LAST_DAY INT64_C(2932896)  /* 9999-12-31 */

int64_t bq_floor_div(int64_t a, int64_t b)
{
    assert(b > 0);
    return a / b - (a % b < 0);
}

static char *two(char *p, unsigned n)
{
    *p++ = (char)('0' + n / 10 % 10);
    *p++ = (char)('0' + n % 10);
    return p;
}

struct date {
    unsigned year, month, day;
};

/* Days since 1970-01-01 to a date of the proleptic Gregorian calendar. Years start in March here,
 * so that the leap day comes last; an era is 400 years. */
static struct date date_of(int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = bq_floor_div(z, 146097);
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    struct date d = {.day = doy - (153 * mp + 2) / 5 + 1, .month = mp < 10 ? mp + 3 : mp - 9};
    d.year = (unsigned)((int64_t)yoe + era * 400 + (d.month <= 2));
    return d;
}

static bool put_date(struct sluice_out *out, int64_t days, const char *separator)
{
    if (days < FIRST_DAY || days > LAST_DAY) return false;
    struct date d = date_of(days);
    char *start = sluice_out_room(out, 16), *p = start;
    p = two(p, d.year / 100);
    p = two(p, d.year % 100);
    if (*separator) *p++ = *separator;
    p = two(p, d.month);
    if (*separator) *p++ = *separator;
    p = two(p, d.day);
    out->len += (size_t)(p - start);
    return true;
}

bool bq_text_date(struct sluice_out *out, int64_t days) { return put_date(out, days, "-"); }

bool bq_text_day(struct sluice_out *out, int64_t days) { return put_date(out, days, ""); }

/* us: microseconds of the day; digits: 3 or 6. */
static void put_time(struct sluice_out *out, int64_t us, int digits)
{
    assert(us >= 0 && us < DAY_US);
    unsigned seconds = (unsigned)(us / 1000000), fraction = (unsigned)(us % 1000000);
    char *start = sluice_out_room(out, 16), *p = start;
    p = two(p, seconds / 3600);
    *p++ = ':';
    p = two(p, seconds / 60 % 60);
    *p++ = ':';
    p = two(p, seconds % 60);
    *p++ = '.';
    if (digits == 3) fraction /= 1000;
    for (int i = digits; i-- > 0; fraction /= 10) p[i] = (char)('0' + fraction % 10);
    out->len += (size_t)(p + digits - start);
}

void bq_text_time_ms(struct sluice_out *out, int64_t ms)
{
    put_time(out, (ms - bq_floor_div(ms, DAY_MS) * DAY_MS) * 1000, 3);
}

void bq_text_time_us(struct sluice_out *out, int64_t us)
{
    put_time(out, us - bq_floor_div(us, DAY_US) * DAY_US, 6);
}

bool bq_text_timestamp_ms(struct sluice_out *out, int64_t ms)
{
    int64_t days = bq_floor_div(ms, DAY_MS);
    if (!put_date(out, days, "-")) return false;
    sluice_out_char(out, ' ');
    put_time(out, (ms - days * DAY_MS) * 1000, 3);
    return true;
}

bool bq_text_timestamp_us(struct sluice_out *out, int64_t us)
{
    int64_t days = bq_floor_div(us, DAY_US);
    if (!put_date(out, days, "-")) return false;
    sluice_out_char(out, ' ');
    put_time(out, us - days * DAY_US, 6);
    return true;
}

/* ---- decimals ---- */

#define LIMB 1000000000u
#define DIGITS_MAX (BQ_DECIMAL_MAX_BYTES * 5 / 2) /* log10(256) = 2.41 digits a byte */

/* Digits of the magnitude, most significant first; returns how many, "0" for zero. The words are
 * divided by 10^9 again and again: quadratic, but the length is bounded and small as a rule. */
static size_t magnitude_digits(uint32_t *words, size_t n, char *digits)
{
    char *end = digits + DIGITS_MAX, *p = end;
    size_t first = 0;
    while (first < n && words[first] == 0) first++;
    while (first < n) {
        uint64_t rest = 0;
        for (size_t i = first; i < n; i++) {
            rest = rest << 32 | words[i];
            words[i] = (uint32_t)(rest / LIMB);
            rest %= LIMB;
        }
        if (words[first] == 0) first++;
        for (int i = 0; i < 9; i++, rest /= 10) {
            assert(p > digits);
            *--p = (char)('0' + rest % 10);
        }
    }
    while (p < end && *p == '0') p++;
    if (p == end) *--p = '0';
    memmove(digits, p, (size_t)(end - p));
    return (size_t)(end - p);
}

/* Two's complement bytes to sign and magnitude words, most significant first. */
static bool split_sign(const unsigned char *s, size_t len, uint32_t *words, size_t *n)
{
    bool negative = len > 0 && s[0] >= 0x80;
    size_t pad = (4 - len % 4) % 4;
    *n = (len + pad) / 4;
    memset(words, 0, *n * sizeof *words);
    unsigned carry = negative;
    for (size_t i = len; i-- > 0;) {
        unsigned byte = negative ? (unsigned char)~s[i] + carry : s[i];
        carry = negative && byte > 0xff;
        size_t at = i + pad;
        words[at / 4] |= (uint32_t)(byte & 0xff) << (8 * (3 - at % 4));
    }
    return negative;
}

static void fill(struct sluice_out *out, char c, size_t n)
{
    memset(sluice_out_room(out, n), c, n);
    out->len += n;
}

bool bq_text_decimal(struct sluice_out *out, const void *unscaled, size_t len, int32_t scale)
{
    if (len > BQ_DECIMAL_MAX_BYTES || scale > BQ_SCALE_MAX || scale < -BQ_SCALE_MAX) return false;
    uint32_t words[BQ_DECIMAL_MAX_BYTES / 4];
    char digits[DIGITS_MAX + 8];
    size_t n;
    bool negative = split_sign(unscaled, len, words, &n);
    n = magnitude_digits(words, n, digits);
    bool zero = n == 1 && digits[0] == '0';
    if (negative) sluice_out_char(out, '-');
    if (scale <= 0) {
        sluice_out_put(out, digits, n);
        if (!zero) fill(out, '0', (size_t)-scale);
        return true;
    }
    size_t whole = n > (size_t)scale ? n - (size_t)scale : 0;
    if (whole > 0) sluice_out_put(out, digits, whole);
    else sluice_out_char(out, '0');
    sluice_out_char(out, '.');
    if (n < (size_t)scale) fill(out, '0', (size_t)scale - n);
    sluice_out_put(out, digits + whole, n - whole);
    return true;
}
