package pollux.peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The events and users read from the files, and rows made of them in the order of the feed.
 *
 * <p>Equal texts are one String object, which helps the peers (equality by identity, hash cached by
 * the String itself after its first use). Rows, timestamps and risks are new objects for each
 * event, as they would be from a receiver.
 */
final class Dataset {
  private final List<String> usernames = new ArrayList<>();
  private final List<String> ips = new ArrayList<>();
  private final List<Boolean> successes = new ArrayList<>();
  private final List<String> regions = new ArrayList<>();
  private final List<Object[]> users = new ArrayList<>();
  private double[] risks = {};
  private long firstTimestamp;

  static Dataset read(Path events, Path users) throws IOException {
    Dataset data = new Dataset();
    Map<String, String> texts = new HashMap<>();
    data.readEvents(events, texts);
    data.readUsers(users, texts);
    return data;
  }

  private void readEvents(Path file, Map<String, String> texts) throws IOException {
    List<Double> values = new ArrayList<>();
    try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        String[] row = split(line, 6, file);
        if (usernames.isEmpty()) firstTimestamp = Long.parseLong(row[4]);
        usernames.add(texts.computeIfAbsent(row[0], text -> text));
        ips.add(texts.computeIfAbsent(row[1], text -> text));
        successes.add(Boolean.valueOf(row[2]));
        regions.add(texts.computeIfAbsent(row[3], text -> text));
        values.add(Double.valueOf(row[5]));
      }
    }
    risks = values.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private void readUsers(Path file, Map<String, String> texts) throws IOException {
    try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        String[] row = split(line, 3, file);
        String username = texts.computeIfAbsent(row[0], text -> text);
        String dept = texts.computeIfAbsent(row[1], text -> text);
        users.add(new Object[] {username, dept, Integer.valueOf(row[2])});
      }
    }
  }

  private static String[] split(String line, int fields, Path file) throws IOException {
    String[] row = line.split("\t", -1);
    if (row.length != fields) throw new IOException(file + ": expected " + fields + " fields");
    return row;
  }

  List<Object[]> users() {
    return users;
  }

  long timestamp(long position) {
    return firstTimestamp + position;
  }

  /** Event number {@code position} of the feed: the data over and over, one millisecond apart. */
  Object[] row(long position) {
    int at = (int) (position % usernames.size());
    return new Object[] {
      usernames.get(at),
      ips.get(at),
      successes.get(at),
      regions.get(at),
      Long.valueOf(timestamp(position)),
      Double.valueOf(risks[at])
    };
  }
}
