import java.io.ByteArrayOutputStream;
import io.apicurio.registry.utils.converter.avro.*;
import org.apache.avro.generic.*;
import org.apache.avro.io.*;
import org.apache.kafka.connect.data.*;

/** Nanoseconds a record of Java's AvroData and Avro's generic writer and reader, for the flat record
 * of tests/bench/bench_avro.c. */
public class AvroBench {
    static Schema flat() {
        SchemaBuilder b = SchemaBuilder.struct().name("com.acme.Flat");
        Object[][] fields = {{"id", Schema.INT64_SCHEMA}, {"user", Schema.INT32_SCHEMA}, {"name", Schema.STRING_SCHEMA},
            {"mail", Schema.STRING_SCHEMA}, {"active", Schema.BOOLEAN_SCHEMA}, {"score", Schema.FLOAT64_SCHEMA},
            {"a", Schema.OPTIONAL_STRING_SCHEMA}, {"b", Schema.OPTIONAL_INT64_SCHEMA}, {"created", Schema.INT64_SCHEMA},
            {"updated", Schema.INT64_SCHEMA}, {"city", Schema.STRING_SCHEMA}, {"zip", Schema.INT32_SCHEMA},
            {"lat", Schema.FLOAT64_SCHEMA}, {"lon", Schema.FLOAT64_SCHEMA}, {"note", Schema.OPTIONAL_STRING_SCHEMA},
            {"c", Schema.OPTIONAL_INT64_SCHEMA}, {"kind", Schema.STRING_SCHEMA}, {"version", Schema.INT32_SCHEMA},
            {"deleted", Schema.BOOLEAN_SCHEMA}, {"total", Schema.INT64_SCHEMA}};
        for (Object[] f : fields) b.field((String) f[0], (Schema) f[1]);
        return b.build();
    }

    static final Object[] VALUES = {123456L, 4711, "Maria Example", "maria@example.com", true, 1234.5678, "content-00042", null,
        1785000000123L, 1785000000456L, "Hamburg", 20095, 53.55, 9.99, "a note of some length, as people write", 7L,
        "customer", 3, false, 99900L};

    public static void main(String[] args) throws Exception {
        long ms = args.length > 0 ? Long.parseLong(args[0]) : 1000;
        AvroData data = new AvroData(100);
        Schema schema = flat();
        Struct v = new Struct(schema);
        for (int i = 0; i < VALUES.length; i++) v.put(schema.fields().get(i), VALUES[i]);
        org.apache.avro.Schema avro = data.fromConnectSchema(schema);
        GenericDatumWriter<Object> writer = new GenericDatumWriter<>(avro);
        GenericDatumReader<Object> reader = new GenericDatumReader<>(avro);
        byte[] bytes = null;
        for (int round = 0; round < 2; round++) { /* the first warms up */
            long n = 0, start = System.nanoTime(), end;
            BinaryEncoder e = null;
            do {
                for (int i = 0; i < 200; i++, n++) {
                    ByteArrayOutputStream out = new ByteArrayOutputStream();
                    e = EncoderFactory.get().directBinaryEncoder(out, e);
                    writer.write(data.fromConnectData(schema, v), e);
                    bytes = out.toByteArray();
                }
            } while ((end = System.nanoTime()) - start < ms * 1000000);
            if (round == 1) System.out.printf("java flat write %.1f ns%n", (double) (end - start) / n);
            n = 0;
            start = System.nanoTime();
            BinaryDecoder d = null;
            do {
                for (int i = 0; i < 200; i++, n++) {
                    d = DecoderFactory.get().binaryDecoder(bytes, d);
                    data.toConnectData(avro, reader.read(null, d));
                }
            } while ((end = System.nanoTime()) - start < ms * 1000000);
            if (round == 1) System.out.printf("java flat read %.1f ns%n", (double) (end - start) / n);
        }
    }
}
