/* key_store.c - see key_store.h. OpenSSL reads, everybody else gets text. */
#include "base/key_store.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#define PEM_COLUMNS 64

/* ---- PEM ---- */

/* The base64 between two lines, wrapped anew: properties often hold it in one line. */
static void reflow_block(struct sluice_buf *out, const char *body, size_t len)
{
    size_t column = 0;
    for (size_t i = 0; i < len; i++) {
        if (strchr(" \t\r\n\f", body[i])) continue;
        sluice_buf_add(out, body + i, 1);
        if (++column % PEM_COLUMNS == 0) sluice_buf_adds(out, "\n");
    }
    if (column % PEM_COLUMNS) sluice_buf_adds(out, "\n");
}

char *sluice_pem_blocks(const char *text)
{
    struct sluice_buf out;
    sluice_buf_init(&out, 2 * SLUICE_KEY_STORE_MAX);
    for (const char *at = text; (at = strstr(at, "-----BEGIN "));) {
        const char *head = strstr(at + 11, "-----");
        const char *end = head ? strstr(head + 5, "-----END ") : NULL;
        const char *tail = end ? strstr(end + 9, "-----") : NULL;
        if (!tail) break;
        const char *colon = memchr(head + 5, ':', (size_t)(end - head - 5));
        if (colon) { /* headers of the old encrypted form: lines count */
            sluice_buf_add(&out, at, (size_t)(tail + 5 - at));
        } else {
            sluice_buf_add(&out, at, (size_t)(head + 5 - at));
            sluice_buf_adds(&out, "\n");
            reflow_block(&out, head + 5, (size_t)(end - head - 5));
            sluice_buf_add(&out, end, (size_t)(tail + 5 - end));
        }
        sluice_buf_adds(&out, "\n");
        at = tail + 5;
    }
    char *pem = out.len ? sluice_xstrdup(sluice_buf_str(&out)) : NULL;
    if (out.len) explicit_bzero(out.data, out.len);
    sluice_buf_fini(&out);
    return pem;
}

char *sluice_pem_bio(BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    char *text = len > 0 ? sluice_xstrndup(data, (size_t)len) : NULL;
    BIO_free(bio);
    return text;
}

char *sluice_pem_key(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    assert(bio);
    PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    return sluice_pem_bio(bio);
}

char *sluice_pem_certificates(X509 *first, STACK_OF(X509) * others)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert(bio);
    if (first) PEM_write_bio_X509(bio, first);
    for (int i = 0; i < sk_X509_num(others); i++) PEM_write_bio_X509(bio, sk_X509_value(others, i));
    return sluice_pem_bio(bio);
}

const char *sluice_openssl_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return text ? text : "no reason given";
}

/* ---- stores ---- */

bool sluice_key_store_is_jks(const char *data, size_t len)
{
    return len > 4 &&
           (memcmp(data, "\xFE\xED\xFE\xED", 4) == 0 || memcmp(data, "\xCE\xCE\xCE\xCE", 4) == 0);
}

bool sluice_key_store_refuse_jks(const char *key, const char *path, struct sluice_err *err)
{
    return sluice_err_set(
        err,
        "%s: %s is a JKS store, which only Java reads; convert it with `keytool "
        "-importkeystore -srckeystore %s -destkeystore %s.p12 -deststoretype PKCS12` and "
        "name the .p12",
        key, path, path, path);
}

bool sluice_key_store_open(const char *key, const char *path, const char *data, size_t len,
                           const char *password, EVP_PKEY **pkey, X509 **cert,
                           STACK_OF(X509) * *others, struct sluice_err *err)
{
    const unsigned char *at = (const unsigned char *)data;
    PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)len);
    *pkey = NULL;
    *cert = NULL;
    *others = NULL;
    bool ok = p12 && PKCS12_parse(p12, password ? password : "", pkey, cert, others) == 1;
    PKCS12_free(p12);
    if (ok) return true;
    return sluice_err_set(err, "%s: %s cannot be read as PKCS#12 with %s: %s", key, path,
                          strstr(key, "truststore") ? "ssl.truststore.password"
                                                    : "ssl.keystore.password",
                          sluice_openssl_reason());
}

/* Java marks trusted certificates in bags that PKCS12_parse hands out as others. */
char *sluice_key_store_certificates(const char *key, const char *path, const char *data, size_t len,
                                    const char *password, struct sluice_err *err)
{
    EVP_PKEY *pkey;
    X509 *cert;
    STACK_OF(X509) * others;
    if (!sluice_key_store_open(key, path, data, len, password, &pkey, &cert, &others, err))
        return NULL;
    char *pem = sluice_pem_certificates(cert, others);
    EVP_PKEY_free(pkey);
    X509_free(cert);
    sk_X509_pop_free(others, X509_free);
    if (!pem) sluice_err_set(err, "%s: %s holds no certificates", key, path);
    return pem;
}
