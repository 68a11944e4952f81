/* allowed_paths.c - see allowed_paths.h. */
#include "providers/allowed_paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

/* The path without empty parts, . and .., as java.nio.file.Path.normalize(): text alone decides.
 * Owned. */
static char *normalized(const char *path)
{
    bool absolute = *path == '/';
    char *out = sluice_xmalloc(strlen(path) + 2), *to = out;
    if (absolute) *to++ = '/';
    char *floor = to; /* what .. cannot leave */
    for (const char *at = path; *at;) {
        at += strspn(at, "/");
        size_t n = strcspn(at, "/");
        if (n == 0) break;
        bool up = n == 2 && memcmp(at, "..", 2) == 0;
        if (up && to > floor) {
            while (to > floor && to[-1] != '/') to--;
            if (to > floor) to--; /* the slash before it */
        } else if (up && absolute) {
            /* nothing is above the root */
        } else if (!(n == 1 && *at == '.')) {
            if (to > out && to[-1] != '/') *to++ = '/';
            memcpy(to, at, n);
            to += n;
            if (up) floor = to;
        }
        at += n;
    }
    *to = '\0';
    return out;
}

bool sluice_allowed_paths_init(struct sluice_allowed_paths *allowed, const struct sluice_host *host,
                               const struct sluice_conf *conf, struct sluice_err *err)
{
    const char *given = host->str(conf, "allowed.paths");
    allowed->host = host;
    allowed->list = NULL;
    if (!given || !*given) return true;
    allowed->list = host->list(conf, "allowed.paths");
    for (size_t i = 0; allowed->list[i]; i++) {
        if (allowed->list[i][0] != '/')
            return sluice_err_set(err, "allowed.paths: path %s is not absolute", allowed->list[i]);
        if (access(allowed->list[i], F_OK) != 0)
            return sluice_err_set(err, "allowed.paths: path %s does not exist", allowed->list[i]);
    }
    return true;
}

bool sluice_allowed_paths_hold(const struct sluice_allowed_paths *allowed, const char *path)
{
    bool ok = !allowed->list;
    char *real = normalized(path);
    for (size_t i = 0; !ok && allowed->list[i]; i++) {
        char *under = normalized(allowed->list[i]);
        size_t n = strlen(under);
        ok = strncmp(real, under, n) == 0 &&
             (real[n] == '\0' || real[n] == '/' || (n && under[n - 1] == '/'));
        free(under);
    }
    free(real);
    if (!ok)
        allowed->host->log(
            NULL, SLUICE_WARN,
            "path %s lies outside allowed.paths: variables that name it stay as they "
            "are",
            path);
    return ok;
}
