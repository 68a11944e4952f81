/* conf.c - struct sluice_conf: what a plugin reads its config from.
 *
 * Everything is parsed once, when it is made; constant afterwards, so any thread may read. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugin/option_rows.h"
#include "plugin/option_value.h"
#include "plugin/options.h"

struct entry {
    const char *key; /* the row's, or the one given for a pattern row */
    const struct sluice_option *option;
    struct sluice_option_value value;
};

struct sluice_conf {
    const struct sluice_plugin *plugin;
    struct sluice_map given; /* as given, without the prefix */
    struct entry *entries;   /* every row and every key that a pattern row takes */
    size_t n, cap;
};

static void add_entry(struct sluice_conf *conf, const struct sluice_option *option, const char *key)
{
    /* An IGNORED value was not checked; it stays readable as text. */
    struct sluice_buf why;
    sluice_buf_init(&why, SLUICE_BUF_MAX);
    conf->entries = sluice_xgrow(conf->entries, conf->n, &conf->cap, sizeof(*conf->entries));
    struct entry *entry = &conf->entries[conf->n++];
    entry->key = key;
    entry->option = option;
    const char *text = sluice_map_get(&conf->given, key);
    sluice_option_parse(option, text ? text : option->fallback, &entry->value, &why);
    sluice_buf_fini(&why);
}

static void fill(struct sluice_conf *conf)
{
    const struct sluice_option *options = conf->plugin->options;
    size_t stride = conf->plugin->option_size;
    for (const struct sluice_option *row = options; row && row->key;
         row = sluice_option_next(row, stride)) {
        if (!strchr(row->key, '*')) add_entry(conf, row, row->key);
    }
    for (size_t i = 0; i < conf->given.n; i++) {
        const char *key = conf->given.items[i].key;
        const struct sluice_option *row = sluice_option_find(options, stride, key);
        if (row && strchr(row->key, '*')) add_entry(conf, row, key);
    }
}

/* All findings as one sentence. */
static void report_to_err(const struct sluice_report *report, struct sluice_err *err)
{
    struct sluice_buf text;
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    for (size_t i = 0; i < report->n; i++) {
        sluice_buf_addf(&text, "%s%s", i ? "; " : "", report->items[i].message);
    }
    sluice_err_set(err, "%s", sluice_buf_str(&text));
    sluice_buf_fini(&text);
}

struct sluice_conf *sluice_conf_new(const struct sluice_plugin *plugin,
                                    const struct sluice_map *config, const char *prefix,
                                    struct sluice_err *err)
{
    struct sluice_conf *conf = sluice_xcalloc(1, sizeof(*conf));
    size_t skip = strlen(prefix);
    conf->plugin = plugin;
    for (size_t i = 0; i < config->n; i++) {
        const struct sluice_map_entry *entry = &config->items[i];
        if (strncmp(entry->key, prefix, skip) == 0 && entry->key[skip]) {
            sluice_map_set(&conf->given, entry->key + skip, entry->value);
        }
    }
    struct sluice_report report = {0};
    sluice_options_check_named(plugin->options, plugin->option_size, &conf->given, prefix, &report);
    if (report.n) {
        report_to_err(&report, err);
        sluice_conf_free(conf);
        conf = NULL;
    } else {
        fill(conf);
    }
    sluice_report_fini(&report);
    return conf;
}

void sluice_conf_free(struct sluice_conf *conf)
{
    if (!conf) return;
    for (size_t i = 0; i < conf->n; i++) sluice_option_value_fini(&conf->entries[i].value);
    free(conf->entries);
    sluice_map_fini(&conf->given);
    free(conf);
}

/* NULL, and a line in the log, when the plugin's table has no such row: a bug in the plugin that
 * must not take the worker down. */
static const struct sluice_option_value *find(const struct sluice_conf *conf, const char *key)
{
    assert(key);
    for (size_t i = 0; i < conf->n; i++) {
        if (strcmp(conf->entries[i].key, key) == 0) return &conf->entries[i].value;
    }
    if (!sluice_option_find(conf->plugin->options, conf->plugin->option_size, key)) {
        sluice_log(SLUICE_ERROR, NULL, -1,
                   "plugin %s reads the option %s, which its table does "
                   "not declare; report this to its authors",
                   conf->plugin->name, key);
    }
    return NULL;
}

const char *sluice_conf_str(const struct sluice_conf *conf, const char *key)
{
    const struct sluice_option_value *value = find(conf, key);
    return value ? value->text : NULL;
}

int64_t sluice_conf_num(const struct sluice_conf *conf, const char *key)
{
    const struct sluice_option_value *value = find(conf, key);
    return value ? value->num : 0;
}

double sluice_conf_real(const struct sluice_conf *conf, const char *key)
{
    const struct sluice_option_value *value = find(conf, key);
    return value ? value->real : 0;
}

bool sluice_conf_flag(const struct sluice_conf *conf, const char *key)
{
    return sluice_conf_num(conf, key) != 0;
}

const char *const *sluice_conf_list(const struct sluice_conf *conf, const char *key)
{
    static const char *const none[] = {NULL};
    const struct sluice_option_value *value = find(conf, key);
    return value && value->list ? (const char *const *)value->list : none;
}

bool sluice_conf_entry(const struct sluice_conf *conf, size_t i, const char **key,
                       const char **value)
{
    if (i >= conf->given.n) return false;
    *key = conf->given.items[i].key;
    *value = conf->given.items[i].value;
    return true;
}

static void warn_unknown(const struct sluice_conf *conf, const char *connector, const char *key)
{
    const char **keys = sluice_xcalloc(conf->n, sizeof(*keys));
    for (size_t i = 0; i < conf->n; i++) keys[i] = conf->entries[i].key;
    const char *near = sluice_nearest(key, keys, conf->n);
    if (near) {
        sluice_log(SLUICE_WARN, connector, -1, "unknown option %s has no effect; did you mean %s?",
                   key, near);
    } else {
        sluice_log(SLUICE_WARN, connector, -1,
                   "unknown option %s has no effect; %s does not "
                   "know it",
                   key, conf->plugin->name);
    }
    free(keys);
}

void sluice_conf_warn(const struct sluice_conf *conf, const char *connector,
                      bool (*known)(const char *key))
{
    const struct sluice_option *options = conf->plugin->options;
    for (size_t i = 0; i < conf->given.n; i++) {
        const char *key = conf->given.items[i].key;
        const struct sluice_option *row =
            sluice_option_find(options, conf->plugin->option_size, key);
        if (row && (row->flags & SLUICE_OPT_IGNORED)) {
            sluice_log(SLUICE_WARN, connector, -1, "option %s is accepted but has no effect: %s",
                       key, row->doc);
        } else if (!row && !(known && known(key))) {
            warn_unknown(conf, connector, key);
        }
    }
}
