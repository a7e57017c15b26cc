#include "formats/parquet_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "formats/csv_cells.h"
#include "formats/error.h"
#include "formats/idx_pair.h"
#include "formats/image_form.h"
#include "formats/in_quotes.h"
#include "formats/on_all_cores.h"
#include "formats/parquet.h"
#include "formats/parquet_cells.h"
#include "formats/parquet_rows.h"
#include "formats/table_columns.h"
#include "formats/table_label_columns.h"

namespace millrace {
namespace {

using Texts = std::vector<std::string_view>;

constexpr std::string_view kBytes = ".bytes";
constexpr std::string_view kPath = ".path";

bool holds_bytes(const ParquetLeaf& leaf) {
  return leaf.meaning == ParquetMeaning::kBytes && leaf.type == ParquetType::kBytes &&
         leaf.repetition == 0;
}

/// Bytes beside the path of a file: "image" of "image.bytes" and "image.path".
bool is_image_struct(const std::vector<ParquetLeaf>& leaves, const ParquetLeaf& leaf) {
  if (!leaf.name.ends_with(kBytes)) return false;
  const auto path = leaf.name.substr(0, leaf.name.size() - kBytes.size()) + std::string(kPath);
  return std::ranges::find(leaves, path, &ParquetLeaf::name) != leaves.end();
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// A page of many rows may take few bytes; but each row that is an image takes some.
bool too_many_rows(const ParquetFile& file) {
  constexpr std::uint64_t kMostRowsPerByte = 8;
  return file.footer().rows / kMostRowsPerByte > file.bytes().size();
}

/// Whether the first value of a leaf that there is begins as an image does.
bool begins_with_image(const ParquetFile& file, std::size_t leaf) {
  const auto& footer = file.footer();
  if (footer.groups.empty() || too_many_rows(file)) return false;
  try {
    const auto column =
        read_column(file, footer.leaves[leaf], footer.groups.front().chunks[leaf], 1);
    const auto& texts = std::get<Texts>(column.values);
    if (texts.empty()) return false;
    (void)read_image_info(bytes_of(texts.front()), file.path().string());
    return true;
  } catch (const DataError&) {
    return false;  // told where the column is wanted
  }
}

/// The column of labels where its name does not say so: the only one beside the images' that may
/// have some.
std::optional<std::size_t> only_label(const std::vector<ParquetLeaf>& leaves, std::size_t image) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const auto& leaf = leaves[i];
    if (i == image || leaf.repetition > 0 || leaf.name.ends_with(kPath) || !is_table_leaf(leaf)) {
      continue;
    }
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

}  // namespace

std::optional<std::size_t> image_leaf(const ParquetFile& file,
                                      const std::vector<std::string>& dropped) {
  const auto& leaves = file.footer().leaves;
  for (const bool by_struct : {true, false}) {
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      const auto is_it = [&](const std::string& name) {
        return leaves[i].name == name || leaves[i].name == name + std::string(kBytes);
      };
      if (!holds_bytes(leaves[i]) || std::ranges::any_of(dropped, is_it)) continue;
      if (by_struct ? is_image_struct(leaves, leaves[i]) : begins_with_image(file, i)) return i;
    }
  }
  return std::nullopt;
}

/// A page's images by sample; they view the file or what the column owns.
struct ParquetImages::Decoded {
  std::size_t number = 0;
  ParquetColumn column;
  std::shared_ptr<const ParquetColumn> dictionary;
  Texts images;  // empty: missing
  std::uint64_t bytes = 0;
};

ParquetImages::ParquetImages(std::vector<std::shared_ptr<const ParquetFile>> files,
                             const ImageOptions& images, const ReadTableOptions& labels,
                             Headers headers)
    : files_(std::move(files)), asked_(images), options_(images) {
  open(labels, nullptr);
  find_form(nullptr, headers);
}

ParquetImages::ParquetImages(std::vector<std::shared_ptr<const ParquetFile>> files,
                             const ParquetImages& train, const ReadTableOptions& labels,
                             Headers headers)
    : files_(std::move(files)), asked_(train.asked_), options_(train.asked_) {
  open(labels, &train);
  find_form(&train, headers);
}

void ParquetImages::open(const ReadTableOptions& labels, const ParquetImages* train) {
  if (files_.empty()) throw std::invalid_argument("ParquetImages: expected files, found none");
  name_ = files_.size() == 1 ? files_.front()->path().string()
                             : files_.front()->path().parent_path().string();
  std::erase_if(files_, [](const auto& file) { return file->footer().rows == 0; });
  if (files_.empty()) throw DataError(name_, std::nullopt, "images", "no rows");
  if (train != nullptr) {
    image_name_ = train->image_name_;
  } else if (const auto leaf = image_leaf(*files_.front(), labels.table.dropped)) {
    image_name_ = files_.front()->footer().leaves[*leaf].name;
  } else {
    throw DataError(files_.front()->path(), std::nullopt, "a column of images", "none");
  }
  find_pages();
  read_labels(labels);
}

void ParquetImages::find_pages() {
  for (std::size_t f = 0; f < files_.size(); ++f) {
    const auto& file = *files_[f];
    const auto& footer = file.footer();
    const auto& leaves = footer.leaves;
    const auto leaf = static_cast<std::size_t>(
        std::ranges::find(leaves, image_name_, &ParquetLeaf::name) - leaves.begin());
    if (leaf == leaves.size() || !holds_bytes(leaves[leaf])) {
      throw DataError(file.path(), std::nullopt,
                      fmt::format("images in a column {}", in_quotes(image_name_)),
                      leaf == leaves.size() ? "none of that name" : describe(leaves[leaf]));
    }
    first_rows_.push_back(rows_);
    stored_ += file.bytes().size();
    if (too_many_rows(file)) {
      throw DataError(file.path(), std::nullopt, "images",
                      fmt::format("{} rows in {} bytes", footer.rows, file.bytes().size()));
    }
    for (const auto& group : footer.groups) {
      const auto& chunk = group.chunks[leaf];
      auto& kept = chunks_.emplace_back();
      kept.leaf = footer.leaves[leaf];
      kept.codec = chunk.codec;
      ParquetPages pages(file, chunk);
      auto first = rows_ + group.first_row;
      for (auto header = pages.next(); header; header = pages.next()) {
        if (header->kind == ParquetPageHeader::Kind::kDictionary) {
          kept.dictionary = *header;
          continue;
        }
        if (header->slots == 0) continue;
        pages_.push_back({.first = first,
                          .file = static_cast<std::uint32_t>(f),
                          .chunk = static_cast<std::uint32_t>(chunks_.size() - 1),
                          .header = *header});
        first += header->slots;
      }
    }
    rows_ += footer.rows;
  }
}

void ParquetImages::read_labels(const ReadTableOptions& labels) {
  const auto& first = *files_.front();
  const auto& leaves = first.footer().leaves;
  const auto image = static_cast<std::size_t>(
      std::ranges::find(leaves, image_name_, &ParquetLeaf::name) - leaves.begin());
  ParquetColumns table{.files = files_,
                       .name = name_,
                       .options = labels,
                       .layout = {.columns = {}, .cells = leaves.size(), .label = leaves.size()},
                       .asked = {},
                       .cells = {},
                       .widths = std::vector<std::size_t>(leaves.size(), 1),
                       .leaves = {},
                       .class_names = {}};
  table.options.as_float = true;
  table.options.columns = {};
  auto& layout = table.layout;
  if (labels.unlabelled_values) {
    labels_ = {.values = std::vector<std::int32_t>(static_cast<std::size_t>(rows_)), .classes = 1};
    return;
  }
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    layout.columns.push_back(leaves[i].name);
    table.cells.push_back({.leaf = i, .index = 0});
  }
  if (labels.task == Task::kRegression) {
    find_targets(first.path(), 0, labels, layout);
  } else {
    const std::vector<std::string_view> none;
    find_label(first.path(), 0, labels.label_column, &none, layout);
    if (layout.label_guessed) {
      const auto only = only_label(leaves, image);
      if (!only) {
        throw DataError(first.path(), std::nullopt,
                        "a column of labels (--label-column says which)",
                        "none called label, class, target or y");
      }
      layout.label = *only;
    }
  }
  if (!layout.labelled) {
    throw DataError(first.path(), std::nullopt,
                    fmt::format("a column {} for labels", in_quotes(layout.missing)),
                    "none of that name");
  }
  const auto columns = layout.label_columns();
  for (const auto column : columns) {
    const auto& leaf = leaves[column];
    if (!is_table_leaf(leaf) || leaf.repetition > 0) {
      throw DataError(first.path(), std::nullopt,
                      fmt::format("labels in {}", layout.text_of(column)),
                      leaf.repetition > 0 ? "lists" : describe(leaf));
    }
    for (const auto& file : files_) {
      const auto& theirs = file->footer().leaves;
      const auto same = std::ranges::find(theirs, leaf.name, &ParquetLeaf::name);
      if (same != theirs.end() && is_table_leaf(*same) && same->repetition == 0) continue;
      throw DataError(file->path(), std::nullopt,
                      fmt::format("labels in a column {}, as {} has", in_quotes(leaf.name),
                                  first.path().string()),
                      same == theirs.end() ? "none" : describe(*same));
    }
  }
  for (const auto& file : files_) {
    auto& numbers = table.leaves.emplace_back();
    const auto& theirs = file->footer().leaves;
    for (const auto& leaf : leaves) {
      const auto same = std::ranges::find(theirs, leaf.name, &ParquetLeaf::name);
      numbers.push_back(static_cast<std::size_t>(same - theirs.begin()));
    }
  }
  if (layout.label < layout.cells) {
    const auto& leaf = leaves[layout.label];
    layout.named_classes = is_csv_text(first_text(first, layout.label));
    if (is_whole_leaf(leaf)) table.class_names = class_names_in(files_, leaf.name);
    // Names that are known are of no use to numbers.
    const bool numbers = !layout.named_classes && table.class_names.empty();
    if (numbers && !table.options.classes) table.options.class_names.clear();
  }
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (std::ranges::find(columns, i) != columns.end()) continue;
    layout.dropped.push_back(i);
    const bool of_image =
        i == image || (is_image_struct(leaves, leaves[image]) && leaves[i].name.ends_with(kPath));
    if (!of_image) left_out_.push_back(leaves[i].name);
  }
  layout_ = layout;
  auto read = read_rows(table);
  labels_ = std::move(read.labels);
  class_names_ = std::move(read.class_names);
  columns_ = {.values = {}, .label = read.columns.label, .targets = read.columns.targets};
}

std::string ParquetImages::labels_text() const {
  if (layout_.targets.empty()) return "labels in " + layout_.text_of(layout_.label);
  return fmt::format("{} target{}, the first in {}", layout_.targets.size(),
                     layout_.targets.size() == 1 ? "" : "s", layout_.text_of(layout_.targets[0]));
}

std::size_t ParquetImages::page_of(std::uint64_t sample) const {
  const auto behind = std::ranges::upper_bound(pages_, sample, {}, &Page::first);
  return static_cast<std::size_t>(behind - pages_.begin()) - 1;
}

std::shared_ptr<const ParquetImages::Decoded> ParquetImages::page(std::size_t number) const {
  {
    const std::scoped_lock lock(pages_mutex_);
    const auto known =
        std::ranges::find(recent_, number, [](const auto& page) { return page->number; });
    if (known != recent_.end()) {
      std::rotate(recent_.begin(), known, known + 1);
      return recent_.front();
    }
  }
  // Two threads may decode one page at a time; each has its own then.
  const auto& of = pages_[number];
  const auto& file = *files_[of.file];
  const auto& chunk = chunks_[of.chunk];
  auto made = std::make_shared<Decoded>();
  made->number = number;
  made->column.values = Texts();
  ParquetValues dictionary = Texts();
  if (chunk.dictionary) {
    auto read = read_dictionary(file, chunk.leaf, chunk.codec, *chunk.dictionary);
    dictionary = read.values;
    made->dictionary = std::make_shared<const ParquetColumn>(std::move(read));
    made->bytes += chunk.dictionary->size;
  }
  add_page(file, chunk.leaf, chunk.codec, of.header, dictionary, made->column);
  const auto& texts = std::get<Texts>(made->column.values);
  std::size_t next = 0;
  for (std::uint64_t i = 0; i < of.header.slots; ++i) {
    made->images.push_back(made->column.has(i) ? texts[next++] : std::string_view());
  }
  made->bytes += of.header.size;
  std::shared_ptr<const Decoded> result = std::move(made);
  const std::scoped_lock lock(pages_mutex_);
  recent_.insert(recent_.begin(), result);
  std::uint64_t bytes = 0;
  std::size_t stay = 0;
  for (; stay < recent_.size() && (stay == 0 || bytes + recent_[stay]->bytes <= kCached); ++stay) {
    bytes += recent_[stay]->bytes;
  }
  recent_.resize(stay);
  return result;
}

std::string ParquetImages::name_of(std::uint64_t sample) const {
  const auto& page = pages_[page_of(sample)];
  return fmt::format("{}: sample {}", files_[page.file]->path().string(),
                     sample - first_rows_[page.file]);
}

void ParquetImages::find_form(const ParquetImages* train, Headers headers) {
  auto form = train != nullptr ? CommonImageForm(asked_, train->options_) : CommonImageForm(asked_);
  bool any = false;
  if (form.wants_headers()) {
    std::optional<DataError> first_error;
    for (std::size_t p = 0; p < pages_.size(); ++p) {
      const auto read_headers = [&] {
        const auto decoded = page(p);
        for (std::uint64_t i = 0; i < decoded->images.size(); ++i) {
          const auto name = name_of(pages_[p].first + i);
          try {
            if (decoded->images[i].empty()) {
              throw DataError(name, std::nullopt, "an image", "none");
            }
            form.add(read_image_info(bytes_of(decoded->images[i]), name), name);
            any = true;
          } catch (const DataError& error) {
            if (headers == Headers::kAll) throw;
            if (!first_error) first_error = error;
          }
        }
      };
      try {
        read_headers();
      } catch (const DataError& error) {
        if (headers == Headers::kAll) throw;
        if (!first_error) first_error = error;
      }
      forget(pages_[p].first, pages_[p].header.slots);
    }
    if (!any && train == nullptr && first_error) throw first_error->detached();
  }
  options_ = form.options();
  shape_.dims = {options_.resize->height, options_.resize->width};
  if (options_.channels == ImageChannels::kRgb) shape_.dims.push_back(3);
}

std::string ParquetImages::hash() const {
  const std::scoped_lock lock(hash_mutex_);
  if (hash_.empty()) hash_ = hash_by_reading(*this);
  return hash_;
}

void ParquetImages::read(std::span<const std::uint64_t> ids, std::span<std::byte> samples,
                         std::span<std::int32_t> labels) const {
  check_read(*this, ids, samples, labels);
  const auto bytes = static_cast<std::size_t>(sample_bytes());
  const auto words = label_words();
  // In the order of the files, so that a page is decompressed once for all of its samples.
  std::vector<std::size_t> order(ids.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [ids](std::size_t i) { return ids[i]; });
  std::shared_ptr<const Decoded> decoded;
  for (const auto i : order) {
    const auto sample = ids[i];
    const auto number = page_of(sample);
    if (!decoded || decoded->number != number) decoded = page(number);
    const auto stored = decoded->images[static_cast<std::size_t>(sample - pages_[number].first)];
    const auto name = name_of(sample);
    if (stored.empty()) throw DataError(name, std::nullopt, "an image", "none");
    const Image image = decode_image(bytes_of(stored), name, options_);
    if (image.pixels.size() != bytes) throw std::logic_error("an image of another size");
    std::memcpy(samples.data() + i * bytes, image.pixels.data(), bytes);
    std::copy_n(labels_.values.data() + static_cast<std::size_t>(sample) * words, words,
                labels.data() + i * words);
  }
}

std::vector<BlockDataset::Block> ParquetImages::runs() const {
  // A page that takes long to decompress is read in one go, where memory allows.
  constexpr std::uint64_t kLongPage = std::uint64_t{2} << 20;
  constexpr std::uint64_t kMostRun = std::uint64_t{64} << 20;
  std::vector<BlockDataset::Block> runs;
  for (const auto& page : pages_) {
    const bool plain = chunks_[page.chunk].codec == ParquetCodec::kNone;
    const auto run = !plain && page.header.size > kLongPage ? kMostRun : kRunBytes;
    const auto at_most = std::max<std::uint64_t>(1, run / sample_bytes());
    for (std::uint64_t i = 0; i < page.header.slots; i += at_most) {
      runs.push_back({.first = page.first + i,
                      .count = std::min<std::uint64_t>(at_most, page.header.slots - i)});
    }
  }
  return runs;
}

/// with(file, at, bytes) for the pages of samples [first, first + count).
template <typename Do>
void ParquetImages::for_parts(std::uint64_t first, std::uint64_t count, Do with) const noexcept {
  if (count == 0 || first >= rows_) return;
  const auto end = std::min(first + count, rows_);
  for (auto p = page_of(first); p < pages_.size() && pages_[p].first < end; ++p) {
    with(files_[pages_[p].file]->file(), static_cast<std::size_t>(pages_[p].header.at),
         std::size_t{pages_[p].header.stored});
  }
}

void ParquetImages::expect(std::uint64_t first, std::uint64_t count) const noexcept {
  for_parts(first, count, [](const MappedFile& file, std::size_t at, std::size_t bytes) {
    file.expect(at, bytes);
  });
}

void ParquetImages::forget(std::uint64_t first, std::uint64_t count) const noexcept {
  if (stored_ <= kStays) return;
  for_parts(first, count, [](const MappedFile& file, std::size_t at, std::size_t bytes) {
    file.forget(at, bytes);
  });
}

}  // namespace millrace
