/* In the steady state ProtobufConverter and JsonSchemaConverter allocate nothing per record. */
#include "mallocs.h"
#include "registry_test.h"

static const char change_schema[] =
    "STRUCT[\"before\":?STRUCT[\"id\":INT64,\"s\":?STRING,\"d\":?FLOAT64,\"b\":?BYTES]@\"t.Value\","
    "\"after\":?STRUCT[\"id\":INT64,\"s\":?STRING,\"d\":?FLOAT64,\"b\":?BYTES]@\"t.Value\","
    "\"at\":?INT64@\"org.apache.kafka.connect.data.Timestamp\"#1,\"price\":?BYTES"
    "@\"org.apache.kafka.connect.data.Decimal\"#1%{\"scale\"=\"2\"},"
    "\"source\":STRUCT[\"ts_ms\":INT64,\"table\":STRING]@\"source\",\"op\":STRING,"
    "\"tags\":ARRAY[STRING],\"m\":MAP[STRING,INT32]]@\"t.Envelope\"#1";
static const char change_value[] =
    "(null,(l42,\"some \\\"text\\\"\",d3ff8000000000001,b00ff),l1785000000123,b0480,"
    "(l1785000000123,\"t\"),\"c\",[\"a\",\"b\"],{\"k\":i5})";

static void batch_of_50(struct registry_test *t, struct sluice_batch *batch,
                        const struct sluice_schema *schema, const struct sluice_value *v)
{
    const struct sluice_schema *got;
    struct sluice_value w;
    sluice_batch_reset(batch);
    for (int i = 0; i < 50; i++) {
        CHECK_INT(test_encode(t, schema, v), SLUICE_OK);
        CHECK_INT(t->plugin->converter->decode(t->fake.self, batch, "t", NULL, t->out.data,
                                               t->out.len, &got, &w, &t->err),
                  SLUICE_OK);
    }
}

static void steady(const struct sluice_plugin *plugin, const char *config)
{
    struct registry_test t;
    struct sluice_batch batch;
    test_open(&t, plugin, config);
    sluice_batch_init(&batch);
    const struct sluice_schema *schema = test_schema(&t, change_schema);
    struct sluice_value v = test_value(&t, change_value);
    for (int i = 0; i < 10; i++) batch_of_50(&t, &batch, schema, &v);
    size_t before = mallocs;
    for (int i = 0; i < 100; i++) batch_of_50(&t, &batch, schema, &v);
    CHECK_INT(mallocs - before, 0); /* of 5,000 records */
    sluice_batch_fini(&batch);
    test_close(&t);
}

TEST(protobuf_allocates_nothing_per_record)
{
    steady(&sluice_protobuf_converter, "optional.for.nullables=true");
    steady(&sluice_protobuf_converter, "wrapper.for.nullables=true");
}

TEST(json_schema_allocates_nothing_per_record) { steady(&sluice_json_schema_converter, "-"); }
