/* key_store.h - Java's key and trust stores for libraries that know PEM: PKCS#12 is read, PEM put
 * in order, JKS refused with the command that converts it.
 *
 * Errors name the property, the file and what to do, and never a password.
 * Thread: any. */
#ifndef SLUICE_BASE_KEY_STORE_H
#define SLUICE_BASE_KEY_STORE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "sluice/plugin.h"

#define SLUICE_KEY_STORE_MAX ((size_t)4 << 20) /* bytes of a store's file */

/* By the first bytes: whatever its type property says, as Java too reads PKCS#12 as JKS. */
bool sluice_key_store_is_jks(const char *data, size_t len);
bool sluice_key_store_refuse_jks(const char *key, const char *path, struct sluice_err *err);

/* What stands in a PKCS#12 store, owned by the caller; each may be NULL. key: the property that
 * names the file. password: NULL: none. */
bool sluice_key_store_open(const char *key, const char *path, const char *data, size_t len,
                           const char *password, EVP_PKEY **pkey, X509 **cert,
                           STACK_OF(X509) * *others, struct sluice_err *err);
/* Its certificates as PEM. Owned; NULL: err says why. */
char *sluice_key_store_certificates(const char *key, const char *path, const char *data, size_t len,
                                    const char *password, struct sluice_err *err);

/* PEM of a private key, not encrypted; the caller wipes it. Owned; NULL: it has none. */
char *sluice_pem_key(EVP_PKEY *key);
/* PEM of one certificate (may be NULL) and of others. Owned; NULL: there are none. */
char *sluice_pem_certificates(X509 *first, STACK_OF(X509) * others);
/* The text of a memory BIO, which is freed. Owned; NULL: it is empty. */
char *sluice_pem_bio(BIO *bio);
/* Every block of the text, its base64 wrapped anew: properties often hold it in one line. What
 * stands between blocks is left out. Owned; NULL: there is none. */
char *sluice_pem_blocks(const char *text);
/* OpenSSL's last reason, which is taken off its queue. */
const char *sluice_openssl_reason(void);

#endif
