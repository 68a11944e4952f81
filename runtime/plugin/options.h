/* options.h - a config checked against option tables: struct sluice_conf and its findings.
 * A conf is constant after it was made; any thread may read it. */
#ifndef SLUICE_PLUGIN_OPTIONS_H
#define SLUICE_PLUGIN_OPTIONS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/map.h"
#include "sluice/plugin.h"

/* ---- findings: key, value, message; ConfigInfos' errors ---- */
struct sluice_finding {
    char *key, *message;
};

struct sluice_report {
    struct sluice_finding *items;
    size_t n, cap;
};

void sluice_report_add(struct sluice_report *report, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void sluice_report_fini(struct sluice_report *report);

/* ---- option tables ---- */
/* Row for the key, a pattern row with '*' included; stride: the plugin's option_size. */
const struct sluice_option *sluice_option_find(const struct sluice_option *options, size_t stride,
                                               const char *key);
/* Checks every row of the table against the map with Connect's messages (connect.md section 1:
 * Missing required configuration "k" which has no default value. / Invalid value V for
 * configuration k: ...), and appends the valid words or range and what to do. */
void sluice_options_check(const struct sluice_option *options, size_t stride,
                          const struct sluice_map *config, struct sluice_report *report);
/* A checked conf of the plugin from the map, which it copies. prefix: only keys that start with it
 * count, without it ("value.converter."); "" for all. NULL: findings in err as one sentence. */
struct sluice_conf *sluice_conf_new(const struct sluice_plugin *plugin,
                                    const struct sluice_map *config, const char *prefix,
                                    struct sluice_err *err);
void sluice_conf_free(struct sluice_conf *conf);
/* Warns once about keys of the map that no table knows, with the nearest known key; and about
 * IGNORED ones that are given. known(): whether somebody else (the framework) knows the key. */
void sluice_conf_warn(const struct sluice_conf *conf, const char *connector,
                      bool (*known)(const char *key));
/* Edit distance for "did you mean": nearest of n candidates or NULL when none is near. */
const char *sluice_nearest(const char *word, const char *const *candidates, size_t n);

/* The conf functions that stand in struct sluice_host. */
const char *sluice_conf_str(const struct sluice_conf *conf, const char *key);
int64_t sluice_conf_num(const struct sluice_conf *conf, const char *key);
double sluice_conf_real(const struct sluice_conf *conf, const char *key);
bool sluice_conf_flag(const struct sluice_conf *conf, const char *key);
const char *const *sluice_conf_list(const struct sluice_conf *conf, const char *key);
bool sluice_conf_entry(const struct sluice_conf *conf, size_t i, const char **key,
                       const char **value);

/* One row as a ConfigKeyInfo object of Connect's REST ("definition"), new reference. */
json_t *sluice_option_json(const struct sluice_option *option);

#endif
