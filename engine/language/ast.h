// The tree of a SiddhiQL text as it was written: nothing is resolved, nothing is checked beyond
// grammar. The whole language has its place here; what the binder takes is the binder's matter.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/language/diagnostics.h"
#include "engine/types/attribute_type.h"
#include "engine/types/value.h"

namespace pollux::ast {

// ---- annotations ----

struct AnnotationElement {
  std::string key;  ///< empty for @Name('value')
  std::string value;
  Location location;
};

/// @name(key='value', 'value', @nested(...)). Names are matched without regard to letter case.
struct Annotation {
  std::string name;  ///< as written, with its namespace: "app:name", "Index"
  std::vector<AnnotationElement> elements;
  std::vector<Annotation> annotations;
  Location location;
};

// ---- expressions ----

/// Index behind an event reference: e1[0], e1[last], e1[last-1].
struct EventIndex {
  enum class Kind : uint8_t { kNone, kAt, kFromLast };
  Kind kind = Kind::kNone;
  int32_t offset = 0;  ///< kAt: the index; kFromLast: how many before the last
};

/// A reference to an attribute, or (attribute empty) to a whole event, as in `e1[1] is null`.
/// A bare name is always written as an attribute; in `x is null` it may also be an event
/// reference, which only the binder can tell.
struct Reference {
  bool inner = false;  ///< #Stream
  bool fault = false;  ///< !Stream
  std::string stream;  ///< stream, alias or event reference; empty when only an attribute is named
  EventIndex index;
  std::string second_stream;  ///< e1[0]#S2[1].a
  EventIndex second_index;
  std::string attribute;
};

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Expression {
  enum class Kind : uint8_t {
    kConstant,   ///< `constant`
    kTime,       ///< `constant` is an int64_t of milliseconds
    kReference,  ///< `reference`
    kNot,
    kMultiply,
    kDivide,
    kModulo,
    kAdd,
    kSubtract,
    kGreater,
    kGreaterEqual,
    kLess,
    kLessEqual,
    kEqual,
    kNotEqual,
    kAnd,
    kOr,
    kIsNull,    ///< arguments[0], a reference for events
    kIn,        ///< arguments[0] in `table`
    kFunction,  ///< `name_space`:`name`(arguments), `star` for f(*)
  };

  Kind kind = Kind::kConstant;
  Location location;
  Value constant;
  Reference reference;
  std::string name_space;
  std::string name;
  bool star = false;
  std::string table;
  std::vector<ExpressionPtr> arguments;
};

// ---- inputs ----

struct StreamHandler {
  enum class Kind : uint8_t { kFilter, kFunction, kWindow };
  Kind kind = Kind::kFilter;
  Location location;
  ExpressionPtr filter;
  std::string name_space;
  std::string name;
  std::vector<ExpressionPtr> arguments;
  bool star = false;
};

struct Query;

/// A source with its handlers in order (at most one window among them).
struct StreamSource {
  Location location;
  bool inner = false;
  bool fault = false;
  std::string stream;
  std::string alias;  ///< `as x` in a join, `e1=` in a pattern
  std::vector<StreamHandler> handlers;
  std::unique_ptr<Query> anonymous;  ///< from (from S select .. return)
};

struct JoinInput {
  enum class Kind : uint8_t { kInner, kLeftOuter, kRightOuter, kFullOuter };
  enum class Trigger : uint8_t { kBoth, kLeft, kRight };
  Kind kind = Kind::kInner;
  Trigger trigger = Trigger::kBoth;  ///< kLeft/kRight: that side is unidirectional
  StreamSource left;
  StreamSource right;
  ExpressionPtr on;
  std::optional<int64_t> within_ms;   ///< 3.x: `within <time>`
  std::vector<ExpressionPtr> within;  ///< 5.x: aggregations
  ExpressionPtr per;                  ///< 5.x: aggregations
};

/// One node of a pattern or sequence.
struct StateElement {
  enum class Kind : uint8_t {
    kStream,  ///< `source`; with count when min/max say so
    kAbsent,  ///< not `source` [for for_ms]
    kAnd,     ///< children[0] and children[1], each kStream or kAbsent
    kOr,
    kNext,   ///< children in order, joined by -> or ,
    kEvery,  ///< children[0]
  };
  static constexpr int32_t kAny = -1;  ///< no upper bound

  Kind kind = Kind::kStream;
  Location location;
  StreamSource source;
  int32_t min_count = 1;
  int32_t max_count = 1;
  bool counted = false;  ///< a count was written (<n:m>, *, +, ?)
  std::optional<int64_t> for_ms;
  std::optional<int64_t> within_ms;  ///< 3.x: of this part alone; that of the whole is the input's
  std::vector<StateElement> children;
};

struct StateInput {
  bool sequence = false;
  StateElement root;
  std::optional<int64_t> within_ms;  ///< written last, behind the whole pattern
  /// No parentheses stand around the whole: 3.1 takes that `within` for the last part's alone.
  bool within_last_part = false;
};

using QueryInput = std::variant<StreamSource, JoinInput, StateInput>;

// ---- selection and output ----

struct OutputAttribute {
  ExpressionPtr expression;
  std::string name;  ///< empty: that of the reference
  Location location;
};

struct OrderBy {
  ExpressionPtr expression;
  bool descending = false;
};

struct Selector {
  bool star = true;
  std::vector<OutputAttribute> attributes;
  std::vector<ExpressionPtr> group_by;
  ExpressionPtr having;
  std::vector<OrderBy> order_by;
  ExpressionPtr limit;
  ExpressionPtr offset;
  Location location;
};

struct OutputRate {
  enum class Kind : uint8_t { kNone, kEvents, kTime, kSnapshot };
  enum class Which : uint8_t { kAll, kFirst, kLast };
  Kind kind = Kind::kNone;
  Which which = Which::kAll;
  int64_t amount = 0;  ///< events, or milliseconds
  Location location;
};

struct Assignment {
  Reference target;
  ExpressionPtr value;
  Location location;
};

struct OutputAction {
  /// kReturn: to whoever watches the query. kNone: nothing was written.
  enum class Kind : uint8_t { kInsert, kDelete, kUpdate, kUpdateOrInsert, kReturn, kNone };
  enum class Events : uint8_t { kCurrent, kExpired, kAll };
  Kind kind = Kind::kNone;
  Events events = Events::kCurrent;
  bool raw = false;  ///< 3.x: `all raw events`, `expired raw events`
  bool inner = false;
  bool fault = false;
  std::string target;
  std::vector<Assignment> set;
  ExpressionPtr on;
  Location location;
};

struct Query {
  Location location;
  std::vector<Annotation> annotations;
  QueryInput input;
  Selector selector;
  OutputRate rate;
  OutputAction output;
};

// ---- definitions ----

struct AttributeDefinition {
  std::string name;
  AttributeType type;
  Location location;
};

struct StreamDefinition {
  std::string name;
  std::vector<AttributeDefinition> attributes;
  std::vector<Annotation> annotations;
  Location location;
};

struct TableDefinition : StreamDefinition {};

struct WindowDefinition : StreamDefinition {
  StreamHandler window;
  OutputAction::Events events = OutputAction::Events::kAll;
};

struct TriggerDefinition {
  std::string name;
  std::optional<int64_t> every_ms;
  std::string at;  ///< a cron expression, or 'start'
  std::vector<Annotation> annotations;
  Location location;
};

struct FunctionDefinition {
  std::string name;
  std::string language;
  AttributeType returns = AttributeType::kObject;
  std::string body;
  Location body_location;  ///< of its first byte
  std::vector<Annotation> annotations;
  Location location;
};

struct AggregationDefinition {
  std::string name;
  StreamSource source;
  Selector selector;
  std::optional<Reference> by;
  std::vector<std::string> durations;  ///< as written, lower case singular: "sec" .. "year"
  bool range = false;                  ///< first ... last
  std::vector<Annotation> annotations;
  Location location;
};

using Definition = std::variant<StreamDefinition, TableDefinition, WindowDefinition,
                                TriggerDefinition, FunctionDefinition, AggregationDefinition>;

// ---- partitions and the whole ----

struct PartitionRange {
  ExpressionPtr condition;
  std::string key;
};

struct PartitionKey {
  std::string stream;
  ExpressionPtr value;                 ///< by value, or
  std::vector<PartitionRange> ranges;  ///< by range
  Location location;
};

struct Partition {
  std::vector<Annotation> annotations;
  std::vector<PartitionKey> keys;
  std::vector<Query> queries;
  Location location;
};

using Element = std::variant<Query, Partition>;

struct Plan {
  std::vector<Annotation> annotations;  ///< @app:... and @Plan:...
  std::vector<Definition> definitions;
  std::vector<Element> elements;
};

// ---- on-demand queries ----

/// A query that is asked once of a table, a named window or an aggregation.
struct OnDemandQuery {
  /// kInsert and the changing kinds have their target, `set` and `on` in `output`.
  enum class Kind : uint8_t { kFind, kInsert, kDelete, kUpdate, kUpdateOrInsert };
  Kind kind = Kind::kFind;
  std::string store;  ///< kFind: what is read
  Location store_location;
  std::string alias;
  ExpressionPtr on;                   ///< kFind
  std::vector<ExpressionPtr> within;  ///< kFind: a time range
  ExpressionPtr per;                  ///< kFind, aggregations
  std::optional<Selector> selector;
  OutputAction output;
  Location location;
};

}  // namespace pollux::ast
