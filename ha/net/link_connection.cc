#include "ha/net/link_connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pollux {
namespace {

using boost::system::error_code;

constexpr size_t kAddressesOfNameMax = 8;
constexpr size_t kKeptBytes = size_t{1} << 20;  ///< of a buffer behind a long write

void set_number(int socket, int level, int name, int value) {
  // What cannot be set shows in nothing but how soon a lost peer is noticed.
  ::setsockopt(socket, level, name, &value, sizeof(value));
}

/// A peer that is gone without a word is noticed by what it does not confirm, also when nothing is
/// being sent.
void set_options(int socket, std::chrono::milliseconds user_timeout) {
  set_number(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_number(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_number(socket, IPPROTO_TCP, TCP_KEEPIDLE, 1);
  set_number(socket, IPPROTO_TCP, TCP_KEEPINTVL, 1);
  set_number(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_number(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(user_timeout.count()));
}

}  // namespace

LinkConnection::LinkConnection(boost::asio::io_context& context, Socket socket, Owner& owner,
                               LinkCounters& counters, std::chrono::milliseconds user_timeout)
    : socket_(std::move(socket)),
      resolver_(context),
      deadline_(context),
      owner_(owner),
      counters_(counters),
      user_timeout_(user_timeout) {}

void LinkConnection::start() {
  set_options(socket_.native_handle(), user_timeout_);
  read();
}

void LinkConnection::dial(const HostPort& address) {
  error_code no_address;
  auto ip = boost::asio::ip::make_address(address.host, no_address);
  if (!no_address) return connect({Tcp::endpoint(ip, address.port)}, 0, "");
  resolver_.async_resolve(
      address.host, std::to_string(address.port),
      [self = shared_from_this()](error_code error, const Tcp::resolver::results_type& found) {
        if (self->closed_) return;
        if (error) return self->end(End::kUnreachable, error.message());
        std::vector<Tcp::endpoint> endpoints;
        for (const auto& one : found) {
          if (endpoints.size() < kAddressesOfNameMax) endpoints.push_back(one.endpoint());
        }
        self->connect(std::move(endpoints), 0, "the name has no address");
      });
}

void LinkConnection::connect(std::vector<Tcp::endpoint> endpoints, size_t next,
                             const std::string& problem) {
  if (next == endpoints.size()) return end(End::kUnreachable, problem);
  Tcp::endpoint endpoint = endpoints[next];
  error_code ignored;
  socket_.close(ignored);
  socket_.async_connect(endpoint, [self = shared_from_this(), endpoints = std::move(endpoints),
                                   next](error_code error) mutable {
    if (self->closed_) return;
    if (error) return self->connect(std::move(endpoints), next + 1, error.message());
    self->start();
    self->owner_.on_dialled(*self);
  });
}

void LinkConnection::read() {
  if (closed_ || reading_) return;
  reading_ = true;
  std::span<char> room = reader_.room();
  socket_.async_read_some(
      boost::asio::buffer(room.data(), room.size()),
      [self = shared_from_this()](error_code error, size_t bytes) {
        self->reading_ = false;
        if (self->closed_) return;
        if (error) {
          bool clean = error == boost::asio::error::eof;
          return self->end(End::kStream, clean ? "the other end has closed it" : error.message());
        }
        self->counters_.add(self->counters_.bytes_in, bytes);
        self->reader_.arrived(bytes);
        self->take_frames();
      });
}

void LinkConnection::take_frames() {
  while (!closed_ && !held_) {
    auto frame = reader_.next();
    if (!frame.ok()) {
      return end(End::kFrame, std::string(frame.status().message()), frame.status());
    }
    if (!*frame) return read();
    owner_.on_frame(*this, **frame);
  }
  // Held, and nothing has come yet: only so is an end seen.
  if (!closed_ && reader_.waiting() == 0) read();
}

void LinkConnection::resume() {
  auto self = shared_from_this();
  held_ = false;
  if (!reading_) take_frames();
}

void LinkConnection::flush() {
  if (closed_ || out_.empty() || !writing_.empty()) return;
  std::swap(out_, writing_);
  boost::asio::async_write(socket_, boost::asio::buffer(writing_),
                           [self = shared_from_this()](error_code error, size_t bytes) {
                             self->counters_.add(self->counters_.bytes_out, bytes);
                             if (self->closed_) return;
                             if (error) return self->end(End::kStream, error.message());
                             if (self->writing_.capacity() > kKeptBytes)
                               std::string().swap(self->writing_);
                             self->writing_.clear();
                             self->flush();
                             self->owner_.on_written(*self);
                           });
}

void LinkConnection::close_with(std::string_view bytes) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  size_t written = socket_.write_some(boost::asio::buffer(bytes.data(), bytes.size()), ignored);
  counters_.add(counters_.bytes_out, written);
  socket_.shutdown(Socket::shutdown_send, ignored);
  close();
}

void LinkConnection::close() {
  if (std::exchange(closed_, true)) return;
  error_code ignored;
  resolver_.cancel();
  deadline_.cancel();
  socket_.close(ignored);
}

void LinkConnection::end(End end, const std::string& why, const absl::Status& frame_error) {
  if (closed_) return;
  close();
  owner_.on_ended(*this, end, why, frame_error);
}

void LinkConnection::set_deadline(std::chrono::milliseconds after) {
  deadline_.expires_after(after);
  deadline_.async_wait([self = shared_from_this(), serial = ++deadline_serial_](error_code error) {
    // It may have been cleared when it had passed already.
    if (!error && serial == self->deadline_serial_) self->end(End::kLate, "no answer in time");
  });
}

void LinkConnection::clear_deadline() {
  ++deadline_serial_;
  deadline_.cancel();
}

}  // namespace pollux
