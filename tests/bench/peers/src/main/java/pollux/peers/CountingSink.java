package pollux.peers;

/**
 * Reads every value of every row, so that no engine can leave a value out. The sum over the same
 * rows is the same number in every engine and language.
 */
final class CountingSink implements RowSink {
  private long rows;
  private long checksum;

  @Override
  public void row(int query, Object[] values, int columns) {
    long sum = query;
    for (int c = 0; c < columns; ++c) {
      Object value = values[c];
      if (value instanceof String text) {
        int size = text.length();
        sum += size;
        if (size != 0) {
          sum += text.charAt(0) + text.charAt(size / 2) * 3L + text.charAt(size - 1) * 7L;
        }
      } else if (value instanceof Long number) {
        sum += number;
      } else if (value instanceof Double number) {
        sum += Double.doubleToRawLongBits(number);
      } else if (value instanceof Boolean truth) {
        sum += truth ? 1 : 0;
      } else if (value instanceof Integer number) {
        sum += number;
      } else {
        throw new IllegalStateException("a result of no known type: " + value);
      }
    }
    ++rows;
    checksum += sum;
  }

  long rows() {
    return rows;
  }

  long checksum() {
    return checksum;
  }
}
