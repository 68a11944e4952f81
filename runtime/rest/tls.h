/* tls.h - certificates of https listeners, and of requests to other workers, from Java's ssl.*
 * properties.
 *
 * PEM (ssl.keystore.type=PEM): ssl.keystore.certificate.chain, ssl.keystore.key and
 * ssl.truststore.certificates in the properties themselves, or files named by ssl.keystore.location
 * and ssl.truststore.location. PKCS#12: files with ssl.keystore.password and
 * ssl.truststore.password; read once, turned into PEM in memory. JKS is refused with the command
 * that converts it. As in Connect, keys under a prefix such as "listeners.https." replace all plain
 * ssl.* keys as soon as there is one of them.
 * Thread: any; constant once made. Secrets are wiped when freed. */
#ifndef SLUICE_REST_TLS_H
#define SLUICE_REST_TLS_H

#include "base/map.h"
#include "sluice/plugin.h"

enum sluice_tls_auth { SLUICE_TLS_NONE, SLUICE_TLS_REQUESTED, SLUICE_TLS_REQUIRED };

struct sluice_tls;

/* NULL: err says which property is wrong. No keystore is no error: only clients need none. */
struct sluice_tls *sluice_tls_new(const struct sluice_map *props, const char *prefix,
                                  struct sluice_err *err);
void sluice_tls_free(struct sluice_tls *tls); /* takes NULL */

/* PEM; NULL: there is none. Borrowed. */
const char *sluice_tls_key(const struct sluice_tls *tls);
const char *sluice_tls_chain(const struct sluice_tls *tls);
const char *sluice_tls_authorities(const struct sluice_tls *tls);
enum sluice_tls_auth sluice_tls_client_auth(const struct sluice_tls *tls);
/* ssl.endpoint.identification.algorithm is not empty. */
bool sluice_tls_checks_host(const struct sluice_tls *tls);
/* ssl.enabled.protocols and ssl.cipher.suites; NULL: not given. */
const char *sluice_tls_protocols(const struct sluice_tls *tls);
const char *sluice_tls_ciphers(const struct sluice_tls *tls);

/* Paths for libraries that only read files: of the authorities, and of key and chain together.
 * They name memory of this process. NULL: there are none. */
const char *sluice_tls_ca_path(const struct sluice_tls *tls);
const char *sluice_tls_key_path(const struct sluice_tls *tls);

/* GnuTLS' words for protocols and cipher suites by Java's names. Owned; NULL: err says that nothing
 * of what is asked for is there. Names that mean nothing here are logged and left out. */
char *sluice_tls_priorities(const char *protocols, const char *suites, struct sluice_err *err);

#endif
