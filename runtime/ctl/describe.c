/* describe.c - all that is known of a connector. What a worker does not have (topic tracking,
 * offsets of sinks) is left out with the reason. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/internal.h"

#define TRACE_LINES 6 /* of a trace that is not shown in full */
#define ASKED_MAX 32  /* tasks that are asked how far they are */

static const char *str(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void field(struct ctl *ctl, const char *name, const char *value, const char *color)
{
    ctl_printf(ctl, "%-10s ", name);
    ctl_print(ctl, color, value && *value ? value : "-");
    ctl_print(ctl, NULL, "\n");
}

static void heading(struct ctl *ctl, const char *text)
{
    ctl_print(ctl, NULL, "\n");
    ctl_print(ctl, "1", text);
    ctl_print(ctl, NULL, "\n");
}

/* Indented; folded to its first lines and its causes, unless --full. */
static void print_trace(struct ctl *ctl, const char *trace)
{
    size_t shown = 0, left_out = 0;
    bool full = ctl_has(ctl, CTL_FULL);
    for (const char *at = trace; *at;) {
        size_t len = strcspn(at, "\n");
        bool cause = strncmp(at, "Caused by:", 10) == 0;
        if (full || cause || shown < TRACE_LINES) {
            char *line = sluice_xstrndup(at, len);
            if (*line) ctl_printf(ctl, "    %s\n", line);
            free(line);
            shown++;
        } else {
            left_out++;
        }
        at += len + (at[len] == '\n');
    }
    if (left_out) ctl_printf(ctl, "    (%zu more lines: --full)\n", left_out);
}

static void print_status(struct ctl *ctl, const json_t *status)
{
    static const char *const heads[] = {"TASK", "STATE", "WORKER", NULL};
    const json_t *connector = json_object_get(status, "connector"), *tasks, *task;
    struct ctl_table table;
    size_t i;
    field(ctl, "Type", str(status, "type"), NULL);
    field(ctl, "State", str(connector, "state"), ctl_state_color(str(connector, "state")));
    field(ctl, "Worker", str(connector, "worker_id"), NULL);
    if (str(connector, "version")) field(ctl, "Version", str(connector, "version"), NULL);
    if (str(connector, "trace")) print_trace(ctl, str(connector, "trace"));
    tasks = json_object_get(status, "tasks");
    heading(ctl, json_array_size(tasks) ? "Tasks" : "No tasks");
    if (json_array_size(tasks) == 0) return;
    ctl_table_init(&table, heads);
    json_array_foreach(tasks, i, task)
    {
        ctl_table_addf(&table, NULL, "%lld",
                       (long long)json_integer_value(json_object_get(task, "id")));
        ctl_table_add(&table, str(task, "state"), ctl_state_color(str(task, "state")));
        ctl_table_add(&table, str(task, "worker_id"), NULL);
    }
    ctl_table_print(&table, ctl);
    ctl_table_fini(&table);
    json_array_foreach(tasks, i, task)
    {
        if (!str(task, "trace")) continue;
        ctl_printf(ctl, "  task %lld:\n",
                   (long long)json_integer_value(json_object_get(task, "id")));
        print_trace(ctl, str(task, "trace"));
    }
}

/* What tasks are long at; nothing where nothing is. */
static void print_progress(struct ctl *ctl, const json_t *progress)
{
    json_t *work;
    size_t i;
    if (json_array_size(progress)) heading(ctl, "Progress");
    json_array_foreach(progress, i, work)
    {
        struct sluice_buf text, line;
        sluice_buf_init(&text, SLUICE_BUF_MAX);
        sluice_buf_init(&line, SLUICE_BUF_MAX);
        ctl_progress_text(&text, work);
        ctl_clean(&line, sluice_buf_str(&text), false);
        ctl_printf(ctl, "  task %lld: %s\n",
                   (long long)json_integer_value(json_object_get(work, "task")),
                   sluice_buf_str(&line));
        sluice_buf_fini(&text);
        sluice_buf_fini(&line);
    }
}

static void print_config(struct ctl *ctl, const json_t *config)
{
    const char *key;
    json_t *value;
    size_t width = 0;
    heading(ctl, "Config");
    json_object_foreach((json_t *)config, key, value)
    {
        if (ctl_width(key) > width) width = ctl_width(key);
    }
    if (width > 50) width = 50;
    json_object_foreach((json_t *)config, key, value)
    {
        const char *text = json_string_value(value);
        struct sluice_buf line; /* a value with a line break must not look like another line */
        sluice_buf_init(&line, SLUICE_BUF_MAX);
        ctl_clean(&line, text ? text : "null", false);
        ctl_printf(ctl, "%-*s  %s\n", (int)width, key, sluice_buf_str(&line));
        sluice_buf_fini(&line);
    }
}

/* What a GET below the connector answers, or NULL and why, the caller's. CTL_UNREACHABLE: told. */
static int ask_part(struct ctl *ctl, const char *name, const char *suffix, json_t **json,
                    char **why)
{
    struct ctl_answer answer = {0};
    char *path = ctl_connector_path(name, suffix);
    int code = ctl_ask(ctl, "GET", path, NULL, &answer);
    *json = NULL;
    *why = NULL;
    if (code == CTL_OK && answer.status == 200) *json = json_incref(answer.body);
    else if (code == CTL_OK) *why = ctl_message(&answer);
    ctl_answer_fini(&answer);
    free(path);
    return code;
}

/* Of all tasks that run: their work, each with its "task". A worker that does not know of progress,
 * as Java's, is asked once. */
static int ask_progress(struct ctl *ctl, const char *name, const json_t *status, json_t **progress)
{
    json_t *task, *work, *answer;
    size_t i, k, asked = 0;
    int code = CTL_OK;
    *progress = json_array();
    json_array_foreach(json_object_get(status, "tasks"), i, task)
    {
        long long id = (long long)json_integer_value(json_object_get(task, "id"));
        char suffix[64], *why;
        if (!str(task, "state") || strcmp(str(task, "state"), "RUNNING") != 0) continue;
        if (asked++ == ASKED_MAX) break;
        snprintf(suffix, sizeof suffix, "/tasks/%lld/progress", id);
        code = ask_part(ctl, name, suffix, &answer, &why);
        free(why);
        if (!answer) break;
        json_array_foreach(json_object_get(answer, "progress"), k, work)
        {
            json_t *own = json_is_object(work) ? json_pack("{s:I}", "task", (json_int_t)id) : NULL;
            if (own && json_object_update(own, work) == 0) json_array_append(*progress, own);
            json_decref(own);
        }
        json_decref(answer);
    }
    return code;
}

struct parts {
    json_t *info, *status, *progress, *config, *topics, *offsets;
    char *no_status, *no_topics, *no_offsets;
};

static void parts_fini(struct parts *parts)
{
    json_decref(parts->info);
    json_decref(parts->status);
    json_decref(parts->progress);
    json_decref(parts->config);
    json_decref(parts->topics);
    json_decref(parts->offsets);
    free(parts->no_status);
    free(parts->no_topics);
    free(parts->no_offsets);
}

static int parts_get(struct ctl *ctl, const char *name, struct parts *parts)
{
    json_t *topics = NULL, *offsets = NULL;
    char *path = ctl_connector_path(name, "");
    int code = ctl_get(ctl, path, JSON_OBJECT, &parts->info);
    free(path);
    if (code == CTL_OK) code = ask_part(ctl, name, "/status", &parts->status, &parts->no_status);
    if (code == CTL_OK) code = ask_progress(ctl, name, parts->status, &parts->progress);
    if (code == CTL_OK) code = ask_part(ctl, name, "/topics", &topics, &parts->no_topics);
    if (code == CTL_OK) code = ask_part(ctl, name, "/offsets", &offsets, &parts->no_offsets);
    if (code == CTL_OK) {
        parts->config = ctl_masked(ctl, json_object_get(parts->info, "config"));
        parts->topics = json_incref(json_object_get(json_object_get(topics, name), "topics"));
        parts->offsets = json_incref(json_object_get(offsets, "offsets"));
    }
    json_decref(topics);
    json_decref(offsets);
    return code;
}

static void print_parts(struct ctl *ctl, const char *name, const struct parts *parts)
{
    json_t *topic;
    size_t i;
    field(ctl, "Name", name, "1");
    if (parts->status) print_status(ctl, parts->status);
    else field(ctl, "State", parts->no_status, NULL);
    print_progress(ctl, parts->progress);
    print_config(ctl, parts->config);
    if (json_array_size(parts->topics)) heading(ctl, "Topics");
    else heading(ctl, parts->no_topics ? "Topics: not known" : "No topics yet");
    if (parts->no_topics) ctl_printf(ctl, "  %s\n", parts->no_topics);
    json_array_foreach(parts->topics, i, topic)
    {
        const char *text = json_string_value(topic);
        if (text) ctl_printf(ctl, "  %s\n", text);
    }
    if (json_array_size(parts->offsets)) {
        heading(ctl, "Offsets");
        ctl_offsets_print(ctl, parts->offsets);
    } else {
        heading(ctl, parts->no_offsets ? "Offsets: not known" : "No offsets yet");
        if (parts->no_offsets) ctl_printf(ctl, "  %s\n", parts->no_offsets);
    }
}

static json_t *json_parts(const char *name, const struct parts *parts)
{
    json_t *json =
        json_pack("{s:s, s:O*, s:O, s:O*, s:O*}", "name", name, "status", parts->status, "config",
                  parts->config, "topics", parts->topics, "offsets", parts->offsets);
    if (json_array_size(parts->progress)) json_object_set(json, "progress", parts->progress);
    return json ? json : json_object();
}

int ctl_describe_run(struct ctl *ctl)
{
    json_t *names, *name, *all = json_array();
    size_t i;
    int code = ctl_select(ctl, &names);
    bool one_json = ctl->args.words.n == 1 && !ctl_is_glob(ctl->args.words.items[0]);
    if (code == CTL_USAGE || code == CTL_UNREACHABLE) json_array_clear(names);
    json_array_foreach(names, i, name)
    {
        const char *text = json_string_value(name);
        struct parts parts = {0};
        int one = parts_get(ctl, text, &parts);
        if (one == CTL_OK && ctl->output == CTL_JSON)
            json_array_append_new(all, json_parts(text, &parts));
        else if (one == CTL_OK && ctl->output == CTL_NAMES) ctl_printf(ctl, "%s\n", text);
        else if (one == CTL_OK) {
            if (i) ctl_print(ctl, NULL, "\n\n");
            print_parts(ctl, text, &parts);
        }
        parts_fini(&parts);
        code = ctl_worse(code, one);
        if (one == CTL_UNREACHABLE) break;
    }
    if (ctl->output == CTL_JSON && json_array_size(all))
        ctl_print_json(ctl, one_json ? json_array_get(all, 0) : all);
    json_decref(all);
    json_decref(names);
    return code;
}
