/* topic_creation.c - see topic_creation.h. Keys and their rules: spec connect.md section 2.
 *
 * A group's include and exclude are lists of Java regular expressions, of which one has to match
 * the
 * whole name; exclude wins. What a group does not say of partitions and replication, default says.
 * */
#include "worker/topic_creation.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/java_regex.h"

#define PREFIX "topic.creation."
#define REGEX_MAX_BYTES ((size_t)1 << 20)

struct group {
    char *name;
    struct sluice_java_regex *include, *exclude; /* NULL: everything; nothing */
    int partitions, replication_factor;
    struct sluice_map config;
};

struct sluice_topic_creation {
    struct group *groups; /* the last one is default */
    size_t n;
};

bool sluice_topic_creation_used(const struct sluice_map *config)
{
    for (size_t i = 0; i < config->n; i++)
        if (strncmp(config->items[i].key, PREFIX, strlen(PREFIX)) == 0) return true;
    return false;
}

/* ---- reading keys ---- */

static char *key_of(const char *group, const char *what)
{
    return sluice_xasprintf(PREFIX "%s.%s", group, what);
}

/* The next word of a comma separated list, trimmed; NULL at its end. The caller frees it. */
static char *next_word(const char **list)
{
    for (const char *p = *list; p && *p;) {
        size_t n = strcspn(p, ","), lead = strspn(p, " \t\n"), len = n;
        const char *word = p + lead;
        while (len > lead && strchr(" \t\n", p[len - 1])) len--;
        p += n + (p[n] == ',');
        *list = p;
        if (len > lead) return sluice_xstrndup(word, len - lead);
    }
    return NULL;
}

/* -1 or positive, within max. */
static bool to_count(const char *text, long max, int *out)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    end += strspn(end, " \t\n");
    if (errno || end == text || *end || n == 0 || n < -1 || n > max) return false;
    *out = (int)n;
    return true;
}

/* A group's number, else default's, else none (false; err only when one is there and wrong). */
static bool read_count(const struct sluice_map *config, const char *group, const char *what,
                       long max, int *out, struct sluice_err *err)
{
    char *key = key_of(group, what);
    const char *text = sluice_map_get(config, key);
    bool ok = text && to_count(text, max, out);
    if (!text && strcmp(group, "default") != 0) {
        ok = read_count(config, "default", what, max, out, err);
    } else if (!ok && text) {
        sluice_err_set(err,
                       "Invalid value %s for configuration %s: Must be positive, or -1 to use the "
                       "broker's default",
                       text, key);
    } else if (!ok) {
        sluice_err_set(err,
                       "Missing required configuration \"%s\" which has no default value; it is "
                       "needed as soon as any " PREFIX "* key is given, -1 means the broker's "
                       "default",
                       key);
    }
    free(key);
    return ok;
}

/* One pattern out of a list of them. *out NULL: the list is absent or empty. */
static bool read_patterns(const struct sluice_map *config, const char *group, const char *what,
                          struct sluice_java_regex **out, struct sluice_err *err)
{
    char *key = key_of(group, what), *word;
    const char *list = sluice_map_get(config, key);
    struct sluice_buf all;
    bool ok = true;
    *out = NULL;
    sluice_buf_init(&all, REGEX_MAX_BYTES);
    while (ok && (word = next_word(&list))) {
        struct sluice_java_regex *alone = sluice_java_regex_new(word, 0, err);
        ok = alone && sluice_buf_addf(&all, "%s%s", all.len ? "|" : "", word); /* as Java joins */
        if (!alone) {
            sluice_err_wrap(err, "Invalid value %s for configuration %s: not a regular expression",
                            word, key);
        }
        sluice_java_regex_free(alone);
        free(word);
    }
    if (ok && all.len > 0) {
        *out = sluice_java_regex_new(sluice_buf_str(&all), 0, err);
        if (!*out) ok = sluice_err_wrap(err, "%s", key);
    }
    sluice_buf_fini(&all);
    free(key);
    return ok;
}

/* What else stands under the group's name are settings of the topic. */
static void read_settings(const struct sluice_map *config, struct group *group)
{
    static const char *const own[] = {"include", "exclude", "partitions", "replication.factor"};
    char *prefix = key_of(group->name, "");
    size_t n = strlen(prefix);
    for (size_t i = 0; i < config->n; i++) {
        const char *key = config->items[i].key;
        bool setting = strncmp(key, prefix, n) == 0 && key[n];
        for (size_t k = 0; setting && k < sizeof own / sizeof *own; k++)
            setting = strcmp(key + n, own[k]) != 0;
        if (setting) sluice_map_set(&group->config, key + n, config->items[i].value);
    }
    free(prefix);
}

static bool read_group(struct sluice_topic_creation *creation, const struct sluice_map *config,
                       const char *name, struct sluice_err *err)
{
    creation->groups =
        sluice_xrealloc(creation->groups, (creation->n + 1) * sizeof *creation->groups);
    struct group *group = &creation->groups[creation->n++];
    bool is_default = strcmp(name, "default") == 0;
    memset(group, 0, sizeof *group);
    group->name = sluice_xstrdup(name);
    for (size_t i = 0; i + 1 < creation->n; i++)
        if (strcmp(creation->groups[i].name, name) == 0)
            return sluice_err_set(err,
                                  "Invalid value %s for configuration " PREFIX
                                  "groups: Duplicate alias provided.",
                                  name);
    if (!read_count(config, name, "replication.factor", INT16_MAX, &group->replication_factor,
                    err) ||
        !read_count(config, name, "partitions", INT32_MAX, &group->partitions, err))
        return false;
    read_settings(config, group);
    if (is_default) return true; /* takes what no other group takes */
    if (!read_patterns(config, name, "include", &group->include, err) ||
        !read_patterns(config, name, "exclude", &group->exclude, err))
        return false;
    return group->include || sluice_err_set(err,
                                            "Missing required configuration \"" PREFIX
                                            "%s.include\" which has no default value.",
                                            name);
}

struct sluice_topic_creation *sluice_topic_creation_new(const struct sluice_map *config,
                                                        struct sluice_err *err)
{
    struct sluice_topic_creation *creation = sluice_xcalloc(1, sizeof *creation);
    const char *list = sluice_map_get(config, PREFIX "groups");
    char *word;
    bool ok = true;
    while (ok && (word = next_word(&list))) {
        ok = strcmp(word, "default") != 0
                 ? read_group(creation, config, word, err)
                 : sluice_err_set(err, "Invalid value default for configuration " PREFIX
                                       "groups: default is there anyway, and must not be listed");
        free(word);
    }
    if (ok && read_group(creation, config, "default", err)) return creation;
    sluice_topic_creation_free(creation);
    return NULL;
}

void sluice_topic_creation_free(struct sluice_topic_creation *creation)
{
    if (!creation) return;
    for (size_t i = 0; i < creation->n; i++) {
        struct group *group = &creation->groups[i];
        sluice_java_regex_free(group->include);
        sluice_java_regex_free(group->exclude);
        sluice_map_fini(&group->config);
        free(group->name);
    }
    free(creation->groups);
    free(creation);
}

/* The key that a message of ours names. */
static char *key_in(const char *message)
{
    const char *at = strstr(message, PREFIX);
    return at ? sluice_xstrndup(at, strcspn(at, "\": \t")) : sluice_xstrdup(PREFIX "groups");
}

void sluice_topic_creation_check(const struct sluice_map *config, struct sluice_report *report)
{
    struct sluice_err err = {{0}};
    if (!sluice_topic_creation_used(config)) return;
    struct sluice_topic_creation *creation = sluice_topic_creation_new(config, &err);
    if (!creation) {
        char *key = key_in(err.msg);
        sluice_report_add(report, key, "%s", err.msg);
        free(key);
    }
    sluice_topic_creation_free(creation);
}

/* ---- finding ---- */

static bool matches(struct sluice_java_regex *pattern, const char *topic)
{
    struct sluice_err err; /* of a pattern that takes too many steps: it does not match */
    return pattern &&
           sluice_java_regex_matches(pattern, topic, strlen(topic), &err) == SLUICE_MATCH_YES;
}

const char *sluice_topic_creation_find(const struct sluice_topic_creation *creation,
                                       const char *topic, struct sluice_new_topic *out)
{
    size_t i = 0;
    assert(creation->n > 0);
    while (i + 1 < creation->n && (!matches(creation->groups[i].include, topic) ||
                                   matches(creation->groups[i].exclude, topic)))
        i++;
    const struct group *group = &creation->groups[i];
    *out = (struct sluice_new_topic){topic, group->partitions, group->replication_factor,
                                     &group->config};
    return group->name;
}
