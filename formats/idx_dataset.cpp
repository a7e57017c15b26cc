#include "formats/idx_dataset.h"

#include <utility>

#include "formats/idx_pair.h"

namespace millrace {

std::shared_ptr<const ArrayDataset> idx_dataset(IdxArray images, const IdxArray& labels,
                                                std::optional<std::uint32_t> classes,
                                                std::vector<std::string> class_names, Task task) {
  idx_sample_shape(images.path(), images.header());  // names the byte of what is wrong
  auto found = idx_labels(images.path(), images.header(), labels, classes, task);
  const auto owner = std::make_shared<const IdxArray>(std::move(images));
  Array samples{.name = owner->path().string(),
                .dtype = owner->dtype(),
                .dims = {owner->dims().begin(), owner->dims().end()},
                .owner = owner,
                .data = owner->data(),
                .mapped = owner->mapped()};
  return std::make_shared<const ArrayDataset>(std::move(samples), std::move(found),
                                              std::move(class_names));
}

}  // namespace millrace
