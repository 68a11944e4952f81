/* plugins.c - which plugins the worker has, their options, checks of configs; log levels. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ctl/internal.h"

static const char *str(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void print_name(struct ctl *ctl, const char *name)
{
    ctl_printf(ctl, "%s\n", name ? name : "-");
}

int ctl_plugins_list_run(struct ctl *ctl)
{
    static const char *const heads[] = {"CLASS", "TYPE", "VERSION", NULL};
    struct ctl_table table;
    json_t *plugins, *plugin;
    size_t i;
    const char *path =
        ctl_has(ctl, CTL_ALL) ? "/connector-plugins?connectorsOnly=false" : "/connector-plugins";
    int code = ctl_get(ctl, path, JSON_ARRAY, &plugins);
    if (code != CTL_OK) return code;
    ctl_table_init(&table, heads);
    json_array_foreach(plugins, i, plugin)
    {
        if (ctl->output == CTL_NAMES) print_name(ctl, str(plugin, "class"));
        ctl_table_add(&table, str(plugin, "class"), NULL);
        ctl_table_add(&table, str(plugin, "type"), NULL);
        ctl_table_add(&table, str(plugin, "version"), NULL);
    }
    if (ctl->output == CTL_JSON) ctl_print_json(ctl, plugins);
    else if (ctl->output != CTL_NAMES) ctl_table_print(&table, ctl);
    ctl_table_fini(&table);
    json_decref(plugins);
    return code;
}

/* The first sentence of a documentation, the caller's. */
static char *first_sentence(const char *text)
{
    if (!text) return NULL;
    const char *end = strstr(text, ". ");
    return sluice_xstrndup(text, end ? (size_t)(end - text) + 1 : strlen(text));
}

static void add_option(struct ctl *ctl, struct ctl_table *table, const json_t *option)
{
    const char *fallback = str(option, "default_value"), *doc = str(option, "documentation");
    bool required = json_is_true(json_object_get(option, "required"));
    char *sentence = first_sentence(doc);
    ctl_table_add(table, str(option, "name"), required ? "1" : NULL);
    ctl_table_add(table, str(option, "type"), NULL);
    ctl_table_add(table, required ? "required" : fallback && !*fallback ? "\"\"" : fallback, NULL);
    ctl_table_add(table, str(option, "importance"), NULL);
    ctl_table_add(table, ctl_has(ctl, CTL_FULL) || ctl->output == CTL_WIDE ? doc : sentence, NULL);
    free(sentence);
}

int ctl_plugins_describe_run(struct ctl *ctl)
{
    static const char *const heads[] = {"OPTION", "TYPE", "DEFAULT", "IMPORTANCE", "MEANING", NULL};
    struct ctl_table table;
    json_t *options, *option;
    size_t i;
    char *path = ctl_plugin_path(ctl->args.words.items[0], "/config");
    int code = ctl_get(ctl, path, JSON_ARRAY, &options);
    free(path);
    if (code != CTL_OK) return code;
    ctl_table_init(&table, heads);
    json_array_foreach(options, i, option)
    {
        if (ctl->output == CTL_NAMES) print_name(ctl, str(option, "name"));
        add_option(ctl, &table, option);
    }
    if (ctl->output == CTL_JSON) ctl_print_json(ctl, options);
    else if (ctl->output != CTL_NAMES) ctl_table_print(&table, ctl);
    ctl_table_fini(&table);
    json_decref(options);
    return code;
}

int ctl_plugins_validate_run(struct ctl *ctl)
{
    struct ctl_wanteds wanteds = {0};
    int code = ctl_files_read(ctl, &wanteds);
    bool read = code == CTL_OK;
    for (size_t i = 0; read && i < wanteds.n; i++) {
        int one = ctl_validate(ctl, &wanteds.items[i]);
        if (one == CTL_OK) ctl_printf(ctl, "%s is valid\n", wanteds.items[i].name);
        code = ctl_worse(code, one);
        if (one == CTL_UNREACHABLE) break;
    }
    ctl_wanteds_fini(&wanteds);
    return code;
}

/* ---- log levels ---- */

static void add_logger(struct ctl_table *table, const char *name, const json_t *logger)
{
    const json_t *modified = json_object_get(logger, "last_modified");
    char when[25] = "";
    if (json_is_integer(modified)) sluice_wall_text(json_integer_value(modified), when);
    ctl_table_add(table, name, NULL);
    ctl_table_add(table, str(logger, "level"), NULL);
    ctl_table_add(table, when, NULL);
}

static int levels_get(struct ctl *ctl, const char *name)
{
    static const char *const heads[] = {"LOGGER", "LEVEL", "MODIFIED", NULL};
    struct ctl_table table;
    json_t *answer, *logger;
    const char *key;
    char *encoded = name ? ctl_encoded(name) : sluice_xstrdup("");
    char *path = sluice_xasprintf("/admin/loggers%s%s", name ? "/" : "", encoded);
    int code = ctl_get(ctl, path, JSON_OBJECT, &answer);
    free(path);
    free(encoded);
    if (code != CTL_OK) return code;
    ctl_table_init(&table, heads);
    if (name) add_logger(&table, name, answer);
    else {
        json_object_foreach(answer, key, logger)
        {
            if (ctl->output == CTL_NAMES) ctl_printf(ctl, "%s\n", key);
            add_logger(&table, key, logger);
        }
    }
    if (ctl->output == CTL_JSON) ctl_print_json(ctl, answer);
    else if (ctl->output == CTL_NAMES && name) print_name(ctl, str(answer, "level"));
    else if (ctl->output != CTL_NAMES) ctl_table_print(&table, ctl);
    ctl_table_fini(&table);
    json_decref(answer);
    return code;
}

static int level_set(struct ctl *ctl, const char *name, const char *level)
{
    struct ctl_answer answer = {0};
    bool cluster = ctl_has(ctl, CTL_CLUSTER);
    char *encoded = ctl_encoded(name);
    char *path = sluice_xasprintf("/admin/loggers/%s%s", encoded, cluster ? "?scope=cluster" : "");
    json_t *body = json_pack("{s:s}", "level", level);
    int code = ctl_ask(ctl, "PUT", path, body, &answer);
    if (code == CTL_OK && answer.status >= 300) {
        ctl_refused(name, &answer);
        code = CTL_REFUSED;
    } else if (code == CTL_OK && ctl->output == CTL_JSON) {
        ctl_print_json(ctl, answer.body ? answer.body : json_true());
    } else if (code == CTL_OK) {
        ctl_printf(ctl, "%s is at %s %s\n", name, level,
                   cluster ? "on every worker of the cluster" : "on this worker");
    }
    json_decref(body);
    ctl_answer_fini(&answer);
    free(path);
    free(encoded);
    return code;
}

int ctl_logs_level_run(struct ctl *ctl)
{
    const struct ctl_list *words = &ctl->args.words;
    if (words->n == 2) return level_set(ctl, words->items[0], words->items[1]);
    if (ctl_has(ctl, CTL_CLUSTER)) {
        ctl_error("--cluster goes with a logger and a level");
        return CTL_USAGE;
    }
    return levels_get(ctl, words->n ? words->items[0] : NULL);
}
