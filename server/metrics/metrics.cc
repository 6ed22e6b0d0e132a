#include "server/metrics/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "server/api/api.h"

namespace pollux {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

class Families {
 public:
  /// Begins a family; what follows belongs to it.
  void counter(const char* name, const char* help) { begin(name, help, MetricType::Counter); }
  void gauge(const char* name, const char* help) { begin(name, help, MetricType::Gauge); }
  /// In seconds.
  void histogram(const char* name, const char* help, const LatencyHistogram::Counts& counts) {
    begin(name, help, MetricType::Histogram);
    ClientMetric metric;
    auto& histogram = metric.histogram;
    for (size_t i = 0; i < counts.of_each.size(); ++i) {
      const bool bounded = i < LatencyHistogram::kBoundsUs.size();
      histogram.sample_count += counts.of_each[i];
      histogram.bucket.push_back(
          {histogram.sample_count, bounded ? LatencyHistogram::kBoundsUs[i] / 1e6
                                           : std::numeric_limits<double>::infinity()});
    }
    histogram.sample_sum = static_cast<double>(counts.sum_us) / 1e6;
    families_.back().metric.push_back(std::move(metric));
  }

  template <class T>
  void value(T number, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (families_.back().type == MetricType::Counter) {
      metric.counter.value = static_cast<double>(number);
    } else {
      metric.gauge.value = static_cast<double>(number);
    }
    families_.back().metric.push_back(std::move(metric));
  }

  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  void begin(const char* name, const char* help, MetricType type) {
    MetricFamily family;
    family.name = name;
    family.help = help;
    family.type = type;
    families_.push_back(std::move(family));
  }

  std::vector<MetricFamily> families_;
};

void add_node(Families& families, const ApiParts& parts) {
  SequencerCounts counts = parts.node.counts();
  families.gauge("pollux_info", "Always 1; the labels say which node and version this is.");
  families.value(1, {{"node", parts.node.options().name}, {"version", parts.version}});
  families.gauge("pollux_uptime_seconds", "Seconds since the node started.");
  families.value(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - parts.started).count());
  families.gauge("pollux_epoch", "The epoch in which the node numbers entries.");
  families.value(counts.last.epoch.value);
  families.gauge("pollux_position", "The position of the last entry numbered.");
  families.value(counts.last.position.value);
  families.counter("pollux_entries_total", "Entries numbered: batches, ticks, plans.");
  families.value(counts.entries);
  families.histogram("pollux_commit_seconds",
                     "From numbering an entry until it is on the disk, of both nodes of a pair.",
                     parts.node.commit_latency());
  families.counter("pollux_events_total", "Events accepted.");
  families.value(counts.events);
  families.counter("pollux_duplicate_batches_total", "Batches that had taken effect before.");
  families.value(counts.duplicates);
  families.counter("pollux_refused_batches_total", "Batches refused, by reason.");
  families.value(counts.refused_full, {{"reason", "queue_full"}});
  families.value(counts.refused_other, {{"reason", "other"}});
  families.gauge("pollux_waiting_batches", "Batches that wait for room in a queue.");
  families.value(counts.waiting);
  families.gauge("pollux_producers", "Producers whose last number is known.");
  families.value(counts.producers);
}

void add_lookups(Families& families, const ApiParts& parts) {
  const LookupCounts counts = parts.node.lookup_counts();
  families.counter("pollux_lookup_batches_total",
                   "Batches for which rows of external tables were looked up.");
  families.value(counts.batches);
  families.counter("pollux_lookup_again_total",
                   "Batches that were looked up again, since plans had changed.");
  families.value(counts.again);
  families.counter("pollux_lookup_keys_total",
                   "Keys that stores of external tables were asked for.");
  families.value(counts.keys);
  families.counter("pollux_lookup_rows_total", "Rows of external tables that were found.");
  families.value(counts.rows);
  families.counter("pollux_lookup_refused_batches_total",
                   "Batches refused for what they need of external tables, by reason.");
  families.value(counts.unavailable, {{"reason", "store"}});
  families.value(counts.refused, {{"reason", "too_large"}});
  families.value(counts.refused_full, {{"reason", "queue_full"}});
  families.gauge("pollux_lookup_waiting_batches",
                 "Batches that wait for rows of external tables, or behind such batches.");
  families.value(counts.waiting);
  families.gauge("pollux_lookup_waiting_bytes", "Bytes of those batches.");
  families.value(counts.waiting_bytes);
}

void add_plans(Families& families, const ApiParts& parts) {
  struct PlanMetric {
    bool counter;
    const char* name;
    const char* help;
    uint64_t (*read)(const ShardCounts& counts);
  };
  static const PlanMetric kPlanMetrics[] = {
      {true, "pollux_plan_entries_total", "Entries applied by the plan.",
       [](const ShardCounts& c) { return c.entries; }},
      {true, "pollux_plan_events_total", "Events applied by the plan.",
       [](const ShardCounts& c) { return c.events; }},
      {true, "pollux_plan_results_total", "Result rows of the plan.",
       [](const ShardCounts& c) { return c.results; }},
      {false, "pollux_plan_queued_entries", "Entries that wait for the plan.",
       [](const ShardCounts& c) { return uint64_t{c.queued_entries}; }},
      {false, "pollux_plan_queued_bytes", "Bytes of events that wait for the plan.",
       [](const ShardCounts& c) { return uint64_t{c.queued_bytes}; }},
      {false, "pollux_plan_state_bytes", "Bytes of the plan's live state.",
       [](const ShardCounts& c) { return c.state_bytes; }},
      {false, "pollux_plan_groups", "Groups that selections hold.",
       [](const ShardCounts& c) { return c.plan.groups; }},
      {true, "pollux_plan_groups_evicted_total",
       "Groups given up, idle longest, for being too many.",
       [](const ShardCounts& c) { return c.plan.groups_evicted; }},
      {false, "pollux_plan_partial_matches", "Patterns that have begun and wait for more.",
       [](const ShardCounts& c) { return c.plan.partial_matches; }},
      {true, "pollux_plan_partial_matches_aged_total", "Partial matches freed by time.",
       [](const ShardCounts& c) { return c.plan.partial_matches_aged; }},
      {true, "pollux_plan_partial_matches_evicted_total",
       "Partial matches given up for being too many.",
       [](const ShardCounts& c) { return c.plan.partial_matches_evicted; }},
      {false, "pollux_plan_partition_instances", "Partition instances that are alive.",
       [](const ShardCounts& c) { return c.partition_instances; }},
      {true, "pollux_plan_partition_instances_evicted_total",
       "Partition instances given up, idle longest, for being too many.",
       [](const ShardCounts& c) { return c.plan.instances_evicted; }},
      {true, "pollux_plan_partition_instances_purged_total", "Partition instances ended by @purge.",
       [](const ShardCounts& c) { return c.plan.instances_purged; }},
      {true, "pollux_plan_rows_late_total", "Rows older than the clock of a playback plan.",
       [](const ShardCounts& c) { return c.plan.rows_late; }},
      {true, "pollux_plan_rows_refused_total", "Rows whose primary key was in the table already.",
       [](const ShardCounts& c) { return c.plan.rows_refused; }},
      {true, "pollux_plan_rows_too_old_total",
       "Rows left out of a stored aggregation's bucket that is in memory no more.",
       [](const ShardCounts& c) { return c.plan.rows_too_old; }},
      {true, "pollux_plan_rows_without_key_total", "Rows that no partition instance takes.",
       [](const ShardCounts& c) { return c.plan.rows_without_key; }},
      {true, "pollux_plan_rows_without_time_total", "Rows whose external time is null.",
       [](const ShardCounts& c) { return c.plan.rows_without_time; }},
      {true, "pollux_plan_rows_without_window_total",
       "Rows too late for their session, or whose own window condition is none.",
       [](const ShardCounts& c) { return c.plan.rows_without_window; }},
      {true, "pollux_plan_script_failures_total",
       "Calls of the plan's own functions that gave null instead.",
       [](const ShardCounts& c) { return c.plan.script_failures; }},
      {false, "pollux_plan_suspended", "1 while the plan is suspended by a failure in it.",
       [](const ShardCounts& c) { return uint64_t{c.suspended}; }},
      {false, "pollux_plan_resting", "1 while the plan waits for sinks to take its results.",
       [](const ShardCounts& c) { return uint64_t{c.resting}; }},
  };
  std::vector<PlanInfo> plans = parts.node.plans();
  for (const PlanMetric& metric : kPlanMetrics) {
    metric.counter ? families.counter(metric.name, metric.help)
                   : families.gauge(metric.name, metric.help);
    for (const PlanInfo& plan : plans) {
      families.value(metric.read(plan.counts), {{"plan", plan.name}});
    }
  }
}

void add_results(Families& families, const ApiParts& parts) {
  auto logs = parts.node.results();
  families.counter("pollux_stream_results_total", "Result rows of the stream.");
  for (const auto& [stream, log] : logs) families.value(log->rows(), {{"stream", stream}});
  families.counter("pollux_stream_repeated_rows_total",
                   "Rows that a replay made once more, and that were dropped.");
  for (const auto& [stream, log] : logs) {
    families.value(log->repeated_rows(), {{"stream", stream}});
  }
  families.gauge("pollux_stream_held_bytes", "Bytes of results held for sinks and subscribers.");
  for (const auto& [stream, log] : logs) families.value(log->bytes(), {{"stream", stream}});
}

void add_endpoints(Families& families, const ApiParts& parts) {
  std::vector<SinkInfo> sinks = parts.sinks.states();
  families.counter("pollux_sink_published_rows_total", "Result rows that a sink delivered.");
  for (const SinkInfo& sink : sinks) families.value(sink.counts.published, {{"sink", sink.name}});
  families.counter("pollux_sink_failed_attempts_total", "Attempts of a sink that failed.");
  for (const SinkInfo& sink : sinks) families.value(sink.counts.failed, {{"sink", sink.name}});
  families.counter("pollux_sink_dropped_rows_total", "Result rows that a sink gave up.");
  for (const SinkInfo& sink : sinks) families.value(sink.counts.dropped, {{"sink", sink.name}});
  families.gauge("pollux_sink_lag_rows", "Result rows that wait for a sink.");
  for (const SinkInfo& sink : sinks) families.value(sink.counts.lag_rows, {{"sink", sink.name}});
  std::vector<ReceiverInfo> receivers = parts.receivers.states();
  families.counter("pollux_receiver_events_total", "Events that a receiver brought in.");
  for (const ReceiverInfo& each : receivers) {
    families.value(each.counts.events, {{"receiver", each.name}});
  }
  families.counter("pollux_receiver_bad_rows_total", "Rows that a receiver could not read.");
  for (const ReceiverInfo& each : receivers) {
    families.value(each.counts.bad_rows, {{"receiver", each.name}});
  }
}

void add_grpc(Families& families, const GrpcCounters& grpc) {
  families.gauge("pollux_grpc_streams", "Calls that are open.");
  families.value(grpc.streams_open.load());
  families.counter("pollux_grpc_requests_total", "Messages of Publish that were read.");
  families.value(grpc.requests.load());
  families.counter("pollux_grpc_rejected_requests_total", "Messages of Publish that were refused.");
  families.value(grpc.requests_rejected.load());
  families.counter("pollux_grpc_received_bytes_total", "Bytes of those messages.");
  families.value(grpc.request_bytes.load());
  families.counter("pollux_grpc_sent_results_total", "Result rows sent to subscribers.");
  families.value(grpc.results_sent.load());
}

void add_http(Families& families, const HttpCounters& http) {
  families.counter("pollux_http_answers_total", "Answers, by class of status.");
  for (int status = 1; status <= 5; ++status) {
    families.value(http.answers[static_cast<size_t>(status)].load(),
                   {{"status", std::to_string(status) + "xx"}});
  }
  families.gauge("pollux_http_connections", "Connections that are open.");
  families.value(http.connections_open.load());
  families.gauge("pollux_http_streams", "Subscriptions that are open.");
  families.value(http.streams_open.load());
  families.counter("pollux_http_refused_connections_total", "Connections above the bound.");
  families.value(http.connections_refused.load());
  families.counter("pollux_http_timeouts_total", "Connections cut, by what took too long.");
  families.value(http.header_timeouts.load(), {{"phase", "header"}});
  families.value(http.body_timeouts.load(), {{"phase", "body"}});
  families.value(http.write_timeouts.load(), {{"phase", "write"}});
  families.counter("pollux_http_received_bytes_total", "Bytes received.");
  families.value(http.bytes_in.load());
  families.counter("pollux_http_sent_bytes_total", "Bytes sent.");
  families.value(http.bytes_out.load());
}

void add_durability(Families& families, const Durability& durability) {
  EntryLogCounts journal = durability.journal_log().counts();
  families.counter("pollux_journal_entries_total", "Entries that the journal took.");
  families.value(journal.entries);
  families.counter("pollux_journal_commits_total", "Groups of entries written and synced at once.");
  families.value(journal.groups);
  families.counter("pollux_journal_written_bytes_total", "Bytes written to the journal.");
  families.value(journal.bytes);
  families.counter("pollux_journal_commit_seconds_total", "Time in writes and syncs.");
  families.value(static_cast<double>(journal.commit_us) / 1e6);
  families.gauge("pollux_journal_bytes", "Bytes of the journal on the disk.");
  families.value(journal.journal_bytes);
  families.gauge("pollux_journal_first_position", "The oldest entry that is still there.");
  families.value(journal.first.value);
  families.gauge("pollux_journal_committed_position", "The newest entry that lasts.");
  families.value(journal.committed.position.value);
  families.gauge("pollux_journal_queued_entries", "Entries that wait to be written.");
  families.value(journal.queued_entries);
  families.gauge("pollux_journal_full", "1 while the disk has no room for the journal.");
  families.value(uint64_t{journal.stuck});
  families.gauge("pollux_journal_failed", "1 once the journal takes nothing any more.");
  families.value(uint64_t{!journal.failed.ok()});

  PersisterCounts states = durability.persister().counts();
  families.counter("pollux_persist_rounds_total", "Times that all states were written.");
  families.value(states.rounds);
  families.counter("pollux_persist_failures_total", "States that could not be written.");
  families.value(states.failures);
  families.gauge("pollux_persist_last_position", "The entry at which states were last cut.");
  families.value(states.last.position.value);
  families.gauge("pollux_persist_last_timestamp_seconds", "When that was; 0: not in this process.");
  families.value(static_cast<uint64_t>(states.last_ms / 1000));
  families.gauge("pollux_persist_last_duration_seconds", "How long that took.");
  families.value(static_cast<double>(states.last_took_ms) / 1e3);
  families.gauge("pollux_persist_longest_pause_seconds", "Longest pause of a plan for it.");
  families.value(static_cast<double>(states.pause_us_max) / 1e6);

  const RecoveryCounts& recovered = durability.recovered();
  families.gauge("pollux_recovery_duration_seconds", "How long bringing the node back took.");
  families.value(static_cast<double>(recovered.took_ms) / 1e3);
  families.gauge("pollux_recovery_replayed_entries", "Entries of the journal that it replayed.");
  families.value(recovered.entries);
  families.gauge("pollux_recovery_passed_over_states", "States that were not valid at the start.");
  families.value(recovered.fallbacks);
  families.gauge("pollux_recovery_lost_plans", "Plans that the start could not restore.");
  families.value(recovered.lost_plans);
  families.gauge("pollux_recovery_poisoned_plans", "Plans with an entry that processes died of.");
  families.value(recovered.poisoned);
}

/// Of streams whose clients send to both nodes.
void add_copies(Families& families, const PairInfo& info,
                const std::function<void(uint64_t)>& value) {
  families.gauge("pollux_pair_copies_held",
                 "Batches of duplicated streams that wait for the node that leads to number them.");
  value(info.copies.held);
  families.gauge("pollux_pair_copies_held_bytes", "Bytes of those batches.");
  value(info.copies.bytes);
  families.counter("pollux_pair_copies_forwarded_total",
                   "Of those batches, the ones handed to the other node since they stayed without "
                   "a number.");
  value(info.copies.forwarded);
  families.gauge("pollux_pair_identities", "Events of duplicated streams that are still known.");
  value(info.identities);
  families.counter("pollux_pair_orders_sent_total",
                   "Entries of which the other node got the order only.");
  value(info.orders_shipped);
  families.counter("pollux_pair_orders_filled_total",
                   "Entries made of an order and of copies that were here.");
  value(info.orders.entries);
  families.counter("pollux_pair_orders_asked_total",
                   "Times that entries were asked for in full since copies did not come.");
  value(info.orders.asked);
  families.gauge("pollux_pair_orders_waiting", "Messages that wait for copies.");
  value(info.orders.waiting);
}

/// Of a node that stands alone there are no values.
void add_pair(Families& families, const PairMember* member) {
  PairInfo info;
  if (member != nullptr) info = member->info();
  const PairStatus& status = info.status;
  auto value = [&](auto number) {
    if (member != nullptr) families.value(number);
  };
  families.gauge("pollux_pair_role",
                 "0 starting, 1 joining, 2 passive, 3 active-paired, 4 active-solo, 5 isolated, "
                 "6 stopping.");
  value(static_cast<uint64_t>(status.role));
  families.gauge("pollux_pair_in_sync", "1 while both nodes hold all that is committed.");
  value(uint64_t{info.synced});
  families.gauge("pollux_pair_connected", "1 while there is a way to the other node.");
  value(uint64_t{info.connected});
  families.gauge("pollux_pair_arbiter_answers", "1 while the arbiter answers.");
  value(uint64_t{status.arbiter.ok()});
  families.gauge("pollux_pair_arbiter_forgot",
                 "1 once the arbiter gave an older record than before: roles stay as they are.");
  value(uint64_t{status.frozen});
  families.gauge("pollux_pair_applied_position", "The last entry that the plans have applied.");
  value(info.applied.value);
  families.gauge("pollux_pair_follower_lag_seconds",
                 "How long the other node has not held all that this one has; while it leads.");
  value(static_cast<double>(status.follower_at ? status.lag_ms : 0) / 1e3);
  families.counter("pollux_pair_leads_total", "Times that this node began to lead.");
  value(status.counts.leads);
  families.counter("pollux_pair_lead_ends_total", "Times that it led no more.");
  value(status.counts.lead_ends);
  families.counter("pollux_pair_stalls_total",
                   "Times that it left a passive which acknowledged nothing.");
  value(status.counts.stalls);
  families.counter("pollux_pair_divergences_total",
                   "Plans of the other node that differed from this one's, by what showed it.");
  if (member != nullptr) {
    families.value(status.counts.diverged_states, {{"what", "state"}});
    families.value(status.counts.diverged_results, {{"what", "results"}});
  }
  families.gauge("pollux_pair_barred",
                 "1 while the other node may not take over: a plan differs there for the second "
                 "time.");
  value(uint64_t{status.barred});
  families.counter("pollux_pair_truncated_entries_total",
                   "Entries never committed that it took back to follow.");
  value(status.counts.truncated_entries);
  families.counter("pollux_pair_arbiter_unknown_total",
                   "Requests to the arbiter of which nobody knows what became.");
  value(status.counts.unknown);
  families.counter("pollux_pair_refused_messages_total",
                   "Messages of the other node that were of the past, or made no sense.");
  value(status.counts.refused);
  families.counter("pollux_pair_snapshots_total", "Copies of everything that it gave.");
  value(info.snapshots_given);
  families.counter("pollux_pair_snapshot_bytes_total", "Bytes of those copies that were sent.");
  value(info.snapshot_bytes_given);
  const LinkCounters* link = member == nullptr ? nullptr : member->link_counters();
  auto link_value = [&](LinkCounters::Counter LinkCounters::*counter) {
    if (link != nullptr) families.value((link->*counter).load());
  };
  families.counter("pollux_pair_received_bytes_total", "Bytes from the other node.");
  link_value(&LinkCounters::bytes_in);
  families.counter("pollux_pair_sent_bytes_total", "Bytes to the other node.");
  link_value(&LinkCounters::bytes_out);
  families.counter("pollux_pair_forwarded_batches_total", "Batches handed to the other node.");
  link_value(&LinkCounters::forwards_out);
  families.counter("pollux_pair_violations_total",
                   "Connections ended since something came that may not.");
  link_value(&LinkCounters::violations);
  families.counter("pollux_pair_refused_connections_total",
                   "Connections to the pair's ports that were none of the other node's.");
  value(info.link_refused);
  add_copies(families, info, value);
}

}  // namespace

std::string metrics_text(const ApiParts& parts) {
  Families families;
  add_node(families, parts);
  add_lookups(families, parts);
  add_plans(families, parts);
  add_results(families, parts);
  add_endpoints(families, parts);
  if (parts.durability != nullptr) add_durability(families, *parts.durability);
  add_pair(families, parts.pair);
  if (const GrpcCounters* grpc = parts.grpc_counters.load()) add_grpc(families, *grpc);
  if (const HttpCounters* http = parts.http_counters.load()) add_http(families, *http);
  return families.text();
}

}  // namespace pollux
