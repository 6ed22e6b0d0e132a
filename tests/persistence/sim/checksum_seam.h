// The checksum of a program that links checksum_seam.cc: the real one, or one that is always right.
#pragma once

namespace pollux {

/// For all threads; before the first of them begins.
void skip_checksums(bool skip);

}  // namespace pollux
