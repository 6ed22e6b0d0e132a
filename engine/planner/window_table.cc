#include "engine/planner/window_table.h"

namespace pollux {
namespace {

using Kind = WindowPlan::Kind;
using Unique = WindowEntry::Unique;

}  // namespace

const std::vector<WindowEntry>& window_table() {
  static const std::vector<WindowEntry> table = {
      {"batch", Kind::kBatch, "([<int> length])",
       "The rows that come together, or so many of them at a time."},
      {"cron", Kind::kCron, "(<string> expression)",
       "The rows between two times of a cron expression, in UTC, as one batch."},
      {"delay", Kind::kDelay, "(<time> delay)", "Each row, so much later."},
      {"expression", Kind::kExpression, "(<string> expression)",
       "The newest rows for which the expression holds: over them as a whole, with first and "
       "last."},
      {"expressionBatch", Kind::kExpressionBatch,
       "(<string> expression, [<bool> with the last row, [<bool> rows at once]])",
       "Rows in batches, each as long as the expression holds."},
      {"externalTime", Kind::kExternalTime, "(<long> timestamp, <time> time)",
       "The rows of the last so much time, by an attribute."},
      {"externalTimeBatch", Kind::kExternalTimeBatch,
       "(<long> timestamp, <time> time, [<time> start, [<time> timeout, [<bool> batch time]]])",
       "Rows in batches of so much time, by an attribute."},
      {"firstUnique", Kind::kFirstUnique, "(<any> key, ...)", "The first row of each key."},
      {"frequent", Kind::kFrequent, "(<int> count, [<any> attribute, ...])",
       "The newest rows of the most frequent values."},
      {"length", Kind::kLength, "(<int> length)", "The last so many rows."},
      {"lengthBatch", Kind::kLengthBatch, "(<int> length, [<bool> rows at once])",
       "Rows in batches of so many."},
      {"lossyFrequent", Kind::kLossyFrequent,
       "(<double> support, [<double> error, [<any> attribute, ...]])",
       "The newest rows of values that are at least so frequent."},
      {"session", Kind::kSession, "(<time> gap, [<string> key, [<time> latency]])",
       "Rows of a key up to a gap in time, as one batch."},
      {"sort", Kind::kSort, "(<int> length, <any> attribute, [<string> order, ...])",
       "The first so many rows in an order of attributes, 'asc' or 'desc' behind each."},
      {"time", Kind::kTime, "(<time> time)", "The rows of the last so much time."},
      {"timeBatch", Kind::kTimeBatch, "(<time> time, [<time> start, [<bool> rows at once]])",
       "Rows in batches of so much time."},
      {"timeLength", Kind::kTimeLength, "(<time> time, <int> length)",
       "The last so many rows of the last so much time."},
      {"unique", Kind::kUnique, "(<any> key, ...)", "The last row of each key."},
      {"uniqueExternalTimeBatch", Kind::kExternalTimeBatch,
       "(<any> key, <long> timestamp, <time> time, [<time> start, [<time> timeout, [<bool> batch "
       "time]]])",
       "The last row of each key in batches of so much time, by an attribute.", Unique::kLast},
      {"unique:ever", Kind::kUnique, "(<any> key, ...)", "The last row of each key."},
      {"unique:externalTimeBatch", Kind::kExternalTimeBatch,
       "(<any> key, <long> timestamp, <time> time, [<time> start, [<time> timeout, [<bool> batch "
       "time]]])",
       "The last row of each key in batches of so much time, by an attribute.", Unique::kLast},
      {"unique:first", Kind::kFirstUnique, "(<any> key, ...)", "The first row of each key."},
      {"unique:firstLengthBatch", Kind::kLengthBatch, "(<any> key, <int> length)",
       "The first row of each key in batches of so many rows.", Unique::kFirst},
      {"unique:firstTimeBatch", Kind::kTimeBatch, "(<any> key, <time> time, [<time> start])",
       "The first row of each key in batches of so much time.", Unique::kFirst},
      {"unique:length", Kind::kUniqueLength, "(<any> key, <int> length)",
       "The last row of each key, of the last so many."},
      {"unique:lengthBatch", Kind::kLengthBatch, "(<any> key, <int> length)",
       "The last row of each key in batches of so many rows.", Unique::kLast},
      {"unique:time", Kind::kUniqueTime, "(<any> key, <time> time)",
       "The last row of each key, of the last so much time."},
      {"unique:timeBatch", Kind::kTimeBatch, "(<any> key, <time> time, [<time> start])",
       "The last row of each key in batches of so much time.", Unique::kLast},
  };
  return table;
}

}  // namespace pollux
