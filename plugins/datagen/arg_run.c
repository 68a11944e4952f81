/* arg_run.c - kafka-connect-datagen's task: value and key schema, headers, and a generator that is
 * seeded anew after each record with its own next number, so that an offset holds all its state. */
#include "arg_run.h"

#include <assert.h>
#include <stdlib.h>

struct arg_run {
    const struct sluice_host *host;
    struct avro_schema schema;
    struct datagen_arena arena;
    struct arg_node *root;
    struct java_random random;
    struct datagen_position at;
    char *topic;
    const struct sluice_schema *value_schema, *key_schema, *header_schema;
    int key_field; /* -1: none */
    int64_t task_id;
};

static const struct sluice_schema *simple_schema(const struct sluice_host *host, uint8_t type,
                                                 bool optional)
{
    const struct sluice_schema description = {.type = type, .optional = optional};
    return host->schema(&description);
}

static bool find_key(struct arg_run *run, const char *keyfield, const char **key,
                     struct sluice_err *err)
{
    run->key_field = -1;
    if (!*keyfield) {
        run->key_schema = simple_schema(run->host, SLUICE_STRING, true);
        return true;
    }
    const struct avro_field *field = avro_field_find(run->schema.root, keyfield);
    if (!field) {
        *key = "schema.keyfield";
        return datagen_fail(err,
                            "The schema does not contain the field provided in "
                            "'schema.keyfield': \"%.200s\"",
                            keyfield);
    }
    run->key_field = (int)(field - run->schema.root->fields);
    run->key_schema = avro_connect_schema(run->host, field->type);
    return true;
}

static bool load(struct arg_run *run, const struct datagen_config *config, const char **key,
                 struct sluice_err *err)
{
    struct sluice_err inner;
    *key = config->schema_key;
    if (!avro_schema_parse(&run->schema, config->schema, config->schema_len, &inner)) {
        return datagen_fail(err, "Unable to parse the provided schema: %.900s", inner.msg);
    }
    if (run->schema.root->kind != AVRO_RECORD) {
        return datagen_fail(err,
                            "Unable to parse the provided schema: the top level must be a "
                            "record, not %s",
                            avro_kind_name(run->schema.root->kind));
    }
    run->root = arg_compile(&run->arena, run->schema.root, run->at.iteration, err);
    if (!run->root) return false;
    run->value_schema = avro_connect_schema(run->host, run->schema.root);
    run->header_schema = simple_schema(run->host, SLUICE_INT64, false);
    return find_key(run, config->keyfield, key, err);
}

struct arg_run *arg_run_new(const struct sluice_host *host, const struct datagen_config *config,
                            const struct datagen_position *from, int64_t task_id, const char **key,
                            struct sluice_err *err)
{
    struct arg_run *run = calloc(1, sizeof(*run));
    if (!run) abort();
    run->host = host;
    run->at = *from;
    run->task_id = task_id;
    java_random_seed(&run->random, from->seed);
    if (!load(run, config, key, err)) {
        arg_run_free(run);
        return NULL;
    }
    run->topic = datagen_strdup(&run->arena, config->topic ? config->topic : "");
    return run;
}

static const struct sluice_header *make_headers(const struct arg_run *run, struct datagen_mem *mem)
{
    const struct sluice_schema *schema = run->header_schema;
    struct sluice_header *headers = datagen_mem_take(mem, 3 * sizeof(*headers));
    headers[0] =
        (struct sluice_header){"task.generation", schema, sluice_int64(run->at.generation)};
    headers[1] = (struct sluice_header){"task.id", schema, sluice_int64(run->task_id)};
    headers[2] =
        (struct sluice_header){"current.iteration", schema, sluice_int64(run->at.iteration)};
    return headers;
}

void arg_run_next(struct arg_run *run, struct sluice_batch *batch, struct datagen_mem *mem,
                  uint32_t partition)
{
    struct sluice_record *record = run->host->append(batch);
    record->topic = run->topic;
    record->value_schema = run->value_schema;
    record->value = arg_generate(run->root, &run->random, mem);
    record->key_schema = run->key_schema;
    if (run->key_field >= 0) record->key = record->value.u.v[run->key_field];
    record->headers = make_headers(run, mem);
    record->headers_len = 3;

    struct datagen_position *next = datagen_mem_take(mem, sizeof(*next));
    run->at.seed = java_random_long(&run->random);
    java_random_seed(&run->random, run->at.seed);
    run->at.iteration++;
    *next = run->at;
    next->generation++;
    record->source_partition = partition;
    record->position = next;
    record->position_len = sizeof(*next);
}

void arg_run_free(struct arg_run *run)
{
    if (!run) return;
    run->host->schema_free(run->value_schema);
    run->host->schema_free(run->key_schema);
    run->host->schema_free(run->header_schema);
    avro_schema_free(&run->schema);
    datagen_arena_free(&run->arena);
    free(run);
}
