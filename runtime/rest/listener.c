/* listener.c - "http://host:port" into a listening socket. Owner: the thread that starts up. */
#include "rest/listener.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

#define BACKLOG 128

/* Host (owned; "" for all addresses), port, and whether it is https. */
static bool parse(const char *url, char **host, char **port, bool *tls, struct sluice_err *err)
{
    *host = *port = NULL;
    *tls = strncasecmp(url, "https://", 8) == 0;
    if (!*tls && strncasecmp(url, "http://", 7) != 0) {
        return sluice_err_set(err,
                              "listener '%s' does not begin with http:// or https://; give "
                              "listeners as http://host:port",
                              url);
    }
    const char *rest = url + (*tls ? 8 : 7), *colon = strrchr(rest, ':');
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    bool ends = colon && (colon[1 + digits] == '\0' || strcmp(colon + 1 + digits, "/") == 0);
    if (!digits || digits > 5 || !ends || strtol(colon + 1, NULL, 10) > 65535) {
        return sluice_err_set(err,
                              "listener %s names no port from 0 to 65535; give listeners as "
                              "http://host:port",
                              url);
    }
    bool brackets = *rest == '[' && colon > rest + 1 && colon[-1] == ']';
    *host = brackets ? sluice_xstrndup(rest + 1, (size_t)(colon - rest) - 2)
                     : sluice_xstrndup(rest, (size_t)(colon - rest));
    *port = sluice_xstrndup(colon + 1, digits);
    return true;
}

static int open_one(const struct addrinfo *ai)
{
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, off = 0;
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (ai->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int real_port(int fd)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0) return 0;
    if (addr.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&addr)->sin6_port);
    return ntohs(((struct sockaddr_in *)&addr)->sin_port);
}

/* How others reach a listener on all addresses. */
static char *machine_name(void)
{
    char name[256];
    if (gethostname(name, sizeof name) != 0 || !name[0]) return sluice_xstrdup("localhost");
    name[sizeof name - 1] = '\0';
    return sluice_xstrdup(name);
}

static bool is_any(const char *host)
{
    return !*host || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

static int open_any(const struct addrinfo *found)
{
    /* an IPv6 socket takes IPv4 too, so it goes first; without IPv6 the other one is there */
    static const int families[] = {AF_INET6, AF_INET};
    for (size_t f = 0; f < 2; f++) {
        for (const struct addrinfo *ai = found; ai; ai = ai->ai_next) {
            if (ai->ai_family != families[f]) continue;
            int fd = open_one(ai);
            if (fd >= 0 || errno == EADDRINUSE || errno == EACCES) return fd;
        }
    }
    return -1;
}

bool sluice_listener_open(const char *text, size_t len, struct sluice_listener *out,
                          struct sluice_err *err)
{
    char *url = sluice_xstrndup(text, len), *host = NULL, *port = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    bool ok = false;
    *out = (struct sluice_listener){.fd = -1};
    if (!parse(url, &host, &port, &out->tls, err)) goto out;
    assert(host && port);
    int failed = getaddrinfo(*host ? host : NULL, port, &hints, &found);
    if (failed) {
        sluice_err_set(err, "listener %s: looking up %s failed: %s", url, host,
                       gai_strerror(failed));
        goto out;
    }
    out->fd = open_any(found);
    if (out->fd < 0) {
        sluice_err_set(err, "listening on %s failed: %s%s", url, strerror(errno),
                       errno == EADDRINUSE ? "; another process has the port, set listeners to "
                                             "another one"
                                           : "");
        goto out;
    }
    out->port = real_port(out->fd);
    out->host = is_any(host) ? machine_name() : sluice_xstrdup(host);
    ok = true;
out:
    if (found) freeaddrinfo(found);
    free(host);
    free(port);
    free(url);
    return ok;
}
