// Stream functions of SiddhiQL's core, without a namespace.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "engine/expression/row_function.h"
#include "engine/operators/plan_log.h"
#include "engine/operators/stream_function.h"

namespace pollux {
namespace {

// ---- pol2Cart ----

ExpressionPtr cartesian(const ExpressionPtr& theta, const ExpressionPtr& rho,
                        double (*part)(double)) {
  return make_row_function(AttributeType::kDouble, {theta, rho},
                           [part](const RowArguments& in, RowResult& out) {
                             if (in.is_null(0) || in.is_null(1)) return;
                             double angle = in.get<double>(0) / 180.0 * std::numbers::pi;
                             out.put(in.get<double>(1) * part(angle));
                           });
}

StreamFunctionResult make_pol2cart(StreamFunctionCall call) {
  const std::vector<ExpressionPtr>& in = call.arguments;
  bool doubles = std::all_of(in.begin(), in.end(), [](const ExpressionPtr& argument) {
    return argument->type() == AttributeType::kDouble;
  });
  if (in.size() < 2 || in.size() > 3 || !doubles) {
    return CallError{"it takes an angle in degrees, a distance and perhaps a height",
                     "(theta, rho) or (theta, rho, z), all of them doubles"};
  }
  std::vector<Attribute> added = {{"x", AttributeType::kDouble}, {"y", AttributeType::kDouble}};
  std::vector<ExpressionPtr> values = {
      cartesian(in[0], in[1], [](double angle) { return std::cos(angle); }),
      cartesian(in[0], in[1], [](double angle) { return std::sin(angle); })};
  if (in.size() == 3) {
    added.push_back({"z", AttributeType::kDouble});
    values.push_back(in[2]);
  }
  auto output = with_attributes(*call.input, added);
  if (auto* error = std::get_if<CallError>(&output)) return std::move(*error);
  return std::make_unique<AddedAttributes>(call.input, std::get<SchemaPtr>(std::move(output)),
                                           std::move(values), call.context);
}

// ---- log ----

struct LogPlan {
  ExpressionPtr priority, message, with_event;  ///< null: info, none, true
};

constexpr size_t kLogBytesMax = 4096;

/// Empty: OFF.
std::optional<LogPriority> priority_of(std::string_view name, bool& known) {
  static constexpr std::array<std::pair<std::string_view, LogPriority>, 6> kNames = {{
      {"TRACE", LogPriority::kTrace},
      {"DEBUG", LogPriority::kDebug},
      {"INFO", LogPriority::kInfo},
      {"WARN", LogPriority::kWarn},
      {"ERROR", LogPriority::kError},
      {"FATAL", LogPriority::kFatal},
  }};
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  known = true;
  for (const auto& [word, priority] : kNames) {
    if (upper == word) return priority;
  }
  known = upper == "OFF";
  return known ? std::nullopt : std::optional(LogPriority::kInfo);
}

/// Tells the plan's log of each row and hands the rows on as they are.
class LogFunction final : public StreamFunction {
 public:
  LogFunction(SchemaPtr input, LogPlan plan, PlanContext& context)
      : StreamFunction(std::move(input)), plan_(std::move(plan)), context_(context) {}

  void receive(const Chunk& chunk) override {
    if (context_.has_log()) log(chunk);
    next().receive(chunk);
  }

 private:
  void log(const Chunk& chunk) {
    FrameSource source = chunk.source();
    Frame frame{chunk.rows, &source, context_.now()};
    auto values = [&](const ExpressionPtr& part) { return part ? part->evaluate(frame) : Vec{}; };
    Vec priorities = values(plan_.priority);
    Vec messages = values(plan_.message);
    Vec with_event = values(plan_.with_event);
    for (uint32_t i = 0; i < chunk.rows; ++i) {
      std::optional<LogPriority> priority = LogPriority::kInfo;
      bool known = true;
      if (plan_.priority && !priorities.is_null(i)) {
        priority = priority_of(priorities.at<StringRef>(i).view(), known);
      }
      if (!priority) continue;
      std::string text;
      if (plan_.message) {
        text = messages.is_null(i) ? "null" : std::string(messages.at<StringRef>(i).view());
      }
      bool event = !plan_.with_event || (!with_event.is_null(i) && with_event.at<uint8_t>(i) != 0);
      if (event) text += (text.empty() ? "" : ", ") + event_text(chunk, i);
      if (text.empty()) text = "Event Arrived";
      if (text.size() > kLogBytesMax) {
        text.resize(kLogBytesMax);
        text += "...";
      }
      context_.log(*priority, text);
    }
  }

  std::string event_text(const Chunk& chunk, uint32_t i) const {
    std::string text = output()->name() + " {";
    for (size_t c = 0; c < output()->size() && text.size() <= kLogBytesMax; ++c) {
      text += (c == 0 ? "" : ", ") + (*output())[c].name + ": ";
      text += to_text(chunk.batch->value(chunk.row(i), c));
    }
    text += "} at " + std::to_string(chunk.timestamp(i));
    if ((chunk.kind(i) & EventKind::kExpired) != 0) text += ", expired";
    return text;
  }

  LogPlan plan_;
  PlanContext& context_;
};

StreamFunctionResult make_log(StreamFunctionCall call) {
  std::vector<ExpressionPtr>& in = call.arguments;
  auto is = [&](size_t i, AttributeType type) { return i < in.size() && in[i]->type() == type; };
  constexpr AttributeType kText = AttributeType::kString;
  constexpr AttributeType kFlag = AttributeType::kBool;
  LogPlan plan;
  size_t taken = 0;
  if (is(0, kText) && is(1, kText)) plan.priority = in[taken++];
  if (is(taken, kText)) plan.message = in[taken++];
  if (is(taken, kFlag)) plan.with_event = in[taken++];
  if (taken != in.size()) {
    return CallError{"these are no priority, message and flag",
                     "(), (message), (flag), (message, flag), (priority, message) or (priority, "
                     "message, flag), where the flag says whether the event is logged"};
  }
  const Vec* constant = plan.priority ? plan.priority->constant() : nullptr;
  bool known = true;
  if (constant != nullptr && !constant->is_null(0)) {
    priority_of(constant->at<StringRef>(0).view(), known);
  }
  if (!known) {
    return CallError{"an unknown priority",
                     "'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL' "
                     "or 'OFF'"};
  }
  return std::make_unique<LogFunction>(call.input, std::move(plan), call.context);
}

}  // namespace

std::vector<StreamFunctionEntry> core_stream_functions() {
  return {
      {"", "log", "([<string> priority,] [<string> message,] [<bool> with event])",
       "Writes each event, or a message, or both, to the log; the events go on as they are.",
       make_log},
      {"", "pol2Cart", "(<double> theta, <double> rho [, <double> z])",
       "Adds the Cartesian coordinates x and y of polar ones, theta in degrees, and z as it is.",
       make_pol2cart},
  };
}

}  // namespace pollux
