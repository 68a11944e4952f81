/* options.h - the option rows that every converter of a schema registry takes, by Confluent's keys.
 * Used as: static const struct sluice_option options[] = {SLUICE_SR_OPTIONS, own rows..., {0}}; */
#ifndef SLUICE_REGISTRY_OPTIONS_H
#define SLUICE_REGISTRY_OPTIONS_H

#include "sluice/plugin.h"

#define SR_ROW(key, type, importance, flags, fallback, valid, group, doc)                          \
    {                                                                                              \
        key, SLUICE_OPT_##type, SLUICE_##importance, flags, fallback, valid, group, doc            \
    }
#define SR_STORE "Path of a file in PEM format"
#define SR_STRATEGIES                                                                              \
    "TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy, as a word or with the "     \
    "Java "

#define SR_CORE_OPTIONS                                                                            \
    SR_ROW("converter.type", STRING, LOW, 0, NULL, "key|value|header", NULL,                       \
           "How this converter will be used; the runtime fills it in."),                           \
        SR_ROW("schema.registry.url", LIST, HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL, \
               NULL, "Registry",                                                                   \
               "URLs of schema registries, comma separated; the next is asked when one fails."),   \
        SR_ROW("auto.register.schemas", BOOLEAN, MEDIUM, 0, "true", NULL, "Registry",              \
               "Whether a schema that is new to its subject is registered; otherwise it must be "  \
               "there."),                                                                          \
        SR_ROW("use.latest.version", BOOLEAN, LOW, 0, "false", NULL, "Registry",                   \
               "Whether records are written by the subject's latest schema in place of their own " \
               "one; only without auto.register.schemas."),                                        \
        SR_ROW("latest.compatibility.strict", BOOLEAN, LOW, 0, "true", NULL, "Registry",           \
               "Whether the latest schema must be able to read what the record's own schema "      \
               "writes."),                                                                         \
        SR_ROW("use.schema.id", INT, LOW, 0, "-1", "-1..", "Registry",                             \
               "Id of the schema by which all records are written; -1 means none."),               \
        SR_ROW("id.compatibility.strict", BOOLEAN, LOW, 0, "true", NULL, "Registry",               \
               "Whether the schema of use.schema.id must be able to read what the record's own "   \
               "schema writes."),                                                                  \
        SR_ROW("normalize.schemas", BOOLEAN, MEDIUM, 0, "false", NULL, "Registry",                 \
               "Whether the registry is asked to normalize schemas before comparing them."),       \
        SR_ROW("max.schemas.per.subject", INT, LOW, SLUICE_OPT_IGNORED, "1000", NULL, "Registry",  \
               "What is kept in memory has a limit of its own."),                                  \
        SR_ROW("latest.cache.size", INT, LOW, SLUICE_OPT_IGNORED, "1000", NULL, "Registry",        \
               "What is kept in memory has a limit of its own."),                                  \
        SR_ROW("latest.cache.ttl.sec", INT, LOW, 0, "-1", "-1..", "Registry",                      \
               "How long the latest schema is taken to be the latest; -1 means for good."),        \
        SR_ROW("key.subject.name.strategy", STRING, MEDIUM, 0, "TopicNameStrategy", NULL,          \
               "Registry", SR_STRATEGIES "class's full name: the subject of keys' schemas."),      \
        SR_ROW("value.subject.name.strategy", STRING, MEDIUM, 0, "TopicNameStrategy", NULL,        \
               "Registry", SR_STRATEGIES "class's full name: the subject of values' schemas.")

#define SR_AUTH_OPTIONS                                                                            \
    SR_ROW("basic.auth.credentials.source", STRING, MEDIUM, SLUICE_OPT_NOCASE, "URL",              \
           "URL|USER_INFO|SASL_INHERIT", "Registry",                                               \
           "Where user and password come from: the URL, basic.auth.user.info, or "                 \
           "sasl.jaas.config."),                                                                   \
        SR_ROW("basic.auth.user.info", PASSWORD, MEDIUM, 0, "", NULL, "Registry",                  \
               "User and password as user:password, for the source USER_INFO."),                   \
        SR_ROW("schema.registry.basic.auth.user.info", PASSWORD, MEDIUM, 0, "", NULL, "Registry",  \
               "Old name of basic.auth.user.info."),                                               \
        SR_ROW("sasl.jaas.config", PASSWORD, LOW, 0, NULL, NULL, "Registry",                       \
               "JAAS line whose username and password the source SASL_INHERIT takes."),            \
        SR_ROW("bearer.auth.credentials.source", STRING, MEDIUM, SLUICE_OPT_NOCASE, NULL,          \
               "STATIC_TOKEN|OAUTHBEARER", "Registry",                                             \
               "Where the bearer token comes from: bearer.auth.token, or a client credentials "    \
               "grant at bearer.auth.issuer.endpoint.url. Null means no bearer token."),           \
        SR_ROW("bearer.auth.token", PASSWORD, MEDIUM, 0, "", NULL, "Registry",                     \
               "The bearer token of the source STATIC_TOKEN."),                                    \
        SR_ROW("bearer.auth.issuer.endpoint.url", STRING, MEDIUM, 0, NULL, NULL, "Registry",       \
               "Token endpoint of the source OAUTHBEARER."),                                       \
        SR_ROW("bearer.auth.client.id", STRING, MEDIUM, 0, NULL, NULL, "Registry",                 \
               "Client id of the source OAUTHBEARER."),                                            \
        SR_ROW("bearer.auth.client.secret", PASSWORD, MEDIUM, 0, NULL, NULL, "Registry",           \
               "Client secret of the source OAUTHBEARER."),                                        \
        SR_ROW("bearer.auth.scope", STRING, MEDIUM, 0, NULL, NULL, "Registry",                     \
               "Scope that the source OAUTHBEARER asks for."),                                     \
        SR_ROW("bearer.auth.cache.expiry.buffer.seconds", INT, LOW, 0, "300", "0..", "Registry",   \
               "A token is renewed so many seconds before it ends."),                              \
        SR_ROW("bearer.auth.logical.cluster", STRING, LOW, 0, NULL, NULL, "Registry",              \
               "Sent as the header target-sr-cluster along with a bearer token."),                 \
        SR_ROW("bearer.auth.identity.pool.id", STRING, LOW, 0, NULL, NULL, "Registry",             \
               "Sent as the header Confluent-Identity-Pool-Id along with a bearer token.")

#define SR_HTTP_OPTIONS                                                                            \
    SR_ROW("http.connect.timeout.ms", INT, LOW, 0, "60000", "1..", "Registry",                     \
           "How long connecting to a registry may take."),                                         \
        SR_ROW("http.read.timeout.ms", INT, LOW, 0, "60000", "1..", "Registry",                    \
               "How long a registry may be silent before its answer is complete."),                \
        SR_ROW("max.retries", INT, LOW, 0, "3", "0..", "Registry",                                 \
               "How often a request that failed for now is sent again."),                          \
        SR_ROW("retries.wait.ms", INT, LOW, 0, "1000", "0..", "Registry",                          \
               "How long the first retry waits; it doubles from retry to retry."),                 \
        SR_ROW("retries.max.wait.ms", INT, LOW, 0, "20000", "0..", "Registry",                     \
               "How long a retry waits at most."),                                                 \
        SR_ROW("proxy.host", STRING, LOW, 0, NULL, NULL, "Registry",                               \
               "Host of an HTTP proxy before the registry."),                                      \
        SR_ROW("proxy.port", INT, LOW, 0, "-1", "-1..65535", "Registry", "Port of that proxy."),   \
        SR_ROW("request.header.*", STRING, LOW, 0, NULL, NULL, "Registry",                         \
               "A header that every request carries, by its name after request.header.")

#define SR_SSL_OPTIONS                                                                             \
    SR_ROW("schema.registry.ssl.truststore.type", STRING, LOW, SLUICE_OPT_NOCASE, "PEM",           \
           "PEM|JKS|PKCS12", "Registry",                                                           \
           "Format of the truststore; Java's stores are to be converted to PEM."),                 \
        SR_ROW("schema.registry.ssl.truststore.location", STRING, MEDIUM, 0, NULL, NULL,           \
               "Registry", SR_STORE " that holds the certificates trusted."),                      \
        SR_ROW("schema.registry.ssl.truststore.certificates", PASSWORD, MEDIUM, 0, NULL, NULL,     \
               "Registry", "The certificates trusted, as PEM text."),                              \
        SR_ROW("schema.registry.ssl.truststore.password", PASSWORD, LOW, SLUICE_OPT_IGNORED, NULL, \
               NULL, "Registry", "PEM truststores need none."),                                    \
        SR_ROW("schema.registry.ssl.keystore.type", STRING, LOW, SLUICE_OPT_NOCASE, "PEM",         \
               "PEM|JKS|PKCS12", "Registry",                                                       \
               "Format of the keystore: PEM or PKCS12; Java's own is to be converted."),           \
        SR_ROW("schema.registry.ssl.keystore.location", STRING, MEDIUM, 0, NULL, NULL, "Registry", \
               SR_STORE " (or PKCS12) that holds the client's key and certificates."),             \
        SR_ROW("schema.registry.ssl.keystore.password", PASSWORD, LOW, 0, NULL, NULL, "Registry",  \
               "Password of a PKCS12 keystore."),                                                  \
        SR_ROW("schema.registry.ssl.keystore.key", PASSWORD, MEDIUM, 0, NULL, NULL, "Registry",    \
               "The client's private key as PEM text."),                                           \
        SR_ROW("schema.registry.ssl.keystore.certificate.chain", PASSWORD, MEDIUM, 0, NULL, NULL,  \
               "Registry", "The client's certificates as PEM text."),                              \
        SR_ROW("schema.registry.ssl.key.password", PASSWORD, LOW, 0, NULL, NULL, "Registry",       \
               "Password of the client's private key."),                                           \
        SR_ROW("schema.registry.ssl.endpoint.identification.algorithm", STRING, LOW, 0, "https",   \
               NULL, "Registry",                                                                   \
               "https: the certificate must name the registry's host; empty: it need not.")

#define SLUICE_SR_OPTIONS SR_CORE_OPTIONS, SR_AUTH_OPTIONS, SR_HTTP_OPTIONS, SR_SSL_OPTIONS

#endif
