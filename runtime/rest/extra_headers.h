/* extra_headers.h - headers that operators want on every answer (response.http.headers.config), and
 * those that let browsers use the API (access.control.allow.*, CORS).
 * Thread: any; constant once made. */
#ifndef SLUICE_REST_EXTRA_HEADERS_H
#define SLUICE_REST_EXTRA_HEADERS_H

#include "base/map.h"
#include "rest/routes.h"
#include "sluice/plugin.h"

struct sluice_extra_headers;

/* NULL: err says what is wrong with the properties. */
struct sluice_extra_headers *sluice_extra_headers_new(const struct sluice_map *props,
                                                      struct sluice_err *err);
void sluice_extra_headers_free(struct sluice_extra_headers *extra); /* takes NULL */

/* set: whether it replaces a header of the same name, instead of standing beside it. */
typedef void sluice_header_add(void *to, bool set, const char *name, const char *value);
/* Calls add() for every header that this request's answer gets. */
void sluice_extra_headers_each(const struct sluice_extra_headers *extra,
                               const struct sluice_request *req, sluice_header_add *add, void *to);

#endif
