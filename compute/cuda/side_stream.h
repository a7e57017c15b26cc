#pragma once

#include "compute/cuda/owned.h"

namespace millrace::cuda {

/// A second stream beside a main one, for what the rest of a step need not wait for. Work on get()
/// starts after what the main stream had at the last fork(); work on the main stream after join()
/// starts after all that get() had then. The host waits for neither. A capture of the main stream
/// records both, and ends joined. Without a second stream all is done on the main one, in order.
class SideStream {
 public:
  SideStream(Runtime& runtime, StreamHandle main, bool separate)
      : runtime_(runtime), main_(main), order_(runtime, runtime.create_event()) {
    if (separate) side_ = Stream(runtime, runtime.create_stream("beside compute"));
  }
  /// What is under way reads memory that its owner is about to free.
  ~SideStream() {
    if (side_) runtime_.synchronize_quietly(side_.get());
  }
  SideStream(const SideStream&) = delete;
  SideStream& operator=(const SideStream&) = delete;

  StreamHandle get() const noexcept { return side_ ? side_.get() : main_; }
  StreamHandle main() const noexcept { return main_; }
  bool separate() const noexcept { return static_cast<bool>(side_); }
  /// Since the last join().
  bool forked() const noexcept { return forked_; }

  void fork() {
    if (!side_) return;
    follow(side_.get(), main_);
    forked_ = true;
  }
  void join() {
    if (!forked_) return;
    follow(main_, side_.get());
    forked_ = false;
  }
  /// After a capture that was abandoned: what it recorded never runs.
  void forget() noexcept { forked_ = false; }

 private:
  // One event serves all: a wait is for what the event stood for when it was enqueued.
  void follow(StreamHandle stream, StreamHandle other) {
    runtime_.record(order_.get(), other);
    runtime_.wait(stream, order_.get());
  }

  Runtime& runtime_;
  StreamHandle main_;
  Event order_;
  Stream side_;
  bool forked_ = false;
};

}  // namespace millrace::cuda
