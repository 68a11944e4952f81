/* datagen: Materialize's datasets with _meta. The golden records are what its own
 * generateMegaRecord makes with FakerJS 8.4.1 (tests/golden/datagen/README.md). */
#include "datagen_test.h"

static char *line_of(const struct sluice_record *rec)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    (void)fprintf(out, "%s\t", rec->topic);
    if (rec->key.type == SLUICE_STRING) (void)fprintf(out, "%.*s", (int)rec->key.len, rec->key.u.s);
    (void)fputc('\t', out);
    put_json(out, &rec->value);
    (void)fclose(out);
    return text;
}

static void begin(struct fake_host *fake, const char *schema)
{
    fake_init(fake, sluice_plugins_v1()[0], "max.interval", "0", "random.seed", "42",
              "schema.string", schema, NULL);
}

static void open_ok(struct fake_host *fake)
{
    if (fake_open(fake) != SLUICE_OK) FAIL("%s", fake->err.msg);
}

static void check_golden(const char *schema_name, const char *golden_name, size_t room)
{
    struct fake_host fake;
    char *schema = harness_file(schema_name, NULL), *golden = harness_file(golden_name, NULL);
    begin(&fake, schema);
    open_ok(&fake);
    fake.room_records = room;
    size_t n = 0;
    for (char *line = golden, *end; *line; line = end + 1, n++) {
        end = strchr(line, '\n');
        *end = '\0';
        while (fake.n <= n) CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
        char *got = line_of(&fake.records[n]);
        CHECK_STR(got, line);
        free(got);
    }
    CHECK(n > 50);
    fake_fini(&fake);
    free(schema);
    free(golden);
}

TEST(meta_ecommerce_is_what_materialize_makes)
{
    check_golden("../configs/datagen/ecommerce.json", "golden/datagen/meta_ecommerce.txt", 10000);
    check_golden("../configs/datagen/ecommerce.json", "golden/datagen/meta_ecommerce.txt", 1);
    check_golden("../configs/datagen/ecommerce.json", "golden/datagen/meta_ecommerce.txt", 7);
}

TEST(meta_circles_are_what_materialize_makes)
{
    check_golden("golden/datagen/meta_circle.json", "golden/datagen/meta_circle.txt", 3);
}

TEST(meta_odd_forms_are_what_materialize_makes)
{
    check_golden("golden/datagen/meta_forms.json", "golden/datagen/meta_forms.txt", 10000);
    check_golden("golden/datagen/meta_forms.json", "golden/datagen/meta_forms.txt", 2);
}

static const struct sluice_value *get(const struct sluice_record *rec, const char *key)
{
    for (uint32_t i = 0; i < rec->value.len; i++) {
        const struct sluice_value *name = &rec->value.u.v[2 * i];
        if (name->len == strlen(key) && memcmp(name->u.s, key, name->len) == 0) return name + 1;
    }
    FAIL("%s has no field %s", rec->topic, key);
}

static bool is(const struct sluice_record *rec, const char *topic)
{
    return strcmp(rec->topic, topic) == 0;
}

TEST(meta_ecommerce_holds_its_relationships)
{
    struct fake_host fake;
    char *schema = harness_file("../configs/datagen/ecommerce.json", NULL);
    begin(&fake, schema);
    fake_set(&fake, "iterations", "1000");
    open_ok(&fake);
    fake.room_records = 100000;
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    size_t i = 0, zero_ids = 0;
    for (int iteration = 0; iteration < 1000; iteration++) {
        const struct sluice_record *user = &fake.records[i++], *buys = user + 1;
        CHECK(is(user, "users"));
        int64_t id = get(user, "id")->u.i;
        CHECK(id >= 0 && id <= 1000);
        if (id == 0) {
            zero_ids++;
            CHECK_INT(user->key.type, SLUICE_NULL);
        } else {
            char text[24];
            (void)snprintf(text, sizeof(text), "%lld", (long long)id);
            CHECK_MEM(user->key.u.s, user->key.len, text, strlen(text));
        }
        CHECK(user->value_schema == NULL);
        for (int k = 0; k < 4; k++, i++) {
            CHECK(is(&buys[k], "purchases"));
            CHECK_INT(get(&buys[k], "user_id")->u.i, id);
            CHECK_MEM(buys[k].value.u.v[0].u.s, buys[k].value.u.v[0].len, "user_id", 7);
            CHECK_INT(buys[k].key.len, 36);
            CHECK_MEM(get(&buys[k], "total")->u.s + get(&buys[k], "total")->len - 3, 3, ".00", 3);
        }
        for (int k = 0; k < 4; k++) {
            const struct sluice_value *ids = get(&buys[k], "item_ids");
            CHECK(ids->len >= 1 && ids->len <= 4);
            for (uint32_t j = 0; j < ids->len; j++, i++) {
                CHECK(is(&fake.records[i], "items"));
                CHECK_INT(get(&fake.records[i], "id")->u.i, ids->u.v[j].u.i);
                CHECK(ids->u.v[j].u.i >= 0 && ids->u.v[j].u.i < 5000);
            }
        }
    }
    CHECK_INT(i, fake.n);
    CHECK(zero_ids < 20);
    fake_fini(&fake);
    free(schema);
}

TEST(meta_iterations_end_cleanly_and_index_counts_from_one)
{
    struct fake_host fake;
    begin(&fake, "{\"_meta\":{\"topic\":\"t\",\"key\":\"id\"},\"id\":\"iteration.index\"}");
    fake_set(&fake, "iterations", "10");
    open_ok(&fake);
    for (int i = 0; i < 4; i++) CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    CHECK_INT(fake.n, 10);
    for (size_t i = 0; i < 10; i++) CHECK_INT(get(&fake.records[i], "id")->u.i, i + 1);
    CHECK_STR(fake_text(&fake, NULL, &fake.records[9].key), "\"10\"");
    CHECK(fake_logged(&fake, "idle"));
    CHECK(fake.records[0].headers_len == 0);
    fake_fini(&fake);
}

TEST(meta_prefix_and_record_size)
{
    struct fake_host fake;
    char *schema = harness_file("../configs/datagen/ecommerce.json", NULL);
    begin(&fake, schema);
    fake_set(&fake, "prefix", "pre");
    fake_set(&fake, "record.size", "100");
    fake_set(&fake, "iterations", "3");
    open_ok(&fake);
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    const struct sluice_value *last_user = NULL;
    for (size_t i = 0; i < fake.n; i++) {
        const struct sluice_record *rec = &fake.records[i];
        const struct sluice_value *last = &rec->value.u.v[2 * rec->value.len - 2];
        CHECK(strncmp(rec->topic, "pre_", 4) == 0);
        CHECK_MEM(last[0].u.s, last[0].len, "recordSizePayload", 17);
        CHECK_INT(last[1].len, 100);
        for (int k = 0; k < 100; k++) {
            CHECK(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                         last[1].u.s[k]) != NULL);
        }
        if (is(rec, "pre_purchases") && is(rec + 1, "pre_purchases")) {
            const struct sluice_value *next = &rec[1].value.u.v[2 * rec[1].value.len - 1];
            CHECK_MEM(next->u.s, next->len, last[1].u.s, last[1].len);
        }
        if (is(rec, "pre_users")) {
            CHECK(!last_user || memcmp(last_user->u.s, last[1].u.s, 100) != 0);
            last_user = &last[1];
        }
    }
    CHECK(last_user != NULL);
    fake_fini(&fake);
    free(schema);
}

/* Whatever record a restart follows, the rest is what would have come. */
TEST(meta_resumes_exactly_within_an_iteration)
{
    char *schema = harness_file("../configs/datagen/ecommerce.json", NULL);
    struct fake_host whole, part;
    begin(&whole, schema);
    open_ok(&whole);
    whole.room_records = 60;
    CHECK_INT(fake_poll(&whole, 0), SLUICE_OK);
    for (size_t cut = 1; cut < 40; cut += 3) {
        const char *offset = fake_offset(&whole, &whole.records[cut - 1]);
        CHECK(offset != NULL);
        begin(&part, schema);
        fake_set(&part, "random.seed", "7"); /* the offset's counts */
        fake_resume(&part, "{\"task.id\":0}", offset);
        open_ok(&part);
        part.room_records = 20;
        while (part.n < 20) CHECK_INT(fake_poll(&part, 0), SLUICE_OK);
        for (size_t i = 0; i < 20; i++) {
            char *got = line_of(&part.records[i]), *want = line_of(&whole.records[cut + i]);
            CHECK_STR(got, want);
            free(got);
            free(want);
        }
        fake_fini(&part);
    }
    fake_fini(&whole);
    free(schema);
}

TEST(meta_inferred_schemas_fit_their_values)
{
    struct fake_host fake;
    char *schema = harness_file("../configs/datagen/ecommerce.json", NULL);
    begin(&fake, schema);
    fake_set(&fake, "schema.infer", "true");
    open_ok(&fake);
    fake.room_records = 200;
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    const struct sluice_record *rec = &fake.records[0];
    CHECK_STR(rec->value_schema->name, "users");
    CHECK_INT(rec->value_schema->fields[0].schema->type, SLUICE_INT64);
    CHECK_STR(rec->value_schema->fields[1].name, "name");
    CHECK_INT(rec->value_schema->fields[1].schema->type, SLUICE_STRING);
    for (size_t i = 0; i < fake.n; i++) {
        rec = &fake.records[i];
        CHECK_INT(rec->value.type, SLUICE_STRUCT);
        CHECK_INT(rec->value.len, rec->value_schema->fields_len);
        for (uint32_t k = 0; k < rec->value.len; k++) {
            CHECK_INT(rec->value.u.v[k].type, rec->value_schema->fields[k].schema->type);
        }
        if (is(rec, "items")) {
            CHECK_STR(rec->value_schema->fields[0].name, "id");
            CHECK_INT(rec->value_schema->fields[0].schema->type, SLUICE_INT64);
        }
        if (is(rec, "purchases")) {
            CHECK_STR(rec->value_schema->fields[2].name, "item_ids");
            CHECK_INT(rec->value_schema->fields[2].schema->elem->type, SLUICE_INT64);
        }
    }
    fake_fini(&fake);
    free(schema);

    begin(&fake, "{\"_meta\":{\"topic\":\"t\"},\"v\":\"faker.datatype.array()\"}");
    fake_set(&fake, "schema.infer", "true");
    CHECK_INT(fake_open(&fake), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "type of field v of topic t");
    fake_fini(&fake);
}

static void refuses(const char *schema, const char *why)
{
    struct fake_host fake;
    begin(&fake, schema);
    CHECK_INT(fake_open(&fake), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "schema.string");
    CHECK_HAS(fake.err.msg, why);
    fake_fini(&fake);
}

TEST(meta_refuses_what_is_no_dataset)
{
    refuses("[{\"_meta\":{\"topic\":\"t\"},\"id\":5}]", "t.id: numbers and booleans");
    refuses("[{\"_meta\":{\"topic\":\"t\"},\"id\":\"abc\"}]", "\"abc\"");
    refuses("[{\"_meta\":{\"topic\":\"t\"},\"a\":{\"b\":[\"abc\"]}}]", "t.a.b.0");
    refuses("[{\"_meta\":{\"key\":\"t\"}}]", "needs \"_meta\"");
    refuses("[{\"_meta\":{\"topic\":\"t\",\"relationships\":[{\"topic\":\"u\"}]}}]",
            "needs topic, parent_field and child_field");
    refuses(
        "[{\"_meta\":{\"topic\":\"t\",\"relationships\":[{\"topic\":\"u\",\"parent_field\":\"a\","
        "\"child_field\":\"b\",\"records_per\":\"x\"}]}}]",
        "records_per must be a number");
    refuses("[{\"_meta\":{\"topic\":\"t\",\"relationships\":{}}}]", "must be a list");
}

TEST(meta_iterations_are_capped)
{
    struct fake_host fake;
    begin(&fake,
          "[{\"_meta\":{\"topic\":\"a\",\"relationships\":[{\"topic\":\"b\",\"parent_field\":\"x\","
          "\"child_field\":\"y\",\"records_per\":2000}]},\"x\":\"faker.datatype.number()\"},"
          "{\"_meta\":{\"topic\":\"b\",\"relationships\":[{\"topic\":\"c\",\"parent_field\":\"y\","
          "\"child_field\":\"z\",\"records_per\":2000}]}}]");
    open_ok(&fake);
    CHECK_INT(fake_poll(&fake, 0), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "an iteration of more than");
    fake_fini(&fake);
}
