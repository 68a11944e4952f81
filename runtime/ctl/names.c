/* names.c - which connectors the words of the command line mean. */
#include <assert.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/internal.h"

bool ctl_is_glob(const char *word) { return strpbrk(word, "*?[") != NULL; }

bool ctl_matches(const struct ctl_list *patterns, const char *name)
{
    for (size_t i = 0; i < patterns->n; i++) {
        const char *pattern = patterns->items[i];
        if (strcmp(pattern, name) == 0 || fnmatch(pattern, name, 0) == 0) return true;
    }
    return patterns->n == 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys or strings in order, a new array. */
static json_t *sorted(const json_t *json)
{
    struct ctl_list names = {0};
    json_t *value, *array = json_array();
    const char *key;
    size_t i;
    if (json_is_array(json)) {
        json_array_foreach(json, i, value)
        {
            if (json_is_string(value)) ctl_list_add(&names, json_string_value(value));
        }
    } else {
        json_object_foreach((json_t *)json, key, value) ctl_list_add(&names, key);
    }
    if (names.n) qsort(names.items, names.n, sizeof *names.items, compare_names);
    for (i = 0; i < names.n; i++) json_array_append_new(array, json_string(names.items[i]));
    free(names.items);
    return array;
}

static void add_once(json_t *names, const char *name)
{
    json_t *known;
    size_t i;
    json_array_foreach(names, i, known)
    {
        if (strcmp(json_string_value(known), name) == 0) return;
    }
    json_array_append_new(names, json_string(name));
}

static int add_matching(json_t *names, const json_t *all, const char *glob)
{
    json_t *name;
    size_t i, found = 0;
    json_array_foreach(all, i, name)
    {
        if (glob && fnmatch(glob, json_string_value(name), 0) != 0) continue;
        add_once(names, json_string_value(name));
        found++;
    }
    if (found || !glob) return CTL_OK;
    ctl_error("no connector is named like %s", glob);
    return CTL_REFUSED;
}

int ctl_select(struct ctl *ctl, json_t **names)
{
    const struct ctl_list *words = &ctl->args.words;
    bool all = ctl_has(ctl, CTL_ALL), ask = all;
    json_t *there = NULL, *listed;
    int code = CTL_OK;
    *names = json_array();
    if (all == (words->n > 0)) {
        ctl_error(all ? "give names or --all, not both" : "name a connector, or give --all");
        return CTL_USAGE;
    }
    for (size_t i = 0; i < words->n; i++) ask |= ctl_is_glob(words->items[i]);
    if (ask) {
        code = ctl_get(ctl, "/connectors", JSON_ARRAY, &listed);
        if (code != CTL_OK) return code;
        there = sorted(listed);
        json_decref(listed);
    }
    if (all) add_matching(*names, there, NULL);
    for (size_t i = 0; i < words->n; i++) {
        const char *word = words->items[i];
        if (ctl_is_glob(word)) code = ctl_worse(code, add_matching(*names, there, word));
        else add_once(*names, word);
    }
    json_decref(there);
    return code;
}

int ctl_connectors(struct ctl *ctl, json_t **all)
{
    json_t *expanded = NULL, *listed = NULL, *name;
    size_t i;
    *all = NULL;
    int code = ctl_get(ctl, "/connectors?expand=status&expand=info", JSON_OBJECT, &expanded);
    if (code == CTL_OK) code = ctl_get(ctl, "/connectors", JSON_ARRAY, &listed);
    if (code == CTL_OK) {
        json_t *names;
        json_array_foreach(listed, i, name)
        {
            const char *text = json_string_value(name);
            if (text && !json_object_get(expanded, text))
                json_object_set_new(expanded, text, json_object());
        }
        names = sorted(expanded);
        *all = json_object();
        json_array_foreach(names, i, name)
        {
            const char *text = json_string_value(name);
            json_object_set(*all, text, json_object_get(expanded, text));
        }
        json_decref(names);
    }
    json_decref(expanded);
    json_decref(listed);
    return code;
}
