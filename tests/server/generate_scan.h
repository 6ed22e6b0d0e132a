// Reads generated traffic and its ledger back, and judges the rows by brute force: the rules of the
// alert plans written down a second time, without the engine and without the generator's own code.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace pollux::traffic {

/// A row by column name.
class Record {
 public:
  Record(std::shared_ptr<const std::vector<std::string>> names, std::vector<std::string> fields)
      : names_(std::move(names)), fields_(std::move(fields)) {}

  const std::string& at(std::string_view name) const { return fields_.at(index_of(name)); }
  std::string& operator[](std::string_view name) { return fields_.at(index_of(name)); }
  const std::vector<std::string>& names() const { return *names_; }

 private:
  size_t index_of(std::string_view name) const {
    return static_cast<size_t>(std::find(names_->begin(), names_->end(), name) - names_->begin());
  }
  std::shared_ptr<const std::vector<std::string>> names_;
  std::vector<std::string> fields_;
};

struct LedgerLine {
  std::string type;
  std::string id;
  std::string kind;
  std::string imitates;
  std::vector<std::string> tenants;
  std::vector<std::string> users;
  std::vector<std::string> addresses;
  std::vector<std::string> event_ids;
  int64_t start = 0;
  int64_t end = 0;
};

/// The injections; the summary is given apart.
struct Ledger {
  std::vector<LedgerLine> injections;
  std::map<std::string, int64_t> summary;
};

/// What a rule found: the ids of the events that completed it.
using Findings = std::vector<std::string>;

namespace scan {

inline std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return lines;
}

inline int64_t time_of(const Record& row) { return std::stoll(row.at("_timestamp")); }
inline bool is_step(const Record& row) { return row.at("eventType") == "step"; }
inline bool step_succeeded(const Record& row) { return row.at("authStepSuccess") == "true"; }

using Key = std::tuple<std::string, std::string, std::string>;
inline Key user_of(const Record& row) {
  return {row.at("meta_tenantId"), row.at("userStoreDomain"), row.at("username")};
}

/// Steps of the last five minutes at an address; calls `judge` at each failure.
template <class Judge>
Findings scan_addresses(const std::vector<Record>& rows, Judge judge) {
  std::map<std::pair<std::string, std::string>, std::deque<const Record*>> recent;
  Findings found;
  for (const Record& row : rows) {
    if (!is_step(row)) continue;
    auto& window = recent[{row.at("meta_tenantId"), row.at("remoteIp")}];
    window.push_back(&row);
    while (time_of(*window.front()) <= time_of(row) - 300'000) window.pop_front();
    if (step_succeeded(row)) continue;
    std::set<Key> users;
    size_t failures = 0;
    for (const Record* seen : window) {
      if (step_succeeded(*seen)) continue;
      users.insert(user_of(*seen));
      ++failures;
    }
    if (judge(users.size(), failures, window.size() - failures)) {
      found.push_back(row.at("eventId"));
    }
  }
  return found;
}

inline std::vector<std::string> strings_of(simdjson::dom::element list) {
  std::vector<std::string> texts;
  for (simdjson::dom::element item : list.get_array()) {
    if (item.is_string()) {
      texts.emplace_back(std::string_view(item));
    } else {
      texts.push_back(std::to_string(int64_t(item)));
    }
  }
  return texts;
}

}  // namespace scan

/// CSV with a header; quoted fields may hold commas.
inline std::vector<Record> read_csv(const std::string& text) {
  std::vector<std::string> lines = scan::lines_of(text);
  auto names = std::make_shared<const std::vector<std::string>>(scan::split(lines.at(0)));
  std::vector<Record> rows;
  for (size_t i = 1; i < lines.size(); ++i) {
    rows.emplace_back(names, scan::split(lines[i]));
  }
  return rows;
}

inline Ledger read_ledger(const std::string& text) {
  Ledger ledger;
  simdjson::dom::parser parser;
  for (const std::string& line : scan::lines_of(text)) {
    simdjson::dom::element json = parser.parse(line);
    std::string type{std::string_view(json["type"])};
    if (type == "summary") {
      for (auto [name, value] : simdjson::dom::object(json)) {
        if (value.is_int64()) ledger.summary[std::string(name)] = int64_t(value);
      }
      continue;
    }
    LedgerLine read;
    read.type = type;
    read.id = std::string_view(json["id"]);
    read.kind = std::string_view(json["kind"]);
    if (type == "near-miss") read.imitates = std::string_view(json["imitates"]);
    read.tenants = scan::strings_of(json["tenants"]);
    read.users = scan::strings_of(json["users"]);
    read.addresses = scan::strings_of(json["addresses"]);
    read.event_ids = scan::strings_of(json["eventIds"]);
    read.start = int64_t(json["start"]);
    read.end = int64_t(json["end"]);
    ledger.injections.push_back(std::move(read));
  }
  return ledger;
}

/// At least five failures in a row of one tenant, store and user, then a success, in a minute.
inline Findings suspicious_logins(const std::vector<Record>& rows) {
  std::map<scan::Key, std::vector<int64_t>> failures;
  Findings found;
  for (const Record& row : rows) {
    if (!scan::is_step(row)) continue;
    auto& times = failures[scan::user_of(row)];
    if (!scan::step_succeeded(row)) {
      times.push_back(scan::time_of(row));
      continue;
    }
    if (times.size() >= 5 && scan::time_of(row) - times[times.size() - 5] <= 60'000) {
      found.push_back(row.at("eventId"));
    }
    times.clear();
  }
  return found;
}

/// The tenth and each further failure in a row of one tenant, store and user within five minutes.
inline Findings brute_forces(const std::vector<Record>& rows) {
  std::map<scan::Key, std::vector<int64_t>> failures;
  Findings found;
  for (const Record& row : rows) {
    if (!scan::is_step(row)) continue;
    auto& times = failures[scan::user_of(row)];
    if (scan::step_succeeded(row)) {
      times.clear();
      continue;
    }
    times.push_back(scan::time_of(row));
    if (times.size() >= 10 && scan::time_of(row) - times[times.size() - 10] <= 300'000) {
      found.push_back(row.at("eventId"));
    }
  }
  return found;
}

/// Failures with ten users of one tenant failing at one address within five minutes and at most one
/// success for four failures.
inline Findings password_sprayings(const std::vector<Record>& rows) {
  return scan::scan_addresses(rows, [](size_t users, size_t failures, size_t successes) {
    return users >= 10 && successes * 4 <= failures;
  });
}

/// Failures with ten users failing at one address of a tenant, whatever succeeds there.
inline Findings busy_addresses(const std::vector<Record>& rows) {
  return scan::scan_addresses(rows, [](size_t users, size_t, size_t) { return users >= 10; });
}

/// Logins from another country than the one before, less than two hours later.
inline Findings new_countries(const std::vector<Record>& rows) {
  std::map<scan::Key, const Record*> latest;
  Findings found;
  for (const Record& row : rows) {
    if (row.at("authenticationSuccess") != "true") continue;
    const Record*& last = latest[scan::user_of(row)];
    if (last != nullptr && last->at("region") != row.at("region") &&
        scan::time_of(row) - scan::time_of(*last) <= 2 * 3'600'000) {
      found.push_back(row.at("eventId"));
    }
    last = &row;
  }
  return found;
}

}  // namespace pollux::traffic
