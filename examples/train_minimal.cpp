// Trains a network with the library alone:  train_minimal DATA [EPOCHS]
#include <atomic>
#include <cstdio>
#include <exception>
#include <string>

#include "formats/folder.h"
#include "train/trainer.h"

class Printer : public millrace::TrainObserver {
  void on_epoch(const millrace::EpochResult& epoch) override {
    std::printf("Epoch [%d], val_acc: %.4f\n", static_cast<int>(epoch.epoch), *epoch.val_acc);
  }
};

int main(int argc, char** argv) try {
  const millrace::DataFolder data = millrace::open_folder(argc > 1 ? argv[1] : "data");
  millrace::RunSpec spec;  // the trainer's defaults: 784-32-10, SGD, batch 128
  spec.optimizer.learning_rate = 0.5F;
  spec.validation_size = data.train->size() / 6;
  if (argc > 2) spec.epochs = std::stoul(argv[2]);

  Printer printer;
  millrace::Trainer trainer(spec, data.train, data.test, {&printer});
  const std::atomic<bool> stop{false};  // another thread or a signal may set it
  const millrace::RunResult result = trainer.fit(stop);
  if (result.test_acc) std::printf("Test accuracy: %.4f\n", *result.test_acc);
  std::printf("%s\nWeights: %s\n", result.verdict.c_str(), result.weights_hash.c_str());
} catch (const std::exception& error) {
  std::fprintf(stderr, "train_minimal: %s\n", error.what());
  return 1;
}
