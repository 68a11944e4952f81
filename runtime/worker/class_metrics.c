/* class_metrics.c - see class_metrics.h. */
#include "worker/class_metrics.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/gauges.h"
#include "base/mem.h"

#define PARTS_MAX 200 /* that are told: two metrics each */

struct telling {
    struct sluice_metric metrics[2 * PARTS_MAX];
    struct sluice_label labels[2 * PARTS_MAX][2];
    char *owned[PARTS_MAX]; /* aliases */
    size_t n, owned_n;
};

static void add(struct telling *t, const char *name, const char *help, const char *label,
                const char *value, const char *alias_label, const char *alias)
{
    if (t->n == 2 * PARTS_MAX) return;
    struct sluice_label *labels = t->labels[t->n];
    size_t n = 0;
    if (alias) labels[n++] = (struct sluice_label){alias_label, alias};
    labels[n++] = (struct sluice_label){label, value};
    t->metrics[t->n++] = (struct sluice_metric){.size = sizeof *t->metrics,
                                                .name = name,
                                                .help = help,
                                                .labels = labels,
                                                .labels_n = n,
                                                .value = 1};
}

#define GROUP "kafka_connect_connector_task_metrics_"
#define PART(t, what, plugin)                                                                      \
    do {                                                                                           \
        add(t, GROUP what "_class", "Class of the task's " what ".", what "_class",                \
            sluice_plugin_class(plugin), NULL, NULL);                                              \
        add(t, GROUP what "_version", "Its version.", what "_version", (plugin)->version, NULL,    \
            NULL);                                                                                 \
    } while (0)
#define STAGE(t, what, plugin, alias)                                                              \
    do {                                                                                           \
        add(t, "kafka_connect_connector_" what "_metrics_" what "_class",                          \
            "Class of the " what ".", what "_class", sluice_plugin_class(plugin), what, alias);    \
        add(t, "kafka_connect_connector_" what "_metrics_" what "_version", "Its version.",        \
            what "_version", (plugin)->version, what, alias);                                      \
    } while (0)

/* The next name of "transforms", as the pipeline reads it; owned by t, NULL: there is none. */
static const char *next_alias(struct telling *t, const char **list)
{
    const char *at = *list ? *list + strspn(*list, " \t\n,") : "";
    size_t n = strcspn(at, " \t\n,");
    *list = at + n;
    if (!n || t->owned_n == PARTS_MAX) return NULL;
    return t->owned[t->owned_n++] = sluice_xstrndup(at, n);
}

static void add_stages(struct telling *t, const struct sluice_task *task)
{
    const char *list = sluice_map_get(&task->config, "transforms"), *alias;
    for (size_t i = 0; i < task->pipe.n && (alias = next_alias(t, &list)); i++) {
        const struct sluice_stage *stage = &task->pipe.stages[i];
        STAGE(t, "transform", stage->transform.plugin, alias);
        if (!stage->predicate.plugin) continue;
        char *key = sluice_xasprintf("transforms.%s.predicate", alias);
        STAGE(t, "predicate", stage->predicate.plugin, sluice_map_get(&task->config, key));
        free(key);
    }
}

void sluice_class_metrics_set(struct sluice_task *task)
{
    struct telling *t = sluice_xcalloc(1, sizeof *t);
    const struct sluice_plugin *plugin = task->plugin;
    const char *kind = plugin->kind == SLUICE_KIND_SOURCE ? "source" : "sink";
    assert(task->pipe.key.plugin && task->pipe.value.plugin && task->pipe.header.plugin);
    PART(t, "connector", plugin);
    add(t, GROUP "connector_type", "source or sink.", "connector_type", kind, NULL, NULL);
    char *task_class = sluice_task_class(plugin);
    add(t, GROUP "task_class", "Class of the task.", "task_class", task_class, NULL, NULL);
    add(t, GROUP "task_version", "Its version.", "task_version", plugin->version, NULL, NULL);
    PART(t, "key_converter", task->pipe.key.plugin);
    PART(t, "value_converter", task->pipe.value.plugin);
    PART(t, "header_converter", task->pipe.header.plugin);
    add_stages(t, task);
    sluice_gauges_set(&task->pipe, task->connector, task->id, t->metrics, t->n);
    free(task_class);
    for (size_t i = 0; i < t->owned_n; i++) free(t->owned[i]);
    free(t);
}

void sluice_class_metrics_drop(struct sluice_task *task) { sluice_gauges_drop(&task->pipe); }
