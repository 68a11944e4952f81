/* config.c - options of kafka-connect-datagen with its defaults and messages, and a few of ours,
 * all of which do nothing unless they are given. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SOURCES "schema.string, schema.filename, quickstart"
#define OPT(key, type, importance, flags, fallback, valid, doc)                                    \
    {                                                                                              \
        key, SLUICE_OPT_##type, SLUICE_##importance, flags, fallback, valid, "Datagen", doc        \
    }

const struct sluice_option datagen_options[] = {
    OPT("kafka.topic", STRING, HIGH, 0, NULL, NULL,
        "Topic to write to. Required, but for schemas with _meta, which name their topics."),
    OPT("max.interval", LONG, HIGH, 0, "500", NULL,
        "Longest pause before a record, in ms; each pause is random below it. 0 or less: none. "
        "With _meta schemas the pause is before each iteration. Not used when rate is given."),
    OPT("iterations", INT, HIGH, 0, "-1", NULL,
        "Records to send from each task (iterations, for _meta schemas); below 1: no end."),
    OPT("schema.string", STRING, HIGH, 0, "", NULL,
        "The schema itself: Avro with arg.properties, or JSON datasets with _meta."),
    OPT("schema.filename", STRING, HIGH, 0, "", NULL,
        "File with the schema: Avro with arg.properties, or JSON datasets with _meta."),
    OPT("schema.keyfield", STRING, HIGH, 0, "", NULL,
        "Field whose value is the record's key. Default: the quickstart's, else no key."),
    OPT("quickstart", STRING, HIGH, 0, "", NULL, "Name of a built-in schema."),
    OPT("random.seed", LONG, LOW, 0, NULL, NULL,
        "Seed of the random numbers: the same seed gives the same data. Each task has its own."),
    OPT("rate", DOUBLE, MEDIUM, 0, "0", "0..",
        "Records a second of each task, evenly; 0: no limit. Takes the place of max.interval."),
    OPT("batch.size", INT, LOW, 0, "0", "0..", "Most records of one poll; 0: as many as fit."),
    OPT("iterations.end", STRING, MEDIUM, SLUICE_OPT_NOCASE, "idle", "idle|fail",
        "What a task does after its iterations: idle stays RUNNING without sending; fail ends as "
        "FAILED, as kafka-connect-datagen does."),
    OPT("prefix", STRING, LOW, 0, "", NULL,
        "_meta schemas: put before every topic, with an underscore between."),
    OPT("record.size", INT, LOW, 0, "0", "0..1048576",
        "_meta schemas: adds a field recordSizePayload of so many random characters; 0: none."),
    OPT("schema.infer", BOOLEAN, MEDIUM, 0, "false", NULL,
        "_meta schemas: give the values a Connect schema, taken from the expressions' types, for "
        "sinks that create tables. false: schemaless JSON, as Materialize datagen writes."),
    {0},
};

struct checker {
    const struct sluice_host *host;
    struct sluice_report *report;
    struct sluice_err *err;
    bool ok;
};

__attribute__((format(printf, 3, 4))) static void complain(struct checker *c, const char *key,
                                                           const char *fmt, ...)
{
    char text[900];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (c->report) c->host->finding(c->report, key, "%s", text);
    if (c->ok) datagen_fail(c->err, "%s: %s", key, text);
    c->ok = false;
}

static void read_file(struct checker *c, const char *path, struct datagen_config *config)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        complain(c, "schema.filename", "Unable to find the schema file \"%s\": %s", path,
                 strerror(errno));
        return;
    }
    config->schema = malloc(AVRO_MAX_BYTES + 2);
    if (!config->schema) abort();
    config->schema_len = fread(config->schema, 1, AVRO_MAX_BYTES + 1, file);
    if (ferror(file)) {
        complain(c, "schema.filename", "Unable to read the schema file \"%s\": %s", path,
                 strerror(errno));
    } else if (config->schema_len > AVRO_MAX_BYTES) {
        complain(c, "schema.filename", "schema file \"%s\" is larger than %u bytes", path,
                 AVRO_MAX_BYTES);
    }
    config->schema[config->schema_len] = '\0';
    (void)fclose(file);
}

static void take_text(struct checker *c, const char *text, struct datagen_config *config)
{
    config->schema_len = strlen(text);
    if (config->schema_len > AVRO_MAX_BYTES) {
        complain(c, config->schema_key, "the schema is larger than %u bytes", AVRO_MAX_BYTES);
        return;
    }
    config->schema = strdup(text);
    if (!config->schema) abort();
}

static void take_quickstart(struct checker *c, const char *name, struct datagen_config *config)
{
    const struct quickstart *found = quickstart_find(name);
    if (found) {
        take_text(c, found->schema, config);
        if (!*config->keyfield) config->keyfield = found->key;
        return;
    }
    char names[512] = "";
    size_t n = 0;
    for (const struct quickstart *q = quickstart_all(); q->name && n < sizeof(names); q++) {
        n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n ? "," : "", q->name);
    }
    complain(c, "quickstart",
             "quickstart must be one out of %s, not \"%s\"; other schemas are "
             "given with schema.filename",
             names, name);
}

/* A Materialize schema is a list of datasets or one dataset: an object with _meta. */
static enum datagen_mode find_mode(const struct datagen_config *config)
{
    enum datagen_mode mode = DATAGEN_AVRO;
    char *plain = config->schema ? strdup(config->schema) : NULL;
    if (!plain) return mode;
    avro_strip_comments(plain);
    json_t *json = json_loads(plain, 0, NULL);
    const json_t *first = json_is_array(json) ? json_array_get(json, 0) : json;
    if (json_object_get(first, "_meta")) mode = DATAGEN_META;
    json_decref(json);
    free(plain);
    return mode;
}

static void read_schema(struct checker *c, const struct sluice_conf *conf,
                        struct datagen_config *config)
{
    static const char *const keys[] = {"schema.string", "schema.filename", "quickstart"};
    const char *values[3];
    int given = 0, which = 0;
    for (int i = 0; i < 3; i++) {
        const char *value = c->host->str(conf, keys[i]);
        values[i] = value ? value : "";
        if (!*values[i]) continue;
        given++;
        which = i;
    }
    for (int i = 0; given != 1 && i < 3; i++) {
        if (given == 0 || *values[i]) complain(c, keys[i], "Must set exactly one of " SOURCES);
    }
    if (given != 1) return;
    config->schema_key = keys[which];
    if (which == 0) take_text(c, values[0], config);
    else if (which == 1) read_file(c, values[1], config);
    else take_quickstart(c, values[2], config);
    config->mode = find_mode(config);
}

bool datagen_config_read(struct datagen_config *config, const struct sluice_host *host,
                         const struct sluice_conf *conf, struct sluice_report *report,
                         struct sluice_err *err)
{
    struct checker c = {.host = host, .report = report, .err = err, .ok = true};
    const char *seed = host->str(conf, "random.seed"), *prefix = host->str(conf, "prefix");
    const char *keyfield = host->str(conf, "schema.keyfield");
    const char *end = host->str(conf, "iterations.end");
    *config = (struct datagen_config){.topic = host->str(conf, "kafka.topic"),
                                      .keyfield = keyfield ? keyfield : "",
                                      .prefix = prefix ? prefix : "",
                                      .max_interval_ms = host->num(conf, "max.interval"),
                                      .iterations = host->num(conf, "iterations"),
                                      .batch_size = host->num(conf, "batch.size"),
                                      .record_bytes = host->num(conf, "record.size"),
                                      .rate = host->real(conf, "rate"),
                                      .schemas_inferred = host->flag(conf, "schema.infer"),
                                      .has_seed = seed && *seed};
    if (config->has_seed) config->seed = host->num(conf, "random.seed");
    config->fail_at_end = end && (*end | 0x20) == 'f';
    read_schema(&c, conf, config);
    if (c.ok && config->mode == DATAGEN_AVRO && (!config->topic || !*config->topic)) {
        complain(&c, "kafka.topic",
                 "Missing required configuration \"kafka.topic\" which has no "
                 "default value.");
    }
    return c.ok;
}

void datagen_config_fini(struct datagen_config *config)
{
    free(config->schema);
    config->schema = NULL;
}
