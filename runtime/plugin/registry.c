/* registry.c - all plugins of the process and the names they answer to.
 *
 * A name is looked for in three rounds: the plugin's own name or a full alias; the simple class
 * name; the simple name without the suffix of its kind, as Connect prunes it. Within a round two
 * plugins that answer are an error, as one of them would be taken by chance. Filled by the main
 * thread before others run, constant afterwards. */
#include "plugin/registry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/builtins.h"
#include "plugin/describe.h"
#include "plugin/options.h"

#define KNOWN_MAX_BYTES ((size_t)64 * 1024)
#define CANDIDATES_MAX 1024

struct row {
    const struct sluice_plugin *plugin;
    char *path; /* NULL: built in */
};

struct sluice_registry {
    struct row *rows; /* by kind_order() and name */
    size_t n, cap;
};

enum round { ROUND_FULL, ROUND_SIMPLE, ROUND_PRUNED, ROUNDS };

/* The order of GET /connector-plugins. */
static int kind_order(enum sluice_kind kind)
{
    switch (kind) {
    case SLUICE_KIND_SINK: return 0;
    case SLUICE_KIND_SOURCE: return 1;
    default: return (int)kind;
    }
}

static int compare_rows(const void *a, const void *b)
{
    const struct sluice_plugin *left = ((const struct row *)a)->plugin;
    const struct sluice_plugin *right = ((const struct row *)b)->plugin;
    int order = kind_order(left->kind) - kind_order(right->kind);
    return order ? order : strcmp(left->name, right->name);
}

struct sluice_registry *sluice_registry_new(void)
{
    struct sluice_registry *registry = sluice_xcalloc(1, sizeof(*registry));
    struct sluice_err err = {0};
    bool ok = sluice_registry_add(registry, NULL, sluice_builtins(), &err);
    if (!ok) sluice_log(SLUICE_ERROR, NULL, -1, "%s", err.msg);
    assert(ok); /* the built-ins are ours */
    return registry;
}

void sluice_registry_free(struct sluice_registry *registry)
{
    if (!registry) return;
    for (size_t i = 0; i < registry->n; i++) free(registry->rows[i].path);
    free(registry->rows);
    free(registry);
}

/* ---- names ---- */

/* Behind the last dot; NULL for a nested class, which only its full name fits. */
static const char *simple_name(const char *alias)
{
    if (strchr(alias, '$')) return NULL;
    const char *dot = strrchr(alias, '.');
    return dot ? dot + 1 : alias;
}

static bool same(const char *name, const char *word, size_t word_len)
{
    return strlen(name) == word_len && memcmp(name, word, word_len) == 0;
}

static bool fits_pruned(enum sluice_kind kind, const char *simple, const char *name)
{
    static const char *const suffixes[][2] = {
        [SLUICE_KIND_SOURCE] = {"Connector"},
        [SLUICE_KIND_SINK] = {"Connector"},
        [SLUICE_KIND_TRANSFORM] = {"Transformation", "Transform"},
        [SLUICE_KIND_PREDICATE] = {"Predicate"},
        [SLUICE_KIND_CONVERTER] = {"Converter"},
        [SLUICE_KIND_HEADER_CONVERTER] = {"HeaderConverter", "Converter"},
        [SLUICE_KIND_CONFIG_PROVIDER] = {"ConfigProvider"},
    };
    size_t len = strlen(simple);
    for (size_t i = 0; i < 2; i++) {
        const char *suffix = suffixes[kind][i];
        size_t cut = suffix ? strlen(suffix) : 0;
        if (cut && len > cut && strcmp(simple + len - cut, suffix) == 0 &&
            same(name, simple, len - cut)) {
            return true;
        }
    }
    return false;
}

static bool answers(const struct sluice_plugin *plugin, const char *name, enum round round)
{
    if (round == ROUND_FULL && strcmp(plugin->name, name) == 0) return true;
    for (const char *const *alias = plugin->aliases; alias && *alias; alias++) {
        const char *simple = simple_name(*alias);
        if (round == ROUND_FULL && strcmp(*alias, name) == 0) return true;
        if (!simple) continue;
        if (round == ROUND_SIMPLE && strcmp(simple, name) == 0) return true;
        if (round == ROUND_PRUNED && fits_pruned(plugin->kind, simple, name)) return true;
    }
    return false;
}

const char *sluice_plugin_class(const struct sluice_plugin *plugin)
{
    return plugin->aliases && plugin->aliases[0] ? plugin->aliases[0] : plugin->name;
}

char *sluice_task_class(const struct sluice_plugin *plugin)
{
    static const char suffix[] = "Connector";
    const char *name = sluice_plugin_class(plugin);
    size_t len = strlen(name), cut = sizeof suffix - 1;
    /* Debezium appends (PostgresConnectorTask), everybody else replaces (FileStreamSourceTask) */
    bool replaces = len > cut && strcmp(name + len - cut, suffix) == 0 &&
                    strncmp(name, "io.debezium.", 12) != 0;
    return sluice_xasprintf("%.*sTask", (int)(replaces ? len - cut : len), name);
}

/* ---- adding ---- */

/* The row of the same kind that answers already to one of the plugin's full names; NULL: none. */
static const struct row *taken_by(const struct sluice_registry *registry,
                                  const struct sluice_plugin *plugin, const char **name)
{
    for (size_t i = 0; i < registry->n; i++) {
        const struct sluice_plugin *other = registry->rows[i].plugin;
        if (other->kind != plugin->kind) continue;
        *name = plugin->name;
        if (answers(other, plugin->name, ROUND_FULL)) return &registry->rows[i];
        for (const char *const *alias = plugin->aliases; alias && *alias; alias++) {
            *name = *alias;
            if (answers(other, *alias, ROUND_FULL)) return &registry->rows[i];
        }
    }
    return NULL;
}

static bool check_new(const struct sluice_registry *registry, const char *path,
                      const struct sluice_plugin *plugin, struct sluice_err *err)
{
    const char *name;
    if (!sluice_describe_check(plugin, path, err)) return false;
    const struct row *other = taken_by(registry, plugin, &name);
    if (!other || other->plugin == plugin) return true;
    return sluice_err_set(err,
                          "%s: the %s %s %s answers to the name %s, which %s %s from %s has "
                          "already; take one of the two out of plugin.path",
                          path ? path : "built in", sluice_kind_name(plugin->kind), plugin->name,
                          plugin->version, name, other->plugin->name, other->plugin->version,
                          other->path ? other->path : "the runtime itself");
}

static bool known(const struct sluice_registry *registry, const struct sluice_plugin *plugin)
{
    for (size_t i = 0; i < registry->n; i++) {
        if (registry->rows[i].plugin == plugin) return true;
    }
    return false;
}

bool sluice_registry_add(struct sluice_registry *registry, const char *path,
                         const struct sluice_plugin *const *list, struct sluice_err *err)
{
    if (!list || !*list) {
        return sluice_err_set(err,
                              "%s describes no plugin; its entry must return a NULL-ended "
                              "list of at least one",
                              path ? path : "a built-in list");
    }
    for (size_t i = 0; list[i]; i++) {
        if (!check_new(registry, path, list[i], err)) return false;
    }
    for (size_t i = 0; list[i]; i++) {
        if (known(registry, list[i])) continue; /* the same file, reached twice */
        registry->rows =
            sluice_xgrow(registry->rows, registry->n, &registry->cap, sizeof(*registry->rows));
        registry->rows[registry->n].plugin = list[i];
        registry->rows[registry->n].path = sluice_xstrdup(path);
        registry->n++;
    }
    qsort(registry->rows, registry->n, sizeof(*registry->rows), compare_rows);
    return true;
}

const struct sluice_plugin *sluice_registry_at(const struct sluice_registry *registry, size_t i)
{
    return i < registry->n ? registry->rows[i].plugin : NULL;
}

/* ---- finding ---- */

static bool in_mask(const struct sluice_plugin *plugin, unsigned kind_mask)
{
    return kind_mask & 1u << plugin->kind;
}

static const char *nearest_name(const struct sluice_registry *registry, unsigned kind_mask,
                                const char *name)
{
    const char *names[CANDIDATES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < registry->n; i++) {
        const struct sluice_plugin *plugin = registry->rows[i].plugin;
        if (!in_mask(plugin, kind_mask)) continue;
        if (n < CANDIDATES_MAX) names[n++] = plugin->name;
        for (const char *const *alias = plugin->aliases; alias && *alias; alias++) {
            const char *simple = simple_name(*alias);
            if (n < CANDIDATES_MAX) names[n++] = *alias;
            if (simple && n < CANDIDATES_MAX) names[n++] = simple;
        }
    }
    return sluice_nearest(name, names, n);
}

static void not_found(const struct sluice_registry *registry, unsigned kind_mask, const char *name,
                      struct sluice_err *err)
{
    struct sluice_buf list;
    size_t n = 0;
    sluice_buf_init(&list, KNOWN_MAX_BYTES);
    for (size_t i = 0; i < registry->n; i++) {
        const struct sluice_plugin *plugin = registry->rows[i].plugin;
        if (!in_mask(plugin, kind_mask)) continue;
        sluice_buf_addf(&list, "%s%s", n++ ? ", " : "", plugin->name);
        const char *class = sluice_plugin_class(plugin);
        if (class != plugin->name) sluice_buf_addf(&list, " (%s)", class);
    }
    const char *near = nearest_name(registry, kind_mask, name);
    sluice_err_set(err, "no plugin is called %s%s%s%s; known are: %s", name,
                   near ? "; did you mean " : "", near ? near : "", near ? "?" : "",
                   n ? sluice_buf_str(&list) : "none: is plugin.path right?");
    sluice_buf_fini(&list);
}

const struct sluice_plugin *sluice_registry_find(const struct sluice_registry *registry,
                                                 unsigned kind_mask, const char *name,
                                                 struct sluice_err *err)
{
    assert(name);
    for (enum round round = ROUND_FULL; round < ROUNDS; round++) {
        const struct sluice_plugin *found = NULL;
        for (size_t i = 0; i < registry->n; i++) {
            const struct sluice_plugin *plugin = registry->rows[i].plugin;
            if (!in_mask(plugin, kind_mask) || !answers(plugin, name, round)) continue;
            /* One class may be a converter and a header converter: either will do. */
            if (found && strcmp(sluice_plugin_class(found), sluice_plugin_class(plugin)) != 0) {
                sluice_err_set(err, "the name %s fits both %s and %s; give the full name of one",
                               name, sluice_plugin_class(found), sluice_plugin_class(plugin));
                return NULL;
            }
            if (!found) found = plugin;
        }
        if (found) return found;
    }
    not_found(registry, kind_mask, name, err);
    return NULL;
}
