/* admin.c - /admin/loggers.
 *
 * The log has one level. A logger is a name with a level, as clients of Connect set it; the most
 * detailed level of all of them is what the log gets, so that asking for DEBUG of a part shows that
 * part (and the others too: REST.md says so).
 * Thread: any; one leaf mutex. Nothing survives a restart. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "rest/rest.h"

#define LOGGERS_MAX 256 /* names come from outside */

struct logger {
    char *name;
    const char *level;
    int64_t modified_ms; /* -1: never */
};

static const struct {
    const char *name;
    enum sluice_level level;
} levels[] = {{"ERROR", SLUICE_ERROR}, {"WARN", SLUICE_WARN},   {"INFO", SLUICE_INFO},
              {"DEBUG", SLUICE_DEBUG}, {"TRACE", SLUICE_DEBUG}, {"ALL", SLUICE_DEBUG},
              {"FATAL", SLUICE_ERROR}, {"OFF", SLUICE_ERROR}};
#define LEVELS (sizeof levels / sizeof *levels)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct logger loggers[LOGGERS_MAX]; /* by name; root is always there */
static size_t loggers_n;

static size_t level_index(const char *name)
{
    size_t i = 0;
    while (i < LEVELS && strcasecmp(levels[i].name, name) != 0) i++;
    return i;
}

/* ---- the table; the lock is held ---- */

static struct logger *find(const char *name)
{
    for (size_t i = 0; i < loggers_n; i++) {
        if (strcmp(loggers[i].name, name) == 0) return &loggers[i];
    }
    return NULL;
}

static struct logger *add(const char *name, const char *level)
{
    if (loggers_n == LOGGERS_MAX) return NULL;
    size_t at = loggers_n++;
    for (; at > 0 && strcmp(loggers[at - 1].name, name) > 0; at--) loggers[at] = loggers[at - 1];
    loggers[at] = (struct logger){sluice_xstrdup(name), level, -1};
    return &loggers[at];
}

static void ensure_root(void)
{
    if (find("root")) return;
    const char *level = "ERROR";
    for (size_t i = 0; i <= SLUICE_DEBUG; i++) {
        if (sluice_log_enabled(levels[i].level)) level = levels[i].name;
    }
    add("root", level);
}

static void set_level(struct logger *logger, size_t level)
{
    if (strcmp(logger->level, levels[level].name) == 0) return; /* last_modified stays */
    logger->level = levels[level].name;
    logger->modified_ms = sluice_wall_ms();
}

static void put_levels_in_force(void)
{
    enum sluice_level most = SLUICE_ERROR;
    for (size_t i = 0; i < loggers_n; i++) {
        enum sluice_level level = levels[level_index(loggers[i].level)].level;
        if (level > most) most = level;
    }
    sluice_log_level(most);
}

static json_t *logger_json(const struct logger *logger)
{
    json_t *json = json_object();
    json_object_set_new(json, "level", json_string(logger->level));
    json_object_set_new(json, "last_modified",
                        logger->modified_ms < 0 ? json_null() : json_integer(logger->modified_ms));
    return json;
}

/* Whether changing the logger changes this one: itself and what is below it. */
static bool affects(const char *changed, const char *name)
{
    size_t len = strlen(changed);
    if (strcmp(changed, "root") == 0) return true;
    return strncmp(name, changed, len) == 0 && (name[len] == '\0' || name[len] == '.');
}

/* ---- handlers ---- */

static void get_loggers(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    (void)arg;
    (void)req;
    json_t *body = json_object();
    sluice_lock(&lock);
    ensure_root();
    for (size_t i = 0; i < loggers_n; i++)
        json_object_set_new(body, loggers[i].name, logger_json(&loggers[i]));
    sluice_unlock(&lock);
    sluice_answer_json(answer, 200, body);
}

static void get_logger(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    (void)arg;
    sluice_lock(&lock);
    ensure_root();
    const struct logger *logger = find(req->params[0]);
    if (logger) sluice_answer_json(answer, 200, logger_json(logger));
    else sluice_answer_error(answer, 404, "Logger %s not found.", req->params[0]);
    sluice_unlock(&lock);
}

/* Sets the logger and those below it; the names that were set, root not among them. */
static json_t *set_loggers(const char *name, size_t level)
{
    json_t *affected = json_array();
    sluice_lock(&lock);
    ensure_root();
    if (!find(name) && !add(name, "INFO")) {
        sluice_unlock(&lock);
        json_decref(affected);
        return NULL;
    }
    for (size_t i = 0; i < loggers_n; i++) {
        if (!affects(name, loggers[i].name)) continue;
        set_level(&loggers[i], level);
        if (strcmp(loggers[i].name, "root") != 0)
            json_array_append_new(affected, sluice_json_safe(loggers[i].name));
    }
    put_levels_in_force();
    sluice_unlock(&lock);
    return affected;
}

static void put_logger(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    (void)arg;
    json_t *json = sluice_body_json(req, answer);
    if (!json) return;
    const char *name = json_string_value(json_object_get(json, "level"));
    size_t level = name ? level_index(name) : LEVELS;
    json_t *affected = NULL;
    const char *scope = sluice_map_get(&req->query, "scope");
    if (!name) {
        sluice_answer_error(answer, 400, "Desired 'level' parameter was not specified in request.");
    } else if (level == LEVELS) {
        sluice_answer_error(answer, 404, "invalid log level '%s'.", name);
    } else if (!(affected = set_loggers(req->params[0], level))) {
        sluice_answer_error(answer, 400, "More than %d loggers cannot be kept.", LOGGERS_MAX);
    } else if (scope && strcasecmp(scope, "cluster") == 0) { /* a cluster of one */
        json_decref(affected);
        sluice_answer_json(answer, 204, NULL);
    } else {
        sluice_answer_json(answer, 200, affected);
    }
    json_decref(json);
}

const struct sluice_route sluice_admin_routes[] = {
    {"GET", "/admin/loggers", 0, get_loggers},
    {"GET", "/admin/loggers/{}", 0, get_logger},
    {"PUT", "/admin/loggers/{}", 0, put_logger},
    {0},
};
