package pollux.peers;

/** Takes each row of result as the engine hands it out. Feeding thread. */
interface RowSink {
  /**
   * A row of query {@code query} (0 when the workload has only one).
   *
   * @param values the row; only the first {@code columns} belong to the result
   */
  void row(int query, Object[] values, int columns);
}
