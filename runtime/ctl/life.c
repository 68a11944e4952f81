/* life.c - pause, resume, stop, restart, delete. One connector that cannot does not keep the others
 * from it; the exit code is the worst. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/internal.h"

static int told(struct ctl *ctl, int code, const char *name, const char *what)
{
    if (code == CTL_OK && ctl->output == CTL_NAMES) ctl_printf(ctl, "%s\n", name);
    else if (code == CTL_OK && ctl->output != CTL_JSON) ctl_printf(ctl, "%s %s\n", name, what);
    fflush(ctl->out);
    return code;
}

static int request(struct ctl *ctl, const char *method, const char *name, const char *suffix)
{
    struct ctl_answer answer = {0};
    char *path = ctl_connector_path(name, suffix);
    int code = ctl_ask(ctl, method, path, NULL, &answer);
    if (code == CTL_OK && answer.status >= 300) {
        ctl_refused(name, &answer);
        code = CTL_REFUSED;
    }
    ctl_answer_fini(&answer);
    free(path);
    return code;
}

/* For each one that is selected; then waits for each, so that they change side by side. */
static int each(struct ctl *ctl, const char *method, const char *suffix, const char *what,
                const char *state)
{
    json_t *names, *name, *waiting = json_array();
    size_t i;
    int code = ctl_select(ctl, &names);
    if (code == CTL_USAGE || code == CTL_UNREACHABLE) json_array_clear(names);
    json_array_foreach(names, i, name)
    {
        const char *text = json_string_value(name);
        int one = told(ctl, request(ctl, method, text, suffix), text, what);
        if (one == CTL_OK) json_array_append(waiting, name);
        code = ctl_worse(code, one);
        if (one == CTL_UNREACHABLE) break;
    }
    json_array_foreach(waiting, i, name)
    {
        if (ctl_has(ctl, CTL_WAIT))
            code = ctl_worse(code, ctl_wait(ctl, json_string_value(name), state));
    }
    if (ctl->output == CTL_JSON) ctl_print_json(ctl, waiting);
    json_decref(waiting);
    json_decref(names);
    return code;
}

int ctl_pause_run(struct ctl *ctl) { return each(ctl, "PUT", "/pause", "pausing", "PAUSED"); }

int ctl_resume_run(struct ctl *ctl) { return each(ctl, "PUT", "/resume", "resuming", "RUNNING"); }

int ctl_stop_run(struct ctl *ctl) { return each(ctl, "PUT", "/stop", "stopping", "STOPPED"); }

/* ---- restart ---- */

/* "name/3": the number's place; NULL: a connector. A slash may belong to a name. */
static const char *task_of(const char *word)
{
    const char *slash = strrchr(word, '/');
    if (!slash || slash == word || !slash[1] || slash[1 + strspn(slash + 1, "0123456789")])
        return NULL;
    return slash + 1;
}

static int restart_task(struct ctl *ctl, const char *word, const char *number)
{
    char *name = sluice_xstrndup(word, (size_t)(number - 1 - word));
    char *suffix = sluice_xasprintf("/tasks/%s/restart", number);
    int code = told(ctl, request(ctl, "POST", name, suffix), word, "restarting");
    if (code == CTL_OK && ctl_has(ctl, CTL_WAIT)) code = ctl_wait(ctl, name, "RUNNING");
    free(suffix);
    free(name);
    return code;
}

/* Takes the tasks among the words off, and restarts them. */
static int restart_tasks(struct ctl *ctl)
{
    struct ctl_list *words = &ctl->args.words;
    size_t kept = 0;
    int code = CTL_OK;
    for (size_t i = 0; i < words->n; i++) {
        const char *word = words->items[i], *number = task_of(word);
        if (number) code = ctl_worse(code, restart_task(ctl, word, number));
        else words->items[kept++] = word;
    }
    words->n = kept;
    return code;
}

int ctl_restart_run(struct ctl *ctl)
{
    bool alone = ctl_has(ctl, CTL_CONNECTOR_ONLY), failed = ctl_has(ctl, CTL_FAILED_ONLY);
    size_t words = ctl->args.words.n;
    if (alone && ctl_has(ctl, CTL_TASKS)) {
        ctl_error("--tasks and --connector-only contradict each other");
        return CTL_USAGE;
    }
    int code = restart_tasks(ctl);
    if (words && ctl->args.words.n == 0 && !ctl_has(ctl, CTL_ALL)) return code;
    char *suffix = sluice_xasprintf("/restart?includeTasks=%s&onlyFailed=%s",
                                    alone ? "false" : "true", failed ? "true" : "false");
    code = ctl_worse(code, each(ctl, "POST", suffix, "restarting", "RUNNING"));
    free(suffix);
    return code;
}

/* ---- delete ---- */

/* The words, or what the files name. */
static int delete_names(struct ctl *ctl, json_t **names)
{
    struct ctl_wanteds wanteds = {0};
    if (!ctl_has(ctl, CTL_FILE)) return ctl_select(ctl, names);
    *names = json_array();
    if (ctl->args.words.n || ctl_has(ctl, CTL_ALL)) {
        ctl_error("give names, --all or --file, only one of them");
        return CTL_USAGE;
    }
    int code = ctl_files_read(ctl, &wanteds);
    for (size_t i = 0; code == CTL_OK && i < wanteds.n; i++)
        json_array_append_new(*names, json_string(wanteds.items[i].name));
    ctl_wanteds_fini(&wanteds);
    return code;
}

static bool delete_confirmed(struct ctl *ctl, const json_t *names)
{
    struct sluice_buf buf;
    json_t *name;
    size_t i, n = json_array_size(names);
    if (n == 0) return true;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    sluice_buf_addf(&buf, "Delete %zu connector%s (", n, n == 1 ? "" : "s");
    json_array_foreach(names, i, name)
        sluice_buf_addf(&buf, "%s%s", i ? ", " : "", json_string_value(name));
    sluice_buf_adds(&buf, ")?");
    bool yes = ctl_confirm(ctl, sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    return yes;
}

static int delete_one(struct ctl *ctl, const char *name)
{
    struct ctl_answer answer = {0};
    char *path = ctl_connector_path(name, "");
    const char *what = "deleted";
    int code = ctl_ask(ctl, "DELETE", path, NULL, &answer);
    if (code == CTL_OK && answer.status == 404 && ctl_has(ctl, CTL_IGNORE_NOT_FOUND)) {
        what = "was not there";
    } else if (code == CTL_OK && answer.status >= 300) {
        ctl_refused(name, &answer);
        code = CTL_REFUSED;
    }
    ctl_answer_fini(&answer);
    free(path);
    return told(ctl, code, name, what);
}

int ctl_delete_run(struct ctl *ctl)
{
    json_t *names, *name, *gone = json_array();
    size_t i;
    int code = delete_names(ctl, &names);
    if (code == CTL_OK && !delete_confirmed(ctl, names)) code = CTL_USAGE;
    if (code != CTL_OK) json_array_clear(names); /* all or nothing, as far as it can be known */
    json_array_foreach(names, i, name)
    {
        int one = delete_one(ctl, json_string_value(name));
        if (one == CTL_OK) json_array_append(gone, name);
        code = ctl_worse(code, one);
        if (one == CTL_UNREACHABLE) break;
    }
    if (ctl->output == CTL_JSON && code != CTL_USAGE) ctl_print_json(ctl, gone);
    json_decref(gone);
    json_decref(names);
    return code;
}
