/* secrets.c - what must not be shown of a config: values of keys that the plugin declares as
 * PASSWORD, values of keys that are named like secrets (a plugin's declaration cannot always be
 * had), and credentials inside URLs. References such as ${file:...} are no secrets. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "ctl/internal.h"

bool ctl_secret_name(const char *key)
{
    static const char *const parts[] = {
        "password",     "passwd",      "passphrase",  "secret",     "credential",  "token",
        "apikey",       "api.key",     "api_key",     "api-key",    "accesskey",   "access.key",
        "access_key",   "private.key", "private_key", "privatekey", "jaas.config", "keyfile",
        "keystore.key", "user.info",   "account.key", "sas.key"};
    static const char *const harmless[] = {".source", ".location", ".url",     ".uri",   ".type",
                                           ".path",   ".provider", ".ms",      ".class", ".mode",
                                           ".enable", ".enabled",  ".seconds", ".file"};
    size_t len = strlen(key);
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        size_t n = strlen(harmless[i]);
        if (len > n && strcasecmp(key + len - n, harmless[i]) == 0) return false;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcasestr(key, parts[i])) return true;
    }
    return false;
}

/* The whole value is ${provider:...}: it names a secret and is none. */
static bool is_reference(const char *value)
{
    size_t len = strlen(value);
    return len > 3 && strncmp(value, "${", 2) == 0 && value[len - 1] == '}' && strchr(value, ':') &&
           strchr(value, '}') == value + len - 1;
}

/* "://user:password@" and "password=..." of URLs. The caller's. */
static char *without_url_passwords(const char *value)
{
    static const char *const words[] = {"password=", "pwd=", "secret=", "token=", "sig="};
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    for (const char *at = value; *at;) {
        size_t skip = 0, keep = 0;
        if (strncmp(at, "://", 3) == 0) {
            size_t authority = strcspn(at + 3, "/?# \t\n");
            const char *sign = memrchr(at + 3, '@', authority);
            const char *colon = sign ? memchr(at + 3, ':', (size_t)(sign - at) - 3) : NULL;
            if (colon) {
                keep = (size_t)(colon - at) + 1;
                skip = (size_t)(sign - colon) - 1;
            }
        }
        for (size_t i = 0; !skip && i < sizeof words / sizeof *words; i++) {
            size_t n = strlen(words[i]);
            if (strncasecmp(at, words[i], n) != 0) continue;
            keep = n;
            skip = strcspn(at + n, "&;, \t\n");
        }
        if (skip) {
            sluice_buf_add(&buf, at, keep);
            sluice_buf_adds(&buf, CTL_HIDDEN);
            at += keep + skip;
        } else {
            sluice_buf_add(&buf, at++, 1);
        }
    }
    char *text = sluice_xstrdup(sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    return text;
}

char *ctl_masked_value(const char *key, const char *value, bool password)
{
    if (!*value || is_reference(value)) return sluice_xstrdup(value);
    if (password || ctl_secret_name(key)) return sluice_xstrdup(CTL_HIDDEN);
    return without_url_passwords(value);
}

/* {key: true} of the class; empty when the worker does not say. */
static json_t *passwords_of(struct ctl *ctl, const char *class_name)
{
    struct ctl_answer answer = {0};
    json_t *keys = json_object(), *option;
    size_t i;
    char *path = ctl_plugin_path(class_name, "/config");
    if (ctl_ask(ctl, "GET", path, NULL, &answer) == CTL_OK && answer.status == 200) {
        json_array_foreach(answer.body, i, option)
        {
            const char *type = json_string_value(json_object_get(option, "type"));
            const char *name = json_string_value(json_object_get(option, "name"));
            if (name && type && strcmp(type, "PASSWORD") == 0)
                json_object_set_new(keys, name, json_true());
        }
    }
    ctl_answer_fini(&answer);
    free(path);
    return keys;
}

bool ctl_is_password(struct ctl *ctl, const json_t *config, const char *key)
{
    const char *class_name = json_string_value(json_object_get(config, "connector.class"));
    if (!class_name) return false;
    if (!ctl->secrets) ctl->secrets = json_object();
    json_t *keys = json_object_get(ctl->secrets, class_name);
    if (!keys) {
        keys = passwords_of(ctl, class_name);
        json_object_set_new(ctl->secrets, class_name, keys);
    }
    return json_object_get(keys, key) != NULL;
}

json_t *ctl_masked(struct ctl *ctl, const json_t *config)
{
    json_t *masked = json_object(), *value;
    const char *key;
    json_object_foreach((json_t *)config, key, value)
    {
        const char *text = json_string_value(value);
        if (!text || ctl_has(ctl, CTL_SHOW_SECRETS)) {
            json_object_set(masked, key, value);
            continue;
        }
        char *shown = ctl_masked_value(key, text, ctl_is_password(ctl, config, key));
        json_object_set_new(masked, key, json_string(shown));
        free(shown);
    }
    return masked;
}
