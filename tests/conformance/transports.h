// The transports that the language's core has: inMemory, by topics that the apps of one case share,
// and log. Events go through as they are (mapper passThrough).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/runtime/plan_description.h"
#include "tests/conformance/subject.h"

namespace pollux::conformance {

class Transports {
 public:
  /// Where what was published comes out.
  struct Arrival {
    int64_t runtime = 0;
    std::string stream;
    std::vector<Row> rows;
  };

  /// What is wrong with the sources and sinks of an app; empty when nothing is.
  static std::string error_of(const std::vector<StreamEndpoint>& endpoints);

  void connect(int64_t runtime, std::vector<StreamEndpoint> endpoints);
  void disconnect(int64_t runtime) { endpoints_.erase(runtime); }
  /// What the sinks of a stream publish and the sources of all apps take.
  std::vector<Arrival> publish(int64_t runtime, const Delivery& delivery,
                               const std::vector<std::string>& attributes) const;
  bool has_sink(int64_t runtime, const std::string& stream) const;

 private:
  bool has_sources() const;

  std::map<int64_t, std::vector<StreamEndpoint>> endpoints_;
};

}  // namespace pollux::conformance
