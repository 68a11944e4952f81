/* files.c - connectors as files have them: a flat config with a name, a create request {"name",
 * "config", "initial_state"}, an array of these, or .properties; files, directories (their *.json
 * and *.properties, by name) and standard input. Every fault is told, with file and place. */
#include <assert.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/props.h"
#include "ctl/internal.h"
#include "plugin/options.h"

#define FILE_MAX ((size_t)16 << 20)

void ctl_wanteds_fini(struct ctl_wanteds *wanteds)
{
    for (size_t i = 0; i < wanteds->n; i++) {
        free(wanteds->items[i].name);
        free(wanteds->items[i].from);
        json_decref(wanteds->items[i].config);
    }
    free(wanteds->items);
    *wanteds = (struct ctl_wanteds){0};
}

/* ---- one connector ---- */

/* Values as Connect reads them: strings; other scalars by their JSON text; null stays. */
static bool config_take(const json_t *from, json_t *to, const char *place)
{
    struct sluice_err err = {{0}};
    const char *key;
    json_t *value;
    bool ok = true;
    json_object_foreach((json_t *)from, key, value)
    {
        struct sluice_map map = {0};
        json_t *one = json_object();
        json_object_set(one, key, value);
        if (json_is_null(value)) {
            ctl_error("%s: %s is null; leave the key out instead", place, key);
            ok = false;
        } else if (!sluice_json_to_map(one, &map, &err)) {
            ctl_error("%s: %s", place, err.msg);
            ok = false;
        } else if (strcmp(map.items[0].value, CTL_HIDDEN) == 0) {
            ctl_error("%s: %s: %s stands for a secret that was not shown, and is no value; write "
                      "the secret, or ${file:...} or ${env:...}",
                      place, key, CTL_HIDDEN);
            ok = false;
        } else {
            json_object_set_new(to, key, json_string(map.items[0].value));
        }
        sluice_map_fini(&map);
        json_decref(one);
    }
    return ok;
}

static bool initial_take(const json_t *json, const char **state, const char *place)
{
    static const char *const states[] = {"RUNNING", "PAUSED", "STOPPED"};
    const char *word = json_string_value(json);
    if (!json || json_is_null(json)) return true;
    for (size_t i = 0; word && i < 3; i++) {
        if (strcasecmp(word, states[i]) == 0) {
            *state = states[i];
            return true;
        }
    }
    ctl_error("%s: initial_state must be RUNNING, PAUSED or STOPPED", place);
    return false;
}

static bool request_keys(const json_t *request, const char *place)
{
    static const char *const known[] = {"name", "config", "initial_state"};
    const char *key;
    json_t *value;
    bool ok = true;
    json_object_foreach((json_t *)request, key, value)
    {
        /* GET /connectors/{name} has the last two, and they mean nothing here. */
        if (strcmp(key, "name") == 0 || strcmp(key, "config") == 0 || strcmp(key, "tasks") == 0 ||
            strcmp(key, "initial_state") == 0 || strcmp(key, "type") == 0)
            continue;
        const char *nearest = sluice_nearest(key, known, 3);
        ctl_error("%s: %s is no key beside \"config\"%s%s%s; there are name, config and "
                  "initial_state",
                  place, key, nearest ? ": did you mean " : "", nearest ? nearest : "",
                  nearest ? "?" : "");
        ok = false;
    }
    return ok;
}

static bool name_take(struct ctl_wanted *wanted, const json_t *outer)
{
    const char *own = json_string_value(json_object_get(wanted->config, "name"));
    const char *name = outer ? json_string_value(outer) : own;
    if (outer && !name) {
        ctl_error("%s: name must be a string", wanted->from);
        return false;
    }
    if (!name || !*name) {
        ctl_error("%s: the connector has no name; add \"name\"", wanted->from);
        return false;
    }
    if (own && strcmp(own, name) != 0) {
        ctl_error("%s: name says %s, and the name inside config says %s", wanted->from, name, own);
        return false;
    }
    name += strspn(name, " \t");
    size_t len = strlen(name);
    while (len && (name[len - 1] == ' ' || name[len - 1] == '\t')) len--;
    wanted->name = sluice_xstrndup(name, len);
    json_object_set_new(wanted->config, "name", json_string(wanted->name));
    return true;
}

static bool twice(const struct ctl_wanteds *wanteds, const struct ctl_wanted *wanted)
{
    for (size_t i = 0; i < wanteds->n; i++) {
        if (strcmp(wanteds->items[i].name, wanted->name) != 0) continue;
        ctl_error("%s: connector %s stands in %s already", wanted->from, wanted->name,
                  wanteds->items[i].from);
        return true;
    }
    return false;
}

static bool connector_take(struct ctl_wanteds *wanteds, const json_t *json, const char *place)
{
    struct ctl_wanted wanted = {.from = sluice_xstrdup(place), .config = json_object()};
    const json_t *config = json_object_get(json, "config");
    bool request = json_is_object(config), ok = json_is_object(json);
    if (!ok) ctl_error("%s: it must be a JSON object: a config, or {\"name\", \"config\"}", place);
    if (ok && request) {
        ok = request_keys(json, place);
        ok &= initial_take(json_object_get(json, "initial_state"), &wanted.initial_state, place);
    }
    if (ok) ok = config_take(request ? config : json, wanted.config, place);
    ok = ok && name_take(&wanted, request ? json_object_get(json, "name") : NULL) &&
         !twice(wanteds, &wanted);
    if (!ok) {
        free(wanted.name);
        free(wanted.from);
        json_decref(wanted.config);
        return false;
    }
    wanteds->items = sluice_xgrow(wanteds->items, wanteds->n, &wanteds->cap, sizeof wanted);
    wanteds->items[wanteds->n++] = wanted;
    return true;
}

/* ---- one text ---- */

static bool json_take(struct ctl_wanteds *wanteds, const char *file_name, const char *text,
                      size_t len)
{
    json_error_t error;
    json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error), *one;
    bool ok = true;
    size_t i;
    if (!json) {
        ctl_error("%s: line %d, column %d: %s", file_name, error.line, error.column, error.text);
        return false;
    }
    if (!json_is_array(json)) ok = connector_take(wanteds, json, file_name);
    else {
        json_array_foreach(json, i, one)
        {
            char *place = sluice_xasprintf("%s[%zu]", file_name, i);
            ok &= connector_take(wanteds, one, place);
            free(place);
        }
    }
    json_decref(json);
    return ok;
}

static bool props_take(struct ctl_wanteds *wanteds, const char *file_name, const char *text,
                       size_t len)
{
    struct sluice_map map = {0};
    struct sluice_err err = {{0}};
    bool ok = sluice_props_parse(&map, text, len, &err);
    if (ok) {
        json_t *json = sluice_json_from_map(&map);
        ok = connector_take(wanteds, json, file_name);
        json_decref(json);
    } else {
        ctl_error("%s: %s", file_name, err.msg);
    }
    sluice_map_fini(&map);
    return ok;
}

bool ctl_files_parse(struct ctl_wanteds *wanteds, const char *file_name, const char *text,
                     size_t len)
{
    const char *dot = strrchr(file_name, '.');
    size_t blank = strspn(text, " \t\r\n");
    bool json = text[blank] == '{' || text[blank] == '[';
    if (blank == len) {
        ctl_error("%s: it is empty", file_name);
        return false;
    }
    if (json && !(dot && strcmp(dot, ".properties") == 0))
        return json_take(wanteds, file_name, text, len);
    if (dot && strcmp(dot, ".json") == 0) return json_take(wanteds, file_name, text, len);
    return props_take(wanteds, file_name, text, len);
}

/* ---- files ---- */

/* Standard input as a terminated string; NULL: told. The caller's. */
static char *stdin_read(size_t *len)
{
    struct sluice_buf buf;
    char piece[65536];
    size_t n;
    bool fits = true;
    sluice_buf_init(&buf, FILE_MAX);
    while (fits && (n = fread(piece, 1, sizeof piece, stdin)) > 0)
        fits = sluice_buf_add(&buf, piece, n);
    if (!fits || ferror(stdin)) {
        ctl_error(fits ? "reading standard input failed: %m"
                       : "standard input holds more than 16 MiB");
        sluice_buf_fini(&buf);
        return NULL;
    }
    *len = buf.len;
    char *text = sluice_xmalloc(buf.len + 1);
    if (buf.len) memcpy(text, buf.data, buf.len);
    text[buf.len] = '\0';
    sluice_buf_fini(&buf);
    return text;
}

static bool file_take(struct ctl_wanteds *wanteds, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    struct sluice_err err = {{0}};
    size_t len;
    char *text = standard ? stdin_read(&len) : sluice_file_read(path, FILE_MAX, &len, &err);
    if (!text) {
        if (!standard) ctl_error("%s", err.msg);
        return false;
    }
    bool ok = ctl_files_parse(wanteds, standard ? "stdin" : path, text, len);
    free(text);
    return ok;
}

static int is_connector_file(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    if (entry->d_name[0] == '.' || !dot) return 0;
    return strcmp(dot, ".json") == 0 || strcmp(dot, ".properties") == 0;
}

static bool directory_take(struct ctl_wanteds *wanteds, const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, is_connector_file, alphasort);
    bool ok = n > 0;
    if (n < 0) ctl_error("%s: %m", path);
    else if (n == 0) ctl_error("%s: no *.json and no *.properties are in this directory", path);
    for (int i = 0; i < n; i++) {
        char *file = sluice_xasprintf("%s/%s", path, entries[i]->d_name);
        ok &= file_take(wanteds, file);
        free(file);
        free(entries[i]);
    }
    if (n >= 0) free(entries);
    return ok;
}

int ctl_files_read(struct ctl *ctl, struct ctl_wanteds *wanteds)
{
    const struct ctl_list *files = &ctl->args.files;
    bool ok = true;
    if (files->n == 0) {
        ctl_error("which file? give --file FILE, a directory, or - for standard input");
        return CTL_USAGE;
    }
    for (size_t i = 0; i < files->n; i++) {
        struct stat st;
        bool directory = strcmp(files->items[i], "-") != 0 && stat(files->items[i], &st) == 0 &&
                         S_ISDIR(st.st_mode);
        ok &= directory ? directory_take(wanteds, files->items[i])
                        : file_take(wanteds, files->items[i]);
    }
    if (ok && wanteds->n == 0) {
        ctl_error("no connector is in %s", files->items[0]);
        ok = false;
    }
    return ok ? CTL_OK : CTL_USAGE;
}
