import java.util.*;

/** d|f, bits in hex, text: as Double.toString where that is the shortest text (before JDK 19 it is
 *  not always). */
public class NumberVectors {
    static boolean shortest(String text, java.util.function.Predicate<String> same) {
        java.math.BigDecimal d = new java.math.BigDecimal(text);
        int digits = d.stripTrailingZeros().precision();
        if (digits <= 2) return true;
        for (java.math.RoundingMode mode : List.of(java.math.RoundingMode.UP, java.math.RoundingMode.DOWN)) {
            if (same.test(d.round(new java.math.MathContext(digits - 1, mode)).toString())) return false;
        }
        return true;
    }

    static void d(double x) {
        String s = Double.toString(x);
        if (!Double.isNaN(x) && !Double.isInfinite(x)) {
            if (!shortest(s, t -> Double.parseDouble(t) == x)) return;
            java.math.BigDecimal exact = new java.math.BigDecimal(x), mine = new java.math.BigDecimal(s);
            java.math.BigDecimal ulp = mine.ulp();
            java.math.BigDecimal off = exact.subtract(mine).abs();
            for (java.math.BigDecimal other : List.of(mine.add(ulp), mine.subtract(ulp))) {
                if (exact.subtract(other).abs().compareTo(off) < 0 && other.doubleValue() == x) return;
            }
        }
        System.out.printf("d\t%016x\t%s%n", Double.doubleToLongBits(x), s);
    }

    static void f(float x) {
        String s = Float.toString(x);
        if (!Float.isNaN(x) && !Float.isInfinite(x)) {
            if (!shortest(s, t -> Float.parseFloat(t) == x)) return;
            java.math.BigDecimal exact = new java.math.BigDecimal(x), mine = new java.math.BigDecimal(s);
            java.math.BigDecimal off = exact.subtract(mine).abs();
            for (java.math.BigDecimal other : List.of(mine.add(mine.ulp()), mine.subtract(mine.ulp()))) {
                if (exact.subtract(other).abs().compareTo(off) < 0 && other.floatValue() == x) return;
            }
        }
        System.out.printf("f\t%08x\t%s%n", Float.floatToIntBits(x), s);
    }

    public static void main(String[] args) {
        Random r = new Random(7);
        for (double x : new double[] {0, -0.0, 1, -1, 100, 1e10, 1e-5, 0.001, 9.999e-4, 1e7, 9999999, 1e6,
                123456789, 1.5, 3.14, 1e21, 1e22, 1e100, Double.MAX_VALUE, Double.MIN_NORMAL, Double.NaN,
                Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 4503599627370497.5, 9007199254740992.0,
                0.1, 0.2, 0.30000000000000004, 12345.678901234, 1e23, 5e-324, 1e-300}) d(x);
        for (int i = 0; i < 700; i++) d(Double.longBitsToDouble(r.nextLong()));
        for (int i = 0; i < 300; i++) d(Math.rint(r.nextDouble() * 1e6) / 100);
        for (int i = 0; i < 100; i++) d((double) r.nextLong());
        for (float x : new float[] {0, -0.0f, 1, 100, 1e10f, 3.4e38f, 1e-5f, 0.1f, 16777216f, Float.MAX_VALUE,
                Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 1.17549435e-38f}) f(x);
        for (int i = 0; i < 500; i++) f(Float.intBitsToFloat(r.nextInt()));
    }
}
