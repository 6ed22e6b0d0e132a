// The isAnalytics: namespace of plans that watch logins, and what finds places by addresses.
#include <utility>

#include "engine/expression/address_lookup.h"
#include "engine/expression/function_registry.h"
#include "engine/expression/signature.h"

namespace pollux {
namespace {

template <int64_t kStep>
void put_start(const RowArguments& in, RowResult& out) {
  int64_t time = in.get<int64_t>(0);
  out.put(time - time % kStep);
}

using Place = std::optional<std::string> (AddressLookup::*)(std::string_view) const;

/// `unknown` comes out for addresses of which nothing is known; null where it is empty.
FunctionEntry place_entry(std::string_view name_space, std::string_view name, std::string_view doc,
                          std::shared_ptr<const AddressLookup> lookup, Place place,
                          std::string_view unknown) {
  constexpr std::string_view kSignature = "(<string> address) <string>";
  auto make = [=](std::vector<ExpressionPtr> arguments) -> CallResult {
    if (lookup == nullptr) {
      return CallError{"there is no database of addresses", "the setting geo.database"};
    }
    auto body = [lookup, place, unknown](const RowArguments& in, RowResult& out) {
      std::optional<std::string> found =
          in.is_null(0) ? std::nullopt : ((*lookup).*place)(in.text(0));
      if (found) return out.put_text(*found);
      if (!unknown.empty()) out.put_text(unknown);
    };
    return call_by_signature(kSignature, std::move(arguments), body, Nulls::kAreTaken);
  };
  return {name_space, name, kSignature, doc, make};
}

}  // namespace

std::vector<FunctionEntry> address_functions(std::shared_ptr<const AddressLookup> lookup) {
  return {
      place_entry("geo", "findCityFromIP", "The city of an IP address; null where it is unknown.",
                  lookup, &AddressLookup::city, ""),
      place_entry("geo", "findCountryFromIP",
                  "The country of an IP address; null where it is unknown.", lookup,
                  &AddressLookup::country, ""),
      place_entry("isAnalytics", "ipToCity", "The city of an IP address; NA where it is unknown.",
                  lookup, &AddressLookup::city, "NA"),
      place_entry("isAnalytics", "ipToCountry",
                  "The country of an IP address; NA where it is unknown.", lookup,
                  &AddressLookup::country, "NA"),
  };
}

std::vector<FunctionEntry> identity_functions() {
  std::vector<FunctionEntry> all = {
      row_entry("isAnalytics", "getMinuteStartingTime", "(<long> time) <long>",
                "The beginning of the minute of a time.", put_start<60'000>),
      row_entry("isAnalytics", "getSecondStartingTime", "(<long> time) <long>",
                "The beginning of the second of a time.", put_start<1000>),
  };
  for (FunctionEntry& entry : address_functions(nullptr)) all.push_back(std::move(entry));
  return all;
}

}  // namespace pollux
