/* names.h - the names that BigQuery allows, and how topics become tables. Pure functions. */
#ifndef BQ_NAMES_H
#define BQ_NAMES_H

#include "config.h"
#include "lib/json_out.h"

/* Letters, digits and '_' only, and no digit first; one '_' for each character replaced. */
void bq_sanitize(struct sluice_out *out, const char *name, size_t len);
/* Percent-encodes what a path segment cannot hold. */
void bq_url_escape(struct sluice_out *out, const char *text);
/* Where this topic's rows go; the caller frees both. False: err. */
bool bq_table_name(const struct bq_config *config, const char *topic, char **dataset, char **table,
                   struct sluice_err *err);
/* Parses topic2TableMap. False: err says which part is wrong. Both are set even then. */
bool bq_mappings_parse(const char *text, struct bq_mapping **mappings, size_t *n,
                       struct sluice_err *err);
void bq_mappings_free(struct bq_mapping *mappings, size_t n);
/* "topic-partition-" in a form that leaves room for the offset in the 128 characters of an
 * insertId; a longer topic is cut and told apart by a hash of the whole. */
void bq_insert_id_prefix(struct sluice_out *out, const char *topic, int32_t partition);
char *bq_strdup(const char *s, size_t len); /* never NULL */

#endif
