/* auth.c - who we are to a registry: URLs, users, tokens, certificates.
 *
 * Credentials never enter an error text: URLs are kept without them. */
#include <assert.h>
#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "registry/internal.h"

#define SSL "schema.registry.ssl."

static const char *str(const struct sluice_sr *sr, const char *key)
{
    const char *s = sr->host->str(sr->conf, key);
    return s && *s ? s : NULL;
}

/* ---- URLs and users ---- */

/* The part of a URL, decoded; NULL: it has none. The caller's, by curl_free(). */
static char *url_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    return curl_url_get(url, part, &text, CURLU_URLDECODE) == CURLUE_OK ? text : NULL;
}

static bool url_read(struct sluice_sr *sr, const char *text, bool own_user, struct sluice_err *err)
{
    CURLU *url = curl_url();
    char *base = NULL, *scheme = NULL, *user = NULL, *password = NULL;
    bool ok = url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK;
    if (ok) scheme = url_part(url, CURLUPART_SCHEME);
    ok = scheme && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    if (ok) {
        user = url_part(url, CURLUPART_USER);
        password = url_part(url, CURLUPART_PASSWORD);
        curl_url_set(url, CURLUPART_USER, NULL, 0);
        curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
        ok = curl_url_get(url, CURLUPART_URL, &base, 0) == CURLUE_OK;
    }
    if (ok) {
        sr->urls = sluice_xrealloc(sr->urls, (sr->urls_n + 1) * sizeof *sr->urls);
        struct sr_url *to = &sr->urls[sr->urls_n++];
        to->userpwd = NULL;
        if (user && own_user)
            to->userpwd = sluice_xasprintf("%s:%s", user, password ? password : "");
        size_t len = strlen(base);
        while (len && base[len - 1] == '/') len--;
        to->base = sluice_xstrndup(base, len);
    } else {
        sluice_err_set(err, "schema.registry.url holds something that is no http or https URL; "
                            "give URLs like http://localhost:8081, comma separated");
    }
    curl_free(base);
    curl_free(scheme);
    curl_free(user);
    curl_free(password);
    curl_url_cleanup(url);
    return ok;
}

/* The quoted value of name="..." in a JAAS line; NULL: not there. */
static char *jaas_value(const char *line, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = strstr(line, name); at; at = strstr(at + 1, name)) {
        if (at != line && !isspace((unsigned char)at[-1])) continue;
        const char *s = at + n + strspn(at + n, " \t");
        if (*s != '=') continue;
        s += 1 + strspn(s + 1, " \t");
        char quote = *s == '"' || *s == '\'' ? *s++ : '\0';
        size_t len = strcspn(s, quote == '"' ? "\"" : quote ? "'" : " \t;");
        return sluice_xstrndup(s, len);
    }
    return NULL;
}

/* The user of all URLs as "user:password"; NULL: none, or err. */
static char *config_user(struct sluice_sr *sr, const char *source, struct sluice_err *err)
{
    if (strcasecmp(source, "USER_INFO") == 0) {
        const char *info = str(sr, "basic.auth.user.info");
        if (!info) info = str(sr, "schema.registry.basic.auth.user.info");
        if (info) return sluice_xstrdup(info);
        sluice_err_set(err, "basic.auth.credentials.source is USER_INFO, but "
                            "basic.auth.user.info is not given");
        return NULL;
    }
    const char *jaas = str(sr, "sasl.jaas.config");
    char *user = jaas ? jaas_value(jaas, "username") : NULL;
    char *password = jaas ? jaas_value(jaas, "password") : NULL;
    char *both = user && password ? sluice_xasprintf("%s:%s", user, password) : NULL;
    if (!both)
        sluice_err_set(err, "basic.auth.credentials.source is SASL_INHERIT, but sasl.jaas.config "
                            "has no username and password");
    free(user);
    free(password);
    return both;
}

static bool bearer_read(struct sluice_sr *sr, struct sluice_err *err)
{
    const char *source = str(sr, "bearer.auth.credentials.source");
    if (!source) return true;
    const char *cluster = str(sr, "bearer.auth.logical.cluster");
    const char *pool = str(sr, "bearer.auth.identity.pool.id");
    char line[1024];
    if (cluster) {
        snprintf(line, sizeof line, "target-sr-cluster: %s", cluster);
        sr->headers = curl_slist_append(sr->headers, line);
    }
    if (pool) {
        snprintf(line, sizeof line, "Confluent-Identity-Pool-Id: %s", pool);
        sr->headers = curl_slist_append(sr->headers, line);
    }
    if (strcasecmp(source, "STATIC_TOKEN") == 0) {
        const char *token = str(sr, "bearer.auth.token");
        if (!token)
            return sluice_err_set(err, "bearer.auth.credentials.source is STATIC_TOKEN, but "
                                       "bearer.auth.token is not given");
        sr->bearer = sluice_xasprintf("Authorization: Bearer %s", token);
        return true;
    }
    sr->oauth.endpoint = str(sr, "bearer.auth.issuer.endpoint.url");
    sr->oauth.id = str(sr, "bearer.auth.client.id");
    sr->oauth.secret = str(sr, "bearer.auth.client.secret");
    sr->oauth.scope = str(sr, "bearer.auth.scope");
    sr->oauth.early_ms = 1000 * sr->host->num(sr->conf, "bearer.auth.cache.expiry.buffer.seconds");
    if (sr->oauth.endpoint && sr->oauth.id && sr->oauth.secret) return true;
    return sluice_err_set(err, "bearer.auth.credentials.source is OAUTHBEARER: give "
                               "bearer.auth.issuer.endpoint.url, bearer.auth.client.id and "
                               "bearer.auth.client.secret");
}

static void scope_name(struct sluice_sr *sr)
{
    struct sluice_buf text;
    unsigned len = 0;
    sluice_buf_init(&text, SLUICE_BUF_MAX);
    for (size_t i = 0; i < sr->urls_n; i++) {
        sluice_buf_addf(&text, "%s %s\n", sr->urls[i].base,
                        sr->urls[i].userpwd ? sr->urls[i].userpwd : "");
    }
    sluice_buf_addf(&text, "%s\n%s\n%s\n%d", sr->bearer ? sr->bearer : "",
                    sr->oauth.id ? sr->oauth.id : "", sr->oauth.secret ? sr->oauth.secret : "",
                    sr->type);
    int ok = EVP_Digest(text.data, text.len, sr->scope, &len, EVP_sha256(), NULL);
    assert(ok == 1 && len == SR_SCOPE);
    sluice_buf_fini(&text);
}

bool sr_auth_read(struct sluice_sr *sr, struct sluice_err *err)
{
    const char *source = str(sr, "basic.auth.credentials.source");
    bool own_user = !source || strcasecmp(source, "URL") == 0;
    const char *const *urls = sr->host->list(sr->conf, "schema.registry.url");
    for (size_t i = 0; urls[i]; i++) {
        if (!url_read(sr, urls[i], own_user, err)) return false;
    }
    if (sr->urls_n == 0) return sluice_err_set(err, "schema.registry.url names no registry");
    if (!own_user) {
        char *user = config_user(sr, source, err);
        if (!user) return false;
        for (size_t i = 0; i < sr->urls_n; i++) sr->urls[i].userpwd = sluice_xstrdup(user);
        free(user);
    }
    if (!bearer_read(sr, err)) return false;
    scope_name(sr);
    return true;
}

/* ---- TLS ---- */

static bool is_type(const struct sluice_sr *sr, const char *key, const char *type)
{
    const char *given = str(sr, key);
    return given && strcasecmp(given, type) == 0;
}

/* Whether a store can be read, and looks like PEM. */
static bool pem_file(const char *key, const char *path, struct sluice_err *err)
{
    char head[4096];
    FILE *file = fopen(path, "re");
    if (!file) return sluice_err_set(err, "cannot open %s (%s): %m", path, key);
    size_t n = fread(head, 1, sizeof head - 1, file);
    fclose(file);
    head[n] = '\0';
    if (strlen(head) == n && strstr(head, "-----BEGIN")) return true;
    return sluice_err_set(err,
                          "%s (%s) is no PEM file; convert a Java store with keytool "
                          "-importkeystore -deststoretype PKCS12 and openssl pkcs12 -out FILE.pem",
                          path, key);
}

bool sr_tls_check(const struct sluice_sr *sr, struct sluice_err *err)
{
    const char *trust = str(sr, SSL "truststore.location"),
               *keys = str(sr, SSL "keystore.location");
    if (trust && !pem_file(SSL "truststore.location", trust, err)) return false;
    if (keys && !is_type(sr, SSL "keystore.type", "PKCS12") &&
        !pem_file(SSL "keystore.location", keys, err))
        return false;
    return true;
}

static void blob(CURL *curl, CURLoption option, const char *text)
{
    struct curl_blob bytes = {.data = (void *)text, .len = strlen(text), .flags = CURL_BLOB_COPY};
    curl_easy_setopt(curl, option, &bytes);
}

void sr_handle_set(const struct sluice_sr *sr, CURL *curl)
{
    const char *trust = str(sr, SSL "truststore.location"),
               *keys = str(sr, SSL "keystore.location");
    const char *certs = str(sr, SSL "truststore.certificates");
    const char *key = str(sr, SSL "keystore.key");
    const char *chain = str(sr, SSL "keystore.certificate.chain");
    const char *password = str(sr, SSL "key.password");
    bool p12 = is_type(sr, SSL "keystore.type", "PKCS12");
    if (certs) blob(curl, CURLOPT_CAINFO_BLOB, certs);
    else if (trust) curl_easy_setopt(curl, CURLOPT_CAINFO, trust);
    if (chain && key) {
        curl_easy_setopt(curl, CURLOPT_SSLCERTTYPE, "PEM");
        blob(curl, CURLOPT_SSLCERT_BLOB, chain);
        blob(curl, CURLOPT_SSLKEY_BLOB, key);
    } else if (keys) {
        curl_easy_setopt(curl, CURLOPT_SSLCERTTYPE, p12 ? "P12" : "PEM");
        curl_easy_setopt(curl, CURLOPT_SSLCERT, keys);
        if (!p12) curl_easy_setopt(curl, CURLOPT_SSLKEY, keys);
    }
    if (!password && p12) password = str(sr, SSL "keystore.password");
    if (password) curl_easy_setopt(curl, CURLOPT_KEYPASSWD, password);
    if (!str(sr, SSL "endpoint.identification.algorithm"))
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    if (str(sr, "proxy.host")) {
        int64_t port = sr->host->num(sr->conf, "proxy.port");
        curl_easy_setopt(curl, CURLOPT_PROXY, str(sr, "proxy.host"));
        if (port > 0) curl_easy_setopt(curl, CURLOPT_PROXYPORT, (long)port);
    }
}
