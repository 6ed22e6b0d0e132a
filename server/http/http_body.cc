#include "server/http/http_body.h"

#include <algorithm>
#include <utility>

namespace pollux {

bool HttpBody::hold(size_t bytes) {
  if (bytes <= held_) return true;
  if (!shared_.hold_body_bytes(bytes - held_)) return false;
  held_ = bytes;
  return true;
}

bool HttpBody::room(char*& to, size_t& bytes) {
  if (received_ == text_.size()) {
    size_t wanted = std::min(expected_, std::max(kFirstBytesMax, 2 * text_.size()));
    if (!hold(wanted)) return false;
    text_.reserve(wanted + HttpRequest::kBodyPaddingBytes);
    text_.resize(wanted);
  }
  to = text_.data() + received_;
  bytes = text_.size() - received_;
  return true;
}

bool HttpBody::appended() {
  received_ = text_.size();
  return hold(text_.size());
}

std::string HttpBody::take() {
  text_.resize(received_);
  text_.reserve(received_ + HttpRequest::kBodyPaddingBytes);
  received_ = expected_ = 0;
  return std::exchange(text_, {});
}

void HttpBody::release() {
  shared_.release_body_bytes(std::exchange(held_, 0));
  text_ = {};
  received_ = expected_ = 0;
}

}  // namespace pollux
