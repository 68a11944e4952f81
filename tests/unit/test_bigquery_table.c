/* test_bigquery_table.c - tables that are created and changed for the rows, against a stub. */
#include "bq_test.h"

#define LACKS(field)                                                                               \
    "{\"insertErrors\":[{\"index\":0,\"errors\":[{\"reason\":\"invalid\",\"location\":\"" field    \
    "\",\"message\":\"no such field: " field ".\"}]},{\"index\":1,\"errors\":[{\"reason\":"        \
    "\"stopped\",\"location\":\"\",\"message\":\"\"}]}]}"
#define MISSES(field)                                                                              \
    "{\"insertErrors\":[{\"index\":0,\"errors\":[{\"reason\":\"invalid\",\"location\":\"\","       \
    "\"message\":\"Missing required field: " field ".\"}]}]}"

static void has_table(struct bq_test *t, const char *fields)
{
    char body[2048];
    snprintf(body, sizeof body, "{\"etag\":\"e7\",\"schema\":{\"fields\":%s}}", fields);
    stub_rule(t->stub, "GET", "/tables/t?", 0, 200, body);
}

/* The request's body, or a piece of it, in one canonical form. */
static void check_sent(struct bq_test *t, const char *method, const char *path, const char *want)
{
    const struct stub_request *req = stub_request(t->stub, method, path, 0);
    CHECK(req != NULL);
    json_t *got = json_loads(req->body, 0, NULL), *json = json_loads(want, 0, NULL);
    CHECK(got != NULL && json != NULL);
    char *text = json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS);
    char *sorted = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    CHECK_STR(text, sorted);
    free(text);
    free(sorted);
    json_decref(got);
    json_decref(json);
}

#define F1_OPT "{\"name\":\"f1\",\"type\":\"STRING\",\"mode\":\"NULLABLE\"}"
#define F1_REQ "{\"name\":\"f1\",\"type\":\"STRING\",\"mode\":\"REQUIRED\"}"
#define F2_OPT "{\"name\":\"f2\",\"type\":\"STRING\",\"mode\":\"NULLABLE\"}"
#define F2_REQ "{\"name\":\"f2\",\"type\":\"STRING\",\"mode\":\"REQUIRED\"}"

static void give_f1(struct bq_test *t, int64_t offset)
{
    bq_give(t, offset, bq_struct(t, "f1", &bq_string, NULL), BQ_LIST(bq_text("v")));
}

TEST(a_missing_table_is_created_from_the_schema)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "partitionExpirationMs", "86400000");
    stub_error(t.stub, INSERT, 1, 404, "notFound", NO_TABLE);
    bq_open_task(&t);
    struct sluice_schema described = bq_string;
    described.doc = "what it is";
    struct sluice_field field = {"f1", &described};
    struct sluice_schema schema = {
        .type = SLUICE_STRUCT, .fields = &field, .fields_len = 1, .doc = "all of them"};
    t.schemas[t.schemas_n++] = sluice_schema_intern(&schema);
    bq_give(&t, 0, t.schemas[0], BQ_LIST(bq_text("v")));
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(stub_count(t.stub, "POST", "/tables?"), 1);
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 2);
    CHECK_INT(stub_count(t.stub, "GET", "/"), 0);
    CHECK_STR(stub_request(t.stub, "POST", "/tables?", 0)->path,
              "/bigquery/v2/projects/p/datasets/d/tables?prettyPrint=false");
    check_sent(&t, "POST", "/tables?",
               "{\"tableReference\":{\"projectId\":\"p\",\"datasetId\":\"d\",\"tableId\":\"t\"},"
               "\"schema\":{\"fields\":[{\"name\":\"f1\",\"type\":\"STRING\",\"mode\":\"REQUIRED\","
               "\"description\":\"what it is\"}]},\"description\":\"all of them\","
               "\"timePartitioning\":{\"type\":\"DAY\",\"expirationMs\":\"86400000\"}}");
    bq_fini(&t);
}

TEST(without_auto_create_a_missing_table_fails_the_task)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "autoCreateTables", "false");
    stub_error(t.stub, INSERT, 0, 404, "notFound", NO_TABLE);
    bq_open_task(&t);
    give_f1(&t, 0);
    bq_put_all(&t);
    CHECK_INT(bq_finish(&t), SLUICE_FAIL);
    CHECK_HAS(t.fake.err.msg, "table d.t does not exist");
    CHECK_HAS(t.fake.err.msg, "autoCreateTables");
    CHECK_INT(stub_count(t.stub, "POST", "/tables?"), 0);
    bq_fini(&t);
}

TEST(schemaless_rows_create_no_table)
{
    struct bq_test t;
    bq_init(&t);
    stub_error(t.stub, INSERT, 0, 404, "notFound", NO_TABLE);
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    CHECK_INT(bq_finish(&t), SLUICE_FAIL);
    CHECK_HAS(t.fake.err.msg, "the records of topic t have no schema");
    bq_fini(&t);
}

TEST(a_table_that_another_task_created_is_fine)
{
    struct bq_test t;
    bq_init(&t);
    stub_error(t.stub, INSERT, 3, 404, "notFound", NO_TABLE); /* it takes a while to be seen */
    stub_error(t.stub, "/tables?", 1, 409, "duplicate", "Already Exists: Table p:d.t");
    bq_open_task(&t);
    give_f1(&t, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(stub_count(t.stub, "POST", "/tables?"), 1);
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 4);
    CHECK(t.fake.troubles > 0);
    CHECK(t.fake.trouble == NULL);
    bq_fini(&t);
}

TEST(creation_is_retried_when_it_may_pass)
{
    struct bq_test t;
    bq_init(&t);
    stub_error(t.stub, INSERT, 1, 404, "notFound", NO_TABLE);
    stub_error(t.stub, "/tables?", 1, 503, "backendError", "wait");
    stub_error(t.stub, "/tables?", 1, 403, "rateLimitExceeded",
               "Exceeded rate limits: too many table update operations for this table");
    bq_open_task(&t);
    give_f1(&t, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(stub_count(t.stub, "POST", "/tables?"), 3);
    bq_fini(&t);
}

TEST(creation_that_is_refused_fails_the_task)
{
    struct bq_test t;
    bq_init(&t);
    stub_error(t.stub, INSERT, 0, 404, "notFound", NO_TABLE);
    stub_error(t.stub, "/tables?", 0, 403, "accessDenied", "Permission bigquery.tables.create");
    bq_open_task(&t);
    give_f1(&t, 0);
    bq_put_all(&t);
    CHECK_INT(bq_finish(&t), SLUICE_FAIL);
    CHECK_HAS(t.fake.err.msg, "creating table p.d.t failed: BigQuery answered 403 accessDenied: "
                              "Permission bigquery.tables.create: grant");
    bq_fini(&t);
}

TEST(partitioning_and_clustering_are_set_at_creation)
{
    static const struct {
        const char *type, *field, *want;
    } cases[] = {
        {"MONTH", NULL, "\"timePartitioning\":{\"type\":\"MONTH\"}"},
        {"year", NULL, "\"timePartitioning\":{\"type\":\"YEAR\"}"},
        {"HOUR", "f1",
         "\"timePartitioning\":{\"type\":\"HOUR\",\"field\":\"f1\"},\"clustering\":{\"fields\":"
         "[\"a\",\"b\"]}"},
        {"NONE", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bq_test t;
        bq_init(&t);
        fake_set(&t.fake, "timePartitioningType", cases[i].type);
        fake_set(&t.fake, "clusteringPartitionFieldNames", "a, b");
        if (cases[i].field) fake_set(&t.fake, "timestampPartitionFieldName", cases[i].field);
        stub_error(t.stub, INSERT, 1, 404, "notFound", NO_TABLE);
        bq_open_task(&t);
        give_f1(&t, 0);
        bq_put_all(&t);
        bq_finish_ok(&t);
        const char *body = stub_request(t.stub, "POST", "/tables?", 0)->body;
        if (cases[i].want) CHECK_HAS(body, cases[i].want);
        else CHECK(!strstr(body, "timePartitioning"));
        if (!cases[i].field) CHECK(!strstr(body, "clustering"));
        bq_fini(&t);
    }
}

TEST(new_columns_are_added_and_all_rows_sent_again)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "allowNewBigQueryFields", "true");
    has_table(&t, "[" F1_OPT ",{\"name\":\"only_there\",\"type\":\"DATE\"}]");
    stub_rule(t.stub, "POST", INSERT, 2, 200, LACKS("f2")); /* the change is seen late */
    bq_open_task(&t);
    const struct sluice_schema *schema =
        bq_struct(&t, "F1", &bq_string_opt, "f2", &bq_string_opt, NULL);
    bq_give(&t, 0, schema, BQ_LIST(bq_text("a"), bq_text("b")));
    bq_give(&t, 1, schema, BQ_LIST(bq_text("c"), sluice_null()));
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, t.fake.done_n == 2);
    check_sent(&t, "PATCH", "/tables/t",
               "{\"schema\":{\"fields\":[" F1_OPT
               ",{\"name\":\"only_there\",\"type\":\"DATE\"}," F2_OPT "]}}");
    CHECK_HAS(stub_request(t.stub, "PATCH", "/tables/t", 0)->head, "If-Match: e7");
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 3);
    CHECK_STR(bq_body(&t, 2), bq_body(&t, 0));
    CHECK_INT(t.fake.rejects_n, 0);
    bq_fini(&t);
}

/* f2 is not allowed: the row is rejected, the others are written. */
static void check_denied(const char *flag, const struct sluice_schema *f2, const char *table,
                         const char *answer, const char *want)
{
    struct bq_test t;
    bq_init(&t);
    if (flag) fake_set(&t.fake, flag, "true");
    has_table(&t, table);
    stub_rule(t.stub, "POST", INSERT, 1, 200, answer);
    bq_open_task(&t);
    const struct sluice_schema *schema = bq_struct(&t, "f1", &bq_string_opt, "f2", f2, NULL);
    bq_give(&t, 0, schema, BQ_LIST(sluice_null(), bq_text("b")));
    bq_give(&t, 1, schema, BQ_LIST(bq_text("c"), bq_text("d")));
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_HAS(fake_rejected(&t.fake, 1), want);
    CHECK(!fake_rejected(&t.fake, 2));
    CHECK_INT(stub_count(t.stub, "PATCH", "/"), 0);
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 2);
    bq_fini(&t);
}

TEST(changes_that_are_not_allowed_reject_the_row)
{
    check_denied(NULL, &bq_string_opt, "[" F1_OPT "]", LACKS("f2"), "no such field: f2.");
    check_denied("allowBigQueryRequiredFieldRelaxation", &bq_string_opt, "[" F1_OPT "]",
                 LACKS("f2"), "New Field found with the name f2");
    check_denied("allowNewBigQueryFields", &bq_string, "[" F1_OPT "]", LACKS("f2"),
                 "set allowBigQueryRequiredFieldRelaxation to true");
    check_denied("allowNewBigQueryFields", &bq_string_opt, "[" F1_REQ "," F2_OPT "]", MISSES("f1"),
                 "column f1 is REQUIRED, but optional in the records");
    check_denied("allowNewBigQueryFields", &bq_string_opt,
                 "[" F1_OPT "," F2_OPT
                 ",{\"name\":\"f3\",\"type\":\"DATE\",\"mode\":\"REQUIRED\"}]",
                 MISSES("f3"), "column f3 is REQUIRED, but the records lack it");
    check_denied("allowNewBigQueryFields", &bq_string_opt,
                 "[" F1_OPT ",{\"name\":\"f2\",\"type\":\"RECORD\",\"fields\":[]}]", LACKS("f2"),
                 "a column's type cannot change");
}

/* The patch for a record schema, with all flags that stand in flags ("n", "r", "u"). */
static void check_patch(const char *flags, const struct sluice_schema *f1,
                        const struct sluice_schema *f2, const char *table, const char *answer,
                        const char *want)
{
    struct bq_test t;
    char patch[1024];
    bq_init(&t);
    if (strchr(flags, 'n')) fake_set(&t.fake, "allowNewBigQueryFields", "true");
    if (strchr(flags, 'r')) fake_set(&t.fake, "allowBigQueryRequiredFieldRelaxation", "true");
    if (strchr(flags, 'u')) fake_set(&t.fake, "allowSchemaUnionization", "true");
    has_table(&t, table);
    stub_rule(t.stub, "POST", INSERT, 1, 200, answer);
    bq_open_task(&t);
    struct sluice_value value = f2 && f2->type == SLUICE_ARRAY
                                    ? bq_values(&t, SLUICE_ARRAY, BQ_LIST(sluice_int32(1)))
                                    : bq_text("b");
    const struct sluice_schema *schema = f1 && f2
                                             ? bq_struct(&t, "f1", f1, "f2", f2, NULL)
                                             : bq_struct(&t, f1 ? "f1" : "f2", f1 ? f1 : f2, NULL);
    for (int64_t i = 0; i < 2; i++) {
        if (f1 && f2) bq_give(&t, i, schema, BQ_LIST(bq_text("a"), value));
        else bq_give(&t, i, schema, 1, &value);
    }
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, t.fake.done_n == 2);
    snprintf(patch, sizeof patch, "{\"schema\":{\"fields\":[%s]}}", want);
    check_sent(&t, "PATCH", "/tables/t", patch);
    bq_fini(&t);
}

TEST(required_columns_are_relaxed_and_added)
{
    static const struct sluice_schema list = {.type = SLUICE_ARRAY, .elem = &bq_int32};
    check_patch("r", &bq_string_opt, NULL, "[" F1_REQ "]", MISSES("f1"), F1_OPT);
    check_patch("nr", &bq_string, &bq_string, "[" F1_REQ "]", LACKS("f2"), F1_REQ "," F2_OPT);
    check_patch("nru", NULL, &bq_string, "[" F1_REQ "]", LACKS("f2"), F1_OPT "," F2_OPT);
    check_patch("nu", &bq_string, &list, "[" F1_REQ "]", LACKS("f2"),
                F1_REQ ",{\"name\":\"f2\",\"type\":\"INTEGER\",\"mode\":\"REPEATED\"}");
}

TEST(nested_columns_are_added)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "allowNewBigQueryFields", "true");
    has_table(&t, "[{\"name\":\"r\",\"type\":\"RECORD\",\"mode\":\"NULLABLE\",\"fields\":[" F1_OPT
                  "]}]");
    stub_rule(t.stub, "POST", INSERT, 1, 200, LACKS("r.f2"));
    bq_open_task(&t);
    const struct sluice_schema *inner =
        bq_struct(&t, "f1", &bq_string_opt, "f2", &bq_string_opt, NULL);
    struct sluice_value value = bq_values(&t, SLUICE_STRUCT, BQ_LIST(bq_text("a"), bq_text("b")));
    const struct sluice_schema *outer = bq_struct(&t, "r", inner, NULL);
    for (int64_t i = 0; i < 2; i++) bq_give(&t, i, outer, 1, &value);
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, t.fake.done_n == 2);
    check_sent(&t, "PATCH", "/tables/t",
               "{\"schema\":{\"fields\":[{\"name\":\"r\",\"type\":\"RECORD\",\"mode\":\"NULLABLE\","
               "\"fields\":[" F1_OPT "," F2_OPT "]}]}}");
    bq_fini(&t);
}

TEST(several_record_schemas_fold_into_one_table)
{
    for (int unionized = 0; unionized < 2; unionized++) {
        struct bq_test t;
        bq_init(&t);
        fake_set(&t.fake, "allowSchemaUnionization", unionized ? "true" : "false");
        stub_error(t.stub, INSERT, 1, 404, "notFound", NO_TABLE);
        bq_open_task(&t);
        bq_give(&t, 0, bq_struct(&t, "f1", &bq_string_opt, NULL), BQ_LIST(bq_text("a")));
        bq_give(&t, 1, bq_struct(&t, "f1", &bq_string, "f2", &bq_string, NULL),
                BQ_LIST(bq_text("b"), bq_text("c")));
        bq_give(&t, 2, bq_struct(&t, "f1", &bq_string, NULL), BQ_LIST(bq_text("d")));
        bq_put_all(&t);
        bq_finish_ok(&t);
        const char *body = stub_request(t.stub, "POST", "/tables?", 0)->body;
        CHECK_HAS(body, unionized ? "[" F1_OPT "," F2_OPT "]" : "[" F1_REQ "]");
        bq_fini(&t);
    }
}

TEST(a_table_without_schema_gets_one)
{
    struct bq_test t;
    bq_init(&t);
    stub_rule(t.stub, "GET", "/tables/t?", 0, 200, "{\"id\":\"p:d.t\"}");
    stub_error(t.stub, INSERT, 1, 400, "invalid", "The destination table has no schema.");
    bq_open_task(&t);
    give_f1(&t, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    check_sent(&t, "PATCH", "/tables/t", "{\"schema\":{\"fields\":[" F1_REQ "]}}");
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 2);
    bq_fini(&t);
}

TEST(a_table_that_changed_meanwhile_is_read_again)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "allowNewBigQueryFields", "true");
    stub_rule(t.stub, "GET", "/tables/t?", 1, 200, "{\"schema\":{\"fields\":[" F1_OPT "]}}");
    has_table(&t, "[" F1_OPT ",{\"name\":\"f9\",\"type\":\"DATE\"}]");
    stub_error(t.stub, "/tables/t?", 1, 412, "conditionNotMet", "Precondition Failed");
    stub_rule(t.stub, "POST", INSERT, 1, 200, LACKS("f2"));
    bq_open_task(&t);
    const struct sluice_schema *schema =
        bq_struct(&t, "f1", &bq_string_opt, "f2", &bq_string_opt, NULL);
    for (int64_t i = 0; i < 2; i++) bq_give(&t, i, schema, BQ_LIST(bq_text("a"), bq_text("b")));
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, t.fake.done_n == 2);
    CHECK_INT(stub_count(t.stub, "PATCH", "/tables/t"), 2);
    CHECK_HAS(stub_request(t.stub, "PATCH", "/tables/t", 1)->body, "\"f9\"");
    bq_fini(&t);
}

TEST(a_partition_that_is_lost_during_a_change_does_no_harm)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "allowNewBigQueryFields", "true");
    has_table(&t, "[" F1_OPT "]");
    stub_rule(t.stub, "POST", INSERT, 1, 200, LACKS("f2"));
    bq_open_task(&t);
    const struct sluice_schema *schema =
        bq_struct(&t, "f1", &bq_string_opt, "f2", &bq_string_opt, NULL);
    for (int64_t i = 0; i < 2; i++) bq_give(&t, i, schema, BQ_LIST(bq_text("a"), bq_text("b")));
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, stub_count(t.stub, "GET", "/tables/t") == 1);
    bq_plugin()->sink->drop(t.fake.self, "t", 0);
    for (int i = 0; i < 5; i++) CHECK_INT(fake_work(&t.fake, 10), SLUICE_OK);
    for (int64_t i = 0; i < 2; i++) bq_give(&t, i, schema, BQ_LIST(bq_text("a"), bq_text("b")));
    bq_put_all(&t);
    bq_finish_ok(&t);
    bq_fini(&t);
}
