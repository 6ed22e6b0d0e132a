package pollux.peers;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Writes rows as text that is the same from every engine: the number of the query, then the values,
 * between tabs; doubles with nine significant digits.
 */
final class ExportSink implements RowSink, AutoCloseable {
  private final BufferedWriter writer;
  private final StringBuilder line = new StringBuilder();
  private long rows;

  ExportSink(Path file) throws IOException {
    writer = Files.newBufferedWriter(file, StandardCharsets.UTF_8);
  }

  @Override
  public void row(int query, Object[] values, int columns) {
    line.setLength(0);
    line.append(query);
    for (int c = 0; c < columns; ++c) {
      Object value = values[c];
      line.append('\t');
      if (value instanceof Double number) {
        line.append(String.format("%.8e", new BigDecimal(number)));
      } else {
        line.append(value);
      }
    }
    try {
      writer.write(line.append('\n').toString());
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    ++rows;
  }

  long rows() {
    return rows;
  }

  @Override
  public void close() throws IOException {
    writer.close();
  }
}
