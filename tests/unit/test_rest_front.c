/* What stands between a socket and the handlers: forwarding, passwords, certificates and extra
 * headers. */
#include "rest_test.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/props.h"
#include "rest/access.h"
#include "rest/extra_headers.h"
#include "rest/forward.h"
#include "rest/frontend.h"
#include "rest/tls.h"

/* ---- a worker with properties ---- */

struct front {
    struct sluice_registry *registry;
    struct sluice_worker worker;
    struct sluice_offset_store *offsets;
    struct sluice_herder *herder;
    struct sluice_map props;
    struct sluice_frontend *frontend;
    struct fixture http; /* only its port */
};

static int port_of(const char *url) { return (int)strtol(strrchr(url, ':') + 1, NULL, 10); }

/* text: worker properties. */
static void front_setup(struct front *f, const char *text)
{
    struct sluice_err err = {{0}};
    *f = (struct front){.registry = sluice_registry_new()};
    CHECK(sluice_registry_add(f->registry, NULL, fake_plugins, &err));
    f->worker = (struct sluice_worker){.registry = f->registry, .graceful_ms = 200};
    f->offsets = fake_offsets = sluice_offset_memory_new();
    f->herder = sluice_standalone_new(&f->worker, f->offsets, &err);
    f->herder->ops->ready(f->herder);
    CHECK(sluice_props_parse(&f->props, text, strlen(text), &err));
    f->frontend = sluice_frontend_new(&f->props, &err);
    CHECK_STR(err.msg, "");
    CHECK(f->frontend != NULL);
    f->http.port = port_of(sluice_frontend_local_url(f->frontend));
}

static void front_serve(struct front *f, struct sluice_herder *herder)
{
    struct sluice_err err = {{0}};
    CHECK(sluice_frontend_serve(f->frontend, herder, &f->worker, 1700000000123, &err));
}

static void front_teardown(struct front *f)
{
    sluice_frontend_quiesce(f->frontend);
    CHECK(f->herder->ops->stop(f->herder, LONG_MS));
    CHECK(sluice_frontend_stop(f->frontend, LONG_MS));
    sluice_frontend_free(f->frontend);
    f->herder->ops->free(f->herder);
    sluice_offset_store_free(f->offsets);
    sluice_registry_free(f->registry);
    sluice_map_fini(&f->props);
}

static void refused(const char *text, const char *piece)
{
    struct sluice_err err = {{0}};
    struct sluice_map props = {0};
    CHECK(sluice_props_parse(&props, text, strlen(text), &err));
    CHECK(!sluice_frontend_new(&props, &err));
    CHECK_HAS(err.msg, piece);
    sluice_map_fini(&props);
}

/* A file of this test's; its path is static. */
static const char *file_of(const char *name, const void *data, size_t len)
{
    static char path[4][300];
    static int n;
    char *to = path[n++ % 4];
    snprintf(to, sizeof path[0], "%s/front_%d_%s", SLUICE_BUILD_DIR, (int)getpid(), name);
    FILE *file = fopen(to, "w");
    CHECK(file && fwrite(data, 1, len, file) == len && fclose(file) == 0);
    return to;
}

static const char *text_file(const char *name, const char *text)
{
    return file_of(name, text, strlen(text));
}

#define LOCAL "listeners=http://127.0.0.1:0\n"

TEST(the_advertised_url)
{
    struct front f;
    front_setup(&f,
                LOCAL "rest.advertised.host.name=worker-1.example\nrest.advertised.port=8443\n");
    CHECK_STR(sluice_frontend_url(f.frontend), "http://worker-1.example:8443");
    CHECK_STR(sluice_frontend_id(f.frontend), "worker-1.example:8443");
    front_serve(&f, f.herder);
    CHECK_INT(get(&f.http, "/health"), 200);
    front_teardown(&f);
    front_setup(&f, LOCAL);
    char *url = sluice_xasprintf("http://127.0.0.1:%d", f.http.port);
    CHECK_STR(sluice_frontend_url(f.frontend), url);
    free(url);
    front_teardown(&f); /* one that never served */
    refused(LOCAL "rest.advertised.listener=https\n", "but listeners names no https://");
    refused(LOCAL "rest.advertised.listener=ftp\n", "it is http or https");
}

/* ---- forwarding ---- */

/* A worker that has to ask another one about everything that it may not do itself. */
struct follower {
    struct sluice_herder base;
    struct sluice_herder_ops ops;
    char leader[64]; /* its URL; empty: nobody leads */
    _Atomic int asked;
    int change_at; /* from this question on, next is the leader */
    char next[64];
};

static void elsewhere(struct sluice_herder *base, struct sluice_answer *answer)
{
    struct follower *follower = (struct follower *)base;
    if (++follower->asked == follower->change_at)
        memcpy(follower->leader, follower->next, sizeof follower->leader);
    if (*follower->leader) answer->forward = sluice_xstrdup(follower->leader);
    else sluice_answer_error(answer, 409, "no known leader");
}

static void follower_put_config(struct sluice_herder *base, const char *name,
                                const struct sluice_map *config, struct sluice_answer *answer)
{
    (void)name;
    (void)config;
    elsewhere(base, answer);
}

static void follower_remove(struct sluice_herder *base, const char *name,
                            struct sluice_answer *answer)
{
    (void)name;
    elsewhere(base, answer);
}

static void follower_put_tasks(struct sluice_herder *base, const char *name, const json_t *configs,
                               const struct sluice_signed *given, struct sluice_answer *answer)
{
    (void)base;
    (void)name;
    sluice_answer_json(answer, 200,
                       json_pack("{s:s,s:s,s:s#,s:i}", "signature", given->signature, "algorithm",
                                 given->algorithm, "body", given->body, (int)given->body_len, "n",
                                 (int)json_array_size(configs)));
}

static void follower_init(struct follower *follower, struct sluice_herder *real, const char *leader)
{
    *follower = (struct follower){.ops = *real->ops};
    follower->ops.put_config = follower_put_config;
    follower->ops.remove = follower_remove;
    follower->ops.put_tasks = follower_put_tasks;
    follower->base.ops = &follower->ops;
    snprintf(follower->leader, sizeof follower->leader, "%s", leader);
}

TEST(a_follower_passes_requests_on_and_answers_back)
{
    struct front leader, other;
    struct follower follower;
    front_setup(&leader, LOCAL);
    front_serve(&leader, leader.herder);
    front_setup(&other, LOCAL);
    char url[80]; /* Java's workers end theirs with a slash */
    snprintf(url, sizeof url, "%s/", sluice_frontend_url(leader.frontend));
    follower_init(&follower, other.herder, url);
    front_serve(&other, &follower.base);
    CHECK_INT(put(&other.http, "/connectors/a%2Fb%20c/config?x=%20y", GOOD), 201);
    CHECK_HAS(heard, "\r\nLocation: http://here:1/connectors/a%2Fb%20c\r\n");
    CHECK_HAS(heard, "\r\nContent-Type: application/json\r\n");
    CHECK_HAS(body_of(), "{\"name\":\"a/b c\",\"config\":{");
    CHECK_INT(get(&leader.http, "/connectors/a%2Fb%20c"), 200);
    CHECK_INT(put(&other.http, "/connectors/a%2Fb%20c/config", GOOD), 200);
    CHECK(!strstr(heard, "Location:"));
    CHECK_INT(put(&other.http, "/connectors/x/config", "{\"connector.class\":\"nope\"}"), 400);
    CHECK_HAS(body_of(), "Failed to find any class that implements Connector");
    CHECK_INT(call(&other.http, "DELETE", "/connectors/a%2Fb%20c", "", NULL), 204);
    CHECK_STR(body_of(), "");
    CHECK_INT(call(&other.http, "DELETE", "/connectors/x", "", NULL), 404);
    CHECK_STR(body_of(), "{\"error_code\":404,\"message\":\"Connector x not found\"}");
    front_teardown(&other);
    front_teardown(&leader);
}

TEST(two_hops_are_the_most)
{
    struct front a, b;
    struct follower first, second;
    front_setup(&a, LOCAL);
    front_setup(&b, LOCAL);
    follower_init(&first, a.herder, sluice_frontend_url(b.frontend));
    follower_init(&second, b.herder, sluice_frontend_url(a.frontend));
    front_serve(&a, &first.base);
    front_serve(&b, &second.base);
    CHECK_INT(call(&a.http, "DELETE", "/connectors/x", "", NULL), 409);
    CHECK_STR(body_of(), "{\"error_code\":409,\"message\":\"Cannot complete request because of a "
                         "conflicting operation (e.g. worker rebalance)\"}");
    CHECK_INT(first.asked, 2); /* the request came back, and went no further */
    CHECK_INT(second.asked, 1);
    CHECK_INT(call(&a.http, "DELETE", "/connectors/x?forward=false", "", NULL), 409);
    CHECK_INT(first.asked, 3);
    front_teardown(&a);
    front_teardown(&b);
}

TEST(a_leader_that_just_died_is_asked_for_again)
{
    struct front leader, other;
    struct follower follower;
    front_setup(&leader, LOCAL);
    front_serve(&leader, leader.herder);
    front_setup(&other, LOCAL);
    follower_init(&follower, other.herder, "http://127.0.0.1:1"); /* nobody listens there */
    follower.change_at = 3;
    snprintf(follower.next, sizeof follower.next, "%s", sluice_frontend_url(leader.frontend));
    front_serve(&other, &follower.base);
    CHECK_INT(put(&other.http, "/connectors/a/config", GOOD), 201);
    CHECK_INT(follower.asked, 3);
    front_teardown(&other);
    front_teardown(&leader);
}

TEST(urls_of_hops)
{
    struct sluice_request req = {.raw_path = (char *)"/connectors/a%2Fb\xc3\xbc\"/config",
                                 .raw_query = (char *)"forward=true&a=b&&forwards=1&forward"};
    char *url = sluice_forward_url("https://h:1//", &req);
    CHECK_STR(url, "https://h:1/connectors/a%2Fb%C3%BC%22/config?a=b&forwards=1&forward=true");
    free(url);
    sluice_map_set(&req.query, "forward", "true");
    req.raw_query = NULL;
    url = sluice_forward_url("http://h:1", &req);
    CHECK_STR(url, "http://h:1/connectors/a%2Fb%C3%BC%22/config?forward=false");
    free(url);
    sluice_map_fini(&req.query);
}

TEST(requests_between_workers)
{
    struct front f;
    struct follower follower;
    front_setup(&f, LOCAL);
    follower_init(&follower, f.herder, "");
    front_serve(&f, &follower.base);
    CHECK_INT(call(&f.http, "POST", "/connectors/x/tasks",
                   JSON "X-Connect-Authorization: c2ln\r\n"
                        "X-Connect-Request-Signature-Algorithm: HmacSHA256\r\n",
                   "[{\"a\":\"b\"},{\"c\":1}]"),
              200);
    CHECK_STR(body_of(),
              "{\"signature\":\"c2ln\",\"algorithm\":\"HmacSHA256\",\"body\":\"[{\\\"a\\\":"
              "\\\"b\\\"},{\\\"c\\\":1}]\",\"n\":2}");
    CHECK_INT(call(&f.http, "POST", "/connectors/x/tasks", JSON, "{}"), 500);
    CHECK_HAS(body_of(), "Cannot deserialize value");
    CHECK_INT(call(&f.http, "POST", "/connectors/x/tasks", JSON, "[[]]"), 500);
    CHECK_INT(call(&f.http, "POST", "/connectors/x/tasks", JSON, "[{\"a\":{}}]"), 500);
    CHECK_INT(call(&f.http, "PUT", "/connectors/x/fence", "", NULL), 500); /* standalone */
    CHECK_HAS(body_of(), "Kafka Connect in standalone mode does not support");
    front_teardown(&f);
}

/* ---- passwords ---- */

static char *basic_props(const char *users)
{
    char jaas[800];
    snprintf(jaas, sizeof jaas,
             "// who may\nOther { x.Y required; };\nKafkaConnect {\n  "
             "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule REQUIRED\n"
             "  debug=true /* a comment */ file=\"%s\";\n};\n",
             text_file("users", users));
    return sluice_xasprintf(LOCAL "rest.extension.classes=org.apache.kafka.connect.rest.basic.auth."
                                  "extension.BasicAuthSecurityRestExtension\n"
                                  "java.security.auth.login.config=%s\n",
                            text_file("jaas", jaas));
}

/* Lines of Authorization for the text; static. */
static const char *credentials(const char *text)
{
    static char line[400];
    unsigned char encoded[300];
    EVP_EncodeBlock(encoded, (const unsigned char *)text, (int)strlen(text));
    snprintf(line, sizeof line, "Authorization: Basic %s\r\n", (char *)encoded);
    return line;
}

TEST(basic_auth)
{
    struct front f;
    char *props = basic_props("alice=se\\u0063ret:x\nbob=\n");
    front_setup(&f, props);
    free(props);
    front_serve(&f, f.herder);
    CHECK_INT(get(&f.http, "/connectors"), 401);
    CHECK_STR(body_of(), "User cannot access the resource.");
    CHECK_HAS(heard, "\r\nWWW-Authenticate: Basic realm=\"Connect\"\r\n");
    CHECK_INT(call(&f.http, "GET", "/connectors", credentials("alice:secret:x"), NULL), 200);
    CHECK_INT(call(&f.http, "GET", "/connectors", credentials("bob:"), NULL), 200);
    static const char *const wrong[] = {"alice:secret",   "alice:", "alice", "bob:x",
                                        "carol:secret:x", ":",      "",      "Alice:secret:x",
                                        "alice:secret:xx"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_INT(call(&f.http, "GET", "/connectors", credentials(wrong[i]), NULL), 401);
    CHECK_INT(call(&f.http, "GET", "/connectors", "Authorization: Bearer abc\r\n", NULL), 401);
    CHECK_INT(call(&f.http, "GET", "/connectors", "Authorization: Basic ???\r\n", NULL), 401);
    CHECK_INT(call(&f.http, "PUT", "/connectors/a/config", JSON, GOOD), 401);
    CHECK_INT(call(&f.http, "GET", "/metrics", "", NULL), 401);
    CHECK_INT(call(&f.http, "GET", "/admin/loggers", "", NULL), 401);
    CHECK_INT(call(&f.http, "OPTIONS", "/connectors", "", NULL), 401);
    CHECK_INT(call(&f.http, "OPTIONS", "/connectors",
                   "Origin: http://a\r\nAccess-Control-Request-Method: PUT\r\n", NULL),
              200); /* a browser's question, which has no password yet */
    CHECK_INT(call(&f.http, "GET", "/connectors",
                   "Origin: http://a\r\nAccess-Control-Request-Method: PUT\r\n", NULL),
              401);
    CHECK_INT(get(&f.http, "/nope"), 404);
    /* signed instead: these two, and nothing beside them */
    CHECK_INT(call(&f.http, "POST", "/connectors/x/tasks", JSON, "[]"), 500);
    CHECK_INT(call(&f.http, "PUT", "/connectors/x/fence/", "", NULL), 500);
    CHECK_INT(get(&f.http, "/connectors/x/tasks"), 401);
    CHECK_INT(call(&f.http, "POST", "/connectors/x/fence", "", NULL), 401);
    front_teardown(&f);
}

TEST(a_forwarded_request_keeps_its_password)
{
    struct front leader, other;
    struct follower follower;
    char *props = basic_props("alice=secret\n");
    front_setup(&leader, props);
    front_serve(&leader, leader.herder);
    front_setup(&other, LOCAL);
    free(props);
    follower_init(&follower, other.herder, sluice_frontend_url(leader.frontend));
    front_serve(&other, &follower.base);
    char headers[500];
    snprintf(headers, sizeof headers, JSON "X-Else: 1\r\n%s", credentials("alice:secret"));
    CHECK_INT(call(&other.http, "PUT", "/connectors/a/config", headers, GOOD), 201);
    CHECK_INT(call(&other.http, "PUT", "/connectors/a/config", JSON, GOOD), 401);
    CHECK_STR(body_of(), "User cannot access the resource.");
    front_teardown(&other);
    front_teardown(&leader);
}

TEST(extensions_and_jaas_files_that_are_wrong)
{
#define BASIC LOCAL "rest.extension.classes=BasicAuthSecurityRestExtension\n"
    char props[900];
    refused(LOCAL "rest.extension.classes=org.example.Audit\n",
            "rest.extension.classes names org.example.Audit, which is not known here");
    unsetenv("KAFKA_OPTS");
    refused(BASIC, "needs a JAAS file");
    refused(BASIC "java.security.auth.login.config=/nope/jaas\n", "/nope/jaas");
    static const char *const cases[][2] = {
        {"KafkaConnect { a.PropertyFileLoginModule required; };", "has no option file"},
        {"KafkaConnect { a.LdapLoginModule required file=\"x\"; };",
         "LdapLoginModule is not known"},
        {"Other { a.PropertyFileLoginModule required; };", "there is no entry KafkaConnect"},
        {"KafkaConnect { a.B required; a.C required; };", "has 2 login modules"},
        {"KafkaConnect {\n a.B sometimes;\n};", "line 2 is not as JAAS has it"},
        {"KafkaConnect { a.B required file=\"x", "is not as JAAS has it"},
        {"KafkaConnect { a.PropertyFileLoginModule required file=\"/nope/users\"; };",
         "/nope/users"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(props, sizeof props, BASIC "java.security.auth.login.config=%s\n",
                 text_file("wrong", cases[i][0]));
        refused(props, cases[i][1]);
    }
    char *empty = basic_props("# nobody\n");
    refused(empty, "names no user");
    free(empty);
    char jaas[600];
    snprintf(jaas, sizeof jaas, "KafkaConnect{PropertyFileLoginModule required file='%s';};",
             text_file("users", "a=b"));
    snprintf(props, sizeof props, "-Xmx1g -Djava.security.auth.login.config=%s -Dx=y",
             text_file("opts", jaas));
    setenv("KAFKA_OPTS", props, 1);
    struct front f;
    front_setup(&f, BASIC);
    unsetenv("KAFKA_OPTS");
    front_serve(&f, f.herder);
    CHECK_INT(call(&f.http, "GET", "/connectors", credentials("a:b"), NULL), 200);
    front_teardown(&f);
}

/* ---- extra headers ---- */

TEST(cors)
{
    struct front f;
    front_setup(&f, LOCAL "access.control.allow.origin=http://a.example, https://*.b.example\n"
                          "access.control.allow.methods=GET, PUT\n");
    front_serve(&f, f.herder);
    CHECK_INT(call(&f.http, "GET", "/connectors", "Origin: http://a.example\r\n", NULL), 200);
    CHECK_HAS(heard, "\r\nAccess-Control-Allow-Origin: http://a.example\r\n");
    CHECK_HAS(heard, "\r\nVary: Origin\r\n");
    CHECK_INT(call(&f.http, "GET", "/connectors", "Origin: https://x.b.example\r\n", NULL), 200);
    CHECK_HAS(heard, "\r\nAccess-Control-Allow-Origin: https://x.b.example\r\n");
    CHECK_INT(call(&f.http, "GET", "/connectors", "Origin: http://evil\r\n", NULL), 200);
    CHECK(!strstr(heard, "Access-Control"));
    CHECK_INT(call(&f.http, "GET", "/nope", "Origin: http://a.example\r\n", NULL), 404);
    CHECK_HAS(heard, "Access-Control-Allow-Origin");
    CHECK_INT(call(&f.http, "OPTIONS", "/connectors",
                   "Origin: http://a.example\r\nAccess-Control-Request-Method: PUT\r\n", NULL),
              200);
    CHECK_HAS(heard, "\r\nAccess-Control-Allow-Methods: GET,PUT\r\n");
    CHECK_HAS(heard, "\r\nAccess-Control-Max-Age: 60\r\n");
    CHECK_HAS(heard, "\r\nAccess-Control-Allow-Headers: Content-Type");
    CHECK_INT(call(&f.http, "OPTIONS", "/connectors", "Origin: http://a.example\r\n", NULL), 200);
    CHECK(!strstr(heard, "Max-Age"));
    front_teardown(&f);
    front_setup(&f, LOCAL "access.control.allow.origin=*\n");
    front_serve(&f, f.herder);
    CHECK_INT(call(&f.http, "GET", "/connectors", "Origin: null\r\n", NULL), 200);
    CHECK_HAS(heard, "\r\nAccess-Control-Allow-Origin: null\r\n");
    front_teardown(&f);
}

TEST(headers_of_every_answer)
{
    struct front f;
    front_setup(&f, LOCAL "response.http.headers.config=set X-One: 1, add X-One: 2 ,\"SET "
                          "Cache-Control: no-cache, no-store\", add X-Time:10:30, setDate "
                          "Expires: 86400000, addDate X-D: -1000\n");
    front_serve(&f, f.herder);
    CHECK_INT(get(&f.http, "/connectors"), 200);
    CHECK_HAS(heard, "\r\nX-One: 1\r\n");
    CHECK_HAS(heard, "\r\nX-One: 2\r\n");
    CHECK_HAS(heard, "\r\nCache-Control: no-cache, no-store\r\n");
    CHECK_HAS(heard, "\r\nX-Time: 10:30\r\n");
    CHECK_HAS(heard, " GMT\r\n");
    CHECK_HAS(heard, "\r\nExpires: ");
    CHECK_INT(get(&f.http, "/nope"), 404);
    CHECK_HAS(heard, "\r\nX-One: 1\r\n");
    front_teardown(&f);
#define HEADERS LOCAL "response.http.headers.config="
    refused(HEADERS "put A: b\n", "Invalid header config action: 'put'");
    refused(HEADERS "set A b\n", "Invalid format of header config 'set A b'");
    refused(HEADERS "set A B: c\n", "Invalid header name 'A B'");
    refused(HEADERS "setDate A: soon\n", "'soon' of setDate A is no number of milliseconds");
    refused(HEADERS "set A: b\\nSet-Cookie: x\n", "has a line break");
}

TEST(loggers_apart)
{
    struct front f;
    front_setup(&f, LOCAL "admin.listeners=\n");
    front_serve(&f, f.herder);
    CHECK_INT(get(&f.http, "/admin/loggers"), 404);
    front_teardown(&f);
    refused(LOCAL "admin.listeners=https://127.0.0.1:0\n", "admin.listeners: listener https://");
}

/* ---- certificates ---- */

static EVP_PKEY *new_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    CHECK(key != NULL);
    return key;
}

/* Signed by issuer_key; issuer NULL: by itself. */
static X509 *new_certificate(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 24 * 3600);
    X509_set_pubkey(cert, key);
    X509_NAME *subject = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : subject);
    static const struct {
        int nid;
        const char *value;
        bool ca;
    } extensions[] = {{NID_basic_constraints, "critical,CA:TRUE", true},
                      {NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost", false}};
    for (size_t i = 0; i < 2; i++) {
        if (extensions[i].ca == (issuer != NULL)) continue;
        X509_EXTENSION *one =
            X509V3_EXT_conf_nid(NULL, NULL, extensions[i].nid, extensions[i].value);
        CHECK(one && X509_add_ext(cert, one, -1));
        X509_EXTENSION_free(one);
    }
    CHECK(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
    return cert;
}

struct pki {
    EVP_PKEY *ca_key, *key;
    X509 *ca, *cert;
    char *ca_pem, *cert_pem, *key_pem, *locked_pem; /* the key again, with the password "geheim" */
};

static char *pem_of(BIO *bio)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    char *text = sluice_xstrndup(data, (size_t)len);
    BIO_free(bio);
    return text;
}

static void pki_init(struct pki *pki)
{
    pki->ca_key = new_key();
    pki->key = new_key();
    pki->ca = new_certificate(pki->ca_key, "test authority", NULL, pki->ca_key);
    pki->cert = new_certificate(pki->key, "localhost", pki->ca, pki->ca_key);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, pki->ca);
    pki->ca_pem = pem_of(bio);
    PEM_write_bio_X509(bio = BIO_new(BIO_s_mem()), pki->cert);
    pki->cert_pem = pem_of(bio);
    PEM_write_bio_PKCS8PrivateKey(bio = BIO_new(BIO_s_mem()), pki->key, NULL, NULL, 0, NULL, NULL);
    pki->key_pem = pem_of(bio);
    PEM_write_bio_PKCS8PrivateKey(bio = BIO_new(BIO_s_mem()), pki->key, EVP_aes_256_cbc(), NULL, 0,
                                  NULL, (void *)"geheim");
    pki->locked_pem = pem_of(bio);
}

static void pki_fini(struct pki *pki)
{
    EVP_PKEY_free(pki->ca_key);
    EVP_PKEY_free(pki->key);
    X509_free(pki->ca);
    X509_free(pki->cert);
    free(pki->ca_pem);
    free(pki->cert_pem);
    free(pki->key_pem);
    free(pki->locked_pem);
}

/* In one line, as properties have it. */
static char *one_line(const char *pem)
{
    char *text = sluice_xstrdup(pem);
    for (char *c = text; *c; c++) {
        if (*c == '\n') *c = ' ';
    }
    return text;
}

/* A request over TLS; 0: the handshake, or the server, said no. */
static int tls_get(const struct front *f, const struct pki *pki, bool with_certificate,
                   int max_version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), pki->ca);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (max_version) SSL_CTX_set_max_proto_version(context, max_version);
    if (with_certificate) {
        SSL_CTX_use_certificate(context, pki->cert);
        SSL_CTX_use_PrivateKey(context, pki->key);
    }
    int fd = dial(&f->http);
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    static const char body[] = "{\"connector.class\":\"FakeSource\",\"file\":\"/x\"}";
    char request[300];
    int size =
        snprintf(request, sizeof request,
                 "PUT /connectors/t/config HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\n" JSON
                 "Content-Length: %zu\r\n\r\n%s",
                 sizeof body - 1, body);
    char *text = sluice_xcalloc(1, 1 << 16);
    int len = 0, n;
    if (SSL_connect(ssl) == 1 && SSL_write(ssl, request, size) > 0) {
        while (len < (1 << 16) - 1 && (n = SSL_read(ssl, text + len, (1 << 16) - 1 - len)) > 0)
            len += n;
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    return took(text);
}

#define SECURE "listeners=https://127.0.0.1:0\n"

TEST(https_with_certificates_in_the_properties)
{
    struct pki pki;
    struct front f;
    pki_init(&pki);
    char *cert = one_line(pki.cert_pem), *key = one_line(pki.locked_pem);
    char *props = sluice_xasprintf(
        SECURE "ssl.keystore.type=JKS\nlisteners.https.ssl.keystore.type=PEM\n"
               "listeners.https.ssl.keystore.certificate.chain=%s\n"
               "listeners.https.ssl.keystore.key=%s\nlisteners.https.ssl.key.password=geheim\n",
        cert, key);
    front_setup(&f, props);
    front_serve(&f, f.herder);
    CHECK_HAS(sluice_frontend_url(f.frontend), "https://127.0.0.1:");
    CHECK_INT(tls_get(&f, &pki, false, 0), 201);
    CHECK_HAS(heard, "\r\nLocation: https://h:1/connectors/t\r\n");
    CHECK_INT(tls_get(&f, &pki, true, TLS1_2_VERSION), 200);
    CHECK_INT(tls_get(&f, &pki, false, TLS1_1_VERSION), 0);
    CHECK_INT(get(&f.http, "/connectors"), 0); /* no TLS, no answer */
    front_teardown(&f);
    char *wrong = strstr(props, "geheim");
    wrong[0] = 'G';
    refused(props, "no private key that can be read with ssl.key.password");
    free(props);
    props =
        sluice_xasprintf(SECURE "ssl.keystore.type=PEM\nssl.keystore.certificate.chain=%s\n", cert);
    refused(props, "ssl.keystore.key is missing");
    free(props);
    free(cert);
    cert = one_line(pki.ca_pem);
    free(key);
    key = one_line(pki.key_pem);
    props = sluice_xasprintf(SECURE "ssl.keystore.type=PEM\nssl.keystore.certificate.chain=%s\n"
                                    "ssl.keystore.key=%s\n",
                             cert, key);
    refused(props, "the first certificate does not belong to the private key");
    free(props);
    free(cert);
    free(key);
    pki_fini(&pki);
}

static const char *pkcs12_file(const struct pki *pki, const char *name, const char *password,
                               bool trust)
{
    STACK_OF(X509) *others = sk_X509_new_null();
    sk_X509_push(others, pki->ca);
    PKCS12 *p12 = PKCS12_create(password, "worker", trust ? NULL : pki->key,
                                trust ? NULL : pki->cert, others, 0, 0, 0, 0, 0);
    unsigned char *der = NULL;
    int len = i2d_PKCS12(p12, &der);
    CHECK(len > 0);
    const char *path = file_of(name, der, (size_t)len);
    OPENSSL_free(der);
    PKCS12_free(p12);
    sk_X509_free(others);
    return path;
}

TEST(https_that_asks_for_certificates)
{
    struct pki pki, stranger;
    struct front f;
    pki_init(&pki);
    pki_init(&stranger);
    char *props = sluice_xasprintf(
        SECURE "ssl.keystore.type=PKCS12\nssl.keystore.location=%s\nssl.keystore.password=pass\n"
               "ssl.truststore.location=%s\nssl.truststore.password=other\n"
               "ssl.client.auth=required\nssl.enabled.protocols=TLSv1.2,TLSv1.1\n"
               "ssl.cipher.suites=TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_NOPE\n",
        pkcs12_file(&pki, "key.p12", "pass", false), pkcs12_file(&pki, "ca.p12", "other", true));
    front_setup(&f, props);
    front_serve(&f, f.herder);
    CHECK_INT(tls_get(&f, &pki, true, 0), 201);
    CHECK_INT(tls_get(&f, &pki, false, 0), 0);
    X509 *mine = stranger.ca; /* trusts the server, and is known to nobody */
    stranger.ca = pki.ca;
    CHECK_INT(tls_get(&f, &stranger, true, 0), 0);
    CHECK_INT(tls_get(&f, &pki, true, TLS1_2_VERSION), 200);
    front_teardown(&f);
    char *word = strstr(props, "required");
    memcpy(word, "requested\nX=", 9); /* longer: what follows is cut, not needed */
    word[9] = '\n';
    word[10] = '\0';
    front_setup(&f, props);
    front_serve(&f, f.herder);
    CHECK_INT(tls_get(&f, &pki, false, 0), 201);
    CHECK_INT(tls_get(&f, &pki, true, 0), 200);
    CHECK_INT(tls_get(&f, &stranger, true, 0), 0);
    stranger.ca = mine;
    front_teardown(&f);
    word = strstr(props, "password=pass");
    memcpy(word, "password=pass", 13);
    word[12] = 'x';
    refused(props, "cannot be read as PKCS#12 with ssl.keystore.password");
    free(props);
    refused(SECURE "ssl.client.auth=maybe\n", "ssl.client.auth is maybe");
    refused(SECURE "ssl.client.auth=required\n", "set ssl.truststore.location");
    refused(SECURE, "needs a certificate");
    props = sluice_xasprintf(SECURE "ssl.keystore.location=%s\n",
                             file_of("old.jks", "\xFE\xED\xFE\xED....", 8));
    refused(props, "keytool -importkeystore -srckeystore");
    free(props);
    pki_fini(&pki);
    pki_fini(&stranger);
}

TEST(forwarding_over_https)
{
    struct pki pki;
    struct front leader, other;
    struct follower follower;
    pki_init(&pki);
    char *store = sluice_xasprintf("%s%s", pki.key_pem, pki.cert_pem);
    const char *key = text_file("both.pem", store), *ca = text_file("ca.pem", pki.ca_pem);
    char *common = sluice_xasprintf("ssl.keystore.type=PEM\nssl.keystore.location=%s\n"
                                    "ssl.truststore.type=PEM\nssl.truststore.location=%s\n",
                                    key, ca);
    char *props = sluice_xasprintf(SECURE "ssl.client.auth=required\n%s", common);
    front_setup(&leader, props);
    front_serve(&leader, leader.herder);
    free(props);
    props = sluice_xasprintf(LOCAL "%s", common);
    front_setup(&other, props);
    free(props);
    follower_init(&follower, other.herder, sluice_frontend_url(leader.frontend));
    front_serve(&other, &follower.base);
    CHECK_INT(put(&other.http, "/connectors/a/config", GOOD), 201);
    CHECK_HAS(heard, "\r\nLocation: http://here:1/connectors/a\r\n");
    front_teardown(&other);
    front_teardown(&leader);
    free(store);
    free(common);
    pki_fini(&pki);
}
