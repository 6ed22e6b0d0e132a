// The arbiter in etcd, 3.4 or later, by its JSON gateway: no client library is needed.
//
// One key, `<prefix>/<domain>`, holds the record. A compare-and-set reads it, and, if it is of the
// right version, puts the next one in a transaction that compares the key's modification revision,
// which is of that very content. etcd's own count of a key's changes would spare the read, but it
// begins anew where a key was restored or copied, and ours does not. Reads are linearizable, and
// what is acknowledged has been synced by a majority. Asked of the cluster, and not to be seen from
// here: no member runs with --unsafe-no-fsync.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ha/arbiter/arbiter.h"
#include "storage/remote/tls_options.h"

namespace pollux {

struct EtcdOptions {
  /// "http://10.0.0.1:2379"; asked one after the other, the one that answered last first, and each
  /// for its share of the time. A change is never asked for twice.
  std::vector<std::string> endpoints;
  std::string prefix = "/pollux/arbiter";
  std::string user;  ///< empty: etcd without authentication
  std::string password;
  TlsOptions tls;  ///< of https endpoints; `mode` kOff is for http
};

/// Needs no server yet. kInvalidArgument: the options.
absl::StatusOr<std::unique_ptr<Arbiter>> make_etcd_arbiter(const ArbiterOptions& options,
                                                           const EtcdOptions& etcd);

}  // namespace pollux
