/* config_infos.c - what validate answers: every option that counts for a config, with its value and
 * what is wrong with it. The tables of framework, connector, transforms, predicates and converters
 * are walked; a key that two of them have is listed once. */
#include "rest/config_infos.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "herder/answer.h"

struct infos {
    const struct sluice_registry *registry;
    const struct sluice_map *config;
    const struct sluice_report *report;
    json_t *configs, *groups; /* arrays */
    json_t *listed;           /* object: names that stand in configs */
};

static const struct sluice_option *next_row(const struct sluice_option *row, size_t stride)
{
    return (const struct sluice_option *)((const char *)row + stride);
}

/* The value as the option's type shows it: trimmed, the default when absent, secrets hidden. */
static json_t *shown_value(const struct infos *infos, const struct sluice_option *option)
{
    const char *text = sluice_map_get(infos->config, option->key);
    if (!text) text = option->fallback;
    if (!text) return json_null();
    if (option->type == SLUICE_OPT_PASSWORD) return json_string("[hidden]");
    while (*text && (unsigned char)*text <= ' ') text++;
    size_t len = strlen(text);
    while (len && (unsigned char)text[len - 1] <= ' ') len--;
    char *copy = sluice_xstrndup(text, len);
    if (option->type == SLUICE_OPT_LIST) { /* "a , b" is shown as "a,b" */
        char *to = copy;
        for (const char *c = copy; *c; c++) {
            bool blank = *c == ' ' || *c == '\t';
            bool inside = blank && to > copy && to[-1] != ',' && c[strspn(c, " \t")] != ',';
            if (!blank || inside) *to++ = *c;
        }
        *to = '\0';
    }
    json_t *json = sluice_json_safe(copy);
    free(copy);
    return json;
}

static json_t *errors_of(const struct infos *infos, const char *key)
{
    json_t *errors = json_array();
    for (size_t i = 0; i < infos->report->n; i++) {
        if (strcmp(infos->report->items[i].key, key) == 0)
            json_array_append_new(errors, sluice_json_safe(infos->report->items[i].message));
    }
    return errors;
}

static void list_entry(struct infos *infos, const char *key, json_t *definition, json_t *shown)
{
    json_t *entry = json_object(), *value = json_object();
    json_object_set_new(value, "name", sluice_json_safe(key));
    json_object_set_new(value, "value", shown);
    json_object_set_new(value, "recommended_values", json_array());
    json_object_set_new(value, "errors", errors_of(infos, key));
    json_object_set_new(value, "visible", json_true());
    json_object_set_new(entry, "definition", definition);
    json_object_set_new(entry, "value", value);
    json_array_append_new(infos->configs, entry);
    json_object_set_new(infos->listed, key, json_true());
}

static void list_option(struct infos *infos, const struct sluice_option *option)
{
    if (json_object_get(infos->listed, option->key)) return;
    list_entry(infos, option->key, sluice_option_json(option), shown_value(infos, option));
    if (!option->group) return;
    for (size_t i = 0; i < json_array_size(infos->groups); i++) {
        if (strcmp(json_string_value(json_array_get(infos->groups, i)), option->group) == 0) return;
    }
    json_array_append_new(infos->groups, json_string(option->group));
}

/* Every row under prefix + key; a pattern row as the given keys that it matches. */
static void list_table(struct infos *infos, const struct sluice_option *options, size_t stride,
                       const char *prefix)
{
    size_t cut = strlen(prefix);
    for (const struct sluice_option *row = options; row && row->key; row = next_row(row, stride)) {
        struct sluice_option named = *row;
        if (!strchr(row->key, '*')) {
            char *key = sluice_xasprintf("%s%s", prefix, row->key);
            named.key = key;
            list_option(infos, &named);
            free(key);
            continue;
        }
        for (size_t i = 0; i < infos->config->n; i++) {
            const char *key = infos->config->items[i].key;
            if (strncmp(key, prefix, cut) != 0) continue;
            if (sluice_option_find(options, stride, key + cut) != row) continue;
            named.key = key;
            list_option(infos, &named);
        }
    }
}

static void list_plugin(struct infos *infos, unsigned kinds, const char *class_key,
                        const char *prefix)
{
    const char *name = sluice_map_get(infos->config, class_key);
    const struct sluice_plugin *plugin =
        name ? sluice_registry_find(infos->registry, kinds, name, NULL) : NULL;
    if (plugin) list_table(infos, plugin->options, plugin->option_size, prefix);
}

static const struct sluice_option transform_rows[] = {
    {"type", SLUICE_OPT_CLASS, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL, NULL, "Transforms",
     "Class of the transformation."},
    {"plugin.version", SLUICE_OPT_STRING, SLUICE_MEDIUM, 0, NULL, NULL, "Transforms",
     "Version of the transformation, or a range."},
    {"predicate", SLUICE_OPT_STRING, SLUICE_MEDIUM, 0, "", NULL, "Transforms",
     "Alias of a predicate: the transformation applies where it holds."},
    {"negate", SLUICE_OPT_BOOLEAN, SLUICE_MEDIUM, 0, "false", NULL, "Transforms",
     "Whether the transformation applies where the predicate does not hold."},
    {0},
};

static const struct sluice_option predicate_rows[] = {
    {"type", SLUICE_OPT_CLASS, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL, NULL, "Predicates",
     "Class of the predicate."},
    {"plugin.version", SLUICE_OPT_STRING, SLUICE_MEDIUM, 0, NULL, NULL, "Predicates",
     "Version of the predicate, or a range."},
    {0},
};

/* transforms or predicates: for each alias the common rows, then the plugin's own. */
static void list_aliases(struct infos *infos, const char *what, enum sluice_kind kind,
                         const struct sluice_option *rows)
{
    const char *aliases = sluice_map_get(infos->config, what);
    for (const char *at = aliases ? aliases : ""; *at;) {
        at += strspn(at, ", \t\r\n");
        size_t len = strcspn(at, ", \t\r\n");
        if (!len) continue;
        char *prefix = sluice_xasprintf("%s.%.*s.", what, (int)len, at);
        char *type = sluice_xasprintf("%stype", prefix);
        list_table(infos, rows, sizeof *rows, prefix);
        list_plugin(infos, 1u << kind, type, prefix);
        free(type);
        free(prefix);
        at += len;
    }
}

static void list_converters(struct infos *infos)
{
    static const char *const keys[] = {"key.converter", "value.converter", "header.converter"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        unsigned kind = i == 2 ? SLUICE_KIND_HEADER_CONVERTER : SLUICE_KIND_CONVERTER;
        char *prefix = sluice_xasprintf("%s.", keys[i]);
        list_plugin(infos, 1u << kind, keys[i], prefix);
        free(prefix);
    }
}

static void list_overrides(struct infos *infos)
{
    for (size_t i = 0; i < infos->config->n; i++) {
        const char *key = infos->config->items[i].key;
        const char *over = strstr(key, ".override.");
        if (!over) continue;
        bool secret =
            strcasestr(over, "jaas") || strcasestr(over, "password") || strcasestr(over, ".key");
        struct sluice_option row = {.key = key,
                                    .type = secret ? SLUICE_OPT_PASSWORD : SLUICE_OPT_STRING,
                                    .importance = SLUICE_MEDIUM,
                                    .doc = "Setting of this connector's own Kafka client."};
        list_option(infos, &row);
    }
}

json_t *sluice_config_infos(const struct sluice_registry *registry,
                            const struct sluice_plugin *plugin, const struct sluice_map *config,
                            const struct sluice_report *report)
{
    struct infos infos = {registry, config, report, json_array(), json_array(), json_object()};
    list_table(&infos, sluice_connector_options(plugin->kind), sizeof(struct sluice_option), "");
    list_table(&infos, plugin->options, plugin->option_size, "");
    list_converters(&infos);
    list_aliases(&infos, "transforms", SLUICE_KIND_TRANSFORM, transform_rows);
    list_aliases(&infos, "predicates", SLUICE_KIND_PREDICATE, predicate_rows);
    list_overrides(&infos);
    for (size_t i = 0; i < report->n; i++) { /* what no table knows, and yet is wrong */
        if (!json_object_get(infos.listed, report->items[i].key))
            list_entry(&infos, report->items[i].key, json_null(), json_null());
    }
    json_decref(infos.listed);
    json_t *body = json_object();
    json_object_set_new(body, "name", sluice_json_safe(sluice_map_get(config, "connector.class")));
    json_object_set_new(body, "error_count", json_integer((json_int_t)report->n));
    json_object_set_new(body, "groups", infos.groups);
    json_object_set_new(body, "configs", infos.configs);
    return body;
}

static void define(json_t *list, json_t *names, const struct sluice_option *options, size_t stride)
{
    for (const struct sluice_option *row = options; row && row->key; row = next_row(row, stride)) {
        if (strchr(row->key, '*') || json_object_get(names, row->key)) continue;
        json_array_append_new(list, sluice_option_json(row));
        json_object_set_new(names, row->key, json_true());
    }
}

json_t *sluice_plugin_definitions(const struct sluice_plugin *plugin)
{
    json_t *list = json_array(), *names = json_object();
    define(list, names, plugin->options, plugin->option_size);
    if (plugin->kind == SLUICE_KIND_SOURCE || plugin->kind == SLUICE_KIND_SINK)
        define(list, names, sluice_connector_options(plugin->kind), sizeof(struct sluice_option));
    json_decref(names);
    return list;
}
