/* names.c - see names.h. */
#include "names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOPIC_IN_ID_MAX 90 /* of 128; the rest is for partition and offset */

char *bq_strdup(const char *s, size_t len)
{
    char *copy = malloc(len + 1);
    if (!copy) abort();
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

static bool is_name_char(unsigned char c, bool first)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (!first && c >= '0' && c <= '9');
}

void bq_sanitize(struct sluice_out *out, const char *name, size_t len)
{
    if (len > 0 && isdigit((unsigned char)name[0])) sluice_out_char(out, '_');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];
        if ((c & 0xc0) == 0x80) continue; /* counted with its first byte */
        sluice_out_char(out, is_name_char(c, false) ? (char)c : '_');
        if (c >= 0xf0) sluice_out_char(out, '_'); /* two UTF-16 units: two replaced in Java */
    }
}

void bq_url_escape(struct sluice_out *out, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (is_name_char(c, false) || c == '-' || c == '.' || c == '~') {
            sluice_out_char(out, (char)c);
        } else {
            char code[3] = {'%', hex[c >> 4], hex[c & 15]};
            sluice_out_put(out, code, sizeof code);
        }
    }
}

static char *sanitized(const char *name)
{
    struct sluice_out out = {0};
    bq_sanitize(&out, name, strlen(name));
    sluice_out_terminate(&out);
    return out.data;
}

bool bq_table_name(const struct bq_config *config, const char *topic, char **dataset, char **table,
                   struct sluice_err *err)
{
    const char *name = topic, *set = config->dataset;
    size_t set_len = strlen(set);
    bool mapped = false;
    for (size_t i = 0; i < config->mappings_len && !mapped; i++) {
        if (strcmp(config->mappings[i].topic, topic) != 0) continue;
        name = config->mappings[i].table;
        mapped = true;
    }
    const char *colon = mapped ? NULL : strchr(name, ':');
    if (colon && (strchr(colon + 1, ':') || colon == name || !colon[1])) {
        snprintf(err->msg, sizeof err->msg,
                 "topic %s names no table: expected table or dataset:table", topic);
        return false;
    }
    if (colon) {
        set = name;
        set_len = (size_t)(colon - name);
        name = colon + 1;
    }
    *dataset = bq_strdup(set, set_len);
    *table = config->sanitize_topics && config->mappings_len == 0 ? sanitized(name)
                                                                  : bq_strdup(name, strlen(name));
    return true;
}

/* text without blanks at both ends. */
static char *trimmed(const char *text, size_t len)
{
    while (len > 0 && isspace((unsigned char)text[0])) text++, len--;
    while (len > 0 && isspace((unsigned char)text[len - 1])) len--;
    return bq_strdup(text, len);
}

static bool add_mapping(struct bq_mapping **mappings, size_t *n, const char *part, size_t len,
                        struct sluice_err *err)
{
    const char *colon = memchr(part, ':', len);
    if (!colon || memchr(colon + 1, ':', len - (size_t)(colon + 1 - part))) {
        snprintf(err->msg, sizeof err->msg,
                 "\"%.*s\" is no topic:table pair; pairs are separated by commas", (int)len, part);
        return false;
    }
    struct bq_mapping *grown = realloc(*mappings, (*n + 1) * sizeof **mappings);
    if (!grown) abort();
    *mappings = grown;
    struct bq_mapping *new = &grown[(*n)++];
    new->topic = trimmed(part, (size_t)(colon - part));
    new->table = trimmed(colon + 1, len - (size_t)(colon + 1 - part));
    if (!*new->topic || !*new->table) {
        snprintf(err->msg, sizeof err->msg, "\"%.*s\" lacks its %s", (int)len, part,
                 *new->topic ? "table" : "topic");
        return false;
    }
    for (size_t i = 0; i + 1 < *n; i++) {
        if (strcmp(grown[i].topic, new->topic) != 0) continue;
        snprintf(err->msg, sizeof err->msg, "topic %s stands in it twice", new->topic);
        return false;
    }
    return true;
}

bool bq_mappings_parse(const char *text, struct bq_mapping **mappings, size_t *n,
                       struct sluice_err *err)
{
    *mappings = NULL;
    *n = 0;
    while (text && *text) {
        size_t len = strcspn(text, ",");
        char *part = trimmed(text, len);
        bool ok = !*part || add_mapping(mappings, n, part, strlen(part), err);
        free(part);
        if (!ok) return false;
        text += len + (text[len] == ',');
    }
    return true;
}

void bq_mappings_free(struct bq_mapping *mappings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(mappings[i].topic);
        free(mappings[i].table);
    }
    free(mappings);
}

void bq_insert_id_prefix(struct sluice_out *out, const char *topic, int32_t partition)
{
    size_t len = strlen(topic);
    if (len <= TOPIC_IN_ID_MAX) {
        sluice_out_escaped(out, topic, len);
    } else {
        uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
        for (size_t i = 0; i < len; i++) hash = (hash ^ (unsigned char)topic[i]) * 0x100000001b3u;
        sluice_out_escaped(out, topic, TOPIC_IN_ID_MAX - 17);
        out->len +=
            (size_t)snprintf(sluice_out_room(out, 24), 24, "~%016llx", (unsigned long long)hash);
    }
    sluice_out_char(out, '-');
    sluice_out_int(out, partition);
    sluice_out_char(out, '-');
}
