/* field_path.h - a field's place: a name (field.syntax.version V1), or names with dots between them
 * (V2), where backticks hold a name that has dots itself: `a.b`.c */
#ifndef SLUICE_DATA_TRANSFORMS_FIELD_PATH_H
#define SLUICE_DATA_TRANSFORMS_FIELD_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/plugin.h"

struct field_path {
    char *text;   /* as configured */
    char **steps; /* n names, outermost first; n 0: an empty V2 path */
    size_t n;
};

/* Fills a zeroed path. False: a backtick has no end (err). */
bool field_path_parse(struct field_path *path, const char *text, bool v2, struct sluice_err *err);
void field_path_fini(struct field_path *path); /* takes a zeroed one */
/* Index of each step in its struct schema, into at[path->n]; the schema of the last one. NULL: some
 * step is not there (err). */
const struct sluice_schema *field_path_find(const struct field_path *path,
                                            const struct sluice_schema *schema, int *at,
                                            struct sluice_err *err);

/* Row for option tables, and what it says. */
#define FIELD_PATH_OPTION                                                                          \
    {                                                                                              \
        "field.syntax.version", SLUICE_OPT_STRING, SLUICE_HIGH, SLUICE_OPT_NOCASE, "V1", "V1|V2",  \
            NULL,                                                                                  \
            "How fields are named: V1, by a name at the top; V2, by names with dots between them " \
            "for nested fields, with backticks around names that hold dots."                       \
    }
bool field_path_is_v2(const struct sluice_host *host, const struct sluice_conf *conf);

#endif
