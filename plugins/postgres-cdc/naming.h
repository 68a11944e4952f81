/* naming.h - names of topics: Debezium's naming strategies, and what they put into keys.
 *
 * All names begin with topic.prefix; Schema... strategies go on with schema and table, Default...
 * ones with the table alone. The ...Regex... ones then rewrite the name, so that several tables may
 * share a topic, and add to each key a field that tells its table. ...Unicode... ones write what
 * Kafka does not allow as _uXXXX, the others as _. */
#ifndef CDC_NAMING_H
#define CDC_NAMING_H

#include "util.h"

/* A Java regular expression and what takes the place of texts that it matches as a whole. */
struct cdc_rewrite {
    struct pcre2_real_code_8 *code; /* owned; NULL: none */
    char *replacement;              /* owned; $1, ${name}, and \ before a character as it is */
};
/* False: err says what is wrong with one of the two, and which is in *replacement_wrong. */
bool cdc_rewrite_init(struct cdc_rewrite *rewrite, const char *regex, const char *replacement,
                      bool *replacement_wrong, struct sluice_err *err);
/* Owned by the caller; NULL: the text does not match. */
char *cdc_rewrite_apply(const struct cdc_rewrite *rewrite, const char *text);
/* Whether the whole text matches. */
bool cdc_rewrite_matches(const struct cdc_rewrite *rewrite, const char *text);
void cdc_rewrite_fini(struct cdc_rewrite *rewrite);

struct cdc_naming {
    bool schemas; /* names hold the schema */
    bool unicode;
    struct cdc_rewrite topic, key;
    const char *key_field; /* name of the field that keys get; NULL: none */
};
struct cdc_settings;
/* Fills settings->naming and the names of prefix, delimiter and heartbeats, in the settings' pool.
 * False: complain was called. */
bool cdc_naming_read(struct cdc_settings *settings, const struct sluice_host *host,
                     const struct sluice_conf *conf, cdc_complain *complain, void *arg);
void cdc_naming_fini(struct cdc_naming *naming);

/* Topic of a table, in the pool. */
char *cdc_topic_of_table(const struct cdc_settings *settings, struct cdc_pool *pool,
                         const char *schema, const char *table);
/* What the key's field says of a table, in the pool; NULL: keys get none. */
char *cdc_key_of_table(const struct cdc_settings *settings, struct cdc_pool *pool,
                       const char *schema, const char *table);
/* <topic.prefix><topic.delimiter><name>, in the pool. */
char *cdc_topic(const struct cdc_settings *settings, struct cdc_pool *pool, const char *name);

#endif
