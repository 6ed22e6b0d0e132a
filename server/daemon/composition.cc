#include "server/daemon/composition.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/daemon/settings_endpoints.h"
#include "server/extensions/extension_loader.h"
#include "server/geo/mmdb_lookup.h"
#include "server/node/epoch_file.h"
#include "server/node/wall_clock.h"
#include "server/stores/external_tables.h"

namespace pollux {
namespace {

/// A clean stop waits so long for states at least: it is what makes the next start quick.
constexpr std::chrono::milliseconds kPersistPatience{60'000};
constexpr std::chrono::milliseconds kHandOverPatience{2'000};

}  // namespace

absl::StatusOr<std::unique_ptr<Composition>> Composition::start(const Settings& settings,
                                                                const std::string& version,
                                                                Logger& log, StartOrders orders,
                                                                std::function<void()> on_must_end) {
  std::unique_ptr<Composition> parts(new Composition(log, std::move(on_must_end)));
  if (absl::Status opened = parts->open(settings, version, std::move(orders)); !opened.ok())
    return opened;
  return parts;
}

Composition::~Composition() { stop(std::chrono::milliseconds(0)); }

/// The data directory is this process's alone, and the start has an epoch of its own.
absl::StatusOr<Epoch> Composition::open_data(const Settings& settings, StartOrders orders) {
  absl::Status made = files_.make_directories(settings.data_dir);
  if (!made.ok()) {
    return absl::Status(made.code(), absl::StrCat("the data directory ", settings.data_dir, ": ",
                                                  std::string(made.message())));
  }
  auto lock = files_.lock(settings.data_dir + "/lock");
  if (absl::IsUnavailable(lock.status())) {
    return absl::UnavailableError(
        absl::StrCat("another process has the data directory ", settings.data_dir));
  }
  if (!lock.ok()) return lock.status();
  data_lock_ = *std::move(lock);
  if (!settings.persistence.enabled) {
    if (settings.pair.enabled) {
      return absl::InvalidArgumentError(
          "pair.enabled needs persistence.enabled: the journal is what both nodes have in common");
    }
    log_.warning("persistence is off: nothing outlives the process");
    return begin_epoch(settings.data_dir);
  }
  if (settings.pair.enabled) {
    auto installed = PairMember::snapshot_folder(files_, settings).install();
    if (!installed.ok()) return installed.status();
    if (*installed) log_.info("what the other node sent has taken the place of what was here");
  }
  auto durability = Durability::open(files_, settings, log_, std::move(orders));
  if (!durability.ok()) return durability.status();
  durability_ = *std::move(durability);
  if (settings.pair.enabled) {
    auto pair = PairMember::open(files_, settings, log_, *durability_);
    if (!pair.ok()) return pair.status();
    pair_ = *std::move(pair);
  }
  return begin_epoch(settings.data_dir, durability_->epoch_seen());
}

absl::Status Composition::open(const Settings& settings, const std::string& version,
                               StartOrders orders) {
  if (absl::Status added = add_functions_of(settings); !added.ok()) return added;
  auto epoch = open_data(settings, std::move(orders));
  if (!epoch.ok()) return epoch.status();

  StoreSetOptions stores;
  stores.directory = settings.data_dir + "/stores";
  stores.block_cache_bytes = settings.stores.block_cache_bytes;
  stores.on_error = [this](std::string_view store, const absl::Status& status) {
    log_.log_limited(LogLevel::kError, "store", "a record store cannot drop old rows",
                     {{"store", store}, {"error", status.message()}});
  };
  for (const auto& [store, in] : stores_in_databases(settings)) {
    log_.info("a store is in a database", {{"store", store},
                                           {"datasource", in.datasource.name},
                                           {"host", in.datasource.address.host}});
    stores.shared.emplace(store, [store, database = in.database] { return database->open(store); });
  }
  auto opened = StoreSet::open(std::move(stores), *epoch);
  if (!opened.ok()) return opened.status();
  stores_ = *std::move(opened);
  if (pair_ == nullptr) stores_->set_lead(*epoch);

  NodeOptions node;
  node.name = settings.node.name;
  node.epoch = *epoch;
  node.workers = settings.engine.workers;
  node.dialect = settings.engine.dialect;
  node.shard.entries_max = settings.engine.queue_entries_max;
  node.shard.bytes_max = settings.engine.queue_bytes_max;
  node.result_log_bytes_max = settings.results.log_bytes_max;
  node.forget_producers_after_ms = settings.producers.forget_after.count();
  node.plan_log = &plan_log_;
  node.parameters.insert(settings.parameters.begin(), settings.parameters.end());
  store_in_ = store_in_of(settings);
  node.stored_rows = [this](const StoredHolder& holder) { return stored_rows(holder); };
  look_up_external_tables(settings, node);
  if (durability_ != nullptr) durability_->equip(node);
  if (pair_ != nullptr) pair_->equip(node);
  node_ = std::make_unique<Node>(
      std::move(node), [this](const std::string& plan, const std::string& reason) {
        log_.error("a plan failed and is suspended", {{"plan", plan}, {"reason", reason}});
      });

  if (pair_ != nullptr && pair_->identities() != nullptr) {
    pair_intake_ = std::make_unique<PairIntake>(*node_, *pair_->identities(),
                                                [this] { pair_->look_at_copies(); });
  } else if (pair_ != nullptr) {
    pair_intake_ = std::make_unique<PairIntake>(*node_);
  }

  if (absl::Status endpoints = open_endpoints(settings); !endpoints.ok()) return endpoints;

  if (durability_ != nullptr) {
    if (absl::Status recovered = durability_->recover(*node_); !recovered.ok()) return recovered;
  }

  ApiLimits limits;
  limits.body_bytes_max = settings.http.body_bytes_max;
  limits.query_rows_max = settings.query.rows_max;
  limits.query_timeout = settings.query.timeout;
  api_ = std::unique_ptr<ApiParts>(new ApiParts{*node_, intake(), *stores_, *sinks_, *receivers_,
                                                durability_.get(), pair_.get(), log_, limits,
                                                version, std::chrono::steady_clock::now()});
  if (absl::Status started = start_pair(); !started.ok()) return started;
  // Plans of files are there before the first event can come.
  if (!settings.plans_dir.empty()) {
    auto plans = PlanFolder::watch(settings.plans_dir, *node_, log_);
    if (!plans.ok()) return plans.status();
    plans_ = *std::move(plans);
  }
  if (absl::Status http = open_http(settings); !http.ok()) return http;
  absl::Status grpc = open_grpc(settings);
  open_ = grpc.ok();
  return grpc;
}

void Composition::look_up_external_tables(const Settings& settings, NodeOptions& node) {
  node.lookups.threads = settings.external_tables.threads;
  node.lookups.deadline = settings.external_tables.timeout;
  node.lookups.batches_max = settings.external_tables.queue_batches_max;
  node.lookups.bytes_max = settings.external_tables.queue_bytes_max;
  node.lookups.store_of = [this](const StoredHolder& holder) {
    return store_of_external(holder, store_in_);
  };
  node.lookups.find = [this](const StoredHolder& holder,
                             const EventBatch& keys) -> absl::StatusOr<EventBatchPtr> {
    const RecordStore* store = stores_->find(store_of_external(holder, store_in_));
    if (store == nullptr) return absl::UnavailableError("this node has no such store");
    return look_up_external(*store, holder, keys);
  };
  node.lookups.told = [this](const std::string& store, const absl::Status& status) {
    if (status.ok()) {
      log_.info("rows of external tables are found again", {{"store", store}});
    } else {
      log_.error("rows of external tables cannot be looked up; batches that need them are refused",
                 {{"store", store}, {"error", status.message()}});
    }
  };
  node.check_external = [this](const StoredHolder& holder) -> absl::Status {
    if (pair_ != nullptr && !pair_->peer_takes_found_rows()) {
      return absl::UnavailableError(
          "the other node of the pair runs an older version, which has no external tables; bring "
          "it to this one first");
    }
    const std::string name = store_of_external(holder, store_in_);
    const RecordStore* store = stores_->find(name);
    if (store == nullptr) return absl::NotFoundError(absl::StrCat("there is no store ", name));
    return check_external_table(*store, holder);
  };
}

absl::StatusOr<StoredRows> Composition::stored_rows(const StoredHolder& holder) const {
  EndpointMistakes ignored;  // the check of the plan has told them
  const EndpointDefinition sink = store_sink_of(holder);
  OptionReader options(sink.options, sink.place, ignored);
  const std::string name = read_store_name(holder, store_in_, sink.place, options);
  RecordStore* store = stores_->find(name);
  if (store == nullptr) return absl::NotFoundError(absl::StrCat("there is no store ", name));
  return read_stored_rows(*store, holder, {wall_clock_ms()});
}

Intake& Composition::intake() {
  if (pair_intake_ != nullptr) return *pair_intake_;
  return node_->intake();
}

absl::Status Composition::start_pair() {
  if (pair_ == nullptr) return absl::OkStatus();
  const PairMember::Around around{*node_, *sinks_, *pair_intake_, durability_->persister(),
                                  *stores_};
  return pair_->start(around, [this] {
    must_end_ = true;
    if (on_must_end_) on_must_end_();
  });
}

/// Extensions and databases are there before the first engine.
absl::Status Composition::add_functions_of(const Settings& settings) {
  if (!settings.extensions_dir.empty()) {
    absl::StatusOr<size_t> loaded = load_extensions(settings.extensions_dir);
    if (!loaded.ok()) return loaded.status();
    log_.info("extensions loaded", {{"functions", *loaded}});
  }
  if (settings.geo.database.empty()) return absl::OkStatus();
  auto lookup = open_mmdb(settings.geo.database);
  if (!lookup.ok()) return lookup.status();
  add_functions(address_functions(*std::move(lookup)));
  return absl::OkStatus();
}

/// Sinks and receivers are there before the first plan.
absl::Status Composition::open_endpoints(const Settings& settings) {
  SinkEnvironment sinks;
  sinks.log_line = [this](std::string_view line) { log_.info(line); };
  sinks.warn = [this](const std::string& text) {
    log_.log_limited(LogLevel::kWarning, "sinks", text);
  };
  sinks.find_store = [this](std::string_view name) {
    return StoreAccess{stores_->find(name), stores_->is_shared(name),
                       [this, name = std::string(name)] { return stores_->epoch_of(name); }};
  };
  sinks.store_in = store_in_;
  sinks.shared = pair_ != nullptr;
  sinks_ = std::make_unique<SinkManager>(std::move(sinks));
  node_->add_observer(*sinks_);
  node_->set_dependents([this](const PlanInfo& plan) { return sinks_->dependents(plan); });

  ReceiverEnvironment receivers;
  receivers.folder = settings.data_dir + "/receivers";
  receivers.warn = [this](const std::string& text) {
    log_.log_limited(LogLevel::kWarning, "receivers", text);
  };
  receivers_ = std::make_unique<ReceiverManager>(intake(), std::move(receivers));
  node_->add_observer(*receivers_, /*brings_events=*/true);

  EndpointMistakes mistakes = sinks_->set_settings(sinks_of(settings));
  if (mistakes.empty()) mistakes = receivers_->set_settings(receivers_of(settings));
  if (mistakes.empty()) return absl::OkStatus();
  std::string all;
  for (const EndpointMistake& mistake : mistakes) {
    all += (all.empty() ? "" : "; ") + to_text(mistake);
  }
  return absl::InvalidArgumentError(all);
}

absl::Status Composition::open_http(const Settings& settings) {
  HttpServerOptions options;
  options.address = settings.http.bind_address;
  options.port = moved_port(settings.http.port, settings);
  options.threads = settings.http.threads;
  options.connections_max = settings.http.connections_max;
  options.header_timeout = settings.http.header_timeout;
  options.body_timeout = settings.http.body_timeout;
  options.idle_timeout = settings.http.idle_timeout;
  auto http = HttpServer::start(std::move(options), make_api(*api_));
  if (!http.ok()) return http.status();
  http_ = *std::move(http);
  api_->http_port = http_->port();
  api_->http_counters = &http_->counters();
  log_.info("listening for HTTP",
            {{"address", settings.http.bind_address}, {"port", http_->port()}});
  return absl::OkStatus();
}

absl::Status Composition::open_grpc(const Settings& settings) {
  GrpcServerOptions options;
  options.address = settings.grpc.bind_address;
  options.port = moved_port(settings.grpc.port, settings);
  options.limits.message_bytes_max = settings.grpc.message_bytes_max;
  auto grpc = GrpcServer::start(std::move(options), intake(), *node_);
  if (!grpc.ok()) return grpc.status();
  grpc_ = *std::move(grpc);
  api_->grpc_port = grpc_->port();
  api_->grpc_counters = &grpc_->counters();
  log_.info("listening for gRPC",
            {{"address", settings.grpc.bind_address}, {"port", grpc_->port()}});
  return absl::OkStatus();
}

void Composition::stop(std::chrono::milliseconds patience) {
  if (stopped_) return;
  stopped_ = true;
  using Clock = std::chrono::steady_clock;
  auto left = [until = Clock::now() + patience] {  // for all steps together
    auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    return std::max(rest, std::chrono::milliseconds(0));
  };
  if (api_ != nullptr) api_->stopping = true;
  plans_.reset();
  if (receivers_ != nullptr) receivers_->stop();
  if (pair_ != nullptr) pair_->hand_over(std::min(left(), kHandOverPatience));
  bool drained = node_ != nullptr && node_->drain(left());
  if (!drained && open_) {
    log_.warning("not all events that were taken have passed the plans",
                 {{"drain_timeout_ms", patience.count()}});
  }
  if (drained && open_ && durability_ != nullptr && node_->leads()) {
    durability_->persist_at_end(std::max(left(), kPersistPatience));
  }
  if (sinks_ != nullptr && !sinks_->drain(left()) && open_) {
    log_.warning("not all results have reached the sinks",
                 {{"drain_timeout_ms", patience.count()}});
  }
  if (grpc_ != nullptr) grpc_->stop(left());
  if (http_ != nullptr) http_->stop(left());
  grpc_.reset();  // only now: /metrics may have been reading its counters
  http_.reset();
  if (sinks_ != nullptr) sinks_->stop();
  if (pair_ != nullptr) pair_->stop();
  if (node_ != nullptr) node_->stop();
  if (durability_ != nullptr) durability_->close();
  if (stores_ != nullptr) {
    if (absl::Status synced = stores_->sync(); !synced.ok()) {
      log_.error("a record store could not be synced", {{"error", synced.message()}});
    }
  }
}

}  // namespace pollux
