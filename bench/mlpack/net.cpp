// mlpack's network, as bench/network_peers.py races it; bench/networks.py compiles this.
//
//   mlpack_net FOLDER UNITS[,UNITS].. EPOCHS BATCH RATE
//
// FOLDER holds train_x.bin [inputs, samples], train_y.bin [1, samples], test_x.bin and test_y.bin:
// float32, as Armadillo stores matrices. Prints JSON: the seconds of each epoch, and the share of
// the test samples that are then got right.
#include <mlpack/core.hpp>
#include <mlpack/methods/ann/ann.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Loss = mlpack::NegativeLogLikelihoodType<arma::fmat>;
using Network = mlpack::FFN<Loss, mlpack::GlorotInitialization, arma::fmat>;

constexpr arma::uword kClasses = 10;

// Plain SGD, an optimizer as FFN::Train takes them: each epoch in a new order, as FFN makes it, one
// update a batch.
struct Sgd {
  int epochs;
  size_t batch;
  float rate;
  std::vector<double> seconds = {};  // of each epoch

  float Optimize(Network& network, arma::fmat& parameters) {
    const size_t samples = network.NumFunctions();
    arma::fmat gradient(arma::size(parameters));
    float loss = 0;
    for (int epoch = 0; epoch < epochs; ++epoch) {
      const auto start = std::chrono::steady_clock::now();
      network.Shuffle();
      loss = 0;
      for (size_t begin = 0; begin < samples; begin += batch) {
        loss += network.EvaluateWithGradient(parameters, begin, gradient,
                                             std::min(batch, samples - begin));
        parameters -= rate * gradient;
      }
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
      seconds.push_back(spent.count());
    }
    return loss;
  }
};

arma::fmat loaded(const std::string& path) {
  arma::fmat matrix;
  if (!matrix.load(path, arma::arma_binary)) {
    throw std::runtime_error("mlpack_net: cannot read " + path);
  }
  return matrix;
}

double accuracy(Network& network, const arma::fmat& features, const arma::fmat& labels) {
  arma::fmat logs;
  network.Predict(features, logs, 1000);
  const arma::urowvec best = arma::index_max(logs, 0);
  return arma::mean(
      arma::conv_to<arma::rowvec>::from(best == arma::conv_to<arma::urowvec>::from(labels.row(0))));
}

void run(const std::string& folder, const std::string& hidden, Sgd sgd) {
  Network network(Loss(false));  // the mean of a batch, not the sum
  std::istringstream layers(hidden);
  for (std::string units; std::getline(layers, units, ',');) {
    network.Add<mlpack::Linear>(std::stoul(units));
    network.Add<mlpack::ReLU>();
  }
  network.Add<mlpack::Linear>(kClasses);
  network.Add<mlpack::LogSoftMax>();
  network.Train(loaded(folder + "/train_x.bin"), loaded(folder + "/train_y.bin"), sgd);
  const double right =
      accuracy(network, loaded(folder + "/test_x.bin"), loaded(folder + "/test_y.bin"));

  std::printf("{\"seconds\": [");
  for (size_t i = 0; i < sgd.seconds.size(); ++i) {
    std::printf("%s%.6f", i == 0 ? "" : ", ", sgd.seconds[i]);
  }
  std::printf("], \"accuracy\": %.4f}\n", right);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 6) {
      throw std::invalid_argument("mlpack_net: expected FOLDER UNITS[,UNITS].. EPOCHS BATCH RATE");
    }
    run(argv[1], argv[2], Sgd{std::stoi(argv[3]), std::stoul(argv[4]), std::stof(argv[5])});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
