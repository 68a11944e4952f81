/* signals.h - signals from all channels: the signal table (incremental.c hands its rows over), a
 * file, a Kafka topic.
 *
 * What a signal asks for is part of the stored state (incremental.c) before it is let go of: a
 * message of Kafka is committed when that state is durable. Owner: the task's thread. */
#ifndef CDC_SIGNALS_H
#define CDC_SIGNALS_H

#include <stdint.h>

struct cdc;

struct cdc_signal_mark { /* a message of Kafka: done with when this state is durable */
    uint16_t state;
    int32_t partition;
    int64_t offset;
};

/* Obeys one signal; data may be NULL or "". What is wrong with it is logged, once. */
void cdc_signal(struct cdc *cdc, const char *id, const char *type, const char *data);
/* Looks at file and topic when it is time to; between messages, outside transactions. */
void cdc_signals_poll(struct cdc *cdc);
/* Milliseconds until then, at most most. */
int cdc_signals_wait(const struct cdc *cdc, int most);
/* This state is durable. */
void cdc_signals_acked(struct cdc *cdc, uint16_t state);
void cdc_signals_fini(struct cdc *cdc);

#endif
