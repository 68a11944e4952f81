/* version_range.c - see version_range.h. */
#include "plugin/version_range.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "plugin/registry.h"

#define RANGE_MAX 1024

/* The next part of a version, cut at dots, dashes and where digits begin or end. */
static size_t part_length(const char *at)
{
    size_t n = 0;
    bool digits = isdigit((unsigned char)*at) != 0;
    while (at[n] && !strchr(".-+", at[n]) && (isdigit((unsigned char)at[n]) != 0) == digits) n++;
    return n;
}

/* Numbers by value; a word, such as a beta's, is less than a number or nothing. */
static int compare_parts(const char *a, size_t n, const char *b, size_t m)
{
    bool word = n && !isdigit((unsigned char)*a), other = m && !isdigit((unsigned char)*b);
    if (word || other) {
        if (word != other) return word ? -1 : 1;
        int order = strncasecmp(a, b, n < m ? n : m);
        return order ? order : (n > m) - (n < m);
    }
    while (n && *a == '0') a++, n--;
    while (m && *b == '0') b++, m--;
    if (n != m) return n < m ? -1 : 1;
    return n ? strncmp(a, b, n) : 0;
}

static int compare(const char *a, const char *b)
{
    while (*a || *b) {
        size_t n = part_length(a), m = part_length(b);
        int order = compare_parts(a, n, b, m);
        if (order) return order;
        a += n;
        b += m;
        a += *a && strchr(".-+", *a);
        b += *b && strchr(".-+", *b);
    }
    return 0;
}

static char *trimmed_copy(const char *text, size_t len)
{
    while (len && isspace((unsigned char)*text)) text++, len--;
    while (len && isspace((unsigned char)text[len - 1])) len--;
    return sluice_xstrndup(text, len);
}

/* One "[low,high)"; open and close are its brackets. Whether version is in it. */
static bool in_part(const char *low, const char *high, char open, char close, const char *version)
{
    int above = *low ? compare(version, low) : open == '[' && !*high ? -1 : 1;
    int below = *high ? compare(version, high) : -1;
    return (open == '[' ? above >= 0 : above > 0) && (close == ']' ? below <= 0 : below < 0);
}

/* A part of len bytes between its brackets. */
static bool add_part(const char *text, size_t len, char open, char close, const char *version,
                     struct sluice_buf *shown)
{
    const char *comma = memchr(text, ',', len);
    size_t first = comma ? (size_t)(comma - text) : len;
    char *low = trimmed_copy(text, first);
    char *high = comma ? trimmed_copy(comma + 1, len - first - 1) : sluice_xstrdup(low);
    bool single = !comma && !*low; /* "[]" holds nothing */
    bool in = !single && in_part(low, high, open, close, version);
    sluice_buf_addf(shown, "%s%c%s,%s%c", shown->len ? "," : "", open, low, high, close);
    free(low);
    free(high);
    return in;
}

int sluice_version_in_range(const char *range, const char *version, char **shown,
                            struct sluice_err *err)
{
    char *spec = trimmed_copy(range, strnlen(range, RANGE_MAX));
    struct sluice_buf buf;
    sluice_buf_init(&buf, 4 * RANGE_MAX);
    bool in = false, ok = true;
    *shown = NULL;
    if (*spec != '[' && *spec != '(') {
        in = add_part(spec, strlen(spec), '[', ']', version, &buf);
    } else {
        for (const char *at = spec; ok && *at;) {
            size_t len = strcspn(at + 1, "])");
            ok = (*at == '[' || *at == '(') && at[1 + len] && !memchr(at + 1, '[', len) &&
                 !memchr(at + 1, '(', len);
            if (!ok) break;
            in |= add_part(at + 1, len, *at, at[1 + len], version, &buf);
            at += len + 2;
            at += strspn(at, " \t");
            if (*at == ',') at += 1 + strspn(at + 1, " \t");
        }
    }
    if (!ok) sluice_err_set(err, "Invalid version specification: %.100s", spec);
    else if (!in) *shown = sluice_xstrdup(sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    free(spec);
    return ok ? in : -1;
}

bool sluice_version_fits(const struct sluice_plugin *plugin, const char *range,
                         struct sluice_err *err)
{
    char *shown = NULL;
    if (!range || !range[strspn(range, " \t")] || strcasecmp(range, "latest") == 0) return true;
    int in = sluice_version_in_range(range, plugin->version, &shown, err);
    if (in == 0)
        sluice_err_set(err,
                       "Plugin %s not found that matches the version range %s, available versions: "
                       "[%s]",
                       sluice_plugin_class(plugin), shown, plugin->version);
    free(shown);
    return in > 0;
}
