/* regex_router.c - org.apache.kafka.connect.transforms.RegexRouter: a new topic for records whose
 * topic matches. Owner: the transform's task. */
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/java_regex.h"
#include "data/transforms/smt_plugin.h"

#define TOPIC_MAX ((size_t)64 << 10) /* bytes; Kafka takes 249 */

struct router {
    struct sluice_java_regex *regex;
    char *replacement;
    struct sluice_buf topic;
};

static enum sluice_verdict apply(void *self, struct sluice_batch *batch, struct sluice_record *rec,
                                 struct sluice_err *err)
{
    struct router *router = self;
    assert(router->regex);
    if (!rec->topic) return SLUICE_OK;
    size_t len = strlen(rec->topic);
    enum sluice_match match = sluice_java_regex_matches(router->regex, rec->topic, len, err);
    if (match == SLUICE_MATCH_NO) return SLUICE_OK;
    if (match == SLUICE_MATCH_FAILED) return SLUICE_FAIL;
    sluice_buf_clear(&router->topic);
    if (sluice_java_regex_replace(router->regex, rec->topic, len, router->replacement, false,
                                  &router->topic, err) == SLUICE_MATCH_FAILED) {
        return SLUICE_FAIL;
    }
    rec->topic = sluice_arena_strndup(&batch->arena, router->topic.data, router->topic.len);
    return SLUICE_OK;
}

static enum sluice_verdict open(enum smt_form form, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    struct router *router = sluice_xcalloc(1, sizeof *router);
    (void)form;
    *self = router;
    sluice_buf_init(&router->topic, TOPIC_MAX);
    router->replacement = sluice_xstrdup(host->str(conf, "replacement"));
    router->regex = sluice_java_regex_new(host->str(conf, "regex"), 0, err);
    if (router->regex) return SLUICE_OK;
    sluice_err_wrap(err, "Invalid value %s for configuration regex: Invalid regex",
                    host->str(conf, "regex"));
    return SLUICE_FAIL;
}

static void close(void *self)
{
    struct router *router = self;
    if (!router) return;
    sluice_java_regex_free(router->regex);
    sluice_buf_fini(&router->topic);
    free(router->replacement);
    free(router);
}

static void validate(const struct sluice_host *host, const struct sluice_conf *conf,
                     struct sluice_report *report)
{
    struct sluice_err err;
    const char *pattern = host->str(conf, "regex");
    if (!pattern) return;
    struct sluice_java_regex *regex = sluice_java_regex_new(pattern, 0, &err);
    if (!regex) {
        host->finding(report, "regex",
                      "Invalid value %s for configuration regex: Invalid regex: %s", pattern,
                      err.msg);
    }
    sluice_java_regex_free(regex);
}

static const struct sluice_option options[] = {
    {"regex", SLUICE_OPT_STRING, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL, NULL, NULL,
     "The regular expression (Java's) that the whole topic has to match."},
    {"replacement", SLUICE_OPT_STRING, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL, NULL, NULL,
     "What takes the place of the first match; $1 and ${name} stand for groups."},
    {0},
};

static const struct sluice_transform transform = {.size = sizeof transform, .apply = apply};

SMT_PLUGIN(regex_router, "regex-router", "RegexRouter", validate);
