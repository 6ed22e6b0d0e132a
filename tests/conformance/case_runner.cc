#include "tests/conformance/case_runner.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/conformance/answers.h"
#include "tests/conformance/case_values.h"
#include "tests/conformance/observed.h"
#include "tests/conformance/test_stores.h"
#include "tests/conformance/transports.h"

namespace pollux::conformance {
namespace {

constexpr int64_t kBegin = 1700000000000;

struct Skip {
  std::string why;
};
/// A step failed as the case says it must: nothing behind it matters.
struct Ended {};

bool is_set(Json step, std::string_view key) {
  Json found;
  return step[key].get(found) == simdjson::SUCCESS;
}

class Runner {
 public:
  Runner(Json json, const MakeSubject& make, const CaseOptions& options)
      : json_(json), make_(make), options_(options), observed_(values_) {
    if (auto named = find(json, "dialect")) options_.dialect = dialect_named(text(*named));
  }

  void run() {
    check_needs();
    playback_ = json_["playback"].get_bool().value();
    must_fail_ = json_["expect"]["error"].get_bool().value();
    for (Json callback : JsonArray(json_["expect"]["callbacks"])) add_callback(callback);
    try {
      bool simple = text(json_["lifecycle"]) == "simple";
      if (simple) create(0, 0, must_fail_);
      for (Json step : JsonArray(json_["steps"])) {
        take(step);
        if (has_transports_) deliver_to_topics();
        forget_what_is_not_cached();
        if (options_.snapshot_every_step) exchange_states();
      }
      flush();
    } catch (const Ended&) {
      return;
    }
    if (must_fail_) throw Failure{"an error is expected, and there was none"};
    collect();
    observed_.judge(json_["expect"]);
  }

 private:
  static Dialect dialect_named(const std::string& name) {
    if (auto dialect = parse_dialect(name)) return *dialect;
    throw Failure{"the case's dialect is '" + name + "', which is none"};
  }

  void check_needs() {
    for (Json need : JsonArray(json_["needs"])) {
      std::string what = text(need);
      if (what.rfind("extension:", 0) == 0) throw Skip{"needs " + what};
      if (what.rfind("store:test", 0) == 0) continue;  // see test_stores.h
      if (what.rfind("source:", 0) == 0 || what.rfind("sink:", 0) == 0) {
        has_transports_ = true;
        continue;
      }
      throw Unsupported{"needs " + what};
    }
  }

  void add_callback(Json expected) {
    Callback callback;
    callback.query = text(expected["kind"]) == "query";
    if (auto several = find(expected, "subscriptions")) {
      for (Json each : JsonArray(*several)) {
        callback.targets.push_back({whole_number(each["rt"]), text(each["target"])});
      }
    } else if (auto target = find(expected, "target")) {
      callback.targets.push_back({0, text(*target)});
    }
    observed_.add(std::move(callback));
  }

  std::string app(int64_t index) const {
    if (auto one = find(json_, "app")) return text(*one);
    return text(JsonArray(json_["apps"]).at(static_cast<size_t>(index)));
  }

  std::string deployed(int64_t index) const {
    std::string text = without_test_stores(app(index));
    return options_.stored ? with_stores(std::move(text)) : text;
  }

  void create(int64_t runtime, int64_t index, bool must_fail) {
    std::unique_ptr<Subject>& subject = runtimes_[runtime];
    subject = make_(now_, options_.dialect);
    apps_[runtime] = index;
    std::string error = subject->deploy(deployed(index));
    cached_[runtime] = cached_tables_of(app(index));
    if (error.empty() && has_transports_) {
      error = Transports::error_of(subject->endpoints());
      if (!error.empty() && !must_fail_) throw Skip{error};
      if (error.empty()) transports_.connect(runtime, subject->endpoints());
    }
    if (must_fail_ && error.empty() && !subject->tells_errors()) {
      throw Unsupported{"an error is expected, which the subject need not tell"};
    }
    if (error.empty()) {
      if (!playback_) subject->advance(now_);
      plays_idle_ = app(index).find("idle.time") != std::string::npos;
      return;
    }
    if (must_fail) throw Ended{};
    throw Unsupported{error};
  }

  Subject& subject(Json step) {
    auto named = find(step, "rt");
    auto at = runtimes_.find(named ? whole_number(*named) : 0);
    if (at == runtimes_.end() || at->second == nullptr) {
      throw Unsupported{"a step for a runtime that is not there"};
    }
    return *at->second;
  }

  void take(Json step) {
    bool must_fail = is_set(step, "error");
    if (auto stream = find(step, "send")) return send(step, text(*stream), must_fail);
    flush();
    if (auto sleep = find(step, "sleep_ms")) return pass(whole_number(*sleep));
    if (auto clock = find(step, "clock")) return values_.set_clock(text(*clock), now_);
    if (auto mark = find(step, "mark")) {
      collect();
      return observed_.mark(text(*mark));
    }
    if (auto check = find(step, "check")) {
      collect();
      if (!observed_.holds(*check)) {
        throw Failure{"a check in between does not hold: " + simdjson::minify(*check)};
      }
      return;
    }
    if (auto check = find(step, "wait")) return wait_for(step, *check);
    if (auto query = find(step, "query")) return ask(step, text(*query), must_fail);
    if (is_set(step, "create")) {
      auto index = find(step, "app");
      return create(whole_number(step["create"]), index ? whole_number(*index) : 0, must_fail);
    }
    if (is_set(step, "subscribe")) return subscribe(step);
    if (is_set(step, "start")) return start(step);
    if (auto index = find(step, "validate")) return validate(whole_number(*index), must_fail);
    if (is_set(step, "manager")) return;
    if (take_state_step(step, must_fail)) return;
    if (is_set(step, "shutdown") || is_set(step, "shutdown_all")) return shut_down(step);
    throw Unsupported{"a step of an unknown kind: " + simdjson::minify(step)};
  }

  void validate(int64_t index, bool must_fail) {
    std::string error = make_(now_, options_.dialect)->deploy(deployed(index));
    if (must_fail && error.empty()) throw Failure{"an app with errors was found valid"};
    if (must_fail) throw Ended{};
    if (!error.empty()) throw Unsupported{error};
  }

  /// A runtime begins when it is created; one that was shut down begins anew.
  void start(Json step) {
    int64_t runtime = whole_number(step["start"]);
    if (runtimes_.count(runtime) == 0 && apps_.count(runtime) != 0) {
      create(runtime, apps_.at(runtime), false);
    }
  }

  /// Callbacks are there from the beginning; what they are on must be there as well.
  void subscribe(Json step) {
    Json callback = JsonArray(json_["expect"]["callbacks"])
                        .at(static_cast<size_t>(whole_number(step["subscribe"])));
    auto target = find(step, "target");
    if (!target || !must_fail_) return;
    if (!subject(step).has(text(callback["kind"]) == "query", text(*target))) throw Ended{};
  }

  void shut_down(Json step) {
    collect();
    if (is_set(step, "shutdown_all")) {
      for (const auto& [runtime, subject] : runtimes_) transports_.disconnect(runtime);
      return runtimes_.clear();
    }
    transports_.disconnect(whole_number(step["shutdown"]));
    runtimes_.erase(whole_number(step["shutdown"]));
  }

  // ---- state ----

  /// A step that saves or loads states.
  bool take_state_step(Json step, bool must_fail) {
    if (is_set(step, "persistence")) {
      has_store_ = true;
    } else if (is_set(step, "persist") || is_set(step, "persist_all")) {
      if (must_fail && !has_store_) throw Ended{};
      if (!has_store_) throw Failure{"nothing to persist to"};
      for (int64_t runtime : runtimes_of(step, "persist")) {
        revisions_[apps_.at(runtime)].push_back(runtimes_.at(runtime)->save());
      }
    } else if (is_set(step, "restore_last") || is_set(step, "restore_all")) {
      for (int64_t runtime : runtimes_of(step, "restore_last")) {
        const std::vector<std::string>& saved = revisions_[apps_.at(runtime)];
        if (!saved.empty()) restore(runtime, saved.back());
      }
    } else if (is_set(step, "clear_revisions")) {
      revisions_[apps_.at(whole_number(step["clear_revisions"]))].clear();
    } else if (auto snapshot = find(step, "snapshot")) {
      snapshots_[text(*snapshot)] = subject(step).save();
    } else if (auto snapshot = find(step, "restore")) {
      auto named = find(step, "rt");
      restore(named ? whole_number(*named) : 0, snapshots_.at(text(*snapshot)));
    } else {
      return false;
    }
    return true;
  }

  /// The one that the step names under `key`, or all.
  std::vector<int64_t> runtimes_of(Json step, const char* key) const {
    if (auto named = find(step, key)) return {whole_number(*named)};
    std::vector<int64_t> all;
    for (const auto& [runtime, subject] : runtimes_) all.push_back(runtime);
    return all;
  }

  void restore(int64_t runtime, const std::string& state) {
    std::string wrong = runtimes_.at(runtime)->restore(state);
    if (!wrong.empty()) throw Failure{"a state cannot be restored: " + wrong};
  }

  void exchange_states() {
    for (auto& [runtime, subject] : runtimes_) {
      std::string saved = subject->save();
      restore(runtime, saved);
      if (subject->save() != saved) throw Failure{"a state is another after it was restored"};
    }
  }

  // ---- events ----

  void send(Json step, const std::string& stream, bool must_fail) {
    if (must_fail) return fail_to_send(step, stream);
    std::vector<SentEvent> events;
    auto batch = find(step, "events");
    if (batch) {
      for (Json each : JsonArray(*batch)) events.push_back(event(each));
    } else {
      events.push_back(event(step));
    }
    Subject& to = subject(step);
    bool fits = !batch && pending_to_ == &to && pending_stream_ == stream;
    if (!fits || pending_.size() >= options_.rebatch) flush();
    if (batch) return hand_over(to, stream, std::move(events), true);
    pending_to_ = &to;
    pending_stream_ = stream;
    pending_.push_back(std::move(events[0]));
  }

  /// A send that no stream takes, or that comes after a shutdown.
  void fail_to_send(Json step, const std::string& stream) {
    flush();
    try {
      subject(step).send(stream, {event(step)}, false, now_);
    } catch (const Unsupported&) {
      throw Ended{};
    }
    throw Failure{"an event must not be taken by " + stream};
  }

  void flush() {
    if (pending_.empty()) return;
    hand_over(*pending_to_, pending_stream_, std::exchange(pending_, {}), false);
  }

  void hand_over(Subject& to, const std::string& stream, std::vector<SentEvent> events,
                 bool one_chunk) {
    to.send(stream, std::move(events), one_chunk, now_);
    if (to.took_other_types()) values_.ignore_types();
  }

  SentEvent event(Json json) {
    SentEvent event;
    for (Json each : JsonArray(json["data"])) event.row.push_back(values_.value(each));
    event.timestamp = playback_ ? playback_ms_ : now_;
    if (auto stamp = find(json, "ts")) {
      // A bare number is longer here than a bare number among values, which is an int.
      int64_t given = stamp->is_int64() ? whole_number(*stamp)
                                        : static_cast<int64_t>(as_double(values_.value(*stamp)));
      if (given >= 0) event.timestamp = given;
    }
    playback_ms_ = std::max(playback_ms_, event.timestamp);
    return event;
  }

  // ---- time ----

  void pass(int64_t ms) {
    now_ += ms;
    if (playback_ && !plays_idle_) return;
    for (auto& [name, subject] : runtimes_) subject->advance(now_);
  }

  void wait_for(Json step, Json check) {
    int64_t poll = whole_number(step["poll_ms"]);
    int64_t timeout = whole_number(step["timeout_ms"]);
    if (find(step, "sleep_first")) pass(poll);
    for (int64_t waited = 0;; waited += poll) {
      collect();
      if (observed_.holds(check) || waited >= timeout) return;
      pass(poll);
    }
  }

  void collect() {
    for (auto& [runtime, subject] : runtimes_) {
      for (const Delivery& delivery : subject->take_deliveries()) {
        observed_.take(runtime, delivery);
        if (delivery.query || !transports_.has_sink(runtime, delivery.target)) continue;
        std::vector<Transports::Arrival> arrived =
            transports_.publish(runtime, delivery, subject->attributes(delivery.target));
        arrivals_.insert(arrivals_.end(), arrived.begin(), arrived.end());
      }
    }
  }

  /// What sinks have published goes to the sources of its topics, and what comes of that too.
  void deliver_to_topics() {
    constexpr int kHopsMax = 1000;
    flush();
    collect();
    for (int hop = 0; !arrivals_.empty(); ++hop) {
      if (hop > kHopsMax) throw Failure{"topics feed each other without end"};
      for (Transports::Arrival& arrival : std::exchange(arrivals_, {})) {
        std::vector<SentEvent> events;
        for (Row& row : arrival.rows) events.push_back({now_, std::move(row)});
        runtimes_.at(arrival.runtime)->send(arrival.stream, std::move(events), true, now_);
      }
      collect();
    }
  }

  void forget_what_is_not_cached() {
    for (auto& [runtime, subject] : runtimes_) {
      if (!cached_[runtime].empty()) flush();
      for (CachedTable& table : cached_[runtime]) table.forget(*subject, now_);
    }
  }

  // ---- on-demand queries ----

  void ask(Json step, const std::string& query, bool must_fail) {
    Answer answer = subject(step).query(query);
    if (must_fail) {
      if (answer.error.empty()) throw Failure{"the query must fail: " + query};
      throw Ended{};
    }
    if (!answer.error.empty()) throw Unsupported{query + ": " + answer.error};
    auto expected = find(step, "expect");
    if (expected) judge_answer(values_, *expected, answer.rows, query);
  }

  Json json_;
  const MakeSubject& make_;
  CaseOptions options_;
  bool playback_ = false;
  bool plays_idle_ = false;  ///< time passes a playback app by, unless it says so
  bool has_transports_ = false;
  Transports transports_;
  std::vector<Transports::Arrival> arrivals_;
  bool must_fail_ = false;
  int64_t now_ = kBegin;
  int64_t playback_ms_ = 0;
  CaseValues values_;
  Observed observed_;
  std::map<int64_t, std::unique_ptr<Subject>> runtimes_;
  std::map<int64_t, std::vector<CachedTable>> cached_;
  std::map<int64_t, int64_t> apps_;  ///< by runtime, also of those that were shut down
  bool has_store_ = false;
  std::map<int64_t, std::vector<std::string>> revisions_;  ///< by app
  std::map<std::string, std::string> snapshots_;
  Subject* pending_to_ = nullptr;
  std::string pending_stream_;
  std::vector<SentEvent> pending_;
};

}  // namespace

CaseOutcome run_case(std::string_view json_line, const MakeSubject& make,
                     const CaseOptions& options) {
  using Kind = CaseOutcome::Kind;
  simdjson::dom::parser parser;
  CaseOutcome outcome;
  auto ends = [&outcome](Kind kind, const std::string& why) {
    outcome.kind = kind;
    outcome.why = why;
  };
  try {
    simdjson::padded_string line(json_line);
    Json json = parser.parse(line);
    outcome.id = text(json["id"]);
    Runner(json, make, options).run();
  } catch (const Skip& skip) {
    ends(Kind::kSkipped, skip.why);
  } catch (const Unsupported& unsupported) {
    ends(Kind::kNotTaken, unsupported.why);
  } catch (const Failure& failure) {
    ends(Kind::kFailed, failure.why);
  } catch (const simdjson::simdjson_error& error) {
    ends(Kind::kFailed, std::string("the case cannot be read: ") + error.what());
  } catch (const std::out_of_range& error) {
    ends(Kind::kFailed, std::string("a name or place that is not there: ") + error.what());
  }
  return outcome;
}

}  // namespace pollux::conformance
