// What the callbacks of a case have seen, and the checks on it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/conformance/case_values.h"
#include "tests/conformance/subject.h"

namespace pollux::conformance {

/// What a case expects and did not get.
struct Failure {
  std::string why;
};

/// `op`: == != < <= > >=
bool compares(const std::string& op, int64_t left, int64_t right);

/// What one callback has seen.
struct Callback {
  struct Call {
    size_t in = 0, removed = 0;
  };
  struct Target {
    int64_t runtime = 0;
    std::string name;
  };
  std::vector<Target> targets;
  bool query = false;
  std::vector<Row> in, removed;
  std::vector<Call> calls;
};

class Observed {
 public:
  explicit Observed(const CaseValues& values) : values_(values) {}

  size_t add(Callback callback);
  void subscribe(size_t callback, Callback::Target target);
  void take(int64_t runtime, const Delivery& delivery);
  void mark(const std::string& name) { marks_[name] = callbacks_; }

  /// A CHECK of the cases' format.
  bool holds(Json check) const;
  /// Holds everything against what `expect.callbacks` says; throws Failure.
  void judge(Json expect) const;

 private:
  std::vector<Row> rows(Json term) const;
  std::vector<Callback::Call> calls(Json term) const;
  const Callback* before(Json term) const;
  int64_t count(Json term) const;
  bool holds_rows(Json check, Json expected) const;
  bool holds_last(Json check, Json last) const;
  void judge_fact(Json fact, const Row& row, const std::string& where) const;
  void judge_list(Json expected, const char* key, const std::vector<Row>& rows,
                  const std::string& where) const;
  void judge_callback(Json expected, const Callback& actual) const;

  const CaseValues& values_;
  std::vector<Callback> callbacks_;
  std::map<std::string, std::vector<Callback>> marks_;
};

}  // namespace pollux::conformance
