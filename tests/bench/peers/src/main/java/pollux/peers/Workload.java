package pollux.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A workload's name and text, from the folder that all engines share. */
record Workload(String name, String text) {
  /** How the results of a workload with several queries are named: Out1, Out2, and so on. */
  private static final String OUT = "Out";

  static Workload read(Path folder, String name, String suffix) throws IOException {
    return new Workload(name, Files.readString(folder.resolve(name + suffix)).strip());
  }

  /** The parts between empty lines. */
  List<String> paragraphs() {
    return List.of(text.split("\n\\s*\n"));
  }

  static boolean isResult(String name) {
    return name != null && name.startsWith(OUT);
  }

  /** The number that the result's name carries; 0 for a workload of one query. */
  static int queryOf(String result) {
    String number = result.substring(OUT.length());
    return number.isEmpty() ? 0 : Integer.parseInt(number);
  }
}
