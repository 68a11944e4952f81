/* client.c - see client.h. Sources: Kafka 4.1's producer, consumer and admin configs; librdkafka's
 * CONFIGURATION.md (2.0). Whatever stands in no row is handed to librdkafka under its own name. */
#include "kafka/client.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

enum action {
    RENAME,  /* to: librdkafka's name, same value */
    SILENT,  /* means nothing here and harms nothing: said in the docs only */
    WARN,    /* accepted without effect, one warning; to: the reason */
    REFUSE,  /* to: the reason and what to do */
    JAAS,    /* user and password out of sasl.jaas.config */
    STORE,   /* a Java key or trust store; to: the PEM property */
    ASSIGNOR /* class names to librdkafka's words */
};

struct row {
    const char *java;
    enum action action;
    const char *to;
};

#define OWN_THREADS "librdkafka sizes its own"
#define NO_CLASSES "Java classes cannot be loaded"

static const struct row rows[] = {
    {"receive.buffer.bytes", RENAME, "socket.receive.buffer.bytes"},
    {"send.buffer.bytes", RENAME, "socket.send.buffer.bytes"},
    {"max.request.size", RENAME, "message.max.bytes"},
    {"fetch.max.wait.ms", RENAME, "fetch.wait.max.ms"},
    {"socket.connection.setup.timeout.max.ms", SILENT, NULL},
    {"buffer.memory", SILENT, NULL},    /* bounds the task's window: worker/task.c */
    {"max.poll.records", SILENT, NULL}, /* bounds the task's batch: worker/sink_task.c */
    {"max.block.ms", WARN, "a full window stops the task's polling instead"},
    {"default.api.timeout.ms", WARN, OWN_THREADS " timeouts"},
    {"retry.backoff.max.ms", SILENT, NULL},
    {"metadata.max.idle.ms", SILENT, NULL},
    {"metadata.recovery.strategy", SILENT, NULL},
    {"metadata.recovery.rebootstrap.trigger.ms", SILENT, NULL},
    {"metric.reporters", SILENT, NULL},
    {"metrics.num.samples", SILENT, NULL},
    {"metrics.recording.level", SILENT, NULL},
    {"metrics.sample.window.ms", SILENT, NULL},
    {"enable.metrics.push", SILENT, NULL},
    {"auto.include.jmx.reporter", SILENT, NULL},
    {"key.serializer", SILENT, NULL},
    {"value.serializer", SILENT, NULL},
    {"key.deserializer", SILENT, NULL},
    {"value.deserializer", SILENT, NULL},
    {"exclude.internal.topics", SILENT, NULL},
    {"group.protocol", SILENT, NULL},
    {"partitioner.class", WARN, NO_CLASSES "; keys are partitioned as Java's default does"},
    {"partitioner.ignore.keys", WARN, "keys are always used when a record has one"},
    {"partitioner.adaptive.partitioning.enable", SILENT, NULL},
    {"partitioner.availability.timeout.ms", SILENT, NULL},
    {"interceptor.classes", WARN, NO_CLASSES},
    {"security.providers", WARN, NO_CLASSES},
    {"sasl.client.callback.handler.class", WARN, NO_CLASSES},
    {"sasl.login.class", WARN, NO_CLASSES},
    {"sasl.login.callback.handler.class", WARN, NO_CLASSES},
    {"ssl.engine.factory.class", WARN, NO_CLASSES},
    {"ssl.protocol", WARN, "OpenSSL negotiates the newest version that both sides know"},
    {"ssl.enabled.protocols", WARN, "OpenSSL negotiates the newest version that both sides know"},
    {"ssl.provider", SILENT, NULL},
    {"ssl.keymanager.algorithm", SILENT, NULL},
    {"ssl.trustmanager.algorithm", SILENT, NULL},
    {"ssl.secure.random.implementation", SILENT, NULL},
    {"ssl.truststore.type", SILENT, NULL}, /* read with the location */
    {"ssl.keystore.type", SILENT, NULL},
    {"ssl.truststore.password", SILENT, NULL},
    {"ssl.truststore.location", STORE, "ssl.ca.location"},
    {"ssl.truststore.certificates", RENAME, "ssl.ca.pem"},
    {"ssl.keystore.certificate.chain", RENAME, "ssl.certificate.pem"},
    {"ssl.keystore.key", RENAME, "ssl.key.pem"},
    {"ssl.keystore.location", STORE, "ssl.keystore.location"},
    {"transactional.id", REFUSE, "exactly-once tasks get theirs from the worker"},
    {"enable.auto.commit", SILENT, NULL}, /* always false: only durable offsets are committed */
    {"enable.auto.offset.store", REFUSE, "the task commits what is durable, and nothing else"},
    {"sasl.jaas.config", JAAS, NULL},
    {"partition.assignment.strategy", ASSIGNOR, "partition.assignment.strategy"},
};

static const struct row *find_row(const char *java)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].java, java) == 0) return &rows[i];
    return NULL;
}

/* ---- layers ---- */

static void add_prefixed(struct sluice_map *out, const struct sluice_map *from, const char *prefix)
{
    size_t n = strlen(prefix);
    for (size_t i = 0; i < from->n; i++)
        if (strncmp(from->items[i].key, prefix, n) == 0)
            sluice_map_set(out, from->items[i].key + n, from->items[i].value);
}

void sluice_client_layers(enum sluice_client client, const struct sluice_map *worker,
                          const struct sluice_map *connector, struct sluice_map *out)
{
    static const char *const names[] = {"producer", "consumer", "admin"};
    static const char *const plain[] = {"security.protocol", "client.id", "request.timeout.ms",
                                        "metadata.max.age.ms", "retry.backoff.ms"};
    char prefix[32];
    const char *bootstrap = sluice_map_get(worker, "bootstrap.servers");
    sluice_map_set(out, "bootstrap.servers", bootstrap ? bootstrap : "localhost:9092");
    if (client == SLUICE_CLIENT_PRODUCER) {
        sluice_map_set(out, "acks", "all");
        /* As in Connect: one request in flight keeps the order over retries. Idempotence would too,
         * but librdkafka 2.0's broker thread then spins while requests are out (2.6 times the CPU). */
        sluice_map_set(out, "enable.idempotence", "false");
        sluice_map_set(out, "max.in.flight.requests.per.connection", "1");
        sluice_map_set(out, "delivery.timeout.ms", "2147483647");
        sluice_map_set(out, "compression.type", "none");
    } else if (client == SLUICE_CLIENT_CONSUMER) {
        sluice_map_set(out, "auto.offset.reset", "earliest");
        sluice_map_set(out, "isolation.level", "read_uncommitted"); /* as in Java */
        /* Java's 45 s leave room for its garbage collector; a killed worker's partitions should not
         * wait so long for their next owner. */
        sluice_map_set(out, "session.timeout.ms", "10000");
    } else {
        for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
            if (sluice_map_has(worker, plain[i]))
                sluice_map_set(out, plain[i], sluice_map_get(worker, plain[i]));
        for (size_t i = 0; i < worker->n; i++)
            if (strncmp(worker->items[i].key, "ssl.", 4) == 0 ||
                strncmp(worker->items[i].key, "sasl.", 5) == 0)
                sluice_map_set(out, worker->items[i].key, worker->items[i].value);
    }
    snprintf(prefix, sizeof prefix, "%s.", names[client]);
    add_prefixed(out, worker, prefix);
    if (!connector) return;
    snprintf(prefix, sizeof prefix, "%s.override.", names[client]);
    add_prefixed(out, connector, prefix);
}

char *sluice_client_identity(const struct sluice_map *props)
{
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    for (size_t i = 0; i < props->n; i++)
        if (strcmp(props->items[i].key, "client.id") != 0)
            sluice_buf_addf(&buf, "%s=%s\n", props->items[i].key,
                            props->items[i].value ? props->items[i].value : "");
    char *text = sluice_xstrdup(sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    return text;
}

/* ---- mapping ---- */

struct mapping {
    rd_kafka_conf_t *conf;
    const struct sluice_map *props;
    const char *who;
    struct sluice_err *err;
};

static bool is_secret(const char *key)
{
    return strstr(key, "password") || strstr(key, "jaas") || strstr(key, "key.pem") ||
           strstr(key, "keystore.key") || strstr(key, "secret");
}

static bool set(struct mapping *m, const char *java, const char *name, const char *value)
{
    char text[512];
    if (rd_kafka_conf_set(m->conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK) return true;
    if (is_secret(java))
        return sluice_err_set(m->err, "%s: %s was refused by librdkafka", m->who, java);
    return sluice_err_set(m->err, "%s: invalid value %s for configuration %s: %s", m->who, value,
                          java, text);
}

/* username="..." out of a JAAS line; quotes may be escaped with a backslash. */
static char *jaas_word(const char *line, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = strstr(line, word); p; p = strstr(p + 1, word)) {
        if (p > line && p[-1] != ' ' && p[-1] != '\t') continue;
        const char *s = p + n;
        while (*s == ' ') s++;
        if (*s++ != '=') continue;
        while (*s == ' ') s++;
        if (*s != '"' && *s != '\'') continue;
        char quote = *s++;
        char *out = sluice_xmalloc(strlen(s) + 1), *o = out;
        while (*s && *s != quote) {
            if (*s == '\\' && s[1]) s++;
            *o++ = *s++;
        }
        *o = '\0';
        return out;
    }
    return NULL;
}

static bool set_jaas(struct mapping *m, const char *value)
{
    char *user = jaas_word(value, "username"), *password = jaas_word(value, "password");
    bool ok = user && password && set(m, "sasl.jaas.config", "sasl.username", user) &&
              set(m, "sasl.jaas.config", "sasl.password", password);
    if (!user || !password)
        sluice_err_set(m->err,
                       "%s: sasl.jaas.config holds no username and password: PlainLoginModule and "
                       "ScramLoginModule are understood; for others give librdkafka's own sasl.* "
                       "properties",
                       m->who);
    free(user);
    free(password);
    return ok;
}

static bool set_store(struct mapping *m, const struct row *row, const char *value)
{
    bool trust = strstr(row->java, "truststore") != NULL;
    const char *type =
        sluice_map_get(m->props, trust ? "ssl.truststore.type" : "ssl.keystore.type");
    if (type && strcasecmp(type, "PEM") == 0) {
        if (trust) return set(m, row->java, "ssl.ca.location", value);
        return set(m, row->java, "ssl.certificate.location", value) &&
               set(m, row->java, "ssl.key.location", value);
    }
    if (!trust && type && strcasecmp(type, "PKCS12") == 0)
        return set(m, row->java, "ssl.keystore.location", value);
    return sluice_err_set(
        m->err,
        "%s: %s %s is a Java store (type %s), which only Java can read: convert it "
        "to PEM (keytool -importkeystore -deststoretype PKCS12, then openssl "
        "pkcs12) and set the type to PEM",
        m->who, row->java, value, type ? type : "JKS");
}

static bool set_assignor(struct mapping *m, const char *value)
{
    const char *words = strstr(value, "CooperativeSticky") && !strstr(value, "RangeAssignor")
                            ? "cooperative-sticky"
                        : strstr(value, "RoundRobinAssignor") ? "roundrobin"
                        : strstr(value, "RangeAssignor")      ? "range"
                                                              : value;
    return set(m, "partition.assignment.strategy", "partition.assignment.strategy", words);
}

static bool map_one(struct mapping *m, const char *key, const char *value)
{
    const struct row *row = find_row(key);
    if (!row) return set(m, key, key, value);
    switch (row->action) {
    case RENAME: return set(m, key, row->to, value);
    case WARN:
        sluice_log(SLUICE_WARN, NULL, -1, "%s: %s has no effect: %s", m->who, key, row->to);
        return true;
    case REFUSE: return sluice_err_set(m->err, "%s: %s is refused: %s", m->who, key, row->to);
    case JAAS: return set_jaas(m, value);
    case STORE: return set_store(m, row, value);
    case ASSIGNOR: return set_assignor(m, value);
    case SILENT: break;
    }
    return true;
}

/* What librdkafka says of its own accord: connection trouble comes again by the error callback,
 * which says it once; here it is for whoever debugs. */
static void on_log(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
    enum sluice_level to = level <= LOG_ERR      ? SLUICE_WARN
                           : level <= LOG_NOTICE ? SLUICE_INFO
                                                 : SLUICE_DEBUG;
    bool transport = strcmp(fac, "FAIL") == 0 || strcmp(fac, "ERROR") == 0;
    sluice_log(transport ? SLUICE_DEBUG : to, NULL, -1, "kafka client %s: %s: %s",
               rk ? rd_kafka_name(rk) : "-", fac, text);
}

rd_kafka_conf_t *sluice_client_conf(enum sluice_client client, const struct sluice_map *props,
                                    const char *who, struct sluice_err *err)
{
    struct mapping m = {rd_kafka_conf_new(), props, who, err};
    bool ok = true;
    rd_kafka_conf_set_log_cb(m.conf, on_log);
    if (client == SLUICE_CLIENT_PRODUCER) {
        /* The task's window is the bound; these only have to be out of its way. */
        ok = set(&m, "partitioner", "partitioner", "murmur2_random") &&
             set(&m, "queue.buffering.max.messages", "queue.buffering.max.messages", "10000000") &&
             set(&m, "queue.buffering.max.kbytes", "queue.buffering.max.kbytes", "2097151") &&
             set(&m, "linger.ms", "linger.ms", "5");
    } else if (client == SLUICE_CLIENT_CONSUMER) {
        ok = set(&m, "enable.auto.offset.store", "enable.auto.offset.store", "false") &&
             set(&m, "enable.auto.commit", "enable.auto.commit", "false") &&
             set(&m, "queued.max.messages.kbytes", "queued.max.messages.kbytes", "16384");
    }
    for (size_t i = 0; ok && i < props->n; i++)
        if (props->items[i].value) ok = map_one(&m, props->items[i].key, props->items[i].value);
    if (ok) return m.conf;
    rd_kafka_conf_destroy(m.conf);
    return NULL;
}

void sluice_client_docs(FILE *out)
{
    static const char *const what[] = {[RENAME] = "mapped to",
                                       [SILENT] = "accepted, has no meaning here",
                                       [WARN] = "accepted with a warning:",
                                       [REFUSE] = "refused:",
                                       [JAAS] = "mapped to sasl.username and sasl.password",
                                       [STORE] = "PEM (and PKCS12 key stores) only; mapped to",
                                       [ASSIGNOR] = "mapped to"};
    fprintf(out, "| Java property | What becomes of it |\n|---|---|\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        fprintf(out, "| `%s` | %s %s |\n", rows[i].java, what[rows[i].action],
                rows[i].to ? rows[i].to : "");
    fprintf(out, "| all others | given to librdkafka under the same name |\n");
}
