// The loader feeding somebody else's training loop:  your_own_loop DATA [EPOCHS]
//
// Softmax regression in plain C++ stands for whatever you train with. What Millrace does here is
// all before the arithmetic: it reads and checks the files, decodes them on all cores, shuffles
// each epoch by the seed, and packs the batches ahead of the loop, so that the loop never waits for
// them.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/folder.h"
#include "loader/loader.h"

namespace {

class SoftmaxRegression {
 public:
  SoftmaxRegression(std::size_t features, std::size_t classes)
      : features_(features), classes_(classes), weights_(features * classes), bias_(classes) {}

  /// The probabilities of the classes for one sample.
  std::vector<float> predict(std::span<const std::byte> pixels) const {
    std::vector<float> p = bias_;
    for (std::size_t i = 0; i < features_; ++i) {
      const float x = value(pixels[i]);
      if (x == 0.0F) continue;
      for (std::size_t c = 0; c < classes_; ++c) p[c] += x * weights_[i * classes_ + c];
    }
    const float largest = *std::max_element(p.begin(), p.end());
    float sum = 0.0F;
    for (float& each : p) sum += each = std::exp(each - largest);
    for (float& each : p) each /= sum;
    return p;
  }

  /// One step of gradient descent on a batch of one or more samples.
  void step(std::span<const std::byte> samples, std::span<const std::int32_t> labels, float rate) {
    std::vector<std::vector<float>> errors;
    for (std::size_t s = 0; s < labels.size(); ++s) {
      errors.push_back(predict(samples.subspan(s * features_, features_)));
      errors[s][static_cast<std::size_t>(labels[s])] -= 1.0F;
    }
    const float scale = rate / static_cast<float>(labels.size());
    for (std::size_t s = 0; s < labels.size(); ++s) {
      for (std::size_t i = 0; i < features_; ++i) {
        const float x = scale * value(samples[s * features_ + i]);
        if (x == 0.0F) continue;
        for (std::size_t c = 0; c < classes_; ++c) weights_[i * classes_ + c] -= x * errors[s][c];
      }
      for (std::size_t c = 0; c < classes_; ++c) bias_[c] -= scale * errors[s][c];
    }
  }

 private:
  static float value(std::byte pixel) { return static_cast<float>(pixel) / 255.0F; }

  std::size_t features_;
  std::size_t classes_;
  std::vector<float> weights_;  // [features, classes]
  std::vector<float> bias_;
};

double accuracy(const SoftmaxRegression& model,
                const std::shared_ptr<const millrace::Dataset>& test) {
  millrace::LoaderSpec spec;
  spec.data = test;
  spec.subset = millrace::Subset::all(test->size());
  spec.kind = millrace::ChunkKind::kPacked;
  spec.shuffle = false;
  millrace::Loader loader(spec);
  std::size_t correct = 0;
  while (const std::optional<millrace::ChunkLease> lease = loader.next()) {
    const millrace::Chunk& chunk = lease->chunk();
    const std::size_t bytes = chunk.samples.size() / chunk.count;
    for (std::size_t s = 0; s < chunk.count; ++s) {
      const std::vector<float> p = model.predict(chunk.samples.subspan(s * bytes, bytes));
      correct += std::max_element(p.begin(), p.end()) - p.begin() == chunk.labels[s] ? 1 : 0;
    }
  }
  return static_cast<double>(correct) / static_cast<double>(test->size());
}

void train(const millrace::DataFolder& data, std::uint64_t epochs) {
  if (data.train->dtype() != millrace::DType::kUInt8)
    throw std::runtime_error("this example wants uint8 samples");
  if (!data.test) throw std::runtime_error("this example wants a test set");
  SoftmaxRegression model(data.train->shape().elements(), data.train->classes());

  millrace::LoaderSpec spec;
  spec.data = data.train;
  spec.subset = millrace::Subset::all(data.train->size());
  spec.kind = millrace::ChunkKind::kPacked;  // chunks that carry samples, not their numbers
  spec.batch = 128;
  spec.seed = 1;
  spec.epochs = epochs;
  millrace::Loader loader(spec);
  // A chunk is many batches that were packed together. Its memory is on loan: dropping the lease
  // gives the slot back, and a worker fills it again while the loop is at the next chunk.
  while (const std::optional<millrace::ChunkLease> lease = loader.next()) {
    for (std::uint32_t b = 0; b < lease->chunk().batches(); ++b) {
      const millrace::Chunk batch = lease->chunk().slice(b, 1);
      model.step(batch.samples, batch.labels, 0.5F);
    }
    if (lease->last_in_epoch()) {
      std::printf("Epoch [%d], test_acc: %.4f\n", static_cast<int>(lease->position().epoch),
                  accuracy(model, data.test));
    }
  }
}

}  // namespace

int main(int argc, char** argv) try {
  train(millrace::open_folder(argc > 1 ? argv[1] : "data"), argc > 2 ? std::stoul(argv[2]) : 3);
} catch (const std::exception& error) {
  std::fprintf(stderr, "your_own_loop: %s\n", error.what());
  return 1;
}
