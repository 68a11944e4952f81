/* smt_plugin.h - one description for both forms of a transform: sluice_cast_key and
 * sluice_cast_value answer to org.apache.kafka.connect.transforms.Cast$Key and $Value, and to
 * Cast$Key and Cast$Value.
 *
 * The file has, before SMT_PLUGIN_FORMS(cast, "cast", "Cast", validate or NULL):
 *     static enum sluice_verdict open(enum smt_form, const struct sluice_host *,
 *                                     const struct sluice_conf *, void **self,
 *                                     struct sluice_err *);
 *     static void close(void *self);
 *     static const struct sluice_option options[];
 *     static const struct sluice_transform transform;
 * SMT_PLUGIN(filter, "filter", "Filter", NULL) is for a transform without forms: open() is told
 * SMT_VALUE. */
#ifndef SLUICE_DATA_TRANSFORMS_SMT_PLUGIN_H
#define SLUICE_DATA_TRANSFORMS_SMT_PLUGIN_H

#include "data/builtins.h"
#include "data/transforms/smt.h"

#define SMT_PACKAGE "org.apache.kafka.connect.transforms."

#define SMT_REPLACE_NULL                                                                           \
    {                                                                                              \
        "replace.null.with.default", SLUICE_OPT_BOOLEAN, SLUICE_MEDIUM, 0, "true", NULL, NULL,     \
            "Whether a null field that has a default value is replaced by it."                     \
    }

#define SMT_ONE(symbol, the_form, the_name, the_validate, ...)                                     \
    static enum sluice_verdict symbol##_open(                                                      \
        struct sluice_task *task, const struct sluice_host *host, const struct sluice_conf *conf,  \
        void **self, struct sluice_err *err)                                                       \
    {                                                                                              \
        (void)task;                                                                                \
        return open(the_form, host, conf, self, err);                                              \
    }                                                                                              \
    static const char *const symbol##_aliases[] = {__VA_ARGS__, NULL};                             \
    const struct sluice_plugin sluice_##symbol = {                                                 \
        SLUICE_PLUGIN_HEAD,        .kind = SLUICE_KIND_TRANSFORM, .name = the_name,                \
        .version = SLUICE_VERSION, .aliases = symbol##_aliases,   .options = options,              \
        .validate = the_validate,  .open = symbol##_open,         .close = close,                  \
        .transform = &transform,                                                                   \
    }

#define SMT_PLUGIN_FORMS(symbol, the_name, class, the_validate)                                    \
    SMT_ONE(symbol##_key, SMT_KEY, the_name "-key", the_validate, SMT_PACKAGE class "$Key",        \
            class "$Key");                                                                         \
    SMT_ONE(symbol##_value, SMT_VALUE, the_name "-value", the_validate,                            \
            SMT_PACKAGE class "$Value", class "$Value")

#define SMT_PLUGIN(symbol, the_name, class, the_validate)                                          \
    SMT_ONE(symbol, SMT_VALUE, the_name, the_validate, SMT_PACKAGE class)

#endif
