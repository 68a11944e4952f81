/* variables.c - see variables.h. The form is Java's: \$\{([^}]*?):(([^}]*?):)?([^}]*?)\} */
#include "providers/variables.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "plugin/host.h"
#include "plugin/option_value.h"
#include "providers/providers.h"

#define VALUE_MAX_BYTES ((size_t)1 << 20)  /* one value of a provider */
#define CONFIG_MAX_BYTES ((size_t)4 << 20) /* one config value, variables replaced */

struct opened {
    char *name;
    const struct sluice_plugin *plugin;
    struct sluice_conf *conf;
    void *self;
};

struct sluice_variables {
    struct sluice_host host;
    struct opened *providers;
    size_t n;
    pthread_mutex_t mutex; /* held over a look-up */
};

void sluice_providers_register(struct sluice_registry *registry)
{
    static const struct sluice_plugin *const list[] = {
        &sluice_file_provider, &sluice_directory_provider, &sluice_env_provider, NULL};
    struct sluice_err err = {{0}};
    bool ok = sluice_registry_add(registry, NULL, list, &err);
    assert(ok); /* they are ours */
    (void)ok;
}

/* ---- opening ---- */

static bool open_one(struct sluice_variables *variables, const char *name,
                     const struct sluice_map *worker, const struct sluice_registry *registry,
                     struct sluice_err *err)
{
    struct opened *o = &variables->providers[variables->n];
    char *key = sluice_xasprintf("config.providers.%s.class", name);
    char *prefix = sluice_xasprintf("config.providers.%s.param.", name);
    const char *class_name = sluice_map_get(worker, key);
    bool ok = class_name && *class_name;
    if (!ok) sluice_err_set(err, "config.providers names %s, but there is no %s", name, key);
    if (ok)
        ok = (o->plugin = sluice_registry_find(registry, 1u << SLUICE_KIND_CONFIG_PROVIDER,
                                               class_name, err)) != NULL;
    if (ok) ok = (o->conf = sluice_conf_new(o->plugin, worker, prefix, err)) != NULL;
    if (ok) {
        o->name = sluice_xstrdup(name);
        variables->n++; /* closed whatever open() says */
        ok = o->plugin->open(NULL, &variables->host, o->conf, &o->self, err) == SLUICE_OK;
        if (!ok) sluice_err_wrap(err, "opening config provider %s", name);
    }
    free(key);
    free(prefix);
    return ok;
}

struct sluice_variables *sluice_variables_new(const struct sluice_map *worker,
                                              const struct sluice_registry *registry,
                                              struct sluice_err *err)
{
    struct sluice_variables *variables = sluice_xcalloc(1, sizeof *variables);
    const char *given = sluice_map_get(worker, "config.providers");
    char **names = sluice_list_split(given ? given : "");
    size_t n = 0;
    bool ok = true;
    while (names[n]) n++;
    variables->host = sluice_host_base();
    variables->providers = sluice_xcalloc(n + 1, sizeof *variables->providers);
    pthread_mutex_init(&variables->mutex, NULL);
    for (size_t i = 0; ok && i < n; i++) ok = open_one(variables, names[i], worker, registry, err);
    sluice_list_free(names);
    if (ok) return variables;
    sluice_variables_free(variables);
    return NULL;
}

void sluice_variables_free(struct sluice_variables *variables)
{
    if (!variables) return;
    for (size_t i = 0; i < variables->n; i++) {
        struct opened *o = &variables->providers[i];
        o->plugin->close(o->self);
        sluice_conf_free(o->conf);
        free(o->name);
    }
    pthread_mutex_destroy(&variables->mutex);
    free(variables->providers);
    free(variables);
}

/* ---- finding ---- */

struct variable {
    size_t start, end; /* in the text, ${ and } included */
    char *provider, *path, *key;
};

/* The first one at or behind from; its strings are owned. */
static bool next_variable(const char *text, size_t from, struct variable *out)
{
    for (const char *at = strstr(text + from, "${"); at; at = strstr(at + 1, "${")) {
        const char *in = at + 2, *end = strchr(in, '}');
        if (!end) return false;
        const char *colon = memchr(in, ':', (size_t)(end - in));
        if (!colon) continue;
        const char *second = memchr(colon + 1, ':', (size_t)(end - colon - 1));
        const char *key = second ? second + 1 : colon + 1;
        out->start = (size_t)(at - text);
        out->end = (size_t)(end + 1 - text);
        out->provider = sluice_xstrndup(in, (size_t)(colon - in));
        out->path = sluice_xstrndup(colon + 1, second ? (size_t)(second - colon - 1) : 0);
        out->key = sluice_xstrndup(key, (size_t)(end - key));
        return true;
    }
    return false;
}

static void variable_fini(struct variable *variable)
{
    free(variable->provider);
    free(variable->path);
    free(variable->key);
}

bool sluice_variables_in(const char *text)
{
    struct variable variable;
    if (!next_variable(text, 0, &variable)) return false;
    variable_fini(&variable);
    return true;
}

/* ---- replacing ---- */

static struct opened *find_provider(const struct sluice_variables *variables, const char *name)
{
    for (size_t i = 0; i < variables->n; i++)
        if (strcmp(variables->providers[i].name, name) == 0) return &variables->providers[i];
    return NULL;
}

/* The variable's value appended to out, or its own text where nobody has one. */
static bool replace_one(struct opened *o, const char *text, const struct variable *variable,
                        struct sluice_buf *out, int64_t *ttl_ms, struct sluice_err *err)
{
    bool found = false, ok = true;
    int64_t ttl = -1;
    struct sluice_buf value;
    sluice_buf_init(&value, VALUE_MAX_BYTES);
    if (o && o->plugin->provider->get(o->self, variable->path, variable->key, &value, &found, &ttl,
                                      err) != SLUICE_OK)
        ok = sluice_err_wrap(err, "config provider %s", o->name);
    if (ok && found) {
        const char *s = sluice_buf_str(&value);
        sluice_secret_add(s);
        if (!sluice_utf8_valid(s, value.len) || strlen(s) != value.len)
            ok = sluice_err_set(err, "config provider %s: the value of %s is no text in UTF-8",
                                o->name, variable->key);
        else ok = sluice_buf_add(out, s, value.len);
        if (ttl >= 0 && (*ttl_ms < 0 || ttl < *ttl_ms)) *ttl_ms = ttl;
    } else if (ok) {
        ok = sluice_buf_add(out, text + variable->start, variable->end - variable->start);
    }
    sluice_buf_fini(&value);
    return ok;
}

static bool replace(struct sluice_variables *variables, const char *text, struct sluice_buf *out,
                    int64_t *ttl_ms, struct sluice_err *err)
{
    struct variable variable;
    size_t from = 0;
    bool ok = true;
    while (ok && next_variable(text, from, &variable)) {
        sluice_buf_add(out, text + from, variable.start - from);
        ok = replace_one(find_provider(variables, variable.provider), text, &variable, out, ttl_ms,
                         err);
        from = variable.end;
        variable_fini(&variable);
    }
    return ok && sluice_buf_adds(out, text + from);
}

bool sluice_variables_resolve(struct sluice_variables *variables, const struct sluice_map *config,
                              struct sluice_map *out, int64_t *ttl_ms, struct sluice_report *report)
{
    static const char own[] = "config.providers";
    size_t findings = report->n;
    int64_t ttl = -1;
    if (variables) sluice_lock(&variables->mutex);
    for (size_t i = 0; i < config->n; i++) {
        const char *key = config->items[i].key, *text = config->items[i].value;
        bool plain =
            !variables || !text || !strstr(text, "${") || strncmp(key, own, sizeof own - 1) == 0;
        struct sluice_err err = {{0}};
        struct sluice_buf buf;
        sluice_buf_init(&buf, CONFIG_MAX_BYTES);
        if (!plain && !replace(variables, text, &buf, &ttl, &err)) {
            sluice_report_add(report, key, "Invalid value %s for configuration %s: %s", text, key,
                              err.msg[0] ? err.msg : "it is too long with its variables replaced");
            plain = true;
        }
        sluice_map_set(out, key, plain ? text : sluice_buf_str(&buf));
        sluice_buf_fini(&buf);
    }
    if (variables) sluice_unlock(&variables->mutex);
    if (ttl_ms) *ttl_ms = ttl;
    return report->n == findings;
}
