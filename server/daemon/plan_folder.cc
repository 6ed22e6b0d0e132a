#include "server/daemon/plan_folder.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

constexpr std::chrono::seconds kLookInterval{2};
constexpr uint64_t kPlanBytesMax = 4 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<PlanFolder>> PlanFolder::watch(std::string folder, Node& node,
                                                              Logger& log) {
  std::unique_ptr<PlanFolder> plans(new PlanFolder(std::move(folder), node, log));
  if (absl::Status looked = plans->look(); !looked.ok()) return looked;
  plans->watcher_ = std::thread([raw = plans.get()] { raw->run(); });
  return plans;
}

PlanFolder::~PlanFolder() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_wanted_.notify_one();
  if (watcher_.joinable()) watcher_.join();
}

void PlanFolder::run() {
  std::unique_lock lock(mutex_);
  while (!stop_wanted_.wait_for(lock, kLookInterval, [this] { return stopping_; })) {
    lock.unlock();
    if (absl::Status looked = look(); !looked.ok()) {
      log_.log_limited(LogLevel::kError, "plans_dir", "the folder of plans cannot be read",
                       {{"error", looked.message()}});
    }
    lock.lock();
  }
}

/// What was deployed from the folder before a restart, or by the other node of a pair.
void PlanFolder::find_deployed() {
  files_.clear();
  std::string prefix = (std::filesystem::path(folder_) / "").string();
  for (const PlanInfo& plan : node_.plans()) {
    if (!plan.origin.starts_with(prefix)) continue;
    File file;
    file.plan = plan.name;
    files_.insert_or_assign(plan.origin, file);  // of no time: it will be compared
  }
}

/// Compares the folder with what is deployed from it. Of a pair, the node that leads does.
absl::Status PlanFolder::look() {
  const bool led = std::exchange(leads_, node_.leads());
  if (leads_ != led) find_deployed();
  std::error_code error;
  std::map<std::string, File> seen;
  for (std::filesystem::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() != ".siddhi") continue;
    struct stat status {};
    if (::stat(entry->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    File file;
    file.changed_ns = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    file.bytes = static_cast<uint64_t>(status.st_size);
    seen.emplace(entry->path().string(), file);
  }
  if (error) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot read plans_dir ", folder_, ": ", error.message()));
  }
  if (node_.options().shared && (!leads_ || !led)) take_as_it_is(seen);
  if (!leads_) return absl::OkStatus();
  for (auto file = files_.begin(); file != files_.end();) {
    if (seen.contains(file->first)) {
      ++file;
      continue;
    }
    undeploy(file->first, file->second);
    file = files_.erase(file);
  }
  for (auto& [path, file] : seen) {
    auto known = files_.find(path);
    if (known != files_.end() && same(known->second, file)) continue;
    if (known != files_.end()) file.plan = known->second.plan;
    deploy(path, file);
    files_.insert_or_assign(path, file);
  }
  return absl::OkStatus();
}

/// On a node of a pair that follows, or has just begun to lead: a failover must not change plans,
/// because this node's files are others than those of the node before it. Files without a plan are
/// left to be deployed by a node that leads.
void PlanFolder::take_as_it_is(const std::map<std::string, File>& seen) {
  std::map<std::string, File> taken;
  for (auto [path, file] : seen) {
    auto known = files_.find(path);
    std::optional<PlanInfo> plan = node_.plan(std::filesystem::path(path).stem().string());
    if (known == files_.end() || !same(known->second, file)) tell_difference(path, file, plan);
    if (plan && plan->origin == path) file.plan = plan->name;
    if (plan || !leads_) taken.emplace(path, file);
  }
  files_ = std::move(taken);
}

void PlanFolder::tell_difference(const std::string& path, const File& file,
                                 const std::optional<PlanInfo>& plan) {
  std::optional<std::string> text = read(path, file);
  if (!text || (plan && plan->text == *text) || (!plan && leads_)) return;
  log_.warning(
      "a plan's file is not what the pair runs; it counts once it changes while this node "
      "leads",
      {{"file", path}, {"deployed", plan.has_value()}});
}

std::optional<std::string> PlanFolder::read(const std::string& path, const File& file) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  if (file.bytes <= kPlanBytesMax) text << in.rdbuf();
  if (in && file.bytes <= kPlanBytesMax) return text.str();
  log_.error("a plan cannot be read", {{"file", path}, {"bytes", file.bytes}});
  return std::nullopt;
}

void PlanFolder::deploy(const std::string& path, File& file) {
  std::optional<std::string> text = read(path, file);
  if (!text) return;
  DeployRequest request;
  request.text = *std::move(text);
  request.name = std::filesystem::path(path).stem().string();
  request.origin = path;
  Deployed deployed = node_.deploy(request);
  // Only its own plan: one of the API or of another file is not to be lost by a name.
  if (deployed.outcome == Deployed::Outcome::kExists && deployed.plan == file.plan) {
    request.replace = true;
    deployed = node_.deploy(request);
  }
  if (deployed.outcome != Deployed::Outcome::kDeployed) {
    log_.error("a plan was not deployed",
               {{"file", path},
                {"error", deployed.diagnostics.empty() ? deployed.reason
                                                       : to_text(deployed.diagnostics, path)}});
    return;
  }
  if (!deployed.unchanged) {
    log_.info(deployed.replaced ? "plan replaced" : "plan deployed",
              {{"plan", deployed.plan}, {"file", path}});
  }
  if (!file.plan.empty() && file.plan != deployed.plan) undeploy(path, file);
  file.plan = deployed.plan;
}

void PlanFolder::undeploy(const std::string& path, const File& file) {
  if (file.plan.empty()) return;
  absl::Status undeployed = node_.undeploy(file.plan, /*force=*/false);
  if (undeployed.ok() || absl::IsNotFound(undeployed)) {
    log_.info("plan undeployed", {{"plan", file.plan}, {"file", path}});
  } else {
    log_.error("a plan's file is gone, but the plan stays",
               {{"plan", file.plan}, {"file", path}, {"error", undeployed.message()}});
  }
}

}  // namespace pollux
