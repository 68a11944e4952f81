/* options.c - every key of the connector's config. Keys of the WePay, Confluent and Aiven sinks
 * keep their names, defaults and meaning; those that came with sluice say so. */
#include "config.h"

#define ROW(key, type, importance, flags, fallback, valid, group, doc)                             \
    {                                                                                              \
        key, SLUICE_OPT_##type, SLUICE_##importance, flags, fallback, valid, group, doc            \
    }
#define IGNORED(key, type, fallback, why)                                                          \
    {                                                                                              \
        key, SLUICE_OPT_##type, SLUICE_LOW, SLUICE_OPT_IGNORED, fallback, NULL, "Other", why       \
    }

const struct sluice_option bq_options[] = {
    /* where to */
    ROW("project", STRING, HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL, NULL, "BigQuery",
        "The Google Cloud project that holds the tables."),
    ROW("defaultDataset", STRING, HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY, NULL, NULL,
        "BigQuery", "The dataset for topics that do not name one as dataset:table."),
    ROW("keyfile", PASSWORD, HIGH, 0, NULL, NULL, "BigQuery",
        "A service account's key: the path of its JSON file, or the JSON itself."),
    ROW("keySource", STRING, MEDIUM, SLUICE_OPT_NOCASE, "FILE", "FILE|JSON|APPLICATION_DEFAULT",
        "BigQuery",
        "Whether keyfile is a path or JSON, or credentials are found as Google's tools find them: "
        "GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, the metadata server."),
    ROW("bigQueryEndpoint", STRING, LOW, 0, NULL, NULL, "BigQuery",
        "Base URL of the API, for emulators and private endpoints; without a keyfile requests "
        "carry "
        "no credentials. Default: what BIGQUERY_EMULATOR_HOST says, else "
        "https://bigquery.googleapis.com. New with sluice."),
    ROW("tokenUri", STRING, LOW, 0, "https://oauth2.googleapis.com/token", NULL, "BigQuery",
        "Where access tokens are asked for. What the key file names is not used. New with sluice."),
    /* names */
    ROW("sanitizeTopics", BOOLEAN, MEDIUM, 0, "false", NULL, "Names",
        "Replace what a table's name cannot hold by underscores."),
    ROW("sanitizeFieldNames", BOOLEAN, MEDIUM, 0, "false", NULL, "Names",
        "Replace what a column's name cannot hold by underscores, nested fields included."),
    ROW("topic2TableMap", STRING, LOW, 0, "", NULL, "Names",
        "Tables of topics, as topic1:table1,topic2:table2. Others go to the table of their name; "
        "sanitizeTopics does not count then."),
    ROW("kafkaDataFieldName", STRING, LOW, SLUICE_OPT_NONEMPTY, NULL, NULL, "Names",
        "Add a record column of this name with topic, partition, offset and insertTime."),
    ROW("kafkaKeyFieldName", STRING, LOW, SLUICE_OPT_NONEMPTY, NULL, NULL, "Names",
        "Add a record column of this name with the fields of the key."),
    /* tables */
    ROW("autoCreateTables", BOOLEAN, HIGH, 0, "true", NULL, "Tables",
        "Create a missing table from the schema of the records."),
    ROW("allowNewBigQueryFields", BOOLEAN, MEDIUM, 0, "false", NULL, "Tables",
        "Add columns that the records have and the table lacks."),
    ROW("allowBigQueryRequiredFieldRelaxation", BOOLEAN, MEDIUM, 0, "false", NULL, "Tables",
        "Turn REQUIRED columns into NULLABLE ones when the records' schema says so."),
    ROW("allowSchemaUnionization", BOOLEAN, MEDIUM, 0, "false", NULL, "Tables",
        "Take columns that only the table or only some records have as NULLABLE. Columns that only "
        "the table has are kept in any case."),
    ROW("allBQFieldsNullable", BOOLEAN, LOW, 0, "false", NULL, "Tables",
        "Make every new column NULLABLE or REPEATED, never REQUIRED."),
    ROW("timePartitioningType", STRING, LOW, SLUICE_OPT_NOCASE, "DAY", "HOUR|DAY|MONTH|YEAR|NONE",
        "Tables", "How tables that are created here are partitioned."),
    ROW("timestampPartitionFieldName", STRING, LOW, SLUICE_OPT_NONEMPTY, NULL, NULL, "Tables",
        "Column by which created tables are partitioned; default: time of arrival."),
    ROW("partitionExpirationMs", LONG, LOW, 0, NULL, "1..", "Tables",
        "Created tables drop partitions of this age."),
    ROW("clusteringPartitionFieldNames", LIST, LOW, 0, NULL, NULL, "Tables",
        "Up to four columns by which created tables are clustered; counts only together with "
        "timestampPartitionFieldName."),
    ROW("bigQueryPartitionDecorator", BOOLEAN, LOW, 0, "true", NULL, "Tables",
        "Write to the partition of the day (table$YYYYMMDD) instead of to the table."),
    ROW("bigQueryMessageTimePartitioning", BOOLEAN, HIGH, 0, "false", NULL, "Tables",
        "Take the day of the partition from the record's timestamp instead of from the clock."),
    /* values */
    ROW("decimalHandlingMode", STRING, LOW, SLUICE_OPT_NOCASE, "FLOAT",
        "RECORD|FLOAT|NUMERIC|BIGNUMERIC", "Values",
        "Type of created columns for Connect decimals. Values are sent as exact decimal text in "
        "all but RECORD, so that an existing NUMERIC column keeps every digit with FLOAT, too; a "
        "column that is created as FLOAT keeps 15 to 17."),
    ROW("variableScaleDecimalHandlingMode", STRING, LOW, SLUICE_OPT_NOCASE, "RECORD",
        "RECORD|FLOAT|NUMERIC|BIGNUMERIC", "Values",
        "The same for Debezium's decimals of variable scale."),
    ROW("convertDoubleSpecialValues", BOOLEAN, LOW, 0, "false", NULL, "Values",
        "Write +Infinity as the largest double, -Infinity and NaN as the smallest positive one, as "
        "the Java sinks do, instead of as BigQuery's own NaN and infinities."),
    ROW("convertDebeziumTimestampToInteger", BOOLEAN, LOW, 0, "false", NULL, "Values",
        "Write io.debezium.time.Timestamp as INTEGER (milliseconds) instead of as TIMESTAMP."),
    ROW("ignoreUnknownFields", BOOLEAN, LOW, 0, "false", NULL, "Values",
        "Have BigQuery leave out fields that the table has no column for."),
    /* writing */
    ROW("threadPoolSize", INT, MEDIUM, 0, "10", "1..1000", "Writing",
        "Requests that a task has under way at the same time."),
    ROW("queueSize", LONG, HIGH, 0, "-1", "-1..", "Writing",
        "Batches that may wait before partitions are paused; -1: only queueBytes counts."),
    ROW("queueBytes", LONG, MEDIUM, 0, "33554432", "65536..", "Writing",
        "Bytes of rows that a task holds before partitions are paused. New with sluice."),
    ROW("maxRowsPerRequest", INT, MEDIUM, 0, "500", "1..50000", "Writing",
        "Rows in a request at most. New with sluice."),
    ROW("maxRequestBytes", INT, MEDIUM, 0, "9437184", "1024..10485760", "Writing",
        "Bytes in a request at most, before compression; a larger row goes alone. New with "
        "sluice."),
    ROW("lingerMs", INT, MEDIUM, 0, "100", "0..60000", "Writing",
        "How long a batch that is not full waits for more rows. New with sluice."),
    ROW("maxInFlightPerPartition", INT, LOW, 0, "1", "1..100", "Writing",
        "Requests under way for one topic partition; with 1 its rows arrive in order. New with "
        "sluice."),
    ROW("requestCompression", STRING, LOW, SLUICE_OPT_NOCASE, "auto", "auto|gzip|none", "Writing",
        "Compress request bodies; auto: over https only. New with sluice."),
    ROW("requestTimeoutMs", INT, LOW, 0, "60000", "100..3600000", "Writing",
        "How long a request may take before it counts as failed. New with sluice."),
    ROW("bigQueryRetry", INT, MEDIUM, 0, "0", "0..", "Retries",
        "Times that a batch is sent again after quota and rate errors and row errors that may "
        "pass; when left out, for as long as an outage (outageMs)."),
    ROW("bigQueryRetryWait", LONG, MEDIUM, 0, "1000", "0..", "Retries",
        "First wait before sending again; it doubles up to 32 s, and up to 1 s of chance is "
        "added."),
    ROW("outageMs", LONG, LOW, 0, "600000", "-1..", "Retries",
        "How long a batch is sent again while BigQuery answers 429, 500, 502, 503 or 504; -1: for "
        "ever. An endpoint that cannot be reached is tried for ever. New with sluice."),
    ROW("tableUpdateWaitMs", LONG, LOW, 0, "1000", "1..300000", "Retries",
        "First wait after a table was created or changed, until rows are sent again; it doubles "
        "up to 30 s for 15 minutes at most. New with sluice."),
    /* refused by validate() when asked for */
    ROW("upsertEnabled", BOOLEAN, LOW, 0, "false", NULL, "Upsert",
        "Merge rows by key. Not supported yet: true is refused."),
    ROW("deleteEnabled", BOOLEAN, LOW, 0, "false", NULL, "Upsert",
        "Delete rows by tombstones. Not supported yet: true is refused."),
    ROW("enableBatchLoad", LIST, LOW, 0, "", NULL, "Batch load",
        "Topics to load through Cloud Storage. Not supported yet: any topic is refused."),
    ROW("useStorageWriteApi", BOOLEAN, LOW, 0, "false", NULL, "Storage Write API",
        "Write through the Storage Write API. Not supported yet: true is refused."),
    ROW("preserveKafkaTopicPartitionOffset", BOOLEAN, LOW, 0, "false", NULL, "Names",
        "Put topic and partition as consumed, before transforms, into kafkaDataFieldName's "
        "column."),
    IGNORED("intermediateTableSuffix", STRING, "tmp", "Belongs to upsertEnabled."),
    IGNORED("mergeIntervalMs", LONG, "60000", "Belongs to upsertEnabled."),
    IGNORED("mergeRecordsThreshold", LONG, "-1", "Belongs to upsertEnabled."),
    IGNORED("gcsBucketName", STRING, "", "Belongs to enableBatchLoad."),
    IGNORED("gcsFolderName", STRING, "", "Belongs to enableBatchLoad."),
    IGNORED("autoCreateBucket", BOOLEAN, "true", "Belongs to enableBatchLoad."),
    IGNORED("batchLoadIntervalSec", INT, "120", "Belongs to enableBatchLoad."),
    IGNORED("enableBatchMode", BOOLEAN, "false", "Belongs to useStorageWriteApi."),
    IGNORED("commitInterval", INT, "60", "Belongs to useStorageWriteApi."),
    IGNORED("max.retries", INT, "10", "The worker tries again for as long as it takes."),
    IGNORED("enableRetries", BOOLEAN, "true", "Retries are always on."),
    IGNORED("avroDataCacheSize", INT, "100", "Plans are kept for every schema in use."),
    IGNORED("schemaRetriever", CLASS, NULL, "The schema comes with each record."),
    IGNORED("runtimeProvider", STRING, NULL, "Only named a user agent."),
    IGNORED("useCredentialsProjectId", BOOLEAN, "false", "Rows are billed to the table's project."),
    IGNORED("mediateConcurrentSchemaUpdates", BOOLEAN, "false",
            "Always so: a table that somebody else changed is read and merged again."),
    IGNORED("concurrentSchemaUpdateRetryWaitMs", INT, "10000", "See tableUpdateWaitMs."),
    IGNORED("concurrentSchemaUpdateMaxRetries", INT, "3", "See tableUpdateWaitMs."),
    IGNORED("trackPutAttempts", BOOLEAN, "false", "Rows carry no putAttemptId."),
    IGNORED("convertDebeziumVariableScaleDecimal", BOOLEAN, "false",
            "Use variableScaleDecimalHandlingMode=FLOAT."),
    {0},
};
