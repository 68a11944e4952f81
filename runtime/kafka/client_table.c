/* client_table.c - see client_table.h. Sources: the configs of Kafka 4.1's producer, consumer and
 * admin client, whose names stand in tests/golden/kafka/client_properties.txt (a test holds this
 * table to them); librdkafka's CONFIGURATION.md (2.0), whose ranges are those given here. */
#include "kafka/client_table.h"

#include <string.h>

#define P (1u << SLUICE_CLIENT_PRODUCER)
#define C (1u << SLUICE_CLIENT_CONSUMER)
#define A (1u << SLUICE_CLIENT_ADMIN)
#define ALL (P | C | A)

#define MAP CLIENT_MAP
#define SILENT CLIENT_SILENT
#define WARN CLIENT_WARN
#define REFUSE CLIENT_REFUSE

#define SAME(name, clients)                                                                        \
    {                                                                                              \
        name, clients, MAP, name, 0, 0, NULL                                                       \
    }
#define NO_CLASSES "Java classes cannot be loaded"
#define JAVAS_OWN "concerns Java's own implementation"
#define NO_METRICS "metrics are at GET /metrics"
#define CONVERTERS "converters make the bytes"
#define ASSERTIONS                                                                                 \
    "signing assertions for OAuth is not supported; use "                                          \
    "sasl.oauthbearer.client.credentials.*, or another sasl.mechanism"
#define BROKERS "checks tokens that brokers receive"
#define TRANSACTIONS "exactly-once tasks get theirs from the worker"
#define CLASSIC "consumers use the classic group protocol"

const struct sluice_client_row sluice_client_rows[] = {
    SAME("bootstrap.servers", ALL),
    SAME("client.id", ALL),
    {"metadata.max.age.ms", ALL, MAP, "topic.metadata.refresh.interval.ms", 10, 3600000, NULL},
    {"client.dns.lookup", ALL, WARN, "all addresses of a name are used", 0, 0, "use_all_dns_ips"},
    {"connections.max.idle.ms", ALL, MAP, "connections.max.idle.ms", 0, INT32_MAX, NULL},
    {"receive.buffer.bytes", ALL, MAP, "socket.receive.buffer.bytes", 0, 100000000, NULL},
    {"send.buffer.bytes", ALL, MAP, "socket.send.buffer.bytes", 0, 100000000, NULL},
    {"reconnect.backoff.ms", ALL, MAP, "reconnect.backoff.ms", 0, 3600000, NULL},
    {"reconnect.backoff.max.ms", ALL, MAP, "reconnect.backoff.max.ms", 0, 3600000, NULL},
    {"socket.connection.setup.timeout.ms", ALL, MAP, "socket.connection.setup.timeout.ms", 1000,
     INT32_MAX, NULL},
    {"socket.connection.setup.timeout.max.ms", ALL, SILENT, "the timeout does not grow", 0, 0,
     NULL},
    {"request.timeout.ms", P, MAP, "request.timeout.ms", 1, 900000, NULL},
    {"request.timeout.ms", C | A, MAP, "socket.timeout.ms", 10, 300000, NULL},
    {"default.api.timeout.ms", C | A, SILENT, "nothing waits for such a call", 0, 0, NULL},
    {"retries", P | A, MAP, "retries", 0, INT32_MAX, NULL},
    {"retry.backoff.ms", P | A, MAP, "retry.backoff.ms", 1, 300000, NULL},
    {"retry.backoff.ms", C, SILENT, "librdkafka's consumer has waits of its own", 0, 0, NULL},
    {"retry.backoff.max.ms", ALL, SILENT, "the wait does not grow", 0, 0, NULL},
    {"metadata.recovery.strategy", ALL, SILENT, "bootstrap servers are always asked again", 0, 0,
     NULL},
    {"metadata.recovery.rebootstrap.trigger.ms", ALL, SILENT,
     "bootstrap servers are always asked again", 0, 0, NULL},
    {"bootstrap.controllers", A, WARN, "nothing is asked of controllers", 0, 0, ""},
    {"metric.reporters", ALL, SILENT, NO_METRICS, 0, 0, NULL},
    {"metrics.num.samples", ALL, SILENT, NO_METRICS, 0, 0, NULL},
    {"metrics.recording.level", ALL, SILENT, NO_METRICS, 0, 0, NULL},
    {"metrics.sample.window.ms", ALL, SILENT, NO_METRICS, 0, 0, NULL},
    {"auto.include.jmx.reporter", ALL, SILENT, NO_METRICS, 0, 0, NULL},
    {"enable.metrics.push", ALL, SILENT, NO_METRICS, 0, 0, NULL},
    {"interceptor.classes", P | C, WARN, NO_CLASSES, 0, 0, ""},

    /* producer */
    SAME("acks", P),
    {"batch.size", P, MAP, "batch.size", 1, INT32_MAX, NULL},
    {"linger.ms", P, MAP, "linger.ms", 0, 900000, NULL},
    {"buffer.memory", P, SILENT, "inflight.max.bytes bounds what is under way", 0, 0, NULL},
    {"max.block.ms", P, SILENT, "a full window stops the task's polling instead", 0, 0, NULL},
    {"max.request.size", P, MAP, "message.max.bytes", 1000, 1000000000, NULL},
    {"delivery.timeout.ms", P, MAP, "delivery.timeout.ms", 0, INT32_MAX, NULL},
    {"max.in.flight.requests.per.connection", P, MAP, "max.in.flight.requests.per.connection", 1,
     1000000, NULL},
    SAME("enable.idempotence", P),
    SAME("compression.type", P),
    {"compression.gzip.level", P, CLIENT_LEVEL, "compression.level", -1, 9, NULL},
    {"compression.lz4.level", P, CLIENT_LEVEL, "compression.level", 0, 12, NULL},
    {"compression.zstd.level", P, CLIENT_LEVEL, "compression.level", -1, 12, NULL},
    {"metadata.max.idle.ms", P, SILENT, "topics are kept for as long as a task writes to them", 0,
     0, NULL},
    {"partitioner.class", P, WARN, NO_CLASSES "; keys are partitioned as Java's default does", 0, 0,
     ""},
    {"partitioner.ignore.keys", P, WARN, "the key decides whenever a record has one", 0, 0,
     "false"},
    {"partitioner.adaptive.partitioning.enable", P, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"partitioner.availability.timeout.ms", P, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"key.serializer", P, SILENT, CONVERTERS, 0, 0, NULL},
    {"value.serializer", P, SILENT, CONVERTERS, 0, 0, NULL},
    {"transaction.timeout.ms", P, MAP, "transaction.timeout.ms", 1000, INT32_MAX, NULL},
    {"transactional.id", P, REFUSE, TRANSACTIONS, 0, 0, ""},
    {"transaction.two.phase.commit.enable", P, REFUSE, TRANSACTIONS, 0, 0, "false"},

    /* consumer */
    SAME("group.id", C),
    SAME("group.instance.id", C),
    {"group.protocol", C, WARN, CLASSIC, 0, 0, "classic"},
    {"group.remote.assignor", C, WARN, CLASSIC, 0, 0, ""},
    SAME("client.rack", C),
    {"session.timeout.ms", C, MAP, "session.timeout.ms", 1, 3600000, NULL},
    {"heartbeat.interval.ms", C, MAP, "heartbeat.interval.ms", 1, 3600000, NULL},
    {"max.poll.interval.ms", C, MAP, "max.poll.interval.ms", 1, 86400000, NULL},
    {"max.poll.records", C, SILENT, "bounds the batches that a sink's task takes", 0, 0, NULL},
    {"partition.assignment.strategy", C, CLIENT_ASSIGNOR, "partition.assignment.strategy", 0, 0,
     NULL},
    {"auto.offset.reset", C, CLIENT_RESET, "auto.offset.reset", 0, 0, NULL},
    {"enable.auto.commit", C, SILENT, "only what is durable is ever committed", 0, 0, NULL},
    {"auto.commit.interval.ms", C, SILENT, "only what is durable is ever committed", 0, 0, NULL},
    {"enable.auto.offset.store", C, REFUSE, "the task commits what is durable, and nothing else", 0,
     0, "false"}, /* librdkafka's own */
    {"fetch.min.bytes", C, MAP, "fetch.min.bytes", 1, 100000000, NULL},
    {"fetch.max.bytes", C, MAP, "fetch.max.bytes", 0, 2147483135, NULL},
    {"fetch.max.wait.ms", C, MAP, "fetch.wait.max.ms", 0, 300000, NULL},
    {"max.partition.fetch.bytes", C, MAP, "max.partition.fetch.bytes", 1, 1000000000, NULL},
    SAME("check.crcs", C),
    SAME("isolation.level", C),
    SAME("allow.auto.create.topics", C),
    {"exclude.internal.topics", C, WARN, "topics.regex never finds __consumer_offsets", 0, 0,
     "true"},
    {"key.deserializer", C, SILENT, CONVERTERS, 0, 0, NULL},
    {"value.deserializer", C, SILENT, CONVERTERS, 0, 0, NULL},
    {"internal.leave.group.on.close", C, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"internal.throw.on.fetch.stable.offset.unsupported", C, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"share.acknowledgement.mode", C, SILENT, "sinks read as consumer groups, not share groups", 0,
     0, NULL},

    /* security */
    SAME("security.protocol", ALL),
    {"security.providers", ALL, WARN, NO_CLASSES, 0, 0, ""},
    SAME("sasl.mechanism", ALL),
    {"sasl.jaas.config", ALL, CLIENT_JAAS, NULL, 0, 0, NULL},
    SAME("sasl.kerberos.service.name", ALL),
    {"sasl.kerberos.min.time.before.relogin", ALL, MAP, "sasl.kerberos.min.time.before.relogin", 0,
     86400000, NULL},
    {"sasl.kerberos.kinit.cmd", ALL, WARN,
     "kinit of the PATH is run with principal and keytab of sasl.jaas.config", 0, 0,
     "/usr/bin/kinit"},
    {"sasl.kerberos.ticket.renew.jitter", ALL, SILENT, "kinit runs at fixed intervals", 0, 0, NULL},
    {"sasl.kerberos.ticket.renew.window.factor", ALL, SILENT, "kinit runs at fixed intervals", 0, 0,
     NULL},
    {"sasl.client.callback.handler.class", ALL, WARN, NO_CLASSES, 0, 0, ""},
    {"sasl.login.class", ALL, WARN, NO_CLASSES, 0, 0, ""},
    {"sasl.login.callback.handler.class", ALL, WARN, NO_CLASSES, 0, 0, ""},
    {"sasl.login.connect.timeout.ms", ALL, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"sasl.login.read.timeout.ms", ALL, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"sasl.login.refresh.buffer.seconds", ALL, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"sasl.login.refresh.min.period.seconds", ALL, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"sasl.login.refresh.window.factor", ALL, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"sasl.login.refresh.window.jitter", ALL, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"sasl.login.retry.backoff.max.ms", ALL, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"sasl.login.retry.backoff.ms", ALL, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"sasl.oauthbearer.token.endpoint.url", ALL, CLIENT_OAUTH,
     "sasl.oauthbearer.token.endpoint.url", 0, 0, NULL},
    {"sasl.oauthbearer.client.credentials.client.id", ALL, MAP, "sasl.oauthbearer.client.id", 0, 0,
     NULL},
    {"sasl.oauthbearer.client.credentials.client.secret", ALL, MAP,
     "sasl.oauthbearer.client.secret", 0, 0, NULL},
    SAME("sasl.oauthbearer.scope", ALL),
    {"sasl.oauthbearer.header.urlencode", ALL, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"sasl.oauthbearer.jwt.retriever.class", ALL, WARN, NO_CLASSES, 0, 0,
     "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever"},
    {"sasl.oauthbearer.jwt.validator.class", ALL, WARN, NO_CLASSES, 0, 0,
     "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator"},
    {"sasl.oauthbearer.assertion.algorithm", ALL, REFUSE, ASSERTIONS, 0, 0, "RS256"},
    {"sasl.oauthbearer.assertion.claim.aud", ALL, REFUSE, ASSERTIONS, 0, 0, NULL},
    {"sasl.oauthbearer.assertion.claim.exp.seconds", ALL, REFUSE, ASSERTIONS, 0, 0, "300"},
    {"sasl.oauthbearer.assertion.claim.iss", ALL, REFUSE, ASSERTIONS, 0, 0, NULL},
    {"sasl.oauthbearer.assertion.claim.jti.include", ALL, REFUSE, ASSERTIONS, 0, 0, "false"},
    {"sasl.oauthbearer.assertion.claim.nbf.seconds", ALL, REFUSE, ASSERTIONS, 0, 0, "60"},
    {"sasl.oauthbearer.assertion.claim.sub", ALL, REFUSE, ASSERTIONS, 0, 0, NULL},
    {"sasl.oauthbearer.assertion.file", ALL, REFUSE, ASSERTIONS, 0, 0, NULL},
    {"sasl.oauthbearer.assertion.private.key.file", ALL, REFUSE, ASSERTIONS, 0, 0, NULL},
    {"sasl.oauthbearer.assertion.private.key.passphrase", ALL, REFUSE, ASSERTIONS, 0, 0, NULL},
    {"sasl.oauthbearer.assertion.template.file", ALL, REFUSE, ASSERTIONS, 0, 0, NULL},
    {"sasl.oauthbearer.clock.skew.seconds", ALL, SILENT, BROKERS, 0, 0, NULL},
    {"sasl.oauthbearer.expected.audience", ALL, SILENT, BROKERS, 0, 0, NULL},
    {"sasl.oauthbearer.expected.issuer", ALL, SILENT, BROKERS, 0, 0, NULL},
    {"sasl.oauthbearer.jwks.endpoint.refresh.ms", ALL, SILENT, BROKERS, 0, 0, NULL},
    {"sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", ALL, SILENT, BROKERS, 0, 0, NULL},
    {"sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", ALL, SILENT, BROKERS, 0, 0, NULL},
    {"sasl.oauthbearer.jwks.endpoint.url", ALL, SILENT, BROKERS, 0, 0, NULL},
    {"sasl.oauthbearer.scope.claim.name", ALL, SILENT, BROKERS, 0, 0, NULL},
    {"sasl.oauthbearer.sub.claim.name", ALL, SILENT, BROKERS, 0, 0, NULL},
    {"ssl.endpoint.identification.algorithm", ALL, CLIENT_HTTPS,
     "ssl.endpoint.identification.algorithm", 0, 0, NULL},
    {"ssl.cipher.suites", ALL, CLIENT_SUITES, "ssl.cipher.suites", 0, 0, NULL},
    {"ssl.protocol", ALL, SILENT, "OpenSSL takes the newest version that both sides know", 0, 0,
     NULL},
    {"ssl.enabled.protocols", ALL, WARN, "OpenSSL takes the newest version that both sides know", 0,
     0, "TLSv1.2,TLSv1.3"},
    {"ssl.engine.factory.class", ALL, WARN, NO_CLASSES, 0, 0, ""},
    {"ssl.provider", ALL, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"ssl.keymanager.algorithm", ALL, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"ssl.trustmanager.algorithm", ALL, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"ssl.secure.random.implementation", ALL, SILENT, JAVAS_OWN, 0, 0, NULL},
    {"ssl.truststore.location", ALL, CLIENT_STORE, "ssl.ca.location", 0, 0, NULL},
    {"ssl.truststore.type", ALL, SILENT, "read with ssl.truststore.location", 0, 0, NULL},
    {"ssl.truststore.password", ALL, SILENT, "read with ssl.truststore.location", 0, 0, NULL},
    {"ssl.truststore.certificates", ALL, CLIENT_PEM, "ssl.ca.pem", 0, 0, NULL},
    {"ssl.keystore.location", ALL, CLIENT_STORE, "ssl.certificate.location", 0, 0, NULL},
    {"ssl.keystore.type", ALL, SILENT, "read with ssl.keystore.location", 0, 0, NULL},
    {"ssl.keystore.password", ALL, SILENT, "read with ssl.keystore.location", 0, 0, NULL},
    SAME("ssl.key.password", ALL),
    {"ssl.keystore.certificate.chain", ALL, CLIENT_PEM, "ssl.certificate.pem", 0, 0, NULL},
    {"ssl.keystore.key", ALL, CLIENT_PEM, "ssl.key.pem", 0, 0, NULL},
};

const size_t sluice_client_rows_n = sizeof sluice_client_rows / sizeof *sluice_client_rows;

const struct sluice_client_row *sluice_client_row(enum sluice_client client, const char *java,
                                                  bool *other)
{
    *other = false;
    for (size_t i = 0; i < sluice_client_rows_n; i++) {
        if (strcmp(sluice_client_rows[i].java, java) != 0) continue;
        if (sluice_client_rows[i].clients & 1u << client) return &sluice_client_rows[i];
        *other = true;
    }
    return NULL;
}
