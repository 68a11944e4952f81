/* bq_stub_server.h - the thread of bq_stub.h: accepts, reads, answers by the rules. Included by
 * bq_stub.h only. */
#ifndef SLUICE_TESTS_BQ_STUB_SERVER_H
#define SLUICE_TESTS_BQ_STUB_SERVER_H

static inline void stub_default(struct stub *stub, const struct stub_request *req, char *body,
                                size_t size, int *status)
{
    *status = 200;
    if (strstr(req->path, "/token"))
        snprintf(body, size,
                 "{\"access_token\":\"token-%d\",\"expires_in\":3599,\"token_type\":\"Bearer\"}",
                 ++stub->tokens);
    else if (strstr(req->path, "/insertAll"))
        snprintf(body, size, "{\"kind\":\"bigquery#tableDataInsertAllResponse\"}");
    else
        snprintf(body, size,
                 "{\"kind\":\"bigquery#table\",\"etag\":\"e1\",\"timePartitioning\":"
                 "{\"type\":\"DAY\"},\"schema\":{\"fields\":[]}}");
}

static inline void stub_answer(struct stub *stub, struct stub_conn *conn,
                               const struct stub_request *req)
{
    char fallback[512];
    const char *body = fallback;
    int status = 200, delay = 0;
    bool found = false;
    for (size_t i = 0; i < stub->rules_n && !found; i++) {
        struct stub_rule *rule = &stub->rules[i];
        if ((rule->limited && rule->times == 0) || !strstr(req->path, rule->path) ||
            (rule->method && strcmp(rule->method, req->method) != 0))
            continue;
        rule->times -= rule->limited;
        status = rule->status;
        body = rule->body;
        delay = rule->delay_ms;
        conn->close_after = rule->close_after;
        found = true;
    }
    if (!found) stub_default(stub, req, fallback, sizeof fallback, &status);
    if (status == STUB_HANG_UP) {
        conn->close_after = true;
        body = "";
    }
    size_t size = strlen(body) + 256;
    conn->out = malloc(size);
    conn->out_len = status == STUB_HANG_UP
                        ? 0
                        : (size_t)snprintf(conn->out, size,
                                           "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
                                           "Content-Length: %zu\r\n\r\n%s",
                                           status, strlen(body), body);
    conn->out_at_ms = stub_now() + delay;
    conn->insert = strstr(req->path, "/insertAll") != NULL;
    stub->in_flight += conn->insert;
    if (stub->in_flight > stub->in_flight_most) stub->in_flight_most = stub->in_flight;
    if (stub->in_flight >= stub->gather) stub->gather = 0;
}

static inline char *stub_copy(const char *s, size_t len)
{
    char *copy = malloc(len + 1);
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

static inline void stub_body(struct stub_request *req, const char *data, size_t len)
{
    if (!req->gzip) {
        req->body = stub_copy(data, len);
        req->len = len;
        return;
    }
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len};
    size_t cap = len * 200 + 1024;
    req->body = malloc(cap + 1);
    z.next_out = (Bytef *)req->body;
    z.avail_out = (uInt)cap;
    inflateInit2(&z, 15 + 16);
    inflate(&z, Z_FINISH);
    req->len = z.total_out;
    req->body[req->len] = '\0';
    inflateEnd(&z);
}

/* A whole request at the start of the buffer is taken off and answered. */
static inline bool stub_parse(struct stub *stub, struct stub_conn *conn)
{
    conn->in[conn->len] = '\0';
    char *end = strstr(conn->in, "\r\n\r\n");
    if (!end) return false;
    size_t head = (size_t)(end + 4 - conn->in), len = 0;
    const char *field = strcasestr(conn->in, "\r\nContent-Length:");
    if (field && field < end) len = strtoul(field + 17, NULL, 10);
    if (conn->len < head + len) return false;
    struct stub_request req = {.conn = conn->number, .head = stub_copy(conn->in, head)};
    req.gzip = strcasestr(req.head, "\r\nContent-Encoding: gzip") != NULL;
    req.method = stub_copy(conn->in, strcspn(conn->in, " "));
    const char *path = conn->in + strlen(req.method) + 1;
    req.path = stub_copy(path, strcspn(path, " "));
    stub_body(&req, conn->in + head, len);
    conn->len -= head + len;
    memmove(conn->in, conn->in + head + len, conn->len);
    pthread_mutex_lock(&stub->mutex);
    stub->requests = realloc(stub->requests, (stub->requests_n + 1) * sizeof *stub->requests);
    stub->requests[stub->requests_n++] = req;
    stub_answer(stub, conn, &req);
    pthread_mutex_unlock(&stub->mutex);
    return true;
}

static inline void stub_hang_up(struct stub_conn *conn)
{
    close(conn->fd);
    free(conn->in);
    free(conn->out);
    *conn = (struct stub_conn){.fd = -1};
}

static inline void stub_read(struct stub *stub, struct stub_conn *conn)
{
    if (conn->cap - conn->len < 65536) {
        conn->cap = conn->cap ? conn->cap * 2 : 131072;
        conn->in = realloc(conn->in, conn->cap + 1);
    }
    ssize_t n = read(conn->fd, conn->in + conn->len, conn->cap - conn->len);
    if (n <= 0) {
        stub_hang_up(conn);
        return;
    }
    conn->len += (size_t)n;
    pthread_mutex_lock(&stub->mutex);
    bool cut = stub->cut > 0 && stub->requests_n > 0 && stub->cut-- > 0;
    pthread_mutex_unlock(&stub->mutex);
    if (cut) stub_hang_up(conn);
    else if (!conn->out) stub_parse(stub, conn);
}

static inline void stub_write(struct stub *stub, struct stub_conn *conn)
{
    size_t sent = 0;
    while (sent < conn->out_len) {
        ssize_t n = send(conn->fd, conn->out + sent, conn->out_len - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += (size_t)n;
    }
    free(conn->out);
    conn->out = NULL;
    pthread_mutex_lock(&stub->mutex);
    stub->in_flight -= conn->insert;
    pthread_mutex_unlock(&stub->mutex);
    if (conn->close_after) stub_hang_up(conn);
    else if (conn->len > 0) stub_parse(stub, conn);
}

static inline void stub_accept(struct stub *stub)
{
    int fd = accept(stub->listen_fd, NULL, NULL), on = 1;
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (size_t i = 0; i < STUB_CONNS; i++) {
        if (stub->conns[i].fd >= 0) continue;
        pthread_mutex_lock(&stub->mutex);
        stub->conns[i] = (struct stub_conn){.fd = fd, .number = stub->conns_made++};
        pthread_mutex_unlock(&stub->mutex);
        return;
    }
    close(fd);
}

/* How long its answer has to wait, -1: for others (stub->gather). */
static inline long long stub_wait(struct stub *stub, const struct stub_conn *conn)
{
    pthread_mutex_lock(&stub->mutex);
    bool gathers = conn->insert && stub->gather > 0;
    pthread_mutex_unlock(&stub->mutex);
    long long left = conn->out_at_ms - stub_now();
    return gathers ? -1 : left > 0 ? left : 0;
}

static inline void *stub_run(void *arg)
{
    struct stub *stub = arg;
    for (;;) {
        struct pollfd fds[STUB_CONNS + 2] = {{.fd = stub->wake[0], .events = POLLIN},
                                             {.fd = stub->listen_fd, .events = POLLIN}};
        int wait = -1;
        for (size_t i = 0; i < STUB_CONNS; i++) {
            struct stub_conn *conn = &stub->conns[i];
            fds[i + 2] = (struct pollfd){.fd = conn->fd, .events = POLLIN};
            if (conn->fd < 0 || !conn->out) continue;
            fds[i + 2].fd = -1; /* one request at a time */
            int ms = (int)stub_wait(stub, conn);
            if (ms >= 0 && (wait < 0 || ms < wait)) wait = ms;
        }
        poll(fds, STUB_CONNS + 2, wait);
        char why;
        if (fds[0].revents && (read(stub->wake[0], &why, 1) != 1 || why == 'x')) return NULL;
        if (fds[1].revents) stub_accept(stub);
        for (size_t i = 0; i < STUB_CONNS; i++) {
            struct stub_conn *conn = &stub->conns[i];
            if (conn->fd >= 0 && conn->fd == fds[i + 2].fd && fds[i + 2].revents)
                stub_read(stub, conn);
            if (conn->fd >= 0 && conn->out && stub_wait(stub, conn) == 0) stub_write(stub, conn);
        }
    }
}

#endif
