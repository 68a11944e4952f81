/* directory.c - DirectoryConfigProvider: the files of a folder, each one value (as Kubernetes
 * mounts secrets). The content is the value as it is, a newline at its end included, as in Java.
 * Called by one thread at a time. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/props.h"
#include "providers/allowed_paths.h"
#include "providers/providers.h"

#define VALUE_MAX_BYTES ((size_t)1 << 20)

struct directory {
    struct sluice_allowed_paths allowed;
};

static const struct sluice_option options[] = {
    SLUICE_ALLOWED_PATHS_OPTION,
    {0},
};

static enum sluice_verdict directory_open(struct sluice_task *task, const struct sluice_host *host,
                                          const struct sluice_conf *conf, void **self,
                                          struct sluice_err *err)
{
    (void)task;
    struct directory *directory = *self = sluice_xcalloc(1, sizeof *directory);
    return sluice_allowed_paths_init(&directory->allowed, host, conf, err) ? SLUICE_OK
                                                                           : SLUICE_FAIL;
}

static enum sluice_verdict directory_get(void *self, const char *path, const char *key,
                                         struct sluice_buf *out, bool *found, int64_t *ttl_ms,
                                         struct sluice_err *err)
{
    (void)ttl_ms;
    struct directory *directory = self;
    struct stat info;
    *found = false;
    if (!*path || !sluice_allowed_paths_hold(&directory->allowed, path)) return SLUICE_OK;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        directory->allowed.host->log(NULL, SLUICE_WARN,
                                     "path %s is no directory: variables that name it stay as they "
                                     "are",
                                     path);
        return SLUICE_OK;
    }
    /* A key is the name of a file in that folder, never a way out of it. */
    if (!*key || strchr(key, '/')) return SLUICE_OK;
    char *file = sluice_xasprintf("%s/%s", path, key);
    enum sluice_verdict v = SLUICE_OK;
    if (stat(file, &info) == 0 && S_ISREG(info.st_mode)) {
        size_t len;
        char *text = sluice_file_read(file, VALUE_MAX_BYTES, &len, err);
        *found = text != NULL;
        if (text) sluice_buf_add(out, text, len);
        else v = SLUICE_FAIL;
        free(text);
    }
    free(file);
    return v;
}

static const char *const aliases[] = {
    "org.apache.kafka.common.config.provider.DirectoryConfigProvider", NULL};
static const struct sluice_config_provider provider = {sizeof provider, directory_get};
const struct sluice_plugin sluice_directory_provider = {
    SLUICE_PLUGIN_HEAD,     .kind = SLUICE_KIND_CONFIG_PROVIDER,
    .name = "directory",    .version = SLUICE_VERSION,
    .aliases = aliases,     .options = options,
    .open = directory_open, .close = free,
    .provider = &provider};
