/* load.c - shared objects into the registry; the only user of dlopen.
 *
 * RTLD_LOCAL keeps the symbols of one plugin's libraries from another's, RTLD_NOW finds missing
 * ones here and not at the first record. Nothing is ever closed: threads and thread-local
 * destructors of a library may outlive its last call. Main thread, at start. */
#include "plugin/load.h"

#include <assert.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugin/option_value.h"

#define ENTRY "sluice_plugins_v1"
#define MAJORS_MAX 64u /* of the entry's name, looked for when v1 is not there */

typedef const struct sluice_plugin *const *(*entry_function)(void);

/* dlerror() may be NULL even after a failure. */
static const char *last_error(void)
{
    const char *text = dlerror();
    return text ? text : "the loader gives no reason";
}

static bool no_entry(void *handle, const char *path, struct sluice_err *err)
{
    for (unsigned major = 0; major < MAJORS_MAX; major++) {
        char name[32];
        snprintf(name, sizeof(name), "sluice_plugins_v%u", major);
        if (!dlsym(handle, name)) continue;
        return sluice_err_set(err,
                              "%s was built for plugin ABI %u, but this sluice has %u.%u; "
                              "rebuild it against this version's include/sluice or install "
                              "a sluice of ABI major %u",
                              path, major, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, major);
    }
    return sluice_err_set(err,
                          "%s is no sluice plugin: it does not export %s(); see "
                          "docs/PLUGIN.md, or take it out of plugin.path",
                          path, ENTRY);
}

bool sluice_load_file(struct sluice_registry *registry, const char *path, struct sluice_err *err)
{
    /* A name without a slash would be looked for in the system's library path. */
    char *file = sluice_xasprintf("%s%s", strchr(path, '/') ? "" : "./", path);
    bool ok = false;
    dlerror();
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        sluice_err_set(err, "cannot load the plugin %s: %s", path, last_error());
        goto out;
    }
    entry_function entry;
    void *symbol = dlsym(handle, ENTRY);
    if (!symbol) {
        no_entry(handle, path, err);
        goto out;
    }
    /* ISO C has no conversion between these two; POSIX promises that their bytes agree. */
    memcpy(&entry, &symbol, sizeof(entry));
    ok = sluice_registry_add(registry, path, entry(), err);
out:
    free(file);
    return ok;
}

/* ---- directories ---- */

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool ends_with(const char *s, const char *suffix)
{
    size_t len = strlen(s), cut = strlen(suffix);
    return len > cut && strcmp(s + len - cut, suffix) == 0;
}

static bool load_or_log(struct sluice_registry *registry, const char *path)
{
    struct sluice_err err = {0};
    if (sluice_load_file(registry, path, &err)) {
        sluice_log(SLUICE_DEBUG, NULL, -1, "loaded plugins from %s", path);
        return true;
    }
    sluice_log(SLUICE_WARN, NULL, -1, "skipping a plugin: %s", err.msg);
    return false;
}

/* Loads *.so of the directory, and of the directories in it while depth > 0; how many. */
static size_t load_directory(struct sluice_registry *registry, const char *path, int depth)
{
    struct dirent **names;
    /* Sorted, so that which of two equal names wins does not depend on the file system. */
    int n = scandir(path, &names, NULL, alphasort);
    if (n < 0) {
        sluice_log(SLUICE_WARN, NULL, -1,
                   "cannot read the plugin directory %s: %s; correct "
                   "plugin.path or its permissions",
                   path, strerror(errno));
        return 0;
    }
    size_t loaded = 0;
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.') {
            char *inner = sluice_xasprintf("%s/%s", path, names[i]->d_name);
            if (is_directory(inner)) {
                if (depth > 0) loaded += load_directory(registry, inner, depth - 1);
            } else if (ends_with(inner, ".so")) {
                loaded += load_or_log(registry, inner);
            }
            free(inner);
        }
        free(names[i]);
    }
    free(names);
    return loaded;
}

/* plugins/ beside the executable (build tree), ../lib/sluice/plugins from it (installed). */
static void load_defaults(struct sluice_registry *registry)
{
    static const char *const places[] = {"plugins", "../lib/sluice/plugins"};
    char exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    if (n <= 0) {
        sluice_log(SLUICE_WARN, NULL, -1,
                   "cannot tell where the executable is (/proc is not "
                   "mounted?); set plugin.path to find plugins");
        return;
    }
    exe[n] = '\0';
    char *slash = strrchr(exe, '/');
    assert(slash);
    *slash = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char *path = sluice_xasprintf("%s/%s", exe, places[i]);
        if (is_directory(path)) load_directory(registry, path, 0);
        free(path);
    }
}

void sluice_load_path(struct sluice_registry *registry, const char *plugin_path)
{
    size_t loaded = 0;
    char **items = sluice_list_split(plugin_path ? plugin_path : "");
    bool given = *items != NULL;
    for (char **item = items; *item; item++) {
        if (!**item) continue;
        if (is_directory(*item)) loaded += load_directory(registry, *item, 1);
        else loaded += load_or_log(registry, *item);
    }
    sluice_list_free(items);
    if (given && loaded) return;
    /* A plugin.path of a Java worker holds jars: its user wants the plugins that came with us. */
    if (given) {
        sluice_log(SLUICE_WARN, NULL, -1,
                   "plugin.path %s holds no plugin that loads (a file .so); "
                   "using the plugins that came with sluice",
                   plugin_path);
    }
    load_defaults(registry);
}
