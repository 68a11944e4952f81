/* options.c - the option table: Debezium's property names, defaults and meanings.
 *
 * Rows marked IGNORED are accepted because existing configs carry them: they tune a Java machine or
 * have no meaning here. What would change records or lose data if it were ignored, and is not
 * supported, is refused by settings.c with a reason. */
#include "settings.h"

#define BOOL SLUICE_OPT_BOOLEAN
#define STR SLUICE_OPT_STRING
#define INT SLUICE_OPT_INT
#define LONG SLUICE_OPT_LONG
#define LIST SLUICE_OPT_STRING /* kept as text: commas may be escaped in regular expressions */
#define SECRET SLUICE_OPT_PASSWORD
#define REQ (SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY)
#define WORD SLUICE_OPT_NOCASE
#define NOP SLUICE_OPT_IGNORED
#define HIGH SLUICE_HIGH
#define MED SLUICE_MEDIUM
#define LOW SLUICE_LOW

#define CONN "Connection"
#define REPL "Replication"
#define FILT "Filters"
#define TYPE "Types"
#define TOPIC "Topics"
#define SNAP "Snapshot"
#define SIGN "Signals"
#define RUN "Runtime"

/* key, type, importance, flags, default, valid, group, doc */
const struct sluice_option cdc_options[] = {
    {"database.hostname", STR, HIGH, REQ, NULL, NULL, CONN,
     "Host name or address of the Postgres server."},
    {"database.port", INT, HIGH, 0, "5432", "1..65535", CONN, "Port of the Postgres server."},
    {"database.user", STR, HIGH, REQ, NULL, NULL, CONN,
     "Role to connect as; it needs LOGIN and REPLICATION, and SELECT on the captured tables."},
    {"database.password", SECRET, HIGH, 0, NULL, NULL, CONN, "Password of that role."},
    {"database.dbname", STR, HIGH, REQ, NULL, NULL, CONN,
     "Database to capture; a replication slot sees one database."},
    {"database.sslmode", STR, MED, WORD, "prefer",
     "disable|allow|prefer|require|verify-ca|verify-full", CONN,
     "Whether the connection is encrypted, and how the server is checked, as libpq means it."},
    {"database.sslrootcert", STR, MED, 0, NULL, NULL, CONN,
     "File with the certificates (PEM) that the server's certificate is checked against."},
    {"database.sslcert", STR, MED, 0, NULL, NULL, CONN, "File with the client certificate (PEM)."},
    {"database.sslkey", STR, MED, 0, NULL, NULL, CONN,
     "File with the client's private key (PEM, or DER as the Java driver wants it)."},
    {"database.sslpassword", SECRET, MED, 0, NULL, NULL, CONN, "Passphrase of the private key."},
    {"database.sslfactory", STR, LOW, NOP, NULL, NULL, CONN, "A Java class; has no effect here."},
    {"database.tcpKeepAlive", BOOL, MED, 0, "true", NULL, CONN,
     "Whether TCP keepalive probes find out about dead connections."},
    {"database.query.timeout.ms", INT, LOW, 0, "600000", "0..", CONN,
     "Statement timeout of catalog queries in milliseconds; 0 is none."},
    {"connection.validation.timeout.ms", LONG, LOW, 0, "60000", "1..", CONN,
     "Longest time in milliseconds that connecting, and validating a config, may take, and a "
     "question about the slot while streaming: without an answer the connection is made anew."},
    {"database.initial.statements", STR, LOW, 0, NULL, NULL, CONN,
     "SQL statements run on every ordinary connection when it is made; ';' separates, ';;' stands "
     "for a semicolon."},
    {"driver.*", STR, LOW, 0, NULL, NULL, CONN,
     "A setting of the Java driver: connectTimeout, loginTimeout, socketTimeout, tcpKeepAlive, "
     "currentSchema, options, targetServerType, gssEncMode, kerberosServerName, channelBinding, "
     "sslNegotiation and the ssl settings mean what they mean there, names of libpq itself are "
     "taken too; others are warned of once."},
    {"database.*", STR, LOW, 0, NULL, NULL, CONN, "The same as driver.*."},
    {"database.include.list", LIST, LOW, NOP, NULL, NULL, FILT,
     "Has no effect: a connector sees one database."},
    {"database.exclude.list", LIST, LOW, NOP, NULL, NULL, FILT,
     "Has no effect: a connector sees one database."},
    {"connection.factory.class", STR, LOW, NOP, NULL, NULL, CONN,
     "A Java class; has no effect here."},

    {"plugin.name", STR, MED, WORD, "pgoutput", "pgoutput|decoderbufs", REPL,
     "Logical decoding plugin of the server; pgoutput, which is part of Postgres, is supported."},
    {"slot.name", STR, MED, SLUICE_OPT_NONEMPTY, "debezium", NULL, REPL,
     "Replication slot; created when it is missing. One connector, one slot."},
    {"slot.drop.on.stop", BOOL, MED, 0, "false", NULL, REPL,
     "Whether the slot is dropped when the connector stops in order; changes made meanwhile are "
     "then lost."},
    {"slot.failover", BOOL, MED, 0, "false", NULL, REPL,
     "Whether the slot is created as a failover slot (Postgres 17 and later)."},
    {"slot.stream.params", STR, LOW, 0, NULL, NULL, REPL,
     "Further parameters of START_REPLICATION, as key=value;key=value."},
    {"stream.in.progress", STR, LOW, WORD, "off", "off|on|parallel", REPL,
     "Whether the server sends large transactions while they run (Postgres 14 and later; parallel: "
     "16 and later), instead of all at their commit. They are kept in a file until then, and give "
     "the same records. Not an option of Debezium."},
    {"stream.spill.directory", STR, LOW, 0, NULL, NULL, REPL,
     "Directory of these files, which vanish with the process; by default that of the environment "
     "variable TMPDIR, or /tmp. It must hold all transactions that are in progress at once."},
    {"slot.max.retries", INT, LOW, 0, "6", "0..", REPL,
     "How often starting is tried again when the slot is in use by another connection."},
    {"slot.retry.delay.ms", LONG, LOW, 0, "10000", "1..", REPL,
     "Milliseconds between those attempts."},
    {"publication.name", STR, MED, SLUICE_OPT_NONEMPTY, "dbz_publication", NULL, REPL,
     "Publication that selects the tables on the server."},
    {"publication.autocreate.mode", STR, MED, WORD, "all_tables",
     "all_tables|disabled|filtered|no_tables", REPL,
     "What to do when the publication is missing: create it for all tables, for the captured ones "
     "(which also keeps it up to date), for none, or fail."},
    {"publish.via.partition.root", BOOL, MED, 0, "false", NULL, REPL,
     "Whether a publication created here reports changes of partitions as changes of the root."},
    {"replica.identity.autoset.values", STR, LOW, 0, NULL, NULL, REPL,
     "Replica identities that the captured tables are given at every start: regex:DEFAULT, FULL, "
     "NOTHING or INDEX <name>, separated by commas; the regular expressions are of schema.table. "
     "The role must own these tables."},
    {"status.update.interval.ms", INT, MED, 0, "10000", "1..", REPL,
     "Milliseconds between status messages to the server; keep it well below the server's "
     "wal_sender_timeout."},
    {"flush.lsn.source", BOOL, MED, 0, "true", NULL, REPL,
     "Older form of lsn.flush.mode: false means manual."},
    {"lsn.flush.mode", STR, MED, WORD, "connector", "connector|manual|connector_and_driver", REPL,
     "Who tells Postgres what it may forget: the connector, or (manual) somebody else."},
    {"lsn.flush.timeout.ms", LONG, LOW, 0, "30000", "1..", REPL,
     "Longest time in milliseconds that the connection may refuse to take a confirmation."},
    {"lsn.flush.timeout.action", STR, LOW, WORD, "fail", "fail|warn|ignore", REPL,
     "What happens then: the connection is given up and made anew, a warning, or nothing."},
    {"offset.mismatch.strategy", STR, LOW, WORD, "no_validation",
     "no_validation|trust_offset|trust_slot|trust_greater_lsn", REPL,
     "What holds when slot and stored offset disagree. no_validation and trust_offset fail when "
     "the slot is ahead, as changes would be lost; the others go on from there. trust_offset and "
     "trust_greater_lsn move a slot that is behind at once; with trust_slot an offset that the "
     "server has not reached (it was restored, or is another) is given up for the slot's."},
    {"internal.slot.seek.to.known.offset.on.start", BOOL, LOW, 0, "false", NULL, REPL,
     "Older form of offset.mismatch.strategy, which wins: true means trust_offset."},
    {"internal.create.slot.command.timeout", LONG, LOW, 0, "90", "1..", REPL,
     "Longest time in seconds that creating the slot may take; it waits for the transactions that "
     "are open, and is then tried again."},
    {"internal.offset.activity.monitor.interval.ms", LONG, LOW, NOP, "600000", NULL, REPL,
     "Has no effect: the slot is looked at every ten seconds."},
    {"internal.log.position.check.enable", BOOL, LOW, NOP, "true", NULL, REPL,
     "Has no effect: the position is always checked."},
    {"slot.wal.warn.bytes", LONG, LOW, 0, "4294967296", "0..", REPL,
     "Bytes of WAL that the server keeps for the slot from which on that is warned of, and again "
     "each time that they have doubled; 0: never. Not an option of Debezium."},
    {"xmin.fetch.interval.ms", LONG, LOW, 0, "0", "0..", REPL,
     "Milliseconds between looks at the slot's xmin, which the records then carry; 0: never."},
    {"read.only", BOOL, LOW, 0, "false", NULL, SIGN,
     "Incremental snapshots without writing marks into the signal table: what a chunk may have "
     "missed is told from the server's snapshots and WAL positions (Postgres 13 and later)."},

    {"schema.include.list", LIST, HIGH, 0, NULL, NULL, FILT,
     "Regular expressions of the schemas to capture; excludes schema.exclude.list."},
    {"schema.exclude.list", LIST, HIGH, 0, NULL, NULL, FILT,
     "Regular expressions of the schemas not to capture."},
    {"table.include.list", LIST, HIGH, 0, NULL, NULL, FILT,
     "Regular expressions of the tables (schema.table) to capture; excludes table.exclude.list."},
    {"table.exclude.list", LIST, HIGH, 0, NULL, NULL, FILT,
     "Regular expressions of the tables (schema.table) not to capture."},
    {"column.include.list", LIST, MED, 0, NULL, NULL, FILT,
     "Regular expressions of the columns (schema.table.column) in a record's value."},
    {"column.exclude.list", LIST, MED, 0, NULL, NULL, FILT,
     "Regular expressions of the columns (schema.table.column) left out of a record's value."},
    {"table.ignore.builtin", BOOL, LOW, 0, "true", NULL, FILT,
     "Whether the tables of Postgres itself are never captured."},
    {"message.key.columns", STR, MED, 0, NULL, NULL, FILT,
     "Record keys other than the primary key: regex:column,column;regex:column."},
    {"skipped.operations", STR, LOW, 0, "t", NULL, FILT,
     "Operations that give no records: any of c, u, d, t, separated by commas, or none. When "
     "given, a publication that is created leaves them out too. r is taken as well, and has no "
     "effect, nor has it with Debezium."},
    {"tombstones.on.delete", BOOL, MED, 0, "true", NULL, FILT,
     "Whether a delete is followed by a record with the same key and a null value, which lets "
     "compaction remove the key."},
    {"skip.messages.without.change", BOOL, MED, 0, "false", NULL, FILT,
     "Whether updates that change no captured column are left out; needs REPLICA IDENTITY FULL."},
    {"column.mask.with.*.chars", LIST, MED, 0, NULL, NULL, FILT,
     "Regular expressions of the character columns (schema.table.column) whose values become so "
     "many asterisks. Keys are not masked."},
    {"column.mask.hash.*", LIST, MED, 0, NULL, NULL, FILT,
     "column.mask.hash.<algorithm>.with.salt.<salt>, or hash.v2 in place of hash: regular "
     "expressions of the character columns whose values are replaced by their salted hash, cut to "
     "the column's length; v2 hashes the plain text, the older form Java's serialization of it."},
    {"column.mask.*", LIST, LOW, 0, NULL, NULL, FILT,
     "Any other form is refused, because values would leak."},
    {"column.truncate.to.*.chars", LIST, MED, 0, NULL, NULL, FILT,
     "Regular expressions of the columns (schema.table.column) whose texts and bytes are cut to so "
     "many characters."},
    {"column.truncate.*", LIST, LOW, 0, NULL, NULL, FILT,
     "Any other form is refused, because values would leak."},
    {"column.propagate.source.type", LIST, LOW, 0, NULL, NULL, FILT,
     "Regular expressions of the columns (schema.table.column) whose schema tells type, length, "
     "scale and name in Postgres as parameters __debezium.source.column.*."},
    {"datatype.propagate.source.type", LIST, LOW, 0, NULL, NULL, FILT,
     "The same by type: regular expressions of schema.table.TYPE."},
    {"include.schema.changes", BOOL, LOW, NOP, "true", NULL, FILT,
     "Has no effect: this connector has no topic of schema changes, nor has Debezium's."},
    {"include.schema.comments", BOOL, LOW, NOP, "false", NULL, FILT,
     "Has no effect on records of this connector, nor has it in Debezium's."},
    {"message.prefix.include.list", LIST, MED, 0, NULL, NULL, FILT,
     "Regular expressions of the prefixes of logical messages to capture."},
    {"message.prefix.exclude.list", LIST, MED, 0, NULL, NULL, FILT,
     "Regular expressions of the prefixes of logical messages not to capture."},

    {"decimal.handling.mode", STR, MED, WORD, "precise", "precise|string|double", TYPE,
     "How numeric values are written: exactly (Decimal), as text, or as floating point."},
    {"time.precision.mode", STR, MED, WORD, "adaptive",
     "adaptive|adaptive_time_microseconds|connect|isostring|microseconds|nanoseconds", TYPE,
     "How dates and times are written: by the column's precision, or in one fixed form."},
    {"hstore.handling.mode", STR, LOW, WORD, "json", "json|map", TYPE,
     "Whether hstore values are JSON texts or maps."},
    {"interval.handling.mode", STR, LOW, WORD, "numeric", "numeric|string", TYPE,
     "Whether intervals are microseconds (a month counting 30.4375 days) or ISO 8601 texts."},
    {"binary.handling.mode", STR, MED, WORD, "bytes", "bytes|base64|base64-url-safe|hex", TYPE,
     "How bytea values are written."},
    {"money.fraction.digits", INT, LOW, 0, "2", "0..18", TYPE,
     "Digits after the decimal point of money values; depends on the server's lc_monetary."},
    {"include.unknown.datatypes", BOOL, MED, 0, "false", NULL, TYPE,
     "Whether columns of types without a mapping are written as the bytes of their text, instead "
     "of being left out."},
    {"unavailable.value.placeholder", STR, MED, 0, "__debezium_unavailable_value", NULL, TYPE,
     "What stands for an unchanged large value that Postgres did not send; hex: gives bytes."},
    {"schema.refresh.mode", STR, LOW, NOP, "columns_diff",
     "columns_diff|columns_diff_exclude_unchanged_toast", TYPE,
     "Has no effect with pgoutput: the server announces each change of a table."},
    {"schema.name.adjustment.mode", STR, LOW, WORD, "none", "none|avro|avro_unicode", TYPE,
     "How schema names are made fit for Avro: not at all, with _ for what is not allowed, or with "
     "_uXXXX."},
    {"field.name.adjustment.mode", STR, LOW, WORD, "none", "none|avro|avro_unicode", TYPE,
     "The same for the names of fields, that is of columns."},
    {"event.converting.failure.handling.mode", STR, LOW, WORD, "warn", "warn|fail|skip", TYPE,
     "What happens to a value that cannot be converted: null and a warning, the task fails, or "
     "null."},
    {"event.processing.failure.handling.mode", STR, LOW, WORD, "fail", "fail|warn|skip|ignore",
     TYPE,
     "What happens to a change that gives no record, as a value of it cannot be converted (with "
     "event.converting.failure.handling.mode=fail) or its old row is missing: the task fails, the "
     "change is left out with a warning, or silently."},
    {"converters", LIST, LOW, 0, NULL, NULL, TYPE,
     "Custom converters are Java classes, and are refused; transforms do here what they do."},
    {"post.processors", LIST, LOW, 0, NULL, NULL, TYPE,
     "Names of the post processors, whose options stand under post.processors.<name>, or under "
     "<name> alone. There is one class, which reads columns of streamed rows again."},
    {"post.processors.*.type", STR, LOW, 0, NULL, NULL, TYPE,
     "Its class: io.debezium.processors.reselect.ReselectColumnsPostProcessor; others are "
     "refused."},
    {"*.reselect.columns.include.list", LIST, LOW, 0, NULL, NULL, TYPE,
     "Regular expressions of the columns (schema.table:column) that are read again; without it "
     "and the next, all."},
    {"*.reselect.columns.exclude.list", LIST, LOW, 0, NULL, NULL, TYPE,
     "Regular expressions of the columns (schema.table:column) that are not; has no effect beside "
     "an include list."},
    {"*.reselect.unavailable.values", BOOL, LOW, 0, "true", NULL, TYPE,
     "Whether unchanged large values that Postgres did not send are read again."},
    {"*.reselect.null.values", BOOL, LOW, 0, "true", NULL, TYPE,
     "Whether columns that are null are read again."},
    {"*.reselect.use.event.key", BOOL, LOW, 0, "false", NULL, TYPE,
     "Whether the row is looked for by the record's key (message.key.columns) instead of the "
     "table's primary key or unique index."},
    {"*.reselect.error.handling.mode", STR, LOW, WORD, "warn", "warn|fail|skip", TYPE,
     "What happens when the row is gone or the query fails: the record stays as it came, with a "
     "warning or (skip) without, or the task fails."},

    {"topic.prefix", STR, HIGH, REQ, NULL, NULL, TOPIC,
     "Name of this server: first part of all topics and schema names, and the key of the stored "
     "offsets. Must never change."},
    {"topic.naming.strategy", STR, MED, 0, "io.debezium.schema.SchemaTopicNamingStrategy", NULL,
     TOPIC,
     "How topics are named: io.debezium.schema. and SchemaTopicNamingStrategy, "
     "DefaultTopicNamingStrategy, SchemaRegexTopicNamingStrategy, DefaultRegexTopicNamingStrategy, "
     "SchemaUnicodeTopicNamingStrategy or DefaultUnicodeTopicNamingStrategy; those with Regex need "
     "topic.regex and topic.replacement."},
    {"topic.regex", STR, LOW, 0, NULL, NULL, TOPIC,
     "With a regex strategy: Java regular expression of whole topic names."},
    {"topic.replacement", STR, LOW, 0, NULL, NULL, TOPIC,
     "With a regex strategy: the name of the topic of those that match; $1, ${name} are groups."},
    {"topic.key.enforce.uniqueness", BOOL, LOW, 0, "true", NULL, TOPIC,
     "With a regex strategy: whether keys get a field that tells the table, as several tables may "
     "share a topic."},
    {"topic.key.field.name", STR, LOW, SLUICE_OPT_NONEMPTY, "__dbz__physicalTableIdentifier", NULL,
     TOPIC, "With a regex strategy: the name of that field."},
    {"topic.key.field.regex", STR, LOW, 0, NULL, NULL, TOPIC,
     "With a regex strategy: Java regular expression of the names that the field would hold (the "
     "topic that the default strategy gives)."},
    {"topic.key.field.replacement", STR, LOW, 0, NULL, NULL, TOPIC,
     "With a regex strategy: what the field holds in place of those that match."},
    {"topic.delimiter", STR, LOW, SLUICE_OPT_NONEMPTY, ".", NULL, TOPIC,
     "What stands between the parts of a topic's name."},
    {"topic.heartbeat.prefix", STR, LOW, SLUICE_OPT_NONEMPTY, "__debezium-heartbeat", NULL, TOPIC,
     "First part of the heartbeat topic's name."},
    {"topic.heartbeat.name", STR, LOW, 0, NULL, NULL, TOPIC,
     "The heartbeat topic's whole name, in place of prefix and topic.prefix."},
    {"heartbeat.topics.prefix", STR, LOW, 0, "__debezium-heartbeat", NULL, TOPIC,
     "Older form of topic.heartbeat.prefix, which wins."},
    {"topic.transaction", STR, LOW, SLUICE_OPT_NONEMPTY, "transaction", NULL, TOPIC,
     "Last part of the name of the topic of transaction metadata, after topic.prefix."},
    {"topic.cache.size", INT, LOW, NOP, "10000", NULL, TOPIC, "Has no effect here."},
    {"transaction.metadata.factory", STR, LOW, NOP,
     "io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory", NULL, TOPIC,
     "A Java class; has no effect here."},
    {"sourceinfo.struct.maker", STR, LOW, NOP,
     "io.debezium.connector.postgresql.PostgresSourceInfoStructMaker", NULL, TOPIC,
     "A Java class; has no effect here."},
    {"heartbeat.interval.ms", INT, MED, 0, "0", "0..", TOPIC,
     "Milliseconds between heartbeat records; 0 sends none. They are not needed to let Postgres "
     "remove old WAL."},
    {"heartbeat.action.query", STR, LOW, 0, NULL, NULL, TOPIC,
     "SQL statement run with each heartbeat."},
    {"provide.transaction.metadata", BOOL, MED, 0, "false", NULL, TOPIC,
     "Whether the beginnings and ends of transactions, with counts, go to a topic of their own, "
     "and records tell their place in their transaction."},
    {"extended.headers.enabled", BOOL, LOW, 0, "true", NULL, TOPIC,
     "Whether records carry headers that name connector, task and run."},

    {"snapshot.mode", STR, MED, WORD, "initial",
     "initial|initial_only|always|no_data|never|schema_only|when_needed|configuration_based|custom",
     SNAP,
     "When the tables' content is read: at the first start, at that and nothing more, at every "
     "start, never (no_data), or whenever the offset is of no use any more."},
    {"snapshot.isolation.mode", STR, LOW, WORD, "serializable",
     "serializable|repeatable_read|read_committed|read_uncommitted", SNAP,
     "Isolation of a snapshot that does not come with a new slot."},
    {"snapshot.locking.mode", STR, LOW, WORD, "none", "none|shared|custom", SNAP,
     "Whether tables are locked against changes of their shape during the snapshot."},
    {"snapshot.lock.timeout.ms", LONG, LOW, 0, "10000", "0..", SNAP,
     "Longest time in milliseconds to wait for these locks."},
    {"snapshot.include.collection.list", LIST, MED, 0, NULL, NULL, SNAP,
     "Regular expressions of the captured tables (schema.table) that the snapshot reads."},
    {"snapshot.select.statement.overrides", LIST, MED, 0, NULL, NULL, SNAP,
     "Tables (schema.table) that the snapshot reads by statements of their own."},
    {"snapshot.select.statement.overrides.*", STR, MED, 0, NULL, NULL, SNAP,
     "The SELECT statement for one of these tables."},
    {"snapshot.fetch.size", INT, LOW, NOP, "10240", NULL, SNAP,
     "Has no effect: COPY streams rows."},
    {"snapshot.max.threads", INT, MED, 0, "1", "1..64", SNAP,
     "Connections that read a table at once, each a range of its pages (Postgres 14 and later), "
     "all on the same snapshot. With more than one, a table's rows come in no particular order."},
    {"snapshot.max.threads.multiplier", INT, LOW, NOP, "1", NULL, SNAP,
     "Has no effect: ranges are made by size."},
    {"legacy.snapshot.max.threads", BOOL, LOW, NOP, "false", NULL, SNAP,
     "Has no effect: tables come one after the other, whole tables are never read side by side."},
    {"snapshot.delay.ms", LONG, LOW, 0, "0", "0..", SNAP,
     "Milliseconds to wait before the snapshot begins."},
    {"streaming.delay.ms", LONG, LOW, 0, "0", "0..", SNAP,
     "Milliseconds to wait between snapshot and streaming."},
    {"snapshot.tables.order.by.row.count", STR, LOW, WORD, "disabled",
     "disabled|ascending|descending", SNAP,
     "Whether the snapshot reads small tables first, or large ones, by the server's estimate of "
     "their rows; else tables come in the configured order."},
    {"snapshot.mode.configuration.based.snapshot.data", BOOL, LOW, 0, "false", NULL, SNAP,
     "With snapshot.mode=configuration_based: whether the tables' content is read at every start."},
    {"snapshot.mode.configuration.based.snapshot.schema", BOOL, LOW, NOP, "false", NULL, SNAP,
     "Has no effect: tables are looked up when they come."},
    {"snapshot.mode.configuration.based.start.stream", BOOL, LOW, 0, "false", NULL, SNAP,
     "With snapshot.mode=configuration_based: whether changes are streamed."},
    {"snapshot.mode.configuration.based.snapshot.on.schema.error", BOOL, LOW, NOP, "false", NULL,
     SNAP, "Has no effect: there is no history of schemas that could be lost."},
    {"snapshot.mode.configuration.based.snapshot.on.data.error", BOOL, LOW, 0, "false", NULL, SNAP,
     "With snapshot.mode=configuration_based: whether an offset that is of no use any more, as its "
     "slot is gone, is given up instead of failing."},
    {"snapshot.query.mode", STR, LOW, WORD, "select_all", "select_all|custom", SNAP,
     "Which rows the snapshot reads: select_all; custom is a Java class, and is refused."},
    {"snapshot.mode.custom.name", STR, LOW, NOP, NULL, NULL, SNAP,
     "Names a Java class; has no effect here."},
    {"snapshot.locking.mode.custom.name", STR, LOW, NOP, NULL, NULL, SNAP,
     "Names a Java class; has no effect here."},
    {"snapshot.query.mode.custom.name", STR, LOW, NOP, NULL, NULL, SNAP,
     "Names a Java class; has no effect here."},
    {"snapshot.read.*", STR, LOW, NOP, NULL, NULL, SNAP, "Has no effect here."},
    {"internal.snapshot.scan.all.columns.force", BOOL, LOW, NOP, "false", NULL, SNAP,
     "Has no effect: columns are looked up table by table."},

    {"signal.data.collection", STR, MED, 0, NULL, NULL, SIGN,
     "Table (schema.table) whose new rows (id, type, data) are signals: execute-snapshot "
     "(incremental or blocking), stop-snapshot, pause-snapshot, resume-snapshot, log. It must be "
     "in the publication, and be writable for incremental snapshots unless read.only is true."},
    {"signal.enabled.channels", SLUICE_OPT_LIST, MED, 0, "source", NULL, SIGN,
     "Where signals come from: source (the signal table), kafka, file. jmx has no effect."},
    {"signal.poll.interval.ms", LONG, LOW, 0, "5000", "1..", SIGN,
     "Milliseconds between looks at signal.file; signals of the other channels come at once."},
    {"signal.file", STR, LOW, 0, "file-signals.txt", NULL, SIGN,
     "File of signals, one JSON object (id, type, data) per line; it is emptied when it was read."},
    {"signal.kafka.topic", STR, LOW, 0, NULL, NULL, SIGN,
     "Topic of signals, of one partition; default is topic.prefix with -signal. Key: topic.prefix; "
     "value: a JSON object with type, data, and, if wanted, id."},
    {"signal.kafka.bootstrap.servers", STR, LOW, 0, NULL, NULL, SIGN,
     "Kafka brokers of that topic; without it, those of the worker, with its consumer settings."},
    {"signal.kafka.groupId", STR, LOW, SLUICE_OPT_NONEMPTY, "kafka-signal", NULL, SIGN,
     "Consumer group that reads it. Connectors that share a topic need groups of their own."},
    {"signal.kafka.poll.timeout.ms", INT, LOW, NOP, "0", NULL, SIGN,
     "Has no effect: messages are never waited for."},
    {"signal.consumer.*", STR, LOW, 0, NULL, NULL, SIGN, "Further settings of that consumer."},
    {"incremental.snapshot.chunk.size", INT, MED, 0, "1024", "1..1000000", SIGN,
     "Rows that an incremental snapshot reads at once; they are held in memory."},
    {"incremental.snapshot.watermarking.strategy", STR, LOW, WORD, "insert_insert",
     "insert_insert|insert_delete", SIGN,
     "How the end of a chunk is marked in the signal table: by a second row, or by deleting the "
     "first."},
    {"incremental.snapshot.allow.schema.changes", BOOL, LOW, NOP, "false", NULL, SIGN,
     "Has no effect: a table may change its shape amid an incremental snapshot."},
    {"signal.emit.failure.*", STR, LOW, NOP, NULL, NULL, SIGN,
     "Has no effect: what cannot be written is tried again until it can."},
    {"notification.enabled.channels", SLUICE_OPT_LIST, LOW, 0, NULL, NULL, SIGN,
     "Where it is told what becomes of snapshots: sink (a topic), log. jmx has no effect."},
    {"notification.sink.topic.name", STR, LOW, 0, NULL, NULL, SIGN,
     "Topic of notifications; needed with the channel sink."},

    {"max.batch.size", INT, MED, NOP, "2048", NULL, RUN,
     "Has no effect: the runtime bounds what is in flight."},
    {"max.queue.size", INT, MED, NOP, "8192", NULL, RUN,
     "Has no effect: the runtime bounds what is in flight."},
    {"max.queue.size.in.bytes", LONG, LOW, NOP, "0", NULL, RUN,
     "Has no effect: the runtime bounds what is in flight."},
    {"poll.interval.ms", LONG, LOW, NOP, "500", NULL, RUN,
     "Has no effect: changes are sent on at once."},
    {"poll.dispatch.interval.ms", LONG, LOW, NOP, "0", NULL, RUN,
     "Has no effect: changes are sent on at once."},
    {"queue.provider.type", STR, LOW, NOP, "memory", NULL, RUN,
     "Has no effect: the runtime bounds what is in flight."},
    {"query.fetch.size", INT, LOW, NOP, "0", NULL, RUN, "Has no effect here."},
    {"errors.max.retries", INT, MED, 0, "-1", "-1..", RUN,
     "How often in a row connecting is tried again after network trouble; -1 is without end."},
    {"retriable.restart.connector.wait.ms", LONG, LOW, 0, "10000", "0..", RUN,
     "Longest time in milliseconds between two attempts to connect."},
    {"custom.retriable.exception", STR, LOW, 0, NULL, NULL, RUN,
     "Java regular expression of whole error messages after which starting is tried again, where "
     "the task would else fail."},
    {"internal.custom.retriable.exception", STR, LOW, 0, NULL, NULL, RUN,
     "The name that Debezium gives it."},
    {"guardrail.collections.max", INT, LOW, 0, "0", "0..", RUN,
     "How many tables may be captured; 0 is no limit."},
    {"guardrail.collections.limit.action", STR, LOW, WORD, "warn", "warn|fail", RUN,
     "What happens when there are more: a warning, or the task fails."},
    {"executor.shutdown.timeout.ms", LONG, LOW, NOP, "4000", NULL, RUN,
     "Has no effect: there are no Java threads to wait for."},
    {"statistics.metrics.enabled", BOOL, LOW, NOP, "true", NULL, RUN,
     "Has no effect: the metrics are always there."},
    {"internal.advanced.metrics.enable", BOOL, LOW, NOP, "false", NULL, RUN, "Has no effect here."},
    {"custom.sanitize.pattern", STR, LOW, NOP, NULL, NULL, RUN,
     "Has no effect: configs are not logged, and passwords are hidden wherever they stand."},
    {"memory.management.*", STR, LOW, NOP, NULL, NULL, RUN, "Java classes; no effect here."},
    {"openlineage.integration.*", STR, LOW, NOP, NULL, NULL, RUN,
     "Has no effect: lineage is not told of."},
    {"custom.metric.tags", SLUICE_OPT_LIST, LOW, 0, NULL, NULL, RUN,
     "Further labels of the connector's metrics: name=value,name=value."},
    {NULL, 0, 0, 0, NULL, NULL, NULL, NULL},
};
