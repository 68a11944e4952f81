/* down.h - the sentence about brokers that cannot be reached, as every client's error callback
 * tells it. Any thread. */
#ifndef SLUICE_KAFKA_DOWN_H
#define SLUICE_KAFKA_DOWN_H

#include <stdbool.h>
#include <stddef.h>

/* code, reason: of librdkafka's error callback. False: they say nothing of the brokers, text stays.
 * down: text holds such a sentence already; what "all brokers are down" tells is less than that,
 * and leaves it. */
bool sluice_brokers_down(int code, const char *reason, const char *brokers, bool down, char *text,
                         size_t size);

#endif
