/* datagen as a connector: options, quickstarts, headers, offsets, pace, ends. */
#include "fake_host.h"
#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const struct sluice_plugin *const *sluice_plugins_v1(void);

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void begin(struct fake_host *fake, const char *quickstart)
{
    fake_init(fake, sluice_plugins_v1()[0], "kafka.topic", "t", "max.interval", "0", "random.seed",
              "42", NULL);
    if (quickstart) fake_set(fake, "quickstart", quickstart);
}

static void run(struct fake_host *fake, size_t n)
{
    if (fake_open(fake) != SLUICE_OK) FAIL("%s", fake->err.msg);
    fake->room_records = n;
    while (fake->n < n) CHECK_INT(fake_poll(fake, 0), SLUICE_OK);
}

static const struct sluice_value *field(const struct sluice_record *rec, const char *name)
{
    for (uint32_t i = 0; i < rec->value_schema->fields_len; i++) {
        if (strcmp(rec->value_schema->fields[i].name, name) == 0) return &rec->value.u.v[i];
    }
    FAIL("no field %s", name);
}

static const char *text(struct fake_host *fake, const struct sluice_record *rec, const char *name)
{
    return fake_text(fake, NULL, field(rec, name));
}

TEST(users_quickstart)
{
    struct fake_host fake;
    int genders[3] = {0};
    begin(&fake, "Users"); /* in any case */
    run(&fake, 3000);
    for (size_t i = 0; i < fake.n; i++) {
        const struct sluice_record *rec = &fake.records[i];
        const char *user = text(&fake, rec, "userid"), *region = text(&fake, rec, "regionid");
        CHECK(strncmp(user, "\"User_", 6) == 0 && user[6] >= '1' && user[6] <= '9' &&
              user[7] == '"');
        CHECK(strncmp(region, "\"Region_", 8) == 0 && region[8] >= '1' && region[8] <= '9');
        int64_t time = field(rec, "registertime")->u.i;
        CHECK(time >= 1487715775521 && time < 1519273364600);
        const char *gender = text(&fake, rec, "gender");
        genders[gender[1] == 'M' ? 0 : gender[1] == 'F' ? 1 : 2]++;
        CHECK_STR(rec->topic, "t");
        CHECK_MEM(rec->key.u.s, rec->key.len, field(rec, "userid")->u.s, 6);
        CHECK_INT(rec->key_schema->type, SLUICE_STRING);
    }
    for (int i = 0; i < 3; i++) CHECK(genders[i] > 850 && genders[i] < 1150);
    CHECK_STR(fake.records[0].value_schema->name, "ksql.users");
    fake_fini(&fake);
}

TEST(orders_and_pageviews_quickstarts)
{
    struct fake_host fake;
    begin(&fake, "orders");
    run(&fake, 500);
    for (size_t i = 0; i < fake.n; i++) {
        const struct sluice_record *rec = &fake.records[i];
        const char *item = text(&fake, rec, "itemid");
        const struct sluice_value *address = field(rec, "address");
        CHECK_INT(strlen(item), 10);
        CHECK(strncmp(item, "\"Item_", 6) == 0 && item[6] != '0');
        CHECK_INT(field(rec, "orderid")->u.i, i);
        CHECK_INT(rec->key.u.i, i);
        CHECK_INT(rec->key.type, SLUICE_INT32);
        CHECK(field(rec, "orderunits")->u.d >= 0.1 && field(rec, "orderunits")->u.d < 10);
        CHECK_INT(address->u.v[0].len, 7); /* City_12: the shortest is never taken */
        CHECK_INT(address->u.v[1].len, 8);
        CHECK(address->u.v[2].u.i >= 10000 && address->u.v[2].u.i < 99999);
    }
    fake_fini(&fake);
    begin(&fake, "pageviews");
    run(&fake, 500);
    for (size_t i = 0; i < fake.n; i++) {
        CHECK_INT(field(&fake.records[i], "viewtime")->u.i, 1 + 10 * i);
        CHECK_INT(fake.records[i].key.u.i, 1 + 10 * i);
    }
    fake_fini(&fake);
}

TEST(clickstream_quickstarts)
{
    struct fake_host fake;
    begin(&fake, "clickstream");
    run(&fake, 500);
    for (size_t i = 0; i < fake.n; i++) {
        const struct sluice_record *rec = &fake.records[i];
        char time[32];
        (void)snprintf(time, sizeof(time), "\"%zu\"", 1 + 10 * i);
        CHECK_STR(text(&fake, rec, "time"), time);
        CHECK_INT(field(rec, "_time")->u.i, 1 + 10 * i);
        CHECK(field(rec, "userid")->u.i >= -1 && field(rec, "userid")->u.i < 40);
        CHECK_STR(text(&fake, rec, "remote_user"), "\"-\"");
        CHECK_MEM(rec->key.u.s, rec->key.len, field(rec, "ip")->u.s, field(rec, "ip")->len);
    }
    fake_fini(&fake);
    begin(&fake, "clickstream_users");
    run(&fake, 100);
    for (size_t i = 0; i < fake.n; i++) CHECK_INT(fake.records[i].key.u.i, i + 1);
    CHECK_INT(fake.records[0].value_schema->fields_len, 7);
    fake_fini(&fake);
}

TEST(headers_count_generations_and_iterations)
{
    struct fake_host fake;
    begin(&fake, "users");
    fake.task_id = 3;
    run(&fake, 5);
    for (size_t i = 0; i < 5; i++) {
        const struct sluice_header *h = fake.records[i].headers;
        CHECK_INT(fake.records[i].headers_len, 3);
        CHECK_STR(h[0].key, "task.generation");
        CHECK_INT(h[0].value.u.i, 0);
        CHECK_STR(h[1].key, "task.id");
        CHECK_INT(h[1].value.u.i, 3);
        CHECK_STR(h[2].key, "current.iteration");
        CHECK_INT(h[2].value.u.i, i);
        CHECK_INT(h[2].schema->type, SLUICE_INT64);
    }
    fake_fini(&fake);
}

static bool same(struct fake_host *a, const struct sluice_record *x, struct fake_host *b,
                 const struct sluice_record *y)
{
    return strcmp(fake_text(a, x->value_schema, &x->value),
                  fake_text(b, y->value_schema, &y->value)) == 0;
}

TEST(restarts_go_on_as_if_nothing_had_been)
{
    const char *const names[] = {"users", "orders", "clickstream", "pageviews"};
    for (size_t q = 0; q < 4; q++) {
        struct fake_host whole, rest;
        begin(&whole, names[q]);
        run(&whole, 60);
        const char *offset = fake_offset(&whole, &whole.records[24]);
        CHECK_HAS(offset, "\"task.generation\":1");
        CHECK_HAS(offset, "\"current.iteration\":25");
        begin(&rest, names[q]);
        fake_set(&rest, "random.seed", "99");
        fake_resume(&rest, "{\"task.id\":0}", offset);
        run(&rest, 35);
        for (size_t i = 0; i < 35; i++) {
            CHECK(same(&whole, &whole.records[25 + i], &rest, &rest.records[i]));
            CHECK_INT(rest.records[i].headers[0].value.u.i, 1);
            CHECK_INT(rest.records[i].headers[2].value.u.i, 25 + i);
        }
        CHECK_HAS(fake_offset(&rest, &rest.records[0]), "\"task.generation\":2");
        fake_fini(&whole);
        fake_fini(&rest);
    }
}

TEST(offsets_of_upstream_are_taken_as_they_are)
{
    struct fake_host fake;
    begin(&fake, "pageviews");
    fake_resume(&fake, "{\"task.id\":0}",
                "{\"task.generation\":1,\"current.iteration\":50,\"random.seed\":100}");
    run(&fake, 1);
    CHECK_INT(field(&fake.records[0], "viewtime")->u.i, 501);
    CHECK_INT(fake.records[0].headers[0].value.u.i, 1);
    fake_fini(&fake);
    begin(&fake, "pageviews");
    fake_resume(&fake, "{\"task.id\":0}", "{\"position\":7}");
    CHECK_INT(fake_open(&fake), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "stored offset");
    fake_fini(&fake);
}

TEST(seeds_decide_and_tasks_differ)
{
    struct fake_host a, b, c, d;
    begin(&a, "users");
    begin(&b, "users");
    begin(&c, "users");
    c.task_id = 1;
    begin(&d, "users");
    fake_set(&d, "random.seed", "43");
    run(&a, 20);
    run(&b, 20);
    run(&c, 20);
    run(&d, 20);
    bool other_task = false, other_seed = false;
    for (size_t i = 0; i < 20; i++) {
        CHECK(same(&a, &a.records[i], &b, &b.records[i]));
        other_task = other_task || !same(&a, &a.records[i], &c, &c.records[i]);
        other_seed = other_seed || !same(&a, &a.records[i], &d, &d.records[i]);
    }
    CHECK(other_task && other_seed);
    fake_fini(&a);
    fake_fini(&b);
    fake_fini(&c);
    fake_fini(&d);
}

TEST(iterations_end_idle_or_failed)
{
    struct fake_host fake;
    begin(&fake, "users");
    fake_set(&fake, "iterations", "25");
    run(&fake, 25);
    for (int i = 0; i < 3; i++) CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    CHECK_INT(fake.n, 25);
    CHECK(fake_logged(&fake, "configured 25"));
    char *offset = strdup(fake_offset(&fake, &fake.records[24]));
    fake_fini(&fake);

    begin(&fake, "users"); /* after a restart there are no more */
    fake_set(&fake, "iterations", "25");
    fake_resume(&fake, "{\"task.id\":0}", offset);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    CHECK_INT(fake.n, 0);
    fake_fini(&fake);
    free(offset);

    begin(&fake, "users");
    fake_set(&fake, "iterations", "25");
    fake_set(&fake, "iterations.end", "fail");
    run(&fake, 25);
    CHECK_INT(fake_poll(&fake, 0), SLUICE_FAIL);
    CHECK_STR(fake.err.msg, "Stopping connector: generated the configured 25 number of messages");
    CHECK_INT(fake.n, 25);
    fake_fini(&fake);
}

TEST(rate_is_even_and_whole_batches_are_bounded)
{
    struct fake_host fake;
    begin(&fake, "users");
    fake_set(&fake, "max.interval", "500"); /* the default: rate takes its place */
    fake_set(&fake, "rate", "2000");
    int64_t start = now_ms(); /* before the plugin's own clock starts */
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    while (fake.n < 1000) { /* comes to it */
        CHECK_INT(fake_poll(&fake, 20), SLUICE_OK);
        CHECK(fake.n <= (size_t)((now_ms() - start) * 2 + 20)); /* never faster */
    }
    CHECK(now_ms() - start < 10000); /* 500 ms, but for the machine */
    fake_fini(&fake);

    begin(&fake, "users");
    fake_set(&fake, "batch.size", "10");
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    CHECK_INT(fake.n, 10);
    fake.room_records = 3;
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    CHECK_INT(fake.n, 13);
    fake_fini(&fake);

    begin(&fake, "users");
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    fake.room_bytes = 4096;
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    CHECK(fake.n > 1 && fake.n < 40);
    fake_fini(&fake);
}

TEST(pauses_are_random_below_max_interval)
{
    struct fake_host fake;
    begin(&fake, "users");
    fake_set(&fake, "max.interval", "20");
    int64_t start = now_ms();
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    while (fake.n < 60) CHECK_INT(fake_poll(&fake, 100), SLUICE_OK);
    CHECK(now_ms() - start >= 300 && now_ms() - start < 10000); /* 9.5 ms each, on the mean */
    fake_fini(&fake);
}

TEST(polls_neither_outlast_their_room_nor_a_wake)
{
    struct fake_host fake;
    pthread_t thread;
    begin(&fake, "users");
    fake_set(&fake, "rate", "0.001");
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK); /* the first is due at once */
    CHECK_INT(fake.n, 1);
    int64_t start = now_ms();
    CHECK_INT(fake_poll(&fake, 50), SLUICE_OK);
    CHECK(now_ms() - start >= 45); /* and not for 1000 s */
    start = now_ms();
    fake_wake_after(&fake, 50, &thread);
    CHECK_INT(fake_poll(&fake, 60000), SLUICE_OK);
    CHECK(now_ms() - start < 30000);
    fake_wake_join(&fake, thread);
    CHECK_INT(fake.n, 1);
    fake_fini(&fake);
}

static void refuses(const char *const *settings, const char *why)
{
    struct fake_host fake;
    fake_init(&fake, sluice_plugins_v1()[0], NULL);
    for (; *settings; settings += 2) fake_set(&fake, settings[0], settings[1]);
    CHECK_INT(fake_open(&fake), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, why);
    fake_fini(&fake);
}

#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define ONE_OF "Must set exactly one of schema.string, schema.filename, quickstart"

TEST(configs_are_checked_with_upstreams_messages)
{
    refuses(SETTINGS("kafka.topic", "t"), ONE_OF);
    refuses(SETTINGS("kafka.topic", "t", "quickstart", "users", "schema.string", "{}"), ONE_OF);
    refuses(SETTINGS("quickstart", "users"), "Missing required configuration \"kafka.topic\"");
    refuses(SETTINGS("kafka.topic", "t", "quickstart", "nope"),
            "quickstart must be one out of clickstream,clickstream_users,orders,pageviews,users");
    refuses(SETTINGS("kafka.topic", "t", "schema.string", "{\"type\":\"recor"),
            "Unable to parse the provided schema");
    refuses(SETTINGS("kafka.topic", "t", "schema.string", "\"int\""), "must be a record");
    refuses(SETTINGS("kafka.topic", "t", "schema.filename", "/nonexistent/x.avsc"),
            "Unable to find the schema file");
    refuses(SETTINGS("kafka.topic", "t", "quickstart", "users", "schema.keyfield", "zip"),
            "The schema does not contain the field provided in 'schema.keyfield'");
    refuses(SETTINGS("kafka.topic", "t", "quickstart", "users", "iterations", "many"),
            "iterations");
    refuses(SETTINGS("kafka.topic", "t", "quickstart", "users", "iterations.end", "x"), "idle");
    refuses(SETTINGS("kafka.topic", "t", "quickstart", "users", "rate", "-1"), "rate");
    refuses(SETTINGS("kafka.topic", "t", "schema.string",
                     "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"a\",\"type\":"
                     "\"Address\"}]}"),
            "\"Address\" is not a defined name");
}

static void note(struct sluice_report *report, const char *key, const char *fmt, ...)
{
    char line[1200];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    sluice_report_add(report, key, "%s", line);
}

TEST(validate_flags_every_option_to_blame)
{
    struct fake_host fake;
    struct sluice_report report = {0};
    begin(&fake, "users");
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    fake.host.finding = note;
    fake.plugin->validate(&fake.host, fake.conf, &report);
    CHECK_INT(report.n, 0);
    fake_fini(&fake);

    struct sluice_map empty = {0};
    struct sluice_err err;
    fake_init(&fake, sluice_plugins_v1()[0], NULL);
    fake.host.finding = note;
    struct sluice_conf *conf = sluice_conf_new(fake.plugin, &empty, "", &err);
    CHECK(conf != NULL);
    fake.plugin->validate(&fake.host, conf, &report);
    CHECK_INT(report.n, 3);
    for (size_t i = 0; i < 3; i++) CHECK_STR(report.items[i].message, ONE_OF);
    sluice_conf_free(conf);
    sluice_report_fini(&report);
    fake_fini(&fake);
}

TEST(schemas_from_files_give_what_strings_give)
{
    struct fake_host a, b;
    char path[256];
    char *schema = harness_file("golden/datagen/arg_types.avsc", NULL);
    (void)snprintf(path, sizeof(path), "%s/types.avsc", harness_dir());
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    (void)fputs(schema, file);
    (void)fclose(file);
    begin(&a, NULL);
    fake_set(&a, "schema.string", schema);
    begin(&b, NULL);
    fake_set(&b, "schema.filename", path);
    run(&a, 10);
    run(&b, 10);
    for (size_t i = 0; i < 10; i++) CHECK(same(&a, &a.records[i], &b, &b.records[i]));
    fake_fini(&a);
    fake_fini(&b);
    free(schema);
}

TEST(schemas_of_the_demo_open)
{
    const char *const names[] = {"users", "active_users", "clicks"};
    for (size_t i = 0; i < 3; i++) {
        struct fake_host fake;
        char path[128];
        (void)snprintf(path, sizeof(path), "../configs/schemas/%s.avsc", names[i]);
        char *schema = harness_file(path, NULL);
        begin(&fake, NULL);
        fake_set(&fake, "schema.string", schema);
        fake_set(&fake, "schema.keyfield", "userid");
        run(&fake, 20);
        CHECK_INT(fake.records[0].key.type, SLUICE_INT64);
        fake_fini(&fake);
        free(schema);
    }
}

TEST(keys_have_their_fields_schema)
{
    struct fake_host fake;
    char *schema = harness_file("golden/datagen/arg_types.avsc", NULL);
    const char *const keys[] = {"inner", "maybe", "longrange", ""};
    const int types[] = {SLUICE_STRUCT, SLUICE_STRING, SLUICE_INT64, SLUICE_STRING};
    for (size_t k = 0; k < 4; k++) {
        bool null = false, some = false;
        begin(&fake, NULL);
        fake_set(&fake, "schema.string", schema);
        if (*keys[k]) fake_set(&fake, "schema.keyfield", keys[k]);
        run(&fake, 40);
        for (size_t i = 0; i < 40; i++) {
            const struct sluice_record *rec = &fake.records[i];
            CHECK_INT(rec->key_schema->type, types[k]);
            CHECK_INT(rec->key_schema->optional, k == 1 || k == 3);
            null = null || rec->key.type == SLUICE_NULL;
            some = some || rec->key.type == types[k];
        }
        CHECK_INT(null, k == 1 || k == 3);
        CHECK_INT(some, k != 3);
        fake_fini(&fake);
    }
    free(schema);
}
