/* diff.c - what tells two configs apart, key by key; and the check of a config by the worker. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/internal.h"

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *value_of(const json_t *config, const char *key)
{
    return json_string_value(json_object_get(config, key));
}

size_t ctl_diff(const json_t *before, const json_t *after, ctl_on_change *call, void *arg)
{
    struct ctl_list keys = {0};
    const char *key;
    json_t *value;
    size_t changes = 0;
    json_object_foreach((json_t *)before, key, value) ctl_list_add(&keys, key);
    json_object_foreach((json_t *)after, key, value)
    {
        if (!json_object_get(before, key)) ctl_list_add(&keys, key);
    }
    if (keys.n) qsort(keys.items, keys.n, sizeof *keys.items, compare);
    for (size_t i = 0; i < keys.n; i++) {
        const char *old = value_of(before, keys.items[i]), *new = value_of(after, keys.items[i]);
        bool was = json_object_get(before, keys.items[i]) != NULL,
             is = json_object_get(after, keys.items[i]) != NULL;
        if (was && is && (old == new || (old && new &&strcmp(old, new) == 0))) continue;
        changes++;
        if (call)
            call(arg, !was ? CTL_ADDED : !is ? CTL_REMOVED : CTL_CHANGED, keys.items[i], old, new);
    }
    free(keys.items);
    return changes;
}

struct printing {
    struct ctl *ctl;
    const json_t *before, *after;
};

static char *shown(struct printing *p, const json_t *config, const char *key, const char *value)
{
    if (!value) return sluice_xstrdup("null");
    if (ctl_has(p->ctl, CTL_SHOW_SECRETS)) return sluice_xstrdup(value);
    return ctl_masked_value(key, value, ctl_is_password(p->ctl, config, key));
}

static void print_change(void *arg, enum ctl_change change, const char *key, const char *before,
                         const char *after)
{
    struct printing *p = arg;
    char *old = change == CTL_ADDED ? NULL : shown(p, p->before, key, before);
    char *new = change == CTL_REMOVED ? NULL : shown(p, p->after, key, after);
    char *line = NULL;
    if (change == CTL_ADDED) line = sluice_xasprintf("  + %s = %s", key, new);
    else if (change == CTL_REMOVED) line = sluice_xasprintf("  - %s = %s", key, old);
    else if (strcmp(old, new) == 0) line = sluice_xasprintf("  ~ %s: %s, another one", key, old);
    else line = sluice_xasprintf("  ~ %s: %s -> %s", key, old, new);
    ctl_print(p->ctl, change == CTL_ADDED ? "32" : change == CTL_REMOVED ? "31" : "33", line);
    ctl_print(p->ctl, NULL, "\n");
    free(line);
    free(old);
    free(new);
}

void ctl_diff_print(struct ctl *ctl, const json_t *before, const json_t *after)
{
    struct printing printing = {ctl, before, after};
    ctl_diff(before, after, print_change, &printing);
}

/* ---- validate ---- */

static size_t tell_faults(const struct ctl_wanted *wanted, const json_t *infos)
{
    json_t *info, *error;
    size_t i, j, n = 0;
    json_array_foreach(json_object_get(infos, "configs"), i, info)
    {
        const json_t *value = json_object_get(info, "value");
        const char *key = json_string_value(json_object_get(value, "name"));
        json_array_foreach(json_object_get(value, "errors"), j, error)
        {
            const char *text = json_string_value(error);
            ctl_error("%s: %s: %s: %s", wanted->from, wanted->name, key ? key : "?",
                      text ? text : "is wrong");
            n++;
        }
    }
    return n;
}

int ctl_validate(struct ctl *ctl, const struct ctl_wanted *wanted)
{
    struct ctl_answer answer = {0};
    const char *class_name = value_of(wanted->config, "connector.class");
    if (!class_name || !*class_name) {
        ctl_error("%s: %s: connector.class: it is missing", wanted->from, wanted->name);
        return CTL_USAGE;
    }
    char *path = ctl_plugin_path(class_name, "/config/validate");
    int code = ctl_ask(ctl, "PUT", path, wanted->config, &answer);
    if (code == CTL_OK && answer.status >= 300) {
        char *message = ctl_message(&answer);
        ctl_error("%s: %s: %s", wanted->from, wanted->name, message);
        free(message);
        code = CTL_REFUSED;
    } else if (code == CTL_OK && tell_faults(wanted, answer.body) > 0) {
        code = CTL_REFUSED;
    }
    ctl_answer_fini(&answer);
    free(path);
    return code;
}
