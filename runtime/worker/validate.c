/* validate.c - a connector's config checked as Connect does before it is taken: framework keys,
 * converters, transforms, predicates, the plugin's own table and its own validate(). */
#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/java_regex.h"
#include "plugin/host.h"
#include "plugin/version_range.h"
#include "worker/connector_offsets.h"
#include "worker/task_impl.h"
#include "worker/topic_creation.h"
#include "worker/worker.h"

#define TASKS_MAX 100000 /* of one connector */

struct checking {
    const struct sluice_registry *registry;
    const struct sluice_map *config;
    struct sluice_report *report;
};

/* What the option table finds in the config; when that is nothing, what the plugin does. */
static void check_plugin(const struct sluice_plugin *plugin, const struct sluice_map *config,
                         struct sluice_report *report)
{
    struct sluice_err err;
    size_t before = report->n;
    sluice_options_check(plugin->options, plugin->option_size, config, report);
    if (!plugin->validate || report->n > before) return;
    struct sluice_conf *conf = sluice_conf_new(plugin, config, "", &err);
    if (!conf) return;
    struct sluice_host host = sluice_host_base();
    plugin->validate(&host, conf, report);
    sluice_conf_free(conf);
}

/* Keys under prefix as the config of another plugin; findings get the prefix back. */
static void check_part(const struct checking *c, const char *type_key, const char *prefix,
                       unsigned kinds)
{
    struct sluice_err err;
    struct sluice_map own = {0};
    struct sluice_report found = {0};
    const char *type = sluice_map_get(c->config, type_key);
    size_t n = strlen(prefix);
    if (!type || !*type) {
        sluice_report_add(c->report, type_key,
                          "Missing required configuration \"%s\" which has no default value.",
                          type_key);
        return;
    }
    const struct sluice_plugin *plugin = sluice_registry_find(c->registry, kinds, type, &err);
    if (!plugin) {
        sluice_report_add(
            c->report, type_key,
            "Invalid value %s for configuration %s: Class %s could not be found. (%s)", type,
            type_key, type, err.msg);
        return;
    }
    char *version = sluice_xasprintf("%splugin.version", prefix);
    if (!sluice_version_fits(plugin, sluice_map_get(c->config, version), &err))
        sluice_report_add(c->report, version, "%s", err.msg);
    free(version);
    for (size_t i = 0; i < c->config->n; i++)
        if (strncmp(c->config->items[i].key, prefix, n) == 0)
            sluice_map_set(&own, c->config->items[i].key + n, c->config->items[i].value);
    check_plugin(plugin, &own, &found);
    for (size_t i = 0; i < found.n; i++) {
        char *key = sluice_xasprintf("%s%s", prefix, found.items[i].key);
        sluice_report_add(c->report, key, "%s", found.items[i].message);
        free(key);
    }
    sluice_report_fini(&found);
    sluice_map_fini(&own);
}

static void check_converters(const struct checking *c)
{
    static const char *const keys[] = {"key.converter", "value.converter", "header.converter"};
    for (size_t i = 0; i < 3; i++) {
        const char *name = sluice_map_get(c->config, keys[i]);
        char prefix[32];
        if (!name || !*name) continue;
        snprintf(prefix, sizeof prefix, "%s.", keys[i]);
        check_part(c, keys[i], prefix,
                   1u << SLUICE_KIND_CONVERTER | 1u << SLUICE_KIND_HEADER_CONVERTER);
    }
}

/* Each alias of a list; false and a finding when one stands twice. */
static bool each_alias(const struct checking *c, const char *list_key,
                       void (*check)(const struct checking *, const char *alias))
{
    const char *list = sluice_map_get(c->config, list_key);
    struct sluice_map seen = {0};
    bool ok = true;
    while (ok && list && *list) {
        size_t lead = strspn(list, " \t\n,"), n = strcspn(list + lead, " \t\n,");
        if (n == 0) break;
        char *alias = sluice_xstrndup(list + lead, n);
        ok = !sluice_map_has(&seen, alias);
        if (ok) check(c, alias);
        else
            sluice_report_add(c->report, list_key,
                              "Invalid value %s for configuration %s: Duplicate alias provided.",
                              sluice_map_get(c->config, list_key), list_key);
        sluice_map_set(&seen, alias, "");
        free(alias);
        list += lead + n;
    }
    sluice_map_fini(&seen);
    return ok;
}

static void check_transform(const struct checking *c, const char *alias)
{
    char *prefix = sluice_xasprintf("transforms.%s.", alias);
    char *type = sluice_xasprintf("%stype", prefix);
    char *predicate = sluice_xasprintf("%spredicate", prefix);
    char *negate = sluice_xasprintf("%snegate", prefix);
    const char *named = sluice_map_get(c->config, predicate);
    check_part(c, type, prefix, 1u << SLUICE_KIND_TRANSFORM);
    if (named && *named) {
        char *predicate_type = sluice_xasprintf("predicates.%s.type", named);
        if (!sluice_map_has(c->config, predicate_type))
            sluice_report_add(
                c->report, predicate,
                "Invalid value %s for configuration %s: there is no predicate of that "
                "name: add it to predicates and set %s",
                named, predicate, predicate_type);
        free(predicate_type);
    } else if (sluice_map_has(c->config, negate)) {
        sluice_report_add(
            c->report, negate,
            "Invalid value %s for configuration %s: negate is given without a predicate",
            sluice_map_get(c->config, negate), negate);
    }
    free(prefix);
    free(type);
    free(predicate);
    free(negate);
}

static void check_predicate(const struct checking *c, const char *alias)
{
    char *prefix = sluice_xasprintf("predicates.%s.", alias);
    char *type = sluice_xasprintf("%stype", prefix);
    check_part(c, type, prefix, 1u << SLUICE_KIND_PREDICATE);
    free(prefix);
    free(type);
}

static bool in_list(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = list; p && *p;) {
        size_t lead = strspn(p, " \t,"), n = strcspn(p + lead, " \t,");
        if (n == len && strncmp(p + lead, word, n) == 0) return true;
        p += lead + n;
    }
    return false;
}

/* Java's full match; a pattern that is none is a finding. */
static void check_regex(const struct checking *c, const char *regex, const char *letters)
{
    struct sluice_err err;
    struct sluice_java_regex *compiled = sluice_java_regex_new(regex, 0, &err);
    if (!compiled) {
        sluice_report_add(c->report, "topics.regex",
                          "Invalid value %s for configuration topics.regex: Invalid regex: %s",
                          regex, err.msg);
        return;
    }
    if (letters && *letters &&
        sluice_java_regex_matches(compiled, letters, strlen(letters), &err) == SLUICE_MATCH_YES)
        sluice_report_add(c->report, "topics.regex",
                          "The DLQ topic '%s' may not be matched by the regex for the topics "
                          "('topics.regex=%s') consumed by the connector",
                          letters, regex);
    sluice_java_regex_free(compiled);
}

/* A sink that joined the workers' own group would take part in their assignments. */
static void check_group(const struct checking *c, struct sluice_worker *worker)
{
    const char *cluster = sluice_worker_prop(worker, "group.id");
    const char *own = sluice_map_get(c->config, "consumer.override.group.id");
    const char *name = sluice_map_get(c->config, "name");
    if (!cluster || !*cluster || !sluice_worker_distributed(worker)) return;
    if (own && strcmp(own, cluster) == 0)
        sluice_report_add(c->report, "consumer.override.group.id",
                          "Consumer group %s conflicts with Connect worker group %s", own, cluster);
    if (!own && name && strncmp(cluster, "connect-", 8) == 0 && strcmp(cluster + 8, name) == 0)
        sluice_report_add(c->report, "name",
                          "Consumer group for sink connector named %s conflicts with Connect "
                          "worker group %s",
                          name, cluster);
}

static void check_topics(const struct checking *c)
{
    const char *topics = sluice_map_get(c->config, "topics");
    const char *regex = sluice_map_get(c->config, "topics.regex");
    const char *letters = sluice_map_get(c->config, "errors.deadletterqueue.topic.name");
    bool some = topics && *topics, pattern = regex && *regex;
    const char *wrong = some == pattern ? some ? "topics and topics.regex are mutually exclusive "
                                                 "options, but both are set."
                                               : "Must configure one of topics or topics.regex"
                                        : NULL;
    if (wrong) {
        sluice_report_add(c->report, "topics", "%s", wrong);
        sluice_report_add(c->report, "topics.regex", "%s", wrong);
    }
    if (some && letters && *letters && in_list(topics, letters))
        sluice_report_add(c->report, "topics",
                          "The DLQ topic '%s' may not be included in the list of topics "
                          "('topics=[%s]') consumed by the connector",
                          letters, topics);
    if (pattern) check_regex(c, regex, letters);
}

/* SLUICE_EXACTLY_ONCE and so on; everything when the config is wrong, which is said elsewhere. */
static unsigned promises(const struct sluice_plugin *plugin, const struct sluice_map *config)
{
    const struct sluice_source *source = plugin->source;
    struct sluice_err err;
    size_t needed = offsetof(struct sluice_source, exactly_once) + sizeof source->exactly_once;
    if (source->size < needed || !source->exactly_once) return 0;
    struct sluice_conf *conf = sluice_conf_new(plugin, config, "", &err);
    if (!conf) return ~0u;
    struct sluice_host host = sluice_host_base();
    unsigned can = source->exactly_once(&host, conf);
    sluice_conf_free(conf);
    return can;
}

static bool says(const struct checking *c, const char *key, const char *word)
{
    const char *value = sluice_map_get(c->config, key);
    return value && strcasecmp(value, word) == 0;
}

/* KIP-618; the texts are Connect's. */
static void check_eos(const struct checking *c, struct sluice_worker *worker,
                      const struct sluice_plugin *plugin)
{
    bool required = says(c, "exactly.once.support", "required");
    bool enabled = required && sluice_worker_exactly_once(worker);
    if (required && !enabled)
        sluice_report_add(c->report, "exactly.once.support",
                          "This worker does not have exactly-once source support enabled.");
    if (enabled && !(promises(plugin, c->config) & SLUICE_EXACTLY_ONCE))
        sluice_report_add(c->report, "exactly.once.support",
                          "The connector does not support exactly-once semantics with the provided "
                          "configuration.");
    if (says(c, "transaction.boundary", "connector") && sluice_worker_distributed(worker) &&
        !(promises(plugin, c->config) & SLUICE_BOUNDARIES))
        sluice_report_add(c->report, "transaction.boundary",
                          "The connector does not support connector-defined transaction "
                          "boundaries with the given configuration. Please reconfigure it to use a "
                          "different transaction boundary definition.");
}

/* All that can be said of a config whose variables are replaced. */
static void check_config(const struct checking *c, struct sluice_worker *worker,
                         const struct sluice_plugin *plugin)
{
    sluice_options_check(sluice_connector_options(plugin->kind), sizeof(struct sluice_option),
                         c->config, c->report);
    if (plugin->kind == SLUICE_KIND_SINK) {
        check_topics(c);
        check_group(c, worker);
    }
    if (plugin->kind == SLUICE_KIND_SOURCE) {
        check_eos(c, worker, plugin);
        sluice_topic_creation_check(c->config, c->report);
    }
    sluice_override_check(sluice_worker_policy(worker), plugin->kind, c->config, c->report);
    check_converters(c);
    each_alias(c, "predicates", check_predicate);
    each_alias(c, "transforms", check_transform);
    check_plugin(plugin, c->config, c->report);
}

/* Findings quote values: one that a variable stands for is taken out again, however short it is. */
static void hide_values(const struct sluice_map *raw, const struct sluice_map *resolved,
                        struct sluice_report *report)
{
    for (size_t i = 0; i < report->n; i++) {
        struct sluice_finding *finding = &report->items[i];
        const char *given = sluice_map_get(raw, finding->key);
        const char *value = sluice_map_get(resolved, finding->key);
        if (!given || !value || strcmp(given, value) == 0) continue;
        char *quoted = sluice_xasprintf("Invalid value %s for", value);
        if (strncmp(finding->message, quoted, strlen(quoted)) == 0) {
            char *shown =
                sluice_xasprintf("Invalid value [hidden] for%s", finding->message + strlen(quoted));
            free(finding->message);
            finding->message = shown;
        }
        free(quoted);
    }
}

/* What is needed before a task's thread could ask a provider. */
static void check_early(const struct sluice_map *raw, struct sluice_report *report)
{
    static const char *const keys[] = {"inflight.max.records", "inflight.max.bytes"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *text = sluice_map_get(raw, keys[i]);
        if (text && sluice_variables_in(text))
            sluice_report_add(report, keys[i],
                              "Invalid value %s for configuration %s: this one cannot come from a "
                              "config provider; write the value itself",
                              text, keys[i]);
    }
}

bool sluice_worker_validate(struct sluice_worker *worker, const struct sluice_map *config,
                            const struct sluice_plugin **plugin, struct sluice_report *report,
                            struct sluice_err *err)
{
    struct sluice_map resolved = {0};
    size_t before = report->n;
    check_early(config, report);
    bool usable = sluice_variables_resolve(sluice_worker_variables(worker), config, &resolved, NULL,
                                           report) &&
                  report->n == before;
    struct checking c = {sluice_worker_registry(worker), &resolved, report};
    const char *class = sluice_map_get(&resolved, "connector.class");
    *plugin = NULL;
    if (!class || !*class) {
        const char *name = sluice_map_get(config, "name");
        sluice_err_set(err, "Connector config {name=%s} contains no connector type",
                       name ? name : "");
    } else {
        *plugin = sluice_registry_find(
            c.registry, 1u << SLUICE_KIND_SOURCE | 1u << SLUICE_KIND_SINK, class, err);
    }
    if (*plugin &&
        !sluice_version_fits(*plugin, sluice_map_get(&resolved, "connector.plugin.version"), err))
        *plugin = NULL;
    if (*plugin && usable) check_config(&c, worker, *plugin);
    hide_values(config, &resolved, report);
    sluice_map_fini(&resolved);
    return *plugin != NULL;
}

/* What the key says, its variables replaced; owned, NULL: not given. */
static char *resolved(struct sluice_worker *worker, const struct sluice_map *config,
                      const char *key)
{
    struct sluice_map given = {0}, out = {0};
    struct sluice_report report = {0};
    const char *text = sluice_map_get(config, key);
    if (!text) return NULL;
    sluice_map_set(&given, key, text);
    sluice_variables_resolve(sluice_worker_variables(worker), &given, &out, NULL, &report);
    char *copy = sluice_xstrdup(sluice_map_get(&out, key));
    sluice_report_fini(&report);
    sluice_map_fini(&given);
    sluice_map_fini(&out);
    return copy;
}

static long tasks_max(struct sluice_worker *worker, const struct sluice_map *config)
{
    char *text = resolved(worker, config, "tasks.max");
    long n = text ? strtol(text, NULL, 10) : 1;
    free(text);
    return n < 1 ? 1 : n;
}

int sluice_worker_task_count(struct sluice_worker *worker, const struct sluice_plugin *plugin,
                             const struct sluice_map *config)
{
    long n = tasks_max(worker, config);
    if (plugin->max_tasks > 0 && n > (long)plugin->max_tasks) n = (long)plugin->max_tasks;
    return n > TASKS_MAX ? TASKS_MAX : (int)n;
}

bool sluice_worker_tasks_allowed(struct sluice_worker *worker, const char *connector,
                                 const struct sluice_map *config, int n, struct sluice_err *err)
{
    long max = tasks_max(worker, config);
    if (n <= max) return true;
    char *text = resolved(worker, config, "tasks.max.enforce");
    const char *word = text ? text + strspn(text, " \t\r\n") : "";
    bool enforce = strncasecmp(word, "false", 5) != 0;
    free(text);
    sluice_err_set(err,
                   "The connector %s has generated %d tasks, which is greater than %ld, its "
                   "tasks.max: raise that, or set tasks.max.enforce=false to run them all",
                   connector, n, max);
    if (!enforce) sluice_log(SLUICE_WARN, connector, -1, "%s; all run", err->msg);
    return !enforce;
}
