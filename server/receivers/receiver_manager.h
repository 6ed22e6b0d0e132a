// The receivers of a node: those of plans live with their plans, those of the settings from the
// start; both wait while no plan takes their stream.
//
// A receiver of the same name goes on at the place that it kept, also in a replaced plan, and when
// its plan was undeployed in between. Thread: any.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/endpoints/endpoint.h"
#include "server/node/intake.h"
#include "server/node/plan_observer.h"
#include "server/receivers/file_receiver.h"

namespace pollux {

struct ReceiverEnvironment {
  std::string folder;  ///< of places; made when it is missing
  FileReceiver::Warn warn;
};

struct ReceiverInfo {
  std::string name;
  std::string type;
  std::string stream;
  std::string plan;  ///< empty: of the settings
  ReceiverCounts counts;
};

/// Reads the definition; all that is wrong goes to `mistakes`. Without a schema (the stream is not
/// there yet) the time attribute is not checked.
FileReceiverOptions check_receiver(const EndpointDefinition& source, const SchemaPtr& schema,
                                   EndpointMistakes& mistakes);

class ReceiverManager final : public PlanObserver {
 public:
  /// The intake outlives stop().
  ReceiverManager(Intake& intake, ReceiverEnvironment environment)
      : intake_(intake), environment_(std::move(environment)) {}

  /// Starts the receivers of the settings. What is wrong is returned, and then none is started.
  EndpointMistakes set_settings(std::vector<EndpointDefinition> sources);

  Diagnostics check(const PlanProposal& plan) const override;
  void deployed(const PlanProposal& plan, std::map<std::string, PlanOutput> outputs) override;
  void undeployed(const std::string& plan) override;

  /// By name.
  std::vector<ReceiverInfo> states() const;
  /// To be called before the node drains.
  void stop();

 private:
  struct Receiver {
    EndpointDefinition definition;
    std::unique_ptr<FileReceiver> running;
  };

  void start(EndpointDefinition definition);

  Intake& intake_;
  const ReceiverEnvironment environment_;

  mutable std::mutex mutex_;
  std::map<std::string, Receiver, std::less<>> receivers_;
  bool stopped_ = false;
};

}  // namespace pollux
