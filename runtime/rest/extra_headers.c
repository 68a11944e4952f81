/* extra_headers.c - rules for headers of answers.
 *
 * response.http.headers.config is a list "[action] [name]:[value]", separated by commas; a rule
 * that has commas itself stands in double quotes. set replaces, add goes beside; setDate and
 * addDate take milliseconds to add to the time of the answer. */
#include "rest/extra_headers.h"

#include <assert.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

#define RULES_MAX 64
#define PREFLIGHT_AGE "60"

enum action { SET, ADD, SET_DATE, ADD_DATE };

struct rule {
    enum action action;
    char *name, *value;
    int64_t offset_ms; /* of the dates */
};

struct sluice_extra_headers {
    struct rule rules[RULES_MAX];
    size_t n;
    char *origins; /* comma separated; NULL: no CORS */
    char *methods; /* as they are told */
};

/* ---- response.http.headers.config ---- */

static const char *const actions[] = {"set", "add", "setDate", "addDate"};

static bool is_token(const char *text)
{
    if (!*text) return false;
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7F ||
            strchr("()<>@,;:\\\"/[]?={}", *c))
            return false;
    }
    return true;
}

/* Blanks at both ends cut off, in place. */
static char *trimmed(char *text)
{
    text += strspn(text, " \t\r\n");
    size_t len = strlen(text);
    while (len && strchr(" \t\r\n", text[len - 1])) len--;
    text[len] = '\0';
    return text;
}

static bool has_control(const char *text)
{
    for (; *text; text++) {
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7F) return true;
    }
    return false;
}

static bool parse_value(struct rule *rule, const char *value, struct sluice_err *err)
{
    if (has_control(value))
        return sluice_err_set(err,
                              "the value of header %s has a line break or another control "
                              "character",
                              rule->name);
    rule->value = sluice_xstrdup(value);
    if (rule->action == SET || rule->action == ADD) return true;
    char *end;
    errno = 0;
    rule->offset_ms = strtoll(value, &end, 10);
    if (*value && !*end && !errno && llabs(rule->offset_ms) < (INT64_C(1) << 50)) return true;
    return sluice_err_set(err, "'%s' of %s %s is no number of milliseconds", value,
                          actions[rule->action], rule->name);
}

/* text: one rule, cut apart in place. */
static bool parse_rule(struct rule *rule, char *text, struct sluice_err *err)
{
    char *whole = sluice_xstrdup(text);
    size_t len = strcspn(text, " \t"), action = 0, count = sizeof actions / sizeof *actions;
    while (action < count &&
           (strlen(actions[action]) != len || strncasecmp(actions[action], text, len) != 0))
        action++;
    char *name = text + len, *colon = strchr(name, ':');
    bool ok = true;
    if (action == count) {
        ok = sluice_err_set(err,
                            "Invalid header config action: '%.*s'. Expected one of [set, add, "
                            "setDate, addDate]",
                            (int)len, text);
    } else if (!colon) {
        ok = sluice_err_set(err,
                            "Invalid format of header config '%s'. Expected: '[action] [header "
                            "name]:[header value]'",
                            whole);
    } else {
        *colon = '\0';
        name = trimmed(name);
        if (!is_token(name)) {
            ok = sluice_err_set(err,
                                "Invalid header name '%s'. The '[header name]' cannot contain "
                                "whitespace",
                                name);
        } else {
            *rule = (struct rule){.action = (enum action)action, .name = sluice_xstrdup(name)};
            ok = parse_value(rule, trimmed(colon + 1), err);
        }
    }
    free(whole);
    return ok;
}

/* The next item of the list, quotes taken off; owned. */
static char *next_item(const char **at)
{
    struct sluice_buf item;
    sluice_buf_init(&item, SLUICE_BUF_MAX);
    bool quoted = false;
    for (; **at && (quoted || **at != ','); (*at)++) {
        if (**at == '"') quoted = !quoted;
        else sluice_buf_add(&item, *at, 1);
    }
    if (**at) (*at)++;
    char *text = sluice_xstrdup(sluice_buf_str(&item));
    sluice_buf_fini(&item);
    return text;
}

static bool parse_rules(struct sluice_extra_headers *extra, const char *list,
                        struct sluice_err *err)
{
    bool ok = true;
    for (const char *at = list; ok && *at;) {
        char *item = next_item(&at), *text = trimmed(item);
        if (!*text) {
            free(item);
            continue;
        }
        if (extra->n == RULES_MAX) ok = sluice_err_set(err, "more than %d headers", RULES_MAX);
        else ok = parse_rule(&extra->rules[extra->n++], text, err);
        free(item);
    }
    return ok || sluice_err_wrap(err, "response.http.headers.config");
}

/* ---- making ---- */

/* A list without its blanks. */
static char *compact(const char *list)
{
    char *text = sluice_xmalloc(strlen(list) + 1), *to = text;
    for (const char *c = list; *c; c++) {
        if (!strchr(" \t\r\n", *c)) *to++ = *c;
    }
    *to = '\0';
    return text;
}

struct sluice_extra_headers *sluice_extra_headers_new(const struct sluice_map *props,
                                                      struct sluice_err *err)
{
    struct sluice_extra_headers *extra = sluice_xcalloc(1, sizeof *extra);
    const char *rules = sluice_map_get(props, "response.http.headers.config");
    const char *origins = sluice_map_get(props, "access.control.allow.origin");
    const char *methods = sluice_map_get(props, "access.control.allow.methods");
    if (rules && !parse_rules(extra, rules, err)) {
        sluice_extra_headers_free(extra);
        return NULL;
    }
    extra->origins = origins ? compact(origins) : NULL;
    if (extra->origins && !*extra->origins) {
        free(extra->origins);
        extra->origins = NULL;
    }
    extra->methods =
        compact(methods && methods[strspn(methods, " \t")] ? methods : "GET,POST,HEAD");
    if (has_control(extra->methods)) {
        sluice_err_set(err, "access.control.allow.methods has a control character");
        sluice_extra_headers_free(extra);
        return NULL;
    }
    return extra;
}

void sluice_extra_headers_free(struct sluice_extra_headers *extra)
{
    if (!extra) return;
    for (size_t i = 0; i < extra->n; i++) {
        free(extra->rules[i].name);
        free(extra->rules[i].value);
    }
    free(extra->origins);
    free(extra->methods);
    free(extra);
}

/* ---- answering ---- */

static bool origin_allowed(const char *origins, const char *origin)
{
    bool allowed = false;
    for (const char *at = origins; !allowed && *at; at += strcspn(at, ","), at += *at == ',') {
        char *pattern = sluice_xstrndup(at, strcspn(at, ","));
        /* only * means something in it: brackets stand in the addresses of IPv6 */
        bool wild = strchr(pattern, '*') && !strpbrk(pattern, "[?\\");
        allowed = wild ? fnmatch(pattern, origin, 0) == 0 : strcasecmp(pattern, origin) == 0;
        free(pattern);
    }
    return allowed;
}

static void add_cors(const struct sluice_extra_headers *extra, const struct sluice_request *req,
                     sluice_header_add *add, void *to)
{
    add(to, false, "Vary", "Origin"); /* caches must keep the answers apart */
    if (!req->origin || has_control(req->origin) || !origin_allowed(extra->origins, req->origin))
        return;
    add(to, true, "Access-Control-Allow-Origin", req->origin);
    if (!req->asked_method || strcmp(req->method, "OPTIONS") != 0) return;
    add(to, true, "Access-Control-Max-Age", PREFLIGHT_AGE);
    add(to, true, "Access-Control-Allow-Methods", extra->methods);
    add(to, true, "Access-Control-Allow-Headers", "Content-Type,Authorization");
}

/* Locale-free: the names of HTTP are English. */
static void date_text(int64_t ms, char out[40])
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOct"
                                                                   "NovDec";
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm)) memset(&tm, 0, sizeof tm);
    snprintf(out, 40, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday, tm.tm_mday,
             months + 3 * tm.tm_mon, (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void sluice_extra_headers_each(const struct sluice_extra_headers *extra,
                               const struct sluice_request *req, sluice_header_add *add, void *to)
{
    assert(extra->n <= RULES_MAX);
    if (extra->origins) add_cors(extra, req, add, to);
    for (size_t i = 0; i < extra->n; i++) {
        const struct rule *rule = &extra->rules[i];
        char date[40];
        bool dated = rule->action == SET_DATE || rule->action == ADD_DATE;
        if (dated) date_text(sluice_wall_ms() + rule->offset_ms, date);
        add(to, rule->action == SET || rule->action == SET_DATE, rule->name,
            dated ? date : rule->value);
    }
}
