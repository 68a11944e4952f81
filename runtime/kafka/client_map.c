/* client_map.c - a librdkafka conf out of Java's properties, by the rows of client_table.h.
 * Whatever stands in no row is handed to librdkafka under its own name. No value of a secret ever
 * stands in a message. Any thread. */
#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/err.h"
#include "base/key_store.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/props.h"
#include "kafka/client_table.h"

struct mapping {
    enum sluice_client client;
    rd_kafka_conf_t *conf;
    const struct sluice_map *props;
    const char *who;
    struct sluice_err *err;
};

static bool is_secret(const char *key)
{
    return strstr(key, "password") || strstr(key, "jaas") || strstr(key, "key.pem") ||
           strstr(key, "keystore.key") || strstr(key, "secret") || strstr(key, "passphrase");
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

/* A number beyond librdkafka's range becomes the nearest bound. */
static bool set_number(struct mapping *m, const struct sluice_client_row *row, const char *value)
{
    char *end, bound[24];
    long long n = strtoll(value, &end, 10);
    if (end == value || *end || (n >= row->min && n <= row->max))
        return set(m, row->java, row->to, value);
    snprintf(bound, sizeof bound, "%lld", (long long)(n < row->min ? row->min : row->max));
    if (n >= 0) /* below that it is Java's word for "not at all" */
        sluice_log(SLUICE_WARN, NULL, -1,
                   "%s: %s=%s is taken as %s: librdkafka allows from %lld to %lld", m->who,
                   row->java, value, bound, (long long)row->min, (long long)row->max);
    return set(m, row->java, row->to, bound);
}

/* word="..." out of a JAAS line; quotes may be escaped with a backslash. Owned; NULL: not there. */
static char *jaas_word(const char *line, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = strstr(line, word); p; p = strstr(p + 1, word)) {
        if (p > line && !strchr(" \t\r\n", p[-1])) continue;
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

/* What each login module says, and where it goes; the first two words are needed. */
static const struct jaas_module {
    const char *name, *words[3], *to[3];
} modules[] = {
    {"Krb5LoginModule",
     {"principal", "keyTab", NULL},
     {"sasl.kerberos.principal", "sasl.kerberos.keytab", NULL}},
    {"OAuthBearerLoginModule",
     {"clientId", "clientSecret", "scope"},
     {"sasl.oauthbearer.client.id", "sasl.oauthbearer.client.secret", "sasl.oauthbearer.scope"}},
    {"LoginModule", {"username", "password", NULL}, {"sasl.username", "sasl.password", NULL}},
};

static bool set_jaas(struct mapping *m, const char *line)
{
    const struct jaas_module *module = modules;
    while (!strstr(line, module->name) && strcmp(module->name, "LoginModule") != 0) module++;
    assert(module < modules + sizeof modules / sizeof *modules);
    bool ok = true;
    for (size_t i = 0; ok && i < 3 && module->words[i]; i++) {
        char *value = jaas_word(line, module->words[i]);
        bool oauth = strcmp(module->name, "OAuthBearerLoginModule") == 0;
        if (value) {
            ok = set(m, "sasl.jaas.config", module->to[i], value);
        } else if (i < 2 && !oauth) { /* OAuth's may stand in properties of their own */
            ok = sluice_err_set(m->err,
                                "%s: sasl.jaas.config holds no %s: PlainLoginModule and "
                                "ScramLoginModule need username and password, Krb5LoginModule "
                                "principal and keyTab; for others give librdkafka's own sasl.* "
                                "properties",
                                m->who, module->words[i]);
        }
        free(value);
    }
    return ok;
}

/* A truststore that is no PEM file; librdkafka reads no PKCS#12 here. */
static bool set_authorities(struct mapping *m, const char *path, const char *data, size_t len)
{
    const char *password = sluice_map_get(m->props, "ssl.truststore.password");
    char *pem =
        sluice_key_store_certificates("ssl.truststore.location", path, data, len, password, m->err);
    bool ok = pem && set(m, "ssl.truststore.location", "ssl.ca.pem", pem);
    free(pem);
    return ok;
}

/* As PEM: librdkafka 2.0's own reader of PKCS#12 leaks. Like that one it sends the first
 * certificate only. */
static bool set_key_pair(struct mapping *m, const char *path, const char *data, size_t len)
{
    static const char key[] = "ssl.keystore.location";
    EVP_PKEY *pkey;
    X509 *cert;
    STACK_OF(X509) * others;
    if (!sluice_key_store_open(key, path, data, len,
                               sluice_map_get(m->props, "ssl.keystore.password"), &pkey, &cert,
                               &others, m->err))
        return false;
    char *secret = pkey ? sluice_pem_key(pkey) : NULL;
    char *chain = cert ? sluice_pem_certificates(cert, NULL) : NULL;
    bool ok = secret && chain && set(m, key, "ssl.key.pem", secret) &&
              set(m, key, "ssl.certificate.pem", chain);
    if (!secret || !chain)
        sluice_err_set(m->err, "%s: %s holds no private key with a certificate", key, path);
    if (secret) explicit_bzero(secret, strlen(secret));
    free(secret);
    free(chain);
    EVP_PKEY_free(pkey);
    X509_free(cert);
    sk_X509_pop_free(others, X509_free);
    return ok;
}

/* What the file is decides, as with Java, which reads PKCS#12 under the type JKS too. */
static bool set_java_store(struct mapping *m, const struct sluice_client_row *row, const char *path)
{
    size_t len;
    char *data = sluice_file_read(path, SLUICE_KEY_STORE_MAX, &len, m->err);
    if (!data) return sluice_err_wrap(m->err, "%s: %s", m->who, row->java);
    bool ok, trust = strstr(row->java, "truststore") != NULL;
    if (sluice_key_store_is_jks(data, len))
        ok = sluice_key_store_refuse_jks(row->java, path, m->err);
    else if (strstr(data, "-----BEGIN "))
        ok = sluice_err_set(m->err, "%s: %s is a PEM file: set ssl.%sstore.type=PEM", row->java,
                            path, trust ? "trust" : "key");
    else if (trust) ok = set_authorities(m, path, data, len);
    else ok = set_key_pair(m, path, data, len);
    explicit_bzero(data, len);
    free(data);
    return ok || sluice_err_wrap(m->err, "%s", m->who);
}

static bool set_store(struct mapping *m, const struct sluice_client_row *row, const char *value)
{
    bool trust = strstr(row->java, "truststore") != NULL;
    const char *type =
        sluice_map_get(m->props, trust ? "ssl.truststore.type" : "ssl.keystore.type");
    if (!type || strcasecmp(type, "PEM") != 0) return set_java_store(m, row, value);
    if (trust) return set(m, row->java, "ssl.ca.location", value);
    return set(m, row->java, "ssl.certificate.location", value) &&
           set(m, row->java, "ssl.key.location", value);
}

/* PEM in the property itself, which Java's users often write in one line. */
static bool set_pem(struct mapping *m, const struct sluice_client_row *row, const char *value)
{
    char *blocks = sluice_pem_blocks(value);
    bool ok =
        blocks ? set(m, row->java, row->to, blocks)
               : sluice_err_set(m->err, "%s: %s holds no PEM (-----BEGIN ...)", m->who, row->java);
    if (blocks) explicit_bzero(blocks, strlen(blocks));
    free(blocks);
    return ok;
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

static bool set_reset(struct mapping *m, const char *value)
{
    if (strncmp(value, "by_duration:", 12) == 0)
        return sluice_err_set(m->err,
                              "%s: auto.offset.reset=%s is not supported; use earliest, latest or "
                              "none",
                              m->who, value);
    bool none = strcmp(value, "none") == 0;
    return set(m, "auto.offset.reset", "auto.offset.reset", none ? "error" : value);
}

static bool set_suites(struct mapping *m, const struct sluice_client_row *row, const char *value)
{
    char *list = sluice_xstrdup(value), *to = list;
    for (const char *from = value; *from; from++)
        if (*from != ' ') *to++ = *from == ',' ? ':' : *from;
    *to = '\0';
    bool ok = set(m, row->java, row->to, list);
    free(list);
    return ok;
}

/* compression.zstd.level and the like. */
static bool set_level(struct mapping *m, const struct sluice_client_row *row, const char *value)
{
    const char *codec = sluice_map_get(m->props, "compression.type");
    const char *own = row->java + strlen("compression.");
    if (!codec || strncmp(own, codec, strlen(codec)) != 0 || own[strlen(codec)] != '.') return true;
    return set_number(m, row, value);
}

static bool warn_no_effect(struct mapping *m, const char *key, const char *why)
{
    sluice_log(SLUICE_WARN, NULL, -1, "%s: %s has no effect: %s", m->who, key, why);
    return true;
}

static bool map_one(struct mapping *m, const char *key, const char *value)
{
    static const char *const kinds[] = {"producers", "consumers", "admin clients"};
    bool other;
    const struct sluice_client_row *row = sluice_client_row(m->client, key, &other);
    if (!row && other) {
        char why[64];
        snprintf(why, sizeof why, "it is no property of %s", kinds[m->client]);
        return warn_no_effect(m, key, why);
    }
    if (!row) return set(m, key, key, value);
    switch ((enum sluice_client_action)row->action) {
    case CLIENT_MAP: return row->max ? set_number(m, row, value) : set(m, key, row->to, value);
    case CLIENT_WARN:
        if (row->quiet && strcmp(row->quiet, value) == 0) return true;
        return warn_no_effect(m, key, row->to);
    case CLIENT_REFUSE:
        if (row->quiet && strcmp(row->quiet, value) == 0) return true;
        return sluice_err_set(m->err, "%s: %s is refused: %s", m->who, key, row->to);
    case CLIENT_JAAS: return set_jaas(m, value);
    case CLIENT_STORE: return set_store(m, row, value);
    case CLIENT_PEM: return set_pem(m, row, value);
    case CLIENT_ASSIGNOR: return set_assignor(m, value);
    case CLIENT_RESET: return set_reset(m, value);
    case CLIENT_HTTPS: return set(m, key, row->to, *value ? value : "none");
    case CLIENT_SUITES: return set_suites(m, row, value);
    case CLIENT_LEVEL: return set_level(m, row, value);
    case CLIENT_OAUTH:
        return set(m, key, "sasl.oauthbearer.method", "oidc") && set(m, key, row->to, value);
    case CLIENT_SILENT: break;
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
    struct mapping m = {client, rd_kafka_conf_new(), props, who, err};
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

const char *sluice_client_library(void) { return rd_kafka_version_str(); }
