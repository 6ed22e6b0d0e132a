// The arbiter in a folder, for members on one machine, or with a disk that both have mounted.
//
// `<folder>/<domain>/record.<version>` is the record of that version; the highest one is the
// record, and the newest 1,000 are kept, for those who want to know how it came to be. A file that
// is torn, rotten or of somebody else is an error that names it, never a guess.
//
// Linearizable as far as the file system is. A local one is. A mounted one must not answer from a
// cache of its own (NFS: `noac,lookupcache=none`) and must sync when asked to.
//
// A disk that hangs holds the call up, whatever `timeout_ms` says: there is no way to give up on
// it.
#pragma once

#include <memory>
#include <string>

#include "ha/arbiter/arbiter.h"

namespace pollux {

/// `folder` exists: where nothing is mounted yet, making it would make an arbiter that knows
/// nothing. Looks at nothing yet. kInvalidArgument: the options.
absl::StatusOr<std::unique_ptr<Arbiter>> make_file_arbiter(const ArbiterOptions& options,
                                                           const std::string& folder);

}  // namespace pollux
