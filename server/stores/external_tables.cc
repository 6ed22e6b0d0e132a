#include "server/stores/external_tables.h"

#include <memory>
#include <utility>
#include <vector>

#include "server/endpoints/endpoint.h"
#include "server/node/wall_clock.h"

namespace pollux {
namespace {

std::string read_options(const StoredHolder& holder, const StoreIn& store_in,
                         EndpointMistakes& mistakes) {
  const EndpointDefinition written = store_sink_of(holder);
  OptionReader options(written.options, written.place, mistakes);
  std::string name = read_store_name(holder, store_in, written.place, options);
  options.finish("an external table");
  return name;
}

}  // namespace

std::string store_of_external(const StoredHolder& holder, const StoreIn& store_in) {
  EndpointMistakes ignored;
  return read_options(holder, store_in, ignored);
}

void check_external_options(const PlanDescription& plan, const StoreIn& store_in,
                            EndpointMistakes& mistakes) {
  for (const ExternalTable& table : plan.external) {
    read_options(table.holder, store_in, mistakes);
  }
}

absl::StatusOr<EventBatchPtr> look_up_external(const RecordStore& store, const StoredHolder& holder,
                                               const EventBatch& keys) {
  return store.look_up(table_of(holder), keys, {wall_clock_ms()});
}

absl::Status check_external_table(const RecordStore& store, const StoredHolder& holder) {
  std::vector<Attribute> key;
  for (const std::string& name : holder.primary_key) {
    key.push_back((*holder.schema)[*holder.schema->find(name)]);
  }
  const EventBatch none(std::make_shared<Schema>(holder.name, std::move(key)));
  return look_up_external(store, holder, none).status();
}

}  // namespace pollux
