#include "server/tool/generate/ledger.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace pollux::traffic {
namespace {

// Every value is made of letters, digits and `.-_@`: nothing needs escaping.

void append_text(std::string_view name, std::string_view value, std::string& to) {
  to.append(",\"").append(name).append("\":\"").append(value).append("\"");
}

void append_number(std::string_view name, int64_t value, std::string& to) {
  to.append(",\"").append(name).append("\":").append(std::to_string(value));
}

/// One item for each distinct text, in order of first appearance.
template <class TextOf>
void append_list(std::string_view name, const std::vector<AuthEvent>& events, bool quoted,
                 TextOf text_of, std::string& to) {
  std::vector<std::string> texts;
  for (const AuthEvent& event : events) {
    std::string text(text_of(event));
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
  }
  to.append(",\"").append(name).append("\":[");
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i != 0) to += ',';
    if (quoted) to += '"';
    to += texts[i];
    if (quoted) to += '"';
  }
  to += ']';
}

}  // namespace

void TrafficSummary::count(const AuthEvent& event) {
  if (events++ == 0) first_ms = event.time_ms;
  last_ms = event.time_ms;
  if (event.kind == EventKind::kStep) {
    ++(event.success ? step_successes : step_failures);
  } else if (event.success) {
    ++overall_successes;
    if (event.first_login) ++first_logins;
  }
}

void append_ledger_line(const Injection& injection, const Population& population, uint64_t seed,
                        std::string& to) {
  const auto& events = injection.events;
  to.append("{\"type\":\"").append(injection.attack ? "attack" : "near-miss").append("\"");
  append_text("id", injection.id, to);
  append_text("kind", name_of(injection.kind), to);
  if (!injection.attack) {
    append_text("imitates", injection.imitates, to);
    append_text("near", injection.near, to);
  }
  auto user = [&](const AuthEvent& e) -> const User& { return population.user(e.user); };
  append_list(
      "tenants", events, false,
      [&](const AuthEvent& e) { return std::to_string(get(user(e).tenant).id); }, to);
  append_list(
      "tenantDomains", events, true, [&](const AuthEvent& e) { return get(user(e).tenant).domain; },
      to);
  append_list(
      "userStores", events, true, [&](const AuthEvent& e) { return user(e).store; }, to);
  append_list(
      "users", events, true, [&](const AuthEvent& e) { return user(e).name; }, to);
  append_list(
      "addresses", events, true, [](const AuthEvent& e) { return to_text(e.address); }, to);
  append_list(
      "countries", events, true, [](const AuthEvent& e) { return get(e.country).code; }, to);
  append_number("start", events.front().time_ms, to);
  append_number("end", events.back().time_ms, to);
  append_list(
      "eventIds", events, true, [&](const AuthEvent& e) { return event_id(seed, e.number); }, to);
  to += "}\n";
}

void append_ledger_line(const TrafficSummary& summary, uint64_t seed, std::string& to) {
  to.append("{\"type\":\"summary\"");
  to.append(",\"seed\":").append(std::to_string(seed));
  to.append(",\"events\":").append(std::to_string(summary.events));
  to.append(",\"stepSuccesses\":").append(std::to_string(summary.step_successes));
  to.append(",\"stepFailures\":").append(std::to_string(summary.step_failures));
  to.append(",\"overallSuccesses\":").append(std::to_string(summary.overall_successes));
  to.append(",\"firstLogins\":").append(std::to_string(summary.first_logins));
  append_number("firstTimestamp", summary.first_ms, to);
  append_number("lastTimestamp", summary.last_ms, to);
  to += "}\n";
}

}  // namespace pollux::traffic
