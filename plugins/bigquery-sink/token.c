/* token.c - access tokens: from a service account's key, a user's refresh token or the metadata
 * server of a Google machine, fetched before the old one runs out. Secrets appear in no message.
 * See sink.h. */
#include <assert.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "names.h"
#include "sink.h"

#define KEY_MAX_BYTES (64u << 10)
#define SCOPE "https://www.googleapis.com/auth/bigquery"
#define EARLY_S 240 /* refresh so long before the end */
#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS 32000

enum grant { GRANT_SERVICE_ACCOUNT, GRANT_USER, GRANT_METADATA };

struct bq_token {
    struct bq_sink *sink;
    enum grant grant;
    char *email, *key_id; /* service account */
    EVP_PKEY *key;
    char *client_id, *client_secret, *refresh; /* user */
    char *url;
    struct sluice_out body;                   /* of the request under way */
    char *header;                             /* NULL: none yet, or refused */
    int64_t refresh_ms, expires_ms, until_ms; /* until: no request before */
    unsigned attempts;
    bool flying, troubled;
};

/* ---- credentials ---- */

static char *string_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && *text ? bq_strdup(text, strlen(text)) : NULL;
}

static bool load_service_account(struct bq_token *token, const json_t *json, struct sluice_err *err)
{
    const char *pem = json_string_value(json_object_get(json, "private_key"));
    token->email = string_of(json, "client_email");
    token->key_id = string_of(json, "private_key_id");
    if (!pem || !token->email) {
        snprintf(err->msg, sizeof err->msg,
                 "the service account's key lacks client_email or private_key: download it again");
        return false;
    }
    BIO *bio = BIO_new_mem_buf(pem, (int)strnlen(pem, KEY_MAX_BYTES));
    token->key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    if (!token->key || EVP_PKEY_get_base_id(token->key) != EVP_PKEY_RSA) {
        snprintf(err->msg, sizeof err->msg,
                 "the private_key of service account %.200s is no RSA key in PEM: download it "
                 "again",
                 token->email);
        return false;
    }
    return true;
}

static bool load_json(struct bq_token *token, const char *text, size_t len, const char *what,
                      struct sluice_err *err)
{
    json_t *json = json_loadb(text, len, 0, NULL);
    const char *type = json_string_value(json_object_get(json, "type"));
    bool ok = false;
    if (!json_is_object(json) || !type) {
        snprintf(err->msg, sizeof err->msg,
                 "%.300s holds no JSON object with a type: expected a service account's key", what);
    } else if (strcmp(type, "service_account") == 0) {
        token->grant = GRANT_SERVICE_ACCOUNT;
        ok = load_service_account(token, json, err);
    } else if (strcmp(type, "authorized_user") == 0) {
        token->grant = GRANT_USER;
        token->client_id = string_of(json, "client_id");
        token->client_secret = string_of(json, "client_secret");
        token->refresh = string_of(json, "refresh_token");
        ok = token->client_id && token->client_secret && token->refresh;
        if (!ok)
            snprintf(err->msg, sizeof err->msg,
                     "%.300s lacks client_id, client_secret or refresh_token: run gcloud auth "
                     "application-default login",
                     what);
    } else {
        snprintf(err->msg, sizeof err->msg,
                 "%.300s is of type %.100s, which is not supported: use a service account's key",
                 what, type);
    }
    json_decref(json);
    return ok;
}

static bool load_file(struct bq_token *token, const char *path, struct sluice_err *err)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        snprintf(err->msg, sizeof err->msg, "credentials cannot be read from %.300s: %m", path);
        return false;
    }
    char *text = malloc(KEY_MAX_BYTES + 1);
    if (!text) abort();
    size_t len = fread(text, 1, KEY_MAX_BYTES + 1, file);
    bool ok = len <= KEY_MAX_BYTES;
    fclose(file);
    if (!ok)
        snprintf(err->msg, sizeof err->msg, "%.300s is too large for a key: more than %u bytes",
                 path, KEY_MAX_BYTES);
    else ok = load_json(token, text, len, path, err);
    OPENSSL_cleanse(text, KEY_MAX_BYTES + 1);
    free(text);
    return ok;
}

/* As Google's libraries look for them. */
static bool load_default(struct bq_token *token, struct sluice_err *err)
{
    const char *path = getenv("GOOGLE_APPLICATION_CREDENTIALS");
    if (path && *path) return load_file(token, path, err);
    const char *dir = getenv("CLOUDSDK_CONFIG"), *home = getenv("HOME");
    char file[4096] = "";
    if (dir && *dir) snprintf(file, sizeof file, "%s/application_default_credentials.json", dir);
    else if (home)
        snprintf(file, sizeof file, "%s/.config/gcloud/application_default_credentials.json", home);
    FILE *there = file[0] ? fopen(file, "re") : NULL;
    if (there) {
        fclose(there);
        return load_file(token, file, err);
    }
    const char *host = getenv("GCE_METADATA_HOST");
    struct sluice_out url = {0};
    sluice_out_lit(&url, "http://");
    sluice_out_text(&url, host && *host ? host : "metadata.google.internal");
    sluice_out_lit(&url, "/computeMetadata/v1/instance/service-accounts/default/token");
    sluice_out_terminate(&url);
    token->grant = GRANT_METADATA;
    token->url = url.data;
    return true;
}

struct bq_token *bq_token_new(struct bq_sink *sink, struct sluice_err *err)
{
    const struct bq_config *config = &sink->config;
    struct bq_token *token = calloc(1, sizeof *token);
    const char *key = config->keyfile;
    bool ok;
    if (!token) abort();
    token->sink = sink;
    if (config->key_source == BQ_KEY_DEFAULT) ok = load_default(token, err);
    else if (config->key_source == BQ_KEY_JSON || key[0] == '{')
        ok = load_json(token, key, strlen(key), "keyfile", err);
    else ok = load_file(token, key, err);
    if (!ok) {
        bq_token_free(token);
        return NULL;
    }
    if (!token->url) token->url = bq_strdup(config->token_uri, strlen(config->token_uri));
    return token;
}

static void free_secret(char *text)
{
    if (text) OPENSSL_cleanse(text, strlen(text));
    free(text);
}

void bq_token_free(struct bq_token *token)
{
    if (!token) return;
    EVP_PKEY_free(token->key);
    free(token->email);
    free(token->key_id);
    free(token->client_id);
    free_secret(token->client_secret);
    free_secret(token->refresh);
    free_secret(token->header);
    sluice_out_fini(&token->body);
    free(token->url);
    free(token);
}

/* ---- requests ---- */

static void put_json_base64(struct sluice_out *out, const struct sluice_out *json)
{
    sluice_out_base64(out, json->data, json->len, true);
}

static void put_claims(const struct bq_token *token, struct sluice_out *jwt)
{
    struct sluice_out json = {0};
    int64_t now = (int64_t)time(NULL);
    sluice_out_lit(&json, "{\"alg\":\"RS256\",\"typ\":\"JWT\"");
    if (token->key_id) {
        sluice_out_lit(&json, ",\"kid\":");
        sluice_out_string(&json, token->key_id, strlen(token->key_id));
    }
    sluice_out_char(&json, '}');
    put_json_base64(jwt, &json);
    sluice_out_char(jwt, '.');
    json.len = 0;
    sluice_out_lit(&json, "{\"iss\":");
    sluice_out_string(&json, token->email, strlen(token->email));
    sluice_out_lit(&json, ",\"scope\":\"" SCOPE "\",\"aud\":");
    sluice_out_string(&json, token->url, strlen(token->url));
    sluice_out_lit(&json, ",\"iat\":");
    sluice_out_int(&json, now);
    sluice_out_lit(&json, ",\"exp\":");
    sluice_out_int(&json, now + 3600);
    sluice_out_char(&json, '}');
    put_json_base64(jwt, &json);
    sluice_out_fini(&json);
}

static bool put_signature(const struct bq_token *token, struct sluice_out *jwt)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char signature[2048];
    size_t len = sizeof signature;
    bool ok = md && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, token->key) == 1 &&
              EVP_DigestSign(md, signature, &len, (const unsigned char *)jwt->data, jwt->len) == 1;
    EVP_MD_CTX_free(md);
    ERR_clear_error();
    if (!ok) return false;
    sluice_out_char(jwt, '.');
    sluice_out_base64(jwt, signature, len, true);
    return true;
}

static void put_parameter(struct sluice_out *out, const char *name, const char *value)
{
    sluice_out_text(out, name);
    bq_url_escape(out, value);
}

static bool make_body(struct bq_token *token)
{
    struct sluice_out *body = &token->body;
    body->len = 0;
    if (token->grant == GRANT_METADATA) return true;
    if (token->grant == GRANT_USER) {
        put_parameter(body, "grant_type=", "refresh_token");
        put_parameter(body, "&client_id=", token->client_id);
        put_parameter(body, "&client_secret=", token->client_secret);
        put_parameter(body, "&refresh_token=", token->refresh);
        return true;
    }
    struct sluice_out jwt = {0};
    put_claims(token, &jwt);
    bool ok = put_signature(token, &jwt);
    put_parameter(body, "grant_type=", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    sluice_out_lit(body, "&assertion=");
    sluice_out_put(body, jwt.data, jwt.len);
    sluice_out_fini(&jwt);
    if (!ok)
        bq_fail(token->sink,
                "signing with the key of service account %.200s failed: download the "
                "key again",
                token->email);
    return ok;
}

static void retry(struct bq_token *token, const char *why)
{
    struct bq_sink *sink = token->sink;
    int64_t wait = bq_backoff_ms(sink, RETRY_FIRST_MS, token->attempts, RETRY_MAX_MS);
    token->attempts++;
    token->until_ms = sink->now_ms + wait;
    bq_trouble(sink, &token->troubled,
               "asking %s for an access token failed: %.400s; next try in %.1f s", token->url, why,
               (double)wait / 1000);
}

/* A header must not smuggle others in. */
static bool is_token(const char *text)
{
    if (!text || !*text || strlen(text) > 16384) return false;
    for (; *text; text++)
        if (*text <= ' ' || *text > '~') return false;
    return true;
}

static bool accept(struct bq_token *token, const json_t *json)
{
    const char *text = json_string_value(json_object_get(json, "access_token"));
    json_int_t life_s = json_integer_value(json_object_get(json, "expires_in"));
    if (!is_token(text)) return false;
    if (life_s <= 0 || life_s > 86400) life_s = 3600;
    struct sluice_out header = {0};
    sluice_out_lit(&header, "Authorization: Bearer ");
    sluice_out_text(&header, text);
    sluice_out_terminate(&header);
    free_secret(token->header);
    token->header = header.data;
    int64_t early_s = life_s > 2 * EARLY_S ? EARLY_S : life_s / 2;
    token->refresh_ms = token->sink->now_ms + (life_s - early_s) * 1000;
    token->expires_ms = token->sink->now_ms + life_s * 1000;
    token->attempts = 0;
    token->until_ms = 0;
    bq_well(token->sink, &token->troubled);
    return true;
}

static void refuse(struct bq_token *token, long status, const json_t *json)
{
    const char *error = json_string_value(json_object_get(json, "error"));
    const char *words = json_string_value(json_object_get(json, "error_description"));
    const char *who = token->grant == GRANT_SERVICE_ACCOUNT ? token->email
                      : token->grant == GRANT_USER          ? "the user of gcloud"
                                                            : "this machine's service account";
    bq_fail(token->sink,
            "%s refused an access token for %.200s: %ld %.100s%s%.300s: check the account, its key "
            "and this machine's clock",
            token->url, who, status, error ? error : "", words ? ": " : "", words ? words : "");
}

static void on_answer(void *arg, const struct sluice_http_answer *answer)
{
    struct bq_token *token = arg;
    char why[300];
    token->sink->now_ms = bq_clock_ms();
    token->flying = false;
    if (answer->status == 0) {
        retry(token, answer->error);
        return;
    }
    json_t *json = json_loadb(answer->body, answer->len, 0, NULL);
    bool passing = answer->status >= 500 || answer->status == 429 || answer->status == 408;
    if (answer->status == 200) {
        if (!accept(token, json)) retry(token, "the answer holds no access_token");
    } else if (passing) {
        snprintf(why, sizeof why, "it answered %ld", answer->status);
        retry(token, why);
    } else {
        refuse(token, answer->status, json);
    }
    json_decref(json);
}

static void fetch(struct bq_token *token)
{
    struct bq_sink *sink = token->sink;
    bool metadata = token->grant == GRANT_METADATA;
    const char *headers[] = {metadata ? "Metadata-Flavor: Google"
                                      : "Content-Type: application/x-www-form-urlencoded",
                             NULL};
    struct sluice_err err;
    if (!make_body(token)) return;
    struct sluice_http_request request = {.method = metadata ? "GET" : "POST",
                                          .url = token->url,
                                          .headers = headers,
                                          .done = on_answer,
                                          .arg = token,
                                          .body = metadata ? NULL : token->body.data,
                                          .len = token->body.len};
    token->flying = sluice_http_start(sink->http, &request, &err);
    if (!token->flying) bq_fail(sink, "%.900s", err.msg);
}

bool bq_token_ready(const struct bq_token *token)
{
    return token->header && token->sink->now_ms < token->expires_ms;
}

const char *bq_token_header(struct bq_token *token)
{
    int64_t now = token->sink->now_ms;
    bool ready = bq_token_ready(token);
    if ((!ready || now >= token->refresh_ms) && !token->flying && now >= token->until_ms)
        fetch(token);
    return ready ? token->header : NULL;
}

void bq_token_expire(struct bq_token *token)
{
    free_secret(token->header);
    token->header = NULL;
}

int64_t bq_token_due(const struct bq_token *token)
{
    return bq_token_ready(token) || token->flying ? INT64_MAX : token->until_ms;
}
