/* answer.h - what a request gets back: Connect's status codes, messages and JSON, without HTTP.
 *
 * A herder fills it in and knows nothing of sockets; the REST server turns it into a response. It
 * starts zeroed, is filled once, and is owned by whoever asked. */
#ifndef SLUICE_HERDER_ANSWER_H
#define SLUICE_HERDER_ANSWER_H

#include <jansson.h>
#include <stdbool.h>

struct sluice_answer {
    int status;        /* HTTP status; an error's body is {"error_code","message"} */
    json_t *body;      /* owned; NULL: text, or no body */
    char *text;        /* owned; a body that is not JSON */
    const char *type;  /* media type of text */
    char *created;     /* owned; a connector's name: Location says where it is */
    char *forward;     /* owned; base URL of the worker that must be asked instead */
    bool unmatched;    /* an error before any resource was found: Connect names no Content-Type */
    const char *allow; /* OPTIONS and 405: the methods; constant, or owned by the request */
};

/* Takes the reference to body, which may be NULL. */
void sluice_answer_json(struct sluice_answer *answer, int status, json_t *body);
/* {"error_code":status,"message":...}; text that is not UTF-8 is cut where it breaks. */
void sluice_answer_error(struct sluice_answer *answer, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes the text. */
void sluice_answer_text(struct sluice_answer *answer, int status, const char *type, char *text);
void sluice_answer_fini(struct sluice_answer *answer); /* leaves it zeroed */

/* A JSON string of a text that may hold anything: bytes that are not UTF-8 become '?'. */
json_t *sluice_json_safe(const char *text);

#endif
