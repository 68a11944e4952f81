/* down.c - see down.h. */
#include "kafka/down.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

#define SCRAM_MENDED 0x020601ff /* its final message repeated the client's nonce before that */

bool sluice_brokers_down(int code, const char *reason, const char *brokers, bool down, char *text,
                         size_t size)
{
    assert(reason && brokers && text && size > 0);
    bool all = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    bool login = code == RD_KAFKA_RESP_ERR__AUTHENTICATION;
    if (!all && !login && code != RD_KAFKA_RESP_ERR__SSL && code != RD_KAFKA_RESP_ERR__RESOLVE)
        return false;
    if (all && down) return true;
    char hint[160] = "";
    if (login && strstr(reason, "SCRAM") && rd_kafka_version() < SCRAM_MENDED)
        snprintf(
            hint, sizeof hint,
            " (librdkafka %s cannot log in to Kafka 4.0 and later by SCRAM, 2.6.1 and later can)",
            rd_kafka_version_str());
    /* "0/1 brokers are down" of librdkafka 2.15 would not be understood. */
    snprintf(text, size, "kafka brokers at %.100s cannot be reached: %.250s%s; retrying", brokers,
             all ? "all are down" : reason, hint);
    return true;
}
