#include "tests/conformance/test_stores.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "engine/language/parser.h"
#include "engine/planner/annotations.h"
#include "tests/conformance/case_values.h"

namespace pollux::conformance {
namespace {

constexpr std::string_view kKeepsNothing = "testStoreDummyForCache";

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), ::tolower);
  return text;
}

const ast::Annotation* annotation_named(const std::vector<ast::Annotation>& annotations,
                                        std::string_view name) {
  for (const ast::Annotation& annotation : annotations) {
    if (lower(annotation.name) == name) return &annotation;
  }
  return nullptr;
}

bool same_row(const Row& left, const Row& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), same_value);
}

/// As a query writes the value.
std::string literal(const Value& value) {
  if (const auto* string = std::get_if<std::string>(&value)) return "'" + *string + "'";
  std::string text = to_text(value);
  if (std::holds_alternative<int64_t>(value)) return text + "L";
  if (std::holds_alternative<float>(value)) return text + "f";
  return text;
}

}  // namespace

std::optional<CachedTable> CachedTable::of(const ast::TableDefinition& table) {
  const ast::Annotation* store = annotation_named(table.annotations, "store");
  if (store == nullptr || annotation_value(*store, "type") != kKeepsNothing) return {};
  const ast::Annotation* cache = annotation_named(store->annotations, "cache");
  if (cache == nullptr) return {};
  CachedTable cached;
  cached.table_ = table.name;
  for (const ast::AttributeDefinition& attribute : table.attributes) {
    cached.attributes_.push_back(attribute.name);
  }
  std::string size = annotation_value(*cache, "size").value_or("");
  cached.size_ = static_cast<size_t>(std::strtoull(size.c_str(), nullptr, 10));
  if (auto retention = annotation_value(*cache, "retention.period")) {
    cached.retention_ms_ = parse_duration(*retention);
  }
  std::string policy = annotation_value(*cache, "cache.policy").value_or("FIFO");
  if (policy != "FIFO") cached.size_ = 0;  // whom it lets go depends on who was asked for
  if (cached.size_ == 0 && !cached.retention_ms_) return {};
  return cached;
}

void CachedTable::notice(const std::vector<Row>& rows, int64_t now_ms) {
  std::vector<Row> unseen = rows;
  auto gone = [&unseen](const std::pair<Row, int64_t>& known) {
    auto same = [&known](const Row& row) { return same_row(row, known.first); };
    auto at = std::find_if(unseen.begin(), unseen.end(), same);
    if (at == unseen.end()) return true;
    unseen.erase(at);
    return false;
  };
  std::erase_if(seen_, gone);
  for (Row& row : unseen) seen_.emplace_back(std::move(row), now_ms);
}

void CachedTable::erase(Subject& subject, const Row& row) const {
  std::string condition;
  for (size_t c = 0; c < row.size(); ++c) {
    std::string attribute = table_ + "." + attributes_[c];
    if (c != 0) condition += " and ";
    condition += is_null(row[c]) ? attribute + " is null" : attribute + " == " + literal(row[c]);
  }
  Answer answer = subject.query("delete " + table_ + " on " + condition);
  if (!answer.error.empty()) throw Unsupported{answer.error};
}

void CachedTable::forget(Subject& subject, int64_t now_ms) {
  notice(subject.query("from " + table_ + " select *").rows, now_ms);
  auto leaves = [this, now_ms](size_t place) {
    bool aged = retention_ms_ && now_ms - seen_[place].second >= *retention_ms_;
    return aged || (size_ != 0 && seen_.size() - place > size_);
  };
  size_t leaving = 0;
  while (leaving < seen_.size() && leaves(leaving)) erase(subject, seen_[leaving++].first);
  seen_.erase(seen_.begin(), seen_.begin() + static_cast<std::ptrdiff_t>(leaving));
}

std::string without_test_stores(std::string app) {
  for (size_t at = 0; at < app.size(); ++at) {
    if (lower(app.substr(at, 7)) != "@store(") continue;
    int depth = 0;
    size_t end = at + 6;
    do {
      if (app[end] == '(') ++depth;
      if (app[end] == ')') --depth;
    } while (++end < app.size() && depth > 0);
    if (app.substr(at, end - at).find("test") != std::string::npos) app.erase(at, end - at);
  }
  return app;
}

std::string with_stores(std::string app) {
  constexpr std::string_view kKey = "@primarykey";
  constexpr std::string_view kStore = "@store(type='store') ";
  std::string lower_app = lower(app);
  if (lower_app.find("@store") != std::string::npos) return app;
  for (size_t at = lower_app.rfind(kKey); at != std::string::npos;
       at = at == 0 ? std::string::npos : lower_app.rfind(kKey, at - 1)) {
    app.insert(at, kStore);
  }
  return app;
}

std::vector<CachedTable> cached_tables_of(const std::string& app) {
  std::vector<CachedTable> cached;
  if (app.find(kKeepsNothing) == std::string::npos) return cached;
  for (const ast::Definition& definition : parse_plan(app).plan.definitions) {
    const auto* table = std::get_if<ast::TableDefinition>(&definition);
    if (table == nullptr) continue;
    if (auto one = CachedTable::of(*table)) cached.push_back(std::move(*one));
  }
  return cached;
}

}  // namespace pollux::conformance
