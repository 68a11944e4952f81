/* topic_name_matches.c - org.apache.kafka.connect.transforms.predicates.TopicNameMatches: whether
 * all of a record's topic name matches a Java regular expression. Owner: the task that asks.
 *
 * Records of one topic come in rows: the last answer is kept. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/builtins.h"
#include "data/java_regex.h"

#define TOPIC_MAX 249 /* bytes of a Kafka topic's name */

struct matches {
    struct sluice_java_regex *regex;
    char topic[TOPIC_MAX + 1]; /* asked last; "" at first, which no topic is */
    bool holds;
};

static enum sluice_verdict test(void *self, const struct sluice_record *rec, bool *holds,
                                struct sluice_err *err)
{
    struct matches *matches = self;
    *holds = false;
    if (!rec->topic) return SLUICE_OK;
    if (*rec->topic && strcmp(rec->topic, matches->topic) == 0) {
        *holds = matches->holds;
        return SLUICE_OK;
    }
    size_t len = strlen(rec->topic);
    enum sluice_match match = sluice_java_regex_matches(matches->regex, rec->topic, len, err);
    if (match == SLUICE_MATCH_FAILED) return SLUICE_FAIL;
    *holds = match == SLUICE_MATCH_YES;
    if (len > TOPIC_MAX) return SLUICE_OK;
    memcpy(matches->topic, rec->topic, len + 1);
    matches->holds = *holds;
    return SLUICE_OK;
}

static enum sluice_verdict open(struct sluice_task *task, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    (void)task;
    const char *pattern = host->str(conf, "pattern");
    struct matches *matches = sluice_xcalloc(1, sizeof *matches);
    *self = matches;
    matches->regex = sluice_java_regex_new(pattern, 0, err);
    if (matches->regex) return SLUICE_OK;
    sluice_err_wrap(err, "Invalid value %s for configuration pattern: Invalid regex", pattern);
    return SLUICE_FAIL;
}

static void close(void *self)
{
    struct matches *matches = self;
    if (!matches) return;
    sluice_java_regex_free(matches->regex);
    free(matches);
}

static void validate(const struct sluice_host *host, const struct sluice_conf *conf,
                     struct sluice_report *report)
{
    struct sluice_err err;
    struct sluice_java_regex *regex = sluice_java_regex_new(host->str(conf, "pattern"), 0, &err);
    if (!regex) host->finding(report, "pattern", "Invalid regex: %s", err.msg);
    sluice_java_regex_free(regex);
}

static const struct sluice_option options[] = {
    {"pattern", SLUICE_OPT_STRING, SLUICE_MEDIUM, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL,
     NULL, NULL, "The Java regular expression that the whole name of the topic has to match."},
    {0},
};

static const char *const aliases[] = {
    "org.apache.kafka.connect.transforms.predicates.TopicNameMatches", NULL};

static const struct sluice_predicate predicate = {.size = sizeof predicate, .test = test};

const struct sluice_plugin sluice_topic_name_matches = {
    SLUICE_PLUGIN_HEAD,
    .kind = SLUICE_KIND_PREDICATE,
    .name = "topic-name-matches",
    .version = SLUICE_VERSION,
    .aliases = aliases,
    .options = options,
    .validate = validate,
    .open = open,
    .close = close,
    .predicate = &predicate,
};
