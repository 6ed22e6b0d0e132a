// From the tree of a query to operators that stand in its plan.
//
// Everything that is wrong goes to the diagnostics; a query with errors leaves operators behind
// that nobody reads, in a plan that will not be deployed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"
#include "engine/operators/aggregation_search.h"
#include "engine/operators/stream_function.h"
#include "engine/operators/window.h"
#include "engine/planner/expression_binder.h"
#include "engine/planner/flow.h"
#include "engine/planner/scope.h"
#include "engine/runtime/plan.h"

namespace pollux {

class OutputGate;

/// The partition around a query: its instances, the ways in, and the streams inside.
struct PartitionFrame {
  Partition* partition = nullptr;
  std::map<std::string, PartitionInput*> inputs;  ///< by stream, with a key
  std::set<std::string> joined;  ///< streams that some query inside reads: only they make instances
  std::map<std::string, std::unique_ptr<Junction>> streams;  ///< #inner streams
};

class QueryPlanner : public TableCatalogue {
 public:
  /// `observer` may be null.
  QueryPlanner(Plan& plan, Flow& flow, FlowObserver* observer, Diagnostics& diagnostics)
      : plan_(plan), flow_(flow), observer_(observer), diagnostics_(diagnostics) {}

  /// `frame` is null outside of partitions.
  void add(const ast::Query& query, PartitionFrame* frame);

  void add_window(const ast::WindowDefinition& definition, const SchemaPtr& schema);
  /// Behind all streams: the source must be one of them. The name must be free.
  void add_aggregation(const ast::AggregationDefinition& definition);

  /// Behind all queries: events of streams that are joined with external tables come from outside.
  void check_lookups(const ast::Plan& tree);

  Table* find_table(const std::string& name) override;
  std::vector<std::string> table_names() const override;
  bool is_external(const std::string& name) const override;
  void note_access(const std::string& name) override;
  ScriptFunctions* scripts() override { return plan_.scripts(); }

 private:
  /// Where rows come from: the stream, and what its attributes are called.
  struct Input {
    Junction* junction = nullptr;
    SchemaPtr schema;
    std::vector<std::string> names;
    NamedWindow* window = nullptr;  ///< a named window's output
  };
  /// What select gives besides the plan itself.
  struct Selection {
    SelectorPlan plan;
    std::vector<std::string> names;
  };
  struct StarAttribute {
    std::string name;
    ExpressionPtr value;
  };
  /// A filter or a stream function.
  struct Step {
    ExpressionPtr filter;
    std::unique_ptr<StreamFunction> function;
  };
  struct Handlers {
    std::vector<Step> before;
    SchemaPtr schema;  ///< of what comes out of them
    const ast::StreamHandler* window = nullptr;
    std::vector<const ast::StreamHandler*> after;
  };

  void add_single(const ast::Query& query, const ast::StreamSource& source);
  void add_join(const ast::Query& query, const ast::JoinInput& join);
  void add_pattern(const ast::Query& query, const ast::StateInput& input);

  std::optional<Input> find_input(const ast::StreamSource& source);
  std::optional<Handlers> bind_handlers(const ast::StreamSource& source, const Input& input);
  /// Adds the handler to the steps; `schema` is then that of what comes out of it.
  bool bind_step(const ast::StreamHandler& handler, const std::vector<std::string>& names,
                 SchemaPtr& schema, std::vector<Step>& steps);
  std::unique_ptr<StreamFunction> bind_stream_function(const ast::StreamHandler& handler,
                                                       const std::vector<std::string>& names,
                                                       const SchemaPtr& schema);
  /// Of one source.
  SourcesScope scope_of(const std::vector<std::string>& names, const SchemaPtr& schema) const;
  ExpressionPtr bind_filter(const ast::Expression& filter, Scope& scope);
  void lead_into_partition(const std::string& name, Input& input);
  void read(const Input& input, Receiver& reader);
  Receiver& chain_steps(std::vector<Step>& steps, Receiver& last);
  // query_planner_window.cc
  /// What goes into a named window, as a stream.
  static std::string window_entrance(const std::string& name) { return "insert into " + name; }
  std::optional<WindowPlan> plan_window(const ast::StreamHandler& handler, const SchemaPtr& schema,
                                        Scope& scope);
  /// Whether rows leave the window in the order in which they came.
  static bool window_leaves_in_order(const ast::StreamHandler& handler);
  using Arguments = std::vector<const ast::Expression*>;
  bool window_parameters(const ast::StreamHandler& handler, Arguments arguments, Scope& scope,
                         WindowPlan& window);
  bool window_extent(const ast::StreamHandler& handler, const ast::Expression& argument,
                     WindowPlan& window);
  bool window_time(const ast::Expression& argument, Scope& scope, WindowPlan& window);
  bool window_cron(const ast::Expression& argument, WindowPlan& window);
  bool window_order(const Arguments& arguments, WindowPlan& window);
  bool window_number(const ast::Expression& argument, const char* what, int64_t& value);
  // query_planner_window_options.cc
  bool window_batch_options(const ast::StreamHandler& handler, const Arguments& options,
                            WindowPlan& window);
  bool window_external_options(const Arguments& options, Scope& scope, WindowPlan& window);
  bool window_keys(const Arguments& keys, Scope& scope, WindowPlan& window);
  bool window_counting(const Arguments& arguments, Scope& scope, WindowPlan& window);
  bool window_session(const Arguments& arguments, Scope& scope, WindowPlan& window);
  bool window_expression(const Arguments& arguments, Scope& scope, WindowPlan& window);
  bool window_flag(const ast::Expression& argument, const char* what, bool& value);
  bool window_share(const ast::Expression& argument, const char* what, double& value);

  // query_planner_select.cc
  bool leaves_in_order(const ast::QueryInput& input) const;
  bool stands_for_chunk(const ast::Query& query, const SelectorPlan& plan);
  std::optional<Selection> plan_selection(const ast::Query& query, Scope& scope,
                                          const std::vector<StarAttribute>& star);
  SelectedReceiver* plan_output(const ast::Query& query, Selection& selection);
  SelectedReceiver* plan_snapshots(const ast::Query& query, SelectorPlan& selection,
                                   SelectedReceiver& target);
  SelectedReceiver* plan_target(const ast::Query& query, const SchemaPtr& output);
  SelectedReceiver* plan_stream_target(const ast::OutputAction& action, const SchemaPtr& output);
  SelectedReceiver* plan_table_target(const ast::OutputAction& action, const SchemaPtr& output,
                                      Table& table);
  bool fits(const Schema& output, const Schema& target, const Location& location, bool by_name);

  // query_planner_join.cc
  struct JoinPart {
    Input input;
    Table* table = nullptr;
    Aggregation* aggregation = nullptr;
    bool external = false;  ///< the table
    std::string held_name;  ///< of the table or aggregation
    Handlers handlers;
    std::unique_ptr<SourcesScope> scope;

    /// Holds rows that are found, and gives none itself.
    bool held() const { return table != nullptr || aggregation != nullptr; }
  };
  std::optional<JoinPart> plan_join_part(const ast::StreamSource& source);
  Searched* plan_search(const ast::JoinInput& join, JoinPart& searching, JoinPart& searched,
                        WindowOperator* window, std::vector<bool>& searched_used,
                        bool report_errors);

  // query_planner_external.cc
  bool check_external_stream(const ast::StreamSource& source, const JoinPart& part,
                             const std::string& table);
  bool check_external_join(const ast::JoinInput& join, size_t table_side, const std::string& table);
  bool plan_lookup(const ast::JoinInput& join, const JoinPart& stream, const JoinPart& table,
                   size_t table_side);

  // query_planner_aggregation.cc
  std::vector<AggregationPlan::Unit> aggregation_units(
      const ast::AggregationDefinition& definition);
  bool check_aggregation_annotations(const ast::AggregationDefinition& definition);
  ExpressionPtr aggregation_time(const ast::Reference& by, const Location& location, Scope& scope);
  std::optional<AggregationWindow> plan_aggregation_window(const ast::JoinInput& join,
                                                           const Aggregation& aggregation,
                                                           Scope& scope, Diagnostics& heard);

  // query_planner_pattern.cc
  bool add_pattern_states(const ast::StateElement& element, PatternNames& names,
                          PatternPlan& pattern, std::vector<Input>& inputs, bool start,
                          std::pair<int32_t, int32_t>& ends);
  bool add_pattern_stream(const ast::StateElement& element, PatternNames& names,
                          PatternPlan& pattern, std::vector<Input>& inputs, bool start);
  void bind_pattern_filter(const ast::StateElement& element, uint32_t state, PatternNames& names,
                           PatternPlan& pattern);

  void report(const Location& location, std::string message, std::string expected = {},
              std::string hint = {});
  template <class T>
  T& own(std::unique_ptr<T> part) {
    T& reference = plan_.own(std::move(part));
    if constexpr (std::is_base_of_v<KeyedOperator, T>) {
      if (frame_ != nullptr) frame_->partition->add_operator(reference);
    }
    return reference;
  }
  bool expects_expired(const ast::Query& query) const {
    return query.output.events != ast::OutputAction::Events::kCurrent;
  }

  Plan& plan_;
  Flow& flow_;
  FlowObserver* observer_;
  Diagnostics& diagnostics_;
  PartitionFrame* frame_ = nullptr;
  OutputGate* gate_ = nullptr;  ///< of the query in hand, in a plan that feeds itself
  std::vector<std::pair<std::string, Location>> lookups_;   ///< by stream, in external tables
  std::vector<const ast::StateElement*> pattern_elements_;  ///< by state, of the query in hand
};

}  // namespace pollux
