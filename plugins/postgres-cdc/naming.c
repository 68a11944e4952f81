/* naming.c - names of topics: see naming.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "naming.h"

#include <assert.h>
#include <ctype.h>
#include <pcre2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

#define TOPIC_MAX 249
#define GROUP_NAME_MAX 128

/* ---- regular expressions ---- */

/* One piece of a replacement: the group that it stands for, or -1 and the character itself.
 * Advances *p; -2: it is wrong, and why says how. As Java, a number takes as many digits as there
 * are groups for. */
static int piece_of(const pcre2_code *code, const char **p, const char **why)
{
    uint32_t groups = 0;
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (**p == '\\') {
        if (!*++*p) return *why = "ends with a backslash", -2;
        ++*p;
        return -1;
    }
    if (**p != '$') return ++*p, -1;
    if (*++*p == '{') {
        char name[GROUP_NAME_MAX];
        size_t n = strcspn(++*p, "}");
        if (!(*p)[n] || !n || n >= sizeof(name)) return *why = "has ${ without a group's name", -2;
        memcpy(name, *p, n);
        name[n] = 0;
        int group = pcre2_substring_number_from_name(code, (PCRE2_SPTR)name);
        *p += n + 1;
        return group > 0 ? group : (*why = "names a group that the expression does not have", -2);
    }
    if (!isdigit((unsigned char)**p)) return *why = "has $ without a group (write \\$)", -2;
    uint32_t group = (uint32_t)(*(*p)++ - '0');
    if (group > groups) return *why = "names a group that the expression does not have", -2;
    while (isdigit((unsigned char)**p) && group * 10 + (uint32_t)(**p - '0') <= groups)
        group = group * 10 + (uint32_t)(*(*p)++ - '0');
    return (int)group;
}

bool cdc_rewrite_init(struct cdc_rewrite *rewrite, const char *regex, const char *replacement,
                      bool *replacement_wrong, struct sluice_err *err)
{
    int code;
    PCRE2_SIZE at;
    *replacement_wrong = false;
    rewrite->code = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED,
                                  PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF, &code, &at, NULL);
    if (!rewrite->code) {
        PCRE2_UCHAR why[128];
        pcre2_get_error_message(code, why, sizeof(why));
        return cdc_error(err, "regular expression '%s' is wrong at character %zu: %s", regex,
                         (size_t)at, (const char *)why);
    }
    rewrite->replacement = cdc_strdup(replacement ? replacement : "");
    const char *why = NULL;
    for (const char *p = rewrite->replacement; *p;) {
        if (piece_of(rewrite->code, &p, &why) != -2) continue;
        *replacement_wrong = true;
        return cdc_error(err, "'%s' %s", replacement, why);
    }
    return true;
}

static pcre2_match_data *matched(const struct cdc_rewrite *rewrite, const char *text)
{
    assert(rewrite->code);
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(rewrite->code, NULL);
    if (!data) abort();
    if (pcre2_match(rewrite->code, (PCRE2_SPTR)text, strlen(text), 0, 0, data, NULL) > 0)
        return data;
    pcre2_match_data_free(data);
    return NULL;
}

bool cdc_rewrite_matches(const struct cdc_rewrite *rewrite, const char *text)
{
    pcre2_match_data *data = matched(rewrite, text);
    pcre2_match_data_free(data);
    return data != NULL;
}

char *cdc_rewrite_apply(const struct cdc_rewrite *rewrite, const char *text)
{
    pcre2_match_data *data = matched(rewrite, text);
    if (!data) return NULL;
    struct cdc_text out = {0};
    cdc_text_adds(&out, "");
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(data);
    for (const char *p = rewrite->replacement, *why; *p;) {
        int group = piece_of(rewrite->code, &p, &why);
        assert(group != -2);
        if (group < 0) cdc_text_add(&out, p - 1, 1);
        else if (ends[2 * group] != PCRE2_UNSET)
            cdc_text_add(&out, text + ends[2 * group], ends[2 * group + 1] - ends[2 * group]);
    }
    pcre2_match_data_free(data);
    return out.s;
}

void cdc_rewrite_fini(struct cdc_rewrite *rewrite)
{
    pcre2_code_free(rewrite->code);
    free(rewrite->replacement);
    memset(rewrite, 0, sizeof(*rewrite));
}

/* ---- options ---- */

struct reading {
    struct cdc_settings *settings;
    const struct sluice_host *host;
    const struct sluice_conf *conf;
    cdc_complain *complain;
    void *arg;
    bool ok;
};

__attribute__((format(printf, 3, 4))) static void wrong(struct reading *r, const char *key,
                                                        const char *fmt, ...)
{
    struct sluice_err err;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err.msg, sizeof(err.msg), fmt, ap);
    va_end(ap);
    r->complain(r->arg, key, err.msg);
    r->ok = false;
}

static const char *text(const struct reading *r, const char *key)
{
    const char *s = r->host->str(r->conf, key);
    return s && *s ? cdc_pool_strdup(&r->settings->pool, s) : NULL;
}

/* A text that is part of topics' names. */
static const char *name_part(struct reading *r, const char *key)
{
    const char *s = text(r, key);
    if (s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")])
        wrong(r, key,
              "%s has invalid format (only the underscore, hyphen, dot and alphanumeric characters "
              "are allowed)",
              s);
    return s;
}

static void read_rewrite(struct reading *r, struct cdc_rewrite *out, const char *regex_key,
                         const char *replacement_key, bool needed)
{
    struct sluice_err err;
    const char *regex = text(r, regex_key), *replacement = text(r, replacement_key);
    bool replacement_wrong;
    if (!regex && needed) wrong(r, regex_key, "A value is required");
    if (regex && !replacement)
        wrong(r, replacement_key, "%s must be non-empty if %s is set.", replacement_key, regex_key);
    else if (regex && !cdc_rewrite_init(out, regex, replacement, &replacement_wrong, &err))
        wrong(r, replacement_wrong ? replacement_key : regex_key, "%s", err.msg);
}

static void read_strategy(struct reading *r)
{
    static const char key[] = "topic.naming.strategy", package[] = "io.debezium.schema.",
                      suffix[] = "TopicNamingStrategy";
    static const struct {
        const char *name;
        bool schemas, regex, unicode;
    } known[] = {{"Schema", true, false, false},       {"Default", false, false, false},
                 {"SchemaRegex", true, true, false},   {"DefaultRegex", false, true, false},
                 {"SchemaUnicode", true, false, true}, {"DefaultUnicode", false, false, true}};
    struct cdc_naming *naming = &r->settings->naming;
    const char *strategy = text(r, key);
    const char *name = strategy ? strategy : "SchemaTopicNamingStrategy";
    if (!strncmp(name, package, strlen(package))) name += strlen(package);
    size_t i = 0, n = sizeof(known) / sizeof(*known);
    for (; i < n; i++) {
        size_t len = strlen(known[i].name);
        if (!strncmp(name, known[i].name, len) && !strcmp(name + len, suffix)) break;
    }
    if (i == n) {
        wrong(r, key,
              "%s is a Java class that cannot run here, and topics would have other names; use one "
              "of Schema, Default, SchemaRegex, DefaultRegex, SchemaUnicode and DefaultUnicode "
              "with %s%s around it, or the transform RegexRouter",
              strategy, package, suffix);
        return;
    }
    naming->schemas = known[i].schemas;
    naming->unicode = known[i].unicode;
    if (!known[i].regex) return;
    read_rewrite(r, &naming->topic, "topic.regex", "topic.replacement", true);
    read_rewrite(r, &naming->key, "topic.key.field.regex", "topic.key.field.replacement", false);
    if (r->host->flag(r->conf, "topic.key.enforce.uniqueness"))
        naming->key_field = text(r, "topic.key.field.name");
}

static bool given(const struct reading *r, const char *wanted)
{
    const char *key, *value;
    for (size_t i = 0; r->host->entry(r->conf, i, &key, &value); i++)
        if (!strcmp(key, wanted)) return true;
    return false;
}

bool cdc_naming_read(struct cdc_settings *settings, const struct sluice_host *host,
                     const struct sluice_conf *conf, cdc_complain *complain, void *arg)
{
    struct reading r = {settings, host, conf, complain, arg, true};
    settings->prefix = name_part(&r, "topic.prefix");
    settings->delimiter = name_part(&r, "topic.delimiter");
    bool old = given(&r, "heartbeat.topics.prefix") && !given(&r, "topic.heartbeat.prefix");
    const char *prefix = name_part(&r, old ? "heartbeat.topics.prefix" : "topic.heartbeat.prefix");
    settings->heartbeat_topic = name_part(&r, "topic.heartbeat.name");
    if (!settings->heartbeat_topic)
        settings->heartbeat_topic =
            cdc_pool_format(&settings->pool, "%s%s%s", prefix ? prefix : "__debezium-heartbeat",
                            settings->delimiter, settings->prefix);
    const char *transaction = name_part(&r, "topic.transaction");
    if (host->flag(conf, "provide.transaction.metadata")) settings->transaction_topic = transaction;
    read_strategy(&r);
    return r.ok;
}

void cdc_naming_fini(struct cdc_naming *naming)
{
    cdc_rewrite_fini(&naming->topic);
    cdc_rewrite_fini(&naming->key);
}

/* ---- names ---- */

/* The character at *p, which moves on; what is no UTF-8 counts byte by byte. */
static uint32_t next_character(const unsigned char **p)
{
    uint32_t c = *(*p)++;
    if (c < 0xc0) return c;
    c &= c >= 0xf0 ? 7 : c >= 0xe0 ? 15 : 31;
    while ((**p & 0xc0) == 0x80) c = c << 6 | (*(*p)++ & 63);
    return c;
}

/* The name with what Kafka does not allow replaced, cut where it gets too long. */
static char *allowed(const struct cdc_naming *naming, struct cdc_pool *pool, const char *name)
{
    struct cdc_text out = {0};
    cdc_text_adds(&out, "");
    for (const unsigned char *p = (const unsigned char *)name; *p;) {
        uint32_t c = next_character(&p);
        char ascii = (char)c;
        bool fine =
            c < 0x80 && (isalnum((int)c) || c == '.' || c == '-' || (c == '_' && !naming->unicode));
        if (fine) cdc_text_add(&out, &ascii, 1);
        /* Each UTF-16 unit on its own. */
        else if (!naming->unicode) cdc_text_adds(&out, c > 0xffff ? "__" : "_");
        else if (c > 0xffff)
            cdc_text_addf(&out, "_u%x_u%x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
        else cdc_text_addf(&out, c > 0xff ? "_u%x" : "_u00%x", c);
    }
    if (out.len > TOPIC_MAX) out.s[TOPIC_MAX] = 0;
    char *topic = cdc_pool_strdup(pool, out.s);
    cdc_text_free(&out);
    return topic;
}

/* Before anything is replaced. */
static char *origin(const struct cdc_settings *settings, struct cdc_pool *pool, const char *schema,
                    const char *table)
{
    const char *d = settings->delimiter;
    return settings->naming.schemas
               ? cdc_pool_format(pool, "%s%s%s%s%s", settings->prefix, d, schema, d, table)
               : cdc_pool_format(pool, "%s%s%s", settings->prefix, d, table);
}

char *cdc_topic_of_table(const struct cdc_settings *settings, struct cdc_pool *pool,
                         const char *schema, const char *table)
{
    const struct cdc_naming *naming = &settings->naming;
    char *topic = allowed(naming, pool, origin(settings, pool, schema, table));
    char *routed = naming->topic.code ? cdc_rewrite_apply(&naming->topic, topic) : NULL;
    /* An empty name is none: the table keeps its own. */
    if (routed && *routed) topic = cdc_pool_strdup(pool, routed);
    free(routed);
    return topic;
}

char *cdc_key_of_table(const struct cdc_settings *settings, struct cdc_pool *pool,
                       const char *schema, const char *table)
{
    const struct cdc_naming *naming = &settings->naming;
    if (!naming->key_field) return NULL;
    char *key = origin(settings, pool, schema, table);
    char *other = naming->key.code ? cdc_rewrite_apply(&naming->key, key) : NULL;
    if (other) key = cdc_pool_strdup(pool, other);
    free(other);
    return key;
}

char *cdc_topic(const struct cdc_settings *settings, struct cdc_pool *pool, const char *name)
{
    return allowed(&settings->naming, pool,
                   cdc_pool_format(pool, "%s%s%s", settings->prefix, settings->delimiter, name));
}
