/* loggers.c - see loggers.h. */
#include "base/loggers.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#define NAME_MAX_LEN 300
#define ROOT "root"

/* Severity that is let through: an enum sluice_level, or -1 for nothing. */
static const struct {
    const char *name;
    int most;
} levels[] = {
    {"OFF", -1},           {"FATAL", -1},           {"ERROR", SLUICE_ERROR}, {"WARN", SLUICE_WARN},
    {"INFO", SLUICE_INFO}, {"DEBUG", SLUICE_DEBUG}, {"TRACE", SLUICE_DEBUG}, {"ALL", SLUICE_DEBUG}};
#define LEVELS (sizeof levels / sizeof *levels)
#define INFO_AT 4

/* The parts of the program, and the Java package that does the same. */
static const char *const areas[][2] = {
    {"sluice", NULL},
    {"sluice.base", NULL},
    {"sluice.data", "org.apache.kafka.connect.transforms"},
    {"sluice.herder", "org.apache.kafka.connect.runtime.distributed"},
    {"sluice.http", NULL},
    {"sluice.kafka", "org.apache.kafka.clients"},
    {"sluice.plugin", "org.apache.kafka.connect.runtime.isolation"},
    {"sluice.providers", "org.apache.kafka.common.config.provider"},
    {"sluice.registry", "io.confluent.kafka.schemaregistry"},
    {"sluice.rest", "org.apache.kafka.connect.runtime.rest"},
    {"sluice.store", "org.apache.kafka.connect.storage"},
    {"sluice.worker", "org.apache.kafka.connect.runtime"},
};

struct logger {
    char *name;
    int level; /* index of levels; -1: that of the name above */
    int64_t modified_ms;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct logger loggers[SLUICE_LOGGERS_MAX]; /* by name */
static size_t loggers_n;                          /* 0 until the first use, then root is there */
static _Atomic int most = SLUICE_INFO;            /* the most detailed level of all */
static _Atomic bool several;                      /* some logger has another level than root */

/* ---- the table; the lock is held ---- */

static size_t place_of(const char *name)
{
    size_t low = 0, high = loggers_n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (strcmp(loggers[mid].name, name) < 0) low = mid + 1;
        else high = mid;
    }
    return low;
}

static struct logger *find(const char *name)
{
    size_t at = place_of(name);
    return at < loggers_n && strcmp(loggers[at].name, name) == 0 ? &loggers[at] : NULL;
}

static struct logger *add(const char *name)
{
    if (loggers_n == SLUICE_LOGGERS_MAX || strlen(name) > NAME_MAX_LEN) return NULL;
    size_t at = place_of(name);
    memmove(loggers + at + 1, loggers + at, (loggers_n - at) * sizeof *loggers);
    loggers[at] = (struct logger){sluice_xstrdup(name), -1, -1};
    loggers_n++;
    return &loggers[at];
}

static void ensure_table(void)
{
    if (loggers_n) return;
    for (size_t i = 0; i < sizeof areas / sizeof *areas; i++) {
        for (size_t k = 0; k < 2; k++) {
            if (areas[i][k] && !find(areas[i][k])) add(areas[i][k]);
        }
    }
    int level = INFO_AT;
    for (size_t i = 0; i < LEVELS; i++) {
        if (levels[i].most == atomic_load(&most)) {
            level = (int)i;
            break;
        }
    }
    struct logger *root = add(ROOT);
    assert(root);
    root->level = level;
}

static struct logger *root_logger(void)
{
    struct logger *root = find(ROOT);
    assert(root); /* from ensure_table() on */
    return root;
}

/* The level of the name, or of the nearest one above it; -1: only root's. */
static int level_below_root(const char *name)
{
    char above[NAME_MAX_LEN + 1];
    size_t len = strlen(name);
    if (len >= sizeof above) return -1;
    memcpy(above, name, len + 1);
    for (;;) {
        const struct logger *logger = find(above);
        if (logger && logger->level >= 0 && strcmp(above, ROOT) != 0) return logger->level;
        char *dot = strrchr(above, '.');
        if (!dot) return -1;
        *dot = '\0';
    }
}

static int effective(const char *name)
{
    int level = level_below_root(name);
    return level >= 0 ? level : root_logger()->level;
}

static void put_in_force(void)
{
    int detail = -1, root = root_logger()->level;
    bool differ = false;
    for (size_t i = 0; i < loggers_n; i++) {
        int level = loggers[i].level;
        if (level < 0) continue;
        if (levels[level].most > detail) detail = levels[level].most;
        differ |= level != root;
    }
    atomic_store(&most, detail);
    atomic_store(&several, differ);
}

static bool is_below(const char *name, const char *above)
{
    size_t len = strlen(above);
    return strcmp(above, ROOT) == 0 ||
           (strncmp(name, above, len) == 0 && (name[len] == '\0' || name[len] == '.'));
}

static struct sluice_logger view_of(const struct logger *logger)
{
    return (struct sluice_logger){logger->name, levels[effective(logger->name)].name,
                                  logger->modified_ms};
}

/* ---- setting and showing ---- */

static int level_index(const char *word)
{
    for (size_t i = 0; i < LEVELS; i++) {
        if (strcasecmp(levels[i].name, word) == 0) return (int)i;
    }
    return -1;
}

const char *sluice_logger_level(const char *word)
{
    int i = level_index(word);
    return i < 0 ? NULL : levels[i].name;
}

/* The lock is held. */
static void set(const char *name, int level, sluice_logger_each *each, void *arg)
{
    int before[SLUICE_LOGGERS_MAX];
    const size_t n = loggers_n; /* none is added here */
    int64_t now = sluice_wall_ms();
    assert(n > 0 && n <= SLUICE_LOGGERS_MAX && level >= 0);
    for (size_t i = 0; i < n; i++) before[i] = effective(loggers[i].name);
    for (size_t i = 0; i < n; i++) {
        if (is_below(loggers[i].name, name)) loggers[i].level = -1; /* they take it from above */
    }
    find(name)->level = level;
    for (size_t i = 0; i < n; i++) {
        if (effective(loggers[i].name) == before[i]) continue;
        loggers[i].modified_ms = now;
        struct sluice_logger view = view_of(&loggers[i]);
        if (each) each(arg, &view);
    }
    put_in_force();
}

bool sluice_logger_set(const char *name, const char *level, sluice_logger_each *each, void *arg)
{
    int index = level_index(level);
    if (index < 0) return false;
    if (strcasecmp(name, ROOT) == 0) name = ROOT;
    sluice_lock(&lock);
    ensure_table();
    bool ok = find(name) || add(name);
    if (ok) set(name, index, each, arg);
    sluice_unlock(&lock);
    return ok;
}

void sluice_logger_apply(const char *name, const char *level)
{
    if (sluice_logger_set(name, level, NULL, NULL))
        sluice_log(SLUICE_INFO, NULL, -1, "logger %s has level %s now", name, level);
    else
        sluice_log(SLUICE_WARN, NULL, -1,
                   "level %s of logger %s is passed over: no such level, or too many loggers",
                   level, name);
}

bool sluice_logger_get(const char *name, sluice_logger_each *each, void *arg)
{
    if (strcasecmp(name, ROOT) == 0) name = ROOT;
    sluice_lock(&lock);
    ensure_table();
    const struct logger *logger = find(name);
    if (logger) {
        struct sluice_logger view = view_of(logger);
        each(arg, &view);
    }
    sluice_unlock(&lock);
    return logger != NULL;
}

void sluice_loggers_list(sluice_logger_each *each, void *arg)
{
    sluice_lock(&lock);
    ensure_table();
    for (size_t i = 0; i < loggers_n; i++) {
        struct sluice_logger view = view_of(&loggers[i]);
        each(arg, &view);
    }
    sluice_unlock(&lock);
}

void sluice_logger_know(const char *name)
{
    sluice_lock(&lock);
    ensure_table();
    if (!find(name)) add(name);
    sluice_unlock(&lock);
}

/* ---- lines ---- */

void sluice_log_level(enum sluice_level level)
{
    static const char *const names[] = {"ERROR", "WARN", "INFO", "DEBUG"};
    assert(level >= SLUICE_ERROR && level <= SLUICE_DEBUG);
    sluice_logger_set(ROOT, names[level], NULL, NULL);
}

bool sluice_log_enabled(enum sluice_level level)
{
    return (int)level <= atomic_load_explicit(&most, memory_order_relaxed);
}

static const char *java_name(const char *area)
{
    for (size_t i = 0; i < sizeof areas / sizeof *areas; i++) {
        if (strcmp(areas[i][0], area) == 0) return areas[i][1];
    }
    return NULL;
}

bool sluice_loggers_allow(enum sluice_level level, const char *area, const char *connector,
                          const char *plugin)
{
    if (!sluice_log_enabled(level)) return false;
    if (!atomic_load_explicit(&several, memory_order_relaxed)) return true;
    char name[NAME_MAX_LEN + 1] = "";
    if (connector) snprintf(name, sizeof name, "connector.%s", connector);
    const char *java = java_name(area);
    sluice_lock(&lock);
    int decides = connector ? level_below_root(name) : -1;
    if (decides < 0 && plugin) decides = level_below_root(plugin);
    if (decides < 0) decides = level_below_root(area);
    if (decides < 0 && java) decides = level_below_root(java);
    if (decides < 0) decides = root_logger()->level;
    sluice_unlock(&lock);
    return (int)level <= levels[decides].most;
}
