/* Java client properties: layers, mapping, refusals without secrets. */
#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kafka/client.h"
#include "kafka/client_table.h"

#include "../harness.h"

static struct sluice_map map_of(const char *const *pairs)
{
    struct sluice_map map = {0};
    for (; *pairs; pairs += 2) sluice_map_set(&map, pairs[0], pairs[1]);
    return map;
}

#define MAP(...) map_of((const char *const[]){__VA_ARGS__, NULL})

/* The librdkafka value that a Java property ends as; "refused: ..." when it does not. */
static const char *mapped(enum sluice_client client, struct sluice_map *props, const char *name)
{
    static char value[2048];
    struct sluice_err err;
    size_t size = sizeof value;
    rd_kafka_conf_t *conf = sluice_client_conf(client, props, "test", &err);
    if (!conf) {
        snprintf(value, sizeof value, "refused: %s", err.msg);
    } else {
        if (rd_kafka_conf_get(conf, name, value, &size) != RD_KAFKA_CONF_OK)
            snprintf(value, sizeof value, "unset");
        rd_kafka_conf_destroy(conf);
    }
    sluice_map_fini(props);
    return value;
}

TEST(client_layers_connector_beats_worker_beats_defaults)
{
    struct sluice_map out = {0};
    struct sluice_map worker =
        MAP("bootstrap.servers", "b:1", "producer.acks", "1", "producer.linger.ms", "7",
            "security.protocol", "SSL", "consumer.group.id", "x");
    struct sluice_map connector = MAP("producer.override.linger.ms", "9", "topics", "t");
    sluice_client_layers(SLUICE_CLIENT_PRODUCER, &worker, &connector, &out);
    CHECK_STR(sluice_map_get(&out, "bootstrap.servers"), "b:1");
    CHECK_STR(sluice_map_get(&out, "acks"), "1");
    CHECK_STR(sluice_map_get(&out, "linger.ms"), "9");
    /* Security of the worker's own clients is not the tasks' (as in Java). */
    CHECK(!sluice_map_has(&out, "security.protocol"));
    CHECK(!sluice_map_has(&out, "group.id"));
    sluice_map_fini(&out);
    sluice_client_layers(SLUICE_CLIENT_ADMIN, &worker, &connector, &out);
    CHECK_STR(sluice_map_get(&out, "security.protocol"), "SSL");
    sluice_map_fini(&out);
    sluice_map_fini(&worker);
    sluice_map_fini(&connector);
}

TEST(client_java_names_become_librdkafkas)
{
    struct sluice_map p = MAP("max.request.size", "5000000");
    CHECK_STR(mapped(SLUICE_CLIENT_PRODUCER, &p, "message.max.bytes"), "5000000");
    p = MAP("key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
    CHECK_STR(mapped(SLUICE_CLIENT_PRODUCER, &p, "partitioner"), "murmur2_random");
    p = MAP("fetch.max.wait.ms", "77");
    CHECK_STR(mapped(SLUICE_CLIENT_CONSUMER, &p, "fetch.wait.max.ms"), "77");
    p = MAP("partition.assignment.strategy",
            "org.apache.kafka.clients.consumer.RangeAssignor,"
            "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
    CHECK_STR(mapped(SLUICE_CLIENT_CONSUMER, &p, "partition.assignment.strategy"), "range");
    p = MAP("enable.auto.commit", "true"); /* what is not durable is never committed */
    CHECK_STR(mapped(SLUICE_CLIENT_CONSUMER, &p, "enable.auto.commit"), "false");
}

TEST(client_jaas_line_gives_user_and_password)
{
    static const char *const line =
        "org.apache.kafka.common.security.scram.ScramLoginModule required "
        "username=\"al\\\"ice\" password='s3 cret';";
    struct sluice_map p = MAP("sasl.jaas.config", line);
    CHECK_STR(mapped(SLUICE_CLIENT_PRODUCER, &p, "sasl.username"), "al\"ice");
    p = MAP("sasl.jaas.config", line);
    CHECK_STR(mapped(SLUICE_CLIENT_PRODUCER, &p, "sasl.password"), "s3 cret");
    p = MAP("sasl.jaas.config",
            "com.sun.security.auth.module.Krb5LoginModule required x=\"hush\";");
    const char *refusal = mapped(SLUICE_CLIENT_PRODUCER, &p, "sasl.username");
    CHECK_HAS(refusal, "refused: test: sasl.jaas.config holds no principal");
    CHECK(!strstr(refusal, "hush"));
}

TEST(client_refuses_what_would_break_a_promise)
{
    struct sluice_map p = MAP("transactional.id", "mine");
    CHECK_HAS(mapped(SLUICE_CLIENT_PRODUCER, &p, "acks"), "transactional.id is refused");
    p = MAP("acks", "some");
    CHECK_HAS(mapped(SLUICE_CLIENT_PRODUCER, &p, "acks"),
              "invalid value some for configuration acks");
    p = MAP("no.such.key", "1");
    CHECK_HAS(mapped(SLUICE_CLIENT_PRODUCER, &p, "acks"), "no.such.key");
}

/* Written anew for each case; the bytes are text. */
static const char *store(const char *bytes)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/client_%d_store", SLUICE_BUILD_DIR, (int)getpid());
    FILE *out = fopen(path, "w");
    assert(out);
    fputs(bytes, out);
    fclose(out);
    return path;
}

TEST(client_tells_what_to_do_about_stores)
{
    static const char *const kinds[] = {"ssl.truststore.location", "ssl.keystore.location"};
    for (size_t i = 0; i < 2; i++) {
        struct sluice_map p =
            MAP(kinds[i], store("\xFE\xED\xFE\xED...."), "ssl.keystore.type", "PKCS12");
        const char *refusal = mapped(SLUICE_CLIENT_CONSUMER, &p, "acks");
        CHECK_HAS(refusal, "is a JKS store, which only Java reads; convert it with `keytool");
        CHECK_HAS(refusal, kinds[i]);
        p = MAP(kinds[i], store("-----BEGIN CERTIFICATE-----\n"));
        CHECK_HAS(mapped(SLUICE_CLIENT_ADMIN, &p, "acks"), "is a PEM file: set ssl.");
        p = MAP(kinds[i], "/no/such/store", "ssl.truststore.password", "hush");
        refusal = mapped(SLUICE_CLIENT_PRODUCER, &p, "acks");
        CHECK_HAS(refusal, "/no/such/store");
        CHECK(!strstr(refusal, "hush"));
    }
    struct sluice_map p =
        MAP("ssl.truststore.location", store("neither"), "ssl.truststore.password", "hush");
    const char *refusal = mapped(SLUICE_CLIENT_PRODUCER, &p, "acks");
    CHECK_HAS(refusal, "cannot be read as PKCS#12 with ssl.truststore.password");
    CHECK(!strstr(refusal, "hush"));
    p = MAP("ssl.keystore.location", store("x"), "ssl.keystore.type", "PEM");
    CHECK_HAS(mapped(SLUICE_CLIENT_PRODUCER, &p, "ssl.key.location"), "store");
}

TEST(client_wraps_pem_that_stands_in_one_line)
{
    char body[101] = "", line[400];
    memset(body, 'A', sizeof body - 1);
    snprintf(line, sizeof line, "-----BEGIN CERTIFICATE----- %s -----END CERTIFICATE-----", body);
    struct sluice_map p = MAP("ssl.truststore.certificates", line);
    CHECK_HAS(mapped(SLUICE_CLIENT_PRODUCER, &p, "ssl.ca.pem"),
              "-----BEGIN CERTIFICATE-----\nAAAA");
    p = MAP("ssl.keystore.key", "no key, hush");
    const char *refusal = mapped(SLUICE_CLIENT_PRODUCER, &p, "acks");
    CHECK_HAS(refusal, "ssl.keystore.key holds no PEM");
    CHECK(!strstr(refusal, "hush"));
}

TEST(client_identity_ignores_only_the_client_id)
{
    struct sluice_map a = MAP("acks", "all", "client.id", "x"), b = MAP("acks", "all");
    struct sluice_map c = MAP("acks", "1");
    char *ia = sluice_client_identity(&a), *ib = sluice_client_identity(&b);
    char *ic = sluice_client_identity(&c);
    CHECK_STR(ia, ib);
    CHECK(strcmp(ia, ic) != 0);
    free(ia);
    free(ib);
    free(ic);
    sluice_map_fini(&a);
    sluice_map_fini(&b);
    sluice_map_fini(&c);
}

/* ---- the table ---- */

struct java_property {
    enum sluice_client client;
    char name[80], fallback[160]; /* fallback "-": none */
};

/* The next line of the list that the Java classes gave. */
static bool next_property(FILE *in, struct java_property *out)
{
    char kind[16] = "", line[300];
    if (!fgets(line, sizeof line, in)) return false;
    out->fallback[0] = '\0';
    assert(sscanf(line, "%15s %79s %159s", kind, out->name, out->fallback) >= 2);
    out->client = kind[0] == 'p'   ? SLUICE_CLIENT_PRODUCER
                  : kind[0] == 'c' ? SLUICE_CLIENT_CONSUMER
                                   : SLUICE_CLIENT_ADMIN;
    return true;
}

static FILE *java_properties(void)
{
    FILE *in = fopen(SLUICE_TEST_DIR "/golden/kafka/client_properties.txt", "r");
    assert(in);
    return in;
}

TEST(client_table_has_every_property_of_java)
{
    FILE *in = java_properties();
    struct java_property java;
    size_t n = 0;
    bool other;
    for (; next_property(in, &java); n++)
        if (!sluice_client_row(java.client, java.name, &other))
            FAIL("property %s of client %d has no row", java.name, (int)java.client);
    CHECK(n == 317); /* Kafka 4.1.0; a newer list needs its rows first */
    fclose(in);
}

/* Whether librdkafka knows the property at all, whatever it thinks of the value. */
static bool is_known(const char *name)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_res_t res = rd_kafka_conf_set(conf, name, "?", text, sizeof text);
    rd_kafka_conf_destroy(conf);
    return res != RD_KAFKA_CONF_UNKNOWN;
}

static bool takes(const char *name, long long number)
{
    char text[256], value[24];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    snprintf(value, sizeof value, "%lld", number);
    bool ok = rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK;
    rd_kafka_conf_destroy(conf);
    return ok;
}

TEST(client_table_maps_to_names_and_ranges_that_librdkafka_has)
{
    for (size_t i = 0; i < sluice_client_rows_n; i++) {
        const struct sluice_client_row *row = &sluice_client_rows[i];
        bool said = row->action == CLIENT_SILENT || row->action == CLIENT_WARN ||
                    row->action == CLIENT_REFUSE;
        if (row->action != CLIENT_JAAS && (!row->to || !*row->to)) FAIL("%s: no word", row->java);
        if (!said && row->to && !is_known(row->to))
            FAIL("%s becomes %s, which librdkafka does not know", row->java, row->to);
        if (row->max && (!takes(row->to, row->min) || !takes(row->to, row->max)))
            FAIL("%s: the range is not librdkafka's", row->java);
        for (size_t j = 0; j < i; j++)
            if (strcmp(sluice_client_rows[j].java, row->java) == 0 &&
                sluice_client_rows[j].clients & row->clients)
                FAIL("%s has two rows for one client", row->java);
    }
    CHECK(is_known("sasl.username") && is_known("sasl.kerberos.keytab"));
    CHECK(is_known("sasl.oauthbearer.method") && !is_known("buffer.memory"));
}

/* Who writes a default of Java's down gets a client all the same, but where only Java can. */
TEST(client_takes_javas_own_defaults)
{
    FILE *in = java_properties();
    struct java_property java;
    struct sluice_err err;
    while (next_property(in, &java)) {
        if (strcmp(java.fallback, "-") == 0) continue;
        if (strcmp(java.name, "partition.assignment.strategy") == 0) continue; /* "class ..." */
        if (strcmp(java.name, "sasl.mechanism") == 0) continue; /* GSSAPI, which builds may lack */
        struct sluice_map props = {0};
        sluice_map_set(&props, java.name, java.fallback);
        rd_kafka_conf_t *conf = sluice_client_conf(java.client, &props, "test", &err);
        if (!conf) FAIL("%s=%s: %s", java.name, java.fallback, err.msg);
        rd_kafka_conf_destroy(conf);
        sluice_map_fini(&props);
    }
    fclose(in);
}

TEST(client_numbers_beyond_the_range_take_the_nearest_bound)
{
    struct sluice_map p = MAP("max.poll.interval.ms", "2147483647");
    CHECK_STR(mapped(SLUICE_CLIENT_CONSUMER, &p, "max.poll.interval.ms"), "86400000");
    p = MAP("batch.size", "0");
    CHECK_STR(mapped(SLUICE_CLIENT_PRODUCER, &p, "batch.size"), "1");
    p = MAP("receive.buffer.bytes", "-1"); /* the system's */
    CHECK_STR(mapped(SLUICE_CLIENT_CONSUMER, &p, "socket.receive.buffer.bytes"), "0");
    p = MAP("linger.ms", "soon");
    CHECK_HAS(mapped(SLUICE_CLIENT_PRODUCER, &p, "linger.ms"), "invalid value soon");
}

TEST(client_words_that_differ)
{
    struct sluice_map p = MAP("auto.offset.reset", "none");
    CHECK_STR(mapped(SLUICE_CLIENT_CONSUMER, &p, "auto.offset.reset"), "error");
    p = MAP("auto.offset.reset", "by_duration:P1D");
    CHECK_HAS(mapped(SLUICE_CLIENT_CONSUMER, &p, "auto.offset.reset"), "earliest, latest or none");
    p = MAP("ssl.endpoint.identification.algorithm", "");
    CHECK_STR(mapped(SLUICE_CLIENT_PRODUCER, &p, "ssl.endpoint.identification.algorithm"), "none");
    p = MAP("ssl.cipher.suites", "TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384");
    CHECK_STR(mapped(SLUICE_CLIENT_PRODUCER, &p, "ssl.cipher.suites"),
              "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
    p = MAP("compression.type", "zstd", "compression.zstd.level", "22", "compression.gzip.level",
            "3");
    CHECK_STR(mapped(SLUICE_CLIENT_PRODUCER, &p, "compression.level"), "12");
    p = MAP("request.timeout.ms", "7000");
    CHECK_STR(mapped(SLUICE_CLIENT_CONSUMER, &p, "socket.timeout.ms"), "7000");
    p = MAP("fetch.min.bytes", "9"); /* not a producer's: told, and without effect */
    CHECK_STR(mapped(SLUICE_CLIENT_PRODUCER, &p, "fetch.min.bytes"), "1");
}

TEST(client_jaas_line_of_kerberos)
{
    static const char *const line =
        "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true\n"
        "keyTab=\"/etc/k.tab\" principal=\"me@REALM\";";
    struct sluice_map p = MAP("sasl.jaas.config", line);
    CHECK_STR(mapped(SLUICE_CLIENT_CONSUMER, &p, "sasl.kerberos.keytab"), "/etc/k.tab");
    p = MAP("sasl.jaas.config", line);
    CHECK_STR(mapped(SLUICE_CLIENT_CONSUMER, &p, "sasl.kerberos.principal"), "me@REALM");
}

TEST(client_docs_name_every_property)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size), *in = java_properties();
    struct java_property java;
    sluice_client_docs(out);
    fclose(out);
    while (next_property(in, &java)) {
        char cell[100];
        snprintf(cell, sizeof cell, "| `%s` |", java.name);
        if (!strstr(text, cell)) FAIL("%s stands nowhere in the docs", java.name);
    }
    fclose(in);
    free(text);
}
