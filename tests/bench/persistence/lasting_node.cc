#include "tests/bench/persistence/lasting_node.h"

#include <stdexcept>
#include <utility>

#include "server/node/epoch_file.h"
#include "server/settings/load.h"

namespace pollux::bench {
namespace {

constexpr std::chrono::minutes kPatience{20};

template <class T>
T must(absl::StatusOr<T> made) {
  if (!made.ok()) throw std::runtime_error(made.status().ToString());
  return *std::move(made);
}

void must(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

Settings settings_in(const std::string& folder) {
  Settings settings = load_settings({}).settings;
  settings.data_dir = folder;
  settings.persistence.persistence_interval = std::chrono::hours(24);
  settings.persistence.persistence_journal_bytes = uint64_t{1} << 40;
  settings.persistence.journal_bytes_max = uint64_t{1} << 40;
  return settings;
}

}  // namespace

LastingNode::LastingNode(const std::string& folder, SyncMode sync) {
  LoggerOptions logging;
  logging.level = LogLevel::kError;
  log_ = must(Logger::open(std::move(logging)));
  must(files_.make_directories(folder));
  Settings settings = settings_in(folder);
  settings.persistence.sync = sync;
  durability_ = must(Durability::open(files_, settings, *log_, StartOrders()));
  NodeOptions options;
  options.epoch = must(begin_epoch(folder, durability_->epoch_seen()));
  durability_->equip(options);
  node_ = std::make_unique<Node>(std::move(options));
  must(durability_->recover(*node_));
}

LastingNode::~LastingNode() { stop(); }

void LastingNode::deploy(const std::string& text) {
  DeployRequest request;
  request.text = text;
  request.replace = true;
  Deployed deployed = node_->deploy(request);
  if (deployed.outcome != Deployed::Outcome::kDeployed) {
    throw std::runtime_error(deployed.reason + to_text(deployed.diagnostics, "the plan"));
  }
}

void LastingNode::wait_until_applied(const std::string& plan) {
  must(node_->with_engine(plan, [](Engine&) {}));
}

PersistReport LastingNode::persist() {
  PersistReport report = must(durability_->persister().persist(kPatience));
  for (const PersistedPlan& plan : report.plans) must(plan.status);
  return report;
}

void LastingNode::stop() {
  if (node_ != nullptr) node_->stop();
  if (durability_ != nullptr) durability_->close();
}

}  // namespace pollux::bench
