// A plan at work: streams, tables, queries and partitions, wired to each other.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/oracle/clock.h"
#include "tests/oracle/expression.h"
#include "tests/oracle/oracle.h"
#include "tests/oracle/table.h"
#include "tests/oracle/work.h"

namespace pollux::oracle {

class Receiver {
 public:
  virtual ~Receiver() = default;
  virtual void receive(const Chunk& chunk) = 0;
};

/// A stream: hands each chunk to its receivers in the order in which they came.
class Junction {
 public:
  Junction(std::string name, Fields fields) : name_(std::move(name)), fields_(std::move(fields)) {}

  const std::string& name() const { return name_; }
  const Fields& fields() const { return fields_; }
  void subscribe(Receiver* receiver) { receivers_.push_back(receiver); }
  void send(const Chunk& chunk) {
    for (Receiver* receiver : receivers_) receiver->receive(chunk);
  }

 private:
  std::string name_;
  Fields fields_;
  std::vector<Receiver*> receivers_;
};

class NamedWindow;
class TriggerRuntime;

/// Streams of a plan or, inside a partition, of one of its instances.
using Junctions = std::map<std::string, std::unique_ptr<Junction>>;

/// What all queries of a plan share.
struct PlanState {
  PlanState();
  ~PlanState();

  Clock clock;
  Work work;
  Junctions streams;
  std::map<std::string, Fields> inferred;  ///< fields of streams, known before junctions are made
  std::vector<std::unique_ptr<Table>> tables;
  std::vector<Table*> table_pointers;
  std::vector<std::unique_ptr<NamedWindow>> windows;
  std::vector<std::unique_ptr<TriggerRuntime>> triggers;
  std::vector<Result> results;
  std::vector<Delivery> deliveries;
  bool record_deliveries = false;

  Table* find_table(const std::string& name);
  NamedWindow* find_window(const std::string& name);
  /// The stream of this name, made when it is not there yet; its fields must be known.
  Junction& stream(const std::string& name);
  /// A scope that knows the tables and no source.
  Scope base_scope();
};

/// The bound text of one query; instances are made from it.
class QueryPlan;

/// A query at work, or one of its instances in a partition.
class QueryInstance {
 public:
  virtual ~QueryInstance() = default;
  /// Receiver for a stream of the query; null when it does not read it.
  virtual Receiver* receiver(const std::string& stream) = 0;
};

/// Where an instance's output and input streams are found.
struct Surroundings {
  PlanState* plan = nullptr;
  Junctions* inner = nullptr;  ///< of a partition's instance
};

class QueryPlan {
 public:
  /// Binds `query`; streams it reads must be known. Throws PlanError.
  /// `inner` are the inner streams known so far; the query's own output is added.
  QueryPlan(const ast::Query& query, PlanState& plan, std::map<std::string, Fields>* inner);
  ~QueryPlan();
  QueryPlan(QueryPlan&&) noexcept;

  /// Streams it reads, inner ones with '#', each once, in order.
  const std::vector<std::string>& inputs() const;
  std::unique_ptr<QueryInstance> instantiate(const Surroundings& where) const;

  struct Parts;

 private:
  std::unique_ptr<Parts> parts_;
};

/// A partition with its instances; subscribes itself to the streams it reads. Throws PlanError.
class PartitionRuntime {
 public:
  PartitionRuntime(const ast::Partition& partition, PlanState& plan);
  ~PartitionRuntime();

  struct Parts;

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace pollux::oracle
