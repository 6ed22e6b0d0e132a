// Windows that expire all they hold at once, and say so with a reset: lengthBatch, timeBatch,
// externalTimeBatch, batch.
#include <algorithm>
#include <optional>

#include "tests/oracle/window.h"

namespace pollux::oracle {

namespace {

void append(Chunk& to, const std::vector<Event>& events) {
  to.insert(to.end(), events.begin(), events.end());
}

void append_expired(Chunk& to, const std::vector<Event>& events, int64_t now) {
  for (const Event& event : events) to.push_back(with_kind(event, EventKind::kExpired, now));
}

class LengthBatchWindow : public Window {
 public:
  LengthBatchWindow(int64_t length, bool streams, const WindowContext& context)
      : length_(length), streams_(streams), context_(context) {}

  void process(Chunk chunk) override {
    int64_t now = context_.clock->now();
    std::vector<Chunk> outs;
    for (Event& event : chunk) {
      Chunk out;
      if (length_ == 0) {
        out.push_back(event);
        if (context_.expired_wanted) out.push_back(with_kind(event, EventKind::kExpired, now));
        out.push_back(with_kind(event, EventKind::kReset, now));
      } else {
        if (!reset_) reset_ = with_kind(event, EventKind::kReset);
        if (streams_) {
          stream_on(event, out, now);
        } else {
          collect(event, out, now);
        }
      }
      if (!out.empty()) outs.push_back(std::move(out));
    }
    for (Chunk& out : outs) next->process(std::move(out));
  }

  std::vector<EventPtr> contents() const override { return to_pointers(expired_); }

 private:
  bool keeps_expired() const { return context_.expired_wanted || context_.searched; }

  void end_batch(Chunk& out, int64_t now) {
    if (context_.expired_wanted) append_expired(out, expired_, now);
    expired_.clear();  // the original keeps them, for ever, where only joins look at them
    if (reset_) out.push_back(with_kind(*reset_, EventKind::kReset, now));
    reset_.reset();
  }

  void collect(const Event& event, Chunk& out, int64_t now) {
    current_.push_back(event);
    if (static_cast<int64_t>(current_.size()) < length_) return;
    end_batch(out, now);
    if (keeps_expired()) {
      for (const Event& held : current_) expired_.push_back(with_kind(held, EventKind::kExpired));
    }
    append(out, current_);
    current_.clear();
  }

  void stream_on(const Event& event, Chunk& out, int64_t now) {
    if (++count_ == length_ + 1) {
      end_batch(out, now);
      count_ = 1;
    }
    out.push_back(event);
    if (keeps_expired()) expired_.push_back(with_kind(event, EventKind::kExpired));
  }

  int64_t length_;
  bool streams_;
  WindowContext context_;
  int64_t count_ = 0;
  std::vector<Event> current_, expired_;
  std::optional<Event> reset_;
};

class TimeBatchWindow : public Window {
 public:
  struct Options {
    int64_t time = 0;
    std::optional<int64_t> start;
    bool streams = false;
  };

  TimeBatchWindow(const Options& options, const WindowContext& context)
      : options_(options), context_(context) {}

  void process(Chunk chunk) override {
    int64_t now = context_.clock->now();
    if (!next_emit_) {
      next_emit_ = options_.start ? now + (options_.time - (now - *options_.start) % options_.time)
                                  : now + options_.time;
      wake();
    }
    bool ends = now >= *next_emit_;
    if (ends) {
      *next_emit_ += options_.time;
      wake();
    }
    Chunk out;
    for (Event& event : chunk) {
      if (event.kind != EventKind::kCurrent) continue;
      if (!reset_) reset_ = with_kind(event, EventKind::kReset);
      if (!options_.streams) {
        current_.push_back(std::move(event));
      } else {
        if (keeps_expired()) expired_.push_back(with_kind(event, EventKind::kExpired));
        out.push_back(std::move(event));
      }
    }
    if (ends) end_batch(out, now);
    if (!out.empty()) next->process(std::move(out));
  }

  std::vector<EventPtr> contents() const override { return to_pointers(expired_); }

 private:
  bool keeps_expired() const { return context_.expired_wanted || context_.searched; }

  void wake() {
    context_.clock->notify_at(*next_emit_, [this](int64_t deadline) {
      process({Event{EventKind::kTimer, deadline, {}}});
    });
  }

  void end_batch(Chunk& out, int64_t now) {
    if (context_.expired_wanted) append_expired(out, expired_, now);
    expired_.clear();  // the original keeps them, for ever, where only joins look at them
    if (reset_) out.push_back(*reset_);
    reset_.reset();
    if (current_.empty()) return;
    if (keeps_expired()) {
      for (const Event& held : current_) expired_.push_back(with_kind(held, EventKind::kExpired));
    }
    append(out, current_);
    current_.clear();
  }

  Options options_;
  WindowContext context_;
  std::optional<int64_t> next_emit_;
  std::vector<Event> current_, expired_;
  std::optional<Event> reset_;
};

class ExternalTimeBatchWindow : public Window {
 public:
  struct Options {
    Bound timestamp;
    int64_t time = 0;
    std::optional<int64_t> start;
    Bound start_attribute;  ///< instead of a constant start
    int64_t timeout = 0;
    std::optional<size_t> replaced;  ///< attribute that gets the end of the batch
  };

  ExternalTimeBatchWindow(Options options, const WindowContext& context)
      : options_(std::move(options)), context_(context) {
    start_ = options_.start.value_or(0);
  }

  void process(Chunk chunk) override {
    if (chunk.empty()) return;
    outs_.clear();
    if (chunk[0].kind == EventKind::kCurrent) begin(chunk[0]);
    for (const Event& event : chunk) {
      if (event.kind == EventKind::kTimer) {
        time_out(event.timestamp);
      } else if (event.kind == EventKind::kCurrent) {
        take(event);
      }
    }
    std::vector<Chunk> outs = std::move(outs_);
    for (Chunk& out : outs) next->process(std::move(out));
  }

  std::vector<EventPtr> contents() const override { return to_pointers(expired_); }

 private:
  bool keeps_expired() const {
    return context_.expired_wanted || context_.searched || options_.timeout > 0;
  }

  int64_t time_of(const Event& event) const {
    return as_long(attribute_of(options_.timestamp, event));
  }

  void begin(const Event& first) {
    if (end_ >= 0) return;
    if (options_.start_attribute.eval) {
      start_ = as_long(attribute_of(options_.start_attribute, first));
      end_ = start_ + options_.time;
    } else if (options_.start) {
      end_ = end_after(time_of(first));
    } else {
      start_ = time_of(first);
      end_ = start_ + options_.time;
    }
    if (options_.timeout > 0) wake();
  }

  int64_t end_after(int64_t time) const {
    return time + (options_.time - (time - start_) % options_.time);
  }

  void wake() {
    scheduled_ = context_.clock->now() + options_.timeout;
    context_.clock->notify_at(scheduled_, [this](int64_t deadline) {
      process({Event{EventKind::kTimer, deadline, {}}});
    });
  }

  void time_out(int64_t timestamp) {
    if (scheduled_ > timestamp) return;
    if (!flushed_) {
      flush();
      flushed_ = true;
    } else if (!current_.empty()) {
      append_late();
    }
    wake();
  }

  void take(const Event& event) {
    int64_t time = time_of(event);
    newest_ = std::max(newest_, time);
    if (time >= end_) {
      if (flushed_) {
        append_late();
        flushed_ = false;
      } else {
        flush();
      }
      end_ = end_after(newest_);
      hold(event);
      if (options_.timeout > 0) wake();
    } else {
      hold(event);
    }
  }

  void hold(const Event& event) {
    current_.push_back(event);
    if (options_.replaced) current_.back().data[*options_.replaced] = end_;
    if (!reset_) reset_ = with_kind(event, EventKind::kReset);
  }

  void keep_current_as_expired() {
    if (!keeps_expired()) return;
    for (const Event& held : current_) expired_.push_back(with_kind(held, EventKind::kExpired));
  }

  void flush() {
    Chunk out;
    if (context_.expired_wanted) append_expired(out, expired_, newest_);
    expired_.clear();
    if (!current_.empty()) {
      if (reset_) out.push_back(with_kind(*reset_, EventKind::kReset, newest_));
      reset_.reset();
      keep_current_as_expired();
      append(out, current_);
    }
    current_.clear();
    if (!out.empty()) outs_.push_back(std::move(out));
  }

  // The batch was put out at a timeout already: it comes again, with what arrived since.
  void append_late() {
    Chunk out;
    if (!current_.empty()) {
      if (context_.expired_wanted) append_expired(out, expired_, newest_);
      if (reset_) out.push_back(with_kind(*reset_, EventKind::kReset, newest_));
      for (const Event& held : expired_) out.push_back(with_kind(held, EventKind::kCurrent));
      keep_current_as_expired();
      append(out, current_);
    }
    current_.clear();
    if (!out.empty()) outs_.push_back(std::move(out));
  }

  Options options_;
  WindowContext context_;
  int64_t start_ = 0, end_ = -1, scheduled_ = 0, newest_ = 0;
  bool flushed_ = false;
  std::vector<Event> current_, expired_;
  std::optional<Event> reset_;
  std::vector<Chunk> outs_;
};

class ChunkBatchWindow : public Window {
 public:
  ChunkBatchWindow(int64_t length, const WindowContext& context)
      : length_(length), context_(context) {}

  void process(Chunk chunk) override {
    std::vector<Chunk> outs;
    Chunk out;
    if (!expired_.empty()) {
      if (context_.expired_wanted) append_expired(out, expired_, context_.clock->now());
      if (reset_) out.push_back(*reset_);
      reset_.reset();
      expired_.clear();
    }
    std::vector<Event> part;
    auto end_part = [&] {
      if (part.empty()) return;
      if (reset_) out.push_back(*reset_);
      reset_ = with_kind(part[0], EventKind::kReset);
      append(out, part);
      part.clear();
      outs.push_back(std::move(out));
      out.clear();
    };
    for (Event& event : chunk) {
      if (context_.expired_wanted || context_.searched) {
        expired_.push_back(with_kind(event, EventKind::kExpired));
      }
      part.push_back(std::move(event));
      if (static_cast<int64_t>(part.size()) == length_) end_part();
    }
    end_part();
    if (!out.empty()) outs.push_back(std::move(out));
    for (Chunk& each : outs) next->process(std::move(each));
  }

  std::vector<EventPtr> contents() const override { return to_pointers(expired_); }

 private:
  int64_t length_;
  WindowContext context_;
  std::vector<Event> expired_;
  std::optional<Event> reset_;
};

std::unique_ptr<Window> make_time_batch(const ast::StreamHandler& handler,
                                        const WindowContext& context) {
  TimeBatchWindow::Options options;
  options.time = constant_number(handler, 0);
  for (size_t i = 1; i < handler.arguments.size(); ++i) {
    if (std::holds_alternative<bool>(constant_value(*handler.arguments[i]))) {
      options.streams = constant_flag(handler, i);
    } else {
      options.start = constant_number(handler, i);
    }
  }
  return std::make_unique<TimeBatchWindow>(options, context);
}

std::unique_ptr<Window> make_external_time_batch(const ast::StreamHandler& handler,
                                                 const Scope& scope, const WindowContext& context) {
  ExternalTimeBatchWindow::Options options;
  options.timestamp = bind(*handler.arguments.at(0), scope);
  options.time = constant_number(handler, 1);
  if (handler.arguments.size() > 2) {
    if (handler.arguments[2]->kind == ast::Expression::Kind::kReference) {
      options.start_attribute = bind(*handler.arguments[2], scope);
    } else {
      options.start = constant_number(handler, 2);
    }
  }
  if (handler.arguments.size() > 3) options.timeout = constant_number(handler, 3);
  if (handler.arguments.size() > 4 && constant_flag(handler, 4)) {
    const Fields& fields = scope.sources[0].fields;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].name == handler.arguments[0]->reference.attribute) options.replaced = i;
    }
  }
  return std::make_unique<ExternalTimeBatchWindow>(std::move(options), context);
}

}  // namespace

std::unique_ptr<Window> make_batch_window(const ast::StreamHandler& handler, const Scope& scope,
                                          const WindowContext& context) {
  if (handler.name == "lengthBatch") {
    bool streams = handler.arguments.size() > 1 && constant_flag(handler, 1);
    return std::make_unique<LengthBatchWindow>(constant_number(handler, 0), streams, context);
  }
  if (handler.name == "timeBatch") return make_time_batch(handler, context);
  if (handler.name == "externalTimeBatch") {
    return make_external_time_batch(handler, scope, context);
  }
  if (handler.name == "batch") {
    int64_t length = handler.arguments.empty() ? 0 : constant_number(handler, 0);
    return std::make_unique<ChunkBatchWindow>(length, context);
  }
  return nullptr;
}

}  // namespace pollux::oracle
