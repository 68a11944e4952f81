/* Clients that mean no good, or do not know better: over raw sockets. */
#include "rest_test.h"

#include <errno.h>

#include "base/buf.h"
#include "rest/server.h"

TEST(a_request_that_drips_in_is_cut_off)
{
    struct fixture f;
    setup(&f);
    sluice_server_read_timeout(f.server, 300);
    int slow = dial(&f), whole = dial(&f);
    const char *head = "GET /connectors HTTP/1.1\r\nHost: a\r\nX-A: ";
    say(slow, head, strlen(head));
    char c;
    ssize_t n = 1;
    for (int i = 0; i < 2000 && n != 0; i++) { /* never idle */
        say(slow, "b", 1);
        usleep(5000);
        n = recv(slow, &c, 1, MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN) n = 0;
    }
    CHECK_INT(n, 0);
    close(slow);
    close(whole);
    sluice_server_read_timeout(f.server, LONG_MS);
    CHECK_INT(get(&f, "/connectors"), 200);
    teardown(&f);
}

TEST(a_request_that_waits_is_not_cut_off)
{
    struct fixture f;
    setup(&f);
    fake_gate_shut();
    int fd = put_waiting(&f, "s");
    CHECK(fake_gate_await(1));
    sluice_server_read_timeout(f.server, 10);
    usleep(500000); /* were it to be cut off, it would be by now */
    sluice_server_read_timeout(f.server, LONG_MS);
    fake_gate_open();
    CHECK_INT(took(hear(fd)), 201);
    teardown(&f);
}

TEST(more_connections_than_there_are_places)
{
    struct fixture f;
    setup(&f);
    sluice_server_read_timeout(f.server, 15000); /* a tenth of it when crowded */
    static int fds[SLUICE_CONNECTIONS_MAX + 200];
    int n = (int)(sizeof fds / sizeof *fds);
    for (int i = 0; i < n; i++) {
        fds[i] = dial(&f);
        say(fds[i], "GET /c", 6);
    }
    CHECK_INT(get(&f, "/connectors"), 200); /* once the others have used up their time */
    for (int i = 0; i < n; i++) close(fds[i]);
    CHECK_INT(get(&f, "/connectors"), 200);
    teardown(&f);
}

TEST(lengths_that_are_absurd)
{
    struct fixture f;
    setup(&f);
    sluice_server_read_timeout(f.server, 300); /* of those whose rest never comes */
    static const char *const chunks[] = {"FFFFFFFFFFFFFFFFF\r\n", "fffffffffffffff0\r\n{}",
                                         "-1\r\n{}", "7fffffffffffffff\r\n{}\r\n0\r\n\r\n",
                                         "2;\x01=\r\n{}\r\n0\r\n\r\n"};
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        int fd = dial(&f);
        const char *head = "POST /connectors HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                           "Connection: close\r\n\r\n";
        say(fd, head, strlen(head));
        say(fd, chunks[i], strlen(chunks[i]));
        shutdown(fd, SHUT_WR);
        CHECK(took(hear(fd)) != 201);
    }
    static const char *const lengths[] = {
        "-1",   "18446744073709551616", "99999999999999999999999", "1e9",
        "0x10", "9223372036854775807"};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char head[200];
        snprintf(head, sizeof head,
                 "POST /connectors HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\n\r\n{}",
                 lengths[i]);
        int fd = dial(&f);
        say(fd, head, strlen(head));
        shutdown(fd, SHUT_WR);
        int status = took(hear(fd));
        CHECK(status == 0 || status >= 400);
    }
    char *uri = sluice_xmalloc(70001);
    memset(uri, 'a', 70000);
    uri[0] = '/';
    uri[70000] = '\0';
    int status = get(&f, uri);
    CHECK(status == 0 || status == 414 || status == 431);
    free(uri);
    sluice_server_read_timeout(f.server, LONG_MS);
    CHECK_INT(get(&f, "/connectors"), 200);
    teardown(&f);
}

TEST(half_closed_and_pipelined)
{
    struct fixture f;
    setup(&f);
    int fd = dial(&f);
    struct sluice_buf many;
    sluice_buf_init(&many, SLUICE_BUF_MAX);
    for (int i = 0; i < 200; i++)
        sluice_buf_addf(&many, "GET /connectors?n=%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
    sluice_buf_addf(&many, "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    say(fd, many.data, many.len);
    shutdown(fd, SHUT_WR);
    CHECK_INT(took(hear(fd)), 200);
    int answers = 0;
    for (const char *at = heard; (at = strstr(at, "HTTP/1.1 200 OK")); at++) answers++;
    CHECK_INT(answers, 201);
    CHECK_HAS(heard, "\"status\":\"healthy\"");
    sluice_buf_fini(&many);
    teardown(&f);
}
