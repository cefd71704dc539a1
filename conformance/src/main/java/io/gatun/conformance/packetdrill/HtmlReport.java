package io.gatun.conformance.packetdrill;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Results as one HTML page that needs nothing else. */
public final class HtmlReport {
    private static final double NS_PER_MS = 1e6;
    private static final String HEAD = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>packetdrill</title>
        <style>
        body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; color: #222 }
        table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .3em .8em;
        border-bottom: 1px solid #ddd } td.n, th.n { text-align: right } .bad { color: #b00020 } .ok { color: #1b6e2b }
        pre { background: #f6f6f6; padding: .8em; overflow-x: auto; font-size: 13px } summary { cursor: pointer }
        </style></head><body>
        """;

    private HtmlReport() {
    }

    /** Results by group: passed, failed, skipped. The group of a script is its folder. */
    public static Map<String, int[]> groups(final List<Result> results) {
        final Map<String, int[]> out = new TreeMap<>();
        for (final Result r : results) {
            out.computeIfAbsent(group(r), g -> new int[Result.Outcome.values().length])[r.outcome().ordinal()]++;
        }
        return out;
    }

    private static String group(final Result r) {
        final String[] parts = r.file().split("/");
        final int n = parts.length;
        return n < 2 ? "." : n < 3 ? parts[n - 2] : parts[n - 3] + "/" + parts[n - 2];
    }

    /** The page. */
    public static String page(final List<Result> results) {
        final StringBuilder out = new StringBuilder(HEAD);
        final int[] sum = new int[Result.Outcome.values().length];
        results.forEach(r -> sum[r.outcome().ordinal()]++);
        out.append("<h1>packetdrill</h1><p><b class=ok>").append(sum[0]).append(" passed</b>, <b class=bad>")
            .append(sum[1]).append(" failed</b>, ").append(sum[2]).append(" skipped</p>\n<table><tr><th>group</th>"
                + "<th class=n>passed</th><th class=n>failed</th><th class=n>skipped</th></tr>\n");
        groups(results).forEach((g, n) -> out.append("<tr><td>").append(escaped(g)).append("</td><td class=n>")
            .append(n[0]).append("</td><td class=\"n").append(n[1] == 0 ? "" : " bad").append("\">").append(n[1])
            .append("</td><td class=n>").append(n[2]).append("</td></tr>\n"));
        out.append("</table>\n<h2>Failures</h2>\n");
        results.stream().filter(r -> r.outcome() == Result.Outcome.FAILED)
            .forEach(r -> out.append("<details><summary>").append(escaped(r.summary())).append("</summary><pre>")
                .append(escaped(r.message())).append("</pre></details>\n"));
        out.append("<h2>All</h2>\n<table><tr><th>script</th><th>outcome</th><th class=n>ms</th></tr>\n");
        for (final Result r : results) {
            out.append("<tr><td>").append(escaped(r.file())).append("</td><td class=")
                .append(r.outcome() == Result.Outcome.FAILED ? "bad" : "ok").append('>')
                .append(r.outcome().name().toLowerCase(Locale.ROOT)).append("</td><td class=n>")
                .append(String.format(Locale.ROOT, "%.1f", r.elapsedNs() / NS_PER_MS)).append("</td></tr>\n");
        }
        return out.append("</table></body></html>\n").toString();
    }

    private static String escaped(final String s) {
        return s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
