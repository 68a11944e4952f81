/* client.c - see client.h: the layers that Connect has, and the table in print. What becomes of
 * each property: client_table.c and client_map.c. */
#include "kafka/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "kafka/client_table.h"

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
    char prefix[32];
    bool other;
    const char *bootstrap = sluice_map_get(worker, "bootstrap.servers");
    sluice_map_set(out, "bootstrap.servers", bootstrap ? bootstrap : "localhost:9092");
    /* Java's; librdkafka's 10 s would let sessions end when a broker is back in time. */
    sluice_map_set(out, "reconnect.backoff.ms", "50");
    sluice_map_set(out, "reconnect.backoff.max.ms", "1000");
    if (client == SLUICE_CLIENT_PRODUCER) {
        sluice_map_set(out, "acks", "all");
        /* As in Connect. With librdkafka this alone does not keep the order over retries
         * (worker/order.h); idempotence would, but librdkafka 2.0's broker thread then spins while
         * requests are out (2.6 times CPU). */
        sluice_map_set(out, "enable.idempotence", "false");
        sluice_map_set(out, "max.in.flight.requests.per.connection", "1");
        sluice_map_set(out, "delivery.timeout.ms", "2147483647");
        sluice_map_set(out, "compression.type", "none");
        /* Not Java's 5: while a request is under way, what comes gathers for the next, so that
         * under load a longer wait makes no larger batches. */
        sluice_map_set(out, "linger.ms", "1");
    } else if (client == SLUICE_CLIENT_CONSUMER) {
        sluice_map_set(out, "auto.offset.reset", "earliest");
        sluice_map_set(out, "isolation.level", "read_uncommitted"); /* as in Java */
        /* Java's 45 s leave room for its garbage collector; a killed worker's partitions should not
         * wait so long for their next owner. */
        sluice_map_set(out, "session.timeout.ms", "10000");
        /* Java asks for topics that are not there yet all the time, librdkafka only this often. */
        sluice_map_set(out, "metadata.max.age.ms", "5000");
    } else {
        for (size_t i = 0; i < worker->n; i++)
            if (sluice_client_row(client, worker->items[i].key, &other))
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

static void print_row(FILE *out, const struct sluice_client_row *row)
{
    static const char *const kinds[] = {"producer", "consumer", "admin"};
    const char *comma = "";
    fprintf(out, "| `%s` | ", row->java);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!(row->clients & 1u << i)) continue;
        fprintf(out, "%s%s", comma, kinds[i]);
        comma = ", ";
    }
    fputs(" | ", out);
    switch ((enum sluice_client_action)row->action) {
    case CLIENT_MAP:
        if (strcmp(row->to, row->java) == 0) fputs("the same", out);
        else fprintf(out, "`%s`", row->to);
        if (row->max)
            fprintf(out, ", held within %lld to %lld", (long long)row->min, (long long)row->max);
        break;
    case CLIENT_SILENT: fprintf(out, "accepted, not needed: %s", row->to); break;
    case CLIENT_WARN: fprintf(out, "accepted with a warning: %s", row->to); break;
    case CLIENT_REFUSE: fprintf(out, "refused: %s", row->to); break;
    case CLIENT_JAAS:
        fputs("user and password, Kerberos principal and keytab, or OAuth client and secret are "
              "taken out of it",
              out);
        break;
    case CLIENT_STORE: fprintf(out, "`%s`; PEM and PKCS12, not JKS", row->to); break;
    case CLIENT_PEM: fprintf(out, "`%s`", row->to); break;
    case CLIENT_ASSIGNOR: fputs("range, roundrobin or cooperative-sticky", out); break;
    case CLIENT_RESET: fputs("the same, but for by_duration", out); break;
    case CLIENT_HTTPS: fputs("the same; empty: `none`", out); break;
    case CLIENT_SUITES: fputs("the same, with OpenSSL's names of suites", out); break;
    case CLIENT_LEVEL:
        fprintf(out, "`%s` when it is that codec's, held within %lld to %lld", row->to,
                (long long)row->min, (long long)row->max);
        break;
    case CLIENT_OAUTH: fprintf(out, "`%s`, and `sasl.oauthbearer.method=oidc`", row->to); break;
    }
    if (row->quiet)
        fprintf(out, " (%s%s%s is fine)", *row->quiet ? "`" : "",
                *row->quiet ? row->quiet : "empty", *row->quiet ? "`" : "");
    fputs(" |\n", out);
}

void sluice_client_docs(FILE *out)
{
    fputs("\n| Java property | of | becomes |\n|---|---|---|\n", out);
    for (size_t i = 0; i < sluice_client_rows_n; i++) print_row(out, &sluice_client_rows[i]);
    fputs("\nAny other key is given to librdkafka under the same name.\n", out);
}
