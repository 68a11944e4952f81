/* options.c - a config against option tables: findings in Connect's words.
 *
 * A plugin's table is walked with the row size of its own ABI minor (option_size), never as an
 * array of ours. Any thread. */
#include "plugin/options.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "plugin/option_rows.h"
#include "plugin/option_value.h"

#define REASON_MAX_BYTES ((size_t)64 * 1024)
#define SHOWN_VALUE_BYTES 200 /* of a wrong value in its message */

void sluice_report_add(struct sluice_report *report, const char *key, const char *fmt, ...)
{
    va_list ap;
    char *message = NULL;
    va_start(ap, fmt);
    int n = vasprintf(&message, fmt, ap);
    va_end(ap);
    report->items = sluice_xgrow(report->items, report->n, &report->cap, sizeof(*report->items));
    report->items[report->n].key = sluice_xstrdup(key);
    report->items[report->n].message = sluice_secret_hidden(n < 0 ? fmt : message);
    report->n++;
    if (n >= 0) free(message);
}

void sluice_report_fini(struct sluice_report *report)
{
    for (size_t i = 0; i < report->n; i++) {
        free(report->items[i].key);
        free(report->items[i].message);
    }
    free(report->items);
    memset(report, 0, sizeof(*report));
}

const struct sluice_option *sluice_option_next(const struct sluice_option *option, size_t stride)
{
    assert(stride >= sizeof(struct sluice_option) && stride % _Alignof(struct sluice_option) == 0);
    return (const struct sluice_option *)((const char *)option + stride);
}

bool sluice_option_matches(const char *pattern, const char *key)
{
    const char *star = strchr(pattern, '*');
    if (!star) return strcmp(pattern, key) == 0;
    size_t head = (size_t)(star - pattern), tail = strlen(star + 1), len = strlen(key);
    return len > head + tail && strncmp(key, pattern, head) == 0 &&
           strcmp(key + len - tail, star + 1) == 0;
}

const struct sluice_option *sluice_option_find(const struct sluice_option *options, size_t stride,
                                               const char *key)
{
    const struct sluice_option *pattern = NULL;
    if (!options) return NULL;
    for (const struct sluice_option *row = options; row->key;
         row = sluice_option_next(row, stride)) {
        if (strcmp(row->key, key) == 0) return row;
        if (!pattern && sluice_option_matches(row->key, key)) pattern = row;
    }
    return pattern;
}

static void check_value(const struct sluice_option *option, const char *key, const char *name,
                        const struct sluice_map *config, struct sluice_report *report)
{
    if (option->flags & SLUICE_OPT_IGNORED) return;
    const char *text = sluice_map_get(config, key);
    if (!text && sluice_map_has(config, key)) {
        sluice_report_add(report, name,
                          "Invalid value null for configuration %s: Null value can "
                          "not be supplied as the configuration value.",
                          name);
        return;
    }
    if (!text && (option->flags & SLUICE_OPT_REQUIRED)) {
        sluice_report_add(report, name,
                          "Missing required configuration \"%s\" which has no "
                          "default value.",
                          name);
        return;
    }
    if (!text) return; /* the default is right: tests/contract holds every plugin to it */
    struct sluice_option_value value;
    struct sluice_buf why;
    sluice_buf_init(&why, REASON_MAX_BYTES);
    if (!sluice_option_parse(option, text, &value, &why)) {
        bool secret = option->type == SLUICE_OPT_PASSWORD;
        char *shown = sluice_secret_hidden(secret ? "[hidden]" : text); /* before it is cut */
        sluice_report_add(report, name, "Invalid value %.*s for configuration %s: %s",
                          SHOWN_VALUE_BYTES, shown, name, sluice_buf_str(&why));
        free(shown);
    }
    sluice_option_value_fini(&value);
    sluice_buf_fini(&why);
}

void sluice_options_check_named(const struct sluice_option *options, size_t stride,
                                const struct sluice_map *config, const char *prefix,
                                struct sluice_report *report)
{
    if (!options) return;
    for (const struct sluice_option *row = options; row->key;
         row = sluice_option_next(row, stride)) {
        if (!strchr(row->key, '*')) {
            char *name = sluice_xasprintf("%s%s", prefix, row->key);
            check_value(row, row->key, name, config, report);
            free(name);
            continue;
        }
        for (size_t i = 0; i < config->n; i++) {
            const char *key = config->items[i].key;
            if (sluice_option_find(options, stride, key) != row) continue;
            char *name = sluice_xasprintf("%s%s", prefix, key);
            check_value(row, key, name, config, report);
            free(name);
        }
    }
}

void sluice_options_check(const struct sluice_option *options, size_t stride,
                          const struct sluice_map *config, struct sluice_report *report)
{
    sluice_options_check_named(options, stride, config, "", report);
}

json_t *sluice_option_json(const struct sluice_option *option)
{
    const char *fallback = option->fallback;
    if (fallback && *fallback && option->type == SLUICE_OPT_PASSWORD) fallback = "[hidden]";
    json_t *object = json_pack(
        "{s:s, s:s, s:b, s:s?, s:s, s:s, s:s?, s:s, s:s, s:[], s:i}", "name", option->key, "type",
        sluice_option_type_name(option->type), "required",
        (option->flags & SLUICE_OPT_REQUIRED) != 0, "default_value", fallback, "importance",
        sluice_importance_name(option->importance), "documentation", option->doc, "group",
        option->group, "width", "NONE", "display_name", option->key, "dependents", "order", -1);
    assert(object);
    return object;
}
