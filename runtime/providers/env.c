/* env.c - EnvVarConfigProvider: variables of the environment that the worker was started with.
 * Called by one thread at a time; nobody changes the environment after the start. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "providers/providers.h"

#define MATCH_STEPS_MAX 100000

struct env {
    pcre2_code *allowed;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

static const struct sluice_option options[] = {
    {"allowlist.pattern", SLUICE_OPT_STRING, SLUICE_LOW, 0, ".*", NULL, NULL,
     "Regular expression that is found in the names of the variables that may be read; anchor it "
     "with ^ and $ to have it fit as a whole."},
    {0},
};

static enum sluice_verdict env_open(struct sluice_task *task, const struct sluice_host *host,
                                    const struct sluice_conf *conf, void **self,
                                    struct sluice_err *err)
{
    (void)task;
    struct env *env = *self = sluice_xcalloc(1, sizeof *env);
    const char *pattern = host->str(conf, "allowlist.pattern");
    int code;
    PCRE2_SIZE at;
    env->allowed =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &at, NULL);
    if (!env->allowed) {
        PCRE2_UCHAR why[120];
        pcre2_get_error_message(code, why, sizeof why);
        return sluice_fail(err, "allowlist.pattern %s is no regular expression: %s at %zu", pattern,
                           (const char *)why, (size_t)at);
    }
    env->data = pcre2_match_data_create(1, NULL);
    env->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(env->limits, MATCH_STEPS_MAX);
    return SLUICE_OK;
}

static void env_close(void *self)
{
    struct env *env = self;
    if (!env) return;
    pcre2_match_context_free(env->limits);
    pcre2_match_data_free(env->data);
    pcre2_code_free(env->allowed);
    free(env);
}

static enum sluice_verdict env_get(void *self, const char *path, const char *key,
                                   struct sluice_buf *out, bool *found, int64_t *ttl_ms,
                                   struct sluice_err *err)
{
    (void)ttl_ms;
    struct env *env = self;
    *found = false;
    if (*path)
        return sluice_fail(err,
                           "Path is not supported for EnvVarConfigProvider, invalid value '%s'; "
                           "write ${provider:NAME}",
                           path);
    const char *value = getenv(key);
    if (!value || pcre2_match(env->allowed, (PCRE2_SPTR)key, PCRE2_ZERO_TERMINATED, 0, 0, env->data,
                              env->limits) < 0)
        return SLUICE_OK;
    *found = true;
    sluice_buf_adds(out, value);
    return SLUICE_OK;
}

static const char *const aliases[] = {
    "org.apache.kafka.common.config.provider.EnvVarConfigProvider", NULL};
static const struct sluice_config_provider provider = {sizeof provider, env_get};
const struct sluice_plugin sluice_env_provider = {
    SLUICE_PLUGIN_HEAD,   .kind = SLUICE_KIND_CONFIG_PROVIDER,
    .name = "env",        .version = SLUICE_VERSION,
    .aliases = aliases,   .options = options,
    .open = env_open,     .close = env_close,
    .provider = &provider};
