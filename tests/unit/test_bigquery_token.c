/* test_bigquery_token.c - access tokens and what happens when there is none, against a stub. */
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "bq_test.h"

/* A service account with a key of its own. */
struct account {
    EVP_PKEY *key;
    char *json;
};

static struct account account_new(void)
{
    struct account account = {.key = EVP_RSA_gen(2048)};
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    PEM_write_bio_PKCS8PrivateKey(bio, account.key, NULL, NULL, 0, NULL, NULL);
    long len = BIO_get_mem_data(bio, &pem);
    json_t *root =
        json_pack("{s:s, s:s, s:s#, s:s, s:s}", "type", "service_account", "private_key_id",
                  "kid-1", "private_key", pem, (int)len, "client_email",
                  "robot@p.iam.gserviceaccount.com", "token_uri", "http://127.0.0.1:9/never-used");
    account.json = json_dumps(root, 0);
    json_decref(root);
    BIO_free(bio);
    return account;
}

static void account_free(struct account *account)
{
    EVP_PKEY_free(account->key);
    free(account->json);
}

static void init(struct bq_test *t, const struct account *account)
{
    char uri[128];
    bq_init(t);
    snprintf(uri, sizeof uri, "%s/token", t->stub->url);
    fake_set(&t->fake, "tokenUri", uri);
    fake_set(&t->fake, "keySource", "JSON");
    fake_set(&t->fake, "keyfile", account->json);
}

static size_t from_base64url(const char *text, size_t len, unsigned char *out)
{
    char padded[4096] = {0};
    size_t n = 0;
    CHECK(len > 0 && len + 4 < sizeof padded);
    for (; n < len; n++) padded[n] = text[n] == '-' ? '+' : text[n] == '_' ? '/' : text[n];
    while (n % 4) padded[n++] = '=';
    int got = EVP_DecodeBlock(out, (unsigned char *)padded, (int)n);
    return (size_t)got - (len % 4 ? 4 - len % 4 : 0);
}

/* Takes the JWT apart and verifies its signature by the public key. */
static void check_jwt(struct bq_test *t, const struct account *account, const char *jwt)
{
    unsigned char claims[2048], signature[1024];
    const char *dot = strchr(jwt, '.'), *end = dot ? strchr(dot + 1, '.') : NULL;
    CHECK(end != NULL);
    size_t head_len = from_base64url(jwt, (size_t)(dot - jwt), claims);
    claims[head_len] = '\0';
    CHECK_STR((char *)claims, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"kid-1\"}");
    size_t len = from_base64url(dot + 1, (size_t)(end - dot - 1), claims);
    size_t sig_len = from_base64url(end + 1, strlen(end + 1), signature);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, account->key);
    int ok =
        EVP_DigestVerify(md, signature, sig_len, (const unsigned char *)jwt, (size_t)(end - jwt));
    EVP_MD_CTX_free(md);
    CHECK_INT(ok, 1);
    json_t *root = json_loadb((char *)claims, len, 0, NULL);
    CHECK(root != NULL);
    char uri[128];
    snprintf(uri, sizeof uri, "%s/token", t->stub->url);
    CHECK_STR(json_string_value(json_object_get(root, "iss")), "robot@p.iam.gserviceaccount.com");
    CHECK_STR(json_string_value(json_object_get(root, "aud")), uri);
    CHECK_STR(json_string_value(json_object_get(root, "scope")),
              "https://www.googleapis.com/auth/bigquery");
    json_int_t iat = json_integer_value(json_object_get(root, "iat"));
    CHECK(llabs(iat - (long long)time(NULL)) < 60);
    CHECK_INT(json_integer_value(json_object_get(root, "exp")) - iat, 3600);
    json_decref(root);
}

TEST(a_service_account_signs_for_its_token)
{
    struct account account = account_new();
    struct bq_test t;
    init(&t, &account);
    bq_open_task(&t);
    for (int i = 0; i < 2; i++) {
        bq_give_row(&t, "t", 0, i);
        bq_put_all(&t);
        bq_finish_ok(&t);
    }
    CHECK_INT(stub_count(t.stub, "POST", "/token"), 1);
    const struct stub_request *req = stub_request(t.stub, "POST", "/token", 0);
    static const char start[] =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    CHECK(strncmp(req->body, start, sizeof start - 1) == 0);
    CHECK_HAS(req->head, "Content-Type: application/x-www-form-urlencoded");
    check_jwt(&t, &account, req->body + sizeof start - 1);
    for (size_t i = 0; i < 2; i++)
        CHECK_HAS(stub_request(t.stub, "POST", INSERT, i)->head, "Authorization: Bearer token-1");
    bq_fini(&t);
    account_free(&account);
}

TEST(the_key_may_stand_in_a_file)
{
    struct account account = account_new();
    struct bq_test t;
    char path[512];
    snprintf(path, sizeof path, "%s/key.json", harness_dir());
    FILE *file = fopen(path, "w");
    fputs(account.json, file);
    fclose(file);
    init(&t, &account);
    fake_set(&t.fake, "keySource", "FILE");
    fake_set(&t.fake, "keyfile", path);
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_HAS(stub_request(t.stub, "POST", INSERT, 0)->head, "Bearer token-1");
    bq_fini(&t);
    account_free(&account);
}

TEST(keys_that_are_no_keys_are_named)
{
    static const struct {
        const char *json, *want;
    } cases[] = {
        {"{\"type\":\"service_account\",\"client_email\":\"a\",\"private_key\":\"s3cr3t\"}",
         "is no RSA key in PEM"},
        {"{\"type\":\"service_account\",\"client_email\":\"a\"}", "lacks client_email or"},
        {"{\"type\":\"external_account\",\"x\":\"s3cr3t\"}", "type external_account"},
        {"{not json s3cr3t", "holds no JSON object"},
    };
    struct account account = account_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bq_test t;
        init(&t, &account);
        fake_set(&t.fake, "keyfile", cases[i].json);
        CHECK_INT(fake_open(&t.fake), SLUICE_FAIL);
        CHECK_HAS(t.fake.err.msg, cases[i].want);
        CHECK(!strstr(t.fake.err.msg, "s3cr3t"));
        bq_fini(&t);
    }
    account_free(&account);
}

TEST(a_token_is_refreshed_before_it_ends_while_rows_go_on)
{
    struct account account = account_new();
    struct bq_test t;
    init(&t, &account);
    stub_rule(t.stub, "POST", "/token", 1, 200, "{\"access_token\":\"short\",\"expires_in\":4}");
    bq_open_task(&t);
    int64_t offset = 0;
    long long end = stub_now() + BQ_LONG_MS;
    const char *last = "";
    while (!strstr(last, "Bearer token-1") && stub_now() < end) { /* rows wait for no new token */
        bq_give_row(&t, "t", 0, offset++);
        bq_put_all(&t);
        bq_finish_ok(&t);
        last = stub_request(t.stub, "POST", INSERT, (size_t)offset - 1)->head;
        usleep(50000);
    }
    CHECK_HAS(stub_request(t.stub, "POST", INSERT, 0)->head, "Bearer short");
    CHECK_HAS(last, "Bearer token-1");
    CHECK_INT(stub_count(t.stub, "POST", "/token"), 2);
    CHECK_INT(t.fake.troubles, 0);
    bq_fini(&t);
    account_free(&account);
}

TEST(a_refused_token_is_renewed_once)
{
    struct account account = account_new();
    struct bq_test t;
    init(&t, &account);
    stub_error(t.stub, INSERT, 1, 401, "authError", "Invalid Credentials");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK_HAS(stub_request(t.stub, "POST", INSERT, 1)->head, "Bearer token-2");
    stub_error(t.stub, INSERT, 2, 401, "authError", "Invalid Credentials");
    bq_give_row(&t, "t", 0, 1);
    bq_put_all(&t);
    CHECK_INT(bq_finish(&t), SLUICE_FAIL);
    CHECK_HAS(t.fake.err.msg, "401 authError: Invalid Credentials");
    CHECK_HAS(t.fake.err.msg, "a fresh access token was refused, too");
    bq_fini(&t);
    account_free(&account);
}

TEST(a_failing_token_endpoint_is_tried_again)
{
    struct account account = account_new();
    struct bq_test t;
    init(&t, &account);
    stub_rule(t.stub, "POST", "/token", 1, 503, "s3cr3t");
    stub_rule(t.stub, "POST", "/token", 1, 200, "<html>a portal</html>");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    BQ_WORK_UNTIL(&t, t.fake.trouble != NULL);
    CHECK_HAS(t.fake.trouble, "/token for an access token failed: it answered 503; next try in");
    bq_finish_ok(&t);
    CHECK_INT(stub_count(t.stub, "POST", "/token"), 3);
    CHECK(t.fake.trouble == NULL);
    bq_fini(&t);
    account_free(&account);
}

TEST(an_account_that_is_refused_fails_the_task_with_googles_words)
{
    struct account account = account_new();
    struct bq_test t;
    init(&t, &account);
    stub_rule(t.stub, "POST", "/token", 0, 400,
              "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    CHECK_INT(bq_finish(&t), SLUICE_FAIL);
    CHECK_HAS(t.fake.err.msg, "robot@p.iam.gserviceaccount.com: 400 invalid_grant: Invalid JWT "
                              "Signature.");
    CHECK_INT(stub_count(t.stub, "POST", INSERT), 0);
    bq_fini(&t);
    account_free(&account);
}

TEST(a_token_cannot_smuggle_headers)
{
    struct account account = account_new();
    struct bq_test t;
    init(&t, &account);
    stub_rule(t.stub, "POST", "/token", 1, 200,
              "{\"access_token\":\"x\\r\\nEvil: yes\",\"expires_in\":3600}");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    CHECK(!strstr(stub_request(t.stub, "POST", INSERT, 0)->head, "Evil"));
    bq_fini(&t);
    account_free(&account);
}

TEST(default_credentials_are_found_as_google_finds_them)
{
    struct account account = account_new();
    struct bq_test t;
    char path[512];
    snprintf(path, sizeof path, "%s/adc.json", harness_dir());
    FILE *file = fopen(path, "w");
    fputs("{\"type\":\"authorized_user\",\"client_id\":\"ci d\",\"client_secret\":\"cs\","
          "\"refresh_token\":\"rt\"}",
          file);
    fclose(file);
    setenv("GOOGLE_APPLICATION_CREDENTIALS", path, 1);
    init(&t, &account);
    fake_set(&t.fake, "keySource", "APPLICATION_DEFAULT");
    fake_set(&t.fake, "keyfile", "");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
    CHECK_STR(stub_request(t.stub, "POST", "/token", 0)->body,
              "grant_type=refresh_token&client_id=ci%20d&client_secret=cs&refresh_token=rt");
    bq_fini(&t);

    init(&t, &account); /* and at last the metadata server */
    char host[64];
    snprintf(host, sizeof host, "127.0.0.1:%d", t.stub->port);
    setenv("GCE_METADATA_HOST", host, 1);
    setenv("CLOUDSDK_CONFIG", "/nowhere", 1);
    fake_set(&t.fake, "keySource", "APPLICATION_DEFAULT");
    fake_set(&t.fake, "keyfile", "");
    bq_open_task(&t);
    bq_give_row(&t, "t", 0, 0);
    bq_put_all(&t);
    bq_finish_ok(&t);
    unsetenv("GCE_METADATA_HOST");
    unsetenv("CLOUDSDK_CONFIG");
    const struct stub_request *req = stub_request(
        t.stub, "GET", "/computeMetadata/v1/instance/service-accounts/default/token", 0);
    CHECK(req != NULL);
    CHECK_HAS(req->head, "Metadata-Flavor: Google");
    CHECK_HAS(stub_request(t.stub, "POST", INSERT, 0)->head, "Bearer token-1");
    bq_fini(&t);
    account_free(&account);
}
