import io.confluent.avro.random.generator.Generator;
import java.io.File; import java.util.*; import org.apache.avro.generic.*; import org.apache.avro.Schema;
public class ArgOracle { public static void main(String[] a) throws Exception {
  Schema schema = new Schema.Parser().parse(new File(a[0])); long seed = Long.parseLong(a[1]); int n = Integer.parseInt(a[2]);
  Random r = new Random(); r.setSeed(seed);
  Generator g = new Generator.Builder().random(r).generation(0).schema(schema).build();
  for (int i = 0; i < n; i++) { GenericRecord rec = (GenericRecord) g.generate(); StringBuilder b = new StringBuilder(); show(b, rec); System.out.println(b); r.setSeed(r.nextLong()); } }
  static void str(StringBuilder b, String s) { b.append('"'); for (char c : s.toCharArray()) if (c < 32 || c == '"' || c == '\\' || c >= 127) b.append(String.format("\\u%04x", (int) c)); else b.append(c); b.append('"'); }
  static void show(StringBuilder b, Object o) {
    if (o instanceof GenericRecord) { GenericRecord r = (GenericRecord) o; b.append('{'); String sep = ""; for (Schema.Field f : r.getSchema().getFields()) { b.append(sep); sep = ","; b.append('"').append(f.name()).append("\":"); show(b, r.get(f.name())); } b.append('}'); }
    else if (o instanceof Map) { b.append('{'); String sep = ""; for (Map.Entry<?,?> e : new TreeMap<Object,Object>((Map<?,?>) o).entrySet()) { b.append(sep); sep = ","; str(b, e.getKey().toString()); b.append(':'); show(b, e.getValue()); } b.append('}'); }
    else if (o instanceof Collection) { b.append('['); String sep = ""; for (Object e : (Collection<?>) o) { b.append(sep); sep = ","; show(b, e); } b.append(']'); }
    else if (o instanceof java.nio.ByteBuffer) { b.append("\"hex:"); for (byte x : ((java.nio.ByteBuffer) o).array()) b.append(String.format("%02x", x)); b.append('"'); }
    else if (o instanceof GenericFixed) { b.append("\"hex:"); for (byte x : ((GenericFixed) o).bytes()) b.append(String.format("%02x", x)); b.append('"'); }
    else if (o instanceof CharSequence || o instanceof GenericEnumSymbol) str(b, o.toString());
    else if (o instanceof Double) b.append(String.format("%016x", Double.doubleToLongBits((Double) o)));
    else if (o instanceof Float) b.append(String.format("%016x", Double.doubleToLongBits(((Float) o).doubleValue())));
    else b.append(o); } }
