/* list.c - the connectors in one table; info about the worker. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "ctl/internal.h"

static const char *str(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const char *simple_class(const char *name)
{
    const char *dot = name ? strrchr(name, '.') : NULL;
    return dot ? dot + 1 : name;
}

static bool has_state(const json_t *status, const char *state)
{
    json_t *task;
    size_t i;
    const char *own = str(json_object_get(status, "connector"), "state");
    if (own && strcasecmp(own, state) == 0) return true;
    json_array_foreach(json_object_get(status, "tasks"), i, task)
    {
        const char *its = str(task, "state");
        if (its && strcasecmp(its, state) == 0) return true;
    }
    return false;
}

static bool wanted(struct ctl *ctl, const char *name, const json_t *status)
{
    const char *state = ctl->args.values[CTL_STATE], *type = ctl->args.values[CTL_TYPE];
    const char *its = str(status, "type");
    if (!ctl_matches(&ctl->args.words, name)) return false;
    if (type && (!its || strcasecmp(its, type) != 0)) return false;
    return !state || has_state(status, state);
}

struct counts {
    size_t all, running, failed;
};

static struct counts count(const json_t *status)
{
    struct counts counts = {0};
    json_t *task;
    size_t i;
    json_array_foreach(json_object_get(status, "tasks"), i, task)
    {
        const char *state = str(task, "state");
        counts.all++;
        counts.running += state && strcmp(state, "RUNNING") == 0;
        counts.failed += state && strcmp(state, "FAILED") == 0;
    }
    return counts;
}

/* Of the connector or of the first task that has one. */
static const char *first_trace(const json_t *status)
{
    const char *trace = str(json_object_get(status, "connector"), "trace");
    json_t *task;
    size_t i;
    json_array_foreach(json_object_get(status, "tasks"), i, task)
    {
        if (!trace) trace = str(task, "trace");
    }
    return trace;
}

/* host:port of the connector, or all that have a part in it. */
static char *workers_of(const json_t *status)
{
    json_t *seen = json_object(), *task, *value;
    const char *own = str(json_object_get(status, "connector"), "worker_id"), *key;
    struct sluice_buf buf;
    size_t i;
    if (own) json_object_set_new(seen, own, json_true());
    json_array_foreach(json_object_get(status, "tasks"), i, task)
    {
        const char *id = str(task, "worker_id");
        if (id) json_object_set_new(seen, id, json_true());
    }
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    json_object_foreach(seen, key, value) sluice_buf_addf(&buf, "%s%s", buf.len ? "," : "", key);
    char *text = sluice_xstrdup(sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    json_decref(seen);
    return text;
}

static void add_row(struct ctl *ctl, struct ctl_table *table, const char *name, const json_t *one)
{
    const json_t *status = json_object_get(one, "status"),
                 *config = json_object_get(json_object_get(one, "info"), "config");
    const char *state = str(json_object_get(status, "connector"), "state");
    const char *class_name = str(config, "connector.class");
    struct counts counts = count(status);
    char *workers = workers_of(status);
    ctl_table_add(table, name, NULL);
    ctl_table_add(table, str(status, "type"), NULL);
    ctl_table_add(table, state, ctl_state_color(state));
    if (counts.failed)
        ctl_table_addf(table, "1;31", "%zu/%zu running, %zu failed", counts.running, counts.all,
                       counts.failed);
    else ctl_table_addf(table, NULL, "%zu/%zu running", counts.running, counts.all);
    ctl_table_add(table, workers, NULL);
    ctl_table_add(table, ctl->output == CTL_WIDE ? class_name : simple_class(class_name), NULL);
    if (ctl->output == CTL_WIDE) {
        char *trace = ctl_trace_line(first_trace(status));
        ctl_table_add(table, trace, NULL);
        free(trace);
    }
    free(workers);
}

static json_t *json_row(const char *name, const json_t *one)
{
    const json_t *config = json_object_get(json_object_get(one, "info"), "config");
    json_t *status = json_object_get(one, "status");
    json_t *row = json_pack("{s:s, s:o?}", "name", name, "class",
                            json_incref(json_object_get(config, "connector.class")));
    const char *key;
    json_t *value;
    json_object_foreach(status, key, value) json_object_set(row, key, value);
    return row;
}

static bool state_known(const char *state)
{
    static const char *const states[] = {"RUNNING", "PAUSED",     "STOPPED",
                                         "FAILED",  "UNASSIGNED", "RESTARTING"};
    for (size_t i = 0; state && i < sizeof states / sizeof *states; i++) {
        if (strcasecmp(state, states[i]) == 0) return true;
    }
    if (!state) return true;
    ctl_error("--state %s: it is RUNNING, PAUSED, STOPPED, FAILED, UNASSIGNED or RESTARTING",
              state);
    return false;
}

int ctl_list_run(struct ctl *ctl)
{
    static const char *const heads[] = {"NAME", "TYPE", "STATE", "TASKS", "WORKER", "CLASS", NULL};
    static const char *const wide[] = {"NAME",   "TYPE",  "STATE", "TASKS",
                                       "WORKER", "CLASS", "TRACE", NULL};
    struct ctl_table table;
    json_t *all, *one, *rows = json_array();
    const char *name;
    size_t shown = 0;
    int code = state_known(ctl->args.values[CTL_STATE]) ? ctl_connectors(ctl, &all) : CTL_USAGE;
    if (code != CTL_OK) {
        json_decref(rows);
        return code;
    }
    ctl_table_init(&table, ctl->output == CTL_WIDE ? wide : heads);
    json_object_foreach(all, name, one)
    {
        if (!wanted(ctl, name, json_object_get(one, "status"))) continue;
        shown++;
        if (ctl->output == CTL_NAMES) ctl_printf(ctl, "%s\n", name);
        else if (ctl->output == CTL_JSON) json_array_append_new(rows, json_row(name, one));
        else add_row(ctl, &table, name, one);
    }
    if (ctl->output == CTL_JSON) ctl_print_json(ctl, rows);
    else if (shown && ctl->output != CTL_NAMES) ctl_table_print(&table, ctl);
    else if (!shown && ctl->output != CTL_NAMES)
        fprintf(stderr, json_object_size(all) ? "No connector is like that.\n"
                                              : "The worker has no connectors.\n");
    ctl_table_fini(&table);
    json_decref(rows);
    json_decref(all);
    return code;
}

int ctl_info_run(struct ctl *ctl)
{
    json_t *info;
    int code = ctl_get(ctl, "/", JSON_OBJECT, &info);
    if (code != CTL_OK) return code;
    if (ctl->output == CTL_JSON) {
        ctl_print_json(ctl, info);
    } else {
        const char *cluster = str(info, "kafka_cluster_id");
        ctl_printf(ctl, "%-14s %s\n%-14s %s\n%-14s %s\n", "URL", ctl->urls[ctl->url], "Version",
                   str(info, "version") ? str(info, "version") : "-", "Kafka cluster",
                   cluster ? cluster : "no broker answers the worker");
    }
    json_decref(info);
    return code;
}
