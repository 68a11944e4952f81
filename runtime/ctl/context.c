/* context.c - a file of workers by name, so that addresses need not be typed:
 *
 *     {"current": "dev",
 *      "contexts": {"dev": {"url": "http://localhost:8083"},
 *                   "prod": {"url": "https://a:8443,https://b:8443", "user": "ann",
 *                            "password-file": "/home/ann/.connect", "ca": "/etc/connect/ca.pem"}}}
 *
 * $SLUICE_CTL_CONFIG, else $XDG_CONFIG_HOME or ~/.config, /sluice/ctl.json. Command line and
 * environment win over it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/props.h"
#include "ctl/internal.h"

#define CONTEXT_MAX (256 << 10)

static const enum ctl_option_id keys[] = {CTL_URL,  CTL_USER, CTL_PASSWORD_FILE, CTL_CA,
                                          CTL_CERT, CTL_KEY,  CTL_OUTPUT};

/* NULL: there is no home. The caller's. */
static char *file_path(void)
{
    const char *own = getenv("SLUICE_CTL_CONFIG"), *xdg = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    if (own && *own) return sluice_xstrdup(own);
    if (xdg && *xdg) return sluice_xasprintf("%s/sluice/ctl.json", xdg);
    return home && *home ? sluice_xasprintf("%s/.config/sluice/ctl.json", home) : NULL;
}

static bool environment_has(enum ctl_option_id id)
{
    const char *variable = id == CTL_URL    ? "SLUICE_URL"
                           : id == CTL_USER ? "SLUICE_USER"
                           : id == CTL_CA   ? "SLUICE_CA"
                           : id == CTL_CERT ? "SLUICE_CERT"
                           : id == CTL_KEY  ? "SLUICE_KEY"
                                            : NULL;
    const char *value = variable ? getenv(variable) : NULL;
    return value && *value;
}

static bool values_take(struct ctl *ctl, const char *path, const char *name, const json_t *context)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)context, key, value)
    {
        size_t i = 0, n = sizeof keys / sizeof *keys;
        while (i < n && strcmp(ctl_options[keys[i]].name, key) != 0) i++;
        if (i == n || !json_is_string(value)) {
            ctl_error("%s: context %s: %s %s", path, name, key,
                      i == n ? "is not known; there are url, user, password-file, ca, cert, key "
                               "and output"
                             : "must be a string");
            return false;
        }
        if (!ctl->args.values[keys[i]] && !environment_has(keys[i]))
            ctl->args.values[keys[i]] = json_string_value(value);
    }
    return true;
}

static bool file_use(struct ctl *ctl, const char *path, const char *wanted)
{
    const json_t *contexts = json_object_get(ctl->context, "contexts");
    const char *name =
        wanted ? wanted : json_string_value(json_object_get(ctl->context, "current"));
    if (!name) return true;
    const json_t *context = json_object_get(contexts, name);
    if (json_is_object(context)) return values_take(ctl, path, name, context);
    ctl_error("%s has no context %s", path, name);
    return false;
}

bool ctl_context_read(struct ctl *ctl)
{
    const char *wanted = ctl->args.values[CTL_CONTEXT];
    struct sluice_err err = {{0}};
    json_error_t error;
    bool ok = true;
    if (!wanted) wanted = getenv("SLUICE_CONTEXT");
    if (wanted && !*wanted) wanted = NULL;
    /* Whoever names a worker must not send it what was meant for another. */
    if (!wanted && (ctl->args.values[CTL_URL] || environment_has(CTL_URL))) return true;
    char *path = file_path();
    if (!path || access(path, F_OK) != 0) {
        if (wanted) ctl_error("there is no context %s: %s is not there", wanted, path ? path : "~");
        free(path);
        return !wanted;
    }
    char *text = sluice_file_read(path, CONTEXT_MAX, NULL, &err);
    ctl->context = text ? json_loads(text, 0, &error) : NULL;
    if (!text) ok = (ctl_error("%s", err.msg), false);
    else if (!json_is_object(ctl->context))
        ok = (ctl_error("%s: line %d: %s", path, error.line, error.text), false);
    ok = ok && file_use(ctl, path, wanted);
    free(text);
    free(path);
    return ok;
}
