/* client_table.h - what becomes of each property of Java's clients (Kafka 4.1): one row each.
 * Constant. Private to runtime/kafka. */
#ifndef SLUICE_KAFKA_CLIENT_TABLE_H
#define SLUICE_KAFKA_CLIENT_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "kafka/client.h"

enum sluice_client_action {
    CLIENT_MAP,      /* to: librdkafka's name, same meaning */
    CLIENT_SILENT,   /* means nothing here and harms nothing; to: the reason, for the docs */
    CLIENT_WARN,     /* accepted without effect, one warning; to: the reason */
    CLIENT_REFUSE,   /* to: the reason and what to do */
    CLIENT_JAAS,     /* user and password, or principal and keytab, out of sasl.jaas.config */
    CLIENT_STORE,    /* a file that is a key or trust store; to: the property of PKCS#12 */
    CLIENT_PEM,      /* PEM in the property itself, perhaps in one line */
    CLIENT_ASSIGNOR, /* class names to librdkafka's words */
    CLIENT_RESET,    /* Java's words of auto.offset.reset */
    CLIENT_HTTPS,    /* https, or empty for none */
    CLIENT_SUITES,   /* a comma-separated list to a colon-separated one */
    CLIENT_LEVEL,    /* compression.<codec>.level counts when that codec is the one in use */
    CLIENT_OAUTH     /* to, and librdkafka's OIDC method with it */
};

struct sluice_client_row {
    const char *java;
    uint8_t clients; /* 1 << enum sluice_client: who has it in Java */
    uint8_t action;  /* enum sluice_client_action */
    const char *to;
    /* CLIENT_MAP of a number: librdkafka's range, where Java's is wider: beyond, the nearest bound
     * is taken. Both 0: none. */
    int64_t min, max;
    const char *quiet; /* CLIENT_WARN, CLIENT_REFUSE: this value is what happens anyway */
};

extern const struct sluice_client_row sluice_client_rows[];
extern const size_t sluice_client_rows_n;

/* The row for this client; *other: the client has no such property in Java, but another one has. */
const struct sluice_client_row *sluice_client_row(enum sluice_client client, const char *java,
                                                  bool *other);

#endif
