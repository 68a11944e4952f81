/* Java client properties: layers, mapping, refusals without secrets. */
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "kafka/client.h"

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
    CHECK_HAS(refusal, "refused: test: sasl.jaas.config holds no username and password");
    CHECK(!strstr(refusal, "hush"));
}

TEST(client_refuses_what_would_break_a_promise)
{
    struct sluice_map p = MAP("transactional.id", "mine");
    CHECK_HAS(mapped(SLUICE_CLIENT_PRODUCER, &p, "acks"), "transactional.id is refused");
    p = MAP("ssl.truststore.location", "/etc/trust.jks");
    CHECK_HAS(mapped(SLUICE_CLIENT_PRODUCER, &p, "acks"), "convert it to PEM");
    p = MAP("acks", "some");
    CHECK_HAS(mapped(SLUICE_CLIENT_PRODUCER, &p, "acks"),
              "invalid value some for configuration acks");
    p = MAP("no.such.key", "1");
    CHECK_HAS(mapped(SLUICE_CLIENT_PRODUCER, &p, "acks"), "no.such.key");
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
