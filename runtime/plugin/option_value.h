/* option_value.h - one option's text as a typed value, by the rules of Kafka's ConfigDef. */
#ifndef SLUICE_PLUGIN_OPTION_VALUE_H
#define SLUICE_PLUGIN_OPTION_VALUE_H

#include <stdbool.h>

#include "base/buf.h"
#include "sluice/plugin.h"

struct sluice_option_value {
    char *text;  /* trimmed; NULL: null */
    int64_t num; /* INT, SHORT, LONG, BOOLEAN */
    double real; /* DOUBLE, and the same as num for whole numbers */
    char **list; /* LIST: NULL-ended, never NULL then */
};

/* Parses text (NULL: null) and checks it against the row. False: why says what is wrong in
 * Connect's words, then what is valid and the nearest valid word. *out is to be freed either way.
 */
bool sluice_option_parse(const struct sluice_option *option, const char *text,
                         struct sluice_option_value *out, struct sluice_buf *why);
void sluice_option_value_fini(struct sluice_option_value *value);
/* Items of a comma-separated text, trimmed, NULL-ended; "" has none. The caller frees them all. */
char **sluice_list_split(const char *text);
void sluice_list_free(char **items);
/* Copy without the white space around it, as Java's String.trim(). */
char *sluice_trimmed(const char *text);

const char *sluice_option_type_name(enum sluice_option_type type);     /* "INT" */
const char *sluice_importance_name(enum sluice_importance importance); /* "HIGH" */

#endif
