/* fake_codes.h - errors of records, for fake_kafka.h, and what kafka/producer.h says of them. */
#ifndef SLUICE_TESTS_FAKE_CODES_H
#define SLUICE_TESTS_FAKE_CODES_H

#include "kafka/producer.h"

#define FAKE_REFUSED 10  /* code of a record that is refused for good */
#define FAKE_LOST (-192) /* one that says nothing of the record */
#define FAKE_AWAY 3      /* the topic is not known for now */

const char *sluice_kafka_error(int code)
{
    return code == FAKE_REFUSED ? "refused" : code == FAKE_AWAY ? "unknown topic" : "lost";
}
bool sluice_kafka_too_large(int code)
{
    (void)code;
    return false;
}
bool sluice_kafka_refused(int code) { return code == FAKE_REFUSED; }
bool sluice_kafka_topic_away(int code, int32_t partition)
{
    return code == FAKE_AWAY && partition < 0;
}

#endif
