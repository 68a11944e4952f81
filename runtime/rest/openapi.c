/* openapi.c - GET /openapi.json: the description of the API, openapi.json of this folder, which the
 * assembler puts into the program as it stands. tests/unit/test_rest_openapi.c holds it against the
 * route tables, tests/e2e/test_rest_openapi.py against answers. */
#include <string.h>

#include "base/mem.h"
#include "rest/rest.h"

__asm__(".pushsection .rodata\n"
        ".global sluice_openapi_text\n"
        ".hidden sluice_openapi_text\n"
        "sluice_openapi_text:\n"
        ".incbin \"" SLUICE_OPENAPI "\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char sluice_openapi_text[];

static void get_openapi(void *arg, const struct sluice_request *req, struct sluice_answer *answer)
{
    (void)arg;
    (void)req;
    sluice_answer_text(answer, 200, "application/json", sluice_xstrdup(sluice_openapi_text));
}

const struct sluice_route sluice_openapi_routes[] = {
    {"GET", "/openapi.json", SLUICE_ROUTE_TEXT, get_openapi},
    {0},
};
