/* Transforms allocate nothing per record once they have seen its schema: mallocs are counted while
 * a chain of all of them runs over the same kinds of records again and again. And what records
 * from outside could make grow without end is bounded. */
#include "base/err.h"
#include "data/transforms/smt.h"
#include "golden/smt.h"
#include "mallocs.h"

#define STEPS 8

static const char value_schema[] =
    "STRUCT[\"id\":INT64,\"s\":?STRING=\"dflt\",\"n\":STRUCT[\"x\":FLOAT64,\"y\":?STRING],"
    "\"d\":BYTES@\"org.apache.kafka.connect.data.Decimal\"#1%{\"scale\"=\"2\"},"
    "\"at\":INT64@\"org.apache.kafka.connect.data.Timestamp\"#1]@\"t.Value\"";
static const char value_text[] = "(l42,null,(d3ff8000000000001,\"12.5\"),b4e20,l1785000000123)";
static const char map_text[] = "{\"id\":l42,\"s\":\"text\",\"n\":{\"x\":d3ff8000000000001,"
                               "\"y\":\"12.5\"},\"d\":l7,\"at\":l1785000000123}";

static const struct {
    const struct sluice_plugin *plugin;
    const char *config;
} steps[STEPS] = {
    {&sluice_insert_field_value, "topic.field=topic;timestamp.field=ts!;static.field=st;"
                                 "static.value=some"},
    {&sluice_flatten_value, "delimiter=_"},
    {&sluice_cast_value, "spec=id:string,n_y:float64,d:string,at:string,n_x:int8"},
    {&sluice_header_from_value, "fields=s,n_x;headers=h1,h2;operation=move"},
    {&sluice_insert_header, "header=h3;value.literal=[1,2]"},
    {&sluice_drop_headers, "headers=h1"},
    {&sluice_hoist_field_value, "field=row"},
    {&sluice_extract_field_value, "field=row.n_y;field.syntax.version=V2"},
};

struct run {
    struct fake_host smts[STEPS];
    struct sluice_batch input, batch;
    const struct sluice_schema *schema;
    struct sluice_value v;
};

static void batch_of_50(struct run *run)
{
    struct sluice_err err = {""};
    sluice_batch_reset(&run->batch);
    for (int i = 0; i < 50; i++) {
        struct sluice_record *rec = sluice_batch_append(&run->batch);
        rec->topic = rec->origin_topic = "t";
        rec->timestamp_ms = 1785000000123;
        rec->value_schema = run->schema;
        rec->value = run->v;
        for (int k = 0; k < STEPS; k++) {
            struct fake_host *smt = &run->smts[k];
            if (smt->plugin->transform->apply(smt->self, &run->batch, rec, &err) != SLUICE_OK) {
                FAIL("%s: %s", smt->plugin->name, err.msg);
            }
        }
        CHECK_INT(rec->value.type, SLUICE_FLOAT64);
        CHECK_DOUBLE(rec->value.u.d, 12.5);
        CHECK_INT(rec->headers_len, 2);
    }
}

static void steady(const char *schema, const char *value)
{
    struct run run;
    memset(&run, 0, sizeof run);
    sluice_batch_init(&run.input);
    sluice_batch_init(&run.batch);
    for (int k = 0; k < STEPS; k++) {
        fake_init(&run.smts[k], steps[k].plugin, NULL);
        fake_configure(&run.smts[k], steps[k].config);
        CHECK_INT(fake_open(&run.smts[k]), SLUICE_OK);
    }
    struct text_reader schema_reader = {schema, &run.input}, value_reader = {value, &run.input};
    run.schema = smt_read_schema(&run.input, &schema_reader);
    run.v = text_read_value(&value_reader);
    for (int i = 0; i < 10; i++) batch_of_50(&run);
    size_t before = mallocs;
    for (int i = 0; i < 100; i++) batch_of_50(&run);
    CHECK_INT(mallocs - before, 0); /* of 5,000 records through 8 transforms */
    for (int k = 0; k < STEPS; k++) fake_fini(&run.smts[k]);
    sluice_batch_fini(&run.batch);
    sluice_batch_fini(&run.input);
}

TEST(transforms_allocate_nothing_per_record_with_schemas) { steady(value_schema, value_text); }

TEST(transforms_allocate_nothing_per_record_without_schemas) { steady("-", map_text); }

/* ---- bounds ---- */

static enum sluice_verdict flatten_one(struct sluice_batch *batch, struct sluice_value value,
                                       struct sluice_err *err)
{
    struct fake_host fake;
    fake_init(&fake, &sluice_flatten_value, NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    struct sluice_record *rec = sluice_batch_append(batch);
    rec->topic = "t";
    rec->value = value;
    enum sluice_verdict verdict = fake.plugin->transform->apply(fake.self, batch, rec, err);
    fake_fini(&fake);
    return verdict;
}

static struct sluice_value one_entry(struct sluice_batch *batch, const char *key, size_t len,
                                     struct sluice_value v)
{
    struct smt_map map = smt_map_copy(batch, NULL, 1);
    smt_map_put(&map, key, len, v);
    return smt_map_value(&map);
}

TEST(flatten_refuses_maps_nested_without_end)
{
    struct sluice_batch batch;
    struct sluice_err err = {""};
    sluice_batch_init(&batch);
    struct sluice_value v = sluice_int64(1);
    for (int i = 0; i < 1000; i++) v = one_entry(&batch, "k", 1, v);
    CHECK_INT(flatten_one(&batch, v, &err), SLUICE_OK);
    v = one_entry(&batch, "k", 1, v);
    CHECK_INT(flatten_one(&batch, v, &err), SLUICE_FAIL);
    CHECK_HAS(err.msg, "cannot flatten maps that are nested deeper than 1000");
    sluice_batch_fini(&batch);
}

/* A megabyte of record whose joined names would take gigabytes. */
TEST(flatten_refuses_names_that_multiply)
{
    static char key[500001];
    struct sluice_batch batch;
    struct sluice_err err = {""};
    memset(key, 'k', sizeof key - 1);
    sluice_batch_init(&batch);
    struct smt_map many = smt_map_copy(&batch, NULL, 1000);
    for (; many.n < 1000; many.n++) {
        char *name = sluice_batch_alloc(&batch, 8);
        int len = snprintf(name, 8, "f%zu", many.n);
        many.items[2 * many.n] = sluice_string(name, (size_t)len);
        many.items[2 * many.n + 1] = sluice_int64(1);
    }
    struct sluice_value v = one_entry(&batch, key, sizeof key - 1, smt_map_value(&many));
    CHECK_INT(flatten_one(&batch, v, &err), SLUICE_FAIL);
    CHECK_HAS(err.msg, "the flattened names of this record take more than 67108864 bytes");
    sluice_batch_fini(&batch);
}

TEST(a_struct_that_does_not_fit_its_schema_is_refused)
{
    static const struct sluice_plugin *const all[] = {
        &sluice_cast_value, &sluice_extract_field_value, &sluice_flatten_value,
        &sluice_header_from_value, &sluice_insert_field_value};
    static const char *const configs[] = {"spec=id:string", "field=id", "-",
                                          "fields=id;headers=h;operation=copy",
                                          "topic.field=topic"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct fake_host fake;
        struct sluice_batch batch;
        struct sluice_err err = {""};
        sluice_batch_init(&batch);
        fake_init(&fake, all[i], NULL);
        fake_configure(&fake, configs[i]);
        CHECK_INT(fake_open(&fake), SLUICE_OK);
        struct text_reader schema = {"STRUCT[\"id\":INT64,\"s\":?STRING]", &batch};
        struct text_reader value = {"(l1)", &batch};
        struct sluice_record *rec = sluice_batch_append(&batch);
        rec->value_schema = smt_read_schema(&batch, &schema);
        rec->value = text_read_value(&value);
        CHECK_INT(fake.plugin->transform->apply(fake.self, &batch, rec, &err), SLUICE_FAIL);
        CHECK_HAS(err.msg, "does not fit its schema: it has 1 values, the schema without name has "
                           "2 fields");
        fake_fini(&fake);
        sluice_batch_fini(&batch);
    }
}

/* Plans of schemas that come and go are given up; none leaks. */
TEST(plans_of_many_schemas_are_bounded)
{
    struct fake_host fake;
    struct sluice_err err = {""};
    size_t before = sluice_schema_count();
    fake_init(&fake, &sluice_insert_field_value, "topic.field", "topic", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    for (int i = 0; i < 3000; i++) {
        char text[64];
        struct sluice_batch batch;
        sluice_batch_init(&batch);
        snprintf(text, sizeof text, "STRUCT[\"f%d\":INT64]", i);
        struct text_reader schema = {text, &batch}, value = {"(l1)", &batch};
        struct sluice_record *rec = sluice_batch_append(&batch);
        rec->topic = "t";
        rec->value_schema = smt_read_schema(&batch, &schema);
        rec->value = text_read_value(&value);
        CHECK_INT(fake.plugin->transform->apply(fake.self, &batch, rec, &err), SLUICE_OK);
        sluice_batch_fini(&batch);
        CHECK(sluice_schema_count() < before + 2100);
    }
    CHECK(sluice_schema_count() > before + 1900);
    fake_fini(&fake);
    CHECK_INT(sluice_schema_count(), before);
}
