/* AvroConverter and its registry client against a scripted registry on loopback: what is asked and
 * how often, whose words an error has, retries, failover, credentials. */
#include "bq_stub.h"
#include "data/builtins.h"
#include "fake_host.h"
#include "golden/text.h"
#include "mallocs.h"
#include "registry/registry.h"

static const char row_schema[] = "STRUCT[\"id\":INT64,\"s\":?STRING]@\"com.acme.Row\"";
static const char row_value[] = "(l42,\"x\")";
static const char row_avro[] =
    "{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"Row\\\",\\\"namespace\\\":\\\"com.acme\\\","
    "\\\"fields\\\":[{\\\"name\\\":\\\"id\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"s\\\","
    "\\\"type\\\":[\\\"null\\\",\\\"string\\\"],\\\"default\\\":null}],"
    "\\\"connect.name\\\":\\\"com.acme.Row\\\"}";
static const char row_octets[] = "\0\0\0\0\7\124\2\2x";
#define ROW_LEN 9

struct run {
    struct stub *stub;
    struct fake_host fake;
    struct sluice_batch batch;
    struct sluice_buf out;
    const struct sluice_schema *schema;
    struct sluice_value v;
    struct sluice_err err;
};

/* Not opened yet. */
static void start(struct run *run)
{
    memset(run, 0, sizeof *run);
    sluice_batch_init(&run->batch);
    sluice_buf_init(&run->out, SLUICE_BUF_MAX);
    run->stub = stub_new();
    fake_init(&run->fake, &sluice_avro_converter, "schema.registry.url", run->stub->url,
              "retries.wait.ms", "1", "converter.type", "value", NULL);
    struct text_reader s = {row_schema, &run->batch}, v = {row_value, &run->batch};
    run->schema = sluice_schema_intern(text_read_schema(&s));
    run->v = text_read_value(&v);
}

static void finish(struct run *run)
{
    fake_fini(&run->fake);
    sluice_schema_free(run->schema);
    sluice_batch_fini(&run->batch);
    sluice_buf_fini(&run->out);
    stub_free(run->stub);
}

static void open_it(struct run *run)
{
    if (fake_open(&run->fake) != SLUICE_OK) FAIL("%s", run->fake.err.msg);
}

static enum sluice_verdict encode_to(struct run *run, const char *topic)
{
    bool null = false;
    sluice_buf_clear(&run->out);
    run->err.msg[0] = '\0';
    return sluice_avro_converter.converter->encode(run->fake.self, topic, NULL, run->schema,
                                                   &run->v, &run->out, &null, &run->err);
}

static enum sluice_verdict encode(struct run *run) { return encode_to(run, "t"); }

static enum sluice_verdict decode(struct run *run, const void *data, size_t len,
                                  const struct sluice_schema **schema, struct sluice_value *v)
{
    run->err.msg[0] = '\0';
    return sluice_avro_converter.converter->decode(run->fake.self, &run->batch, "t", NULL, data,
                                                   len, schema, v, &run->err);
}

static void row_rules(struct run *run, int id)
{
    char body[1024];
    snprintf(body, sizeof body, "{\"schema\":\"%s\"}", row_avro);
    stub_rule(run->stub, "GET", "/schemas/ids/", 0, 200, body);
    snprintf(body, sizeof body, "{\"id\":%d}", id);
    stub_rule(run->stub, "POST", "/versions", 0, 200, body);
    snprintf(body, sizeof body,
             "{\"subject\":\"t-value\",\"id\":%d,\"version\":3,\"schema\":\"%s\"}", id, row_avro);
    stub_rule(run->stub, "POST", "/subjects/t-value", 0, 200, body);
}

TEST(registers_once_and_writes)
{
    struct run run;
    start(&run);
    row_rules(&run, 7);
    open_it(&run);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(encode(&run), SLUICE_OK);
        CHECK_MEM(run.out.data, run.out.len, row_octets, ROW_LEN);
    }
    CHECK_INT(stub_count(run.stub, "POST", ""), 1);
    const struct stub_request *req =
        stub_request(run.stub, "POST", "/subjects/t-value/versions", 0);
    CHECK_HAS(req->head, "application/vnd.schemaregistry.v1+json");
    CHECK_HAS(req->body, row_avro);
    /* Another converter of the process asks nothing; another topic is another subject. */
    fake_close(&run.fake);
    open_it(&run);
    CHECK_INT(encode(&run), SLUICE_OK);
    CHECK_INT(stub_count(run.stub, "POST", ""), 1);
    CHECK_INT(encode_to(&run, "a b"), SLUICE_OK);
    CHECK_INT(stub_count(run.stub, "POST", "/subjects/a%20b-value/versions"), 1);
    finish(&run);
}

TEST(reads_by_id_with_the_subjects_version)
{
    struct run run;
    const struct sluice_schema *schema;
    struct sluice_value v;
    start(&run);
    row_rules(&run, 7);
    open_it(&run);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(decode(&run, row_octets, ROW_LEN, &schema, &v), SLUICE_OK);
        CHECK_STR(schema->name, "com.acme.Row");
        CHECK_INT(schema->version, 3);
        CHECK_INT(v.u.v[0].u.i, 42);
    }
    CHECK_INT(stub_count(run.stub, "GET", ""), 1);
    CHECK_INT(stub_count(run.stub, "GET", "/schemas/ids/7?subject=t-value"), 1);
    CHECK_INT(decode(&run, NULL, 0, &schema, &v), SLUICE_OK);
    CHECK_INT(v.type, SLUICE_NULL);
    finish(&run);
}

TEST(steady_records_allocate_nothing)
{
    struct run run;
    const struct sluice_schema *schema;
    struct sluice_value v;
    size_t before = 0;
    start(&run);
    row_rules(&run, 7);
    open_it(&run);
    struct sluice_batch batch;
    sluice_batch_init(&batch);
    for (int i = 0; i < 2000; i++) {
        if (i == 100) before = mallocs;
        if (i % 50 == 0) sluice_batch_reset(&batch);
        bool null;
        sluice_buf_clear(&run.out);
        CHECK_INT(encode(&run), SLUICE_OK);
        CHECK_INT(sluice_avro_converter.converter->encode(run.fake.self, "t", NULL, run.schema,
                                                          &run.v, &run.out, &null, &run.err),
                  SLUICE_OK);
        CHECK_INT(sluice_avro_converter.converter->decode(
                      run.fake.self, &batch, "t", NULL, row_octets, ROW_LEN, &schema, &v, &run.err),
                  SLUICE_OK);
    }
    CHECK_INT(mallocs - before, 0);
    sluice_batch_fini(&batch);
    finish(&run);
}

TEST(an_unknown_id_fails_in_the_registrys_words)
{
    struct run run;
    const struct sluice_schema *schema;
    struct sluice_value v;
    start(&run);
    stub_rule(run.stub, "GET", "/schemas/ids/", 0, 404,
              "{\"error_code\":40403,\"message\":\"Schema 99 not found\"}");
    open_it(&run);
    CHECK_INT(decode(&run, "\0\0\0\0\143zz", 7, &schema, &v), SLUICE_FAIL);
    CHECK_HAS(run.err.msg, "Schema 99 not found; error code: 40403");
    CHECK_HAS(run.err.msg, "id 99");
    CHECK_HAS(run.err.msg, "t-value");
    CHECK_INT(stub_count(run.stub, "GET", ""), 1); /* no retry */
    CHECK_INT(decode(&run, "{\"a\":1}", 7, &schema, &v), SLUICE_FAIL);
    CHECK_HAS(run.err.msg, "Unknown magic byte!");
    CHECK_INT(decode(&run, "\0\0", 2, &schema, &v), SLUICE_FAIL);
    CHECK_HAS(run.err.msg, "Unknown magic byte!");
    finish(&run);
}

TEST(an_incompatible_schema_fails_in_the_registrys_words)
{
    struct run run;
    start(&run);
    stub_rule(run.stub, "POST", "/versions", 0, 409,
              "{\"error_code\":409,\"message\":\"Schema being registered is incompatible with an "
              "earlier schema for subject \\\"t-value\\\"\"}");
    open_it(&run);
    CHECK_INT(encode(&run), SLUICE_FAIL);
    CHECK_HAS(run.err.msg,
              "incompatible with an earlier schema for subject \"t-value\"; error code");
    CHECK_HAS(run.err.msg, "cannot register the AVRO schema of subject t-value");
    finish(&run);
}

TEST(trouble_is_retried_and_told)
{
    struct run run;
    start(&run);
    stub_rule(run.stub, "POST", "/versions", 2, 503, "{\"error_code\":50003,\"message\":\"away\"}");
    stub_rule(run.stub, "POST", "/versions", 1, STUB_HANG_UP, "");
    row_rules(&run, 7);
    open_it(&run);
    CHECK_INT(encode(&run), SLUICE_OK);
    CHECK_INT(run.fake.troubles > 0, 1);
    CHECK(run.fake.trouble == NULL);
    finish(&run);
}

TEST(a_registry_that_is_down_asks_for_a_retry)
{
    struct run run;
    start(&run);
    fake_set(&run.fake, "schema.registry.url", "http://me:secret@127.0.0.1:1/");
    fake_set(&run.fake, "max.retries", "2");
    open_it(&run);
    CHECK_INT(encode(&run), SLUICE_RETRY);
    CHECK_HAS(run.err.msg, "schema registry http://127.0.0.1:1: ");
    CHECK(!strstr(run.err.msg, "secret"));
    CHECK(!strstr(run.fake.trouble, "secret"));
    finish(&run);
}

TEST(the_next_url_is_asked)
{
    struct run run;
    char urls[200];
    start(&run);
    row_rules(&run, 7);
    snprintf(urls, sizeof urls, "http://127.0.0.1:1, %s/", run.stub->url);
    fake_set(&run.fake, "schema.registry.url", urls);
    open_it(&run);
    CHECK_INT(encode(&run), SLUICE_OK);
    CHECK_INT(run.fake.troubles, 0);
    finish(&run);
}

static void check_auth(const char *header, ...)
{
    struct run run;
    char url[200];
    const char *key;
    va_list ap;
    start(&run);
    row_rules(&run, 7);
    va_start(ap, header);
    while ((key = va_arg(ap, const char *))) {
        const char *value = va_arg(ap, const char *);
        snprintf(url, sizeof url, "http://%s127.0.0.1:%d%s", value, run.stub->port,
                 strstr(key, "endpoint") ? "/token" : "");
        bool is_url = strstr(key, ".url") != NULL;
        fake_set(&run.fake, key, is_url ? url : value);
    }
    va_end(ap);
    open_it(&run);
    CHECK_INT(encode(&run), SLUICE_OK);
    CHECK_HAS(stub_request(run.stub, "POST", "/versions", 0)->head, header);
    finish(&run);
}

TEST(credentials)
{
    check_auth("Authorization: Basic dTpwQHg=", "schema.registry.url", "u:p%40x@", NULL);
    check_auth("Authorization: Basic YTpiOmM=", "basic.auth.credentials.source", "USER_INFO",
               "basic.auth.user.info", "a:b:c", NULL);
    check_auth("Authorization: Basic YTpi", "basic.auth.credentials.source", "USER_INFO",
               "schema.registry.basic.auth.user.info", "a:b", NULL);
    check_auth("Authorization: Basic amFuZTpxIHc=", "basic.auth.credentials.source", "SASL_INHERIT",
               "sasl.jaas.config",
               "org.apache.kafka.common.security.plain.PlainLoginModule required "
               "username=\"jane\" password=\"q w\";",
               NULL);
    check_auth("Authorization: Bearer T0", "bearer.auth.credentials.source", "STATIC_TOKEN",
               "bearer.auth.token", "T0", NULL);
    check_auth("target-sr-cluster: lsrc-1", "bearer.auth.credentials.source", "STATIC_TOKEN",
               "bearer.auth.token", "T0", "bearer.auth.logical.cluster", "lsrc-1", NULL);
    check_auth("Authorization: Bearer token-1", "bearer.auth.credentials.source", "OAUTHBEARER",
               "bearer.auth.issuer.endpoint.url", "", "bearer.auth.client.id", "c",
               "bearer.auth.client.secret", "s", NULL);
    check_auth("X-Mine: 1", "request.header.X-Mine", "1", NULL);
}

static void check_refused(const char *piece, const char *key, const char *value)
{
    struct run run;
    start(&run);
    fake_set(&run.fake, key, value);
    CHECK_INT(fake_open(&run.fake), SLUICE_FAIL);
    CHECK_HAS(run.fake.err.msg, piece);
    finish(&run);
}

TEST(wrong_options)
{
    check_refused("no http or https URL", "schema.registry.url", "ftp://x");
    check_refused("basic.auth.user.info", "basic.auth.credentials.source", "USER_INFO");
    check_refused("sasl.jaas.config", "basic.auth.credentials.source", "SASL_INHERIT");
    check_refused("bearer.auth.token", "bearer.auth.credentials.source", "STATIC_TOKEN");
    check_refused("TopicRecordNameStrategy", "value.subject.name.strategy", "com.acme.Mine");
    check_refused("no PEM file", "schema.registry.ssl.truststore.location",
                  SLUICE_TEST_DIR "/golden/avro/read.txt");
    check_refused("cannot open", "schema.registry.ssl.keystore.location", "/nowhere/x.pem");
}

static void check_subject(const char *strategy, const char *path)
{
    struct run run;
    start(&run);
    row_rules(&run, 7);
    fake_set(&run.fake, "value.subject.name.strategy", strategy);
    open_it(&run);
    CHECK_INT(encode(&run), SLUICE_OK);
    CHECK_INT(stub_count(run.stub, "POST", path), 1);
    finish(&run);
}

TEST(subject_strategies)
{
    check_subject("io.confluent.kafka.serializers.subject.TopicNameStrategy",
                  "/subjects/t-value/versions");
    check_subject("io.confluent.kafka.serializers.subject.RecordNameStrategy",
                  "/subjects/com.acme.Row/versions");
    check_subject("TopicRecordNameStrategy", "/subjects/t-com.acme.Row/versions");
}

TEST(answers_that_make_no_sense)
{
    static const char *const bodies[] = {
        "",
        "<html>",
        "[]",
        "{}",
        "{\"schema\":5}",
        "{\"schema\":\"{\"}",
        "{\"schema\":\"\\\"int\\\"\",\"schemaType\":\"PROTOBUF\"}",
        "{\"schema\":\"\\\"int\\\"\",\"references\":[{}]}",
        "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":"
        "[{\\\"name\\\":\\\"r\\\",\\\"type\\\":[\\\"null\\\",\\\"R\\\"]}]}\"}"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct run run;
        const struct sluice_schema *schema;
        struct sluice_value v;
        start(&run);
        stub_rule(run.stub, NULL, "/", 0, 200, bodies[i]);
        open_it(&run);
        if (decode(&run, "\0\0\0\0\1\2", 6, &schema, &v) != SLUICE_FAIL) FAIL("%s", bodies[i]);
        CHECK(strlen(run.err.msg) > 40);
        if (i < 4) CHECK_INT(encode(&run), SLUICE_FAIL);
        finish(&run);
    }
}

/* ---- another schema than the record's own ---- */

static const char latest_rule[] =
    "{\"subject\":\"t-value\",\"id\":8,\"version\":2,\"schema\":\"{\\\"type\\\":\\\"record\\\","
    "\\\"name\\\":\\\"Row\\\",\\\"namespace\\\":\\\"com.acme\\\",\\\"fields\\\":[%s{\\\"name\\\":"
    "\\\"id\\\",\\\"type\\\":\\\"double\\\"}]}\"}";

static enum sluice_verdict with_latest(struct run *run, const char *fields)
{
    char body[2048];
    start(run);
    snprintf(body, sizeof body, latest_rule, fields);
    stub_rule(run->stub, "GET", "/versions/latest", 0, 200, body);
    row_rules(run, 7);
    fake_set(&run->fake, "auto.register.schemas", "false");
    fake_set(&run->fake, "use.latest.version", "true");
    open_it(run);
    return encode(run);
}

TEST(the_latest_schema_is_written_by_name)
{
    static const char more[] = "{\\\"name\\\":\\\"new\\\",\\\"type\\\":\\\"string\\\","
                               "\\\"default\\\":\\\"d\\\"},";
    static const char want[] = "\0\0\0\0\10\2d\0\0\0\0\0\0\105\100"; /* "d", 42.0; s is left out */
    struct run run;
    const struct sluice_schema *schema;
    struct sluice_value v;
    CHECK_INT(with_latest(&run, more), SLUICE_OK);
    CHECK_MEM(run.out.data, run.out.len, want, 15);
    /* Reading resolves what was written with the old schema to the latest one. */
    CHECK_INT(decode(&run, row_octets, ROW_LEN, &schema, &v), SLUICE_OK);
    CHECK_STR(schema->fields[0].name, "new");
    CHECK_INT(schema->version, 2);
    CHECK_STR(fake_text(&run.fake, schema, &v), "{new:\"d\",id:42}");
    finish(&run);
}

TEST(a_latest_schema_that_cannot_read_is_refused)
{
    static const char more[] = "{\\\"name\\\":\\\"new\\\",\\\"type\\\":\\\"string\\\"},";
    struct run run;
    CHECK_INT(with_latest(&run, more), SLUICE_FAIL);
    CHECK_HAS(run.err.msg, "Incompatible schema");
    CHECK_HAS(run.err.msg, "new");
    CHECK_HAS(run.err.msg, "latest.compatibility.strict=false");
    finish(&run);
}

TEST(without_registering_the_schema_must_be_there)
{
    struct run run;
    start(&run);
    stub_rule(run.stub, "POST", "/subjects/t-value", 0, 404,
              "{\"error_code\":40401,\"message\":\"Subject 't-value' not found.\"}");
    fake_set(&run.fake, "auto.register.schemas", "false");
    open_it(&run);
    CHECK_INT(encode(&run), SLUICE_FAIL);
    CHECK_HAS(run.err.msg, "Subject 't-value' not found.; error code: 40401");
    finish(&run);
}

TEST(references_are_fetched)
{
    struct run run;
    const struct sluice_schema *schema;
    struct sluice_value v;
    start(&run);
    stub_rule(run.stub, "GET", "/schemas/ids/1", 0, 200,
              "{\"schema\":\"{\\\"type\\\":\\\"array\\\",\\\"items\\\":\\\"com.acme.Row\\\"}\","
              "\"references\":[{\"name\":\"com.acme.Row\",\"subject\":\"row\",\"version\":4}]}");
    char body[1024];
    snprintf(body, sizeof body, "{\"subject\":\"row\",\"id\":7,\"version\":4,\"schema\":\"%s\"}",
             row_avro);
    stub_rule(run.stub, "GET", "/subjects/row/versions/4", 0, 200, body);
    stub_rule(run.stub, "POST", "/subjects/t-value", 0, 404, "{\"error_code\":40401}");
    open_it(&run);
    CHECK_INT(decode(&run, "\0\0\0\0\1\2\124\2\2x\0", 11, &schema, &v), SLUICE_OK);
    CHECK_STR(fake_text(&run.fake, schema, &v), "[{id:42,s:\"x\"}]");
    CHECK(!schema->has_version);
    finish(&run);
}

TEST(octets_at_the_top_stand_without_their_length)
{
    struct run run;
    const struct sluice_schema *schema;
    struct sluice_value v, octets = sluice_bytes("\1\2", 2);
    const struct sluice_schema description = {.type = SLUICE_BYTES};
    const struct sluice_schema *bytes = sluice_schema_intern(&description);
    bool null;
    start(&run);
    stub_rule(run.stub, "POST", "/subjects", 0, 200, "{\"id\":5,\"version\":1}");
    stub_rule(run.stub, "GET", "/schemas/ids/5", 0, 200, "{\"schema\":\"\\\"bytes\\\"\"}");
    open_it(&run);
    CHECK_INT(sluice_avro_converter.converter->encode(run.fake.self, "t", NULL, bytes, &octets,
                                                      &run.out, &null, &run.err),
              SLUICE_OK);
    CHECK_MEM(run.out.data, run.out.len, "\0\0\0\0\5\1\2", 7);
    CHECK_INT(decode(&run, run.out.data, run.out.len, &schema, &v), SLUICE_OK);
    CHECK_MEM(v.u.s, v.len, "\1\2", 2);
    sluice_schema_free(bytes);
    finish(&run);
}
