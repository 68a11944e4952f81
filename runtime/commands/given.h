/* given.h - connectors of the command line. */
#ifndef SLUICE_COMMANDS_GIVEN_H
#define SLUICE_COMMANDS_GIVEN_H

#include <stdbool.h>

#include "herder/herder.h"

/* Creates the connector of a file: properties with a name, a flat JSON object with a name, or a
 * create request. False: err names the file. */
bool sluice_given_create(struct sluice_herder *herder, const char *path, struct sluice_err *err);

#endif
