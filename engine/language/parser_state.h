// The recursive-descent parser behind parse_plan: one method for each rule of the grammar, spread
// over the parser*.cc files by idea. Internal to engine/language.
//
// A method that returns bool returns false when the text at the cursor does not fit: then the error
// is already reported, the cursor is where it went wrong, and the caller gives up its own rule too,
// up to the statement, where reading goes on behind the next ';'. Errors that leave no doubt about
// what was meant (a misspelt keyword, an unknown type) are reported and read on from.
// Thread: any, one parser for one text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "engine/language/ast.h"
#include "engine/language/diagnostics.h"
#include "engine/language/lexer.h"

namespace pollux {

class Parser {
 public:
  explicit Parser(std::string_view text);

  ast::Plan plan();
  ast::OnDemandQuery on_demand_query();
  ast::ExpressionPtr whole_expression();

  /// What went wrong, in the order of the text. Call it once, at the end.
  Diagnostics take_diagnostics();

 private:
  /// One level deeper, as long as it lives.
  class Nesting {
   public:
    explicit Nesting(Parser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Nesting() { --parser_.depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    /// False, and reported, when the text goes deeper than kNestingMax.
    [[nodiscard]] bool allowed();

   private:
    Parser& parser_;
  };

  enum class Handlers : uint8_t { kAny, kWithoutWindow };

  // ---- cursor (parser.cc) ----

  const Token& peek(size_t ahead = 0) const;
  const Token& token_at(size_t index) const;
  void skip() { position_ = position_ + 1 < tokens_.size() ? position_ + 1 : position_; }

  bool at(TokenKind kind) const { return peek().kind == kind; }
  bool at(Keyword keyword) const { return peek().keyword == keyword; }
  bool at_any(std::initializer_list<Keyword> keywords) const;
  bool at_symbol(std::string_view symbol, size_t ahead = 0) const;
  bool at_name(size_t ahead = 0) const;
  bool accept(Keyword keyword);
  bool accept_symbol(std::string_view symbol);
  /// A clause of a query begins here, although its keyword could be a name as well.
  bool at_clause(size_t ahead = 0) const;
  /// A statement surely begins here: a ';' was forgotten.
  bool at_statement_start() const;

  // ---- errors (parser.cc) ----

  void report(Location location, std::string message, std::string expected, std::string hint = "");
  /// Reports that the token at the cursor does not fit; always false.
  bool fail(std::string expected, std::string hint = "");
  [[nodiscard]] bool expect(Keyword keyword);
  [[nodiscard]] bool expect_symbol(std::string_view symbol);
  /// When the word at the cursor is near to one of `keywords`, reports that and takes it for it.
  void repair(std::initializer_list<Keyword> keywords);
  bool full() const { return diagnostics_.size() >= stop_at_diagnostics_; }

  [[nodiscard]] bool name(std::string& out, const char* what);
  [[nodiscard]] bool string(std::string& out, const char* what);

  // ---- statements (parser.cc) ----

  void statement(ast::Plan& plan);
  [[nodiscard]] bool element(ast::Plan& plan);
  void end_statement();
  /// To the next ';' (consumed), or to where a statement surely begins.
  void synchronise();
  [[nodiscard]] bool annotations(std::vector<ast::Annotation>& own, ast::Plan* plan);
  [[nodiscard]] bool annotation(ast::Annotation& out);
  [[nodiscard]] bool annotation_part(ast::Annotation& out);
  [[nodiscard]] bool annotation_key(std::string& out);

  // ---- definitions (parser_definitions.cc) ----

  [[nodiscard]] bool definition(std::vector<ast::Annotation> annotations, ast::Plan& plan);
  [[nodiscard]] bool stream_definition(ast::StreamDefinition& out, const char* what);
  [[nodiscard]] bool window_definition(ast::WindowDefinition& out);
  [[nodiscard]] bool trigger_definition(ast::TriggerDefinition& out);
  [[nodiscard]] bool function_definition(ast::FunctionDefinition& out);
  [[nodiscard]] bool aggregation_definition(ast::AggregationDefinition& out);
  [[nodiscard]] bool aggregation_durations(ast::AggregationDefinition& out);
  [[nodiscard]] bool aggregation_duration(std::vector<std::string>& out);
  [[nodiscard]] bool attribute_type(AttributeType& out);

  // ---- queries (parser_queries.cc) ----

  [[nodiscard]] bool query(std::vector<ast::Annotation> annotations, ast::Query& out);
  /// Behind `from`: input, selection, rate and action.
  [[nodiscard]] bool query_body(ast::Query& out);
  [[nodiscard]] bool input(ast::QueryInput& out);
  [[nodiscard]] bool anonymous(ast::StreamSource& out);
  [[nodiscard]] bool join(ast::JoinInput& out);
  [[nodiscard]] bool join_kind(ast::JoinInput::Kind& out);
  [[nodiscard]] bool join_side(ast::StreamSource& out);
  [[nodiscard]] bool join_conditions(ast::JoinInput& out);
  [[nodiscard]] bool within_range(std::vector<ast::ExpressionPtr>& out);
  [[nodiscard]] bool source(ast::StreamSource& out, Handlers allowed);
  [[nodiscard]] bool handlers(ast::StreamSource& out, Handlers allowed);
  [[nodiscard]] bool handler(ast::StreamHandler& out);
  bool at_anonymous() const;
  /// Index of the token behind the source that begins at `index`; nothing is read or reported.
  size_t behind_source(size_t index) const;
  size_t behind_brackets(size_t index) const;

  // ---- partitions (parser_partitions.cc) ----

  [[nodiscard]] bool partition(std::vector<ast::Annotation> annotations, ast::Partition& out);
  [[nodiscard]] bool partition_key(ast::PartitionKey& out);
  [[nodiscard]] bool partition_header(ast::Partition& out);
  /// One query of a partition; after an error, to where the next can be read.
  void partition_statement(ast::Partition& out);
  bool at_partition_end() const;

  // ---- patterns and sequences (parser_patterns.cc) ----

  [[nodiscard]] bool state_input(ast::StateInput& out);
  [[nodiscard]] bool state_chain(ast::StateElement& out);
  [[nodiscard]] bool state_part(ast::StateElement& out);
  [[nodiscard]] bool state_every(ast::StateElement& out);
  [[nodiscard]] bool state_logical(ast::StateElement& out);
  [[nodiscard]] bool state_stream(ast::StateElement& out);
  [[nodiscard]] bool state_count(ast::StateElement& out);
  [[nodiscard]] bool state_separator(bool& found);
  bool at_state_keyword(Keyword keyword) const;

  // ---- selection and output (parser_selection.cc) ----

  [[nodiscard]] bool selector(ast::Selector& out);
  [[nodiscard]] bool output_attribute(ast::OutputAttribute& out);
  [[nodiscard]] bool selector_clauses(ast::Selector& out);
  [[nodiscard]] bool selector_clause(ast::Selector& out);
  [[nodiscard]] bool order_by(ast::Selector& out);
  [[nodiscard]] bool output_rate(ast::OutputRate& out);
  [[nodiscard]] bool output_action(ast::OutputAction& out);
  [[nodiscard]] bool insert_action(ast::OutputAction& out);
  [[nodiscard]] bool update_action(ast::OutputAction& out);
  [[nodiscard]] bool target(ast::OutputAction& out);
  [[nodiscard]] bool for_events(ast::OutputAction& out);
  [[nodiscard]] bool assignments(ast::OutputAction& out);
  [[nodiscard]] bool event_type(ast::OutputAction::Events& out, bool& raw);
  bool at_event_type() const;

  // ---- on-demand queries (parser_on_demand.cc) ----

  [[nodiscard]] bool on_demand(ast::OnDemandQuery& out);
  [[nodiscard]] bool on_demand_find(ast::OnDemandQuery& out);

  // ---- expressions (parser_expressions.cc); null when the text does not fit ----

  ast::ExpressionPtr expression();
  ast::ExpressionPtr binary(int precedence_min);
  ast::ExpressionPtr operand();
  ast::ExpressionPtr operand_without_null_check();
  ast::ExpressionPtr parenthesised();
  ast::ExpressionPtr negation();
  ast::ExpressionPtr reference_expression();
  ast::ExpressionPtr function_call();
  std::nullptr_t fail_expression(std::string expected, std::string hint = "");
  [[nodiscard]] bool function(std::string& name_space, std::string& name, bool& star,
                              std::vector<ast::ExpressionPtr>& arguments);
  [[nodiscard]] bool reference(ast::Reference& out);
  [[nodiscard]] bool attribute_reference(ast::Reference& out);
  [[nodiscard]] bool event_index(ast::EventIndex& out);
  bool at_event_index() const;
  bool at_function() const;
  [[nodiscard]] bool expression_into(ast::ExpressionPtr& out);

  // ---- literals (parser_literals.cc) ----

  bool at_number(size_t ahead = 0) const;
  bool at_time() const;
  ast::ExpressionPtr literal();
  ast::ExpressionPtr number();
  /// Repairs the word behind the number at the cursor: only a unit can stand there.
  void repair_unit();
  [[nodiscard]] bool time(int64_t& ms);
  [[nodiscard]] bool small_integer(int32_t& out, const char* what);
  [[nodiscard]] bool event_count(int64_t& out);

  Diagnostics diagnostics_;
  std::vector<Token> tokens_;
  size_t position_ = 0;
  size_t stop_at_diagnostics_ = 0;  ///< what the lexer found does not keep the parser from reading
  int depth_ = 0;
  int height_ = 0;  ///< of the tree that the last expression method returned

  /// What joins the parts of the pattern being read: "", "->" or ",".
  std::string_view state_separator_;
  Location symbol_count_;  ///< where a count was written as *, + or ?
  bool symbol_counted_ = false;
};

}  // namespace pollux
