/* debezium_script.c - io.debezium.transforms.Filter and ContentBasedRouter: a condition says which
 * records stay, an expression says which topic they go to. Debezium runs Groovy; here the part of
 * it that such expressions are written in is read by debezium_expr.h (docs/EXPRESSIONS.md).
 * Owner: one task's thread. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/builtins.h"
#include "data/transforms/debezium_expr.h"

enum nulls { NULLS_KEEP, NULLS_DROP, NULLS_EVALUATE };

struct script {
    const char *key; /* of the expression */
    struct expr expr;
    struct sluice_java_regex *topics; /* NULL: all */
    enum nulls nulls;
};

/* ---- records ---- */

/* OK: evaluate; DROP and RETRY (pass it on) decide without the expression. */
static enum sluice_verdict preface(struct script *script, const struct sluice_record *rec,
                                   struct sluice_err *err)
{
    if (script->topics) {
        const char *topic = rec->topic ? rec->topic : "";
        switch (sluice_java_regex_matches(script->topics, topic, strlen(topic), err)) {
        case SLUICE_MATCH_NO: return SLUICE_RETRY;
        case SLUICE_MATCH_FAILED: return SLUICE_FAIL;
        default: break;
        }
    }
    if (rec->value.type == SLUICE_NULL && script->nulls != NULLS_EVALUATE) {
        return script->nulls == NULLS_KEEP ? SLUICE_RETRY : SLUICE_DROP;
    }
    return SLUICE_OK;
}

static enum sluice_verdict evaluate(struct script *script, struct sluice_batch *batch,
                                    struct sluice_record *rec, struct expr_value *out,
                                    struct sluice_err *err)
{
    struct expr_run run = {batch, rec, err};
    enum sluice_verdict verdict = preface(script, rec, err);
    if (verdict != SLUICE_OK) return verdict;
    assert(script->expr.top); /* else it would not be open */
    if (expr_eval(&run, script->expr.top, out)) return SLUICE_OK;
    sluice_err_wrap(err, "cannot evaluate %s for a record of topic %s", script->key,
                    rec->topic ? rec->topic : "");
    return SLUICE_FAIL;
}

static enum sluice_verdict apply_filter(void *self, struct sluice_batch *batch,
                                        struct sluice_record *rec, struct sluice_err *err)
{
    struct expr_value result = {.kind = EXPR_NULL};
    enum sluice_verdict verdict = evaluate(self, batch, rec, &result, err);
    if (verdict == SLUICE_RETRY) return SLUICE_OK;
    if (verdict != SLUICE_OK) return verdict;
    if (result.kind == EXPR_BOOL) return result.v.u.i ? SLUICE_OK : SLUICE_DROP;
    return sluice_fail(
        err,
        "condition gave %s for a record of topic %s, which is no boolean: compare it "
        "with something",
        expr_kind_name(result.kind), rec->topic ? rec->topic : "");
}

static enum sluice_verdict apply_router(void *self, struct sluice_batch *batch,
                                        struct sluice_record *rec, struct sluice_err *err)
{
    struct expr_value result = {.kind = EXPR_NULL};
    enum sluice_verdict verdict = evaluate(self, batch, rec, &result, err);
    if (verdict == SLUICE_RETRY) return SLUICE_OK;
    if (verdict != SLUICE_OK || result.kind == EXPR_NULL) return verdict;
    if (result.kind != EXPR_STRING || memchr(result.v.u.s, '\0', result.v.len)) {
        return sluice_fail(err,
                           "topic.expression gave %s for a record of topic %s, which is no topic: "
                           "it must give a text, or null to keep the topic",
                           expr_kind_name(result.kind), rec->topic ? rec->topic : "");
    }
    char *topic = sluice_batch_alloc(batch, (size_t)result.v.len + 1);
    memcpy(topic, result.v.u.s, result.v.len);
    topic[result.v.len] = '\0';
    rec->topic = topic;
    return SLUICE_OK;
}

/* ---- configuration ---- */

#define LANGUAGE "jsr223.groovy"

static bool known_language(const char *language, struct sluice_err *err)
{
    if (language && strcmp(language, LANGUAGE) == 0) return true;
    return sluice_err_set(err,
                          "language %s is not known here: write " LANGUAGE ", of which the part "
                          "in docs/EXPRESSIONS.md is understood",
                          language ? language : "null");
}

/* Reads the whole configuration; false: err, and wrong says which key. */
static bool read_script(struct script *script, const char *key, const struct sluice_host *host,
                        const struct sluice_conf *conf, const char **wrong, struct sluice_err *err)
{
    struct sluice_err why = {""};
    const char *text = host->str(conf, key), *topics = host->str(conf, "topic.regex");
    const char *nulls = host->str(conf, "null.handling.mode");
    script->key = key;
    script->nulls = strcasecmp(nulls, "drop") == 0       ? NULLS_DROP
                    : strcasecmp(nulls, "evaluate") == 0 ? NULLS_EVALUATE
                                                         : NULLS_KEEP;
    *wrong = "language";
    if (!known_language(host->str(conf, "language"), err)) return false;
    *wrong = "topic.regex";
    if (topics && *topics) {
        script->topics = sluice_java_regex_new(topics, 0, &why);
        if (!script->topics) return sluice_err_set(err, "topic.regex %s: %s", topics, why.msg);
    }
    *wrong = key;
    if (expr_parse(&script->expr, text ? text : "", &why)) return true;
    return sluice_err_set(err, "cannot read %s %s", key, why.msg);
}

static void close(void *self)
{
    struct script *script = self;
    if (!script) return;
    expr_fini(&script->expr);
    sluice_java_regex_free(script->topics);
    free(script);
}

static enum sluice_verdict open(const char *key, const struct sluice_host *host,
                                const struct sluice_conf *conf, void **self, struct sluice_err *err)
{
    struct script *script = sluice_xcalloc(1, sizeof *script);
    const char *wrong;
    *self = script;
    return read_script(script, key, host, conf, &wrong, err) ? SLUICE_OK : SLUICE_FAIL;
}

static void validate(const char *key, const struct sluice_host *host,
                     const struct sluice_conf *conf, struct sluice_report *report)
{
    struct script *script = sluice_xcalloc(1, sizeof *script);
    struct sluice_err err;
    const char *wrong;
    if (host->str(conf, key) && host->str(conf, "language") &&
        !read_script(script, key, host, conf, &wrong, &err)) {
        host->finding(report, wrong, "%s", err.msg);
    }
    close(script);
}

#define OPTIONS(key, doc)                                                                          \
    {                                                                                              \
        {"topic.regex",                                                                            \
         SLUICE_OPT_STRING,                                                                        \
         SLUICE_LOW,                                                                               \
         0,                                                                                        \
         NULL,                                                                                     \
         NULL,                                                                                     \
         NULL,                                                                                     \
         "A regular expression: only records whose whole topic name matches are looked at, "       \
         "others "                                                                                 \
         "pass."},                                                                                 \
            {"language",                                                                           \
             SLUICE_OPT_STRING,                                                                    \
             SLUICE_HIGH,                                                                          \
             SLUICE_OPT_REQUIRED,                                                                  \
             NULL,                                                                                 \
             NULL,                                                                                 \
             NULL,                                                                                 \
             "The expression's language: jsr223.groovy, the part of it in docs/EXPRESSIONS.md."},  \
            {key,         SLUICE_OPT_STRING,                                                       \
             SLUICE_HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY,                               \
             NULL,        NULL,                                                                    \
             NULL,        doc},                                                                    \
            {"null.handling.mode",                                                                 \
             SLUICE_OPT_STRING,                                                                    \
             SLUICE_LOW,                                                                           \
             SLUICE_OPT_NOCASE,                                                                    \
             "keep",                                                                               \
             "keep|drop|evaluate",                                                                 \
             NULL,                                                                                 \
             "What becomes of records with a null value: keep passes them, drop removes them, "    \
             "evaluate asks the expression."},                                                     \
            {0},                                                                                   \
    }

#define SCRIPT_PLUGIN(symbol, the_name, java, key, doc)                                            \
    static enum sluice_verdict symbol##_open(                                                      \
        struct sluice_task *task, const struct sluice_host *host, const struct sluice_conf *conf,  \
        void **self, struct sluice_err *err)                                                       \
    {                                                                                              \
        (void)task;                                                                                \
        return open(key, host, conf, self, err);                                                   \
    }                                                                                              \
    static void symbol##_validate(const struct sluice_host *host, const struct sluice_conf *conf,  \
                                  struct sluice_report *report)                                    \
    {                                                                                              \
        validate(key, host, conf, report);                                                         \
    }                                                                                              \
    static const struct sluice_option symbol##_options[] = OPTIONS(key, doc);                      \
    static const char *const symbol##_aliases[] = {java, NULL};                                    \
    static const struct sluice_transform symbol##_transform = {                                    \
        .size = sizeof(struct sluice_transform), .apply = apply_##symbol};                         \
    const struct sluice_plugin sluice_debezium_##symbol = {                                        \
        SLUICE_PLUGIN_HEAD,                                                                        \
        .kind = SLUICE_KIND_TRANSFORM,                                                             \
        .name = the_name,                                                                          \
        .version = SLUICE_VERSION,                                                                 \
        .aliases = symbol##_aliases,                                                               \
        .options = symbol##_options,                                                               \
        .validate = symbol##_validate,                                                             \
        .open = symbol##_open,                                                                     \
        .close = close,                                                                            \
        .transform = &symbol##_transform,                                                          \
    }

SCRIPT_PLUGIN(filter, "debezium-filter", "io.debezium.transforms.Filter", "condition",
              "Records for which this expression is true stay, others are removed.");
SCRIPT_PLUGIN(router, "content-based-router", "io.debezium.transforms.ContentBasedRouter",
              "topic.expression",
              "The expression that gives the record's new topic, or null to keep its topic.");
