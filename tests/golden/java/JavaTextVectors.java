import java.text.*;
import java.util.*;
import java.util.regex.*;

/**
 * What java.util.regex and SimpleDateFormat do, for runtime/data/java_regex.c and java_date.c.
 *   regex: pattern, text, whether it matches, replacement, replaceFirst, replaceAll (or !error)
 *   bad: pattern, description of the error
 *   now: ms; format: pattern, ms, text; parse: pattern, text, ms or "!"; baddate: pattern, message
 */
public class JavaTextVectors {
    static final Random random = new Random(42);

    static String replace(Pattern p, String text, String by, boolean all) {
        try {
            Matcher m = p.matcher(text);
            return Text.quote(all ? m.replaceAll(by) : m.replaceFirst(by));
        } catch (RuntimeException e) {
            return "!" + e.getMessage();
        }
    }

    static final Set<String> seen = new HashSet<>();

    static void regex(String pattern, String by, String... texts) {
        Pattern p;
        try {
            p = Pattern.compile(pattern);
        } catch (PatternSyntaxException e) {
            String line = "bad\t" + Text.quote(pattern) + "\t" + e.getDescription();
            if (seen.add(line)) System.out.println(line);
            return;
        }
        for (String text : texts) {
            String line = String.join("\t", "regex", Text.quote(pattern), Text.quote(text), p.matcher(text).matches() ? "1" : "0",
                    Text.quote(by), replace(p, text, by, false), replace(p, text, by, true));
            // Java's empty matches cut surrogate pairs in two; ours do not
            boolean cut = p.matcher(text).replaceAll("_").codePoints().anyMatch(c -> c >= 0xD800 && c < 0xE000);
            // \\b knows ASCII only since Java 19
            if (pattern.matches("(?s).*\\\\[bB].*") && text.chars().anyMatch(c -> c > 126)) continue;
            if (!cut && seen.add(line)) System.out.println(line);
        }
    }

    static final String[] TEXTS = {"", "a", "abc", "ab", "db.schema.table", "prefix-topic_1", "AbC", "aaa", "foo123bar", "a\nb", "a\r\n", "a\n", "x\r\ny\n", "\u00e9\u00c9k\u212a", "a b", "1-2-3", "[x]", "\ud83d\ude00z", "a.b", "A\u0085B\u2028"};

    static void regexes() {
        String[][] fixed = {
            {"(.*)", "$1-x"}, {"([^.]+)\\.([^.]+)\\.([^.]+)", "$3"}, {"([^.]+)\\.([^.]+)\\.([^.]+)", "$1_$2_$31"}, {"prefix-(?<rest>.*)", "new-${rest}"},
            {"(a)|(b)", "[$1|$2]"}, {"a|ab", "X"}, {"(?i)abc", "X"}, {"(?i)\u00e9", "X"}, {"(?iu)\u00e9", "X"}, {"(?iu)k", "X"}, {"(?i)k", "X"}, {"(?i)[a-c]+", "<$0>"}, {"(?i)[^a-c]", "<$0>"}, {"(?iu)[\u00e0-\u00ef]", "<$0>"},
            {".", "<$0>"}, {"(?s).", "<$0>"}, {"(?d).", "<$0>"}, {"^", "^"}, {"$", "\\$"}, {"(?m)^", "^"}, {"(?m)$", "\\$"}, {"(?md)^", "^"}, {"(?md)$", "\\$"}, {"(?d)$", "\\$"}, {"\\Z", "Z"}, {"\\z", "z"}, {"\\A", "A"}, {"\\G.", "g"}, {"\\R", "R"}, {"a\\R?", "R"},
            {"\\s+", "_"}, {"\\S+", "_"}, {"\\w+", "W"}, {"\\W", "W"}, {"\\d", "D"}, {"\\D+", "D"}, {"\\h", "h"}, {"\\H+", "H"}, {"\\v", "v"}, {"\\V+", "V"},
            {"[\\s\\d]", "#"}, {"[^\\s\\d]", "#"}, {"[\\W]", "#"}, {"[^\\W]", "#"}, {"[\\D&&\\w]", "#"},
            {"[a-d[m-p]]", "#"}, {"[^a-d[m-p]]", "#"}, {"[a-z&&[def]]", "#"}, {"[a-z&&[^bc]]", "#"}, {"[a-z&&[^m-p]]+", "#"}, {"[^a-z&&[def]]", "#"}, {"[a-f&&b-z&&[^c]]", "#"}, {"[\\w&&[^\\d_]]", "#"}, {"[abc&&]", "#"}, {"[&&abc]", "#"}, {"[a&b]", "#"}, {"[]a]", "#"}, {"[^]a]", "#"}, {"[a\\]]", "#"}, {"[\\[x]", "#"}, {"[a-]", "#"}, {"[-a]", "#"}, {"[a\\-z]", "#"}, {"[\\n-\\r]", "#"}, {"[.$^]", "#"}, {"[a&&b]", "#"}, {"[\\Q.-\\E]", "#"},
            {"\\p{Lower}+", "L"}, {"\\p{Upper}", "U"}, {"\\p{Alpha}+", "A"}, {"\\p{Digit}", "D"}, {"\\p{Alnum}+", "N"}, {"\\p{Punct}", "P"}, {"\\p{Graph}+", "G"}, {"\\p{Print}+", "P"}, {"\\p{Blank}", "B"}, {"\\p{Cntrl}", "C"}, {"\\p{XDigit}+", "X"}, {"\\p{Space}", "S"}, {"\\p{ASCII}+", "A"}, {"\\P{ASCII}", "A"}, {"\\p{L}+", "L"}, {"\\pL", "L"}, {"\\PL", "L"}, {"\\p{Lu}", "L"}, {"\\p{IsL}", "L"}, {"\\p{IsLatin}+", "L"}, {"\\p{IsAlphabetic}+", "L"}, {"\\p{InGreek}", "L"}, {"\\p{javaLowerCase}", "L"}, {"\\p{javaLetterOrDigit}+", "L"}, {"\\p{Sc}", "L"}, {"\\p{So}", "L"}, {"(?i)\\p{Lower}", "L"}, {"(?i)\\p{Lu}", "L"}, {"[\\p{L}&&[^\\p{Lu}]]", "L"}, {"[\\P{ASCII}a]", "L"}, {"[^\\p{Punct}]", "L"}, {"\\p{script=Latin}", "L"}, {"\\p{gc=Lu}", "L"}, {"\\p{blk=BasicLatin}", "L"}, {"\\p{IsPunctuation}", "L"}, {"(?U)\\w+", "L"}, {"(?U)\\W", "L"}, {"(?U)[\\W]", "L"}, {"(?U)\\s", "L"}, {"\\p{javaWhitespace}", "w"}, {"\\p{LC}", "L"}, {"\\p{L1}", "1"},
            {"\\x41", "x"}, {"\\x{1F600}", "x"}, {"\\u0061", "x"}, {"\\uD83D\\uDE00", "x"}, {"\\0101", "x"}, {"\\07", "x"}, {"\\cJ", "x"}, {"\\e|\\a|\\f|\\t", "x"}, {"\\Qa.b\\E", "x"}, {"\\Q[x]\\E", "x"}, {"\\Qabc", "x"}, {"a\\Q\\Eb", "x"}, {"\\.", "x"}, {"\\-", "x"}, {"\\_", "x"},
            {"a{2}", "x"}, {"a{2}{3}", "x"}, {"a{1,}", "x"}, {"a{1,2}?", "x"}, {"a{1,2}+a", "x"}, {"a*+a", "x"}, {"a*?", "x"}, {"a??", "x"}, {"(a+)+", "$1"}, {"{2}", "x"}, {"(?:ab)?", "x"}, {"(a(b)?)+", "<$1,$2>"}, {"(?>a|ab)c", "x"}, {"(?=a)", "x"}, {"(?!a).", "x"}, {"(?<=a)b", "x"}, {"(?<!a)b", "x"}, {"(.)\\1", "x"}, {"(?i)([ab])\\1", "x"}, {"(?<n>a)\\k<n>", "x${n}"}, {"(a)\\2", "x"}, {"\\11(a)", "x"}, {"(a)\\11", "x"},
            {"(?x) a b # comment\n c", "x"}, {"(?x)[a b]", "x"}, {"(?x)a\\ b", "x"}, {"(?i:a)b", "x"}, {"(?i)a(?-i)b", "x"}, {"((?i)a)b", "x"}, {"(?im-s)a", "x"}, {"a(?i)b|c", "x"}, {"}", "x"}, {"]", "x"}, {"a|", "x"}, {"|a", "x"}, {"()", "x"}, {"\\b", "|"}, {"\\B", "|"}, {"\\X", "x"},
            {"a", "$"}, {"a", "\\"}, {"a", "$x"}, {"a", "$1"}, {"(a)", "$12"}, {"(a)", "$2"}, {"a", "${x}"}, {"a", "${"}, {"a", "${}"}, {"a", "${1}"}, {"(?<x1>a)", "${x1}${x1}"}, {"a", "\\$1\\\\"}, {"a", "\u00e9$0"}, {"(a)(z)?", "$1$2"}, {"(?<x>a)", "${x"},
        };
        for (String[] f : fixed) regex(f[0], f[1], TEXTS);
        for (String bad : new String[] {"(", ")", "a)", "(a", "[", "[a", "[]", "[^]", "*a", "a**", "+", "?", "a{", "a{,2}", "a{2", "a{3,2}", "\\", "\\y", "\\j", "[b-a]", "(?<1a>x)", "(?<a", "(?<a>x)(?<a>y)", "\\k<z>", "\\k", "(?z)", "(?", "\\p{Foo}", "\\p{", "\\pZZ{", "\\x1", "\\x{110000}", "\\x{41", "\\u12", "\\0", "\\08", "[a-\\d]", "[a&&", "\\c", "(?i", "\\p{IsFoo}", "\\E"}) regex(bad, "", "a");
        String[] atoms = {"a", "b", "c", ".", "[ab]", "[^a]", "\\w", "\\d", "(a|b)", "(?:bc)", "(c)", "^", "$", "-", "\\.", "[a-c&&[^b]]", "(?i)", "x", "\\b", "[[a]b]", "(?=b)"};
        String[] quantifiers = {"", "", "", "", "*", "+", "?", "*?", "+?", "{1,2}", "{2}", "?+"};
        char[] letters = {'a', 'b', 'c', 'A', 'B', '-', '.', '1', 'x', '\n'};
        for (int i = 0; i < 1200; i++) {
            StringBuilder p = new StringBuilder();
            int n = 1 + random.nextInt(5);
            for (int k = 0; k < n; k++) {
                String atom = atoms[random.nextInt(atoms.length)];
                p.append(atom);
                if (!atom.equals("(?i)")) p.append(quantifiers[random.nextInt(quantifiers.length)]);
                if (random.nextInt(8) == 0) p.append('|');
            }
            StringBuilder t = new StringBuilder();
            for (int k = random.nextInt(7); k > 0; k--) t.append(letters[random.nextInt(letters.length)]);
            regex(p.toString(), "<$0>", t.toString());
        }
    }

    static SimpleDateFormat format(String pattern) {
        SimpleDateFormat f = new SimpleDateFormat(pattern);
        f.setTimeZone(TimeZone.getTimeZone("UTC"));
        return f;
    }

    /** Weeks of the year of the Gregorian cutover are Java's own affair. */
    static boolean cutover(String pattern, long ms) {
        return pattern.matches(".*[YwWF].*") && format("yyyy").format(new Date(ms)).equals("1582");
    }

    static void write(String pattern, long ms) {
        System.out.println(String.join("\t", "format", Text.quote(pattern), "" + ms, Text.quote(format(pattern).format(new Date(ms)))));
    }

    static void read(String pattern, String text) {
        String right;
        try {
            right = "" + format(pattern).parse(text).getTime();
        } catch (ParseException e) {
            right = "!";
        }
        String line = String.join("\t", "parse", Text.quote(pattern), Text.quote(text), right);
        if (seen.add(line)) System.out.println(line);
    }

    static void dates() {
        System.out.println("now\t" + System.currentTimeMillis());
        String[] patterns = {"yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "yyyyMMdd", "yyyyMMddHHmmssSSS", "yy-M-d", "dd.MM.yyyy HH:mm", "EEE, d MMM yyyy HH:mm:ss Z", "EEEE d MMMM yyyy", "h:mm a", "hh 'o''clock' a, zzzz", "K:mm a, z", "kk:mm", "D yyyy", "YYYY-'W'ww-u", "yyyy-MM-dd'T'HH:mm:ssXXX", "yyyy-MM-dd HH:mm:ssX", "yyyy-MM-dd HH:mm:ssXX", "G yyyy", "yyyyy.MMMMM.dd GGG hh:mm aaa", "w W F E", "MMM d, y", "LLLL LLL LL L", "''yyyy''", "u", "S", "SS", "SSSSSS", "yyyy-MM-dd HH:mm:ss.SSSSSS", "HHmm", "y", "yyy", "Y YY YYY", "k K h H", "yyyy-'q'MM", "\u00e9 yyyy"};
        long[] times = {0, 1, -1, 951782400000L, 1709164800123L, 1785000000123L, 4102444799999L, -12219292800000L, -12219292800001L, -12219379200000L, -62135596800000L, -62135769600001L, -99999999999999L, 253402300800000L, 1735603200000L, 1735689599999L, 1704067200000L, 1672531199999L, 1419984000000L, -2208988800000L, 31536000000L, 43200000L, 86399999L, -12200000000000L, -12218000000000L};
        for (String p : patterns) {
            for (long t : times) if (!cutover(p, t)) write(p, t);
            for (int i = 0; i < 4; i++) write(p, (long) (random.nextGaussian() * 4e12));
            for (long t : times) {
                if (!cutover(p, t)) read(p, format(p).format(new Date(t)));
            }
            for (int i = 0; i < 4; i++) read(p, format(p).format(new Date((long) (random.nextGaussian() * 4e12))));
        }
        String[][] cases = {
            {"yyyy-MM-dd", "2024-13-45", "2024-1-1", "2024-02-30", " 2024-02-03", "2024- 2- 3", "24-02-03", "2024-02-03 rest", "2024-02", "-5-02-03", "2024/02/03", "", "x", "2024-00-00", "2024--1-01", "12345678901-01-01", "0000-01-01", "1582-10-10", "1582-10-04", "1582-10-15", "1500-02-29", "2024-2E1-01"},
            {"yyyyMMdd", "20240203", "2024023", "20241345", "2024020", "202402031", "240203", " 0240203"},
            {"yyMMdd", "240203", "990203", "460101", "461231", "470101", "2402", "24020"},
            {"yy-MM-dd", "24-02-03", "2024-02-03", "5-02-03", "-5-02-03", "005-02-03", "99-1-1", "46-06-01", "46-12-31"},
            {"HH:mm:ss", "25:61:61", "1:2:3", "-1:00:00", "99999:00:00", "12:30", "12:30:45.678", "a:b:c"},
            {"HH:mm:ss.SSS", "12:30:45.6", "12:30:45.67", "12:30:45.6789", "12:30:45.123456", "12:30:45"},
            {"yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "2024-02-03T04:05:06.789Z", "2024-02-03T04:05:06Z", "2024-02-03t04:05:06.789Z", "2024-02-03T04:05:06.7Z"},
            {"yyyy-MM-dd'T'HH:mm:ssXXX", "2024-02-03T04:05:06Z", "2024-02-03T04:05:06+01:00", "2024-02-03T04:05:06+0100", "2024-02-03T04:05:06-11:30", "2024-02-03T04:05:06+1:00", "2024-02-03T04:05:06+24:00", "2024-02-03T04:05:06"},
            {"HH:mm X", "04:05 +01", "04:05 +0130", "04:05 Z", "04:05 -9", "04:05 UTC"},
            {"HH:mm XX", "04:05 +01", "04:05 +0130", "04:05 +01:30", "04:05 Z"},
            {"HH:mm Z", "04:05 +0100", "04:05 -0130", "04:05 +01:00", "04:05 GMT", "04:05 GMT+1:30", "04:05 GMT-02:00", "04:05 gmt", "04:05 UTC", "04:05 PST", "04:05 Z", "04:05 +01", "04:05 +0160"},
            {"HH:mm z", "04:05 +0100", "04:05 GMT", "04:05 GMT+0130", "04:05 UTC", "04:05 EST", "04:05 EDT", "04:05 CST", "04:05 CDT", "04:05 MST", "04:05 MDT", "04:05 PST", "04:05 PDT", "04:05 CET", "04:05 CEST", "04:05 EET", "04:05 JST", "04:05 HST", "04:05 MSK", "04:05 Pacific Standard Time", "04:05 Coordinated Universal Time", "04:05 Pacific Daylight Time", "04:05 nowhere"},
            {"d MMM yyyy", "3 Feb 2024", "3 feb 2024", "3 February 2024", "3 FEBRUARY 2024", "3 Febr 2024", "3 May 2024", "3 Sept 2024", "3 2 2024", "3  Feb 2024"},
            {"d MMMM yyyy", "3 Feb 2024", "3 September 2024"},
            {"d LLL yyyy", "3 Feb 2024"},
            {"EEE d MMM yyyy", "Mon 3 Feb 2024", "Saturday 3 Feb 2024", "Xyz 3 Feb 2024"},
            {"EEE yyyy-MM-dd", "Mon 2024-02-03"}, {"yyyy-MM-dd EEE", "2024-02-03 Mon"}, {"EEE", "Mon", "Sunday"}, {"yyyy EEE", "2024 Wed"}, {"MM EEE", "05 Wed"},
            {"h:mm a", "12:30 AM", "12:30 PM", "1:30 pm", "13:30 PM", "0:30 AM", "1:30", "1:30 XM"}, {"K:mm a", "0:30 PM", "12:30 AM", "11:00 PM"}, {"kk:mm", "24:30", "0:30", "25:00"}, {"ha", "3PM", "3 PM"}, {"a h", "PM 3"}, {"h", "3", "12"}, {"a", "PM", "AM"}, {"HH a h", "13 AM 3"},
            {"D yyyy", "366 2024", "366 2023", "0 2024", "-5 2024"}, {"yyyy D", "2024 60"}, {"yyyy-DDD", "2024-060"}, {"yyyy MM D", "2024 05 60"},
            {"YYYY-'W'ww-u", "2024-W01-1", "2024-W01-7", "2024-W53-3", "2024-W00-1", "2020-W01-8", "2020-W01-0", "2024-W10-14"}, {"YYYY ww E", "2024 10 Tue"}, {"YYYY", "2024"}, {"YYYY ww", "2024 9"}, {"YY", "24", "99"}, {"YYYY MM dd", "2024 05 06"}, {"YYYY yyyy MM dd", "2020 2024 05 06"}, {"yyyy YYYY", "2020 2024"},
            {"yyyy ww", "2024 10", "2024 53"}, {"yyyy ww E", "2024 10 Tue", "2024 1 Sun"}, {"yyyy MM W", "2024 05 2"}, {"yyyy MM W E", "2024 05 2 Fri", "2024 05 1 Mon"}, {"yyyy MM F E", "2024 05 2 Fri", "2024 05 -1 Fri", "2024 05 0 Mon", "2024 05 9 Mon"}, {"yyyy MM F", "2024 05 3"}, {"yyyy MM dd F W", "2024 05 06 2 3"}, {"u yyyy MM", "3 2024 05"}, {"yyyy-MM", "2024-05"}, {"MM", "05"}, {"yyyy", "2024"}, {"dd", "31"}, {"ss", "90"},
            {"G yyyy", "BC 44", "AD 44", "bc 1", "Anno Domini 5", "XX 5"}, {"yyyy G", "44 BC", "1 BC", "0 AD", "0 BC"}, {"yyyy-MM-dd G", "0001-01-01 AD", "0001-01-01 BC", "1582-10-05 AD"},
            {"'at' HH", "at 5", "AT 5", "at  5"}, {"''yyyy", "'2024"}, {"yyyy\u00e9MM", "2024\u00e905"}, {"HHmmss", "123456", "12345", "1 2 3 "}, {"HHmm", "0930", "930"}, {"SSS", "5", "1234"}, {"'x'", "x", "y"}, {"yyyyMM", "202405", "2024 5"}, {"yyyyMMM", "2024May"}, {"yyyyM", "202412", "20241"},
        };
        for (String[] c : cases) for (int i = 1; i < c.length; i++) read(c[0], c[i]);
        for (String bad : new String[] {"b", "yyyy-MM-ddTHH", "'x", "XXXX", "yyyy'", "i", "A", "yyyy q"}) {
            try {
                new SimpleDateFormat(bad);
                throw new AssertionError(bad);
            } catch (IllegalArgumentException e) {
                System.out.println("baddate\t" + Text.quote(bad) + "\t" + e.getMessage());
            }
        }
    }

    public static void main(String[] args) {
        Locale.setDefault(Locale.US);
        if (args[0].equals("regex")) regexes();
        else dates();
    }
}
