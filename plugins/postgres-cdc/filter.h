/* filter.h - which tables and columns are captured: Debezium's lists of regular expressions.
 *
 * A list is separated by commas (\, stands for one), its items are trimmed; each must match the
 * whole name, in any case. Tables are matched as schema.table, columns as schema.table.column. */
#ifndef CDC_FILTER_H
#define CDC_FILTER_H

#include "util.h"

struct cdc_patterns {
    struct cdc_pattern *items;
    size_t n;
};

/* Appends the items of a list; NULL or empty: none. False: err names the pattern and the reason. */
bool cdc_patterns_parse(struct cdc_patterns *patterns, const char *list, struct sluice_err *err);
/* Appends one pattern as it stands. */
bool cdc_patterns_add(struct cdc_patterns *patterns, const char *regex, size_t len,
                      struct sluice_err *err);
/* Index of the first pattern that matches the whole name, -1 when none does. */
int cdc_patterns_match(const struct cdc_patterns *patterns, const char *name);
void cdc_patterns_free(struct cdc_patterns *patterns);

/* include or exclude, not both; an empty pair lets everything pass. */
struct cdc_filter {
    struct cdc_patterns include, exclude;
};
bool cdc_filter_passes(const struct cdc_filter *filter, const char *name);
void cdc_filter_free(struct cdc_filter *filter);

/* message.key.columns: "regex:col1,col2;regex:col". */
struct cdc_key_rule {
    struct cdc_patterns table; /* one pattern */
    char **columns;
    size_t columns_n;
};
struct cdc_key_rules {
    struct cdc_key_rule *items;
    size_t n;
};
bool cdc_key_rules_parse(struct cdc_key_rules *rules, const char *text, struct sluice_err *err);
/* The first rule for this schema.table, NULL when there is none. */
const struct cdc_key_rule *cdc_key_rules_find(const struct cdc_key_rules *rules, const char *table);
void cdc_key_rules_free(struct cdc_key_rules *rules);

#endif
