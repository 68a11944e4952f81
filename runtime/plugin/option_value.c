/* option_value.c - texts to typed values and back to a reason, by the rules of Kafka's ConfigDef:
 * values are trimmed, numbers are Java's, a list is split at commas. Any thread. */
#include "plugin/option_value.h"

#include <assert.h>
#include <errno.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "plugin/options.h"

#define WORDS_MAX 64

const char *sluice_option_type_name(enum sluice_option_type type)
{
    static const char *const names[] = {"BOOLEAN", "STRING", "INT",   "SHORT",   "LONG",
                                        "DOUBLE",  "LIST",   "CLASS", "PASSWORD"};
    assert((size_t)type < sizeof(names) / sizeof(names[0]));
    return names[type];
}

const char *sluice_importance_name(enum sluice_importance importance)
{
    static const char *const names[] = {"HIGH", "MEDIUM", "LOW"};
    assert((size_t)importance < sizeof(names) / sizeof(names[0]));
    return names[importance];
}

/* Java's trim() takes away all up to the space. */
static bool is_space(char c) { return (unsigned char)c <= ' '; }

static char *trimmed_part(const char *s, size_t n)
{
    while (n && is_space(*s)) {
        s++;
        n--;
    }
    while (n && is_space(s[n - 1])) n--;
    return sluice_xstrndup(s, n);
}

char *sluice_trimmed(const char *text) { return trimmed_part(text, strlen(text)); }

char **sluice_list_split(const char *text)
{
    size_t n = 0, cap = 0;
    char **items = NULL;
    char *whole = sluice_trimmed(text);
    for (const char *at = whole; *whole && at;) {
        const char *comma = strchr(at, ',');
        size_t len = comma ? (size_t)(comma - at) : strlen(at);
        items = sluice_xgrow(items, n, &cap, sizeof(*items));
        items[n++] = trimmed_part(at, len);
        at = comma ? comma + 1 : NULL;
    }
    items = sluice_xgrow(items, n, &cap, sizeof(*items));
    items[n] = NULL;
    free(whole);
    return items;
}

void sluice_list_free(char **items)
{
    for (char **item = items; item && *item; item++) free(*item);
    free(items);
}

void sluice_option_value_fini(struct sluice_option_value *value)
{
    free(value->text);
    sluice_list_free(value->list);
    memset(value, 0, sizeof(*value));
}

static bool is_number(enum sluice_option_type type)
{
    return type == SLUICE_OPT_INT || type == SLUICE_OPT_SHORT || type == SLUICE_OPT_LONG ||
           type == SLUICE_OPT_DOUBLE;
}

/* Java's parseInt and friends: digits with one sign, nothing else. */
static bool parse_whole(const char *text, int64_t min, int64_t max, int64_t *num)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (!*digits || digits[strspn(digits, "0123456789")] != '\0') return false;
    errno = 0;
    long long n = strtoll(text, NULL, 10);
    if (errno || n < min || n > max) return false;
    *num = n;
    return true;
}

static bool parse_real(const char *text, double *real)
{
    const char *start = text + (*text == '-' || *text == '+');
    bool word = strcmp(start, "NaN") == 0 || strcmp(start, "Infinity") == 0;
    if (!word && !(*start >= '0' && *start <= '9') && *start != '.') return false;
    char *end;
    *real = strtod(text, &end);
    if (end != text && *end && strchr("dDfF", *end)) end++; /* Java's suffixes */
    return end != text && !*end;
}

/* "min..max", either may be missing. */
static void read_range(const char *valid, double *min, double *max)
{
    const char *dots = valid ? strstr(valid, "..") : NULL;
    *min = -DBL_MAX;
    *max = DBL_MAX;
    if (!dots) return;
    char text[64];
    size_t n = (size_t)(dots - valid);
    assert(n < sizeof(text));
    memcpy(text, valid, n);
    text[n] = '\0';
    if (n) *min = strtod(text, NULL);
    if (dots[2]) *max = strtod(dots + 2, NULL);
}

/* "; valid: 0 to 65535" */
static void add_range(struct sluice_buf *why, const char *valid)
{
    const char *dots = valid ? strstr(valid, "..") : NULL;
    if (!dots) return;
    int n = (int)(dots - valid);
    if (n && dots[2]) sluice_buf_addf(why, "; valid: %.*s to %s", n, valid, dots + 2);
    else if (n) sluice_buf_addf(why, "; valid: %.*s and above", n, valid);
    else sluice_buf_addf(why, "; valid: up to %s", dots + 2);
}

static bool parse_number(const struct sluice_option *option, struct sluice_option_value *out,
                         struct sluice_buf *why)
{
    bool ok;
    switch (option->type) {
    case SLUICE_OPT_INT: ok = parse_whole(out->text, INT32_MIN, INT32_MAX, &out->num); break;
    case SLUICE_OPT_SHORT: ok = parse_whole(out->text, INT16_MIN, INT16_MAX, &out->num); break;
    case SLUICE_OPT_LONG: ok = parse_whole(out->text, INT64_MIN, INT64_MAX, &out->num); break;
    default: ok = parse_real(out->text, &out->real); break;
    }
    if (!ok) {
        sluice_buf_addf(why, "Not a number of type %s", sluice_option_type_name(option->type));
        add_range(why, option->valid);
        return false;
    }
    if (option->type != SLUICE_OPT_DOUBLE) out->real = (double)out->num;
    double min, max;
    read_range(option->valid, &min, &max);
    if (out->real >= min && out->real <= max) return true;
    const char *dots = strstr(option->valid, "..");
    if (out->real > max) sluice_buf_addf(why, "Value must be no more than %s", dots + 2);
    else
        sluice_buf_addf(why, "Value must be at least %.*s", (int)(dots - option->valid),
                        option->valid);
    if (min > -DBL_MAX && max < DBL_MAX) add_range(why, option->valid);
    return false;
}

/* Whether word is one of "a|b|c"; else the reason. */
static bool check_word(const struct sluice_option *option, const char *word, struct sluice_buf *why)
{
    char *copies[WORDS_MAX];
    size_t n = 0;
    bool found = false, nocase = option->flags & SLUICE_OPT_NOCASE;
    for (const char *at = option->valid; at && n < WORDS_MAX;) {
        const char *bar = strchr(at, '|');
        copies[n] = sluice_xstrndup(at, bar ? (size_t)(bar - at) : strlen(at));
        if ((nocase ? strcasecmp(word, copies[n]) : strcmp(word, copies[n])) == 0) found = true;
        n++;
        at = bar ? bar + 1 : NULL;
    }
    if (!found) {
        sluice_buf_addf(why, "String must be one of%s: ", nocase ? " (case insensitive)" : "");
        for (size_t i = 0; i < n; i++) sluice_buf_addf(why, "%s%s", i ? ", " : "", copies[i]);
        const char *near = sluice_nearest(word, (const char *const *)copies, n);
        if (near) sluice_buf_addf(why, "; did you mean %s?", near);
    }
    for (size_t i = 0; i < n; i++) free(copies[i]);
    return found;
}

static bool parse_boolean(struct sluice_option_value *out, struct sluice_buf *why)
{
    out->num = strcasecmp(out->text, "true") == 0;
    out->real = (double)out->num;
    if (out->num || strcasecmp(out->text, "false") == 0) return true;
    sluice_buf_adds(why, "Expected value to be either true or false");
    return false;
}

bool sluice_option_parse(const struct sluice_option *option, const char *text,
                         struct sluice_option_value *out, struct sluice_buf *why)
{
    memset(out, 0, sizeof(*out));
    bool list = option->type == SLUICE_OPT_LIST;
    if (list) out->list = sluice_list_split(text ? text : "");
    if (!text) return true;
    out->text = sluice_trimmed(text);
    if ((option->flags & SLUICE_OPT_NONEMPTY) && !*out->text) {
        sluice_buf_adds(why, list ? "List may not be empty" : "String may not be empty");
        return false;
    }
    if (is_number(option->type)) return parse_number(option, out, why);
    if (option->type == SLUICE_OPT_BOOLEAN) return parse_boolean(out, why);
    if (!option->valid) return true;
    if (!list) return check_word(option, out->text, why);
    for (char **item = out->list; *item; item++) {
        if (!check_word(option, *item, why)) return false;
    }
    return true;
}
