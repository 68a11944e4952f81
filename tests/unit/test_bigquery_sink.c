/* test_bigquery_sink.c - rows to requests and answers to verdicts, against a scripted BigQuery. */
#include "bq_test.h"

static void expect_body(struct bq_test *t, size_t i, const char *rows)
{
    char want[4096];
    snprintf(want, sizeof want, "{\"kind\":\"bigquery#tableDataInsertAllRequest\",\"rows\":%s}",
             rows);
    CHECK_STR(bq_body(t, i), want);
}

TEST(one_record_is_one_request_with_an_insert_id)
{
    struct bq_test t;
    bq_init(&t);
    bq_open_task(&t);
    const struct sluice_schema *schema = bq_struct(&t, "f", &bq_string, NULL);
    bq_give(&t, 0, schema, BQ_LIST(bq_text("v")));
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, t.fake.done_n == 1);
    CHECK(fake_is_done(&t.fake, 1));
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 1);
    CHECK_STR(stub_request(t.stub, "POST", INSERT, 0)->path,
              "/bigquery/v2/projects/p/datasets/d/tables/t/insertAll?prettyPrint=false");
    expect_body(&t, 0, "[{\"insertId\":\"t-0-0\",\"json\":{\"f\":\"v\"}}]");
    CHECK_INT(bq_finish(&t), SLUICE_OK);
    bq_fini(&t);
}

TEST(rows_of_today_go_to_the_partition_of_today)
{
    struct bq_test t;
    char want[64];
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(want, sizeof want, "/tables/t%%24%Y%m%d/insertAll", &tm);
    bq_init(&t);
    fake_set(&t.fake, "bigQueryPartitionDecorator", "true");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(stub_count(t.stub, "GET", "/tables/t?"), 1);
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 1);
    CHECK_HAS(stub_request(t.stub, "POST", INSERT, 0)->path, want);
    bq_fini(&t);
}

TEST(the_partition_may_come_from_the_record)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "bigQueryPartitionDecorator", "true");
    fake_set(&t.fake, "bigQueryMessageTimePartitioning", "true");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0)->timestamp_ms = 1509007584334;
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_HAS(stub_request(t.stub, "POST", INSERT, 0)->path, "/tables/t%2420171026/insertAll");
    t.fake.reject_fails = true;
    bq_give_row(&t, "t", 0, 1)->timestamp_ms = SLUICE_NO_TIMESTAMP;
    CHECK_INT(fake_put(&t.fake), SLUICE_FAIL);
    CHECK_HAS(fake_rejected(&t.fake, 2), "no timestamp");
    bq_fini(&t);
}

TEST(a_table_by_hour_takes_no_decorator)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "bigQueryPartitionDecorator", "true");
    stub_rule(t.stub, "GET", "/tables/t", 0, 200, "{\"timePartitioning\":{\"type\":\"HOUR\"}}");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    CHECK_INT(bq_finish(&t), SLUICE_FAIL);
    CHECK_HAS(t.fake.err.msg, "partitioned by HOUR and not by day");
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 0);
    bq_fini(&t);
}

TEST(tombstones_and_empty_puts_send_nothing)
{
    struct bq_test t;
    bq_init(&t);
    bq_open_task(&t);
    CHECK_INT(fake_put(&t.fake), SLUICE_OK);
    fake_give(&t.fake, "t", 0, 0);
    bq_put_all(&t);
    CHECK(fake_is_done(&t.fake, 1));
    bq_finish_ok(&t);
    CHECK_INT(t.stub->requests_n, 0);
    bq_fini(&t);
}

TEST(backend_errors_pass)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "bigQueryRetry", "3");
    stub_error(t.stub, INSERT, 1, 500, "backendError", "try");
    stub_error(t.stub, INSERT, 1, 502, "badGateway", "again");
    stub_rule(t.stub, NULL, INSERT, 1, 503, "<html>upstream</html>");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, t.fake.done_n == 1);
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 4);
    CHECK_STR(bq_body(&t, 3), bq_body(&t, 0));
    CHECK(t.fake.troubles > 0);
    CHECK(t.fake.trouble == NULL);
    bq_fini(&t);
}

TEST(too_many_requests_wait_for_what_the_server_says)
{
    struct bq_test t;
    bq_init(&t);
    stub_error(t.stub, INSERT, 2, 429, "", "slow down");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 3);
    bq_fini(&t);
}

TEST(an_outage_ends_in_failure_when_it_lasts)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "outageMs", "60");
    stub_error(t.stub, INSERT, 0, 503, "backendError", "down for good");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    CHECK_INT(bq_finish(&t), SLUICE_FAIL);
    CHECK_HAS(t.fake.err.msg, "table d.t: BigQuery answered 503 backendError: down for good");
    CHECK_INT(t.fake.done_n, 0);
    bq_fini(&t);
}

TEST(quota_errors_are_retried_as_often_as_configured)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "bigQueryRetry", "2");
    stub_error(t.stub, INSERT, 1, 403, "quotaExceeded", "quota");
    stub_error(t.stub, INSERT, 1, 403, "rateLimitExceeded", "rate");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 3);
    bq_fini(&t);
}

TEST(quota_errors_without_end_fail_the_task)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "bigQueryRetry", "1");
    stub_error(t.stub, INSERT, 0, 403, "quotaExceeded", "quota");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    CHECK_INT(bq_finish(&t), SLUICE_FAIL);
    CHECK_HAS(t.fake.err.msg, "Exceeded configured 1 attempts for write request");
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 2);
    bq_give_row(&t, "t", 0, 1);
    CHECK_INT(fake_put(&t.fake), SLUICE_FAIL);
    bq_fini(&t);
}

TEST(what_bigquery_refuses_is_not_sent_again)
{
    struct bq_test t;
    bq_init(&t);
    stub_error(t.stub, INSERT, 0, 400, "invalid", "Cannot add required fields to a schema.");
    bq_open_task(&t);
    bq_give_row(&t, "t", 3, 7);
    bq_put_all(&t);
    CHECK_INT(bq_finish(&t), SLUICE_FAIL);
    CHECK_HAS(t.fake.err.msg, "table: d.t insertion failed: BigQuery answered 400 invalid: Cannot "
                              "add required fields to a schema. (1 rows from record t-3-7 on)");
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 1);
    bq_fini(&t);
}

TEST(missing_privileges_and_datasets_are_named)
{
    static const struct {
        int status;
        const char *reason, *message, *want;
    } cases[] = {
        {403, "accessDenied", "Access Denied",
         "grant the service account "
         "roles/bigquery.dataEditor"},
        {404, "notFound", "Not found: Dataset p:d",
         "create the dataset, or correct "
         "defaultDataset"},
        {401, "authError", "Login Required", "set keyfile"},
        {404, "notFound", "Not found: Project p", "Not found: Project p"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bq_test t;
        bq_init(&t);
        stub_error(t.stub, INSERT, 0, cases[i].status, cases[i].reason, cases[i].message);
        bq_open_task(&t);
        bq_give_row(&t, "t", 0, 0);
        bq_put_all(&t);
        CHECK_INT(bq_finish(&t), SLUICE_FAIL);
        CHECK_HAS(t.fake.err.msg, cases[i].want);
        CHECK_HAS(t.fake.err.msg, "d.t");
        bq_fini(&t);
    }
}

#define ROW_ERROR(index, reason, message)                                                          \
    "{\"index\":" index ",\"errors\":[{\"reason\":\"" reason                                       \
    "\",\"location\":\"f\",\"message\":\"" message "\"}]}"

TEST(rows_that_failed_alone_are_sent_alone)
{
    struct bq_test t;
    bq_init(&t);
    stub_rule(t.stub, "POST", INSERT, 1, 200,
              "{\"insertErrors\":[" ROW_ERROR("1", "backendError", "try again") "]}");
    bq_open_task(&t);
    bq_give_row(&t, "test_topic", 1, 0);
    bq_give_row(&t, "test_topic", 1, 1);
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, t.fake.done_n == 2);
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 2);
    expect_body(&t, 1, "[{\"insertId\":\"test_topic-1-1\",\"json\":{\"f\":\"v1\"}}]");
    CHECK_INT(t.fake.done[0], 1);
    CHECK_INT(t.fake.done[1], 2);
    bq_fini(&t);
}

TEST(invalid_rows_are_rejected_and_stopped_ones_sent_again)
{
    struct bq_test t;
    bq_init(&t);
    stub_rule(t.stub, "POST", INSERT, 1, 200,
              "{\"insertErrors\":[" ROW_ERROR("0", "stopped", "") "," ROW_ERROR(
                  "1", "invalid",
                  "Cannot convert value to integer (bad value): x") "," ROW_ERROR("2", "stopped",
                                                                                  "") "]}");
    bq_open_task(&t);
    for (int i = 0; i < 3; i++) bq_give_row(&t, "t", 0, 40 + i);
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, t.fake.done_n == 2);
    CHECK_HAS(fake_rejected(&t.fake, 2),
              "table: d.t insertion failed for the following rows: [row index 1] (location f, "
              "reason: invalid): Cannot convert value to integer (bad value): x (record t-0-41)");
    expect_body(&t, 1,
                "[{\"insertId\":\"t-0-40\",\"json\":{\"f\":\"v40\"}},"
                "{\"insertId\":\"t-0-42\",\"json\":{\"f\":\"v42\"}}]");
    CHECK_INT(t.fake.rejects_n, 1);
    CHECK(fake_is_done(&t.fake, 1) && fake_is_done(&t.fake, 3));
    bq_fini(&t);
}

/* With an invalid row nothing is inserted, so that rows without a word are not taken for written:
 * at worst their insertIds make them known already. */
TEST(rows_beside_an_invalid_one_are_sent_again_even_if_not_listed)
{
    struct bq_test t;
    bq_init(&t);
    stub_rule(t.stub, "POST", INSERT, 1, 200,
              "{\"insertErrors\":[" ROW_ERROR("1", "invalid", "bad") "]}");
    bq_open_task(&t);
    for (int i = 0; i < 3; i++) bq_give_row(&t, "t", 0, i);
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, t.fake.done_n == 2);
    CHECK(fake_is_done(&t.fake, 1) && fake_is_done(&t.fake, 3));
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 2);
    CHECK_HAS(bq_body(&t, 1), "t-0-0");
    CHECK_HAS(bq_body(&t, 1), "t-0-2");
    bq_fini(&t);
}

TEST(an_invalid_row_fails_the_task_when_errors_are_not_tolerated)
{
    struct bq_test t;
    bq_init(&t);
    stub_rule(t.stub, "POST", INSERT, 0, 200,
              "{\"insertErrors\":[" ROW_ERROR("0", "invalid", "bad") "]}");
    t.fake.reject_fails = true;
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 5);
    bq_put_all(&t);
    CHECK_INT(bq_finish(&t), SLUICE_FAIL);
    CHECK_INT(t.fake.done_n, 0);
    CHECK_HAS(fake_rejected(&t.fake, 1), "d.t");
    bq_fini(&t);
}

TEST(row_errors_that_do_not_pass_are_rejected_in_the_end)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "bigQueryRetry", "2");
    stub_rule(t.stub, "POST", INSERT, 0, 200,
              "{\"insertErrors\":[" ROW_ERROR("0", "timeout", "late") "]}");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 5);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 3);
    CHECK_HAS(fake_rejected(&t.fake, 1), "reason: timeout");
    bq_fini(&t);
}

TEST(a_page_that_is_no_answer_is_no_success)
{
    struct bq_test t;
    bq_init(&t);
    stub_rule(t.stub, "POST", INSERT, 1, 200, "<html>please log in to the hotel's wifi</html>");
    stub_rule(t.stub, "POST", INSERT, 1, 200, "");
    stub_rule(t.stub, "POST", INSERT, 1, 200,
              "{\"insertErrors\":[" ROW_ERROR("7", "invalid", "not ours") "]}");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 4);
    CHECK_INT(t.fake.rejects_n, 0);
    bq_fini(&t);
}

TEST(too_large_requests_are_halved)
{
    struct bq_test t;
    bq_init(&t);
    stub_error(t.stub, INSERT, 1, 400, "invalid", "too many rows present in the request, limit: 2");
    stub_rule(t.stub, "POST", INSERT, 1, 413, "<html>too large</html>");
    stub_error(t.stub, INSERT, 1, 400, "badRequest",
               "Request payload size exceeds the limit: 10485760 bytes.");
    bq_open_task(&t);
    for (int i = 0; i < 5; i++) bq_give_row(&t, "t", 0, i);
    bq_put_all(&t);
    bq_finish_ok(&t); /* 5 -> 3 + 2; 3 -> 2 + 1; 2 -> 1 + 1 */
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 3 + 4);
    CHECK_INT(t.fake.rejects_n, 0);
    expect_body(&t, 3, "[{\"insertId\":\"t-0-0\",\"json\":{\"f\":\"v0\"}}]");
    expect_body(&t, 6,
                "[{\"insertId\":\"t-0-3\",\"json\":{\"f\":\"v3\"}},"
                "{\"insertId\":\"t-0-4\",\"json\":{\"f\":\"v4\"}}]");
    bq_fini(&t);
}

TEST(a_row_that_is_too_large_alone_is_rejected)
{
    struct bq_test t;
    bq_init(&t);
    stub_error(t.stub, INSERT, 2, 400, "badRequest", "Request size is too big: 1 limitation: 0");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_give_row(&t, "t", 0, 1);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_HAS(fake_rejected(&t.fake, 1), "even after reducing batch size to 1");
    CHECK(fake_is_done(&t.fake, 2));
    bq_fini(&t);
}

TEST(a_row_of_ten_megabytes_never_leaves)
{
    struct bq_test t;
    bq_init(&t);
    bq_open_task(&t);
    const struct sluice_schema *schema = bq_struct(&t, "f", &bq_string, NULL);
    size_t len = 10u << 20;
    char *text = sluice_batch_alloc(&t.fake.input, len);
    memset(text, '*', len);
    bq_give_row(&t, "t", 0, 0);
    bq_give(&t, 1, schema, BQ_LIST(sluice_string(text, len)));
    bq_give_row(&t, "t", 0, 2);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_HAS(fake_rejected(&t.fake, 2), "Request payload size exceeds the limit");
    expect_body(&t, 0,
                "[{\"insertId\":\"t-0-0\",\"json\":{\"f\":\"v0\"}},"
                "{\"insertId\":\"t-0-2\",\"json\":{\"f\":\"v2\"}}]");
    bq_fini(&t);
}

TEST(requests_keep_within_rows_and_bytes)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "maxRowsPerRequest", "3");
    bq_open_task(&t);
    for (int i = 0; i < 7; i++) bq_give_row(&t, "t", 0, i);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 3);
    CHECK_HAS(bq_body(&t, 0), "t-0-2");
    CHECK_HAS(bq_body(&t, 1), "\"rows\":[{\"insertId\":\"t-0-3\"");
    CHECK_HAS(bq_body(&t, 2), "\"rows\":[{\"insertId\":\"t-0-6\"");
    bq_fini(&t);

    bq_init(&t);
    fake_set(&t.fake, "maxRequestBytes", "1024");
    bq_open_task(&t);
    for (int i = 0; i < 100; i++) bq_give_row(&t, "t", 0, i);
    bq_put_all(&t);
    bq_finish_ok(&t);
    size_t n = stub_count(t.stub, "POST", INSERT);
    CHECK(n >= 4 && n <= 6);
    for (size_t i = 0; i < n; i++) CHECK(stub_request(t.stub, "POST", INSERT, i)->len <= 1024 + 2);
    bq_fini(&t);
}

TEST(one_partition_goes_in_order_and_several_at_once)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "maxRowsPerRequest", "1");
    fake_set(&t.fake, "threadPoolSize", "3");
    struct stub_rule *rule =
        stub_rule(t.stub, "POST", INSERT, 0, 200, "{\"kind\":\"bigquery#ok\"}");
    rule->delay_ms = 20;
    bq_open_task(&t);
    for (int i = 0; i < 3; i++) bq_give_row(&t, "t", 0, i);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(stub_most(t.stub), 1);
    stub_gather(t.stub, 3);
    for (size_t i = 0; i < 3; i++) {
        char id[32];
        snprintf(id, sizeof id, "\"t-0-%zu\"", i);
        CHECK_HAS(bq_body(&t, i), id);
    }
    for (int i = 0; i < 8; i++) bq_give_row(&t, "t", 1 + i, i);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(stub_most(t.stub), 3); /* as many as threadPoolSize says */
    CHECK(t.stub->conns_made <= 5);  /* kept alive */
    bq_fini(&t);
}

TEST(a_full_queue_asks_to_wait_and_takes_all_or_none)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "queueBytes", "65536");
    struct stub_rule *rule = stub_rule(t.stub, "POST", INSERT, 1, 200, "{\"kind\":\"ok\"}");
    rule->delay_ms = 150;
    bq_open_task(&t);
    int64_t offset = 0;
    enum sluice_verdict verdict = SLUICE_OK;
    for (int i = 0; i < 100 && verdict == SLUICE_OK; i++) {
        for (int n = 0; n < 100; n++) bq_give_row(&t, "t", 0, offset++);
        verdict = fake_put(&t.fake);
        if (verdict == SLUICE_OK && i == 0) CHECK_INT(fake_work(&t.fake, 0), SLUICE_OK);
    }
    CHECK_INT(verdict, SLUICE_RETRY);
    CHECK(offset < 3000);
    BQ_WORK_UNTIL(&t, fake_put(&t.fake) == SLUICE_OK); /* the same records come again */
    bq_finish_ok(&t);
    CHECK_INT(t.fake.done_n, offset);
    bq_fini(&t);
}

TEST(queue_size_counts_batches)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "queueSize", "2");
    fake_set(&t.fake, "maxRowsPerRequest", "1");
    struct stub_rule *rule = stub_rule(t.stub, "POST", INSERT, 1, 200, "{\"kind\":\"ok\"}");
    rule->delay_ms = 50;
    bq_open_task(&t);
    for (int i = 0; i < 3; i++) bq_give_row(&t, "t", 0, i);
    bq_put_all(&t);
    bq_give_row(&t, "t", 0, 3);
    CHECK_INT(fake_put(&t.fake), SLUICE_RETRY);
    BQ_WORK_UNTIL(&t, fake_put(&t.fake) == SLUICE_OK);
    CHECK(t.fake.done_n >= 2); /* half of it is empty again */
    bq_finish_ok(&t);
    bq_fini(&t);
}

TEST(work_neither_waits_past_its_time_nor_a_wake)
{
    struct bq_test t;
    bq_init(&t);
    stub_gather(t.stub, 2); /* the answer does not come */
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, stub_count(t.stub, "POST", INSERT) == 1);
    CHECK_INT(fake_work(&t.fake, 60), SLUICE_OK);
    pthread_t thread;
    long long start = stub_now();
    fake_wake_after(&t.fake, 20, &thread);
    CHECK_INT(fake_work(&t.fake, BQ_LONG_MS), SLUICE_OK);
    CHECK(stub_now() - start < BQ_LONG_MS / 2);
    fake_wake_join(&t.fake, thread);
    CHECK_INT(t.fake.done_n, 0);
    stub_gather(t.stub, 0);
    bq_finish_ok(&t);
    bq_fini(&t);
}

TEST(an_endpoint_that_is_away_is_tried_until_it_is_back)
{
    struct bq_test t;
    bq_init(&t);
    stub_free(t.stub);
    t.stub = stub_new_away();
    fake_set(&t.fake, "bigQueryEndpoint", t.stub->url);
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_give_row(&t, "t", 1, 0);
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, t.fake.trouble != NULL);
    CHECK_HAS(t.fake.trouble, "cannot be reached");
    for (int i = 0; i < 20; i++) CHECK_INT(fake_work(&t.fake, 20), SLUICE_OK);
    CHECK_INT(t.fake.done_n, 0);
    stub_listen(t.stub);
    BQ_WORK_UNTIL(&t, t.fake.done_n == 2);
    CHECK(t.fake.trouble == NULL);
    bq_fini(&t);
}

TEST(a_stale_connection_costs_nothing)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "bigQueryRetryWait", "600000"); /* a wait would show */
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    stub_rule(t.stub, "POST", INSERT, 1, STUB_HANG_UP, "");
    bq_give_row(&t, "t", 0, 1);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(t.fake.done_n, 2);
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 3);
    CHECK_INT(t.fake.troubles, 0);
    struct stub_rule *rule = stub_rule(t.stub, "POST", INSERT, 1, 200, "{\"kind\":\"ok\"}");
    rule->close_after = true; /* without a word, as servers do after their idle timeout */
    for (int i = 2; i < 4; i++) {
        bq_give_row(&t, "t", 0, i);
        bq_put_all(&t);
        bq_finish_ok(&t);
    }
    CHECK_INT(t.fake.done_n, 4);
    CHECK_INT(t.fake.troubles, 0);
    bq_fini(&t);
}

TEST(a_connection_that_dies_amid_a_body_costs_nothing)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "bigQueryRetryWait", "600000");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    const struct sluice_schema *schema = bq_struct(&t, "f", &bq_string, NULL);
    size_t len = 8u << 20;
    char *text = sluice_batch_alloc(&t.fake.input, len);
    memset(text, 'x', len);
    bq_give(&t, 1, schema, BQ_LIST(sluice_string(text, len)));
    pthread_mutex_lock(&t.stub->mutex);
    t.stub->cut = 1;
    pthread_mutex_unlock(&t.stub->mutex);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(t.fake.done_n, 2);
    CHECK_INT(t.fake.troubles, 0);
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 2);
    bq_fini(&t);
}

TEST(two_topics_of_one_table_lose_nothing)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "topic2TableMap", "a:x, b:x");
    bq_open_task(&t);
    bq_give_row(&t, "a", 0, 9);
    bq_give_row(&t, "b", 0, 9);
    /* Renamed to the same topic by a transform: told apart by where they come from. */
    struct sluice_record *rec = bq_give_row(&t, "b", 0, 9);
    rec->origin_topic = "c";
    rec->origin_partition = 0;
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_INT(stub_count(t.stub, "POST", "/tables/x/insertAll"), 3);
    bool seen[3] = {false};
    for (size_t i = 0; i < 3; i++)
        for (size_t n = 0; n < 3; n++) {
            char id[16];
            snprintf(id, sizeof id, "\"%c-0-9\"", "abc"[n]);
            seen[n] |= strstr(bq_body(&t, i), id) != NULL;
        }
    CHECK(seen[0] && seen[1] && seen[2]);
    bq_fini(&t);
}

TEST(a_lost_partition_is_forgotten)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "maxRowsPerRequest", "1");
    stub_gather(t.stub, 3); /* no answers */
    bq_open_task(&t);
    for (int i = 0; i < 3; i++) bq_give_row(&t, "t", 0, i);
    bq_give_row(&t, "t", 1, 0);
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, stub_count(t.stub, "POST", INSERT) == 2); /* one of each partition */
    stub_gather(t.stub, 0);
    bq_plugin()->sink->drop(t.fake.self, "t", 0);
    BQ_WORK_UNTIL(&t, fake_is_done(&t.fake, 4));
    CHECK_INT(t.fake.done_n, 1);
    enum sluice_verdict verdict = SLUICE_RETRY;
    BQ_WORK_UNTIL(&t, (verdict = bq_plugin()->sink->flush(t.fake.self, &t.fake.err)) == SLUICE_OK);
    for (int i = 0; i < 3; i++) bq_give_row(&t, "t", 0, i); /* it comes back */
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, t.fake.done_n == 4);
    bq_fini(&t);
}

TEST(bodies_are_compressed_when_asked_for)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "requestCompression", "GZIP");
    bq_open_task(&t);
    for (int i = 0; i < 100; i++) bq_give_row(&t, "t", 0, i);
    bq_put_all(&t);
    bq_finish_ok(&t);
    const struct stub_request *req = stub_request(t.stub, "POST", INSERT, 0);
    CHECK(req->gzip);
    CHECK_HAS(req->body, "\"insertId\":\"t-0-99\"");
    json_t *json = json_loadb(req->body, req->len, 0, NULL);
    CHECK_INT(json_array_size(json_object_get(json, "rows")), 100);
    json_decref(json);
    bq_fini(&t);
}

TEST(unknown_fields_may_be_ignored)
{
    struct bq_test t;
    bq_init(&t);
    fake_set(&t.fake, "ignoreUnknownFields", "true");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_HAS(bq_body(&t, 0), "\"ignoreUnknownValues\":true,\"rows\":[{");
    bq_fini(&t);
}

TEST(records_that_cannot_be_written_are_rejected_one_by_one)
{
    struct bq_test t;
    bq_init(&t);
    bq_open_task(&t);
    const struct sluice_schema *schema = bq_struct(&t, "a", &bq_int32, "f", &bq_string, NULL);
    bq_give(&t, 0, schema, BQ_LIST(sluice_int32(1), bq_text("x")));
    bq_give(&t, 1, schema, BQ_LIST(sluice_int32(1), sluice_null()));
    fake_give(&t.fake, "t", 0, 2)->value = bq_text("no map");
    struct sluice_record *rec = fake_give(&t.fake, "t", 0, 3);
    rec->value_schema = &bq_string;
    const struct sluice_schema *text = sluice_schema_intern(&bq_string);
    t.schemas[t.schemas_n++] = text;
    rec->value_schema = text;
    rec->value = bq_text("no struct");
    bq_give(&t, 4, schema, BQ_LIST(sluice_int32(2), bq_text("y")));
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_HAS(fake_rejected(&t.fake, 2), "record t-0-1 cannot be written: field f: null");
    CHECK_HAS(fake_rejected(&t.fake, 3), "Only Map objects supported in absence of schema");
    CHECK_HAS(fake_rejected(&t.fake, 4), "Top-level Kafka Connect schema must be of type 'struct'");
    expect_body(&t, 0,
                "[{\"insertId\":\"t-0-0\",\"json\":{\"a\":1,\"f\":\"x\"}},"
                "{\"insertId\":\"t-0-4\",\"json\":{\"a\":2,\"f\":\"y\"}}]");
    bq_fini(&t);
}
