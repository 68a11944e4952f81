/* session_key.c - see session_key.h. */
#include "herder/session_key.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"

#define KEY_BYTES_MAX 1024 /* of what a config topic may hold, and of what is made */

static const EVP_MD *digest_of(const char *algorithm)
{
    static const struct {
        const char *name;
        const EVP_MD *(*digest)(void);
    } macs[] = {{"HmacSHA256", EVP_sha256}, {"HmacSHA384", EVP_sha384}, {"HmacSHA512", EVP_sha512},
                {"HmacSHA224", EVP_sha224}, {"HmacSHA1", EVP_sha1},     {"HmacMD5", EVP_md5}};
    for (size_t i = 0; i < sizeof macs / sizeof *macs; i++) {
        if (strcasecmp(macs[i].name, algorithm) == 0) return macs[i].digest();
    }
    return NULL;
}

bool sluice_mac_known(const char *algorithm) { return algorithm && digest_of(algorithm); }

static char *to_base64(const unsigned char *data, size_t len)
{
    char *text = sluice_xmalloc((len + 2) / 3 * 4 + 1);
    EVP_EncodeBlock((unsigned char *)text, data, (int)len);
    return text;
}

/* Into at most max bytes; 0: it is no base64 of that many bytes, or of none. */
static size_t from_base64(const char *text, unsigned char *out, size_t max)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char whole[KEY_BYTES_MAX / 3 * 4 + 8];
    size_t len = strlen(text);
    size_t padding = len > 2 ? (size_t)(text[len - 1] == '=') + (size_t)(text[len - 2] == '=') : 0;
    if (len == 0 || len % 4 || len / 4 * 3 > sizeof whole) return 0;
    if (strspn(text, alphabet) + padding != len) return 0; /* OpenSSL takes '=' anywhere */
    if (EVP_DecodeBlock(whole, (const unsigned char *)text, (int)len) < 0) return 0;
    size_t n = len / 4 * 3 - padding; /* OpenSSL counts it too */
    if (n > max) return 0;
    memcpy(out, whole, n);
    return n;
}

char *sluice_session_key_new(const char *algorithm, int bits, struct sluice_err *err)
{
    const EVP_MD *digest = digest_of(algorithm);
    if (!digest) {
        sluice_err_set(err,
                       "unknown MAC algorithm %s; known are HmacSHA256, HmacSHA384, "
                       "HmacSHA512, HmacSHA224, HmacSHA1 and HmacMD5",
                       algorithm);
        return NULL;
    }
    unsigned char key[KEY_BYTES_MAX];
    size_t len = bits > 0 ? ((size_t)bits + 7) / 8 : (size_t)EVP_MD_size(digest);
    if (len > sizeof key) {
        sluice_err_set(err, "a key of %d bits is too long; at most %d", bits, KEY_BYTES_MAX * 8);
        return NULL;
    }
    if (RAND_bytes(key, (int)len) != 1) {
        sluice_err_set(err, "no random bytes for a session key: %s",
                       ERR_reason_error_string(ERR_get_error()));
        return NULL;
    }
    char *text = to_base64(key, len);
    OPENSSL_cleanse(key, sizeof key);
    return text;
}

char *sluice_sign(const char *key_base64, const char *algorithm, const void *body, size_t len,
                  struct sluice_err *err)
{
    const EVP_MD *digest = digest_of(algorithm);
    unsigned char key[KEY_BYTES_MAX], mac[EVP_MAX_MD_SIZE];
    unsigned int mac_len = 0;
    if (!digest) {
        sluice_err_set(err, "unknown MAC algorithm %s", algorithm);
        return NULL;
    }
    size_t key_len = from_base64(key_base64, key, sizeof key);
    if (!key_len) {
        sluice_err_set(err, "the session key is no base64 of at most %d bytes", KEY_BYTES_MAX);
        return NULL;
    }
    const unsigned char *made =
        HMAC(digest, key, (int)key_len, len ? body : "", len, mac, &mac_len);
    OPENSSL_cleanse(key, sizeof key);
    assert(made && mac_len <= sizeof mac);
    return made ? to_base64(mac, mac_len) : NULL;
}

bool sluice_signature_valid(const char *key_base64, const char *algorithm, const void *body,
                            size_t len, const char *signature_base64)
{
    char *wanted = sluice_sign(key_base64, algorithm, body, len, NULL);
    if (!wanted) return false;
    size_t n = strlen(wanted);
    bool same = strlen(signature_base64) == n && CRYPTO_memcmp(wanted, signature_base64, n) == 0;
    free(wanted);
    return same;
}
