import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.Header;
import io.debezium.engine.format.Json;
import io.debezium.engine.format.KeyValueHeaderChangeEventFormat;
import java.io.FileReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/** Runs Debezium's embedded engine on a properties file; each record is one line of JSON, until
 *  stdin ends. The golden files beside this one were made with it: see tests/e2e/cdc_golden.py. */
public class Oracle {
    static String quote(Object s) {
        return s == null ? "null" : new com.fasterxml.jackson.databind.node.TextNode(s.toString()).toString();
    }

    static void print(PrintStream out, ChangeEvent<String, String> event) {
        List<String> headers = new ArrayList<>();
        if (event.headers() != null) {
            for (Object o : event.headers()) {
                Header<?> header = (Header<?>) o;
                headers.add(quote(header.getKey()) + ":" + header.getValue());
            }
        }
        out.println("{\"topic\":" + quote(event.destination()) + ",\"key\":" + event.key() + ",\"value\":"
                + event.value() + ",\"headers\":{" + String.join(",", headers) + "}}");
    }

    /** Names and types of what Debezium's MBeans have, as JSON. */
    static void beans(String path) throws Exception {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        TreeMap<String, TreeMap<String, String>> beans = new TreeMap<>();
        for (ObjectName name : server.queryNames(new ObjectName("debezium.*:*"), null)) {
            TreeMap<String, String> attributes = new TreeMap<>();
            for (MBeanAttributeInfo info : server.getMBeanInfo(name).getAttributes()) {
                Object type = info.getDescriptor().getFieldValue("originalType");
                attributes.put(info.getName(), type == null ? info.getType() : type.toString());
            }
            beans.put(name.getCanonicalName(), attributes);
        }
        Files.writeString(Path.of(path),
                new com.fasterxml.jackson.databind.ObjectMapper().writerWithDefaultPrettyPrinter()
                        .writeValueAsString(beans) + "\n");
    }

    public static void main(String[] args) throws Exception {
        Properties props = new Properties();
        try (FileReader reader = new FileReader(args[0])) {
            props.load(reader);
        }
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        DebeziumEngine<ChangeEvent<String, String>> engine = DebeziumEngine
                .create(KeyValueHeaderChangeEventFormat.of(Json.class, Json.class, Json.class))
                .using(props)
                .using((DebeziumEngine.CompletionCallback) (ok, message, error) -> {
                    if (!ok) {
                        System.err.println("engine failed: " + message + " " + error);
                        System.exit(3);
                    }
                })
                .notifying((events, committer) -> {
                    for (ChangeEvent<String, String> event : events) {
                        print(out, event);
                        committer.markProcessed(event);
                    }
                    committer.markBatchFinished();
                })
                .build();
        Executors.newSingleThreadExecutor().execute(engine);
        while (System.in.read() >= 0) {
        }
        if (args.length > 1 && args[1].endsWith("mbeans.json")) {
            beans(args[1]);
        }
        engine.close();
        System.exit(0);
    }
}
