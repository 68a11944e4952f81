/* rest.h - Connect's REST API as route tables. Another module's table goes beside them. */
#ifndef SLUICE_REST_REST_H
#define SLUICE_REST_REST_H

#include "herder/herder.h"
#include "rest/routes.h"

#ifndef SLUICE_COMMIT /* of the build */
#define SLUICE_COMMIT "unknown"
#endif

struct sluice_windows;

/* What the handlers work on; borrowed by the tables. */
struct sluice_rest {
    struct sluice_herder *herder;
    struct sluice_worker *worker;
    int64_t started_ms;             /* wall clock, for metrics */
    struct sluice_windows *windows; /* for metrics; NULL: no rates */
};

extern const struct sluice_route sluice_root_routes[];      /* root.c: / and /health */
extern const struct sluice_route sluice_connector_routes[]; /* connectors.c */
extern const struct sluice_route sluice_plugin_routes[];    /* plugins.c */
extern const struct sluice_route sluice_admin_routes[];     /* admin.c: loggers */
extern const struct sluice_route sluice_metrics_routes[];   /* metrics.c */
extern const struct sluice_route sluice_openapi_routes[];   /* openapi.c */

/* Body as a JSON value, new reference. NULL: answer is the 500 that Connect gives. */
json_t *sluice_body_json(const struct sluice_request *req, struct sluice_answer *answer);
/* Body, or a part of one, as a flat config. False: answer is the 500. */
bool sluice_config_json(const json_t *json, struct sluice_map *config,
                        struct sluice_answer *answer);
/* "true" in any case. */
bool sluice_query_flag(const struct sluice_request *req, const char *name);

#endif
