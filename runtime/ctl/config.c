/* config.c - one connector's config: read, change keys, edit as a whole. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/props.h"
#include "ctl/internal.h"

#define EDITED_MAX ((size_t)16 << 20)

static int config_of(struct ctl *ctl, json_t **config)
{
    char *path = ctl_connector_path(ctl->args.words.items[0], "/config");
    int code = ctl_get(ctl, path, JSON_OBJECT, config);
    free(path);
    return code;
}

/* ---- get ---- */

/* One value alone is printed as it is: scripts want it so. */
static int print_value(struct ctl *ctl, const json_t *shown, const char *key)
{
    const char *value = json_string_value(json_object_get(shown, key));
    if (!value) {
        ctl_error("%s has no key %s", ctl->args.words.items[0], key);
        return CTL_REFUSED;
    }
    if (ctl->output == CTL_JSON) ctl_print_json(ctl, json_object_get(shown, key));
    else ctl_printf(ctl, "%s\n", value);
    return CTL_OK;
}

int ctl_config_get_run(struct ctl *ctl)
{
    static const char *const heads[] = {"KEY", "VALUE", NULL};
    struct ctl_table table;
    const struct ctl_list *words = &ctl->args.words;
    json_t *config, *value;
    const char *key;
    int code = config_of(ctl, &config);
    if (code != CTL_OK) return code;
    json_t *shown = ctl_masked(ctl, config);
    if (words->n > 1) {
        code = print_value(ctl, shown, words->items[1]);
    } else if (ctl->output == CTL_JSON) {
        ctl_print_json(ctl, shown);
    } else {
        ctl_table_init(&table, heads);
        json_object_foreach(shown, key, value)
        {
            if (ctl->output == CTL_NAMES) ctl_printf(ctl, "%s\n", key);
            ctl_table_add(&table, key, NULL);
            ctl_table_add(&table, json_string_value(value), NULL);
        }
        if (ctl->output != CTL_NAMES) ctl_table_print(&table, ctl);
        ctl_table_fini(&table);
    }
    json_decref(shown);
    json_decref(config);
    return code;
}

/* ---- changing ---- */

/* PATCH where the worker has it (Connect 3.8), else the whole config. */
static int send_change(struct ctl *ctl, const json_t *patch, const json_t *after)
{
    struct ctl_answer answer = {0};
    const char *name = ctl->args.words.items[0];
    char *path = ctl_connector_path(name, "/config");
    int code = patch ? ctl_ask(ctl, "PATCH", path, patch, &answer) : CTL_OK;
    if (code == CTL_OK && (!patch || answer.status == 405))
        code = ctl_ask(ctl, "PUT", path, after, &answer);
    if (code == CTL_OK && answer.status >= 300) {
        ctl_refused(name, &answer);
        code = CTL_REFUSED;
    }
    ctl_answer_fini(&answer);
    free(path);
    return code;
}

static int wait_after(struct ctl *ctl, const char *name)
{
    json_t *status;
    char *path = ctl_connector_path(name, "/status");
    int code = ctl_has(ctl, CTL_WAIT) ? ctl_get(ctl, path, JSON_OBJECT, &status) : CTL_OK;
    if (code == CTL_OK && ctl_has(ctl, CTL_WAIT)) {
        const char *state =
            json_string_value(json_object_get(json_object_get(status, "connector"), "state"));
        bool rests = state && (strcmp(state, "PAUSED") == 0 || strcmp(state, "STOPPED") == 0);
        if (!rests) code = ctl_wait(ctl, name, "RUNNING");
        json_decref(status);
    }
    free(path);
    return code;
}

static int change(struct ctl *ctl, const json_t *before, const json_t *patch, const json_t *after)
{
    const char *name = ctl->args.words.items[0];
    if (ctl_diff(before, after, NULL, NULL) == 0) {
        ctl_printf(ctl, "%s unchanged\n", name);
        return CTL_OK;
    }
    struct ctl_wanted wanted = {
        .name = (char *)name, .from = (char *)"new config", .config = (json_t *)after};
    int code = ctl_validate(ctl, &wanted);
    if (code != CTL_OK) {
        ctl_error("nothing was changed");
        return code;
    }
    if (ctl_has(ctl, CTL_DRY_RUN)) {
        ctl_printf(ctl, "%s configured (dry run)\n", name);
        ctl_diff_print(ctl, before, after);
        return CTL_OK;
    }
    code = send_change(ctl, patch, after);
    if (code != CTL_OK) return code;
    ctl_printf(ctl, "%s configured\n", name);
    fflush(ctl->out);
    return wait_after(ctl, name);
}

/* KEY=VALUE words (set), KEY words (unset). False: told. */
static bool patch_read(struct ctl *ctl, bool set, json_t *patch)
{
    const struct ctl_list *words = &ctl->args.words;
    for (size_t i = 1; i < words->n; i++) {
        const char *word = words->items[i], *equals = strchr(word, '=');
        size_t len = equals && set ? (size_t)(equals - word) : strlen(word);
        if (set && (!equals || len == 0)) {
            ctl_error("%s is not of the form KEY=VALUE", word);
            return false;
        }
        if (set && strcmp(equals + 1, CTL_HIDDEN) == 0) {
            ctl_error("%.*s: %s stands for a secret that was not shown, and is no value", (int)len,
                      word, CTL_HIDDEN);
            return false;
        }
        char *key = sluice_xstrndup(word, len);
        json_t *value = set ? json_string(equals + 1) : json_null();
        bool ok = value && json_object_set_new(patch, key, value) == 0;
        if (!ok) ctl_error("%s is no valid UTF-8", key);
        free(key);
        if (!ok) return false;
    }
    return true;
}

static int change_keys(struct ctl *ctl, bool set)
{
    json_t *before, *patch = json_object(), *value;
    const char *key;
    int code = patch_read(ctl, set, patch) ? config_of(ctl, &before) : CTL_USAGE;
    if (code == CTL_OK) {
        json_t *after = json_copy(before);
        json_object_foreach(patch, key, value)
        {
            if (!json_is_null(value)) json_object_set(after, key, value);
            else if (json_object_del(after, key) != 0)
                ctl_error("%s has no key %s; nothing to unset", ctl->args.words.items[0], key);
        }
        code = change(ctl, before, patch, after);
        json_decref(after);
        json_decref(before);
    }
    json_decref(patch);
    return code;
}

int ctl_config_set_run(struct ctl *ctl) { return change_keys(ctl, true); }

int ctl_config_unset_run(struct ctl *ctl) { return change_keys(ctl, false); }

/* ---- edit ---- */

/* The file of the config, readable by the user alone; NULL: told. The caller's. */
static char *draft_write(const json_t *config)
{
    const char *dir = getenv("TMPDIR");
    char *path = sluice_xasprintf("%s/sluice-XXXXXX.json", dir && *dir ? dir : "/tmp");
    int fd = mkstemps(path, 5); /* mode 0600 */
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool ok = file && json_dumpf(config, file, JSON_INDENT(2)) == 0 && fputc('\n', file) != EOF;
    if (file) ok = fclose(file) == 0 && ok;
    if (ok) return path;
    ctl_error("cannot write %s: %m", path);
    if (fd >= 0) unlink(path);
    free(path);
    return NULL;
}

static bool editor_run(const char *path)
{
    const char *editor = getenv("VISUAL");
    if (!editor || !*editor) editor = getenv("EDITOR");
    if (!editor || !*editor) editor = "vi";
    char *command = sluice_xasprintf("%s \"$0\"", editor); /* it may have arguments */
    fflush(NULL);
    pid_t pid = fork();
    int status = 0;
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, path, (char *)NULL);
        _exit(127);
    }
    bool ok =
        pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!ok) ctl_error("the editor (%s) failed; nothing was changed", editor);
    free(command);
    return ok;
}

static int take_draft(struct ctl *ctl, const char *path, const json_t *before)
{
    const char *name = ctl->args.words.items[0];
    struct ctl_wanteds wanteds = {0};
    struct sluice_err err = {{0}};
    size_t len;
    int code = CTL_USAGE;
    char *text = sluice_file_read(path, EDITED_MAX, &len, &err);
    if (!text) ctl_error("%s", err.msg);
    else if (!ctl_files_parse(&wanteds, path, text, len)) ctl_error("nothing was changed");
    else if (wanteds.n != 1 || strcmp(wanteds.items[0].name, name) != 0)
        ctl_error("a connector's name cannot be edited; nothing was changed");
    else code = change(ctl, before, NULL, wanteds.items[0].config);
    free(text);
    ctl_wanteds_fini(&wanteds);
    return code;
}

int ctl_config_edit_run(struct ctl *ctl)
{
    json_t *before;
    int code = config_of(ctl, &before);
    if (code != CTL_OK) return code;
    char *path = draft_write(before);
    code = path && editor_run(path) ? take_draft(ctl, path, before) : CTL_USAGE;
    if (path) unlink(path);
    free(path);
    json_decref(before);
    return code;
}
