/* auto_restart.c - see auto_restart.h. */
#include "worker/auto_restart.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "providers/variables.h"

#define ENABLED "auto.restart.enabled"
#define BLANK " \t\r\n"

static const char *const keys[] = {ENABLED, "auto.restart.max.attempts",
                                   "auto.restart.initial.delay.ms", "auto.restart.max.delay.ms",
                                   "auto.restart.reset.after.ms"};

static bool number(const char *text, int64_t min, int64_t *out)
{
    if (!text) return false;
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    end += strspn(end, BLANK);
    if (end == text || *end || errno || n < min) return false;
    *out = n;
    return true;
}

static int64_t option(const struct sluice_map *config, const char *key, int64_t min,
                      const char *fallback)
{
    int64_t n;
    if (number(sluice_map_get(config, key), min, &n)) return n;
    bool ok = number(fallback, min, &n);
    assert(ok);
    (void)ok;
    return n;
}

bool sluice_auto_restart_read(struct sluice_variables *variables, const struct sluice_map *config,
                              struct sluice_auto_restart *out)
{
    if (!sluice_map_get(config, ENABLED)) return false; /* as a rule */
    struct sluice_map given = {0}, resolved = {0};
    struct sluice_report report = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (sluice_map_get(config, keys[i]))
            sluice_map_set(&given, keys[i], sluice_map_get(config, keys[i]));
    }
    sluice_variables_resolve(variables, &given, &resolved, NULL, &report);
    const char *text = sluice_map_get(&resolved, ENABLED);
    text += strspn(text, BLANK);
    size_t len = strcspn(text, BLANK);
    bool enabled = len == 4 && strncasecmp(text, "true", 4) == 0;
    if (enabled) {
        out->max_attempts = option(&resolved, keys[1], -1, SLUICE_AUTO_RESTART_MAX_ATTEMPTS);
        out->initial_delay_ms = option(&resolved, keys[2], 1, SLUICE_AUTO_RESTART_INITIAL_DELAY_MS);
        out->max_delay_ms = option(&resolved, keys[3], 1, SLUICE_AUTO_RESTART_MAX_DELAY_MS);
        out->reset_after_ms = option(&resolved, keys[4], 0, SLUICE_AUTO_RESTART_RESET_AFTER_MS);
        if (out->max_delay_ms < out->initial_delay_ms) out->max_delay_ms = out->initial_delay_ms;
    }
    sluice_report_fini(&report);
    sluice_map_fini(&given);
    sluice_map_fini(&resolved);
    return enabled;
}
