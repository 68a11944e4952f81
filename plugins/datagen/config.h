/* config.h - datagen's options, read and checked; the schema's text with them. */
#ifndef DATAGEN_CONFIG_H
#define DATAGEN_CONFIG_H

#include "avro.h"
#include "quickstart.h"

extern const struct sluice_option datagen_options[];

enum datagen_mode {
    DATAGEN_AVRO, /* a schema with arg.properties: kafka-connect-datagen */
    DATAGEN_META  /* datasets with _meta and FakerJS expressions: Materialize datagen */
};

struct datagen_config {
    enum datagen_mode mode;
    const char *topic, *keyfield, *prefix;
    int64_t max_interval_ms, iterations, batch_size, record_bytes, seed;
    double rate;
    bool has_seed, fail_at_end, schemas_inferred;
    char *schema; /* text; owned */
    size_t schema_len;
    const char *schema_key; /* the option that gave it */
};

/* Findings go to the report when there is one, the first of them to err. False when any. The
 * config is freed by datagen_config_fini() in either case. */
bool datagen_config_read(struct datagen_config *config, const struct sluice_host *host,
                         const struct sluice_conf *conf, struct sluice_report *report,
                         struct sluice_err *err);
void datagen_config_fini(struct datagen_config *config);

#endif
