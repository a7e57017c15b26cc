
#include "formats/atomic_file.h"
#include "formats/npy.h"
#include "tools/cli/part_sink.h"
#include "tools/cli/target.h"

namespace millrace {
namespace {

class NpySink final : public PartSink {
 public:
  NpySink(const ConvertSpec& spec, const ConvertPart& part)
      : part_(part), samples_(make(spec, "x")), labels_(make(spec, "y")) {
    NpyHeader header{.dtype = part.data->dtype(), .shape = {part.data->size()}};
    const auto labels = part.labels_header(part.data->size());
    labels_.write(encode_npy_header(
        {.dtype = labels.dtype, .shape = {labels.dims.begin(), labels.dims.end()}}));
    header.shape.insert(header.shape.end(), part.data->shape().dims.begin(),
                        part.data->shape().dims.end());
    if (header.dtype == DType::kBFloat16) refuse_type(part, "NumPy");
    samples_.write(encode_npy_header(header));
  }

  void append(std::span<const std::byte> samples, std::span<const std::int32_t> labels) override {
    samples_.write(samples);
    labels_.write(part_.encode_labels(labels));
  }

  void finish() override {
    samples_.sync();
    labels_.sync();
  }

  std::vector<std::filesystem::path> targets() const override {
    return {samples_.path(), labels_.path()};
  }

  std::vector<ConvertedFile> commit() override {
    std::vector<ConvertedFile> files;
    for (auto* file : {&samples_, &labels_}) {
      const auto size = file->size();
      file->commit();
      files.push_back(
          {.from = part_.data->name(), .to = file->path(), .content = size, .stored = size});
    }
    return files;
  }

 private:
  AtomicFile make(const ConvertSpec& spec, const char* role) const {
    return AtomicFile(free_target(spec, std::string(role) + "_" + split_name(part_) + ".npy"));
  }

  const ConvertPart& part_;
  AtomicFile samples_;
  AtomicFile labels_;
};

}  // namespace

std::unique_ptr<PartSink> make_npy_sink(const ConvertSpec& spec, const ConvertPart& part) {
  return std::make_unique<NpySink>(spec, part);
}

}  // namespace millrace
