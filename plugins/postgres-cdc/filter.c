/* filter.c - lists of regular expressions over PCRE2: see filter.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "filter.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

struct cdc_pattern {
    pcre2_code *code;
};

static void trim(const char **s, size_t *len)
{
    while (*len && strchr(" \t\r\n", **s)) (*s)++, (*len)--;
    while (*len && strchr(" \t\r\n", (*s)[*len - 1])) (*len)--;
}

bool cdc_patterns_add(struct cdc_patterns *patterns, const char *regex, size_t len,
                      struct sluice_err *err)
{
    int code;
    PCRE2_SIZE at;
    uint32_t options = PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_CASELESS | PCRE2_UTF;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)regex, len, options, &code, &at, NULL);
    if (!compiled) {
        PCRE2_UCHAR why[128];
        pcre2_get_error_message(code, why, sizeof(why));
        return cdc_error(err, "regular expression '%.*s' is wrong at character %zu: %s", (int)len,
                         regex, (size_t)at, (const char *)why);
    }
    pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); /* without it, it is only slower */
    patterns->items = cdc_realloc(patterns->items, (patterns->n + 1) * sizeof(*patterns->items));
    patterns->items[patterns->n++].code = compiled;
    return true;
}

bool cdc_patterns_parse(struct cdc_patterns *patterns, const char *list, struct sluice_err *err)
{
    struct cdc_text item = {0};
    bool ok = true;
    for (const char *s = list ? list : ""; ok; s++) {
        if (*s == '\\' && s[1]) { /* of \, only the comma is meant; another pair stays one */
            if (s[1] != ',') cdc_text_add(&item, s, 1);
            cdc_text_add(&item, ++s, 1);
            continue;
        }
        if (*s && *s != ',') {
            cdc_text_add(&item, s, 1);
            continue;
        }
        const char *start = item.s;
        size_t len = item.len;
        if (start) trim(&start, &len);
        if (len) ok = cdc_patterns_add(patterns, start, len, err);
        item.len = 0;
        if (!*s) break;
    }
    cdc_text_free(&item);
    return ok;
}

int cdc_patterns_match(const struct cdc_patterns *patterns, const char *name)
{
    for (size_t i = 0; i < patterns->n; i++) {
        pcre2_code *code = patterns->items[i].code;
        pcre2_match_data *data = pcre2_match_data_create(1, NULL);
        if (!data) abort();
        int n = pcre2_match(code, (PCRE2_SPTR)name, strlen(name), 0, 0, data, NULL);
        pcre2_match_data_free(data);
        if (n >= 0) return (int)i;
    }
    return -1;
}

void cdc_patterns_free(struct cdc_patterns *patterns)
{
    for (size_t i = 0; i < patterns->n; i++) pcre2_code_free(patterns->items[i].code);
    free(patterns->items);
    memset(patterns, 0, sizeof(*patterns));
}

bool cdc_filter_passes(const struct cdc_filter *filter, const char *name)
{
    if (filter->include.n) return cdc_patterns_match(&filter->include, name) >= 0;
    return cdc_patterns_match(&filter->exclude, name) < 0;
}

void cdc_filter_free(struct cdc_filter *filter)
{
    cdc_patterns_free(&filter->include);
    cdc_patterns_free(&filter->exclude);
}

static bool rule_parse(struct cdc_key_rules *rules, const char *s, size_t len,
                       struct sluice_err *err)
{
    /* The colon that separates is the last one: a regular expression may hold others. */
    const char *colon = memrchr(s, ':', len);
    if (!colon || colon == s || colon + 1 == s + len)
        return cdc_error(err, "'%.*s' is not of the form <regex of schema.table>:<column>,...",
                         (int)len, s);
    rules->items = cdc_realloc(rules->items, (rules->n + 1) * sizeof(*rules->items));
    struct cdc_key_rule *rule = &rules->items[rules->n++];
    memset(rule, 0, sizeof(*rule));
    const char *table = s;
    size_t table_len = (size_t)(colon - s);
    trim(&table, &table_len);
    if (!cdc_patterns_add(&rule->table, table, table_len, err)) return false;
    const char *end = s + len;
    for (const char *c = colon + 1; c < end;) {
        const char *comma = memchr(c, ',', (size_t)(end - c));
        const char *name = c;
        size_t name_len = (size_t)((comma ? comma : end) - c);
        trim(&name, &name_len);
        if (name_len) {
            rule->columns =
                cdc_realloc(rule->columns, (rule->columns_n + 1) * sizeof(*rule->columns));
            rule->columns[rule->columns_n++] = cdc_strndup(name, name_len);
        }
        c = comma ? comma + 1 : end;
    }
    return true;
}

bool cdc_key_rules_parse(struct cdc_key_rules *rules, const char *text, struct sluice_err *err)
{
    for (const char *s = text ? text : ""; *s;) {
        const char *end = strchrnul(s, ';');
        const char *item = s;
        size_t len = (size_t)(end - s);
        trim(&item, &len);
        if (len && !rule_parse(rules, item, len, err)) return false;
        s = *end ? end + 1 : end;
    }
    return true;
}

const struct cdc_key_rule *cdc_key_rules_find(const struct cdc_key_rules *rules, const char *table)
{
    for (size_t i = 0; i < rules->n; i++)
        if (cdc_patterns_match(&rules->items[i].table, table) >= 0) return &rules->items[i];
    return NULL;
}

void cdc_key_rules_free(struct cdc_key_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++) {
        cdc_patterns_free(&rules->items[i].table);
        for (size_t c = 0; c < rules->items[i].columns_n; c++) free(rules->items[i].columns[c]);
        free(rules->items[i].columns);
    }
    free(rules->items);
    memset(rules, 0, sizeof(*rules));
}
