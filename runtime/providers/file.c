/* file.c - FileConfigProvider: keys of properties files. The file is read anew for each look-up, so
 * that a task that starts gets what stands in it then. Called by one thread at a time. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/props.h"
#include "providers/allowed_paths.h"
#include "providers/providers.h"

static const struct sluice_option options[] = {
    SLUICE_ALLOWED_PATHS_OPTION,
    {0},
};

static enum sluice_verdict file_open(struct sluice_task *task, const struct sluice_host *host,
                                     const struct sluice_conf *conf, void **self,
                                     struct sluice_err *err)
{
    (void)task;
    struct sluice_allowed_paths *allowed = *self = sluice_xcalloc(1, sizeof *allowed);
    return sluice_allowed_paths_init(allowed, host, conf, err) ? SLUICE_OK : SLUICE_FAIL;
}

static enum sluice_verdict file_get(void *self, const char *path, const char *key,
                                    struct sluice_buf *out, bool *found, int64_t *ttl_ms,
                                    struct sluice_err *err)
{
    (void)ttl_ms;
    struct sluice_map map = {0};
    *found = false;
    if (!*path || !sluice_allowed_paths_hold(self, path)) return SLUICE_OK;
    if (!sluice_props_load(&map, path, err)) {
        sluice_map_fini(&map);
        return SLUICE_FAIL;
    }
    const char *value = sluice_map_get(&map, key);
    *found = value != NULL;
    if (value) sluice_buf_adds(out, value);
    sluice_map_fini(&map);
    return SLUICE_OK;
}

static const char *const aliases[] = {"org.apache.kafka.common.config.provider.FileConfigProvider",
                                      NULL};
static const struct sluice_config_provider provider = {sizeof provider, file_get};
const struct sluice_plugin sluice_file_provider = {
    SLUICE_PLUGIN_HEAD,   .kind = SLUICE_KIND_CONFIG_PROVIDER,
    .name = "file",       .version = SLUICE_VERSION,
    .aliases = aliases,   .options = options,
    .open = file_open,    .close = free,
    .provider = &provider};
