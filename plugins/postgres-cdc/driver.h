/* driver.h - settings of the Java driver (database.* and driver.*), as far as libpq has them.
 *
 * Debezium hands these keys on to pgjdbc. Here each becomes the parameter of libpq that means the
 * same; a name that libpq itself knows is taken as it is; what is left over has no effect, and is
 * told of once. */
#ifndef CDC_DRIVER_H
#define CDC_DRIVER_H

#include "util.h"

struct cdc_settings;

struct cdc_driver {
    struct sluice_label *params; /* of libpq, in place of the connector's own; owned */
    size_t params_n;
    const char *options; /* "-c name=value ..." of the session; NULL: none */
    const char *ignored; /* keys without an effect, "a, b"; NULL: none */
};

/* Fills settings->driver, and connect_timeout_ms and tcp_keepalive where they are given. Strings
 * live in the settings' pool. False: complain was called. */
bool cdc_driver_read(struct cdc_settings *settings, const struct sluice_host *host,
                     const struct sluice_conf *conf, cdc_complain *complain, void *arg);
void cdc_driver_fini(struct cdc_driver *driver);

#endif
