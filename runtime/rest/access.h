/* access.h - who may use the API: Connect's basic-auth extension.
 *
 * rest.extension.classes names BasicAuthSecurityRestExtension; the JAAS file that Java would read
 * (the worker property java.security.auth.login.config, or -Djava.security.auth.login.config=... of
 * the environment variable KAFKA_OPTS) has an entry KafkaConnect with PropertyFileLoginModule and
 * its file="..." of lines user=password. All is read once, at the start.
 * Thread: any; constant once made. Passwords are wiped when freed and stand in no log. */
#ifndef SLUICE_REST_ACCESS_H
#define SLUICE_REST_ACCESS_H

#include "base/map.h"
#include "rest/routes.h"
#include "sluice/plugin.h"

struct sluice_access;

/* True: *out may be NULL, everybody may use the API then. False: err says what is not known, not
 * there or not right. */
bool sluice_access_load(const struct sluice_map *props, struct sluice_access **out,
                        struct sluice_err *err);
void sluice_access_free(struct sluice_access *access); /* takes NULL */

/* Whether the header Authorization (NULL: absent) names a user with the right password. Takes the
 * same time for every wrong one. */
bool sluice_access_allows(const struct sluice_access *access, const char *authorization);
/* The two requests between workers, which are signed instead: POST /connectors/{}/tasks and PUT
 * /connectors/{}/fence. */
bool sluice_access_internal(const struct sluice_route *route);

/* One entry of a JAAS configuration: the class of its only login module and that one's options.
 * False: err. *module is owned by the caller. */
bool sluice_jaas_entry(const char *text, const char *entry, char **module,
                       struct sluice_map *options, struct sluice_err *err);

#endif
