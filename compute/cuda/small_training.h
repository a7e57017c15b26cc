#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "compute/cuda/elementwise.h"
#include "compute/cuda/softmax_loss.h"

namespace millrace::cuda {

/// All steps of a piece, of a float32 network with one hidden layer of ReLUs that is small: in one
/// kernel, since such a step's products take less time than the launches between them.
///
/// It is the CPU engine's way of a step (docs/architecture.md): a block has kColumns columns of a
/// layer's input, and of its weights. A step is three phases, each done by all blocks:
///   forward()  the hidden sums that the block's input columns give
///   output()   for some rows: the blocks' sums added up, the output layer, the loss, the way back
///   update()   the gradient of the block's weights over the batch, and the optimizer
/// A phase reads what other blocks wrote in the one before: between forward() and output(), and
/// between output() and update(), all blocks meet. After update() they need not: a block reads the
/// input layer's weights that are its own, and output() reads the rest after a meeting.
///
/// `Block` runs a block's threads: each(n, f) calls f(i) for all i < n, each_group(n, f) the same
/// with a group of threads as SoftmaxLoss has them, sync() is where a block's threads meet.
/// fetch(n, load, store) calls store(i, load(i)), those of several i at a time, meanwhile(n, place,
/// load, store) store(i, load(i, place(i))), the same by threads that wait for no other block. On
/// the host one thread does it all. Each sum has one order, which the shape decides.
///
/// A step takes as long as one look at memory after the other takes, so a phase takes all its looks
/// at once where it can, or has them behind it before it meets the others.
struct SmallTraining {
  static constexpr std::uint32_t kThreads = 256;
  static constexpr std::uint32_t kGroups = 8;    ///< of a block
  static constexpr std::uint32_t kColumns = 16;  ///< divides all widths
  static constexpr std::uint32_t kMostWidth = 64;
  static constexpr std::uint32_t kMostBlocks = 72;  ///< all have to run at the same time
  static constexpr std::size_t kMostBytes = std::size_t{96} << 10U;  ///< of a block's memory

  Gather samples;  ///< of the piece's rows; `to` and `rows` are of no use
  const std::int32_t* labels = nullptr;
  std::uint32_t rows = 0;    ///< of all steps
  std::uint32_t batch = 0;   ///< of each but the last
  std::uint32_t hidden = 0;  ///< padded widths, as is samples.padded
  std::uint32_t outputs = 0;
  std::uint32_t classes = 0;
  std::size_t weight[2] = {};  ///< where the layers' begin, in elements
  std::size_t bias[2] = {};
  OptimizerUpdate optimizer;  ///< `step`: of the first step; `gradient` is of no use
  float* parts = nullptr;     ///< [input_blocks(), batch rounded up to 4, hidden]
  float* y = nullptr;         ///< [batch, hidden]
  float* dy = nullptr;        ///< the same
  float* dz = nullptr;        ///< [batch, outputs]
  float* losses = nullptr;    ///< [rows]
  std::uint8_t* correct = nullptr;
  float smoothing = 0.0F;

  MILLRACE_HOST_DEVICE std::uint32_t steps() const { return (rows + batch - 1) / batch; }
  MILLRACE_HOST_DEVICE std::uint32_t input_blocks() const { return samples.padded / kColumns; }
  MILLRACE_HOST_DEVICE std::uint32_t blocks() const { return input_blocks() + hidden / kColumns; }

  /// Of `parts`, in floats.
  std::size_t parts_size() const { return std::size_t{input_blocks()} * round_up(batch) * hidden; }
  /// Of a block's memory, in floats; aligned to 16 bytes.
  MILLRACE_HOST_DEVICE std::size_t memory() const {
    return 2 * inputs_size() + kColumns * weights_stride() + most_outputs() + scratch_size() +
           kPartials + kBiasPartials + 2 * (most_rows() + kStepWords);
  }
  bool fits() const {
    return hidden <= kMostWidth && outputs <= kMostWidth && blocks() <= kMostBlocks &&
           memory() * sizeof(float) <= kMostBytes;
  }

  /// Brings the parameters that the block updates into its memory, where they stay: the first thing
  /// that is called.
  template <class Block>
  MILLRACE_HOST_DEVICE void begin(const Block& block, std::uint32_t b, float* memory) const {
    const Tile tile = tile_of(b);
    float* w = weights(memory);
    block.each(tile.outputs * kQuads, [&](std::uint32_t i) {
      const std::uint32_t out = i / kQuads;
      const std::uint32_t column = i % kQuads * 4;
      float values[4];
      load_four(optimizer.weights + tile.weight + std::size_t{out} * tile.wide + column, values);
      for (std::uint32_t k = 0; k < 4; ++k) w[(column + k) * weights_stride() + out] = values[k];
    });
    if (!tile.has_bias) return;
    block.each(tile.outputs, [&](std::uint32_t o) {
      biases(memory)[o] = optimizer.weights[(tile.layer == 0 ? bias[0] : bias[1]) + o];
    });
  }

  /// Brings a step's samples into the block's memory, where forward() and update() find them, the
  /// labels of output() and the constants of update(). Reads nothing that the kernel writes.
  template <class Block>
  MILLRACE_HOST_DEVICE void stage(const Block& block, std::uint32_t b, std::uint32_t step,
                                  float* memory) const {
    const std::uint32_t count = rows_of(step);
    const std::size_t first = std::size_t{step} * batch;
    const std::uint32_t quads = b < input_blocks() ? round_up(count) * kQuads : 0;
    const auto column = [&](std::uint32_t i) { return b * kColumns + i % kQuads * 4; };
    float* x = inputs(memory, step);
    float* of_rows = labels_of(memory, step);
    float* of_step = constants_of(memory, step);
    const auto* constants = reinterpret_cast<const std::byte*>(&optimizer.step[step].optimizer);
    const std::uint32_t mine = rows_of_block(b, count);
    block.meanwhile(
        quads + mine + kStepWords,
        [&](std::uint32_t i) {
          if (i >= quads + mine) return std::size_t{i - quads - mine};
          const std::uint32_t row =
              i < quads ? least(i / kQuads, count - 1) : b + (i - quads) * blocks();
          return samples.sample(first + row);
        },
        [&](std::uint32_t i, std::size_t at) {
          if (i < quads) return samples.look(at, column(i));
          Gather::Look look{};
          if (i < quads + mine) {
            look.word = static_cast<std::uint32_t>(labels[at]);
          } else {
            std::memcpy(&look.word, __builtin_assume_aligned(constants + at * sizeof look.word, 4),
                        sizeof look.word);
          }
          return look;
        },
        [&](std::uint32_t i, const Gather::Look& look) {
          if (i >= quads + mine) {
            std::memcpy(of_step + (i - quads - mine), &look.word, sizeof look.word);
            return;
          }
          if (i >= quads) {
            of_rows[i - quads] = static_cast<float>(look.word);
            return;
          }
          float values[4] = {};
          if (i / kQuads < count) samples.convert(look, column(i), values);
          store_four(x + i / kQuads * kStride + i % kQuads * 4, values);
        });
  }

  template <class Block>
  MILLRACE_HOST_DEVICE void forward(const Block& block, std::uint32_t b, std::uint32_t step,
                                    float* memory) const {
    // begin() or update() has written the weights, and update() has read what stage() writes over.
    block.sync();
    if (b >= input_blocks()) return;
    const float* x = inputs(memory, step);
    const float* w = weights(memory);
    // Four rows by four outputs.
    const std::uint32_t quads = hidden / 4;
    const std::uint32_t padded = round_up(rows_of(step));
    float* to = parts + std::size_t{b} * round_up(batch) * hidden;
    block.each(padded / 4 * quads, [&](std::uint32_t i) {
      const std::uint32_t row = i / quads * 4;
      const std::uint32_t out = i % quads * 4;
      float sums[4][4] = {};
      for (std::uint32_t c = 0; c < kColumns; c += 4) {
        float xs[4][4];  // by row, by column
        float ws[4][4];  // by column, by output
        for (std::uint32_t k = 0; k < 4; ++k) {
          load_four(x + (row + k) * kStride + c, xs[k]);
          load_four(w + (c + k) * weights_stride() + out, ws[k]);
        }
        for (std::uint32_t e = 0; e < 4; ++e) {
          for (std::uint32_t r = 0; r < 4; ++r) {
            for (std::uint32_t o = 0; o < 4; ++o) {
              sums[r][o] = std::fma(xs[r][e], ws[e][o], sums[r][o]);
            }
          }
        }
      }
      for (std::uint32_t r = 0; r < 4; ++r) {
        store_four(to + std::size_t{row + r} * hidden + out, sums[r]);
      }
    });
  }

  /// Rows b, b + blocks(), … of the step.
  template <class Block>
  MILLRACE_HOST_DEVICE void output(const Block& block, std::uint32_t b, std::uint32_t step,
                                   float* memory) const {
    const std::uint32_t count = rows_of(step);
    if (b >= count) return;
    const std::uint32_t mine = rows_of_block(b, count);
    const std::uint32_t quads = hidden / 4;
    const std::uint32_t stride = hidden + 1;  // rows of weights in different banks
    float* w = scratch(memory);
    float* sums = w + outputs * stride;                        // [kShares, mine, hidden]
    float* of_groups = sums + kShares * most_rows() * hidden;  // [kGroups, group_size()]
    float* added = of_groups + kGroups * group_size();         // the biases: hidden, then outputs
    const float* of_rows = labels_of(memory, step);
    const std::uint32_t of_parts = kShares * mine * quads;
    const std::uint32_t of_weights = outputs * quads;
    block.each(of_parts + of_weights + quads + outputs / 4, [&](std::uint32_t i) {
      float four[4] = {};
      if (i < of_parts) {
        // A share of the blocks' parts, added up.
        const std::uint32_t row = b + i / quads % mine * blocks();
        add_parts(i / quads / mine, std::size_t{row} * hidden + i % quads * 4, four);
        store_four(sums + i * 4, four);
      } else if (i < of_parts + of_weights) {
        const std::uint32_t quad = i - of_parts;
        load_four(optimizer.weights + weight[1] + quad * 4, four);
        float* to = w + quad / quads * stride + quad % quads * 4;
        for (std::uint32_t k = 0; k < 4; ++k) to[k] = four[k];
      } else {
        const std::uint32_t quad = i - of_parts - of_weights;
        load_four(
            optimizer.weights + (quad < quads ? bias[0] + quad * 4 : bias[1] + (quad - quads) * 4),
            four);
        store_four(added + quad * 4, four);
      }
    });
    block.sync();
    SoftmaxLoss loss;
    const std::size_t before = std::size_t{step} * batch;
    loss.rows = count;
    loss.classes = classes;
    loss.stride = outputs;
    loss.losses = losses + before;
    loss.correct = correct + before;
    loss.smoothing = smoothing;
    block.each_group(mine, [&](const auto& group, std::uint32_t i) {
      const std::uint32_t row = b + i * blocks();
      const auto label = static_cast<std::uint32_t>(of_rows[i]);
      float* activations = of_groups + i % kGroups * group_size();
      float* z = activations + hidden;
      float* of_z = z + outputs;
      for (std::uint32_t o = group.lane(); o < hidden; o += group.size()) {
        float sum = added[o];
        for (std::uint32_t s = 0; s < kShares; ++s) sum += sums[(s * mine + i) * hidden + o];
        activations[o] = sum < 0.0F ? 0.0F : sum;  // a NaN stays one
        y[std::size_t{row} * hidden + o] = activations[o];
      }
      group.sync();
      for (std::uint32_t k = group.lane(); k < outputs; k += group.size()) {
        float sum = added[hidden + k];
        for (std::uint32_t o = 0; o < hidden; ++o) {
          sum = std::fma(activations[o], w[k * stride + o], sum);
        }
        z[k] = sum;
      }
      group.sync();
      const SoftmaxLoss::Judged judged = loss.look(group, label, z);
      loss.gradient_of(group, judged, label, z, {of_z, ElementType::kFloat32}, 0);
      group.sync();
      for (std::uint32_t k = group.lane(); k < outputs; k += group.size()) {
        dz[std::size_t{row} * outputs + k] = of_z[k];
      }
      for (std::uint32_t o = group.lane(); o < hidden; o += group.size()) {
        float sum = 0.0F;
        for (std::uint32_t k = 0; k < outputs; ++k) {  // 0 beyond the classes
          sum = std::fma(of_z[k], w[k * stride + o], sum);
        }
        // Not "unless y > 0": the gradient of a NaN must not vanish.
        dy[std::size_t{row} * hidden + o] = activations[o] <= 0.0F ? 0.0F : sum;
      }
      loss.finish(group, judged, row);  // for this nobody waits
      // The group's next row overwrites what each thread has now read for itself.
    });
  }

  template <class Block>
  MILLRACE_HOST_DEVICE void update(const Block& block, std::uint32_t b, std::uint32_t step,
                                   float* memory) const {
    const Tile tile = tile_of(b);
    const std::uint32_t width = tile.outputs;
    const std::uint32_t count = rows_of(step);
    float* x = inputs(memory, step);
    float* d = scratch(memory);                                            // [count, width]
    const std::uint32_t of_inputs = tile.layer == 0 ? 0 : count * kQuads;  // else they are there
    struct Four {
      float values[4];
    };
    block.fetch(
        of_inputs + count * width / 4,
        [&](std::uint32_t i) {
          Four four{};
          load_four(i < of_inputs
                        ? y + std::size_t{i / kQuads} * hidden + tile.column + i % kQuads * 4
                        : (tile.layer == 0 ? dy : dz) + std::size_t{i - of_inputs} * 4,
                    four.values);
          return four;
        },
        [&](std::uint32_t i, const Four& four) {
          store_four(
              i < of_inputs ? x + i / kQuads * kStride + i % kQuads * 4 : d + (i - of_inputs) * 4,
              four.values);
        });
    block.sync();
    // Four columns by four outputs over a share of the rows.
    const std::uint32_t tiles = width / 4 * kQuads;
    const std::uint32_t shares = kThreads / tiles;
    const std::uint32_t share = (count + shares - 1) / shares;
    float* sums = partials(memory);     // [shares, width, kColumns]
    float* of_bias = sums + kPartials;  // [shares, width]
    block.each(shares * tiles, [&](std::uint32_t i) {
      const std::uint32_t left = i % kQuads * 4;
      const std::uint32_t out = i % tiles / kQuads * 4;
      const std::uint32_t part = i / tiles;
      const std::uint32_t last = least((part + 1) * share, count);
      float products[4][4] = {};  // by output, by column
      float total[4] = {};
      const auto add = [&](const float(&xs)[4], const float(&ds)[4]) {
        for (std::uint32_t o = 0; o < 4; ++o) {
          for (std::uint32_t c = 0; c < 4; ++c) {
            products[o][c] = std::fma(ds[o], xs[c], products[o][c]);
          }
          total[o] += ds[o];
        }
      };
      std::uint32_t r = part * share;
      for (; r + kRowsAtOnce <= last; r += kRowsAtOnce) {
        float xs[kRowsAtOnce][4];
        float ds[kRowsAtOnce][4];
        for (std::uint32_t k = 0; k < kRowsAtOnce; ++k) {
          load_four(x + (r + k) * kStride + left, xs[k]);
          load_four(d + (r + k) * width + out, ds[k]);
        }
        for (std::uint32_t k = 0; k < kRowsAtOnce; ++k) add(xs[k], ds[k]);
      }
      for (; r < last; ++r) {
        float xs[4];
        float ds[4];
        load_four(x + r * kStride + left, xs);
        load_four(d + r * width + out, ds);
        add(xs, ds);
      }
      for (std::uint32_t o = 0; o < 4; ++o) {
        store_four(sums + (part * width + out + o) * kColumns + left, products[o]);
      }
      if (left == 0) store_four(of_bias + part * width + out, total);
    });
    block.sync();
    OptimizerStep constants;
    std::memcpy(&constants, constants_of(memory, step), sizeof constants);
    const auto finish = [&](float& kept, std::size_t parameter, const float* from,
                            std::uint32_t each) {
      float sum = 0.0F;
      for (std::uint32_t s = 0; s < shares; ++s) sum += from[s * each];
      kept = optimizer.update_one(constants, parameter, kept, sum);
    };
    block.each(width * kColumns, [&](std::uint32_t i) {
      const std::uint32_t out = i / kColumns;
      const std::uint32_t column = i % kColumns;
      finish(weights(memory)[column * weights_stride() + out],
             tile.weight + std::size_t{out} * tile.wide + column, sums + i, width * kColumns);
    });
    if (!tile.has_bias) return;
    block.each(width, [&](std::uint32_t o) {
      finish(biases(memory)[o], (tile.layer == 0 ? bias[0] : bias[1]) + o, of_bias + o, width);
    });
  }

 private:
  static constexpr std::uint32_t kQuads = kColumns / 4;
  static constexpr std::uint32_t kStride = kColumns + 4;  ///< of rows, against bank conflicts
  static constexpr std::uint32_t kShares = 4;             ///< of the blocks' parts
  static constexpr std::uint32_t kRowsAtOnce = 4;
  static constexpr std::uint32_t kStepWords = sizeof(OptimizerStep) / sizeof(std::uint32_t);
  static_assert(kStepWords * sizeof(std::uint32_t) == sizeof(OptimizerStep));
  // Of update(): a tile of four by four each, and of every kQuads-th the sums of four outputs.
  static constexpr std::size_t kPartials = std::size_t{kThreads} * 4 * 4;
  static constexpr std::size_t kBiasPartials = std::size_t{kThreads} / kQuads * 4;

  MILLRACE_HOST_DEVICE static std::uint32_t round_up(std::uint32_t n) { return (n + 3) / 4 * 4; }
  MILLRACE_HOST_DEVICE static std::uint32_t least(std::uint32_t a, std::uint32_t b) {
    return a < b ? a : b;
  }
  MILLRACE_HOST_DEVICE std::uint32_t rows_of(std::uint32_t step) const {
    return least(batch, rows - step * batch);
  }

  /// The parameters that a block updates: of kColumns columns of a layer's weights, and of the
  /// first such block its biases.
  struct Tile {
    std::uint32_t layer = 0;
    std::uint32_t column = 0;
    std::uint32_t wide = 0;  ///< columns of all blocks
    std::uint32_t outputs = 0;
    std::size_t weight = 0;  ///< the first
    bool has_bias = false;
  };
  MILLRACE_HOST_DEVICE Tile tile_of(std::uint32_t b) const {
    Tile tile;
    tile.layer = b < input_blocks() ? 0 : 1;
    tile.column = (tile.layer == 0 ? b : b - input_blocks()) * kColumns;
    tile.wide = tile.layer == 0 ? samples.padded : hidden;
    tile.outputs = tile.layer == 0 ? hidden : outputs;
    tile.weight = (tile.layer == 0 ? weight[0] : weight[1]) + tile.column;
    tile.has_bias = tile.column == 0;
    return tile;
  }

  /// Of a step of `count`, which output() does in block b.
  MILLRACE_HOST_DEVICE std::uint32_t rows_of_block(std::uint32_t b, std::uint32_t count) const {
    return b < count ? (count - b + blocks() - 1) / blocks() : 0;
  }
  MILLRACE_HOST_DEVICE std::uint32_t most_rows() const { return (batch + blocks() - 1) / blocks(); }

  /// Of output(): a row's activations, logits, and their gradient.
  MILLRACE_HOST_DEVICE std::uint32_t group_size() const { return hidden + 2 * outputs; }

  /// sum[c] += the parts of a share of the blocks, elements `at` and the three that follow.
  MILLRACE_HOST_DEVICE void add_parts(std::uint32_t share, std::size_t at, float (&sum)[4]) const {
    constexpr std::uint32_t kAtOnce = 16;
    const std::uint32_t all = input_blocks();
    const std::uint32_t each = (all + kShares - 1) / kShares;
    const std::uint32_t last = least((share + 1) * each, all);
    const std::uint32_t next = round_up(batch) * hidden;
    for (std::uint32_t p = share * each; p < last; p += kAtOnce) {
      float of_blocks[kAtOnce][4];
      for (std::uint32_t k = 0; k < kAtOnce; ++k) {
        load_four(parts + at + least(p + k, last - 1) * next, of_blocks[k]);
      }
      for (std::uint32_t k = 0; k < kAtOnce; ++k) {
        if (p + k >= last) continue;
        for (std::uint32_t c = 0; c < 4; ++c) sum[c] += of_blocks[k][c];
      }
    }
  }

  MILLRACE_HOST_DEVICE std::uint32_t most_outputs() const {
    return hidden > outputs ? hidden : outputs;
  }

  // Of a column's weights: 16-byte aligned, and the columns far enough apart that threads beside
  // each other use different banks.
  MILLRACE_HOST_DEVICE std::uint32_t weights_stride() const { return most_outputs() + 4; }

  // The block's memory: the samples of two steps, weights by column and biases, what one phase
  // alone needs, sums, and labels and constants of two steps.
  MILLRACE_HOST_DEVICE std::size_t inputs_size() const {
    return std::size_t{round_up(batch)} * kStride;
  }
  MILLRACE_HOST_DEVICE std::size_t scratch_size() const {
    const std::size_t of_output = std::size_t{outputs} * (hidden + 1) +
                                  std::size_t{kShares} * most_rows() * hidden +
                                  std::size_t{kGroups} * group_size() + hidden + outputs;
    const std::size_t of_update = std::size_t{batch} * most_outputs();
    const std::size_t most = of_output > of_update ? of_output : of_update;
    return (most + 3) / 4 * 4;
  }
  MILLRACE_HOST_DEVICE float* inputs(float* memory, std::uint32_t step) const {
    return memory + step % 2 * inputs_size();
  }
  MILLRACE_HOST_DEVICE float* weights(float* memory) const { return memory + 2 * inputs_size(); }
  MILLRACE_HOST_DEVICE float* biases(float* memory) const {
    return weights(memory) + std::size_t{kColumns} * weights_stride();
  }
  MILLRACE_HOST_DEVICE float* scratch(float* memory) const {
    return biases(memory) + most_outputs();
  }
  MILLRACE_HOST_DEVICE float* partials(float* memory) const {
    return scratch(memory) + scratch_size();
  }
  MILLRACE_HOST_DEVICE float* labels_of(float* memory, std::uint32_t step) const {
    return partials(memory) + kPartials + kBiasPartials + step % 2 * most_rows();
  }
  MILLRACE_HOST_DEVICE float* constants_of(float* memory, std::uint32_t step) const {
    return labels_of(memory, 0) + 2 * most_rows() + step % 2 * kStepWords;
  }
};

}  // namespace millrace::cuda
