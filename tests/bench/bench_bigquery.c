/* bench_bigquery.c - bigquery-sink against an endpoint that only counts rows, beside a load
 * generator that sends the same prepared bodies: what the plugin costs over the bare requests.
 *
 * usage: bench_bigquery PLUGIN.so [ROWS [LATENCY_MS [PARTITIONS]]]
 *
 * The endpoint is a process of its own (poll, keep-alive, HTTP/1.1, counts "insertId" by a scan of
 * the body); CPU figures are of this process alone, so that its cost stays out. Prints one JSON
 * object. */
#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sluice/plugin.h"

#define CONNS 64
#define PUT_ROWS 500

/* ---- the endpoint ---- */

struct conn {
    int fd;
    char *in;
    size_t len, cap;
    double answer_at; /* 0: nothing to answer */
};

struct counters { /* shared with the process of the endpoint */
    volatile uint64_t rows, requests, bytes;
};

static struct counters *counters;

static double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static uint64_t count_rows(const char *body, size_t len)
{
    static const char mark[] = "{\"insertId\":";
    const char *end = body + len;
    uint64_t n = 0;
    while ((body = memmem(body, (size_t)(end - body), mark, sizeof mark - 1))) {
        n++;
        body += sizeof mark - 1;
    }
    return n;
}

/* A whole request in the buffer is counted and taken off; its answer is due. */
static void take_request(struct conn *conn, double latency_s)
{
    conn->in[conn->len] = '\0';
    char *end = memmem(conn->in, conn->len, "\r\n\r\n", 4);
    if (!end || conn->answer_at > 0) return;
    size_t head = (size_t)(end + 4 - conn->in), len = 0;
    const char *field = strcasestr(conn->in, "\r\nContent-Length:");
    if (field && field < end) len = strtoul(field + 17, NULL, 10);
    if (conn->len < head + len) return;
    counters->rows += count_rows(conn->in + head, len);
    counters->requests++;
    counters->bytes += len;
    conn->len -= head + len;
    memmove(conn->in, conn->in + head + len, conn->len);
    conn->answer_at = now_s() + latency_s;
}

static void answer(struct conn *conn)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                               "Content-Length: 49\r\n\r\n"
                               "{\"kind\":\"bigquery#tableDataInsertAllResponse\"}  \n";
    if (send(conn->fd, text, sizeof text - 1, MSG_NOSIGNAL) < 0) perror("send");
    conn->answer_at = 0;
}

static void receive(struct conn *conn, double latency_s)
{
    if (conn->cap - conn->len < 262144) {
        conn->cap = conn->cap ? conn->cap * 2 : 524288;
        conn->in = realloc(conn->in, conn->cap + 1);
        assert(conn->in);
    }
    ssize_t n = read(conn->fd, conn->in + conn->len, conn->cap - conn->len);
    if (n <= 0) {
        close(conn->fd);
        conn->fd = -1;
        conn->len = 0;
        return;
    }
    conn->len += (size_t)n;
    take_request(conn, latency_s);
}

static void serve(int listen_fd, double latency_s)
{
    static struct conn conns[CONNS];
    for (int i = 0; i < CONNS; i++) conns[i].fd = -1;
    for (;;) {
        struct pollfd fds[CONNS + 1] = {{.fd = listen_fd, .events = POLLIN}};
        int wait = -1;
        for (int i = 0; i < CONNS; i++) {
            fds[i + 1] = (struct pollfd){.fd = conns[i].fd, .events = POLLIN};
            if (conns[i].fd < 0 || conns[i].answer_at == 0) continue;
            int left = (int)((conns[i].answer_at - now_s()) * 1000 + 0.5);
            if (wait < 0 || left < wait) wait = left > 0 ? left : 0;
        }
        poll(fds, CONNS + 1, wait);
        for (int i = 0; i < CONNS; i++) {
            if (conns[i].fd >= 0 && fds[i + 1].revents) receive(&conns[i], latency_s);
            if (conns[i].fd >= 0 && conns[i].answer_at > 0 &&
                conns[i].answer_at <= now_s() + 5e-4) {
                answer(&conns[i]);
                take_request(&conns[i], latency_s);
            }
        }
        if (!fds[0].revents) continue;
        int fd = accept(listen_fd, NULL, NULL), on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        for (int i = 0; i < CONNS && fd >= 0; i++)
            if (conns[i].fd < 0) {
                conns[i].fd = fd;
                fd = -1;
            }
        if (fd >= 0) close(fd);
    }
}

static pid_t start_endpoint(double latency_s, int *port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(fd, 64) != 0) abort();
    getsockname(fd, (struct sockaddr *)&addr, &len);
    *port = ntohs(addr.sin_port);
    counters =
        mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(fd, latency_s);
    }
    close(fd);
    return pid;
}

/* ---- a host that does as little as it can ---- */

struct sluice_task {
    uint64_t done;
    int wake[2];
};

static const char *(*config_of)(const char *key);
static char endpoint[64];

static const char *bench_config(const char *key)
{
    static const char *const given[][2] = {
        {"project", "p"}, {"defaultDataset", "d"}, {"bigQueryPartitionDecorator", "false"}};
    if (strcmp(key, "bigQueryEndpoint") == 0) return endpoint;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (strcmp(given[i][0], key) == 0) return given[i][1];
    return NULL;
}

static const struct sluice_option *options;

static const char *host_str(const struct sluice_conf *conf, const char *key)
{
    (void)conf;
    const char *value = config_of(key);
    for (const struct sluice_option *o = options; !value && o->key; o++)
        if (strcmp(o->key, key) == 0) return o->fallback;
    return value;
}

static int64_t host_num(const struct sluice_conf *conf, const char *key)
{
    return strtoll(host_str(conf, key), NULL, 10);
}

static bool host_flag(const struct sluice_conf *conf, const char *key)
{
    return strcmp(host_str(conf, key), "true") == 0;
}

static const char *const *host_list(const struct sluice_conf *conf, const char *key)
{
    static const char *const none[] = {NULL};
    (void)conf;
    (void)key;
    return none;
}

static bool host_entry(const struct sluice_conf *conf, size_t i, const char **key,
                       const char **value)
{
    (void)conf;
    (void)i;
    (void)key;
    (void)value;
    return false;
}

static void host_log(struct sluice_task *task, enum sluice_level level, const char *fmt, ...)
{
    va_list ap;
    (void)task;
    if (level > SLUICE_WARN) return;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

static const struct sluice_schema *host_schema(const struct sluice_schema *schema)
{
    return schema; /* one constant: interned by being alone */
}

static void host_schema_free(const struct sluice_schema *schema) { (void)schema; }
static int host_wake_fd(struct sluice_task *task) { return task->wake[0]; }

static void host_trouble(struct sluice_task *task, const char *what)
{
    (void)task;
    if (what) fprintf(stderr, "trouble: %s\n", what);
}

static void host_done(struct sluice_task *task, const uint64_t *seqs, size_t n)
{
    (void)seqs;
    task->done += n;
}

static enum sluice_verdict host_reject(struct sluice_task *task, uint64_t seq, const char *why,
                                       struct sluice_err *err)
{
    (void)task;
    snprintf(err->msg, sizeof err->msg, "row %llu: %s", (unsigned long long)seq, why);
    return SLUICE_FAIL;
}

/* ---- ten columns ---- */

static const struct sluice_schema int32 = {.type = SLUICE_INT32}, int64 = {.type = SLUICE_INT64},
                                  text = {.type = SLUICE_STRING},
                                  text_opt = {.type = SLUICE_STRING, .optional = true},
                                  real = {.type = SLUICE_FLOAT64}, flag = {.type = SLUICE_BOOLEAN},
                                  at = {.type = SLUICE_INT64,
                                        .name = "io.debezium.time.MicroTimestamp"},
                                  day = {.type = SLUICE_INT32, .name = "io.debezium.time.Date"};
static const struct sluice_field fields[] = {
    {"id", &int64},      {"userid", &int64}, {"name", &text},   {"email", &text},
    {"city", &text_opt}, {"amount", &real},  {"active", &flag}, {"count", &int32},
    {"created_at", &at}, {"day", &day}};
static const struct sluice_schema row_schema = {
    .type = SLUICE_STRUCT, .fields = fields, .fields_len = 10};

static struct sluice_value row_values[PUT_ROWS][10];
static struct sluice_record recs[PUT_ROWS];
static char names[PUT_ROWS][32], emails[PUT_ROWS][48];

/* The values are made once; offsets and ids move on with each put. */
static void make_rows(void)
{
    for (int i = 0; i < PUT_ROWS; i++) {
        snprintf(names[i], sizeof names[i], "Person Number %d", i * 7919 % 100000);
        snprintf(emails[i], sizeof emails[i], "person%d@example.org", i * 7919 % 100000);
        struct sluice_value values[10] = {sluice_int64(i),
                                          sluice_int64(i * 31),
                                          sluice_string(names[i], strlen(names[i])),
                                          sluice_string(emails[i], strlen(emails[i])),
                                          sluice_string("Berlin", 6),
                                          sluice_float64(i * 1.25 + 0.01),
                                          sluice_bool(i % 2),
                                          sluice_int32(i % 97),
                                          sluice_int64(1700000000123456 + i),
                                          sluice_int32(19000 + i)};
        memcpy(row_values[i], values, sizeof values);
        recs[i] = (struct sluice_record){.topic = "bench", .value_schema = &row_schema};
        recs[i].value = sluice_nested(SLUICE_STRUCT, row_values[i], 10);
    }
}

static void next_rows(uint64_t sent, int partitions)
{
    int32_t partition = (int32_t)(sent / PUT_ROWS % (uint64_t)partitions);
    for (uint64_t i = 0; i < PUT_ROWS; i++) {
        row_values[i][0].u.i = (int64_t)(sent + i);
        recs[i].partition = partition;
        recs[i].offset = (int64_t)(sent + i);
        recs[i].seq = sent + i + 1;
    }
}

/* ---- measuring ---- */

struct cost {
    double wall_s, cpu_s;
};

static double cpu_s(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static void check(enum sluice_verdict verdict, const struct sluice_err *err)
{
    if (verdict != SLUICE_FAIL) return;
    fprintf(stderr, "bench_bigquery: %s\n", err->msg);
    exit(1);
}

static struct cost run_plugin(const struct sluice_plugin *plugin, const struct sluice_host *host,
                              uint64_t rows, int partitions)
{
    struct sluice_task task = {0};
    struct sluice_err err = {{0}};
    void *self = NULL;
    if (pipe(task.wake) != 0) abort();
    check(plugin->open(&task, host, NULL, &self, &err), &err);
    double wall = now_s(), cpu = cpu_s();
    for (uint64_t sent = 0; sent < rows;) {
        next_rows(sent, partitions);
        enum sluice_verdict verdict = plugin->sink->put(self, recs, PUT_ROWS, &err);
        check(verdict, &err);
        if (verdict == SLUICE_OK) sent += PUT_ROWS;
        check(plugin->sink->work(self, verdict == SLUICE_OK ? 0 : 100, &err), &err);
    }
    enum sluice_verdict verdict;
    while ((verdict = plugin->sink->flush(self, &err)) == SLUICE_RETRY)
        check(plugin->sink->work(self, 100, &err), &err);
    check(verdict, &err);
    struct cost cost = {now_s() - wall, cpu_s() - cpu};
    if (task.done != rows)
        fprintf(stderr, "done %llu of %llu rows\n", (unsigned long long)task.done,
                (unsigned long long)rows);
    plugin->close(self);
    close(task.wake[0]);
    close(task.wake[1]);
    return cost;
}

static size_t discard(char *data, size_t size, size_t n, void *arg)
{
    (void)data;
    (void)arg;
    return size * n;
}

/* Keeps as many requests in flight as the plugin may have: the same body again and again, of the
 * size that the plugin sent on average. */
static struct cost run_load(const char *url, const char *body, size_t len, uint64_t requests,
                            int in_flight)
{
    CURLM *multi = curl_multi_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    double wall = now_s(), cpu = cpu_s();
    uint64_t started = 0, finished = 0;
    for (; started < (uint64_t)in_flight && started < requests; started++) {
        CURL *easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 128L * 1024);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
        curl_multi_add_handle(multi, easy);
    }
    while (finished < requests) {
        int running, left;
        struct CURLMsg *msg;
        curl_multi_perform(multi, &running);
        while ((msg = curl_multi_info_read(multi, &left))) {
            CURL *easy = msg->easy_handle;
            finished++;
            curl_multi_remove_handle(multi, easy);
            if (started < requests) {
                curl_multi_add_handle(multi, easy);
                started++;
            } else {
                curl_easy_cleanup(easy);
            }
        }
        curl_multi_perform(multi, &running);
        if (running > 0) curl_multi_poll(multi, NULL, 0, 100, NULL);
    }
    struct cost cost = {now_s() - wall, cpu_s() - cpu};
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    return cost;
}

/* A body like the plugin's, of this size and number of rows. */
static char *make_body(size_t len, uint64_t rows)
{
    char *body = malloc(len + 1);
    assert(body && rows > 0);
    memset(body, 'x', len);
    for (uint64_t i = 0; i < rows; i++) memcpy(body + len / rows * i, "{\"insertId\":", 12);
    body[len] = '\0';
    return body;
}

int main(int argc, char **argv)
{
    uint64_t rows = argc > 2 ? strtoull(argv[2], NULL, 10) : 500000;
    double latency_s = argc > 3 ? strtod(argv[3], NULL) / 1000 : 0;
    int partitions = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 10, port;
    if (argc < 2 || rows < PUT_ROWS || partitions < 1) {
        fprintf(stderr, "usage: bench_bigquery PLUGIN.so [ROWS [LATENCY_MS [PARTITIONS]]]\n");
        return 1;
    }
    rows -= rows % PUT_ROWS;
    signal(SIGPIPE, SIG_IGN);
    pid_t endpoint_pid = start_endpoint(latency_s, &port);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    void *so = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    const struct sluice_plugin *const *(*list)(void) = NULL;
    if (so) *(void **)&list = dlsym(so, "sluice_plugins_v1");
    if (!list) {
        fprintf(stderr, "bench_bigquery: %s\n", dlerror());
        return 1;
    }
    const struct sluice_plugin *plugin = list()[0];
    struct sluice_host host = {.size = sizeof host,
                               .abi_minor = SLUICE_ABI_MINOR,
                               .log = host_log,
                               .str = host_str,
                               .num = host_num,
                               .flag = host_flag,
                               .list = host_list,
                               .entry = host_entry,
                               .schema = host_schema,
                               .schema_free = host_schema_free,
                               .wake_fd = host_wake_fd,
                               .trouble = host_trouble,
                               .done = host_done,
                               .reject = host_reject};
    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%d", port);
    config_of = bench_config;
    options = plugin->options;
    make_rows();
    run_plugin(plugin, &host, PUT_ROWS * 20, partitions); /* warm */
    struct counters before = *counters;
    struct cost sink = run_plugin(plugin, &host, rows, partitions);
    uint64_t counted = counters->rows - before.rows;
    uint64_t requests = counters->requests - before.requests;
    size_t body_len = (size_t)((counters->bytes - before.bytes) / requests);
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    char *body = make_body(body_len, rows / requests), url[128];
    snprintf(url, sizeof url, "%s/bigquery/v2/projects/p/datasets/d/tables/bench/insertAll",
             endpoint);
    struct cost load = run_load(url, body, body_len, requests, partitions < 10 ? partitions : 10);
    printf("{\"rows\": %llu, \"rows_counted\": %llu, \"requests\": %llu, \"body_bytes\": %zu, "
           "\"latency_ms\": %g, \"partitions\": %d, \"sink_rows_per_s\": %.0f, "
           "\"sink_cpu_s_per_million\": %.3f, \"load_rows_per_s\": %.0f, "
           "\"load_cpu_s_per_million\": %.3f, \"ratio\": %.3f, \"peak_rss_kb\": %ld}\n",
           (unsigned long long)rows, (unsigned long long)counted, (unsigned long long)requests,
           body_len, latency_s * 1000, partitions, (double)rows / sink.wall_s,
           sink.cpu_s / (double)rows * 1e6, (double)rows / load.wall_s,
           load.cpu_s / (double)rows * 1e6, load.wall_s / sink.wall_s, use.ru_maxrss);
    free(body);
    kill(endpoint_pid, SIGKILL);
    waitpid(endpoint_pid, NULL, 0);
    return counted == rows ? 0 : 1;
}
