/* In the steady state the transforms of fields, times, keys and topics allocate nothing for a
 * record, with a schema or without, and neither do the converters of primitives. */
#include "base/buf.h"
#include "data/builtins.h"
#include "fake_host.h"
#include "golden/text.h"
#include "mallocs.h"

static const char row_schema[] =
    "STRUCT[\"id\":INT64,\"s\":?STRING=\"x\",\"d\":?INT32@\"org.apache.kafka.connect.data.Date\"#1,"
    "\"at\":?INT64@\"org.apache.kafka.connect.data.Timestamp\"#1]@\"n.Row\"#1";
static const char row_value[] = "(l42,null,i19000,l1785000000123)";
static const char map_value[] = "{\"id\":l42,\"s\":\"text\",\"at\":l1785000000123}";

struct chain {
    struct fake_host smt[8];
    size_t n;
    struct sluice_batch input, batch;
    const struct sluice_schema *schema;
    struct sluice_value v;
};

static void add(struct chain *chain, const struct sluice_plugin *plugin, const char *key,
                const char *value, const char *key2, const char *value2)
{
    struct fake_host *fake = &chain->smt[chain->n++];
    fake_init(fake, plugin, NULL);
    fake_set(fake, key, value);
    if (key2) fake_set(fake, key2, value2);
    if (plugin == &sluice_timestamp_converter_value) fake_set(fake, "format", "yyyy-MM-dd HH:mm");
    if (fake_open(fake) != SLUICE_OK) FAIL("%s: %s", plugin->name, fake->err.msg);
}

static void batch_of_50(struct chain *chain)
{
    struct sluice_err err;
    sluice_batch_reset(&chain->batch);
    for (int i = 0; i < 50; i++) {
        struct sluice_record *rec = sluice_batch_append(&chain->batch);
        rec->topic = "server.schema.table";
        rec->timestamp_ms = 1785000000123;
        rec->value_schema = chain->schema;
        rec->value = chain->v;
        for (size_t k = 0; k < chain->n; k++) {
            struct fake_host *fake = &chain->smt[k];
            if (fake->plugin->transform->apply(fake->self, &chain->batch, rec, &err) != SLUICE_OK) {
                FAIL("%s: %s", fake->plugin->name, err.msg);
            }
        }
        CHECK_STR(rec->topic, "table-20260725");
        CHECK(rec->key.type != SLUICE_NULL);
    }
}

static void steady(bool schemas)
{
    struct chain chain;
    memset(&chain, 0, sizeof chain);
    sluice_batch_init(&chain.input);
    sluice_batch_init(&chain.batch);
    struct text_reader schema = {row_schema, &chain.input};
    struct text_reader value = {schemas ? row_value : map_value, &chain.input};
    if (schemas) chain.schema = sluice_schema_intern(text_read_schema(&schema));
    chain.v = text_read_value(&value);
    add(&chain, &sluice_regex_router, "regex", "([^.]+)\\.([^.]+)\\.([^.]+)", "replacement", "$3");
    add(&chain, &sluice_timestamp_router, "timestamp.format", "yyyyMMdd", NULL, NULL);
    add(&chain, &sluice_value_to_key, "fields", "id,s", NULL, NULL);
    add(&chain, &sluice_mask_field_value, "fields", "id", "replacement", "7");
    add(&chain, &sluice_replace_field_value, "exclude", "d", "renames", "s:t");
    add(&chain, &sluice_timestamp_converter_value, "target.type", "string", "field", "at");
    if (schemas) {
        add(&chain, &sluice_set_schema_metadata_value, "schema.name", "other.Row", NULL, NULL);
    }
    for (int i = 0; i < 10; i++) batch_of_50(&chain);
    size_t before = mallocs;
    for (int i = 0; i < 100; i++) batch_of_50(&chain);
    CHECK_INT(mallocs - before, 0); /* of 5,000 records */
    for (size_t i = 0; i < chain.n; i++) fake_fini(&chain.smt[i]);
    sluice_schema_free(chain.schema);
    sluice_batch_fini(&chain.batch);
    sluice_batch_fini(&chain.input);
}

TEST(nothing_is_allocated_per_record_with_schemas) { steady(true); }

TEST(nothing_is_allocated_per_record_without_schemas) { steady(false); }

TEST(nothing_is_allocated_per_number)
{
    struct fake_host fake;
    struct sluice_batch batch;
    struct sluice_buf out;
    struct sluice_err err;
    sluice_batch_init(&batch);
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    fake_init(&fake, &sluice_double_converter, NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    size_t before = 0;
    for (int i = 0; i < 1000; i++) {
        const struct sluice_schema *schema;
        struct sluice_value v = sluice_float64(i), back;
        bool null;
        if (i == 10) before = mallocs;
        sluice_buf_clear(&out);
        sluice_batch_reset(&batch);
        const struct sluice_converter *converter = fake.plugin->converter;
        CHECK_INT(converter->encode(fake.self, "t", NULL, NULL, &v, &out, &null, &err), SLUICE_OK);
        CHECK_INT(converter->decode(fake.self, &batch, "t", NULL, out.data, out.len, &schema, &back,
                                    &err),
                  SLUICE_OK);
        CHECK_DOUBLE(back.u.d, i);
    }
    CHECK_INT(mallocs - before, 0);
    fake_fini(&fake);
    sluice_buf_fini(&out);
    sluice_batch_fini(&batch);
}
