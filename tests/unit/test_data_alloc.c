/* In the steady state nothing is allocated per record: mallocs are counted while JsonConverter and
 * ExtractNewRecordState run over the same kinds of records again and again. */
#include "data/builtins.h"
#include "fake_host.h"
#include "golden/text.h"
#include "mallocs.h"

static const char change_schema[] =
    "STRUCT[\"before\":?STRUCT[\"id\":INT64,\"s\":?STRING,\"d\":?FLOAT64,\"b\":?BYTES]@\"t.Value\","
    "\"after\":?STRUCT[\"id\":INT64,\"s\":?STRING,\"d\":?FLOAT64,\"b\":?BYTES]@\"t.Value\","
    "\"source\":STRUCT[\"ts_ms\":INT64,\"table\":STRING]@\"source\",\"op\":STRING,"
    "\"tags\":ARRAY[STRING],\"m\":MAP[STRING,INT32]]@\"t.Envelope\"#1";
static const char change_value[] =
    "(null,(l42,\"some \\\"text\\\"\",d3ff8000000000001,b00ff),(l1785000000123,\"t\"),\"c\","
    "[\"a\",\"b\"],{\"k\":i5})";

TEST(counting_works)
{
    size_t before = mallocs;
    void *volatile p = malloc(10);
    free(p);
    CHECK(mallocs > before);
}

struct run {
    struct fake_host json, smt;
    struct sluice_batch input, batch;
    struct sluice_buf out;
    const struct sluice_schema *schema;
    struct sluice_value v;
};

/* A batch of 50 records: encoded, decoded, transformed. */
static void batch_of_50(struct run *run)
{
    struct sluice_err err;
    bool null;
    sluice_batch_reset(&run->batch);
    for (int i = 0; i < 50; i++) {
        struct sluice_record *rec = sluice_batch_append(&run->batch);
        rec->topic = "t";
        sluice_buf_clear(&run->out);
        if (run->json.plugin->converter->encode(run->json.self, "t", NULL, run->schema, &run->v,
                                                &run->out, &null, &err) != SLUICE_OK ||
            run->json.plugin->converter->decode(run->json.self, &run->batch, "t", NULL,
                                                run->out.data, run->out.len, &rec->value_schema,
                                                &rec->value, &err) != SLUICE_OK) {
            FAIL("%s", err.msg);
        }
        if (!rec->value_schema) { /* schemas.enable=false */
            CHECK_INT(rec->value.type, SLUICE_MAP);
        } else {
            CHECK(rec->value_schema == run->schema);
        }
        if (run->smt.plugin->transform->apply(run->smt.self, &run->batch, rec, &err) != SLUICE_OK) {
            FAIL("%s", err.msg);
        }
    }
}

static void steady(const char *schemas)
{
    struct run run;
    memset(&run, 0, sizeof run);
    sluice_batch_init(&run.input);
    sluice_batch_init(&run.batch);
    sluice_buf_init(&run.out, SLUICE_BUF_MAX);
    fake_init(&run.json, &sluice_json_converter, "schemas.enable", schemas, NULL);
    fake_init(&run.smt, &sluice_extract_new_record_state, "add.fields", "op,table,source.ts_ms",
              "delete.tombstone.handling.mode", "rewrite", "add.headers", "op", NULL);
    CHECK_INT(fake_open(&run.json), SLUICE_OK);
    CHECK_INT(fake_open(&run.smt), SLUICE_OK);
    struct text_reader schema = {change_schema, &run.input}, value = {change_value, &run.input};
    run.schema = sluice_schema_intern(text_read_schema(&schema));
    run.v = text_read_value(&value);
    for (int i = 0; i < 10; i++) batch_of_50(&run);
    size_t before = mallocs;
    for (int i = 0; i < 100; i++) batch_of_50(&run);
    CHECK_INT(mallocs - before, 0); /* of 5,000 records */
    sluice_schema_free(run.schema);
    sluice_batch_fini(&run.batch);
    sluice_batch_fini(&run.input);
    sluice_buf_fini(&run.out);
    fake_fini(&run.json);
    fake_fini(&run.smt);
}

TEST(nothing_is_allocated_per_record_with_schemas) { steady("true"); }

TEST(nothing_is_allocated_per_record_without_schemas) { steady("false"); }
