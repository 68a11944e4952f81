/* config.c - a connector config's way in: its name, its findings, and Connect's words for both.
 *
 * No lock is held here: a plugin's validate() may ask a database and take its time. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "herder/herder.h"

#define CONNECTOR_KINDS ((1u << SLUICE_KIND_SOURCE) | (1u << SLUICE_KIND_SINK))

char *sluice_connector_name_trim(char *name)
{
    /* String.trim(): everything up to U+0020 */
    while (*name && (unsigned char)*name <= ' ') name++;
    size_t len = strlen(name);
    while (len && (unsigned char)name[len - 1] <= ' ') len--;
    name[len] = '\0';
    return name;
}

bool sluice_config_name(struct sluice_map *config, const char *name, struct sluice_answer *answer)
{
    const char *given = sluice_map_get(config, "name");
    if (!given) {
        sluice_map_set(config, "name", name);
        return true;
    }
    if (strcmp(given, name) == 0) return true;
    sluice_answer_error(answer, 400,
                        "Connector name configuration (%s) doesn't match connector name in the "
                        "URL (%s)",
                        given, name);
    return false;
}

/* Without a connector class nobody knows which keys are secrets: go by what they are called. */
static bool looks_secret(const char *key)
{
    static const char *const words[] = {"password", "secret", "token",      "credential",
                                        "keyfile",  "jaas",   "basic.auth", "api.key"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasestr(key, words[i])) return true;
    }
    return false;
}

/* The config as Java prints a map: {a=1, b=2}. */
static char *config_text(const struct sluice_map *config)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    sluice_buf_adds(&buf, "{");
    for (size_t i = 0; i < config->n; i++) {
        const struct sluice_map_entry *entry = &config->items[i];
        const char *value = entry->value ? entry->value : "null";
        sluice_buf_addf(&buf, "%s%s=%s", i ? ", " : "", entry->key,
                        looks_secret(entry->key) ? "[hidden]" : value);
    }
    sluice_buf_adds(&buf, "}");
    char *text = sluice_xstrdup(sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    return text;
}

static char *unknown_class_text(const struct sluice_registry *registry, const char *name,
                                const struct sluice_err *err)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    sluice_buf_addf(&buf,
                    "Failed to find any class that implements Connector and which name matches "
                    "%s, available connectors are: ",
                    name);
    const char *comma = "";
    const struct sluice_plugin *plugin;
    for (size_t i = 0; (plugin = sluice_registry_at(registry, i)); i++) {
        if (!(CONNECTOR_KINDS & (1u << plugin->kind))) continue;
        sluice_buf_addf(&buf, "%s%s (%s %s)", comma, sluice_plugin_class(plugin), plugin->name,
                        plugin->version);
        comma = ", ";
    }
    if (err->msg[0]) sluice_buf_addf(&buf, " (%s)", err->msg);
    char *text = sluice_xstrdup(sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    return text;
}

/* A name may stand in topics, file names and terminals: no ISO control characters in it. */
static void check_name(const char *name, struct sluice_report *report)
{
    struct sluice_buf codes;
    sluice_buf_init(&codes, SLUICE_BUF_MAX);
    for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
        bool latin = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0; /* U+0080 to U+009F */
        if (*c < 0x20 || *c == 0x7f || latin)
            sluice_buf_addf(&codes, "%s%d", codes.len ? ", " : "", latin ? c[1] : *c);
    }
    if (codes.len) {
        sluice_report_add(report, "name",
                          "Invalid value %s for configuration name: String may not contain control "
                          "sequences but had the following ASCII chars: %s",
                          name, sluice_buf_str(&codes));
    }
    sluice_buf_fini(&codes);
}

/* starts: the connector is to be started, see validate() in plugin.h. */
static bool find(struct sluice_worker *worker, const struct sluice_map *config, bool starts,
                 const struct sluice_plugin **plugin, struct sluice_report *report, char **text)
{
    struct sluice_err err = {{0}};
    *plugin = NULL;
    *text = NULL;
    const char *class_name = sluice_map_get(config, "connector.class");
    if (!class_name || !*class_name) {
        char *shown = config_text(config);
        *text = sluice_xasprintf("Connector config %s contains no connector type", shown);
        free(shown);
        return false;
    }
    const struct sluice_registry *registry = sluice_worker_registry(worker);
    bool named = !strstr(class_name, "${"); /* else validation knows what it stands for */
    if (named && !sluice_registry_find(registry, CONNECTOR_KINDS, class_name, &err)) {
        *text = unknown_class_text(registry, class_name, &err);
        return false;
    }
    if (sluice_map_get(config, "name")) check_name(sluice_map_get(config, "name"), report);
    struct sluice_map given = {0}; /* null values are refused here, once, and go no further */
    for (size_t i = 0; i < config->n; i++) {
        const struct sluice_map_entry *entry = &config->items[i];
        if (entry->value) {
            sluice_map_set(&given, entry->key, entry->value);
        } else {
            sluice_report_add(report, entry->key,
                              "Null value can not be supplied as the configuration value.");
        }
    }
    size_t before = report->n;
    if (starts) sluice_map_set(&given, "connector.starts", "true");
    bool ok = sluice_worker_validate(worker, &given, plugin, report, &err);
    sluice_map_fini(&given);
    if (!*plugin) {
        *text = sluice_xstrdup(err.msg);
        return false;
    }
    if (!ok && report->n == before && err.msg[0]) {
        sluice_report_add(report, "connector.class", "%s", err.msg);
    }
    return true;
}

bool sluice_config_findings(struct sluice_worker *worker, const struct sluice_map *config,
                            const struct sluice_plugin **plugin, struct sluice_report *report,
                            char **text)
{
    return find(worker, config, false, plugin, report, text);
}

bool sluice_config_check(struct sluice_worker *worker, const struct sluice_map *config,
                         const struct sluice_plugin **plugin, struct sluice_answer *answer)
{
    struct sluice_report report = {0};
    char *text = NULL;
    bool ok = find(worker, config, true, plugin, &report, &text);
    if (!ok) {
        sluice_answer_error(answer, 400, "%s", text);
    } else if (report.n) {
        struct sluice_buf buf;
        sluice_buf_init(&buf, SLUICE_BUF_MAX);
        sluice_buf_addf(&buf,
                        "Connector configuration is invalid and contains the following %zu "
                        "error(s):",
                        report.n);
        for (size_t i = 0; i < report.n; i++)
            sluice_buf_addf(&buf, "\n%s", report.items[i].message);
        sluice_buf_adds(&buf, "\nYou can also find the above list of errors at the endpoint "
                              "`/connector-plugins/{connectorType}/config/validate`");
        sluice_answer_error(answer, 400, "%s", sluice_buf_str(&buf));
        sluice_buf_fini(&buf);
        ok = false;
    }
    assert(!ok || *plugin);
    free(text);
    sluice_report_fini(&report);
    return ok;
}

const char *sluice_connector_type(const struct sluice_plugin *plugin)
{
    if (!plugin) return "unknown";
    if (plugin->kind == SLUICE_KIND_SOURCE) return "source";
    return plugin->kind == SLUICE_KIND_SINK ? "sink" : "unknown";
}
