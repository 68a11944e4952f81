/* allowed_paths.h - the allowed.paths of file and directory providers. Private to
 * runtime/providers. */
#ifndef SLUICE_PROVIDERS_ALLOWED_PATHS_H
#define SLUICE_PROVIDERS_ALLOWED_PATHS_H

#include <stdbool.h>

#include "sluice/plugin.h"

#define SLUICE_ALLOWED_PATHS_OPTION                                                                \
    {                                                                                              \
        "allowed.paths", SLUICE_OPT_LIST, SLUICE_LOW, 0, NULL, NULL, NULL,                         \
            "Absolute paths of existing files and folders, comma separated: nothing outside them " \
            "is read. Unset: everything may be."                                                   \
    }

struct sluice_allowed_paths {
    const char *const *list; /* of the conf; NULL: all paths */
    const struct sluice_host *host;
};

/* False: a path is not absolute or does not exist; err. */
bool sluice_allowed_paths_init(struct sluice_allowed_paths *allowed, const struct sluice_host *host,
                               const struct sluice_conf *conf, struct sluice_err *err);
/* Whether path, with its . and .. worked out (links are followed, as in Java, by nobody here),
 * lies at or below one of them; logs when not. */
bool sluice_allowed_paths_hold(const struct sluice_allowed_paths *allowed, const char *path);

#endif
