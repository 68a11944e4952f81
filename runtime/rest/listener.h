/* listener.h - a listening socket from a URL of the listeners property. */
#ifndef SLUICE_REST_LISTENER_H
#define SLUICE_REST_LISTENER_H

#include <stdbool.h>

#include "sluice/plugin.h"

struct sluice_listener {
    int fd;
    char *host; /* as others reach it: the URL's, or the machine's name for all addresses */
    int port;   /* the real one */
    bool tls;   /* https:// */
};

/* url of len bytes. False: err says what is wrong with it, or what the system said. */
bool sluice_listener_open(const char *url, size_t len, struct sluice_listener *out,
                          struct sluice_err *err);

#endif
