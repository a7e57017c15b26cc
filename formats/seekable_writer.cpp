#include "formats/seekable_writer.h"

#include <fmt/format.h>
#include <zstd.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/little_endian.h"
#include "formats/seekable_zstd.h"

namespace millrace {
namespace {

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};

std::size_t check(const std::filesystem::path& path, std::size_t result) {
  if (ZSTD_isError(result) != 0) {
    throw DataError(path, fmt::format("cannot compress: {}", ZSTD_getErrorName(result)));
  }
  return result;
}

}  // namespace

class SeekableWriter::Work {
 public:
  Work(const std::filesystem::path& path, SeekableOptions options)
      : file_(path), level_(options.level) {
    const auto count = thread_count(options.threads, std::uint64_t{1} << 16);
    most_in_flight_ = 2 * std::size_t{count};
    threads_.reserve(count);
    try {
      for (unsigned i = 0; i < count; ++i) {
        threads_.emplace_back([this] { compress_all(); });
      }
    } catch (...) {
      stop();
      throw;
    }
  }
  ~Work() { stop(); }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  void append(std::vector<std::byte> content) {
    while (jobs_.size() >= most_in_flight_) write_first();
    auto job = std::make_shared<Job>();
    job->bytes = std::move(content);
    jobs_.push_back(job);
    {
      const std::scoped_lock lock(mutex_);
      waiting_.push_back(std::move(job));
    }
    more_.notify_one();
    // What is ready is written while the threads go on.
    while (!jobs_.empty() && is_done(*jobs_.front())) write_first();
  }

  void finish() {
    while (!jobs_.empty()) write_first();
    stop();
    file_.write(table_.encode());
    file_.sync();
    finished_ = true;
  }

  void commit() {
    if (!finished_) finish();
    file_.commit();
  }

  bool finished() const noexcept { return finished_; }
  const SeekTable& table() const noexcept { return table_; }
  const std::filesystem::path& path() const noexcept { return file_.path(); }

 private:
  struct Job {
    std::vector<std::byte> bytes;  // content, and when done the frame
    std::uint32_t content = 0;
    bool done = false;  // under mutex_
    std::exception_ptr error;
  };

  bool is_done(const Job& job) {
    const std::scoped_lock lock(mutex_);
    return job.done;
  }

  void write_first() {
    const auto job = jobs_.front();
    {
      std::unique_lock lock(mutex_);
      done_.wait(lock, [&] { return job->done; });
    }
    if (job->error) std::rethrow_exception(job->error);
    file_.write(job->bytes);
    const std::span<const std::byte> frame(job->bytes);
    // The last four bytes of a zstd frame are the very checksum that the table wants.
    table_.add(static_cast<std::uint32_t>(frame.size()), job->content,
               load_little_endian32(frame.last(4).data()));
    jobs_.pop_front();
  }

  void compress_all() {
    std::unique_ptr<ZSTD_CCtx, FreeContext> context;
    std::vector<std::byte> packed;
    for (;;) {
      std::shared_ptr<Job> job;
      {
        std::unique_lock lock(mutex_);
        more_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
        if (stopped_) return;
        job = std::move(waiting_.front());
        waiting_.pop_front();
      }
      try {
        if (!context) context = make_context();
        packed.resize(ZSTD_compressBound(job->bytes.size()));
        packed.resize(check(path(), ZSTD_compress2(context.get(), packed.data(), packed.size(),
                                                   job->bytes.data(), job->bytes.size())));
        job->content = static_cast<std::uint32_t>(job->bytes.size());
        job->bytes.assign(packed.begin(), packed.end());
      } catch (...) {
        job->error = std::current_exception();
      }
      {
        const std::scoped_lock lock(mutex_);
        job->done = true;
      }
      done_.notify_one();
    }
  }

  std::unique_ptr<ZSTD_CCtx, FreeContext> make_context() const {
    std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
    if (!context) throw std::bad_alloc();
    check(path(), ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level_));
    check(path(), ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1));
    return context;
  }

  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
    }
    more_.notify_all();
    threads_.clear();  // joins
  }

  AtomicFile file_;
  SeekTable table_;
  int level_;
  std::size_t most_in_flight_ = 0;
  bool finished_ = false;
  std::deque<std::shared_ptr<Job>> jobs_;  // in the order of the file; the caller's
  std::mutex mutex_;
  std::condition_variable more_;
  std::condition_variable done_;
  std::deque<std::shared_ptr<Job>> waiting_;  // under mutex_
  bool stopped_ = false;                      // under mutex_
  std::vector<std::jthread> threads_;
};

SeekableWriter::SeekableWriter(const std::filesystem::path& path, SeekableOptions options) {
  if (options.level < ZSTD_minCLevel() || options.level > ZSTD_maxCLevel()) {
    throw std::invalid_argument(fmt::format("zstd has levels from {} to {}, not {}",
                                            ZSTD_minCLevel(), ZSTD_maxCLevel(), options.level));
  }
  work_ = std::make_unique<Work>(path, options);
}
SeekableWriter::~SeekableWriter() = default;
SeekableWriter::SeekableWriter(SeekableWriter&& other) noexcept = default;

void SeekableWriter::append(std::vector<std::byte> content) {
  if (content.empty() || content.size() > SeekTable::kMostContent) {
    throw std::invalid_argument(fmt::format("{}: a frame of {} bytes; 1 to {} would do",
                                            work_->path().string(), content.size(),
                                            SeekTable::kMostContent));
  }
  // No thread is left that would compress it.
  if (work_->finished()) {
    throw std::logic_error(work_->path().string() + ": SeekableWriter used after finish()");
  }
  work_->append(std::move(content));
}

void SeekableWriter::finish() { work_->finish(); }

void SeekableWriter::commit() { work_->commit(); }

const SeekTable& SeekableWriter::table() const noexcept { return work_->table(); }

}  // namespace millrace
