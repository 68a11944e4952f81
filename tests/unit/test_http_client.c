/* The HTTP client against loopback servers: what is sent and kept, caps, times, TLS with PEM and
 * PKCS#12 client certificates. */
#include "bq_stub.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>

#include "base/mem.h"
#include "harness.h"
#include "http/client.h"

struct call {
    struct sluice_http_response response;
    bool ok, sent;
    struct sluice_err err;
};

static struct sluice_http_client *client_with(const struct sluice_http_options *options)
{
    static const struct sluice_http_options none;
    return sluice_http_client_new(options ? options : &none);
}

static void call(struct sluice_http_client *client, const char *method, const char *base,
                 const char *path, const char *const *headers, const char *body, struct call *call)
{
    char *url = sluice_xasprintf("%s%s", base, path);
    struct sluice_http_request request = {method, url, headers, body, body ? strlen(body) : 0};
    memset(call, 0, sizeof *call);
    call->ok = sluice_http_do(client, &request, &call->response, &call->sent, &call->err);
    free(url);
}

static void finish(struct call *call) { sluice_http_response_fini(&call->response); }

TEST(what_is_asked_arrives_and_the_answer_comes_back)
{
    struct stub *stub = stub_new();
    struct sluice_http_client *client =
        client_with(&(struct sluice_http_options){.user = "ann", .password = "s3cret:x"});
    const char *const headers[] = {"Content-Type: application/json", "X-Mark: 7", NULL};
    struct call got;
    stub_rule(stub, "PATCH", "/connectors/a", 0, 409, "{\"message\":\"later\"}");
    stub_rule(stub, "GET", "/empty", 0, 204, "");

    call(client, "PATCH", stub->url, "/connectors/a?x=1", headers, "{\"k\":\"v\"}", &got);
    CHECK(got.ok && got.sent);
    CHECK_INT(got.response.status, 409);
    CHECK_STR(got.response.body, "{\"message\":\"later\"}");
    CHECK_INT(got.response.body_len, strlen(got.response.body));
    CHECK_STR(got.response.content_type, "application/json");
    CHECK(!got.response.location);
    const struct stub_request *req = stub_request(stub, "PATCH", "/connectors/a", 0);
    CHECK(req);
    CHECK_STR(req->path, "/connectors/a?x=1");
    CHECK_STR(req->body, "{\"k\":\"v\"}");
    CHECK_HAS(req->head, "\r\nX-Mark: 7\r\n");
    CHECK_HAS(req->head, "\r\nContent-Type: application/json\r\n");
    CHECK_HAS(req->head, "\r\nAuthorization: Basic YW5uOnMzY3JldDp4\r\n");
    CHECK(!strcasestr(req->head, "expect"));
    finish(&got);

    call(client, "GET", stub->url, "/empty", NULL, NULL, &got);
    CHECK(got.ok);
    CHECK_INT(got.response.status, 204);
    CHECK_STR(got.response.body, "");
    finish(&got);
    sluice_http_client_free(client);
    stub_free(stub);
}

/* One handle serves all methods: nothing of one request may show in the next. */
TEST(requests_leave_nothing_behind_on_the_kept_connection)
{
    struct stub *stub = stub_new();
    struct sluice_http_client *client = client_with(NULL);
    const char *const headers[] = {"X-Mark: 7", NULL};
    const char *methods[] = {"POST", "GET", "PUT", "DELETE", "GET"};
    struct call got;
    for (size_t i = 0; i < 5; i++) {
        bool first = i == 0;
        call(client, methods[i], stub->url, "/x", first ? headers : NULL, first ? "body" : NULL,
             &got);
        CHECK(got.ok);
        CHECK_INT(got.response.status, 200);
        finish(&got);
    }
    CHECK_INT(stub->requests_n, 5);
    for (size_t i = 1; i < 5; i++) {
        const struct stub_request *req = &stub->requests[i];
        CHECK_STR(req->method, methods[i]);
        CHECK_INT(req->conn, stub->requests[0].conn);
        CHECK_STR(req->body, "");
        CHECK(!strcasestr(req->head, "x-mark") && !strcasestr(req->head, "content-type"));
    }
    CHECK_HAS(stub->requests[2].head, "Content-Length: 0\r\n"); /* a PUT without a body */
    CHECK(!strcasestr(stub->requests[3].head, "content-length"));
    sluice_http_client_free(client);
    stub_free(stub);
}

static void *ask_often(void *arg)
{
    struct sluice_http_client *client = ((void **)arg)[0];
    const char *url = ((void **)arg)[1];
    uintptr_t good = 0;
    for (int i = 0; i < 20; i++) {
        struct call got;
        call(client, "GET", url, "/many", NULL, NULL, &got);
        good += got.ok && got.response.status == 200;
        finish(&got);
    }
    return (void *)good;
}

TEST(threads_share_a_client)
{
    struct stub *stub = stub_new();
    struct sluice_http_client *client = client_with(NULL);
    void *arg[] = {client, stub->url};
    pthread_t threads[12]; /* more than handles that are kept */
    for (size_t i = 0; i < 12; i++) CHECK(pthread_create(&threads[i], NULL, ask_often, arg) == 0);
    for (size_t i = 0; i < 12; i++) {
        void *good;
        pthread_join(threads[i], &good);
        CHECK_INT((uintptr_t)good, 20);
    }
    sluice_http_client_free(client);
    stub_free(stub);
}

TEST(too_long_an_answer_is_refused)
{
    struct stub *stub = stub_new();
    struct sluice_http_client *client = client_with(&(struct sluice_http_options){.body_max = 16});
    struct call got;
    stub_rule(stub, "GET", "/fits", 0, 200, "0123456789abcdef");
    stub_rule(stub, "GET", "/not", 0, 200, "0123456789abcdefg");
    call(client, "GET", stub->url, "/fits", NULL, NULL, &got);
    CHECK(got.ok);
    CHECK_STR(got.response.body, "0123456789abcdef");
    finish(&got);
    call(client, "GET", stub->url, "/not", NULL, NULL, &got);
    CHECK(!got.ok && got.sent && !got.response.body);
    CHECK_HAS(got.err.msg, "/not: the answer is longer than 16 bytes");
    call(client, "GET", stub->url, "/fits", NULL, NULL, &got); /* and it goes on */
    CHECK(got.ok);
    finish(&got);
    sluice_http_client_free(client);
    stub_free(stub);
}

TEST(no_answer_says_whether_the_request_went_out)
{
    struct stub *stub = stub_new();
    struct sluice_http_client *client =
        client_with(&(struct sluice_http_options){.timeout_ms = 1000});
    struct call got;
    stub_rule(stub, "GET", "/late", 0, 200, "{}")->delay_ms = 60000;
    stub_rule(stub, "GET", "/gone", 0, STUB_HANG_UP, "");
    call(client, "GET", stub->url, "/late", NULL, NULL, &got);
    CHECK(!got.ok && got.sent);
    CHECK_HAS(got.err.msg, "/late: ");
    CHECK_HAS(got.err.msg, "timed out");
    call(client, "POST", stub->url, "/gone", NULL, "x", &got);
    finish(&got);
    call(client, "GET", stub->url, "/gone", NULL, NULL, &got);
    CHECK(!got.ok && got.sent);
    char base[64];
    snprintf(base, sizeof base, "http://ann:s3cret@127.0.0.1:%d", stub->port);
    stub_free(stub);
    call(client, "GET", base, "/refused", NULL, NULL, &got);
    CHECK(!got.ok && !got.sent);
    CHECK_HAS(got.err.msg, "GET http://127.0.0.1:");
    CHECK(!strstr(got.err.msg, "s3cret"));
    call(client, "GET", "file://", "/etc/passwd", NULL, NULL, &got);
    CHECK(!got.ok && !got.sent);
    sluice_http_client_free(client);
}

/* ---- TLS ---- */

struct tls_server {
    SSL_CTX *context;
    EVP_PKEY *key;
    X509 *cert;
    int listen_fd, answers; /* connections to serve, good or bad */
    pthread_t thread;
    char base[64], ca[256], pem[256], p12[256];
    char seen[256]; /* subject of the last client certificate */
};

static X509 *self_signed(EVP_PKEY *key, const char *name)
{
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, subject);
    X509_set_pubkey(cert, key);
    X509_EXTENSION *alt =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost,DNS:only.example");
    X509_add_ext(cert, alt, -1);
    X509_EXTENSION_free(alt);
    CHECK(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static FILE *file_in(const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", harness_dir(), name);
    FILE *file = fopen(path, "we");
    CHECK(file);
    return file;
}

static void *tls_run(void *arg)
{
    struct tls_server *server = arg;
    for (int i = 0; i < server->answers; i++) {
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        SSL *ssl = SSL_new(server->context);
        char head[4096];
        SSL_set_fd(ssl, fd);
        if (SSL_accept(ssl) == 1 && SSL_read(ssl, head, sizeof head) > 0) {
            static const char answer[] = "HTTP/1.1 307 X\r\nLocation: /else\r\nContent-Length: "
                                         "2\r\nConnection: close\r\n\r\nhi";
            X509 *peer = SSL_get1_peer_certificate(ssl);
            server->seen[0] = '\0';
            if (peer)
                X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, server->seen,
                                          sizeof server->seen);
            X509_free(peer);
            SSL_write(ssl, answer, sizeof answer - 1);
            SSL_shutdown(ssl);
        }
        SSL_free(ssl);
        close(fd);
    }
    return NULL;
}

static void tls_files(struct tls_server *server)
{
    FILE *file = file_in("ca.pem", server->ca, sizeof server->ca);
    PEM_write_X509(file, server->cert);
    fclose(file);
    file = file_in("both.pem", server->pem, sizeof server->pem);
    PEM_write_PKCS8PrivateKey(file, server->key, EVP_aes_128_cbc(), "geheim", 6, NULL, NULL);
    PEM_write_X509(file, server->cert);
    fclose(file);
    file = file_in("both.p12", server->p12, sizeof server->p12);
    PKCS12 *p12 = PKCS12_create("geheim", "me", server->key, server->cert, NULL, 0, 0, 0, 0, 0);
    CHECK(p12 && i2d_PKCS12_fp(file, p12) == 1);
    PKCS12_free(p12);
    fclose(file);
}

/* Its certificate is its own CA, and stands for the clients as well. */
static void tls_start(struct tls_server *server, bool clients, int answers)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    memset(server, 0, sizeof *server);
    server->answers = answers;
    server->key = EVP_EC_gen("P-256");
    server->cert = self_signed(server->key, "worker one");
    tls_files(server);
    server->context = SSL_CTX_new(TLS_server_method());
    CHECK(SSL_CTX_use_certificate(server->context, server->cert) == 1 &&
          SSL_CTX_use_PrivateKey(server->context, server->key) == 1);
    if (clients) {
        CHECK(SSL_CTX_load_verify_file(server->context, server->ca) == 1);
        SSL_CTX_set_verify(server->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
    }
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(server->listen_fd, (struct sockaddr *)&addr, sizeof addr) == 0 &&
          listen(server->listen_fd, 8) == 0);
    getsockname(server->listen_fd, (struct sockaddr *)&addr, &len);
    snprintf(server->base, sizeof server->base, "https://localhost:%d", ntohs(addr.sin_port));
    CHECK(pthread_create(&server->thread, NULL, tls_run, server) == 0);
}

static void tls_end(struct tls_server *server)
{
    pthread_join(server->thread, NULL);
    close(server->listen_fd);
    SSL_CTX_free(server->context);
    X509_free(server->cert);
    EVP_PKEY_free(server->key);
}

static void ask_tls(const struct tls_server *server, const struct sluice_http_options *options,
                    const char *base, struct call *got)
{
    struct sluice_http_client *client = sluice_http_client_new(options);
    call(client, "GET", base ? base : server->base, "/", NULL, NULL, got);
    sluice_http_client_free(client);
}

TEST(a_server_is_trusted_by_its_certificate_and_name)
{
    struct tls_server server;
    struct call got;
    signal(SIGPIPE, SIG_IGN);
    tls_start(&server, false, 4);
    ask_tls(&server, &(struct sluice_http_options){0}, NULL, &got);
    CHECK(!got.ok && !got.sent);
    CHECK_HAS(got.err.msg, "certificate");
    struct sluice_http_options options = {.ca_file = server.ca};
    ask_tls(&server, &options, NULL, &got);
    if (!got.ok) FAIL("%s", got.err.msg);
    CHECK_INT(got.response.status, 307); /* not followed */
    CHECK_STR(got.response.location, "/else");
    CHECK_STR(got.response.body, "hi");
    CHECK(!got.response.content_type);
    finish(&got);
    char by_number[64];
    snprintf(by_number, sizeof by_number, "https://127.0.0.1:%s", strrchr(server.base, ':') + 1);
    ask_tls(&server, &options, by_number, &got);
    CHECK(!got.ok && !got.sent);
    options.any_host = true;
    ask_tls(&server, &options, by_number, &got);
    if (!got.ok) FAIL("%s", got.err.msg);
    finish(&got);
    tls_end(&server);
}

TEST(client_certificates_as_pem_and_as_pkcs12)
{
    struct tls_server server;
    struct call got;
    signal(SIGPIPE, SIG_IGN);
    tls_start(&server, true, 3);
    struct sluice_http_options options = {.ca_file = server.ca, .key_password = "geheim"};
    const char *files[] = {server.pem, server.p12};
    for (size_t i = 0; i < 2; i++) {
        options.cert_file = files[i];
        ask_tls(&server, &options, NULL, &got);
        if (!got.ok) FAIL("%s", got.err.msg);
        CHECK_INT(got.response.status, 307);
        finish(&got);
    }
    options.cert_file = NULL;
    ask_tls(&server, &options, NULL, &got);
    CHECK(!got.ok);
    tls_end(&server);
    CHECK_STR(server.seen, "worker one");
}

TEST(a_certificate_that_cannot_be_used_is_an_error)
{
    struct tls_server server;
    struct call got;
    signal(SIGPIPE, SIG_IGN);
    tls_start(&server, true, 3);
    const struct {
        struct sluice_http_options options;
        const char *says;
    } bad[] = {
        {{.ca_file = server.ca, .cert_file = server.p12, .key_password = "falsch"}, "PKCS12"},
        {{.ca_file = server.ca, .cert_file = "/nowhere/at/all.pem"}, "certificate"},
        {{.ca_file = server.ca, .cert_file = server.ca}, "private key"},
    };
    for (size_t i = 0; i < 3; i++) {
        ask_tls(&server, &bad[i].options, NULL, &got);
        CHECK(!got.ok && !got.sent);
        CHECK(!strstr(got.err.msg, "falsch"));
        CHECK_HAS(got.err.msg, bad[i].says);
    }
    tls_end(&server);
}
