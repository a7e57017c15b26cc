#include "tools/cli/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <utility>

#include "formats/error.h"
#include "formats/idx_pair.h"
#include "loader/permutation.h"
#include "tools/cli/piece_reader.h"

namespace millrace {
namespace {

// Shares are written with few digits: 0.9 and 0.1 are one whole.
constexpr double kRounding = 1e-9;

std::vector<std::uint64_t> drawn(const Permutation& order, std::uint64_t first,
                                 std::uint64_t count) {
  std::vector<std::uint64_t> ids(static_cast<std::size_t>(count));
  order.range(first, ids);
  std::ranges::sort(ids);
  return ids;
}

}  // namespace

Selection::Selection(std::shared_ptr<const Dataset> data, std::vector<std::uint64_t> ids)
    : ForwardingDataset(std::move(data)), ids_(std::move(ids)) {
  if (ids_.empty()) throw std::invalid_argument(name() + ": a selection of no samples");
  if (*std::ranges::max_element(ids_) >= of().size()) {
    throw std::invalid_argument(name() + ": a selection of samples that it lacks");
  }
}

std::string Selection::hash() const {
  auto hasher = begin_dataset_hash(*this);
  std::vector<std::int32_t> all;
  PieceReader(std::shared_ptr<const Dataset>(std::shared_ptr<void>(), this), 0)
      .read(0, size(),
            [&](std::span<const std::byte> samples, std::span<const std::int32_t> labels) {
              hasher.update(samples);
              all.insert(all.end(), labels.begin(), labels.end());
              return true;
            });
  hasher.update(std::span<const std::int32_t>(all));
  return hasher.hex();
}

void Selection::read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
                     std::span<std::int32_t> labels) const {
  std::vector<std::uint64_t> mapped(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= ids_.size()) {
      throw std::out_of_range(fmt::format("{}: sample {} of {}", name(), ids[i], ids_.size()));
    }
    mapped[i] = ids_[static_cast<std::size_t>(ids[i])];
  }
  of().read(mapped, samples, labels);
}

Parts split_randomly(const std::shared_ptr<const Dataset>& data, double train_share,
                     double test_share, std::uint64_t seed) {
  if (!(train_share > 0.0) || !(test_share > 0.0) || train_share + test_share > 1.0 + kRounding) {
    throw std::invalid_argument(
        fmt::format("shares {} and {}: expected two above 0 that add up to at most 1", train_share,
                    test_share));
  }
  const auto all = data->size();
  if (all < 2) throw DataError(data->name(), std::nullopt, "two samples to split", "one");
  const auto count_of = [&](double share, std::uint64_t most) {
    const auto count = std::llround(share * static_cast<double>(all));
    return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(count), 1, most);
  };
  const auto train = count_of(train_share, all - 1);
  const auto test = count_of(test_share, all - train);
  const Permutation order(all, seed, kSplitStream);
  return {.train = std::make_shared<const Selection>(data, drawn(order, 0, train)),
          .test = std::make_shared<const Selection>(data, drawn(order, train, test))};
}

}  // namespace millrace
