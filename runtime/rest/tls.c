/* tls.c - Java's key stores into PEM. OpenSSL reads, everybody else gets text. */
#include "rest/tls.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/key_store.h"
#include "base/mem.h"
#include "base/props.h"

struct sluice_tls {
    char *key, *chain, *authorities;
    char *protocols, *ciphers;
    enum sluice_tls_auth auth;
    bool any_host;
    int ca_fd, key_fd; /* memory that has a path; -1: none */
    char *ca_path, *key_path;
};

/* The ssl.* keys that count: those with the prefix, or, when there are none, those without. */
struct source {
    const struct sluice_map *props;
    const char *prefix;
};

static struct source source_of(const struct sluice_map *props, const char *prefix)
{
    size_t len = strlen(prefix);
    for (size_t i = 0; i < props->n; i++) {
        if (strncmp(props->items[i].key, prefix, len) == 0) return (struct source){props, prefix};
    }
    return (struct source){props, ""};
}

static const char *prop(const struct source *source, const char *key)
{
    char name[160];
    snprintf(name, sizeof name, "%s%s", source->prefix, key);
    const char *value = sluice_map_get(source->props, name);
    return value && *value ? value : NULL;
}

static char *copy_of(const char *text) { return text ? sluice_xstrdup(text) : NULL; }

static void wipe(char *text)
{
    if (text) explicit_bzero(text, strlen(text));
    free(text);
}

/* ---- PEM ---- */

/* Key and certificates of PEM texts; the key may be encrypted. */
static bool take_pem(struct sluice_tls *tls, const char *chain, const char *key,
                     const char *password, const char *what, struct sluice_err *err)
{
    char *blocks = sluice_pem_blocks(key);
    BIO *bio = blocks ? BIO_new_mem_buf(blocks, -1) : NULL;
    /* never ask on the terminal: an encrypted key without a password is an error */
    EVP_PKEY *pkey =
        bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(password ? password : "")) : NULL;
    BIO_free(bio);
    if (blocks) wipe(blocks);
    if (!pkey)
        return sluice_err_set(err, "%s holds no private key that can be read%s: %s", what,
                              password ? " with ssl.key.password" : "", sluice_openssl_reason());
    tls->key = sluice_pem_key(pkey);
    tls->chain = sluice_pem_blocks(chain);
    bio = tls->chain ? BIO_new_mem_buf(tls->chain, -1) : NULL;
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    bool ok = cert && X509_check_private_key(cert, pkey) == 1;
    if (!cert)
        sluice_err_set(err, "%s holds no certificate that can be read: %s", what,
                       sluice_openssl_reason());
    else if (!ok)
        sluice_err_set(err, "%s: the first certificate does not belong to the private key", what);
    if (ok) { /* a file may hold the key too: keep certificates only */
        STACK_OF(X509) *more = sk_X509_new_null();
        for (X509 *next; (next = PEM_read_bio_X509(bio, NULL, NULL, NULL));)
            sk_X509_push(more, next);
        ERR_clear_error(); /* the end of the text */
        wipe(tls->chain);
        tls->chain = sluice_pem_certificates(cert, more);
        sk_X509_pop_free(more, X509_free);
    }
    BIO_free(bio);
    X509_free(cert);
    EVP_PKEY_free(pkey);
    return ok && tls->key && tls->chain;
}

/* ---- stores ---- */

static bool take_store(struct sluice_tls *tls, const char *path, const char *data, size_t len,
                       const char *password, struct sluice_err *err)
{
    EVP_PKEY *pkey;
    X509 *cert;
    STACK_OF(X509) * others;
    if (!sluice_key_store_open("ssl.keystore.location", path, data, len, password, &pkey, &cert,
                               &others, err))
        return false;
    bool ok = pkey && cert;
    if (ok) {
        tls->key = sluice_pem_key(pkey);
        tls->chain = sluice_pem_certificates(cert, others);
        ok = tls->key && tls->chain;
    }
    if (!ok)
        sluice_err_set(err, "ssl.keystore.location: %s holds no private key with a certificate",
                       path);
    EVP_PKEY_free(pkey);
    X509_free(cert);
    sk_X509_pop_free(others, X509_free);
    return ok;
}

static bool is_pem(const struct source *source, const char *type_key)
{
    const char *type = prop(source, type_key);
    return type && strcasecmp(type, "PEM") == 0;
}

static bool load_keystore(struct sluice_tls *tls, const struct source *source,
                          struct sluice_err *err)
{
    const char *chain = prop(source, "ssl.keystore.certificate.chain");
    const char *key = prop(source, "ssl.keystore.key");
    const char *path = prop(source, "ssl.keystore.location");
    const char *password = prop(source, "ssl.key.password");
    if (chain || key) {
        if (path)
            return sluice_err_set(err, "ssl.keystore.location and ssl.keystore.key are both set; "
                                       "give one of them");
        if (!chain || !key)
            return sluice_err_set(err,
                                  "ssl.keystore.key and ssl.keystore.certificate.chain belong "
                                  "together; %s is missing",
                                  key ? "ssl.keystore.certificate.chain" : "ssl.keystore.key");
        return take_pem(tls, chain, key, password, "ssl.keystore.key", err);
    }
    if (!path) return true;
    size_t len;
    char *data = sluice_file_read(path, SLUICE_KEY_STORE_MAX, &len, err);
    if (!data) return sluice_err_wrap(err, "ssl.keystore.location");
    bool ok;
    if (is_pem(source, "ssl.keystore.type")) ok = take_pem(tls, data, data, password, path, err);
    else if (sluice_key_store_is_jks(data, len))
        ok = sluice_key_store_refuse_jks("ssl.keystore.location", path, err);
    else ok = take_store(tls, path, data, len, prop(source, "ssl.keystore.password"), err);
    explicit_bzero(data, len);
    free(data);
    return ok;
}

static bool trust_pem(struct sluice_tls *tls, const char *text, const char *what,
                      struct sluice_err *err)
{
    char *blocks = sluice_pem_blocks(text);
    BIO *bio = blocks ? BIO_new_mem_buf(blocks, -1) : NULL;
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    tls->authorities = blocks;
    bool ok = cert != NULL;
    X509_free(cert);
    return ok || sluice_err_set(err, "%s holds no certificate that can be read", what);
}

static bool load_truststore(struct sluice_tls *tls, const struct source *source,
                            struct sluice_err *err)
{
    const char *text = prop(source, "ssl.truststore.certificates");
    const char *path = prop(source, "ssl.truststore.location");
    if (text) return trust_pem(tls, text, "ssl.truststore.certificates", err);
    if (!path) return true;
    size_t len;
    char *data = sluice_file_read(path, SLUICE_KEY_STORE_MAX, &len, err);
    if (!data) return sluice_err_wrap(err, "ssl.truststore.location");
    bool ok;
    if (is_pem(source, "ssl.truststore.type")) ok = trust_pem(tls, data, path, err);
    else if (sluice_key_store_is_jks(data, len))
        ok = sluice_key_store_refuse_jks("ssl.truststore.location", path, err);
    else {
        tls->authorities =
            sluice_key_store_certificates("ssl.truststore.location", path, data, len,
                                          prop(source, "ssl.truststore.password"), err);
        ok = tls->authorities != NULL;
    }
    free(data);
    return ok;
}

/* ---- paths ---- */

/* Memory with a path, so that no secret touches a disk. */
static bool give_path(const char *a, const char *b, int *fd, char **path, struct sluice_err *err)
{
    *fd = memfd_create("sluice-tls", MFD_CLOEXEC);
    if (*fd < 0) return sluice_err_set(err, "memfd_create failed");
    size_t n = a ? strlen(a) : 0, m = b ? strlen(b) : 0;
    if ((n && write(*fd, a, n) != (ssize_t)n) || (m && write(*fd, b, m) != (ssize_t)m))
        return sluice_err_set(err, "writing certificates into memory failed");
    *path = sluice_xasprintf("/proc/self/fd/%d", *fd);
    return true;
}

static bool give_paths(struct sluice_tls *tls, struct sluice_err *err)
{
    if (tls->authorities && !give_path(tls->authorities, NULL, &tls->ca_fd, &tls->ca_path, err))
        return false;
    return !tls->key || give_path(tls->chain, tls->key, &tls->key_fd, &tls->key_path, err);
}

static bool read_auth(struct sluice_tls *tls, const struct source *source, struct sluice_err *err)
{
    const char *word = prop(source, "ssl.client.auth");
    if (!word || strcmp(word, "none") == 0) tls->auth = SLUICE_TLS_NONE;
    else if (strcmp(word, "requested") == 0) tls->auth = SLUICE_TLS_REQUESTED;
    else if (strcmp(word, "required") == 0) tls->auth = SLUICE_TLS_REQUIRED;
    else
        return sluice_err_set(err, "ssl.client.auth is %s; it is none, requested or required",
                              word);
    if (tls->auth == SLUICE_TLS_NONE || tls->authorities) return true;
    return sluice_err_set(err,
                          "ssl.client.auth=%s needs the authorities that sign clients' "
                          "certificates: set ssl.truststore.location or "
                          "ssl.truststore.certificates",
                          word);
}

struct sluice_tls *sluice_tls_new(const struct sluice_map *props, const char *prefix,
                                  struct sluice_err *err)
{
    struct sluice_tls *tls = sluice_xcalloc(1, sizeof *tls);
    struct source source = source_of(props, prefix);
    tls->ca_fd = tls->key_fd = -1;
    tls->protocols = copy_of(prop(&source, "ssl.enabled.protocols"));
    tls->ciphers = copy_of(prop(&source, "ssl.cipher.suites"));
    char name[160];
    snprintf(name, sizeof name, "%sssl.endpoint.identification.algorithm", source.prefix);
    const char *check = sluice_map_get(props, name);
    tls->any_host = check && !*check;
    if (load_keystore(tls, &source, err) && load_truststore(tls, &source, err) &&
        read_auth(tls, &source, err) && give_paths(tls, err))
        return tls;
    sluice_err_wrap(err, "%s*", prefix);
    sluice_tls_free(tls);
    return NULL;
}

void sluice_tls_free(struct sluice_tls *tls)
{
    if (!tls) return;
    wipe(tls->key);
    free(tls->chain);
    free(tls->authorities);
    free(tls->protocols);
    free(tls->ciphers);
    if (tls->ca_fd >= 0) close(tls->ca_fd);
    if (tls->key_fd >= 0) close(tls->key_fd);
    free(tls->ca_path);
    free(tls->key_path);
    free(tls);
}

const char *sluice_tls_key(const struct sluice_tls *tls) { return tls->key; }
const char *sluice_tls_chain(const struct sluice_tls *tls) { return tls->chain; }
const char *sluice_tls_authorities(const struct sluice_tls *tls) { return tls->authorities; }
enum sluice_tls_auth sluice_tls_client_auth(const struct sluice_tls *tls) { return tls->auth; }
bool sluice_tls_checks_host(const struct sluice_tls *tls) { return !tls->any_host; }
const char *sluice_tls_protocols(const struct sluice_tls *tls) { return tls->protocols; }
const char *sluice_tls_ciphers(const struct sluice_tls *tls) { return tls->ciphers; }
const char *sluice_tls_ca_path(const struct sluice_tls *tls) { return tls->ca_path; }
const char *sluice_tls_key_path(const struct sluice_tls *tls) { return tls->key_path; }
